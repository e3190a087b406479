/*
 * template_impl.h
 *		What the files template*.c and mapping*.c share; nothing for others.
 */
#ifndef CALLSYNC_CORE_TEMPLATE_IMPL_H
#define CALLSYNC_CORE_TEMPLATE_IMPL_H

#include "core/filter_impl.h"
#include "core/template.h"

/* ---- a growing text buffer; malloc, freed by its user ---- */

typedef struct TextBuf
{
	char	   *data;			/* NUL-terminated once anything was put in */
	size_t		len;
	size_t		size;
	bool		failed;			/* out of memory */
} TextBuf;

extern void callsync_text_put(TextBuf *buf, const char *s, size_t len);
extern void callsync_text_puts(TextBuf *buf, const char *s);
extern void callsync_text_free(TextBuf *buf);

/* ---- compiled paths ---- */

typedef struct PathSeg
{
	char	   *key;
	int			index;			/* >= 0: also an array index */
	bool		any;			/* '*' */
} PathSeg;

typedef struct CallsyncPath
{
	char	   *text;
	int			n;
	PathSeg    *segs;
} CallsyncPath;

extern CallsyncPath *callsync_path_parse(const char *text, size_t len);
extern void callsync_path_free(CallsyncPath *path);
/* From segment `from` on */
extern json_t *callsync_path_get(const CallsyncPath *path, int from, const json_t *root);

/* Names bound by $each, innermost first */
typedef struct Scope
{
	const char *name;
	json_t	   *value;			/* borrowed */
	const struct Scope *up;
} Scope;

typedef enum PathOrigin
{
	PATH_NOWHERE,
	PATH_DATA,					/* the context, the call: not to be trusted */
	PATH_VARS					/* the connector document itself */
} PathOrigin;

extern json_t *callsync_path_resolve(const CallsyncPath *path, const CallsyncRenderInput *input,
									 const Scope *scope, PathOrigin *origin);

/* ---- expressions: path ?? path | filter | filter:arg ---- */

#define EXPR_MAX_FILTERS 8
#define EXPR_MAX_PATHS 6

typedef struct Expr
{
	int			npaths;
	CallsyncPath *paths[EXPR_MAX_PATHS];
	int			nfilters;
	CallsyncFilterCall filters[EXPR_MAX_FILTERS];	/* args are malloc'ed */
	CallsyncPath *arg_paths[EXPR_MAX_FILTERS];	/* of filters whose argument is a path */
	bool		optional;
	bool		null_filter;	/* a filter wants to see a missing value */
} Expr;

/* text without the braces; false + err */
extern bool callsync_expr_parse(const char *text, size_t len, Expr *expr, const char *where, CallsyncDocError *err);
extern void callsync_expr_clear(Expr *expr);
/* One filter word ("truncate:20") into call; false + err */
extern bool callsync_filter_parse(const char *word, size_t len, CallsyncFilterCall *call,
								  const char *where, CallsyncDocError *err);

typedef enum ExprResult
{
	EXPR_VALUE,					/* *value is a new reference */
	EXPR_MISSING,				/* no value (or null) */
	EXPR_PLACEHOLDER,			/* preview: *value is the "{{step.id}}" text */
	EXPR_REFUSED				/* a filter said no; see err */
} ExprResult;

extern ExprResult callsync_expr_eval(const Expr *expr, const CallsyncRenderInput *input, const Scope *scope,
									 json_t **value, PathOrigin *origin, CallsyncDocError *err);

/*
 * Runs filters over value (borrowed).  New reference; NULL with *refused = NULL:
 * the result is no value; NULL with *refused set: why not.
 */
extern json_t *callsync_filters_run(const CallsyncFilterCall *filters, int nfilters, const CallsyncEnv *env,
									const json_t *value, const char **refused);

/* A scalar's text into buf, true/false, numbers as short as they go; false for null, arrays, objects. */
extern bool callsync_scalar_text(const json_t *value, TextBuf *buf);

/* there, and not null, false, "", 0, [] or {} */
extern bool callsync_json_truthy(const json_t *value);

/* Does the text match a pattern with '*' and '?', without case? */
extern bool callsync_like(const char *s, const char *pattern);

/* Condition with $each names in reach */
extern bool callsync_cond_holds_in(const CallsyncCond *cond, const CallsyncRenderInput *input, const Scope *scope);

/* "where/key", cut to fit */
extern void callsync_where(char *out, size_t size, const char *where, const char *key);

#endif
