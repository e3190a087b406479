// peer.js PACKAGES graphile-worker|pg-boss URL CONNECTION JOBS CONCURRENCY BODY-BYTES
// One peer doing what callsync does on its whole way: enqueue, send, write down the result. Tuned as
// its own documentation says. Prints jobs a second and CPU microseconds of this process per job.
'use strict';
const path = require('node:path');
const [packages, kind, url, connectionString, jobsText, concurrencyText, bytesText] = process.argv.slice(2);
const need = (name) => require(path.join(packages, 'node_modules', name));
const { Pool } = need('pg');
const { Pool: HttpPool } = need('undici');
const [jobs, concurrency, bytes] = [jobsText, concurrencyText, bytesText].map(Number);

const target = new URL(url);
const http = new HttpPool(target.origin, { connections: concurrency, pipelining: 1 });
const pool = new Pool({ connectionString, max: 20 });
pool.on('error', (e) => { throw e; });
pool.on('connect', (client) => client.on('error', (e) => { throw e; }));
const payload = { a: 'x'.repeat(bytes - 8) };
let done = 0;
let finished;
const all = new Promise((resolve) => { finished = resolve; });

async function post(data) {
	const response = await http.request({ path: target.pathname, method: 'POST',
		headers: { 'content-type': 'application/json' }, body: JSON.stringify(data) });
	await response.body.text();
	if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
	return response.statusCode;
}

function count(n) {
	done += n;
	if (done >= jobs) finished();
}

async function graphileWorker() {
	const { run, runMigrations } = need('graphile-worker');
	const { Logger } = need('@graphile/logger');
	const silent = new Logger(() => () => {});
	await runMigrations({ pgPool: pool, logger: silent });
	return async () => {
		// bulk adding, as "add_jobs" is documented; a queue-less job, the fastest kind
		for (let i = 0; i < jobs; i += 1000) {
			await pool.query(`SELECT count(*) FROM graphile_worker.add_jobs((SELECT array_agg(
				json_populate_record(null::graphile_worker.job_spec, json_build_object('identifier', 'send', 'payload', $1::json)))
				FROM generate_series(1, $2)))`, [JSON.stringify(payload), Math.min(1000, jobs - i)]);
		}
		const runner = await run({
			pgPool: pool, noHandleSignals: true, logger: silent,
			// https://worker.graphile.org/docs/performance: a local queue and batched completion
			preset: { worker: { concurrentJobs: concurrency, maxPoolSize: 20, pollInterval: 1000, logger: silent,
				localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
			taskList: {
				send: async (data, helpers) => {
					const status = await post(data);
					await helpers.query('INSERT INTO peer_result (job, status) VALUES ($1, $2)', [helpers.job.id, status]);
					count(1);
				},
			},
		});
		await all;
		return () => runner.stop();
	};
}

async function pgBoss() {
	const PgBoss = need('pg-boss');
	const boss = new PgBoss({ connectionString, max: 20, supervise: false, schedule: false });
	boss.on('error', (e) => { console.error(e); process.exit(1); });
	await boss.start();
	await boss.createQueue('send');
	return async () => {
		for (let i = 0; i < jobs; i += 1000)
			await boss.insert(Array.from({ length: Math.min(1000, jobs - i) }, () => ({ name: 'send', data: payload })));
		// big batches, two of them at once, and no pause while there is more (notifyWorker); the results of
		// a batch are one INSERT, its completion is one statement of pg-boss
		for (let w = 0; w < 2; w++) {
			const id = await boss.work('send', { batchSize: 500, pollingIntervalSeconds: 0.5 }, async (batch) => {
				const status = await Promise.all(batch.map((job) => post(job.data)));
				await pool.query('INSERT INTO peer_result (job, status) SELECT * FROM unnest($1::text[], $2::int[])', [batch.map((job) => job.id), status]);
				boss.notifyWorker(id);
				count(batch.length);
			});
		}
		await all;
		return () => boss.stop({ graceful: false });
	};
}

(async () => {
	await pool.query('DROP TABLE IF EXISTS peer_result; CREATE TABLE peer_result (id bigserial PRIMARY KEY, job text, status int, at timestamptz DEFAULT clock_timestamp())');
	const work = await (kind === 'pg-boss' ? pgBoss() : graphileWorker());
	const cpu = process.cpuUsage();
	const start = process.hrtime.bigint();
	await work();
	const seconds = Number(process.hrtime.bigint() - start) / 1e9;
	const used = process.cpuUsage(cpu);
	console.log(`${(jobs / seconds).toFixed(0)} ${((used.user + used.system) / jobs).toFixed(1)}`);
	process.exit(0);
})().catch((e) => { console.error(e); process.exit(1); });
