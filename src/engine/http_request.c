/*
 * http_request.c
 *		One exchange as libcurl's options, and the callbacks that watch over it.
 *
 * What a newcomer gets wrong:
 * - A callback must not raise, palloc or look for interrupts: a longjmp through
 *	 libcurl leaves it in pieces. Callbacks set flags in the transfer, which
 *	 http_response.c reads.
 * - libcurl resends a request by itself when a kept-alive connection ends without
 *	 a byte of an answer. The receiver may have worked on the first one, so for
 *	 anything that is not repeatable the PREREQ callback refuses the second start.
 * - PREREQ also runs for reused connections, where no socket is opened: it is
 *	 where the address filter sees a connection that another destination opened.
 */
#include "postgres.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "storage/fd.h"
#include "utils/memutils.h"

#include "engine/http_transfer.h"

#define FIRST_BUFFER 4096
#define MAX_CONNECTION_AGE_S 60 /* idle longer: do not reuse, the peer may be closing it */

/* ---- callbacks: record only ---- */

/* Asks the filter; remembers a refusal. */
static bool
may_talk_to(CallsyncTransfer *transfer, const CallsyncAddress *address, int port,
			const char *text)
{
	CallsyncAddressVerdict verdict =
		callsync_address_check(address, (uint16_t) port, transfer->plain_http,
							   transfer->allow, transfer->nallow);

	if (verdict == CALLSYNC_ADDRESS_OK)
		return true;
	transfer->verdict = verdict;
	strlcpy(transfer->refused, text, sizeof(transfer->refused));
	return false;
}

static curl_socket_t
on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *peer)
{
	CallsyncTransfer *transfer = arg;
	CallsyncAddress address;
	char		text[INET6_ADDRSTRLEN] = "";
	int			port;
	int			fd;

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	if (peer->family == AF_INET)
	{
		struct sockaddr_in *in = (struct sockaddr_in *) &peer->addr;

		callsync_address_from_v4(&address, &in->sin_addr);
		inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
		port = ntohs(in->sin_port);
	}
	else if (peer->family == AF_INET6)
	{
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *) &peer->addr;

		callsync_address_from_v6(&address, &in6->sin6_addr);
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
		port = ntohs(in6->sin6_port);
	}
	else
		return CURL_SOCKET_BAD;

	if (!may_talk_to(transfer, &address, port, text))
		return CURL_SOCKET_BAD;
	if (!AcquireExternalFD())
	{
		transfer->out_of_descriptors = true;
		return CURL_SOCKET_BAD;
	}
	fd = socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
	if (fd < 0 || !callsync_poll_opened(transfer->http->poll, fd))
	{
		transfer->out_of_descriptors = true;
		if (fd >= 0)
			close(fd);
		ReleaseExternalFD();
		return CURL_SOCKET_BAD;
	}
	return fd;
}

/* A connection outlives its transfer, so this one gets the machine. */
static int
on_close_socket(void *arg, curl_socket_t fd)
{
	CallsyncHttp *http = arg;

	callsync_poll_closed(http->poll, fd);
	ReleaseExternalFD();
	return close(fd);
}

/* The connection is up and nothing of the request is written yet. */
static int
on_start(void *arg, char *peer_ip, char *local_ip, int peer_port, int local_port)
{
	CallsyncTransfer *transfer = arg;
	CallsyncAddress address;

	if (peer_ip == NULL ||
		!callsync_address_from_host(&address, peer_ip, strlen(peer_ip)) ||
		!may_talk_to(transfer, &address, peer_port, peer_ip))
		return CURL_PREREQFUNC_ABORT;
	if (transfer->starts > 0 && !transfer->repeatable)
	{
		transfer->repeat_refused = true;
		return CURL_PREREQFUNC_ABORT;
	}
	transfer->starts++;
	return CURL_PREREQFUNC_OK;
}

/* Appends within "max" bytes; false where it would be more, or memory is out. */
static bool
append(CallsyncTransfer *transfer, CallsyncHttpBuffer *buffer, const char *data, size_t len, size_t max)
{
	bool		fits = len <= max - buffer->len;

	if (!fits)
	{
		/* the beginning is worth keeping for people to look at */
		len = max - buffer->len;
		transfer->too_large = true;
	}
	if (buffer->len + len + 1 > buffer->size)
	{
		size_t		size = Max(buffer->size * 2, FIRST_BUFFER);
		char	   *bigger;

		while (size < buffer->len + len + 1)
			size *= 2;
		bigger = realloc(buffer->data, size);
		if (bigger == NULL)
		{
			transfer->out_of_memory = true;
			return false;
		}
		buffer->data = bigger;
		buffer->size = size;
	}
	memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
	return fits;
}

static size_t
on_body(char *data, size_t size, size_t n, void *arg)
{
	CallsyncTransfer *transfer = arg;

	return append(transfer, &transfer->body, data, size * n, transfer->max_body) ? size * n : 0;
}

static size_t
on_header(char *data, size_t size, size_t n, void *arg)
{
	CallsyncTransfer *transfer = arg;
	size_t		len = size * n;

	/* of several answers (100 Continue, a retry) only the last one counts */
	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0)
		transfer->head.len = 0;
	return append(transfer, &transfer->head, data, len, CALLSYNC_HTTP_MAX_HEADER_BYTES) ? len : 0;
}

/* ---- options ---- */

/* Characters of a method or a header name (RFC 9110, token). */
static bool
is_token(const char *s)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	if (*s == '\0')
		return false;
	for (; *s; s++)
	{
		if (!((*s >= '0' && *s <= '9') || (*s >= 'A' && *s <= 'Z') ||
			  (*s >= 'a' && *s <= 'z') || strchr(others, *s) != NULL))
			return false;
	}
	return true;
}

const char *
callsync_transfer_fault(const CallsyncHttpRequest *request)
{
	if (request->method == NULL || !is_token(request->method))
		return "the method is not a word";
	if (request->url == NULL || request->url[0] == '\0')
		return "the URL is empty";
	for (const char *s = request->url; *s; s++)
	{
		if ((unsigned char) *s <= ' ' || *s == 0x7f)
			return "the URL holds a blank or a control character";
	}
	for (int i = 0; i < request->nheaders; i++)
	{
		const CallsyncHttpHeader *header = &request->headers[i];

		if (header->name == NULL || !is_token(header->name))
			return "the name of a header is not a word";
		if (header->value == NULL || strpbrk(header->value, "\r\n") != NULL)
			return "the value of a header holds a line break";
	}
	return NULL;
}

static bool
add_header(CallsyncTransfer *transfer, const char *line)
{
	struct curl_slist *list = curl_slist_append(transfer->headers, line);

	if (list == NULL)
		return false;
	transfer->headers = list;
	return true;
}

/*
 * Texts are copied by libcurl, except the body, which stays in the request's
 * context.
 */
bool
callsync_transfer_prepare(CallsyncTransfer *transfer, const CallsyncHttpRequest *request)
{
	CURL	   *easy = transfer->easy;
	CallsyncHttp *http = transfer->http;
	const char *method = request->method;
	bool		ok = true;

	for (int i = 0; i < request->nheaders; i++)
	{
		const CallsyncHttpHeader *header = &request->headers[i];

		/* libcurl's way to say "with an empty value" is a semicolon */
		ok &= add_header(transfer, header->value[0] == '\0' ?
						 psprintf("%s;", header->name) :
						 psprintf("%s: %s", header->name, header->value));
	}
	/* no second round trip for large bodies */
	ok &= add_header(transfer, "Expect:");

#define SET(option, value) ok &= curl_easy_setopt(easy, (option), (value)) == CURLE_OK
	SET(CURLOPT_PRIVATE, transfer);
	SET(CURLOPT_ERRORBUFFER, transfer->error);
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_QUICK_EXIT, 1L);
	SET(CURLOPT_URL, request->url);
	SET(CURLOPT_PROTOCOLS_STR, request->nallow > 0 ? "http,https" : "https");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_PROXY, request->proxy ? request->proxy : "");
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	SET(CURLOPT_USERAGENT, "callsync/" CALLSYNC_VERSION);
	SET(CURLOPT_ACCEPT_ENCODING, "");
	SET(CURLOPT_CONNECTTIMEOUT_MS,
		(long) (request->connect_timeout_ms > 0 ? request->connect_timeout_ms : CALLSYNC_HTTP_CONNECT_TIMEOUT_MS));
	SET(CURLOPT_TIMEOUT_MS,
		(long) (request->timeout_ms > 0 ? request->timeout_ms : CALLSYNC_HTTP_TIMEOUT_MS));
	SET(CURLOPT_MAXAGE_CONN, (long) MAX_CONNECTION_AGE_S);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	if (request->ca_file != NULL)
	{
		SET(CURLOPT_CAINFO, request->ca_file);
		SET(CURLOPT_CAPATH, (char *) NULL);
	}
	SET(CURLOPT_HTTPHEADER, transfer->headers);
	SET(CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	SET(CURLOPT_OPENSOCKETDATA, transfer);
	SET(CURLOPT_CLOSESOCKETFUNCTION, on_close_socket);
	SET(CURLOPT_CLOSESOCKETDATA, http);
	SET(CURLOPT_PREREQFUNCTION, on_start);
	SET(CURLOPT_PREREQDATA, transfer);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, transfer);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, transfer);
	SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t) transfer->max_body);

	if (request->body != NULL)
	{
		char	   *body = MemoryContextAllocHuge(transfer->response.context,
												  Max(request->body_len, 1));

		memcpy(body, request->body, request->body_len);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t) request->body_len);
		SET(CURLOPT_POSTFIELDS, body);
		SET(CURLOPT_CUSTOMREQUEST, method);
	}
	else if (strcmp(method, "HEAD") == 0)
		SET(CURLOPT_NOBODY, 1L);
	else
	{
		SET(CURLOPT_HTTPGET, 1L);
		SET(CURLOPT_CUSTOMREQUEST, method);
	}
#undef SET
	return ok;
}
