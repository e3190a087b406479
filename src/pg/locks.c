/*
 * locks.c
 *		See locks.h.
 *
 * LockAcquire() is used in place of the SQL functions because the launcher, which
 * is connected to no database, looks at locks of others'.
 */
#include "postgres.h"

#include "catalog/pg_database.h"
#include "storage/lock.h"

#include "pg/locks.h"

bool
callsync_lock_try(Oid database, uint32 class_id, uint32 key)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, database, class_id, key, 2);
	return LockAcquire(&tag, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
}

void
callsync_lock_wait(Oid database, uint32 class_id, uint32 key)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, database, class_id, key, 2);
	(void) LockAcquire(&tag, ExclusiveLock, true, false);
}

void
callsync_lock_hold(Oid database, uint32 class_id, uint32 key)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, database, class_id, key, 2);
	(void) LockAcquire(&tag, ShareLock, true, false);
}

void
callsync_lock_transaction(Oid database, uint32 class_id, uint32 key)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, database, class_id, key, 2);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
}

void
callsync_lock_release(Oid database, uint32 class_id, uint32 key)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, database, class_id, key, 2);
	(void) LockRelease(&tag, ExclusiveLock, true);
}

bool
callsync_lock_is_held(Oid database, uint32 class_id, uint32 key)
{
	LOCKTAG		tag;

	/* a shared look, so that two who look do not see each other */
	SET_LOCKTAG_ADVISORY(tag, database, class_id, key, 2);
	if (LockAcquire(&tag, ShareLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		return true;
	(void) LockRelease(&tag, ShareLock, true);
	return false;
}

bool
callsync_database_is_wanted(Oid database)
{
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, InvalidOid, DatabaseRelationId, database, 0);
	if (LockAcquire(&tag, RowExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		return true;
	(void) LockRelease(&tag, RowExclusiveLock, true);
	return false;
}
