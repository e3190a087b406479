/*
 * line.c
 *		Phone lines in CRM cells and calls; see line.h.
 */
#include <string.h>

#include "core/caller_id.h"
#include "core/fold.h"
#include "core/line.h"
#include "core/phone.h"
#include "core/sound.h"

const char *
callsync_line_level(CallsyncLineLevel level)
{
	static const char *const names[] = {"missing", "line", "suffix", "near", "none"};

	return names[level];
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_valid(const CallsyncPhone *p)
{
	CallsyncPhoneInfo info;

	callsync_phone_info(p->country_code, p->nsn, p->nsn_len, &info);
	return info.valid;
}

/* Takes a parsed number over, if it can be one. */
static bool
take_phone(const CallsyncPhone *p, CallsyncLine *line)
{
	if (p->code == 0)
		return false;
	line->assumed = p->source == CALLSYNC_SOURCE_DEFAULT_COUNTRY;
	/*
	 * A number that is none in the assumed country belongs to another one; so does
	 * one whose first digits only happen to be the country's code.
	 */
	if ((line->assumed || p->source == CALLSYNC_SOURCE_WITHOUT_PLUS_SIGN) && !is_valid(p))
		return false;
	line->n = (uint8_t) callsync_phone_unpack(p->code, line->digits);
	line->code = p->code;
	line->nsn = p->nsn_len;
	return true;
}

static bool
from_parsed(const char *text, size_t len, int region, CallsyncLine *line)
{
	CallsyncPhone p;
	const char *zero;

	if (callsync_phone_parse(text, len, region, &p) != CALLSYNC_PHONE_OK)
		return false;
	/* "+44 (0)20 ...": the zero is for those at home, also where the country has none */
	zero = memchr(text, '(', len);
	if (zero != NULL && zero + 2 < text + len && zero[1] == '0' && zero[2] == ')' && len < 60 && !is_valid(&p))
	{
		char		without[64];
		size_t		head = (size_t) (zero - text);
		CallsyncPhone q;

		memcpy(without, text, head);
		memcpy(without + head, zero + 3, len - head - 3);
		if (callsync_phone_parse(without, len - 3, region, &q) == CALLSYNC_PHONE_OK && is_valid(&q))
			p = q;
	}
	return take_phone(&p, line);
}

/* One number: digits and punctuation of text[0..len). */
static bool
read_one(const char *text, size_t len, int region, CallsyncLine *line)
{
	char		digits[40];
	int			n = 0;
	bool		plus = false;
	int			zeros = 0;

	memset(line, 0, sizeof(*line));
	for (size_t i = 0; i < len; i++)
	{
		if (text[i] == '+' && n == 0)
			plus = true;
		if (is_digit(text[i]) && n < (int) sizeof(digits) - 2)
			digits[n++] = text[i];
	}
	if (n < 6 || n > 20)
		return false;
	if (from_parsed(text, len, region, line))
		return true;
	/* "00" is how most of the world dials abroad, whatever the region says */
	if (!plus && n >= 10 && digits[0] == '0' && digits[1] == '0' && digits[2] != '0')
	{
		char		international[44];

		international[0] = '+';
		memcpy(international + 1, digits + 2, (size_t) n - 2);
		if (from_parsed(international, (size_t) n - 1, CALLSYNC_REGION_NONE, line))
			return true;
	}
	while (zeros < n && digits[zeros] == '0')
		zeros++;
	n -= zeros;
	if (n < 6 || n > CALLSYNC_LINE_DIGITS)
		return false;
	memset(line, 0, sizeof(*line));
	memcpy(line->digits, digits + zeros, (size_t) n);
	line->n = line->nsn = (uint8_t) n;
	line->assumed = true;
	return true;
}

static int
count_digits(const char *text, size_t from, size_t to)
{
	int			n = 0;

	for (size_t i = from; i < to; i++)
		n += is_digit(text[i]);
	return n;
}

/* Does an extension begin here ("x12", "ext. 12", "#12")? */
static bool
extension_at(const char *text, size_t i, size_t len)
{
	static const char *const words[] = {"extension", "extn", "ext", "x", "#", "durchwahl", "dw", "poste", "anexo", ";ext=", NULL};

	for (int w = 0; words[w]; w++)
	{
		size_t		k = strlen(words[w]);

		if (i + k <= len)
		{
			size_t		j = 0;

			while (j < k && (text[i + j] | (text[i + j] >= 'A' && text[i + j] <= 'Z' ? 0x20 : 0)) == words[w][j])
				j++;
			if (j == k && (i + k == len || strchr(" .:0123456789-", text[i + k]) != NULL))
				return true;
		}
	}
	return false;
}

int
callsync_lines_read(const char *text, size_t len, int region, CallsyncLine *out, int max)
{
	int			n = 0;
	size_t		i = 0;

	while (i < len && n < max)
	{
		size_t		start;
		size_t		end;

		while (i < len && !is_digit(text[i]) && text[i] != '+' && text[i] != '(')
			i++;
		start = i;
		end = i;
		while (i < len)
		{
			char		c = text[i];

			if (is_digit(c))
				end = i + 1;
			else if (c == '+' && i > start && count_digits(text, start, i) > 0)
				break;			/* a second number */
			else if (c == '/' || c == '\\')
			{
				/* area/number, or number / number */
				if (count_digits(text, start, i) >= 7 && count_digits(text, i, len) >= 6)
					break;
			}
			else if (strchr("+()-. \t", c) == NULL && !((unsigned char) c == 0xC2 && i + 1 < len && (unsigned char) text[i + 1] == 0xA0) &&
					 !((unsigned char) c == 0xA0 && i > 0 && (unsigned char) text[i - 1] == 0xC2))
				break;
			i++;
		}
		if (end > start && read_one(text + start, end - start, region, &out[n]))
			n++;
		/* an extension is no number of its own */
		if (i < len && extension_at(text, i, len))
		{
			while (i < len && !is_digit(text[i]))
				i++;
			while (i < len && is_digit(text[i]))
				i++;
		}
		else if (i == start)
			i++;
	}
	return n;
}

bool
callsync_line_of_caller(const char *text, size_t len, int region, CallsyncLine *line)
{
	CallsyncCallerId id;

	memset(line, 0, sizeof(*line));
	callsync_caller_id(text, len, region, &id);
	switch (id.kind)
	{
		case CALLSYNC_CALLER_NUMBER:
			if (take_phone(&id.phone, line))
				return true;
			/* a number, but none of the region it was read in: its digits remain */
			return callsync_lines_read(text, len, CALLSYNC_REGION_NONE, line, 1) == 1;
		case CALLSYNC_CALLER_INVALID:
			/* no region to read it in, or a wrong one */
			return callsync_lines_read(text, len, CALLSYNC_REGION_NONE, line, 1) == 1 && line->n >= 8;
		default:
			return false;
	}
}

CallsyncLineLevel
callsync_line_compare(const CallsyncLine *a, const CallsyncLine *b, bool near)
{
	int			shorter;

	if (a->n == 0 || b->n == 0)
		return CALLSYNC_LINE_MISSING;
	if (a->code != 0 && a->code == b->code)
		return CALLSYNC_LINE_EXACT;
	if (a->assumed || b->assumed)
	{
		/* where both countries are guesses, only the national parts count */
		int			na = a->code != 0 && a->assumed && b->n <= a->n ? a->nsn : a->n;
		int			nb = b->code != 0 && b->assumed && a->n <= b->n ? b->nsn : b->n;

		if (a->code != 0 && b->code != 0)
			na = a->nsn, nb = b->nsn;
		shorter = na < nb ? na : nb;
		if (shorter >= 8 && memcmp(a->digits + a->n - shorter, b->digits + b->n - shorter, (size_t) shorter) == 0)
			return CALLSYNC_LINE_SUFFIX;
	}
	if (near)
	{
		uint16_t	x[CALLSYNC_LINE_DIGITS];
		uint16_t	y[CALLSYNC_LINE_DIGITS];
		int			na = a->assumed || b->assumed ? a->nsn : a->n;
		int			nb = a->assumed || b->assumed ? b->nsn : b->n;

		for (int i = 0; i < na; i++)
			x[i] = (unsigned char) a->digits[a->n - na + i];
		for (int i = 0; i < nb; i++)
			y[i] = (unsigned char) b->digits[b->n - nb + i];
		if (na >= 7 && nb >= 7 && callsync_edit_distance(x, na, y, nb, 1) <= 1)
			return CALLSYNC_LINE_NEAR;
	}
	return CALLSYNC_LINE_NONE;
}
