/*
 * call_document.c
 *		Members of the call document as one table, and normalisation by it.
 */
#include "core/call_document.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/event_type.h"
#include "core/instant.h"
#include "core/merge.h"

typedef enum MemberKind
{
	MEMBER_ANY,
	MEMBER_TIME,
	MEMBER_SECONDS,
	MEMBER_TEXT,
	MEMBER_OBJECT
} MemberKind;

typedef struct Member
{
	const char *name;
	MemberKind	kind;
	bool		extracted;		/* comes from understanding the talk */
} Member;

static const Member members[] = {
	{"call_id", MEMBER_TEXT, false},
	{"type", MEMBER_ANY, false},
	{"direction", MEMBER_ANY, false},
	{"dialled_number", MEMBER_TEXT, false},
	{"routing_path", MEMBER_ANY, false},
	{"started_at", MEMBER_TIME, false},
	{"ended_at", MEMBER_TIME, false},
	{"duration_s", MEMBER_SECONDS, false},
	{"disposition", MEMBER_ANY, true},
	{"end_reason", MEMBER_ANY, false},
	{"language", MEMBER_ANY, false},
	{"consent", MEMBER_ANY, false},
	{"caller", MEMBER_OBJECT, false},
	{"intent", MEMBER_ANY, true},
	{"urgency", MEMBER_ANY, true},
	{"lead_source", MEMBER_ANY, false},
	{"campaign", MEMBER_ANY, false},
	{"sentiment", MEMBER_ANY, true},
	{"summary", MEMBER_ANY, true},
	{"transcript", MEMBER_ANY, false},
	{"transcript_url", MEMBER_ANY, false},
	{"recording_url", MEMBER_ANY, false},
	{"escalation", MEMBER_OBJECT, true},
	{"answers", MEMBER_OBJECT, true},
	{"entities", MEMBER_OBJECT, true},
	{"dtmf", MEMBER_ANY, false},
	{"fields", MEMBER_OBJECT, true},
	{"follow_up_task", MEMBER_OBJECT, true},
	{"appointment", MEMBER_OBJECT, true},
	{"opportunity", MEMBER_OBJECT, true},
	{"ticket", MEMBER_OBJECT, true},
};

/* Another spelling of a member. object "" is the document itself. */
typedef struct Spelling
{
	const char *object;
	const char *from;
	const char *to;
} Spelling;

static const Spelling spellings[] = {
	{"", "dialed_number", "dialled_number"},
	{"", "duration_seconds", "duration_s"},
	{"", "call_type", "type"},
	{"", "call_summary", "summary"},
	{"follow_up_task", "due_date", "due_at"},
	{"follow_up_task", "assigned_to_team", "team"},
	{"follow_up_task", "assigned_to_user", "assigned_to"},
	{"follow_up_task", "owner", "assigned_to"},
	{"caller", "zip", "postal_code"},
	{"caller", "number", "phone"},
	{"appointment", "start_time", "start"},
	{"appointment", "end_time", "end"},
};

static const char *const envelope_members[] = {"event_type", "timestamp", "event_id"};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* Times inside objects. */
static const struct
{
	const char *object;
	const char *member;
}			inner_times[] = {
	{"follow_up_task", "due_at"},
	{"appointment", "start"},
	{"appointment", "end"},
};

/* Members of caller that the telephone system does not know. */
static const char *const spoken_members[] = {"name", "email", "spoken_phone", "postal_code", "account_id"};

static const Member *
find_member(const char *name)
{
	for (size_t i = 0; i < LENGTH(members); i++)
	{
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	}
	return NULL;
}

static const char *
proper_name(const char *object, const char *name)
{
	for (size_t i = 0; i < LENGTH(spellings); i++)
	{
		if (strcmp(spellings[i].from, name) == 0 && strcmp(spellings[i].object, object) == 0)
			return spellings[i].to;
	}
	return name;
}

bool
callsync_json_instant(const json_t *value, int64_t *us)
{
	if (json_is_string(value))
		return callsync_instant_parse(json_string_value(value), json_string_length(value), us);
	if (json_is_integer(value))
		return callsync_instant_from_int(json_integer_value(value), us);
	if (json_is_real(value))
		return callsync_instant_from_number(json_real_value(value), us);
	return false;
}

/* The value in the form that its member has; new reference. */
static json_t *
convert(MemberKind kind, json_t *value)
{
	char		text[CALLSYNC_INSTANT_LEN];
	int64_t		us;
	char	   *end;
	double		seconds;

	switch (kind)
	{
		case MEMBER_TIME:
			/* texts stay as they were sent: their offset says something */
			if (json_is_number(value) && callsync_json_instant(value, &us))
			{
				callsync_instant_format(us, text);
				return json_string(text);
			}
			break;
		case MEMBER_SECONDS:
			if (json_is_string(value) && json_string_length(value) > 0 && json_string_length(value) < 32)
			{
				errno = 0;
				seconds = strtod(json_string_value(value), &end);
				if (*end == '\0' && errno == 0 && isfinite(seconds))
					return seconds == floor(seconds) && fabs(seconds) < 1e15
						? json_integer((json_int_t) seconds) : json_real(seconds);
			}
			break;
		case MEMBER_TEXT:
			if (json_is_integer(value))
				return json_sprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
			break;
		case MEMBER_ANY:
		case MEMBER_OBJECT:
			break;
	}
	return json_incref(value);
}

static bool
set_new(json_t *object, const char *name, json_t *value)
{
	return value != NULL && json_object_set_new_nocheck(object, name, value) == 0;
}

/* An object member with its inner spellings made proper; new reference. */
static json_t *
normalise_object(const char *object_name, json_t *object)
{
	json_t	   *result = json_object();
	const char *key;
	json_t	   *value;
	bool		ok = result != NULL;

	json_object_foreach(object, key, value)
	{
		const char *name = proper_name(object_name, key);

		/* both spellings were sent: keep both rather than lose one */
		if (name != key && json_object_get(object, name) != NULL)
			name = key;
		ok = ok && json_object_set_nocheck(result, name, value) == 0;
	}
	for (size_t i = 0; ok && i < LENGTH(inner_times); i++)
	{
		if (strcmp(inner_times[i].object, object_name) != 0)
			continue;
		value = json_object_get(result, inner_times[i].member);
		if (json_is_number(value))
			ok = set_new(result, inner_times[i].member, convert(MEMBER_TIME, value));
	}
	if (!ok)
	{
		json_decref(result);
		return NULL;
	}
	return result;
}

/*
 * Is "type" in the body the type of the event? It is the kind of call in a call
 * document, but senders of events use it too.
 */
static bool
type_is_event_type(const json_t *body)
{
	const json_t *type = json_object_get(body, "type");

	return json_is_string(type) && json_object_get(body, "event_type") == NULL &&
		callsync_event_type_find(json_string_value(type), json_string_length(type)) != CALLSYNC_EVENT_OTHER;
}

static bool
in_envelope(const json_t *body, const char *name)
{
	for (size_t i = 0; i < LENGTH(envelope_members); i++)
	{
		if (strcmp(envelope_members[i], name) == 0)
			return true;
	}
	return strcmp(name, "type") == 0 && type_is_event_type(body);
}

/* Puts an unknown member below "fields", under a name that is still free there. */
static bool
keep_in_fields(json_t *fields, const char *name, json_t *value)
{
	bool		ok;
	json_t	   *free_name;

	if (json_object_get(fields, name) == NULL)
		return json_object_set_nocheck(fields, name, value) == 0;
	free_name = json_sprintf("body.%s", name);
	ok = free_name != NULL && json_object_set_nocheck(fields, json_string_value(free_name), value) == 0;
	json_decref(free_name);
	return ok;
}

json_t *
callsync_call_document_normalise(const json_t *body)
{
	json_t	   *result;
	json_t	   *sent_fields = json_object_get(body, "fields");
	json_t	   *fields;
	const char *key;
	json_t	   *value;
	bool		ok;

	if (!json_is_object(body))
		return NULL;
	result = json_object();
	fields = json_is_object(sent_fields) ? json_copy(sent_fields) : json_object();
	ok = result != NULL && fields != NULL;
	if (ok && sent_fields != NULL && !json_is_object(sent_fields) && !json_is_null(sent_fields))
		ok = json_object_set_nocheck(fields, "fields", sent_fields) == 0;
	json_object_foreach((json_t *) body, key, value)
	{
		const char *name = proper_name("", key);
		const Member *member;

		if (!ok)
			break;
		if (in_envelope(body, key) || strcmp(key, "fields") == 0)
			continue;
		if (name != key && json_object_get(body, name) != NULL)
			name = key;
		member = find_member(name);
		if (member != NULL && member->kind == MEMBER_OBJECT && strcmp(name, "caller") == 0 && json_is_string(value))
		{
			json_t	   *caller = json_object();

			ok = caller != NULL && json_object_set_nocheck(caller, "phone", value) == 0 &&
				json_object_set_nocheck(result, name, caller) == 0;
			json_decref(caller);
		}
		else if (member == NULL ||
				 (member->kind == MEMBER_OBJECT && !json_is_object(value) && !json_is_null(value)))
			ok = keep_in_fields(fields, key, value);
		else if (json_is_object(value) && member->kind == MEMBER_OBJECT)
			ok = set_new(result, name, normalise_object(name, value));
		else
			ok = set_new(result, name, convert(member->kind, value));
	}
	json_object_foreach(fields, key, value)
	{
		const char *name = proper_name("", key);
		const Member *member = find_member(name);

		if (!ok)
			break;
		if (member == NULL || member->kind == MEMBER_OBJECT || json_is_object(value) ||
			strcmp(name, "call_id") == 0 || strcmp(name, "type") == 0 ||
			json_object_get(result, name) != NULL)
			continue;
		ok = set_new(result, name, convert(member->kind, value));
	}
	if (ok && json_object_size(fields) > 0)
		ok = json_object_set_nocheck(result, "fields", fields) == 0;
	json_decref(fields);
	if (!ok)
	{
		json_decref(result);
		return NULL;
	}
	return result;
}

void
callsync_call_document_envelope(const json_t *body, CallsyncEnvelope *envelope)
{
	const json_t *time = json_object_get(body, "timestamp");

	memset(envelope, 0, sizeof(*envelope));
	envelope->type = json_string_value(json_object_get(body, "event_type"));
	if (envelope->type == NULL && type_is_event_type(body))
		envelope->type = json_string_value(json_object_get(body, "type"));
	envelope->event_id = json_string_value(json_object_get(body, "event_id"));
	envelope->has_time = callsync_json_instant(time, &envelope->time_us);
	envelope->bad_time = !envelope->has_time && time != NULL && !json_is_null(time);
}

/* Does the value say anything? */
static bool
says_something(const json_t *value)
{
	void	   *at;

	if (value == NULL || json_is_null(value))
		return false;
	if (json_is_string(value))
		return json_string_length(value) > 0;
	if (json_is_array(value))
		return json_array_size(value) > 0;
	if (!json_is_object(value))
		return true;
	for (at = json_object_iter((json_t *) value); at != NULL; at = json_object_iter_next((json_t *) value, at))
	{
		if (says_something(json_object_iter_value(at)))
			return true;
	}
	return false;
}

bool
callsync_call_document_has_extraction(const json_t *document)
{
	const json_t *caller = json_object_get(document, "caller");
	const json_t *fields = json_object_get(document, "fields");
	const char *key;
	json_t	   *value;

	for (size_t i = 0; i < LENGTH(members); i++)
	{
		if (members[i].extracted && strcmp(members[i].name, "fields") != 0 &&
			says_something(json_object_get(document, members[i].name)))
			return true;
	}
	for (size_t i = 0; i < LENGTH(spoken_members); i++)
	{
		if (says_something(json_object_get(caller, spoken_members[i])))
			return true;
	}
	json_object_foreach((json_t *) fields, key, value)
	{
		if (strcmp(key, CALLSYNC_FIELDS_PLATFORM) != 0 && says_something(value))
			return true;
	}
	return false;
}

json_t *
callsync_call_document_said(const json_t *document)
{
	const char *disposition = json_string_value(json_object_get(document, "disposition"));
	json_t	   *copy;

	if (disposition == NULL || strcmp(disposition, CALLSYNC_NO_DISPOSITION) != 0)
		return json_incref((json_t *) document);
	copy = json_copy((json_t *) document);
	json_object_del(copy, "disposition");
	return copy;
}
