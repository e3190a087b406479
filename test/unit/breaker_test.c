/* breaker.h: opens on different deliveries only, probes at most 120 an hour, comes back gently */
#include "core/breaker.h"
#include "unit.h"

int
main(void)
{
	CallsyncBreaker b;
	int64_t		wait;
	int64_t		now = 1000000;

	callsync_breaker_init(&b, 0);
	CHECK(b.threshold == CALLSYNC_BREAKER_FAILURES);
	CHECK(callsync_breaker_allow(&b, 500, now, &wait));

	/* one poisonous delivery opens nothing */
	for (int i = 0; i < 100; i++)
		CHECK(!callsync_breaker_failure(&b, 42, now));
	CHECK(b.state == CALLSYNC_BREAKER_CLOSED);
	/* a success in between starts the count again */
	for (int i = 1; i <= 3; i++)
		callsync_breaker_failure(&b, i, now);
	callsync_breaker_success(&b);
	for (int i = 1; i <= 4; i++)
		CHECK(!callsync_breaker_failure(&b, i, now));
	CHECK(callsync_breaker_failure(&b, 5, now));
	CHECK(b.state == CALLSYNC_BREAKER_OPEN);
	CHECK_STR(callsync_breaker_state_name(b.state), "open");

	/* the first probe after a second; only one at a time */
	CHECK(!callsync_breaker_allow(&b, 0, now, &wait) && wait == now + 1000);
	now = wait;
	CHECK(callsync_breaker_allow(&b, 0, now, &wait));
	CHECK(!callsync_breaker_allow(&b, 1, now, &wait) && wait == INT64_MAX);
	/* a probe that never left may leave at once */
	callsync_breaker_cancel_probe(&b, now);
	CHECK(callsync_breaker_allow(&b, 0, now, &wait));
	callsync_breaker_failure(&b, 6, now);
	CHECK(!callsync_breaker_allow(&b, 0, now, &wait) && wait == now + 2000);

	/* a day of being down: never more than 120 probes in an hour */
	{
		static int64_t at[10000];
		int			n = 0;
		int			worst = 0;

		for (int64_t end = now + 24 * INT64_C(3600000); now < end;)
		{
			if (callsync_breaker_allow(&b, 0, now, &wait))
			{
				at[n++] = now;
				callsync_breaker_failure(&b, n, now);
			}
			else
				now = wait;
		}
		for (int i = 0, j = 0; i < n; i++)
		{
			while (at[i] - at[j] >= 3600000)
				j++;
			if (i - j + 1 > worst)
				worst = i - j + 1;
		}
		CHECK(worst <= 120);
		CHECK(n > 2000);
	}

	/* one that goes up and down all the time gets no more */
	{
		int			n = 0;
		int64_t		start = now;

		while (now < start + 3600000)
		{
			if (b.state == CALLSYNC_BREAKER_CLOSED)
			{
				for (int i = 0; i < 5; i++)
					callsync_breaker_failure(&b, 100 + i, now);
				now += 10;
			}
			else if (callsync_breaker_allow(&b, 0, now, &wait))
			{
				n++;
				now += 10;
				callsync_breaker_success(&b);
			}
			else
				now = wait;
		}
		CHECK(n <= 120);
	}

	/* coming back: 2 in flight, then 4, 8 ... */
	callsync_breaker_init(&b, 1);
	CHECK(callsync_breaker_failure(&b, 1, now));
	now += 1000;
	CHECK(callsync_breaker_allow(&b, 0, now, &wait));
	CHECK(callsync_breaker_success(&b));
	CHECK(b.state == CALLSYNC_BREAKER_CLOSED);
	CHECK(callsync_breaker_allow(&b, 1, now, &wait));
	CHECK(!callsync_breaker_allow(&b, 2, now, &wait) && wait == INT64_MAX);
	callsync_breaker_success(&b);
	callsync_breaker_success(&b);
	CHECK(callsync_breaker_allow(&b, 3, now, &wait) && !callsync_breaker_allow(&b, 4, now, &wait));

	/* restored after a restart */
	callsync_breaker_init(&b, 0);
	callsync_breaker_restore_open(&b, now + 5000);
	CHECK(!callsync_breaker_allow(&b, 0, now, &wait) && wait == now + 5000);
	CHECK(callsync_breaker_allow(&b, 0, now + 5000, &wait));
	return unit_done("breaker");
}
