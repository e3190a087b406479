/*
 * mapping.h
 *		From a call document to the fields of a record: declarative, typed,
 *		checked before anything is sent.
 *
 * A map is one JSON object per logical object: target field -> where it comes
 * from, how it is converted, and what happens when it is missing, unknown or too
 * long (doc/connectors.md, "Field maps").  What is unknown is left out: never
 * "N/A", "" or 0, unless the map says so.
 *
 * The verdict is per record: SEND (fields may carry review flags), HOLD (a person
 * has to look before it is sent), SKIP (nothing to send).  Every rule that did
 * not simply pass is a result row; passes are counted (and listed on demand).
 */
#ifndef CALLSYNC_CORE_MAPPING_H
#define CALLSYNC_CORE_MAPPING_H

#include <jansson.h>
#include <stdbool.h>

#include "core/docerror.h"
#include "core/template.h"

typedef struct CallsyncMap CallsyncMap;	/* one object's map, compiled, immutable */

typedef enum CallsyncMapVerdict
{
	CALLSYNC_MAP_SEND,
	CALLSYNC_MAP_REVIEW,		/* send, and show it to a person */
	CALLSYNC_MAP_HOLD,			/* do not send until a person acted */
	CALLSYNC_MAP_EMPTY			/* no field has a value */
} CallsyncMapVerdict;

typedef struct CallsyncMapResult
{
	CallsyncMapVerdict verdict;
	json_t	   *fields;			/* object: target field -> typed value; new reference */
	/*
	 * array; new reference: {"field", "source", "rule", "ok", "action", "message"};
	 * rule: required | type | max | enum | format | null | readonly | unknown_field | drift
	 * action: sent | omitted | null | default | truncated | review | hold
	 */
	json_t	   *results;
	int			passed;			/* rules that passed */
	int			failed;
} CallsyncMapResult;

typedef struct CallsyncMapOptions
{
	bool		creating;		/* the record does not exist yet ("write": "create") */
	bool		list_passes;	/* rows for passed rules too */
	/*
	 * What the destination says about the object's fields (describe merged over
	 * the connector's own), or NULL.  Shape: callsync_connector_fields().
	 */
	const json_t *fields_spec;
	bool		spec_complete;	/* fields_spec lists every field: one that is not in it does not exist */
	const json_t *blocked;		/* array of field names writes stopped for (drift), or NULL */
	/*
	 * What is stored now, for "write": "if_empty"; NULL: not known (such fields are
	 * then left alone).  A row of the mirror as JSON: its columns (phone, email ..)
	 * and under "fields" the values by target field.
	 */
	const json_t *existing;
} CallsyncMapOptions;

/*
 * doc: the whole map document {"contact": {...}, "defaults": {...}}; object: the
 * member to compile.  NULL on error.  An object without a map gives an error.
 */
extern CallsyncMap *callsync_map_parse(const json_t *doc, const char *object, CallsyncDocError *err);
extern void callsync_map_free(CallsyncMap *map);

/*
 * Checks a whole map document for publish_map: every object known to the
 * connector (B05), every entry well formed.
 */
struct CallsyncConnector;
extern bool callsync_map_check(const struct CallsyncConnector *connector, const json_t *doc, CallsyncDocError *err);

/*
 * Applies the map.  input: the context with call, key, meta, match, id; vars of the
 * connector (callsync_connector_vars()).  False only when out of memory.  Free with
 * callsync_map_result_clear().
 */
extern bool callsync_map_apply(const CallsyncMap *map, const CallsyncRenderInput *input,
							   const CallsyncMapOptions *options, CallsyncMapResult *result);
/*
 * May the value be sent to a field with this description (NULL: none)? Only its options
 * are looked at; a list is known when each of its elements is.
 */
extern bool callsync_map_option_known(const json_t *field, const json_t *value);
extern void callsync_map_result_clear(CallsyncMapResult *result);

/*
 * For map_document, map_impact and the trigger's list of mapped columns: every
 * entry with its sources.  how: one readable line ("iso8601z, required").
 */
typedef void (*CallsyncMapVisit) (void *arg, const char *field, const char *source, const char *how);
extern void callsync_map_describe(const CallsyncMap *map, CallsyncMapVisit visit, void *arg);

/* Every field that the map may write, by name and, where it has none of its own, by label (else NULL). */
extern void callsync_map_targets(const CallsyncMap *map,
								 void (*fn) (void *arg, const char *field, const char *label), void *arg);

/* Merge of a destination's map over the connector's default map; new reference. */
extern json_t *callsync_map_merge(const json_t *defaults, const json_t *map);

/*
 * Per-destination redaction of a call document before mapping: rules {"path":
 * "mask" | "remove" | "last4" | "hash"}; card numbers in any text are masked
 * always.  New reference.
 */
extern json_t *callsync_map_redact(const json_t *document, const json_t *rules, CallsyncDocError *err);

#endif
