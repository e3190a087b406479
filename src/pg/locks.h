/*
 * locks.h
 *		Advisory locks that callsync takes, in the two-integer form.
 *
 * They live as long as the session, unless said otherwise, so that a process that
 * dies leaves none behind. pg_locks shows them with these class ids.
 */
#ifndef CALLSYNC_PG_LOCKS_H
#define CALLSYNC_PG_LOCKS_H

/* classid in pg_locks; 0x4353 is "CS" */
#define CALLSYNC_LOCK_WORKER	0x43530001	/* objid = worker index: one process each */
#define CALLSYNC_LOCK_RUNNING	0x43530002	/* objid = worker index: its loop runs */
#define CALLSYNC_LOCK_SHARD		0x43530003	/* objid = shard: one owner each */
#define CALLSYNC_LOCK_TOKEN		0x43530004	/* objid = destination id: its token is being renewed */
#define CALLSYNC_LOCK_TABLE		0x43530007	/* objid = handle of the workers' shared memory; 0: it is being looked for */

#define CALLSYNC_LOCK_TEST		0x43530005	/* objid = destination id: test_destination() waits (sql/53_test.sql) */

#define CALLSYNC_LOCK_CONTACTS	0x43530006	/* objid 0: a worker settles what it learned of contacts */

/* Takes the lock for this session without waiting; false where another has it. */
extern bool callsync_lock_try(Oid database, uint32 class_id, uint32 key);

/* Takes the lock for this session. */
extern void callsync_lock_wait(Oid database, uint32 class_id, uint32 key);

/* Takes the lock for this session, together with others that hold it. */
extern void callsync_lock_hold(Oid database, uint32 class_id, uint32 key);

/* Takes the lock until the end of this transaction. */
extern void callsync_lock_transaction(Oid database, uint32 class_id, uint32 key);

extern void callsync_lock_release(Oid database, uint32 class_id, uint32 key);

/* Does another process have the lock right now? */
extern bool callsync_lock_is_held(Oid database, uint32 class_id, uint32 key);

/*
 * Is somebody dropping (or moving, or copying) this database, or waiting for it?
 * DROP DATABASE WITH (FORCE) gives a process five seconds to go.
 */
extern bool callsync_database_is_wanted(Oid database);

#endif
