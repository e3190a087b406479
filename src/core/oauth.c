/*
 * oauth.c
 *		See oauth.h.
 */
#include "core/oauth.h"

#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/template.h"

#define RENEW_SHARE 0.80
#define JITTER_SHARE 0.05
#define MAX_LIFETIME_S INT64_C(315360000)	/* ten years: more is a mistake */

static void
put(char *out, size_t size, size_t *used, char c)
{
	if (*used + 1 < size)
		out[*used] = c;
	(*used)++;
}

/* application/x-www-form-urlencoded, which is a little more than percent-encoding */
static void
put_encoded(char *out, size_t size, size_t *used, const char *text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (; *text; text++)
	{
		unsigned char c = (unsigned char) *text;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			c == '-' || c == '.' || c == '_' || c == '~')
			put(out, size, used, (char) c);
		else
		{
			put(out, size, used, '%');
			put(out, size, used, digits[c >> 4]);
			put(out, size, used, digits[c & 15]);
		}
	}
}

size_t
callsync_form_append(char *out, size_t size, size_t used, const char *name, const char *value)
{
	if (used > 0)
		put(out, size, &used, '&');
	put_encoded(out, size, &used, name);
	put(out, size, &used, '=');
	put_encoded(out, size, &used, value);
	if (size > 0)
		out[used < size ? used : size - 1] = '\0';
	return used;
}

char *
callsync_jwt_rs256(const char *claims, size_t claims_len, const char *pem, size_t pem_len)
{
	static const char header[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";
	uint8_t		signature[1024];	/* keys up to 8192 bits */
	size_t		signature_len;
	size_t		header_len = sizeof(header) - 1;
	char	   *jwt = malloc(4 * ((header_len + claims_len + sizeof(signature)) / 3 + 4) + 3);
	size_t		len;

	if (jwt == NULL)
		return NULL;
	len = callsync_base64url_encode(header, header_len, jwt);
	jwt[len++] = '.';
	len += callsync_base64url_encode(claims, claims_len, jwt + len);
	signature_len = callsync_rs256_sign(pem, pem_len, jwt, len, signature, sizeof(signature));
	if (signature_len == 0)
	{
		free(jwt);
		return NULL;
	}
	jwt[len++] = '.';
	len += callsync_base64url_encode(signature, signature_len, jwt + len);
	jwt[len] = '\0';
	return jwt;
}

/* A text member by pointer, NULL where it is none or empty. */
static const char *
text_at(const json_t *body, const char *pointer)
{
	const char *text = pointer != NULL ? json_string_value(callsync_json_get(body, pointer)) : NULL;

	return text != NULL && text[0] != '\0' ? text : NULL;
}

/* A number of seconds, which some servers write as text. */
static int64_t
seconds_at(const json_t *body, const char *pointer)
{
	const json_t *value = pointer != NULL ? callsync_json_get(body, pointer) : NULL;
	double		number = 0;

	if (json_is_number(value))
		number = json_number_value(value);
	else if (json_is_string(value))
	{
		char	   *end;

		number = strtod(json_string_value(value), &end);
		if (*end != '\0')
			return 0;
	}
	if (!(number > 0))
		return 0;
	return number > (double) MAX_LIFETIME_S ? MAX_LIFETIME_S : (int64_t) number;
}

void
callsync_token_answer_read(const CallsyncAuth *auth, int status, const json_t *body,
						   const char *base_url_from, CallsyncTokenAnswer *answer)
{
	memset(answer, 0, sizeof(*answer));
	answer->verdict = CALLSYNC_TOKEN_LATER;
	if (!json_is_object(body))
		return;

	answer->access = text_at(body, auth->access_pointer);
	answer->error = text_at(body, auth->error_pointer);
	if (status >= 200 && status < 300 && answer->access != NULL &&
		!(auth->error_on_200 && answer->error != NULL))
	{
		answer->verdict = CALLSYNC_TOKEN_GRANTED;
		answer->refresh = text_at(body, auth->refresh_pointer);
		answer->base_url = text_at(body, base_url_from);
		answer->lifetime_s = seconds_at(body, auth->expires_in_pointer);
		if (answer->lifetime_s == 0)
			answer->lifetime_s = auth->default_lifetime_s;
		answer->error = NULL;
		return;
	}

	answer->access = NULL;
	answer->description = text_at(body, auth->error_description_pointer);

	/* an answer of a server in trouble (5xx, 429) says nothing about the credential */
	if (status >= 500 || status == 429 || answer->error == NULL)
		return;
	for (int i = 0; auth->fatal_errors != NULL && auth->fatal_errors[i] != NULL; i++)
	{
		if (strcmp(auth->fatal_errors[i], answer->error) == 0)
			answer->verdict = CALLSYNC_TOKEN_REFUSED;
	}
}

int64_t
callsync_token_renew_ms(int64_t obtained_ms, int64_t lifetime_ms, int64_t early_ms, double random)
{
	int64_t		after = (int64_t) ((double) lifetime_ms * RENEW_SHARE);

	if (lifetime_ms - early_ms < after && lifetime_ms - early_ms >= lifetime_ms / 2)
		after = lifetime_ms - early_ms;
	after -= (int64_t) ((double) lifetime_ms * JITTER_SHARE * random);
	return obtained_ms + after;
}
