/*
 * key_filter.h
 *		Which keys of the contact mirror are on a contact at all, and which on several.
 *
 * Most keys of a contact are its own alone.  Who goes through all contacts asks
 * here before the index; the answer may be yes for a key that is not shared,
 * never no for one that is.
 */
#ifndef CALLSYNC_STORE_KEY_FILTER_H
#define CALLSYNC_STORE_KEY_FILTER_H

#include "utils/snapshot.h"

typedef struct CallsyncKeyFilter CallsyncKeyFilter;

/*
 * Reads the whole index of the key table; lives in the current memory context.
 * NULL: for that few contacts it is quicker to look up every key.
 */
extern CallsyncKeyFilter *callsync_key_filter_create(Snapshot snapshot, double contacts);

/* May another contact have the key? own: the one who asks has it. */
extern bool callsync_key_filter_shared(const CallsyncKeyFilter *filter, uint64 key, bool own);

#endif
