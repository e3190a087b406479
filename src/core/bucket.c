/*
 * bucket.c
 *		Sliding windows of requests, see bucket.h.
 *
 * A unit occupies the bucket while its request is in flight and then one window
 * from the answer on.  Answers are counted in slices; a slice is given back when
 * its youngest possible answer is a whole window old, so rounding only ever
 * delays.
 */
#include "core/bucket.h"

#include <string.h>

/*
 * Ring places: the slices of one window and the running one.  An answer in slice
 * i came before (i + 1) * len and is given back at (i + RING) * len: a whole
 * window later at the least.
 */
#define RING (CALLSYNC_BUCKET_SLICES + 1)

#define LOOK_AGAIN_MS 10000		/* what others leave alone of a booked limit may become free */

static int64_t
slice_ms(const CallsyncBucket *b)
{
	int64_t		ms = (b->window_ms + CALLSYNC_BUCKET_SLICES - 1) / CALLSYNC_BUCKET_SLICES;

	return ms > 0 ? ms : 1;
}

static int
ring_place(int64_t slice_no)
{
	int64_t		place = slice_no % RING;

	return (int) (place < 0 ? place + RING : place);
}

static int64_t
effective_rate(const CallsyncBucket *b)
{
	if (b->learned_rate > 0 && b->learned_rate < b->rate)
		return b->learned_rate;
	return b->rate;
}

void
callsync_bucket_init(CallsyncBucket *b, int64_t rate, int64_t window_ms)
{
	memset(b, 0, sizeof(*b));
	b->rate = rate > 0 ? rate : 1;
	b->window_ms = window_ms > 0 ? window_ms : 1;
	b->slice_no = INT64_MIN;
}

void
callsync_bucket_init_fixed(CallsyncBucket *b, int64_t rate, int64_t period_ms, int64_t next_reset_ms)
{
	callsync_bucket_init(b, rate, period_ms);
	b->fixed = true;
	b->reset_at_ms = next_reset_ms;
}

/* The slice or period of the credit is over. */
static void
expire_credit(CallsyncBucket *b)
{
	b->stale = b->credit;
	b->stale_until_ms = b->credit_until_ms;
	b->credit = 0;
	b->credit_until_ms = 0;
	b->owed += b->in_flight;
	b->full_until_ms = 0;
	b->seen_used = 0;
}

/* Moves the ring to now: gives back what is a window old. */
static void
advance(CallsyncBucket *b, int64_t now_ms)
{
	int64_t		no;

	if (b->booked)
	{
		if (b->credit_until_ms != 0 && now_ms >= b->credit_until_ms)
			expire_credit(b);
		return;
	}
	if (b->fixed)
	{
		while (now_ms >= b->reset_at_ms)
		{
			b->used = 0;
			b->learned_rate = 0;
			b->reset_at_ms += b->window_ms;
		}
		return;
	}
	no = now_ms / slice_ms(b);
	if (b->slice_no == INT64_MIN)
		b->slice_no = no;
	/* A clock that was set back: keep counting in the newest slice. */
	if (no <= b->slice_no)
		return;
	if (no - b->slice_no >= RING)
	{
		memset(b->slices, 0, sizeof(b->slices));
		b->used = 0;
	}
	else
		for (int64_t i = b->slice_no + 1; i <= no; i++)
		{
			int			place = ring_place(i);

			b->used -= b->slices[place];
			b->slices[place] = 0;
		}
	b->slice_no = no;
}

void
callsync_bucket_init_booked(CallsyncBucket *b, int64_t rate, int64_t window_ms)
{
	callsync_bucket_init(b, rate, window_ms);
	b->booked = true;
	b->left = b->rate;
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
	int64_t		rate = effective_rate(b);
	int64_t		chunk = rate / 1000;

	if (!b->booked)
		return 0;
	advance(b, now_ms);
	if (cost > rate)
		cost = rate;
	if (now_ms < b->paused_until_ms || now_ms < b->full_until_ms)
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
	if (!b->booked)
		return;
	b->credit = 0;
	b->stale = 0;
	b->owed = b->in_flight;
	b->full_until_ms = 0;
}

int64_t
callsync_bucket_free(CallsyncBucket *b, int64_t now_ms)
{
	int64_t		units;

	advance(b, now_ms);
	if (now_ms < b->paused_until_ms)
		return 0;
	if (b->booked)
		return b->credit + b->left;
	units = effective_rate(b) - b->used - b->in_flight;
	return units > 0 ? units : 0;
}

/* Earliest instant at which `need` units are free if nothing more is taken. */
static int64_t
when_free(CallsyncBucket *b, int64_t need, int64_t now_ms)
{
	int64_t		units = effective_rate(b) - b->used - b->in_flight;
	int64_t		at = now_ms;

	if (b->booked)
		/* not empty: somebody leaves the rest alone, and may look again */
		at = b->full_until_ms > now_ms ? b->full_until_ms : now_ms + LOOK_AGAIN_MS;
	else if (units < need)
	{
		if (b->fixed)
			at = b->reset_at_ms;
		else
		{
			int64_t		len = slice_ms(b);

			at = now_ms + len;	/* an answer in flight may free nothing for a window: look again */
			for (int64_t i = b->slice_no - RING + 1; i <= b->slice_no; i++)
			{
				units += b->slices[ring_place(i)];
				if (units >= need)
				{
					/* the place of slice i is reused by slice i + RING */
					int64_t		freed = (i + RING) * len;

					if (freed > at)
						at = freed;
					break;
				}
			}
		}
	}
	if (at < b->paused_until_ms)
		at = b->paused_until_ms;
	return at;
}

bool
callsync_limits_take(CallsyncLimits *limits, double keep_free, int64_t now_ms, int64_t *wait_until_ms)
{
	bool		ok = true;
	int64_t		wait = now_ms;

	for (int i = 0; i < limits->n; i++)
	{
		CallsyncBucket *b = limits->bucket[i];
		int64_t		cost = limits->cost[i] > 0 ? limits->cost[i] : 1;
		int64_t		rate = effective_rate(b);

		/* A cost above the whole rate must not wait for ever: it takes the full window. */
		int64_t		want = cost < rate ? cost : rate;
		int64_t		need = want + reserve_units(keep_free, rate, want);

		if (callsync_bucket_free(b, now_ms) < need || (b->booked && b->credit < want))
		{
			int64_t		at = when_free(b, need, now_ms);

			if (at > wait)
				wait = at;
			ok = false;
		}
	}
	*wait_until_ms = ok ? now_ms : (wait > now_ms ? wait : now_ms + 1);
	if (!ok)
		return false;
	for (int i = 0; i < limits->n; i++)
	{
		CallsyncBucket *b = limits->bucket[i];
		int64_t		cost = limits->cost[i] > 0 ? limits->cost[i] : 1;

		b->in_flight += cost;
		if (b->booked)
			b->credit -= cost < b->credit ? cost : b->credit;
	}
	return true;
}

void
callsync_limits_done(CallsyncLimits *limits, bool counted, int64_t now_ms)
{
	for (int i = 0; i < limits->n; i++)
	{
		CallsyncBucket *b = limits->bucket[i];
		int64_t		cost = limits->cost[i] > 0 ? limits->cost[i] : 1;

		advance(b, now_ms);
		b->in_flight -= cost < b->in_flight ? cost : b->in_flight;
		if (b->booked)
		{
			if (!counted && b->credit_until_ms != 0)
				b->credit += cost;
			continue;
		}
		if (!counted)
			continue;
		b->used += cost;
		if (!b->fixed)
			b->slices[ring_place(b->slice_no)] += cost;
	}
}

void
callsync_bucket_pause(CallsyncBucket *b, int64_t until_ms)
{
	if (until_ms > b->paused_until_ms)
		b->paused_until_ms = until_ms;
}

void
callsync_bucket_inherit(CallsyncBucket *b, const CallsyncBucket *before, int64_t now_ms)
{
	callsync_bucket_pause(b, before->paused_until_ms);
	/* in the books, or counted in another way: the answers tell */
	if (b->booked || before->booked || b->fixed || before->fixed)
		return;
	if (b->window_ms == before->window_ms)
	{
		b->slice_no = before->slice_no;
		b->used = before->used;
		memcpy(b->slices, before->slices, sizeof(b->slices));
	}
	advance(b, now_ms);
	/* answers to these go to the old bucket */
	b->used += before->in_flight;
	b->slices[ring_place(b->slice_no)] += before->in_flight;
}

void
callsync_bucket_learn(CallsyncBucket *b, int64_t limit, int64_t remaining, int64_t reset_at_ms,
					  int64_t now_ms)
{
	advance(b, now_ms);
	if (limit > 0)
		b->learned_rate = limit;
	if (b->booked)
	{
		/* what others use of it goes into the books with the next booking */
		if (remaining >= 0)
		{
			int64_t		used = effective_rate(b) - remaining;

			if (used > b->seen_used)
				b->seen_used = used;
			if (b->credit > remaining)
				b->credit = remaining;
			if (b->left > remaining)
				b->left = remaining;
		}
		return;
	}
	if (b->fixed && reset_at_ms > now_ms)
		b->reset_at_ms = reset_at_ms;
	if (remaining >= 0)
	{
		/*
		 * What the server counts beyond our own answers was used by others.
		 * Requests in flight may or may not be counted yet: leave them out, the
		 * next answer tells more.
		 */
		int64_t		ours = effective_rate(b) - b->used;
		int64_t		foreign = ours - remaining;

		if (foreign > b->in_flight)
		{
			foreign -= b->in_flight;
			b->used += foreign;
			if (!b->fixed)
				b->slices[ring_place(b->slice_no)] += foreign;
		}
	}
}
