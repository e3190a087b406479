'use strict';
// Strict JSON Schemas of request bodies, taken from the types of the vendors' SDKs: a key that the
// SDK does not know, a value of another type or a missing required key is a finding.
//   check({dialect, method, url, headers, body}) -> null where no schema applies, else a list of findings
const fs = require('fs');
const path = require('path');
const Ajv = require('ajv');
const { createGenerator } = require('ts-json-schema-generator');

const moduleFolder = name => path.join(path.dirname(require.resolve('./package.json')), 'node_modules', name);
const ajv = new Ajv({ strict: false, allErrors: true });
const generators = new Map(), validators = new Map();

// From TypeScript declarations.
function typed(file, type) {
	const key = `${file}#${type}`;
	if (!validators.has(key)) {
		if (!generators.has(file)) generators.set(file, createGenerator({ path: fs.realpathSync(file), type: '*', skipTypeCheck: true, additionalProperties: false, topRef: false, encodeRefs: false, expose: 'all' }));
		validators.set(key, ajv.compile(generators.get(file).createSchema(type)));
	}
	return validators.get(key);
}
const hubspot = (api, type) => typed(path.join(moduleFolder('@hubspot/api-client'), `lib/codegen/${api}/models/all.d.ts`), type);
const pipedrive = (v, type) => typed(path.join(moduleFolder('pipedrive'), `dist/versions/${v}/models/index.d.ts`), type);

// Standard fields that the org had not from which jsforce's list was taken.
const SF_MORE = { Lead: ['MobilePhone', 'Fax', 'DoNotCall'], Task: ['Type'], Event: ['Type'], Account: ['AccountNumber'], Opportunity: ['ContactId'] };
// jsforce lists the standard fields of every object; custom ones end in __c, parents may be given by __r or name.
function salesforce(object, inCollection) {
	const key = `sf#${object}#${inCollection}`;
	if (!validators.has(key)) {
		const text = salesforce.text || (salesforce.text = fs.readFileSync(path.join(moduleFolder('jsforce'), 'lib/types/standard-schema.d.ts'), 'utf8'));
		const part = (kind, o) => { const m = new RegExp(`type ${kind}\\$${o} = \\{([^}]*)\\};`).exec(text); return m ? m[1] : null; };
		const fields = part('Fields', object);
		if (!fields) return null;
		const base = { string: { type: 'string' }, number: { type: 'number' }, boolean: { type: 'boolean' }, DateString: { type: 'string' } };
		const properties = {};
		for (const line of fields.split('\n')) {
			const m = /^\s+(\w+): (.+);/.exec(line);
			if (m) { const b = base[m[2].replace(' | null', '')] || {}; properties[m[1]] = m[2].includes('| null') ? { anyOf: [b, { type: 'null' }] } : b; }
		}
		for (const line of (part('ParentReferences', object) || '').split('\n')) { const m = /^\s+(\w+): /.exec(line); if (m) properties[m[1]] = { type: ['object', 'null'] }; }
		for (const f of SF_MORE[object] || []) properties[f] = {};
		if (inCollection) { properties.attributes = { type: 'object', required: ['type'] }; properties.id = { type: 'string' }; } else { delete properties.Id; }
		validators.set(key, ajv.compile({ type: 'object', properties, patternProperties: { '__[cr]$': {} }, additionalProperties: false, ...(inCollection ? { required: ['attributes'] } : {}) }));
	}
	return validators.get(key);
}

// Zoho's SDK carries the shape of every body.
function zoho(kind) {
	const key = `zoho#${kind}`;
	if (!validators.has(key)) {
		const all = zoho.all || (zoho.all = JSON.parse(fs.readFileSync(path.join(moduleFolder('@zohocrm/nodejs-sdk-8.0'), 'lib/config/json_details.json'), 'utf8')));
		const properties = {};
		for (const [member, d] of Object.entries(all[`core/com/zoho/crm/api/${kind}/body_wrapper`])) properties[d.name || member] = { List: { type: 'array' }, String: { type: 'string' }, Boolean: { type: 'boolean' } }[d.type] || {};
		validators.set(key, ajv.compile({ type: 'object', properties, additionalProperties: false }));
	}
	return validators.get(key);
}

// The SDK's class Field lists the fields of each module by name; an account's own ones are ours.
function zohoFields(module) {
	const key = `zoho fields#${module}`;
	if (!validators.has(key)) {
		const text = zohoFields.text || (zohoFields.text = fs.readFileSync(path.join(moduleFolder('@zohocrm/nodejs-sdk-8.0'), 'lib/core/com/zoho/crm/api/record/field.js'), 'utf8'));
		const m = new RegExp(`static ${module} = class \\{([\\s\\S]*?)\\n\\t\\}`).exec(text);
		const properties = { id: { type: 'string' }, $se_module: { type: 'string' } };
		if (m) for (const f of m[1].matchAll(/new Field\("([^"]+)"\)/g)) properties[f[1]] = properties[f[1]] || {};
		// a reference is an object with an id
		for (const f of ['Owner', 'Who_Id', 'What_Id', 'Parent_Id']) if (properties[f]) properties[f] = { type: 'object', required: ['id'] };
		validators.set(key, m ? ajv.compile({ type: 'object', properties, patternProperties: { '^Callsync_': {} }, additionalProperties: false }) : null);
	}
	return validators.get(key);
}

const findings = (validate, body, at = '') => {
	if (!validate || validate(body)) return [];
	return validate.errors.map(e => `${at}${e.instancePath || '/'} ${e.message}${e.params && e.params.additionalProperty ? ` (${e.params.additionalProperty})` : ''}`);
};

const HUBSPOT = [
	['POST', /\/batch\/upsert$/, 'crm/objects/calls', 'BatchInputSimplePublicObjectBatchInputUpsert'],
	['POST', /\/batch\/create$/, 'crm/objects/calls', 'BatchInputSimplePublicObjectBatchInputForCreate', 'objects'],
	['POST', /\/batch\/update$/, 'crm/objects/calls', 'BatchInputSimplePublicObjectBatchInput'],
	['POST', /\/batch\/read$/, 'crm/objects/calls', 'BatchReadInputSimplePublicObjectId', 'objects'],
	['POST', /\/batch\/archive$/, 'crm/objects/calls', 'BatchInputSimplePublicObjectId', 'objects'],
	['POST', /\/search$/, 'crm/objects/calls', 'PublicObjectSearchRequest'],
	['POST', /associations\/.*\/batch\/create$/, 'crm/associations/v4', 'BatchInputPublicAssociationMultiPost', 'associations'],
	['POST', /associations\/.*\/batch\/associate\/default$/, 'crm/associations/v4', 'BatchInputPublicDefaultAssociationMultiPost', 'associations'],
	['POST', /associations\/.*\/batch\/read$/, 'crm/associations/v4', 'BatchInputPublicFetchAssociationsBatchRequest', 'associations'],
	['POST', /^\/crm\/(v3\/objects|objects\/[\d-]+)\/\w+$/, 'crm/objects/calls', 'SimplePublicObjectInputForCreate'],
	['PATCH', /^\/crm\/(v3\/objects|objects\/[\d-]+)\/\w+\/[^/]+$/, 'crm/objects/calls', 'SimplePublicObjectInput'],
];
// Names of the SDK's generated classes differ from the wire in one: "from" is "_from".
const underscore = body => (body && Array.isArray(body.inputs) ? { ...body, inputs: body.inputs.map(({ from, ...i }) => (from === undefined ? i : { _from: from, ...i })) } : body);

function forHubspot(method, p, body) {
	const area = /\/associations\//.test(p) && !/\/crm\/objects\//.test(p) ? 'associations' : 'objects';
	const rule = HUBSPOT.find(([m, re, , , where]) => m === method && re.test(p) && (!where || where === area));
	return rule ? findings(hubspot(rule[2], rule[3]), area === 'associations' ? underscore(body) : body) : null;
}
// Several records by id: the names of the fields come from the same standard schema.
function salesforceRetrieve(object, body) {
	const shape = ajv.compile({ type: 'object', required: ['ids', 'fields'], additionalProperties: false, properties: {
		ids: { type: 'array', minItems: 1, maxItems: 2000, items: { type: 'string', pattern: '^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$' } },
		fields: { type: 'array', minItems: 1, items: { type: 'string' } } } });
	const known = salesforce(object, true);
	const unknown = Array.isArray(body.fields) && known ? body.fields.filter(f => f !== 'Id' && findings(known, { attributes: { type: object }, [f]: null }).some(t => /additional properties/.test(t))) : [];
	return [...findings(shape, body), ...unknown.map(f => `/fields ${object} has no ${f}`)];
}
function forSalesforce(method, p, body) {
	let m;
	if (method === 'POST' && (m = /\/composite\/sobjects\/(\w+)$/.exec(p)) && body && !body.records) return salesforceRetrieve(m[1], body);
	if ((m = /\/composite\/sobjects(?:\/(\w+)\/\w+)?$/.exec(p)) && body && body.records) return body.records.flatMap((r, i) => findings(salesforce(m[1] || (r.attributes || {}).type, true), r, `/records/${i}`));
	if (/\/composite$/.test(p)) return body.compositeRequest.flatMap((r, i) => (forSalesforce(r.method, r.url.split('?')[0], r.body) || []).map(f => `/compositeRequest/${i}: ${f}`));
	if ((method === 'POST' && (m = /\/sobjects\/(\w+)$/.exec(p))) || (method === 'PATCH' && (m = /\/sobjects\/(\w+)\/[^/]+(?:\/[^/]+)?$/.exec(p)))) return findings(salesforce(m[1], false), body);
	return null;
}
const PIPEDRIVE = { persons: 'Person', organizations: 'Organization', deals: 'Deal', activities: 'Activity' };
function forPipedrive(method, p, body) {
	let m;
	if ((m = /^\/api\/v2\/(persons|organizations|deals|activities)(\/\d+)?$/.exec(p))) {
		if (method === 'POST') return findings(pipedrive('v2', `Add${PIPEDRIVE[m[1]]}Request`), body);
		// an update takes what a create takes
		if (method === 'PATCH') return findings(pipedrive('v2', m[1] === 'activities' ? 'AddActivityRequest' : `Update${PIPEDRIVE[m[1]]}Request`), body);
	}
	if (method === 'POST' && /\/v1\/callLogs$/.test(p)) return findings(pipedrive('v1', 'AddCallLogRequest'), body);
	// custom fields of a lead stand flat under their code
	if (/\/v1\/leads(\/|$)/.test(p) && (method === 'POST' || method === 'PATCH')) return findings(pipedrive('v1', method === 'POST' ? 'AddLeadRequest' : 'UpdateLeadRequest'), Object.fromEntries(Object.entries(body).filter(([k]) => !/^[0-9a-f]{40}$/.test(k))));
	if (method === 'POST' && /\/v1\/notes$/.test(p)) return findings(pipedrive('v1', 'AddNoteRequest'), body);
	return null;
}
function forZoho(method, p, body) {
	if (/\/coql$/.test(p)) return findings(zoho('coql'), body);
	const m = (method === 'POST' || method === 'PUT') && !/\/actions\//.test(p) && /^\/crm\/v\d\/([A-Z]\w+)(\/|$)/.exec(p);
	if (m) return [...findings(zoho('record'), body), ...(Array.isArray(body.data) ? body.data.flatMap((r, i) => findings(zohoFields(m[1]), r, `/data/${i}`)) : [])];
	return null;
}
const BY_DIALECT = { hubspot: forHubspot, salesforce: forSalesforce, pipedrive: forPipedrive, zoho: forZoho };

function check(r) {
	const f = BY_DIALECT[r.dialect];
	if (!f || !r.body || !/json/.test((r.headers || {})['content-type'] || '')) return null;
	let body;
	try { body = JSON.parse(r.body); } catch { return ['the body is not JSON']; }
	return f(r.method, r.url.split('?')[0], body);
}
module.exports = { check };
