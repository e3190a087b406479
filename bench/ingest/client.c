/*
 * client.c
 *		Hands signed webhooks to ingest() as a web server does: one prepared statement each, in
 *		a transaction of its own, over some connections.
 *
 * client CONNINFO SOURCE SECRET CONNECTIONS COUNT TIMES BYTES FIRST [STATEMENT]
 *		COUNT webhooks, numbered from FIRST, each TIMES times, are all there at the start; each
 *		connection takes the next one when it is free. Prints what was answered how often, webhooks
 *		per second, the time from the start to each answer (a burst), the time of each statement,
 *		and the CPU time of the server's sessions per webhook. STATEMENT: another one than ingest(), with the
 *		same parameters source, body, headers.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "core/crypto.h"

#define MAX_CONNECTIONS 200

typedef struct Hook
{
	char	   *body;
	int			len;
	char	   *headers;
} Hook;

typedef struct Conn
{
	PGconn	   *pg;
	int64_t		sent_us;
	bool		busy;
} Conn;

static void
die(const char *what, PGconn *pg)
{
	fprintf(stderr, "client: %s: %s\n", what, pg != NULL ? PQerrorMessage(pg) : strerror(errno));
	exit(1);
}

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* user + system time of a process, us */
static int64_t
cpu_us(int pid)
{
	char		path[64];
	char		line[1024];
	FILE	   *f;
	long long	user;
	long long	system;
	char	   *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f == NULL || fgets(line, sizeof(line), f) == NULL)
		return 0;
	fclose(f);
	/* behind the name, which may hold anything: 11 fields before these two */
	p = strrchr(line, ')');
	if (p == NULL || sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lld %lld", &user, &system) != 2)
		return 0;
	return (user + system) * 1000000 / sysconf(_SC_CLK_TCK);
}

/* A call document of about so many bytes, signed as Standard Webhooks has it. */
static void
make_hook(Hook *hook, int number, int bytes, const char *secret, long stamp)
{
	size_t		secret_len = strlen(secret);
	char		id[40];
	char		signature[200];
	int			n;

	hook->body = malloc(bytes + 400);
	n = sprintf(hook->body, "{\"event_type\":\"call_completed\",\"event_id\":\"e%d\",\"call_id\":\"call-%08d\",\"timestamp\":\"2026-11-20T18:03:02Z\",\"direction\":\"inbound\","
				"\"caller\":{\"phone\":\"+1415555%04d\",\"name\":\"Caller %d\",\"email\":\"caller%d@example.com\"},\"duration_s\":177,\"disposition\":\"completed\","
				"\"fields\":{\"vehicle_model\":\"2021 Honda CR-V\",\"urgency\":\"standard\"},\"summary\":\"Wants a quote.\",\"transcript\":\"",
				number, number, number % 10000, number, number);
	while (n < bytes - 2)
		hook->body[n++] = "how can I help? my boiler broke. "[n % 33];
	n += sprintf(hook->body + n, "\"}");
	hook->len = n;
	snprintf(id, sizeof(id), "msg_%d", number);
	if (callsync_webhook_sign(&secret, &secret_len, 1, id, stamp, hook->body, n, signature, sizeof(signature)) == 0)
		die("cannot sign", NULL);
	hook->headers = malloc(700);
	sprintf(hook->headers, "{\"host\":\"hooks.example.invalid\",\"content-type\":\"application/json\",\"content-length\":\"%d\",\"user-agent\":\"Sender/1.0\",\"accept\":\"*/*\","
			"\"x-forwarded-for\":\"192.0.2.1\",\"webhook-id\":\"%s\",\"webhook-timestamp\":\"%ld\",\"webhook-signature\":\"%s\"}", n, id, stamp, signature);
}

static void
send_hook(Conn *conn, const char *source, const Hook *hook)
{
	const char *values[3] = {source, hook->body, hook->headers};
	int			lengths[3] = {0, hook->len, 0};
	int			formats[3] = {0, 1, 0};

	conn->sent_us = now_us();
	conn->busy = true;
	if (!PQsendQueryPrepared(conn->pg, "ingest", 3, values, lengths, formats, 0) || PQflush(conn->pg) < 0)
		die("send", conn->pg);
}

static int
compare(const void *a, const void *b)
{
	int64_t		d = *(const int64_t *) a - *(const int64_t *) b;

	return d < 0 ? -1 : d > 0;
}

static double
percentile(const int64_t *sorted, int n, double p)
{
	int			i = (int) (p * n);

	return sorted[i < n ? i : n - 1] / 1000.0;
}

int
main(int argc, char **argv)
{
	static const char *const statuses[] = {"accepted", "duplicate", "quarantined", "rejected"};
	static Conn conns[MAX_CONNECTIONS];
	struct pollfd fds[MAX_CONNECTIONS];
	int			counts[4] = {0};
	int			nconns = argc >= 9 ? atoi(argv[4]) : 0;
	int			count = argc >= 9 ? atoi(argv[5]) : 0;
	int			times = argc >= 9 ? atoi(argv[6]) : 0;
	int			total = count * times;
	Hook	   *hooks = calloc(count + 1, sizeof(Hook));
	int64_t    *since_start = calloc(total + 1, sizeof(int64_t));
	int64_t    *of_statement = calloc(total + 1, sizeof(int64_t));
	int			next = 0;
	int			done = 0;
	int64_t		start;
	int64_t		cpu = 0;
	double		seconds;

	if (nconns < 1 || nconns > MAX_CONNECTIONS || total < 1)
	{
		fprintf(stderr, "usage: client CONNINFO SOURCE SECRET CONNECTIONS COUNT TIMES BYTES FIRST [STATEMENT]\n");
		return 2;
	}
	for (int i = 0; i < count; i++)
		make_hook(&hooks[i], atoi(argv[8]) + i, atoi(argv[7]), argv[3], (long) time(NULL));
	for (int i = 0; i < nconns; i++)
	{
		PGresult   *result;

		conns[i].pg = PQconnectdb(argv[1]);
		if (PQstatus(conns[i].pg) != CONNECTION_OK)
			die("connect", conns[i].pg);
		result = PQprepare(conns[i].pg, "ingest", argc > 9 ? argv[9] : "SELECT status FROM callsync.ingest($1, $2::bytea, $3::jsonb)", 3, NULL);
		if (PQresultStatus(result) != PGRES_COMMAND_OK)
			die("prepare", conns[i].pg);
		PQclear(result);
		/* a connection of a pool has been used before: its caches are warm */
		result = PQexec(conns[i].pg, "SELECT status FROM callsync.ingest('nobody', '')");
		PQclear(result);
		cpu -= cpu_us(PQbackendPID(conns[i].pg));
	}
	start = now_us();
	for (int i = 0; i < nconns && next < total; i++)
		send_hook(&conns[i], argv[2], &hooks[next++ % count]);
	while (done < total)
	{
		for (int i = 0; i < nconns; i++)
			fds[i] = (struct pollfd) {conns[i].busy ? PQsocket(conns[i].pg) : -1, POLLIN, 0};
		if (poll(fds, nconns, -1) < 0)
			die("poll", NULL);
		for (int i = 0; i < nconns; i++)
		{
			PGresult   *result;

			if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0)
				continue;
			if (!PQconsumeInput(conns[i].pg))
				die("receive", conns[i].pg);
			if (PQisBusy(conns[i].pg))
				continue;
			result = PQgetResult(conns[i].pg);
			if (PQresultStatus(result) != PGRES_TUPLES_OK)
				die("ingest", conns[i].pg);
			for (int s = 0; s < 4; s++)
				counts[s] += strcmp(PQgetvalue(result, 0, 0), statuses[s]) == 0;
			PQclear(result);
			while ((result = PQgetResult(conns[i].pg)) != NULL)
				PQclear(result);
			since_start[done] = now_us() - start;
			of_statement[done++] = now_us() - conns[i].sent_us;
			conns[i].busy = false;
			if (next < total)
				send_hook(&conns[i], argv[2], &hooks[next++ % count]);
		}
	}
	seconds = (now_us() - start) / 1e6;
	for (int i = 0; i < nconns; i++)
	{
		cpu += cpu_us(PQbackendPID(conns[i].pg));
		PQfinish(conns[i].pg);
	}
	qsort(since_start, total, sizeof(int64_t), compare);
	qsort(of_statement, total, sizeof(int64_t), compare);
	for (int s = 0; s < 4; s++)
		printf("%s %d\n", statuses[s], counts[s]);
	printf("per_second %.0f\n", total / seconds);
	printf("burst_p50_ms %.1f\nburst_p99_ms %.1f\nburst_max_ms %.1f\n", percentile(since_start, total, 0.5), percentile(since_start, total, 0.99), since_start[total - 1] / 1000.0);
	printf("one_p50_ms %.2f\none_p99_ms %.2f\n", percentile(of_statement, total, 0.5), percentile(of_statement, total, 0.99));
	printf("cpu_us %.1f\n", (double) cpu / total);
	return 0;
}
