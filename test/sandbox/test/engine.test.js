'use strict';
const test = require('node:test');
const assert = require('node:assert');
const fs = require('fs');
const os = require('os');
const path = require('path');
const https = require('https');
const { spawn } = require('child_process');
const { start, call } = require('./helper');
const { Store } = require('../lib/store');
const { Clock } = require('../lib/clock');
const { Tokens } = require('../lib/tokens');
const { Limits } = require('../lib/limits');

const PATH = '/crm/v3/objects/contacts';
const tmp = t => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sandbox-test-'));
	t.after(() => fs.rmSync(dir, { recursive: true }));
	return dir;
};

test('store: unique index, lagging search, merge', () => {
	const clock = new Clock(), store = new Store(clock);
	store.defineUnique('c', 'email', v => v.toLowerCase());
	store.lagMs = 1000;
	store.create('c', 1, { email: 'A@x' });
	assert.strictEqual(store.findUnique('c', 'email', 'a@X').id, '1');
	assert.strictEqual([...store.searchable('c')].length, 0);
	clock.offset += 1001;
	assert.strictEqual([...store.searchable('c')].length, 1);
	store.update('c', 1, { email: 'b@x' });
	assert.strictEqual(store.findUnique('c', 'email', 'a@x'), undefined);
	assert.strictEqual([...store.searchable('c')][0][1].props.email, 'A@x', 'search still sees the old value');
	store.flushIndex();
	assert.strictEqual([...store.searchable('c')][0][1].props.email, 'b@x');
	store.create('c', 2, { email: 'c@x' });
	store.merge('c', 1, 2);
	assert.strictEqual(store.get('c', 2).id, '1');
	assert.strictEqual(store.findUnique('c', 'email', 'c@x'), undefined);
	store.archive('c', 1);
	assert.strictEqual(store.get('c', 1), undefined);
	assert.strictEqual(store.findUnique('c', 'email', 'b@x'), undefined, 'an archived record frees its value');
});

test('tokens: lifetime, rotation, reuse kills the family, revocation', () => {
	const clock = new Clock(), tokens = new Tokens(clock, { mode: 'strict', lifetime_ms: 1000 });
	const a = tokens.useRefresh('sandbox-refresh');
	assert.strictEqual(tokens.check(a.access), 'ok');
	assert.strictEqual(tokens.check('other'), 'unknown');
	clock.offset += 1000;
	assert.strictEqual(tokens.check(a.access), 'expired');
	const b = tokens.useRefresh(a.refresh);
	assert.strictEqual(tokens.check(b.access), 'ok');
	assert.strictEqual(tokens.useRefresh(a.refresh).error, 'invalid_grant');
	assert.strictEqual(tokens.check(b.access), 'revoked', 'the second use of one refresh token kills all');
	assert.strictEqual(tokens.useRefresh(b.refresh).error, 'invalid_grant');
	tokens.restore();
	assert.ok(tokens.useRefresh('sandbox-refresh').access);

	const any = new Tokens(clock, {});
	assert.strictEqual(any.check('static'), 'ok');
	any.expireAll();
	assert.strictEqual(any.check('static'), 'expired');
	assert.strictEqual(any.check('other'), 'ok');
	any.revokeAll();
	assert.strictEqual(any.check('other'), 'revoked');
	any.restore();
	assert.strictEqual(any.check('static'), 'ok');
});

test('limits: rolling window, day, cost, operations', () => {
	const clock = new Clock();
	const l = new Limits(clock, [{ name: 'burst', max: 2, ms: 1000, ops: '^(?!search)' }, { name: 'search', max: 1, ms: 1000, ops: '^search' }, { name: 'day', max: 10, kind: 'day' }]);
	assert.strictEqual(l.admit('create'), null, 'off by default');
	l.enabled = true;
	assert.strictEqual(l.admit('create'), null);
	assert.strictEqual(l.admit('create'), null);
	assert.strictEqual(l.admit('create').name, 'burst');
	assert.strictEqual(l.admit('search'), null, 'a window of its own');
	assert.strictEqual(l.admit('search').name, 'search');
	clock.offset += 1001;
	assert.strictEqual(l.admit('create', 2), null);
	clock.offset += 1001;
	assert.strictEqual(l.admit('create', 1), null);
	assert.strictEqual(l.admit('create', 2).name, 'burst', 'cost counts against the window');
	clock.offset += 1001;
	for (let i = 0; i < 4; i++) { assert.strictEqual(l.admit('create'), null); clock.offset += 1001; }
	assert.strictEqual(l.admit('create').name, 'day');
	clock.offset += 86400000;
	assert.strictEqual(l.admit('create'), null);
});

test('the request log keeps exact bytes, and wait needs no sleeping', async t => {
	const s = await start(t, ['hubspot']);
	const body = '{ "properties":\t{"firstname":"Zoë \\u00e9"},"associations":[]}';
	const waiting = s.ctl('GET', '/wait?count=2&path=contacts&timeout_ms=5000');
	await s.post(PATH, body);
	await s.post(PATH, '{"properties":{},"associations":[]}', { 'X-Case': 'Kept' });
	assert.deepStrictEqual(await waiting, { ok: true, count: 2, last_seq: 2 });
	const log = await s.ctl('GET', '/requests?dialect=hubspot');
	assert.strictEqual(Buffer.from(log[0].body_base64, 'base64').toString(), body);
	assert.strictEqual(log[0].json.properties.firstname, 'Zoë é');
	assert.ok(log[1].raw_headers.includes('X-Case'));
	assert.deepStrictEqual(log[1].touched, [{ object: 'contacts', id: '51002', op: 'create' }]);
	assert.strictEqual((await s.ctl('GET', '/wait?count=3&timeout_ms=10')).ok, false);
	assert.strictEqual((await s.ctl('GET', '/requests?op=create&since=1&bodies=0'))[0].body_bytes, 35);
	assert.deepStrictEqual(await s.ctl('GET', '/wait_records?dialect=hubspot&object=contacts&count=2'), { ok: true, count: 2 });
	const third = s.ctl('GET', '/wait_records?dialect=hubspot&object=contacts&count=3&timeout_ms=5000');
	await s.ctl('POST', '/records', { object: 'contacts', records: [{ properties: { email: 'z@x.co' } }] });
	assert.deepStrictEqual(await third, { ok: true, count: 3 }, 'also records made from outside');
	await s.ctl('POST', '/config', { log: { bodies: false } });
	await s.post(PATH, body);
	assert.strictEqual((await s.ctl('GET', '/requests?limit=1'))[0].body, null);
});

test('control: mistakes come with a reason', async t => {
	const s = await start(t, ['hubspot', 'webhook']);
	await assert.rejects(s.ctl('GET', '/records?object=contacts'), /several dialects run here/);
	await assert.rejects(s.ctl('GET', '/records?dialect=hubspot'), /which object/);
	await assert.rejects(s.ctl('POST', '/config', { dialect: 'hubspot', serch_lag_ms: 1 }), /unknown setting "serch_lag_ms".*search_lag_ms/);
	await assert.rejects(s.ctl('POST', '/faults', { action: 'explode' }), /unknown action "explode"; known/);
	await assert.rejects(s.ctl('GET', '/nothing'), /no such control endpoint/);
	assert.strictEqual((await call('GET', s.base() + '/_control/counts')).json.contacts, 0, 'a dialect\'s own port names it');
});

test('seeding, editing and deleting from outside; duplicates', async t => {
	const s = await start(t, ['hubspot']);
	await s.ctl('POST', '/records', { object: 'contacts', records: [{ properties: { email: 'A@x.co', phone: '1' } }, { properties: { phone: '1' } }, { properties: { phone: ' 1 ' } }] });
	assert.deepStrictEqual(await s.ctl('GET', '/duplicates?object=contacts&property=phone'), [{ value: '1', ids: ['51001', '51002', '51003'] }]);
	await s.ctl('PATCH', '/records', { object: 'contacts', id: '51002', properties: { phone: '2' } });
	await s.ctl('DELETE', '/records?object=contacts&id=51003');
	assert.deepStrictEqual(await s.ctl('GET', '/duplicates?object=contacts&property=phone'), []);
	assert.strictEqual((await s.ctl('GET', '/counts')).contacts, 2);
	assert.strictEqual((await s.get(`${PATH}/a@x.co?idProperty=email`)).json.id, '51001');
	assert.deepStrictEqual(await s.ctl('GET', '/requests?method=POST'), [], 'no request was logged for that');
});

test('journal: records, links and ids survive; a torn line is dropped', async t => {
	const file = path.join(tmp(t), 'journal');
	const one = await start(t, ['hubspot'], { journal: file });
	await one.post(PATH, { properties: { email: 'a@b.co' } });
	await one.post('/crm/v3/objects/calls', { properties: { hs_timestamp: '2026-01-01T00:00:00Z', callsync_key: 'k' }, associations: [{ to: { id: '51001' }, types: [{ associationCategory: 'HUBSPOT_DEFINED', associationTypeId: 194 }] }] });
	await one.post(PATH, { properties: { email: 'gone@b.co' } });
	await one.del(PATH + '/51002');
	fs.appendFileSync(file, '{"d":"hubspot","op":"put","rec');
	const two = await start(t, ['hubspot'], { journal: file });
	assert.deepStrictEqual((await two.records('contacts')).map(r => r.id), ['51001']);
	assert.strictEqual((await two.get('/crm/v3/objects/calls/k?idProperty=callsync_key&associations=contacts')).json.associations.contacts.results[0].id, '51001');
	assert.strictEqual((await two.post(PATH, { properties: { email: 'a@b.co' } })).status, 409);
	assert.strictEqual((await two.post(PATH, { properties: { email: 'c@b.co' } })).json.id, '51003', 'ids are not used again');
	await two.ctl('POST', '/reset', {});
	const three = await start(t, ['hubspot'], { journal: file });
	assert.deepStrictEqual(await three.records('contacts'), []);
});

test('journal: issued tokens survive, a used refresh token stays used', async t => {
	const file = path.join(tmp(t), 'journal');
	const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
	const refresh = (s, token) => s.post('/oauth/v3/token', new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token, client_id: 'sandbox-client', client_secret: 'sandbox-secret' }).toString(), form);
	const one = await start(t, ['hubspot'], { journal: file });
	await one.ctl('POST', '/config', { dialect: 'hubspot', tokens: { mode: 'strict' } });
	const a = (await refresh(one, 'sandbox-refresh')).json;
	const b = (await refresh(one, a.refresh_token)).json;
	const two = await start(t, ['hubspot'], { journal: file });
	assert.strictEqual((await two.get(PATH, { authorization: `Bearer ${b.access_token}` })).status, 200);
	assert.strictEqual((await two.get(PATH, { authorization: 'Bearer other' })).status, 401, 'the mode survives');
	assert.strictEqual((await refresh(two, b.refresh_token)).status, 200);
	assert.strictEqual((await refresh(two, a.refresh_token)).status, 400);
	assert.strictEqual((await two.get(PATH, { authorization: `Bearer ${b.access_token}` })).status, 401, 'reuse kills the family, over the restart');
});

test('store: a rolled back transaction leaves no trace', () => {
	const store = new Store(new Clock());
	store.defineUnique('c', 'k', String);
	store.create('c', 1, { k: 'a' });
	store.create('c', 2, { k: 'b' });
	const before = JSON.stringify([...store.all('c')].map(r => [r.id, r.props, r.version]));
	store.begin();
	store.update('c', 1, { k: 'z' });
	store.create('c', 3, { k: 'a' });
	store.archive('c', 2);
	store.link('c/1', 'c/3', true);
	store.rollback();
	assert.strictEqual(JSON.stringify([...store.all('c')].map(r => [r.id, r.props, r.version])), before);
	assert.deepStrictEqual(['a', 'b', 'z'].map(k => store.findUnique('c', 'k', k)?.id), ['1', '2', undefined]);
	assert.strictEqual(store.linksOf('c/1').size, 0);
	assert.strictEqual([...store.searchable('c')].length, 2);
});

test('the process: ports, TLS, SIGTERM, closing stdin', async t => {
	const dir = tmp(t);
	const run = args => {
		const child = spawn(process.execPath, [path.join(__dirname, '../sandbox.js'), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
		const ended = new Promise(r => child.on('exit', (code, signal) => r({ code, signal })));
		const line = new Promise(r => child.stdout.once('data', d => r(JSON.parse(d))));
		return { child, ended, line };
	};
	const a = run(['--dialect', 'hubspot,webhook', '--tls', path.join(dir, 'tls')]);
	const ports = await a.line;
	const ca = fs.readFileSync(path.join(dir, 'tls', 'cert.pem'));
	const status = await new Promise((resolve, reject) => https.get({ host: '127.0.0.1', port: ports.dialects.hubspot.tls_port, path: PATH, ca, headers: { authorization: 'Bearer x' } }, r => { r.resume(); resolve(r.statusCode); }).on('error', reject));
	assert.strictEqual(status, 200);
	a.child.kill('SIGTERM');
	assert.deepStrictEqual(await a.ended, { code: 0, signal: null });
	const b = run(['--exit-with-stdin', '--dialect', `hubspot:${ports.dialects.hubspot.port}`]);
	assert.strictEqual((await b.line).dialects.hubspot.port, ports.dialects.hubspot.port, 'a port can be asked for');
	b.child.stdin.end();
	assert.deepStrictEqual(await b.ended, { code: 0, signal: null });
});
