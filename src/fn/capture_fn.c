/*
 * capture_fn.c
 *		The capture trigger, and capture of rows that were there before.
 *
 * callsync.capture() is an AFTER ROW trigger for INSERT and UPDATE; it fires for
 * single rows, COPY, ON CONFLICT, MERGE, rows written straight into a
 * partition, and (ENABLE ALWAYS) logical-replication apply. Its argument is the
 * whole configuration, so nothing is looked up in the user's transaction, and
 * the state of callsync's own tables cannot make an INSERT fail.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "fn/row_document.h"
#include "pg/commit_wake.h"

PG_FUNCTION_INFO_V1(callsync_capture);
PG_FUNCTION_INFO_V1(callsync_capture_row);
PG_FUNCTION_INFO_V1(callsync_preview_row);

/* compiled mappings of this backend, by trigger */
typedef struct MappingEntry
{
	Oid			trigger;		/* hash key */
	Oid			relid;
	bool		valid;
	MemoryContext mcxt;			/* of mapping */
	CallsyncRowMapping *mapping;
} MappingEntry;

static HTAB *mappings = NULL;

/* a table or its triggers changed: the mapping is compiled again at its next use */
static void
forget_mapping(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	MappingEntry *entry;

	hash_seq_init(&status, mappings);
	while ((entry = hash_seq_search(&status)) != NULL)
		if (relid == InvalidOid || entry->relid == relid)
			entry->valid = false;
}

static const CallsyncRowMapping *
get_mapping(Relation rel, Trigger *trigger)
{
	MappingEntry *entry;
	bool		found;

	if (mappings == NULL)
	{
		HASHCTL		ctl = {0};

		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(MappingEntry);
		ctl.hcxt = TopMemoryContext;
		mappings = hash_create("callsync capture mappings", 16, &ctl,
							   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
		CacheRegisterRelcacheCallback(forget_mapping, (Datum) 0);
	}
	entry = hash_search(mappings, &trigger->tgoid, HASH_ENTER, &found);
	if (!found)
	{
		entry->valid = false;
		entry->mcxt = NULL;
	}
	if (!entry->valid)
	{
		if (entry->mcxt != NULL)
			MemoryContextDelete(entry->mcxt);
		entry->mapping = NULL;
		entry->mcxt = AllocSetContextCreate(TopMemoryContext, "callsync capture mapping",
											ALLOCSET_SMALL_SIZES);
		entry->relid = RelationGetRelid(rel);
		entry->mapping = callsync_row_mapping_create(entry->mcxt, trigger->tgargs[0],
													 RelationGetDescr(rel));
		entry->valid = true;
	}
	return entry->mapping;
}

/*
 * capture() -> trigger
 */
Datum
callsync_capture(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;
	const CallsyncRowMapping *mapping;
	TupleDesc	tupdesc;
	HeapTuple	newtuple;
	HeapTuple	oldtuple = NULL;
	bool		unusable;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigdata->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigdata->tg_event) || trigdata->tg_trigger->tgnargs != 1)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"callsync.capture\" must be called as the trigger that attach() makes"),
				 errhint("Use callsync.attach(source, call_table, columns).")));

	tupdesc = RelationGetDescr(trigdata->tg_relation);
	mapping = get_mapping(trigdata->tg_relation, trigdata->tg_trigger);
	if (TRIGGER_FIRED_BY_UPDATE(trigdata->tg_event))
	{
		oldtuple = trigdata->tg_trigtuple;
		newtuple = trigdata->tg_newtuple;
		if (!callsync_row_changed(mapping, tupdesc, oldtuple, newtuple))
			return PointerGetDatum(NULL);
	}
	else if (TRIGGER_FIRED_BY_INSERT(trigdata->tg_event))
		newtuple = trigdata->tg_trigtuple;
	else
		return PointerGetDatum(NULL);

	callsync_row_capture(mapping, tupdesc, newtuple, oldtuple,
						 RelationGetRelid(trigdata->tg_relation), "live", &unusable);
	if (!unusable)
		callsync_wake_at_commit();
	return PointerGetDatum(NULL);
}

/* the row argument as a tuple, with its descriptor (to be released) */
static HeapTuple
row_argument(Datum row, HeapTupleData *tuple, TupleDesc *tupdesc)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(row);

	*tupdesc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
									  HeapTupleHeaderGetTypMod(header));
	tuple->t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple->t_self);
	tuple->t_tableOid = InvalidOid;
	tuple->t_data = header;
	return tuple;
}

/*
 * capture_row(config text, call_table oid, origin text, row record) -> bigint
 *
 * What the trigger does, for one row that is already there: backfill() calls
 * it. NULL for a row without call_id (kept as a quarantined event).
 */
Datum
callsync_capture_row(PG_FUNCTION_ARGS)
{
	HeapTupleData tuple;
	TupleDesc	tupdesc;
	CallsyncRowMapping *mapping;
	bool		unusable;
	int64		id;
	const char *config = text_to_cstring(PG_GETARG_TEXT_PP(0));

	row_argument(PG_GETARG_DATUM(3), &tuple, &tupdesc);
	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra =
			callsync_row_mapping_create(fcinfo->flinfo->fn_mcxt, config, tupdesc);
	mapping = fcinfo->flinfo->fn_extra;
	id = callsync_row_capture(mapping, tupdesc, &tuple, NULL, PG_GETARG_OID(1),
							  text_to_cstring(PG_GETARG_TEXT_PP(2)), &unusable);
	ReleaseTupleDesc(tupdesc);
	if (unusable)
		PG_RETURN_NULL();
	callsync_wake_at_commit();
	PG_RETURN_INT64(id);
}

/*
 * preview_row(config text, row record) -> text
 *
 * The call document of a row, as the trigger would store it.
 */
Datum
callsync_preview_row(PG_FUNCTION_ARGS)
{
	HeapTupleData tuple;
	TupleDesc	tupdesc;
	CallsyncRowMapping *mapping;
	StringInfoData buf;
	const char *config = text_to_cstring(PG_GETARG_TEXT_PP(0));

	row_argument(PG_GETARG_DATUM(1), &tuple, &tupdesc);
	mapping = callsync_row_mapping_create(CurrentMemoryContext, config, tupdesc);
	initStringInfo(&buf);
	callsync_row_document(mapping, tupdesc, &tuple, NULL, &buf);
	ReleaseTupleDesc(tupdesc);
	PG_RETURN_TEXT_P(cstring_to_text(buf.data));
}
