/*
 * crash.c
 *		Crash points for tests: the worker kills itself where callsync.crash_at says so.
 *
 * Only a superuser can set it. A kill of one process makes the server end all others
 * and recover, as any crash of a backend does.
 */
#include "postgres.h"

#include <signal.h>
#include <unistd.h>

#include "engine/engine_state.h"
#include "pg/guc.h"

void
callsync_crash_point(const char *point)
{
	if (likely(callsync_crash_at == NULL || callsync_crash_at[0] == '\0'))
		return;
	if (strcmp(callsync_crash_at, point) == 0)
		kill(getpid(), SIGKILL);
}
