/*
 * ingest_fuzz.c
 *		libFuzzer target: the front door takes any webhook, for every shipped preset.
 *
 * An input reads like a request: a line "KIND URL" ("-": no URL), lines of headers, an
 * empty line, the body. What is checked beyond memory errors: one changed byte of a body
 * that a signature covers is refused; what the worker reads of the stored body, secrets
 * masked, is an event where the received one was; its call document is what jsonb can
 * hold; and the same event again changes nothing in the call.
 *
 * test/unit/ingest_mutation_test.c runs it without libFuzzer.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/header_set.h"
#include "core/json_body.h"
#include "core/merge.h"
#include "core/preset.h"
#include "core/secret_mask.h"
#include "core/signature.h"

#define REQUIRE(cond) \
	do { \
		if (!(cond)) \
		{ \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)
#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

/* what test/fuzz/ingest_corpus.pl signs with */
#define SECRET "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define NOW_US (INT64_C(1795197800) * 1000000)

static const char *const kinds[] = {"bland", "elevenlabs", "generic", "retell", "standard_webhooks", "synthflow", "twilio", "vapi"};
static CallsyncPreset *presets[LENGTH(kinds)];

/* how many inputs were signed, and how many events: the corpus has to reach both */
static int	inputs_signed;
static int	inputs_events;

static const CallsyncSecretValue secrets[] = {
	{"signing_secret", SECRET, sizeof(SECRET) - 1},
	{"signing_secret_next", "the-next-secret", 15},
	{"api_key", SECRET, sizeof(SECRET) - 1},
	{"username", "user-name", 9},
	{"password", "4155550123", 10},
};

int			LLVMFuzzerInitialize(int *argc, char ***argv);
int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *folder = getenv("CALLSYNC_PRESETS");

	(void) argc;
	(void) argv;
	for (size_t i = 0; i < LENGTH(kinds); i++)
	{
		char		path[500];
		CallsyncDocError err;
		json_t	   *document;

		snprintf(path, sizeof(path), "%s/%s.json", folder != NULL ? folder : "sql/presets", kinds[i]);
		document = json_load_file(path, 0, NULL);
		REQUIRE(document != NULL);
		presets[i] = callsync_preset_parse(document, NULL, &err);
		REQUIRE(presets[i] != NULL);
		json_decref(document);
	}
	return 0;
}

/* --- an input's parts --- */

typedef struct Input
{
	int			kind;
	char	   *url;			/* NULL: none */
	json_t	   *headers;
	char	   *body;			/* of its own, without a terminator */
	size_t		len;
} Input;

static char *
text_of(const char *p, size_t n)
{
	char	   *copy = malloc(n + 1);

	memcpy(copy, p, n);
	copy[n] = '\0';
	return copy;
}

/* Takes a line off; without its end. */
static size_t
take_line(const char **p, size_t *n, const char **line)
{
	const char *stop = memchr(*p, '\n', *n);
	size_t		len = stop != NULL ? (size_t) (stop - *p) : *n;

	*line = *p;
	*n -= stop != NULL ? len + 1 : len;
	*p += stop != NULL ? len + 1 : len;
	return len;
}

static void
read_input(const uint8_t *data, size_t size, Input *in)
{
	const char *p = (const char *) data;
	const char *line;
	const char *blank;
	size_t		len = take_line(&p, &size, &line);
	json_t	   *sent = json_object();

	memset(in, 0, sizeof(*in));
	blank = memchr(line, ' ', len);
	in->kind = len > 0 ? (unsigned char) line[0] % (int) LENGTH(kinds) : 0;
	for (size_t i = 0; i < LENGTH(kinds); i++)
	{
		if (blank != NULL && strlen(kinds[i]) == (size_t) (blank - line) && memcmp(kinds[i], line, strlen(kinds[i])) == 0)
			in->kind = (int) i;
	}
	if (blank != NULL && line + len > blank + 1 && blank[1] != '-')
		in->url = text_of(blank + 1, (size_t) (line + len - blank - 1));
	while ((len = take_line(&p, &size, &line)) > 0)
	{
		const char *colon = memchr(line, ':', len);
		char	   *name;
		json_t	   *value;

		if (colon == NULL)
			continue;
		name = text_of(line, (size_t) (colon - line));
		value = json_stringn(colon + 1, (size_t) (line + len - colon - 1));
		if (value != NULL)
			json_object_set_new(sent, name, value);
		free(name);
	}
	in->headers = callsync_headers_normalise(sent);
	json_decref(sent);
	in->len = size;
	in->body = malloc(size == 0 ? 1 : size);
	memcpy(in->body, p, size);
}

/* --- what must hold --- */

static CallsyncVerdict
verify_by(const json_t *scheme, const Input *in, const char *body, size_t len)
{
	json_t	   *one = json_array();
	CallsyncSigned request = {body, len, in->headers, in->url, NOW_US};
	CallsyncVerdict verdict;

	json_array_append(one, (json_t *) scheme);
	verdict = callsync_signature_verify(one, &request, secrets, LENGTH(secrets), -1);
	json_decref(one);
	return verdict;
}

static void
check_signature(const Input *in)
{
	const json_t *schemes = callsync_preset_schemes(presets[in->kind]);
	CallsyncSigned request = {in->body, in->len, in->headers, in->url, NOW_US};
	CallsyncVerdict all = callsync_signature_verify(schemes, &request, secrets, LENGTH(secrets), -1);
	CallsyncVerdict best = CALLSYNC_SIGNATURE_NO_SECRET;
	size_t		i;
	json_t	   *scheme;

	json_array_foreach((json_t *) schemes, i, scheme)
	{
		CallsyncVerdict verdict = verify_by(scheme, in, in->body, in->len);
		const char *template = json_string_value(json_object_get(scheme, "signed"));
		char	   *longer;

		best = verdict > best ? verdict : best;
		/* a form may be spelled in several ways, all signed alike */
		if (verdict != CALLSYNC_SIGNATURE_OK || !callsync_signature_covers_body(scheme) ||
			(template != NULL && strstr(template, "{form}") != NULL))
			continue;
		for (size_t k = 0; k < in->len; k += in->len / 16 + 1)
		{
			in->body[k] ^= 1;
			REQUIRE(verify_by(scheme, in, in->body, in->len) != CALLSYNC_SIGNATURE_OK);
			in->body[k] ^= 1;
		}
		longer = malloc(in->len + 1);
		memcpy(longer, in->body, in->len);
		longer[in->len] = ' ';
		REQUIRE(verify_by(scheme, in, longer, in->len + 1) != CALLSYNC_SIGNATURE_OK);
		free(longer);
	}
	inputs_signed += all == CALLSYNC_SIGNATURE_OK;
	REQUIRE(all == best);
	REQUIRE(all == CALLSYNC_SIGNATURE_OK || *callsync_signature_verdict_text(all) != '\0');
	/* no secret, no belief */
	REQUIRE(callsync_signature_verify(schemes, &request, NULL, 0, -1) == CALLSYNC_SIGNATURE_NO_SECRET);
}

/* What is stored. */
static char *
masked_body(const Input *in)
{
	const json_t *list = callsync_preset_mask(presets[in->kind]);
	const char *names[16];
	const char *values[LENGTH(secrets)];
	size_t		lens[LENGTH(secrets)];
	CallsyncMaskRules rules = {names, 0, values, lens, LENGTH(secrets)};
	char	   *masked = malloc(in->len == 0 ? 1 : in->len);

	for (size_t i = 0; i < json_array_size(list) && i < LENGTH(names); i++)
		names[rules.nnames++] = json_string_value(json_array_get(list, i));
	for (size_t i = 0; i < LENGTH(secrets); i++)
	{
		values[i] = secrets[i].value;
		lens[i] = secrets[i].len;
	}
	memcpy(masked, in->body, in->len);
	callsync_mask_body(masked, in->len, &rules);
	for (size_t i = 0; i < LENGTH(secrets); i++)
	{
		for (size_t k = 0; lens[i] >= 8 && k + lens[i] <= in->len; k++)
			REQUIRE(memcmp(masked + k, values[i], lens[i]) != 0);
	}
	return masked;
}

static void
merge_once(const Input *in, const char *body, const CallsyncPresetEvent *event, CallsyncMergeResult *result, const CallsyncMergeResult *before)
{
	CallsyncMerge *merge = callsync_merge_begin(before != NULL ? before->document : NULL, before != NULL ? before->merge_state : NULL);

	REQUIRE(merge != NULL);
	REQUIRE(callsync_preset_merge(presets[in->kind], body, in->len, in->headers, event->has_time ? event->time_us : NOW_US, 7, NOW_US, merge) == CALLSYNC_PRESET_OK);
	REQUIRE(callsync_merge_result(merge, callsync_preset_expected(presets[in->kind]), result));
	callsync_merge_end(merge);
}

static void
check_jsonb(const json_t *value)
{
	char	   *text = json_dumps(value, JSON_ENCODE_ANY);
	json_t	   *again = text != NULL ? json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL) : NULL;

	REQUIRE(text != NULL && again != NULL && callsync_utf8_valid(text, strlen(text)));
	json_decref(again);
	free(text);
}

static void
check_event(const Input *in)
{
	const CallsyncPreset *preset = presets[in->kind];
	CallsyncPresetEvent brief;
	CallsyncPresetEvent full;
	CallsyncPresetEvent stored;
	CallsyncPresetVerdict verdict = callsync_preset_apply(preset, in->body, in->len, in->headers, false, &brief);
	char	   *masked = masked_body(in);
	bool		as_sent = memcmp(masked, in->body, in->len) == 0;

	REQUIRE(verdict != CALLSYNC_PRESET_NO_MEMORY && brief.document == NULL);
	REQUIRE(callsync_preset_apply(preset, in->body, in->len, in->headers, true, &full) == verdict);
	REQUIRE(strcmp(brief.call_id, full.call_id) == 0 && strcmp(brief.event_key, full.event_key) == 0 && brief.ntypes == full.ntypes);
	REQUIRE(brief.has_time == full.has_time && (!brief.has_time || brief.time_us == full.time_us));
	REQUIRE((verdict == CALLSYNC_PRESET_OK) == (full.document != NULL));
	REQUIRE(verdict == CALLSYNC_PRESET_OK || full.detail[0] != '\0');
	REQUIRE(callsync_utf8_valid(full.detail, strlen(full.detail)) && callsync_utf8_valid(full.call_id, strlen(full.call_id)) &&
			callsync_utf8_valid(full.event_key, strlen(full.event_key)));
	for (int i = 0; i < full.ntypes; i++)
		REQUIRE(full.types[i][0] != '\0' && callsync_utf8_valid(full.types[i], strlen(full.types[i])));
	if (verdict == CALLSYNC_PRESET_OK)
	{
		CallsyncMergeResult first = {0};
		CallsyncMergeResult second = {0};
		const char *id = json_string_value(json_object_get(full.document, "call_id"));

		inputs_events++;
		REQUIRE(full.call_id[0] != '\0' && full.ntypes > 0 && id != NULL && strcmp(id, full.call_id) == 0);
		check_jsonb(full.document);
		/* what was accepted can be read after masking, too: it is what the worker has */
		verdict = callsync_preset_apply(preset, masked, in->len, in->headers, true, &stored);
		REQUIRE(verdict == CALLSYNC_PRESET_OK || (!as_sent && verdict != CALLSYNC_PRESET_BAD_JSON && verdict != CALLSYNC_PRESET_BAD_UTF8));
		REQUIRE(!as_sent || json_equal(stored.document, full.document));
		json_decref(stored.document);
		/* the same event again is nothing new */
		merge_once(in, in->body, &full, &first, NULL);
		merge_once(in, in->body, &full, &second, &first);
		check_jsonb(first.document);
		check_jsonb(first.merge_state);
		REQUIRE(json_equal(first.document, second.document) && json_equal(first.merge_state, second.merge_state));
		REQUIRE(json_equal(first.events, second.events) && first.status == second.status && first.flags == second.flags);
		REQUIRE(first.conflicts == second.conflicts && first.ended_at_us == second.ended_at_us);
		callsync_merge_result_clear(&first);
		callsync_merge_result_clear(&second);
		json_decref(full.document);
	}
	free(masked);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input		in;

	read_input(data, size, &in);
	REQUIRE(in.headers != NULL);
	check_signature(&in);
	check_event(&in);
	json_decref(in.headers);
	free(in.url);
	free(in.body);
	return 0;
}
