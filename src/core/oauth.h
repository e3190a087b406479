/*
 * oauth.h
 *		OAuth as arithmetic: form bodies, signed assertions, what a token answer
 *		means, and when a token is due.
 */
#ifndef CALLSYNC_CORE_OAUTH_H
#define CALLSYNC_CORE_OAUTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/connector.h"

/*
 * Appends "name=value" to a form body (or query string) of "used" bytes, with & in
 * front where that is not 0. As snprintf: returns the length of the whole, which may
 * be more than size; terminates within size.
 */
extern size_t callsync_form_append(char *out, size_t size, size_t used,
								   const char *name, const char *value);

/*
 * A JWT (RFC 7519) signed with RS256: header.claims.signature. claims is JSON text.
 * malloc'ed; NULL where the PEM text is no RSA private key.
 */
extern char *callsync_jwt_rs256(const char *claims, size_t claims_len,
								const char *pem, size_t pem_len);

typedef enum CallsyncTokenVerdict
{
	CALLSYNC_TOKEN_GRANTED,
	CALLSYNC_TOKEN_REFUSED,		/* the credential is dead: nothing but a person helps */
	CALLSYNC_TOKEN_LATER		/* anything else: try again */
} CallsyncTokenVerdict;

/* What a token endpoint answered; the texts belong to the JSON value. */
typedef struct CallsyncTokenAnswer
{
	CallsyncTokenVerdict verdict;
	const char *access;			/* GRANTED */
	const char *refresh;		/* GRANTED: a new one, or NULL */
	const char *base_url;		/* GRANTED: or NULL */
	int64_t		lifetime_s;		/* GRANTED: 0 = not known */
	const char *error;			/* else: the code, or NULL */
	const char *description;	/* else: or NULL */
} CallsyncTokenAnswer;

/* body NULL: the answer was no JSON. base_url_from: JSON pointer or NULL. */
extern void callsync_token_answer_read(const CallsyncAuth *auth, int status, const json_t *body,
									   const char *base_url_from, CallsyncTokenAnswer *answer);

/*
 * When to renew a token: at 80 % of its life, earlier where early_ms (before its
 * end) says so and half of the life is over by then; up to 5 % of the life earlier by
 * "random" in [0, 1), so that workers and destinations do not renew in step.
 */
extern int64_t callsync_token_renew_ms(int64_t obtained_ms, int64_t lifetime_ms,
									   int64_t early_ms, double random);

#endif
