/*
 * mapping_fit.c
 *		Would the destination take this value?  Known values, the field's type,
 *		its options and its length, checked before anything is sent.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mapping_apply.h"

/* ---- is it a known value? ---- */

static bool
scalar_to_text(const json_t *value, char *out, size_t size)
{
	TextBuf		buf = {0};
	bool		ok = callsync_scalar_text(value, &buf) && buf.len < size;

	if (ok)
	{
		memcpy(out, buf.data ? buf.data : "", buf.len);
		out[buf.len] = '\0';
	}
	callsync_text_free(&buf);
	return ok;
}

/* Takes over value; returns the value to go on with, or NULL when it is settled (*settled has the result). */
json_t *
callsync_map_enum(MapGate *g, json_t *value, bool *settled, json_t **result)
{
	const json_t *enums = g->spec->enums;
	const json_t *mapped = NULL;
	char		text[256];
	char		message[400];

	if (json_is_string(enums))
		enums = json_object_get(g->a->input->vars, json_string_value(enums));
	if (scalar_to_text(value, text, sizeof(text)))
	{
		mapped = json_object_get(enums, text);
		if (mapped == NULL)
		{
			const char *key;
			json_t	   *member;

			json_object_foreach((json_t *) enums, key, member)
			{
				if (strcasecmp(key, text) == 0)
				{
					mapped = member;
					break;
				}
			}
		}
		if (mapped == NULL && g->spec->has_pass && regexec(&g->spec->pass, text, 0, NULL, 0) == 0)
			return value;
	}
	else
		snprintf(text, sizeof(text), "(not a single value)");
	if (mapped == NULL)
		mapped = json_object_get(enums, "*");
	if (mapped != NULL)
	{
		json_decref(value);
		callsync_map_row(g, "enum", true, "sent", "");
		if (json_is_null(mapped))
		{
			*settled = true;
			*result = NULL;
			return NULL;
		}
		return json_incref((json_t *) mapped);
	}
	json_decref(value);
	snprintf(message, sizeof(message), "\"%.100s\" is not in the list of known values.", text);
	*settled = true;
	*result = callsync_map_act(g, g->spec->on_unknown, "enum", message);
	return NULL;
}

/*
 * The option that the text means: by its value, else by its label ({"value", "label"});
 * borrowed, NULL if there is none.
 */
static json_t *
find_option(const json_t *options, const char *text)
{
	char		one[256];

	for (int by_label = 0; by_label < 2; by_label++)
		for (size_t i = 0; i < json_array_size(options); i++)
		{
			json_t	   *option = json_array_get(options, i);
			json_t	   *value = json_is_object(option) ? json_object_get(option, "value") : option;
			const json_t *shown = by_label && json_is_object(option) ? json_object_get(option, "label") : value;

			if (scalar_to_text(shown, one, sizeof(one)) &&
				(by_label ? strcasecmp(one, text) : strcmp(one, text)) == 0)
				return value;
		}
	return NULL;
}

bool
callsync_map_option_known(const json_t *field, const json_t *value)
{
	const json_t *options = json_object_get(field, "options");
	char		text[256];

	if (json_array_size(options) == 0 || json_is_null(value))
		return true;
	if (!json_is_array(value))
		return !scalar_to_text(value, text, sizeof(text)) || find_option(options, text) != NULL;
	for (size_t i = 0; i < json_array_size(value); i++)
		if (scalar_to_text(json_array_get(value, i), text, sizeof(text)) && find_option(options, text) == NULL)
			return false;
	return true;
}

/* ---- is it of the field's type? ---- */

static bool
is_email(const char *s)
{
	const char *at = strchr(s, '@');
	const char *dot;

	if (at == NULL || at == s || strchr(at + 1, '@') != NULL || strpbrk(s, " \t\r\n,;<>()") != NULL)
		return false;
	dot = strchr(at + 1, '.');
	return dot != NULL && dot != at + 1 && s[strlen(s) - 1] != '.' && strstr(s, "..") == NULL;
}

static bool
is_https(const char *s)
{
	return (strncasecmp(s, "https://", 8) == 0 && s[8] != '\0') || (strncasecmp(s, "http://", 7) == 0 && s[7] != '\0');
}

/* Runs one filter by name as a conversion; NULL + *why when it does not fit. */
static json_t *
convert(MapGate *g, const char *filter, json_t *value, const char **why)
{
	CallsyncFilterCall call = {callsync_filter_find(filter, strlen(filter)), NULL};
	json_t	   *out = callsync_filters_run(&call, 1, g->a->input->env, value, why);

	if (out == NULL && *why == NULL)
		*why = "is empty";
	return out;
}

/*
 * Gives the value its type.  New reference, or NULL + *why.  What an "as" already
 * formatted is only checked, so that the map's own format stands.
 */
static json_t *
to_type(MapGate *g, FieldType type, json_t *value, const char **why)
{
	const char *s = json_string_value(value);
	int64_t		ms;
	json_t	   *out;

	*why = NULL;
	switch (type)
	{
		case FIELD_ANY:
		case FIELD_JSON:
		case FIELD_MULTI:
			return json_incref(value);
		case FIELD_STRING:
		case FIELD_PHONE:
		case FIELD_ENUM:
			if (s != NULL)
				return json_incref(value);
			if (type == FIELD_ENUM && json_is_number(value))
				return json_incref(value);	/* options may be numbers */
			if (json_is_array(value) || json_is_object(value))
				return convert(g, json_is_array(value) ? "join" : "json", value, why);
			return convert(g, "text", value, why);
		case FIELD_EMAIL:
			if (s == NULL || !is_email(s))
				*why = "is not an e-mail address";
			break;
		case FIELD_URL:
			if (s == NULL || !is_https(s))
				*why = "is not a URL";
			break;
		case FIELD_NUMBER:
			return convert(g, "number", value, why);
		case FIELD_INTEGER:
			out = convert(g, "number", value, why);
			if (out != NULL && !json_is_integer(out))
			{
				json_decref(out);
				*why = "is not a whole number";
				return NULL;
			}
			return out;
		case FIELD_BOOL:
			return convert(g, "bool", value, why);
		case FIELD_DATE:
			if (s != NULL && strlen(s) == 10 && callsync_time_parse(s, 10, NULL, true, false, &ms))
				break;
			return convert(g, "date", value, why);
		case FIELD_DATETIME:
			/* formatted by the map: it has to be an instant in some spelling, no more */
			if (g->spec->nfilters > 0 && (json_is_integer(value) ||
										  (s != NULL && callsync_time_parse(s, strlen(s), g->a->input->env, true, true, &ms))))
				break;
			return convert(g, "iso8601z", value, why);
	}
	return *why == NULL ? json_incref(value) : NULL;
}

static size_t
utf8_length(const char *s)
{
	size_t		n = 0;

	for (; *s; s++)
		if (((unsigned char) *s & 0xC0) != 0x80)
			n++;
	return n;
}

/* Takes over value; returns what to send or NULL. */
json_t *
callsync_map_fit(MapGate *g, json_t *value)
{
	const MapSpec *spec = g->spec;
	FieldType	type = spec->type;
	const json_t *options = json_object_get(g->remote, "options");
	int64_t		max = spec->max;
	const char *why;
	json_t	   *typed;
	char		message[400];
	int64_t		remote_max = json_integer_value(json_object_get(g->remote, "max"));

	if (type == FIELD_ANY && g->remote != NULL)
	{
		int			t = callsync_field_type(json_string_value(json_object_get(g->remote, "type")));

		type = t < 0 ? FIELD_ANY : (FieldType) t;
	}
	/* an id that is not known yet stands for itself in a preview */
	if (g->a->input->mode == CALLSYNC_RENDER_PREVIEW && json_is_string(value) &&
		strncmp(json_string_value(value), "{{", 2) == 0)
		return value;

	typed = to_type(g, type, value, &why);
	if (typed == NULL)
	{
		json_decref(value);
		snprintf(message, sizeof(message), "The value of \"%.80s\" %s.", g->source ? g->source : g->field, why);
		return callsync_map_act(g, spec->on_invalid, "type", message);
	}
	json_decref(value);
	value = typed;
	if (type != FIELD_ANY)
		callsync_map_row(g, "type", true, "sent", "");

	if (spec->has_pattern &&
		(!json_is_string(value) || regexec(&spec->pattern, json_string_value(value), 0, NULL, 0) != 0))
	{
		json_decref(value);
		snprintf(message, sizeof(message), "The value of \"%.80s\" has not the form that the map asks for.",
				 g->source ? g->source : g->field);
		return callsync_map_act(g, spec->on_invalid, "format", message);
	}

	if ((type == FIELD_ENUM || type == FIELD_MULTI) && callsync_json_truthy(options))
	{
		size_t		n = json_is_array(value) ? json_array_size(value) : 1;
		json_t	   *chosen = json_array();

		for (size_t i = 0; i < n; i++)
		{
			const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
			json_t	   *option;
			char		text[256];

			if (scalar_to_text(one, text, sizeof(text)) && (option = find_option(options, text)) != NULL)
				json_array_append(chosen, option);
			else
			{
				json_decref(chosen);
				snprintf(message, sizeof(message), "\"%.100s\" is not one of the destination's options.",
						 json_is_string(one) ? json_string_value(one) : "value");
				json_decref(value);
				return callsync_map_act(g, spec->on_unknown, "enum", message);
			}
		}
		if (json_is_array(value))
		{
			json_decref(value);
			value = chosen;
		}
		else
		{
			json_decref(value);
			value = json_incref(json_array_get(chosen, 0));
			json_decref(chosen);
		}
		callsync_map_row(g, "enum", true, "sent", "");
	}

	if (remote_max > 0 && (max == 0 || remote_max < max))
		max = remote_max;
	if (max > 0 && json_is_string(value) && json_string_length(value) > (size_t) max)
	{
		size_t		length = utf8_length(json_string_value(value));

		if (length > (size_t) max)
		{
			snprintf(message, sizeof(message), "The text has %zu characters, %lld are possible.", length, (long long) max);
			if (spec->on_too_long != MAP_TRUNCATE_AND_FLAG)
			{
				json_decref(value);
				return callsync_map_act(g, spec->on_too_long, "max", message);
			}
			else
			{
				const char *s = json_string_value(value);
				size_t		bytes = 0;
				int64_t		left = max;
				json_t	   *cut;

				while (s[bytes] != '\0')
				{
					if (((unsigned char) s[bytes] & 0xC0) != 0x80 && left-- == 0)
						break;
					bytes++;
				}
				cut = json_stringn(s, bytes);
				callsync_map_row(g, "max", false, "truncated", message);
				callsync_map_raise(g->a->result, CALLSYNC_MAP_REVIEW);
				json_decref(value);
				return cut;
			}
		}
	}
	if (max > 0)
		callsync_map_row(g, "max", true, "sent", "");
	return value;
}
