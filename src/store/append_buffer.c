/*
 * append_buffer.c
 *		Rows of callsync's own append-only tables, collected while a statement
 *		runs and inserted together; the promise is in append_buffer.h.
 *
 * Two things that a newcomer would get wrong. The rows are inserted with
 * the command id under which they were put, not with the current one: a query whose
 * snapshot is older than the flush must see them all the same. And
 * a flush inside a subtransaction writes the rows of its parents under the
 * subtransaction's xid: they stay in the buffer until it has ended, and are
 * written once more when it was rolled back (the first copies are dead then).
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "executor/executor.h"
#include "nodes/parsenodes.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/compat.h"
#include "pg/statement_hooks.h"
#include "store/append_buffer.h"

#define NTABLES (CALLSYNC_APPEND_UNUSABLE + 1)
#define MAX_COLUMNS 32

/* a flush is due; the rows are small, and their memory must not grow with a COPY */
#define MAX_ROWS 1000
#define MAX_BYTES (256 * 1024)

static const struct
{
	const char *name;
	const char *sequence;
}			tables[NTABLES] = {
	{"event", "event_id_seq"},
	{"outbox", "outbox_id_seq"},
	{"event_unusable", NULL}
};

typedef struct Row
{
	CallsyncAppendTable table;
	HeapTuple	tuple;
	CommandId	cid;			/* under which it was put */
	int			level;			/* transaction nest level it belongs to */
	int			written;		/* nest level it was inserted at, 0: not yet */
} Row;

/* Lives in the top transaction: all zero outside. */
static struct
{
	MemoryContext mcxt;			/* child of TopTransactionContext */
	Row		   *rows;
	int			nrows;
	int			maxrows;
	int			unwritten;		/* rows with written == 0 */
	Size		bytes;			/* of their tuples */
	bool		flushing;
	bool		lost;			/* rows wait whose table is not among relid any more */
	Oid			relid[NTABLES]; /* found (and locked) since rows were there */
	Oid			seqid[NTABLES];
}			buffer;

static bool registered = false;

/* --- the tables --- */

static Oid
find_relation(const char *what, const char *name)
{
	Oid			nsp = get_namespace_oid("callsync", true);
	Oid			relid = OidIsValid(nsp) ? get_relname_relid(name, nsp) : InvalidOid;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("%s \"callsync.%s\" does not exist", what, name),
				 errhint("Reinstall the extension: DROP EXTENSION callsync CASCADE, then CREATE EXTENSION callsync CASCADE and attach() the tables again.")));
	return relid;
}

/* opens a table; its lock is kept to the end of the (sub)transaction that found it */
static Relation
open_table(CallsyncAppendTable table)
{
	Relation	rel;

	if (OidIsValid(buffer.relid[table]))
		return table_open(buffer.relid[table], NoLock);
	rel = table_open(find_relation("table", tables[table].name), RowExclusiveLock);
	if (RelationGetDescr(rel)->natts > MAX_COLUMNS)
		elog(ERROR, "table \"%s\" has too many columns", RelationGetRelationName(rel));
	buffer.relid[table] = RelationGetRelid(rel);
	return rel;
}

static void
forget_relations(void)
{
	memset(buffer.relid, 0, sizeof(buffer.relid));
	memset(buffer.seqid, 0, sizeof(buffer.seqid));
}

int64
callsync_append_buffer_next_id(CallsyncAppendTable table)
{
	/* before the id is drawn: the gap cursor counts on it */
	(void) GetTopTransactionId();
	if (buffer.unwritten == 0)
		forget_relations();		/* nothing kept them locked */
	if (!OidIsValid(buffer.seqid[table]))
		buffer.seqid[table] = find_relation("sequence", tables[table].sequence);
	return nextval_internal(buffer.seqid[table], false);
}

/* --- writing --- */

/* Inserts rows of one table that were put under one command id. */
static void
insert_rows(Relation rel, ResultRelInfo *info, EState *estate, TupleDesc tupdesc,
			HeapTuple *tuples, int n, CommandId cid)
{
	TupleTableSlot **slots = palloc(sizeof(TupleTableSlot *) * n);

	for (int i = 0; i < n; i++)
		slots[i] = MakeSingleTupleTableSlot(tupdesc, &TTSOpsHeapTuple);
	if (n == 1)
	{
		heap_insert(rel, tuples[0], cid, 0, NULL);
		ExecStoreHeapTuple(tuples[0], slots[0], false);
		slots[0]->tts_tableOid = RelationGetRelid(rel);
	}
	else
	{
		/* "true": the slot need not copy it. The slots are never cleared, so nothing is freed */
		for (int i = 0; i < n; i++)
			ExecStoreHeapTuple(tuples[i], slots[i], true);
		heap_multi_insert(rel, slots, n, cid, 0, NULL);
	}
	if (info->ri_NumIndices > 0)
		for (int i = 0; i < n; i++)
		{
			ResetPerTupleExprContext(estate);
			list_free(callsync_insert_index_tuples(info, slots[i], estate));
		}
}

/* Inserts the first n rows of the buffer that belong to this table and are not written. */
static void
flush_table(CallsyncAppendTable table, int n)
{
	HeapTuple  *tuples = palloc(sizeof(HeapTuple) * n);
	Relation	rel = NULL;
	ResultRelInfo *info = NULL;
	EState	   *estate = NULL;
	TupleDesc	tupdesc = NULL;
	int			i = 0;

	for (;;)
	{
		CommandId	cid = InvalidCommandId;
		int			ntuples = 0;

		for (; i < n; i++)
		{
			const Row  *row = &buffer.rows[i];

			if (row->table != table || row->written != 0)
				continue;
			if (ntuples > 0 && row->cid != cid)
				break;
			cid = row->cid;
			tuples[ntuples++] = row->tuple;
		}
		if (ntuples == 0)
			break;
		if (rel == NULL)
		{
			rel = open_table(table);
			/* a copy is not counted: thousands of slots would each be remembered */
			tupdesc = CreateTupleDescCopy(RelationGetDescr(rel));
			estate = CreateExecutorState();
			info = makeNode(ResultRelInfo);
			InitResultRelInfo(info, rel, 0, NULL, 0);
			ExecOpenIndices(info, false);
		}
		insert_rows(rel, info, estate, tupdesc, tuples, ntuples, cid);
	}
	if (rel != NULL)
	{
		ExecCloseIndices(info);
		FreeExecutorState(estate);
		table_close(rel, NoLock);
	}
}

/* Takes out the rows that need nothing more, and counts again. */
static void
compact(void)
{
	int			kept = 0;

	buffer.unwritten = 0;
	for (int i = 0; i < buffer.nrows; i++)
	{
		const Row  *row = &buffer.rows[i];

		if (row->written != 0 && row->written <= row->level)
			continue;
		if (row->written == 0)
			buffer.unwritten++;
		buffer.rows[kept++] = *row;
	}
	buffer.nrows = kept;
	buffer.bytes = 0;
	if (kept == 0 && buffer.mcxt != NULL)
	{
		buffer.rows = NULL;
		buffer.maxrows = 0;
		MemoryContextReset(buffer.mcxt);
	}
}

void
callsync_append_buffer_flush(void)
{
	MemoryContext work;
	MemoryContext old;
	bool		snapshot = false;
	int			n = buffer.nrows;
	int			level = GetCurrentTransactionNestLevel();

	/* (an index expression may run queries while we write) */
	if (buffer.unwritten == 0 || buffer.flushing)
		return;
	buffer.flushing = true;
	if (!ActiveSnapshotSet())
	{
		/* before commit; for values that go out of line */
		PushActiveSnapshot(GetTransactionSnapshot());
		snapshot = true;
	}
	work = AllocSetContextCreate(CurrentMemoryContext, "callsync append flush", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(work);
	for (int t = 0; t < NTABLES; t++)
		flush_table(t, n);
	MemoryContextSwitchTo(old);
	MemoryContextDelete(work);
	if (snapshot)
		PopActiveSnapshot();
	for (int i = 0; i < n; i++)
		if (buffer.rows[i].written == 0)
			buffer.rows[i].written = level;
	buffer.flushing = false;
	buffer.lost = false;
	forget_relations();
	compact();
}

/* --- the life of transactions and statements --- */

/* what a subtransaction leaves behind */
static void
end_of_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	int			level = GetCurrentTransactionNestLevel();
	int			kept = 0;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		buffer.flushing = false;
		forget_relations();		/* their locks may be gone */
	}
	if (buffer.nrows == 0)
		return;
	for (int i = 0; i < buffer.nrows; i++)
	{
		Row			row = buffer.rows[i];

		if (event == SUBXACT_EVENT_ABORT_SUB)
		{
			if (row.level >= level)
				continue;
			if (row.written >= level)
				row.written = 0;
		}
		else
		{
			row.level = Min(row.level, level - 1);
			row.written = Min(row.written, level - 1);
		}
		buffer.rows[kept++] = row;
	}
	buffer.nrows = kept;
	compact();
	buffer.lost = buffer.unwritten > 0 && (buffer.lost || event == SUBXACT_EVENT_ABORT_SUB);
}

static void
end_of_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			callsync_append_buffer_flush();
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_PREPARE:
		case XACT_EVENT_ABORT:
			/* the memory goes with the transaction */
			memset(&buffer, 0, sizeof(buffer));
			break;
		case XACT_EVENT_PARALLEL_COMMIT:
		case XACT_EVENT_PARALLEL_ABORT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
			break;
	}
}

static void
before_statement(const PlannedStmt *plan)
{
	ListCell   *cell;

	if (buffer.unwritten == 0)
		return;
	if (plan == NULL || buffer.lost)
	{
		callsync_append_buffer_flush();
		return;
	}
	/* others may run while rows are collected: the look-ups of foreign keys do, for each row */
	foreach(cell, plan->rtable)
	{
		const RangeTblEntry *rte = lfirst_node(RangeTblEntry, cell);

		for (int t = 0; t < NTABLES; t++)
			if (OidIsValid(rte->relid) && rte->relid == buffer.relid[t])
			{
				callsync_append_buffer_flush();
				return;
			}
	}
}

void
callsync_append_buffer_init(void)
{
	callsync_statement_hooks_init(before_statement, callsync_append_buffer_flush);
}

/* --- collecting --- */

void
callsync_append_buffer_put(CallsyncAppendTable table, int ncolumns, Datum *values, bool *nulls)
{
	bool		all_nulls[MAX_COLUMNS];
	Datum		all_values[MAX_COLUMNS];
	Relation	rel;
	MemoryContext old;
	Row		   *row;

	if (!registered)
	{
		RegisterXactCallback(end_of_transaction, NULL);
		RegisterSubXactCallback(end_of_subtransaction, NULL);
		registered = true;
	}
	if (buffer.unwritten == 0)
		forget_relations();
	if (buffer.mcxt == NULL)
		buffer.mcxt = AllocSetContextCreate(TopTransactionContext, "callsync append buffer", ALLOCSET_DEFAULT_SIZES);
	memset(all_nulls, true, sizeof(all_nulls));
	memcpy(all_nulls, nulls, ncolumns);
	memcpy(all_values, values, sizeof(Datum) * ncolumns);

	rel = open_table(table);
	old = MemoryContextSwitchTo(buffer.mcxt);
	if (buffer.nrows == buffer.maxrows)
	{
		int			max = buffer.maxrows == 0 ? 16 : buffer.maxrows * 2;

		buffer.rows = buffer.rows == NULL ? palloc(sizeof(Row) * max)
			: repalloc_huge(buffer.rows, sizeof(Row) * max);
		buffer.maxrows = max;
	}
	row = &buffer.rows[buffer.nrows];
	row->table = table;
	row->tuple = heap_form_tuple(RelationGetDescr(rel), all_values, all_nulls);
	row->cid = GetCurrentCommandId(true);
	row->level = GetCurrentTransactionNestLevel();
	row->written = 0;
	buffer.nrows++;
	buffer.unwritten++;
	buffer.bytes += row->tuple->t_len;
	MemoryContextSwitchTo(old);
	table_close(rel, NoLock);
	if (buffer.unwritten >= MAX_ROWS || buffer.bytes >= MAX_BYTES)
		callsync_append_buffer_flush();
}
