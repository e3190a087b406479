/*
 * header_set.c
 *		Header names without case and without CGI spelling.
 */
#include "core/header_set.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_LEN 256

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c + ('a' - 'A')) : c;
}

/* Text of a value: a text itself, a number in digits, a list joined by ", "; NULL: none of these. */
static json_t *
value_text(const json_t *value)
{
	json_t	   *result = NULL;
	size_t		i;
	json_t	   *item;

	if (json_is_string(value))
		return json_incref((json_t *) value);
	if (json_is_integer(value))
		return json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (!json_is_array(value))
		return NULL;
	json_array_foreach((json_t *) value, i, item)
	{
		json_t	   *joined;

		if (!json_is_string(item))
			continue;
		joined = result == NULL ? json_incref(item)
			: json_sprintf("%s, %s", json_string_value(result), json_string_value(item));
		json_decref(result);
		result = joined;
	}
	return result;
}

bool
callsync_headers_add(json_t *headers, const char *given, size_t len, const json_t *value)
{
	char		name[NAME_MAX_LEN];
	json_t	   *text;

	if (len >= sizeof(name))
		return true;
	for (size_t i = 0; i < len; i++)
		name[i] = lower(given[i]);
	name[len] = '\0';
	text = value_text(value);
	return text == NULL || json_object_set_new_nocheck(headers, name, text) == 0;
}

json_t *
callsync_headers_normalise(const json_t *headers)
{
	json_t	   *result = json_object();
	const char *key;
	json_t	   *value;

	json_object_foreach((json_t *) headers, key, value)
	{
		if (result == NULL || !callsync_headers_add(result, key, strlen(key), value))
		{
			json_decref(result);
			return NULL;
		}
	}
	return result;
}

static bool
means(const char *stored, const char *name)
{
	if (strncmp(stored, "http_", 5) == 0)
		stored += 5;
	if (strncmp(name, "HTTP_", 5) == 0 || strncmp(name, "http_", 5) == 0)
		name += 5;
	for (; *stored != '\0' && *name != '\0'; stored++, name++)
	{
		char		a = *stored == '_' ? '-' : *stored;
		char		b = *name == '_' ? '-' : lower(*name);

		if (a != b)
			return false;
	}
	return *stored == *name;
}

const char *
callsync_headers_get(const json_t *headers, const char *name)
{
	char		folded[NAME_MAX_LEN];
	size_t		n = strlen(name);
	const char *exact;
	const char *key;
	json_t	   *value;

	if (n >= sizeof(folded))
		return NULL;
	for (size_t i = 0; i <= n; i++)
		folded[i] = lower(name[i]);
	exact = json_string_value(json_object_get(headers, folded));
	if (exact != NULL)
		return exact;
	json_object_foreach((json_t *) headers, key, value)
	{
		if (means(key, name))
			return json_string_value(value);
	}
	return NULL;
}
