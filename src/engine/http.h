/*
 * http.h
 *		Many HTTP exchanges at once, in one process, without threads of our own.
 *
 * Knows requests and responses; knows no CRM and no table. Use:
 *
 *		http = callsync_http_create(worker_context, concurrency);
 *		callsync_http_submit(http, &request, &rejected) ... as many as fit
 *		callsync_http_wait(http, timeout_ms)	the one place where a worker waits
 *		while ((response = callsync_http_next_done(http)) != NULL)
 *			{ look at it; callsync_http_release(response); }
 *
 * None of these functions may be called inside a transaction except next_done,
 * release and the readers of a response.
 */
#ifndef CALLSYNC_ENGINE_HTTP_H
#define CALLSYNC_ENGINE_HTTP_H

#include "core/address.h"
#include "core/transport.h"
#include "datatype/timestamp.h"

#define CALLSYNC_HTTP_CONNECT_TIMEOUT_MS 10000
#define CALLSYNC_HTTP_TIMEOUT_MS 30000
#define CALLSYNC_HTTP_MAX_HEADER_BYTES (64 * 1024)

typedef struct CallsyncHttp CallsyncHttp;

typedef struct CallsyncHttpHeader
{
	const char *name;
	const char *value;			/* no CR, LF or NUL: the request is refused */
} CallsyncHttpHeader;

/* Several users share the machine without seeing each other's responses. */
typedef enum CallsyncHttpChannel
{
	CALLSYNC_HTTP_DELIVERY,		/* the engine */
	CALLSYNC_HTTP_SERVICE,		/* tokens; has a few places of its own */
	CALLSYNC_HTTP_INQUIRY		/* describe and the like; shares those places */
} CallsyncHttpChannel;

#define CALLSYNC_HTTP_CHANNELS 3
#define CALLSYNC_HTTP_SERVICE_PLACES 8

/*
 * What to send. Everything is copied by submit; the caller keeps its own.
 * Zero-initialise it, set what is needed.
 */
typedef struct CallsyncHttpRequest
{
	const char *method;			/* "GET", "POST", ... */
	const char *url;			/* no user or password in it */
	const CallsyncHttpHeader *headers;
	int			nheaders;
	const char *body;			/* NULL = none (not the same as empty) */
	size_t		body_len;
	int			connect_timeout_ms; /* 0 = CALLSYNC_HTTP_CONNECT_TIMEOUT_MS */
	int			timeout_ms;		/* whole exchange; 0 = CALLSYNC_HTTP_TIMEOUT_MS */
	int			max_body;		/* bytes; 0 = callsync.max_body_bytes */

	/*
	 * May the same bytes arrive twice without harm (GET, or a key that the
	 * receiver honours)? Only then libcurl may repeat it when a kept-alive
	 * connection dies without an answer; otherwise that is a RESET.
	 */
	bool		repeatable;

	const CallsyncAddressRule *allow;	/* the destination's allow list */
	int			nallow;
	const char *ca_file;		/* authorities to trust in place of the system's; NULL */
	const char *proxy;			/* NULL = none; the environment is never asked */
	void	   *user;			/* handed back in the response */
	CallsyncHttpChannel channel;	/* who fetches the response */
} CallsyncHttpRequest;

/* Lives in a memory context of its own ("callsync request") until released. */
typedef struct CallsyncHttpResponse
{
	uint64		id;				/* as submit returned it */
	void	   *user;
	CallsyncTransport transport;
	int			status;			/* 0 = none arrived */

	/*
	 * True from the moment in which a connection was ready and libcurl was
	 * allowed to write: what follows may have reached the receiver. False
	 * proves that nothing did.
	 */
	bool		may_have_sent;

	const char *headers;		/* raw, of the final answer; "" = none */
	size_t		headers_len;
	const char *body;			/* never NULL; NUL-terminated beyond body_len */
	size_t		body_len;
	TimestampTz submitted_at;	/* real clock */
	TimestampTz finished_at;
	int64		finished_us;	/* the same by callsync_monotonic_us() */
	int64		connect_us;		/* until the connection (TLS included) was up */
	int64		first_byte_us;	/* until the answer began; 0 = it did not */
	int64		total_us;
	bool		reused;			/* went over a kept-alive connection */
	char		primary_ip[64]; /* "" = no connection was made */
	char		error[256];		/* for people; without credentials. "" = fine */
	MemoryContext context;		/* may hold what belongs to this exchange */
} CallsyncHttpResponse;

/* Why callsync_http_wait() came back; bits. */
#define CALLSYNC_HTTP_WOKEN		0x01	/* the latch was set (and is reset) */
#define CALLSYNC_HTTP_DONE		0x02	/* next_done() has something */
#define CALLSYNC_HTTP_TIMEOUT	0x04	/* timeout_ms went by */

/*
 * Makes the machine; raises where libcurl cannot be used (too old, or without
 * the asynchronous resolver). At most "concurrency" exchanges are in flight.
 */
extern CallsyncHttp *callsync_http_create(MemoryContext parent, int concurrency);
extern void callsync_http_set_concurrency(CallsyncHttp *http, int concurrency);
extern void callsync_http_destroy(CallsyncHttp *http);

/*
 * Starts an exchange. Returns its id (> 0). 0 where the concurrency is used up:
 * try again after a wait. A request that cannot be sent (bad URL, bad header) gets
 * an id as well and is done at once, with transport BAD_REQUEST: one way for all.
 */
extern uint64 callsync_http_submit(CallsyncHttp *http, const CallsyncHttpRequest *request);

/* Ends one exchange early; it is done then, as CANCELLED. False: it is not in flight. */
extern bool callsync_http_cancel(CallsyncHttp *http, uint64 id);

/* Exchanges of all channels in flight (done but not fetched ones do not count), and room for more deliveries. */
extern int	callsync_http_in_flight(const CallsyncHttp *http);
extern int	callsync_http_room(const CallsyncHttp *http);

/*
 * Waits until something is done, MyLatch is set, or timeout_ms is over (-1 = no
 * limit, 0 = only look), and drives all transfers meanwhile. The process ends here
 * when the postmaster is dead. Returns CALLSYNC_HTTP_... bits.
 */
extern int	callsync_http_wait(CallsyncHttp *http, int64 timeout_ms);

/* Does what can be done without waiting. A wake-up stays for callsync_http_wait(). */
extern void callsync_http_drive(CallsyncHttp *http);

/*
 * The next finished exchange of a channel, oldest first; NULL = none. The caller
 * releases it. Without "on": the engine's.
 */
extern CallsyncHttpResponse *callsync_http_next_done_on(CallsyncHttp *http,
														CallsyncHttpChannel channel);
extern CallsyncHttpResponse *callsync_http_next_done(CallsyncHttp *http);
extern void callsync_http_release(CallsyncHttpResponse *response);

/*
 * The n-th (0-based) value of a header, names compared without case; NULL = there
 * is none. The result lives as long as the response.
 */
extern const char *callsync_http_header(CallsyncHttpResponse *response,
										const char *name, int n);

#endif
