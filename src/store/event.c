/*
 * event.c
 *		Reading events for the merge.
 *
 * An event captured by reference holds the primary key of its row; the row is
 * read here, with the worker's own rights (attach() granted SELECT on the
 * mapped columns). A row that is gone gives an event without body.
 */
#include "postgres.h"

#include <jansson.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "pg/spi.h"
#include "store/event.h"

#define COLUMNS \
	"SELECT e.id, e.source, e.call_id, e.type, COALESCE(e.event_time, e.received_at), e.received_at, e.tie_break, " \
	"e.body, e.headers::text, e.row_key, e.call_table, s.kind, s.options::text, " \
	"(e.call_table IS NOT NULL) " \
	"FROM callsync.event e LEFT JOIN callsync.source s ON s.name OPERATOR(pg_catalog.=) e.source "

static CallsyncStmt stmt_load = {
	.sql = COLUMNS "WHERE e.id OPERATOR(pg_catalog.=) ANY ($1) ORDER BY e.id",
	.nargs = 1, .argtypes = {INT8ARRAYOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_load_call = {
	.sql = COLUMNS "WHERE e.id OPERATOR(pg_catalog.=) ANY ((SELECT c.event_ids FROM callsync.call c "
	"WHERE c.source OPERATOR(pg_catalog.=) $1 AND c.call_id OPERATOR(pg_catalog.=) $2)::pg_catalog.int8[]) "
	"AND e.outcome OPERATOR(pg_catalog.=) 'accepted' ORDER BY e.id",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_region = {
	.sql = "SELECT s.options OPERATOR(pg_catalog.->>) 'region' FROM callsync.source s WHERE s.name OPERATOR(pg_catalog.=) $1",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_mapping = {
	.sql = "SELECT callsync.capture_config(t.source, t.columns, t.capture, t.key_columns)::text, pg_catalog.to_jsonb(t.key_columns)::text, "
	"(SELECT pg_catalog.jsonb_agg(DISTINCT c.value) FROM pg_catalog.jsonb_each_text(t.columns) c)::text "
	"FROM callsync.source_table t JOIN pg_catalog.pg_class r ON r.oid OPERATOR(pg_catalog.=) t.call_table::pg_catalog.oid "
	"WHERE t.source OPERATOR(pg_catalog.=) $1 AND t.capture OPERATOR(pg_catalog.=) 'reference' "
	"AND (t.call_table::pg_catalog.oid OPERATOR(pg_catalog.=) $2 OR EXISTS (SELECT 1 FROM pg_catalog.pg_partition_ancestors($2) a "
	"WHERE a.relid OPERATOR(pg_catalog.=) t.call_table))",
	.nargs = 2, .argtypes = {TEXTOID, OIDOID}, .returns = SPI_OK_SELECT
};

/* quotes the members of a JSON array of names that the table still has */
static void
append_columns(StringInfo sql, json_t *names, Oid table)
{
	size_t		i;
	json_t	   *name;

	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);

		if (get_attnum(table, text) != InvalidAttrNumber)
			appendStringInfo(sql, "%s%s", sql->data[sql->len - 1] == ' ' ? "" : ", ",
							 quote_identifier(text));
	}
}

/* the document of a row captured by reference; NULL: the row or its table is gone */
static char *
read_row(const char *source, Oid table, const char *row_key, MemoryContext mcxt)
{
	Datum		values[2] = {CStringGetTextDatum(source), ObjectIdGetDatum(table)};
	char	   *config;
	json_t	   *keys;
	json_t	   *columns;
	json_t	   *key_values;
	StringInfoData sql;
	MemoryContext caller = CurrentMemoryContext;
	char	   *result = NULL;

	if (get_rel_name(table) == NULL || callsync_stmt_run(&stmt_mapping, values, NULL, true, 1) != 1)
		return NULL;
	config = callsync_row_text(0, 1, CurrentMemoryContext);
	keys = json_loads(callsync_row_text(0, 2, CurrentMemoryContext), 0, NULL);
	columns = json_loads(callsync_row_text(0, 3, CurrentMemoryContext), 0, NULL);
	key_values = json_loads(row_key, 0, NULL);

	PG_TRY();
	{
		initStringInfo(&sql);
		appendStringInfo(&sql, "SELECT callsync.preview_row(%s, t) FROM (SELECT ",
						 quote_literal_cstr(config));
		append_columns(&sql, columns, table);
		appendStringInfo(&sql, " FROM %s WHERE ",
						 quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)),
													get_rel_name(table)));
		for (size_t i = 0; i < json_array_size(keys); i++)
			appendStringInfo(&sql, "%s%s = %s", i > 0 ? " AND " : "",
							 quote_identifier(json_string_value(json_array_get(keys, i))),
							 quote_literal_cstr(json_string_value(json_array_get(key_values, i))));
		appendStringInfoString(&sql, ") t");
		if (SPI_execute(sql.data, true, 1) != SPI_OK_SELECT)
			elog(ERROR, "could not read a row captured by reference");
		if (SPI_processed == 1)
			result = callsync_row_text(0, 1, mcxt);
		MemoryContextSwitchTo(caller);	/* see pg/spi.c */
	}
	PG_FINALLY();
	{
		json_decref(keys);
		json_decref(columns);
		json_decref(key_values);
	}
	PG_END_TRY();
	return result;
}

static int
take_rows(uint64 rows, MemoryContext mcxt, CallsyncEventRecord **events)
{
	CallsyncEventRecord *list = MemoryContextAllocZero(mcxt, sizeof(*list) * Max(rows, 1));
	char	  **row_keys = palloc0(sizeof(char *) * Max(rows, 1));
	Oid		   *tables = palloc0(sizeof(Oid) * Max(rows, 1));

	for (uint64 i = 0; i < rows; i++)
	{
		CallsyncEventRecord *e = &list[i];
		struct varlena *body = callsync_row_varlena(i, 8, CurrentMemoryContext);

		e->id = callsync_row_int64(i, 1, 0);
		e->source = callsync_row_text(i, 2, mcxt);
		e->call_id = callsync_row_text(i, 3, mcxt);
		e->type = callsync_row_text(i, 4, mcxt);
		e->event_time = callsync_row_time(i, 5, 0);
		e->received_at = callsync_row_time(i, 6, 0);
		e->tie_break = callsync_row_int64(i, 7, 0);
		if (body != NULL)
		{
			e->body_len = VARSIZE_ANY_EXHDR(body);
			e->body = MemoryContextAlloc(mcxt, e->body_len + 1);
			memcpy(e->body, VARDATA_ANY(body), e->body_len);
			e->body[e->body_len] = '\0';
		}
		e->headers = callsync_row_text(i, 9, mcxt);
		row_keys[i] = callsync_row_text(i, 10, CurrentMemoryContext);
		tables[i] = callsync_row_oid(i, 11);
		e->source_kind = callsync_row_text(i, 12, mcxt);
		e->source_options = callsync_row_text(i, 13, mcxt);
		e->from_table = callsync_row_bool(i, 14, false);
	}
	/* only now: reading a row runs statements of its own */
	for (uint64 i = 0; i < rows; i++)
		if (list[i].body == NULL && row_keys[i] != NULL)
		{
			list[i].body = read_row(list[i].source, tables[i], row_keys[i], mcxt);
			list[i].body_len = list[i].body ? strlen(list[i].body) : 0;
		}
	*events = list;
	return (int) rows;
}

int
callsync_event_load(const int64 *ids, int n, MemoryContext mcxt, CallsyncEventRecord **events)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(n, 1));
	Datum		value;

	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(ids[i]);
	value = PointerGetDatum(construct_array(elements, n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	return take_rows(callsync_stmt_run(&stmt_load, &value, NULL, true, 0), mcxt, events);
}

int
callsync_event_load_call(const char *source, const char *call_id, MemoryContext mcxt,
						 CallsyncEventRecord **events)
{
	Datum		values[2] = {CStringGetTextDatum(source), CStringGetTextDatum(call_id)};

	return take_rows(callsync_stmt_run(&stmt_load_call, values, NULL, true, 0), mcxt, events);
}

char *
callsync_source_region(const char *source, MemoryContext mcxt)
{
	Datum		value = CStringGetTextDatum(source);

	if (callsync_stmt_run(&stmt_region, &value, NULL, true, 1) != 1)
		return NULL;
	return callsync_row_text(0, 1, mcxt);
}
