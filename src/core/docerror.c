/*
 * docerror.c
 *		Filling a CallsyncDocError.
 */
#include "core/docerror.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool
callsync_doc_error(CallsyncDocError *err, const char *path, const char *hint, const char *fmt,...)
{
	va_list		ap;

	if (err == NULL)
		return false;
	snprintf(err->path, sizeof(err->path), "%s", path ? path : "");
	snprintf(err->hint, sizeof(err->hint), "%s", hint ? hint : "");
	va_start(ap, fmt);
	vsnprintf(err->what, sizeof(err->what), fmt, ap);
	va_end(ap);
	return false;
}
