/*
 * bucket_test.c
 *		The promise of bucket.h against a counting server: whatever the network
 *		does, no window of the server ever holds more than the rate.
 */
#include "core/bucket.h"

#include <stdint.h>
#include <stdlib.h>

#include "unit.h"

/* A small generator of our own: the same sequence on every machine. */
static uint64_t seed;

static uint64_t
rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

#define MAXREQ 20000

static int
cmp_i64(const void *a, const void *b)
{
	int64_t		x = *(const int64_t *) a;
	int64_t		y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

/* Most requests that a window of the server (closed, window_ms long) ever held */
static int
worst_window(int64_t *at, int n, int64_t window_ms)
{
	int			worst = 0;
	int			lo = 0;

	qsort(at, (size_t) n, sizeof(at[0]), cmp_i64);
	for (int hi = 0; hi < n; hi++)
	{
		while (at[hi] - at[lo] > window_ms)
			lo++;
		if (hi - lo + 1 > worst)
			worst = hi - lo + 1;
	}
	return worst;
}

/* Runs a client for a while; the server's time stamp is anywhere between send and answer. */
static void
simulate(int64_t rate_a, int64_t win_a, int64_t rate_b, int64_t win_b, int concurrency,
		 int latency_ms, int64_t duration_ms)
{
	CallsyncBucket a;
	CallsyncBucket b;
	CallsyncLimits limits = {.n = 2, .bucket = {&a, &b}};
	static int64_t stamps[MAXREQ];
	static int64_t copy[MAXREQ];
	int64_t		done_at[64];
	int			nflight = 0;
	int			n = 0;
	int64_t		now = 1700000000123;
	int64_t		end = now + duration_ms;

	callsync_bucket_init(&a, rate_a, win_a);
	callsync_bucket_init(&b, rate_b, win_b);
	while (now < end && n < MAXREQ)
	{
		int64_t		wait;

		for (int i = 0; i < nflight;)
		{
			if (done_at[i] <= now)
			{
				callsync_limits_done(&limits, true, now);
				done_at[i] = done_at[--nflight];
			}
			else
				i++;
		}
		while (nflight < concurrency && n < MAXREQ && callsync_limits_take(&limits, 0, now, &wait))
		{
			int64_t		latency = 1 + (int64_t) rnd((uint64_t) latency_ms);

			stamps[n++] = now + (int64_t) rnd((uint64_t) latency + 1);
			done_at[nflight++] = now + latency;
		}
		now += 1 + (int64_t) rnd(5);
	}
	memcpy(copy, stamps, sizeof(stamps));
	CHECK(worst_window(copy, n, win_a) <= rate_a);
	CHECK(worst_window(copy, n, win_b) <= rate_b);
	/* and the limit is used: at least 85 % of what the tighter window allows */
	{
		double		per_ms_a = (double) rate_a / (double) (win_a + latency_ms);
		double		per_ms_b = (double) rate_b / (double) (win_b + latency_ms);
		double		allowed = (per_ms_a < per_ms_b ? per_ms_a : per_ms_b) * (double) duration_ms;

		CHECK(n >= (int) (allowed * 0.85) || n == MAXREQ);
	}
}

int
main(void)
{
	CallsyncBucket b;
	CallsyncBucket day;
	CallsyncLimits limits = {.n = 1, .bucket = {&b}};
	int64_t		wait;
	int64_t		t = 1000000;

	/* a burst, then exactly one window's pause */
	callsync_bucket_init(&b, 4, 1000);
	for (int i = 0; i < 4; i++)
		CHECK(callsync_limits_take(&limits, 0, t, &wait));
	CHECK(!callsync_limits_take(&limits, 0, t, &wait));
	for (int i = 0; i < 4; i++)
		callsync_limits_done(&limits, true, t + 10);
	CHECK(!callsync_limits_take(&limits, 0, t + 1010, &wait));
	CHECK(wait > t + 1010 && wait <= t + 1010 + 2 * 16);
	CHECK(callsync_limits_take(&limits, 0, wait, &wait));

	/* a request that never left gives its unit back at once */
	callsync_bucket_init(&b, 1, 60000);
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	callsync_limits_done(&limits, false, t);
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	/* one in flight, no answer yet: no promise, look again soon */
	CHECK(!callsync_limits_take(&limits, 0, t, &wait));
	CHECK(wait > t && wait <= t + 1000);

	/* the reserve: back-fill leaves half, live calls may take it */
	callsync_bucket_init(&b, 10, 1000);
	for (int i = 0; i < 5; i++)
		CHECK(callsync_limits_take(&limits, 0.5, t, &wait));
	CHECK(!callsync_limits_take(&limits, 0.5, t, &wait));
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	/* a reserve of everything still lets one through when all is free */
	callsync_bucket_init(&b, 1, 1000);
	CHECK(callsync_limits_take(&limits, 0.9, t, &wait));

	/* cost; a cost over the whole rate waits for a full window, not for ever */
	callsync_bucket_init(&b, 100, 10000);
	limits.cost[0] = 40;
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	CHECK(!callsync_limits_take(&limits, 0, t, &wait));
	CHECK(callsync_bucket_free(&b, t) == 20);
	callsync_bucket_init(&b, 10, 1000);
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	callsync_limits_done(&limits, true, t);
	CHECK(!callsync_limits_take(&limits, 0, t + 500, &wait));
	CHECK(callsync_limits_take(&limits, 0, t + 1100, &wait));
	limits.cost[0] = 0;

	/* pause by Retry-After: never shortened */
	callsync_bucket_init(&b, 10, 1000);
	callsync_bucket_pause(&b, t + 30000);
	callsync_bucket_pause(&b, t + 10000);
	CHECK(!callsync_limits_take(&limits, 0, t + 20000, &wait));
	CHECK(wait == t + 30000);
	CHECK(callsync_limits_take(&limits, 0, t + 30000, &wait));

	/* learning: others use the same quota */
	callsync_bucket_init(&b, 100, 10000);
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	callsync_limits_done(&limits, true, t);
	callsync_bucket_learn(&b, 100, 30, 0, t);
	CHECK(callsync_bucket_free(&b, t) == 30);
	callsync_bucket_learn(&b, 100, 90, 0, t);	/* never more generous than what we know */
	CHECK(callsync_bucket_free(&b, t) == 30);
	CHECK(callsync_bucket_free(&b, t + 11000) == 100);
	callsync_bucket_learn(&b, 50, -1, 0, t + 11000);
	CHECK(callsync_bucket_free(&b, t + 11000) == 50);
	callsync_bucket_learn(&b, 500, -1, 0, t + 11000);	/* a higher limit than configured is not taken */
	CHECK(callsync_bucket_free(&b, t + 11000) == 100);

	/* a daily quota resets at its instant, not by sliding */
	callsync_bucket_init_fixed(&day, 3, 86400000, t + 5000);
	limits.bucket[0] = &day;
	for (int i = 0; i < 3; i++)
	{
		CHECK(callsync_limits_take(&limits, 0, t, &wait));
		callsync_limits_done(&limits, true, t);
	}
	CHECK(!callsync_limits_take(&limits, 0, t + 4999, &wait));
	CHECK(wait == t + 5000);
	CHECK(callsync_limits_take(&limits, 0, t + 5000, &wait));
	CHECK(day.reset_at_ms == t + 5000 + 86400000);
	limits.bucket[0] = &b;

	/* a limit whose books are elsewhere: units are booked, taken, given back */
	callsync_bucket_init_booked(&day, 2000, 86400000);
	limits.bucket[0] = &day;
	CHECK(!callsync_limits_take(&limits, 0, t, &wait));	/* nothing in hand */
	CHECK(callsync_bucket_wants(&day, 1, 0, t) == 2);
	callsync_bucket_credit(&day, 2, t + 5000, 1998, 0);
	CHECK(callsync_bucket_wants(&day, 1, 0, t) == 0);
	CHECK(callsync_bucket_free(&day, t) == 2000);
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	callsync_limits_done(&limits, false, t);	/* it never left: ours again */
	CHECK(day.credit == 2);
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	callsync_limits_done(&limits, true, t);
	CHECK(day.in_flight == 1);
	CHECK(!callsync_limits_take(&limits, 0, t + 1, &wait));
	callsync_bucket_credit(&day, 2, t + 5000, 0, t + 5000);	/* the last ones */
	CHECK(callsync_limits_take(&limits, 0, t + 2, &wait));
	/* the period is over: the one not taken is given back, the two under way count for both */
	CHECK(callsync_bucket_wants(&day, 1, 0, t + 5000) == 2);
	CHECK(day.stale == 1 && day.stale_until_ms == t + 5000 && day.owed == 2 && day.credit == 0);
	callsync_limits_done(&limits, true, t + 5001);
	callsync_limits_done(&limits, true, t + 5001);
	callsync_bucket_credit(&day, 2, t + 10000, 5, 0);
	CHECK(day.owed == 0 && day.stale == 0 && day.credit == 2);
	/* none left: no use to ask before some expire */
	callsync_bucket_credit(&day, 0, t + 10000, 0, t + 9000);
	day.credit = 0;
	CHECK(callsync_bucket_wants(&day, 1, 0, t + 6000) == 0);
	CHECK(!callsync_limits_take(&limits, 0, t + 6000, &wait) && wait == t + 9000);
	CHECK(callsync_bucket_wants(&day, 1, 0, t + 9000) == 2);
	/* back-fill leaves its share to live calls */
	callsync_bucket_credit(&day, 10, t + 10000, 900, 0);
	CHECK(!callsync_limits_take(&limits, 0.5, t + 9000, &wait));
	CHECK(callsync_limits_take(&limits, 0, t + 9000, &wait));
	/* a rollback: what was booked in it is not ours */
	callsync_bucket_uncredit(&day);
	CHECK(day.credit == 0 && day.owed == 1);
	/* what the server counts goes into the books */
	callsync_bucket_credit(&day, 100, t + 10000, 900, 0);
	callsync_bucket_learn(&day, -1, 40, 0, t + 9000);
	CHECK(day.credit == 40 && day.left == 40 && day.seen_used == 1960);
	limits.bucket[0] = &b;

	/* another rate: what was counted stays counted */
	callsync_bucket_init(&b, 3, 1000);
	CHECK(callsync_limits_take(&limits, 0, t, &wait) && callsync_limits_take(&limits, 0, t, &wait));
	callsync_limits_done(&limits, true, t);
	callsync_bucket_init(&day, 5, 1000);
	callsync_bucket_inherit(&day, &b, t + 10);
	CHECK(callsync_bucket_free(&day, t + 10) == 3);
	CHECK(callsync_bucket_free(&day, t + 1100) == 5);

	/* a clock that jumps: back (no unit appears), far ahead (all are free) */
	callsync_bucket_init(&b, 2, 1000);
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	CHECK(callsync_limits_take(&limits, 0, t, &wait));
	callsync_limits_done(&limits, true, t);
	callsync_limits_done(&limits, true, t);
	CHECK(!callsync_limits_take(&limits, 0, t - 500000, &wait));
	CHECK(callsync_bucket_free(&b, t + INT64_C(1000000000000)) == 2);

	/* against a counting server with jitter */
	for (uint64_t s = 1; s <= 12; s++)
	{
		seed = s * 7919;
		simulate(4, 1000, 1000, 60000, 8, 200, 60000);
		simulate(100, 10000, 19, 1000, 16, 700, 120000);
		simulate(5, 1000, 100, 10000, 1, 30, 30000);
		simulate(6000, 300000, 52, 1000, 52, 900, 600000);
		simulate(1, 100, 7, 1000, 4, 5, 20000);
	}
	return unit_done("bucket");
}
