/*
 * shard.h
 *		Which of the fixed number of shards a call belongs to, and the hash behind it.
 *
 * The number is fixed for good: shards are stored in outbox, queue and
 * delivery rows.
 */
#ifndef CALLSYNC_CORE_SHARD_H
#define CALLSYNC_CORE_SHARD_H

#include <stddef.h>
#include <stdint.h>

#define CALLSYNC_SHARDS 64

/* FNV-1a, 64 bit; seed with CALLSYNC_FNV_START or an earlier result to go on */
#define CALLSYNC_FNV_START UINT64_C(0xcbf29ce484222325)
extern uint64_t callsync_fnv1a(uint64_t h, const void *data, size_t len);

/* 0 .. CALLSYNC_SHARDS - 1, from (source, call_id) */
extern int	callsync_shard(const char *source, size_t source_len,
						   const char *call_id, size_t call_id_len);

#endif
