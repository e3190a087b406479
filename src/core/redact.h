/*
 * redact.h
 *		Masks what must not be kept or shown: credentials, configured keys, card
 *		numbers; over bytes, so that everything else stays as it was sent.
 *
 * Works on text that may be cut or broken: it never fails, it masks what it can
 * recognise.  The mask is "***".
 */
#ifndef CALLSYNC_CORE_REDACT_H
#define CALLSYNC_CORE_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#define CALLSYNC_MASK "***"

/* Must the value of a header be masked?  (Authorization, cookies, *-token, *-key, *-secret, signature ...) */
extern bool callsync_redact_is_secret_header(const char *name);
/* Must the value of a JSON member, form field or query parameter be masked? */
extern bool callsync_redact_is_secret_key(const char *key, size_t len);

/*
 * Each copies in to out with values masked, returns the length needed (without
 * NUL) and terminates within out_size, as snprintf does.  A mask may be longer
 * than what it replaces: 3 * in_len + 1 bytes are always enough.
 */
/* JSON text: values of secret keys and of keys in extra (NULL-terminated list, may be NULL); then as text */
extern size_t callsync_redact_json(const char *in, size_t len, const char *const *extra,
								   char *out, size_t out_size);
/* URL: user:password@, query parameters with secret names; everything behind the host when path_secret */
extern size_t callsync_redact_url(const char *in, size_t len, bool path_secret, char *out, size_t out_size);
/* Form body */
extern size_t callsync_redact_form(const char *in, size_t len, const char *const *extra,
								   char *out, size_t out_size);
/* Any text: "Bearer xyz", "token=xyz", "whsec_...", JWTs, card numbers */
extern size_t callsync_redact_text(const char *in, size_t len, char *out, size_t out_size);

/* Card numbers only (Luhn, 13 to 19 digits with blanks or dashes): the first digits become '*', the last four stay. In place; returns how many. */
extern int	callsync_redact_cards(char *text, size_t len);

/* Values that must not appear anywhere (the live secrets): replaced by the mask wherever they stand */
extern size_t callsync_redact_values(const char *in, size_t len, const char *const *values, const size_t *value_lens,
									 int nvalues, char *out, size_t out_size);
#endif
