/*
 * batch.h
 *		Destinations that take calls in batches, and those in maintenance.
 */
#ifndef CALLSYNC_ENGINE_BATCH_H
#define CALLSYNC_ENGINE_BATCH_H

#include "core/template.h"
#include "datatype/timestamp.h"
#include "store/destination.h"

struct CallsyncEngine;
struct CallsyncEngineDest;

/* When a call with this context is to go there: now, or with the next batch. */
extern TimestampTz callsync_batch_due(const CallsyncDestination *d, const CallsyncRenderInput *input,
									  const char *origin, TimestampTz now);

/* Is it in a maintenance window? Then *until_ms is its end. */
extern bool callsync_batch_is_closed(struct CallsyncEngineDest *dest, int64 now_ms, int64 *until_ms);

/* Inside a transaction, every few seconds: alerts for batches that are not through. */
extern void callsync_batch_watch(struct CallsyncEngine *engine);

#endif
