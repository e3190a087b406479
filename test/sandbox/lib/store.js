'use strict';
// Records of one dialect, in memory, with three things a real CRM has and a Map has not:
// unique properties, a search index that lags behind the records, and soft deletion.
// The one thing to get right: search() sees the indexed copy of a record, everything else the record.

class Store {
	constructor(clock, journal) {
		this.clock = clock;
		this.journal = journal || null;
		this.lagMs = 0;
		this.clear();
	}

	clear() {
		this.tables = new Map();
		this.links = new Map();   // 'from/id' -> Map('to/id' -> value)
		this.seq = 0;             // orders changes, across objects
		this.undo = null;         // inverse operations while a transaction runs
		this.lastId = new Map();  // last number drawn by newNumber, by pool
		if (this.journal) this.journal.truncate();
	}

	// Forgets the records, keeps what is unique.
	empty() {
		for (const t of this.tables.values()) {
			t.rows.clear(); t.merged.clear(); t.pending.clear(); t.equal.clear();
			for (const u of t.unique.values()) u.index.clear();
		}
		this.links.clear();
	}

	table(object) {
		let t = this.tables.get(object);
		if (!t) {
			t = { object, rows: new Map(), unique: new Map(), merged: new Map(), pending: new Map(), equal: new Map() };
			this.tables.set(object, t);
		}
		return t;
	}

	objects() { return [...this.tables.keys()]; }

	// A property whose value names at most one live record; normalize maps a value to its key.
	defineUnique(object, property, normalize) {
		const t = this.table(object);
		const u = { normalize: normalize || String, index: new Map() };
		t.unique.set(property, u);
		for (const r of t.rows.values()) if (!r.archived) this.#indexUnique(u, property, r);
	}
	dropUnique(object, property) { this.table(object).unique.delete(property); }
	isUnique(object, property) { return this.table(object).unique.has(property); }

	#indexUnique(u, property, r) {
		const v = r.props[property];
		if (v === undefined || v === null || v === '') return;
		u.index.set(u.normalize(v), r.id);
	}
	#unindexUnique(t, r) {
		for (const [p, u] of t.unique) {
			const v = r.props[p];
			if (v === undefined || v === null || v === '') continue;
			const key = u.normalize(v);
			if (u.index.get(key) === r.id) u.index.delete(key);
		}
	}

	newNumber(pool, first) {
		const n = (this.lastId.get(pool) || (first - 1)) + 1;
		this.lastId.set(pool, n);
		this.#write({ op: 'number', pool, n });
		return n;
	}

	// The record, following merges; archived records only when asked for.
	get(object, id, withArchived) {
		const t = this.table(object);
		let key = String(id);
		for (let hops = 0; t.merged.has(key) && hops < 20; hops++) key = t.merged.get(key);
		const r = t.rows.get(key);
		return r && (withArchived || !r.archived) ? r : undefined;
	}

	findUnique(object, property, value) {
		const t = this.table(object);
		const u = t.unique.get(property);
		if (!u || value === undefined || value === null || value === '') return undefined;
		const id = u.index.get(u.normalize(value));
		return id === undefined ? undefined : this.get(object, id);
	}

	// A further value under which a record is found (the old e-mail of a merged contact).
	alias(object, property, value, id) {
		const u = this.table(object).unique.get(property);
		if (u) u.index.set(u.normalize(value), String(id));
	}

	*all(object, withArchived) {
		for (const r of this.table(object).rows.values()) if (withArchived || !r.archived) yield r;
	}
	count(object) {
		let n = 0;
		for (const r of this.table(object).rows.values()) if (!r.archived) n++;
		return n;
	}

	create(object, id, props, extra) {
		const t = this.table(object);
		const now = this.clock.now();
		this.#remember(t, String(id));
		const r = { id: String(id), object, props, createdAt: now, updatedAt: now, archived: false, archivedAt: null,
			version: 1, seq: ++this.seq, ...extra };
		t.rows.set(r.id, r);
		for (const [p, u] of t.unique) this.#indexUnique(u, p, r);
		this.#reindexSearch(t, r);
		this.#write({ op: 'put', record: r });
		return r;
	}

	// Replaces the properties; merging old and new is the dialect's business.
	update(object, id, props, extra) {
		const t = this.table(object);
		const r = this.get(object, id, true);
		if (!r) throw new Error(`no ${object} ${id}`);
		this.#remember(t, r.id);
		this.#unindexUnique(t, r);
		r.props = props;
		r.updatedAt = Math.max(this.clock.now(), r.createdAt);
		r.version++;
		r.seq = ++this.seq;
		Object.assign(r, extra);
		if (!r.archived) for (const [p, u] of t.unique) this.#indexUnique(u, p, r);
		this.#reindexSearch(t, r);
		this.#write({ op: 'put', record: r });
		return r;
	}

	archive(object, id) {
		const t = this.table(object);
		const r = this.get(object, id);
		if (!r) return undefined;
		this.#remember(t, r.id);
		this.#unindexUnique(t, r);
		r.archived = true;
		r.archivedAt = r.updatedAt = this.clock.now();
		r.seq = ++this.seq;
		this.#reindexSearch(t, r);
		this.#write({ op: 'put', record: r });
		return r;
	}

	unarchive(object, id) {
		const t = this.table(object);
		const r = this.get(object, id, true);
		if (!r || !r.archived) return r;
		this.#remember(t, r.id);
		r.archived = false;
		r.archivedAt = null;
		r.updatedAt = this.clock.now();
		r.seq = ++this.seq;
		for (const [p, u] of t.unique) this.#indexUnique(u, p, r);
		this.#reindexSearch(t, r);
		this.#write({ op: 'put', record: r });
		return r;
	}

	purge(object, id) {
		const t = this.table(object);
		const r = this.get(object, id, true);
		if (!r) return;
		if (!r.archived) this.#unindexUnique(t, r);
		this.#publish(t, r, null);
		t.rows.delete(r.id);
		t.pending.delete(r.id);
		this.unlinkAll(object, r.id);
		this.#write({ op: 'purge', object, id: r.id });
	}

	// id becomes another name of survivor.
	merge(object, survivor, id) {
		const t = this.table(object);
		const r = this.get(object, id);
		if (r) {
			this.#unindexUnique(t, r);
			this.#publish(t, r, null);
			t.rows.delete(r.id);
			t.pending.delete(r.id);
		}
		t.merged.set(String(id), String(survivor));
		this.#write({ op: 'merge', object, id: String(id), survivor: String(survivor) });
	}

	/* ---- transactions: all or nothing over several writes, within one synchronous handler ---- */

	begin() {
		this.undo = [];
		this.mark = this.journal ? this.journal.mark() : 0;
	}
	commit() { this.undo = null; }
	rollback() {
		const list = this.undo;
		this.undo = null;
		for (const f of list.reverse()) f();
		if (this.journal) this.journal.rewind(this.mark);
	}
	// Puts a record back exactly as it was (before: a copy, or null when it did not exist).
	#restore(t, id, before) {
		const now = t.rows.get(id);
		t.equal.clear();   // rare: built again at the next search
		if (now) { this.#unindexUnique(t, now); t.pending.delete(id); }
		if (!before) { t.rows.delete(id); return; }
		t.rows.set(id, before);
		if (!before.archived) for (const [p, u] of t.unique) this.#indexUnique(u, p, before);
	}
	#remember(t, id) {
		if (!this.undo) return;
		const now = t.rows.get(id);
		const before = now ? { ...now } : null;
		this.undo.push(() => this.#restore(t, id, before));
	}

	/* ---- the lagging search index ---- */

	#reindexSearch(t, r) {
		const copy = { props: r.props, archived: r.archived, updatedAt: r.updatedAt };
		if (this.lagMs <= 0) {
			this.#publish(t, r, copy);
			t.pending.delete(r.id);
			return;
		}
		// A new version becomes visible after the lag; until then the old one (or nothing) is.
		const list = t.pending.get(r.id) || [];
		list.push({ at: this.clock.now() + this.lagMs, copy });
		t.pending.set(r.id, list);
	}

	// Makes a version the one that searches see, in the look-ups by equality as well.
	#publish(t, r, copy) {
		const old = r.indexed;
		r.indexed = copy;
		for (const e of t.equal.values()) {
			const was = old && !old.archived ? e.keyOf(old.props) : null, is = copy && !copy.archived ? e.keyOf(copy.props) : null;
			if (was === is && was === null) continue;
			if (was !== null && was !== is) { const set = e.map.get(was); if (set) { set.delete(r.id); if (!set.size) e.map.delete(was); } }
			if (is !== null) { const set = e.map.get(is); if (set) set.add(r.id); else e.map.set(is, new Set([r.id])); }
		}
	}
	// Records whose indexed version has this key; name says which look-up, keyOf (props -> key or
	// null) how it is built. Made at first use, kept up to date from then on.
	lookup(object, name, keyOf, key) {
		const t = this.table(object);
		this.#settle(t);
		let e = t.equal.get(name);
		if (!e) {
			e = { keyOf, map: new Map() };
			for (const r of t.rows.values()) {
				if (!r.indexed || r.indexed.archived) continue;
				const k = keyOf(r.indexed.props);
				if (k !== null) (e.map.get(k) || e.map.set(k, new Set()).get(k)).add(r.id);
			}
			t.equal.set(name, e);
		}
		return [...(e.map.get(key) || [])].map(id => t.rows.get(id)).filter(Boolean);
	}

	#settle(t) {
		if (t.pending.size === 0) return;
		const now = this.clock.now();
		for (const [id, list] of t.pending) {
			const r = t.rows.get(id);
			while (list.length && (list[0].at <= now || this.lagMs <= 0)) {
				const p = list.shift();
				if (r) this.#publish(t, r, p.copy);
			}
			if (!list.length) t.pending.delete(id);
		}
	}

	flushIndex() {
		for (const t of this.tables.values()) {
			for (const list of t.pending.values()) for (const p of list) p.at = 0;
			this.#settle(t);
		}
	}

	// Every record as the search index knows it: [record, {props, updatedAt} of its indexed version].
	*searchable(object) {
		const t = this.table(object);
		this.#settle(t);
		for (const r of t.rows.values()) if (r.indexed && !r.indexed.archived) yield [r, r.indexed];
	}

	/* ---- links between records, one direction per call ---- */

	link(from, to, value) {
		let m = this.links.get(from);
		if (!m) this.links.set(from, m = new Map());
		if (this.undo) {
			const had = m.has(to), old = m.get(to);
			this.undo.push(() => (had ? m.set(to, old) : m.delete(to)));
		}
		m.set(to, value);
		this.#write({ op: 'link', from, to, value });
	}
	unlink(from, to) {
		const m = this.links.get(from);
		if (!m || !m.has(to)) return;
		const old = m.get(to);
		if (this.undo) this.undo.push(() => m.set(to, old));
		m.delete(to);
		this.#write({ op: 'unlink', from, to });
	}
	linksOf(from) { return this.links.get(from) || new Map(); }
	unlinkAll(object, id) {
		const me = `${object}/${id}`;
		for (const other of [...this.linksOf(me).keys()]) {
			this.unlink(other, me);
			this.unlink(me, other);
		}
	}

	/* ---- journal ---- */

	#write(entry) { if (this.journal) this.journal.append(entry); }

	// Applies one journal entry at start; nothing is written back.
	replay(entry) {
		const t = entry.object || entry.record ? this.table(entry.object || entry.record.object) : null;
		switch (entry.op) {
		case 'put': {
			const old = t.rows.get(entry.record.id);
			if (old && !old.archived) this.#unindexUnique(t, old);
			const r = entry.record;
			t.rows.set(r.id, r);
			r.indexed = { props: r.props, archived: r.archived, updatedAt: r.updatedAt };
			if (!r.archived) for (const [p, u] of t.unique) this.#indexUnique(u, p, r);
			this.seq = Math.max(this.seq, r.seq);
			break;
		}
		case 'purge': {
			const old = t.rows.get(entry.id);
			if (old && !old.archived) this.#unindexUnique(t, old);
			t.rows.delete(entry.id);
			break;
		}
		case 'merge': {
			const old = t.rows.get(entry.id);
			if (old && !old.archived) this.#unindexUnique(t, old);
			t.rows.delete(entry.id);
			t.merged.set(entry.id, entry.survivor);
			break;
		}
		case 'link': {
			let m = this.links.get(entry.from);
			if (!m) this.links.set(entry.from, m = new Map());
			m.set(entry.to, entry.value);
			break;
		}
		case 'unlink': {
			const m = this.links.get(entry.from);
			if (m) m.delete(entry.to);
			break;
		}
		case 'number':
			this.lastId.set(entry.pool, Math.max(entry.n, this.lastId.get(entry.pool) || 0));
			break;
		}
	}
}
module.exports = { Store };
