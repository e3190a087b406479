'use strict';
// Signatures of incoming webhooks, both ways: what a platform's own SDK signs or accepts, callsync accepts;
// what it refuses (another byte, secret, time, URL), callsync refuses. callsync's side is the code of ingest()
// with the shipped presets, built as build/webhook_verify (test/sdk/webhook_verify.c).
const test = require('node:test');
const assert = require('node:assert');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const querystring = require('node:querystring');
const { execFileSync } = require('node:child_process');
const { Webhook } = require('standardwebhooks');
const { Retell } = require('retell-sdk');
const { ElevenLabsClient } = require('@elevenlabs/elevenlabs-js');
const { Signature } = require('@hubspot/api-client');
globalThis.crypto ??= crypto.webcrypto; // node 18
// Twilio's wants node 20
const twilio = +process.versions.node.split('.')[0] >= 20 ? require('twilio') : null;

const TOP = path.resolve(__dirname, '../../..');
const PROGRAM = path.join(TOP, 'build/webhook_verify');
const skip = fs.existsSync(PROGRAM) ? false : 'build/webhook_verify is not built: make build/webhook_verify';

// Random bodies that are the same in each run.
let state = 20261121;
function pick(n) {
	state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
	return (state >>> 0) % n;
}
const WORDS = ['boiler', 'Zoë', '日本語', '😀', 'a"b', 'back\\slash', 'line\nbreak', '<b>&amp;', '', ' ', '%2F+', "O'Brien", '\u2028', 'x'.repeat(3000)];
const word = () => WORDS[pick(WORDS.length)];
function jsonBody() {
	const value = { call_id: 'c' + pick(1e6), note: word(), n: pick(2) ? 1.5 : -1e21, list: Array.from({ length: pick(4) }, word), deep: { a: { b: [null, true, word()] } } };
	return pick(3) === 0 ? JSON.stringify(value, null, 1) : JSON.stringify(value);
}

// Answers of callsync: 'ok', or why not.
function callsync(lines) {
	const input = lines.map(l => JSON.stringify({ ...l, body: Buffer.from(l.body).toString('base64') })).join('\n') + '\n';
	const out = execFileSync(PROGRAM, { cwd: TOP, input, maxBuffer: 1 << 26 }).toString().split('\n');
	assert.strictEqual(out.length, lines.length + 1);
	return out.slice(0, -1);
}
async function accepts(fn) {
	try { return (await fn()) !== false; } catch { return false; }
}

// One byte changed, added, taken away; for each part of a request.
const changed = text => {
	const at = pick(Math.max(text.length, 1));
	const other = /a/i.test(text[at]) ? 'g' : 'A'; // not the same digit in the other case
	return [text.slice(0, at) + other + text.slice(at + 1), text + 'A', text.slice(0, -1)].filter(t => t !== text);
};

// The SDKs read the clock: for them it stands still at the time that callsync is told, however long all this takes.
async function at(ms, fn) {
	const Real = Date;
	globalThis.Date = class extends Real {
		constructor(...given) { super(...(given.length ? given : [ms])); }
		static now() { return ms; }
		static [Symbol.hasInstance](x) { return x instanceof Real; }
	};
	try { return await fn(); } finally { globalThis.Date = Real; }
}

// A list of requests, each with the SDK's own verdict (a function), against callsync's.
// lenient: reasons for which callsync may refuse what the SDK lets through; strict never the other way.
async function agree(requests, lenient = []) {
	const ours = callsync(requests.map(r => r.line));
	let accepted = 0, refused = 0;
	for (const [i, r] of requests.entries()) {
		const theirs = await at(r.line.now_us / 1000, () => accepts(r.sdk));
		if (theirs) accepted++; else refused++;
		if (r.expect !== undefined) assert.strictEqual(theirs, r.expect, 'the SDK about ' + r.what);
		if (theirs && lenient.includes(ours[i])) continue;
		assert.strictEqual(ours[i] === 'ok', theirs, `${r.what}: callsync says "${ours[i]}", the SDK ${theirs ? 'accepts' : 'refuses'}: ${JSON.stringify(r.line).slice(0, 500)}`);
	}
	return { accepted, refused };
}

test('Standard Webhooks: the reference library', { skip }, async () => {
	const secret = 'whsec_' + crypto.randomBytes(24).toString('base64'), next = 'whsec_' + crypto.randomBytes(32).toString('base64');
	const now = Date.now(), requests = [];
	const add = (what, body, headers, expect, secrets = { signing_secret: secret }) => requests.push({ what, expect,
		line: { kind: 'standard_webhooks', body, headers, url: null, secrets, now_us: now * 1000 },
		sdk: () => { new Webhook(secrets.signing_secret).verify(body, headers); } });
	for (let i = 0; i < 60; i++) {
		const body = i === 0 ? '' : jsonBody(), at = new Date(now - 1000 * pick(250)), id = 'msg_' + pick(1e9);
		const stamp = String(Math.floor(at / 1000)), signature = new Webhook(secret).sign(id, at, body);
		const headers = { 'webhook-id': id, 'webhook-timestamp': stamp, 'webhook-signature': signature };
		add('signed', body, headers, true);
		add('names in capitals', body, { 'Webhook-Id': id, 'WEBHOOK-TIMESTAMP': stamp, 'Webhook-Signature': signature }, true);
		add('several signatures', body, { ...headers, 'webhook-signature': `v1a,abc ${new Webhook(next).sign(id, at, body)} ${signature}` }, true);
		add('unprefixed secret', body, headers, true, { signing_secret: secret.slice(6) });
		for (const b of changed(body)) add('body', b, headers, false);
		for (const s of changed(signature)) add('signature', body, { ...headers, 'webhook-signature': s }, false);
		add('id', body, { ...headers, 'webhook-id': id + 'x' }, false);
		add('time', body, { ...headers, 'webhook-timestamp': String(+stamp + 1) }, false);
		add('secret', body, headers, false, { signing_secret: next });
		add('no signature', body, { 'webhook-id': id, 'webhook-timestamp': stamp }, false);
		for (const shift of [-310, 310]) {
			const then = new Date(now + shift * 1000);
			add('out of tolerance', body, { 'webhook-id': id, 'webhook-timestamp': String(Math.floor(then / 1000)), 'webhook-signature': new Webhook(secret).sign(id, then, body) }, false);
		}
	}
	const n = await agree(requests);
	assert.ok(n.accepted >= 240 && n.refused >= 600, JSON.stringify(n));

	// the other way: what callsync signs when it delivers, under one secret and under two
	const body = jsonBody(), stamp = Math.floor(now / 1000);
	for (const secrets of [{ a: secret }, { a: next, b: secret }]) {
		const [signature] = callsync([{ sign: true, id: 'm1', timestamp: stamp, body, secrets }]);
		new Webhook(secret).verify(body, { 'webhook-id': 'm1', 'webhook-timestamp': String(stamp), 'webhook-signature': signature });
		assert.throws(() => new Webhook(secret).verify(body + ' ', { 'webhook-id': 'm1', 'webhook-timestamp': String(stamp), 'webhook-signature': signature }));
	}
});

test('Retell', { skip }, async () => {
	const secret = 'key_' + crypto.randomBytes(16).toString('hex'), now = Date.now(), requests = [];
	const add = (what, body, header, expect, key = secret, as = 'signing_secret') => requests.push({ what, expect,
		line: { kind: 'retell', body, headers: { 'x-retell-signature': header }, url: null, secrets: { [as]: key }, now_us: now * 1000 },
		sdk: () => Retell.verify(body, key, header) });
	for (let i = 0; i < 60; i++) {
		const body = i === 0 ? '' : jsonBody(), header = await Retell.sign(body, secret);
		add('signed', body, header, true);
		add('signed, as api_key', body, header, true, secret, 'api_key');
		for (const b of changed(body)) add('body', b, header, false);
		for (const h of changed(header)) add('header', body, h, false);
		for (const k of changed(secret)) add('secret', body, header, false, k);
		for (const shift of [-301000, 301000, -290000, 290000]) {
			const ms = now + shift, digest = crypto.createHmac('sha256', secret).update(body + ms).digest('hex');
			add('time ' + shift, body, `v=${ms},d=${digest}`, Math.abs(shift) < 300000);
		}
		const seconds = Math.floor(now / 1000);
		add('seconds for milliseconds', body, `v=${seconds},d=${crypto.createHmac('sha256', secret).update(body + seconds).digest('hex')}`, false);
	}
	const n = await agree(requests);
	assert.ok(n.accepted >= 240 && n.refused >= 500, JSON.stringify(n));
});

test('ElevenLabs', { skip }, async () => {
	const client = new ElevenLabsClient({ apiKey: 'x' });
	const secret = 'wsec_' + crypto.randomBytes(16).toString('hex'), now = Date.now(), requests = [];
	const sign = (body, seconds, key = secret) => `t=${seconds},v0=${crypto.createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')}`;
	const add = (what, body, header, expect, key = secret) => requests.push({ what, expect,
		line: { kind: 'elevenlabs', body, headers: { 'ElevenLabs-Signature': header }, url: null, secrets: { signing_secret: key }, now_us: now * 1000 },
		sdk: () => client.webhooks.constructEvent(body, header, key).then(() => true) });
	for (let i = 0; i < 60; i++) {
		const body = jsonBody(), seconds = Math.floor(now / 1000) - pick(1700), header = sign(body, seconds);
		add('signed', body, header, true);
		for (const b of changed(body)) add('body', b, header, false);
		for (const h of changed(header)) add('header', body, h, false);
		for (const k of changed(secret)) add('secret', body, header, false, k);
		add('31 minutes old', body, sign(body, Math.floor(now / 1000) - 1860), false);
		// their SDK looks back only; callsync both ways
		add('a day ahead', body, sign(body, Math.floor(now / 1000) + 86400), true);
	}
	const n = await agree(requests, ['out of tolerance: timestamp in the future']);
	assert.ok(n.accepted >= 120 && n.refused >= 500, JSON.stringify(n));
});

test('HubSpot v3', { skip }, async () => {
	const secret = crypto.randomUUID(), now = Date.now(), requests = [];
	const add = (what, body, url, stamp, signature, expect, key = secret) => requests.push({ what, expect,
		line: { kind: 'generic', body, headers: { 'X-HubSpot-Signature-v3': signature, 'X-HubSpot-Request-Timestamp': String(stamp) }, url, secrets: { client_secret: key }, now_us: now * 1000 },
		sdk: () => Signature.isValid({ signatureVersion: 'v3', signature, method: 'POST', clientSecret: key, requestBody: body, url, timestamp: stamp }) });
	for (let i = 0; i < 60; i++) {
		const body = i === 0 ? '' : jsonBody(), stamp = now - pick(250000);
		const url = `https://hooks.example.invalid${['', ':8443'][pick(2)]}/in/${pick(1e6)}${['', '?a=1&b=2', '?q=%2Fx%20y'][pick(3)]}`;
		const sign = (b, u, s, key = secret) => Signature.getSignature('POST', 'v3', { clientSecret: key, requestBody: b, url: u, timestamp: s });
		const signature = sign(body, url, stamp);
		add('signed', body, url, stamp, signature, true);
		for (const b of changed(body)) add('body', b, url, stamp, signature, false);
		for (const s of changed(signature)) add('signature', body, url, stamp, s, false);
		add('URL', body, url + 'x', stamp, signature, false);
		add('time', body, url, stamp + 1, signature, false);
		add('secret', body, url, stamp, sign(body, url, stamp, secret + 'x'), false);
		add('too old', body, url, now - 301000, sign(body, url, now - 301000), false);
	}
	const n = await agree(requests);
	assert.ok(n.accepted >= 60 && n.refused >= 400, JSON.stringify(n));
});

test('Twilio, forms', { skip: skip || !twilio && 'twilio wants node 20' }, async () => {
	const secret = crypto.randomBytes(16).toString('hex'), requests = [];
	const add = (what, body, url, signature, expect, key = secret) => requests.push({ what, expect,
		line: { kind: 'twilio', body, headers: { 'X-Twilio-Signature': signature, 'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8' }, url, secrets: { signing_secret: key }, now_us: 0 },
		sdk: () => twilio.validateRequest(key, signature, url, querystring.parse(body)) });
	const NAMES = ['CallSid', 'From', 'To', 'Digits', 'Zz', 'aa', 'A', 'a', 'Ab', 'Caller_Name', 'x-y', 'ä'];
	const host = 'https://user:pw@hooks.example.invalid';
	for (let i = 0; i < 100; i++) {
		const pairs = Array.from({ length: i === 0 ? 0 : 1 + pick(10) }, () => [NAMES[pick(NAMES.length)], WORDS[pick(WORDS.length - 1)]]);
		const body = pairs.map(([n, v]) => encodeURIComponent(n) + '=' + encodeURIComponent(v).replace(/%20/g, '+')).join('&');
		const params = querystring.parse(body);
		const base = pick(2) ? host : 'https://hooks.example.invalid', rest = `/in${['', '?tenant=1', '?a=b&c=%2Fd', '/'][pick(4)]}`;
		const port = ['', ':443', ':8443'][pick(3)], url = base + port + rest;
		const signature = twilio.getExpectedTwilioSignature(secret, url, params);
		add('signed', body, url, signature, true);
		add('signed without the port', body, url, twilio.getExpectedTwilioSignature(secret, base + rest, params), true);
		add('signed with the standard port', body, base + rest, twilio.getExpectedTwilioSignature(secret, base + ':443' + rest, params), true);
		add('in another order', pairs.map((_, k) => body.split('&')[pairs.length - 1 - k]).join('&'), url, signature);
		for (const s of changed(signature)) add('signature', body, url, s, false);
		add('a parameter more', body + (body ? '&' : '') + 'New=1', url, signature, false);
		add('URL', body, base + port + '/other' + rest, signature, false);
		add('secret', body, url, twilio.getExpectedTwilioSignature(secret + 'x', url, params), false);
	}
	const n = await agree(requests);
	assert.ok(n.accepted >= 300 && n.refused >= 500, JSON.stringify(n));
});

test('Twilio, JSON', { skip: skip || !twilio && 'twilio wants node 20' }, async () => {
	const secret = crypto.randomBytes(16).toString('hex'), requests = [];
	const add = (what, body, url, signature, expect) => requests.push({ what, expect,
		line: { kind: 'twilio', body, headers: { 'X-Twilio-Signature': signature, 'Content-Type': 'application/json' }, url, secrets: { signing_secret: secret }, now_us: 0 },
		sdk: () => twilio.validateRequestWithBody(secret, signature, url, body) });
	for (let i = 0; i < 60; i++) {
		const body = jsonBody(), base = `https://hooks.example.invalid${['', ':8443'][pick(2)]}/in`;
		const url = `${base}?${['', 'a=1&'][pick(2)]}bodySHA256=${twilio.getExpectedBodyHash(body)}${['', '&b=2'][pick(2)]}`;
		const signature = twilio.getExpectedTwilioSignature(secret, url, {});
		add('signed', body, url, signature, true);
		for (const b of changed(body)) add('body', b, url, signature, false);
		for (const s of changed(signature)) add('signature', body, url, s, false);
		add('URL', body, url + '&c=3', signature, false);
		add('the digest of another body', body + ' ', url, signature, false);
	}
	const n = await agree(requests);
	assert.ok(n.accepted >= 60 && n.refused >= 300, JSON.stringify(n));
});
