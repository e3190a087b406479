/*
 * shards.h
 *		Which shards this worker owns: an advisory lock of the session each.
 *
 * A worker is the only writer of queue, delivery and sync_state rows of its
 * shards. The lock ends with the process, so a crashed worker's shards are free
 * at once, and no two workers can ever own one shard, whatever they believe
 * about their number.
 */
#ifndef CALLSYNC_STORE_SHARDS_H
#define CALLSYNC_STORE_SHARDS_H

/* The shards that worker "index" of "workers" should own, as a bit mask. */
extern uint64 callsync_shards_wanted(int index, int workers);

/*
 * Inside a transaction: takes those of "wanted" that nobody else has and
 * releases those of *owned that are neither wanted nor in "busy". Never waits.
 * Updates *owned, which a rollback does not undo; true where it changed.
 */
extern bool callsync_shards_adjust(Oid database, uint64 *owned, uint64 wanted, uint64 busy);

#endif
