/*
 * http_options.h
 *		The options of a destination that http.c obeys.
 */
#ifndef CALLSYNC_ENGINE_HTTP_OPTIONS_H
#define CALLSYNC_ENGINE_HTTP_OPTIONS_H

#include <jansson.h>

#include "engine/http.h"

#define CALLSYNC_HTTP_MAX_RULES 32

/* Holds what the request points to. */
typedef struct CallsyncHttpOptions
{
	CallsyncAddressRule rules[CALLSYNC_HTTP_MAX_RULES];
	int			nrules;
} CallsyncHttpOptions;

/*
 * Sets allow list, trust, proxy and timeout of the request from the options
 * (allow_addresses, ca_file, proxy, timeout_ms). What is not well formed was refused
 * when it was set; here it counts for nothing.
 */
extern void callsync_http_options_apply(const json_t *options, CallsyncHttpOptions *holder,
										CallsyncHttpRequest *request);

#endif
