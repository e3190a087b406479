/*
 * inquiry.h
 *		Questions to destinations that belong to no delivery: what are your fields
 *		(describe), do you take my credential (test_destination()).
 *
 * The first worker asks them, in the same loop as deliveries and with the same limits,
 * one request at a time per destination:
 *
 *	 look --due--> task --begin: row committed--> sent --> answered --settled--> next task
 *
 * A function of SQL that wants an answer does no network itself: it holds an advisory
 * lock (CALLSYNC_LOCK_TEST, destination id), which needs neither shared memory nor a
 * commit, and waits for the row.
 */
#ifndef CALLSYNC_ENGINE_INQUIRY_H
#define CALLSYNC_ENGINE_INQUIRY_H

#include "engine/engine.h"

/* Own short transactions; none may be open. */
extern CallsyncTick callsync_inquiries_tick(CallsyncEngine *engine);

/* Sends what tick began. No transaction is open. */
extern void callsync_inquiries_send(CallsyncEngine *engine);

/* Ms until the next tick is due. */
extern int64 callsync_inquiries_next_ms(CallsyncEngine *engine);

/* Somebody woke the worker: destinations may have changed. */
extern void callsync_inquiries_woken(void);

/* Nothing under way? */
extern bool callsync_inquiries_drained(void);

#endif
