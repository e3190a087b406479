/*
 * backoff.h
 *		When to try again: full-jitter exponential back-off, bounded in count
 *		and in age, one schedule per error class.
 *
 * Full jitter: the wait is drawn evenly from [floor, min(cap, base * 2^n)].  It
 * spreads a crowd best but is half as long on average, so the bound that counts
 * is the age: the default keeps trying until 76 hours after the first attempt
 * at the least, whatever was drawn (max_attempts only stops a runaway).
 * The newcomer's mistake: passing the number of the attempt that comes next.
 * It is the number of attempts made so far.
 */
#ifndef CALLSYNC_CORE_BACKOFF_H
#define CALLSYNC_CORE_BACKOFF_H

#include <stdbool.h>
#include <stdint.h>

#include "core/errclass.h"

typedef struct CallsyncBackoff
{
	bool		retry;			/* false: this class is never retried by time */
	int64_t		base_ms;
	int64_t		cap_ms;
	int64_t		floor_ms;		/* no wait is shorter */
	int			max_attempts;	/* attempts in all, the first included */
	int64_t		max_age_ms;		/* since the first attempt; the last try is made at this age */
} CallsyncBackoff;

typedef enum CallsyncBackoffVerdict
{
	CALLSYNC_BACKOFF_RETRY,		/* try again at *at_ms */
	CALLSYNC_BACKOFF_NEVER,		/* the class is not retried: review now */
	CALLSYNC_BACKOFF_EXHAUSTED	/* count or age used up: dead letter */
} CallsyncBackoffVerdict;

/* The default schedule of a class; never NULL. */
extern const CallsyncBackoff *callsync_backoff_default(CallsyncErrorClass error_class);

/*
 * attempts: made so far (>= 1).  first_ms: when the first one started.
 * not_before_ms: what the server asked for (Retry-After), 0 = nothing; it
 * replaces the draw, with up to a minute of spread behind it so that a crowd
 * does not return in the same instant.
 * random: evenly distributed in [0, 1).
 */
extern CallsyncBackoffVerdict callsync_backoff_next(const CallsyncBackoff *schedule, int attempts,
													int64_t first_ms, int64_t now_ms,
													int64_t not_before_ms, double random,
													int64_t *at_ms);
#endif
