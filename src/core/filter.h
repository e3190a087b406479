/*
 * filter.h
 *		The words behind a "|" in templates and behind "as" in maps:
 *		{caller.phone|e164}, "as": ["trim", "lower"].
 *
 * A filter takes one typed value and gives one typed value.  No jansson here:
 * template.c and mapping.c convert.  A filter that cannot do its work (a date
 * that is none) returns an error text for the validation row; it never invents
 * a value.  Filters are found by name once, when a document is parsed; an
 * unknown name is an error of the document.
 *
 * What depends on the world (region, time zone, the clock) comes in through
 * CallsyncEnv, so that row 0 stays a pure function of its arguments.
 */
#ifndef CALLSYNC_CORE_FILTER_H
#define CALLSYNC_CORE_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct CallsyncEnv
{
	int64_t		now_ms;			/* Unix time in ms; "now" of this rendering */
	const char *region;			/* "US"; NULL = only numbers with country code */

	/* Minutes east of UTC at that instant in the account's zone; NULL = UTC. */
	int			(*utc_offset_min) (void *arg, int64_t unix_ms);
	void	   *arg;
} CallsyncEnv;

/* A typed value.  Strings are not owned and not terminated: use len. */
typedef enum CallsyncValueKind
{
	CALLSYNC_VALUE_NULL,
	CALLSYNC_VALUE_BOOL,
	CALLSYNC_VALUE_INT,
	CALLSYNC_VALUE_REAL,
	CALLSYNC_VALUE_TEXT
} CallsyncValueKind;

typedef struct CallsyncValue
{
	CallsyncValueKind kind;
	bool		b;
	int64_t		i;
	double		r;
	const char *s;
	size_t		len;
} CallsyncValue;

typedef struct CallsyncFilter CallsyncFilter;	/* table entry, static */

typedef struct CallsyncFilterCall
{
	const CallsyncFilter *filter;
	const char *arg;			/* text after ':' or NULL; NUL-terminated */
} CallsyncFilterCall;

/* NULL if there is no such filter.  name need not be terminated. */
extern const CallsyncFilter *callsync_filter_find(const char *name, size_t len);

extern const char *callsync_filter_own_name(const CallsyncFilter *filter);

/* For hints and check_connector: the n-th name, NULL at the end. */
extern const char *callsync_filter_name(int n);

/* Is arg (NULL = none) acceptable for the filter?  If not, says what it wants. */
extern bool callsync_filter_check_arg(const CallsyncFilter *filter, const char *arg, const char **wanted);

/* Is its argument the path of another value, which the caller puts in the argument's place? */
extern bool callsync_filter_takes_path(const CallsyncFilter *filter);

/* Does the filter make a value safe for a URL path or query (url, ...)? */
extern bool callsync_filter_is_url_safe(const CallsyncFilter *filter);

/*
 * Applies the filter.  in and out may be the same.  Text results live in buf
 * (or in the input, or are static); *need tells the bytes that would have been
 * needed when buf was too small, in which case the result is false and error
 * NULL: call again with more room.  On a value that does not fit the filter the
 * result is false and *error a static sentence part ("is not a date").
 */
extern bool callsync_filter_apply(const CallsyncFilterCall *call, const CallsyncEnv *env,
								  const CallsyncValue *in, CallsyncValue *out,
								  char *buf, size_t buf_size, size_t *need,
								  const char **error);

/*
 * Instants.  Takes ISO 8601 with offset or Z (date only = midnight UTC when
 * allow_date) and digits as seconds or milliseconds.
 * An ISO date-time without offset is refused unless local is given (then it is
 * taken in the zone of env): stricter than instant.h, which reads what arrives and
 * may lose nothing; what we send must not be moved by hours.
 */
extern bool callsync_time_parse(const char *s, size_t len, const CallsyncEnv *env,
								bool allow_date, bool local, int64_t *unix_ms);
/* "2026-06-11T15:42:00Z", with .mmm only when there are any; returns length */
extern size_t callsync_time_format(int64_t unix_ms, char *out, size_t out_size);

#endif
