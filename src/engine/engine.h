/*
 * engine.h
 *		The work of a delivery worker, as its loop sees it.
 *
 * delivery_worker.c owns the process (signals, loop, waiting, back-off); the engine
 * owns the work. One turn of the loop:
 *
 *		tick	short transactions: settle, claim, plan, arm	no socket is touched
 *		send	what was armed goes to http.c			no transaction is open
 *		wait	callsync_http_wait(), up to next_deadline_ms()
 */
#ifndef CALLSYNC_ENGINE_ENGINE_H
#define CALLSYNC_ENGINE_ENGINE_H

#include "engine/http.h"
#include "store/worker_state.h"

typedef struct CallsyncEngine CallsyncEngine;

/* Who the worker is; stays the same for its life, except where said. */
typedef struct CallsyncWorkerIdentity
{
	Oid			database;
	Oid			extension;		/* see callsync_txn_extension() */
	int			index;			/* 0 .. workers-1 */
	int			workers;		/* workers of this database; changes with a reload */

	/*
	 * This database is a copy that nobody has adopted: plan and send nothing.
	 * Changes when adopt() is called.
	 */
	bool		is_copy;
	char		name[64];		/* as attempts name their worker: "worker 0, pid 4711" */
} CallsyncWorkerIdentity;

typedef enum CallsyncTick
{
	CALLSYNC_TICK_IDLE,			/* nothing to do before a wake or the deadline */
	CALLSYNC_TICK_MORE,			/* call again at once */
	CALLSYNC_TICK_FAILED,		/* a transaction failed (it is logged): back off */
	CALLSYNC_TICK_NO_EXTENSION	/* the worker has nothing to work for: end */
} CallsyncTick;

/*
 * Makes the engine; the identity stays the caller's and may change as said there.
 * Does not open a transaction: recovery is the first tick's business.
 */
extern CallsyncEngine *callsync_engine_create(MemoryContext parent,
											  const CallsyncWorkerIdentity *identity,
											  CallsyncHttp *http);

/*
 * One round of short transactions (each by callsync_txn_run()). Runs in the
 * caller's current context, which is reset after the turn.
 */
extern CallsyncTick callsync_engine_tick(CallsyncEngine *engine);

/* Hands over to http.c what the last tick armed. No transaction is open. */
extern void callsync_engine_send(CallsyncEngine *engine);

/* Ms until the engine wants a tick without being woken; -1 = it does not. */
extern int64 callsync_engine_next_deadline_ms(CallsyncEngine *engine);

/* The settings were read again. */
extern void callsync_engine_reload(CallsyncEngine *engine);

/* From now on only settle: no claim, no arming. */
extern void callsync_engine_shutdown(CallsyncEngine *engine);

/* Nothing in flight and nothing unsettled? */
extern bool callsync_engine_drained(const CallsyncEngine *engine);

extern void callsync_engine_status(const CallsyncEngine *engine,
								   CallsyncEngineStatus *status);

#endif
