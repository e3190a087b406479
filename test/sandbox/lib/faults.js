'use strict';
// Misbehaviour on command. A rule says which requests (match, after, count, probability) and what
// happens to them (actions). Three kinds of action, applied at three places:
//   request  refuse hang delay status throttle html200 drop_before drop_after truncate cut_json   (server.js)
//   record   store_nothing drop_field alter_field reject_record                                   (writer.js)
//   world    schema changes, token changes, down, up                                              (world.js)
// Each rule draws from a random stream of its own, seeded from the run's seed and the rule's number:
// adding a rule does not change what the others do.
const { prng, hash } = require('./prng');
const { ControlError } = require('./errors');

const REQUEST = new Set(['refuse', 'hang', 'delay', 'status', 'throttle', 'html200', 'drop_before', 'drop_after', 'truncate', 'cut_json']);
const RECORD = new Set(['store_nothing', 'drop_field', 'alter_field', 'reject_record']);
const WORLD = new Set(['rename_field', 'remove_field', 'remove_permission', 'restore_permission', 'retype', 'add_required', 'add_field', 'set_options',
	'expire_tokens', 'revoke_tokens', 'restore_tokens', 'down', 'up']);

const regex = (s, what) => {
	if (s === undefined || s === null) return null;
	try { return new RegExp(s); } catch (e) { throw new ControlError(`bad regular expression in ${what}: ${e.message}`); }
};

class Rule {
	constructor(spec, id, seed) {
		const m = spec.match || {};
		this.id = id;
		this.spec = spec;
		this.dialect = spec.dialect || null;
		const list = spec.actions || [spec];
		this.actions = list.map(a => ({ ...a, kind: Rule.kind(a.action) }));
		this.method = m.method ? m.method.toUpperCase() : null;
		this.op = regex(m.op, 'match.op');
		this.path = regex(m.path, 'match.path');
		this.body = regex(m.body, 'match.body');
		this.headers = Object.entries(m.header || {}).map(([k, v]) => [k.toLowerCase(), regex(v, 'match.header')]);
		this.record = regex(m.record, 'match.record');
		this.object = m.object || spec.object || null;
		this.probability = spec.probability === undefined ? 1 : Number(spec.probability);
		// a rule with a probability is a climate, one without is an event
		this.count = spec.count === undefined ? (this.probability < 1 ? -1 : 1) : Number(spec.count);
		this.after = Number(spec.after || 0);
		this.random = prng((seed ^ hash('rule' + id)) >>> 0);
		this.seenCount = 0;
		this.hits = 0;
	}
	static kind(action) {
		if (REQUEST.has(action)) return 'request';
		if (RECORD.has(action)) return 'record';
		if (WORLD.has(action)) return 'world';
		throw new ControlError(`unknown action "${action}"; known: ${[...REQUEST, ...RECORD, ...WORLD].join(', ')}`);
	}
	get hasMatch() {
		return !!(this.method || this.op || this.path || this.body || this.headers.length || this.record);
	}
	get spent() { return this.count >= 0 && this.hits >= this.count; }
	matchesRequest(r) {
		if (this.dialect && this.dialect !== r.dialect) return false;
		if (this.method && this.method !== r.method) return false;
		if (this.op && !this.op.test(r.op || '')) return false;
		if (this.path && !this.path.test(r.url)) return false;
		if (this.body && !this.body.test(r.text())) return false;
		for (const [k, re] of this.headers) if (r.headers[k] === undefined || !re.test(r.headers[k])) return false;
		return true;
	}
	// Counts a match and decides whether this one is hit.
	draw() {
		if (this.spent) return false;
		if (++this.seenCount <= this.after) return false;
		if (this.probability < 1 && this.random() >= this.probability) return false;
		this.hits++;
		return true;
	}
	has(kind) { return this.actions.some(a => a.kind === kind); }
	render() { return { id: this.id, ...this.spec, hits: this.hits, seen: this.seenCount, spent: this.spent }; }
}

class Faults {
	constructor(seed) { this.seed = seed; this.nextId = 1; this.rules = []; }
	clear(ids) { this.rules = ids ? this.rules.filter(r => !ids.includes(r.id)) : []; }
	add(spec) {
		const rule = new Rule(spec, this.nextId++, this.seed);
		this.rules.push(rule);
		return rule;
	}
	// A rule that lives for one request only: header X-Sandbox-Fault.
	once(spec) { return new Rule({ ...spec, match: spec.match && { record: spec.match.record }, probability: 1, count: spec.count ?? -1 }, 0, this.seed); }

	// A bare "refuse" acts on the connection, before a byte is read.
	refusesConnection(dialect) {
		for (const r of this.rules) {
			if (r.hasMatch || !r.actions.some(a => a.action === 'refuse')) continue;
			if (r.dialect && r.dialect !== dialect) continue;
			if (r.draw()) return true;
		}
		return false;
	}

	// Actions that this request meets. Record rules are returned undrawn: they are drawn per record.
	forRequest(r, extra) {
		const request = [], world = [], record = [];
		for (const rule of extra ? [extra, ...this.rules] : this.rules) {
			if (rule.spent || !rule.matchesRequest(r)) continue;
			if (rule.has('record')) record.push(rule);
			if (!rule.has('request') && !rule.has('world')) continue;
			if (!rule.hasMatch && rule.actions.some(a => a.action === 'refuse') && rule !== extra) continue;
			if (!rule.draw()) continue;
			for (const a of rule.actions) {
				if (a.kind === 'request') request.push(a);
				if (a.kind === 'world') world.push(a);
			}
		}
		return { request, world, record };
	}
}

// Record actions for one record about to be written.
function recordActions(rules, object, op, props) {
	const out = [];
	for (const rule of rules) {
		if (rule.object && rule.object !== object) continue;
		const wanted = rule.actions.filter(a => a.kind === 'record' && (!a.on || a.on === op)
			&& (!a.field || a.action === 'reject_record' || props[a.field] !== undefined));
		if (!wanted.length) continue;
		if (rule.record && !rule.record.test(JSON.stringify(props))) continue;
		if (rule.has('request') || rule.has('world') || rule.draw()) out.push(...wanted);
	}
	return out;
}
module.exports = { Faults, recordActions };
