/*
 * caller_batch.h
 *		The callers of many calls, decided one after the other and written together.
 *
 * A decision reads the mirror as it was at the batch's first one, with the contacts that
 * earlier calls of the batch will create: it is what it would be if each were written at once.
 *
 * In one transaction, connected to SPI; the callers' keys are locked (callsync_match_lock())
 * before the first decision. Texts that are handed over live as long as the batch.
 */
#ifndef CALLSYNC_STORE_CALLER_BATCH_H
#define CALLSYNC_STORE_CALLER_BATCH_H

#include "store/contact_pending.h"
#include "store/match.h"

typedef struct CallsyncCallerBatch CallsyncCallerBatch;

/* Lives in the current memory context. */
extern CallsyncCallerBatch *callsync_caller_batch_create(void);

/* Decides. The result is palloc'ed in the current memory context. */
extern CallsyncMatch *callsync_caller_batch_match(CallsyncCallerBatch *batch, const CallsyncMatchInput *input);

/* Keeps the decision (callsync_match_record()). */
extern void callsync_caller_batch_record(CallsyncCallerBatch *batch, const char *source, const char *call_id,
										 const CallsyncMatchInput *input, const CallsyncMatch *match);

/* The call belongs to the contact with this key (callsync_contact_claim()). */
extern void callsync_caller_batch_claim(CallsyncCallerBatch *batch, const CallsyncContactClaim *claim);

/* ... which is about to be created (callsync_contact_provide()). */
extern void callsync_caller_batch_expect(CallsyncCallerBatch *batch, const CallsyncContactClaim *claim,
										 const CallsyncExpectedContact *contact);

/* Writes all of it: the batch's end. */
extern void callsync_caller_batch_write(CallsyncCallerBatch *batch);

#endif
