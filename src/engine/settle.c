/*
 * settle.c
 *		What became of deliveries, into the tables; and into memory after the commit.
 *
 * One transaction takes the attempt's end, the delivery, its queue row, the links, the
 * dead letter and the state that people look at, so that no reader ever sees one without
 * the others.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "engine/engine_state.h"
#include "engine/lookup.h"
#include "pg/env.h"
#include "pg/clock.h"
#include "pg/json.h"
#include "pg/locks.h"
#include "store/alert.h"
#include "store/append.h"
#include "store/contact_save.h"
#include "store/destination_state.h"
#include "store/link.h"
#include "store/schema.h"
#include "store/sync_state.h"

/* ---- deliveries and queue ---- */

static const char *
stored_state(const CallsyncResult *r)
{
	/* to people "failed"; the step in sync_state keeps the finer word */
	return r->state == CALLSYNC_STEP_SILENT ? "failed" : callsync_step_state_name(r->state);
}

static void
write_deliveries(CallsyncResult **results, int n, TimestampTz now)
{
	CallsyncDeliveryChange *changes = palloc0(sizeof(CallsyncDeliveryChange) * Max(n, 1));
	int64	   *gone = palloc(sizeof(int64) * Max(n, 1));
	int64	   *later = palloc(sizeof(int64) * Max(n, 1));
	TimestampTz *due = palloc(sizeof(TimestampTz) * Max(n, 1));
	int			ngone = 0,
				nlater = 0;

	for (int i = 0; i < n; i++)
	{
		const CallsyncResult *r = results[i];
		CallsyncDeliveryChange *c = &changes[i];

		c->id = r->row->id;
		c->day = r->row->day;
		c->state = stored_state(r);
		c->operation = r->operation;
		c->record_id = r->record_id;
		c->attempts = r->tries;
		c->confirmation = r->confirmation;
		c->settled_at = r->kind == CALLSYNC_RESULT_SETTLED ? now : 0;
		c->field_results = r->field_results;
		c->error_class = r->error_class;
		c->http_status = r->http_status;
		c->last_error = r->last_error;
		c->remedy = r->remedy && r->remedy[0] ? r->remedy : NULL;
		c->next_attempt_at = r->kind == CALLSYNC_RESULT_AGAIN ? r->due : 0;
		if (r->kind != CALLSYNC_RESULT_AGAIN)
			gone[ngone++] = r->row->id;
		else if (r->due > now)
		{
			later[nlater] = r->row->id;
			due[nlater++] = r->due;
		}
	}
	callsync_delivery_write(changes, n);
	callsync_queue_delete(gone, ngone);
	callsync_queue_set_due(later, due, nlater);
}

/* In one order, so that two workers that raise several do not wait for each other. */
static int
compare_steps(const void *a, const void *b)
{
	const CallsyncDeadLetter *l = a,
			   *m = b;
	int			cmp = strcmp(l->delivery->destination, m->delivery->destination);

	return cmp != 0 ? cmp : strcmp(l->delivery->step, m->delivery->step);
}

/* One alert for each step of a destination; it quotes the last one's error. */
static void
alert_dead_letters(CallsyncDeadLetter *letters, int n, TimestampTz now)
{
	int			first = 0;

	qsort(letters, n, sizeof(CallsyncDeadLetter), compare_steps);
	for (int i = 0; i < n; i++)
	{
		const CallsyncDeadLetter *l = &letters[i];
		const CallsyncDelivery *d = l->delivery;

		if (i + 1 < n && compare_steps(l, &letters[i + 1]) == 0)
			continue;
		callsync_alert_raise_times("dead_letter", "warning", d->destination, d->step,
								   psprintf("step \"%s\" of call \"%s\" was given up: %s", d->step, d->call_id,
											l->last_error ? l->last_error : l->error_class),
								   l->remedy, i + 1 - first, now);
		first = i + 1;
	}
}

static void
write_dead_letters(CallsyncResult **results, int n, TimestampTz now)
{
	CallsyncDeadLetter *letters = palloc0(sizeof(CallsyncDeadLetter) * Max(n, 1));
	int			nletters = 0;

	for (int i = 0; i < n; i++)
	{
		const CallsyncResult *r = results[i];
		CallsyncDeadLetter *l = &letters[nletters];

		if (!r->dead)
			continue;
		l->delivery = r->row;
		l->operation = r->operation;
		l->error_class = r->error_class ? r->error_class : "permanent";
		l->http_status = r->http_status;
		l->last_error = r->last_error;
		l->remedy = r->remedy && r->remedy[0] ? r->remedy : NULL;
		l->attempts = r->tries;
		nletters++;
	}
	alert_dead_letters(letters, nletters, now);
	callsync_dead_letter_write(letters, nletters, now);
}

/* ---- links ---- */

static bool
is_written(const CallsyncResult *r)
{
	return r->record_id != NULL &&
		(r->release || r->created ||
		 (r->kind == CALLSYNC_RESULT_SETTLED && callsync_step_state_good(r->state)));
}

bool
callsync_result_of_contact(const CallsyncResult *r)
{
	return r->contacts != NULL || (r->per_person && (r->forget_record || is_written(r)));
}

static void
write_links(CallsyncResult **results, int n, TimestampTz now)
{
	CallsyncRecordLink *records = palloc0(sizeof(CallsyncRecordLink) * Max(n, 1));
	CallsyncContactLink *contacts = palloc0(sizeof(CallsyncContactLink) * Max(n, 1));
	int			nrecords = 0,
				ncontacts = 0;

	for (int i = 0; i < n; i++)
	{
		const CallsyncResult *r = results[i];
		const CallsyncDelivery *row = r->row;

		if (r->forget_record && row->record_id != NULL)
		{
			callsync_link_forget_record(row->destination, row->record_id);
			if (r->per_person)
				callsync_link_forget_contact(row->destination, row->record_id);
		}
		/* once per record: when the answer to the write is in */
		if (!is_written(r) || r->context == NULL || !(r->release || r->created))
			continue;
		if (r->record_of == NULL)
		{
			CallsyncRecordLink *l = &records[nrecords++];

			l->destination = row->destination;
			l->source = row->source;
			l->call_id = row->call_id;
			l->step = row->step;
			l->object = row->object;
			l->record_id = r->record_id;
			l->idempotency_key = row->idempotency_key;
		}
		if (r->per_person)
		{
			const json_t *find = json_object_get(r->context, "find");
			CallsyncContactLink *c = &contacts[ncontacts++];

			c->destination = row->destination;
			c->contact_key = row->idempotency_key;
			c->contact_id = r->record_id;
			c->first_name = callsync_json_string(find, "first_name");
			c->last_name = callsync_json_string(find, "last_name");
			if (c->last_name == NULL)
				c->last_name = callsync_json_string(find, "name");
			c->email = callsync_json_string(find, "email");
			c->phone = callsync_json_string(find, "phone");
			c->postal_code = callsync_json_string(find, "postal_code");
		}
	}
	callsync_link_records(records, nrecords, now);
	callsync_link_contacts(contacts, ncontacts);
}

/*
 * What a contact has now, for the next call's "only where empty" and lists that
 * grow: the mirror's own columns know no more than what identified the caller.
 */
static void
write_mirror(CallsyncResult **results, int n)
{
	for (int i = 0; i < n; i++)
	{
		const CallsyncResult *r = results[i];
		json_t	   *record = json_object_get(r->context, "record");
		json_t	   *fields;
		json_t	   *one;
		const char *name;
		json_t	   *value;

		if (!r->per_person || r->kind != CALLSYNC_RESULT_SETTLED || !is_written(r) || r->contacts != NULL)
			continue;
		fields = callsync_json_keep(callsync_json_object());
		/* a new contact's single values are in its columns */
		json_object_foreach(record, name, value)
			if (r->row->record_id != NULL || json_is_array(value))
				json_object_set(fields, name, value);
		if (json_object_size(fields) == 0)
			continue;
		one = callsync_json_keep(json_pack("[{s:s, s:O}]", "id", r->record_id, "fields", fields));
		callsync_contact_save(r->row->destination, callsync_json_text(one));
	}
}

/* ---- look-ups ---- */

/* The answer into the mirror, and a note to plan the call by it */
static void
write_lookups(CallsyncResult **results, int n)
{
	for (int i = 0; i < n; i++)
	{
		const CallsyncDelivery *row = results[i]->row;
		CallsyncOutboxRow note = {0};

		if (results[i]->contacts == NULL)
			continue;
		if (json_array_size(results[i]->contacts) > 0)
			callsync_contact_save(row->destination, callsync_json_text(results[i]->contacts));
		note.origin = row->origin;
		note.source = row->source;
		note.call_id = row->call_id;
		note.destination = row->destination;
		callsync_outbox_append(&note);
	}
}

/* Fields that a destination did not take, or does not have, although it should: before anything else is sent */
static void
write_refused(CallsyncResult **results, int n, TimestampTz now)
{
	for (int i = 0; i < n; i++)
		if (results[i]->refused_field != NULL)
			callsync_schema_refused(results[i]->row->destination, results[i]->row->object, results[i]->refused_field,
									results[i]->last_error, now);
		else if (results[i]->kind == CALLSYNC_RESULT_SETTLED)
			for (size_t k = 0; k < json_array_size(results[i]->unseen); k++)
				callsync_schema_unseen(results[i]->row->destination, results[i]->row->object,
									   json_string_value(json_array_get(results[i]->unseen, k)), now);
}

/* ---- the state of the call ---- */

static int
by_call(const void *a, const void *b)
{
	const CallsyncResult *x = *(CallsyncResult *const *) a;
	const CallsyncResult *y = *(CallsyncResult *const *) b;
	int			c = strcmp(x->row->destination, y->row->destination);

	if (c == 0)
		c = strcmp(x->row->source, y->row->source);
	if (c == 0)
		c = strcmp(x->row->call_id, y->row->call_id);
	if (c == 0)
		c = x->row->id < y->row->id ? -1 : x->row->id > y->row->id;
	return c;
}

static void
set_text(json_t *object, const char *key, const char *value)
{
	if (value != NULL && value[0] != '\0')
		json_object_set_new(object, key, json_string(value));
	else
		json_object_del(object, key);
}

/* What the result says of its step */
static void
update_step(CallsyncSyncState *s, const CallsyncResult *r)
{
	json_t	   *entry = json_object_get(s->steps, r->row->step);
	int64		newest = (int64) json_integer_value(json_object_get(entry, "delivery"));

	s->attempts += Max(r->tries - r->row->attempts, 0);
	if (r->record_id != NULL)
	{
		if (r->record_of == NULL)
			set_text(s->records, r->row->step, r->record_id);
		if (r->per_person)
			s->contact_record_id = pstrdup(r->record_id);
	}
	else if (r->forget_record)
		json_object_del(s->records, r->row->step);

	if (entry != NULL && newest > r->row->id)
		return;					/* a newer delivery speaks for the step */
	if (entry == NULL)
	{
		entry = callsync_json_object();
		json_object_set_new(s->steps, r->row->step, entry);
	}
	json_object_set_new(entry, "delivery", json_integer(r->row->id));
	/* an answered look-up leaves the call open until it is planned by it */
	json_object_set_new(entry, "state", json_string(callsync_step_state_name(r->contacts ? CALLSYNC_STEP_CONFIRMING
																			  : r->state)));
	set_text(entry, "record_id", r->record_id);
	set_text(entry, "class", r->error_class);
	set_text(entry, "error", r->last_error);
	set_text(entry, "remedy", r->remedy);
	if (r->kind == CALLSYNC_RESULT_AGAIN)
		json_object_set_new(entry, "next", json_integer(callsync_engine_ms(r->due)));
	else
		json_object_del(entry, "next");
	if (r->missing != NULL && json_array_size(r->missing) > 0)
		json_object_set(entry, "missing", r->missing);
	else
		json_object_del(entry, "missing");
}

/* How loudly a step's error speaks for the call; 0: not at all */
static int
loudness(CallsyncStepState state)
{
	switch (state)
	{
		case CALLSYNC_STEP_DEAD:
		case CALLSYNC_STEP_SILENT:
			return 5;
		case CALLSYNC_STEP_FAILED:
			return 4;
		case CALLSYNC_STEP_PARTIAL:
			return 3;
		case CALLSYNC_STEP_IN_DOUBT:
			return 2;
		case CALLSYNC_STEP_WAITING_RETRY:
		case CALLSYNC_STEP_CONFIRMING:
			return 1;
		default:
			return 0;
	}
}

static void
append_unique(json_t *array, const char *text)
{
	size_t		i;
	json_t	   *value;

	json_array_foreach(array, i, value)
		if (strcmp(json_string_value(value), text) == 0)
			return;
	json_array_append_new(array, json_string(text));
}

/* "missing" of all steps into one array of texts */
static void
collect_missing(const json_t *steps, json_t *out)
{
	const char *name;
	json_t	   *entry;

	json_object_foreach((json_t *) steps, name, entry)
	{
		size_t		i;
		json_t	   *value;

		json_array_foreach(json_object_get(entry, "missing"), i, value)
			if (json_is_string(value))
				append_unique(out, json_string_value(value));
	}
}

static const char *
array_literal(const json_t *array)
{
	StringInfoData buf;
	size_t		i;
	json_t	   *value;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	json_array_foreach((json_t *) array, i, value)
	{
		if (i > 0)
			appendStringInfoChar(&buf, ',');
		appendStringInfoChar(&buf, '"');
		for (const char *c = json_string_value(value); *c; c++)
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

/* Everything of the row that follows from its steps */
static void
derive(CallsyncSyncState *s, json_t *planned_missing, TimestampTz now)
{
	int			n = (int) json_object_size(s->steps),
				nstates = 0;
	CallsyncStepState *states = palloc(sizeof(CallsyncStepState) * Max(n, 1));
	CallsyncSyncVerdict verdict;
	const char *name;
	json_t	   *entry;
	int			loudest = 0;
	int64		next_ms = INT64_MAX;
	bool		there = false;

	s->error_class = s->last_error = s->remedy = NULL;
	json_object_foreach(s->steps, name, entry)
	{
		const char *word = callsync_json_string(entry, "state");
		int			state = word ? callsync_step_state_from_name(word) : -1;
		json_t	   *next = json_object_get(entry, "next");

		if (state < 0)
			continue;
		states[nstates++] = (CallsyncStepState) state;
		if (loudness((CallsyncStepState) state) > loudest &&
			(callsync_json_string(entry, "error") || callsync_json_string(entry, "class")))
		{
			loudest = loudness((CallsyncStepState) state);
			s->error_class = callsync_json_string(entry, "class");
			s->last_error = callsync_json_string(entry, "error");
			s->remedy = callsync_json_string(entry, "remedy");
		}
		if (next != NULL && !callsync_step_state_settled((CallsyncStepState) state) &&
			(state == CALLSYNC_STEP_WAITING_RETRY || state == CALLSYNC_STEP_IN_DOUBT))
			next_ms = Min(next_ms, (int64) json_integer_value(next));
		/* planned for a batch that is still to come */
		else if (next != NULL && (state == CALLSYNC_STEP_READY || state == CALLSYNC_STEP_WAITING) &&
				 json_integer_value(next) > callsync_engine_ms(now))
			next_ms = Min(next_ms, (int64) json_integer_value(next));
		there = there || state == CALLSYNC_STEP_CONFIRMED || state == CALLSYNC_STEP_SENT ||
			state == CALLSYNC_STEP_PARTIAL || state == CALLSYNC_STEP_CONFIRMING;
	}
	verdict = callsync_sync_verdict(states, nstates);
	if (verdict.settled && (strcmp(verdict.status, "synced") == 0 || strcmp(verdict.status, "partial") == 0))
		s->synced_at = now;
	s->status = unconstify(char *, verdict.status);
	s->failure_kind = verdict.failure_kind;
	s->next_attempt_at = next_ms != INT64_MAX ? callsync_engine_time(next_ms) : 0;
	if (there && strcmp(s->stage, "activation") != 0)
	{
		s->stage = "activation";
		s->activated = true;
	}
	collect_missing(s->steps, planned_missing);
	s->missing_fields = array_literal(planned_missing);
}

/*
 * What the planner found missing before sending: the part of missing_fields that no step
 * accounts for.
 */
static json_t *
planned_missing(const CallsyncSyncState *s)
{
	json_t	   *own = callsync_json_keep(json_array());
	json_t	   *planned = callsync_json_keep(json_array());
	size_t		i;
	json_t	   *value;

	collect_missing(s->steps, own);
	json_array_foreach(s->planned_missing, i, value)
	{
		size_t		before = json_array_size(own);

		append_unique(own, json_string_value(value));
		if (json_array_size(own) > before)
			append_unique(planned, json_string_value(value));
	}
	return planned;
}

static void
write_states(CallsyncResult **results, int n, TimestampTz now)
{
	CallsyncResult **sorted;
	CallsyncSyncState *states;
	int		   *state_of;
	int			nstates = 0;

	if (n <= 0)
		return;
	sorted = palloc(sizeof(CallsyncResult *) * n);
	states = palloc0(sizeof(CallsyncSyncState) * n);
	state_of = palloc(sizeof(int) * n);
	memcpy(sorted, results, sizeof(CallsyncResult *) * n);
	qsort(sorted, n, sizeof(CallsyncResult *), by_call);
	for (int i = 0; i < n; i++)
	{
		const CallsyncDelivery *row = sorted[i]->row;
		CallsyncSyncState *last = nstates > 0 ? &states[nstates - 1] : NULL;

		if (last == NULL || strcmp(last->destination, row->destination) != 0 ||
			strcmp(last->source, row->source) != 0 || strcmp(last->call_id, row->call_id) != 0)
		{
			last = &states[nstates++];
			last->source = row->source;
			last->call_id = row->call_id;
			last->destination = row->destination;
		}
		state_of[i] = nstates - 1;
	}
	callsync_sync_state_load(states, nstates);
	for (int i = 0; i < n;)
	{
		CallsyncSyncState *s = &states[state_of[i]];
		int			this = state_of[i];
		json_t	   *planned;

		if (s->steps == NULL)
		{
			while (i < n && state_of[i] == this)
				i++;
			continue;
		}
		planned = planned_missing(s);
		for (; i < n && state_of[i] == this; i++)
			update_step(s, sorted[i]);
		derive(s, planned, now);
	}
	callsync_sync_state_write(states, nstates, now);
}

void
callsync_settle_write(CallsyncEngine *engine, CallsyncResult **results, int n,
					  const CallsyncAttemptEnd *ends, int nends)
{
	TimestampTz now = callsync_now();

	callsync_attempt_end(ends, nends);
	if (n == 0)
		return;
	/*
	 * Several statements, and rows of the mirror one by one: two workers who know the same
	 * callers would take them in different orders and wait for each other.
	 */
	for (int i = 0; i < n; i++)
		if (callsync_result_of_contact(results[i]))
		{
			callsync_lock_transaction(engine->identity->database, CALLSYNC_LOCK_CONTACTS, 0);
			break;
		}
	write_deliveries(results, n, now);
	write_links(results, n, now);
	write_mirror(results, n);
	write_dead_letters(results, n, now);
	write_lookups(results, n);
	write_refused(results, n, now);
	write_states(results, n, now);
	for (int i = 0; i < n; i++)
	{
		CallsyncEngineDest *dest = results[i]->dest;

		if (dest->disable)
		{
			callsync_destination_pause(dest->d->name, dest->disable_reason, now);
			callsync_alert_raise("destination_disabled", "critical", dest->d->name, "", dest->disable_reason,
								 "Check the endpoint's address; then callsync.resume().", now);
			dest->disable = false;
		}
	}
}

/* ---- memory ---- */

static void
apply_again(CallsyncEngine *engine, const CallsyncResult *r, int64 now_ms)
{
	CallsyncJob *job = r->job;

	/*
	 * Its shard is to go to another worker and was kept only while this was under way:
	 * what is left to do is in the tables, and the next owner does it.
	 */
	if ((engine->shards & (UINT64CONST(1) << job->shard)) == 0)
	{
		callsync_load_left(job);
		callsync_jobs_forget(engine->jobs, job, now_ms);
		return;
	}
	job->tries = r->tries;
	if (job->first_ms == 0 && r->tries > 0)
		job->first_ms = now_ms;
	if (r->next_phase == (CallsyncPhase) job->phase && job->laps < PG_UINT8_MAX)
		job->laps += r->next_phase != CALLSYNC_PHASE_SEND;
	else
		job->laps = 0;
	if (r->turn && job->turns < PG_UINT8_MAX)
		job->turns++;
	if (r->in_doubt && !(job->flags & CALLSYNC_JOB_IN_DOUBT))
		job->doubt_ms = now_ms;
	job->phase = r->next_phase;
	job->flags = (r->in_doubt ? CALLSYNC_JOB_IN_DOUBT : 0) | (r->solo ? CALLSYNC_JOB_SOLO : 0) |
		(r->claimed ? CALLSYNC_JOB_CLAIMED : 0);
	job->replaceable = !r->in_doubt && r->next_phase == CALLSYNC_PHASE_SEND;
	if (r->release)
		callsync_jobs_resolve(engine->jobs, job->id, true, now_ms);
	callsync_jobs_retry(engine->jobs, job, callsync_engine_ms(r->due), now_ms);
}

void
callsync_results_apply(CallsyncEngine *engine, CallsyncResult **results, int n)
{
	int64		now_ms = callsync_engine_now_ms();

	for (int i = 0; i < n; i++)
	{
		const CallsyncResult *r = results[i];
		CallsyncJob *job = r->job;

		if (r->exchange_n > 0)
			job->exchanges = r->exchange_n;
		switch (r->kind)
		{
			case CALLSYNC_RESULT_AGAIN:
				apply_again(engine, r, now_ms);
				break;
			case CALLSYNC_RESULT_SETTLED:
				r->dest->dirty = true;
				if (callsync_step_state_good(r->state))
					r->dest->confirmed++;
				else
					r->dest->failed++;
				engine->status.total_settled++;
				callsync_load_left(job);
				/* not where it took the answer of another */
				if (r->contacts != NULL && r->http_status != 0)
					callsync_lookup_note_answer(r->dest, job, now_ms);
				callsync_jobs_settle(engine->jobs, job, callsync_step_state_good(r->state), now_ms);
				/* the planner has a note */
				engine->more = engine->more || r->contacts != NULL;
				break;
			case CALLSYNC_RESULT_PARKED:
				callsync_load_left(job);
				callsync_jobs_forget(engine->jobs, job, now_ms);
				break;
		}
	}
}
