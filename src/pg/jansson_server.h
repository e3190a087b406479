/*
 * jansson_server.h
 *		jansson beside PostgreSQL's headers. Included by the compiler's command line in
 *		every file above row 0, before anything else.
 *
 * The server has a function json_object() of its own. Both headers cannot be seen in
 * one file, and, worse, a call of jansson's would be bound to the server's at load
 * time. So above row 0 jansson's is called callsync_json_object(); in row 0 the
 * linker option --wrap leads json_object() to the same.
 */
#ifndef CALLSYNC_PG_JANSSON_SERVER_H
#define CALLSYNC_PG_JANSSON_SERVER_H

/* the server's declarations first: jansson has a macro json_typeof, too */
#include "postgres.h"
#include "fmgr.h"
#include "utils/fmgrprotos.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"				/* was part of postgres.h before */
#endif

#define json_object callsync_json_object
#include <jansson.h>
#undef json_object

#endif
