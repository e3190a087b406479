/*
 * signature.c
 *		Verification by schemes that are data, see signature.h.
 *
 * Nothing of a scheme is cached: reading its members costs less than one digest.
 */
#include "core/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/crypto.h"
#include "core/header_set.h"
#include "core/signed_text.h"

#define MAX_ITEMS 32			/* signatures in one header: rotation gives two or three */
#define MAX_DIGEST 64
#define DEFAULT_TOLERANCE_S 300

static const char *
text_of(const json_t *object, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL ? text : otherwise;
}

const char *
callsync_signature_verdict_text(CallsyncVerdict verdict)
{
	switch (verdict)
	{
		case CALLSYNC_SIGNATURE_NO_SECRET:
			return "no signing secret is set for the source";
		case CALLSYNC_SIGNATURE_MISSING:
			return "signature missing";
		case CALLSYNC_SIGNATURE_NO_URL:
			return "the signature covers the URL, and ingest() was not told it";
		case CALLSYNC_SIGNATURE_MALFORMED:
			return "signature malformed";
		case CALLSYNC_SIGNATURE_WRONG:
			return "bad signature";
		case CALLSYNC_SIGNATURE_BODY_DIGEST:
			return "bad signature: the body is not the one that the URL was signed with";
		case CALLSYNC_SIGNATURE_TOO_OLD:
			return "out of tolerance: timestamp too old";
		case CALLSYNC_SIGNATURE_TOO_NEW:
			return "out of tolerance: timestamp in the future";
		case CALLSYNC_SIGNATURE_OK:
			break;
	}
	return "";
}

/* --- the parts of a request --- */

static CallsyncSlice
trim(CallsyncSlice s)
{
	while (s.len > 0 && (*s.p == ' ' || *s.p == '\t'))
	{
		s.p++;
		s.len--;
	}
	while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* The items of a header; without separator the whole is one. */
static int
split(const char *header, const char *separator, CallsyncSlice items[MAX_ITEMS])
{
	int			n = 0;
	const char *p = header;

	while (n < MAX_ITEMS)
	{
		const char *stop = separator && *separator ? strchr(p, *separator) : NULL;
		CallsyncSlice		item = trim((CallsyncSlice) {p, stop ? (size_t) (stop - p) : strlen(p)});

		if (item.len > 0)
			items[n++] = item;
		if (stop == NULL)
			break;
		p = stop + 1;
	}
	return n;
}

/* Cuts the prefix off; false where it is another. */
static bool
cut_prefix(CallsyncSlice *item, const char *prefix)
{
	size_t		n = strlen(prefix);

	/* the names of HTTP's own schemes are without case */
	if (item->len < n ||
		(n > 0 && prefix[n - 1] == ' ' ? strncasecmp : strncmp) (item->p, prefix, n) != 0)
		return false;
	item->p += n;
	item->len -= n;
	*item = trim(*item);
	return true;
}

/* Is the item a signature by the scheme's prefixes? Leaves the signature alone in it. */
static bool
signature_item(const json_t *scheme, CallsyncSlice *item)
{
	const json_t *prefix = json_object_get(scheme, "prefix");
	size_t		i;
	json_t	   *one;

	if (prefix == NULL)
		return true;
	if (json_is_string(prefix))
		return cut_prefix(item, json_string_value(prefix));
	json_array_foreach((json_t *) prefix, i, one)
	{
		if (cut_prefix(item, json_string_value(one)))
			return true;
	}
	return false;
}

static const char *
signature_header(const json_t *scheme, const json_t *headers)
{
	size_t		i;
	json_t	   *name;

	json_array_foreach(json_object_get(scheme, "headers"), i, name)
	{
		const char *value = callsync_headers_get(headers, json_string_value(name));

		if (value != NULL)
			return value;
	}
	return NULL;
}

/* The time of sending: its text (as it is signed), and its value. */
static bool
find_timestamp(const json_t *scheme, const json_t *headers, const CallsyncSlice *items, int nitems,
			   CallsyncSlice *text, int64_t *us)
{
	const json_t *spec = json_object_get(scheme, "timestamp");
	const char *name = text_of(spec, "header", NULL);
	const char *prefix = text_of(spec, "prefix", "");
	bool		found = false;
	int64_t		number = 0;

	if (name != NULL)
	{
		const char *value = callsync_headers_get(headers, name);

		if (value == NULL)
			return false;
		*text = trim((CallsyncSlice) {value, strlen(value)});
		found = cut_prefix(text, prefix);
	}
	for (int i = 0; name == NULL && !found && i < nitems; i++)
	{
		*text = items[i];
		found = cut_prefix(text, prefix);
	}
	if (!found || text->len == 0 || text->len > 17)
		return false;
	for (size_t i = 0; i < text->len; i++)
	{
		if (text->p[i] < '0' || text->p[i] > '9')
			return false;
		number = number * 10 + (text->p[i] - '0');
	}
	if (strcmp(text_of(spec, "unit", "s"), "ms") == 0)
	{
		*us = number > INT64_MAX / 1000 ? INT64_MAX : number * 1000;
		return true;
	}
	*us = number > INT64_MAX / 1000000 ? INT64_MAX : number * 1000000;
	return true;
}

/* --- comparing --- */

/*
 * Is the text this digest? Spellings are compared, not what they decode to: a text
 * that was tampered with must not pass because a decoder is lenient.
 */
static bool
spells_digest(CallsyncSlice text, const char *encoding, const uint8_t *digest, size_t len)
{
	char		spelling[2 * MAX_DIGEST + 1];
	size_t		n;
	bool		matched = false;

	if (strcmp(encoding, "base64") != 0)
	{
		callsync_hex(digest, len, spelling);
		matched |= callsync_equal_secret(text.p, text.len, spelling, 2 * len);
		for (char *p = spelling; *p != '\0'; p++)
			*p = *p >= 'a' ? (char) (*p - ('a' - 'A')) : *p;
		matched |= callsync_equal_secret(text.p, text.len, spelling, 2 * len);
	}
	if (strcmp(encoding, "hex") != 0)
	{
		n = callsync_base64_encode(digest, len, spelling);
		matched |= callsync_equal_secret(text.p, text.len, spelling, n);
	}
	if (strcmp(encoding, "auto") == 0)
	{
		n = callsync_base64url_encode(digest, len, spelling);
		matched |= callsync_equal_secret(text.p, text.len, spelling, n);
	}
	return matched;
}

/* The keys for HMAC that a secret may mean: as it stands, and decoded. Returns how many; frees by the caller. */
static int
hmac_keys(const json_t *scheme, const CallsyncSecretValue *secret, CallsyncSlice keys[2], uint8_t **decoded)
{
	const json_t *spec = json_object_get(scheme, "secret");
	const char *prefix = text_of(spec, "prefix", "");
	const char *encoding = text_of(spec, "encoding", "text");
	CallsyncSlice		text = {secret->value, secret->len};
	bool		prefixed = *prefix != '\0' && text.len >= strlen(prefix) && memcmp(text.p, prefix, strlen(prefix)) == 0;
	int			n = 0;

	*decoded = NULL;
	if (prefixed)
	{
		text.p += strlen(prefix);
		text.len -= strlen(prefix);
	}
	if (strcmp(encoding, "base64") == 0 || strcmp(encoding, "hex") == 0)
	{
		int64_t		len;

		*decoded = malloc(text.len + 8);
		if (*decoded == NULL)
			len = -1;
		else if (*encoding == 'b')
			len = callsync_base64_decode(text.p, text.len, *decoded);
		else
			len = callsync_unhex(text.p, text.len, *decoded) ? (int64_t) (text.len / 2) : -1;
		if (len > 0)
			keys[n++] = (CallsyncSlice) {(const char *) *decoded, (size_t) len};
		/* a secret without the mark may be meant as it stands */
		if (prefixed && n > 0)
			return n;
	}
	keys[n++] = text;
	return n;
}

/* Compares each signature with the digest under each secret; all are tried, whatever matches. */
static bool
any_hmac_matches(const json_t *scheme, const CallsyncBuffer *text, const CallsyncSlice *items, int nitems,
				 const CallsyncSecretValue *secrets, int nsecrets)
{
	const char *algorithm = text_of(scheme, "algorithm", "sha256");
	const char *encoding = text_of(scheme, "encoding", "hex");
	bool		matched = false;

	for (int s = 0; s < nsecrets; s++)
	{
		CallsyncSlice		keys[2];
		uint8_t    *decoded;
		int			nkeys;

		if (!callsync_signature_key_allowed(scheme, secrets[s].key) || secrets[s].len == 0)
			continue;
		nkeys = hmac_keys(scheme, &secrets[s], keys, &decoded);
		for (int k = 0; k < nkeys; k++)
		{
			uint8_t		digest[MAX_DIGEST];
			size_t		len = callsync_hmac(algorithm, keys[k].p, keys[k].len, text->data, text->len, digest);

			for (int i = 0; len > 0 && i < nitems; i++)
			{
				CallsyncSlice		item = items[i];

				if (signature_item(scheme, &item))
					matched |= spells_digest(item, encoding, digest, len);
			}
		}
		free(decoded);
	}
	return matched;
}

static bool
any_token_matches(const json_t *scheme, const CallsyncSlice *items, int nitems,
				  const CallsyncSecretValue *secrets, int nsecrets)
{
	bool		matched = false;

	for (int s = 0; s < nsecrets; s++)
	{
		if (!callsync_signature_key_allowed(scheme, secrets[s].key) || secrets[s].len == 0)
			continue;
		for (int i = 0; i < nitems; i++)
		{
			CallsyncSlice		item = items[i];

			if (signature_item(scheme, &item))
				matched |= callsync_equal_secret(item.p, item.len, secrets[s].value, secrets[s].len);
		}
	}
	return matched;
}

static const CallsyncSecretValue *
secret_of_key(const CallsyncSecretValue *secrets, int nsecrets, const char *key)
{
	for (int i = 0; i < nsecrets; i++)
	{
		if (strcmp(secrets[i].key, key) == 0)
			return &secrets[i];
	}
	return NULL;
}

/* Authorization: Basic base64(user:password) */
static CallsyncVerdict
verify_basic(const CallsyncSlice *items, int nitems, const CallsyncSecretValue *secrets, int nsecrets)
{
	const CallsyncSecretValue *user = secret_of_key(secrets, nsecrets, "username");
	const CallsyncSecretValue *password = secret_of_key(secrets, nsecrets, "password");
	CallsyncSlice		item = items[0];
	CallsyncBuffer wanted = {.ok = true};
	uint8_t    *given;
	int64_t		len = -1;
	bool		matched = false;

	if (nitems != 1 || !cut_prefix(&item, "Basic "))
		return CALLSYNC_SIGNATURE_MALFORMED;
	callsync_buffer_append(&wanted, user->value, user->len);
	callsync_buffer_append(&wanted, ":", 1);
	callsync_buffer_append(&wanted, password->value, password->len);
	given = malloc(item.len + 8);
	if (given != NULL)
		len = callsync_base64_decode(item.p, item.len, given);
	if (len >= 0 && wanted.ok)
		matched = callsync_equal_secret(given, (size_t) len, wanted.data, wanted.len);
	free(given);
	free(wanted.data);
	return matched ? CALLSYNC_SIGNATURE_OK : CALLSYNC_SIGNATURE_WRONG;
}

/* Does the URL carry the digest of this body, as the scheme asks? */
static bool
body_digest_matches(const json_t *scheme, const CallsyncSigned *request)
{
	const json_t *spec = json_object_get(scheme, "body_digest");
	const char *name = text_of(spec, "query", "");
	size_t		name_len = strlen(name);
	const char *query = strchr(request->url, '?');
	uint8_t		digest[CALLSYNC_SHA256_LEN];
	uint8_t		given[CALLSYNC_SHA256_LEN];

	while (query != NULL)
	{
		const char *value;

		query++;
		if (strncmp(query, name, name_len) == 0 && query[name_len] == '=')
		{
			value = query + name_len + 1;
			if (strcspn(value, "&#") != CALLSYNC_SHA256_LEN * 2 || !callsync_unhex(value, CALLSYNC_SHA256_LEN * 2, given))
				return false;
			callsync_sha256(request->body, request->body_len, digest);
			return callsync_equal_secret(digest, sizeof(digest), given, sizeof(given));
		}
		query = strchr(query, '&');
	}
	return false;
}

static bool
has_usable_secret(const json_t *scheme, const CallsyncSecretValue *secrets, int nsecrets)
{
	for (int i = 0; i < nsecrets; i++)
	{
		if (secrets[i].len > 0 && callsync_signature_key_allowed(scheme, secrets[i].key))
			return true;
	}
	return false;
}

static bool
hmac_matches(const json_t *scheme, const CallsyncSigned *request, CallsyncSlice timestamp,
			 const CallsyncSlice *items, int nitems, const CallsyncSecretValue *secrets, int nsecrets,
			 bool *malformed)
{
	static const char *const received[] = {"received"};
	const json_t *forms = json_object_get(scheme, "url_forms");
	size_t		nforms = forms ? json_array_size(forms) : 1;
	const char *template = text_of(scheme, "signed", "{body}");
	CallsyncBuffer text = {.ok = true};
	bool		matched = false;

	*malformed = true;
	for (size_t f = 0; f < nforms && !matched; f++)
	{
		const char *form = forms ? json_string_value(json_array_get(forms, f)) : received[f];

		if (!callsync_signed_text(&text, template, scheme, request, timestamp, form))
			continue;
		*malformed = false;
		matched = any_hmac_matches(scheme, &text, items, nitems, secrets, nsecrets);
		if (strstr(template, "{url}") == NULL)
			break;
	}
	free(text.data);
	return matched;
}

static CallsyncVerdict
verify_scheme(const json_t *scheme, const CallsyncSigned *request,
			  const CallsyncSecretValue *secrets, int nsecrets, int64_t tolerance_s)
{
	const char *kind = text_of(scheme, "kind", "hmac");
	const char *header = signature_header(scheme, request->headers);
	bool		timed = callsync_signature_has_timestamp(scheme);
	CallsyncSlice		items[MAX_ITEMS];
	int			nitems;
	CallsyncSlice		timestamp = {"", 0};
	int64_t		sent_us = 0;
	bool		malformed;

	if (strcmp(kind, "basic") == 0
		? secret_of_key(secrets, nsecrets, "username") == NULL || secret_of_key(secrets, nsecrets, "password") == NULL
		: !has_usable_secret(scheme, secrets, nsecrets))
		return CALLSYNC_SIGNATURE_NO_SECRET;
	if (header == NULL)
		return CALLSYNC_SIGNATURE_MISSING;
	nitems = split(header, text_of(scheme, "separator", NULL), items);
	if (nitems == 0)
		return CALLSYNC_SIGNATURE_MISSING;
	if (strcmp(kind, "basic") == 0)
		return verify_basic(items, nitems, secrets, nsecrets);
	if (strcmp(kind, "token") == 0)
		return any_token_matches(scheme, items, nitems, secrets, nsecrets)
			? CALLSYNC_SIGNATURE_OK : CALLSYNC_SIGNATURE_WRONG;

	if (request->url == NULL && (strstr(text_of(scheme, "signed", ""), "{url}") != NULL ||
								 json_object_get(scheme, "body_digest") != NULL))
		return CALLSYNC_SIGNATURE_NO_URL;
	if (timed && !find_timestamp(scheme, request->headers, items, nitems, &timestamp, &sent_us))
		return CALLSYNC_SIGNATURE_MALFORMED;
	if (!hmac_matches(scheme, request, timestamp, items, nitems, secrets, nsecrets, &malformed))
		return malformed ? CALLSYNC_SIGNATURE_MALFORMED : CALLSYNC_SIGNATURE_WRONG;
	if (json_object_get(scheme, "body_digest") != NULL && !body_digest_matches(scheme, request))
		return CALLSYNC_SIGNATURE_BODY_DIGEST;
	if (timed)
	{
		json_t	   *own = json_object_get(scheme, "tolerance_s");

		if (tolerance_s < 0)
			tolerance_s = json_is_integer(own) ? json_integer_value(own) : DEFAULT_TOLERANCE_S;
		if (tolerance_s > INT64_MAX / 4000000)
			tolerance_s = INT64_MAX / 4000000;
		if (request->now_us - tolerance_s * 1000000 > sent_us)
			return CALLSYNC_SIGNATURE_TOO_OLD;
		if (sent_us > INT64_MAX / 2 || sent_us - tolerance_s * 1000000 > request->now_us)
			return CALLSYNC_SIGNATURE_TOO_NEW;
	}
	return CALLSYNC_SIGNATURE_OK;
}

CallsyncVerdict
callsync_signature_verify(const json_t *schemes, const CallsyncSigned *request,
						  const CallsyncSecretValue *secrets, int nsecrets, int64_t tolerance_s)
{
	CallsyncVerdict best = CALLSYNC_SIGNATURE_NO_SECRET;
	size_t		i;
	json_t	   *scheme;

	json_array_foreach((json_t *) schemes, i, scheme)
	{
		CallsyncVerdict verdict = verify_scheme(scheme, request, secrets, nsecrets, tolerance_s);

		if (verdict > best)
			best = verdict;
		if (best == CALLSYNC_SIGNATURE_OK)
			break;
	}
	return best;
}
