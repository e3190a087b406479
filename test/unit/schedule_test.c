/*
 * schedule_test.c
 *		Batches, rules and maintenance windows, with a zone whose clocks change.
 */
#include "core/schedule.h"

#include <string.h>

#include "core/instant.h"
#include "unit.h"

/* UTC, and one that is an hour ahead, two from 2026-03-29T01:00Z to 2026-10-25T01:00Z */
static bool
known(void *arg, const char *zone)
{
	(void) arg;
	return strcmp(zone, "UTC") == 0 || strcmp(zone, "Berlin") == 0;
}

static int64_t
at(const char *text)
{
	int64_t		us;

	return callsync_instant_parse(text, strlen(text), &us) ? us / 1000000 : -1;
}

static int64_t
offset(void *arg, const char *zone, int64_t unix_s)
{
	(void) arg;
	if (strcmp(zone, "UTC") == 0)
		return 0;
	return unix_s >= at("2026-03-29T01:00:00Z") && unix_s < at("2026-10-25T01:00:00Z") ? 7200 : 3600;
}

static const CallsyncZones zones = {known, offset, NULL};
static char out[CALLSYNC_INSTANT_LEN];

static const char *
text(int64_t unix_s)
{
	if (unix_s == 0)
		return "open";
	if (unix_s == CALLSYNC_SCHEDULE_NEVER)
		return "never";
	callsync_instant_format(unix_s * 1000000, out);
	return out;
}

static bool
parse(const char *json, CallsyncSchedule *s, CallsyncDocError *error)
{
	json_t	   *options = json_loads(json, 0, NULL);
	bool		ok = callsync_schedule_parse(options, &zones, s, error);

	json_decref(options);
	return ok;
}

/* the next batch of a schedule after an instant */
static const char *
next(const char *json, const char *now)
{
	CallsyncSchedule s;
	CallsyncDocError error = {0};
	const char *result;

	if (!parse(json, &s, &error))
		return "refused";
	result = text(callsync_schedule_next(&s, &zones, at(now)));
	callsync_schedule_clear(&s);
	return result;
}

static const char *
closed(const char *json, const char *now)
{
	CallsyncSchedule s;
	CallsyncDocError error = {0};
	const char *result;

	if (!parse(json, &s, &error))
		return "refused";
	result = text(callsync_schedule_closed_until(&s, &zones, at(now)));
	callsync_schedule_clear(&s);
	return result;
}

static const char *
next_window(const char *json, const char *now)
{
	CallsyncSchedule s;
	CallsyncDocError error = {0};
	const char *result;

	if (!parse(json, &s, &error))
		return "refused";
	result = text(callsync_schedule_next_window(&s, &zones, at(now)));
	callsync_schedule_clear(&s);
	return result;
}

static const char *
mistake(const char *json)
{
	static CallsyncDocError error;
	CallsyncSchedule s;

	memset(&error, 0, sizeof(error));
	if (parse(json, &s, &error))
	{
		callsync_schedule_clear(&s);
		return "none";
	}
	return error.path;
}

static bool
waits(const char *json, const char *call)
{
	CallsyncSchedule s;
	CallsyncDocError error = {0};
	CallsyncRenderInput input = {0};
	json_t	   *context = json_pack("{s:o}", "call", json_loads(call, 0, NULL));
	bool		result;

	CHECK(parse(json, &s, &error));
	input.context = context;
	result = callsync_schedule_waits(&s, &input);
	callsync_schedule_clear(&s);
	json_decref(context);
	return result;
}

int
main(void)
{
	/* every so often, counted from midnight; an instant that is one itself waits for the next */
	CHECK_STR(next("{}", "2026-11-20T10:17:00Z"), "2026-11-20T11:00:00Z");
	CHECK_STR(next("{\"schedule\": \"hourly\"}", "2026-11-20T11:00:00Z"), "2026-11-20T12:00:00Z");
	CHECK_STR(next("{\"schedule\": {\"every\": \"15 minutes\"}}", "2026-11-20T23:50:00Z"), "2026-11-21T00:00:00Z");
	CHECK_STR(next("{\"schedule\": {\"every\": \"7 h\"}}", "2026-11-20T21:00:01Z"), "2026-11-21T00:00:00Z");
	CHECK_STR(next("{\"schedule\": {\"every\": \"1 hour\", \"days\": [\"mon\"]}}", "2026-11-20T21:00:01Z"), "2026-11-23T00:00:00Z");
	CHECK_STR(next("{\"schedule\": {\"every\": \"1 hour\", \"days\": [\"mon\"]}}", "2026-11-23T23:30:00Z"), "2026-11-30T00:00:00Z");

	/* at times of the day */
	CHECK_STR(next("{\"schedule\": \"nightly\"}", "2026-11-20T10:17:00Z"), "2026-11-21T02:00:00Z");
	CHECK_STR(next("{\"schedule\": {\"at\": [\"14:30\", \"02:00\"]}}", "2026-11-20T10:17:00Z"), "2026-11-20T14:30:00Z");
	CHECK_STR(next("{\"schedule\": {\"at\": \"14:30\", \"days\": [\"thu\", \"wed\"]}}", "2026-11-20T10:17:00Z"), "2026-11-25T14:30:00Z");
	CHECK_STR(next("{\"schedule\": {\"at\": \"10:17\", \"days\": [\"fri\"]}}", "2026-11-20T10:17:00Z"), "2026-11-27T10:17:00Z");

	/* through a change of the clocks: 02:00 in winter is 01:00Z, in summer 00:00Z; 02:30 is skipped once */
	CHECK_STR(next("{\"schedule\": {\"at\": \"02:00\", \"time_zone\": \"Berlin\"}}", "2026-03-27T12:00:00Z"), "2026-03-28T01:00:00Z");
	CHECK_STR(next("{\"schedule\": {\"at\": \"02:30\", \"time_zone\": \"Berlin\"}}", "2026-03-28T12:00:00Z"), "2026-03-29T01:30:00Z");
	CHECK_STR(next("{\"schedule\": {\"at\": \"02:30\", \"time_zone\": \"Berlin\"}}", "2026-03-29T02:00:00Z"), "2026-03-30T00:30:00Z");
	/* 02:30 comes twice: the first counts, once */
	CHECK_STR(next("{\"schedule\": {\"at\": \"02:30\", \"time_zone\": \"Berlin\"}}", "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z");
	CHECK_STR(next("{\"schedule\": {\"at\": \"02:30\", \"time_zone\": \"Berlin\"}}", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
	CHECK_STR(next("{\"schedule\": {\"every\": \"6 hours\", \"time_zone\": \"Berlin\"}}", "2026-10-25T12:00:00Z"), "2026-10-25T16:00:00Z");

	/* until somebody says so */
	CHECK_STR(next("{\"schedule\": \"campaign_end\"}", "2026-11-20T10:17:00Z"), "2026-11-21T10:17:00Z");
	CHECK_STR(next("{\"schedule\": {\"max_wait\": \"7 days\"}}", "2026-11-20T10:17:00Z"), "2026-11-27T10:17:00Z");

	/* modes and rules: the first that holds */
	CHECK(!waits("{}", "{}"));
	CHECK(!waits("{\"mode\": \"realtime\", \"schedule\": \"nightly\"}", "{}"));
	CHECK(waits("{\"mode\": \"batch\"}", "{\"duration_s\": 300}"));
	{
		const char *rules = "{\"mode\": \"hybrid\", \"rules\": ["
			"{\"when\": {\"disposition\": [\"payment\", \"paid\"]}, \"mode\": \"realtime\"},"
			"{\"when\": {\"duration_s\": {\"lt\": 30}}, \"mode\": \"batch\"}]}";

		CHECK(waits(rules, "{\"duration_s\": 12}"));
		CHECK(!waits(rules, "{\"duration_s\": 120}"));
		CHECK(!waits(rules, "{\"duration_s\": 12, \"disposition\": \"paid\"}"));
		CHECK(!waits(rules, "{}"));
	}

	/* maintenance: the end itself is open again */
	CHECK_STR(closed("{}", "2026-11-20T10:17:00Z"), "open");
	CHECK_STR(closed("{\"maintenance\": [{\"from\": \"2026-11-20T10:00:00Z\", \"until\": \"2026-11-20T12:00:00+01:00\"}]}",
					 "2026-11-20T10:17:00Z"), "2026-11-20T11:00:00Z");
	CHECK_STR(closed("{\"maintenance\": [{\"from\": \"2026-11-20T10:00:00Z\", \"until\": \"2026-11-20T12:00:00+01:00\"}]}",
					 "2026-11-20T11:00:00Z"), "open");
	/* over midnight, on the day of its start */
	CHECK_STR(closed("{\"maintenance\": [{\"at\": \"23:00\", \"for\": \"3 hours\", \"days\": [\"fri\"]}]}", "2026-11-21T01:59:59Z"),
			  "2026-11-21T02:00:00Z");
	CHECK_STR(closed("{\"maintenance\": [{\"at\": \"23:00\", \"for\": \"3 hours\", \"days\": [\"fri\"]}]}", "2026-11-20T01:00:00Z"), "open");
	CHECK_STR(closed("{\"maintenance\": [{\"at\": \"00:00\", \"for\": \"2 days\", \"days\": [\"sat\"], \"time_zone\": \"Berlin\"}]}",
					 "2026-11-22T12:00:00Z"), "2026-11-22T23:00:00Z");
	/* windows that touch are one; one that never ends does not hang us */
	CHECK_STR(closed("{\"maintenance\": [{\"at\": \"02:00\", \"for\": \"1 hour\"}, {\"at\": \"03:00\", \"for\": \"1 hour\"}]}",
					 "2026-11-20T02:30:00Z"), "2026-11-20T04:00:00Z");
	CHECK_STR(closed("{\"maintenance\": [{\"at\": \"00:00\", \"for\": \"24 hours\"}]}", "2026-11-20T02:30:00Z"), "2026-12-05T00:00:00Z");
	CHECK_STR(next_window("{}", "2026-11-20T10:17:00Z"), "never");
	CHECK_STR(next_window("{\"maintenance\": [{\"at\": \"02:00\", \"for\": \"1 hour\"}, {\"from\": \"2026-11-20T12:00:00Z\", \"until\": \"2026-11-20T13:00:00Z\"}]}",
						  "2026-11-20T10:17:00Z"), "2026-11-20T12:00:00Z");

	/* mistakes, with their place */
	CHECK_STR(mistake("{\"mode\": \"sometimes\"}"), "/mode");
	CHECK_STR(mistake("{\"schedule\": \"yearly\"}"), "/schedule");
	CHECK_STR(mistake("{\"schedule\": {\"every\": \"1 hour\", \"at\": \"02:00\"}}"), "/schedule");
	CHECK_STR(mistake("{\"schedule\": {\"evry\": \"1 hour\"}}"), "/schedule");
	CHECK_STR(mistake("{\"schedule\": {\"every\": \"0 minutes\"}}"), "/schedule/every");
	CHECK_STR(mistake("{\"schedule\": {\"every\": \"99999999999999999999 s\"}}"), "/schedule/every");
	CHECK_STR(mistake("{\"schedule\": {\"every\": \"1 fortnight\"}}"), "/schedule/every");
	CHECK_STR(mistake("{\"schedule\": {\"at\": [\"25:00\"]}}"), "/schedule/at");
	CHECK_STR(mistake("{\"schedule\": {\"at\": [\"2\"]}}"), "/schedule/at");
	CHECK_STR(mistake("{\"schedule\": {\"at\": []}}"), "/schedule/at");
	CHECK_STR(mistake("{\"schedule\": {\"at\": \"02:00\", \"days\": [\"someday\"]}}"), "/schedule/days");
	CHECK_STR(mistake("{\"schedule\": {\"at\": \"02:00\", \"time_zone\": \"Moon\"}}"), "/schedule/time_zone");
	CHECK_STR(mistake("{\"rules\": {}}"), "/rules");
	CHECK_STR(mistake("{\"rules\": [{\"mode\": \"batch\"}]}"), "/rules/0");
	CHECK_STR(mistake("{\"rules\": [{\"when\": \"a\", \"mode\": \"batch\"}, {\"when\": 1, \"mode\": \"batch\"}]}"), "/rules/1");
	CHECK_STR(mistake("{\"maintenance\": [{\"from\": \"2026-11-20T10:00:00Z\"}]}"), "/maintenance/0");
	CHECK_STR(mistake("{\"maintenance\": [{\"at\": \"02:00\", \"for\": \"1 hour\"}, {\"at\": \"02:00\"}]}"), "/maintenance/1");

	return unit_done("schedule");
}
