/*
 * connector_test.c
 *		Documents: what is refused and how it is told; merge; steps; look-ups.
 */
#include "core/connector.h"

#include "core/request.h"
#include "unit.h"

#include "connector_load.h"

static char told[1000];

/* A small API of no vendor, to break in every way */
static const char small[] =
"{\"name\": \"small\", \"version\": \"1\", \"base\": {\"url\": \"https://api.example.com/v1/\", \"vars\": {\"ver\": \"7\", \"root\": \"/r{ver}\", \"deep\": \"{root}/d\"},"
"  \"headers\": {\"Accept\": \"application/json\", \"X-Trace\": \"{meta.trace_id?}\"}},"
" \"auth\": {\"kind\": \"static_bearer\"},"
" \"objects\": {\"contact\": {\"name\": \"people\"}, \"call\": {\"name\": \"calls\"}},"
" \"ops\": {"
"  \"contact.create\": {\"object\": \"contact\", \"method\": \"POST\", \"path\": \"{root}/people\", \"body\": {\"$map\": \"record\"}, \"idempotent\": \"lookup\", \"guard\": \"contact.find\", \"id\": \"/id\", \"creates\": true},"
"  \"contact.update\": {\"object\": \"contact\", \"method\": \"PATCH\", \"path\": \"{root}/people/{id}\", \"body\": {\"$map\": \"record\"}, \"needs_id\": true},"
"  \"contact.find\": {\"kind\": \"find\", \"object\": \"contact\", \"method\": \"GET\", \"path\": \"{root}/people?q={find.phone}\", \"result\": {\"items\": \"/items\", \"id\": \"/id\"}},"
"  \"contact.read\": {\"kind\": \"read\", \"method\": \"GET\", \"path\": \"{root}/people/{id}\", \"result\": {\"id\": \"/id\"}},"
"  \"call.create\": {\"object\": \"call\", \"method\": \"PUT\", \"path\": \"{deep}/calls/{key}\", \"body\": {\"$map\": \"record\", \"person\": \"{steps.contact.id}\"}},"
"  \"call.log\": {\"object\": \"call\", \"method\": \"POST\", \"path\": \"/log\", \"body_kind\": \"form\", \"body\": {\"b\": \"{call_id}\", \"a\": \"x y&z\", \"list\": [1, 2]}, \"headers\": {\"Idempotency-Key\": \"{key}\"}, \"idempotent\": \"header\"},"
"  \"call.xml\": {\"object\": \"call\", \"method\": \"POST\", \"path\": \"/xml\", \"body_kind\": \"xml\", \"body\": [\"<call>\", {\"if\": \"caller.name\", \"line\": \"<name>{caller.name}</name>\"}, {\"if\": \"nothing\", \"line\": \"<no/>\"}, \"</call>\"], \"idempotent\": \"none\"},"
"  \"call.next\": {\"kind\": \"changes\", \"method\": \"GET\", \"path\": \"{cursor|raw}\", \"result\": {\"items\": \"/items\"}}"
" },"
" \"steps\": {"
"  \"contact\": {\"object\": \"contact\", \"map\": \"contact\", \"per_person\": true, \"priority\": \"contact\", \"read\": \"contact.read\", \"ops\": [{\"when\": \"id\", \"op\": \"contact.update\"}, \"contact.create\"]},"
"  \"call\": {\"object\": \"call\", \"map\": \"call\", \"after\": [\"contact?\"], \"when\": {\"type\": {\"not\": \"test\"}}, \"ops\": \"call.create\"},"
"  \"log\": {\"object\": \"call\", \"priority\": \"notification\", \"after\": [\"call\"], \"ops\": [\"call.log\"]}"
" },"
" \"mapping\": {\"contact\": {\"name\": \"caller.name\"}, \"call\": {\"at\": {\"from\": \"started_at\", \"as\": \"iso8601z\"}}},"
" \"rules\": [{\"status\": [404], \"class\": \"gone\"}]}";

/* What the parser says about the small document with an overlay */
static const char *
refused(const char *overlay)
{
	json_t	   *doc = load_json(small);
	json_t	   *over = load_json(overlay);
	CallsyncDocError err = {"", "", ""};
	CallsyncConnector *c = callsync_connector_parse(doc, over, NULL, &err);

	json_decref(doc);
	json_decref(over);
	if (c != NULL)
	{
		callsync_connector_free(c);
		return "(taken)";
	}
	snprintf(told, sizeof(told), "%s: %s", err.path, err.what);
	return told;
}

static void
errors(void)
{
	CallsyncDocError err;

	CHECK_STR(refused("{}"), "(taken)");
	CHECK_STR(refused("{\"opps\": {}}"), ": Key \"opps\" is unknown.");
	CHECK_STR(refused("{\"name\": \"\"}"), ": A connector needs \"name\" and \"version\".");
	CHECK_STR(refused("{\"version\": 3}"), ": \"version\" must be text.");
	CHECK_STR(refused("{\"confirmation\": \"hope\"}"), ": \"confirmation\" cannot be \"hope\".");
	CHECK_STR(refused("{\"base\": {\"url\": \"ftp://x\"}}"), "/base/url: \"ftp://x\" is not an http or https URL.");
	CHECK_STR(refused("{\"base\": {\"url\": \"https://x?y\"}}"), "/base/url: A base URL cannot hold blanks, a query or a fragment.");
	CHECK_STR(refused("{\"base\": {\"vars\": {\"ver\": \"{root}\"}}}"), "/base/vars: Var \"ver\" refers to itself.");
	CHECK_STR(refused("{\"base\": {\"vars\": {\"id\": \"x\"}}}"), "/base/vars: A var cannot be called \"id\".");
	CHECK_STR(refused("{\"base\": {\"headers\": {\"Bad Name\": \"x\"}}}"), "/base/headers/Bad Name: \"Bad Name\" is not a header name.");
	CHECK_STR(refused("{\"auth\": {\"kind\": \"magic\"}}"), "/auth: \"kind\" cannot be \"magic\".");
	CHECK_STR(refused("{\"auth\": {\"kind\": \"oauth2_refresh\"}}"), "/auth: OAuth needs \"token_url\".");
	CHECK_STR(refused("{\"ops\": {\"x\": {\"path\": \"/x\"}}}"), "/ops/x: The operation needs \"method\".");
	CHECK_STR(refused("{\"ops\": {\"x\": {\"method\": \"GET\"}}}"), "/ops/x: The operation needs \"path\".");
	CHECK_STR(refused("{\"ops\": {\"x\": {\"method\": \"FETCH\", \"path\": \"/\"}}}"), "/ops/x: \"method\" cannot be \"FETCH\".");
	CHECK_STR(refused("{\"ops\": {\"call.create\": {\"path\": \"/{key|shout}\"}}}"), "/ops/call.create/path: Filter \"shout\" does not exist.");
	CHECK_STR(refused("{\"ops\": {\"call.create\": {\"body\": {\"a\": {\"$mpa\": 1}}}}}"), "/ops/call.create/body/a: Operator \"$mpa\" does not exist.");
	CHECK_STR(refused("{\"ops\": {\"contact.create\": {\"guard\": \"nowhere\"}}}"), "/ops/contact.create: Guard \"nowhere\" is not an operation.");
	CHECK_STR(refused("{\"ops\": {\"contact.create\": {\"guard\": null}}}"), "/ops/contact.create: With \"idempotent\": \"lookup\" the operation needs \"guard\".");
	CHECK_STR(refused("{\"ops\": {\"contact.create\": {\"object\": \"deal\"}}}"), "/ops/contact.create: Object \"deal\" is unknown.");
	CHECK_STR(refused("{\"ops\": {\"contact.create\": {\"ok\": [\"all\"]}}}"), "/ops/contact.create: This is not an HTTP status.");
	CHECK_STR(refused("{\"ops\": {\"contact.create\": {\"id\": \"id\"}}}"), "/ops/contact.create: \"id\" is not a JSON pointer.");
	CHECK_STR(refused("{\"ops\": {\"contact.create\": {\"id\": {\"header\": \"Location\", \"regex\": \"(x\"}}}}"), "/ops/contact.create: \"(x\" is not a regular expression: Unmatched ( or \\(.");
	CHECK_STR(refused("{\"ops\": {\"contact.create\": {\"id\": {\"header\": \"Location\", \"regex\": \"(a)\\\\1\"}}}}"), "/ops/contact.create: A regular expression cannot use back-references.");
	CHECK_STR(refused("{\"ops\": {\"contact.create\": {\"batch\": {\"max\": 1}}}}"), "/ops/contact.create/batch: \"max\" must be a whole number from 2 to 5000.");
	CHECK_STR(refused("{\"ops\": {\"contact.create\": {\"batch\": {\"max\": 10, \"body\": {}}}}}"), "/ops/contact.create/batch: A batch needs \"join\".");
	CHECK_STR(refused("{\"steps\": {\"call\": {\"after\": [\"nobody\"]}}}"), "/steps/call: \"after\" names \"nobody\", which is not another step.");
	CHECK_STR(refused("{\"steps\": {\"contact\": {\"after\": [\"log\"]}}}"), "/steps: Steps wait for each other in a circle.");
	CHECK_STR(refused("{\"steps\": {\"call\": {\"ops\": \"nothing\"}}}"), "/steps/call: \"nothing\" is not an operation of this connector.");
	CHECK_STR(refused("{\"steps\": {\"call\": {\"map\": \"nothing\"}}}"), "/steps/call: \"mapping\" has no \"nothing\".");
	CHECK_STR(refused("{\"steps\": {\"call\": {\"read\": \"call.create\"}}}"), "/steps/call: \"read\" must name an operation of kind read.");
	CHECK_STR(refused("{\"steps\": {\"call\": {\"when\": {\"a\": {\"about\": 1}}}}}"), "/steps/call: Test \"about\" of \"a\" is unknown or has the wrong type.");
	CHECK_STR(refused("{\"rules\": [{\"status\": [404], \"class\": \"BAD\"}]}"), "/rules/0: \"BAD\" is not an error class.");
	CHECK_STR(refused("{\"rules\": [{\"status\": [404], \"op\": \"ghost.*\", \"class\": \"gone\"}]}"), "/rules/0: \"ghost.*\" matches no operation.");
	CHECK_STR(refused("{\"rules\": [{\"transport\": [\"weather\"], \"class\": \"transient\"}]}"), "/rules/0: \"weather\" is not a transport failure.");
	CHECK_STR(refused("{\"rules+\": [{\"class\": \"gone\", \"json\": {\"a\": 1}}]}"), "/rules/0: \"a\" is not a JSON pointer.");
	CHECK_STR(refused("{\"limits\": {\"buckets\": {\"b\": {\"rate\": 5}}}}"), "/limits/buckets/b: A limit needs \"rate\" and one of \"per_s\" and \"per_ms\".");
	CHECK_STR(refused("{\"limits\": {\"learn\": [{\"limit\": \"b\"}]}}"), "/limits/learn/0: \"limit\" must name one of the limits above it.");
	CHECK_STR(refused("{\"objects\": {\"contact\": {\"fields\": {\"x\": {\"type\": \"color\"}}}}}"), "/objects/contact/fields/x: \"type\" cannot be \"color\".");

	CHECK(callsync_connector_parse_text("{\"name\":", 8, NULL, 0, NULL, &err) == NULL);
	CHECK(strstr(err.what, "is not JSON") != NULL);
	CHECK(callsync_connector_parse_text("[]", 2, NULL, 0, NULL, &err) == NULL);
	{
		/* a document that nests without end is refused before anything recurses into it */
		char		deep[400];
		size_t		n = 0;

		n += (size_t) sprintf(deep, "{\"name\":");
		for (int i = 0; i < 100; i++)
			deep[n++] = '[';
		for (int i = 0; i < 100; i++)
			deep[n++] = ']';
		deep[n++] = '}';
		CHECK(callsync_connector_parse_text(deep, n, NULL, 0, NULL, &err) == NULL);
		CHECK_STR(err.what, "The document nests more than 40 deep.");
	}
}

static void
merge(void)
{
	json_t	   *a = load_json("{\"x\": {\"p\": 1, \"q\": 2}, \"list\": [3, 4], \"k\": 1}");
	json_t	   *b = load_json("{\"x\": {\"q\": null, \"r\": 5}, \"list+\": [1, 2], \"k\": {\"n\": 1}}");
	json_t	   *m = callsync_connector_merge(a, b);
	char	   *text = callsync_json_dump(m, NULL);

	CHECK_STR(text, "{\"k\":{\"n\":1},\"list\":[1,2,3,4],\"x\":{\"p\":1,\"r\":5}}");
	free(text);
	json_decref(m);
	text = callsync_json_dump(a, NULL);
	CHECK_STR(text, "{\"k\":1,\"list\":[3,4],\"x\":{\"p\":1,\"q\":2}}");	/* untouched */
	free(text);
	json_decref(a);
	json_decref(b);
}

static void
requests(void)
{
	CallsyncDocError err;
	CallsyncConnector *c = callsync_connector_parse_text(small, strlen(small), NULL, 0, NULL, &err);
	json_t	   *ctx = load_json("{\"call\": {\"call_id\": \"c/1\", \"caller\": {\"name\": \"<A & 'B'>\", \"phone\": \"+1\"}}, \"record\": {\"z\": 1, \"a\": \"\\u00e9\\\"\"},"
								" \"key\": \"k 1\", \"find\": {\"phone\": \"+1 2\"}, \"id\": \"7/8\", \"meta\": {}}");
	CallsyncRenderInput input = {.context = ctx};
	const CallsyncStep *step;
	const CallsyncOp *op;

	if (!CHECK(c != NULL))
		return;
	CHECK_STR(callsync_connector_name(c), "small");
	CHECK_STR(callsync_connector_base_url(c), "https://api.example.com/v1");
	CHECK_STR(callsync_connector_object(c, "contact"), "people");
	CHECK(callsync_connector_object(c, "deal") == NULL);
	CHECK(callsync_connector_confirmation(c) == CALLSYNC_CONFIRM_RESPONSE);

	CHECK_STR(show_request(c, "contact.update", ctx, CALLSYNC_RENDER_SEND, NULL),
			  "PATCH https://api.example.com/v1/r7/people/7%2F8\nContent-Type: application/json\nAccept: application/json\n\n{\"a\":\"\xC3\xA9\\\"\",\"z\":1}");
	CHECK_STR(show_request(c, "contact.find", ctx, CALLSYNC_RENDER_SEND, NULL),
			  "GET https://api.example.com/v1/r7/people?q=%2B1%202\nAccept: application/json\n");
	CHECK_STR(show_request(c, "call.create", ctx, CALLSYNC_RENDER_SEND, NULL), "error: /ops/call.create/body/person: \"steps.contact.id\" has no value.");
	CHECK_STR(show_request(c, "call.create", ctx, CALLSYNC_RENDER_PREVIEW, NULL),
			  "PUT https://api.example.com/v1/r7/d/calls/k%201\nContent-Type: application/json\nAccept: application/json\n\n{\"a\":\"\xC3\xA9\\\"\",\"person\":\"{{contact.id}}\",\"z\":1}");
	CHECK_STR(show_request(c, "call.log", ctx, CALLSYNC_RENDER_SEND, NULL),
			  "POST https://api.example.com/v1/log\nContent-Type: application/x-www-form-urlencoded\nAccept: application/json\nIdempotency-Key: k 1\n\na=x%20y%26z&b=c%2F1&list=1&list=2");
	CHECK_STR(show_request(c, "call.xml", ctx, CALLSYNC_RENDER_SEND, NULL),
			  "POST https://api.example.com/v1/xml\nContent-Type: application/xml; charset=utf-8\nAccept: application/json\n\n<call>\n<name>&lt;A &amp; &apos;B&apos;&gt;</name>\n</call>\n");
	json_object_set_new(json_object_get(ctx, "meta"), "trace_id", json_string("t-1"));
	CHECK(strstr(show_request(c, "contact.find", ctx, CALLSYNC_RENDER_SEND, NULL), "X-Trace: t-1\n") != NULL);
	json_object_set_new(json_object_get(ctx, "meta"), "trace_id", json_string("t\r\nEvil: 1"));
	CHECK_STR(show_request(c, "contact.find", ctx, CALLSYNC_RENDER_SEND, NULL), "error: : The value of header X-Trace holds a line break.");
	json_object_del(json_object_get(ctx, "meta"), "trace_id");

	/* "next page" of the server: only on the same origin, the credential goes with it */
	json_object_set_new(ctx, "cursor", json_string("https://api.example.com/v1/calls?page=2"));
	CHECK(strncmp(show_request(c, "call.next", ctx, CALLSYNC_RENDER_SEND, NULL), "GET https://api.example.com/v1/calls?page=2\n", 43) == 0);
	json_object_set_new(ctx, "cursor", json_string("https://api.example.com.evil.test/x"));
	CHECK_STR(show_request(c, "call.next", ctx, CALLSYNC_RENDER_SEND, NULL), "error: : The URL leads away from the destination's own address.");
	json_object_set_new(ctx, "cursor", json_string("https://evil.test/https://api.example.com/"));
	CHECK_STR(show_request(c, "call.next", ctx, CALLSYNC_RENDER_SEND, NULL), "error: : The URL leads away from the destination's own address.");
	json_object_set_new(ctx, "cursor", json_string("/a b"));
	CHECK_STR(show_request(c, "call.next", ctx, CALLSYNC_RENDER_SEND, NULL), "error: : The URL holds a blank or a control character.");

	/* steps */
	CHECK(callsync_connector_step_count(c) == 3);
	CHECK_STR(callsync_connector_step_at(c, 0)->name, "contact");
	CHECK_STR(callsync_connector_step_at(c, 1)->name, "call");
	CHECK_STR(callsync_connector_step_at(c, 2)->name, "log");
	step = callsync_connector_step(c, "call");
	CHECK(step->ndeps == 1 && !step->deps[0].required && strcmp(step->deps[0].step, "contact") == 0);
	CHECK(callsync_connector_step(c, "log")->deps[0].required);
	CHECK(callsync_step_applies(c, step, &input));
	json_object_set_new(json_object_get(ctx, "call"), "type", json_string("test"));
	CHECK(!callsync_step_applies(c, step, &input));
	step = callsync_connector_step(c, "contact");
	op = callsync_step_op(c, step, &input);
	CHECK_STR(op ? op->name : NULL, "contact.update");
	json_object_del(ctx, "id");
	op = callsync_step_op(c, step, &input);
	CHECK_STR(op ? op->name : NULL, "contact.create");

	/* what follows from the method where the document is silent */
	CHECK(callsync_connector_op(c, "contact.update")->idempotency == CALLSYNC_IDEM_NATURAL);
	CHECK(callsync_connector_op(c, "call.xml")->idempotency == CALLSYNC_IDEM_NONE);
	CHECK(callsync_connector_op(c, "call.create")->idempotency == CALLSYNC_IDEM_NATURAL);
	CHECK(callsync_idempotency_is_safe(CALLSYNC_IDEM_HEADER) && !callsync_idempotency_is_safe(CALLSYNC_IDEM_LOOKUP));
	CHECK(callsync_connector_op(c, "nothing") == NULL);
	json_decref(ctx);
	callsync_connector_free(c);

	/* base_url of a destination outranks all */
	c = callsync_connector_parse_text(small, strlen(small), NULL, 0, "http://127.0.0.1:99/x/", &err);
	CHECK_STR(callsync_connector_base_url(c), "http://127.0.0.1:99/x");
	callsync_connector_free(c);
}

static bool
has_client(void *arg, const char *key)
{
	return strstr(arg, key) != NULL;
}

static void
shipped(void)
{
	CallsyncConnector *c = load_connector(__FILE__, "hubspot", "{\"base\": {\"vars\": {\"ver\": \"2026-09\"}}, \"limits\": {\"buckets\": {\"burst\": {\"rate\": 190}}}}", NULL);
	const CallsyncLimitSpec *limits;
	CallsyncRenderInput input = {0};
	CallsyncDocError err;
	char	   *url;
	int			n;

	if (!CHECK(c != NULL))
		return;
	CHECK_STR(json_string_value(json_object_get(callsync_connector_vars(c), "crm")), "/crm/objects/2026-09");
	n = callsync_connector_limits(c, &limits);
	CHECK(n == 3);
	for (int i = 0; i < n; i++)
		if (strcmp(limits[i].name, "burst") == 0)
		{
			CHECK(limits[i].rate == 190 && limits[i].window_ms == 10000);
			CHECK(!callsync_limit_covers(&limits[i], callsync_connector_op(c, "contact.find_by_phone")));
			CHECK(callsync_limit_covers(&limits[i], callsync_connector_op(c, "call.upsert")));
		}
	CHECK(callsync_connector_auth(c, has_client, "bearer_token")->kind == CALLSYNC_AUTH_STATIC_BEARER);
	CHECK(callsync_connector_auth(c, has_client, "client_id client_secret refresh_token bearer_token")->kind == CALLSYNC_AUTH_OAUTH2_REFRESH);
	CHECK(callsync_connector_auth(c, NULL, NULL)->kind == CALLSYNC_AUTH_OAUTH2_REFRESH);
	url = callsync_connector_token_url(c, callsync_connector_auth(c, NULL, NULL), &input, &err);
	CHECK_STR(url, "https://api.hubapi.com/oauth/v3/token");
	free(url);
	callsync_connector_free(c);
}

int
main(void)
{
	errors();
	merge();
	requests();
	shipped();
	return unit_done("connector");
}
