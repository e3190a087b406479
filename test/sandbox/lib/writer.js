'use strict';
// Every write of a dialect to its store goes through here: notes the record in the request log and
// plays the record faults. What comes back is the record the dialect should *answer with*, which
// under a fault is not the record that is stored.
const { recordActions } = require('./faults');

class Writer {
	constructor(store, entry, rules) {
		this.store = store;
		this.entry = entry;
		this.rules = rules || [];
	}

	// The reason an armed reject_record rule gives for refusing this record, or null. Asked by the
	// dialect while it validates, so that the refusal has the vendor's shape.
	rejection(object, op, props) {
		if (!this.rules.length) return null;
		const only = this.rules.filter(r => r.actions.some(a => a.action === 'reject_record'));
		const hit = recordActions(only, object, op, props)[0];
		if (!hit) return null;
		this.entry.faults.push('reject_record');
		return { status: hit.status || 400, field: hit.field || null, code: hit.code || null, message: hit.message || 'rejected by the sandbox', expected: hit.expected, body: hit.body };
	}

	#plan(object, op, props) {
		if (!this.rules.length) return null;
		const only = this.rules.filter(r => !r.actions.some(a => a.action === 'reject_record'));
		const actions = recordActions(only, object, op, props);
		if (!actions.length) return null;
		for (const a of actions) this.entry.faults.push(a.action);
		return actions;
	}

	// next: all properties after the write. previous: those before, or null for a create.
	#tamper(actions, next, previous) {
		const stored = { ...next }, shown = { ...next };
		for (const a of actions) {
			if (a.action === 'drop_field') {
				if (previous && previous[a.field] !== undefined) stored[a.field] = previous[a.field];
				else delete stored[a.field];
				if (a.echo === false) {
					if (stored[a.field] === undefined) delete shown[a.field];
					else shown[a.field] = stored[a.field];
				}
			}
			if (a.action === 'alter_field') {
				let v = stored[a.field];
				if (a.value !== undefined) v = a.value;
				if (a.truncate !== undefined && typeof v === 'string') v = v.slice(0, a.truncate);
				if (a.suffix !== undefined) v = String(v) + a.suffix;
				stored[a.field] = v;
				if (a.echo === false) shown[a.field] = v;
			}
		}
		return { stored, shown };
	}

	#note(object, id, op) { this.entry.touched.push({ object, id, op }); }

	create(object, id, props, extra) {
		const actions = this.#plan(object, 'create', props);
		if (!actions) {
			const r = this.store.create(object, id, props, extra);
			this.#note(object, r.id, 'create');
			return r;
		}
		if (actions.some(a => a.action === 'store_nothing')) {
			const now = this.store.clock.now();
			return { id: String(id), object, props, createdAt: now, updatedAt: now, archived: false, version: 1, phantom: true, ...extra };
		}
		const { stored, shown } = this.#tamper(actions, props, null);
		const r = this.store.create(object, id, stored, extra);
		this.#note(object, r.id, 'create');
		return { ...r, props: shown };
	}

	update(object, id, props, extra) {
		const old = this.store.get(object, id, true);
		const actions = this.#plan(object, 'update', props);
		if (!actions) {
			const r = this.store.update(object, old.id, props, extra);
			this.#note(object, r.id, 'update');
			return r;
		}
		if (actions.some(a => a.action === 'store_nothing')) return { ...old, props, updatedAt: this.store.clock.now(), phantom: true };
		const { stored, shown } = this.#tamper(actions, props, old.props);
		const r = this.store.update(object, old.id, stored, extra);
		this.#note(object, r.id, 'update');
		return { ...r, props: shown };
	}

	archive(object, id) {
		const r = this.store.archive(object, id);
		if (r) this.#note(object, r.id, 'archive');
		return r;
	}
	purge(object, id) {
		this.store.purge(object, id);
		this.#note(object, String(id), 'purge');
	}
	link(from, to, value) {
		this.store.link(from, to, value);
		this.entry.linked = (this.entry.linked || 0) + 1;
	}
	unlink(from, to) { this.store.unlink(from, to); }
}
module.exports = { Writer };
