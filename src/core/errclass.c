/*
 * errclass.c
 *		Names of the error classes.
 */
#include "core/errclass.h"

#include <string.h>

static const char *const names[CALLSYNC_CLASS_COUNT] = {
	[CALLSYNC_CLASS_OK] = "ok",
	[CALLSYNC_CLASS_TRANSIENT] = "transient",
	[CALLSYNC_CLASS_THROTTLED] = "throttled",
	[CALLSYNC_CLASS_AUTH] = "auth",
	[CALLSYNC_CLASS_CONFIG] = "config",
	[CALLSYNC_CLASS_PERMANENT] = "permanent",
	[CALLSYNC_CLASS_DUPLICATE] = "duplicate",
	[CALLSYNC_CLASS_GONE] = "gone",
	[CALLSYNC_CLASS_PARTIAL] = "partial",
	[CALLSYNC_CLASS_UNCERTAIN] = "uncertain",
	[CALLSYNC_CLASS_VALIDATION] = "validation",
};

const char *
callsync_class_name(CallsyncErrorClass error_class)
{
	if ((int) error_class < 0 || error_class >= CALLSYNC_CLASS_COUNT)
		return "permanent";
	return names[error_class];
}

int
callsync_class_from_name(const char *name)
{
	for (int i = 0; i < CALLSYNC_CLASS_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}
