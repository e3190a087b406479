/*
 * ingest_fn.c
 *		ingest(): verify, remove duplicates, append. And what shows how a webhook is read.
 *
 * Whatever the body holds gives an answer, never an error: every check comes
 * before the first append, and after it nothing looks at content any more. Merge and
 * mapping are the worker's.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "core/call_document.h"
#include "core/crypto.h"
#include "core/header_set.h"
#include "core/redact.h"
#include "core/secret_mask.h"
#include "core/shard.h"
#include "pg/commit_wake.h"
#include "pg/json.h"
#include "store/append.h"
#include "store/event_seen.h"
#include "store/preset.h"

PG_FUNCTION_INFO_V1(callsync_ingest);
PG_FUNCTION_INFO_V1(callsync_read_webhook);
PG_FUNCTION_INFO_V1(callsync_check_preset);
PG_FUNCTION_INFO_V1(callsync_replay_event);

/* Where no source says otherwise. */
#define DEFAULT_MAX_BODY (2 * 1024 * 1024)
#define MAX_HEADER_BYTES (64 * 1024)
#define MAX_URL_BYTES 2000
#define MAX_RULES 64

/* microseconds between 1970 and PostgreSQL's epoch */
#define EPOCH_SHIFT_US ((POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

/* One webhook on its way through the door. */
typedef struct Arrival
{
	const char *source;
	const char *body;
	size_t		len;
	json_t	   *headers;		/* normalised; kept */
	const char *url;			/* NULL: not told */
	CallsyncSource found;		/* preset NULL: unknown, or takes no webhooks */
	uint8_t		digest[CALLSYNC_SHA256_LEN];
	CallsyncPresetEvent event;
} Arrival;

typedef struct Answer
{
	const char *status;
	int64		event_id;
	const char *call_id;		/* NULL: none */
	const char *reason;			/* NULL: none */
} Answer;

static TimestampTz
from_unix_us(int64 us)
{
	return us - EPOCH_SHIFT_US;
}

static int64
now_unix_us(void)
{
	return GetCurrentTimestamp() + EPOCH_SHIFT_US;
}

static json_t *
json_of_jsonb(Jsonb *value)
{
	return callsync_json_parse(JsonbToCString(NULL, &value->root, VARSIZE(value)), NULL);
}

/* --- what is stored --- */

/* Texts from the source's own list, and its live secrets. */
static void
mask_rules(const CallsyncSource *found, CallsyncMaskRules *rules)
{
	const json_t *names = found->preset ? callsync_preset_mask(found->preset) : NULL;
	const char **list = palloc(sizeof(char *) * MAX_RULES);
	const char **values = palloc(sizeof(char *) * MAX_RULES);
	size_t	   *lens = palloc(sizeof(size_t) * MAX_RULES);

	memset(rules, 0, sizeof(*rules));
	for (size_t i = 0; i < json_array_size(names) && rules->nnames < MAX_RULES; i++)
		list[rules->nnames++] = json_string_value(json_array_get(names, i));
	for (int i = 0; i < found->nsecrets && rules->nvalues < MAX_RULES; i++)
	{
		values[rules->nvalues] = found->secrets[i].value;
		lens[rules->nvalues++] = found->secrets[i].len;
	}
	rules->names = list;
	rules->values = values;
	rules->value_lens = lens;
}

static struct varlena *
bytea_of(const void *data, size_t len)
{
	struct varlena *result = palloc(VARHDRSZ + len);

	SET_VARSIZE(result, VARHDRSZ + len);
	if (len > 0)
		memcpy(VARDATA(result), data, len);
	return result;
}

/* Does a scheme of the source carry its credential, not a signature, in this header? */
static bool
is_signature_header(const CallsyncSource *found, const char *name)
{
	const json_t *schemes = found->preset ? callsync_preset_schemes(found->preset) : NULL;

	for (size_t i = 0; i < json_array_size(schemes); i++)
	{
		const json_t *scheme = json_array_get(schemes, i);
		const char *kind = json_string_value(json_object_get(scheme, "kind"));
		const json_t *headers = json_object_get(scheme, "headers");

		if (kind != NULL && strcmp(kind, "hmac") != 0)
			continue;
		for (size_t h = 0; h < json_array_size(headers); h++)
		{
			if (pg_strcasecmp(json_string_value(json_array_get(headers, h)), name) == 0)
				return true;
		}
	}
	return false;
}

static void
push_text(JsonbParseState **state, JsonbIteratorToken token, char *text)
{
	JsonbValue	value;

	value.type = jbvString;
	value.val.string.val = text;
	value.val.string.len = (int) strlen(text);
	pushJsonbValue(state, token, &value);
}

/* The headers to store, credentials masked, with the URL as ":url". Built at once: through a text it took a sixth of ingest(). */
static struct varlena *
stored_headers(const Arrival *arrival, const CallsyncMaskRules *rules)
{
	JsonbParseState *state = NULL;
	const char *name;
	json_t	   *value;
	size_t		total = 0;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	json_object_foreach(arrival->headers, name, value)
	{
		char	   *copy = pstrdup(json_string_value(value));
		size_t		len = strlen(copy);

		total += strlen(name) + len;
		if (total > MAX_HEADER_BYTES)
			break;
		if (callsync_redact_is_secret_header(name) && !is_signature_header(&arrival->found, name))
			memset(copy, '*', len);
		else
			callsync_mask_values(copy, len, rules);
		push_text(&state, WJB_KEY, pstrdup(name));
		push_text(&state, WJB_VALUE, copy);
	}
	if (arrival->url != NULL)
	{
		char	   *copy = pnstrdup(arrival->url, pg_mbcliplen(arrival->url, (int) strlen(arrival->url), MAX_URL_BYTES));

		callsync_mask_parameters(copy, strlen(copy), rules);
		callsync_mask_values(copy, strlen(copy), rules);
		push_text(&state, WJB_KEY, pstrdup(":url"));
		push_text(&state, WJB_VALUE, copy);
	}
	return (struct varlena *) JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

static struct varlena *
stored_body(const Arrival *arrival, const CallsyncMaskRules *rules)
{
	struct varlena *copy = bytea_of(arrival->body, arrival->len);

	callsync_mask_body(VARDATA(copy), arrival->len, rules);
	return copy;
}

/*
 * Appends the arrival with its outcome. with_body false: the body is not kept
 * (over the cap, or kept with an earlier event); its hash and size always are.
 */
static int64
append_event(const Arrival *arrival, int64 id, int signature_ok, const char *outcome, const char *reason, bool with_body)
{
	CallsyncEventRow row = {0};
	CallsyncMaskRules rules;

	mask_rules(&arrival->found, &rules);
	row.id = id;
	row.source = arrival->source;
	row.call_id = arrival->event.call_id[0] != '\0' ? arrival->event.call_id : NULL;
	row.type = arrival->event.ntypes > 0 ? arrival->event.types[0] : NULL;
	row.has_event_time = arrival->event.has_time;
	row.event_time = arrival->event.has_time ? from_unix_us(arrival->event.time_us) : 0;
	row.body = with_body ? stored_body(arrival, &rules) : NULL;
	row.headers = stored_headers(arrival, &rules);
	row.signature_ok = signature_ok;
	row.outcome = outcome;
	row.reason = reason;
	row.event_key = arrival->event.event_key[0] != '\0' ? arrival->event.event_key : NULL;
	row.body_sha256 = bytea_of(arrival->digest, sizeof(arrival->digest));
	row.body_bytes = (int64) arrival->len;
	row.call_table = InvalidOid;
	if (row.event_key != NULL)
		row.tie_break = (int64) callsync_fnv1a(CALLSYNC_FNV_START, row.event_key, strlen(row.event_key));
	else
		memcpy(&row.tie_break, arrival->digest, sizeof(row.tie_break));
	return callsync_event_append(&row);
}

/* --- deciding --- */

/*
 * The key by which a second arrival is known: the sender's id of the event, else
 * the bytes of the body; within the call, because ids are often counted per call.
 */
static void
seen_key(const Arrival *arrival, unsigned char key[CALLSYNC_SEEN_KEY_LEN])
{
	StringInfoData text;
	uint8_t		digest[CALLSYNC_SHA256_LEN];

	initStringInfo(&text);
	appendStringInfo(&text, "%s\x1f%s\x1f", arrival->source, arrival->event.call_id);
	if (arrival->event.event_key[0] != '\0')
		appendStringInfo(&text, "k%s", arrival->event.event_key);
	else
	{
		appendStringInfoChar(&text, 'h');
		appendBinaryStringInfo(&text, (const char *) arrival->digest, sizeof(arrival->digest));
	}
	callsync_sha256(text.data, text.len, digest);
	memcpy(key, digest, CALLSYNC_SEEN_KEY_LEN);
	pfree(text.data);
}

static Answer
refuse(const Arrival *arrival, int signature_ok, const char *status, const char *reason, bool with_body)
{
	Answer		answer = {status, 0, NULL, reason};

	answer.event_id = append_event(arrival, 0, signature_ok, status, reason, with_body);
	if (arrival->event.call_id[0] != '\0')
		answer.call_id = pstrdup(arrival->event.call_id);
	return answer;
}

/* An authentic, usable webhook: the first of its kind, or one more of the same. */
static Answer
accept(const Arrival *arrival, int signature_ok, bool merge)
{
	unsigned char key[CALLSYNC_SEEN_KEY_LEN];
	int64		id = callsync_event_next_id();
	int64		known;
	bool		same_body = true;
	Answer		answer = {"accepted", id, NULL, NULL};

	if (arrival->event.call_id[0] != '\0')
		answer.call_id = pstrdup(arrival->event.call_id);
	seen_key(arrival, key);
	known = callsync_event_seen(key, id, arrival->digest, &same_body);
	if (known != 0)
	{
		answer.status = "duplicate";
		answer.reason = psprintf(same_body ? "same as event " INT64_FORMAT
								 : "same id as event " INT64_FORMAT ", other content", known);
		append_event(arrival, id, signature_ok, answer.status, answer.reason, !same_body);
		answer.event_id = known;
		return answer;
	}
	if (!merge)
		answer.reason = pstrdup(arrival->event.detail);
	append_event(arrival, id, signature_ok, answer.status, answer.reason, true);
	if (merge)
	{
		CallsyncOutboxRow row = {.origin = "live", .source = arrival->source, .call_id = answer.call_id, .event_id = id};

		callsync_outbox_append(&row);
		callsync_wake_at_commit();
	}
	return answer;
}

static Answer
decide(Arrival *arrival)
{
	const CallsyncPreset *preset;
	CallsyncSigned request;
	CallsyncVerdict verdict;
	int			signature_ok = 1;
	int64		max_body = DEFAULT_MAX_BODY;
	bool		known = callsync_source_find(arrival->source, &arrival->found);

	preset = known ? arrival->found.preset : NULL;
	if (preset != NULL)
		max_body = callsync_preset_max_body(preset);
	callsync_sha256(arrival->body, arrival->len, arrival->digest);
	if (!known)
		return refuse(arrival, -1, "rejected", "unknown source", (int64) arrival->len <= max_body);
	if (preset == NULL)
		return refuse(arrival, -1, "rejected", "the source takes no webhooks: its kind is table", (int64) arrival->len <= max_body);
	if ((int64) arrival->len > max_body)
		return refuse(arrival, -1, "rejected",
					  psprintf("over the size cap: %zu bytes, at most " INT64_FORMAT, arrival->len, max_body), false);

	request.body = arrival->body;
	request.body_len = arrival->len;
	request.headers = arrival->headers;
	request.url = arrival->url != NULL ? arrival->url : callsync_preset_url(preset);
	request.now_us = now_unix_us();
	verdict = callsync_signature_verify(callsync_preset_schemes(preset), &request, arrival->found.secrets,
										arrival->found.nsecrets, callsync_preset_tolerance_s(preset));
	if (verdict == CALLSYNC_SIGNATURE_NO_SECRET && callsync_preset_takes_unsigned(preset))
		signature_ok = -1;
	else if (verdict != CALLSYNC_SIGNATURE_OK)
		return refuse(arrival, verdict == CALLSYNC_SIGNATURE_NO_SECRET ? -1 : 0, "rejected",
					  callsync_signature_verdict_text(verdict), true);

	switch (callsync_preset_apply(preset, arrival->body, arrival->len, arrival->headers, false, &arrival->event))
	{
		case CALLSYNC_PRESET_OK:
			return accept(arrival, signature_ok, true);
		case CALLSYNC_PRESET_IGNORED:
			return accept(arrival, signature_ok, false);
		case CALLSYNC_PRESET_NO_MEMORY:
			ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
			break;
		default:
			break;
	}
	return refuse(arrival, signature_ok, "quarantined", pstrdup(arrival->event.detail), true);
}

/* --- SQL --- */

/* A member of the headers: a text, a number, a list of texts; else NULL. New reference. */
static json_t *
read_header(const JsonbValue *value)
{
	JsonbIterator *iterator;
	JsonbValue	item;
	JsonbIteratorToken token;
	json_t	   *list;

	if (value->type == jbvString)
		return json_stringn(value->val.string.val, value->val.string.len);
	if (value->type == jbvNumeric)
		return json_loads(DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric))), JSON_DECODE_ANY, NULL);
	if (value->type != jbvBinary || !JsonContainerIsArray(value->val.binary.data))
		return NULL;
	list = json_array();
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		if (token == WJB_ELEM && item.type == jbvString)
			json_array_append_new(list, json_stringn(item.val.string.val, item.val.string.len));
	}
	return list;
}

/* Headers that are no object of texts are no headers: content never raises. */
static json_t *
read_headers(Jsonb *given)
{
	json_t	   *headers = callsync_json_keep(callsync_json_object());
	JsonbIterator *iterator;
	JsonbValue	name;
	JsonbValue	value;
	JsonbIteratorToken token;
	bool		ok = true;

	if (given == NULL || !JB_ROOT_IS_OBJECT(given))
		return headers;
	iterator = JsonbIteratorInit(&given->root);
	while ((token = JsonbIteratorNext(&iterator, &name, true)) != WJB_DONE)
	{
		json_t	   *read;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		read = read_header(&value);
		ok = ok && callsync_headers_add(headers, name.val.string.val, name.val.string.len, read);
		json_decref(read);
	}
	if (!ok)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	return headers;
}

static void
read_request(FunctionCallInfo fcinfo, Arrival *arrival)
{
	memset(arrival, 0, offsetof(Arrival, event));
	arrival->event.call_id[0] = '\0';
	arrival->event.ntypes = 0;
	arrival->event.has_time = false;
	arrival->event.event_key[0] = '\0';
	arrival->source = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));
	arrival->body = "";
	if (!PG_ARGISNULL(1))
	{
		struct varlena *body = PG_GETARG_BYTEA_PP(1);

		arrival->body = VARDATA_ANY(body);
		arrival->len = VARSIZE_ANY_EXHDR(body);
	}
	arrival->headers = read_headers(PG_ARGISNULL(2) ? NULL : PG_GETARG_JSONB_P(2));
}

/* ingest(source, body, headers, url) */
Datum
callsync_ingest(PG_FUNCTION_ARGS)
{
	Arrival		arrival;
	Answer		answer;
	TupleDesc	desc;
	Datum		values[4];
	bool		nulls[4] = {false, false, false, false};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "ingest() must return a row");
	read_request(fcinfo, &arrival);
	arrival.url = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	answer = decide(&arrival);
	values[0] = CStringGetTextDatum(answer.status);
	values[1] = Int64GetDatum(answer.event_id);
	nulls[2] = answer.call_id == NULL;
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(answer.call_id);
	nulls[3] = answer.reason == NULL;
	values[3] = nulls[3] ? (Datum) 0 : CStringGetTextDatum(answer.reason);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static const char *
verdict_word(CallsyncPresetVerdict verdict)
{
	switch (verdict)
	{
		case CALLSYNC_PRESET_OK:
			return "event";
		case CALLSYNC_PRESET_IGNORED:
			return "ignored";
		default:
			return "unusable";
	}
}

/*
 * read_webhook(source, body, headers): what the source's preset makes of a body,
 * stored nowhere. (verdict, reason, call_id, types, event_time, event_key, document)
 */
Datum
callsync_read_webhook(PG_FUNCTION_ARGS)
{
	Arrival		arrival;
	CallsyncPresetVerdict verdict;
	TupleDesc	desc;
	Datum		values[7];
	bool		nulls[7];
	Datum		types[CALLSYNC_PRESET_TYPES];

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "read_webhook() must return a row");
	read_request(fcinfo, &arrival);
	if (!callsync_source_find(arrival.source, &arrival.found) || arrival.found.preset == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no webhook source \"%s\"", arrival.source),
				 errhint("Make it with callsync.create_source().")));
	verdict = callsync_preset_apply(arrival.found.preset, arrival.body, arrival.len, arrival.headers, true, &arrival.event);
	memset(nulls, true, sizeof(nulls));
	values[0] = CStringGetTextDatum(verdict_word(verdict));
	nulls[0] = false;
	if (arrival.event.detail[0] != '\0')
	{
		values[1] = CStringGetTextDatum(arrival.event.detail);
		nulls[1] = false;
	}
	if (arrival.event.call_id[0] != '\0')
	{
		values[2] = CStringGetTextDatum(arrival.event.call_id);
		nulls[2] = false;
	}
	for (int i = 0; i < arrival.event.ntypes; i++)
		types[i] = CStringGetTextDatum(arrival.event.types[i]);
	values[3] = PointerGetDatum(construct_array(types, arrival.event.ntypes, TEXTOID, -1, false, TYPALIGN_INT));
	nulls[3] = false;
	if (arrival.event.has_time)
	{
		values[4] = TimestampTzGetDatum(from_unix_us(arrival.event.time_us));
		nulls[4] = false;
	}
	if (arrival.event.event_key[0] != '\0')
	{
		values[5] = CStringGetTextDatum(arrival.event.event_key);
		nulls[5] = false;
	}
	if (verdict == CALLSYNC_PRESET_OK)
	{
		values[6] = DirectFunctionCall1(jsonb_in, CStringGetDatum(callsync_json_text(callsync_json_keep(arrival.event.document))));
		nulls[6] = false;
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* check_preset(subject, document, options): raises what is wrong with them */
Datum
callsync_check_preset(PG_FUNCTION_ARGS)
{
	const char *subject = text_to_cstring(PG_GETARG_TEXT_PP(0));

	callsync_preset_free(callsync_preset_compile(subject, json_of_jsonb(PG_GETARG_JSONB_P(1)), json_of_jsonb(PG_GETARG_JSONB_P(2))));
	PG_RETURN_VOID();
}

/* replay_event(source, call_id, event_id): a note for the worker */
Datum
callsync_replay_event(PG_FUNCTION_ARGS)
{
	CallsyncOutboxRow row = {
		.origin = "replay",
		.source = text_to_cstring(PG_GETARG_TEXT_PP(0)),
		.call_id = text_to_cstring(PG_GETARG_TEXT_PP(1)),
		.event_id = PG_GETARG_INT64(2),
	};

	callsync_wake_at_commit();
	PG_RETURN_INT64(callsync_outbox_append(&row));
}
