/*
 * rate.h
 *		One limit of a server, "n requests in any w seconds", obeyed exactly:
 *		no window of the server ever holds one more, however requests stall.
 *
 * A classic token bucket lets up to twice the rate through a sliding window (a
 * full burst, then the refill), and a counter of send times is wrong by what the
 * network and the scheduler add until the server counts. Here a unit is out from
 * the moment it is taken until one window after its answer came. The server counted
 * the request in between, so two requests that had the same unit are more than a
 * window apart for it too, whatever happened on the way; as many as there are units
 * are what a window can hold at the most.
 *
 * Time is of a clock that nobody sets (monotonic, microseconds); the server's may
 * run faster or slower by CLOCK_DRIFT. Expiry is kept in slices, rounded up: late,
 * never early. No pointers, no allocation: it can live in shared memory.
 */
#ifndef CALLSYNC_CORE_RATE_H
#define CALLSYNC_CORE_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define CALLSYNC_LIMITS_MAX 8	/* of one destination */
#define CALLSYNC_RATE_SLICES 250

typedef struct CallsyncRate
{
	int64_t		window_us;		/* 0: not in use */
	int64_t		slice_us;
	int64_t		learned_rate;	/* lower limit told by the server, 0 = none */
	int64_t		in_flight;		/* units taken, answer not in */
	int64_t		used;			/* units in slices */
	int64_t		slice_no;		/* number of the newest slice: time / slice length */
	int64_t		closed_until_us;	/* nothing is free before */
	int32_t		slices[CALLSYNC_RATE_SLICES + 1];
} CallsyncRate;

extern void callsync_rate_init(CallsyncRate *r, int64_t window_us);
/* How long a unit stays out after the answer: the window and a little. */
extern int64_t callsync_rate_hold_us(int64_t window_us);
/* Another length of the window; what was sent counts on. */
extern void callsync_rate_resize(CallsyncRate *r, int64_t window_us, int64_t now_us);
/* Nothing that it would remember */
extern bool callsync_rate_idle(CallsyncRate *r, int64_t now_us);
/* The rate that holds: as configured, or less where the server said so. */
extern int64_t callsync_rate_effective(const CallsyncRate *r, int64_t rate);

/* Units of the rate that are free now */
extern int64_t callsync_rate_free(CallsyncRate *r, int64_t rate, int64_t now_us);
/* Earliest instant at which `need` units can be free if nothing more is taken; now_us: they are. */
extern int64_t callsync_rate_when(CallsyncRate *r, int64_t rate, int64_t need, int64_t now_us);
extern void callsync_rate_take(CallsyncRate *r, int64_t cost);
/* The answer came at at_us, not after now_us (counted = true), or the request never left (false). */
extern void callsync_rate_done(CallsyncRate *r, int64_t cost, bool counted, int64_t at_us, int64_t now_us);

/*
 * What the server told in an answer's headers: limit and remaining (-1 = unknown).
 * Only ever makes us more careful: others may use the same limit. After done() of
 * the same request.
 */
extern void callsync_rate_learn(CallsyncRate *r, int64_t rate, int64_t limit, int64_t remaining, int64_t now_us);

#endif
