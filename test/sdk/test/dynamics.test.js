'use strict';
// dynamics-web-api, the client most used for Dataverse from Node (not the vendor's: it has none there).
const test = require('node:test');
const assert = require('node:assert');
const { DynamicsWebApi } = require('dynamics-web-api');
const { start } = require('../../sandbox/test/helper');

const client = (s, token = async () => 'x') => new DynamicsWebApi({ serverUrl: s.base(), dataApi: { version: '9.2' }, onTokenRefresh: token });
async function refused(promise) {
	try { await promise; } catch (e) { return e; }
	throw new Error('was not refused');
}

test('create, retrieve, update, upsert, delete', async t => {
	const s = await start(t, ['dynamics']);
	const api = client(s);
	const id = await api.create({ collection: 'contacts', data: { lastname: 'Smith', emailaddress1: 'a@x.co' } });
	assert.match(String(id), /^[0-9a-f-]{36}$/i, 'the id came from OData-EntityId');
	const shown = await api.create({ collection: 'contacts', data: { lastname: 'Rep' }, returnRepresentation: true, select: ['fullname'] });
	assert.strictEqual(shown.fullname, 'Rep');
	assert.strictEqual((await api.retrieve({ collection: 'contacts', key: id, select: ['lastname'] })).lastname, 'Smith');
	assert.strictEqual(await api.update({ collection: 'contacts', key: id, data: { firstname: 'Jo' } }), true);
	const made = await api.upsert({ collection: 'contacts', key: "callsync_key='k1'", data: { lastname: 'K' }, returnRepresentation: true });
	assert.strictEqual(made.callsync_key, 'k1');
	assert.strictEqual((await api.upsert({ collection: 'contacts', key: "callsync_key='k1'", data: { firstname: 'x' }, returnRepresentation: true })).contactid, made.contactid);
	assert.strictEqual(await api.deleteRecord({ collection: 'contacts', key: id }), true);
	const gone = await refused(api.retrieve({ collection: 'contacts', key: id }));
	assert.deepStrictEqual([gone.status, gone.code], [404, '0x80040217']);
});

test('phone call with parties and regarding, completed afterwards', async t => {
	const s = await start(t, ['dynamics']);
	const api = client(s);
	const contact = await api.create({ collection: 'contacts', data: { lastname: 'A' } });
	const id = await api.create({ collection: 'phonecalls', data: { subject: 'AI call', phonenumber: '+15551234567', directioncode: false, 'regardingobjectid_contact_phonecall@odata.bind': `/contacts(${contact})`,
		phonecall_activity_parties: [{ 'partyid_contact@odata.bind': `/contacts(${contact})`, participationtypemask: 1 }] } });
	await api.update({ collection: 'phonecalls', key: id, data: { statecode: 1, statuscode: 4 } });
	const back = await api.retrieve({ collection: 'phonecalls', key: id, select: ['statecode', '_regardingobjectid_value'], expand: [{ property: 'regardingobjectid_contact_phonecall', select: ['lastname'] }] });
	assert.deepStrictEqual([back.statecode, back._regardingobjectid_value, back.regardingobjectid_contact_phonecall.lastname], [1, contact, 'A']);
	assert.strictEqual((await refused(api.update({ collection: 'phonecalls', key: id, data: { subject: 'x' } }))).status, 400);
});

test('filter, paging, count, change tracking', async t => {
	const s = await start(t, ['dynamics']);
	const api = client(s);
	for (let i = 0; i < 5; i++) await api.create({ collection: 'contacts', data: { lastname: `L${i}`, telephone1: '(555) 123-4567' } });
	const some = await api.retrieveMultiple({ collection: 'contacts', select: ['lastname'], filter: "contains(telephone1,'123-4567') and lastname ne 'L0'", orderBy: ['lastname desc'], top: 2, count: true });
	assert.deepStrictEqual([some.value.map(x => x.lastname), some['@odata.count']], [['L4', 'L3'], 4]);
	const all = await api.retrieveAll({ collection: 'contacts', select: ['lastname'], maxPageSize: 2 });
	assert.strictEqual(all.value.length, 5);
	const tracked = await api.retrieveMultiple({ collection: 'contacts', select: ['lastname'], trackChanges: true });
	assert.match(tracked['@odata.deltaLink'] || tracked.oDataDeltaLink, /deltatoken/);
});

test('batch: change set with a reference, and its failure', async t => {
	const s = await start(t, ['dynamics']);
	const api = client(s);
	api.startBatch();
	api.create({ collection: 'contacts', data: { lastname: 'B' }, contentId: '1' });
	api.create({ collection: 'phonecalls', data: { subject: 's', 'regardingobjectid_contact_phonecall@odata.bind': '$1' } });
	const out = await api.executeBatch();
	assert.strictEqual(out.length, 2);
	const [contact] = await s.records('contacts');
	assert.strictEqual((await s.records('phonecalls'))[0].properties.regardingobjectid.id, contact.id);
	api.startBatch();
	api.create({ collection: 'contacts', data: { lastname: 'C' } });
	api.create({ collection: 'contacts', data: { nope: 1 } });
	assert.ok(await refused(api.executeBatch()));
	assert.strictEqual((await s.records('contacts')).length, 1, 'the change set was rolled back');
});

test('errors, throttling, expired token', async t => {
	const s = await start(t, ['dynamics']);
	const api = client(s);
	const bad = await refused(api.create({ collection: 'contacts', data: { telephone1: 'x'.repeat(51) } }));
	assert.deepStrictEqual([bad.status, bad.code], [400, '0x80044331']);
	await s.fault({ action: 'throttle' });
	const slow = await refused(api.retrieveMultiple({ collection: 'contacts' }));
	assert.deepStrictEqual([slow.status, slow.code], [429, '0x80072322']);
	await s.ctl('POST', '/config', { dialect: 'dynamics', tokens: { mode: 'strict', static_tokens: ['good'] } });
	assert.strictEqual((await refused(api.retrieveMultiple({ collection: 'contacts' }))).status, 401);
	assert.deepStrictEqual((await client(s, async () => 'good').retrieveMultiple({ collection: 'contacts' })).value, []);
});

test('metadata', async t => {
	const s = await start(t, ['dynamics']);
	const api = client(s);
	const entities = await api.retrieveEntities({ select: ['LogicalName', 'EntitySetName'] });
	assert.ok(entities.value.some(e => e.EntitySetName === 'phonecalls'));
});
