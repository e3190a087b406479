'use strict';
// POST .../search. Reads the lagging index, never the records: a record just written is not found
// until the lag has passed, and an update is seen with its old values.
const errors = require('./errors');
const objects = require('./objects');
const { instant } = require('./values');
const seed = require('./seed.json');

const MAX_RESULTS = 10000;
const OPERATORS = ['BETWEEN', 'CONTAINS_TOKEN', 'EQ', 'GT', 'GTE', 'HAS_PROPERTY', 'IN', 'LT', 'LTE', 'NEQ', 'NOT_CONTAINS_TOKEN', 'NOT_HAS_PROPERTY', 'NOT_IN'];

// A value in the form in which it compares: number for numbers and dates, lower case for text.
function comparable(field, v) {
	if (v === undefined || v === null || v === '') return null;
	if (field.type === 'number') return Number(v);
	if (field.type === 'date' || field.type === 'datetime') return instant(String(v));
	return String(v).toLowerCase();
}

const tokens = text => text.toLowerCase().split(/[^\p{L}\p{N}*]+/u).filter(Boolean);

function tokenTest(pattern) {
	const wanted = tokens(pattern).map(t => new RegExp('^' + t.split('*').map(p => p.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*') + '$', 'u'));
	return v => {
		if (v === undefined || v === null) return false;
		const have = tokens(String(v));
		return wanted.length > 0 && wanted.every(re => have.some(t => re.test(t)));
	};
}

function compile(dialect, object, f) {
	const field = dialect.schema.field(object, f.propertyName);
	if (!field) throw errors.validation([{ code: 'PROPERTY_DOESNT_EXIST', name: String(f.propertyName), message: `Property "${f.propertyName}" does not exist` }]);
	if (!OPERATORS.includes(f.operator)) throw errors.badInput(`unknown operator ${f.operator}; one of ${OPERATORS.join(', ')}`);
	const needs = what => { if (f[what] === undefined || f[what] === null) throw errors.invalid(`operator ${f.operator} requires ${what}`); };
	const get = (r, ix) => objects.property(object, r, f.propertyName, ix.props, ix.updatedAt);
	const cmp = test => {
		needs('value');
		const want = comparable(field, f.value);
		if (typeof want === 'number' && Number.isNaN(want)) throw errors.invalid(`${f.value} is not a valid value of ${f.propertyName}`);
		return (r, ix) => { const have = comparable(field, get(r, ix)); return have !== null && test(have, want); };
	};
	switch (f.operator) {
	case 'EQ': return cmp((a, b) => a === b);
	case 'NEQ': { const eq = cmp((a, b) => a === b); return (r, ix) => !eq(r, ix); }
	case 'GT': return cmp((a, b) => a > b);
	case 'GTE': return cmp((a, b) => a >= b);
	case 'LT': return cmp((a, b) => a < b);
	case 'LTE': return cmp((a, b) => a <= b);
	case 'BETWEEN': {
		needs('highValue');
		const low = cmp((a, b) => a >= b), high = comparable(field, f.highValue);
		return (r, ix) => low(r, ix) && comparable(field, get(r, ix)) <= high;
	}
	case 'IN':
	case 'NOT_IN': {
		if (!Array.isArray(f.values)) throw errors.invalid(`operator ${f.operator} requires values`);
		const set = new Set(f.values.map(v => comparable(field, v)));
		const inside = (r, ix) => { const v = comparable(field, get(r, ix)); return v !== null && set.has(v); };
		return f.operator === 'IN' ? inside : (r, ix) => !inside(r, ix);
	}
	case 'HAS_PROPERTY': return (r, ix) => comparable(field, get(r, ix)) !== null;
	case 'NOT_HAS_PROPERTY': return (r, ix) => comparable(field, get(r, ix)) === null;
	default: {
		needs('value');
		const test = tokenTest(String(f.value));
		return f.operator === 'CONTAINS_TOKEN' ? (r, ix) => test(get(r, ix)) : (r, ix) => !test(get(r, ix));
	}
	}
}

function filterOf(dialect, object, groups) {
	if (groups === undefined || groups === null) return () => true;
	if (!Array.isArray(groups)) throw errors.badInput('"filterGroups" must be an array');
	if (groups.length > 6) throw errors.invalid(`too many filter groups (${groups.length}); the maximum is 6`);
	let total = 0;
	const compiled = groups.map(g => {
		const filters = g.filters || [];
		if (filters.length > 6) throw errors.invalid(`too many filters in a group (${filters.length}); the maximum is 6`);
		total += filters.length;
		return filters.map(f => compile(dialect, object, f));
	});
	if (total > 18) throw errors.invalid(`too many filters (${total}); the maximum is 18`);
	if (!compiled.length) return () => true;
	return (r, ix) => compiled.some(g => g.every(t => t(r, ix)));
}

// Filters that name one text exactly need no scan. Returns the records of the groups that have one,
// or null when some group has none.
function candidates(dialect, object, groups) {
	if (!Array.isArray(groups) || !groups.length) return null;
	const found = new Map();
	for (const g of groups) {
		const f = (g.filters || []).find(x => x.operator === 'EQ' && typeof x.value === 'string' && isText(dialect.schema.field(object, x.propertyName)));
		if (!f) return null;
		const keyOf = props => comparable({ type: 'string' }, objects.property(object, { id: '' }, f.propertyName, props) ?? null);
		for (const r of dialect.store.lookup(object, f.propertyName, keyOf, f.value.toLowerCase())) found.set(r.id, r);
	}
	return [...found.values()].sort((a, b) => Number(a.id) - Number(b.id)).map(r => [r, r.indexed]);
}
const isText = f => f && !f.system && f.type !== 'number' && f.type !== 'date' && f.type !== 'datetime';

function sorter(dialect, object, sorts) {
	if (!sorts || !sorts.length) return null;
	if (sorts.length > 1) throw errors.invalid('only one sort is allowed');
	let s = sorts[0];
	if (typeof s === 'string') s = s.startsWith('-') ? { propertyName: s.slice(1), direction: 'DESCENDING' } : { propertyName: s, direction: 'ASCENDING' };
	const field = dialect.schema.field(object, s.propertyName);
	if (!field) throw errors.validation([{ code: 'PROPERTY_DOESNT_EXIST', name: String(s.propertyName), message: `Property "${s.propertyName}" does not exist` }]);
	const sign = s.direction === 'DESCENDING' ? -1 : 1;
	const key = ([r, ix]) => comparable(field, objects.property(object, r, s.propertyName, ix.props, ix.updatedAt));
	return (a, b) => {
		const x = key(a), y = key(b);
		if (x === y) return a[0].seq - b[0].seq;
		if (x === null) return 1;
		if (y === null) return -1;
		return (x < y ? -1 : 1) * sign;
	};
}

function search(ctx) {
	const { dialect, object } = this.here(ctx);
	const b = dialect.body(ctx) || {};
	const limit = b.limit === undefined ? 10 : Number(b.limit), after = Number(b.after || 0);
	if (!(limit >= 0 && limit <= 200)) throw errors.invalid(`limit ${b.limit} is not between 0 and 200`);
	if (!Number.isInteger(after) || after < 0) throw errors.invalid(`after ${b.after} is not a paging token`);
	if (after + limit > MAX_RESULTS) throw errors.invalid(`Paging past ${MAX_RESULTS} results is not possible; narrow the search`);
	if (b.query !== undefined && String(b.query).length > 3000) throw errors.invalid('query is longer than 3000 characters');
	const test = filterOf(dialect, object, b.filterGroups);
	const words = b.query ? tokens(String(b.query)) : [];
	const fullText = (r, ix) => {
		if (!words.length) return true;
		const text = seed.searchDefaults[object].map(n => objects.property(object, r, n, ix.props) || '');
		if (object === 'contacts') text.push(objects.property(object, r, 'hs_searchable_calculated_phone_number', ix.props) || '', objects.property(object, r, 'hs_searchable_calculated_mobile_number', ix.props) || '');
		const have = tokens(text.join(' '));
		return words.every(w => have.some(t => t.startsWith(w)));
	};
	const hits = [];
	for (const pair of candidates(dialect, object, b.filterGroups) || dialect.store.searchable(object)) if (test(...pair) && fullText(...pair)) hits.push(pair);
	const order = sorter(dialect, object, b.sorts);
	if (order) hits.sort(order);
	const names = b.properties && b.properties.length ? objects.askedFor(dialect, object, b.properties) : dialect.defaultProperties(object);
	const page = hits.slice(after, after + limit);
	const body = { total: hits.length, results: page.map(([r, ix]) => objects.render(dialect, object, { ...r, props: ix.props, updatedAt: ix.updatedAt }, names)) };
	if (after + limit < hits.length && page.length) body.paging = { next: { after: String(after + page.length) } };
	return { status: 200, body };
}
module.exports = { search };
