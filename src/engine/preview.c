/*
 * preview.c
 *		preview(): the requests of a call, as they were sent or as they will be.
 *
 * What was sent is read from the attempt rows. What was not is rendered by the very
 * code that the delivery loop uses, with {{step.id}} in place of ids that only the
 * destination can give; what is not even planned is planned first, in a subtransaction
 * that is rolled back. An fmgr function in this row because the renderer is here.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/xlog.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "core/redact.h"
#include "engine/engine_state.h"
#include "engine/lookup.h"
#include "engine/planner.h"
#include "pg/clock.h"
#include "pg/json.h"
#include "store/outbox.h"
#include "store/sent_request.h"

#define MAX_CAPTURES 1000		/* of one call */

PG_FUNCTION_INFO_V1(callsync_preview);

static void
set_text(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, value ? json_string(value) : json_null());
}

/* What was sent for a delivery; returns the number of requests. */
static int
add_sent(json_t *requests, const CallsyncCallStep *s)
{
	CallsyncSentRequest *sent;
	int			n = callsync_sent_requests(s->delivery, s->day, &sent);

	for (int i = 0; i < n; i++)
	{
		json_t	   *r = callsync_json_object();

		json_array_append_new(requests, r);
		set_text(r, "step", s->step);
		json_object_set_new(r, "sent", json_true());
		json_object_set_new(r, "delivery", json_integer(s->delivery));
		json_object_set_new(r, "try", json_integer(sent[i].attempt));
		set_text(r, "method", sent[i].method);
		set_text(r, "url", sent[i].url);
		json_object_set_new(r, "headers", json_incref(callsync_json_parse(sent[i].headers, callsync_json_object())));
		set_text(r, "body", sent[i].body);
		json_object_set_new(r, "deliveries", json_integer(sent[i].deliveries));
		json_object_set_new(r, "request_id", json_integer(sent[i].request_id));
		if (sent[i].http_status != 0)
			json_object_set_new(r, "http_status", json_integer(sent[i].http_status));
		set_text(r, "outcome", sent[i].outcome ? sent[i].outcome : "sending");
	}
	return n;
}

static bool
no_key(void *arg, const char *key)
{
	return false;
}

/* What will be sent for a delivery, as far as it is known */
static void
add_rendered(json_t *requests, CallsyncEngineDest *dest, const CallsyncCallStep *s)
{
	const CallsyncConnector *connector = dest->d->connector;
	CallsyncDelivery *row;
	const CallsyncStep *step;
	const CallsyncOp *op = NULL;
	const CallsyncAuth *auth;
	CallsyncRenderInput input;
	CallsyncRequest request;
	CallsyncDocError err = {0};
	json_t	   *r = callsync_json_object();
	json_t	   *headers = callsync_json_object();

	json_array_append_new(requests, r);
	set_text(r, "step", s->step);
	json_object_set_new(r, "sent", json_false());
	json_object_set_new(r, "delivery", json_integer(s->delivery));
	json_object_set_new(r, "headers", headers);
	if (callsync_delivery_load(s->day, &s->delivery, 1, CurrentMemoryContext, &row) != 1)
		return;
	set_text(r, "state", row->state);
	step = callsync_connector_step(connector, s->step);
	if (step != NULL)
	{
		json_t	   *context = callsync_exchange_context(dest, step, row);

		callsync_exchange_input(dest, context, callsync_now(), CALLSYNC_RENDER_PREVIEW, &input);
		op = callsync_step_op(connector, step, &input);
	}
	else if (callsync_is_lookup(s->step) && (op = callsync_connector_op(connector, row->operation)) != NULL)
		callsync_exchange_input(dest, callsync_exchange_context(dest, NULL, row), callsync_now(), CALLSYNC_RENDER_PREVIEW, &input);
	if (op == NULL)
	{
		set_text(r, "problem", "the step does not apply any more");
		return;
	}
	set_text(r, "operation", op->name);
	if (!callsync_request_render(connector, op, &input, NULL, &request, &err))
	{
		set_text(r, "problem", psprintf("%s %s", err.path, err.what));
		return;
	}
	set_text(r, "method", request.method);
	set_text(r, "url", request.url);
	set_text(r, "body", request.body);
	for (int i = 0; i < request.nheaders; i++)
		set_text(headers, request.headers[i].name, request.headers[i].value);
	if (request.content_type != NULL)
		set_text(headers, "Content-Type", request.content_type);
	auth = callsync_connector_auth(connector, no_key, NULL);
	if (auth != NULL && auth->header != NULL && auth->kind != CALLSYNC_AUTH_NONE)
		set_text(headers, auth->header, CALLSYNC_MASK);
	callsync_request_free(&request);
}

/* The source of a call that is only captured so far; NULL: of none. */
static char *
captured_source(const CallsyncCapture *captures, int n, bool *several)
{
	*several = false;
	for (int i = 1; i < n; i++)
		*several |= strcmp(captures[i].source, captures[0].source) != 0;
	return n > 0 ? captures[0].source : NULL;
}

/* The source that knows the call; an error where none, or where it has to be said which. */
static char *
source_of(const char *call_id, const char *source, const CallsyncCapture *captures, int ncaptures)
{
	char	   *first = NULL;
	int			n = callsync_call_sources(call_id, source, &first);
	bool		several = n > 1;

	if (n == 0)
		first = captured_source(captures, ncaptures, &several);
	if (first == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 source ? errmsg("call \"%s\" of source \"%s\" does not exist", call_id, source)
				 : errmsg("call \"%s\" does not exist", call_id),
				 errhint("Calls are listed in callsync.call, what arrived in callsync.event.")));
	if (several)
		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_PARAMETER),
				 errmsg("call \"%s\" exists in several sources", call_id),
				 errhint("Name the source as third argument of callsync.preview().")));
	return first;
}

static int
add_steps(json_t *result, CallsyncEngineDest *dest, const char *call_id, const char *source)
{
	json_t	   *requests = json_object_get(result, "requests");
	CallsyncCallStep *steps;
	char	   *status;
	char	   *trace_id;
	int			n = callsync_call_steps(call_id, dest->d->name, source, &steps, &status, &trace_id);

	if (n > 0)
	{
		set_text(result, "status", status);
		set_text(result, "trace_id", trace_id);
	}
	for (int i = 0; i < n; i++)
		if (add_sent(requests, &steps[i]) == 0)
			add_rendered(requests, dest, &steps[i]);
	return n;
}

/*
 * A call that no worker has planned yet is planned here, shown, and forgotten again:
 * by the same code, in a subtransaction that is rolled back.
 */
static void
add_rehearsed(json_t *result, CallsyncEngineDest *dest, const char *call_id, const char *source,
			  const CallsyncCapture *captures, int n)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	CallsyncDestinations *destinations;
	size_t		i;
	json_t	   *request;

	if (XactReadOnly || RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("call \"%s\" is captured, but not planned yet", call_id),
				 errdetail("To show it, it has to be planned, which a read-only transaction cannot do."),
				 errhint("Ask again once a worker has planned it (see callsync.worker_status), or in a transaction that may write.")));
	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PushActiveSnapshot(GetTransactionSnapshot());
	destinations = callsync_destinations_create(context);
	callsync_destinations_refresh(destinations);
	callsync_planner_rehearse(destinations, captures, n);
	PopActiveSnapshot();
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	add_steps(result, dest, call_id, source);
	PopActiveSnapshot();
	RollbackAndReleaseCurrentSubTransaction();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;

	/* these will be others */
	json_object_del(result, "trace_id");
	json_array_foreach(json_object_get(result, "requests"), i, request)
	{
		json_object_del(request, "delivery");
		json_object_del(json_object_get(request, "headers"), "traceparent");
	}
	json_object_set_new(result, "planned", json_false());
}

Datum
callsync_preview(PG_FUNCTION_ARGS)
{
	char	   *call_id = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *destination = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *source = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext mcxt = AllocSetContextCreate(caller, "callsync preview", ALLOCSET_DEFAULT_SIZES);
	CallsyncEngineDest dest = {0};
	CallsyncCapture *captures = NULL;
	int			ncaptures = 0;
	char	   *first;
	json_t	   *result;
	char	   *text;
	Datum		out;

	if (call_id == NULL || destination == NULL)
		PG_RETURN_NULL();
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	MemoryContextSwitchTo(mcxt);

	dest.d = callsync_destination_load(destination, mcxt);
	if (callsync_call_sources(call_id, source, &first) == 0)
		ncaptures = callsync_outbox_of_call(call_id, source, MAX_CAPTURES, mcxt, &captures);
	source = source_of(call_id, source, captures, ncaptures);
	if (dest.d->connector == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("destination \"%s\" cannot be used", destination),
				 errdetail("%s", dest.d->config_error)));
	result = callsync_json_keep(callsync_json_object());
	set_text(result, "source", source);
	set_text(result, "call_id", call_id);
	set_text(result, "destination", destination);
	json_object_set_new(result, "requests", json_array());
	if (ncaptures > 0)
		add_rehearsed(result, &dest, call_id, source, captures, ncaptures);
	else
		add_steps(result, &dest, call_id, source);

	text = callsync_json_text(result);
	MemoryContextSwitchTo(caller);
	out = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));
	SPI_finish();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(mcxt);
	PG_RETURN_DATUM(out);
}
