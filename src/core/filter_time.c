/*
 * filter_time.c
 *		Instants, dates and durations in the spellings that APIs want.
 *
 * Everything goes through one int64 of milliseconds since 1970 UTC.  A text
 * without zone is no instant: guessing one is how appointments move by hours.
 */
#include "core/filter_impl.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

/* Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant's algorithm). */
static int64_t
days_from_civil(int64_t y, int m, int d)
{
	int64_t		era;
	int64_t		yoe;
	int64_t		doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void
civil_from_days(int64_t z, int *y, int *m, int *d)
{
	int64_t		era;
	int64_t		doe;
	int64_t		yoe;
	int64_t		doy;
	int64_t		mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = z - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = (int) (doy - (153 * mp + 2) / 5 + 1);
	*m = (int) (mp < 10 ? mp + 3 : mp - 9);
	*y = (int) (yoe + era * 400 + (*m <= 2));
}

static int
days_in_month(int64_t y, int m)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	if (m == 2 && (y % 4 == 0 && (y % 100 != 0 || y % 400 == 0)))
		return 29;
	return days[m - 1];
}

/* n digits at *p; -1 if there are not that many */
static int
digits(const char **p, const char *end, int n)
{
	int			v = 0;

	if (end - *p < n)
		return -1;
	for (int i = 0; i < n; i++)
	{
		char		c = (*p)[i];

		if (c < '0' || c > '9')
			return -1;
		v = v * 10 + (c - '0');
	}
	*p += n;
	return v;
}

static bool
all_digits(const char *s, size_t len)
{
	if (len == 0)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

bool
callsync_time_parse(const char *s, size_t len, const CallsyncEnv *env,
					bool allow_date, bool local, int64_t *unix_ms)
{
	const char *p;
	const char *end;
	int			year;
	int			month;
	int			day;
	int			hour = 0;
	int			minute = 0;
	int			second = 0;
	int64_t		frac_ms = 0;
	int64_t		days;
	int64_t		ms;
	bool		zoned = false;

	while (len > 0 && (*s == ' ' || *s == '\t'))
		s++, len--;
	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t' || s[len - 1] == '\n'))
		len--;
	p = s;
	end = s + len;

	/* seconds (9 to 11 digits) or milliseconds (12 to 14) since 1970 */
	if (len >= 9 && len <= 14 && all_digits(s, len))
	{
		int64_t		v = 0;

		for (size_t i = 0; i < len; i++)
			v = v * 10 + (s[i] - '0');
		*unix_ms = len >= 12 ? v : v * 1000;
		return true;
	}

	if ((year = digits(&p, end, 4)) < 0 || p >= end || *p++ != '-' ||
		(month = digits(&p, end, 2)) < 1 || month > 12 || p >= end || *p++ != '-' ||
		(day = digits(&p, end, 2)) < 1 || day > days_in_month(year, month))
		return false;
	days = days_from_civil(year, month, day);
	if (p == end)
	{
		if (!allow_date)
			return false;
		*unix_ms = days * DAY_MS;
		if (local && env != NULL && env->utc_offset_min != NULL)
			*unix_ms -= (int64_t) env->utc_offset_min(env->arg, *unix_ms) * 60000;
		return true;
	}
	if (*p != 'T' && *p != 't' && *p != ' ')
		return false;
	p++;
	if ((hour = digits(&p, end, 2)) < 0 || hour > 24 || p >= end || *p++ != ':' ||
		(minute = digits(&p, end, 2)) < 0 || minute > 59)
		return false;
	if (p < end && *p == ':')
	{
		p++;
		if ((second = digits(&p, end, 2)) < 0 || second > 60)
			return false;
		if (p < end && (*p == '.' || *p == ','))
		{
			int64_t		scale = 100;
			const char *first = ++p;

			for (; p < end && *p >= '0' && *p <= '9'; p++)
			{
				frac_ms += (*p - '0') * scale;
				scale /= 10;
			}
			if (p == first)
				return false;
		}
	}
	if (hour == 24 && (minute != 0 || second != 0))
		return false;
	ms = days * DAY_MS + ((int64_t) hour * 3600 + minute * 60 + second) * 1000 + frac_ms;
	while (p < end && *p == ' ')
		p++;
	if (p < end && (*p == 'Z' || *p == 'z'))
	{
		p++;
		zoned = true;
	}
	else if (p < end && (*p == '+' || *p == '-'))
	{
		int			sign = *p++ == '-' ? -1 : 1;
		int			oh = digits(&p, end, 2);
		int			om = 0;

		if (oh < 0 || oh > 15)
			return false;
		if (p < end && *p == ':')
			p++;
		if (p < end && ((om = digits(&p, end, 2)) < 0 || om > 59))
			return false;
		ms -= (int64_t) sign * (oh * 60 + om) * 60000;
		zoned = true;
	}
	if (p != end)
		return false;
	if (!zoned)
	{
		if (!local)
			return false;
		if (env != NULL && env->utc_offset_min != NULL)
			ms -= (int64_t) env->utc_offset_min(env->arg, ms) * 60000;
	}
	*unix_ms = ms;
	return true;
}

/* Splits an instant into calendar parts at an offset. */
typedef struct Civil
{
	int			y,
				mo,
				d,
				h,
				mi,
				s,
				ms;
} Civil;

static Civil
civil(int64_t unix_ms, int offset_min)
{
	Civil		c;
	int64_t		t = unix_ms + (int64_t) offset_min * 60000;
	int64_t		days = t / DAY_MS;
	int64_t		rest = t % DAY_MS;

	if (rest < 0)
	{
		rest += DAY_MS;
		days--;
	}
	civil_from_days(days, &c.y, &c.mo, &c.d);
	c.h = (int) (rest / 3600000);
	c.mi = (int) (rest / 60000 % 60);
	c.s = (int) (rest / 1000 % 60);
	c.ms = (int) (rest % 1000);
	return c;
}

size_t
callsync_time_format(int64_t unix_ms, char *out, size_t out_size)
{
	Civil		c = civil(unix_ms, 0);
	int			n;

	if (c.ms != 0)
		n = snprintf(out, out_size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.y, c.mo, c.d, c.h, c.mi, c.s, c.ms);
	else
		n = snprintf(out, out_size, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.y, c.mo, c.d, c.h, c.mi, c.s);
	return n > 0 ? (size_t) n : 0;
}

/* ---- filters ---- */

static bool
instant(FilterJob *job, int64_t *ms)
{
	if (job->in.kind == CALLSYNC_VALUE_INT)
	{
		/* before the year 5138 in seconds, after 1973 in milliseconds */
		*ms = job->in.i >= INT64_C(100000000000) ? job->in.i : job->in.i * 1000;
		return true;
	}
	if (job->in.kind == CALLSYNC_VALUE_REAL && fabs(job->in.r) < 1e15)
	{
		*ms = (int64_t) (job->in.r >= 1e11 ? job->in.r : job->in.r * 1000.0);
		return true;
	}
	if (job->in.kind != CALLSYNC_VALUE_TEXT)
		return callsync_filter_fail(job, "is not a date and time");
	if (callsync_time_parse(job->s, job->len, job->env, false, false, ms))
		return true;
	if (callsync_time_parse(job->s, job->len, job->env, true, true, ms))
	{
		if (job->len <= 10)
			return true;		/* a date alone: midnight in the account's zone */
		return callsync_filter_fail(job, "is a time without a time zone");
	}
	return callsync_filter_fail(job, "is not an ISO 8601 date and time");
}

static int
offset_of(FilterJob *job, int64_t ms)
{
	if (job->arg != NULL && strcmp(job->arg, "utc") == 0)
		return 0;
	if (job->env == NULL || job->env->utc_offset_min == NULL)
		return 0;
	return job->env->utc_offset_min(job->env->arg, ms);
}

static bool
put_format(FilterJob *job, const char *text, int n)
{
	if (n > 0)
		filter_put(&job->out, text, (size_t) n);
	return callsync_filter_text(job);
}

bool
callsync_filter_iso8601z(FilterJob *job)
{
	int64_t		ms;
	char		text[40];

	if (!instant(job, &ms))
		return false;
	return put_format(job, text, (int) callsync_time_format(ms, text, sizeof(text)));
}

bool
callsync_filter_iso8601ms(FilterJob *job)
{
	int64_t		ms;
	char		text[80];
	Civil		c;

	if (!instant(job, &ms))
		return false;
	c = civil(ms, 0);
	return put_format(job, text, snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
										  c.y, c.mo, c.d, c.h, c.mi, c.s, c.ms));
}

bool
callsync_filter_iso8601_offset(FilterJob *job)
{
	int64_t		ms;
	char		text[90];
	Civil		c;
	int			off;
	int			abs_off;

	if (!instant(job, &ms))
		return false;
	off = offset_of(job, ms);
	abs_off = off < 0 ? -off : off;
	c = civil(ms, off);
	return put_format(job, text, snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d",
										  c.y, c.mo, c.d, c.h, c.mi, c.s,
										  off < 0 ? '-' : '+', abs_off / 60, abs_off % 60));
}

/* A date stays that date; an instant becomes the day it falls on in the account's zone. */
bool
callsync_filter_date(FilterJob *job)
{
	int64_t		ms;
	char		text[60];
	Civil		c;

	if (job->in.kind == CALLSYNC_VALUE_TEXT && job->len == 10 &&
		callsync_time_parse(job->s, job->len, NULL, true, false, &ms) && job->s[4] == '-')
	{
		filter_put(&job->out, job->s, job->len);
		return callsync_filter_text(job);
	}
	if (!instant(job, &ms))
		return false;
	c = civil(ms, offset_of(job, ms));
	return put_format(job, text, snprintf(text, sizeof(text), "%04d-%02d-%02d", c.y, c.mo, c.d));
}

bool
callsync_filter_time_hhmm(FilterJob *job)
{
	int64_t		ms;
	char		text[40];
	Civil		c;

	if (!instant(job, &ms))
		return false;
	c = civil(ms, offset_of(job, ms));
	return put_format(job, text, snprintf(text, sizeof(text), "%02d:%02d", c.h, c.mi));
}

bool
callsync_filter_datetime_sql(FilterJob *job)
{
	int64_t		ms;
	char		text[80];
	Civil		c;

	if (!instant(job, &ms))
		return false;
	c = civil(ms, offset_of(job, ms));
	return put_format(job, text, snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d",
										  c.y, c.mo, c.d, c.h, c.mi, c.s));
}

static bool
put_int(FilterJob *job, int64_t v)
{
	job->result.kind = CALLSYNC_VALUE_INT;
	job->result.i = v;
	return true;
}

bool
callsync_filter_epoch_ms(FilterJob *job)
{
	int64_t		ms;

	return instant(job, &ms) && put_int(job, ms);
}

bool
callsync_filter_epoch_s(FilterJob *job)
{
	int64_t		ms;

	return instant(job, &ms) && put_int(job, ms >= 0 ? ms / 1000 : -((-ms + 999) / 1000));
}

bool
callsync_filter_seconds(FilterJob *job, double *seconds)
{
	const char *p = job->s;
	const char *end = p + job->len;
	double		total = 0;
	int			parts = 1;
	const char *colon;

	if (job->in.kind != CALLSYNC_VALUE_TEXT || memchr(p, ':', job->len) == NULL)
	{
		if (!callsync_filter_number_of(job, seconds) || *seconds < 0 || *seconds > 1e9)
			return callsync_filter_fail(job, "is not a duration in seconds");
		return true;
	}
	/* "1:02:03", "02:03" */
	while ((colon = memchr(p, ':', (size_t) (end - p))) != NULL && parts < 3)
	{
		if (!all_digits(p, (size_t) (colon - p)) || colon - p > 6)
			return callsync_filter_fail(job, "is not a duration");
		for (int v = 0; p <= colon; p++)
		{
			if (p == colon)
				total = (total + v) * 60;
			else
				v = v * 10 + (*p - '0');
		}
		parts++;
	}
	if (end - p != 2 || !all_digits(p, 2))
		return callsync_filter_fail(job, "is not a duration");
	*seconds = total + (p[0] - '0') * 10 + (p[1] - '0');
	return true;
}

bool
callsync_filter_ms(FilterJob *job)
{
	double		seconds;

	return callsync_filter_seconds(job, &seconds) && put_int(job, llround(seconds * 1000.0));
}

bool
callsync_filter_s(FilterJob *job)
{
	double		seconds;

	return callsync_filter_seconds(job, &seconds) && put_int(job, llround(seconds));
}

/* Started minutes: a call of 61 seconds took two, one of 0 none. */
bool
callsync_filter_minutes(FilterJob *job)
{
	double		seconds;

	return callsync_filter_seconds(job, &seconds) && put_int(job, (int64_t) ceil(seconds / 60.0));
}

static bool
clock_text(FilterJob *job, bool hours, bool secs)
{
	double		seconds;
	int64_t		t;
	char		text[60];
	int			n;

	if (!callsync_filter_seconds(job, &seconds))
		return false;
	t = llround(seconds);
	if (hours && secs)
		n = snprintf(text, sizeof(text), "%02lld:%02d:%02d", (long long) (t / 3600), (int) (t / 60 % 60), (int) (t % 60));
	else if (hours)
	{
		t = (t + 59) / 60;
		n = snprintf(text, sizeof(text), "%02lld:%02d", (long long) (t / 60), (int) (t % 60));
	}
	else
		n = snprintf(text, sizeof(text), "%02lld:%02d", (long long) (t / 60), (int) (t % 60));
	return put_format(job, text, n);
}

bool
callsync_filter_hhmm(FilterJob *job)
{
	return clock_text(job, true, false);
}

bool
callsync_filter_mmss(FilterJob *job)
{
	return clock_text(job, false, true);
}

bool
callsync_filter_hhmmss(FilterJob *job)
{
	return clock_text(job, true, true);
}

/* Seconds from the instant in the argument until this one: how long an appointment takes. */
bool
callsync_filter_since(FilterJob *job)
{
	int64_t		ms;
	int64_t		from_ms;

	if (!instant(job, &ms))
		return false;
	if (!callsync_time_parse(job->arg, strlen(job->arg), job->env, true, false, &from_ms))
		return callsync_filter_fail(job, "is compared with something that is no instant");
	if (ms < from_ms)
		return callsync_filter_fail(job, "lies before its beginning");
	return put_int(job, (ms - from_ms) / 1000);
}

/* The instant that many seconds later: the end of a call that has a beginning and a duration. */
bool
callsync_filter_plus(FilterJob *job)
{
	FilterJob	seconds_job = *job;
	int64_t		ms;
	double		seconds;
	char		text[40];

	if (!instant(job, &ms))
		return false;
	seconds_job.in.kind = CALLSYNC_VALUE_TEXT;
	seconds_job.in.s = seconds_job.s = job->arg;
	seconds_job.in.len = seconds_job.len = strlen(job->arg);
	if (!callsync_filter_seconds(&seconds_job, &seconds))
		return callsync_filter_fail(job, "is moved by something that is no duration");
	return put_format(job, text, (int) callsync_time_format(ms + llround(seconds * 1000.0), text, sizeof(text)));
}
