/*
 * destination.c
 *		The destinations of this database, with their connectors parsed.
 *
 * Everything of one generation of a destination lives in one memory context;
 * jansson's and the connector's malloc'ed parts hang on it by a reset callback,
 * so that an ERROR half-way frees them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/spi.h"
#include "pg/zones.h"
#include "store/destination.h"

#define MAX_MAPS 16

typedef struct CompiledMap
{
	char		object[64];
	CallsyncMap *map;
	CallsyncDocError error;
} CompiledMap;

/* what one generation owns */
struct CallsyncDestinationImpl
{
	MemoryContext mcxt;
	json_t	   *options;
	CallsyncConnector *connector;
	json_t	   *map;
	json_t	   *routes;
	json_t	   *schema;
	CallsyncSchedule schedule;
	json_t	   *blocked;
	int			nmaps;
	CompiledMap maps[MAX_MAPS];
	MemoryContextCallback callback;
};

struct CallsyncDestinations
{
	MemoryContext mcxt;
	int			count;
	int			max;
	CallsyncDestination **list;
};

static CallsyncStmt stmt_generations = {
	.sql = "SELECT d.name, d.generation FROM callsync.destination d ORDER BY d.id",
	.returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_load = {
	.sql = "SELECT d.id, d.connector, d.generation, d.paused, d.paused_reason, d.options::text, c.document::text, "
	"m.version, m.map::text, "
	"(SELECT pg_catalog.jsonb_object_agg(r.call_type, r.steps)::text FROM callsync.route r WHERE r.destination OPERATOR(pg_catalog.=) d.name), "
	"(SELECT pg_catalog.jsonb_object_agg(o.object, o.fields)::text FROM (SELECT f.object, pg_catalog.jsonb_object_agg(f.field, f.definition) AS fields "
	"  FROM callsync.schema_field f WHERE f.destination OPERATOR(pg_catalog.=) d.name GROUP BY f.object) o), "
	"(SELECT pg_catalog.jsonb_object_agg(o.object, o.fields)::text FROM (SELECT e.object, pg_catalog.jsonb_agg(DISTINCT e.field) AS fields "
	"  FROM callsync.schema_drift_event e WHERE e.destination OPERATOR(pg_catalog.=) d.name AND e.resolved_at IS NULL "
	"  AND e.change OPERATOR(pg_catalog.=) ANY (ARRAY['removed', 'renamed', 'retyped', 'readonly', 'refused']) GROUP BY e.object) o) "
	"FROM callsync.destination d JOIN callsync.connector c ON c.name OPERATOR(pg_catalog.=) d.connector "
	"LEFT JOIN LATERAL (SELECT v.version, v.map FROM callsync.map_version v WHERE v.destination OPERATOR(pg_catalog.=) d.name "
	"  ORDER BY v.version DESC LIMIT 1) m ON true "
	"WHERE d.name OPERATOR(pg_catalog.=) $1",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
};

static void
free_impl(void *arg)
{
	struct CallsyncDestinationImpl *impl = arg;

	for (int i = 0; i < impl->nmaps; i++)
		callsync_map_free(impl->maps[i].map);
	callsync_connector_free(impl->connector);
	callsync_schedule_clear(&impl->schedule);
	json_decref(impl->options);
	json_decref(impl->map);
	json_decref(impl->routes);
	json_decref(impl->schema);
	json_decref(impl->blocked);
}

static struct CallsyncDestinationImpl *
new_impl(MemoryContext parent)
{
	MemoryContext mcxt = AllocSetContextCreate(parent, "callsync destination", ALLOCSET_SMALL_SIZES);
	struct CallsyncDestinationImpl *impl = MemoryContextAllocZero(mcxt, sizeof(*impl));

	impl->mcxt = mcxt;
	impl->callback.func = free_impl;
	impl->callback.arg = impl;
	MemoryContextRegisterResetCallback(mcxt, &impl->callback);
	return impl;
}

/* a jsonb column of the current row; otherwise where it is NULL */
static json_t *
row_json(uint64 row, int column, json_t *otherwise)
{
	char	   *text = callsync_row_text(row, column, CurrentMemoryContext);
	json_t	   *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

	if (value == NULL)
		return otherwise;
	json_decref(otherwise);
	return value;
}

static const char *
option(const CallsyncDestination *d, const char *key, const char *otherwise)
{
	const char *value = json_string_value(json_object_get(d->options, key));

	return value ? value : otherwise;
}

static CallsyncVerify
verify_level(const char *word, CallsyncConfirmation best)
{
	CallsyncVerify most = best == CALLSYNC_CONFIRM_READ_BACK ? CALLSYNC_VERIFY_READ_BACK :
		best == CALLSYNC_CONFIRM_RESPONSE ? CALLSYNC_VERIFY_RESPONSE : CALLSYNC_VERIFY_TRANSPORT;
	CallsyncVerify wanted = most;

	if (word && strcmp(word, "response") == 0)
		wanted = CALLSYNC_VERIFY_RESPONSE;
	else if (word && strcmp(word, "transport") == 0)
		wanted = CALLSYNC_VERIFY_TRANSPORT;
	return Max(wanted, most);
}

static void
read_options(CallsyncDestination *d)
{
	MemoryContext mcxt = d->impl->mcxt;
	const char *lookup = option(d, "lookup", "mirror");
	const char *region = option(d, "region", NULL);
	CallsyncDocError error = {0};

	d->dry_run = json_is_true(json_object_get(d->options, "dry_run"));
	d->region = region ? MemoryContextStrdup(mcxt, region) : NULL;
	d->lead_source = MemoryContextStrdup(mcxt, option(d, "lead_source", "AI receptionist"));
	d->hold_ambiguous = strcmp(option(d, "on_ambiguous", "write"), "hold") == 0;
	d->lookup = strcmp(lookup, "remote") == 0 ? CALLSYNC_LOOKUP_REMOTE :
		strcmp(lookup, "mirror_then_remote") == 0 ? CALLSYNC_LOOKUP_MIRROR_THEN_REMOTE :
		CALLSYNC_LOOKUP_MIRROR;

	/*
	 * Checked when it was set. A time zone can be gone after an upgrade of the
	 * server: then calls go at once rather than never.
	 */
	if (!callsync_schedule_parse(d->options, callsync_zones(), &d->impl->schedule, &error))
		ereport(WARNING,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("schedule of destination \"%s\" is not used", d->name),
				 errdetail("%s: %s", error.path, error.what),
				 errhint("Correct it with callsync.alter_destination(); calls go at once meanwhile.")));
	d->schedule = &d->impl->schedule;
}

/* fills d from row 0 of stmt_load; what it had before is freed */
static void
fill(CallsyncDestination *d, MemoryContext parent)
{
	struct CallsyncDestinationImpl *old = d->impl;
	struct CallsyncDestinationImpl *impl = new_impl(parent);
	CallsyncDocError error = {0};
	json_t	   *document;

	d->impl = impl;
	d->id = callsync_row_int32(0, 1, 0);
	d->connector_name = callsync_row_text(0, 2, impl->mcxt);
	d->generation = callsync_row_int32(0, 3, 0);
	d->paused = callsync_row_bool(0, 4, false);
	d->paused_reason = callsync_row_text(0, 5, impl->mcxt);
	impl->options = row_json(0, 6, callsync_json_object());
	d->options = impl->options;
	d->map_version = callsync_row_int32(0, 8, 0);
	impl->routes = row_json(0, 10, callsync_json_object());
	impl->schema = row_json(0, 11, callsync_json_object());
	d->routes = impl->routes;
	d->schema = impl->schema;
	impl->blocked = row_json(0, 12, callsync_json_object());
	d->blocked = impl->blocked;
	d->dropped = false;
	d->config_error = NULL;
	read_options(d);

	document = row_json(0, 7, callsync_json_object());
	impl->connector = callsync_connector_parse(document,
											   json_object_get(d->options, "override"),
											   option(d, "base_url", NULL), &error);
	json_decref(document);
	d->connector = impl->connector;
	if (impl->connector == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(impl->mcxt);

		d->config_error = psprintf("connector \"%s\": %s: %s", d->connector_name, error.path, error.what);
		MemoryContextSwitchTo(before);
		d->map = NULL;
		d->verify = CALLSYNC_VERIFY_TRANSPORT;
	}
	else
	{
		json_t	   *published = row_json(0, 9, NULL);

		impl->map = callsync_map_merge(callsync_connector_mapping(impl->connector), published);
		json_decref(published);
		d->map = impl->map;
		d->verify = verify_level(option(d, "verify", NULL),
								 callsync_connector_confirmation(impl->connector));
	}
	if (old != NULL)
		MemoryContextDelete(old->mcxt);
}

CallsyncDestinations *
callsync_destinations_create(MemoryContext mcxt)
{
	CallsyncDestinations *ds = MemoryContextAllocZero(mcxt, sizeof(*ds));

	ds->mcxt = mcxt;
	return ds;
}

static CallsyncDestination *
add_destination(CallsyncDestinations *ds, const char *name)
{
	CallsyncDestination *d = MemoryContextAllocZero(ds->mcxt, sizeof(*d));

	d->name = MemoryContextStrdup(ds->mcxt, name);
	if (ds->count == ds->max)
	{
		ds->max = ds->max == 0 ? 8 : ds->max * 2;
		ds->list = ds->list == NULL
			? MemoryContextAlloc(ds->mcxt, sizeof(CallsyncDestination *) * ds->max)
			: repalloc(ds->list, sizeof(CallsyncDestination *) * ds->max);
	}
	ds->list[ds->count++] = d;
	return d;
}

bool
callsync_destinations_refresh(CallsyncDestinations *ds)
{
	uint64		rows = callsync_stmt_run(&stmt_generations, NULL, NULL, true, 0);
	char	  **names = palloc(sizeof(char *) * Max(rows, 1));
	int		   *generations = palloc(sizeof(int) * Max(rows, 1));
	bool		changed = false;

	for (uint64 i = 0; i < rows; i++)
	{
		names[i] = callsync_row_text(i, 1, CurrentMemoryContext);
		generations[i] = callsync_row_int32(i, 2, 0);
	}
	for (int i = 0; i < ds->count; i++)
	{
		bool		there = false;

		for (uint64 j = 0; j < rows && !there; j++)
			there = strcmp(ds->list[i]->name, names[j]) == 0;
		if (!there && !ds->list[i]->dropped)
		{
			ds->list[i]->dropped = true;
			changed = true;
		}
	}
	for (uint64 i = 0; i < rows; i++)
	{
		CallsyncDestination *d = NULL;
		Datum		value = CStringGetTextDatum(names[i]);

		for (int j = 0; j < ds->count && d == NULL; j++)
			if (strcmp(ds->list[j]->name, names[i]) == 0)
				d = ds->list[j];
		if (d != NULL && !d->dropped && d->generation == generations[i])
			continue;
		if (callsync_stmt_run(&stmt_load, &value, NULL, true, 0) != 1)
			continue;			/* dropped meanwhile */
		if (d == NULL)
			d = add_destination(ds, names[i]);
		fill(d, ds->mcxt);
		changed = true;
	}
	return changed;
}

int
callsync_destinations_count(const CallsyncDestinations *ds)
{
	return ds->count;
}

CallsyncDestination *
callsync_destinations_at(const CallsyncDestinations *ds, int n)
{
	return ds->list[n];
}

CallsyncDestination *
callsync_destination_find(const CallsyncDestinations *ds, const char *name)
{
	for (int i = 0; i < ds->count; i++)
		if (!ds->list[i]->dropped && strcmp(ds->list[i]->name, name) == 0)
			return ds->list[i];
	return NULL;
}

const CallsyncMap *
callsync_destination_map(CallsyncDestination *d, const char *object, const char **error)
{
	struct CallsyncDestinationImpl *impl = d->impl;
	CompiledMap *entry;

	*error = NULL;
	for (int i = 0; i < impl->nmaps; i++)
		if (strcmp(impl->maps[i].object, object) == 0)
		{
			if (impl->maps[i].map == NULL)
				*error = impl->maps[i].error.what;
			return impl->maps[i].map;
		}
	if (d->map == NULL || json_object_get(d->map, object) == NULL)
		return NULL;
	if (impl->nmaps == MAX_MAPS || strlen(object) >= sizeof(entry->object))
	{
		*error = "too many objects in one map";
		return NULL;
	}
	entry = &impl->maps[impl->nmaps++];
	strlcpy(entry->object, object, sizeof(entry->object));
	entry->map = callsync_map_parse(d->map, object, &entry->error);
	if (entry->map == NULL)
		*error = entry->error.what;
	return entry->map;
}

CallsyncDestination *
callsync_destination_load(const char *name, MemoryContext mcxt)
{
	CallsyncDestination *d = MemoryContextAllocZero(mcxt, sizeof(*d));
	Datum		value = CStringGetTextDatum(name);

	if (callsync_stmt_run(&stmt_load, &value, NULL, true, 0) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("destination \"%s\" does not exist", name),
				 errhint("Destinations are listed in callsync.destination_status.")));
	d->name = MemoryContextStrdup(mcxt, name);
	fill(d, mcxt);
	return d;
}
