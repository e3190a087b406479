/*
 * template_render.c
 *		A compiled template and a context become a jansson tree or a text.
 *
 * What goes into a URL, XML or a calendar line is escaped here unless the
 * expression ends in a filter that did it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/template_tree.h"

typedef struct Render
{
	const CallsyncRenderInput *input;
	CallsyncDocError *err;
	bool		failed;
} Render;

static json_t *
fail(Render *r, const char *where, const char *fmt, const char *what)
{
	if (!r->failed)
		callsync_doc_error(r->err, where, NULL, fmt, what);
	r->failed = true;
	return NULL;
}

/* Evaluates an expression of template t; NULL = missing (optional) or failed. */
static json_t *
eval(Render *r, const CallsyncTemplate *t, const Expr *expr, const Scope *scope, PathOrigin *origin, bool *is_placeholder)
{
	json_t	   *value;
	CallsyncDocError err;

	*is_placeholder = false;
	switch (callsync_expr_eval(expr, r->input, scope, &value, origin, &err))
	{
		case EXPR_VALUE:
			return value;
		case EXPR_PLACEHOLDER:
			*is_placeholder = true;
			return value;
		case EXPR_MISSING:
			if (!expr->optional)
				fail(r, t->where, "\"%.100s\" has no value.", expr->paths[0]->text);
			return NULL;
		case EXPR_REFUSED:
			return fail(r, t->where, "%.300s", err.what);
	}
	return NULL;
}

static bool
put_escaped(const CallsyncFilter *escape, const char *s, size_t len, TextBuf *out)
{
	CallsyncFilterCall call = {escape, NULL};
	CallsyncValue in = {.kind = CALLSYNC_VALUE_TEXT, .s = s, .len = len};
	CallsyncValue value;
	size_t		need;
	const char *error;
	size_t		room = len * 6 + 1; /* &quot; is the longest */
	char	   *buf = malloc(room);
	bool		ok = buf != NULL && callsync_filter_apply(&call, NULL, &in, &value, buf, room, &need, &error);

	if (ok)
		callsync_text_put(out, value.s, value.len);
	free(buf);
	return ok;
}

/* Does the last filter make the text safe for where it goes? */
static bool
is_escaped(const CallsyncTemplate *t, const Expr *expr)
{
	const CallsyncFilter *last;

	if (expr->nfilters == 0)
		return false;
	last = expr->filters[expr->nfilters - 1].filter;
	return last == t->escape || callsync_filter_is_url_safe(last);
}

static bool
render_pieces(Render *r, const CallsyncTemplate *t, const Scope *scope, TextBuf *out)
{
	for (int i = 0; i < t->npieces; i++)
	{
		const Piece *piece = &t->pieces[i];
		PathOrigin	origin;
		bool		is_placeholder;
		json_t	   *value;
		TextBuf		text = {0};

		if (piece->expr == NULL)
		{
			callsync_text_put(out, piece->literal, piece->len);
			continue;
		}
		value = eval(r, t, piece->expr, scope, &origin, &is_placeholder);
		if (r->failed)
			return false;
		if (value == NULL)
			continue;
		if (!callsync_scalar_text(value, &text))
		{
			fail(r, t->where, "\"%.100s\" is a list or an object where text is needed.", piece->expr->paths[0]->text);
			json_decref(value);
			return false;
		}
		json_decref(value);
		/* a var may be a piece of an address, but a name in it is as good as a caller's for breaking XML */
		if (t->escape != NULL && !is_placeholder && text.len > 0 && !is_escaped(t, piece->expr) &&
			(origin != PATH_VARS || strcmp(callsync_filter_own_name(t->escape), "url") != 0))
			put_escaped(t->escape, text.data, text.len, out);
		else if (text.len > 0)
			callsync_text_put(out, text.data, text.len);
		callsync_text_free(&text);
	}
	if (out->failed)
		fail(r, t->where, "%s", "Out of memory.");
	return !r->failed;
}

static bool
in_list(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_string_value(json_array_get(list, i)), name) == 0)
			return true;
	return false;
}

/* A mapped value as the string that an all-strings API wants */
static json_t *
stringify(const json_t *value, const char *sep)
{
	TextBuf		buf = {0};
	json_t	   *result;

	if (json_is_array(value))
	{
		for (size_t i = 0; i < json_array_size(value); i++)
		{
			if (i > 0)
				callsync_text_puts(&buf, sep);
			callsync_scalar_text(json_array_get(value, i), &buf);
		}
	}
	else if (!callsync_scalar_text(value, &buf))
	{
		char	   *dump = callsync_json_dump(value, NULL);

		if (dump != NULL)
			callsync_text_puts(&buf, dump);
		free(dump);
	}
	result = buf.failed ? NULL : json_stringn(buf.len ? buf.data : "", buf.len);
	callsync_text_free(&buf);
	return result;
}

static bool
render_map(Render *r, const CallsyncTemplate *t, const Scope *scope, json_t *object)
{
	PathOrigin	origin;
	json_t	   *source = callsync_path_resolve(t->map->path, r->input, scope, &origin);
	const char *key;
	json_t	   *value;

	if (source == NULL || json_is_null(source))
		return true;
	if (!json_is_object(source))
	{
		fail(r, t->where, "\"%.100s\" is not an object.", t->map->path->text);
		return false;
	}
	json_object_foreach(source, key, value)
	{
		json_t	   *put;

		if ((t->map->only != NULL && !in_list(t->map->only, key)) ||
			(t->map->except != NULL && in_list(t->map->except, key)) ||
			(t->map->like != NULL && !callsync_like(key, t->map->like)) ||
			(t->map->not_like != NULL && callsync_like(key, t->map->not_like)))
			continue;
		if (json_is_null(value))
		{
			if (t->map->drop_null)
				continue;
			put = t->map->null_as != NULL ? json_incref(t->map->null_as) : json_null();
		}
		else if (t->map->as_string && !json_is_string(value))
			put = stringify(value, t->map->list_sep);
		else
			put = json_incref(value);
		if (json_object_set_new(object, key, put) != 0)
		{
			fail(r, t->where, "Field \"%.100s\" is not valid UTF-8.", key);
			return false;
		}
	}
	return true;
}

static json_t *render(Render *r, const CallsyncTemplate *t, const Scope *scope, bool *absent);

static json_t *
render_object(Render *r, const CallsyncTemplate *t, const Scope *scope)
{
	json_t	   *object = json_object();

	if (t->map != NULL && !render_map(r, t, scope, object))
	{
		json_decref(object);
		return NULL;
	}
	for (int i = 0; i < t->nmembers; i++)
	{
		bool		absent = false;
		json_t	   *value = render(r, t->members[i].value, scope, &absent);
		const char *key = t->members[i].key;
		TextBuf		name = {0};

		if (value == NULL || absent)
		{
			json_decref(value);
			if (r->failed)
			{
				json_decref(object);
				return NULL;
			}
			continue;
		}
		if (t->members[i].key_tmpl != NULL)
		{
			if (!render_pieces(r, t->members[i].key_tmpl, scope, &name))
			{
				callsync_text_free(&name);
				json_decref(value);
				json_decref(object);
				return NULL;
			}
			key = name.data ? name.data : "";
		}
		json_object_set_new(object, key, value);
		callsync_text_free(&name);
	}
	return object;
}

static bool
each_item(Render *r, const CallsyncTemplate *t, const Scope *scope, json_t *item, json_t *list)
{
	Scope		inner = {t->each_as, item, scope};
	bool		absent = false;
	json_t	   *value;

	if (!callsync_cond_holds_in(t->cond, r->input, &inner))
		return true;
	value = render(r, t->items[0], &inner, &absent);
	if (value != NULL && !absent)
		json_array_append_new(list, value);
	else
		json_decref(value);
	return !r->failed;
}

static int
cmp_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static json_t *
render_each(Render *r, const CallsyncTemplate *t, const Scope *scope)
{
	PathOrigin	origin;
	json_t	   *source = callsync_path_resolve(t->each_path, r->input, scope, &origin);
	json_t	   *list = json_array();

	if (json_is_array(source))
	{
		for (size_t i = 0; i < json_array_size(source); i++)
			if (!each_item(r, t, scope, json_array_get(source, i), list))
				break;
	}
	else if (json_is_object(source))
	{
		size_t		n = 0;
		const char **keys = malloc(sizeof(char *) * (json_object_size(source) + 1));
		const char *key;
		json_t	   *value;

		json_object_foreach(source, key, value)
		{
			if (keys != NULL)
				keys[n++] = key;
		}
		if (keys != NULL)
			qsort(keys, n, sizeof(char *), cmp_keys);
		for (size_t i = 0; i < n; i++)
		{
			json_t	   *pair = json_pack("{s:s, s:O}", "key", keys[i], "value", json_object_get(source, keys[i]));
			bool		go_on = pair != NULL && each_item(r, t, scope, pair, list);

			json_decref(pair);
			if (!go_on)
				break;
		}
		free(keys);
	}
	if (r->failed)
	{
		json_decref(list);
		return NULL;
	}
	return list;
}

/* New reference, or NULL on failure; *absent: nothing, to be left out. */
static json_t *
render(Render *r, const CallsyncTemplate *t, const Scope *scope, bool *absent)
{
	PathOrigin	origin;
	bool		is_placeholder;
	json_t	   *value = NULL;

	*absent = false;
	switch (t->kind)
	{
		case NODE_CONST:
			return json_incref(t->constant);
		case NODE_TEXT:
			{
				TextBuf		text = {0};

				if (render_pieces(r, t, scope, &text))
				{
					value = json_stringn(text.data ? text.data : "", text.len);
					if (value == NULL)
						fail(r, t->where, "%s", "The text is not valid UTF-8.");
				}
				callsync_text_free(&text);
				return value;
			}
		case NODE_VALUE:
			value = eval(r, t, t->pieces[0].expr, scope, &origin, &is_placeholder);
			break;
		case NODE_OBJECT:
			if (callsync_cond_holds_in(t->cond, r->input, scope))
				return render_object(r, t, scope);
			break;
		case NODE_ARRAY:
			value = json_array();
			for (int i = 0; i < t->nitems; i++)
			{
				bool		item_absent;
				json_t	   *item = render(r, t->items[i], scope, &item_absent);

				if (r->failed)
				{
					json_decref(item);
					json_decref(value);
					return NULL;
				}
				if (item_absent)
					json_decref(item);
				else
					json_array_append_new(value, item);
			}
			return value;
		case NODE_CHOICE:
			{
				const CallsyncTemplate *arm = t->items[callsync_cond_holds_in(t->cond, r->input, scope) ? 0 : 1];

				if (arm != NULL)
					return render(r, arm, scope, absent);
				break;
			}
		case NODE_EACH:
			return render_each(r, t, scope);
		case NODE_DUMP:
			{
				json_t	   *inner = render(r, t->items[0], scope, absent);
				char	   *dump;

				if (inner == NULL || *absent)
					return inner;
				dump = callsync_json_dump(inner, NULL);
				json_decref(inner);
				value = dump ? json_string(dump) : NULL;
				free(dump);
				if (value == NULL)
					fail(r, t->where, "%s", "The value cannot be written as JSON.");
				return value;
			}
	}
	if (value == NULL && !r->failed)
	{
		*absent = true;
		return json_null();
	}
	return value;
}

json_t *
callsync_template_render(const CallsyncTemplate *t, const CallsyncRenderInput *input, bool *absent,
						 CallsyncDocError *err)
{
	Render		r = {input, err, false};
	bool		nothing;
	json_t	   *value = render(&r, t, NULL, &nothing);

	if (absent != NULL)
		*absent = nothing;
	if (r.failed)
	{
		json_decref(value);
		return NULL;
	}
	return value;
}

char *
callsync_template_render_text(const CallsyncTemplate *t, const CallsyncRenderInput *input, CallsyncDocError *err)
{
	Render		r = {input, err, false};
	TextBuf		text = {0};

	if (err != NULL)
		err->what[0] = '\0';
	if (t->kind == NODE_TEXT || t->kind == NODE_VALUE)
	{
		/* one optional value that is not there: nothing, not "" */
		if (t->npieces == 1 && t->pieces[0].expr != NULL && t->pieces[0].expr->optional)
		{
			bool		absent;
			json_t	   *value;

			if (t->kind == NODE_VALUE && (value = render(&r, t, NULL, &absent)) != NULL)
			{
				json_decref(value);
				if (absent)
					return NULL;
			}
		}
		if (!r.failed)
			render_pieces(&r, t, NULL, &text);
	}
	else
	{
		bool		absent;
		json_t	   *value = render(&r, t, NULL, &absent);

		if (value != NULL && !absent && !callsync_scalar_text(value, &text))
			fail(&r, t->where, "%s", "The result is not text.");
		json_decref(value);
		if (value != NULL && absent)
			return NULL;
	}
	if (r.failed)
	{
		callsync_text_free(&text);
		return NULL;
	}
	if (text.data == NULL)
		callsync_text_put(&text, "", 0);
	return text.data;
}
