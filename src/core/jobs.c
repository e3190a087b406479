/*
 * jobs.c
 *		Which delivery goes next: the in-memory schedule of one worker.
 *
 * One list per ordering key, sorted by delivery id; only its first job can be in
 * one of the heaps of its destination. Every change of a job's state goes through
 * set_state(), which keeps heap membership and counters right.
 */
#include "core/jobs.h"

#include <assert.h>
#include <string.h>

typedef struct CallsyncJobKey
{
	uint64_t	key;
	CallsyncJob *first;
	CallsyncJob *last;
	struct CallsyncJobKey *hash_next;
} JobKey;

/* "waiter waits for dep_id", in the table by dep_id and in the waiter's own list */
typedef struct CallsyncJobDepNode
{
	int64_t		dep_id;
	CallsyncJob *waiter;
	bool		required;
	struct CallsyncJobDepNode *hash_next;
	struct CallsyncJobDepNode *job_next;
} DepNode;

typedef struct Heap
{
	CallsyncJob **items;
	int			n;
	int			room;
} Heap;

typedef struct Dest
{
	Heap		ready[2];		/* [bulk] */
	Heap		delayed;
	int			count;
} Dest;

struct CallsyncJobs
{
	CallsyncAllocator allocator;
	CallsyncJob **by_id;
	JobKey	  **by_key;
	DepNode   **by_dep;
	uint32_t	buckets;		/* of each table, a power of two */
	int			njobs;
	Dest	   *dests;
	int			ndests;
	CallsyncJob *doomed;
};

/* ---- small helpers ---- */

static void *
get_zeroed(CallsyncJobs *jobs, size_t size)
{
	void	   *p = jobs->allocator.alloc(jobs->allocator.arg, size);

	memset(p, 0, size);
	return p;
}

static void
put(CallsyncJobs *jobs, void *p)
{
	if (p != NULL)
		jobs->allocator.release(jobs->allocator.arg, p);
}

static uint32_t
spread(uint64_t v)
{
	/* ids are dense and keys are hashes already: one multiplication does */
	return (uint32_t) ((v * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

static uint32_t
slot(const CallsyncJobs *jobs, uint64_t v)
{
	return spread(v) & (jobs->buckets - 1);
}

static Dest *
dest_of(CallsyncJobs *jobs, int dest)
{
	if (dest >= jobs->ndests)
	{
		int			n = jobs->ndests * 2 > dest + 1 ? jobs->ndests * 2 : dest + 1;
		Dest	   *bigger = get_zeroed(jobs, sizeof(Dest) * n);

		memcpy(bigger, jobs->dests, sizeof(Dest) * jobs->ndests);
		put(jobs, jobs->dests);
		jobs->dests = bigger;
		jobs->ndests = n;
	}
	return &jobs->dests[dest];
}

/* ---- heaps ---- */

static bool
ready_before(const CallsyncJob *a, const CallsyncJob *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a->id < b->id;
}

static bool
due_before(const CallsyncJob *a, const CallsyncJob *b)
{
	if (a->due_ms != b->due_ms)
		return a->due_ms < b->due_ms;
	return a->id < b->id;
}

typedef bool (*Before) (const CallsyncJob *a, const CallsyncJob *b);

static void
heap_set(Heap *heap, int pos, CallsyncJob *job)
{
	heap->items[pos] = job;
	job->heap_pos = pos;
}

static void
heap_up(Heap *heap, int pos, Before before)
{
	CallsyncJob *job = heap->items[pos];

	while (pos > 0)
	{
		int			parent = (pos - 1) / 2;

		if (!before(job, heap->items[parent]))
			break;
		heap_set(heap, pos, heap->items[parent]);
		pos = parent;
	}
	heap_set(heap, pos, job);
}

static void
heap_down(Heap *heap, int pos, Before before)
{
	CallsyncJob *job = heap->items[pos];

	for (;;)
	{
		int			child = 2 * pos + 1;

		if (child >= heap->n)
			break;
		if (child + 1 < heap->n && before(heap->items[child + 1], heap->items[child]))
			child++;
		if (!before(heap->items[child], job))
			break;
		heap_set(heap, pos, heap->items[child]);
		pos = child;
	}
	heap_set(heap, pos, job);
}

static void
heap_add(CallsyncJobs *jobs, Heap *heap, CallsyncJob *job, Before before)
{
	if (heap->n == heap->room)
	{
		int			room = heap->room ? heap->room * 2 : 64;
		CallsyncJob **bigger = get_zeroed(jobs, sizeof(CallsyncJob *) * room);

		if (heap->n > 0)
			memcpy(bigger, heap->items, sizeof(CallsyncJob *) * heap->n);
		put(jobs, heap->items);
		heap->items = bigger;
		heap->room = room;
	}
	heap_set(heap, heap->n++, job);
	heap_up(heap, heap->n - 1, before);
}

static void
heap_remove(Heap *heap, CallsyncJob *job, Before before)
{
	int			pos = job->heap_pos;
	CallsyncJob *moved = heap->items[--heap->n];

	job->heap_pos = -1;
	if (moved == job)
		return;
	heap_set(heap, pos, moved);
	heap_up(heap, pos, before);
	heap_down(heap, moved->heap_pos, before);
}

/* ---- states ---- */

/* The one place that assigns job->state. */
static void
set_state(CallsyncJobs *jobs, CallsyncJob *job, CallsyncJobState state)
{
	Dest	   *dest = dest_of(jobs, job->dest);

	if (job->state == CALLSYNC_JOB_READY)
		heap_remove(&dest->ready[job->bulk], job, ready_before);
	else if (job->state == CALLSYNC_JOB_DELAYED)
		heap_remove(&dest->delayed, job, due_before);
	else if (job->state == CALLSYNC_JOB_DOOMED)
	{
		CallsyncJob **p = &jobs->doomed;

		while (*p != job)
			p = &(*p)->doomed_next;
		*p = job->doomed_next;
		job->doomed_next = NULL;
	}

	job->state = state;

	if (state == CALLSYNC_JOB_READY)
		heap_add(jobs, &dest->ready[job->bulk], job, ready_before);
	else if (state == CALLSYNC_JOB_DELAYED)
		heap_add(jobs, &dest->delayed, job, due_before);
	else if (state == CALLSYNC_JOB_DOOMED)
	{
		job->doomed_next = jobs->doomed;
		jobs->doomed = job;
	}
}

/* Where does a job belong that is neither RUNNING nor DOOMED? */
static void
place(CallsyncJobs *jobs, CallsyncJob *job, int64_t now_ms)
{
	CallsyncJobState state;

	if (job->dep_failed)
		state = CALLSYNC_JOB_DOOMED;
	else if (job->in_key->first != job)
		state = CALLSYNC_JOB_BLOCKED;
	else if (job->open_deps > 0)
		state = CALLSYNC_JOB_WAITING;
	else if (job->due_ms > now_ms)
		state = CALLSYNC_JOB_DELAYED;
	else
		state = CALLSYNC_JOB_READY;
	if (state != job->state)
		set_state(jobs, job, state);
}

/* ---- tables ---- */

static void
grow(CallsyncJobs *jobs)
{
	uint32_t	old = jobs->buckets;
	CallsyncJob **by_id = jobs->by_id;
	JobKey	  **by_key = jobs->by_key;
	DepNode   **by_dep = jobs->by_dep;

	jobs->buckets = old * 2;
	jobs->by_id = get_zeroed(jobs, sizeof(CallsyncJob *) * jobs->buckets);
	jobs->by_key = get_zeroed(jobs, sizeof(JobKey *) * jobs->buckets);
	jobs->by_dep = get_zeroed(jobs, sizeof(DepNode *) * jobs->buckets);
	for (uint32_t i = 0; i < old; i++)
	{
		for (CallsyncJob *j = by_id[i], *next; j != NULL; j = next)
		{
			CallsyncJob **b = &jobs->by_id[slot(jobs, (uint64_t) j->id)];

			next = j->hash_next;
			j->hash_next = *b;
			*b = j;
		}
		for (JobKey *k = by_key[i], *next; k != NULL; k = next)
		{
			JobKey	  **b = &jobs->by_key[slot(jobs, k->key)];

			next = k->hash_next;
			k->hash_next = *b;
			*b = k;
		}
		for (DepNode *d = by_dep[i], *next; d != NULL; d = next)
		{
			DepNode   **b = &jobs->by_dep[slot(jobs, (uint64_t) d->dep_id)];

			next = d->hash_next;
			d->hash_next = *b;
			*b = d;
		}
	}
	put(jobs, by_id);
	put(jobs, by_key);
	put(jobs, by_dep);
}

static JobKey *
key_of(CallsyncJobs *jobs, uint64_t key)
{
	JobKey	  **b = &jobs->by_key[slot(jobs, key)];
	JobKey	   *k;

	for (k = *b; k != NULL; k = k->hash_next)
		if (k->key == key)
			return k;
	k = get_zeroed(jobs, sizeof(JobKey));
	k->key = key;
	k->hash_next = *b;
	*b = k;
	return k;
}

/* Into its key's list, by id; late comers from the overflow can be older than what is there. */
static void
key_link(JobKey *k, CallsyncJob *job)
{
	CallsyncJob *after = k->last;

	/* whoever runs already cannot be overtaken any more */
	while (after != NULL && after->id > job->id && after->state != CALLSYNC_JOB_RUNNING)
		after = after->key_prev;
	job->in_key = k;
	job->key_prev = after;
	job->key_next = after != NULL ? after->key_next : k->first;
	if (job->key_next != NULL)
		job->key_next->key_prev = job;
	else
		k->last = job;
	if (after != NULL)
		after->key_next = job;
	else
		k->first = job;
}

/* Out of its key's list; the next one moves up. */
static void
key_unlink(CallsyncJobs *jobs, CallsyncJob *job, int64_t now_ms)
{
	JobKey	   *k = job->in_key;
	CallsyncJob *next = job->key_next;
	bool		was_first = k->first == job;

	if (job->key_prev != NULL)
		job->key_prev->key_next = next;
	else
		k->first = next;
	if (next != NULL)
		next->key_prev = job->key_prev;
	else
		k->last = job->key_prev;
	job->in_key = NULL;

	if (k->first == NULL)
	{
		JobKey	  **p = &jobs->by_key[slot(jobs, k->key)];

		while (*p != k)
			p = &(*p)->hash_next;
		*p = k->hash_next;
		put(jobs, k);
	}
	else if (was_first && next->state == CALLSYNC_JOB_BLOCKED)
		place(jobs, next, now_ms);
}

/* ---- dependencies ---- */

static void
dep_add(CallsyncJobs *jobs, CallsyncJob *job, int64_t dep_id, bool required)
{
	DepNode    *d = get_zeroed(jobs, sizeof(DepNode));
	DepNode   **b = &jobs->by_dep[slot(jobs, (uint64_t) dep_id)];

	d->dep_id = dep_id;
	d->waiter = job;
	d->required = required;
	d->hash_next = *b;
	*b = d;
	d->job_next = job->deps;
	job->deps = d;
	job->open_deps++;
}

static void
dep_drop(CallsyncJobs *jobs, DepNode *d)
{
	DepNode   **p = &jobs->by_dep[slot(jobs, (uint64_t) d->dep_id)];

	while (*p != d)
		p = &(*p)->hash_next;
	*p = d->hash_next;
	p = &d->waiter->deps;
	while (*p != d)
		p = &(*p)->job_next;
	*p = d->job_next;
	d->waiter->open_deps--;
	put(jobs, d);
}

/* The first node that waits for dep_id, NULL if none */
static DepNode *
dep_find(CallsyncJobs *jobs, int64_t dep_id)
{
	DepNode    *d = jobs->by_dep[slot(jobs, (uint64_t) dep_id)];

	while (d != NULL && d->dep_id != dep_id)
		d = d->hash_next;
	return d;
}

void
callsync_jobs_resolve(CallsyncJobs *jobs, int64_t dep_id, bool ok, int64_t now_ms)
{
	DepNode    *d;

	while ((d = dep_find(jobs, dep_id)) != NULL)
	{
		CallsyncJob *waiter = d->waiter;

		if (!ok && d->required)
			waiter->dep_failed = true;
		dep_drop(jobs, d);
		if (waiter->state != CALLSYNC_JOB_RUNNING && waiter->state != CALLSYNC_JOB_DOOMED)
			place(jobs, waiter, now_ms);
	}
}

/* ---- life of a job ---- */

CallsyncJobs *
callsync_jobs_create(const CallsyncAllocator *allocator)
{
	CallsyncJobs *jobs = allocator->alloc(allocator->arg, sizeof(CallsyncJobs));

	memset(jobs, 0, sizeof(*jobs));
	jobs->allocator = *allocator;
	jobs->buckets = 256;
	jobs->by_id = get_zeroed(jobs, sizeof(CallsyncJob *) * jobs->buckets);
	jobs->by_key = get_zeroed(jobs, sizeof(JobKey *) * jobs->buckets);
	jobs->by_dep = get_zeroed(jobs, sizeof(DepNode *) * jobs->buckets);
	jobs->ndests = 8;
	jobs->dests = get_zeroed(jobs, sizeof(Dest) * jobs->ndests);
	return jobs;
}

static void
unhash_and_free(CallsyncJobs *jobs, CallsyncJob *job)
{
	CallsyncJob **p = &jobs->by_id[slot(jobs, (uint64_t) job->id)];

	while (*p != job)
		p = &(*p)->hash_next;
	*p = job->hash_next;
	while (job->deps != NULL)
		dep_drop(jobs, job->deps);
	jobs->njobs--;
	dest_of(jobs, job->dest)->count--;
	put(jobs, job);
}

void
callsync_jobs_destroy(CallsyncJobs *jobs)
{
	for (uint32_t i = 0; i < jobs->buckets; i++)
		while (jobs->by_id[i] != NULL)
			callsync_jobs_forget(jobs, jobs->by_id[i], 0);
	for (int i = 0; i < jobs->ndests; i++)
	{
		put(jobs, jobs->dests[i].ready[0].items);
		put(jobs, jobs->dests[i].ready[1].items);
		put(jobs, jobs->dests[i].delayed.items);
	}
	put(jobs, jobs->dests);
	put(jobs, jobs->by_id);
	put(jobs, jobs->by_key);
	put(jobs, jobs->by_dep);
	jobs->allocator.release(jobs->allocator.arg, jobs);
}

CallsyncJob *
callsync_jobs_find(CallsyncJobs *jobs, int64_t id)
{
	CallsyncJob *job = jobs->by_id[slot(jobs, (uint64_t) id)];

	while (job != NULL && job->id != id)
		job = job->hash_next;
	return job;
}

/* Those who waited for old wait for by now. */
static void
inherit_waiters(CallsyncJobs *jobs, CallsyncJob *old, CallsyncJob *by)
{
	DepNode    *d;

	while ((d = dep_find(jobs, old->id)) != NULL)
	{
		CallsyncJob *waiter = d->waiter;
		bool		required = d->required;

		dep_drop(jobs, d);
		if (waiter != by)
			dep_add(jobs, waiter, by->id, required);
	}
}

CallsyncJob *
callsync_jobs_add(CallsyncJobs *jobs, const CallsyncJob *proto,
				  const CallsyncJobDepSpec *deps, int ndeps,
				  int64_t now_ms, CallsyncJobReplaced replaced, void *arg)
{
	CallsyncJob *job;
	CallsyncJob **b;

	if (callsync_jobs_find(jobs, proto->id) != NULL)
		return NULL;
	if ((uint32_t) jobs->njobs >= jobs->buckets)
		grow(jobs);

	job = get_zeroed(jobs, sizeof(CallsyncJob));
	*job = *proto;
	job->state = CALLSYNC_JOB_BLOCKED;
	job->open_deps = 0;
	job->heap_pos = -1;
	job->key_prev = job->key_next = job->doomed_next = NULL;
	job->in_key = NULL;
	job->deps = NULL;

	b = &jobs->by_id[slot(jobs, (uint64_t) job->id)];
	job->hash_next = *b;
	*b = job;
	jobs->njobs++;
	dest_of(jobs, job->dest)->count++;
	for (int i = 0; i < ndeps; i++)
		dep_add(jobs, job, deps[i].id, deps[i].required);
	key_link(key_of(jobs, job->key), job);

	/* an older one of the same record, not sent yet: its content is in ours */
	for (CallsyncJob *old = job->key_prev, *prev; old != NULL; old = prev)
	{
		prev = old->key_prev;
		if (old->state == CALLSYNC_JOB_RUNNING || !old->replaceable ||
			memcmp(old->record, job->record, CALLSYNC_RECORD_LEN) != 0)
			continue;
		replaced(arg, old, job);
		/* what was asked for live stays urgent when a back-fill comes on top of it */
		job->bulk = job->bulk && old->bulk;
		if (old->priority < job->priority)
			job->priority = old->priority;
		inherit_waiters(jobs, old, job);
		callsync_jobs_settle(jobs, old, true, now_ms);
	}
	/* and whoever is behind us now but was first before is not first any more */
	if (job->key_next != NULL && job->key_next->state != CALLSYNC_JOB_RUNNING &&
		job->key_next->state != CALLSYNC_JOB_DOOMED)
		place(jobs, job->key_next, now_ms);
	place(jobs, job, now_ms);
	return job;
}

void
callsync_jobs_advance(CallsyncJobs *jobs, int dest, int64_t now_ms)
{
	Heap	   *delayed = &dest_of(jobs, dest)->delayed;

	while (delayed->n > 0 && delayed->items[0]->due_ms <= now_ms)
		place(jobs, delayed->items[0], now_ms);
}

CallsyncJob *
callsync_jobs_peek(CallsyncJobs *jobs, int dest, bool bulk)
{
	Heap	   *ready = &dest_of(jobs, dest)->ready[bulk];

	return ready->n > 0 ? ready->items[0] : NULL;
}

CallsyncJob *
callsync_jobs_take(CallsyncJobs *jobs, int dest, bool bulk)
{
	CallsyncJob *job = callsync_jobs_peek(jobs, dest, bulk);

	if (job != NULL)
		set_state(jobs, job, CALLSYNC_JOB_RUNNING);
	return job;
}

void
callsync_jobs_put_back(CallsyncJobs *jobs, CallsyncJob *job)
{
	assert(job->state == CALLSYNC_JOB_RUNNING);
	set_state(jobs, job, CALLSYNC_JOB_READY);
}

void
callsync_jobs_retry(CallsyncJobs *jobs, CallsyncJob *job, int64_t due_ms, int64_t now_ms)
{
	assert(job->state == CALLSYNC_JOB_RUNNING);
	job->due_ms = due_ms;
	set_state(jobs, job, CALLSYNC_JOB_BLOCKED);
	place(jobs, job, now_ms);
}

void
callsync_jobs_forget(CallsyncJobs *jobs, CallsyncJob *job, int64_t now_ms)
{
	set_state(jobs, job, CALLSYNC_JOB_BLOCKED);
	key_unlink(jobs, job, now_ms);
	unhash_and_free(jobs, job);
}

void
callsync_jobs_settle(CallsyncJobs *jobs, CallsyncJob *job, bool ok, int64_t now_ms)
{
	int64_t		id = job->id;

	callsync_jobs_forget(jobs, job, now_ms);
	callsync_jobs_resolve(jobs, id, ok, now_ms);
}

CallsyncJob *
callsync_jobs_next_doomed(CallsyncJobs *jobs)
{
	return jobs->doomed;
}

int64_t
callsync_jobs_next_due(const CallsyncJobs *jobs, int dest)
{
	if (dest >= jobs->ndests || jobs->dests[dest].delayed.n == 0)
		return INT64_MAX;
	return jobs->dests[dest].delayed.items[0]->due_ms;
}

void
callsync_jobs_hasten(CallsyncJobs *jobs, int dest, int64_t at_ms, int64_t now_ms)
{
	Heap	   *delayed = &dest_of(jobs, dest)->delayed;

	for (int i = 0; i < delayed->n; i++)
		if (delayed->items[i]->due_ms > at_ms)
			delayed->items[i]->due_ms = at_ms;
	for (int i = delayed->n / 2 - 1; i >= 0; i--)
		heap_down(delayed, i, due_before);
	callsync_jobs_advance(jobs, dest, now_ms);
}

int
callsync_jobs_count(const CallsyncJobs *jobs)
{
	return jobs->njobs;
}

int
callsync_jobs_count_dest(const CallsyncJobs *jobs, int dest)
{
	return dest < jobs->ndests ? jobs->dests[dest].count : 0;
}

int
callsync_jobs_count_ready(const CallsyncJobs *jobs, int dest)
{
	if (dest >= jobs->ndests)
		return 0;
	return jobs->dests[dest].ready[0].n + jobs->dests[dest].ready[1].n;
}

int
callsync_jobs_count_delayed(const CallsyncJobs *jobs, int dest)
{
	return dest < jobs->ndests ? jobs->dests[dest].delayed.n : 0;
}

void
callsync_jobs_each(CallsyncJobs *jobs, void (*visit) (void *arg, CallsyncJob *job), void *arg)
{
	for (uint32_t i = 0; i < jobs->buckets; i++)
		for (CallsyncJob *job = jobs->by_id[i]; job != NULL; job = job->hash_next)
			visit(arg, job);
}
