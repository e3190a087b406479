'use strict';
// Rate limits as a list of windows. Rolling windows keep the times of what they let through; a day
// window counts since midnight of the account's zone. A refused request counts nowhere, as at the
// vendors that document it; `cost` lets a dialect charge token budgets.

class Window {
	// spec: {name, max, ms, kind: 'rolling'|'fixed'|'day', tz_offset_min, ops: regex of op names or null,
	// flat: true when every request counts one whatever it costs}
	constructor(spec) {
		Object.assign(this, { kind: 'rolling', tz_offset_min: 0, ops: null }, spec);
		this.re = this.ops ? new RegExp(this.ops) : null;
		this.reset();
	}
	reset() { this.hits = []; this.used = 0; this.epoch = null; }
	applies(op) { return !this.re || this.re.test(op || ''); }
	#advance(now) {
		if (this.kind === 'rolling') {
			while (this.hits.length && this.hits[0][0] <= now - this.ms) this.used -= this.hits.shift()[1];
			return;
		}
		const ms = this.kind === 'day' ? 86400000 : this.ms;
		const epoch = Math.floor((now + this.tz_offset_min * 60000) / ms);
		if (epoch !== this.epoch) { this.epoch = epoch; this.used = 0; }
	}
	remaining(now) { this.#advance(now); return Math.max(0, this.max - this.used); }
	// Milliseconds until at least one more would fit.
	wait(now) {
		this.#advance(now);
		if (this.used < this.max) return 0;
		if (this.kind === 'rolling') return this.hits.length ? this.hits[0][0] + this.ms - now : this.ms;
		const ms = this.kind === 'day' ? 86400000 : this.ms;
		return (this.epoch + 1) * ms - (now + this.tz_offset_min * 60000);
	}
	take(now, cost) {
		this.#advance(now);
		this.used += cost;
		if (this.kind === 'rolling') this.hits.push([now, cost]);
	}
}

class Limits {
	constructor(clock, specs) {
		this.clock = clock;
		this.enabled = false;
		this.concurrency = null;   // null: not limited
		this.running = 0;
		this.peak = 0;
		this.define(specs);
	}
	define(specs) { this.windows = specs.map(s => new Window(s)); }
	reset() { for (const w of this.windows) w.reset(); this.peak = 0; }
	configure(list) {
		for (const change of list) {
			const w = this.windows.find(x => x.name === change.name);
			if (w) { Object.assign(w, change); w.re = w.ops ? new RegExp(w.ops) : null; w.reset(); } else this.windows.push(new Window(change));
		}
	}
	window(name) { return this.windows.find(w => w.name === name); }

	// Takes one request, or returns the window that refuses it.
	admit(op, cost = 1) {
		if (!this.enabled) return null;
		const now = this.clock.now();
		const mine = this.windows.filter(w => w.applies(op));
		const charge = w => (w.flat ? 1 : cost);
		for (const w of mine) if (w.remaining(now) < Math.min(charge(w), w.max)) return w;
		for (const w of mine) w.take(now, charge(w));
		return null;
	}
	state() {
		const now = this.clock.now();
		return { enabled: this.enabled, concurrency: this.concurrency, running: this.running, peak: this.peak,
			windows: this.windows.map(w => ({ name: w.name, max: w.max, ms: w.ms, kind: w.kind, ops: w.ops, remaining: w.remaining(now) })) };
	}
}
module.exports = { Limits, Window };
