/*
 * phone_fuzzy.c
 *		Numbers that differ by a slip: a digit wrong, missing, added, or two neighbours
 *		swapped (optimal string alignment distance).
 *
 * Because a number has only a few hundred neighbours, a search by =~ needs no scan: the
 * planner support function turns it into a look-up of all neighbours in the btree.
 */
#include <stdlib.h>
#include <string.h>

#include "core/phone.h"

int
callsync_phone_distance(const char *a, int an, const char *b, int bn, int limit)
{
	int			rows[3][CALLSYNC_PHONE_MAX_DIGITS + 1];
	int		   *before = rows[0],
			   *above = rows[1],
			   *row = rows[2];

	if (an > CALLSYNC_PHONE_MAX_DIGITS || bn > CALLSYNC_PHONE_MAX_DIGITS || abs(an - bn) > limit)
		return limit + 1;
	for (int j = 0; j <= bn; j++)
		above[j] = j;
	for (int i = 1; i <= an; i++)
	{
		int			best = row[0] = i;

		for (int j = 1; j <= bn; j++)
		{
			int			d = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < d)
				d = above[j] + 1;
			if (row[j - 1] + 1 < d)
				d = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < d)
				d = before[j - 2] + 1;
			row[j] = d;
			if (d < best)
				best = d;
		}
		/* a swap reaches back two rows, so one row above the limit is not the end */
		if (best > limit + 1)
			return limit + 1;

		int		   *oldest = before;

		before = above;
		above = row;
		row = oldest;
	}
	return above[bn] > limit ? limit + 1 : above[bn];
}

/* Shell sort in place: qsort() of the C library allocates. */
static void
sort_codes(uint64_t *v, int n)
{
	static const int gaps[] = {301, 132, 57, 23, 10, 4, 1};

	for (unsigned g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++)
	{
		int			gap = gaps[g];

		for (int i = gap; i < n; i++)
		{
			uint64_t	x = v[i];
			int			j = i;

			for (; j >= gap && v[j - gap] > x; j -= gap)
				v[j] = v[j - gap];
			v[j] = x;
		}
	}
}

int
callsync_phone_neighbours(uint64_t code, uint64_t out[CALLSYNC_PHONE_NEIGHBOURS_MAX])
{
	char		d[CALLSYNC_PHONE_MAX_DIGITS],
				w[CALLSYNC_PHONE_MAX_DIGITS + 1];
	int			n = callsync_phone_unpack(code, d);
	int			count = 0,
				kept = 0;

	if (n == 0)
		return 0;
	out[count++] = code;
	memcpy(w, d, n);
	for (int i = 0; i < n; i++)
	{
		for (w[i] = '0'; w[i] <= '9'; w[i]++)
			if (w[i] != d[i])
				out[count++] = callsync_phone_pack(w, n);
		w[i] = d[i];
	}
	for (int i = 0; i + 1 < n; i++)
	{
		if (d[i] == d[i + 1])
			continue;
		w[i] = d[i + 1];
		w[i + 1] = d[i];
		out[count++] = callsync_phone_pack(w, n);
		w[i] = d[i];
		w[i + 1] = d[i + 1];
	}
	for (int i = 0; i < n && n > 1; i++)
	{
		memcpy(w, d, i);
		memcpy(w + i, d + i + 1, n - i - 1);
		out[count++] = callsync_phone_pack(w, n - 1);
	}
	for (int i = 0; i <= n && n < CALLSYNC_PHONE_MAX_DIGITS; i++)
	{
		memcpy(w, d, i);
		memcpy(w + i + 1, d + i, n - i);
		for (w[i] = '0'; w[i] <= '9'; w[i]++)
			out[count++] = callsync_phone_pack(w, n + 1);
	}
	sort_codes(out, count);
	for (int i = 0; i < count; i++)
		if (i == 0 || out[i] != out[i - 1])
			out[kept++] = out[i];
	return kept;
}
