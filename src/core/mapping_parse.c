/*
 * mapping_parse.c
 *		Compiling a field map.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mapping_impl.h"

static const char *const action_words[] = {"omit", "omit_and_flag", "null", "default", "code", "review", "hold",
"truncate_and_flag", NULL};
static const char *const missing_words[] = {"hold", "default", "send_without", NULL};

int
callsync_field_type(const char *name)
{
	static const struct
	{
		const char *name;
		FieldType	type;
	}			types[] = {
		{"string", FIELD_STRING}, {"text", FIELD_STRING}, {"reference", FIELD_STRING}, {"email", FIELD_EMAIL},
		{"phone", FIELD_PHONE}, {"url", FIELD_URL}, {"number", FIELD_NUMBER}, {"integer", FIELD_INTEGER},
		{"bool", FIELD_BOOL}, {"date", FIELD_DATE}, {"datetime", FIELD_DATETIME}, {"enum", FIELD_ENUM},
		{"multi", FIELD_MULTI}, {"json", FIELD_JSON},
	};

	for (size_t i = 0; name != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].type;
	return name == NULL ? FIELD_ANY : -1;
}

static bool
parse_action(const json_t *doc, const char *key, const char *where, CallsyncDocError *err, const char *const *words,
			 MapAction *out)
{
	int			action = -1;

	if (!callsync_doc_word(doc, key, where, err, words, &action))
		return false;
	if (action < 0)
		return true;
	for (int i = 0; action_words[i] != NULL; i++)
		if (strcmp(action_words[i], words[action]) == 0)
			*out = (MapAction) i;
	return true;
}

static bool
parse_from(MapSpec *spec, const json_t *from, const char *where, CallsyncDocError *err)
{
	size_t		n = json_is_array(from) ? json_array_size(from) : 1;

	spec->from = calloc(n + 1, sizeof(Expr));
	if (spec->from == NULL)
		return callsync_doc_error(err, where, NULL, "Out of memory.");
	for (size_t i = 0; i < n; i++)
	{
		const json_t *text = json_is_array(from) ? json_array_get(from, i) : from;

		if (!json_is_string(text))
			return callsync_doc_error(err, where, NULL, "\"from\" is a path or a list of paths.");
		if (!callsync_expr_parse(json_string_value(text), json_string_length(text), &spec->from[spec->nfrom], where, err))
			return false;
		spec->nfrom++;
	}
	return true;
}

static bool
parse_as(MapSpec *spec, const json_t *as, const char *where, CallsyncDocError *err)
{
	size_t		n = json_is_array(as) ? json_array_size(as) : 1;

	if (n > MAP_MAX_FILTERS)
		return callsync_doc_error(err, where, NULL, "There are more than %d filters.", MAP_MAX_FILTERS);
	for (size_t i = 0; i < n; i++)
	{
		const json_t *word = json_is_array(as) ? json_array_get(as, i) : as;

		if (!json_is_string(word))
			return callsync_doc_error(err, where, NULL, "\"as\" is a filter or a list of filters.");
		if (!callsync_filter_parse(json_string_value(word), json_string_length(word), &spec->filters[spec->nfilters], where, err))
			return false;
		spec->nfilters++;
		if (callsync_filter_takes_path(spec->filters[spec->nfilters - 1].filter))
			return callsync_doc_error(err, where, "Write it behind the path: \"from\": \"path|filter:other.path\".",
									  "A filter that looks at another value cannot stand in \"as\".");
	}
	return true;
}

static bool
parse_lines(MapSpec *spec, const json_t *doc, const char *where, CallsyncDocError *err)
{
	static const char *const keys[] = {"if", "line", NULL};
	size_t		n = json_is_array(doc) ? json_array_size(doc) : 1;

	spec->lines = calloc(n + 1, sizeof(MapLine));
	if (spec->lines == NULL)
		return callsync_doc_error(err, where, NULL, "Out of memory.");
	for (size_t i = 0; i < n; i++)
	{
		const json_t *line = json_is_array(doc) ? json_array_get(doc, i) : doc;
		const json_t *text = line;
		MapLine    *out = &spec->lines[spec->nlines++];

		if (json_is_object(line))
		{
			if (!callsync_doc_keys(line, where, err, keys))
				return false;
			text = json_object_get(line, "line");
			if (json_object_get(line, "if") != NULL &&
				(out->when = callsync_cond_parse(json_object_get(line, "if"), where, err)) == NULL)
				return false;
		}
		if (!json_is_string(text))
			return callsync_doc_error(err, where, NULL, "\"template\" is text or a list of texts and {\"if\", \"line\"}.");
		if ((out->text = callsync_template_parse(text, NULL, where, err)) == NULL)
			return false;
	}
	return true;
}

static bool
parse_defaults(const json_t *defaults, MapSpec *spec, CallsyncDocError *err)
{
	static const char *const keys[] = {"on_null", "on_unknown", "on_too_long", "on_invalid", "null_words", NULL};
	static const char *const null_words[] = {"omit", "null", NULL};
	static const char *const unknown_words[] = {"omit", "omit_and_flag", "review", "hold", NULL};
	static const char *const long_words[] = {"truncate_and_flag", "omit_and_flag", "hold", NULL};

	spec->on_null = MAP_OMIT;
	spec->on_unknown = MAP_OMIT_AND_FLAG;
	spec->on_invalid = MAP_OMIT_AND_FLAG;
	spec->on_too_long = MAP_TRUNCATE_AND_FLAG;
	spec->on_missing = MAP_HOLD;
	if (defaults == NULL)
		return true;
	return callsync_doc_keys(defaults, "/defaults", err, keys) &&
		parse_action(defaults, "on_null", "/defaults", err, null_words, &spec->on_null) &&
		parse_action(defaults, "on_unknown", "/defaults", err, unknown_words, &spec->on_unknown) &&
		parse_action(defaults, "on_invalid", "/defaults", err, unknown_words, &spec->on_invalid) &&
		parse_action(defaults, "on_too_long", "/defaults", err, long_words, &spec->on_too_long);
}

static bool
parse_spec(MapSpec *spec, const json_t *doc, bool wildcard, const json_t *defaults, const char *where, CallsyncDocError *err)
{
	static const char *const keys[] = {"from", "as", "tree", "labelled", "template", "join", "const", "enum", "pass", "pattern", "on_null",
		"on_unknown", "on_invalid", "on_too_long", "required", "default", "code", "max", "type", "write", "stored", "stored_in",
	"unless_in", "if_exists", "if_declared", "when", "to", "except", NULL};
	static const char *const null_words[] = {"omit", "null", "default", "code", NULL};
	static const char *const unknown_words[] = {"omit", "omit_and_flag", "default", "review", "hold", NULL};
	static const char *const long_words[] = {"truncate_and_flag", "omit", "omit_and_flag", "hold", NULL};
	static const char *const writes[] = {"always", "create", "update", "if_empty", "update_if_empty", "append", NULL};
	static const char *const types[] = {"string", "text", "reference", "email", "phone", "url", "number", "integer", "bool",
	"date", "datetime", "enum", "multi", "json", NULL};
	const json_t *value;
	const char *re = NULL;
	const char *pattern = NULL;
	int			write = 0;
	int			type = -1;

	if (!parse_defaults(defaults, spec, err))
		return false;
	if (json_is_string(doc))
		return parse_from(spec, doc, where, err);
	spec->join = "\n";
	if (!callsync_doc_keys(doc, where, err, keys) ||
		!callsync_doc_text(doc, "join", where, err, &spec->join) ||
		!callsync_doc_text(doc, "pass", where, err, &re) ||
		!callsync_doc_text(doc, "pattern", where, err, &pattern) ||
		!callsync_doc_int(doc, "max", where, err, 1, 100000000, &spec->max) ||
		!callsync_doc_word(doc, "type", where, err, types, &type) ||
		!callsync_doc_word(doc, "write", where, err, writes, &write) ||
		!callsync_doc_text(doc, "stored", where, err, &spec->stored) ||
		!callsync_doc_text(doc, "labelled", where, err, &spec->labelled) ||
		!callsync_doc_bool(doc, "if_exists", where, err, &spec->if_exists) ||
		!callsync_doc_bool(doc, "if_declared", where, err, &spec->if_declared))
		return false;
	spec->write = (MapWrite) write;
	if (type >= 0)
		spec->type = (FieldType) callsync_field_type(types[type]);
	spec->constant = json_object_get(doc, "const");
	spec->default_value = json_object_get(doc, "default");
	spec->code = json_object_get(doc, "code");
	spec->enums = json_object_get(doc, "enum");
	spec->unless_in = json_object_get(doc, "unless_in");
	spec->stored_in = json_object_get(doc, "stored_in");
	spec->except = json_object_get(doc, "except");
	if (spec->default_value != NULL)
		spec->on_null = MAP_DEFAULT;
	if (spec->code != NULL)
		spec->on_null = MAP_CODE;
	if (!parse_action(doc, "on_null", where, err, null_words, &spec->on_null) ||
		!parse_action(doc, "on_unknown", where, err, unknown_words, &spec->on_unknown) ||
		!parse_action(doc, "on_invalid", where, err, unknown_words, &spec->on_invalid) ||
		!parse_action(doc, "on_too_long", where, err, long_words, &spec->on_too_long))
		return false;
	if (spec->enums != NULL && !json_is_object(spec->enums) && !json_is_string(spec->enums))
		return callsync_doc_error(err, where, NULL, "\"enum\" is an object {\"source value\": target value} or the name of a var.");
	if (spec->stored_in != NULL && (!json_is_array(spec->stored_in) || spec->write != MAP_WRITE_APPEND))
		return callsync_doc_error(err, where, NULL, "\"stored_in\" is a list of columns, for \"write\": \"append\".");
	if ((spec->unless_in != NULL && !json_is_array(spec->unless_in)) || (spec->except != NULL && !json_is_array(spec->except)))
		return callsync_doc_error(err, where, NULL, "\"unless_in\" and \"except\" are lists.");
	value = json_object_get(doc, "required");
	if (json_is_boolean(value))
		spec->required = json_is_true(value);
	else if (value != NULL)
	{
		int			missing = 0;

		if (!callsync_doc_word(doc, "required", where, err, missing_words, &missing))
			return false;
		spec->required = true;
		spec->on_missing = missing == 0 ? MAP_HOLD : missing == 1 ? MAP_DEFAULT : MAP_OMIT_AND_FLAG;
	}
	if (((spec->on_null == MAP_DEFAULT || spec->on_missing == MAP_DEFAULT || spec->on_unknown == MAP_DEFAULT ||
		  spec->on_invalid == MAP_DEFAULT) && spec->default_value == NULL) ||
		(spec->on_null == MAP_CODE && spec->code == NULL))
		return callsync_doc_error(err, where, NULL, "The rule asks for a \"default\" or a \"code\" that is not there.");
	if (json_object_get(doc, "when") != NULL &&
		(spec->when = callsync_cond_parse(json_object_get(doc, "when"), where, err)) == NULL)
		return false;
	if (json_object_get(doc, "as") != NULL && !parse_as(spec, json_object_get(doc, "as"), where, err))
		return false;
	if (re != NULL)
	{
		if (!callsync_doc_regex(re, where, err, &spec->pass))
			return false;
		spec->has_pass = true;
	}
	if (pattern != NULL)
	{
		if (!callsync_doc_regex(pattern, where, err, &spec->pattern))
			return false;
		spec->has_pattern = true;
	}

	if (wildcard)
	{
		const json_t *from = json_object_get(doc, "from");
		const json_t *to = json_object_get(doc, "to");

		if (!json_is_string(from) || !json_is_string(to))
			return callsync_doc_error(err, where, NULL, "A wildcard entry needs \"from\", a path to an object, and \"to\", a field name with {key}.");
		spec->each = callsync_path_parse(json_string_value(from), json_string_length(from));
		if (spec->each == NULL)
			return callsync_doc_error(err, where, NULL, "\"%.60s\" is not a path.", json_string_value(from));
		spec->to = callsync_template_parse(to, NULL, where, err);
		return spec->to != NULL;
	}
	if (json_object_get(doc, "to") != NULL)
		return callsync_doc_error(err, where, "Begin the entry's name with *.", "\"to\" belongs to a wildcard entry.");
	if ((json_object_get(doc, "from") != NULL) + (json_object_get(doc, "template") != NULL) +
		(json_object_get(doc, "tree") != NULL) + (spec->constant != NULL) != 1)
		return callsync_doc_error(err, where, NULL, "Exactly one of \"from\", \"template\", \"tree\" and \"const\" is needed.");
	if (json_object_get(doc, "tree") != NULL)
		return (spec->tree = callsync_template_parse(json_object_get(doc, "tree"), NULL, where, err)) != NULL;
	if (json_object_get(doc, "from") != NULL)
		return parse_from(spec, json_object_get(doc, "from"), where, err);
	if (json_object_get(doc, "template") != NULL)
		return parse_lines(spec, json_object_get(doc, "template"), where, err);
	return true;
}

static int
cmp_entry(const void *a, const void *b)
{
	const MapEntry *x = a;
	const MapEntry *y = b;

	/* named fields first: they win over what a wildcard would write */
	if (x->wildcard != y->wildcard)
		return x->wildcard - y->wildcard;
	return strcmp(x->field, y->field);
}

CallsyncMap *
callsync_map_parse(const json_t *doc, const char *object, CallsyncDocError *err)
{
	const json_t *defaults = json_object_get(doc, "defaults");
	const json_t *entries = json_object_get(doc, object);
	CallsyncMap *map;
	const char *field;
	json_t	   *value;

	if (!json_is_object(entries))
	{
		callsync_doc_error(err, "", NULL, "There is no field map for \"%.60s\".", object);
		return NULL;
	}
	map = calloc(1, sizeof(*map));
	if (map == NULL)
		return NULL;
	map->doc = json_deep_copy(doc);
	defaults = json_object_get(map->doc, "defaults");
	entries = json_object_get(map->doc, object);
	map->null_words = json_object_get(defaults, "null_words");
	map->entries = calloc(json_object_size(entries) + 1, sizeof(MapEntry));
	if (map->entries == NULL)
		goto bad;
	json_object_foreach((json_t *) entries, field, value)
	{
		MapEntry   *entry = &map->entries[map->nentries];
		size_t		n = json_is_array(value) ? json_array_size(value) : 1;
		char		where[200];

		/* a remark; a field of that name is written as an object */
		if (strcmp(field, "note") == 0 && json_is_string(value))
			continue;
		snprintf(where, sizeof(where), "/%s/%s", object, field);
		entry->field = field;
		entry->wildcard = field[0] == '*';
		entry->specs = calloc(n + 1, sizeof(MapSpec));
		map->nentries++;
		if (entry->specs == NULL)
			goto bad;
		for (size_t i = 0; i < n; i++)
		{
			const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;

			entry->nspecs++;
			if (!parse_spec(&entry->specs[i], one, entry->wildcard, defaults, where, err))
				goto bad;
		}
	}
	qsort(map->entries, (size_t) map->nentries, sizeof(MapEntry), cmp_entry);
	return map;

bad:
	callsync_map_free(map);
	return NULL;
}

static void
free_spec(MapSpec *spec)
{
	callsync_cond_free(spec->when);
	for (int i = 0; i < spec->nfrom; i++)
		callsync_expr_clear(&spec->from[i]);
	free(spec->from);
	for (int i = 0; i < spec->nfilters; i++)
		free((char *) spec->filters[i].arg);
	for (int i = 0; i < spec->nlines; i++)
	{
		callsync_cond_free(spec->lines[i].when);
		callsync_template_free(spec->lines[i].text);
	}
	free(spec->lines);
	if (spec->has_pass)
		regfree(&spec->pass);
	if (spec->has_pattern)
		regfree(&spec->pattern);
	callsync_path_free(spec->each);
	callsync_template_free(spec->tree);
	callsync_template_free(spec->to);
}

void
callsync_map_free(CallsyncMap *map)
{
	if (map == NULL)
		return;
	for (int i = 0; i < map->nentries; i++)
	{
		for (int k = 0; k < map->entries[i].nspecs; k++)
			free_spec(&map->entries[i].specs[k]);
		free(map->entries[i].specs);
	}
	free(map->entries);
	json_decref(map->doc);
	free(map);
}
