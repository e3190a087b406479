/*
 * append.c
 *		Append events and outbox rows inside the caller's transaction.
 *
 * This runs inside every INSERT of a user's call table, so it goes straight to
 * the heap and its indexes: no SPI, no executor state, no privilege check.
 * The columns are filled by position; columns that a later version adds at
 * the end must be nullable (they are left NULL here).
 *
 * The order "xid first, then the id" matters: the worker's gap cursor tells by
 * the running transactions whether a hole in the ids can still be filled.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "core/shard.h"
#include "store/append.h"

/* opens callsync.NAME; the error tells what to do when the schema was tampered with */
static Relation
open_table(const char *name)
{
	Oid			nsp = get_namespace_oid("callsync", true);
	Oid			relid = OidIsValid(nsp) ? get_relname_relid(name, nsp) : InvalidOid;

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"callsync.%s\" does not exist", name),
				 errhint("Reinstall the extension: DROP EXTENSION callsync CASCADE, then CREATE EXTENSION callsync CASCADE and attach() the tables again.")));
	return table_open(relid, RowExclusiveLock);
}

static int64
next_id(const char *sequence)
{
	Oid			seqid = get_relname_relid(sequence, get_namespace_oid("callsync", false));

	if (!OidIsValid(seqid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("sequence \"callsync.%s\" does not exist", sequence),
				 errhint("Reinstall the extension.")));
	/* before the id is drawn: the gap cursor counts on it */
	(void) GetTopTransactionId();
	return nextval_internal(seqid, false);
}

static void
insert_row(Relation rel, Datum *values, bool *nulls)
{
	HeapTuple	tuple = heap_form_tuple(RelationGetDescr(rel), values, nulls);

	CatalogTupleInsert(rel, tuple);
	heap_freetuple(tuple);
}

#define MAX_COLUMNS 32

static void
start_row(Relation rel, bool *nulls)
{
	if (RelationGetDescr(rel)->natts > MAX_COLUMNS)
		elog(ERROR, "table \"%s\" has too many columns", RelationGetRelationName(rel));
	memset(nulls, true, MAX_COLUMNS);
}

static void
set_text(Datum *values, bool *nulls, int i, const char *text)
{
	if (text == NULL)
		return;
	values[i] = CStringGetTextDatum(text);
	nulls[i] = false;
}

static void
set_datum(Datum *values, bool *nulls, int i, Datum value)
{
	values[i] = value;
	nulls[i] = false;
}

int64
callsync_event_next_id(void)
{
	return next_id("event_id_seq");
}

int64
callsync_event_append(const CallsyncEventRow *row)
{
	Relation	rel = open_table("event");
	int64		id = row->id != 0 ? row->id : callsync_event_next_id();
	TimestampTz now = GetCurrentTimestamp();
	Datum		values[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS];

	start_row(rel, nulls);
	set_datum(values, nulls, 0, Int64GetDatum(id));
	set_text(values, nulls, 1, row->source);
	set_text(values, nulls, 2, row->call_id);
	set_text(values, nulls, 3, row->type);
	if (row->has_event_time)
		set_datum(values, nulls, 4, TimestampTzGetDatum(row->event_time));
	set_datum(values, nulls, 5, TimestampTzGetDatum(now));
	if (row->body)
		set_datum(values, nulls, 6, PointerGetDatum(row->body));
	if (row->headers)
		set_datum(values, nulls, 7, PointerGetDatum(row->headers));
	if (row->signature_ok >= 0)
		set_datum(values, nulls, 8, BoolGetDatum(row->signature_ok == 1));
	set_text(values, nulls, 9, row->outcome);
	set_text(values, nulls, 10, row->reason);
	set_text(values, nulls, 11, row->event_key);
	if (row->body_sha256)
		set_datum(values, nulls, 12, PointerGetDatum(row->body_sha256));
	if (row->body_bytes >= 0)
		set_datum(values, nulls, 13, Int64GetDatum(row->body_bytes));
	set_text(values, nulls, 14, row->row_key);
	if (OidIsValid(row->call_table))
		set_datum(values, nulls, 15, ObjectIdGetDatum(row->call_table));
	if (row->nkeys > 0)
	{
		Datum		keys[CALLSYNC_MAX_PERSON_KEYS];

		for (int i = 0; i < row->nkeys; i++)
			keys[i] = Int64GetDatum(row->keys[i]);
		set_datum(values, nulls, 16,
				  PointerGetDatum(construct_array(keys, row->nkeys, INT8OID, 8,
												  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE)));
	}
	set_datum(values, nulls, 17, Int64GetDatum(row->tie_break));
	insert_row(rel, values, nulls);
	table_close(rel, NoLock);

	if (strcmp(row->outcome, "rejected") == 0 || strcmp(row->outcome, "quarantined") == 0)
	{
		rel = open_table("event_unusable");
		start_row(rel, nulls);
		set_datum(values, nulls, 0, Int64GetDatum(id));
		set_datum(values, nulls, 1, TimestampTzGetDatum(now));
		insert_row(rel, values, nulls);
		table_close(rel, NoLock);
	}
	return id;
}

int64
callsync_outbox_append(const CallsyncOutboxRow *row)
{
	Relation	rel = open_table("outbox");
	int64		id = next_id("outbox_id_seq");
	Datum		values[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS];
	int			shard = callsync_shard(row->source, strlen(row->source),
									   row->call_id, strlen(row->call_id));

	start_row(rel, nulls);
	set_datum(values, nulls, 0, Int64GetDatum(id));
	set_datum(values, nulls, 1, Int16GetDatum((int16) shard));
	set_text(values, nulls, 2, row->origin);
	set_text(values, nulls, 3, row->source);
	set_text(values, nulls, 4, row->call_id);
	if (row->event_id != 0)
		set_datum(values, nulls, 5, Int64GetDatum(row->event_id));
	set_text(values, nulls, 6, row->destination);
	if (row->detail)
		set_datum(values, nulls, 7, PointerGetDatum(row->detail));
	set_datum(values, nulls, 8, TimestampTzGetDatum(GetCurrentTimestamp()));
	insert_row(rel, values, nulls);
	table_close(rel, NoLock);
	return id;
}
