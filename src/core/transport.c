/*
 * transport.c
 *		See transport.h.
 */
#include "core/transport.h"

#include <string.h>

static const char *const names[CALLSYNC_TRANSPORT_COUNT] = {
	[CALLSYNC_TRANSPORT_OK] = "ok",
	[CALLSYNC_TRANSPORT_RESOLVE_FAILED] = "resolve_failed",
	[CALLSYNC_TRANSPORT_CONNECT_FAILED] = "connect_failed",
	[CALLSYNC_TRANSPORT_REFUSED_ADDRESS] = "refused_address",
	[CALLSYNC_TRANSPORT_TLS_FAILED] = "tls_failed",
	[CALLSYNC_TRANSPORT_TIMEOUT_BEFORE_SEND] = "timeout_before_send",
	[CALLSYNC_TRANSPORT_TIMEOUT_AFTER_SEND] = "timeout_after_send",
	[CALLSYNC_TRANSPORT_RESET] = "reset",
	[CALLSYNC_TRANSPORT_TRUNCATED] = "truncated",
	[CALLSYNC_TRANSPORT_TOO_LARGE] = "too_large",
	[CALLSYNC_TRANSPORT_BAD_ANSWER] = "bad_answer",
	[CALLSYNC_TRANSPORT_BAD_REQUEST] = "bad_request",
	[CALLSYNC_TRANSPORT_CANCELLED] = "cancelled",
	[CALLSYNC_TRANSPORT_LOCAL] = "local"
};

const char *
callsync_transport_name(CallsyncTransport transport)
{
	if ((unsigned) transport >= CALLSYNC_TRANSPORT_COUNT)
		return "unknown";
	return names[transport];
}

bool
callsync_transport_parse(const char *name, size_t len, CallsyncTransport *transport)
{
	for (int i = 0; i < CALLSYNC_TRANSPORT_COUNT; i++)
	{
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
		{
			*transport = (CallsyncTransport) i;
			return true;
		}
	}
	return false;
}
