/*
 * append.c
 *		Append events and outbox rows inside the caller's transaction.
 *
 * This runs inside every INSERT of a user's call table, so it goes straight to
 * the heap and its indexes: no SPI, no privilege check, and the rows of one
 * statement together (append_buffer.h). The columns are filled by position;
 * columns that a later version adds at the end must be nullable (they are left
 * NULL).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/shard.h"
#include "store/append.h"
#include "store/append_buffer.h"

#define EVENT_COLUMNS 18
#define OUTBOX_COLUMNS 9
#define UNUSABLE_COLUMNS 2

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
	return callsync_append_buffer_next_id(CALLSYNC_APPEND_EVENT);
}

int64
callsync_event_append(const CallsyncEventRow *row)
{
	int64		id = row->id != 0 ? row->id : callsync_event_next_id();
	TimestampTz now = GetCurrentTimestamp();
	Datum		values[EVENT_COLUMNS];
	bool		nulls[EVENT_COLUMNS];

	memset(nulls, true, sizeof(nulls));
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
	callsync_append_buffer_put(CALLSYNC_APPEND_EVENT, EVENT_COLUMNS, values, nulls);

	if (strcmp(row->outcome, "rejected") == 0 || strcmp(row->outcome, "quarantined") == 0)
	{
		memset(nulls, true, sizeof(nulls));
		set_datum(values, nulls, 0, Int64GetDatum(id));
		set_datum(values, nulls, 1, TimestampTzGetDatum(now));
		callsync_append_buffer_put(CALLSYNC_APPEND_UNUSABLE, UNUSABLE_COLUMNS, values, nulls);
	}
	return id;
}

int64
callsync_outbox_append(const CallsyncOutboxRow *row)
{
	int64		id = callsync_append_buffer_next_id(CALLSYNC_APPEND_OUTBOX);
	Datum		values[OUTBOX_COLUMNS];
	bool		nulls[OUTBOX_COLUMNS];
	int			shard = callsync_shard(row->source, strlen(row->source),
									   row->call_id, strlen(row->call_id));

	memset(nulls, true, sizeof(nulls));
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
	callsync_append_buffer_put(CALLSYNC_APPEND_OUTBOX, OUTBOX_COLUMNS, values, nulls);
	return id;
}
