/*
 * phone_code.c
 *		The 8-byte code of type phone: the rank of the digit string.
 *
 * All strings of 1 to 19 digits, in dictionary order, are numbered from 1. A string
 * with n digits d1..dn has the rank  sum(di * f(i) + 1)  where f(i) = (10^(20-i) - 1) / 9
 * is the number of strings that begin with i given digits. The order of the codes is
 * the order of the digit strings, and all numbers with a common prefix are neighbours:
 * a prefix search is one range. A 19-digit trie has (10^20 - 1) / 9 nodes, which needs
 * 63.3 bits.
 *
 * Both directions use   9 * code = T + c   with T the digits followed by zeros up to 20
 * digits, and c = 9 n - (sum of digits): no division per digit.
 */
#include <string.h>

#include "core/phone_internal.h"

/* f(i), index i */
static const uint64_t subtree[21] = {
	UINT64_C(11111111111111111111), UINT64_C(1111111111111111111), UINT64_C(111111111111111111),
	UINT64_C(11111111111111111), UINT64_C(1111111111111111), UINT64_C(111111111111111),
	UINT64_C(11111111111111), UINT64_C(1111111111111), UINT64_C(111111111111),
	UINT64_C(11111111111), UINT64_C(1111111111), UINT64_C(111111111), UINT64_C(11111111),
	UINT64_C(1111111), UINT64_C(111111), UINT64_C(11111), UINT64_C(1111), UINT64_C(111),
	UINT64_C(11), UINT64_C(1), UINT64_C(0)
};

uint64_t
callsync_phone_pack(const char *digits, int n)
{
	uint64_t	code = 0;

	if (n < 1 || n > CALLSYNC_PHONE_MAX_DIGITS)
		return 0;
	for (int i = 0; i < n; i++)
		code += (uint64_t) (digits[i] - '0') * subtree[i + 1];
	return code + n;
}

uint64_t
callsync_phone_pack_number(int country_code, const char *nsn, int nsn_len)
{
	uint64_t	code = 0;
	int			n = country_code < 10 ? 1 : country_code < 100 ? 2 : 3;

	if (n + nsn_len > CALLSYNC_PHONE_MAX_DIGITS)
		return 0;
	for (int i = n, c = country_code; i > 0; i--, c /= 10)
		code += c % 10 * subtree[i];
	for (int i = 0; i < nsn_len; i++)
		code += (uint64_t) (nsn[i] - '0') * subtree[n + i + 1];
	return code + n + nsn_len;
}

/* The 8 decimal digits of v, one byte each, the first one lowest. */
static inline uint64_t
eight_digits(uint32_t v)
{
	/* halves, quarters, digits: each step divides all its parts at once */
	uint64_t	x = v / 10000 | (uint64_t) (v % 10000) << 32;
	uint64_t	q = (x * 10486 >> 20) & UINT64_C(0x0000007F0000007F);

	x = q | (x - q * 100) << 16;
	q = (x * 103 >> 10) & UINT64_C(0x000F000F000F000F);
	return q | (x - q * 10) << 8;
}

static inline void
store_digits(uint64_t x, char *to)
{
	x += UINT64_C(0x3030303030303030);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	memcpy(to, &x, 8);
}

/* Writes 17 decimal digits of v; returns their sum. */
static unsigned
spread(uint64_t v, char *buf)
{
	uint64_t	low = eight_digits(v % 100000000),
				high;
	unsigned	top;

	v /= 100000000;
	high = eight_digits(v % 100000000);
	top = (unsigned) (v / 100000000);
	buf[0] = '0' + top;
	store_digits(high, buf + 1);
	store_digits(low, buf + 9);
	return top + (unsigned) ((high + low) * UINT64_C(0x0101010101010101) >> 56);
}

int
callsync_phone_unpack(uint64_t code, char buf[CALLSYNC_PHONE_MAX_DIGITS])
{
	if (code == 0 || code > CALLSYNC_PHONE_CODE_MAX)
		return 0;

	/* lead: the first 17 digits; rest: the last three places of T, plus c */
	uint64_t	lead = 9 * (code / 1000) + 9 * (code % 1000) / 1000;
	unsigned	rest = 9 * (code % 1000) % 1000;
	unsigned	k = (rest + spread(lead, buf)) / 9;

	/*
	 * k is n for up to 17 digits, else 18 + 11 d18 (+ 1 + d19). With 18 or 19 digits
	 * the last places may have carried into lead; k then says 16 or less, but digits
	 * stand behind the k-th, which tells the two apart.
	 */
	if (k <= 17)
	{
		unsigned	last = 17;

		while (last > 0 && buf[last - 1] == '0')
			last--;
		if (k > 0 && last <= k)
			return (int) k;
		k = (rest + 1000 + spread(lead - 1, buf)) / 9;
	}
	k -= 18;
	buf[17] = '0' + k / 11;
	if (k % 11 == 0)
		return 18;
	buf[18] = '0' + (k % 11 - 1);
	return 19;
}

bool
callsync_phone_prefix_range(const char *digits, int n, uint64_t *low, uint64_t *high)
{
	if (n == 0)
	{
		*low = 1;
		*high = CALLSYNC_PHONE_CODE_MAX;
		return true;
	}
	*low = callsync_phone_pack(digits, n);
	if (*low == 0)
		return false;
	*high = *low + subtree[n] - 1;
	return true;
}
