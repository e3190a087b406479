/*
 * errclass.h
 *		The words of the column error_class (CONTRACT), as an enum.
 *
 *	 transient   may pass by itself: retried with back-off
 *	 throttled   the server said not now: retried at the time it named, the
 *	             bucket is paused
 *	 auth        credential refused: refresh once, then the destination stops
 *	 config      permission or schema: this kind of job stops until a person acts
 *	 permanent   this content will never be taken: review at once
 *	 duplicate   the record exists: becomes an update of the id named
 *	 gone        the record addressed does not exist (any more): match again
 *	 partial     some items of a batch failed: look at each item
 *	 uncertain   may have happened: look up by key before anything is sent again
 *	 validation  refused by our own check before sending
 */
#ifndef CALLSYNC_CORE_ERRCLASS_H
#define CALLSYNC_CORE_ERRCLASS_H

typedef enum CallsyncErrorClass
{
	CALLSYNC_CLASS_OK,
	CALLSYNC_CLASS_TRANSIENT,
	CALLSYNC_CLASS_THROTTLED,
	CALLSYNC_CLASS_AUTH,
	CALLSYNC_CLASS_CONFIG,
	CALLSYNC_CLASS_PERMANENT,
	CALLSYNC_CLASS_DUPLICATE,
	CALLSYNC_CLASS_GONE,
	CALLSYNC_CLASS_PARTIAL,
	CALLSYNC_CLASS_UNCERTAIN,
	CALLSYNC_CLASS_VALIDATION
} CallsyncErrorClass;

#define CALLSYNC_CLASS_COUNT 11

/* "ok", "transient", ... */
extern const char *callsync_class_name(CallsyncErrorClass error_class);
/* -1 if it is none of the words */
extern int	callsync_class_from_name(const char *name);

#endif
