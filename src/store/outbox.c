/*
 * outbox.c
 *		Claiming captured changes by the gap cursor; the rule is in outbox.h.
 *
 * What a newcomer would get wrong: the next xid must be read *after* the
 * snapshot. A transaction that drew an id below what the snapshot shows had its
 * xid by then, so it is below that next xid, whatever the snapshot says of it.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "pg/spi.h"
#include "store/outbox.h"

#define MAX_HOLES 512

typedef struct Hole
{
	int64		lo;				/* first and last missing id */
	int64		hi;
	FullTransactionId horizon;	/* next xid when it was seen */
	int64		running;		/* transactions below horizon that ran then */
} Hole;

typedef struct CursorState
{
	int64		last;			/* ids up to here were seen, but for the holes */
	int			nholes;
	int			maxholes;
	Hole	   *holes;			/* by id */
} CursorState;

struct CallsyncOutboxCursor
{
	MemoryContext mcxt;
	CursorState kept;			/* as of the last commit */
	CursorState next;			/* as of the claim under way */
};

CallsyncOutboxCursor *
callsync_outbox_cursor_create(MemoryContext mcxt)
{
	CallsyncOutboxCursor *cursor = MemoryContextAllocZero(mcxt, sizeof(*cursor));

	cursor->mcxt = mcxt;
	return cursor;
}

static void
add_hole(CallsyncOutboxCursor *cursor, CursorState *state, const Hole *hole)
{
	if (state->nholes == state->maxholes)
	{
		state->maxholes = state->maxholes == 0 ? 16 : state->maxholes * 2;
		state->holes = state->holes == NULL
			? MemoryContextAlloc(cursor->mcxt, sizeof(Hole) * state->maxholes)
			: repalloc(state->holes, sizeof(Hole) * state->maxholes);
	}
	state->holes[state->nholes++] = *hole;
}

static void
copy_state(CallsyncOutboxCursor *cursor, CursorState *to, const CursorState *from)
{
	to->last = from->last;
	to->nholes = 0;
	for (int i = 0; i < from->nholes; i++)
		add_hole(cursor, to, &from->holes[i]);
}

void
callsync_outbox_cursor_keep(CallsyncOutboxCursor *cursor, bool committed)
{
	if (committed)
		copy_state(cursor, &cursor->kept, &cursor->next);
}

void
callsync_outbox_cursor_reset(CallsyncOutboxCursor *cursor)
{
	cursor->kept.last = 0;
	cursor->kept.nholes = 0;
}

int
callsync_outbox_cursor_holes(const CallsyncOutboxCursor *cursor)
{
	return cursor->kept.nholes;
}

/*
 * Transactions below horizon that this snapshot does not know to be over. Ids from
 * the snapshot's xmax on had not completed when it was taken.
 */
static int64
running_below(Snapshot snapshot, FullTransactionId horizon)
{
	TransactionId limit = XidFromFullTransactionId(horizon);
	int64		running = 0;

	for (uint32 i = 0; i < snapshot->xcnt; i++)
		if (TransactionIdPrecedes(snapshot->xip[i], limit))
			running++;
	if (TransactionIdPrecedes(snapshot->xmax, limit))
		running += (int32) (limit - snapshot->xmax);
	return running;
}

static CallsyncStmt stmt_ahead = {
	.sql = "SELECT o.id, o.shard, o.origin, o.source, o.call_id, o.event_id, o.destination, o.detail::text, o.captured_at "
	"FROM callsync.outbox o WHERE o.id OPERATOR(pg_catalog.>) $1 ORDER BY o.id LIMIT $2",
	.nargs = 2, .argtypes = {INT8OID, INT8OID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_hole = {
	.sql = "SELECT o.id, o.shard, o.origin, o.source, o.call_id, o.event_id, o.destination, o.detail::text, o.captured_at "
	"FROM callsync.outbox o WHERE o.id OPERATOR(pg_catalog.>=) $1 AND o.id OPERATOR(pg_catalog.<=) $2 ORDER BY o.id LIMIT $3",
	.nargs = 3, .argtypes = {INT8OID, INT8OID, INT8OID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_call = {
	.sql = "SELECT o.id, o.shard, o.origin, o.source, o.call_id, o.event_id, o.destination, o.detail::text, o.captured_at "
	"FROM callsync.outbox o WHERE o.call_id OPERATOR(pg_catalog.=) $1 AND ($2 IS NULL OR o.source OPERATOR(pg_catalog.=) $2) ORDER BY o.id LIMIT $3",
	.nargs = 3, .argtypes = {TEXTOID, TEXTOID, INT8OID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_delete = {
	.sql = "DELETE FROM callsync.outbox o WHERE o.id OPERATOR(pg_catalog.=) ANY ($1)",
	.nargs = 1, .argtypes = {INT8ARRAYOID}, .returns = SPI_OK_DELETE
};

static void
take_row(uint64 row, uint64 shard_mask, MemoryContext mcxt, CallsyncCapture *captures, int *n)
{
	int			shard = callsync_row_int32(row, 2, 0);
	CallsyncCapture *c;

	if ((shard_mask & (UINT64CONST(1) << shard)) == 0)
		return;
	c = &captures[(*n)++];
	c->id = callsync_row_int64(row, 1, 0);
	c->shard = shard;
	c->origin = callsync_row_text(row, 3, mcxt);
	c->source = callsync_row_text(row, 4, mcxt);
	c->call_id = callsync_row_text(row, 5, mcxt);
	c->event_id = callsync_row_int64(row, 6, 0);
	c->destination = callsync_row_text(row, 7, mcxt);
	c->detail = callsync_row_text(row, 8, mcxt);
	c->captured_at = callsync_row_time(row, 9, 0);
}

/*
 * Looks again at one hole, and puts it back into state as long as it may be filled. It
 * stays whole: what was seen of it is deleted by this transaction or belongs to another
 * worker, so reading it again finds only what came late.
 * running: transactions that may still fill it. Returns how many rows it saw.
 */
static int
claim_hole(CallsyncOutboxCursor *cursor, CursorState *state, const Hole *hole, int64 running,
		   int limit, uint64 shard_mask, MemoryContext mcxt, CallsyncCapture *captures, int *n)
{
	Datum		values[3] = {Int64GetDatum(hole->lo), Int64GetDatum(hole->hi), Int64GetDatum(limit)};
	uint64		rows = callsync_stmt_run(&stmt_hole, values, NULL, true, 0);
	Hole		front = {hole->lo, hole->hi, hole->horizon, running};
	Hole		rest = *hole;

	for (uint64 i = 0; i < rows; i++)
		take_row(i, shard_mask, mcxt, captures, n);
	if (rows == (uint64) limit)
		front.hi = callsync_row_int64(rows - 1, 1, 0);
	if (running > 0)
		add_hole(cursor, state, &front);

	/* behind the limit nothing was seen: the old count makes the next tick look again */
	rest.lo = front.hi + 1;
	if (rest.lo <= rest.hi)
		add_hole(cursor, state, &rest);
	return (int) rows;
}

/*
 * A transaction that stays open for hours must not make the list grow with every claim:
 * past a bound neighbours become one. What lies between them has been seen, so that
 * costs a look, and loses nothing.
 */
static void
bound_holes(CursorState *state)
{
	int			n = 0;

	if (state->nholes <= MAX_HOLES)
		return;
	for (int i = 0; i < state->nholes; i += 2)
	{
		Hole		both = state->holes[i];

		if (i + 1 < state->nholes)
		{
			const Hole *next = &state->holes[i + 1];

			both.hi = next->hi;
			if (FullTransactionIdPrecedes(both.horizon, next->horizon))
				both.horizon = next->horizon;
			both.running = PG_INT64_MAX;	/* not counted yet: look at the next tick */
		}
		state->holes[n++] = both;
	}
	state->nholes = n;
}

int
callsync_outbox_claim(CallsyncOutboxCursor *cursor, int limit, uint64 shard_mask,
					  MemoryContext mcxt, CallsyncCapture **captures, bool *more)
{
	Snapshot	snapshot = GetActiveSnapshot();
	FullTransactionId horizon = ReadNextFullTransactionId();
	CursorState *state = &cursor->next;
	const CursorState *kept = &cursor->kept;
	int			room = limit;
	int			n = 0;

	*captures = MemoryContextAlloc(mcxt, sizeof(CallsyncCapture) * Max(limit, 1));
	*more = false;

	/* holes first: their rows are older */
	state->last = kept->last;
	state->nholes = 0;
	for (int i = 0; i < kept->nholes; i++)
	{
		Hole		hole = kept->holes[i];
		int64		running = running_below(snapshot, hole.horizon);

		if (running < hole.running && room > 0)
		{
			int			seen = claim_hole(cursor, state, &hole, running, room, shard_mask,
										  mcxt, *captures, &n);

			room -= seen;
			if (room == 0)
				*more = true;
		}
		else
			add_hole(cursor, state, &hole);
	}

	if (room > 0)
	{
		Datum		values[2] = {Int64GetDatum(kept->last), Int64GetDatum(room)};
		uint64		rows = callsync_stmt_run(&stmt_ahead, values, NULL, true, 0);
		Hole		hole = {0, 0, horizon, running_below(snapshot, horizon)};

		/* all that is missing in this claim is one hole: the same may fill it */
		for (uint64 i = 0; i < rows; i++)
		{
			int64		id = callsync_row_int64(i, 1, 0);

			if (id > state->last + 1)
			{
				hole.lo = hole.lo == 0 ? state->last + 1 : hole.lo;
				hole.hi = id - 1;
			}
			state->last = id;
			take_row(i, shard_mask, mcxt, *captures, &n);
		}
		if (hole.lo != 0 && hole.running > 0)
			add_hole(cursor, state, &hole);
		if (rows == (uint64) room)
			*more = true;
	}
	else
		*more = true;
	bound_holes(state);
	return n;
}

int
callsync_outbox_of_call(const char *call_id, const char *source, int limit,
						MemoryContext mcxt, CallsyncCapture **captures)
{
	Datum		values[3] = {CStringGetTextDatum(call_id), source ? CStringGetTextDatum(source) : (Datum) 0, Int64GetDatum(limit)};
	bool		nulls[3] = {false, source == NULL, false};
	uint64		rows = callsync_stmt_run(&stmt_call, values, nulls, true, 0);
	int			n = 0;

	*captures = MemoryContextAlloc(mcxt, sizeof(CallsyncCapture) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
		take_row(i, ~UINT64CONST(0), mcxt, *captures, &n);
	return n;
}

void
callsync_outbox_delete(const int64 *ids, int n)
{
	Datum	   *elements;
	Datum		value;

	if (n == 0)
		return;
	elements = palloc(sizeof(Datum) * n);
	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(ids[i]);
	value = PointerGetDatum(construct_array(elements, n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	callsync_stmt_run(&stmt_delete, &value, NULL, false, 0);
	pfree(elements);
}
