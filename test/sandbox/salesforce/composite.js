'use strict';
// composite (25 sub-requests, references, one transaction), composite/graph, composite/batch.
const errors = require('./errors');

const MAX = 25, MAX_GRAPHS = 75, MAX_NODES = 500;

const halted = (referenceId, message) => ({ body: [{ errorCode: 'PROCESSING_HALTED', message }], httpHeaders: {}, httpStatusCode: 400, referenceId });
const ROLLED_BACK = 'The transaction was rolled back since another operation in the same transaction failed.';

class BadReference extends Error {}

// @{ref.path} in a text, from the answers so far.
function resolve(text, answers) {
	return text.replace(/@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}/g, (whole, ref, path) => {
		const a = answers.get(ref);
		if (!a || a.httpStatusCode >= 400) throw new BadReference(`Invalid reference specified. No value for ${whole.slice(2, -1)} found in ${ref}`);
		let v = a.body;
		for (const step of path.match(/\w+/g) || []) v = v === null || v === undefined ? undefined : v[step];
		if (v === undefined || v === null) throw new BadReference(`Invalid reference specified. No value for ${whole.slice(2, -1)} found in ${ref}`);
		return String(v);
	});
}
function deep(v, answers) {
	if (typeof v === 'string') return resolve(v, answers);
	if (Array.isArray(v)) return v.map(x => deep(x, answers));
	if (v && typeof v === 'object') return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, deep(x, answers)]));
	return v;
}

function checkParts(list) {
	const seen = new Set();
	for (const p of list) {
		if (!p || !p.method || !p.url || !p.referenceId) throw errors.fail(400, 'JSON_PARSER_ERROR', 'every sub-request needs method, url and referenceId');
		if (!/^[A-Za-z0-9_]+$/.test(p.referenceId)) throw errors.fail(400, 'INVALID_INPUT', `Invalid reference id ${p.referenceId}`);
		if (seen.has(p.referenceId)) throw errors.fail(400, 'INVALID_INPUT', `Duplicate ReferenceId provided. Provided referenceId: ${p.referenceId}`);
		seen.add(p.referenceId);
	}
}

// Runs sub-requests in order; with allOrNone in one transaction.
function run(ctx, list, allOrNone) {
	const { dialect } = ctx;
	const answers = new Map(), touched = ctx.entry.touched.length;
	if (allOrNone) dialect.store.begin();
	let broken = null;
	for (const p of list) {
		if (broken && allOrNone) { answers.set(p.referenceId, halted(p.referenceId, ROLLED_BACK)); continue; }
		let answer;
		try {
			const url = resolve(p.url, answers), body = deep(p.body, answers);
			const out = dialect.dispatch(ctx, { method: p.method.toUpperCase(), url, headers: lower({ ...ctx.headers, ...p.httpHeaders }), body: Buffer.from(body === undefined || body === null ? '' : JSON.stringify(body)) });
			const httpHeaders = {};
			if (out.headers && out.headers.Location) httpHeaders.Location = out.headers.Location;
			answer = { body: out.body === undefined ? null : out.body, httpHeaders, httpStatusCode: out.status, referenceId: p.referenceId };
		} catch (e) {
			if (!(e instanceof BadReference)) { if (allOrNone) dialect.store.rollback(); throw e; }
			answer = halted(p.referenceId, e.message);
		}
		if (answer.httpStatusCode >= 400) broken = p.referenceId;
		answers.set(p.referenceId, answer);
	}
	if (allOrNone) {
		if (broken) {
			dialect.store.rollback();
			ctx.entry.touched.length = touched;
			for (const [ref, a] of answers) if (a.httpStatusCode < 400) answers.set(ref, halted(ref, ROLLED_BACK));
		} else dialect.store.commit();
	}
	return { list: list.map(p => answers.get(p.referenceId)), ok: !broken };
}
const lower = h => Object.fromEntries(Object.entries(h).map(([k, v]) => [k.toLowerCase(), v]));

function composite(ctx) {
	const b = this.body(ctx);
	if (!b || !Array.isArray(b.compositeRequest) || !b.compositeRequest.length) throw errors.parser('compositeRequest must be a list');
	if (b.compositeRequest.length > MAX) throw errors.fail(400, 'LIMIT_EXCEEDED', `Limit exceeded: a composite request may hold ${MAX} sub-requests`);
	checkParts(b.compositeRequest);
	return { status: 200, body: { compositeResponse: run(ctx, b.compositeRequest, b.allOrNone === true).list } };
}

function graph(ctx) {
	const b = this.body(ctx);
	if (!b || !Array.isArray(b.graphs) || !b.graphs.length) throw errors.parser('graphs must be a list');
	if (b.graphs.length > MAX_GRAPHS) throw errors.fail(400, 'LIMIT_EXCEEDED', `no more than ${MAX_GRAPHS} graphs`);
	const nodes = b.graphs.reduce((n, g) => n + ((g.compositeRequest || []).length), 0);
	if (nodes > MAX_NODES) throw errors.fail(400, 'LIMIT_EXCEEDED', `no more than ${MAX_NODES} nodes`);
	return { status: 200, body: { graphs: b.graphs.map(g => {
		checkParts(g.compositeRequest || []);
		const { list, ok } = run(ctx, g.compositeRequest || [], true);
		return { graphId: g.graphId, graphResponse: { compositeResponse: list }, isSuccessful: ok };
	}) } };
}

function batch(ctx) {
	const b = this.body(ctx);
	if (!b || !Array.isArray(b.batchRequests) || !b.batchRequests.length) throw errors.parser('batchRequests must be a list');
	if (b.batchRequests.length > MAX) throw errors.fail(400, 'LIMIT_EXCEEDED', `Limit exceeded: a batch may hold ${MAX} sub-requests`);
	let hasErrors = false, stop = false;
	const results = b.batchRequests.map(p => {
		if (stop) return { statusCode: 412, result: [{ errorCode: 'BATCH_PROCESSING_HALTED', message: 'Batch processing halted per request' }] };
		const url = p.url.startsWith('/') ? p.url : `/services/data/${p.url}`;
		const out = this.dispatch(ctx, { method: p.method.toUpperCase(), url, headers: ctx.headers, body: Buffer.from(p.richInput === undefined ? '' : JSON.stringify(p.richInput)) });
		if (out.status >= 400) { hasErrors = true; stop = b.haltOnError === true; }
		return { statusCode: out.status, result: out.body === undefined ? null : out.body };
	});
	return { status: 200, body: { hasErrors, results } };
}
module.exports = { composite, graph, batch };
