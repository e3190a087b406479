/*
 * match_fn.c
 *		SQL functions of matching.
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "store/match.h"
#include "store/match_config.h"
#include "store/match_duplicates.h"
#include "store/match_train.h"

PG_FUNCTION_INFO_V1(callsync_match_caller_fn);
PG_FUNCTION_INFO_V1(callsync_match_config_changed_fn);
PG_FUNCTION_INFO_V1(callsync_train_matching_fn);
PG_FUNCTION_INFO_V1(callsync_find_duplicates_fn);

static const char *
arg_text(FunctionCallInfo fcinfo, int i)
{
	return PG_NARGS() <= i || PG_ARGISNULL(i) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(i));
}

static Datum
jsonb_of(const char *json)
{
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json));
}

Datum
callsync_match_caller_fn(PG_FUNCTION_ARGS)
{
	CallsyncMatchInput input = {0};
	CallsyncMatch *m;
	TupleDesc	desc;
	Datum		values[12];
	bool		nulls[12] = {false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	input.destination = arg_text(fcinfo, 0);
	if (input.destination == NULL || input.destination[0] == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("destination must not be null or empty"),
				 errdetail("A caller is looked for among the contacts of one destination."),
				 errhint("Name the destination as in callsync.contact.destination.")));
	input.phone = arg_text(fcinfo, 1);
	input.email = arg_text(fcinfo, 2);
	input.name = arg_text(fcinfo, 3);
	input.postal_code = arg_text(fcinfo, 4);
	input.spoken_phone = arg_text(fcinfo, 5);
	input.region = arg_text(fcinfo, 6);
	input.account_id = arg_text(fcinfo, 7);
	if (PG_NARGS() > 8 && !PG_ARGISNULL(8))
	{
		Jsonb	   *fields = PG_GETARG_JSONB_P(8);

		input.fields = JsonbToCString(NULL, &fields->root, VARSIZE(fields));
	}
	m = callsync_match_caller_at(&input, GetActiveSnapshot());
	values[0] = CStringGetTextDatum(callsync_decision_name(m->decision));
	nulls[1] = m->contact_id == NULL;
	values[1] = nulls[1] ? (Datum) 0 : CStringGetTextDatum(m->contact_id);
	values[2] = Float8GetDatum(m->probability);
	nulls[3] = m->runner_up == NULL;
	values[3] = nulls[3] ? (Datum) 0 : CStringGetTextDatum(m->runner_up);
	values[4] = Float8GetDatum(m->margin);
	values[5] = jsonb_of(m->evidence);
	values[6] = CStringGetTextDatum(m->explanation);
	values[7] = Int32GetDatum(m->model_version);
	values[8] = Float8GetDatum(m->prior);
	values[9] = Float8GetDatum(m->total);
	nulls[10] = m->reason == NULL;
	values[10] = nulls[10] ? (Datum) 0 : CStringGetTextDatum(m->reason);
	values[11] = jsonb_of(m->candidates);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

Datum
callsync_match_config_changed_fn(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"match_config_changed\" was not called as a trigger")));
	callsync_match_config_changed(RelationGetRelid(((TriggerData *) fcinfo->context)->tg_relation));
	PG_RETURN_POINTER(NULL);
}

Datum
callsync_train_matching_fn(PG_FUNCTION_ARGS)
{
	char	   *destination = text_to_cstring(PG_GETARG_TEXT_PP(0));
	int			version;

	SPI_connect();
	version = callsync_match_train(destination);
	SPI_finish();
	PG_RETURN_INT32(version);
}

static void
put_twins(void *arg, const CallsyncTwins *t)
{
	ReturnSetInfo *result = arg;
	Datum		values[7];
	bool		nulls[7] = {false};

	values[0] = CStringGetTextDatum(t->destination);
	values[1] = CStringGetTextDatum(t->contact_id);
	values[2] = CStringGetTextDatum(t->other_id);
	values[3] = Float8GetDatum(t->probability);
	values[4] = CStringGetTextDatum(t->explanation);
	values[5] = jsonb_of(t->evidence);
	values[6] = Int32GetDatum(t->group);
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

Datum
callsync_find_duplicates_fn(PG_FUNCTION_ARGS)
{
	const char *destination = arg_text(fcinfo, 0);
	double		probability = PG_ARGISNULL(1) ? 0.5 : PG_GETARG_FLOAT8(1);

	InitMaterializedSRF(fcinfo, 0);
	callsync_find_duplicates(destination, probability, GetActiveSnapshot(), put_twins, fcinfo->resultinfo);
	PG_RETURN_VOID();
}
