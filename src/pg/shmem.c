/*
 * shmem.c
 *		Finding and waking workers, and the little that is shared.
 *
 * A worker is recognised by its entry in the process array: connected to this
 * database, a background worker, registered under our type. That is always true
 * and never stale: no handle has to be published, and a snapshot that is older
 * than the worker cannot hide it.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "postmaster/bgworker.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/shmem.h"
#include "utils/timestamp.h"

#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/shmem.h"

#define MAX_DATABASES 256
#define POLL_MS 20				/* how often to look without shared memory */
#define RESCAN_MS 100			/* how often to look for workers that are not there */
#define WAKE_COUNTERS 64		/* by database */
#define ANNOUNCE_TRIES 5000		/* of a millisecond each */

typedef struct DatabaseEntry
{
	Oid			database;		/* InvalidOid = free */
	int			flags;			/* CALLSYNC_DB_... */
} DatabaseEntry;

typedef struct CallsyncShared
{
	LWLock	   *lock;			/* guards all but the condition variable */
	int			launcher_pid;	/* 0 = none */
	Latch	   *launcher_latch;
	ConditionVariable changed;	/* a worker came, went or failed */
	pg_atomic_uint32 generation;	/* counts workers that announced themselves */
	pg_atomic_uint64 wakes[WAKE_COUNTERS];
	DatabaseEntry databases[MAX_DATABASES];
} CallsyncShared;

static CallsyncShared *shared = NULL;
static shmem_request_hook_type previous_request_hook = NULL;
static shmem_startup_hook_type previous_startup_hook = NULL;

/* ---- finding and waking ---- */

/* Is this process one of the workers of a database? Reads without a lock. */
static bool
is_worker(PGPROC *proc, Oid database)
{
	int			pid = proc->pid;
	const char *type;

	if (pid == 0 || pid == MyProcPid || proc->databaseId != database ||
		!callsync_proc_is_bgworker(proc))
		return false;

	/* parallel workers are background workers of the same database, too */
	type = GetBackgroundWorkerTypeByPid(pid);
	return type != NULL && strcmp(type, CALLSYNC_WORKER_TYPE) == 0;
}

int
callsync_find_workers(Oid database, int *pids, int max)
{
	int			found = 0;

	for (uint32 i = 0; i < ProcGlobal->allProcCount; i++)
	{
		PGPROC	   *proc = &ProcGlobal->allProcs[i];

		if (!is_worker(proc, database))
			continue;
		if (found < max)
			pids[found] = proc->pid;
		found++;
	}
	return found;
}

static pg_atomic_uint64 *
wake_counter(Oid database)
{
	return &shared->wakes[database % WAKE_COUNTERS];
}

int64
callsync_wakes(Oid database)
{
	return shared != NULL ? (int64) pg_atomic_read_u64(wake_counter(database)) : -1;
}

void
callsync_worker_announce(void)
{
	/* others know us by what the postmaster writes after it has started us */
	for (int i = 0; i < ANNOUNCE_TRIES && GetBackgroundWorkerTypeByPid(MyProcPid) == NULL; i++)
	{
		CHECK_FOR_INTERRUPTS();
		pg_usleep(1000L);
	}
	if (shared != NULL)
		pg_atomic_fetch_add_u32(&shared->generation, 1);
}

/*
 * The commit path: normally a few comparisons and a SetLatch() per worker. Entries
 * of the process array never move, so a pointer stays good; the pid tells whether
 * it is still the same process. A latch set by mistake does no harm.
 *
 * A worker announces itself before it reads anything, a writer has committed before it
 * looks for announcements, and both are full barriers: one of them sees the other.
 */
void
callsync_wake_workers(void)
{
	static PGPROC *known[CALLSYNC_MAX_WORKERS];
	static int	known_pid[CALLSYNC_MAX_WORKERS];
	static int	nknown = 0;
	static uint32 known_generation = 0;
	static TimestampTz next_scan = 0;
	TimestampTz now;
	bool		stale = nknown == 0;

	if (shared != NULL)
	{
		uint32		generation;

		pg_atomic_fetch_add_u64(wake_counter(MyDatabaseId), 1);
		generation = pg_atomic_read_u32(&shared->generation);
		if (generation != known_generation)
			next_scan = 0;
		known_generation = generation;
	}

	for (int i = 0; i < nknown; i++)
	{
		if (known[i]->pid == known_pid[i] && known[i]->databaseId == MyDatabaseId)
			SetLatch(&known[i]->procLatch);
		else
			stale = true;
	}

	/* also look now and then for workers that were added */
	now = GetCurrentTimestamp();
	if (now < next_scan)
		return;
	next_scan = TimestampTzPlusMilliseconds(now, stale ? RESCAN_MS : 10 * RESCAN_MS);
	nknown = 0;
	for (uint32 i = 0; i < ProcGlobal->allProcCount && nknown < CALLSYNC_MAX_WORKERS; i++)
	{
		PGPROC	   *proc = &ProcGlobal->allProcs[i];

		if (!is_worker(proc, MyDatabaseId))
			continue;
		known[nknown] = proc;
		known_pid[nknown] = proc->pid;
		nknown++;
		SetLatch(&proc->procLatch);
	}
}

/* ---- shared memory ---- */

static void
request_shmem(void)
{
	if (previous_request_hook)
		previous_request_hook();
	RequestAddinShmemSpace(MAXALIGN(sizeof(CallsyncShared)));
	RequestNamedLWLockTranche("callsync", 1);
}

static void
startup_shmem(void)
{
	bool		found;

	if (previous_startup_hook)
		previous_startup_hook();

	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	shared = ShmemInitStruct("callsync", sizeof(CallsyncShared), &found);
	if (!found)
	{
		memset(shared, 0, sizeof(*shared));
		shared->lock = &GetNamedLWLockTranche("callsync")->lock;
		ConditionVariableInit(&shared->changed);
		pg_atomic_init_u32(&shared->generation, 0);
		for (int i = 0; i < WAKE_COUNTERS; i++)
			pg_atomic_init_u64(&shared->wakes[i], 0);
	}
	LWLockRelease(AddinShmemInitLock);
}

void
callsync_shmem_init(void)
{
	previous_request_hook = shmem_request_hook;
	shmem_request_hook = request_shmem;
	previous_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}

bool
callsync_shmem_available(void)
{
	return shared != NULL;
}

int
callsync_db_flags(Oid database, int set, int clear, bool *stored)
{
	DatabaseEntry *entry = NULL;
	int			before = 0;

	if (stored)
		*stored = shared != NULL;
	if (shared == NULL)
		return 0;

	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	for (int i = 0; i < MAX_DATABASES; i++)
	{
		if (shared->databases[i].database == database)
		{
			entry = &shared->databases[i];
			break;
		}
		if (entry == NULL && shared->databases[i].database == InvalidOid)
			entry = &shared->databases[i];
	}
	if (entry != NULL)
	{
		if (entry->database == database)
			before = entry->flags;
		entry->flags = (before & ~clear) | set;
		entry->database = entry->flags != 0 ? database : InvalidOid;
	}
	else if (stored)
		*stored = set == 0;
	LWLockRelease(shared->lock);
	return before;
}

static void
forget_launcher(int code, Datum arg)
{
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	if (shared->launcher_pid == MyProcPid)
	{
		shared->launcher_pid = 0;
		shared->launcher_latch = NULL;
	}
	LWLockRelease(shared->lock);
}

void
callsync_launcher_register(void)
{
	if (shared == NULL)
		return;
	before_shmem_exit(forget_launcher, (Datum) 0);
	LWLockAcquire(shared->lock, LW_EXCLUSIVE);
	shared->launcher_pid = MyProcPid;
	shared->launcher_latch = MyLatch;
	LWLockRelease(shared->lock);
}

int
callsync_launcher_pid(void)
{
	int			pid = 0;

	if (shared != NULL)
	{
		LWLockAcquire(shared->lock, LW_SHARED);
		pid = shared->launcher_pid;
		LWLockRelease(shared->lock);
	}
	return pid;
}

void
callsync_launcher_wake(void)
{
	if (shared == NULL)
		return;

	/* under the lock, so that the latch cannot become another process's */
	LWLockAcquire(shared->lock, LW_SHARED);
	if (shared->launcher_latch != NULL)
		SetLatch(shared->launcher_latch);
	LWLockRelease(shared->lock);
}

void
callsync_workers_changed(void)
{
	if (shared != NULL)
		ConditionVariableBroadcast(&shared->changed);
}

void
callsync_workers_wait_begin(void)
{
	if (shared != NULL)
		ConditionVariablePrepareToSleep(&shared->changed);
}

void
callsync_workers_wait(int64 timeout_ms)
{
	static uint32 wait_event = 0;
	uint32		event = callsync_wait_event(&wait_event, "CallsyncWaitForWorker");

	/*
	 * A worker that is killed tells nobody, so even with shared memory the wait
	 * is cut into pieces.
	 */
	if (shared != NULL)
		(void) ConditionVariableTimedSleep(&shared->changed,
										   Min(timeout_ms, 10 * POLL_MS), event);
	else
	{
		(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
						 Min(timeout_ms, POLL_MS), event);
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

void
callsync_workers_wait_end(void)
{
	if (shared != NULL)
		ConditionVariableCancelSleep();
}
