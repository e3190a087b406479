/*
 * shards.c
 *		Which shards this worker owns: an advisory lock of the session each.
 */
#include "postgres.h"

#include "core/shard.h"
#include "pg/locks.h"
#include "store/shards.h"

uint64
callsync_shards_wanted(int index, int workers)
{
	uint64		mask = 0;

	if (workers < 1)
		workers = 1;
	for (int shard = 0; shard < CALLSYNC_SHARDS; shard++)
		if (shard % workers == index)
			mask |= UINT64CONST(1) << shard;
	return mask;
}

bool
callsync_shards_adjust(Oid database, uint64 *owned, uint64 wanted, uint64 busy)
{
	uint64		before = *owned;

	for (int shard = 0; shard < CALLSYNC_SHARDS; shard++)
	{
		uint64		bit = UINT64CONST(1) << shard;

		if ((wanted & bit) && !(*owned & bit))
		{
			if (callsync_lock_try(database, CALLSYNC_LOCK_SHARD, shard))
				*owned |= bit;
		}
		else if (!(wanted & bit) && (*owned & bit) && !(busy & bit))
		{
			callsync_lock_release(database, CALLSYNC_LOCK_SHARD, shard);
			*owned &= ~bit;
		}
	}
	return *owned != before;
}
