/*
 * rate.c
 *		See rate.h.
 *
 * A slice is given back when its youngest possible answer is a whole window old.
 */
#include "core/rate.h"

#include <string.h>

/*
 * Ring places: the slices of one window and the running one.  An answer in slice
 * i came before (i + 1) * len and is given back at (i + RING) * len: a whole
 * window later at the least.
 */
#define RING (CALLSYNC_RATE_SLICES + 1)

/* Two clocks that are disciplined to the utmost differ by a thousandth of the time that passes. */
#define CLOCK_DRIFT 500			/* one part in so many */

/* What depends on an answer that is not in: look again then */
#define LOOK_AGAIN_US 1000000

static int
place(int64_t slice_no)
{
	int64_t		p = slice_no % RING;

	return (int) (p < 0 ? p + RING : p);
}

int64_t
callsync_rate_hold_us(int64_t window_us)
{
	return window_us + window_us / CLOCK_DRIFT + 1;
}

void
callsync_rate_init(CallsyncRate *w, int64_t window_us)
{
	memset(w, 0, sizeof(*w));
	w->window_us = window_us > 0 ? window_us : 1;
	w->slice_us = (callsync_rate_hold_us(w->window_us) + CALLSYNC_RATE_SLICES - 1) / CALLSYNC_RATE_SLICES;
	w->slice_no = INT64_MIN;
}

/* Moves the ring to now: gives back what is a window old. */
static void
advance(CallsyncRate *w, int64_t now_us)
{
	int64_t		no = now_us / w->slice_us;

	if (w->slice_no == INT64_MIN)
		w->slice_no = no;
	/* another process looked at the clock later: keep counting in the newest slice */
	if (no <= w->slice_no)
		return;
	if (w->used == 0 || no - w->slice_no >= RING)
	{
		memset(w->slices, 0, sizeof(w->slices));
		w->used = 0;
	}
	else
		for (int64_t i = w->slice_no + 1; i <= no; i++)
		{
			int			p = place(i);

			w->used -= w->slices[p];
			w->slices[p] = 0;
		}
	w->slice_no = no;
}

static void
put(CallsyncRate *w, int64_t slice_no, int64_t units)
{
	int32_t    *slice = &w->slices[place(slice_no)];

	/* more than that is no limit */
	if (units > INT32_MAX - *slice)
		units = INT32_MAX - *slice;
	*slice += (int32_t) units;
	w->used += units;
}

void
callsync_rate_resize(CallsyncRate *w, int64_t window_us, int64_t now_us)
{
	CallsyncRate before = *w;

	advance(&before, now_us);
	callsync_rate_init(w, window_us);
	advance(w, now_us);
	w->learned_rate = before.learned_rate;
	w->in_flight = before.in_flight;
	w->closed_until_us = before.closed_until_us;
	/* when it was answered is not known to the slices of another length: now, at the latest */
	if (before.used > 0)
		put(w, w->slice_no, before.used);
}

bool
callsync_rate_idle(CallsyncRate *w, int64_t now_us)
{
	if (w->window_us == 0)
		return true;
	advance(w, now_us);
	return w->in_flight == 0 && w->used == 0 && now_us >= w->closed_until_us;
}

int64_t
callsync_rate_effective(const CallsyncRate *w, int64_t rate)
{
	return w->learned_rate > 0 && w->learned_rate < rate ? w->learned_rate : rate;
}

int64_t
callsync_rate_free(CallsyncRate *w, int64_t rate, int64_t now_us)
{
	int64_t		units;

	advance(w, now_us);
	if (now_us < w->closed_until_us)
		return 0;
	units = callsync_rate_effective(w, rate) - w->used - w->in_flight;
	return units > 0 ? units : 0;
}

int64_t
callsync_rate_when(CallsyncRate *w, int64_t rate, int64_t need, int64_t now_us)
{
	int64_t		units;
	int64_t		at = now_us;

	advance(w, now_us);
	units = callsync_rate_effective(w, rate) - w->used - w->in_flight;
	if (units < need)
	{
		int64_t		hold = callsync_rate_hold_us(w->window_us);

		/* an answer that is not in frees nothing before a window has passed, if the request left at all */
		at = now_us + (hold < LOOK_AGAIN_US ? hold : LOOK_AGAIN_US);
		for (int64_t i = w->slice_no - RING + 1; i <= w->slice_no; i++)
		{
			units += w->slices[place(i)];
			if (units >= need)
			{
				/* the place of slice i is taken by slice i + RING */
				at = (i + RING) * w->slice_us;
				break;
			}
		}
		if (at <= now_us)
			at = now_us + 1;
	}
	return at > w->closed_until_us ? at : w->closed_until_us;
}

void
callsync_rate_take(CallsyncRate *w, int64_t cost)
{
	w->in_flight += cost;
}

void
callsync_rate_done(CallsyncRate *w, int64_t cost, bool counted, int64_t at_us, int64_t now_us)
{
	int64_t		no = at_us / w->slice_us;

	advance(w, now_us);
	w->in_flight -= cost < w->in_flight ? cost : w->in_flight;
	if (!counted || no <= w->slice_no - RING)
		return;
	put(w, no, cost);
}

void
callsync_rate_learn(CallsyncRate *w, int64_t rate, int64_t limit, int64_t remaining, int64_t now_us)
{
	int64_t		foreign;

	advance(w, now_us);
	if (limit > 0)
		w->learned_rate = limit;
	if (remaining < 0)
		return;

	/*
	 * What the server counts beyond our own answers was used by others. Requests in
	 * flight may or may not be counted yet: leave them out, the next answer tells more.
	 */
	foreign = callsync_rate_effective(w, rate) - w->used - remaining - w->in_flight;
	if (foreign > 0)
		put(w, w->slice_no, foreign);
}
