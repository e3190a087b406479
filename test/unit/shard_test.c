/* shard.h: stable values (they are stored), all shards used evenly */
#include "core/shard.h"
#include "unit.h"

int
main(void)
{
	int			count[CALLSYNC_SHARDS] = {0};
	int			min = 1 << 30,
				max = 0;

	for (int i = 0; i < 64000; i++)
	{
		char		id[32];
		int			n = snprintf(id, sizeof(id), "c-%d", i);

		count[callsync_shard("phones", 6, id, n)]++;
	}
	for (int i = 0; i < CALLSYNC_SHARDS; i++)
	{
		if (count[i] < min)
			min = count[i];
		if (count[i] > max)
			max = count[i];
	}
	CHECK(min > 800 && max < 1200);
	/* published FNV-1a vectors */
	CHECK(callsync_fnv1a(CALLSYNC_FNV_START, "", 0) == UINT64_C(0xcbf29ce484222325));
	CHECK(callsync_fnv1a(CALLSYNC_FNV_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	CHECK(callsync_fnv1a(CALLSYNC_FNV_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
	CHECK(callsync_shard("ab", 2, "c", 1) != callsync_shard("a", 1, "bc", 2));
	return unit_done("shard");
}
