/*
 * connector_describe.c
 *		A describe answer in the shape that the field map checks against.
 */
#include <string.h>

#include "core/classify_impl.h"

/* A pointer (truthy value) or an object of tests over a field's description */
static bool
flag_of(const json_t *spec, const json_t *field, bool any, bool *out)
{
	JsonTests	tests = {0};

	*out = false;
	if (spec == NULL)
		return true;
	if (json_is_string(spec))
	{
		*out = callsync_json_truthy(callsync_json_get(field, json_string_value(spec)));
		return true;
	}
	if (!callsync_doc_tests(spec, any, "", NULL, &tests))
		return false;
	*out = tests.n > 0 && callsync_tests_hold(&tests, field);
	callsync_tests_clear(&tests);
	return true;
}

static json_t *
options_of(const json_t *doc, const json_t *field)
{
	const char *pointer = json_string_value(json_object_get(doc, "options"));
	const char *value = json_string_value(json_object_get(doc, "option_value"));
	const char *label = json_string_value(json_object_get(doc, "option_label"));
	const json_t *list = pointer ? callsync_json_get(field, pointer) : NULL;
	json_t	   *options;

	if (!json_is_array(list) || json_array_size(list) == 0)
		return NULL;
	options = json_array();
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		json_t	   *option = json_array_get(list, i);
		bool		hidden;

		if (!flag_of(json_object_get(doc, "option_hidden"), option, true, &hidden) || hidden)
			continue;
		if (value != NULL)
		{
			json_t	   *v = callsync_json_get(option, value);
			json_t	   *l = label ? callsync_json_get(option, label) : NULL;

			if (v == NULL || json_is_null(v))
				continue;
			/* the label is kept only where it says something else */
			if (json_is_string(l) && !json_equal(l, v))
				json_array_append_new(options, json_pack("{s:O, s:O}", "value", v, "label", l));
			else
				json_array_append(options, v);
		}
		else if (option != NULL && !json_is_null(option))
			json_array_append(options, option);
	}
	if (json_array_size(options) == 0)
	{
		json_decref(options);
		return NULL;
	}
	return options;
}

json_t *
callsync_describe_fields(const CallsyncConnector *c, const CallsyncOp *op, const json_t *answer, CallsyncDocError *err)
{
	const json_t *doc = op->impl->describe;
	const char *items_pointer = json_string_value(json_object_get(doc, "items"));
	const char *name_pointer = json_string_value(json_object_get(doc, "name"));
	const char *type_pointer = json_string_value(json_object_get(doc, "type"));
	const char *max_pointer = json_string_value(json_object_get(doc, "max"));
	const char *label_pointer = json_string_value(json_object_get(doc, "label"));
	const json_t *items;
	json_t	   *fields;

	(void) c;
	if (doc == NULL || name_pointer == NULL)
	{
		callsync_doc_error(err, "", NULL, "Operation %.60s does not describe fields.", op->name);
		return NULL;
	}
	items = callsync_json_get(answer, items_pointer ? items_pointer : "");
	if (!json_is_array(items))
	{
		callsync_doc_error(err, "", NULL, "The answer holds no list of fields.");
		return NULL;
	}
	fields = json_object();
	for (size_t i = 0; i < json_array_size(items); i++)
	{
		const json_t *item = json_array_get(items, i);
		const char *name = json_string_value(callsync_json_get(item, name_pointer));
		const json_t *type = type_pointer ? callsync_json_get(item, type_pointer) : NULL;
		const json_t *max = max_pointer ? callsync_json_get(item, max_pointer) : NULL;
		json_t	   *mapped = json_is_string(type) ?
			json_object_get(json_object_get(doc, "types"), json_string_value(type)) : NULL;
		json_t	   *field;
		json_t	   *options;
		bool		required;
		bool		readonly;
		bool		unique;
		bool		archived;

		if (name == NULL ||
			!flag_of(json_object_get(doc, "required"), item, false, &required) ||
			!flag_of(json_object_get(doc, "readonly"), item, true, &readonly) ||
			!flag_of(json_object_get(doc, "unique"), item, true, &unique) ||
			!flag_of(json_object_get(doc, "archived"), item, true, &archived) || archived)
			continue;
		field = json_object();
		if (mapped != NULL)
			json_object_set(field, "type", mapped);
		if (json_is_integer(max) && json_integer_value(max) > 0)
			json_object_set(field, "max", (json_t *) max);
		if (required)
			json_object_set_new(field, "required", json_true());
		if (readonly)
			json_object_set_new(field, "readonly", json_true());
		if (unique)
			json_object_set_new(field, "unique", json_true());
		if (label_pointer != NULL && json_is_string(callsync_json_get(item, label_pointer)))
			json_object_set(field, "label", callsync_json_get(item, label_pointer));
		options = options_of(doc, item);
		if (options != NULL)
			json_object_set_new(field, "options", options);
		json_object_set_new(fields, name, field);
	}
	return fields;
}
