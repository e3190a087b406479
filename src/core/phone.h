/*
 * phone.h
 *		Phone numbers: parsing, validation, formatting, and the 8-byte code of type phone.
 *
 * The semantics are those of Google's libphonenumber (same metadata, see
 * phone_tables.h), from tables instead of regular expressions. Nothing here allocates,
 * keeps state or reads a clock; text is (pointer, length) in UTF-8, bad UTF-8 is
 * harmless. A "region" is an index made by callsync_region_lookup().
 *
 * Typical use:
 *
 *		CallsyncPhone p;
 *		if (callsync_phone_parse(raw, len, callsync_region_lookup("DE", 2), &p) == CALLSYNC_PHONE_OK
 *			&& p.code != 0)
 *			... p.code is the value of type phone, p.extension stands beside it ...
 *
 * What arrives as a caller id goes through callsync_caller_id() (caller_id.h), which
 * knows withheld callers, SIP URIs and short codes; it calls this parser.
 */
#ifndef CALLSYNC_PHONE_H
#define CALLSYNC_PHONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum CallsyncPhoneResult
{
	CALLSYNC_PHONE_OK,
	CALLSYNC_PHONE_INVALID_COUNTRY_CODE,
	CALLSYNC_PHONE_NOT_A_NUMBER,
	CALLSYNC_PHONE_TOO_SHORT_AFTER_IDD,
	CALLSYNC_PHONE_TOO_SHORT_NSN,
	CALLSYNC_PHONE_TOO_LONG
} CallsyncPhoneResult;

typedef enum CallsyncPhoneSource
{
	CALLSYNC_SOURCE_UNKNOWN,
	CALLSYNC_SOURCE_PLUS_SIGN,
	CALLSYNC_SOURCE_IDD,
	CALLSYNC_SOURCE_WITHOUT_PLUS_SIGN,
	CALLSYNC_SOURCE_DEFAULT_COUNTRY
} CallsyncPhoneSource;

/* The generator writes these numbers into the tables. */
typedef enum CallsyncPhoneType
{
	CALLSYNC_TYPE_UNKNOWN,
	CALLSYNC_TYPE_FIXED_LINE,
	CALLSYNC_TYPE_MOBILE,
	CALLSYNC_TYPE_FIXED_LINE_OR_MOBILE,
	CALLSYNC_TYPE_TOLL_FREE,
	CALLSYNC_TYPE_PREMIUM_RATE,
	CALLSYNC_TYPE_SHARED_COST,
	CALLSYNC_TYPE_VOIP,
	CALLSYNC_TYPE_PERSONAL_NUMBER,
	CALLSYNC_TYPE_PAGER,
	CALLSYNC_TYPE_UAN,
	CALLSYNC_TYPE_VOICEMAIL
} CallsyncPhoneType;

typedef enum CallsyncPhonePossible
{
	CALLSYNC_POSSIBLE,
	CALLSYNC_POSSIBLE_LOCAL_ONLY,
	CALLSYNC_POSSIBLE_INVALID_COUNTRY_CODE,
	CALLSYNC_POSSIBLE_TOO_SHORT,
	CALLSYNC_POSSIBLE_INVALID_LENGTH,
	CALLSYNC_POSSIBLE_TOO_LONG
} CallsyncPhonePossible;

typedef enum CallsyncShortCost
{
	CALLSYNC_COST_UNKNOWN,
	CALLSYNC_COST_TOLL_FREE,
	CALLSYNC_COST_STANDARD_RATE,
	CALLSYNC_COST_PREMIUM_RATE
} CallsyncShortCost;

typedef enum CallsyncPhoneStyle
{
	CALLSYNC_STYLE_E164,
	CALLSYNC_STYLE_NATIONAL,
	CALLSYNC_STYLE_INTERNATIONAL,
	CALLSYNC_STYLE_RFC3966
} CallsyncPhoneStyle;

/* No region: only numbers with a country code parse. */
#define CALLSYNC_REGION_NONE (-1)

#define CALLSYNC_PHONE_MAX_DIGITS 19	/* what the 8-byte code holds */
#define CALLSYNC_NSN_MAX 17				/* longest national number that parses */
#define CALLSYNC_EXTENSION_MAX 60		/* bytes: 20 digits, which may be Arabic or full width */
#define CALLSYNC_CARRIER_MAX 18

/* Bytes that any formatted number fits in, terminator included. */
#define CALLSYNC_PHONE_FORMAT_MAX 128

/* A parsed number. Texts are terminated by a zero byte. */
typedef struct CallsyncPhone
{
	uint64_t	code;			/* value of type phone; 0 if over 19 digits */
	uint16_t	country_code;
	uint8_t		source;			/* CallsyncPhoneSource */
	uint8_t		nsn_len;
	uint8_t		leading_zeros;	/* zeros kept in front; more than 0: "Italian leading zero" */
	uint8_t		extension_len;
	uint8_t		carrier_len;
	char		nsn[CALLSYNC_NSN_MAX + 2];	/* national significant number with its zeros */
	char		extension[CALLSYNC_EXTENSION_MAX + 1];	/* its digits as they were written */
	char		carrier[CALLSYNC_CARRIER_MAX + 1];
} CallsyncPhone;

/* What the metadata says about a number. */
typedef struct CallsyncPhoneInfo
{
	CallsyncPhoneType type;
	CallsyncPhonePossible possible;
	int			region;			/* CALLSYNC_REGION_NONE if no region of the code fits */
	bool		valid;
} CallsyncPhoneInfo;

/* Short number facts for a number dialled in a region. */
typedef struct CallsyncShortInfo
{
	bool		known;			/* there is metadata for the region; else the rest is void */
	bool		possible;
	bool		valid;
	CallsyncShortCost cost;
} CallsyncShortInfo;

/* ---- phone_parse.c ---- */

/* Index of a region by its two letters, upper or lower case; CALLSYNC_REGION_NONE if unknown. */
extern int	callsync_region_lookup(const char *id, size_t len);

/* Its id ("US", "001"), static. */
extern const char *callsync_region_id(int region);

/* Its calling code; 0 for CALLSYNC_REGION_NONE. */
extern int	callsync_region_calling_code(int region);

/* Parses raw as dialled in region. *out is filled only if the result is CALLSYNC_PHONE_OK. */
extern CallsyncPhoneResult callsync_phone_parse(const char *raw, size_t len, int region, CallsyncPhone *out);

/* Digits (1 to 19) of a phone code as number; true unless no calling code begins them. */
extern bool callsync_phone_split(const char *digits, int n, int *country_code, const char **nsn, int *nsn_len);

/* ---- phone_code.c ---- */

/* Code of 1 to 19 digits (calling code first); 0 for any other length. */
extern uint64_t callsync_phone_pack(const char *digits, int n);

/* Digits of a code into buf (not terminated); their count, 0 if code is none. */
extern int	callsync_phone_unpack(uint64_t code, char buf[CALLSYNC_PHONE_MAX_DIGITS]);

/* Largest code there is. */
#define CALLSYNC_PHONE_CODE_MAX UINT64_C(11111111111111111110)

/*
 * Codes of all numbers that begin with the digits: *low to *high, both included. With n 0,
 * all. False if there are none (over 19 digits).
 */
extern bool callsync_phone_prefix_range(const char *digits, int n, uint64_t *low, uint64_t *high);

/* ---- phone_info.c ---- */

/* Type, region and validity of a national number of a calling code. */
extern void callsync_phone_info(int country_code, const char *nsn, int nsn_len, CallsyncPhoneInfo *out);

/* Short number facts of a number of the calling code, dialled in region. */
extern CallsyncShortInfo callsync_phone_short(int country_code, const char *nsn, int nsn_len, int region);

/* Whether dialling raw in region reaches an emergency service. */
extern bool callsync_phone_emergency(const char *raw, size_t len, int region);

/* Whether digits are exactly an emergency number of the region. */
extern bool callsync_phone_is_emergency(const char *digits, int n, int region);

/* The library's names of the values, static. */
extern const char *callsync_phone_result_name(CallsyncPhoneResult r);
extern const char *callsync_phone_source_name(CallsyncPhoneSource s);	/* NULL for unknown */
extern const char *callsync_phone_type_name(CallsyncPhoneType t);
extern const char *callsync_phone_possible_name(CallsyncPhonePossible p);
extern const char *callsync_short_cost_name(CallsyncShortCost c);

/* Version of the metadata, as of the package it comes from. */
extern const char *callsync_phone_metadata_version(void);

/* ---- phone_format.c ---- */

/*
 * Writes the number in a style into buf, terminated; returns the length. The extension
 * may be empty.
 */
extern int	callsync_phone_format(int country_code, const char *nsn, int nsn_len,
								  const char *extension, int extension_len,
								  CallsyncPhoneStyle style, char buf[CALLSYNC_PHONE_FORMAT_MAX]);

/* e164, national, international or rfc3966 in any case; false for any other text. */
extern bool callsync_phone_style_lookup(const char *name, size_t len, CallsyncPhoneStyle *style);

/* ---- phone_fuzzy.c ---- */

/*
 * Edits (a digit wrong, missing, added, or two neighbours swapped) that lead from one
 * digit string to the other, counted up to limit; above it, limit + 1.
 */
extern int	callsync_phone_distance(const char *a, int an, const char *b, int bn, int limit);

/* Most codes that callsync_phone_neighbours() writes. */
#define CALLSYNC_PHONE_NEIGHBOURS_MAX (19 * 9 + 19 + 20 * 10 + 18 + 1)

/* All codes at distance 0 or 1, ascending, without repeats; returns how many. */
extern int	callsync_phone_neighbours(uint64_t code, uint64_t out[CALLSYNC_PHONE_NEIGHBOURS_MAX]);

#endif
