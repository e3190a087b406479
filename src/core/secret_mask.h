/*
 * secret_mask.h
 *		Overwrites secrets in a body by asterisks, in place, byte for byte.
 *
 * For the log of what arrived: everything stays where it was, and what was JSON
 * stays JSON (a number becomes another number of the same length). It works on
 * any bytes: text that is cut, broken or doubly encoded is masked as far as its
 * members can be recognised; a member whose end is missing is masked to the end.
 */
#ifndef CALLSYNC_CORE_SECRET_MASK_H
#define CALLSYNC_CORE_SECRET_MASK_H

#include <stdbool.h>
#include <stddef.h>

typedef struct CallsyncMaskRules
{
	/*
	 * Members to mask beside those whose name says it (callsync_redact_is_secret_key):
	 * a name, or a dotted path that the end of the member's path must equal
	 * ("caller.ssn").
	 */
	const char *const *names;
	int			nnames;
	/* texts that are masked wherever they stand; shorter than 8 bytes are ignored */
	const char *const *values;
	const size_t *value_lens;
	int			nvalues;
} CallsyncMaskRules;

/* Masks, returns how many values were. */
extern int	callsync_mask_body(char *body, size_t len, const CallsyncMaskRules *rules);

/* The rules' values only, in any text (headers, URL). */
extern int	callsync_mask_values(char *text, size_t len, const CallsyncMaskRules *rules);

/* Values of parameters with secret names in a query string or form; text is not decoded. */
extern int	callsync_mask_parameters(char *text, size_t len, const CallsyncMaskRules *rules);

#endif
