/*
 * wire.c
 *		What is armed, and when it leaves.
 *
 * A request leaves when its attempt row is committed and its destination has a place on
 * the wire. A commit takes longer than many an answer, so places that are free would wait
 * for the next one: some requests are armed ahead, as many as are likely to be
 * answered until then, and leave the moment a place is free. Their units of the limits
 * are taken, and their order is the schedule's.
 *
 *		arming --commit--> armed --place free--> flying --answer--> answered
 *							  \--paused, down, refused--> withdrawn --commit--> back in the schedule
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "engine/engine_state.h"
#include "pg/clock.h"

/* Of one that takes very long, what is armed now would leave after people have changed their minds */
#define AHEAD_MAX_ANSWER_US 1000000

int
callsync_wire_ahead(const CallsyncEngine *engine, const CallsyncEngineDest *dest)
{
	int64		blind_us = engine->tick_us + CALLSYNC_TICK_LINGER_MS * 1000;

	if (dest->answer_us == 0 || dest->answer_us > AHEAD_MAX_ANSWER_US ||
		dest->breaker.state != CALLSYNC_BREAKER_CLOSED || engine->shutting_down)
		return 0;
	/* a single place among several workers may have to be passed on */
	if (dest->concurrency == 1 && engine->identity->workers > 1)
		return 0;
	return (int) Min(dest->concurrency, dest->concurrency * blind_us / dest->answer_us + 1);
}

void
callsync_wire_answered(CallsyncExchange *x)
{
	int64		us = Max(x->response->total_us, 1);

	x->dest->on_wire--;
	x->dest->answer_us += x->dest->answer_us == 0 ? us : (us - x->dest->answer_us) / 8;
	x->dest->answer_us = Max(x->dest->answer_us, 1);
}

/* What was learned since it was armed, of the destination or of this database: it is not to be sent now. */
static bool
is_closed(const CallsyncEngine *engine, const CallsyncExchange *x, int64 now_ms)
{
	CallsyncEngineDest *dest = x->dest;

	/* another worker may have been told */
	dest->paused_until_ms = Max(dest->paused_until_ms, callsync_limits_paused_until(dest));
	return engine->identity->is_copy || dest->d->paused || dest->d->dropped || dest->disable ||
		(dest->breaker.state != CALLSYNC_BREAKER_CLOSED && !x->probe) ||
		dest->paused_until_ms > now_ms || dest->auth_until_ms > now_ms;
}

void
callsync_engine_send(CallsyncEngine *engine)
{
	int64		now_ms = callsync_engine_now_ms();
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &engine->armed)
	{
		CallsyncExchange *x = dlist_container(CallsyncExchange, node, iter.cur);

		if (is_closed(engine, x, now_ms))
		{
			dlist_delete(&x->node);
			engine->narmed--;
			dlist_push_tail(&engine->withdrawn, &x->node);
			engine->nwithdrawn++;
			engine->wake_ms = Min(engine->wake_ms, now_ms);
			continue;
		}
		if (x->dest->on_wire >= x->dest->concurrency || !callsync_limits_enter(engine, x))
			continue;
		callsync_crash_point("before_send");
		if (!callsync_exchange_submit(engine, x))
		{
			callsync_limits_exit(x);
			return;				/* no room: the next turn goes on */
		}
		dlist_delete(&x->node);
		engine->narmed--;
		dlist_push_tail(&engine->flying, &x->node);
		engine->nflying++;
		x->dest->on_wire++;
		engine->status.total_sent++;
		engine->sent_us = callsync_monotonic_us();
	}
}

void
callsync_wire_write_withdrawn(CallsyncEngine *engine)
{
	TimestampTz now = callsync_now();
	CallsyncAttemptEnd *ends;
	int			n = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &engine->withdrawn)
		n += dlist_container(CallsyncExchange, node, iter.cur)->nitems;
	if (n == 0)
		return;
	ends = palloc0(sizeof(CallsyncAttemptEnd) * n);
	n = 0;
	dlist_foreach(iter, &engine->withdrawn)
	{
		CallsyncExchange *x = dlist_container(CallsyncExchange, node, iter.cur);

		x->settling = true;
		for (int i = 0; i < x->nitems; i++)
		{
			CallsyncAttemptEnd *e = &ends[n++];

			e->day = x->items[i].row->day;
			e->delivery_id = x->items[i].row->id;
			e->n = x->items[i].n;
			e->finished_at = now;
			e->outcome = "no_answer";
			e->error_class = "transient";
			e->message = "not sent: the destination was paused, down or refused the credential by then";
			e->duration_ms = -1;
		}
	}
	callsync_attempt_end(ends, n);
}

void
callsync_wire_withdrawn_committed(CallsyncEngine *engine)
{
	int64		now_ms = callsync_engine_now_ms();
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &engine->withdrawn)
	{
		CallsyncExchange *x = dlist_container(CallsyncExchange, node, iter.cur);

		if (!x->settling)
			continue;
		for (int i = 0; i < x->nitems; i++)
		{
			CallsyncJob *job = x->items[i].job;

			job->exchanges = x->items[i].n;
			if ((engine->shards & (UINT64CONST(1) << job->shard)) != 0)
			{
				callsync_jobs_put_back(engine->jobs, job);
				continue;
			}
			/* its shard goes to another worker, who reads it from the table */
			callsync_load_left(job);
			callsync_jobs_forget(engine->jobs, job, now_ms);
		}
		x->dest->in_flight--;
		callsync_engine_dest_give_back(x, false, now_ms);
		if (x->probe)
			callsync_breaker_cancel_probe(&x->dest->breaker, now_ms);
		dlist_delete(&x->node);
		engine->nwithdrawn--;
		callsync_exchange_free(x);
	}
}
