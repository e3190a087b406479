/*
 * alert.c
 *		What people must notice: one row per open alert, and a NOTIFY when it is news.
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
	.sql = "WITH raised AS (INSERT INTO callsync.alert AS a (kind, severity, destination, subject, message, remedy, count, raised_at, last_at, notified_at) "
	" VALUES ($1, $2, $3, $4, $5, $6, $8, $7, $7, $7) "
	" ON CONFLICT (kind, (COALESCE(destination, '')), subject) WHERE cleared_at IS NULL "
	" DO UPDATE SET count = a.count OPERATOR(pg_catalog.+) EXCLUDED.count, last_at = EXCLUDED.last_at, message = EXCLUDED.message, remedy = EXCLUDED.remedy, "
	/* one that was quiet for a while is news again */
	" notified_at = CASE WHEN a.last_at OPERATOR(pg_catalog.+) INTERVAL '1 hour' OPERATOR(pg_catalog.<) EXCLUDED.last_at THEN EXCLUDED.notified_at ELSE a.notified_at END "
	" RETURNING a.id, a.notified_at) "
	"SELECT pg_catalog.pg_notify('callsync_alerts', pg_catalog.jsonb_build_object('id', r.id, 'kind', $1, 'severity', $2, 'destination', $3)::pg_catalog.text) "
	"FROM raised r WHERE r.notified_at OPERATOR(pg_catalog.=) $7",
	.nargs = 8, .argtypes = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, INT8OID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_clear = {
	.sql = "UPDATE callsync.alert a SET cleared_at = $4 WHERE a.kind OPERATOR(pg_catalog.=) $1 "
	"AND COALESCE(a.destination, '') OPERATOR(pg_catalog.=) COALESCE($2, '') AND a.subject OPERATOR(pg_catalog.=) $3 AND a.cleared_at IS NULL",
	.nargs = 4, .argtypes = {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, .returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_is_open = {
	.sql = "SELECT 1 FROM callsync.alert a WHERE a.kind OPERATOR(pg_catalog.=) $1 "
	"AND COALESCE(a.destination, '') OPERATOR(pg_catalog.=) COALESCE($2, '') AND a.subject OPERATOR(pg_catalog.=) $3 AND a.cleared_at IS NULL",
	.nargs = 3, .argtypes = {TEXTOID, TEXTOID, TEXTOID}, .returns = SPI_OK_SELECT
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
	callsync_alert_raise_times(kind, severity, destination, subject, message, remedy, 1, now);
}

void
callsync_alert_raise_times(const char *kind, const char *severity, const char *destination,
						   const char *subject, const char *message, const char *remedy,
						   int64 times, TimestampTz now)
{
	bool		nulls[8] = {false};
	Datum		values[8];

	values[0] = CStringGetTextDatum(kind);
	values[1] = CStringGetTextDatum(severity);
	values[2] = text_or_null(destination, &nulls[2]);
	values[3] = CStringGetTextDatum(subject);
	values[4] = CStringGetTextDatum(message);
	values[5] = text_or_null(remedy, &nulls[5]);
	values[6] = TimestampTzGetDatum(now);
	values[7] = Int64GetDatum(times);
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

bool
callsync_alert_is_open(const char *kind, const char *destination, const char *subject)
{
	bool		nulls[3] = {false};
	Datum		values[3];

	values[0] = CStringGetTextDatum(kind);
	values[1] = text_or_null(destination, &nulls[1]);
	values[2] = CStringGetTextDatum(subject);
	return callsync_stmt_run(&stmt_is_open, values, nulls, true, 1) > 0;
}
