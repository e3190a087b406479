/*
 * signature_test.c
 *		The vectors made with the vendors' own libraries are accepted, and each change
 *		to body, header, secret, URL or time is refused.
 */
#include "core/signature.h"

#include <stdlib.h>

#include "core/crypto.h"
#include "core/header_set.h"
#include "unit.h"

#define PAYLOADS "../shared/payloads/"
#define S INT64_C(1000000)

typedef struct Case
{
	const char *kind;			/* of the preset */
	char	   *body;
	size_t		len;
	json_t	   *headers;
	const char *header;			/* the one with the signature */
	const char *url;
	const char *key;
	const char *secret;
	int64_t		now_us;
	int64_t		tolerance_s;	/* 0: the scheme has no timestamp */
	const char *signed_part;	/* NULL: the whole body is covered */
} Case;

static char *
read_file(const char *path, size_t *len)
{
	FILE	   *f = fopen(path, "rb");
	char	   *text;

	if (f == NULL)
		return NULL;
	text = malloc(1 << 20);
	*len = fread(text, 1, (1 << 20) - 1, f);
	text[*len] = '\0';
	fclose(f);
	return text;
}

static json_t *
load_schemes(const char *kind)
{
	char		path[200];
	json_t	   *document;
	json_t	   *schemes;

	snprintf(path, sizeof(path), "sql/presets/%s.json", kind);
	document = json_load_file(path, 0, NULL);
	schemes = json_incref(json_object_get(document, "signature"));
	json_decref(document);
	return schemes;
}

static CallsyncVerdict
verify(const Case *c, const char *body, size_t len, const json_t *headers, const char *url, const char *secret, int64_t now_us)
{
	json_t	   *schemes = load_schemes(c->kind);
	CallsyncSigned request = {body, len, headers, url, now_us};
	CallsyncSecretValue secrets[] = {{c->key, secret, strlen(secret)}};
	CallsyncVerdict verdict = callsync_signature_verify(schemes, &request, secrets, 1, -1);

	json_decref(schemes);
	return verdict;
}

/* Every single change; each must be refused. */
static void
check_case(const Case *c)
{
	char	   *body = malloc(c->len + 1);
	char		text[600];
	size_t		n;
	int			accepted = 0;
	json_t	   *headers;

	CHECK(verify(c, c->body, c->len, c->headers, c->url, c->secret, c->now_us) == CALLSYNC_SIGNATURE_OK);

	/* body: each byte flipped, one added, one taken away */
	for (size_t i = 0; i < c->len; i++)
	{
		memcpy(body, c->body, c->len);
		body[i] ^= 1;
		if (c->signed_part != NULL && (strstr(c->body, c->signed_part) == NULL || c->body + i < strstr(c->body, c->signed_part) ||
									   c->body + i >= strstr(c->body, c->signed_part) + strlen(c->signed_part)))
			continue;
		accepted += verify(c, body, c->len, c->headers, c->url, c->secret, c->now_us) == CALLSYNC_SIGNATURE_OK;
	}
	if (c->signed_part == NULL)
	{
		memcpy(body, c->body, c->len);
		body[c->len] = ' ';
		accepted += verify(c, body, c->len + 1, c->headers, c->url, c->secret, c->now_us) == CALLSYNC_SIGNATURE_OK;
		accepted += verify(c, c->body, c->len - 1, c->headers, c->url, c->secret, c->now_us) == CALLSYNC_SIGNATURE_OK;
	}
	if (!CHECK(accepted == 0))
		fprintf(stderr, "    %s: %d changed bodies accepted\n", c->kind, accepted);

	/* header: each character changed, one added, one taken away, none */
	accepted = 0;
	snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(c->headers, c->header)));
	n = strlen(text);
	for (size_t i = 0; i < n; i++)
	{
		char		kept = text[i];

		headers = json_deep_copy(c->headers);
		text[i] = kept == 'A' ? 'B' : 'A';
		json_object_set_new(headers, c->header, json_string(text));
		accepted += verify(c, c->body, c->len, headers, c->url, c->secret, c->now_us) == CALLSYNC_SIGNATURE_OK;
		text[i] = kept;
		json_decref(headers);
	}
	headers = json_deep_copy(c->headers);
	json_object_set_new(headers, c->header, json_sprintf("%s0", text));
	accepted += verify(c, c->body, c->len, headers, c->url, c->secret, c->now_us) == CALLSYNC_SIGNATURE_OK;
	json_object_set_new(headers, c->header, json_stringn(text, n - 1));
	accepted += verify(c, c->body, c->len, headers, c->url, c->secret, c->now_us) == CALLSYNC_SIGNATURE_OK;
	json_object_set_new(headers, c->header, json_string(""));
	accepted += verify(c, c->body, c->len, headers, c->url, c->secret, c->now_us) == CALLSYNC_SIGNATURE_OK;
	json_object_del(headers, c->header);
	CHECK(verify(c, c->body, c->len, headers, c->url, c->secret, c->now_us) == CALLSYNC_SIGNATURE_MISSING);
	json_decref(headers);
	if (!CHECK(accepted == 0))
		fprintf(stderr, "    %s: %d changed headers accepted\n", c->kind, accepted);

	/* secret: each character changed, cut, lengthened, empty */
	accepted = 0;
	snprintf(text, sizeof(text), "%s", c->secret);
	for (size_t i = 0; text[i] != '\0'; i++)
	{
		char		kept = text[i];

		text[i] = kept == 'x' ? 'y' : 'x';
		accepted += verify(c, c->body, c->len, c->headers, c->url, text, c->now_us) == CALLSYNC_SIGNATURE_OK;
		text[i] = kept;
	}
	CHECK(verify(c, c->body, c->len, c->headers, c->url, "", c->now_us) == CALLSYNC_SIGNATURE_NO_SECRET);
	if (!CHECK(accepted == 0))
		fprintf(stderr, "    %s: %d changed secrets accepted\n", c->kind, accepted);

	/* time: to the second */
	if (c->tolerance_s > 0)
	{
		CHECK(verify(c, c->body, c->len, c->headers, c->url, c->secret, c->now_us + c->tolerance_s * S) == CALLSYNC_SIGNATURE_OK);
		CHECK(verify(c, c->body, c->len, c->headers, c->url, c->secret, c->now_us - c->tolerance_s * S) == CALLSYNC_SIGNATURE_OK);
		CHECK(verify(c, c->body, c->len, c->headers, c->url, c->secret, c->now_us + c->tolerance_s * S + 1) == CALLSYNC_SIGNATURE_TOO_OLD);
		CHECK(verify(c, c->body, c->len, c->headers, c->url, c->secret, c->now_us - c->tolerance_s * S - 1) == CALLSYNC_SIGNATURE_TOO_NEW);
	}
	if (c->url != NULL)
	{
		CHECK(verify(c, c->body, c->len, c->headers, NULL, c->secret, c->now_us) == CALLSYNC_SIGNATURE_NO_URL);
		CHECK(verify(c, c->body, c->len, c->headers, "https://elsewhere.example.invalid/hooks/twilio", c->secret, c->now_us) == CALLSYNC_SIGNATURE_WRONG);
	}
	free(body);
}

static json_t *
one_header(const char *name, const char *value)
{
	json_t	   *sent = json_pack("{s:s}", name, value);
	json_t	   *headers = callsync_headers_normalise(sent);

	json_decref(sent);
	return headers;
}

static const char *
member(const json_t *vector, const char *name)
{
	return json_string_value(json_object_get(vector, name));
}

static void
test_vectors(void)
{
	json_t	   *vectors = json_load_file(PAYLOADS "signature-vectors.json", 0, NULL);
	static const struct
	{
		const char *name;
		const char *header;		/* in lower case */
		int64_t		tolerance_s;
		const char *signed_part;
		bool		compact;
	}			plain[] = {
		{"retell", "x-retell-signature", 300, NULL, false},
		{"elevenlabs", "elevenlabs-signature", 1800, NULL, false},
		{"bland", "x-webhook-signature", 0, NULL, true},
		{"synthflow", "http_synthflow_signature", 0, "00000000-0000-4000-8000-000000000007", false},
		{"twilio", "x-twilio-signature", 0, NULL, false},
	};
	json_t	   *vector;

	if (vectors == NULL)
	{
		fprintf(stderr, "signature: SKIPPED the vendors' vectors: no " PAYLOADS "signature-vectors.json\n");
		return;
	}
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
	{
		char		path[200];
		Case		c = {0};

		vector = json_object_get(vectors, plain[i].name);
		snprintf(path, sizeof(path), PAYLOADS "%.*s", (int) strcspn(member(vector, "file"), " "), member(vector, "file"));
		c.kind = plain[i].name;
		c.body = read_file(path, &c.len);
		if (!CHECK(c.body != NULL))
			continue;
		if (plain[i].compact)
		{
			json_t	   *json = json_loads(c.body, 0, NULL);

			free(c.body);
			c.body = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
			c.len = strlen(c.body);
			json_decref(json);
		}
		c.header = plain[i].header;
		c.headers = one_header(member(vector, "header"), member(vector, "value"));
		c.url = member(vector, "url");
		c.key = "signing_secret";
		c.secret = member(vector, "secret");
		c.now_us = INT64_C(1795197800) * S;
		c.tolerance_s = plain[i].tolerance_s;
		c.signed_part = plain[i].signed_part;
		/* the vector was made over the file without its last line feed, or with: whichever it was */
		if (verify(&c, c.body, c.len, c.headers, c.url, c.secret, c.now_us) != CALLSYNC_SIGNATURE_OK && c.body[c.len - 1] == '\n')
			c.body[--c.len] = '\0';
		check_case(&c);
		free(c.body);
		json_decref(c.headers);
	}

	vector = json_object_get(vectors, "twilio_json");
	{
		Case		c = {"twilio", strdup(member(vector, "body")), strlen(member(vector, "body")),
			one_header("X-Twilio-Signature", member(vector, "value")), "x-twilio-signature", member(vector, "url"),
		"signing_secret", "twilio_token", INT64_C(1795197800) * S, 0, NULL};

		check_case(&c);
		CHECK(verify(&c, "{\"a\":2}", 7, c.headers, c.url, c.secret, c.now_us) == CALLSYNC_SIGNATURE_BODY_DIGEST);
		free(c.body);
		json_decref(c.headers);
	}

	vector = json_object_get(vectors, "standardwebhooks");
	{
		json_t	   *sent = json_pack("{s:s, s:I, s:s}", "Webhook-Id", member(vector, "webhook-id"),
									 "Webhook-Timestamp", json_integer_value(json_object_get(vector, "webhook-timestamp")),
									 "Webhook-Signature", member(vector, "webhook-signature"));
		Case		c = {"standard_webhooks", strdup(member(vector, "body")), strlen(member(vector, "body")),
			callsync_headers_normalise(sent), "webhook-signature", NULL, "signing_secret", member(vector, "secret"),
		INT64_C(1795197800) * S, 300, NULL};
		json_t	   *changed = json_deep_copy(c.headers);

		check_case(&c);
		/* id and time are covered too */
		json_object_set_new(changed, "webhook-id", json_string("msg_2"));
		CHECK(verify(&c, c.body, c.len, changed, NULL, c.secret, c.now_us) == CALLSYNC_SIGNATURE_WRONG);
		json_object_del(changed, "webhook-id");
		CHECK(verify(&c, c.body, c.len, changed, NULL, c.secret, c.now_us) == CALLSYNC_SIGNATURE_MALFORMED);
		json_object_set_new(changed, "webhook-id", json_string("msg_1"));
		json_object_set_new(changed, "webhook-timestamp", json_string("1795197801"));
		CHECK(verify(&c, c.body, c.len, changed, NULL, c.secret, c.now_us) == CALLSYNC_SIGNATURE_WRONG);
		/* more signatures beside ours: of another version, of another key */
		json_object_set_new(changed, "webhook-timestamp", json_string("1795197800"));
		json_object_set_new(changed, "webhook-signature",
							json_sprintf("v1a,abc v1,AAAA %s", member(vector, "webhook-signature")));
		CHECK(verify(&c, c.body, c.len, changed, NULL, c.secret, c.now_us) == CALLSYNC_SIGNATURE_OK);
		free(c.body);
		json_decref(sent);
		json_decref(changed);
		json_decref(c.headers);
	}

	vector = json_object_get(vectors, "vapi");
	{
		size_t		len;
		char	   *body = read_file(PAYLOADS "vapi.end-of-call-report.json", &len);
		json_t	   *headers = one_header("x-vapi-secret", member(vector, "value"));
		Case		c = {"vapi", body, len, headers, "x-vapi-secret", NULL, "signing_secret", member(vector, "value"), 0, 0, ""};

		/* the secret itself proves the sender, not the body */
		CHECK(verify(&c, body, len, headers, NULL, "vapi_test", 0) == CALLSYNC_SIGNATURE_OK);
		CHECK(verify(&c, body, len, headers, NULL, "vapi_tesu", 0) == CALLSYNC_SIGNATURE_WRONG);
		json_decref(headers);
		headers = one_header("Authorization", "bearer vapi_test");
		CHECK(verify(&c, body, len, headers, NULL, "vapi_test", 0) == CALLSYNC_SIGNATURE_OK);
		json_decref(headers);
		headers = one_header("Authorization", "Bearer vapi_test2");
		CHECK(verify(&c, body, len, headers, NULL, "vapi_test", 0) == CALLSYNC_SIGNATURE_WRONG);
		json_decref(headers);
		c.headers = one_header("X-Vapi-Signature", member(vector, "hmac_sha256_hex_rawbody"));
		c.header = "x-vapi-signature";
		c.signed_part = NULL;
		if (verify(&c, body, len, c.headers, NULL, "vapi_test", 0) != CALLSYNC_SIGNATURE_OK && body[len - 1] == '\n')
			c.len--;
		check_case(&c);
		json_decref(c.headers);
		free(body);
	}
	json_decref(vectors);
}

/* Schemes that have no vector there, made here. */
static void
test_made(void)
{
	static const char body[] = "{\"call_id\":\"a\"}";
	static const char url[] = "https://x.example.invalid/h?a=1%2F2%20z";
	json_t	   *schemes = load_schemes("generic");
	uint8_t		digest[64];
	char		text[400];
	char		encoded[200];
	json_t	   *sent;
	json_t	   *headers;
	CallsyncSigned request = {body, sizeof(body) - 1, NULL, url, INT64_C(1795197800000000)};
	CallsyncSecretValue secrets[] = {
		{"signing_secret", "old-secret", 10}, {"signing_secret_next", "new-secret", 10}, {"username", "ann", 3}, {"password", "pw:d", 4}
	};

	/* HubSpot v3, as sent and with %2F read, under the next secret of a rotation */
	for (int decoded = 0; decoded < 2; decoded++)
	{
		snprintf(text, sizeof(text), "POST%s%s%s", decoded ? "https://x.example.invalid/h?a=1/2%20z" : url, body, "1795197800123");
		callsync_hmac("sha256", "new-secret", 10, text, strlen(text), digest);
		callsync_base64_encode(digest, 32, encoded);
		sent = json_pack("{s:s, s:s}", "X-HubSpot-Signature-v3", encoded, "X-HubSpot-Request-Timestamp", "1795197800123");
		headers = callsync_headers_normalise(sent);
		request.headers = headers;
		CHECK(callsync_signature_verify(schemes, &request, secrets, 2, -1) == CALLSYNC_SIGNATURE_OK);
		CHECK(callsync_signature_verify(schemes, &request, secrets, 1, -1) == CALLSYNC_SIGNATURE_WRONG);
		CHECK(callsync_signature_verify(schemes, &request, secrets, 2, 0) == CALLSYNC_SIGNATURE_TOO_NEW);
		request.url = NULL;
		CHECK(callsync_signature_verify(schemes, &request, secrets, 2, -1) == CALLSYNC_SIGNATURE_NO_URL);
		request.url = url;
		json_decref(sent);
		json_decref(headers);
	}

	/* hex in either case and base64, with and without the algorithm's name, CGI spelling of the header */
	callsync_hmac("sha256", "old-secret", 10, body, sizeof(body) - 1, digest);
	for (int variant = 0; variant < 6; variant++)
	{
		if (variant == 2)
			callsync_base64_encode(digest, 32, encoded);
		else if (variant == 3)
			callsync_base64url_encode(digest, 32, encoded);
		else
			callsync_hex(digest, 32, encoded);
		if (variant == 5)
			for (char *p = encoded; *p; p++)
				*p = *p >= 'a' ? (char) (*p - 32) : *p;
		snprintf(text, sizeof(text), "%s%s", variant == 1 ? "sha256=" : "", encoded);
		headers = one_header(variant == 4 ? "HTTP_X_SIGNATURE" : "X-Signature", text);
		request.headers = headers;
		CHECK(callsync_signature_verify(schemes, &request, secrets, 2, -1) == CALLSYNC_SIGNATURE_OK);
		json_decref(headers);
	}

	/* t=...,v1=... */
	snprintf(text, sizeof(text), "1795197800.%s", body);
	callsync_hmac("sha256", "new-secret", 10, text, strlen(text), digest);
	callsync_hex(digest, 32, encoded);
	snprintf(text, sizeof(text), "t=1795197800, v1=%s", encoded);
	headers = one_header("Webhook-Signature", text);
	request.headers = headers;
	CHECK(callsync_signature_verify(schemes, &request, secrets, 2, -1) == CALLSYNC_SIGNATURE_OK);
	request.now_us += 301 * S;
	CHECK(callsync_signature_verify(schemes, &request, secrets, 2, -1) == CALLSYNC_SIGNATURE_TOO_OLD);
	request.now_us -= 301 * S;
	json_decref(headers);

	/* user name and password */
	callsync_base64_encode("ann:pw:d", 8, encoded);
	snprintf(text, sizeof(text), "Basic %s", encoded);
	headers = one_header("authorization", text);
	request.headers = headers;
	CHECK(callsync_signature_verify(schemes, &request, secrets, 4, -1) == CALLSYNC_SIGNATURE_OK);
	secrets[3].value = "pw:e";
	CHECK(callsync_signature_verify(schemes, &request, secrets, 4, -1) == CALLSYNC_SIGNATURE_WRONG);
	json_decref(headers);

	/* times that no number of seconds can be */
	for (int i = 0; i < 4; i++)
	{
		static const char *const times[] = {"", "-1", "99999999999999999", "17951978x0"};

		sent = json_pack("{s:s, s:s, s:s}", "webhook-id", "m", "webhook-timestamp", times[i], "webhook-signature", "v1,AAAA");
		headers = callsync_headers_normalise(sent);
		request.headers = headers;
		CHECK(callsync_signature_verify(schemes, &request, secrets, 2, -1) < CALLSYNC_SIGNATURE_OK);
		json_decref(sent);
		json_decref(headers);
	}
	json_decref(schemes);
}

/* Schemes as people write them into the option "signature": every algorithm, encoding, place of the time and spelling of the key. */
static void
test_own_schemes(void)
{
	static const char body[] = "{\"call_id\":\"a\"}";
	static const struct
	{
		const char *scheme;
		const char *secret;
		const char *key;		/* what the sender signs with */
		int			key_len;
		const char *algorithm;
		const char *text;		/* what is signed */
		const char *encoding;	/* hex, HEX, base64, url */
		const char *header;		/* %s: the signature */
		const char *more_name;
		const char *more_value;
		CallsyncVerdict want;
	}			cases[] = {
		{"{\"headers\":[\"X-Own\"]}", "s3cret-1", "s3cret-1", 8, "sha256", body, "hex", "%s", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"]}", "s3cret-1", "s3cret-1", 8, "sha256", body, "HEX", " %s ", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"]}", "s3cret-1", "s3cret-1", 8, "sha256", body, "base64", "%s", NULL, NULL, CALLSYNC_SIGNATURE_WRONG},
		{"{\"headers\":[\"X-Own\"],\"encoding\":\"base64\"}", "s3cret-1", "s3cret-1", 8, "sha256", body, "base64", "%s", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"encoding\":\"base64\"}", "s3cret-1", "s3cret-1", 8, "sha256", body, "hex", "%s", NULL, NULL, CALLSYNC_SIGNATURE_WRONG},
		{"{\"headers\":[\"X-Own\"],\"encoding\":\"auto\"}", "s3cret-1", "s3cret-1", 8, "sha256", body, "url", "%s", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"algorithm\":\"sha512\",\"encoding\":\"base64\"}", "s3cret-1", "s3cret-1", 8, "sha512", body, "base64", "%s", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"algorithm\":\"sha512\"}", "s3cret-1", "s3cret-1", 8, "sha256", body, "hex", "%s", NULL, NULL, CALLSYNC_SIGNATURE_WRONG},
		{"{\"headers\":[\"X-Own\"],\"algorithm\":\"sha1\",\"prefix\":\"sha1=\"}", "s3cret-1", "s3cret-1", 8, "sha1", body, "hex", "sha1=%s", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"prefix\":\"sha256=\"}", "s3cret-1", "s3cret-1", 8, "sha256", body, "hex", "%s", NULL, NULL, CALLSYNC_SIGNATURE_WRONG},
		/* the first of several headers that is there */
		{"{\"headers\":[\"X-Absent\",\"x_own\"]}", "s3cret-1", "s3cret-1", 8, "sha256", body, "hex", "%s", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		/* the time in a header of its own, in seconds or milliseconds, and no other */
		{"{\"headers\":[\"X-Own\"],\"signed\":\"{timestamp}.{body}\",\"timestamp\":{\"header\":\"X-Time\"}}", "s3cret-1", "s3cret-1", 8, "sha256",
		"1795197800.{\"call_id\":\"a\"}", "hex", "%s", "X-Time", "1795197800", CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"signed\":\"{timestamp}.{body}\",\"timestamp\":{\"header\":\"X-Time\",\"unit\":\"ms\"}}", "s3cret-1", "s3cret-1", 8, "sha256",
		"1795197800000.{\"call_id\":\"a\"}", "hex", "%s", "X-Time", "1795197800000", CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"signed\":\"{timestamp}.{body}\",\"timestamp\":{\"header\":\"X-Time\"}}", "s3cret-1", "s3cret-1", 8, "sha256",
		"1795197800000.{\"call_id\":\"a\"}", "hex", "%s", "X-Time", "1795197800000", CALLSYNC_SIGNATURE_TOO_NEW},
		{"{\"headers\":[\"X-Own\"],\"signed\":\"{timestamp}.{body}\",\"timestamp\":{\"header\":\"X-Time\",\"unit\":\"ms\"}}", "s3cret-1", "s3cret-1", 8, "sha256",
		"1795197800.{\"call_id\":\"a\"}", "hex", "%s", "X-Time", "1795197800", CALLSYNC_SIGNATURE_TOO_OLD},
		{"{\"headers\":[\"X-Own\"],\"signed\":\"{timestamp}.{body}\",\"timestamp\":{\"header\":\"X-Time\"}}", "s3cret-1", "s3cret-1", 8, "sha256",
		"1795197800.{\"call_id\":\"a\"}", "hex", "%s", NULL, NULL, CALLSYNC_SIGNATURE_MALFORMED},
		/* another header is covered, too */
		{"{\"headers\":[\"X-Own\"],\"signed\":\"{method} {header:X-Id} {body}\",\"method\":\"PUT\"}", "s3cret-1", "s3cret-1", 8, "sha256",
		"PUT id-7 {\"call_id\":\"a\"}", "hex", "%s", "x-ID", "id-7", CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"signed\":\"{header:X-Id}{body}\"}", "s3cret-1", "s3cret-1", 8, "sha256", "id-7{\"call_id\":\"a\"}", "hex", "%s", "X-Id", "id-8", CALLSYNC_SIGNATURE_WRONG},
		/* keys that are written in another way; one that is not is taken as it stands */
		{"{\"headers\":[\"X-Own\"],\"secret\":{\"encoding\":\"hex\"}}", "00FF10aa", "\x00\xff\x10\xaa", 4, "sha256", body, "hex", "%s", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"secret\":{\"encoding\":\"base64\"}}", "AP8Qqg==", "\x00\xff\x10\xaa", 4, "sha256", body, "hex", "%s", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"secret\":{\"encoding\":\"hex\"}}", "no hex at all", "no hex at all", 13, "sha256", body, "hex", "%s", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"secret\":{\"prefix\":\"key_\"}}", "key_abc", "abc", 3, "sha256", body, "hex", "%s", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"secret\":{\"keys\":[\"api_key\"]}}", "s3cret-1", "s3cret-1", 8, "sha256", body, "hex", "%s", NULL, NULL, CALLSYNC_SIGNATURE_NO_SECRET},
		/* several signatures: any may be ours, wherever it stands */
		{"{\"headers\":[\"X-Own\"],\"separator\":\",\",\"prefix\":\"v1=\"}", "s3cret-1", "s3cret-1", 8, "sha256", body, "hex", "v0=1, v1=abcd,v1=%s", NULL, NULL, CALLSYNC_SIGNATURE_OK},
		{"{\"headers\":[\"X-Own\"],\"separator\":\",\",\"prefix\":\"v1=\"}", "s3cret-1", "s3cret-1", 8, "sha256", body, "hex", "v2=%s,v1=abcd", NULL, NULL, CALLSYNC_SIGNATURE_WRONG},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		json_t	   *scheme = json_loads(cases[i].scheme, 0, NULL);
		json_t	   *schemes = json_array();
		CallsyncDocError err;
		uint8_t		digest[64];
		size_t		n = callsync_hmac(cases[i].algorithm, cases[i].key, (size_t) cases[i].key_len, cases[i].text, strlen(cases[i].text), digest);
		char		encoded[200];
		char		value[300];
		json_t	   *sent = json_object();
		json_t	   *headers;
		CallsyncSigned request = {body, sizeof(body) - 1, NULL, NULL, INT64_C(1795197800000000)};
		CallsyncSecretValue secret = {"signing_secret", cases[i].secret, strlen(cases[i].secret)};

		CHECK(callsync_signature_check_scheme(scheme, "/signature", &err));
		json_array_append_new(schemes, scheme);
		if (strcmp(cases[i].encoding, "base64") == 0)
			callsync_base64_encode(digest, n, encoded);
		else if (strcmp(cases[i].encoding, "url") == 0)
			callsync_base64url_encode(digest, n, encoded);
		else
			callsync_hex(digest, n, encoded);
		for (char *p = encoded; strcmp(cases[i].encoding, "HEX") == 0 && *p; p++)
			*p = *p >= 'a' ? (char) (*p - 32) : *p;
		snprintf(value, sizeof(value), cases[i].header, encoded);
		json_object_set_new(sent, "x-OWN", json_string(value));
		if (cases[i].more_name != NULL)
			json_object_set_new(sent, cases[i].more_name, json_string(cases[i].more_value));
		headers = callsync_headers_normalise(sent);
		request.headers = headers;
		if (!CHECK(callsync_signature_verify(schemes, &request, &secret, 1, -1) == cases[i].want))
			fprintf(stderr, "    case %zu: %s\n", i, cases[i].scheme);
		json_decref(schemes);
		json_decref(sent);
		json_decref(headers);
	}
	for (int i = 0; i < 2; i++)
	{
		static const char *const bad[] = {"{\"headers\":[\"X\"],\"secret\":{\"encoding\":\"rot13\"}}", "{\"headers\":[\"X\"],\"timestamp\":{\"header\":\"X\",\"unit\":\"min\"}}"};
		json_t	   *scheme = json_loads(bad[i], 0, NULL);
		CallsyncDocError err;

		CHECK(!callsync_signature_check_scheme(scheme, "/signature", &err));
		json_decref(scheme);
	}
}

/* The URL with and without its port, as behind a proxy. */
static void
test_url_forms(void)
{
	static const char *const urls[] = {"https://h.example.invalid/p?q=1", "https://h.example.invalid:443/p?q=1", "https://h.example.invalid:8443/p?q=1"};
	json_t	   *schemes = load_schemes("twilio");
	CallsyncSecretValue secret = {"signing_secret", "token", 5};

	for (int as_signed = 0; as_signed < 3; as_signed++)
	{
		char		text[200];
		uint8_t		digest[64];
		char		encoded[100];
		json_t	   *headers;

		snprintf(text, sizeof(text), "%sCallSidCA1Tx yTz", urls[as_signed]);
		callsync_hmac("sha1", "token", 5, text, strlen(text), digest);
		callsync_base64_encode(digest, 20, encoded);
		headers = one_header("X-Twilio-Signature", encoded);
		for (int given = 0; given < 3; given++)
		{
			/* values of one name: once each, sorted */
			CallsyncSigned request = {"T=z&CallSid=CA1&T=x+y&T=z", 25, headers, urls[given], 0};
			CallsyncVerdict verdict = callsync_signature_verify(schemes, &request, &secret, 1, -1);

			/* another port than the standard one is only taken away */
			CHECK((verdict == CALLSYNC_SIGNATURE_OK) == (as_signed == given || as_signed == 0 || (as_signed == 1 && given == 0)));
		}
		json_decref(headers);
	}
	json_decref(schemes);
}

int
main(void)
{
	test_vectors();
	test_made();
	test_own_schemes();
	test_url_forms();
	return unit_done("signature");
}
