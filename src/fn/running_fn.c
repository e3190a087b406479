/*
 * running_fn.c
 *		Asking the workers for something: an outbox row from SQL, and waking them.
 *
 * In C because the outbox draws its ids after the transaction has its xid, which the
 * cursor of the workers counts on and which a plain INSERT does not do.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "pg/commit_wake.h"
#include "pg/shmem.h"
#include "store/append.h"

PG_FUNCTION_INFO_V1(callsync_outbox_append_fn);
PG_FUNCTION_INFO_V1(callsync_wake);

Datum
callsync_outbox_append_fn(PG_FUNCTION_ARGS)
{
	CallsyncOutboxRow row = {0};

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(2))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("origin, source and call_id must not be null")));
	row.origin = text_to_cstring(PG_GETARG_TEXT_PP(0));
	row.source = text_to_cstring(PG_GETARG_TEXT_PP(1));
	row.call_id = text_to_cstring(PG_GETARG_TEXT_PP(2));
	row.destination = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	row.detail = PG_ARGISNULL(4) ? NULL : PG_DETOAST_DATUM(PG_GETARG_DATUM(4));
	callsync_wake_at_commit();
	PG_RETURN_INT64(callsync_outbox_append(&row));
}

/* now: wake at once; else when the transaction commits */
Datum
callsync_wake(PG_FUNCTION_ARGS)
{
	if (PG_GETARG_BOOL(0))
		callsync_wake_workers();
	else
		callsync_wake_at_commit();
	PG_RETURN_VOID();
}
