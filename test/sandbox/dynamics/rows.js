'use strict';
// Create, update, upsert, read, delete, query, $ref, bulk actions.
const crypto = require('crypto');
const errors = require('./errors');
const keys = require('./keys');
const values = require('./values');
const filter = require('./filter');

const root = ctx => `${ctx.base}/api/data/v${ctx.params.ver}/`;
const prefers = (ctx, what) => (ctx.headers.prefer || '').split(',').map(s => s.trim().toLowerCase()).some(p => p.startsWith(what));

/* ---- showing rows ---- */

function selected(dialect, set, text) {
	if (!text) return null;
	return text.split(',').map(s => s.trim()).filter(Boolean).map(n => filter.column(dialect, set, n));
}
// $expand=nav($select=a,b),nav2
function expansions(dialect, set, text) {
	if (!text) return [];
	const out = [];
	let rest = text;
	while (rest) {
		const m = /^(\w+)(?:\((?:\$select=([^)]*))?\))?(?:,|$)/.exec(rest);
		if (!m) throw errors.syntax(`The expand '${text}' is not valid.`);
		rest = rest.slice(m[0].length);
		const entity = dialect.entity(set);
		if (m[1] === entity.parties) { out.push({ nav: m[1], parties: true }); continue; }
		const is = values.resolve(dialect, set, m[1]);
		if (!is || !is.target) throw errors.noProperty(entity.logical, m[1]);
		out.push({ nav: m[1], field: is.field, targets: Object.entries(is.field.targets).filter(([, n]) => n === m[1]).map(([l]) => l), select: m[2] });
	}
	return out;
}
function show(ctx, set, r, select, expand = []) {
	const { dialect } = ctx, entity = dialect.entity(set);
	const out = { '@odata.etag': `W/"${r.seq}"` };
	const all = prefers(ctx, 'odata.include-annotations');
	for (const f of select || dialect.schema.fields(set).values()) {
		if (f.perm === 'forbidden') continue;
		const v = dialect.value(set, r, f.name);
		if (f.type === 'lookup') {
			out[`_${f.name}_value`] = v ? v.id : null;
			if (v && all) out[`_${f.name}_value@Microsoft.Dynamics.CRM.lookuplogicalname`] = v.logical;
		} else {
			out[f.name] = v ?? null;
			if (all && f.options && v !== undefined) out[`${f.name}@OData.Community.Display.V1.FormattedValue`] = (f.options.find(o => o.value === v) || {}).label;
		}
	}
	out[entity.key] = r.id;
	for (const e of expand) {
		if (e.parties) { out[e.nav] = (r.props.$parties || []).map(p => ({ participationtypemask: p.participationtypemask, _partyid_value: p.party ? p.party.id : null, addressused: p.addressused ?? null })); continue; }
		const v = r.props[e.field.name];
		const toSet = v && e.targets.includes(v.logical) ? dialect.setOf(v.logical) : null;
		const row = toSet && dialect.store.get(toSet, v.id);
		out[e.nav] = row ? show(ctx, toSet, row, selected(dialect, toSet, e.select)) : null;
	}
	return out;
}
const written = (ctx, set, r, status, id) => {
	const headers = { 'OData-Version': '4.0', 'OData-EntityId': `${root(ctx)}${set}(${id || r.id})` };
	if (!prefers(ctx, 'return=representation')) return { status: 204, headers };
	const select = selected(ctx.dialect, set, ctx.query.get('$select'));
	return { status, headers: { ...headers, 'Preference-Applied': 'return=representation' }, body: { '@odata.context': `${root(ctx)}$metadata#${set}/$entity`, ...show(ctx, set, r, select, expansions(ctx.dialect, set, ctx.query.get('$expand'))) } };
};

/* ---- single rows ---- */

function insert(ctx, set, given, id, keyValues) {
	const { dialect } = ctx, entity = dialect.entity(set);
	let guid = id;
	if (!guid && given[entity.key] !== undefined && given[entity.key] !== null) {
		if (!keys.GUID.test(String(given[entity.key]))) throw errors.wrongType(set, given[entity.key], 'Edm.Guid');
		guid = given[entity.key].toLowerCase();
	}
	if (guid && dialect.store.get(set, guid, true)) throw errors.fail(412, '0x80040237', 'Cannot insert duplicate key.');
	const props = values.check(ctx, set, given, null, keyValues);
	values.duplicates(ctx, set, props, null);
	return ctx.writer.create(set, guid || crypto.randomUUID(), props);
}
function change(ctx, set, r, given) {
	const props = values.check(ctx, set, given, r);
	values.duplicates(ctx, set, props, r);
	return ctx.writer.update(set, r.id, props);
}
function etag(ctx, r) {
	const m = ctx.headers['if-match'];
	if (m && m !== '*' && m !== `W/"${r.seq}"`) throw errors.fail(412, '0x80060882', 'The version of the existing record doesn\'t match the RowVersion property provided.');
}
// {record, created, echo}: PATCH creates what is not there unless If-Match says that it must be.
function upsert(ctx, set, key, given) {
	const { dialect } = ctx;
	if (!key.guid) for (const [k, v] of Object.entries(key.values)) if (given && given[k] !== undefined && given[k] !== v) throw errors.invalidArgument(`The key attribute ${k} in the body differs from the one in the address`);
	const found = keys.find(dialect, set, key);
	if (found) {
		if (ctx.headers['if-none-match'] === '*') throw errors.fail(412, '0x80060892', 'A record with matching key values already exists.');
		etag(ctx, found);
		return { record: change(ctx, set, found, given), created: false };
	}
	if (ctx.headers['if-match']) throw key.guid ? errors.notFound(dialect.entity(set).logical, key.guid) : errors.keyNotFound(dialect.entity(set).logical);
	return { record: insert(ctx, set, given, key.guid, key.values), created: true };
}

function create(ctx) {
	const set = this.needSet(ctx.params.set);
	return written(ctx, set, insert(ctx, set, this.body(ctx)), 201);
}
function update(ctx) {
	const set = this.needSet(ctx.params.set), key = keys.parseKey(ctx.params.key);
	const { record, created } = upsert(ctx, set, key, this.body(ctx));
	// addressed by key, the answer names the key again, not the id
	return written(ctx, set, record, created ? 201 : 200, key.guid ? null : ctx.params.key);
}
function read(ctx) {
	const set = this.needSet(ctx.params.set), r = keys.need(this, set, keys.parseKey(ctx.params.key));
	if (ctx.headers['if-none-match'] === `W/"${r.seq}"`) return { status: 304 };
	return { status: 200, headers: { 'OData-Version': '4.0' }, body: { '@odata.context': `${root(ctx)}$metadata#${set}/$entity`, ...show(ctx, set, r, selected(this, set, ctx.query.get('$select')), expansions(this, set, ctx.query.get('$expand'))) } };
}
function remove(ctx) {
	const set = this.needSet(ctx.params.set), r = keys.need(this, set, keys.parseKey(ctx.params.key));
	etag(ctx, r);
	ctx.writer.archive(set, r.id);
	return { status: 204 };
}

/* ---- queries and change tracking ---- */

const WEEK = 7 * 86400000;
function query(ctx) {
	const set = this.needSet(ctx.params.set), q = ctx.query;
	for (const k of q.keys()) if (k.startsWith('$') && !['$select', '$filter', '$orderby', '$top', '$count', '$expand', '$skiptoken', '$deltatoken'].includes(k)) throw errors.syntax(`The query parameter ${k} is not supported.`);
	const select = selected(this, set, q.get('$select')), expand = expansions(this, set, q.get('$expand'));
	const body = { '@odata.context': `${root(ctx)}$metadata#${set}` };
	const headers = { 'OData-Version': '4.0' };
	if (/globalmetadataversion|"\*"/.test(ctx.headers.prefer || '')) body['@Microsoft.Dynamics.CRM.globalmetadataversion'] = String(this.schema.version);
	const address = extra => { const u = new URLSearchParams(q); for (const [k, v] of Object.entries(extra)) u.set(k, v); return `${root(ctx)}${set}?${u}`; };

	if (q.get('$deltatoken')) {
		const m = /^(\d+)!(\d+)$/.exec(q.get('$deltatoken'));
		if (!m) throw errors.syntax('The delta token is not valid.');
		if (ctx.now - Number(m[2]) > WEEK) throw errors.fail(400, '0x80044352', 'The delta link has expired.');
		body['@odata.context'] += '/$delta';
		body.value = [...this.store.all(set, true)].filter(r => r.seq > Number(m[1])).sort((a, b) => a.seq - b.seq)
			.map(r => (r.archived ? { '@odata.context': `${root(ctx)}$metadata#${set}/$deletedEntity`, id: r.id, reason: 'deleted' } : show(ctx, set, r, select)));
		body['@odata.deltaLink'] = address({ $deltatoken: `${this.store.seq}!${ctx.now}` });
		return { status: 200, headers, body };
	}
	const track = prefers(ctx, 'odata.track-changes');
	if (track && ['$filter', '$orderby', '$expand', '$top'].some(k => q.get(k))) throw errors.fail(400, '0x80060888', 'Change tracking does not go with $filter, $orderby, $expand or $top.');

	const match = q.get('$filter') ? filter.compile(this, set, q.get('$filter')) : null;
	let rows = [...this.store.all(set)].filter(r => !match || match(r));
	if (q.get('$orderby')) rows.sort(filter.sorter(this, set, q.get('$orderby')));
	if (q.get('$count') === 'true') body['@odata.count'] = Math.min(rows.length, 5000);
	if (q.get('$top')) rows = rows.slice(0, Number(q.get('$top')));
	const m = /odata\.maxpagesize=(\d+)/i.exec(ctx.headers.prefer || '');
	const size = Math.min(m ? Number(m[1]) : 5000, 5000), from = Number(q.get('$skiptoken') || 0);
	body.value = rows.slice(from, from + size).map(r => show(ctx, set, r, select, expand));
	if (from + size < rows.length) body['@odata.nextLink'] = address({ $skiptoken: String(from + size) });
	else if (track) { body['@odata.deltaLink'] = address({ $deltatoken: `${this.store.seq}!${ctx.now}` }); headers['Preference-Applied'] = 'odata.track-changes'; }
	return { status: 200, headers, body };
}

/* ---- associations afterwards ---- */

// POST contacts(id)/Contact_Phonecalls/$ref {"@odata.id": ...}: the other side gets the lookup.
function addRef(ctx) {
	const set = this.needSet(ctx.params.set), r = keys.need(this, set, keys.parseKey(ctx.params.key)), entity = this.entity(set);
	const toSet = Object.keys(entity.nav || {}).find(k => entity.nav[k] === ctx.params.nav);
	if (!toSet) throw errors.noProperty(entity.logical, ctx.params.nav);
	const to = keys.reference(this, (this.body(ctx) || {})['@odata.id'], ctx.refs);
	if (to.set !== toSet) throw errors.invalidArgument(`${ctx.params.nav} holds ${toSet}`);
	ctx.writer.update(toSet, to.row.id, { ...to.row.props, regardingobjectid: { id: r.id, logical: entity.logical } });
	return { status: 204 };
}
// PUT phonecalls(id)/regardingobjectid_contact_phonecall/$ref; DELETE clears it.
function setRef(ctx) {
	const set = this.needSet(ctx.params.set), r = keys.need(this, set, keys.parseKey(ctx.params.key));
	const is = values.resolve(this, set, ctx.params.nav);
	if (!is || !is.target) throw errors.noProperty(this.entity(set).logical, ctx.params.nav);
	const props = { ...r.props };
	if (ctx.method === 'DELETE') delete props[is.field.name];
	else {
		const to = keys.reference(this, (this.body(ctx) || {})['@odata.id'], ctx.refs);
		props[is.field.name] = { id: to.row.id, logical: this.entity(to.set).logical };
	}
	ctx.writer.update(set, r.id, props);
	return { status: 204 };
}

/* ---- CreateMultiple, UpdateMultiple, UpsertMultiple: all or nothing ---- */

function multiple(ctx) {
	const set = this.needSet(ctx.params.set), entity = this.entity(set), { action } = ctx.params;
	const b = this.body(ctx);
	if (!b || !Array.isArray(b.Targets) || !b.Targets.length) throw errors.invalidArgument('Targets must be a list');
	const touched = ctx.entry.touched.length;
	this.store.begin();
	let out;
	try {
		out = b.Targets.map(given => {
			if (given['@odata.type'] !== `Microsoft.Dynamics.CRM.${entity.logical}`) throw errors.fail(400, '0x80048d19', `Error identified in Payload provided by the user: "@odata.type": "Microsoft.Dynamics.CRM.${entity.logical}" is needed for every target`);
			if (action === 'CreateMultiple') return { record: insert(ctx, set, given), created: true };
			const m = given['@odata.id'] && /\((.*)\)$/s.exec(given['@odata.id']);
			const key = m ? keys.parseKey(decodeURIComponent(m[1])) : given[entity.key] ? { guid: String(given[entity.key]).toLowerCase() } : null;
			if (!key) throw errors.invalidArgument(`${entity.key} or @odata.id is needed for every target`);
			if (action === 'UpdateMultiple') return { record: change(ctx, set, keys.need(this, set, key), given), created: false };
			return upsert(ctx, set, key, given);
		});
	} catch (e) {
		this.store.rollback();
		ctx.entry.touched.length = touched;
		throw e;
	}
	this.store.commit();
	if (action === 'CreateMultiple') return { status: 200, body: { '@odata.context': `${root(ctx)}$metadata#Microsoft.Dynamics.CRM.CreateMultipleResponse`, Ids: out.map(o => o.record.id) } };
	if (action === 'UpdateMultiple') return { status: 204 };
	return { status: 200, body: { '@odata.context': `${root(ctx)}$metadata#Microsoft.Dynamics.CRM.UpsertMultipleResponse`, Results: out.map(o => ({ RecordCreated: o.created, Target: { '@odata.type': `#Microsoft.Dynamics.CRM.${entity.logical}`, [entity.key]: o.record.id } })) } };
}

/* ---- actions that close: CloseIncident, WinOpportunity, LoseOpportunity ---- */

const CLOSING = { CloseIncident: ['incidents', 'IncidentResolution', 'incidentid', 1, 'incidentresolutions'], WinOpportunity: ['opportunities', 'OpportunityClose', 'opportunityid', 1, 'opportunitycloses'], LoseOpportunity: ['opportunities', 'OpportunityClose', 'opportunityid', 2, 'opportunitycloses'] };
// One transaction: the activity that says why, and the state of what it closes.
function close(ctx) {
	const [set, part, nav, state, activities] = CLOSING[ctx.params.action], b = this.body(ctx) || {};
	for (const k of Object.keys(b)) if (k !== part && k !== 'Status') throw errors.undeclared(ctx.params.action, ctx.params.action, k);
	const ref = b[part] && b[part][`${nav}@odata.bind`];
	if (!ref) throw errors.invalidArgument(`${part}.${nav}@odata.bind is needed`);
	if (!Number.isInteger(b.Status)) throw errors.invalidArgument('Status is needed');
	const { row } = keys.reference(this, ref, ctx.refs);
	if ((row.props.statecode ?? 0) !== 0) throw errors.invalidArgument(set === 'incidents' ? 'This case has already been resolved. Close and reopen the case record to see the updates.' : 'The opportunity has already been closed.');
	const touched = ctx.entry.touched.length;
	this.store.begin();
	try {
		insert(ctx, activities, b[part]);
		change({ ...ctx, closing: true }, set, row, { statecode: state, ...(b.Status > 0 ? { statuscode: b.Status } : {}), ...(b[part].actualrevenue !== undefined ? { actualvalue: b[part].actualrevenue } : {}) });
	} catch (e) {
		this.store.rollback();
		ctx.entry.touched.length = touched;
		throw e;
	}
	this.store.commit();
	return { status: 204 };
}
module.exports = { create, update, read, remove, query, addRef, setRef, multiple, close, show };
