/*
 * loader.c
 *		From the queue table to jobs in memory, as far as there is room.
 *
 * Per destination and priority ("class") memory holds everything up to a cursor in
 * id order; what is behind it stays in the table until there is room. A class has
 * room of its own, so a backlog of one kind keeps nothing of another out. Rows that
 * are due much later ("far") are skipped and looked for when their time comes.
 *
 * A delivery that is loaded and not fresh from the planner may have been under way
 * when a worker died: an attempt without an end says so, and then it is looked up or
 * repeated by its key, as its operation allows (in_doubt).
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/crypto.h"
#include "core/shard.h"
#include "engine/engine_state.h"
#include "pg/env.h"
#include "pg/clock.h"
#include "pg/json.h"
#include "store/sync_state.h"

#define SCAN_ROWS 500

typedef struct Loading
{
	CallsyncEngine *engine;
	int64		now_ms;
	TimestampTz now;
	CallsyncDayId *superseded;
	int			nsuperseded;
	int			maxsuperseded;
	List	   *interrupted;	/* of Interrupted */
} Loading;

/* An attempt that a dead worker left without an end. */
typedef struct Interrupted
{
	CallsyncJob *job;
	CallsyncEngineDest *dest;
	int			n;
	bool		send;
} Interrupted;

static CallsyncClass *
class_of(CallsyncEngineDest *dest, int priority)
{
	CallsyncClass *c;

	for (int i = 0; i < dest->nclasses; i++)
		if (dest->classes[i].priority == priority)
			return &dest->classes[i];
	if (dest->nclasses == CALLSYNC_MAX_CLASSES)
		return &dest->classes[CALLSYNC_MAX_CLASSES - 1];
	c = &dest->classes[dest->nclasses++];
	memset(c, 0, sizeof(*c));
	c->priority = priority;
	c->far_ms = INT64_MAX;
	return c;
}

void
callsync_load_left(CallsyncJob *job)
{
	CallsyncClass *c = job->owner;

	if (c != NULL)
		c->count--;
}

static void
note_superseded(Loading *l, int64 id, DateADT day)
{
	if (l->nsuperseded == l->maxsuperseded)
	{
		l->maxsuperseded = l->maxsuperseded ? l->maxsuperseded * 2 : 64;
		l->superseded = l->superseded
			? repalloc(l->superseded, sizeof(CallsyncDayId) * l->maxsuperseded)
			: palloc(sizeof(CallsyncDayId) * l->maxsuperseded);
	}
	l->superseded[l->nsuperseded].id = id;
	l->superseded[l->nsuperseded++].day = day;
}

/* jobs.c found that "by" holds everything that "old" would have said */
static void
replaced(void *arg, CallsyncJob *old, CallsyncJob *by)
{
	note_superseded(arg, old->id, old->day);
	callsync_load_left(old);
}

static void
record_digest(const CallsyncDeliveryHead *h, uint8_t out[CALLSYNC_RECORD_LEN])
{
	char	   *text = psprintf("%s\x1f%s\x1f%s\x1f%s", h->destination, h->source, h->call_id, h->step);
	uint8_t		digest[CALLSYNC_SHA256_LEN];

	callsync_sha256(text, strlen(text), digest);
	memcpy(out, digest, CALLSYNC_RECORD_LEN);
	pfree(text);
}

static int64
entry_delivery(const json_t *entry)
{
	return (int64) json_integer_value(json_object_get(entry, "delivery"));
}

/* The state of a step as sync_state tells it; -1 unknown */
static int
entry_state(const json_t *entry)
{
	const char *word = callsync_json_string(entry, "state");

	return word ? callsync_step_state_from_name(word) : -1;
}

/*
 * What it waits for: fills specs, returns how many. *failed: something required will
 * never come.
 */
static int
open_deps(const CallsyncDeliveryHead *h, const json_t *steps, CallsyncJobDepSpec *specs, int max, bool *failed)
{
	json_t	   *deps = callsync_json_of_jsonb(h->deps, NULL);
	const char *step;
	json_t	   *dep;
	int			n = 0;

	*failed = false;
	json_object_foreach(deps, step, dep)
	{
		int64		id = entry_delivery(dep);
		bool		required = json_is_true(json_object_get(dep, "required"));
		const json_t *entry = json_object_get(steps, step);
		int			state = -1;

		/* a newer delivery of that step stands for the one that was planned with us */
		if (entry != NULL && entry_delivery(entry) >= id)
		{
			id = entry_delivery(entry);
			state = entry_state(entry);
		}
		if (id == 0 || entry == NULL)
			continue;
		if (state == CALLSYNC_STEP_CONFIRMING ||
			(state >= 0 && callsync_step_state_settled((CallsyncStepState) state)))
		{
			if (state != CALLSYNC_STEP_CONFIRMING &&
				!callsync_step_state_good((CallsyncStepState) state) && required)
				*failed = true;
			continue;
		}
		if (n < max)
		{
			specs[n].id = id;
			specs[n++].required = required;
		}
	}
	return n;
}

static void
add_head(Loading *l, CallsyncEngineDest *dest, const CallsyncQueueRow *q, const CallsyncDeliveryHead *h)
{
	CallsyncEngine *engine = l->engine;
	CallsyncClass *class = class_of(dest, q->priority);
	CallsyncJob proto = {0};
	CallsyncJob *job;
	CallsyncJobDepSpec deps[16];
	json_t	   *steps = callsync_json_of_jsonb(h->steps, NULL);
	json_t	   *mine = json_object_get(steps, h->step);
	bool		failed;
	int			ndeps;

	if (callsync_jobs_find(engine->jobs, h->id) != NULL)
		return;

	proto.id = h->id;
	proto.day = h->day;
	proto.dest = dest->slot;
	proto.key = callsync_fnv1a(CALLSYNC_FNV_START, h->ordering_key, strlen(h->ordering_key));
	record_digest(h, proto.record);
	proto.priority = (int16_t) q->priority;
	proto.bulk = strcmp(h->origin, "backfill") == 0 || strcmp(h->origin, "replay") == 0;
	proto.due_ms = callsync_engine_ms(q->due_at);
	proto.tries = h->attempts;
	proto.exchanges = h->exchanges;
	proto.first_ms = h->first_try ? callsync_engine_ms(h->first_try) : 0;
	proto.shard = (int16_t) q->shard;
	proto.owner = class;
	proto.phase = CALLSYNC_PHASE_SEND;
	proto.replaceable = true;
	if (strcmp(h->state, "confirming") == 0)
	{
		proto.phase = CALLSYNC_PHASE_CONFIRM;
		proto.replaceable = false;
	}
	else if (h->open_send || strcmp(h->state, "in_doubt") == 0)
	{
		/* its operation decides between a look-up and repeating it */
		proto.flags |= CALLSYNC_JOB_IN_DOUBT;
		proto.doubt_ms = callsync_engine_ms(h->open_send ? h->open_at : h->first_try);
		if (h->open_send)
			proto.tries++;
		proto.phase = CALLSYNC_PHASE_LOOKUP;
		proto.replaceable = false;
	}

	/* a newer version of the step went past this one (it waited in the table) */
	if (mine != NULL && entry_delivery(mine) > h->id && proto.replaceable)
	{
		note_superseded(l, h->id, h->day);
		return;
	}

	ndeps = proto.phase == CALLSYNC_PHASE_SEND
		? open_deps(h, steps, deps, lengthof(deps), &failed) : (failed = false, 0);
	proto.dep_failed = failed;
	job = callsync_jobs_add(engine->jobs, &proto, deps, ndeps, l->now_ms, replaced, l);
	if (job == NULL)
		return;
	class->count++;
	if (h->open_n > 0)
	{
		Interrupted *i = palloc(sizeof(*i));

		i->job = job;
		i->dest = dest;
		i->n = h->open_n;
		i->send = h->open_send;
		l->interrupted = lappend(l->interrupted, i);
	}
}

/* Rows of the queue (of any destination) become jobs. */
static void
add_rows(Loading *l, const CallsyncQueueRow *rows, int n, bool fresh)
{
	bool	   *done = palloc0(sizeof(bool) * Max(n, 1));
	int64	   *ids = palloc(sizeof(int64) * Max(n, 1));

	for (int first = 0; first < n; first++)
	{
		CallsyncDeliveryHead *heads;
		int			nids = 0,
					nheads,
					at = 0;

		if (done[first])
			continue;
		for (int i = first; i < n; i++)
			if (rows[i].day == rows[first].day)
			{
				done[i] = true;
				ids[nids++] = rows[i].id;
			}
		nheads = callsync_delivery_heads(rows[first].day, ids, nids, fresh, CurrentMemoryContext, &heads);
		/* both are in id order */
		for (int i = first; i < n && at < nheads; i++)
		{
			CallsyncEngineDest *dest;

			if (rows[i].id != heads[at].id)
				continue;
			dest = callsync_engine_dest(l->engine, rows[i].destination);
			if (dest != NULL)
				add_head(l, dest, &rows[i], &heads[at]);
			at++;
		}
	}
}

static void
begin(Loading *l, CallsyncEngine *engine)
{
	memset(l, 0, sizeof(*l));
	l->engine = engine;
	l->now_ms = callsync_engine_now_ms();
	l->now = callsync_now();
}

/*
 * Writes the ends that a dead worker could not write any more, so that the doubt is
 * in the tables and not only in our memory.
 */
static void
close_interrupted(Loading *l)
{
	int			n = list_length(l->interrupted);
	CallsyncAttemptEnd *ends = palloc0(sizeof(CallsyncAttemptEnd) * Max(n, 1));
	CallsyncResult **results = palloc(sizeof(CallsyncResult *) * Max(n, 1));
	int			nresults = 0,
				nends = 0;
	ListCell   *lc;

	foreach(lc, l->interrupted)
	{
		Interrupted *i = lfirst(lc);
		CallsyncAttemptEnd *end = &ends[nends++];
		CallsyncDelivery *row;
		CallsyncResult *r;

		end->day = i->job->day;
		end->delivery_id = i->job->id;
		end->n = i->n;
		end->finished_at = l->now;
		end->outcome = i->send ? "unknown" : "no_answer";
		end->error_class = i->send ? "uncertain" : "transient";
		end->message = "the worker ended before an answer was in";
		end->duration_ms = -1;
		if (!i->send || callsync_delivery_load(i->job->day, &i->job->id, 1, CurrentMemoryContext, &row) != 1)
			continue;
		r = palloc0(sizeof(*r));
		callsync_result_init(r, i->job, i->dest, row);
		r->kind = CALLSYNC_RESULT_AGAIN;
		r->state = CALLSYNC_STEP_IN_DOUBT;
		r->due = l->now;
		r->tries = i->job->tries;
		r->error_class = "uncertain";
		r->last_error = end->message;
		r->remedy = "None needed: it is repeated by its key, or looked up before anything is sent again.";
		results[nresults++] = r;
	}
	if (n > 0)
		callsync_settle_write(l->engine, results, nresults, ends, nends);
}

static void
finish(Loading *l)
{
	callsync_delivery_supersede(l->superseded, l->nsuperseded, l->now);
	close_interrupted(l);
}

static bool
is_ours(CallsyncEngine *engine, int shard)
{
	return (engine->shards & (UINT64CONST(1) << shard)) != 0;
}

/*
 * Deliveries that people sent on their way again: what is shown of them (dead, failed) is
 * over, and those that wait for each other must see that.
 */
static void
reopen(Loading *l, const CallsyncQueueRow *rows, int n)
{
	CallsyncResult **results = palloc(sizeof(CallsyncResult *) * Max(n, 1));
	int			nresults = 0;

	for (int i = 0; i < n; i++)
	{
		CallsyncEngineDest *dest = callsync_engine_dest(l->engine, rows[i].destination);
		CallsyncDelivery *row;
		CallsyncResult *r;

		if (dest == NULL ||
			callsync_delivery_load(rows[i].day, &rows[i].id, 1, CurrentMemoryContext, &row) != 1)
			continue;
		/* reconcile() only reads: what is shown holds until something else is found */
		if (strcmp(row->state, callsync_step_state_name(CALLSYNC_STEP_CONFIRMING)) == 0)
			continue;
		r = palloc0(sizeof(*r));
		r->dest = dest;
		r->row = row;
		r->kind = CALLSYNC_RESULT_AGAIN;
		r->state = CALLSYNC_STEP_READY;
		r->due = l->now;
		r->tries = row->attempts;
		r->record_id = row->record_id;
		results[nresults++] = r;
	}
	callsync_settle_write(l->engine, results, nresults, NULL, 0);
}

void
callsync_load_planned(CallsyncEngine *engine, const int64 *ids, int n, bool fresh)
{
	CallsyncQueueRow *rows;
	Loading		l;
	int			nrows,
				nmine = 0;

	if (n == 0)
		return;
	begin(&l, engine);
	nrows = callsync_queue_find(ids, n, CurrentMemoryContext, &rows);
	if (!fresh)
		reopen(&l, rows, nrows);
	for (int i = 0; i < nrows; i++)
	{
		CallsyncEngineDest *dest = callsync_engine_dest(engine, rows[i].destination);
		CallsyncClass *class;
		int64		due_ms = callsync_engine_ms(rows[i].due_at);

		if (dest == NULL || !is_ours(engine, rows[i].shard))
			continue;
		class = class_of(dest, rows[i].priority);
		if (due_ms > l.now_ms + CALLSYNC_HORIZON_MS)
		{
			class->far_ms = Min(class->far_ms, due_ms);
			continue;
		}
		/* the rows of a class are taken in order: no one passes those in the table */
		if (class->overflow || class->count >= CALLSYNC_CLASS_ROOM ||
			callsync_jobs_count(engine->jobs) >= CALLSYNC_TOTAL_ROOM)
		{
			class->overflow = true;
			continue;
		}
		rows[nmine++] = rows[i];
	}
	add_rows(&l, rows, nmine, fresh);
	finish(&l);
}

/*
 * A destination that was down is back. Memory was told at once (callsync_jobs_hasten), but
 * it may not hold all that waits, and is read anew when anything changes: the table has
 * to say so as well. The flag is cleared after the commit (callsync_load_hastened).
 */
static void
hasten(CallsyncEngine *engine, CallsyncEngineDest *dest)
{
	if (dest->hasten_ms == 0 ||
		callsync_queue_hasten(dest->d->name, callsync_engine_time(dest->hasten_ms), engine->shards) == 0)
		return;
	for (int c = 0; c < dest->nclasses; c++)
		if (dest->classes[c].far_ms != INT64_MAX)
			dest->classes[c].far_ms = Min(dest->classes[c].far_ms, dest->hasten_ms);
}

void
callsync_load_hastened(CallsyncEngine *engine)
{
	for (int i = 0; i < engine->ndests; i++)
		if (!engine->dests[i]->d->paused)
			engine->dests[i]->hasten_ms = 0;
}

/* Which classes there are in the table; all of it is unknown at the start. */
static void
discover(CallsyncEngine *engine, CallsyncEngineDest *dest)
{
	int			priority = PG_INT16_MIN;

	while (callsync_queue_next_priority(dest->d->name, priority, &priority))
	{
		CallsyncClass *class = class_of(dest, priority);

		class->overflow = true;
		class->cursor = 0;
	}
	dest->classes_known = true;
}

/* True: there is more that could be loaded now. */
static bool
load_class(Loading *l, CallsyncEngineDest *dest, CallsyncClass *class)
{
	CallsyncEngine *engine = l->engine;
	int			room = CALLSYNC_CLASS_ROOM - class->count;
	CallsyncQueueRow *rows;
	int			n,
				nmine = 0;

	if (class->far_ms <= l->now_ms + CALLSYNC_HORIZON_MS)
	{
		/* some that were far are not any more: look at all of them again */
		class->far_ms = INT64_MAX;
		class->cursor = 0;
		class->overflow = true;
	}
	/* in good portions, not row by row */
	if (!class->overflow || room < CALLSYNC_CLASS_ROOM / 2 ||
		callsync_jobs_count(engine->jobs) >= CALLSYNC_TOTAL_ROOM)
		return false;

	n = callsync_queue_scan(dest->d->name, class->priority, class->cursor, Min(room, SCAN_ROWS),
							CurrentMemoryContext, &rows);
	class->overflow = n == Min(room, SCAN_ROWS);
	for (int i = 0; i < n; i++)
	{
		int64		due_ms = callsync_engine_ms(rows[i].due_at);

		class->cursor = rows[i].id;
		if (!is_ours(engine, rows[i].shard) || callsync_jobs_find(engine->jobs, rows[i].id) != NULL)
			continue;
		if (due_ms > l->now_ms + CALLSYNC_HORIZON_MS)
			class->far_ms = Min(class->far_ms, due_ms);
		else
			rows[nmine++] = rows[i];
	}
	add_rows(l, rows, nmine, false);
	return class->overflow;
}

bool
callsync_load_queue(CallsyncEngine *engine)
{
	Loading		l;
	bool		more = false;

	begin(&l, engine);
	for (int i = 0; i < engine->ndests; i++)
	{
		CallsyncEngineDest *dest = engine->dests[i];

		if (dest->d->dropped || dest->d->paused || dest->d->connector == NULL)
			continue;
		hasten(engine, dest);
		if (!dest->classes_known)
			discover(engine, dest);
		for (int c = 0; c < dest->nclasses; c++)
			more = load_class(&l, dest, &dest->classes[c]) || more;
	}
	finish(&l);
	return more;
}

int64
callsync_load_next_ms(CallsyncEngine *engine)
{
	int64		next = INT64_MAX;

	for (int i = 0; i < engine->ndests; i++)
		for (int c = 0; c < engine->dests[i]->nclasses; c++)
		{
			CallsyncClass *class = &engine->dests[i]->classes[c];

			if (class->far_ms != INT64_MAX)
				next = Min(next, class->far_ms - CALLSYNC_HORIZON_MS);
		}
	return next;
}
