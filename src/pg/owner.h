/*
 * owner.h
 *		Working as the owner of the extension for a while.
 *
 * For functions that must check something as the caller first. Between begin and
 * end nothing of the caller's may run: settings like search_path are as in a
 * security-restricted operation, and set back by end. An ERROR sets the user back
 * by itself.
 */
#ifndef CALLSYNC_PG_OWNER_H
#define CALLSYNC_PG_OWNER_H

typedef struct CallsyncOwnerSwitch
{
	Oid			user;
	int			security_context;
	int			guc_level;
} CallsyncOwnerSwitch;

extern void callsync_owner_begin(CallsyncOwnerSwitch *saved);
extern void callsync_owner_end(const CallsyncOwnerSwitch *saved);

#endif
