'use strict';
// $filter and $orderby of OData over the rows themselves (no index, no lag).
const errors = require('./errors');

const TOKEN = /\s*(?:'((?:[^']|'')*)'|([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})|(\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2}))?)|(-?\d+(?:\.\d+)?)|([A-Za-z_][\w/.]*)|([(),]))/y;

function tokenize(text) {
	const out = [], end = text.trimEnd().length;
	TOKEN.lastIndex = 0;
	while (TOKEN.lastIndex < end) {
		const at = TOKEN.lastIndex, m = TOKEN.exec(text);
		if (!m) throw errors.syntax(`Syntax error at position ${at} in '${text}'.`);
		if (m[1] !== undefined) out.push({ kind: 'string', value: m[1].replace(/''/g, "'") });
		else if (m[2] !== undefined) out.push({ kind: 'guid', value: m[2].toLowerCase() });
		else if (m[3] !== undefined) out.push({ kind: 'date', value: m[3] });
		else if (m[4] !== undefined) out.push({ kind: 'number', value: Number(m[4]) });
		else if (m[5] !== undefined) out.push({ kind: 'word', value: m[5] });
		else out.push({ kind: 'op', value: m[6] });
	}
	return out;
}

// A property of a filter or a select: a column, or _lookup_value.
function column(dialect, set, name) {
	const m = /^_(\w+)_value$/.exec(name);
	const f = dialect.schema.field(set, m ? m[1] : name);
	if (!f || f.perm === 'forbidden' || (f.type === 'lookup') !== !!m) throw errors.noProperty(dialect.entity(set).logical, name);
	return f;
}
function comparable(f, v) {
	if (v === undefined || v === null) return null;
	if (f.type === 'datetime' || f.type === 'date') return Date.parse(v);
	if (f.type === 'lookup') return typeof v === 'object' ? v.id : String(v).toLowerCase();
	return typeof v === 'string' ? v.toLowerCase() : v;
}

function compile(dialect, set, text) {
	const t = tokenize(text);
	let i = 0;
	const fail = () => errors.syntax(`Syntax error in the filter '${text}'.`);
	const word = w => t[i] && t[i].kind === 'word' && t[i].value === w;
	const op = o => t[i] && t[i].kind === 'op' && t[i].value === o;
	const need = o => { if (!op(o)) throw fail(); i++; };
	const value = (f, x) => {
		if (!x || x.kind === 'op') throw fail();
		if (x.kind === 'word') {
			if (x.value === 'null') return null;
			if (x.value === 'true' || x.value === 'false') { if (f.type !== 'boolean') throw mismatch(f, x); return x.value === 'true'; }
			throw fail();
		}
		const wants = { string: ['string'], memo: ['string'], integer: ['number'], bigint: ['number'], decimal: ['number'], picklist: ['number'], state: ['number'], status: ['number'], datetime: ['date'], date: ['date'], uniqueidentifier: ['guid'], lookup: ['guid'], boolean: [] }[f.type];
		if (!wants.includes(x.kind)) throw mismatch(f, x);
		return comparable(f, x.value);
	};
	const mismatch = (f, x) => errors.syntax(`A binary operator with incompatible types was detected. Found operand types '${f.type}' and '${x.kind}' for operator kind 'Equal'.`);
	const get = f => r => comparable(f, dialect.value(set, r, f.name));
	function or() { let l = and(); while (word('or')) { i++; const a = l, b = and(); l = r => a(r) || b(r); } return l; }
	function and() { let l = not(); while (word('and')) { i++; const a = l, b = not(); l = r => a(r) && b(r); } return l; }
	function not() { if (word('not')) { i++; const a = not(); return r => !a(r); } return atom(); }
	function atom() {
		if (op('(')) { i++; const e = or(); need(')'); return e; }
		const head = t[i++];
		if (!head || head.kind !== 'word') throw fail();
		if (['contains', 'startswith', 'endswith'].includes(head.value)) {
			need('(');
			const f = column(dialect, set, t[i++].value);
			need(',');
			const x = t[i++];
			if (!x || x.kind !== 'string') throw fail();
			need(')');
			const n = x.value.toLowerCase(), v = get(f);
			const test = { contains: s => s.includes(n), startswith: s => s.startsWith(n), endswith: s => s.endsWith(n) }[head.value];
			return r => { const s = v(r); return s !== null && test(String(s)); };
		}
		const f = column(dialect, set, head.value), v = get(f), o = t[i++];
		if (!o || o.kind !== 'word') throw fail();
		if (o.value === 'in') {
			need('(');
			const list = [];
			do { list.push(value(f, t[i++])); } while (op(',') && ++i);
			need(')');
			return r => list.includes(v(r));
		}
		const want = value(f, t[i++]);
		switch (o.value) {
		case 'eq': return r => v(r) === want;
		case 'ne': return r => v(r) !== want;
		case 'gt': return r => { const x = v(r); return x !== null && x > want; };
		case 'ge': return r => { const x = v(r); return x !== null && x >= want; };
		case 'lt': return r => { const x = v(r); return x !== null && x < want; };
		case 'le': return r => { const x = v(r); return x !== null && x <= want; };
		default: throw fail();
		}
	}
	const e = or();
	if (i < t.length) throw fail();
	return e;
}

function sorter(dialect, set, text) {
	const keys = text.split(',').map(p => {
		const [name, dir] = p.trim().split(/\s+/);
		return { f: column(dialect, set, name), sign: dir === 'desc' ? -1 : 1 };
	});
	return (a, b) => {
		for (const { f, sign } of keys) {
			const x = comparable(f, dialect.value(set, a, f.name)), y = comparable(f, dialect.value(set, b, f.name));
			if (x === y) continue;
			return (x === null || (y !== null && x < y) ? -1 : 1) * sign;
		}
		return a.seq - b.seq;
	};
}
module.exports = { compile, sorter, column };
