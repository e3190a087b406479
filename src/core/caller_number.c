/*
 * caller_number.c
 *		A bare number in a caller id field: valid, short, spelled as a word, with a service
 *		code in front, or several at once.
 */
#include <string.h>

#include "core/caller_text.h"
#include "core/caller_words.h"
#include "core/phone_internal.h"

/* Writes format into the detail, its "%.*s" (if any) replaced by up to 60 bytes of word. */
static void
set_detail(CallsyncCallerId *out, const char *format, const char *word, size_t len)
{
	size_t		n = 0;

	for (; *format != '\0' && n < sizeof(out->detail) - 1; format++)
	{
		if (strncmp(format, "%.*s", 4) != 0)
		{
			out->detail[n++] = *format;
			continue;
		}
		format += 3;
		for (size_t i = 0; i < len && i < 60 && n < sizeof(out->detail) - 1; i++)
			out->detail[n++] = word[i];
	}
	/* bytes that are no UTF-8, or were cut to be none, would fail as text */
	for (size_t i = 0; i < n;)
	{
		int			used;
		uint32_t	c = callsync_utf8_decode((const unsigned char *) out->detail + i, n - i, &used);

		if ((c == 0xFFFD && used == 1) || c == 0)
			out->detail[i] = '?';
		i += used;
	}
	out->detail[n] = '\0';
}

bool
callsync_caller_settle(CallsyncCallerId *out, CallsyncCallerKind kind, const char *format, Text about)
{
	out->kind = kind;
	set_detail(out, format, about.s, about.n);
	return kind != CALLSYNC_CALLER_INVALID;
}

bool
callsync_caller_invalid(CallsyncCallerId *out, const char *why)
{
	return callsync_caller_settle(out, CALLSYNC_CALLER_INVALID, "%.*s", text_of(why, strlen(why)));
}

/* ASCII digits of an extension that may be written in other digits. */
static void
take_extension(const CallsyncPhone *phone, CallsyncCallerId *out)
{
	int			n = 0;

	for (int i = 0; i < phone->extension_len && n < (int) sizeof(out->extension) - 1;)
	{
		int			used;
		int			d = callsync_phone_digit(callsync_utf8_decode((const unsigned char *) phone->extension + i,
																  phone->extension_len - i, &used));

		i += used;
		if (d >= 0)
			out->extension[n++] = '0' + d;
	}
	out->extension[n] = '\0';
	out->extension_len = n;
}

bool
callsync_caller_number(CallsyncCallerId *out, const CallsyncPhone *phone, const char *note)
{
	CallsyncPhoneInfo info;

	/* an id of nothing but zeros is what switches send for "none" */
	if (phone->leading_zeros >= phone->nsn_len - 1 && phone->nsn[phone->nsn_len - 1] == '0')
		return callsync_caller_settle(out, CALLSYNC_CALLER_WITHHELD, "only zeros", text_of("", 0));
	callsync_phone_info(phone->country_code, phone->nsn, phone->nsn_len, &info);
	out->valid = info.valid;
	out->kind = CALLSYNC_CALLER_NUMBER;
	out->phone = *phone;
	out->code = phone->code;
	out->test_range = callsync_phone_is_test_range(phone->country_code, phone->nsn, phone->nsn_len);
	take_extension(phone, out);
	set_detail(out, "%.*s", note, strlen(note));
	return true;
}

int
callsync_caller_plain_digits(Text t, char *digits, int max)
{
	int			n = 0;

	for (size_t i = 0; i < t.n; i++)
	{
		if (is_digit(t.s[i]))
		{
			if (n == max)
				return -1;
			digits[n++] = t.s[i];
		}
		else if (strchr(" -.()/", t.s[i]) == NULL || t.s[i] == '\0')
			return -1;
	}
	return n;
}

/*
 * Text in which letters stand between digits, or run on directly into them, is an id
 * ("CA93af01.."), not a number; vanity numbers ("1-800-FLOWERS") have their letters
 * after the digits, extensions after a mark.
 */
static bool
looks_like_id(Text t)
{
	int			runs = 0;
	size_t		i = 0;

	/* words in front of the number are the parser's business, unless they touch it */
	while (i < t.n && !is_digit(t.s[i]) && t.s[i] != '+')
		i++;
	if (i > 0 && i < t.n && t.s[i] != '+' && (is_letter(t.s[i - 1]) || t.s[i - 1] == '_' || t.s[i - 1] == '@' || t.s[i - 1] == '$'))
		return true;
	for (; i + 1 < t.n; i++)
		if (is_letter(t.s[i]) && is_digit(t.s[i + 1]) && i > 0 && is_digit(t.s[i - 1]) && (t.s[i] | 32) != 'x')
			runs++;
	return runs > 1;
}

typedef struct Parsed
{
	CallsyncPhone phone;
	CallsyncPhoneInfo info;
	CallsyncPhoneResult result;
} Parsed;

static void
parse(Text t, int region, Parsed *p)
{
	p->result = callsync_phone_parse(t.s, t.n, region, &p->phone);
	if (p->result == CALLSYNC_PHONE_OK && p->phone.code == 0)
		p->result = CALLSYNC_PHONE_TOO_LONG;
	if (p->result == CALLSYNC_PHONE_OK)
		callsync_phone_info(p->phone.country_code, p->phone.nsn, p->phone.nsn_len, &p->info);
	else
	{
		memset(&p->info, 0, sizeof(p->info));
		p->info.region = CALLSYNC_REGION_NONE;
	}
}

bool
callsync_caller_with_plus(const char *digits, int n, int least, CallsyncPhone *phone)
{
	char		buf[CALLSYNC_PHONE_MAX_DIGITS + 1];
	Parsed		p;

	if (n < least || n > CALLSYNC_PHONE_MAX_DIGITS)
		return false;
	buf[0] = '+';
	memcpy(buf + 1, digits, n);
	parse(text_of(buf, n + 1), CALLSYNC_REGION_NONE, &p);
	*phone = p.phone;
	return p.result == CALLSYNC_PHONE_OK && p.info.valid;
}

/* Whether the digits, dialled as they are, call an emergency service. */
static bool
is_emergency(const char *digits, int n, int region)
{
	if (region >= 0)
		return callsync_phone_is_emergency(digits, n, region);
	/* known to handsets everywhere */
	return n == 3 && (memcmp(digits, "112", 3) == 0 || memcmp(digits, "911", 3) == 0);
}

/*
 * Prefixes that people dial to show or hide their own number, or that reach a service:
 * *67, #31#, *31#, 141. Returns their length, 0 if there is none.
 */
static size_t
service_prefix(Text t, int region)
{
	static const struct
	{
		const char *region;
		const char *prefix;
	}			dialled[] = {
		{"GB", "141"}, {"GB", "1470"}, {"IE", "141"}, {"IE", "142"}, {"JP", "184"}, {"JP", "186"}, {"US", "1167"}, {"US", "1182"},
		{"CA", "1167"}, {"CA", "1182"}, {"NZ", "0196"}, {"NZ", "0197"}, {"HK", "133"}, {"HK", "1357"}
	};
	size_t		i = 0,
				first;

	while (i < t.n && (t.s[i] == '*' || t.s[i] == '#'))
		i++;
	if (i > 0)
	{
		first = i;
		while (i < t.n && is_digit(t.s[i]) && i - first < 3)
			i++;
		if (i - first == 3 && !(i < t.n && (t.s[i] == '#' || t.s[i] == '*')))
			i--;				/* *67 and a number right behind it */
		if (i - first < 2)
			return 0;
		while (i < t.n && (t.s[i] == '*' || t.s[i] == '#'))
			i++;
		return i;
	}
	if (region >= 0 && t.n > 0 && (t.s[0] == '0' || t.s[0] == '1'))
		for (unsigned d = 0; d < sizeof(dialled) / sizeof(dialled[0]); d++)
			if (begins(t, dialled[d].prefix) && strcmp(callsync_region_id(region), dialled[d].region) == 0)
				return strlen(dialled[d].prefix);
	return 0;
}

/*
 * Where the first of several numbers ends, and what follows (maybe nothing): at a
 * separator, at a word ("or", "(home)"), before another plus sign.
 */
static bool
split_numbers(Text t, Text *first, Text *second)
{
	int			digits = 0;

	for (size_t i = 0; i + 1 < t.n; i++)
	{
		size_t		end = i;

		digits += is_digit(t.s[i]);
		if (digits < 3)
			continue;
		if (memchr("/;,|&\n\t", t.s[i], 7) != NULL)
			end = i + 1;
		else if (t.s[i] == ' ' && t.s[i + 1] == '+')
			end = i + 1;
		else if (is_letter(t.s[i]) || (unsigned char) t.s[i] >= 0xC3)
		{
			/* a word of its own; an extension was no reason to come here */
			while (end < t.n && (is_letter(t.s[end]) || (unsigned char) t.s[end] >= 0x80))
				end++;
			while (end < t.n && (t.s[end] == ')' || t.s[end] == ':' || t.s[end] == '.'))
				end++;
		}
		if (end == i)
			continue;
		*first = trim(text_of(t.s, i));
		while (first->n > 0 && first->s[first->n - 1] == '(')
			*first = trim(text_of(first->s, first->n - 1));
		*second = trim(rest_from(t, end));
		return first->n > 0;
	}
	return false;
}

/* Two valid numbers with nothing but a blank between them. */
static bool
read_pair(Text t, int region, CallsyncCallerId *out)
{
	Parsed		p,
				q;
	int			digits = 0;

	for (size_t i = 0; i < t.n; i++)
	{
		digits += is_digit(t.s[i]);
		if (t.s[i] != ' ' || digits < 7 || t.n > 64)
			continue;
		parse(text_of(t.s, i), region, &p);
		if (!p.info.valid)
			continue;
		parse(rest_from(t, i + 1), region, &q);
		if (q.info.valid)
			return callsync_caller_number(out, &p.phone, "one of several numbers");
	}
	return false;
}

/* The word that digits, with or without plus and calling code 1, spell on a keypad; or NULL. */
static const char *
keypad_word(Text t)
{
	char		digits[32];
	Text		bare = t.n > 0 && t.s[0] == '+' ? rest_from(t, 1) : t;
	int			n = callsync_caller_plain_digits(bare, digits, sizeof(digits));
	const char *word = n > 0 ? callsync_caller_keypad_word(digits, n) : NULL;

	return word == NULL && n > 1 && digits[0] == '1' ? callsync_caller_keypad_word(digits + 1, n - 1) : word;
}

static int
count_of(const char *s, int n, char c)
{
	int			count = 0;

	for (int i = 0; i < n; i++)
		count += s[i] == c;
	return count;
}

/* Digits of a number whose country is not known, without the zeros in front. */
static void
take_local_digits(Text t, CallsyncCallerId *out)
{
	PhoneText	text;
	int			zeros = 0;

	out->local_len = 0;
	if (callsync_phone_read_text(t.s, t.n, &text) != CALLSYNC_PHONE_OK || text.plus)
		return;
	while (zeros < text.n && text.digits[zeros] == '0')
		zeros++;
	if (text.n - zeros <= CALLSYNC_PHONE_MAX_DIGITS)
	{
		out->local_len = text.n - zeros;
		memcpy(out->local, text.digits + zeros, out->local_len);
	}
}

/* Two numbers or more in one field: the first that is one, valid ones first. */
static bool
read_several(Text t, int region, bool global, int depth, CallsyncCallerId *out)
{
	CallsyncCallerId a = {.kind = CALLSYNC_CALLER_INVALID},
				b = {.kind = CALLSYNC_CALLER_INVALID};
	Text		first,
				second;

	if (depth >= 4 || !split_numbers(t, &first, &second))
		return false;

	bool		a_ok = callsync_caller_read_number(first, region, global, depth + 4, &a) && a.kind == CALLSYNC_CALLER_NUMBER;

	if (!a_ok || !a.valid)
	{
		bool		b_ok = callsync_caller_read_number(second, region, global, depth + 1, &b) && b.kind == CALLSYNC_CALLER_NUMBER;

		if (b_ok && (b.valid || !a_ok))
		{
			a = b;
			a_ok = true;
		}
	}
	if (!a_ok)
		return false;
	*out = a;
	return callsync_caller_settle(out, a.kind, second.n > 0 ? "one of several numbers" : "number with words", text_of("", 0));
}

bool
callsync_caller_read_number(Text t, int region, bool global, int depth, CallsyncCallerId *out)
{
	char		digits[32];
	int			n = callsync_caller_plain_digits(t, digits, sizeof(digits));
	Parsed		p,
				q;
	size_t		prefix;

	if (n > 0 && n <= 8 && is_emergency(digits, n, region))
		return callsync_caller_settle(out, CALLSYNC_CALLER_EMERGENCY, "emergency number %.*s", text_of(digits, n));
	prefix = service_prefix(t, region);
	if (prefix > 0 && is_digit(t.s[0]))
	{
		/* digits only: a prefix if the rest is a number and the whole is none */
		parse(t, region, &p);
		parse(trim(rest_from(t, prefix)), region, &q);
		if (p.info.valid || !q.info.valid)
			prefix = 0;
	}
	if (prefix > 0)
	{
		Text		code = text_of(t.s, prefix);
		Text		rest = trim(rest_from(t, prefix));

		/* codes of mobile networks end with # */
		while (rest.n > 0 && (rest.s[rest.n - 1] == '#' || rest.s[rest.n - 1] == '*'))
			rest.n--;
		if (rest.n == 0)
			return callsync_caller_settle(out, CALLSYNC_CALLER_SHORT_CODE, "service code %.*s", code);
		/* one level per service code: "*67*82.." ends */
		if (depth >= 8 || !callsync_caller_read_number(rest, region, global, depth + 4, out))
			return callsync_caller_invalid(out, "no number behind the service code");
		if (out->kind == CALLSYNC_CALLER_NUMBER)
			set_detail(out, "without service code %.*s", code.s, code.n);
		return true;
	}
	if (looks_like_id(t))
		return callsync_caller_invalid(out, "an identifier, not a number");

	parse(t, region, &p);
	if (p.info.valid)
		return callsync_caller_number(out, &p.phone, "");
	if (p.result == CALLSYNC_PHONE_INVALID_COUNTRY_CODE)
		take_local_digits(t, out);

	/* no valid number: only zeros, a short one, a word in digits, an international one, several */
	if (n >= 5 && count_of(digits, n, '0') == n)
		return callsync_caller_settle(out, CALLSYNC_CALLER_WITHHELD, "only zeros", text_of("", 0));
	if (n > 0 && p.result == CALLSYNC_PHONE_OK && callsync_phone_short(p.phone.country_code, digits, n, region).valid)
		return callsync_caller_settle(out, CALLSYNC_CALLER_SHORT_CODE, "short number %.*s", text_of(digits, n));

	const char *word = keypad_word(t);

	if (word != NULL)
		return callsync_caller_settle(out, CALLSYNC_CALLER_WITHHELD, "spells \"%.*s\" on a keypad", text_of(word, strlen(word)));
	if (n > 0 && (global || region >= 0) && !(p.result == CALLSYNC_PHONE_OK && p.info.possible == CALLSYNC_POSSIBLE)
		&& callsync_caller_with_plus(digits, n, 11, &q.phone))
		return callsync_caller_number(out, &q.phone, "read as an international number");
	if (read_several(t, region, global, depth, out))
		return true;
	if (p.result != CALLSYNC_PHONE_NOT_A_NUMBER && p.info.possible != CALLSYNC_POSSIBLE_TOO_SHORT && read_pair(t, region, out))
		return true;
	/* what was typed on a keypad may end with # */
	if (p.result == CALLSYNC_PHONE_NOT_A_NUMBER && t.n > 3 && t.s[t.n - 1] == '#' && is_digit(t.s[t.n - 2]))
		return callsync_caller_read_number(text_of(t.s, t.n - 1), region, global, depth + 4, out);
	if (p.result != CALLSYNC_PHONE_OK)
		return callsync_caller_invalid(out, callsync_phone_result_name(p.result));

	/* the plan does not assign it, but it is as long as numbers are: plans get older than numbers */
	if (p.info.possible == CALLSYNC_POSSIBLE)
		return callsync_caller_number(out, &p.phone, "");
	if ((p.phone.source == CALLSYNC_SOURCE_PLUS_SIGN || p.phone.source == CALLSYNC_SOURCE_IDD) && p.phone.nsn_len <= 15
		&& p.info.possible != CALLSYNC_POSSIBLE_TOO_SHORT && p.info.possible != CALLSYNC_POSSIBLE_LOCAL_ONLY)
		return callsync_caller_number(out, &p.phone, callsync_phone_possible_name(p.info.possible));
	return callsync_caller_invalid(out, callsync_phone_possible_name(p.info.possible));
}
