'use strict';
// Starts a sandbox inside the test process and speaks plain HTTP to it.
const http = require('http');
const { Sandbox } = require('../lib/sandbox');

// One request; resolves to {status, headers, text, json}, rejects as the socket does.
function call(method, url, body, headers = {}) {
	return new Promise((resolve, reject) => {
		const bytes = body === undefined ? null : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
		const req = http.request(url, { method, agent: headers.connection === 'close' ? false : undefined, headers: { ...(bytes ? { 'Content-Type': 'application/json', 'Content-Length': bytes.length } : {}), ...headers } }, res => {
			const chunks = [];
			res.on('data', c => chunks.push(c));
			res.on('error', reject);
			res.on('aborted', () => reject(Object.assign(new Error('aborted'), { code: 'ABORTED', partial: Buffer.concat(chunks).toString() })));
			res.on('end', () => {
				const text = Buffer.concat(chunks).toString('utf8');
				let json;
				try { json = JSON.parse(text); } catch { /* not JSON */ }
				resolve({ status: res.statusCode, headers: res.headers, text, json });
			});
		});
		req.on('error', reject);
		req.end(bytes || undefined);
	});
}

async function start(t, names, opts = {}) {
	const sandbox = new Sandbox({ dialects: names.map(name => ({ name })), seed: 1, ...opts });
	const ports = await sandbox.start();
	t.after(() => sandbox.stop());
	const base = d => `http://127.0.0.1:${ports.dialects[d || names[0]].port}`;
	const auth = opts.auth || { authorization: 'Bearer test' };
	const control = `http://127.0.0.1:${ports.control}/_control`;
	const s = {
		sandbox, ports, base, control,
		get: (p, h) => call('GET', base() + p, undefined, { ...auth, ...h }),
		post: (p, b, h) => call('POST', base() + p, b, { ...auth, ...h }),
		put: (p, b, h) => call('PUT', base() + p, b, { ...auth, ...h }),
		patch: (p, b, h) => call('PATCH', base() + p, b, { ...auth, ...h }),
		del: (p, h) => call('DELETE', base() + p, undefined, { ...auth, ...h }),
		async ctl(method, p, body) {
			const r = await call(method, control + p, body);
			if (r.status !== 200) throw new Error(`${p}: ${r.json ? r.json.error : r.text}`);
			return r.json;
		},
		fault: rule => s.ctl('POST', '/faults', { dialect: names[0], ...rule }),
		records: object => s.ctl('GET', `/records?dialect=${names[0]}&object=${object}`),
	};
	return s;
}
module.exports = { start, call };
