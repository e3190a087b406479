/*
 * json_read.h
 *		JSON text that a database stored, read fast.
 *
 * The engine reads back several documents for each delivery, and jansson's own
 * reader, which takes one character at a time, was a sixth of its time.
 */
#ifndef CALLSYNC_CORE_JSON_READ_H
#define CALLSYNC_CORE_JSON_READ_H

#include <stddef.h>

#include <jansson.h>

/*
 * The value, exactly as json_loads() with JSON_DECODE_ANY and JSON_ALLOW_NUL makes it; or
 * NULL for everything that is wrong or rare (surrogate pairs, deep nesting, long
 * keys): then ask json_loads(), which has the error message, too. The caller owns
 * the result. text ends with a NUL that len does not count.
 */
extern json_t *callsync_json_read(const char *text, size_t len);

#endif
