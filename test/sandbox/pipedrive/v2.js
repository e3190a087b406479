'use strict';
// API v2: persons, organizations, deals, activities, their fields, pipelines and stages.
const errors = require('./errors');
const values = require('./values');

const LABEL = { persons: 'Person', organizations: 'Organization', deals: 'Deal', activities: 'Activity' };
const fieldObject = name => ({ personFields: 'persons', organizationFields: 'organizations', dealFields: 'deals', activityFields: 'activities' }[name]);

function render(dialect, object, r) {
	const out = { id: Number(r.id) };
	const custom = {};
	for (const f of dialect.schema.fields(object).values()) {
		if (f.name === 'id') continue;
		if (f.custom) { custom[f.name] = r.props[f.name] ?? null; continue; }
		if (f.name === 'add_time') out.add_time = values.time(r.createdAt);
		else if (f.name === 'update_time') out.update_time = values.time(r.updatedAt);
		else if (f.name === 'is_deleted') out.is_deleted = r.archived;
		else out[f.name] = r.props[f.name] ?? (f.type === 'emails' || f.type === 'phones' || f.type === 'participants' || f.name === 'label_ids' ? [] : null);
	}
	if (object !== 'activities') out.custom_fields = custom;
	return out;
}

function derive(dialect, object, props, given) {
	if (object === 'persons') {
		if (given.name !== undefined) {
			const words = props.name.split(/\s+/);
			if (given.first_name === undefined) props.first_name = words.slice(0, -1).join(' ') || words[0];
			if (given.last_name === undefined) { if (words.length > 1) props.last_name = words[words.length - 1]; else delete props.last_name; }
		}
		if (props.owner_id === undefined) props.owner_id = dialect.users[0].id;
	}
	if (object === 'deals') {
		if (props.status === undefined) props.status = 'open';
		if (props.stage_id === undefined) props.stage_id = (dialect.stages.find(s => s.pipeline_id === (props.pipeline_id ?? dialect.pipelines[0].id)) || {}).id;
		props.pipeline_id = dialect.stages.find(s => s.id === props.stage_id).pipeline_id;
		if (props.value === undefined) props.value = 0;
		if (props.currency === undefined) props.currency = 'USD';
	}
	if (object === 'activities') {
		if (props.type === undefined) props.type = dialect.activityTypes[0].key_string;
		if (props.subject === undefined) props.subject = dialect.activityTypes.find(t => t.key_string === props.type).name;
		if (props.done === undefined) props.done = false;
		if (props.owner_id === undefined) props.owner_id = dialect.users[0].id;
		// person_id cannot be written: it follows the primary participant
		const list = props.participants || [];
		if (list.length && !list.some(p => p.primary)) list[0].primary = true;
		const primary = list.find(p => p.primary);
		if (primary) props.person_id = primary.person_id; else delete props.person_id;
	}
	return props;
}

function create(ctx) {
	const { object } = ctx.options;
	const body = this.body(ctx);
	const props = derive(this, object, values.check(ctx, object, body, null, true), body);
	const r = ctx.writer.create(object, this.newId(object), props);
	return { status: this.config.create_status, body: { success: true, data: render(this, object, r) } };
}
function found(ctx, object) {
	const r = /^\d+$/.test(ctx.params.id) ? ctx.dialect.store.get(object, ctx.params.id) : undefined;
	if (!r) throw errors.notFound(LABEL[object]);
	return r;
}
function read(ctx) {
	const { object } = ctx.options;
	return { status: 200, body: { success: true, data: render(this, object, found(ctx, object)) } };
}
function update(ctx) {
	const { object } = ctx.options;
	const r = found(ctx, object), body = this.body(ctx);
	const props = derive(this, object, values.check(ctx, object, body, r, true), body);
	return { status: 200, body: { success: true, data: render(this, object, ctx.writer.update(object, r.id, props)) } };
}
function remove(ctx) {
	const { object } = ctx.options;
	const r = found(ctx, object);
	ctx.writer.archive(object, r.id);
	return { status: 200, body: { success: true, data: { id: Number(r.id) } } };
}

const cursorOf = n => Buffer.from(JSON.stringify({ after: n })).toString('base64');
function afterOf(text) {
	if (!text) return 0;
	try { return JSON.parse(Buffer.from(text, 'base64').toString('utf8')).after; } catch { throw errors.invalid('cursor: Invalid cursor'); }
}
function pageOf(ctx, list) {
	const limit = Number(ctx.query.get('limit') || 100), after = afterOf(ctx.query.get('cursor'));
	if (!(limit >= 1 && limit <= 500)) throw errors.invalid('limit: Number must be between 1 and 500');
	return { page: list.slice(after, after + limit), additional_data: { next_cursor: after + limit < list.length ? cursorOf(after + limit) : null } };
}
const FILTERS = ['owner_id', 'org_id', 'person_id', 'deal_id', 'lead_id', 'stage_id', 'pipeline_id'];
function list(ctx) {
	const { object } = ctx.options, q = ctx.query;
	const instant = name => {
		const v = q.get(name);
		if (v === null) return null;
		const ms = Date.parse(v);
		if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/.test(v) || Number.isNaN(ms)) throw errors.invalid(`${name}: Invalid datetime`);
		return ms;
	};
	const since = instant('updated_since'), until = instant('updated_until');
	const ids = q.get('ids') ? new Set(q.get('ids').split(',')) : null;
	const status = q.get('status') ? q.get('status').split(',') : null;
	let rows = [];
	for (const r of this.store.all(object, !!(status && status.includes('deleted')))) {
		const updated = Math.floor(r.updatedAt / 1000) * 1000;
		if ((since !== null && updated < since) || (until !== null && updated >= until) || (ids && !ids.has(r.id))) continue;
		if (FILTERS.some(f => q.get(f) !== null && String(r.props[f]) !== q.get(f))) continue;
		if (q.get('done') !== null && String(r.props.done) !== q.get('done')) continue;
		if (status && !status.includes(r.archived ? 'deleted' : r.props.status)) continue;
		rows.push(r);
	}
	const by = q.get('sort_by') || 'id', sign = q.get('sort_direction') === 'desc' ? -1 : 1;
	if (!['id', 'update_time', 'add_time', 'due_date'].includes(by)) throw errors.invalid(`sort_by: Invalid enum value '${by}'`);
	const key = r => ({ id: Number(r.id), update_time: Math.floor(r.updatedAt / 1000), add_time: Math.floor(r.createdAt / 1000), due_date: r.props.due_date || '' }[by]);
	rows = rows.sort((a, b) => { const x = key(a), y = key(b); return x === y ? Number(a.id) - Number(b.id) : (x < y ? -1 : 1) * sign; });
	const { page, additional_data } = pageOf(ctx, rows);
	return { status: 200, body: { success: true, data: page.map(r => render(this, object, r)), additional_data } };
}

function fieldsV2(ctx) {
	const object = fieldObject(ctx.params.fields);
	const withRequired = (ctx.query.get('include_fields') || '').includes('required_fields');
	const rows = [...this.schema.fields(object).values()].map(f => ({
		field_name: f.label, field_code: f.name, field_type: f.type, options: f.options ? f.options.map(o => ({ id: o.value, label: o.label || String(o.value) })) : null, subfields: null, is_custom_field: !!f.custom,
		is_optional_response_field: false, ...(withRequired ? { required_fields: { enabled: !!f.required } } : {}) }));
	const { page, additional_data } = pageOf(ctx, rows);
	return { status: 200, body: { success: true, data: page, additional_data } };
}
const pipelines = function p() { return { status: 200, body: { success: true, data: this.pipelines, additional_data: { next_cursor: null } } }; };
function stages(ctx) {
	const p = ctx.query.get('pipeline_id');
	return { status: 200, body: { success: true, data: this.stages.filter(s => !p || String(s.pipeline_id) === p), additional_data: { next_cursor: null } } };
}
module.exports = { render, derive, create, read, update, remove, list, fieldsV2, fieldObject, pipelines, stages, LABEL, pageOf };
