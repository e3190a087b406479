/*
 * breaker.h
 *		Circuit breaker of one destination: a server that is down is left alone
 *		but for a probe now and then, and one that comes back is not hammered.
 *
 *	 CLOSED --enough failures in a row--> OPEN --time for a probe--> HALF_OPEN
 *	   ^                                   ^                           |    |
 *	   |                                   +------- probe failed ------+    |
 *	   +-------------------------- probe succeeded -------------------------+
 *
 * "In a row" counts different deliveries: one poisonous delivery that fails
 * for ever opens nothing. Probes come after 1, 2, 4, 8, 16 and then every 32
 * seconds: at most 120 in any hour. After the probe succeeded the number of
 * requests in flight starts at 2 and doubles with each round of successes.
 */
#ifndef CALLSYNC_CORE_BREAKER_H
#define CALLSYNC_CORE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define CALLSYNC_BREAKER_FAILURES 5	/* default: so many different deliveries in a row */
#define CALLSYNC_BREAKER_FAILURES_MAX 16
#define CALLSYNC_BREAKER_PROBES_PER_HOUR 120
#define CALLSYNC_BREAKER_WINDOW_MAX 1000000

typedef enum CallsyncBreakerState
{
	CALLSYNC_BREAKER_CLOSED,	/* -> OPEN */
	CALLSYNC_BREAKER_OPEN,		/* -> HALF_OPEN */
	CALLSYNC_BREAKER_HALF_OPEN	/* one probe is out: -> OPEN, CLOSED */
} CallsyncBreakerState;

typedef struct CallsyncBreaker
{
	CallsyncBreakerState state;
	int			threshold;
	int			failures;		/* different deliveries in a row, up to threshold */
	int64_t		failed[CALLSYNC_BREAKER_FAILURES_MAX];
	int			opened;			/* failed probes in a row + 1 */
	int64_t		until_ms;		/* OPEN: when the next probe may leave */
	int			window;			/* CLOSED: requests allowed in flight */
	int			successes;		/* since the window last grew */
	int64_t		probes[CALLSYNC_BREAKER_PROBES_PER_HOUR];	/* ring of the last ones' times */
	int			probe_at;
} CallsyncBreaker;

extern void callsync_breaker_init(CallsyncBreaker *breaker, int threshold);
/* After a restart: the table says it was open until then. */
extern void callsync_breaker_restore_open(CallsyncBreaker *breaker, int64_t until_ms);

/*
 * May a request leave now, with in_flight on the way? A true while OPEN makes it
 * HALF_OPEN: the request is the probe. On false *wait_until_ms is when to ask
 * again, INT64_MAX where an answer has to come first.
 */
extern bool callsync_breaker_allow(CallsyncBreaker *breaker, int in_flight, int64_t now_ms,
								   int64_t *wait_until_ms);
/* The probe never left after all. */
extern void callsync_breaker_cancel_probe(CallsyncBreaker *breaker, int64_t now_ms);

/* The server answered (whatever it said of the content). True: it just closed. */
extern bool callsync_breaker_success(CallsyncBreaker *breaker);
/* No answer, or one that says the server is ill. True: it just opened. */
extern bool callsync_breaker_failure(CallsyncBreaker *breaker, int64_t delivery_id, int64_t now_ms);

/* "closed", "open", "half_open" */
extern const char *callsync_breaker_state_name(CallsyncBreakerState state);

#endif
