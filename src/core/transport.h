/*
 * transport.h
 *		What became of one HTTP exchange below the level of HTTP.
 *
 * The words (callsync_transport_name) are the ones that connector documents use
 * in their rules: {"transport": ["timeout_after_send", "reset"]}.
 */
#ifndef CALLSYNC_CORE_TRANSPORT_H
#define CALLSYNC_CORE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum CallsyncTransport
{
	CALLSYNC_TRANSPORT_OK,		/* a complete answer; look at the status */
	CALLSYNC_TRANSPORT_RESOLVE_FAILED,	/* the name has no address */
	CALLSYNC_TRANSPORT_CONNECT_FAILED,	/* refused, unreachable, or lost before TLS was up */
	CALLSYNC_TRANSPORT_REFUSED_ADDRESS, /* the address filter said no */
	CALLSYNC_TRANSPORT_TLS_FAILED,	/* certificate or handshake */
	CALLSYNC_TRANSPORT_TIMEOUT_BEFORE_SEND,
	CALLSYNC_TRANSPORT_TIMEOUT_AFTER_SEND,
	CALLSYNC_TRANSPORT_RESET,	/* connection lost, no answer */
	CALLSYNC_TRANSPORT_TRUNCATED,	/* the answer stopped half-way; status is known */
	CALLSYNC_TRANSPORT_TOO_LARGE,	/* the answer went over the cap; status is known */
	CALLSYNC_TRANSPORT_BAD_ANSWER,	/* no HTTP, or a broken encoding */
	CALLSYNC_TRANSPORT_BAD_REQUEST, /* URL or header that cannot be sent */
	CALLSYNC_TRANSPORT_CANCELLED,	/* taken back by callsync_http_cancel() */
	CALLSYNC_TRANSPORT_LOCAL	/* out of descriptors or memory on this side */
} CallsyncTransport;

#define CALLSYNC_TRANSPORT_COUNT (CALLSYNC_TRANSPORT_LOCAL + 1)

/* "ok", "timeout_after_send", ...; never NULL. */
extern const char *callsync_transport_name(CallsyncTransport transport);

/* The other way round; false where the word is unknown. */
extern bool callsync_transport_parse(const char *name, size_t len,
									 CallsyncTransport *transport);

#endif
