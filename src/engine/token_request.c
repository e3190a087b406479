/*
 * token_request.c
 *		See token_request.h.
 *
 * Credentials are handled as in store/secret.c: in chunks that are overwritten when
 * the request's memory context goes. Messages for people are freed of every
 * credential that was sent, because some servers answer with what they got.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/crypto.h"
#include "core/errclass.h"
#include "core/instant.h"
#include "core/redact.h"
#include "engine/env.h"
#include "engine/token_request.h"
#include "pg/clock.h"
#include "pg/json.h"
#include "pg/keyring.h"
#include "store/secret.h"

#define MAX_PARAMS 24
#define MESSAGE_SIZE 400
#define SKEW_COUNTS_MS 5000		/* less is the Date header's resolution and the way */
#define GRANT_JWT "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define ASSERTION_JWT "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

typedef struct Params
{
	int			n;
	const char *name[MAX_PARAMS];
	const char *value[MAX_PARAMS];
} Params;

static void
add(Params *params, const char *name, const char *value)
{
	if (value != NULL && params->n < MAX_PARAMS)
	{
		params->name[params->n] = name;
		params->value[params->n++] = value;
	}
}

/* A credential, remembered for redaction; NULL where there is none. */
static const char *
credential(CallsyncTokenRequest *request, const CallsyncDestination *d, const char *key)
{
	const char *value = callsync_secret_get(d->name, key, request->context);

	if (value != NULL && request->nsecrets < CALLSYNC_TOKEN_MAX_SECRETS)
		request->secrets[request->nsecrets++] = value;
	return value;
}

/* malloc'ed text into the request's memory */
static char *
keep_text(CallsyncTokenRequest *request, char *text)
{
	char	   *copy;

	if (text == NULL)
		return NULL;
	copy = callsync_alloc_secret(request->context, strlen(text) + 1);
	strcpy(copy, text);
	explicit_bzero(text, strlen(text));
	free(text);
	return copy;
}

/* "n1=v1&n2=v2" */
static const char *
encode(CallsyncTokenRequest *request, const Params *params, size_t *len)
{
	char	   *text = NULL;
	size_t		size = 0;

	/* first the length, then the text */
	for (int pass = 0; pass < 2; pass++)
	{
		size_t		used = 0;

		for (int i = 0; i < params->n; i++)
			used = callsync_form_append(text, size, used, params->name[i], params->value[i]);
		if (pass == 0)
		{
			size = used + 1;
			text = callsync_alloc_secret(request->context, size);
			text[0] = '\0';
		}
		*len = used;
	}
	return text;
}

/* "Basic " and id:secret, both form-encoded first (RFC 6749, 2.3.1) */
static const char *
basic(CallsyncTokenRequest *request, const char *id, const char *secret)
{
	size_t		id_size = callsync_form_append(NULL, 0, 0, "", id) + 1;
	size_t		secret_size = callsync_form_append(NULL, 0, 0, "", secret) + 1;
	char	   *pair = callsync_alloc_secret(request->context, id_size + secret_size);
	char	   *value;
	size_t		len;

	/* an empty name makes "=value" */
	len = callsync_form_append(pair, id_size, 0, "", id);
	memmove(pair, pair + 1, len);
	len--;
	(void) callsync_form_append(pair + len, secret_size, 0, "", secret);
	pair[len] = ':';
	len = strlen(pair);
	value = callsync_alloc_secret(request->context, 6 + 4 * ((len + 2) / 3) + 1);
	memcpy(value, "Basic ", 6);
	callsync_base64_encode(pair, len, value + 6);
	return value;
}

/*
 * A signed assertion. claims: {name: template}, or NULL for those of a client that
 * identifies itself (RFC 7523, 3).
 */
static const char *
assertion(CallsyncTokenRequest *request, const CallsyncDestination *d, const CallsyncAuth *auth,
		  const json_t *claims, const CallsyncRenderInput *input, const char *client_id,
		  int64 now_s, CallsyncDocError *err)
{
	json_t	   *body = callsync_json_keep(callsync_json_object());
	const char *key = credential(request, d, "private_key");
	const char *name;
	json_t	   *tmpl;
	uint8		random[16];
	char		jti[2 * sizeof(random) + 1];
	char	   *text;
	char	   *jwt;

	if (key == NULL)
	{
		callsync_doc_error(err, "", "Store it with callsync.set_secret_file().",
						   "Secret \"private_key\" is not set.");
		return NULL;
	}
	if (claims != NULL)
	{
		json_object_foreach((json_t *) claims, name, tmpl)
		{
			char	   *value = json_is_string(tmpl) ?
				callsync_connector_render_text(d->connector, json_string_value(tmpl), input, err) : NULL;

			if (value != NULL)
				json_object_set_new(body, name, json_string(value));
			else if (json_is_string(tmpl))
				return NULL;
			else
				json_object_set(body, name, tmpl);
			free(value);
		}
	}
	else
	{
		json_object_set_new(body, "iss", json_string(client_id));
		json_object_set_new(body, "sub", json_string(client_id));
		json_object_set_new(body, "aud", json_string(request->shown_url));
	}
	if (!pg_strong_random(random, sizeof(random)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate random values")));
	callsync_hex(random, sizeof(random), jti);
	json_object_set_new(body, "jti", json_string(jti));
	json_object_set_new(body, "iat", json_integer(now_s));
	json_object_set_new(body, "exp", json_integer(now_s + auth->jwt_exp_s));

	text = callsync_json_text(body);
	jwt = callsync_jwt_rs256(text, strlen(text), key, strlen(key));
	if (jwt == NULL)
	{
		callsync_doc_error(err, "", "It is an RSA key in PEM form (BEGIN PRIVATE KEY or BEGIN RSA PRIVATE KEY).",
						   "Secret \"private_key\" cannot be used to sign.");
		return NULL;
	}
	request->dated = true;
	return keep_text(request, jwt);
}

static const char *
grant_type(const CallsyncAuth *auth)
{
	if (auth->grant_type != NULL)
		return auth->grant_type;
	switch (auth->kind)
	{
		case CALLSYNC_AUTH_OAUTH2_CLIENT_CREDENTIALS:
			return "client_credentials";
		case CALLSYNC_AUTH_OAUTH2_JWT_BEARER:
			return GRANT_JWT;
		default:
			return "refresh_token";
	}
}

static char *
copy_or_null(const char *text)
{
	return text != NULL ? pstrdup(text) : NULL;
}

/* See CallsyncTokenRequest.answer; in memory of the request */
static void
keep_answer_rules(CallsyncTokenRequest *request, const CallsyncDestination *d, const CallsyncAuth *auth)
{
	CallsyncAuth *answer = &request->answer;
	const char **errors;
	int			n = 0;

	answer->kind = auth->kind;
	answer->refresh_rotates = auth->refresh_rotates;
	answer->error_on_200 = auth->error_on_200;
	answer->default_lifetime_s = auth->default_lifetime_s;
	answer->refresh_early_s = auth->refresh_early_s;
	answer->min_refresh_interval_s = auth->min_refresh_interval_s;
	answer->access_pointer = copy_or_null(auth->access_pointer);
	answer->refresh_pointer = copy_or_null(auth->refresh_pointer);
	answer->expires_in_pointer = copy_or_null(auth->expires_in_pointer);
	answer->error_pointer = copy_or_null(auth->error_pointer);
	answer->error_description_pointer = copy_or_null(auth->error_description_pointer);
	while (auth->fatal_errors != NULL && auth->fatal_errors[n] != NULL)
		n++;
	errors = palloc0(sizeof(char *) * (n + 1));
	for (int i = 0; i < n; i++)
		errors[i] = pstrdup(auth->fatal_errors[i]);
	answer->fatal_errors = errors;
	request->base_url_from = copy_or_null(callsync_connector_base_url_from(d->connector));
}

bool
callsync_token_request_build(CallsyncTokenRequest *request, MemoryContext context,
							 const CallsyncDestination *d, const CallsyncAuth *auth,
							 int64 skew_ms, TimestampTz now, CallsyncDocError *err)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Params		params = {0};
	json_t	   *variables = callsync_json_keep(callsync_json_object());
	CallsyncRenderInput input = {.context = variables, .mode = CALLSYNC_RENDER_SEND};
	int64		now_s;
	const char *client_id;
	const char *client_secret;
	const char *username;
	const char *text;
	const char *name;
	json_t	   *tmpl;
	size_t		len;
	bool		ok = false;

	memset(request, 0, sizeof(*request));
	request->context = context;
	if (skew_ms > -SKEW_COUNTS_MS && skew_ms < SKEW_COUNTS_MS)
		skew_ms = 0;
	now_s = (callsync_unix_us(now) / 1000 + skew_ms) / 1000;
	keep_answer_rules(request, d, auth);
	client_id = callsync_secret_get(d->name, "client_id", context);
	client_secret = credential(request, d, "client_secret");
	username = callsync_secret_get(d->name, "username", context);
	if (auth->kind == CALLSYNC_AUTH_OAUTH2_REFRESH)
		request->refresh = credential(request, d, "refresh_token");
	for (int i = 0; auth->secret_keys[i] != NULL; i++)
	{
		if (!callsync_secret_exists(d->name, auth->secret_keys[i]))
		{
			callsync_doc_error(err, "", "Store it with callsync.set_secret_file().",
							   "Secret \"%s\" is not set.", auth->secret_keys[i]);
			goto done;
		}
	}

	input.vars = callsync_connector_vars(d->connector);
	input.env = callsync_env_get(d->region, now);
	if (client_id != NULL)
		json_object_set_new(variables, "client_id", json_string(client_id));
	if (username != NULL)
		json_object_set_new(variables, "username", json_string(username));
	request->shown_url = keep_text(request, callsync_connector_token_url(d->connector, auth, &input, err));
	if (request->shown_url == NULL)
		goto done;
	json_object_set_new(variables, "token_url", json_string(request->shown_url));

	add(&params, "grant_type", grant_type(auth));
	add(&params, "refresh_token", request->refresh);
	if (auth->kind == CALLSYNC_AUTH_OAUTH2_JWT_BEARER)
	{
		text = assertion(request, d, auth, auth->jwt_claims, &input, client_id, now_s, err);
		if (text == NULL)
			goto done;
		add(&params, "assertion", text);
	}
	if (auth->scope != NULL)
	{
		text = keep_text(request, callsync_connector_render_text(d->connector, auth->scope, &input, err));
		if (text == NULL)
			goto done;
		add(&params, "scope", text);
	}
	json_object_foreach((json_t *) auth->extra_params, name, tmpl)
	{
		text = keep_text(request, callsync_connector_render_text(d->connector, json_string_value(tmpl), &input, err));
		if (text == NULL)
			goto done;
		add(&params, name, text);
	}

	if (strcmp(auth->client_auth, "basic") == 0 && client_id != NULL)
		request->authorization = basic(request, client_id, client_secret ? client_secret : "");
	else if (strcmp(auth->client_auth, "assertion") == 0)
	{
		text = assertion(request, d, auth, NULL, &input, client_id ? client_id : "", now_s, err);
		if (text == NULL)
			goto done;
		add(&params, "client_id", client_id);
		add(&params, "client_assertion_type", ASSERTION_JWT);
		add(&params, "client_assertion", text);
	}
	else
	{
		/* an assertion names the client itself */
		if (auth->kind != CALLSYNC_AUTH_OAUTH2_JWT_BEARER || client_secret != NULL)
			add(&params, "client_id", client_id);
		add(&params, "client_secret", client_secret);
	}

	text = encode(request, &params, &len);
	if (strcmp(auth->client_auth, "query") == 0)
	{
		size_t		size = strlen(request->shown_url) + 1 + len + 1;
		char	   *url = callsync_alloc_secret(context, size);

		snprintf(url, size, "%s%s%s", request->shown_url,
				 strchr(request->shown_url, '?') ? "&" : "?", text);
		request->url = url;
		request->body = "";
	}
	else
	{
		request->url = request->shown_url;
		request->body = text;
		request->body_len = len;
	}
	ok = true;

done:
	MemoryContextSwitchTo(old);
	return ok;
}

/* ---- the answer ---- */

/* Masks what was sent; for people. */
static const char *
clean(const CallsyncTokenRequest *request, const char *text)
{
	size_t		lens[CALLSYNC_TOKEN_MAX_SECRETS];
	size_t		size = 3 * strlen(text) + 1;
	char	   *once = palloc(size);
	char	   *twice = palloc(3 * size + 1);

	for (int i = 0; i < request->nsecrets; i++)
		lens[i] = strlen(request->secrets[i]);
	callsync_redact_values(text, strlen(text), request->secrets, lens, request->nsecrets, once, size);
	callsync_redact_text(once, strlen(once), twice, 3 * size + 1);
	return twice;
}

static TimestampTz
retry_after(CallsyncHttpResponse *response, int64 skew_ms, TimestampTz now)
{
	const char *value = callsync_http_header(response, "Retry-After", 0);
	char	   *end;
	double		seconds;
	int64_t		us;

	if (value == NULL)
		return 0;
	seconds = strtod(value, &end);
	if (end != value && *end == '\0')
		return seconds > 0 ? callsync_time_plus_ms(now, (int64) (Min(seconds, 86400.0) * 1000)) : 0;
	if (!callsync_instant_parse(value, strlen(value), &us))
		return 0;
	return Min(callsync_time_plus_ms(callsync_from_unix_us(us), -skew_ms),
			   callsync_time_plus_ms(now, INT64CONST(86400000)));
}

void
callsync_token_request_outcome(const CallsyncTokenRequest *request, const CallsyncDestination *d,
							   CallsyncHttpResponse *response,
							   TimestampTz now, CallsyncTokenOutcome *outcome)
{
	MemoryContext old = MemoryContextSwitchTo(request->context);
	const char *date = callsync_http_header(response, "Date", 0);
	CallsyncTokenAnswer answer;
	json_t	   *body;
	int64_t		us;

	memset(outcome, 0, sizeof(*outcome));
	if (date != NULL && callsync_instant_parse(date, strlen(date), &us))
	{
		/* whole seconds, cut off: half a second is the best guess */
		outcome->skew_ms = (us + 500000 - callsync_unix_us(now)) / 1000;
		outcome->skew_known = true;
	}

	if (response->transport != CALLSYNC_TRANSPORT_OK)
	{
		outcome->verdict = CALLSYNC_TOKEN_LATER;
		outcome->error_class = callsync_class_name(response->transport == CALLSYNC_TRANSPORT_REFUSED_ADDRESS ||
												   response->transport == CALLSYNC_TRANSPORT_BAD_REQUEST ?
												   CALLSYNC_CLASS_CONFIG : CALLSYNC_CLASS_TRANSIENT);
		outcome->message = psprintf("No token: %s (%s).", callsync_transport_name(response->transport),
									clean(request, response->error));
		MemoryContextSwitchTo(old);
		return;
	}

	body = json_loadb(response->body, response->body_len, JSON_REJECT_DUPLICATES, NULL);
	if (body != NULL)
		(void) callsync_json_keep(body);
	callsync_token_answer_read(&request->answer, response->status, body, request->base_url_from, &answer);

	outcome->verdict = answer.verdict;
	if (answer.verdict == CALLSYNC_TOKEN_GRANTED)
	{
		outcome->access = answer.access;
		outcome->refresh = request->answer.refresh_rotates && request->answer.kind == CALLSYNC_AUTH_OAUTH2_REFRESH &&
			answer.refresh != NULL && request->refresh != NULL &&
			strcmp(answer.refresh, request->refresh) != 0 ? answer.refresh : NULL;

		/* a base_url that the user set outranks the answer's */
		if (callsync_json_string(d->options, "base_url") == NULL)
			outcome->base_url = answer.base_url;
		outcome->lifetime_ms = answer.lifetime_s * 1000;
		MemoryContextSwitchTo(old);
		return;
	}

	outcome->not_before = retry_after(response, outcome->skew_known ? outcome->skew_ms : 0, now);
	if (answer.verdict == CALLSYNC_TOKEN_REFUSED)
		outcome->error_class = callsync_class_name(CALLSYNC_CLASS_AUTH);
	else if (response->status == 429 || outcome->not_before != 0)
		outcome->error_class = callsync_class_name(CALLSYNC_CLASS_THROTTLED);
	else
		outcome->error_class = callsync_class_name(response->status >= 500 ? CALLSYNC_CLASS_TRANSIENT : CALLSYNC_CLASS_AUTH);
	{
		char		text[MESSAGE_SIZE];

		snprintf(text, sizeof(text), "HTTP %d%s%s%s%s.", response->status,
				 answer.error ? ", " : "", answer.error ? answer.error : "",
				 answer.description ? ": " : "", answer.description ? answer.description : "");
		/* may end in the middle of a character */
		text[pg_mbcliplen(text, strlen(text), strlen(text))] = '\0';
		outcome->message = clean(request, text);
	}
	MemoryContextSwitchTo(old);
}
