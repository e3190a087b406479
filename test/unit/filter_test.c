/*
 * filter_test.c
 *		Each filter on good, odd and hostile values.
 */
#include "core/filter.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

static char result[4096];

static int
offset_new_york(void *arg, int64_t ms)
{
	(void) arg;
	(void) ms;
	return -240;
}

static CallsyncEnv env = {.now_ms = 0, .region = "US", .utc_offset_min = offset_new_york};

static const char *
apply_value(const char *call, CallsyncValue in, const CallsyncEnv *e)
{
	const char *colon = NULL;
	CallsyncFilterCall fc = {callsync_filter_find(call, strlen(call)), NULL};
	CallsyncValue out;
	char		buf[4096];
	size_t		need;
	const char *error;
	const char *wanted;

	if (fc.filter == NULL && (colon = strchr(call, ':')) != NULL)
	{
		fc.filter = callsync_filter_find(call, (size_t) (colon - call));
		fc.arg = colon + 1;
	}
	if (fc.filter == NULL)
		return "(no such filter)";
	if (!callsync_filter_check_arg(fc.filter, fc.arg, &wanted))
		return "(bad argument)";
	if (!callsync_filter_apply(&fc, e, &in, &out, buf, sizeof(buf), &need, &error))
	{
		snprintf(result, sizeof(result), "error: %s", error ? error : "(room)");
		return result;
	}
	switch (out.kind)
	{
		case CALLSYNC_VALUE_NULL:
			return "(null)";
		case CALLSYNC_VALUE_BOOL:
			return out.b ? "bool:true" : "bool:false";
		case CALLSYNC_VALUE_INT:
			snprintf(result, sizeof(result), "int:%lld", (long long) out.i);
			return result;
		case CALLSYNC_VALUE_REAL:
			snprintf(result, sizeof(result), "real:%.15g", out.r);
			return result;
		case CALLSYNC_VALUE_TEXT:
			snprintf(result, sizeof(result), "%.*s", (int) out.len, out.s);
			return result;
	}
	return "?";
}

static const char *
t(const char *call, const char *text)
{
	CallsyncValue in = {.kind = CALLSYNC_VALUE_TEXT, .s = text, .len = strlen(text)};

	return apply_value(call, in, &env);
}

static const char *
i(const char *call, int64_t v)
{
	CallsyncValue in = {.kind = CALLSYNC_VALUE_INT, .i = v};

	return apply_value(call, in, &env);
}

static const char *
r(const char *call, double v)
{
	CallsyncValue in = {.kind = CALLSYNC_VALUE_REAL, .r = v};

	return apply_value(call, in, &env);
}

static void
times(void)
{
	int64_t		ms;
	char		text[40];

	CHECK_STR(t("iso8601z", "2026-06-11T15:42:00Z"), "2026-06-11T15:42:00Z");
	CHECK_STR(t("iso8601z", "2026-06-11T15:42:00+02:00"), "2026-06-11T13:42:00Z");
	CHECK_STR(t("iso8601z", "2026-06-11 15:42:00.25+00"), "2026-06-11T15:42:00.250Z");
	CHECK_STR(t("iso8601z", "2026-06-11T15:42-0930"), "2026-06-12T01:12:00Z");
	CHECK_STR(t("iso8601z", "1749656520"), "2025-06-11T15:42:00Z");
	CHECK_STR(i("iso8601z", 1749656520123), "2025-06-11T15:42:00.123Z");
	CHECK_STR(t("iso8601z", "2026-06-11T15:42:00"), "error: is a time without a time zone");
	CHECK_STR(t("iso8601z", "11.06.2026"), "error: is not an ISO 8601 date and time");
	CHECK_STR(t("iso8601z", "2026-02-29T00:00:00Z"), "error: is not an ISO 8601 date and time");
	CHECK_STR(t("iso8601z", "2028-02-29T24:00:00Z"), "2028-03-01T00:00:00Z");
	CHECK_STR(t("iso8601z", "next Tuesday"), "error: is not an ISO 8601 date and time");
	CHECK_STR(t("iso8601z", "2026-06-11"), "2026-06-11T04:00:00Z");	/* midnight of the account */
	CHECK_STR(t("iso8601ms", "2026-06-11T15:42:00Z"), "2026-06-11T15:42:00.000Z");
	CHECK_STR(t("iso8601", "2026-06-11T15:42:00Z"), "2026-06-11T11:42:00-04:00");
	CHECK_STR(t("iso8601:utc", "2026-06-11T15:42:00Z"), "2026-06-11T15:42:00+00:00");
	CHECK_STR(t("date", "2026-06-12T02:00:00Z"), "2026-06-11");	/* still Thursday in New York */
	CHECK_STR(t("date:utc", "2026-06-12T02:00:00Z"), "2026-06-12");
	CHECK_STR(t("date", "2026-06-15"), "2026-06-15");
	CHECK_STR(t("time", "2026-06-12T02:05:00Z"), "22:05");
	CHECK_STR(t("time:utc", "2026-06-12T02:05:00Z"), "02:05");
	CHECK_STR(t("datetime:utc", "2026-06-11T15:42:00Z"), "2026-06-11 15:42:00");
	CHECK_STR(t("epoch_ms", "1970-01-01T00:00:01Z"), "int:1000");
	CHECK_STR(t("epoch_s", "1969-12-31T23:59:59.5Z"), "int:-1");
	CHECK_STR(t("date:berlin", "2026-06-15"), "(bad argument)");
	/* two values: the second one takes the argument's place */
	CHECK_STR(t("since:2026-06-11T15:42:00Z", "2026-06-11T18:12:30+02:00"), "int:1830");
	CHECK_STR(t("since:2026-06-11T15:42:00Z", "2026-06-11T15:41:59Z"), "error: lies before its beginning");
	CHECK_STR(t("since:tomorrow", "2026-06-11T15:41:59Z"), "error: is compared with something that is no instant");
	CHECK_STR(t("since", "2026-06-11T15:41:59Z"), "(bad argument)");
	CHECK_STR(t("plus:125", "2026-06-11T15:42:00Z"), "2026-06-11T15:44:05Z");
	CHECK_STR(t("plus:01:02:03", "2026-06-11T15:42:00Z"), "2026-06-11T16:44:03Z");
	CHECK_STR(t("plus:soon", "2026-06-11T15:42:00Z"), "error: is moved by something that is no duration");
	/* durations */
	CHECK_STR(i("ms", 125), "int:125000");
	CHECK_STR(r("ms", 1.5), "int:1500");
	CHECK_STR(t("ms", "125"), "int:125000");
	CHECK_STR(t("s", "02:05"), "int:125");
	CHECK_STR(t("s", "1:02:05"), "int:3725");
	CHECK_STR(t("s", "1:2:5"), "error: is not a duration");
	CHECK_STR(i("s", -1), "error: is not a duration in seconds");
	CHECK_STR(i("minutes", 61), "int:2");
	CHECK_STR(i("minutes", 0), "int:0");
	CHECK_STR(i("hh:mm", 61), "00:02");
	CHECK_STR(i("mm:ss", 3725), "62:05");
	CHECK_STR(i("hh:mm:ss", 3725), "01:02:05");
	/* every day of 400 years there and back */
	for (int64_t day = -100000; day < 100000; day += 7)
	{
		size_t		n = callsync_time_format(day * 86400000 + 1234567, text, sizeof(text));

		if (day >= -80000 && (!callsync_time_parse(text, n, NULL, false, false, &ms) || ms != day * 86400000 + 1234567))
			CHECK(!"there and back");
	}
}

static void
texts(void)
{
	CHECK_STR(t("trim", "  a b \n"), "a b");
	CHECK_STR(t("trim", " \t "), "(null)");
	CHECK_STR(t("lower", "Jon@Example.COM \xC3\x89"), "jon@example.com \xC3\x89");
	CHECK_STR(t("upper", "us"), "US");
	CHECK_STR(t("slug", "What is your Budget?"), "what_is_your_budget");
	CHECK_STR(t("slug", "???"), "error: has no letter or digit for a name");
	CHECK_STR(t("truncate:3", "\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9"), "\xC3\xA9\xC3\xA9\xC3\xA9");
	CHECK_STR(t("truncate:x", "a"), "(bad argument)");
	CHECK_STR(t("truncate", "a"), "(bad argument)");
	CHECK_STR(t("digits", "(555) 123-4567"), "5551234567");
	CHECK_STR(t("digits", "none"), "(null)");
	CHECK_STR(t("html", "<b>\"A\" & 'B'</b>\nx"), "&lt;b&gt;\"A\" &amp; 'B'&lt;/b&gt;<br>x");
	CHECK_STR(t("amp", "<a \"b\" & 'c'>\n"), "&lt;a \"b\" &amp; 'c'&gt;\n");
	CHECK_STR(t("strip_html", "<p>a &amp; b<br/>c</p>"), "a & b\nc\n");
	CHECK_STR(t("xml", "<a x='1'>\x01&"), "&lt;a x=&apos;1&apos;&gt;&amp;");
	CHECK_STR(t("jsonstr", "a\"b\\c\n\x01"), "a\\\"b\\\\c\\n\\u0001");
	CHECK_STR(t("url", "+1 (555)/\xC3\xA9"), "%2B1%20%28555%29%2F%C3%A9");
	CHECK_STR(t("soql", "O'Neil \\ \"x\""), "O\\'Neil \\\\ \\\"x\\\"");
	CHECK_STR(t("sosl", "a-b+(c)"), "a\\-b\\+\\(c\\)");
	CHECK_STR(t("odata", "O'Neil"), "O''Neil");
	CHECK_STR(t("criteria", "a(b),c:d"), "a\\(b\\)\\,c\\:d");
	CHECK_STR(t("like", "50%_x"), "50\\%\\_x");
	CHECK_STR(t("ical", "a;b,c\nd\\"), "a\\;b\\,c\\nd\\\\");
	CHECK_STR(t("first_name", "Jordan Smith"), "Jordan");
	CHECK_STR(t("last_name", "Jordan Smith"), "Smith");
	CHECK_STR(t("first_name", "  Dr. Ludwig van Beethoven "), "Ludwig");
	CHECK_STR(t("last_name", "Dr. Ludwig van Beethoven"), "van Beethoven");
	CHECK_STR(t("first_name", "Maria Jose de la Cruz"), "Maria Jose");
	CHECK_STR(t("last_name", "Maria Jose de la Cruz"), "de la Cruz");
	CHECK_STR(t("last_name", "John Smith Jr."), "Smith Jr.");
	CHECK_STR(t("last_name", "Smith, John"), "Smith");
	CHECK_STR(t("first_name", "Smith, John"), "John");
	CHECK_STR(t("last_name", "John Smith, Jr."), "Smith, Jr.");
	CHECK_STR(t("first_name", "Cher"), "Cher");
	CHECK_STR(t("last_name", "Cher"), "(null)");
	CHECK_STR(t("last_name", "   "), "(null)");
	CHECK_STR(t("default:n/a", "x"), "x");
	{
		CallsyncValue null = {.kind = CALLSYNC_VALUE_NULL};

		CHECK_STR(apply_value("default:New caller", null, &env), "New caller");
		CHECK_STR(apply_value("upper", null, &env), "(null)");
	}
}

static void
numbers_and_phones(void)
{
	CHECK_STR(t("number", "17"), "int:17");
	CHECK_STR(t("number", " 17.0 "), "int:17");
	CHECK_STR(t("number", "1,234.5"), "real:1234.5");
	CHECK_STR(t("number", "1,234,567"), "int:1234567");
	CHECK_STR(t("number", "1,23"), "error: is not a number");
	CHECK_STR(t("number", "12 May"), "error: is not a number");
	CHECK_STR(t("number", "1e400"), "error: is not a number");
	CHECK_STR(t("number", ""), "error: is not a number");
	CHECK_STR(t("number", "nan"), "error: is not a number");
	CHECK_STR(t("money", "$1,200.50"), "real:1200.5");
	CHECK_STR(t("money", "1200 EUR"), "int:1200");
	CHECK_STR(t("int", "2.5"), "int:3");
	CHECK_STR(r("number", 3.0), "int:3");
	CHECK_STR(r("div:60", 90), "real:1.5");
	CHECK_STR(i("mul:1000", 5), "int:5000");
	CHECK_STR(i("div:0", 5), "(bad argument)");
	CHECK_STR(t("bool", "Yes"), "bool:true");
	CHECK_STR(i("bool", 0), "bool:false");
	CHECK_STR(t("bool", "maybe"), "error: is neither true nor false");
	CHECK_STR(i("text", -5), "-5");
	CHECK_STR(r("text", 0.1), "0.1");
	CHECK_STR(t("e164", "(555) 123-4567"), "+15551234567");
	CHECK_STR(t("national_digits", "+1 555 123 4567"), "5551234567");
	CHECK_STR(t("national", "+1 202 555 0143"), "(202) 555-0143");
	CHECK_STR(t("international", "2025550143"), "+1 202-555-0143");
	CHECK_STR(t("phone_digits", "sip:+442079460958@pbx.example"), "442079460958");
	CHECK_STR(t("last7", "+44 20 7946 0958"), "9460958");
	CHECK_STR(t("e164:GB", "020 7946 0958"), "+442079460958");
	CHECK_STR(t("e164", "Anonymous"), "error: is a withheld number");
	CHECK_STR(t("e164", "soon"), "error: is not a phone number");
	{
		CallsyncValue in = {.kind = CALLSYNC_VALUE_TEXT, .s = "020 7946 0958", .len = 13};

		CHECK_STR(apply_value("e164", in, NULL), "error: is not a phone number");
	}
	CHECK_STR(t("sha256hex", "abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK(strlen(t("uuid5", "c-1")) == 36);
	CHECK_STR(t("base64", "foobar"), "Zm9vYmFy");
	CHECK_STR(t("base64", "fooba"), "Zm9vYmE=");
	CHECK_STR(t("nonsense", "x"), "(no such filter)");
}

int
main(void)
{
	char		small[4];
	size_t		need;
	const char *error;
	CallsyncValue in = {.kind = CALLSYNC_VALUE_TEXT, .s = "hello", .len = 5};
	CallsyncValue out;
	CallsyncFilterCall upper = {callsync_filter_find("upper", 5), NULL};
	CallsyncFilterCall lower = {callsync_filter_find("lower", 5), NULL};
	char		first[40];

	times();
	texts();
	numbers_and_phones();

	/* room is asked for, not overrun */
	CHECK(!callsync_filter_apply(&upper, NULL, &in, &out, small, sizeof(small), &need, &error));
	CHECK(need == 5 && error == NULL);
	/* deterministic ids differ by their argument */
	snprintf(first, sizeof(first), "%s", t("uuid5:call", "c-1"));
	CHECK_STR(t("uuid5:call", "c-1"), first);
	CHECK(strcmp(t("uuid5:task", "c-1"), first) != 0);
	CHECK(callsync_filter_is_url_safe(callsync_filter_find("url", 3)));
	CHECK(!callsync_filter_is_url_safe(lower.filter));
	CHECK(callsync_filter_name(0) != NULL && callsync_filter_name(1000) == NULL);
	return unit_done("filter");
}
