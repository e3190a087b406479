/*
 * http_probe.c
 *		Drives http.c from SQL, for tests of the transport alone.
 *
 * Not declared by the install script: test/t/021_http.pl does that in its own
 * database. (It sends inside a transaction, which nothing else may do.)
 *
 *		callsync_http_probe(requests jsonb, concurrency int) RETURNS jsonb
 *
 * requests: [{method, url, headers: {}, body, allow: [], connect_timeout_ms,
 * timeout_ms, max_body, repeatable, ca_file, after, cancel_after_ms}]; "after": n
 * submits it when the n-th (0-based) is done. The answer has one object each, in
 * the same order.
 */
#include "postgres.h"

#include <jansson.h>

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/fmgrprotos.h"

#include "engine/http.h"
#include "pg/json.h"

#define MAX_RULES 16

PG_FUNCTION_INFO_V1(callsync_http_probe);

static int
int_of(json_t *object, const char *key)
{
	return (int) json_integer_value(json_object_get(object, key));
}

static uint64
submit(CallsyncHttp *http, json_t *wish, void *user)
{
	CallsyncHttpRequest request = {0};
	CallsyncAddressRule rules[MAX_RULES + 1];
	CallsyncHttpHeader headers[32];
	const char *name;
	json_t	   *value;
	size_t		i;

	request.method = callsync_json_string(wish, "method");
	if (request.method == NULL)
		request.method = "GET";
	request.url = callsync_json_string(wish, "url");
	request.body = callsync_json_string(wish, "body");
	request.body_len = json_string_length(json_object_get(wish, "body"));
	request.ca_file = callsync_json_string(wish, "ca_file");
	request.connect_timeout_ms = int_of(wish, "connect_timeout_ms");
	request.timeout_ms = int_of(wish, "timeout_ms");
	request.max_body = int_of(wish, "max_body");
	request.repeatable = json_is_true(json_object_get(wish, "repeatable"));
	request.user = user;
	json_object_foreach(json_object_get(wish, "headers"), name, value)
	{
		if (request.nheaders == lengthof(headers))
			break;
		headers[request.nheaders].name = name;
		headers[request.nheaders++].value = json_string_value(value);
	}
	request.headers = headers;
	json_array_foreach(json_object_get(wish, "allow"), i, value)
	{
		if (request.nallow < MAX_RULES)
			request.nallow += callsync_address_rule_parse(&rules[request.nallow],
														  json_string_value(value),
														  json_string_length(value));
	}
	request.allow = rules;
	return callsync_http_submit(http, &request);
}

static json_t *
report(CallsyncHttpResponse *response)
{
	const char *location = callsync_http_header(response, "location", 0);
	const char *test = callsync_http_header(response, "X-TEST", 1);

	return json_pack("{s:s, s:i, s:b, s:s%, s:I, s:s, s:s, s:b, s:b, s:s?, s:s?, s:b}",
					 "transport", callsync_transport_name(response->transport),
					 "status", response->status,
					 "may_have_sent", response->may_have_sent,
					 "body", response->body, Min(response->body_len, 500),
					 "body_len", (json_int_t) response->body_len,
					 "ip", response->primary_ip,
					 "error", response->error,
					 "reused", response->reused,
					 "timed", response->total_us >= response->connect_us && response->total_us > 0,
					 "location", location,
					 "second_test", test,
					 "ordered", response->finished_at >= response->submitted_at);
}

Datum
callsync_http_probe(PG_FUNCTION_ARGS)
{
	json_t	   *wishes = callsync_json_parse(JsonbToCString(NULL, &PG_GETARG_JSONB_P(0)->root, 0), NULL);
	int			n = (int) json_array_size(wishes);
	json_t	  **answers = palloc0(n * sizeof(json_t *));
	uint64	   *ids = palloc0(n * sizeof(uint64));
	json_t	   *all = callsync_json_keep(json_array());
	CallsyncHttp *http = callsync_http_create(CurrentMemoryContext, PG_GETARG_INT32(1));
	int			missing = n;

	PG_TRY();
	{
		while (missing > 0)
		{
			CallsyncHttpResponse *response;
			int64		wait_ms = 1000;

			CHECK_FOR_INTERRUPTS();
			for (int i = 0; i < n; i++)
			{
				json_t	   *wish = json_array_get(wishes, i);
				json_t	   *after = json_object_get(wish, "after");

				if (ids[i] == 0 && (after == NULL || answers[json_integer_value(after)] != NULL))
				{
					ids[i] = submit(http, wish, (void *) (intptr_t) i);
					if (ids[i] != 0 && json_object_get(wish, "cancel_after_ms") != NULL)
					{
						(void) callsync_http_wait(http, int_of(wish, "cancel_after_ms"));
						(void) callsync_http_cancel(http, ids[i]);
					}
				}
			}
			(void) callsync_http_wait(http, wait_ms);
			while ((response = callsync_http_next_done(http)) != NULL)
			{
				answers[(intptr_t) response->user] = report(response);
				callsync_http_release(response);
				missing--;
			}
		}
		if (callsync_http_in_flight(http) != 0)
			elog(ERROR, "%d requests in flight, none expected", callsync_http_in_flight(http));
	}
	PG_FINALLY();
	{
		callsync_http_destroy(http);
	}
	PG_END_TRY();

	for (int i = 0; i < n; i++)
		json_array_append_new(all, answers[i]);
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(callsync_json_text(all)));
}
