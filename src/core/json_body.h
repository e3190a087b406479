/*
 * json_body.h
 *		From the bytes of a webhook to JSON, taking nothing for granted.
 *
 * Whatever comes in gives a value or a verdict with a reason that does not quote
 * the body. What a value can hold is what jsonb can hold: no NUL, no member
 * twice, no number beyond double. Integers that do not fit 64 bits become texts
 * with the same digits: ids must not be rounded.
 */
#ifndef CALLSYNC_CORE_JSON_BODY_H
#define CALLSYNC_CORE_JSON_BODY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* Deeper nesting is refused; call data has a depth of ten. */
#define CALLSYNC_BODY_DEPTH 100

typedef enum CallsyncBodyVerdict
{
	CALLSYNC_BODY_OK,
	CALLSYNC_BODY_BAD_UTF8,
	CALLSYNC_BODY_BAD_JSON,
	CALLSYNC_BODY_BAD_FORM,
	CALLSYNC_BODY_NO_MEMORY
} CallsyncBodyVerdict;

/* reason, at most reason_size bytes, is set where the verdict is not OK. New reference in *value. */
extern CallsyncBodyVerdict callsync_body_parse_json(const char *body, size_t len, json_t **value,
													char *reason, size_t reason_size);

/*
 * application/x-www-form-urlencoded to an object of texts; a name that comes
 * several times gives an array of texts.
 */
extern CallsyncBodyVerdict callsync_body_parse_form(const char *body, size_t len, json_t **value,
													char *reason, size_t reason_size);

/* Is the body a form, by its content type (may be NULL) or else by its look? */
extern bool callsync_body_is_form(const char *content_type, const char *body, size_t len);

extern bool callsync_utf8_valid(const char *s, size_t len);

/* Decodes %xx and + into out (at least len bytes); returns the length, -1 for a broken %xx. */
extern long callsync_form_decode(const char *s, size_t len, char *out);

#endif
