/*
 * commit_wake.c
 *		Wake the workers of this database when the current transaction commits.
 *
 * The transaction callback is registered once per backend, not per
 * transaction: callbacks are never removed.
 */
#include "postgres.h"

#include "access/xact.h"

#include "pg/commit_wake.h"
#include "pg/shmem.h"

static bool registered = false;
static bool wanted = false;

static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PARALLEL_COMMIT:
			if (wanted)
				callsync_wake_workers();
			wanted = false;
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PARALLEL_ABORT:
		case XACT_EVENT_PREPARE:	/* COMMIT PREPARED wakes, see statement_hooks.c */
			wanted = false;
			break;
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			break;
	}
}

void
callsync_wake_at_commit(void)
{
	if (!registered)
	{
		RegisterXactCallback(at_transaction_end, NULL);
		registered = true;
	}
	wanted = true;
}
