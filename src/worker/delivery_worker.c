/*
 * delivery_worker.c
 *		A delivery worker: the process, its loop and its end. The work is engine/'s.
 *
 *		tick (short transactions)  ->  send  ->  wait (http.c, the only place)
 *
 * SIGTERM		finish what is in flight, at most callsync.shutdown_grace
 * SIGUSR2		the same without a limit of its own (stop() watches over it)
 * a second one	end now; what is in flight is looked up at the next start
 *
 * Exit code 0 means "nothing to do here": nobody restarts it then.
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

#include "access/xact.h"
#include "common/relpath.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "engine/engine.h"
#include "engine/http.h"
#include "engine/inquiry.h"
#include "engine/token.h"
#include "pg/bgworker.h"
#include "pg/clock.h"
#include "pg/compat.h"
#include "pg/guc.h"
#include "pg/locks.h"
#include "pg/shmem.h"
#include "pg/spi.h"
#include "store/history.h"
#include "store/installation.h"
#include "store/worker_state.h"

#define BACKOFF_FIRST_MS 100
#define BACKOFF_MAX_MS 30000
#define LOCK_TIMEOUT_MS "5s"
#define TICK_MEMORY (1024 * 1024)
#define KEEP_MEMORY (8 * TICK_MEMORY)
#define DRAIN_LOOK_MS 200		/* while ending: how often to see whether to hurry */
#define SLOT_TRIES 5
#define GUARD_LOOK_MS 1000		/* while it is not certain that this is no copy */
#define BLIND_NAP_MS 1000		/* the longest nap where wake-ups cannot be counted */
#define HISTORY_STEP_MS 250		/* between two steps of removing old history */
#define HISTORY_LOOK_MS 600000	/* when there was nothing to remove */

PGDLLEXPORT void callsync_worker_main(Datum main_arg);

/* How the worker is to end; only ever grows. Written by signal handlers. */
typedef enum ShutdownLevel
{
	SHUTDOWN_NO,
	SHUTDOWN_DRAIN,				/* when all is settled */
	SHUTDOWN_GRACE,				/* the same, but after shutdown_grace at the latest */
	SHUTDOWN_NOW
} ShutdownLevel;

static volatile sig_atomic_t shutdown_level = SHUTDOWN_NO;

typedef struct Worker
{
	CallsyncWorkerArgs args;
	CallsyncWorkerIdentity identity;
	CallsyncWorkerState state;	/* as written to callsync.worker */
	MemoryContext context;		/* life of the process */
	MemoryContext tick_context; /* reset every turn */
	CallsyncHttp *http;
	CallsyncEngine *engine;
	bool		running;		/* the first tick is done */
	bool		stopped;		/* stop() came while nobody ran */
	bool		confirmed;		/* this database is no copy */
	TimestampTz next_guard;		/* not confirmed: when to look again */
	TimestampTz next_history;	/* when to look for history that is too old */
	bool		more_history;
	int			failures;		/* ticks in a row that failed */
	TimestampTz retry_at;		/* after a failure: not before */
	TimestampTz drain_until;	/* SHUTDOWN_GRACE: the end */
} Worker;

static void
handle_sigterm(SIGNAL_ARGS)
{
	shutdown_level = shutdown_level == SHUTDOWN_NO ? SHUTDOWN_GRACE : SHUTDOWN_NOW;
	SignalHandlerForShutdownRequest(postgres_signal_arg);
}

static void
handle_sigusr2(SIGNAL_ARGS)
{
	if (shutdown_level == SHUTDOWN_NO)
		shutdown_level = SHUTDOWN_DRAIN;
	SignalHandlerForShutdownRequest(postgres_signal_arg);
}

/* Runs on every way out that is not a crash. */
static void
cleanup(int code, Datum arg)
{
	Worker	   *worker = (Worker *) DatumGetPointer(arg);

	if (worker->http != NULL)
		callsync_http_destroy(worker->http);
	worker->http = NULL;
	callsync_workers_changed();
}

/*
 * Does the database still have its directory? Connecting to one that was dropped
 * is FATAL, and the postmaster would start a worker of start() again for ever.
 */
static bool
database_exists(const CallsyncWorkerArgs *args)
{
	char	   *path = GetDatabasePath(args->database, args->tablespace);
	struct stat st;
	bool		exists = stat(path, &st) == 0 || errno != ENOENT;

	pfree(path);
	return exists;
}

/* Settings that the worker's statements count on, whatever ALTER ROLE says. */
static void
fix_settings(void)
{
	static const char *const settings[][2] = {
		{"search_path", "pg_catalog, pg_temp"},
		{"lock_timeout", LOCK_TIMEOUT_MS},
		{"statement_timeout", "0"},
		{"idle_in_transaction_session_timeout", "0"},
		{"idle_session_timeout", "0"},
		{"default_transaction_isolation", "read committed"},
		{"default_transaction_read_only", "off"},
		{"max_parallel_workers_per_gather", "0"},
		{"jit", "off"},
		{"bytea_output", "hex"},
		{"DateStyle", "ISO, YMD"},
		{"IntervalStyle", "postgres"},
		{"TimeZone", "UTC"},
		{"extra_float_digits", "1"},
		/* a row of the user's that a policy hides is an error, never a call that silently is not there */
		{"row_security", "off"},
	};

	for (int i = 0; i < lengthof(settings); i++)
		SetConfigOption(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_OVERRIDE);
}

/*
 * What one turn frees, the next one takes again: giving it back to the kernel in between
 * costs more than the turn's own work on it.
 */
static void
keep_freed_memory(void)
{
#ifdef __GLIBC__
	(void) mallopt(M_TRIM_THRESHOLD, KEEP_MEMORY);
	(void) mallopt(M_TOP_PAD, TICK_MEMORY);
	/* (setting the one above makes this one stay at 128 kB) */
	(void) mallopt(M_MMAP_THRESHOLD, KEEP_MEMORY);
#endif
}

/* One process per database and index; another look may hold the lock for a moment. */
static bool
take_slot(const Worker *worker)
{
	for (int i = 0; i < SLOT_TRIES; i++)
	{
		if (callsync_lock_try(MyDatabaseId, CALLSYNC_LOCK_WORKER, worker->args.index))
			return true;
		pg_usleep(10000L);
	}
	return false;
}

/* ---- transactions of the worker itself ---- */

static void
write_state_body(void *arg)
{
	callsync_worker_state_write(arg);
}

/*
 * Brings callsync.worker up to date: at once where the state changed (or "force"),
 * otherwise at most once a second and only where a number moved.
 */
static void
write_state(Worker *worker, const char *state, bool force)
{
	CallsyncWorkerState *row = &worker->state;
	CallsyncEngineStatus status;
	CallsyncTxnError error;
	TimestampTz now = GetCurrentTimestamp();

	callsync_engine_status(worker->engine, &status);
	force |= row->is_copy != worker->identity.is_copy ||
		row->state == NULL || strcmp(row->state, state) != 0;
	if (!force &&
		(now - row->written_at < USECS_PER_SEC ||
		 memcmp(&status, &row->engine, sizeof(status)) == 0))
		return;

	row->state = state;
	row->engine = status;
	row->is_copy = worker->identity.is_copy;
	row->written_at = now;
	(void) callsync_txn_run("writing its state", write_state_body, row, &error);
}

static void
stopped_body(void *arg)
{
	Worker	   *worker = arg;

	worker->stopped = callsync_worker_state_is_stopped(worker->args.index, worker->args.registered_at);
}

static void
guard_body(void *arg)
{
	Worker	   *worker = arg;

	switch (callsync_installation_guard())
	{
		case CALLSYNC_INSTALLATION_OURS:
			worker->confirmed = true;
			break;
		case CALLSYNC_INSTALLATION_EMPTY:
		case CALLSYNC_INSTALLATION_COPY:
			break;
	}
}

/*
 * The copy guard: as long as it is not certain that this database is no copy,
 * nothing is sent. Looks again until then, also where the naptime is an hour: the first
 * destination may be made right after a look.
 */
static void
look_at_guard(Worker *worker)
{
	CallsyncTxnError error;
	TimestampTz now = GetCurrentTimestamp();

	if (worker->confirmed || now < worker->next_guard)
		return;
	worker->next_guard = TimestampTzPlusMilliseconds(now, Min(callsync_naptime, GUARD_LOOK_MS));
	if (callsync_txn_run("looking whether this is a copy", guard_body, worker,
						 &error) != CALLSYNC_TXN_COMMITTED)
		worker->confirmed = false;
	worker->identity.is_copy = !worker->confirmed;
}

static void
history_body(void *arg)
{
	Worker	   *worker = arg;

	worker->more_history = callsync_history_prune(callsync_keep_requests, callsync_keep_history, callsync_now());
}

/* Old history goes in small steps, by one of the workers. Returns ms until the next one. */
static int64
look_at_history(Worker *worker)
{
	CallsyncTxnError error;
	TimestampTz now = GetCurrentTimestamp();

	if (worker->args.index != 0 || !worker->confirmed || shutdown_level != SHUTDOWN_NO)
		return HISTORY_LOOK_MS;
	if (now >= worker->next_history)
	{
		worker->more_history = false;
		(void) callsync_txn_run("removing old history", history_body, worker, &error);
		worker->next_history = TimestampTzPlusMilliseconds(GetCurrentTimestamp(),
														   worker->more_history ? HISTORY_STEP_MS : HISTORY_LOOK_MS);
	}
	return callsync_ms_until(now, worker->next_history);
}

/* ---- the loop ---- */

static void
reload(Worker *worker)
{
	char	   *instance = pstrdup(callsync_instance);
	char	   *key_file = pstrdup(callsync_key_file);

	ConfigReloadPending = false;
	ProcessConfigFile(PGC_SIGHUP);

	worker->identity.workers = callsync_workers;
	callsync_http_set_concurrency(worker->http, callsync_http_concurrency);
	callsync_engine_reload(worker->engine);
	worker->next_history = 0;

	/* another name may mean another place */
	if (strcmp(instance, callsync_instance) != 0 ||
		strcmp(key_file, callsync_key_file) != 0)
	{
		worker->confirmed = false;
		worker->identity.is_copy = true;
		worker->next_guard = 0;
	}
}

/* Dropped, or dropped and made again: this process has nothing to work for. */
static void
extension_is_gone(const Worker *worker)
{
	callsync_db_flags(MyDatabaseId, CALLSYNC_DB_NO_EXTENSION, 0, NULL);
	ereport(LOG,
			(errmsg("callsync worker %d ends: database %u has no extension callsync, or has another one now",
					worker->args.index, MyDatabaseId)));
	proc_exit(0);
}

/* One tick and what follows from its result; ms to wait before the next one. */
static int64
turn(Worker *worker)
{
	TimestampTz now = GetCurrentTimestamp();
	CallsyncTick result;
	int64		deadline;
	int64		history_ms;

	look_at_guard(worker);
	if (callsync_tokens_tick() == CALLSYNC_TICK_NO_EXTENSION)
		extension_is_gone(worker);
	callsync_tokens_send();

	if (worker->failures > 0 && now < worker->retry_at)
		return callsync_ms_until(now, worker->retry_at);
	result = callsync_engine_tick(worker->engine);
	switch (result)
	{
		case CALLSYNC_TICK_NO_EXTENSION:
			extension_is_gone(worker);
			break;
		case CALLSYNC_TICK_FAILED:
			{
				int64		delay = BACKOFF_FIRST_MS;

				for (int i = 0; i < worker->failures && delay < BACKOFF_MAX_MS; i++)
					delay *= 2;
				delay = Min(delay, BACKOFF_MAX_MS);
				worker->failures++;
				worker->retry_at = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), delay);
				return delay;
			}
		case CALLSYNC_TICK_MORE:
		case CALLSYNC_TICK_IDLE:
			worker->failures = 0;
			break;
	}

	callsync_engine_send(worker->engine);
	if (callsync_inquiries_tick(worker->engine) == CALLSYNC_TICK_NO_EXTENSION)
		extension_is_gone(worker);
	callsync_inquiries_send(worker->engine);

	if (!worker->running)
	{
		worker->running = true;
		callsync_lock_wait(MyDatabaseId, CALLSYNC_LOCK_RUNNING, worker->args.index);
		write_state(worker, "running", true);
		callsync_workers_changed();
	}
	else
		write_state(worker, shutdown_level == SHUTDOWN_NO ? "running" : "ending", false);

	history_ms = look_at_history(worker);
	if (result == CALLSYNC_TICK_MORE)
		return 0;
	deadline = callsync_engine_next_deadline_ms(worker->engine);
	deadline = deadline < 0 ? callsync_naptime : Min(deadline, callsync_naptime);
	if (!worker->confirmed)
		deadline = Min(deadline, callsync_ms_until(now, worker->next_guard));
	deadline = Min(deadline, history_ms);
	deadline = Min(deadline, callsync_inquiries_next_ms(worker->engine));
	return Min(deadline, callsync_tokens_next_ms());
}

/* Nothing under way? */
static bool
is_drained(const Worker *worker)
{
	return callsync_engine_drained(worker->engine) && callsync_tokens_drained() && callsync_inquiries_drained();
}

/* While ending: is it time to go? */
static bool
may_end(Worker *worker)
{
	TimestampTz now = GetCurrentTimestamp();

	if (shutdown_level == SHUTDOWN_NOW || is_drained(worker))
		return true;
	if (shutdown_level == SHUTDOWN_GRACE)
	{
		if (worker->drain_until == 0)
			worker->drain_until = TimestampTzPlusMilliseconds(now, callsync_shutdown_grace);
		if (now >= worker->drain_until)
			return true;
	}

	/* DROP DATABASE WITH (FORCE) waits for us, and nothing here has a future */
	return callsync_database_is_wanted(MyDatabaseId);
}

static void
main_loop(Worker *worker)
{
	bool		ending = false;
	bool		woken = true;

	for (;;)
	{
		int64		wait_ms;
		int64		wakes = callsync_wakes(MyDatabaseId);

		/* somebody wants something: it may be about a destination */
		if (woken)
		{
			callsync_tokens_woken();
			callsync_inquiries_woken();
		}

		/* a cancel that came between two ticks has nothing left to cancel */
		QueryCancelPending = false;
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
			reload(worker);
		AcceptInvalidationMessages();

		if (worker->args.index >= callsync_workers && shutdown_level == SHUTDOWN_NO)
			shutdown_level = SHUTDOWN_GRACE;	/* one too many by the new setting */
		if (shutdown_level != SHUTDOWN_NO)
		{
			if (!ending)
			{
				ending = true;
				callsync_engine_shutdown(worker->engine);
				callsync_tokens_shutdown();
			}
			if (may_end(worker))
				return;
		}

		MemoryContextSwitchTo(worker->tick_context);
		wait_ms = turn(worker);
		MemoryContextSwitchTo(worker->tick_context);
		MemoryContextReset(worker->tick_context);

		if (ending)
			wait_ms = Min(wait_ms, is_drained(worker) ? 0 : DRAIN_LOOK_MS);
		/* a sleep within the turn may have used the latch up */
		woken = wakes != callsync_wakes(MyDatabaseId);
		if (woken)
			wait_ms = 0;
		else if (wakes < 0)
			wait_ms = Min(wait_ms, BLIND_NAP_MS);
		if (wait_ms > 0)
			pgstat_report_stat(true);
		if (callsync_http_wait(worker->http, wait_ms) & CALLSYNC_HTTP_WOKEN)
			woken = true;
	}
}

/* Entry point. */
void
callsync_worker_main(Datum main_arg)
{
	Worker	   *worker = MemoryContextAllocZero(TopMemoryContext, sizeof(Worker));
	char		appname[64];
	CallsyncTxnError error;

	memcpy(&worker->args, MyBgworkerEntry->bgw_extra, sizeof(worker->args));
	pqsignal(SIGTERM, handle_sigterm);
	pqsignal(SIGUSR2, handle_sigusr2);
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	BackgroundWorkerUnblockSignals();
	before_shmem_exit(cleanup, PointerGetDatum(worker));

	if (!database_exists(&worker->args))
		proc_exit(0);
	BackgroundWorkerInitializeConnectionByOid(worker->args.database, worker->args.role,
											  BGWORKER_BYPASS_ROLELOGINCHECK);
	snprintf(appname, sizeof(appname), "callsync worker %d", worker->args.index);
	pgstat_report_appname(appname);

	/* stop() may have been called while we started */
	if (callsync_db_flags(MyDatabaseId, 0, 0, NULL) & CALLSYNC_DB_STOPPED)
		proc_exit(0);
	if (!take_slot(worker))
	{
		ereport(DEBUG1,
				(errmsg_internal("callsync worker %d ends: another process has its place",
								 worker->args.index)));
		proc_exit(0);
	}
	fix_settings();
	callsync_worker_announce();
	keep_freed_memory();

	worker->context = AllocSetContextCreate(TopMemoryContext, "callsync worker",
											ALLOCSET_DEFAULT_SIZES);
	/* its first block stays when it is reset: a busy tick fills about that much, turn after turn */
	worker->tick_context = AllocSetContextCreate(TopMemoryContext, "callsync tick",
												 TICK_MEMORY, TICK_MEMORY, 8 * TICK_MEMORY);
	worker->identity.database = MyDatabaseId;
	worker->identity.index = worker->args.index;
	worker->identity.workers = callsync_workers;
	worker->identity.is_copy = true;	/* until the guard says otherwise */
	snprintf(worker->identity.name, sizeof(worker->identity.name),
			 "worker %d, pid %d", worker->args.index, MyProcPid);
	worker->state.index = worker->args.index;
	worker->state.registered_at = worker->args.registered_at;
	worker->state.pid = MyProcPid;
	worker->state.started_at = GetCurrentTimestamp();

	/*
	 * The postmaster starts a worker again that has failed. Without shared memory
	 * the only trace of a stop() in between is in the table.
	 */
	if (callsync_txn_run("looking whether to run", stopped_body, worker, &error) == CALLSYNC_TXN_COMMITTED &&
		worker->stopped)
	{
		ereport(LOG,
				(errmsg("callsync worker %d ends: it was stopped", worker->args.index)));
		proc_exit(0);
	}

	worker->http = callsync_http_create(worker->context, callsync_http_concurrency);
	worker->engine = callsync_engine_create(worker->context, &worker->identity, worker->http);

	callsync_tokens_init(worker->context, worker->http, &worker->identity);

	main_loop(worker);

	write_state(worker, "stopped", true);
	proc_exit(0);
}
