'use strict';
// Create, read, update, delete, list, merge.
const errors = require('./errors');
const values = require('./values');

// A property of a record as HubSpot shows it: system and computed ones included.
function property(object, r, name, props = r.props, updatedAt = r.updatedAt) {
	switch (name) {
	case 'hs_object_id': return r.id;
	case 'createdate':
	case 'hs_createdate': return new Date(r.createdAt).toISOString();
	case 'lastmodifieddate':
	case 'hs_lastmodifieddate': return new Date(updatedAt).toISOString();
	default: {
		const v = props[name];
		if (v !== undefined) return v;
		return values.computed(object, props)[name];
	}
	}
}

const modifiedName = object => (object === 'contacts' ? 'lastmodifieddate' : 'hs_lastmodifieddate');
const createdName = object => (['contacts', 'companies', 'deals', 'tickets'].includes(object) ? 'createdate' : 'hs_createdate');

// names: properties asked for (null when absent, as the API does for known ones); undefined: all that are set.
function render(dialect, object, r, names) {
	const properties = {};
	if (names) {
		for (const n of names) {
			if (!dialect.schema.field(object, n)) continue;   // unknown names in a read are ignored
			properties[n] = property(object, r, n) ?? null;
		}
	} else {
		Object.assign(properties, r.props, values.computed(object, r.props));
		for (const n of [createdName(object), modifiedName(object), 'hs_object_id']) properties[n] = property(object, r, n);
	}
	const out = { id: r.id, properties, createdAt: new Date(r.createdAt).toISOString(), updatedAt: new Date(r.updatedAt).toISOString(), archived: r.archived };
	if (r.archived) out.archivedAt = new Date(r.archivedAt).toISOString();
	return out;
}

function askedFor(dialect, object, list) {
	const names = (list || []).flatMap(s => s.split(',')).map(s => s.trim()).filter(Boolean);
	const base = dialect.defaultProperties(object);
	if (!names.length) return base;
	return [...new Set([...names, 'hs_object_id', createdName(object), modifiedName(object)])];
}

// The record a path or batch input names, by id or by a unique property.
function find(dialect, object, id, idProperty, withArchived) {
	if (!idProperty || idProperty === 'hs_object_id') return /^\d+$/.test(String(id)) ? dialect.store.get(object, id, withArchived) : undefined;
	needUnique(dialect, object, idProperty);
	return dialect.store.findUnique(object, idProperty, id);
}
function needUnique(dialect, object, idProperty, verb = 'update/upsert') {
	const field = dialect.schema.field(object, idProperty);
	if (!field) throw errors.validation([{ code: 'PROPERTY_DOESNT_EXIST', name: idProperty, message: `Property "${idProperty}" does not exist` }]);
	if (!dialect.store.isUnique(object, idProperty)) throw errors.invalid(`Unable to perform ${verb} by non-unique ${dialect.type(object).typeId} property ${idProperty} in portal ID ${dialect.portalId}`);
}

/* Writing is split in plan and commit: a batch without partial success checks all before it writes one. */
function planCreate(ctx, object, input) {
	const { dialect } = ctx;
	const { values: props } = values.check(ctx, object, input.properties, null);
	const links = dialect.associations.plan(ctx, object, input.associations);
	return () => {
		const r = ctx.writer.create(object, dialect.newId(object), props);
		if (!r.phantom) dialect.associations.commit(ctx, object, r.id, links);
		return r;
	};
}
function planUpdate(ctx, object, record, input) {
	const { values: props } = values.check(ctx, object, input.properties, record);
	return () => ctx.writer.update(object, record.id, props);
}

function create(ctx) {
	const { dialect } = this.here(ctx);
	const object = ctx.object;
	const body = dialect.body(ctx);
	const r = planCreate(ctx, object, body)();
	return { status: 201, body: render(dialect, object, r) };
}

function read(ctx) {
	const { dialect, object } = this.here(ctx);
	const archived = ctx.query.get('archived') === 'true';
	const r = find(dialect, object, ctx.params.id, ctx.query.get('idProperty'), archived);
	if (!r || (archived && !r.archived)) throw errors.notFound();
	const out = render(dialect, object, r, askedFor(dialect, object, ctx.query.getAll('properties')));
	const assoc = ctx.query.getAll('associations').flatMap(s => s.split(',')).filter(Boolean);
	if (assoc.length) out.associations = dialect.associations.summary(object, r.id, assoc);
	return { status: 200, body: out };
}

function update(ctx) {
	const { dialect, object } = this.here(ctx);
	const r = find(dialect, object, ctx.params.id, ctx.query.get('idProperty'));
	if (!r) throw errors.notFound();
	const stored = planUpdate(ctx, object, r, dialect.body(ctx))();
	return { status: 200, body: render(dialect, object, stored) };
}

function remove(ctx) {
	const { dialect, object } = this.here(ctx);
	const r = find(dialect, object, ctx.params.id, ctx.query.get('idProperty'));
	if (r) ctx.writer.archive(object, r.id);
	return { status: 204 };   // deleting what is not there answers the same
}

function list(ctx) {
	const { dialect, object } = this.here(ctx);
	const limit = Number(ctx.query.get('limit') || 10), after = Number(ctx.query.get('after') || 0);
	if (!(limit >= 1 && limit <= 100)) throw errors.invalid(`limit must be between 1 and 100, was ${ctx.query.get('limit')}`);
	const archived = ctx.query.get('archived') === 'true';
	const names = askedFor(dialect, object, ctx.query.getAll('properties'));
	const assoc = ctx.query.getAll('associations').flatMap(s => s.split(',')).filter(Boolean);
	const page = [];
	let more = false;
	for (const r of dialect.store.all(object, archived)) {
		if (archived !== r.archived || Number(r.id) <= after) continue;
		if (page.length === limit) { more = true; break; }
		page.push(r);
	}
	const body = { results: page.map(r => {
		const out = render(dialect, object, r, names);
		if (assoc.length) out.associations = dialect.associations.summary(object, r.id, assoc);
		return out;
	}) };
	if (more) {
		const last = page[page.length - 1].id;
		body.paging = { next: { after: last, link: `${ctx.base}${ctx.path}?after=${last}&limit=${limit}` } };
	}
	return { status: 200, body };
}

// The survivor keeps its values and takes those it lacks; both ids answer under the survivor's.
function merge(ctx) {
	const { dialect, object } = this.here(ctx);
	const b = dialect.body(ctx);
	const keep = find(dialect, object, b.primaryObjectId), gone = find(dialect, object, b.objectIdToMerge);
	if (!keep || !gone) throw errors.notFound();
	if (keep.id === gone.id) throw errors.invalid('Cannot merge an object with itself');
	const props = { ...gone.props, ...keep.props };
	const extra = gone.props.email && gone.props.email !== keep.props.email ? [props.hs_additional_emails, gone.props.email].filter(Boolean).join(';') : props.hs_additional_emails;
	if (extra) props.hs_additional_emails = extra;
	for (const [to, value] of [...dialect.store.linksOf(`${object}/${gone.id}`)]) {
		const back = dialect.store.linksOf(to).get(`${object}/${gone.id}`);
		ctx.writer.link(`${object}/${keep.id}`, to, value);
		if (back) ctx.writer.link(to, `${object}/${keep.id}`, back);
	}
	dialect.store.unlinkAll(object, gone.id);
	dialect.store.merge(object, keep.id, gone.id);
	const r = ctx.writer.update(object, keep.id, props);
	for (const email of (props.hs_additional_emails || '').split(';').filter(Boolean)) dialect.store.alias(object, 'email', email, keep.id);
	return { status: 200, body: render(dialect, object, r) };
}

// Deletes for good, as the privacy laws want it.
function gdprDelete(ctx) {
	const { dialect, object } = this.here(ctx);
	const b = dialect.body(ctx);
	const r = find(dialect, object, b.objectId, b.idProperty, true);
	if (r) ctx.writer.purge(object, r.id);
	return { status: 204 };
}

module.exports = { property, render, askedFor, find, needUnique, planCreate, planUpdate, create, read, update, remove, list, merge, gdprDelete, modifiedName, createdName };
