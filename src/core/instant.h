/*
 * instant.h
 *		Points in time as senders write them, to microseconds since 1970 UTC.
 *
 * Microseconds, because the order of events is decided by them. A text without
 * an offset is taken as UTC: a sender that leaves it out has no zone to tell, and
 * refusing its call would lose more than an hour's doubt does.
 */
#ifndef CALLSYNC_CORE_INSTANT_H
#define CALLSYNC_CORE_INSTANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* room for the longest text of callsync_instant_format() */
#define CALLSYNC_INSTANT_LEN 40

/*
 * Takes ISO 8601 / RFC 3339 ("2026-06-11T15:42:00.5+02:00", blank for T, basic
 * offsets, date alone = midnight), RFC 2822 and 9110 dates ("Fri, 20 Nov 2026
 * 18:03:02 +0000"), and digits alone as by callsync_instant_from_number().
 */
extern bool callsync_instant_parse(const char *s, size_t len, int64_t *us);

/*
 * A number of seconds, milliseconds, microseconds or nanoseconds since 1970, told
 * apart by size (seconds reach to the year 5138). False outside the years 1 to 9999.
 */
extern bool callsync_instant_from_number(double number, int64_t *us);
extern bool callsync_instant_from_int(int64_t number, int64_t *us);

/* "2026-06-11T15:42:00Z", with .123 or .123456 where needed; returns the length. */
extern size_t callsync_instant_format(int64_t us, char out[CALLSYNC_INSTANT_LEN]);

#endif
