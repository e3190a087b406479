/*
 * mapping_check.c
 *		Around the map: merge with the default, checks at publication, and what
 *		map_document() and map_impact() read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mapping_impl.h"

/* Object by object and field by field; a field's entry is replaced as a whole, null removes it. */
json_t *
callsync_map_merge(const json_t *defaults, const json_t *map)
{
	json_t	   *merged = json_is_object(defaults) ? json_deep_copy(defaults) : json_object();
	const char *object;
	json_t	   *entries;

	json_object_foreach((json_t *) map, object, entries)
	{
		json_t	   *target = json_object_get(merged, object);
		const char *field;
		json_t	   *spec;

		if (json_is_null(entries))
		{
			json_object_del(merged, object);
			continue;
		}
		if (!json_is_object(entries) || !json_is_object(target) || json_is_true(json_object_get(entries, "$replace")))
		{
			target = json_is_object(entries) ? json_object() : json_incref(entries);
			json_object_set_new(merged, object, target);
			if (!json_is_object(entries))
				continue;
		}
		json_object_foreach(entries, field, spec)
		{
			if (strcmp(field, "$replace") == 0)
				continue;
			if (json_is_null(spec))
				json_object_del(target, field);
			else
				json_object_set_new(target, field, json_deep_copy(spec));
		}
	}
	return merged;
}

bool
callsync_map_check(const CallsyncConnector *c, const json_t *doc, CallsyncDocError *err)
{
	json_t	   *merged;
	const char *object;
	json_t	   *entries;
	bool		ok = true;

	if (!json_is_object(doc))
		return callsync_doc_error(err, "", NULL, "A field map is an object {object: {field: source}}.");
	json_object_foreach((json_t *) doc, object, entries)
	{
		char		where[200];

		if (strcmp(object, "defaults") == 0 || strcmp(object, "note") == 0)
			continue;
		snprintf(where, sizeof(where), "/%s", object);
		if (json_object_get(callsync_connector_mapping(c), object) == NULL && callsync_connector_object(c, object) == NULL)
		{
			char		hint[400];
			size_t		used = (size_t) snprintf(hint, sizeof(hint), "This connector maps ");
			const char *name;
			json_t	   *any;

			json_object_foreach((json_t *) callsync_connector_mapping(c), name, any)
			{
				if (strcmp(name, "defaults") != 0 && used < sizeof(hint) - 60)
					used += (size_t) snprintf(hint + used, sizeof(hint) - used, "%.50s ", name);
			}
			return callsync_doc_error(err, where, hint, "Object \"%.60s\" is unknown to this connector.", object);
		}
		if (!json_is_object(entries) && !json_is_null(entries))
			return callsync_doc_error(err, where, NULL, "The map of an object is {field: source}.");
	}
	merged = callsync_map_merge(callsync_connector_mapping(c), doc);
	json_object_foreach(merged, object, entries)
	{
		CallsyncMap *map;

		if (strcmp(object, "defaults") == 0 || strcmp(object, "note") == 0)
			continue;
		map = callsync_map_parse(merged, object, err);
		if (map == NULL)
		{
			ok = false;
			break;
		}
		callsync_map_free(map);
	}
	json_decref(merged);
	return ok;
}

/* ---- description ---- */

static void
put_word(TextBuf *how, const char *word)
{
	if (how->len > 0)
		callsync_text_puts(how, ", ");
	callsync_text_puts(how, word);
}

static void
describe_how(const MapSpec *spec, TextBuf *how)
{
	static const char *const writes[] = {NULL, "only when creating", "only when updating", "only where empty",
	"only where empty in an existing record", "added in front of what is stored"};
	char		text[80];

	for (int i = 0; i < spec->nfilters; i++)
	{
		put_word(how, spec->filters[i].filter->name);
		if (spec->filters[i].arg != NULL)
		{
			callsync_text_puts(how, ":");
			callsync_text_puts(how, spec->filters[i].arg);
		}
	}
	if (spec->enums != NULL)
	{
		if (json_is_string(spec->enums))
		{
			snprintf(text, sizeof(text), "values by list \"%.50s\"", json_string_value(spec->enums));
			put_word(how, text);
		}
		else
		{
			snprintf(text, sizeof(text), "%zu mapped values", json_object_size(spec->enums));
			put_word(how, text);
		}
	}
	if (spec->required)
		put_word(how, spec->on_missing == MAP_HOLD ? "required (held without)" :
				 spec->on_missing == MAP_DEFAULT ? "required (default without)" : "required (sent without, flagged)");
	if (spec->default_value != NULL)
	{
		char	   *dump = callsync_json_dump(spec->default_value, NULL);

		put_word(how, "default ");
		callsync_text_puts(how, dump ? dump : "");
		free(dump);
	}
	if (spec->code != NULL)
	{
		char	   *dump = callsync_json_dump(spec->code, NULL);

		put_word(how, "when missing ");
		callsync_text_puts(how, dump ? dump : "");
		callsync_text_puts(how, " and review");
		free(dump);
	}
	if (spec->on_null == MAP_NULL)
		put_word(how, "null clears the field");
	if (spec->max > 0)
	{
		snprintf(text, sizeof(text), "at most %lld characters", (long long) spec->max);
		put_word(how, text);
	}
	if (writes[spec->write] != NULL)
		put_word(how, writes[spec->write]);
	if (spec->when != NULL)
		put_word(how, "conditional");
	if (spec->if_exists || spec->if_declared)
		put_word(how, "where the field exists");
	if (spec->labelled != NULL)
	{
		put_word(how, "the field with label \"");
		callsync_text_puts(how, spec->labelled);
		callsync_text_puts(how, "\"");
	}
}

void
callsync_map_targets(const CallsyncMap *map, void (*fn) (void *arg, const char *field, const char *label), void *arg)
{
	for (int i = 0; i < map->nentries; i++)
		for (int k = 0; k < map->entries[i].nspecs; k++)
			fn(arg, map->entries[i].field, map->entries[i].specs[k].labelled);
}

typedef struct Visit
{
	CallsyncMapVisit visit;
	void	   *arg;
	const char *field;
	const char *how;
	int			n;				/* sources of the value */
} Visit;

/* What decides whether the field is written, or a line of it */
static void
visit_condition(void *arg, const char *path, bool optional)
{
	Visit	   *v = arg;

	(void) optional;
	v->visit(v->arg, v->field, path, "condition");
}

static void
visit_path(void *arg, const char *path, bool optional)
{
	Visit	   *v = arg;

	(void) optional;
	v->visit(v->arg, v->field, path, v->how);
	v->n++;
}

void
callsync_map_describe(const CallsyncMap *map, CallsyncMapVisit visit, void *arg)
{
	for (int i = 0; i < map->nentries; i++)
		for (int k = 0; k < map->entries[i].nspecs; k++)
		{
			const MapSpec *spec = &map->entries[i].specs[k];
			TextBuf		how = {0};
			Visit		v = {visit, arg, map->entries[i].field, NULL, 0};

			describe_how(spec, &how);
			v.how = how.data ? how.data : "";
			if (spec->each != NULL)
			{
				TextBuf		path = {0};

				callsync_text_puts(&path, spec->each->text);
				callsync_text_puts(&path, ".*");
				visit_path(&v, path.data, true);
				callsync_text_free(&path);
			}
			for (int f = 0; f < spec->nfrom; f++)
				for (int p = 0; p < spec->from[f].npaths; p++)
					visit_path(&v, spec->from[f].paths[p]->text, true);
			callsync_cond_paths(spec->when, visit_condition, &v);
			for (int l = 0; l < spec->nlines; l++)
			{
				callsync_cond_paths(spec->lines[l].when, visit_condition, &v);
				callsync_template_paths(spec->lines[l].text, visit_path, &v);
			}
			callsync_template_paths(spec->tree, visit_path, &v);
			if (v.n == 0)
			{
				char	   *dump = spec->constant ? callsync_json_dump(spec->constant, NULL) : NULL;
				TextBuf		text = {0};

				callsync_text_puts(&text, "constant ");
				callsync_text_puts(&text, dump ? dump : "text");
				visit(arg, map->entries[i].field, text.data, v.how);
				callsync_text_free(&text);
				free(dump);
			}
			callsync_text_free(&how);
		}
}
