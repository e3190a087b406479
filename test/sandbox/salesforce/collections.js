'use strict';
// composite/sobjects: up to 200 records per call. Always 200 with one item per record, in request
// order; an item says itself whether it failed.
const errors = require('./errors');
const ids = require('./ids');
const sobjects = require('./sobjects');
const { HttpError } = require('../lib/errors');

const MAX = 200, MAX_CHUNKS = 10;

function records(ctx, wantType) {
	const { dialect } = ctx;
	const b = dialect.body(ctx);
	if (!b || !Array.isArray(b.records)) throw errors.parser('records must be a list');
	if (b.records.length > MAX) throw errors.fail(400, 'EXCEEDED_ID_LIMIT', `record limit reached. cannot submit more than ${MAX} records into this call`);
	let chunks = 0, last = null;
	const list = b.records.map(r => {
		const type = wantType || (r && r.attributes && r.attributes.type);
		if (!type) throw errors.fail(400, 'INVALID_INPUT', "include 'attributes' with a 'type' in every record");
		if (type !== last) { chunks++; last = type; }
		return { type, given: r };
	});
	if (chunks > MAX_CHUNKS) throw errors.fail(400, 'INVALID_INPUT', `records of different types make ${chunks} chunks; no more than ${MAX_CHUNKS} are allowed`);
	return { list, allOrNone: b.allOrNone === true };
}

const failed = (e, id) => ({ ...(id ? { id } : {}), success: false, errors: Array.isArray(e.body) && typeof e.body[0] === 'object' ? errors.asItem(e)
	: [{ statusCode: 'DUPLICATE_EXTERNAL_ID', message: 'Duplicate external id specified: more than one record found', fields: [] }] });

// write(item) returns the success item; what it throws becomes the failure item.
function each(ctx, list, allOrNone, write) {
	const { store } = ctx.dialect;
	const touched = ctx.entry.touched.length;
	if (allOrNone) store.begin();
	const out = [];
	let bad = false;
	for (const item of list) {
		try { out.push(write(item)); } catch (e) {
			if (!(e instanceof HttpError)) { if (allOrNone) store.rollback(); throw e; }
			bad = true;
			out.push(failed(e, item.id));
		}
	}
	if (allOrNone && bad) {
		store.rollback();
		ctx.entry.touched.length = touched;
		return out.map(o => (o.success ? { success: false, errors: [{ statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK', message: 'Record rolled back because not all records were valid and the request was using AllOrNone header', fields: [] }] } : o));
	}
	if (allOrNone) store.commit();
	return out;
}

function create(ctx) {
	const { list, allOrNone } = records(ctx);
	return { status: 200, body: each(ctx, list, allOrNone, i => ({ id: sobjects.insert(ctx, this.needObject(i.type, 'INVALID_TYPE'), i.given).id, success: true, errors: [] })) };
}
function update(ctx) {
	const { list, allOrNone } = records(ctx);
	return { status: 200, body: each(ctx, list, allOrNone, i => {
		const object = this.needObject(i.type, 'INVALID_TYPE');
		const { id, Id, attributes: _a, ...rest } = i.given;
		const key = ids.canonical(id || Id || '');
		if (!key) throw errors.fail(400, 'MISSING_ARGUMENT', 'Id not specified in an update call', ['Id']);
		i.id = key;
		const r = this.store.get(object, key, true);
		if (!r) throw errors.crossReference('Id');
		if (r.archived) throw errors.deleted();
		return { id: sobjects.change(ctx, object, r, rest).id, success: true, errors: [] };
	}) };
}
function upsert(ctx) {
	const object = this.needObject(ctx.params.object), field = sobjects.externalField(ctx, object, ctx.params.field);
	const { list, allOrNone } = records(ctx, object);
	const seen = new Map();
	for (const i of list) {
		const v = Object.entries(i.given).find(([k]) => k.toLowerCase() === field.name.toLowerCase());
		i.value = v && v[1];
		const key = String(i.value).toLowerCase();
		seen.set(key, (seen.get(key) || 0) + 1);
	}
	return { status: 200, body: each(ctx, list, allOrNone, i => {
		if (i.value !== undefined && seen.get(String(i.value).toLowerCase()) > 1) throw errors.fail(400, 'DUPLICATE_VALUE', `Duplicate external id specified: ${i.value}`, [field.name]);
		const { [field.name]: _k, ...rest } = i.given;
		const { record, created } = sobjects.upsert(ctx, object, field, i.value, rest);
		return { id: record.id, success: true, errors: [], created };
	}) };
}
function remove(ctx) {
	const list = (ctx.query.get('ids') || '').split(',').filter(Boolean);
	if (!list.length || list.length > MAX) throw errors.fail(400, list.length ? 'EXCEEDED_ID_LIMIT' : 'MISSING_ARGUMENT', 'ids must name 1 to 200 records');
	return { status: 200, body: each(ctx, list.map(id => ({ id })), ctx.query.get('allOrNone') === 'true', i => {
		const key = ids.canonical(i.id), object = key && ids.objectOf(key);
		if (!object) throw errors.malformedId('Record ID', i.id);
		const r = this.store.get(object, key, true);
		if (!r) throw errors.crossReference();
		if (r.archived) throw errors.deleted();
		ctx.writer.archive(object, r.id);
		return { id: r.id, success: true, errors: [] };
	}) };
}
// Reads by id: GET with ids= and fields=, POST with a body; what is not there is null.
function read(ctx) {
	const object = this.needObject(ctx.params.object);
	const b = ctx.method === 'POST' ? this.body(ctx) : { ids: (ctx.query.get('ids') || '').split(',').filter(Boolean), fields: (ctx.query.get('fields') || '').split(',').filter(Boolean) };
	if (!Array.isArray(b.ids) || !Array.isArray(b.fields) || !b.ids.length || !b.fields.length) throw errors.fail(400, 'MISSING_ARGUMENT', 'ids and fields are needed');
	if (b.ids.length > 2000) throw errors.fail(400, 'EXCEEDED_ID_LIMIT', 'no more than 2000 ids');
	const names = sobjects.asked(this, object, b.fields.join(','));
	return { status: 200, body: b.ids.map(id => {
		const key = ids.canonical(id), r = key && this.store.get(object, key);
		return r ? sobjects.render(ctx, object, r, names) : null;
	}) };
}
module.exports = { create, update, upsert, remove, read };
