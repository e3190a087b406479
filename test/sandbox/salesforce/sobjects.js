'use strict';
// sobjects/{Object}: create, read, update, upsert by external id, delete; updated and deleted ids.
const errors = require('./errors');
const ids = require('./ids');
const values = require('./values');
const { HttpError } = require('../lib/errors');

const url = (ctx, object, id) => `/services/data/${ctx.params.ver}/sobjects/${object}/${id}`;

// names: fields to show; undefined: all.
function render(ctx, object, r, names) {
	const { dialect } = ctx;
	const out = { attributes: { type: object, url: url(ctx, object, r.id) } };
	for (const f of names || [...dialect.schema.fields(object).keys()]) {
		const field = dialect.field(object, f);
		if (field && values.visible(field)) out[field.name] = values.valueOf(object, r, field.name);
	}
	return out;
}

function record(ctx, object, id) {
	const key = ids.canonical(id);
	if (!key) throw errors.notFound();
	const r = ctx.dialect.store.get(object, key, true);
	if (!r) throw errors.notFound();
	if (r.archived) throw ctx.method === 'GET' ? errors.notFound() : errors.deleted();
	return r;
}

/* ---- writing, used by single calls, collections and composites ---- */

function insert(ctx, object, given) {
	const props = values.check(ctx, object, given, null);
	values.duplicates(ctx, object, props, null);
	return ctx.writer.create(object, ctx.dialect.newId(object), props);
}
function change(ctx, object, r, given) {
	if (given && Object.keys(given).some(k => k.toLowerCase() === 'id')) throw errors.fail(400, 'INVALID_FIELD', 'The Id field should not be specified in the sobject data.');
	const props = values.check(ctx, object, given, r);
	values.duplicates(ctx, object, props, r);
	return ctx.writer.update(object, r.id, props);
}
function externalField(ctx, object, name) {
	const field = ctx.dialect.field(object, name);
	if (!field || !field.externalId || !values.visible(field)) throw errors.fail(404, 'NOT_FOUND', `Provided external ID field does not exist or is not accessible: ${name}`);
	return field;
}
// {record, created}; several matches of a non-unique external id are an error of their own.
function upsert(ctx, object, field, value, given, updateOnly) {
	const { dialect } = ctx;
	if (value === undefined || value === null || value === '') throw errors.fail(400, 'MISSING_ARGUMENT', `${field.name} not specified`, [field.name]);
	let found;
	if (dialect.store.isUnique(object, field.name)) found = dialect.store.findUnique(object, field.name, value);
	else {
		const same = [...dialect.store.all(object)].filter(r => r.props[field.name] !== undefined && String(r.props[field.name]).toLowerCase() === String(value).toLowerCase());
		if (same.length > 1) throw new HttpError(300, same.map(r => url(ctx, object, r.id)));
		found = same[0];
	}
	if (found) return { record: change(ctx, object, found, given), created: false };
	if (updateOnly) throw errors.notFound();
	return { record: insert(ctx, object, { ...given, [field.name]: value }), created: true };
}

/* ---- endpoints ---- */

function create(ctx) {
	const object = this.needObject(ctx.params.object);
	const r = insert(ctx, object, this.body(ctx));
	return { status: 201, headers: { Location: url(ctx, object, r.id) }, body: { id: r.id, success: true, errors: [] } };
}
function read(ctx) {
	const object = this.needObject(ctx.params.object);
	const r = record(ctx, object, ctx.params.id);
	return { status: 200, body: render(ctx, object, r, asked(this, object, ctx.query.get('fields'))) };
}
function asked(dialect, object, list) {
	if (!list) return undefined;
	const names = list.split(',').map(s => s.trim()).filter(Boolean);
	for (const n of names) { const f = dialect.field(object, n); if (!f || !values.visible(f)) throw errors.noColumn(object, n); }
	return names.some(n => n.toLowerCase() === 'id') ? names : [...names, 'Id'];
}
function update(ctx) {
	const object = this.needObject(ctx.params.object);
	change(ctx, object, record(ctx, object, ctx.params.id), this.body(ctx));
	return { status: 204 };
}
function remove(ctx) {
	const object = this.needObject(ctx.params.object);
	ctx.writer.archive(object, record(ctx, object, ctx.params.id).id);
	return { status: 204 };
}

function readByKey(ctx) {
	const object = this.needObject(ctx.params.object), field = externalField(ctx, object, ctx.params.field);
	const r = this.store.findUnique(object, field.name, ctx.params.value);
	if (!r) throw errors.notFound();
	return { status: 200, body: render(ctx, object, r, asked(this, object, ctx.query.get('fields'))) };
}
function upsertByKey(ctx) {
	const object = this.needObject(ctx.params.object), given = this.body(ctx);
	if (ctx.params.field.toLowerCase() === 'id') {
		change(ctx, object, record(ctx, object, ctx.params.value), given);
		return { status: 204 };
	}
	const field = externalField(ctx, object, ctx.params.field);
	for (const k of Object.keys(given || {})) {
		if (k.toLowerCase() === 'id') throw errors.fail(400, 'INVALID_FIELD', 'The Id field should not be specified in the sobject data.');
		if (k.toLowerCase() === field.name.toLowerCase()) throw errors.fail(400, 'INVALID_FIELD', `The ${field.name} field should not be specified in the sobject data.`);
	}
	const { record: r, created } = upsert(ctx, object, field, ctx.params.value, given, ctx.query.get('updateOnly') === 'true');
	// before API v46 an update by key answered 204
	if (!created && Number(/^v(\d+)/.exec(ctx.params.ver)[1]) < 46) return { status: 204 };
	return { status: created ? 201 : 200, body: { id: r.id, success: true, errors: [], created } };
}
function removeByKey(ctx) {
	const object = this.needObject(ctx.params.object), field = externalField(ctx, object, ctx.params.field);
	const r = this.store.findUnique(object, field.name, ctx.params.value);
	if (!r) throw errors.notFound();
	ctx.writer.archive(object, r.id);
	return { status: 204 };
}

/* ---- changed and deleted ids ---- */

function span(ctx, maxDays) {
	const read = name => {
		const raw = (ctx.query.get(name) || '').replace(/ (\d{2}:?\d{2})$/, '+$1');
		const ms = values.parseDateTime(raw);
		if (Number.isNaN(ms)) throw errors.fail(400, 'INVALID_FIELD', `${name}: '${raw}' is not a valid value for the type xsd:dateTime`);
		return ms;
	};
	const start = read('start'), end = read('end');
	if (start >= end) throw errors.fail(400, 'INVALID_REPLICATION_DATE', 'startDate before org replication enabled date or after the end date');
	if (start < ctx.now - maxDays * 86400000) throw errors.fail(400, 'INVALID_REPLICATION_DATE', `startDate cannot be more than ${maxDays} days ago`);
	return { start, end };
}
function updated(ctx) {
	const object = this.needObject(ctx.params.object), { start, end } = span(ctx, 30);
	const list = [...this.store.all(object)].filter(r => r.updatedAt >= start && r.updatedAt < end);
	return { status: 200, body: { ids: list.map(r => r.id), latestDateCovered: values.stamp(Math.min(end, ctx.now)) } };
}
function deletedIds(ctx) {
	const object = this.needObject(ctx.params.object), { start, end } = span(ctx, 15);
	const list = [...this.store.all(object, true)].filter(r => r.archived && r.archivedAt >= start && r.archivedAt < end);
	return { status: 200, body: { deletedRecords: list.map(r => ({ id: r.id, deletedDate: values.stamp(r.archivedAt) })), earliestDateAvailable: values.stamp(ctx.now - 15 * 86400000), latestDateCovered: values.stamp(Math.min(end, ctx.now)) } };
}

module.exports = { render, record, insert, change, upsert, externalField, asked, create, read, update, remove, readByKey, upsertByKey, removeByKey, updated, deletedIds, url };
