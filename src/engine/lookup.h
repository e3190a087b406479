/*
 * lookup.h
 *		Asking the destination who a caller is before a contact is made there.
 *
 * Where the destination's option "lookup" asks for it, the planner plans one
 * delivery, the step "lookup", in place of the call's steps. Its answer goes into the
 * mirror of contacts, and a note in the outbox has the call planned again, now by what
 * the mirror knows:
 *
 *	 plan --nobody certain in the mirror--> lookup --answer--> mirror --> plan --> steps
 *	  ^                                                           |
 *	  +---------- still nobody, and another way to ask <----------+
 *
 * Being a delivery it has limits, retries, attempts and a dead letter like all others.
 *
 * Calls of one caller that ask the same question go one after the other (their look-ups have
 * one ordering key). An answer that comes in after a call was planned, or a moment before, is
 * as good as one of its own would be, so the call takes it: a thousand first calls of one person ask
 * once (each worker of those that have some of them), and all but the first find the
 * contact that the first one found or is about to create.
 */
#ifndef CALLSYNC_ENGINE_LOOKUP_H
#define CALLSYNC_ENGINE_LOOKUP_H

#include "engine/plan.h"
#include "store/delivery.h"

/* No step of a connector has this name. */
#define CALLSYNC_LOOKUP_STEP "lookup"

extern bool callsync_is_lookup(const char *step);

/*
 * What is known of the caller, as "find" of the template context: phone, email,
 * name, first_name, last_name, postal_code; kept in CurrentMemoryContext.
 */
extern json_t *callsync_lookup_find(const CallsyncDestination *destination, const json_t *document, const char *region);

/* The same for look-ups that ask the same; palloc'ed. */
extern const char *callsync_lookup_ordering_key(const CallsyncDestination *destination, const CallsyncOp *op,
												const json_t *find, const char *region);

struct CallsyncEngineDest;
struct CallsyncJob;
/* The answer to the job's question is in. */
extern void callsync_lookup_note_answer(struct CallsyncEngineDest *dest, const struct CallsyncJob *job, int64 now_ms);

/* Was it answered, to another call, since this job was planned, or a moment before? */
extern bool callsync_lookup_is_answered(const struct CallsyncEngineDest *dest, const struct CallsyncJob *job);

/*
 * The operation to ask with: the first of OBJECT.find (any identifier at once),
 * find_by_phone, find_by_email, find_by_name that the connector has and the caller has
 * the identifiers for; after: only what comes behind that one. NULL: there is none
 * (any more).
 */
extern const CallsyncOp *callsync_lookup_op(const CallsyncConnector *connector, const json_t *find, const char *after);

typedef enum CallsyncLookupProgress
{
	CALLSYNC_LOOKUP_NONE,		/* not asked, or without an answer */
	CALLSYNC_LOOKUP_OPEN,		/* under way */
	CALLSYNC_LOOKUP_DONE		/* *asked is the operation that was answered last */
} CallsyncLookupProgress;

/* By the steps of the call as sync_state has them. */
extern CallsyncLookupProgress callsync_lookup_progress(const json_t *steps, const char **asked);

#endif
