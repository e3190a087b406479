/*
 * template_cond.c
 *		Conditions over a context: "path", "!path", or a small tree.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/template_impl.h"

typedef enum CondKind
{
	COND_TRUTHY,
	COND_EXISTS,				/* flag: must / must not be there (null = not there) */
	COND_IN,					/* value is one of the list */
	COND_LIKE,					/* text pattern with * and ?, without case */
	COND_COMPARE,				/* number against a bound */
	COND_ALL,
	COND_ANY,
	COND_NOT
} CondKind;

struct CallsyncCond
{
	CondKind	kind;
	CallsyncPath *path;
	bool		flag;
	json_t	   *list;			/* COND_IN; COND_LIKE: the pattern */
	double		bound;
	char		op[4];			/* gt gte lt lte */
	int			n;
	CallsyncCond **sub;
};

void
callsync_cond_free(CallsyncCond *cond)
{
	if (cond == NULL)
		return;
	callsync_path_free(cond->path);
	json_decref(cond->list);
	for (int i = 0; i < cond->n; i++)
		callsync_cond_free(cond->sub[i]);
	free(cond->sub);
	free(cond);
}

void
callsync_cond_paths(const CallsyncCond *cond, void (*fn) (void *arg, const char *path, bool optional), void *arg)
{
	if (cond == NULL)
		return;
	if (cond->path != NULL)
		fn(arg, cond->path->text, true);
	for (int i = 0; i < cond->n; i++)
		callsync_cond_paths(cond->sub[i], fn, arg);
}

static CallsyncCond *
cond_new(CondKind kind)
{
	CallsyncCond *cond = calloc(1, sizeof(*cond));

	if (cond != NULL)
		cond->kind = kind;
	return cond;
}

/* Takes over sub; frees both on failure. */
static CallsyncCond *
add_sub(CallsyncCond *cond, CallsyncCond *sub)
{
	CallsyncCond **list;

	if (cond == NULL || sub == NULL ||
		(list = realloc(cond->sub, sizeof(*list) * (size_t) (cond->n + 1))) == NULL)
	{
		callsync_cond_free(cond);
		callsync_cond_free(sub);
		return NULL;
	}
	cond->sub = list;
	cond->sub[cond->n++] = sub;
	return cond;
}

static CallsyncCond *
with_path(CondKind kind, const char *text, const char *where, CallsyncDocError *err)
{
	CallsyncCond *cond = cond_new(kind);

	if (cond != NULL && (cond->path = callsync_path_parse(text, strlen(text))) == NULL)
	{
		callsync_doc_error(err, where, NULL, "\"%.60s\" is not a path.", text);
		callsync_cond_free(cond);
		return NULL;
	}
	return cond;
}

static CallsyncCond *
not_cond(CallsyncCond *sub)
{
	return sub != NULL ? add_sub(cond_new(COND_NOT), sub) : NULL;
}

static CallsyncCond *
parse_test(const char *path, const json_t *test, const char *where, CallsyncDocError *err)
{
	CallsyncCond *all;
	const char *op;
	json_t	   *arg;

	if (!json_is_object(test))
	{
		CallsyncCond *cond = with_path(COND_IN, path, where, err);

		if (cond != NULL)
		{
			if (json_is_array(test))
				cond->list = json_incref((json_t *) test);
			else
				cond->list = json_pack("[O]", test);
			if (cond->list == NULL)
			{
				callsync_cond_free(cond);
				return NULL;
			}
		}
		return cond;
	}
	all = cond_new(COND_ALL);
	json_object_foreach((json_t *) test, op, arg)
	{
		CallsyncCond *one = NULL;

		if (strcmp(op, "exists") == 0 && json_is_boolean(arg))
		{
			one = with_path(COND_EXISTS, path, where, err);
			if (one != NULL)
				one->flag = json_is_true(arg);
		}
		else if (strcmp(op, "not") == 0)
			one = not_cond(parse_test(path, arg, where, err));
		else if (strcmp(op, "like") == 0 && json_is_string(arg))
		{
			one = with_path(COND_LIKE, path, where, err);
			if (one != NULL)
				one->list = json_incref(arg);
		}
		else if ((strcmp(op, "gt") == 0 || strcmp(op, "gte") == 0 || strcmp(op, "lt") == 0 || strcmp(op, "lte") == 0) &&
				 json_is_number(arg))
		{
			one = with_path(COND_COMPARE, path, where, err);
			if (one != NULL)
			{
				strcpy(one->op, op);
				one->bound = json_number_value(arg);
			}
		}
		else
			callsync_doc_error(err, where, "Tests are exists (true or false), not, like (text), gt, gte, lt and lte (number).",
							   "Test \"%.60s\" of \"%.60s\" is unknown or has the wrong type.", op, path);
		if (one == NULL)
		{
			callsync_cond_free(all);
			return NULL;
		}
		all = add_sub(all, one);
	}
	return all;
}

CallsyncCond *
callsync_cond_parse(const json_t *doc, const char *where, CallsyncDocError *err)
{
	CallsyncCond *cond;
	const char *key;
	json_t	   *member;

	if (json_is_string(doc))
	{
		const char *text = json_string_value(doc);

		if (*text == '!')
			return not_cond(with_path(COND_TRUTHY, text + 1, where, err));
		if (*text == '\0')
		{
			callsync_doc_error(err, where, NULL, "The condition is empty.");
			return NULL;
		}
		return with_path(COND_TRUTHY, text, where, err);
	}
	if (!json_is_object(doc))
	{
		callsync_doc_error(err, where, "A condition is a path (\"caller.email\"), its opposite (\"!caller.email\") or an object.",
						   "The condition is neither text nor an object.");
		return NULL;
	}
	cond = cond_new(COND_ALL);
	json_object_foreach((json_t *) doc, key, member)
	{
		CallsyncCond *one = NULL;

		if ((strcmp(key, "any") == 0 || strcmp(key, "all") == 0) && json_is_array(member))
		{
			one = cond_new(key[1] == 'n' ? COND_ANY : COND_ALL);
			for (size_t i = 0; one != NULL && i < json_array_size(member); i++)
				one = add_sub(one, callsync_cond_parse(json_array_get(member, i), where, err));
		}
		else if (strcmp(key, "not") == 0 && (json_is_object(member) || json_is_string(member)))
			one = not_cond(callsync_cond_parse(member, where, err));
		else
			one = parse_test(key, member, where, err);
		if (one == NULL)
		{
			callsync_cond_free(cond);
			return NULL;
		}
		cond = add_sub(cond, one);
	}
	return cond;
}

/* Text against text with * and ?, without case; linear with one resume point. */
bool
callsync_like(const char *s, const char *pattern)
{
	const char *star = NULL;
	const char *resume = NULL;

	while (*s != '\0')
	{
		if (*pattern == '*')
		{
			star = pattern++;
			resume = s;
		}
		else if (*pattern == '?' || strncasecmp(s, pattern, 1) == 0)
		{
			s++;
			pattern++;
		}
		else if (star != NULL)
		{
			pattern = star + 1;
			s = ++resume;
		}
		else
			return false;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

/* 17 and "17" are the same to a document that tests what came as text. */
static bool
same(const json_t *a, const json_t *b)
{
	TextBuf		ta = {0};
	TextBuf		tb = {0};
	bool		equal;

	if (json_equal(a, b))
		return true;
	if (json_is_null(a) || json_is_null(b) || json_typeof(a) == json_typeof(b))
		return json_is_number(a) && json_is_number(b) && json_number_value(a) == json_number_value(b);
	equal = callsync_scalar_text(a, &ta) && callsync_scalar_text(b, &tb) && ta.len == tb.len &&
		(ta.len == 0 || memcmp(ta.data, tb.data, ta.len) == 0);
	callsync_text_free(&ta);
	callsync_text_free(&tb);
	return equal;
}

static bool
number_of(const json_t *value, double *number)
{
	if (json_is_number(value))
	{
		*number = json_number_value(value);
		return true;
	}
	if (json_is_string(value))
	{
		char	   *end;

		*number = strtod(json_string_value(value), &end);
		return end != json_string_value(value) && *end == '\0';
	}
	return false;
}

bool
callsync_cond_holds_in(const CallsyncCond *cond, const CallsyncRenderInput *input, const Scope *scope)
{
	PathOrigin	origin;
	json_t	   *value = NULL;
	double		number;

	if (cond == NULL)
		return true;
	if (cond->path != NULL)
		value = callsync_path_resolve(cond->path, input, scope, &origin);
	switch (cond->kind)
	{
		case COND_TRUTHY:
			return callsync_json_truthy(value);
		case COND_EXISTS:
			return (value != NULL && !json_is_null(value)) == cond->flag;
		case COND_IN:
			for (size_t i = 0; i < json_array_size(cond->list); i++)
			{
				const json_t *want = json_array_get(cond->list, i);

				if (value == NULL ? json_is_null(want) : same(value, want))
					return true;
			}
			return false;
		case COND_LIKE:
			return json_is_string(value) && callsync_like(json_string_value(value), json_string_value(cond->list));
		case COND_COMPARE:
			if (!number_of(value, &number))
				return false;
			if (cond->op[0] == 'g')
				return number > cond->bound || (cond->op[2] == 'e' && number == cond->bound);
			return number < cond->bound || (cond->op[2] == 'e' && number == cond->bound);
		case COND_ALL:
			for (int i = 0; i < cond->n; i++)
				if (!callsync_cond_holds_in(cond->sub[i], input, scope))
					return false;
			return true;
		case COND_ANY:
			for (int i = 0; i < cond->n; i++)
				if (callsync_cond_holds_in(cond->sub[i], input, scope))
					return true;
			return false;
		case COND_NOT:
			return !callsync_cond_holds_in(cond->sub[0], input, scope);
	}
	return false;
}

bool
callsync_cond_holds(const CallsyncCond *cond, const CallsyncRenderInput *input)
{
	return callsync_cond_holds_in(cond, input, NULL);
}
