/*
 * clock.h
 *		The workers' idea of "now".
 *
 * Everything that a worker decides by time (retries, limits, token life) takes
 * it from here and passes it on as a parameter, also into SQL, so that a test
 * can let a day pass by setting callsync.clock_offset. Waiting and HTTP timeouts
 * run on the real clock.
 */
#ifndef CALLSYNC_PG_CLOCK_H
#define CALLSYNC_PG_CLOCK_H

#include "datatype/timestamp.h"

/* Now, moved by callsync.clock_offset. */
extern TimestampTz callsync_now(void);

/*
 * A clock that nobody sets, the same for all processes of the machine: microseconds since
 * some instant. For what must not depend on the date.
 */
extern int64 callsync_monotonic_us(void);

/* Milliseconds from "from" to "to", 0 where "to" is past; rounded up. */
extern int64 callsync_ms_until(TimestampTz from, TimestampTz to);

/* t + ms, for times that come from outside: saturates at the end of time. */
extern TimestampTz callsync_time_plus_ms(TimestampTz t, int64 ms);

#endif
