/*
 * preset.h
 *		How a platform's webhook becomes an event of a call, as data.
 *
 * A preset is a JSON document (sql/presets/NAME.json, table callsync.source_kind);
 * a source's options are laid over it. No platform is known here. ingest() uses it
 * to find call id, type, time and key; the worker uses it again, on the stored
 * body, for the call document: the same preset must serve both, so that a corrected
 * mapping can be replayed over what was kept.
 *
 * The format is doc/ingest.md, "Presets".
 */
#ifndef CALLSYNC_CORE_PRESET_H
#define CALLSYNC_CORE_PRESET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/docerror.h"

typedef struct CallsyncPreset CallsyncPreset;

/*
 * document: column document of callsync.source_kind; options: those of the source
 * (NULL or {}: none). Both are borrowed for the life of the preset by reference
 * count. NULL + err when the document is not usable.
 */
extern CallsyncPreset *callsync_preset_parse(const json_t *document, const json_t *options,
											 CallsyncDocError *err);
extern void callsync_preset_free(CallsyncPreset *preset);

/* Array of event types a call of this source should get; borrowed, never NULL. */
extern const json_t *callsync_preset_expected(const CallsyncPreset *preset);

/* For ingest(): what of the source and its kind concerns the front door. Borrowed. */
extern const json_t *callsync_preset_schemes(const CallsyncPreset *preset); /* array, core/signature.h */
extern int64_t callsync_preset_tolerance_s(const CallsyncPreset *preset);	/* -1: as the scheme says */
extern bool callsync_preset_takes_unsigned(const CallsyncPreset *preset);	/* where no secret is set */
extern int64_t callsync_preset_max_body(const CallsyncPreset *preset);
extern const json_t *callsync_preset_mask(const CallsyncPreset *preset);	/* array of texts, may be empty */
extern const char *callsync_preset_url(const CallsyncPreset *preset);	/* the public URL, NULL: not set */

#define CALLSYNC_CALL_ID_MAX 512
#define CALLSYNC_EVENT_KEY_MAX 512
#define CALLSYNC_EVENT_TYPE_MAX 100
#define CALLSYNC_PRESET_TYPES 4

/* Whether a webhook can become an event; CallsyncPresetEvent.detail says more. */
typedef enum CallsyncPresetVerdict
{
	CALLSYNC_PRESET_OK,
	CALLSYNC_PRESET_IGNORED,	/* a kind of message that is no event of a call; kept, not merged */
	CALLSYNC_PRESET_BAD_UTF8,
	CALLSYNC_PRESET_BAD_JSON,	/* not JSON, a member twice, too deep, numbers beyond double, NUL */
	CALLSYNC_PRESET_BAD_FORM,
	CALLSYNC_PRESET_NOT_AN_OBJECT,
	CALLSYNC_PRESET_NO_CALL_ID,
	CALLSYNC_PRESET_BAD_CALL_ID,	/* longer than CALLSYNC_CALL_ID_MAX, or not a text or number */
	CALLSYNC_PRESET_NO_MEMORY
} CallsyncPresetVerdict;

typedef struct CallsyncPresetEvent
{
	char		call_id[CALLSYNC_CALL_ID_MAX + 1];
	/*
	 * What the webhook stands for; often one, but a report at the end of a call may
	 * bring the transcript too. Canonical or as sent; types[0] goes into event.type.
	 */
	int			ntypes;
	char		types[CALLSYNC_PRESET_TYPES][CALLSYNC_EVENT_TYPE_MAX + 1];
	bool		has_time;		/* else the receipt's time stands in */
	int64_t		time_us;
	char		event_key[CALLSYNC_EVENT_KEY_MAX + 1];	/* the sender's id of the event; "": none, take the body's hash */
	json_t	   *document;		/* call document (new reference), when asked for; else NULL */
	char		detail[200];	/* the reason for a verdict that is not OK; never quotes values of the body */
} CallsyncPresetEvent;

/*
 * headers: object of names in lower case -> text, as stored in event.headers; may
 * be NULL. with_document false: only the envelope (cheaper). Free
 * event->document after OK.
 */
extern CallsyncPresetVerdict callsync_preset_apply(const CallsyncPreset *preset,
												   const char *body, size_t body_len,
												   const json_t *headers, bool with_document,
												   CallsyncPresetEvent *event);

/*
 * For the worker: applies the preset to a stored body and the result to the merge.
 * event_time_us, tie_break, received_us: columns of the event (its time is kept
 * as ingest found it). Anything but OK leaves the merge as it was.
 */
struct CallsyncMerge;
extern CallsyncPresetVerdict callsync_preset_merge(const CallsyncPreset *preset,
												   const char *body, size_t body_len,
												   const json_t *headers,
												   int64_t event_time_us, int64_t tie_break,
												   int64_t received_us,
												   struct CallsyncMerge *merge);
#endif
