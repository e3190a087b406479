'use strict';
// Pipedrive's own client (v1 and v2) against the sandbox.
const test = require('node:test');
const assert = require('node:assert');
const v2 = require('pipedrive/v2');
const v1 = require('pipedrive/v1');
const { start } = require('../../sandbox/test/helper');

const schema = require('../../sandbox/pipedrive/fields.json');
const KEY = schema.persons.find(f => f.alias === 'callsync_key').name;
const conf2 = s => new v2.Configuration({ apiKey: 'token', basePath: `${s.base()}/api/v2` });
const conf1 = s => new v1.Configuration({ apiKey: 'token', basePath: `${s.base()}/api/v1` });
async function refused(promise) {
	try { await promise; } catch (e) { return e; }
	throw new Error('was not refused');
}

test('persons: add, update, search, read, delete', async t => {
	const s = await start(t, ['pipedrive']);
	const api = new v2.PersonsApi(conf2(s));
	const made = await api.addPerson({ AddPersonRequest: { name: 'Jo Smith', phones: [{ value: '+1 555 123 4567', primary: true, label: 'work' }], emails: [{ value: 'jo@x.co' }], custom_fields: { [KEY]: 'c1' } } });
	assert.ok(made.success);
	const { id } = made.data;
	assert.strictEqual((await api.updatePerson({ id, UpdatePersonRequest: { name: 'Jo Lee' } })).data.name, 'Jo Lee');
	const found = await api.searchPersons({ term: '5551234567', fields: 'phone' });
	assert.deepStrictEqual(found.data.items.map(i => i.item.id), [id]);
	assert.strictEqual((await api.searchPersons({ term: 'c1', fields: 'custom_fields', exact_match: true })).data.items.length, 1);
	assert.strictEqual((await api.getPerson({ id })).data.custom_fields[KEY], 'c1');
	assert.strictEqual((await api.getPersons({ updated_since: '2020-01-01T00:00:00Z', limit: 10 })).data.length, 1);
	assert.strictEqual((await api.deletePerson({ id })).data.id, id);
	assert.strictEqual((await refused(api.getPerson({ id }))).error, 'Person not found', 'the SDK rejects with the body');
});

test('activities, deals, call logs, leads, notes, users', async t => {
	const s = await start(t, ['pipedrive']);
	const { id } = (await new v2.PersonsApi(conf2(s)).addPerson({ AddPersonRequest: { name: 'A' } })).data;
	const activity = await new v2.ActivitiesApi(conf2(s)).addActivity({ AddActivityRequest: { subject: 'Callback', type: 'call', done: false, due_date: '2026-06-12', due_time: '09:00', participants: [{ person_id: id, primary: true }] } });
	assert.strictEqual(activity.data.person_id, id);
	const deal = await new v2.DealsApi(conf2(s)).addDeal({ AddDealRequest: { title: 'D', person_id: id } });
	assert.strictEqual((await new v2.DealsApi(conf2(s)).updateDeal({ id: deal.data.id, UpdateDealRequest: { stage_id: 3 } })).data.stage_id, 3);
	const calls = new v1.CallLogsApi(conf1(s));
	const log = await calls.addCallLog({ AddCallLogRequest: { to_phone_number: '+15550001111', outcome: 'connected', start_time: '2026-06-11 15:42:00', end_time: '2026-06-11 15:43:00', person_id: id } });
	assert.strictEqual((await calls.getCallLog({ id: log.data.id })).data.person_id, id);
	assert.ok((await new v1.LeadsApi(conf1(s)).addLead({ AddLeadRequest: { title: 'L', person_id: id } })).data.id);
	assert.ok((await new v1.NotesApi(conf1(s)).addNote({ AddNoteRequest: { content: 'x', person_id: id } })).data.id);
	assert.strictEqual((await new v1.UsersApi(conf1(s)).getCurrentUser()).data.company_id, 7100001);
	assert.strictEqual((await new v1.RecentsApi(conf1(s)).getRecents({ since_timestamp: '2020-01-01 00:00:00', items: 'person' })).data.length, 1);
});

test('errors as the SDK hands them on', async t => {
	const s = await start(t, ['pipedrive']);
	const bad = await refused(new v1.CallLogsApi(conf1(s)).addCallLog({ AddCallLogRequest: { to_phone_number: '1', outcome: 'completed', start_time: '2026-06-11 15:42:00', end_time: '2026-06-11 15:43:00' } }));
	assert.strictEqual(bad.success, false);
	assert.match(bad.error, /"outcome" must be one of/);
	await s.fault({ action: 'throttle' });
	assert.strictEqual((await refused(new v2.PersonsApi(conf2(s)).getPersons({}))).errorCode, 429);
});

test('OAuth: the SDK refreshes an expired token before the next call', async t => {
	const s = await start(t, ['pipedrive']);
	await s.ctl('POST', '/config', { dialect: 'pipedrive', tokens: { mode: 'strict' } });
	const oauth2 = new v2.OAuth2Configuration({ clientId: 'sandbox-client', clientSecret: 'sandbox-secret', redirectUri: 'http://127.0.0.1/cb' });
	oauth2.host = s.base();
	oauth2.updateToken({ access_token: 'old', refresh_token: 'sandbox-refresh', expires_in: 0, api_domain: s.base(), scope: 'base', token_type: 'bearer' });
	// the token server's address is fixed in the SDK; its requests are sent to the sandbox
	const axios = require('axios');
	const rewrite = c => { if (/oauth\.pipedrive\.com/.test(c.url)) c.url = c.url.replace(/^https:\/\/oauth\.pipedrive\.com/, s.base()); return c; };
	for (const instance of [axios, axios.default, oauth2.axios].filter(Boolean)) instance.interceptors.request.use(rewrite);
	const token = await oauth2.tokenRefresh();
	oauth2.updateToken(token);
	const api = new v2.PersonsApi(new v2.Configuration({ accessToken: oauth2.getAccessToken, basePath: `${s.base()}/api/v2` }));
	assert.deepStrictEqual((await api.getPersons({})).data, []);
	assert.strictEqual(token.api_domain, s.base());
	assert.strictEqual(token.refresh_token, 'sandbox-refresh');
});
