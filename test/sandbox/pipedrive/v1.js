'use strict';
// What still lives in v1 only: call logs, leads, notes, users, activity types, recents, webhooks,
// creating custom fields, merging. The v1 twins of v2 endpoints are gone.
const crypto = require('crypto');
const errors = require('./errors');
const values = require('./values');
const v2 = require('./v2');

const ok = (data, more) => ({ success: true, data, ...more });

function renderFlat(dialect, object, r, id) {
	const out = { id };
	for (const f of dialect.schema.fields(object).values()) {
		if (['id', 'is_deleted'].includes(f.name)) continue;
		if (f.name === 'add_time') out.add_time = new Date(r.createdAt).toISOString();
		else if (f.name === 'update_time') out.update_time = new Date(r.updatedAt).toISOString();
		else out[f.name] = r.props[f.name] ?? null;
	}
	return out;
}

/* ---- call logs ---- */

function createCall(ctx) {
	const body = this.body(ctx);
	if (body.deal_id !== undefined && body.deal_id !== null && body.lead_id !== undefined && body.lead_id !== null) throw errors.parameter('"deal_id" and "lead_id" cannot be given together.');
	const props = values.check(ctx, 'callLogs', body, null, false);
	if (props.duration === undefined) props.duration = String(Math.max(0, Math.round((Date.parse(props.end_time) - Date.parse(props.start_time)) / 1000)));
	if (!/^\d+$/.test(props.duration)) throw errors.parameter('"duration" must be a number of seconds.');
	if (props.user_id === undefined) props.user_id = this.users[0].id;
	if (props.activity_id !== undefined) {
		// With an activity the links given here count for nothing.
		const a = this.store.get('activities', props.activity_id);
		if (a.props.type !== 'call') throw errors.parameter('"activity_id" must refer to an activity of type call.');
		for (const k of ['person_id', 'org_id', 'deal_id', 'lead_id']) { if (a.props[k] === undefined) delete props[k]; else props[k] = a.props[k]; }
	} else {
		const start = props.start_time;
		const length = Number(props.duration), pad = n => String(n).padStart(2, '0');
		const activity = { subject: props.subject || 'Call', type: 'call', done: true, owner_id: props.user_id, due_date: start.slice(0, 10), due_time: start.slice(11, 19), duration: `${pad(Math.floor(length / 3600))}:${pad(Math.floor(length / 60) % 60)}:${pad(length % 60)}`, note: props.note,
			deal_id: props.deal_id, lead_id: props.lead_id, org_id: props.org_id, participants: props.person_id === undefined ? undefined : [{ person_id: props.person_id, primary: true }] };
		for (const k of Object.keys(activity)) if (activity[k] === undefined) delete activity[k];
		const a = ctx.writer.create('activities', this.newId('activities'), v2.derive(this, 'activities', activity, activity));
		props.activity_id = Number(a.id);
	}
	if (!props.subject) props.subject = 'Call';
	const id = crypto.createHash('md5').update(`call ${this.store.newNumber('callLogs', 1)}`).digest('hex');
	const r = ctx.writer.create('callLogs', id, props);
	return { status: 200, body: ok({ ...renderFlat(this, 'callLogs', r, r.id), company_id: this.companyId, has_recording: false }) };
}
function call(ctx) {
	const r = this.store.get('callLogs', ctx.params.id);
	if (!r) throw errors.notFound('Call log');
	return r;
}
const renderCall = (dialect, r) => ({ ...renderFlat(dialect, 'callLogs', r, r.id), company_id: dialect.companyId, has_recording: !!r.props.has_recording });
function readCall(ctx) { return { status: 200, body: ok(renderCall(this, call.call(this, ctx))) }; }
function removeCall(ctx) {
	ctx.writer.archive('callLogs', call.call(this, ctx).id);
	return { status: 200, body: { success: true } };
}
function startPage(ctx, rows, render) {
	const start = Number(ctx.query.get('start') || 0), limit = Math.min(Number(ctx.query.get('limit') || 100), 500);
	const more = start + limit < rows.length;
	return ok(rows.slice(start, start + limit).map(render), { additional_data: { pagination: { start, limit, more_items_in_collection: more, ...(more ? { next_start: start + limit } : {}) } } });
}
function listCalls(ctx) { return { status: 200, body: startPage(ctx, [...this.store.all('callLogs')].reverse(), r => renderCall(this, r)) }; }
function recording(ctx) {
	const r = call.call(this, ctx);
	if (!/^multipart\/form-data;\s*boundary=/.test(ctx.headers['content-type'] || '') || !/name="file"/.test(ctx.body.toString('latin1'))) throw errors.parameter('A file is required.');
	ctx.writer.update('callLogs', r.id, { ...r.props, has_recording: true });
	return { status: 200, body: { success: true } };
}

/* ---- leads and notes ---- */

function createLead(ctx) {
	const body = this.body(ctx);
	const props = values.check(ctx, 'leads', body, null, false);
	if (props.person_id === undefined && props.organization_id === undefined) throw errors.parameter('A lead must be linked to a person or an organization.');
	if (props.owner_id === undefined) props.owner_id = this.users[0].id;
	const n = crypto.createHash('md5').update(`lead ${this.store.newNumber('leads', 1)}`).digest('hex');
	const id = `${n.slice(0, 8)}-${n.slice(8, 12)}-11ed-${n.slice(16, 20)}-${n.slice(20)}`;
	const r = ctx.writer.create('leads', id, props);
	return { status: 201, body: ok(renderLead(this, r)) };
}
const renderLead = (dialect, r) => ({ ...renderFlat(dialect, 'leads', r, r.id), is_archived: r.props.is_archived ?? false, label_ids: r.props.label_ids || [] });
function lead(ctx) {
	const r = this.store.get('leads', ctx.params.id);
	if (!r) throw errors.notFound('Lead');
	return r;
}
function readLead(ctx) { return { status: 200, body: ok(renderLead(this, lead.call(this, ctx))) }; }
function updateLead(ctx) {
	const r = lead.call(this, ctx);
	return { status: 200, body: ok(renderLead(this, ctx.writer.update('leads', r.id, values.check(ctx, 'leads', this.body(ctx), r, false)))) };
}
function removeLead(ctx) {
	const r = lead.call(this, ctx);
	ctx.writer.archive('leads', r.id);
	return { status: 200, body: ok({ id: r.id }) };
}
function listLeads(ctx) {
	const rows = [...this.store.all('leads')].filter(r => ['person_id', 'organization_id', 'owner_id'].every(k => ctx.query.get(k) === null || String(r.props[k]) === ctx.query.get(k)));
	return { status: 200, body: startPage(ctx, rows, r => renderLead(this, r)) };
}

function createNote(ctx) {
	const props = values.check(ctx, 'notes', this.body(ctx), null, false);
	if (['person_id', 'deal_id', 'org_id', 'lead_id'].every(k => props[k] === undefined)) throw errors.parameter('A note must be attached to a deal, person, organization or lead.');
	if (props.user_id === undefined) props.user_id = this.users[0].id;
	return { status: 201, body: ok(renderNote(this, ctx.writer.create('notes', this.newId('notes'), props))) };
}
const renderNote = (dialect, r) => ({ ...renderFlat(dialect, 'notes', r, Number(r.id)), active_flag: !r.archived });
function note(ctx) {
	const r = this.store.get('notes', ctx.params.id);
	if (!r) throw errors.notFound('Note');
	return r;
}
function readNote(ctx) { return { status: 200, body: ok(renderNote(this, note.call(this, ctx))) }; }
function updateNote(ctx) {
	const r = note.call(this, ctx);
	return { status: 200, body: ok(renderNote(this, ctx.writer.update('notes', r.id, values.check(ctx, 'notes', this.body(ctx), r, false)))) };
}
function removeNote(ctx) { ctx.writer.archive('notes', note.call(this, ctx).id); return { status: 200, body: ok(true) }; }
function listNotes(ctx) {
	const rows = [...this.store.all('notes')].filter(r => ['person_id', 'deal_id', 'org_id', 'lead_id'].every(k => ctx.query.get(k) === null || String(r.props[k]) === ctx.query.get(k)));
	return { status: 200, body: startPage(ctx, rows, r => renderNote(this, r)) };
}

/* ---- the rest ---- */

function users() { return { status: 200, body: ok(this.users) }; }
function me() { return { status: 200, body: ok({ ...this.users[0], company_id: this.companyId, company_domain: 'sandbox' }) }; }
function findUsers(ctx) {
	const term = (ctx.query.get('term') || '').toLowerCase(), byMail = ctx.query.get('search_by_email') === '1';
	if (!term) throw errors.parameter('"term" is required.');
	return { status: 200, body: ok(this.users.filter(u => (byMail ? u.email : u.name).toLowerCase().includes(term))) };
}
function activityTypes() { return { status: 200, body: ok(this.activityTypes) }; }

const SINGULAR = { persons: 'person', organizations: 'organization', deals: 'deal', activities: 'activity', notes: 'note' };
function recents(ctx) {
	const since = ctx.query.get('since_timestamp') || '';
	const ms = Date.parse(since.replace(' ', 'T') + 'Z');
	if (!/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(since) || Number.isNaN(ms)) throw errors.parameter('"since_timestamp" must be in the format YYYY-MM-DD HH:MM:SS.');
	const items = (ctx.query.get('items') || Object.values(SINGULAR).join(',')).split(',');
	const rows = [];
	for (const [object, name] of Object.entries(SINGULAR)) {
		if (!items.includes(name)) continue;
		for (const r of this.store.all(object, true)) if (r.updatedAt >= ms) rows.push([r, name, object]);
	}
	rows.sort((a, b) => a[0].updatedAt - b[0].updatedAt || a[0].seq - b[0].seq);
	return { status: 200, body: startPage(ctx, rows, ([r, name, object]) => ({ item: name, id: Number(r.id), data: object === 'notes' ? renderNote(this, r) : { ...v2.render(this, object, r), active_flag: !r.archived } })) };
}

const MAX_HOOKS = 40;
function createHook(ctx) {
	const b = this.body(ctx);
	for (const k of ['subscription_url', 'event_action', 'event_object']) if (!b[k]) throw errors.parameter(`"${k}" is required.`);
	if (this.store.count('webhooks') >= MAX_HOOKS) throw errors.fail(400, `Maximum number of webhooks (${MAX_HOOKS}) reached`);
	const r = ctx.writer.create('webhooks', this.newId('webhooks'), { ...b, version: b.version || '2.0' });
	return { status: 201, body: ok({ id: Number(r.id), company_id: this.companyId, ...r.props, http_auth_password: undefined, is_active: 1 }) };
}
function listHooks() { return { status: 200, body: ok([...this.store.all('webhooks')].map(r => ({ id: Number(r.id), ...r.props, http_auth_password: undefined, is_active: 1 }))) }; }
function removeHook(ctx) {
	if (!this.store.get('webhooks', ctx.params.id)) throw errors.notFound('Webhook');
	ctx.writer.archive('webhooks', ctx.params.id);
	return { status: 200, body: { success: true } };
}

const TYPES = ['varchar', 'varchar_auto', 'text', 'double', 'enum', 'set', 'date', 'time', 'phone', 'monetary'];
function createField(ctx) {
	const object = v2.fieldObject(ctx.params.fields), b = this.body(ctx);
	const label = b.name || b.field_name, type = b.field_type;
	if (!label) throw errors.parameter('"name" is required.');
	if (!TYPES.includes(type)) throw errors.parameter(`"field_type" must be one of [${TYPES.join(', ')}].`);
	if (['enum', 'set'].includes(type) && !Array.isArray(b.options)) throw errors.parameter('"options" are required.');
	const code = crypto.createHash('sha1').update(`${object} ${label} ${this.store.newNumber('fields', 1)}`).digest('hex');
	const options = b.options && b.options.map(o => ({ value: 1000 + this.store.newNumber('options', 1), label: o.label }));
	this.schema.add(object, { name: code, label, type, custom: true, options });
	return { status: ctx.path.includes('/v2/') ? 200 : 201, body: ok({ key: code, field_code: code, name: label, field_name: label, field_type: type, options: options ? options.map(o => ({ id: o.value, label: o.label })) : null }) };
}
// id is merged into merge_with_id, which survives.
function merge(ctx) {
	const gone = this.store.get('persons', ctx.params.id), keep = this.store.get('persons', String(this.body(ctx).merge_with_id));
	if (!gone || !keep) throw errors.notFound('Person');
	const union = k => { const seen = new Set((keep.props[k] || []).map(x => x.value)); return [...(keep.props[k] || []), ...(gone.props[k] || []).filter(x => !seen.has(x.value)).map(x => ({ ...x, primary: false }))]; };
	const props = { ...gone.props, ...keep.props, emails: union('emails'), phones: union('phones') };
	for (const object of ['activities', 'deals', 'callLogs', 'notes', 'leads']) {
		for (const r of this.store.all(object)) {
			if (r.props.person_id !== Number(gone.id)) continue;
			const next = { ...r.props, person_id: Number(keep.id) };
			if (next.participants) next.participants = next.participants.map(p => (p.person_id === Number(gone.id) ? { ...p, person_id: Number(keep.id) } : p));
			ctx.writer.update(object, r.id, next);
		}
	}
	ctx.writer.archive('persons', gone.id);
	return { status: 200, body: ok({ id: Number(keep.id), ...v2.render(this, 'persons', ctx.writer.update('persons', keep.id, props)) }) };
}
function gone() { throw errors.fail(410, 'This endpoint is out of support; use API v2.', { code: 'ERR_GONE' }); }

module.exports = { createCall, readCall, removeCall, listCalls, recording, createLead, readLead, updateLead, removeLead, listLeads, createNote, readNote, updateNote, removeNote, listNotes,
	users, me, findUsers, activityTypes, recents, createHook, listHooks, removeHook, createField, merge, gone };
