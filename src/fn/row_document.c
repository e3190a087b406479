/*
 * row_document.c
 *		From a table row to a call document, by a fixed mapping of paths to columns.
 *
 * Hot path of every captured INSERT: the document is written as JSON text
 * without going through jsonb.
 */
#include "postgres.h"

#include <jansson.h>

#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/datum.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "core/person_key.h"
#include "fn/row_column.h"
#include "fn/row_document.h"
#include "pg/compat.h"

/* the document's shape: objects with members, columns at the leaves */
typedef struct DocNode
{
	char	   *label;			/* "key": with quotes and colon, escaped */
	int			column;			/* index into columns, -1: an object */
	int			nchildren;
	struct DocNode *children;
} DocNode;

struct CallsyncRowMapping
{
	MemoryContext mcxt;
	char	   *source;
	char	   *region;			/* default region of phone numbers, or NULL */
	char	   *event_type;		/* type where no column gives it */
	pg_tz	   *tz;				/* zone of columns without one */
	bool		reference;
	int			ncolumns;
	CallsyncRowColumn *columns;
	DocNode		root;
	int			call_id;		/* index into columns, -1: not mapped */
	int			event_time;
	int			type;
	int			nkeys;			/* key columns of capture by reference */
	CallsyncRowColumn *keys;
	int			nphones;
	int			phones[4];		/* columns whose value is a person key */
	int			nemails;
	int			emails[2];
};

static char *
make_label(CallsyncRowMapping *m, const char *key)
{
	StringInfoData buf;
	char	   *label;

	initStringInfo(&buf);
	escape_json(&buf, key);
	appendStringInfoChar(&buf, ':');
	label = MemoryContextStrdup(m->mcxt, buf.data);
	pfree(buf.data);
	return label;
}

/* puts a column at the place that path (an array of keys) names */
static void
add_to_tree(CallsyncRowMapping *m, DocNode *node, json_t *path, size_t depth, int column)
{
	char	   *label = make_label(m, json_string_value(json_array_get(path, depth)));
	DocNode	   *child = NULL;

	for (int i = 0; i < node->nchildren; i++)
		if (strcmp(node->children[i].label, label) == 0)
			child = &node->children[i];
	if (child == NULL)
	{
		node->children = node->children == NULL
			? MemoryContextAlloc(m->mcxt, sizeof(DocNode))
			: repalloc(node->children, sizeof(DocNode) * (node->nchildren + 1));
		child = &node->children[node->nchildren++];
		memset(child, 0, sizeof(DocNode));
		child->label = label;
		child->column = -1;
	}
	if (depth + 1 == json_array_size(path))
		child->column = column;
	else
		add_to_tree(m, child, path, depth + 1, column);
}

static bool
path_is(json_t *path, const char *first, const char *second)
{
	return json_array_size(path) == (second ? 2 : 1) &&
		strcmp(json_string_value(json_array_get(path, 0)), first) == 0 &&
		(second == NULL || strcmp(json_string_value(json_array_get(path, 1)), second) == 0);
}

static char *
config_string(CallsyncRowMapping *m, json_t *config, const char *key)
{
	const char *value = json_string_value(json_object_get(config, key));

	return value ? MemoryContextStrdup(m->mcxt, value) : NULL;
}

static void
fill_mapping(CallsyncRowMapping *m, json_t *config, TupleDesc tupdesc)
{
	json_t	   *columns = json_object_get(config, "columns");
	json_t	   *keys = json_object_get(config, "key");
	const char *timezone = json_string_value(json_object_get(config, "timezone"));
	size_t		i;
	json_t	   *entry;

	m->source = config_string(m, config, "source");
	m->region = config_string(m, config, "region");
	m->event_type = config_string(m, config, "event_type");
	m->reference = json_is_true(json_object_get(config, "reference"));
	m->tz = pg_tzset(timezone ? timezone : "UTC");
	m->call_id = m->event_time = m->type = -1;
	m->root.column = -1;
	if (m->source == NULL || m->event_type == NULL || m->tz == NULL || !json_is_array(columns))
		elog(ERROR, "the capture trigger's argument is not one that attach() wrote");

	m->columns = MemoryContextAllocZero(m->mcxt,
										sizeof(CallsyncRowColumn) * Max(json_array_size(columns), 1));
	json_array_foreach(columns, i, entry)
	{
		/* [[key, key ...], column] */
		json_t	   *path = json_array_get(entry, 0);
		const char *column = json_string_value(json_array_get(entry, 1));
		int			n = m->ncolumns;

		if (!json_is_array(path) || column == NULL)
			elog(ERROR, "the capture trigger's argument is not one that attach() wrote");
		callsync_row_column_init(&m->columns[n], column, tupdesc, m->mcxt);
		m->ncolumns++;
		if (path_is(path, "event_type", NULL))
			m->type = n;
		else if (path_is(path, "timestamp", NULL))
			m->event_time = n;
		else
			add_to_tree(m, &m->root, path, 0, n);
		if (path_is(path, "call_id", NULL))
			m->call_id = n;
		if ((path_is(path, "caller", "phone") || path_is(path, "caller", "spoken_phone")) &&
			m->nphones < (int) lengthof(m->phones))
			m->phones[m->nphones++] = n;
		if (path_is(path, "caller", "email") && m->nemails < (int) lengthof(m->emails))
			m->emails[m->nemails++] = n;
	}
	m->keys = MemoryContextAllocZero(m->mcxt, sizeof(CallsyncRowColumn) * Max(json_array_size(keys), 1));
	json_array_foreach(keys, i, entry)
		callsync_row_column_init(&m->keys[m->nkeys++], json_string_value(entry), tupdesc, m->mcxt);
}

CallsyncRowMapping *
callsync_row_mapping_create(MemoryContext mcxt, const char *config, TupleDesc tupdesc)
{
	CallsyncRowMapping *m = MemoryContextAllocZero(mcxt, sizeof(*m));
	json_error_t error;
	json_t	   *root = json_loads(config, 0, &error);

	if (!json_is_object(root))
	{
		json_decref(root);
		elog(ERROR, "the capture trigger's argument is not one that attach() wrote");
	}
	m->mcxt = mcxt;
	PG_TRY();
	{
		fill_mapping(m, root, tupdesc);
	}
	PG_FINALLY();
	{
		json_decref(root);
	}
	PG_END_TRY();
	return m;
}

const char *
callsync_row_mapping_source(const CallsyncRowMapping *mapping)
{
	return mapping->source;
}

/* returns false, with nothing appended, for an object without members */
static bool
append_object(StringInfo buf, const CallsyncRowMapping *m, const DocNode *node,
			  TupleDesc tupdesc, HeapTuple newtuple, HeapTuple oldtuple)
{
	int			start = buf->len;
	bool		any = false;

	appendStringInfoCharMacro(buf, '{');
	for (int i = 0; i < node->nchildren; i++)
	{
		const DocNode *child = &node->children[i];
		int			before = buf->len;

		if (any)
			appendStringInfoCharMacro(buf, ',');
		appendStringInfoString(buf, child->label);
		if (child->column < 0)
		{
			if (append_object(buf, m, child, tupdesc, newtuple, oldtuple))
				any = true;
			else
				buf->data[buf->len = before] = '\0';
		}
		else
		{
			const CallsyncRowColumn *c = &m->columns[child->column];
			bool		isnull;
			Datum		value = callsync_row_column_get(c, tupdesc, newtuple, &isnull);

			if (!isnull)
			{
				callsync_row_column_append(buf, c, value, m->tz);
				any = true;
			}
			else if (oldtuple != NULL &&
					 (callsync_row_column_get(c, tupdesc, oldtuple, &isnull), !isnull))
			{
				/* cleared by this UPDATE: said, so that the merge clears it */
				appendStringInfoString(buf, "null");
				any = true;
			}
			else
				buf->data[buf->len = before] = '\0';
		}
	}
	if (!any)
	{
		buf->data[buf->len = start] = '\0';
		return false;
	}
	appendStringInfoCharMacro(buf, '}');
	return true;
}

void
callsync_row_document(const CallsyncRowMapping *mapping, TupleDesc tupdesc,
					  HeapTuple newtuple, HeapTuple oldtuple, StringInfo buf)
{
	if (!append_object(buf, mapping, &mapping->root, tupdesc, newtuple, oldtuple))
		appendStringInfoString(buf, "{}");
}

bool
callsync_row_changed(const CallsyncRowMapping *mapping, TupleDesc tupdesc,
					 HeapTuple oldtuple, HeapTuple newtuple)
{
	for (int i = 0; i < mapping->ncolumns; i++)
	{
		const CallsyncRowColumn *c = &mapping->columns[i];
		bool		oldnull,
					newnull;
		Datum		oldvalue = callsync_row_column_get(c, tupdesc, oldtuple, &oldnull);
		Datum		newvalue = callsync_row_column_get(c, tupdesc, newtuple, &newnull);

		if (oldnull != newnull)
			return true;
		if (!oldnull && !datum_image_eq(oldvalue, newvalue, c->typbyval, c->typlen))
			return true;
	}
	return false;
}

static char *
column_text(const CallsyncRowMapping *m, int column, TupleDesc tupdesc, HeapTuple tuple)
{
	bool		isnull;
	Datum		value;

	if (column < 0)
		return NULL;
	value = callsync_row_column_get(&m->columns[column], tupdesc, tuple, &isnull);
	return isnull ? NULL : callsync_row_column_text(&m->columns[column], value);
}

static void
add_person_keys(const CallsyncRowMapping *m, TupleDesc tupdesc, HeapTuple tuple,
				CallsyncEventRow *event)
{
	int64_t		key;

	for (int i = 0; i < m->nphones; i++)
	{
		char	   *text = column_text(m, m->phones[i], tupdesc, tuple);

		if (text && event->nkeys < CALLSYNC_MAX_PERSON_KEYS &&
			callsync_person_key_phone(text, strlen(text), m->region, &key))
			event->keys[event->nkeys++] = key;
	}
	for (int i = 0; i < m->nemails; i++)
	{
		char	   *text = column_text(m, m->emails[i], tupdesc, tuple);

		if (text && event->nkeys < CALLSYNC_MAX_PERSON_KEYS &&
			callsync_person_key_email(text, strlen(text), &key))
			event->keys[event->nkeys++] = key;
	}
}

static char *
row_key(const CallsyncRowMapping *m, TupleDesc tupdesc, HeapTuple tuple)
{
	StringInfoData buf;

	initStringInfo(&buf);
	appendStringInfoChar(&buf, '[');
	for (int i = 0; i < m->nkeys; i++)
	{
		bool		isnull;
		Datum		value = callsync_row_column_get(&m->keys[i], tupdesc, tuple, &isnull);

		if (i > 0)
			appendStringInfoChar(&buf, ',');
		if (isnull)
			appendStringInfoString(&buf, "null");
		else
			escape_json(&buf, callsync_row_column_text(&m->keys[i], value));
	}
	appendStringInfoChar(&buf, ']');
	return buf.data;
}

/* a mapped event time; false where there is none (then the clock serves) */
static bool
mapped_event_time(const CallsyncRowMapping *m, TupleDesc tupdesc, HeapTuple tuple,
				  TimestampTz *result)
{
	const CallsyncRowColumn *c;
	bool		isnull;
	Datum		value;

	if (m->event_time < 0)
		return false;
	c = &m->columns[m->event_time];
	value = callsync_row_column_get(c, tupdesc, tuple, &isnull);
	if (isnull)
		return false;
	switch (c->kind)
	{
		case VALUE_TIMESTAMPTZ:
			*result = DatumGetTimestampTz(value);
			return !TIMESTAMP_NOT_FINITE(*result);
		case VALUE_TIMESTAMP:
			{
				struct pg_tm tm;
				fsec_t		fsec;

				if (TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)) ||
					timestamp2tm(DatumGetTimestamp(value), NULL, &tm, &fsec, NULL, NULL) != 0)
					return false;
				*result = DatumGetTimestamp(value) +
					(int64) DetermineTimeZoneOffset(&tm, m->tz) * USECS_PER_SEC;
				return true;
			}
		default:
			return false;		/* attach() refuses other types */
	}
}

int64
callsync_row_capture(const CallsyncRowMapping *mapping, TupleDesc tupdesc,
					 HeapTuple newtuple, HeapTuple oldtuple,
					 Oid call_table, const char *origin, bool *unusable)
{
	CallsyncEventRow event = {0};
	StringInfoData buf;
	char	   *call_id = column_text(mapping, mapping->call_id, tupdesc, newtuple);
	char	   *type = column_text(mapping, mapping->type, tupdesc, newtuple);

	*unusable = call_id == NULL || call_id[0] == '\0';

	event.source = mapping->source;
	event.call_id = *unusable ? NULL : call_id;
	event.type = type && type[0] ? type : mapping->event_type;
	/* not now(): an older transaction that writes later would lose */
	if (!mapped_event_time(mapping, tupdesc, newtuple, &event.event_time))
		event.event_time = GetCurrentTimestamp();
	event.has_event_time = true;
	event.signature_ok = -1;
	event.outcome = *unusable ? "quarantined" : "accepted";
	event.reason = *unusable ? "the row has no call_id" : NULL;
	event.body_bytes = -1;
	event.call_table = call_table;
	/* tie_break stays 0: rows of a table are ordered by the id of their event */
	/* what cannot be found again by its key is kept whole */
	if (mapping->reference && !*unusable)
		event.row_key = row_key(mapping, tupdesc, newtuple);
	else
	{
		initStringInfo(&buf);
		/* room for the varlena header: the text becomes the bytea without a copy */
		appendStringInfoSpaces(&buf, VARHDRSZ);
		callsync_row_document(mapping, tupdesc, newtuple, oldtuple, &buf);
		SET_VARSIZE(buf.data, buf.len);
		event.body = (struct varlena *) buf.data;
	}
	add_person_keys(mapping, tupdesc, newtuple, &event);

	{
		int64		id = callsync_event_append(&event);
		CallsyncOutboxRow work = {0};

		if (!*unusable)
		{
			work.origin = origin;
			work.source = mapping->source;
			work.call_id = call_id;
			work.event_id = id;
			callsync_outbox_append(&work);
		}
		return id;
	}
}
