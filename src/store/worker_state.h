/*
 * worker_state.h
 *		The row of a worker in callsync.worker: what it last said about itself.
 */
#ifndef CALLSYNC_STORE_WORKER_STATE_H
#define CALLSYNC_STORE_WORKER_STATE_H

#include "datatype/timestamp.h"

/* Counters for worker_status; the ones with "total" count from the start. */
typedef struct CallsyncEngineStatus
{
	int64		in_flight;		/* requests on the wire */
	int64		unsettled;		/* answers that are not yet in a table */
	int64		waiting;		/* deliveries in memory that wait for their time */
	int64		total_claimed;
	int64		total_sent;
	int64		total_settled;
	int64		holes;			/* ranges of the outbox that an open transaction may still fill */
} CallsyncEngineStatus;

typedef struct CallsyncWorkerState
{
	int			index;
	int			pid;
	const char *state;			/* running, ending, stopped */
	TimestampTz registered_at;	/* by start() or the launcher */
	TimestampTz started_at;
	TimestampTz written_at;
	bool		is_copy;
	CallsyncEngineStatus engine;
} CallsyncWorkerState;

extern void callsync_worker_state_write(const CallsyncWorkerState *state);

/* Was this registration of the worker stopped by stop()? */
extern bool callsync_worker_state_is_stopped(int index, TimestampTz registered_at);

/* Marks the workers as stopped, also those that died without a word. */
extern void callsync_worker_state_stop_all(void);

#endif
