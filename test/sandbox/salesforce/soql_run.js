'use strict';
// Runs a parsed SOQL query over the records (not over the search index: SOQL is consistent).
const errors = require('./errors');
const values = require('./values');
const ids = require('./ids');
const { parse, malformed } = require('./soql_parse');
const { HttpError } = require('../lib/errors');

// A field path of an object: a list of steps, each relation but the last.
function path(dialect, object, text) {
	const steps = text.split('.');
	if (steps[0].toLowerCase() === object.toLowerCase() && steps.length > 1) steps.shift();
	let at = [object];
	const out = [];
	for (let i = 0; i < steps.length; i++) {
		if (i < steps.length - 1) {
			const rel = dialect.relationship(at[0], steps[i]);
			if (!rel || !values.visible(rel)) throw noField(dialect, at[0], text);
			out.push(rel);
			at = rel.ref;
			continue;
		}
		const f = at.map(o => dialect.field(o, steps[i])).find(Boolean);
		if (!f || !values.visible(f)) throw noField(dialect, at[0], text);
		out.push(f);
	}
	return out;
}
const noField = (dialect, object, text) => errors.fail(400, 'INVALID_FIELD', `\nSELECT ${text} FROM ${object}\n       ^\nERROR at Row:1:Column:8\nNo such column '${text}' on entity '${object}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`);

function follow(dialect, object, r, steps) {
	let o = object, cur = r;
	for (let i = 0; i < steps.length - 1; i++) {
		const id = cur.props[steps[i].name];
		if (!id) return null;
		o = ids.objectOf(id);
		cur = dialect.store.get(o, id, true);
		if (!cur) return null;
	}
	return values.valueOf(o, cur, steps[steps.length - 1].name);
}

const day = ms => Math.floor(ms / 86400000) * 86400000;
function range(literal, now) {
	const today = day(now), D = 86400000;
	const m = /^(LAST|NEXT)_N_DAYS:(\d+)$/.exec(literal);
	if (m) return m[1] === 'LAST' ? [today - Number(m[2]) * D, today + D] : [today + D, today + (Number(m[2]) + 1) * D];
	return { TODAY: [today, today + D], YESTERDAY: [today - D, today], TOMORROW: [today + D, today + 2 * D] }[literal];
}

function comparable(field, v) {
	if (v === null || v === undefined) return null;
	if (field.type === 'datetime') return values.parseDateTime(String(v));
	if (field.type === 'date') return Date.parse(String(v).slice(0, 10) + 'T00:00:00Z');
	if (field.type === 'id' || field.type === 'reference') return ids.canonical(v) || String(v);
	return typeof v === 'string' ? v.toLowerCase() : v;
}

function typeCheck(field, lit) {
	if (lit.kind === 'null') return;
	const bad = what => { throw errors.fail(400, 'INVALID_FIELD', `value of filter criterion for field '${field.name}' must be of type ${field.type}${what}`); };
	switch (field.type) {
	case 'datetime': if (!(lit.kind === 'day' || (lit.kind === 'date' && lit.value.length > 10))) bad(' and should not be enclosed in quotes'); break;
	case 'date': if (!(lit.kind === 'day' || (lit.kind === 'date' && lit.value.length === 10))) bad(' and should not be enclosed in quotes'); break;
	case 'boolean': if (lit.kind !== 'boolean') bad(''); break;
	case 'int': case 'double': case 'currency': case 'percent': if (lit.kind !== 'number') bad(' and should not be enclosed in quotes'); break;
	case 'textarea': throw errors.fail(400, 'INVALID_FIELD', `field '${field.name}' can not be filtered in a query call`);
	default: if (lit.kind !== 'string') bad(' and should be enclosed in quotes');
	}
}

function compile(dialect, object, e, now) {
	if (!e) return () => true;
	const sub = x => compile(dialect, object, x, now);
	switch (e.kind) {
	case 'and': { const a = sub(e.left), b = sub(e.right); return r => a(r) && b(r); }
	case 'or': { const a = sub(e.left), b = sub(e.right); return r => a(r) || b(r); }
	case 'not': { const a = sub(e.arg); return r => !a(r); }
	}
	const steps = path(dialect, object, e.field), field = steps[steps.length - 1];
	const get = r => comparable(field, follow(dialect, object, r, steps));
	switch (e.kind) {
	case 'in': {
		for (const v of e.values) typeCheck(field, v);
		const set = new Set(e.values.map(v => comparable(field, v.value)));
		return r => set.has(get(r)) !== e.negative;
	}
	case 'like': {
		if (typeof e.value !== 'string') throw malformed('LIKE needs a string');
		let re = '';
		for (let i = 0; i < e.value.length; i++) {
			const c = e.value[i];
			if (c === '\\' && '%_'.includes(e.value[i + 1])) re += e.value[++i];
			else if (c === '%') re += '[\\s\\S]*';
			else if (c === '_') re += '[\\s\\S]';
			else re += c.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
		}
		const rx = new RegExp(`^${re}$`, 'i');
		return r => { const v = follow(dialect, object, r, steps); return v !== null && rx.test(String(v)); };
	}
	case 'includes': {
		const want = e.values.map(v => String(v.value).split(';').map(s => s.toLowerCase()));
		return r => {
			const have = new Set(String(follow(dialect, object, r, steps) ?? '').toLowerCase().split(';'));
			return want.some(w => w.every(x => have.has(x))) !== e.negative;
		};
	}
	default: {
		typeCheck(field, e.value);
		if (e.value.kind === 'day') {
			const [a, b] = range(e.value.value, now);
			return r => { const v = get(r); if (v === null) return false; return { '=': v >= a && v < b, '!=': v < a || v >= b, '<': v < a, '>': v >= b, '<=': v < b, '>=': v >= a }[e.op]; };
		}
		const want = comparable(field, e.value.value);
		return r => {
			const v = get(r);
			switch (e.op) {
			case '=': return v === want;
			case '!=': return v !== want;
			default:
				if (v === null || want === null) return false;
				return { '<': v < want, '>': v > want, '<=': v <= want, '>=': v >= want }[e.op];
			}
		};
	}
	}
}

function shape(ctx, object, r, columns) {
	const out = { attributes: { type: object, url: `/services/data/${ctx.params.ver}/sobjects/${object}/${r.id}` } };
	for (const steps of columns) {
		let target = out, o = object, cur = r;
		for (let i = 0; i < steps.length - 1 && target; i++) {
			const id = cur.props[steps[i].name];
			const next = id && ctx.dialect.store.get(ids.objectOf(id), id, true);
			if (!next) { target[steps[i].rel] = null; target = null; break; }
			o = ids.objectOf(id);
			cur = next;
			target = target[steps[i].rel] = target[steps[i].rel] || { attributes: { type: o, url: `/services/data/${ctx.params.ver}/sobjects/${o}/${cur.id}` } };
		}
		if (target) target[steps[steps.length - 1].name] = values.valueOf(o, cur, steps[steps.length - 1].name);
	}
	return out;
}

function columnsOf(dialect, object, q) {
	const names = q.fields ? [...dialect.schema.fields(object).values()].filter(f => values.visible(f) && (q.fields === 'ALL' || (q.fields === 'CUSTOM') === f.name.endsWith('__c'))).map(f => f.name) : q.select;
	return names.map(n => path(dialect, object, n));
}
function order(dialect, object, list, rows) {
	if (!list) return rows;
	const keys = list.map(o => ({ ...o, steps: path(dialect, object, o.field) }));
	return rows.sort((a, b) => {
		for (const k of keys) {
			const f = k.steps[k.steps.length - 1];
			const x = comparable(f, follow(dialect, object, a, k.steps)), y = comparable(f, follow(dialect, object, b, k.steps));
			if (x === y) continue;
			if (x === null || y === null) return (x === null) === (k.nullsLast === true) ? 1 : -1;
			return (x < y ? -1 : 1) * (k.desc ? -1 : 1);
		}
		return a.id < b.id ? -1 : 1;
	});
}

function query(ctx, withDeleted) {
	const text = ctx.query.get('q');
	if (!text) throw errors.fail(400, 'MALFORMED_QUERY', 'A query string has to be specified');
	const q = parse(text);
	const object = this.objectName(q.from);
	if (!object) throw errors.fail(400, 'INVALID_TYPE', `\nFROM ${q.from}\n     ^\nERROR at Row:1:Column:1\nsObject type '${q.from}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name.`);
	const test = compile(this, object, q.where, ctx.now);
	const columns = q.count ? [] : columnsOf(this, object, q);
	let rows = [];
	for (const r of this.store.all(object, withDeleted)) if (test(r)) rows.push(r);
	if (q.count) return { status: 200, body: { totalSize: rows.length, done: true, records: [] } };
	rows = order(this, object, q.order, rows);
	rows = rows.slice(q.offset || 0, q.limit === undefined ? undefined : (q.offset || 0) + q.limit);
	const m = /batchSize\s*=\s*(\d+)/i.exec(ctx.headers['sforce-query-options'] || '');
	const size = m ? Math.min(2000, Math.max(200, Number(m[1]))) : this.config.query_page;
	return page(this, ctx, rows.map(r => shape(ctx, object, r, columns)), rows.length, size);
}
function page(dialect, ctx, list, total, size) {
	if (list.length <= size) return { status: 200, body: { totalSize: total, done: true, records: list } };
	const id = `01gSb${String(dialect.store.newNumber('cursor', 1)).padStart(10, '0')}AAA-${total - list.length + size}`;
	dialect.cursors.set(id, { list: list.slice(size), total, size });
	return { status: 200, body: { totalSize: total, done: false, nextRecordsUrl: `/services/data/${ctx.params.ver}/query/${id}`, records: list.slice(0, size) } };
}
function more(ctx) {
	const c = this.cursors.get(ctx.params.cursor);
	if (!c) throw new HttpError(400, [{ message: 'invalid query locator', errorCode: 'INVALID_QUERY_LOCATOR' }]);
	return page(this, ctx, c.list, c.total, c.size);
}
module.exports = { query, more, path, compile, shape, order };
