/*
 * event_type.c
 *		Canonical event types and their aliases, as one table.
 *
 * What a single platform calls its events belongs into its preset; here stand
 * words that mean the same everywhere.
 */
#include "core/event_type.h"

#include <string.h>

static const char *const names[CALLSYNC_EVENT_TYPES] = {
	[CALLSYNC_EVENT_STARTED] = "call.started",
	[CALLSYNC_EVENT_ENDED] = "call.ended",
	[CALLSYNC_EVENT_TRANSFERRED] = "call.transferred",
	[CALLSYNC_EVENT_FAILED] = "call.failed",
	[CALLSYNC_EVENT_TRANSCRIPTION] = "transcription.complete",
	[CALLSYNC_EVENT_SENTIMENT] = "sentiment.scored",
};

typedef struct Alias
{
	const char *name;
	CallsyncEventType type;
} Alias;

static const Alias aliases[] = {
	{"call.started", CALLSYNC_EVENT_STARTED},
	{"call.start", CALLSYNC_EVENT_STARTED},
	{"call.begin", CALLSYNC_EVENT_STARTED},
	{"call.began", CALLSYNC_EVENT_STARTED},
	{"call.connected", CALLSYNC_EVENT_STARTED},
	{"call.answered", CALLSYNC_EVENT_STARTED},
	{"call.initiated", CALLSYNC_EVENT_STARTED},
	{"call.in.progress", CALLSYNC_EVENT_STARTED},
	{"started", CALLSYNC_EVENT_STARTED},

	{"call.ended", CALLSYNC_EVENT_ENDED},
	{"call.end", CALLSYNC_EVENT_ENDED},
	{"call.completed", CALLSYNC_EVENT_ENDED},
	{"call.complete", CALLSYNC_EVENT_ENDED},
	{"call.finished", CALLSYNC_EVENT_ENDED},
	{"call.hangup", CALLSYNC_EVENT_ENDED},
	{"call.hung.up", CALLSYNC_EVENT_ENDED},
	{"call.disconnected", CALLSYNC_EVENT_ENDED},
	{"end.of.call", CALLSYNC_EVENT_ENDED},
	{"end.of.call.report", CALLSYNC_EVENT_ENDED},
	{"ended", CALLSYNC_EVENT_ENDED},
	{"completed", CALLSYNC_EVENT_ENDED},

	{"call.transferred", CALLSYNC_EVENT_TRANSFERRED},
	{"call.transfer", CALLSYNC_EVENT_TRANSFERRED},
	{"call.escalated", CALLSYNC_EVENT_TRANSFERRED},
	{"call.handed.over", CALLSYNC_EVENT_TRANSFERRED},
	{"call.handoff", CALLSYNC_EVENT_TRANSFERRED},
	{"call.forwarded", CALLSYNC_EVENT_TRANSFERRED},
	{"transferred", CALLSYNC_EVENT_TRANSFERRED},

	{"call.failed", CALLSYNC_EVENT_FAILED},
	{"call.failure", CALLSYNC_EVENT_FAILED},
	{"call.error", CALLSYNC_EVENT_FAILED},
	{"call.errored", CALLSYNC_EVENT_FAILED},
	{"call.initiation.failure", CALLSYNC_EVENT_FAILED},
	{"failed", CALLSYNC_EVENT_FAILED},

	{"transcription.complete", CALLSYNC_EVENT_TRANSCRIPTION},
	{"transcription.completed", CALLSYNC_EVENT_TRANSCRIPTION},
	{"transcription.ready", CALLSYNC_EVENT_TRANSCRIPTION},
	{"transcription.done", CALLSYNC_EVENT_TRANSCRIPTION},
	{"transcript.complete", CALLSYNC_EVENT_TRANSCRIPTION},
	{"transcript.completed", CALLSYNC_EVENT_TRANSCRIPTION},
	{"transcript.ready", CALLSYNC_EVENT_TRANSCRIPTION},
	{"transcript.available", CALLSYNC_EVENT_TRANSCRIPTION},
	{"call.transcribed", CALLSYNC_EVENT_TRANSCRIPTION},

	{"sentiment.scored", CALLSYNC_EVENT_SENTIMENT},
	{"sentiment.score", CALLSYNC_EVENT_SENTIMENT},
	{"sentiment.ready", CALLSYNC_EVENT_SENTIMENT},
	{"sentiment.complete", CALLSYNC_EVENT_SENTIMENT},
	{"sentiment.completed", CALLSYNC_EVENT_SENTIMENT},
	{"sentiment.analyzed", CALLSYNC_EVENT_SENTIMENT},
	{"call.sentiment", CALLSYNC_EVENT_SENTIMENT},
};

const char *
callsync_event_type_name(CallsyncEventType type)
{
	return (unsigned) type < CALLSYNC_EVENT_TYPES ? names[type] : NULL;
}

CallsyncEventType
callsync_event_type_find(const char *name, size_t len)
{
	char		folded[40];

	if (len == 0 || len >= sizeof(folded))
		return CALLSYNC_EVENT_OTHER;
	for (size_t i = 0; i < len; i++)
	{
		char		c = name[i];

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		else if (c != '\0' && strchr("_- /:", c) != NULL)
			c = '.';
		folded[i] = c;
	}
	folded[len] = '\0';
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
	{
		if (strcmp(aliases[i].name, folded) == 0)
			return aliases[i].type;
	}
	return CALLSYNC_EVENT_OTHER;
}
