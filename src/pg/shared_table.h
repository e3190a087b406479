/*
 * shared_table.h
 *		A table in memory that the workers of one database share.
 *
 * Made by the first worker, gone with the last one: what it holds has to be such that
 * a new one may begin empty. Works with and without shared_preload_libraries: it is
 * dynamic shared memory, and its handle is the number of an advisory lock that each
 * worker holds, so there is no row or file that a crash or a copy would leave behind.
 */
#ifndef CALLSYNC_PG_SHARED_TABLE_H
#define CALLSYNC_PG_SHARED_TABLE_H

/* Once per process. Entries are a key and so many bytes. */
extern void callsync_shared_table_attach(Oid database, Size entry_size);
/* When the table was made (callsync_monotonic_us) */
extern int64 callsync_shared_table_made_us(void);

/*
 * The entry of a key, made (zeroed, *found = false) where there was none; locked until
 * it is released. No error may be raised meanwhile, and no second entry be asked for.
 */
extern void *callsync_shared_table_lock(int64 key, bool *found);
extern void callsync_shared_table_unlock(void *entry);
/* Calls body for each entry, locked. */
extern void callsync_shared_table_each(void (*body) (void *entry, void *arg), void *arg);

/* The processes that are attached, by a number of their own choice: for waking. */
#define CALLSYNC_SHARED_TABLE_MEMBERS 64
extern void callsync_shared_table_join(int member);
extern void callsync_shared_table_wake(int member);

#endif
