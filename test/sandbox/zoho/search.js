'use strict';
// GET search (lagging index) and COQL. A search without a hit answers 204 with nothing.
const errors = require('./errors');
const { render, paged } = require('./records');
const { Parser } = require('../salesforce/soql_parse');
const { HttpError } = require('../lib/errors');
const { nationalDigits, allDigits } = require('../lib/phone_digits');

const lower = v => String(v && typeof v === 'object' ? v.id : v).toLowerCase();
function comparable(field, v) {
	if (v === undefined || v === null || v === '') return null;
	if (field.type === 'datetime') return typeof v === 'string' ? Date.parse(v) : v;
	if (['integer', 'currency', 'double'].includes(field.type)) return Number(v);
	if (field.type === 'boolean') return String(v) === 'true';
	return lower(v);
}
const samePhone = (a, b) => allDigits(a) !== '' && (allDigits(a) === allDigits(b) || nationalDigits(a) === nationalDigits(b));

function fieldOf(dialect, module, name) {
	const f = dialect.schema.field(module, name);
	if (!f) throw errors.fail(400, 'INVALID_QUERY', 'invalid query formed', { reason: 'the field is not available', api_name: name });
	return f;
}
function valueOf(r, props, f, updatedAt) {
	if (f.name === 'id') return r.id;
	if (f.name === 'Created_Time') return r.createdAt;
	if (f.name === 'Modified_Time') return updatedAt;
	if (f.name === 'Full_Name') return [props.First_Name, props.Last_Name].filter(Boolean).join(' ');
	return props[f.name];
}

/* criteria: (A:equals:x), ((A:..)and(B:..)); a value's ( ) , : \ are escaped with a backslash */
function criteria(dialect, module, text) {
	let i = 0;
	const bad = () => errors.fail(400, 'INVALID_QUERY', 'invalid query formed', { reason: 'the criteria is malformed', position: i });
	function expr() {
		let left = term();
		for (;;) {
			const m = /^\s*(and|or)\s*/i.exec(text.slice(i));
			if (!m) return left;
			i += m[0].length;
			const a = left, b = term();
			left = m[1].toLowerCase() === 'and' ? (r, ix) => a(r, ix) && b(r, ix) : (r, ix) => a(r, ix) || b(r, ix);
		}
	}
	function term() {
		if (text[i] !== '(') throw bad();
		i++;
		if (text[i] === '(') { const e = expr(); if (text[i] !== ')') throw bad(); i++; return e; }
		let raw = '', closed = false;
		const parts = [];
		for (; i < text.length; i++) {
			const c = text[i];
			if (c === '\\' && i + 1 < text.length) { raw += text[++i]; continue; }
			if (c === ')') { closed = true; i++; break; }
			if (c === '(') throw bad();
			if (c === ':' && parts.length < 2) { parts.push(raw); raw = ''; continue; }
			raw += c;
		}
		if (!closed || parts.length !== 2) throw bad();
		return test(dialect, module, parts[0].trim(), parts[1].trim(), raw);
	}
	const e = expr();
	if (text.slice(i).trim()) throw bad();
	return e;
}
function test(dialect, module, name, op, raw) {
	const f = fieldOf(dialect, module, name);
	const get = (r, ix) => comparable(f, valueOf(r, ix.props, f, ix.updatedAt));
	const want = comparable(f, raw);
	const cmp = p => (r, ix) => { const v = get(r, ix); return v !== null && p(v); };
	switch (op) {
	case 'equals': return raw === 'null' ? (r, ix) => get(r, ix) === null : f.type === 'phone' ? cmp(v => v === want || samePhone(v, raw)) : cmp(v => v === want);
	case 'not_equal': return (r, ix) => get(r, ix) !== want;
	case 'starts_with': return cmp(v => String(v).startsWith(String(want)));
	case 'contains': return cmp(v => String(v).includes(String(want)));
	case 'in': { const set = raw.split(',').map(x => comparable(f, x.trim())); return cmp(v => set.includes(v)); }
	case 'greater_than': return cmp(v => v > want);
	case 'greater_equal': return cmp(v => v >= want);
	case 'less_than': return cmp(v => v < want);
	case 'less_equal': return cmp(v => v <= want);
	case 'between': { const [a, b] = raw.split(',').map(x => comparable(f, x.trim())); return cmp(v => v >= a && v <= b); }
	default: throw errors.fail(400, 'INVALID_QUERY', 'invalid query formed', { reason: 'the operator is not available', operator: op });
	}
}

function search(ctx) {
	const module = this.needModule(ctx.params.module), q = ctx.query;
	const fields = [...this.schema.fields(module).values()];
	let match;
	if (q.get('criteria')) match = criteria(this, module, q.get('criteria'));
	else if (q.get('email')) { const e = q.get('email').toLowerCase(), f = fields.filter(x => x.type === 'email'); match = (r, ix) => f.some(x => ix.props[x.name] !== undefined && lower(ix.props[x.name]) === e); } else if (q.get('phone')) {
		const p = q.get('phone'), f = fields.filter(x => x.type === 'phone');
		if (allDigits(p).length < 3) throw errors.fail(400, 'INVALID_QUERY', 'invalid query formed', { reason: 'the phone number is too short' });
		match = (r, ix) => f.some(x => ix.props[x.name] !== undefined && samePhone(ix.props[x.name], p));
	} else if (q.get('word')) {
		const words = q.get('word').toLowerCase().split(/\s+/).filter(Boolean);
		if (!words.length || words[0].length < 2) throw errors.fail(400, 'INVALID_QUERY', 'invalid query formed', { reason: 'the word is too short' });
		match = (r, ix) => { const text = fields.filter(x => ['text', 'email', 'phone', 'textarea'].includes(x.type)).map(x => lower(valueOf(r, ix.props, x) ?? '')).join(' ').split(/[^\p{L}\p{N}@._+-]+/u); return words.every(w => text.some(t => t.startsWith(w))); };
	} else throw errors.fail(400, 'REQUIRED_PARAM_MISSING', 'One of the expected parameter is missing', { param_names: ['criteria', 'email', 'phone', 'word'] });
	const rows = [];
	for (const [r, ix] of this.store.searchable(module)) if (match(r, ix)) rows.push({ ...r, props: ix.props, updatedAt: ix.updatedAt });
	if (!rows.length) return { status: 204 };
	return { status: 200, body: paged(ctx, rows.slice(0, 2000), r => render(this, module, r, q.get('fields') ? q.get('fields').split(',') : null)) };
}

/* ---- COQL: like SOQL, with "is null", "between", quoted dates and "limit a, b" ---- */

class Coql extends Parser {
	condition() {
		const field = this.word();
		if (this.takeWord('IS')) { const not = this.takeWord('NOT'); this.needWord('NULL'); return { kind: 'null', field, not }; }
		if (this.takeWord('BETWEEN')) { const low = this.literal().value; this.needWord('AND'); return { kind: 'between', field, low, high: this.literal().value }; }
		this.i--;
		return super.condition();
	}
	tail(q) {
		super.tail(q);
		if (q.limit !== undefined && this.takeOp(',')) { q.offset = q.limit; q.limit = this.number(); }
		return q;
	}
}
function compile(dialect, module, e) {
	if (e.kind === 'and' || e.kind === 'or') { const a = compile(dialect, module, e.left), b = compile(dialect, module, e.right); return e.kind === 'and' ? r => a(r) && b(r) : r => a(r) || b(r); }
	if (e.kind === 'not') { const a = compile(dialect, module, e.arg); return r => !a(r); }
	const path = e.field.split('.');
	let f = fieldOf(dialect, module, path[0]);
	let get = r => comparable(f, valueOf(r, r.props, f, r.updatedAt));
	if (path.length === 2 && f.type === 'lookup') {
		const base = f, inner = path[1] === 'id' ? { name: 'id', type: 'bigint' } : fieldOf(dialect, f.module, path[1]);
		f = inner;
		get = r => { const v = r.props[base.name]; const o = v && dialect.store.get(base.module, v.id); return o ? comparable(inner, valueOf(o, o.props, inner, o.updatedAt)) : null; };
	} else if (path.length !== 1) throw errors.fail(400, 'INVALID_QUERY', 'invalid query formed', { api_name: e.field });
	switch (e.kind) {
	case 'null': return r => (get(r) === null) !== e.not;
	case 'between': return r => { const v = get(r); return v !== null && v >= comparable(f, e.low) && v <= comparable(f, e.high); };
	case 'in': { const set = e.values.map(v => comparable(f, v.value)); return r => set.includes(get(r)) !== e.negative; }
	case 'like': { const re = new RegExp('^' + String(e.value).split('%').map(x => x.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[\\s\\S]*') + '$', 'i'); return r => { const v = valueOf(r, r.props, f, r.updatedAt); return v !== undefined && v !== null && re.test(String(v)); }; }
	case 'compare': {
		const want = comparable(f, e.value.value);
		return r => { const v = get(r); return { '=': v === want, '!=': v !== want, '<': v !== null && v < want, '>': v !== null && v > want, '<=': v !== null && v <= want, '>=': v !== null && v >= want }[e.op]; };
	}
	default: throw errors.fail(400, 'SYNTAX_ERROR', 'the query has a syntax error', {});
	}
}
function coql(ctx) {
	const text = (this.body(ctx) || {}).select_query;
	if (!text) throw errors.fail(400, 'MANDATORY_NOT_FOUND', 'required field not found', { api_name: 'select_query', json_path: '$.select_query' });
	let q;
	try { const p = new Coql(text); q = p.query(); p.end(); } catch (e) {
		if (!(e instanceof HttpError)) throw e;
		throw errors.fail(400, 'SYNTAX_ERROR', `error occurred while parsing the query: ${e.body[0].message}`, {});
	}
	if (!q.where) throw errors.fail(400, 'SYNTAX_ERROR', 'error occurred while parsing the query: missing where', {});
	const module = this.needModule(q.from);
	for (const n of q.select) fieldOf(this, module, n.split('.')[0]);
	if ((q.limit ?? 200) > 2000) throw errors.fail(400, 'LIMIT_EXCEEDED', 'limit may not exceed 2000', { limit: 2000 });
	const match = compile(this, module, q.where);
	let rows = [...this.store.all(module)].filter(r => match(r));
	for (const o of (q.order || []).slice().reverse()) {
		const f = fieldOf(this, module, o.field), key = r => comparable(f, valueOf(r, r.props, f, r.updatedAt));
		rows.sort((a, b) => { const x = key(a), y = key(b); return x === y ? 0 : (x === null || (y !== null && x < y) ? -1 : 1) * (o.desc ? -1 : 1); });
	}
	const from = q.offset || 0, limit = q.limit ?? 200, more = from + limit < rows.length;
	rows = rows.slice(from, from + limit);
	if (!rows.length) return { status: 204 };
	return { status: 200, body: { data: rows.map(r => render(this, module, r, [...q.select, 'id'])), info: { count: rows.length, more_records: more } } };
}
module.exports = { search, coql };
