/* syncstate.h: the status of a call at a destination as a function of its steps */
#include "core/syncstate.h"
#include "unit.h"

static void
expect(const char *steps, const char *status, const char *kind)
{
	CallsyncStepState set[8];
	int			n = 0;
	char		copy[200];
	CallsyncSyncVerdict v;

	strcpy(copy, steps);
	for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " "))
	{
		int			s = callsync_step_state_from_name(w);

		CHECK(s >= 0);
		set[n++] = s;
	}
	/* the order of the steps says nothing */
	for (int turn = 0; turn <= n; turn++)
	{
		v = callsync_sync_verdict(set, n);
		CHECK_STR(v.status, status);
		if (kind)
			CHECK_STR(v.failure_kind, kind);
		else
			CHECK(v.failure_kind == NULL);
		for (int i = 0; i + 1 < n; i++)
		{
			CallsyncStepState s = set[i];

			set[i] = set[i + 1];
			set[i + 1] = s;
		}
	}
}

int
main(void)
{
	expect("", "excluded", NULL);
	expect("ready waiting waiting", "pending", NULL);
	expect("confirmed confirmed sending", "pending", NULL);
	expect("confirmed waiting_retry waiting", "waiting_retry", NULL);
	expect("waiting_retry in_doubt", "in_doubt", NULL);
	expect("held waiting", "review", NULL);
	expect("held", "review", NULL);
	expect("confirmed confirmed sent", "synced", NULL);
	expect("confirmed superseded skipped", "synced", NULL);
	expect("skipped", "excluded", NULL);
	expect("cancelled", "excluded", NULL);
	/* one step lost, the others there: partial, and it does not undo them */
	expect("confirmed confirmed dead", "partial", "partial");
	expect("confirmed dead failed", "partial", "partial");
	expect("partial confirmed", "partial", "partial");
	expect("dead", "failed", "fatal");
	expect("dead failed", "failed", "fatal");
	/* accepted and not there is the worst: it has a name of its own */
	expect("silent", "failed", "silent");
	expect("silent confirmed", "partial", "silent");
	/* shown before everything is over, but not as more than is known */
	expect("dead ready", "pending", "partial");
	expect("confirmed dead waiting_retry", "waiting_retry", "partial");
	CHECK(callsync_step_state_from_name("nonsense") == -1);
	for (int i = 0; i <= CALLSYNC_STEP_CANCELLED; i++)
	{
		CHECK(callsync_step_state_from_name(callsync_step_state_name(i)) == i);
		if (callsync_step_state_good(i))
			CHECK(callsync_step_state_settled(i));
	}
	return unit_done("syncstate");
}
