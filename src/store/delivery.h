/*
 * delivery.h
 *		Rows of delivery and queue as the worker reads and writes them.
 *
 * The worker that owns a shard is the only writer of that shard's rows, so nothing here
 * takes a row lock before it writes.
 */
#ifndef CALLSYNC_STORE_DELIVERY_H
#define CALLSYNC_STORE_DELIVERY_H

#include "datatype/timestamp.h"
#include "utils/date.h"

/* An unsettled delivery as the queue knows it. */
typedef struct CallsyncQueueRow
{
	int64		id;
	DateADT		day;
	int			shard;
	int			priority;
	char	   *destination;
	TimestampTz due_at;
} CallsyncQueueRow;

/* What the schedule needs of it. Texts are in the context given to the load. */
typedef struct CallsyncDeliveryHead
{
	int64		id;
	DateADT		day;
	char	   *source;
	char	   *call_id;
	char	   *destination;
	char	   *step;
	char	   *state;
	char	   *ordering_key;
	char	   *origin;
	int			attempts;
	struct varlena *deps;		/* jsonb of the context: steps it waits for, or NULL */
	struct varlena *steps;		/* jsonb of its sync_state, or NULL */
	int			exchanges;		/* attempt rows so far */
	TimestampTz first_try;		/* 0: none was made */
	int			open_n;			/* attempt that was started and has no end, 0: none */
	TimestampTz open_at;
	bool		open_send;		/* it was a send: outcome unknown */
} CallsyncDeliveryHead;

/* Everything that rendering and settling need. */
typedef struct CallsyncDelivery
{
	int64		id;
	DateADT		day;
	int			shard;
	char	   *source;
	char	   *call_id;
	char	   *destination;
	char	   *step;
	char	   *object;
	char	   *operation;
	char	   *state;
	char	   *record_id;		/* NULL: not known */
	char	   *idempotency_key;
	char	   *origin;
	char	   *trace_id;
	struct varlena *fields;		/* jsonb, as the next three */
	struct varlena *context;
	struct varlena *document;	/* of the call, or NULL */
	struct varlena *links;		/* {"STEP": {"id", "key"}}: records of the call's steps, or NULL */
	char	   *contact_id;		/* of the contact with this idempotency key, or NULL */
	int			attempts;
	int			call_version;
	TimestampTz created_at;
} CallsyncDelivery;

/* Smallest priority above "above" that is queued for the destination; false: none. */
extern bool callsync_queue_next_priority(const char *destination, int above, int *priority);

/* Rows of one destination and priority behind an id, in id order; palloc'ed. */
extern int	callsync_queue_scan(const char *destination, int priority, int64 after, int limit,
								MemoryContext mcxt, CallsyncQueueRow **rows);
/* Rows by id, in id order; those that are not queued are left out. */
extern int	callsync_queue_find(const int64 *ids, int n, MemoryContext mcxt, CallsyncQueueRow **rows);
extern void callsync_queue_delete(const int64 *ids, int n);
/*
 * A destination is back: what waits there for a retry is due at "at", not later. Only of
 * the shards in the mask; what waits for a batch keeps its time. Returns how many.
 */
extern int	callsync_queue_hasten(const char *destination, TimestampTz at, uint64 shards);
extern void callsync_queue_set_due(const int64 *ids, const TimestampTz *due_at, int n);
/* How many are queued per destination, counted up to a cap */
extern int64 callsync_queue_count(const char *destination, int64 cap);

/*
 * Heads of deliveries of one day. fresh: they were planned in this very transaction, so
 * there are no attempts to look at.
 */
extern int	callsync_delivery_heads(DateADT day, const int64 *ids, int n, bool fresh,
									MemoryContext mcxt, CallsyncDeliveryHead **heads);

/* Whole rows of deliveries of one day, in no order. */
extern int	callsync_delivery_load(DateADT day, const int64 *ids, int n, MemoryContext mcxt,
								   CallsyncDelivery **deliveries);

/* A change of a delivery row; NULL texts become NULL. */
typedef struct CallsyncDeliveryChange
{
	int64		id;
	DateADT		day;
	const char *state;
	const char *operation;
	const char *record_id;
	int			attempts;
	const char *confirmation;
	TimestampTz settled_at;		/* 0: not settled */
	const char *field_results;	/* JSON text */
	const char *error_class;
	int			http_status;	/* 0: NULL */
	const char *last_error;
	const char *remedy;
	TimestampTz next_attempt_at;	/* 0: NULL */
} CallsyncDeliveryChange;

extern void callsync_delivery_write(const CallsyncDeliveryChange *changes, int n);

/* Replaced by a newer version before they were sent: state superseded, out of the queue. */
typedef struct CallsyncDayId
{
	int64		id;
	DateADT		day;
} CallsyncDayId;
extern void callsync_delivery_supersede(const CallsyncDayId *ids, int n, TimestampTz now);

typedef struct CallsyncDeadLetter
{
	const CallsyncDelivery *delivery;
	const char *operation;
	const char *error_class;
	int			http_status;
	const char *last_error;
	const char *remedy;
	int			attempts;
} CallsyncDeadLetter;

extern void callsync_dead_letter_write(const CallsyncDeadLetter *letters, int n, TimestampTz now);

#endif
