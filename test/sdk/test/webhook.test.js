'use strict';
// The reference library of Standard Webhooks signs; the sandbox verifies.
const test = require('node:test');
const assert = require('node:assert');
const { Webhook } = require('standardwebhooks');
const { start } = require('../../sandbox/test/helper');

const SECRET = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';

test('what the library signs is accepted, anything else is not', async t => {
	const s = await start(t, ['webhook'], { auth: {} });
	await s.ctl('POST', '/config', { dialect: 'webhook', secrets: [SECRET] });
	const wh = new Webhook(SECRET), now = new Date(), body = '{"call_id":"c1","n":1.0}';
	const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': String(Math.floor(now / 1000)), 'webhook-signature': wh.sign('msg_1', now, body) };
	assert.strictEqual((await s.post('/hook/x', body, headers)).status, 200);
	assert.strictEqual((await s.post('/hook/x', '{"call_id":"c2","n":1.0}', headers)).status, 401);
});
