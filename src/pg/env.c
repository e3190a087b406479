/*
 * env.c
 *		What row 0's filters need of the world: the region, the clock.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "pg/env.h"

#define EPOCH_US ((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

int64
callsync_unix_us(TimestampTz t)
{
	return t + EPOCH_US;
}

TimestampTz
callsync_from_unix_us(int64 us)
{
	return us - EPOCH_US;
}

char *
callsync_env_iso_time(TimestampTz t)
{
	struct pg_tm tm;
	fsec_t		fsec;

	/* a timestamp without zone is read as it stands: in UTC */
	if (timestamp2tm(t, NULL, &tm, &fsec, NULL, NULL) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	return psprintf("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
					tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int) fsec);
}

CallsyncEnv *
callsync_env_get(const char *region, TimestampTz now)
{
	CallsyncEnv *env = palloc0(sizeof(*env));

	env->now_ms = callsync_unix_us(now) / 1000;
	env->region = region;
	return env;
}
