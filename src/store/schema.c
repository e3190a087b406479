/*
 * schema.c
 *		What destinations say of their fields, and the drift noticed from it.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/spi.h"
#include "store/alert.h"
#include "store/schema.h"

#define EQ " OPERATOR(pg_catalog.=) "

static CallsyncStmt stmt_due = {
	.sql = "SELECT t.destination, t.object, t.next_at FROM callsync.schema_state t",
	.returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_record = {
	.sql = "SELECT r.field, r.change, r.detail FROM callsync.keep_schema($1, $2, $3::pg_catalog.jsonb, $4) r",
	.nargs = 4, .argtypes = {TEXTOID, TEXTOID, TEXTOID, TEXTARRAYOID}, .returns = SPI_OK_SELECT
};

/*
 * An API may have no description of an object at all. After five failures the pause doubles up to an hour, so that the
 * questions do not use up what calls need.
 */
static CallsyncStmt stmt_failed = {
	.sql = "INSERT INTO callsync.schema_state AS t (destination, object, next_at, failures, error) VALUES ($1, $2, $4, 1, $3) "
	"ON CONFLICT (destination, object) DO UPDATE SET next_at = EXCLUDED.next_at OPERATOR(pg_catalog.+) "
	"((pg_catalog.power(2, LEAST(GREATEST(t.failures OPERATOR(pg_catalog.-) 4, 0), 6)) OPERATOR(pg_catalog.-) 1) OPERATOR(pg_catalog.*) interval '1 min'), failures = t.failures OPERATOR(pg_catalog.+) 1, error = EXCLUDED.error",
	.nargs = 4, .argtypes = {TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID}, .returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_refused = {
	.sql = "INSERT INTO callsync.schema_drift_event (destination, object, field, change, detail, definition) "
	"SELECT d.name, $2, $3, 'refused', $4, (SELECT f.definition FROM callsync.schema_field f "
	"  WHERE f.destination" EQ "$1 AND f.object" EQ "$2 AND f.field" EQ "$3) "
	"FROM callsync.destination d WHERE d.name" EQ "$1 AND NOT EXISTS (SELECT 1 FROM callsync.schema_drift_event e WHERE e.destination" EQ "$1 "
	"  AND e.object" EQ "$2 AND e.field" EQ "$3 AND e.change" EQ "'refused' AND e.resolved_at IS NULL)",
	.nargs = 4, .argtypes = {TEXTOID, TEXTOID, TEXTOID, TEXTOID}, .returns = SPI_OK_INSERT
};

/* whatever else is known to be wrong with the field says it already */
static CallsyncStmt stmt_unseen = {
	.sql = "INSERT INTO callsync.schema_drift_event (destination, object, field, change, detail, definition) "
	"SELECT d.name, $2, $3, 'hidden', $4, (SELECT f.definition FROM callsync.schema_field f "
	"  WHERE f.destination" EQ "$1 AND f.object" EQ "$2 AND f.field" EQ "$3) "
	"FROM callsync.destination d WHERE d.name" EQ "$1 AND NOT EXISTS (SELECT 1 FROM callsync.schema_drift_event e WHERE e.destination" EQ "$1 "
	"  AND e.object" EQ "$2 AND e.field" EQ "$3 AND e.resolved_at IS NULL)",
	.nargs = 4, .argtypes = {TEXTOID, TEXTOID, TEXTOID, TEXTOID}, .returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_hurry = {
	.sql = "WITH now AS (UPDATE callsync.schema_state t SET next_at = pg_catalog.clock_timestamp() WHERE t.destination" EQ "$1 AND t.object" EQ "$2), "
	/* as callsync.bump_generations() does */
	"token AS (UPDATE callsync.token t SET generation = d.generation OPERATOR(pg_catalog.+) 1 FROM callsync.destination d "
	" WHERE d.name" EQ "$1 AND t.destination" EQ "$1 AND t.generation" EQ "d.generation) "
	"UPDATE callsync.destination d SET generation = d.generation OPERATOR(pg_catalog.+) 1 WHERE d.name" EQ "$1",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .returns = SPI_OK_UPDATE
};

int
callsync_schema_due(CallsyncSchemaDue **due)
{
	uint64		n = callsync_stmt_run(&stmt_due, NULL, NULL, true, 0);

	*due = palloc(sizeof(CallsyncSchemaDue) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		(*due)[i].destination = callsync_row_text(i, 1, CurrentMemoryContext);
		(*due)[i].object = callsync_row_text(i, 2, CurrentMemoryContext);
		(*due)[i].next_at = callsync_row_time(i, 3, 0);
	}
	return (int) n;
}

/* What stops is critical for the field, not for the calls: they go on without it. */
static void
alert(const char *destination, const char *object, const char *field, const char *change, const char *detail,
	  TimestampTz now)
{
	bool		stops = strcmp(change, "required") != 0 && strcmp(change, "options") != 0 && strcmp(change, "length") != 0 &&
		strcmp(change, "hidden") != 0;

	/* a value that is nowhere to be seen is lost until somebody looks */
	callsync_alert_raise("schema_drift", stops || strcmp(change, "hidden") == 0 ? "critical" : "warning", destination, psprintf("%s.%s", object, field),
						 psprintf("field \"%s\" of object \"%s\" at destination \"%s\" is not what it was (%s): %s%s",
								  field, object, destination, change, detail, stops ? "; nothing is written to it any more" : ""),
						 "Mend the map with callsync.publish_map() or the field at the destination, then callsync.resolve_drift(id) of callsync.schema_drift, and callsync.resync() the calls that lack it.",
						 now);
}

void
callsync_schema_record(const char *destination, const char *object, const char *fields,
					   const char *const *mapped, int nmapped, TimestampTz now)
{
	Datum	   *names = palloc(sizeof(Datum) * Max(nmapped, 1));
	Datum		values[4];
	uint64		n;
	char	  **rows;

	for (int i = 0; i < nmapped; i++)
		names[i] = CStringGetTextDatum(mapped[i]);
	values[0] = CStringGetTextDatum(destination);
	values[1] = CStringGetTextDatum(object);
	values[2] = CStringGetTextDatum(fields);
	values[3] = PointerGetDatum(construct_array(names, nmapped, TEXTOID, -1, false, TYPALIGN_INT));
	n = callsync_stmt_run(&stmt_record, values, NULL, false, 0);
	rows = palloc(sizeof(char *) * 3 * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
		for (int k = 0; k < 3; k++)
			rows[3 * i + k] = callsync_row_text(i, k + 1, CurrentMemoryContext);
	for (uint64 i = 0; i < n; i++)
		alert(destination, object, rows[3 * i], rows[3 * i + 1], rows[3 * i + 2], now);
}

void
callsync_schema_failed(const char *destination, const char *object, const char *error, TimestampTz next_at)
{
	Datum		values[4] = {CStringGetTextDatum(destination), CStringGetTextDatum(object), CStringGetTextDatum(error),
	TimestampTzGetDatum(next_at)};

	callsync_stmt_run(&stmt_failed, values, NULL, false, 0);
}

void
callsync_schema_refused(const char *destination, const char *object, const char *field, const char *message,
						TimestampTz now)
{
	Datum		values[4] = {CStringGetTextDatum(destination), CStringGetTextDatum(object), CStringGetTextDatum(field),
	CStringGetTextDatum(message ? message : "")};

	if (callsync_stmt_run(&stmt_refused, values, NULL, false, 0) == 0)
		return;
	callsync_stmt_run(&stmt_hurry, values, NULL, false, 0);
	alert(destination, object, field, "refused", message && message[0] ? message : "the destination did not take it", now);
}

void
callsync_schema_unseen(const char *destination, const char *object, const char *field, TimestampTz now)
{
	const char *detail = "it was sent, and the record does not show it: renamed, removed or hidden from the credential's user";
	Datum		values[4] = {CStringGetTextDatum(destination), CStringGetTextDatum(object), CStringGetTextDatum(field),
	CStringGetTextDatum(detail)};

	if (callsync_stmt_run(&stmt_unseen, values, NULL, false, 0) == 0)
		return;
	callsync_stmt_run(&stmt_hurry, values, NULL, false, 0);
	alert(destination, object, field, "hidden", detail, now);
}
