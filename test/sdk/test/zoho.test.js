'use strict';
// Zoho's own SDK against the sandbox. It reads the field metadata first and converts by it, and it
// knows the codes and messages that the API answers: both are checked here. It is one per process.
const test = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const { pathToFileURL } = require('url');
const { start, call } = require('../../sandbox/test/helper');

const LIB = path.dirname(require.resolve('@zohocrm/nodejs-sdk-8.0'));
const load = file => import(pathToFileURL(path.join(LIB, file)));
const RECORD = 'core/com/zoho/crm/api/record/';

async function open(t) {
	const s = await start(t, ['zoho'], { auth: { authorization: 'Zoho-oauthtoken seed' } });
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sdk-zoho-'));
	t.after(() => fs.rmSync(dir, { recursive: true }));
	const Z = await load('index.js'), { Environment } = await load('routes/dc/environment.js');
	const token = new Z.OAuthBuilder().clientId('sandbox-client').clientSecret('sandbox-secret').refreshToken('sandbox-refresh').findUser(false).build();
	const builder = await new Z.InitializeBuilder();
	await builder.environment(new Environment(s.base(), `${s.base()}/oauth/v2/token`, s.base())).token(token).store(new Z.FileStore(path.join(dir, 'tokens')))
		.SDKConfig(new Z.SDKConfigBuilder().pickListValidation(false).autoRefreshFields(true).build()).resourcePath(dir).logger(new Z.LogBuilder().level(Z.Levels.OFF).filePath(path.join(dir, 'log')).build()).initialize();
	const { RecordOperations, SearchRecordsParam } = await load(RECORD + 'record_operations.js');
	const { Record } = await load(RECORD + 'record.js');
	const { BodyWrapper } = await load(RECORD + 'body_wrapper.js');
	const { ParameterMap } = await load('routes/parameter_map.js');
	const body = list => {
		const b = new BodyWrapper();
		b.setData(list.map(fields => { const r = new Record(); for (const [k, v] of Object.entries(fields)) r.addKeyValue(k, v); return r; }));
		return b;
	};
	return { s, ops: m => new RecordOperations(m), body, SearchRecordsParam, ParameterMap, Record };
}
const codes = r => r.getObject().getData().map(x => x.getCode().getValue());

test('create with partial failure, upsert, search, read, update, delete, calls, tokens', async t => {
	const { s, ops, body, SearchRecordsParam, ParameterMap } = await open(t);
	const contacts = ops('Contacts');
	let r = await contacts.createRecords(body([{ Last_Name: 'Smith', Email: 'a@x.co', Phone: '+1 555 123 4567', Callsync_Call_Count: 3 }, { Last_Name: 'x'.repeat(81) }]));
	assert.deepStrictEqual([r.getStatusCode(), codes(r)], [207, ['SUCCESS', 'INVALID_DATA']]);
	const id = BigInt(r.getObject().getData()[0].getDetails().get('id'));
	r = await contacts.upsertRecords(body([{ Last_Name: 'Smith', Email: 'A@x.co', First_Name: 'Jo' }]));
	assert.deepStrictEqual([r.getObject().getData()[0].getAction().getValue(), r.getObject().getData()[0].getDuplicateField()], ['update', 'Email']);
	const params = new ParameterMap();
	await params.add(SearchRecordsParam.PHONE, '+15551234567');
	r = await contacts.searchRecords(params);
	assert.deepStrictEqual(r.getObject().getData().map(x => x.getKeyValue('First_Name')), ['Jo']);
	const none = new ParameterMap();
	await none.add(SearchRecordsParam.EMAIL, 'nobody@x.co');
	assert.strictEqual((await contacts.searchRecords(none)).getStatusCode(), 204);
	r = await contacts.getRecord(id);
	const record = r.getObject().getData()[0];
	assert.strictEqual(record.getKeyValue('Callsync_Call_Count'), 3);
	assert.ok(record.getCreatedTime() instanceof Date, 'the SDK could read the times');
	assert.strictEqual(record.getKeyValue('Owner').getName(), 'Ava Lopez');
	assert.deepStrictEqual(codes(await contacts.updateRecord(id, body([{ First_Name: 'Jordan' }]))), ['SUCCESS']);
	assert.deepStrictEqual(codes(await contacts.deleteRecord(id)), ['SUCCESS']);
	r = await contacts.getRecord(id);
	assert.strictEqual(r.getObject().getCode().getValue(), 'INVALID_DATA');

	// a call: pick list, date-time, duration
	const { Choice } = await load('utils/util/choice.js');
	r = await ops('Calls').createRecords(body([{ Subject: 'AI call', Call_Type: new Choice('Inbound'), Call_Start_Time: new Date('2026-06-11T15:42:00Z'), Call_Duration: '03:05' }]));
	assert.deepStrictEqual(codes(r), ['SUCCESS']);
	const p = (await s.records('Calls'))[0].properties;
	assert.strictEqual(Date.parse(p.Call_Start_Time), Date.parse('2026-06-11T15:42:00Z'));
	assert.strictEqual(p.Call_Duration_in_seconds, 185);

	assert.strictEqual((await s.ctl('GET', '/tokens')).refreshes, 1, 'one token for all');
	await s.ctl('POST', '/tokens', { action: 'expire' });
	r = await ops('Calls').createRecords(body([{ Subject: 'x' }]));
	assert.strictEqual(r.getStatusCode(), 401);
	assert.strictEqual(r.getObject().getCode().getValue(), 'INVALID_TOKEN');
});

test('every error of the sandbox uses codes and messages the SDK knows', async t => {
	const s = await start(t, ['zoho'], { auth: { authorization: 'Zoho-oauthtoken t' } });
	const details = JSON.parse(fs.readFileSync(path.join(LIB, 'config/json_details.json'), 'utf8'));
	const known = kind => ({ code: new Set(details[`core/com/zoho/crm/api/${kind}/api_exception`].code.values), message: new Set(details[`core/com/zoho/crm/api/${kind}/api_exception`].message.values) });
	const { code, message } = known('record');
	const V = '/crm/v8', seen = [];
	const note = (x, where) => { seen.push(where); assert.ok(code.has(x.code), `${where}: code ${x.code}`); assert.ok(message.has(x.message), `${where}: "${x.message}"`); };
	const ask = async (where, r) => { const j = (await r).json; for (const x of j.data || [j]) if (x.status === 'error') note(x, where); };
	const id = (await s.post(`${V}/Contacts`, { data: [{ Last_Name: 'x', Callsync_Key: 'k' }] })).json.data[0].details.id;
	await ask('mandatory', s.post(`${V}/Contacts`, { data: [{}] }));
	await ask('type', s.post(`${V}/Contacts`, { data: [{ Last_Name: 5 }] }));
	await ask('duplicate', s.post(`${V}/Contacts`, { data: [{ Last_Name: 'y', Callsync_Key: 'k' }] }));
	await ask('no data', s.post(`${V}/Contacts`, {}));
	await ask('module', s.get(`${V}/Nope?fields=id`));
	await ask('fields param', s.get(`${V}/Contacts`));
	await ask('wrong id', s.get(`${V}/Contacts/1`));
	await ask('external', s.get(`${V}/Contacts/none`, { 'X-EXTERNAL': 'Contacts.Callsync_Key' }));
	await ask('dependent', s.post(`${V}/Calls`, { data: [{ Subject: 'x', Call_Type: 'Inbound', Call_Start_Time: '2026-06-11T15:42:00+00:00', What_Id: { id } }] }));
	await ask('lookup', s.post(`${V}/Calls`, { data: [{ Subject: 'x', Call_Type: 'Inbound', Call_Start_Time: '2026-06-11T15:42:00+00:00', Who_Id: { id: '9' } }] }));
	await ask('criteria', s.get(`${V}/Contacts/search?criteria=(Nope:equals:1)`));
	await ask('no criteria', s.get(`${V}/Contacts/search`));
	await ask('path', s.get('/crm/v8/a/b/c/d/e'));
	await ask('method', call('PATCH', `${s.base()}${V}/Contacts`, {}, { authorization: 'Zoho-oauthtoken t' }));
	await ask('token', call('GET', `${s.base()}${V}/Contacts`, undefined, { authorization: 'Bearer t' }));
	await ask('no token', call('GET', `${s.base()}${V}/Contacts`));
	await s.ctl('POST', '/schema', { dialect: 'zoho', action: 'remove_permission', object: 'Contacts', field: 'First_Name', mode: 'forbidden' });
	await ask('permission', s.post(`${V}/Contacts`, { data: [{ Last_Name: 'y', First_Name: 'z' }] }));
	for (const status of [403, 500]) { await s.fault({ action: 'status', status }); await ask(`fault ${status}`, s.get(`${V}/Contacts/${id}`)); }
	assert.strictEqual(seen.length, 19);
});
