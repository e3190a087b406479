'use strict';
const test = require('node:test');
const assert = require('node:assert');
const crypto = require('crypto');
const { start, call } = require('./helper');

const V = '/services/data/v60.0';
const one = r => [r.status, r.json[0].errorCode];
const q = text => `${V}/query?q=${encodeURIComponent(text)}`;

test('create, read, update, delete; rewriting', async t => {
	const s = await start(t, ['salesforce']);
	let r = await s.post(`${V}/sobjects/Contact`, { LastName: ' Smith ', FirstName: 'Jordan', Email: 'Jordan@Example.COM', Phone: '(555) 123-4567', Callsync_Preferred_Date__c: '2026-06-15T14:00:00+02:00', Birthdate: '1990-02-03', Description: '' });
	assert.strictEqual(r.status, 201);
	assert.match(r.json.id, /^003[0-9A-Za-z]{15}$/);
	assert.match(r.headers['sforce-limit-info'], /^api-usage=\d+\/100000$/);
	const { id } = r.json;
	r = await s.get(`${V}/sobjects/Contact/${id.slice(0, 15)}`);
	assert.deepStrictEqual([r.json.Id, r.json.Name, r.json.Email, r.json.LastName, r.json.Callsync_Preferred_Date__c, r.json.Description, r.json.IsDeleted], [id, 'Jordan Smith', 'jordan@example.com', 'Smith', '2026-06-15T12:00:00.000+0000', null, false]);
	assert.deepStrictEqual(r.json.attributes, { type: 'Contact', url: `${V}/sobjects/Contact/${id}` });
	r = await s.patch(`${V}/sobjects/contact/${id}`, { mobilephone: '1', Email: null });
	assert.deepStrictEqual([r.status, r.text], [204, '']);
	assert.deepStrictEqual((({ MobilePhone, Email }) => [MobilePhone, Email])((await s.get(`${V}/sobjects/Contact/${id}?fields=MobilePhone,Email`)).json), ['1', null]);
	assert.strictEqual((await s.del(`${V}/sobjects/Contact/${id}`)).status, 204);
	assert.deepStrictEqual(one(await s.get(`${V}/sobjects/Contact/${id}`)), [404, 'NOT_FOUND']);
	assert.deepStrictEqual(one(await s.patch(`${V}/sobjects/Contact/${id}`, {})), [404, 'ENTITY_IS_DELETED']);
	assert.deepStrictEqual(one(await s.get(`${V}/sobjects/Contact/nonsense`)), [404, 'NOT_FOUND']);
});

test('validation errors', async t => {
	const s = await start(t, ['salesforce']);
	const make = (object, body) => s.post(`${V}/sobjects/${object}`, body);
	const err = async (object, body) => { const r = await make(object, body); return [r.status, r.json[0].errorCode, r.json[0].fields]; };
	assert.deepStrictEqual(await err('Contact', { FirstName: 'x' }), [400, 'REQUIRED_FIELD_MISSING', ['LastName']]);
	assert.deepStrictEqual(await err('Lead', { LastName: 'x' }), [400, 'REQUIRED_FIELD_MISSING', ['Company']]);
	assert.deepStrictEqual(await err('Contact', { LastName: 'x', Nope__c: 1 }), [400, 'INVALID_FIELD', undefined]);
	assert.deepStrictEqual(await err('Contact', { LastName: 'x', CreatedDate: '2020-01-01T00:00:00Z' }), [400, 'INVALID_FIELD_FOR_INSERT_UPDATE', ['CreatedDate']]);
	assert.deepStrictEqual(await err('Contact', { LastName: 'x', Email: 'no mail' }), [400, 'INVALID_EMAIL_ADDRESS', ['Email']]);
	assert.deepStrictEqual(await err('Contact', { LastName: 'x'.repeat(81) }), [400, 'STRING_TOO_LONG', ['LastName']]);
	assert.deepStrictEqual(await err('Task', { CallType: 'INBOUND' }), [400, 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST', ['CallType']]);
	assert.strictEqual((await make('Task', { Status: 'Whatever you say' })).status, 201, 'an unrestricted pick list takes anything');
	assert.deepStrictEqual((await err('Task', { ActivityDate: '11.06.2026' })).slice(0, 2), [400, 'JSON_PARSER_ERROR']);
	assert.deepStrictEqual((await err('Task', { CallDurationInSeconds: 'long' })).slice(0, 2), [400, 'JSON_PARSER_ERROR']);
	assert.deepStrictEqual(await err('Task', { WhoId: 'abc' }), [400, 'MALFORMED_ID', ['WhoId']]);
	assert.deepStrictEqual(await err('Task', { WhoId: '003Sb0000000009' }), [400, 'INVALID_CROSS_REFERENCE_KEY', ['WhoId']]);
	const lead = (await make('Lead', { LastName: 'L', Company: 'C' })).json.id, account = (await make('Account', { Name: 'A' })).json.id;
	assert.deepStrictEqual((await err('Task', { WhoId: lead, WhatId: account }))[1], 'FIELD_INTEGRITY_EXCEPTION');
	assert.deepStrictEqual((await err('Event', { Subject: 'x' })).slice(1), ['REQUIRED_FIELD_MISSING', ['StartDateTime']]);
	const e = (await make('Event', { Subject: 'x', StartDateTime: '2026-06-15T14:00:00Z', DurationInMinutes: 30 })).json.id;
	assert.strictEqual((await s.get(`${V}/sobjects/Event/${e}`)).json.EndDateTime, '2026-06-15T14:30:00.000+0000');
	assert.deepStrictEqual(one(await s.post(`${V}/sobjects/Unicorn`, {})), [404, 'NOT_FOUND']);
	assert.deepStrictEqual(one(await s.post(`${V}/sobjects/Contact`, '{"a":')), [400, 'JSON_PARSER_ERROR']);
});

test('upsert by external id', async t => {
	const s = await start(t, ['salesforce']);
	const put = (body, key = 'k 1/ä', object = 'Contact', more = '') => s.patch(`${V}/sobjects/${object}/Callsync_Key__c/${encodeURIComponent(key)}${more}`, body);
	let r = await put({ LastName: 'A' });
	assert.deepStrictEqual([r.status, r.json.created, r.json.success], [201, true, true]);
	const { id } = r.json;
	r = await put({ FirstName: 'B' });
	assert.deepStrictEqual([r.status, r.json.created, r.json.id], [200, false, id]);
	assert.deepStrictEqual(one(await put({ Callsync_Key__c: 'k', LastName: 'x' })), [400, 'INVALID_FIELD']);
	assert.deepStrictEqual(one(await put({ LastName: 'x' }, 'other', 'Contact', '?updateOnly=true')), [404, 'NOT_FOUND']);
	assert.deepStrictEqual(one(await s.post(`${V}/sobjects/Contact`, { LastName: 'x', Callsync_Key__c: 'K 1/Ä' })), [400, 'DUPLICATE_VALUE']);
	assert.match((await s.post(`${V}/sobjects/Contact`, { LastName: 'x', Callsync_Key__c: 'k 1/ä' })).json[0].message, new RegExp(`with id: ${id.slice(0, 15)}`));
	assert.strictEqual((await put({ Subject: 'Call', TaskSubtype: 'Call', Status: 'Completed', Who: { attributes: { type: 'Contact' }, Callsync_Key__c: 'k 1/ä' } }, 'c1', 'Task')).status, 201);
	assert.strictEqual((await s.records('Task'))[0].properties.WhoId, id);
	assert.strictEqual((await s.get(`${V}/sobjects/Contact/Callsync_Key__c/${encodeURIComponent('k 1/ä')}?fields=FirstName`)).json.FirstName, 'B');
	assert.deepStrictEqual(one(await s.patch(`${V}/sobjects/Contact/Email/x`, { LastName: 'x' })), [404, 'NOT_FOUND']);
	// an external id that is not unique may name several records
	await s.ctl('POST', '/schema', { dialect: 'salesforce', action: 'retype', object: 'Contact', field: 'Callsync_Key__c', unique: false });
	await s.post(`${V}/sobjects/Contact`, { LastName: 'twin', Callsync_Key__c: 'k 1/ä' });
	r = await put({ FirstName: 'C' });
	assert.strictEqual(r.status, 300);
	assert.strictEqual(r.json.length, 2);
});

test('collections: in order, mixed results, allOrNone, limits', async t => {
	const s = await start(t, ['salesforce']);
	const rec = (n, more) => ({ attributes: { type: 'Contact' }, LastName: `L${n}`, Callsync_Key__c: `k${n}`, ...more });
	let r = await s.patch(`${V}/composite/sobjects/Contact/Callsync_Key__c`, { allOrNone: false, records: [rec(1), rec(2, { Email: 'bad' }), rec(3)] });
	assert.strictEqual(r.status, 200);
	assert.deepStrictEqual(r.json.map(x => [x.success, x.created, x.errors.map(e => e.statusCode)]), [[true, true, []], [false, undefined, ['INVALID_EMAIL_ADDRESS']], [true, true, []]]);
	r = await s.patch(`${V}/composite/sobjects/Contact/Callsync_Key__c`, { allOrNone: true, records: [rec(1, { FirstName: 'new' }), rec(4), rec(5, { LastName: '' })] });
	assert.deepStrictEqual(r.json.map(x => x.errors[0].statusCode), ['ALL_OR_NONE_OPERATION_ROLLED_BACK', 'ALL_OR_NONE_OPERATION_ROLLED_BACK', 'REQUIRED_FIELD_MISSING']);
	assert.deepStrictEqual((await s.records('Contact')).map(x => [x.properties.LastName, x.properties.FirstName]), [['L1', undefined], ['L3', undefined]], 'rolled back');
	r = await s.patch(`${V}/composite/sobjects/Contact/Callsync_Key__c`, { records: [rec(6), rec(6)] });
	assert.deepStrictEqual(r.json.map(x => x.errors[0].statusCode), ['DUPLICATE_VALUE', 'DUPLICATE_VALUE']);
	r = await s.post(`${V}/composite/sobjects`, { records: Array.from({ length: 201 }, (_, n) => rec(100 + n)) });
	assert.deepStrictEqual(one(r), [400, 'EXCEEDED_ID_LIMIT']);
	r = await s.post(`${V}/composite/sobjects`, { records: [rec(7), { attributes: { type: 'Task' }, Subject: 's' }, { attributes: { type: 'Bogus' } }] });
	assert.deepStrictEqual(r.json.map(x => x.success), [true, true, false]);
	const ids = r.json.slice(0, 2).map(x => x.id);
	r = await s.patch(`${V}/composite/sobjects`, { records: [{ attributes: { type: 'Contact' }, id: ids[0], FirstName: 'U' }, { attributes: { type: 'Contact' }, id: '003Sb000000zzzz', FirstName: 'U' }] });
	assert.deepStrictEqual(r.json.map(x => [x.success, x.errors[0] && x.errors[0].statusCode]), [[true, undefined], [false, 'INVALID_CROSS_REFERENCE_KEY']]);
	r = await s.get(`${V}/composite/sobjects/Contact?ids=${ids[0]},003Sb000000zzzz&fields=FirstName`);
	assert.deepStrictEqual(r.json.map(x => x && x.FirstName), ['U', null]);
	r = await s.del(`${V}/composite/sobjects?ids=${ids.join(',')}`);
	assert.deepStrictEqual(r.json.map(x => x.success), [true, true]);
});

test('composite: references, one transaction, graph, batch', async t => {
	const s = await start(t, ['salesforce']);
	const parts = (subject, extra) => [
		{ method: 'PATCH', url: `${V}/sobjects/Contact/Callsync_Key__c/p1`, referenceId: 'who', body: { LastName: 'P' } },
		{ method: 'POST', url: `${V}/sobjects/Task`, referenceId: 'task', body: { Subject: subject, WhoId: '@{who.id}', TaskSubtype: 'Call', ...extra } }];
	let r = await s.post(`${V}/composite`, { allOrNone: true, compositeRequest: parts('a', { CallType: 'bogus' }) });
	assert.deepStrictEqual(r.json.compositeResponse.map(x => [x.referenceId, x.httpStatusCode, x.body[0].errorCode]), [['who', 400, 'PROCESSING_HALTED'], ['task', 400, 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST']]);
	assert.strictEqual((await s.records('Contact')).length, 0);
	r = await s.post(`${V}/composite`, { allOrNone: true, compositeRequest: parts('a') });
	assert.deepStrictEqual(r.json.compositeResponse.map(x => x.httpStatusCode), [201, 201]);
	assert.strictEqual((await s.records('Task'))[0].properties.WhoId, r.json.compositeResponse[0].body.id);
	assert.strictEqual(r.json.compositeResponse[1].httpHeaders.Location, `${V}/sobjects/Task/${r.json.compositeResponse[1].body.id}`);
	r = await s.post(`${V}/composite`, { allOrNone: false, compositeRequest: [{ method: 'POST', url: `${V}/sobjects/Contact`, referenceId: 'bad', body: {} }, { method: 'POST', url: `${V}/sobjects/Task`, referenceId: 't2', body: { WhoId: '@{bad.id}' } }, { method: 'GET', url: q('SELECT Id FROM Task'), referenceId: 'g' }] });
	assert.deepStrictEqual(r.json.compositeResponse.map(x => x.httpStatusCode), [400, 400, 200]);
	assert.strictEqual(r.json.compositeResponse[1].body[0].errorCode, 'PROCESSING_HALTED');
	assert.strictEqual((await s.post(`${V}/composite`, { compositeRequest: Array.from({ length: 26 }, (_, i) => ({ method: 'GET', url: `${V}/limits`, referenceId: `r${i}` })) })).status, 400);
	r = await s.post(`${V}/composite/graph`, { graphs: [{ graphId: '1', compositeRequest: parts('g1') }, { graphId: '2', compositeRequest: parts('g2', { CallType: 'x' }) }] });
	assert.deepStrictEqual(r.json.graphs.map(g => g.isSuccessful), [true, false]);
	r = await s.post(`${V}/composite/batch`, { batchRequests: [{ method: 'GET', url: 'v60.0/limits' }, { method: 'POST', url: 'v60.0/sobjects/Contact', richInput: {} }] });
	assert.deepStrictEqual([r.json.hasErrors, r.json.results.map(x => x.statusCode)], [true, [200, 400]]);
});

test('SOQL', async t => {
	const s = await start(t, ['salesforce']);
	await s.post(`${V}/composite/sobjects`, { records: [
		{ attributes: { type: 'Account' }, Name: 'Acme', Callsync_Key__c: 'acme' },
		{ attributes: { type: 'Contact' }, LastName: "O'Neil", FirstName: 'Ann', Email: 'ann@x.co', Phone: '(555) 123-4567', Account: { Callsync_Key__c: 'acme' } },
		{ attributes: { type: 'Contact' }, LastName: 'Lee', Email: 'bob@x.co', MobilePhone: '+1 555 999 0000' },
		{ attributes: { type: 'Opportunity' }, Name: 'Deal', StageName: 'Prospecting', CloseDate: '2026-12-01', Amount: 100.005 }] });
	const names = async text => { const r = await s.get(q(text)); return r.status === 200 ? r.json.records.map(x => x.LastName || x.Name) : one(r); };
	assert.deepStrictEqual(await names("SELECT LastName FROM Contact WHERE Email = 'ANN@x.co'"), ["O'Neil"]);
	assert.deepStrictEqual(await names("select LastName from contact where LastName = 'O\\'Neil' or MobilePhone like '%9990000'"), ["O'Neil"]);
	assert.deepStrictEqual(await names("SELECT LastName FROM Contact WHERE Phone LIKE '%555%123%4567%' AND NOT (FirstName = null)"), ["O'Neil"]);
	assert.deepStrictEqual(await names("SELECT LastName FROM Contact WHERE Account.Name = 'acme'"), ["O'Neil"]);
	assert.deepStrictEqual(await names('SELECT LastName FROM Contact ORDER BY LastName DESC NULLS LAST LIMIT 1'), ["O'Neil"]);
	assert.deepStrictEqual(await names("SELECT LastName FROM Contact WHERE Email NOT IN ('ann@x.co', 'c')"), ['Lee']);
	assert.deepStrictEqual(await names('SELECT Name FROM Opportunity WHERE CloseDate > 2026-11-30 AND IsClosed = false AND Amount >= 100'), ['Deal']);
	assert.deepStrictEqual(await names('SELECT LastName FROM Contact WHERE CreatedDate = TODAY AND SystemModstamp > 2020-01-01T00:00:00Z'), ["O'Neil", 'Lee']);
	assert.strictEqual((await s.get(q('SELECT COUNT() FROM Contact'))).json.totalSize, 2);
	const r = await s.get(q("SELECT Id, Account.Name FROM Contact WHERE LastName = 'Lee'"));
	assert.strictEqual(r.json.records[0].Account, null);
	assert.deepStrictEqual(await names('SELECT Nope FROM Contact'), [400, 'INVALID_FIELD']);
	assert.deepStrictEqual(await names('SELECT Id FROM Nope'), [400, 'INVALID_TYPE']);
	assert.deepStrictEqual(await names('SELECT Id FROM Contact WHERE'), [400, 'MALFORMED_QUERY']);
	assert.deepStrictEqual(await names("SELECT Id FROM Contact WHERE LastName = 'O'Neil'"), [400, 'MALFORMED_QUERY'], 'an unescaped quote');
	assert.deepStrictEqual(await names("SELECT Id FROM Contact WHERE CreatedDate > '2020-01-01'"), [400, 'INVALID_FIELD']);
	assert.deepStrictEqual(await names("SELECT Id FROM Contact WHERE Description = 'x'"), [400, 'INVALID_FIELD'], 'long text cannot be filtered');
	await s.ctl('POST', '/config', { dialect: 'salesforce', query_page: 1 });
	const page = (await s.get(q('SELECT Id FROM Contact'))).json;
	assert.deepStrictEqual([page.totalSize, page.done, page.records.length], [2, false, 1]);
	assert.deepStrictEqual((await s.get(page.nextRecordsUrl)).json.done, true);
});

test('search: phones by digits, lag, reserved characters', async t => {
	const s = await start(t, ['salesforce']);
	await s.ctl('POST', '/config', { dialect: 'salesforce', search_lag_ms: 60000 });
	await s.post(`${V}/composite/sobjects`, { records: [
		{ attributes: { type: 'Contact' }, LastName: 'Smith', FirstName: 'Jo', Phone: '(555) 123-4567', Email: 'jo.smith@x.co' },
		{ attributes: { type: 'Lead' }, LastName: 'Smith', Company: 'C', MobilePhone: '+1-555-123-4567' }] });
	const sosl = async text => { const r = await s.get(`${V}/search?q=${encodeURIComponent(text)}`); return r.status === 200 ? r.json.searchRecords.map(x => x.attributes.type) : one(r); };
	assert.deepStrictEqual(await sosl('FIND {5551234567} IN PHONE FIELDS RETURNING Contact(Id,Phone),Lead(Id)'), [], 'not indexed yet');
	await s.ctl('POST', '/clock', { advance_ms: 60001 });
	assert.deepStrictEqual(await sosl('FIND {5551234567} IN PHONE FIELDS RETURNING Contact(Id,Phone),Lead(Id)'), ['Contact', 'Lead']);
	assert.deepStrictEqual(await sosl("FIND {smith AND jo} IN NAME FIELDS RETURNING Contact(Id WHERE LastName = 'Smith' LIMIT 5)"), ['Contact']);
	assert.deepStrictEqual(await sosl('FIND {smi*} RETURNING Lead, Contact'), ['Lead', 'Contact']);
	assert.deepStrictEqual(await sosl('FIND {555-1234567} IN PHONE FIELDS'), [400, 'MALFORMED_SEARCH']);
	assert.deepStrictEqual(await sosl('FIND {555\\-123\\-4567} IN PHONE FIELDS RETURNING Contact'), ['Contact']);
	assert.deepStrictEqual(await sosl('FIND {x} IN NAME FIELDS'), [400, 'MALFORMED_SEARCH']);
	const r = await s.get(`${V}/parameterizedSearch?q=5551234567&sobject=Contact&in=PHONE&fields=Id,Phone`);
	assert.deepStrictEqual(r.json.searchRecords.map(x => x.Phone), ['(555) 123-4567']);
});

test('duplicate rule', async t => {
	const s = await start(t, ['salesforce']);
	await s.ctl('POST', '/config', { dialect: 'salesforce', duplicate_rule: 'alert' });
	const first = (await s.post(`${V}/sobjects/Contact`, { LastName: 'A', Email: 'a@x.co' })).json.id;
	let r = await s.post(`${V}/sobjects/Contact`, { LastName: 'B', Email: 'a@x.co' });
	assert.deepStrictEqual(one(r), [400, 'DUPLICATES_DETECTED']);
	assert.strictEqual(r.json[0].duplicateResult.matchResults[0].matchRecords[0].record.Id, first);
	r = await s.post(`${V}/composite/sobjects`, { records: [{ attributes: { type: 'Contact' }, LastName: 'B', Email: 'a@x.co' }] });
	assert.strictEqual(r.json[0].errors[0].duplicateResult.allowSave, true);
	assert.strictEqual((await s.post(`${V}/sobjects/Contact`, { LastName: 'B', Email: 'a@x.co' }, { 'Sforce-Duplicate-Rule-Header': 'allowSave=true' })).status, 201);
});

test('describe, changed and deleted ids, limits', async t => {
	const s = await start(t, ['salesforce']);
	let r = await s.get(`${V}/sobjects/Task/describe`);
	const f = n => r.json.fields.find(x => x.name === n);
	assert.deepStrictEqual([f('Callsync_Key__c').externalId, f('CallType').restrictedPicklist, f('Status').defaultedOnCreate, f('WhoId').referenceTo, f('Subject').length], [true, true, true, ['Contact', 'Lead'], 255]);
	assert.strictEqual((await s.get(`${V}/sobjects/Task/describe`, { 'If-Modified-Since': r.headers['last-modified'] })).status, 304);
	await s.ctl('POST', '/clock', { advance_ms: 5000 });
	await s.ctl('POST', '/schema', { dialect: 'salesforce', action: 'rename_field', object: 'Task', field: 'Callsync_Intent__c', to: 'Intent__c' });
	assert.strictEqual((await s.get(`${V}/sobjects/Task/describe`, { 'If-Modified-Since': r.headers['last-modified'] })).status, 200);
	await s.ctl('POST', '/schema', { dialect: 'salesforce', action: 'remove_permission', object: 'Task', field: 'Intent__c', mode: 'forbidden' });
	assert.deepStrictEqual(one(await s.post(`${V}/sobjects/Task`, { Intent__c: 'x' })), [400, 'INVALID_FIELD_FOR_INSERT_UPDATE']);
	assert.ok(!(await s.get(`${V}/sobjects/Task/describe`)).json.fields.some(x => x.name === 'Intent__c'), 'an unreadable field vanishes');
	const required = (await s.get(`${V}/sobjects/Lead/describe`)).json.fields.filter(x => !x.nillable && !x.defaultedOnCreate && x.createable).map(x => x.name);
	assert.deepStrictEqual(required, ['LastName', 'Company']);

	const a = (await s.post(`${V}/sobjects/Contact`, { LastName: 'A' })).json.id, b = (await s.post(`${V}/sobjects/Contact`, { LastName: 'B' })).json.id;
	await s.del(`${V}/sobjects/Contact/${b}`);
	const now = Date.now(), iso = ms => encodeURIComponent(new Date(ms).toISOString().replace(/\.\d+Z/, '+00:00'));
	r = await s.get(`${V}/sobjects/Contact/updated/?start=${iso(now - 60000)}&end=${iso(now + 60000)}`);
	assert.deepStrictEqual(r.json.ids, [a]);
	assert.ok(r.json.latestDateCovered);
	r = await s.get(`${V}/sobjects/Contact/deleted/?start=${iso(now - 60000)}&end=${iso(now + 60000)}`);
	assert.deepStrictEqual(r.json.deletedRecords.map(x => x.id), [b]);
	assert.deepStrictEqual(one(await s.get(`${V}/sobjects/Contact/deleted/?start=${iso(now - 16 * 86400000)}&end=${iso(now)}`)), [400, 'INVALID_REPLICATION_DATE']);
	await s.ctl('POST', '/config', { dialect: 'salesforce', limits: { enabled: true, windows: [{ name: 'DailyApiRequests', max: 3 }] } });
	await s.get(`${V}/limits`);
	assert.strictEqual((await s.get(`${V}/limits`)).json.DailyApiRequests.Remaining, 1);
	await s.get(`${V}/limits`);
	r = await s.get(`${V}/limits`);
	assert.deepStrictEqual([...one(r), r.headers['sforce-limit-info'], r.headers['retry-after']], [403, 'REQUEST_LIMIT_EXCEEDED', 'api-usage=3/3', undefined]);
});

test('tokens: refresh, client credentials, JWT bearer', async t => {
	const s = await start(t, ['salesforce']);
	await s.ctl('POST', '/config', { dialect: 'salesforce', tokens: { mode: 'strict' } });
	const token = body => call('POST', `${s.base()}/services/oauth2/token`, new URLSearchParams(body).toString(), { 'Content-Type': 'application/x-www-form-urlencoded' });
	const client = { client_id: 'sandbox-client', client_secret: 'sandbox-secret' };
	const get = tok => call('GET', `${s.base()}${V}/limits`, undefined, { authorization: `Bearer ${tok}` });
	assert.deepStrictEqual(one(await get('none')), [401, 'INVALID_SESSION_ID']);
	let r = await token({ grant_type: 'refresh_token', refresh_token: 'sandbox-refresh', ...client });
	assert.deepStrictEqual([r.json.instance_url, r.json.expires_in, r.json.refresh_token], [s.base(), undefined, undefined]);
	assert.strictEqual((await get(r.json.access_token)).status, 200);
	await s.ctl('POST', '/tokens', { dialect: 'salesforce', action: 'expire' });
	assert.strictEqual((await get(r.json.access_token)).status, 401);
	r = await token({ grant_type: 'client_credentials', ...client });
	assert.strictEqual((await get(r.json.access_token)).status, 200);
	r = await token({ grant_type: 'refresh_token', refresh_token: 'nope', ...client });
	assert.deepStrictEqual([r.status, r.json.error], [400, 'invalid_grant']);

	const { privateKey, publicKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
	await s.ctl('POST', '/config', { dialect: 'salesforce', jwt_public_key: publicKey.export({ type: 'spki', format: 'pem' }) });
	const b64 = o => Buffer.from(JSON.stringify(o)).toString('base64url');
	const jwt = claims => {
		const head = `${b64({ alg: 'RS256' })}.${b64({ iss: 'sandbox-client', sub: 'integration@sandbox.example.com', aud: 'https://login.salesforce.com', exp: Math.floor(Date.now() / 1000) + 180, ...claims })}`;
		return `${head}.${crypto.sign('RSA-SHA256', Buffer.from(head), privateKey).toString('base64url')}`;
	};
	const grant = a => token({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: a });
	r = await grant(jwt({}));
	assert.strictEqual((await get(r.json.access_token)).status, 200);
	assert.strictEqual(r.json.refresh_token, undefined);
	for (const bad of [jwt({ exp: 1 }), jwt({ exp: Math.floor(Date.now() / 1000) + 3600 }), jwt({ aud: 'https://evil' }), jwt({ iss: 'x' }), jwt({ sub: 'nobody' }), jwt({}).slice(0, -4) + 'AAAA']) assert.strictEqual((await grant(bad)).status, 400);
});
