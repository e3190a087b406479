/*
 * planner.c
 *		From captured changes to deliveries: claim, merge, plan.
 *
 * All of it happens in one transaction per tick; what is in memory between ticks
 * is the cursor, the destinations and the compiled presets, so that a crash loses
 * nothing.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/call_document.h"
#include "core/merge.h"
#include "core/person_key.h"
#include "core/preset.h"
#include "pg/env.h"
#include "engine/caller.h"
#include "engine/plan.h"
#include "engine/planner.h"
#include "pg/clock.h"
#include "pg/json.h"
#include "pg/spi.h"
#include "store/alert.h"
#include "store/event.h"
#include "store/match.h"
#include "store/outbox.h"
#include "store/preset.h"

#define PARTITION_DAYS_AHEAD 3
#define SINGLES_AFTER_FAILURE 200	/* as many as a tick may have claimed */

struct CallsyncPlanner
{
	MemoryContext mcxt;
	CallsyncOutboxCursor *cursor;
	CallsyncDestinations *destinations;
	uint64		shard_mask;
	DateADT		first_day;		/* partitions known to exist: first_day .. last_day */
	DateADT		last_day;
	DateADT		new_first_day;	/* the same, once this tick has committed */
	DateADT		new_last_day;
	int			singles;		/* ticks that take one row only, to find the one that fails */
	int64		suspect;		/* outbox row tried alone in this tick, 0: none */
	int64		set_aside;		/* outbox row that failed alone: to be recorded as failed */
	char		error[256];		/* of that failure */
};

/* one call of this tick with the captures that concern it */
typedef struct CallWork
{
	CallsyncCallRow row;
	int			shard;
	const char *origin;
	bool		force;
	bool		changed;		/* the merge changed something, or there is no row yet */
	TimestampTz captured_at;
	int			ncaptures;
	const CallsyncCapture **captures;
	json_t	   *document;
	bool		rebuild;		/* merge all events of the call anew */
	bool		check_only;		/* reconcile: nothing to merge or to plan */
	bool		wanted;			/* there is something to plan */
	const char *only;			/* one destination, NULL: all */
	const char *region;			/* of the source's phone numbers, or NULL */
} CallWork;

CallsyncPlanner *
callsync_planner_create(MemoryContext mcxt, CallsyncDestinations *destinations)
{
	CallsyncPlanner *planner = MemoryContextAllocZero(mcxt, sizeof(*planner));

	planner->mcxt = mcxt;
	planner->cursor = callsync_outbox_cursor_create(mcxt);
	planner->destinations = destinations;
	return planner;
}

int
callsync_planner_holes(const CallsyncPlanner *planner)
{
	return callsync_outbox_cursor_holes(planner->cursor);
}

void
callsync_planner_set_shards(CallsyncPlanner *planner, uint64 shard_mask)
{
	if (planner->shard_mask != shard_mask)
		callsync_outbox_cursor_reset(planner->cursor);
	planner->shard_mask = shard_mask;
}

/* the UTC day of a time */
static DateADT
day_of(TimestampTz t)
{
	int64		days = t / USECS_PER_DAY;

	if (t % USECS_PER_DAY < 0)
		days--;
	return (DateADT) days;
}

/* history needs a partition for each captured day, made ahead so that it is there at midnight */
static void
need_partitions(CallsyncPlanner *planner, const CallsyncCapture *captures, int n, TimestampTz now)
{
	DateADT		first = day_of(now);
	DateADT		last = first + PARTITION_DAYS_AHEAD;

	for (int i = 0; i < n; i++)
	{
		DateADT		day = day_of(captures[i].captured_at);

		if (day < first)
			first = Max(day, last - 365);
	}
	planner->new_first_day = planner->first_day;
	planner->new_last_day = planner->last_day;
	if (planner->last_day != 0 && first >= planner->first_day && last <= planner->last_day)
		return;
	callsync_plan_make_partitions(first, last);
	planner->new_first_day = first;
	planner->new_last_day = last;
}

static bool
is_origin(const CallsyncCapture *capture, const char *origin)
{
	return strcmp(capture->origin, origin) == 0;
}

/* calls of the captures, each once, in the order of their first capture */
static CallWork *
group_captures(const CallsyncCapture *captures, int n, int *ncalls)
{
	CallWork   *calls = palloc0(sizeof(CallWork) * Max(n, 1));

	*ncalls = 0;
	for (int i = 0; i < n; i++)
	{
		const CallsyncCapture *c = &captures[i];
		CallWork   *work = NULL;

		for (int j = *ncalls - 1; j >= 0 && work == NULL; j--)
			if (strcmp(calls[j].row.call_id, c->call_id) == 0 && strcmp(calls[j].row.source, c->source) == 0)
				work = &calls[j];
		if (work == NULL)
		{
			work = &calls[(*ncalls)++];
			work->row.source = c->source;
			work->row.call_id = c->call_id;
			work->shard = c->shard;
			work->origin = c->origin;
			work->captured_at = c->captured_at;
			work->only = c->destination;
			work->check_only = true;
			work->captures = palloc(sizeof(CallsyncCapture *) * n);
		}
		else
		{
			/* live goes before back-fill; two destinations asked for: all */
			if (is_origin(c, "live"))
				work->origin = c->origin;
			if (work->only != NULL && (c->destination == NULL || strcmp(work->only, c->destination) != 0))
				work->only = NULL;
		}
		work->captures[work->ncaptures++] = c;
		if (is_origin(c, "resync"))
			work->force = true;
		if (is_origin(c, "replay"))
			work->rebuild = true;
		if (!is_origin(c, "reconcile"))
			work->check_only = false;
	}
	return calls;
}

/* an array literal of a JSON array of strings */
static char *
array_literal(const json_t *array)
{
	StringInfoData buf;
	size_t		i;
	json_t	   *value;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	json_array_foreach(array, i, value)
	{
		appendStringInfo(&buf, "%s\"", i > 0 ? "," : "");
		for (const char *c = json_string_value(value); c && *c; c++)
		{
			if (*c == '"' || *c == '\\')
				appendStringInfoChar(&buf, '\\');
			appendStringInfoChar(&buf, *c);
		}
		appendStringInfoChar(&buf, '"');
	}
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

static char *
bit_names(unsigned bits, const char *(*name) (int))
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	for (int bit = 0; name(bit) != NULL; bit++)
		if (bits & (1u << bit))
			appendStringInfo(&buf, "%s%s", buf.len > 1 ? "," : "", name(bit));
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

static TimestampTz
merge_time(int64 us)
{
	return us == CALLSYNC_NO_TIME ? 0 : callsync_from_unix_us(us);
}

static void
end_merge(void *arg)
{
	callsync_merge_end(arg);
}

static CallsyncMerge *
begin_merge(const CallWork *work)
{
	json_t	   *document = work->rebuild ? NULL : callsync_json_parse(work->row.document, NULL);
	json_t	   *state = work->rebuild ? NULL : callsync_json_parse(work->row.merge_state, NULL);
	CallsyncMerge *merge = callsync_merge_begin(document, state);
	MemoryContextCallback *callback;

	if (merge == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("could not read the merge state of call \"%s\" of source \"%s\"",
						work->row.call_id, work->row.source),
				 errhint("Rebuild the call with callsync.replay().")));
	callback = palloc(sizeof(*callback));
	callback->func = end_merge;
	callback->arg = merge;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return merge;
}

static void
merge_event(CallsyncMerge *merge, const CallsyncEventRecord *e)
{
	const CallsyncPreset *preset;
	json_t	   *document;
	json_error_t error;

	if (e->body == NULL)
		return;					/* by reference, and the row is gone */
	if (e->from_table)
	{
		CallsyncMergeEvent event = {0};

		document = json_loadb(e->body, e->body_len, JSON_DECODE_ANY, &error);
		if (document == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_DATA_CORRUPTED),
					 errmsg("could not parse event " INT64_FORMAT, e->id),
					 errdetail("%s at byte %d.", error.text, error.position)));
		callsync_json_keep(document);
		event.type = e->type;
		event.event_time_us = callsync_unix_us(e->event_time);
		event.tie_break = e->tie_break ? e->tie_break : e->id;
		event.received_us = callsync_unix_us(e->received_at);
		event.whole_row = true;
		event.document = document;
		if (!callsync_merge_event(merge, &event))
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
		return;
	}
	preset = callsync_preset_get(e->source);
	if (preset == NULL)
		return;					/* the source is gone; the raw event stays */
	(void) callsync_preset_merge(preset, e->body, e->body_len,
								 callsync_json_parse(e->headers, NULL),
								 callsync_unix_us(e->event_time), e->tie_break,
								 callsync_unix_us(e->received_at), merge);
}

/* which events make the call complete, by its source */
static const json_t *
expected_events(const CallsyncEventRecord *e)
{
	json_t	   *options;
	json_t	   *expected;

	if (!e->from_table)
	{
		const CallsyncPreset *preset = callsync_preset_get(e->source);

		return preset ? callsync_preset_expected(preset) : NULL;
	}
	options = callsync_json_parse(e->source_options, callsync_json_object());
	expected = json_object_get(options, "expected");
	if (expected != NULL)
		return expected;
	expected = callsync_json_keep(json_array());
	json_array_append_new(expected, json_string(e->type ? e->type : "call.ended"));
	return expected;
}

/* appends to the array literal; anew: it starts again */
static void
add_event_id(CallsyncCallRow *row, int64 id, bool anew)
{
	int			len = row->event_ids && !anew ? (int) strlen(row->event_ids) : 0;

	if (len <= 2)
		row->event_ids = psprintf("{" INT64_FORMAT "}", id);
	else
		row->event_ids = psprintf("%.*s," INT64_FORMAT "}", len - 1, row->event_ids, id);
}

static void
merge_call(CallWork *work, const CallsyncEventRecord *events, int nevents, TimestampTz now)
{
	CallsyncMerge *merge = begin_merge(work);
	CallsyncMergeResult result = {0};
	CallsyncCallRow *row = &work->row;
	const json_t *expected = NULL;
	char	   *before = row->document;
	const char *status = row->status;

	for (int i = 0; i < nevents; i++)
	{
		merge_event(merge, &events[i]);
		expected = expected_events(&events[i]);
		row->last_event_id = Max(row->last_event_id, events[i].id);
		add_event_id(row, events[i].id, work->rebuild && i == 0);
	}
	if (expected == NULL && row->expected != NULL && row->version > 0)
		expected = NULL;		/* keeps the catalogue's set */
	if (!callsync_merge_result(merge, expected, &result))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	work->document = callsync_json_share(result.document);
	row->document = callsync_json_text(result.document);
	row->merge_state = callsync_json_text(result.merge_state);
	row->events = array_literal(result.events);
	{
		json_t	   *catalogue = expected ? NULL : callsync_merge_default_expected();

		row->expected = array_literal(expected ? expected : catalogue);
		json_decref(catalogue);
	}
	row->status = pstrdup(callsync_call_status_name(result.status));
	row->conflicts = bit_names(result.conflicts, callsync_conflict_name);
	row->flags = bit_names(result.flags, callsync_flag_name);
	row->started_at = merge_time(result.started_at_us);
	row->ended_at = merge_time(result.ended_at_us);
	row->complete_at = merge_time(result.complete_at_us);
	row->intake_at = merge_time(result.intake_at_us);
	if (row->intake_at == 0)
		row->intake_at = work->captured_at;
	row->extraction_at = merge_time(result.extraction_at_us);
	if (row->captured_at == 0)
		row->captured_at = work->captured_at;
	row->stage = result.extraction ? "extraction" : "intake";
	callsync_merge_result_clear(&result);

	work->changed = row->version == 0 || before == NULL || strcmp(before, row->document) != 0 ||
		status == NULL || strcmp(status, row->status) != 0;
	if (work->changed)
		row->version++;
}

/* the events of this tick for one call: those captured, or all for a rebuild */
static int
events_of_call(const CallWork *work, const CallsyncEventRecord *events, int nevents,
			   CallsyncEventRecord **mine)
{
	CallsyncEventRecord *earlier;
	int			n = work->rebuild
		? callsync_event_load_call(work->row.source, work->row.call_id, CurrentMemoryContext, &earlier) : 0;

	*mine = palloc(sizeof(CallsyncEventRecord) * (n + Max(nevents, 1)));
	if (n > 0)
		memcpy(*mine, earlier, sizeof(CallsyncEventRecord) * n);
	for (int i = 0; i < nevents; i++)
	{
		bool		there = false;

		if (events[i].call_id == NULL || strcmp(events[i].call_id, work->row.call_id) != 0 ||
			strcmp(events[i].source, work->row.source) != 0)
			continue;
		for (int j = 0; j < n && !there; j++)
			there = (*mine)[j].id == events[i].id;
		if (!there)
			(*mine)[n++] = events[i];
	}
	return n;
}

/* Webhooks of a source that was dropped meanwhile cannot be read: they are no call, and stay in the log. */
static bool
says_something(const CallsyncEventRecord *events, int n)
{
	for (int i = 0; i < n; i++)
		if (events[i].from_table || callsync_preset_get(events[i].source) != NULL)
			return true;
	return false;
}

static void
save_person_keys(const CallWork *calls, int ncalls)
{
	const char **sources = palloc(sizeof(char *) * ncalls * 3);
	const char **call_ids = palloc(sizeof(char *) * ncalls * 3);
	const char **kinds = palloc(sizeof(char *) * ncalls * 3);
	int64	   *keys = palloc(sizeof(int64) * ncalls * 3);
	int			n = 0;

	for (int i = 0; i < ncalls; i++)
	{
		static const char *const members[] = {"phone", "spoken_phone", "email"};
		const json_t *caller = json_object_get(calls[i].document, "caller");

		for (int m = 0; m < 3; m++)
		{
			const char *text = callsync_json_string(caller, members[m]);
			int64_t		key;

			if (text == NULL || !(m < 2 ? callsync_person_key_phone(text, strlen(text), calls[i].region, &key)
								  : callsync_person_key_email(text, strlen(text), &key)))
				continue;
			sources[n] = calls[i].row.source;
			call_ids[n] = calls[i].row.call_id;
			kinds[n] = m < 2 ? "phone" : "email";
			keys[n++] = key;
		}
	}
	callsync_person_key_save(sources, call_ids, keys, kinds, n);
}

/* delivery ids named in the details of rows of these origins; returns how many */
static int
named_deliveries(const CallsyncCapture *captures, int n, const char *origin, const char *or_origin, int64 **ids)
{
	int			count = 0;

	*ids = NULL;
	for (int i = 0; i < n; i++)
	{
		json_t	   *list;
		size_t		k;
		json_t	   *id;

		if (!is_origin(&captures[i], origin) && !is_origin(&captures[i], or_origin))
			continue;
		list = json_object_get(callsync_json_parse(captures[i].detail, callsync_json_object()), "deliveries");
		json_array_foreach(list, k, id)
		{
			*ids = *ids == NULL ? palloc(sizeof(int64)) : repalloc(*ids, sizeof(int64) * (count + 1));
			(*ids)[count++] = json_integer_value(id);
		}
	}
	return count;
}

/* deliveries that are to be sent again, and those that are to be read back again */
static void
requeue(const CallsyncCapture *captures, int n, TimestampTz now, CallsyncPlanned *planned)
{
	int64	   *ids;
	int64	   *checks;
	int			nids = named_deliveries(captures, n, "redrive", "release", &ids);
	int			nchecks = named_deliveries(captures, n, "reconcile", "reconcile", &checks);

	if (nids + nchecks == 0)
		return;
	planned->redriven_ids = palloc(sizeof(int64) * (nids + nchecks));
	planned->nredriven = callsync_plan_requeue(ids, nids, now, planned->redriven_ids);
	planned->nredriven += callsync_plan_recheck(checks, nchecks, now, planned->redriven_ids + planned->nredriven);
}

static const CallsyncPlanBase *
find_base(const CallsyncPlanBase *bases, int n, const CallWork *work, const char *destination)
{
	for (int i = 0; i < n; i++)
		if (strcmp(bases[i].destination, destination) == 0 &&
			strcmp(bases[i].call_id, work->row.call_id) == 0 &&
			strcmp(bases[i].source, work->row.source) == 0)
			return &bases[i];
	return NULL;
}

static CallsyncPlanCall
planned_call(CallWork *work)
{
	CallsyncPlanCall call = {0};

	call.row = &work->row;
	call.document = work->document;
	call.shard = work->shard;
	call.origin = work->origin;
	call.region = work->region;
	call.force = work->force;
	call.captured_at = work->captured_at;
	call.day = day_of(work->captured_at);
	return call;
}

/* The i-th destination if the call is to be planned for it, else NULL */
static CallsyncDestination *
destination_of(CallsyncPlanner *planner, const CallWork *work, int i)
{
	CallsyncDestination *d = callsync_destinations_at(planner->destinations, i);

	return d->dropped || (work->only != NULL && strcmp(work->only, d->name) != 0) ? NULL : d;
}

/* All callers of the transaction at once: see callsync_match_lock() */
static void
lock_callers(CallsyncPlanner *planner, CallWork *calls, int ncalls, const CallsyncPlanBase *bases, int nbases)
{
	int			ndests = callsync_destinations_count(planner->destinations);
	uint32	   *keys = palloc(sizeof(uint32) * CALLSYNC_MATCH_LOCK_KEYS * Max(ncalls * ndests, 1));
	int			n = 0;

	for (int c = 0; c < ncalls; c++)
	{
		CallsyncPlanCall call = planned_call(&calls[c]);

		for (int i = 0; i < ndests; i++)
		{
			CallsyncDestination *d = destination_of(planner, &calls[c], i);

			if (d != NULL && calls[c].wanted)
				n += callsync_caller_lock_keys(d, &call, find_base(bases, nbases, &calls[c], d->name), keys + n);
		}
	}
	callsync_match_lock(keys, n);
	pfree(keys);
}

static void
plan_call(CallsyncPlanner *planner, CallsyncPlan *plan, CallWork *work,
		  const CallsyncPlanBase *bases, int nbases, const char *failure)
{
	CallsyncPlanCall call = planned_call(work);

	for (int i = 0; i < callsync_destinations_count(planner->destinations); i++)
	{
		CallsyncDestination *d = destination_of(planner, work, i);
		const CallsyncPlanBase *base;

		if (d == NULL)
			continue;
		base = find_base(bases, nbases, work, d->name);
		if (failure != NULL)
			callsync_plan_failed(plan, d->name, &call, base, "validation", failure,
								 "See the server log; correct the cause, then callsync.resync().");
		else
			callsync_plan_destination(plan, d, &call, base);
	}
}

/* everything about the claimed rows; failure: they could not be planned, record that */
static void
process(CallsyncPlanner *planner, const CallsyncCapture *captures, int n, TimestampTz now,
		const char *failure, CallsyncPlanned *planned)
{
	CallsyncPlan *plan = callsync_plan_create(now);
	CallsyncEventRecord *events;
	CallsyncPlanBase *bases;
	CallsyncCallRow *rows;
	CallWork   *calls;
	int64	   *event_ids = palloc(sizeof(int64) * n);
	const char **sources = palloc(sizeof(char *) * n);
	const char **call_ids = palloc(sizeof(char *) * n);
	int			nevents = 0;
	int			ncalls;
	int			nrows = 0;
	int			nbases;

	for (int i = 0; i < n; i++)
		if (captures[i].event_id != 0)
			event_ids[nevents++] = captures[i].event_id;
	if (failure == NULL)
		nevents = callsync_event_load(event_ids, nevents, CurrentMemoryContext, &events);

	calls = group_captures(captures, n, &ncalls);
	rows = palloc0(sizeof(CallsyncCallRow) * Max(ncalls, 1));
	for (int i = 0; i < ncalls; i++)
	{
		rows[i] = calls[i].row;
		sources[i] = calls[i].row.source;
		call_ids[i] = calls[i].row.call_id;
	}
	for (int i = 0; i < ncalls; i++)
		calls[i].region = i > 0 && strcmp(calls[i].row.source, calls[i - 1].row.source) == 0
			? calls[i - 1].region
			: callsync_source_region(calls[i].row.source, CurrentMemoryContext);
	callsync_call_load(rows, ncalls, CurrentMemoryContext);
	nbases = callsync_plan_base_load(sources, call_ids, ncalls, CurrentMemoryContext, &bases);

	for (int i = 0; i < ncalls; i++)
	{
		CallWork   *work = &calls[i];
		CallsyncEventRecord *mine;
		int			nmine;

		CHECK_FOR_INTERRUPTS();
		if (work->check_only)
			continue;
		work->row = rows[i];
		if (failure != NULL)
		{
			work->document = callsync_json_keep(callsync_json_object());
			plan_call(planner, plan, work, bases, nbases, failure);
			continue;
		}
		nmine = events_of_call(work, events, nevents, &mine);
		if (work->row.version == 0 && !says_something(mine, nmine))
			continue;			/* asked for a call that nobody knows */
		merge_call(work, mine, nmine, now);
		work->wanted = work->changed || work->force || work->only != NULL || !is_origin(work->captures[0], "live");
		calls[nrows++] = *work;
	}
	if (failure == NULL)
	{
		lock_callers(planner, calls, nrows, bases, nbases);
		for (int i = 0; i < nrows; i++)
		{
			CHECK_FOR_INTERRUPTS();
			if (calls[i].wanted)
				plan_call(planner, plan, &calls[i], bases, nbases, NULL);
			rows[i] = calls[i].row;
		}
		callsync_call_save(rows, nrows, now);
		save_person_keys(calls, nrows);
	}
	callsync_plan_write(plan);
	planned->ndeliveries = 0;
	planned->delivery_ids = palloc(sizeof(int64) * Max(plan->ndeliveries, 1));
	for (int i = 0; i < plan->ndeliveries; i++)
		if (plan->deliveries[i].due_at != 0)
			planned->delivery_ids[planned->ndeliveries++] = plan->deliveries[i].id;
}

void
callsync_planner_tick(CallsyncPlanner *planner, int limit, CallsyncPlanned *planned)
{
	TimestampTz now = callsync_now();
	CallsyncCapture *captures;
	const char *failure = NULL;
	int64	   *ids;
	int			n;

	memset(planned, 0, sizeof(*planned));
	n = callsync_outbox_claim(planner->cursor, planner->singles > 0 ? 1 : limit, planner->shard_mask,
							  CurrentMemoryContext, &captures, &planned->more);
	planner->suspect = 0;
	planner->new_first_day = planner->first_day;
	planner->new_last_day = planner->last_day;
	/* none for nothing: a dump that is being restored brings its own partitions */
	if (n == 0)
		return;
	need_partitions(planner, captures, n, now);
	planned->claimed = n;
	if (planner->singles > 0)
	{
		planner->suspect = captures[0].id;
		if (captures[0].id == planner->set_aside)
			failure = planner->error;
	}
	if (failure != NULL)
		callsync_alert_raise("unplannable_call", "critical", NULL,
							 psprintf("%s/%s", captures[0].source, captures[0].call_id),
							 psprintf("call \"%s\" of source \"%s\" could not be planned: %s",
									  captures[0].call_id, captures[0].source, failure),
							 "The event is kept. Correct the cause, then SELECT callsync.resync(ARRAY[...]).", now);
	process(planner, captures, n, now, failure, planned);
	requeue(captures, n, now, planned);
	ids = palloc(sizeof(int64) * n);
	for (int i = 0; i < n; i++)
		ids[i] = captures[i].id;
	callsync_outbox_delete(ids, n);
}

void
callsync_planner_rehearse(CallsyncDestinations *destinations, const CallsyncCapture *captures, int n)
{
	CallsyncPlanner *planner = callsync_planner_create(CurrentMemoryContext, destinations);
	CallsyncPlanned planned = {0};
	TimestampTz now = callsync_now();

	need_partitions(planner, captures, n, now);
	process(planner, captures, n, now, NULL, &planned);
}

void
callsync_planner_committed(CallsyncPlanner *planner, bool committed, const CallsyncTxnError *error)
{
	callsync_outbox_cursor_keep(planner->cursor, committed);
	if (committed)
	{
		planner->first_day = planner->new_first_day;
		planner->last_day = planner->new_last_day;
		if (planner->singles > 0)
			planner->singles--;
		if (planner->suspect != 0 && planner->suspect == planner->set_aside)
		{
			/* found and dealt with: many at a time again */
			planner->singles = 0;
			planner->set_aside = 0;
		}
		return;
	}
	/* a partition that we know of may have been dropped: look again */
	planner->first_day = planner->last_day = 0;
	if (planner->suspect != 0 && planner->suspect != planner->set_aside &&
		error != NULL && error->of_row)
	{
		planner->set_aside = planner->suspect;
		strlcpy(planner->error, error->message, sizeof(planner->error));
	}
	planner->singles = Max(planner->singles, SINGLES_AFTER_FAILURE);
}
