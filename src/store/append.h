/*
 * append.h
 *		Append events and outbox rows inside the caller's transaction.
 *
 * The only writers of callsync.event and callsync.outbox: the capture trigger,
 * ingest() and the functions that ask for work (resync, redrive ...). No
 * privilege of the current user is consulted, no SQL is run.
 */
#ifndef CALLSYNC_STORE_APPEND_H
#define CALLSYNC_STORE_APPEND_H

#include "datatype/timestamp.h"

#define CALLSYNC_MAX_PERSON_KEYS 8

typedef struct CallsyncEventRow
{
	int64		id;				/* 0: draw one; else from callsync_event_next_id() */
	const char *source;
	const char *call_id;		/* NULL: none found (quarantined) */
	const char *type;			/* NULL: not known */
	TimestampTz event_time;		/* 0 with has_event_time false: NULL */
	bool		has_event_time;
	struct varlena *body;		/* bytea, or NULL */
	struct varlena *headers;	/* jsonb, or NULL */
	int			signature_ok;	/* 1, 0, -1: not checked */
	const char *outcome;		/* accepted | duplicate | rejected | quarantined */
	const char *reason;			/* NULL for accepted */
	const char *event_key;		/* the sender's id of the event, or NULL */
	struct varlena *body_sha256;	/* bytea, or NULL */
	int64		body_bytes;		/* -1: NULL */
	const char *row_key;		/* JSON array of the key columns' text, or NULL */
	Oid			call_table;		/* InvalidOid: NULL */
	int			nkeys;
	int64		keys[CALLSYNC_MAX_PERSON_KEYS]; /* see core/person_key.h */
	int64		tie_break;
} CallsyncEventRow;

typedef struct CallsyncOutboxRow
{
	const char *origin;			/* live | backfill | replay | resync | redrive | review | release */
	const char *source;
	const char *call_id;
	int64		event_id;		/* 0: none */
	const char *destination;	/* NULL: all */
	struct varlena *detail;		/* jsonb, or NULL */
} CallsyncOutboxRow;

/* For who must know the id before the row is made. */
extern int64 callsync_event_next_id(void);

/* Both return the new id. outcome rejected/quarantined is listed in event_unusable too. */
extern int64 callsync_event_append(const CallsyncEventRow *row);
extern int64 callsync_outbox_append(const CallsyncOutboxRow *row);

#endif
