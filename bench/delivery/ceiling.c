/*
 * ceiling.c
 *		What libcurl alone reaches: the same requests to the same sink, from memory, with nothing
 *		written down. The measure that the engine is held against.
 *
 *		ceiling multi|socket URL REQUESTS CONCURRENCY BODY-BYTES
 *
 * multi: curl_multi_perform and curl_multi_poll; socket: curl_multi_socket_action with an epoll
 * of its own. Prints requests a second and microseconds of CPU per request.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

static CURLM *multi;
static int	ep;
static long long deadline_ms = -1;
static long todo,
			started,
			done;
static char *body;
static long failed;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static size_t
discard(char *data, size_t size, size_t n, void *arg)
{
	(void) data;
	(void) arg;
	return size * n;
}

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
	struct epoll_event ev = {.data.fd = fd};

	(void) easy;
	(void) arg;
	if (what == CURL_POLL_REMOVE)
	{
		epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	ev.events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
	epoll_ctl(ep, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev);
	curl_multi_assign(multi, fd, &ev);	/* any address: "seen before" */
	return 0;
}

static int
on_timer(CURLM *m, long ms, void *arg)
{
	(void) m;
	(void) arg;
	deadline_ms = ms < 0 ? -1 : (long long) (now() * 1000) + ms;
	return 0;
}

/* Takes what is finished and sends the next with the same handle. */
static void
turn_over(void)
{
	CURLMsg    *msg;
	int			left;

	while ((msg = curl_multi_info_read(multi, &left)) != NULL)
	{
		CURL	   *easy = msg->easy_handle;
		long		status = 0;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		if (msg->data.result != CURLE_OK || status != 200)
			failed++;
		done++;
		curl_multi_remove_handle(multi, easy);
		if (started < todo)
		{
			started++;
			curl_multi_add_handle(multi, easy);
		}
	}
}

int
main(int argc, char **argv)
{
	int			concurrency,
				running = 1,
				bytes,
				socket_mode;
	struct curl_slist *headers = NULL;
	struct rusage u;
	double		t0,
				cpu;

	if (argc != 6)
		return 2;
	socket_mode = strcmp(argv[1], "socket") == 0;
	todo = atol(argv[3]);
	concurrency = atoi(argv[4]);
	bytes = atoi(argv[5]);
	body = malloc(bytes + 1);
	memset(body, 'x', bytes);
	memcpy(body, "{\"a\":\"", 6);
	memcpy(body + bytes - 2, "\"}", 3);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	multi = curl_multi_init();
	curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long) concurrency);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long) concurrency);
	ep = epoll_create1(0);
	if (socket_mode)
	{
		curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
		curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
	}
	headers = curl_slist_append(headers, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Expect:");
	t0 = now();
	for (int i = 0; i < concurrency && started < todo; i++, started++)
	{
		CURL	   *easy = curl_easy_init();

		curl_easy_setopt(easy, CURLOPT_URL, argv[2]);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long) bytes);
		curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, discard);
		curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 30000L);
		curl_multi_add_handle(multi, easy);
	}
	while (done < todo)
	{
		if (!socket_mode)
		{
			curl_multi_perform(multi, &running);
			turn_over();
			if (done < todo)
				curl_multi_poll(multi, NULL, 0, 1000, NULL);
		}
		else
		{
			struct epoll_event events[256];
			long long	left = deadline_ms < 0 ? 1000 : deadline_ms - (long long) (now() * 1000);
			int			n = epoll_wait(ep, events, 256, left < 0 ? 0 : (int) left);

			for (int i = 0; i < n; i++)
				curl_multi_socket_action(multi, events[i].data.fd,
										 (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) ? CURL_CSELECT_IN : 0) |
										 (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0), &running);
			if (deadline_ms >= 0 && (long long) (now() * 1000) >= deadline_ms)
			{
				deadline_ms = -1;
				curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
			}
			turn_over();
		}
	}
	t0 = now() - t0;
	getrusage(RUSAGE_SELF, &u);
	cpu = u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
	if (failed > 0)
		fprintf(stderr, "%ld requests failed\n", failed);
	printf("%.0f %.1f\n", todo / t0, cpu * 1e6 / todo);
	return failed > 0;
}
