/*
 * mapping_test.c
 *		Field maps: sources, conversions, null rules, lists, types, lengths, and what
 *		is told when something does not fit.
 */
#include "core/mapping.h"

#include "unit.h"

#include "connector_load.h"

static json_t *context;
static json_t *vars;
static CallsyncEnv env = {.region = "US"};
static CallsyncRenderInput input;
static CallsyncMapOptions options;
static CallsyncMapResult result;
static char text[8000];

/* Maps with {"o": entries}; the fields as canonical text */
static const char *
m(const char *entries)
{
	json_t	   *doc = json_object();
	CallsyncDocError err = {"", "", ""};
	CallsyncMap *map;
	char	   *dump;

	json_object_set_new(doc, "o", load_json(entries));
	map = callsync_map_parse(doc, "o", &err);
	json_decref(doc);
	if (map == NULL)
	{
		snprintf(text, sizeof(text), "%s: %s", err.path, err.what);
		return text;
	}
	callsync_map_result_clear(&result);
	callsync_map_apply(map, &input, &options, &result);
	callsync_map_free(map);
	dump = callsync_json_dump(result.fields, NULL);
	snprintf(text, sizeof(text), "%s", dump);
	free(dump);
	return text;
}

/* "rule action" of the n-th row */
static const char *
row(size_t n)
{
	static char told[600];
	const json_t *r = json_array_get(result.results, n);

	if (r == NULL)
		return "(none)";
	snprintf(told, sizeof(told), "%s %s %s: %s", json_string_value(json_object_get(r, "field")), json_string_value(json_object_get(r, "rule")),
			 json_string_value(json_object_get(r, "action")), json_string_value(json_object_get(r, "message")));
	return told;
}

static void
sources(void)
{
	CHECK_STR(m("{\"a\": \"caller.name\", \"b\": {\"from\": [\"caller.email\", \"caller.phone\"]}}"), "{\"a\":\"Jordan Smith\",\"b\":\"(202) 555-0143\"}");
	CHECK(result.verdict == CALLSYNC_MAP_SEND && result.failed == 0);
	CHECK_STR(m("{\"a\": {\"const\": true}, \"b\": {\"template\": \"{type ?? intent}: {caller.name}\"}}"), "{\"a\":true,\"b\":\"service: Jordan Smith\"}");
	CHECK_STR(m("{\"a\": {\"template\": [\"{summary|html}\", {\"if\": \"nothing\", \"line\": \"no\"}, \"{missing}\", {\"if\": \"answers\", \"line\": \"{answers|qa}\"}], \"join\": \" / \"}}"),
			  "{\"a\":\"&lt;b&gt;hi&lt;/b&gt; / Budget? 500\"}");
	CHECK_STR(m("{\"a\": {\"from\": \"caller.phone\", \"as\": \"e164\"}, \"b\": {\"from\": \"caller.name|last_name\", \"as\": [\"upper\", \"truncate:3\"]}}"), "{\"a\":\"+12025550143\",\"b\":\"SMI\"}");
	/* the first alternative whose condition holds */
	CHECK_STR(m("{\"a\": [{\"when\": {\"direction\": \"outbound\"}, \"const\": \"out\"}, {\"when\": {\"direction\": \"inbound\"}, \"const\": \"in\"}, {\"const\": \"?\"}]}"), "{\"a\":\"in\"}");
	CHECK_STR(m("{\"a\": {\"when\": \"nothing\", \"const\": 1}}"), "{}");
	CHECK(result.verdict == CALLSYNC_MAP_EMPTY);
	/* a garbled first source gives way to the next */
	CHECK_STR(m("{\"a\": {\"from\": [\"caller.name\", \"caller.phone\"], \"as\": \"e164\"}}"), "{\"a\":\"+12025550143\"}");
	CHECK(result.failed == 0);
	/* one field per member */
	CHECK_STR(m("{\"*f\": {\"from\": \"fields\", \"to\": \"x_{key|slug}\", \"except\": [\"secret\"]}, \"x_other\": {\"const\": 1}}"), "{\"x_car_model\":\"CR-V\",\"x_other\":1}");
}

static void
nulls(void)
{
	/* B09: what is not known is left out, whatever the source wrote for it */
	CHECK_STR(m("{\"a\": \"nothing\", \"b\": \"empty\", \"c\": \"blank\", \"d\": \"na\", \"e\": \"unknown_text\", \"f\": \"list0\", \"z\": \"zero\", \"no\": \"no\"}"), "{\"no\":false,\"z\":0}");
	CHECK(json_array_size(result.results) == 0);
	CHECK_STR(m("{\"a\": {\"from\": \"unknown_text\", \"enum\": {\"unknown\": \"U\"}}}"), "{\"a\":\"U\"}");	/* mapped so */
	CHECK_STR(m("{\"a\": {\"from\": \"nothing\", \"on_null\": \"null\"}}"), "{\"a\":null}");
	CHECK_STR(m("{\"a\": {\"from\": \"nothing\", \"default\": \"D\"}}"), "{\"a\":\"D\"}");
	CHECK(result.verdict == CALLSYNC_MAP_SEND);
	CHECK_STR(m("{\"a\": {\"from\": \"nothing\", \"code\": \"NO_DISPOSITION\"}}"), "{\"a\":\"NO_DISPOSITION\"}");
	CHECK(result.verdict == CALLSYNC_MAP_REVIEW);
	CHECK_STR(row(0), "a null review: There is no value.");
	CHECK_STR(m("{\"a\": {\"from\": \"nothing\", \"required\": true}, \"b\": {\"const\": 1}}"), "{\"b\":1}");
	CHECK(result.verdict == CALLSYNC_MAP_HOLD);
	CHECK_STR(row(0), "a required hold: A required field has no value.");
	m("{\"a\": {\"from\": \"nothing\", \"required\": \"send_without\"}, \"b\": {\"const\": 1}}");
	CHECK(result.verdict == CALLSYNC_MAP_REVIEW);
	CHECK_STR(row(0), "a required omitted: A required field has no value.");
	CHECK_STR(m("{\"a\": {\"from\": \"nothing\", \"required\": \"default\", \"default\": \"x\"}}"), "{\"a\":\"x\"}");
	CHECK(result.verdict == CALLSYNC_MAP_SEND);
	CHECK_STR(m("{\"a\": {\"from\": \"nothing\", \"required\": \"default\"}}"), "/o/a: The rule asks for a \"default\" or a \"code\" that is not there.");
}

static void
lists(void)
{
	CHECK_STR(m("{\"a\": {\"from\": \"direction\", \"enum\": {\"INBOUND\": 1, \"outbound\": 2}}}"), "{\"a\":1}");	/* case does not matter */
	CHECK_STR(m("{\"a\": {\"from\": \"intent\", \"enum\": {\"x\": 1}}}"), "{}");
	CHECK_STR(row(0), "a enum omitted: \"service\" is not in the list of known values.");
	m("{\"a\": {\"from\": \"intent\", \"enum\": {\"x\": 1}}, \"b\": {\"const\": 1}}");
	CHECK(result.verdict == CALLSYNC_MAP_REVIEW);
	CHECK_STR(m("{\"a\": {\"from\": \"intent\", \"enum\": {\"x\": 1}, \"on_unknown\": \"omit\"}}"), "{}");
	CHECK(json_array_size(result.results) == 0);
	CHECK_STR(m("{\"a\": {\"from\": \"intent\", \"enum\": {\"x\": 1}, \"on_unknown\": \"default\", \"default\": 9}}"), "{\"a\":9}");
	m("{\"a\": {\"from\": \"intent\", \"enum\": {\"x\": 1}, \"on_unknown\": \"hold\"}}");
	CHECK(result.verdict == CALLSYNC_MAP_HOLD);
	CHECK_STR(m("{\"a\": {\"from\": \"intent\", \"enum\": {\"x\": 1, \"*\": 5}}, \"b\": {\"from\": \"intent\", \"enum\": {\"*\": null}}}"), "{\"a\":5}");
	CHECK_STR(m("{\"a\": {\"from\": \"owner\", \"enum\": \"owners\", \"pass\": \"^\\\\d+$\"}, \"b\": {\"from\": \"team\", \"enum\": \"owners\", \"pass\": \"^\\\\d+$\"}}"), "{\"a\":\"4711\",\"b\":\"99\"}");
	/* the destination's own list of options */
	options.fields_spec = load_json("{\"s\": {\"type\": \"enum\", \"options\": [\"low\", \"high\"]}, \"mm\": {\"type\": \"multi\", \"options\": [\"A\", \"B\", \"C\"]}}");
	CHECK_STR(m("{\"s\": \"urgency\", \"mm\": \"tags\"}"), "{\"mm\":[\"A\",\"B\"]}");
	CHECK_STR(row(0), "s enum omitted: \"asap\" is not one of the destination's options.");
	json_decref((json_t *) options.fields_spec);
	options.fields_spec = NULL;
}

static void
types(void)
{
	options.fields_spec = load_json("{\"n\": {\"type\": \"number\"}, \"i\": {\"type\": \"integer\"}, \"b\": {\"type\": \"bool\"}, \"d\": {\"type\": \"date\"}, \"t\": {\"type\": \"datetime\"},"
									" \"s\": {\"type\": \"string\", \"max\": 5}, \"e\": {\"type\": \"email\"}, \"u\": {\"type\": \"url\"}, \"ro\": {\"type\": \"string\", \"readonly\": true}, \"req\": {\"type\": \"string\", \"required\": true}}");
	CHECK_STR(m("{\"n\": \"amount_text\", \"i\": \"duration_s\", \"b\": \"yes_text\", \"d\": \"started_at\", \"t\": \"started_at\", \"s\": \"duration_s\", \"e\": \"mail\", \"u\": \"link\"}"),
			  "{\"b\":true,\"d\":\"2026-06-11\",\"e\":\"jon@example.com\",\"i\":125,\"n\":1234.5,\"s\":\"125\",\"t\":\"2026-06-11T15:42:00Z\",\"u\":\"https://x.test/1\"}");
	CHECK(result.failed == 0);
	CHECK_STR(m("{\"n\": \"intent\", \"i\": \"half\", \"b\": \"intent\", \"d\": \"intent\", \"t\": \"no_zone\", \"e\": \"intent\", \"u\": \"intent\"}"), "{}");
	CHECK(result.failed == 7);
	CHECK_STR(row(0), "b type omitted: The value of \"intent\" is neither true nor false.");
	CHECK_STR(row(5), "t type omitted: The value of \"no_zone\" is a time without a time zone.");
	/* the map's own format is only checked */
	CHECK_STR(m("{\"t\": {\"from\": \"started_at\", \"as\": \"epoch_ms\"}}"), "{\"t\":1781192520000}");
	/* lengths: B06, characters and not bytes */
	CHECK_STR(m("{\"s\": \"umlauts\"}"), "{\"s\":\"\xC3\xA4\xC3\xB6\xC3\xBC\xC3\xA4\xC3\xB6\"}");
	CHECK(result.verdict == CALLSYNC_MAP_REVIEW);
	CHECK_STR(row(0), "s max truncated: The text has 6 characters, 5 are possible.");
	CHECK_STR(m("{\"s\": \"five\"}"), "{\"s\":\"12345\"}");
	CHECK(result.failed == 0);
	m("{\"s\": {\"from\": \"umlauts\", \"on_too_long\": \"hold\"}}");
	CHECK(result.verdict == CALLSYNC_MAP_HOLD);
	CHECK_STR(m("{\"x\": {\"from\": \"intent\", \"max\": 4}}"), "{\"x\":\"serv\"}");
	/* patterns */
	CHECK_STR(m("{\"x\": {\"from\": \"link\", \"pattern\": \"^http://\"}}"), "{}");
	CHECK_STR(row(0), "x format omitted: The value of \"link\" has not the form that the map asks for.");
	/* what the destination does not take */
	CHECK_STR(m("{\"ro\": \"intent\", \"s\": \"five\"}"), "{\"s\":\"12345\"}");
	CHECK_STR(row(0), "ro readonly omitted: The destination does not let this field be written.");
	options.spec_complete = true;
	CHECK_STR(m("{\"ghost\": \"intent\", \"maybe\": {\"from\": \"intent\", \"if_exists\": true}, \"s\": \"five\"}"), "{\"s\":\"12345\"}");
	CHECK(result.failed == 1);
	CHECK_STR(row(0), "ghost unknown_field omitted: The destination has no such field.");
	options.spec_complete = false;
	CHECK_STR(m("{\"maybe\": {\"from\": \"intent\", \"if_exists\": true}, \"only\": {\"from\": \"intent\", \"if_declared\": true}}"), "{\"maybe\":\"service\"}");
	/* required by the destination, when creating */
	options.creating = true;
	m("{\"req\": \"nothing\"}");
	CHECK(result.verdict == CALLSYNC_MAP_HOLD);
	options.creating = false;
	m("{\"req\": \"nothing\"}");
	CHECK(result.verdict == CALLSYNC_MAP_EMPTY);
	/* drift: writes to the field are stopped */
	options.blocked = load_json("[\"s\"]");
	CHECK_STR(m("{\"s\": \"five\", \"n\": \"duration_s\"}"), "{\"n\":125}");
	CHECK_STR(row(0), "s drift omitted: Writes to this field are stopped since the destination refused it.");
	json_decref((json_t *) options.blocked);
	options.blocked = NULL;
	json_decref((json_t *) options.fields_spec);
	options.fields_spec = NULL;
}

static void
writes(void)
{
	const char *map = "{\"src\": {\"const\": \"AI\", \"write\": \"create\"}, \"last\": {\"from\": \"intent\", \"write\": \"update\"},"
		" \"phone\": {\"from\": \"caller.phone\", \"as\": \"e164\", \"write\": \"if_empty\", \"stored\": \"phone\"},"
		" \"mobile\": {\"from\": \"caller.phone\", \"as\": \"e164\", \"write\": \"update_if_empty\", \"stored\": \"mobile_phone\", \"unless_in\": [\"phone\"]}}";

	options.creating = true;
	CHECK_STR(m(map), "{\"phone\":\"+12025550143\",\"src\":\"AI\"}");
	options.creating = false;
	CHECK_STR(m(map), "{\"last\":\"service\"}");	/* what is stored is not known: nothing is overwritten */
	options.existing = load_json("{\"phone\": \"(202) 555-0199\"}");
	CHECK_STR(m(map), "{\"last\":\"service\",\"mobile\":\"+12025550143\"}");	/* C06: kept as an additional number */
	json_decref((json_t *) options.existing);
	options.existing = load_json("{\"phone\": \"202-555-0143\", \"fields\": {}}");
	CHECK_STR(m(map), "{\"last\":\"service\"}");	/* the same line in another spelling */
	json_decref((json_t *) options.existing);
	options.existing = load_json("{\"fields\": {\"mobile\": \"+1\"}}");
	CHECK_STR(m(map), "{\"last\":\"service\",\"phone\":\"+12025550143\"}");
	json_decref((json_t *) options.existing);
	options.existing = NULL;
}

static void
structured(void)
{
	const char *map = "{\"phones\": {\"tree\": [{\"value\": \"{caller.phone|e164}\", \"primary\": true}], \"write\": \"append\"}, \"mails\": {\"tree\": [{\"value\": \"{caller.email}\"}]}}";

	options.creating = true;
	CHECK_STR(m(map), "{\"phones\":[{\"primary\":true,\"value\":\"+12025550143\"}]}");	/* a missing value: no field */
	options.creating = false;
	CHECK_STR(m(map), "{}");	/* the stored list is not known: it would be replaced */
	options.existing = load_json("{\"fields\": {\"phones\": [{\"value\": \"202 555 0199\", \"primary\": true}]}}");
	CHECK_STR(m(map), "{\"phones\":[{\"primary\":true,\"value\":\"202 555 0199\"},{\"primary\":false,\"value\":\"+12025550143\"}]}");	/* a number used once is no new primary */
	json_decref((json_t *) options.existing);
	options.existing = load_json("{\"fields\": {\"phones\": [{\"value\": \"(202) 555-0143\"}]}}");
	CHECK_STR(m(map), "{}");	/* there already, in another spelling */
	json_decref((json_t *) options.existing);
	/* a row without the list, and columns in its place */
	options.existing = load_json("{\"phone\": \"202 555 0199\"}");
	CHECK_STR(m(map), "{}");
	CHECK_STR(row(0), "phones stored omitted: The stored list is not known, and writing would replace it.");
	{
		const char *in = "{\"phones\": {\"tree\": [{\"value\": \"{caller.phone|e164}\"}], \"write\": \"append\", \"stored_in\": [\"phone\", \"mobile_phone\"]}}";

		CHECK_STR(m(in), "{\"phones\":[{\"value\":\"202 555 0199\"},{\"value\":\"+12025550143\"}]}");
		/* columns do not say which is the primary one: the first */
		CHECK_STR(m("{\"phones\": {\"tree\": [{\"value\": \"{caller.phone|e164}\", \"primary\": true}], \"write\": \"append\", \"stored_in\": [\"phone\", \"mobile_phone\"]}}"),
				  "{\"phones\":[{\"primary\":true,\"value\":\"202 555 0199\"},{\"primary\":false,\"value\":\"+12025550143\"}]}");
		json_decref((json_t *) options.existing);
		options.existing = load_json("{\"fields\": {\"phones\": []}}");
		CHECK_STR(m(map), "{\"phones\":[{\"primary\":true,\"value\":\"+12025550143\"}]}");	/* the first of all */
		json_decref((json_t *) options.existing);
		options.existing = load_json("{\"phone\": \"202 555 0199\", \"mobile_phone\": \"202 555 0198\"}");
		CHECK_STR(m(in), "{}");	/* there may be a third */
		CHECK(result.failed == 1);
		json_decref((json_t *) options.existing);
		options.existing = load_json("{\"phone\": \"202 555 0143\", \"mobile_phone\": \"202 555 0198\"}");
		CHECK_STR(m(in), "{}");
		CHECK(result.failed == 0);	/* it is there: nothing to say */
	}
	json_decref((json_t *) options.existing);
	options.existing = NULL;

	/* "note" as text is a remark, as an object a field */
	CHECK_STR(m("{\"note\": \"this is a remark\", \"x\": {\"const\": 1}}"), "{\"x\":1}");
	CHECK_STR(m("{\"note\": {\"const\": \"n\"}}"), "{\"note\":\"n\"}");

	/* fields whose name is the account's, and options whose value is */
	options.fields_spec = load_json("{\"ab12\": {\"type\": \"enum\", \"label\": \"Urgency\", \"options\": [{\"value\": 7, \"label\": \"High\"}, 8]}, \"mm\": {\"type\": \"multi\", \"options\": [{\"value\": 1, \"label\": \"A\"}, {\"value\": 2, \"label\": \"B\"}]}}");
	CHECK_STR(m("{\"urgency\": {\"const\": \"high\", \"labelled\": \"urgency\"}, \"mm\": \"tags\"}"), "{\"ab12\":7,\"mm\":[1,2]}");
	CHECK_STR(m("{\"urgency\": {\"const\": 8, \"labelled\": \"urgency\"}}"), "{\"ab12\":8}");
	CHECK_STR(m("{\"x\": {\"const\": 1, \"labelled\": \"ghost\", \"if_exists\": true}, \"y\": {\"const\": 1, \"labelled\": \"ghost\"}}"), "{}");
	CHECK(result.failed == 1);
	CHECK_STR(row(0), "y unknown_field omitted: No field of the destination has this label.");
	/* a key that the record is found again by: nothing is made without it */
	options.creating = true;
	CHECK_STR(m("{\"key\": {\"const\": 1, \"labelled\": \"ghost\", \"required\": \"hold\", \"write\": \"create\"}, \"z\": {\"const\": 1}}"), "{\"z\":1}");
	CHECK(result.verdict == CALLSYNC_MAP_HOLD);
	CHECK_STR(row(0), "key unknown_field hold: No field of the destination has the label that the map asks for.");
	options.creating = false;
	CHECK_STR(m("{\"key\": {\"const\": 1, \"labelled\": \"ghost\", \"required\": \"hold\", \"write\": \"create\"}, \"z\": {\"const\": 1}}"), "{\"z\":1}");
	CHECK(result.verdict == CALLSYNC_MAP_SEND);
	json_decref((json_t *) options.fields_spec);
	options.fields_spec = NULL;
}

static void
errors(void)
{
	CallsyncConnector *c = load_connector(__FILE__, "hubspot", NULL, NULL);
	CallsyncDocError err;
	json_t	   *map;
	json_t	   *merged;

	CHECK_STR(m("{\"a\": {\"form\": \"x\"}}"), "/o/a: Key \"form\" is unknown.");
	CHECK_STR(m("{\"a\": {\"from\": \"x\", \"const\": 1}}"), "/o/a: Exactly one of \"from\", \"template\", \"tree\" and \"const\" is needed.");
	CHECK_STR(m("{\"a\": {\"from\": \"x y\"}}"), "/o/a: \"x y\" is not a path.");
	CHECK_STR(m("{\"a\": {\"from\": \"x\", \"as\": \"iso\"}}"), "/o/a: Filter \"iso\" does not exist.");
	CHECK_STR(m("{\"a\": {\"from\": \"x\", \"on_null\": \"guess\"}}"), "/o/a: \"on_null\" cannot be \"guess\".");
	CHECK_STR(m("{\"*a\": {\"from\": \"x\"}}"), "/o/*a: A wildcard entry needs \"from\", a path to an object, and \"to\", a field name with {key}.");
	CHECK_STR(m("{\"a\": {\"from\": \"x\", \"to\": \"y\"}}"), "/o/a: \"to\" belongs to a wildcard entry.");
	CHECK_STR(m("{\"a\": {\"from\": \"x\", \"enum\": [1]}}"), "/o/a: \"enum\" is an object {\"source value\": target value} or the name of a var.");

	/* publish_map: B05, and merge with the default */
	map = load_json("{\"contact\": {\"company\": \"fields.company\", \"zip\": null}, \"call\": {\"$replace\": true, \"hs_timestamp\": \"started_at\"}}");
	CHECK(callsync_map_check(c, map, &err));
	merged = callsync_map_merge(callsync_connector_mapping(c), map);
	CHECK(json_object_get(json_object_get(merged, "contact"), "company") != NULL);
	CHECK(json_object_get(json_object_get(merged, "contact"), "zip") == NULL);
	CHECK(json_object_get(json_object_get(merged, "contact"), "email") != NULL);
	CHECK(json_object_size(json_object_get(merged, "call")) == 1);
	json_decref(merged);
	json_decref(map);
	map = load_json("{\"Contct\": {\"a\": \"b\"}}");
	CHECK(!callsync_map_check(c, map, &err));
	CHECK_STR(err.what, "Object \"Contct\" is unknown to this connector.");
	json_decref(map);
	map = load_json("{\"contact\": {\"a\": {\"from\": \"b\", \"as\": \"nope\"}}}");
	CHECK(!callsync_map_check(c, map, &err));
	CHECK_STR(err.path, "/contact/a");
	json_decref(map);
	callsync_connector_free(c);
}

static void
visit(void *arg, const char *field, const char *source, const char *how)
{
	size_t		n = strlen(arg);

	snprintf((char *) arg + n, 2000 - n, "%s<-%s (%s)\n", field, source, how);
}

static void
described(void)
{
	json_t	   *doc = load_json("{\"o\": {\"a\": {\"from\": [\"x\", \"y ?? z\"], \"as\": [\"trim\", \"truncate:5\"], \"required\": true, \"write\": \"create\"}, \"b\": {\"const\": 1}, \"c\": {\"template\": \"{p} {q?}\", \"max\": 9}, \"*w\": {\"from\": \"fields\", \"to\": \"{key}\"}}}");
	CallsyncMap *map = callsync_map_parse(doc, "o", NULL);
	char		out[2000] = "";

	callsync_map_describe(map, visit, out);
	CHECK_STR(out, "a<-x (trim, truncate:5, required (held without), only when creating)\n"
			  "a<-y (trim, truncate:5, required (held without), only when creating)\n"
			  "a<-z (trim, truncate:5, required (held without), only when creating)\n"
			  "b<-constant 1 ()\n"
			  "c<-p (at most 9 characters)\nc<-q (at most 9 characters)\n"
			  "*w<-fields.* ()\n");
	callsync_map_free(map);
	json_decref(doc);
}

static void
redaction(void)
{
	json_t	   *doc = load_json("{\"call_id\": \"4111111111111111\", \"caller\": {\"name\": \"Jo\", \"phone\": \"+4915123456789\", \"email\": \"a@b.c\"}, \"summary\": \"card 4111 1111 1111 1111 ok\","
								" \"answers\": {\"ssn\": \"123456789\"}, \"list\": [{\"p\": 1}, {\"p\": 2}], \"dtmf\": \"5555555555554444\"}");
	json_t	   *rules = load_json("{\"caller.name\": \"mask\", \"caller.email\": \"remove\", \"answers.*\": \"last4\", \"list.*.p\": \"hash\", \"nowhere.x\": \"mask\"}");
	CallsyncDocError err;
	json_t	   *clean = callsync_map_redact(doc, rules, &err);

	CHECK_STR(json_string_value(callsync_json_get(clean, "caller.name")), "***");
	CHECK(callsync_json_get(clean, "caller.email") == NULL);
	CHECK_STR(json_string_value(callsync_json_get(clean, "answers.ssn")), "***6789");
	CHECK(json_string_length(callsync_json_get(clean, "/list/1/p")) == 64);
	CHECK_STR(json_string_value(callsync_json_get(clean, "summary")), "card **** **** **** 1111 ok");
	CHECK_STR(json_string_value(callsync_json_get(clean, "dtmf")), "************4444");
	CHECK_STR(json_string_value(callsync_json_get(clean, "call_id")), "4111111111111111");	/* an id is an id */
	CHECK_STR(json_string_value(callsync_json_get(clean, "caller.phone")), "+4915123456789");
	CHECK_STR(json_string_value(callsync_json_get(doc, "caller.name")), "Jo");	/* the original is untouched */
	json_decref(clean);
	json_decref(rules);
	rules = load_json("{\"caller.name\": \"blur\"}");
	CHECK(callsync_map_redact(doc, rules, &err) == NULL);
	CHECK_STR(err.what, "The rule for \"caller.name\" cannot be understood.");
	json_decref(rules);
	clean = callsync_map_redact(doc, NULL, &err);
	CHECK_STR(json_string_value(callsync_json_get(clean, "dtmf")), "************4444");	/* without any rule */
	json_decref(clean);
	json_decref(doc);
}

static void
test_option_known(void)
{
	json_t	   *field = load_json("{\"options\": [\"a\", {\"value\": 2, \"label\": \"two\"}]}");
	json_t	   *list = load_json("[\"a\", \"x\"]");
	json_t	   *a = json_string("a");
	json_t	   *two = json_integer(2);
	json_t	   *x = json_string("x");

	CHECK(callsync_map_option_known(field, a));
	CHECK(callsync_map_option_known(field, two));
	CHECK(!callsync_map_option_known(field, x));
	CHECK(!callsync_map_option_known(field, list));
	CHECK(callsync_map_option_known(NULL, x));
	json_decref(field);
	json_decref(list);
	json_decref(a);
	json_decref(two);
	json_decref(x);
}

int
main(void)
{
	test_option_known();
	context = load_json("{\"call\": {\"direction\": \"inbound\", \"intent\": \"service\", \"summary\": \"<b>hi</b>\", \"duration_s\": 125, \"started_at\": \"2026-06-11T15:42:00Z\","
						" \"caller\": {\"name\": \"Jordan Smith\", \"phone\": \"(202) 555-0143\"}, \"answers\": {\"Budget?\": 500}, \"fields\": {\"Car model\": \"CR-V\", \"none\": null, \"secret\": \"x\"},"
						" \"empty\": \"\", \"blank\": \"  \", \"na\": \"N/A\", \"unknown_text\": \"unknown\", \"list0\": [], \"zero\": 0, \"no\": false, \"urgency\": \"asap\", \"tags\": [\"A\", \"B\"],"
						" \"amount_text\": \"1,234.50\", \"yes_text\": \"Yes\", \"mail\": \"jon@example.com\", \"link\": \"https://x.test/1\", \"half\": 2.5, \"no_zone\": \"2026-06-11T15:42:00\","
						" \"umlauts\": \"\\u00e4\\u00f6\\u00fc\\u00e4\\u00f6\\u00fc\", \"five\": \"12345\", \"owner\": \"4711\", \"team\": \"Service\"}, \"key\": \"k\", \"meta\": {}}");
	vars = load_json("{\"owners\": {\"service\": \"99\"}}");
	input = (CallsyncRenderInput) {.context = context, .vars = vars, .env = &env};
	sources();
	nulls();
	lists();
	types();
	writes();
	structured();
	errors();
	described();
	redaction();
	callsync_map_result_clear(&result);
	json_decref(context);
	json_decref(vars);
	return unit_done("mapping");
}
