'use strict';
// Checks and rewrites values of Pipedrive entities. Custom fields live flat in the stored properties
// (their 40-hex code is their name) and are shown nested where v2 shows them nested.
const errors = require('./errors');

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const realDate = v => DATE.test(v) && !Number.isNaN(Date.parse(v)) && new Date(v + 'T00:00:00Z').toISOString().slice(0, 10) === v;

function bad(field, what) { return errors.invalid(`${field.name}: ${what}`); }

function link(dialect, field, object, raw) {
	const id = typeof raw === 'number' ? raw : /^\d+$/.test(raw) ? Number(raw) : NaN;
	if (!Number.isInteger(id)) throw bad(field, `Expected number, received ${typeof raw}`);
	if (!dialect.store.get(object, id)) throw errors.fail(400, `${field.label} is not found or not accessible: ${id}`);
	return id;
}

// Lists of {value, primary, label}: they replace what was there as a whole.
function channel(field, raw) {
	if (!Array.isArray(raw)) throw bad(field, `Expected array, received ${typeof raw}`);
	const list = raw.map((x, i) => {
		if (!x || typeof x !== 'object' || typeof x.value !== 'string') throw bad(field, `${i}.value: Expected string`);
		if (x.primary !== undefined && typeof x.primary !== 'boolean') throw bad(field, `${i}.primary: Expected boolean, received ${typeof x.primary}`);
		return { value: x.value.trim(), primary: x.primary === true, label: x.label || 'work' };
	}).filter(x => x.value !== '');
	if (list.length && !list.some(x => x.primary)) list[0].primary = true;
	let first = true;
	for (const x of list) { if (x.primary && !first) x.primary = false; if (x.primary) first = false; }
	return list;
}

// HH:MM or HH:MM:SS; durations may exceed a day.
function clock(field, raw, isDuration) {
	const m = typeof raw === 'string' && /^(\d{1,3}):(\d{2})(?::(\d{2}))?$/.exec(raw.trim());
	if (!m || Number(m[2]) > 59 || (m[3] && Number(m[3]) > 59) || (!isDuration && Number(m[1]) > 23)) throw bad(field, `Invalid time "${raw}", expected HH:MM`);
	return `${m[1].padStart(2, '0')}:${m[2]}:${m[3] || '00'}`;
}

function callTime(field, raw) {
	const t = typeof raw === 'string' ? raw.trim() : '';
	const m = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:?\d{2})?$/.exec(t);
	if (!m || !realDate(m[1])) throw errors.parameter(`"${field.name}" must be a valid date in the format YYYY-MM-DD HH:MM:SS`);
	const zone = !m[4] || m[4] === 'Z' ? 'Z' : m[4];
	return new Date(`${m[1]}T${m[2]}${m[3] || ''}${zone}`).toISOString();
}

function normalize(dialect, field, raw) {
	if (raw === null) return undefined;
	switch (field.type) {
	case 'varchar': case 'varchar_auto': case 'text': case 'string': case 'phone': {
		let v = raw;
		if (typeof v === 'number' && field.custom) v = String(v);
		if (typeof v !== 'string') throw bad(field, `Expected string, received ${Array.isArray(v) ? 'array' : typeof v}`);
		if (field.type !== 'text') v = v.trim();
		const max = field.max || (field.type === 'text' ? 65535 : 255);
		if (v.length > max) throw bad(field, `String must contain at most ${max} character(s)`);
		return v === '' && !field.required ? undefined : v;
	}
	case 'int': case 'double': case 'flag': {
		const n = typeof raw === 'number' ? raw : field.custom && /^-?\d+(\.\d+)?$/.test(raw) ? Number(raw) : NaN;
		if (Number.isNaN(n) || (field.type !== 'double' && !Number.isInteger(n))) throw bad(field, `Expected number, received ${typeof raw}`);
		return n;
	}
	case 'boolean':
		if (typeof raw !== 'boolean') throw errors.fail(422, `Validation failed: ${field.name}: Expected boolean, received ${typeof raw}`, { code: 'ERR_SCHEMA_VALIDATION_FAILED' });
		return raw;
	case 'date':
		if (typeof raw !== 'string' || !realDate(raw)) throw bad(field, `Invalid date "${raw}", expected YYYY-MM-DD`);
		return raw;
	case 'time': return clock(field, raw, field.name === 'duration');
	case 'calltime': return callTime(field, raw);
	case 'enum': {
		const id = Number(raw);
		if (!field.options.some(o => o.value === id)) throw bad(field, `Invalid option ${JSON.stringify(raw)}, expected the id of an option`);
		return id;
	}
	case 'set': {
		if (!Array.isArray(raw)) throw bad(field, `Expected array, received ${typeof raw}`);
		if (field.options) for (const x of raw) if (!field.options.some(o => o.value === Number(x))) throw bad(field, `Invalid option ${JSON.stringify(x)}`);
		return raw.map(Number);
	}
	case 'list':
		if (!Array.isArray(raw)) throw bad(field, `Expected array, received ${typeof raw}`);
		return raw;
	case 'enum_text': case 'status':
		if (!field.options.some(o => o.value === raw)) throw field.type === 'status' ? bad(field, `Invalid enum value. Expected ${field.options.map(o => `'${o.value}'`).join(' | ')}, received '${raw}'`)
			: errors.parameter(`"${field.name}" must be one of [${field.options.map(o => o.value).join(', ')}].`);
		return raw;
	case 'monetary':
		if (typeof raw !== 'object' || typeof raw.amount !== 'number' || typeof raw.currency !== 'string') throw bad(field, 'amount (number) and currency (string) are needed');
		return { amount: raw.amount, currency: raw.currency };
	case 'location': case 'address': return typeof raw === 'string' ? { value: raw } : { value: String(raw.value ?? '') };
	case 'emails': case 'phones': return channel(field, raw);
	case 'activity_type':
		if (!dialect.activityTypes.some(t => t.key_string === raw && t.active_flag)) throw bad(field, `Activity type "${raw}" does not exist or is inactive`);
		return raw;
	case 'participants':
		if (!Array.isArray(raw)) throw bad(field, `Expected array, received ${typeof raw}`);
		return raw.map(p => ({ person_id: link(dialect, { ...field, name: 'participants.person_id', label: 'Person' }, 'persons', p.person_id), primary: p.primary === true }));
	case 'attendees':
		if (!Array.isArray(raw)) throw bad(field, `Expected array, received ${typeof raw}`);
		return raw;
	case 'user': {
		const id = Number(raw);
		if (!dialect.users.some(u => u.id === id)) throw errors.fail(400, `User ${raw} does not exist`);
		return id;
	}
	case 'pipeline':
		if (!dialect.pipelines.some(p => p.id === raw)) throw errors.fail(400, `Pipeline ${raw} does not exist`);
		return raw;
	case 'stage':
		if (!dialect.stages.some(x => x.id === raw)) throw errors.fail(400, `Stage ${raw} does not exist`);
		return raw;
	case 'people': return link(dialect, field, 'persons', raw);
	case 'org': return link(dialect, field, 'organizations', raw);
	case 'deal': return link(dialect, field, 'deals', raw);
	case 'activity': return link(dialect, field, 'activities', raw);
	case 'lead':
		if (!dialect.store.get('leads', raw)) throw errors.fail(400, `Lead ${raw} was not found`);
		return raw;
	case 'datetime': return raw;
	default: throw new Error(`no such type ${field.type}`);
	}
}

// Flat properties after a write. given: the body; nested: where custom fields come as an object (v2).
function check(ctx, object, given, existing, nested) {
	const { dialect } = ctx;
	if (!given || typeof given !== 'object' || Array.isArray(given)) throw errors.invalid('body: Expected object');
	const values = { ...(existing ? existing.props : {}) };
	const flat = { ...given };
	if (nested) {
		delete flat.custom_fields;
		for (const [k, v] of Object.entries(given.custom_fields || {})) flat['custom:' + k] = v;
	}
	const forbidden = [];
	for (let [name, raw] of Object.entries(flat)) {
		let field;
		if (name.startsWith('custom:')) {
			name = name.slice(7);
			field = dialect.schema.field(object, name);
			if (field && !field.custom) field = undefined;
		} else {
			field = dialect.schema.field(object, name);
			if (field && field.custom && nested) field = undefined;   // v2 wants them under custom_fields
		}
		if (!field || field.readonly) {
			// What v2 does not know it drops without a word; so are the keys of v1 ("phone", "email").
			if (dialect.config.unknown_keys === 'reject') throw errors.invalid(`${name}: Unrecognized key`);
			continue;
		}
		if (field.perm === 'silent') continue;
		if (field.perm === 'forbidden') { forbidden.push(name); continue; }
		const v = normalize(dialect, field, raw);
		if (v === undefined) delete values[name];
		else values[name] = v;
	}
	if (forbidden.length) throw errors.fail(403, `You do not have permission to edit the field ${forbidden.join(', ')}`, { code: 'ERR_FORBIDDEN' });
	for (const f of dialect.schema.fields(object).values()) {
		if (!f.required || (values[f.name] !== undefined && values[f.name] !== '')) continue;
		throw object === 'callLogs' || object === 'leads' || object === 'notes' ? errors.parameter(`"${f.name}" is required.`) : errors.invalid(`${f.name}: Required`);
	}
	const refused = ctx.writer.rejection(object, existing ? 'update' : 'create', values);
	if (refused) throw errors.fail(refused.status, refused.message, refused.code ? { code: refused.code } : {});
	return values;
}

const time = ms => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');
module.exports = { check, time, realDate };
