'use strict';
// OAuth tokens of one dialect. Three modes:
//   off     no credential needed
//   any     a credential must be there; one that was issued here is held to its lifetime
//   strict  only issued and configured credentials
// A family is one consent: a refresh token and what was issued from it. With rotation, using an old
// refresh token again kills the whole family, as certified servers do.
const crypto = require('crypto');

class Tokens {
	constructor(clock, defaults) {
		this.clock = clock;
		this.journal = null;
		this.defaults = { mode: 'any', lifetime_ms: 1800000, rotate: true, reuse_kills: true, max_per_window: null, window_ms: 600000, max_active: null, refresh_idle_ms: null, keep_old: false,
			client_id: 'sandbox-client', client_secret: 'sandbox-secret', static_tokens: [], refresh_token: 'sandbox-refresh', ...defaults };
		this.reset();
	}
	reset() {
		this.config = { ...this.defaults };
		this.access = new Map();     // token -> {family, expires, dead}
		this.families = new Map();   // id -> {id, refresh, used:Set, dead, issued:[times]}
		this.refresh = new Map();    // refresh token -> family id
		this.seen = new Set();       // foreign tokens accepted in mode any
		this.bad = new Map();        // foreign tokens no longer accepted -> 'expired'|'revoked'
		this.rejectForeign = false;
		this.refreshes = 0;
		if (this.config.refresh_token) this.newFamily(this.config.refresh_token);
	}

	/* ---- journal: a restarted sandbox still knows what it issued ---- */
	#write(e) { if (this.journal) this.journal.append({ op: 'tokens', ...e }); }
	replay(e) {
		const family = () => this.families.get(e.family);
		switch (e.what) {
		case 'family':
			this.families.set(e.family, { id: e.family, refresh: e.refresh, first: e.refresh, used: new Set(), dead: false, issued: [], active: [] });
			this.refresh.set(e.refresh, e.family);
			break;
		case 'rotate': {
			const f = this.#adopt(e);
			f.used.add(e.old);
			f.refresh = e.refresh;
			this.refresh.set(e.old, f.id);
			this.refresh.set(e.refresh, f.id);
			break;
		}
		case 'access': {
			const f = this.#adopt(e);
			this.access.set(e.token, { family: f, expires: e.expires, dead: f.dead, token: e.token });
			f.active.push(e.token);
			break;
		}
		case 'kill': if (family()) this.killFamily(family()); break;
		case 'config': Object.assign(this.config, e.config); break;
		}
	}
	// The family that exists since the start has another id in every process; it is known by its first refresh token.
	#adopt(e) {
		let f = this.families.get(e.family) || this.families.get(this.refresh.get(e.first));
		if (!f) { f = this.newFamily(e.first); }
		this.families.set(e.family, f);
		return f;
	}
	configure(change) {
		Object.assign(this.config, change);
		this.#write({ what: 'config', config: change });
	}

	newFamily(refreshToken) {
		const f = { id: crypto.randomUUID(), refresh: refreshToken || this.#word('refresh'), used: new Set(), dead: false, issued: [], active: [] };
		f.first = f.refresh;
		f.lastUse = this.clock.now();
		this.families.set(f.id, f);
		this.refresh.set(f.refresh, f.id);
		this.#write({ what: 'family', family: f.id, refresh: f.refresh });
		return f;
	}
	#word(kind) { return `sbx-${kind}-${crypto.randomBytes(18).toString('base64url')}`; }

	issueAccess(family, lifetimeMs) {
		const token = this.#word('access');
		this.access.set(token, { family, expires: this.clock.now() + (lifetimeMs ?? this.config.lifetime_ms), dead: false, token });
		family.active.push(token);
		this.#write({ what: 'access', family: family.id, first: family.first, token, expires: this.access.get(token).expires });
		const max = this.config.max_active;
		while (max && family.active.length > max) this.access.delete(family.active.shift());
		return token;
	}

	// Returns {access, refresh, rotated, lifetime_s} or {error: invalid_grant|too_many}.
	useRefresh(token) {
		this.refreshes++;
		const f = this.families.get(this.refresh.get(token));
		if (!f || f.dead) return { error: 'invalid_grant' };
		if (f.refresh !== token && !this.config.keep_old) {
			if (this.config.reuse_kills) this.killFamily(f);
			return { error: 'invalid_grant', reused: true };
		}
		const now = this.clock.now();
		// A refresh token that nobody used for too long dies.
		if (this.config.refresh_idle_ms && f.lastUse !== undefined && now - f.lastUse > this.config.refresh_idle_ms) {
			this.killFamily(f);
			return { error: 'invalid_grant', idle: true };
		}
		f.lastUse = now;
		if (this.config.max_per_window) {
			f.issued = f.issued.filter(t => t > now - this.config.window_ms);
			if (f.issued.length >= this.config.max_per_window) return { error: 'too_many' };
			f.issued.push(now);
		}
		if (this.config.rotate) {
			f.used.add(token);
			f.refresh = this.#word('refresh');
			this.refresh.set(f.refresh, f.id);
			this.#write({ what: 'rotate', family: f.id, first: f.first, old: token, refresh: f.refresh });
		}
		return { access: this.issueAccess(f), refresh: f.refresh, rotated: this.config.rotate, lifetime_s: Math.round(this.config.lifetime_ms / 1000) };
	}
	// client_credentials and JWT bearer: a token without a refresh token.
	useClient() {
		const f = this.newFamily();
		return { access: this.issueAccess(f), lifetime_s: Math.round(this.config.lifetime_ms / 1000) };
	}
	clientOk(id, secret) { return id === this.config.client_id && secret === this.config.client_secret; }

	killFamily(f) {
		f.dead = true;
		this.#write({ what: 'kill', family: f.id });
		for (const a of this.access.values()) if (a.family === f) a.dead = true;
	}

	// Verdict on a bearer: ok | missing | expired | revoked | unknown.
	check(token) {
		if (this.config.mode === 'off') return 'ok';
		if (!token) return 'missing';
		const a = this.access.get(token);
		if (a) {
			if (a.dead) return 'revoked';
			return a.expires > this.clock.now() ? 'ok' : 'expired';
		}
		if (this.bad.has(token)) return this.bad.get(token);
		if (this.config.static_tokens.includes(token)) return 'ok';
		if (this.config.mode === 'strict') return 'unknown';
		if (this.rejectForeign) return this.rejectForeign;
		this.seen.add(token);
		return 'ok';
	}

	// Every token in circulation is from now on expired (a refresh helps).
	expireAll() {
		for (const a of this.access.values()) a.expires = 0;
		for (const t of [...this.seen, ...this.config.static_tokens]) this.bad.set(t, 'expired');
	}
	// ... or revoked: refresh tokens die as well, foreign tokens stay refused until restore().
	revokeAll() {
		for (const f of this.families.values()) this.killFamily(f);
		for (const t of [...this.seen, ...this.config.static_tokens]) this.bad.set(t, 'revoked');
		this.rejectForeign = 'revoked';
	}
	restore() {
		this.bad.clear();
		this.rejectForeign = false;
		if (this.config.refresh_token) this.newFamily(this.config.refresh_token);
	}
	state() {
		const now = this.clock.now();
		return { ...this.config, client_secret: undefined, refreshes: this.refreshes,
			families: [...this.families.values()].map(f => ({ refresh_token: f.refresh, dead: f.dead })),
			access: [...this.access.values()].map(a => ({ token: a.token, live: !a.dead && a.expires > now, expires_at: new Date(a.expires).toISOString() })) };
	}
}
module.exports = { Tokens };
