/*
 * bucket_test.c
 *		Units of a quota that is kept in a table: booked, taken, given back.
 */
#include "core/bucket.h"

#include <stdint.h>

#include "unit.h"

static bool
take(CallsyncBucket *b, double keep_free, int64_t now_ms, int64_t *wait)
{
	if (!callsync_bucket_can(b, 1, keep_free, now_ms, wait))
		return false;
	callsync_bucket_take(b, 1);
	return true;
}

int
main(void)
{
	CallsyncBucket day;
	int64_t		wait;
	int64_t		t = 1000000;

	/* a limit whose books are elsewhere: units are booked, taken, given back */
	callsync_bucket_init(&day, 2000);
	CHECK(!take(&day, 0, t, &wait));	/* nothing in hand */
	CHECK(callsync_bucket_wants(&day, 1, 0, t) == 2);
	callsync_bucket_credit(&day, 2, t + 5000, 1998, 0);
	CHECK(callsync_bucket_wants(&day, 1, 0, t) == 0);
	CHECK(callsync_bucket_free(&day, t) == 2000);
	CHECK(take(&day, 0, t, &wait));
	callsync_bucket_done(&day, 1, false, t);	/* it never left: ours again */
	CHECK(day.credit == 2);
	CHECK(take(&day, 0, t, &wait));
	CHECK(take(&day, 0, t, &wait));
	callsync_bucket_done(&day, 1, true, t);
	CHECK(day.in_flight == 1);
	CHECK(!take(&day, 0, t + 1, &wait));
	callsync_bucket_credit(&day, 2, t + 5000, 0, t + 5000);	/* the last ones */
	CHECK(take(&day, 0, t + 2, &wait));
	/* the period is over: the one not taken is given back, the two under way count for both */
	CHECK(callsync_bucket_wants(&day, 1, 0, t + 5000) == 2);
	CHECK(day.stale == 1 && day.stale_until_ms == t + 5000 && day.owed == 2 && day.credit == 0);
	callsync_bucket_done(&day, 1, true, t + 5001);
	callsync_bucket_done(&day, 1, true, t + 5001);
	callsync_bucket_credit(&day, 2, t + 10000, 5, 0);
	CHECK(day.owed == 0 && day.stale == 0 && day.credit == 2);
	/* none left: no use to ask before some expire */
	callsync_bucket_credit(&day, 0, t + 10000, 0, t + 9000);
	day.credit = 0;
	CHECK(callsync_bucket_wants(&day, 1, 0, t + 6000) == 0);
	CHECK(!take(&day, 0, t + 6000, &wait) && wait == t + 9000);
	CHECK(callsync_bucket_wants(&day, 1, 0, t + 9000) == 2);
	/* back-fill leaves its share to live calls */
	callsync_bucket_credit(&day, 10, t + 10000, 900, 0);
	CHECK(!take(&day, 0.5, t + 9000, &wait));
	CHECK(take(&day, 0, t + 9000, &wait));
	/* a rollback: what was booked in it is not ours */
	callsync_bucket_uncredit(&day);
	CHECK(day.credit == 0 && day.owed == 1);
	/* what the server counts goes into the books */
	callsync_bucket_credit(&day, 100, t + 10000, 900, 0);
	callsync_bucket_learn(&day, -1, 40, t + 9000);
	CHECK(day.credit == 40 && day.left == 40 && day.seen_used == 1960);
	return unit_done("bucket");
}
