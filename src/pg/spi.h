/*
 * spi.h
 *		Statements that are prepared once per process, and the transaction that a
 *		worker runs them in.
 *
 * A statement is a static CallsyncStmt next to its SQL text:
 *
 *		static CallsyncStmt stmt_find = {
 *			.sql = "SELECT id, name FROM callsync.destination WHERE name OPERATOR(pg_catalog.=) $1",
 *			.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
 *		};
 *
 * The caller is connected to SPI (callsync_txn_run() does that for workers). Rows
 * are read with callsync_row_*() before the next statement runs or SPI_finish().
 */
#ifndef CALLSYNC_PG_SPI_H
#define CALLSYNC_PG_SPI_H

#include "executor/spi.h"
#include "datatype/timestamp.h"

#define CALLSYNC_STMT_MAXARGS 32

typedef struct CallsyncStmt
{
	const char *sql;			/* everything in it schema-qualified */
	int			nargs;
	Oid			argtypes[CALLSYNC_STMT_MAXARGS];
	int			returns;		/* the SPI_OK_... code that it must end with */
	SPIPlanPtr	plan;			/* NULL until first used; kept for ever */
} CallsyncStmt;

/*
 * Runs the statement; nulls[i] is true where values[i] is NULL (nulls may be NULL).
 * limit 0 = all rows. Returns the number of rows processed; the rows are in
 * SPI_tuptable. A statement that reads only may use the snapshot of the
 * transaction: pass read_only then.
 */
extern uint64 callsync_stmt_run(CallsyncStmt *stmt, Datum *values,
								const bool *nulls, bool read_only, int64 limit);

/*
 * Columns of row "row" (0-based) of SPI_tuptable, by 1-based column number.
 * Texts and bytea are copied into "context". callsync_row_text() returns NULL for
 * a NULL column; the by-value ones return "otherwise".
 */
extern bool callsync_row_isnull(uint64 row, int column);
extern Datum callsync_row_datum(uint64 row, int column, bool *isnull);
extern char *callsync_row_text(uint64 row, int column, MemoryContext context);
extern struct varlena *callsync_row_varlena(uint64 row, int column, MemoryContext context);
extern int64 callsync_row_int64(uint64 row, int column, int64 otherwise);
extern int32 callsync_row_int32(uint64 row, int column, int32 otherwise);
extern double callsync_row_float8(uint64 row, int column, double otherwise);
extern bool callsync_row_bool(uint64 row, int column, bool otherwise);
extern Oid	callsync_row_oid(uint64 row, int column);
extern TimestampTz callsync_row_time(uint64 row, int column, TimestampTz otherwise);

/* What became of a worker's transaction. */
typedef enum CallsyncTxnResult
{
	CALLSYNC_TXN_COMMITTED,
	CALLSYNC_TXN_FAILED,		/* an error; logged, rolled back, error filled */
	CALLSYNC_TXN_NO_EXTENSION	/* the extension is gone or is another one */
} CallsyncTxnResult;

/* Enough of an error to decide and to show; no secret can be in it. */
typedef struct CallsyncTxnError
{
	int			sqlstate;
	bool		of_row;			/* it lies in what was written: trying again is of no use */
	char		message[256];
} CallsyncTxnError;

typedef void (*CallsyncTxnBody) (void *arg);

/*
 * Runs body(arg) in a transaction of its own: statement timeout, snapshot, SPI and
 * a lock that makes DROP EXTENSION wait for us (and us for it). An ERROR rolls back,
 * is logged and returned; it never leaves this function. Afterwards the current
 * memory context is the one of the caller. "activity" is what pg_stat_activity
 * shows meanwhile. For workers only: no transaction may be open.
 */
extern CallsyncTxnResult callsync_txn_run(const char *activity,
										  CallsyncTxnBody body, void *arg,
										  CallsyncTxnError *error);

/*
 * The extension that this process works for: taken from the catalog by the first
 * callsync_txn_run(). Where it was dropped and made again it has another oid, and
 * the worker ends, to start anew with the new one's tables.
 */
extern Oid	callsync_txn_extension(void);

#endif
