'use strict';
// Checks and rewrites field values as Salesforce does. Values are stored typed; null and the empty
// string are the same; unrestricted pick lists take anything; dates come out with "+0000".
const errors = require('./errors');
const ids = require('./ids');

const EMAIL = /^[^\s@,;<>"]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+$/;
const DATETIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})$/;

const stamp = ms => new Date(ms).toISOString().replace('Z', '+0000');
function realDate(text) {
	const ms = Date.parse(text + 'T00:00:00Z');
	return !Number.isNaN(ms) && new Date(ms).toISOString().slice(0, 10) === text;
}
function parseDateTime(v) {
	const m = DATETIME.exec(v);
	if (!m || !realDate(m[1])) return NaN;
	return Date.parse(m[1] + 'T' + m[2] + (m[3] === 'Z' ? 'Z' : m[3].slice(0, 3) + ':' + m[3].slice(-2)));
}

const wrongType = (type, v, field) => errors.parser(`Cannot deserialize instance of ${type} from VALUE_${typeof v === 'number' ? 'NUMBER' : typeof v === 'boolean' ? 'TRUE' : 'STRING'} value ${v} or request may be missing a required field at [line:1, column:1] (field ${field.name})`);

function text(field, raw) {
	if (typeof raw !== 'string') {
		if (typeof raw === 'object') throw errors.parser(`Cannot deserialize instance of string from ${Array.isArray(raw) ? 'START_ARRAY' : 'START_OBJECT'} value (field ${field.name})`);
		raw = String(raw);
	}
	const t = field.type === 'textarea' ? raw.replace(/\s+$/, '') : raw.trim();
	if (field.max && t.length > field.max) throw errors.fail(400, 'STRING_TOO_LONG', `${field.label}: data value too large: ${t.slice(0, 255)} (max length=${field.max})`, [field.name]);
	return t;
}

// One value as it is stored; undefined when it is empty.
function normalize(dialect, object, field, raw) {
	if (raw === null || raw === '') return field.type === 'boolean' ? (raw === null ? undefined : false) : undefined;
	switch (field.type) {
	case 'boolean':
		if (raw === true || raw === 'true') return true;
		if (raw === false || raw === 'false') return false;
		throw wrongType('boolean', raw, field);
	case 'int': {
		const n = typeof raw === 'number' ? raw : /^[+-]?\d+$/.test(raw) ? Number(raw) : NaN;
		if (!Number.isInteger(n)) throw wrongType('int', raw, field);
		return n;
	}
	case 'double': case 'currency': case 'percent': {
		const n = typeof raw === 'number' ? raw : typeof raw === 'string' && /^[+-]?\d+(\.\d+)?$/.test(raw) ? Number(raw) : NaN;
		if (!Number.isFinite(n)) throw wrongType(field.type, raw, field);
		return field.type === 'currency' ? Math.round(n * 100) / 100 : n;
	}
	case 'date': {
		const t = typeof raw === 'string' ? raw.trim() : '';
		const day = /^\d{4}-\d{2}-\d{2}/.exec(t);
		if (!day || !realDate(day[0]) || !(t.length === 10 || DATETIME.test(t))) throw wrongType('date', raw, field);
		return day[0];
	}
	case 'datetime': {
		const t = typeof raw === 'string' ? raw.trim() : '';
		const ms = /^\d{4}-\d{2}-\d{2}$/.test(t) && realDate(t) ? Date.parse(t + 'T00:00:00Z') : parseDateTime(t);
		if (Number.isNaN(ms)) throw wrongType('datetime', raw, field);
		return stamp(Math.floor(ms / 1000) * 1000);   // fractions of a second are not kept
	}
	case 'email': {
		const t = text(field, raw).toLowerCase();
		if (!EMAIL.test(t)) throw errors.fail(400, 'INVALID_EMAIL_ADDRESS', `${field.label}: invalid email address: ${raw}`, [field.name]);
		return t;
	}
	case 'picklist': {
		const t = text(field, raw);
		if (field.restricted && !field.options.some(o => o.value === t)) throw errors.fail(400, 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', `${field.label}: bad value for restricted picklist field: ${t}`, [field.name]);
		// an unrestricted list takes what it does not know; known values match without case
		const known = field.options.find(o => o.value.toLowerCase() === t.toLowerCase());
		return known ? known.value : t;
	}
	case 'reference': {
		const id = typeof raw === 'string' ? ids.canonical(raw) : null;
		if (!id) throw errors.malformedId(field.label, raw, field.name);
		const target = ids.objectOf(id);
		if (!field.ref.includes(target)) throw target ? errors.fail(400, 'FIELD_INTEGRITY_EXCEPTION', `${field.label}: id value of incorrect type: ${raw}`, [field.name]) : errors.malformedId(field.label, raw, field.name);
		const r = dialect.store.get(target, id, true);
		if (!r) throw errors.crossReference(field.name);
		if (r.archived) throw errors.fail(400, 'ENTITY_IS_DELETED', 'entity is deleted', []);
		return r.id;
	}
	default:
		return text(field, raw) || undefined;
	}
}

// {"Account": {"Callsync_Key__c": "x"}}: a parent named by its external id.
function byExternalId(dialect, field, value) {
	const type = field.ref.length === 1 ? field.ref[0] : value.attributes && dialect.objectName(value.attributes.type);
	if (!type) throw errors.fail(400, 'INVALID_FIELD', `The relationship ${field.rel} is polymorphic: attributes.type is needed`);
	const keys = Object.keys(value).filter(k => k !== 'attributes');
	const key = keys.length === 1 && dialect.field(type, keys[0]);
	if (!key || !key.externalId) throw errors.fail(400, 'INVALID_FIELD', `Foreign key external ID: ${keys.join(', ')} is no external id of ${type}`);
	const r = dialect.store.findUnique(type, key.name, value[keys[0]]);
	if (!r) throw errors.fail(400, 'INVALID_FIELD', `Foreign key external ID: ${value[keys[0]]} not found for field ${key.name} in entity ${type}`);
	return r.id;
}

// Withheld by field-level security? Where writes of a field are only ignored (automation of the org), it is read like any other.
const visible = field => !field.perm || field.perm === 'silent';

// All fields of the record after this write.
function check(ctx, object, given, existing) {
	const { dialect } = ctx;
	if (!given || typeof given !== 'object' || Array.isArray(given)) throw errors.parser('The HTTP entity body is required to be a JSON object');
	const values = { ...(existing ? existing.props : {}) };
	const denied = [], written = new Set();
	for (const [name, raw] of Object.entries(given)) {
		if (name === 'attributes') continue;
		const field = dialect.field(object, name);
		if (!field || field.perm === 'hidden') {
			const rel = dialect.relationship(object, name);
			if (rel && raw && typeof raw === 'object') { values[rel.name] = byExternalId(dialect, rel, raw); written.add(rel.name); continue; }
			throw errors.noColumn(object, name);
		}
		if (field.perm === 'silent') continue;
		if (field.perm === 'forbidden' || field.readonly || (existing && field.noUpdate && raw !== existing.props[field.name])) { denied.push(field.name); continue; }
		const v = normalize(dialect, object, field, raw);
		if (v === undefined) delete values[field.name];
		else values[field.name] = v;
		written.add(field.name);
	}
	if (denied.length) throw errors.readOnly(denied);
	if (!existing) for (const f of dialect.schema.fields(object).values()) if (f.default !== undefined && values[f.name] === undefined) values[f.name] = f.default === '@me' ? dialect.me : f.default;
	const absent = [];
	for (const f of dialect.schema.fields(object).values()) if (f.required && !f.readonly && (values[f.name] === undefined || values[f.name] === '')) absent.push(f.name);
	if (absent.length) throw errors.missing(absent);
	integrity(object, values, written);

	const refused = ctx.writer.rejection(object, existing ? 'update' : 'create', values);
	if (refused) throw errors.fail(refused.status, refused.code || 'FIELD_CUSTOM_VALIDATION_EXCEPTION', refused.message, refused.field ? [refused.field] : []);
	for (const property of dialect.store.table(object).unique.keys()) {
		const other = dialect.store.findUnique(object, property, values[property]);
		if (other && (!existing || other.id !== existing.id)) throw errors.duplicateValue(property, other.id);
	}
	return values;
}

// Rules between fields of activities.
function integrity(object, v, written) {
	if ((object === 'Task' || object === 'Event') && v.WhatId && v.WhoId && ids.objectOf(v.WhoId) === 'Lead') {
		throw errors.fail(400, 'FIELD_INTEGRITY_EXCEPTION', 'Related To ID: cannot specify Related To when Name is a Lead', ['WhatId']);
	}
	if (object !== 'Event') return;
	if (v.StartDateTime === undefined) v.StartDateTime = v.ActivityDateTime;
	if (written.has('ActivityDateTime') && !written.has('StartDateTime')) v.StartDateTime = v.ActivityDateTime;
	if (v.StartDateTime === undefined && v.ActivityDate === undefined) throw errors.missing(['StartDateTime']);
	if (v.StartDateTime === undefined) return;
	const start = parseDateTime(v.StartDateTime);
	v.ActivityDateTime = v.StartDateTime;
	v.ActivityDate = v.StartDateTime.slice(0, 10);
	if (v.EndDateTime !== undefined && v.DurationInMinutes !== undefined && written.has('EndDateTime') && written.has('DurationInMinutes') && start + v.DurationInMinutes * 60000 !== parseDateTime(v.EndDateTime)) {
		throw errors.fail(400, 'FIELD_INTEGRITY_EXCEPTION', 'Duration: Event duration and end date must agree', ['DurationInMinutes']);
	}
	if (written.has('EndDateTime') || v.DurationInMinutes === undefined) {
		if (v.EndDateTime === undefined) throw errors.missing(['EndDateTime']);
		v.DurationInMinutes = Math.round((parseDateTime(v.EndDateTime) - start) / 60000);
	} else v.EndDateTime = stamp(start + v.DurationInMinutes * 60000);
	if (v.DurationInMinutes < 0) throw errors.fail(400, 'FIELD_INTEGRITY_EXCEPTION', 'End: Event end date must be after its start', ['EndDateTime']);
}

// The standard duplicate rule for contacts and leads: same e-mail, or same name and phone.
function duplicates(ctx, object, values, existing) {
	const { dialect } = ctx;
	const mode = dialect.config.duplicate_rule;
	if (mode === 'off' || (object !== 'Contact' && object !== 'Lead')) return;
	if (mode === 'alert' && /allowSave\s*=\s*true/i.test(ctx.headers['sforce-duplicate-rule-header'] || '')) return;
	const same = (a, b) => a !== undefined && b !== undefined && String(a).toLowerCase() === String(b).toLowerCase();
	const digits = v => String(v || '').replace(/\D/g, '').slice(-10);
	const hits = [];
	for (const r of dialect.store.all(object)) {
		if (existing && r.id === existing.id) continue;
		const p = r.props;
		if (same(p.Email, values.Email) || (same(p.LastName, values.LastName) && same(p.FirstName, values.FirstName) && digits(p.Phone) !== '' && digits(p.Phone) === digits(values.Phone))) hits.push(r);
	}
	if (!hits.length) return;
	const rule = `Standard_${object}_Duplicate_Rule`;
	throw errors.fail(400, 'DUPLICATES_DETECTED', 'Use one of these records?', [], { duplicateResult: { allowSave: mode === 'alert', duplicateRule: rule, duplicateRuleEntityType: object, errorMessage: 'Use one of these records?',
		matchResults: [{ entityType: object, errors: [], matchEngine: 'FuzzyMatchEngine', rule, size: hits.length, success: true,
			matchRecords: hits.map(r => ({ additionalInformation: [], fieldDiffs: [], matchConfidence: 100, record: { attributes: { type: object, url: `/services/data/v60.0/sobjects/${object}/${r.id}` }, Id: r.id } })) }] } });
}

/* ---- fields that Salesforce computes ---- */
function computed(object, r, name) {
	const p = r.props;
	switch (name) {
	case 'Id': return r.id;
	case 'IsDeleted': return r.archived;
	case 'CreatedDate': return stamp(Math.floor(r.createdAt / 1000) * 1000);
	case 'LastModifiedDate':
	case 'SystemModstamp': return stamp(Math.floor(r.updatedAt / 1000) * 1000);
	case 'Name':
		if (p.Name !== undefined) return p.Name;
		return p.LastName !== undefined ? [p.FirstName, p.LastName].filter(Boolean).join(' ') : null;
	case 'IsClosed': return object === 'Task' ? p.Status === 'Completed' : /^Closed/.test(p.Status || p.StageName || '');
	case 'IsWon': return p.StageName === 'Closed Won';
	case 'IsHighPriority': return p.Priority === 'High';
	case 'CompletedDateTime': return p.Status === 'Completed' ? stamp(Math.floor(r.updatedAt / 1000) * 1000) : null;
	case 'ClosedDate': return p.Status === 'Closed' ? stamp(Math.floor(r.updatedAt / 1000) * 1000) : null;
	default: return undefined;
	}
}
function valueOf(object, r, name) {
	const v = r.props[name];
	if (v !== undefined) return v;
	const c = computed(object, r, name);
	return c === undefined ? null : c;
}
module.exports = { visible, check, duplicates, normalize, valueOf, stamp, parseDateTime, realDate };
