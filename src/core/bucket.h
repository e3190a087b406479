/*
 * bucket.h
 *		A limit whose window is too long to be kept in memory (a day): it has to
 *		hold across restarts and for several processes. Limits of short windows are
 *		in rate.h.
 *
 * The books are kept elsewhere (a table). Units are booked there, a few at a time,
 * before requests take them: when wants() says so, book, then tell by credit(). What
 * is not used until until_ms is given back at the next booking (stale). Time is that
 * of the books (wall clock), milliseconds.
 */
#ifndef CALLSYNC_CORE_BUCKET_H
#define CALLSYNC_CORE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define CALLSYNC_BUCKET_SLICES 64	/* of a sliding window, in the books */

typedef struct CallsyncBucket
{
	int64_t		rate;			/* units per window or period, as configured */
	int64_t		learned_rate;	/* lower limit told by the server, 0 = none */
	int64_t		in_flight;		/* units taken, answer not in */
	int64_t		credit;			/* units booked and not taken */
	int64_t		credit_until_ms;	/* then they count for another slice or period */
	int64_t		stale;			/* credit that was not used until then: to be given back */
	int64_t		stale_until_ms; /* credit_until_ms of those */
	int64_t		owed;			/* in flight at that instant: may count on the other side of it, too */
	int64_t		left;			/* units that the books still had when we last looked */
	int64_t		full_until_ms;	/* they had none: no use to ask before */
	int64_t		seen_used;		/* what the server says is used, 0: nothing said */
} CallsyncBucket;

extern void callsync_bucket_init(CallsyncBucket *bucket, int64_t rate);
/* The lower of what is configured and what the server said. */
extern int64_t callsync_bucket_rate(const CallsyncBucket *bucket);
/* How many units to book so that a request of that cost can go; 0: none, it can, or there are none. */
extern int64_t callsync_bucket_wants(CallsyncBucket *bucket, int64_t cost, double keep_free, int64_t now_ms);
/* granted units are ours until until_ms; left: what the books still have; full_until_ms: where that is nothing */
extern void callsync_bucket_credit(CallsyncBucket *bucket, int64_t granted, int64_t until_ms, int64_t left,
								   int64_t full_until_ms);
/* The booking did not come about (rollback): what is in hand may not be ours. */
extern void callsync_bucket_uncredit(CallsyncBucket *bucket);

/* Units free right now. */
extern int64_t callsync_bucket_free(CallsyncBucket *bucket, int64_t now_ms);

/*
 * May a request take so many units? keep_free (0..1) is the share that must stay for
 * others: live calls pass 0, back-fill e.g. 0.5. If not, *wait_until_ms is the earliest
 * instant at which it can.
 */
extern bool callsync_bucket_can(CallsyncBucket *bucket, int64_t cost, double keep_free, int64_t now_ms,
								int64_t *wait_until_ms);
extern void callsync_bucket_take(CallsyncBucket *bucket, int64_t cost);
/* The answer is in (counted = true) or the request never left (false). */
extern void callsync_bucket_done(CallsyncBucket *bucket, int64_t cost, bool counted, int64_t now_ms);

/*
 * What the server told in an answer's headers: limit and remaining (-1 =
 * unknown).  Only ever makes us more careful: others may use the same quota.
 */
extern void callsync_bucket_learn(CallsyncBucket *bucket, int64_t limit, int64_t remaining, int64_t now_ms);
#endif
