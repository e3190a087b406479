/*
 * phone_test.c
 *		Parser, code, formats, short numbers and fuzzy distance of type phone.
 *
 * The breadth comes from the parity test; here are the single rules, the borders, and
 * the properties that must hold for every input.
 */
#include <stdlib.h>

#include "core/phone.h"
#include "core/phone_tables.h"
#include "unit.h"

/* result, then "+E164", then ";ext=" if any */
static const char *
parse(const char *raw, const char *region)
{
	static char buf[200];
	CallsyncPhone p;
	CallsyncPhoneResult r = callsync_phone_parse(raw, strlen(raw), callsync_region_lookup(region, strlen(region)), &p);

	if (r != CALLSYNC_PHONE_OK)
		return callsync_phone_result_name(r);
	callsync_phone_format(p.country_code, p.nsn, p.nsn_len, "", 0, CALLSYNC_STYLE_E164, buf);
	if (p.extension_len)
		sprintf(buf + strlen(buf), " x%s", p.extension);
	if (p.carrier_len)
		sprintf(buf + strlen(buf), " via %s", p.carrier);
	return buf;
}

static void
test_parse(void)
{
	CHECK_STR(parse("(555) 123-4567", "US"), "+15551234567");
	CHECK_STR(parse("5551234567", "us"), "+15551234567");
	CHECK_STR(parse("+15551234567", ""), "+15551234567");
	CHECK_STR(parse("5551234567", ""), "INVALID_COUNTRY_CODE");
	CHECK_STR(parse("", "US"), "NOT_A_NUMBER");
	CHECK_STR(parse("+", "US"), "NOT_A_NUMBER");
	CHECK_STR(parse("1-800-FLOWERS", "US"), "+18003569377");
	CHECK_STR(parse("011 44 20 7946 0018", "US"), "+442079460018");
	CHECK_STR(parse("tel:02079460018;phone-context=+44", ""), "+442079460018");
	CHECK_STR(parse("tel:2079460018;phone-context=example.com", "GB"), "+442079460018");
	CHECK_STR(parse(";phone-context=+44 tel:", "GB"), "NOT_A_NUMBER");
	CHECK_STR(parse("06 698 12345", "VA"), "+390669812345");
	CHECK_STR(parse("0343 15 555 1212", "AR"), "+5493435551212 via 343");
	CHECK_STR(parse("0 15 11 2345 6789", "BR"), "+551123456789 via 15");
	CHECK_STR(parse("+800 1234 5678", ""), "+80012345678");
	CHECK_STR(parse("212-555-0147 ext. 12", "US"), "+12125550147 x12");
	CHECK_STR(parse("212-555-0147 - 123#", "US"), "+12125550147 x123");
	CHECK_STR(parse("212-555-0147,,5", "US"), "+12125550147 x5");
	CHECK_STR(parse("+7 495 123 45 67 \320\264\320\276\320\261. 8", ""), "+74951234567 x8");
	CHECK_STR(parse("+1 212 555 0147 extensi\303\263n 3", ""), "+12125550147 x3");
	CHECK_STR(parse("\357\274\213\357\274\221 212 555 0147", ""), "+12125550147");
	CHECK_STR(parse("2125550147\377\376", "US"), "+12125550147");

	char		much[400];

	memset(much, '1', sizeof(much));
	CallsyncPhone p;

	CHECK(callsync_phone_parse(much, 250, callsync_region_lookup("US", 2), &p) == CALLSYNC_PHONE_TOO_LONG);
	CHECK(callsync_phone_parse(much, 251, CALLSYNC_REGION_NONE, &p) == CALLSYNC_PHONE_TOO_LONG);
	CHECK(callsync_phone_parse(much, 250, CALLSYNC_REGION_NONE, &p) == CALLSYNC_PHONE_INVALID_COUNTRY_CODE);
}

static void
test_region(void)
{
	CHECK(callsync_region_lookup("ZZ", 2) == CALLSYNC_REGION_NONE);
	CHECK(callsync_region_lookup("USA", 3) == CALLSYNC_REGION_NONE);
	CHECK(callsync_region_lookup("", 0) == CALLSYNC_REGION_NONE);
	CHECK(callsync_region_lookup("1a", 2) == CALLSYNC_REGION_NONE);
	CHECK(callsync_region_lookup("@A", 2) == CALLSYNC_REGION_NONE);
	CHECK(callsync_region_lookup("[A", 2) == CALLSYNC_REGION_NONE);
	CHECK(callsync_region_lookup("{a", 2) == CALLSYNC_REGION_NONE);
	CHECK_STR(callsync_region_id(callsync_region_lookup("dE", 2)), "DE");
	CHECK(callsync_region_calling_code(callsync_region_lookup("DE", 2)) == 49);
}

/* Order of codes is order of strings, and every string comes back. */
static void
test_code(void)
{
	static const char *const ordered[] = {
		"0", "00", "0000000000000000000", "01", "1", "10", "12125550100", "1212555010000000000", "12125550101",
		"4", "49", "491", "4917", "5", "8", "88888888888888888", "899999999999999999", "8999999999999999999", "9",
		"99999999999999999", "999999999999999990", "99999999999999999", "999999999999999998", "9999999999999999989",
		"999999999999999999", "9999999999999999990", "9999999999999999999"
	};
	uint64_t	before = 0;
	char		d[CALLSYNC_PHONE_MAX_DIGITS],
				back[CALLSYNC_PHONE_MAX_DIGITS];
	unsigned	seed = 7;

	for (unsigned i = 0; i < sizeof(ordered) / sizeof(ordered[0]); i++)
	{
		int			n = (int) strlen(ordered[i]);
		uint64_t	code = callsync_phone_pack(ordered[i], n);

		CHECK(callsync_phone_unpack(code, back) == n && memcmp(back, ordered[i], n) == 0);
		if (i > 0)
			CHECK((code > before) == (strcmp(ordered[i], ordered[i - 1]) > 0));
		before = code;
	}
	CHECK(before == CALLSYNC_PHONE_CODE_MAX);
	CHECK(callsync_phone_unpack(0, back) == 0);
	CHECK(callsync_phone_unpack(CALLSYNC_PHONE_CODE_MAX + 1, back) == 0);
	CHECK(callsync_phone_unpack(UINT64_MAX, back) == 0);
	CHECK(callsync_phone_pack("", 0) == 0);
	CHECK(callsync_phone_pack("12345678901234567890", 20) == 0);

	bool		same = true;

	for (int round = 0; round < 500000; round++)
	{
		static const char *const alphabets[] = {"0123456789", "09", "89", "0001"};
		int			n = 1 + (seed = seed * 1103515245 + 12345) / 65536 % 19;
		const char *alphabet = alphabets[(seed = seed * 1103515245 + 12345) / 65536 % 4];

		for (int i = 0; i < n; i++)
			d[i] = alphabet[(seed = seed * 1103515245 + 12345) / 65536 % strlen(alphabet)];
		same = same && callsync_phone_unpack(callsync_phone_pack(d, n), back) == n && memcmp(d, back, n) == 0;
	}
	CHECK(same);

	uint64_t	low,
				high;

	CHECK(callsync_phone_prefix_range("4420", 4, &low, &high));
	CHECK(low == callsync_phone_pack("4420", 4));
	CHECK(high == callsync_phone_pack("4420999999999999999", 19));
	CHECK(callsync_phone_pack("4421", 4) == high + 1);
	CHECK(callsync_phone_prefix_range("", 0, &low, &high) && low == 1 && high == CALLSYNC_PHONE_CODE_MAX);
	CHECK(callsync_phone_prefix_range("9", 1, &low, &high) && high == CALLSYNC_PHONE_CODE_MAX);
}

/* Numbers of 16 digits and more exist; the borders of what has a code. */
static void
test_long_numbers(void)
{
	static const struct
	{
		const char *raw;
		bool		valid;
		bool		has_code;
	}			numbers[] = {
		{"+49 800 12345678901", false, true},
		{"+49 18500 1234567890", false, true},
		{"+8112345678901234567", false, true},
		{"+811234567890123456", false, true},
		{"+234 80012345678901", false, true},
		{"+598 12345678901234567", false, false},	/* 20 digits */
		{"+49 12345678901234567", false, true},	/* 19 digits */
		{"+1 12345678901234567", false, true}
	};

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
	{
		CallsyncPhone p;

		CHECK(callsync_phone_parse(numbers[i].raw, strlen(numbers[i].raw), CALLSYNC_REGION_NONE, &p) == CALLSYNC_PHONE_OK);
		CHECK((p.code != 0) == numbers[i].has_code);
	}
}

static void
test_format(void)
{
	char		buf[CALLSYNC_PHONE_FORMAT_MAX];
	CallsyncPhoneStyle style;

	callsync_phone_format(1, "2125550147", 10, "12", 2, CALLSYNC_STYLE_NATIONAL, buf);
	CHECK_STR(buf, "(212) 555-0147 ext. 12");
	callsync_phone_format(44, "2079460018", 10, "3", 1, CALLSYNC_STYLE_INTERNATIONAL, buf);
	CHECK_STR(buf, "+44 20 7946 0018 x3");
	callsync_phone_format(1, "2125550147", 10, "12", 2, CALLSYNC_STYLE_RFC3966, buf);
	CHECK_STR(buf, "tel:+1-212-555-0147;ext=12");
	callsync_phone_format(999, "12", 2, "", 0, CALLSYNC_STYLE_E164, buf);
	CHECK_STR(buf, "+99912");
	callsync_phone_format(999, "12", 2, "", 0, CALLSYNC_STYLE_NATIONAL, buf);
	CHECK_STR(buf, "12");
	CHECK(callsync_phone_style_lookup("E164", 4, &style) && style == CALLSYNC_STYLE_E164);
	CHECK(callsync_phone_style_lookup("Rfc3966", 7, &style) && style == CALLSYNC_STYLE_RFC3966);
	CHECK(!callsync_phone_style_lookup("e16", 3, &style));
	CHECK(!callsync_phone_style_lookup("", 0, &style));
}

static int
distance(const char *a, const char *b, int limit)
{
	return callsync_phone_distance(a, (int) strlen(a), b, (int) strlen(b), limit);
}

static void
test_fuzzy(void)
{
	static uint64_t near[CALLSYNC_PHONE_NEIGHBOURS_MAX];
	static const char *const samples[] = {"1", "11", "12125550100", "4420794600181234567", "999999999999999999"};

	CHECK(distance("12125550100", "12125550100", 3) == 0);
	CHECK(distance("12125550100", "12125550101", 3) == 1);
	CHECK(distance("12125550100", "1212555010", 3) == 1);
	CHECK(distance("12125550100", "21125550100", 3) == 1);
	CHECK(distance("12125550100", "121255501000", 3) == 1);
	CHECK(distance("12125550100", "12125551001", 3) == 2);
	CHECK(distance("12125550100", "49301234567", 3) == 4);
	CHECK(distance("123", "123456", 2) == 3);
	for (unsigned i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
	{
		int			n = callsync_phone_neighbours(callsync_phone_pack(samples[i], (int) strlen(samples[i])), near);
		bool		ok = n > 0 && n <= CALLSYNC_PHONE_NEIGHBOURS_MAX;

		for (int k = 0; k < n; k++)
		{
			char		d[CALLSYNC_PHONE_MAX_DIGITS];
			int			dn = callsync_phone_unpack(near[k], d);

			ok = ok && dn > 0 && (k == 0 || near[k] > near[k - 1])
				&& callsync_phone_distance(d, dn, samples[i], (int) strlen(samples[i]), 1) <= 1;
		}
		CHECK(ok);
	}
	CHECK(callsync_phone_neighbours(0, near) == 0);
}

static void
test_short(void)
{
	int			us = callsync_region_lookup("US", 2),
				gb = callsync_region_lookup("GB", 2);

	CHECK(callsync_phone_emergency("911", 3, us));
	CHECK(callsync_phone_emergency("9-1-1", 5, us));
	CHECK(!callsync_phone_emergency("+911", 4, us));
	CHECK(callsync_phone_emergency("9116666666", 10, us));
	CHECK(!callsync_phone_emergency("9996666666", 10, callsync_region_lookup("BR", 2)));
	CHECK(callsync_phone_emergency("999", 3, gb));
	CHECK(!callsync_phone_emergency("999", 3, CALLSYNC_REGION_NONE));
	CHECK(callsync_phone_short(1, "911", 3, us).valid);
	CHECK(callsync_phone_short(1, "911", 3, us).cost == CALLSYNC_COST_TOLL_FREE);
	CHECK(!callsync_phone_short(44, "911", 3, us).valid);
	CHECK(!callsync_phone_short(1, "911", 3, CALLSYNC_REGION_NONE).known);
}

/* Nothing in the tables points outside them. */
static void
test_tables(void)
{
	bool		ok = true;

	for (unsigned s = 0; s < callsync_phone_state_count; s++)
		for (int d = 0; d < 10; d++)
		{
			uint16_t	to = callsync_phone_states[s][d];

			ok = ok && (to >= CALLSYNC_PHONE_LEAF ? to - CALLSYNC_PHONE_LEAF < (int) callsync_phone_leaf_count
						: to < callsync_phone_state_count);
		}
	CHECK(ok);
	CHECK_STR(callsync_phone_metadata_version(), "3.2.47");
}

int
main(void)
{
	test_parse();
	test_region();
	test_code();
	test_long_numbers();
	test_format();
	test_fuzzy();
	test_short();
	test_tables();
	return unit_done("phone");
}
