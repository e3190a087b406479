'use strict';
// The control API under /_control: what tests and the demo use to look inside and to cause trouble.
// Never part of a dialect; reachable on the control port and on every dialect's port.
const { ControlError } = require('./errors');
const { RequestLog } = require('./log');
const { applyWorld } = require('./world');
const { readBody } = require('./endpoint');

class Control {
	constructor(sandbox) {
		this.sandbox = sandbox;
		this.routes = {
			'GET /ping': () => ({ ok: true, pid: process.pid, dialects: [...sandbox.dialects.keys()], ports: sandbox.ports(), seed: sandbox.seed, crashes: sandbox.crashes }),
			'GET /records': q => this.records(q),
			'POST /records': (q, b) => this.addRecords(q, b),
			'PATCH /records': (q, b) => this.editRecord(q, b),
			'DELETE /records': q => this.deleteRecord(q),
			'GET /counts': q => this.counts(q),
			'GET /duplicates': q => this.duplicates(q),
			'GET /links': q => this.links(q),
			'GET /requests': q => this.requests(q),
			'DELETE /requests': () => { sandbox.log.clear(); return { ok: true }; },
			'GET /wait': q => this.wait(q),
			'GET /wait_records': q => this.waitRecords(q),
			'POST /reset': (q, b) => this.reset({ ...q, ...b }),
			'GET /config': q => this.showConfig(q),
			'POST /config': (q, b) => this.setConfig({ ...q, ...b }),
			'GET /faults': () => sandbox.faults.rules.map(r => r.render()),
			'POST /faults': (q, b) => this.addFaults(q, b),
			'DELETE /faults': q => { sandbox.faults.clear(q.id ? q.id.split(',').map(Number) : null); return { ok: true }; },
			'GET /schema': q => this.dialect(q).schema.dump(),
			'POST /schema': (q, b) => this.world({ ...q, ...b }),
			'GET /tokens': q => this.dialect(q).tokens.state(),
			'POST /tokens': (q, b) => this.tokens({ ...q, ...b }),
			'GET /limits': q => this.dialect(q).limits.state(),
			'POST /clock': (q, b) => this.clock({ ...q, ...b }),
			'POST /flush_index': q => { this.dialect(q).store.flushIndex(); return { ok: true }; },
			'POST /down': (q, b) => this.world({ ...q, ...b, action: 'down' }),
			'POST /up': (q, b) => this.world({ ...q, ...b, action: 'up' }),
		};
	}

	async handle(req, res, dialect) {
		const body = await readBody(req);
		if (body === null) return;
		const url = new URL(req.url, 'http://control');
		const q = Object.fromEntries(url.searchParams);
		let status = 200, out;
		try {
			const route = this.routes[`${req.method} ${url.pathname.replace(/^\/_control/, '')}`];
			if (!route) throw new ControlError(`no such control endpoint; known: ${Object.keys(this.routes).join(', ')}`, 404);
			let b = {};
			if (body.length) try { b = JSON.parse(body.toString('utf8')); } catch (e) { throw new ControlError('body is not JSON: ' + e.message); }
			if (dialect && !q.dialect) q.own = dialect.name;   // the port that was asked is the default
			out = await route(q, b);
			this.sandbox.journalFlush();
			if (req.method !== 'GET') this.sandbox.log.wake();   // who waits for records may see what was changed from outside
		} catch (e) {
			if (!(e instanceof ControlError)) process.stderr.write(`sandbox control: ${e.stack}\n`);
			status = e instanceof ControlError ? e.status : 500;
			out = { error: e.message };
		}
		const bytes = Buffer.from(JSON.stringify(out));
		res.writeHead(status, { 'Content-Type': 'application/json;charset=utf-8', 'Content-Length': bytes.length });
		res.end(bytes);
	}

	dialect(q) {
		const { dialects } = this.sandbox;
		const name = q.dialect || q.own || (dialects.size === 1 ? [...dialects.keys()][0] : null);
		if (!name) throw new ControlError(`several dialects run here; name one: ?dialect=${[...dialects.keys()].join('|')}`);
		const d = dialects.get(name);
		if (!d) throw new ControlError(`no dialect "${name}"; running: ${[...dialects.keys()].join(', ')}`);
		return d;
	}
	object(d, q) {
		if (!q.object) throw new ControlError('which object? ?object=...');
		return (d.objectName && d.objectName(q.object)) || q.object;
	}

	render(r, d) {
		const links = {};
		for (const [to, value] of d.store.linksOf(`${r.object}/${r.id}`)) {
			const [o, id] = to.split('/');
			(links[o] = links[o] || []).push({ id, value });
		}
		return { id: r.id, object: r.object, properties: r.props, created_at: new Date(r.createdAt).toISOString(), updated_at: new Date(r.updatedAt).toISOString(),
			archived: r.archived, version: r.version, seq: r.seq, links };
	}

	records(q) {
		const d = this.dialect(q), object = this.object(d, q);
		let out = [...d.store.all(object, q.archived === '1' || q.archived === 'true')];
		if (q.id) out = out.filter(r => r.id === q.id);
		if (q.property) out = out.filter(r => String(r.props[q.property] ?? '') === (q.value ?? ''));
		if (q.limit) out = out.slice(0, Number(q.limit));
		return out.map(r => this.render(r, d));
	}
	addRecords(q, b) {
		const d = this.dialect({ ...q, ...b }), object = this.object(d, { ...q, ...b });
		const list = b.records || [b];
		return list.map(x => this.render(d.seedRecord(object, x.properties || x, x), d));
	}
	editRecord(q, b) {
		const d = this.dialect({ ...q, ...b }), object = this.object(d, { ...q, ...b });
		const r = d.editRecord(object, q.id || b.id, b.properties || {});
		if (!r) throw new ControlError(`no ${object} ${q.id || b.id}`, 404);
		return this.render(r, d);
	}
	deleteRecord(q) {
		const d = this.dialect(q), object = this.object(d, q);
		if (q.purge) d.store.purge(object, q.id);
		else d.store.archive(object, q.id);
		return { ok: true };
	}
	counts(q) {
		const d = this.dialect(q);
		const out = {};
		for (const o of d.store.objects()) out[o] = d.store.count(o);
		return out;
	}
	// Values that more than one live record shares; strings are compared trimmed and without case.
	duplicates(q) {
		const d = this.dialect(q), object = this.object(d, q);
		if (!q.property) throw new ControlError('by which property? ?property=...');
		const by = new Map();
		for (const r of d.store.all(object)) {
			const v = r.props[q.property];
			if (v === undefined || v === null || v === '') continue;
			const key = (typeof v === 'object' ? JSON.stringify(v) : String(v)).trim().toLowerCase();
			(by.get(key) || by.set(key, []).get(key)).push(r.id);
		}
		return [...by].filter(([, ids]) => ids.length > 1).map(([value, ids]) => ({ value, ids }));
	}
	links(q) {
		const d = this.dialect(q);
		const out = [];
		for (const [from, m] of d.store.links) for (const [to, value] of m) out.push({ from, to, value });
		return out.filter(l => (!q.from || l.from.startsWith(q.from + '/')) && (!q.to || l.to.startsWith(q.to + '/')));
	}

	requests(q) {
		const bodies = q.bodies !== '0' && q.bodies !== 'false';
		return this.sandbox.log.select(q).map(e => RequestLog.render(e, bodies));
	}
	async wait(q) {
		const { log } = this.sandbox;
		const f = log.filter({ processed: q.any ? undefined : 'true', ...q });
		return { ...await log.waitCount(f, Number(q.count || 1), Number(q.timeout_ms || 10000)), last_seq: log.seq };
	}
	async waitRecords(q) {
		const d = this.dialect(q), object = this.object(d, q), want = Number(q.count || 1);
		const n = () => {
			if (!q.property) return d.store.count(object);
			let c = 0;
			for (const r of d.store.all(object)) if (String(r.props[q.property] ?? '') === (q.value ?? '')) c++;
			return c;
		};
		const ok = await this.sandbox.log.waitFor(() => n() >= want, Number(q.timeout_ms || 10000));
		return { ok, count: n() };
	}

	async reset(b) {
		const { sandbox } = this;
		const list = b.dialect ? [this.dialect(b)] : [...sandbox.dialects.values()];
		const keep = Array.isArray(b.keep) ? b.keep : String(b.keep || '').split(',').filter(Boolean);
		for (const d of list) {
			d.reset(keep);
			if (!d.endpoint.isUp) await d.endpoint.up();
		}
		if (!keep.includes('requests')) sandbox.log.clear();
		if (!keep.includes('faults')) sandbox.faults.clear();
		if (!keep.includes('clock')) { sandbox.clock.offset = 0; sandbox.clock.dateOffset = 0; }
		return { ok: true };
	}

	showConfig(q) {
		const d = this.dialect(q);
		return { ...d.config, limits: d.limits.state(), tokens: d.tokens.state(), log: { bodies: this.sandbox.log.bodies, limit: this.sandbox.log.limit }, up: d.endpoint.isUp };
	}
	setConfig(b) {
		const { dialect: _name, own: _own, log, ...rest } = b;
		if (log) {
			if (log.bodies !== undefined) this.sandbox.log.bodies = !!log.bodies;
			if (log.limit !== undefined) this.sandbox.log.limit = Number(log.limit);
		}
		if (Object.keys(rest).length) {
			const d = this.dialect(b);
			const unknown = d.configure(rest);
			if (unknown) throw new ControlError(`unknown setting "${unknown}" of ${d.name}; known: ${['tokens', 'limits', 'log', ...Object.keys(d.configDefaults)].join(', ')}`);
			return this.showConfig(b);
		}
		return { ok: true };
	}

	async addFaults(q, b) {
		const { faults, dialects } = this.sandbox;
		const out = [];
		for (const spec of Array.isArray(b) ? b : [b]) {
			if (spec.dialect && !dialects.has(spec.dialect)) throw new ControlError(`no dialect "${spec.dialect}"`);
			const named = dialects.get(spec.dialect || q.dialect || q.own);
			if (spec.object && named && named.objectName) spec.object = named.objectName(spec.object) || spec.object;
			const rule = faults.add({ dialect: q.dialect || q.own || undefined, ...spec });
			// A change of the world that waits for no request happens now.
			if (rule.actions.every(a => a.kind === 'world') && !rule.hasMatch && !rule.after) {
				faults.clear([rule.id]);
				for (const a of rule.actions) await applyWorld(this.dialect(spec.dialect ? spec : q), a);
				rule.hits++;
			}
			out.push(rule.render());
		}
		return out;
	}
	async world(b) {
		await applyWorld(this.dialect(b), b);
		return { ok: true };
	}
	async tokens(b) {
		const { tokens } = this.dialect(b);
		if (b.action === 'issue') {
			const f = tokens.newFamily(b.refresh_token);
			return { refresh_token: f.refresh, access_token: tokens.issueAccess(f, b.lifetime_ms) };
		}
		const map = { expire: 'expire_tokens', revoke: 'revoke_tokens', restore: 'restore_tokens' };
		if (!map[b.action]) throw new ControlError('action is one of issue, expire, revoke, restore');
		await applyWorld(this.dialect(b), { action: map[b.action] });
		return tokens.state();
	}
	clock(b) {
		const { clock } = this.sandbox;
		if (b.advance_ms !== undefined) clock.offset += Number(b.advance_ms);
		if (b.offset_ms !== undefined) clock.offset = Number(b.offset_ms);
		if (b.date_offset_ms !== undefined) clock.dateOffset = Number(b.date_offset_ms);
		return { now: clock.iso(), offset_ms: clock.offset, date_offset_ms: clock.dateOffset };
	}
}
module.exports = { Control };
