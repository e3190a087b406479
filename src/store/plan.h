/*
 * plan.h
 *		What the planner knows of earlier plans of a call, and what it writes.
 */
#ifndef CALLSYNC_STORE_PLAN_H
#define CALLSYNC_STORE_PLAN_H

#include "datatype/timestamp.h"
#include "utils/date.h"

/* sync_state and record_link of one call and destination. Texts are palloc'ed. */
typedef struct CallsyncPlanBase
{
	char	   *source;
	char	   *call_id;
	char	   *destination;
	bool		known;			/* there is a sync_state row */
	char	   *status;
	char	   *steps;			/* JSON text {"STEP": {"delivery", "day", "state", "hash", "record_id", "key"}} */
	char	   *links;			/* JSON text {"STEP": {"id", "key"}}, or NULL */
	char	   *match_decision;
	double		match_probability;	/* < 0: none */
	char	   *contact_record_id;
	char	   *trace_id;
	TimestampTz captured_at;
	DateADT		day;
} CallsyncPlanBase;

/* All destinations of one call; the caller finds its own. */
extern int	callsync_plan_base_load(const char *const *sources, const char *const *call_ids, int n,
									MemoryContext mcxt, CallsyncPlanBase **bases);

/* A delivery to be written; see engine/planner.h for the meaning. */
typedef struct CallsyncPlannedDelivery
{
	int64		id;
	DateADT		day;
	const char *source;
	const char *call_id;
	const char *destination;
	const char *step;
	const char *object;
	const char *operation;
	const char *state;			/* ready | waiting | held */
	const char *record_id;		/* NULL: not known yet */
	const char *depends_on;		/* array literal */
	const char *idempotency_key;
	int			shard;
	int			priority;
	const char *origin;
	const char *ordering_key;
	int			call_version;
	int			map_version;
	const char *fields;			/* JSON text */
	const char *context;		/* JSON text */
	const char *trace_id;
	TimestampTz due_at;			/* 0: held, no queue row */
	const char *remedy;			/* held: what a person can do; or NULL */
	const char *last_error;		/* held: why; or NULL */
} CallsyncPlannedDelivery;

extern void callsync_plan_write_deliveries(const CallsyncPlannedDelivery *deliveries, int n, TimestampTz now);

/* The state row of a call and destination, as of this plan. */
typedef struct CallsyncPlannedState
{
	const char *source;
	const char *call_id;
	const char *destination;
	const char *status;
	const char *failure_kind;	/* NULL or a word */
	const char *stage;
	const char *match_decision;
	double		match_probability;	/* < 0: NULL */
	const char *contact_record_id;
	const char *steps;			/* JSON text */
	const char *missing_fields; /* array literal */
	const char *error_class;
	const char *last_error;
	const char *remedy;
	TimestampTz captured_at;
	TimestampTz ended_at;
	TimestampTz next_attempt_at;	/* when its batch goes; 0: at once */
	int			map_version;
	const char *trace_id;
	int			call_version;
	DateADT		day;
} CallsyncPlannedState;

extern void callsync_plan_write_states(const CallsyncPlannedState *states, int n, TimestampTz now);

typedef struct CallsyncValidation
{
	const char *source;
	const char *call_id;
	const char *destination;
	const char *step;
	const char *field;
	const char *rule;
	bool		ok;
	const char *source_path;
	const char *message;
} CallsyncValidation;

/* Replaces the results of the (call, destination, step)s named in them. */
extern void callsync_plan_write_validations(const CallsyncValidation *results, int n,
											const CallsyncPlannedState *states, int nstates, TimestampTz now);

/* Deliveries of a call that another plan left unsent: they go to state superseded. */
extern void callsync_plan_supersede(const int64 *ids, int n, TimestampTz now);

/* n new delivery ids */
extern void callsync_plan_new_ids(int64 *ids, int n);

/* Makes the day's partitions where they are missing. */
extern void callsync_plan_make_partitions(DateADT first, DateADT last);

/* redrive / release: puts dead or held deliveries back into the queue; returns the ids that were. */
extern int	callsync_plan_requeue(const int64 *ids, int n, TimestampTz now, int64 *requeued);

/* reconcile: puts deliveries whose record was read back once into the queue, to be read back again; likewise. */
extern int	callsync_plan_recheck(const int64 *ids, int n, TimestampTz now, int64 *requeued);

#endif
