'use strict';
// The Dynamics 365 (Dataverse Web API) dialect.
const crypto = require('crypto');
const { Dialect } = require('../lib/dialect');
const { HttpError } = require('../lib/errors');
const errors = require('./errors');
const rows = require('./rows');
const { batch } = require('./batch');
const metadata = require('./metadata');
const entities = require('./entities.json');

const BURST = 'requests', TIME = 'execution', SEARCH = 'search';
const USERS = [['a1d9c4ac-1111-4000-8000-000000000001', 'Callsync', 'Integration'], ['a1d9c4ac-1111-4000-8000-000000000002', 'Ava', 'Lopez'], ['a1d9c4ac-1111-4000-8000-000000000003', 'Ben', 'Okafor']];
const TEAMS = [['a1d9c4ac-2222-4000-8000-000000000001', 'service_dept'], ['a1d9c4ac-2222-4000-8000-000000000002', 'sales']];

class Dynamics extends Dialect {
	constructor(sandbox) {
		super(sandbox, 'dynamics', {
			schema: Object.fromEntries(Object.entries(entities).map(([set, e]) => [set, e.fields])),
			// a refresh gives a new refresh token and the old one stays valid
			tokens: { lifetime_ms: 3600000, rotate: true, keep_old: true },
			limits: [{ name: BURST, max: 6000, ms: 300000 }, { name: TIME, max: 1200000, ms: 300000, ops: '^$' }, { name: SEARCH, max: 1, ms: 1000, ops: '^search$', flat: true }],
			// duplicate_status: 500 as the documents show, or 412
			config: { duplicate_status: 500 },
		});
		this.entities = new Map(Object.entries(entities));
		this.limitConcurrency = 52;
		this.defaultHeaders = { 'Content-Type': 'application/json; odata.metadata=minimal' };
		this.#routes();
	}
	reset(keep) {
		super.reset(keep);
		if (!(keep || []).includes('limits')) this.limits.concurrency = this.limitConcurrency;
	}
	seedStore() {
		this.throttles = [];
		for (const [set, list] of this.schema.objects) {
			this.store.table(set);
			for (const f of list.values()) if (f.alternateKey) this.store.defineUnique(set, f.name, v => String(v).toLowerCase());
		}
		for (const [id, firstname, lastname] of USERS) this.store.create('systemusers', id, { firstname, lastname, fullname: `${firstname} ${lastname}`, internalemailaddress: `${firstname}.${lastname}@example.com`.toLowerCase(), domainname: `${firstname}.${lastname}@example.com`.toLowerCase(), isdisabled: false });
		for (const [id, name] of TEAMS) this.store.create('teams', id, { name });
		this.me = USERS[0][0];
	}
	schemaChanged(a) {
		if (!a.object) return;
		for (const f of this.schema.fields(a.object).values()) if (f.alternateKey && !this.store.isUnique(a.object, f.name)) this.store.defineUnique(a.object, f.name, v => String(v).toLowerCase());
		for (const p of [...this.store.table(a.object).unique.keys()]) if (!this.schema.field(a.object, p)?.alternateKey) this.store.dropUnique(a.object, p);
	}

	entity(set) { return this.entities.get(set); }
	setOf(logical) { for (const [set, e] of this.entities) if (e.logical === logical) return set; return null; }
	needSet(text) {
		if (!this.entities.has(text)) throw errors.fail(404, '0x8006088a', `Resource not found for the segment '${text}'.`);
		return text;
	}
	objectName(text) { return this.entities.has(text) ? text : this.setOf(text) || text; }
	newId() { return crypto.randomUUID(); }
	seedRecord(object, props) {
		const defaults = {};
		if (this.schema.field(object, 'ownerid')) defaults.ownerid = { id: this.me, logical: 'systemuser' };
		if (this.schema.field(object, 'statecode')) Object.assign(defaults, { statecode: 0, statuscode: this.schema.field(object, 'statuscode').options[0].value });
		return super.seedRecord(object, { ...defaults, ...props });
	}
	// A column of a row, computed ones included.
	value(set, r, name) {
		switch (name) {
		case 'createdon': return new Date(r.createdAt).toISOString().replace(/\.\d+Z$/, 'Z');
		case 'modifiedon': return new Date(r.updatedAt).toISOString().replace(/\.\d+Z$/, 'Z');
		case 'versionnumber': return r.seq;
		case 'fullname': return r.props.fullname ?? ([r.props.firstname, r.props.lastname].filter(Boolean).join(' ') || undefined);
		case 'ticketnumber': return `CAS-${String(r.seq).padStart(5, '0')}`;
		default: return name === this.entity(set).key ? r.id : r.props[name];
		}
	}

	/* ---- words ---- */
	body(ctx) {
		const b = this.json(ctx);
		if (b === undefined) throw errors.fail(400, '0x80048d19', 'Error identified in Payload provided by the user: the payload is empty');
		return b;
	}
	badJson(ctx, e) { return errors.fail(400, '0x80048d19', `Error identified in Payload provided by the user: ${e.message}`); }
	noRoute(ctx, found) {
		return found ? errors.fail(405, '0x80060888', `The requested resource does not support http method '${ctx.method}'.`) : errors.fail(404, '0x8006088a', `Resource not found for the segment '${ctx.path.split('/').pop()}'.`);
	}
	denied(ctx) {
		return new HttpError(401, null, { 'WWW-Authenticate': `Bearer authorization_uri="${ctx ? ctx.base : ''}/common/oauth2/authorize", resource_id="${ctx ? ctx.base : ''}/"` });
	}
	async handle(ctx, found) {
		const started = this.clock.now();
		const out = await super.handle(ctx, found).catch(e => this.#annotate(ctx, e));
		if (this.limits.enabled) this.limits.window(TIME).take(this.clock.now(), this.clock.now() - started + (this.config.latency_ms || 0));
		return out;
	}
	// Prefer: odata.include-annotations="*" makes errors more talkative.
	#annotate(ctx, e) {
		if (e instanceof HttpError && e.body && e.body.error && /include-annotations="?\*/.test(ctx.headers.prefer || '')) {
			e.body.error['@Microsoft.PowerApps.CDS.HelpLink'] = `http://go.microsoft.com/fwlink/?LinkID=398563&error=Microsoft.Crm.CrmException:${e.body.error.code}`;
			e.body.error['@Microsoft.PowerApps.CDS.ErrorDetails.OperationStatus'] = '0';
			e.body.error['@Microsoft.PowerApps.CDS.ErrorDetails.SubErrorCode'] = '2146233088';
			e.body.error['@Microsoft.PowerApps.CDS.TraceText'] = '';
		}
		throw e;
	}
	// Every request inside a batch counts.
	cost(ctx) { return ctx.route.op === 'batch' ? Math.max(1, (ctx.body.toString('latin1').match(/^(GET|POST|PATCH|PUT|DELETE) \S+ HTTP\/1/gm) || []).length) : 1; }
	limitHeaders(ctx) {
		if (!this.limits.enabled) return;
		const now = this.clock.now(), time = this.limits.window(TIME);
		ctx.replyHeaders['x-ms-ratelimit-burst-remaining-xrm-requests'] = this.limits.window(BURST).remaining(now);
		ctx.replyHeaders['x-ms-ratelimit-time-remaining-xrm-requests'] = `${(time.remaining(now) / 1000).toFixed(2)}`;
		if (time.remaining(now) <= 0) throw this.throttled(ctx, time);
	}
	throttled(ctx, w) {
		const now = this.clock.now();
		// who goes on asking waits longer
		this.throttles = (this.throttles || []).filter(t => t > now - 10000);
		this.throttles.push(now);
		const base = w.wait ? Math.max(1, Math.ceil(w.wait(now) / 1000)) : 2;
		const headers = { 'Retry-After': String(Math.min(base + 2 * (this.throttles.length - 1), 300)) };
		if (w.name === 'concurrency') return errors.fail(429, '0x80072326', `Number of concurrent requests exceeded the limit of ${w.max}.`, headers);
		if (w.name === TIME) return errors.fail(429, '0x80072321', 'Combined execution time of incoming requests exceeded limit of 1,200,000 milliseconds over time window of 300 seconds. Decrease number of concurrent requests or reduce the duration of requests and try again later.', headers);
		return errors.fail(429, '0x80072322', `Number of requests exceeded the limit of ${w.max} over time window of 300 seconds.`, headers);
	}
	faultReply(kind, act) {
		const of = e => ({ status: e.status, headers: e.headers, body: e.body });
		switch (kind) {
		case 'throttle': case 429: { const r = of(this.throttled(null, { name: act.policy || BURST, max: 6000 })); return r; }
		case 400: return of(errors.invalidArgument('Invalid argument (fault of the sandbox)'));
		case 401: return of(this.denied(null));
		case 403: return of(errors.privilege('contact', 'Write'));
		case 404: return of(errors.notFound('contact', '00000000-0000-0000-0000-000000000000'));
		case 409: return of(errors.fail(this.config.duplicate_status, '0x80040333', 'A record was not created or updated because a duplicate of the current record already exists.'));
		case 412: return of(errors.fail(412, '0x80040237', 'Cannot insert duplicate key.'));
		default: return of(errors.fail(kind, kind === 500 ? '0x80040216' : '', kind === 503 ? 'The server is busy' : 'Generic SQL error.'));
		}
	}

	token(ctx) {
		const b = this.form(ctx);
		const refuse = (status, error, code, text) => ({ status, body: { error, error_description: `AADSTS${code}: ${text} Trace ID: ${crypto.randomUUID()}`, error_codes: [code], timestamp: new Date(ctx.now).toISOString(), trace_id: crypto.randomUUID(), correlation_id: crypto.randomUUID() } });
		if (!this.tokens.clientOk(b.client_id, b.client_secret)) return refuse(401, 'invalid_client', 7000215, 'Invalid client secret provided.');
		if (!b.scope && b.grant_type !== 'authorization_code') return refuse(400, 'invalid_request', 900144, "The request body must contain the following parameter: 'scope'.");
		let got;
		if (b.grant_type === 'client_credentials') {
			if (!/\.default$/.test(b.scope)) return refuse(400, 'invalid_scope', 1002012, 'The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.');
			got = this.tokens.useClient();
		} else if (b.grant_type === 'refresh_token') got = this.tokens.useRefresh(b.refresh_token);
		else if (b.grant_type === 'authorization_code') { const f = this.tokens.newFamily(); got = { access: this.tokens.issueAccess(f), refresh: f.refresh, lifetime_s: this.tokens.config.lifetime_ms / 1000 }; } else return refuse(400, 'unsupported_grant_type', 70003, 'The app requested an unsupported grant type.');
		if (got.error) return refuse(400, 'invalid_grant', 70008, 'The provided authorization code or refresh token has expired due to inactivity or was revoked.');
		return { status: 200, body: { token_type: 'Bearer', scope: b.scope, expires_in: Math.round(got.lifetime_s), ext_expires_in: Math.round(got.lifetime_s), access_token: got.access, ...(got.refresh ? { refresh_token: got.refresh } : {}) } };
	}

	#routes() {
		const V = '/api/data/:ver(v9\\.\\d)';
		const strip = handler => function h(ctx) { ctx.params.ver = ctx.params.ver.replace(/^v/, ''); return handler.call(this, ctx); };
		const r = (method, path, op, handler, options) => this.route(method, V + path, op, strip(handler), options);
		r('GET', '/$metadata', 'metadata', metadata.csdl);
		r('GET', '/WhoAmI', 'whoami', metadata.whoAmI);
		r('GET', '/WhoAmI()', 'whoami', metadata.whoAmI);
		r('GET', '/EntityDefinitions', 'describe', metadata.definitions);
		this.#raw('GET', 'EntityDefinitions\\((?<name>[^)]*)\\)', 'describe', strip(metadata.definition));
		this.#raw('GET', 'EntityDefinitions\\((?<name>[^)]*)\\)/Keys', 'describe', strip(metadata.keysOf));
		this.#raw('GET', 'EntityDefinitions\\((?<name>[^)]*)\\)/Attributes(?:/(?<cast>[\\w.]+))?', 'describe', strip(metadata.attributes));
		r('POST', '/$batch', 'batch', batch, { outer: true });
		r('POST', '/:action(CloseIncident|WinOpportunity|LoseOpportunity)', 'close', rows.close);
		this.#raw('POST', '(?<set>\\w+)/Microsoft\\.Dynamics\\.CRM\\.(?<action>CreateMultiple|UpdateMultiple|UpsertMultiple)', 'multiple', strip(rows.multiple));
		const ROW = '(?<set>\\w+)\\((?<key>.*)\\)';
		this.#raw('POST', `${ROW}/(?<nav>\\w+)/\\$ref`, 'associate', strip(rows.addRef));
		this.#raw('PUT', `${ROW}/(?<nav>\\w+)/\\$ref`, 'associate', strip(rows.setRef));
		this.#raw('DELETE', `${ROW}/(?<nav>\\w+)/\\$ref`, 'disassociate', strip(rows.setRef));
		this.#raw('GET', ROW, 'read', strip(rows.read));
		this.#raw('PATCH', ROW, 'upsert', strip(rows.update));
		this.#raw('DELETE', ROW, 'delete', strip(rows.remove));
		r('POST', '/:set', 'create', rows.create);
		r('GET', '/:set', 'query', rows.query);
		this.route('POST', '/api/search/v1.0/query', 'search', metadata.search);
		this.route('POST', '/:tenant/oauth2/v2.0/token', 'token', this.token, { open: true });
	}
	// Addresses with parentheses do not fit the router's segments (a key may hold a quoted slash).
	#raw(method, pattern, op, handler) { this.router.addRegex(method, new RegExp(`^/api/data/(?<ver>v9\\.\\d)/${pattern}$`, 's'), op, handler); }
}
module.exports = Dynamics;
