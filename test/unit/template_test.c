/*
 * template_test.c
 *		Paths, conditions and templates, with hostile values in every place.
 */
#include "core/template.h"

#include <stdlib.h>
#include <string.h>

#include "unit.h"

static json_t *context;
static json_t *vars;
static CallsyncRenderInput input;
static char text[8192];

static json_t *
j(const char *s)
{
	json_error_t e;
	json_t	   *v = json_loads(s, JSON_DECODE_ANY, &e);

	if (v == NULL)
		fprintf(stderr, "bad JSON in the test: %s: %s\n", s, e.text);
	return v;
}

/* Renders a template given as JSON text; result as canonical text, or "absent", "error: ..." */
static const char *
r(const char *tmpl)
{
	CallsyncDocError err = {"", "", ""};
	json_t	   *doc = j(tmpl);
	CallsyncTemplate *t = callsync_template_parse(doc, NULL, "", &err);
	bool		absent = false;
	json_t	   *value;
	char	   *dump;

	json_decref(doc);
	if (t == NULL)
	{
		snprintf(text, sizeof(text), "parse: %s", err.what);
		return text;
	}
	value = callsync_template_render(t, &input, &absent, &err);
	callsync_template_free(t);
	if (value == NULL)
	{
		snprintf(text, sizeof(text), "error: %s", err.what);
		return text;
	}
	if (absent)
	{
		json_decref(value);
		return "absent";
	}
	dump = callsync_json_dump(value, NULL);
	json_decref(value);
	snprintf(text, sizeof(text), "%s", dump);
	free(dump);
	return text;
}

static const char *
escaped(const char *escape, const char *tmpl)
{
	CallsyncDocError err = {"", "", ""};
	json_t	   *doc = json_string(tmpl);
	CallsyncTemplate *t = callsync_template_parse(doc, escape, "", &err);
	char	   *s;

	json_decref(doc);
	if (t == NULL)
	{
		snprintf(text, sizeof(text), "parse: %s", err.what);
		return text;
	}
	s = callsync_template_render_text(t, &input, &err);
	callsync_template_free(t);
	snprintf(text, sizeof(text), "%s%s", s ? s : "error: ", s ? "" : err.what);
	free(s);
	return text;
}

static const char *
url(const char *tmpl)
{
	return escaped("url", tmpl);
}

static bool
c(const char *cond)
{
	CallsyncDocError err = {"", "", ""};
	json_t	   *doc = j(cond);
	CallsyncCond *parsed = callsync_cond_parse(doc, "", &err);
	bool		holds;

	json_decref(doc);
	if (parsed == NULL)
	{
		fprintf(stderr, "condition %s: %s\n", cond, err.what);
		return false;
	}
	holds = callsync_cond_holds(parsed, &input);
	callsync_cond_free(parsed);
	return holds;
}

static const char *
cond_error(const char *cond)
{
	static CallsyncDocError err;
	json_t	   *doc = j(cond);
	CallsyncCond *parsed = callsync_cond_parse(doc, "/when", &err);

	json_decref(doc);
	callsync_cond_free(parsed);
	return parsed == NULL ? err.what : "(no error)";
}

static bool
collect(void *arg, json_t *value)
{
	strcat(arg, json_string_value(value));
	return true;
}

static void
count_path(void *arg, const char *path, bool optional)
{
	(void) path;
	*(int *) arg += optional ? 100 : 1;
}

int
main(void)
{
	char		list[100] = "";
	int			paths = 0;

	context = j("{\"call\": {\"caller\": {\"phone\": \"+15551234567\", \"name\": \"O'Neil \\\"Bob\\\" {x}\"},"
				"  \"fields\": {\"a.b\": 7}, \"answers\": {\"How many?\": 3, \"Color\": \"red\"}, \"nothing\": null,"
				"  \"crm\": \"/evil\", \"tags\": [\"A\", \"B\"], \"empty\": \"\", \"zero\": 0, \"duration_s\": 125,"
				"  \"from\": \"2026-06-11T15:42:00Z\", \"to\": \"2026-06-11T16:12:00Z\"},"
				" \"record\": {\"phone\": \"+1\", \"n\": 17, \"ok\": true, \"clear\": null, \"multi\": [\"x\", 2]},"
				" \"steps\": {\"contact\": {\"id\": \"42\"}}, \"key\": \"k-1\"}");
	vars = j("{\"crm\": \"/crm/v1\", \"base\": \"https://x\", \"firm\": \"Smith & <Sons>\"}");
	input = (CallsyncRenderInput) {.context = context, .vars = vars};

	/* paths */
	CHECK_STR(json_string_value(callsync_json_get(context, "call.caller.phone")), "+15551234567");
	CHECK_STR(json_string_value(callsync_json_get(context, "$.call.caller.phone")), "+15551234567");
	CHECK_STR(json_string_value(callsync_json_get(context, "/call/tags/1")), "B");
	CHECK_STR(json_string_value(callsync_json_get(context, "call.tags[0]")), "A");
	CHECK(json_integer_value(callsync_json_get(context, "call.fields[\"a.b\"]")) == 7);
	CHECK(json_integer_value(callsync_context_get(&input, "answers[\"How many?\"]")) == 3);
	CHECK(json_is_null(callsync_json_get(context, "/call/nothing")));
	CHECK(callsync_json_get(context, "/call/tags/9") == NULL);
	CHECK(callsync_json_get(context, "/call/caller/phone/x") == NULL);
	CHECK(callsync_json_get(context, "a..b") == NULL);
	CHECK_STR(json_string_value(callsync_context_get(&input, "crm")), "/crm/v1");	/* not the call's */
	callsync_json_each(context, "/call/tags/*", collect, list);
	CHECK_STR(list, "AB");
	{
		json_t	   *doc = j("{\"a/b\": {\"~\": 1}, \"e\": [{\"x\": 1}, {\"code\": \"C\"}]}");

		CHECK(json_integer_value(callsync_json_get(doc, "/a~1b/~0")) == 1);
		CHECK_STR(json_string_value(callsync_json_get(doc, "/e/*/code")), "C");
		CHECK(callsync_json_get(doc, "") == doc);
		json_decref(doc);
	}

	/* text and typed values */
	CHECK_STR(r("\"plain\""), "\"plain\"");
	CHECK_STR(r("\"{{literal}}\""), "\"{literal}\"");
	CHECK_STR(r("\"{duration_s}\""), "125");
	CHECK_STR(r("\"{duration_s}s\""), "\"125s\"");
	CHECK_STR(r("\"{caller.name}\""), "\"O'Neil \\\"Bob\\\" {x}\"");
	CHECK_STR(r("\"q='{caller.name|soql}'\""), "\"q='O\\\\'Neil \\\\\\\"Bob\\\\\\\" {x}'\"");
	CHECK_STR(r("\"{caller.email ?? caller.phone}\""), "\"+15551234567\"");
	CHECK_STR(r("\"{caller.email?}\""), "absent");
	CHECK_STR(r("\"{nothing?}\""), "absent");
	CHECK_STR(r("\"{caller.email}\""), "error: \"caller.email\" has no value.");
	CHECK_STR(r("\"mail {caller.email?}.\""), "\"mail .\"");
	CHECK_STR(r("\"{caller.email|default:none}\""), "\"none\"");
	CHECK_STR(r("\"{tags|lower|join:, }\""), "\"a, b\"");
	CHECK_STR(r("\"{answers|qa}\""), "\"Color: red\\nHow many? 3\"");
	CHECK_STR(r("\"{answers|json}\""), "\"{\\\"Color\\\":\\\"red\\\",\\\"How many?\\\":3}\"");
	CHECK_STR(r("\"{tags|count}\""), "2");
	CHECK_STR(r("\"{tags|first}\""), "\"A\"");
	CHECK_STR(r("\"{duration_s|mm:ss}\""), "\"02:05\"");
	CHECK_STR(r("\"{duration_s | ms}\""), "125000");
	/* a filter that looks at another value */
	CHECK_STR(r("\"{to|since:from|hh:mm}\""), "\"00:30\"");
	CHECK_STR(r("\"{to ?? from|plus:duration_s}\""), "\"2026-06-11T16:14:05Z\"");
	CHECK_STR(r("\"{to?|since:caller.email}\""), "absent");
	CHECK_STR(r("\"{to|since:caller.email}\""), "error: \"to\" has no value.");
	CHECK_STR(r("\"{to|since:duration_s}\""), "error: The value of \"to\" is compared with something that is no instant.");
	CHECK_STR(r("\"{to|since}\""), "parse: Filter \"since\" takes the path of another value.");
	CHECK_STR(r("\"{to|since:a b}\""), "parse: \"a b\" is not a path.");
	CHECK_STR(r("\"{caller.name|number}\""), "error: The value of \"caller.name\" is not a number.");
	CHECK_STR(r("\"x {tags} y\""), "error: \"tags\" is a list or an object where text is needed.");
	CHECK_STR(r("\"{caller|lower}\""), "error: The value of \"caller\" is an object where a single value is needed.");
	CHECK_STR(r("\"{a\""), "parse: A \"{\" is not closed in \"{a\".");
	CHECK_STR(r("\"{a|nofilter}\""), "parse: Filter \"nofilter\" does not exist.");
	CHECK_STR(r("\"{}\""), "parse: \"\" is not a path.");
	CHECK_STR(r("\"{a b}\""), "parse: \"a b\" is not a path.");
	CHECK_STR(r("\"{a|truncate}\""), "parse: Filter \"truncate\" takes a number greater than 0.");

	/* trees */
	CHECK_STR(r("{\"b\": 1, \"a\": [\"{caller.email?}\", \"{key}\"], \"c\": \"{caller.email?}\"}"), "{\"a\":[\"k-1\"],\"b\":1}");
	CHECK_STR(r("{\"$map\": \"record\", \"extra\": true}"),
			  "{\"clear\":null,\"extra\":true,\"multi\":[\"x\",2],\"n\":17,\"ok\":true,\"phone\":\"+1\"}");
	CHECK_STR(r("{\"$map\": \"record\", \"$as\": \"string\", \"$null\": \"\"}"),
			  "{\"clear\":\"\",\"multi\":\"x;2\",\"n\":\"17\",\"ok\":\"true\",\"phone\":\"+1\"}");
	CHECK_STR(r("{\"$map\": \"record\", \"$null\": \"omit\", \"$except\": [\"multi\"]}"), "{\"n\":17,\"ok\":true,\"phone\":\"+1\"}");
	CHECK_STR(r("{\"$map\": \"record\", \"$only\": [\"n\"]}"), "{\"n\":17}");
	CHECK_STR(r("{\"$map\": \"record\", \"$like\": \"*n*\", \"c\": {\"$map\": \"record\", \"$not_like\": \"?*\"}}"), "{\"c\":{},\"n\":17,\"phone\":\"+1\"}");
	CHECK_STR(r("{\"$map\": \"nowhere\"}"), "{}");
	CHECK_STR(r("{\"$map\": \"key\"}"), "error: \"key\" is not an object.");
	CHECK_STR(r("[{\"$if\": \"caller.email\", \"x\": 1}, {\"$if\": \"!caller.email\", \"y\": 1}]"), "[{\"y\":1}]");
	CHECK_STR(r("{\"p\": {\"$if\": {\"duration_s\": {\"gt\": 100}}, \"$then\": \"long\", \"$else\": \"short\"}}"), "{\"p\":\"long\"}");
	CHECK_STR(r("{\"p\": {\"$if\": \"zero\", \"$then\": 1}}"), "{}");
	CHECK_STR(r("{\"$each\": \"tags\", \"$as\": \"t\", \"$do\": {\"v\": \"{t|lower}\"}}"), "[{\"v\":\"a\"},{\"v\":\"b\"}]");
	CHECK_STR(r("{\"$each\": \"answers\", \"$as\": \"a\", \"$do\": {\"{a.key|slug}\": \"{a.value}\"}}"), "[{\"color\":\"red\"},{\"how_many\":3}]");
	CHECK_STR(r("{\"$each\": \"tags\", \"$as\": \"t\", \"$if\": {\"t\": \"B\"}, \"$do\": \"{t}\"}"), "[\"B\"]");
	CHECK_STR(r("{\"$each\": \"nowhere\", \"$as\": \"t\", \"$do\": \"{t}\"}"), "[]");
	CHECK_STR(r("{\"$literal\": {\"$map\": \"{x}\"}}"), "{\"$map\":\"{x}\"}");
	CHECK_STR(r("{\"a\": {\"$text\": {\"n\": \"{caller.name}\"}}}"), "{\"a\":\"{\\\"n\\\":\\\"O'Neil \\\\\\\"Bob\\\\\\\" {x}\\\"}\"}");
	CHECK_STR(r("{\"$mpa\": \"record\"}"), "parse: Operator \"$mpa\" does not exist.");
	CHECK_STR(r("{\"$only\": [\"n\"]}"), "parse: \"$only\" needs \"$map\".");
	CHECK_STR(r("{\"$each\": \"tags\", \"$do\": 1}"), "parse: \"$each\" needs a path, \"$as\" a name and \"$do\" a template.");
	CHECK_STR(r("{\"$literal\": 1, \"x\": 2}"), "parse: \"x\" cannot stand beside \"$literal\".");
	CHECK_STR(r("{\"r\": \"{n2}\"}"), "error: \"n2\" has no value.");
	CHECK_STR(r("0.1"), "0.1");
	CHECK_STR(r("{\"$literal\": [17.0, -0.5, 1e300, 12345678901234567, true, null, {}, [], \"\\u0001\\b\\f\\n\\r\\t\\\"\\\\/\\u00e9\"]}"),
			  "[17.0,-0.5,1e+300,12345678901234567,true,null,{},[],\"\\u0001\\b\\f\\n\\r\\t\\\"\\\\/\xC3\xA9\"]");

	/* URLs: data is escaped by itself, the document's own vars are not */
	CHECK_STR(url("{crm}/contacts/{caller.name}"), "/crm/v1/contacts/O%27Neil%20%22Bob%22%20%7Bx%7D");
	CHECK_STR(url("{crm}/q?x={caller.phone|odata}"), "/crm/v1/q?x=%2B15551234567");
	CHECK_STR(url("{key|url}/{key|raw}"), "k-1/k-1");
	CHECK_STR(url("/{steps.contact.id}/{steps.call.id}"), "error: \"steps.call.id\" has no value.");
	/* XML: both are; a var may be the name of a firm */
	CHECK_STR(escaped("xml", "<a n='{firm}'>{caller.name}</a>{firm|raw}"), "<a n='Smith &amp; &lt;Sons&gt;'>O&apos;Neil &quot;Bob&quot; {x}</a>Smith & <Sons>");
	input.mode = CALLSYNC_RENDER_PREVIEW;
	CHECK_STR(url("/{steps.contact.id}/{steps.call.id}/{id}"), "/42/{{call.id}}/{{id}}");
	CHECK_STR(r("{\"to\": \"{steps.call.id}\", \"x\": \"{steps.deal.id?}\"}"), "{\"to\":\"{{call.id}}\"}");
	json_object_set_new(json_object_get(context, "steps"), "deal", json_object());
	CHECK_STR(r("{\"x\": \"{steps.deal.id?}\"}"), "{\"x\":\"{{deal.id}}\"}");
	CHECK_STR(r("\"{caller.email}\""), "error: \"caller.email\" has no value.");
	input.mode = CALLSYNC_RENDER_SEND;

	/* conditions */
	CHECK(c("\"caller.phone\"") && !c("\"caller.email\"") && c("\"!caller.email\""));
	CHECK(!c("\"empty\"") && !c("\"zero\"") && !c("\"nothing\"") && c("\"tags\""));
	CHECK(c("{\"zero\": {\"exists\": true}}") && c("{\"nothing\": {\"exists\": false}}"));
	CHECK(c("{\"duration_s\": 125}") && c("{\"duration_s\": \"125\"}") && !c("{\"duration_s\": 126}"));
	CHECK(c("{\"key\": [\"a\", \"k-1\"]}") && !c("{\"key\": {\"not\": \"k-1\"}}") && c("{\"key\": {\"not\": [\"a\", \"b\"]}}"));
	CHECK(c("{\"nothing\": null}") && c("{\"nowhere\": null}") && !c("{\"key\": null}"));
	CHECK(c("{\"duration_s\": {\"gte\": 125, \"lt\": 126}}") && !c("{\"duration_s\": {\"gt\": 125}}") && !c("{\"key\": {\"lte\": 5}}"));
	CHECK(c("{\"caller.name\": {\"like\": \"o'neil*\"}}") && !c("{\"caller.name\": {\"like\": \"*x\"}}") && c("{\"key\": {\"like\": \"?-*1\"}}"));
	CHECK(c("{\"any\": [\"caller.email\", \"key\"]}") && !c("{\"all\": [\"caller.email\", \"key\"]}") && c("{\"not\": \"caller.email\"}"));
	CHECK(c("{}") && callsync_cond_holds(NULL, &input));
	CHECK_STR(cond_error("{\"a\": {\"greater\": 5}}"), "Test \"greater\" of \"a\" is unknown or has the wrong type.");
	CHECK_STR(cond_error("5"), "The condition is neither text nor an object.");
	CHECK_STR(cond_error("\"\""), "The condition is empty.");

	{
		json_t	   *doc = j("{\"a\": \"{x}\", \"b\": \"{y?}\", \"$map\": \"record\"}");
		CallsyncTemplate *t = callsync_template_parse(doc, NULL, "", NULL);

		callsync_template_paths(t, count_path, &paths);
		CHECK(paths == 201);
		callsync_template_free(t);
		json_decref(doc);
	}
	json_decref(context);
	json_decref(vars);
	return unit_done("template");
}
