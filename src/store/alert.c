/*
 * alert.c
 *		What people must notice: one row per open alert, and a NOTIFY when it is new.
 *
 * Runs in a worker's transaction only: NOTIFY in a user's transaction would
 * serialise the writers.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/spi.h"
#include "store/alert.h"

static CallsyncStmt stmt_raise = {
	.sql = "WITH raised AS (INSERT INTO callsync.alert AS a (kind, severity, destination, subject, message, remedy, raised_at, last_at) "
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $7) "
	" ON CONFLICT (kind, (COALESCE(destination, '')), subject) WHERE cleared_at IS NULL "
	" DO UPDATE SET count = a.count OPERATOR(pg_catalog.+) 1, last_at = EXCLUDED.last_at, message = EXCLUDED.message, remedy = EXCLUDED.remedy "
	" RETURNING a.id, a.count) "
	"SELECT pg_catalog.pg_notify('callsync_alerts', pg_catalog.jsonb_build_object('id', r.id, 'kind', $1, 'severity', $2, 'destination', $3)::pg_catalog.text) "
	"FROM raised r WHERE r.count OPERATOR(pg_catalog.=) 1",
	.nargs = 7, .argtypes = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_clear = {
	.sql = "UPDATE callsync.alert a SET cleared_at = $4 WHERE a.kind OPERATOR(pg_catalog.=) $1 "
	"AND COALESCE(a.destination, '') OPERATOR(pg_catalog.=) COALESCE($2, '') AND a.subject OPERATOR(pg_catalog.=) $3 AND a.cleared_at IS NULL",
	.nargs = 4, .argtypes = {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, .returns = SPI_OK_UPDATE
};

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return text ? CStringGetTextDatum(text) : (Datum) 0;
}

void
callsync_alert_raise(const char *kind, const char *severity, const char *destination,
					 const char *subject, const char *message, const char *remedy,
					 TimestampTz now)
{
	bool		nulls[7] = {false};
	Datum		values[7];

	values[0] = CStringGetTextDatum(kind);
	values[1] = CStringGetTextDatum(severity);
	values[2] = text_or_null(destination, &nulls[2]);
	values[3] = CStringGetTextDatum(subject);
	values[4] = CStringGetTextDatum(message);
	values[5] = text_or_null(remedy, &nulls[5]);
	values[6] = TimestampTzGetDatum(now);
	callsync_stmt_run(&stmt_raise, values, nulls, false, 0);
}

void
callsync_alert_clear(const char *kind, const char *destination, const char *subject, TimestampTz now)
{
	bool		nulls[4] = {false};
	Datum		values[4];

	values[0] = CStringGetTextDatum(kind);
	values[1] = text_or_null(destination, &nulls[1]);
	values[2] = CStringGetTextDatum(subject);
	values[3] = TimestampTzGetDatum(now);
	callsync_stmt_run(&stmt_clear, values, nulls, false, 0);
}
