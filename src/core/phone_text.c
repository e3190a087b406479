/*
 * phone_text.c
 *		Where in a text the number is: the part of the parser that reads characters.
 *
 * The library does this with regular expressions over UTF-16; here they are written
 * out over code points, each with its character classes beside it. What a newcomer
 * would get wrong: which extension is taken depends on the leftmost place where any of
 * the spellings fits up to the end, while a text is a number at all if any place of
 * any spelling fits (callsync_phone_has_extension() with a range of places).
 */
#include <string.h>

#include "core/phone_internal.h"

/* Digit on the keypad of a letter, by alphabet. */
static const char keypad[] = "22233344455566677778889999";

/* First place of an ASCII text at or after from, or -1. */
static int
find(const PhoneChars *s, const char *text, int from)
{
	int			len = (int) strlen(text);

	for (int i = from; i + len <= s->n; i++)
	{
		int			j = 0;

		while (j < len && s->c[i + j] == (unsigned char) text[j])
			j++;
		if (j == len)
			return i;
	}
	return -1;
}

/* Appends from[a..b) to s. */
static void
append_chars(PhoneChars *s, const PhoneChars *from, int a, int b)
{
	memcpy(s->c + s->n, from->c + a, (b - a) * sizeof(s->c[0]));
	memcpy(s->k + s->n, from->k + a, (b - a) * sizeof(s->k[0]));
	s->n += b - a;
}

/* RFC 3966: "+" and at least one digit among visual separators, or a domain name. */
static bool
context_is_valid(const PhoneChars *s, int a, int b)
{
	if (a == b)
		return false;
	if (s->c[a] == '+')
	{
		bool		digit = false;

		for (int i = a + 1; i < b; i++)
		{
			if (s->k[i] & PHONE_DIGIT)
				digit = true;
			else if (s->c[i] != '-' && s->c[i] != '.' && s->c[i] != '(' && s->c[i] != ')')
				return false;
		}
		return digit;
	}
	if (s->c[b - 1] == '.')
		b--;
	for (int label = a;; )
	{
		int			end = label;

		while (end < b && ((s->k[end] & (PHONE_ALPHA | PHONE_DIGIT)) || s->c[end] == '-'))
			end++;
		if (end == label || s->c[label] == '-' || s->c[end - 1] == '-')
			return false;
		if (end == b)
			return (s->k[label] & PHONE_ALPHA) != 0;	/* the top label begins with a letter */
		if (s->c[end] != '.')
			return false;
		label = end + 1;
	}
}

/*
 * The part of s[0..n) that a number without extension can be: *third is the place behind
 * the third digit, *last that of the first character that no number has. False if there
 * are not three digits.
 */
static bool
scan(const PhoneChars *s, int n, int *third, int *last)
{
	int			i = 0,
				digits = 0;

	while (i < n && (s->k[i] & PHONE_PLUS))
		i++;
	while (i < n && digits < 3)
	{
		if (!(s->k[i] & (PHONE_DIGIT | PHONE_PUNCT | PHONE_STAR)))
			return false;
		digits += (s->k[i++] & PHONE_DIGIT) != 0;
	}
	if (digits < 3)
		return false;
	*third = i;
	while (i < n && (s->k[i] & (PHONE_DIGIT | PHONE_PUNCT | PHONE_STAR | PHONE_ALPHA)))
		i++;
	*last = i;
	return true;
}

static bool
is_two_digits(const PhoneChars *s, int n)
{
	return n == 2 && (s->k[0] & PHONE_DIGIT) && (s->k[1] & PHONE_DIGIT);
}

/* Whether s[0..n) looks like a phone number, with or without an extension. */
static bool
is_viable(const PhoneChars *s, int n)
{
	int			third,
				last,
				begin,
				d,
				e;

	if (is_two_digits(s, n))
		return true;
	return scan(s, n, &third, &last) && (last == n || callsync_phone_has_extension(s, n, third, last, &begin, &d, &e));
}

/* Digits of s[0..n); letters count as their keys if there are three or more. */
static int
normalize(const PhoneChars *s, int n, char *digits)
{
	int			letters = 0,
				count = 0;

	for (int i = 0; i < n; i++)
		letters += (s->k[i] & PHONE_ALPHA) != 0;
	for (int i = 0; i < n; i++)
	{
		/* the last four bits of every digit that there is are its value */
		digits[count] = '0' + (s->c[i] & 15);
		if (letters >= 3 && (s->k[i] & PHONE_ALPHA))
			digits[count++] = keypad[(s->c[i] & 31) - 1];
		count += s->k[i] & PHONE_DIGIT;
	}
	return count;
}

/* Writes digits as UTF-8, as they stand in the text; returns the bytes. */
static int
copy_text(const PhoneChars *s, int a, int b, char *to)
{
	int			n = 0;

	for (int i = a; i < b; i++)
	{
		uint32_t	c = s->c[i];

		if (c < 0x80)
			to[n++] = c;
		else if (c < 0x800)
		{
			to[n++] = 0xC0 | c >> 6;
			to[n++] = 0x80 | (c & 0x3F);
		}
		else
		{
			to[n++] = 0xE0 | c >> 12;
			to[n++] = 0x80 | (c >> 6 & 0x3F);
			to[n++] = 0x80 | (c & 0x3F);
		}
	}
	return n;
}

/* Decodes raw; false if it is longer than the library takes. */
static bool
decode(const char *raw, size_t len, PhoneChars *s)
{
	int			units = 0;

	s->n = 0;
	for (size_t i = 0; i < len;)
	{
		int			used;
		uint32_t	c = callsync_utf8_decode((const unsigned char *) raw + i, len - i, &used);

		i += used;
		units += c > 0xFFFF ? 2 : 1;
		if (units > CALLSYNC_PHONE_MAX_INPUT)
			return false;
		s->c[s->n] = c;
		s->k[s->n++] = callsync_phone_class(c);
	}
	return true;
}

/* A second number is cut off: "(530) 583-6985 x302/x2303". */
static void
cut_second_number(PhoneChars *s)
{
	for (int i = 0; i < s->n; i++)
	{
		if (s->c[i] == '/' || s->c[i] == '\\')
		{
			int			j = i + 1;

			while (j < s->n && s->c[j] == ' ')
				j++;
			if (j < s->n && s->c[j] == 'x')
				s->n = i;
		}
	}
}

/*
 * Decodes what can be a number in raw: from the first digit or plus sign to the last
 * digit, letter or #. Gives up, with false, where it is clear that there is none.
 */
static bool
decode_possible(const char *raw, size_t len, PhoneChars *s)
{
	const unsigned char *u = (const unsigned char *) raw;
	int			n = 0,
				used,
				end = 0,
				digits = 0;
	bool		slash = false,
				stray = false;
	size_t		i = 0;

	while (i < len && !(callsync_phone_class_at(u + i, len - i, &used) & (PHONE_PLUS | PHONE_DIGIT)))
		i += used;
	for (; i < len; i += used)
	{
		uint32_t	c = u[i];
		uint8_t		k;

		used = 1;
		if (c >= 0x80)
			c = callsync_utf8_decode(u + i, len - i, &used);
		k = callsync_phone_class(c);
		s->c[n] = c;
		s->k[n++] = k;
		digits += k & PHONE_DIGIT;
		if ((k & (PHONE_DIGIT | PHONE_ALPHA)) || c == '#')
		{
			end = n;
			/* no letter, mark or sign may stand before the third digit */
			if (digits < 3 && !slash && (stray || ((k & PHONE_ALPHA) && !(k & PHONE_PUNCT)) || c == '#'))
				return false;
		}
		else
		{
			slash = slash || c == '/' || c == '\\';
			stray = stray || (digits < 3 && !(k & (PHONE_DIGIT | PHONE_PUNCT | PHONE_STAR | PHONE_PLUS)));
		}
	}
	s->n = end;
	if (slash)
		cut_second_number(s);
	return true;
}

/* Start and end of the number in s. */
static void
extract_possible(PhoneChars *s)
{
	int			a = 0,
				b = s->n;

	while (a < b && !(s->k[a] & (PHONE_PLUS | PHONE_DIGIT)))
		a++;
	while (b > a && !(s->k[b - 1] & (PHONE_DIGIT | PHONE_ALPHA)) && s->c[b - 1] != '#')
		b--;
	if (a > 0)
	{
		memmove(s->c, s->c + a, (b - a) * sizeof(s->c[0]));
		memmove(s->k, s->k + a, (b - a) * sizeof(s->k[0]));
	}
	s->n = b - a;
	cut_second_number(s);
}

/* The number of a tel: URI with a phone-context, which begins at the given place. */
static bool
build_from_context(const PhoneChars *all, int context, PhoneChars *s)
{
	int			a = context + 15,
				b = find(all, ";", a),
				tel = find(all, "tel:", 0);

	if (b < 0)
		b = all->n;
	if (!context_is_valid(all, a, b))
		return false;
	s->n = 0;
	if (all->c[a] == '+')
		append_chars(s, all, a, b);
	tel = tel < 0 ? 0 : tel + 4;
	if (tel <= context)
		append_chars(s, all, tel, context);
	else
		append_chars(s, all, context, tel);
	return true;
}

/* Whether one of the parameters of a tel: URI that change the number may be there. */
static bool
has_parameter(const char *raw, size_t len)
{
	const char *end = raw + len;
	const char *p = raw;

	while ((p = memchr(p, ';', end - p)) != NULL)
	{
		p++;
		if (p < end && (*p == 'p' || *p == 'i'))
			return true;
	}
	return false;
}

CallsyncPhoneResult
callsync_phone_read_text(const char *raw, size_t len, PhoneText *out)
{
	PhoneChars		first,
				second;
	PhoneChars	   *s = &first;
	int			context = -1,
				third,
				last,
				begin,
				d,
				e;

	if (len <= CALLSYNC_PHONE_MAX_INPUT && !has_parameter(raw, len))
	{
		if (!decode_possible(raw, len, s))
			return CALLSYNC_PHONE_NOT_A_NUMBER;
	}
	else
	{
		/* a unit of UTF-16 is at most three bytes of UTF-8 */
		if (len > 3 * CALLSYNC_PHONE_MAX_INPUT || !decode(raw, len, s))
			return CALLSYNC_PHONE_TOO_LONG;
		context = find(s, ";phone-context=", 0);
		if (context < 0)
			extract_possible(s);
		else if (!build_from_context(s, context, &second))
			return CALLSYNC_PHONE_NOT_A_NUMBER;
		else
			s = &second;
		d = find(s, ";isub=", 0);
		if (d > 0)
			s->n = d;
	}

	out->extension_len = 0;
	begin = s->n;
	if (scan(s, s->n, &third, &last))
	{
		bool		found = callsync_phone_has_extension(s, s->n, third, last, &begin, &d, &e);

		if (last < s->n && !found)
			return CALLSYNC_PHONE_NOT_A_NUMBER;
		if (begin < s->n && ((third <= begin && begin <= last) || is_viable(s, begin)))
			out->extension_len = copy_text(s, d, e, out->extension);
		else
			begin = s->n;
	}
	else if (!is_two_digits(s, s->n))
		return CALLSYNC_PHONE_NOT_A_NUMBER;
	out->plus = (s->k[0] & PHONE_PLUS) != 0;
	out->n = normalize(s, begin, out->digits);
	return CALLSYNC_PHONE_OK;
}

int
callsync_phone_dialled_digits(const char *raw, size_t len, char *digits, int max)
{
	int			n = 0;
	bool		started = false;

	for (size_t i = 0; i < len && n < max;)
	{
		int			used;
		uint32_t	c = callsync_utf8_decode((const unsigned char *) raw + i, len - i, &used);
		int			value = callsync_phone_digit(c);

		i += used;
		if (value >= 0)
		{
			digits[n++] = '0' + value;
			started = true;
		}
		else if (!started && (c == '+' || c == 0xFF0B))
		{
			/* a plus sign with nothing behind it is cut off like other punctuation */
			while (i < len)
			{
				c = callsync_utf8_decode((const unsigned char *) raw + i, len - i, &used);
				if ((callsync_phone_class(c) & (PHONE_DIGIT | PHONE_ALPHA)) || c == '#')
					return -1;
				i += used;
			}
		}
		else if (started && (c == '/' || c == '\\'))
		{
			size_t		j = i;

			while (j < len && raw[j] == ' ')
				j++;
			if (j < len && raw[j] == 'x')
				break;
		}
	}
	return n;
}
