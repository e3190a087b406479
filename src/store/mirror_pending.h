/*
 * mirror_pending.h
 *		Contacts that the transaction is about to write into the mirror, as if they
 *		were there: under which keys they are found, and what words they add.
 */
#ifndef CALLSYNC_STORE_MIRROR_PENDING_H
#define CALLSYNC_STORE_MIRROR_PENDING_H

#include "executor/tuptable.h"

#include "store/contact_pending.h"

typedef struct CallsyncMirrorPending CallsyncMirrorPending;

/* Lives in the current memory context. */
extern CallsyncMirrorPending *callsync_mirror_pending_create(void);

/* The contact's texts live as long. Of several with one key the first counts. False: it is there already. */
extern bool callsync_mirror_pending_add(CallsyncMirrorPending *pending, const CallsyncExpectedContact *contact);

/* References of the contacts under a key; returns how many. Valid until the next add. */
extern int	callsync_mirror_pending_key(const CallsyncMirrorPending *pending, uint64 key, const int64 **cids);

/* How many of the contacts have the term. */
extern int	callsync_mirror_pending_term(const CallsyncMirrorPending *pending, uint64 term);

/* Stores the contact as a row of callsync.contact in the (virtual) slot; false: it is not one of these. */
extern bool callsync_mirror_pending_contact(const CallsyncMirrorPending *pending, int64 cid, TupleTableSlot *slot);

#endif
