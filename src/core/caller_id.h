/*
 * caller_id.h
 *		What a caller id field really holds: a number, or a reason why there is none.
 *
 * In front of the parser (phone.h). Takes what voice platforms, SIP headers and people
 * put into such a field: numbers in any spelling, tel:, sip: and sips: URIs, display
 * names, P-Asserted-Identity and Remote-Party-ID lines, "anonymous" in many languages
 * and its keypad form +266696687, star codes, two numbers, chat ids.
 *
 *		CallsyncCallerId id;
 *		callsync_caller_id(raw, len, callsync_region_lookup("US", 2), &id);
 *		if (id.kind == CALLSYNC_CALLER_NUMBER)
 *			... id.code is the value of type phone, the only thing to match by ...
 *
 * Only kind NUMBER has a code: withheld callers and short codes are never a match key.
 */
#ifndef CALLSYNC_CALLER_ID_H
#define CALLSYNC_CALLER_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/phone.h"

typedef enum CallsyncCallerKind
{
	CALLSYNC_CALLER_NUMBER,
	CALLSYNC_CALLER_SHORT_CODE,	/* a short number of the region, or a star code */
	CALLSYNC_CALLER_EMERGENCY,
	CALLSYNC_CALLER_WITHHELD,	/* the caller hides, or the network does not say */
	CALLSYNC_CALLER_INVALID		/* nothing that could be called back */
} CallsyncCallerKind;

#define CALLSYNC_CALLER_DETAIL_MAX 120

typedef struct CallsyncCallerId
{
	CallsyncCallerKind kind;
	bool		test_range;		/* set aside for films, books and tests: 555-0100 to -0199, ... */
	bool		valid;			/* the numbering plan assigns the number */
	uint8_t		extension_len;
	uint8_t		local_len;
	uint64_t	code;			/* value of type phone; 0 unless kind is NUMBER */
	CallsyncPhone phone;		/* the parsed number; void unless kind is NUMBER */
	char		extension[21];	/* ASCII digits, terminated */
	char		local[CALLSYNC_PHONE_MAX_DIGITS];	/* digits of a number whose country is unknown, without zeros in front */
	char		detail[CALLSYNC_CALLER_DETAIL_MAX];	/* why, for people; terminated, may be empty */
} CallsyncCallerId;

/* Classifies raw as seen in region (CALLSYNC_REGION_NONE: no region). Always fills *out. */
extern void callsync_caller_id(const char *raw, size_t len, int region, CallsyncCallerId *out);

/* "number", "short_code", "emergency", "withheld", "invalid"; static. */
extern const char *callsync_caller_kind_name(CallsyncCallerKind kind);

/* Whether a number lies in a range that is set aside for fiction and tests. */
extern bool callsync_phone_is_test_range(int country_code, const char *nsn, int nsn_len);

/*
 * Whether two raw texts name the same line: equal codes; or, where one of them carries
 * no country, its significant digits (8 at least) are the end of the other's. Different
 * extensions are different lines; withheld callers and short codes equal nothing.
 */
extern bool callsync_same_caller(const char *a, size_t alen, const char *b, size_t blen, int region);

#endif
