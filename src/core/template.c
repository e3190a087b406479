/*
 * template.c
 *		Tree templates: compiled once, rendered to a jansson tree.
 *
 * A value of the call can become a leaf of the tree and nothing else: it is
 * never parsed again.  The newcomer's mistake: an object template whose members
 * are all absent still renders as {}; to leave it out it needs "$if".
 */
#define _POSIX_C_SOURCE 200809L	/* strdup() */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/template_impl.h"

typedef enum NodeKind
{
	NODE_CONST,
	NODE_TEXT,
	NODE_VALUE,
	NODE_OBJECT,
	NODE_ARRAY,
	NODE_CHOICE,				/* $if with then / else */
	NODE_EACH,
	NODE_DUMP
} NodeKind;

typedef struct Piece
{
	char	   *literal;		/* or */
	size_t		len;
	Expr	   *expr;
} Piece;

typedef struct Member
{
	char	   *key;
	CallsyncTemplate *key_tmpl; /* when the key holds an expression */
	CallsyncTemplate *value;
} Member;

typedef struct MapSpec
{
	CallsyncPath *path;
	bool		as_string;
	char	   *list_sep;		/* as_string: how lists are joined */
	json_t	   *null_as;		/* what a null member is sent as; NULL = null */
	bool		drop_null;
	json_t	   *only;			/* arrays of names or NULL */
	json_t	   *except;
	char	   *like;			/* names with '*' and '?', or NULL */
	char	   *not_like;
} MapSpec;

struct CallsyncTemplate
{
	NodeKind	kind;
	const CallsyncFilter *escape;	/* what each expression is escaped for, or NULL */
	char	   *where;
	json_t	   *constant;
	int			npieces;
	Piece	   *pieces;
	int			nmembers;
	Member	   *members;
	MapSpec    *map;
	CallsyncCond *cond;
	int			nitems;
	CallsyncTemplate **items;	/* array; CHOICE: then, else (may be NULL) */
	CallsyncPath *each_path;
	char	   *each_as;
};

void
callsync_template_free(CallsyncTemplate *t)
{
	if (t == NULL)
		return;
	free(t->where);
	json_decref(t->constant);
	for (int i = 0; i < t->npieces; i++)
	{
		free(t->pieces[i].literal);
		if (t->pieces[i].expr != NULL)
			callsync_expr_clear(t->pieces[i].expr);
		free(t->pieces[i].expr);
	}
	free(t->pieces);
	for (int i = 0; i < t->nmembers; i++)
	{
		free(t->members[i].key);
		callsync_template_free(t->members[i].key_tmpl);
		callsync_template_free(t->members[i].value);
	}
	free(t->members);
	if (t->map != NULL)
	{
		callsync_path_free(t->map->path);
		free(t->map->list_sep);
		json_decref(t->map->null_as);
		json_decref(t->map->only);
		json_decref(t->map->except);
		free(t->map->like);
		free(t->map->not_like);
		free(t->map);
	}
	callsync_cond_free(t->cond);
	for (int i = 0; i < t->nitems; i++)
		callsync_template_free(t->items[i]);
	free(t->items);
	callsync_path_free(t->each_path);
	free(t->each_as);
	free(t);
}

static CallsyncTemplate *
node_new(NodeKind kind, const char *where)
{
	CallsyncTemplate *t = calloc(1, sizeof(*t));

	if (t != NULL)
	{
		t->kind = kind;
		t->where = strdup(where);
	}
	return t;
}

/* ---- parsing ---- */

static bool
add_piece(CallsyncTemplate *t, const char *literal, size_t len, Expr *expr)
{
	Piece	   *pieces = realloc(t->pieces, sizeof(Piece) * (size_t) (t->npieces + 1));

	if (pieces == NULL)
		return false;
	t->pieces = pieces;
	memset(&pieces[t->npieces], 0, sizeof(Piece));
	pieces[t->npieces].expr = expr;
	if (literal != NULL)
	{
		pieces[t->npieces].literal = malloc(len + 1);
		if (pieces[t->npieces].literal == NULL)
			return false;
		memcpy(pieces[t->npieces].literal, literal, len);
		pieces[t->npieces].literal[len] = '\0';
		pieces[t->npieces].len = len;
	}
	t->npieces++;
	return true;
}

static CallsyncTemplate *
parse_text(const char *text, size_t len, const CallsyncFilter *escape, const char *where, CallsyncDocError *err)
{
	CallsyncTemplate *t = node_new(NODE_TEXT, where);
	TextBuf		literal = {0};
	const char *p = text;
	const char *end = text + len;

	if (t == NULL)
		return NULL;
	t->escape = escape;
	while (p < end)
	{
		const char *close;
		Expr	   *expr;

		if ((*p == '{' && p + 1 < end && p[1] == '{') || (*p == '}' && p + 1 < end && p[1] == '}'))
		{
			callsync_text_put(&literal, p, 1);
			p += 2;
			continue;
		}
		if (*p != '{')
		{
			callsync_text_put(&literal, p, 1);
			p++;
			continue;
		}
		close = memchr(p, '}', (size_t) (end - p));
		if (close == NULL)
		{
			callsync_doc_error(err, where, "Write {{ for a brace that is text.", "A \"{\" is not closed in \"%.60s\".", text);
			goto bad;
		}
		if (literal.len > 0 && !add_piece(t, literal.data, literal.len, NULL))
			goto bad;
		literal.len = 0;
		expr = calloc(1, sizeof(Expr));
		if (expr == NULL || !callsync_expr_parse(p + 1, (size_t) (close - p - 1), expr, where, err))
		{
			free(expr);
			goto bad;
		}
		if (!add_piece(t, NULL, 0, expr))
			goto bad;
		p = close + 1;
	}
	if (literal.len > 0 && !add_piece(t, literal.data, literal.len, NULL))
		goto bad;
	callsync_text_free(&literal);
	if (escape == NULL && t->npieces == 1 && t->pieces[0].expr != NULL)
		t->kind = NODE_VALUE;
	else if (escape == NULL && (t->npieces == 0 || (t->npieces == 1 && t->pieces[0].expr == NULL)))
	{
		t->kind = NODE_CONST;
		t->constant = t->npieces ? json_stringn(t->pieces[0].literal, t->pieces[0].len) : json_string("");
	}
	return t;

bad:
	callsync_text_free(&literal);
	callsync_template_free(t);
	return NULL;
}

static bool
add_item(CallsyncTemplate *t, CallsyncTemplate *item)
{
	CallsyncTemplate **items = realloc(t->items, sizeof(*items) * (size_t) (t->nitems + 1));

	if (items == NULL)
		return false;
	t->items = items;
	items[t->nitems++] = item;
	return true;
}

static char *
dup_string(const json_t *s)
{
	return json_is_string(s) ? strdup(json_string_value(s)) : NULL;
}

static bool
is_name_list(const json_t *list)
{
	if (!json_is_array(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return false;
	return true;
}

/* {"$map": path, "as": "string", "list": ";", "null": x, "only": [..], "except": [..]} */
static bool
parse_map(CallsyncTemplate *t, const json_t *doc, const char *where, CallsyncDocError *err)
{
	const json_t *path = json_object_get(doc, "$map");
	const json_t *as = json_object_get(doc, "$as");
	const json_t *list = json_object_get(doc, "$list");
	const json_t *null = json_object_get(doc, "$null");
	const json_t *only = json_object_get(doc, "$only");
	const json_t *except = json_object_get(doc, "$except");
	const json_t *like = json_object_get(doc, "$like");
	const json_t *not_like = json_object_get(doc, "$not_like");

	if (!json_is_string(path))
		return callsync_doc_error(err, where, NULL, "\"$map\" needs a path.");
	t->map = calloc(1, sizeof(MapSpec));
	if (t->map == NULL)
		return false;
	t->map->path = callsync_path_parse(json_string_value(path), json_string_length(path));
	if (t->map->path == NULL)
		return callsync_doc_error(err, where, NULL, "\"%.60s\" is not a path.", json_string_value(path));
	if (as != NULL)
	{
		if (!json_is_string(as) || strcmp(json_string_value(as), "string") != 0)
			return callsync_doc_error(err, where, NULL, "\"$as\" can only be \"string\".");
		t->map->as_string = true;
	}
	if (list != NULL && !json_is_string(list))
		return callsync_doc_error(err, where, NULL, "\"$list\" is the text between the elements of a list.");
	t->map->list_sep = list ? dup_string(list) : strdup(";");
	if (null != NULL && json_is_string(null) && strcmp(json_string_value(null), "omit") == 0)
		t->map->drop_null = true;
	else
		t->map->null_as = json_incref((json_t *) null);
	if ((only != NULL && !is_name_list(only)) || (except != NULL && !is_name_list(except)))
		return callsync_doc_error(err, where, NULL, "\"$only\" and \"$except\" are lists of names.");
	if ((like != NULL && !json_is_string(like)) || (not_like != NULL && !json_is_string(not_like)))
		return callsync_doc_error(err, where, NULL, "\"$like\" and \"$not_like\" are a pattern of names.");
	t->map->like = dup_string(like);
	t->map->not_like = dup_string(not_like);
	t->map->only = json_incref((json_t *) only);
	t->map->except = json_incref((json_t *) except);
	return true;
}

static bool
known_operator(const char *key)
{
	static const char *const words[] = {"$map", "$as", "$list", "$null", "$only", "$except", "$like", "$not_like", "$if", "$then", "$else",
	"$each", "$do", "$literal", "$text", NULL};

	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], key) == 0)
			return true;
	return false;
}

/* Only these members may stand beside an operator that makes the whole value. */
static bool
only_members(const json_t *doc, const char *a, const char *b, const char *c, const char *d, const char *where,
			 CallsyncDocError *err)
{
	const char *key;
	json_t	   *member;

	json_object_foreach((json_t *) doc, key, member)
	{
		if (strcmp(key, a) != 0 && (b == NULL || strcmp(key, b) != 0) && (c == NULL || strcmp(key, c) != 0) &&
			(d == NULL || strcmp(key, d) != 0))
			return callsync_doc_error(err, where, NULL, "\"%.60s\" cannot stand beside \"%s\".", key, a);
	}
	return true;
}

static CallsyncTemplate *
parse_object(const json_t *doc, const char *where, CallsyncDocError *err)
{
	CallsyncTemplate *t;
	const char *key;
	json_t	   *member;
	char		sub[200];

	json_object_foreach((json_t *) doc, key, member)
	{
		if (key[0] == '$' && !known_operator(key))
		{
			callsync_doc_error(err, where, "Operators are $map, $if, $then, $else, $each, $do, $as, $literal and $text.",
							   "Operator \"%.60s\" does not exist.", key);
			return NULL;
		}
	}
	if ((member = json_object_get(doc, "$literal")) != NULL)
	{
		if (!only_members(doc, "$literal", NULL, NULL, NULL, where, err))
			return NULL;
		t = node_new(NODE_CONST, where);
		if (t != NULL)
			t->constant = json_incref(member);
		return t;
	}
	if ((member = json_object_get(doc, "$text")) != NULL)
	{
		if (!only_members(doc, "$text", NULL, NULL, NULL, where, err))
			return NULL;
		t = node_new(NODE_DUMP, where);
		callsync_where(sub, sizeof(sub), where, "$text");
		if (t != NULL && (!add_item(t, callsync_template_parse(member, NULL, sub, err)) || t->items[0] == NULL))
			goto bad;
		return t;
	}
	if ((member = json_object_get(doc, "$each")) != NULL)
	{
		const json_t *as = json_object_get(doc, "$as");

		if (!only_members(doc, "$each", "$as", "$do", "$if", where, err))
			return NULL;
		t = node_new(NODE_EACH, where);
		if (t == NULL)
			return NULL;
		if (!json_is_string(member) || !json_is_string(as) ||
			(t->each_path = callsync_path_parse(json_string_value(member), json_string_length(member))) == NULL)
		{
			callsync_doc_error(err, where, NULL, "\"$each\" needs a path, \"$as\" a name and \"$do\" a template.");
			goto bad;
		}
		t->each_as = dup_string(as);
		callsync_where(sub, sizeof(sub), where, "$do");
		if (json_object_get(doc, "$do") == NULL)
		{
			callsync_doc_error(err, where, NULL, "\"$each\" needs \"$do\".");
			goto bad;
		}
		if (!add_item(t, callsync_template_parse(json_object_get(doc, "$do"), NULL, sub, err)) || t->items[0] == NULL)
			goto bad;
		if (json_object_get(doc, "$if") != NULL &&
			(t->cond = callsync_cond_parse(json_object_get(doc, "$if"), where, err)) == NULL)
			goto bad;
		return t;
	}
	if (json_object_get(doc, "$then") != NULL || json_object_get(doc, "$else") != NULL)
	{
		static const char *const branch[] = {"$then", "$else"};

		if (!only_members(doc, "$if", "$then", "$else", NULL, where, err))
			return NULL;
		t = node_new(NODE_CHOICE, where);
		if (t == NULL)
			return NULL;
		if (json_object_get(doc, "$if") == NULL)
		{
			callsync_doc_error(err, where, NULL, "\"$then\" and \"$else\" need \"$if\".");
			goto bad;
		}
		if ((t->cond = callsync_cond_parse(json_object_get(doc, "$if"), where, err)) == NULL)
			goto bad;
		for (int i = 0; i < 2; i++)
		{
			CallsyncTemplate *arm = NULL;

			callsync_where(sub, sizeof(sub), where, branch[i]);
			member = json_object_get(doc, branch[i]);
			if (member != NULL && (arm = callsync_template_parse(member, NULL, sub, err)) == NULL)
				goto bad;
			if (!add_item(t, arm))
				goto bad;
		}
		return t;
	}

	t = node_new(NODE_OBJECT, where);
	if (t == NULL)
		return NULL;
	if (json_object_get(doc, "$if") != NULL &&
		(t->cond = callsync_cond_parse(json_object_get(doc, "$if"), where, err)) == NULL)
		goto bad;
	if (json_object_get(doc, "$map") != NULL && !parse_map(t, doc, where, err))
		goto bad;
	if (t->map == NULL)
		for (int i = 0; i < 7; i++)
		{
			static const char *const words[] = {"$as", "$list", "$null", "$only", "$except", "$like", "$not_like"};

			if (json_object_get(doc, words[i]) != NULL)
			{
				callsync_doc_error(err, where, NULL, "\"%s\" needs \"$map\".", words[i]);
				goto bad;
			}
		}
	json_object_foreach((json_t *) doc, key, member)
	{
		Member	   *members;

		if (key[0] == '$')
			continue;
		members = realloc(t->members, sizeof(Member) * (size_t) (t->nmembers + 1));
		if (members == NULL)
			goto bad;
		t->members = members;
		memset(&members[t->nmembers], 0, sizeof(Member));
		members[t->nmembers].key = strdup(key);
		t->nmembers++;
		callsync_where(sub, sizeof(sub), where, key);
		if (strchr(key, '{') != NULL &&
			(members[t->nmembers - 1].key_tmpl = parse_text(key, strlen(key), NULL, sub, err)) == NULL)
			goto bad;
		members[t->nmembers - 1].value = callsync_template_parse(member, NULL, sub, err);
		if (members[t->nmembers - 1].value == NULL)
			goto bad;
	}
	return t;

bad:
	callsync_template_free(t);
	return NULL;
}

CallsyncTemplate *
callsync_template_parse(const json_t *doc, const char *escape, const char *where, CallsyncDocError *err)
{
	CallsyncTemplate *t;

	if (json_is_string(doc))
		return parse_text(json_string_value(doc), json_string_length(doc),
						  escape ? callsync_filter_find(escape, strlen(escape)) : NULL, where, err);
	if (escape)
	{
		callsync_doc_error(err, where, NULL, "This must be text.");
		return NULL;
	}
	if (json_is_object(doc))
		return parse_object(doc, where, err);
	if (json_is_array(doc))
	{
		t = node_new(NODE_ARRAY, where);
		for (size_t i = 0; t != NULL && i < json_array_size(doc); i++)
		{
			char		sub[200];
			CallsyncTemplate *item;

			snprintf(sub, sizeof(sub), "%s/%zu", where, i);
			item = callsync_template_parse(json_array_get(doc, i), NULL, sub, err);
			if (item == NULL || !add_item(t, item))
			{
				callsync_template_free(item);
				callsync_template_free(t);
				return NULL;
			}
		}
		return t;
	}
	t = node_new(NODE_CONST, where);
	if (t != NULL)
		t->constant = json_incref((json_t *) doc);
	return t;
}

/* ---- rendering ---- */

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
		if (t->escape != NULL && !is_placeholder && origin != PATH_VARS && text.len > 0 &&
			!is_escaped(t, piece->expr))
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

static void
paths_of_expr(const Expr *expr, void (*fn) (void *arg, const char *path, bool optional), void *arg)
{
	for (int i = 0; i < expr->npaths; i++)
		fn(arg, expr->paths[i]->text, expr->optional || expr->npaths > 1 || expr->null_filter);
}

void
callsync_template_paths(const CallsyncTemplate *t, void (*fn) (void *arg, const char *path, bool optional), void *arg)
{
	if (t == NULL)
		return;
	for (int i = 0; i < t->npieces; i++)
		if (t->pieces[i].expr != NULL)
			paths_of_expr(t->pieces[i].expr, fn, arg);
	for (int i = 0; i < t->nmembers; i++)
	{
		callsync_template_paths(t->members[i].key_tmpl, fn, arg);
		callsync_template_paths(t->members[i].value, fn, arg);
	}
	for (int i = 0; i < t->nitems; i++)
		callsync_template_paths(t->items[i], fn, arg);
	if (t->map != NULL)
		fn(arg, t->map->path->text, true);
	if (t->each_path != NULL)
		fn(arg, t->each_path->text, true);
}
