/*
 * mapping_take.c
 *		Where the value of a mapped field comes from: the first source that has
 *		one, lines of text, or a tree.  "Unknown" is no value, whatever word the
 *		source has for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/mapping_apply.h"

/* Words that stand for "nothing": a source's way to say that it does not know. */
bool
callsync_map_is_nothing(const CallsyncMap *map, const json_t *value)
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
listed(const MapApply *a, const MapSpec *spec, const json_t *value)
{
	const json_t *enums = spec->enums;

	if (json_is_string(enums))
		enums = json_object_get(a->input->vars, json_string_value(enums));
	return json_is_string(value) && json_object_get(enums, json_string_value(value)) != NULL;
}

MapTaken
callsync_map_run_filters(MapGate *g, json_t *value, json_t **out, char *message, size_t size)
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

MapTaken
callsync_map_take_from(MapGate *g, json_t **out, char *message, size_t size)
{
	const MapSpec *spec = g->spec;
	MapTaken		taken = TAKEN_NOTHING;
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
				if (callsync_map_is_nothing(g->a->map, value) && !listed(g->a, spec, value))
				{
					json_decref(value);
					continue;
				}
				switch (callsync_map_run_filters(g, value, out, why, sizeof(why)))
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

MapTaken
callsync_map_take_lines(MapGate *g, json_t **out, char *message, size_t size)
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
	return callsync_map_run_filters(g, *out, out, message, size);
}

MapTaken
callsync_map_take_tree(MapGate *g, json_t **out, char *message, size_t size)
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
	if (absent || callsync_map_is_nothing(g->a->map, *out))
	{
		json_decref(*out);
		*out = NULL;
		return TAKEN_NOTHING;
	}
	return TAKEN_VALUE;
}
