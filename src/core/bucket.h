/*
 * bucket.h
 *		Request limits of a server, obeyed exactly: never one request more in
 *		any window than the server counts.
 *
 * A classic token bucket lets up to twice the rate through a sliding window (a
 * full burst, then the refill), and a counter of send times is wrong by the
 * jitter of the network.  Here a grant is counted from the moment it is taken
 * until one window after its answer came: the server's own time stamp lies in
 * between, so two grants further apart than that are more than a window apart
 * for the server too, whatever clock or kind of window it uses.
 *
 * Expiry is kept in slices of window/64 (rounded up: late, never early), so the
 * state is a few hundred bytes for any rate and no allocation is made.
 *
 * Use: callsync_limits_take() before sending, callsync_limits_done() when the
 * answer is in or the request is known not to have left.  A forgotten done()
 * holds its token for ever.
 */
#ifndef CALLSYNC_CORE_BUCKET_H
#define CALLSYNC_CORE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define CALLSYNC_BUCKET_SLICES 64
#define CALLSYNC_LIMITS_MAX 8

typedef struct CallsyncBucket
{
	int64_t		window_ms;
	int64_t		rate;			/* units per window, as configured */
	int64_t		learned_rate;	/* lower limit told by the server, 0 = none */
	bool		fixed;			/* counter that empties at reset_at_ms (daily quota) */
	int64_t		reset_at_ms;	/* fixed only */
	int64_t		in_flight;		/* units taken, answer not in */
	int64_t		used;			/* units in slices (or, fixed, since the reset) */
	int64_t		slice_no;		/* number of the newest slice: time / slice length */
	int64_t		paused_until_ms;
	int64_t		slices[CALLSYNC_BUCKET_SLICES + 1];

	/* booked only: the books are kept elsewhere, units come from there some at a time */
	bool		booked;
	int64_t		credit;			/* units booked and not taken */
	int64_t		credit_until_ms;	/* then they count for another slice or period */
	int64_t		stale;			/* credit that was not used until then: to be given back */
	int64_t		stale_until_ms; /* credit_until_ms of those */
	int64_t		owed;			/* in flight at that instant: may count on the other side of it, too */
	int64_t		left;			/* units that the books still had when we last looked */
	int64_t		full_until_ms;	/* they had none: no use to ask before */
	int64_t		seen_used;		/* what the server says is used, 0: nothing said */
} CallsyncBucket;

/*
 * A request needs cost[i] units of each bucket that covers it (0 counts as 1).
 * Keep the same values from take() to done().
 */
typedef struct CallsyncLimits
{
	int			n;
	CallsyncBucket *bucket[CALLSYNC_LIMITS_MAX];
	int64_t		cost[CALLSYNC_LIMITS_MAX];
} CallsyncLimits;

extern void callsync_bucket_init(CallsyncBucket *bucket, int64_t rate, int64_t window_ms);
/* A quota that is reset at an instant (midnight of the account) instead of sliding. */
extern void callsync_bucket_init_fixed(CallsyncBucket *bucket, int64_t rate, int64_t period_ms,
									   int64_t next_reset_ms);

/*
 * A limit whose window is too long to be kept in one process's memory (a day):
 * it has to hold across restarts and for several processes. Units are booked
 * outside, a few at a time, before they are taken: when wants() says so, book,
 * then tell by callsync_bucket_credit(). What is not used until until_ms is
 * given back at the next booking (stale).
 */
extern void callsync_bucket_init_booked(CallsyncBucket *bucket, int64_t rate, int64_t window_ms);
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
 * Takes the units from every bucket, or from none.  keep_free (0..1) is the share of
 * each bucket that this request must leave alone: live calls pass 0, back-fill
 * e.g. 0.5.  On refusal *wait_until_ms is the earliest instant at which it can
 * succeed when nothing else is taken (now + 1 slice if that depends on a
 * request in flight).
 */
extern bool callsync_limits_take(CallsyncLimits *limits, double keep_free, int64_t now_ms,
								 int64_t *wait_until_ms);
/* The answer is in (counted = true) or the request never left (false). */
extern void callsync_limits_done(CallsyncLimits *limits, bool counted, int64_t now_ms);

/* A bucket of another rate takes the place of one: what that has counted, and what is under way of it, counts on. */
extern void callsync_bucket_inherit(CallsyncBucket *bucket, const CallsyncBucket *before, int64_t now_ms);

/* The server said "not before": nothing is granted until then; never shortened. */
extern void callsync_bucket_pause(CallsyncBucket *bucket, int64_t until_ms);

/*
 * What the server told in an answer's headers: limit and remaining (-1 =
 * unknown), reset_at_ms (0 = unknown).  Only ever makes us more careful: others
 * may use the same quota.  Call it after done() of the same request.
 */
extern void callsync_bucket_learn(CallsyncBucket *bucket, int64_t limit, int64_t remaining,
								  int64_t reset_at_ms, int64_t now_ms);
#endif
