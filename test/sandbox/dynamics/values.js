'use strict';
// Checks and rewrites column values as Dataverse does: JSON types are strict, too long is an error,
// option sets are integers, what is required by the application is not enforced.
const errors = require('./errors');
const { reference } = require('./keys');

const EDM = { string: 'Edm.String', memo: 'Edm.String', integer: 'Edm.Int32', bigint: 'Edm.Int64', decimal: 'Edm.Decimal', boolean: 'Edm.Boolean', datetime: 'Edm.DateTimeOffset', date: 'Edm.Date', picklist: 'Edm.Int32', state: 'Edm.Int32', status: 'Edm.Int32', uniqueidentifier: 'Edm.Guid', lookup: 'Edm.Guid' };
const realDate = v => /^\d{4}-\d{2}-\d{2}$/.test(v) && !Number.isNaN(Date.parse(v)) && new Date(v + 'T00:00:00Z').toISOString().slice(0, 10) === v;

function normalize(dialect, set, field, raw) {
	const { logical } = dialect.entity(set);
	const wrong = () => errors.wrongType(set, raw, EDM[field.type]);
	switch (field.type) {
	case 'string': case 'memo':
		if (typeof raw !== 'string') throw wrong();
		if (raw.length > field.max) throw errors.fail(400, '0x80044331', `A validation error occurred.  The length of the '${field.name}' attribute of the '${logical}' entity exceeded the maximum allowed length of '${field.max}'.`);
		return raw === '' ? undefined : raw;
	case 'integer':
		if (!Number.isInteger(raw)) throw wrong();
		return raw;
	case 'decimal':
		if (typeof raw !== 'number') throw wrong();
		return Math.round(raw * 10000) / 10000;
	case 'boolean':
		if (typeof raw !== 'boolean') throw wrong();
		return raw;
	case 'date':
		if (typeof raw !== 'string' || !realDate(raw)) throw wrong();
		return raw;
	case 'datetime': {
		const m = typeof raw === 'string' && /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.exec(raw);
		if (!m || !realDate(m[1]) || Number.isNaN(Date.parse(raw))) throw wrong();
		return new Date(Date.parse(raw)).toISOString().replace(/\.\d+Z$/, 'Z');
	}
	case 'picklist': case 'state': case 'status':
		if (!Number.isInteger(raw)) throw wrong();
		if (!field.options.some(o => o.value === raw)) throw errors.fail(400, '0x8004431a', `A validation error occurred. The value '${raw}' of '${field.name}' on record of type '${logical}' is outside the valid range. Accepted Values: ${field.options.map(o => o.value).join(',')}`);
		return raw;
	default: throw wrong();
	}
}

// What a property name of a body means: {field} a column, {field, target} a lookup by its navigation property.
function resolve(dialect, set, name) {
	const field = dialect.schema.field(set, name);
	if (field && field.type !== 'lookup') return { field };
	for (const f of dialect.schema.fields(set).values()) {
		if (f.type !== 'lookup') continue;
		for (const [logical, nav] of Object.entries(f.targets)) if (nav === name) return { field: f, target: logical, nav };
	}
	return null;
}

function parties(ctx, list) {
	if (!Array.isArray(list)) throw errors.invalidArgument('activity parties must be a list');
	return list.map(p => {
		const out = { participationtypemask: p.participationtypemask };
		if (!Number.isInteger(p.participationtypemask) || p.participationtypemask < 1 || p.participationtypemask > 12) throw errors.wrongType('activityparties', p.participationtypemask, 'Edm.Int32');
		for (const [k, v] of Object.entries(p)) {
			if (k === 'participationtypemask' || k === '@odata.type') continue;
			if (k === 'addressused') { out.addressused = v; continue; }
			const m = /^partyid_(contact|lead|account|systemuser)@odata\.bind$/.exec(k);
			if (!m) throw errors.undeclared('activityparties', 'activityparty', k);
			const { set, row } = reference(ctx.dialect, v, ctx.refs);
			if (ctx.dialect.entity(set).logical !== m[1]) throw errors.invalidArgument(`partyid_${m[1]} cannot name a ${ctx.dialect.entity(set).logical}`);
			out.party = { logical: m[1], id: row.id };
		}
		return out;
	});
}

// All columns after the write. given: the JSON body; keyValues: what the address sets on creation.
function check(ctx, set, given, existing, keyValues) {
	const { dialect } = ctx, entity = dialect.entity(set);
	if (!given || typeof given !== 'object' || Array.isArray(given)) throw errors.fail(400, '0x80048d19', 'Error identified in Payload provided by the user: the payload must be an object');
	const values = { ...(existing ? existing.props : keyValues || {}) };
	const writes = [];
	for (let [name, raw] of Object.entries(given)) {
		if (name.startsWith('@odata') || name === entity.key) continue;
		const bind = name.endsWith('@odata.bind');
		if (bind) name = name.slice(0, -11);
		else if (name.includes('@')) continue;
		if (name === entity.parties) { values.$parties = parties(ctx, raw); continue; }
		const is = resolve(dialect, set, name);
		if (!is || (bind && !is.target)) throw errors.undeclared(set, entity.logical, bind ? `${name}@odata.bind` : name);
		const { field } = is;
		if (field.perm === 'forbidden') throw errors.fail(403, '0x8004f507', `Caller user does not have Secured Field Write permission for attribute ${field.name} of ${entity.logical}`);
		if (field.readonly || field.perm === 'silent') continue;   // not valid for create or update: ignored without a word
		writes.push(field.name);
		if (raw === null) { delete values[field.name]; continue; }
		if (is.target) {
			if (!bind) throw errors.fail(400, '0x80048d19', `CRM do not support direct update of Entity Reference properties, Use Navigation properties instead.`);
			const to = reference(dialect, raw, ctx.refs);
			const logical = dialect.entity(to.set).logical;
			if (field.targets[logical] !== name) throw errors.invalidArgument(`Entity type '${logical}' is not valid for ${name}`);
			values[field.name] = { id: to.row.id, logical };
			continue;
		}
		const v = normalize(dialect, set, field, raw);
		if (v === undefined) delete values[field.name]; else values[field.name] = v;
	}
	if (!existing) {
		for (const f of dialect.schema.fields(set).values()) if (f.default === '@me' && values[f.name] === undefined) values[f.name] = { id: dialect.me, logical: 'systemuser' };
	}
	states(dialect, set, values, existing, writes, ctx.closing);
	for (const f of dialect.schema.fields(set).values()) {
		const needed = (entity.systemRequired || []).includes(f.name) || f.required;
		if (needed && values[f.name] === undefined) throw errors.invalidArgument(f.name === 'customerid' ? 'You should specify a parent contact or account.' : `Required field '${f.name}' of '${entity.logical}' is missing`);
	}
	const refused = ctx.writer.rejection(set, existing ? 'update' : 'create', values);
	if (refused) throw errors.fail(refused.status, refused.code || '0x80040203', refused.message);
	for (const property of dialect.store.table(set).unique.keys()) {
		const other = dialect.store.findUnique(set, property, values[property]);
		if (other && (!existing || other.id !== existing.id)) throw errors.fail(412, '0x80060892', `A record that has the attribute values ${dialect.schema.field(set, property).label} already exists. The entity key ${property} requires that this set of attributes contains unique values. Select unique values and try again.`);
	}
	return values;
}

// State and status reason belong together; a finished activity cannot be edited.
// Two states are only reached by an action.
const ACTION = { incidents: [[1, 'CloseIncidentRequest']], opportunities: [[1, 'WinOpportunityRequest'], [2, 'LoseOpportunityRequest']] };
function states(dialect, set, v, existing, writes, closing) {
	const entity = dialect.entity(set), state = dialect.schema.field(set, 'statecode'), status = dialect.schema.field(set, 'statuscode');
	if (!state) return;
	const was = existing ? existing.props.statecode ?? 0 : 0;
	if (entity.activity && existing && was !== 0 && was !== 3 && writes.some(w => w !== 'statecode' && w !== 'statuscode')) throw errors.fail(400, '0x80040203', `This ${entity.logical} is completed or canceled and cannot be edited.`);
	if (!existing && !writes.includes('statecode')) v.statecode = set === 'appointments' && writes.includes('statuscode') ? v.statecode : state.options[0].value;
	if (v.statecode === undefined) v.statecode = (status.options.find(o => o.value === v.statuscode) || status.options[0]).state;
	if (!writes.includes('statuscode') && (v.statuscode === undefined || writes.includes('statecode'))) v.statuscode = status.options.find(o => o.state === v.statecode).value;
	if (writes.includes('statuscode') && !writes.includes('statecode') && existing && status.options.find(o => o.value === v.statuscode).state !== v.statecode) v.statecode = status.options.find(o => o.value === v.statuscode).state;
	const action = existing && !closing && v.statecode !== was && (ACTION[set] || []).find(([to]) => to === v.statecode);
	if (action) throw errors.invalidArgument(`This message can not be used to set the state of ${entity.logical} to ${state.options.find(o => o.value === v.statecode).label}. In order to set state of ${entity.logical} to ${state.options.find(o => o.value === v.statecode).label}, use the ${action[1]} message instead.`);
	if (!status.options.some(o => o.value === v.statuscode && o.state === v.statecode)) throw errors.fail(400, '0x80048408', `${v.statuscode} is not a valid status code for state code ${entity.logical}State.${state.options.find(o => o.value === v.statecode).label}`);
}

// Duplicate detection, only when the caller asks for it.
function duplicates(ctx, set, values, existing) {
	if (!/^false$/i.test(ctx.headers['mscrm.suppressduplicatedetection'] || '') || !['contacts', 'leads', 'accounts'].includes(set)) return;
	const key = set === 'accounts' ? 'name' : 'emailaddress1';
	if (values[key] === undefined) return;
	for (const r of ctx.dialect.store.all(set)) {
		if ((existing && r.id === existing.id) || r.props[key] === undefined || r.props[key].toLowerCase() !== values[key].toLowerCase()) continue;
		throw errors.fail(ctx.dialect.config.duplicate_status, '0x80040333', 'A record was not created or updated because a duplicate of the current record already exists.');
	}
}
module.exports = { check, duplicates, resolve, EDM, realDate };
