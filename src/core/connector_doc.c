/*
 * connector_doc.c
 *		Small readers for the parsers of a connector document: each says where
 *		and what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/connector_impl.h"

void *
callsync_doc_grow(void *list, int n, size_t size)
{
	char	   *grown = realloc(list, size * (size_t) (n + 1));

	if (grown != NULL)
		memset(grown + size * (size_t) n, 0, size);
	return grown;
}

bool
callsync_doc_keys(const json_t *obj, const char *where, CallsyncDocError *err, const char *const *names)
{
	const char *key;
	json_t	   *member;

	if (!json_is_object(obj))
		return callsync_doc_error(err, where, NULL, "An object is needed here.");
	json_object_foreach((json_t *) obj, key, member)
	{
		bool		known = strcmp(key, "note") == 0;

		for (int i = 0; names[i] != NULL && !known; i++)
			known = strcmp(names[i], key) == 0;
		if (!known)
		{
			char		hint[400];
			size_t		used = (size_t) snprintf(hint, sizeof(hint), "Keys here are ");

			for (int i = 0; names[i] != NULL && used < sizeof(hint) - 40; i++)
				used += (size_t) snprintf(hint + used, sizeof(hint) - used, "%s, ", names[i]);
			snprintf(hint + used, sizeof(hint) - used, "note.");
			return callsync_doc_error(err, where, hint, "Key \"%.60s\" is unknown.", key);
		}
	}
	return true;
}

bool
callsync_doc_unknown(const char *what, const char *name, const char *kind, const json_t *known, const char *where, CallsyncDocError *err)
{
	char		hint[sizeof(((CallsyncDocError *) 0)->hint)];
	size_t		used = (size_t) snprintf(hint, sizeof(hint), "%s here: ", kind);
	size_t		n = 0;
	const char *key;
	json_t	   *value;

	json_object_foreach((json_t *) known, key, value)
	{
		if (used + strlen(key) + 8 > sizeof(hint))
			break;
		used += (size_t) snprintf(hint + used, sizeof(hint) - used, "%s%s", n++ > 0 ? ", " : "", key);
	}
	snprintf(hint + used, sizeof(hint) - used, n < json_object_size(known) ? " ..." : ".");
	return callsync_doc_error(err, where, n > 0 ? hint : NULL, what, name);
}

static const char *
type_name(json_type type)
{
	switch (type)
	{
		case JSON_OBJECT:
			return "an object";
		case JSON_ARRAY:
			return "a list";
		case JSON_STRING:
			return "text";
		case JSON_INTEGER:
			return "a whole number";
		case JSON_REAL:
			return "a number";
		case JSON_TRUE:
		case JSON_FALSE:
			return "true or false";
		default:
			return "null";
	}
}

bool
callsync_doc_is(const json_t *value, json_type type, const char *where, const char *what, CallsyncDocError *err)
{
	if (value != NULL && json_typeof(value) == type)
		return true;
	return callsync_doc_error(err, where, NULL, "\"%.60s\" must be %s.", what, type_name(type));
}

bool
callsync_doc_text(const json_t *obj, const char *key, const char *where, CallsyncDocError *err, const char **out)
{
	const json_t *value = json_object_get(obj, key);

	if (value == NULL)
		return true;
	if (!callsync_doc_is(value, JSON_STRING, where, key, err))
		return false;
	*out = json_string_value(value);
	return true;
}

bool
callsync_doc_bool(const json_t *obj, const char *key, const char *where, CallsyncDocError *err, bool *out)
{
	const json_t *value = json_object_get(obj, key);

	if (value == NULL)
		return true;
	if (!json_is_boolean(value))
		return callsync_doc_error(err, where, NULL, "\"%.60s\" must be true or false.", key);
	*out = json_is_true(value);
	return true;
}

bool
callsync_doc_int(const json_t *obj, const char *key, const char *where, CallsyncDocError *err,
				 int64_t min, int64_t max, int64_t *out)
{
	const json_t *value = json_object_get(obj, key);

	if (value == NULL)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max)
		return callsync_doc_error(err, where, NULL, "\"%.60s\" must be a whole number from %lld to %lld.", key,
								  (long long) min, (long long) max);
	*out = json_integer_value(value);
	return true;
}

bool
callsync_doc_word(const json_t *obj, const char *key, const char *where, CallsyncDocError *err,
				  const char *const *words, int *out)
{
	const char *text = NULL;
	char		hint[400];
	size_t		used;

	if (!callsync_doc_text(obj, key, where, err, &text))
		return false;
	if (text == NULL)
		return true;
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], text) == 0)
		{
			*out = i;
			return true;
		}
	used = (size_t) snprintf(hint, sizeof(hint), "It can be ");
	for (int i = 0; words[i] != NULL && used < sizeof(hint) - 40; i++)
		used += (size_t) snprintf(hint + used, sizeof(hint) - used, "%s%s", i ? ", " : "", words[i]);
	snprintf(hint + used, sizeof(hint) - used, ".");
	return callsync_doc_error(err, where, hint, "\"%.60s\" cannot be \"%.60s\".", key, text);
}

/* ---- status sets: 404, "5xx", "200-299" ---- */

static bool
one_status(const json_t *value, const char *where, CallsyncDocError *err, StatusSet *set)
{
	int			lo = 0;
	int			hi = 0;
	char		rest;

	if (json_is_integer(value))
		lo = hi = (int) json_integer_value(value);
	else if (json_is_string(value))
	{
		const char *text = json_string_value(value);

		if (strlen(text) == 3 && text[0] >= '1' && text[0] <= '5' && strcmp(text + 1, "xx") == 0)
		{
			lo = (text[0] - '0') * 100;
			hi = lo + 99;
		}
		else if (sscanf(text, "%3d-%3d%c", &lo, &hi, &rest) == 2)
			;
		else if (sscanf(text, "%3d%c", &lo, &rest) == 1)
			hi = lo;
	}
	if (lo < 100 || hi > 599 || hi < lo)
		return callsync_doc_error(err, where, "A status is a number (404), a class (\"5xx\") or a range (\"500-504\").",
								  "This is not an HTTP status.");
	if (set->n == STATUS_RANGES_MAX)
		return callsync_doc_error(err, where, NULL, "There are more than %d statuses.", STATUS_RANGES_MAX);
	set->range[set->n].lo = lo;
	set->range[set->n].hi = hi;
	set->n++;
	return true;
}

bool
callsync_doc_status(const json_t *value, const char *where, CallsyncDocError *err, StatusSet *set)
{
	if (value == NULL)
		return true;
	if (!json_is_array(value))
		return one_status(value, where, err, set);
	for (size_t i = 0; i < json_array_size(value); i++)
		if (!one_status(json_array_get(value, i), where, err, set))
			return false;
	return true;
}

bool
callsync_status_in(const StatusSet *set, int status)
{
	for (int i = 0; i < set->n; i++)
		if (status >= set->range[i].lo && status <= set->range[i].hi)
			return true;
	return false;
}

/* ---- regular expressions ---- */

/*
 * POSIX extended, with \d for a digit.  Back-references are refused: with them
 * matching can take exponential time over text that the server chose.
 */
bool
callsync_doc_regex(const char *text, const char *where, CallsyncDocError *err, regex_t *re)
{
	TextBuf		posix = {0};
	bool		in_class = false;
	int			rc;

	for (const char *p = text; *p != '\0'; p++)
	{
		if (*p == '\\' && p[1] == 'd')
		{
			callsync_text_puts(&posix, in_class ? "0-9" : "[0-9]");
			p++;
		}
		else if (*p == '\\' && p[1] >= '1' && p[1] <= '9')
		{
			callsync_text_free(&posix);
			return callsync_doc_error(err, where, NULL, "A regular expression cannot use back-references.");
		}
		else if (*p == '(' && p[1] == '?')
		{
			callsync_text_free(&posix);
			return callsync_doc_error(err, where, NULL, "A regular expression cannot use (?...).");
		}
		else
		{
			if (*p == '\\' && p[1] != '\0' && !in_class)
			{
				callsync_text_put(&posix, p, 2);
				p++;
				continue;
			}
			if (*p == '[' && !in_class)
				in_class = true;
			else if (*p == ']' && in_class && p[-1] != '[')
				in_class = false;
			callsync_text_put(&posix, p, 1);
		}
	}
	if (posix.failed)
		return callsync_doc_error(err, where, NULL, "Out of memory.");
	rc = regcomp(re, posix.data ? posix.data : "", REG_EXTENDED);
	callsync_text_free(&posix);
	if (rc != 0)
	{
		char		why[120];

		regerror(rc, re, why, sizeof(why));
		return callsync_doc_error(err, where, NULL, "\"%.80s\" is not a regular expression: %s.", text, why);
	}
	return true;
}

/* ---- extracts ---- */

void
callsync_extract_free(Extract *extract)
{
	while (extract != NULL)
	{
		Extract    *next = extract->next;

		if (extract->has_re)
			regfree(&extract->re);
		free(extract);
		extract = next;
	}
}

static bool
is_pointer(const char *text)
{
	return text[0] == '\0' || text[0] == '/';
}

bool
callsync_doc_extract(const json_t *value, const char *where, CallsyncDocError *err, Extract **out)
{
	static const char *const keys[] = {"json", "header", "body", "regex", "map", NULL};
	Extract    *extract;
	const char *re = NULL;

	if (value == NULL)
		return true;
	if (json_is_array(value))	/* alternatives: the first that finds something */
	{
		Extract   **tail = out;

		for (size_t i = 0; i < json_array_size(value); i++)
		{
			if (!callsync_doc_extract(json_array_get(value, i), where, err, tail))
				return false;
			tail = &(*tail)->next;
		}
		if (*out == NULL)
			return callsync_doc_error(err, where, NULL, "The list of places to look is empty.");
		return true;
	}
	extract = calloc(1, sizeof(*extract));
	if (extract == NULL)
		return callsync_doc_error(err, where, NULL, "Out of memory.");
	if (json_is_string(value))	/* short for {"json": ...} */
		extract->json = json_string_value(value);
	else if (!callsync_doc_keys(value, where, err, keys) ||
			 !callsync_doc_text(value, "json", where, err, &extract->json) ||
			 !callsync_doc_text(value, "header", where, err, &extract->header) ||
			 !callsync_doc_bool(value, "body", where, err, &extract->body) ||
			 !callsync_doc_text(value, "regex", where, err, &re))
		goto bad;
	else
	{
		extract->map = json_object_get(value, "map");
		if (extract->map != NULL && !callsync_doc_is(extract->map, JSON_OBJECT, where, "map", err))
			goto bad;
		if ((extract->json != NULL) + (extract->header != NULL) + extract->body != 1)
		{
			callsync_doc_error(err, where, NULL, "Exactly one of \"json\", \"header\" and \"body\" is needed.");
			goto bad;
		}
	}
	if (extract->json != NULL && !is_pointer(extract->json))
	{
		callsync_doc_error(err, where, "A JSON pointer looks like /results/0/id.", "\"%.60s\" is not a JSON pointer.", extract->json);
		goto bad;
	}
	if (re != NULL)
	{
		if (!callsync_doc_regex(re, where, err, &extract->re))
			goto bad;
		extract->has_re = true;
	}
	*out = extract;
	return true;

bad:
	callsync_extract_free(extract);
	return false;
}

/* ---- tests on JSON ---- */

void
callsync_tests_clear(JsonTests *tests)
{
	for (int i = 0; i < tests->n; i++)
		if (tests->test[i].kind == JSON_TEST_REGEX)
			regfree(&tests->test[i].re);
	free(tests->test);
	memset(tests, 0, sizeof(*tests));
}

bool
callsync_doc_tests(const json_t *value, bool any, const char *where, CallsyncDocError *err, JsonTests *tests)
{
	const char *key;
	json_t	   *want;

	tests->any = any;
	if (value == NULL)
		return true;
	if (!json_is_object(value))
		return callsync_doc_error(err, where, "Write {\"/pointer\": value}.", "Tests on JSON are an object.");
	json_object_foreach((json_t *) value, key, want)
	{
		JsonTest   *grown;
		JsonTest   *test;

		if (!is_pointer(key))
			return callsync_doc_error(err, where, "A JSON pointer looks like /error/code.", "\"%.60s\" is not a JSON pointer.", key);
		grown = callsync_doc_grow(tests->test, tests->n, sizeof(JsonTest));
		if (grown == NULL)
			return callsync_doc_error(err, where, NULL, "Out of memory.");
		tests->test = grown;
		test = &grown[tests->n];
		test->pointer = key;
		test->kind = JSON_TEST_IN;
		test->list = want;
		if (json_is_object(want))
		{
			static const char *const ops[] = {"exists", "regex", "not", NULL};
			const char *re = NULL;

			if (!callsync_doc_keys(want, where, err, ops) || !callsync_doc_text(want, "regex", where, err, &re))
				return false;
			if (json_object_size(want) != 1)
				return callsync_doc_error(err, where, NULL, "A test has one of \"exists\", \"regex\" and \"not\".");
			if (json_object_get(want, "not") != NULL)
			{
				test->negate = true;
				test->list = json_object_get(want, "not");
			}
			else if (re != NULL)
			{
				if (!callsync_doc_regex(re, where, err, &test->re))
					return false;
				test->kind = JSON_TEST_REGEX;
			}
			else
			{
				test->kind = JSON_TEST_EXISTS;
				if (!callsync_doc_bool(want, "exists", where, err, &test->flag))
					return false;
			}
		}
		tests->n++;
	}
	return true;
}

bool
callsync_name_matches(const char *name, const char *pattern)
{
	const char *star = NULL;
	const char *resume = NULL;

	while (*name != '\0')
	{
		if (*pattern == '*')
		{
			star = pattern++;
			resume = name;
		}
		else if (*pattern == *name)
		{
			pattern++;
			name++;
		}
		else if (star != NULL)
		{
			pattern = star + 1;
			name = ++resume;
		}
		else
			return false;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
