/*
 * commit_wake.h
 *		Wake the workers of this database when the current transaction commits.
 *
 * Setting a latch costs nothing beside a NOTIFY, which would serialise the
 * writers. A wake that is missed costs one naptime, never a row.
 */
#ifndef CALLSYNC_PG_COMMIT_WAKE_H
#define CALLSYNC_PG_COMMIT_WAKE_H

extern void callsync_wake_at_commit(void);

#endif
