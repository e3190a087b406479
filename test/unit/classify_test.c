/*
 * classify_test.c
 *		Answers as a CRM gives them, and as networks and proxies spoil them, for the
 *		shipped HubSpot document and for a document without rules.
 */
#include "core/classify.h"

#include "unit.h"

#include "connector_load.h"

#define NOW INT64_C(1781193600000)	/* 2026-06-11T16:00:00Z */

static CallsyncConnector *hub;
static CallsyncConnector *plain;
static CallsyncOutcome o;

static const char bare[] =
"{\"name\": \"bare\", \"version\": \"1\", \"base\": {\"url\": \"https://api.example.com\"}, \"auth\": {\"kind\": \"none\"},"
" \"objects\": {\"thing\": {\"name\": \"things\"}},"
" \"ops\": {"
"  \"create\": {\"method\": \"POST\", \"path\": \"/t\", \"body\": {}, \"id\": {\"header\": \"Location\", \"regex\": \"/t/([0-9]+)$\"}, \"creates\": true, \"idempotent\": \"none\", \"answer\": \"any\", \"created_when\": {\"status\": [201]}},"
"  \"upsert\": {\"method\": \"PUT\", \"path\": \"/t/{key}\", \"body\": {}, \"id\": \"/data/0/id\", \"creates\": true, \"success_when\": {\"/ok\": true}},"
"  \"find\": {\"kind\": \"find\", \"method\": \"GET\", \"path\": \"/t\", \"not_found\": [404], \"result\": {\"items\": \"/items\", \"id\": \"/id\", \"fields\": [\"/f\", \"/custom\"], \"cursor\": \"/next\", \"contact\": {\"phone\": [\"/f/p1\", \"/f/p2\"], \"email\": \"/f/mail/*/value\"}}},"
"  \"by_text\": {\"kind\": \"find\", \"method\": \"GET\", \"path\": \"/t\", \"result\": {\"items\": \"/items\", \"id\": \"/id\", \"where\": {\"/note\": \"key {key}.\"}}},"
"  \"by_number\": {\"kind\": \"find\", \"method\": \"GET\", \"path\": \"/t\", \"result\": {\"items\": \"/items\", \"id\": \"/id\", \"where\": {\"/n\": \"{key}\"}}},"
"  \"parts\": {\"method\": \"PATCH\", \"path\": \"/t/{key}\", \"body\": {\"$map\": \"record\"}, \"idempotent\": \"by_key\", \"creates\": true, \"id\": \"/id\", \"created_when\": {\"status\": [201]}, \"ok\": [200, 201], \"batch\": {\"max\": 10, \"format\": \"http_parts\", \"path\": \"/$batch\"}},"
"  \"rows\": {\"method\": \"POST\", \"path\": \"/rows\", \"idempotent\": \"none\", \"creates\": true, \"id\": \"/id\", \"ok\": [200], \"batch\": {\"max\": 10, \"only\": true, \"body\": {\"rows\": \"{items}\"}, \"item\": {\"k\": \"{key}\"}, \"join\": {\"by\": \"position\"}, \"results\": \"\", \"item_ok\": {\"/success\": true}, \"item_status\": {\"json\": \"/errors/0/code\", \"map\": {\"BUSY\": \"503\", \"DUP\": \"409\", \"*\": \"400\"}}}},"
"  \"told\": {\"method\": \"POST\", \"path\": \"/told\", \"idempotent\": \"field\", \"creates\": true, \"id\": \"/id\", \"batch\": {\"max\": 10, \"only\": true, \"items_in_refusal\": true, \"body\": {\"data\": \"{items}\"}, \"item\": {\"k\": \"{key}\"}, \"join\": {\"by\": \"position\"}, \"results\": \"/data\", \"item_ok\": {\"/status\": \"success\"}, \"item_status\": {\"json\": \"/code\", \"map\": {\"DUP\": \"409\", \"*\": \"400\"}}}}"
" },"
" \"limits\": {\"buckets\": {\"day\": {\"rate\": 5000, \"per_s\": 86400}, \"burst\": {\"rate\": 10, \"per_s\": 1}}, \"learn\": ["
"   {\"limit\": \"day\", \"header\": \"Usage\", \"regex\": \"api=([0-9]+)/([0-9]+)\", \"group_used\": 1, \"group_max\": 2},"
"   {\"limit\": \"burst\", \"remaining\": \"X-Left\", \"reset\": \"X-Reset\", \"reset_unit\": \"s\"}], \"retry_after\": {\"cap_s\": 3600}}}";

static CallsyncHeader headers[4];
static CallsyncResponse resp;

/* name: value pairs up to NULL */
static void
answer(int status, const char *body, const char *h1, const char *v1, const char *h2, const char *v2)
{
	memset(&resp, 0, sizeof(resp));
	resp.status = status;
	resp.body = body;
	resp.body_len = body ? strlen(body) : 0;
	resp.now_ms = NOW;
	resp.headers = headers;
	if (h1)
		headers[resp.nheaders++] = (CallsyncHeader) {h1, v1};
	if (h2)
		headers[resp.nheaders++] = (CallsyncHeader) {h2, v2};
}

static const char *
run(CallsyncConnector *c, const char *op, const CallsyncEnv *env)
{
	json_t	   *json = callsync_response_json(&resp);
	const CallsyncOp *found = callsync_connector_op(c, op);

	if (found == NULL)
		return "(no such operation)";
	callsync_classify(c, found, &resp, json, env, &o);
	json_decref(json);
	return callsync_class_name(o.error_class);
}

static const char *
hubspot(const char *op, int status, const char *body)
{
	answer(status, body, "Content-Type", "application/json", NULL, NULL);
	return run(hub, op, NULL);
}

static const char *
transport(CallsyncConnector *c, const char *op, CallsyncTransport t)
{
	answer(0, NULL, NULL, NULL, NULL, NULL);
	resp.transport = t;
	return run(c, op, NULL);
}

static int
new_york(void *arg, int64_t ms)
{
	(void) arg;
	(void) ms;
	return -240;
}

static void
single(void)
{
	CallsyncEnv env = {.utc_offset_min = new_york};

	/* success in its forms */
	CHECK_STR(hubspot("appointment.update", 200, "{\"id\":\"77\",\"properties\":{}}"), "ok");
	CHECK_STR(o.id, "77");
	CHECK_STR(hubspot("call.upsert", 200, "{\"status\":\"COMPLETE\",\"results\":[{\"id\":\"5\",\"new\":true,\"objectWriteTraceId\":\"x\"}]}"), "ok");
	CHECK_STR(o.id, "5");
	CHECK(o.created == CALLSYNC_YES);
	CHECK_STR(hubspot("call.upsert", 200, "{\"results\":[{\"id\":\"5\",\"new\":false}]}"), "ok");
	CHECK(o.created == CALLSYNC_NO);
	CHECK_STR(hubspot("call.link_contact", 204, NULL), "ok");
	CHECK_STR(hubspot("contact.find_by_email", 404, "{\"category\":\"OBJECT_NOT_FOUND\"}"), "ok");
	CHECK_STR(o.remedy, "");

	/* a 200 that is none */
	CHECK_STR(hubspot("call.upsert", 200, "<html><body>Maintenance</body></html>"), "transient");
	CHECK_STR(o.message, "A web page came in place of the API's answer.");
	CHECK_STR(hubspot("call.upsert", 200, "{\"results\":[{\"id\":\"5\""), "transient");
	CHECK_STR(hubspot("call.upsert", 200, "{\"results\":[]}"), "transient");
	CHECK_STR(hubspot("call.upsert", 200, "{\"results\":[{\"new\":true}]}"), "transient");

	/* the sheet's errors */
	CHECK_STR(hubspot("appointment.update", 401, "{\"status\":\"error\",\"category\":\"EXPIRED_AUTHENTICATION\",\"message\":\"expired\"}"), "auth");
	CHECK_STR(o.code, "EXPIRED_AUTHENTICATION");
	CHECK_STR(hubspot("appointment.update", 403, "{\"category\":\"MISSING_SCOPES\",\"message\":\"no\",\"errors\":[{\"context\":{\"requiredGranularScopes\":[\"crm.objects.contacts.write\"]}}]}"), "config");
	CHECK_STR(o.field, "crm.objects.contacts.write");
	CHECK_STR(hubspot("appointment.update", 404, "{\"message\":\"resource not found\"}"), "gone");
	CHECK_STR(hubspot("appointment.update", 409, "{\"category\":\"CONFLICT\",\"message\":\"Contact already exists. Existing ID: 12345\"}"), "duplicate");
	CHECK_STR(o.existing_id, "12345");
	CHECK_STR(hubspot("appointment.update", 429, "{\"policyName\":\"TEN_SECONDLY_ROLLING\",\"message\":\"limit\"}"), "throttled");
	CHECK(o.retry_at_ms == NOW + 10000 && o.pause_destination);
	answer(429, "{\"policyName\":\"DAILY\",\"message\":\"You have reached your daily limit.\"}", NULL, NULL, NULL, NULL);
	CHECK_STR(run(hub, "appointment.update", &env), "throttled");
	CHECK(o.retry_at_ms == NOW + 12 * 3600000);	/* 16:00Z is noon in New York */
	CHECK_STR(run(hub, "appointment.update", NULL), "throttled");
	CHECK(o.retry_at_ms == NOW + 8 * 3600000);
	CHECK_STR(hubspot("appointment.update", 423, "{}"), "transient");
	CHECK_STR(hubspot("appointment.update", 477, "{}"), "throttled");
	CHECK_STR(hubspot("appointment.update", 400, "{\"category\":\"VALIDATION_ERROR\",\"message\":\"bad\",\"errors\":[{\"message\":\"Property \\\"x\\\" does not exist\",\"code\":\"PROPERTY_DOESNT_EXIST\",\"context\":{\"propertyName\":[\"x\"]}}]}"), "config");
	CHECK(o.drift);
	CHECK_STR(o.field, "x");
	CHECK_STR(o.code, "PROPERTY_DOESNT_EXIST");
	CHECK_STR(o.message, "Property \"x\" does not exist");
	CHECK_STR(hubspot("appointment.update", 400, "{\"message\":\"bad\",\"errors\":[{\"code\":\"INVALID_OPTION\",\"message\":\"m\",\"context\":{\"propertyName\":[\"y\"]}}]}"), "permanent");
	CHECK_STR(o.field, "y");
	CHECK_STR(hubspot("appointment.update", 400, "{\"message\":\"Error creating CALL. Some required properties were not set.\",\"context\":{\"properties\":[\"hs_timestamp\"]}}"), "permanent");
	CHECK_STR(o.field, "hs_timestamp");
	CHECK_STR(hubspot("appointment.update", 400, "nonsense"), "permanent");
	CHECK_STR(o.message, "nonsense");
	CHECK_STR(hubspot("appointment.update", 502, "<html><head><title>502</title></head><body>Bad\nGateway</body></html>"), "transient");
	CHECK(strstr(o.message, "Bad Gateway") != NULL && strchr(o.message, '<') == NULL);
	CHECK_STR(transport(hub, "call.upsert", CALLSYNC_TRANSPORT_TIMEOUT_AFTER_SEND), "transient");
	CHECK_STR(transport(hub, "call.upsert", CALLSYNC_TRANSPORT_CONNECT_FAILED), "transient");

	/* no rules: what HTTP says, by idempotency */
	answer(201, "", "Location", "https://api.example.com/t/99", NULL, NULL);
	CHECK_STR(run(plain, "create", NULL), "ok");
	CHECK_STR(o.id, "99");
	CHECK(o.created == CALLSYNC_YES);
	answer(200, "", NULL, NULL, NULL, NULL);
	CHECK_STR(run(plain, "create", NULL), "uncertain");	/* a create that names nothing */
	answer(500, "{\"error\":{\"message\":\"boom\"}}", NULL, NULL, NULL, NULL);
	CHECK_STR(run(plain, "create", NULL), "uncertain");
	CHECK_STR(o.message, "boom");
	CHECK_STR(run(plain, "upsert", NULL), "transient");
	answer(302, "", "Location", "https://elsewhere", NULL, NULL);
	CHECK_STR(run(plain, "upsert", NULL), "config");
	answer(410, "gone", NULL, NULL, NULL, NULL);
	CHECK_STR(run(plain, "create", NULL), "gone");
	CHECK(o.disable);
	answer(404, "", NULL, NULL, NULL, NULL);
	CHECK_STR(run(plain, "upsert", NULL), "gone");
	CHECK_STR(o.message, "HTTP status 404.");
	answer(422, "{\"title\":\"no\"}", NULL, NULL, NULL, NULL);
	CHECK_STR(run(plain, "upsert", NULL), "permanent");
	answer(200, "{\"ok\":false,\"error\":\"channel_not_found\"}", NULL, NULL, NULL, NULL);
	CHECK_STR(run(plain, "upsert", NULL), "permanent");
	CHECK_STR(o.message, "channel_not_found");
	answer(200, "{\"ok\":true,\"data\":[{\"id\":17}]}", NULL, NULL, NULL, NULL);
	CHECK_STR(run(plain, "upsert", NULL), "ok");
	CHECK_STR(o.id, "17");
	for (int t = CALLSYNC_TRANSPORT_OK + 1; t < CALLSYNC_TRANSPORT_COUNT; t++)
	{
		bool		may_have_left = t == CALLSYNC_TRANSPORT_TIMEOUT_AFTER_SEND || t == CALLSYNC_TRANSPORT_RESET ||
			t == CALLSYNC_TRANSPORT_TRUNCATED || t == CALLSYNC_TRANSPORT_TOO_LARGE || t == CALLSYNC_TRANSPORT_BAD_ANSWER ||
			t == CALLSYNC_TRANSPORT_CANCELLED;
		bool		ours = t == CALLSYNC_TRANSPORT_REFUSED_ADDRESS || t == CALLSYNC_TRANSPORT_BAD_REQUEST;

		CHECK_STR(transport(plain, "create", (CallsyncTransport) t), ours ? "config" : may_have_left ? "uncertain" : "transient");
		CHECK_STR(transport(plain, "upsert", (CallsyncTransport) t), ours ? "config" : "transient");
		CHECK(o.message[0] != '\0' && o.remedy[0] != '\0');
	}
	/* an error answer that was cut is still that error */
	answer(400, "{\"mess", NULL, NULL, NULL, NULL);
	resp.transport = CALLSYNC_TRANSPORT_TRUNCATED;
	CHECK_STR(run(plain, "create", NULL), "permanent");

	/* Retry-After: seconds, date by the server's own clock, nonsense, cap */
	answer(503, "", "Retry-After", "120", NULL, NULL);
	CHECK_STR(run(plain, "upsert", NULL), "transient");
	CHECK(o.retry_at_ms == NOW + 120000 && !o.pause_destination);
	answer(429, "", "Retry-After", "Thu, 11 Jun 2026 17:01:00 GMT", "Date", "Thu, 11 Jun 2026 17:00:00 GMT");
	CHECK_STR(run(plain, "upsert", NULL), "throttled");
	CHECK(o.skew_ms == 3600000);
	CHECK(o.retry_at_ms == NOW + 60000 && o.retry_asked_ms == 0);
	answer(429, "", "Retry-After", "999999", NULL, NULL);
	run(plain, "upsert", NULL);
	/* no longer than the connector says; people are told */
	CHECK(o.retry_at_ms == NOW + 3600000 && o.retry_asked_ms == INT64_C(999999000));
	answer(429, "", "Retry-After", "soon", NULL, NULL);
	run(plain, "upsert", NULL);
	CHECK(o.retry_at_ms == 0);
	answer(429, "", "Retry-After", "-5", NULL, NULL);
	run(plain, "upsert", NULL);
	CHECK(o.retry_at_ms == 0);

	/* messages: one line, no credential, whole characters */
	answer(400, "{\"message\":\"bad\\n\\ttoken: Bearer abcdefghijklmnopqrstuvwxyz0123456789\"}", NULL, NULL, NULL, NULL);
	run(plain, "upsert", NULL);
	CHECK(strstr(o.message, "abcdefghijkl") == NULL && strchr(o.message, '\n') == NULL);
	{
		char		body[3000] = "{\"message\":\"";

		for (int i = 0; i < 700; i++)
			strcat(body, "\xC3\xA9");
		strcat(body, "\"}");
		answer(400, body, NULL, NULL, NULL, NULL);
		run(plain, "upsert", NULL);
		CHECK(strlen(o.message) > 500 && strlen(o.message) < 512 && strlen(o.message) % 2 == 0);
	}
}

static CallsyncOutcome whole;
static CallsyncOutcome items[4];

static const char *
batch(CallsyncConnector *c, const char *op, char *const *joins, int n)
{
	json_t	   *json = callsync_response_json(&resp);

	callsync_classify_batch(c, callsync_connector_op(c, op), &resp, json, NULL, joins, n, &whole, items);
	json_decref(json);
	return callsync_class_name(whole.error_class);
}

static const char *
item(int i)
{
	return callsync_class_name(items[i].error_class);
}

static void
batches(void)
{
	char	   *traces[] = {"t1", "t2", "t3"};
	char	   *links[] = {"1:10", "2:20"};

	/* results in another order, one error by trace */
	answer(207, "{\"status\":\"COMPLETE\",\"results\":[{\"id\":\"33\",\"new\":true,\"objectWriteTraceId\":\"t3\"},{\"id\":\"11\",\"new\":false,\"objectWriteTraceId\":\"t1\"}],"
		   "\"numErrors\":1,\"errors\":[{\"status\":\"error\",\"category\":\"CONFLICT\",\"message\":\"Contact already exists. Existing ID: 7\",\"context\":{\"objectWriteTraceId\":[\"t2\"]}}]}", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(hub, "contact.upsert", traces, 3), "partial");
	CHECK_STR(item(0), "ok");
	CHECK_STR(items[0].id, "11");
	CHECK(items[0].created == CALLSYNC_NO && items[2].created == CALLSYNC_YES);
	CHECK_STR(item(1), "duplicate");
	CHECK(items[1].own && !whole.own);
	CHECK_STR(items[1].existing_id, "7");
	CHECK_STR(items[2].id, "33");
	CHECK_STR(whole.message, "1 of 3 items failed.");

	/* an item nobody mentions did not succeed */
	answer(200, "{\"results\":[{\"id\":\"33\",\"objectWriteTraceId\":\"t3\"},{\"id\":\"11\",\"objectWriteTraceId\":\"t1\"}]}", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(hub, "contact.upsert", traces, 3), "partial");
	CHECK_STR(item(1), "transient");
	/* the same trace twice and a foreign one: the first counts, the stranger is nobody's */
	answer(200, "{\"results\":[{\"id\":\"1\",\"objectWriteTraceId\":\"t1\"},{\"id\":\"9\",\"objectWriteTraceId\":\"t1\"},{\"id\":\"8\",\"objectWriteTraceId\":\"zz\"},{\"id\":\"2\",\"objectWriteTraceId\":\"t2\"},{\"id\":\"3\",\"objectWriteTraceId\":\"t3\"}]}", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(hub, "contact.upsert", traces, 3), "ok");
	CHECK_STR(items[0].id, "1");
	/* an error without a name where one item is left */
	answer(207, "{\"results\":[{\"id\":\"33\",\"objectWriteTraceId\":\"t3\"},{\"id\":\"11\",\"objectWriteTraceId\":\"t1\"}],\"errors\":[{\"category\":\"VALIDATION_ERROR\",\"message\":\"bad\"}]}", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(hub, "contact.upsert", traces, 3), "partial");
	CHECK_STR(item(1), "permanent");

	/* refused as a whole: go one by one; throttled as a whole: all wait */
	answer(400, "{\"category\":\"VALIDATION_ERROR\",\"message\":\"Duplicate IDs found in batch input: [x]. IDs must be unique\"}", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(hub, "contact.upsert", traces, 3), "permanent");
	CHECK(whole.split);
	CHECK(!items[0].own);
	answer(429, "{\"policyName\":\"SECONDLY\"}", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(hub, "contact.upsert", traces, 3), "throttled");
	CHECK(!whole.split);
	CHECK_STR(item(2), "throttled");
	answer(200, "<html>", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(hub, "contact.upsert", traces, 3), "transient");
	CHECK_STR(item(0), "transient");
	resp.transport = CALLSYNC_TRANSPORT_RESET;
	resp.status = 0;
	CHECK_STR(batch(hub, "contact.upsert", traces, 3), "transient");

	/* pairs of ids */
	answer(207, "{\"results\":[{\"from\":{\"id\":\"2\"},\"to\":{\"id\":\"20\"}}],\"errors\":[{\"category\":\"VALIDATION_ERROR\",\"message\":\"One or more associations are not valid: CONTACT=10 is not valid\",\"context\":{\"fromObjectId\":[\"1\"],\"toObjectId\":[\"10\"]}}]}", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(hub, "call.link_contact", links, 2), "partial");
	CHECK_STR(item(0), "gone");
	CHECK_STR(item(1), "ok");

	/* refused, with a word about each item; without one, refused as a whole */
	answer(400, "{\"data\":[{\"status\":\"error\",\"code\":\"DUP\"},{\"status\":\"error\",\"code\":\"BAD\"}]}", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(plain, "told", NULL, 2), "partial");
	CHECK_STR(item(0), "duplicate");
	CHECK_STR(item(1), "permanent");
	CHECK(!whole.split);
	CHECK(items[0].own && items[1].own);
	answer(400, "{\"data\":[{\"status\":\"error\",\"code\":\"DUP\"}]}", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(plain, "told", NULL, 2), "permanent");
	CHECK(whole.split);
	answer(503, "{\"data\":[{\"status\":\"error\",\"code\":\"DUP\"},{\"status\":\"error\",\"code\":\"BAD\"}]}", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(plain, "told", NULL, 2), "transient");

	/* by position, with the item's own success flag and status */
	answer(200, "[{\"success\":true,\"id\":\"a1\"},{\"success\":false,\"errors\":[{\"code\":\"BUSY\",\"message\":\"later\"}]},{\"success\":false,\"errors\":[{\"code\":\"REQUIRED\",\"message\":\"no\"}]}]", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(plain, "rows", NULL, 3), "partial");
	CHECK_STR(items[0].id, "a1");
	CHECK_STR(item(1), "uncertain");	/* a 503 of an op that cannot be repeated */
	CHECK_STR(item(2), "permanent");
	CHECK_STR(items[2].message, "no");
	answer(200, "[{\"success\":true,\"id\":\"a1\"}]", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(plain, "rows", NULL, 3), "partial");
	CHECK_STR(item(2), "uncertain");
	answer(200, "{\"unexpected\":1}", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(plain, "rows", NULL, 2), "partial");
	CHECK_STR(item(0), "uncertain");

	/* whole HTTP answers as parts */
	answer(200,
		   "--b1\r\nContent-Type: application/http\r\nContent-ID: 1\r\n\r\nHTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n{\"id\":\"p1\"}\r\n"
		   "--b1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 429 Too Many\r\nRetry-After: 7\r\n\r\n{\"error\":{\"message\":\"slow\"}}\r\n"
		   "--b1\r\n\r\ngarbage\r\n--b1--\r\n", "Content-Type", "multipart/mixed; boundary=b1", NULL, NULL);
	CHECK_STR(batch(plain, "parts", NULL, 4), "partial");
	CHECK_STR(items[0].id, "p1");
	CHECK(items[0].created == CALLSYNC_YES);
	CHECK_STR(item(1), "throttled");
	CHECK(items[1].own && !items[2].own);
	CHECK(items[1].retry_at_ms == NOW + 7000);
	CHECK_STR(item(2), "transient");
	CHECK_STR(item(3), "transient");
	answer(200, "no boundary here", NULL, NULL, NULL, NULL);
	CHECK_STR(batch(plain, "parts", NULL, 2), "partial");
}

static int64_t learned[2][3];

static void
learn(void *arg, const char *name, int64_t limit, int64_t remaining, int64_t reset_at_ms)
{
	int			i = strcmp(name, "day") == 0 ? 0 : 1;

	(void) arg;
	learned[i][0] = limit;
	learned[i][1] = remaining;
	learned[i][2] = reset_at_ms;
}

static void
records(void)
{
	CallsyncFound found[2];
	const CallsyncOp *op = callsync_connector_op(plain, "find");
	json_t	   *json;
	json_t	   *contact;
	char		cursor[40];

	answer(200, "{\"items\":[{\"id\":\"1\",\"f\":{\"p2\":\"555\",\"mail\":[{\"value\":\"a@b.c\"}]}},{\"id\":2,\"f\":{\"p1\":\"+1\"}},{\"id\":\"3\"}],\"next\":\"c2\"}", NULL, NULL, NULL, NULL);
	json = callsync_response_json(&resp);
	CHECK(callsync_response_items(plain, op, NULL, &resp, json, found, 2) == 3);
	CHECK_STR(found[1].id, "2");
	contact = callsync_found_contact(op, &found[0]);
	CHECK_STR(json_string_value(json_object_get(contact, "phone")), "555");
	CHECK_STR(json_string_value(json_object_get(contact, "email")), "a@b.c");
	json_decref(contact);
	CHECK(callsync_response_cursor(op, &resp, json, cursor, sizeof(cursor)));
	CHECK_STR(cursor, "c2");
	json_decref(json);

	/* an index that cannot search by our key: the text decides */
	{
		json_t	   *ctx = load_json("{\"key\": \"a/1\"}");
		CallsyncRenderInput input = {.context = ctx};
		const CallsyncOp *by_text = callsync_connector_op(plain, "by_text");

		answer(200, "{\"items\":[{\"id\":\"1\",\"note\":\"key a/11.\"},{\"id\":\"2\",\"note\":\"<p>key a/1.</p>\"},{\"id\":\"3\"}]}", NULL, NULL, NULL, NULL);
		json = callsync_response_json(&resp);
		CHECK(callsync_response_items(plain, by_text, &input, &resp, json, found, 2) == 1);
		CHECK_STR(found[0].id, "2");
		CHECK(callsync_response_items(plain, by_text, NULL, &resp, json, found, 2) == -1);
		json_decref(json);
		json_decref(ctx);
		/* 12 is not part of 123 */
		ctx = load_json("{\"key\": \"12\"}");
		input.context = ctx;
		answer(200, "{\"items\":[{\"id\":\"1\",\"n\":123},{\"id\":\"2\",\"n\":12}]}", NULL, NULL, NULL, NULL);
		json = callsync_response_json(&resp);
		CHECK(callsync_response_items(plain, callsync_connector_op(plain, "by_number"), &input, &resp, json, found, 2) == 1);
		CHECK_STR(found[0].id, "2");
		json_decref(json);
		json_decref(ctx);
	}
	answer(200, "{\"items\":[{\"id\":\"1\",\"f\":{\"a\":1},\"custom\":{\"a\":2,\"b\":3}}]}", NULL, NULL, NULL, NULL);
	json = callsync_response_json(&resp);
	CHECK(callsync_response_items(plain, op, NULL, &resp, json, found, 2) == 1);
	CHECK(json_object_size(found[0].fields) == 2 && json_integer_value(json_object_get(found[0].fields, "a")) == 1);
	json_decref(json);

	answer(404, "{}", NULL, NULL, NULL, NULL);
	CHECK(callsync_response_items(plain, op, NULL, &resp, NULL, found, 2) == 0);
	answer(204, NULL, NULL, NULL, NULL, NULL);
	CHECK(callsync_response_items(plain, op, NULL, &resp, NULL, found, 2) == 0);
	answer(200, "{\"other\":[]}", NULL, NULL, NULL, NULL);
	json = callsync_response_json(&resp);
	CHECK(callsync_response_items(plain, op, NULL, &resp, json, found, 2) == -1);	/* not the promised shape: not "nothing found" */
	CHECK(!callsync_response_cursor(op, &resp, json, cursor, sizeof(cursor)));
	json_decref(json);
	answer(500, "{\"items\":[]}", NULL, NULL, NULL, NULL);
	CHECK(callsync_response_items(plain, op, NULL, &resp, NULL, found, 2) == -1);
	/* a single record */
	answer(200, "{\"id\":\"51\",\"properties\":{\"email\":\"x@y.z\",\"phone\":null}}", NULL, NULL, NULL, NULL);
	json = callsync_response_json(&resp);
	op = callsync_connector_op(hub, "contact.find_by_email");
	CHECK(callsync_response_items(hub, op, NULL, &resp, json, found, 2) == 1);
	CHECK_STR(found[0].id, "51");
	CHECK(json_object_size(found[0].fields) == 2);
	contact = callsync_found_contact(op, &found[0]);
	CHECK(json_object_size(contact) == 1);
	json_decref(contact);
	json_decref(json);

	answer(200, "{}", "Usage", "api=18/5000", "X-Left", "3");
	callsync_response_limits(plain, callsync_connector_op(plain, "create"), &resp, learn, NULL);
	CHECK(learned[0][0] == 5000 && learned[0][1] == 4982);
	CHECK(learned[1][0] == -1 && learned[1][1] == 3 && learned[1][2] == 0);
	answer(200, "{}", "Usage", "api=?", "X-Reset", "9");
	callsync_response_limits(plain, callsync_connector_op(plain, "create"), &resp, learn, NULL);
	CHECK(learned[1][2] == NOW + 9000);
	/* a search answer says nothing about the burst limit that does not count it */
	learned[1][1] = 77;
	answer(200, "{}", "X-HubSpot-RateLimit-Remaining", "5", NULL, NULL);
	callsync_response_limits(hub, callsync_connector_op(hub, "contact.find_by_phone"), &resp, learn, NULL);
	CHECK(learned[1][1] == 77);
	callsync_response_limits(hub, callsync_connector_op(hub, "call.upsert"), &resp, learn, NULL);
	CHECK(learned[1][1] == 5);
}

static void
describe(void)
{
	CallsyncDocError err;
	const CallsyncOp *op = callsync_connector_op(hub, "describe");
	json_t	   *answer_doc = load_json("{\"results\":[{\"name\":\"email\",\"type\":\"string\",\"hasUniqueValue\":true,\"options\":[]},"
									   "{\"name\":\"stage\",\"type\":\"enumeration\",\"options\":[{\"value\":\"a\"},{\"value\":\"b\",\"hidden\":true}]},"
									   "{\"name\":\"id\",\"type\":\"number\",\"modificationMetadata\":{\"readOnlyValue\":true}},"
									   "{\"name\":\"calc\",\"type\":\"string\",\"calculated\":true},"
									   "{\"name\":\"old\",\"type\":\"string\",\"archived\":true}, {\"type\":\"x\"}]}");
	json_t	   *fields = callsync_describe_fields(hub, op, answer_doc, &err);
	char	   *text = callsync_json_dump(fields, NULL);

	CHECK_STR(text, "{\"calc\":{\"readonly\":true,\"type\":\"string\"},\"email\":{\"type\":\"string\",\"unique\":true},\"id\":{\"readonly\":true,\"type\":\"number\"},\"stage\":{\"options\":[\"a\"],\"type\":\"enum\"}}");
	free(text);
	json_decref(fields);
	json_decref(answer_doc);
	answer_doc = load_json("{\"message\":\"no\"}");
	CHECK(callsync_describe_fields(hub, op, answer_doc, &err) == NULL);
	json_decref(answer_doc);
}

int
main(void)
{
	CallsyncDocError err;

	hub = load_connector(__FILE__, "hubspot", NULL, NULL);
	plain = callsync_connector_parse_text(bare, strlen(bare), NULL, 0, NULL, &err);
	if (plain == NULL)
		fprintf(stderr, "%s: %s\n", err.path, err.what);
	if (!CHECK(hub != NULL && plain != NULL))
		return 1;
	single();
	batches();
	records();
	describe();
	callsync_connector_free(hub);
	callsync_connector_free(plain);
	return unit_done("classify");
}
