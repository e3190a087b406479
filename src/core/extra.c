/*
 * extra.c
 *		Further fields as evidence; see extra.h.
 */
#include <stdio.h>
#include <string.h>

#include "core/extra.h"
#include "core/fold.h"
#include "core/heard.h"

static const char *const kinds[] = {"text", "words", "code", "digits", "date"};

const char *
callsync_extra_kind_name(CallsyncExtraKind kind)
{
	return kinds[kind];
}

int
callsync_extra_kind_lookup(const char *name)
{
	for (int i = 0; i < (int) (sizeof(kinds) / sizeof(kinds[0])); i++)
		if (strcmp(kinds[i], name) == 0)
			return i;
	return -1;
}

void
callsync_extra_default(CallsyncExtraKind kind, CallsyncExtraModel *model)
{
	memset(model, 0, sizeof(*model));
	model->m[CALLSYNC_EXTRA_EXACT] = 0.85;
	model->m[CALLSYNC_EXTRA_NEAR] = 0.09;
	model->m[CALLSYNC_EXTRA_NONE] = 0.06;
	model->u_exact = 1e-5;
	model->identity = kind == CALLSYNC_EXTRA_DATE || kind == CALLSYNC_EXTRA_DIGITS || kind == CALLSYNC_EXTRA_CODE;
	switch (kind)
	{
		case CALLSYNC_EXTRA_TEXT:
		case CALLSYNC_EXTRA_WORDS:
			model->u_near = 0.005;
			break;
		case CALLSYNC_EXTRA_CODE:
			model->u_near = 0.001;
			break;
		case CALLSYNC_EXTRA_DIGITS:
			model->u_near = 0.0005;
			break;
		case CALLSYNC_EXTRA_DATE:
			model->u_near = 0.0015;
			break;
	}
}

/* Number of a month's name, by its first three letters in some languages; 0: none. */
static int
month_of(const char *word, size_t n)
{
	static const char *const months[12][4] = {
		{"jan", "ene", "gen", NULL}, {"feb", "fev", NULL}, {"mar", "maa", "mrz", NULL}, {"apr", "abr", "avr", NULL},
		{"may", "mai", "mag", "mei"}, {"jun", "giu", NULL}, {"jul", "lug", NULL}, {"aug", "ago", "aou", NULL},
		{"sep", "set", NULL}, {"oct", "okt", "ott", "out"}, {"nov", NULL}, {"dec", "dez", "dic", NULL}
	};

	if (n < 3)
		return 0;
	for (int m = 0; m < 12; m++)
		for (int k = 0; k < 4 && months[m][k]; k++)
			if (memcmp(word, months[m][k], 3) == 0)
				return m + 1;
	return 0;
}

static size_t
normal_date(const char *text, size_t len, char *out, size_t cap)
{
	char		folded[CALLSYNC_EXTRA_MAX];
	size_t		n = callsync_fold(text, len, folded, sizeof(folded));
	int			number[3] = {0, 0, 0};
	int			digits[3] = {0, 0, 0};
	int			count = 0;
	int			month = 0;
	int			year = -1;
	int			rest[2];
	int			k = 0;
	char		buf[32];

	for (size_t i = 0; i < n;)
	{
		size_t		start = i;

		if (folded[i] >= '0' && folded[i] <= '9')
		{
			int			value = 0;

			while (i < n && folded[i] >= '0' && folded[i] <= '9' && i - start < 8)
				value = value * 10 + (folded[i++] - '0');
			if (count < 3)
			{
				number[count] = value;
				digits[count++] = (int) (i - start);
			}
		}
		else
		{
			while (i < n && folded[i] != ' ' && !(folded[i] >= '0' && folded[i] <= '9'))
				i++;
			if (month == 0)
				month = month_of(folded + start, i - start);
			while (i < n && folded[i] == ' ')
				i++;
		}
	}
	if (count == 1 && digits[0] == 8)
	{
		/* yyyymmdd, or ddmmyyyy where that cannot be a year */
		int			v = number[0];

		if (v / 10000 >= 1850 && v / 10000 <= 2100)
			number[0] = v / 10000, number[1] = v / 100 % 100, number[2] = v % 100;
		else
			number[0] = v / 1000000, number[1] = v / 10000 % 100, number[2] = v % 10000;
		digits[0] = digits[1] = digits[2] = 2;
		digits[v / 10000 >= 1850 && v / 10000 <= 2100 ? 0 : 2] = 4;
		count = 3;
	}
	if (month > 0 && count == 2)
	{
		number[2] = month;
		digits[2] = 2;
		count = 3;
		/* the month is known: the other two are day and year */
		if (digits[0] < 3 && digits[1] < 3)
			digits[1] = 3;
	}
	if (count != 3)
		return 0;
	for (int i = 0; i < 3 && year < 0; i++)
		if (digits[i] >= 3)
			year = i;
	if (year < 0)
		year = 2;
	for (int i = 0; i < 3; i++)
		if (i != year)
			rest[k++] = number[i];
	if (rest[0] > rest[1])
	{
		int			t = rest[0];

		rest[0] = rest[1];
		rest[1] = t;
	}
	/* two digits: people who call were born in this century or the last */
	if (number[year] < 100)
		number[year] += number[year] < 30 ? 2000 : 1900;
	if (rest[0] < 1 || rest[0] > 12 || rest[1] > 31)
		return 0;
	n = (size_t) snprintf(buf, sizeof(buf), "%04d%02d%02d", number[year] % 10000, rest[0], rest[1]);
	if (n > cap)
		n = cap;
	memcpy(out, buf, n);
	return n;
}

size_t
callsync_extra_normal(CallsyncExtraKind kind, const char *text, size_t len, char *out, size_t cap)
{
	if (text == NULL || len == 0)
		return 0;
	switch (kind)
	{
		case CALLSYNC_EXTRA_TEXT:
		case CALLSYNC_EXTRA_WORDS:
			return callsync_fold(text, len, out, cap);
		case CALLSYNC_EXTRA_CODE:
			return callsync_fold_tight(text, len, out, cap);
		case CALLSYNC_EXTRA_DIGITS:
			return callsync_heard_digits(text, len, out, cap);
		case CALLSYNC_EXTRA_DATE:
			return normal_date(text, len, out, cap);
	}
	return 0;
}

static int
characters(const char *text, size_t len, uint16_t *out, int max)
{
	int			n = 0;

	while (len > 0 && n < max)
	{
		uint32_t	cp;
		int			bytes = callsync_utf8_next(text, len, &cp);

		if (cp != ' ')
			out[n++] = (uint16_t) (cp > 0xFFFF ? 0xE000 + cp % 0x1900 : cp);
		text += bytes;
		len -= bytes;
	}
	return n;
}

/*
 * Share of the words of the longer text that the other one has, a slip allowed in
 * long ones.  A text that says the same with more words around it is near.
 */
static double
words_in_common(const char *a, size_t na, const char *b, size_t nb, bool *contained)
{
	uint16_t	wa[CALLSYNC_EXTRA_MAX];
	uint16_t	wb[CALLSYNC_EXTRA_MAX];
	int			total_a = 0;
	int			total_b = 0;
	int			common = 0;

	for (size_t i = 0; i < nb; i++)
		total_b += b[i] == ' ';
	total_b++;
	for (size_t i = 0; i < na;)
	{
		size_t		end = i;
		int			la;
		bool		found = false;

		while (end < na && a[end] != ' ')
			end++;
		la = characters(a + i, end - i, wa, CALLSYNC_EXTRA_MAX);
		for (size_t k = 0; k < nb && !found;)
		{
			size_t		stop = k;
			int			lb;

			while (stop < nb && b[stop] != ' ')
				stop++;
			lb = characters(b + k, stop - k, wb, CALLSYNC_EXTRA_MAX);
			found = callsync_edit_distance(wa, la, wb, lb, 1) <= (la >= 5 ? 1 : 0);
			k = stop + 1;
		}
		total_a++;
		common += found;
		i = end + 1;
	}
	*contained = common >= 2 && common >= 0.75 * (total_a < total_b ? total_a : total_b);
	return (double) common / (total_a > total_b ? total_a : total_b);
}

CallsyncExtraLevel
callsync_extra_compare(CallsyncExtraKind kind, const char *a, size_t na, const char *b, size_t nb)
{
	uint16_t	x[CALLSYNC_EXTRA_MAX];
	uint16_t	y[CALLSYNC_EXTRA_MAX];
	int			nx;
	int			ny;
	int			longest;
	int			allowed;

	if (na == 0 || nb == 0)
		return CALLSYNC_EXTRA_MISSING;
	if (na == nb && memcmp(a, b, na) == 0)
		return CALLSYNC_EXTRA_EXACT;
	if (kind == CALLSYNC_EXTRA_CODE)
		return CALLSYNC_EXTRA_NONE;
	nx = characters(a, na, x, CALLSYNC_EXTRA_MAX);
	ny = characters(b, nb, y, CALLSYNC_EXTRA_MAX);
	longest = nx > ny ? nx : ny;
	allowed = kind == CALLSYNC_EXTRA_TEXT || kind == CALLSYNC_EXTRA_WORDS ? longest / 5 : 1;
	if (allowed > 0 && longest >= 4 && callsync_edit_distance(x, nx, y, ny, allowed) <= allowed)
		return nx == ny && callsync_edit_distance(x, nx, y, ny, 1) == 0 ? CALLSYNC_EXTRA_EXACT : CALLSYNC_EXTRA_NEAR;
	if (kind == CALLSYNC_EXTRA_WORDS || kind == CALLSYNC_EXTRA_TEXT)
	{
		bool		contained;
		double		common = words_in_common(a, na, b, nb, &contained);

		if (kind == CALLSYNC_EXTRA_WORDS && common >= 0.999)
			return CALLSYNC_EXTRA_EXACT;
		if (common >= (kind == CALLSYNC_EXTRA_WORDS ? 0.6 : 0.75) || (kind == CALLSYNC_EXTRA_WORDS && contained))
			return CALLSYNC_EXTRA_NEAR;
	}
	return CALLSYNC_EXTRA_NONE;
}
