/*
 * call.h
 *		The merged call rows, as the planner reads and writes them.
 */
#ifndef CALLSYNC_STORE_CALL_H
#define CALLSYNC_STORE_CALL_H

#include "datatype/timestamp.h"

/* Texts are palloc'ed. A call that is not in the table yet has version 0. */
typedef struct CallsyncCallRow
{
	char	   *source;
	char	   *call_id;
	int			version;
	char	   *document;		/* JSON text; NULL: new */
	char	   *merge_state;	/* JSON text; NULL: new */
	char	   *status;
	char	   *stage;
	char	   *events;			/* array literals: {a,b} */
	char	   *expected;
	char	   *conflicts;
	char	   *flags;
	TimestampTz started_at;		/* 0: not known */
	TimestampTz ended_at;
	TimestampTz complete_at;
	TimestampTz captured_at;
	TimestampTz intake_at;
	TimestampTz extraction_at;
	TimestampTz validation_at;
	TimestampTz matching_at;
	int64		last_event_id;
	char	   *event_ids;		/* array literal; NULL: none yet */
} CallsyncCallRow;

/* Fills the rows whose source and call_id are set; those not found get version 0. */
extern void callsync_call_load(CallsyncCallRow *rows, int n, MemoryContext mcxt);

/* Inserts or updates the rows by their key. */
extern void callsync_call_save(const CallsyncCallRow *rows, int n, TimestampTz now);

/* Lists which calls belong to a person; kind: phone, email. Known pairs are skipped. */
extern void callsync_person_key_save(const char *const *sources, const char *const *call_ids,
									 const int64 *keys, const char *const *kinds, int n);

#endif
