/*
 * compare_test.c
 *		Stored values as vendors rewrite them, and as they lose them.
 */
#include "core/compare.h"

#include "unit.h"

#include "connector_load.h"

static const char doc[] =
"{\"name\": \"c\", \"version\": \"1\", \"base\": {\"url\": \"https://x\"}, \"auth\": {\"kind\": \"none\"},"
" \"objects\": {\"o\": {\"name\": \"o\", \"fields\": {\"t\": {\"type\": \"datetime\"}, \"d\": {\"type\": \"date\"}, \"n\": {\"type\": \"number\"}, \"b\": {\"type\": \"bool\"}, \"e\": {\"type\": \"email\"},"
"   \"h\": {\"type\": \"text\", \"compare\": \"html\"}, \"p\": {\"type\": \"phone\"}, \"m\": {\"type\": \"multi\"}, \"x\": {\"type\": \"string\", \"compare\": \"exact\"}, \"skip\": {\"compare\": \"skip\"}, \"clock\": {\"compare\": \"time\"},"
"   \"ref@bind\": {\"compare\": \"contains\", \"read_as\": \"_ref_value\"}, \"s\": {\"type\": \"string\"}}}},"
" \"ops\": {\"null\": {\"kind\": \"read\", \"method\": \"GET\", \"path\": \"/\", \"result\": {\"absent\": \"null\"}}, \"gone\": {\"kind\": \"read\", \"method\": \"GET\", \"path\": \"/\", \"result\": {\"absent\": \"missing\"}}, \"unv\": {\"kind\": \"read\", \"method\": \"GET\", \"path\": \"/\", \"result\": {}}}}";

static CallsyncConnector *c;

/* state and reason of one field */
static const char *
f(const char *field, const char *sent, const char *stored)
{
	static char text[200];
	json_t	   *a = json_object();
	json_t	   *b = json_object();
	CallsyncFieldResult r;

	json_object_set_new(a, field, load_json(sent));
	if (stored != NULL)
		json_object_set_new(b, strcmp(field, "ref@bind") == 0 ? "_ref_value" : field, load_json(stored));
	callsync_compare_record(c, callsync_connector_op(c, "unv"), "o", NULL, a, b, &r, 1);
	snprintf(text, sizeof(text), "%s%s%s", callsync_field_state_name(r.state), r.reason[0] ? ": " : "", r.reason);
	json_decref(a);
	json_decref(b);
	return text;
}

int
main(void)
{
	CallsyncDocError err;
	json_t	   *sent;
	json_t	   *stored;
	json_t	   *props;
	char	   *dump;
	CallsyncFieldResult r[3];

	c = callsync_connector_parse_text(doc, strlen(doc), NULL, 0, NULL, &err);
	if (!CHECK(c != NULL))
	{
		fprintf(stderr, "%s %s\n", err.path, err.what);
		return 1;
	}
	/* instants */
	CHECK_STR(f("t", "\"2026-06-11T15:42:00Z\"", "\"2026-06-11T17:42:00.000+02:00\""), "confirmed");
	CHECK_STR(f("t", "\"2026-06-11T15:42:00Z\"", "\"2026-06-11T15:42:00.000+0000\""), "confirmed");
	CHECK_STR(f("t", "\"2026-06-11T15:42:00Z\"", "1781192520000"), "confirmed");
	CHECK_STR(f("t", "\"2026-06-11T15:42:00.250Z\"", "\"2026-06-11T15:42:00Z\""), "confirmed: milliseconds dropped");
	CHECK_STR(f("t", "\"2026-06-11T15:42:00Z\"", "\"2026-06-11T11:42:00Z\""), "altered: another time");
	CHECK_STR(f("d", "\"2026-06-11\"", "\"2026-06-11T00:00:00Z\""), "confirmed");
	CHECK_STR(f("d", "\"2026-06-11\"", "\"2026-06-10\""), "altered: another time");
	/* numbers, booleans */
	CHECK_STR(f("n", "17", "\"17\""), "confirmed");
	CHECK_STR(f("n", "17.50", "\"17.5\""), "confirmed");
	CHECK_STR(f("n", "\"1200\"", "1200.0"), "confirmed");
	CHECK_STR(f("n", "17.6", "\"18\""), "altered: rounded");
	CHECK_STR(f("n", "17", "\"170\""), "altered: another value");
	CHECK_STR(f("b", "true", "\"true\""), "confirmed");
	CHECK_STR(f("b", "true", "1"), "confirmed");
	CHECK_STR(f("b", "true", "\"false\""), "altered: another value");
	/* text */
	CHECK_STR(f("s", "\" a b \"", "\"a b\""), "confirmed: trimmed");
	CHECK_STR(f("s", "\"a\\r\\nb\"", "\"a\\nb\""), "confirmed: trimmed");
	CHECK_STR(f("s", "\"abcdef\"", "\"abc\""), "altered: truncated");
	CHECK_STR(f("s", "\"abcdefghij\"", "\"abcdef...\""), "altered: truncated");
	CHECK_STR(f("s", "\"Booked\"", "\"booked\""), "altered: case changed");
	CHECK_STR(f("s", "\"a\"", "\"b\""), "altered: another value");
	CHECK_STR(f("x", "\" a\"", "\"a\""), "altered: another value");
	CHECK_STR(f("e", "\"Jon@Example.com\"", "\"jon@example.com\""), "confirmed");
	CHECK_STR(f("h", "\"<p>a &amp; b</p>\"", "\"<div>a &amp;  b</div>\""), "confirmed: markup rewritten");
	CHECK_STR(f("h", "\"<p>a</p>\"", "\"<p>b</p>\""), "altered: another value");
	CHECK_STR(f("p", "\"+12025550143\"", "\"(202) 555-0143\""), "confirmed: formatted");
	CHECK_STR(f("p", "\"+12025550143\"", "\"(202) 555-0199\""), "altered: another value");
	CHECK_STR(f("clock", "\"15:42\"", "\"15:42:00\""), "confirmed");
	CHECK_STR(f("clock", "\"15:42\"", "\"15:43:00\""), "altered: another value");
	/* lists, references */
	CHECK_STR(f("m", "[\"A\", \"B\"]", "\"B;A\""), "confirmed");
	CHECK_STR(f("m", "[\"A\", \"B\"]", "\"A\""), "altered: other choices");
	CHECK_STR(f("who", "{\"id\": \"1\"}", "{\"id\": 1, \"name\": \"Jo\"}"), "confirmed");
	CHECK_STR(f("who", "\"1\"", "{\"id\": \"1\", \"name\": \"Jo\"}"), "confirmed");
	CHECK_STR(f("who", "{\"id\": \"1\"}", "{\"id\": \"2\"}"), "altered: another value");
	CHECK_STR(f("mails", "[{\"value\": \"a\"}]", "[{\"value\": \"b\"}, {\"value\": \"a\", \"primary\": true}]"), "confirmed");
	CHECK_STR(f("ref@bind", "\"/contacts(AB-1)\"", "\"ab-1\""), "confirmed");
	/* no declared type: what both sides look like */
	CHECK_STR(f("free", "17", "\"17.0\""), "confirmed");
	CHECK_STR(f("free", "\"2026-06-11T15:42:00Z\"", "\"2026-06-11T15:42:00.000Z\""), "confirmed");
	CHECK_STR(f("free", "true", "\"true\""), "confirmed");
	/* lost and unseen */
	CHECK_STR(f("s", "\"a\"", "null"), "missing: no value stored");
	CHECK_STR(f("s", "\"a\"", "\"\""), "missing: no value stored");
	CHECK_STR(f("s", "\"a\"", NULL), "unverified: the read does not show this field");
	CHECK_STR(f("s", "null", NULL), "confirmed");
	CHECK_STR(f("s", "null", "\"x\""), "altered: not cleared");
	CHECK_STR(f("skip", "\"a\"", "\"b\""), "unverified: the destination does not show this field");

	sent = load_json("{\"s\": \"a\", \"ref@bind\": \"x\", \"skip\": 1}");
	stored = load_json("{}");
	CHECK(callsync_compare_record(c, callsync_connector_op(c, "null"), "o", NULL, sent, stored, r, 3) == 3);
	for (int i = 0; i < 3; i++)
		CHECK(strcmp(r[i].field, "skip") == 0 ? r[i].state == CALLSYNC_FIELD_UNVERIFIED : r[i].state == CALLSYNC_FIELD_MISSING);
	CHECK(callsync_compare_record(c, callsync_connector_op(c, "gone"), "o", NULL, sent, stored, r, 3) == 3);
	for (int i = 0; i < 3; i++)
		CHECK_STR(r[i].reason, strcmp(r[i].field, "skip") == 0 ? "the destination does not show this field" : CALLSYNC_COMPARE_ABSENT);
	CHECK(callsync_compare_record(c, NULL, "o", NULL, sent, NULL, r, 1) == 3);
	CHECK(r[0].state == CALLSYNC_FIELD_MISSING);
	CHECK_STR(r[0].reason, "the record was not found");
	props = callsync_compare_props(c, "o", NULL, sent);
	dump = callsync_json_dump(props, NULL);
	CHECK_STR(dump, "[\"_ref_value\",\"s\"]");
	free(dump);
	json_decref(props);
	json_decref(sent);
	json_decref(stored);
	callsync_connector_free(c);
	return unit_done("compare");
}
