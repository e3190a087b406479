/*
 * contact_keys.c
 *		Keeps the key table and the counters in step with the contacts.
 *
 * Runs once per statement.  A single row costs a dozen index inserts; a COPY of a
 * million is cut into batches that are sorted by key first, so that the index
 * grows in order.  No statement waits for another here: key rows belong to the
 * contact (whose row lock the writer holds), counts are only appended.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "common/pg_prng.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "pg/compat.h"
#include "pg/spi.h"
#include "store/contact.h"
#include "store/contact_keys.h"

/* pairs kept before they are written; 16 bytes each */
#define BATCH 1000000
/* rows handed to the heap at once */
#define CHUNK 500
/* of this many single-row statements one folds the counts it touches */
#define FOLD_ONE_IN 32

typedef struct Pair
{
	int64		a;				/* key or term */
	int64		b;				/* cid or count */
} Pair;

typedef struct PairList
{
	Pair	   *pair;
	int			n;
	int			cap;
} PairList;

typedef struct Changes
{
	PairList	gone;
	PairList	come;
	PairList	terms;
	bool		single;			/* so few rows that it is an everyday write */
} Changes;

static void
add_pair(PairList *list, int64 a, int64 b)
{
	if (list->n == list->cap)
	{
		list->cap = list->cap ? list->cap * 2 : 64;
		list->pair = list->pair ? repalloc_huge(list->pair, (Size) list->cap * sizeof(Pair))
			: palloc((Size) list->cap * sizeof(Pair));
	}
	list->pair[list->n].a = a;
	list->pair[list->n++].b = b;
}

static int
compare_pairs(const void *x, const void *y)
{
	const Pair *p = x;
	const Pair *q = y;

	if (p->a != q->a)
		return p->a < q->a ? -1 : 1;
	return p->b < q->b ? -1 : p->b > q->b;
}

static Relation
open_ours(const char *name)
{
	Oid			relid = get_relname_relid(name, get_namespace_oid("callsync", false));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"callsync.%s\" does not exist", name),
				 errhint("Reinstall the extension.")));
	return table_open(relid, RowExclusiveLock);
}

/* Appends (a, b) rows to a table of two bigints and its indexes. */
static void
insert_pairs(const char *table, const Pair *pair, int n)
{
	Relation	rel;
	CatalogIndexState indexes;
	TupleTableSlot *slots[CHUNK];
	int			nslots = Min(n, CHUNK);

	if (n == 0)
		return;
	rel = open_ours(table);
	indexes = CatalogOpenIndexes(rel);
	for (int i = 0; i < nslots; i++)
		slots[i] = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsHeapTuple);
	for (int done = 0; done < n;)
	{
		int			k = Min(nslots, n - done);

		for (int i = 0; i < k; i++)
		{
			ExecClearTuple(slots[i]);
			slots[i]->tts_values[0] = Int64GetDatum(pair[done + i].a);
			slots[i]->tts_values[1] = Int64GetDatum(pair[done + i].b);
			slots[i]->tts_isnull[0] = slots[i]->tts_isnull[1] = false;
			ExecStoreVirtualTuple(slots[i]);
		}
		CatalogTuplesMultiInsertWithInfo(rel, slots, k, indexes);
		done += k;
		CHECK_FOR_INTERRUPTS();
	}
	for (int i = 0; i < nslots; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	CatalogCloseIndexes(indexes);
	table_close(rel, NoLock);
}

/*
 * Deletes the key rows (key, cid).  The newest snapshot is used, not the
 * statement's: an UPDATE that waited for another one sees that one's contact row
 * as old, so its keys have to be seen as well.
 */
static void
delete_keys(const Pair *pair, int n)
{
	Relation	rel;
	Relation	index;
	TupleTableSlot *slot;
	IndexScanDesc scan;
	Snapshot	snapshot;

	if (n == 0)
		return;
	rel = open_ours("contact_key");
	index = index_open(get_relname_relid("contact_key_key", RelationGetNamespace(rel)), RowExclusiveLock);
	slot = table_slot_create(rel, NULL);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = callsync_index_beginscan(rel, index, snapshot, 2);
	for (int i = 0; i < n; i++)
	{
		ScanKeyData key[2];

		ScanKeyInit(&key[0], 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(pair[i].a));
		ScanKeyInit(&key[1], 2, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(pair[i].b));
		index_rescan(scan, key, 2, NULL, 0);
		while (index_getnext_slot(scan, ForwardScanDirection, slot))
		{
			simple_table_tuple_delete(rel, &slot->tts_tid, snapshot);
			ExecClearTuple(slot);
		}
		CHECK_FOR_INTERRUPTS();
	}
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	table_close(rel, NoLock);
}

static CallsyncStmt stmt_fold = {
	.sql = "WITH gone AS (DELETE FROM callsync.contact_term t WHERE t.ctid OPERATOR(pg_catalog.=) ANY (ARRAY("
	"SELECT m.ctid FROM callsync.contact_term m WHERE m.term OPERATOR(pg_catalog.=) $1 FOR UPDATE SKIP LOCKED)) "
	"RETURNING t.n) "
	"INSERT INTO callsync.contact_term (term, n) SELECT $1, pg_catalog.sum(g.n) FROM gone g "
	"HAVING pg_catalog.sum(g.n) OPERATOR(pg_catalog.<>) 0",
	.nargs = 1, .argtypes = {INT8OID}, .returns = SPI_OK_INSERT
};

/*
 * Adds up what single writes have appended for the terms.  Only rows nobody else
 * has locked; under a transaction snapshot it could fail, so it is left to others.
 */
static void
fold_terms(const PairList *terms)
{
	if (IsolationUsesXactSnapshot() || XactReadOnly)
		return;
	SPI_connect();
	for (int i = 0; i < terms->n; i++)
	{
		Datum		value = Int64GetDatum(terms->pair[i].a);

		callsync_stmt_run(&stmt_fold, &value, NULL, false, 0);
	}
	SPI_finish();
}

/* Equal keys on both sides stay as they are. */
static void
cancel_out(PairList *gone, PairList *come)
{
	int			i = 0;
	int			k = 0;
	int			ngone = 0;
	int			ncome = 0;

	while (i < gone->n || k < come->n)
	{
		int			c = i == gone->n ? 1 : k == come->n ? -1 : compare_pairs(&gone->pair[i], &come->pair[k]);

		if (c == 0)
			i++, k++;
		else if (c < 0)
			gone->pair[ngone++] = gone->pair[i++];
		else
			come->pair[ncome++] = come->pair[k++];
	}
	gone->n = ngone;
	come->n = ncome;
}

static void
flush(Changes *c)
{
	int			n = 0;

	qsort(c->gone.pair, c->gone.n, sizeof(Pair), compare_pairs);
	qsort(c->come.pair, c->come.n, sizeof(Pair), compare_pairs);
	cancel_out(&c->gone, &c->come);
	delete_keys(c->gone.pair, c->gone.n);
	insert_pairs("contact_key", c->come.pair, c->come.n);
	/* one row per term and batch */
	qsort(c->terms.pair, c->terms.n, sizeof(Pair), compare_pairs);
	for (int i = 0; i < c->terms.n;)
	{
		Pair		sum = c->terms.pair[i++];

		while (i < c->terms.n && c->terms.pair[i].a == sum.a)
			sum.b += c->terms.pair[i++].b;
		if (sum.b != 0)
			c->terms.pair[n++] = sum;
	}
	c->terms.n = n;
	insert_pairs("contact_term", c->terms.pair, c->terms.n);
	if (c->single && n > 0 && pg_prng_uint64(&pg_global_prng_state) % FOLD_ONE_IN == 0)
	{
		CommandCounterIncrement();
		fold_terms(&c->terms);
	}
	c->gone.n = c->come.n = c->terms.n = 0;
}

/* Adds the keys and counts of a row version to the lists (which stay in their own context). */
static void
collect(TupleTableSlot *slot, PairList *keys, PairList *terms, int sign)
{
	CallsyncKey key[CALLSYNC_CONTACT_KEYS];
	CallsyncText destination = callsync_contact_text(slot, CALLSYNC_CONTACT_DESTINATION);
	CallsyncText id = callsync_contact_text(slot, CALLSYNC_CONTACT_ID);
	int64		cid = callsync_contact_cid(destination.s, destination.n, id.s, id.n);
	int			n = callsync_contact_row_keys(slot, key, CALLSYNC_CONTACT_KEYS);

	for (int i = 0; i < n; i++)
		add_pair(keys, (int64) key[i].key, cid);
	n = callsync_contact_row_terms(slot, key, CALLSYNC_CONTACT_TERMS);
	for (int i = 0; i < n; i++)
		add_pair(terms, (int64) key[i].key, sign);
}

static void
start_list(PairList *list)
{
	list->cap = 64;
	list->n = 0;
	list->pair = palloc(list->cap * sizeof(Pair));
}

void
callsync_contact_keys_apply(Relation contact, Tuplestorestate *old_rows, Tuplestorestate *new_rows)
{
	MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "callsync contact keys", ALLOCSET_DEFAULT_SIZES);
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "callsync contact row", ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer = MemoryContextSwitchTo(batch);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(contact), &TTSOpsMinimalTuple);
	Changes		c = {.single = true};
	int			nrows = 0;
	bool		more = true;

	start_list(&c.gone);
	start_list(&c.come);
	start_list(&c.terms);
	while (more)
	{
		/* a row that comes from disk is the slot's, which frees it: not in the context that is reset */
		more = false;
		if (old_rows != NULL && tuplestore_gettupleslot(old_rows, true, false, slot))
		{
			more = true;
			MemoryContextSwitchTo(row);
			collect(slot, &c.gone, &c.terms, -1);
			MemoryContextSwitchTo(batch);
		}
		if (new_rows != NULL && tuplestore_gettupleslot(new_rows, true, false, slot))
		{
			more = true;
			MemoryContextSwitchTo(row);
			collect(slot, &c.come, &c.terms, 1);
			MemoryContextSwitchTo(batch);
		}
		MemoryContextReset(row);
		if (++nrows > 20)
			c.single = false;
		if (c.come.n + c.gone.n >= BATCH)
			flush(&c);
		CHECK_FOR_INTERRUPTS();
	}
	flush(&c);
	MemoryContextSwitchTo(outer);
	ExecDropSingleTupleTableSlot(slot);
	MemoryContextDelete(row);
	MemoryContextDelete(batch);
}

void
callsync_contact_keys_clear(void)
{
	static CallsyncStmt stmt_clear = {
		.sql = "TRUNCATE callsync.contact_key, callsync.contact_term",
		.returns = SPI_OK_UTILITY
	};

	SPI_connect();
	callsync_stmt_run(&stmt_clear, NULL, NULL, false, 0);
	SPI_finish();
}
