/*
 * shared_table.c
 *		See shared_table.h.
 */
#include "postgres.h"

#include "lib/dshash.h"
#include "miscadmin.h"
#include "storage/dsm.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lock.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "utils/dsa.h"

#include "pg/clock.h"
#include "pg/compat.h"
#include "pg/locks.h"
#include "pg/shared_table.h"

#define MAGIC UINT64CONST(0x63736c696d697431)
#define SEGMENT_SIZE (256 * 1024)	/* to begin with */
#define NO_MEMBER (-1)

typedef struct Header
{
	uint64		magic;
	Oid			database;
	int			tranche;
	Size		entry_size;
	int64		made_us;
	dshash_table_handle table;
	volatile int proc[CALLSYNC_SHARED_TABLE_MEMBERS];	/* place in the process array */
} Header;

static Header *header = NULL;
static dshash_table *table = NULL;

static void *
place_of(dsm_segment *segment)
{
	return (char *) dsm_segment_address(segment) + MAXALIGN(sizeof(Header));
}

static void
table_parameters(dshash_parameters *params, Size entry_size, int tranche)
{
	memset(params, 0, sizeof(*params));
	params->key_size = sizeof(int64);
	params->entry_size = sizeof(int64) + entry_size;
	params->compare_function = dshash_memcmp;
	params->hash_function = dshash_memhash;
	callsync_dshash_copy_key(params);
	params->tranche_id = tranche;
}

static void
use(dsm_segment *segment, dsa_area *area)
{
	dsm_pin_mapping(segment);
	dsa_pin_mapping(area);
}

static dsm_segment *
make(Oid database, Size entry_size)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	dsm_segment *segment = dsm_create(SEGMENT_SIZE, 0);
	dshash_parameters params;
	dsa_area   *area;

	header = dsm_segment_address(segment);
	memset(header, 0, sizeof(*header));
	header->database = database;
	header->entry_size = entry_size;
	header->made_us = callsync_monotonic_us();
	header->tranche = LWLockNewTrancheId();
	for (int i = 0; i < CALLSYNC_SHARED_TABLE_MEMBERS; i++)
		header->proc[i] = NO_MEMBER;
	LWLockRegisterTranche(header->tranche, "CallsyncLimits");
	area = dsa_create_in_place(place_of(segment), SEGMENT_SIZE - MAXALIGN(sizeof(Header)), header->tranche, segment);
	use(segment, area);
	table_parameters(&params, entry_size, header->tranche);
	table = dshash_create(area, &params, NULL);
	header->table = dshash_get_hash_table_handle(table);
	header->magic = MAGIC;
	MemoryContextSwitchTo(old);
	return segment;
}

/* False: it is none of ours, or is just going. */
static bool
attach(dsm_handle handle, Oid database, Size entry_size)
{
	MemoryContext old = MemoryContextSwitchTo(TopMemoryContext);
	dsm_segment *segment = dsm_attach(handle);
	dshash_parameters params;
	dsa_area   *area;

	if (segment != NULL)
	{
		header = dsm_segment_address(segment);
		if (dsm_segment_map_length(segment) < SEGMENT_SIZE || header->magic != MAGIC || header->database != database ||
			header->entry_size != entry_size)
		{
			dsm_detach(segment);
			segment = NULL;
		}
	}
	if (segment != NULL)
	{
		LWLockRegisterTranche(header->tranche, "CallsyncLimits");
		area = dsa_attach_in_place(place_of(segment), segment);
		use(segment, area);
		table_parameters(&params, entry_size, header->tranche);
		table = dshash_attach(area, &params, header->table, NULL);
	}
	MemoryContextSwitchTo(old);
	return segment != NULL;
}

/* The handle that another worker of the database holds up, or DSM_HANDLE_INVALID */
static dsm_handle
find_handle(Oid database)
{
	LockData   *locks = GetLockStatusData();
	dsm_handle	handle = DSM_HANDLE_INVALID;

	for (int i = 0; i < locks->nelements && handle == DSM_HANDLE_INVALID; i++)
	{
		const LOCKTAG *tag = &locks->locks[i].locktag;

		if (tag->locktag_type == LOCKTAG_ADVISORY && tag->locktag_field1 == database &&
			tag->locktag_field2 == CALLSYNC_LOCK_TABLE && tag->locktag_field3 != 0 && tag->locktag_field4 == 2 &&
			locks->locks[i].holdMask != 0)
			handle = tag->locktag_field3;
	}
	return handle;
}

void
callsync_shared_table_attach(Oid database, Size entry_size)
{
	dsm_handle	handle;

	/* number 0 is no handle: one at a time looks, and makes */
	callsync_lock_wait(database, CALLSYNC_LOCK_TABLE, 0);
	handle = find_handle(database);
	if (handle == DSM_HANDLE_INVALID || !attach(handle, database, entry_size))
		handle = dsm_segment_handle(make(database, entry_size));
	callsync_lock_hold(database, CALLSYNC_LOCK_TABLE, handle);
	callsync_lock_release(database, CALLSYNC_LOCK_TABLE, 0);
}

int64
callsync_shared_table_made_us(void)
{
	return header->made_us;
}

void *
callsync_shared_table_lock(int64 key, bool *found)
{
	char	   *entry = dshash_find_or_insert(table, &key, found);

	if (!*found)
		memset(entry + sizeof(int64), 0, header->entry_size);
	return entry + sizeof(int64);
}

void
callsync_shared_table_unlock(void *entry)
{
	dshash_release_lock(table, (char *) entry - sizeof(int64));
}

void
callsync_shared_table_each(void (*body) (void *entry, void *arg), void *arg)
{
	dshash_seq_status status;
	char	   *entry;

	dshash_seq_init(&status, table, true);
	while ((entry = dshash_seq_next(&status)) != NULL)
		body(entry + sizeof(int64), arg);
	dshash_seq_term(&status);
}

void
callsync_shared_table_join(int member)
{
	header->proc[member] = (int) (MyProc - ProcGlobal->allProcs);
}

void
callsync_shared_table_wake(int member)
{
	int			proc = header->proc[member];

	/* entries of the process array never move; a latch set by mistake does no harm */
	if (proc >= 0 && proc < (int) ProcGlobal->allProcCount)
		SetLatch(&ProcGlobal->allProcs[proc].procLatch);
}
