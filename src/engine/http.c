/*
 * http.c
 *		libcurl's multi interface, driven by the worker's own wait.
 *
 * libcurl tells by callbacks which sockets it wants watched and when it wants to
 * be called again; the callbacks only record. Everything happens in
 * callsync_http_wait(): wait, tell libcurl what is ready, collect what is done.
 */
#include "postgres.h"

#include <curl/curl.h>
#include <signal.h>

#include "lib/ilist.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "engine/http_transfer.h"
#include "pg/clock.h"

/* 7.88: fixed bugs in connection reuse; PROTOCOLS_STR, PREREQFUNCTION and ..._T are older */
#define CURL_FLOOR 0x075800
StaticAssertDecl(LIBCURL_VERSION_NUM >= CURL_FLOOR, "callsync needs libcurl 7.88 or later");

#define READY_AT_ONCE 256

/*
 * A call that may start a resolver thread runs with all signals blocked: the
 * thread inherits that and never runs one of the server's handlers.
 */
static void
block_signals(sigset_t *save)
{
	sigprocmask(SIG_SETMASK, &BlockSig, save);
}

static void
unblock_signals(const sigset_t *save)
{
	sigprocmask(SIG_SETMASK, save, NULL);
}

/* ---- callbacks: record only ---- */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	CallsyncHttp *http = arg;
	int			events = 0;

	if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
		events |= CALLSYNC_POLL_IN;
	if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
		events |= CALLSYNC_POLL_OUT;
	if (!callsync_poll_want(http->poll, fd, events))
		http->failed = true;
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	CallsyncHttp *http = arg;

	http->timer_us = timeout_ms < 0 ? -1 : callsync_monotonic_us() + timeout_ms * INT64CONST(1000);
	return 0;
}

/* ---- the machine ---- */

static void
init_curl(void)
{
	static bool initialized = false;
	curl_version_info_data *info;
	sigset_t	save;

	if (initialized)
		return;
	block_signals(&save);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
	{
		unblock_signals(&save);
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("could not initialize libcurl")));
	}
	unblock_signals(&save);

	info = curl_version_info(CURLVERSION_NOW);
	if (info->version_num < CURL_FLOOR)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("libcurl %s is too old", info->version),
				 errhint("callsync needs libcurl 7.88 or later.")));
	if (!(info->features & CURL_VERSION_ASYNCHDNS))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("libcurl was built without an asynchronous resolver"),
				 errdetail("A slow name server would stop all deliveries."),
				 errhint("Use a libcurl with the feature AsynchDNS, see curl --version.")));
	if (!(info->features & CURL_VERSION_SSL))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("libcurl was built without TLS")));
	initialized = true;
}

CallsyncHttp *
callsync_http_create(MemoryContext parent, int concurrency)
{
	MemoryContext context;
	CallsyncHttp *http;

	init_curl();
	context = AllocSetContextCreate(parent, "callsync http", ALLOCSET_DEFAULT_SIZES);
	http = MemoryContextAllocZero(context, sizeof(CallsyncHttp));
	http->context = context;
	http->timer_us = -1;
	dlist_init(&http->active);
	for (int i = 0; i < CALLSYNC_HTTP_CHANNELS; i++)
		dlist_init(&http->done[i]);
	http->poll = callsync_poll_create(context);
	http->multi = curl_multi_init();
	if (http->multi == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory")));
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	callsync_http_set_concurrency(http, concurrency);
	return http;
}

void
callsync_http_set_concurrency(CallsyncHttp *http, int concurrency)
{
	http->concurrency = Min(Max(concurrency, 1), CALLSYNC_MAX_HTTP_CONCURRENCY);

	/* idle connections kept; without a limit libcurl keeps four per handle */
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long) http->concurrency);
}

/* Gives back what libcurl holds; "data" of the buffers stays for the reader. */
static void
drop_handle(CallsyncTransfer *transfer)
{
	CallsyncHttp *http = transfer->http;

	if (transfer->easy != NULL)
	{
		(void) curl_multi_remove_handle(http->multi, transfer->easy);
		if (http->nidle < http->concurrency)
		{
			/* forgets all options, keeps buffers and TLS sessions */
			curl_easy_reset(transfer->easy);
			http->idle[http->nidle++] = transfer->easy;
		}
		else
			curl_easy_cleanup(transfer->easy);
		transfer->easy = NULL;
		http->in_flight--;
		if (transfer->channel == CALLSYNC_HTTP_DELIVERY)
			http->deliveries_in_flight--;
	}
	curl_slist_free_all(transfer->headers);
	transfer->headers = NULL;
}

/* The request context goes: at release, or by an ERROR that takes the process. */
static void
transfer_gone(void *arg)
{
	CallsyncTransfer *transfer = arg;

	if (transfer->http != NULL)
	{
		sigset_t	save;

		block_signals(&save);
		drop_handle(transfer);
		unblock_signals(&save);
		dlist_delete(&transfer->node);
	}
	else
		curl_slist_free_all(transfer->headers);
	free(transfer->head.data);
	if (transfer->body.data != NULL)
		explicit_bzero(transfer->body.data, transfer->body.size);	/* may be a token */
	free(transfer->body.data);
	transfer->http = NULL;
}

void
callsync_http_destroy(CallsyncHttp *http)
{
	sigset_t	save;

	while (!dlist_is_empty(&http->active))
		MemoryContextDelete(dlist_head_element(CallsyncTransfer, node, &http->active)->response.context);
	for (int i = 0; i < CALLSYNC_HTTP_CHANNELS; i++)
	{
		while (!dlist_is_empty(&http->done[i]))
			MemoryContextDelete(dlist_head_element(CallsyncTransfer, node, &http->done[i])->response.context);
	}

	/* QUICK_EXIT on every handle: does not wait for a resolver that hangs */
	block_signals(&save);
	while (http->nidle > 0)
		curl_easy_cleanup(http->idle[--http->nidle]);
	curl_multi_cleanup(http->multi);
	unblock_signals(&save);
	callsync_poll_destroy(http->poll);
	MemoryContextDelete(http->context);
}

int
callsync_http_in_flight(const CallsyncHttp *http)
{
	return http->in_flight;
}

int
callsync_http_room(const CallsyncHttp *http)
{
	return Max(http->concurrency - http->deliveries_in_flight, 0);
}

/* ---- a request begins ---- */

/* Ends a transfer that never got under way. */
static void
done_at_once(CallsyncTransfer *transfer, CallsyncTransport transport, const char *error)
{
	CallsyncHttpResponse *response = &transfer->response;

	response->transport = transport;
	response->finished_at = GetCurrentTimestamp();
	response->finished_us = callsync_monotonic_us();
	strlcpy(response->error, error, sizeof(response->error));
	dlist_delete(&transfer->node);
	dlist_push_tail(&transfer->http->done[transfer->channel], &transfer->node);
}

uint64
callsync_http_submit(CallsyncHttp *http, const CallsyncHttpRequest *request)
{
	MemoryContext context;
	MemoryContext old;
	MemoryContextCallback *callback;
	CallsyncTransfer *transfer;
	const char *fault;
	CURLMcode	added;
	sigset_t	save;

	if (request->channel == CALLSYNC_HTTP_DELIVERY ?
		http->deliveries_in_flight >= http->concurrency :
		http->in_flight - http->deliveries_in_flight >= CALLSYNC_HTTP_SERVICE_PLACES)
		return 0;

	context = AllocSetContextCreate(http->context, "callsync request", ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	transfer = palloc0(sizeof(CallsyncTransfer));
	transfer->response.id = ++http->last_id;
	transfer->response.user = request->user;
	transfer->channel = request->channel;
	transfer->response.context = context;
	transfer->response.headers = "";
	transfer->response.body = "";
	transfer->response.submitted_at = GetCurrentTimestamp();
	transfer->http = http;
	transfer->max_body = request->max_body > 0 ? request->max_body : callsync_max_body_bytes;
	transfer->repeatable = request->repeatable;
	transfer->plain_http = pg_strncasecmp(request->url ? request->url : "", "https:", 6) != 0;
	if (request->nallow > 0)
	{
		transfer->allow = memcpy(palloc(sizeof(CallsyncAddressRule) * request->nallow),
								 request->allow, sizeof(CallsyncAddressRule) * request->nallow);
		transfer->nallow = request->nallow;
	}
	dlist_push_tail(&http->active, &transfer->node);
	callback = palloc0(sizeof(MemoryContextCallback));
	callback->func = transfer_gone;
	callback->arg = transfer;
	MemoryContextRegisterResetCallback(context, callback);

	fault = callsync_transfer_fault(request);
	if (fault != NULL)
	{
		done_at_once(transfer, CALLSYNC_TRANSPORT_BAD_REQUEST, fault);
		MemoryContextSwitchTo(old);
		return transfer->response.id;
	}

	if (http->nidle > 0)
		transfer->easy = http->idle[--http->nidle];
	else
		transfer->easy = curl_easy_init();
	if (transfer->easy == NULL || !callsync_transfer_prepare(transfer, request))
	{
		if (transfer->easy != NULL)
			curl_easy_cleanup(transfer->easy);
		transfer->easy = NULL;
		done_at_once(transfer, CALLSYNC_TRANSPORT_LOCAL, "out of memory");
		MemoryContextSwitchTo(old);
		return transfer->response.id;
	}
	MemoryContextSwitchTo(old);

	block_signals(&save);
	added = curl_multi_add_handle(http->multi, transfer->easy);
	unblock_signals(&save);
	if (added != CURLM_OK)
	{
		curl_easy_cleanup(transfer->easy);
		transfer->easy = NULL;
		done_at_once(transfer, CALLSYNC_TRANSPORT_LOCAL, curl_multi_strerror(added));
		return transfer->response.id;
	}
	http->in_flight++;
	if (transfer->channel == CALLSYNC_HTTP_DELIVERY)
		http->deliveries_in_flight++;
	return transfer->response.id;
}

/* ---- a request ends ---- */

/* Moves a transfer to the done list. Signals are blocked. */
static void
finish(CallsyncTransfer *transfer, CURLcode code)
{
	CallsyncHttp *http = transfer->http;

	callsync_transfer_finish(transfer, code);
	drop_handle(transfer);
	dlist_delete(&transfer->node);
	dlist_push_tail(&http->done[transfer->channel], &transfer->node);
}

/* Moves finished transfers to the done list. Signals are blocked. */
static void
collect(CallsyncHttp *http)
{
	CURLMsg    *message;
	int			left;

	while ((message = curl_multi_info_read(http->multi, &left)) != NULL)
	{
		char	   *private = NULL;
		CURLcode	code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void) curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
		finish((CallsyncTransfer *) private, code);
	}
}

bool
callsync_http_cancel(CallsyncHttp *http, uint64 id)
{
	dlist_iter	iter;

	dlist_foreach(iter, &http->active)
	{
		CallsyncTransfer *transfer = dlist_container(CallsyncTransfer, node, iter.cur);
		sigset_t	save;

		if (transfer->response.id != id)
			continue;
		block_signals(&save);
		finish(transfer, CURLE_ABORTED_BY_CALLBACK);
		unblock_signals(&save);
		transfer->response.transport = CALLSYNC_TRANSPORT_CANCELLED;
		strlcpy(transfer->response.error, "cancelled", sizeof(transfer->response.error));
		return true;
	}
	return false;
}

/* ---- driving ---- */

/* Tells libcurl what is ready and what time it is, and collects what is done. */
static void
drive(CallsyncHttp *http, const CallsyncPollReady *ready, int nready)
{
	sigset_t	save;
	int			running;

	block_signals(&save);
	for (int i = 0; i < nready; i++)
	{
		int			mask = 0;

		if (ready[i].events & CALLSYNC_POLL_IN)
			mask |= CURL_CSELECT_IN;
		if (ready[i].events & CALLSYNC_POLL_OUT)
			mask |= CURL_CSELECT_OUT;
		if (ready[i].events & CALLSYNC_POLL_ERR)
			mask |= CURL_CSELECT_ERR;
		(void) curl_multi_socket_action(http->multi, ready[i].fd, mask, &running);
	}
	if (http->timer_us >= 0 && callsync_monotonic_us() >= http->timer_us)
	{
		/* libcurl calls the timer callback again if it still needs one */
		http->timer_us = -1;
		(void) curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
	collect(http);
	unblock_signals(&save);

	if (http->failed)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("A socket could not be watched.")));
}

static bool
anything_done(CallsyncHttp *http)
{
	for (int i = 0; i < CALLSYNC_HTTP_CHANNELS; i++)
	{
		if (!dlist_is_empty(&http->done[i]))
			return true;
	}
	return false;
}

void
callsync_http_drive(CallsyncHttp *http)
{
	CallsyncPollReady ready[READY_AT_ONCE];
	bool		woken;
	int			nready = callsync_poll_wait(http->poll, 0, ready, READY_AT_ONCE, &woken);

	drive(http, ready, nready);
	if (woken)
		SetLatch(MyLatch);
}

int
callsync_http_wait(CallsyncHttp *http, int64 timeout_ms)
{
	int64		until = timeout_ms < 0 ? PG_INT64_MAX : callsync_monotonic_us() + Min(timeout_ms, INT64CONST(1000000000)) * 1000;
	int			result = 0;

	/* start what was submitted, fire what is due, before looking at the sockets */
	drive(http, NULL, 0);
	for (;;)
	{
		CallsyncPollReady ready[READY_AT_ONCE];
		int64		now = callsync_monotonic_us();
		int64		wait_until = until;
		int64		wait_ms;
		bool		woken;
		int			nready;

		if (http->timer_us >= 0)
			wait_until = Min(wait_until, http->timer_us);
		if (anything_done(http))
			wait_until = now;
		if (wait_until == PG_INT64_MAX)
			wait_ms = -1;
		else
			wait_ms = wait_until <= now ? 0 : Min((wait_until - now + 999) / 1000, PG_INT32_MAX);

		nready = callsync_poll_wait(http->poll, wait_ms, ready, READY_AT_ONCE, &woken);
		drive(http, ready, nready);

		if (woken)
			result |= CALLSYNC_HTTP_WOKEN;
		if (anything_done(http))
			result |= CALLSYNC_HTTP_DONE;
		if (result == 0 && callsync_monotonic_us() >= until)
			result |= CALLSYNC_HTTP_TIMEOUT;
		if (result != 0)
			return result;
	}
}

CallsyncHttpResponse *
callsync_http_next_done_on(CallsyncHttp *http, CallsyncHttpChannel channel)
{
	CallsyncTransfer *transfer;

	if (dlist_is_empty(&http->done[channel]))
		return NULL;
	transfer = dlist_container(CallsyncTransfer, node, dlist_pop_head_node(&http->done[channel]));
	transfer->http = NULL;		/* the caller's from now on */
	return &transfer->response;
}

CallsyncHttpResponse *
callsync_http_next_done(CallsyncHttp *http)
{
	return callsync_http_next_done_on(http, CALLSYNC_HTTP_DELIVERY);
}

void
callsync_http_release(CallsyncHttpResponse *response)
{
	MemoryContextDelete(response->context);
}
