/*
 * shard.c
 *		Which of the fixed number of shards a call belongs to.
 */
#include "core/shard.h"

uint64_t
callsync_fnv1a(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
	{
		h ^= p[i];
		h *= UINT64_C(0x100000001b3);
	}
	return h;
}

int
callsync_shard(const char *source, size_t source_len,
			   const char *call_id, size_t call_id_len)
{
	uint64_t	h = callsync_fnv1a(CALLSYNC_FNV_START, source, source_len);

	/* a separator that is not in names, so that ("ab","c") is not ("a","bc") */
	h = callsync_fnv1a(h, "\x1f", 1);
	h = callsync_fnv1a(h, call_id, call_id_len);
	/* the low bits of FNV are weak for short input: fold the high ones in */
	h ^= h >> 32;
	return (int) (h % CALLSYNC_SHARDS);
}
