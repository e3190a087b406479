/*
 * template.h
 *		Paths, conditions and tree templates over JSON: how a connector document
 *		says what a request looks like.
 *
 * Text of a caller never meets a parser of the other side unescaped: JSON bodies
 * are built as a jansson tree, and a URL only takes what went through an escaping
 * filter (a path piece without one gets "url" by itself).
 *
 * One context object serves templates, conditions and maps.  A path is looked up
 * in this order: the context itself, the connector's vars, the call document
 * ("call" in the context).  So "caller.phone" is the call's, "steps.contact.id" the
 * id of an earlier step, "crm" a var of the document.
 *
 * Context keys that the engine fills (all optional):
 *	 record  mapped fields of this step (callsync_map_apply)
 *	 id      id of this step's record at the destination, when known
 *	 key     idempotency key of the delivery (stable over retries and redrives)
 *	 trace   string unique within a batch: joins items with results
 *	 steps   {"contact": {"id": "..", "key": ".."}, ...} earlier steps
 *	 call    the call document
 *	 match   {"decision": "match|new|review", "contact_id": ".."}
 *	 meta    {"source", "destination", "lead_source", "trace_id", "now", ...}
 *	 find    {"phone", "email", "name", "first_name", "last_name", "postal_code"}
 *	 ids     array of record ids (batch read);  props  array of field names
 *	 cursor, since, until   changes;  object  logical object of describe/changes
 *	 items   filled by the engine itself inside a batch envelope
 *
 * Template language (doc/connectors.md is the reference):
 *	 "text {path|filter:arg|filter}"  string; "{{" is a literal brace
 *	 "{path}"                         the typed value itself, not its text
 *	 "{path?}"                        may be missing: the member is left out
 *	 "{path ?? other.path}"           the first that has a value
 *	 {"$map": "record", "$as": "string", "$list": ";", "$null": "", "$only": [..], "$except": [..], "$like": "x*", "$not_like": "x*", ...}
 *	                                  the object's members, together with siblings
 *	 {"$if": COND, ...}               left out when COND is false
 *	 {"$if": COND, "$then": T, "$else": T}
 *	 {"$each": "path", "$as": "x", "$do": T}   one element each; of an object: x.key, x.value
 *	 {"$literal": any}                as it stands;  {"$text": T}  T as JSON text
 * A member's name may hold an expression too.
 *
 * Output is the same byte for byte for the same input whatever order the keys
 * had (jsonb does not keep it): objects are written with sorted keys.
 */
#ifndef CALLSYNC_CORE_TEMPLATE_H
#define CALLSYNC_CORE_TEMPLATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/docerror.h"
#include "core/filter.h"

typedef struct CallsyncTemplate CallsyncTemplate;	/* compiled, immutable */
typedef struct CallsyncCond CallsyncCond;	/* compiled, immutable */

typedef enum CallsyncRenderMode
{
	CALLSYNC_RENDER_SEND,		/* a missing value is an error */
	/*
	 * A missing steps.X.id becomes "{{X.id}}" (an optional one only where the
	 * context has steps.X), a missing own id "{{id}}".
	 */
	CALLSYNC_RENDER_PREVIEW
} CallsyncRenderMode;

/* What a rendering reads; nothing is owned.  vars may be NULL. */
typedef struct CallsyncRenderInput
{
	const json_t *context;
	const json_t *vars;
	const CallsyncEnv *env;		/* NULL: no region, UTC, now = 0 */
	CallsyncRenderMode mode;
} CallsyncRenderInput;

/* ---- paths ---- */

/*
 * Dotted path ("caller.phone", "answers.budget", "/results/0/id" when it starts
 * with '/' or is empty: a JSON pointer; "$.caller.phone" and keys with dots as
 * ["a.b"] are taken too).  '*' as a pointer segment takes the first member that
 * leads on.  Borrowed reference; NULL if not there (JSON null is returned as
 * such).
 */
extern json_t *callsync_json_get(const json_t *root, const char *path);
/* The same with the look-up order of a context. */
extern json_t *callsync_context_get(const CallsyncRenderInput *input, const char *path);
/*
 * Calls fn for every value that a pointer with '*' segments leads to, until it
 * returns false.
 */
extern void callsync_json_each(const json_t *root, const char *pointer,
							   bool (*fn) (void *arg, json_t *value), void *arg);

/* ---- conditions ---- */

/*
 * A string "path" (there and not null, false, "", 0, [] or {}), "!path", or an object whose members must
 * all hold: {"path": scalar (equal) | [scalars] (one of) | {"exists": bool,
 * "gt"|"gte"|"lt"|"lte": number, "like": "text with * and ?", "not": scalar or list}},
 * {"any": [..]}, {"all": [..]}, {"not": C}.  NULL on error.
 */
extern CallsyncCond *callsync_cond_parse(const json_t *doc, const char *where, CallsyncDocError *err);
extern void callsync_cond_free(CallsyncCond *cond);
/* NULL condition = true */
extern bool callsync_cond_holds(const CallsyncCond *cond, const CallsyncRenderInput *input);
/* Paths that the condition (NULL: none) reads. */
extern void callsync_cond_paths(const CallsyncCond *cond, void (*fn) (void *arg, const char *path, bool optional), void *arg);

/* ---- templates ---- */

/*
 * escape: NULL, or the filter ("url", "xml", "ical") that every expression of a
 * string template gets which does not end in it (or in a filter that is safe
 * there); in a URL, values of the connector's own vars are left alone.
 */
extern CallsyncTemplate *callsync_template_parse(const json_t *doc, const char *escape, const char *where,
												 CallsyncDocError *err);
extern void callsync_template_free(CallsyncTemplate *tmpl);

/*
 * Renders to a value: new reference, the caller's; NULL on error.  A template
 * that comes out as nothing (optional value missing, $if false) gives
 * json_null() with *absent = true.  error says what is missing or refused.
 */
extern json_t *callsync_template_render(const CallsyncTemplate *tmpl, const CallsyncRenderInput *input,
										bool *absent, CallsyncDocError *err);
/* Renders a string template to malloc'ed text; NULL on error or when absent (then err->what is ""). */
extern char *callsync_template_render_text(const CallsyncTemplate *tmpl, const CallsyncRenderInput *input,
										   CallsyncDocError *err);
/* Paths that the template reads, for checks; fn is called once per occurrence. */
extern void callsync_template_paths(const CallsyncTemplate *tmpl,
									void (*fn) (void *arg, const char *path, bool optional), void *arg);

/* Canonical bytes of a value: sorted keys, no spaces, UTF-8; malloc'ed, *len without the NUL. */
extern char *callsync_json_dump(const json_t *value, size_t *len);

#endif
