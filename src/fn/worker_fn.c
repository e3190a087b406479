/*
 * worker_fn.c
 *		start(), stop(), wait_until_running() and the copy guard, for SQL.
 *
 * None of the first three is transactional: processes do not wait for a COMMIT.
 */
#include "postgres.h"

#include <signal.h>

#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "postmaster/bgworker.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/bgworker.h"
#include "pg/clock.h"
#include "pg/guc.h"
#include "pg/locks.h"
#include "pg/shmem.h"
#include "store/installation.h"
#include "store/worker_state.h"

#define START_TIMEOUT_MS 15000
#define STOP_LAST_WORD_MS 10000 /* after the grace, for clean-up only */

PG_FUNCTION_INFO_V1(callsync_start);
PG_FUNCTION_INFO_V1(callsync_stop);
PG_FUNCTION_INFO_V1(callsync_wait_until_running);
PG_FUNCTION_INFO_V1(callsync_worker_pids);
PG_FUNCTION_INFO_V1(callsync_record_installation);
PG_FUNCTION_INFO_V1(callsync_adopt);
PG_FUNCTION_INFO_V1(callsync_nudge_launcher);

static int64
interval_ms(const Interval *interval)
{
	double		ms = interval->time / 1000.0 +
		(interval->day + 30.0 * interval->month) * 86400000.0;

	if (ms <= 0)
		return 0;
	return ms > 1e12 ? (int64) 1e12 : (int64) ms;
}

/* How many workers of this database hold the lock of that class? */
static int
count_held(uint32 class_id)
{
	int			held = 0;

	for (int i = 0; i < callsync_workers; i++)
		held += callsync_lock_is_held(MyDatabaseId, class_id, i);
	return held;
}

/* Does the launcher look after this database? */
static bool
is_launchers(void)
{
	List	   *names;
	ListCell   *cell;
	char	   *name;

	if (callsync_launcher_pid() == 0)
		return false;
	name = get_database_name(MyDatabaseId);
	names = callsync_guc_databases();
	foreach(cell, names)
	{
		if (name != NULL && strcmp(lfirst(cell), name) == 0)
			return true;
	}
	return false;
}

static void
with_spi(void (*body) (void))
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	body();
	SPI_finish();
}

static void
nudge(void)
{
	callsync_db_flags(MyDatabaseId, CALLSYNC_DB_NUDGED, 0, NULL);
	callsync_launcher_wake();
}

static bool
no_slot_left(void)
{
	return (callsync_db_flags(MyDatabaseId, 0, 0, NULL) & CALLSYNC_DB_NO_SLOT) != 0;
}

static void
error_no_slot(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
			 errmsg("could not start a delivery worker"),
			 errdetail("All %d slots of background workers are in use.", max_worker_processes),
			 errhint("Increase max_worker_processes and restart the server, or lower callsync.workers.")));
}

/*
 * Waits until all workers run; false on timeout, or where the launcher has no slot
 * for one (*no_slot; it tries again and again, so a look later may miss it). handles: those that this process registered; a worker that ends without
 * having run is an error then.
 */
static bool
wait_for_workers(int64 timeout_ms, BackgroundWorkerHandle **handles, int nhandles, bool *no_slot)
{
	TimestampTz until = callsync_time_plus_ms(GetCurrentTimestamp(), timeout_ms);
	bool		all;

	callsync_workers_wait_begin();
	for (;;)
	{
		TimestampTz now = GetCurrentTimestamp();
		bool		ended = false;
		pid_t		pid;

		/* looked at before the locks: a worker that ran took its lock before it ended */
		for (int i = 0; i < nhandles; i++)
			ended |= GetBackgroundWorkerPid(handles[i], &pid) == BGWH_STOPPED;
		all = count_held(CALLSYNC_LOCK_RUNNING) == callsync_workers;
		*no_slot = !all && no_slot_left();
		if (all || now >= until || *no_slot)
			break;
		if (ended)
		{
			callsync_workers_wait_end();
			for (int i = 0; i < nhandles; i++)
				TerminateBackgroundWorker(handles[i]);
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("a delivery worker ended before it was ready"),
					 errhint("The server log says why. A worker sees the extension only when the transaction of CREATE EXTENSION is committed.")));
		}
		callsync_workers_wait(callsync_ms_until(now, until));
	}
	callsync_workers_wait_end();
	return all;
}

Datum
callsync_start(PG_FUNCTION_ARGS)
{
	BackgroundWorkerHandle *handles[CALLSYNC_MAX_WORKERS];
	int			nhandles = 0;
	bool		no_slot;

	if (RecoveryInProgress())
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot start delivery workers during recovery"),
				 errhint("A standby sends nothing. Workers of callsync.databases start when it is promoted.")));
	if (IsBinaryUpgrade)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot start delivery workers during a binary upgrade")));
	if (count_held(CALLSYNC_LOCK_WORKER) == callsync_workers)
		PG_RETURN_BOOL(false);

	callsync_db_flags(MyDatabaseId, 0, CALLSYNC_DB_STOPPED | CALLSYNC_DB_NO_SLOT, NULL);
	if (is_launchers())
		nudge();
	else
	{
		CallsyncWorkerArgs args = {
			.database = MyDatabaseId,
			.tablespace = MyDatabaseTableSpace,
			.role = get_role_oid("callsync_worker", false),
			.managed = false
		};

		for (args.index = 0; args.index < callsync_workers; args.index++)
		{
			if (callsync_lock_is_held(MyDatabaseId, CALLSYNC_LOCK_WORKER, args.index))
				continue;
			if (!callsync_register_worker(&args, &handles[nhandles]))
			{
				for (int i = 0; i < nhandles; i++)
					TerminateBackgroundWorker(handles[i]);
				error_no_slot();
			}
			nhandles++;
		}
	}

	if (!wait_for_workers(START_TIMEOUT_MS, handles, nhandles, &no_slot))
	{
		if (no_slot)
			error_no_slot();
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("delivery workers did not come up within %d seconds",
						START_TIMEOUT_MS / 1000),
				 errdetail("%d of %d run.", count_held(CALLSYNC_LOCK_RUNNING), callsync_workers),
				 errhint("The server log says why.")));
	}
	PG_RETURN_BOOL(true);
}

Datum
callsync_stop(PG_FUNCTION_ARGS)
{
	int64		grace_ms = interval_ms(PG_GETARG_INTERVAL_P(0));
	TimestampTz grace_end = callsync_time_plus_ms(GetCurrentTimestamp(), grace_ms);
	TimestampTz end = callsync_time_plus_ms(grace_end, STOP_LAST_WORD_MS);
	int			told[CALLSYNC_MAX_WORKERS];
	int			ntold = 0;
	bool		hurried = false;
	bool		gone;

	if (callsync_shmem_available())
	{
		bool		stored;

		callsync_db_flags(MyDatabaseId, CALLSYNC_DB_STOPPED, 0, &stored);
		if (!stored)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many databases have stopped workers"),
					 errhint("Take this database out of callsync.databases in place of stop().")));
		callsync_launcher_wake();
	}

	callsync_workers_wait_begin();
	for (;;)
	{
		TimestampTz now = GetCurrentTimestamp();
		int			pids[CALLSYNC_MAX_WORKERS];
		int			npids = Min(callsync_find_workers(MyDatabaseId, pids, CALLSYNC_MAX_WORKERS),
								CALLSYNC_MAX_WORKERS);

		gone = npids == 0;
		if (gone || now >= end)
			break;
		for (int i = 0; i < npids; i++)
		{
			bool		was_told = false;

			for (int j = 0; j < ntold; j++)
				was_told |= told[j] == pids[i];
			if (was_told || ntold == CALLSYNC_MAX_WORKERS)
				continue;
			(void) kill(pids[i], SIGUSR2);
			told[ntold++] = pids[i];
		}
		if (now >= grace_end && !hurried)
		{
			for (int i = 0; i < npids; i++)
				(void) kill(pids[i], SIGTERM);
			hurried = true;
		}
		callsync_workers_wait(callsync_ms_until(now, hurried ? end : grace_end));
	}
	callsync_workers_wait_end();

	if (!gone)
		ereport(WARNING,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("a delivery worker has not ended yet"),
				 errhint("It ends when its transaction does, see pg_stat_activity and callsync.tick_timeout.")));
	with_spi(callsync_worker_state_stop_all);
	PG_RETURN_BOOL(gone);
}

Datum
callsync_wait_until_running(PG_FUNCTION_ARGS)
{
	int64		timeout_ms = interval_ms(PG_GETARG_INTERVAL_P(0));
	bool		no_slot;

	if (count_held(CALLSYNC_LOCK_RUNNING) < callsync_workers && is_launchers())
		nudge();
	if (wait_for_workers(timeout_ms, NULL, 0, &no_slot))
		PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(count_held(CALLSYNC_LOCK_RUNNING) > 0);
}

Datum
callsync_worker_pids(PG_FUNCTION_ARGS)
{
	int			pids[CALLSYNC_MAX_WORKERS];
	Datum		elements[CALLSYNC_MAX_WORKERS];
	int			n = Min(callsync_find_workers(MyDatabaseId, pids, CALLSYNC_MAX_WORKERS),
						CALLSYNC_MAX_WORKERS);

	for (int i = 0; i < n; i++)
		elements[i] = Int32GetDatum(pids[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, n, INT4OID, sizeof(int32), true,
										  TYPALIGN_INT));
}

Datum
callsync_record_installation(PG_FUNCTION_ARGS)
{
	with_spi(callsync_installation_record);
	PG_RETURN_VOID();
}

Datum
callsync_adopt(PG_FUNCTION_ARGS)
{
	with_spi(callsync_installation_adopt);
	PG_RETURN_VOID();
}

/* ---- after CREATE EXTENSION ---- */

static bool nudge_wanted = false;

static void
nudge_at_commit(XactEvent event, void *arg)
{
	if (!nudge_wanted)
		return;
	if (event == XACT_EVENT_COMMIT)
		nudge();
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		nudge_wanted = false;
}

Datum
callsync_nudge_launcher(PG_FUNCTION_ARGS)
{
	static bool registered = false;

	if (!registered)
		RegisterXactCallback(nudge_at_commit, NULL);
	registered = true;
	nudge_wanted = true;
	PG_RETURN_VOID();
}
