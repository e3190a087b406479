/*
 * contact_keys.h
 *		Keeps the key table and the counters in step with the contacts.
 */
#ifndef CALLSYNC_STORE_CONTACT_KEYS_H
#define CALLSYNC_STORE_CONTACT_KEYS_H

#include "utils/relcache.h"
#include "utils/tuplestore.h"

/*
 * A statement changed rows of callsync.contact: old and new versions in the same
 * order, either NULL.  Writes what changed in keys and counts, sorted, in batches.
 */
extern void callsync_contact_keys_apply(Relation contact, Tuplestorestate *old_rows,
										Tuplestorestate *new_rows);

/* All contacts are gone. */
extern void callsync_contact_keys_clear(void);

#endif
