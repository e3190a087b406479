/*
 * person_key.h
 *		Hashes by which everything that belongs to a person can be found.
 *
 * The same person gives the same key however the number or address was
 * written. Keys are stored with every event at capture, so their computation
 * must not change between releases without rewriting them.
 */
#ifndef CALLSYNC_CORE_PERSON_KEY_H
#define CALLSYNC_CORE_PERSON_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* false: withheld, or nothing that names a line. region: ISO 3166-1 or NULL */
extern bool callsync_person_key_phone(const char *text, size_t len,
									  const char *region, int64_t *key);

/* false: not an address */
extern bool callsync_person_key_email(const char *text, size_t len, int64_t *key);

/* "+15551234567" of a number that names a line; false: withheld, short code, no number */
extern bool callsync_person_e164(const char *text, size_t len, const char *region,
								 char *out, size_t out_size);

/* does anything here identify a person? Each may be NULL */
extern bool callsync_person_identified(const char *phone, const char *spoken_phone,
									   const char *email, const char *name, const char *region);

#endif
