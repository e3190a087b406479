/*
 * mapping_apply.h
 *		One map being applied to one call: what mapping.c (which gates a field
 *		passes), mapping_take.c (where its value comes from) and mapping_fit.c
 *		(whether the destination would take it) share; nothing for others.
 */
#ifndef CALLSYNC_CORE_MAPPING_APPLY_H
#define CALLSYNC_CORE_MAPPING_APPLY_H

#include "core/mapping_impl.h"

typedef struct MapApply
{
	const CallsyncMap *map;
	const CallsyncRenderInput *input;
	const CallsyncMapOptions *options;
	CallsyncMapResult *result;
} MapApply;

/* What a result row says about a field */
typedef struct MapGate
{
	MapApply   *a;
	const MapSpec *spec;
	const char *field;
	const char *source;
	const json_t *remote;		/* the destination's description of the field, or NULL */
} MapGate;

typedef enum MapTaken
{
	TAKEN_VALUE,
	TAKEN_NOTHING,
	TAKEN_INVALID
} MapTaken;

/* ---- mapping.c ---- */

/* The verdict gets at least this bad. */
extern void callsync_map_raise(CallsyncMapResult *result, CallsyncMapVerdict verdict);
/* One result row; a passed rule is counted and listed on demand. */
extern void callsync_map_row(MapGate *g, const char *rule, bool ok, const char *action, const char *message);
/*
 * Carries out what the map says about a value that cannot be sent as it is.
 * Returns the value to send instead (new reference) or NULL: none.
 */
extern json_t *callsync_map_act(MapGate *g, MapAction action, const char *rule, const char *message);

/* ---- mapping_take.c ---- */

/* Is it a source's way to say that it does not know? */
extern bool callsync_map_is_nothing(const CallsyncMap *map, const json_t *value);
/* The spec's filters over value (taken over); *out is a new reference. */
extern MapTaken callsync_map_run_filters(MapGate *g, json_t *value, json_t **out, char *message, size_t size);
/* The first source with a value; the lines of a text; a value with a structure of its own. */
extern MapTaken callsync_map_take_from(MapGate *g, json_t **out, char *message, size_t size);
extern MapTaken callsync_map_take_lines(MapGate *g, json_t **out, char *message, size_t size);
extern MapTaken callsync_map_take_tree(MapGate *g, json_t **out, char *message, size_t size);

/* ---- mapping_fit.c ---- */

/*
 * The value that the map's list has for this one (taken over).  *settled: the
 * list decided that *result (may be NULL) is sent.
 */
extern json_t *callsync_map_enum(MapGate *g, json_t *value, bool *settled, json_t **result);
/* Type, form, options, length.  Takes over value; returns what to send or NULL. */
extern json_t *callsync_map_fit(MapGate *g, json_t *value);

#endif
