/*
 * share_test.c
 *		The promise of rate.h and share.h against a counting server: whatever the network,
 *		the scheduler and dying workers do, no window of the server holds more than the
 *		rate, and no more requests run at a time; and the limits are used.
 */
#include "core/share.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#define MS INT64_C(1000)
#define SEC INT64_C(1000000)
#define ORPHAN (2 * SEC)

/* A small generator of our own: the same sequence on every machine. */
static uint64_t seed;

static int64_t
rnd(int64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (int64_t) (seed % (uint64_t) n);
}

/* Mostly short, sometimes for windows on end: a scheduler, a network, a debugger. */
static int64_t
stall(int64_t usual)
{
	int64_t		us = rnd(usual + 1);

	if (rnd(50) == 0)
		us += rnd(3 * SEC);
	if (rnd(2000) == 0)
		us += rnd(20 * SEC);
	return us;
}

#define MAXREQ 60000
#define MAXFLIGHT 256
#define MAXWORKERS 8

typedef struct Request
{
	int			worker;
	int64_t		arrives;		/* the server counts it */
	int64_t		leaves;			/* the server is done with it */
	int64_t		answered;		/* our side has the answer */
	int64_t		noticed;		/* the worker looks at it */
} Request;

typedef struct World
{
	CallsyncNeed need;
	int			workers;
	int64_t		usual;			/* latency of a way */
	bool		stalls;
	bool		deaths;
	int64_t		drift;			/* server's clock: so many millionths faster */
} World;

static CallsyncShare share;
static int64_t stamp[MAXREQ];
static int64_t begun[MAXREQ];
static int64_t ended[MAXREQ];
static int64_t by_worker[MAXWORKERS];
static int	nstamps;

static int
cmp_i64(const void *a, const void *b)
{
	int64_t		x = *(const int64_t *) a;
	int64_t		y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

/* The server's clock in ms, as it counts */
static int64_t
server_ms(const World *w, int64_t us)
{
	return (us + us / SEC * w->drift + us % SEC * w->drift / SEC) / MS;
}

/* Most requests that a window of the server ever held; one is out of it when it is window_ms old */
static int
worst_window(int64_t window_ms)
{
	int			worst = 0;

	for (int lo = 0, hi = 0; hi < nstamps; hi++)
	{
		while (stamp[lo] <= stamp[hi] - window_ms)
			lo++;
		if (hi - lo + 1 > worst)
			worst = hi - lo + 1;
	}
	return worst;
}

static int
worst_running(void)
{
	int			worst = 0;
	int			running = 0;

	qsort(begun, (size_t) nstamps, sizeof(begun[0]), cmp_i64);
	qsort(ended, (size_t) nstamps, sizeof(ended[0]), cmp_i64);
	for (int b = 0, e = 0; b < nstamps; b++)
	{
		while (e < nstamps && ended[e] <= begun[b])
		{
			e++;
			running--;
		}
		if (++running > worst)
			worst = running;
	}
	return worst;
}

/* Lets the workers do what they can for a while; returns the requests that the server saw. */
static int
run(const World *w, int64_t duration)
{
	static Request flying[MAXFLIGHT];
	int			nflying = 0;
	int64_t		asleep[MAXWORKERS] = {0};
	int64_t		now = 1000 * SEC + rnd(SEC);
	int64_t		end = now + duration;

	nstamps = 0;
	memset(by_worker, 0, sizeof(by_worker));
	callsync_share_init(&share, 0);
	for (int i = 0; i < w->need.n; i++)
		callsync_share_limit(&share, w->need.window[i].name, w->need.window[i].window_us, now);
	while (now < end && nstamps + MAXFLIGHT < MAXREQ)
	{
		for (int v = 0; v < w->workers; v++)
		{
			int64_t		wait;
			uint32_t	lacks;

			if (now < asleep[v])
				continue;
			if (w->deaths && rnd(20000) == 0)
			{
				/* what it had not sent never comes; what it sent is counted all the same */
				callsync_share_leave(&share, v, now + ORPHAN, now);
				for (int i = 0; i < nflying;)
				{
					if (flying[i].worker != v)
					{
						i++;
						continue;
					}
					if (flying[i].arrives <= now + ORPHAN)
					{
						if (flying[i].leaves > now + ORPHAN)
							flying[i].leaves = flying[i].arrives > now ? flying[i].arrives : now;
						stamp[nstamps] = server_ms(w, flying[i].arrives);
						begun[nstamps] = flying[i].arrives;
						ended[nstamps++] = flying[i].leaves;
					}
					flying[i] = flying[--nflying];
				}
				asleep[v] = now + rnd(SEC);
				continue;
			}
			for (int i = 0; i < nflying;)
			{
				if (flying[i].worker != v || flying[i].noticed > now)
				{
					i++;
					continue;
				}
				(void) callsync_share_done(&share, v, &w->need, true, flying[i].answered, now);
				stamp[nstamps] = server_ms(w, flying[i].arrives);
				begun[nstamps] = flying[i].arrives;
				ended[nstamps++] = flying[i].leaves;
				flying[i] = flying[--nflying];
			}
			while (nflying < MAXFLIGHT && callsync_share_place(&share, v, w->need.concurrency, false, now) &&
				   callsync_share_take(&share, v, &w->need, now, &wait, &lacks))
			{
				Request    *r = &flying[nflying];

				if (rnd(100) == 0)
				{
					/* it could not be sent after all */
					(void) callsync_share_done(&share, v, &w->need, false, now, now);
					break;
				}
				r->worker = v;
				r->arrives = now + (w->stalls ? stall(w->usual) : rnd(w->usual + 1));
				r->leaves = r->arrives + (w->stalls ? stall(w->usual) : rnd(w->usual + 1));
				r->answered = r->leaves + (w->stalls ? stall(w->usual) : rnd(w->usual + 1));
				r->noticed = r->answered + (w->stalls ? stall(w->usual) : 0);
				by_worker[v]++;
				nflying++;
			}
			if (w->stalls && rnd(500) == 0)
				asleep[v] = now + stall(100 * MS);
		}
		now += 200 + rnd(w->stalls ? 4000 : 800);
	}
	for (int i = 0; i < nflying; i++)
	{
		stamp[nstamps] = server_ms(w, flying[i].arrives);
		begun[nstamps] = flying[i].arrives;
		ended[nstamps++] = flying[i].leaves;
	}
	qsort(stamp, (size_t) nstamps, sizeof(stamp[0]), cmp_i64);
	return nstamps;
}

static void
need_window(CallsyncNeed *need, int64_t rate, int64_t window_us)
{
	need->window[need->n].name = (uint64_t) need->n + 77;
	need->window[need->n].window_us = window_us;
	need->window[need->n].rate = rate;
	need->window[need->n++].cost = 1;
}

static void
never_above(const World *w, int64_t duration)
{
	int			n = run(w, duration);

	CHECK(n > 0);
	for (int i = 0; i < w->need.n; i++)
		CHECK(worst_window(w->need.window[i].window_us / MS) <= w->need.window[i].rate);
	if (w->need.concurrency > 0)
		CHECK(worst_running() <= w->need.concurrency);
}

static void
test_never_above(void)
{
	for (uint64_t s = 1; s <= 8; s++)
	{
		World		w = {.workers = 4, .usual = 30 * MS, .stalls = true};

		seed = s * 7919;
		w.drift = rnd(3) * 900 - 900;
		w.deaths = s % 2 == 0;
		need_window(&w.need, 3, SEC);
		w.need.concurrency = 20;
		never_above(&w, 60 * SEC);
		/* fewer than workers */
		w.need.window[0].rate = 1;
		w.workers = 8;
		never_above(&w, 60 * SEC);
		/* two windows */
		w.need.n = 0;
		need_window(&w.need, 100, SEC);
		need_window(&w.need, 500, 10 * SEC);
		w.need.concurrency = 40;
		w.workers = 3;
		never_above(&w, 40 * SEC);
		/* concurrency alone, also below the number of workers */
		w.need.n = 0;
		w.need.concurrency = 2;
		w.workers = 5;
		never_above(&w, 20 * SEC);
		/* an odd window, one worker */
		need_window(&w.need, 7, 333 * MS);
		w.need.concurrency = 0;
		w.workers = 1;
		never_above(&w, 20 * SEC);
	}
}

/* Little latency: at least 95 % of what is allowed goes out, however many workers there are. */
static void
test_used(void)
{
	static const int64_t limits[][2] = {{100, SEC}, {500, 10 * SEC}, {4, SEC}, {1, 2 * SEC}, {20, 2 * SEC}, {1000, SEC}};

	for (int k = 0; k < 6; k++)
		for (int workers = 1; workers <= 8; workers += 7)
		{
			World		w = {.workers = workers, .usual = 3 * MS};
			int64_t		duration = 60 * SEC;
			int			n;

			seed = (uint64_t) (k * 31 + workers);
			if (limits[k][0] >= 1000)
				duration = 30 * SEC;
			need_window(&w.need, limits[k][0], limits[k][1]);
			w.need.concurrency = 30;
			n = run(&w, duration);
			CHECK(n >= duration / limits[k][1] * limits[k][0] * 95 / 100);
			CHECK(worst_window(limits[k][1] / MS) <= limits[k][0]);
			if (workers > 1 && n >= 200)
				for (int v = 0; v < workers; v++)
					CHECK(by_worker[v] > n / workers / 3);
		}
}

/* Few at a time, many that want: the places are handed on, and none stands empty. */
static void
test_places_used(void)
{
	World		w = {.workers = 5, .usual = 3 * MS};
	int			n;

	seed = 4711;
	w.need.concurrency = 2;
	n = run(&w, 20 * SEC);
	CHECK(n > 20 * SEC / (3 * w.usual + MS) * 2);
	CHECK(worst_running() <= 2);
	for (int v = 0; v < w.workers; v++)
		CHECK(by_worker[v] > n / w.workers / 3);
}

static void
test_words(void)
{
	CallsyncNeed need = {0};
	CallsyncNeed bulk;
	CallsyncNeed one;
	int64_t		wait;
	uint32_t	lacks;
	int64_t		t = 50 * SEC;

	need_window(&need, 10, SEC);
	bulk = need;
	bulk.bulk = true;
	bulk.keep_free = 0.5;

	/* the reserve: back-fill leaves half, live calls may take it; live ones go first */
	callsync_share_init(&share, 0);
	for (int i = 0; i < 5; i++)
		CHECK(callsync_share_take(&share, 0, &bulk, t, &wait, &lacks));
	CHECK(!callsync_share_take(&share, 0, &bulk, t, &wait, &lacks));
	CHECK(lacks == 1 && wait > t);
	CHECK(callsync_share_free(&share, need.window[0].name, 10, t) == 5);
	for (int i = 0; i < 5; i++)
		CHECK(callsync_share_take(&share, 1, &need, t, &wait, &lacks));
	CHECK(!callsync_share_take(&share, 1, &need, t, &wait, &lacks));
	/* a reserve of everything still lets one through when all is free */
	callsync_share_init(&share, 0);
	bulk.keep_free = 0.95;
	bulk.window[0].rate = 1;
	CHECK(callsync_share_take(&share, 0, &bulk, t, &wait, &lacks));

	/* a cost over the whole rate takes a full window, not for ever */
	callsync_share_init(&share, 0);
	one = need;
	one.window[0].cost = 40;
	CHECK(callsync_share_take(&share, 0, &one, t, &wait, &lacks));
	(void) callsync_share_done(&share, 0, &one, true, t, t);
	CHECK(!callsync_share_take(&share, 0, &one, t + 900 * MS, &wait, &lacks));
	CHECK(callsync_share_take(&share, 0, &one, wait, &wait, &lacks));

	/* exactly one window after the answer, not after the sending; and told so */
	callsync_share_init(&share, 0);
	one = need;
	one.window[0].rate = 1;
	CHECK(callsync_share_take(&share, 0, &one, t, &wait, &lacks));
	CHECK(!callsync_share_take(&share, 1, &one, t + 3 * SEC, &wait, &lacks));
	(void) callsync_share_done(&share, 0, &one, true, t + 5 * SEC, t + 5 * SEC);
	CHECK(!callsync_share_take(&share, 1, &one, t + 5990 * MS, &wait, &lacks));
	CHECK(wait >= t + 6 * SEC && wait < t + 6030 * MS);
	/* the one that has waited goes first; who does not come is passed over */
	CHECK(!callsync_share_take(&share, 0, &one, wait, &wait, &lacks));
	CHECK(!callsync_share_take(&share, 0, &one, t + 6050 * MS, &wait, &lacks));
	CHECK(callsync_share_take(&share, 0, &one, t + 6200 * MS, &wait, &lacks));
	/* never before the window is over by a clock that is slow by a thousandth, wherever in a slice the answer came */
	for (int64_t at = t; at < t + SEC; at += 1237)
	{
		CallsyncRate rate;

		callsync_rate_init(&rate, SEC);
		callsync_rate_take(&rate, 1);
		callsync_rate_done(&rate, 1, true, at, at + 10);
		wait = callsync_rate_when(&rate, 1, 1, at + 20);
		CHECK(wait >= at + SEC + SEC / 1000 && wait <= at + SEC + SEC / 100);
		CHECK(callsync_rate_free(&rate, 1, wait - 1) == 0 && callsync_rate_free(&rate, 1, wait) == 1);
	}
	wait = t + 6200 * MS;
	/* a request that never left gives its unit back at once */
	(void) callsync_share_done(&share, 0, &one, false, t + 6300 * MS, t + 6300 * MS);
	CHECK(callsync_share_free(&share, one.window[0].name, 1, t + 6300 * MS) == 1);

	/* at a time: who waits is told */
	callsync_share_init(&share, 0);
	one.n = 0;
	one.concurrency = 1;
	CHECK(callsync_share_take(&share, 3, &one, t, &wait, &lacks));
	CHECK(!callsync_share_take(&share, 5, &one, t + MS, &wait, &lacks));
	CHECK(lacks == UINT32_C(1) << CALLSYNC_SHARE_SLOT);
	CHECK(callsync_share_done(&share, 3, &one, true, t + 2 * MS, t + 2 * MS) == 5);
	CHECK(!callsync_share_take(&share, 3, &one, t + 3 * MS, &wait, &lacks));
	/* who looks first whether there is one keeps his turn */
	CHECK(!callsync_share_place(&share, 3, 1, false, t + 3 * MS));
	CHECK(callsync_share_place(&share, 5, 1, false, t + 4 * MS));
	CHECK(callsync_share_take(&share, 5, &one, t + 4 * MS, &wait, &lacks));
	/* a worker that ends: its place and its units come back when what it sent has arrived */
	callsync_share_leave(&share, 5, t + 2 * SEC, t + 5 * MS);
	CHECK(!callsync_share_take(&share, 3, &one, t + 1900 * MS, &wait, &lacks));
	CHECK(callsync_share_take(&share, 3, &one, t + 2 * SEC, &wait, &lacks));

	/* windows first, the place when it leaves: what a worker took and did not send is held as if it had */
	callsync_share_init(&share, 0);
	one = need;
	one.window[0].rate = 1;
	CHECK(callsync_share_take(&share, 1, &one, t, &wait, &lacks) && share.in_flight == 0);
	CHECK(callsync_share_enter(&share, 1, 1, false, t));
	CHECK(!callsync_share_enter(&share, 2, 1, false, t));
	callsync_share_exit(&share, 1);
	CHECK(callsync_share_enter(&share, 2, 1, false, t) && share.in_flight == 1);
	callsync_share_leave(&share, 1, t + 2 * SEC, t);
	CHECK(callsync_share_free(&share, one.window[0].name, 1, t + SEC) == 0);
	CHECK(!callsync_share_take(&share, 2, &one, t + 2900 * MS, &wait, &lacks));
	CHECK(callsync_share_take(&share, 2, &one, t + 3200 * MS, &wait, &lacks));

	/* a limit that is new, or longer, looks back; one that is shorter or higher keeps the count */
	callsync_share_init(&share, 0);
	CHECK(callsync_share_take(&share, 0, &need, t, &wait, &lacks));
	(void) callsync_share_done(&share, 0, &need, true, t, t);
	callsync_share_limit(&share, 4711, SEC, t + 500 * MS);
	CHECK(callsync_share_free(&share, 4711, 5, t + 999 * MS) == 0);
	CHECK(callsync_share_free(&share, 4711, 5, t + 1003 * MS) == 5);
	CHECK(callsync_share_free(&share, need.window[0].name, 12, t + 500 * MS) == 11);
	callsync_share_limit(&share, need.window[0].name, 500 * MS, t + 600 * MS);
	CHECK(callsync_share_free(&share, need.window[0].name, 10, t + 600 * MS) == 9);
	callsync_share_limit(&share, need.window[0].name, 5 * SEC, t + 700 * MS);
	CHECK(callsync_share_free(&share, need.window[0].name, 10, t + 4900 * MS) == 0);
	CHECK(callsync_share_free(&share, need.window[0].name, 10, t + 5800 * MS) == 10);
	/* nobody knows what was sent: closed for a window */
	callsync_share_init(&share, t);
	callsync_share_limit(&share, 1, SEC, t - 300 * MS);
	CHECK(callsync_share_free(&share, 1, 5, t + 999 * MS) == 0);
	CHECK(callsync_share_free(&share, 1, 5, t + 1003 * MS) == 5);
	CHECK(callsync_share_free(&share, 2, 5, t) == -1);

	/* learning: others use the same limit */
	callsync_share_init(&share, 0);
	one = need;
	one.window[0].rate = 100;
	CHECK(callsync_share_take(&share, 0, &one, t, &wait, &lacks));
	(void) callsync_share_done(&share, 0, &one, true, t, t);
	callsync_share_learn(&share, one.window[0].name, 100, 100, 30, t);
	CHECK(callsync_share_free(&share, one.window[0].name, 100, t) == 30);
	callsync_share_learn(&share, one.window[0].name, 100, 100, 90, t);	/* never more generous than what we know */
	CHECK(callsync_share_free(&share, one.window[0].name, 100, t) == 30);
	callsync_share_learn(&share, one.window[0].name, 100, 50, -1, t + 2 * SEC);
	CHECK(callsync_share_free(&share, one.window[0].name, 100, t + 2 * SEC) == 50);
	callsync_share_learn(&share, one.window[0].name, 100, 500, -1, t + 2 * SEC);	/* a higher limit than configured is not taken */
	CHECK(callsync_share_free(&share, one.window[0].name, 100, t + 2 * SEC) == 100);
}

int
main(void)
{
	test_words();
	test_never_above();
	test_used();
	test_places_used();
	return unit_done("share");
}
