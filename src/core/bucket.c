/*
 * bucket.c
 *		Units of a quota that are booked elsewhere, see bucket.h.
 */
#include "core/bucket.h"

#include <string.h>

#define LOOK_AGAIN_MS 10000		/* what others leave alone may become free */

int64_t
callsync_bucket_rate(const CallsyncBucket *b)
{
	if (b->learned_rate > 0 && b->learned_rate < b->rate)
		return b->learned_rate;
	return b->rate;
}

void
callsync_bucket_init(CallsyncBucket *b, int64_t rate)
{
	memset(b, 0, sizeof(*b));
	b->rate = rate > 0 ? rate : 1;
	b->left = b->rate;
}

/* Is the slice or period of the credit over? */
static void
advance(CallsyncBucket *b, int64_t now_ms)
{
	if (b->credit_until_ms == 0 || now_ms < b->credit_until_ms)
		return;
	b->stale = b->credit;
	b->stale_until_ms = b->credit_until_ms;
	b->credit = 0;
	b->credit_until_ms = 0;
	b->owed += b->in_flight;
	b->full_until_ms = 0;
	b->seen_used = 0;
}

/* A cost above the whole rate must not wait for ever: it takes all. */
static int64_t
wanted(const CallsyncBucket *b, int64_t cost)
{
	int64_t		rate = callsync_bucket_rate(b);

	return cost < rate ? cost : rate;
}

/* Units that must stay for others */
static int64_t
reserve_units(double keep_free, int64_t rate, int64_t want)
{
	int64_t		reserve = (int64_t) (keep_free * (double) rate);

	if (reserve > rate - want)
		reserve = rate - want;
	return reserve > 0 ? reserve : 0;
}

int64_t
callsync_bucket_wants(CallsyncBucket *b, int64_t cost, double keep_free, int64_t now_ms)
{
	int64_t		rate = callsync_bucket_rate(b);
	int64_t		chunk = rate / 1000;

	advance(b, now_ms);
	cost = wanted(b, cost);
	if (now_ms < b->full_until_ms)
		return 0;
	if (b->credit >= cost && (b->credit_until_ms == 0 || b->credit + b->left >= cost + reserve_units(keep_free, rate, cost)))
		return 0;
	/* a few requests' worth, so that the books are not opened for each */
	if (chunk < cost)
		chunk = cost;
	return chunk - b->credit > 0 ? chunk - b->credit : 1;
}

void
callsync_bucket_credit(CallsyncBucket *b, int64_t granted, int64_t until_ms, int64_t left, int64_t full_until_ms)
{
	b->credit += granted;
	b->credit_until_ms = until_ms;
	b->left = left;
	b->full_until_ms = left > 0 ? 0 : full_until_ms;
	b->stale = 0;
	b->owed = 0;
}

void
callsync_bucket_uncredit(CallsyncBucket *b)
{
	b->credit = 0;
	b->stale = 0;
	b->owed = b->in_flight;
	b->full_until_ms = 0;
}

int64_t
callsync_bucket_free(CallsyncBucket *b, int64_t now_ms)
{
	advance(b, now_ms);
	return b->credit + b->left;
}

bool
callsync_bucket_can(CallsyncBucket *b, int64_t cost, double keep_free, int64_t now_ms, int64_t *wait_until_ms)
{
	int64_t		want = wanted(b, cost);

	advance(b, now_ms);
	*wait_until_ms = now_ms;
	if (b->credit >= want && b->credit + b->left >= want + reserve_units(keep_free, callsync_bucket_rate(b), want))
		return true;
	/* not empty: somebody leaves the rest alone, and may look again */
	*wait_until_ms = b->full_until_ms > now_ms ? b->full_until_ms : now_ms + LOOK_AGAIN_MS;
	return false;
}

void
callsync_bucket_take(CallsyncBucket *b, int64_t cost)
{
	b->in_flight += cost;
	b->credit -= cost < b->credit ? cost : b->credit;
}

void
callsync_bucket_done(CallsyncBucket *b, int64_t cost, bool counted, int64_t now_ms)
{
	advance(b, now_ms);
	b->in_flight -= cost < b->in_flight ? cost : b->in_flight;
	if (!counted && b->credit_until_ms != 0)
		b->credit += cost;
}

void
callsync_bucket_learn(CallsyncBucket *b, int64_t limit, int64_t remaining, int64_t now_ms)
{
	int64_t		used;

	advance(b, now_ms);
	if (limit > 0)
		b->learned_rate = limit;
	if (remaining < 0)
		return;
	/* what others use of it goes into the books with the next booking */
	used = callsync_bucket_rate(b) - remaining;
	if (used > b->seen_used)
		b->seen_used = used;
	if (b->credit > remaining)
		b->credit = remaining;
	if (b->left > remaining)
		b->left = remaining;
}
