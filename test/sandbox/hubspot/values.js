'use strict';
// Checks and rewrites property values as HubSpot does: everything is stored as a string, e-mail in
// lower case, dates in one form, enumerations by value. Returns what is to be stored or the errors.
const errors = require('./errors');
const seed = require('./seed.json');
const { nationalDigits } = require('../lib/phone_digits');

const TEXT_CAP = 65536;
const EMAIL = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$/;

// Options of a property whose list lives elsewhere (owners, pipelines, call outcomes).
function externalOptions(dialect, field, props) {
	const [kind, object, pipelineProperty] = field.external.split(':');
	switch (kind) {
	case 'owners': return dialect.owners.map(o => ({ value: o.id, label: `${o.firstName} ${o.lastName}` }));
	case 'dispositions': return seed.dispositions.map(d => ({ value: d.id, label: d.label }));
	case 'pipelines': return dialect.pipelines[object].map(p => ({ value: p.id, label: p.label }));
	case 'stages': {
		const chosen = props && props[pipelineProperty];
		return dialect.pipelines[object].filter(p => !chosen || p.id === chosen).flatMap(p => p.stages.map(s => ({ value: s.id, label: s.label })));
	}
	default: throw new Error('no such list ' + field.external);
	}
}
const optionsOf = (dialect, field, props) => (field.external ? externalOptions(dialect, field, props) : field.options);

const sanitizeHtml = v => v.replace(/<script\b[\s\S]*?<\/script\s*>/gi, '').replace(/<script\b[^>]*>/gi, '').replace(/\son\w+\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)/gi, '');

function instant(v) {
	if (/^-?\d{1,15}$/.test(v)) return Number(v);
	if (!/^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(v)) return NaN;
	// a time without a zone is taken as UTC
	return Date.parse(/T/.test(v) && !/(Z|[+-]\d{2}:?\d{2})$/.test(v) ? v + 'Z' : v);
}

// One value; fail(code, message) records an error.
function normalize(dialect, field, raw, props, fail) {
	const v = raw;
	const label = field.name;
	switch (field.type) {
	case 'number': {
		const t = v.trim();
		if (!/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(t)) return fail('INVALID_INTEGER', `${v} was not a valid number.`);
		const n = Number(t);
		return Number.isSafeInteger(n) || /[.eE]/.test(t) ? String(n) : t.replace(/^\+/, '');
	}
	case 'bool': {
		const t = v.trim().toLowerCase();
		if (t !== 'true' && t !== 'false') return fail('INVALID_OPTION', `${v} was not one of the allowed options: [true, false]`);
		return t;
	}
	case 'enumeration': {
		const options = optionsOf(dialect, field, props) || [];
		const allowed = new Set(options.map(o => String(o.value)));
		const parts = field.fieldType === 'checkbox' ? v.split(';').filter(s => s !== '') : [v];
		for (const p of parts) {
			if (allowed.has(p)) continue;
			if (field.external === 'owners') return fail('INVALID_OWNER_ID', `Owner ${p} does not exist`);
			return fail('INVALID_OPTION', `${p} was not one of the allowed options: [${options.map(o => `label: "${o.label}"\nvalue: "${o.value}"`).join(', ')}]`);
		}
		return parts.join(';');
	}
	case 'date': {
		const ms = instant(v.trim());
		if (Number.isNaN(ms)) return fail('INVALID_DATE', `${v} was not a valid date.`);
		if (ms % 86400000 !== 0) return fail('INVALID_DATE', `${v} is at ${new Date(ms).toISOString().slice(11, 23)} UTC, not midnight!`);
		return new Date(ms).toISOString().slice(0, 10);
	}
	case 'datetime': {
		const ms = instant(v.trim());
		if (Number.isNaN(ms)) return fail('INVALID_LONG', `${v} was not a valid long.`);
		return new Date(ms).toISOString();
	}
	default: {
		let t = v;
		if (field.fieldType === 'html') t = sanitizeHtml(t);
		else if (field.fieldType !== 'textarea') t = t.trim();
		if (field.format === 'email') {
			t = t.toLowerCase();
			if (!EMAIL.test(t)) return fail('INVALID_EMAIL', `Email address ${v} is invalid`);
		}
		if (field.format === 'https' && !/^https:\/\/[^\s]+$/.test(t)) return fail('INVALID_URL', `${label} must be a valid https URL`);
		const cap = field.max || TEXT_CAP;
		if (t.length > cap) return fail('PROPERTY_VALUE_TOO_LONG', `The value of ${label} is ${t.length} characters long; the maximum is ${cap}.`);
		return t;
	}
	}
}

// Checks the properties of one create or update against the schema and the record as it is.
// Returns {values, changed}: all properties after the write, and the part the caller wrote.
function check(ctx, object, given, existing) {
	const { dialect } = ctx;
	if (given === undefined || given === null || typeof given !== 'object' || Array.isArray(given)) throw errors.badInput('"properties" must be an object');
	const list = [], changed = {}, forbidden = [];
	for (const [name, raw] of Object.entries(given)) {
		const field = dialect.schema.field(object, name);
		if (!field) { list.push({ code: 'PROPERTY_DOESNT_EXIST', name, message: `Property "${name}" does not exist` }); continue; }
		if (raw !== null && typeof raw !== 'string') {
			if (dialect.config.strict_types || typeof raw === 'object') throw errors.badInput(`Cannot deserialize value of type \`java.lang.String\` from ${Array.isArray(raw) ? 'Array' : typeof raw} value (property "${name}")`);
		}
		if (field.readonly) { list.push({ code: 'READ_ONLY_VALUE', name, message: `"${name}" is a read only property; its value cannot be set.` }); continue; }
		if (field.perm === 'silent') continue;
		if (field.perm === 'forbidden') { forbidden.push(name); continue; }
		changed[name] = raw === null ? '' : String(raw);
	}
	if (forbidden.length) throw errors.missingScopes([`crm.objects.${object}.sensitive.write`]);

	const values = { ...(existing ? existing.props : {}), ...changed };
	for (const name of Object.keys(changed)) {
		if (changed[name] === '') { delete values[name]; continue; }
		const field = dialect.schema.field(object, name);
		let bad = false;
		const v = normalize(dialect, field, changed[name], values, (code, message) => { bad = true; list.push({ code, name, message }); });
		if (bad) continue;
		values[name] = changed[name] = field.forwardOnly ? forward(field, existing && existing.props[name], v) : v;
	}
	if (list.length) throw errors.validation(list);

	const refused = ctx.writer.rejection(object, existing ? 'update' : 'create', values);
	if (refused) {
		if (refused.body) throw errors.error(refused.status, undefined, refused.message, refused.body);
		throw errors.validation([{ code: refused.code || 'INVALID_OPTION', name: refused.field || 'hs_object_id', message: refused.message }]);
	}

	if (!existing) for (const f of dialect.schema.fields(object).values()) if (f.default !== undefined && values[f.name] === undefined) values[f.name] = f.default;
	required(ctx, object, values, existing);
	unique(ctx, object, values, existing);
	return { values, changed };
}

// lifecyclestage and its like only move forward; a step back is kept silently.
function forward(field, old, next) {
	if (!old) return next;
	const rank = v => field.options.findIndex(o => o.value === v);
	return rank(next) < rank(old) ? old : next;
}

function required(ctx, object, values, existing) {
	const { dialect } = ctx;
	const names = [];
	for (const f of dialect.schema.fields(object).values()) {
		if (!f.required || (f.requiredFrom && !dialect.versionAtLeast(ctx, f.requiredFrom))) continue;
		if (values[f.name] === undefined || values[f.name] === '') names.push(f.name);
	}
	if (names.length) throw errors.missing(dialect.type(object).label, names, existing ? 'updating' : 'creating');
}

function unique(ctx, object, values, existing) {
	const { dialect } = ctx;
	for (const property of dialect.store.table(object).unique.keys()) {
		const other = dialect.store.findUnique(object, property, values[property]);
		if (!other || (existing && other.id === existing.id)) continue;
		if (object === 'contacts' && property === 'email') throw errors.exists('Contact', other.id);
		throw errors.validation([{ code: 'CONFLICTING_UNIQUE_VALUE', name: property, message: `${other.id} already has that value.` }]);
	}
}

/* ---- properties that HubSpot computes ---- */

const cache = new WeakMap();
function computed(object, props) {
	let c = cache.get(props);
	if (c) return c;
	c = {};
	if (object === 'contacts') {
		if (props.phone) c.hs_searchable_calculated_phone_number = nationalDigits(props.phone);
		if (props.mobilephone) c.hs_searchable_calculated_mobile_number = nationalDigits(props.mobilephone);
		if (props.phone && props.phone.trim().startsWith('+')) c.hs_calculated_phone_number = '+' + props.phone.replace(/\D/g, '');
		if (props.mobilephone && props.mobilephone.trim().startsWith('+')) c.hs_calculated_mobile_number = '+' + props.mobilephone.replace(/\D/g, '');
		if (props.email) c.hs_email_domain = props.email.split('@')[1];
		c.hs_full_name_or_email = [props.firstname, props.lastname].filter(Boolean).join(' ') || props.email || '';
	} else {
		const body = props.hs_call_body || props.hs_task_body || props.hs_note_body || props.hs_meeting_body;
		if (body) c.hs_body_preview = body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim().slice(0, 500);
	}
	cache.set(props, c);
	return c;
}

module.exports = { check, computed, optionsOf, instant, TEXT_CAP };
