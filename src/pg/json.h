/*
 * json.h
 *		jansson values that belong to a memory context.
 *
 * jansson keeps malloc; a value that is handed to a context is released when the
 * context is reset or deleted, so that an ERROR leaks nothing.
 */
#ifndef CALLSYNC_PG_JSON_H
#define CALLSYNC_PG_JSON_H

#include <jansson.h>

/* Hands the reference to the current memory context; returns value. NULL: out of memory, ERROR. */
extern json_t *callsync_json_keep(json_t *value);

/* A kept copy of the reference that somebody else owns. */
#define callsync_json_share(value) callsync_json_keep(json_incref(value))

/* Parses stored JSON text; a kept value. NULL text gives otherwise, kept (NULL stays NULL). */
extern json_t *callsync_json_parse(const char *text, json_t *otherwise);

/*
 * A jsonb column (any varlena that holds one), node by node and without making text of
 * it: a third of what reading its text costs. A kept value, the same that
 * callsync_json_parse() makes of the text. NULL gives otherwise, kept (NULL stays NULL).
 */
extern json_t *callsync_json_of_jsonb(const struct varlena *jsonb, json_t *otherwise);

/* palloc'ed text of a value, keys sorted */
extern char *callsync_json_text(const json_t *value);

/* "key" of an object as text, or NULL */
extern const char *callsync_json_string(const json_t *object, const char *key);

#endif
