/*
 * value_spec.c
 *		Reading values out of bodies by specs that are data.
 */
#include "core/value_spec.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/call_document.h"
#include "core/header_set.h"
#include "core/instant.h"

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define MAX_STEP 200
#define MAX_NESTING 16

static const char *const spec_members[] = {"from", "const", "switch", "cases", "else", "map", "as", "unit", "join", "member", "merge"};
static const char *const conversions[] = {"time", "number", "text", "lower", "object", "first"};
static const char *const units[] = {"ms", "min"};

static bool
one_of(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; text != NULL && i < n; i++)
	{
		if (strcmp(words[i], text) == 0)
			return true;
	}
	return false;
}

/* --- checking --- */

static bool
check(const json_t *spec, const char *path, int nesting, CallsyncDocError *err)
{
	const char *name;
	json_t	   *value;
	size_t		i;

	if (nesting > MAX_NESTING)
		return callsync_doc_error(err, path, "", "The value is described with too many levels.");
	if (json_is_string(spec))
	{
		const char *text = json_string_value(spec);

		if (*text == '\0' || *text == '/' || (strncmp(text, "header:", 7) == 0 && text[7] != '\0'))
			return true;
		return callsync_doc_error(err, path, "A text is a JSON pointer such as \"/call/id\", or \"header:NAME\"; a fixed value is {\"const\": ...}.",
								  "\"%.60s\" is no pointer.", text);
	}
	if (json_is_array(spec))
	{
		json_array_foreach((json_t *) spec, i, value)
		{
			if (!check(value, path, nesting + 1, err))
				return false;
		}
		return true;
	}
	if (!json_is_object(spec))
		return callsync_doc_error(err, path, "", "A value is described by a text, a list or an object.");
	json_object_foreach((json_t *) spec, name, value)
	{
		if (!one_of(name, spec_members, LENGTH(spec_members)))
			return callsync_doc_error(err, path, "Members are from, const, switch, cases, else, map, as, unit, join, member and merge.",
									  "Unknown member \"%.60s\".", name);
	}
	if (json_object_get(spec, "const") != NULL)
		return true;
	if ((value = json_object_get(spec, "switch")) != NULL)
	{
		const char *key;
		json_t	   *one;

		if (!check(value, path, nesting + 1, err))
			return false;
		if (!json_is_object(json_object_get(spec, "cases")))
			return callsync_doc_error(err, path, "", "A \"switch\" needs \"cases\", an object.");
		json_object_foreach(json_object_get(spec, "cases"), key, one)
		{
			if (!json_is_null(one) && !check(one, path, nesting + 1, err))
				return false;
		}
		value = json_object_get(spec, "else");
		return value == NULL || json_is_null(value) || check(value, path, nesting + 1, err);
	}
	if ((value = json_object_get(spec, "from")) == NULL)
		return callsync_doc_error(err, path, "", "The description has none of \"from\", \"const\" and \"switch\".");
	if (!check(value, path, nesting + 1, err))
		return false;
	if ((value = json_object_get(spec, "as")) != NULL && !one_of(json_string_value(value), conversions, LENGTH(conversions)))
		return callsync_doc_error(err, path, "Conversions are time, number, text, lower, object and first.", "Unknown conversion.");
	if ((value = json_object_get(spec, "unit")) != NULL && !one_of(json_string_value(value), units, LENGTH(units)))
		return callsync_doc_error(err, path, "Units are ms and min; seconds need none.", "Unknown unit.");
	if ((value = json_object_get(spec, "map")) != NULL && !json_is_object(value))
		return callsync_doc_error(err, path, "", "\"map\" must be an object.");
	if ((value = json_object_get(spec, "join")) != NULL && !json_is_string(json_object_get(value, "text")))
		return callsync_doc_error(err, path, "", "\"join\" needs a \"text\".");
	if ((value = json_object_get(spec, "member")) != NULL && !json_is_string(value))
		return callsync_doc_error(err, path, "", "\"member\" must be a text.");
	return true;
}

bool
callsync_spec_check(const json_t *spec, const char *path, CallsyncDocError *err)
{
	return check(spec, path, 0, err);
}

/* --- finding --- */

static bool
has_value(const json_t *value)
{
	return value != NULL && !json_is_null(value) && !(json_is_string(value) && json_string_length(value) == 0);
}

/* Unescapes one step of a pointer into out and returns the rest; NULL: too long. */
static const char *
next_step(const char *pointer, char out[MAX_STEP])
{
	size_t		n = 0;

	for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++)
	{
		if (n >= MAX_STEP - 1)
			return NULL;
		if (pointer[0] == '~' && (pointer[1] == '0' || pointer[1] == '1'))
			out[n++] = *++pointer == '0' ? '~' : '/';
		else
			out[n++] = *pointer;
	}
	out[n] = '\0';
	return pointer;
}

/* Adds what the pointer leads to from value; with a * on the way, several. */
static void
follow(const json_t *value, const char *pointer, json_t *found)
{
	char		step[MAX_STEP];
	const char *key;
	json_t	   *one;
	size_t		i;

	while (value != NULL && *pointer == '/')
	{
		pointer = next_step(pointer, step);
		if (pointer == NULL)
			return;
		if (strcmp(step, "*") == 0)
		{
			json_object_foreach((json_t *) value, key, one)
				follow(one, pointer, found);
			json_array_foreach((json_t *) value, i, one)
				follow(one, pointer, found);
			return;
		}
		if (json_is_array(value))
		{
			char	   *end;
			unsigned long index = strtoul(step, &end, 10);

			value = *step != '\0' && *end == '\0' ? json_array_get(value, index) : NULL;
		}
		else
			value = json_object_get(value, step);
	}
	if (has_value(value))
		json_array_append(found, (json_t *) value);
}

static json_t *
by_pointer(const char *pointer, const CallsyncSpecInput *input)
{
	json_t	   *found;
	json_t	   *result = NULL;

	if (strncmp(pointer, "header:", 7) == 0)
	{
		const char *text = callsync_headers_get(input->headers, pointer + 7);

		return text != NULL && *text != '\0' ? json_string(text) : NULL;
	}
	found = json_array();
	if (found == NULL)
		return NULL;
	follow(input->body, pointer, found);
	if (strstr(pointer, "/*") != NULL)
		result = json_array_size(found) > 0 ? json_incref(found) : NULL;
	else
		result = json_incref(json_array_get(found, 0));
	json_decref(found);
	return result;
}

/* --- converting --- */

bool
callsync_glob_match(const char *glob, const char *text)
{
	const char *star = NULL;
	const char *retry = NULL;

	while (*text != '\0')
	{
		if (*glob == '*')
		{
			star = glob++;
			retry = text;
		}
		else if (*glob == *text)
		{
			glob++;
			text++;
		}
		else if (star != NULL)
		{
			glob = star + 1;
			text = ++retry;
		}
		else
			return false;
	}
	while (*glob == '*')
		glob++;
	return *glob == '\0';
}

/* A scalar as text in buffer or as it stands; NULL for what is none. */
static const char *
scalar_text(const json_t *value, char buffer[40])
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		snprintf(buffer, 40, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(buffer, 40, "%.15g", json_real_value(value));
	else if (json_is_boolean(value))
		return json_is_true(value) ? "true" : "false";
	else
		return NULL;
	return buffer;
}

const json_t *
callsync_spec_case(const json_t *cases, const json_t *otherwise, const json_t *value)
{
	char		buffer[40];
	const char *text = scalar_text(value, buffer);
	const json_t *exact = text ? json_object_get(cases, text) : NULL;
	const char *glob;
	json_t	   *one;

	if (exact != NULL)
		return exact;
	if (text != NULL)
	{
		json_object_foreach((json_t *) cases, glob, one)
		{
			if (strchr(glob, '*') != NULL && callsync_glob_match(glob, text))
				return one;
		}
	}
	return otherwise;
}

static bool
as_number(const json_t *value, double *number)
{
	char	   *end;

	if (json_is_number(value))
	{
		*number = json_number_value(value);
		return true;
	}
	if (!json_is_string(value) || json_string_length(value) == 0 || json_string_length(value) > 32)
		return false;
	errno = 0;
	*number = strtod(json_string_value(value), &end);
	return *end == '\0' && errno == 0 && isfinite(*number);
}

static json_t *
number_json(double number)
{
	if (number == floor(number) && fabs(number) < 1e15)
		return json_integer((json_int_t) number);
	return json_real(number);
}

/* "{role}: {message}" with the members of item put in. */
static void
append_item(char **out, size_t *len, size_t *size, const char *template, const json_t *item)
{
	for (const char *p = template; *p != '\0';)
	{
		const char *close = *p == '{' ? strchr(p, '}') : NULL;
		char		buffer[40];
		char		name[MAX_STEP];
		const char *piece = p;
		size_t		n = 1;

		if (close != NULL && (size_t) (close - p) <= sizeof(name))
		{
			memcpy(name, p + 1, (size_t) (close - p - 1));
			name[close - p - 1] = '\0';
			piece = scalar_text(json_object_get(item, name), buffer);
			n = piece ? strlen(piece) : 0;
			p = close + 1;
		}
		else
			p++;
		if (*len + n + 1 > *size)
		{
			size_t		wanted = (*len + n + 1) * 2;
			char	   *grown = realloc(*out, wanted);

			if (grown == NULL)
				return;
			*out = grown;
			*size = wanted;
		}
		if (n > 0)
			memcpy(*out + *len, piece, n);
		*len += n;
		(*out)[*len] = '\0';
	}
}

static json_t *
join(const json_t *list, const json_t *how)
{
	const char *template = json_string_value(json_object_get(how, "text"));
	const char *separator = json_string_value(json_object_get(how, "separator"));
	char	   *out = NULL;
	size_t		len = 0;
	size_t		size = 0;
	size_t		i;
	json_t	   *item;
	json_t	   *result;

	if (!json_is_array(list))
		return json_incref((json_t *) list);
	json_array_foreach((json_t *) list, i, item)
	{
		if (!json_is_object(item))
			continue;
		if (len > 0 && separator != NULL)
			append_item(&out, &len, &size, separator, NULL);
		append_item(&out, &len, &size, template, item);
	}
	result = len > 0 ? json_stringn(out, len) : NULL;
	free(out);
	return result;
}

/* {"email": {"value": "x", ...}} with "value": {"email": "x"} */
static json_t *
take_member(const json_t *object, const char *member)
{
	json_t	   *result;
	const char *key;
	json_t	   *value;

	if (!json_is_object(object))
		return json_incref((json_t *) object);
	result = json_object();
	json_object_foreach((json_t *) object, key, value)
	{
		json_t	   *inner = json_object_get(value, member);

		if (result != NULL && has_value(inner))
			json_object_set_nocheck(result, key, inner);
	}
	return result;
}

static json_t *
merge_objects(const json_t *list)
{
	json_t	   *result;
	size_t		i;
	json_t	   *item;

	if (!json_is_array(list))
		return json_incref((json_t *) list);
	result = json_object();
	json_array_foreach((json_t *) list, i, item)
	{
		if (json_is_object(item) && result != NULL)
			json_object_update_missing(result, item);
	}
	return result;
}

static json_t *
convert(const json_t *value, const char *as)
{
	char		buffer[CALLSYNC_INSTANT_LEN];
	const char *text;
	double		number;
	int64_t		us;
	json_t	   *result;

	if (strcmp(as, "object") == 0)
		return json_is_object(value) && json_object_size(value) > 0 ? json_incref((json_t *) value) : NULL;
	if (strcmp(as, "first") == 0)
		return json_incref(json_is_array(value) ? json_array_get(value, 0) : (json_t *) value);
	if (strcmp(as, "number") == 0)
		return as_number(value, &number) ? number_json(number) : NULL;
	if (strcmp(as, "time") == 0)
	{
		/* an ISO text keeps its offset */
		if (!callsync_json_instant(value, &us))
			return NULL;
		if (json_is_string(value) && json_string_length(value) > 10 && json_string_value(value)[4] == '-')
			return json_incref((json_t *) value);
		callsync_instant_format(us, buffer);
		return json_string(buffer);
	}
	text = scalar_text(value, buffer);
	if (text == NULL)
		return NULL;
	result = json_string(text);
	if (strcmp(as, "lower") == 0 && result != NULL)
	{
		size_t		size = strlen(text) + 1;
		char	   *copy = malloc(size);

		if (copy != NULL)
			memcpy(copy, text, size);
		for (char *p = copy; p != NULL && *p != '\0'; p++)
			*p = *p >= 'A' && *p <= 'Z' ? (char) (*p + ('a' - 'A')) : *p;
		if (copy != NULL)
			json_string_set_nocheck(result, copy);
		free(copy);
	}
	return result;
}

/* Replaces *value by what a step made of it. */
static void
step_to(json_t **value, json_t *made)
{
	json_decref(*value);
	*value = made;
}

static json_t *
by_description(const json_t *spec, const CallsyncSpecInput *input)
{
	json_t	   *value = callsync_spec_value(json_object_get(spec, "from"), input);
	const json_t *how;
	double		number;

	if (value != NULL && (how = json_object_get(spec, "member")) != NULL)
		step_to(&value, take_member(value, json_string_value(how)));
	if (value != NULL && json_is_true(json_object_get(spec, "merge")))
		step_to(&value, merge_objects(value));
	if (value != NULL && (how = json_object_get(spec, "join")) != NULL)
		step_to(&value, join(value, how));
	if (value != NULL && (how = json_object_get(spec, "map")) != NULL)
	{
		const json_t *otherwise = json_object_get(spec, "else");
		const json_t *mapped = callsync_spec_case(how, otherwise ? otherwise : value, value);

		step_to(&value, has_value(mapped) ? json_incref((json_t *) mapped) : NULL);
	}
	if (value != NULL && (how = json_object_get(spec, "as")) != NULL)
		step_to(&value, convert(value, json_string_value(how)));
	if (value != NULL && (how = json_object_get(spec, "unit")) != NULL)
	{
		bool		minutes = strcmp(json_string_value(how), "min") == 0;

		/* minutes come rounded to a few places: whole seconds are as much as they tell */
		step_to(&value, as_number(value, &number)
				? number_json(minutes ? round(number * 60) : round(number) / 1000) : NULL);
	}
	return value;
}

json_t *
callsync_spec_value(const json_t *spec, const CallsyncSpecInput *input)
{
	json_t	   *value = NULL;
	size_t		i;
	json_t	   *one;

	if (json_is_string(spec))
		return by_pointer(json_string_value(spec), input);
	json_array_foreach((json_t *) spec, i, one)
	{
		value = callsync_spec_value(one, input);
		if (has_value(value))
			return value;
		json_decref(value);
		value = NULL;
	}
	if (!json_is_object(spec))
		return NULL;
	if ((value = json_object_get(spec, "const")) != NULL)
		return json_incref(value);
	if (json_object_get(spec, "switch") != NULL)
	{
		json_t	   *of = callsync_spec_value(json_object_get(spec, "switch"), input);
		const json_t *chosen = callsync_spec_case(json_object_get(spec, "cases"), json_object_get(spec, "else"), of);

		json_decref(of);
		return chosen != NULL && !json_is_null(chosen) ? callsync_spec_value(chosen, input) : NULL;
	}
	value = by_description(spec, input);
	if (!has_value(value))
	{
		json_decref(value);
		return NULL;
	}
	return value;
}
