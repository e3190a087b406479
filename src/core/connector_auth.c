/*
 * connector_auth.c
 *		The part "auth" of a connector document: one description, or several by
 *		name with "order".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/connector_impl.h"

static const char *const kind_words[] = {"none", "static_bearer", "header", "basic", "oauth2_refresh",
"oauth2_client_credentials", "oauth2_jwt_bearer", "url_secret", "signature", NULL};

static const char *const keys_none[] = {NULL};
static const char *const keys_bearer[] = {"bearer_token", NULL};
static const char *const keys_header[] = {"api_key", NULL};
static const char *const keys_basic[] = {"username", "password", NULL};
static const char *const keys_refresh[] = {"client_id", "client_secret", "refresh_token", NULL};
static const char *const keys_client[] = {"client_id", "client_secret", NULL};
static const char *const keys_jwt[] = {"client_id", "private_key", NULL};
static const char *const keys_signature[] = {"signing_secret", NULL};

static const char *const *const default_keys[] = {keys_none, keys_bearer, keys_header, keys_basic, keys_refresh,
keys_client, keys_jwt, keys_none, keys_signature};

static const char *const default_fatal[] = {"invalid_grant", "invalid_client", "unauthorized_client", NULL};

static bool
word_list(const json_t *list, const char *where, const char *what, CallsyncDocError *err, const char *const **out)
{
	const char **words;

	if (list == NULL)
		return true;
	if (!callsync_doc_is(list, JSON_ARRAY, where, what, err))
		return false;
	words = calloc(json_array_size(list) + 1, sizeof(char *));
	if (words == NULL)
		return callsync_doc_error(err, where, NULL, "Out of memory.");
	*out = words;
	for (size_t i = 0; i < json_array_size(list); i++)
		if ((words[i] = json_string_value(json_array_get(list, i))) == NULL)
			return callsync_doc_error(err, where, NULL, "\"%.60s\" is a list of words.", what);
	return true;
}

/* Every text in obj must be a well-formed template. */
static bool
check_templates(const json_t *obj, const char *where, CallsyncDocError *err)
{
	const char *key;
	json_t	   *value;

	json_object_foreach((json_t *) obj, key, value)
	{
		CallsyncTemplate *t = callsync_template_parse(value, NULL, where, err);

		if (t == NULL)
			return false;
		callsync_template_free(t);
	}
	return true;
}

static bool
parse_one(CallsyncAuth *auth, const json_t *doc, const char *where, CallsyncDocError *err)
{
	static const char *const keys[] = {"kind", "header", "scheme", "token_url", "client_auth", "grant_type", "scope",
		"extra_params", "extra_headers", "fields", "refresh_rotates", "error_on_200", "default_lifetime_s",
		"refresh_early_s", "min_refresh_interval_s", "keepalive_days", "jwt", "fatal_errors", "secrets", "title",
	"order", NULL};
	static const char *const field_keys[] = {"access", "refresh", "expires_in", "error", "error_description", NULL};
	static const char *const jwt_keys[] = {"alg", "claims", "exp_s", NULL};
	static const char *const client_auths[] = {"body", "basic", "query", "assertion", NULL};
	static const char *const algs[] = {"RS256", NULL};
	int			kind = -1;
	int			client_auth = 0;
	int			alg = 0;
	int64_t		lifetime = 0;
	int64_t		early = 120;
	int64_t		interval = 30;
	int64_t		keepalive = 0;
	int64_t		exp = 180;
	const json_t *fields;
	const json_t *jwt;
	bool		oauth;

	auth->header = "Authorization";
	auth->scheme = "Bearer";
	auth->refresh_rotates = true;
	auth->access_pointer = "/access_token";
	auth->refresh_pointer = "/refresh_token";
	auth->expires_in_pointer = "/expires_in";
	auth->error_pointer = "/error";
	auth->error_description_pointer = "/error_description";
	auth->fatal_errors = default_fatal;
	if (!callsync_doc_keys(doc, where, err, keys) ||
		!callsync_doc_word(doc, "kind", where, err, kind_words, &kind))
		return false;
	if (kind < 0)
		return callsync_doc_error(err, where, NULL, "Authentication needs \"kind\".");
	auth->kind = (CallsyncAuthKind) kind;
	auth->secret_keys = default_keys[kind];
	if (auth->kind == CALLSYNC_AUTH_BASIC)
		auth->scheme = "Basic";
	if (auth->kind == CALLSYNC_AUTH_HEADER)
		auth->scheme = "";
	if (!callsync_doc_text(doc, "header", where, err, &auth->header) ||
		!callsync_doc_text(doc, "scheme", where, err, &auth->scheme) ||
		!callsync_doc_text(doc, "token_url", where, err, &auth->token_url) ||
		!callsync_doc_word(doc, "client_auth", where, err, client_auths, &client_auth) ||
		!callsync_doc_text(doc, "grant_type", where, err, &auth->grant_type) ||
		!callsync_doc_text(doc, "scope", where, err, &auth->scope) ||
		!callsync_doc_bool(doc, "refresh_rotates", where, err, &auth->refresh_rotates) ||
		!callsync_doc_bool(doc, "error_on_200", where, err, &auth->error_on_200) ||
		!callsync_doc_int(doc, "default_lifetime_s", where, err, 0, 31536000, &lifetime) ||
		!callsync_doc_int(doc, "refresh_early_s", where, err, 0, 86400, &early) ||
		!callsync_doc_int(doc, "min_refresh_interval_s", where, err, 0, 86400, &interval) ||
		!callsync_doc_int(doc, "keepalive_days", where, err, 0, 366, &keepalive) ||
		!word_list(json_object_get(doc, "fatal_errors"), where, "fatal_errors", err, &auth->fatal_errors) ||
		!word_list(json_object_get(doc, "secrets"), where, "secrets", err, &auth->secret_keys))
		return false;
	auth->client_auth = client_auths[client_auth];
	auth->default_lifetime_s = (int) lifetime;
	auth->refresh_early_s = (int) early;
	auth->min_refresh_interval_s = (int) interval;
	auth->keepalive_days = (int) keepalive;
	auth->extra_params = json_object_get(doc, "extra_params");
	auth->extra_headers = json_object_get(doc, "extra_headers");
	if ((auth->extra_params != NULL &&
		 (!callsync_doc_is(auth->extra_params, JSON_OBJECT, where, "extra_params", err) ||
		  !check_templates(auth->extra_params, where, err))) ||
		(auth->extra_headers != NULL && !callsync_doc_is(auth->extra_headers, JSON_OBJECT, where, "extra_headers", err)))
		return false;
	fields = json_object_get(doc, "fields");
	if (fields != NULL &&
		(!callsync_doc_keys(fields, where, err, field_keys) ||
		 !callsync_doc_text(fields, "access", where, err, &auth->access_pointer) ||
		 !callsync_doc_text(fields, "refresh", where, err, &auth->refresh_pointer) ||
		 !callsync_doc_text(fields, "expires_in", where, err, &auth->expires_in_pointer) ||
		 !callsync_doc_text(fields, "error", where, err, &auth->error_pointer) ||
		 !callsync_doc_text(fields, "error_description", where, err, &auth->error_description_pointer)))
		return false;
	oauth = kind >= CALLSYNC_AUTH_OAUTH2_REFRESH && kind <= CALLSYNC_AUTH_OAUTH2_JWT_BEARER;
	if (oauth && auth->token_url == NULL)
		return callsync_doc_error(err, where, NULL, "OAuth needs \"token_url\".");
	jwt = json_object_get(doc, "jwt");
	if (jwt != NULL)
	{
		if (!callsync_doc_keys(jwt, where, err, jwt_keys) || !callsync_doc_word(jwt, "alg", where, err, algs, &alg) ||
			!callsync_doc_int(jwt, "exp_s", where, err, 30, 3600, &exp))
			return false;
		auth->jwt_claims = json_object_get(jwt, "claims");
		if (auth->jwt_claims != NULL &&
			(!callsync_doc_is(auth->jwt_claims, JSON_OBJECT, where, "claims", err) ||
			 !check_templates(auth->jwt_claims, where, err)))
			return false;
	}
	else if (auth->kind == CALLSYNC_AUTH_OAUTH2_JWT_BEARER)
		return callsync_doc_error(err, where, NULL, "This kind of OAuth needs \"jwt\" with its claims.");
	auth->jwt_alg = algs[alg];
	auth->jwt_exp_s = (int) exp;
	return true;
}

bool
callsync_connector_parse_auth(CallsyncConnector *c, const json_t *doc, CallsyncDocError *err)
{
	const json_t *order = json_object_get(doc, "order");
	size_t		n = order != NULL ? json_array_size(order) : 1;

	if (doc == NULL)
		return callsync_doc_error(err, "", "Where none is needed write {\"kind\": \"none\"}.", "A connector needs \"auth\".");
	if (order != NULL && (!callsync_doc_is(order, JSON_ARRAY, "/auth", "order", err) || n == 0))
		return callsync_doc_error(err, "/auth", NULL, "\"order\" lists the ways to authenticate.");
	c->auths = calloc(n, sizeof(CallsyncAuth));
	if (c->auths == NULL)
		return callsync_doc_error(err, "/auth", NULL, "Out of memory.");
	for (size_t i = 0; i < n; i++)
	{
		const json_t *one = doc;
		char		where[200] = "/auth";

		if (order != NULL)
		{
			const char *name = json_string_value(json_array_get(order, i));

			one = name ? json_object_get(doc, name) : NULL;
			snprintf(where, sizeof(where), "/auth/%s", name ? name : "");
			if (one == NULL)
				return callsync_doc_error(err, "/auth", NULL, "\"order\" names \"%.60s\", which is not there.", name ? name : "");
		}
		c->nauths++;
		if (!parse_one(&c->auths[i], one, where, err))
			return false;
	}
	return true;
}

void
callsync_connector_free_auth(CallsyncConnector *c)
{
	for (int i = 0; i < c->nauths; i++)
	{
		CallsyncAuth *auth = &c->auths[i];

		if (auth->fatal_errors != default_fatal)
			free((void *) auth->fatal_errors);
		if (auth->secret_keys != NULL && auth->secret_keys != default_keys[auth->kind])
			free((void *) auth->secret_keys);
	}
	free(c->auths);
}

const CallsyncAuth *
callsync_connector_auth(const CallsyncConnector *c, bool (*have_key) (void *arg, const char *key), void *arg)
{
	for (int i = 0; i < c->nauths; i++)
	{
		const CallsyncAuth *auth = &c->auths[i];
		bool		complete = true;

		for (int k = 0; auth->secret_keys[k] != NULL && complete; k++)
			complete = have_key != NULL && have_key(arg, auth->secret_keys[k]);
		if (complete)
			return auth;
	}
	return &c->auths[0];
}

char *
callsync_connector_token_url(const CallsyncConnector *c, const CallsyncAuth *auth, const CallsyncRenderInput *input,
							 CallsyncDocError *err)
{
	if (auth->token_url == NULL)
	{
		callsync_doc_error(err, "/auth", NULL, "There is no token URL.");
		return NULL;
	}
	return callsync_connector_render_text(c, auth->token_url, input, err);
}
