/*
 * version.h
 *		The library version as text, for User-Agent headers and the like.
 *
 * The number itself lives in callsync.control; the Makefile passes it on.
 */
#ifndef CALLSYNC_CORE_VERSION_H
#define CALLSYNC_CORE_VERSION_H

#ifndef CALLSYNC_VERSION
#error "CALLSYNC_VERSION is set by the Makefile from callsync.control"
#endif

#endif
