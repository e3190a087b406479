'use strict';
// Addresses of rows: contacts(GUID), contacts(callsync_key='x'), and references to them in bodies.
const errors = require('./errors');

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
// Values of alternate keys with these characters cannot be addressed.
const TROUBLE = /[/<>*%&:\\?+]/;

// The text between the parentheses: {guid} or {values: {name: value}}.
function parseKey(text) {
	const t = text.trim().replace(/^\{|\}$/g, '');
	if (GUID.test(t)) return { guid: t.toLowerCase() };
	const values = {};
	let rest = text.trim();
	while (rest) {
		const m = /^([A-Za-z_]\w*)=(?:'((?:[^']|'')*)'|([^,']+))(?:,\s*|$)/.exec(rest);
		if (!m) throw errors.syntax(`Bad Request - Error in query syntax.`);
		values[m[1]] = m[2] !== undefined ? m[2].replace(/''/g, "'") : /^\d+$/.test(m[3]) ? Number(m[3]) : m[3];
		rest = rest.slice(m[0].length);
	}
	if (!Object.keys(values).length) throw errors.syntax('Bad Request - Error in query syntax.');
	for (const v of Object.values(values)) if (typeof v === 'string' && TROUBLE.test(v)) throw errors.syntax('Bad Request - Error in query syntax.');
	return { values };
}

// The row a key names, or undefined. Only a defined and active key can be used.
function find(dialect, set, key) {
	if (key.guid) return dialect.store.get(set, key.guid);
	const names = Object.keys(key.values);
	const field = names.length === 1 && dialect.schema.field(set, names[0]);
	if (!field || !field.alternateKey) throw errors.fail(400, '0x80060888', `The key property ${names.join(', ')} is not a defined key of entity ${dialect.entity(set).logical}`);
	return dialect.store.findUnique(set, field.name, key.values[field.name]);
}
function need(dialect, set, key) {
	const r = find(dialect, set, key);
	if (!r) throw key.guid ? errors.notFound(dialect.entity(set).logical, key.guid) : errors.keyNotFound(dialect.entity(set).logical);
	return r;
}
// "/contacts(GUID)", "contacts(key='x')" or a whole address: {set, row}.
function reference(dialect, text, refs) {
	let t = String(text);
	if (refs && /^\/?\$\d+$/.test(t)) {
		const to = refs.get(t.replace(/^\/?\$/, ''));
		if (!to) throw errors.syntax(`Content-ID Reference: '${t}' does not exist in the batch context.`);
		t = to;
	}
	t = t.replace(/^https?:\/\/[^/]+/, '').replace(/^\/?(api\/data\/v[\d.]+\/)?/, '');
	const m = /^(\w+)\((.*)\)$/s.exec(t);
	if (!m || !dialect.entities.has(m[1])) throw errors.syntax(`Resource not found for the segment '${t}'.`);
	return { set: m[1], row: need(dialect, m[1], parseKey(decodeURIComponent(m[2]))) };
}
module.exports = { GUID, parseKey, find, need, reference, TROUBLE };
