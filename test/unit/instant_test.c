/*
 * instant_test.c
 *		Points in time in every spelling that senders use.
 */
#include "core/instant.h"

#include "unit.h"

static const struct
{
	const char *text;
	const char *want;			/* NULL: refused */
}			cases[] = {
	{"2026-06-11T15:42:00Z", "2026-06-11T15:42:00Z"},
	{"2026-06-11t15:42:00z", "2026-06-11T15:42:00Z"},
	{"2026-06-11T15:42Z", "2026-06-11T15:42:00Z"},
	{"2026-06-11 15:42:00+00", "2026-06-11T15:42:00Z"},
	{"2026-06-11 15:42:00.5 +0200", "2026-06-11T13:42:00.500Z"},
	{"2026-11-20T10:00:05-08:00", "2026-11-20T18:00:05Z"},
	{"2026-06-11T15:42:00.123456789Z", "2026-06-11T15:42:00.123456Z"},
	{"2026-06-11T15:42:00,25Z", "2026-06-11T15:42:00.250Z"},
	{"2026-06-11T15:42:00", "2026-06-11T15:42:00Z"},
	{"2026-06-11", "2026-06-11T00:00:00Z"},
	{"2024-02-29T24:00:00Z", "2024-03-01T00:00:00Z"},
	{"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
	{"  2026-06-11T15:42:00Z\n", "2026-06-11T15:42:00Z"},
	{"Fri, 20 Nov 2026 18:03:02 +0000", "2026-11-20T18:03:02Z"},
	{"Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37Z"},
	{"6 Nov 1994 08:49:37 +0100", "1994-11-06T07:49:37Z"},
	{"1795197605", "2026-11-20T18:00:05Z"},
	{"1795197605.12", "2026-11-20T18:00:05.120Z"},
	{"1795197605120", "2026-11-20T18:00:05.120Z"},
	{"1795197605120001", "2026-11-20T18:00:05.120001Z"},
	{"1795197605120001999", "2026-11-20T18:00:05.120001Z"},
	{"0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"},
	{"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
	{"1969-12-31T23:59:59.9Z", "1969-12-31T23:59:59.900Z"},
	{"", NULL},
	{"2026", NULL},
	{"20260611", NULL},
	{"2026-02-29", NULL},
	{"2026-13-01", NULL},
	{"2026-00-10", NULL},
	{"2026-06-31", NULL},
	{"0000-01-01", NULL},
	{"0001-01-01T00:00:00+01:00", NULL},
	{"9999-12-31T23:59:59-01:00", NULL},
	{"2026-06-11T25:00:00Z", NULL},
	{"2026-06-11T24:00:01Z", NULL},
	{"2026-06-11T15:60:00Z", NULL},
	{"2026-06-11T15:42:00.Z", NULL},
	{"2026-06-11T15:42:00+", NULL},
	{"2026-06-11T15:42:00+2", NULL},
	{"2026-06-11T15:42:00+16:00", NULL},
	{"2026-06-11T15:42:00Zx", NULL},
	{"2026-06-11Tx", NULL},
	{"06/11/2026", NULL},
	{"Fri, 20 Nov 2026", NULL},
	{"Fri, 20 Nox 2026 18:03:02 +0000", NULL},
	{"tomorrow at three", NULL},
	{"-1795197605", NULL},
	{"1795197605x", NULL},
	{"99999999999999999999", NULL},
};

int
main(void)
{
	char		out[CALLSYNC_INSTANT_LEN];
	int64_t		us;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		bool		ok = callsync_instant_parse(cases[i].text, strlen(cases[i].text), &us);

		if (!CHECK(ok == (cases[i].want != NULL)))
			fprintf(stderr, "    \"%s\"\n", cases[i].text);
		if (ok && cases[i].want != NULL)
		{
			callsync_instant_format(us, out);
			CHECK_STR(out, cases[i].want);
		}
	}
	/* cut at every length: never beyond the end, never a crash */
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		for (size_t len = 0; len < strlen(cases[i].text); len++)
			callsync_instant_parse(cases[i].text, len, &us);
	}
	/* every day of 400 years, there and back */
	for (int64_t day = -146097; day <= 146097; day += 13)
	{
		int64_t		back = 0;

		callsync_instant_format(day * INT64_C(86400000000) + 1, out);
		if (!callsync_instant_parse(out, strlen(out), &back) || back != day * INT64_C(86400000000) + 1)
		{
			CHECK(false);
			break;
		}
	}
	CHECK(callsync_instant_from_number(1795197605.12, &us) && us == INT64_C(1795197605120000));
	CHECK(callsync_instant_from_number(1795197605120.0, &us) && us == INT64_C(1795197605120000));
	CHECK(!callsync_instant_from_number(1e300, &us));
	CHECK(!callsync_instant_from_number(-1e300, &us));
	CHECK(!callsync_instant_from_int(INT64_MIN, &us) || us < 0);
	return unit_done("instant");
}
