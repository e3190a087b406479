/*
 * token.h
 *		Rows of callsync.token and what goes with them: the secrets, the record of the
 *		exchange, the columns of destination_state that people see.
 *
 * All of these need a transaction and an SPI connection.
 */
#ifndef CALLSYNC_STORE_TOKEN_H
#define CALLSYNC_STORE_TOKEN_H

#include "datatype/timestamp.h"

typedef enum CallsyncTokenRowState
{
	CALLSYNC_TOKEN_ROW_VALID,	/* the last renewal was fine (the token may have expired since) */
	CALLSYNC_TOKEN_ROW_FAILING, /* the last renewal failed, for a reason that may pass */
	CALLSYNC_TOKEN_ROW_DEAD		/* the credential was refused: reauth_required */
} CallsyncTokenRowState;

typedef struct CallsyncTokenRow
{
	int64		version;		/* 0: there is no row */
	CallsyncTokenRowState state;
	TimestampTz obtained_at;	/* 0: never */
	TimestampTz expires_at;		/* 0: not known */
	TimestampTz renew_at;		/* 0: not before a refusal */
	char	   *base_url;		/* NULL: none */
	int			failures;
	TimestampTz next_try_at;	/* 0: any time */
	char	   *error;			/* NULL: none */
	char	   *started_by;		/* NULL: no renewal is open */
	int			generation;		/* the destination's at the last try */
} CallsyncTokenRow;

/* Texts are copied into context. lock: for update. */
extern void callsync_token_row_read(const char *destination, bool lock,
									CallsyncTokenRow *row, MemoryContext context);

/* Is this still how the destination is configured? */
extern bool callsync_token_is_current(const char *destination, int generation);

/*
 * A renewal begins: marks the row, and records the exchange, whose id is returned.
 * To be committed before the request leaves.
 */
extern int64 callsync_token_row_begin(const char *destination, int generation, const char *worker,
									  const char *method, const char *url, TimestampTz now);

/* It ended with a new token; refresh NULL: the old one stays. Returns the version. */
extern int64 callsync_token_row_granted(const char *destination, const char *access,
										const char *refresh, const CallsyncTokenRow *row);

/* It ended without; of row: state, failures, next_try_at and error. */
extern void callsync_token_row_failed(const char *destination, const CallsyncTokenRow *row);

/* The record of the exchange; status 0: none arrived. */
extern void callsync_token_exchange_end(int64 request_id, int status, const char *outcome,
										const char *error_class, const char *message,
										double duration_ms, TimestampTz now);

/* A credential was set anew: what was made from the old one is forgotten. */
extern void callsync_token_forget(const char *destination);
/* The credential is not one that needs a token (any more): nothing is left of an earlier one. */
extern void callsync_token_not_needed(const char *destination);

#endif
