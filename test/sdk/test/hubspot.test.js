'use strict';
// @hubspot/api-client, HubSpot's own, against the sandbox.
const test = require('node:test');
const assert = require('node:assert');
const hubspot = require('@hubspot/api-client');
const { start } = require('../../sandbox/test/helper');

const client = (s, more) => new hubspot.Client({ accessToken: 'x', basePath: s.base(), limiterOptions: { minTime: 0, maxConcurrent: 10 }, ...more });
const LINK = (id, typeId) => [{ to: { id }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: typeId }] }];
async function refused(promise) {
	try { await promise; } catch (e) { return e; }
	throw new Error('was not refused');
}

test('create, read, update, search, archive', async t => {
	const s = await start(t, ['hubspot']);
	const c = client(s);
	const contact = await c.crm.contacts.basicApi.create({ properties: { email: 'Ann@X.co', firstname: 'Ann', phone: '+1 555 123 4567' }, associations: [] });
	assert.strictEqual(contact.properties.email, 'ann@x.co');
	assert.ok(contact.createdAt instanceof Date, 'the SDK could read the dates');
	const call = await c.crm.objects.calls.basicApi.create({ properties: { hs_timestamp: '2026-06-11T15:42:00Z', hs_call_title: 'T', hs_call_duration: '90000' }, associations: LINK(contact.id, 194) });
	const read = await c.crm.objects.calls.basicApi.getById(call.id, ['hs_call_title', 'hs_timestamp'], undefined, ['contacts']);
	assert.strictEqual(read.properties.hs_call_title, 'T');
	assert.strictEqual(read.associations.contacts.results[0].id, contact.id);
	await c.crm.contacts.basicApi.update(contact.id, { properties: { lastname: 'Lee' } });
	assert.strictEqual((await c.crm.contacts.basicApi.getById('ann@x.co', ['lastname'], undefined, undefined, false, 'email')).properties.lastname, 'Lee');
	const found = await c.crm.contacts.searchApi.doSearch({ filterGroups: [{ filters: [{ propertyName: 'hs_searchable_calculated_phone_number', operator: 'EQ', value: '5551234567' }] }], properties: ['phone'], sorts: ['-createdate'], limit: 5, after: '0' });
	assert.deepStrictEqual([found.total, found.results[0].id], [1, contact.id]);
	const page = await c.crm.contacts.basicApi.getPage(10);
	assert.strictEqual(page.results.length, 1);
	assert.strictEqual((await c.crm.contacts.getAll()).length, 1);
	await c.crm.contacts.basicApi.archive(contact.id);
	const gone = await refused(c.crm.contacts.basicApi.getById(contact.id));
	assert.deepStrictEqual([gone.code, gone.body.category], [404, 'OBJECT_NOT_FOUND']);
});

test('batches: upsert, partial failure, read', async t => {
	const s = await start(t, ['hubspot']);
	const c = client(s);
	const up = await c.crm.objects.calls.batchApi.upsert({ inputs: ['a', 'b'].map(k => ({ id: k, idProperty: 'callsync_key', objectWriteTraceId: 't-' + k, properties: { hs_timestamp: '2026-06-11T15:42:00Z', callsync_key: k } })) });
	assert.strictEqual(up.status, 'COMPLETE');
	assert.deepStrictEqual(up.results.map(r => r._new), [true, true], 'the SDK found the flag "new"');
	const part = await c.crm.contacts.batchApi.create({ inputs: [{ properties: { email: 'ok@x.co' }, associations: [], objectWriteTraceId: '1' }, { properties: { email: 'no mail' }, associations: [], objectWriteTraceId: '2' }] });
	assert.strictEqual(part.numErrors, 1);
	assert.strictEqual(part.results.length, 1);
	assert.deepStrictEqual([part.errors[0].category, part.errors[0].context.objectWriteTraceId], ['VALIDATION_ERROR', ['2']]);
	const all = await refused(c.crm.contacts.batchApi.create({ inputs: [{ properties: { email: 'two@x.co' }, associations: [] }, { properties: { email: 'no mail' }, associations: [] }] }));
	assert.deepStrictEqual([all.code, all.body.errors[0].code], [400, 'INVALID_EMAIL']);
	const back = await c.crm.objects.calls.batchApi.read({ inputs: [{ id: 'a' }], idProperty: 'callsync_key', properties: ['callsync_key'], propertiesWithHistory: [] });
	assert.strictEqual(back.results[0].properties.callsync_key, 'a');
});

test('errors as the SDK parses them', async t => {
	const s = await start(t, ['hubspot']);
	const c = client(s, { numberOfApiCallRetries: 0 });
	const one = await c.crm.contacts.basicApi.create({ properties: { email: 'a@x.co' }, associations: [] });
	const twin = await refused(c.crm.contacts.basicApi.create({ properties: { email: 'a@x.co' }, associations: [] }));
	assert.deepStrictEqual([twin.code, /Existing ID: (\d+)/.exec(twin.body.message)[1]], [409, one.id]);
	const missing = await refused(c.crm.objects.tasks.basicApi.create({ properties: {}, associations: [] }));
	assert.deepStrictEqual([missing.code, missing.body.context], [400, { properties: ['hs_timestamp'] }]);
	await s.fault({ action: 'throttle' });
	const slow = await refused(c.crm.contacts.basicApi.getPage());
	assert.deepStrictEqual([slow.code, slow.body.errorType], [429, 'RATE_LIMIT']);
});

test('the SDK\'s own retry meets 500 and 429', async t => {
	const s = await start(t, ['hubspot']);
	const c = client(s, { numberOfApiCallRetries: 3 });
	await s.fault({ action: 'status', status: 500, count: 1 });
	assert.deepStrictEqual((await c.crm.contacts.basicApi.getPage()).results, []);
	assert.strictEqual((await s.ctl('GET', '/requests')).length, 2);
});

test('tokens: refresh, rotation, refused refresh, expired access', async t => {
	const s = await start(t, ['hubspot']);
	await s.ctl('POST', '/config', { dialect: 'hubspot', tokens: { mode: 'strict' } });
	const c = client(s, { accessToken: undefined });
	const get = refresh => c.oauth.tokensApi.create('refresh_token', undefined, undefined, 'sandbox-client', 'sandbox-secret', refresh);
	const one = await get('sandbox-refresh');
	assert.deepStrictEqual([one.expiresIn, one.tokenType], [1800, 'bearer']);
	c.setAccessToken(one.accessToken);
	await c.crm.contacts.basicApi.getPage();
	await s.ctl('POST', '/tokens', { dialect: 'hubspot', action: 'expire' });
	const expired = await refused(c.crm.contacts.basicApi.getPage());
	assert.deepStrictEqual([expired.code, expired.body.category], [401, 'EXPIRED_AUTHENTICATION']);
	const two = await get(one.refreshToken);
	c.setAccessToken(two.accessToken);
	await c.crm.contacts.basicApi.getPage();
	assert.strictEqual((await refused(get('sandbox-refresh'))).code, 400);
});

test('associations, properties, owners, pipelines', async t => {
	const s = await start(t, ['hubspot']);
	const c = client(s);
	const contact = await c.crm.contacts.basicApi.create({ properties: { email: 'a@x.co' }, associations: [] });
	const note = await c.crm.objects.notes.basicApi.create({ properties: { hs_timestamp: '1781192520000', hs_note_body: 'x' }, associations: [] });
	await c.crm.associations.v4.basicApi.createDefault('notes', note.id, 'contacts', contact.id);
	const list = await c.crm.associations.v4.basicApi.getPage('contacts', contact.id, 'notes');
	assert.strictEqual(String(list.results[0].toObjectId), note.id);
	const labelled = await c.crm.associations.v4.batchApi.create('notes', 'contacts', { inputs: [{ _from: { id: note.id }, to: { id: contact.id }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 202 }] }] });
	assert.strictEqual(labelled.status, 'COMPLETE');
	const properties = await c.crm.properties.coreApi.getAll('calls');
	assert.ok(properties.results.find(p => p.name === 'callsync_key').hasUniqueValue);
	const made = await c.crm.properties.coreApi.create('contacts', { name: 'favourite_colour', label: 'Colour', type: 'string', fieldType: 'text', groupName: 'contactinformation' });
	assert.strictEqual(made.name, 'favourite_colour');
	assert.strictEqual((await c.crm.owners.ownersApi.getPage('ava.lopez@example.com')).results.length, 1);
	assert.strictEqual((await c.crm.pipelines.pipelinesApi.getAll('deals')).results[0].stages.length, 7);
});
