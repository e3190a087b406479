/*
 * outbox.h
 *		Claiming captured changes: a read-only look that sees every committed
 *		row exactly once, late commits included.
 *
 * Ids are dense (identity, CACHE 1) and a transaction has its xid before it
 * draws an id. So a cursor may run ahead: a commit that comes late can only
 * fill a hole below it. A hole is remembered with the next xid at the time it was
 * seen, and is looked at again only when fewer of the transactions below that xid
 * run than before; when none runs any more, after one last look, it is
 * dropped. The list is bounded: neighbours become one hole, rows in between are seen
 * again only if they are not deleted. Two plausible shorter rules lose rows: "past rows whose xid is below the
 * snapshot's xmin", and the same with xmax (the latest *completed* xid + 1).
 */
#ifndef CALLSYNC_STORE_OUTBOX_H
#define CALLSYNC_STORE_OUTBOX_H

#include "datatype/timestamp.h"

typedef struct CallsyncOutboxCursor CallsyncOutboxCursor;

/* A claimed row; texts are palloc'ed in the context given to the claim. */
typedef struct CallsyncCapture
{
	int64		id;
	int			shard;
	char	   *origin;
	char	   *source;
	char	   *call_id;
	int64		event_id;		/* 0: none */
	char	   *destination;	/* NULL: all */
	char	   *detail;			/* JSON text, or NULL */
	TimestampTz captured_at;
} CallsyncCapture;

/* Starts before the first id; what is found is what is committed. Lives in mcxt. */
extern CallsyncOutboxCursor *callsync_outbox_cursor_create(MemoryContext mcxt);

/*
 * Inside a transaction connected to SPI whose snapshot was taken for this
 * statement. Returns rows of the shards in shard_mask, in id order, at most limit
 * (rows of other shards count); *more: the limit was reached. The cursor's move
 * is provisional until callsync_outbox_cursor_keep(cursor, committed).
 */
extern int	callsync_outbox_claim(CallsyncOutboxCursor *cursor, int limit,
								  uint64 shard_mask, MemoryContext mcxt,
								  CallsyncCapture **captures, bool *more);
extern void callsync_outbox_cursor_keep(CallsyncOutboxCursor *cursor, bool committed);

/* Start anew, for instance after the owned shards changed. */
extern void callsync_outbox_cursor_reset(CallsyncOutboxCursor *cursor);

/* Holes remembered; for tests and worker_status. */
extern int	callsync_outbox_cursor_holes(const CallsyncOutboxCursor *cursor);

/*
 * The rows of one call that are committed or this transaction's own, in id order, at most
 * limit; source NULL: of any source. Reads the whole outbox.
 */
extern int	callsync_outbox_of_call(const char *call_id, const char *source, int limit,
									MemoryContext mcxt, CallsyncCapture **captures);

/* Deletes planned rows. */
extern void callsync_outbox_delete(const int64 *ids, int n);

#endif
