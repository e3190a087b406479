/*
 * merge.h
 *		One call record from any number of events, in any order, any number of
 *		times each.
 *
 * The record is a pure function of the *set* of events. Events are applied one by
 * one to a state that is stored between them (columns document and merge_state of
 * callsync.call), and every order and repetition ends in the same bytes:
 *
 *	- each leaf of the document (a scalar, an array, an explicit null) keeps the
 *	  value of the event with the latest event time; ties go to the higher
 *	  tie_break, then to the greater value;
 *	- objects merge member by member; an explicit null clears, with its time, and
 *	  so does a scalar that a later event puts where an object was;
 *	- once a call has ended, a call.failed event no longer overwrites what is
 *	  known as of the end (values of event times at or after the call.ended);
 *	- values that follow from others (ended_at from the event's time, duration_s
 *	  from the two ends, disposition NO_DISPOSITION ...) are put in where no event
 *	  says them, and are marked in merge_state so that they never count as said.
 *
 * The newcomer's mistake: tie_break must not depend on the order of arrival. For
 * webhooks it is the hash in event.tie_break. Only events of a user's table, which
 * have no id of their own (tie_break 0), pass event.id, which is their order.
 *
 * Use:
 *		m = callsync_merge_begin(document, merge_state);	both NULL: a new call
 *		callsync_merge_event(m, &event);					once per event
 *		callsync_merge_result(m, expected, &result);
 *		... result.document, result.merge_state are new references ...
 *		callsync_merge_result_clear(&result);
 *		callsync_merge_end(m);
 *
 * Memory is malloc (jansson's too), owned by the CallsyncMerge: rows above attach
 * callsync_merge_end to a memory context by a reset callback.
 */
#ifndef CALLSYNC_CORE_MERGE_H
#define CALLSYNC_CORE_MERGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/event_type.h"

typedef struct CallsyncMerge CallsyncMerge;

typedef struct CallsyncMergeEvent
{
	const char *type;			/* as sent or canonical; NULL: data only */
	int64_t		event_time_us;	/* since 1970; the sender's, else the receipt's */
	int64_t		tie_break;
	int64_t		received_us;	/* when it was captured */
	/*
	 * An event of a table's row: a member that is absent was never mapped, so
	 * its absence says nothing (no NO_DISPOSITION), and event_time is the time of
	 * the write, not of what happened in the call.
	 */
	bool		whole_row;
	const json_t *document;		/* a call document (core/call_document.h); borrowed */
} CallsyncMergeEvent;

/* Never goes back as events are added. */
typedef enum CallsyncCallStatus
{
	CALLSYNC_CALL_UNKNOWN,		/* nothing of the call's course is known */
	CALLSYNC_CALL_IN_PROGRESS,
	CALLSYNC_CALL_TRANSFERRED,
	CALLSYNC_CALL_ENDED,
	CALLSYNC_CALL_FAILED,
	CALLSYNC_CALL_COMPLETE		/* all expected events are in */
} CallsyncCallStatus;

extern const char *callsync_call_status_name(CallsyncCallStatus status);

/* Two events that cannot both be the whole truth. Bits of result.conflicts. */
#define CALLSYNC_CONFLICT_FAILED_AFTER_ENDED	0x01
#define CALLSYNC_CONFLICT_ENDED_AFTER_FAILED	0x02
#define CALLSYNC_CONFLICT_STARTED_AFTER_END		0x04

/* What a person may want to look at. Bits of result.flags. */
#define CALLSYNC_FLAG_NO_DISPOSITION		0x01	/* ended or failed without an outcome */
#define CALLSYNC_FLAG_TRANSFER_UNSPECIFIED	0x02	/* transferred, and nobody said why */
#define CALLSYNC_FLAG_CALL_FAILED			0x04	/* technical failure: do not re-dial blindly */
#define CALLSYNC_FLAG_TRANSCRIPT_ONLY		0x08	/* words but no extracted value: not usable */
#define CALLSYNC_FLAG_CONFLICT				0x10	/* conflicts is not empty */
#define CALLSYNC_FLAG_START_ASSUMED			0x20	/* no event tells when the call was: the first sign of it */

/* Bit number -> text of the columns conflicts and flags; NULL beyond the last. */
extern const char *callsync_conflict_name(int bit);
extern const char *callsync_flag_name(int bit);

/* Flags that ask for a person (review), as a mask. */
#define CALLSYNC_FLAGS_REVIEW \
	(CALLSYNC_FLAG_NO_DISPOSITION | CALLSYNC_FLAG_TRANSFER_UNSPECIFIED | \
	 CALLSYNC_FLAG_CALL_FAILED | CALLSYNC_FLAG_CONFLICT)

/* Disposition that stands for "the call is over and nobody knows how it went". */
#define CALLSYNC_NO_DISPOSITION "NO_DISPOSITION"
#define CALLSYNC_REASON_UNSPECIFIED "unspecified"

#define CALLSYNC_NO_TIME INT64_MIN

typedef struct CallsyncMergeResult
{
	json_t	   *document;		/* new reference */
	json_t	   *merge_state;	/* new reference; object */
	json_t	   *events;			/* new reference; array of the types seen, sorted */
	json_t	   *missing;		/* new reference; array of the expected types not seen */
	CallsyncCallStatus status;
	unsigned	conflicts;
	unsigned	flags;
	bool		extraction;		/* stage extraction reached; else intake */
	/* microseconds since 1970, or CALLSYNC_NO_TIME */
	int64_t		started_at_us;
	int64_t		ended_at_us;
	int64_t		complete_at_us; /* event time of the last expected event */
	int64_t		intake_at_us;	/* received_us of the first event */
	int64_t		extraction_at_us;	/* received_us of the first event with extracted values */
} CallsyncMergeResult;

/* NULL: merge_state is not one of ours, or out of memory. Both arguments are borrowed. */
extern CallsyncMerge *callsync_merge_begin(const json_t *document, const json_t *merge_state);

/* False: out of memory (the state is as before). */
extern bool callsync_merge_event(CallsyncMerge *merge, const CallsyncMergeEvent *event);

/*
 * expected: array of event types; "call.ended" in it means ended or failed, and a
 * failed call needs no "transcription.complete". NULL: the catalogue's set, see
 * callsync_merge_default_expected(). False: out of memory.
 */
extern bool callsync_merge_result(CallsyncMerge *merge, const json_t *expected,
								  CallsyncMergeResult *result);
extern void callsync_merge_result_clear(CallsyncMergeResult *result);
extern void callsync_merge_end(CallsyncMerge *merge);

/* ["call.started", "call.ended", "transcription.complete"]; new reference. */
extern json_t *callsync_merge_default_expected(void);

/*
 * The status of a set of events, given as bits 1 << CallsyncEventType: the rule
 * that callsync_merge_result() applies.
 */
extern CallsyncCallStatus callsync_call_status(unsigned seen, const json_t *expected);

#endif
