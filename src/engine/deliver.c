/*
 * deliver.c
 *		What an answer means for each delivery: again, settled, or a person's turn.
 *
 *	 SEND --ok--> CONFIRM --read back--> settled
 *	  ^  \--unknown outcome--> LOOKUP (or SEND again by its key)
 *	  |                          | not there        | there
 *	  +--------------------------+                  +--> CONFIRM
 *
 * Nothing here touches a table or a job: decisions are results, written by settle.c and
 * applied after the commit. Breaker, limits and counters of the destination do
 * change at once: they are about the server, not about our tables.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "mb/pg_wchar.h"
#include "utils/timestamp.h"

#include "engine/engine_state.h"
#include "pg/env.h"
#include "pg/clock.h"
#include "pg/json.h"

#define MAX_TURNS 4				/* times that an answer (duplicate, gone) may send a delivery back */
#define MAX_REREADS 4
#define REREAD_MS 1000
#define AUTH_RETRY_MS 15000
#define AUTH_RETRY_CAP_MS 300000
#define MAX_FOUND 8
#define MAX_CONTACTS 50			/* of one look-up that go into the mirror */

void
callsync_result_init(CallsyncResult *r, CallsyncJob *job, CallsyncEngineDest *dest,
					 const CallsyncDelivery *row)
{
	const CallsyncStep *step = dest->d->connector ? callsync_connector_step(dest->d->connector, row->step) : NULL;

	memset(r, 0, sizeof(*r));
	r->job = job;
	r->dest = dest;
	r->row = row;
	r->tries = job->tries;
	r->record_id = row->record_id;
	r->in_doubt = (job->flags & CALLSYNC_JOB_IN_DOUBT) != 0;
	r->solo = (job->flags & CALLSYNC_JOB_SOLO) != 0;
	r->claimed = (job->flags & CALLSYNC_JOB_CLAIMED) != 0;
	r->next_phase = (CallsyncPhase) job->phase;
	r->per_person = step != NULL && step->per_person;
	r->record_of = step != NULL && step->record_of ? pstrdup(step->record_of) : NULL;
}

void
callsync_deliver_refuse(CallsyncResult *r, const char *error_class, const char *message,
						const char *remedy)
{
	r->kind = CALLSYNC_RESULT_SETTLED;
	r->state = CALLSYNC_STEP_DEAD;
	r->dead = true;
	r->error_class = error_class;
	r->last_error = message;
	r->remedy = remedy;
}

/* Text from outside, fit for a column: valid UTF-8. In the current context. */
static const char *
clean(const char *text)
{
	char	   *copy;

	if (text == NULL || text[0] == '\0')
		return NULL;
	copy = pstrdup(text);
	if (!pg_verifymbstr(copy, strlen(copy), true))
		for (char *c = copy; *c != '\0'; c++)
			if (IS_HIGHBIT_SET(*c))
				*c = '?';
	return copy;
}

static void
set_error(CallsyncExchange *x, CallsyncResult *r, const CallsyncOutcome *o)
{
	r->error_class = callsync_class_name(o->error_class);
	r->http_status = x->response->status;
	r->last_error = clean(o->message);
	if (r->last_error == NULL)
		r->last_error = clean(x->response->error);
	if (r->last_error == NULL)
		r->last_error = psprintf("HTTP status %d", x->response->status);
	r->remedy = o->remedy;
}

static int64
answered_ms(const CallsyncExchange *x)
{
	return callsync_engine_ms(x->answered_at);
}

static void
again(CallsyncResult *r, CallsyncStepState state, CallsyncPhase phase, int64 at_ms)
{
	r->kind = CALLSYNC_RESULT_AGAIN;
	r->state = state;
	r->next_phase = phase;
	r->due = callsync_engine_time(at_ms);
}

/* At a time by the schedule of its class, or not any more. */
static void
retry(CallsyncExchange *x, CallsyncItem *item, CallsyncErrorClass class, const CallsyncOutcome *o,
	  CallsyncPhase phase)
{
	CallsyncResult *r = &item->result;
	const CallsyncBackoff *schedule = &x->dest->backoff[class];
	int64		now_ms = answered_ms(x);
	int64		first_ms = item->job->first_ms ? item->job->first_ms : callsync_engine_ms(x->started_at);
	int64		at_ms;
	int			made = Max(item->try_no, 1) + item->job->laps;

	switch (callsync_backoff_next(schedule, made, first_ms, now_ms, o->retry_at_ms,
								  pg_prng_double(&pg_global_prng_state), &at_ms))
	{
		case CALLSYNC_BACKOFF_RETRY:
			again(r, r->in_doubt ? CALLSYNC_STEP_IN_DOUBT : CALLSYNC_STEP_WAITING_RETRY, phase, at_ms);
			break;
		case CALLSYNC_BACKOFF_EXHAUSTED:
			callsync_deliver_refuse(r, r->error_class, r->last_error,
									"Tried for as long as the retry schedule says. When the cause is gone: callsync.redrive().");
			break;
		case CALLSYNC_BACKOFF_NEVER:
			callsync_deliver_refuse(r, r->error_class, r->last_error, r->remedy);
			break;
	}
}

/* Written; how sure is that, and is there more to find out? */
static void
written(CallsyncExchange *x, CallsyncItem *item, const CallsyncStep *step, const CallsyncOp *op)
{
	CallsyncResult *r = &item->result;
	CallsyncVerify verify = x->dest->d->verify;

	r->in_doubt = false;
	r->claimed = false;
	r->release = true;
	r->error_class = NULL;
	r->last_error = NULL;
	r->remedy = NULL;
	if (verify == CALLSYNC_VERIFY_READ_BACK && step != NULL && step->read_op != NULL &&
		step->map != NULL && r->record_id != NULL && json_object_size(json_object_get(item->context, "record")) > 0)
	{
		again(r, CALLSYNC_STEP_CONFIRMING, CALLSYNC_PHASE_CONFIRM, answered_ms(x));
		return;
	}
	r->kind = CALLSYNC_RESULT_SETTLED;
	if (verify == CALLSYNC_VERIFY_TRANSPORT)
	{
		r->state = CALLSYNC_STEP_SENT;
		r->confirmation = "transport";
	}
	else
	{
		r->state = CALLSYNC_STEP_CONFIRMED;
		r->confirmation = "response";
	}
}

/* The record is known by this id now. */
static void
has_record(CallsyncResult *r, const char *id)
{
	if (id == NULL || id[0] == '\0')
		return;
	r->created = r->row->record_id == NULL || strcmp(r->row->record_id, id) != 0;
	r->record_id = clean(id);
}

static const char *const two_records =
"Two records claim the same identity at the destination; merge them there, then callsync.redrive().";

static void
decide_duplicate(CallsyncExchange *x, CallsyncItem *item, const CallsyncStep *step, const CallsyncOp *op,
				 const CallsyncOutcome *o)
{
	CallsyncResult *r = &item->result;

	if (op->idempotency == CALLSYNC_IDEM_CLIENT_ID || op->idempotency == CALLSYNC_IDEM_HEADER ||
		op->idempotency == CALLSYNC_IDEM_FIELD || op->idempotency == CALLSYNC_IDEM_IF_NONE_MATCH)
	{
		/* the record in the way is the one that an earlier try of this delivery made */
		has_record(r, o->existing_id[0] ? o->existing_id : o->id);
		if (r->record_id == NULL)
			has_record(r, callsync_json_string(item->context, "id"));
		written(x, item, step, op);
		if (r->kind == CALLSYNC_RESULT_AGAIN)
		{
			/* by the word of a refusal, which is on record as one; others wait until it was seen */
			set_error(x, r, o);
			r->claimed = true;
			r->release = false;
		}
		return;
	}
	if (item->job->turns >= MAX_TURNS)
	{
		callsync_deliver_refuse(r, r->error_class, r->last_error, two_records);
		return;
	}
	r->turn = true;
	if (o->existing_id[0] != '\0')
	{
		has_record(r, o->existing_id);
		again(r, CALLSYNC_STEP_READY, CALLSYNC_PHASE_SEND, answered_ms(x));
	}
	else if (op->guard != NULL)
		again(r, CALLSYNC_STEP_READY, CALLSYNC_PHASE_LOOKUP, answered_ms(x));
	else if (callsync_idempotency_is_safe(op->idempotency))
		/* it is addressed by its key: two writers met, or something else looks like it; that may pass */
		retry(x, item, CALLSYNC_CLASS_DUPLICATE, o, CALLSYNC_PHASE_SEND);
	else
		callsync_deliver_refuse(r, r->error_class, r->last_error, r->remedy);
}

static void
decide_gone(CallsyncExchange *x, CallsyncItem *item, const CallsyncOp *op, const CallsyncOutcome *o)
{
	CallsyncResult *r = &item->result;

	if (!op->needs_id || item->job->turns >= MAX_TURNS)
	{
		callsync_deliver_refuse(r, r->error_class, r->last_error, op->needs_id
								? "The record vanishes each time it is made: look at the destination's automation and permissions, then callsync.redrive()."
								: "Something that this record names (its contact, opportunity or ticket), or the address itself, does not exist at the destination: see the message. A contact that was deleted or merged there is taken out of callsync.contact, then callsync.resync(); anything else is mended, then callsync.redrive().");
		return;
	}
	/* deleted or merged there: made (or found) anew under the same key */
	r->forget_record = true;
	r->record_id = NULL;
	r->turn = true;
	retry(x, item, CALLSYNC_CLASS_GONE, o, CALLSYNC_PHASE_SEND);
}

static void
decide_auth(CallsyncExchange *x, CallsyncItem *item, const CallsyncOutcome *o)
{
	CallsyncEngineDest *dest = x->dest;

	retry(x, item, CALLSYNC_CLASS_AUTH, o, (CallsyncPhase) item->job->phase);
	/* it is the destination that is refused, not the delivery: it goes as soon as the destination does */
	if (item->result.kind == CALLSYNC_RESULT_AGAIN)
		item->result.due = callsync_engine_time(Min(callsync_engine_ms(item->result.due), dest->auth_until_ms));
}

static void
decide_send(CallsyncEngine *engine, CallsyncExchange *x, CallsyncItem *item, const CallsyncOp *op,
			const CallsyncOutcome *o)
{
	CallsyncResult *r = &item->result;
	const CallsyncStep *step = callsync_connector_step(x->dest->d->connector, item->row->step);

	r->tries = item->try_no;
	r->operation = x->op_name;
	r->solo = r->solo || o->split;
	if (o->error_class != CALLSYNC_CLASS_OK)
		set_error(x, r, o);
	else
		r->http_status = x->response->status;

	switch (o->error_class)
	{
		case CALLSYNC_CLASS_OK:
		case CALLSYNC_CLASS_PARTIAL:
			has_record(r, o->id[0] ? o->id : NULL);
			if (r->record_id == NULL)
				has_record(r, callsync_json_string(item->context, "id"));
			written(x, item, step, op);
			break;
		case CALLSYNC_CLASS_DUPLICATE:
			decide_duplicate(x, item, step, op, o);
			break;
		case CALLSYNC_CLASS_GONE:
			decide_gone(x, item, op, o);
			break;
		case CALLSYNC_CLASS_AUTH:
			decide_auth(x, item, o);
			break;
		case CALLSYNC_CLASS_UNCERTAIN:
			r->in_doubt = true;
			retry(x, item, CALLSYNC_CLASS_UNCERTAIN, o, CALLSYNC_PHASE_LOOKUP);
			break;
		case CALLSYNC_CLASS_TRANSIENT:
		case CALLSYNC_CLASS_THROTTLED:
			/* an answer that says "not now" ends a doubt only when it is about the same record: keep it */
			retry(x, item, o->error_class, o, (CallsyncPhase) item->job->phase);
			break;
		case CALLSYNC_CLASS_CONFIG:
		case CALLSYNC_CLASS_PERMANENT:
		case CALLSYNC_CLASS_VALIDATION:
			if (o->drift && o->field[0] != '\0' && item->job->turns < MAX_TURNS &&
				json_object_get(json_object_get(item->context, "record"), o->field) != NULL)
			{
				/* one field is not what it was: the record goes without it */
				r->refused_field = clean(o->field);
				r->turn = true;
				again(r, CALLSYNC_STEP_READY, CALLSYNC_PHASE_SEND, answered_ms(x));
			}
			else if (x->nitems > 1 && !o->own)
			{
				/* one of many was meant, and not said which: each on its own, so that the others go through */
				r->solo = true;
				again(r, CALLSYNC_STEP_READY, CALLSYNC_PHASE_SEND, answered_ms(x));
			}
			else
			{
				retry(x, item, o->error_class, o, CALLSYNC_PHASE_SEND);
				if (o->field[0] != '\0')
				{
					json_t	   *rejected = callsync_json_keep(callsync_json_object());

					json_object_set_new(rejected, clean(o->field),
										json_pack("{s:s, s:s?}", "state", "rejected", "reason", r->last_error));
					r->field_results = callsync_json_text(rejected);
				}
			}
			break;
	}
	if (o->split && x->nitems > 1 && r->kind == CALLSYNC_RESULT_SETTLED && r->dead)
	{
		r->dead = false;
		again(r, CALLSYNC_STEP_READY, CALLSYNC_PHASE_SEND, answered_ms(x));
	}
}

/* Is it there? Asked before something is sent again that may have arrived. */
static void
decide_lookup(CallsyncEngine *engine, CallsyncExchange *x, CallsyncItem *item, const CallsyncOp *op,
			  const CallsyncOutcome *o, const CallsyncFound *found, int nfound)
{
	CallsyncResult *r = &item->result;
	const CallsyncStep *step = callsync_connector_step(x->dest->d->connector, item->row->step);
	int64		now_ms = answered_ms(x);
	int64		settled_ms = item->job->doubt_ms + (op->strong ? 0 : (int64) op->lag_s * 1000);

	if (o->error_class != CALLSYNC_CLASS_OK && o->error_class != CALLSYNC_CLASS_GONE)
	{
		set_error(x, r, o);
		if (o->error_class == CALLSYNC_CLASS_AUTH)
			decide_auth(x, item, o);
		else
			retry(x, item, o->error_class == CALLSYNC_CLASS_THROTTLED ? o->error_class : CALLSYNC_CLASS_UNCERTAIN,
				  o, CALLSYNC_PHASE_LOOKUP);
		return;
	}
	r->http_status = x->response->status;
	if (nfound > 0)
	{
		has_record(r, found[0].id);
		if (item->job->flags & CALLSYNC_JOB_IN_DOUBT)
			written(x, item, step, op);
		else
		{
			/* a duplicate answer did not say which record: now it is known */
			r->in_doubt = false;
			again(r, CALLSYNC_STEP_READY, CALLSYNC_PHASE_SEND, now_ms);
		}
		return;
	}
	if (now_ms < settled_ms)
	{
		/* the index may not show it yet: "not found" is no proof */
		again(r, r->in_doubt ? CALLSYNC_STEP_IN_DOUBT : CALLSYNC_STEP_WAITING_RETRY, CALLSYNC_PHASE_LOOKUP, settled_ms);
		r->error_class = "uncertain";
		r->last_error = "not found yet; the destination's index may lag behind";
		return;
	}
	r->in_doubt = false;
	again(r, CALLSYNC_STEP_READY, CALLSYNC_PHASE_SEND, now_ms);
}

/* How long an index that lags is given until the next look at it */
static int64
reread_wait_ms(const CallsyncOp *op)
{
	return Max((int64) op->lag_s * 1000 / MAX_REREADS, REREAD_MS);
}

/* A duplicate was said to be there, and is not: nothing was written so far. */
static void
not_claimed(CallsyncExchange *x, CallsyncItem *item, const CallsyncOp *op)
{
	CallsyncResult *r = &item->result;
	int64		now_ms = answered_ms(x);

	if (!op->strong && item->job->laps < MAX_REREADS)
	{
		again(r, CALLSYNC_STEP_CONFIRMING, CALLSYNC_PHASE_CONFIRM, now_ms + reread_wait_ms(op));
		return;
	}
	r->claimed = false;
	r->forget_record = true;
	r->record_id = NULL;
	if (item->job->turns >= MAX_TURNS)
	{
		callsync_deliver_refuse(r, callsync_class_name(CALLSYNC_CLASS_DUPLICATE),
								"refused as a duplicate of a record that is not there", two_records);
		return;
	}
	r->turn = true;
	again(r, CALLSYNC_STEP_READY, CALLSYNC_PHASE_SEND, now_ms);
}

static void
decide_read_back(CallsyncEngine *engine, CallsyncExchange *x, CallsyncItem *item, const CallsyncOp *op,
				 const CallsyncOutcome *o, const CallsyncFound *found)
{
	CallsyncResult *r = &item->result;
	int64		now_ms = answered_ms(x);

	if (o->error_class == CALLSYNC_CLASS_OK || o->error_class == CALLSYNC_CLASS_GONE ||
		o->error_class == CALLSYNC_CLASS_PARTIAL)
	{
		r->http_status = x->response->status;
		if (found != NULL)
			callsync_confirm_item(engine, x, item, op, found);
		else if (r->claimed)
			not_claimed(x, item, op);
		else
		{
			callsync_deliver_refuse(r, "partial", "accepted, but the record is not there when it is read back",
									"Look at the destination's automation and permissions; then callsync.redrive().");
			r->state = CALLSYNC_STEP_SILENT;
			r->confirmation = "read_back";
			r->forget_record = true;
		}
		/* an index that lags: look again before anything is called missing */
		if (r->kind == CALLSYNC_RESULT_SETTLED && r->state != CALLSYNC_STEP_CONFIRMED && !op->strong &&
			item->job->laps < MAX_REREADS)
		{
			r->dead = false;
			r->forget_record = false;
			r->field_results = NULL;
			r->missing = NULL;
			r->confirmation = NULL;
			r->error_class = NULL;
			again(r, CALLSYNC_STEP_CONFIRMING, CALLSYNC_PHASE_CONFIRM, now_ms + reread_wait_ms(op));
		}
		return;
	}
	set_error(x, r, o);
	if (o->error_class == CALLSYNC_CLASS_AUTH)
		decide_auth(x, item, o);
	else if (o->error_class == CALLSYNC_CLASS_UNCERTAIN)
		retry(x, item, CALLSYNC_CLASS_TRANSIENT, o, CALLSYNC_PHASE_CONFIRM);
	else
		retry(x, item, o->error_class, o, CALLSYNC_PHASE_CONFIRM);
	if (r->kind == CALLSYNC_RESULT_AGAIN)
		r->state = CALLSYNC_STEP_CONFIRMING;
	else
	{
		/* written for certain, but it cannot be read: say so, do not call it lost */
		r->dead = false;
		r->state = CALLSYNC_STEP_SENT;
		r->confirmation = "response";
	}
}

/* Who is the caller? What was found goes into the mirror, where the planner decides. */
static void
decide_find(CallsyncExchange *x, CallsyncItem *item, const CallsyncOp *op, const CallsyncOutcome *o,
			const CallsyncFound *found, int nfound)
{
	CallsyncResult *r = &item->result;

	r->tries = item->try_no;
	if (o->error_class != CALLSYNC_CLASS_OK && o->error_class != CALLSYNC_CLASS_GONE)
	{
		set_error(x, r, o);
		if (o->error_class == CALLSYNC_CLASS_AUTH)
			decide_auth(x, item, o);
		else
			/* it asks only: again does no harm */
			retry(x, item, o->error_class == CALLSYNC_CLASS_UNCERTAIN ? CALLSYNC_CLASS_TRANSIENT : o->error_class,
				  o, CALLSYNC_PHASE_SEND);
		if (r->kind == CALLSYNC_RESULT_SETTLED && (r->remedy == NULL || r->remedy[0] == '\0'))
			r->remedy = "Let the credential search contacts and callsync.redrive(); or have the mirror decide: alter_destination(name, '{\"lookup\": \"mirror\"}'), then callsync.resync().";
		return;
	}
	r->http_status = x->response->status;
	r->kind = CALLSYNC_RESULT_SETTLED;
	r->state = CALLSYNC_STEP_CONFIRMED;
	r->confirmation = "response";
	r->contacts = callsync_json_keep(json_array());
	for (int i = 0; i < nfound; i++)
	{
		json_t	   *contact = callsync_found_contact(op, &found[i]);

		json_object_set_new(contact, "id", json_string(found[i].id));
		json_array_append_new(r->contacts, contact);
	}
}

/* ---- the exchange as a whole ---- */

typedef struct Learning
{
	CallsyncEngineDest *dest;
	int64		now_ms;
} Learning;

static void
learn(void *arg, const char *limit_name, int64_t limit, int64_t remaining, int64_t reset_at_ms)
{
	Learning   *l = arg;

	callsync_limits_learn(l->dest, limit_name, limit, remaining, l->now_ms);
}

/* Breaker, pauses, limits and counters: once per exchange. */
static void
note_destination(CallsyncEngine *engine, CallsyncExchange *x, const CallsyncOp *op,
				 const CallsyncResponse *response, const CallsyncOutcome *o)
{
	CallsyncEngineDest *dest = x->dest;
	int64		now_ms = answered_ms(x);
	Learning	learning = {dest, now_ms};

	callsync_engine_dest_give_back(x, x->response->may_have_sent, now_ms);
	if (op != NULL)
		callsync_response_limits(dest->d->connector, op, response, learn, &learning);
	dest->dirty = true;
	dest->sent++;
	if (o->skew_ms != 0)
	{
		dest->skew_ms = o->skew_ms;
		dest->skew_known = true;
	}

	switch (o->error_class)
	{
		case CALLSYNC_CLASS_TRANSIENT:
		case CALLSYNC_CLASS_UNCERTAIN:
			callsync_breaker_failure(&dest->breaker, x->items[0].row->id, now_ms);
			break;
		default:
			if (x->response->status != 0)
			{
				if (callsync_breaker_success(&dest->breaker))
				{
					/* it is back: what waits for a retry need not wait for hours */
					callsync_jobs_hasten(engine->jobs, dest->slot, now_ms + 1000, now_ms);
					dest->hasten_ms = now_ms + 1000;
				}
			}
			else if (x->probe)
				callsync_breaker_failure(&dest->breaker, x->items[0].row->id, now_ms);
	}
	callsync_engine_dest_throttled(dest, o, now_ms);
	if (o->error_class == CALLSYNC_CLASS_AUTH && callsync_auth_refused(dest, x))
		dest->auth_until_ms = now_ms;	/* the token is renewed: it goes on when that is done */
	else if (o->error_class == CALLSYNC_CLASS_AUTH)
	{
		int64		wait = AUTH_RETRY_MS;

		for (int i = 0; i < dest->auth_failures && wait < AUTH_RETRY_CAP_MS; i++)
			wait *= 2;
		dest->auth_until_ms = now_ms + Min(wait, AUTH_RETRY_CAP_MS);
		dest->auth_failures++;
	}
	else if (o->error_class == CALLSYNC_CLASS_OK)
	{
		dest->auth_failures = 0;
		dest->auth_until_ms = 0;
		dest->last_success_at = x->answered_at;
	}
	if (o->error_class != CALLSYNC_CLASS_OK)
		callsync_engine_dest_error(dest, callsync_class_name(o->error_class),
								   clean(o->message[0] ? o->message : x->response->error), x->answered_at);
}

/* The connector changed while the request was out, and its operation is gone. */
static void
decide_without_op(CallsyncExchange *x)
{
	for (int i = 0; i < x->nitems; i++)
	{
		CallsyncItem *item = &x->items[i];
		CallsyncResult *r = &item->result;

		callsync_result_init(r, item->job, x->dest, item->row);
		if (x->kind == CALLSYNC_EXCHANGE_SEND)
		{
			r->tries = item->try_no;
			r->in_doubt = true;
		}
		r->error_class = "uncertain";
		r->last_error = "the connector was changed while the request was under way";
		again(r, r->in_doubt ? CALLSYNC_STEP_IN_DOUBT : CALLSYNC_STEP_WAITING_RETRY,
			  r->in_doubt ? CALLSYNC_PHASE_LOOKUP : (CallsyncPhase) item->job->phase, answered_ms(x) + 1000);
	}
}

static void
decide_found(CallsyncEngine *engine, CallsyncExchange *x, const CallsyncOp *op,
			 const CallsyncResponse *response, const json_t *json, CallsyncOutcome *whole)
{
	const CallsyncConnector *connector = x->dest->d->connector;
	int			max = Max(x->nitems, x->kind == CALLSYNC_EXCHANGE_FIND ? MAX_CONTACTS : MAX_FOUND);
	CallsyncFound *found = palloc0(sizeof(CallsyncFound) * max);
	CallsyncRenderInput input;
	int			n = 0;

	if (whole->error_class == CALLSYNC_CLASS_OK || whole->error_class == CALLSYNC_CLASS_PARTIAL)
	{
		callsync_exchange_input(x->dest, x->items[0].context, callsync_now(), CALLSYNC_RENDER_SEND, &input);
		n = callsync_response_items(connector, op, &input, response, json, found, max);
		if (n < 0)
		{
			whole->error_class = CALLSYNC_CLASS_TRANSIENT;
			strlcpy(whole->message, "the answer does not have the expected shape", sizeof(whole->message));
			n = 0;
		}
		n = Min(n, max);
	}
	for (int i = 0; i < x->nitems; i++)
	{
		CallsyncItem *item = &x->items[i];
		const CallsyncFound *mine = NULL;

		callsync_result_init(&item->result, item->job, x->dest, item->row);
		if (x->kind == CALLSYNC_EXCHANGE_LOOKUP)
		{
			decide_lookup(engine, x, item, op, whole, found, n);
			continue;
		}
		if (x->kind == CALLSYNC_EXCHANGE_FIND)
		{
			decide_find(x, item, op, whole, found, n);
			continue;
		}
		for (int k = 0; k < n && mine == NULL; k++)
			if (item->row->record_id != NULL && strcmp(found[k].id, item->row->record_id) == 0)
				mine = &found[k];
		/* a merged record answers under the survivor's id */
		if (mine == NULL && n == 1 && x->nitems == 1)
			mine = &found[0];
		decide_read_back(engine, x, item, op, whole, mine);
	}
}

/* Written without fields that the destination does not take: said of each of them */
static void
note_stopped(CallsyncItem *item)
{
	CallsyncResult *r = &item->result;
	json_t	   *stopped = json_object_get(item->context, "stopped");
	json_t	   *results;
	const char *field;
	json_t	   *reason;

	if (json_object_size(stopped) == 0 || r->kind != CALLSYNC_RESULT_SETTLED ||
		(r->state != CALLSYNC_STEP_CONFIRMED && r->state != CALLSYNC_STEP_SENT && r->state != CALLSYNC_STEP_PARTIAL))
		return;
	results = callsync_json_parse(r->field_results, callsync_json_object());
	if (r->missing == NULL)
		r->missing = callsync_json_keep(json_array());
	json_object_foreach(stopped, field, reason)
	{
		json_object_set_new(results, field, json_pack("{s:s, s:O}", "state", "rejected", "reason", reason));
		json_array_append_new(r->missing, json_string(psprintf("%s.%s", item->row->object, field)));
	}
	r->field_results = callsync_json_text(results);
	if (r->state != CALLSYNC_STEP_PARTIAL)
	{
		r->state = CALLSYNC_STEP_PARTIAL;
		r->error_class = "partial";
		r->last_error = psprintf("written without %d fields that the destination does not take", (int) json_object_size(stopped));
		r->remedy = "See callsync.schema_drift and callsync.field_writes; when the field or the map is mended, callsync.resolve_drift() and callsync.resync().";
	}
}

static void
decided(CallsyncExchange *x)
{
	for (int i = 0; i < x->nitems; i++)
	{
		note_stopped(&x->items[i]);
		x->items[i].result.context = x->items[i].context;
		x->items[i].result.exchange_n = x->items[i].n;
	}
	x->decided = true;
}

void
callsync_deliver_decide(CallsyncEngine *engine, CallsyncExchange *x)
{
	const CallsyncConnector *connector = x->dest->d->connector;
	const CallsyncOp *op = connector ? callsync_connector_op(connector, x->op_name) : NULL;
	CallsyncEnv *env = callsync_env_get(x->dest->d->region, x->answered_at);
	CallsyncResponse response;
	CallsyncOutcome whole = {0};
	MemoryContext old = MemoryContextSwitchTo(x->mcxt);
	json_t	   *json;

	callsync_mask_answer(x);
	callsync_exchange_response(x, &response);
	if (op == NULL)
	{
		callsync_engine_dest_give_back(x, x->response->may_have_sent, answered_ms(x));
		decide_without_op(x);
		decided(x);
		MemoryContextSwitchTo(old);
		return;
	}
	json = callsync_response_json(&response);
	if (json != NULL)
		callsync_json_keep(json);

	if (x->as_batch)
	{
		CallsyncOutcome *outcomes = palloc0(sizeof(CallsyncOutcome) * x->nitems);

		callsync_classify_batch(connector, op, &response, json, env, x->request.joins, x->nitems, &whole, outcomes);
		note_destination(engine, x, op, &response, &whole);
		for (int i = 0; i < x->nitems; i++)
		{
			callsync_result_init(&x->items[i].result, x->items[i].job, x->dest, x->items[i].row);
			decide_send(engine, x, &x->items[i], op, &outcomes[i]);
		}
	}
	else
	{
		callsync_classify(connector, op, &response, json, env, &whole);
		note_destination(engine, x, op, &response, &whole);
		if (x->kind == CALLSYNC_EXCHANGE_SEND)
		{
			callsync_result_init(&x->items[0].result, x->items[0].job, x->dest, x->items[0].row);
			decide_send(engine, x, &x->items[0], op, &whole);
		}
		else
			decide_found(engine, x, op, &response, json, &whole);
	}
	if (whole.disable)
	{
		x->dest->disable = true;
		strlcpy(x->dest->disable_reason, "the endpoint asked not to be called any more (HTTP 410)",
				sizeof(x->dest->disable_reason));
	}
	decided(x);
	MemoryContextSwitchTo(old);
}
