/*
 * arm.c
 *		From jobs to exchanges: what is sent next, under the limits of each
 *		destination.
 *
 * Runs in the tick's transaction: it reads the rows of the best jobs, renders them,
 * and inserts their attempt rows. What it armed leaves after the commit
 * (callsync_engine_send); a rollback puts the jobs back (callsync_arm_undo).
 *
 * Only what is about to be sent is armed: a job that a limit holds back stays in the
 * schedule, and its destination is not looked at again before the limit allows.
 */
#include "postgres.h"

#include "nodes/pg_list.h"
#include "nodes/value.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "engine/engine_state.h"
#include "engine/lookup.h"
#include "pg/clock.h"
#include "pg/json.h"

#define MAX_REFUSED 8			/* kinds of operations whose limits are used up, per round */

/* One round for one destination and lane. */
typedef struct Round
{
	CallsyncEngine *engine;
	CallsyncEngineDest *dest;
	bool		bulk;
	int64		now_ms;
	TimestampTz now;
	int			requests;		/* may still be made */
	int			nexchanges;		/* made in this round */
	CallsyncExchange *exchanges[CALLSYNC_TICK_ROWS];
	int			nrefused;
	char		refused[MAX_REFUSED][64];
	int64		wait_until_ms;	/* earliest time that a limit named, in this lane */
	bool		held_back;		/* some job could not go */
	bool		closed;			/* a limit of all operations is used up, or the breaker is open */
} Round;

static const char *const no_remedy = "";

/* A job whose row says that there is nothing to send: settled without a request. */
static void
refuse(Round *round, CallsyncJob *job, const CallsyncDelivery *row, const char *error_class,
	   const char *message, const char *remedy)
{
	CallsyncResult *r = palloc0(sizeof(*r));

	callsync_result_init(r, job, round->dest, row);
	callsync_deliver_refuse(r, error_class, message, remedy);
	callsync_engine_add_result(round->engine, r);
}

static void
settle_without_sending(Round *round, CallsyncJob *job, const CallsyncDelivery *row,
					   CallsyncStepState state, const char *confirmation, const char *why)
{
	CallsyncResult *r = palloc0(sizeof(*r));

	callsync_result_init(r, job, round->dest, row);
	r->kind = CALLSYNC_RESULT_SETTLED;
	r->state = state;
	r->confirmation = confirmation;
	r->last_error = why;
	callsync_engine_add_result(round->engine, r);
}

/* The planner goes on with what the mirror has from the answer to another call's question. */
static void
settle_as_answered(Round *round, CallsyncJob *job, const CallsyncDelivery *row)
{
	CallsyncResult *r = palloc0(sizeof(*r));

	callsync_result_init(r, job, round->dest, row);
	r->kind = CALLSYNC_RESULT_SETTLED;
	r->state = CALLSYNC_STEP_CONFIRMED;
	r->confirmation = "response";
	r->contacts = callsync_json_keep(json_array());
	callsync_engine_add_result(round->engine, r);
}

/* The next exchange of a delivery: what kind, by which operation; NULL with the job settled. */
static const CallsyncOp *
choose_op(Round *round, CallsyncJob *job, const CallsyncDelivery *row, const CallsyncStep *step,
		  json_t *context, CallsyncExchangeKind *kind)
{
	const CallsyncConnector *connector = round->dest->d->connector;
	CallsyncRenderInput input;
	const CallsyncOp *op;

	callsync_exchange_input(round->dest, context, round->now, CALLSYNC_RENDER_SEND, &input);
	if (job->phase == CALLSYNC_PHASE_CONFIRM)
	{
		*kind = CALLSYNC_EXCHANGE_READ_BACK;
		op = step->read_op ? callsync_connector_op(connector, step->read_op) : NULL;
		if (op == NULL || row->record_id == NULL)
		{
			/* the connector or its map changed meanwhile: what was answered has to do */
			settle_without_sending(round, job, row, CALLSYNC_STEP_SENT, "response", NULL);
			return NULL;
		}
		callsync_exchange_forget_key(context, row, callsync_connector_op(connector, row->operation));
		return op;
	}

	op = callsync_step_op(connector, step, &input);
	if (op == NULL)
	{
		settle_without_sending(round, job, row, CALLSYNC_STEP_SKIPPED, NULL,
							   "the step does not apply any more");
		return NULL;
	}
	callsync_exchange_forget_key(context, row, op);
	*kind = CALLSYNC_EXCHANGE_SEND;
	if (job->phase == CALLSYNC_PHASE_LOOKUP)
	{
		/* repeating it does no harm where it has a key that the other side honours */
		if ((job->flags & CALLSYNC_JOB_IN_DOUBT) && callsync_idempotency_is_safe(op->idempotency))
			return op;
		if (op->guard != NULL)
		{
			*kind = CALLSYNC_EXCHANGE_LOOKUP;
			return callsync_connector_op(connector, op->guard);
		}
		if ((job->flags & CALLSYNC_JOB_IN_DOUBT) && round->dest->uncertain_hold)
		{
			CallsyncResult *r = palloc0(sizeof(*r));

			callsync_result_init(r, job, round->dest, row);
			r->kind = CALLSYNC_RESULT_PARKED;
			r->state = CALLSYNC_STEP_IN_DOUBT;
			r->dead = true;		/* people find it among the dead letters */
			r->error_class = "uncertain";
			r->last_error = "it may have arrived, and the destination offers no way to find out";
			r->remedy = "Look at the destination; then callsync.redrive() with {\"error_class\": \"uncertain\"} to send it (again), or leave it.";
			callsync_engine_add_result(round->engine, r);
			return NULL;
		}
	}
	return op;
}

static bool
is_refused(const Round *round, const char *bucket)
{
	for (int i = 0; i < round->nrefused; i++)
		if (strcmp(round->refused[i], bucket) == 0)
			return true;
	return false;
}

/* An exchange of this round that the delivery can join, or NULL. */
static CallsyncExchange *
find_batch(Round *round, CallsyncExchangeKind kind, const CallsyncOp *op, const char *batch_key)
{
	for (int i = round->nexchanges - 1; i >= 0; i--)
	{
		CallsyncExchange *x = round->exchanges[i];

		if (x->batch_key != NULL && x->kind == kind && x->nitems < x->batch_max &&
			strcmp(x->op_name, op->name) == 0 && strcmp(x->batch_key, batch_key) == 0)
			return x;
	}
	return NULL;
}

/* A new exchange, if limits and breaker allow; NULL otherwise. */
static CallsyncExchange *
new_exchange(Round *round, CallsyncExchangeKind kind, const CallsyncOp *op, const char *batch_key)
{
	CallsyncEngineDest *dest = round->dest;
	CallsyncBreakerState before = dest->breaker.state;
	CallsyncExchange *x;
	int64		wait_ms = INT64_MAX;
	bool		general;

	if (round->requests == 0 || round->nexchanges == CALLSYNC_TICK_ROWS || is_refused(round, op->bucket))
		return NULL;
	/* what others can share is not made ahead: until there is a place more may come to share it */
	if (batch_key != NULL && dest->in_flight >= dest->concurrency)
		return NULL;
	if (!callsync_breaker_allow(&dest->breaker, dest->in_flight, round->now_ms, &wait_ms))
	{
		round->wait_until_ms = Min(round->wait_until_ms, wait_ms);
		round->requests = 0;
		round->closed = true;
		return NULL;
	}
	x = callsync_exchange_create(round->engine, dest);
	x->probe = before == CALLSYNC_BREAKER_OPEN;
	x->bulk = round->bulk;
	if (!callsync_engine_dest_take(round->engine, dest, op, x, round->now_ms, &wait_ms, &general))
	{
		round->closed = round->closed || general;
		if (general)
			round->requests = 0;
		if (x->probe)
			callsync_breaker_cancel_probe(&dest->breaker, round->now_ms);
		callsync_exchange_free(x);
		round->wait_until_ms = Min(round->wait_until_ms, wait_ms);
		if (round->nrefused < MAX_REFUSED)
			strlcpy(round->refused[round->nrefused++], op->bucket, sizeof(round->refused[0]));
		else
			round->requests = 0;
		return NULL;
	}
	x->kind = kind;
	x->op_name = MemoryContextStrdup(x->mcxt, op->name);
	if (batch_key != NULL)
	{
		x->batch_key = MemoryContextStrdup(x->mcxt, batch_key);
		/* a probe carries one delivery: enough to know */
		x->batch_max = x->probe ? 1 : kind == CALLSYNC_EXCHANGE_READ_BACK ? op->max_ids : op->batch->max;
		if (dest->batch_max > 0)
			x->batch_max = Min(x->batch_max, dest->batch_max);
	}
	x->started_at = round->now;
	dest->in_flight++;
	dlist_push_tail(&round->engine->arming, &x->node);
	round->exchanges[round->nexchanges++] = x;
	round->requests--;
	if (x->probe)
		round->requests = 0;
	return x;
}

static CallsyncDelivery *
copy_row(MemoryContext mcxt, const CallsyncDelivery *row)
{
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	CallsyncDelivery *copy = palloc(sizeof(*copy));

	*copy = *row;
	copy->source = pstrdup(row->source);
	copy->call_id = pstrdup(row->call_id);
	copy->destination = pstrdup(row->destination);
	copy->step = pstrdup(row->step);
	copy->object = pstrdup(row->object);
	copy->operation = pstrdup(row->operation);
	copy->state = pstrdup(row->state);
	copy->record_id = row->record_id ? pstrdup(row->record_id) : NULL;
	copy->idempotency_key = pstrdup(row->idempotency_key);
	copy->origin = pstrdup(row->origin);
	copy->trace_id = row->trace_id ? pstrdup(row->trace_id) : NULL;
	copy->fields = (struct varlena *) PG_DETOAST_DATUM_COPY(PointerGetDatum(row->fields));
	/* the context is kept parsed */
	copy->context = NULL;
	copy->document = NULL;
	copy->links = NULL;
	copy->contact_id = row->contact_id ? pstrdup(row->contact_id) : NULL;
	MemoryContextSwitchTo(old);
	return copy;
}

static void
add_item(CallsyncExchange *x, CallsyncJob *job, const CallsyncDelivery *row, json_t *context)
{
	CallsyncItem *item;
	MemoryContext old = MemoryContextSwitchTo(x->mcxt);

	if (x->nitems == x->maxitems)
	{
		x->maxitems *= 2;
		x->items = repalloc(x->items, sizeof(CallsyncItem) * x->maxitems);
	}
	item = &x->items[x->nitems++];
	memset(item, 0, sizeof(*item));
	item->job = job;
	item->context = callsync_json_share(context);
	item->n = job->exchanges + 1;
	item->try_no = job->tries + (x->kind == CALLSYNC_EXCHANGE_SEND || x->kind == CALLSYNC_EXCHANGE_FIND ? 1 : 0);
	MemoryContextSwitchTo(old);
	item->row = copy_row(x->mcxt, row);
}

/* Puts one taken job into an exchange; false: it goes back. */
static bool
place_job(Round *round, CallsyncJob *job, const CallsyncDelivery *row)
{
	CallsyncEngineDest *dest = round->dest;
	const CallsyncConnector *connector = dest->d->connector;
	const CallsyncStep *step = callsync_connector_step(connector, row->step);
	CallsyncExchangeKind kind;
	const CallsyncOp *op;
	CallsyncExchange *x = NULL;
	const char *batch_key = NULL;
	json_t	   *context;
	size_t		nresults = round->engine->nresults;
	bool		lookup = callsync_is_lookup(row->step);

	if (step == NULL && !lookup)
	{
		refuse(round, job, row, "config", psprintf("the connector has no step \"%s\" any more", row->step),
			   "Look at the connector document or the destination's route, then callsync.resync().");
		return true;
	}
	context = callsync_exchange_context(dest, step, row);
	if (lookup && callsync_lookup_is_answered(dest, job))
	{
		settle_as_answered(round, job, row);
		return true;
	}
	if (lookup)
	{
		kind = CALLSYNC_EXCHANGE_FIND;
		op = callsync_connector_op(connector, row->operation);
	}
	else
		op = choose_op(round, job, row, step, context, &kind);
	if (op == NULL)
	{
		if (round->engine->nresults == nresults)
			refuse(round, job, row, "config", "the connector names a look-up that it does not have", no_remedy);
		return true;
	}
	if (kind == CALLSYNC_EXCHANGE_READ_BACK)
	{
		/* what is asked for is the union of what was sent (callsync_exchange_render) */
		if (op->max_ids > 1)
			batch_key = "read";
	}
	else if (op->batch != NULL)
	{
		CallsyncRenderInput input;
		CallsyncDocError err = {0};
		char	   *key;

		callsync_exchange_input(dest, context, round->now,
								dest->d->dry_run ? CALLSYNC_RENDER_PREVIEW : CALLSYNC_RENDER_SEND, &input);
		key = callsync_request_batch_key(connector, op, &input, &err);
		if (key == NULL)
		{
			refuse(round, job, row, "validation", psprintf("%s: %s", err.path, err.what), pstrdup(err.hint));
			return true;
		}
		batch_key = pstrdup(key);
		free(key);
	}
	if (batch_key != NULL && !(job->flags & CALLSYNC_JOB_SOLO))
		x = find_batch(round, kind, op, batch_key);
	if (x == NULL)
	{
		x = new_exchange(round, kind, op, batch_key);
		if (x == NULL)
			return false;
		if (job->flags & CALLSYNC_JOB_SOLO)
			x->batch_max = 1;
	}
	add_item(x, job, row, context);
	return true;
}

/* Rows of the jobs, in the order of the jobs; NULL where a row is gone. */
static CallsyncDelivery **
load_rows(CallsyncJob **jobs, int n)
{
	CallsyncDelivery **rows = palloc0(sizeof(CallsyncDelivery *) * n);
	bool	   *done = palloc0(sizeof(bool) * n);
	int64	   *ids = palloc(sizeof(int64) * n);

	for (int first = 0; first < n; first++)
	{
		CallsyncDelivery *loaded;
		int			nids = 0,
					nloaded;

		if (done[first])
			continue;
		for (int i = first; i < n; i++)
			if (jobs[i]->day == jobs[first]->day)
			{
				done[i] = true;
				ids[nids++] = jobs[i]->id;
			}
		nloaded = callsync_delivery_load(jobs[first]->day, ids, nids, CurrentMemoryContext, &loaded);
		for (int k = 0; k < nloaded; k++)
			for (int i = first; i < n; i++)
				if (jobs[i]->id == loaded[k].id)
				{
					rows[i] = &loaded[k];
					break;
				}
	}
	return rows;
}

/* Is there an exchange of this round that more deliveries could join? */
static bool
batch_has_room(const Round *round)
{
	for (int i = 0; i < round->nexchanges; i++)
		if (round->exchanges[i]->batch_key != NULL && round->exchanges[i]->nitems < round->exchanges[i]->batch_max)
			return true;
	return false;
}

/*
 * Takes jobs of one lane until the limits or the tick are full; returns how many went.
 * Begins with as many as there may be requests and goes on while they share: rows are
 * not read for jobs that cannot go.
 */
static int
arm_lane(Round *round, int budget)
{
	CallsyncEngine *engine = round->engine;
	CallsyncEngineDest *dest = round->dest;
	CallsyncJob **jobs = palloc(sizeof(CallsyncJob *) * budget);
	int			used = 0;
	int			chunk = round->requests;

	round->held_back = false;
	while (used < budget && !round->held_back && (round->requests > 0 || batch_has_room(round)))
	{
		CallsyncDelivery **rows;
		int			n = 0;

		chunk = Min(Max(chunk, 1), budget - used);
		while (n < chunk)
		{
			CallsyncJob *job = callsync_jobs_take(engine->jobs, dest->slot, round->bulk);

			if (job == NULL)
				break;
			jobs[n++] = job;
		}
		if (n == 0)
			break;
		rows = load_rows(jobs, n);
		for (int i = 0; i < n; i++)
		{
			if (rows[i] == NULL)
			{
				/* forgotten or dropped by somebody: nothing to do any more */
				callsync_load_left(jobs[i]);
				callsync_jobs_settle(engine->jobs, jobs[i], false, round->now_ms);
			}
			else if (place_job(round, jobs[i], rows[i]))
				used++;
			else
			{
				callsync_jobs_put_back(engine->jobs, jobs[i]);
				round->held_back = true;
			}
		}
		chunk *= 2;
	}
	return used;
}

static int
arm_dest(CallsyncEngine *engine, CallsyncEngineDest *dest, int budget, int room)
{
	Round		round = {0};
	int64		wait_ms;
	int			used = 0;

	round.engine = engine;
	round.dest = dest;
	round.now = callsync_now();
	round.now_ms = callsync_engine_now_ms();
	callsync_jobs_advance(engine->jobs, dest->slot, round.now_ms);
	if (callsync_jobs_count_ready(engine->jobs, dest->slot) == 0)
		return 0;
	if (!callsync_engine_dest_open(engine, dest, round.now_ms, &wait_ms) ||
		!callsync_auth_ready(dest, &wait_ms))
	{
		engine->wake_ms = Min(engine->wake_ms, wait_ms);
		return 0;
	}
	round.requests = Min(dest->concurrency + callsync_wire_ahead(engine, dest) - dest->in_flight, room);
	for (int lane = 0; lane < CALLSYNC_SHARE_LANES && used < budget && round.requests > 0; lane++)
	{
		int			before = round.nexchanges;

		if (round.now_ms < dest->blocked_until_ms[lane])
		{
			engine->wake_ms = Min(engine->wake_ms, dest->blocked_until_ms[lane]);
			continue;
		}
		round.bulk = lane == CALLSYNC_LANE_BULK;
		round.wait_until_ms = INT64_MAX;
		used += arm_lane(&round, budget - used);
		if (round.wait_until_ms == INT64_MAX)
			continue;
		/* what is left alone for live calls holds up none of them */
		if (round.closed || round.nexchanges == before)
			dest->blocked_until_ms[round.closed ? CALLSYNC_LANE_LIVE : lane] = round.wait_until_ms;
		engine->wake_ms = Min(engine->wake_ms, round.wait_until_ms);
	}
	return used;
}

/* An item that cannot be rendered leaves the exchange as a validation failure. */
static void
drop_item(CallsyncEngine *engine, CallsyncExchange *x, int bad, const CallsyncDocError *err)
{
	CallsyncItem *item = &x->items[bad];
	CallsyncResult *r = palloc0(sizeof(*r));

	/* the exchange may be given up before the result is written */
	callsync_result_init(r, item->job, x->dest, copy_row(engine->tick, item->row));
	callsync_deliver_refuse(r, "validation", psprintf("the request could not be made: %s %s", err->path, err->what),
							err->hint[0] ? pstrdup(err->hint)
							: "Correct the map or the connector document, then callsync.redrive().");
	callsync_engine_add_result(engine, r);
	memmove(&x->items[bad], &x->items[bad + 1], sizeof(CallsyncItem) * (x->nitems - bad - 1));
	x->nitems--;
}

/* False: nothing is left of it (and it is freed). */
static bool
render(CallsyncEngine *engine, CallsyncExchange *x)
{
	CallsyncDocError err;
	int			bad;

	while (x->nitems > 0)
	{
		memset(&err, 0, sizeof(err));
		if (callsync_exchange_render(engine, x, &bad, &err))
		{
			if (x->dest->d->dry_run || callsync_auth_apply(x->dest, x, &err))
				return true;
			/* no credential: everything stays queued */
			callsync_engine_dest_error(x->dest, "auth", err.what, callsync_now());
			x->dest->auth_failures++;
			x->dest->auth_until_ms = callsync_engine_now_ms() + 60000;
			engine->wake_ms = Min(engine->wake_ms, x->dest->auth_until_ms);
			for (int i = 0; i < x->nitems; i++)
				callsync_jobs_put_back(engine->jobs, x->items[i].job);
			x->nitems = 0;
			break;
		}
		if (bad >= 0)
			drop_item(engine, x, bad, &err);
		else
			while (x->nitems > 0)
				drop_item(engine, x, x->nitems - 1, &err);
	}
	dlist_delete(&x->node);
	x->dest->in_flight--;
	callsync_engine_dest_give_back(x, false, callsync_engine_now_ms());
	if (x->probe)
		callsync_breaker_cancel_probe(&x->dest->breaker, callsync_engine_now_ms());
	callsync_exchange_free(x);
	return false;
}

static void
dry_run(CallsyncEngine *engine, CallsyncExchange *x)
{
	CallsyncAttemptEnd *ends = palloc0(sizeof(CallsyncAttemptEnd) * x->nitems);

	for (int i = 0; i < x->nitems; i++)
	{
		CallsyncResult *r = palloc0(sizeof(*r));

		ends[i].day = x->items[i].row->day;
		ends[i].delivery_id = x->items[i].row->id;
		ends[i].n = x->items[i].n;
		ends[i].finished_at = x->started_at;
		ends[i].outcome = "dry_run";
		ends[i].duration_ms = -1;

		callsync_result_init(r, x->items[i].job, x->dest, x->items[i].row);
		r->kind = CALLSYNC_RESULT_SETTLED;
		r->state = CALLSYNC_STEP_SKIPPED;
		r->confirmation = "dry_run";
		r->last_error = "dry run: nothing was sent";
		r->remedy = "Switch it off with callsync.alter_destination(name, '{\"dry_run\": false}'), then callsync.resync().";
		callsync_engine_add_result(engine, r);
	}
	callsync_attempt_end(ends, x->nitems);
}

void
callsync_arm(CallsyncEngine *engine)
{
	int			budget = CALLSYNC_TICK_ROWS;
	int			room = callsync_http_room(engine->http) - engine->narmed - engine->nwithdrawn;
	dlist_mutable_iter iter;
	CallsyncAttemptStart *starts;
	int			nstarts = 0,
				maxstarts = 0,
				nrequests = 0;
	int64	   *request_ids;

	for (int i = 0; i < engine->ndests; i++)
		room += callsync_wire_ahead(engine, engine->dests[i]);
	/* also where there is no room for requests now: what is due must not wake us again and again */
	if (room <= 0)
		for (int i = 0; i < engine->ndests; i++)
			callsync_jobs_advance(engine->jobs, engine->dests[i]->slot, callsync_engine_now_ms());
	for (int i = 0; i < engine->ndests && budget > 0 && room > 0; i++)
	{
		CallsyncEngineDest *dest = engine->dests[(engine->next_dest + i) % engine->ndests];
		int			before = dest->in_flight;

		budget -= arm_dest(engine, dest, budget, room);
		room -= dest->in_flight - before;
	}
	if (engine->ndests > 0)
		engine->next_dest = (engine->next_dest + 1) % engine->ndests;
	engine->more = engine->more || budget <= 0;

	dlist_foreach_modify(iter, &engine->arming)
		nrequests++;
	if (nrequests == 0)
		return;
	request_ids = palloc(sizeof(int64) * nrequests);
	callsync_attempt_request_ids(request_ids, nrequests);
	nrequests = 0;
	dlist_foreach_modify(iter, &engine->arming)
	{
		CallsyncExchange *x = dlist_container(CallsyncExchange, node, iter.cur);

		x->request_id = request_ids[nrequests++];
		if (render(engine, x))
			maxstarts += x->nitems;
	}
	if (maxstarts == 0)
		return;
	starts = palloc(sizeof(CallsyncAttemptStart) * maxstarts);
	dlist_foreach_modify(iter, &engine->arming)
	{
		CallsyncExchange *x = dlist_container(CallsyncExchange, node, iter.cur);

		callsync_exchange_starts(engine, x, starts + nstarts);
		nstarts += x->nitems;
	}
	callsync_attempt_start(starts, nstarts);
	dlist_foreach_modify(iter, &engine->arming)
	{
		CallsyncExchange *x = dlist_container(CallsyncExchange, node, iter.cur);

		if (x->dest->d->dry_run)
			dry_run(engine, x);
	}
}

void
callsync_arm_undo(CallsyncEngine *engine)
{
	int64		now_ms = callsync_engine_now_ms();

	while (!dlist_is_empty(&engine->arming))
	{
		CallsyncExchange *x = dlist_container(CallsyncExchange, node, dlist_pop_head_node(&engine->arming));

		for (int i = 0; i < x->nitems; i++)
			if (x->items[i].job->state == CALLSYNC_JOB_RUNNING)
				callsync_jobs_put_back(engine->jobs, x->items[i].job);
		x->dest->in_flight--;
		callsync_engine_dest_give_back(x, false, now_ms);
		if (x->probe)
			callsync_breaker_cancel_probe(&x->dest->breaker, now_ms);
		callsync_exchange_free(x);
	}
	callsync_engine_quota_undo(engine);
}
