'use strict';
// The request log: what arrived, byte for byte, what was answered, which fault was applied, which
// records were touched. Tests assert on it and wait for it, so nothing here is approximate.

class RequestLog {
	constructor() {
		this.bodies = true;      // keep bodies (off for load tests)
		this.limit = 200000;     // oldest entries go first
		this.clear(true);
	}
	clear(first) {
		this.entries = [];
		if (first) { this.seq = 0; this.waiters = []; }
	}

	begin(dialect, req, clock) {
		const e = {
			seq: ++this.seq, time: clock.iso(), started: Date.now(), dialect, method: req.method, url: req.url,
			headers: req.headers, raw_headers: req.rawHeaders, connection: req.socket.sandboxId, tls: !!req.socket.encrypted,
			body: null, status: null, reply_headers: null, reply: null, faults: [], touched: [], op: null,
			processed: false, replied: false, aborted: false, duration_ms: null,
		};
		this.entries.push(e);
		if (this.entries.length > this.limit) this.entries.splice(0, this.entries.length - this.limit);
		return e;
	}
	// The request has had its effect (or is known to have none) and its answer, if any, was written.
	finish(e) {
		if (e.duration_ms !== null) return;
		e.duration_ms = Date.now() - e.started;
		this.wake(e);
	}

	filter(q) {
		const re = s => (s === undefined || s === null || s === '' ? null : new RegExp(s));
		const path = re(q.path), body = re(q.body), method = q.method && q.method.toUpperCase();
		const since = Number(q.since || 0);
		return e => e.seq > since
			&& (!q.dialect || e.dialect === q.dialect)
			&& (!method || e.method === method)
			&& (!path || path.test(e.url))
			&& (!q.op || e.op === q.op)
			&& (!q.status || String(e.status) === String(q.status))
			&& (!q.fault || e.faults.some(f => f === q.fault))
			&& (q.processed === undefined || String(e.processed) === String(q.processed))
			&& (!body || (e.body && body.test(e.body.toString('utf8'))));
	}

	select(q) {
		const f = this.filter(q);
		let out = this.entries.filter(f);
		if (q.limit) out = out.slice(-Number(q.limit));
		return out;
	}

	// Counts finished requests that match f until there are n; resolves to {ok, count}. Each request is
	// looked at once, so that waiting for ten thousand costs no more than ten thousand looks.
	waitCount(f, n, timeoutMs) {
		let count = this.entries.filter(e => e.duration_ms !== null && f(e)).length;
		return this.#wait(timeoutMs, e => { if (e && f(e)) count++; return count >= n; }).then(ok => ({ ok, count }));
	}
	// Resolves to true when predicate() holds; asked again after requests, at most every 10 ms.
	waitFor(predicate, timeoutMs) {
		let asked = false, pending = false;
		return this.#wait(timeoutMs, (e, w) => {
			if (!asked || e === null) { asked = true; return predicate(); }
			if (!pending) { pending = true; setTimeout(() => { pending = false; if (predicate()) w.done(true); }, 10); }
			return false;
		});
	}
	// step(entry, waiter) says whether it is over; entry is undefined at the start and after a change
	// from outside, null when the time is up.
	#wait(timeoutMs, step) {
		return new Promise(resolve => {
			const w = { step, over: false, done: ok => {
				if (w.over) return;
				w.over = true;
				clearTimeout(w.timer);
				this.waiters = this.waiters.filter(x => x !== w);
				resolve(ok);
			} };
			w.timer = setTimeout(() => w.done(step(null, w)), timeoutMs);
			this.waiters.push(w);
			if (step(undefined, w)) w.done(true);
		});
	}
	wake(e) { for (const w of this.waiters.slice()) if (w.step(e, w)) w.done(true); }

	static render(e, withBodies) {
		const text = b => (b === null ? null : b.toString('utf8'));
		const out = { ...e };
		delete out.started;
		if (withBodies) {
			out.body = text(e.body);
			out.body_base64 = e.body === null ? null : e.body.toString('base64');
			out.reply = text(e.reply);
			try { out.json = e.body && e.body.length ? JSON.parse(out.body) : null; } catch { out.json = null; }
		} else {
			out.body_bytes = e.body ? e.body.length : 0;
			delete out.body;
			delete out.reply;
			delete out.raw_headers;
		}
		return out;
	}
}
module.exports = { RequestLog };
