/*
 * phone_internal.h
 *		What the phone and caller-id files share among themselves; nobody else includes it.
 */
#ifndef CALLSYNC_PHONE_INTERNAL_H
#define CALLSYNC_PHONE_INTERNAL_H

#include "core/phone.h"
#include "core/phone_tables.h"

/* Longer input is refused, counted in UTF-16 units as the library counts. */
#define CALLSYNC_PHONE_MAX_INPUT 250

static inline const CallsyncPhoneCallingCode *
callsync_phone_calling_code(int code)
{
	if (code <= 0 || code > 999 || callsync_phone_code_index[code] == 0)
		return NULL;
	return &callsync_phone_calling_codes[callsync_phone_code_index[code] - 1];
}

/* Code of a calling code and national digits; 0 if over 19 digits. */
extern uint64_t callsync_phone_pack_number(int country_code, const char *nsn, int nsn_len);

/* How n digits fit the lengths of a territory's numbers. */
extern CallsyncPhonePossible callsync_phone_test_length(int n, const CallsyncPhoneTerritory *t);

/* What the text in front of the metadata amounts to (phone_text.c). */
typedef struct PhoneText
{
	int			n;				/* digits */
	bool		plus;			/* a plus sign stood in front */
	char		digits[2 * CALLSYNC_PHONE_MAX_INPUT];
	int			extension_len;
	char		extension[CALLSYNC_EXTENSION_MAX];
} PhoneText;

/*
 * Finds the number in raw: start and end, tel: and phone-context, viability, extension,
 * digits and letters. Result CALLSYNC_PHONE_OK, NOT_A_NUMBER or TOO_LONG.
 */
extern CallsyncPhoneResult callsync_phone_read_text(const char *raw, size_t len, PhoneText *out);

/*
 * The digits that somebody who dials raw dials, up to max of them; -1 if raw begins with
 * a plus sign (which no emergency number does).
 */
extern int	callsync_phone_dialled_digits(const char *raw, size_t len, char *digits, int max);

/* One code point of s[0..len); bad UTF-8 gives U+FFFD for one byte. Sets *used. */
extern uint32_t callsync_utf8_decode_any(const unsigned char *s, size_t len, int *used);

static inline uint32_t
callsync_utf8_decode(const unsigned char *s, size_t len, int *used)
{
	/* three bytes is what other digits, dashes and blanks have */
	if ((s[0] & 0xF0) == 0xE0 && len >= 3 && (s[1] & 0xC0) == 0x80 && (s[2] & 0xC0) == 0x80)
	{
		uint32_t	c = (uint32_t) (s[0] & 0x0F) << 12 | (uint32_t) (s[1] & 0x3F) << 6 | (s[2] & 0x3F);

		if (c >= 0x800 && (c < 0xD800 || c > 0xDFFF))
		{
			*used = 3;
			return c;
		}
	}
	return callsync_utf8_decode_any(s, len, used);
}

/* Classes of a character. 'x' is a letter and punctuation. */
enum
{
	PHONE_DIGIT = 1, PHONE_PLUS = 2, PHONE_PUNCT = 4, PHONE_ALPHA = 8, PHONE_STAR = 16,
	PHONE_BLANK = 32,			/* space, no-break space, tab: may stand around an extension mark */
	PHONE_MARK = 64,			/* besides letters, what makes an extension or a parameter */
	PHONE_NONE = 128			/* none of these, or a byte of a longer character */
};

/* By byte; bytes from 0x80 on are PHONE_NONE. */
extern const uint8_t callsync_phone_ascii_class[256];

extern uint8_t callsync_phone_class_other(uint32_t c);

static inline uint8_t
callsync_phone_class(uint32_t c)
{
	return c < 128 ? callsync_phone_ascii_class[c] : callsync_phone_class_other(c);
}

/* Class of the character at s[0..len), and the bytes it has. */
static inline uint8_t
callsync_phone_class_at(const unsigned char *s, size_t len, int *used)
{
	if (s[0] < 0x80)
	{
		*used = 1;
		return callsync_phone_ascii_class[s[0]];
	}
	return callsync_phone_class_other(callsync_utf8_decode(s, len, used));
}

/* Value of a decimal digit that the library knows, else -1. */
static inline int
callsync_phone_digit(uint32_t c)
{
	if (c < 0x80)
		return c >= '0' && c <= '9' ? (int) (c - '0') : -1;
	if (c >= 0xFF10 && c <= 0xFF19)
		return (int) (c - 0xFF10);
	if (c >= 0x0660 && c <= 0x0669)
		return (int) (c - 0x0660);
	if (c >= 0x06F0 && c <= 0x06F9)
		return (int) (c - 0x06F0);
	return -1;
}

/*
 * Characters with their classes. Room for the phone-context and the number of a tel:
 * URI, which may overlap in a malformed one.
 */
typedef struct PhoneChars
{
	int			n;
	uint32_t	c[2 * CALLSYNC_PHONE_MAX_INPUT];
	uint8_t		k[2 * CALLSYNC_PHONE_MAX_INPUT];
} PhoneChars;

/*
 * Whether s[0..n) ends with an extension that begins in [from, to]. Sets *begin to the
 * first place where it can begin (in the range or not; n if there is none), *digits and
 * *digits_end to its digits (phone_extension.c).
 */
extern bool callsync_phone_has_extension(const PhoneChars *s, int n, int from, int to, int *begin, int *digits, int *digits_end);

#endif
