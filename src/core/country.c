/*
 * country.c
 *		Countries as CRMs have them: two letters, three, or a name.
 */
#include <string.h>

#include "core/country_table.h"
#include "core/fold.h"
#include "core/line.h"
#include "core/phone.h"

int
callsync_country_region(const char *text, size_t len)
{
	char		folded[48];
	size_t		n;
	int			lo = 0;
	int			hi = (int) (sizeof(country_names) / sizeof(country_names[0])) - 1;

	if (text == NULL || len == 0)
		return CALLSYNC_REGION_NONE;
	n = callsync_fold_tight(text, len, folded, sizeof(folded) - 1);
	folded[n] = '\0';
	if (n == 2)
	{
		int			region = callsync_region_lookup(folded, 2);

		if (region != CALLSYNC_REGION_NONE)
			return region;
	}
	while (lo <= hi)
	{
		int			mid = (lo + hi) / 2;
		int			c = strcmp(folded, country_names[mid].name);

		if (c == 0)
			return callsync_region_lookup(country_names[mid].region, 2);
		if (c < 0)
			hi = mid - 1;
		else
			lo = mid + 1;
	}
	return CALLSYNC_REGION_NONE;
}
