/*
 * line.h
 *		Phone lines in the cells of a CRM and in calls, and whether two are the same.
 *
 * A CRM cell is no phone number: it holds notes, extensions, two numbers at once,
 * and often no country.  What can be parsed with certainty is compared as E.164;
 * where the country of one side is unknown or only assumed, the significant digits
 * are compared from the right (8 or more).
 */
#ifndef CALLSYNC_CORE_LINE_H
#define CALLSYNC_CORE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALLSYNC_LINE_DIGITS 20

typedef struct CallsyncLine
{
	uint64_t	code;			/* E.164 as type phone has it; 0: country unknown */
	bool		assumed;		/* the country was not in the text */
	uint8_t		n;
	uint8_t		nsn;			/* how many of the last digits are the national number */
	char		digits[CALLSYNC_LINE_DIGITS];	/* with country code when known; no leading zeros otherwise */
} CallsyncLine;

typedef enum CallsyncLineLevel
{
	CALLSYNC_LINE_MISSING,
	CALLSYNC_LINE_EXACT,
	CALLSYNC_LINE_SUFFIX,		/* same significant digits, a country is not certain */
	CALLSYNC_LINE_NEAR,			/* one digit wrong, missing, added, or two swapped */
	CALLSYNC_LINE_NONE
} CallsyncLineLevel;

extern const char *callsync_line_level(CallsyncLineLevel level);

/*
 * The lines in a text, at most max.  region: index of phone.h for numbers without
 * country, or CALLSYNC_REGION_NONE.
 */
extern int	callsync_lines_read(const char *text, size_t len, int region, CallsyncLine *out, int max);

/*
 * The line behind a caller id; false where there is none to match by (withheld,
 * short code, emergency, nothing dialable).
 */
extern bool callsync_line_of_caller(const char *text, size_t len, int region, CallsyncLine *line);

/* near: also look for one slip (costs more; for numbers that were said) */
extern CallsyncLineLevel callsync_line_compare(const CallsyncLine *a, const CallsyncLine *b, bool near);

/* ISO 3166 region of a country as CRMs have it ("US", "USA", "United States"); CALLSYNC_REGION_NONE if unknown. */
extern int	callsync_country_region(const char *text, size_t len);

#endif
