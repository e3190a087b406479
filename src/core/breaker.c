/*
 * breaker.c
 *		Circuit breaker of one destination.
 */
#include "core/breaker.h"

#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define PROBE_FIRST_MS 1000
#define PROBE_CAP_MS 32000
#define WINDOW_START 2

void
callsync_breaker_init(CallsyncBreaker *breaker, int threshold)
{
	memset(breaker, 0, sizeof(*breaker));
	breaker->state = CALLSYNC_BREAKER_CLOSED;
	if (threshold < 1)
		threshold = CALLSYNC_BREAKER_FAILURES;
	if (threshold > CALLSYNC_BREAKER_FAILURES_MAX)
		threshold = CALLSYNC_BREAKER_FAILURES_MAX;
	breaker->threshold = threshold;
	breaker->window = CALLSYNC_BREAKER_WINDOW_MAX;
	for (int i = 0; i < CALLSYNC_BREAKER_PROBES_PER_HOUR; i++)
		breaker->probes[i] = INT64_MIN / 2;
}

void
callsync_breaker_restore_open(CallsyncBreaker *breaker, int64_t until_ms)
{
	breaker->state = CALLSYNC_BREAKER_OPEN;
	breaker->opened = 1;
	breaker->until_ms = until_ms;
}

static void
open_breaker(CallsyncBreaker *breaker, int64_t now_ms)
{
	int64_t		wait = PROBE_CAP_MS;
	int64_t		oldest = breaker->probes[breaker->probe_at];

	if (breaker->opened < 5)
		wait = (int64_t) PROBE_FIRST_MS << breaker->opened;
	breaker->opened++;
	breaker->state = CALLSYNC_BREAKER_OPEN;
	breaker->failures = 0;
	breaker->until_ms = now_ms + wait;
	/* a server that goes up and down all the time must not get more probes either */
	if (oldest + HOUR_MS > breaker->until_ms)
		breaker->until_ms = oldest + HOUR_MS;
}

bool
callsync_breaker_allow(CallsyncBreaker *breaker, int in_flight, int64_t now_ms,
					   int64_t *wait_until_ms)
{
	*wait_until_ms = INT64_MAX;
	switch (breaker->state)
	{
		case CALLSYNC_BREAKER_CLOSED:
			return in_flight < breaker->window;
		case CALLSYNC_BREAKER_HALF_OPEN:
			return false;
		case CALLSYNC_BREAKER_OPEN:
			if (now_ms < breaker->until_ms)
			{
				*wait_until_ms = breaker->until_ms;
				return false;
			}
			breaker->state = CALLSYNC_BREAKER_HALF_OPEN;
			breaker->probes[breaker->probe_at] = now_ms;
			breaker->probe_at = (breaker->probe_at + 1) % CALLSYNC_BREAKER_PROBES_PER_HOUR;
			return true;
	}
	return true;
}

void
callsync_breaker_cancel_probe(CallsyncBreaker *breaker, int64_t now_ms)
{
	if (breaker->state != CALLSYNC_BREAKER_HALF_OPEN)
		return;
	breaker->state = CALLSYNC_BREAKER_OPEN;
	breaker->until_ms = now_ms;
	breaker->probe_at = (breaker->probe_at + CALLSYNC_BREAKER_PROBES_PER_HOUR - 1) % CALLSYNC_BREAKER_PROBES_PER_HOUR;
	breaker->probes[breaker->probe_at] = INT64_MIN / 2;
}

bool
callsync_breaker_success(CallsyncBreaker *breaker)
{
	breaker->failures = 0;
	switch (breaker->state)
	{
		case CALLSYNC_BREAKER_HALF_OPEN:
			breaker->state = CALLSYNC_BREAKER_CLOSED;
			breaker->opened = 0;
			breaker->window = WINDOW_START;
			breaker->successes = 0;
			return true;
		case CALLSYNC_BREAKER_CLOSED:
			if (breaker->window < CALLSYNC_BREAKER_WINDOW_MAX &&
				++breaker->successes >= breaker->window)
			{
				breaker->successes = 0;
				breaker->window *= 2;
				if (breaker->window > CALLSYNC_BREAKER_WINDOW_MAX)
					breaker->window = CALLSYNC_BREAKER_WINDOW_MAX;
			}
			return false;
		case CALLSYNC_BREAKER_OPEN:

			/*
			 * A late answer to a request from before: no proof that it answers
			 * now, but a reason to ask soon.
			 */
			return false;
	}
	return false;
}

bool
callsync_breaker_failure(CallsyncBreaker *breaker, int64_t delivery_id, int64_t now_ms)
{
	switch (breaker->state)
	{
		case CALLSYNC_BREAKER_OPEN:
			return false;
		case CALLSYNC_BREAKER_HALF_OPEN:
			open_breaker(breaker, now_ms);
			return false;
		case CALLSYNC_BREAKER_CLOSED:
			for (int i = 0; i < breaker->failures; i++)
				if (breaker->failed[i] == delivery_id)
					return false;
			breaker->failed[breaker->failures++] = delivery_id;
			if (breaker->failures < breaker->threshold)
				return false;
			breaker->opened = 0;
			open_breaker(breaker, now_ms);
			return true;
	}
	return false;
}

const char *
callsync_breaker_state_name(CallsyncBreakerState state)
{
	switch (state)
	{
		case CALLSYNC_BREAKER_OPEN:
			return "open";
		case CALLSYNC_BREAKER_HALF_OPEN:
			return "half_open";
		case CALLSYNC_BREAKER_CLOSED:
			break;
	}
	return "closed";
}
