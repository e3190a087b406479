/*
 * backoff_test.c
 *		The default schedule's promises, over many draws.
 */
#include "core/backoff.h"

#include <stdint.h>

#include "unit.h"

#define HOUR INT64_C(3600000)

static uint64_t seed = 88172645463325252;

static double
draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (double) (seed >> 11) / 9007199254740992.0;
}

int
main(void)
{
	const CallsyncBackoff *transient = callsync_backoff_default(CALLSYNC_CLASS_TRANSIENT);
	int64_t		at;
	double		sum_fifth = 0;
	int			min_attempts = 1000000;
	int			max_attempts = 0;

	/* classes that time does not mend */
	for (int c = 0; c < CALLSYNC_CLASS_COUNT; c++)
		if (c == CALLSYNC_CLASS_PERMANENT || c == CALLSYNC_CLASS_VALIDATION || c == CALLSYNC_CLASS_CONFIG)
			CHECK(callsync_backoff_next(callsync_backoff_default(c), 1, 0, 0, 0, 0.5, &at) == CALLSYNC_BACKOFF_NEVER);

	/* whatever is drawn: tried until 76 hours at the least, then exhausted; a try every 4 hours at the worst */
	for (int run = 0; run < 2000; run++)
	{
		int64_t		first = INT64_C(1700000000000);
		int64_t		now = first;
		int			attempts = 0;

		for (;;)
		{
			CallsyncBackoffVerdict v;

			attempts++;
			v = callsync_backoff_next(transient, attempts, first, now, 0, draw(), &at);
			if (v == CALLSYNC_BACKOFF_EXHAUSTED)
				break;
			if (!(v == CALLSYNC_BACKOFF_RETRY && at >= now && at - now <= 2 * HOUR))
				CHECK(!"a wait within bounds");
			if (at <= now)
				CHECK(!"time moves on");
			now = at;
			if (attempts == 5)
				sum_fifth += (double) (now - first);
		}
		if (now - first < 76 * HOUR || now - first > 80 * HOUR)
			CHECK(!"span of the schedule");
		if (attempts < min_attempts)
			min_attempts = attempts;
		if (attempts > max_attempts)
			max_attempts = attempts;
	}
	CHECK(min_attempts > 40 && max_attempts < 200);
	/* five retries within a few minutes on average */
	CHECK(sum_fifth / 2000 > 60000 && sum_fifth / 2000 < 300000);

	/* jitter: the extremes of the draw */
	CHECK(callsync_backoff_next(transient, 4, 0, 1000, 0, 0.0, &at) == CALLSYNC_BACKOFF_RETRY);
	CHECK(at == 1000 + transient->floor_ms);
	CHECK(callsync_backoff_next(transient, 4, 0, 1000, 0, 0.999999, &at) == CALLSYNC_BACKOFF_RETRY);
	CHECK(at > 1000 + 79000 && at <= 1000 + 80000);

	/* the server's word: never earlier, a little later */
	for (int i = 0; i < 1000; i++)
	{
		CHECK(callsync_backoff_next(transient, 1 + i % 20, 0, 1000, 61000, draw(), &at) == CALLSYNC_BACKOFF_RETRY);
		if (at < 61000 || at > 61000 + 60000)
			CHECK(!"Retry-After is kept");
	}
	/* even beyond the deadline */
	CHECK(callsync_backoff_next(transient, 3, 0, 76 * HOUR, 90 * HOUR, 0, &at) == CALLSYNC_BACKOFF_RETRY && at == 90 * HOUR);
	/* a past one is no reason to hurry */
	CHECK(callsync_backoff_next(transient, 3, 0, 100000, 50000, 0.5, &at) == CALLSYNC_BACKOFF_RETRY && at > 100000);

	/* count bound */
	{
		CallsyncBackoff three = {true, 1000, 10000, 100, 3, 1000 * HOUR};

		CHECK(callsync_backoff_next(&three, 2, 0, 0, 0, 0.5, &at) == CALLSYNC_BACKOFF_RETRY);
		CHECK(callsync_backoff_next(&three, 3, 0, 0, 0, 0.5, &at) == CALLSYNC_BACKOFF_EXHAUSTED);
	}
	CHECK(callsync_class_from_name("throttled") == CALLSYNC_CLASS_THROTTLED);
	CHECK(callsync_class_from_name("THROTTLE") == -1);
	for (int c = 0; c < CALLSYNC_CLASS_COUNT; c++)
		CHECK(callsync_class_from_name(callsync_class_name(c)) == c);
	return unit_done("backoff");
}
