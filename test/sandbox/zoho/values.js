'use strict';
// Checks and rewrites field values as Zoho CRM does. Unknown api names vanish without a word; custom
// pick lists take any value; date-times must say their offset and come back in the org's zone.
const errors = require('./errors');

const EMAIL = /^[A-Za-z0-9._%+'-]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,}$/;
const DATETIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})([+-]\d{2}:\d{2})$/;
const realDate = v => /^\d{4}-\d{2}-\d{2}$/.test(v) && !Number.isNaN(Date.parse(v)) && new Date(v + 'T00:00:00Z').toISOString().slice(0, 10) === v;

// A moment in the org's zone, to the second, as Zoho shows it.
function show(ms, offsetMin) {
	const sign = offsetMin < 0 ? '-' : '+', a = Math.abs(offsetMin), pad = n => String(n).padStart(2, '0');
	return new Date(Math.floor(ms / 1000) * 1000 + offsetMin * 60000).toISOString().slice(0, 19) + `${sign}${pad(Math.floor(a / 60))}:${pad(a % 60)}`;
}
function parse(v) {
	const m = typeof v === 'string' ? DATETIME.exec(v.trim()) : null;
	return m && realDate(m[1]) && Number(m[2]) < 24 && Number(m[3]) < 60 && Number(m[4]) < 60 ? Date.parse(v.trim()) : NaN;
}
const idOf = raw => (raw && typeof raw === 'object' ? raw.id : raw);

function lookup(dialect, module, field, raw, path) {
	const id = idOf(raw);
	const r = typeof id === 'string' && /^\d+$/.test(id) ? dialect.store.get(module, id) : undefined;
	if (!r) throw errors.fail(400, 'INVALID_DATA', 'the id given seems to be invalid', { api_name: field.name, json_path: `${path}.${raw && typeof raw === 'object' ? `${field.name}.id` : field.name}` });
	return { id: r.id };
}

function normalize(ctx, field, raw, path, given) {
	const { dialect } = ctx;
	const at = `${path}.${field.name}`;
	const wrong = expected => errors.invalid(field.name, at, expected && { expected_data_type: expected });
	const text = () => {
		if (typeof raw !== 'string') throw wrong('string');
		const t = field.type === 'textarea' ? raw : raw.trim();
		if (field.max && t.length > field.max) throw errors.invalid(field.name, at, { maximum_length: field.max });
		return t;
	};
	switch (field.type) {
	case 'text': case 'textarea': return text() || undefined;
	case 'website': { const t = text(); if (t && !/^(https?:\/\/)?[^\s.]+\.[^\s]+$/.test(t)) throw wrong('website'); return t || undefined; }
	case 'email': { const t = text(); if (!t) return undefined; if (!EMAIL.test(t)) throw wrong('email'); return t.toLowerCase(); }
	case 'phone': { const t = text(); if (!t) return undefined; if (!/^[+(]?[0-9A-Za-z(][0-9A-Za-z()\-. /;=]*$/.test(t) || !/\d/.test(t)) throw wrong('phone'); return t; }
	case 'picklist': {
		const t = text();
		if (!t) return undefined;
		if (field.strict && !field.options.some(o => o.value === t)) throw wrong('picklist');
		return t;
	}
	case 'integer': if (!Number.isInteger(raw)) throw wrong('integer'); return raw;
	case 'currency': case 'double': if (typeof raw !== 'number' || !Number.isFinite(raw)) throw wrong('double'); return field.type === 'currency' ? Math.round(raw * 100) / 100 : raw;
	case 'boolean': if (typeof raw !== 'boolean') throw wrong('boolean'); return raw;
	case 'date': if (typeof raw !== 'string' || !realDate(raw.trim())) throw wrong('date'); return raw.trim();
	case 'datetime': {
		let v = raw;
		if (dialect.config.accept_z && typeof v === 'string') v = v.replace(/Z$/, '+00:00');
		const ms = parse(v);
		if (Number.isNaN(ms)) throw wrong('datetime');
		return show(ms, dialect.config.utc_offset_min);
	}
	// minutes and seconds
	case 'call_duration': {
		const m = typeof raw === 'string' && /^(\d{1,5}):([0-5]\d)$/.exec(raw.trim());
		if (!m) throw wrong('call_duration');
		return `${m[1].padStart(2, '0')}:${m[2]}`;
	}
	case 'ownerlookup': {
		const id = String(idOf(raw) ?? '');
		const u = dialect.users.find(x => x.id === id);
		if (!u) throw errors.fail(400, 'INVALID_DATA', 'the id given seems to be invalid', { api_name: field.name, json_path: `${at}.id` });
		return { id: u.id };
	}
	case 'lookup': return lookup(dialect, field.module, field, raw, path);
	case 'multi_module_lookup': {
		const module = given.$se_module;
		if (!module) throw errors.fail(400, 'DEPENDENT_FIELD_MISSING', 'Dependent Fields missing', { api_name: '$se_module', json_path: `${path}.$se_module`, dependee: { api_name: field.name, json_path: at } });
		if (!field.modules.includes(module)) throw errors.fail(400, 'INVALID_DATA', 'invalid data', { api_name: '$se_module', json_path: `${path}.$se_module` });
		return lookup(dialect, module, field, raw, path);
	}
	case 'module_name': if (typeof raw !== 'string' || !dialect.schema.fields(raw)) throw wrong('text'); return raw;
	case 'parent': {
		const module = raw && raw.module && (raw.module.api_name || raw.module);
		if (!module || !dialect.schema.fields(module)) throw errors.fail(400, 'DEPENDENT_FIELD_MISSING', 'Dependent Fields missing', { api_name: 'module', json_path: `${at}.module` });
		return { ...lookup(dialect, module, field, raw, path), module: { api_name: module } };
	}
	case 'participants':
		if (!Array.isArray(raw)) throw wrong('jsonarray');
		raw.forEach((p, i) => {
			if (!p || !['email', 'contact', 'lead', 'user'].includes(p.type) || !p.participant) throw errors.fail(400, 'INVALID_DATA', 'invalid data', { api_name: 'Participants', json_path: `${at}[${i}]` });
			if (p.type === 'email' && !EMAIL.test(p.participant)) throw errors.fail(400, 'INVALID_DATA', 'invalid data', { expected_data_type: 'email', api_name: 'participant', json_path: `${at}[${i}].participant` });
		});
		return raw;
	case 'json': return raw;
	default: throw new Error('no such type ' + field.type);
	}
}

// All fields after the write.
function check(ctx, module, given, existing, path) {
	const { dialect } = ctx;
	if (!given || typeof given !== 'object' || Array.isArray(given)) throw errors.fail(400, 'INVALID_DATA', 'body', { expected_data_type: 'jsonobject', json_path: path });
	const values = { ...(existing ? existing.props : {}) };
	const forbidden = [];
	for (const [name, raw] of Object.entries(given)) {
		const field = dialect.schema.field(module, name);
		if (!field || field.readonly || name === 'id') continue;   // silently: what Zoho does not know it drops
		if (field.perm === 'silent') continue;
		if (field.perm === 'forbidden') { forbidden.push(name); continue; }
		if (raw === null || raw === '') { delete values[name]; continue; }
		const v = normalize(ctx, field, raw, path, given);
		if (v === undefined) delete values[name];
		else values[name] = v;
	}
	if (forbidden.length) throw errors.fail(403, 'NO_PERMISSION', 'permission denied', { permissions: [`Crm_Implied_Edit_${module}`], api_name: forbidden[0], json_path: `${path}.${forbidden[0]}` });
	if (!existing) for (const f of dialect.schema.fields(module).values()) if (f.default !== undefined && values[f.name] === undefined) values[f.name] = f.default;
	for (const f of dialect.schema.fields(module).values()) if ((f.mandatory || f.required) && values[f.name] === undefined) throw errors.mandatory(f.name, `${path}.${f.name}`);
	relations(module, values, given, path);
	if (values.Owner === undefined) values.Owner = { id: dialect.users[0].id };
	const refused = ctx.writer.rejection(module, existing ? 'update' : 'create', values);
	if (refused) throw errors.fail(refused.status, refused.code || 'INVALID_DATA', refused.message, refused.field ? { ...(refused.expected ? { expected_data_type: refused.expected } : {}), api_name: refused.field, json_path: `${path}.${refused.field}` } : {});
	unique(dialect, module, values, existing, path, []);
	return values;
}
function relations(module, v, given, path) {
	if (module === 'Events' && v.Start_DateTime && v.End_DateTime && parse(v.End_DateTime) < parse(v.Start_DateTime)) throw errors.invalid('End_DateTime', `${path}.End_DateTime`);
	if (module !== 'Calls') return;
	// the two forms of the duration follow each other
	if (given.Call_Duration !== undefined && v.Call_Duration) { const [m, s] = v.Call_Duration.split(':'); v.Call_Duration_in_seconds = Number(m) * 60 + Number(s); }
	else if (v.Call_Duration_in_seconds !== undefined) v.Call_Duration = `${String(Math.floor(v.Call_Duration_in_seconds / 60)).padStart(2, '0')}:${String(v.Call_Duration_in_seconds % 60).padStart(2, '0')}`;
}
const keyOf = v => String(v && typeof v === 'object' ? v.id : v).trim().toLowerCase();
function duplicate(dialect, module, property, other, path) {
	const owner = dialect.users.find(u => u.id === (other.props.Owner || {}).id) || dialect.users[0];
	return errors.fail(400, 'DUPLICATE_DATA', 'duplicate data', { api_name: property, json_path: `${path}.${property}`, id: other.id, duplicate_record: { id: other.id, Owner: { id: owner.id, name: owner.full_name }, module: { api_name: module } } });
}
// Unique fields, and what the caller wants checked besides (insert with duplicate_check_fields).
function unique(dialect, module, values, existing, path, more) {
	for (const property of dialect.store.table(module).unique.keys()) {
		const other = dialect.store.findUnique(module, property, values[property]);
		if (other && (!existing || other.id !== existing.id)) throw duplicate(dialect, module, property, other, path);
	}
	for (const property of more) {
		if (values[property] === undefined) continue;
		for (const r of dialect.store.all(module)) if (r.props[property] !== undefined && keyOf(r.props[property]) === keyOf(values[property]) && (!existing || r.id !== existing.id)) throw duplicate(dialect, module, property, r, path);
	}
}
module.exports = { check, unique, keyOf, show, parse, realDate };
