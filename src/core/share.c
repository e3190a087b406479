/*
 * share.c
 *		See share.h.
 */
#include "core/share.h"

#include <string.h>

#define LATE_US 100000			/* who does not look when it said, and so much later, is passed over */
#define LOOK_AGAIN_US 1000000	/* for what only an answer gives back: it tells who waits */
#define TOLD_US 20000			/* who was told comes by then */
#define COARSE 128				/* units come free one by one; looked at in such parts of a window */
#define COARSE_MAX_US 20000

void
callsync_share_init(CallsyncShare *share, int64_t active_us)
{
	memset(share, 0, sizeof(*share));
	share->active_us = active_us;
}

static int
find_limit(const CallsyncShare *share, uint64_t name)
{
	for (int i = 0; i < CALLSYNC_LIMITS_MAX; i++)
		if (share->limit[i].window.window_us != 0 && share->limit[i].name == name)
			return i;
	return -1;
}

/* -1: no place, all are in use by limits of before */
static int
limit_for(CallsyncShare *share, uint64_t name, int64_t window_us, int64_t now_us)
{
	int			i = find_limit(share, name);
	CallsyncRate *w;
	int64_t		before_us = 0;

	if (i >= 0 && share->limit[i].window.window_us == window_us)
		return i;
	if (i >= 0)
	{
		before_us = share->limit[i].window.window_us;
		callsync_rate_resize(&share->limit[i].window, window_us, now_us);
	}
	else
	{
		for (i = 0; i < CALLSYNC_LIMITS_MAX; i++)
			if (callsync_rate_idle(&share->limit[i].window, now_us))
				break;
		if (i == CALLSYNC_LIMITS_MAX)
			return -1;
		memset(&share->limit[i], 0, sizeof(share->limit[i]));
		share->limit[i].name = name;
		callsync_rate_init(&share->limit[i].window, window_us);
	}
	/* what was sent before this limit looked counts, too: one window from there */
	w = &share->limit[i].window;
	if (window_us > before_us && (share->active_us != 0 || share->in_flight > 0))
	{
		int64_t		until = (share->in_flight > 0 && now_us > share->active_us ? now_us : share->active_us) + callsync_rate_hold_us(window_us);

		if (until > w->closed_until_us)
			w->closed_until_us = until;
	}
	return i;
}

void
callsync_share_limit(CallsyncShare *share, uint64_t name, int64_t window_us, int64_t now_us)
{
	(void) limit_for(share, name, window_us, now_us);
}

/* What holders left behind in flight has arrived by now. */
static void
settle_orphans(CallsyncShare *share, int64_t now_us)
{
	if (share->orphaned_until_us == 0 || now_us < share->orphaned_until_us)
		return;
	for (int i = 0; i < CALLSYNC_LIMITS_MAX; i++)
	{
		if (share->limit[i].orphaned > 0)
			callsync_rate_done(&share->limit[i].window, share->limit[i].orphaned, true, share->orphaned_until_us, now_us);
		share->limit[i].orphaned = 0;
	}
	share->in_flight -= share->orphaned;
	share->orphaned = 0;
	share->active_us = share->active_us > share->orphaned_until_us ? share->active_us : share->orphaned_until_us;
	share->orphaned_until_us = 0;
}

/* ---- who waits ---- */

/* Units that are for others that have waited longer. */
static int64_t
promised(CallsyncQueue *queue, int holder, bool bulk, int64_t now_us)
{
	int64_t		since = queue->waiter[bulk][holder].since_us;
	int64_t		units = 0;
	int			n = 0;

	if (queue->n == 0)
		return 0;
	for (int lane = 0; lane < CALLSYNC_SHARE_LANES; lane++)
		for (int v = 0; v < CALLSYNC_SHARE_HOLDERS; v++)
		{
			CallsyncWaiter *w = &queue->waiter[lane][v];

			if (w->since_us == 0)
				continue;
			if (now_us > w->look_us + LATE_US)
			{
				w->since_us = 0;
				continue;
			}
			n++;
			if (v == holder || lane > (int) bulk)
				continue;
			/* live calls before back-fill; within a lane the longest wait first */
			if (lane < (int) bulk || since == 0 || w->since_us < since || (w->since_us == since && v < holder))
				units += w->want;
		}
	queue->n = n;
	return units;
}

static void
wait_in(CallsyncQueue *queue, int holder, bool bulk, int64_t want, int64_t look_us, int64_t now_us)
{
	CallsyncWaiter *w = &queue->waiter[bulk][holder];

	if (w->since_us == 0)
	{
		w->since_us = now_us > 0 ? now_us : 1;
		queue->n++;
	}
	w->look_us = look_us;
	w->want = want;
}

static void
wait_no_more(CallsyncQueue *queue, int holder, bool bulk)
{
	CallsyncWaiter *w = &queue->waiter[bulk][holder];

	if (w->since_us != 0 && queue->n > 0)
		queue->n--;
	w->since_us = 0;
}

/* Who has waited longest and still does; -1: nobody */
static int
first_in(const CallsyncQueue *queue, int64_t now_us)
{
	for (int lane = 0; queue->n > 0 && lane < CALLSYNC_SHARE_LANES; lane++)
	{
		int			best = -1;

		for (int v = 0; v < CALLSYNC_SHARE_HOLDERS; v++)
			if (queue->waiter[lane][v].since_us != 0 && now_us <= queue->waiter[lane][v].look_us + LATE_US &&
				(best < 0 || queue->waiter[lane][v].since_us < queue->waiter[lane][best].since_us))
				best = v;
		if (best >= 0)
			return best;
	}
	return -1;
}

/* ---- requests ---- */

/* A cost above the whole rate must not wait for ever: it takes the full window. */
static int64_t
wanted(const CallsyncRate *w, int64_t rate, int64_t cost)
{
	int64_t		whole = callsync_rate_effective(w, rate);

	return cost < whole ? cost : whole;
}

/* Units that must stay for others */
static int64_t
reserved(double keep_free, int64_t rate, int64_t want)
{
	int64_t		units = (int64_t) (keep_free * (double) rate);

	if (units > rate - want)
		units = rate - want;
	return units > 0 ? units : 0;
}

bool
callsync_share_place(CallsyncShare *share, int holder, int concurrency, bool bulk, int64_t now_us)
{
	settle_orphans(share, now_us);
	if (concurrency > 0 && concurrency - share->in_flight - promised(&share->queue, holder, bulk, now_us) < 1)
	{
		wait_in(&share->queue, holder, bulk, 1, now_us + LOOK_AGAIN_US, now_us);
		return false;
	}
	/* it keeps its place in the queue until it takes */
	return true;
}

bool
callsync_share_take(CallsyncShare *share, int holder, const CallsyncNeed *need, int64_t now_us,
					int64_t *wait_until_us, uint32_t *lacks)
{
	int			at[CALLSYNC_LIMITS_MAX];
	int64_t		look[CALLSYNC_LIMITS_MAX];
	int64_t		wait = now_us;

	*lacks = 0;
	settle_orphans(share, now_us);
	for (int i = 0; i < need->n; i++)
	{
		CallsyncRate *w;
		int64_t		rate;
		int64_t		want;
		int64_t		ahead;

		look[i] = 0;
		at[i] = limit_for(share, need->window[i].name, need->window[i].window_us, now_us);
		if (at[i] < 0)
		{
			*lacks |= UINT32_C(1) << i;
			look[i] = now_us + LOOK_AGAIN_US;
		}
		else
		{
			w = &share->limit[at[i]].window;
			rate = callsync_rate_effective(w, need->window[i].rate);
			want = wanted(w, need->window[i].rate, need->window[i].cost);
			ahead = promised(&share->limit[at[i]].queue, holder, need->bulk, now_us);
			if (callsync_rate_free(w, rate, now_us) < want + reserved(need->keep_free, rate, want) + ahead)
			{
				int64_t		units = want + reserved(need->keep_free, rate, want) + ahead;
				int64_t		coarse = w->window_us / COARSE < COARSE_MAX_US ? w->window_us / COARSE : COARSE_MAX_US;

				*lacks |= UINT32_C(1) << i;
				look[i] = callsync_rate_when(w, rate, units < rate ? units : rate, now_us);
				if (look[i] < now_us + coarse)
					look[i] = now_us + coarse;
			}
		}
		if (look[i] > wait)
			wait = look[i];
	}
	if (need->concurrency > 0 && !callsync_share_place(share, holder, need->concurrency, need->bulk, now_us))
	{
		*lacks |= UINT32_C(1) << CALLSYNC_SHARE_SLOT;
		if (now_us + LOOK_AGAIN_US > wait)
			wait = now_us + LOOK_AGAIN_US;
	}
	*wait_until_us = wait;

	/* stands in the queue of what it lacks, and of nothing else */
	for (int i = 0; i < need->n; i++)
	{
		if (at[i] < 0)
			continue;
		if ((*lacks & (UINT32_C(1) << i)) != 0)
			wait_in(&share->limit[at[i]].queue, holder, need->bulk, need->window[i].cost, wait, now_us);
		else
			wait_no_more(&share->limit[at[i]].queue, holder, need->bulk);
	}
	if (need->concurrency > 0 && (*lacks & (UINT32_C(1) << CALLSYNC_SHARE_SLOT)) == 0)
		wait_no_more(&share->queue, holder, need->bulk);
	if (*lacks != 0)
		return false;

	for (int i = 0; i < need->n; i++)
	{
		callsync_rate_take(&share->limit[at[i]].window, need->window[i].cost);
		share->limit[at[i]].held[holder] += need->window[i].cost;
	}
	if (need->concurrency > 0)
	{
		share->in_flight++;
		share->held[holder]++;
	}
	return true;
}

bool
callsync_share_enter(CallsyncShare *share, int holder, int concurrency, bool bulk, int64_t now_us)
{
	if (!callsync_share_place(share, holder, concurrency, bulk, now_us))
		return false;
	wait_no_more(&share->queue, holder, bulk);
	share->in_flight++;
	share->held[holder]++;
	return true;
}

void
callsync_share_exit(CallsyncShare *share, int holder)
{
	if (share->held[holder] == 0)
		return;
	share->in_flight--;
	share->held[holder]--;
}

int
callsync_share_done(CallsyncShare *share, int holder, const CallsyncNeed *need, bool counted, int64_t at_us,
					int64_t now_us)
{
	int			next;

	for (int i = 0; i < need->n; i++)
	{
		/* a window that has something in flight keeps its place */
		int			k = find_limit(share, need->window[i].name);
		int64_t		cost = need->window[i].cost;

		if (k < 0)
			continue;
		share->limit[k].held[holder] -= cost < share->limit[k].held[holder] ? cost : share->limit[k].held[holder];
		callsync_rate_done(&share->limit[k].window, cost, counted, at_us, now_us);
	}
	if (need->concurrency > 0)
		callsync_share_exit(share, holder);
	if (counted && at_us > share->active_us)
		share->active_us = at_us;
	next = first_in(&share->queue, now_us);
	if (next < 0)
		return -1;
	for (int lane = 0; lane < CALLSYNC_SHARE_LANES; lane++)
		if (share->queue.waiter[lane][next].look_us > now_us + TOLD_US)
			share->queue.waiter[lane][next].look_us = now_us + TOLD_US;
	return next;
}

void
callsync_share_leave(CallsyncShare *share, int holder, int64_t until_us, int64_t now_us)
{
	bool		left = share->held[holder] > 0;

	settle_orphans(share, now_us);
	for (int lane = 0; lane < CALLSYNC_SHARE_LANES; lane++)
	{
		for (int i = 0; i < CALLSYNC_LIMITS_MAX; i++)
			wait_no_more(&share->limit[i].queue, holder, lane == 1);
		wait_no_more(&share->queue, holder, lane == 1);
	}
	for (int i = 0; i < CALLSYNC_LIMITS_MAX; i++)
	{
		left = left || share->limit[i].held[holder] > 0;
		share->limit[i].orphaned += share->limit[i].held[holder];
		share->limit[i].held[holder] = 0;
	}
	share->orphaned += share->held[holder];
	share->held[holder] = 0;
	if (left && until_us > share->orphaned_until_us)
		share->orphaned_until_us = until_us;
}

int64_t
callsync_share_free(CallsyncShare *share, uint64_t name, int64_t rate, int64_t now_us)
{
	int			i = find_limit(share, name);

	return i < 0 ? -1 : callsync_rate_free(&share->limit[i].window, rate, now_us);
}

void
callsync_share_learn(CallsyncShare *share, uint64_t name, int64_t rate, int64_t limit, int64_t remaining, int64_t now_us)
{
	int			i = find_limit(share, name);

	if (i >= 0)
		callsync_rate_learn(&share->limit[i].window, rate, limit, remaining, now_us);
}
