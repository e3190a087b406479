/*
 * worker_state.c
 *		See worker_state.h.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/spi.h"
#include "store/worker_state.h"

static CallsyncStmt stmt_write = {
	.sql = "INSERT INTO callsync.worker (worker, pid, state, started_at, updated_at, version, is_copy,"
	" in_flight, unsettled, waiting, total_claimed, total_sent, total_settled, registered_at, holes)"
	" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
	" ON CONFLICT (worker) DO UPDATE SET pid = EXCLUDED.pid, state = EXCLUDED.state,"
	" started_at = EXCLUDED.started_at, updated_at = EXCLUDED.updated_at,"
	" version = EXCLUDED.version, is_copy = EXCLUDED.is_copy,"
	" in_flight = EXCLUDED.in_flight, unsettled = EXCLUDED.unsettled,"
	" waiting = EXCLUDED.waiting, total_claimed = EXCLUDED.total_claimed,"
	" total_sent = EXCLUDED.total_sent, total_settled = EXCLUDED.total_settled,"
	" registered_at = EXCLUDED.registered_at, holes = EXCLUDED.holes",
	.nargs = 15,
	.argtypes = {INT4OID, INT4OID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, BOOLOID,
	INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, INT8OID, TIMESTAMPTZOID, INT8OID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_is_stopped = {
	.sql = "SELECT 1 FROM callsync.worker w WHERE w.worker OPERATOR(pg_catalog.=) $1"
	" AND w.registered_at OPERATOR(pg_catalog.=) $2 AND w.state OPERATOR(pg_catalog.=) 'stopped'",
	.nargs = 2, .argtypes = {INT4OID, TIMESTAMPTZOID},
	.returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_stop_all = {
	.sql = "UPDATE callsync.worker SET state = 'stopped', updated_at = pg_catalog.clock_timestamp()"
	" WHERE state OPERATOR(pg_catalog.<>) 'stopped'",
	.returns = SPI_OK_UPDATE
};

void
callsync_worker_state_write(const CallsyncWorkerState *state)
{
	Datum		values[] = {
		Int32GetDatum(state->index),
		Int32GetDatum(state->pid),
		CStringGetTextDatum(state->state),
		TimestampTzGetDatum(state->started_at),
		TimestampTzGetDatum(state->written_at),
		CStringGetTextDatum(CALLSYNC_VERSION),
		BoolGetDatum(state->is_copy),
		Int64GetDatum(state->engine.in_flight),
		Int64GetDatum(state->engine.unsettled),
		Int64GetDatum(state->engine.waiting),
		Int64GetDatum(state->engine.total_claimed),
		Int64GetDatum(state->engine.total_sent),
		Int64GetDatum(state->engine.total_settled),
		TimestampTzGetDatum(state->registered_at),
		Int64GetDatum(state->engine.holes)
	};

	callsync_stmt_run(&stmt_write, values, NULL, false, 0);
}

bool
callsync_worker_state_is_stopped(int index, TimestampTz registered_at)
{
	Datum		values[] = {Int32GetDatum(index), TimestampTzGetDatum(registered_at)};

	return callsync_stmt_run(&stmt_is_stopped, values, NULL, true, 1) > 0;
}

void
callsync_worker_state_stop_all(void)
{
	callsync_stmt_run(&stmt_stop_all, NULL, NULL, false, 0);
}
