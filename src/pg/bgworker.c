/*
 * bgworker.c
 *		See bgworker.h.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/timestamp.h"

#include "pg/bgworker.h"
#include "pg/shmem.h"

#define UNMANAGED_RESTART_S 5

StaticAssertDecl(sizeof(CallsyncWorkerArgs) <= BGW_EXTRALEN,
				 "arguments of a worker must fit");

bool
callsync_register_worker(const CallsyncWorkerArgs *args,
						 BackgroundWorkerHandle **handle)
{
	BackgroundWorker worker;
	CallsyncWorkerArgs with_time = *args;

	with_time.registered_at = GetCurrentTimestamp();
	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = args->managed ? BGW_NEVER_RESTART : UNMANAGED_RESTART_S;
	snprintf(worker.bgw_library_name, BGW_MAXLEN, "callsync");
	snprintf(worker.bgw_function_name, BGW_MAXLEN, "callsync_worker_main");
	snprintf(worker.bgw_name, BGW_MAXLEN, "callsync worker %d for database %u",
			 args->index, args->database);
	snprintf(worker.bgw_type, BGW_MAXLEN, CALLSYNC_WORKER_TYPE);
	worker.bgw_main_arg = Int32GetDatum(args->index);
	memcpy(worker.bgw_extra, &with_time, sizeof(with_time));
	worker.bgw_notify_pid = MyProcPid;

	return RegisterDynamicBackgroundWorker(&worker, handle);
}

void
callsync_register_launcher(void)
{
	BackgroundWorker worker;

	memset(&worker, 0, sizeof(worker));
	worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
	worker.bgw_start_time = BgWorkerStart_RecoveryFinished;
	worker.bgw_restart_time = 1;
	snprintf(worker.bgw_library_name, BGW_MAXLEN, "callsync");
	snprintf(worker.bgw_function_name, BGW_MAXLEN, "callsync_launcher_main");
	snprintf(worker.bgw_name, BGW_MAXLEN, CALLSYNC_LAUNCHER_TYPE);
	snprintf(worker.bgw_type, BGW_MAXLEN, CALLSYNC_LAUNCHER_TYPE);
	RegisterBackgroundWorker(&worker);
}
