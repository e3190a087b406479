/*
 * mapping.c
 *		Applying a field map to a call, see mapping.h.
 *
 * Each field goes through the same gates in the same order: may it be written
 * at all, where does its value come from, is it missing, is it a known value, is
 * it of the field's type, does it fit.  A gate that does not simply pass leaves a
 * result row.
 */
#include "core/mapping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mapping_impl.h"

typedef struct Apply
{
	const CallsyncMap *map;
	const CallsyncRenderInput *input;
	const CallsyncMapOptions *options;
	CallsyncMapResult *result;
} Apply;

/* What a row says about a field */
typedef struct Gate
{
	Apply	   *a;
	const MapSpec *spec;
	const char *field;
	const char *source;
	const json_t *remote;		/* the destination's description of the field, or NULL */
} Gate;

static void
raise_verdict(CallsyncMapResult *result, CallsyncMapVerdict verdict)
{
	if (verdict == CALLSYNC_MAP_HOLD || (verdict == CALLSYNC_MAP_REVIEW && result->verdict == CALLSYNC_MAP_SEND))
		result->verdict = verdict;
}

static void
row(Gate *g, const char *rule, bool ok, const char *action, const char *message)
{
	if (ok)
		g->a->result->passed++;
	else
		g->a->result->failed++;
	if (ok && !g->a->options->list_passes)
		return;
	json_array_append_new(g->a->result->results,
						  json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "field", g->field, "source", g->source ? g->source : "",
									"rule", rule, "ok", ok, "action", action, "message", message));
}

/*
 * Carries out what the map says about a value that cannot be sent as it is.
 * Returns the value to send instead (new reference) or NULL: none.
 */
static json_t *
act(Gate *g, MapAction action, const char *rule, const char *message)
{
	switch (action)
	{
		case MAP_OMIT:
			return NULL;
		case MAP_NULL:
			return json_null();
		case MAP_DEFAULT:
			row(g, rule, true, "default", message);
			return json_incref((json_t *) g->spec->default_value);
		case MAP_CODE:
			row(g, rule, false, "review", message);
			raise_verdict(g->a->result, CALLSYNC_MAP_REVIEW);
			return json_incref((json_t *) g->spec->code);
		case MAP_HOLD:
			row(g, rule, false, "hold", message);
			raise_verdict(g->a->result, CALLSYNC_MAP_HOLD);
			return NULL;
		default:
			row(g, rule, false, "omitted", message);
			raise_verdict(g->a->result, CALLSYNC_MAP_REVIEW);
			return NULL;
	}
}

/* ---- may it be written? ---- */

static const json_t *
existing_value(const Apply *a, const char *field, const char *stored)
{
	const json_t *value = json_object_get(a->options->existing, field);

	if (value == NULL)
		value = json_object_get(json_object_get(a->options->existing, "fields"), field);
	if (value == NULL && stored != NULL)
		value = json_object_get(a->options->existing, stored);
	return value;
}

static size_t
digits_of(const char *s, char *out, size_t size)
{
	size_t		n = 0;

	for (; *s; s++)
		if (*s >= '0' && *s <= '9' && n + 1 < size)
			out[n++] = *s;
	out[n] = '\0';
	return n;
}

/* Same text, or two spellings of one line: the shorter number is the end of the longer. */
static bool
same_value(const json_t *a, const json_t *b)
{
	char		da[40];
	char		db[40];
	size_t		na;
	size_t		nb;

	if (!json_is_string(a) || !json_is_string(b))
		return json_equal(a, b);
	if (strcasecmp(json_string_value(a), json_string_value(b)) == 0)
		return true;
	na = digits_of(json_string_value(a), da, sizeof(da));
	nb = digits_of(json_string_value(b), db, sizeof(db));
	if (na < 8 || nb < 8)
		return false;
	return na >= nb ? strcmp(da + na - nb, db) == 0 : strcmp(db + nb - na, da) == 0;
}

static bool
may_write(const Apply *a, const MapSpec *spec, const char *field)
{
	bool		creating = a->options->creating;

	switch (spec->write)
	{
		case MAP_WRITE_ALWAYS:
			return true;
		case MAP_WRITE_CREATE:
			return creating;
		case MAP_WRITE_UPDATE:
			return !creating;
		case MAP_WRITE_IF_EMPTY:
			if (creating)
				return true;
			break;
		case MAP_WRITE_UPDATE_IF_EMPTY:
			if (creating)
				return false;
			break;
		case MAP_WRITE_APPEND:
			/* a list that is sent replaces the stored one: it has to be known */
			return creating || a->options->existing != NULL;
	}
	/* what is stored is not known: nobody's value is overwritten on a guess */
	if (a->options->existing == NULL)
		return false;
	return !callsync_json_truthy(existing_value(a, field, spec->stored));
}

static bool
is_stored_elsewhere(const Apply *a, const MapSpec *spec, const json_t *value)
{
	for (size_t i = 0; i < json_array_size(spec->unless_in); i++)
	{
		const char *column = json_string_value(json_array_get(spec->unless_in, i));

		if (column != NULL && !a->options->creating && same_value(existing_value(a, column, column), value))
			return true;
	}
	return false;
}

static bool
in_names(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		const char *one = json_string_value(json_array_get(list, i));

		if (one != NULL && strcmp(one, name) == 0)
			return true;
	}
	return false;
}

/* Does the destination take writes to the field? */
static bool
field_accepts(Gate *g)
{
	const CallsyncMapOptions *options = g->a->options;

	if (in_names(options->blocked, g->field))
	{
		row(g, "drift", false, "omitted", "Writes to this field are stopped since the destination refused it.");
		raise_verdict(g->a->result, CALLSYNC_MAP_REVIEW);
		return false;
	}
	if (g->remote == NULL)
	{
		if (g->spec->if_declared)
			return false;
		if (!options->spec_complete)
			return true;
		if (g->spec->if_exists)
			return false;
		row(g, "unknown_field", false, "omitted", "The destination has no such field.");
		raise_verdict(g->a->result, CALLSYNC_MAP_REVIEW);
		return false;
	}
	if (json_is_true(json_object_get(g->remote, "readonly")))
	{
		row(g, "readonly", false, "omitted", "The destination does not let this field be written.");
		raise_verdict(g->a->result, CALLSYNC_MAP_REVIEW);
		return false;
	}
	return true;
}

/* ---- where does the value come from? ---- */

/* Words that stand for "nothing": a source's way to say that it does not know. */
static bool
is_nothing(const CallsyncMap *map, const json_t *value)
{
	static const char *const words[] = {"n/a", "null", "undefined", "unknown", "not provided", "not specified",
	"not mentioned", "not given", NULL};
	const char *s;

	if (value == NULL || json_is_null(value))
		return true;
	if (json_is_array(value) || json_is_object(value))
		return !callsync_json_truthy(value);
	if (!json_is_string(value))
		return false;
	s = json_string_value(value);
	while (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\r')
		s++;
	if (*s == '\0')
		return true;
	if (map->null_words != NULL)
	{
		for (size_t i = 0; i < json_array_size(map->null_words); i++)
			if (json_is_string(json_array_get(map->null_words, i)) &&
				strcasecmp(s, json_string_value(json_array_get(map->null_words, i))) == 0)
				return true;
		return false;
	}
	/* a quick look before eight comparisons */
	if (strchr("nNuU", *s) == NULL)
		return false;
	for (int i = 0; words[i] != NULL; i++)
		if (strcasecmp(s, words[i]) == 0)
			return true;
	return false;
}

/* "unknown" is a value where the map lists it */
static bool
listed(const Apply *a, const MapSpec *spec, const json_t *value)
{
	const json_t *enums = spec->enums;

	if (json_is_string(enums))
		enums = json_object_get(a->input->vars, json_string_value(enums));
	return json_is_string(value) && json_object_get(enums, json_string_value(value)) != NULL;
}

typedef enum Taken
{
	TAKEN_VALUE,
	TAKEN_NOTHING,
	TAKEN_INVALID
} Taken;

static Taken
run_filters(Gate *g, json_t *value, json_t **out, char *message, size_t size)
{
	const char *refused;

	if (g->spec->nfilters == 0)
	{
		*out = value;
		return TAKEN_VALUE;
	}
	*out = callsync_filters_run(g->spec->filters, g->spec->nfilters, g->a->input->env, value, &refused);
	json_decref(value);
	if (refused != NULL)
	{
		snprintf(message, size, "The value of \"%.80s\" %s.", g->source ? g->source : g->field, refused);
		return TAKEN_INVALID;
	}
	return *out != NULL ? TAKEN_VALUE : TAKEN_NOTHING;
}

static Taken
take_from(Gate *g, json_t **out, char *message, size_t size)
{
	const MapSpec *spec = g->spec;
	Taken		taken = TAKEN_NOTHING;
	const char *bad_source = NULL;

	for (int i = 0; i < spec->nfrom; i++)
	{
		json_t	   *value;
		PathOrigin	origin;
		CallsyncDocError err;
		char		why[300];

		g->source = spec->from[i].paths[0]->text;
		switch (callsync_expr_eval(&spec->from[i], g->a->input, NULL, &value, &origin, &err))
		{
			case EXPR_VALUE:
				if (is_nothing(g->a->map, value) && !listed(g->a, spec, value))
				{
					json_decref(value);
					continue;
				}
				switch (run_filters(g, value, out, why, sizeof(why)))
				{
					case TAKEN_VALUE:
						return TAKEN_VALUE;
					case TAKEN_NOTHING:
						continue;
					case TAKEN_INVALID:
						break;
				}
				break;
			case EXPR_PLACEHOLDER:
				*out = value;
				return TAKEN_VALUE;
			case EXPR_MISSING:
				continue;
			case EXPR_REFUSED:
				snprintf(why, sizeof(why), "%.290s", err.what);
				break;
		}
		/* the next source may do better; the first complaint is the one to tell */
		if (taken != TAKEN_INVALID)
		{
			taken = TAKEN_INVALID;
			bad_source = g->source;
			snprintf(message, size, "%s", why);
		}
	}
	if (bad_source != NULL)
		g->source = bad_source;
	else if (spec->nfrom > 0)
		g->source = spec->from[0].paths[0]->text;
	return taken;
}

static Taken
take_lines(Gate *g, json_t **out, char *message, size_t size)
{
	const MapSpec *spec = g->spec;
	TextBuf		text = {0};
	bool		any = false;

	for (int i = 0; i < spec->nlines; i++)
	{
		CallsyncDocError err = {"", "", ""};
		char	   *line;

		if (!callsync_cond_holds(spec->lines[i].when, g->a->input))
			continue;
		line = callsync_template_render_text(spec->lines[i].text, g->a->input, &err);
		/* a line whose value is missing is left out; a value that is refused is told */
		if (line == NULL)
		{
			if (err.what[0] != '\0' && strstr(err.what, "has no value") == NULL)
			{
				snprintf(message, size, "%s", err.what);
				callsync_text_free(&text);
				return TAKEN_INVALID;
			}
			continue;
		}
		if (line[0] != '\0')
		{
			if (any)
				callsync_text_puts(&text, spec->join);
			callsync_text_puts(&text, line);
			any = true;
		}
		free(line);
	}
	*out = any ? json_stringn(text.data, text.len) : NULL;
	callsync_text_free(&text);
	if (*out == NULL)
		return TAKEN_NOTHING;
	return run_filters(g, *out, out, message, size);
}

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
static json_t *
map_enum(Gate *g, json_t *value, bool *settled, json_t **result)
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
		row(g, "enum", true, "sent", "");
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
	*result = act(g, g->spec->on_unknown, "enum", message);
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
convert(Gate *g, const char *filter, json_t *value, const char **why)
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
to_type(Gate *g, FieldType type, json_t *value, const char **why)
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
static json_t *
fit(Gate *g, json_t *value)
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
		return act(g, spec->on_invalid, "type", message);
	}
	json_decref(value);
	value = typed;
	if (type != FIELD_ANY)
		row(g, "type", true, "sent", "");

	if (spec->has_pattern &&
		(!json_is_string(value) || regexec(&spec->pattern, json_string_value(value), 0, NULL, 0) != 0))
	{
		json_decref(value);
		snprintf(message, sizeof(message), "The value of \"%.80s\" has not the form that the map asks for.",
				 g->source ? g->source : g->field);
		return act(g, spec->on_invalid, "format", message);
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
				return act(g, spec->on_unknown, "enum", message);
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
		row(g, "enum", true, "sent", "");
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
				return act(g, spec->on_too_long, "max", message);
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
				row(g, "max", false, "truncated", message);
				raise_verdict(g->a->result, CALLSYNC_MAP_REVIEW);
				json_decref(value);
				return cut;
			}
		}
	}
	if (max > 0)
		row(g, "max", true, "sent", "");
	return value;
}

/* ---- one field ---- */

static void
put_field(Gate *g, json_t *value)
{
	if (value != NULL)
		json_object_set_new(g->a->result->fields, g->field, value);
}

/* From the raw value (taken over; NULL = missing) to what is sent. */
static void
settle_value(Gate *g, Taken taken, json_t *value, const char *message)
{
	const MapSpec *spec = g->spec;
	bool		required = spec->required ||
		(g->a->options->creating && json_is_true(json_object_get(g->remote, "required")));
	bool		settled = false;
	json_t	   *result = NULL;

	if (taken == TAKEN_INVALID)
	{
		result = act(g, required && spec->on_invalid != MAP_DEFAULT ? spec->on_missing : spec->on_invalid, "format", message);
		put_field(g, result);
		return;
	}
	if (taken == TAKEN_VALUE && spec->enums != NULL)
	{
		value = map_enum(g, value, &settled, &result);
		if (settled)
		{
			if (result == NULL && required)
				result = act(g, spec->on_missing, "required", "A required field has no value.");
			put_field(g, result);
			return;
		}
	}
	if (taken == TAKEN_NOTHING)
	{
		if (required)
		{
			MapAction	action = spec->default_value != NULL ? MAP_DEFAULT : spec->on_missing;

			put_field(g, act(g, action, "required", "A required field has no value."));
		}
		else
			put_field(g, act(g, spec->on_null, "null", "There is no value."));
		return;
	}
	if (spec->unless_in != NULL && is_stored_elsewhere(g->a, spec, value))
	{
		json_decref(value);
		return;
	}
	value = fit(g, value);
	if (required && value != NULL)
		row(g, "required", true, "sent", "");
	put_field(g, value);
}

/* The field with that label in the destination's description; NULL: none */
static const char *
field_by_label(const json_t *fields_spec, const char *label)
{
	const char *name;
	json_t	   *field;

	json_object_foreach((json_t *) fields_spec, name, field)
	{
		const char *shown = json_string_value(json_object_get(field, "label"));

		if (shown != NULL && strcasecmp(shown, label) == 0)
			return name;
	}
	return NULL;
}

/*
 * A list that replaces the stored one: the new elements, then what is stored and
 * is not among them (by "value" where elements are objects).  Takes over value;
 * NULL when the stored list holds everything already.
 */
static json_t *
append_to_stored(Gate *g, json_t *value)
{
	const json_t *stored = existing_value(g->a, g->field, NULL);
	size_t		n_new = 0;
	json_t	   *list = json_array();

	for (size_t i = 0; i < json_array_size(value); i++)
	{
		json_t	   *one = json_array_get(value, i);
		const json_t *key = json_is_object(one) ? json_object_get(one, "value") : one;
		bool		known = false;

		for (size_t k = 0; k < json_array_size(stored) && !known; k++)
		{
			const json_t *other = json_array_get(stored, k);

			known = same_value(key, json_is_object(other) ? json_object_get(other, "value") : other);
		}
		if (!known)
		{
			json_array_append(list, one);
			n_new++;
		}
	}
	for (size_t k = 0; k < json_array_size(stored); k++)
	{
		json_t	   *other = json_deep_copy(json_array_get(stored, k));

		/* there is one primary, and it is the new one */
		if (n_new > 0 && json_is_true(json_object_get(other, "primary")))
			json_object_set_new(other, "primary", json_false());
		json_array_append_new(list, other);
	}
	json_decref(value);
	if (n_new == 0)
	{
		json_decref(list);
		return NULL;
	}
	return list;
}

static Taken
take_tree(Gate *g, json_t **out, char *message, size_t size)
{
	CallsyncDocError err = {"", "", ""};
	bool		absent;

	*out = callsync_template_render(g->spec->tree, g->a->input, &absent, &err);
	if (*out == NULL)
	{
		/* a value that is missing makes the whole missing */
		if (strstr(err.what, "has no value") != NULL)
			return TAKEN_NOTHING;
		snprintf(message, size, "%s", err.what);
		return TAKEN_INVALID;
	}
	if (absent || is_nothing(g->a->map, *out))
	{
		json_decref(*out);
		*out = NULL;
		return TAKEN_NOTHING;
	}
	return TAKEN_VALUE;
}

static void
apply_spec(Apply *a, const MapEntry *entry, const MapSpec *spec)
{
	Gate		g = {a, spec, entry->field, NULL, json_object_get(a->options->fields_spec, entry->field)};
	json_t	   *value = NULL;
	char		message[400] = "";
	Taken		taken;

	if (spec->labelled != NULL && g.remote == NULL)
	{
		const char *name = field_by_label(a->options->fields_spec, spec->labelled);

		if (name == NULL)
		{
			if (!spec->if_exists && !spec->if_declared)
			{
				row(&g, "unknown_field", false, "omitted", "No field of the destination has this label.");
				raise_verdict(a->result, CALLSYNC_MAP_REVIEW);
			}
			return;
		}
		g.field = name;
		g.remote = json_object_get(a->options->fields_spec, name);
	}
	if (!may_write(a, spec, g.field))
		return;
	if (!field_accepts(&g))
		return;
	if (spec->tree != NULL)
	{
		g.source = "tree";
		taken = take_tree(&g, &value, message, sizeof(message));
	}
	else if (spec->constant != NULL)
	{
		g.source = "constant";
		value = json_incref((json_t *) spec->constant);
		taken = TAKEN_VALUE;
	}
	else if (spec->nlines > 0)
	{
		g.source = "template";
		taken = take_lines(&g, &value, message, sizeof(message));
	}
	else
		taken = take_from(&g, &value, message, sizeof(message));
	if (taken == TAKEN_VALUE && spec->write == MAP_WRITE_APPEND && json_is_array(value) && !a->options->creating &&
		(value = append_to_stored(&g, value)) == NULL)
		return;					/* the stored list holds it already */
	settle_value(&g, taken, value, message);
}

/* Every member of an object becomes a field of its own. */
static void
apply_wildcard(Apply *a, const MapSpec *spec)
{
	PathOrigin	origin;
	json_t	   *source = callsync_path_resolve(spec->each, a->input, NULL, &origin);
	const char *key;
	json_t	   *member;

	if (!json_is_object(source))
		return;
	json_object_foreach(source, key, member)
	{
		CallsyncRenderInput with_key = *a->input;
		json_t	   *context;
		char	   *field;
		CallsyncDocError err;
		char		path[200];

		if (in_names(spec->except, key) || is_nothing(a->map, member))
			continue;
		context = json_pack("{s:s}", "key", key);
		with_key.context = context;
		field = callsync_template_render_text(spec->to, &with_key, &err);
		json_decref(context);
		if (field != NULL && json_object_get(a->result->fields, field) == NULL)
		{
			Gate		g = {a, spec, field, path, json_object_get(a->options->fields_spec, field)};

			snprintf(path, sizeof(path), "%.80s.%.100s", spec->each->text, key);
			if (may_write(a, spec, field) && field_accepts(&g))
			{
				char		message[400] = "";
				json_t	   *value;
				Taken		taken = run_filters(&g, json_incref(member), &value, message, sizeof(message));

				settle_value(&g, taken, value, message);
			}
		}
		free(field);
	}
}

bool
callsync_map_apply(const CallsyncMap *map, const CallsyncRenderInput *input, const CallsyncMapOptions *options,
				   CallsyncMapResult *result)
{
	Apply		a = {map, input, options, result};

	memset(result, 0, sizeof(*result));
	result->fields = json_object();
	result->results = json_array();
	if (result->fields == NULL || result->results == NULL)
	{
		callsync_map_result_clear(result);
		return false;
	}
	for (int i = 0; i < map->nentries; i++)
	{
		const MapEntry *entry = &map->entries[i];

		for (int k = 0; k < entry->nspecs; k++)
		{
			const MapSpec *spec = &entry->specs[k];

			if (!callsync_cond_holds(spec->when, input))
				continue;
			if (entry->wildcard)
				apply_wildcard(&a, spec);
			else
				apply_spec(&a, entry, spec);
			break;
		}
	}
	if (json_object_size(result->fields) == 0 && result->verdict != CALLSYNC_MAP_HOLD)
		result->verdict = CALLSYNC_MAP_EMPTY;
	return true;
}

void
callsync_map_result_clear(CallsyncMapResult *result)
{
	json_decref(result->fields);
	json_decref(result->results);
	memset(result, 0, sizeof(*result));
}
