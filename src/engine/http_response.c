/*
 * http_response.c
 *		What became of an exchange: libcurl's code in our words, times, headers.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "engine/http_transfer.h"
#include "pg/clock.h"

/* libcurl's code and what the callbacks saw, in our words. */
static CallsyncTransport
classify(const CallsyncTransfer *transfer, CURLcode code)
{
	bool		sent = transfer->starts > 0;

	if (code == CURLE_OK)
		return CALLSYNC_TRANSPORT_OK;
	if (transfer->out_of_memory)
		return CALLSYNC_TRANSPORT_LOCAL;
	if (transfer->too_large)
		return CALLSYNC_TRANSPORT_TOO_LARGE;
	if (transfer->repeat_refused)
		return CALLSYNC_TRANSPORT_RESET;

	switch (code)
	{
		case CURLE_URL_MALFORMAT:
		case CURLE_UNSUPPORTED_PROTOCOL:
		case CURLE_LOGIN_DENIED:	/* a user in the URL */
			return sent ? CALLSYNC_TRANSPORT_BAD_ANSWER : CALLSYNC_TRANSPORT_BAD_REQUEST;
		case CURLE_COULDNT_RESOLVE_PROXY:
		case CURLE_COULDNT_RESOLVE_HOST:
			return CALLSYNC_TRANSPORT_RESOLVE_FAILED;
		case CURLE_COULDNT_CONNECT:
			if (transfer->out_of_descriptors)
				return CALLSYNC_TRANSPORT_LOCAL;
			if (transfer->refused[0] != '\0')
				return CALLSYNC_TRANSPORT_REFUSED_ADDRESS;
			return CALLSYNC_TRANSPORT_CONNECT_FAILED;
		case CURLE_ABORTED_BY_CALLBACK:
			return transfer->refused[0] != '\0' && !sent ?
				CALLSYNC_TRANSPORT_REFUSED_ADDRESS : CALLSYNC_TRANSPORT_LOCAL;
		case CURLE_OPERATION_TIMEDOUT:
			return sent ? CALLSYNC_TRANSPORT_TIMEOUT_AFTER_SEND
				: CALLSYNC_TRANSPORT_TIMEOUT_BEFORE_SEND;
		case CURLE_SSL_CONNECT_ERROR:
		case CURLE_PEER_FAILED_VERIFICATION:
		case CURLE_SSL_CACERT_BADFILE:
		case CURLE_SSL_CERTPROBLEM:
		case CURLE_SSL_CIPHER:
		case CURLE_SSL_ENGINE_NOTFOUND:
		case CURLE_SSL_ENGINE_SETFAILED:
		case CURLE_SSL_ISSUER_ERROR:
		case CURLE_SSL_CRL_BADFILE:
		case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		case CURLE_SSL_INVALIDCERTSTATUS:
		case CURLE_USE_SSL_FAILED:
			return sent ? CALLSYNC_TRANSPORT_RESET : CALLSYNC_TRANSPORT_TLS_FAILED;
		case CURLE_FILESIZE_EXCEEDED:
			return CALLSYNC_TRANSPORT_TOO_LARGE;
		case CURLE_PARTIAL_FILE:
			return CALLSYNC_TRANSPORT_TRUNCATED;
		case CURLE_SEND_ERROR:
		case CURLE_RECV_ERROR:
		case CURLE_GOT_NOTHING:
		case CURLE_HTTP2:
		case CURLE_HTTP2_STREAM:
		case CURLE_HTTP3:
			if (!sent)
				return CALLSYNC_TRANSPORT_CONNECT_FAILED;
			/* the head of an answer had arrived: its end is missing */
			return transfer->head.len > 0 && transfer->body.len > 0 ?
				CALLSYNC_TRANSPORT_TRUNCATED : CALLSYNC_TRANSPORT_RESET;
		case CURLE_WEIRD_SERVER_REPLY:
		case CURLE_BAD_CONTENT_ENCODING:
		case CURLE_WRITE_ERROR: /* our own refusals are handled above */
			return CALLSYNC_TRANSPORT_BAD_ANSWER;
		case CURLE_OUT_OF_MEMORY:
		case CURLE_FAILED_INIT:
		case CURLE_INTERFACE_FAILED:
			return CALLSYNC_TRANSPORT_LOCAL;
		default:
			return sent ? CALLSYNC_TRANSPORT_BAD_ANSWER : CALLSYNC_TRANSPORT_CONNECT_FAILED;
	}
}

/* One sentence for people. Host names and addresses, never a URL or a header. */
static void
describe(CallsyncTransfer *transfer, CURLcode code)
{
	CallsyncHttpResponse *response = &transfer->response;
	char	   *error = response->error;
	size_t		size = sizeof(response->error);

	switch (response->transport)
	{
		case CALLSYNC_TRANSPORT_OK:
			return;
		case CALLSYNC_TRANSPORT_REFUSED_ADDRESS:
			if (transfer->verdict == CALLSYNC_ADDRESS_PLAIN_HTTP)
				snprintf(error, size, "plain http to %s needs an entry in allow_addresses",
						 transfer->refused);
			else
			{
				CallsyncAddress address = {{0}};

				(void) callsync_address_from_host(&address, transfer->refused,
												  strlen(transfer->refused));
				snprintf(error, size, "%s (%s) needs an entry in allow_addresses",
						 transfer->refused,
						 callsync_address_class_name(callsync_address_class(&address)));
			}
			return;
		case CALLSYNC_TRANSPORT_TOO_LARGE:
			if (transfer->head.len >= CALLSYNC_HTTP_MAX_HEADER_BYTES)
				snprintf(error, size, "the answer has more than %d bytes of headers",
						 CALLSYNC_HTTP_MAX_HEADER_BYTES);
			else
				snprintf(error, size, "the answer is longer than %zu bytes", transfer->max_body);
			return;
		case CALLSYNC_TRANSPORT_RESET:
			if (transfer->repeat_refused)
			{
				strlcpy(error, "the connection ended without an answer", size);
				return;
			}
			break;
		case CALLSYNC_TRANSPORT_LOCAL:
			if (transfer->out_of_descriptors)
			{
				strlcpy(error, "no file descriptor is left for a connection (max_files_per_process)", size);
				return;
			}
			break;
		default:
			break;
	}
	strlcpy(error, transfer->error[0] != '\0' ? transfer->error : curl_easy_strerror(code), size);
}

static int64
info_us(CURL *easy, CURLINFO info)
{
	curl_off_t	us = 0;

	(void) curl_easy_getinfo(easy, info, &us);
	return (int64) us;
}

void
callsync_transfer_finish(CallsyncTransfer *transfer, CURLcode code)
{
	CallsyncHttpResponse *response = &transfer->response;
	long		status = 0;
	long		connects = 0;
	char	   *ip = NULL;

	response->may_have_sent = transfer->starts > 0;
	response->transport = classify(transfer, code);
	(void) curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	response->status = (int) status;
	if (response->transport == CALLSYNC_TRANSPORT_OK && status == 0)
		response->transport = CALLSYNC_TRANSPORT_BAD_ANSWER;	/* HTTP/0.9 */
	describe(transfer, code);

	response->connect_us = Max(info_us(transfer->easy, CURLINFO_APPCONNECT_TIME_T),
							   info_us(transfer->easy, CURLINFO_CONNECT_TIME_T));
	response->first_byte_us = info_us(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T);
	response->total_us = info_us(transfer->easy, CURLINFO_TOTAL_TIME_T);
	(void) curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
	response->reused = response->may_have_sent && connects == 0;
	if (curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &ip) == CURLE_OK && ip != NULL)
		strlcpy(response->primary_ip, ip, sizeof(response->primary_ip));
	response->finished_at = GetCurrentTimestamp();
	response->finished_us = callsync_monotonic_us();

	if (transfer->head.data != NULL)
	{
		response->headers = transfer->head.data;
		response->headers_len = transfer->head.len;
	}
	if (transfer->body.data != NULL)
	{
		response->body = transfer->body.data;
		response->body_len = transfer->body.len;
	}
}

const char *
callsync_http_header(CallsyncHttpResponse *response, const char *name, int n)
{
	const char *line = response->headers;
	const char *end = response->headers + response->headers_len;
	size_t		name_len = strlen(name);

	while (line < end)
	{
		const char *eol = memchr(line, '\n', end - line);
		const char *value_end = eol ? eol : end;

		if ((size_t) (value_end - line) > name_len && line[name_len] == ':' &&
			pg_strncasecmp(line, name, name_len) == 0 && n-- == 0)
		{
			const char *value = line + name_len + 1;

			while (value < value_end && (*value == ' ' || *value == '\t'))
				value++;
			while (value_end > value && strchr(" \t\r", value_end[-1]) != NULL)
				value_end--;
			{
				char	   *copy = MemoryContextAlloc(response->context, value_end - value + 1);

				memcpy(copy, value, value_end - value);
				copy[value_end - value] = '\0';
				return copy;
			}
		}
		if (eol == NULL)
			break;
		line = eol + 1;
	}
	return NULL;
}
