/*
 * header_set.h
 *		The headers of a webhook as a JSON object: names in lower case, values text.
 *
 * Frameworks hand headers on in many spellings: any case, CGI names
 * (HTTP_X_SIGNATURE), lists of values. All of them mean the same here.
 */
#ifndef CALLSYNC_CORE_HEADER_SET_H
#define CALLSYNC_CORE_HEADER_SET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* New reference; members that are no text, number or list of such are left out. NULL: no memory. */
extern json_t *callsync_headers_normalise(const json_t *headers);

/* Adds one to such an object, the value (borrowed) read as above. False: no memory. */
extern bool callsync_headers_add(json_t *headers, const char *name, size_t len, const json_t *value);

/*
 * The value of a header by name, NULL where there is none; borrowed. A name spelt
 * with case aside is preferred over one that only means the same (CGI spelling).
 */
extern const char *callsync_headers_get(const json_t *headers, const char *name);

#endif
