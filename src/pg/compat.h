/*
 * compat.h
 *		One spelling for what differs between PostgreSQL 15, 16, 17 and 18.
 *
 * Every PG_VERSION_NUM test that can live here does; the code calls the spelling
 * of this file. Include it after postgres.h.
 */
#ifndef CALLSYNC_PG_COMPAT_H
#define CALLSYNC_PG_COMPAT_H

#include "access/genam.h"
#include "executor/executor.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "utils/wait_event.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"				/* was part of postgres.h */
#endif
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif

#if PG_VERSION_NUM < 150000
#error "callsync needs PostgreSQL 15 or later"
#endif

/*
 * A wait event set that belongs to no resource owner: it lives until it is freed.
 * Before 17 the first argument was a memory context. 15 and 16 leak its descriptor
 * when an ERROR passes by: free it before CHECK_FOR_INTERRUPTS().
 */
static inline WaitEventSet *
callsync_create_wait_event_set(MemoryContext context, int nevents)
{
#if PG_VERSION_NUM >= 170000
	return CreateWaitEventSet(NULL, nevents);
#else
	return CreateWaitEventSet(context, nevents);
#endif
}

/* 17 learned to run a background worker as a role that cannot log in. */
#ifndef BGWORKER_BYPASS_ROLELOGINCHECK
#define BGWORKER_BYPASS_ROLELOGINCHECK 0
#endif

/* Is this process a background worker (parallel workers included)? */
static inline bool
callsync_proc_is_bgworker(const PGPROC *proc)
{
#if PG_VERSION_NUM >= 180000
	return !proc->isRegularBackend;
#else
	return proc->isBackgroundWorker;
#endif
}

/*
 * Wait events with names of their own exist from 17 on; before, everything shows
 * as "Extension". Names are made on first use, in the process that waits.
 */
static inline uint32
callsync_wait_event(uint32 *cached, const char *name)
{
#if PG_VERSION_NUM >= 170000
	if (*cached == 0)
		*cached = WaitEventExtensionNew(name);
	return *cached;
#else
	return PG_WAIT_EXTENSION;
#endif
}

/* Index entries of a row that was just inserted; 16 can leave out all but summarizing indexes. */
static inline List *
callsync_insert_index_tuples(ResultRelInfo *info, TupleTableSlot *slot, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	return ExecInsertIndexTuples(info, slot, estate, false, false, NULL, NIL, false);
#else
	return ExecInsertIndexTuples(info, slot, estate, false, false, NULL, NIL);
#endif
}

/* 18 lets a scan count its work. */
static inline IndexScanDesc
callsync_index_beginscan(Relation heap, Relation index, Snapshot snapshot, int nkeys)
{
#if PG_VERSION_NUM >= 180000
	return index_beginscan(heap, index, snapshot, NULL, nkeys, 0);
#else
	return index_beginscan(heap, index, snapshot, nkeys, 0);
#endif
}

/* 17 lets the caller say how a key is copied. */
#if PG_VERSION_NUM >= 170000
#define callsync_dshash_copy_key(params) ((params)->copy_function = dshash_memcpy)
#else
#define callsync_dshash_copy_key(params) ((void) (params))
#endif

#endif
