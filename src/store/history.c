/*
 * history.c
 *		How long deliveries, attempts and bodies are kept.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/timestamp.h"

#include "pg/spi.h"
#include "store/history.h"

static CallsyncStmt stmt_prune = {
	.sql = "SELECT callsync.prune_history(pg_catalog.make_interval(mins => $1), pg_catalog.make_interval(mins => $2), $3) IS NOT NULL",
	.nargs = 3, .argtypes = {INT4OID, INT4OID, TIMESTAMPTZOID}, .returns = SPI_OK_SELECT
};

bool
callsync_history_prune(int keep_requests, int keep_history, TimestampTz now)
{
	Datum		values[3] = {Int32GetDatum(keep_requests), Int32GetDatum(keep_history), TimestampTzGetDatum(now)};
	bool		nulls[3] = {keep_requests < 0, keep_history < 0, false};

	callsync_stmt_run(&stmt_prune, values, nulls, false, 0);
	return callsync_row_bool(0, 1, false);
}
