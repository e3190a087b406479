/*
 * sync_state.h
 *		The row per call and destination that people look at, as the worker
 *		brings it up to date.
 */
#ifndef CALLSYNC_STORE_SYNC_STATE_H
#define CALLSYNC_STORE_SYNC_STATE_H

#include <jansson.h>

#include "datatype/timestamp.h"

typedef struct CallsyncSyncState
{
	const char *source;
	const char *call_id;
	const char *destination;

	/* as read; kept in the context of the load */
	json_t	   *steps;			/* {"STEP": {"delivery", "day", "state", "hash", "record_id", ...}} */
	json_t	   *records;		/* {"object": id} */
	char	   *status;
	char	   *contact_record_id;
	int			attempts;
	TimestampTz synced_at;
	char	   *stage;
	json_t	   *planned_missing;	/* array of "object.field": found missing before sending; or NULL */

	/* what is to be written beside the above */
	const char *failure_kind;
	const char *missing_fields; /* array literal */
	const char *error_class;
	const char *last_error;
	const char *remedy;
	TimestampTz next_attempt_at;
	bool		activated;		/* the first record of this call came to be */
} CallsyncSyncState;

/*
 * Reads the rows of n keys (source, call_id, destination set in states); those that
 * do not exist have steps NULL afterwards. Values live in the current memory context.
 */
extern void callsync_sync_state_load(CallsyncSyncState *states, int n);

/* Writes those that have steps. */
extern void callsync_sync_state_write(CallsyncSyncState *states, int n, TimestampTz now);

#endif
