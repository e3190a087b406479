/*
 * signature_scheme.c
 *		Signature schemes as documents: what they may say, and what they protect.
 */
#include "core/signature.h"

#include <stdio.h>
#include <string.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static const char *const default_keys[] = {"signing_secret", "signing_secret_next"};

static const char *
text_of(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : otherwise;
}

bool
callsync_signature_key_allowed(const json_t *scheme, const char *key)
{
	const json_t *keys = json_object_get(json_object_get(scheme, "secret"), "keys");
	size_t		i;
	json_t	   *one;

	for (size_t k = 0; keys == NULL && k < LENGTH(default_keys); k++)
	{
		if (strcmp(default_keys[k], key) == 0)
			return true;
	}
	json_array_foreach((json_t *) keys, i, one)
	{
		if (strcmp(json_string_value(one), key) == 0)
			return true;
	}
	return false;
}

bool
callsync_signature_covers_body(const json_t *scheme)
{
	const char *template = text_of(scheme, "signed", "{body}");

	if (strcmp(text_of(scheme, "kind", "hmac"), "hmac") != 0)
		return false;
	return strstr(template, "{body}") != NULL || strstr(template, "{form}") != NULL ||
		json_object_get(scheme, "body_digest") != NULL;
}

bool
callsync_signature_has_timestamp(const json_t *scheme)
{
	return json_object_get(scheme, "timestamp") != NULL;
}

bool
callsync_signature_uses_key(const json_t *schemes, const char *key)
{
	size_t		i;
	json_t	   *scheme;

	json_array_foreach((json_t *) schemes, i, scheme)
	{
		if (strcmp(text_of(scheme, "kind", "hmac"), "basic") == 0
			? strcmp(key, "username") == 0 || strcmp(key, "password") == 0 : callsync_signature_key_allowed(scheme, key))
			return true;
	}
	return false;
}

static bool
one_of(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		if (strcmp(words[i], text) == 0)
			return true;
	}
	return false;
}

static bool
is_text_list(const json_t *value)
{
	size_t		i;
	json_t	   *item;

	if (!json_is_array(value) || json_array_size(value) == 0)
		return false;
	json_array_foreach((json_t *) value, i, item)
	{
		if (!json_is_string(item) || json_string_length(item) == 0)
			return false;
	}
	return true;
}

static bool
is_prefix_list(const json_t *value)
{
	size_t		i;
	json_t	   *item;

	json_array_foreach((json_t *) value, i, item)
	{
		if (!json_is_string(item))
			return false;
	}
	return json_array_size(value) > 0;
}

static bool
check_signed(const char *template, const char *path, CallsyncDocError *err)
{
	static const char *const words[] = {"body", "timestamp", "method", "url", "form"};

	for (const char *p = strchr(template, '{'); p != NULL; p = strchr(p, '{'))
	{
		const char *close = strchr(p, '}');
		char		word[64];

		if (close == NULL)
			return callsync_doc_error(err, path, "Placeholders look like {body}.", "A placeholder is not closed.");
		snprintf(word, sizeof(word), "%.*s", (int) (close - p - 1), p + 1);
		if (!one_of(word, words, LENGTH(words)) && strncmp(word, "json:/", 6) != 0 &&
			(strncmp(word, "header:", 7) != 0 || word[7] == '\0'))
			return callsync_doc_error(err, path, "Placeholders are {body}, {timestamp}, {method}, {url}, {form}, {header:NAME} and {json:/pointer}.",
									  "Unknown placeholder \"%s\".", word);
		p = close;
	}
	return true;
}

/* One member that must be one of a few words. */
static bool
check_word(const json_t *object, const char *name, const char *const *words, size_t n,
		   const char *path, const char *hint, CallsyncDocError *err)
{
	const json_t *value = json_object_get(object, name);

	if (value == NULL || (json_is_string(value) && one_of(json_string_value(value), words, n)))
		return true;
	return callsync_doc_error(err, path, hint, "The member \"%s\" of a signature scheme has an unknown value.", name);
}

bool
callsync_signature_check_scheme(const json_t *scheme, const char *path, CallsyncDocError *err)
{
	static const char *const members[] = {"name", "kind", "headers", "separator", "prefix", "encoding", "algorithm",
		"signed", "timestamp", "tolerance_s", "secret", "body_digest", "url_forms", "method", "note"};
	static const char *const kinds[] = {"hmac", "token", "basic"};
	static const char *const encodings[] = {"hex", "base64", "auto"};
	static const char *const algorithms[] = {"sha256", "sha1", "sha512"};
	static const char *const units[] = {"s", "ms"};
	static const char *const secret_encodings[] = {"text", "base64", "hex"};
	static const char *const forms[] = {"received", "with_port", "without_port", "decoded"};
	const json_t *prefix = json_object_get(scheme, "prefix");
	const json_t *timestamp = json_object_get(scheme, "timestamp");
	const json_t *secret = json_object_get(scheme, "secret");
	const char *name;
	json_t	   *value;
	size_t		i;

	if (!json_is_object(scheme))
		return callsync_doc_error(err, path, "", "A signature scheme must be an object.");
	json_object_foreach((json_t *) scheme, name, value)
	{
		if (!one_of(name, members, LENGTH(members)))
			return callsync_doc_error(err, path, "Members are name, kind, headers, separator, prefix, encoding, algorithm, signed, timestamp, tolerance_s, secret, body_digest, url_forms and method.",
									  "A signature scheme has no member \"%s\".", name);
	}
	if (!is_text_list(json_object_get(scheme, "headers")))
		return callsync_doc_error(err, path, "For instance \"headers\": [\"X-Signature\"].",
								  "A signature scheme needs \"headers\", a list of header names.");
	if (!check_word(scheme, "kind", kinds, LENGTH(kinds), path, "Kinds are hmac, token and basic.", err) ||
		!check_word(scheme, "encoding", encodings, LENGTH(encodings), path, "Encodings are hex, base64 and auto.", err) ||
		!check_word(scheme, "algorithm", algorithms, LENGTH(algorithms), path, "Algorithms are sha256, sha1 and sha512.", err) ||
		!check_word(timestamp, "unit", units, LENGTH(units), path, "Units are s and ms.", err) ||
		!check_word(secret, "encoding", secret_encodings, LENGTH(secret_encodings), path, "Secrets are text, base64 or hex.", err))
		return false;
	/* an empty prefix in a list stands for "or without" */
	if (prefix != NULL && !json_is_string(prefix) && !is_prefix_list(prefix))
		return callsync_doc_error(err, path, "", "\"prefix\" of a signature scheme must be a text or a list of texts.");
	if (json_object_get(scheme, "separator") != NULL && strlen(text_of(scheme, "separator", "")) != 1)
		return callsync_doc_error(err, path, "", "\"separator\" of a signature scheme must be one character.");
	if (timestamp != NULL && text_of(timestamp, "header", NULL) == NULL && text_of(timestamp, "prefix", NULL) == NULL)
		return callsync_doc_error(err, path, "For instance {\"header\": \"X-Timestamp\"} or {\"prefix\": \"t=\"}.",
								  "\"timestamp\" of a signature scheme must name a header or a prefix.");
	if (json_object_get(secret, "keys") != NULL && !is_text_list(json_object_get(secret, "keys")))
		return callsync_doc_error(err, path, "", "\"secret\".\"keys\" of a signature scheme must be a list of texts.");
	json_array_foreach(json_object_get(scheme, "url_forms"), i, value)
	{
		if (!json_is_string(value) || !one_of(json_string_value(value), forms, LENGTH(forms)))
			return callsync_doc_error(err, path, "URL forms are received, with_port, without_port and decoded.", "A URL form is not known.");
	}
	if (json_object_get(scheme, "tolerance_s") != NULL &&
		(!json_is_integer(json_object_get(scheme, "tolerance_s")) || json_integer_value(json_object_get(scheme, "tolerance_s")) < 0))
		return callsync_doc_error(err, path, "", "\"tolerance_s\" must be a number of seconds.");
	return check_signed(text_of(scheme, "signed", "{body}"), path, err);
}
