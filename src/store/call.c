/*
 * call.c
 *		The merged call rows, as the planner reads and writes them.
 *
 * Only the worker that owns a call's shard writes its row, so no row lock is
 * taken for the read.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/rows.h"
#include "store/call.h"

static CallsyncStmt stmt_load = {
	.sql = "SELECT k.n, c.version, c.document::text, c.merge_state::text, c.status, c.stage, c.events::text, c.expected::text, "
	"c.conflicts::text, c.flags::text, c.started_at, c.ended_at, c.complete_at, c.captured_at, c.intake_at, c.extraction_at, "
	"c.validation_at, c.matching_at, c.last_event_id, c.event_ids::text "
	"FROM unnest($1::text[], $2::text[], $3::int4[]) AS k(source, call_id, n) "
	"JOIN callsync.call c ON c.source OPERATOR(pg_catalog.=) k.source AND c.call_id OPERATOR(pg_catalog.=) k.call_id",
	.nargs = 3, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_save = {
	.sql = "INSERT INTO callsync.call AS c (source, call_id, status, stage, document, events, expected, started_at, ended_at, complete_at, "
	"conflicts, flags, captured_at, intake_at, extraction_at, validation_at, matching_at, version, last_event_id, merge_state, updated_at, event_ids) "
	"SELECT u.source, u.call_id, u.status, u.stage, u.document::jsonb, u.events::text[], u.expected::text[], u.started_at, u.ended_at, u.complete_at, "
	"u.conflicts::text[], u.flags::text[], u.captured_at, u.intake_at, u.extraction_at, u.validation_at, u.matching_at, u.version, u.last_event_id, "
	"u.merge_state::jsonb, u.updated_at, u.event_ids::int8[] "
	"FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::timestamptz[], "
	"$10::timestamptz[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], "
	"$18::int4[], $19::int8[], $20::text[], $21::timestamptz[], $22::text[]) "
	"AS u(source, call_id, status, stage, document, events, expected, started_at, ended_at, complete_at, conflicts, flags, captured_at, intake_at, "
	"extraction_at, validation_at, matching_at, version, last_event_id, merge_state, updated_at, event_ids) "
	"ON CONFLICT (source, call_id) DO UPDATE SET status = EXCLUDED.status, stage = EXCLUDED.stage, document = EXCLUDED.document, "
	"events = EXCLUDED.events, expected = EXCLUDED.expected, started_at = EXCLUDED.started_at, ended_at = EXCLUDED.ended_at, "
	"complete_at = EXCLUDED.complete_at, conflicts = EXCLUDED.conflicts, flags = EXCLUDED.flags, "
	"intake_at = EXCLUDED.intake_at, extraction_at = EXCLUDED.extraction_at, validation_at = EXCLUDED.validation_at, "
	"matching_at = EXCLUDED.matching_at, version = EXCLUDED.version, last_event_id = EXCLUDED.last_event_id, "
	"merge_state = EXCLUDED.merge_state, updated_at = EXCLUDED.updated_at, event_ids = EXCLUDED.event_ids",
	.nargs = 22,
	.argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID,
		INT4ARRAYOID, INT8ARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_person = {
	.sql = "INSERT INTO callsync.person_key (key, kind, source, call_id) "
	"SELECT u.key, u.kind, u.source, u.call_id FROM unnest($1::int8[], $2::text[], $3::text[], $4::text[]) AS u(key, kind, source, call_id) "
	"ON CONFLICT DO NOTHING",
	.nargs = 4, .argtypes = {INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, .returns = SPI_OK_INSERT
};

void
callsync_call_load(CallsyncCallRow *rows, int n, MemoryContext mcxt)
{
	static const Oid types[] = {TEXTOID, TEXTOID, INT4OID};
	CallsyncRows *keys = callsync_rows_create(3, types);
	uint64		found;

	for (int i = 0; i < n; i++)
	{
		callsync_rows_begin(keys);
		callsync_rows_text(keys, rows[i].source);
		callsync_rows_text(keys, rows[i].call_id);
		callsync_rows_int4(keys, i);
		rows[i].version = 0;
	}
	found = callsync_rows_run(keys, &stmt_load);
	for (uint64 i = 0; i < found; i++)
	{
		CallsyncCallRow *c = &rows[callsync_row_int32(i, 1, 0)];

		c->version = callsync_row_int32(i, 2, 0);
		c->document = callsync_row_text(i, 3, mcxt);
		c->merge_state = callsync_row_text(i, 4, mcxt);
		c->status = callsync_row_text(i, 5, mcxt);
		c->stage = callsync_row_text(i, 6, mcxt);
		c->events = callsync_row_text(i, 7, mcxt);
		c->expected = callsync_row_text(i, 8, mcxt);
		c->conflicts = callsync_row_text(i, 9, mcxt);
		c->flags = callsync_row_text(i, 10, mcxt);
		c->started_at = callsync_row_time(i, 11, 0);
		c->ended_at = callsync_row_time(i, 12, 0);
		c->complete_at = callsync_row_time(i, 13, 0);
		c->captured_at = callsync_row_time(i, 14, 0);
		c->intake_at = callsync_row_time(i, 15, 0);
		c->extraction_at = callsync_row_time(i, 16, 0);
		c->validation_at = callsync_row_time(i, 17, 0);
		c->matching_at = callsync_row_time(i, 18, 0);
		c->last_event_id = callsync_row_int64(i, 19, 0);
		c->event_ids = callsync_row_text(i, 20, mcxt);
	}
}

void
callsync_call_save(const CallsyncCallRow *rows, int n, TimestampTz now)
{
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID,
		TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID,
	INT4OID, INT8OID, TEXTOID, TIMESTAMPTZOID, TEXTOID};
	CallsyncRows *out = callsync_rows_create(lengthof(types), types);

	for (int i = 0; i < n; i++)
	{
		const CallsyncCallRow *c = &rows[i];

		callsync_rows_begin(out);
		callsync_rows_text(out, c->source);
		callsync_rows_text(out, c->call_id);
		callsync_rows_text(out, c->status);
		callsync_rows_text(out, c->stage);
		callsync_rows_text(out, c->document);
		callsync_rows_text(out, c->events);
		callsync_rows_text(out, c->expected);
		callsync_rows_time(out, c->started_at);
		callsync_rows_time(out, c->ended_at);
		callsync_rows_time(out, c->complete_at);
		callsync_rows_text(out, c->conflicts);
		callsync_rows_text(out, c->flags);
		callsync_rows_time(out, c->captured_at);
		callsync_rows_time(out, c->intake_at);
		callsync_rows_time(out, c->extraction_at);
		callsync_rows_time(out, c->validation_at);
		callsync_rows_time(out, c->matching_at);
		callsync_rows_int4(out, c->version);
		callsync_rows_int8(out, c->last_event_id);
		callsync_rows_text(out, c->merge_state);
		callsync_rows_time(out, now);
		callsync_rows_text(out, c->event_ids ? c->event_ids : "{}");
	}
	callsync_rows_run(out, &stmt_save);
}

void
callsync_person_key_save(const char *const *sources, const char *const *call_ids,
						 const int64 *keys, const char *const *kinds, int n)
{
	static const Oid types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID};
	CallsyncRows *out = callsync_rows_create(lengthof(types), types);

	for (int i = 0; i < n; i++)
	{
		callsync_rows_begin(out);
		callsync_rows_int8(out, keys[i]);
		callsync_rows_text(out, kinds[i]);
		callsync_rows_text(out, sources[i]);
		callsync_rows_text(out, call_ids[i]);
	}
	callsync_rows_run(out, &stmt_person);
}
