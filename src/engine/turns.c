/*
 * turns.c
 *		A limit that is lower than the number of workers: they take turns.
 *
 * Shares of less than one request in a window do not exist: two workers with half a
 * request each could send both at once. So a limit of n requests has n turns, each
 * an advisory lock. Who holds a turn may send one request per window, and gives it
 * back when a window has passed since its answer, never before: so at any time the
 * requests that a server still counts are at most as many as there are turns. A worker
 * takes as many as it needs and finds free; one that needed them without a pause
 * lets the others have a try.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "engine/engine_state.h"
#include "pg/locks.h"

#define HELD_LONG_MS 3000		/* then the others may try first */
#define TRY_MAX_MS 1000

/* Another limit with the same hash costs it a turn, no more. */
static uint32
turn_key(const CallsyncEngineDest *dest, const CallsyncLimitSet *set, int i, int turn)
{
	uint32		h = string_hash(dest->d->name, strlen(dest->d->name) + 1);

	h = hash_combine(h, string_hash(set->name[i], strlen(set->name[i]) + 1));
	return hash_combine(h, (uint32) turn);
}

static int64
try_again_ms(const CallsyncLimitSet *set, int i)
{
	return Max(Min(set->spec[i].window_ms / 4, TRY_MAX_MS), 10);
}

bool
callsync_engine_turn_take(CallsyncEngine *engine, CallsyncEngineDest *dest, CallsyncLimitSet *set, int i, int64 now_ms,
						  int64 *wait_until_ms)
{
	CallsyncBucket *bucket = &set->bucket[i];

	if (set->turns_held[i] > 0 && callsync_bucket_free(bucket, now_ms) > 0)
		return true;
	if (now_ms >= set->turns_after_ms[i])
	{
		for (int k = 0; k < set->turns[i]; k++)
		{
			/* each begins its search elsewhere */
			int			turn = (engine->identity->index + k) % set->turns[i];

			if ((set->turn_mask[i] & (UINT64CONST(1) << turn)) != 0 ||
				!callsync_lock_try(MyDatabaseId, CALLSYNC_LOCK_TURN, turn_key(dest, set, i, turn)))
				continue;
			set->turn_mask[i] |= UINT64CONST(1) << turn;
			if (set->turns_held[i]++ == 0)
				set->turns_since_ms[i] = now_ms;
			bucket->rate = set->turns_held[i];
			return true;
		}
	}
	if (set->turns_held[i] > 0)
		return true;			/* the bucket says when */
	*wait_until_ms = Max(now_ms + try_again_ms(set, i), set->turns_after_ms[i]);
	return false;
}

/* Gives back the turns that nobody counts any more. */
void
callsync_engine_turns_return(CallsyncEngine *engine)
{
	int64		now_ms = callsync_engine_now_ms();

	for (int d = 0; d < engine->ndests; d++)
	{
		CallsyncEngineDest *dest = engine->dests[d];
		CallsyncLimitSet *set = dest->limits;

		for (int i = 0; set != NULL && i < set->n; i++)
		{
			int64		free = set->turns_held[i] > 0 ? callsync_bucket_free(&set->bucket[i], now_ms) : 0;

			for (int turn = 0; free > 0 && turn < set->turns[i]; turn++)
			{
				if ((set->turn_mask[i] & (UINT64CONST(1) << turn)) == 0)
					continue;
				callsync_lock_release(MyDatabaseId, CALLSYNC_LOCK_TURN, turn_key(dest, set, i, turn));
				set->turn_mask[i] &= ~(UINT64CONST(1) << turn);
				free--;
				set->turns_held[i]--;
				if (now_ms - set->turns_since_ms[i] > HELD_LONG_MS)
				{
					set->turns_after_ms[i] = now_ms + 2 * try_again_ms(set, i);
					set->turns_since_ms[i] = now_ms;
				}
			}
			/* a bucket has at least one unit; without a turn nobody asks it */
			if (set->turns[i] > 0)
				set->bucket[i].rate = Max(set->turns_held[i], 1);
			if (set->turns_held[i] > 0)
				engine->wake_ms = Min(engine->wake_ms, now_ms + try_again_ms(set, i));
		}
	}
}

/* The limits are replaced: the others need not wait for this process to end. */
void
callsync_engine_turns_drop(CallsyncEngineDest *dest, CallsyncLimitSet *set)
{
	for (int i = 0; i < set->n; i++)
	{
		for (int turn = 0; turn < set->turns[i]; turn++)
			if ((set->turn_mask[i] & (UINT64CONST(1) << turn)) != 0)
				callsync_lock_release(MyDatabaseId, CALLSYNC_LOCK_TURN, turn_key(dest, set, i, turn));
		set->turn_mask[i] = 0;
		set->turns_held[i] = 0;
	}
}
