'use strict';
// The Salesforce dialect.
const { Dialect } = require('../lib/dialect');
const errors = require('./errors');
const ids = require('./ids');
const sobjects = require('./sobjects');
const collections = require('./collections');
const composite = require('./composite');
const soql = require('./soql_run');
const search = require('./search');
const describe = require('./describe');
const oauth = require('./oauth');
const fields = require('./fields.json');

const DAY = 86400000;
const USERS = [['integration@sandbox.example.com', 'Callsync', 'Integration', 'service_dept'], ['ava.lopez@example.com', 'Ava', 'Lopez', 'service_dept'], ['ben.okafor@example.com', 'Ben', 'Okafor', 'sales']];

class Salesforce extends Dialect {
	constructor(sandbox) {
		super(sandbox, 'salesforce', {
			schema: fields,
			tokens: { lifetime_ms: 7200000, rotate: false, reuse_kills: true },
			limits: [{ name: 'DailyApiRequests', max: 100000, ms: DAY }],
			// duplicate_rule: off | alert (allowSave header passes) | block
			config: { duplicate_rule: 'off', query_page: 2000, instance_url: null, jwt_public_key: null, jwt_audiences: ['https://login.salesforce.com', 'https://test.salesforce.com'] },
		});
		this.defaultHeaders = { 'Content-Type': 'application/json;charset=UTF-8' };
		this.cursors = new Map();
		this.schemaChangedAt = sandbox.clock.now();
		this.names = new Map();
		this.#routes();
	}

	seedStore() {
		this.cursors = new Map();
		for (const [object, list] of this.schema.objects) {
			this.store.table(object);
			for (const f of list.values()) if (f.unique) this.store.defineUnique(object, f.name, v => String(v).toLowerCase());
		}
		USERS.forEach(([mail, first, last, dept], i) => {
			const r = this.store.create('User', this.newId('User'), { Username: mail, Email: mail, FirstName: first, LastName: last, Department: dept, IsActive: true });
			if (!i) this.me = r.id;
		});
	}
	newId(object) { return ids.make(object, this.store.newNumber(object, 1)); }
	seedRecord(object, props) {
		const withDefaults = { ...props };
		for (const f of this.schema.fields(object).values()) if (f.default !== undefined && withDefaults[f.name] === undefined) withDefaults[f.name] = f.default === '@me' ? this.me : f.default;
		return super.seedRecord(object, withDefaults);
	}

	/* ---- names are without case ---- */
	#index(object) {
		let ix = this.names.get(object);
		if (!ix || ix.version !== this.schema.version) {
			ix = { version: this.schema.version, fields: new Map(), rels: new Map() };
			for (const f of this.schema.fields(object).values()) {
				ix.fields.set(f.name.toLowerCase(), f);
				if (f.rel) ix.rels.set(f.rel.toLowerCase(), f);
			}
			this.names.set(object, ix);
		}
		return ix;
	}
	objectName(text) {
		const t = String(text).toLowerCase();
		for (const o of this.schema.objects.keys()) if (o.toLowerCase() === t) return o;
		return undefined;
	}
	needObject(text, code) {
		const o = this.objectName(text);
		if (!o) throw code ? errors.fail(400, code, `sObject type '${text}' is not supported.`) : errors.notFound();
		return o;
	}
	field(object, name) { return this.#index(object).fields.get(String(name).toLowerCase()); }
	relationship(object, name) { return this.#index(object).rels.get(String(name).toLowerCase()); }
	schemaChanged(a) {
		this.schemaChangedAt = this.clock.now();
		if (!a.object) return;
		for (const f of this.schema.fields(a.object).values()) if (f.unique && !this.store.isUnique(a.object, f.name)) this.store.defineUnique(a.object, f.name, v => String(v).toLowerCase());
		for (const p of [...this.store.table(a.object).unique.keys()]) if (!this.schema.field(a.object, p)?.unique) this.store.dropUnique(a.object, p);
	}

	/* ---- words ---- */
	body(ctx) {
		const b = this.json(ctx);
		if (b === undefined) throw errors.parser('The HTTP entity body is required, but this request has no entity body.');
		return b;
	}
	badJson(ctx, e) { return errors.parser(`Unexpected character at [line:1, column:1]: ${e.message}`); }
	noRoute(ctx, found) {
		return found ? errors.fail(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${ctx.method}' not allowed. Allowed are ${found.allowed.join(',')}`) : errors.notFound();
	}
	denied() { return errors.fail(401, 'INVALID_SESSION_ID', 'Session expired or invalid'); }
	credential(ctx) {
		const m = /^(?:Bearer|OAuth)\s+(\S+)$/i.exec(ctx.headers.authorization || '');
		return m ? m[1] : null;
	}
	throttled(ctx, w) {
		return errors.fail(403, 'REQUEST_LIMIT_EXCEEDED', w.name === 'concurrency' ? 'ConcurrentPerOrgLongTxn Limit exceeded.' : 'TotalRequests Limit exceeded.');
	}
	usage() { return this.used || 0; }
	limitHeaders(ctx) {
		const w = this.limits.window('DailyApiRequests');
		this.used = this.limits.enabled ? w.max - w.remaining(this.clock.now()) : (this.used || 0) + 1;
		ctx.replyHeaders['Sforce-Limit-Info'] = `api-usage=${this.used}/${w.max}`;
	}
	faultReply(kind, act) {
		const of = e => ({ status: e.status, headers: {}, body: e.body });
		switch (kind) {
		case 'throttle': case 429: return of(this.throttled(null, { name: act.policy || 'day' }));
		case 400: return of(errors.fail(400, act.code || 'FIELD_CUSTOM_VALIDATION_EXCEPTION', 'validation rule (fault of the sandbox)', []));
		case 401: return of(this.denied());
		case 403: return of(errors.fail(403, 'INSUFFICIENT_ACCESS_OR_READONLY', 'insufficient access rights on object id', []));
		case 404: return of(errors.notFound());
		case 409: return of(errors.duplicateValue('Callsync_Key__c', act.existing_id || ids.make('Contact', 1)));
		case 503: return of(errors.fail(503, 'SERVER_UNAVAILABLE', 'The server is unavailable to handle the request; it is too busy.'));
		default: return of(errors.fail(kind, 'UNKNOWN_EXCEPTION', 'An unexpected error occurred. Please include this ErrorId if you contact support'));
		}
	}

	#routes() {
		const V = '/services/data/:ver(v\\d+\\.0)';
		const r = (method, path, op, handler, options) => this.route(method, V + path, op, handler, options);
		this.route('GET', '/services/data', 'versions', describe.versions, { open: true });
		r('GET', '', 'resources', describe.resources);
		r('GET', '/limits', 'limits', describe.limits);
		r('GET', '/query', 'query', function q(ctx) { return soql.query.call(this, ctx, false); });
		r('GET', '/queryAll', 'query', function q(ctx) { return soql.query.call(this, ctx, true); });
		r('GET', '/query/:cursor', 'query', soql.more);
		r('GET', '/search', 'search', search.sosl);
		r('GET', '/parameterizedSearch', 'search', search.parameterized);
		r('POST', '/parameterizedSearch', 'search', search.parameterized);
		r('POST', '/composite', 'composite', composite.composite, { outer: true });
		r('POST', '/composite/graph', 'graph', composite.graph, { outer: true });
		r('POST', '/composite/batch', 'composite_batch', composite.batch, { outer: true });
		r('POST', '/composite/sobjects', 'batch_create', collections.create);
		r('PATCH', '/composite/sobjects', 'batch_update', collections.update);
		r('DELETE', '/composite/sobjects', 'batch_delete', collections.remove);
		r('GET', '/composite/sobjects/:object', 'batch_read', collections.read);
		r('POST', '/composite/sobjects/:object', 'batch_read', collections.read);
		r('PATCH', '/composite/sobjects/:object/:field', 'batch_upsert', collections.upsert);
		r('GET', '/sobjects', 'describe', describe.global);
		r('GET', '/sobjects/:object', 'describe', describe.basic);
		r('POST', '/sobjects/:object', 'create', sobjects.create);
		r('GET', '/sobjects/:object/describe', 'describe', describe.describe);
		r('GET', '/sobjects/:object/updated', 'updated', sobjects.updated);
		r('GET', '/sobjects/:object/deleted', 'deleted', sobjects.deletedIds);
		r('GET', '/sobjects/:object/:id', 'read', sobjects.read);
		r('PATCH', '/sobjects/:object/:id', 'update', sobjects.update);
		r('DELETE', '/sobjects/:object/:id', 'delete', sobjects.remove);
		r('GET', '/sobjects/:object/:field/:value', 'read', sobjects.readByKey);
		r('PATCH', '/sobjects/:object/:field/:value', 'upsert', sobjects.upsertByKey);
		r('DELETE', '/sobjects/:object/:field/:value', 'delete', sobjects.removeByKey);
		this.route('POST', '/services/oauth2/token', 'token', oauth.token, { open: true });
		this.route('POST', '/services/oauth2/revoke', 'revoke', oauth.revoke, { open: true });
		this.route('GET', '/services/oauth2/userinfo', 'userinfo', oauth.userInfo);
		this.route('GET', '/id/:org/:user', 'userinfo', oauth.userInfo);
	}
}
module.exports = Salesforce;
