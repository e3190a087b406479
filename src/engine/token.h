/*
 * token.h
 *		Access tokens of destinations with OAuth: kept fresh, renewed by one worker at
 *		a time.
 *
 * The worker's loop drives them (tick, send); whoever sends to a destination only
 * looks: callsync_token_view(). One set per process.
 */
#ifndef CALLSYNC_ENGINE_TOKEN_H
#define CALLSYNC_ENGINE_TOKEN_H

#include "engine/engine.h"
#include "engine/http.h"

typedef enum CallsyncTokenState
{
	CALLSYNC_TOKEN_NOT_NEEDED,	/* no OAuth at this destination */
	CALLSYNC_TOKEN_READY,		/* send with access_token */
	CALLSYNC_TOKEN_WAIT,		/* being renewed: look again at again_at, or after the next tick */
	CALLSYNC_TOKEN_DEAD			/* reauth_required: a person has to act; looked after at again_at */
} CallsyncTokenState;

typedef struct CallsyncTokenView
{
	CallsyncTokenState state;
	const char *access_token;	/* READY; valid until the next tick */
	int64		version;		/* READY: tells tokens apart, for callsync_token_refused() */
	const char *base_url;		/* READY: the answer's, where it replaces the connector's; or NULL */
	TimestampTz again_at;		/* WAIT, DEAD: by the workers' clock */
	const char *problem;		/* WAIT, DEAD: for people; never NULL */
} CallsyncTokenView;

/* ---- for those who send; memory only, callable inside and outside a transaction ---- */

extern void callsync_token_view(const char *destination, CallsyncTokenView *view);

/*
 * The destination did not take this token (401). It is renewed, unless it is not
 * the current one any more or was made only just now (min_refresh_interval_s).
 */
extern void callsync_token_refused(const char *destination, int64 version);

/* ---- for the worker's loop ---- */

extern void callsync_tokens_init(MemoryContext parent, CallsyncHttp *http,
								 const CallsyncWorkerIdentity *identity);

/* Own short transactions: read, begin and settle renewals. None may be open. */
extern CallsyncTick callsync_tokens_tick(void);

/* Sends what tick began. No transaction is open. */
extern void callsync_tokens_send(void);

/* Ms until the next tick is due, -1 = none. */
extern int64 callsync_tokens_next_ms(void);

/* Somebody woke the worker: destinations may have changed. */
extern void callsync_tokens_woken(void);

/* Begin no more renewals; true where none is under way. */
extern void callsync_tokens_shutdown(void);
extern bool callsync_tokens_drained(void);

#endif
