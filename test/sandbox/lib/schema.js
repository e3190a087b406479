'use strict';
// Field definitions of one dialect and what an administrator may do to them while the run goes on:
// rename, remove, retype, require, withdraw a permission. Definitions are the neutral form
//   {name, label, type, unique, readonly, required, options: [{value, label}], max, ...vendor keys}
// and each dialect renders its vendor's describe answer from them.
const { ControlError } = require('./errors');

class Schema {
	constructor(seed) { this.seed = seed; this.reset(); }
	reset() {
		this.objects = new Map();
		for (const [object, fields] of Object.entries(this.seed)) {
			const m = new Map();
			for (const f of fields) m.set(f.name, { ...f, options: f.options && f.options.map(o => ({ ...o })) });
			this.objects.set(object, m);
		}
		this.version = 1;
	}
	fields(object) { return this.objects.get(object); }
	field(object, name) {
		const m = this.objects.get(object);
		return m && m.get(name);
	}
	#need(object, name) {
		const f = this.field(object, name);
		if (!f) throw new ControlError(`no field "${name}" on "${object}"`);
		return f;
	}
	touched() { this.version++; }

	// A renamed field takes its stored values with it, as a rename in a CRM does.
	rename(store, object, from, to) {
		const f = this.#need(object, from);
		const m = this.fields(object);
		m.delete(from);
		m.set(to, { ...f, name: to });
		this.touched();
		for (const r of store.all(object, true)) {
			if (r.props[from] === undefined) continue;
			const props = { ...r.props, [to]: r.props[from] };
			delete props[from];
			store.update(object, r.id, props);
		}
	}
	remove(object, name) { this.#need(object, name); this.fields(object).delete(name); this.touched(); }
	retype(object, name, change) { Object.assign(this.#need(object, name), change); this.touched(); }
	require(object, name, from) { Object.assign(this.#need(object, name), { required: true, requiredFrom: from || null }); this.touched(); }
	setOptions(object, name, options) { this.#need(object, name).options = options; this.touched(); }
	// mode: 'silent' (a write of it is ignored) or 'forbidden' (refused); null gives it back.
	permission(object, name, mode) { this.#need(object, name).perm = mode; this.touched(); }
	add(object, field) {
		if (!this.fields(object)) throw new ControlError(`no object "${object}"`);
		if (!field || !field.name) throw new ControlError('a field needs a name');
		this.fields(object).set(field.name, field);
		this.touched();
	}
	dump() {
		const out = {};
		for (const [o, m] of this.objects) out[o] = [...m.values()];
		return out;
	}
}
module.exports = { Schema };
