/*
 * inquiry.c
 *		Rows of the exchanges that belong to no delivery (service_request), and of
 *		what came out of them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/spi.h"
#include "store/inquiry.h"

static CallsyncStmt stmt_begin = {
	.sql = "INSERT INTO callsync.service_request (request_id, destination, kind, started_at, method, url, worker)"
	" VALUES (pg_catalog.nextval('callsync.request_id'), $1, $2, $3, $4, $5, $6) RETURNING request_id",
	.nargs = 6, .argtypes = {TEXTOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID},
	.returns = SPI_OK_INSERT_RETURNING
};

static CallsyncStmt stmt_end = {
	.sql = "UPDATE callsync.service_request SET finished_at = $2, http_status = $3, outcome = $4,"
	" error_class = $5, message = $6, duration_ms = $7 WHERE request_id OPERATOR(pg_catalog.=) $1",
	.nargs = 7, .argtypes = {INT8OID, TIMESTAMPTZOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID},
	.returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_test = {
	.sql = "INSERT INTO callsync.test_result AS t (destination, started_at, finished_at, rows) "
	"VALUES ($1, $2, pg_catalog.clock_timestamp(), $3::pg_catalog.jsonb) "
	"ON CONFLICT (destination) DO UPDATE SET started_at = EXCLUDED.started_at, finished_at = EXCLUDED.finished_at, rows = EXCLUDED.rows",
	.nargs = 3, .argtypes = {TEXTOID, TIMESTAMPTZOID, TEXTOID}, .returns = SPI_OK_INSERT
};

int64
callsync_inquiry_begin(const char *destination, const char *kind, const char *method, const char *url,
					   const char *worker, TimestampTz now)
{
	Datum		values[6];

	values[0] = CStringGetTextDatum(destination);
	values[1] = CStringGetTextDatum(kind);
	values[2] = TimestampTzGetDatum(now);
	values[3] = CStringGetTextDatum(method);
	values[4] = CStringGetTextDatum(url);
	values[5] = CStringGetTextDatum(worker);
	callsync_stmt_run(&stmt_begin, values, NULL, false, 0);
	return callsync_row_int64(0, 1, 0);
}

void
callsync_inquiry_end(int64 request_id, int http_status, const char *outcome, const char *error_class,
					 const char *message, double duration_ms, TimestampTz now)
{
	Datum		values[7] = {0};
	bool		nulls[7] = {false};

	values[0] = Int64GetDatum(request_id);
	values[1] = TimestampTzGetDatum(now);
	values[2] = Int32GetDatum(http_status);
	nulls[2] = http_status == 0;
	values[3] = CStringGetTextDatum(outcome);
	nulls[4] = error_class == NULL;
	if (error_class != NULL)
		values[4] = CStringGetTextDatum(error_class);
	nulls[5] = message == NULL;
	if (message != NULL)
		values[5] = CStringGetTextDatum(message);
	values[6] = Float8GetDatum(duration_ms);
	callsync_stmt_run(&stmt_end, values, nulls, false, 0);
}

void
callsync_test_save(const char *destination, TimestampTz started_at, const char *rows)
{
	Datum		values[3] = {CStringGetTextDatum(destination), TimestampTzGetDatum(started_at), CStringGetTextDatum(rows)};

	callsync_stmt_run(&stmt_test, values, NULL, false, 0);
}
