/*
 * backoff.c
 *		Full-jitter back-off, see backoff.h.
 *
 * The default for transient errors doubles from 10 seconds to two hours: five
 * tries fall into the first few minutes (a CRM that hiccups is caught up with
 * while people still look), then one about every hour for more than three days
 * (a CRM that is down over a long weekend loses nothing).
 */
#include "core/backoff.h"

#include <stddef.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)

/* No sane schedule needs more; protects against a schedule of zeros. */
#define RUNAWAY 1000

static const CallsyncBackoff defaults[CALLSYNC_CLASS_COUNT] = {
	[CALLSYNC_CLASS_TRANSIENT] = {true, 10 * SECOND, 2 * HOUR, 1 * SECOND, RUNAWAY, 77 * HOUR},

	/*
	 * The server says when; without a word from it start gently.  A daily quota
	 * may be used up several days in a row, so the age bound is wider.
	 */
	[CALLSYNC_CLASS_THROTTLED] = {true, 5 * SECOND, 15 * MINUTE, 1 * SECOND, RUNAWAY, 168 * HOUR},

	/* Asked again only because somebody may mend the credential meanwhile. */
	[CALLSYNC_CLASS_AUTH] = {true, 1 * MINUTE, 1 * HOUR, 10 * SECOND, RUNAWAY, 168 * HOUR},

	/* The look-up that resolves it may itself fail or lag. */
	[CALLSYNC_CLASS_UNCERTAIN] = {true, 10 * SECOND, 2 * HOUR, 1 * SECOND, RUNAWAY, 77 * HOUR},

	/* Matched again, at once, a few times: records are merged and deleted meanwhile. */
	[CALLSYNC_CLASS_GONE] = {true, 2 * SECOND, 1 * MINUTE, 500, 4, 1 * HOUR},
	[CALLSYNC_CLASS_DUPLICATE] = {true, 2 * SECOND, 1 * MINUTE, 500, 6, 1 * HOUR},
};

const CallsyncBackoff *
callsync_backoff_default(CallsyncErrorClass error_class)
{
	if ((int) error_class < 0 || error_class >= CALLSYNC_CLASS_COUNT)
		error_class = CALLSYNC_CLASS_PERMANENT;
	return &defaults[error_class];
}

CallsyncBackoffVerdict
callsync_backoff_next(const CallsyncBackoff *schedule, int attempts, int64_t first_ms, int64_t now_ms,
					  int64_t not_before_ms, double random, int64_t *at_ms)
{
	int64_t		ceiling = schedule->base_ms;
	int64_t		deadline = first_ms + schedule->max_age_ms;
	int64_t		at;

	*at_ms = 0;
	if (!schedule->retry)
		return CALLSYNC_BACKOFF_NEVER;
	if (attempts >= schedule->max_attempts || now_ms >= deadline)
		return CALLSYNC_BACKOFF_EXHAUSTED;
	if (!(random >= 0.0))
		random = 0.0;
	if (random >= 1.0)
		random = 0.999999;

	for (int i = 1; i < attempts && ceiling < schedule->cap_ms; i++)
		ceiling *= 2;
	if (ceiling > schedule->cap_ms)
		ceiling = schedule->cap_ms;
	if (ceiling < schedule->floor_ms)
		ceiling = schedule->floor_ms;
	at = now_ms + schedule->floor_ms + (int64_t) (random * (double) (ceiling - schedule->floor_ms));

	/*
	 * The last try belongs to the deadline itself: a schedule that says 76 hours
	 * must not end at 75 because the next draw lies beyond.
	 */
	if (at > deadline)
		at = deadline;

	/*
	 * A time that the server named outranks the draw and our deadline.  Behind it
	 * the crowd is spread, wider with each try, so that a server that always says
	 * "1 second" is not hammered.
	 */
	if (not_before_ms > now_ms)
		at = not_before_ms + (int64_t) (random * (double) (ceiling < MINUTE ? ceiling : MINUTE));
	*at_ms = at;
	return CALLSYNC_BACKOFF_RETRY;
}
