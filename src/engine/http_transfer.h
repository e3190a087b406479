/*
 * http_transfer.h
 *		What the parts of http.c share: one exchange, and the machine around it.
 *		Nobody else includes this.
 *
 *		http.c				the machine: begin, wait, drive, end
 *		http_request.c		a request's options, and the callbacks of libcurl
 *		http_response.c		what became of it, in our words
 *		http_poll.c			sockets and the wait
 */
#ifndef CALLSYNC_ENGINE_HTTP_TRANSFER_H
#define CALLSYNC_ENGINE_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "lib/ilist.h"

#include "engine/http.h"
#include "engine/http_poll.h"
#include "pg/guc.h"

/* A bounded malloc'ed buffer: it grows inside libcurl's callbacks. */
typedef struct CallsyncHttpBuffer
{
	char	   *data;
	size_t		len;
	size_t		size;
} CallsyncHttpBuffer;

typedef struct CallsyncTransfer
{
	CallsyncHttpResponse response;	/* first: release() casts back */
	dlist_node	node;			/* in http->active or one of http->done */
	CallsyncHttpChannel channel;
	CallsyncHttp *http;			/* NULL: the machine is gone */
	CURL	   *easy;			/* NULL once it is done */
	struct curl_slist *headers;
	CallsyncHttpBuffer head;
	CallsyncHttpBuffer body;
	const CallsyncAddressRule *allow;
	int			nallow;
	size_t		max_body;
	bool		plain_http;
	bool		repeatable;

	/* what the callbacks saw */
	int			starts;			/* times libcurl began to write a request */
	bool		repeat_refused;
	bool		too_large;
	bool		out_of_memory;
	bool		out_of_descriptors;
	CallsyncAddressVerdict verdict; /* of the last address refused */
	char		refused[64];	/* that address; "" = none was */
	char		error[CURL_ERROR_SIZE];
} CallsyncTransfer;

struct CallsyncHttp
{
	MemoryContext context;
	CURLM	   *multi;
	CallsyncPoll *poll;
	int			concurrency;
	int			in_flight;
	int			deliveries_in_flight;
	uint64		last_id;
	int64		timer_us;		/* when libcurl wants to be called; -1 = not at all */
	bool		failed;			/* a callback could not record: out of memory */
	dlist_head	active;
	dlist_head	done[CALLSYNC_HTTP_CHANNELS];
	CURL	   *idle[CALLSYNC_MAX_HTTP_CONCURRENCY + CALLSYNC_HTTP_SERVICE_PLACES];	/* easy handles to use again */
	int			nidle;
};

/* ---- http_request.c ---- */

/* What cannot be sent, as text; NULL = nothing. */
extern const char *callsync_transfer_fault(const CallsyncHttpRequest *request);

/*
 * Sets all options of transfer->easy; false where memory is out or libcurl refuses
 * one. In the memory context of the request.
 */
extern bool callsync_transfer_prepare(CallsyncTransfer *transfer,
									  const CallsyncHttpRequest *request);

/* ---- http_response.c ---- */

/* Fills the response from libcurl's code and from what the callbacks saw. */
extern void callsync_transfer_finish(CallsyncTransfer *transfer, CURLcode code);

#endif
