/* jobs.h: FIFO per key, dependencies, replacement, priority, lanes; and a long random run against the rules */
#include "core/jobs.h"
#include "unit.h"

#include <stdlib.h>

static long allocated;

static void *
test_alloc(void *arg, size_t size)
{
	(void) arg;
	allocated++;
	return malloc(size);
}

static void
test_release(void *arg, void *p)
{
	(void) arg;
	allocated--;
	free(p);
}

static const CallsyncAllocator allocator = {test_alloc, test_release, NULL};

static int64_t replaced_ids[64];
static int	nreplaced;

static void
note_replaced(void *arg, CallsyncJob *old, CallsyncJob *by)
{
	(void) arg;
	(void) by;
	replaced_ids[nreplaced++ % 64] = old->id;
}

static CallsyncJob *
add(CallsyncJobs *jobs, int64_t id, uint64_t key, int record, int priority, int64_t due,
	int64_t dep, bool required)
{
	CallsyncJob proto = {.id = id, .key = key, .priority = priority, .due_ms = due, .replaceable = true};
	CallsyncJobDepSpec spec = {dep, required};

	memset(proto.record, 0, sizeof(proto.record));
	memcpy(proto.record, &record, sizeof(record));
	return callsync_jobs_add(jobs, &proto, &spec, dep != 0 ? 1 : 0, 1000, note_replaced, NULL);
}

static int64_t
take_id(CallsyncJobs *jobs)
{
	CallsyncJob *job = callsync_jobs_take(jobs, 0, false);

	return job ? job->id : 0;
}

static void
order(void)
{
	CallsyncJobs *jobs = callsync_jobs_create(&allocator);

	/* one key: by id, one at a time, also when an older one comes late */
	add(jobs, 12, 7, 1, 30, 0, 0, false);
	add(jobs, 11, 7, 2, 30, 0, 0, false);
	CHECK(take_id(jobs) == 11);
	CHECK(take_id(jobs) == 0);
	callsync_jobs_settle(jobs, callsync_jobs_find(jobs, 11), true, 1000);
	CHECK(take_id(jobs) == 12);
	callsync_jobs_settle(jobs, callsync_jobs_find(jobs, 12), true, 1000);
	CHECK(callsync_jobs_count(jobs) == 0);

	/* several keys: priority, then age */
	add(jobs, 21, 1, 1, 30, 0, 0, false);
	add(jobs, 22, 2, 2, 20, 0, 0, false);
	add(jobs, 23, 3, 3, 30, 0, 0, false);
	CHECK(take_id(jobs) == 22);
	CHECK(take_id(jobs) == 21);
	CHECK(take_id(jobs) == 23);
	/* the same id twice is one job */
	CHECK(add(jobs, 23, 3, 3, 30, 0, 0, false) == NULL);
	/* put back: it is first again */
	callsync_jobs_put_back(jobs, callsync_jobs_find(jobs, 21));
	add(jobs, 24, 4, 4, 30, 0, 0, false);
	CHECK(take_id(jobs) == 21);
	callsync_jobs_destroy(jobs);
	CHECK(allocated == 0);
}

static void
retry_blocks_own_key_only(void)
{
	CallsyncJobs *jobs = callsync_jobs_create(&allocator);

	add(jobs, 1, 1, 1, 30, 0, 0, false);
	add(jobs, 2, 1, 2, 30, 0, 0, false);
	add(jobs, 3, 2, 3, 30, 0, 0, false);
	CHECK(take_id(jobs) == 1);
	callsync_jobs_retry(jobs, callsync_jobs_find(jobs, 1), 5000, 1000);
	CHECK(callsync_jobs_next_due(jobs, 0) == 5000);
	CHECK(callsync_jobs_count_delayed(jobs, 0) == 1);
	CHECK(take_id(jobs) == 3);
	CHECK(take_id(jobs) == 0);
	callsync_jobs_advance(jobs, 0, 4999);
	CHECK(take_id(jobs) == 0);
	callsync_jobs_advance(jobs, 0, 5000);
	CHECK(take_id(jobs) == 1);
	callsync_jobs_retry(jobs, callsync_jobs_find(jobs, 1), 90000, 5000);
	callsync_jobs_hasten(jobs, 0, 6000, 5000);
	CHECK(callsync_jobs_next_due(jobs, 0) == 6000);
	callsync_jobs_settle(jobs, callsync_jobs_find(jobs, 1), false, 6000);
	CHECK(take_id(jobs) == 2);
	callsync_jobs_destroy(jobs);
	CHECK(allocated == 0);
}

static void
dependencies(void)
{
	CallsyncJobs *jobs = callsync_jobs_create(&allocator);

	add(jobs, 1, 1, 1, 20, 0, 0, false);
	add(jobs, 2, 2, 2, 30, 0, 1, false);	/* goes without */
	add(jobs, 3, 3, 3, 40, 0, 1, true);	/* does not */
	add(jobs, 4, 4, 4, 40, 0, 3, true);	/* nor does this */
	CHECK(callsync_jobs_find(jobs, 2)->state == CALLSYNC_JOB_WAITING);
	CHECK(take_id(jobs) == 1);
	callsync_jobs_settle(jobs, callsync_jobs_find(jobs, 1), false, 1000);
	CHECK(take_id(jobs) == 2);
	CHECK(callsync_jobs_next_doomed(jobs)->id == 3);
	callsync_jobs_settle(jobs, callsync_jobs_next_doomed(jobs), false, 1000);
	CHECK(callsync_jobs_next_doomed(jobs)->id == 4);
	callsync_jobs_settle(jobs, callsync_jobs_next_doomed(jobs), false, 1000);
	CHECK(callsync_jobs_next_doomed(jobs) == NULL);

	/* a dependency that is not loaded yet, and one that was settled elsewhere */
	add(jobs, 10, 10, 10, 30, 0, 9, true);
	CHECK(take_id(jobs) == 0);
	add(jobs, 9, 9, 9, 20, 0, 0, false);
	CHECK(take_id(jobs) == 9);
	callsync_jobs_settle(jobs, callsync_jobs_find(jobs, 9), true, 1000);
	CHECK(take_id(jobs) == 10);
	add(jobs, 12, 12, 12, 30, 0, 11, true);
	callsync_jobs_resolve(jobs, 11, true, 1000);
	CHECK(take_id(jobs) == 12);
	callsync_jobs_destroy(jobs);
	CHECK(allocated == 0);
}

static void
replacement(void)
{
	CallsyncJobs *jobs = callsync_jobs_create(&allocator);
	CallsyncJob *job;

	nreplaced = 0;
	add(jobs, 1, 1, 1, 30, 0, 0, false);
	add(jobs, 2, 2, 2, 40, 0, 1, true);
	add(jobs, 3, 1, 1, 30, 0, 0, false);	/* newer version of 1 */
	CHECK(nreplaced == 1 && replaced_ids[0] == 1);
	CHECK(callsync_jobs_find(jobs, 1) == NULL);
	CHECK(take_id(jobs) == 3);
	/* under way: not replaced, and 2 waits for 3 now */
	add(jobs, 4, 1, 1, 30, 0, 0, false);
	CHECK(nreplaced == 1);
	CHECK(take_id(jobs) == 0);
	callsync_jobs_settle(jobs, callsync_jobs_find(jobs, 3), true, 1000);
	CHECK(take_id(jobs) == 4);
	CHECK(take_id(jobs) == 2);
	/* what may have been sent already is not replaced */
	job = callsync_jobs_find(jobs, 4);
	job->replaceable = false;
	callsync_jobs_retry(jobs, job, 5000, 1000);
	add(jobs, 5, 1, 1, 30, 0, 0, false);
	CHECK(nreplaced == 1);
	CHECK(take_id(jobs) == 0);
	/* another record of the same key is left alone; two of it are not */
	add(jobs, 6, 1, 66, 30, 0, 0, false);
	CHECK(nreplaced == 1);
	add(jobs, 7, 1, 1, 30, 0, 0, false);
	CHECK(nreplaced == 2 && replaced_ids[1] == 5);
	callsync_jobs_destroy(jobs);
	CHECK(allocated == 0);
}

static void
lanes(void)
{
	CallsyncJobs *jobs = callsync_jobs_create(&allocator);
	CallsyncJob proto = {.id = 1, .key = 1, .priority = 20, .bulk = true, .replaceable = true};

	nreplaced = 0;
	callsync_jobs_add(jobs, &proto, NULL, 0, 0, note_replaced, NULL);
	add(jobs, 2, 2, 2, 70, 0, 0, false);
	CHECK(take_id(jobs) == 2);
	CHECK(take_id(jobs) == 0);
	CHECK(callsync_jobs_take(jobs, 0, true)->id == 1);
	/* back-fill on top of a live one keeps the lane of the live one */
	add(jobs, 3, 3, 3, 30, 0, 0, false);
	proto.id = 4;
	proto.key = 3;
	memcpy(proto.record, &(int) {3}, sizeof(int));
	proto.priority = 35;
	callsync_jobs_add(jobs, &proto, NULL, 0, 0, note_replaced, NULL);
	CHECK(nreplaced == 1);
	CHECK(take_id(jobs) == 4);
	callsync_jobs_destroy(jobs);
	CHECK(allocated == 0);
}

/* Random life against the rules: nothing lost, order per key kept, waiters after what they wait for. */
static void
random_run(unsigned seed)
{
	enum {N = 3000, KEYS = 40};
	CallsyncJobs *jobs = callsync_jobs_create(&allocator);
	static bool settled[N + 1];
	static int64_t dep_of[N + 1];
	int64_t		last_done[KEYS] = {0};
	int64_t		now = 0;
	int			next = 1,
				done = 0,
				running_n = 0;
	CallsyncJob *running[64];
	bool		order_ok = true,
				deps_ok = true;

	srand(seed);
	memset(settled, 0, sizeof(settled));
	memset(dep_of, 0, sizeof(dep_of));
	while (done < N)
	{
		now += rand() % 5;
		if (next <= N && rand() % 3 != 0)
		{
			CallsyncJob proto = {.id = next, .key = rand() % KEYS, .priority = 10 * (rand() % 4),
			.due_ms = now + (rand() % 4 == 0 ? rand() % 50 : 0), .dest = 0, .bulk = rand() % 5 == 0};
			CallsyncJobDepSpec spec;
			int			ndeps = 0;

			memcpy(proto.record, &next, sizeof(next));
			if (next > 1 && rand() % 3 == 0)
			{
				spec.id = 1 + rand() % (next - 1);
				spec.required = false;
				if (!settled[spec.id])
				{
					ndeps = 1;
					dep_of[next] = spec.id;
				}
			}
			callsync_jobs_add(jobs, &proto, &spec, ndeps, now, note_replaced, NULL);
			next++;
		}
		callsync_jobs_advance(jobs, 0, now);
		if (running_n < 64)
		{
			CallsyncJob *job = callsync_jobs_take(jobs, 0, rand() % 2);

			if (job != NULL)
			{
				if (job->id < last_done[job->key])
					order_ok = false;
				if (dep_of[job->id] != 0 && !settled[dep_of[job->id]])
					deps_ok = false;
				running[running_n++] = job;
			}
		}
		if (running_n > 0 && rand() % 2)
		{
			int			i = rand() % running_n;
			CallsyncJob *job = running[i];

			running[i] = running[--running_n];
			switch (rand() % 4)
			{
				case 0:
					callsync_jobs_retry(jobs, job, now + rand() % 30, now);
					break;
				case 1:
					callsync_jobs_put_back(jobs, job);
					break;
				default:
					last_done[job->key] = job->id;
					settled[job->id] = true;
					done++;
					callsync_jobs_settle(jobs, job, rand() % 2, now);
			}
		}
	}
	CHECK(order_ok);
	CHECK(deps_ok);
	CHECK(callsync_jobs_count(jobs) == 0 && callsync_jobs_count_dest(jobs, 0) == 0);
	callsync_jobs_destroy(jobs);
	CHECK(allocated == 0);
}

int
main(void)
{
	order();
	retry_blocks_own_key_only();
	dependencies();
	replacement();
	lanes();
	for (unsigned seed = 1; seed <= 5; seed++)
		random_run(seed);
	return unit_done("jobs");
}
