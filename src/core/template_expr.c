/*
 * template_expr.c
 *		Expressions ("path ?? path | filter:arg") and filters over JSON values.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/template_impl.h"

static char *
copy_text(const char *s, size_t len)
{
	char	   *copy = malloc(len + 1);

	if (copy != NULL)
	{
		memcpy(copy, s, len);
		copy[len] = '\0';
	}
	return copy;
}

static void
trim(const char **s, size_t *len)
{
	while (*len > 0 && **s == ' ')
		(*s)++, (*len)--;
	while (*len > 0 && (*s)[*len - 1] == ' ')
		(*len)--;
}

bool
callsync_filter_parse(const char *word, size_t len, CallsyncFilterCall *call, const char *where,
					  CallsyncDocError *err)
{
	const char *wanted;
	const char *colon;

	call->arg = NULL;
	/* the whole word first: names such as hh:mm hold the separator */
	call->filter = callsync_filter_find(word, len);
	if (call->filter == NULL && (colon = memchr(word, ':', len)) != NULL)
	{
		call->filter = callsync_filter_find(word, (size_t) (colon - word));
		if (call->filter != NULL)
		{
			call->arg = copy_text(colon + 1, len - (size_t) (colon + 1 - word));
			if (call->arg == NULL)
				return callsync_doc_error(err, where, NULL, "Out of memory.");
		}
	}
	if (call->filter == NULL)
	{
		char		hint[sizeof(((CallsyncDocError *) 0)->hint)];
		size_t		used = (size_t) snprintf(hint, sizeof(hint), "Filters are ");

		for (int i = 0; callsync_filter_name(i) != NULL && used < sizeof(hint) - 40; i++)
			used += (size_t) snprintf(hint + used, sizeof(hint) - used, "%s%s", i ? ", " : "", callsync_filter_name(i));
		snprintf(hint + used, sizeof(hint) - used, ".");
		return callsync_doc_error(err, where, hint, "Filter \"%.*s\" does not exist.", (int) (len < 60 ? len : 60), word);
	}
	if (!callsync_filter_check_arg(call->filter, call->arg, &wanted))
	{
		callsync_doc_error(err, where, NULL, "Filter \"%s\" takes %s.", call->filter->name, wanted);
		free((char *) call->arg);
		call->arg = NULL;
		return false;
	}
	return true;
}

void
callsync_expr_clear(Expr *expr)
{
	for (int i = 0; i < expr->npaths; i++)
		callsync_path_free(expr->paths[i]);
	for (int i = 0; i < expr->nfilters; i++)
	{
		free((char *) expr->filters[i].arg);
		callsync_path_free(expr->arg_paths[i]);
	}
	memset(expr, 0, sizeof(*expr));
}

bool
callsync_expr_parse(const char *text, size_t len, Expr *expr, const char *where, CallsyncDocError *err)
{
	const char *end = text + len;
	const char *bar = memchr(text, '|', len);
	const char *paths_end = bar ? bar : end;
	const char *p = text;

	memset(expr, 0, sizeof(*expr));
	while (p <= paths_end)
	{
		const char *next = p;
		const char *s = p;
		size_t		n;

		while (next < paths_end && !(next[0] == '?' && next + 1 < paths_end && next[1] == '?'))
			next++;
		n = (size_t) (next - p);
		trim(&s, &n);
		if (n > 0 && s[n - 1] == '?' && next == paths_end)
		{
			expr->optional = true;
			n--;
			trim(&s, &n);
		}
		if (expr->npaths == EXPR_MAX_PATHS || n == 0 ||
			(expr->paths[expr->npaths] = callsync_path_parse(s, n)) == NULL)
		{
			callsync_expr_clear(expr);
			return callsync_doc_error(err, where, "A path looks like caller.phone, fields.x or answers[\"How many?\"].",
									  "\"%.*s\" is not a path.", (int) (n < 60 ? n : 60), s);
		}
		expr->npaths++;
		p = next + 2;
	}
	for (p = bar; p != NULL && p < end;)
	{
		const char *word = p + 1;
		const char *next = memchr(word, '|', (size_t) (end - word));
		size_t		n = (size_t) ((next ? next : end) - word);

		/* blanks around the name, but not inside an argument ("join:, ") */
		while (n > 0 && *word == ' ')
			word++, n--;
		if (memchr(word, ':', n) == NULL || callsync_filter_find(word, n) != NULL)
			while (n > 0 && word[n - 1] == ' ')
				n--;
		if (expr->nfilters == EXPR_MAX_FILTERS)
		{
			callsync_expr_clear(expr);
			return callsync_doc_error(err, where, NULL, "There are more than %d filters.", EXPR_MAX_FILTERS);
		}
		if (!callsync_filter_parse(word, n, &expr->filters[expr->nfilters], where, err))
		{
			callsync_expr_clear(expr);
			return false;
		}
		if (expr->filters[expr->nfilters].filter->null_too)
			expr->null_filter = true;
		expr->nfilters++;
		if (callsync_filter_takes_path(expr->filters[expr->nfilters - 1].filter))
		{
			const char *arg = expr->filters[expr->nfilters - 1].arg;

			expr->arg_paths[expr->nfilters - 1] = callsync_path_parse(arg, strlen(arg));
			if (expr->arg_paths[expr->nfilters - 1] == NULL)
			{
				callsync_doc_error(err, where, NULL, "\"%.60s\" is not a path.", arg);
				callsync_expr_clear(expr);
				return false;
			}
		}
		p = next;
	}
	return true;
}

/* ---- filters over JSON ---- */

static void
to_value(const json_t *json, CallsyncValue *value)
{
	memset(value, 0, sizeof(*value));
	switch (json == NULL ? JSON_NULL : json_typeof(json))
	{
		case JSON_STRING:
			value->kind = CALLSYNC_VALUE_TEXT;
			value->s = json_string_value(json);
			value->len = json_string_length(json);
			break;
		case JSON_INTEGER:
			value->kind = CALLSYNC_VALUE_INT;
			value->i = json_integer_value(json);
			break;
		case JSON_REAL:
			value->kind = CALLSYNC_VALUE_REAL;
			value->r = json_real_value(json);
			break;
		case JSON_TRUE:
		case JSON_FALSE:
			value->kind = CALLSYNC_VALUE_BOOL;
			value->b = json_is_true(json);
			break;
		default:
			value->kind = CALLSYNC_VALUE_NULL;
	}
}

static json_t *
from_value(const CallsyncValue *value)
{
	switch (value->kind)
	{
		case CALLSYNC_VALUE_TEXT:
			return json_stringn(value->s, value->len);
		case CALLSYNC_VALUE_INT:
			return json_integer(value->i);
		case CALLSYNC_VALUE_REAL:
			return json_real(value->r);
		case CALLSYNC_VALUE_BOOL:
			return json_boolean(value->b);
		default:
			return NULL;
	}
}

static json_t *
scalar_filter(const CallsyncFilterCall *call, const CallsyncEnv *env, const json_t *json, const char **refused)
{
	char		stack[1024];
	char	   *buf = stack;
	size_t		size = sizeof(stack);
	size_t		need;
	CallsyncValue in;
	CallsyncValue out;
	json_t	   *result;

	to_value(json, &in);
	if (!callsync_filter_apply(call, env, &in, &out, buf, size, &need, refused))
	{
		if (*refused != NULL)
			return NULL;
		size = need;
		buf = malloc(size);
		if (buf == NULL || !callsync_filter_apply(call, env, &in, &out, buf, size, &need, refused))
		{
			if (*refused == NULL)
				*refused = "does not fit into memory";
			free(buf);
			return NULL;
		}
	}
	result = from_value(&out);
	if (result == NULL && out.kind != CALLSYNC_VALUE_NULL)
		*refused = "is not valid UTF-8";
	if (buf != stack)
		free(buf);
	return result;
}

static void
put_any(TextBuf *buf, const json_t *value)
{
	char	   *dump;

	if (callsync_scalar_text(value, buf) || value == NULL || json_is_null(value))
		return;
	dump = callsync_json_dump(value, NULL);
	if (dump != NULL)
		callsync_text_puts(buf, dump);
	free(dump);
}

static int
cmp_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Members in the order of their names: jsonb does not keep another one. */
static const char **
sorted_keys(const json_t *object, size_t *n)
{
	const char **keys = malloc(sizeof(char *) * (json_object_size(object) + 1));
	const char *key;
	json_t	   *member;

	*n = 0;
	if (keys == NULL)
		return NULL;
	json_object_foreach((json_t *) object, key, member)
	{
		keys[(*n)++] = key;
	}
	qsort(keys, *n, sizeof(char *), cmp_keys);
	return keys;
}

/* join, qa, count, first, json: what needs to see arrays and objects */
static json_t *
structural_filter(const CallsyncFilterCall *call, const json_t *value, const char **refused)
{
	const char *name = call->filter->name;
	TextBuf		buf = {0};
	json_t	   *result;
	const char *sep;

	if (strcmp(name, "count") == 0)
		return json_integer((json_int_t) (json_is_array(value) ? json_array_size(value) :
										  json_is_object(value) ? json_object_size(value) : 1));
	if (strcmp(name, "first") == 0)
	{
		if (!json_is_array(value))
			return json_incref((json_t *) value);
		return json_incref(json_array_get(value, 0));	/* NULL-safe */
	}
	if (strcmp(name, "json") == 0)
	{
		char	   *dump = callsync_json_dump(value, NULL);

		result = dump ? json_string(dump) : NULL;
		free(dump);
		if (result == NULL)
			*refused = "cannot be written as JSON";
		return result;
	}
	/* join:SEP and qa:SEP */
	sep = call->arg != NULL ? call->arg : (strcmp(name, "qa") == 0 ? "\n" : ", ");
	if (json_is_array(value))
	{
		for (size_t i = 0; i < json_array_size(value); i++)
		{
			if (json_is_null(json_array_get(value, i)))
				continue;
			if (buf.len > 0)
				callsync_text_puts(&buf, sep);
			put_any(&buf, json_array_get(value, i));
		}
	}
	else if (json_is_object(value))
	{
		size_t		n;
		const char **keys = sorted_keys(value, &n);

		for (size_t i = 0; keys != NULL && i < n; i++)
		{
			const json_t *member = json_object_get(value, keys[i]);

			if (json_is_null(member))
				continue;
			if (buf.len > 0)
				callsync_text_puts(&buf, sep);
			if (strcmp(name, "qa") == 0)
			{
				size_t		len = strlen(keys[i]);

				callsync_text_puts(&buf, keys[i]);
				callsync_text_puts(&buf, len > 0 && keys[i][len - 1] == '?' ? " " : ": ");
			}
			put_any(&buf, member);
		}
		free(keys);
	}
	else
		put_any(&buf, value);
	if (buf.failed)
		*refused = "does not fit into memory";
	result = buf.len > 0 && !buf.failed ? json_stringn(buf.data, buf.len) : NULL;
	callsync_text_free(&buf);
	return result;
}

static json_t *
one_filter(const CallsyncFilterCall *call, const CallsyncEnv *env, const json_t *value, const char **refused)
{
	if (callsync_filter_is_structural(call->filter))
		return value == NULL || json_is_null(value) ? NULL : structural_filter(call, value, refused);
	if (json_is_array(value))
	{
		json_t	   *list = json_array();

		for (size_t i = 0; list != NULL && i < json_array_size(value); i++)
		{
			json_t	   *item = one_filter(call, env, json_array_get(value, i), refused);

			if (*refused != NULL)
			{
				json_decref(list);
				return NULL;
			}
			if (item != NULL)
				json_array_append_new(list, item);
		}
		return list;
	}
	if (json_is_object(value))
	{
		*refused = "is an object where a single value is needed";
		return NULL;
	}
	return scalar_filter(call, env, value, refused);
}

json_t *
callsync_filters_run(const CallsyncFilterCall *filters, int nfilters, const CallsyncEnv *env,
					 const json_t *value, const char **refused)
{
	json_t	   *at = value != NULL && !json_is_null(value) ? json_incref((json_t *) value) : NULL;

	*refused = NULL;
	for (int i = 0; i < nfilters; i++)
	{
		json_t	   *next = one_filter(&filters[i], env, at, refused);

		json_decref(at);
		at = next;
		if (*refused != NULL)
			return NULL;
	}
	return at;
}

/* steps.X.id or the own id: what preview shows as {{X.id}} */
static json_t *
placeholder(const CallsyncPath *path)
{
	char		text[200];

	if (path->n == 3 && strcmp(path->segs[0].key, "steps") == 0 && strcmp(path->segs[2].key, "id") == 0)
		snprintf(text, sizeof(text), "{{%s.id}}", path->segs[1].key);
	else if (path->n == 1 && strcmp(path->segs[0].key, "id") == 0)
		snprintf(text, sizeof(text), "{{id}}");
	else
		return NULL;
	return json_string(text);
}

/* Does the context name the step, though without an id? */
static bool
step_is_planned(const CallsyncPath *path, const CallsyncRenderInput *input)
{
	return path->n == 3 && strcmp(path->segs[0].key, "steps") == 0 &&
		json_object_get(json_object_get(input->context, "steps"), path->segs[1].key) != NULL;
}

/*
 * The filters with the values that their arguments name in place of the names;
 * false: one of them has no value.  texts owns what was put in.
 */
static bool
resolve_arguments(const Expr *expr, const CallsyncRenderInput *input, const Scope *scope,
				  CallsyncFilterCall *calls, TextBuf *texts)
{
	memcpy(calls, expr->filters, sizeof(CallsyncFilterCall) * (size_t) expr->nfilters);
	for (int i = 0; i < expr->nfilters; i++)
	{
		PathOrigin	origin;

		if (expr->arg_paths[i] == NULL)
			continue;
		if (!callsync_scalar_text(callsync_path_resolve(expr->arg_paths[i], input, scope, &origin), &texts[i]) ||
			texts[i].len == 0)
			return false;
		calls[i].arg = texts[i].data;
	}
	return true;
}

ExprResult
callsync_expr_eval(const Expr *expr, const CallsyncRenderInput *input, const Scope *scope,
				   json_t **value, PathOrigin *origin, CallsyncDocError *err)
{
	json_t	   *found = NULL;
	const char *refused = NULL;
	CallsyncFilterCall calls[EXPR_MAX_FILTERS];
	TextBuf		texts[EXPR_MAX_FILTERS] = {0};

	*value = NULL;
	*origin = PATH_NOWHERE;
	for (int i = 0; i < expr->npaths; i++)
	{
		found = callsync_path_resolve(expr->paths[i], input, scope, origin);
		if (found != NULL && !json_is_null(found))
			break;
		found = NULL;
	}
	if (found == NULL && !expr->null_filter)
	{
		/* an optional id is only shown as missing where its step is going to run */
		if (input->mode == CALLSYNC_RENDER_PREVIEW &&
			(!expr->optional || step_is_planned(expr->paths[0], input)) &&
			(*value = placeholder(expr->paths[0])) != NULL)
			return EXPR_PLACEHOLDER;
		return EXPR_MISSING;
	}
	if (expr->nfilters == 0)
	{
		*value = json_incref(found);
		return EXPR_VALUE;
	}
	if (resolve_arguments(expr, input, scope, calls, texts))
		*value = callsync_filters_run(calls, expr->nfilters, input->env, found, &refused);
	for (int i = 0; i < expr->nfilters; i++)
		callsync_text_free(&texts[i]);
	if (*value == NULL && refused != NULL)
	{
		callsync_doc_error(err, expr->paths[0]->text, NULL, "The value of \"%s\" %s.", expr->paths[0]->text, refused);
		return EXPR_REFUSED;
	}
	return *value != NULL ? EXPR_VALUE : EXPR_MISSING;
}
