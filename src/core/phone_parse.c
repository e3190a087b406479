/*
 * phone_parse.c
 *		From text to a phone number: the fast way for plain text, and what follows once
 *		the digits are known (prefixes, calling code, national prefix).
 *
 * The order of the steps is the library's and matters: a calling code is looked for
 * before the national prefix, each strip is undone where the general pattern matched
 * before and does not match after, and lengths are tested in between.
 */
#include <string.h>

#include "core/phone_internal.h"

int
callsync_region_lookup(const char *id, size_t len)
{
	if (id == NULL || len != 2)
		return CALLSYNC_REGION_NONE;

	unsigned	a = ((unsigned char) id[0] & 0xDF) - 'A',
				b = ((unsigned char) id[1] & 0xDF) - 'A';

	if (a >= 26 || b >= 26 || (unsigned char) id[0] < 'A' || (unsigned char) id[1] < 'A')
		return CALLSYNC_REGION_NONE;
	return callsync_phone_region_index[a * 26 + b] - 1;
}

const char *
callsync_region_id(int region)
{
	return callsync_phone_territories[region].id;
}

int
callsync_region_calling_code(int region)
{
	return region < 0 ? 0 : callsync_phone_territories[region].calling_code;
}

/* Calling code at the start of the digits (1 to 3 of them, *used), 0 if there is none. */
static int
extract_calling_code(const char *digits, int n, int *used)
{
	int			code = 0;

	if (n == 0 || digits[0] == '0')
		return 0;
	for (int i = 0; i < n && i < 3; i++)
	{
		code = code * 10 + (digits[i] - '0');
		if (callsync_phone_code_index[code] != 0)
		{
			*used = i + 1;
			return code;
		}
	}
	return 0;
}

bool
callsync_phone_split(const char *digits, int n, int *country_code, const char **nsn, int *nsn_len)
{
	int			used;

	*country_code = extract_calling_code(digits, n, &used);
	if (*country_code == 0)
		return false;
	*nsn = digits + used;
	*nsn_len = n - used;
	return true;
}

static inline bool
general_matches(const CallsyncPhoneTerritory *t, const char *digits, int n)
{
	return callsync_phone_walk(t->general_root, digits, n) != 0;
}

/* Digits during the parse; they point into the input or into buf. */
typedef struct Digits
{
	const char *d;
	int			n;
	char		buf[2 * CALLSYNC_PHONE_MAX_INPUT + 8];
} Digits;

/*
 * Takes the territory's national prefix off in. The result goes to *out, which may
 * share the digits of in; the action taken, or NULL if there was nothing to take off.
 */
static const CallsyncPhoneNpAction *
strip_national_prefix(const CallsyncPhoneTerritory *t, const char *d, int n, Digits *out)
{
	uint16_t	label = callsync_phone_walk(t->np_root, d, n);

	out->d = d;
	out->n = n;
	if (label == 0)
		return NULL;

	const CallsyncPhoneNpAction *a = &callsync_phone_np_actions[label];

	if (!a->transform)
	{
		out->d = d + a->end;
		out->n = n - a->end;
	}
	else
	{
		const char *prefix = callsync_phone_pool + t->np_prefix;
		int			p = (int) strlen(prefix);

		memcpy(out->buf, prefix, p);
		memcpy(out->buf + p, d + a->kept_from, a->kept_length);
		memcpy(out->buf + p + a->kept_length, d + a->end, n - a->end);
		out->d = out->buf;
		out->n = p + a->kept_length + n - a->end;
	}
	if (general_matches(t, d, n) && !general_matches(t, out->d, out->n))
	{
		out->d = d;
		out->n = n;
		return NULL;
	}
	return a;
}

/*
 * Looks for a calling code in w: after a plus sign, after the territory's international
 * prefix, or the territory's own. Sets *code to it or to 0, and w to the national digits
 * if there is one.
 */
static CallsyncPhoneResult
find_calling_code(const CallsyncPhoneTerritory *t, bool plus, Digits *w, int *code, uint8_t *source)
{
	int			used = 0;

	*code = 0;
	*source = CALLSYNC_SOURCE_DEFAULT_COUNTRY;
	if (plus)
		*source = CALLSYNC_SOURCE_PLUS_SIGN;
	else if (t != NULL)
	{
		int			idd = callsync_phone_walk(t->idd_root, w->d, w->n);

		/* no calling code begins with 0 */
		if (idd > 0 && !(w->n > idd && w->d[idd] == '0'))
		{
			*source = CALLSYNC_SOURCE_IDD;
			w->d += idd;
			w->n -= idd;
		}
	}
	if (*source != CALLSYNC_SOURCE_DEFAULT_COUNTRY)
	{
		if (w->n <= 2)
			return CALLSYNC_PHONE_TOO_SHORT_AFTER_IDD;
		*code = extract_calling_code(w->d, w->n, &used);
		if (*code == 0)
			return CALLSYNC_PHONE_INVALID_COUNTRY_CODE;
		w->d += used;
		w->n -= used;
	}
	else if (t != NULL && extract_calling_code(w->d, w->n, &used) == t->calling_code)
	{
		const char *d = w->d;
		int			n = w->n;

		strip_national_prefix(t, d + used, n - used, w);
		if ((!general_matches(t, d, n) && general_matches(t, w->d, w->n))
			|| callsync_phone_test_length(n, t) == CALLSYNC_POSSIBLE_TOO_LONG)
		{
			*code = t->calling_code;
			*source = CALLSYNC_SOURCE_WITHOUT_PLUS_SIGN;
		}
		else
		{
			w->d = d;
			w->n = n;
		}
	}
	return CALLSYNC_PHONE_OK;
}

/* Everything after the text is known to be these digits. */
static CallsyncPhoneResult
parse_digits(const char *digits, int n, bool plus, int region, CallsyncPhone *out)
{
	const CallsyncPhoneTerritory *t = region < 0 ? NULL : &callsync_phone_territories[region];
	const CallsyncPhoneNpAction *action;
	Digits		w,
				stripped;
	CallsyncPhoneResult result;
	int			code;

	w.d = digits;
	w.n = n;
	result = find_calling_code(t, plus, &w, &code, &out->source);
	if (result == CALLSYNC_PHONE_INVALID_COUNTRY_CODE && plus)
	{
		/* a stray plus sign: once more without it */
		w.d = digits;
		w.n = n;
		result = find_calling_code(t, false, &w, &code, &out->source);
		if (result == CALLSYNC_PHONE_OK && code == 0)
			result = CALLSYNC_PHONE_INVALID_COUNTRY_CODE;
	}
	if (result != CALLSYNC_PHONE_OK)
		return result;
	if (code != 0)
	{
		const CallsyncPhoneCallingCode *cc = callsync_phone_calling_code(code);

		t = &callsync_phone_territories[cc->main_territory];
	}
	else if (t != NULL)
		code = t->calling_code;
	else
		return CALLSYNC_PHONE_INVALID_COUNTRY_CODE;

	if (w.n < 2)
		return CALLSYNC_PHONE_TOO_SHORT_NSN;
	out->carrier_len = 0;
	action = strip_national_prefix(t, w.d, w.n, &stripped);
	if (action != NULL)
	{
		switch (callsync_phone_test_length(stripped.n, t))
		{
			case CALLSYNC_POSSIBLE_TOO_SHORT:
			case CALLSYNC_POSSIBLE_LOCAL_ONLY:
			case CALLSYNC_POSSIBLE_INVALID_LENGTH:
				break;
			default:
				out->carrier_len = action->carrier_length;
				memcpy(out->carrier, w.d + action->carrier_from, action->carrier_length);
				w.n = stripped.n;
				if (stripped.d == stripped.buf)
					w.d = memcpy(w.buf, stripped.buf, stripped.n);
				else
					w.d = stripped.d;
		}
	}
	out->carrier[out->carrier_len] = '\0';
	if (w.n < 2)
		return CALLSYNC_PHONE_TOO_SHORT_NSN;
	if (w.n > CALLSYNC_NSN_MAX)
		return CALLSYNC_PHONE_TOO_LONG;

	out->country_code = code;
	out->nsn_len = w.n;
	memcpy(out->nsn, w.d, w.n);
	out->nsn[w.n] = '\0';
	out->leading_zeros = 0;
	while (out->leading_zeros < w.n - 1 && w.d[out->leading_zeros] == '0')
		out->leading_zeros++;
	out->code = callsync_phone_pack_number(code, out->nsn, w.n);
	return CALLSYNC_PHONE_OK;
}

/* Ends a run of plain bytes. Bytes of class 0 do, too: their flag is PHONE_NONE. */
#define PLAIN_END (PHONE_ALPHA | PHONE_MARK | PHONE_PLUS | PHONE_NONE)

/*
 * The fast way: text whose number consists of digits and punctuation only, in one pass.
 * What stands in front does not count, nor what follows without digits and letters.
 * Returns the number of digits, or -1 for text with letters, extension marks or
 * parameters, and for less than 3 digits, where the rules differ.
 */
static int
read_plain(const char *raw, size_t len, char *digits, bool *plus)
{
	const unsigned char *s = (const unsigned char *) raw;
	int			n = 0;
	int			used;
	size_t		i = 0;
	uint8_t		c = 0;

	if (len > CALLSYNC_PHONE_MAX_INPUT)
		return -1;
	for (; i < len; i += used)
	{
		c = callsync_phone_class_at(s + i, len - i, &used);
		if (c & (PHONE_DIGIT | PHONE_PLUS))
			break;
		if (s[i] == ';')
			return -1;
	}
	*plus = (c & PHONE_PLUS) != 0 && i < len;
	while (i < len && (callsync_phone_class_at(s + i, len - i, &used) & PHONE_PLUS))
		i += used;
	for (;;)
	{
		uint32_t	u;

		/* digits and punctuation follow each other at random: no branch on which it is */
		while (i < len && !((c = callsync_phone_ascii_class[s[i]]) & PLAIN_END))
		{
			digits[n] = raw[i++];
			n += c & PHONE_DIGIT;
		}
		if (i == len)
			break;
		u = callsync_utf8_decode(s + i, len - i, &used);
		c = callsync_phone_class(u);
		if (c & (PHONE_ALPHA | PHONE_MARK))
			return -1;
		if (!(c & (PHONE_DIGIT | PHONE_PUNCT)))
			break;
		if (c & PHONE_DIGIT)
			digits[n++] = '0' + callsync_phone_digit(u);
		i += used;
	}
	/* the end of the number: nothing that follows may be part of one */
	for (; i < len; i += used)
	{
		c = callsync_phone_class_at(s + i, len - i, &used);
		if ((c & (PHONE_DIGIT | PHONE_ALPHA)) || s[i] == '#')
			return -1;
	}
	return n < 3 ? -1 : n;
}

CallsyncPhoneResult
callsync_phone_parse(const char *raw, size_t len, int region, CallsyncPhone *out)
{
	PhoneText	text;
	CallsyncPhoneResult result;

	text.n = read_plain(raw, len, text.digits, &text.plus);
	if (text.n >= 0)
		text.extension_len = 0;
	else
	{
		result = callsync_phone_read_text(raw, len, &text);
		if (result != CALLSYNC_PHONE_OK)
			return result;
	}
	if (region < 0 && !text.plus)
		return CALLSYNC_PHONE_INVALID_COUNTRY_CODE;
	result = parse_digits(text.digits, text.n, text.plus, region, out);
	if (result == CALLSYNC_PHONE_OK)
	{
		out->extension_len = text.extension_len;
		memcpy(out->extension, text.extension, text.extension_len);
		out->extension[text.extension_len] = '\0';
	}
	return result;
}
