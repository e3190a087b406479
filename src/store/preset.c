/*
 * preset.c
 *		Sources as ingest() and the worker need them: compiled presets and decrypted
 *		secrets, once per process.
 *
 * An entry lives until callsync.source, callsync.source_kind or callsync.secret
 * changes: triggers on them send an invalidation, as DDL does. The tables are read
 * with the newest snapshot, not the transaction's: what is kept for later
 * transactions must not be older than the invalidation that it survived.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "pg/json.h"
#include "store/preset.h"
#include "store/secret.h"

PG_FUNCTION_INFO_V1(callsync_source_changed);

#define NAME_SIZE 256			/* names of sources have 63 characters */
#define MAX_SECRETS 16

typedef struct Entry
{
	char		name[NAME_SIZE];	/* hash key */
	CallsyncPreset *preset;		/* NULL: not a webhook source */
	bool		secrets_read;
	MemoryContext secret_context;
	int			nsecrets;
	CallsyncSecretValue *secrets;
} Entry;

static HTAB *entries;
static Oid	watched[3];			/* source, source_kind, secret */
static bool stale;

static const char *const watched_tables[] = {"source", "source_kind", "secret"};

static void
on_invalidation(Datum arg, Oid relid)
{
	if (relid == InvalidOid || relid == watched[0] || relid == watched[1] || relid == watched[2])
		stale = true;
}

/*
 * Presets that are out of use, but may still be looked at in this transaction.
 */
typedef struct Retired
{
	struct Retired *next;
	CallsyncPreset *preset;
	TimestampTz transaction;	/* its start */
} Retired;

static Retired *retired;

static void
retire(CallsyncPreset *preset)
{
	Retired    *one;

	if (preset == NULL)
		return;
	one = MemoryContextAlloc(TopMemoryContext, sizeof(Retired));
	one->preset = preset;
	one->transaction = GetCurrentTransactionStartTimestamp();
	one->next = retired;
	retired = one;
}

static void
free_retired(void)
{
	Retired   **at = &retired;

	while (*at != NULL)
	{
		Retired    *one = *at;

		if (one->transaction == GetCurrentTransactionStartTimestamp())
		{
			at = &one->next;
			continue;
		}
		*at = one->next;
		callsync_preset_free(one->preset);
		pfree(one);
	}
}

static void
forget_secrets(Entry *entry)
{
	/* overwrites them */
	if (entry->secret_context != NULL)
		MemoryContextDelete(entry->secret_context);
	entry->secret_context = NULL;
	entry->secrets = NULL;
	entry->nsecrets = 0;
	entry->secrets_read = false;
}

static Oid
table_oid(const char *name)
{
	Oid			nsp = get_namespace_oid("callsync", false);
	Oid			relid = get_relname_relid(name, nsp);

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"callsync.%s\" does not exist", name),
				 errhint("Reinstall the extension.")));
	return relid;
}

/* Empties the cache where something has changed, makes it where there is none. */
static void
freshen(void)
{
	if (entries == NULL)
	{
		HASHCTL		ctl = {.keysize = NAME_SIZE, .entrysize = sizeof(Entry)};

		entries = hash_create("callsync sources", 16, &ctl, HASH_ELEM | HASH_STRINGS);
		CacheRegisterRelcacheCallback(on_invalidation, (Datum) 0);
		stale = true;
	}
	if (retired != NULL)
		free_retired();
	if (stale)
	{
		HASH_SEQ_STATUS scan;
		Entry	   *entry;

		hash_seq_init(&scan, entries);
		while ((entry = hash_seq_search(&scan)) != NULL)
		{
			forget_secrets(entry);
			retire(entry->preset);
			hash_search(entries, entry->name, HASH_REMOVE, NULL);
		}
		stale = false;
		for (int i = 0; i < lengthof(watched_tables); i++)
			watched[i] = table_oid(watched_tables[i]);
	}
}

/*
 * The row of a table by its one-column text key, as seen now: columns first and
 * second (0: none), copied. False: no such row.
 */
static bool
fetch_row(const char *table, const char *index, const char *key,
		  int first, Datum *first_value, int second, Datum *second_value)
{
	Relation	rel = table_open(table_oid(table), AccessShareLock);
	ScanKeyData scankey;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		isnull;

	ScanKeyInit(&scankey, 1, BTEqualStrategyNumber, F_TEXTEQ, CStringGetTextDatum(key));
	/* without a snapshot: a new one, whatever the transaction's isolation level */
	scan = systable_beginscan(rel, table_oid(index), true, NULL, 1, &scankey);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
	{
		*first_value = heap_getattr(tuple, first, RelationGetDescr(rel), &isnull);
		*first_value = isnull ? (Datum) 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(*first_value));
		if (second > 0)
		{
			*second_value = heap_getattr(tuple, second, RelationGetDescr(rel), &isnull);
			*second_value = isnull ? (Datum) 0 : PointerGetDatum(PG_DETOAST_DATUM_COPY(*second_value));
		}
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return HeapTupleIsValid(tuple);
}

static json_t *
json_of(Datum jsonb)
{
	Jsonb	   *value = (Jsonb *) DatumGetPointer(jsonb);

	if (value == NULL)
		return NULL;
	return callsync_json_parse(JsonbToCString(NULL, &value->root, VARSIZE(value)), NULL);
}

CallsyncPreset *
callsync_preset_compile(const char *subject, const json_t *document, const json_t *options)
{
	CallsyncDocError err;
	CallsyncPreset *preset = callsync_preset_parse(document, options, &err);

	if (preset == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot use %s", subject),
				 errdetail("%s%s%s", err.path, err.path[0] ? ": " : "", err.what),
				 err.hint[0] ? errhint("%s", err.hint) : 0));
	return preset;
}

/* columns of callsync.source and callsync.source_kind */
#define SOURCE_KIND 2
#define SOURCE_OPTIONS 3
#define KIND_DOCUMENT 2

/* The entry of a source; NULL: no such source. */
static Entry *
find_entry(const char *source)
{
	Entry	   *entry;
	Datum		kind;
	Datum		options;
	Datum		document;
	CallsyncPreset *preset = NULL;
	MemoryContext scratch;
	MemoryContext old;

	if (strlen(source) >= NAME_SIZE)
		return NULL;
	freshen();
	entry = hash_search(entries, source, HASH_FIND, NULL);
	if (entry != NULL)
		return entry;

	scratch = AllocSetContextCreate(CurrentMemoryContext, "callsync preset", ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(scratch);
	if (!fetch_row("source", "source_pkey", source, SOURCE_KIND, &kind, SOURCE_OPTIONS, &options))
	{
		MemoryContextSwitchTo(old);
		MemoryContextDelete(scratch);
		return NULL;
	}
	if (fetch_row("source_kind", "source_kind_pkey", TextDatumGetCString(kind), KIND_DOCUMENT, &document, 0, NULL))
		preset = callsync_preset_compile(psprintf("source \"%s\"", source), json_of(document), json_of(options));
	/* reading may have brought an invalidation: then this is the last use of what was read */
	entry = hash_search(entries, source, HASH_ENTER, NULL);
	entry->preset = preset;
	entry->secrets_read = false;
	entry->secret_context = NULL;
	entry->nsecrets = 0;
	entry->secrets = NULL;
	MemoryContextSwitchTo(old);
	MemoryContextDelete(scratch);
	return entry;
}

const CallsyncPreset *
callsync_preset_get(const char *source)
{
	Entry	   *entry = find_entry(source);

	return entry ? entry->preset : NULL;
}

bool
callsync_source_find(const char *source, CallsyncSource *found)
{
	Entry	   *entry = find_entry(source);

	if (entry == NULL)
		return false;
	found->preset = entry->preset;
	if (entry->preset != NULL && !entry->secrets_read)
	{
		MemoryContext context = AllocSetContextCreate(TopMemoryContext, "callsync source secrets", ALLOCSET_SMALL_SIZES);
		CallsyncSecretValue *secrets = MemoryContextAllocZero(context, sizeof(CallsyncSecretValue) * MAX_SECRETS);
		int			n = 0;

		/* an attempt that failed half-way may have left some */
		forget_secrets(entry);
		entry->secret_context = context;
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");
		for (int i = 0; callsync_secret_keys[i] != NULL && n < MAX_SECRETS; i++)
		{
			char	   *value;

			if (!callsync_signature_uses_key(callsync_preset_schemes(entry->preset), callsync_secret_keys[i]))
				continue;
			value = callsync_secret_get(source, callsync_secret_keys[i], context);
			if (value != NULL)
			{
				secrets[n].key = callsync_secret_keys[i];
				secrets[n].value = value;
				secrets[n++].len = strlen(value);
			}
		}
		SPI_finish();
		entry->secrets = secrets;
		entry->nsecrets = n;
		entry->secrets_read = true;
	}
	found->secrets = entry->secrets;
	found->nsecrets = entry->nsecrets;
	return true;
}

/*
 * Statement trigger on the watched tables: every process that has one of their rows
 * in its cache drops it when this transaction commits, this one at once.
 */
Datum
callsync_source_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigdata = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("source_changed() was not called as a trigger")));
	CacheInvalidateRelcache(trigdata->tg_relation);
	PG_RETURN_POINTER(NULL);
}
