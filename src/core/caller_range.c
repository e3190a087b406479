/*
 * caller_range.c
 *		Numbers set aside for films, books, documentation and tests.
 *
 * They reach nobody, so a call or a contact with one is a test or made up. Sources: the
 * numbering authorities (NANPA, Ofcom, ACMA, ComReg, BNetzA, Arcep, PTS).
 */
#include <string.h>

#include "core/caller_id.h"
#include "core/phone_internal.h"

/* Calling code and national number; '?' is any digit. North America's is in the code below. */
static const char *const ranges[] = {
	/* United Kingdom: geographic, then no area, mobile, freephone, premium rate, UK-wide */
	"441134960???", "441144960???", "441154960???", "441164960???", "441174960???", "441184960???", "441214960???", "441314960???",
	"441414960???", "441514960???", "441614960???", "442079460???", "441914980???", "442896496???", "442920180???",
	"441632960???", "447700900???", "448081570???", "449098790???", "443069990???",
	/* Australia: geographic, free and local rate, mobile */
	"6125550????", "6127010????", "6135550????", "6137010????", "6175550????", "6177010????", "6185550????", "6187010????",
	"611800160401", "61180097570[7-9]", "61180097571[01]", "61130097570[7-9]", "61130097571[01]",
	"61491570006", "6149157015[6-9]", "61491570110", "61491570313", "61491570737", "61491571266", "61491571491", "61491571804",
	"61491572549", "61491572665", "61491572983", "61491573770", "61491573087", "61491574118", "61491574632", "61491575254",
	"61491575789", "61491576398", "61491576801", "61491577426", "61491577644", "61491578957", "61491578148", "61491578888",
	"61491579212", "61491579760", "61491579455",
	/* Ireland */
	"3532091?????",
	/* Germany: Berlin, Frankfurt, Hamburg, Cologne, Munich, mobile */
	"493023125???", "496990009???", "494066969???", "492214710???", "498999998???", "4915228817386", "4915228895456",
	"4915254599371", "491713920???", "491729925904", "491729968532", "491729973185", "491729973186", "491729980752",
	"491749091317", "491749464308", "4917604069???",
	/* France: five zones, mobile */
	"3319900????", "3326191????", "3335301????", "3346571????", "3353649????", "3363998????",
	/* Sweden */
	"463139060??", "464062804??", "468465004??", "469803192??", "4670174060[5-9]", "467017406[1-9]?"
};

/* Whether digits match a pattern of digits, '?' and classes like [7-9] or [01]. */
static bool
matches(const char *pattern, const char *digits, int n)
{
	int			i = 0;

	for (; *pattern != '\0'; pattern++, i++)
	{
		if (i == n)
			return false;
		if (*pattern == '[')
		{
			bool		in = false;

			for (pattern++; *pattern != ']'; pattern++)
			{
				if (pattern[1] == '-')
				{
					in = in || (digits[i] >= pattern[0] && digits[i] <= pattern[2]);
					pattern += 2;
				}
				else
					in = in || digits[i] == *pattern;
			}
			if (!in)
				return false;
		}
		else if (*pattern != '?' && *pattern != digits[i])
			return false;
	}
	return i == n;
}

bool
callsync_phone_is_test_range(int country_code, const char *nsn, int nsn_len)
{
	char		digits[CALLSYNC_PHONE_MAX_DIGITS];
	int			n;

	/* most numbers have no such range near them */
	if (country_code == 1)
		return nsn_len == 10 && memcmp(nsn + 3, "55501", 5) == 0;
	if (country_code != 44 && country_code != 61 && country_code != 353 && country_code != 49 && country_code != 33 && country_code != 46)
		return false;
	n = callsync_phone_unpack(callsync_phone_pack_number(country_code, nsn, nsn_len), digits);
	for (unsigned i = 0; n > 0 && i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (matches(ranges[i], digits, n))
			return true;
	return false;
}
