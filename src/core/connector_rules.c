/*
 * connector_rules.c
 *		The part "rules" of a connector document: what answers mean, first match
 *		wins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/connector_impl.h"

static bool
parse_transports(const json_t *list, const char *where, CallsyncDocError *err, uint32_t *bits)
{
	if (list == NULL)
		return true;
	if (!callsync_doc_is(list, JSON_ARRAY, where, "transport", err))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		const char *word = json_string_value(json_array_get(list, i));
		CallsyncTransport transport;

		if (word == NULL || !callsync_transport_parse(word, strlen(word), &transport))
			return callsync_doc_error(err, where, "Words are resolve_failed, connect_failed, tls_failed, timeout_before_send, timeout_after_send, reset, truncated, too_large and so on.",
									  "\"%.60s\" is not a transport failure.", word ? word : "");
		*bits |= 1u << transport;
	}
	return true;
}

static bool
parse_capture(Rule *rule, const json_t *doc, const char *where, CallsyncDocError *err)
{
	static const char *const keys[] = {"existing_id", "field", "code", "message", NULL};

	return doc == NULL ||
		(callsync_doc_keys(doc, where, err, keys) &&
		 callsync_doc_extract(json_object_get(doc, "existing_id"), where, err, &rule->existing_id) &&
		 callsync_doc_extract(json_object_get(doc, "field"), where, err, &rule->field) &&
		 callsync_doc_extract(json_object_get(doc, "code"), where, err, &rule->code) &&
		 callsync_doc_extract(json_object_get(doc, "message"), where, err, &rule->message));
}

static bool
parse_class(const json_t *doc, const char *key, const char *where, CallsyncDocError *err, int *out)
{
	const char *word = NULL;

	if (!callsync_doc_text(doc, key, where, err, &word))
		return false;
	if (word == NULL)
		return true;
	*out = callsync_class_from_name(word);
	if (*out < 0)
		return callsync_doc_error(err, where, "Classes are ok, transient, throttled, auth, config, permanent, duplicate, gone, partial, uncertain and validation.",
								  "\"%.60s\" is not an error class.", word);
	return true;
}

static bool
parse_rule(CallsyncConnector *c, Rule *rule, const json_t *doc, size_t n, CallsyncDocError *err)
{
	static const char *const keys[] = {"op", "status", "transport", "header", "content_type", "json", "json_any", "body",
		"class", "non_idempotent", "capture", "wait_s", "until", "retry_after", "pause", "disable", "drift", "remedy",
	NULL};
	static const char *const untils[] = {"midnight", NULL};
	char		where[64];
	const json_t *value;
	const char *body = NULL;
	int			error_class = -1;
	int			until = -1;
	int64_t		wait_s = -1;
	bool		retry_after = true;
	bool		pause = false;

	snprintf(where, sizeof(where), "/rules/%zu", n);
	rule->non_idempotent = -1;
	rule->pause = -1;
	rule->wait_ms = -1;
	if (!callsync_doc_keys(doc, where, err, keys) ||
		!callsync_doc_status(json_object_get(doc, "status"), where, err, &rule->status) ||
		!parse_transports(json_object_get(doc, "transport"), where, err, &rule->transports) ||
		!callsync_doc_text(doc, "content_type", where, err, &rule->content_type) ||
		!callsync_doc_tests(json_object_get(doc, "json"), false, where, err, &rule->json) ||
		!callsync_doc_tests(json_object_get(doc, "json_any"), true, where, err, &rule->json_any) ||
		!callsync_doc_text(doc, "body", where, err, &body) ||
		!parse_class(doc, "class", where, err, &error_class) ||
		!parse_class(doc, "non_idempotent", where, err, &rule->non_idempotent) ||
		!parse_capture(rule, json_object_get(doc, "capture"), where, err) ||
		!callsync_doc_int(doc, "wait_s", where, err, 0, 604800, &wait_s) ||
		!callsync_doc_word(doc, "until", where, err, untils, &until) ||
		!callsync_doc_bool(doc, "retry_after", where, err, &retry_after) ||
		!callsync_doc_bool(doc, "pause", where, err, &pause) ||
		!callsync_doc_bool(doc, "disable", where, err, &rule->disable) ||
		!callsync_doc_bool(doc, "drift", where, err, &rule->drift) ||
		!callsync_doc_text(doc, "remedy", where, err, &rule->remedy))
		return false;
	if (error_class < 0)
		return callsync_doc_error(err, where, NULL, "A rule needs \"class\".");
	rule->error_class = (CallsyncErrorClass) error_class;
	rule->ignore_retry_after = !retry_after;
	if (json_object_get(doc, "pause") != NULL)
		rule->pause = pause;
	if (wait_s >= 0)
		rule->wait_ms = wait_s * 1000;
	rule->until_midnight = until == 0;
	if (body != NULL)
	{
		if (!callsync_doc_regex(body, where, err, &rule->body))
			return false;
		rule->has_body = true;
	}
	value = json_object_get(doc, "op");
	if (value != NULL)
	{
		size_t		nops = json_is_array(value) ? json_array_size(value) : 1;

		rule->ops = value;
		for (size_t i = 0; i < nops; i++)
		{
			const char *pattern = json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
			bool		any = false;

			if (pattern == NULL)
				return callsync_doc_error(err, where, NULL, "\"op\" is a name with * or a list of them.");
			for (int k = 0; k < c->nops && !any; k++)
				any = callsync_name_matches(c->ops[k].name, pattern);
			if (!any)
				return callsync_doc_error(err, where, NULL, "\"%.60s\" matches no operation.", pattern);
		}
	}
	value = json_object_get(doc, "header");
	if (value != NULL)
	{
		const char *name;
		json_t	   *re;

		if (!callsync_doc_is(value, JSON_OBJECT, where, "header", err))
			return false;
		json_object_foreach((json_t *) value, name, re)
		{
			HeaderTest *grown = callsync_doc_grow(rule->headers, rule->nheaders, sizeof(HeaderTest));

			if (grown == NULL || !json_is_string(re))
				return callsync_doc_error(err, where, NULL, "\"header\" is {\"Name\": \"regular expression\"}.");
			rule->headers = grown;
			grown[rule->nheaders].name = name;
			if (!callsync_doc_regex(json_string_value(re), where, err, &grown[rule->nheaders].re))
				return false;
			rule->nheaders++;
		}
	}
	return true;
}

bool
callsync_connector_parse_rules(CallsyncConnector *c, const json_t *rules, CallsyncDocError *err)
{
	if (rules == NULL)
		return true;
	if (!callsync_doc_is(rules, JSON_ARRAY, "", "rules", err))
		return false;
	c->rules = calloc(json_array_size(rules) + 1, sizeof(Rule));
	if (c->rules == NULL)
		return callsync_doc_error(err, "/rules", NULL, "Out of memory.");
	for (size_t i = 0; i < json_array_size(rules); i++)
		if (!parse_rule(c, &c->rules[c->nrules++], json_array_get(rules, i), i, err))
			return false;
	return true;
}

void
callsync_connector_free_rules(CallsyncConnector *c)
{
	for (int i = 0; i < c->nrules; i++)
	{
		Rule	   *rule = &c->rules[i];

		for (int k = 0; k < rule->nheaders; k++)
			regfree(&rule->headers[k].re);
		free(rule->headers);
		callsync_tests_clear(&rule->json);
		callsync_tests_clear(&rule->json_any);
		if (rule->has_body)
			regfree(&rule->body);
		callsync_extract_free(rule->existing_id);
		callsync_extract_free(rule->field);
		callsync_extract_free(rule->code);
		callsync_extract_free(rule->message);
	}
	free(c->rules);
}
