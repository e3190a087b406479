'use strict';
// Associations: v4 (default, labelled, batch, read), their date-versioned twins, and v3.
// A link is stored in both directions, each with the types that hold in that direction.
const errors = require('./errors');
const { answer, inputs } = require('./batch');
const seed = require('./seed.json');

class Associations {
	constructor(dialect) {
		this.dialect = dialect;
		this.types = new Map();   // 'from>to' -> [{category, typeId, label, inverse, name, isDefault}]
		const add = (from, to, typeId, inverse, label, isDefault) => {
			const key = `${from}>${to}`;
			const list = this.types.get(key) || this.types.set(key, []).get(key);
			const name = `${dialect.type(from).singular}_to_${dialect.type(to).singular}` + (label === 'Primary' ? '_primary' : '');
			if (!list.some(t => t.typeId === typeId)) list.push({ category: 'HUBSPOT_DEFINED', typeId, label, inverse, name, isDefault });
		};
		for (const a of seed.associations) {
			add(a.from, a.to, a.id, a.inverse, null, true);
			add(a.to, a.from, a.inverse, a.id, null, true);
			if (a.primary) {
				add(a.from, a.to, a.primary, a.primaryInverse, 'Primary', false);
				add(a.to, a.from, a.primaryInverse, a.primary, 'Primary', false);
			}
		}
	}
	between(from, to) { return this.types.get(`${from}>${to}`) || []; }

	#type(from, to, category, typeId) {
		const t = this.between(from, to).find(x => x.category === category && x.typeId === Number(typeId));
		if (!t) throw errors.invalid(`Invalid association type: ${category} ${typeId} does not exist between ${this.dialect.type(from).label} and ${this.dialect.type(to).label}`);
		return t;
	}
	#record(object, id) {
		const r = /^\d+$/.test(String(id)) ? this.dialect.store.get(object, id) : undefined;
		if (!r) throw errors.invalid(`One or more associations are not valid: ${this.dialect.type(object).label}=${id} is not valid`);
		return r;
	}

	// Checks the associations of a create: [{to: {id}, types: [{associationCategory, associationTypeId}]}].
	plan(ctx, from, list) {
		if (list === undefined || list === null) return [];
		if (!Array.isArray(list)) throw errors.badInput('"associations" must be an array');
		return list.map(a => {
			if (!a || !a.to || a.to.id === undefined || !Array.isArray(a.types) || !a.types.length) throw errors.badInput('an association needs to.id and types');
			return this.#resolve(from, a);
		});
	}
	// The target's object type follows from the association type.
	#resolve(from, a) {
		const first = a.types[0];
		for (const to of this.dialect.types.keys()) {
			if (!this.between(from, to).some(t => t.category === first.associationCategory && t.typeId === Number(first.associationTypeId))) continue;
			const types = a.types.map(t => this.#type(from, to, t.associationCategory, t.associationTypeId));
			return { to, id: this.#record(to, a.to.id).id, types };
		}
		throw errors.invalid(`Invalid association type: ${first.associationCategory} ${first.associationTypeId} does not exist from ${this.dialect.type(from).label}`);
	}
	commit(ctx, from, id, plan) { for (const p of plan) this.link(ctx, from, id, p.to, p.id, p.types); }

	link(ctx, from, id, to, toId, types) {
		const a = `${from}/${id}`, b = `${to}/${toId}`;
		const grow = (x, y, list) => {
			const old = this.dialect.store.linksOf(x).get(y) || [];
			const fresh = list.filter(t => !old.some(o => o.typeId === t.typeId && o.category === t.category));
			if (fresh.length || !old.length) ctx.writer.link(x, y, [...old, ...fresh]);
		};
		grow(a, b, types.map(t => ({ category: t.category, typeId: t.typeId, label: t.label })));
		grow(b, a, types.map(t => {
			const back = this.between(to, from).find(x => x.typeId === t.inverse) || t;
			return { category: t.category, typeId: t.inverse, label: back.label };
		}));
	}
	unlink(ctx, from, id, to, toId, types) {
		const cut = (x, y, ids) => {
			const old = this.dialect.store.linksOf(x).get(y);
			if (!old) return;
			const left = ids ? old.filter(t => !ids.includes(t.typeId)) : [];
			if (left.length) ctx.writer.link(x, y, left);
			else ctx.writer.unlink(x, y);
		};
		cut(`${from}/${id}`, `${to}/${toId}`, types && types.map(t => t.typeId));
		cut(`${to}/${toId}`, `${from}/${id}`, types && types.map(t => t.inverse));
	}

	// [id, types] of the live records of one object that a record is linked to.
	of(from, id, to) {
		const out = [];
		for (const [key, types] of this.dialect.store.linksOf(`${from}/${id}`)) {
			const [object, other] = key.split('/');
			if (object !== to) continue;
			const r = this.dialect.store.get(to, other);
			if (r) out.push([r.id, types]);
		}
		return out;
	}
	// associations=... of an object read.
	summary(from, id, names) {
		const out = {};
		for (const name of names) {
			const to = this.dialect.objectName(name);
			if (!to) throw errors.invalid(`Unable to infer object type from: ${name}`);
			const results = this.of(from, id, to).flatMap(([other, types]) => types.map(t => ({ id: other, type: this.between(from, to).find(x => x.typeId === t.typeId)?.name || String(t.typeId) })));
			if (results.length) out[to] = { results };
		}
		return out;
	}

	/* ---- endpoints; `this` of a handler is the dialect ---- */

	pair(ctx) {
		const from = this.dialect.needObject(ctx.params.from), to = this.dialect.needObject(ctx.params.to);
		return { from, to };
	}
	defaultType(from, to) {
		const t = this.between(from, to).find(x => x.isDefault);
		if (!t) throw errors.invalid(`No default association type between ${this.dialect.type(from).label} and ${this.dialect.type(to).label}`);
		return t;
	}

	putDefault(ctx) {
		const { from, to } = this.pair(ctx);
		const a = this.#live(from, ctx.params.id), b = this.#live(to, ctx.params.toId);
		const t = this.defaultType(from, to);
		this.link(ctx, from, a.id, to, b.id, [t]);
		const started = ctx.dialect.clock.iso();
		const spec = (x, y, typeId) => ({ from: { id: x }, to: { id: y }, associationSpec: { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: typeId } });
		return { status: 200, body: { status: 'COMPLETE', results: [spec(a.id, b.id, t.typeId), spec(b.id, a.id, t.inverse)], startedAt: started, completedAt: ctx.dialect.clock.iso() } };
	}
	#live(object, id) {
		const r = /^\d+$/.test(id) ? this.dialect.store.get(object, id) : undefined;
		if (!r) throw errors.notFound();
		return r;
	}
	putLabelled(ctx) {
		const { from, to } = this.pair(ctx);
		const list = this.dialect.body(ctx);
		if (!Array.isArray(list) || !list.length) throw errors.badInput('the body must be a list of association types');
		const a = this.#live(from, ctx.params.id), b = this.#live(to, ctx.params.toId);
		const types = list.map(t => this.#type(from, to, t.associationCategory, t.associationTypeId));
		this.link(ctx, from, a.id, to, b.id, types);
		return { status: 201, body: { fromObjectTypeId: this.dialect.type(from).typeId, fromObjectId: Number(a.id), toObjectTypeId: this.dialect.type(to).typeId, toObjectId: Number(b.id), labels: types.map(t => t.label).filter(Boolean) } };
	}
	remove(ctx) {
		const { from, to } = this.pair(ctx);
		this.unlink(ctx, from, ctx.params.id, to, ctx.params.toId, null);
		return { status: 204 };
	}
	list(ctx) {
		const { from, to } = this.pair(ctx);
		const a = this.#live(from, ctx.params.id);
		const v3 = ctx.params.ver === 'v3';
		const found = this.of(from, a.id, to);
		const limit = Number(ctx.query.get('limit') || 500), after = Number(ctx.query.get('after') || 0);
		const page = found.slice(after, after + limit);
		const results = v3
			? page.flatMap(([id, types]) => types.map(t => ({ id, type: this.between(from, to).find(x => x.typeId === t.typeId)?.name || String(t.typeId) })))
			: page.map(([id, types]) => ({ toObjectId: Number(id), associationTypes: types.map(t => ({ category: t.category, typeId: t.typeId, label: t.label })) }));
		const body = { results };
		if (after + limit < found.length) body.paging = { next: { after: String(after + limit), link: `${ctx.base}${ctx.path}?after=${after + limit}` } };
		return { status: 200, body };
	}
	// v3: the type is a name (call_to_contact) or a number in the path.
	putV3(ctx) {
		const { from, to } = this.pair(ctx);
		const a = this.#live(from, ctx.params.id), b = this.#live(to, ctx.params.toId);
		this.link(ctx, from, a.id, to, b.id, [this.#named(from, to, ctx.params.type)]);
		const { render } = require('./objects');
		return { status: 200, body: { ...render(this.dialect, from, a, this.dialect.defaultProperties(from)), associations: this.summary(from, a.id, [to]) } };
	}
	removeV3(ctx) {
		const { from, to } = this.pair(ctx);
		this.unlink(ctx, from, ctx.params.id, to, ctx.params.toId, [this.#named(from, to, ctx.params.type)]);
		return { status: 204 };
	}
	#named(from, to, name) {
		const t = this.between(from, to).find(x => x.name === name || String(x.typeId) === String(name));
		if (!t) throw errors.invalid(`Invalid association type: ${name}`);
		return t;
	}
	labels(ctx) {
		const { from, to } = this.pair(ctx);
		return { status: 200, body: { results: this.between(from, to).map(t => ({ category: t.category, typeId: t.typeId, label: t.label })) } };
	}

	batch(ctx, okStatus, each) {
		const { from, to } = this.pair(ctx);
		const { list } = inputs(ctx);
		const started = ctx.dialect.clock.iso();
		const results = [], failures = [];
		for (const i of list) {
			try {
				const out = each(i, from, to);
				if (Array.isArray(out)) results.push(...out);
				else if (out) results.push(out);
			} catch (e) {
				if (!e.body) throw e;
				failures.push(errors.item(e, { fromObjectId: [String(i.from ? i.from.id : i.id)], toObjectId: i.to ? [String(i.to.id)] : [] }));
			}
		}
		return okStatus === 204 ? { status: 204 } : answer(ctx, okStatus, started, results, failures);
	}
	batchCreate(ctx) {
		const v3 = ctx.params.ver === 'v3';
		return this.batch(ctx, 201, (i, from, to) => {
			const a = this.#record(from, i.from.id), b = this.#record(to, i.to.id);
			const types = v3 ? [this.#named(from, to, i.type)] : i.types.map(t => this.#type(from, to, t.associationCategory, t.associationTypeId));
			this.link(ctx, from, a.id, to, b.id, types);
			if (v3) return { from: { id: a.id }, to: { id: b.id }, type: types[0].name };
			return { fromObjectTypeId: this.dialect.type(from).typeId, fromObjectId: Number(a.id), toObjectTypeId: this.dialect.type(to).typeId, toObjectId: Number(b.id), labels: types.map(t => t.label).filter(Boolean) };
		});
	}
	batchDefault(ctx) {
		return this.batch(ctx, 200, (i, from, to) => {
			const a = this.#record(from, i.from.id), b = this.#record(to, i.to.id), t = this.defaultType(from, to);
			this.link(ctx, from, a.id, to, b.id, [t]);
			return { from: { id: a.id }, to: { id: b.id }, associationSpec: { associationCategory: 'HUBSPOT_DEFINED', associationTypeId: t.typeId } };
		});
	}
	batchRead(ctx) {
		const v3 = ctx.params.ver === 'v3';
		return this.batch(ctx, 200, (i, from, to) => {
			const found = this.of(from, this.#record(from, i.id).id, to);
			if (!found.length) return null;
			return { from: { id: String(i.id) }, to: v3
				? found.flatMap(([id, types]) => types.map(t => ({ id, type: this.between(from, to).find(x => x.typeId === t.typeId)?.name || String(t.typeId) })))
				: found.map(([id, types]) => ({ toObjectId: Number(id), associationTypes: types })) };
		});
	}
	batchArchive(ctx) {
		const v3 = ctx.params.ver === 'v3';
		return this.batch(ctx, 204, (i, from, to) => {
			for (const target of Array.isArray(i.to) ? i.to : [i.to]) this.unlink(ctx, from, String(i.from.id), to, String(target.id), v3 && i.type ? [this.#named(from, to, i.type)] : null);
		});
	}
}
module.exports = { Associations };
