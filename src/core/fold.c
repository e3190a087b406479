/*
 * fold.c
 *		Text to its comparable form; see fold.h.
 *
 * The tables are generated (fold_table.py).  Changing them changes stored keys:
 * that needs a rebuild of the key table in the upgrade script.
 */
#include <stdbool.h>
#include <string.h>

#include "core/fold.h"
#include "core/fold_table.h"
#include "core/shard.h"

int
callsync_utf8_next(const char *s, size_t len, uint32_t *cp)
{
	const unsigned char *p = (const unsigned char *) s;
	int			n;
	uint32_t	c;

	if (p[0] < 0x80)
	{
		*cp = p[0];
		return 1;
	}
	if ((p[0] & 0xE0) == 0xC0)
		n = 2, c = p[0] & 0x1F;
	else if ((p[0] & 0xF0) == 0xE0)
		n = 3, c = p[0] & 0x0F;
	else if ((p[0] & 0xF8) == 0xF0)
		n = 4, c = p[0] & 0x07;
	else
		n = 0, c = 0;
	if (n == 0 || (size_t) n > len)
	{
		*cp = 0xFFFD;
		return 1;
	}
	for (int i = 1; i < n; i++)
	{
		if ((p[i] & 0xC0) != 0x80)
		{
			*cp = 0xFFFD;
			return 1;
		}
		c = (c << 6) | (p[i] & 0x3F);
	}
	*cp = c;
	return n;
}

int
callsync_utf8_put(uint32_t cp, char *out)
{
	if (cp < 0x80)
	{
		out[0] = (char) cp;
		return 1;
	}
	if (cp < 0x800)
	{
		out[0] = (char) (0xC0 | (cp >> 6));
		out[1] = (char) (0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000)
	{
		out[0] = (char) (0xE0 | (cp >> 12));
		out[1] = (char) (0x80 | ((cp >> 6) & 0x3F));
		out[2] = (char) (0x80 | (cp & 0x3F));
		return 3;
	}
	out[0] = (char) (0xF0 | ((cp >> 18) & 0x07));
	out[1] = (char) (0x80 | ((cp >> 12) & 0x3F));
	out[2] = (char) (0x80 | ((cp >> 6) & 0x3F));
	out[3] = (char) (0x80 | (cp & 0x3F));
	return 4;
}

/* Characters outside the generated pages. */
static int
fold_other(uint32_t cp, uint32_t *out)
{
	/* marks and invisible controls vanish */
	if ((cp >= 0x0610 && cp <= 0x061A) || (cp >= 0x064B && cp <= 0x065F) || cp == 0x0640 || cp == 0x0670 ||
		(cp >= 0x06D6 && cp <= 0x06DC) || (cp >= 0x06DF && cp <= 0x06E8 && cp != 0x06E5 && cp != 0x06E6) ||
		(cp >= 0x200B && cp <= 0x200F) || (cp >= 0x202A && cp <= 0x202E) || (cp >= 0x2060 && cp <= 0x2064) ||
		(cp >= 0x20D0 && cp <= 0x20FF) || (cp >= 0xFE00 && cp <= 0xFE0F) || (cp >= 0xFE20 && cp <= 0xFE2F))
		return 0;
	/* apostrophes and quotes used as such */
	if (cp == 0x2018 || cp == 0x2019 || cp == 0x201B || cp == 0x2032)
		return 0;
	if ((cp >= 0x2000 && cp <= 0x2BFF) || (cp >= 0x3000 && cp <= 0x3004) || (cp >= 0x3008 && cp <= 0x3020) ||
		cp == 0x30FB || cp == 0xFFFD || cp == 0x060C || cp == 0x061B || cp == 0x061F || cp == 0x0964)
		return CALLSYNC_FOLD_SEPARATOR;
	/* Arabic: spellings of alef, yeh and teh marbuta that keyboards mix */
	if (cp == 0x0622 || cp == 0x0623 || cp == 0x0625 || cp == 0x0671)
		cp = 0x0627;
	else if (cp == 0x0649 || cp == 0x06CC)
		cp = 0x064A;
	else if (cp == 0x0629)
		cp = 0x0647;
	else if (cp == 0x06A9)
		cp = 0x0643;
	else if ((cp >= 0x0660 && cp <= 0x0669) || (cp >= 0x06F0 && cp <= 0x06F9))
		cp = '0' + (cp & 0x0F);
	else if (cp >= 0x0966 && cp <= 0x096F)
		cp = '0' + (cp - 0x0966);
	/* Katakana to Hiragana: one reading, two scripts */
	else if (cp >= 0x30A1 && cp <= 0x30F6)
		cp -= 0x60;
	out[0] = cp;
	return 1;
}

int
callsync_fold_char(uint32_t cp, uint32_t out[4])
{
	int			page;
	const char *to;
	int			n = 0;

	if (cp >= 0x10000 || (page = fold_page_index[cp >> 8]) < 0)
		return fold_other(cp, out);
	to = fold_page[page][cp & 0xFF];
	switch (to[0])
	{
		case '\1':
			return 0;
		case '\2':
			return CALLSYNC_FOLD_SEPARATOR;
		case '\3':
			out[0] = cp;
			return 1;
		default:
			while (to[n] != '\0')
			{
				out[n] = (unsigned char) to[n];
				n++;
			}
			return n;
	}
}

const char *
callsync_fold_digraph(uint32_t cp)
{
	if (cp < 0xC0 || cp > 0xFC)
		return NULL;
	for (size_t i = 0; i < sizeof(fold_digraph) / sizeof(fold_digraph[0]); i++)
		if (fold_digraph[i].cp == cp)
			return fold_digraph[i].to;
	return NULL;
}

static size_t
fold_text(const char *in, size_t len, char *out, size_t cap, bool spaces)
{
	size_t		used = 0;
	bool		gap = false;

	while (len > 0)
	{
		uint32_t	cp;
		uint32_t	to[4];
		int			bytes = callsync_utf8_next(in, len, &cp);
		int			n = callsync_fold_char(cp, to);

		in += bytes;
		len -= bytes;
		if (n == CALLSYNC_FOLD_SEPARATOR)
			gap = spaces && used > 0;
		for (int i = 0; i < n; i++)
		{
			char		buf[4];
			int			k = callsync_utf8_put(to[i], buf);

			if (used + k + (gap ? 1 : 0) > cap)
				return used;
			if (gap)
				out[used++] = ' ';
			gap = false;
			memcpy(out + used, buf, k);
			used += k;
		}
	}
	return used;
}

size_t
callsync_fold(const char *in, size_t len, char *out, size_t cap)
{
	return fold_text(in, len, out, cap, true);
}

size_t
callsync_fold_tight(const char *in, size_t len, char *out, size_t cap)
{
	return fold_text(in, len, out, cap, false);
}

uint64_t
callsync_hash64(uint64_t seed, const void *data, size_t len)
{
	/* FNV-1a leaves the high bits of short inputs poor: finish with a full mix */
	uint64_t	h = callsync_fnv1a(CALLSYNC_FNV_START ^ (seed * UINT64_C(0x9E3779B97F4A7C15)), data, len);

	h ^= h >> 33;
	h *= UINT64_C(0xFF51AFD7ED558CCD);
	h ^= h >> 33;
	h *= UINT64_C(0xC4CEB9FE1A85EC53);
	h ^= h >> 33;
	return h;
}
