'use strict';
// Is a document a lead in Auto-lead Data Format 1.0? The order of elements, what is needed, and the words
// that attributes take, as the format's DTD has them. Returns what is wrong, or null.
const { parse } = require('./xml');

// name: [children in order, with ? + *], or "text"; attributes: words, or null for any
const CONTACT = 'name+ email? phone* address?';
const DTD = {
	adf: { children: 'prospect+' },
	prospect: { children: 'id* requestdate vehicle* customer vendor provider?', attributes: { status: ['new', 'resend'] } },
	id: { attributes: { sequence: null, source: null } },
	requestdate: {}, year: {}, make: {}, model: {}, vin: {}, stock: {}, trim: {}, doors: {}, bodystyle: {}, transmission: {}, pricecomments: {}, comments: {}, vendorname: {}, url: {}, service: {},
	description: {}, earliestdate: {}, latestdate: {}, apartment: {}, city: {}, regioncode: {}, postalcode: {}, country: {},
	street: { attributes: { line: ['1', '2', '3', '4', '5'] } },
	vehicle: { children: 'id* year make model vin? stock? trim? doors? bodystyle? transmission? pricecomments? comments?', attributes: { interest: ['buy', 'lease', 'sell', 'trade-in', 'test-drive'], status: ['new', 'used'] } },
	customer: { children: 'contact id? timeframe? comments?' },
	contact: { children: CONTACT },
	name: { attributes: { part: ['first', 'middle', 'suffix', 'last', 'full'], type: ['individual', 'business'] } },
	email: { attributes: { preferredcontact: ['0', '1'] } },
	phone: { attributes: { type: ['voice', 'fax', 'cellphone', 'pager'], time: ['morning', 'afternoon', 'evening', 'nopreference', 'day'], preferredcontact: ['0', '1'] } },
	address: { children: 'street* apartment? city? regioncode? postalcode? country?', attributes: { type: ['work', 'home', 'delivery'] } },
	timeframe: { children: 'description earliestdate? latestdate?' },
	vendor: { children: 'id* vendorname url? contact' },
	provider: { children: 'id* name service? url? email? phone? contact?' },
};

function check(node) {
	const d = DTD[node.name];
	if (!d) return `no element <${node.name}> in ADF`;
	for (const [k, v] of Object.entries(node.attributes)) {
		if (!d.attributes || !(k in d.attributes)) return `<${node.name}> has no attribute ${k}`;
		if (d.attributes[k] && !d.attributes[k].includes(v)) return `<${node.name} ${k}="${v}">: not a word of ADF`;
	}
	if (!d.children) return node.children.length ? `<${node.name}> holds text only` : null;
	if (node.text.trim()) return `<${node.name}> holds no text`;
	let at = 0;
	for (const part of d.children.split(' ')) {
		const name = part.replace(/[?+*]$/, ''), many = /[+*]$/.test(part), need = !/[?*]$/.test(part);
		let n = 0;
		while (at < node.children.length && node.children[at].name === name && (many || n === 0)) { n++; at++; }
		if (need && n === 0) return `<${node.name}> needs <${name}>${at < node.children.length ? ` before <${node.children[at].name}>` : ''}`;
	}
	if (at < node.children.length) return `<${node.children[at].name}> is out of place in <${node.name}>`;
	for (const c of node.children) { const wrong = check(c); if (wrong) return wrong; }
	return null;
}

// {wrong} or {adf}: the tree of elements
function read(text) {
	const { wrong, root, instructions } = parse(text);
	if (wrong) return { wrong: `not well-formed XML: ${wrong}` };
	if (root.name !== 'adf') return { wrong: `the root is <${root.name}>` };
	if (!instructions.some(i => /^adf\s+version\s*=\s*"1\.0"$/i.test(i))) return { wrong: 'no <?adf version="1.0"?>' };
	const bad = check(root);
	if (bad) return { wrong: bad };
	for (const p of root.children) if (Number.isNaN(Date.parse(p.children.find(c => c.name === 'requestdate').text))) return { wrong: 'requestdate is no ISO 8601 time' };
	return { adf: root };
}
module.exports = { read };
