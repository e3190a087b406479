/*
 * merge_test.c
 *		The call record does not depend on order, repetition or where the state was
 *		stored in between.
 */
#include "core/merge.h"

#include <stdlib.h>

#include "core/call_document.h"
#include "unit.h"

#define MAX_EVENTS 6

typedef struct Event
{
	const char *type;
	int64_t		time_us;
	int64_t		tie;
	json_t	   *document;
	bool		whole_row;
} Event;

static char *
dump(const json_t *json)
{
	return json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
}

/* Through text and back, as storing does. */
static json_t *
stored(json_t *json)
{
	char	   *text = dump(json);
	json_t	   *result = json_loads(text, 0, NULL);

	free(text);
	return result;
}

static bool
apply(CallsyncMerge *merge, const Event *event)
{
	CallsyncMergeEvent e = {event->type, event->time_us, event->tie, event->time_us + 5, event->whole_row, event->document};

	return callsync_merge_event(merge, &e);
}

/* All of a result as one text. */
static char *
result_text(const CallsyncMergeResult *result)
{
	json_t	   *all = json_pack("{s:O, s:O, s:O, s:O, s:s, s:i, s:i, s:b, s:I, s:I, s:I, s:I, s:I}",
								"document", result->document, "merge_state", result->merge_state,
								"events", result->events, "missing", result->missing,
								"status", callsync_call_status_name(result->status),
								"conflicts", (int) result->conflicts, "flags", (int) result->flags,
								"extraction", (int) result->extraction,
								"started", (json_int_t) result->started_at_us, "ended", (json_int_t) result->ended_at_us,
								"complete", (json_int_t) result->complete_at_us,
								"intake", (json_int_t) result->intake_at_us,
								"extraction_at", (json_int_t) result->extraction_at_us);
	char	   *text = dump(all);

	json_decref(all);
	return text;
}

/*
 * Applies events in the given order, each "times" times; with "store" the state goes
 * through text after every event.
 */
static char *
run(const Event *events, const int *order, int n, int times, bool store)
{
	json_t	   *document = NULL;
	json_t	   *state = NULL;
	CallsyncMerge *merge = callsync_merge_begin(NULL, NULL);
	CallsyncMergeResult result;
	char	   *text;

	for (int i = 0; i < n; i++)
	{
		for (int k = 0; k < times; k++)
			CHECK(apply(merge, &events[order[i]]));
		if (!store)
			continue;
		CHECK(callsync_merge_result(merge, NULL, &result));
		callsync_merge_end(merge);
		json_decref(document);
		json_decref(state);
		document = stored(result.document);
		state = stored(result.merge_state);
		callsync_merge_result_clear(&result);
		merge = callsync_merge_begin(document, state);
		if (!CHECK(merge != NULL))
			return NULL;
	}
	/* again out of order, into the finished state */
	if (times > 1)
		CHECK(apply(merge, &events[order[0]]));
	CHECK(callsync_merge_result(merge, NULL, &result));
	text = result_text(&result);
	callsync_merge_result_clear(&result);
	callsync_merge_end(merge);
	json_decref(document);
	json_decref(state);
	return text;
}

static bool
next_permutation(int *order, int n)
{
	int			i = n - 2;
	int			j = n - 1;
	int			swap;

	while (i >= 0 && order[i] > order[i + 1])
		i--;
	if (i < 0)
		return false;
	while (order[j] < order[i])
		j--;
	swap = order[i], order[i] = order[j], order[j] = swap;
	for (int a = i + 1, b = n - 1; a < b; a++, b--)
		swap = order[a], order[a] = order[b], order[b] = swap;
	return true;
}

/* Every order, single and doubled, in one go and stored after each event. Returns the one text. */
static char *
check_all_orders(const Event *events, int n, const char *what)
{
	int			order[MAX_EVENTS] = {0, 1, 2, 3, 4, 5};
	char	   *first = run(events, order, n, 1, false);
	int			different = 0;
	int			orders = 0;

	do
	{
		for (int variant = 0; variant < 4; variant++)
		{
			char	   *text = run(events, order, n, variant & 1 ? 2 : 1, (variant & 2) != 0);

			if (text == NULL || strcmp(text, first) != 0)
			{
				if (different++ == 0)
					fprintf(stderr, "%s, variant %d:\n  first %s\n  now   %s\n", what, variant, first, text);
			}
			free(text);
		}
		orders++;
	} while (next_permutation(order, n));
	CHECK(different == 0);
	if (n == MAX_EVENTS)
		CHECK(orders == 720);
	return first;
}

static void
free_events(Event *events, int n)
{
	for (int i = 0; i < n; i++)
		json_decref(events[i].document);
}

#define S INT64_C(1000000)

static void
test_six_events(void)
{
	Event		events[] = {
		{"call.started", 1000 * S, 11, json_loads("{\"call_id\":\"c\",\"direction\":\"inbound\",\"caller\":{\"phone\":\"+15551234567\",\"name\":null},\"fields\":{\"x\":\"s\"}}", 0, NULL), false},
		{"call_transferred", 1100 * S, 12, json_loads("{\"call_id\":\"c\",\"escalation\":{\"reason\":\"asked for a person\"},\"caller\":{\"name\":\"J\"}}", 0, NULL), false},
		{"call_completed", 1200 * S, 13, json_loads("{\"call_id\":\"c\",\"disposition\":\"booked\",\"summary\":\"a\",\"caller\":{\"name\":\"Jordan\"},\"answers\":{\"q1\":[1,2]},\"fields\":{\"x\":{\"y\":1}}}", 0, NULL), false},
		{"call.failed", 1210 * S, 14, json_loads("{\"call_id\":\"c\",\"disposition\":\"failed\",\"end_reason\":\"carrier\",\"direction\":\"outbound\"}", 0, NULL), false},
		{"transcript.ready", 1300 * S, 15, json_loads("{\"call_id\":\"c\",\"transcript\":\"hello\",\"caller\":{\"name\":null,\"email\":\"j@example.com\"}}", 0, NULL), false},
		{"sentiment.scored", 1250 * S, 16, json_loads("{\"call_id\":\"c\",\"sentiment\":0.5,\"summary\":\"b\",\"fields\":{\"x\":{\"z\":null}}}", 0, NULL), false},
	};
	char	   *text = check_all_orders(events, 6, "six events");
	json_t	   *all = json_loads(text, 0, NULL);
	const json_t *document = json_object_get(all, "document");
	char	   *got = dump(document);

	CHECK_STR(got, "{\"answers\":{\"q1\":[1,2]},\"call_id\":\"c\",\"caller\":{\"email\":\"j@example.com\",\"phone\":\"+15551234567\"},"
			  "\"direction\":\"outbound\",\"disposition\":\"booked\",\"duration_s\":200,\"end_reason\":\"carrier\","
			  "\"ended_at\":\"1970-01-01T00:20:00Z\",\"escalation\":{\"reason\":\"asked for a person\"},"
			  "\"fields\":{\"x\":{\"y\":1}},\"sentiment\":0.5,\"started_at\":\"1970-01-01T00:16:40Z\",\"summary\":\"b\",\"transcript\":\"hello\"}");
	CHECK_STR(json_string_value(json_object_get(all, "status")), "complete");
	CHECK(json_integer_value(json_object_get(all, "conflicts")) == CALLSYNC_CONFLICT_FAILED_AFTER_ENDED);
	/* the last expected event by its own time */
	CHECK(json_integer_value(json_object_get(all, "complete")) == 1300 * S);
	free(got);
	json_decref(all);
	free(text);
	free_events(events, 6);
}

static unsigned seed;

static unsigned
draw(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

/* Small alphabets, so that the same places meet as scalar, object, array and null. */
static json_t *
random_json(int depth)
{
	static const char *const names[] = {"a", "b", "disposition", "escalation", "reason", "started_at", "fields", ""};
	json_t	   *object;
	unsigned	n;

	switch (draw(depth > 3 ? 5 : 8))
	{
		case 0:
			return json_null();
		case 1:
			return json_string("");
		case 2:
			return json_integer(draw(3));
		case 3:
			return json_pack("[i]", (int) draw(2));
		case 4:
			return json_string(draw(2) ? "1970-01-01T00:00:01Z" : "x");
		default:
			object = json_object();
			n = draw(5);
			for (unsigned i = 0; i < n; i++)
				json_object_set_new(object, names[draw(8)], random_json(depth + 1));
			return object;
	}
}

static void
test_random_sets(void)
{
	static const char *const types[] = {"call.started", "call.ended", "call.failed", "call.failed", "call.transferred", "other.thing", "transcription.complete"};

	for (int round = 0; round < 400; round++)
	{
		Event		events[4];

		seed = 7919u * (unsigned) (round + 1);
		for (int i = 0; i < 4; i++)
		{
			json_t	   *document = random_json(0);

			while (!json_is_object(document))
			{
				json_decref(document);
				document = random_json(0);
			}
			/* few times and ties: equal ones meet often */
			events[i] = (Event) {types[draw(7)], draw(3) * S, draw(2), document, draw(3) == 0};
		}
		free(check_all_orders(events, 4, "random"));
		free_events(events, 4);
	}
}

/* status of each of the 64 subsets, as the event catalogue documents it */
static void
test_subsets(void)
{
	for (unsigned set = 0; set < 64; set++)
	{
		bool		started = set & 1u << CALLSYNC_EVENT_STARTED;
		bool		ended = set & 1u << CALLSYNC_EVENT_ENDED;
		bool		transferred = set & 1u << CALLSYNC_EVENT_TRANSFERRED;
		bool		failed = set & 1u << CALLSYNC_EVENT_FAILED;
		bool		transcript = set & 1u << CALLSYNC_EVENT_TRANSCRIPTION;
		bool		sentiment = set & 1u << CALLSYNC_EVENT_SENTIMENT;
		const char *want = "unknown";
		CallsyncMerge *merge = callsync_merge_begin(NULL, NULL);
		json_t	   *with_sentiment = callsync_merge_default_expected();
		CallsyncMergeResult result;

		if (started)
			want = "in_progress";
		if (transferred)
			want = "transferred";
		if (ended)
			want = "ended";
		if (failed)
			want = "failed";
		if (started && (ended || failed) && (transcript || failed))
			want = "complete";
		for (int type = 0; type < CALLSYNC_EVENT_TYPES; type++)
		{
			CallsyncMergeEvent event = {.type = callsync_event_type_name(type), .event_time_us = type};

			if (set & 1u << type)
				CHECK(callsync_merge_event(merge, &event));
		}
		CHECK(callsync_merge_result(merge, NULL, &result));
		CHECK_STR(callsync_call_status_name(result.status), want);
		CHECK_STR(callsync_call_status_name(callsync_call_status(set, NULL)), want);
		CHECK((json_array_size(result.missing) == 0) == (strcmp(want, "complete") == 0));
		CHECK(json_array_size(result.events) == (size_t) __builtin_popcount(set));
		callsync_merge_result_clear(&result);

		json_array_append_new(with_sentiment, json_string("sentiment.scored"));
		CHECK((callsync_call_status(set, with_sentiment) == CALLSYNC_CALL_COMPLETE) ==
			  (strcmp(want, "complete") == 0 && sentiment));
		json_decref(with_sentiment);
		callsync_merge_end(merge);
	}
}

/* One event, alone; returns the result's text. */
static json_t *
single(const char *type, const char *document, bool whole_row, const char *expected)
{
	Event		event = {type, 1000 * S, 0, json_loads(document, 0, NULL), whole_row};
	json_t	   *list = expected ? json_loads(expected, 0, NULL) : NULL;
	CallsyncMerge *merge = callsync_merge_begin(NULL, NULL);
	CallsyncMergeResult result;
	char	   *text;
	json_t	   *all;

	CHECK(apply(merge, &event));
	CHECK(callsync_merge_result(merge, list, &result));
	text = result_text(&result);
	all = json_loads(text, 0, NULL);
	free(text);
	callsync_merge_result_clear(&result);
	callsync_merge_end(merge);
	json_decref(event.document);
	json_decref(list);
	return all;
}

static int
flags(const json_t *all)
{
	return (int) json_integer_value(json_object_get(all, "flags"));
}

static const char *
text_at(const json_t *all, const char *name)
{
	return json_string_value(json_object_get(json_object_get(all, "document"), name));
}

static void
test_null_rules(void)
{
	json_t	   *all;

	/* hung up early: no outcome said */
	all = single("call.ended", "{\"call_id\":\"c\"}", false, NULL);
	CHECK(flags(all) & CALLSYNC_FLAG_NO_DISPOSITION);
	CHECK_STR(text_at(all, "disposition"), CALLSYNC_NO_DISPOSITION);
	CHECK_STR(text_at(all, "ended_at"), "1970-01-01T00:16:40Z");
	CHECK_STR(json_string_value(json_object_get(all, "status")), "ended");
	json_decref(all);

	/* a table without such a column says nothing about it */
	all = single("call.ended", "{\"call_id\":\"c\"}", true, "[\"call.ended\"]");
	CHECK(flags(all) == 0);
	CHECK(text_at(all, "disposition") == NULL);
	CHECK(text_at(all, "ended_at") == NULL);
	CHECK_STR(json_string_value(json_object_get(all, "status")), "complete");
	json_decref(all);

	/* a table whose column is null does */
	all = single("call.ended", "{\"call_id\":\"c\",\"disposition\":null,\"ended_at\":\"2026-06-11T15:42:00Z\",\"duration_s\":60}", true, NULL);
	CHECK(flags(all) == CALLSYNC_FLAG_NO_DISPOSITION);
	CHECK_STR(text_at(all, "started_at"), "2026-06-11T15:41:00Z");
	json_decref(all);

	all = single("call.transferred", "{\"escalation\":{\"to\":\"desk\"}}", false, NULL);
	CHECK(flags(all) == (CALLSYNC_FLAG_TRANSFER_UNSPECIFIED | CALLSYNC_FLAG_START_ASSUMED));
	CHECK_STR(text_at(all, "started_at"), "1970-01-01T00:16:40Z");
	CHECK_STR(json_string_value(json_object_get(json_object_get(json_object_get(all, "document"), "escalation"), "reason")), "unspecified");
	json_decref(all);

	all = single("call.failed", "{}", false, NULL);
	CHECK(flags(all) == (CALLSYNC_FLAG_NO_DISPOSITION | CALLSYNC_FLAG_CALL_FAILED));
	json_decref(all);

	/* a transcript alone is no extraction */
	all = single("transcription.complete", "{\"transcript\":\"hello\",\"fields\":{\"platform\":{\"x\":1}}}", false, NULL);
	CHECK(flags(all) == (CALLSYNC_FLAG_TRANSCRIPT_ONLY | CALLSYNC_FLAG_START_ASSUMED));
	CHECK(json_is_false(json_object_get(all, "extraction")));
	json_decref(all);
}

static void
test_bad_state(void)
{
	static const char *const states[] = {
		"{\"e\":[[1]]}", "{\"e\":[[1,2]],\"o\":3,\"t\":{},\"r\":[1,null]}", "{\"e\":[[1,2]],\"o\":[0],\"t\":{},\"r\":[1,null]}",
		"{\"e\":[],\"o\":0}", "{\"x\":1}", "{\"e\":[[1,2]],\"o\":[null,{},null],\"t\":{},\"r\":[1,null]}"
	};
	json_t	   *document = json_pack("{s:s}", "a", "b");

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
	{
		json_t	   *state = json_loads(states[i], 0, NULL);

		CHECK(state != NULL && callsync_merge_begin(document, state) == NULL);
		json_decref(state);
	}
	json_decref(document);
}

int
main(void)
{
	test_six_events();
	test_random_sets();
	test_subsets();
	test_null_rules();
	test_bad_state();
	return unit_done("merge");
}
