'use strict';
// SOSL and parameterizedSearch. Both read the lagging index. A phone number is indexed by its digits
// whatever its format; names and e-mails by words; a trailing * matches a prefix.
const errors = require('./errors');
const { Parser } = require('./soql_parse');
const soql = require('./soql_run');
const values = require('./values');
const { nationalDigits, allDigits } = require('../lib/phone_digits');

const malformed = message => errors.fail(400, 'MALFORMED_SEARCH', message);
const GROUPS = { ALL: () => true, PHONE: f => f.type === 'phone' || /Phone$/.test(f.name), EMAIL: f => f.type === 'email', NAME: f => /^(First|Last)?Name$/.test(f.name) || f.name === 'Subject', SIDEBAR: f => f.type === 'phone' || f.type === 'email' || /Name$/.test(f.name) };

const words = text => String(text).toLowerCase().split(/[^\p{L}\p{N}@._'-]+/u).filter(Boolean);
const patterns = text => String(text).toLowerCase().split(/[^\p{L}\p{N}@._'*?-]+/u).filter(Boolean);

// Does one indexed value match one search word (with * and ?)?
function hit(field, value, term) {
	const wild = t => new RegExp('^' + t.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.') + '$', 'u');
	if (field.type === 'phone' || /Phone$/.test(field.name)) {
		const t = term.replace(/[^\d*?]/g, '');
		if (t.replace(/\D/g, '').length < 2) return false;
		const forms = [allDigits(value), nationalDigits(value)];
		return /[*?]/.test(t) ? forms.some(f => wild(t).test(f)) : forms.includes(t) || forms.includes(nationalDigits(term));
	}
	const have = words(value);
	if (field.type === 'email') have.push(...String(value).toLowerCase().split(/[@.]/));
	return patterns(term).every(t => have.some(h => (/[*?]/.test(t) ? wild(t).test(h) : h === t)));
}

// "a AND b", "a OR b", "AND NOT", quotes and parentheses over search words.
function expression(text) {
	const parts = text.match(/"(?:[^"\\]|\\.)*"|\(|\)|(?:[^\s()"\\]|\\.)+/g) || [];
	let i = 0;
	const clean = t => t.replace(/\\(.)/g, '$1');
	const is = w => i < parts.length && parts[i].toUpperCase() === w;
	function or() { let l = and(); while (is('OR')) { i++; const a = l, b = and(); l = m => a(m) || b(m); } return l; }
	function and() {
		let l = atom();
		while (i < parts.length && !is(')') && !is('OR')) {
			if (is('AND')) i++;
			let not = false;
			if (is('NOT')) { not = true; i++; }
			const a = l, b = atom();
			l = not ? m => a(m) && !b(m) : m => a(m) && b(m);
		}
		return l;
	}
	function atom() {
		if (i >= parts.length) throw malformed('search term expected');
		if (is('(')) { i++; const e = or(); if (!is(')')) throw malformed('missing )'); i++; return e; }
		const raw = parts[i++];
		const term = clean(raw.startsWith('"') ? raw.slice(1, -1) : raw);
		if (term.replace(/[*?]/g, '').length < 2) throw malformed(`search term must be longer than one character: ${term}`);
		return m => m(term);
	}
	const e = or();
	if (i < parts.length) throw malformed(`unexpected ${parts[i]}`);
	return e;
}

function find(ctx, expr, group, object, q) {
	const { dialect } = ctx;
	const fields = [...dialect.schema.fields(object).values()].filter(f => values.visible(f) && GROUPS[group](f));
	const test = soql.compile(dialect, object, q.where, ctx.now);
	const rows = [];
	for (const [r, ix] of dialect.store.searchable(object)) {
		const name = ix.props.Name ?? [ix.props.FirstName, ix.props.LastName].filter(Boolean).join(' ');
		const match = term => fields.some(f => { const v = f.name === 'Name' ? name : ix.props[f.name]; return v !== undefined && v !== null && typeof v !== 'object' && hit(f, v, term); });
		if (expr(match) && test(r)) rows.push(r);
	}
	return soql.order(dialect, object, q.order, rows).slice(q.offset || 0, (q.offset || 0) + Math.min(q.limit ?? 2000, 2000));
}

function sosl(ctx) {
	const text = ctx.query.get('q') || '';
	const m = /^\s*FIND\s*\{((?:[^}\\]|\\.)*)\}\s*(.*)$/is.exec(text);
	if (!m) throw malformed(`No search term found. The search term must be enclosed in braces: ${text}`);
	const bare = m[1].replace(/\\./g, '').replace(/"[^"]*"/g, '');
	const reserved = /[&|!{}[\]^~:+'-]/.exec(bare);
	if (reserved) throw malformed(`line 1: unescaped reserved character '${reserved[0]}' in the search term`);
	const p = new Parser(m[2]);
	let group = 'ALL';
	if (p.takeWord('IN')) { group = p.word().toUpperCase(); p.needWord('FIELDS'); }
	if (!GROUPS[group]) throw malformed(`unknown search group ${group}`);
	const wanted = [];
	if (p.takeWord('RETURNING')) {
		do {
			const name = p.word(), object = this.objectName(name);
			if (!object) throw errors.fail(400, 'INVALID_TYPE', `sObject type '${name}' is not supported.`);
			let q = { select: [] };
			if (p.takeOp('(')) {
				do q.select.push(p.word()); while (p.takeOp(','));
				q = p.tail(q);
				p.needOp(')');
			}
			wanted.push([object, q]);
		} while (p.takeOp(','));
	} else for (const o of ['Contact', 'Lead', 'Account', 'Opportunity', 'Case']) wanted.push([o, { select: [] }]);
	let limit = 2000;
	if (p.takeWord('LIMIT')) limit = p.number();
	p.end();
	const expr = expression(m[1]);
	const out = [];
	for (const [object, q] of wanted) {
		const columns = (q.select.length ? q.select : ['Id']).map(n => soql.path(this, object, n));
		for (const r of find(ctx, expr, group, object, q)) out.push(soql.shape(ctx, object, r, columns));
	}
	return { status: 200, body: { searchRecords: out.slice(0, limit) } };
}

function parameterized(ctx) {
	let b;
	if (ctx.method === 'POST') b = this.body(ctx);
	else {
		const q = Object.fromEntries(ctx.query);
		const fields = (q.fields || 'Id').split(',');
		b = { q: q.q, in: q.in, overallLimit: q.overallLimit, sobjects: ctx.query.getAll('sobject').map(name => ({ name, limit: q[`${name}.limit`] || q.defaultLimit,
			fields: (q[`${name}.fields`] || '').split(',').filter(Boolean).concat(q[`${name}.fields`] ? [] : fields) })) };
	}
	if (!b || !b.q) throw malformed('q is required');
	const group = (b.in || 'ALL').toUpperCase();
	if (!GROUPS[group]) throw errors.fail(400, 'INVALID_SEARCH', `unknown search group ${b.in}`);
	const terms = String(b.q);
	if (terms.replace(/[*?]/g, '').trim().length < 2) throw malformed(`search term must be longer than one character: ${terms}`);
	const expr = group === 'PHONE' ? m => m(terms) : m => terms.split(/\s+/).filter(Boolean).every(t => m(t));
	const out = [];
	for (const s of b.sobjects && b.sobjects.length ? b.sobjects : [{ name: 'Contact', fields: ['Id'] }]) {
		const object = this.objectName(s.name);
		if (!object) throw errors.fail(400, 'INVALID_TYPE', `sObject type '${s.name}' is not supported.`);
		const columns = (s.fields && s.fields.length ? s.fields : b.fields || ['Id']).map(n => soql.path(this, object, n.trim()));
		for (const r of find(ctx, expr, group, object, { limit: s.limit === undefined ? undefined : Number(s.limit) })) out.push(soql.shape(ctx, object, r, columns));
	}
	return { status: 200, body: { searchRecords: out.slice(0, Number(b.overallLimit || 2000)) } };
}
module.exports = { sosl, parameterized };
