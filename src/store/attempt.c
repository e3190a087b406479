/*
 * attempt.c
 *		Attempt rows: start and end, append-only.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "pg/rows.h"
#include "store/attempt.h"
#include "store/day_stmt.h"

static CallsyncDayStmt stmt_start = {
	.proto = {
		.sql = "INSERT INTO callsync.attempt_@ (day, delivery_id, n, kind, try, request_id, carrier, started_at, destination, method, url, "
		"headers, body, worker, carrier_id, items) "
		"SELECT k.day, k.delivery_id, k.n, k.kind, k.try, k.request_id, k.carrier, k.started_at, k.destination, k.method, k.url, "
		"k.headers::pg_catalog.jsonb, k.body, k.worker, k.carrier_id, k.items "
		"FROM unnest($1::pg_catalog.date[], $2::pg_catalog.int8[], $3::pg_catalog.int4[], $4::pg_catalog.text[], $5::pg_catalog.int4[], "
		"$6::pg_catalog.int8[], $7::pg_catalog.bool[], $8::pg_catalog.timestamptz[], $9::pg_catalog.text[], $10::pg_catalog.text[], "
		"$11::pg_catalog.text[], $12::pg_catalog.text[], $13::pg_catalog.bytea[], $14::pg_catalog.text[], "
		"$15::pg_catalog.int8[], $16::pg_catalog.int4[]) "
		"AS k(day, delivery_id, n, kind, try, request_id, carrier, started_at, destination, method, url, headers, body, worker, carrier_id, items)",
		.nargs = 16,
		.argtypes = {DATEARRAYOID, INT8ARRAYOID, INT4ARRAYOID, TEXTARRAYOID, INT4ARRAYOID, INT8ARRAYOID, BOOLARRAYOID, TIMESTAMPTZARRAYOID,
			TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, BYTEAARRAYOID, TEXTARRAYOID, INT8ARRAYOID, INT4ARRAYOID},
		.returns = SPI_OK_INSERT
	}
};

static CallsyncDayStmt stmt_end = {
	.proto = {
		.sql = "INSERT INTO callsync.attempt_end_@ (day, delivery_id, n, finished_at, http_status, outcome, error_class, message, response, "
		"response_headers, duration_ms) "
		"SELECT k.day, k.delivery_id, k.n, k.finished_at, k.http_status, k.outcome, k.error_class, k.message, k.response, "
		"k.response_headers::pg_catalog.jsonb, k.duration_ms "
		"FROM unnest($1::pg_catalog.date[], $2::pg_catalog.int8[], $3::pg_catalog.int4[], $4::pg_catalog.timestamptz[], "
		"$5::pg_catalog.int4[], $6::pg_catalog.text[], $7::pg_catalog.text[], $8::pg_catalog.text[], $9::pg_catalog.bytea[], "
		"$10::pg_catalog.text[], $11::pg_catalog.float8[]) "
		"AS k(day, delivery_id, n, finished_at, http_status, outcome, error_class, message, response, response_headers, duration_ms) "
		"ON CONFLICT DO NOTHING",
		.nargs = 11,
		.argtypes = {DATEARRAYOID, INT8ARRAYOID, INT4ARRAYOID, TIMESTAMPTZARRAYOID, INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
			BYTEAARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID},
		.returns = SPI_OK_INSERT
	}
};

void
callsync_attempt_request_ids(int64 *ids, int n)
{
	static Oid	sequence = InvalidOid;
	static Oid	schema = InvalidOid;
	Oid			schema_now = get_namespace_oid("callsync", false);

	/* looked up again when the extension was made anew */
	if (!OidIsValid(sequence) || schema != schema_now)
	{
		schema = schema_now;
		sequence = get_relname_relid("request_id", schema);
		if (!OidIsValid(sequence))
			elog(ERROR, "sequence callsync.request_id does not exist");
	}
	for (int i = 0; i < n; i++)
		ids[i] = nextval_internal(sequence, true);
}

static void
bytes(CallsyncRows *rows, const char *data, size_t len)
{
	bytea	   *value;

	if (data == NULL)
	{
		callsync_rows_null(rows);
		return;
	}
	value = palloc(VARHDRSZ + len);
	SET_VARSIZE(value, VARHDRSZ + len);
	memcpy(VARDATA(value), data, len);
	callsync_rows_datum(rows, PointerGetDatum(value));
}

void
callsync_attempt_start(const CallsyncAttemptStart *attempts, int n)
{
	static const Oid types[] = {DATEOID, INT8OID, INT4OID, TEXTOID, INT4OID, INT8OID, BOOLOID, TIMESTAMPTZOID, TEXTOID, TEXTOID,
	TEXTOID, TEXTOID, BYTEAOID, TEXTOID, INT8OID, INT4OID};
	bool	   *done = palloc0(sizeof(bool) * Max(n, 1));

	for (int first = 0; first < n; first++)
	{
		CallsyncRows *rows;

		if (done[first])
			continue;
		rows = callsync_rows_create(lengthof(types), types);
		for (int i = first; i < n; i++)
		{
			const CallsyncAttemptStart *a = &attempts[i];

			if (a->day != attempts[first].day)
				continue;
			done[i] = true;
			callsync_rows_begin(rows);
			callsync_rows_datum(rows, DateADTGetDatum(a->day));
			callsync_rows_int8(rows, a->delivery_id);
			callsync_rows_int4(rows, a->n);
			callsync_rows_text(rows, a->kind);
			callsync_rows_int4(rows, a->try_no);
			callsync_rows_int8(rows, a->request_id);
			callsync_rows_bool(rows, a->carrier);
			callsync_rows_time(rows, a->started_at);
			callsync_rows_text(rows, a->destination);
			callsync_rows_text(rows, a->method);
			callsync_rows_text(rows, a->url);
			callsync_rows_text(rows, a->headers);
			bytes(rows, a->body, a->body_len);
			callsync_rows_text(rows, a->worker);
			if (a->carrier)
				callsync_rows_null(rows);
			else
				callsync_rows_int8(rows, a->carrier_id);
			callsync_rows_int4(rows, a->items);
		}
		callsync_rows_run(rows, callsync_day_stmt(&stmt_start, attempts[first].day));
	}
}

void
callsync_attempt_end(const CallsyncAttemptEnd *ends, int n)
{
	static const Oid types[] = {DATEOID, INT8OID, INT4OID, TIMESTAMPTZOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, BYTEAOID, TEXTOID,
	FLOAT8OID};
	bool	   *done = palloc0(sizeof(bool) * Max(n, 1));

	for (int first = 0; first < n; first++)
	{
		CallsyncRows *rows;

		if (done[first])
			continue;
		rows = callsync_rows_create(lengthof(types), types);
		for (int i = first; i < n; i++)
		{
			const CallsyncAttemptEnd *a = &ends[i];

			if (a->day != ends[first].day)
				continue;
			done[i] = true;
			callsync_rows_begin(rows);
			callsync_rows_datum(rows, DateADTGetDatum(a->day));
			callsync_rows_int8(rows, a->delivery_id);
			callsync_rows_int4(rows, a->n);
			callsync_rows_time(rows, a->finished_at);
			if (a->http_status != 0)
				callsync_rows_int4(rows, a->http_status);
			else
				callsync_rows_null(rows);
			callsync_rows_text(rows, a->outcome);
			callsync_rows_text(rows, a->error_class);
			callsync_rows_text(rows, a->message);
			bytes(rows, a->response, a->response_len);
			callsync_rows_text(rows, a->response_headers);
			if (a->duration_ms >= 0)
				callsync_rows_float8(rows, a->duration_ms);
			else
				callsync_rows_null(rows);
		}
		callsync_rows_run(rows, callsync_day_stmt(&stmt_end, ends[first].day));
	}
}
