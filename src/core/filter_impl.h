/*
 * filter_impl.h
 *		What the files filter*.c share; nothing for others.
 */
#ifndef CALLSYNC_CORE_FILTER_IMPL_H
#define CALLSYNC_CORE_FILTER_IMPL_H

#include "core/filter.h"

/* Writes as long as there is room and counts on: need tells how much was wanted. */
typedef struct FilterOut
{
	char	   *buf;
	size_t		size;
	size_t		need;
} FilterOut;

typedef struct FilterJob
{
	const CallsyncEnv *env;
	const char *arg;
	CallsyncValue in;
	/* text of in: the value itself or its spelling in numbuf */
	const char *s;
	size_t		len;
	char		numbuf[40];
	FilterOut	out;
	CallsyncValue result;		/* set by the filter; text: set by callsync_filter_text */
	const char *error;
} FilterJob;

typedef bool (*FilterFn) (FilterJob *job);

typedef enum FilterArg
{
	FILTER_ARG_NONE,
	FILTER_ARG_TEXT,
	FILTER_ARG_NUMBER,
	FILTER_ARG_OPTIONAL,
	FILTER_ARG_ZONE,			/* none or "utc" */
	FILTER_ARG_PATH				/* another value of the context, resolved by the expression */
} FilterArg;

struct CallsyncFilter
{
	const char *name;
	FilterFn	fn;
	FilterArg	arg;
	bool		null_too;		/* called for NULL as well */
	bool		url_safe;
};

/* Handled by template_value.c, because they take arrays and objects. */
extern bool callsync_filter_is_structural(const CallsyncFilter *filter);

static inline void
filter_put(FilterOut *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
	{
		if (out->need < out->size)
			out->buf[out->need] = s[i];
		out->need++;
	}
}

static inline void
filter_putc(FilterOut *out, char c)
{
	if (out->need < out->size)
		out->buf[out->need] = c;
	out->need++;
}

/* The result is the text written so far. */
extern bool callsync_filter_text(FilterJob *job);
extern bool callsync_filter_fail(FilterJob *job, const char *error);

/* filter_time.c */
extern bool callsync_filter_iso8601z(FilterJob *job);
extern bool callsync_filter_iso8601ms(FilterJob *job);
extern bool callsync_filter_iso8601_offset(FilterJob *job);
extern bool callsync_filter_date(FilterJob *job);
extern bool callsync_filter_time_hhmm(FilterJob *job);
extern bool callsync_filter_datetime_sql(FilterJob *job);
extern bool callsync_filter_epoch_ms(FilterJob *job);
extern bool callsync_filter_epoch_s(FilterJob *job);
extern bool callsync_filter_ms(FilterJob *job);
extern bool callsync_filter_s(FilterJob *job);
extern bool callsync_filter_minutes(FilterJob *job);
extern bool callsync_filter_hhmm(FilterJob *job);
extern bool callsync_filter_mmss(FilterJob *job);
extern bool callsync_filter_hhmmss(FilterJob *job);
extern bool callsync_filter_since(FilterJob *job);
extern bool callsync_filter_plus(FilterJob *job);

/* filter_escape.c */
extern bool callsync_filter_url(FilterJob *job);
extern bool callsync_filter_raw(FilterJob *job);
extern bool callsync_filter_jsonstr(FilterJob *job);
extern bool callsync_filter_soql(FilterJob *job);
extern bool callsync_filter_sosl(FilterJob *job);
extern bool callsync_filter_like(FilterJob *job);
extern bool callsync_filter_odata(FilterJob *job);
extern bool callsync_filter_criteria(FilterJob *job);
extern bool callsync_filter_xml(FilterJob *job);
extern bool callsync_filter_html(FilterJob *job);
extern bool callsync_filter_amp(FilterJob *job);
extern bool callsync_filter_strip_html(FilterJob *job);
extern bool callsync_filter_ical(FilterJob *job);

/* filter_text.c */
extern bool callsync_filter_lower(FilterJob *job);
extern bool callsync_filter_upper(FilterJob *job);
extern bool callsync_filter_trim(FilterJob *job);
extern bool callsync_filter_slug(FilterJob *job);
extern bool callsync_filter_digits(FilterJob *job);
extern bool callsync_filter_truncate(FilterJob *job);
extern bool callsync_filter_first_name(FilterJob *job);
extern bool callsync_filter_last_name(FilterJob *job);

/* Number of seconds in a duration: a number or "HH:MM:SS" / "MM:SS" text */
extern bool callsync_filter_seconds(FilterJob *job, double *seconds);
extern bool callsync_filter_number_of(FilterJob *job, double *number);

#endif
