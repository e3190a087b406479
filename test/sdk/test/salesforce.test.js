'use strict';
// jsforce against the sandbox.
const test = require('node:test');
const assert = require('node:assert');
const jsforce = require('jsforce');
const { start } = require('../../sandbox/test/helper');

const connect = (s, more) => new jsforce.Connection({ instanceUrl: s.base(), accessToken: 'x', version: '62.0', maxRequest: 20, ...more });
async function refused(promise) {
	try { await promise; } catch (e) { return e; }
	throw new Error('was not refused');
}

test('create, retrieve, update, upsert, destroy', async t => {
	const s = await start(t, ['salesforce']);
	const conn = connect(s);
	const made = await conn.sobject('Contact').create({ LastName: 'Smith', Email: 'a@x.co' });
	assert.ok(made.success);
	assert.strictEqual((await conn.sobject('Contact').retrieve(made.id)).Name, 'Smith');
	assert.ok((await conn.sobject('Contact').update({ Id: made.id, FirstName: 'Jo' })).success);
	const up = await conn.sobject('Task').upsert({ Callsync_Key__c: 'c1', Subject: 'Call', TaskSubtype: 'Call', Status: 'Completed', CallDurationInSeconds: 90, WhoId: made.id }, 'Callsync_Key__c');
	assert.deepStrictEqual([up.success, up.created], [true, true]);
	const again = await conn.sobject('Task').upsert({ Callsync_Key__c: 'c1', Subject: 'Changed' }, 'Callsync_Key__c');
	assert.deepStrictEqual([again.created, again.id], [false, up.id]);
	assert.ok((await conn.sobject('Task').destroy(up.id)).success);
	assert.match(conn.limitInfo.apiUsage.used + '/' + conn.limitInfo.apiUsage.limit, /^\d+\/100000$/, 'Sforce-Limit-Info was understood');
});

test('collections: upsert of many with partial failure', async t => {
	const s = await start(t, ['salesforce']);
	const conn = connect(s);
	const out = await conn.sobject('Contact').upsert([{ Callsync_Key__c: 'k1', LastName: 'A' }, { Callsync_Key__c: 'k2' }, { Callsync_Key__c: 'k3', LastName: 'C' }], 'Callsync_Key__c', { allOrNone: false });
	assert.deepStrictEqual(out.map(o => o.success), [true, false, true]);
	assert.strictEqual(out[1].errors[0].statusCode || out[1].errors[0].errorCode, 'REQUIRED_FIELD_MISSING');
	const made = await conn.sobject('Contact').create([{ LastName: 'D' }, { LastName: 'E', Email: 'bad' }]);
	assert.deepStrictEqual(made.map(o => o.success), [true, false]);
	const many = await conn.sobject('Contact').create(Array.from({ length: 401 }, (_, i) => ({ LastName: `M${i}` })), { allowRecursive: true });
	assert.strictEqual(many.filter(o => o.success).length, 401, 'three collections of at most 200');
	assert.strictEqual((await conn.sobject('Contact').destroy(many.slice(0, 3).map(m => m.id))).filter(o => o.success).length, 3);
});

test('SOQL, query builder, paging, SOSL, describe', async t => {
	const s = await start(t, ['salesforce']);
	await s.ctl('POST', '/config', { dialect: 'salesforce', query_page: 2 });
	const conn = connect(s);
	await conn.sobject('Contact').create(['A', 'B', 'C'].map(x => ({ LastName: x, Phone: '(555) 123-4567' })));
	assert.strictEqual((await conn.query("SELECT Id, LastName FROM Contact WHERE LastName = 'B'")).records[0].LastName, 'B');
	const all = await conn.query('SELECT Id FROM Contact', { autoFetch: true });
	assert.strictEqual(all.records.length, 3);
	const found = await conn.sobject('Contact').find({ LastName: { $like: '%' }, CreatedDate: { $gte: jsforce.Date.YESTERDAY } }, ['Id', 'LastName']).sort({ LastName: -1 }).limit(2).execute();
	assert.deepStrictEqual(found.map(r => r.LastName), ['C', 'B']);
	const sosl = await conn.search('FIND {5551234567} IN PHONE FIELDS RETURNING Contact(Id, Phone)');
	assert.strictEqual(sosl.searchRecords.length, 3);
	const describe = await conn.sobject('Task').describe();
	assert.ok(describe.fields.find(f => f.name === 'Callsync_Key__c').externalId);
	assert.ok((await conn.describeGlobal()).sobjects.some(o => o.name === 'Contact'));
	const since = new Date(Date.now() - 60000), until = new Date(Date.now() + 60000);
	assert.strictEqual((await conn.sobject('Contact').updated(since, until)).ids.length, 3);
	await conn.sobject('Contact').destroy(found[0].Id);
	assert.strictEqual((await conn.sobject('Contact').deleted(since, until)).deletedRecords.length, 1);
	assert.ok((await conn.limits()).DailyApiRequests.Max > 0);
});

test('composite in one transaction', async t => {
	const s = await start(t, ['salesforce']);
	const conn = connect(s);
	const base = '/services/data/v62.0';
	const out = await conn.requestPost(`${base}/composite`, { allOrNone: true, compositeRequest: [
		{ method: 'PATCH', url: `${base}/sobjects/Contact/Callsync_Key__c/p`, referenceId: 'who', body: { LastName: 'P' } },
		{ method: 'POST', url: `${base}/sobjects/Task`, referenceId: 'task', body: { Subject: 'x', WhoId: '@{who.id}' } }] });
	assert.deepStrictEqual(out.compositeResponse.map(r => r.httpStatusCode), [201, 201]);
});

test('errors as jsforce parses them', async t => {
	const s = await start(t, ['salesforce']);
	const conn = connect(s);
	const missing = await refused(conn.sobject('Contact').create({ FirstName: 'x' }));
	assert.deepStrictEqual([missing.errorCode, missing.name], ['REQUIRED_FIELD_MISSING', 'REQUIRED_FIELD_MISSING']);
	assert.strictEqual((await refused(conn.query('SELECT Nope FROM Contact'))).errorCode, 'INVALID_FIELD');
	await s.fault({ action: 'throttle' });
	assert.strictEqual((await refused(conn.query('SELECT Id FROM Contact'))).errorCode, 'REQUEST_LIMIT_EXCEEDED');
	await s.ctl('POST', '/config', { dialect: 'salesforce', duplicate_rule: 'alert' });
	await conn.sobject('Contact').create({ LastName: 'A', Email: 'a@x.co' });
	const twin = await refused(conn.sobject('Contact').create({ LastName: 'B', Email: 'a@x.co' }));
	assert.strictEqual(twin.errorCode, 'DUPLICATES_DETECTED');
});

test('jsforce refreshes on 401 by itself', async t => {
	const s = await start(t, ['salesforce']);
	await s.ctl('POST', '/config', { dialect: 'salesforce', tokens: { mode: 'strict' } });
	const conn = new jsforce.Connection({ oauth2: { clientId: 'sandbox-client', clientSecret: 'sandbox-secret', loginUrl: s.base(), redirectUri: 'http://127.0.0.1/cb' }, instanceUrl: s.base(), accessToken: 'dead', refreshToken: 'sandbox-refresh', version: '62.0' });
	let refreshed = 0;
	conn.on('refresh', () => refreshed++);
	assert.strictEqual((await conn.query('SELECT Id FROM Contact')).totalSize, 0);
	await s.ctl('POST', '/tokens', { dialect: 'salesforce', action: 'expire' });
	assert.strictEqual((await conn.query('SELECT Id FROM Contact')).totalSize, 0);
	assert.strictEqual(refreshed, 2);
	await s.ctl('POST', '/tokens', { dialect: 'salesforce', action: 'revoke' });
	assert.match(String(await refused(conn.query('SELECT Id FROM Contact'))), /expired access\/refresh token|invalid_grant/);
});
