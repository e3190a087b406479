/*
 * sync_state.c
 *		The row per call and destination that people look at.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/json.h"
#include "pg/rows.h"
#include "store/sync_state.h"

#define EQ " OPERATOR(pg_catalog.=) "

static CallsyncStmt stmt_load = {
	.sql = "SELECT k.n, s.steps, s.records, s.status, s.contact_record_id, s.attempts, s.synced_at, s.stage, "
	"pg_catalog.to_jsonb(s.missing_fields) "
	"FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[], $4::pg_catalog.int4[]) "
	"AS k(source, call_id, destination, n) JOIN callsync.sync_state s ON s.source" EQ "k.source AND s.call_id" EQ "k.call_id "
	"AND s.destination" EQ "k.destination",
	.nargs = 4, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_write = {
	.sql = "UPDATE callsync.sync_state s SET status = k.status, failure_kind = k.failure_kind, stage = k.stage, "
	"contact_record_id = k.contact, records = k.records::pg_catalog.jsonb, missing_fields = k.missing::pg_catalog.text[], "
	"steps = k.steps::pg_catalog.jsonb, attempts = k.attempts, error_class = k.error_class, last_error = k.last_error, "
	"remedy = k.remedy, next_attempt_at = k.next_attempt_at, synced_at = k.synced_at, updated_at = k.updated_at "
	"FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[], $4::pg_catalog.text[], $5::pg_catalog.text[], "
	"$6::pg_catalog.text[], $7::pg_catalog.text[], $8::pg_catalog.text[], $9::pg_catalog.text[], $10::pg_catalog.text[], $11::pg_catalog.int4[], "
	"$12::pg_catalog.text[], $13::pg_catalog.text[], $14::pg_catalog.text[], $15::pg_catalog.timestamptz[], $16::pg_catalog.timestamptz[], "
	"$17::pg_catalog.timestamptz[]) "
	"AS k(source, call_id, destination, status, failure_kind, stage, contact, records, missing, steps, attempts, error_class, last_error, "
	"remedy, next_attempt_at, synced_at, updated_at) "
	"WHERE s.source" EQ "k.source AND s.call_id" EQ "k.call_id AND s.destination" EQ "k.destination",
	.nargs = 17,
	.argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID,
		TIMESTAMPTZARRAYOID},
	.returns = SPI_OK_UPDATE
};

/* the call has reached its last stage with its first record */
static CallsyncStmt stmt_activate = {
	.sql = "UPDATE callsync.call c SET stage = 'activation', activation_at = k.at "
	"FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.timestamptz[]) AS k(source, call_id, at) "
	"WHERE c.source" EQ "k.source AND c.call_id" EQ "k.call_id AND (c.activation_at IS NULL OR c.stage OPERATOR(pg_catalog.<>) 'activation')",
	.nargs = 3, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID}, .returns = SPI_OK_UPDATE
};

void
callsync_sync_state_load(CallsyncSyncState *states, int n)
{
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, INT4OID};
	CallsyncRows *keys;
	uint64		rows;

	if (n == 0)
		return;
	keys = callsync_rows_create(lengthof(types), types);
	for (int i = 0; i < n; i++)
	{
		callsync_rows_begin(keys);
		callsync_rows_text(keys, states[i].source);
		callsync_rows_text(keys, states[i].call_id);
		callsync_rows_text(keys, states[i].destination);
		callsync_rows_int4(keys, i);
		states[i].steps = NULL;
	}
	rows = callsync_rows_run(keys, &stmt_load);
	for (uint64 i = 0; i < rows; i++)
	{
		CallsyncSyncState *s = &states[callsync_row_int32(i, 1, 0)];

		s->steps = callsync_json_of_jsonb(callsync_row_varlena(i, 2, CurrentMemoryContext), callsync_json_object());
		s->records = callsync_json_of_jsonb(callsync_row_varlena(i, 3, CurrentMemoryContext), callsync_json_object());
		s->status = callsync_row_text(i, 4, CurrentMemoryContext);
		s->contact_record_id = callsync_row_text(i, 5, CurrentMemoryContext);
		s->attempts = callsync_row_int32(i, 6, 0);
		s->synced_at = callsync_row_time(i, 7, 0);
		s->stage = callsync_row_text(i, 8, CurrentMemoryContext);
		s->planned_missing = callsync_json_of_jsonb(callsync_row_varlena(i, 9, CurrentMemoryContext), json_array());
	}
}

void
callsync_sync_state_write(CallsyncSyncState *states, int n, TimestampTz now)
{
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID,
	TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID};
	static const Oid call_types[] = {TEXTOID, TEXTOID, TIMESTAMPTZOID};
	CallsyncRows *rows = callsync_rows_create(lengthof(types), types);
	CallsyncRows *calls = callsync_rows_create(lengthof(call_types), call_types);

	for (int i = 0; i < n; i++)
	{
		CallsyncSyncState *s = &states[i];

		if (s->steps == NULL)
			continue;
		callsync_rows_begin(rows);
		callsync_rows_text(rows, s->source);
		callsync_rows_text(rows, s->call_id);
		callsync_rows_text(rows, s->destination);
		callsync_rows_text(rows, s->status);
		callsync_rows_text(rows, s->failure_kind);
		callsync_rows_text(rows, s->stage);
		callsync_rows_text(rows, s->contact_record_id);
		callsync_rows_text(rows, callsync_json_text(s->records));
		callsync_rows_text(rows, s->missing_fields ? s->missing_fields : "{}");
		callsync_rows_text(rows, callsync_json_text(s->steps));
		callsync_rows_int4(rows, s->attempts);
		callsync_rows_text(rows, s->error_class);
		callsync_rows_text(rows, s->last_error);
		callsync_rows_text(rows, s->remedy);
		callsync_rows_time(rows, s->next_attempt_at);
		callsync_rows_time(rows, s->synced_at);
		callsync_rows_time(rows, now);
		if (s->activated)
		{
			callsync_rows_begin(calls);
			callsync_rows_text(calls, s->source);
			callsync_rows_text(calls, s->call_id);
			callsync_rows_time(calls, now);
		}
	}
	callsync_rows_run(rows, &stmt_write);
	callsync_rows_run(calls, &stmt_activate);
}
