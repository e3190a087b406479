/*
 * env.h
 *		What row 0's filters need of the world: the region, the clock.
 */
#ifndef CALLSYNC_PG_ENV_H
#define CALLSYNC_PG_ENV_H

#include "core/filter.h"
#include "datatype/timestamp.h"

/* palloc'ed; region may be NULL */
extern CallsyncEnv *callsync_env_get(const char *region, TimestampTz now);

/* Unix time in microseconds and back */
extern int64 callsync_unix_us(TimestampTz t);
extern TimestampTz callsync_from_unix_us(int64 us);

/* "2026-06-11T15:42:00.123456Z"; palloc'ed */
extern char *callsync_env_iso_time(TimestampTz t);

#endif
