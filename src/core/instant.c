/*
 * instant.c
 *		Reading and writing points in time without a clock, a locale or a zone
 *		data base.
 */
#include "core/instant.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define US_PER_S INT64_C(1000000)

/* the years 1 to 9999, which PostgreSQL and every CRM can hold */
#define MIN_US (INT64_C(-62135596800) * US_PER_S)
#define MAX_US (INT64_C(253402300799) * US_PER_S + 999999)

typedef struct Cursor
{
	const char *p;
	const char *end;
} Cursor;

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads exactly n digits. */
static bool
digits(Cursor *c, int n, int *value)
{
	int			v = 0;

	if (c->end - c->p < n)
		return false;
	for (int i = 0; i < n; i++)
	{
		if (!is_digit(c->p[i]))
			return false;
		v = v * 10 + (c->p[i] - '0');
	}
	c->p += n;
	*value = v;
	return true;
}

static bool
accept(Cursor *c, char wanted)
{
	if (c->p < c->end && *c->p == wanted)
	{
		c->p++;
		return true;
	}
	return false;
}

static void
skip_blanks(Cursor *c)
{
	while (c->p < c->end && *c->p == ' ')
		c->p++;
}

/* Days since 1970-01-01 of a Gregorian date. */
static int64_t
days_from_civil(int year, int month, int day)
{
	int64_t		y = month <= 2 ? year - 1 : year;
	int64_t		era = (y >= 0 ? y : y - 399) / 400;
	int64_t		year_of_era = y - era * 400;
	int64_t		day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t		day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

static void
civil_from_days(int64_t days, int *year, int *month, int *day)
{
	int64_t		z = days + 719468;
	int64_t		era = (z >= 0 ? z : z - 146096) / 146097;
	int64_t		day_of_era = z - era * 146097;
	int64_t		year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t		day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t		mp = (5 * day_of_year + 2) / 153;

	*day = (int) (day_of_year - (153 * mp + 2) / 5 + 1);
	*month = (int) (mp < 10 ? mp + 3 : mp - 9);
	*year = (int) (year_of_era + era * 400 + (*month <= 2));
}

static bool
valid_date(int year, int month, int day)
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int			length;

	if (year < 1 || month < 1 || month > 12 || day < 1)
		return false;
	length = lengths[month - 1];
	if (month == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
		length = 29;
	return day <= length;
}

/* "Z", "+02", "+0200", "+02:00", "GMT", "UTC", or nothing; result in seconds east. */
static bool
offset(Cursor *c, int *seconds)
{
	int			sign;
	int			hours;
	int			minutes = 0;

	*seconds = 0;
	if (c->p == c->end || accept(c, 'Z') || accept(c, 'z'))
		return true;
	if (c->end - c->p >= 3 &&
		(memcmp(c->p, "GMT", 3) == 0 || memcmp(c->p, "UTC", 3) == 0))
	{
		c->p += 3;
		return true;
	}
	if (accept(c, '+'))
		sign = 1;
	else if (accept(c, '-'))
		sign = -1;
	else
		return false;
	if (!digits(c, 2, &hours))
		return false;
	if (accept(c, ':') || (c->p < c->end && is_digit(*c->p)))
	{
		if (!digits(c, 2, &minutes))
			return false;
	}
	if (hours > 15 || minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* hh:mm[:ss[.fraction]]; digits beyond the sixth of the fraction are cut. */
static bool
time_of_day(Cursor *c, int64_t *us)
{
	int			hour;
	int			minute;
	int			second = 0;
	int64_t		fraction = 0;

	if (!digits(c, 2, &hour) || !accept(c, ':') || !digits(c, 2, &minute))
		return false;
	if (accept(c, ':'))
	{
		if (!digits(c, 2, &second))
			return false;
		if (accept(c, '.') || accept(c, ','))
		{
			int64_t		scale = US_PER_S / 10;

			if (c->p == c->end || !is_digit(*c->p))
				return false;
			while (c->p < c->end && is_digit(*c->p))
			{
				fraction += (*c->p++ - '0') * scale;
				scale /= 10;
			}
		}
	}
	/* 24:00:00 is midnight after, :60 a leap second */
	if (hour > 24 || minute > 59 || second > 60 || (hour == 24 && (minute || second || fraction)))
		return false;
	*us = (hour * INT64_C(3600) + minute * 60 + second) * US_PER_S + fraction;
	return true;
}

static bool
finish(int year, int month, int day, int64_t of_day, int east, int64_t *us)
{
	if (!valid_date(year, month, day))
		return false;
	*us = days_from_civil(year, month, day) * 86400 * US_PER_S + of_day - (int64_t) east * US_PER_S;
	return *us >= MIN_US && *us <= MAX_US;
}

static bool
parse_iso(Cursor c, int64_t *us)
{
	int			year;
	int			month;
	int			day;
	int			east = 0;
	int64_t		of_day = 0;

	if (!digits(&c, 4, &year) || !accept(&c, '-') || !digits(&c, 2, &month) ||
		!accept(&c, '-') || !digits(&c, 2, &day))
		return false;
	if (c.p < c.end)
	{
		if (!accept(&c, 'T') && !accept(&c, 't') && !accept(&c, ' '))
			return false;
		if (!time_of_day(&c, &of_day))
			return false;
		skip_blanks(&c);
		if (!offset(&c, &east) || c.p != c.end)
			return false;
	}
	return finish(year, month, day, of_day, east, us);
}

/* [Fri,] 20 Nov 2026 18:03:02 +0000 */
static bool
parse_mail_date(Cursor c, int64_t *us)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	char		month_name[3];
	const char *at;
	const char *comma = memchr(c.p, ',', c.end - c.p);
	int			day;
	int			year;
	int			month = 0;
	int			east;
	int64_t		of_day;

	if (comma != NULL)
		c.p = comma + 1;
	skip_blanks(&c);
	if (!digits(&c, 2, &day) && !digits(&c, 1, &day))
		return false;
	skip_blanks(&c);
	if (c.end - c.p < 3)
		return false;
	for (int i = 0; i < 3; i++)
		month_name[i] = (char) (c.p[i] | 0x20);
	c.p += 3;
	for (at = months; *at != '\0' && month == 0; at += 3)
	{
		if (memcmp(at, month_name, 3) == 0)
			month = (int) (at - months) / 3 + 1;
	}
	skip_blanks(&c);
	if (month == 0 || !digits(&c, 4, &year) || !accept(&c, ' '))
		return false;
	skip_blanks(&c);
	if (!time_of_day(&c, &of_day))
		return false;
	skip_blanks(&c);
	if (!offset(&c, &east) || c.p != c.end)
		return false;
	return finish(year, month, day, of_day, east, us);
}

bool
callsync_instant_from_int(int64_t number, int64_t *us)
{
	uint64_t	size = number < 0 ? -(uint64_t) number : (uint64_t) number;

	if (size < UINT64_C(100000000000))	/* seconds */
		*us = number * US_PER_S;
	else if (size < UINT64_C(100000000000000))	/* milliseconds */
		*us = number * 1000;
	else if (size < UINT64_C(100000000000000000))	/* microseconds */
		*us = number;
	else
		*us = number / 1000;	/* nanoseconds */
	return *us >= MIN_US && *us <= MAX_US;
}

bool
callsync_instant_from_number(double number, int64_t *us)
{
	double		size = fabs(number);

	if (!(size < 1e19))
		return false;
	if (size < 1e11)
		*us = llround(number * 1e6);
	else if (size < 1e14)
		*us = llround(number * 1e3);
	else if (size < 1e17)
		*us = llround(number);
	else
		*us = llround(number / 1e3);
	return *us >= MIN_US && *us <= MAX_US;
}

/* Digits alone, with one optional point. */
static bool
parse_number(Cursor c, int64_t *us)
{
	int64_t		whole = 0;
	int64_t		fraction = 0;
	int64_t		scale = US_PER_S / 10;
	const char *start = c.p;

	while (c.p < c.end && is_digit(*c.p))
	{
		if (whole > (INT64_MAX - 9) / 10)
			return false;
		whole = whole * 10 + (*c.p++ - '0');
	}
	/* shorter ones are years, hours or counters, not instants */
	if (c.p - start < 9)
		return false;
	if (c.p == c.end)
		return callsync_instant_from_int(whole, us);
	if (!accept(&c, '.') || c.p == c.end)
		return false;
	while (c.p < c.end && is_digit(*c.p))
	{
		fraction += (*c.p++ - '0') * scale;
		scale /= 10;
	}
	if (c.p != c.end || !callsync_instant_from_int(whole, us))
		return false;
	if (whole < INT64_C(100000000000))	/* a fraction of seconds; of anything finer it is noise */
		*us += fraction;
	return *us <= MAX_US;
}

bool
callsync_instant_parse(const char *s, size_t len, int64_t *us)
{
	Cursor		c;

	while (len > 0 && (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r'))
	{
		s++;
		len--;
	}
	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t' || s[len - 1] == '\n' || s[len - 1] == '\r'))
		len--;
	if (len == 0 || len > 64)
		return false;
	c.p = s;
	c.end = s + len;
	return parse_iso(c, us) || parse_number(c, us) || parse_mail_date(c, us);
}

size_t
callsync_instant_format(int64_t us, char out[CALLSYNC_INSTANT_LEN])
{
	int64_t		days = us / (86400 * US_PER_S);
	int64_t		rest = us % (86400 * US_PER_S);
	int			year;
	int			month;
	int			day;
	int			second;
	int			fraction;
	int			n;

	if (rest < 0)
	{
		days--;
		rest += 86400 * US_PER_S;
	}
	civil_from_days(days, &year, &month, &day);
	second = (int) (rest / US_PER_S);
	fraction = (int) (rest % US_PER_S);
	n = snprintf(out, CALLSYNC_INSTANT_LEN, "%04d-%02d-%02dT%02d:%02d:%02d",
				 year, month, day, second / 3600, second / 60 % 60, second % 60);
	if (fraction % 1000 != 0)
		n += snprintf(out + n, CALLSYNC_INSTANT_LEN - n, ".%06d", fraction);
	else if (fraction != 0)
		n += snprintf(out + n, CALLSYNC_INSTANT_LEN - n, ".%03d", fraction / 1000);
	n += snprintf(out + n, CALLSYNC_INSTANT_LEN - n, "Z");
	return (size_t) n;
}
