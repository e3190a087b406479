'use strict';
// $batch: multipart/mixed with change sets. Order is kept; a change set is one transaction; the first
// error stops unless Prefer: odata.continue-on-error. Lines end with CRLF, or the batch is refused.
const crypto = require('crypto');
const errors = require('./errors');
const { HttpError } = require('../lib/errors');

const MAX = 1000;
const CRLF = '\r\n';

function boundaryOf(type) {
	const m = /^multipart\/mixed;\s*boundary="?([^";]+)"?/i.exec(type || '');
	return m ? m[1] : null;
}
function headersOf(text) {
	const out = {};
	for (const line of text.split(CRLF)) {
		const at = line.indexOf(':');
		if (at > 0) out[line.slice(0, at).trim().toLowerCase()] = line.slice(at + 1).trim();
	}
	return out;
}
// The parts of a multipart body: [{headers, body}].
function parts(text, boundary) {
	const pieces = (CRLF + text).split(`${CRLF}--${boundary}`);
	if (pieces.length < 3 || !pieces[pieces.length - 1].startsWith('--')) throw errors.fail(400, '', 'The batch request is not a well-formed multipart body (lines must end with CRLF and the closing boundary must be there).');
	return pieces.slice(1, -1).map(p => {
		const t = p.replace(/^[ \t]*\r\n/, ''), at = t.indexOf(CRLF + CRLF);
		if (at < 0) throw errors.fail(400, '', 'A part of the batch request has no empty line after its headers.');
		return { headers: headersOf(t.slice(0, at)), body: t.slice(at + 4) };
	});
}
// One embedded HTTP request.
function request(part) {
	if (!/^application\/http/i.test(part.headers['content-type'] || '')) throw errors.fail(400, '', "A part of the batch request must have Content-Type 'application/http'.");
	const at = part.body.indexOf(CRLF + CRLF);
	const head = at < 0 ? part.body : part.body.slice(0, at), rest = at < 0 ? '' : part.body.slice(at + 4);
	const m = /^(GET|POST|PATCH|PUT|DELETE) (\S+) HTTP\/1\.[01]/.exec(head);
	if (!m) throw errors.fail(400, '', `The request line of a part is not valid: ${head.split(CRLF)[0]}`);
	return { method: m[1], url: m[2], headers: headersOf(head), body: rest.replace(/\r\n$/, ''), id: part.headers['content-id'] };
}

function absolute(url, ctx, refs) {
	let u = url.replace(/^\/?\$(\w+)/, (whole, id) => {
		const to = refs.get(id);
		if (!to) throw errors.syntax(`Content-ID Reference: '${whole}' does not exist in the batch context.`);
		return to;
	});
	u = u.replace(/^https?:\/\/[^/]+/, '');
	return u.startsWith('/') ? u : `/api/data/v${ctx.params.ver}/${u}`;
}

const REASON = { 200: 'OK', 201: 'Created', 204: 'No Content', 304: 'Not Modified', 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 412: 'Precondition Failed', 429: 'Too Many Requests', 500: 'Internal Server Error' };
function render(out, id) {
	const body = out.body === undefined || out.body === null ? '' : JSON.stringify(out.body);
	const lines = ['Content-Type: application/http', 'Content-Transfer-Encoding: binary'];
	if (id) lines.push(`Content-ID: ${id}`);
	lines.push('', `HTTP/1.1 ${out.status} ${REASON[out.status] || 'Unknown'}`);
	for (const [k, v] of Object.entries(out.headers || {})) lines.push(`${k}: ${v}`);
	if (body) lines.push('Content-Type: application/json; odata.metadata=minimal');
	return lines.join(CRLF) + CRLF + CRLF + body;
}

function run(ctx, r, refs) {
	const { dialect } = ctx;
	try {
		const out = dialect.dispatch({ ...ctx, refs }, { method: r.method, url: absolute(r.url, ctx, refs), headers: { ...r.headers, host: ctx.headers.host }, body: Buffer.from(r.body) });
		if (r.id && out.headers && out.headers['OData-EntityId']) refs.set(r.id, out.headers['OData-EntityId']);
		return out;
	} catch (e) {
		if (!(e instanceof HttpError)) throw e;
		return { status: e.status, body: e.body, headers: e.headers };
	}
}

function batch(ctx) {
	const boundary = boundaryOf(ctx.headers['content-type']);
	if (!boundary) throw errors.fail(400, '', "The content type of a batch request must be 'multipart/mixed' with a boundary.");
	const list = parts(ctx.body.toString('utf8'), boundary);
	const goOn = /odata\.continue-on-error/i.test(ctx.headers.prefer || '');
	let count = 0, failed = false;
	const answers = [];
	for (const p of list) {
		const inner = boundaryOf(p.headers['content-type']);
		if (!inner) {
			if (++count > MAX) throw errors.fail(400, '', `The batch holds more than ${MAX} requests.`);
			const r = request(p), out = run(ctx, r, new Map());
			answers.push(render(out, r.id));
			failed = out.status >= 400;
		} else {
			const requests = parts(p.body, inner).map(request);
			count += requests.length;
			if (count > MAX) throw errors.fail(400, '', `The batch holds more than ${MAX} requests.`);
			if (requests.some(r => r.method === 'GET')) throw errors.fail(400, '', 'A change set cannot hold a GET request.');
			const refs = new Map(), done = [], touched = ctx.entry.touched.length;
			this.store.begin();
			let bad = null;
			for (const r of requests) {
				const out = run(ctx, r, refs);
				if (out.status >= 400) { bad = render(out, r.id); break; }
				done.push(render(out, r.id));
			}
			failed = bad !== null;
			if (failed) {
				// a change set fails as a whole and is answered by its first error
				this.store.rollback();
				ctx.entry.touched.length = touched;
				answers.push(bad);
			} else {
				this.store.commit();
				const b = `changesetresponse_${crypto.randomUUID()}`;
				answers.push(`Content-Type: multipart/mixed; boundary=${b}${CRLF}${CRLF}` + done.map(d => `--${b}${CRLF}${d}${CRLF}`).join('') + `--${b}--${CRLF}`);
			}
		}
		if (failed && !goOn) break;
	}
	const b = `batchresponse_${crypto.randomUUID()}`;
	return { status: failed && !goOn ? 400 : 200, headers: { 'Content-Type': `multipart/mixed; boundary=${b}`, 'OData-Version': '4.0' }, body: answers.map(a => `--${b}${CRLF}${a}${CRLF}`).join('') + `--${b}--${CRLF}` };
}
module.exports = { batch };
