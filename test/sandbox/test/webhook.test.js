'use strict';
const test = require('node:test');
const assert = require('node:assert');
const crypto = require('crypto');
const { start } = require('./helper');

const SECRET = 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
function signed(id, body, secret = SECRET, ts = Math.floor(Date.now() / 1000)) {
	const mac = crypto.createHmac('sha256', Buffer.from(secret.slice(6), 'base64')).update(`${id}.${ts}.${body}`).digest('base64');
	return { 'webhook-id': id, 'webhook-timestamp': String(ts), 'webhook-signature': `v1,${mac}` };
}

test('stores what arrives and answers as told', async t => {
	const s = await start(t, ['webhook'], { auth: {} });
	let r = await s.post('/hook/a/b', { n: 1 });
	assert.deepStrictEqual([r.status, r.text], [200, '{}']);
	await s.post('/hook/x', 'plain', { 'Content-Type': 'text/plain' });
	assert.deepStrictEqual((await s.records('hooks')).map(x => [x.properties.path, x.properties.json, x.properties.text]), [['a/b', { n: 1 }, undefined], ['x', null, 'plain']]);
	await s.ctl('POST', '/config', { dialect: 'webhook', status: 202, reply: 'Accepted', reply_headers: { 'X-A': 'b' } });
	r = await s.post('/hook/x', {});
	assert.deepStrictEqual([r.status, r.text, r.headers['x-a']], [202, 'Accepted', 'b']);
	assert.strictEqual((await s.get('/hook/x')).status, 405);
});

test('verifies Standard Webhooks signatures, several secrets and signatures', async t => {
	const s = await start(t, ['webhook'], { auth: {} });
	await s.ctl('POST', '/config', { dialect: 'webhook', secrets: [SECRET] });
	const body = '{"call_id":"c1","n":1.0}';
	const status = async h => (await s.post('/hook/x', body, h)).status;
	assert.strictEqual(await status(signed('m1', body)), 200);
	assert.strictEqual(await status({}), 401);
	assert.strictEqual(await status(signed('m1', body + ' ')), 401);
	assert.strictEqual(await status(signed('m1', body, SECRET, Math.floor(Date.now() / 1000) - 301)), 401);
	const other = 'whsec_' + crypto.randomBytes(24).toString('base64');
	assert.strictEqual(await status(signed('m1', body, other)), 401);
	const two = signed('m1', body);
	two['webhook-signature'] = signed('m1', body, other)['webhook-signature'] + ' ' + two['webhook-signature'];
	assert.strictEqual(await status(two), 200, 'one of two signatures is enough');
	assert.strictEqual((await s.records('hooks')).length, 2);
});

test('drops repeats by webhook-id, and faults apply here too', async t => {
	const s = await start(t, ['webhook'], { auth: {} });
	await s.ctl('POST', '/config', { dialect: 'webhook', dedup: true });
	await s.fault({ action: 'drop_after' });
	await assert.rejects(s.post('/hook/x', { a: 1 }, { 'webhook-id': 'm1' }));
	assert.strictEqual((await s.post('/hook/x', { a: 1 }, { 'webhook-id': 'm1' })).status, 200);
	assert.strictEqual((await s.post('/hook/x', { a: 2 }, { 'webhook-id': 'm2' })).status, 200);
	assert.strictEqual((await s.records('hooks')).length, 2);
	assert.strictEqual((await s.ctl('GET', '/requests'))[1].touched[0].op, 'duplicate');
});

test('bearer and basic credentials', async t => {
	const s = await start(t, ['webhook'], { auth: {} });
	await s.ctl('POST', '/config', { dialect: 'webhook', bearer: 'b' });
	assert.strictEqual((await s.post('/hook/x', {})).status, 401);
	assert.strictEqual((await s.post('/hook/x', {}, { authorization: 'Bearer b' })).status, 200);
	await s.ctl('POST', '/config', { dialect: 'webhook', bearer: null, basic: 'u:p' });
	assert.strictEqual((await s.post('/hook/x', {}, { authorization: 'Basic dTpw' })).status, 200);
});

test('receivers as they answer', async t => {
	const s = await start(t, ['webhook'], { auth: {} });
	const style = name => s.ctl('POST', '/config', { dialect: 'webhook', style: name });
	const ask = async (b, h) => { const r = await s.post('/hook/x', b, h); return [r.status, r.json || r.text]; };
	await style('zapier');
	assert.strictEqual((await ask({}))[1].status, 'success');
	await style('make');
	assert.deepStrictEqual(await ask({}), [200, 'Accepted']);
	await style('n8n');
	assert.deepStrictEqual(await ask({}), [200, { message: 'Workflow was started' }]);
	await style('slack');
	assert.deepStrictEqual(await ask({ text: 'x' }), [200, 'ok']);
	assert.deepStrictEqual(await ask({}), [400, 'no_text']);
	assert.deepStrictEqual(await ask('nonsense'), [400, 'invalid_payload']);
	await style('slack_api');
	assert.deepStrictEqual(await ask({ text: 'x' }), [200, { ok: false, error: 'channel_not_found' }]);
	await style('adf');
	const xml = (name, more = '') => `<?xml version="1.0"?><?adf version="1.0"?><adf><prospect><requestdate>2026-06-11T15:42:00Z</requestdate><customer><contact><name part="full">${name}</name></contact></customer><vendor><vendorname>V</vendorname><contact><name>V</name></contact></vendor>${more}</prospect></adf>`;
	assert.deepStrictEqual(await ask(xml('A &amp; B')), [200, 'OK']);
	assert.deepStrictEqual(await ask(xml('A & B')), [400, 'not well-formed XML: an unescaped &']);
	assert.deepStrictEqual(await ask(xml('</name>')), [400, 'not well-formed XML: </name> closes nothing']);
	assert.deepStrictEqual(await ask(xml('A', '<vehicle/>')), [400, '<vehicle> is out of place in <prospect>']);
	assert.deepStrictEqual(await ask(xml('A', '<provider><service>s</service></provider>')), [400, '<provider> needs <name> before <service>']);
	assert.deepStrictEqual(await ask(xml('A').replace('part="full"', 'part="whole"')), [400, '<name part="whole">: not a word of ADF']);
	assert.deepStrictEqual(await ask(xml('A').replace('<vendorname>V</vendorname>', '')), [400, '<vendor> needs <vendorname> before <contact>']);
	assert.deepStrictEqual(await ask(xml('A').replace('<?adf version="1.0"?>', '')), [400, 'no <?adf version="1.0"?>']);
	await style('slack');
	assert.deepStrictEqual(await ask({ text: 'x', blocks: [{ type: 'header', text: { type: 'plain_text', text: 'x'.repeat(151) } }] }), [400, 'invalid_blocks']);
	assert.deepStrictEqual(await ask({ text: 'x', blocks: [{ type: 'section', fields: [] }] }), [400, 'invalid_blocks']);
	assert.deepStrictEqual(await ask({ text: 'x', blocks: [{ type: 'section', fields: [{ type: 'mrkdwn', text: '*a*' }] }, { type: 'divider' }] }), [200, 'ok']);
	await s.ctl('POST', '/config', { dialect: 'webhook', style: null, styles: { lead: 'adf', chat: 'slack' } });
	assert.strictEqual((await s.post('/hook/lead/x', 'no xml')).status, 400);
	assert.strictEqual((await s.post('/hook/chat', { text: 'x' })).text, 'ok');
	assert.strictEqual((await s.post('/hook/other', {})).text, '{}');
	await assert.rejects(style('pager'), /no style "pager"; known: zapier/);
	await s.ctl('POST', '/config', { dialect: 'webhook', style: null, limits: { enabled: true } });
	assert.strictEqual((await ask({}))[0], 200);
	const r = await s.post('/hook/x', {});
	assert.deepStrictEqual([r.status, r.headers['retry-after']], [429, '1']);
});
