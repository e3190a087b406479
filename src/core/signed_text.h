/*
 * signed_text.h
 *		The text that a signature is made over, from a template and a request.
 */
#ifndef CALLSYNC_CORE_SIGNED_TEXT_H
#define CALLSYNC_CORE_SIGNED_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct CallsyncSigned;

/* A stretch of somebody else's text. */
typedef struct CallsyncSlice
{
	const char *p;
	size_t		len;
} CallsyncSlice;

/* A text that grows; ok is false once memory ran out. Start with {.ok = true}, free data. */
typedef struct CallsyncBuffer
{
	char	   *data;
	size_t		len;
	size_t		size;
	bool		ok;
} CallsyncBuffer;

extern void callsync_buffer_append(CallsyncBuffer *buffer, const void *data, size_t len);

/*
 * Expands the template of a scheme (member "signed") into out. url_form: one of
 * the scheme's url_forms. False: something that is signed is not there.
 */
extern bool callsync_signed_text(CallsyncBuffer *out, const char *template, const json_t *scheme,
								 const struct CallsyncSigned *request, CallsyncSlice timestamp,
								 const char *url_form);

#endif
