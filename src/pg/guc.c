/*
 * guc.c
 *		The settings of callsync.
 *
 * The library is often loaded late, by the first function of a session. Then a
 * PGC_POSTMASTER setting would be a FATAL error: there is none. Settings that a
 * worker obeys are PGC_SIGHUP; what belongs to a query is PGC_USERSET.
 */
#include "postgres.h"

#include <limits.h>

#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/varlena.h"

#include "pg/guc.h"

char	   *callsync_databases = NULL;
int			callsync_workers = 1;
int			callsync_naptime = 1000;
int			callsync_shutdown_grace = 5000;
int			callsync_tick_timeout = 30000;
char	   *callsync_key_file = NULL;
char	   *callsync_instance = NULL;
int			callsync_http_concurrency = 64;
int			callsync_max_body_bytes = 1024 * 1024;
int			callsync_keep_requests = 14 * 24 * 60;
int			callsync_keep_history = 400 * 24 * 60;
double		callsync_name_threshold = 0.85;
int			callsync_clock_offset = 0;
char	   *callsync_crash_at = NULL;
static bool forgetting = false; /* read by the trigger event_append_only */

/* Accepts a list of database names; whether they exist is the launcher's question. */
static bool
check_databases(char **newval, void **extra, GucSource source)
{
	char	   *copy = pstrdup(*newval);
	List	   *names = NIL;

	if (!SplitGUCList(copy, ',', &names))
	{
		GUC_check_errdetail("The value is no comma-separated list of names.");
		GUC_check_errhint("Names with commas or blanks are put in double quotes.");
		list_free(names);
		pfree(copy);
		return false;
	}
	list_free(names);
	pfree(copy);
	return true;
}

List *
callsync_guc_databases(void)
{
	List	   *names = NIL;

	/* checked when it was set; the copy stays, the list points into it */
	if (!SplitGUCList(pstrdup(callsync_databases), ',', &names))
		return NIL;
	return names;
}

void
callsync_guc_init(void)
{
	DefineCustomStringVariable("callsync.databases",
							   "Sets the databases in which delivery workers start by themselves.",
							   "A comma-separated list of names; needs callsync in shared_preload_libraries. Empty means none.",
							   &callsync_databases,
							   "",
							   PGC_SIGHUP, GUC_LIST_INPUT,
							   check_databases, NULL, NULL);
	DefineCustomIntVariable("callsync.workers",
							"Sets the number of delivery workers per database.",
							"Each one takes a slot of max_worker_processes.",
							&callsync_workers,
							1, 1, CALLSYNC_MAX_WORKERS,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("callsync.naptime",
							"Sets the time after which a worker looks for work without being woken.",
							NULL,
							&callsync_naptime,
							1000, 10, 3600 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomIntVariable("callsync.shutdown_grace",
							"Sets how long a worker that is told to end waits for answers.",
							"What is still in flight then is looked up at the next start.",
							&callsync_shutdown_grace,
							5000, 0, 600 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomIntVariable("callsync.tick_timeout",
							"Sets how long one transaction of a worker may take.",
							NULL,
							&callsync_tick_timeout,
							30000, 100, 3600 * 1000,
							PGC_SIGHUP, GUC_UNIT_MS,
							NULL, NULL, NULL);
	DefineCustomStringVariable("callsync.key_file",
							   "Sets the file that holds the keys by which secrets are encrypted.",
							   "It must belong to the server's user and be readable by nobody else. A relative path starts at the data directory.",
							   &callsync_key_file,
							   "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY,
							   NULL, NULL, NULL);
	DefineCustomStringVariable("callsync.instance",
							   "Sets the name of this installation.",
							   "Give a copy (staging, point-in-time clone) another name: then it sends nothing before callsync.adopt() is called.",
							   &callsync_instance,
							   "",
							   PGC_SIGHUP, 0,
							   NULL, NULL, NULL);
	DefineCustomIntVariable("callsync.http_concurrency",
							"Sets how many requests one worker has in flight at most.",
							NULL,
							&callsync_http_concurrency,
							64, 1, CALLSYNC_MAX_HTTP_CONCURRENCY,
							PGC_SIGHUP, 0,
							NULL, NULL, NULL);
	DefineCustomIntVariable("callsync.max_body_bytes",
							"Sets the largest response body that is read.",
							"A longer one ends the request with the outcome \"too large\".",
							&callsync_max_body_bytes,
							1024 * 1024, 1024, 64 * 1024 * 1024,
							PGC_SIGHUP, GUC_UNIT_BYTE,
							NULL, NULL, NULL);
	DefineCustomIntVariable("callsync.keep_requests",
							"Sets how long request and response bodies are kept.",
							"-1 keeps them for ever.",
							&callsync_keep_requests,
							14 * 24 * 60, -1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MIN,
							NULL, NULL, NULL);
	DefineCustomIntVariable("callsync.keep_history",
							"Sets how long deliveries and their attempts are kept.",
							"Dead letters and what is not settled stay longer. -1 keeps everything for ever.",
							&callsync_keep_history,
							400 * 24 * 60, -1, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_MIN,
							NULL, NULL, NULL);
	DefineCustomRealVariable("callsync.name_threshold",
							 "Sets the similarity from which on text =~ text is true.",
							 NULL,
							 &callsync_name_threshold,
							 0.85, 0.0, 1.0,
							 PGC_USERSET, 0,
							 NULL, NULL, NULL);
	DefineCustomStringVariable("callsync.crash_at",
							   "Sets the point at which a delivery worker kills itself, for tests of recovery.",
							   "Empty: nowhere. Points: before_send, after_send, reply_received, settle_committed.",
							   &callsync_crash_at,
							   "",
							   PGC_SIGHUP, GUC_SUPERUSER_ONLY | GUC_NOT_IN_SAMPLE,
							   NULL, NULL, NULL);

	DefineCustomIntVariable("callsync.clock_offset",
							"Sets what is added to the workers' clock.",
							"For tests: an hour or a day passes by a reload.",
							&callsync_clock_offset,
							0, INT_MIN, INT_MAX,
							PGC_SIGHUP, GUC_UNIT_S | GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL,
							NULL, NULL, NULL);

	DefineCustomBoolVariable("callsync.forgetting",
							 "Is set by callsync.forget() while it changes the log of what arrived.",
							 "To anybody but the owner of the log it means nothing.",
							 &forgetting,
							 false,
							 PGC_USERSET, GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL | GUC_NO_RESET_ALL,
							 NULL, NULL, NULL);

	MarkGUCPrefixReserved("callsync");
}
