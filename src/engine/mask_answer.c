/*
 * mask_answer.c
 *		Overwrites what a destination repeats of the credentials it was sent.
 *
 * Error messages like to: "the token abc is expired", "cannot POST /hook/abc".
 * They would go into attempts, dead letters and alerts, and with these into every
 * dump. The values are taken from the request itself, so they are those that the
 * answer can repeat, whatever has been renewed meanwhile; they are overwritten
 * before anything reads the answer, so no path to a table can be forgotten.
 */
#include "postgres.h"

#include "core/crypto.h"
#include "core/redact.h"
#include "core/secret_mask.h"
#include "engine/engine_state.h"

#define MAX_VALUES 64
#define MIN_PART 12				/* a shorter word of an address may be an ordinary word */

typedef struct SentSecrets
{
	int			n;
	const char *values[MAX_VALUES];
	size_t		lens[MAX_VALUES];
} SentSecrets;

static void
add(SentSecrets *s, const char *value, size_t len)
{
	char	   *escaped;
	size_t		n = 0;

	if (len == 0 || s->n + 2 > MAX_VALUES)
		return;
	s->values[s->n] = value;
	s->lens[s->n++] = len;
	if (memchr(value, '/', len) == NULL)
		return;
	/* JSON may write "\/" */
	escaped = palloc(2 * len);
	for (size_t i = 0; i < len; i++)
	{
		if (value[i] == '/')
			escaped[n++] = '\\';
		escaped[n++] = value[i];
	}
	s->values[s->n] = escaped;
	s->lens[s->n++] = n;
}

/* "Bearer abc", "Basic dXNlcjpwYXNz", "abc": all of it, what is behind the scheme, what is in it */
static void
add_header(SentSecrets *s, const char *value, bool refused)
{
	const char *token = strrchr(value, ' ');
	uint8	   *pair;
	int64		len;
	const char *colon;

	token = token != NULL ? token + 1 : value;
	add(s, token, strlen(token));
	if (pg_strncasecmp(value, "Basic ", 6) != 0)
		return;
	pair = palloc(strlen(token) * 3 / 4 + 4);
	len = callsync_base64_decode(token, strlen(token), pair);
	if (len <= 0 || (colon = memchr(pair, ':', len)) == NULL)
		return;
	add(s, colon + 1, (const char *) pair + len - colon - 1);

	/* a user's name may be the e-mail address in a record: only errors are about it as a credential */
	if (refused)
		add(s, (const char *) pair, colon - (const char *) pair);
}

/* An address that is a secret: what is behind the host, and its parts. */
static void
add_url(SentSecrets *s, const char *url)
{
	const char *host = strstr(url, "://");
	const char *path;

	host = host != NULL ? host + 3 : url;
	path = host + strcspn(host, "/?#");
	if (*path == '\0')
		return;
	add(s, path, strlen(path));
	while (*path != '\0')
	{
		size_t		len = strcspn(path, "/?&=#");

		if (len >= MIN_PART)
			add(s, path, len);
		path += len;
		path += strspn(path, "/?&=#");
	}
}

void
callsync_mask_answer(CallsyncExchange *x)
{
	CallsyncHttpResponse *response = x->response;
	SentSecrets secrets = {0};
	CallsyncMaskRules rules = {0};

	for (int i = 0; i < x->nheaders; i++)
		if (callsync_redact_is_secret_header(x->headers[i].name))
			add_header(&secrets, x->headers[i].value, response->status >= 400);
	if (x->secret_url)
		add_url(&secrets, x->request.url);
	if (secrets.n == 0)
		return;
	rules.values = secrets.values;
	rules.value_lens = secrets.lens;
	rules.nvalues = secrets.n;

	/* the buffers are ours, const is for those who read */
	if (response->body_len > 0)
		callsync_mask_values(unconstify(char *, response->body), response->body_len, &rules);
	if (response->headers_len > 0)
		callsync_mask_values(unconstify(char *, response->headers), response->headers_len, &rules);
}
