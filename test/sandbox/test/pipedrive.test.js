'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { start, call } = require('./helper');

const schema = require('../pipedrive/fields.json');
const code = (object, alias) => schema[object].find(f => f.alias === alias).name;
const person = more => ({ name: 'Jordan Smith', emails: [{ value: 'Jo@X.co', primary: true, label: 'work' }], phones: [{ value: '+1 (555) 123-4567', primary: true, label: 'work' }], ...more });

test('persons: create, update (lists are replaced), read, delete, unknown keys', async t => {
	const s = await start(t, ['pipedrive']);
	const key = code('persons', 'callsync_key');
	let r = await s.post('/api/v2/persons', person({ custom_fields: { [key]: 'c-1' } }));
	assert.deepStrictEqual([r.status, r.json.success, r.json.data.first_name, r.json.data.last_name, r.json.data.custom_fields[key]], [200, true, 'Jordan', 'Smith', 'c-1']);
	assert.deepStrictEqual(r.json.data.emails, [{ value: 'Jo@X.co', primary: true, label: 'work' }]);
	const { id } = r.json.data;
	r = await s.patch(`/api/v2/persons/${id}`, { phones: [{ value: '5' }, { value: '6' }] });
	assert.deepStrictEqual(r.json.data.phones.map(p => [p.value, p.primary]), [['5', true], ['6', false]]);
	assert.strictEqual(r.json.data.custom_fields[key], 'c-1');
	// the silent loss: v1 keys in v2
	r = await s.post('/api/v2/persons', { name: 'Lost', phone: [{ value: '1' }], email: 'x@y.co', [key]: 'flat' });
	assert.deepStrictEqual([r.status, r.json.data.phones, r.json.data.emails, r.json.data.custom_fields[key]], [200, [], [], null]);
	await s.ctl('POST', '/config', { dialect: 'pipedrive', unknown_keys: 'reject' });
	assert.strictEqual((await s.post('/api/v2/persons', { name: 'x', phone: '1' })).status, 400);
	r = await s.post('/api/v2/persons', { emails: [] });
	assert.deepStrictEqual([r.status, r.json.success, r.json.error, r.json.data], [400, false, 'Validation failed: name: Required', null]);
	assert.strictEqual((await s.post('/api/v2/persons', person({ owner_id: 1 }))).status, 400);
	assert.strictEqual((await s.post('/api/v2/persons', person({ custom_fields: { [code('persons', 'callsync_urgency')]: 'high' } }))).status, 400, 'options by id');
	assert.strictEqual((await s.post('/api/v2/persons', person({ custom_fields: { [code('persons', 'callsync_urgency')]: 3 } }))).status, 200);
	assert.strictEqual((await s.del(`/api/v2/persons/${id}`)).json.data.id, id);
	r = await s.get(`/api/v2/persons/${id}`);
	assert.deepStrictEqual([r.status, r.json.error], [404, 'Person not found']);
});

test('search: phones by digits, custom fields, lag', async t => {
	const s = await start(t, ['pipedrive']);
	await s.ctl('POST', '/config', { dialect: 'pipedrive', search_lag_ms: 5000 });
	const { id } = (await s.post('/api/v2/persons', person({ custom_fields: { [code('persons', 'callsync_key')]: 'c-1' } }))).json.data;
	const find = async (term, more = '') => { const r = await s.get(`/api/v2/persons/search?term=${encodeURIComponent(term)}${more}`); return r.status === 200 ? r.json.data.items.map(i => i.item.id) : r.status; };
	assert.deepStrictEqual(await find('5551234567'), []);
	await s.ctl('POST', '/clock', { advance_ms: 5001 });
	assert.deepStrictEqual(await find('5551234567', '&fields=phone'), [id]);
	assert.deepStrictEqual(await find('+15551234567', '&fields=phone&exact_match=true'), [id]);
	assert.deepStrictEqual(await find('c-1', '&fields=custom_fields&exact_match=true'), [id]);
	assert.deepStrictEqual(await find('jo@x', '&fields=email'), [id]);
	assert.deepStrictEqual(await find('jo@x', '&fields=email&exact_match=true'), []);
	assert.strictEqual(await find('j'), 400);
	assert.strictEqual(await find('jo', '&fields=shoe'), 400);
	const item = (await s.get('/api/v2/itemSearch?term=Jordan&item_types=person,deal')).json.data.items[0].item;
	assert.deepStrictEqual([item.type, item.phones, item.primary_email], ['person', ['+1 (555) 123-4567'], 'Jo@X.co']);
});

test('activities: participants, done, times', async t => {
	const s = await start(t, ['pipedrive']);
	const { id } = (await s.post('/api/v2/persons', person())).json.data;
	let r = await s.post('/api/v2/activities', { subject: 'Callback', type: 'call', done: false, due_date: '2026-06-12', due_time: '09:00', duration: '00:30', participants: [{ person_id: id }], person_id: 999, location: { value: 'x' } });
	assert.deepStrictEqual([r.status, r.json.data.person_id, r.json.data.due_time, r.json.data.duration, r.json.data.participants], [200, id, '09:00:00', '00:30:00', [{ person_id: id, primary: true }]]);
	const bad = async b => { const x = await s.post('/api/v2/activities', b); return [x.status, x.json.success]; };
	assert.deepStrictEqual(await bad({ subject: 'x', done: 1 }), [422, false]);
	assert.deepStrictEqual(await bad({ subject: 'x', type: 'phone' }), [400, false]);
	assert.deepStrictEqual(await bad({ subject: 'x', due_date: '12.06.2026' }), [400, false]);
	assert.deepStrictEqual(await bad({ subject: 'x', participants: [{ person_id: 999 }] }), [400, false]);
	r = await s.patch(`/api/v2/activities/${r.json.data.id}`, { done: true });
	assert.strictEqual(r.json.data.done, true);
	assert.strictEqual((await s.get(`/api/v2/activities?person_id=${id}&done=true`)).json.data.length, 1);
});

test('call logs make an activity', async t => {
	const s = await start(t, ['pipedrive']);
	const { id } = (await s.post('/api/v2/persons', person())).json.data;
	const log = { to_phone_number: '+15550001111', from_phone_number: '+15551234567', outcome: 'connected', start_time: '2026-06-11 15:42:00', end_time: '2026-06-11 15:45:30', person_id: id, note: '<b>n</b>', subject: 'AI call' };
	let r = await s.post('/v1/callLogs', log);
	assert.strictEqual(r.status, 200);
	assert.match(r.json.data.id, /^[0-9a-f]{32}$/);
	assert.deepStrictEqual([r.json.data.duration, r.json.data.start_time], ['210', '2026-06-11T15:42:00.000Z']);
	const a = (await s.get(`/api/v2/activities/${r.json.data.activity_id}`)).json.data;
	assert.deepStrictEqual([a.type, a.done, a.person_id, a.due_date, a.due_time, a.duration], ['call', true, id, '2026-06-11', '15:42:00', '00:03:30']);
	for (const k of ['to_phone_number', 'outcome', 'start_time', 'end_time']) {
		r = await s.post('/api/v1/callLogs', { ...log, [k]: undefined });
		assert.deepStrictEqual([r.status, r.json.error], [400, `"${k}" is required.`]);
	}
	assert.strictEqual((await s.post('/v1/callLogs', { ...log, outcome: 'completed' })).status, 400);
	const other = (await s.post('/api/v2/activities', { subject: 'own', type: 'call' })).json.data.id;
	r = await s.post('/v1/callLogs', { ...log, activity_id: other });
	assert.deepStrictEqual([r.json.data.activity_id, r.json.data.person_id], [other, null], 'the person is ignored');
	const meeting = (await s.post('/api/v2/activities', { subject: 'm', type: 'meeting' })).json.data.id;
	assert.strictEqual((await s.post('/v1/callLogs', { ...log, activity_id: meeting })).status, 400);
	assert.strictEqual((await s.records('callLogs')).length, 2);
	assert.strictEqual((await s.get('/v1/callLogs?limit=1')).json.additional_data.pagination.more_items_in_collection, true);
	const form = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nxx\r\n--b--\r\n';
	assert.strictEqual((await s.post(`/v1/callLogs/${r.json.data.id}/recordings`, form, { 'Content-Type': 'multipart/form-data; boundary=b' })).status, 200);
	assert.strictEqual((await s.get(`/v1/callLogs/${r.json.data.id}`)).json.data.has_recording, true);
});

test('deals, leads, notes, organizations, fields, users', async t => {
	const s = await start(t, ['pipedrive']);
	const { id } = (await s.post('/api/v2/persons', person())).json.data;
	let r = await s.post('/api/v2/deals', { title: 'D', person_id: id, value: 10, stage_id: 2 });
	assert.deepStrictEqual([r.json.data.status, r.json.data.stage_id, r.json.data.pipeline_id], ['open', 2, 1]);
	assert.strictEqual((await s.patch(`/api/v2/deals/${r.json.data.id}`, { status: 'closed' })).status, 400);
	assert.strictEqual((await s.patch(`/api/v2/deals/${r.json.data.id}`, { status: 'won' })).json.data.status, 'won');
	await s.del(`/api/v2/deals/${r.json.data.id}`);
	assert.strictEqual((await s.get('/api/v2/deals?status=deleted')).json.data.length, 1);
	assert.strictEqual((await s.post('/v1/leads', { title: 'L' })).status, 400);
	r = await s.post('/v1/leads', { title: 'L', person_id: id });
	assert.strictEqual(r.status, 201);
	assert.match(r.json.data.id, /^[0-9a-f-]{36}$/);
	assert.strictEqual((await s.patch(`/v1/leads/${r.json.data.id}`, { title: 'M' })).json.data.title, 'M');
	assert.strictEqual((await s.post('/v1/notes', { content: 'x' })).status, 400);
	r = await s.post('/v1/notes', { content: 'x', person_id: id });
	assert.strictEqual((await s.get(`/v1/notes?person_id=${id}`)).json.data[0].content, 'x');
	const f = (await s.get('/api/v2/personFields?include_fields=required_fields&limit=500')).json.data;
	assert.strictEqual(f.find(x => x.field_code === 'name').required_fields.enabled, true);
	assert.ok(f.find(x => x.is_custom_field && x.field_type === 'enum').options[0].id);
	r = await s.post('/v1/personFields', { name: 'Colour', field_type: 'enum', options: [{ label: 'red' }, { label: 'blue' }] });
	assert.match(r.json.data.key, /^[0-9a-f]{40}$/);
	assert.notStrictEqual(r.json.data.options[0].id, r.json.data.options[1].id);
	assert.strictEqual((await s.get('/v1/users/find?term=ava.lopez@example.com&search_by_email=1')).json.data[0].id, 23001);
	assert.strictEqual((await s.get('/v1/persons')).status, 410, 'v1 twins are out of support');
});

test('changes: updated_since, cursor, recents with deleted ones, merge', async t => {
	const s = await start(t, ['pipedrive']);
	const ids = [];
	for (let i = 0; i < 3; i++) ids.push((await s.post('/api/v2/persons', person({ name: `P${i}` }))).json.data.id);
	await s.ctl('POST', '/clock', { advance_ms: 60000 });
	const mark = new Date(Date.now() + 30000).toISOString().replace(/\.\d+Z/, 'Z');
	await s.patch(`/api/v2/persons/${ids[1]}`, { name: 'new' });
	await s.del(`/api/v2/persons/${ids[2]}`);
	let r = await s.get(`/api/v2/persons?updated_since=${mark}&sort_by=update_time&sort_direction=asc&limit=500`);
	assert.deepStrictEqual([r.json.data.map(x => x.id), r.json.additional_data.next_cursor], [[ids[1]], null]);
	r = await s.get(`/v1/recents?since_timestamp=${encodeURIComponent(mark.replace('T', ' ').replace('Z', ''))}&items=person`);
	assert.deepStrictEqual(r.json.data.map(x => [x.id, x.data.active_flag]), [[ids[1], true], [ids[2], false]]);
	r = await s.get('/api/v2/persons?limit=1');
	r = await s.get(`/api/v2/persons?limit=1&cursor=${r.json.additional_data.next_cursor}`);
	assert.deepStrictEqual(r.json.data.map(x => x.id), [ids[1]]);
	const a = (await s.post('/api/v2/activities', { subject: 'x', participants: [{ person_id: ids[1] }] })).json.data.id;
	assert.strictEqual((await s.put(`/v1/persons/${ids[1]}/merge`, { merge_with_id: ids[0] })).json.data.id, ids[0]);
	assert.strictEqual((await s.get(`/api/v2/activities/${a}`)).json.data.person_id, ids[0]);
	assert.strictEqual((await s.get(`/api/v2/persons/${ids[1]}`)).status, 404);
});

test('credentials, OAuth, token budget, burst, ban', async t => {
	const s = await start(t, ['pipedrive']);
	const raw = h => call('GET', `${s.base()}/v1/users/me`, undefined, h);
	assert.strictEqual((await raw({})).status, 401);
	assert.strictEqual((await raw({ 'x-api-token': 'x' })).status, 200);
	const token = (body, auth = 'sandbox-client:sandbox-secret') => call('POST', `${s.base()}/oauth/token`, new URLSearchParams(body).toString(), { 'Content-Type': 'application/x-www-form-urlencoded', authorization: 'Basic ' + Buffer.from(auth).toString('base64') });
	let r = await token({ grant_type: 'refresh_token', refresh_token: 'sandbox-refresh' });
	assert.deepStrictEqual([r.json.refresh_token, r.json.api_domain, r.json.expires_in], ['sandbox-refresh', s.base(), 3600]);
	assert.strictEqual((await token({ grant_type: 'refresh_token', refresh_token: 'x' })).json.error, 'invalid_grant');
	assert.strictEqual((await token({ grant_type: 'refresh_token', refresh_token: 'sandbox-refresh' }, 'a:b')).status, 401);
	await s.ctl('POST', '/clock', { advance_ms: 61 * 86400000 });
	assert.strictEqual((await token({ grant_type: 'refresh_token', refresh_token: 'sandbox-refresh' })).json.error, 'invalid_grant', '60 days unused');

	await s.ctl('POST', '/config', { dialect: 'pipedrive', ban_after: 3, limits: { enabled: true, windows: [{ name: 'burst', max: 3 }, { name: 'daily', max: 100 }] } });
	r = await s.post('/api/v2/persons', person());
	assert.deepStrictEqual([r.headers['x-ratelimit-remaining'], r.headers['x-daily-requests-left']], ['2', '95'], 'a create costs 5');
	r = await s.get('/api/v2/persons/search?term=Jordan');
	assert.deepStrictEqual([r.headers['x-ratelimit-limit'], r.headers['x-daily-requests-left']], ['10', '75'], 'a search costs 20 and has a burst of its own');
	await s.get('/v1/users/me');
	await s.get('/v1/users/me');
	for (let i = 0; i < 3; i++) assert.deepStrictEqual((x => [x.status, x.json.error])(await s.get('/v1/users/me')), [429, 'request over limit']);
	r = await s.get('/v1/users/me');
	assert.strictEqual(r.status, 403);
	assert.match(r.headers['content-type'], /text\/html/);
	await s.ctl('POST', '/clock', { advance_ms: 30001 });
	assert.strictEqual((await s.get('/v1/users/me')).status, 200);
	for (let i = 0; i < 3; i++) { await s.get('/api/v2/persons/search?term=Jordan'); await s.ctl('POST', '/clock', { advance_ms: 2001 }); }
	assert.strictEqual((await s.get('/api/v2/persons/search?term=Jordan')).json.error, 'Daily API token budget exceeded');
});
