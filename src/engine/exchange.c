/*
 * exchange.c
 *		One HTTP exchange of the delivery loop: its context, its bytes, its attempt
 *		rows, and the answer as row 0 wants to see it.
 *
 * What is stored of a request never holds a credential: the headers that auth.c adds
 * are kept apart from those of the connector, and URL and answer are masked.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/call_document.h"
#include "core/compare.h"
#include "core/crypto.h"
#include "core/redact.h"
#include "engine/engine_state.h"
#include "engine/http_options.h"
#include "pg/env.h"
#include "pg/clock.h"
#include "pg/json.h"

#define KEEP_OK_BYTES 4096		/* of an answer that says all is well */
#define KEEP_ERROR_BYTES 16384
#define MAX_RESPONSE_HEADERS 100

const char *
callsync_exchange_kind_name(CallsyncExchangeKind kind)
{
	switch (kind)
	{
		case CALLSYNC_EXCHANGE_LOOKUP:
			return "lookup";
		case CALLSYNC_EXCHANGE_READ_BACK:
			return "read_back";
		case CALLSYNC_EXCHANGE_FIND:
			return "find";
		case CALLSYNC_EXCHANGE_INQUIRY:
			return "inquiry";
		case CALLSYNC_EXCHANGE_SEND:
			break;
	}
	return "send";
}

CallsyncExchange *
callsync_exchange_create(CallsyncEngine *engine, CallsyncEngineDest *dest)
{
	MemoryContext mcxt = AllocSetContextCreate(engine->mcxt, "callsync exchange", ALLOCSET_SMALL_SIZES);
	CallsyncExchange *x = MemoryContextAllocZero(mcxt, sizeof(*x));

	x->mcxt = mcxt;
	x->dest = dest;
	x->maxitems = 1;
	x->items = MemoryContextAllocZero(mcxt, sizeof(CallsyncItem));
	return x;
}

void
callsync_exchange_free(CallsyncExchange *x)
{
	if (x->rendered)
		callsync_request_free(&x->request);
	if (x->response != NULL)
		callsync_http_release(x->response);
	MemoryContextDelete(x->mcxt);
}

/* ---- context ---- */

static void
set_string(json_t *object, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(object, key, json_string(value));
}

/* The record that the step works on, as far as it is known by now. */
static const char *
known_id(const CallsyncStep *step, const CallsyncDelivery *row, const json_t *links)
{
	const char *id = row->record_id;

	if (step == NULL)
		return NULL;			/* a look-up works on no record */
	if (id == NULL && step->per_person)
		id = row->contact_id;
	if (id == NULL)
		id = callsync_json_string(json_object_get(links, step->record_of ? step->record_of : step->name), "id");
	return id;
}

/*
 * "trace" of the template context: names the delivery in a batch, and is what a
 * receiver of messages knows a repetition by (webhook-id). The same for every try and
 * redrive of the delivery, another for the next version of the call, and, by the
 * random trace id of the call, no other database's.
 */
char *
callsync_exchange_trace(const CallsyncDelivery *row)
{
	char	   *text = psprintf("%s\x1f%s\x1f" INT64_FORMAT, row->trace_id ? row->trace_id : "",
								row->idempotency_key, row->id);
	uint8_t		digest[CALLSYNC_SHA256_LEN];
	char	   *trace = palloc(2 * 12 + 1);

	callsync_sha256(text, strlen(text), digest);
	callsync_hex(digest, 12, trace);
	return trace;
}

/*
 * Takes out of the record what the destination is known not to take (any more), as of
 * now. "stopped" of the context says what and why, beside what was left out by the plan.
 */
static void
stop_fields(const CallsyncDestination *d, const char *object, json_t *context)
{
	const json_t *blocked = json_object_get(d->blocked, object);
	const json_t *described = json_object_get(d->schema, object);
	json_t	   *record = json_object_get(context, "record");
	json_t	   *stopped = json_object_get(context, "stopped");
	const char *field;
	json_t	   *value;
	void	   *next;

	if (blocked == NULL && described == NULL)
		return;
	json_object_foreach_safe(record, next, field, value)
	{
		const char *why = NULL;

		for (size_t i = 0; i < json_array_size(blocked) && why == NULL; i++)
			if (strcmp(json_string_value(json_array_get(blocked, i)), field) == 0)
				why = "writes to this field are stopped, see callsync.schema_drift";
		if (why == NULL && !callsync_map_option_known(json_object_get(described, field), value))
			why = "the value is not among the destination's options (any more)";
		if (why == NULL)
			continue;
		if (stopped == NULL)
		{
			stopped = callsync_json_object();
			json_object_set_new(context, "stopped", stopped);
		}
		json_object_set_new(stopped, field, json_string(why));
		json_object_del(record, field);
	}
}

json_t *
callsync_exchange_context(CallsyncEngineDest *dest, const CallsyncStep *step,
						  const CallsyncDelivery *row)
{
	json_t	   *context = callsync_json_of_jsonb(row->context, callsync_json_object());
	json_t	   *links = callsync_json_of_jsonb(row->links, NULL);
	json_t	   *steps = json_object_get(context, "steps");
	json_t	   *deps = json_object_get(context, "deps");
	const char *name;
	json_t	   *dep;
	json_t	   *link;

	if (!json_is_object(steps))
	{
		steps = callsync_json_object();
		json_object_set_new(context, "steps", steps);
	}
	/* what became of the steps that this one waited for */
	json_object_foreach(deps, name, dep)
	{
		link = json_object_get(links, name);
		if (link != NULL)
			json_object_set(steps, name, link);
	}
	json_object_del(context, "deps");
	json_object_set_new(context, "record", json_incref(callsync_json_of_jsonb(row->fields, callsync_json_object())));
	stop_fields(dest->d, row->object, context);
	if (row->document != NULL)
		json_object_set_new(context, "call", callsync_call_document_said(callsync_json_of_jsonb(row->document, NULL)));
	json_object_del(context, "id");
	set_string(context, "id", known_id(step, row, links));
	set_string(context, "key", row->idempotency_key);
	set_string(context, "trace", callsync_exchange_trace(row));
	return context;
}

/*
 * A create that met an existing record goes on as an update of that one, which has
 * a key of its own, or none: ours is not written over it, nor expected in it.
 */
void
callsync_exchange_forget_key(json_t *context, const CallsyncDelivery *row, const CallsyncOp *op)
{
	json_t	   *record = json_object_get(context, "record");
	const char *field;
	json_t	   *value;
	void	   *next;

	/* (looked at last, because it is parsed once more) */
	if (op == NULL || !op->needs_id || op->creates ||
		json_object_get(callsync_json_of_jsonb(row->context, callsync_json_object()), "id") != NULL)
		return;
	json_object_foreach_safe(record, next, field, value)
		if (json_is_string(value) && strcmp(json_string_value(value), row->idempotency_key) == 0)
			json_object_del(record, field);
}

void
callsync_exchange_input(CallsyncEngineDest *dest, const json_t *context, TimestampTz now,
						CallsyncRenderMode mode, CallsyncRenderInput *input)
{
	memset(input, 0, sizeof(*input));
	input->context = context;
	input->vars = callsync_connector_vars(dest->d->connector);
	input->env = callsync_env_get(dest->d->region, now);
	input->mode = mode;
}

/* ---- request ---- */

void
callsync_exchange_add_header(CallsyncExchange *x, const char *name, const char *value)
{
	MemoryContext old = MemoryContextSwitchTo(x->mcxt);

	if (x->nheaders == x->maxheaders)
	{
		x->maxheaders = x->maxheaders ? x->maxheaders * 2 : 8;
		x->headers = x->headers ? repalloc(x->headers, sizeof(CallsyncHttpHeader) * x->maxheaders)
			: palloc(sizeof(CallsyncHttpHeader) * x->maxheaders);
	}
	x->headers[x->nheaders].name = pstrdup(name);
	x->headers[x->nheaders++].value = pstrdup(value);
	MemoryContextSwitchTo(old);
}

/* W3C Trace Context: the trace of the call, a span per request */
static void
add_traceparent(CallsyncExchange *x)
{
	const char *trace_id = x->items[0].row->trace_id;

	if (trace_id != NULL && strlen(trace_id) == 32)
		callsync_exchange_add_header(x, "traceparent",
									 psprintf("00-%s-%016llx-01", trace_id, (unsigned long long) x->request_id));
}

bool
callsync_exchange_render(CallsyncEngine *engine, CallsyncExchange *x, int *bad, CallsyncDocError *err)
{
	const CallsyncConnector *connector = x->dest->d->connector;
	const CallsyncOp *op = callsync_connector_op(connector, x->op_name);
	CallsyncRenderInput input;
	bool		secret;
	const char *base_url = callsync_auth_url(x->dest, &secret);
	bool		ok;

	*bad = -1;
	callsync_exchange_input(x->dest, x->items[0].context, callsync_now(),
							x->dest->d->dry_run ? CALLSYNC_RENDER_PREVIEW : CALLSYNC_RENDER_SEND, &input);
	x->as_batch = x->kind == CALLSYNC_EXCHANGE_SEND && op->batch != NULL && (x->nitems > 1 || op->batch->only);
	if (x->kind == CALLSYNC_EXCHANGE_READ_BACK)
	{
		json_t	   *context = callsync_json_keep(json_copy((json_t *) x->items[0].context));
		json_t	   *ids = json_array();
		json_t	   *sent = callsync_json_keep(callsync_json_object());

		/* only what was sent is asked for: a field that the account lacks may fail the whole read */
		for (int i = 0; i < x->nitems; i++)
		{
			json_array_append_new(ids, json_string(x->items[i].row->record_id));
			json_object_update(sent, json_object_get(x->items[i].context, "record"));
		}
		json_object_set_new(context, "ids", ids);
		json_object_set_new(context, "id", json_string(x->items[0].row->record_id));
		json_object_set_new(context, "props",
							callsync_compare_props(connector, x->items[0].row->object, NULL, sent));
		input.context = context;
		ok = callsync_request_render(connector, op, &input, base_url, &x->request, err);
	}
	else if (x->nitems > 1)
	{
		const json_t **contexts = palloc(sizeof(json_t *) * x->nitems);

		for (int i = 0; i < x->nitems; i++)
			contexts[i] = x->items[i].context;
		ok = callsync_request_render_batch(connector, op, contexts, x->nitems, &input, base_url, &x->request, bad, err);
	}
	else
	{
		*bad = 0;
		ok = callsync_request_render(connector, op, &input, base_url, &x->request, err);
	}
	if (!ok)
		return false;
	x->rendered = true;
	/* the operation itself may be replaced by a refresh before this leaves */
	x->method = MemoryContextStrdup(x->mcxt, x->request.method);
	/* a repetition that libcurl made by itself would be a request without an attempt row */
	x->repeatable = false;
	for (int i = 0; i < x->request.nheaders; i++)
		callsync_exchange_add_header(x, x->request.headers[i].name, x->request.headers[i].value);
	if (x->request.content_type != NULL)
		callsync_exchange_add_header(x, "Content-Type", x->request.content_type);
	add_traceparent(x);
	x->secret_url = secret;
	return true;
}

/* palloc'ed, masked */
static char *
masked_url(const char *url, bool secret)
{
	size_t		size = strlen(url) * 3 + 1;
	char	   *out = palloc(size);

	callsync_redact_url(url, strlen(url), secret, out, size);
	return out;
}

static char *
headers_text(const CallsyncHttpHeader *headers, int n)
{
	json_t	   *object = callsync_json_keep(callsync_json_object());

	for (int i = 0; i < n; i++)
		json_object_set_new(object, headers[i].name,
							json_string(callsync_redact_is_secret_header(headers[i].name) ? CALLSYNC_MASK
										: headers[i].value));
	return callsync_json_text(object);
}

void
callsync_exchange_starts(CallsyncEngine *engine, CallsyncExchange *x, CallsyncAttemptStart *starts)
{
	char	   *url = masked_url(x->request.url, x->secret_url);

	for (int i = 0; i < x->nitems; i++)
	{
		CallsyncAttemptStart *s = &starts[i];

		memset(s, 0, sizeof(*s));
		s->day = x->items[i].row->day;
		s->delivery_id = x->items[i].row->id;
		s->n = x->items[i].n;
		s->kind = callsync_exchange_kind_name(x->kind);
		s->try_no = x->items[i].try_no;
		s->request_id = x->request_id;
		s->carrier = i == 0;
		s->started_at = x->started_at;
		s->destination = x->dest->d->name;
		s->method = x->method;
		s->url = url;
		s->worker = engine->identity->name;
		s->carrier_id = x->items[0].row->id;
		s->items = x->nitems;
		if (i == 0)
		{
			s->headers = headers_text(x->headers, x->nheaders);
			s->body = x->request.body;
			s->body_len = x->request.body_len;
		}
	}
}

bool
callsync_exchange_submit(CallsyncEngine *engine, CallsyncExchange *x)
{
	CallsyncHttpRequest request = {0};
	CallsyncHttpOptions options;

	request.method = x->method;
	request.url = x->request.url;
	request.headers = x->headers;
	request.nheaders = x->nheaders;
	request.body = x->request.body;
	request.body_len = x->request.body_len;
	request.repeatable = x->repeatable;
	request.user = x;
	callsync_http_options_apply(x->dest->d->options, &options, &request);
	return callsync_http_submit(engine->http, &request) != 0;
}

/* ---- answer ---- */

/* "Name: value" lines into an array in the exchange's memory */
static int
parse_headers(CallsyncExchange *x, CallsyncHeader **headers)
{
	const char *p = x->response->headers;
	const char *end = p + x->response->headers_len;
	MemoryContext old = MemoryContextSwitchTo(x->mcxt);
	int			n = 0;

	*headers = palloc(sizeof(CallsyncHeader) * MAX_RESPONSE_HEADERS);
	while (p < end && n < MAX_RESPONSE_HEADERS)
	{
		const char *eol = memchr(p, '\n', end - p);
		const char *line_end = eol ? eol : end;
		const char *colon = memchr(p, ':', line_end - p);

		if (colon != NULL && strncmp(p, "HTTP/", 5) != 0)
		{
			const char *value = colon + 1;
			const char *value_end = line_end;

			while (value < value_end && (*value == ' ' || *value == '\t'))
				value++;
			while (value_end > value && (value_end[-1] == '\r' || value_end[-1] == ' ' || value_end[-1] == '\t'))
				value_end--;
			(*headers)[n].name = pnstrdup(p, colon - p);
			(*headers)[n++].value = pnstrdup(value, value_end - value);
		}
		p = line_end + 1;
	}
	MemoryContextSwitchTo(old);
	return n;
}

void
callsync_exchange_response(CallsyncExchange *x, CallsyncResponse *response)
{
	CallsyncHeader *headers;

	memset(response, 0, sizeof(*response));
	response->transport = x->response->transport;
	response->status = x->response->status;
	response->nheaders = parse_headers(x, &headers);
	response->headers = headers;
	response->body = x->response->body;
	response->body_len = x->response->body_len;
	response->now_ms = callsync_engine_ms(x->answered_at);
}

/* What became of the exchange for one delivery, in one word */
static const char *
outcome_word(const CallsyncExchange *x, const CallsyncResult *r)
{
	if (r->error_class == NULL)
		return "ok";
	if (x->response->status != 0 && strcmp(r->error_class, "uncertain") != 0)
		return "refused";
	if (!x->response->may_have_sent)
		return "no_answer";
	return x->kind == CALLSYNC_EXCHANGE_SEND ? "unknown" : "no_answer";
}

void
callsync_exchange_ends(CallsyncExchange *x, CallsyncAttemptEnd *ends)
{
	CallsyncHttpResponse *response = x->response;
	bool		all_ok = true;

	for (int i = 0; i < x->nitems; i++)
	{
		CallsyncAttemptEnd *e = &ends[i];
		const CallsyncResult *r = &x->items[i].result;

		memset(e, 0, sizeof(*e));
		e->day = x->items[i].row->day;
		e->delivery_id = x->items[i].row->id;
		e->n = x->items[i].n;
		e->finished_at = x->answered_at;
		e->http_status = response->status;
		e->outcome = outcome_word(x, r);
		e->error_class = r->error_class;
		e->message = r->last_error;
		e->duration_ms = response->total_us / 1000.0;
		if (r->error_class != NULL)
			all_ok = false;
	}
	if (response->body_len > 0)
	{
		size_t		len = Min(response->body_len, all_ok ? KEEP_OK_BYTES : KEEP_ERROR_BYTES);
		size_t		size = len * 3 + 1;
		char	   *masked = palloc(size);

		ends[0].response_len = Min(callsync_redact_json(response->body, len, NULL, masked, size), size - 1);
		ends[0].response = masked;
	}
	if (response->headers_len > 0)
	{
		CallsyncHeader *headers;
		int			n = parse_headers(x, &headers);
		CallsyncHttpHeader *copy = palloc(sizeof(CallsyncHttpHeader) * Max(n, 1));

		for (int i = 0; i < n; i++)
		{
			copy[i].name = headers[i].name;
			copy[i].value = headers[i].value;
		}
		ends[0].response_headers = headers_text(copy, n);
	}
}
