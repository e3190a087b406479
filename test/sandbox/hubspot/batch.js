'use strict';
// The batch endpoints. Two regimes: with an objectWriteTraceId on every input a batch may succeed in
// part (207); without them the first bad input fails it all and nothing is written. Results come back
// in an order of HubSpot's own (here: shuffled by the seed), never to be joined by position.
const errors = require('./errors');
const objects = require('./objects');
const { HttpError } = require('../lib/errors');
const { shuffled } = require('../lib/prng');

function inputs(ctx) {
	const { dialect } = ctx;
	const body = dialect.body(ctx);
	const list = body && body.inputs;
	if (!Array.isArray(list)) throw errors.badInput('"inputs" must be an array');
	const max = dialect.config.batch_max;
	if (list.length > max) throw errors.invalid(`Batch size of ${list.length} exceeds the maximum of ${max} inputs`);
	if (!list.every(i => i && typeof i === 'object')) throw errors.badInput('every input must be an object');
	return { body, list };
}

function answer(ctx, okStatus, started, results, failures) {
	const body = { status: 'COMPLETE', results: shuffled(results, ctx.dialect.random), requestedAt: started, startedAt: started, completedAt: ctx.dialect.clock.iso() };
	if (!failures.length) return { status: okStatus, body };
	body.numErrors = failures.length;
	body.errors = failures;
	return { status: 207, body };
}

// plan(input) checks one input and returns the function that writes it and returns the result item.
function run(ctx, list, okStatus, plan) {
	const started = ctx.dialect.clock.iso();
	const traced = list.length > 0 && list.every(i => typeof i.objectWriteTraceId === 'string' && i.objectWriteTraceId !== '');
	if (traced && new Set(list.map(i => i.objectWriteTraceId)).size !== list.length) throw errors.invalid('objectWriteTraceId must be unique within a batch');
	const withTrace = (result, input) => (input.objectWriteTraceId === undefined ? result : { ...result, objectWriteTraceId: input.objectWriteTraceId });
	if (!traced) {
		const commits = list.map(i => plan(i));
		return answer(ctx, okStatus, started, commits.map((commit, n) => withTrace(commit(), list[n])), []);
	}
	const results = [], failures = [];
	for (const input of list) {
		try {
			results.push(withTrace(plan(input)(), input));
		} catch (e) {
			if (!(e instanceof HttpError)) throw e;
			failures.push(errors.item(e, { objectWriteTraceId: [input.objectWriteTraceId] }));
		}
	}
	return answer(ctx, okStatus, started, results, failures);
}

// Two inputs of an all-or-nothing batch with one unique value: the store cannot see that in advance.
function refuseTwins(ctx, object, list) {
	for (const property of ctx.dialect.store.table(object).unique.keys()) {
		const { normalize } = ctx.dialect.store.table(object).unique.get(property);
		const seen = new Set();
		for (const i of list) {
			const v = i.properties && i.properties[property];
			if (!v || typeof v !== 'string') continue;
			const key = normalize(v);
			if (seen.has(key)) throw errors.validation([{ code: 'CONFLICTING_UNIQUE_VALUE', name: property, message: `Duplicate value ${v} within the batch.` }]);
			seen.add(key);
		}
	}
}
function refuseSameIds(list) {
	const seen = new Set(), twice = [];
	for (const i of list) {
		const key = `${i.idProperty || ''}\n${String(i.id).toLowerCase()}`;
		if (seen.has(key)) twice.push(i.id);
		seen.add(key);
	}
	if (twice.length) throw errors.invalid(`Duplicate IDs found in batch input: [${twice.join(', ')}]. IDs must be unique`);
}

function create(ctx) {
	const { dialect, object } = this.here(ctx);
	const { list } = inputs(ctx);
	if (!list.every(i => i.objectWriteTraceId)) refuseTwins(ctx, object, list);
	return run(ctx, list, 201, i => {
		const commit = objects.planCreate(ctx, object, i);
		return () => objects.render(dialect, object, commit());
	});
}

function update(ctx) {
	const { dialect, object } = this.here(ctx);
	const { list } = inputs(ctx);
	refuseSameIds(list);
	return run(ctx, list, 200, i => {
		const r = objects.find(dialect, object, i.id, i.idProperty);
		if (!r) throw errors.notFound();
		const commit = objects.planUpdate(ctx, object, r, i);
		return () => objects.render(dialect, object, commit());
	});
}

function upsert(ctx) {
	const { dialect, object } = this.here(ctx);
	const { list } = inputs(ctx);
	for (const i of list) {
		if (!i.idProperty) throw errors.badInput('"idProperty" is required for upsert');
		if (typeof i.id !== 'string' || i.id === '') throw errors.badInput('"id" is required for upsert');
		objects.needUnique(dialect, object, i.idProperty);
	}
	refuseSameIds(list);
	return run(ctx, list, 200, i => {
		const r = objects.find(dialect, object, i.id, i.idProperty);
		if (r) {
			const commit = objects.planUpdate(ctx, object, r, i);
			return () => ({ ...objects.render(dialect, object, commit()), new: false });
		}
		// The id is the value of the unique property, written or not among the properties.
		const commit = objects.planCreate(ctx, object, { properties: { ...i.properties, [i.idProperty]: (i.properties || {})[i.idProperty] ?? i.id } });
		return () => ({ ...objects.render(dialect, object, commit()), new: true });
	});
}

function read(ctx) {
	const { dialect, object } = this.here(ctx);
	const { body, list } = inputs(ctx);
	const started = dialect.clock.iso();
	if (body.idProperty) objects.needUnique(dialect, object, body.idProperty, 'read');
	const names = objects.askedFor(dialect, object, body.properties);
	const archived = ctx.query.get('archived') === 'true';
	const results = [], lost = [], seen = new Set();
	for (const i of list) {
		const r = objects.find(dialect, object, i.id, body.idProperty, archived);
		if (!r) { lost.push(String(i.id)); continue; }
		if (seen.has(r.id)) continue;   // two names of one record are one result
		seen.add(r.id);
		results.push(objects.render(dialect, object, r, names));
	}
	const failures = lost.length ? [{ status: 'error', category: 'OBJECT_NOT_FOUND', message: `Could not get some ${dialect.type(object).label} objects, they may be deleted or not exist. Check that ids are valid.`,
		context: { ids: lost }, errors: [], links: {} }] : [];
	return answer(ctx, 200, started, results, failures);
}

function archive(ctx) {
	const { dialect, object } = this.here(ctx);
	for (const i of inputs(ctx).list) {
		const r = objects.find(dialect, object, i.id);
		if (r) ctx.writer.archive(object, r.id);
	}
	return { status: 204 };
}

module.exports = { create, read, update, upsert, archive, inputs, answer };
