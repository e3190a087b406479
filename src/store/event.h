/*
 * event.h
 *		Reading events for the merge.
 */
#ifndef CALLSYNC_STORE_EVENT_H
#define CALLSYNC_STORE_EVENT_H

#include "datatype/timestamp.h"

/* Texts are palloc'ed in the context given. */
typedef struct CallsyncEventRecord
{
	int64		id;
	char	   *source;
	char	   *call_id;
	char	   *type;			/* NULL: not known */
	TimestampTz event_time;		/* received_at where the event has none */
	TimestampTz received_at;
	int64		tie_break;
	char	   *body;			/* NUL-terminated behind body_len; NULL: by reference, or forgotten */
	size_t		body_len;
	char	   *headers;		/* JSON text, or NULL */
	bool		from_table;		/* an event of a table row */
	char	   *source_kind;	/* NULL: the source is gone */
	char	   *source_options; /* JSON text, or NULL */
} CallsyncEventRecord;

/* The events with these ids, in id order. Rows captured by reference are read from their table. */
extern int	callsync_event_load(const int64 *ids, int n, MemoryContext mcxt,
								CallsyncEventRecord **events);

/* All accepted events that a call's row lists (replay). */
extern int	callsync_event_load_call(const char *source, const char *call_id, MemoryContext mcxt,
									 CallsyncEventRecord **events);

/* Default region of the source's phone numbers; NULL: none, or no such source. */
extern char *callsync_source_region(const char *source, MemoryContext mcxt);

#endif
