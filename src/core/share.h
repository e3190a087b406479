/*
 * share.h
 *		What all workers of a destination share: its limits, its concurrency, and
 *		until when the server wants to be left alone.
 *
 * Lives in shared memory; who calls holds its lock. A request takes all that it needs
 * or nothing. What a worker holds is counted by worker, so that what one leaves behind
 * can be given back (leave). Who was refused is remembered for a moment: the one that
 * has waited longest goes first, so that a busy worker does not take everything; who
 * does not come when it can is passed over. Back-fill waits behind live calls.
 */
#ifndef CALLSYNC_CORE_SHARE_H
#define CALLSYNC_CORE_SHARE_H

#include "core/rate.h"

#define CALLSYNC_SHARE_HOLDERS 64
#define CALLSYNC_SHARE_LANES 2	/* live, back-fill */
#define CALLSYNC_SHARE_SLOT CALLSYNC_LIMITS_MAX	/* bit of the concurrency in what lacks */

/* What one request needs; the same at take and done. */
typedef struct CallsyncNeed
{
	int			n;
	struct
	{
		uint64_t	name;		/* hash of the limit's name */
		int64_t		window_us;
		int64_t		rate;
		int64_t		cost;
	}			window[CALLSYNC_LIMITS_MAX];
	int			concurrency;	/* requests at a time, 0: any number */
	bool		bulk;
	double		keep_free;		/* share of each window that must stay for others (0..1) */
} CallsyncNeed;

typedef struct CallsyncWaiter
{
	int64_t		since_us;		/* 0: does not wait */
	int64_t		look_us;		/* when it will look again */
	int64_t		want;
} CallsyncWaiter;

typedef struct CallsyncQueue
{
	int			n;				/* who waits, at most */
	CallsyncWaiter waiter[CALLSYNC_SHARE_LANES][CALLSYNC_SHARE_HOLDERS];
} CallsyncQueue;

typedef struct CallsyncShare
{
	int64_t		active_us;		/* something was under way until then; 0: never */
	int64_t		paused_until_ms;	/* the server said so (wall clock) */
	struct
	{
		uint64_t	name;
		CallsyncRate window;
		int64_t		held[CALLSYNC_SHARE_HOLDERS];
		int64_t		orphaned;	/* units of holders that are gone, in flight until orphaned_until_us */
		CallsyncQueue queue;
	}			limit[CALLSYNC_LIMITS_MAX];
	int			in_flight;
	int			held[CALLSYNC_SHARE_HOLDERS];
	int			orphaned;
	int64_t		orphaned_until_us;
	CallsyncQueue queue;		/* for the concurrency */
} CallsyncShare;

/* active_us: until when somebody that is not known may have sent; 0: nobody did. */
extern void callsync_share_init(CallsyncShare *share, int64_t active_us);

/*
 * Makes room for a limit. One that comes later than the first request looks at what was
 * sent before it: it is closed for a window. So all are told in front of the first.
 */
extern void callsync_share_limit(CallsyncShare *share, uint64_t name, int64_t window_us, int64_t now_us);

/*
 * Takes what the request needs, or nothing. On refusal: *lacks has a bit for each
 * need->window[] that is used up and SLOT for the concurrency, *wait_until_us when to
 * look again.
 */
extern bool callsync_share_take(CallsyncShare *share, int holder, const CallsyncNeed *need, int64_t now_us,
								int64_t *wait_until_us, uint32_t *lacks);
/*
 * A place among the requests at a time, for one that took its windows before (without
 * need.concurrency). Who finds none waits for it, and is told. Given back by done() with
 * need.concurrency set, or by exit() where it was not sent after all.
 */
extern bool callsync_share_enter(CallsyncShare *share, int holder, int concurrency, bool bulk, int64_t now_us);
extern void callsync_share_exit(CallsyncShare *share, int holder);
/* Is there such a place? */
extern bool callsync_share_place(CallsyncShare *share, int holder, int concurrency, bool bulk, int64_t now_us);
/*
 * The answer came at at_us (counted), or the request never left. Returns the holder
 * that waits for the place and should be told, -1: none.
 */
extern int	callsync_share_done(CallsyncShare *share, int holder, const CallsyncNeed *need, bool counted, int64_t at_us,
								int64_t now_us);
/* The holder is gone; what it sent is counted by until_us at the latest. */
extern void callsync_share_leave(CallsyncShare *share, int holder, int64_t until_us, int64_t now_us);

/* For people; -1 where nothing is known of the limit */
extern int64_t callsync_share_free(CallsyncShare *share, uint64_t name, int64_t rate, int64_t now_us);
extern void callsync_share_learn(CallsyncShare *share, uint64_t name, int64_t rate, int64_t limit, int64_t remaining, int64_t now_us);

#endif
