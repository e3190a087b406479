/*
 * destination_state.h
 *		What a worker tells about a destination: breaker, limits, counters.
 *
 * Several workers may serve one destination: counters are added, states overwritten by
 * whoever wrote last.
 */
#ifndef CALLSYNC_STORE_DESTINATION_STATE_H
#define CALLSYNC_STORE_DESTINATION_STATE_H

#include "datatype/timestamp.h"

typedef struct CallsyncDestinationState
{
	const char *destination;
	const char *breaker;		/* closed | open | half_open */
	TimestampTz breaker_until;	/* 0: NULL */
	int			failures;
	TimestampTz throttled_until;	/* 0: NULL */
	const char *limits;			/* JSON text: array */
	int64		sent;			/* since the last write */
	int64		confirmed;
	int64		failed;
	TimestampTz last_success_at;	/* 0: unchanged */
	TimestampTz last_error_at;	/* 0: unchanged */
	const char *last_error;
	const char *last_error_class;
	int64		skew_ms;
	bool		skew_known;
} CallsyncDestinationState;

extern void callsync_destination_state_write(const CallsyncDestinationState *state, TimestampTz now);

/* After a restart: is the breaker open, and until when? 0: it is not. */
extern TimestampTz callsync_destination_state_open_until(const char *destination);

/*
 * When a worker last wrote, 0: never; it does so within a second of a request. And until
 * when the server wants to be left alone, 0: it did not say so.
 */
extern TimestampTz callsync_destination_state_told(const char *destination, TimestampTz *throttled_until);

/* Stops a destination (the endpoint asked for it). */
extern void callsync_destination_pause(const char *destination, const char *reason, TimestampTz now);

#endif
