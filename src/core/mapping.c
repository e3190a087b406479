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

#include "core/mapping_apply.h"

void
callsync_map_raise(CallsyncMapResult *result, CallsyncMapVerdict verdict)
{
	if (verdict == CALLSYNC_MAP_HOLD || (verdict == CALLSYNC_MAP_REVIEW && result->verdict == CALLSYNC_MAP_SEND))
		result->verdict = verdict;
}

void
callsync_map_row(MapGate *g, const char *rule, bool ok, const char *action, const char *message)
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
json_t *
callsync_map_act(MapGate *g, MapAction action, const char *rule, const char *message)
{
	switch (action)
	{
		case MAP_OMIT:
			return NULL;
		case MAP_NULL:
			return json_null();
		case MAP_DEFAULT:
			callsync_map_row(g, rule, true, "default", message);
			return json_incref((json_t *) g->spec->default_value);
		case MAP_CODE:
			callsync_map_row(g, rule, false, "review", message);
			callsync_map_raise(g->a->result, CALLSYNC_MAP_REVIEW);
			return json_incref((json_t *) g->spec->code);
		case MAP_HOLD:
			callsync_map_row(g, rule, false, "hold", message);
			callsync_map_raise(g->a->result, CALLSYNC_MAP_HOLD);
			return NULL;
		default:
			callsync_map_row(g, rule, false, "omitted", message);
			callsync_map_raise(g->a->result, CALLSYNC_MAP_REVIEW);
			return NULL;
	}
}

/* ---- may it be written? ---- */

static const json_t *
existing_value(const MapApply *a, const char *field, const char *stored)
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
may_write(const MapApply *a, const MapSpec *spec, const char *field)
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
is_stored_elsewhere(const MapApply *a, const MapSpec *spec, const json_t *value)
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
field_accepts(MapGate *g)
{
	const CallsyncMapOptions *options = g->a->options;

	if (in_names(options->blocked, g->field))
	{
		callsync_map_row(g, "drift", false, "omitted", "Writes to this field are stopped since the destination refused it.");
		callsync_map_raise(g->a->result, CALLSYNC_MAP_REVIEW);
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
		callsync_map_row(g, "unknown_field", false, "omitted", "The destination has no such field.");
		callsync_map_raise(g->a->result, CALLSYNC_MAP_REVIEW);
		return false;
	}
	if (json_is_true(json_object_get(g->remote, "readonly")))
	{
		callsync_map_row(g, "readonly", false, "omitted", "The destination does not let this field be written.");
		callsync_map_raise(g->a->result, CALLSYNC_MAP_REVIEW);
		return false;
	}
	return true;
}

/* ---- one field ---- */

static void
put_field(MapGate *g, json_t *value)
{
	if (value != NULL)
		json_object_set_new(g->a->result->fields, g->field, value);
}

/* From the raw value (taken over; NULL = missing) to what is sent. */
static void
settle_value(MapGate *g, MapTaken taken, json_t *value, const char *message)
{
	const MapSpec *spec = g->spec;
	bool		required = spec->required ||
		(g->a->options->creating && json_is_true(json_object_get(g->remote, "required")));
	bool		settled = false;
	json_t	   *result = NULL;

	if (taken == TAKEN_INVALID)
	{
		result = callsync_map_act(g, required && spec->on_invalid != MAP_DEFAULT ? spec->on_missing : spec->on_invalid, "format", message);
		put_field(g, result);
		return;
	}
	if (taken == TAKEN_VALUE && spec->enums != NULL)
	{
		value = callsync_map_enum(g, value, &settled, &result);
		if (settled)
		{
			if (result == NULL && required)
				result = callsync_map_act(g, spec->on_missing, "required", "A required field has no value.");
			put_field(g, result);
			return;
		}
	}
	if (taken == TAKEN_NOTHING)
	{
		if (required)
		{
			MapAction	action = spec->default_value != NULL ? MAP_DEFAULT : spec->on_missing;

			put_field(g, callsync_map_act(g, action, "required", "A required field has no value."));
		}
		else
			put_field(g, callsync_map_act(g, spec->on_null, "null", "There is no value."));
		return;
	}
	if (spec->unless_in != NULL && is_stored_elsewhere(g->a, spec, value))
	{
		json_decref(value);
		return;
	}
	value = callsync_map_fit(g, value);
	if (required && value != NULL)
		callsync_map_row(g, "required", true, "sent", "");
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
 * The stored list as far as it is known (new reference): as the destination showed
 * it, else one element per column of the mirror that holds one.  *whole: there can
 * be no others.
 */
static json_t *
stored_list(const MapGate *g, bool *whole)
{
	json_t	   *stored = (json_t *) existing_value(g->a, g->field, NULL);
	json_t	   *list;

	*whole = json_is_array(stored);
	if (*whole)
		return json_incref(stored);
	list = json_array();
	for (size_t i = 0; i < json_array_size(g->spec->stored_in); i++)
	{
		const char *column = json_string_value(json_array_get(g->spec->stored_in, i));
		const json_t *value = column ? existing_value(g->a, column, column) : NULL;

		/* the last column is full: who knows what did not fit */
		*whole = !callsync_json_truthy(value);
		if (!*whole)
			json_array_append_new(list, json_pack("{s:O}", "value", value));
	}
	return list;
}

/* The stored elements, then the new ones.  Takes over new.  There is one primary: that of the stored ones. */
static json_t *
behind(const json_t *stored, json_t *new)
{
	json_t	   *list = json_array();
	json_t	   *first;
	bool		known = false;

	if (json_array_size(stored) == 0)
	{
		json_decref(list);
		return new;
	}
	for (size_t k = 0; k < json_array_size(stored); k++)
	{
		known = known || json_is_true(json_object_get(json_array_get(stored, k), "primary"));
		json_array_append_new(list, json_deep_copy(json_array_get(stored, k)));
	}
	for (size_t k = 0; k < json_array_size(new); k++)
	{
		json_t	   *one = json_deep_copy(json_array_get(new, k));

		if (json_is_true(json_object_get(one, "primary")))
		{
			json_object_set_new(one, "primary", json_false());
			first = json_array_get(list, 0);
			/* the mirror's columns do not say which is */
			if (!known && json_is_object(first))
				json_object_set_new(first, "primary", json_true());
			known = true;
		}
		json_array_append_new(list, one);
	}
	json_decref(new);
	return list;
}

/*
 * A list that replaces the stored one: what is stored, then the new elements that
 * are not among it (by "value" where elements are objects).  Takes over value;
 * NULL when the stored list holds everything already, or is not known.
 */
static json_t *
append_to_stored(MapGate *g, json_t *value)
{
	bool		whole;
	json_t	   *stored = stored_list(g, &whole);
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
	/* behind what is there: what was used once is no new primary */
	if (n_new > 0)
		list = behind(stored, list);
	json_decref(value);
	json_decref(stored);
	if (n_new > 0 && !whole)
	{
		callsync_map_row(g, "stored", false, "omitted", "The stored list is not known, and writing would replace it.");
		callsync_map_raise(g->a->result, CALLSYNC_MAP_REVIEW);
	}
	if (n_new == 0 || !whole)
	{
		json_decref(list);
		return NULL;
	}
	return list;
}

static void
apply_spec(MapApply *a, const MapEntry *entry, const MapSpec *spec)
{
	MapGate		g = {a, spec, entry->field, NULL, json_object_get(a->options->fields_spec, entry->field)};
	json_t	   *value = NULL;
	char		message[400] = "";
	MapTaken		taken;

	if (spec->labelled != NULL && g.remote == NULL)
	{
		const char *name = field_by_label(a->options->fields_spec, spec->labelled);

		if (name == NULL)
		{
			/* what a record cannot be without: a key by which it is found again */
			if (spec->required && spec->on_missing == MAP_HOLD)
			{
				if (may_write(a, spec, entry->field))
					callsync_map_act(&g, MAP_HOLD, "unknown_field",
									 "No field of the destination has the label that the map asks for.");
			}
			else if (!spec->if_exists && !spec->if_declared)
			{
				callsync_map_row(&g, "unknown_field", false, "omitted", "No field of the destination has this label.");
				callsync_map_raise(a->result, CALLSYNC_MAP_REVIEW);
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
		taken = callsync_map_take_tree(&g, &value, message, sizeof(message));
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
		taken = callsync_map_take_lines(&g, &value, message, sizeof(message));
	}
	else
		taken = callsync_map_take_from(&g, &value, message, sizeof(message));
	if (taken == TAKEN_VALUE && spec->write == MAP_WRITE_APPEND && json_is_array(value) && !a->options->creating &&
		(value = append_to_stored(&g, value)) == NULL)
		return;					/* the stored list holds it already */
	settle_value(&g, taken, value, message);
}

/* Every member of an object becomes a field of its own. */
static void
apply_wildcard(MapApply *a, const MapSpec *spec)
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

		if (in_names(spec->except, key) || callsync_map_is_nothing(a->map, member))
			continue;
		context = json_pack("{s:s}", "key", key);
		with_key.context = context;
		field = callsync_template_render_text(spec->to, &with_key, &err);
		json_decref(context);
		if (field != NULL && json_object_get(a->result->fields, field) == NULL)
		{
			MapGate		g = {a, spec, field, path, json_object_get(a->options->fields_spec, field)};

			snprintf(path, sizeof(path), "%.80s.%.100s", spec->each->text, key);
			if (may_write(a, spec, field) && field_accepts(&g))
			{
				char		message[400] = "";
				json_t	   *value;
				MapTaken		taken = callsync_map_run_filters(&g, json_incref(member), &value, message, sizeof(message));

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
	MapApply		a = {map, input, options, result};

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
