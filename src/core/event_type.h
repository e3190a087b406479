/*
 * event_type.h
 *		The types of events in the life of a call, and the many ways to spell them.
 *
 * Spellings are compared without case and with '_', '-', ' ', '/' and ':' read as
 * '.', so the table holds "call.completed" and takes "call_completed" and
 * "Call-Completed" with it.
 */
#ifndef CALLSYNC_CORE_EVENT_TYPE_H
#define CALLSYNC_CORE_EVENT_TYPE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum CallsyncEventType
{
	CALLSYNC_EVENT_STARTED,
	CALLSYNC_EVENT_ENDED,
	CALLSYNC_EVENT_TRANSFERRED,
	CALLSYNC_EVENT_FAILED,
	CALLSYNC_EVENT_TRANSCRIPTION,
	CALLSYNC_EVENT_SENTIMENT,
	CALLSYNC_EVENT_OTHER		/* merged as data, no part in the status */
} CallsyncEventType;

#define CALLSYNC_EVENT_TYPES 6

/* The canonical name ("call.ended"); NULL for OTHER. */
extern const char *callsync_event_type_name(CallsyncEventType type);

/* Resolves a canonical name or an alias; OTHER for anything else. */
extern CallsyncEventType callsync_event_type_find(const char *name, size_t len);

#endif
