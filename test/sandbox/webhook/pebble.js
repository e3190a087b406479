'use strict';
// Pebble CRM, the made-up API of doc/connectors.md: people found by a search that lags, activities that honour
// Idempotency-Key. Below /hook/pebble/v1.
const { HttpError } = require('../lib/errors');

const fail = (status, field, message, more) => { throw new HttpError(status, { errors: [{ field, message }], ...more }); };

class Pebble {
	constructor() { this.people = new Map(); this.activities = new Map(); this.keys = new Map(); }

	answer(ctx) {
		const route = `${ctx.method} ${(ctx.params.path || '').replace(/^pebble\/v1/, '')}`;
		if (!/^Bearer \S+$/.test(ctx.headers.authorization || '')) fail(401, null, 'no token');
		let body;
		try { body = JSON.parse(ctx.body.toString('utf8')); } catch { fail(400, null, 'not JSON'); }
		if (route === 'POST /people/search') return { status: 200, body: { items: [...this.people.values()].filter(p => Object.entries(body).every(([k, v]) => p[k] === v)) } };
		if (route === 'POST /people') return { status: 201, body: this.#person(`p-${this.people.size + 1}`, body) };
		const m = /^PUT \/people\/([\w-]+)$/.exec(route);
		if (m) {
			if (!this.people.has(m[1])) fail(404, null, 'no such person');
			return { status: 200, body: this.#person(m[1], { ...this.people.get(m[1]), ...body }) };
		}
		if (route === 'POST /activities') {
			const key = ctx.headers['idempotency-key'];
			if (key && this.keys.has(key)) return { status: 200, body: this.keys.get(key) };
			if (typeof body.subject !== 'string' || !body.subject) fail(422, 'subject', 'is required');
			if (body.subject.length > 120) fail(422, 'subject', 'is too long');
			if (body.person_id !== undefined && !this.people.has(body.person_id)) fail(422, 'person_id', 'no such person');
			const made = { id: `a-${this.activities.size + 1}`, ...body };
			this.activities.set(made.id, made);
			if (key) this.keys.set(key, made);
			return { status: 201, body: made };
		}
		fail(404, null, `no such route: ${route}`);
		return null;
	}
	#person(id, body) {
		for (const k of Object.keys(body)) if (!['id', 'external_key', 'name', 'phone', 'email'].includes(k)) fail(422, k, 'is unknown');
		if (body.external_key) for (const p of this.people.values()) if (p.id !== id && p.external_key === body.external_key) fail(409, 'external_key', 'is taken', { existing_id: p.id });
		const made = { ...body, id };
		this.people.set(id, made);
		return made;
	}
}
module.exports = { Pebble };
