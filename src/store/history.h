/*
 * history.h
 *		How long deliveries, attempts and bodies are kept.
 */
#ifndef CALLSYNC_STORE_HISTORY_H
#define CALLSYNC_STORE_HISTORY_H

#include "datatype/timestamp.h"

/*
 * One small step, in the caller's transaction; true: there is more to do. The ages are
 * minutes, < 0 for ever.
 */
extern bool callsync_history_prune(int keep_requests, int keep_history, TimestampTz now);

#endif
