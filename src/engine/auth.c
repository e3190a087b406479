/*
 * auth.c
 *		The credential of a destination, added to a rendered request.
 *
 * What is added here is in memory only: attempt rows are written from headers of which
 * every secret one is masked. Plaintext lives in memory that is overwritten when it
 * is given up. It is read again when the destination's generation moves, which
 * set_secret() does.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/crypto.h"
#include "core/redact.h"
#include "engine/engine_state.h"
#include "engine/token.h"
#include "pg/clock.h"
#include "pg/json.h"
#include "pg/keyring.h"
#include "store/secret.h"

#define MAX_SIGNING_SECRETS 2

struct CallsyncCredential
{
	MemoryContext mcxt;
	int			generation;
	const CallsyncAuth *auth;	/* of that generation's connector */
	const char *header;			/* "Authorization: Bearer ...", name and value */
	char	   *value;
	char	   *url;			/* the URL itself is the secret */
	bool		oauth;
	int			nsigning;
	const char *signing[MAX_SIGNING_SECRETS];
	size_t		signing_len[MAX_SIGNING_SECRETS];
	char		missing[64];	/* key that set_secret() has to be given; "" = none */
};

static bool
have_key(void *arg, const char *key)
{
	return callsync_secret_exists(((CallsyncDestination *) arg)->name, key);
}

static char *
get(struct CallsyncCredential *c, const CallsyncDestination *d, const char *key)
{
	char	   *value = callsync_secret_get(d->name, key, c->mcxt);

	if (value == NULL && c->missing[0] == '\0')
		strlcpy(c->missing, key, sizeof(c->missing));
	return value;
}

/* "scheme token", or the bare token */
static void
set_token(struct CallsyncCredential *c, const char *scheme, const char *token)
{
	size_t		size;

	if (token == NULL)
		return;
	if (scheme == NULL)
		scheme = "";
	size = strlen(scheme) + strlen(token) + 2;
	c->value = callsync_alloc_secret(c->mcxt, size);
	snprintf(c->value, size, "%s%s%s", scheme, scheme[0] ? " " : "", token);
}

static void
set_basic(struct CallsyncCredential *c, const char *user, const char *password)
{
	char	   *pair;
	size_t		len;

	if (user == NULL || password == NULL)
		return;
	len = strlen(user) + strlen(password) + 1;
	pair = callsync_alloc_secret(c->mcxt, len + 1);
	snprintf(pair, len + 1, "%s:%s", user, password);
	c->value = callsync_alloc_secret(c->mcxt, 6 + 4 * ((len + 2) / 3) + 1);
	memcpy(c->value, "Basic ", 6);
	callsync_base64_encode(pair, len, c->value + 6);
}

static void
read_credential(struct CallsyncCredential *c, CallsyncDestination *d)
{
	const CallsyncAuth *auth = callsync_connector_auth(d->connector, have_key, d);

	c->auth = auth;
	if (auth == NULL)
		return;
	c->header = auth->header;
	switch (auth->kind)
	{
		case CALLSYNC_AUTH_NONE:
			break;
		case CALLSYNC_AUTH_STATIC_BEARER:
			set_token(c, auth->scheme, get(c, d, auth->secret_keys[0]));
			break;
		case CALLSYNC_AUTH_HEADER:
			set_token(c, auth->scheme, get(c, d, auth->secret_keys[0]));
			break;
		case CALLSYNC_AUTH_BASIC:
			c->header = "Authorization";
			set_basic(c, get(c, d, "username"), get(c, d, "password"));
			break;
		case CALLSYNC_AUTH_OAUTH2_REFRESH:
		case CALLSYNC_AUTH_OAUTH2_CLIENT_CREDENTIALS:
		case CALLSYNC_AUTH_OAUTH2_JWT_BEARER:
			c->oauth = true;	/* the token itself is token.c's */
			break;
		case CALLSYNC_AUTH_URL_SECRET:
			c->url = get(c, d, "url_secret");
			break;
		case CALLSYNC_AUTH_SIGNATURE:
			{
				char	   *secret = get(c, d, "signing_secret");
				char	   *next = callsync_secret_get(d->name, "signing_secret_next", c->mcxt);

				if (secret != NULL)
				{
					c->signing[c->nsigning] = secret;
					c->signing_len[c->nsigning++] = strlen(secret);
				}
				if (next != NULL)
				{
					c->signing[c->nsigning] = next;
					c->signing_len[c->nsigning++] = strlen(next);
				}
				break;
			}
	}
}

static struct CallsyncCredential *
credential(CallsyncEngineDest *dest)
{
	struct CallsyncCredential *c = dest->credential;
	MemoryContext mcxt;

	if (c != NULL && c->generation == dest->d->generation)
		return c;
	mcxt = AllocSetContextCreate(TopMemoryContext, "callsync credential", ALLOCSET_SMALL_SIZES);
	PG_TRY();
	{
		c = MemoryContextAllocZero(mcxt, sizeof(*c));
		c->mcxt = mcxt;
		c->generation = dest->d->generation;
		read_credential(c, dest->d);
	}
	PG_CATCH();
	{
		MemoryContextDelete(mcxt);
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (dest->credential != NULL)
		MemoryContextDelete(dest->credential->mcxt);
	dest->credential = c;
	return c;
}

const char *
callsync_auth_url(CallsyncEngineDest *dest, bool *secret)
{
	struct CallsyncCredential *c = credential(dest);
	CallsyncTokenView view;

	*secret = c->url != NULL;
	if (c->url != NULL || !c->oauth)
		return c->url;
	callsync_token_view(dest->d->name, &view);
	return view.state == CALLSYNC_TOKEN_READY ? view.base_url : NULL;
}

bool
callsync_auth_ready(CallsyncEngineDest *dest, int64 *wait_until_ms)
{
	CallsyncTokenView view;

	callsync_token_view(dest->d->name, &view);
	if (view.state != CALLSYNC_TOKEN_WAIT && view.state != CALLSYNC_TOKEN_DEAD)
		return true;
	*wait_until_ms = view.again_at != 0 ? callsync_engine_ms(view.again_at) : callsync_engine_now_ms() + 1000;
	return false;
}

bool
callsync_auth_refused(CallsyncEngineDest *dest, const CallsyncExchange *x)
{
	CallsyncTokenView view;

	if (x->token_version == 0)
		return false;
	callsync_token_refused(dest->d->name, x->token_version);
	callsync_token_view(dest->d->name, &view);
	return view.state == CALLSYNC_TOKEN_WAIT ||
		(view.state == CALLSYNC_TOKEN_READY && view.version != x->token_version);
}

static bool
sign(CallsyncEngineDest *dest, struct CallsyncCredential *c, CallsyncExchange *x, CallsyncDocError *err)
{
	const char *id = NULL;
	int64		seconds = callsync_engine_ms(x->started_at) / 1000;
	size_t		size = 64 * (c->nsigning + 1);
	char	   *signature = palloc(size);

	if (c->nsigning == 0)
		return true;
	for (int i = 0; i < x->nheaders; i++)
		if (pg_strcasecmp(x->headers[i].name, "webhook-id") == 0)
			id = x->headers[i].value;
	if (id == NULL)
	{
		id = psprintf("msg_%s", callsync_json_string(x->items[0].context, "trace"));
		callsync_exchange_add_header(x, "webhook-id", id);
	}
	if (callsync_webhook_sign(c->signing, c->signing_len, c->nsigning, id, seconds,
							  x->request.body ? x->request.body : "", x->request.body_len,
							  signature, size) == 0)
		return callsync_doc_error(err, "", "A signing secret is \"whsec_\" and base64 of 24 to 64 bytes.",
								  "The signing secret of the destination cannot be used.");
	callsync_exchange_add_header(x, "webhook-timestamp", psprintf(INT64_FORMAT, seconds));
	callsync_exchange_add_header(x, "webhook-signature", signature);
	return true;
}

bool
callsync_auth_apply(CallsyncEngineDest *dest, CallsyncExchange *x, CallsyncDocError *err)
{
	struct CallsyncCredential *c = credential(dest);
	const char *name;
	json_t	   *value;
	CallsyncRenderInput input;

	if (c->auth == NULL)
		return true;
	if (c->missing[0] != '\0')
		return callsync_doc_error(err, "", "Store it with callsync.set_secret_file().",
								  "The destination has no credential: secret \"%s\" is not set.", c->missing);
	callsync_exchange_input(dest, x->items[0].context, callsync_now(), CALLSYNC_RENDER_SEND, &input);
	json_object_foreach((json_t *) c->auth->extra_headers, name, value)
	{
		char	   *text = callsync_connector_render_text(dest->d->connector, json_string_value(value), &input, err);

		if (text == NULL)
			return false;
		callsync_exchange_add_header(x, name, text);
		free(text);
	}
	if (c->oauth)
	{
		CallsyncTokenView view;

		callsync_token_view(dest->d->name, &view);
		if (view.state != CALLSYNC_TOKEN_READY)
			return callsync_doc_error(err, "", "", "%s", view.problem ? view.problem : "There is no access token.");
		callsync_exchange_add_header(x, c->header ? c->header : "Authorization",
									 c->auth->scheme && c->auth->scheme[0]
									 ? psprintf("%s %s", c->auth->scheme, view.access_token) : view.access_token);
		x->token_version = view.version;
	}
	if (c->value != NULL)
		callsync_exchange_add_header(x, c->header ? c->header : "Authorization", c->value);
	if (c->auth->kind == CALLSYNC_AUTH_SIGNATURE)
		return sign(dest, c, x, err);
	return true;
}
