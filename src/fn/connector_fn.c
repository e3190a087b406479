/*
 * connector_fn.c
 *		Connector documents and field maps seen from SQL: checks and listings.
 */
#include "postgres.h"

#include <jansson.h>

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "core/connector.h"
#include "core/mapping.h"
#include "pg/env.h"
#include "pg/json.h"
#include "store/destination.h"

PG_FUNCTION_INFO_V1(callsync_check_document);
PG_FUNCTION_INFO_V1(callsync_check_map);
PG_FUNCTION_INFO_V1(callsync_check_connector);
PG_FUNCTION_INFO_V1(callsync_map_entries);
PG_FUNCTION_INFO_V1(callsync_connector_steps);
PG_FUNCTION_INFO_V1(callsync_step_sources);

static json_t *
jsonb_argument(FunctionCallInfo fcinfo, int n)
{
	Jsonb	   *jb;

	if (PG_ARGISNULL(n))
		return NULL;
	jb = PG_GETARG_JSONB_P(n);
	return callsync_json_parse(JsonbToCString(NULL, &jb->root, VARSIZE(jb)), NULL);
}

static void
free_connector(void *arg)
{
	callsync_connector_free(arg);
}

/* parses document and override; ERROR with the place and a hint where it is bad */
static CallsyncConnector *
parse_connector(json_t *document, json_t *overlay, const char *base_url)
{
	CallsyncDocError error = {0};
	CallsyncConnector *connector = callsync_connector_parse(document, overlay, base_url, &error);
	MemoryContextCallback *callback;

	if (connector == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid connector document"),
				 errdetail("%s%s%s", error.path, error.path[0] ? ": " : "", error.what),
				 error.hint[0] ? errhint("%s", error.hint) : 0));
	callback = palloc(sizeof(*callback));
	callback->func = free_connector;
	callback->arg = connector;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return connector;
}

/*
 * check_document(document jsonb, override jsonb, base_url text) -> name text
 */
Datum
callsync_check_document(PG_FUNCTION_ARGS)
{
	json_t	   *document = jsonb_argument(fcinfo, 0);
	json_t	   *overlay = jsonb_argument(fcinfo, 1);
	char	   *base_url = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));

	if (document == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(callsync_connector_name(parse_connector(document, overlay, base_url))));
}

/*
 * check_map(document jsonb, override jsonb, map jsonb) -> void
 */
Datum
callsync_check_map(PG_FUNCTION_ARGS)
{
	CallsyncConnector *connector = parse_connector(jsonb_argument(fcinfo, 0), jsonb_argument(fcinfo, 1), NULL);
	CallsyncDocError error = {0};

	if (!callsync_map_check(connector, jsonb_argument(fcinfo, 2), &error))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid field map"),
				 errdetail("%s%s%s", error.path, error.path[0] ? ": " : "", error.what),
				 error.hint[0] ? errhint("%s", error.hint) : 0));
	PG_RETURN_VOID();
}

static void
report_check(void *arg, bool ok, const char *what, const char *detail)
{
	ReturnSetInfo *rsinfo = arg;
	Datum		values[3] = {BoolGetDatum(ok), CStringGetTextDatum(what), (Datum) 0};
	bool		nulls[3] = {false, false, detail == NULL || detail[0] == '\0'};

	if (!nulls[2])
		values[2] = CStringGetTextDatum(detail);
	tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
}

/*
 * check_connector(document jsonb) -> setof record (ok, what, detail)
 */
Datum
callsync_check_connector(PG_FUNCTION_ARGS)
{
	CallsyncDocError error = {0};
	CallsyncConnector *connector;

	InitMaterializedSRF(fcinfo, 0);
	connector = callsync_connector_parse(jsonb_argument(fcinfo, 0), NULL, NULL, &error);
	if (connector == NULL)
	{
		report_check(fcinfo->resultinfo, false, "document", psprintf("%s: %s", error.path, error.what));
		return (Datum) 0;
	}
	{
		MemoryContextCallback *callback = palloc(sizeof(*callback));

		callback->func = free_connector;
		callback->arg = connector;
		MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	}
	report_check(fcinfo->resultinfo, true, "document", NULL);
	(void) callsync_connector_check(connector, callsync_env_get("US", GetCurrentTimestamp()),
									report_check, fcinfo->resultinfo);
	return (Datum) 0;
}

typedef struct EntryTarget
{
	ReturnSetInfo *rsinfo;
	const char *object;
} EntryTarget;

static void
put_entry(void *arg, const char *field, const char *source, const char *how)
{
	EntryTarget *target = arg;
	Datum		values[4] = {CStringGetTextDatum(target->object), CStringGetTextDatum(field)};
	bool		nulls[4] = {false, false, source == NULL, how == NULL};

	if (source)
		values[2] = CStringGetTextDatum(source);
	if (how)
		values[3] = CStringGetTextDatum(how);
	tuplestore_putvalues(target->rsinfo->setResult, target->rsinfo->setDesc, values, nulls);
}

/*
 * map_entries(destination text) -> setof record (object, field, source, how)
 */
Datum
callsync_map_entries(PG_FUNCTION_ARGS)
{
	CallsyncDestination *d;
	const char *object;
	json_t	   *value;
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	MemoryContext mcxt = CurrentMemoryContext;

	InitMaterializedSRF(fcinfo, 0);
	SPI_connect();
	d = callsync_destination_load(name, mcxt);
	SPI_finish();
	if (d->connector == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("destination \"%s\" cannot be used", d->name),
				 errdetail("%s", d->config_error)));
	json_object_foreach(d->map, object, value)
	{
		EntryTarget target = {(ReturnSetInfo *) fcinfo->resultinfo, object};
		const char *error;
		const CallsyncMap *map = strcmp(object, "defaults") == 0 ? NULL
			: callsync_destination_map(d, object, &error);

		if (map != NULL)
			callsync_map_describe(map, put_entry, &target);
	}
	return (Datum) 0;
}

/*
 * connector_steps(document jsonb, override jsonb) -> text[]
 */
Datum
callsync_connector_steps(PG_FUNCTION_ARGS)
{
	CallsyncConnector *connector = parse_connector(jsonb_argument(fcinfo, 0), jsonb_argument(fcinfo, 1), NULL);
	ArrayBuildState *state = NULL;

	for (int i = 0; i < callsync_connector_step_count(connector); i++)
		state = accumArrayResult(state, CStringGetTextDatum(callsync_connector_step_at(connector, i)->name),
								 false, TEXTOID, CurrentMemoryContext);
	if (state == NULL)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(makeArrayResult(state, CurrentMemoryContext));
}

static void
put_source(void *arg, const char *path, bool optional)
{
	EntryTarget *target = arg;
	Datum		values[2] = {CStringGetTextDatum(target->object), CStringGetTextDatum(path)};
	bool		nulls[2] = {false, false};

	(void) optional;
	tuplestore_putvalues(target->rsinfo->setResult, target->rsinfo->setDesc, values, nulls);
}

/*
 * step_sources(document jsonb, override jsonb) -> setof record (step, source)
 */
Datum
callsync_step_sources(PG_FUNCTION_ARGS)
{
	CallsyncConnector *connector = parse_connector(jsonb_argument(fcinfo, 0), jsonb_argument(fcinfo, 1), NULL);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < callsync_connector_step_count(connector); i++)
	{
		const CallsyncStep *step = callsync_connector_step_at(connector, i);
		EntryTarget target = {(ReturnSetInfo *) fcinfo->resultinfo, step->name};

		callsync_step_paths(step, put_source, &target);
	}
	return (Datum) 0;
}
