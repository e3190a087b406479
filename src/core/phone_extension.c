/*
 * phone_extension.c
 *		Extensions at the end of a number, in all the library's spellings.
 *
 * The library has one regular expression with six alternatives, each with its own cap on
 * the number of digits. All of them end with the digits (and perhaps #), so the digits
 * are found first and the marks in front of them read backwards.
 */
#include "core/phone_internal.h"

/* Lower case of what can be part of an extension mark. */
static uint32_t
fold(uint32_t c)
{
	if ((c >= 'A' && c <= 'Z') || (c >= 0x0410 && c <= 0x042F) || (c >= 0xFF21 && c <= 0xFF3A))
		return c + 32;
	if (c == 0x00D3)
		return 0x00F3;
	/* letters whose capitals are those of the Russian "dob" */
	if (c == 0x1C81)
		return 0x0434;
	if (c == 0x1C82)
		return 0x043E;
	return c;
}

/* Whether s[..end) ends with the marks (lower case), of which there are len. */
static bool
ends_with(const PhoneChars *s, int end, const uint16_t *marks, int len)
{
	if (end < len)
		return false;
	for (int i = 0; i < len; i++)
		if (fold(s->c[end - len + i]) != marks[i])
			return false;
	return true;
}

#define ENDS_WITH(s, end, ...) \
	ends_with(s, end, (const uint16_t[]) {__VA_ARGS__}, sizeof((const uint16_t[]) {__VA_ARGS__}) / 2)

/*
 * "ext", "extension" and its relatives, ending at end: the first and last place where
 * the word can begin (the e may be missing). False if no such word ends there.
 */
static bool
extension_word(const PhoneChars *s, int end, int *first, int *last)
{
	int			p = end;

	if (ENDS_WITH(s, p, 0x0434, 0x043E, 0x0431))
	{
		*first = *last = p - 3;
		return true;
	}
	if (ENDS_WITH(s, p, 'a', 'n', 'e', 'x', 'o'))
	{
		*first = *last = p - 5;
		return true;
	}
	/* full width: e?xtn? */
	if (ENDS_WITH(s, p, 0xFF58, 0xFF54, 0xFF4E))
		p--;
	if (ENDS_WITH(s, p, 0xFF58, 0xFF54))
	{
		*last = p - 2;
		*first = *last - ENDS_WITH(s, *last, 0xFF45);
		return true;
	}
	/* e?xt(ensi(o|o with accent))?n? */
	p = end;
	if (p > 0 && fold(s->c[p - 1]) == 'n')
		p--;
	if (ENDS_WITH(s, p, 'x', 't', 'e', 'n', 's', 'i', 'o', 0x0301))
		p -= 6;
	else if (ENDS_WITH(s, p, 'x', 't', 'e', 'n', 's', 'i', 'o') || ENDS_WITH(s, p, 'x', 't', 'e', 'n', 's', 'i', 0x00F3))
		p -= 5;
	if (!ENDS_WITH(s, p, 'x', 't'))
		return false;
	*last = p - 2;
	*first = *last - ENDS_WITH(s, *last, 'e');
	return true;
}

/* The same for the short marks: x # ~ int. */
static bool
extension_sign(const PhoneChars *s, int end, int *first, int *last)
{
	if (end == 0)
		return false;
	switch (fold(s->c[end - 1]))
	{
		case 'x':
		case 0xFF58:
		case '#':
		case 0xFF03:
		case '~':
		case 0xFF5E:
			*first = *last = end - 1;
			return true;
		default:
			*first = *last = end - 3;
			return ENDS_WITH(s, end, 'i', 'n', 't') || ENDS_WITH(s, end, 0xFF49, 0xFF4E, 0xFF54);
	}
}

static int
skip_back(const PhoneChars *s, int at, bool comma, bool hyphen)
{
	while (at > 0 && ((s->k[at - 1] & PHONE_BLANK) || (comma && s->c[at - 1] == ',') || (hyphen && s->c[at - 1] == '-')))
		at--;
	return at;
}

bool
callsync_phone_has_extension(const PhoneChars *s, int n, int from, int to, int *begin, int *digits, int *digits_end)
{
	bool		found = false;
	bool		hash = n > 0 && s->c[n - 1] == '#';
	int			end = hash ? n - 1 : n;
	int			d = end;
	int			count,
				marks,			/* where blanks, commas and hyphens before the digits begin */
				word,			/* end of the mark in front of them */
				first,
				last;
	bool		colon;

	while (d > 0 && (s->k[d - 1] & PHONE_DIGIT))
		d--;
	count = end - d;
	*digits = d;
	*digits_end = end;
	*begin = n;
	if (count == 0 || count > 20 || d == 0)
		return false;

#define TAKE(a, b) \
	do { \
		if ((a) < *begin) \
			*begin = (a); \
		found = found || ((a) > from ? (a) : from) <= ((b) < to ? (b) : to); \
	} while (0)

	if (!hash && ENDS_WITH(s, d, ';', 'e', 'x', 't', '='))
		TAKE(d - 5, d - 5);
	marks = skip_back(s, d, true, true);
	colon = marks > 0 && (s->c[marks - 1] == ':' || s->c[marks - 1] == '.' || s->c[marks - 1] == 0xFF0E);
	word = marks - colon;

	if (word > 0 && s->k[word - 1] != PHONE_DIGIT && s->k[word - 1] != PHONE_PUNCT)
	{
		if (extension_word(s, word, &first, &last))
			TAKE(skip_back(s, first, true, false), last);
		if (count <= 9 && extension_sign(s, word, &first, &last))
			TAKE(skip_back(s, first, true, false), last);
	}
	if (count <= 6 && hash)
	{
		int			p = d;

		while (p > 0 && (s->c[p - 1] == ' ' || s->c[p - 1] == '-'))
			p--;
		if (p < d)
			TAKE(p, d - 1);
	}
	if (count <= 15 && word > 0 && s->c[word - 1] == ';')
		TAKE(skip_back(s, word - 1, false, false), word - 1);
	if (count <= 15 && colon && word > 1 && s->c[word - 1] == ',' && s->c[word - 2] == ',')
		TAKE(skip_back(s, word - 2, false, false), word - 2);
	if (count <= 9 && colon && word > 0 && s->c[word - 1] == ',')
	{
		int			p = word - 1;

		while (p > 0 && s->c[p - 1] == ',')
			p--;
		TAKE(skip_back(s, p, false, false), word - 1);
	}
	for (int p = marks; p < d && count <= 15; p++)
	{
		if (s->c[p] == ',' && (count <= 9 || (p + 1 < d && s->c[p + 1] == ',')))
		{
			TAKE(skip_back(s, p, false, false), p);
			break;
		}
	}
#undef TAKE
	return found;
}
