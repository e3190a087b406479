/*
 * merge.c
 *		The call record as a function of the set of its events.
 *
 * What call.failed events say is kept in a tree of its own, because it yields to
 * what is known as of the end of the call, and that end may arrive later. The
 * document is put together from both trees whenever it is asked for.
 *
 * merge_state:
 *	 e	[[event time, tie break], ...]	stamps that owners refer to
 *	 o	owners of the document (merge_tree.h); with f: of n
 *	 t	{event type: earliest event time}
 *	 u	the same, of events that are no row of a table (whose time is the write's);
 *		true: equal to t
 *	 r	[first receipt, first receipt with extracted values or null]
 *	 q	facts about events, bits SAID_...
 *	 d	{derived member of the document: what an event had said there, or null}
 *	 n, f, g	only after a call.failed: document of the other events, document of the
 *				failed ones, owners of the latter
 */
#include "core/merge.h"

#include <stdlib.h>
#include <string.h>

#include "core/call_document.h"
#include "core/instant.h"
#include "core/merge_tree.h"

#define SAID_END_WITHOUT_ROW		0x01	/* an end that is not a table's row: its silence about the disposition counts */
#define SAID_TRANSFER_WITHOUT_ROW	0x02
#define SAID_DISPOSITION			0x04	/* some event has the member, be it null */
#define SAID_REASON					0x08	/* likewise escalation */

struct CallsyncMerge
{
	CallsyncArena *arena;
	CallsyncTree *said;			/* by all events but call.failed; NULL: nothing */
	CallsyncTree *failed;		/* by call.failed events */
	bool		has_failed;
	json_t	   *types;			/* {type: earliest event time} */
	json_t	   *times;			/* likewise, of events that are no table's row */
	int64_t		intake_us;
	int64_t		extraction_us;
	unsigned	facts;
	json_t	   *held;			/* array: what trees borrow from */
};

static const char *const status_names[] = {
	[CALLSYNC_CALL_UNKNOWN] = "unknown",
	[CALLSYNC_CALL_IN_PROGRESS] = "in_progress",
	[CALLSYNC_CALL_TRANSFERRED] = "transferred",
	[CALLSYNC_CALL_ENDED] = "ended",
	[CALLSYNC_CALL_FAILED] = "failed",
	[CALLSYNC_CALL_COMPLETE] = "complete",
};

static const char *const conflict_names[] = {
	"failed_after_ended", "ended_after_failed", "started_after_end"
};

static const char *const flag_names[] = {
	"NO_DISPOSITION", "TRANSFER_REASON_UNSPECIFIED", "CALL_FAILED", "TRANSCRIPT_ONLY", "CONFLICT",
	"START_ASSUMED"
};

#define LENGTH(a) ((int) (sizeof(a) / sizeof((a)[0])))

const char *
callsync_call_status_name(CallsyncCallStatus status)
{
	return status_names[status];
}

const char *
callsync_conflict_name(int bit)
{
	return bit >= 0 && bit < LENGTH(conflict_names) ? conflict_names[bit] : NULL;
}

const char *
callsync_flag_name(int bit)
{
	return bit >= 0 && bit < LENGTH(flag_names) ? flag_names[bit] : NULL;
}

/* --- status --- */

json_t *
callsync_merge_default_expected(void)
{
	return json_pack("[s, s, s]",
					 callsync_event_type_name(CALLSYNC_EVENT_STARTED),
					 callsync_event_type_name(CALLSYNC_EVENT_ENDED),
					 callsync_event_type_name(CALLSYNC_EVENT_TRANSCRIPTION));
}

#define SEEN(type) ((seen & (1u << (type))) != 0)

/*
 * Is the expected type in, or not needed? Types outside the catalogue are looked up
 * by name among "types" (may be NULL).
 */
static bool
is_satisfied(const char *expected, unsigned seen, const json_t *types)
{
	CallsyncEventType type = callsync_event_type_find(expected, strlen(expected));

	switch (type)
	{
		case CALLSYNC_EVENT_ENDED:
			return SEEN(CALLSYNC_EVENT_ENDED) || SEEN(CALLSYNC_EVENT_FAILED);
		case CALLSYNC_EVENT_TRANSCRIPTION:
			return SEEN(CALLSYNC_EVENT_TRANSCRIPTION) || SEEN(CALLSYNC_EVENT_FAILED);
		case CALLSYNC_EVENT_OTHER:
			return json_object_get(types, expected) != NULL;
		default:
			return SEEN(type);
	}
}

static bool
all_satisfied(const json_t *expected, unsigned seen, const json_t *types)
{
	size_t		i;
	json_t	   *name;

	json_array_foreach((json_t *) expected, i, name)
	{
		if (json_is_string(name) && !is_satisfied(json_string_value(name), seen, types))
			return false;
	}
	return json_array_size(expected) > 0;
}

static CallsyncCallStatus
status_of(unsigned seen, const json_t *expected, const json_t *types)
{
	if (all_satisfied(expected, seen, types))
		return CALLSYNC_CALL_COMPLETE;
	if (SEEN(CALLSYNC_EVENT_FAILED))
		return CALLSYNC_CALL_FAILED;
	if (SEEN(CALLSYNC_EVENT_ENDED))
		return CALLSYNC_CALL_ENDED;
	if (SEEN(CALLSYNC_EVENT_TRANSFERRED))
		return CALLSYNC_CALL_TRANSFERRED;
	if (SEEN(CALLSYNC_EVENT_STARTED))
		return CALLSYNC_CALL_IN_PROGRESS;
	return CALLSYNC_CALL_UNKNOWN;
}

CallsyncCallStatus
callsync_call_status(unsigned seen, const json_t *expected)
{
	json_t	   *fallback = expected ? NULL : callsync_merge_default_expected();
	CallsyncCallStatus status = status_of(seen, expected ? expected : fallback, NULL);

	json_decref(fallback);
	return status;
}

/* --- state --- */

static bool
load_stamps(CallsyncMerge *merge, const json_t *list, CallsyncStamps *stamps)
{
	size_t		n = json_array_size(list);
	size_t		i;
	json_t	   *pair;

	stamps->items = callsync_arena_alloc(merge->arena, (n + 1) * sizeof(CallsyncStamp));
	if (stamps->items == NULL)
		return false;
	json_array_foreach((json_t *) list, i, pair)
	{
		const json_t *time = json_array_get(pair, 0);
		const json_t *tie = json_array_get(pair, 1);

		if (!json_is_integer(time) || !json_is_integer(tie))
			return false;
		stamps->items[stamps->n].time_us = json_integer_value(time);
		stamps->items[stamps->n++].tie = json_integer_value(tie);
	}
	return true;
}

/* The document without its derived members; merge->held keeps it. */
static const json_t *
without_derived(CallsyncMerge *merge, const json_t *document, json_t *derived)
{
	json_t	   *copy;
	const char *name;
	json_t	   *said;

	if (json_object_size(derived) == 0)
		return document;
	copy = json_copy((json_t *) document);
	if (copy == NULL || json_array_append_new(merge->held, copy) != 0)
		return NULL;
	json_object_foreach(derived, name, said)
	{
		if (json_is_null(said))
			json_object_del(copy, name);
		else if (json_object_set_nocheck(copy, name, said) != 0)
			return NULL;
	}
	return copy;
}

static int64_t
time_or_none(const json_t *value)
{
	return json_is_integer(value) ? json_integer_value(value) : CALLSYNC_NO_TIME;
}

static bool
load_state(CallsyncMerge *merge, const json_t *document, const json_t *state)
{
	CallsyncStamps stamps = {0};
	const json_t *said = json_object_get(state, "n");
	bool		failed = false;

	if (!json_is_object(document) || !load_stamps(merge, json_object_get(state, "e"), &stamps))
		return false;
	if (json_array_append(merge->held, (json_t *) document) != 0 ||
		json_array_append(merge->held, (json_t *) state) != 0)
		return false;
	merge->has_failed = said != NULL;
	if (said == NULL)
		said = without_derived(merge, document, json_object_get(state, "d"));
	if (said == NULL)
		return false;
	merge->said = callsync_tree_load(merge->arena, said, json_object_get(state, "o"), &stamps, &failed);
	if (!failed && merge->has_failed)
		merge->failed = callsync_tree_load(merge->arena, json_object_get(state, "f"),
										   json_object_get(state, "g"), &stamps, &failed);
	json_decref(merge->types);
	json_decref(merge->times);
	merge->types = json_copy(json_object_get(state, "t"));
	merge->times = json_copy(json_object_get(state, json_is_true(json_object_get(state, "u")) ? "t" : "u"));
	if (merge->times == NULL)
		merge->times = json_object();
	merge->facts = (unsigned) json_integer_value(json_object_get(state, "q"));
	merge->intake_us = time_or_none(json_array_get(json_object_get(state, "r"), 0));
	merge->extraction_us = time_or_none(json_array_get(json_object_get(state, "r"), 1));
	return !failed && json_is_object(merge->types) && json_is_object(merge->times);
}

CallsyncMerge *
callsync_merge_begin(const json_t *document, const json_t *merge_state)
{
	CallsyncMerge *merge = calloc(1, sizeof(CallsyncMerge));

	if (merge == NULL)
		return NULL;
	merge->arena = callsync_arena_new();
	merge->types = json_object();
	merge->times = json_object();
	merge->held = json_array();
	merge->intake_us = CALLSYNC_NO_TIME;
	merge->extraction_us = CALLSYNC_NO_TIME;
	if (merge->arena == NULL || merge->types == NULL || merge->times == NULL || merge->held == NULL ||
		(json_object_size(merge_state) > 0 && !load_state(merge, document, merge_state)))
	{
		callsync_merge_end(merge);
		return NULL;
	}
	return merge;
}

void
callsync_merge_end(CallsyncMerge *merge)
{
	if (merge == NULL)
		return;
	callsync_arena_free(merge->arena);
	json_decref(merge->types);
	json_decref(merge->times);
	json_decref(merge->held);
	free(merge);
}

/* --- applying --- */

static int64_t
earlier(int64_t a, int64_t b)
{
	if (a == CALLSYNC_NO_TIME)
		return b;
	if (b == CALLSYNC_NO_TIME)
		return a;
	return a < b ? a : b;
}

static bool
keep_earliest(json_t *object, const char *name, int64_t time_us)
{
	int64_t		known = time_or_none(json_object_get(object, name));

	if (known != CALLSYNC_NO_TIME && known <= time_us)
		return true;
	return json_object_set_new_nocheck(object, name, json_integer(time_us)) == 0;
}

bool
callsync_merge_event(CallsyncMerge *merge, const CallsyncMergeEvent *event)
{
	CallsyncStamp stamp = {event->event_time_us, event->tie_break};
	CallsyncEventType type = event->type
		? callsync_event_type_find(event->type, strlen(event->type)) : CALLSYNC_EVENT_OTHER;
	const char *type_name = type == CALLSYNC_EVENT_OTHER ? event->type : callsync_event_type_name(type);
	CallsyncTree *tree;
	CallsyncTree **side = type == CALLSYNC_EVENT_FAILED ? &merge->failed : &merge->said;
	bool		failed = false;

	if (event->document != NULL && json_array_append(merge->held, (json_t *) event->document) != 0)
		return false;
	tree = callsync_tree_from_event(merge->arena, event->document, stamp);
	if (tree == NULL)
		return false;
	tree = callsync_tree_join(merge->arena, *side, tree, &failed);
	if (failed)
		return false;
	if (type_name != NULL && !keep_earliest(merge->types, type_name, event->event_time_us))
		return false;
	if (type_name != NULL && !event->whole_row && !keep_earliest(merge->times, type_name, event->event_time_us))
		return false;

	*side = tree;
	merge->has_failed |= type == CALLSYNC_EVENT_FAILED;
	if (!event->whole_row && (type == CALLSYNC_EVENT_ENDED || type == CALLSYNC_EVENT_FAILED))
		merge->facts |= SAID_END_WITHOUT_ROW;
	if (!event->whole_row && type == CALLSYNC_EVENT_TRANSFERRED)
		merge->facts |= SAID_TRANSFER_WITHOUT_ROW;
	if (json_object_get(event->document, "disposition") != NULL)
		merge->facts |= SAID_DISPOSITION;
	if (json_object_get(event->document, "escalation") != NULL)
		merge->facts |= SAID_REASON;
	merge->intake_us = earlier(merge->intake_us, event->received_us);
	if (callsync_call_document_has_extraction(event->document))
		merge->extraction_us = earlier(merge->extraction_us, event->received_us);
	return true;
}

/* --- result --- */

static int64_t
first_time(const json_t *times, CallsyncEventType type)
{
	return time_or_none(json_object_get(times, callsync_event_type_name(type)));
}

static int64_t
earliest_time(json_t *times)
{
	int64_t		earliest = CALLSYNC_NO_TIME;
	const char *type;
	json_t	   *time;

	json_object_foreach(times, type, time)
		earliest = earlier(earliest, time_or_none(time));
	return earliest;
}

static unsigned
types_seen(const json_t *types)
{
	unsigned	seen = 0;

	for (int type = 0; type < CALLSYNC_EVENT_TYPES; type++)
	{
		if (json_object_get(types, callsync_event_type_name(type)) != NULL)
			seen |= 1u << type;
	}
	return seen;
}

static int64_t
member_time(const json_t *document, const char *name)
{
	int64_t		us;

	return callsync_json_instant(json_object_get(document, name), &us) ? us : CALLSYNC_NO_TIME;
}

static bool
set_new(json_t *object, const char *name, json_t *value)
{
	return value != NULL && json_object_set_new_nocheck(object, name, value) == 0;
}

static bool
is_blank(const json_t *value)
{
	return value == NULL || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
}

/* Puts in a value that no event said (steals it), and remembers what stood there. */
static bool
derive(json_t *document, json_t *derived, const char *name, json_t *value)
{
	json_t	   *said = json_object_get(document, name);

	return value != NULL && json_object_set_nocheck(derived, name, said ? said : json_null()) == 0 &&
		json_object_set_new_nocheck(document, name, value) == 0;
}

static json_t *
instant_text(int64_t us)
{
	char		text[CALLSYNC_INSTANT_LEN];

	callsync_instant_format(us, text);
	return json_string(text);
}

/*
 * Start, end and duration: what the document says, else what the events' own times
 * say, else what the other two say.
 */
static bool
derive_times(const CallsyncMerge *merge, unsigned seen, CallsyncMergeResult *result, json_t *derived)
{
	json_t	   *document = result->document;
	const json_t *duration = json_object_get(document, "duration_s");
	bool		over = SEEN(CALLSYNC_EVENT_ENDED) || SEEN(CALLSYNC_EVENT_FAILED);
	int64_t		start = member_time(document, "started_at");
	int64_t		end = member_time(document, "ended_at");
	int64_t		length_us = CALLSYNC_NO_TIME;
	bool		ok = true;

	if (json_is_number(duration) && json_number_value(duration) >= 0 && json_number_value(duration) < 1e9)
		length_us = (int64_t) (json_number_value(duration) * 1e6);
	if (start == CALLSYNC_NO_TIME)
		start = first_time(merge->times, CALLSYNC_EVENT_STARTED);
	if (end == CALLSYNC_NO_TIME && over && start != CALLSYNC_NO_TIME && length_us != CALLSYNC_NO_TIME)
		end = start + length_us;
	if (end == CALLSYNC_NO_TIME)
	{
		end = first_time(merge->times, CALLSYNC_EVENT_ENDED);
		if (end == CALLSYNC_NO_TIME)
			end = first_time(merge->times, CALLSYNC_EVENT_FAILED);
	}
	if (start == CALLSYNC_NO_TIME && end != CALLSYNC_NO_TIME && length_us != CALLSYNC_NO_TIME)
		start = end - length_us;
	if (start == CALLSYNC_NO_TIME && end == CALLSYNC_NO_TIME)
	{
		/* a record of the call needs some time: the first sign of life is the best there is */
		start = earliest_time(merge->times);
		if (start != CALLSYNC_NO_TIME)
			result->flags |= CALLSYNC_FLAG_START_ASSUMED;
	}

	if (start != CALLSYNC_NO_TIME && is_blank(json_object_get(document, "started_at")))
		ok = derive(document, derived, "started_at", instant_text(start));
	if (ok && end != CALLSYNC_NO_TIME && is_blank(json_object_get(document, "ended_at")))
		ok = derive(document, derived, "ended_at", instant_text(end));
	if (ok && is_blank(duration) && start != CALLSYNC_NO_TIME && end != CALLSYNC_NO_TIME && end >= start)
		ok = derive(document, derived, "duration_s",
					(end - start) % 1000000 == 0 ? json_integer((end - start) / 1000000)
					: json_real((double) (end - start) / 1e6));
	result->started_at_us = start;
	result->ended_at_us = end;
	return ok;
}

/* The null rules of the event catalogue: an end without outcome, a transfer without reason. */
static bool
derive_outcome(const CallsyncMerge *merge, unsigned seen, CallsyncMergeResult *result, json_t *derived)
{
	json_t	   *document = result->document;
	bool		over = SEEN(CALLSYNC_EVENT_ENDED) || SEEN(CALLSYNC_EVENT_FAILED);
	json_t	   *escalation = json_object_get(document, "escalation");
	bool		ok = true;

	if (over && is_blank(json_object_get(document, "disposition")) &&
		(merge->facts & (SAID_END_WITHOUT_ROW | SAID_DISPOSITION)))
	{
		result->flags |= CALLSYNC_FLAG_NO_DISPOSITION;
		ok = derive(document, derived, "disposition", json_string(CALLSYNC_NO_DISPOSITION));
	}
	if (ok && SEEN(CALLSYNC_EVENT_TRANSFERRED) &&
		(merge->facts & (SAID_TRANSFER_WITHOUT_ROW | SAID_REASON)) &&
		(is_blank(escalation) ||
		 (json_is_object(escalation) && is_blank(json_object_get(escalation, "reason")))))
	{
		json_t	   *with_reason = json_is_object(escalation) ? json_copy(escalation) : json_object();

		result->flags |= CALLSYNC_FLAG_TRANSFER_UNSPECIFIED;
		if (with_reason != NULL &&
			!set_new(with_reason, "reason", json_string(CALLSYNC_REASON_UNSPECIFIED)))
		{
			json_decref(with_reason);
			with_reason = NULL;
		}
		ok = derive(document, derived, "escalation", with_reason);
	}
	return ok;
}

static void
find_conflicts(const CallsyncMerge *merge, unsigned seen, CallsyncMergeResult *result)
{
	int64_t		ended = first_time(merge->types, CALLSYNC_EVENT_ENDED);
	int64_t		failed = first_time(merge->types, CALLSYNC_EVENT_FAILED);
	int64_t		started = first_time(merge->types, CALLSYNC_EVENT_STARTED);

	if (SEEN(CALLSYNC_EVENT_ENDED) && SEEN(CALLSYNC_EVENT_FAILED))
		result->conflicts |= failed >= ended ? CALLSYNC_CONFLICT_FAILED_AFTER_ENDED
			: CALLSYNC_CONFLICT_ENDED_AFTER_FAILED;
	if (SEEN(CALLSYNC_EVENT_STARTED) && SEEN(CALLSYNC_EVENT_ENDED) && started > ended)
		result->conflicts |= CALLSYNC_CONFLICT_STARTED_AFTER_END;
	if (result->conflicts != 0)
		result->flags |= CALLSYNC_FLAG_CONFLICT;
	if (SEEN(CALLSYNC_EVENT_FAILED))
		result->flags |= CALLSYNC_FLAG_CALL_FAILED;
}

/* The earliest moment at which the set was complete: the last of the first times. */
static int64_t
completion_time(const json_t *types, const json_t *expected)
{
	int64_t		latest = CALLSYNC_NO_TIME;
	size_t		i;
	json_t	   *name;

	json_array_foreach((json_t *) expected, i, name)
	{
		const char *text = json_string_value(name);
		CallsyncEventType type = text ? callsync_event_type_find(text, strlen(text)) : CALLSYNC_EVENT_OTHER;
		int64_t		in;

		if (text == NULL)
			continue;
		in = type == CALLSYNC_EVENT_OTHER ? time_or_none(json_object_get(types, text)) : first_time(types, type);
		if (type == CALLSYNC_EVENT_ENDED || (type == CALLSYNC_EVENT_TRANSCRIPTION && in == CALLSYNC_NO_TIME))
			in = earlier(in, first_time(types, CALLSYNC_EVENT_FAILED));
		if (in > latest)
			latest = in;
	}
	return latest;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static json_t *
sorted_names(json_t *types)
{
	size_t		n = json_object_size(types);
	const char **names = calloc(n + 1, sizeof(char *));
	json_t	   *result = json_array();
	const char *key;
	json_t	   *value;
	size_t		i = 0;

	if (names != NULL && result != NULL)
	{
		json_object_foreach(types, key, value)
			names[i++] = key;
		qsort(names, n, sizeof(char *), compare_names);
		for (i = 0; i < n; i++)
			json_array_append_new(result, json_string(names[i]));
	}
	free(names);
	return result;
}

static json_t *
missing_types(const json_t *expected, unsigned seen, const json_t *types)
{
	json_t	   *result = json_array();
	size_t		i;
	json_t	   *name;

	json_array_foreach((json_t *) expected, i, name)
	{
		if (json_is_string(name) && !is_satisfied(json_string_value(name), seen, types))
			json_array_append(result, name);
	}
	return result;
}

static json_t *
time_json(int64_t us)
{
	return us == CALLSYNC_NO_TIME ? json_null() : json_integer(us);
}

static json_t *
write_state(CallsyncMerge *merge, json_t *derived)
{
	CallsyncStamps stamps = {0};
	json_t	   *state = json_object();
	json_t	   *list = json_array();
	bool		ok = state != NULL && list != NULL;

	ok = ok && callsync_tree_stamps(merge->arena, merge->said, &stamps) &&
		callsync_tree_stamps(merge->arena, merge->failed, &stamps);
	callsync_stamps_sort(&stamps);
	for (int i = 0; ok && i < stamps.n; i++)
		ok = json_array_append_new(list, json_pack("[I, I]", (json_int_t) stamps.items[i].time_us,
												   (json_int_t) stamps.items[i].tie)) == 0;
	ok = ok && json_object_set(state, "e", list) == 0 &&
		set_new(state, "o", callsync_tree_owners(merge->said, &stamps)) &&
		json_object_set(state, "t", merge->types) == 0 &&
		set_new(state, "r", json_pack("[o, o]", time_json(merge->intake_us), time_json(merge->extraction_us)));
	if (ok && json_object_size(merge->times) > 0)
		ok = json_equal(merge->times, merge->types) ? set_new(state, "u", json_true())
			: json_object_set(state, "u", merge->times) == 0;
	if (ok && merge->facts != 0)
		ok = set_new(state, "q", json_integer(merge->facts));
	if (ok && merge->has_failed)
		ok = set_new(state, "n", callsync_tree_document(merge->said)) &&
			set_new(state, "f", callsync_tree_document(merge->failed)) &&
			set_new(state, "g", callsync_tree_owners(merge->failed, &stamps));
	else if (ok && json_object_size(derived) > 0)
		ok = json_object_set(state, "d", derived) == 0;
	json_decref(list);
	if (!ok)
	{
		json_decref(state);
		return NULL;
	}
	return state;
}

/* What both sides say together: see the rule about ended calls in merge.h. */
static CallsyncTree *
combined(CallsyncMerge *merge, bool *no_memory)
{
	CallsyncTree *failed = merge->failed;
	int64_t		ended = first_time(merge->types, CALLSYNC_EVENT_ENDED);

	if (ended != CALLSYNC_NO_TIME)
		failed = callsync_tree_without(merge->arena, failed, merge->said, ended, no_memory);
	if (*no_memory)
		return NULL;
	return callsync_tree_join(merge->arena, merge->said, failed, no_memory);
}

bool
callsync_merge_result(CallsyncMerge *merge, const json_t *expected, CallsyncMergeResult *result)
{
	unsigned	seen = types_seen(merge->types);
	json_t	   *derived = json_object();
	bool		no_memory = false;
	json_t	   *fallback = expected ? NULL : callsync_merge_default_expected();
	CallsyncTree *tree = combined(merge, &no_memory);
	bool		ok = !no_memory && derived != NULL;

	if (expected == NULL)
		expected = fallback;
	memset(result, 0, sizeof(*result));
	result->document = ok ? callsync_tree_document(tree) : NULL;
	ok = result->document != NULL && derive_times(merge, seen, result, derived) &&
		derive_outcome(merge, seen, result, derived);
	find_conflicts(merge, seen, result);
	result->status = status_of(seen, expected, merge->types);
	result->complete_at_us = result->status == CALLSYNC_CALL_COMPLETE
		? completion_time(merge->types, expected) : CALLSYNC_NO_TIME;
	result->intake_at_us = merge->intake_us;
	result->extraction_at_us = merge->extraction_us;
	result->extraction = merge->extraction_us != CALLSYNC_NO_TIME;
	if (!result->extraction && !is_blank(json_object_get(result->document, "transcript")))
		result->flags |= CALLSYNC_FLAG_TRANSCRIPT_ONLY;
	result->events = sorted_names(merge->types);
	result->missing = missing_types(expected, seen, merge->types);
	result->merge_state = ok ? write_state(merge, derived) : NULL;
	json_decref(derived);
	json_decref(fallback);
	if (result->merge_state == NULL || result->events == NULL || result->missing == NULL)
	{
		callsync_merge_result_clear(result);
		return false;
	}
	return true;
}

void
callsync_merge_result_clear(CallsyncMergeResult *result)
{
	json_decref(result->document);
	json_decref(result->merge_state);
	json_decref(result->events);
	json_decref(result->missing);
	result->document = result->merge_state = result->events = result->missing = NULL;
}
