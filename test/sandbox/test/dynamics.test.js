'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { start, call } = require('./helper');

const V = '/api/data/v9.2';
const err = r => [r.status, r.json && r.json.error.code];
const idOf = r => /\(([0-9a-f-]{36})\)$/.exec(r.headers['odata-entityid'])[1];
const REP = { Prefer: 'return=representation' };

test('create, read, update, delete', async t => {
	const s = await start(t, ['dynamics']);
	let r = await s.post(`${V}/contacts`, { firstname: 'Jordan', lastname: 'Smith', emailaddress1: 'Jo@X.co', telephone1: ' 5', description: '', callsync_preferreddate: '2026-06-15T14:00:00.123+02:00', birthdate: '1990-01-02', createdon: '2000-01-01T00:00:00Z' });
	assert.deepStrictEqual([r.status, r.text, r.headers['odata-version']], [204, '', '4.0']);
	const id = idOf(r);
	r = await s.get(`${V}/contacts(${id})`);
	assert.deepStrictEqual([r.json.fullname, r.json.emailaddress1, r.json.telephone1, r.json.description, r.json.callsync_preferreddate, r.json.statecode, r.json.statuscode], ['Jordan Smith', 'Jo@X.co', ' 5', null, '2026-06-15T12:00:00Z', 0, 1]);
	assert.match(r.json['@odata.context'], /\$metadata#contacts\/\$entity$/);
	assert.ok(!r.json.createdon.startsWith('2000'), 'read-only columns are ignored without a word');
	const etag = r.json['@odata.etag'];
	assert.strictEqual((await s.patch(`${V}/contacts(${id})`, { mobilephone: '1' }, { 'If-Match': '*' })).status, 204);
	assert.deepStrictEqual(err(await s.patch(`${V}/contacts(${id})`, { mobilephone: '2' }, { 'If-Match': etag })), [412, '0x80060882']);
	r = await s.post(`${V}/contacts?$select=fullname`, { lastname: 'Rep' }, REP);
	assert.deepStrictEqual([r.status, r.json.fullname, r.json.emailaddress1], [201, 'Rep', undefined]);
	assert.strictEqual((await s.del(`${V}/contacts(${id})`)).status, 204);
	assert.deepStrictEqual(err(await s.get(`${V}/contacts(${id})`)), [404, '0x80040217']);
	assert.deepStrictEqual(err(await s.patch(`${V}/contacts(${id})`, {}, { 'If-Match': '*' })), [404, '0x80040217']);
});

test('errors of a payload', async t => {
	const s = await start(t, ['dynamics']);
	const make = async (set, b) => err(await s.post(`${V}/${set}`, b));
	assert.deepStrictEqual(await make('contacts', { nope: 1 }), [400, '0x80048d19']);
	assert.deepStrictEqual(await make('contacts', { telephone1: 'x'.repeat(51) }), [400, '0x80044331']);
	assert.deepStrictEqual(await make('contacts', { lastname: 5 }), [400, '0x80048d19']);
	assert.deepStrictEqual(await make('contacts', { callsync_callcount: '5' }), [400, '0x80048d19']);
	assert.deepStrictEqual(await make('contacts', { callsync_urgency: 3 }), [400, '0x8004431a']);
	assert.deepStrictEqual(await make('contacts', { callsync_preferreddate: '2026-06-15T14:00:00' }), [400, '0x80048d19'], 'a zone is needed');
	assert.deepStrictEqual(await make('incidents', { title: 'x' }), [400, '0x80040203']);
	assert.strictEqual((await s.post(`${V}/phonecalls`, {})).status, 204, 'what only the application requires is not enforced');
	assert.deepStrictEqual(await make('unicorns', {}), [404, '0x8006088a']);
	assert.deepStrictEqual(err(await s.post(`${V}/contacts`, '{"a"')), [400, '0x80048d19']);
	const r = await s.post(`${V}/contacts`, { nope: 1 }, { Prefer: 'odata.include-annotations="*"' });
	assert.ok(r.json.error['@Microsoft.PowerApps.CDS.HelpLink']);
});

test('upsert by key and by our own id', async t => {
	const s = await start(t, ['dynamics']);
	const byKey = (k, b, h) => s.patch(`${V}/contacts(callsync_key='${encodeURIComponent(k)}')?$select=contactid`, b, h);
	let r = await byKey("o'k".replace("'", "''"), { lastname: 'A' });
	assert.deepStrictEqual([r.status, r.headers['odata-entityid']], [204, `${s.base()}${V}/contacts(callsync_key='o''k')`], 'the key comes back, not the id');
	r = await byKey("o''k", { firstname: 'B' }, REP);
	assert.strictEqual(r.status, 200);
	const { contactid } = r.json;
	assert.strictEqual((await s.records('contacts'))[0].properties.callsync_key, "o'k");
	assert.strictEqual((await byKey('new', { lastname: 'N' }, REP)).status, 201);
	assert.deepStrictEqual(err(await byKey('new', { lastname: 'N' }, { 'If-None-Match': '*' })), [412, '0x80060892']);
	assert.deepStrictEqual(err(await byKey('none', { lastname: 'N' }, { 'If-Match': '*' })), [404, '0x80060891']);
	assert.deepStrictEqual(err(await byKey('a/b', { lastname: 'N' })), [400, '0x80060888'], 'characters that a key cannot have');
	assert.deepStrictEqual(err(await s.patch(`${V}/contacts(lastname='A')`, {})), [400, '0x80060888'], 'no key');
	assert.deepStrictEqual(err(await s.post(`${V}/contacts`, { lastname: 'x', callsync_key: 'new' })), [412, '0x80060892']);
	const own = '0f0e0d0c-0b0a-5908-8706-050403020100';
	assert.strictEqual((await s.post(`${V}/phonecalls`, { activityid: own, subject: 's' })).status, 204);
	assert.deepStrictEqual(err(await s.post(`${V}/phonecalls`, { activityid: own, subject: 's' })), [412, '0x80040237']);
	r = await s.patch(`${V}/phonecalls(${own})`, { subject: 't' }, REP);
	assert.deepStrictEqual([r.status, r.json.subject], [200, 't']);
	const other = own.replace('100', '101');
	assert.strictEqual((await s.patch(`${V}/phonecalls(${other})`, { subject: 't' }, REP)).status, 201, 'PATCH creates');
	assert.strictEqual((await s.records('phonecalls')).length, 2);
	assert.strictEqual(contactid.length, 36);
});

test('phone calls: bind, parties, states', async t => {
	const s = await start(t, ['dynamics']);
	const contact = idOf(await s.post(`${V}/contacts`, { lastname: 'A', callsync_key: 'k' }));
	const me = (await s.get(`${V}/WhoAmI`)).json.UserId;
	const body = { subject: 'AI call', phonenumber: '+15551234567', directioncode: false, actualdurationminutes: 3, 'regardingobjectid_contact_phonecall@odata.bind': `/contacts(${contact})`, 'ownerid@odata.bind': `/systemusers(${me})`,
		phonecall_activity_parties: [{ 'partyid_contact@odata.bind': "/contacts(callsync_key='k')", participationtypemask: 1 }, { 'partyid_systemuser@odata.bind': `/systemusers(${me})`, participationtypemask: 2 }] };
	const id = idOf(await s.post(`${V}/phonecalls`, body));
	let r = await s.get(`${V}/phonecalls(${id})?$select=subject,_regardingobjectid_value&$expand=regardingobjectid_contact_phonecall($select=lastname),phonecall_activity_parties`);
	assert.deepStrictEqual([r.json._regardingobjectid_value, r.json.regardingobjectid_contact_phonecall.lastname, r.json.phonecall_activity_parties.map(p => [p.participationtypemask, p._partyid_value])], [contact, 'A', [[1, contact], [2, me]]]);
	assert.deepStrictEqual(err(await s.post(`${V}/phonecalls`, { ...body, 'regardingobjectid_contact@odata.bind': '/contacts(x)' })), [400, '0x80048d19']);
	assert.deepStrictEqual(err(await s.post(`${V}/phonecalls`, { ...body, 'regardingobjectid_contact_phonecall@odata.bind': '/contacts(00000000-0000-0000-0000-000000000009)' })), [404, '0x80040217']);
	assert.deepStrictEqual(err(await s.patch(`${V}/phonecalls(${id})`, { statecode: 1, statuscode: 1 })), [400, '0x80048408']);
	assert.strictEqual((await s.patch(`${V}/phonecalls(${id})`, { statecode: 1, statuscode: 4 })).status, 204);
	r = await s.patch(`${V}/phonecalls(${id})`, { subject: 'later' });
	assert.strictEqual(r.status, 400, 'completed activities cannot be edited');
	assert.strictEqual((await s.patch(`${V}/phonecalls(${id})`, { statecode: 0 })).status, 204);
	assert.strictEqual((await s.get(`${V}/phonecalls(${id})`)).json.statuscode, 1);
	const account = idOf(await s.post(`${V}/accounts`, { name: 'Acme' }));
	assert.strictEqual((await s.post(`${V}/accounts(${account})/Account_Phonecalls/$ref`, { '@odata.id': `${s.base()}${V}/phonecalls(${id})` })).status, 204);
	assert.strictEqual((await s.get(`${V}/phonecalls(${id})`)).json._regardingobjectid_value, account);
	const incident = idOf(await s.post(`${V}/incidents`, { title: 't', 'customerid_contact@odata.bind': `/contacts(${contact})` }));
	assert.strictEqual((await s.post(`${V}/CloseIncident`, { Status: 5, IncidentResolution: { subject: 'done', 'incidentid@odata.bind': `/incidents(${incident})` } })).status, 204);
	assert.deepStrictEqual((x => [x.statecode, x.statuscode])((await s.get(`${V}/incidents(${incident})`)).json), [1, 5]);
	const again = await s.post(`${V}/CloseIncident`, { Status: 5, IncidentResolution: { subject: 'done', 'incidentid@odata.bind': `/incidents(${incident})` } });
	assert.deepStrictEqual([again.status, /already been resolved/.test(again.json.error.message), (await s.records('incidentresolutions')).length], [400, true, 1]);
	const open = idOf(await s.post(`${V}/incidents`, { title: 't', 'customerid_contact@odata.bind': `/contacts(${contact})` }));
	assert.match((await s.patch(`${V}/incidents(${open})`, { statecode: 1, statuscode: 5 })).json.error.message, /use the CloseIncidentRequest message instead/);
	assert.strictEqual((await s.patch(`${V}/incidents(${open})`, { statecode: 2, statuscode: 6 })).status, 204, 'cancelling is a plain update');
	const deal = idOf(await s.post(`${V}/opportunities`, { name: 'd' }));
	const win = { Status: 3, OpportunityClose: { activityid: 'a1d9c4ac-9999-4000-8000-000000000001', actualrevenue: 10, 'opportunityid@odata.bind': `/opportunities(${deal})` } };
	assert.strictEqual((await s.post(`${V}/WinOpportunity`, { ...win, Status: 99 })).status, 400);
	assert.strictEqual((await s.records('opportunitycloses')).length, 0, 'all or nothing');
	assert.strictEqual((await s.post(`${V}/WinOpportunity`, win)).status, 204);
	assert.deepStrictEqual((x => [x.statecode, x.statuscode, x.actualvalue])((await s.get(`${V}/opportunities(${deal})`)).json), [1, 3, 10]);
	assert.match((await s.post(`${V}/LoseOpportunity`, win)).json.error.message, /already been closed/);
});

test('queries', async t => {
	const s = await start(t, ['dynamics']);
	for (const c of [{ lastname: "O'Neil", emailaddress1: 'ann@x.co', telephone1: '(555) 123-4567', callsync_callcount: 3 }, { lastname: 'Lee', mobilephone: '+15551234567', callsync_callcount: 7 }, { lastname: 'Zed' }]) await s.post(`${V}/contacts`, c);
	const find = async (q, h) => { const r = await s.get(`${V}/contacts?${q}`, h); return r.status === 200 ? r.json.value.map(x => x.lastname) : err(r); };
	const f = x => `$select=lastname&$filter=${encodeURIComponent(x)}`;
	assert.deepStrictEqual(await find(f("emailaddress1 eq 'ANN@x.co'")), ["O'Neil"]);
	assert.deepStrictEqual(await find(f("lastname eq 'O''Neil' or mobilephone eq '+15551234567'")), ["O'Neil", 'Lee']);
	assert.deepStrictEqual(await find(f("contains(telephone1,'1234567')")), [], 'literal text');
	assert.deepStrictEqual(await find(f("contains(telephone1,'123-4567') and not (callsync_callcount gt 5)")), ["O'Neil"]);
	assert.deepStrictEqual(await find(f('emailaddress1 eq null and callsync_callcount ne null')), ['Lee']);
	assert.deepStrictEqual(await find(f('createdon gt 2020-01-01T00:00:00Z') + '&$orderby=lastname desc&$top=2'), ['Zed', "O'Neil"]);
	assert.deepStrictEqual(await find(f("nope eq '1'")), [400, '0x80060888']);
	assert.deepStrictEqual(await find(f("lastname eq 'O'Neil'")), [400, '0x80060888']);
	assert.deepStrictEqual(await find(f("callsync_callcount eq '3'")), [400, '0x80060888']);
	assert.deepStrictEqual(await find('$select=nope'), [400, '0x80060888']);
	const page = (await s.get(`${V}/contacts?$select=lastname&$count=true`, { Prefer: 'odata.maxpagesize=2' })).json;
	assert.deepStrictEqual([page.value.length, page['@odata.count']], [2, 3]);
	assert.strictEqual((await call('GET', page['@odata.nextLink'], undefined, { authorization: 'Bearer x', Prefer: 'odata.maxpagesize=2' })).json.value.length, 1);
});

test('change tracking', async t => {
	const s = await start(t, ['dynamics']);
	const a = idOf(await s.post(`${V}/contacts`, { lastname: 'A' })), b = idOf(await s.post(`${V}/contacts`, { lastname: 'B' }));
	const h = { Prefer: 'odata.track-changes' };
	assert.strictEqual((await s.get(`${V}/contacts?$top=1`, h)).status, 400);
	const first = (await s.get(`${V}/contacts?$select=lastname`, h)).json;
	assert.strictEqual(first.value.length, 2);
	await s.patch(`${V}/contacts(${a})`, { lastname: 'A2' });
	await s.del(`${V}/contacts(${b})`);
	const next = async url => call('GET', url, undefined, { authorization: 'Bearer x' });
	const delta = (await next(first['@odata.deltaLink'])).json;
	assert.deepStrictEqual(delta.value.map(x => x.lastname || [x.id, x.reason]), ['A2', [b, 'deleted']]);
	assert.deepStrictEqual((await next(delta['@odata.deltaLink'])).json.value, []);
	await s.ctl('POST', '/clock', { advance_ms: 8 * 86400000 });
	assert.strictEqual((await next(delta['@odata.deltaLink'])).status, 400, 'seven days');
});

test('$batch: change sets, references, continue on error, CRLF', async t => {
	const s = await start(t, ['dynamics']);
	const part = (method, url, body, id) => `--cs\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: ${id}\r\n\r\n${method} ${url} HTTP/1.1\r\nContent-Type: application/json\r\n\r\n${JSON.stringify(body)}\r\n`;
	const set = (...parts) => `--b\r\nContent-Type: multipart/mixed; boundary=cs\r\n\r\n${parts.join('')}--cs--\r\n`;
	const get = url => `--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET ${url} HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n`;
	const send = (body, h) => s.post(`${V}/$batch`, body + '--b--\r\n', { 'Content-Type': 'multipart/mixed; boundary=b', ...h });
	let r = await send(set(part('POST', `${V}/contacts`, { lastname: 'A' }, 1), part('POST', `${V}/phonecalls`, { subject: 's', 'regardingobjectid_contact_phonecall@odata.bind': '$1' }, 2)) + get(`${V}/contacts?$select=lastname`));
	assert.strictEqual(r.status, 200);
	assert.match(r.headers['content-type'], /^multipart\/mixed; boundary=batchresponse_/);
	assert.deepStrictEqual(r.text.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 204', 'HTTP/1.1 204', 'HTTP/1.1 200']);
	const contact = (await s.records('contacts'))[0].id;
	assert.strictEqual((await s.records('phonecalls'))[0].properties.regardingobjectid.id, contact);
	const bad = set(part('POST', `${V}/contacts`, { lastname: 'B' }, 1), part('POST', `${V}/contacts`, { nope: 1 }, 2)), good = set(part('PATCH', `contacts(callsync_key='k')`, { lastname: 'C' }, 1));
	r = await send(bad + good);
	assert.deepStrictEqual([r.status, r.text.match(/HTTP\/1\.1 \d+/g)], [400, ['HTTP/1.1 400']]);
	r = await send(bad + good, { Prefer: 'odata.continue-on-error' });
	assert.deepStrictEqual([r.status, r.text.match(/HTTP\/1\.1 \d+/g)], [200, ['HTTP/1.1 400', 'HTTP/1.1 204']]);
	assert.deepStrictEqual((await s.records('contacts')).map(c => c.properties.lastname), ['A', 'C'], 'a change set is one transaction');
	assert.strictEqual((await s.post(`${V}/$batch`, (good + '--b--\r\n').replace(/\r\n/g, '\n'), { 'Content-Type': 'multipart/mixed; boundary=b' })).status, 400);
	assert.strictEqual((await send(`--b\r\nContent-Type: multipart/mixed; boundary=cs\r\n\r\n--cs\r\nContent-Type: application/http\r\n\r\nGET ${V}/contacts HTTP/1.1\r\n\r\n\r\n--cs--\r\n`)).status, 400);
});

test('bulk actions, metadata, search service', async t => {
	const s = await start(t, ['dynamics']);
	const T = { '@odata.type': 'Microsoft.Dynamics.CRM.contact' };
	let r = await s.post(`${V}/contacts/Microsoft.Dynamics.CRM.CreateMultiple`, { Targets: [{ ...T, lastname: 'A', callsync_key: 'a' }, { ...T, lastname: 'B' }] });
	assert.strictEqual(r.json.Ids.length, 2);
	assert.strictEqual((await s.post(`${V}/contacts/Microsoft.Dynamics.CRM.CreateMultiple`, { Targets: [{ ...T, lastname: 'C' }, { ...T, nope: 1 }] })).status, 400);
	assert.strictEqual((await s.records('contacts')).length, 2, 'all or nothing');
	r = await s.post(`${V}/contacts/Microsoft.Dynamics.CRM.UpsertMultiple`, { Targets: [{ ...T, '@odata.id': "contacts(callsync_key='a')", firstname: 'x' }, { ...T, '@odata.id': "contacts(callsync_key='z')", lastname: 'z' }] });
	assert.deepStrictEqual(r.json.Results.map(x => x.RecordCreated), [false, true]);
	r = await s.get(`${V}/EntityDefinitions(LogicalName='phonecall')/Attributes?$select=LogicalName,AttributeType,RequiredLevel,MaxLength`);
	const subject = r.json.value.find(x => x.LogicalName === 'subject');
	assert.deepStrictEqual([subject.AttributeType, subject.RequiredLevel.Value, subject.MaxLength], ['String', 'ApplicationRequired', 200]);
	r = await s.get(`${V}/EntityDefinitions(LogicalName='contact')/Attributes/Microsoft.Dynamics.CRM.PicklistAttributeMetadata?$select=LogicalName&$expand=OptionSet,GlobalOptionSet`);
	assert.strictEqual(r.json.value.find(x => x.LogicalName === 'callsync_urgency').OptionSet.Options[1].Label.UserLocalizedLabel.Label, 'standard');
	assert.deepStrictEqual((await s.get(`${V}/EntityDefinitions(LogicalName='contact')/Keys`)).json.value.map(k => [k.KeyAttributes, k.EntityKeyIndexStatus]), [[['callsync_key'], 'Active']]);
	assert.match((await s.get(`${V}/$metadata`)).text, /<EntitySet Name="phonecalls"/);
	const version = async () => (await s.get(`${V}/contacts?$top=1`, { Prefer: 'odata.include-annotations="Microsoft.Dynamics.CRM.globalmetadataversion"' })).json['@Microsoft.Dynamics.CRM.globalmetadataversion'];
	const before = await version();
	await s.ctl('POST', '/schema', { dialect: 'dynamics', action: 'remove_permission', object: 'contact', field: 'jobtitle', mode: 'forbidden' });
	assert.notStrictEqual(await version(), before);
	assert.strictEqual((await s.post(`${V}/contacts`, { lastname: 'x', jobtitle: 'y' })).status, 403);
	r = await s.post('/api/search/v1.0/query', { search: 'z', entities: ['contact'] });
	assert.strictEqual(r.json.totalrecordcount, 1);
	await s.ctl('POST', '/config', { dialect: 'dynamics', limits: { enabled: true } });
	await s.post('/api/search/v1.0/query', { search: 'z' });
	assert.strictEqual((await s.post('/api/search/v1.0/query', { search: 'z' })).status, 429);
});

test('duplicate detection is off unless asked for, and says 500', async t => {
	const s = await start(t, ['dynamics']);
	const c = { lastname: 'A', emailaddress1: 'a@x.co' };
	await s.post(`${V}/contacts`, c);
	assert.strictEqual((await s.post(`${V}/contacts`, c)).status, 204);
	assert.deepStrictEqual(err(await s.post(`${V}/contacts`, c, { 'MSCRM.SuppressDuplicateDetection': 'false' })), [500, '0x80040333']);
});

test('tokens and limits', async t => {
	const s = await start(t, ['dynamics']);
	const get = (token, h) => call('GET', `${s.base()}${V}/WhoAmI`, undefined, { ...(token ? { authorization: `Bearer ${token}` } : {}), ...h });
	let r = await get(null);
	assert.strictEqual(r.status, 401);
	assert.match(r.headers['www-authenticate'], /^Bearer authorization_uri=/);
	const token = b => call('POST', `${s.base()}/my-tenant/oauth2/v2.0/token`, new URLSearchParams({ client_id: 'sandbox-client', client_secret: 'sandbox-secret', scope: 'https://x.crm.dynamics.com/.default', ...b }).toString(), { 'Content-Type': 'application/x-www-form-urlencoded' });
	r = await token({ grant_type: 'client_credentials' });
	assert.deepStrictEqual([r.json.expires_in, r.json.refresh_token], [3600, undefined]);
	assert.strictEqual((await get(r.json.access_token)).status, 200);
	assert.deepStrictEqual((x => [x.status, x.json.error, x.json.error_codes])(await token({ grant_type: 'client_credentials', client_secret: 'x' })), [401, 'invalid_client', [7000215]]);
	const a = (await token({ grant_type: 'refresh_token', refresh_token: 'sandbox-refresh' })).json;
	assert.notStrictEqual(a.refresh_token, 'sandbox-refresh');
	assert.strictEqual((await token({ grant_type: 'refresh_token', refresh_token: 'sandbox-refresh' })).status, 200, 'the old refresh token stays valid');
	assert.strictEqual((await token({ grant_type: 'refresh_token', refresh_token: 'nope' })).json.error, 'invalid_grant');
	await s.ctl('POST', '/tokens', { dialect: 'dynamics', action: 'expire' });
	assert.strictEqual((await get(a.access_token)).status, 401);

	await s.ctl('POST', '/config', { dialect: 'dynamics', limits: { enabled: true, windows: [{ name: 'requests', max: 3 }] } });
	r = await get('x');
	assert.strictEqual(r.headers['x-ms-ratelimit-burst-remaining-xrm-requests'], '2');
	await get('x');
	await get('x');
	r = await get('x');
	assert.deepStrictEqual([r.status, r.json.error.code], [429, '0x80072322']);
	const wait = Number(r.headers['retry-after']);
	assert.ok(wait > 0 && wait <= 300);
	await s.ctl('POST', '/clock', { advance_ms: 300001 });
	await s.ctl('POST', '/config', { dialect: 'dynamics', latency_ms: 60, limits: { concurrency: 1, windows: [{ name: 'requests', max: 6000 }] } });
	const both = await Promise.all([get('x'), get('x')]);
	assert.deepStrictEqual(both.find(x => x.status === 429).json.error.code, '0x80072326');
	await s.ctl('POST', '/config', { dialect: 'dynamics', limits: { concurrency: 52, windows: [{ name: 'execution', max: 50 }] } });
	await get('x');
	assert.deepStrictEqual(err(await get('x')), [429, '0x80072321']);
});
