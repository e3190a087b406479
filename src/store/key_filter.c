/*
 * key_filter.c
 *		Keys of the contact mirror that are shared; see key_filter.h.
 *
 * Two fields of bits, one for keys that are in the index and one for those that
 * are in it more than once.  The index is in the order of the keys, so equal ones
 * are neighbours.  Entries of dead rows count, too: they only make it ask more.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "pg/compat.h"
#include "store/key_filter.h"

/* entries of a full index page, and bits for each entry */
#define ENTRIES_PER_PAGE 360
#define BITS_PER_KEY 8
#define MAX_BITS ((uint64) 1 << 31)
/* entries in the index per contact from which on a look-up of each key costs less than reading all of it */
#define WORTH_ENTRIES 100

struct CallsyncKeyFilter
{
	uint64		mask;			/* number of bits - 1 */
	uint8	   *seen;
	uint8	   *several;
};

static inline uint64
bit_of(const CallsyncKeyFilter *filter, uint64 key)
{
	/* the low four bits of a key are its kind */
	return ((key >> 4) ^ (key >> 36)) & filter->mask;
}

static inline void
set_bit(uint8 *bits, uint64 bit)
{
	bits[bit >> 3] |= (uint8) (1 << (bit & 7));
}

static inline bool
has_bit(const uint8 *bits, uint64 bit)
{
	return (bits[bit >> 3] & (1 << (bit & 7))) != 0;
}

CallsyncKeyFilter *
callsync_key_filter_create(Snapshot snapshot, double contacts)
{
	CallsyncKeyFilter *filter = NULL;
	Oid			namespace = get_namespace_oid("callsync", false);
	Relation	heap = table_open(get_relname_relid("contact_key", namespace), AccessShareLock);
	Relation	index = index_open(get_relname_relid("contact_key_key", namespace), AccessShareLock);
	uint64		entries = (uint64) RelationGetNumberOfBlocks(index) * ENTRIES_PER_PAGE;
	uint64		wanted = entries * BITS_PER_KEY;
	uint64		bits = 1 << 16;
	IndexScanDesc scan;
	uint64		before = 0;
	bool		any = false;

	if (entries > WORTH_ENTRIES * contacts)
	{
		index_close(index, AccessShareLock);
		table_close(heap, AccessShareLock);
		return NULL;
	}
	filter = palloc(sizeof(CallsyncKeyFilter));
	while (bits < wanted && bits < MAX_BITS)
		bits *= 2;
	filter->mask = bits - 1;
	filter->seen = MemoryContextAllocExtended(CurrentMemoryContext, bits / 8, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	filter->several = MemoryContextAllocExtended(CurrentMemoryContext, bits / 8, MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	scan = callsync_index_beginscan(heap, index, snapshot, 0);
	scan->xs_want_itup = true;
	index_rescan(scan, NULL, 0, NULL, 0);
	while (index_getnext_tid(scan, ForwardScanDirection) != NULL)
	{
		bool		isnull;
		uint64		key = (uint64) DatumGetInt64(index_getattr(scan->xs_itup, 1, scan->xs_itupdesc, &isnull));

		CHECK_FOR_INTERRUPTS();
		set_bit(any && key == before ? filter->several : filter->seen, bit_of(filter, key));
		before = key;
		any = true;
	}
	index_endscan(scan);
	index_close(index, AccessShareLock);
	table_close(heap, AccessShareLock);
	return filter;
}

bool
callsync_key_filter_shared(const CallsyncKeyFilter *filter, uint64 key, bool own)
{
	uint64		bit = bit_of(filter, key);

	/* keys of two contacts on one bit look like one key that nobody shares: "several" is of equal keys only */
	return has_bit(own ? filter->several : filter->seen, bit);
}
