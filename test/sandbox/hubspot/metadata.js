'use strict';
// Property definitions, owners, pipelines, call outcomes, validation rules.
const errors = require('./errors');
const { optionsOf } = require('./values');
const seed = require('./seed.json');

const TYPES = ['string', 'number', 'bool', 'enumeration', 'date', 'datetime', 'phone_number'];

function render(dialect, f) {
	const dynamic = !!f.external;
	return {
		name: f.name, label: f.label || f.name, type: f.type, fieldType: f.fieldType || 'text', description: f.description || '', groupName: f.group || 'general',
		options: dynamic ? (f.external === 'owners' ? [] : optionsOf(dialect, f)).map(option) : (f.options || []).map(option),
		displayOrder: -1, calculated: !!f.calculated, externalOptions: dynamic, hasUniqueValue: !!f.unique, hidden: !!f.hidden, hubspotDefined: !f.custom && f.group !== 'callsync',
		modificationMetadata: { archivable: !f.system, readOnlyDefinition: !!f.system, readOnlyValue: !!f.readonly }, formField: !f.readonly, archived: false,
		createdAt: '2025-01-01T00:00:00.000Z', updatedAt: f.updatedAt || '2025-01-01T00:00:00.000Z',
	};
}
const option = (o, i) => ({ label: o.label || o.value, value: String(o.value), displayOrder: i, hidden: !!o.hidden, description: '' });

function listProperties(ctx) {
	const { dialect, object } = this.here(ctx);
	return { status: 200, body: { results: [...dialect.schema.fields(object).values()].map(f => render(dialect, f)) } };
}
function readProperty(ctx) {
	const { dialect, object } = this.here(ctx);
	const f = dialect.schema.field(object, ctx.params.name);
	if (!f) throw errors.error(404, 'OBJECT_NOT_FOUND', `Property "${ctx.params.name}" does not exist for object type ${dialect.type(object).typeId}`, { subCategory: 'PropertyExceptions.PROPERTY_NOT_FOUND' });
	return { status: 200, body: render(dialect, f) };
}

function define(dialect, object, b) {
	if (!b.name || !/^[a-z][a-z0-9_]{0,99}$/.test(b.name)) throw errors.invalid(`"${b.name}" is not a valid property name`);
	for (const k of ['label', 'type', 'fieldType', 'groupName']) if (!b[k]) throw errors.invalid(`${k} is required`);
	if (!TYPES.includes(b.type)) throw errors.invalid(`"${b.type}" is not a property type; one of ${TYPES.join(', ')}`);
	if (dialect.schema.field(object, b.name)) throw errors.error(409, 'OBJECT_ALREADY_EXISTS', `A property named '${b.name}' already exists.`, { subCategory: 'Properties.PROPERTY_EXISTS' });
	if (b.hasUniqueValue && [...dialect.schema.fields(object).values()].filter(f => f.unique && f.custom).length >= 10) throw errors.invalid('A maximum of 10 unique properties per object is allowed');
	const f = { name: b.name, label: b.label, type: b.type, fieldType: b.fieldType, group: b.groupName, description: b.description, custom: true, unique: !!b.hasUniqueValue,
		options: b.options && b.options.map(o => ({ value: String(o.value), label: o.label })), updatedAt: dialect.clock.iso() };
	dialect.schema.add(object, f);
	if (f.unique) dialect.store.defineUnique(object, f.name, dialect.uniqueKey);
	return f;
}
function createProperty(ctx) {
	const { dialect, object } = this.here(ctx);
	return { status: 201, body: render(dialect, define(dialect, object, dialect.body(ctx) || {})) };
}
function batchCreateProperties(ctx) {
	const { dialect, object } = this.here(ctx);
	const started = dialect.clock.iso();
	const results = [], failures = [];
	for (const b of (dialect.body(ctx) || {}).inputs || []) {
		try { results.push(render(dialect, define(dialect, object, b))); } catch (e) {
			if (!e.body) throw e;
			failures.push(errors.item(e, { name: [String(b.name)] }));
		}
	}
	const body = { status: 'COMPLETE', results, startedAt: started, completedAt: dialect.clock.iso() };
	return failures.length ? { status: 207, body: { ...body, numErrors: failures.length, errors: failures } } : { status: 201, body };
}
function updateProperty(ctx) {
	const { dialect, object } = this.here(ctx);
	const f = dialect.schema.field(object, ctx.params.name);
	if (!f) throw errors.notFound();
	const b = dialect.body(ctx) || {};
	if (b.label) f.label = b.label;
	if (b.options) f.options = b.options.map(o => ({ value: String(o.value), label: o.label, hidden: o.hidden }));
	f.updatedAt = dialect.clock.iso();
	dialect.schema.touched();
	return { status: 200, body: render(dialect, f) };
}
function removeProperty(ctx) {
	const { dialect, object } = this.here(ctx);
	const f = dialect.schema.field(object, ctx.params.name);
	if (f && f.system) throw errors.invalid('This property cannot be archived');
	if (f) { dialect.schema.remove(object, f.name); dialect.store.dropUnique(object, f.name); }
	return { status: 204 };
}

function listOwners(ctx) {
	const { dialect } = ctx;
	const email = ctx.query.get('email');
	const results = dialect.owners.filter(o => !email || o.email.toLowerCase() === email.toLowerCase())
		.map(o => ({ ...o, type: 'PERSON', createdAt: '2025-01-01T00:00:00.000Z', updatedAt: '2025-01-01T00:00:00.000Z', archived: false }));
	return { status: 200, body: { results } };
}
function readOwner(ctx) {
	const o = ctx.dialect.owners.find(x => x.id === ctx.params.id || (ctx.query.get('idProperty') === 'userId' && String(x.userId) === ctx.params.id));
	if (!o) throw errors.notFound();
	return { status: 200, body: { ...o, type: 'PERSON', createdAt: '2025-01-01T00:00:00.000Z', updatedAt: '2025-01-01T00:00:00.000Z', archived: false } };
}

const stage = (s, i) => ({ ...s, displayOrder: i, createdAt: '2025-01-01T00:00:00Z', updatedAt: '2025-01-01T00:00:00Z', archived: false });
const pipeline = (p, i) => ({ ...p, stages: p.stages.map(stage), displayOrder: i, createdAt: '2025-01-01T00:00:00Z', updatedAt: '2025-01-01T00:00:00Z', archived: false });
function listPipelines(ctx) {
	const { dialect, object } = this.here(ctx);
	return { status: 200, body: { results: (dialect.pipelines[object] || []).map(pipeline) } };
}
function readPipeline(ctx) {
	const { dialect, object } = this.here(ctx);
	const p = (dialect.pipelines[object] || []).find(x => x.id === ctx.params.id);
	if (!p) throw errors.notFound();
	return { status: 200, body: ctx.params.what === 'stages' ? { results: p.stages.map(stage) } : pipeline(p, 0) };
}

const dispositions = () => ({ status: 200, body: seed.dispositions });

// Required properties are not part of the property definitions; here is where they can be read.
function validations(ctx) {
	const { dialect, object } = this.here(ctx);
	const results = [];
	for (const f of dialect.schema.fields(object).values()) {
		const rules = [];
		if (f.max) rules.push({ ruleType: 'MAX_LENGTH', ruleArguments: [String(f.max)] });
		if (f.required && f.requiredFrom) rules.push({ ruleType: 'REQUIRED', ruleArguments: [] });
		if (f.format === 'email') rules.push({ ruleType: 'EMAIL', ruleArguments: [] });
		if (rules.length) results.push({ propertyName: f.name, propertyValidationRules: rules });
	}
	return { status: 200, body: { results } };
}

module.exports = { listProperties, readProperty, createProperty, batchCreateProperties, updateProperty, removeProperty, listOwners, readOwner, listPipelines, readPipeline, dispositions, validations };
