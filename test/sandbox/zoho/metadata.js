'use strict';
// settings/*: fields, layouts, modules; users, org; notification channels.
const errors = require('./errors');
const values = require('./values');

// Every field has a length, also those without text (the vendor's SDK takes 0 for "no such field").
const LENGTH = { bigint: 20, integer: 9, double: 16, currency: 16, boolean: 5, date: 20, datetime: 120 };
const TYPE = { call_duration: 'text', module_name: 'text', parent: 'lookup', json: 'jsonobject', participants: 'jsonarray' };

function field(f, i) {
	return { id: `5725767000000${String(2000 + i)}`, api_name: f.name, field_label: f.label, display_label: f.label, data_type: TYPE[f.type] || f.type, json_type: { integer: 'integer', currency: 'double', double: 'double', boolean: 'boolean', lookup: 'jsonobject', ownerlookup: 'jsonobject', multi_module_lookup: 'jsonobject', parent: 'jsonobject', participants: 'jsonarray', json: 'jsonobject' }[f.type] || 'string',
		length: f.max || LENGTH[f.type] || 120, system_mandatory: !!f.mandatory, read_only: !!f.readonly, field_read_only: !!f.readonly, custom_field: !!f.custom, visible: true, webhook: true,
		pick_list_values: (f.options || []).map((o, n) => ({ display_value: o.label || o.value, actual_value: o.value, sequence_number: n + 1, type: 'used' })), unique: f.unique ? { casesensitive: false } : {}, external: f.external ? { type: f.external, show: true } : null,
		lookup: f.module ? { module: { api_name: f.module } } : {}, operation_type: { web_create: !f.readonly, web_update: !f.readonly, api_create: !f.readonly, api_update: !f.readonly } };
}
function moduleOf(ctx) {
	const m = ctx.query.get('module');
	if (!m) throw errors.fail(400, 'REQUIRED_PARAM_MISSING', 'One of the expected parameter is missing', { param_name: 'module' });
	return ctx.dialect.needModule(m);
}
function fields(ctx) {
	const module = moduleOf(ctx);
	return { status: 200, body: { fields: [...this.schema.fields(module).values()].filter(f => f.perm !== 'forbidden').map(field) } };
}
function createFields(ctx) {
	const module = moduleOf(ctx), b = this.body(ctx);
	if (!b || !Array.isArray(b.fields)) throw errors.fail(400, 'MANDATORY_NOT_FOUND', 'required field not found', { api_name: 'fields', json_path: '$.fields' });
	return { status: 201, body: { fields: b.fields.map((f, i) => {
		if (!f.field_label || !f.data_type) return errors.item('MANDATORY_NOT_FOUND', 'required field not found', { api_name: f.field_label ? 'data_type' : 'field_label', json_path: `$.fields[${i}]` });
		const name = f.field_label.trim().replace(/[^A-Za-z0-9]+/g, '_');
		if (this.schema.field(module, name)) return errors.item('DUPLICATE_DATA', 'duplicate data', { api_name: 'field_label', json_path: `$.fields[${i}].field_label` });
		this.schema.add(module, { name, label: f.field_label, type: f.data_type, max: f.length || 255, custom: true, unique: !!(f.unique && f.unique.casesensitive !== undefined), external: f.external && f.external.type, options: (f.pick_list_values || []).map(o => ({ value: o.actual_value || o.display_value, label: o.display_value })) });
		if (this.schema.field(module, name).unique) this.store.defineUnique(module, name, values.keyOf);
		return { code: 'SUCCESS', details: { id: `5725767000009${i}`, api_name: name }, message: 'field created', status: 'success' };
	}) } };
}
// What a layout requires is not what the system requires.
function layouts(ctx) {
	const module = moduleOf(ctx);
	return { status: 200, body: { layouts: [{ id: '5725767000000091055', name: 'Standard', api_name: 'Standard', status: 'active', visible: true, sections: [{ api_name: `${module} Information`, fields: [...this.schema.fields(module).values()].map((f, i) => ({ ...field(f, i), required: !!(f.mandatory || f.required) })) }] }] } };
}
function modules() {
	return { status: 200, body: { modules: [...this.schema.objects.keys()].map((m, i) => ({ id: `57257670000000${2100 + i}`, api_name: m, module_name: m, singular_label: m.replace(/ies$/, 'y').replace(/s$/, ''), plural_label: m, api_supported: true, creatable: true, editable: true, deletable: true, viewable: true, generated_type: 'default', status: 'visible' })) } };
}
function users(ctx) {
	if (ctx.params.id) {
		const u = this.users.find(x => x.id === ctx.params.id);
		return u ? { status: 200, body: { users: [u] } } : { status: 204 };
	}
	return { status: 200, body: { users: this.users, info: { per_page: 200, count: this.users.length, page: 1, more_records: false } } };
}
const org = function org() { return { status: 200, body: { org: [{ id: '5725767000000020005', zgid: '680266291', company_name: 'Sandbox', time_zone: 'America/New_York', iso_code: 'USD', currency: 'US Dollar - USD', license_details: { paid: true, paid_type: 'enterprise' } }] } }; };

const WEEK = 7 * 86400000, HOUR = 3600000;
function watch(ctx) {
	if (ctx.method === 'GET') {
		const rows = [...this.store.all('watch')];
		return rows.length ? { status: 200, body: { watch: rows.map(r => r.props) } } : { status: 204 };
	}
	if (ctx.method === 'DELETE') {
		const ids = (ctx.query.get('channel_ids') || '').split(',');
		for (const r of [...this.store.all('watch')]) if (ids.includes(r.props.channel_id)) ctx.writer.archive('watch', r.id);
		return { status: 200, body: { watch: ids.map(id => ({ code: 'SUCCESS', details: { channel_id: id }, message: 'Successfully un-subscribed', status: 'success' })) } };
	}
	const b = this.body(ctx);
	if (!b || !Array.isArray(b.watch)) throw errors.fail(400, 'MANDATORY_NOT_FOUND', 'required field not found', { api_name: 'watch' });
	const out = b.watch.map((w, i) => {
		const at = `$.watch[${i}]`;
		for (const k of ['channel_id', 'events', 'notify_url']) if (!w[k]) return errors.item('MANDATORY_NOT_FOUND', 'required field not found', { api_name: k, json_path: `${at}.${k}` });
		if (w.token && w.token.length > 50) return errors.item('INVALID_DATA', 'invalid data', { maximum_length: 50, api_name: 'token', json_path: `${at}.token` });
		const until = w.channel_expiry ? values.parse(w.channel_expiry) : ctx.now + HOUR;
		if (Number.isNaN(until) || until > ctx.now + WEEK) return errors.item('INVALID_DATA', 'invalid data', { api_name: 'channel_expiry', json_path: `${at}.channel_expiry` });
		const props = { ...w, channel_expiry: values.show(until, this.config.utc_offset_min) };
		const old = [...this.store.all('watch')].find(r => r.props.channel_id === w.channel_id);
		if (old) ctx.writer.update('watch', old.id, props); else ctx.writer.create('watch', this.newId('watch'), props);
		return { code: 'SUCCESS', details: { events: w.events.map(e => ({ channel_expiry: props.channel_expiry, resource_uri: `${ctx.base}/crm/v8/${e.split('.')[0]}`, resource_name: e.split('.')[0], channel_id: w.channel_id })) }, message: 'Successfully subscribed for actions-watch of the given module', status: 'success' };
	});
	return { status: out.every(o => o.status === 'success') ? 202 : 400, body: { watch: out } };
}
module.exports = { fields, createFields, layouts, modules, users, org, watch };
