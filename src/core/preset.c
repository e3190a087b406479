/*
 * preset.c
 *		From the bytes of a webhook to call id, types, time, key and call document,
 *		by a preset that is data.
 */
#include "core/preset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/call_document.h"
#include "core/event_type.h"
#include "core/header_set.h"
#include "core/json_body.h"
#include "core/merge.h"
#include "core/signature.h"
#include "core/value_spec.h"

#define DEFAULT_MAX_BODY (INT64_C(2) * 1024 * 1024)
#define MAX_NESTING 8
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

struct CallsyncPreset
{
	/* all owned */
	json_t	   *event;			/* the preset's, with the source's laid over */
	json_t	   *map;			/* likewise; path -> spec */
	json_t	   *platform;		/* name -> spec; may be NULL */
	json_t	   *document;		/* list of pointers; may be NULL */
	json_t	   *schemes;
	json_t	   *expected;
	json_t	   *mask;
	json_t	   *url;			/* text or NULL */
	json_t	   *default_type;	/* text */
	bool		envelope;
	bool		form;			/* always a form */
	bool		takes_unsigned;
	int64_t		tolerance_s;
	int64_t		max_body;
};

/* --- reading the documents --- */

/* Members of a over those of b; new reference. */
static json_t *
laid_over(const json_t *a, const json_t *b)
{
	json_t	   *result = json_is_object(b) ? json_copy((json_t *) b) : json_object();

	if (result != NULL && json_is_object(a) && json_object_update(result, (json_t *) a) != 0)
	{
		json_decref(result);
		return NULL;
	}
	return result;
}

/* The source's option, else the preset's member; borrowed. */
static json_t *
setting(const json_t *options, const json_t *document, const char *name)
{
	json_t	   *value = json_object_get(options, name);

	return value != NULL && !json_is_null(value) ? value : json_object_get(document, name);
}

static bool
check_types(const json_t *node, int nesting, CallsyncDocError *err)
{
	const char *key;
	json_t	   *value;
	size_t		i;

	if (nesting > MAX_NESTING)
		return callsync_doc_error(err, "/event/type", "", "The event's type is described with too many levels.");
	if (json_is_string(node) || json_is_null(node))
		return true;
	if (json_is_array(node))
	{
		json_array_foreach((json_t *) node, i, value)
		{
			if (!json_is_string(value) || i >= CALLSYNC_PRESET_TYPES)
				return callsync_doc_error(err, "/event/type", "", "A webhook stands for at most %d event types, given as texts.", CALLSYNC_PRESET_TYPES);
		}
		return true;
	}
	if (json_object_get(node, "from") != NULL)
		return callsync_spec_check(node, "/event/type", err);
	if (!json_is_object(json_object_get(node, "cases")) || json_object_get(node, "switch") == NULL)
		return callsync_doc_error(err, "/event/type", "Either {\"from\": ...}, or {\"switch\": ..., \"cases\": {...}, \"else\": ...}.",
								  "The event's type is not described.");
	if (!callsync_spec_check(json_object_get(node, "switch"), "/event/type/switch", err))
		return false;
	json_object_foreach(json_object_get(node, "cases"), key, value)
	{
		if (!check_types(value, nesting + 1, err))
			return false;
	}
	value = json_object_get(node, "else");
	return value == NULL || check_types(value, nesting + 1, err);
}

static bool
check_text_list(const json_t *list, const char *path, CallsyncDocError *err)
{
	size_t		i;
	json_t	   *item;

	if (list != NULL && !json_is_array(list))
		return callsync_doc_error(err, path, "", "This must be a list of texts.");
	json_array_foreach((json_t *) list, i, item)
	{
		if (!json_is_string(item))
			return callsync_doc_error(err, path, "", "This must be a list of texts.");
	}
	return true;
}

static bool
check_specs(const json_t *object, const char *where, CallsyncDocError *err)
{
	const char *name;
	json_t	   *spec;
	char		path[200];

	json_object_foreach((json_t *) object, name, spec)
	{
		snprintf(path, sizeof(path), "%s/%.100s", where, name);
		if (!json_is_null(spec) && !callsync_spec_check(spec, path, err))
			return false;
	}
	return true;
}

static bool
check_preset(const CallsyncPreset *preset, CallsyncDocError *err)
{
	static const char *const event_members[] = {"call_id", "type", "time", "key"};
	const char *name;
	json_t	   *value;
	size_t		i;

	json_object_foreach(preset->event, name, value)
	{
		bool		known = false;

		for (i = 0; i < LENGTH(event_members); i++)
			known |= strcmp(event_members[i], name) == 0;
		if (!known)
			return callsync_doc_error(err, "/event", "Members are call_id, type, time and key.", "Unknown member \"%.60s\".", name);
		if (strcmp(name, "type") == 0 ? !check_types(value, 0, err) : !callsync_spec_check(value, "/event", err))
			return false;
	}
	if (json_object_get(preset->event, "call_id") == NULL && !preset->envelope)
		return callsync_doc_error(err, "/event/call_id", "", "The preset does not say where the call id is.");
	json_array_foreach(preset->schemes, i, value)
	{
		if (!callsync_signature_check_scheme(value, "/signature", err))
			return false;
	}
	return check_specs(preset->map, "/map", err) && check_specs(preset->platform, "/platform", err) &&
		check_text_list(preset->expected, "/expected", err) && check_text_list(preset->mask, "/mask", err) &&
		check_text_list(preset->document, "/document", err);
}

/* A scheme alone is a list of one; what a source says about the scheme is laid over each of the preset's. */
static json_t *
read_schemes(const json_t *options, const json_t *document)
{
	const json_t *own = json_object_get(options, "signature");
	const json_t *shipped = json_object_get(document, "signature");
	json_t	   *result;
	size_t		i;
	json_t	   *scheme;

	if (json_is_array(own))
		return json_incref((json_t *) own);
	if (json_is_string(own))
	{
		/* one of the shipped, by its name */
		result = json_array();
		json_array_foreach((json_t *) shipped, i, scheme)
		{
			const char *name = json_string_value(json_object_get(scheme, "name"));

			if (name != NULL && strcmp(name, json_string_value(own)) == 0)
				json_array_append(result, scheme);
		}
		return result;
	}
	if (json_is_object(own))
	{
		result = json_array();
		json_array_append(result, (json_t *) own);
		return result;
	}
	return json_is_array(shipped) ? json_incref((json_t *) shipped) : json_array();
}

static int64_t
integer_setting(const json_t *options, const json_t *document, const char *name, int64_t otherwise)
{
	const json_t *value = setting(options, document, name);

	return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value) : otherwise;
}

CallsyncPreset *
callsync_preset_parse(const json_t *document, const json_t *options, CallsyncDocError *err)
{
	CallsyncPreset *preset = calloc(1, sizeof(CallsyncPreset));
	const char *body = json_string_value(json_object_get(document, "body"));

	if (preset == NULL)
	{
		callsync_doc_error(err, "", "", "Out of memory.");
		return NULL;
	}
	preset->event = laid_over(json_object_get(options, "event"), json_object_get(document, "event"));
	preset->map = laid_over(json_object_get(options, "map"), json_object_get(document, "map"));
	preset->platform = json_incref(json_object_get(document, "platform"));
	preset->document = json_incref(json_object_get(document, "document"));
	preset->schemes = read_schemes(options, document);
	preset->expected = json_incref(setting(options, document, "expected"));
	if (preset->expected == NULL)
		preset->expected = callsync_merge_default_expected();
	preset->mask = json_incref(setting(options, document, "mask"));
	if (preset->mask == NULL)
		preset->mask = json_array();
	preset->url = json_incref(json_object_get(options, "url"));
	preset->default_type = json_incref(setting(options, document, "event_type"));
	if (!json_is_string(preset->default_type))
	{
		json_decref(preset->default_type);
		preset->default_type = json_string(callsync_event_type_name(CALLSYNC_EVENT_ENDED));
	}
	preset->envelope = json_is_true(json_object_get(document, "envelope"));
	preset->form = body != NULL && strcmp(body, "form") == 0;
	preset->takes_unsigned = json_is_true(setting(options, document, "unsigned"));
	preset->tolerance_s = integer_setting(options, document, "tolerance_s", -1);
	preset->max_body = integer_setting(options, document, "max_body_bytes", DEFAULT_MAX_BODY);
	if (preset->event == NULL || preset->map == NULL || preset->schemes == NULL ||
		preset->expected == NULL || preset->mask == NULL || preset->default_type == NULL)
	{
		callsync_doc_error(err, "", "", "Out of memory.");
		callsync_preset_free(preset);
		return NULL;
	}
	if (!check_preset(preset, err))
	{
		callsync_preset_free(preset);
		return NULL;
	}
	if (json_is_string(json_object_get(options, "signature")) && json_array_size(preset->schemes) == 0)
	{
		callsync_doc_error(err, "/signature", "Give a scheme of the kind by its name, or a scheme as an object.",
						   "This kind of source has no signature scheme of that name.");
		callsync_preset_free(preset);
		return NULL;
	}
	return preset;
}

void
callsync_preset_free(CallsyncPreset *preset)
{
	if (preset == NULL)
		return;
	json_decref(preset->event);
	json_decref(preset->map);
	json_decref(preset->platform);
	json_decref(preset->document);
	json_decref(preset->schemes);
	json_decref(preset->expected);
	json_decref(preset->mask);
	json_decref(preset->url);
	json_decref(preset->default_type);
	free(preset);
}

const json_t *
callsync_preset_expected(const CallsyncPreset *preset)
{
	return preset->expected;
}

const json_t *
callsync_preset_schemes(const CallsyncPreset *preset)
{
	return preset->schemes;
}

int64_t
callsync_preset_tolerance_s(const CallsyncPreset *preset)
{
	return preset->tolerance_s;
}

bool
callsync_preset_takes_unsigned(const CallsyncPreset *preset)
{
	return preset->takes_unsigned;
}

int64_t
callsync_preset_max_body(const CallsyncPreset *preset)
{
	return preset->max_body;
}

const json_t *
callsync_preset_mask(const CallsyncPreset *preset)
{
	return preset->mask;
}

const char *
callsync_preset_url(const CallsyncPreset *preset)
{
	return json_string_value(preset->url);
}

/* --- applying --- */

static CallsyncPresetVerdict
verdict(CallsyncPresetEvent *event, CallsyncPresetVerdict what, const char *detail)
{
	snprintf(event->detail, sizeof(event->detail), "%s", detail);
	return what;
}

static CallsyncPresetVerdict
parse_body(const CallsyncPreset *preset, const char *body, size_t len, const json_t *headers,
		   json_t **value, CallsyncPresetEvent *event)
{
	bool		form = preset->form && len > 0 && *body != '{';
	CallsyncBodyVerdict parsed;

	if (!form)
		form = callsync_body_is_form(callsync_headers_get(headers, "content-type"), body, len);
	parsed = form
		? callsync_body_parse_form(body, len, value, event->detail, sizeof(event->detail))
		: callsync_body_parse_json(body, len, value, event->detail, sizeof(event->detail));
	switch (parsed)
	{
		case CALLSYNC_BODY_BAD_UTF8:
			return CALLSYNC_PRESET_BAD_UTF8;
		case CALLSYNC_BODY_BAD_JSON:
			return CALLSYNC_PRESET_BAD_JSON;
		case CALLSYNC_BODY_BAD_FORM:
			return CALLSYNC_PRESET_BAD_FORM;
		case CALLSYNC_BODY_NO_MEMORY:
			return verdict(event, CALLSYNC_PRESET_NO_MEMORY, "out of memory");
		case CALLSYNC_BODY_OK:
			break;
	}
	if (!json_is_object(*value))
	{
		json_decref(*value);
		*value = NULL;
		return verdict(event, CALLSYNC_PRESET_NOT_AN_OBJECT, "the body is JSON, but no object");
	}
	return CALLSYNC_PRESET_OK;
}

/* Copies a text or a number; false: neither, or longer than max. */
static bool
copy_text(const json_t *value, char *out, size_t max)
{
	if (json_is_integer(value))
	{
		snprintf(out, max + 1, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return true;
	}
	if (!json_is_string(value) || json_string_length(value) > max)
		return false;
	memcpy(out, json_string_value(value), json_string_length(value) + 1);
	return true;
}

static void
add_type(CallsyncPresetEvent *event, const json_t *text)
{
	const char *name = json_string_value(text);
	CallsyncEventType type;

	if (name == NULL || *name == '\0' || event->ntypes >= CALLSYNC_PRESET_TYPES ||
		json_string_length(text) > CALLSYNC_EVENT_TYPE_MAX)
		return;
	type = callsync_event_type_find(name, json_string_length(text));
	if (type != CALLSYNC_EVENT_OTHER)
		name = callsync_event_type_name(type);
	snprintf(event->types[event->ntypes++], CALLSYNC_EVENT_TYPE_MAX + 1, "%s", name);
}

/*
 * The types of a webhook. False: it is a message that is no event of a call;
 * types[0] is then what it calls itself.
 */
static bool
find_types(const json_t *node, const CallsyncSpecInput *input, CallsyncPresetEvent *event)
{
	json_t	   *value = NULL;
	size_t		i;
	json_t	   *one;
	bool		ours = true;

	if (json_is_object(node) && json_object_get(node, "from") != NULL)
	{
		value = callsync_spec_value(node, input);
		add_type(event, value);
	}
	else if (json_is_object(node))
	{
		const json_t *chosen;

		value = callsync_spec_value(json_object_get(node, "switch"), input);
		chosen = callsync_spec_case(json_object_get(node, "cases"), json_object_get(node, "else"), value);
		if (chosen == NULL || json_is_null(chosen))
			ours = false;
		else
			ours = find_types(chosen, input, event);
		if (!ours && event->ntypes == 0)
			add_type(event, value);
	}
	else if (json_is_string(node))
		add_type(event, node);
	else
	{
		json_array_foreach((json_t *) node, i, one)
			add_type(event, one);
	}
	json_decref(value);
	return ours;
}

/* Sets a dotted path, making objects on the way. */
static bool
set_path(json_t *document, const char *path, json_t *value)
{
	const char *dot;

	while ((dot = strchr(path, '.')) != NULL)
	{
		char		name[200];
		json_t	   *next;

		if ((size_t) (dot - path) >= sizeof(name))
			return true;
		memcpy(name, path, (size_t) (dot - path));
		name[dot - path] = '\0';
		next = json_object_get(document, name);
		if (!json_is_object(next))
		{
			next = json_object();
			if (next == NULL || json_object_set_new_nocheck(document, name, next) != 0)
				return false;
		}
		document = next;
		path = dot + 1;
	}
	/* an object joins what other paths have put there */
	if (json_is_object(value) && json_is_object(json_object_get(document, path)))
		return json_object_update_missing(json_object_get(document, path), value) == 0;
	return json_object_set_nocheck(document, path, value) == 0;
}

static bool
apply_specs(json_t *document, const json_t *specs, const char *below, const CallsyncSpecInput *input)
{
	const char *name;
	json_t	   *spec;
	bool		ok = true;

	json_object_foreach((json_t *) specs, name, spec)
	{
		json_t	   *value = callsync_spec_value(spec, input);
		char		path[400];
		json_t	   *own;

		if (value == NULL)
			continue;
		snprintf(path, sizeof(path), "%s%s", below, name);
		/* objects may grow by later paths: not in the body */
		own = json_is_object(value) ? json_copy(value) : json_incref(value);
		ok = ok && own != NULL && set_path(document, path, own);
		json_decref(own);
		json_decref(value);
	}
	return ok;
}

/* The part of the body that is a call document itself, if any; borrowed. */
static const json_t *
inner_document(const CallsyncPreset *preset, const json_t *body)
{
	CallsyncSpecInput input = {body, NULL};
	size_t		i;
	json_t	   *pointer;

	json_array_foreach(preset->document, i, pointer)
	{
		json_t	   *found;

		if (json_string_length(pointer) == 0)
			return body;
		found = callsync_spec_value(pointer, &input);
		json_decref(found);		/* the body still holds it */
		if (json_is_object(found))
			return found;
	}
	return NULL;
}

static json_t *
build_document(const CallsyncPreset *preset, const json_t *body, const CallsyncSpecInput *input, const char *call_id)
{
	const json_t *inner = inner_document(preset, body);
	json_t	   *raw = inner != NULL ? callsync_call_document_normalise(inner) : json_object();
	json_t	   *result = NULL;
	json_t	   *id = json_string(call_id);

	if (raw != NULL && id != NULL &&
		apply_specs(raw, preset->map, "", input) &&
		apply_specs(raw, preset->platform, "fields." CALLSYNC_FIELDS_PLATFORM ".", input) &&
		json_object_set_nocheck(raw, "call_id", id) == 0)
		result = callsync_call_document_normalise(raw);
	json_decref(raw);
	json_decref(id);
	return result;
}

/* Call id, types, time and key. */
static CallsyncPresetVerdict
read_envelope(const CallsyncPreset *preset, const json_t *body, const CallsyncSpecInput *input, CallsyncPresetEvent *event)
{
	const json_t *types = json_object_get(preset->event, "type");
	json_t	   *value;
	CallsyncEnvelope envelope = {0};
	bool		ours = true;

	if (preset->envelope)
		callsync_call_document_envelope(body, &envelope);
	if (types != NULL)
		ours = find_types(types, input, event);
	if (event->ntypes == 0 && envelope.type != NULL)
	{
		value = json_string(envelope.type);
		add_type(event, value);
		json_decref(value);
	}
	if (event->ntypes == 0 && ours)
		add_type(event, preset->default_type);

	value = callsync_spec_value(json_object_get(preset->event, "call_id"), input);
	if (value == NULL && preset->envelope)
	{
		const json_t *inner = inner_document(preset, body);

		value = json_incref(json_object_get(inner, "call_id"));
	}
	if (value != NULL && !json_is_null(value) && !copy_text(value, event->call_id, CALLSYNC_CALL_ID_MAX))
	{
		json_decref(value);
		event->call_id[0] = '\0';
		if (ours)
			return verdict(event, CALLSYNC_PRESET_BAD_CALL_ID, "the call_id is no text or number, or too long");
	}
	else
		json_decref(value);

	value = callsync_spec_value(json_object_get(preset->event, "time"), input);
	event->has_time = callsync_json_instant(value, &event->time_us);
	json_decref(value);
	if (!event->has_time && envelope.has_time)
	{
		event->has_time = true;
		event->time_us = envelope.time_us;
	}

	value = callsync_spec_value(json_object_get(preset->event, "key"), input);
	if (value == NULL && envelope.event_id != NULL)
		value = json_string(envelope.event_id);
	if (!copy_text(value, event->event_key, CALLSYNC_EVENT_KEY_MAX))
		event->event_key[0] = '\0';
	json_decref(value);

	if (!ours)
	{
		snprintf(event->detail, sizeof(event->detail), "no event of a call%s%s",
				 event->ntypes > 0 ? ": " : "", event->ntypes > 0 ? event->types[0] : "");
		return CALLSYNC_PRESET_IGNORED;
	}
	if (event->call_id[0] == '\0')
		return verdict(event, CALLSYNC_PRESET_NO_CALL_ID, "no call_id");
	return CALLSYNC_PRESET_OK;
}

CallsyncPresetVerdict
callsync_preset_apply(const CallsyncPreset *preset, const char *body, size_t body_len,
					  const json_t *headers, bool with_document, CallsyncPresetEvent *event)
{
	CallsyncSpecInput input = {NULL, headers};
	json_t	   *json = NULL;
	CallsyncPresetVerdict result;

	event->call_id[0] = '\0';
	event->ntypes = 0;
	event->has_time = false;
	event->event_key[0] = '\0';
	event->document = NULL;
	event->detail[0] = '\0';
	result = parse_body(preset, body, body_len, headers, &json, event);
	if (result != CALLSYNC_PRESET_OK)
		return result;
	input.body = json;
	result = read_envelope(preset, json, &input, event);
	if (result == CALLSYNC_PRESET_OK && with_document)
	{
		event->document = build_document(preset, json, &input, event->call_id);
		if (event->document == NULL)
			result = verdict(event, CALLSYNC_PRESET_NO_MEMORY, "out of memory");
	}
	json_decref(json);
	return result;
}

CallsyncPresetVerdict
callsync_preset_merge(const CallsyncPreset *preset, const char *body, size_t body_len,
					  const json_t *headers, int64_t event_time_us, int64_t tie_break,
					  int64_t received_us, CallsyncMerge *merge)
{
	CallsyncPresetEvent event;
	CallsyncPresetVerdict result = callsync_preset_apply(preset, body, body_len, headers, true, &event);

	if (result != CALLSYNC_PRESET_OK)
		return result;
	for (int i = 0; i < event.ntypes && result == CALLSYNC_PRESET_OK; i++)
	{
		CallsyncMergeEvent one = {
			.type = event.types[i],
			.event_time_us = event_time_us,
			.tie_break = tie_break,
			.received_us = received_us,
			.document = event.document,
		};

		if (!callsync_merge_event(merge, &one))
			result = CALLSYNC_PRESET_NO_MEMORY;
	}
	json_decref(event.document);
	return result;
}
