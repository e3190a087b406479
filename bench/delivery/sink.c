/*
 * sink.c
 *		A server that takes every request and answers 200: the other end of the delivery
 *		benchmarks. One thread, epoll, keep-alive.
 *
 *		sink PORT-FILE [DELAY_MS [TIMES-FILE]]
 *
 * Listens on 127.0.0.1, any port, and writes the port into PORT-FILE. SIGUSR1 writes the number of
 * requests seen so far and the bytes of their bodies to PORT-FILE.count. TIMES-FILE gets a line for each request: when it
 * arrived (microseconds of Unix time). Ends with its standard input.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define BUF 65536
#define MAX_FD 4096
#define QUEUE (1 << 16)

static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

typedef struct Conn
{
	int			fd;
	size_t		len;
	char		buf[BUF];
} Conn;

static Conn *conns[MAX_FD];
static long long requests;
static long long body_bytes;
static FILE *times;
static int	delay_ms;
static char count_file[4096];

/* answers that wait for their time, in order: the delay is the same for all */
static struct
{
	int			fd;
	long long	at_us;
}			queue[QUEUE];
static unsigned head,
			tail;

static long long
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void
on_usr1(int sig)
{
	char		text[64];
	int			n = snprintf(text, sizeof(text), "%lld %lld\n", requests, body_bytes);
	int			fd = open(count_file, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	(void) sig;
	if (fd >= 0)
	{
		if (write(fd, text, n) != n)
			_exit(1);
		close(fd);
	}
}

static void
reply(int fd)
{
	if (write(fd, answer, sizeof(answer) - 1) < 0 && errno != EPIPE && errno != ECONNRESET && errno != EBADF)
		perror("write");
}

static void
drop(Conn *c)
{
	conns[c->fd] = NULL;
	close(c->fd);
	free(c);
}

/* Whole requests in the buffer are taken out of it */
static void
take(Conn *c)
{
	for (;;)
	{
		char	   *end;
		char	   *cl;
		size_t		body = 0,
					total;

		c->buf[c->len] = '\0';
		end = strstr(c->buf, "\r\n\r\n");
		if (end == NULL)
			return;
		for (cl = strchr(c->buf, '\n'); cl != NULL && cl < end; cl = strchr(cl + 1, '\n'))
			if (strncasecmp(cl + 1, "content-length:", 15) == 0)
				body = strtoul(cl + 16, NULL, 10);
		total = (end - c->buf) + 4 + body;
		if (c->len < total)
			return;
		requests++;
		body_bytes += body;
		if (times != NULL)
		{
			struct timespec t;

			clock_gettime(CLOCK_REALTIME, &t);
			fprintf(times, "%lld\n", t.tv_sec * 1000000LL + t.tv_nsec / 1000);
			fflush(times);
		}
		if (delay_ms == 0)
			reply(c->fd);
		else
		{
			queue[head % QUEUE].fd = c->fd;
			queue[head % QUEUE].at_us = now_us() + delay_ms * 1000LL;
			head++;
		}
		memmove(c->buf, c->buf + total, c->len - total);
		c->len -= total;
	}
}

int
main(int argc, char **argv)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t	alen = sizeof(addr);
	int			ls = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int			ep = epoll_create1(0);
	struct epoll_event ev = {.events = EPOLLIN};
	struct sigaction sa = {.sa_handler = on_usr1, .sa_flags = SA_RESTART};
	FILE	   *f;

	if (argc < 2)
		return 2;
	if (argc > 2)
		delay_ms = atoi(argv[2]);
	if (argc > 3 && (times = fopen(argv[3], "w")) == NULL)
		return 1;
	snprintf(count_file, sizeof(count_file), "%s.count", argv[1]);
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGUSR1, &sa, NULL);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(ls, (struct sockaddr *) &addr, sizeof(addr)) != 0 || listen(ls, 1024) != 0 ||
		getsockname(ls, (struct sockaddr *) &addr, &alen) != 0)
	{
		perror("listen");
		return 1;
	}
	f = fopen(argv[1], "w");
	if (f == NULL)
		return 1;
	fprintf(f, "%d\n", ntohs(addr.sin_port));
	fclose(f);
	ev.data.fd = ls;
	epoll_ctl(ep, EPOLL_CTL_ADD, ls, &ev);
	ev.data.fd = 0;
	epoll_ctl(ep, EPOLL_CTL_ADD, 0, &ev);
	for (;;)
	{
		struct epoll_event events[256];
		int			wait = -1;
		int			n;

		if (head != tail)
		{
			long long	left = queue[tail % QUEUE].at_us - now_us();

			wait = left <= 0 ? 0 : (int) (left / 1000) + 1;
		}
		n = epoll_wait(ep, events, 256, wait);
		for (int i = 0; i < n; i++)
		{
			int			fd = events[i].data.fd;

			if (fd == 0)
			{
				char		c[16];

				if (read(0, c, sizeof(c)) <= 0)
					return 0;
			}
			else if (fd == ls)
			{
				int			one = 1;
				int			s;

				while ((s = accept4(ls, NULL, NULL, SOCK_NONBLOCK)) >= 0)
				{
					if (s >= MAX_FD)
					{
						close(s);
						continue;
					}
					setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
					conns[s] = calloc(1, sizeof(Conn));
					conns[s]->fd = s;
					ev.data.fd = s;
					epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev);
				}
			}
			else if (conns[fd] != NULL)
			{
				Conn	   *c = conns[fd];
				ssize_t		got = read(fd, c->buf + c->len, BUF - 1 - c->len);

				if (got == 0 || (got < 0 && errno != EAGAIN))
					drop(c);
				else if (got > 0)
				{
					c->len += got;
					take(c);
				}
			}
		}
		while (head != tail && queue[tail % QUEUE].at_us <= now_us())
			reply(queue[tail++ % QUEUE].fd);
	}
}
