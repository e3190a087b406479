/*
 * inquiry.c
 *		Questions to destinations that belong to no delivery, see inquiry.h.
 *
 * An exchange without a job: it has the context, the credential and the limits of any
 * other, but its rows are in service_request, and a crash needs no clearing up, because
 * nothing is written there.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/classify.h"
#include "core/redact.h"
#include "engine/engine_state.h"
#include "engine/http_options.h"
#include "engine/inquiry.h"
#include "engine/token.h"
#include "pg/clock.h"
#include "pg/env.h"
#include "pg/guc.h"
#include "pg/json.h"
#include "pg/locks.h"
#include "pg/spi.h"
#include "store/inquiry.h"
#include "store/schema.h"

#define PLACE_AGAIN_MS 100		/* other requests take a while */
#define LOOK_MS 50				/* how often at most to see whether somebody waits for a test */
#define WOKEN_LOOK_MS 1000		/* the same for what is to be described, when woken by anybody */
#define AGAIN_MS 250			/* after a test of a destination: not before, who waited has seen it by then */
#define AUTH_WAIT_MS 20000		/* a test waits that long for an access token */
#define FAILED_FIRST_MS 60000	/* a describe that failed: next try */
#define MAX_PAGES 20
#define MAX_MAPPED 512
#define CURSOR_SIZE 512

typedef enum InquiryKind
{
	INQUIRY_DESCRIBE,			/* keeps schema_field fresh */
	INQUIRY_TEST				/* test_destination() */
} InquiryKind;

typedef enum InquiryPhase
{
	INQUIRY_IDLE,				/* -> BEGUN (or the next task, where it cannot be asked) */
	INQUIRY_BEGUN,				/* its row is committed -> SENT */
	INQUIRY_SENT,				/* -> ANSWERED */
	INQUIRY_ANSWERED			/* -> IDLE with the next task or page, or the end */
} InquiryPhase;

/* One question. */
typedef struct Task
{
	const char *op_name;
	const char *object;			/* logical, NULL for none */
} Task;

typedef struct Inquiry
{
	CallsyncEngineDest *dest;
	MemoryContext mcxt;
	InquiryKind kind;
	InquiryPhase phase;
	int			ntasks;
	int			at;
	Task	   *tasks;
	TimestampTz started_at;
	TimestampTz not_before;		/* IDLE: a limit, or an access token under way */

	CallsyncExchange *x;
	int64		request_id;
	json_t	   *fields;			/* of the task's pages so far, NULL: first page */
	int			pages;
	char		cursor[CURSOR_SIZE];

	json_t	   *report;			/* TEST: rows; kept in mcxt */
	bool		answered;		/* some answer said that the credential is good (or not) */
} Inquiry;

typedef struct TestGate
{
	CallsyncEngineDest *dest;
	TimestampTz not_before;
} TestGate;

static List *inquiries;			/* of Inquiry, in TopMemoryContext */
static List *gates;				/* of TestGate */
static TimestampTz look_at;		/* next look at schema_state */
static TimestampTz looked_at;
static bool learned;			/* something was stored that the engine reads in its next tick */
static TimestampTz test_look_at;

static const char *
kind_word(const CallsyncOp *op)
{
	return op->kind == CALLSYNC_OP_PROBE ? "probe" : "describe";
}

/* ---- tasks ---- */

static const CallsyncOp *
describe_op(const CallsyncConnector *connector, const char *object)
{
	const CallsyncOp *op = callsync_connector_op(connector, psprintf("%s.describe", object));

	if (op == NULL)
		op = callsync_connector_op(connector, "describe");
	return op != NULL && op->kind == CALLSYNC_OP_DESCRIBE ? op : NULL;
}

static const CallsyncOp *
probe_op(const CallsyncConnector *connector)
{
	for (int i = 0; i < callsync_connector_op_count(connector); i++)
		if (callsync_connector_op_at(connector, i)->kind == CALLSYNC_OP_PROBE)
			return callsync_connector_op_at(connector, i);
	return NULL;
}

/* The n-th different object that a step writes mapped fields of; NULL: no more */
static const char *
mapped_object(const CallsyncConnector *connector, int n)
{
	for (int i = 0; i < callsync_connector_step_count(connector); i++)
	{
		const CallsyncStep *step = callsync_connector_step_at(connector, i);
		bool		again = false;

		for (int k = 0; k < i && !again; k++)
		{
			const CallsyncStep *other = callsync_connector_step_at(connector, k);

			again = other->map != NULL && strcmp(other->object, step->object) == 0;
		}
		if (step->map != NULL && !again && n-- == 0)
			return step->object;
	}
	return NULL;
}

typedef struct Mapped
{
	int			n;
	const char *name[MAX_MAPPED];
} Mapped;

static void
collect_mapped(void *arg, const char *field, const char *label)
{
	Mapped	   *m = arg;

	if (m->n < MAX_MAPPED)
		m->name[m->n++] = pstrdup(label ? label : field);
}

/* Every field of the object that some step writes, by name or label */
static void
mapped_fields(CallsyncDestination *d, const char *object, Mapped *m)
{
	m->n = 0;
	for (int i = 0; i < callsync_connector_step_count(d->connector); i++)
	{
		const CallsyncStep *step = callsync_connector_step_at(d->connector, i);
		const char *error;
		const CallsyncMap *map;

		if (step->map == NULL || strcmp(step->object, object) != 0)
			continue;
		map = callsync_destination_map(d, step->map, &error);
		if (map != NULL)
			callsync_map_targets(map, collect_mapped, m);
	}
}

static void
add_task(Inquiry *q, const CallsyncOp *op, const char *object)
{
	MemoryContext old = MemoryContextSwitchTo(q->mcxt);

	q->tasks = q->tasks ? repalloc(q->tasks, sizeof(Task) * (q->ntasks + 1)) : palloc(sizeof(Task));
	q->tasks[q->ntasks].op_name = pstrdup(op->name);
	q->tasks[q->ntasks++].object = object ? pstrdup(object) : NULL;
	MemoryContextSwitchTo(old);
}

static Inquiry *
find_inquiry(const CallsyncEngineDest *dest)
{
	ListCell   *lc;

	foreach(lc, inquiries)
		if (((Inquiry *) lfirst(lc))->dest == dest)
			return lfirst(lc);
	return NULL;
}

static Inquiry *
start(CallsyncEngineDest *dest, InquiryKind kind, TimestampTz now)
{
	MemoryContext mcxt = AllocSetContextCreate(TopMemoryContext, "callsync inquiry", ALLOCSET_SMALL_SIZES);
	MemoryContext old = MemoryContextSwitchTo(mcxt);
	Inquiry    *q = palloc0(sizeof(*q));

	q->dest = dest;
	q->mcxt = mcxt;
	q->kind = kind;
	q->started_at = now;
	if (kind == INQUIRY_TEST)
		q->report = callsync_json_keep(json_array());
	MemoryContextSwitchTo(TopMemoryContext);
	inquiries = lappend(inquiries, q);
	MemoryContextSwitchTo(old);
	return q;
}

static void
end(Inquiry *q)
{
	if (q->x != NULL)
		callsync_exchange_free(q->x);
	inquiries = list_delete_ptr(inquiries, q);
	MemoryContextDelete(q->mcxt);
}

/* ---- what is to be asked ---- */

static TestGate *
gate_of(CallsyncEngineDest *dest)
{
	ListCell   *lc;
	TestGate   *gate;
	MemoryContext old;

	foreach(lc, gates)
		if (((TestGate *) lfirst(lc))->dest == dest)
			return lfirst(lc);
	old = MemoryContextSwitchTo(TopMemoryContext);
	gate = palloc0(sizeof(*gate));
	gate->dest = dest;
	gates = lappend(gates, gate);
	MemoryContextSwitchTo(old);
	return gate;
}

static void
look_for_tests(CallsyncEngine *engine, TimestampTz now)
{
	for (int i = 0; i < engine->ndests; i++)
	{
		CallsyncEngineDest *dest = engine->dests[i];
		const CallsyncOp *op;
		const char *object;
		Inquiry    *q;

		if (dest->d->dropped || dest->d->connector == NULL || find_inquiry(dest) != NULL ||
			gate_of(dest)->not_before > now ||
			!callsync_lock_is_held(engine->identity->database, CALLSYNC_LOCK_TEST, (uint32) dest->d->id))
			continue;
		q = start(dest, INQUIRY_TEST, now);
		if ((op = probe_op(dest->d->connector)) != NULL)
			add_task(q, op, NULL);
		for (int n = 0; (object = mapped_object(dest->d->connector, n)) != NULL; n++)
			if ((op = describe_op(dest->d->connector, object)) != NULL)
				add_task(q, op, object);
	}
}

static void
look_body(void *arg)
{
	CallsyncEngine *engine = arg;
	TimestampTz now = callsync_now();
	CallsyncSchemaDue *due;
	int			n = callsync_schema_due(&due);

	for (int i = 0; i < engine->ndests; i++)
	{
		CallsyncEngineDest *dest = engine->dests[i];
		Inquiry    *q = NULL;
		int64		wait_ms;
		const char *object;

		/* nothing is asked where nothing is sent */
		if (dest->d->dropped || dest->d->paused || dest->d->dry_run || dest->d->connector == NULL ||
			find_inquiry(dest) != NULL ||
			!callsync_engine_dest_open(engine, dest, callsync_engine_ms(now), &wait_ms) ||
			!callsync_auth_ready(dest, &wait_ms))
			continue;
		for (int k = 0; (object = mapped_object(dest->d->connector, k)) != NULL; k++)
		{
			const CallsyncOp *op = describe_op(dest->d->connector, object);
			bool		is_due = true;

			for (int j = 0; j < n; j++)
				if (strcmp(due[j].destination, dest->d->name) == 0 && strcmp(due[j].object, object) == 0)
					is_due = due[j].next_at <= now;
			if (op == NULL || !is_due)
				continue;
			if (q == NULL)
				q = start(dest, INQUIRY_DESCRIBE, now);
			add_task(q, op, object);
		}
	}
}

/* ---- the report of a test ---- */

static void
report(Inquiry *q, const char *area, const char *item, int ok, const char *detail)
{
	json_t	   *row;

	if (q->report == NULL)
		return;
	row = json_pack("{s:s, s:s, s:s}", "area", area, "item", item, "detail", detail ? detail : "");
	if (ok >= 0)
		json_object_set_new(row, "ok", json_boolean(ok));
	json_array_append_new(q->report, row);
}

static void
report_limits(Inquiry *q)
{
	CallsyncLimitSet *set = q->dest->limits;
	int64		now_ms = callsync_engine_now_ms();

	for (int i = 0; set != NULL && i < set->n; i++)
	{
		int64		room = callsync_limits_free(q->dest, i, now_ms);

		report(q, "limits", set->name[i], room > 0,
			   psprintf("%lld of %lld in %.3f s are free", (long long) room, (long long) set->spec[i].rate,
						set->spec[i].window_ms / 1000.0));
	}
}

/* All was asked. Inside a transaction. */
static void
finish(Inquiry *q)
{
	MemoryContext old;

	if (q->kind != INQUIRY_TEST)
		return;
	old = MemoryContextSwitchTo(q->mcxt);
	if (q->ntasks == 0)
		report(q, "auth", q->dest->d->connector_name, -1,
			   "This connector has nothing that can be asked without writing; the first delivery will show.");
	report_limits(q);
	MemoryContextSwitchTo(old);
	callsync_test_save(q->dest->d->name, q->started_at, callsync_json_text(q->report));
}

/* ---- asking ---- */

/* The task cannot be asked or was answered badly. Inside a transaction. */
static void
task_failed(Inquiry *q, const char *message)
{
	const Task *task = &q->tasks[q->at];
	MemoryContext old = MemoryContextSwitchTo(q->mcxt);

	if (q->kind == INQUIRY_TEST)
	{
		if (task->object == NULL || !q->answered)
			report(q, "auth", task->op_name, 0, message);
		if (task->object != NULL)
			report(q, "describe", task->object, 0, message);
		q->answered = true;
	}
	MemoryContextSwitchTo(old);
	if (task->object != NULL)
		callsync_schema_failed(q->dest->d->name, task->object, message,
							   callsync_time_plus_ms(callsync_now(), FAILED_FIRST_MS));
	q->at++;
}

static json_t *
task_context(const Inquiry *q, const CallsyncConnector *connector)
{
	const Task *task = &q->tasks[q->at];
	json_t	   *context = callsync_json_keep(callsync_json_object());
	const char *name = task->object ? callsync_connector_object(connector, task->object) : NULL;

	if (name != NULL)
		json_object_set_new(context, "object", json_string(name));
	if (q->cursor[0] != '\0')
		json_object_set_new(context, "cursor", json_string(q->cursor));
	return context;
}

typedef struct Begin
{
	CallsyncEngine *engine;
	Inquiry    *q;
} Begin;

static void
begin_body(void *arg)
{
	CallsyncEngine *engine = ((Begin *) arg)->engine;
	Inquiry    *q = ((Begin *) arg)->q;
	CallsyncDestination *d = q->dest->d;
	TimestampTz now = callsync_now();
	const CallsyncOp *op;
	CallsyncExchange *x;
	CallsyncDelivery *row;
	CallsyncDocError err = {0};
	int64		wait_ms = 0;
	bool		general;
	int			bad;
	char	   *url;
	size_t		size;
	MemoryContext old;

	if (q->at >= q->ntasks || d->connector == NULL)
	{
		q->at = q->ntasks;
		finish(q);
		return;
	}
	op = callsync_connector_op(d->connector, q->tasks[q->at].op_name);
	if (op == NULL)
	{
		task_failed(q, "the connector was changed meanwhile");
		return;
	}
	if (!callsync_auth_ready(q->dest, &wait_ms))
	{
		CallsyncTokenView view;

		callsync_token_view(d->name, &view);
		if (q->kind == INQUIRY_TEST && view.state == CALLSYNC_TOKEN_WAIT && callsync_ms_until(now, callsync_time_plus_ms(q->started_at, AUTH_WAIT_MS)) > 0)
		{
			q->not_before = callsync_time_plus_ms(now, 100);
			return;
		}
		task_failed(q, view.problem ? pstrdup(view.problem) : "there is no access token");
		return;
	}
	wait_ms = callsync_limits_paused_until(q->dest);
	if (wait_ms > callsync_engine_ms(now))
	{
		q->not_before = callsync_engine_time(wait_ms);
		return;
	}
	x = q->x = callsync_exchange_create(engine, q->dest);
	x->kind = CALLSYNC_EXCHANGE_INQUIRY;
	old = MemoryContextSwitchTo(x->mcxt);
	x->op_name = pstrdup(op->name);
	x->started_at = now;
	row = palloc0(sizeof(*row));
	row->destination = pstrdup(d->name);
	x->items[0].row = row;
	x->items[0].context = task_context(q, d->connector);
	x->nitems = 1;
	MemoryContextSwitchTo(old);
	if (!callsync_engine_dest_take(engine, q->dest, op, x, callsync_engine_ms(now), &wait_ms, &general))
	{
		q->not_before = wait_ms == INT64_MAX ? callsync_time_plus_ms(now, PLACE_AGAIN_MS) : callsync_engine_time(wait_ms);
		callsync_exchange_free(x);
		q->x = NULL;
		return;
	}
	if (!callsync_exchange_render(engine, x, &bad, &err) || !callsync_auth_apply(q->dest, x, &err))
	{
		callsync_engine_dest_give_back(x, false, callsync_engine_ms(now));
		callsync_exchange_free(x);
		q->x = NULL;
		task_failed(q, psprintf("%s %s", err.what, err.hint));
		return;
	}
	size = strlen(x->request.url) * 3 + 1;
	url = palloc(size);
	callsync_redact_url(x->request.url, strlen(x->request.url), x->secret_url, url, size);
	q->request_id = callsync_inquiry_begin(d->name, kind_word(op), x->method, url, engine->identity->name, now);
	callsync_engine_dests_tell(engine, false);
	q->phase = INQUIRY_BEGUN;
}

void
callsync_inquiries_send(CallsyncEngine *engine)
{
	ListCell   *lc;

	foreach(lc, inquiries)
	{
		Inquiry    *q = lfirst(lc);
		CallsyncHttpRequest request = {0};
		CallsyncHttpOptions options;

		if (q->phase != INQUIRY_BEGUN)
			continue;
		request.method = q->x->method;
		request.url = q->x->request.url;
		request.headers = q->x->headers;
		request.nheaders = q->x->nheaders;
		request.body = q->x->request.body;
		request.body_len = q->x->request.body_len;
		request.user = q;
		request.channel = CALLSYNC_HTTP_INQUIRY;
		callsync_http_options_apply(q->dest->d->options, &options, &request);
		if (callsync_http_submit(engine->http, &request) == 0)
			return;				/* no place: the next turn has one */
		q->phase = INQUIRY_SENT;
	}
}

/* ---- answers ---- */

static const char *
message_of(const CallsyncExchange *x, const CallsyncOutcome *o)
{
	const char *text = o->message[0] ? o->message : x->response->error;

	if (x->response->status == 0)
		return psprintf("no answer: %s", text && text[0] ? text : "the connection failed");
	return psprintf("HTTP %d%s%s", x->response->status, text && text[0] ? ": " : "", text ? text : "");
}

/* False: the answer is not what it should be; *message says why */
static bool
take_fields(Inquiry *q, const CallsyncOp *op, const CallsyncResponse *response, const json_t *json,
			const char **message, bool *more)
{
	CallsyncDestination *d = q->dest->d;
	CallsyncDocError err = {0};
	json_t	   *fields = json ? callsync_describe_fields(d->connector, op, json, &err) : NULL;

	*more = false;
	if (fields == NULL)
	{
		*message = json ? pstrdup(err.what) : "the answer is no JSON";
		return false;
	}
	if (q->fields != NULL)
	{
		json_object_update(q->fields, fields);
		json_decref(fields);
	}
	else
		q->fields = callsync_json_keep(fields);
	*more = ++q->pages < MAX_PAGES &&
		callsync_response_cursor(op, response, json, q->cursor, sizeof(q->cursor));
	return true;
}

static void
settle_body(void *arg)
{
	Inquiry    *q = arg;
	CallsyncExchange *x = q->x;
	CallsyncDestination *d = q->dest->d;
	const CallsyncOp *op = d->connector ? callsync_connector_op(d->connector, x->op_name) : NULL;
	const Task *task = &q->tasks[q->at];
	CallsyncResponse response;
	CallsyncOutcome o = {0};
	const char *message = NULL;
	json_t	   *json;
	bool		ok;
	bool		more = false;
	MemoryContext old;

	callsync_mask_answer(x);
	callsync_engine_dest_give_back(x, x->response->may_have_sent, callsync_engine_ms(x->answered_at));
	if (op == NULL)
	{
		callsync_inquiry_end(q->request_id, x->response->status, "changed", NULL, NULL, x->response->total_us / 1000.0,
							 x->answered_at);
		task_failed(q, "the connector was changed meanwhile");
		return;
	}
	old = MemoryContextSwitchTo(q->mcxt);
	callsync_mask_answer(x);
	callsync_exchange_response(x, &response);
	json = callsync_response_json(&response);
	if (json != NULL)
		(void) callsync_json_keep(json);
	callsync_classify(d->connector, op, &response, json, callsync_env_get(d->region, x->answered_at), &o);
	ok = o.error_class == CALLSYNC_CLASS_OK;
	if (!ok)
		message = message_of(x, &o);
	else if (op->kind == CALLSYNC_OP_DESCRIBE)
		ok = take_fields(q, op, &response, json, &message, &more);
	callsync_engine_dest_throttled(q->dest, &o, callsync_engine_ms(x->answered_at));
	if (o.error_class == CALLSYNC_CLASS_AUTH)
		(void) callsync_auth_refused(q->dest, x);
	if (ok && !q->answered && q->kind == INQUIRY_TEST)
	{
		report(q, "auth", task->op_name, 1, psprintf("HTTP %d: the credential is taken", x->response->status));
		q->answered = true;
	}
	MemoryContextSwitchTo(old);

	callsync_inquiry_end(q->request_id, x->response->status, ok ? "ok" : x->response->status ? "refused" : "no_answer",
						 ok ? NULL : callsync_class_name(o.error_class), message, x->response->total_us / 1000.0, x->answered_at);
	if (!ok)
	{
		task_failed(q, message);
		return;
	}
	if (more)
		return;
	if (op->kind == CALLSYNC_OP_DESCRIBE)
	{
		Mapped		mapped;

		mapped_fields(d, task->object, &mapped);
		callsync_schema_record(d->name, task->object, callsync_json_text(q->fields), mapped.name, mapped.n, callsync_now());
		old = MemoryContextSwitchTo(q->mcxt);
		report(q, "describe", task->object, 1, psprintf("%d fields", (int) json_object_size(q->fields)));
		MemoryContextSwitchTo(old);
	}
	q->at++;
}

/* ---- the loop's side ---- */

static CallsyncTick
txn(const char *activity, CallsyncTxnBody body, void *arg)
{
	CallsyncTxnError error;

	switch (callsync_txn_run(activity, body, arg, &error))
	{
		case CALLSYNC_TXN_COMMITTED:
			return CALLSYNC_TICK_IDLE;
		case CALLSYNC_TXN_NO_EXTENSION:
			return CALLSYNC_TICK_NO_EXTENSION;
		case CALLSYNC_TXN_FAILED:
			break;
	}
	return CALLSYNC_TICK_FAILED;
}

static void
reset_task(Inquiry *q, int at)
{
	if (q->x != NULL)
		callsync_exchange_free(q->x);
	q->x = NULL;
	q->phase = INQUIRY_IDLE;
	if (q->at == at)
		return;					/* the next page of the same */
	q->fields = NULL;
	q->pages = 0;
	q->cursor[0] = '\0';
}

CallsyncTick
callsync_inquiries_tick(CallsyncEngine *engine)
{
	TimestampTz now = callsync_now();
	CallsyncHttpResponse *response;
	CallsyncTick result = CALLSYNC_TICK_IDLE;
	List	   *active;
	ListCell   *lc;

	/* one worker asks for all */
	if (engine->identity->index != 0 || engine->identity->is_copy)
		return CALLSYNC_TICK_IDLE;
	while ((response = callsync_http_next_done_on(engine->http, CALLSYNC_HTTP_INQUIRY)) != NULL)
	{
		Inquiry    *q = response->user;

		q->x->response = response;
		q->x->answered_at = now;
		q->phase = INQUIRY_ANSWERED;
	}
	if (!engine->shutting_down && now >= look_at)
	{
		looked_at = now;
		look_at = callsync_time_plus_ms(now, Max(callsync_naptime, 100));
		result = txn("looking what to describe", look_body, engine);
	}
	if (!engine->shutting_down && now >= test_look_at)
	{
		test_look_at = callsync_time_plus_ms(now, LOOK_MS);
		look_for_tests(engine, now);
	}
	active = list_copy(inquiries);
	foreach(lc, active)
	{
		Inquiry    *q = lfirst(lc);
		int			at = q->at;
		bool		over = false;

		if (q->phase == INQUIRY_ANSWERED)
		{
			result = txn("settling an inquiry", settle_body, q);
			learned = true;
			/* what cannot be written is asked again another time */
			over = result == CALLSYNC_TICK_FAILED;
			reset_task(q, at);
		}
		if (q->phase == INQUIRY_IDLE && (engine->shutting_down || q->dest->d->dropped))
			over = true;
		if (!over && q->phase == INQUIRY_IDLE && callsync_now() >= q->not_before)
		{
			Begin		b = {engine, q};
			bool		last = q->at >= q->ntasks;

			result = txn("beginning an inquiry", begin_body, &b);
			if (result == CALLSYNC_TICK_FAILED)
				callsync_engine_quota_undo(engine);
			if (result == CALLSYNC_TICK_FAILED && q->x != NULL)
			{
				callsync_engine_dest_give_back(q->x, false, callsync_engine_now_ms());
				reset_task(q, -1);
			}
			over = last || result == CALLSYNC_TICK_FAILED || (q->at >= q->ntasks && q->kind == INQUIRY_DESCRIBE);
		}
		if (over && q->phase == INQUIRY_IDLE)
		{
			gate_of(q->dest)->not_before = callsync_time_plus_ms(callsync_now(), AGAIN_MS);
			end(q);
		}
		if (result == CALLSYNC_TICK_NO_EXTENSION)
			return result;
	}
	list_free(active);
	return result;
}

int64
callsync_inquiries_next_ms(CallsyncEngine *engine)
{
	TimestampTz now = callsync_now();
	TimestampTz next = look_at;
	ListCell   *lc;

	if (engine->identity->index != 0 || engine->identity->is_copy)
		return INT64_MAX;
	if (learned)
	{
		learned = false;
		return 0;
	}
	foreach(lc, inquiries)
	{
		Inquiry    *q = lfirst(lc);

		if (q->phase == INQUIRY_BEGUN || q->phase == INQUIRY_ANSWERED)
			return 0;
		if (q->phase == INQUIRY_IDLE)
			next = Min(next, q->not_before);
	}
	return callsync_ms_until(now, next);
}

void
callsync_inquiries_woken(void)
{
	look_at = Min(look_at, callsync_time_plus_ms(looked_at, Min(callsync_naptime, WOKEN_LOOK_MS)));
}

bool
callsync_inquiries_drained(void)
{
	return inquiries == NIL;
}
