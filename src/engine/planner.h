/*
 * planner.h
 *		From captured changes to deliveries: claim, merge, match, map, plan.
 *
 * One call of callsync_planner_tick() runs inside the engine's tick
 * transaction (callsync_txn_run()). It claims outbox rows of the shards that this
 * worker owns, merges their events into callsync.call, decides on the contact,
 * maps the fields for each destination, and writes
 *	 - the call row,
 *	 - one sync_state row per destination (status pending, review, excluded or paused),
 *	 - one delivery row per step that has something new to say: state 'ready', or
 *	   'waiting' while a delivery in depends_on is not settled, or 'held' (review),
 *	 - one queue row per delivery that is to be sent,
 * and deletes the outbox rows. What another backend asks for (resync, redrive,
 * release of a held call) comes as an outbox row too; a worker is the only writer
 * of delivery, queue and sync_state rows of its shards.
 *
 * What a delivery row holds for rendering:
 *	 fields   the mapped fields: "record" of the template context
 *	 context  {"match": {"decision", "contact_id"}, "meta": {...}, "find": {...},
 *			   "id": record id where it is known when planned, "key": idempotency_key,
 *			   "deps": {"STEP": {"delivery": id, "required": bool}}}
 * The engine adds "call" (callsync.call.document, not copied into each delivery),
 * "record", "steps" (ids of the steps in deps, when they are settled) and "trace".
 * delivery.operation is what the step would be as known when planned; the
 * engine asks callsync_step_op() again once ids are known, and stores the result.
 *
 * ordering_key: "c:DESTINATION:CONTACT_KEY" for steps that write one record per
 * person, "k:DESTINATION:SOURCE:CALL_ID:STEP" for the others: FIFO within a key.
 */
#ifndef CALLSYNC_ENGINE_PLANNER_H
#define CALLSYNC_ENGINE_PLANNER_H

#include "pg/spi.h"
#include "store/destination.h"

typedef struct CallsyncPlanner CallsyncPlanner;

/* What became of one tick; arrays are palloc'ed in CurrentMemoryContext. */
typedef struct CallsyncPlanned
{
	int			claimed;		/* outbox rows taken */
	bool		more;			/* there is more to claim at once */
	int			ndeliveries;	/* new deliveries that wait in the queue */
	int64	   *delivery_ids;
	int			nredriven;		/* existing deliveries put back into the queue (redrive, release, reconcile) */
	int64	   *redriven_ids;
} CallsyncPlanned;

/*
 * Lives in mcxt. The destinations are the engine's: it refreshes them at the start of
 * each tick. shard_mask: bit n is set where this worker owns shard n.
 */
extern CallsyncPlanner *callsync_planner_create(MemoryContext mcxt,
												CallsyncDestinations *destinations);
/* Holes of its outbox cursor */
extern int	callsync_planner_holes(const CallsyncPlanner *planner);
extern void callsync_planner_set_shards(CallsyncPlanner *planner, uint64 shard_mask);

/*
 * Inside callsync_txn_run(), connected to SPI. The cursor moves only when the caller says
 * that the transaction committed. After a failure the same rows are claimed again, one
 * by one; a row that fails alone for a reason that lies in it (not a lock, a full disk or
 * a cancel) is set aside: its calls show as failed, an alert is raised, and it holds
 * up nobody. error may be NULL where committed.
 */
extern void callsync_planner_tick(CallsyncPlanner *planner, int limit, CallsyncPlanned *planned);

/*
 * Plans these captures of one call in any backend, as the worker will. For preview(): inside a
 * subtransaction that is rolled back, because only a worker may write what this writes.
 */
struct CallsyncCapture;
extern void callsync_planner_rehearse(CallsyncDestinations *destinations, const struct CallsyncCapture *captures, int n);
extern void callsync_planner_committed(CallsyncPlanner *planner, bool committed,
									   const CallsyncTxnError *error);

#endif
