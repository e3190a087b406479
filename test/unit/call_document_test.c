/*
 * call_document_test.c
 *		What people send becomes a call document, and nothing is lost on the way.
 */
#include "core/call_document.h"

#include <stdlib.h>

#include "core/event_type.h"
#include "unit.h"

static const struct
{
	const char *body;
	const char *want;
}			cases[] = {
	/* the sample of the requirements, secret already masked */
	{
		"{\"event_type\":\"call_completed\",\"timestamp\":\"2026-06-11T15:42:00Z\",\"call_id\":\"c-1\","
		"\"caller\":{\"phone\":\"+15551234567\",\"name\":\"Jordan Smith\",\"existing_contact_id\":null},\"crm_object\":\"Lead\","
		"\"fields\":{\"lead_source\":\"AI\",\"intent\":\"service\",\"vehicle_model\":\"CR-V\",\"urgency\":\"standard\",\"call_summary\":\"called\"},"
		"\"follow_up_task\":{\"action\":\"create_task\",\"assigned_to_team\":\"service_dept\",\"due_date\":\"2026-06-12T09:00:00Z\",\"priority\":\"normal\"}}",
		"{\"call_id\":\"c-1\",\"caller\":{\"existing_contact_id\":null,\"name\":\"Jordan Smith\",\"phone\":\"+15551234567\"},"
		"\"fields\":{\"call_summary\":\"called\",\"crm_object\":\"Lead\",\"intent\":\"service\",\"lead_source\":\"AI\",\"urgency\":\"standard\",\"vehicle_model\":\"CR-V\"},"
		"\"follow_up_task\":{\"action\":\"create_task\",\"due_at\":\"2026-06-12T09:00:00Z\",\"priority\":\"normal\",\"team\":\"service_dept\"},"
		"\"intent\":\"service\",\"lead_source\":\"AI\",\"summary\":\"called\",\"urgency\":\"standard\"}"
	},
	/* numbers where texts belong and the other way round */
	{
		"{\"call_id\":42,\"duration_s\":\"177\",\"started_at\":1795197605120,\"follow_up_task\":{\"due_at\":1795197605},\"duration_seconds\":5}",
		"{\"call_id\":\"42\",\"duration_s\":177,\"fields\":{\"duration_seconds\":5},\"follow_up_task\":{\"due_at\":\"2026-11-20T18:00:05Z\"},\"started_at\":\"2026-11-20T18:00:05.120Z\"}"
	},
	{"{\"duration_s\":\"12.5\"}", "{\"duration_s\":12.5}"},
	{"{\"duration_s\":\"1e999\"}", "{\"duration_s\":\"1e999\"}"},
	{"{\"duration_s\":\"soon\"}", "{\"duration_s\":\"soon\"}"},
	/* known names with the wrong shape survive below fields */
	{"{\"answers\":\"none\",\"caller\":7,\"fields\":[1]}", "{\"fields\":{\"answers\":\"none\",\"caller\":7,\"fields\":[1]}}"},
	{"{\"caller\":\"+15551234567\"}", "{\"caller\":{\"phone\":\"+15551234567\"}}"},
	{"{\"answers\":null,\"fields\":null}", "{\"answers\":null}"},
	/* two values for one name: both survive */
	{"{\"crm_object\":\"Lead\",\"fields\":{\"crm_object\":\"Case\"}}", "{\"fields\":{\"body.crm_object\":\"Lead\",\"crm_object\":\"Case\"}}"},
	{"{\"intent\":\"a\",\"fields\":{\"intent\":\"b\"}}", "{\"fields\":{\"intent\":\"b\"},\"intent\":\"a\"}"},
	{"{\"follow_up_task\":{\"due_at\":\"x\",\"due_date\":\"y\"}}", "{\"follow_up_task\":{\"due_at\":\"x\",\"due_date\":\"y\"}}"},
	{"{\"dialed_number\":\"+1\",\"dialled_number\":\"+2\"}", "{\"dialled_number\":\"+2\",\"fields\":{\"dialed_number\":\"+1\"}}"},
	{"{\"fields\":{\"call_id\":\"x\",\"type\":\"y\",\"caller\":{\"phone\":\"z\"}}}", "{\"fields\":{\"call_id\":\"x\",\"caller\":{\"phone\":\"z\"},\"type\":\"y\"}}"},
	/* type: of the event where it names one, else of the call */
	{"{\"type\":\"call.ended\",\"call_id\":\"c\"}", "{\"call_id\":\"c\"}"},
	{"{\"type\":\"sales\",\"event_id\":\"e\"}", "{\"type\":\"sales\"}"},
	{"{\"type\":\"ended\",\"event_type\":\"call.ended\"}", "{\"type\":\"ended\"}"},
	{"{}", "{}"},
};

static json_t *
load(const char *text)
{
	return json_loads(text, JSON_DECODE_ANY, NULL);
}

static void
test_normalise(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		json_t	   *body = load(cases[i].body);
		json_t	   *once = callsync_call_document_normalise(body);
		json_t	   *twice = callsync_call_document_normalise(once);
		char	   *text = json_dumps(once, JSON_COMPACT | JSON_SORT_KEYS);

		CHECK_STR(text, cases[i].want);
		/* "type":"ended" beside an event_type is the one thing that reads otherwise alone */
		CHECK(json_equal(once, twice) || strstr(cases[i].body, "event_type\":\"call.ended") != NULL);
		free(text);
		json_decref(body);
		json_decref(once);
		json_decref(twice);
	}
	CHECK(callsync_call_document_normalise(NULL) == NULL);
}

static void
test_envelope(void)
{
	json_t	   *body = load("{\"event_type\":\"call_completed\",\"timestamp\":\"2026-06-11T15:42:00.000001Z\",\"event_id\":\"e1\"}");
	CallsyncEnvelope envelope;

	callsync_call_document_envelope(body, &envelope);
	CHECK_STR(envelope.type, "call_completed");
	CHECK_STR(envelope.event_id, "e1");
	CHECK(envelope.has_time && envelope.time_us == INT64_C(1781192520000001));
	json_decref(body);

	body = load("{\"type\":\"call.started\",\"timestamp\":\"noon\"}");
	callsync_call_document_envelope(body, &envelope);
	CHECK_STR(envelope.type, "call.started");
	CHECK(!envelope.has_time && envelope.bad_time && envelope.event_id == NULL);
	json_decref(body);

	body = load("{\"type\":\"sales\",\"event_type\":7,\"timestamp\":null}");
	callsync_call_document_envelope(body, &envelope);
	CHECK(envelope.type == NULL && !envelope.has_time && !envelope.bad_time);
	json_decref(body);
}

static void
test_extraction(void)
{
	static const struct
	{
		const char *document;
		bool		want;
	}			extraction[] = {
		{"{\"transcript\":\"hello\",\"duration_s\":3,\"caller\":{\"phone\":\"+1\"}}", false},
		{"{\"caller\":{\"name\":\"J\"}}", true},
		{"{\"caller\":{\"name\":\"\",\"email\":null}}", false},
		{"{\"intent\":\"quote\"}", true},
		{"{\"answers\":{\"q\":null}}", false},
		{"{\"answers\":{\"q\":{\"deep\":0}}}", true},
		{"{\"fields\":{\"platform\":{\"x\":1}}}", false},
		{"{\"fields\":{\"model\":\"CR-V\"}}", true},
		{"{\"entities\":[]}", false},
		{"{}", false},
	};

	for (size_t i = 0; i < sizeof(extraction) / sizeof(extraction[0]); i++)
	{
		json_t	   *document = load(extraction[i].document);

		if (!CHECK(callsync_call_document_has_extraction(document) == extraction[i].want))
			fprintf(stderr, "    %s\n", extraction[i].document);
		json_decref(document);
	}
}

static void
test_event_types(void)
{
	CHECK(callsync_event_type_find("call_completed", 14) == CALLSYNC_EVENT_ENDED);
	CHECK(callsync_event_type_find("Call-Ended", 10) == CALLSYNC_EVENT_ENDED);
	CHECK(callsync_event_type_find("end-of-call-report", 18) == CALLSYNC_EVENT_ENDED);
	CHECK(callsync_event_type_find("call_initiation_failure", 23) == CALLSYNC_EVENT_FAILED);
	CHECK(callsync_event_type_find("TRANSCRIPT READY", 16) == CALLSYNC_EVENT_TRANSCRIPTION);
	CHECK(callsync_event_type_find("call.ended.twice", 16) == CALLSYNC_EVENT_OTHER);
	CHECK(callsync_event_type_find("call.ended", 9) == CALLSYNC_EVENT_OTHER);
	CHECK(callsync_event_type_find("", 0) == CALLSYNC_EVENT_OTHER);
	for (int i = 0; i < CALLSYNC_EVENT_TYPES; i++)
	{
		const char *name = callsync_event_type_name(i);

		CHECK(callsync_event_type_find(name, strlen(name)) == (CallsyncEventType) i);
	}
	CHECK(callsync_event_type_name(CALLSYNC_EVENT_OTHER) == NULL);
}

/* What nobody said is absent for maps; everything else is as it was. */
static void
test_said(void)
{
	static const char *const cases[][2] = {
		{"{\"call_id\":\"a\",\"disposition\":\"NO_DISPOSITION\"}", "{\"call_id\":\"a\"}"},
		{"{\"call_id\":\"a\",\"disposition\":\"booked\"}", "{\"call_id\":\"a\",\"disposition\":\"booked\"}"},
		{"{\"call_id\":\"NO_DISPOSITION\",\"disposition\":null}", "{\"call_id\":\"NO_DISPOSITION\",\"disposition\":null}"},
		{"{\"call_id\":\"a\"}", "{\"call_id\":\"a\"}"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		json_t	   *document = json_loads(cases[i][0], 0, NULL);
		json_t	   *said = callsync_call_document_said(document);
		char	   *text = json_dumps(said, JSON_COMPACT);
		char	   *before = json_dumps(document, JSON_COMPACT);

		CHECK_STR(text, cases[i][1]);
		CHECK_STR(before, cases[i][0]);
		free(text);
		free(before);
		json_decref(said);
		json_decref(document);
	}
}

int
main(void)
{
	test_said();
	test_normalise();
	test_envelope();
	test_extraction();
	test_event_types();
	return unit_done("call_document");
}
