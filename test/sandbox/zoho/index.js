'use strict';
// The Zoho CRM dialect.
const { Dialect } = require('../lib/dialect');
const errors = require('./errors');
const records = require('./records');
const { search, coql } = require('./search');
const metadata = require('./metadata');
const values = require('./values');
const schema = require('./fields.json');

const CREDITS = 'credits';

class Zoho extends Dialect {
	constructor(sandbox) {
		super(sandbox, 'zoho', {
			schema,
			tokens: { lifetime_ms: 3600000, rotate: false, max_per_window: 10, window_ms: 600000, max_active: 30 },
			limits: [{ name: CREDITS, max: 50000, ms: 86400000 }],
			config: { utc_offset_min: -300, accept_z: true, api_domain: null },
		});
		this.defaultHeaders = { 'Content-Type': 'application/json;charset=UTF-8' };
		this.users = [['5725767000000411001', 'Ava', 'Lopez'], ['5725767000000411002', 'Ben', 'Okafor'], ['5725767000000411003', 'Chris', 'Meyer']]
			.map(([id, first_name, last_name]) => ({ id, first_name, last_name, full_name: `${first_name} ${last_name}`, email: `${first_name}.${last_name}@example.com`.toLowerCase(), status: 'active', role: { name: 'Manager', id: '5725767000000026008' }, profile: { name: 'Standard', id: '5725767000000026014' } }));
		this.#routes();
	}
	seedStore() {
		this.pageTokens = new Map();
		for (const [module, list] of this.schema.objects) {
			this.store.table(module);
			for (const f of list.values()) if (f.unique) this.store.defineUnique(module, f.name, values.keyOf);
		}
	}
	schemaChanged(a) {
		if (!a.object) return;
		for (const f of this.schema.fields(a.object).values()) if (f.unique && !this.store.isUnique(a.object, f.name)) this.store.defineUnique(a.object, f.name, values.keyOf);
		for (const p of [...this.store.table(a.object).unique.keys()]) if (!this.schema.field(a.object, p)?.unique) this.store.dropUnique(a.object, p);
	}
	newId(object) { return `5725767000${String(this.store.newNumber(object, 1) * 10 + [...this.schema.objects.keys()].indexOf(object) + 1).padStart(9, '0')}`; }
	seedRecord(object, props) { return super.seedRecord(object, { Owner: { id: this.users[0].id }, ...props }); }
	needModule(text) {
		if (!this.schema.fields(text)) throw errors.fail(400, 'INVALID_MODULE', 'The module name given seems to be invalid', { resource_path_index: 0 });
		return text;
	}

	/* ---- words ---- */
	body(ctx) { return this.json(ctx); }
	badJson() { return errors.fail(400, 'INVALID_DATA', 'body', { expected_data_type: 'jsonobject' }); }
	noRoute(ctx, found) {
		return found ? errors.fail(405, 'INVALID_REQUEST_METHOD', 'The http request method type is not a valid one', {}) : errors.fail(404, 'INVALID_URL_PATTERN', 'Please check if the URL trying to access is a correct one', {});
	}
	credential(ctx) {
		const m = /^Zoho-oauthtoken\s+(\S+)$/i.exec(ctx.headers.authorization || '');
		return m ? m[1] : null;
	}
	denied(ctx, verdict) {
		return verdict === 'missing' && !ctx.headers.authorization ? errors.fail(401, 'AUTHENTICATION_FAILURE', 'Authentication failed', {}) : errors.fail(401, 'INVALID_TOKEN', 'invalid oauth token', {});
	}
	throttled(ctx, w) {
		return w.name === CREDITS ? errors.fail(429, 'LIMIT_EXCEEDED', 'You have exceeded the allotted API credits', {}) : errors.fail(429, 'TOO_MANY_REQUESTS', 'You have reached the maximum number of concurrent requests', {});
	}
	// Writes cost one credit per ten records.
	cost(ctx) {
		if (['create', 'update', 'upsert'].includes(ctx.route.op) && ctx.body.length) {
			try { return Math.max(1, Math.ceil(JSON.parse(ctx.body.toString('utf8')).data.length / 10)); } catch { return 1; }
		}
		return ctx.route.op === 'convert' ? 5 : 1;
	}
	limitHeaders(ctx) {
		if (!this.limits.enabled) return;
		const w = this.limits.window(CREDITS), now = this.clock.now();
		Object.assign(ctx.replyHeaders, { 'X-RATELIMIT-LIMIT': w.max, 'X-RATELIMIT-REMAINING': w.remaining(now), 'X-RATELIMIT-RESET': now + w.ms, 'X-API-CREDITS-REMAINING': w.remaining(now) });
	}
	faultReply(kind, act) {
		const of = e => ({ status: e.status, headers: e.headers, body: e.body });
		switch (kind) {
		case 'throttle': case 429: return of(this.throttled(null, { name: act.policy || 'concurrency' }));
		case 400: return of(errors.fail(400, act.code || 'INVALID_DATA', 'invalid data', {}));
		case 401: return of(act.scope ? errors.fail(401, 'OAUTH_SCOPE_MISMATCH', 'invalid oauth scope to access this URL', {}) : errors.fail(401, 'INVALID_TOKEN', 'invalid oauth token', {}));
		case 403: return of(errors.fail(403, 'NO_PERMISSION', 'permission denied', { permissions: ['Crm_Implied_View_Contacts'] }));
		case 404: return of(errors.wrongId('0', 404));
		case 409: return { status: 200, headers: {}, body: { data: [errors.item('DUPLICATE_DATA', 'duplicate data', { api_name: 'Email', json_path: '$.data[0].Email', id: act.existing_id || '1', duplicate_record: { id: act.existing_id || '1' } })] } };
		case 423: return of(errors.fail(400, 'RECORD_LOCKED', 'record locked', {}));
		default: return of(errors.fail(kind, 'INTERNAL_ERROR', 'Internal server error occurred.', {}));
		}
	}

	/* ---- tokens: errors of the token server come with 200 ---- */
	token(ctx) {
		const b = { ...Object.fromEntries(ctx.query), ...(ctx.body.length ? this.form(ctx) : {}) };
		if (b.client_id !== this.tokens.config.client_id) return { status: 200, body: { error: 'invalid_client' } };
		if (b.client_secret !== this.tokens.config.client_secret) return { status: 200, body: { error: 'invalid_client_secret' } };
		let got;
		if (b.grant_type === 'refresh_token') got = this.tokens.useRefresh(b.refresh_token);
		else if (b.grant_type === 'client_credentials' && b.soid) got = this.tokens.useClient();
		else if (b.grant_type === 'authorization_code') { const f = this.tokens.newFamily(); got = { access: this.tokens.issueAccess(f), first: f.refresh, lifetime_s: this.tokens.config.lifetime_ms / 1000 }; } else return { status: 200, body: { error: 'invalid_grant_type' } };
		if (got.error === 'too_many') return { status: 400, body: { error: 'Access Denied', error_description: 'You have made too many requests continuously. Please try again after some time.', status: 'failure' } };
		if (got.error) return { status: 200, body: { error: 'invalid_code' } };
		return { status: 200, body: { access_token: got.access, ...(got.first ? { refresh_token: got.first } : {}), scope: 'ZohoCRM.modules.ALL', api_domain: this.config.api_domain || ctx.base, token_type: 'Bearer', expires_in: Math.round(got.lifetime_s) } };
	}

	composite(ctx) {
		const b = this.body(ctx), list = b && b.__composite_requests;
		if (!Array.isArray(list)) throw errors.fail(400, 'MANDATORY_NOT_FOUND', 'required field not found', { api_name: '__composite_requests' });
		if (list.length > 5) throw errors.fail(400, 'LIMIT_EXCEEDED', 'no more than 5 requests', { limit: 5 });
		const all = b.rollback_on_fail === true;
		const touched = ctx.entry.touched.length;
		if (all) this.store.begin();
		const out = list.map(p => {
			const u = new URL(p.uri, 'http://inner');
			for (const [k, v] of Object.entries(p.params || {})) u.searchParams.set(k, v);
			const r = this.dispatch(ctx, { method: String(p.method).toUpperCase(), url: u.pathname + u.search, headers: Object.fromEntries(Object.entries(p.headers || {}).map(([k, v]) => [k.toLowerCase(), v])), body: Buffer.from(p.body === undefined ? '' : JSON.stringify(p.body)) });
			return { status_code: r.status, ...(p.sub_request_id ? { sub_request_id: p.sub_request_id } : {}), headers: {}, body: r.body === undefined ? null : r.body };
		});
		const failed = out.some(o => o.status_code >= 400);
		if (all && failed) { this.store.rollback(); ctx.entry.touched.length = touched; } else if (all) this.store.commit();
		return { status: failed ? (all ? 400 : 207) : 200, body: { __composite_requests: out } };
	}

	#routes() {
		// versions live side by side
		for (let v = 2; v <= 8; v++) {
			const add = (method, path, op, handler, options) => this.route(method, `/crm/:ver(v${v})${path}`, op, function withVersion(ctx) { ctx.params.ver = String(v); return handler.call(this, ctx); }, options);
			add('GET', '/settings/fields', 'describe', metadata.fields);
			add('POST', '/settings/fields', 'create_field', metadata.createFields);
			add('GET', '/settings/layouts', 'describe', metadata.layouts);
			add('GET', '/settings/modules', 'describe', metadata.modules);
			add('GET', '/users', 'users', metadata.users);
			add('GET', '/users/:id', 'users', metadata.users);
			add('GET', '/org', 'org', metadata.org);
			add('POST', '/coql', 'coql', coql);
			add('POST', '/__composite_requests', 'composite', this.composite, { outer: true });
			for (const m of ['POST', 'GET', 'PATCH', 'PUT', 'DELETE']) add(m, '/actions/watch', 'watch', metadata.watch);
			add('GET', '/:module/search', 'search', search);
			add('GET', '/:module/deleted', 'deleted', records.deleted);
			add('POST', '/:module/upsert', 'upsert', records.upsert);
			add('POST', '/Leads/:id/actions/convert', 'convert', records.convert);
			add('POST', '/:module', 'create', records.insert);
			add('PUT', '/:module', 'update', records.updateMany);
			add('GET', '/:module', 'list', records.list);
			add('DELETE', '/:module', 'delete', records.removeMany);
			add('GET', '/:module/:id', 'read', records.read);
			add('PUT', '/:module/:id', 'update', records.updateOne);
			add('DELETE', '/:module/:id', 'delete', records.remove);
			add('GET', '/:module/:id/:related', 'related', records.related);
			add('POST', '/:module/:id/Notes', 'create', records.addNote);
		}
		this.route('POST', '/oauth/v2/token', 'token', this.token, { open: true });
	}
}
module.exports = Zoho;
