/*
 * webhook_verify.c
 *		What callsync says of a signature, for the vendors' SDKs to be compared with.
 *
 * Reads one JSON object a line: {"kind": preset, "body": base64, "headers": {...}, "url": text or null,
 * "secrets": {key: value}, "now_us": number}; answers each with a line "ok" or the reason. With "sign": true it
 * signs as for a delivery instead ({"id", "timestamp", "body", "secrets"}) and answers with the header.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/header_set.h"
#include "core/preset.h"
#include "core/signature.h"

#define MAX_SECRETS 8

static CallsyncPreset *
load_preset(const char *kind)
{
	char		path[200];
	CallsyncDocError err;
	json_t	   *document;
	CallsyncPreset *preset;

	snprintf(path, sizeof(path), "sql/presets/%s.json", kind);
	document = json_load_file(path, 0, NULL);
	preset = document != NULL ? callsync_preset_parse(document, NULL, &err) : NULL;
	json_decref(document);
	return preset;
}

static const char *
verify(const json_t *line, const uint8_t *body, size_t len)
{
	CallsyncPreset *preset = load_preset(json_string_value(json_object_get(line, "kind")));
	json_t	   *headers = callsync_headers_normalise(json_object_get(line, "headers"));
	CallsyncSecretValue secrets[MAX_SECRETS];
	int			n = 0;
	const char *key;
	json_t	   *value;
	CallsyncSigned request = {(const char *) body, len, headers, json_string_value(json_object_get(line, "url")),
	json_integer_value(json_object_get(line, "now_us"))};
	CallsyncVerdict verdict;

	if (preset == NULL)
		return "no such preset";
	json_object_foreach(json_object_get(line, "secrets"), key, value)
	{
		if (n < MAX_SECRETS)
			secrets[n++] = (CallsyncSecretValue) {key, json_string_value(value), json_string_length(value)};
	}
	verdict = callsync_signature_verify(callsync_preset_schemes(preset), &request, secrets, n, callsync_preset_tolerance_s(preset));
	json_decref(headers);
	callsync_preset_free(preset);
	return verdict == CALLSYNC_SIGNATURE_OK ? "ok" : callsync_signature_verdict_text(verdict);
}

static void
sign(const json_t *line, const uint8_t *body, size_t len)
{
	const char *secrets[MAX_SECRETS];
	size_t		lens[MAX_SECRETS];
	int			n = 0;
	const char *key;
	json_t	   *value;
	char		header[2000];

	json_object_foreach(json_object_get(line, "secrets"), key, value)
	{
		if (n < MAX_SECRETS)
		{
			secrets[n] = json_string_value(value);
			lens[n++] = json_string_length(value);
		}
	}
	if (callsync_webhook_sign(secrets, lens, n, json_string_value(json_object_get(line, "id")),
							  json_integer_value(json_object_get(line, "timestamp")), (const char *) body, len, header, sizeof(header)) == 0)
		puts("could not sign");
	else
		puts(header);
}

int
main(void)
{
	char	   *text = NULL;
	size_t		size = 0;

	while (getline(&text, &size, stdin) > 0)
	{
		json_t	   *line = json_loads(text, 0, NULL);
		const json_t *encoded = json_object_get(line, "body");
		uint8_t    *body = malloc(json_string_length(encoded) + 8);
		int64_t		len = callsync_base64_decode(json_string_value(encoded), json_string_length(encoded), body);

		if (line == NULL || len < 0)
			puts("bad line");
		else if (json_is_true(json_object_get(line, "sign")))
			sign(line, body, (size_t) len);
		else
			puts(verify(line, body, (size_t) len));
		free(body);
		json_decref(line);
	}
	free(text);
	return 0;
}
