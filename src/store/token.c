/*
 * token.c
 *		See token.h.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/spi.h"
#include "store/secret.h"
#include "store/token.h"

static const char *const state_words[] = {"valid", "failing", "reauth_required"};

static CallsyncStmt stmt_read = {
	.sql = "SELECT t.version, t.state, t.obtained_at, t.expires_at, t.renew_at, t.base_url,"
	" t.failures, t.next_try_at, t.error, t.started_by, t.generation"
	" FROM callsync.token t WHERE t.destination OPERATOR(pg_catalog.=) $1",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_read_lock = {
	.sql = "SELECT t.version, t.state, t.obtained_at, t.expires_at, t.renew_at, t.base_url,"
	" t.failures, t.next_try_at, t.error, t.started_by, t.generation"
	" FROM callsync.token t WHERE t.destination OPERATOR(pg_catalog.=) $1 FOR UPDATE",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_current = {
	.sql = "SELECT 1 FROM callsync.destination d WHERE d.name OPERATOR(pg_catalog.=) $1 AND d.generation OPERATOR(pg_catalog.=) $2",
	.nargs = 2, .argtypes = {TEXTOID, INT4OID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_begin = {
	.sql = "INSERT INTO callsync.token (destination, version, state, started_at, started_by, generation)"
	" VALUES ($1, pg_catalog.nextval('callsync.token_version'), 'failing', $2, $3, $4)"
	" ON CONFLICT (destination) DO UPDATE SET started_at = EXCLUDED.started_at, started_by = EXCLUDED.started_by,"
	" generation = EXCLUDED.generation",
	.nargs = 4, .argtypes = {TEXTOID, TIMESTAMPTZOID, TEXTOID, INT4OID}, .returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_exchange_begin = {
	.sql = "INSERT INTO callsync.service_request (request_id, destination, kind, started_at, method, url, worker)"
	" VALUES (pg_catalog.nextval('callsync.request_id'), $1, 'token', $2, $3, $4, $5) RETURNING request_id",
	.nargs = 5, .argtypes = {TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID},
	.returns = SPI_OK_INSERT_RETURNING
};

static CallsyncStmt stmt_exchange_end = {
	.sql = "UPDATE callsync.service_request SET finished_at = $2, http_status = $3, outcome = $4,"
	" error_class = $5, message = $6, duration_ms = $7 WHERE request_id OPERATOR(pg_catalog.=) $1",
	.nargs = 7, .argtypes = {INT8OID, TIMESTAMPTZOID, INT4OID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID},
	.returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_granted = {
	.sql = "UPDATE callsync.token SET version = pg_catalog.nextval('callsync.token_version'), state = 'valid',"
	" obtained_at = $2, expires_at = $3, renew_at = $4, base_url = $5, failures = 0,"
	" next_try_at = NULL, error = NULL, started_at = NULL, started_by = NULL"
	" WHERE destination OPERATOR(pg_catalog.=) $1 RETURNING version",
	.nargs = 5, .argtypes = {TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID},
	.returns = SPI_OK_UPDATE_RETURNING
};

static CallsyncStmt stmt_failed = {
	.sql = "UPDATE callsync.token SET state = $2, failures = $3, next_try_at = $4, error = $5,"
	" started_at = NULL, started_by = NULL WHERE destination OPERATOR(pg_catalog.=) $1",
	.nargs = 5, .argtypes = {TEXTOID, TEXTOID, INT4OID, TIMESTAMPTZOID, TEXTOID},
	.returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_forget = {
	.sql = "DELETE FROM callsync.token t WHERE t.destination OPERATOR(pg_catalog.=) $1",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_DELETE
};

/* what people see of it */
static CallsyncStmt stmt_tell = {
	.sql = "INSERT INTO callsync.destination_state (destination, token_state, token_expires_at, token_refreshed_at)"
	" SELECT t.destination, t.state, t.expires_at, t.obtained_at FROM callsync.token t"
	" WHERE t.destination OPERATOR(pg_catalog.=) $1"
	" ON CONFLICT (destination) DO UPDATE SET token_state = EXCLUDED.token_state,"
	" token_expires_at = EXCLUDED.token_expires_at, token_refreshed_at = EXCLUDED.token_refreshed_at",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_static = {
	.sql = "UPDATE callsync.destination_state s SET token_state = 'static', token_expires_at = NULL, token_refreshed_at = NULL"
	" WHERE s.destination OPERATOR(pg_catalog.=) $1 AND s.token_state OPERATOR(pg_catalog.<>) 'static'",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_UPDATE
};

static Datum
time_or_null(TimestampTz time, bool *isnull)
{
	*isnull = time == 0;
	return TimestampTzGetDatum(time);
}

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

void
callsync_token_row_read(const char *destination, bool lock, CallsyncTokenRow *row,
						MemoryContext context)
{
	Datum		name = CStringGetTextDatum(destination);
	char	   *state;

	memset(row, 0, sizeof(*row));
	if (callsync_stmt_run(lock ? &stmt_read_lock : &stmt_read, &name, NULL, false, 0) == 0)
		return;
	row->version = callsync_row_int64(0, 1, 0);
	state = callsync_row_text(0, 2, CurrentMemoryContext);
	for (int i = 0; i < lengthof(state_words); i++)
	{
		if (strcmp(state, state_words[i]) == 0)
			row->state = (CallsyncTokenRowState) i;
	}
	row->obtained_at = callsync_row_time(0, 3, 0);
	row->expires_at = callsync_row_time(0, 4, 0);
	row->renew_at = callsync_row_time(0, 5, 0);
	row->base_url = callsync_row_text(0, 6, context);
	row->failures = callsync_row_int32(0, 7, 0);
	row->next_try_at = callsync_row_time(0, 8, 0);
	row->error = callsync_row_text(0, 9, context);
	row->started_by = callsync_row_text(0, 10, context);
	row->generation = callsync_row_int32(0, 11, 0);
}

bool
callsync_token_is_current(const char *destination, int generation)
{
	Datum		values[] = {CStringGetTextDatum(destination), Int32GetDatum(generation)};

	return callsync_stmt_run(&stmt_current, values, NULL, false, 1) > 0;
}

int64
callsync_token_row_begin(const char *destination, int generation, const char *worker,
						 const char *method, const char *url, TimestampTz now)
{
	Datum		name = CStringGetTextDatum(destination);
	Datum		by = CStringGetTextDatum(worker);
	Datum		begin[] = {name, TimestampTzGetDatum(now), by, Int32GetDatum(generation)};
	Datum		exchange[] = {name, TimestampTzGetDatum(now), CStringGetTextDatum(method),
	CStringGetTextDatum(url), by};

	callsync_stmt_run(&stmt_begin, begin, NULL, false, 0);
	callsync_stmt_run(&stmt_exchange_begin, exchange, NULL, false, 0);
	return callsync_row_int64(0, 1, 0);
}

int64
callsync_token_row_granted(const char *destination, const char *access,
						   const char *refresh, const CallsyncTokenRow *row)
{
	bool		nulls[5] = {false};
	Datum		values[5];
	int64		version;

	values[0] = CStringGetTextDatum(destination);
	values[1] = TimestampTzGetDatum(row->obtained_at);
	values[2] = time_or_null(row->expires_at, &nulls[2]);
	values[3] = time_or_null(row->renew_at, &nulls[3]);
	values[4] = text_or_null(row->base_url, &nulls[4]);
	if (callsync_stmt_run(&stmt_granted, values, nulls, false, 0) == 0)
		return 0;
	version = callsync_row_int64(0, 1, 0);
	callsync_secret_set(destination, "access_token", access);
	if (refresh != NULL)
		callsync_secret_set(destination, "refresh_token", refresh);
	callsync_stmt_run(&stmt_tell, values, NULL, false, 0);
	return version;
}

void
callsync_token_row_failed(const char *destination, const CallsyncTokenRow *row)
{
	bool		nulls[5] = {false};
	Datum		values[5];

	values[0] = CStringGetTextDatum(destination);
	values[1] = CStringGetTextDatum(state_words[row->state]);
	values[2] = Int32GetDatum(row->failures);
	values[3] = time_or_null(row->next_try_at, &nulls[3]);
	values[4] = text_or_null(row->error, &nulls[4]);
	if (callsync_stmt_run(&stmt_failed, values, nulls, false, 0) > 0)
		callsync_stmt_run(&stmt_tell, values, NULL, false, 0);
}

void
callsync_token_exchange_end(int64 request_id, int status, const char *outcome,
							const char *error_class, const char *message,
							double duration_ms, TimestampTz now)
{
	bool		nulls[7] = {false};
	Datum		values[7];

	values[0] = Int64GetDatum(request_id);
	values[1] = TimestampTzGetDatum(now);
	values[2] = Int32GetDatum(status);
	nulls[2] = status == 0;
	values[3] = CStringGetTextDatum(outcome);
	values[4] = text_or_null(error_class, &nulls[4]);
	values[5] = text_or_null(message, &nulls[5]);
	values[6] = Float8GetDatum(duration_ms);
	callsync_stmt_run(&stmt_exchange_end, values, nulls, false, 0);
}

void
callsync_token_forget(const char *destination)
{
	Datum		name = CStringGetTextDatum(destination);

	(void) callsync_stmt_run(&stmt_forget, &name, NULL, false, 0);
}

void
callsync_token_not_needed(const char *destination)
{
	Datum		name = CStringGetTextDatum(destination);

	(void) callsync_stmt_run(&stmt_forget, &name, NULL, false, 0);
	(void) callsync_stmt_run(&stmt_static, &name, NULL, false, 0);
}
