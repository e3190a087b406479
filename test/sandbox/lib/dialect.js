'use strict';
// What every dialect has: a store, a schema, tokens, limits, a router, and the order in which a
// request meets them (route, credential, limits, handler). A dialect overrides the words, not the order.
const { Store } = require('./store');
const { Schema } = require('./schema');
const { Tokens } = require('./tokens');
const { Limits } = require('./limits');
const { Router } = require('./router');
const { HttpError } = require('./errors');
const { prng, hash } = require('./prng');

class Dialect {
	constructor(sandbox, name, { schema = {}, tokens = {}, limits = [], config = {} } = {}) {
		this.sandbox = sandbox;
		this.name = name;
		this.clock = sandbox.clock;
		this.store = new Store(sandbox.clock, null);
		this.schema = new Schema(schema);
		this.tokens = new Tokens(sandbox.clock, tokens);
		this.limitSpecs = limits;
		this.limits = new Limits(sandbox.clock, limits);
		this.configDefaults = { latency_ms: 0, jitter_ms: 0, search_lag_ms: 0, ...config };
		this.config = { ...this.configDefaults };
		this.router = new Router();
		this.defaultHeaders = {};
		this.random = prng(hash(name) ^ sandbox.seed);
	}

	// Puts everything back to the start; keep: names of what stays (records, schema, tokens, limits, config).
	reset(keep = []) {
		const keeps = new Set(keep);
		if (!keeps.has('config')) this.configure({ ...this.configDefaults });
		if (!keeps.has('schema')) this.schema.reset();
		if (!keeps.has('records')) { this.store.clear(); this.seedStore(); }
		if (!keeps.has('tokens')) this.tokens.reset();
		if (!keeps.has('limits')) {
			this.limits.enabled = false;
			this.limits.concurrency = null;
			this.limits.define(this.limitSpecs);
		}
		this.random = prng(hash(this.name) ^ this.sandbox.seed);
	}
	seedStore() {}   // unique properties, built-in records
	restored() {}    // records came back from the journal

	configure(change) {
		for (const [k, v] of Object.entries(change)) {
			if (k === 'tokens') this.tokens.configure(v);
			else if (k === 'limits') {
				if (v.enabled !== undefined) this.limits.enabled = !!v.enabled;
				if (v.concurrency !== undefined) this.limits.concurrency = v.concurrency;
				if (v.windows) this.limits.configure(v.windows);
				if (v.reset) this.limits.reset();
			} else if (k in this.configDefaults) this.config[k] = v;
			else return k;
		}
		this.store.lagMs = this.config.search_lag_ms;
		return null;
	}

	/* ---- a request ---- */

	async handle(ctx, found) {
		if (!found || !found.route) throw this.noRoute(ctx, found);
		const { route } = found;
		ctx.options = route.options || {};
		if (!ctx.options.open) {
			const verdict = this.tokens.check(this.credential(ctx));
			if (verdict !== 'ok') throw this.denied(ctx, verdict);
			if (this.limits.enabled && this.limits.concurrency && this.limits.running > this.limits.concurrency) throw this.throttled(ctx, { name: 'concurrency', max: this.limits.concurrency });
			const refusing = this.limits.admit(route.op, this.cost(ctx));
			this.limitHeaders(ctx);
			if (refusing) throw this.throttled(ctx, refusing);
		}
		const out = await route.handler.call(this, ctx);
		return out && out.status !== undefined ? out : { status: 200, body: out };
	}
	route(method, pattern, op, handler, options) {
		this.router.add(method, pattern, op, handler);
		if (options) this.router.routes[this.router.routes.length - 1].options = options;
	}
	// Runs a request inside a request (composite, batch): {status, headers, body}. Handlers are
	// synchronous, so a transaction around several of these is atomic.
	dispatch(outer, { method, url, body, headers }) {
		const u = new URL(url, 'http://inner');
		const found = this.router.find(method, u.pathname);
		const ctx = { ...outer, method, path: u.pathname, query: u.searchParams, headers: headers || {}, body, params: found && found.params, route: found && found.route, replyHeaders: {}, inner: true };
		let out;
		try {
			if (!found || !found.route || (found.route.options && found.route.options.outer)) throw this.noRoute(ctx, found);
			ctx.options = found.route.options || {};
			out = found.route.handler.call(this, ctx);
			if (!out || out.status === undefined) out = { status: 200, body: out };
		} catch (e) {
			if (!(e instanceof HttpError)) throw e;
			out = { status: e.status, body: e.body, headers: e.headers };
		}
		return { ...out, headers: { ...ctx.replyHeaders, ...out.headers } };
	}
	cost() { return 1; }
	limitHeaders() {}
	credential(ctx) {
		const m = /^Bearer\s+(\S+)$/i.exec(ctx.headers.authorization || '');
		return m ? m[1] : null;
	}

	json(ctx) {
		if (!ctx.body.length) return undefined;
		try { return JSON.parse(ctx.body.toString('utf8')); } catch (e) { throw this.badJson(ctx, e); }
	}
	form(ctx) {
		const type = ctx.headers['content-type'] || '';
		if (/json/.test(type)) return this.json(ctx) || {};
		const multipart = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(type);
		if (multipart) {
			const out = {};
			for (const part of ctx.body.toString('utf8').split(`--${multipart[1]}`)) {
				const m = /name="([^"]+)"[^]*?\r\n\r\n([^]*)\r\n$/.exec(part);
				if (m) out[m[1]] = m[2];
			}
			return out;
		}
		return Object.fromEntries(new URLSearchParams(ctx.body.toString('utf8')));
	}

	// To be given words by each dialect.
	noRoute(ctx, found) { return new HttpError(found ? 405 : 404, { error: 'no such path' }); }
	denied() { return new HttpError(401, { error: 'unauthorized' }); }
	throttled() { return new HttpError(429, { error: 'too many requests' }); }
	badJson(ctx, e) { return new HttpError(400, { error: e.message }); }
	// The vendor's own answer for a fault: kind is a status number or 'throttle'.
	faultReply(kind) { return { status: kind === 'throttle' ? 429 : kind, headers: {}, body: { error: `sandbox fault ${kind}` } }; }

	// Seeds or edits records from outside (the control API): as a person in the CRM's own screens would.
	seedRecord(object, props) {
		const id = this.newId(object);
		return this.store.create(object, id, props);
	}
	editRecord(object, id, props) {
		const r = this.store.get(object, id);
		return r && this.store.update(object, id, { ...r.props, ...props });
	}
	newId(object) { return String(this.store.newNumber(object, 1)); }
}
module.exports = { Dialect };
