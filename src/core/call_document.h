/*
 * call_document.h
 *		The shape of a call document: which members it has, and how what people
 *		send becomes one without losing anything.
 *
 * Member names are part of the public face. Whatever is not one of them survives
 * below "fields"; unknown members of known objects stay where they are.
 */
#ifndef CALLSYNC_CORE_CALL_DOCUMENT_H
#define CALLSYNC_CORE_CALL_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * A platform's own data that has no place in the call document is kept below
 * fields.platform: it can be mapped, but it is not something extracted from the talk.
 */
#define CALLSYNC_FIELDS_PLATFORM "platform"

/*
 * Turns a sender's JSON object into a call document (new reference; NULL: not an
 * object, or no memory):
 *	- members of the envelope (event_type, timestamp, event_id) are taken out;
 *	- other spellings of known members get their name (follow_up_task.due_date
 *	  becomes due_at, assigned_to_team becomes team, dialed_number ...);
 *	- known members that were sent inside "fields" (fields.intent,
 *	  fields.call_summary ...) are copied to their place, unless that is taken;
 *	- unknown members move into "fields";
 *	- times given as numbers become ISO 8601 texts, durations numbers, call_id a text.
 * Applied to its own result it changes nothing.
 */
extern json_t *callsync_call_document_normalise(const json_t *body);

/* What the envelope of a sender's JSON object says; members are NULL/false where it is silent. */
typedef struct CallsyncEnvelope
{
	const char *type;			/* event type as sent; borrowed from body */
	const char *event_id;		/* borrowed from body */
	bool		has_time;
	bool		bad_time;		/* a timestamp was there, but could not be read */
	int64_t		time_us;
} CallsyncEnvelope;

extern void callsync_call_document_envelope(const json_t *body, CallsyncEnvelope *envelope);

/*
 * Does the document hold anything that was extracted from the talk (intent, caller's
 * name, answers, fields ...), beyond what the telephone system and the transcript give?
 */
extern bool callsync_call_document_has_extraction(const json_t *document);

/*
 * The document as maps and templates see it: a disposition that stands for "nobody said one"
 * (CALLSYNC_NO_DISPOSITION of core/merge.h) is absent, so that what the map says of a missing
 * value holds, and not a text that no CRM knows. New reference; NULL: no memory.
 */
extern json_t *callsync_call_document_said(const json_t *document);

/* The instant in a member (text or number); false when absent or unreadable. */
extern bool callsync_json_instant(const json_t *value, int64_t *us);

#endif
