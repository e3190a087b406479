/*
 * plan.h
 *		From one version of a call to the deliveries of one destination.
 */
#ifndef CALLSYNC_ENGINE_PLAN_H
#define CALLSYNC_ENGINE_PLAN_H

#include <jansson.h>

#include "store/call.h"
#include "store/caller_batch.h"
#include "store/destination.h"
#include "store/plan.h"

/* Everything that one tick will write; grows in the context it was made in. */
typedef struct CallsyncPlan
{
	TimestampTz now;
	CallsyncCallerBatch *callers;
	int			ndeliveries;
	int			maxdeliveries;
	CallsyncPlannedDelivery *deliveries;
	int			nstates;
	int			maxstates;
	CallsyncPlannedState *states;
	int			nvalidations;
	int			maxvalidations;
	CallsyncValidation *validations;
	int			nsuperseded;
	int			maxsuperseded;
	int64	   *superseded;
} CallsyncPlan;

typedef struct CallsyncPlanCall
{
	CallsyncCallRow *row;
	json_t	   *document;		/* the call document */
	int			shard;
	const char *origin;
	const char *region;			/* of the source's phone numbers, or NULL */
	bool		force;			/* resync: plan steps that have nothing new, too */
	DateADT		day;
	TimestampTz captured_at;
} CallsyncPlanCall;

extern CallsyncPlan *callsync_plan_create(TimestampTz now);

/*
 * Plans the call for the destination. base: what earlier plans left, or NULL.
 * Runs statements (matching); sets the call row's matching and validation times.
 */
extern void callsync_plan_destination(CallsyncPlan *plan, CallsyncDestination *destination,
									  CallsyncPlanCall *call, const CallsyncPlanBase *base);

/* Records that the call could not be planned for the destination at all. */
extern void callsync_plan_failed(CallsyncPlan *plan, const char *destination, CallsyncPlanCall *call,
								 const CallsyncPlanBase *base, const char *error_class,
								 const char *message, const char *remedy);

/* Writes it. */
extern void callsync_plan_write(CallsyncPlan *plan);

#endif
