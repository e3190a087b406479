/*
 * token_entry.h
 *		What the keeper of tokens (token.c) knows of one destination, and how the answer
 *		to a renewal is settled (token_settle.c).
 */
#ifndef CALLSYNC_ENGINE_TOKEN_ENTRY_H
#define CALLSYNC_ENGINE_TOKEN_ENTRY_H

#include "engine/token_request.h"
#include "store/token.h"

#define CALLSYNC_TOKEN_DEAD_MAX_MS 600000	/* a refused credential: is tried this often at least */

typedef enum CallsyncRenewalPhase
{
	RENEWAL_IDLE,				/* -> BEGUN */
	RENEWAL_BEGUN,				/* the lock is ours, the row says so; -> SENT */
	RENEWAL_SENT,				/* at http.c; -> ANSWERED */
	RENEWAL_ANSWERED			/* to be settled; -> IDLE */
} CallsyncRenewalPhase;

typedef struct CallsyncTokenEntry
{
	char		name[NAMEDATALEN * 4];
	CallsyncDestination *d;		/* the registry's */
	int			generation;		/* that auth and the row were read for; 0: none */
	const CallsyncAuth *auth;	/* d->connector's; NULL: not known, or no OAuth */
	bool		oauth;
	bool		wanted;			/* somebody asked for the token */

	/* the row, as last read */
	MemoryContext row_context;
	CallsyncTokenRow row;
	const char *access;			/* NULL: there is none */
	bool		refused;		/* the destination did not take it */
	TimestampTz read_again_at;	/* 0: no need */
	char		problem[256];

	/* the renewal */
	CallsyncRenewalPhase phase;
	bool		try_at_once;	/* the clock was wrong: once more, whatever next_try_at says */
	CallsyncTokenRequest request;
	int64		request_id;
	CallsyncHttpResponse *response;
	CallsyncTokenOutcome outcome;
	TimestampTz settle_again_at;
	int64		skew_ms;
	bool		skew_known;
} CallsyncTokenEntry;

/* The row and the token, in a fresh memory context. Inside a transaction. */
extern void callsync_token_entry_read(CallsyncTokenEntry *entry);

/* A transaction's body: puts the outcome of the entry's renewal into the tables. */
extern void callsync_token_settle_body(void *entry);

#endif
