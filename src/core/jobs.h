/*
 * jobs.h
 *		Which delivery goes next: the in-memory schedule of one worker.
 *
 * Rules, all of them here and nowhere else:
 *	- first in, first out per ordering key, by delivery id; keys are independent
 *	  of each other, so a delivery that waits for its retry blocks its own key only;
 *	- a delivery waits until the deliveries it depends on are settled;
 *	- a newer delivery of the same record replaces an older one that has not been
 *	  sent yet;
 *	- among those that may go, the smaller priority number first, then the older;
 *	  back-fill has a lane of its own, so that it can be held back as a whole.
 *
 *	            add
 *	             |
 *	 BLOCKED <---+--> WAITING --> DELAYED <--> READY --> RUNNING --> (settled)
 *	    |  head of its key   |  due later      ^   |        |
 *	    +--------------------+-----------------+   +<-------+ put back, retry
 *	                                 DOOMED <- a required dependency failed
 *
 * No clock, no I/O. Memory comes from the allocator that the owner passes in; a
 * job is some 150 bytes, so that it holds no text: the row is read when it is sent.
 */
#ifndef CALLSYNC_CORE_JOBS_H
#define CALLSYNC_CORE_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALLSYNC_RECORD_LEN 16

/* Never returns NULL (the owner's allocator raises its own error). */
typedef struct CallsyncAllocator
{
	void	   *(*alloc) (void *arg, size_t size);
	void		(*release) (void *arg, void *p);
	void	   *arg;
} CallsyncAllocator;

typedef enum CallsyncJobState
{
	CALLSYNC_JOB_BLOCKED,		/* not the first of its key -> any of the next four */
	CALLSYNC_JOB_WAITING,		/* first, a dependency is open -> DELAYED, READY, DOOMED */
	CALLSYNC_JOB_DELAYED,		/* first, due later -> READY */
	CALLSYNC_JOB_READY,			/* may go -> RUNNING */
	CALLSYNC_JOB_RUNNING,		/* taken -> READY, DELAYED or gone */
	CALLSYNC_JOB_DOOMED			/* will never go; the owner settles it */
} CallsyncJobState;

typedef struct CallsyncJob
{
	/* filled in by the owner before add, read-only afterwards */
	int64_t		id;				/* delivery id */
	uint64_t	key;			/* hash of destination and ordering key */
	uint8_t		record[CALLSYNC_RECORD_LEN];	/* which record it writes, as a digest */
	int32_t		day;			/* partition, as the owner counts days */
	int32_t		dest;			/* slot of the destination */
	int16_t		priority;
	bool		bulk;			/* back-fill lane */
	bool		replaceable;	/* nothing was sent yet: a newer one may take its place */
	int64_t		due_ms;

	/* the owner's own notes */
	int32_t		tries;			/* sends made so far */
	int32_t		exchanges;		/* attempt rows so far: the next one is this + 1 */
	int64_t		first_ms;		/* when the first try started, 0 = none yet */
	int64_t		doubt_ms;		/* when the try started whose outcome is unknown */
	uint8_t		phase;
	uint8_t		flags;
	uint8_t		laps;			/* exchanges of this phase so far */
	uint8_t		turns;			/* times that an answer sent it back to the start */
	int16_t		shard;
	void	   *owner;

	/* jobs.c only, but for dep_failed */
	CallsyncJobState state;
	int32_t		open_deps;
	bool		dep_failed;		/* may be set for add: a required dependency failed before */
	int32_t		heap_pos;
	struct CallsyncJob *hash_next;	/* table by id */
	struct CallsyncJob *key_prev;
	struct CallsyncJob *key_next;
	struct CallsyncJob *doomed_next;
	struct CallsyncJobKey *in_key;
	struct CallsyncJobDepNode *deps;
} CallsyncJob;

typedef struct CallsyncJobDepSpec
{
	int64_t		id;				/* delivery waited for */
	bool		required;		/* its failure dooms this job */
} CallsyncJobDepSpec;

typedef struct CallsyncJobs CallsyncJobs;

extern CallsyncJobs *callsync_jobs_create(const CallsyncAllocator *allocator);
extern void callsync_jobs_destroy(CallsyncJobs *jobs);

/*
 * Takes a copy of *proto into the schedule. deps: only those not settled yet; a
 * dependency need not be known here (it may be loaded later). A delivery id that
 * is already known is left alone and NULL returned.
 *
 * An older job of the same key and record that was not sent yet is taken out:
 * replaced(arg, old, job) is called first, so that the owner can settle it; jobs that waited
 * for the old one wait for the new one now.
 */
typedef void (*CallsyncJobReplaced) (void *arg, CallsyncJob *old, CallsyncJob *by);
extern CallsyncJob *callsync_jobs_add(CallsyncJobs *jobs, const CallsyncJob *proto,
									  const CallsyncJobDepSpec *deps, int ndeps,
									  int64_t now_ms, CallsyncJobReplaced replaced, void *arg);

/* NULL if it is not loaded */
extern CallsyncJob *callsync_jobs_find(CallsyncJobs *jobs, int64_t id);

/* Moves what has come due to READY. Call once a tick before taking. */
extern void callsync_jobs_advance(CallsyncJobs *jobs, int dest, int64_t now_ms);

/* The best READY job of a destination and lane, made RUNNING; NULL if there is none. */
extern CallsyncJob *callsync_jobs_take(CallsyncJobs *jobs, int dest, bool bulk);
/* The same without taking it */
extern CallsyncJob *callsync_jobs_peek(CallsyncJobs *jobs, int dest, bool bulk);

/* It could not be sent after all: READY again, same place. */
extern void callsync_jobs_put_back(CallsyncJobs *jobs, CallsyncJob *job);
/* It goes again at due_ms, and keeps the first place of its key. */
extern void callsync_jobs_retry(CallsyncJobs *jobs, CallsyncJob *job, int64_t due_ms, int64_t now_ms);

/*
 * It is settled and leaves: the next of its key moves up, and those who waited for
 * it go on (ok), or go on without where it was not required, or are doomed. The
 * job is freed. Works in any state.
 */
extern void callsync_jobs_settle(CallsyncJobs *jobs, CallsyncJob *job, bool ok, int64_t now_ms);
/* A dependency that was settled elsewhere (never loaded here). */
extern void callsync_jobs_resolve(CallsyncJobs *jobs, int64_t dep_id, bool ok, int64_t now_ms);

/* It leaves memory unsettled; those who wait for it go on waiting. */
extern void callsync_jobs_forget(CallsyncJobs *jobs, CallsyncJob *job, int64_t now_ms);

/* Jobs that a failed dependency doomed, one at a time; the owner settles each. */
extern CallsyncJob *callsync_jobs_next_doomed(CallsyncJobs *jobs);

/* Earliest instant at which a DELAYED job of dest comes due, INT64_MAX if none */
extern int64_t callsync_jobs_next_due(const CallsyncJobs *jobs, int dest);
/* Every DELAYED job of dest is due at at_ms at the latest (the destination is back). */
extern void callsync_jobs_hasten(CallsyncJobs *jobs, int dest, int64_t at_ms, int64_t now_ms);

extern int	callsync_jobs_count(const CallsyncJobs *jobs);	/* all */
extern int	callsync_jobs_count_dest(const CallsyncJobs *jobs, int dest);
extern int	callsync_jobs_count_ready(const CallsyncJobs *jobs, int dest);	/* READY, both lanes */
extern int	callsync_jobs_count_delayed(const CallsyncJobs *jobs, int dest);

/* Calls visit for each job (any order); visit must not add or settle. */
extern void callsync_jobs_each(CallsyncJobs *jobs, void (*visit) (void *arg, CallsyncJob *job), void *arg);

#endif
