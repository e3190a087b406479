/*
 * shmem.h
 *		How processes of callsync find and wake each other.
 *
 * Workers are found in the server's own process array (database and kind of
 * background worker), so waking one needs no shared memory of ours and works with
 * and without shared_preload_libraries. Shared memory exists only when preloaded
 * and holds what the launcher and the backends tell each other.
 */
#ifndef CALLSYNC_PG_SHMEM_H
#define CALLSYNC_PG_SHMEM_H

#define CALLSYNC_WORKER_TYPE "callsync worker"
#define CALLSYNC_LAUNCHER_TYPE "callsync launcher"

/*
 * Sets the latch of each worker of this database. Callable from a commit callback:
 * reads no catalog, allocates nothing, never raises. Does nothing where no worker
 * runs. A missed wake costs one naptime, never a row.
 */
extern void callsync_wake_workers(void);

/*
 * How often the workers of a database were woken so far. A worker that sleeps on a lock
 * or for a page within a transaction uses its latch up for that: what it sees move here
 * is a wake-up that it would have slept through. Counts for several databases at once.
 * -1 without shared memory: nothing is known, and a worker must not nap for long.
 */
extern int64 callsync_wakes(Oid database);

/*
 * This process is a worker now, connected to its database: sessions that knew those of
 * before look again at their next commit.
 */
extern void callsync_worker_announce(void);

/*
 * The worker processes of a database, this one not counted: writes up to "max"
 * pids, returns how many there are.
 */
extern int	callsync_find_workers(Oid database, int *pids, int max);

/* ---- shared memory; all of this is a no-op or false where it does not exist ---- */

/* What is known about a database; bits. */
#define CALLSYNC_DB_STOPPED			0x01	/* stop() was called: do not launch */
#define CALLSYNC_DB_NUDGED			0x02	/* look again now, forget the back-off */
#define CALLSYNC_DB_NO_EXTENSION	0x04	/* a worker found nothing to work for */
#define CALLSYNC_DB_NO_SLOT			0x08	/* max_worker_processes was used up */

/* Called by _PG_init() while preloading. */
extern void callsync_shmem_init(void);

extern bool callsync_shmem_available(void);

/*
 * Sets and clears bits of a database; returns the bits as they were. False in
 * *stored where the table of databases is full (may be NULL).
 */
extern int	callsync_db_flags(Oid database, int set, int clear, bool *stored);

/* This process is the launcher from now on, until it ends. */
extern void callsync_launcher_register(void);
extern int	callsync_launcher_pid(void);	/* 0 = none runs */
extern void callsync_launcher_wake(void);

/* Tells everybody in callsync_workers_wait() that a worker came, went or failed. */
extern void callsync_workers_changed(void);

/*
 * Waits until a worker changes its state, up to timeout_ms; without shared memory
 * for a moment only. The caller looks at the state again and calls
 * callsync_workers_wait_end() when it is done.
 */
extern void callsync_workers_wait_begin(void);
extern void callsync_workers_wait(int64 timeout_ms);
extern void callsync_workers_wait_end(void);

#endif
