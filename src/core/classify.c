/*
 * classify.c
 *		From an answer to an error class, see classify.h.
 *
 * Order: what the connector's rules say, else what HTTP says.  Success is never
 * assumed: a 2xx has to look like the API's answer (JSON where JSON is promised,
 * an id where a record was created), otherwise the write may or may not have
 * happened and the op's idempotency decides what that means.
 */
#include "core/classify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/classify_impl.h"
#include "core/instant.h"
#include "core/redact.h"

#define DAY_MS INT64_C(86400000)

/* ---- words for people ---- */

const char *
callsync_remedy(CallsyncErrorClass error_class)
{
	switch (error_class)
	{
		case CALLSYNC_CLASS_OK:
			return "";
		case CALLSYNC_CLASS_TRANSIENT:
			return "None: it is tried again by itself.";
		case CALLSYNC_CLASS_THROTTLED:
			return "None: it goes on when the destination takes requests again. If it happens often, lower the limits or raise the quota.";
		case CALLSYNC_CLASS_AUTH:
			return "Renew the credential of the destination (set_secret); the queue is kept.";
		case CALLSYNC_CLASS_CONFIG:
			return "Correct the permission, the field map or the base URL of the destination, then redrive.";
		case CALLSYNC_CLASS_PERMANENT:
			return "Look at the message, correct the call's data or the field map, then redrive.";
		case CALLSYNC_CLASS_DUPLICATE:
			return "None: the existing record is updated instead.";
		case CALLSYNC_CLASS_GONE:
			return "The record no longer exists; it is matched again.";
		case CALLSYNC_CLASS_PARTIAL:
			return "Look at the deliveries that failed; the others are done.";
		case CALLSYNC_CLASS_UNCERTAIN:
			return "The answer was lost: it is looked up by its key before anything is sent again.";
		case CALLSYNC_CLASS_VALIDATION:
			return "Correct the call's data or the field map, then redrive.";
	}
	return "";
}

/* ---- small parts ---- */

void
callsync_outcome_message(CallsyncOutcome *outcome, const char *text, size_t len)
{
	char		raw[CALLSYNC_MESSAGE_MAX];
	char		clean[4 * CALLSYNC_MESSAGE_MAX];
	size_t		n = 0;
	bool		blank = true;

	for (size_t i = 0; i < len && n + 1 < sizeof(raw); i++)
	{
		unsigned char c = (unsigned char) text[i];

		if (c <= ' ' || c == 127)
		{
			if (!blank)
				raw[n++] = ' ';
			blank = true;
			continue;
		}
		raw[n++] = (char) c;
		blank = false;
	}
	while (n > 0 && raw[n - 1] == ' ')
		n--;
	callsync_redact_text(raw, n, clean, sizeof(clean));
	n = strlen(clean);
	if (n >= sizeof(outcome->message))
		n = sizeof(outcome->message) - 1;
	/* never half a character: look at where the last one begins */
	if (n > 0)
	{
		size_t		start = n;
		size_t		need;
		unsigned char lead;

		while (start > 0 && ((unsigned char) clean[start - 1] & 0xC0) == 0x80)
			start--;
		if (start > 0)
		{
			lead = (unsigned char) clean[start - 1];
			need = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
			if (start - 1 + need > n)
				n = start - 1;
		}
		else
			n = 0;				/* continuation bytes only: no text */
	}
	memcpy(outcome->message, clean, n);
	outcome->message[n] = '\0';
}

/* The words of most APIs for "what is wrong", when no rule says where to look. */
static void
usual_message(CallsyncOutcome *outcome, const CallsyncResponse *response, const json_t *json)
{
	static const char *const pointers[] = {"/message", "/error/message", "/error_description", "/errors/0/message",
		"/0/message", "/errors/0/detail", "/detail", "/title", "/error", "/errors/0", "/description", "/error_info", "/code",
	NULL};

	for (int i = 0; json != NULL && pointers[i] != NULL; i++)
	{
		const json_t *value = callsync_json_get(json, pointers[i]);

		if (json_is_string(value) && json_string_length(value) > 0)
		{
			callsync_outcome_message(outcome, json_string_value(value), json_string_length(value));
			return;
		}
	}
	if (response->body != NULL && response->body_len > 0)
	{
		const char *type = callsync_response_header(response, "Content-Type");
		size_t		len = response->body_len < 4096 ? response->body_len : 4096;

		if ((type != NULL && strncasecmp(type, "text/html", 9) == 0) || response->body[0] == '<')
		{
			CallsyncFilterCall strip = {callsync_filter_find("strip_html", 10), NULL};
			CallsyncValue in = {.kind = CALLSYNC_VALUE_TEXT, .s = response->body, .len = len};
			CallsyncValue out;
			char		text[4097];
			size_t		need;
			const char *error;

			if (callsync_filter_apply(&strip, NULL, &in, &out, text, sizeof(text), &need, &error))
				callsync_outcome_message(outcome, out.s, out.len);
		}
		else
			callsync_outcome_message(outcome, response->body, len);
	}
}

void
callsync_outcome_init(CallsyncOutcome *outcome, const CallsyncResponse *response)
{
	const char *date = callsync_response_header(response, "Date");
	int64_t		us;

	memset(outcome, 0, sizeof(*outcome));
	outcome->rule = -1;
	outcome->remedy = "";
	if (date != NULL && callsync_instant_parse(date, strlen(date), &us))
	{
		int64_t		skew = us / 1000 - response->now_ms;

		/* the header counts whole seconds: a smaller difference says nothing */
		if (skew >= 1000 || skew <= -1000)
			outcome->skew_ms = skew;
	}
}

bool
callsync_status_ok(const CallsyncOp *op, int status)
{
	if (op->impl->ok.n > 0)
		return callsync_status_in(&op->impl->ok, status);
	return status >= 200 && status < 300;
}

static bool
unsafe(const CallsyncOp *op)
{
	return !callsync_idempotency_is_safe(op->idempotency);
}

void
callsync_classify_lost(const CallsyncOp *op, CallsyncOutcome *outcome, const char *message)
{
	outcome->error_class = unsafe(op) ? CALLSYNC_CLASS_UNCERTAIN : CALLSYNC_CLASS_TRANSIENT;
	outcome->remedy = callsync_remedy(outcome->error_class);
	snprintf(outcome->message, sizeof(outcome->message), "%s", message);
}

/* ---- when to come back ---- */

static int64_t
retry_after(const CallsyncConnector *c, const CallsyncResponse *response, CallsyncOutcome *outcome)
{
	for (int i = 0; i < c->nretry_after; i++)
	{
		const char *text = callsync_response_header(response, c->retry_after_headers[i]);
		int64_t		wait;
		int64_t		us;
		char	   *end;
		double		number;

		if (text == NULL)
			continue;
		number = strtod(text, &end);
		while (*end == ' ')
			end++;
		if (end != text && *end == '\0')
		{
			if (!(number >= 0))
				continue;
			if (number > 1e9)
				number = 1e9;
			wait = (int64_t) (c->retry_after_ms ? number : number * 1000.0);
		}
		else if (callsync_instant_parse(text, strlen(text), &us))
			wait = us / 1000 - outcome->skew_ms - response->now_ms;	/* server's date on our clock */
		else
			continue;
		if (wait < 0)
			wait = 0;
		if (wait > c->retry_cap_ms)
		{
			outcome->retry_asked_ms = wait;
			wait = c->retry_cap_ms;
		}
		return response->now_ms + wait;
	}
	return 0;
}

static int64_t
next_midnight(const CallsyncEnv *env, int64_t now_ms)
{
	int64_t		offset = 0;
	int64_t		local;
	int64_t		day;

	if (env != NULL && env->utc_offset_min != NULL)
		offset = (int64_t) env->utc_offset_min(env->arg, now_ms) * 60000;
	local = now_ms + offset;
	day = local >= 0 ? local / DAY_MS : -((-local + DAY_MS - 1) / DAY_MS);
	return (day + 1) * DAY_MS - offset;
}

/* ---- rules ---- */

static bool
ops_match(const json_t *ops, const char *name)
{
	if (ops == NULL)
		return true;
	if (json_is_string(ops))
		return callsync_name_matches(name, json_string_value(ops));
	for (size_t i = 0; i < json_array_size(ops); i++)
		if (callsync_name_matches(name, json_string_value(json_array_get(ops, i))))
			return true;
	return false;
}

static bool
body_matches(const regex_t *re, const CallsyncResponse *response)
{
	char		text[8193];
	size_t		len = response->body_len < sizeof(text) - 1 ? response->body_len : sizeof(text) - 1;

	if (response->body == NULL)
		return false;
	memcpy(text, response->body, len);
	text[len] = '\0';
	return regexec(re, text, 0, NULL, 0) == 0;
}

static bool
content_type_matches(const char *want, const CallsyncResponse *response)
{
	const char *have = callsync_response_header(response, "Content-Type");
	bool		negate = want[0] == '!';

	if (negate)
		want++;
	return (have != NULL && strncasecmp(have, want, strlen(want)) == 0) != negate;
}

static bool
rule_matches(const Rule *rule, const CallsyncOp *op, const CallsyncResponse *response, const json_t *json)
{
	if (!ops_match(rule->ops, op->name))
		return false;
	if (rule->transports != 0)
	{
		if (response->transport == CALLSYNC_TRANSPORT_OK || !(rule->transports & (1u << response->transport)))
			return false;
	}
	else if (response->status == 0)
		return false;			/* no answer: only rules about the transport speak */
	if (rule->status.n > 0 && !callsync_status_in(&rule->status, response->status))
		return false;
	if (rule->content_type != NULL && !content_type_matches(rule->content_type, response))
		return false;
	for (int i = 0; i < rule->nheaders; i++)
	{
		const char *value = callsync_response_header(response, rule->headers[i].name);

		if (value == NULL || strlen(value) > 8192 || regexec(&rule->headers[i].re, value, 0, NULL, 0) != 0)
			return false;
	}
	if (rule->has_body && !body_matches(&rule->body, response))
		return false;
	return callsync_tests_hold(&rule->json, json) &&
		(rule->json_any.n == 0 || callsync_tests_hold(&rule->json_any, json));
}

static void
take_capture(const Extract *extract, const CallsyncResponse *response, const json_t *json, char *out, size_t size)
{
	char		text[CALLSYNC_MESSAGE_MAX];

	if (callsync_extract(extract, response, json, text, sizeof(text)) && strlen(text) < size)
		strcpy(out, text);
}

static void
take_message(const Extract *extract, CallsyncOutcome *outcome, const CallsyncResponse *response, const json_t *json)
{
	for (; extract != NULL && outcome->message[0] == '\0'; extract = extract->next)
	{
		char		text[CALLSYNC_MESSAGE_MAX];

		if (extract->json != NULL && !extract->has_re)
		{
			/* a message may be longer than an extract's room: cut, not dropped */
			const json_t *value = json ? callsync_json_get(json, extract->json) : NULL;

			if (json_is_string(value))
				callsync_outcome_message(outcome, json_string_value(value), json_string_length(value));
		}
		else
		{
			Extract		one = *extract;

			one.next = NULL;
			if (callsync_extract(&one, response, json, text, sizeof(text)))
				callsync_outcome_message(outcome, text, strlen(text));
		}
	}
}

static void
apply_rule(const CallsyncConnector *c, const Rule *rule, const CallsyncOp *op, const CallsyncResponse *response,
		   const json_t *json, const CallsyncEnv *env, CallsyncOutcome *outcome)
{
	outcome->rule = (int) (rule - c->rules);
	outcome->error_class = rule->error_class;
	if (rule->non_idempotent >= 0 && unsafe(op))
		outcome->error_class = (CallsyncErrorClass) rule->non_idempotent;
	outcome->disable = rule->disable;
	outcome->drift = rule->drift;
	take_capture(rule->existing_id, response, json, outcome->existing_id, sizeof(outcome->existing_id));
	take_capture(rule->field, response, json, outcome->field, sizeof(outcome->field));
	take_capture(rule->code, response, json, outcome->code, sizeof(outcome->code));
	take_message(rule->message, outcome, response, json);
	if (!rule->ignore_retry_after)
		outcome->retry_at_ms = retry_after(c, response, outcome);
	if (outcome->retry_at_ms == 0 && rule->until_midnight)
		outcome->retry_at_ms = next_midnight(env, response->now_ms);
	if (outcome->retry_at_ms == 0 && rule->wait_ms >= 0)
		outcome->retry_at_ms = response->now_ms + rule->wait_ms;
	outcome->pause_destination = rule->pause >= 0 ? rule->pause == 1 : outcome->error_class == CALLSYNC_CLASS_THROTTLED;
	outcome->remedy = rule->remedy != NULL ? rule->remedy : callsync_remedy(outcome->error_class);
}

bool
callsync_rule_on_success(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response,
						 const json_t *json, const CallsyncEnv *env, CallsyncOutcome *outcome)
{
	for (int i = 0; i < c->nrules; i++)
	{
		const Rule *rule = &c->rules[i];

		/* a rule about a fine status must say what is wrong with the answer all the same */
		if (rule->status.n == 0 || rule->transports != 0 ||
			(rule->json.n == 0 && rule->json_any.n == 0 && !rule->has_body && rule->nheaders == 0 && rule->content_type == NULL))
			continue;
		if (rule_matches(rule, op, response, json))
		{
			apply_rule(c, rule, op, response, json, env, outcome);
			return true;
		}
	}
	return false;
}

/* ---- what HTTP itself says ---- */

static CallsyncErrorClass
class_of_status(const CallsyncOp *op, int status)
{
	bool		reads = op->kind != CALLSYNC_OP_WRITE && op->kind != CALLSYNC_OP_DELETE;

	switch (status)
	{
		case 400:
		case 413:
		case 414:
		case 415:
		case 422:
			return CALLSYNC_CLASS_PERMANENT;
		case 401:
			return CALLSYNC_CLASS_AUTH;
		case 402:
		case 403:
		case 405:
		case 406:
		case 407:
		case 421:
		case 426:
		case 501:
		case 505:
			return CALLSYNC_CLASS_CONFIG;
		case 404:
		case 410:
			return reads && op->kind != CALLSYNC_OP_READ ? CALLSYNC_CLASS_CONFIG : CALLSYNC_CLASS_GONE;
		case 409:
			return CALLSYNC_CLASS_DUPLICATE;
		case 408:
			return unsafe(op) ? CALLSYNC_CLASS_UNCERTAIN : CALLSYNC_CLASS_TRANSIENT;
		case 423:
		case 425:
			return CALLSYNC_CLASS_TRANSIENT;
		case 429:
			return CALLSYNC_CLASS_THROTTLED;
	}
	if (status >= 300 && status < 400)
		return CALLSYNC_CLASS_CONFIG;	/* redirects are never followed: a credential would travel along */
	if (status >= 500)
		return unsafe(op) ? CALLSYNC_CLASS_UNCERTAIN : CALLSYNC_CLASS_TRANSIENT;
	return CALLSYNC_CLASS_PERMANENT;
}

static void
classify_transport(const CallsyncOp *op, const CallsyncResponse *response, CallsyncOutcome *outcome)
{
	const char *what = NULL;

	switch (response->transport)
	{
		case CALLSYNC_TRANSPORT_RESOLVE_FAILED:
			what = "The host name could not be resolved.";
			break;
		case CALLSYNC_TRANSPORT_CONNECT_FAILED:
			what = "No connection could be made.";
			break;
		case CALLSYNC_TRANSPORT_TLS_FAILED:
			what = "The TLS connection could not be established.";
			break;
		case CALLSYNC_TRANSPORT_TIMEOUT_BEFORE_SEND:
			what = "Connecting took too long.";
			break;
		case CALLSYNC_TRANSPORT_CANCELLED:
		case CALLSYNC_TRANSPORT_LOCAL:
			what = "The request was not completed on this side.";
			break;
		case CALLSYNC_TRANSPORT_REFUSED_ADDRESS:
			outcome->error_class = CALLSYNC_CLASS_CONFIG;
			outcome->remedy = "The destination's address is not allowed: correct base_url or, as a superuser, allow_addresses.";
			snprintf(outcome->message, sizeof(outcome->message), "The address of the host is not allowed.");
			return;
		case CALLSYNC_TRANSPORT_BAD_REQUEST:
			outcome->error_class = CALLSYNC_CLASS_CONFIG;
			outcome->remedy = "Correct base_url or the connector document.";
			snprintf(outcome->message, sizeof(outcome->message), "The URL or a header cannot be sent.");
			return;
		case CALLSYNC_TRANSPORT_TIMEOUT_AFTER_SEND:
			callsync_classify_lost(op, outcome, "No answer came in time; the request was sent.");
			return;
		case CALLSYNC_TRANSPORT_RESET:
			callsync_classify_lost(op, outcome, "The connection was lost before the answer came.");
			return;
		case CALLSYNC_TRANSPORT_TRUNCATED:
			callsync_classify_lost(op, outcome, "The answer was cut off.");
			return;
		case CALLSYNC_TRANSPORT_TOO_LARGE:
			callsync_classify_lost(op, outcome, "The answer was larger than is taken.");
			return;
		case CALLSYNC_TRANSPORT_BAD_ANSWER:
			callsync_classify_lost(op, outcome, "What came back was not HTTP.");
			return;
		case CALLSYNC_TRANSPORT_OK:
			what = "There was no answer.";
			break;
	}
	/* cancelled in flight: it may have left */
	if (response->transport == CALLSYNC_TRANSPORT_CANCELLED && unsafe(op))
		outcome->error_class = CALLSYNC_CLASS_UNCERTAIN;
	else
		outcome->error_class = CALLSYNC_CLASS_TRANSIENT;
	outcome->remedy = response->transport == CALLSYNC_TRANSPORT_TLS_FAILED ?
		"It is tried again by itself; if it stays, look at the destination's certificate and name." :
		callsync_remedy(outcome->error_class);
	snprintf(outcome->message, sizeof(outcome->message), "%s", what ? what : "The request failed.");
}

void
callsync_classify_failure(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response,
						  const json_t *json, const CallsyncEnv *env, CallsyncOutcome *outcome)
{
	/* the rest of an error answer does not matter, its status is known */
	CallsyncResponse as_answer = *response;
	bool		cut = response->transport == CALLSYNC_TRANSPORT_TRUNCATED ||
		response->transport == CALLSYNC_TRANSPORT_TOO_LARGE;

	if (cut && response->status >= 300)
		as_answer.transport = CALLSYNC_TRANSPORT_OK;
	for (int i = 0; i < c->nrules; i++)
	{
		if (!rule_matches(&c->rules[i], op, &as_answer, json))
			continue;
		apply_rule(c, &c->rules[i], op, response, json, env, outcome);
		if (outcome->message[0] == '\0' && response->status != 0)
			usual_message(outcome, response, json);
		if (outcome->message[0] == '\0' && as_answer.transport != CALLSYNC_TRANSPORT_OK)
		{
			CallsyncOutcome plain = *outcome;

			classify_transport(op, response, &plain);
			memcpy(outcome->message, plain.message, sizeof(outcome->message));
		}
		return;
	}
	if (as_answer.transport != CALLSYNC_TRANSPORT_OK)
	{
		classify_transport(op, response, outcome);
		return;
	}
	outcome->error_class = class_of_status(op, response->status);
	outcome->disable = response->status == 410 && op->kind == CALLSYNC_OP_WRITE && !op->needs_id;
	outcome->pause_destination = outcome->error_class == CALLSYNC_CLASS_THROTTLED;
	if (outcome->error_class == CALLSYNC_CLASS_THROTTLED || outcome->error_class == CALLSYNC_CLASS_TRANSIENT ||
		outcome->error_class == CALLSYNC_CLASS_UNCERTAIN)
		outcome->retry_at_ms = retry_after(c, response, outcome);
	outcome->remedy = response->status >= 300 && response->status < 400 ?
		"The destination answers with a redirect, which is not followed: correct base_url." :
		callsync_remedy(outcome->error_class);
	usual_message(outcome, response, json);
	if (outcome->message[0] == '\0')
		snprintf(outcome->message, sizeof(outcome->message), "HTTP status %d.", response->status);
}

/* ---- one answer ---- */

static void
take_created(const CallsyncOp *op, const CallsyncResponse *response, const json_t *json, CallsyncOutcome *outcome)
{
	const struct CallsyncOpImpl *impl = op->impl;

	if (!impl->has_created)
		return;
	outcome->created = (impl->created_status.n == 0 || callsync_status_in(&impl->created_status, response->status)) &&
		callsync_tests_hold(&impl->created_json, json) ? CALLSYNC_YES : CALLSYNC_NO;
}

void
callsync_classify(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response, const json_t *json,
				  const CallsyncEnv *env, CallsyncOutcome *outcome)
{
	const struct CallsyncOpImpl *impl = op->impl;
	bool		is_not_found = callsync_status_in(&impl->not_found, response->status);
	bool		has_content = response->body_len > 0 && response->status != 204 && response->status != 205;

	if (op->batch != NULL && op->batch->only)
	{
		CallsyncOutcome whole;

		callsync_classify_batch(c, op, response, json, env, NULL, 1, &whole, outcome);
		return;
	}
	callsync_outcome_init(outcome, response);
	if (response->transport != CALLSYNC_TRANSPORT_OK || (!callsync_status_ok(op, response->status) && !is_not_found))
	{
		callsync_classify_failure(c, op, response, json, env, outcome);
		return;
	}
	if (is_not_found)
		return;					/* "nothing there" is the answer */
	if (callsync_rule_on_success(c, op, response, json, env, outcome))
	{
		if (outcome->message[0] == '\0')
			usual_message(outcome, response, json);
		return;
	}
	if (impl->expects_json && has_content && json == NULL)
	{
		callsync_classify_lost(op, outcome, response->body[0] == '<' ?
							   "A web page came in place of the API's answer." : "The answer is not JSON, or only a part of it.");
		return;
	}
	if (impl->success.n > 0 && !callsync_tests_hold(&impl->success, json))
	{
		outcome->error_class = CALLSYNC_CLASS_PERMANENT;
		outcome->remedy = callsync_remedy(CALLSYNC_CLASS_PERMANENT);
		usual_message(outcome, response, json);
		return;
	}
	if (impl->id != NULL && !callsync_extract(impl->id, response, json, outcome->id, sizeof(outcome->id)) && op->creates)
	{
		callsync_classify_lost(op, outcome, "The answer does not name the record that was written.");
		return;
	}
	take_created(op, response, json, outcome);
}
