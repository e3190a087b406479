'use strict';
// The listening side of one dialect: HTTP (and HTTPS) on loopback, and the life of one request:
// log, faults, dialect, faults, answer. Which vendor is spoken is none of this file's business.
const http = require('http');
const https = require('https');
const { HttpError } = require('./errors');
const { applyWorld } = require('./world');
const { Writer } = require('./writer');
const { prng, hash } = require('./prng');

const HOST = '127.0.0.1';
const sleep = ms => new Promise(r => setTimeout(r, ms));
let nextConnection = 1;

const HTML = '<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><h1>Checking your browser</h1></body></html>';

class Endpoint {
	// opts: {port, tlsPort, tls: {key, cert} | null}
	constructor(dialect, sandbox, opts) {
		this.dialect = dialect;
		this.sandbox = sandbox;
		this.opts = opts;
		this.sockets = new Set();
		this.servers = [];
		this.answers503 = false;
		this.random = prng(hash('latency' + dialect.name) ^ sandbox.seed);
		dialect.endpoint = this;
	}

	async listen() {
		const start = async (make, port) => {
			const server = make((req, res) => this.#handle(req, res).catch(e => this.#crash(req, res, e)));
			server.keepAliveTimeout = this.sandbox.config.keepalive_ms;
			server.requestTimeout = 0;
			server.headersTimeout = 0;
			server.maxRequestsPerSocket = this.sandbox.config.max_requests_per_connection || 0;
			server.on(server instanceof https.Server ? 'secureConnection' : 'connection', s => this.#connection(s));
			server.on('clientError', (e, s) => s.destroy());
			await new Promise((ok, no) => { server.once('error', no); server.listen(port, HOST, ok); });
			this.servers.push(server);
			return server.address().port;
		};
		this.opts.port = await start(h => http.createServer(h), this.opts.port || 0);
		if (this.opts.tls) this.opts.tlsPort = await start(h => https.createServer({ ...this.opts.tls }, h), this.opts.tlsPort || 0);
	}

	async close() {
		const servers = this.servers;
		this.servers = [];
		for (const s of this.sockets) s.destroy();
		await Promise.all(servers.map(s => new Promise(r => s.close(r))));
	}

	// how: 'refuse' closes the port (connections are refused by the kernel), 'status' answers 503.
	async down(how, forMs) {
		if (how === 'status') this.answers503 = true;
		else await this.close();
		if (forMs) setTimeout(() => this.up(), forMs).unref();
	}
	async up() {
		this.answers503 = false;
		if (!this.servers.length) await this.listen();
	}
	get isUp() { return this.servers.length > 0 && !this.answers503; }

	#connection(socket) {
		if (this.sandbox.faults.refusesConnection(this.dialect.name)) {
			socket.resetAndDestroy ? socket.resetAndDestroy() : socket.destroy();
			return;
		}
		socket.sandboxId = nextConnection++;
		this.sockets.add(socket);
		socket.on('close', () => this.sockets.delete(socket));
		socket.on('error', () => {});
	}

	#crash(req, res, e) {
		process.stderr.write(`sandbox: ${req.method} ${req.url}: ${e.stack}\n`);
		this.sandbox.crashes.push({ method: req.method, url: req.url, error: String(e.stack) });
		if (!res.headersSent) { res.statusCode = 500; res.end('sandbox error: ' + e.message); } else res.destroy();
	}

	async #handle(req, res) {
		if (req.url.startsWith('/_control')) return this.sandbox.control.handle(req, res, this.dialect);
		const { sandbox, dialect } = this;
		const entry = sandbox.log.begin(dialect.name, req, sandbox.clock);
		const body = await readBody(req);
		if (body === null) { entry.aborted = true; sandbox.log.finish(entry); return; }
		if (sandbox.log.bodies) entry.body = body;

		const path = req.url.split('?', 1)[0];
		const found = dialect.router.find(req.method, path);
		entry.op = found && found.route ? found.route.op : null;
		let text = null;
		const meta = { dialect: dialect.name, method: req.method, url: req.url, headers: req.headers, op: entry.op,
			text: () => (text === null ? (text = body.toString('utf8')) : text) };
		let own = null;
		try { own = this.#ownFault(req); } catch (e) {
			this.#reply(req, res, entry, e);
			return sandbox.log.finish(entry);
		}
		const acts = sandbox.faults.forRequest(meta, own);
		for (const a of [...acts.world, ...acts.request]) entry.faults.push(a.action);
		for (const a of acts.world) await applyWorld(dialect, a);

		const delay = acts.request.filter(a => a.action === 'delay').reduce((n, a) => n + Number(a.ms || 0), 0) + this.#latency();
		const act = acts.request.find(a => a.action !== 'delay');
		dialect.limits.running++;
		dialect.limits.peak = Math.max(dialect.limits.peak, dialect.limits.running);
		try {
			if (delay > 0) await sleep(delay);
			if (this.answers503) return this.#reply(req, res, entry, dialect.faultReply(503, {}));
			const run = () => this.#process(req, entry, found, body, acts.record);
			await this.#play(act, req, res, entry, run);
		} finally {
			dialect.limits.running--;
			sandbox.journalFlush();
			sandbox.log.finish(entry);
		}
	}

	#latency() {
		const { latency_ms: base, jitter_ms: jitter } = this.dialect.config;
		return (base || 0) + (jitter ? this.random() * jitter : 0);
	}

	#ownFault(req) {
		const h = req.headers['x-sandbox-fault'];
		if (!h) return null;
		try { return this.sandbox.faults.once(JSON.parse(h)); } catch (e) { throw new HttpError(400, { error: `X-Sandbox-Fault: ${e.message}` }); }
	}

	// The request's effect: what the dialect answers, as {status, headers, body: Buffer}.
	async #process(req, entry, found, body, recordRules) {
		const { dialect, sandbox } = this;
		const url = new URL(req.url, 'http://sandbox');
		const ctx = { dialect, req, entry, method: req.method, path: url.pathname, query: url.searchParams, headers: req.headers, body,
			params: found && found.params, route: found && found.route, now: sandbox.clock.now(), replyHeaders: {}, tls: !!req.socket.encrypted,
			base: `${req.socket.encrypted ? 'https' : 'http'}://${req.headers.host || HOST}`, writer: new Writer(dialect.store, entry, recordRules) };
		let out;
		try {
			out = await dialect.handle(ctx, found);
		} catch (e) {
			if (!(e instanceof HttpError)) throw e;
			out = { status: e.status, body: e.body, headers: e.headers };
		}
		out.headers = { ...ctx.replyHeaders, ...out.headers };
		entry.processed = true;
		sandbox.journalFlush();
		return out;
	}

	async #play(act, req, res, entry, run) {
		const { dialect } = this;
		const kill = reset => { (reset && req.socket.resetAndDestroy) ? req.socket.resetAndDestroy() : req.socket.destroy(); };
		if (!act) return this.#reply(req, res, entry, await run());
		switch (act.action) {
		case 'refuse': return kill(true);
		case 'drop_before': return kill(act.reset);
		case 'hang':
			if (act.process) await run();
			return undefined;   // the socket stays open until the client gives up
		case 'drop_after':
			await run();
			return kill(act.reset);
		case 'status':
		case 'throttle': {
			if (act.process) await run();
			const made = dialect.faultReply(act.action === 'throttle' ? 'throttle' : Number(act.status || 500), act);
			// A dialect answers in its vendor's words, and a vendor may say 409 with 400.
			const exact = act.action === 'status' && (act.exact || act.body !== undefined);
			const reply = { status: exact ? act.status : made.status, headers: { ...made.headers, ...act.headers }, body: act.body !== undefined ? act.body : made.body };
			if (act.retry_after !== undefined) reply.headers['Retry-After'] = this.#retryAfter(act);
			return this.#reply(req, res, entry, reply);
		}
		case 'html200':
			if (act.process) await run();
			return this.#reply(req, res, entry, { status: act.status || 200, headers: { 'Content-Type': 'text/html; charset=UTF-8' }, body: act.body || HTML });
		case 'cut_json': {
			const out = this.#render(await run());
			out.bytes = out.bytes.subarray(0, act.at !== undefined ? act.at : Math.floor(out.bytes.length / 2));
			return this.#send(res, entry, out);
		}
		case 'truncate': {
			const out = this.#render(await run());
			return this.#sendShort(req, res, entry, out, act.missing || 100);
		}
		default: throw new Error('unplayed fault ' + act.action);
		}
	}

	#retryAfter(act) {
		// by the same clock as the Date header, wrong or not
		if (act.form === 'date') return new Date(this.sandbox.clock.now() + this.sandbox.clock.dateOffset + Number(act.retry_after) * 1000).toUTCString();
		return String(act.retry_after);
	}

	#render(out) {
		const headers = { ...this.dialect.defaultHeaders, ...out.headers };
		let bytes;
		if (out.body === null || out.body === undefined) bytes = Buffer.alloc(0);
		else if (Buffer.isBuffer(out.body)) bytes = out.body;
		else if (typeof out.body === 'string') bytes = Buffer.from(out.body);
		else bytes = Buffer.from(JSON.stringify(out.body));
		if (!bytes.length) delete headers['Content-Type'];
		else if (!headers['Content-Type']) headers['Content-Type'] = typeof out.body === 'string' ? 'text/plain;charset=utf-8' : 'application/json;charset=utf-8';
		headers.Date = this.sandbox.clock.httpDate();
		return { status: out.status || 200, headers, bytes };
	}
	#reply(req, res, entry, out) { this.#send(res, entry, this.#render(out)); }

	#note(entry, out) {
		entry.status = out.status;
		entry.reply_headers = out.headers;
		if (this.sandbox.log.bodies) entry.reply = out.bytes;
	}
	#send(res, entry, out) {
		this.#note(entry, out);
		if (res.destroyed) { entry.aborted = true; return; }
		res.sendDate = false;
		if (out.status !== 204 && out.status !== 304) out.headers['Content-Length'] = out.bytes.length;
		res.writeHead(out.status, out.headers);
		res.end(out.bytes);
		entry.replied = true;
	}
	// Promises more bytes than it sends, then hangs up.
	#sendShort(req, res, entry, out, missing) {
		this.#note(entry, out);
		res.sendDate = false;
		out.headers['Content-Length'] = out.bytes.length + missing;
		res.strictContentLength = false;
		res.writeHead(out.status, out.headers);
		res.write(out.bytes, () => req.socket.destroy());
	}
}

// The whole body, or null when the client went away before it was complete.
function readBody(req) {
	return new Promise(resolve => {
		const chunks = [];
		req.on('data', c => chunks.push(c));
		req.on('end', () => resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
		req.on('error', () => resolve(null));
		req.on('close', () => { if (!req.complete) resolve(null); });
	});
}
module.exports = { Endpoint, readBody, HOST };
