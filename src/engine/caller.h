/*
 * caller.h
 *		Which contact of a destination a call belongs to.
 */
#ifndef CALLSYNC_ENGINE_CALLER_H
#define CALLSYNC_ENGINE_CALLER_H

#include "engine/plan.h"

typedef struct CallsyncCaller
{
	const char *decision;		/* match | new | review; NULL: nothing identifies the caller */
	double		probability;	/* < 0: none */
	const char *contact_id;		/* the CRM's id, where it is known */
	/*
	 * Idempotency key under which the contact is created or was created; for a
	 * contact that callsync did not make: derived from contact_id. NULL only without a
	 * decision.
	 */
	const char *contact_key;
	bool		expected;		/* the mirror has its provisional row already */
	bool		hold;			/* a person has to decide before anything is sent */
	/*
	 * The destination has to be asked first (lookup.h): with this operation, or, where it
	 * was asked already, wait for the answer. Everything else is not decided then.
	 */
	const CallsyncOp *ask;
	bool		asking;
	const char *explanation;	/* NULL: none */
} CallsyncCaller;

/*
 * What has to be locked (callsync_match_lock()) before the caller is resolved; returns how
 * many of keys[CALLSYNC_MATCH_LOCK_KEYS] were filled, 0 where nothing is to decide.
 */
extern int	callsync_caller_lock_keys(CallsyncDestination *destination, const CallsyncPlanCall *call,
									  const CallsyncPlanBase *base, uint32 *keys);

/*
 * Decides, and leaves the decision with its evidence in plan->callers. The caller's keys
 * are locked.
 */
extern void callsync_caller_resolve(CallsyncPlan *plan, CallsyncDestination *destination, CallsyncPlanCall *call,
									const CallsyncPlanBase *base, CallsyncCaller *caller);

/*
 * A delivery will create (or has created) the caller's contact: leaves a
 * provisional one in the mirror, so that the next call of the same person
 * finds it before the CRM has answered.
 */
extern void callsync_caller_expect(CallsyncPlan *plan, CallsyncDestination *destination, CallsyncPlanCall *call,
								   const CallsyncCaller *caller);

#endif
