/*
 * syncstate.h
 *		From the states of its steps to what people see of a call at a
 *		destination: status and kind of failure.
 *
 * A pure function of the set of steps, so that the row behind call_sync can be
 * rebuilt at any time from the deliveries.
 */
#ifndef CALLSYNC_CORE_SYNCSTATE_H
#define CALLSYNC_CORE_SYNCSTATE_H

#include <stdbool.h>

/* The words of delivery.state. */
typedef enum CallsyncStepState
{
	/* open */
	CALLSYNC_STEP_WAITING,		/* for an earlier step */
	CALLSYNC_STEP_READY,
	CALLSYNC_STEP_SENDING,
	CALLSYNC_STEP_WAITING_RETRY,
	CALLSYNC_STEP_IN_DOUBT,		/* may have been sent, outcome unknown */
	CALLSYNC_STEP_CONFIRMING,	/* written, read-back outstanding */
	CALLSYNC_STEP_HELD,			/* a person has to act */
	/* settled */
	CALLSYNC_STEP_CONFIRMED,	/* evidence at the destination's confirmation level */
	CALLSYNC_STEP_SENT,			/* accepted; no evidence beyond that is to be had */
	CALLSYNC_STEP_PARTIAL,		/* written, but not every field as sent */
	CALLSYNC_STEP_FAILED,		/* not written: what it depends on failed */
	CALLSYNC_STEP_DEAD,			/* not written: refused, or tried for too long */
	CALLSYNC_STEP_SILENT,		/* accepted, but the record is not there (state "failed", class partial) */
	CALLSYNC_STEP_SUPERSEDED,	/* a newer version went in its place */
	CALLSYNC_STEP_SKIPPED,		/* nothing to do */
	CALLSYNC_STEP_CANCELLED
} CallsyncStepState;

extern const char *callsync_step_state_name(CallsyncStepState state);
/* -1 for a word that is none */
extern int	callsync_step_state_from_name(const char *name);
extern bool callsync_step_state_settled(CallsyncStepState state);
/* Settled, and others may go on: there is a record, or there is to be none. */
extern bool callsync_step_state_good(CallsyncStepState state);

typedef struct CallsyncSyncVerdict
{
	const char *status;			/* pending | waiting_retry | in_doubt | synced | partial | failed | review | excluded */
	const char *failure_kind;	/* silent | partial | fatal | NULL */
	bool		settled;		/* no step is open */
} CallsyncSyncVerdict;

/*
 * n = 0: nothing had to be done (excluded). missing_fields: some step lacks a
 * field at the destination.
 */
extern CallsyncSyncVerdict callsync_sync_verdict(const CallsyncStepState *steps, int n);

#endif
