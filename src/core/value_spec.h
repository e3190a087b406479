/*
 * value_spec.h
 *		Where a value is found in a webhook, and what has to be done to it: the small
 *		language of presets.
 *
 *	 "/call/from_number"			JSON pointer into the body; a step * takes every member
 *									or item (the result is a list)
 *	 "header:webhook-id"			a header
 *	 [SPEC, SPEC ...]				the first that has a value (null and "" are none)
 *	 {"const": VALUE}
 *	 {"from": SPEC, ...}			then, in this order:
 *		"member": "value"			each member of the object replaced by that member of it
 *		"merge": true				a list of objects made one object
 *		"join": {"text": "{role}: {message}", "separator": "\n"}	a list of objects made a text
 *		"map": {"glob*": VALUE}, "else": VALUE		looked up as text; else null: no value,
 *									without else the value stays as it is
 *		"as": time | number | text | lower | object (nothing unless it is an object) |
 *			first (of a list)
 *		"unit": ms | min			numbers of that unit into seconds
 *	 {"switch": SPEC, "cases": {"glob*": SPEC}, "else": SPEC}
 */
#ifndef CALLSYNC_CORE_VALUE_SPEC_H
#define CALLSYNC_CORE_VALUE_SPEC_H

#include <jansson.h>
#include <stdbool.h>

#include "core/docerror.h"

typedef struct CallsyncSpecInput
{
	const json_t *body;
	const json_t *headers;		/* core/header_set.h; may be NULL */
} CallsyncSpecInput;

/* Is the spec well formed? path: where it stands in its document. */
extern bool callsync_spec_check(const json_t *spec, const char *path, CallsyncDocError *err);

/* The value, a new reference; NULL: there is none. */
extern json_t *callsync_spec_value(const json_t *spec, const CallsyncSpecInput *input);

/*
 * The case of a switch (borrowed): cases by glob, else "else"; NULL: none. Used
 * where cases are not specs themselves.
 */
extern const json_t *callsync_spec_case(const json_t *cases, const json_t *otherwise, const json_t *value);

/* '*' stands for any text. */
extern bool callsync_glob_match(const char *glob, const char *text);

#endif
