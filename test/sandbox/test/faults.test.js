'use strict';
const test = require('node:test');
const assert = require('node:assert');
const { start, call } = require('./helper');

const contact = n => ({ properties: { email: `p${n}@example.com`, firstname: `P${n}`, phone: `+1555123000${n}` }, associations: [] });
const PATH = '/crm/v3/objects/contacts';
const emails = async s => (await s.records('contacts')).map(r => r.properties.email);

test('refuse closes the connection before a byte is read', async t => {
	const s = await start(t, ['hubspot']);
	await s.fault({ action: 'refuse' });
	await assert.rejects(call('POST', s.base() + PATH, contact(1), { authorization: 'Bearer x', connection: 'close' }), /ECONNRESET|hang up/);
	assert.deepStrictEqual(await emails(s), []);
	assert.strictEqual((await s.ctl('GET', '/requests')).length, 0, 'never became a request');
	assert.strictEqual((await s.post(PATH, contact(1))).status, 201, 'one refusal only');
});

test('status, throttle and Retry-After in both forms', async t => {
	const s = await start(t, ['hubspot']);
	await s.fault({ actions: [{ action: 'throttle', retry_after: 3 }] });
	let r = await s.post(PATH, contact(1));
	assert.strictEqual(r.status, 429);
	assert.strictEqual(r.headers['retry-after'], '3');
	assert.strictEqual(r.json.policyName, 'TEN_SECONDLY_ROLLING');
	await s.fault({ action: 'throttle', retry_after: 60, form: 'date', policy: 'DAILY' });
	r = await s.post(PATH, contact(1));
	assert.ok(Math.abs(Date.parse(r.headers['retry-after']) - Date.now() - 60000) < 2000);
	assert.strictEqual(r.json.policyName, 'DAILY');
	await s.fault({ action: 'status', status: 502, body: 'Bad Gateway', headers: { 'X-Edge': 'yes' } });
	r = await s.post(PATH, contact(1));
	assert.deepStrictEqual([r.status, r.text, r.headers['x-edge']], [502, 'Bad Gateway', 'yes']);
	assert.deepStrictEqual(await emails(s), [], 'nothing was processed');
	await s.fault({ action: 'status', status: 500, process: true });
	assert.strictEqual((await s.post(PATH, contact(1))).status, 500);
	assert.deepStrictEqual(await emails(s), ['p1@example.com'], 'a 500 after the write');
});

test('drop before and after processing, html, cut and truncated replies', async t => {
	const s = await start(t, ['hubspot']);
	await s.fault({ action: 'drop_before' });
	await assert.rejects(s.post(PATH, contact(1)), /hang up|ECONNRESET/);
	assert.deepStrictEqual(await emails(s), []);
	await s.fault({ action: 'drop_after' });
	await assert.rejects(s.post(PATH, contact(1)), /hang up|ECONNRESET/);
	assert.deepStrictEqual(await emails(s), ['p1@example.com']);
	await s.fault({ action: 'html200' });
	let r = await s.post(PATH, contact(2));
	assert.strictEqual(r.status, 200);
	assert.match(r.headers['content-type'], /text\/html/);
	await s.fault({ action: 'cut_json' });
	r = await s.post(PATH, contact(3));
	assert.strictEqual(r.status, 201);
	assert.strictEqual(r.json, undefined);
	assert.match(r.text, /^\{"id":/);
	await s.fault({ action: 'truncate' });
	await assert.rejects(s.post(PATH, contact(4)), e => e.code === 'ABORTED' && /^\{"id":/.test(e.partial));
	assert.deepStrictEqual(await emails(s), ['p1@example.com', 'p3@example.com', 'p4@example.com']);
	const log = await s.ctl('GET', '/requests');
	assert.deepStrictEqual(log.map(e => [e.faults[0], e.processed, e.replied]), [
		['drop_before', false, false], ['drop_after', true, false], ['html200', false, true], ['cut_json', true, true], ['truncate', true, false]]);
});

test('hang holds the connection open until the client gives up', async t => {
	const s = await start(t, ['hubspot']);
	await s.fault({ action: 'hang' });
	const http = require('http');
	await new Promise(resolve => {
		const req = http.request(s.base() + PATH, { method: 'POST', headers: { authorization: 'Bearer x' }, timeout: 50 });
		req.on('timeout', () => req.destroy());
		req.on('error', resolve);
		req.end('{}');
	});
	assert.deepStrictEqual((await s.ctl('GET', '/requests')).map(e => [e.processed, e.status]), [[false, null]]);
});

test('match, after, count; header, body and operation', async t => {
	const s = await start(t, ['hubspot']);
	await s.fault({ action: 'status', status: 500, match: { method: 'POST', path: '/contacts$', body: 'p2@', header: { 'x-mark': '^yes$' }, op: '^create$' }, after: 1, count: 1 });
	const status = async (n, h) => (await s.post(PATH, contact(n), h)).status;
	assert.strictEqual(await status(1, { 'x-mark': 'yes' }), 201, 'other body');
	assert.strictEqual(await status(2, {}), 201, 'no header');
	await s.ctl('POST', '/reset?keep=faults');
	assert.strictEqual(await status(2, { 'x-mark': 'yes' }), 201, 'the first match is let through');
	assert.strictEqual(await status(2, { 'x-mark': 'yes' }), 500, 'the second is hit');
	assert.strictEqual(await status(2, { 'x-mark': 'yes' }), 409, 'the rule is spent');
});

test('a probability repeats with the seed', async t => {
	const run = async seed => {
		const s = await start(t, ['hubspot'], { seed });
		await s.fault({ action: 'status', status: 500, probability: 0.3 });
		const out = [];
		for (let i = 0; i < 40; i++) out.push((await s.get(PATH)).status === 500 ? 1 : 0);
		return out;
	};
	const a = await run(7), b = await run(7), c = await run(8);
	assert.deepStrictEqual(a, b);
	assert.notDeepStrictEqual(a, c);
	const hits = a.reduce((x, y) => x + y);
	assert.ok(hits >= 4 && hits <= 22, `${hits} of 40`);
});

test('a fault of one request by its header', async t => {
	const s = await start(t, ['hubspot']);
	const r = await s.post(PATH, contact(1), { 'X-Sandbox-Fault': JSON.stringify({ action: 'status', status: 418 }) });
	assert.strictEqual(r.status, 418);
	assert.strictEqual((await s.post(PATH, contact(1), { 'X-Sandbox-Fault': '{"action":"drop_field","field":"phone"}' })).json.properties.phone, '+15551230001');
	assert.strictEqual((await s.records('contacts'))[0].properties.phone, undefined);
	assert.deepStrictEqual(await s.ctl('GET', '/faults'), []);
	const wrong = await s.post(PATH, contact(1), { 'X-Sandbox-Fault': '{"action":"explode"}' });
	assert.deepStrictEqual([wrong.status, /unknown action "explode"/.test(wrong.json.error)], [400, true]);
});

test('record faults: nothing stored, a field dropped or altered, a record refused', async t => {
	const s = await start(t, ['hubspot']);
	await s.fault({ action: 'store_nothing', object: 'contacts' });
	let r = await s.post(PATH, contact(1));
	assert.strictEqual(r.status, 201);
	assert.strictEqual((await s.get(`${PATH}/${r.json.id}`)).status, 404);

	await s.fault({ action: 'drop_field', object: 'contacts', field: 'phone' });
	r = await s.post(PATH, contact(1));
	assert.strictEqual(r.json.properties.phone, '+15551230001', 'the echo pretends');
	assert.strictEqual((await s.get(`${PATH}/${r.json.id}?properties=phone`)).json.properties.phone, null);

	await s.fault({ action: 'drop_field', object: 'contacts', field: 'phone', echo: false });
	r = await s.post(PATH, contact(2));
	assert.strictEqual(r.json.properties.phone, undefined, 'the echo is honest');

	await s.fault({ action: 'alter_field', object: 'contacts', field: 'firstname', truncate: 1 });
	r = await s.post(PATH, contact(3));
	assert.strictEqual(r.json.properties.firstname, 'P3');
	assert.strictEqual((await s.records('contacts'))[2].properties.firstname, 'P');

	// only one record of a batch
	await s.fault({ action: 'reject_record', object: 'contacts', match: { record: 'p5@' }, code: 'INVALID_OPTION', field: 'firstname', message: 'poison' });
	r = await s.post(PATH + '/batch/create', { inputs: [4, 5, 6].map(n => ({ ...contact(n), objectWriteTraceId: `t${n}` })) });
	assert.strictEqual(r.status, 207);
	assert.strictEqual(r.json.results.length, 2);
	assert.deepStrictEqual(r.json.errors.map(e => [e.context.objectWriteTraceId[0], e.errors[0].code]), [['t5', 'INVALID_OPTION']]);
});

test('an update under a field fault keeps the old value', async t => {
	const s = await start(t, ['hubspot']);
	const { id } = (await s.post(PATH, contact(1))).json;
	await s.fault({ action: 'drop_field', object: 'contacts', field: 'firstname' });
	const r = await s.patch(`${PATH}/${id}`, { properties: { firstname: 'New', lastname: 'Name' } });
	assert.strictEqual(r.json.properties.firstname, 'New');
	assert.deepStrictEqual([(await s.records('contacts'))[0].properties].map(p => [p.firstname, p.lastname]), [['P1', 'Name']]);
});

test('the world changes: schema, down, clock', async t => {
	const s = await start(t, ['hubspot']);
	const make = (props, path = PATH) => s.post(path, { properties: props, associations: [] });
	await s.ctl('POST', '/schema', { dialect: 'hubspot', action: 'rename_field', object: 'contacts', field: 'callsync_intent', to: 'intent_of_caller' });
	assert.strictEqual((await make({ callsync_intent: 'x' })).json.errors[0].code, 'PROPERTY_DOESNT_EXIST');
	assert.strictEqual((await make({ intent_of_caller: 'x', email: 'a@b.co' })).status, 201);
	await s.ctl('POST', '/schema', { dialect: 'hubspot', action: 'add_required', object: 'contacts', field: 'lastname' });
	assert.deepStrictEqual((await make({ email: 'c@d.co' })).json.context.properties, ['lastname']);
	await s.ctl('POST', '/schema', { dialect: 'hubspot', action: 'add_required', object: 'companies', field: 'name', from: '2026-09' });
	assert.strictEqual((await make({ domain: 'x.com' }, '/crm/objects/2026-03/companies')).status, 201, 'not enforced in 2026-03');
	assert.strictEqual((await make({ domain: 'x.com' }, '/crm/objects/2026-09/companies')).status, 400, 'enforced in 2026-09');
	await s.ctl('POST', '/schema', { dialect: 'hubspot', action: 'retype', object: 'companies', field: 'industry', type: 'number' });
	assert.strictEqual((await make({ industry: 'cars' }, '/crm/v3/objects/companies')).json.errors[0].code, 'INVALID_INTEGER');
	await s.ctl('POST', '/schema', { dialect: 'hubspot', action: 'remove_permission', object: 'companies', field: 'city', mode: 'silent' });
	assert.strictEqual((await make({ city: 'Bonn', name: 'x' }, '/crm/v3/objects/companies')).json.properties.city, undefined);
	await s.ctl('POST', '/schema', { dialect: 'hubspot', action: 'remove_permission', object: 'companies', field: 'city', mode: 'forbidden' });
	let r = await make({ city: 'Bonn', name: 'x' }, '/crm/v3/objects/companies');
	assert.deepStrictEqual([r.status, r.json.category], [403, 'MISSING_SCOPES']);
	// a change that waits for a request
	await s.fault({ actions: [{ action: 'remove_field', object: 'contacts', field: 'jobtitle' }], match: { path: 'contacts' }, after: 1 });
	assert.strictEqual((await make({ lastname: 'A', jobtitle: 'x' })).status, 201);
	assert.strictEqual((await make({ lastname: 'A', jobtitle: 'x' })).status, 400);

	await s.ctl('POST', '/down', { dialect: 'hubspot' });
	await assert.rejects(call('GET', s.base() + PATH, undefined, { connection: 'close' }), /ECONNREFUSED/);
	await s.ctl('POST', '/up', { dialect: 'hubspot' });
	await s.ctl('POST', '/down', { dialect: 'hubspot', how: 'status' });
	assert.strictEqual((await s.get(PATH)).status, 503);
	await s.ctl('POST', '/reset', {});
	r = await s.get(PATH);
	assert.strictEqual(r.status, 200);

	await s.ctl('POST', '/clock', { date_offset_ms: -3600000 });
	r = await s.get(PATH);
	assert.ok(Date.now() - Date.parse(r.headers.date) > 3590000);
	await s.ctl('POST', '/clock', { advance_ms: 86400000 });
	r = await make({ email: 'late@b.co' });
	assert.ok(Date.parse(r.json.createdAt) - Date.now() > 86000000);
});
