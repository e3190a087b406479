/*
 * destination_state.c
 *		What a worker tells about a destination.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/spi.h"
#include "store/destination_state.h"

#define EQ " OPERATOR(pg_catalog.=) "
#define PLUS " OPERATOR(pg_catalog.+) "

static CallsyncStmt stmt_write = {
	.sql = "INSERT INTO callsync.destination_state AS s (destination, breaker, breaker_until, consecutive_failures, throttled_until, limits, "
	"sent, confirmed, failed, last_success_at, last_error_at, last_error, last_error_class, clock_skew, updated_at) "
	"SELECT $1, $2, $3, $4, $5, $6::pg_catalog.jsonb, $7, $8, $9, $10, $11, $12, $13, "
	"pg_catalog.make_interval(secs => $14 OPERATOR(pg_catalog./) 1000.0), $15 "
	"FROM callsync.destination d WHERE d.name" EQ "$1 "
	"ON CONFLICT (destination) DO UPDATE SET breaker = EXCLUDED.breaker, breaker_until = EXCLUDED.breaker_until, "
	"consecutive_failures = EXCLUDED.consecutive_failures, throttled_until = EXCLUDED.throttled_until, limits = EXCLUDED.limits, "
	"sent = s.sent" PLUS "EXCLUDED.sent, confirmed = s.confirmed" PLUS "EXCLUDED.confirmed, failed = s.failed" PLUS "EXCLUDED.failed, "
	"last_success_at = COALESCE(EXCLUDED.last_success_at, s.last_success_at), "
	"last_error_at = COALESCE(EXCLUDED.last_error_at, s.last_error_at), last_error = COALESCE(EXCLUDED.last_error, s.last_error), "
	"last_error_class = COALESCE(EXCLUDED.last_error_class, s.last_error_class), "
	"clock_skew = COALESCE(EXCLUDED.clock_skew, s.clock_skew), updated_at = EXCLUDED.updated_at",
	.nargs = 15,
	.argtypes = {TEXTOID, TEXTOID, TIMESTAMPTZOID, INT4OID, TIMESTAMPTZOID, TEXTOID, INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID,
		TIMESTAMPTZOID, TEXTOID, TEXTOID, FLOAT8OID, TIMESTAMPTZOID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_open = {
	.sql = "SELECT s.breaker_until FROM callsync.destination_state s WHERE s.destination" EQ "$1 AND s.breaker OPERATOR(pg_catalog.<>) 'closed'",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_updated = {
	.sql = "SELECT s.updated_at, s.throttled_until FROM callsync.destination_state s WHERE s.destination" EQ "$1",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_pause = {
	.sql = "UPDATE callsync.destination d SET paused = true, paused_reason = $2, paused_at = $3, generation = d.generation" PLUS "1 "
	"WHERE d.name" EQ "$1 AND NOT d.paused",
	.nargs = 3, .argtypes = {TEXTOID, TEXTOID, TIMESTAMPTZOID}, .returns = SPI_OK_UPDATE
};

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

void
callsync_destination_state_write(const CallsyncDestinationState *s, TimestampTz now)
{
	Datum		values[15];
	bool		nulls[15] = {false};

	values[0] = CStringGetTextDatum(s->destination);
	values[1] = CStringGetTextDatum(s->breaker);
	values[2] = TimestampTzGetDatum(s->breaker_until);
	nulls[2] = s->breaker_until == 0;
	values[3] = Int32GetDatum(s->failures);
	values[4] = TimestampTzGetDatum(s->throttled_until);
	nulls[4] = s->throttled_until == 0;
	values[5] = CStringGetTextDatum(s->limits ? s->limits : "[]");
	values[6] = Int64GetDatum(s->sent);
	values[7] = Int64GetDatum(s->confirmed);
	values[8] = Int64GetDatum(s->failed);
	values[9] = TimestampTzGetDatum(s->last_success_at);
	nulls[9] = s->last_success_at == 0;
	values[10] = TimestampTzGetDatum(s->last_error_at);
	nulls[10] = s->last_error_at == 0;
	values[11] = text_or_null(s->last_error, &nulls[11]);
	values[12] = text_or_null(s->last_error_class, &nulls[12]);
	values[13] = Float8GetDatum((double) s->skew_ms);
	nulls[13] = !s->skew_known;
	values[14] = TimestampTzGetDatum(now);
	callsync_stmt_run(&stmt_write, values, nulls, false, 0);
}

TimestampTz
callsync_destination_state_open_until(const char *destination)
{
	Datum		value = CStringGetTextDatum(destination);

	if (callsync_stmt_run(&stmt_open, &value, NULL, false, 0) == 0)
		return 0;
	return callsync_row_time(0, 1, 0);
}

TimestampTz
callsync_destination_state_told(const char *destination, TimestampTz *throttled_until)
{
	Datum		value = CStringGetTextDatum(destination);

	*throttled_until = 0;
	if (callsync_stmt_run(&stmt_updated, &value, NULL, false, 0) == 0)
		return 0;
	*throttled_until = callsync_row_time(0, 2, 0);
	return callsync_row_time(0, 1, 0);
}

void
callsync_destination_pause(const char *destination, const char *reason, TimestampTz now)
{
	Datum		values[3] = {CStringGetTextDatum(destination), CStringGetTextDatum(reason), TimestampTzGetDatum(now)};

	callsync_stmt_run(&stmt_pause, values, NULL, false, 0);
}
