/*
 * launcher.c
 *		Keeps the delivery workers of the databases in callsync.databases alive.
 *
 * Connected to no database: it reads the shared catalogs only, so it never stands
 * in the way of a DROP DATABASE. It is the one who decides about starting again:
 * its workers are registered as never to be restarted by the postmaster.
 *
 *		  +------ wanted ------+   registered    +----------+
 *		  |  WAITING           | --------------> | LAUNCHED |
 *		  |  (not before "due")| <-------------- |          |
 *		  +--------------------+  worker ended   +----------+
 *				  |                                   |
 *				  +----- not wanted any more ---------+--> told to end, forgotten
 *										when it has
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/procsignal.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "pg/bgworker.h"
#include "pg/clock.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/locks.h"
#include "pg/shmem.h"

#define LOOK_MS 10000			/* how often to look for new or dropped databases */
#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MAX_MS 60000
#define STABLE_MS 60000			/* a worker that lived this long starts fresh */

PGDLLEXPORT void callsync_launcher_main(Datum main_arg);

typedef enum EntryState
{
	ENTRY_WAITING,				/* -> LAUNCHED when due, or gone */
	ENTRY_LAUNCHED				/* -> WAITING when the worker has ended, or gone */
} EntryState;

/* One per database and worker index, while wanted or still running. */
typedef struct Entry
{
	CallsyncWorkerArgs args;
	EntryState	state;
	bool		wanted;			/* in the list of the last look */
	int			failures;		/* ends in a row that came too early */
	TimestampTz due;			/* WAITING: not before */
	TimestampTz launched_at;	/* LAUNCHED: since */
	BackgroundWorkerHandle *handle; /* LAUNCHED only */
} Entry;

static List *entries = NIL;		/* of Entry, in the launcher's context */
static MemoryContext launcher_context = NULL;
static uint32 wait_event = 0;

/* The one place that changes a state. */
static void
entry_set_state(Entry *entry, EntryState state)
{
	TimestampTz now = GetCurrentTimestamp();

	switch (state)
	{
		case ENTRY_LAUNCHED:
			entry->launched_at = now;
			break;
		case ENTRY_WAITING:
			{
				int64		delay = BACKOFF_FIRST_MS;

				if (entry->handle != NULL)
					pfree(entry->handle);
				entry->handle = NULL;
				if (entry->state == ENTRY_LAUNCHED &&
					now - entry->launched_at >= STABLE_MS * INT64CONST(1000))
					entry->failures = 0;
				for (int i = 0; i < entry->failures && delay < BACKOFF_MAX_MS; i++)
					delay *= 2;
				entry->failures++;
				entry->due = TimestampTzPlusMilliseconds(now, Min(delay, BACKOFF_MAX_MS));
				break;
			}
	}
	entry->state = state;
}

static Entry *
find_or_make_entry(const CallsyncWorkerArgs *args)
{
	ListCell   *cell;
	Entry	   *entry;
	MemoryContext old;

	foreach(cell, entries)
	{
		entry = lfirst(cell);
		if (entry->args.database == args->database && entry->args.index == args->index)
		{
			entry->args = *args;
			return entry;
		}
	}

	old = MemoryContextSwitchTo(launcher_context);
	entry = palloc0(sizeof(Entry));
	entry->args = *args;
	entry->state = ENTRY_WAITING;
	entries = lappend(entries, entry);
	MemoryContextSwitchTo(old);
	return entry;
}

/*
 * Compares callsync.databases with pg_database and marks what is wanted. A name
 * that does not exist (yet) is no error: it is looked for again.
 */
static void
look_at_databases(void)
{
	List	   *names = callsync_guc_databases();
	Relation	rel;
	TableScanDesc scan;
	HeapTuple	tuple;
	Oid			role;
	ListCell   *cell;

	foreach(cell, entries)
		((Entry *) lfirst(cell))->wanted = false;
	if (names == NIL)
		return;

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());

	/* no role yet: the extension was never created in this cluster */
	role = get_role_oid("callsync_worker", true);
	if (OidIsValid(role))
	{
		rel = table_open(DatabaseRelationId, AccessShareLock);
		scan = table_beginscan_catalog(rel, 0, NULL);
		while ((tuple = heap_getnext(scan, ForwardScanDirection)) != NULL)
		{
			Form_pg_database database = (Form_pg_database) GETSTRUCT(tuple);
			CallsyncWorkerArgs args = {
				.database = database->oid,
				.tablespace = database->dattablespace,
				.role = role,
				.managed = true
			};
			bool		listed = false;

			foreach(cell, names)
				listed |= strcmp(lfirst(cell), NameStr(database->datname)) == 0;
			if (!listed || !database->datallowconn)
				continue;
			if (callsync_db_flags(database->oid, 0, 0, NULL) & CALLSYNC_DB_STOPPED)
				continue;
			for (args.index = 0; args.index < callsync_workers; args.index++)
				find_or_make_entry(&args)->wanted = true;
		}
		table_endscan(scan);
		table_close(rel, AccessShareLock);
	}
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(launcher_context);
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* Registers the worker of an entry; on failure the entry waits longer. */
static void
launch(Entry *entry)
{
	MemoryContext old;

	/* a worker of start() may serve the database already */
	if (callsync_lock_is_held(entry->args.database, CALLSYNC_LOCK_WORKER,
							  entry->args.index))
	{
		entry_set_state(entry, ENTRY_WAITING);
		return;
	}

	/* cleared first: the worker sets them anew where they are still true */
	callsync_db_flags(entry->args.database, 0,
					  CALLSYNC_DB_NO_EXTENSION | CALLSYNC_DB_NO_SLOT, NULL);
	old = MemoryContextSwitchTo(launcher_context);
	if (callsync_register_worker(&entry->args, &entry->handle))
		entry_set_state(entry, ENTRY_LAUNCHED);
	else
	{
		entry->handle = NULL;
		callsync_db_flags(entry->args.database, CALLSYNC_DB_NO_SLOT, 0, NULL);
		ereport(WARNING,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("could not start callsync worker %d for database %u",
						entry->args.index, entry->args.database),
				 errdetail("All %d slots of background workers are in use.",
						   max_worker_processes),
				 errhint("Increase max_worker_processes and restart the server. callsync needs one for its launcher and callsync.workers for each of callsync.databases.")));
		entry_set_state(entry, ENTRY_WAITING);
		callsync_workers_changed();
	}
	MemoryContextSwitchTo(old);
}

/* Brings one entry forward; false where it can be forgotten. */
static bool
advance(Entry *entry, TimestampTz now)
{
	pid_t		pid;

	if (entry->state == ENTRY_LAUNCHED)
	{
		BgwHandleStatus status = GetBackgroundWorkerPid(entry->handle, &pid);

		if (status == BGWH_STARTED && !entry->wanted)
			TerminateBackgroundWorker(entry->handle);
		if (status == BGWH_POSTMASTER_DIED)
			proc_exit(1);
		if (status != BGWH_STOPPED)
			return true;
		entry_set_state(entry, ENTRY_WAITING);
		callsync_workers_changed();
	}
	if (!entry->wanted)
		return false;

	if (callsync_db_flags(entry->args.database, 0, CALLSYNC_DB_NUDGED, NULL) & CALLSYNC_DB_NUDGED)
	{
		/* somebody waits for it: forget the back-off of all its workers */
		ListCell   *cell;

		foreach(cell, entries)
		{
			Entry	   *other = lfirst(cell);

			if (other->args.database == entry->args.database)
			{
				other->failures = 0;
				other->due = 0;
			}
		}
	}
	if (now >= entry->due)
		launch(entry);
	return true;
}

/* Ms until the launcher has to look again by itself. */
static long
next_look(TimestampTz now)
{
	int64		wait = LOOK_MS;
	ListCell   *cell;

	foreach(cell, entries)
	{
		Entry	   *entry = lfirst(cell);

		if (entry->state == ENTRY_WAITING)
			wait = Min(wait, callsync_ms_until(now, entry->due));
	}
	return (long) Max(wait, 1);
}

/*
 * Entry point. Ends only by SIGTERM; an error restarts it after a second, and the
 * workers that it had launched go on (their locks tell the next launcher).
 */
void
callsync_launcher_main(Datum main_arg)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();

	callsync_launcher_register();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	pgstat_report_appname(CALLSYNC_LAUNCHER_TYPE);
	launcher_context = AllocSetContextCreate(TopMemoryContext, "callsync launcher",
											 ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(launcher_context);

	while (!ShutdownRequestPending)
	{
		TimestampTz now;
		ListCell   *cell;
		MemoryContext look_context;

		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		AcceptInvalidationMessages();

		look_context = AllocSetContextCreate(launcher_context, "callsync launcher look",
											 ALLOCSET_SMALL_SIZES);
		MemoryContextSwitchTo(look_context);
		look_at_databases();
		MemoryContextSwitchTo(launcher_context);
		MemoryContextDelete(look_context);

		now = GetCurrentTimestamp();
		foreach(cell, entries)
		{
			Entry	   *entry = lfirst(cell);

			if (!advance(entry, now))
			{
				entries = foreach_delete_current(entries, cell);
				pfree(entry);
			}
		}

		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 next_look(GetCurrentTimestamp()),
						 callsync_wait_event(&wait_event, "CallsyncLauncherMain"));
		ResetLatch(MyLatch);
	}
	proc_exit(0);
}
