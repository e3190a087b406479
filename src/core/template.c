/*
 * template.c
 *		Tree templates: compiled once; template_render.c makes a jansson tree of them.
 *
 * A value of the call can become a leaf of the tree and nothing else: it is
 * never parsed again.  The newcomer's mistake: an object template whose members
 * are all absent still renders as {}; to leave it out it needs "$if".
 */
#define _POSIX_C_SOURCE 200809L	/* strdup() */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/template_tree.h"

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
	t->map = calloc(1, sizeof(MapNode));
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
