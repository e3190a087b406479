/*
 * bgworker.h
 *		Registering delivery workers, from the launcher or from start().
 */
#ifndef CALLSYNC_PG_BGWORKER_H
#define CALLSYNC_PG_BGWORKER_H

#include "datatype/timestamp.h"
#include "postmaster/bgworker.h"

/* What a delivery worker finds in MyBgworkerEntry->bgw_extra. */
typedef struct CallsyncWorkerArgs
{
	Oid			database;
	Oid			tablespace;		/* the database's, to see whether it still exists */
	Oid			role;			/* of callsync_worker */
	int			index;			/* 0 .. callsync.workers - 1 */
	bool		managed;		/* by the launcher, which starts it again */
	TimestampTz registered_at;	/* tells registrations of one worker apart */
} CallsyncWorkerArgs;

/*
 * Registers one worker; false where max_worker_processes is used up. A managed
 * worker is never restarted by the postmaster; one of start() has nobody but the
 * postmaster, which starts it again after a crash or an error, not after exit 0.
 */
extern bool callsync_register_worker(const CallsyncWorkerArgs *args,
									 BackgroundWorkerHandle **handle);

/* Registers the launcher; called by _PG_init() while preloading. */
extern void callsync_register_launcher(void);

#endif
