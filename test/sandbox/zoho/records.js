'use strict';
// Insert, update, upsert, read, list, delete; by id and by an external field. Answers of writes have
// one item per record in request order, whatever the HTTP status says.
const errors = require('./errors');
const values = require('./values');
const { HttpError } = require('../lib/errors');

const MAX = 100;
const UPSERT = new Set(['Leads', 'Accounts', 'Contacts', 'Deals', 'Cases']);

function person(dialect, id) {
	const u = dialect.users.find(x => x.id === id) || dialect.users[0];
	return { name: u.full_name, id: u.id, email: u.email };
}
function nameOf(dialect, module, id) {
	const r = dialect.store.get(module, id, true);
	if (!r) return null;
	const p = r.props;
	return p.Full_Name || p.Account_Name || p.Deal_Name || p.Subject || [p.First_Name, p.Last_Name].filter(Boolean).join(' ') || null;
}
function show(dialect, module, r, name) {
	const f = dialect.schema.field(module, name);
	const p = r.props, offset = dialect.config.utc_offset_min;
	switch (name) {
	case 'id': return r.id;
	case 'Created_Time': return values.show(r.createdAt, offset);
	case 'Modified_Time': return values.show(r.updatedAt, offset);
	case 'Created_By': case 'Modified_By': return person(dialect, dialect.users[0].id);
	case 'Full_Name': return [p.First_Name, p.Last_Name].filter(Boolean).join(' ');
	}
	const v = p[name];
	if (v === undefined) return f && f.type === 'boolean' ? false : null;
	if (f && f.type === 'ownerlookup') return person(dialect, v.id);
	if (f && f.type === 'lookup') return { name: nameOf(dialect, f.module, v.id), id: v.id };
	if (f && f.type === 'multi_module_lookup') return { name: nameOf(dialect, p.$se_module, v.id), id: v.id };
	return v;
}
function render(dialect, module, r, names) {
	const out = {};
	for (const n of names || [...dialect.schema.fields(module).keys()]) { const f = dialect.schema.field(module, n); if (f && f.perm !== 'forbidden') out[n] = show(dialect, module, r, n); }
	out.id = r.id;
	return out;
}

const success = (dialect, r, message, more) => ({ code: 'SUCCESS', ...more, details: { Modified_Time: values.show(r.updatedAt, dialect.config.utc_offset_min), Modified_By: person(dialect), Created_Time: values.show(r.createdAt, dialect.config.utc_offset_min), id: r.id, Created_By: person(dialect) }, message, status: 'success' });

function data(ctx) {
	const b = ctx.dialect.body(ctx);
	if (!b || b.data === undefined) throw errors.fail(400, 'MANDATORY_NOT_FOUND', 'required field not found', { api_name: 'data', json_path: '$.data' });
	if (!Array.isArray(b.data) || !b.data.length) throw errors.fail(400, 'INVALID_DATA', 'invalid data', { expected_data_type: 'jsonarray', api_name: 'data', json_path: '$.data' });
	if (b.data.length > MAX) throw errors.fail(400, 'INVALID_DATA', 'invalid data', { maximum_length: MAX, api_name: 'data', json_path: '$.data' });
	return b;
}
// Which workflows a write would have started: all, unless the caller lists them.
const trigger = b => (Array.isArray(b.trigger) ? b.trigger : 'all');

function each(list, okStatus, write) {
	let good = 0;
	const out = list.map((x, i) => {
		try { const o = write(x, `$.data[${i}]`); good++; return o; } catch (e) {
			if (!(e instanceof HttpError)) throw e;
			return e.body;
		}
	});
	return { status: good === list.length ? okStatus : good ? 207 : 400, body: { data: out } };
}

function insert(ctx) {
	const module = this.needModule(ctx.params.module), b = data(ctx);
	const also = b.duplicate_check_fields || [];
	return each(b.data, 201, (given, path) => {
		const props = values.check(ctx, module, given, null, path);
		values.unique(this, module, props, null, path, also);
		props.$trigger = trigger(b);
		return success(this, ctx.writer.create(module, this.newId(module), props), 'record added');
	});
}
function target(ctx, module, id, status = 400) {
	const r = typeof id === 'string' && /^\d+$/.test(id) ? ctx.dialect.store.get(module, id, true) : undefined;
	if (!r || r.archived) throw errors.wrongId(id, status);
	if (r.props.$converted) throw errors.fail(400, 'ID_ALREADY_CONVERTED', 'id already converted', { id });
	return r;
}
function write(ctx, module, r, given, b, path) {
	const since = ctx.headers['if-unmodified-since'];
	if (since && Math.floor(r.updatedAt / 1000) * 1000 > Date.parse(since)) throw errors.fail(412, 'PRECONDITION_FAILED', 'the record was modified since the given time', { id: r.id });
	const props = values.check(ctx, module, given, r, path);
	props.$trigger = trigger(b);
	return ctx.writer.update(module, r.id, props);
}
function updateMany(ctx) {
	const module = this.needModule(ctx.params.module), b = data(ctx);
	return each(b.data, 200, (given, path) => {
		if (!given || !given.id) throw errors.mandatory('id', `${path}.id`);
		return success(this, write(ctx, module, target(ctx, module, given.id), given, b, path), 'record updated');
	});
}

// The record a path names: by id, or by the value of the field that X-EXTERNAL says.
function named(ctx, module, status) {
	const ext = ctx.headers['x-external'];
	if (!ext) return target(ctx, module, ctx.params.id, status);
	const [m, name] = ext.split('.');
	const f = m === module && ctx.dialect.schema.field(module, name);
	if (!f || !f.external) throw errors.fail(400, 'INVALID_DATA', 'The value of the external field is invalid.', { api_name: name });
	const r = ctx.dialect.store.findUnique(module, name, ctx.params.id);
	if (!r) throw errors.fail(status || 400, 'INVALID_DATA', 'The value of the external field is invalid.', { [name]: ctx.params.id });
	return r;
}
function updateOne(ctx) {
	const module = this.needModule(ctx.params.module), b = data(ctx);
	return each(b.data.slice(0, 1), 200, (given, path) => success(this, write(ctx, module, named(ctx, module), given, b, path), 'record updated'));
}

function upsert(ctx) {
	const module = this.needModule(ctx.params.module), b = data(ctx);
	if (!UPSERT.has(module)) throw errors.fail(400, 'NOT_SUPPORTED', 'the module does not support upsert', { resource_path_index: 0 });
	const fields = this.schema.fields(module);
	const wanted = b.duplicate_check_fields || [];
	for (const n of wanted) if (!fields.has(n)) throw errors.fail(400, 'INVALID_DATA', 'invalid data', { api_name: 'duplicate_check_fields', json_path: '$.duplicate_check_fields' });
	const system = [...fields.values()].filter(f => f.systemCheck).map(f => f.name), uniques = [...this.store.table(module).unique.keys()];
	// system fields first, then the unique ones; a list given is used in its order, after the system field it names
	const order = wanted.length ? [...wanted.filter(n => system.includes(n)), ...wanted.filter(n => !system.includes(n))] : [...system, ...uniques];
	return each(b.data, 200, (given, path) => {
		if (!given || typeof given !== 'object') throw errors.fail(400, 'INVALID_DATA', 'body', { expected_data_type: 'jsonobject', json_path: path });
		let hit = null, by = null;
		for (const name of order) {
			if (given[name] === undefined || given[name] === null || given[name] === '') continue;
			for (const r of this.store.all(module)) if (r.props[name] !== undefined && !r.props.$converted && values.keyOf(r.props[name]) === values.keyOf(given[name])) { hit = r; by = name; break; }
			if (hit) break;
		}
		if (hit) return success(this, write(ctx, module, hit, given, b, path), 'record updated', { duplicate_field: by, action: 'update' });
		const props = values.check(ctx, module, given, null, path);
		props.$trigger = trigger(b);
		return success(this, ctx.writer.create(module, this.newId(module), props), 'record added', { duplicate_field: null, action: 'insert' });
	});
}

function read(ctx) {
	const module = this.needModule(ctx.params.module);
	const names = ctx.query.get('fields') ? ctx.query.get('fields').split(',') : null;
	return { status: 200, body: { data: [render(this, module, named(ctx, module, 404), names)] } };
}
function remove(ctx) {
	const module = this.needModule(ctx.params.module), r = named(ctx, module, 404);
	ctx.writer.archive(module, r.id);
	return { status: 200, body: { data: [{ code: 'SUCCESS', details: { id: r.id }, message: 'record deleted', status: 'success' }] } };
}
function removeMany(ctx) {
	const module = this.needModule(ctx.params.module);
	const ids = (ctx.query.get('ids') || '').split(',').filter(Boolean);
	if (!ids.length) throw errors.fail(400, 'REQUIRED_PARAM_MISSING', 'One of the expected parameter is missing', { param: 'ids' });
	return each(ids, 200, id => {
		const r = target(ctx, module, id);
		ctx.writer.archive(module, r.id);
		return { code: 'SUCCESS', details: { id }, message: 'record deleted', status: 'success' };
	});
}

function since(ctx) {
	const h = ctx.headers['if-modified-since'];
	if (!h) return null;
	const ms = Date.parse(h);
	if (Number.isNaN(ms)) throw errors.fail(400, 'INVALID_DATA', 'invalid data', {});
	return ms;
}
function paged(ctx, rows, show) {
	const q = ctx.query, per = Number(q.get('per_page') || 200), page = Number(q.get('page') || 1);
	if (!(per >= 1 && per <= 200)) throw errors.fail(400, 'INVALID_DATA', 'invalid data', { maximum_value: 200, param: 'per_page' });
	let from = (page - 1) * per;
	if (q.get('page_token')) {
		const t = ctx.dialect.pageTokens.get(q.get('page_token'));
		if (!t || t.expires < ctx.now) throw errors.fail(400, 'INVALID_DATA', 'invalid data', { param: 'page_token' });
		from = t.from;
	} else if (from + per > 2000) throw errors.fail(400, 'LIMIT_REACHED', 'Please check whether the input values are correct', { param: 'page_token' });
	const part = rows.slice(from, from + per), more = from + per < rows.length;
	let token = null;
	if (more) {
		token = `pt${ctx.dialect.store.newNumber('page_token', 1)}`;
		ctx.dialect.pageTokens.set(token, { from: from + per, expires: ctx.now + 86400000 });
	}
	return { data: part.map(show), info: { per_page: per, next_page_token: token, count: part.length, sort_by: q.get('sort_by') || 'id', page, previous_page_token: null, page_token_expiry: token ? values.show(ctx.now + 86400000, ctx.dialect.config.utc_offset_min) : null, sort_order: q.get('sort_order') || 'desc', more_records: more } };
}
function list(ctx) {
	const module = this.needModule(ctx.params.module), q = ctx.query;
	if (!q.get('fields') && Number(ctx.params.ver) >= 3) throw errors.fail(400, 'REQUIRED_PARAM_MISSING', 'One of the expected parameter is missing', { param_name: 'fields', resource_path_index: 0 });
	const names = q.get('fields') ? q.get('fields').split(',') : null, from = since(ctx);
	const ids = q.get('ids') ? q.get('ids').split(',') : null;
	if (ids && ids.length > MAX) throw errors.fail(400, 'LIMIT_EXCEEDED', 'more ids than allowed', { limit: MAX });
	const rows = [...this.store.all(module)].filter(r => (!ids || ids.includes(r.id)) && (from === null || Math.floor(r.updatedAt / 1000) * 1000 > from));
	if (!rows.length) return { status: from === null ? 204 : 304 };
	const by = q.get('sort_by') || 'id', sign = q.get('sort_order') === 'asc' ? 1 : -1;
	const key = r => ({ Modified_Time: r.updatedAt, Created_Time: r.createdAt }[by] ?? Number(r.id.slice(-12)));
	rows.sort((a, b) => (key(a) - key(b) || a.seq - b.seq) * sign);
	return { status: 200, body: paged(ctx, rows, r => render(this, module, r, names)) };
}
function deleted(ctx) {
	const module = this.needModule(ctx.params.module), from = since(ctx), type = ctx.query.get('type') || 'all';
	const rows = type === 'permanent' ? [] : [...this.store.all(module, true)].filter(r => r.archived && (from === null || r.archivedAt > from));
	if (!rows.length) return { status: from === null ? 204 : 304 };
	return { status: 200, body: paged(ctx, rows, r => ({ deleted_by: person(this), id: r.id, display_name: [r.props.First_Name, r.props.Last_Name].filter(Boolean).join(' ') || r.props.Subject || null, type: 'recycle', created_by: person(this), deleted_time: values.show(r.archivedAt, this.config.utc_offset_min) })) };
}

// Records that hang on another: GET Contacts/{id}/Calls, POST Contacts/{id}/Notes.
function related(ctx) {
	const module = this.needModule(ctx.params.module), r = target(ctx, module, ctx.params.id, 404), other = this.needModule(ctx.params.related);
	const rows = [...this.store.all(other)].filter(x => [...this.schema.fields(other).values()].some(f => {
		const v = x.props[f.name];
		if (!v || v.id !== r.id) return false;
		return f.type === 'lookup' ? f.module === module : f.type === 'multi_module_lookup' ? x.props.$se_module === module : f.type === 'parent' && v.module.api_name === module;
	}));
	if (!rows.length) return { status: 204 };
	return { status: 200, body: paged(ctx, rows, x => render(this, other, x, ctx.query.get('fields') ? ctx.query.get('fields').split(',') : null)) };
}
function addNote(ctx) {
	const module = this.needModule(ctx.params.module), r = target(ctx, module, ctx.params.id, 404), b = data(ctx);
	return each(b.data, 201, (given, path) => success(this, ctx.writer.create('Notes', this.newId('Notes'), values.check(ctx, 'Notes', { ...given, Parent_Id: { id: r.id, module: { api_name: module } } }, null, path)), 'record added'));
}

// A lead becomes a contact (and account, deal); from then on the lead cannot be written.
function convert(ctx) {
	const lead = target(ctx, 'Leads', ctx.params.id), b = data(ctx), how = b.data[0], p = lead.props;
	const shared = name => [...this.schema.fields(name).values()].filter(f => !f.readonly && p[f.name] !== undefined && f.name !== 'Callsync_Key').map(f => [f.name, p[f.name]]);
	const existing = (module, ref) => ref && ref.id && target(ctx, module, String(ref.id));
	const account = existing('Accounts', how.Accounts) || ctx.writer.create('Accounts', this.newId('Accounts'), { Account_Name: p.Company, Owner: p.Owner });
	const contact = existing('Contacts', how.Contacts) || ctx.writer.create('Contacts', this.newId('Contacts'), { ...Object.fromEntries(shared('Contacts')), Account_Name: { id: account.id } });
	const deal = how.Deals ? ctx.writer.create('Deals', this.newId('Deals'), values.check(ctx, 'Deals', { ...how.Deals, Contact_Name: { id: contact.id }, Account_Name: { id: account.id } }, null, '$.data[0].Deals')) : null;
	ctx.writer.update('Leads', lead.id, { ...p, $converted: { contact: contact.id, account: account.id, deal: deal && deal.id }, Converted: true });
	const ref = (module, r) => r && { name: nameOf(this, module, r.id), id: r.id };
	return { status: 200, body: { data: [{ code: 'SUCCESS', details: { Contacts: ref('Contacts', contact), Accounts: ref('Accounts', account), Deals: ref('Deals', deal) }, message: 'The record has been converted successfully', status: 'success' }] } };
}
module.exports = { insert, updateMany, updateOne, upsert, read, remove, removeMany, list, deleted, related, addNote, convert, render, paged };
