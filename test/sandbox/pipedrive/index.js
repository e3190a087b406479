'use strict';
// The Pipedrive dialect.
const { Dialect } = require('../lib/dialect');
const { HttpError } = require('../lib/errors');
const errors = require('./errors');
const v2 = require('./v2');
const v1 = require('./v1');
const search = require('./search');
const fields = require('./fields.json');

const BURST = 'burst', SEARCH = 'search', DAY = 'daily';
// Tokens of the daily budget per operation.
const COST = { create: 5, update: 5, read: 1, list: 10, search: 20, delete: 3, call_create: 10, lead_create: 10, note_create: 5, users: 2, fields: 5, field_create: 5, recents: 10, merge: 20 };
const BAN = '<!DOCTYPE html><html><head><title>Access denied | api.pipedrive.com used Cloudflare to restrict access</title></head><body><h1>Error 1015</h1><p>You are being rate limited</p></body></html>';

class Pipedrive extends Dialect {
	constructor(sandbox) {
		super(sandbox, 'pipedrive', {
			schema: fields,
			tokens: { lifetime_ms: 3600000, rotate: false, refresh_idle_ms: 60 * 86400000 },
			limits: [
				{ name: BURST, max: 20, ms: 2000, ops: '^(?!search$)', flat: true },
				{ name: SEARCH, max: 10, ms: 2000, ops: '^search$', flat: true },
				{ name: DAY, max: 30000, kind: 'day' },
			],
			// unknown_keys: ignore | reject; ban_after: refusals within 10 s until the edge answers with a page
			config: { unknown_keys: 'ignore', create_status: 200, api_domain: null, ban_after: 20, ban_ms: 30000 },
		});
		this.defaultHeaders = { 'Content-Type': 'application/json; charset=utf-8' };
		this.companyId = 7100001;
		this.users = [[23001, 'Ava Lopez', 'ava.lopez@example.com'], [23002, 'Ben Okafor', 'ben.okafor@example.com'], [23003, 'Chris Meyer', 'chris.meyer@example.com']]
			.map(([id, name, email], i) => ({ id, name, email, active_flag: true, is_you: i === 0, default_currency: 'USD', timezone_name: 'America/New_York' }));
		this.pipelines = [{ id: 1, name: 'Sales', order_nr: 1, is_deleted: false }];
		this.stages = ['Qualified', 'Contact Made', 'Demo Scheduled', 'Proposal Made', 'Negotiations Started'].map((name, i) => ({ id: i + 1, name, pipeline_id: 1, order_nr: i + 1, is_deleted: false }));
		this.activityTypes = [['call', 'Call'], ['meeting', 'Meeting'], ['task', 'Task'], ['deadline', 'Deadline'], ['email', 'Email'], ['lunch', 'Lunch']].map(([key_string, name], i) => ({ id: i + 1, key_string, name, active_flag: true, is_custom_flag: false, order_nr: i + 1 }));
		this.#routes();
	}
	seedStore() {
		this.refusals = [];
		this.bannedUntil = 0;
		for (const o of [...this.schema.objects.keys(), 'webhooks']) this.store.table(o);
	}
	seedRecord(object, props) {
		const p = { ...props };
		for (const k of ['phones', 'emails']) if (Array.isArray(p[k])) p[k] = p[k].map((x, i) => (typeof x === 'string' ? { value: x, primary: i === 0, label: 'work' } : x));
		return super.seedRecord(object, v2.LABEL[object] ? v2.derive(this, object, p, p) : p);
	}
	newId(object) { return String(this.store.newNumber(object, 1)); }

	/* ---- words ---- */
	body(ctx) {
		const type = ctx.headers['content-type'] || '';
		if (ctx.body.length && !/json/.test(type) && !/urlencoded/.test(type)) throw errors.fail(415, 'Unsupported Media Type');
		const b = /urlencoded/.test(type) ? this.form(ctx) : this.json(ctx);
		if (b === undefined) throw errors.invalid('body: Required');
		return b;
	}
	badJson(ctx, e) { return errors.fail(400, `Invalid JSON: ${e.message}`); }
	noRoute(ctx, found) { return found ? errors.fail(405, 'Method not allowed') : errors.fail(404, 'Unknown method .'); }
	denied() { return errors.fail(401, 'unauthorized access', { errorCode: 401 }); }
	credential(ctx) { return ctx.headers['x-api-token'] || super.credential(ctx); }
	cost(ctx) { return COST[ctx.route.op] || 1; }

	async handle(ctx, found) {
		if (this.bannedUntil > this.clock.now()) throw new HttpError(403, BAN, { 'Content-Type': 'text/html; charset=UTF-8', Server: 'cloudflare' });
		return super.handle(ctx, found);
	}
	throttled(ctx, w) {
		const now = this.clock.now();
		if (this.limits.enabled) {
			this.refusals = this.refusals.filter(t => t > now - 10000);
			this.refusals.push(now);
			// who goes on after many refusals is stopped at the edge, with a page instead of JSON
			if (this.refusals.length >= this.config.ban_after) { this.bannedUntil = now + this.config.ban_ms; this.refusals = []; }
		}
		return errors.fail(429, w.name === DAY ? 'Daily API token budget exceeded' : 'request over limit', { errorCode: 429 });
	}
	limitHeaders(ctx) {
		if (!this.limits.enabled) return;
		const now = this.clock.now(), day = this.limits.window(DAY);
		const w = this.limits.window(ctx.route.op === 'search' ? SEARCH : BURST);
		Object.assign(ctx.replyHeaders, { 'x-ratelimit-limit': w.max, 'x-ratelimit-remaining': w.remaining(now), 'x-ratelimit-reset': Math.ceil(w.ms / 1000), 'x-daily-requests-left': day.remaining(now), 'x-daily-ratelimit-token-remaining': day.remaining(now) });
	}
	faultReply(kind, act) {
		const of = e => ({ status: e.status, headers: e.headers, body: e.body });
		switch (kind) {
		case 'throttle': case 429: return of(errors.fail(429, 'request over limit', { errorCode: 429 }));
		case 400: return of(errors.invalid('fault of the sandbox'));
		case 401: return of(this.denied());
		case 403: return act.html ? { status: 403, headers: { 'Content-Type': 'text/html; charset=UTF-8' }, body: BAN } : of(errors.fail(403, 'You do not have permission to do this', { code: 'ERR_FORBIDDEN' }));
		case 404: return of(errors.notFound('Person'));
		case 410: return of(errors.fail(410, 'The requested resource is gone'));
		default: return of(errors.fail(kind, kind === 503 ? 'Scheduled maintenance' : 'Internal server error'));
		}
	}

	/* ---- OAuth: Basic credentials, the refresh token stays the same ---- */
	token(ctx) {
		const m = /^Basic (.+)$/.exec(ctx.headers.authorization || '');
		const [id, secret] = m ? Buffer.from(m[1], 'base64').toString().split(/:(.*)/s) : [];
		const refuse = (status, error, message) => ({ status, body: { success: false, message, error } });
		if (!this.tokens.clientOk(id, secret)) return refuse(401, 'invalid_client', 'Invalid client: client is invalid');
		const b = this.form(ctx);
		let got;
		if (b.grant_type === 'refresh_token') got = this.tokens.useRefresh(b.refresh_token);
		else if (b.grant_type === 'authorization_code') { const f = this.tokens.newFamily(); got = { access: this.tokens.issueAccess(f), refresh: f.refresh, lifetime_s: this.tokens.config.lifetime_ms / 1000 }; } else return refuse(400, 'unsupported_grant_type', 'Unsupported grant type');
		if (got.error) return refuse(400, 'invalid_grant', 'Invalid grant: refresh token is invalid');
		return { status: 200, body: { access_token: got.access, token_type: 'bearer', refresh_token: got.refresh, scope: 'base contacts:full activities:full deals:full', expires_in: Math.round(got.lifetime_s), api_domain: this.config.api_domain || ctx.base } };
	}

	#routes() {
		for (const object of ['persons', 'organizations', 'deals', 'activities']) {
			const o = { object };
			if (object !== 'activities') this.route('GET', `/api/v2/${object}/search`, 'search', search.searchOne, o);
			this.route('POST', `/api/v2/${object}`, 'create', v2.create, o);
			this.route('GET', `/api/v2/${object}`, 'list', v2.list, o);
			this.route('GET', `/api/v2/${object}/:id`, 'read', v2.read, o);
			this.route('PATCH', `/api/v2/${object}/:id`, 'update', v2.update, o);
			this.route('DELETE', `/api/v2/${object}/:id`, 'delete', v2.remove, o);
		}
		this.route('GET', '/api/v2/leads/search', 'search', search.searchOne, { object: 'leads' });
		this.route('GET', '/api/v2/itemSearch', 'search', search.searchItems);
		const FIELDS = ':fields(personFields|organizationFields|dealFields|activityFields)';
		this.route('GET', `/api/v2/${FIELDS}`, 'fields', v2.fieldsV2);
		this.route('POST', `/api/v2/${FIELDS}`, 'field_create', v1.createField);
		this.route('GET', '/api/v2/pipelines', 'fields', v2.pipelines);
		this.route('GET', '/api/v2/stages', 'fields', v2.stages);
		for (const base of ['/v1', '/api/v1']) {
			const r = (method, path, op, handler) => this.route(method, base + path, op, handler);
			r('POST', '/callLogs', 'call_create', v1.createCall);
			r('GET', '/callLogs', 'list', v1.listCalls);
			r('GET', '/callLogs/:id', 'read', v1.readCall);
			r('DELETE', '/callLogs/:id', 'delete', v1.removeCall);
			r('POST', '/callLogs/:id/recordings', 'recording', v1.recording);
			r('POST', '/leads', 'lead_create', v1.createLead);
			r('GET', '/leads', 'list', v1.listLeads);
			r('GET', '/leads/:id', 'read', v1.readLead);
			r('PATCH', '/leads/:id', 'update', v1.updateLead);
			r('DELETE', '/leads/:id', 'delete', v1.removeLead);
			r('POST', '/notes', 'note_create', v1.createNote);
			r('GET', '/notes', 'list', v1.listNotes);
			r('GET', '/notes/:id', 'read', v1.readNote);
			r('PUT', '/notes/:id', 'update', v1.updateNote);
			r('DELETE', '/notes/:id', 'delete', v1.removeNote);
			r('GET', '/users', 'users', v1.users);
			r('GET', '/users/me', 'users', v1.me);
			r('GET', '/users/find', 'users', v1.findUsers);
			r('GET', '/activityTypes', 'fields', v1.activityTypes);
			r('GET', '/recents', 'recents', v1.recents);
			r('POST', '/webhooks', 'webhook_create', v1.createHook);
			r('GET', '/webhooks', 'list', v1.listHooks);
			r('DELETE', '/webhooks/:id', 'delete', v1.removeHook);
			r('POST', `/${FIELDS}`, 'field_create', v1.createField);
			r('PUT', '/persons/:id/merge', 'merge', v1.merge);
			for (const m of ['GET', 'POST']) r(m, '/:gone(persons|organizations|deals|activities)', 'gone', v1.gone);
			for (const m of ['GET', 'PUT', 'DELETE']) r(m, '/:gone(persons|organizations|deals|activities)/:id', 'gone', v1.gone);
		}
		this.route('POST', '/oauth/token', 'token', this.token, { open: true });
	}
}
module.exports = Pipedrive;
