'use strict';
// SOQL to a tree: SELECT list FROM object [WHERE] [ORDER BY] [LIMIT] [OFFSET]. What is not spoken
// here (GROUP BY, sub-queries) is refused as malformed, never half understood.
const errors = require('./errors');

const malformed = message => errors.fail(400, 'MALFORMED_QUERY', message);
const TOKEN = /\s*(?:(\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:?\d{2})|\d{4}-\d{2}-\d{2})|([+-]?\d+(?:\.\d+)?)|'((?:[^'\\]|\\.)*)'|([A-Za-z_][\w.]*(?::\d+)?)|(<=|>=|!=|<>|[=<>(),])|(\S))/y;
const ESCAPES = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f', '"': '"', "'": "'", '\\': '\\' };

function tokenize(text) {
	const out = [];
	TOKEN.lastIndex = 0;
	const end = text.trimEnd().length;
	while (TOKEN.lastIndex < end) {
		const m = TOKEN.exec(text);
		if (m[6] !== undefined) throw malformed(`unexpected token: '${m[6]}'`);
		if (m[1] !== undefined) out.push({ kind: 'date', value: m[1] });
		else if (m[2] !== undefined) out.push({ kind: 'number', value: Number(m[2]) });
		else if (m[3] !== undefined) {
			out.push({ kind: 'string', value: m[3].replace(/\\(.)/gs, (_, c) => {
				if (c === '%' || c === '_') return '\\' + c;   // stays escaped for LIKE
				if (!(c in ESCAPES)) throw malformed(`Invalid string literal: illegal escape sequence \\${c}`);
				return ESCAPES[c];
			}) });
		} else if (m[4] !== undefined) out.push({ kind: 'word', value: m[4] });
		else out.push({ kind: 'op', value: m[5] });
	}
	return out;
}

class Parser {
	constructor(text) { this.t = tokenize(text); this.i = 0; }
	peek() { return this.t[this.i]; }
	next() {
		const x = this.t[this.i++];
		if (!x) throw malformed('unexpected end of query');
		return x;
	}
	isWord(w) { const x = this.peek(); return !!x && x.kind === 'word' && x.value.toUpperCase() === w; }
	takeWord(w) { if (this.isWord(w)) { this.i++; return true; } return false; }
	needWord(w) { if (!this.takeWord(w)) throw malformed(`expecting ${w}, found '${this.peek() ? this.peek().value : '<EOF>'}'`); }
	isOp(o) { const x = this.peek(); return !!x && x.kind === 'op' && x.value === o; }
	takeOp(o) { if (this.isOp(o)) { this.i++; return true; } return false; }
	needOp(o) { if (!this.takeOp(o)) throw malformed(`expecting '${o}', found '${this.peek() ? this.peek().value : '<EOF>'}'`); }
	word() { const x = this.next(); if (x.kind !== 'word') throw malformed(`unexpected token: '${x.value}'`); return x.value; }

	query() {
		this.needWord('SELECT');
		const q = { select: [], count: false };
		do {
			const name = this.word();
			if (name.toUpperCase() === 'COUNT' && this.takeOp('(')) {
				if (!this.isOp(')')) this.word();
				this.needOp(')');
				q.count = true;
			} else if (name.toUpperCase() === 'FIELDS' && this.takeOp('(')) { q.fields = this.word().toUpperCase(); this.needOp(')'); } else q.select.push(name);
		} while (this.takeOp(','));
		this.needWord('FROM');
		q.from = this.word();
		return this.tail(q);
	}
	// WHERE ... LIMIT ...; also what stands behind an object in SOSL's RETURNING.
	tail(q) {
		if (this.takeWord('WHERE')) q.where = this.or();
		if (this.takeWord('ORDER')) {
			this.needWord('BY');
			q.order = [];
			do {
				const o = { field: this.word(), desc: false, nullsLast: null };
				if (this.takeWord('DESC')) o.desc = true; else this.takeWord('ASC');
				if (this.takeWord('NULLS')) o.nullsLast = this.takeWord('LAST') || (this.needWord('FIRST'), false);
				q.order.push(o);
			} while (this.takeOp(','));
		}
		if (this.takeWord('LIMIT')) q.limit = this.number();
		if (this.takeWord('OFFSET')) q.offset = this.number();
		return q;
	}
	number() { const x = this.next(); if (x.kind !== 'number') throw malformed(`expecting a number, found '${x.value}'`); return x.value; }
	end() { if (this.peek()) throw malformed(`unexpected token: '${this.peek().value}'`); }

	or() {
		let left = this.and();
		while (this.takeWord('OR')) left = { kind: 'or', left, right: this.and() };
		return left;
	}
	and() {
		let left = this.not();
		while (this.takeWord('AND')) left = { kind: 'and', left, right: this.not() };
		return left;
	}
	not() {
		if (this.takeWord('NOT')) return { kind: 'not', arg: this.not() };
		if (this.takeOp('(')) { const e = this.or(); this.needOp(')'); return e; }
		return this.condition();
	}
	condition() {
		const field = this.word();
		let negative = false;
		if (this.takeWord('NOT')) negative = true;
		if (this.takeWord('IN')) return { kind: 'in', field, negative, values: this.list() };
		if (negative) throw malformed('expecting IN');
		if (this.takeWord('LIKE')) return { kind: 'like', field, value: this.next().value };
		if (this.isWord('INCLUDES') || this.isWord('EXCLUDES')) { const ex = this.word().toUpperCase() === 'EXCLUDES'; return { kind: 'includes', field, negative: ex, values: this.list() }; }
		const op = this.next();
		if (op.kind !== 'op' || !['=', '!=', '<>', '<', '>', '<=', '>='].includes(op.value)) throw malformed(`unexpected token: '${op.value}'`);
		return { kind: 'compare', field, op: op.value === '<>' ? '!=' : op.value, value: this.literal() };
	}
	list() {
		this.needOp('(');
		if (this.isWord('SELECT')) throw malformed('sub-queries are not supported by the sandbox');
		const out = [];
		do out.push(this.literal()); while (this.takeOp(','));
		this.needOp(')');
		return out;
	}
	literal() {
		const x = this.next();
		if (x.kind === 'op') throw malformed(`unexpected token: '${x.value}'`);
		if (x.kind === 'string') return { kind: 'string', value: x.value.replace(/\\([%_])/g, '$1') };   // wildcards mean nothing outside LIKE
		if (x.kind !== 'word') return x;
		switch (x.value.toUpperCase()) {
		case 'TRUE': return { kind: 'boolean', value: true };
		case 'FALSE': return { kind: 'boolean', value: false };
		case 'NULL': return { kind: 'null', value: null };
		case 'TODAY': case 'YESTERDAY': case 'TOMORROW': return { kind: 'day', value: x.value.toUpperCase() };
		default:
			if (/^(LAST|NEXT)_N_DAYS:\d+$/i.test(x.value)) return { kind: 'day', value: x.value.toUpperCase() };
			throw malformed(`Bind variables only allowed in Apex code: '${x.value}'`);
		}
	}
}

function parse(text) {
	const p = new Parser(text);
	const q = p.query();
	p.end();
	return q;
}
module.exports = { parse, Parser, malformed };
