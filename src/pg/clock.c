/*
 * clock.c
 *		See clock.h.
 */
#include "postgres.h"

#include "common/int.h"
#include "portability/instr_time.h"
#include "utils/timestamp.h"

#include "pg/clock.h"
#include "pg/guc.h"

TimestampTz
callsync_now(void)
{
	return GetCurrentTimestamp() + (int64) callsync_clock_offset * USECS_PER_SEC;
}

int64
callsync_monotonic_us(void)
{
	instr_time	t;

	INSTR_TIME_SET_CURRENT(t);
	return (int64) INSTR_TIME_GET_MICROSEC(t);
}

int64
callsync_ms_until(TimestampTz from, TimestampTz to)
{
	int64		diff;

	if (to <= from)
		return 0;
	if (pg_sub_s64_overflow(to, from, &diff))
		return PG_INT64_MAX / 1000;
	return diff / 1000 + (diff % 1000 != 0 ? 1 : 0);
}

TimestampTz
callsync_time_plus_ms(TimestampTz t, int64 ms)
{
	int64		usecs;
	int64		result;

	if (pg_mul_s64_overflow(ms, 1000, &usecs) ||
		pg_add_s64_overflow(t, usecs, &result) ||
		!IS_VALID_TIMESTAMP(result))
		return ms < 0 ? DT_NOBEGIN : DT_NOEND;
	return result;
}
