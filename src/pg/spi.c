/*
 * spi.c
 *		Prepared statements, row access, and the worker's transaction.
 *
 * What a newcomer gets wrong: CommitTransactionCommand() leaves the process in
 * TopMemoryContext, and so does AbortOutOfAnyTransaction(). callsync_txn_run()
 * puts the caller's context back on every path.  And each call of SPI leaves the process
 * in the memory of SPI_connect(), which ends before the transaction does: callsync_stmt_run()
 * puts that right, too.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/lmgr.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"
#include "utils/timestamp.h"

#include "pg/guc.h"
#include "pg/spi.h"

static Oid	worker_extension = InvalidOid;

uint64
callsync_stmt_run(CallsyncStmt *stmt, Datum *values, const bool *nulls,
				  bool read_only, int64 limit)
{
	MemoryContext caller = CurrentMemoryContext;
	char		spi_nulls[CALLSYNC_STMT_MAXARGS];
	int			ret;

	Assert(stmt->nargs <= CALLSYNC_STMT_MAXARGS);
	if (stmt->plan == NULL)
	{
		SPIPlanPtr	plan = SPI_prepare(stmt->sql, stmt->nargs, stmt->argtypes);

		if (plan == NULL)
			elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
		if (SPI_keepplan(plan) != 0)
			elog(ERROR, "SPI_keepplan failed");
		stmt->plan = plan;
	}

	for (int i = 0; i < stmt->nargs; i++)
		spi_nulls[i] = nulls != NULL && nulls[i] ? 'n' : ' ';

	ret = SPI_execute_plan(stmt->plan, values, spi_nulls, read_only, (long) limit);
	if (ret != stmt->returns)
		elog(ERROR, "statement ended with %s in place of %s: %s",
			 SPI_result_code_string(ret), SPI_result_code_string(stmt->returns),
			 stmt->sql);
	MemoryContextSwitchTo(caller);
	return SPI_processed;
}

Datum
callsync_row_datum(uint64 row, int column, bool *isnull)
{
	Assert(SPI_tuptable != NULL && row < SPI_tuptable->numvals);
	return SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column, isnull);
}

bool
callsync_row_isnull(uint64 row, int column)
{
	bool		isnull;

	(void) callsync_row_datum(row, column, &isnull);
	return isnull;
}

/* Any column as text: text types directly, others through their output function. */
char *
callsync_row_text(uint64 row, int column, MemoryContext context)
{
	bool		isnull;
	Datum		value = callsync_row_datum(row, column, &isnull);
	MemoryContext old;
	char	   *result;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(context);
	if (SPI_gettypeid(SPI_tuptable->tupdesc, column) == TEXTOID)
		result = TextDatumGetCString(value);
	else
	{
		char	   *text = SPI_getvalue(SPI_tuptable->vals[row],
										SPI_tuptable->tupdesc, column);

		result = MemoryContextStrdup(context, text);
		pfree(text);
	}
	MemoryContextSwitchTo(old);
	return result;
}

/* A detoasted copy of a text, bytea or jsonb column; NULL for NULL. */
struct varlena *
callsync_row_varlena(uint64 row, int column, MemoryContext context)
{
	bool		isnull;
	Datum		value = callsync_row_datum(row, column, &isnull);
	MemoryContext old;
	struct varlena *result;

	if (isnull)
		return NULL;
	old = MemoryContextSwitchTo(context);
	result = PG_DETOAST_DATUM_COPY(value);
	MemoryContextSwitchTo(old);
	return result;
}

int64
callsync_row_int64(uint64 row, int column, int64 otherwise)
{
	bool		isnull;
	Datum		value = callsync_row_datum(row, column, &isnull);

	return isnull ? otherwise : DatumGetInt64(value);
}

int32
callsync_row_int32(uint64 row, int column, int32 otherwise)
{
	bool		isnull;
	Datum		value = callsync_row_datum(row, column, &isnull);

	return isnull ? otherwise : DatumGetInt32(value);
}

double
callsync_row_float8(uint64 row, int column, double otherwise)
{
	bool		isnull;
	Datum		value = callsync_row_datum(row, column, &isnull);

	return isnull ? otherwise : DatumGetFloat8(value);
}

bool
callsync_row_bool(uint64 row, int column, bool otherwise)
{
	bool		isnull;
	Datum		value = callsync_row_datum(row, column, &isnull);

	return isnull ? otherwise : DatumGetBool(value);
}

Oid
callsync_row_oid(uint64 row, int column)
{
	bool		isnull;
	Datum		value = callsync_row_datum(row, column, &isnull);

	return isnull ? InvalidOid : DatumGetObjectId(value);
}

TimestampTz
callsync_row_time(uint64 row, int column, TimestampTz otherwise)
{
	bool		isnull;
	Datum		value = callsync_row_datum(row, column, &isnull);

	return isnull ? otherwise : DatumGetTimestampTz(value);
}

/*
 * Is the extension of this worker still there? Takes the lock first and looks
 * then: a DROP EXTENSION that was ahead of us has committed by now.
 */
static bool
lock_extension(void)
{
	Oid			extension = get_extension_oid("callsync", true);

	if (!OidIsValid(extension))
		return false;
	LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
	if (get_extension_oid("callsync", true) != extension)
		return false;

	/* ALTER EXTENSION UPDATE keeps the oid, DROP and CREATE do not */
	if (!OidIsValid(worker_extension))
		worker_extension = extension;
	return worker_extension == extension;
}

Oid
callsync_txn_extension(void)
{
	return worker_extension;
}

/*
 * Does an error lie in what was written? Not where the system refused something: a disk
 * quota or a limit of file sizes comes as an internal error, and only its text ("%m")
 * tells it from one of ours.
 */
static bool
lies_in_the_row(const ErrorData *edata)
{
	int			category = ERRCODE_TO_CATEGORY(edata->sqlerrcode);

	if (category == ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR) && edata->saved_errno != 0 &&
		edata->message != NULL && strstr(edata->message, strerror(edata->saved_errno)) != NULL)
		return false;
	return category == ERRCODE_TO_CATEGORY(ERRCODE_DATA_EXCEPTION) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_PROGRAM_LIMIT_EXCEEDED);
}

CallsyncTxnResult
callsync_txn_run(const char *activity, CallsyncTxnBody body, void *arg,
				 CallsyncTxnError *error)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile CallsyncTxnResult result = CALLSYNC_TXN_FAILED;

	Assert(!IsTransactionOrTransactionBlock());
	error->sqlstate = 0;
	error->of_row = false;
	error->message[0] = '\0';
	PG_TRY();
	{
		SetCurrentStatementStartTimestamp();
		pgstat_report_activity(STATE_RUNNING, activity);
		StartTransactionCommand();

		/*
		 * A SIGTERM only sets a flag here, so nothing else would end a statement
		 * that hangs: the timeout bounds how long a shutdown can take.
		 */
		enable_timeout_after(STATEMENT_TIMEOUT, callsync_tick_timeout);
		PushActiveSnapshot(GetTransactionSnapshot());
		if (SPI_connect() != SPI_OK_CONNECT)
			elog(ERROR, "SPI_connect failed");

		if (lock_extension())
		{
			body(arg);
			result = CALLSYNC_TXN_COMMITTED;
		}
		else
			result = CALLSYNC_TXN_NO_EXTENSION;

		SPI_finish();
		PopActiveSnapshot();
		CommitTransactionCommand();
		disable_timeout(STATEMENT_TIMEOUT, false);
	}
	PG_CATCH();
	{
		ErrorData  *edata;

		/* a cancel that arrives now must not hit the clean-up */
		HOLD_INTERRUPTS();
		disable_all_timeouts(false);
		QueryCancelPending = false;
		MemoryContextSwitchTo(caller);
		edata = CopyErrorData();
		error->sqlstate = edata->sqlerrcode;
		error->of_row = lies_in_the_row(edata);
		strlcpy(error->message, edata->message ? edata->message : "",
				sizeof(error->message));
		FreeErrorData(edata);
		EmitErrorReport();
		AbortOutOfAnyTransaction();
		FlushErrorState();
		result = CALLSYNC_TXN_FAILED;
		RESUME_INTERRUPTS();
	}
	PG_END_TRY();

	MemoryContextSwitchTo(caller);
	debug_query_string = NULL;
	pgstat_report_activity(STATE_IDLE, NULL);

	/* at most once a second, unless the worker is about to sleep (it forces it) */
	pgstat_report_stat(false);
	return result;
}
