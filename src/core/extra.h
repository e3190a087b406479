/*
 * extra.h
 *		Further fields as evidence: date of birth, customer number, street ...
 */
#ifndef CALLSYNC_CORE_EXTRA_H
#define CALLSYNC_CORE_EXTRA_H

#include <stddef.h>

#include "core/score.h"

typedef enum CallsyncExtraKind
{
	CALLSYNC_EXTRA_TEXT,		/* words; a slip is near */
	CALLSYNC_EXTRA_WORDS,		/* as text, the order of the words does not count */
	CALLSYNC_EXTRA_CODE,		/* letters and digits; the same or not */
	CALLSYNC_EXTRA_DIGITS,		/* digits, also as words; one slip is near */
	CALLSYNC_EXTRA_DATE			/* in any usual writing; one slip is near */
} CallsyncExtraKind;

#define CALLSYNC_EXTRA_MAX 96

extern const char *callsync_extra_kind_name(CallsyncExtraKind kind);
extern int	callsync_extra_kind_lookup(const char *name);	/* -1: none */

/*
 * The comparable form of a value; returns its length (0: nothing in it).  Equal
 * forms are equal values.  A date becomes its year and its other two numbers in
 * ascending order: which of them is the month, people do not agree on.
 */
extern size_t callsync_extra_normal(CallsyncExtraKind kind, const char *text, size_t len,
									char *out, size_t cap);

/* Of two comparable forms. */
extern CallsyncExtraLevel callsync_extra_compare(CallsyncExtraKind kind, const char *a, size_t na,
												 const char *b, size_t nb);

/* What agreement is worth before anything is known of the field. */
extern void callsync_extra_default(CallsyncExtraKind kind, CallsyncExtraModel *model);

#endif
