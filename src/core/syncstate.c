/*
 * syncstate.c
 *		From the states of its steps to what people see of a call at a
 *		destination.
 */
#include "core/syncstate.h"

#include <stddef.h>
#include <string.h>

/* "silent" is kept apart from "dead" by its word, so that the state survives a reload */
static const char *const names[] = {
	"waiting", "ready", "sending", "waiting_retry", "in_doubt", "confirming", "held",
	"confirmed", "sent", "partial", "failed", "dead", "silent", "superseded", "skipped", "cancelled"
};

const char *
callsync_step_state_name(CallsyncStepState state)
{
	return names[state];
}

int
callsync_step_state_from_name(const char *name)
{
	for (int i = 0; i <= CALLSYNC_STEP_CANCELLED; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

bool
callsync_step_state_settled(CallsyncStepState state)
{
	return state >= CALLSYNC_STEP_CONFIRMED;
}

bool
callsync_step_state_good(CallsyncStepState state)
{
	return state >= CALLSYNC_STEP_CONFIRMED &&
		state != CALLSYNC_STEP_FAILED && state != CALLSYNC_STEP_DEAD && state != CALLSYNC_STEP_SILENT &&
		state != CALLSYNC_STEP_CANCELLED;
}

CallsyncSyncVerdict
callsync_sync_verdict(const CallsyncStepState *steps, int n)
{
	int			count[CALLSYNC_STEP_CANCELLED + 1] = {0};
	CallsyncSyncVerdict verdict = {"pending", NULL, false};
	int			lost,
				there;

	for (int i = 0; i < n; i++)
		count[steps[i]]++;

	lost = count[CALLSYNC_STEP_FAILED] + count[CALLSYNC_STEP_DEAD] + count[CALLSYNC_STEP_SILENT];
	there = count[CALLSYNC_STEP_CONFIRMED] + count[CALLSYNC_STEP_SENT] + count[CALLSYNC_STEP_PARTIAL];

	/* a failure is shown as soon as it is known, also while other steps are open */
	if (count[CALLSYNC_STEP_SILENT] > 0)
		verdict.failure_kind = "silent";
	else if (lost > 0)
		verdict.failure_kind = there > 0 ? "partial" : "fatal";
	else if (count[CALLSYNC_STEP_PARTIAL] > 0)
		verdict.failure_kind = "partial";

	if (count[CALLSYNC_STEP_IN_DOUBT] > 0)
		verdict.status = "in_doubt";
	else if (count[CALLSYNC_STEP_WAITING_RETRY] > 0)
		verdict.status = "waiting_retry";
	else if (count[CALLSYNC_STEP_READY] + count[CALLSYNC_STEP_SENDING] + count[CALLSYNC_STEP_CONFIRMING] > 0)
		verdict.status = "pending";
	else if (count[CALLSYNC_STEP_HELD] > 0)
		verdict.status = "review";
	else if (count[CALLSYNC_STEP_WAITING] > 0)
		verdict.status = "pending";
	else
	{
		verdict.settled = true;
		if (lost > 0)
			verdict.status = there > 0 ? "partial" : "failed";
		else if (count[CALLSYNC_STEP_PARTIAL] > 0)
			verdict.status = "partial";
		else if (there > 0)
			verdict.status = "synced";
		else
			verdict.status = "excluded";
	}
	/* steps still open may yet succeed: only what is final is named */
	if (!verdict.settled && verdict.failure_kind != NULL && strcmp(verdict.failure_kind, "fatal") == 0)
		verdict.failure_kind = "partial";
	return verdict;
}
