'use strict';
// persons/search, itemSearch and its siblings. They read the lagging index; phone numbers match on
// their digits, other fields on their text.
const errors = require('./errors');
const { pageOf } = require('./v2');

const TYPES = { persons: 'person', organizations: 'organization', deals: 'deal', leads: 'lead' };
const DEFAULT = { persons: ['custom_fields', 'email', 'notes', 'phone', 'name'], organizations: ['address', 'custom_fields', 'notes', 'name'], deals: ['custom_fields', 'notes', 'title'], leads: ['custom_fields', 'notes', 'title'] };

// Texts of a record by search field.
function texts(dialect, object, id, props, fields) {
	const out = [];
	for (const f of fields) {
		if (f === 'email') for (const e of props.emails || []) out.push(['email', e.value]);
		else if (f === 'phone') for (const p of props.phones || []) out.push(['phone', p.value]);
		else if (f === 'custom_fields') { for (const d of dialect.schema.fields(object).values()) if (d.custom && props[d.name] !== undefined && ['varchar', 'varchar_auto', 'text', 'phone', 'double'].includes(d.type)) out.push([d.type === 'phone' ? 'phone' : 'custom', String(props[d.name])]); }
		else if (f === 'notes') { for (const n of dialect.store.all('notes')) if (String(n.props[{ persons: 'person_id', organizations: 'org_id', deals: 'deal_id', leads: 'lead_id' }[object]]) === id) out.push(['notes', n.props.content]); }
		else if (f === 'address' && props.address) out.push(['address', props.address.value]);
		else if (props[f] !== undefined) out.push([f, String(props[f])]);
	}
	return out;
}
function matches(kind, text, term, exact) {
	const a = text.toLowerCase(), b = term.toLowerCase();
	if (kind === 'phone') {
		const d = text.replace(/\D/g, ''), t = term.replace(/\D/g, '');
		if (exact) return a === b || (t !== '' && d === t);
		if (t.length >= 2 && t.length >= term.replace(/\s/g, '').length - 4 && d.includes(t)) return true;
	}
	return exact ? a === b : a.includes(b);
}

function find(ctx, objects, fieldList) {
	const { dialect } = ctx;
	const term = (ctx.query.get('term') || '').trim(), exact = ctx.query.get('exact_match') === 'true';
	if (term.length < (exact ? 1 : 2)) throw errors.invalid(`term: String must contain at least ${exact ? 1 : 2} character(s)`);
	const items = [];
	for (const object of objects) {
		const fields = fieldList || DEFAULT[object];
		for (const [r, ix] of dialect.store.searchable(object)) {
			const hits = texts(dialect, object, r.id, ix.props, fields).filter(([kind, text]) => matches(kind, text, term, exact));
			if (!hits.length) continue;
			const scope = { person_id: ctx.query.get('person_id'), organization_id: ctx.query.get('organization_id') };
			if (scope.organization_id && String(ix.props.org_id) !== scope.organization_id) continue;
			if (scope.person_id && String(ix.props.person_id) !== scope.person_id) continue;
			items.push({ result_score: hits.some(h => h[1].toLowerCase() === term.toLowerCase()) ? 1.2 : 0.6, item: item(dialect, object, r, ix.props) });
		}
	}
	items.sort((a, b) => b.result_score - a.result_score);
	const { page, additional_data } = pageOf(ctx, items);
	return { status: 200, body: { success: true, data: { items: page }, additional_data } };
}
function item(dialect, object, r, p) {
	const org = p.org_id ?? p.organization_id;
	const o = org === undefined ? null : dialect.store.get('organizations', org);
	const base = { id: object === 'leads' ? r.id : Number(r.id), type: TYPES[object], visible_to: p.visible_to ?? 3, owner: { id: p.owner_id ?? dialect.users[0].id } };
	const organization = o ? { id: Number(o.id), name: o.props.name, address: null } : null;
	const custom_fields = [...dialect.schema.fields(object).values()].filter(f => f.custom && typeof p[f.name] === 'string').map(f => p[f.name]);
	if (object === 'persons') return { ...base, name: p.name, phones: (p.phones || []).map(x => x.value), emails: (p.emails || []).map(x => x.value), primary_email: ((p.emails || []).find(x => x.primary) || {}).value || null, organization, custom_fields, notes: [], update_time: new Date(r.updatedAt).toISOString() };
	if (object === 'organizations') return { ...base, name: p.name, address: p.address ? p.address.value : null, custom_fields, notes: [] };
	const person = p.person_id === undefined ? null : dialect.store.get('persons', p.person_id);
	return { ...base, title: p.title, status: p.status, value: p.value, currency: p.currency, person: person ? { id: Number(person.id), name: person.props.name } : null, organization, custom_fields, notes: [] };
}

function searchOne(ctx) {
	const { object } = ctx.options;
	const list = ctx.query.get('fields') ? ctx.query.get('fields').split(',') : null;
	if (list) for (const f of list) if (!DEFAULT[object].includes(f)) throw errors.invalid(`fields: Invalid enum value. Expected ${DEFAULT[object].map(x => `'${x}'`).join(' | ')}, received '${f}'`);
	return find(ctx, [object], list);
}
function searchItems(ctx) {
	const types = ctx.query.get('item_types') ? ctx.query.get('item_types').split(',') : Object.values(TYPES);
	const objects = types.map(t => Object.keys(TYPES).find(o => TYPES[o] === t)).filter(Boolean);
	return find(ctx, objects, ctx.query.get('fields') ? ctx.query.get('fields').split(',') : null);
}
module.exports = { searchOne, searchItems };
