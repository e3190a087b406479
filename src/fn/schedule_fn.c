/*
 * schedule_fn.c
 *		A destination's mode, batches and maintenance windows seen from SQL.
 */
#include "postgres.h"

#include <jansson.h>

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "core/schedule.h"
#include "pg/env.h"
#include "pg/json.h"
#include "pg/zones.h"

PG_FUNCTION_INFO_V1(callsync_schedule_times);

static const char *const mode_names[] = {"realtime", "batch", "hybrid"};

static Datum
instant(int64 unix_s)
{
	return TimestampTzGetDatum(callsync_from_unix_us(unix_s * 1000000));
}

/*
 * schedule_times(options jsonb, at timestamptz) -> (mode, next_batch_at, maintenance_until)
 */
Datum
callsync_schedule_times(PG_FUNCTION_ARGS)
{
	Jsonb	   *jb = PG_GETARG_JSONB_P(0);
	int64		now_s = callsync_unix_us(PG_GETARG_TIMESTAMPTZ(1)) / 1000000;
	json_t	   *options = callsync_json_parse(JsonbToCString(NULL, &jb->root, VARSIZE(jb)), NULL);
	CallsyncSchedule *schedule = palloc0(sizeof(*schedule));
	CallsyncDocError error = {0};
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, true, true};
	int64		at;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (!callsync_schedule_parse(options, callsync_zones(), schedule, &error))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for destination option \"%.*s\"",
						(int) strcspn(error.path + 1, "/"), error.path + 1),
				 errdetail("%s: %s", error.path, error.what),
				 error.hint[0] ? errhint("%s", error.hint) : 0));
	values[0] = CStringGetTextDatum(mode_names[schedule->mode]);
	if (schedule->mode != CALLSYNC_MODE_REALTIME && schedule->max_wait_s == 0)
	{
		at = callsync_schedule_next(schedule, callsync_zones(), now_s);
		nulls[1] = at == CALLSYNC_SCHEDULE_NEVER;
		values[1] = nulls[1] ? (Datum) 0 : instant(at);
	}
	at = callsync_schedule_closed_until(schedule, callsync_zones(), now_s);
	nulls[2] = at == 0;
	values[2] = nulls[2] ? (Datum) 0 : instant(at);
	callsync_schedule_clear(schedule);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
