/*
 * token_request.h
 *		One request to a token endpoint, and what its answer means.
 */
#ifndef CALLSYNC_ENGINE_TOKEN_REQUEST_H
#define CALLSYNC_ENGINE_TOKEN_REQUEST_H

#include "core/connector.h"
#include "core/oauth.h"
#include "engine/http.h"
#include "store/destination.h"

#define CALLSYNC_TOKEN_MAX_SECRETS 8

/* Everything in here is in "context" and overwritten with it. */
typedef struct CallsyncTokenRequest
{
	MemoryContext context;
	const char *url;
	const char *shown_url;		/* without credentials, to be stored */
	const char *authorization;	/* NULL: none */
	const char *body;
	size_t		body_len;
	const char *refresh;		/* the refresh token sent, NULL: none */
	bool		dated;			/* holds the time (an assertion) */

	/*
	 * How to read the answer, as it was when the request left: a changed destination
	 * must not make a grant unreadable whose refresh token replaces the old one.
	 */
	CallsyncAuth answer;		/* what concerns the answer; the rest is NULL */
	const char *base_url_from;

	/* all credentials in it, so that none comes back in a message */
	const char *secrets[CALLSYNC_TOKEN_MAX_SECRETS];
	int			nsecrets;
} CallsyncTokenRequest;

/* The outcome of an exchange, in memory of the request's context. */
typedef struct CallsyncTokenOutcome
{
	CallsyncTokenVerdict verdict;
	const char *access;			/* GRANTED */
	const char *refresh;		/* GRANTED: a new one, or NULL */
	const char *base_url;		/* GRANTED: or NULL */
	int64		lifetime_ms;	/* GRANTED: 0 = not known */
	const char *message;		/* otherwise: one sentence for people */
	const char *error_class;	/* otherwise: a word of errclass.h */
	TimestampTz not_before;		/* Retry-After; 0 = nothing said */
	int64		skew_ms;		/* server's clock minus ours */
	bool		skew_known;
} CallsyncTokenOutcome;

/*
 * Reads the credentials (transaction, SPI) and builds the request. skew_ms: what to
 * add to our clock in assertions. False: something is missing or does not render.
 */
extern bool callsync_token_request_build(CallsyncTokenRequest *request, MemoryContext context,
										 const CallsyncDestination *destination,
										 const CallsyncAuth *auth, int64 skew_ms,
										 TimestampTz now, CallsyncDocError *err);

extern void callsync_token_request_outcome(const CallsyncTokenRequest *request,
										   const CallsyncDestination *destination,
										   CallsyncHttpResponse *response,
										   TimestampTz now, CallsyncTokenOutcome *outcome);

#endif
