/*
 * engine.c
 *		One turn of the delivery loop.
 *
 * A tick is one transaction: plan what was captured, settle what was answered, load
 * what was planned, arm what may go. Merged, because commits are what a queue in
 * a database spends its time on. When it fails, nothing of it has happened: answers stay
 * in memory and are settled again, first one by one, so that one that cannot be written
 * holds up no other.
 *
 * What a newcomer gets wrong: memory is changed after the commit only. The two exceptions,
 * jobs that were loaded and exchanges that were armed, are undone on failure.
 */
#include "postgres.h"

#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "engine/batch.h"
#include "engine/engine_state.h"
#include "pg/env.h"
#include "pg/clock.h"
#include "pg/spi.h"
#include "store/alert.h"
#include "store/destination_state.h"
#include "store/shards.h"

#define UNSETTLED_MAX 2000		/* answers in memory: no more is sent until they are settled */
#define DOOMED_PER_TICK 200
#define PLAIN_AFTER_FAILURES 2	/* then an answer is stored without what came from outside */
#define AFTER_SEND_US 30000		/* crash point "after_send": the bytes have left by then */

/* What one transaction of a tick is to do. */
typedef struct TickWork
{
	CallsyncEngine *engine;
	bool		settle;			/* all answers */
	CallsyncExchange *only;		/* this answer alone */
	bool		flow;			/* plan, load, arm */
	bool		planned;		/* the planner was called */
	CallsyncPlanned plan;
} TickWork;

/* ---- time ---- */

int64
callsync_engine_ms(TimestampTz t)
{
	return callsync_unix_us(t) / 1000;
}

TimestampTz
callsync_engine_time(int64 unix_ms)
{
	return callsync_from_unix_us(unix_ms * 1000);
}

int64
callsync_engine_now_ms(void)
{
	return callsync_engine_ms(callsync_now());
}

/* ---- life ---- */

static void *
job_alloc(void *arg, size_t size)
{
	return MemoryContextAllocHuge((MemoryContext) arg, size);
}

static void
job_release(void *arg, void *p)
{
	pfree(p);
}

CallsyncEngine *
callsync_engine_create(MemoryContext parent, const CallsyncWorkerIdentity *identity,
					   CallsyncHttp *http)
{
	MemoryContext mcxt = AllocSetContextCreate(parent, "callsync engine", ALLOCSET_DEFAULT_SIZES);
	CallsyncEngine *engine = MemoryContextAllocZero(mcxt, sizeof(CallsyncEngine));
	CallsyncAllocator allocator;

	/*
	 * Every statement here joins a short list of keys to a table by its primary
	 * key. On a table that was never analysed the planner may think otherwise,
	 * and the loop then runs at a twentieth of its speed.
	 */
	SetConfigOption("enable_seqscan", "off", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("enable_hashjoin", "off", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("enable_mergejoin", "off", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("plan_cache_mode", "force_generic_plan", PGC_USERSET, PGC_S_SESSION);
	SetConfigOption("jit", "off", PGC_USERSET, PGC_S_SESSION);

	engine->mcxt = mcxt;
	engine->jobs_mcxt = AllocSetContextCreate(mcxt, "callsync jobs", ALLOCSET_DEFAULT_SIZES);
	engine->identity = identity;
	engine->http = http;
	allocator.alloc = job_alloc;
	allocator.release = job_release;
	allocator.arg = engine->jobs_mcxt;
	engine->jobs = callsync_jobs_create(&allocator);
	engine->destinations = callsync_destinations_create(mcxt);
	engine->planner = callsync_planner_create(mcxt, engine->destinations);
	callsync_limits_attach(engine);
	dlist_init(&engine->arming);
	dlist_init(&engine->armed);
	dlist_init(&engine->flying);
	dlist_init(&engine->answered);
	dlist_init(&engine->withdrawn);
	engine->wake_ms = INT64_MAX;
	return engine;
}

void
callsync_engine_reload(CallsyncEngine *engine)
{
	/* workers and limits are compared in each tick */
}

void
callsync_engine_shutdown(CallsyncEngine *engine)
{
	engine->shutting_down = true;
}

bool
callsync_engine_drained(const CallsyncEngine *engine)
{
	return engine->narmed == 0 && engine->nflying == 0 && engine->nanswered == 0 && engine->nwithdrawn == 0;
}

void
callsync_engine_status(const CallsyncEngine *engine, CallsyncEngineStatus *status)
{
	*status = engine->status;
	status->in_flight = engine->nflying;
	status->unsettled = engine->nanswered + engine->nwithdrawn;
	status->waiting = callsync_jobs_count(engine->jobs);
	status->holes = callsync_planner_holes(engine->planner);
}

void
callsync_engine_add_result(CallsyncEngine *engine, CallsyncResult *result)
{
	/* it is read again after the commit, when SPI's memory is gone */
	Assert(GetMemoryChunkContext(result) == engine->tick);
	if (engine->nresults == engine->maxresults)
	{
		engine->maxresults = engine->maxresults ? engine->maxresults * 2 : 64;
		engine->results = engine->results
			? repalloc(engine->results, sizeof(CallsyncResult *) * engine->maxresults)
			: MemoryContextAlloc(engine->mcxt, sizeof(CallsyncResult *) * engine->maxresults);
	}
	engine->results[engine->nresults++] = result;
}

/* ---- giving memory up ---- */

typedef struct Forgetting
{
	CallsyncEngine *engine;
	const CallsyncEngineDest *dest; /* NULL: all */
	int64	   *ids;
	int			n;
	int			max;
} Forgetting;

static void
collect_idle(void *arg, CallsyncJob *job)
{
	Forgetting *f = arg;

	if (job->state == CALLSYNC_JOB_RUNNING || (f->dest != NULL && job->dest != f->dest->slot))
		return;
	if (f->n == f->max)
	{
		f->max = f->max ? f->max * 2 : 256;
		f->ids = f->ids ? repalloc_huge(f->ids, sizeof(int64) * f->max)
			: MemoryContextAllocHuge(f->engine->tick, sizeof(int64) * f->max);
	}
	f->ids[f->n++] = job->id;
}

/* All jobs (of a destination) that are not under way leave memory; the table still has them. */
static void
forget_jobs(CallsyncEngine *engine, const CallsyncEngineDest *dest)
{
	Forgetting	f = {engine, dest, NULL, 0, 0};

	callsync_jobs_each(engine->jobs, collect_idle, &f);
	for (int i = 0; i < f.n; i++)
	{
		CallsyncJob *job = callsync_jobs_find(engine->jobs, f.ids[i]);

		callsync_load_left(job);
		callsync_jobs_forget(engine->jobs, job, 0);
	}
	for (int i = 0; i < engine->ndests; i++)
		if (dest == NULL || engine->dests[i] == dest)
			engine->dests[i]->classes_known = false;
}

/* ---- destinations and shards ---- */

CallsyncEngineDest *
callsync_engine_dest(CallsyncEngine *engine, const char *name)
{
	CallsyncDestination *d = callsync_destination_find(engine->destinations, name);

	return d ? d->engine : NULL;
}

static void
sync_destinations(CallsyncEngine *engine)
{
	(void) callsync_destinations_refresh(engine->destinations);
	for (int i = 0; i < callsync_destinations_count(engine->destinations); i++)
	{
		CallsyncDestination *d = callsync_destinations_at(engine->destinations, i);
		CallsyncEngineDest *dest = d->engine;

		if (dest == NULL && !d->dropped)
		{
			dest = MemoryContextAllocZero(engine->mcxt, sizeof(*dest));
			dest->slot = engine->ndests;
			dest->d = d;
			d->engine = dest;
			if (engine->ndests == engine->maxdests)
			{
				engine->maxdests = engine->maxdests ? engine->maxdests * 2 : 8;
				engine->dests = engine->dests
					? repalloc(engine->dests, sizeof(CallsyncEngineDest *) * engine->maxdests)
					: MemoryContextAlloc(engine->mcxt, sizeof(CallsyncEngineDest *) * engine->maxdests);
			}
			engine->dests[engine->ndests++] = dest;
		}
		if (dest == NULL)
			continue;
		if (d->dropped)
		{
			if (callsync_jobs_count_dest(engine->jobs, dest->slot) > 0)
				forget_jobs(engine, dest);
			continue;
		}
		/* due times may have been changed along with it: the table knows them */
		if (dest->generation != 0 && dest->generation != d->generation)
			forget_jobs(engine, dest);
		callsync_engine_dest_configure(engine, dest);
		if (!dest->breaker_restored)
		{
			TimestampTz until = callsync_destination_state_open_until(d->name);
			TimestampTz last_told;
			TimestampTz throttled_until;

			if (until != 0)
				callsync_breaker_restore_open(&dest->breaker, Min(callsync_engine_ms(until),
																  callsync_engine_now_ms() + 32000));
			dest->was_down = until != 0;
			dest->was_refused = callsync_alert_is_open("auth", d->name, "");
			dest->was_behind = callsync_alert_is_open("batch_behind", d->name, "");
			dest->was_asked = callsync_alert_is_open("retry_after", d->name, "");
			last_told = callsync_destination_state_told(d->name, &throttled_until);
			callsync_limits_resume(dest, last_told, throttled_until);
			dest->breaker_restored = true;
		}
	}
}

static void
collect_busy(void *arg, CallsyncJob *job)
{
	if (job->state == CALLSYNC_JOB_RUNNING)
		*(uint64 *) arg |= UINT64CONST(1) << job->shard;
}

/* A shard changes hands only when nothing of it is under way. */
static void
sync_shards(CallsyncEngine *engine)
{
	int			workers = Max(engine->identity->workers, 1);
	uint64		wanted = callsync_shards_wanted(engine->identity->index, workers);
	uint64		busy = 0;

	if (engine->workers == workers && engine->owned == wanted)
		return;
	if (engine->workers != workers)
		engine->workers = workers;
	callsync_jobs_each(engine->jobs, collect_busy, &busy);
	callsync_shards_adjust(engine->identity->database, &engine->owned, wanted, busy);
	if (engine->shards != (engine->owned & wanted))
	{
		engine->shards = engine->owned & wanted;
		forget_jobs(engine, NULL);
		callsync_planner_set_shards(engine->planner, engine->shards);
	}
	/* somebody else still has some of ours, or we have some of theirs */
	if (engine->owned != wanted)
		engine->wake_ms = Min(engine->wake_ms, callsync_engine_now_ms() + 100);
}

/* ---- the tick's transaction ---- */

/* Deliveries whose dependency failed for good */
static void
settle_doomed(CallsyncEngine *engine)
{
	CallsyncJob *job = callsync_jobs_next_doomed(engine->jobs);

	for (int i = 0; job != NULL && i < DOOMED_PER_TICK; i++, job = job->doomed_next)
	{
		CallsyncDelivery *row;
		CallsyncResult *r;

		if (callsync_delivery_load(job->day, &job->id, 1, engine->tick, &row) != 1)
			continue;
		r = palloc0(sizeof(*r));
		callsync_result_init(r, job, engine->dests[job->dest], row);
		r->kind = CALLSYNC_RESULT_SETTLED;
		r->state = CALLSYNC_STEP_FAILED;
		r->error_class = "permanent";
		r->last_error = "an earlier step that it needs was not delivered";
		r->remedy = "Mend the earlier step and callsync.redrive() it, then callsync.resync() the call.";
		callsync_engine_add_result(engine, r);
	}
	if (job != NULL)
		engine->more = true;
}

static void
write_answers(CallsyncEngine *engine, CallsyncExchange *only)
{
	int			nitems = 0,
				n = 0,
				taken = 0;
	CallsyncResult **results;
	CallsyncAttemptEnd *ends;
	dlist_iter	iter;

	dlist_foreach(iter, &engine->answered)
		nitems += dlist_container(CallsyncExchange, node, iter.cur)->nitems;
	if (nitems == 0)
		return;
	results = palloc(sizeof(CallsyncResult *) * nitems);
	ends = palloc0(sizeof(CallsyncAttemptEnd) * nitems);
	dlist_foreach(iter, &engine->answered)
	{
		CallsyncExchange *x = dlist_container(CallsyncExchange, node, iter.cur);

		if (only != NULL && x != only)
			continue;
		callsync_exchange_ends(x, ends + n);
		for (int i = 0; i < x->nitems; i++)
		{
			if (x->settle_failures >= PLAIN_AFTER_FAILURES)
			{
				CallsyncResult *r = &x->items[i].result;

				ends[n].message = ends[n].message ? "the answer could not be stored" : NULL;
				ends[n].response = NULL;
				ends[n].response_headers = NULL;
				r->field_results = NULL;
				r->missing = NULL;
				if (r->contacts != NULL)
					json_array_clear(r->contacts);
				if (r->last_error != NULL)
					r->last_error = "the answer could not be stored";
			}
			results[n++] = &x->items[i].result;
		}
		x->settling = true;
		if (only == NULL && ++taken >= CALLSYNC_TICK_ROWS && n >= CALLSYNC_TICK_ROWS)
		{
			engine->more = true;
			break;
		}
	}
	callsync_settle_write(engine, results, n, ends, n);
}

static void
tick_body(void *arg)
{
	TickWork   *work = arg;
	CallsyncEngine *engine = work->engine;

	/* SPI's own memory ends with the transaction: what is decided here outlives it */
	MemoryContextSwitchTo(engine->tick);

	if (work->settle || work->only != NULL)
		write_answers(engine, work->only);
	if (!work->flow)
		return;
	callsync_wire_write_withdrawn(engine);
	callsync_engine_pump(engine);

	sync_destinations(engine);
	if (engine->shutting_down)
		return;
	sync_shards(engine);
	/* a copy, or a dump that is just being restored: nothing here is ours to move */
	if (engine->identity->is_copy)
		return;
	work->planned = true;
	callsync_planner_tick(engine->planner, CALLSYNC_TICK_ROWS, &work->plan);
	engine->more = engine->more || work->plan.more;
	callsync_load_planned(engine, work->plan.delivery_ids, work->plan.ndeliveries, true);
	callsync_load_planned(engine, work->plan.redriven_ids, work->plan.nredriven, false);
	engine->more = callsync_load_queue(engine) || engine->more;
	settle_doomed(engine);
	callsync_engine_pump(engine);
	callsync_limits_tick(engine);
	if (engine->nanswered < UNSETTLED_MAX)
		callsync_arm(engine);
	callsync_settle_write(engine, engine->results, engine->nresults, NULL, 0);
	callsync_batch_watch(engine);
	callsync_engine_dests_tell(engine, false);
	callsync_engine_pump(engine);
}

/* ---- after it ---- */

/*
 * Is some destination more than half idle although something is ready for it? Then
 * the next tick comes at once; else answers are collected for a moment first. Where it
 * is closed for a while, the tick comes when it opens: what was made ready by this
 * commit was not there when the tick looked what it has to wait for.
 */
static bool
has_idle_capacity(CallsyncEngine *engine)
{
	int64		now_ms = callsync_engine_now_ms();
	int64		wait_ms;
	bool		found = false;

	for (int i = 0; i < engine->ndests; i++)
	{
		CallsyncEngineDest *dest = engine->dests[i];

		if (callsync_jobs_count_ready(engine->jobs, i) == 0 || dest->in_flight * 2 >= dest->concurrency)
			continue;
		if (callsync_engine_dest_open(engine, dest, now_ms, &wait_ms))
			found = true;
		else
			engine->wake_ms = Min(engine->wake_ms, wait_ms);
	}
	return found;
}

static void
committed(CallsyncEngine *engine, TickWork *work)
{
	dlist_mutable_iter iter;
	bool		settled = false;

	if (work->planned)
	{
		callsync_planner_committed(engine->planner, true, NULL);
		callsync_load_hastened(engine);
		engine->status.total_claimed += work->plan.claimed;
	}
	dlist_foreach_modify(iter, &engine->answered)
	{
		CallsyncExchange *x = dlist_container(CallsyncExchange, node, iter.cur);

		if (!x->settling)
			continue;
		for (int i = 0; i < x->nitems; i++)
		{
			CallsyncResult *r = &x->items[i].result;

			callsync_results_apply(engine, &r, 1);
		}
		dlist_delete(&x->node);
		engine->nanswered--;
		callsync_exchange_free(x);
		settled = true;
	}
	if (settled)
		callsync_crash_point("settle_committed");
	settled = settled || engine->nresults > 0;
	if (work->flow)
		callsync_wire_withdrawn_committed(engine);
	callsync_results_apply(engine, engine->results, engine->nresults);
	engine->nresults = 0;
	while (!dlist_is_empty(&engine->arming))
	{
		CallsyncExchange *x = dlist_container(CallsyncExchange, node, dlist_pop_head_node(&engine->arming));

		if (x->dest->d->dry_run)
		{
			x->dest->in_flight--;
			callsync_engine_dest_give_back(x, false, callsync_engine_now_ms());
			callsync_exchange_free(x);
			/* no answer will wake the loop for the next ones */
			engine->more = true;
			continue;
		}
		dlist_push_tail(&engine->armed, &x->node);
		engine->narmed++;
	}
	engine->more = engine->more || callsync_jobs_next_doomed(engine->jobs) != NULL;
	/* what was settled may have made others ready */
	if (settled)
		engine->more = engine->more || has_idle_capacity(engine);
}

static void
failed(CallsyncEngine *engine, TickWork *work, const CallsyncTxnError *error)
{
	dlist_iter	iter;

	if (work->planned)
		callsync_planner_committed(engine->planner, false, error);
	dlist_foreach(iter, &engine->answered)
		dlist_container(CallsyncExchange, node, iter.cur)->settling = false;
	dlist_foreach(iter, &engine->withdrawn)
		dlist_container(CallsyncExchange, node, iter.cur)->settling = false;
	callsync_arm_undo(engine);
	for (int i = 0; i < engine->nresults; i++)
		if (engine->results[i]->job->state == CALLSYNC_JOB_RUNNING)
			callsync_jobs_put_back(engine->jobs, engine->results[i]->job);
	engine->nresults = 0;
	/* memory may be ahead of the tables: read them again */
	if (work->flow)
		forget_jobs(engine, NULL);
}

/* *of_row: it failed because of what was to be written */
static CallsyncTxnResult
run(CallsyncEngine *engine, TickWork *work, const char *activity, bool *of_row)
{
	CallsyncTxnError error;
	CallsyncTxnResult result;

	result = callsync_txn_run(activity, tick_body, work, &error);
	MemoryContextSwitchTo(engine->tick);
	if (result == CALLSYNC_TXN_COMMITTED)
		committed(engine, work);
	else
		failed(engine, work, &error);
	*of_row = error.of_row;
	return result;
}

/* After a failure: every answer in a transaction of its own, then the rest. */
static CallsyncTxnResult
run_carefully(CallsyncEngine *engine)
{
	CallsyncTxnResult worst = CALLSYNC_TXN_COMMITTED;
	dlist_mutable_iter iter;
	TickWork	rest = {engine};
	bool		of_row;

	dlist_foreach_modify(iter, &engine->answered)
	{
		TickWork	work = {engine};
		CallsyncTxnResult result;

		work.only = dlist_container(CallsyncExchange, node, iter.cur);
		result = run(engine, &work, "settling one answer", &of_row);
		if (result == CALLSYNC_TXN_NO_EXTENSION)
			return result;
		if (result == CALLSYNC_TXN_FAILED)
		{
			/* a full disk is no reason to store less of it */
			work.only->settle_failures += of_row;
			worst = result;
		}
	}
	rest.flow = true;
	if (run(engine, &rest, "planning and sending", &of_row) == CALLSYNC_TXN_FAILED)
		worst = CALLSYNC_TXN_FAILED;
	else if (worst == CALLSYNC_TXN_COMMITTED)
		engine->careful = false;
	return worst;
}

/* ---- turns ---- */

/* Answers of http.c, decided at once: what they say of the server must not wait. */
static void
collect_answers(CallsyncEngine *engine)
{
	CallsyncHttpResponse *response;

	while ((response = callsync_http_next_done(engine->http)) != NULL)
	{
		CallsyncExchange *x = response->user;

		x->response = response;
		x->answered_at = callsync_now();
		dlist_delete(&x->node);
		engine->nflying--;
		x->dest->in_flight--;
		callsync_wire_answered(x);
		dlist_push_tail(&engine->answered, &x->node);
		engine->nanswered++;
		callsync_crash_point("reply_received");
		callsync_deliver_decide(engine, x);
	}
}

void
callsync_engine_pump(CallsyncEngine *engine)
{
	if (engine->nflying == 0)
		return;
	callsync_http_drive(engine->http);
	collect_answers(engine);
	callsync_engine_send(engine);
}

/* Is it better to wait a moment for more answers? */
static bool
linger(CallsyncEngine *engine, int64 now_us)
{
	int64		until_us = engine->last_tick_us + CALLSYNC_TICK_LINGER_MS * 1000;

	if (engine->nflying == 0 || engine->nanswered >= CALLSYNC_TICK_ROWS || engine->more || now_us >= until_us)
		return false;
	engine->wake_ms = Min(engine->wake_ms, callsync_engine_now_ms() + (until_us - now_us) / 1000 + 1);
	return true;
}

/*
 * Links of contacts are rows that workers share, and so are the callers that the planner
 * locks: a transaction that holds some of the one must not wait for the other.
 */
static bool
settle_apart(CallsyncEngine *engine)
{
	dlist_iter	iter;

	if (engine->workers <= 1)
		return false;
	dlist_foreach(iter, &engine->answered)
	{
		const CallsyncExchange *x = dlist_container(CallsyncExchange, node, iter.cur);

		for (int i = 0; i < x->nitems; i++)
			if (callsync_result_of_contact(&x->items[i].result))
				return true;
	}
	return false;
}

CallsyncTick
callsync_engine_tick(CallsyncEngine *engine)
{
	int64		now_us = callsync_monotonic_us();
	CallsyncTxnResult result;
	bool		of_row;

	engine->tick = CurrentMemoryContext;
	collect_answers(engine);
	if (engine->nflying > 0 && now_us - engine->sent_us > AFTER_SEND_US)
		callsync_crash_point("after_send");
	/* a place that is free again is filled before anything is written down */
	callsync_engine_send(engine);
	if (linger(engine, now_us))
		return CALLSYNC_TICK_IDLE;

	engine->last_tick_us = now_us;
	engine->more = false;
	engine->wake_ms = INT64_MAX;
	if (engine->careful)
		result = run_carefully(engine);
	else
	{
		TickWork	work = {engine};

		result = CALLSYNC_TXN_COMMITTED;
		work.settle = true;
		if (settle_apart(engine))
		{
			result = run(engine, &work, "settling", &of_row);
			work = (TickWork) {engine};
		}
		work.flow = true;
		if (result == CALLSYNC_TXN_COMMITTED)
			result = run(engine, &work, "settling, planning and sending", &of_row);
	}
	engine->tick_us += (callsync_monotonic_us() - now_us - engine->tick_us) / 8;
	switch (result)
	{
		case CALLSYNC_TXN_NO_EXTENSION:
			return CALLSYNC_TICK_NO_EXTENSION;
		case CALLSYNC_TXN_FAILED:
			engine->careful = true;
			return CALLSYNC_TICK_FAILED;
		case CALLSYNC_TXN_COMMITTED:
			break;
	}
	return engine->more ? CALLSYNC_TICK_MORE : CALLSYNC_TICK_IDLE;
}

int64
callsync_engine_next_deadline_ms(CallsyncEngine *engine)
{
	int64		next = Min(engine->wake_ms, callsync_load_next_ms(engine));
	int64		now_ms = callsync_engine_now_ms();

	if (engine->shutting_down)
		return engine->wake_ms == INT64_MAX ? -1 : Max(engine->wake_ms - now_ms, 0);
	for (int i = 0; i < engine->ndests; i++)
		if (!engine->dests[i]->d->paused && !engine->dests[i]->d->dropped)
			next = Min(next, callsync_jobs_next_due(engine->jobs, i));
	if (next == INT64_MAX)
		return -1;
	return Max(next - now_ms, 0);
}
