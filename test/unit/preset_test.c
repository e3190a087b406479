/*
 * preset_test.c
 *		Each platform's sample becomes the event and call document that it should, and
 *		bodies that are no such thing a verdict.
 *
 * Samples are read from ../shared/payloads, expectations stand here; without the
 * samples those tests are skipped, and say so.
 */
#include "core/preset.h"

#include <stdlib.h>

#include "core/header_set.h"
#include "core/merge.h"
#include "unit.h"

static char *
read_file(const char *path, size_t *len)
{
	FILE	   *f = fopen(path, "rb");
	char	   *text;

	if (f == NULL)
		return NULL;
	text = malloc(4 << 20);
	*len = fread(text, 1, (4 << 20) - 1, f);
	text[*len] = '\0';
	fclose(f);
	return text;
}

static CallsyncPreset *
load_preset(const char *kind, const char *options)
{
	char		path[200];
	size_t		len;
	char	   *text;
	json_t	   *document;
	json_t	   *opts = options ? json_loads(options, 0, NULL) : NULL;
	CallsyncDocError err;
	CallsyncPreset *preset;

	snprintf(path, sizeof(path), "sql/presets/%s.json", kind);
	text = read_file(path, &len);
	document = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	preset = document ? callsync_preset_parse(document, opts, &err) : NULL;
	if (document != NULL && preset == NULL)
		fprintf(stderr, "%s: %s: %s %s\n", kind, err.path, err.what, err.hint);
	CHECK(preset != NULL);
	json_decref(document);
	json_decref(opts);
	free(text);
	return preset;
}

static const struct
{
	const char *kind;
	const char *file;
	const char *headers;
	const char *types;			/* joined by blanks */
	const char *call_id;
	int64_t		time_us;		/* 0: none */
	const char *document;		/* of the merged call, without fields.platform */
	const char *status;
}			samples[] = {
	{
		"generic", "generic.call_completed.json", NULL, "call.ended", "c-20260611-0001", INT64_C(1781192520000000),
		"{\"call_id\":\"c-20260611-0001\",\"caller\":{\"name\":\"Jordan Smith\",\"phone\":\"+15551234567\"},\"disposition\":\"NO_DISPOSITION\",\"ended_at\":\"2026-06-11T15:42:00Z\","
		"\"fields\":{\"auth\":{\"token\":\"canary-token-that-must-never-be-stored\",\"type\":\"Bearer\"},\"call_summary\":\"Customer called to schedule routine maintenance. No prior service history found.\",\"crm_object\":\"Lead\","
		"\"intent\":\"service_appointment\",\"lead_source\":\"AI Receptionist – Inbound Call\",\"preferred_date\":\"2026-06-15T14:00:00Z\",\"requested_service\":\"Oil change + brake inspection\",\"urgency\":\"standard\",\"vehicle_model\":\"2021 Honda CR-V\"},"
		"\"follow_up_task\":{\"action\":\"create_task\",\"due_at\":\"2026-06-12T09:00:00Z\",\"priority\":\"normal\",\"team\":\"service_dept\"},"
		"\"intent\":\"service_appointment\",\"lead_source\":\"AI Receptionist – Inbound Call\",\"summary\":\"Customer called to schedule routine maintenance. No prior service history found.\",\"urgency\":\"standard\"}",
		"ended"
	},
	{
		"vapi", "vapi.end-of-call-report.json", NULL, "call.ended transcription.complete", "7a1f0c3e-0000-4000-8000-000000000001", INT64_C(1795197785000000),
		"{\"call_id\":\"7a1f0c3e-0000-4000-8000-000000000001\",\"caller\":{\"email\":\"ada@example.com\",\"name\":\"Ada Lovelace\",\"phone\":\"+14155550123\",\"postal_code\":\"94105\"},\"dialled_number\":\"+14155550199\",\"direction\":\"inbound\",\"disposition\":\"successful\","
		"\"duration_s\":177.36,\"end_reason\":\"customer-ended-call\",\"ended_at\":\"2026-11-20T18:03:02.480Z\",\"fields\":{\"email\":\"ada@example.com\",\"full_name\":\"Ada Lovelace\",\"intent\":\"quote\",\"zip\":\"94105\"},\"intent\":\"quote\","
		"\"recording_url\":\"https://example.invalid/rec/1.wav\",\"started_at\":\"2026-11-20T18:00:05.120Z\",\"summary\":\"Caller asked for a quote to repair a boiler.\",\"transcript\":\"AI: How can I help?\\nUser: My boiler broke.\\n\"}",
		"complete"
	},
	{
		"retell", "retell.call_ended.json", NULL, "call.ended", "call_0000000000000000000000000001", INT64_C(1795197782480000),
		"{\"call_id\":\"call_0000000000000000000000000001\",\"caller\":{\"name\":\"Ada\",\"phone\":\"+14155550123\",\"postal_code\":\"94105\"},\"dialled_number\":\"+14155550199\",\"direction\":\"inbound\",\"disposition\":\"NO_DISPOSITION\","
		"\"duration_s\":177.36,\"end_reason\":\"user_hangup\",\"ended_at\":\"2026-11-20T18:03:02.480Z\",\"entities\":{\"collected\":{\"zip\":\"94105\"}},"
		"\"recording_url\":\"https://example.invalid/rec/2.wav\",\"started_at\":\"2026-11-20T18:00:05.120Z\",\"transcript\":\"Agent: How can I help?\\nUser: My boiler broke.\\n\",\"transcript_url\":\"https://example.invalid/log/2\"}",
		"ended"
	},
	{
		"retell", "retell.call_analyzed.json", NULL, "call.ended transcription.complete sentiment.scored", "call_0000000000000000000000000001", INT64_C(1795197782480000),
		"{\"call_id\":\"call_0000000000000000000000000001\",\"caller\":{\"email\":\"ada@example.com\",\"name\":\"Ada Lovelace\",\"phone\":\"+14155550123\",\"postal_code\":\"94105\"},\"dialled_number\":\"+14155550199\",\"direction\":\"inbound\",\"disposition\":\"successful\","
		"\"duration_s\":177.36,\"end_reason\":\"user_hangup\",\"ended_at\":\"2026-11-20T18:03:02.480Z\",\"entities\":{\"collected\":{\"zip\":\"94105\"}},\"fields\":{\"email\":\"ada@example.com\",\"full_name\":\"Ada Lovelace\",\"intent\":\"quote\"},\"intent\":\"quote\","
		"\"recording_url\":\"https://example.invalid/rec/2.wav\",\"sentiment\":\"positive\",\"started_at\":\"2026-11-20T18:00:05.120Z\",\"summary\":\"Caller asked for a boiler repair quote.\",\"transcript\":\"Agent: How can I help?\\nUser: My boiler broke.\\n\",\"transcript_url\":\"https://example.invalid/log/2\"}",
		"complete"
	},
	{
		"bland", "bland.post-call.json", NULL, "call.ended transcription.complete", "c0ffee00-0000-4000-8000-000000000003", 0,
		"{\"call_id\":\"c0ffee00-0000-4000-8000-000000000003\",\"caller\":{\"email\":\"ada@example.com\",\"name\":\"Ada Lovelace\",\"phone\":\"+14155550123\",\"postal_code\":\"94105\"},\"dialled_number\":\"+14155550199\",\"direction\":\"inbound\",\"disposition\":\"completed\","
		"\"duration_s\":177,\"end_reason\":\"user\",\"ended_at\":\"2026-11-20T18:03:02Z\",\"fields\":{\"email\":\"ada@example.com\",\"full_name\":\"Ada Lovelace\",\"zip\":\"94105\"},"
		"\"recording_url\":\"https://example.invalid/rec/3.mp3\",\"started_at\":\"2026-11-20T18:00:05.000Z\",\"summary\":\"Boiler repair quote.\",\"transcript\":\"assistant: How can I help? \\n user: My boiler broke. \\n \"}",
		"complete"
	},
	{
		"elevenlabs", "elevenlabs.post_call_transcription.json", NULL, "call.ended transcription.complete", "conv_0000000000000000000000000004", INT64_C(1795197790000000),
		"{\"call_id\":\"conv_0000000000000000000000000004\",\"caller\":{\"email\":\"ada@example.com\",\"phone\":\"+14155550123\"},\"dialled_number\":\"+14155550199\",\"direction\":\"inbound\",\"disposition\":\"successful\","
		"\"duration_s\":177,\"end_reason\":\"user ended call\",\"ended_at\":\"2026-11-20T18:03:02Z\",\"fields\":{\"email\":\"ada@example.com\"},"
		"\"started_at\":\"2026-11-20T18:00:05Z\",\"summary\":\"Boiler repair quote.\",\"transcript\":\"agent: How can I help?\\nuser: My boiler broke.\"}",
		"complete"
	},
	{
		"elevenlabs", "elevenlabs.call_initiation_failure.json", NULL, "call.failed", "conv_0000000000000000000000000005", INT64_C(1795197790000000),
		"{\"call_id\":\"conv_0000000000000000000000000005\",\"caller\":{\"phone\":\"+14155550123\"},\"dialled_number\":\"+14155550123\",\"direction\":\"outbound\",\"disposition\":\"busy\","
		"\"end_reason\":\"busy\",\"ended_at\":\"2026-11-20T18:03:10Z\"}",
		"complete"
	},
	{
		"synthflow", "synthflow.post-call.json", NULL, "call.ended transcription.complete", "00000000-0000-4000-8000-000000000007", 0,
		"{\"answers\":{\"zip\":\"94105\"},\"call_id\":\"00000000-0000-4000-8000-000000000007\",\"caller\":{\"email\":\"ada@example.com\",\"name\":\"Ada Lovelace\",\"phone\":\"+14155550123\",\"postal_code\":\"94105\"},\"disposition\":\"completed\","
		"\"duration_s\":177,\"end_reason\":\"agent_goodbye\",\"ended_at\":\"2026-11-20T18:03:02Z\",\"fields\":{\"email\":\"ada@example.com\"},"
		"\"recording_url\":\"https://example.invalid/rec/6.wav\",\"started_at\":\"2026-11-20T10:00:05-08:00\",\"transcript\":\"\\nbot: How can I help? \\nhuman: My boiler broke.\\n\"}",
		"complete"
	},
	{
		"twilio", "twilio.status-callback.form", "{\"Content-Type\":\"application/x-www-form-urlencoded\",\"I-Twilio-Idempotency-Token\":\"tok\"}", "call.ended", "CA00000000000000000000000000000008", INT64_C(1795197782000000),
		"{\"call_id\":\"CA00000000000000000000000000000008\",\"caller\":{\"phone\":\"+14155550123\"},\"dialled_number\":\"+14155550199\",\"direction\":\"inbound\",\"disposition\":\"completed\","
		"\"duration_s\":177,\"ended_at\":\"2026-11-20T18:03:02Z\",\"started_at\":\"2026-11-20T18:00:05Z\"}",
		"complete"
	},
	{
		"twilio", "twilio.status-callback.json", NULL, "call.ended", "CA00000000000000000000000000000008", INT64_C(1795197782000000),
		"{\"call_id\":\"CA00000000000000000000000000000008\",\"caller\":{\"phone\":\"+14155550123\"},\"dialled_number\":\"+14155550199\",\"direction\":\"inbound\",\"disposition\":\"completed\","
		"\"duration_s\":177,\"ended_at\":\"2026-11-20T18:03:02Z\",\"started_at\":\"2026-11-20T18:00:05Z\"}",
		"complete"
	},
	{
		"twilio", "twilio.recording-callback.json", NULL, "recording.complete", "CA00000000000000000000000000000008", 0,
		"{\"call_id\":\"CA00000000000000000000000000000008\",\"recording_url\":\"https://example.invalid/2010-04-01/rec\",\"started_at\":\"2026-11-20T18:39:59Z\"}",
		"unknown"
	},
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static void
test_samples(void)
{
	for (size_t i = 0; i < LENGTH(samples); i++)
	{
		char		path[200];
		size_t		len;
		char	   *body;
		CallsyncPreset *preset;
		json_t	   *sent = samples[i].headers ? json_loads(samples[i].headers, 0, NULL) : NULL;
		json_t	   *headers = callsync_headers_normalise(sent);
		CallsyncPresetEvent event;
		CallsyncMerge *merge;
		CallsyncMergeResult result;
		char		types[200] = "";
		json_t	   *fields;
		char	   *text;

		snprintf(path, sizeof(path), "../shared/payloads/%s", samples[i].file);
		body = read_file(path, &len);
		if (body == NULL)
		{
			fprintf(stderr, "preset: SKIPPED %s: no %s\n", samples[i].kind, path);
			json_decref(sent);
			json_decref(headers);
			continue;
		}
		preset = load_preset(samples[i].kind, NULL);
		CHECK(callsync_preset_apply(preset, body, len, headers, false, &event) == CALLSYNC_PRESET_OK);
		CHECK(event.document == NULL);
		CHECK_STR(event.call_id, samples[i].call_id);
		CHECK_STR(event.event_key, samples[i].headers ? "tok" : "");
		CHECK(event.has_time == (samples[i].time_us != 0));
		if (event.has_time)
			CHECK(event.time_us == samples[i].time_us);
		for (int t = 0; t < event.ntypes; t++)
			snprintf(types + strlen(types), sizeof(types) - strlen(types), "%s%s", t > 0 ? " " : "", event.types[t]);
		CHECK_STR(types, samples[i].types);

		merge = callsync_merge_begin(NULL, NULL);
		CHECK(callsync_preset_merge(preset, body, len, headers, event.has_time ? event.time_us : INT64_C(1795199999000000),
									7, 1, merge) == CALLSYNC_PRESET_OK);
		CHECK(callsync_merge_result(merge, callsync_preset_expected(preset), &result));
		fields = json_object_get(result.document, "fields");
		json_object_del(fields, "platform");
		if (fields != NULL && json_object_size(fields) == 0)
			json_object_del(result.document, "fields");
		text = json_dumps(result.document, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
		if (samples[i].document != NULL)
			CHECK_STR(text, samples[i].document);
		CHECK_STR(callsync_call_status_name(result.status), samples[i].status);
		free(text);
		callsync_merge_result_clear(&result);
		callsync_merge_end(merge);
		callsync_preset_free(preset);
		json_decref(sent);
		json_decref(headers);
		free(body);
	}
}

static CallsyncPresetVerdict
verdict_of(const CallsyncPreset *preset, const char *body, size_t len, CallsyncPresetEvent *event)
{
	CallsyncPresetVerdict verdict = callsync_preset_apply(preset, body, len, NULL, true, event);

	json_decref(event->document);
	return verdict;
}

static void
test_verdicts(void)
{
	static const struct
	{
		const char *body;
		CallsyncPresetVerdict want;
	}			cases[] = {
		{"", CALLSYNC_PRESET_BAD_JSON},
		{"{", CALLSYNC_PRESET_BAD_JSON},
		{"[]", CALLSYNC_PRESET_NOT_AN_OBJECT},
		{"null", CALLSYNC_PRESET_NOT_AN_OBJECT},
		{"7", CALLSYNC_PRESET_NOT_AN_OBJECT},
		{"{}", CALLSYNC_PRESET_NO_CALL_ID},
		{"{\"call_id\":null}", CALLSYNC_PRESET_NO_CALL_ID},
		{"{\"call_id\":\"\"}", CALLSYNC_PRESET_NO_CALL_ID},
		{"{\"call_id\":{}}", CALLSYNC_PRESET_BAD_CALL_ID},
		{"{\"call_id\":true}", CALLSYNC_PRESET_BAD_CALL_ID},
		{"{\"call_id\":7}", CALLSYNC_PRESET_OK},
		{"\xef\xbb\xbf{\"call_id\":\"a\"}", CALLSYNC_PRESET_OK},
		{"{\"call_id\":\"a\",\"call_id\":\"b\"}", CALLSYNC_PRESET_BAD_JSON},
		{"{\"call_id\":\"a\\u0000\"}", CALLSYNC_PRESET_BAD_JSON},
		{"{\"call_id\":\"a\",\"b\\u0000\":1}", CALLSYNC_PRESET_BAD_JSON},
		{"{\"call_id\":\"a\",\"b\":\"\\ud800\"}", CALLSYNC_PRESET_BAD_JSON},
		{"{\"call_id\":\"a\",\"b\":1e400}", CALLSYNC_PRESET_BAD_JSON},
		{"{\"call_id\":\"a\",\"b\":-1e999999999}", CALLSYNC_PRESET_BAD_JSON},
		{"{\"call_id\":\"a\",\"b\":123456789012345678901234567890}", CALLSYNC_PRESET_OK},
		{"{\"call_id\":\"\xff\"}", CALLSYNC_PRESET_BAD_UTF8},
		{"{\"call_id\":\"\xed\xa0\x80\"}", CALLSYNC_PRESET_BAD_UTF8},
		{"{\"call_id\":\"a\"} x", CALLSYNC_PRESET_BAD_JSON},
		{"call_id=a&x=%zz", CALLSYNC_PRESET_BAD_FORM},
		{"call_id=a&x=%ff", CALLSYNC_PRESET_BAD_FORM},
		{"call_id=a&x=%00", CALLSYNC_PRESET_BAD_FORM},
		{"call_id=a&x=1&x=2", CALLSYNC_PRESET_OK},
		{"<call/>", CALLSYNC_PRESET_BAD_JSON},
	};
	CallsyncPreset *preset = load_preset("generic", NULL);
	CallsyncPresetEvent event;
	char	   *deep = malloc(300000);
	char		long_id[700];
	size_t		n = 0;

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		CallsyncPresetVerdict got = verdict_of(preset, cases[i].body, strlen(cases[i].body), &event);

		if (!CHECK(got == cases[i].want))
			fprintf(stderr, "    %s: %d %s\n", cases[i].body, got, event.detail);
		CHECK((got == CALLSYNC_PRESET_OK) == (event.detail[0] == '\0'));
	}
	CHECK(verdict_of(preset, "{\"call_id\":\"a\0b\"}", 17, &event) == CALLSYNC_PRESET_BAD_JSON);

	n += (size_t) sprintf(deep, "{\"call_id\":\"a\",\"x\":");
	memset(deep + n, '[', 100000);
	CHECK(verdict_of(preset, deep, n + 100000, &event) == CALLSYNC_PRESET_BAD_JSON);
	CHECK(strstr(event.detail, "deep") != NULL);
	free(deep);

	n = (size_t) sprintf(long_id, "{\"call_id\":\"%0600d\"}", 1);
	CHECK(verdict_of(preset, long_id, n, &event) == CALLSYNC_PRESET_BAD_CALL_ID);

	/* digits of a long id are kept */
	CHECK(verdict_of(preset, "{\"call_id\":12345678901234567890123}", 35, &event) == CALLSYNC_PRESET_OK);
	CHECK_STR(event.call_id, "12345678901234567890123");
	callsync_preset_free(preset);
}

/* Messages that are no event of a call are told apart, and the types of those that are. */
static void
test_types(void)
{
	static const struct
	{
		const char *kind;
		const char *body;
		const char *want;		/* "-": ignored */
	}			cases[] = {
		{"vapi", "{\"message\":{\"type\":\"conversation-update\",\"call\":{\"id\":\"a\"}}}", "-"},
		{"vapi", "{\"message\":{\"type\":\"status-update\",\"status\":\"in-progress\",\"call\":{\"id\":\"a\"}}}", "call.started"},
		{"vapi", "{\"message\":{\"type\":\"status-update\",\"status\":\"ended\",\"call\":{\"id\":\"a\"}}}", "-"},
		{"vapi", "{\"message\":{\"type\":\"end-of-call-report\",\"endedReason\":\"pipeline-error-openai-llm-failed\",\"call\":{\"id\":\"a\"}}}", "call.failed"},
		{"vapi", "{\"message\":{\"type\":\"end-of-call-report\",\"endedReason\":\"assistant-forwarded-call\",\"call\":{\"id\":\"a\"}}}", "call.ended"},
		{"retell", "{\"event\":\"call_ended\",\"call\":{\"call_id\":\"a\",\"call_status\":\"not_connected\"}}", "call.failed"},
		{"retell", "{\"event\":\"transcript_updated\",\"call\":{\"call_id\":\"a\"}}", "-"},
		{"elevenlabs", "{\"type\":\"post_call_audio\",\"data\":{\"conversation_id\":\"a\"}}", "-"},
		{"bland", "{\"call_id\":\"a\",\"status\":\"no-answer\"}", "call.failed"},
		{"bland", "{\"call_id\":\"a\",\"completed\":false}", "call.failed"},
		{"synthflow", "{\"call\":{\"call_id\":\"a\"},\"status\":\"busy\"}", "call.failed"},
		{"twilio", "CallSid=CA1&CallStatus=ringing", "-"},
		{"twilio", "CallSid=CA1&CallStatus=in-progress", "call.started"},
		{"twilio", "CallSid=CA1&CallStatus=no-answer", "call.failed"},
		{"standard_webhooks", "{\"type\":\"call.completed\",\"timestamp\":\"2026-06-11T15:42:00Z\",\"data\":{\"call_id\":\"a\",\"type\":\"sales\"}}", "call.ended"},
		{"standard_webhooks", "{\"type\":\"call.rated\",\"data\":{\"call_id\":\"a\"}}", "call.rated"},
		{"standard_webhooks", "{\"event_type\":\"call_started\",\"call_id\":\"a\"}", "call.started"},
		{"generic", "{\"call_id\":\"a\"}", "call.ended"},
		{"generic", "{\"call_id\":\"a\",\"event_type\":\"Transcript-Ready\"}", "transcription.complete"},
		{"generic", "{\"call_id\":\"a\",\"event_type\":\"call.rated\",\"type\":\"call.ended\"}", "call.rated"},
		{"generic", "call_id=a&event_type=call_started", "call.started"},
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
	{
		CallsyncPreset *preset = load_preset(cases[i].kind, NULL);
		CallsyncPresetEvent event;
		CallsyncPresetVerdict verdict = callsync_preset_apply(preset, cases[i].body, strlen(cases[i].body), NULL, true, &event);

		if (strcmp(cases[i].want, "-") == 0)
			CHECK(verdict == CALLSYNC_PRESET_IGNORED);
		else if (CHECK(verdict == CALLSYNC_PRESET_OK))
			CHECK_STR(event.types[0], cases[i].want);
		json_decref(event.document);
		callsync_preset_free(preset);
	}
}

/* A source's options lie over its kind. */
static void
test_options(void)
{
	CallsyncPreset *preset = load_preset("generic",
										 "{\"map\":{\"caller.name\":\"/who\",\"duration_s\":{\"from\":\"/minutes\",\"unit\":\"min\"}},\"event\":{\"call_id\":[\"/id\"]},"
										 "\"event_type\":\"call.started\",\"expected\":[\"call.started\"],\"tolerance_s\":60,\"max_body_bytes\":1000,\"mask\":[\"ssn\"],"
										 "\"signature\":\"hubspot-v3\",\"url\":\"https://example.invalid/x\"}");
	CallsyncPresetEvent event;
	static const char body[] = "{\"id\":\"a\",\"who\":\"Ada\",\"minutes\":1.5}";
	char	   *text;

	CHECK(callsync_preset_apply(preset, body, sizeof(body) - 1, NULL, true, &event) == CALLSYNC_PRESET_OK);
	CHECK_STR(event.call_id, "a");
	CHECK_STR(event.types[0], "call.started");
	text = json_dumps(event.document, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
	CHECK_STR(text, "{\"call_id\":\"a\",\"caller\":{\"name\":\"Ada\"},\"duration_s\":90,\"fields\":{\"id\":\"a\",\"minutes\":1.5,\"who\":\"Ada\"}}");
	free(text);
	json_decref(event.document);
	CHECK(callsync_preset_tolerance_s(preset) == 60);
	CHECK(callsync_preset_max_body(preset) == 1000);
	CHECK(json_array_size(callsync_preset_schemes(preset)) == 1);
	CHECK(json_array_size(callsync_preset_expected(preset)) == 1);
	CHECK(json_array_size(callsync_preset_mask(preset)) == 1);
	CHECK_STR(callsync_preset_url(preset), "https://example.invalid/x");
	CHECK(callsync_preset_takes_unsigned(preset));
	callsync_preset_free(preset);
}

static void
test_bad_documents(void)
{
	static const char *const documents[] = {
		"{}",
		"{\"event\":{\"call_id\":\"no pointer\"}}",
		"{\"event\":{\"call_id\":\"/a\",\"x\":1}}",
		"{\"event\":{\"call_id\":\"/a\",\"type\":{}}}",
		"{\"event\":{\"call_id\":\"/a\",\"type\":{\"switch\":\"/a\",\"cases\":{\"b\":7}}}}",
		"{\"event\":{\"call_id\":\"/a\",\"type\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}}",
		"{\"event\":{\"call_id\":\"/a\"},\"map\":{\"x\":7}}",
		"{\"event\":{\"call_id\":\"/a\"},\"map\":{\"x\":{\"from\":\"/a\",\"as\":\"color\"}}}",
		"{\"event\":{\"call_id\":\"/a\"},\"map\":{\"x\":{\"from\":\"/a\",\"unit\":\"h\"}}}",
		"{\"event\":{\"call_id\":\"/a\"},\"map\":{\"x\":{\"from\":\"/a\",\"colour\":1}}}",
		"{\"event\":{\"call_id\":\"/a\"},\"map\":{\"x\":{\"map\":{}}}}",
		"{\"event\":{\"call_id\":\"/a\"},\"expected\":\"call.ended\"}",
		"{\"event\":{\"call_id\":\"/a\"},\"signature\":[{}]}",
		"{\"event\":{\"call_id\":\"/a\"},\"signature\":[{\"headers\":[\"X\"],\"signed\":\"{bodi}\"}]}",
		"{\"event\":{\"call_id\":\"/a\"},\"signature\":[{\"headers\":[\"X\"],\"encoding\":\"rot13\"}]}",
	};

	for (size_t i = 0; i < LENGTH(documents); i++)
	{
		json_t	   *document = json_loads(documents[i], 0, NULL);
		CallsyncDocError err = {"", "", ""};
		CallsyncPreset *preset = callsync_preset_parse(document, NULL, &err);

		if (!CHECK(preset == NULL && err.what[0] != '\0'))
			fprintf(stderr, "    %s\n", documents[i]);
		callsync_preset_free(preset);
		json_decref(document);
	}
}

int
main(void)
{
	test_samples();
	test_verdicts();
	test_types();
	test_options();
	test_bad_documents();
	return unit_done("preset");
}
