'use strict';
// Every fault in every CRM dialect: the same table of troubles must be available for all of them.
const test = require('node:test');
const assert = require('node:assert');
const { start } = require('./helper');

const V = '/services/data/v60.0', Z = '/crm/v8', D = '/api/data/v9.2';
// How to make a contact, what field carries what, and how the dialect says no.
const DIALECTS = {
	hubspot: {
		object: 'contacts', phone: 'phone', text: 'callsync_intent', pick: ['callsync_urgency', 'high', 'purple'], required: 'lastname',
		create: (s, f) => s.post('/crm/v3/objects/contacts', { properties: f, associations: [] }), base: { email: 'a@x.co', lastname: 'Smith' },
		ok: r => r.status === 201, id: r => r.json.id, echo: (r, f) => r.json.properties[f], get: (s, id) => s.get(`/crm/v3/objects/contacts/${id}`), value: v => v,
		code: r => (r.json.errors && r.json.errors[0] && r.json.errors[0].code) || r.json.category,
		forbidden: [403, 'MISSING_SCOPES'], unknown: [400, 'PROPERTY_DOESNT_EXIST'], missing: [400, 'VALIDATION_ERROR'], badPick: [400, 'INVALID_OPTION'], throttle: 429, twin: [409, 'CONFLICT'],
	},
	salesforce: {
		object: 'Contact', phone: 'Phone', text: 'Callsync_Intent__c', pick: ['Callsync_Urgency__c', 'high', 'purple'], required: 'FirstName',
		create: (s, f) => s.post(`${V}/sobjects/Contact`, f), base: { LastName: 'Smith', FirstName: 'Jo' }, ok: r => r.status === 201, id: r => r.json.id, get: (s, id) => s.get(`${V}/sobjects/Contact/${id}`), value: v => v,
		code: r => r.json[0].errorCode, forbidden: [400, 'INVALID_FIELD_FOR_INSERT_UPDATE'], unknown: [400, 'INVALID_FIELD'], missing: [400, 'REQUIRED_FIELD_MISSING'], badPick: [400, 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST'], throttle: 403, twin: [400, 'DUPLICATE_VALUE'],
	},
	pipedrive: {
		object: 'persons', phone: 'phones', text: require('../pipedrive/fields.json').persons.find(f => f.alias === 'callsync_intent').name, pick: [require('../pipedrive/fields.json').persons.find(f => f.alias === 'callsync_urgency').name, 3, 99], required: 'owner_id',
		create: (s, f) => { const { custom, plain } = split(f); return s.post('/api/v2/persons', { ...plain, custom_fields: custom }); }, base: { name: 'Smith', owner_id: 23001 },
		ok: r => r.status === 200 && r.json.success, id: r => r.json.data.id, echo: (r, f) => (/^[0-9a-f]{40}$/.test(f) ? r.json.data.custom_fields[f] : r.json.data[f]), get: (s, id) => s.get(`/api/v2/persons/${id}`), value: v => [{ value: v, primary: true, label: 'work' }],
		code: r => r.json.code, forbidden: [403, 'ERR_FORBIDDEN'], unknown: null, missing: [400, 'ERR_SCHEMA_VALIDATION_FAILED'], badPick: [400, 'ERR_SCHEMA_VALIDATION_FAILED'], throttle: 429, twin: null,
	},
	zoho: {
		object: 'Contacts', phone: 'Phone', text: 'Callsync_Intent', pick: ['Callsync_Urgency', 'high', 'purple'], required: 'First_Name', auth: { authorization: 'Zoho-oauthtoken t' },
		create: (s, f) => s.post(`${Z}/Contacts`, { data: [f] }), base: { Last_Name: 'Smith', First_Name: 'Jo' }, ok: r => r.status === 201, id: r => r.json.data[0].details.id, get: (s, id) => s.get(`${Z}/Contacts/${id}`), value: v => v,
		code: r => (r.json.data ? r.json.data[0].code : r.json.code), forbidden: [400, 'NO_PERMISSION'], unknown: null, missing: [400, 'MANDATORY_NOT_FOUND'], badPick: null, throttle: 429, twin: [200, 'DUPLICATE_DATA'],
	},
	dynamics: {
		object: 'contacts', phone: 'telephone1', text: 'callsync_intent', pick: ['callsync_urgency', 100000002, 3], required: 'firstname',
		create: (s, f) => s.post(`${D}/contacts`, f, { Prefer: 'return=representation' }), base: { lastname: 'Smith', firstname: 'Jo' }, ok: r => r.status === 201, id: r => r.json.contactid, echo: (r, f) => r.json[f], get: (s, id) => s.get(`${D}/contacts(${id})`), value: v => v,
		code: r => r.json.error.code, forbidden: [403, '0x8004f507'], unknown: [400, '0x80048d19'], missing: [400, '0x80040203'], badPick: [400, '0x8004431a'], throttle: 429, twin: [500, '0x80040333'],
	},
};
function split(f) {
	const custom = {}, plain = {};
	for (const [k, v] of Object.entries(f)) (/^[0-9a-f]{40}$/.test(k) ? custom : plain)[k] = v;
	return { custom, plain };
}

for (const [name, d] of Object.entries(DIALECTS)) {
	test(`${name}: the table of troubles`, async t => {
		const s = await start(t, [name], d.auth ? { auth: d.auth } : {});
		const said = r => [r.status, d.code(r)];
		let n = 0;
		const body = more => ({ ...d.base, ...(d.base.email ? { email: `p${++n}@x.co` } : {}), [d.phone]: d.value('+15551234567'), [d.text]: 'oil change', ...more });
		const make = more => d.create(s, body(more));
		const stored = async id => (await s.ctl('GET', `/records?object=${d.object}&id=${id}`))[0];
		const schema = change => s.ctl('POST', '/schema', { dialect: name, object: d.object, ...change });

		let r = await make();
		assert.ok(d.ok(r), r.text);
		assert.strictEqual((await stored(d.id(r))).properties[d.text], 'oil change');

		await s.fault({ action: 'store_nothing', object: d.object });
		r = await make();
		assert.ok(d.ok(r), 'nothing stored, but success said');
		assert.strictEqual((await d.get(s, d.id(r))).status, 404);

		await s.fault({ action: 'drop_field', object: d.object, field: d.text });
		r = await make();
		assert.ok(d.ok(r));
		if (d.echo) assert.strictEqual(d.echo(r, d.text), 'oil change', 'echoed');
		assert.strictEqual((await stored(d.id(r))).properties[d.text], undefined, 'and not stored');

		await s.fault({ action: 'alter_field', object: d.object, field: d.text, truncate: 3 });
		r = await make();
		assert.strictEqual((await stored(d.id(r))).properties[d.text], 'oil');

		await s.fault({ action: 'reject_record', object: d.object, match: { record: 'oil' }, message: 'poison', code: undefined });
		assert.ok((await make()).status >= 400);

		await schema({ action: 'remove_permission', field: d.text, mode: 'silent' });
		r = await make();
		assert.ok(d.ok(r));
		assert.strictEqual((await stored(d.id(r))).properties[d.text], undefined, 'a field without permission, silently');
		await schema({ action: 'remove_permission', field: d.text, mode: 'forbidden' });
		assert.deepStrictEqual(said(await make()), d.forbidden);
		await schema({ action: 'restore_permission', field: d.text });

		r = await make({ [d.pick[0]]: d.pick[1] });
		assert.ok(d.ok(r), r.text);
		if (d.badPick) assert.deepStrictEqual(said(await make({ [d.pick[0]]: d.pick[2] })), d.badPick);

		const newName = /^[0-9a-f]{40}$/.test(d.text) ? '0'.repeat(40) : d.text.replace(/_?intent/i, '_topic');
		await schema({ action: 'rename_field', field: d.text, to: newName });
		r = await make();
		if (d.unknown) assert.deepStrictEqual(said(r), d.unknown, 'renamed');
		else { assert.ok(d.ok(r), 'renamed: dropped without a word'); assert.strictEqual((await stored(d.id(r))).properties[d.text], undefined); }
		await schema({ action: 'rename_field', field: newName, to: d.text });

		await schema({ action: 'add_required', field: d.required });
		assert.deepStrictEqual(said(await make({ [d.required]: undefined })), d.missing);

		for (const status of [401, 403, 404, 500, 503]) {
			await s.fault({ action: 'status', status });
			assert.strictEqual((await make()).status, status, `status ${status}`);
		}
		if (d.twin) { await s.fault({ action: 'status', status: 409 }); assert.deepStrictEqual(said(await make()), d.twin, 'a duplicate in the vendor\'s words'); }
		await s.fault({ action: 'throttle', retry_after: 7 });
		r = await make();
		assert.deepStrictEqual([r.status, r.headers['retry-after']], [d.throttle, '7']);
		await s.fault({ action: 'html200' });
		r = await make();
		assert.ok(r.status === 200 && /^<!DOCTYPE html>/.test(r.text));
		await s.fault({ action: 'cut_json' });
		r = await make();
		assert.ok(r.status < 300 && r.text.length > 0 && r.json === undefined, 'half a document');
		const before = await s.ctl('GET', '/counts');
		await s.fault({ action: 'drop_after' });
		await assert.rejects(make(), /hang up|ECONNRESET/);
		assert.strictEqual((await s.ctl('GET', '/counts'))[d.object], before[d.object] + 1, 'the reply was lost, the record was not');

		await s.ctl('POST', '/tokens', { dialect: name, action: 'revoke' });
		assert.strictEqual((await make()).status, 401);
		await s.ctl('POST', '/tokens', { dialect: name, action: 'restore' });
		assert.ok(d.ok(await make()));
		assert.deepStrictEqual((await s.ctl('GET', '/ping')).crashes, []);
	});
}
