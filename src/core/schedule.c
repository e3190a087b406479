/*
 * schedule.c
 *		When calls go to a destination, see schedule.h.
 */
#include "core/schedule.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/instant.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define ALL_DAYS 0x7F
#define MAX_WINDOW (14 * DAY)	/* of a window that comes again */
#define MAX_WAIT (366 * DAY)

static const char *const day_names[7] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

static const char *const schedule_hint =
	"\"hourly\", \"nightly\", \"campaign_end\", {\"every\": \"15 minutes\"}, {\"at\": [\"02:00\"], \"days\": [\"mon\"], "
	"\"time_zone\": \"Europe/Berlin\"} or {\"max_wait\": \"24 hours\"}.";
static const char *const window_hint =
	"{\"from\": \"2026-11-22T01:00:00Z\", \"until\": \"2026-11-22T05:00:00Z\"} or {\"at\": \"02:00\", \"for\": \"2 hours\", "
	"\"days\": [\"sun\"], \"time_zone\": \"Europe/Berlin\"}.";

/* ---- reading ---- */

/* "15 minutes", "1 hour", "90 s" */
static bool
read_duration(const json_t *value, int64_t max_s, int32_t *seconds)
{
	static const struct
	{
		const char *name;
		int32_t		s;
	}			units[] = {{"s", 1}, {"sec", 1}, {"second", 1}, {"min", MINUTE}, {"minute", MINUTE},
	{"h", HOUR}, {"hour", HOUR}, {"day", DAY}};
	const char *s = json_string_value(value);
	int64_t		n = 0;
	size_t		len;

	if (s == NULL || !isdigit((unsigned char) *s))
		return false;
	for (; isdigit((unsigned char) *s); s++)
	{
		n = n * 10 + (*s - '0');
		if (n > MAX_WAIT)
			return false;
	}
	while (*s == ' ')
		s++;
	len = strlen(s);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
	{
		size_t		ul = strlen(units[i].name);

		if (strncmp(s, units[i].name, ul) != 0 || !(len == ul || (len == ul + 1 && s[ul] == 's')))
			continue;
		n *= units[i].s;
		if (n <= 0 || n > max_s)
			return false;
		*seconds = (int32_t) n;
		return true;
	}
	return false;
}

/* "02:00" or "02:00:30" */
static bool
read_time(const json_t *value, int32_t *seconds)
{
	const char *s = json_string_value(value);
	int			part[3] = {0, 0, 0};
	int			n = 0;

	if (s == NULL)
		return false;
	for (;;)
	{
		if (n == 3 || !isdigit((unsigned char) s[0]) || !isdigit((unsigned char) s[1]))
			return false;
		part[n++] = (s[0] - '0') * 10 + (s[1] - '0');
		s += 2;
		if (*s == '\0')
			break;
		if (*s++ != ':')
			return false;
	}
	if (n < 2 || part[0] > 23 || part[1] > 59 || part[2] > 59)
		return false;
	*seconds = part[0] * HOUR + part[1] * MINUTE + part[2];
	return true;
}

static bool
read_days(const json_t *value, uint8_t *days)
{
	*days = ALL_DAYS;
	if (value == NULL)
		return true;
	if (!json_is_array(value) || json_array_size(value) == 0)
		return false;
	*days = 0;
	for (size_t i = 0; i < json_array_size(value); i++)
	{
		const char *s = json_string_value(json_array_get(value, i));
		int			d = 0;

		while (d < 7 && (s == NULL || strcasecmp(s, day_names[d]) != 0))
			d++;
		if (d == 7)
			return false;
		*days |= (uint8_t) (1 << d);
	}
	return true;
}

static bool
read_zone(const json_t *value, const CallsyncZones *zones, char zone[64])
{
	const char *s = value ? json_string_value(value) : "UTC";

	if (s == NULL || s[0] == '\0' || strlen(s) >= 64 || !zones->known(zones->arg, s))
		return false;
	memcpy(zone, s, strlen(s) + 1);
	return true;
}

/* Members that nobody reads are mistakes. */
static bool
only_members(const json_t *object, const char *const *names, int n)
{
	const char *key;
	json_t	   *value;

	json_object_foreach((json_t *) object, key, value)
	{
		int			i = 0;

		while (i < n && strcmp(key, names[i]) != 0)
			i++;
		if (i == n)
			return false;
	}
	return true;
}

static bool
read_times(const json_t *value, CallsyncSchedule *s)
{
	size_t		n = json_is_array(value) ? json_array_size(value) : 1;

	if (n == 0 || n > CALLSYNC_SCHEDULE_TIMES)
		return false;
	for (size_t i = 0; i < n; i++)
	{
		int32_t		t;
		int			pos;

		if (!read_time(json_is_array(value) ? json_array_get(value, i) : value, &t))
			return false;
		for (pos = s->ntimes++; pos > 0 && s->at_s[pos - 1] > t; pos--)
			s->at_s[pos] = s->at_s[pos - 1];
		s->at_s[pos] = t;
	}
	return true;
}

static bool
read_schedule(const json_t *value, const CallsyncZones *zones, CallsyncSchedule *s, CallsyncDocError *error)
{
	static const char *const members[] = {"every", "at", "days", "max_wait", "time_zone"};
	const char *word = json_string_value(value);
	json_t	   *every = json_object_get(value, "every");
	json_t	   *at = json_object_get(value, "at");
	json_t	   *wait = json_object_get(value, "max_wait");

	memcpy(s->zone, "UTC", 4);
	s->days = ALL_DAYS;
	if (value == NULL || (word && strcmp(word, "hourly") == 0))
	{
		s->every_s = HOUR;
		return true;
	}
	if (word && strcmp(word, "nightly") == 0)
	{
		s->at_s[s->ntimes++] = 2 * HOUR;
		return true;
	}
	if (word && strcmp(word, "campaign_end") == 0)
	{
		s->max_wait_s = DAY;
		return true;
	}
	if (!json_is_object(value) || !only_members(value, members, 5) ||
		(every != NULL) + (at != NULL) + (wait != NULL) != 1)
		return callsync_doc_error(error, "/schedule", schedule_hint, "It is not a schedule.");
	if (every && !read_duration(every, DAY, &s->every_s))
		return callsync_doc_error(error, "/schedule/every", "For instance \"15 minutes\" or \"1 hour\"; a day at the most.", "It is not a duration.");
	if (wait && !read_duration(wait, MAX_WAIT, &s->max_wait_s))
		return callsync_doc_error(error, "/schedule/max_wait", "For instance \"24 hours\" or \"7 days\".", "It is not a duration.");
	if (at && !read_times(at, s))
		return callsync_doc_error(error, "/schedule/at", "For instance [\"02:00\", \"14:30\"]; 48 at the most.", "It is not a list of times of the day.");
	if (!read_days(json_object_get(value, "days"), &s->days))
		return callsync_doc_error(error, "/schedule/days", "Days are mon, tue, wed, thu, fri, sat, sun.", "It is not a list of days.");
	if (!read_zone(json_object_get(value, "time_zone"), zones, s->zone))
		return callsync_doc_error(error, "/schedule/time_zone", "Names are in pg_timezone_names, for instance Europe/Berlin.", "It is not a known time zone.");
	return true;
}

static bool
read_rules(const json_t *value, CallsyncSchedule *s, CallsyncDocError *error)
{
	static const char *const members[] = {"when", "mode"};

	if (value == NULL)
		return true;
	if (!json_is_array(value) || json_array_size(value) > CALLSYNC_SCHEDULE_RULES)
		return callsync_doc_error(error, "/rules", "For instance [{\"when\": {\"duration_s\": {\"lt\": 30}}, \"mode\": \"batch\"}]; 32 at the most.",
								  "It is not a list of rules.");
	for (size_t i = 0; i < json_array_size(value); i++)
	{
		const json_t *rule = json_array_get(value, i);
		const char *mode = json_string_value(json_object_get(rule, "mode"));
		char		path[32];

		snprintf(path, sizeof(path), "/rules/%d", (int) i);
		if (!json_is_object(rule) || !only_members(rule, members, 2) || mode == NULL ||
			(strcmp(mode, "batch") != 0 && strcmp(mode, "realtime") != 0) || json_object_get(rule, "when") == NULL)
			return callsync_doc_error(error, path, "A rule has the members \"when\" (a condition) and \"mode\" (\"realtime\" or \"batch\").",
									  "It is not a rule.");
		s->rules[s->nrules].when = callsync_cond_parse(json_object_get(rule, "when"), path, error);
		if (s->rules[s->nrules].when == NULL)
			return false;
		s->rules[s->nrules++].batch = strcmp(mode, "batch") == 0;
	}
	return true;
}

static bool
read_instant(const json_t *value, int64_t *unix_s)
{
	const char *s = json_string_value(value);
	int64_t		us;

	if (s == NULL || !callsync_instant_parse(s, strlen(s), &us))
		return false;
	*unix_s = us / 1000000;
	return true;
}

static bool
read_windows(const json_t *value, const CallsyncZones *zones, CallsyncSchedule *s, CallsyncDocError *error)
{
	static const char *const members[] = {"from", "until", "at", "for", "days", "time_zone"};

	if (value == NULL)
		return true;
	if (!json_is_array(value) || json_array_size(value) > CALLSYNC_SCHEDULE_WINDOWS)
		return callsync_doc_error(error, "/maintenance", window_hint, "It is not a list of windows (32 at the most).");
	for (size_t i = 0; i < json_array_size(value); i++)
	{
		const json_t *entry = json_array_get(value, i);
		CallsyncWindow *w = &s->windows[s->nwindows];
		char		path[40];
		bool		ok;

		snprintf(path, sizeof(path), "/maintenance/%d", (int) i);
		w->once = json_object_get(entry, "from") != NULL;
		if (w->once)
			ok = json_object_size(entry) == 2 && read_instant(json_object_get(entry, "from"), &w->from_s) &&
				read_instant(json_object_get(entry, "until"), &w->until_s) && w->from_s < w->until_s;
		else
			ok = json_is_object(entry) && only_members(entry, members + 2, 4) &&
				read_time(json_object_get(entry, "at"), &w->at_s) &&
				read_duration(json_object_get(entry, "for"), MAX_WINDOW, &w->for_s) &&
				read_days(json_object_get(entry, "days"), &w->days) &&
				read_zone(json_object_get(entry, "time_zone"), zones, w->zone);
		if (!ok)
			return callsync_doc_error(error, path, window_hint, "It is not a maintenance window.");
		s->nwindows++;
	}
	return true;
}

static bool
read_mode(const json_t *value, CallsyncSchedule *s)
{
	const char *word = value ? json_string_value(value) : "realtime";

	if (word == NULL)
		return false;
	s->mode = strcmp(word, "batch") == 0 ? CALLSYNC_MODE_BATCH :
		strcmp(word, "hybrid") == 0 ? CALLSYNC_MODE_HYBRID : CALLSYNC_MODE_REALTIME;
	return s->mode != CALLSYNC_MODE_REALTIME || strcmp(word, "realtime") == 0;
}

bool
callsync_schedule_parse(const json_t *options, const CallsyncZones *zones,
						CallsyncSchedule *schedule, CallsyncDocError *error)
{
	bool		ok;

	memset(schedule, 0, sizeof(*schedule));
	if (!read_mode(json_object_get(options, "mode"), schedule))
		ok = callsync_doc_error(error, "/mode", "One of: realtime, batch, hybrid.", "It is not a mode.");
	else
		ok = read_schedule(json_object_get(options, "schedule"), zones, schedule, error) &&
			read_rules(json_object_get(options, "rules"), schedule, error) &&
			read_windows(json_object_get(options, "maintenance"), zones, schedule, error);
	if (!ok)
		callsync_schedule_clear(schedule);
	return ok;
}

void
callsync_schedule_clear(CallsyncSchedule *schedule)
{
	for (int i = 0; i < schedule->nrules; i++)
		callsync_cond_free(schedule->rules[i].when);
	memset(schedule, 0, sizeof(*schedule));
}

/* ---- deciding ---- */

bool
callsync_schedule_waits(const CallsyncSchedule *schedule, const CallsyncRenderInput *input)
{
	if (schedule->mode != CALLSYNC_MODE_HYBRID)
		return schedule->mode == CALLSYNC_MODE_BATCH;
	for (int i = 0; i < schedule->nrules; i++)
		if (callsync_cond_holds(schedule->rules[i].when, input))
			return schedule->rules[i].batch;
	return false;
}

/* ---- local time ---- */

static int64_t
floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static int64_t
to_local(const CallsyncZones *zones, const char *zone, int64_t unix_s)
{
	return unix_s + zones->offset(zones->arg, zone, unix_s);
}

/*
 * The instant of a local time. The offset is that of the instant itself; where the
 * clocks go back the first of the two is meant, where they skip it the offset before.
 */
static int64_t
from_local(const CallsyncZones *zones, const char *zone, int64_t local_s)
{
	int64_t		before = zones->offset(zones->arg, zone, local_s - DAY);
	int64_t		after = zones->offset(zones->arg, zone, local_s + DAY);

	if (to_local(zones, zone, local_s - before) == local_s)
		return local_s - before;
	if (to_local(zones, zone, local_s - after) == local_s)
		return local_s - after;
	return local_s - before;
}

/* 1970-01-01 was a Thursday */
static bool
day_is_in(uint8_t days, int64_t day)
{
	return days & (1 << (((day % 7) + 7 + 3) % 7));
}

/* The first start after now_s of what comes on certain days at a local time. */
static int64_t
next_at(const CallsyncZones *zones, const char *zone, uint8_t days, int32_t at_s, int64_t now_s)
{
	int64_t		today = floor_div(to_local(zones, zone, now_s), DAY);

	/* yesterday, too: the clocks may have been changed since */
	for (int64_t day = today - 1; day <= today + 8; day++)
	{
		int64_t		start = day_is_in(days, day) ? from_local(zones, zone, day * DAY + at_s) : 0;

		if (day_is_in(days, day) && start > now_s)
			return start;
	}
	return CALLSYNC_SCHEDULE_NEVER;
}

int64_t
callsync_schedule_next(const CallsyncSchedule *schedule, const CallsyncZones *zones, int64_t now_s)
{
	int64_t		best = CALLSYNC_SCHEDULE_NEVER;

	if (schedule->max_wait_s > 0)
		return now_s + schedule->max_wait_s;
	if (schedule->every_s > 0)
	{
		int64_t		today = floor_div(to_local(zones, schedule->zone, now_s), DAY);

		/* each day's row starts anew at its midnight */
		for (int64_t day = today - 1; day <= today + 8; day++)
		{
			int64_t		midnight = from_local(zones, schedule->zone, day * DAY);
			int64_t		next_midnight = from_local(zones, schedule->zone, (day + 1) * DAY);
			int64_t		at = midnight;

			if (!day_is_in(schedule->days, day) || next_midnight <= now_s)
				continue;
			if (now_s >= midnight)
				at += (now_s - midnight) / schedule->every_s * schedule->every_s + schedule->every_s;
			if (at < next_midnight)
				return at;
		}
		return CALLSYNC_SCHEDULE_NEVER;
	}
	for (int i = 0; i < schedule->ntimes; i++)
	{
		int64_t		at = next_at(zones, schedule->zone, schedule->days, schedule->at_s[i], now_s);

		best = at < best ? at : best;
	}
	return best;
}

/* In this window at now_s: when it is over; otherwise 0 */
static int64_t
window_end(const CallsyncWindow *w, const CallsyncZones *zones, int64_t now_s)
{
	int64_t		today;
	int64_t		end = 0;

	if (w->once)
		return now_s >= w->from_s && now_s < w->until_s ? w->until_s : 0;
	today = floor_div(to_local(zones, w->zone, now_s), DAY);
	for (int64_t day = today - w->for_s / DAY - 2; day <= today + 1; day++)
	{
		int64_t		start;

		if (!day_is_in(w->days, day))
			continue;
		start = from_local(zones, w->zone, day * DAY + w->at_s);
		if (start <= now_s && now_s < start + w->for_s && start + w->for_s > end)
			end = start + w->for_s;
	}
	return end;
}

int64_t
callsync_schedule_closed_until(const CallsyncSchedule *schedule, const CallsyncZones *zones, int64_t now_s)
{
	int64_t		at = now_s;

	/* one that lasts for ever (each day for a day) is looked along for some time only */
	for (bool more = true; more && at - now_s < MAX_WINDOW;)
	{
		more = false;
		for (int i = 0; i < schedule->nwindows; i++)
		{
			int64_t		end = window_end(&schedule->windows[i], zones, at);

			if (end > at)
			{
				at = end;
				more = true;
			}
		}
	}
	return at > now_s ? at : 0;
}

int64_t
callsync_schedule_next_window(const CallsyncSchedule *schedule, const CallsyncZones *zones, int64_t now_s)
{
	int64_t		best = CALLSYNC_SCHEDULE_NEVER;

	for (int i = 0; i < schedule->nwindows; i++)
	{
		const CallsyncWindow *w = &schedule->windows[i];
		int64_t		at = w->once ? (w->from_s > now_s ? w->from_s : CALLSYNC_SCHEDULE_NEVER)
			: next_at(zones, w->zone, w->days, w->at_s, now_s);

		best = at < best ? at : best;
	}
	return best;
}
