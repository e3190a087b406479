/*
 * phone_fuzz.c
 *		libFuzzer target: the phone parser and the caller-id layer take any bytes.
 *
 * Beyond memory errors, properties that hold for every input are checked: what was
 * parsed formats and parses back to itself, codes come back from their digits, only a
 * number has a code, the fast and the general way of reading agree. The first byte
 * chooses the region, the rest is the text.
 */
#include <stdlib.h>
#include <string.h>

#include "core/caller_id.h"
#include "core/phone.h"
#include "core/phone_internal.h"

#define REQUIRE(cond) do { if (!(cond)) abort(); } while (0)

static void
check_number(const CallsyncPhone *p)
{
	char		buf[CALLSYNC_PHONE_FORMAT_MAX];
	char		digits[CALLSYNC_PHONE_MAX_DIGITS];
	CallsyncPhone again;
	CallsyncPhoneInfo info;

	REQUIRE(p->nsn_len >= 2 && p->nsn_len <= CALLSYNC_NSN_MAX && strlen(p->nsn) == p->nsn_len);
	REQUIRE(strspn(p->nsn, "0123456789") == p->nsn_len);
	REQUIRE(p->leading_zeros < p->nsn_len && strlen(p->extension) == p->extension_len && strlen(p->carrier) == p->carrier_len);
	for (int s = CALLSYNC_STYLE_E164; s <= CALLSYNC_STYLE_RFC3966; s++)
	{
		int			n = callsync_phone_format(p->country_code, p->nsn, p->nsn_len, p->extension, p->extension_len, (CallsyncPhoneStyle) s, buf);

		REQUIRE(n > 0 && n < CALLSYNC_PHONE_FORMAT_MAX && strlen(buf) == (size_t) n);
	}
	callsync_phone_info(p->country_code, p->nsn, p->nsn_len, &info);
	REQUIRE(info.valid == (info.type != CALLSYNC_TYPE_UNKNOWN));
	callsync_phone_format(p->country_code, p->nsn, p->nsn_len, "", 0, CALLSYNC_STYLE_E164, buf);
	if (p->code == 0)
		REQUIRE(strlen(buf) > CALLSYNC_PHONE_MAX_DIGITS + 1);
	else
	{
		int			n = callsync_phone_unpack(p->code, digits);

		REQUIRE(n == (int) strlen(buf) - 1 && memcmp(digits, buf + 1, n) == 0);
		REQUIRE(callsync_phone_pack(digits, n) == p->code);
	}
	/* a valid number in E.164 is read as itself, wherever it is dialled */
	if (info.valid)
	{
		REQUIRE(callsync_phone_parse(buf, strlen(buf), CALLSYNC_REGION_NONE, &again) == CALLSYNC_PHONE_OK);
		if (again.code != p->code)
		{
			/* only where a strip of the national prefix gives another valid number */
			callsync_phone_info(again.country_code, again.nsn, again.nsn_len, &info);
			REQUIRE(again.country_code == p->country_code);
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CallsyncPhone p,
				q;
	CallsyncCallerId id;
	int			region = CALLSYNC_REGION_NONE;
	char	   *text;
	size_t		n;
	CallsyncPhoneResult result;

	if (size == 0)
		return 0;
	/* the nine territories of no country are first in the table and no regions */
	if (data[0] > 0 && data[0] <= 245)
		region = data[0] + 8;
	/* a copy of its own, without a terminator, so that reading past the end is seen */
	n = size - 1;
	text = malloc(n == 0 ? 1 : n);
	memcpy(text, data + 1, n);

	result = callsync_phone_parse(text, n, region, &p);
	if (result == CALLSYNC_PHONE_OK)
	{
		CallsyncShortInfo s;

		check_number(&p);
		s = callsync_phone_short(p.country_code, p.nsn, p.nsn_len, region);
		REQUIRE(s.known || !s.valid);
	}
	(void) callsync_phone_emergency(text, n, region);

	/* the general way of reading gives the same: a zero-width space at the end counts for nothing */
	if (n < 200 && memchr(text, ';', n) == NULL)
	{
		char		longer[260];
		PhoneText	plain;

		memcpy(longer, text, n);
		memcpy(longer + n, "\342\200\213", 3);
		if (n == 0 || ((unsigned char) text[n - 1] < 0x80))
		{
			CallsyncPhoneResult other = callsync_phone_parse(longer, n + 3, region, &q);

			REQUIRE(other == result);
			if (result == CALLSYNC_PHONE_OK)
				REQUIRE(q.code == p.code && q.extension_len == p.extension_len && strcmp(q.nsn, p.nsn) == 0);
		}
		if (result == CALLSYNC_PHONE_OK)
			REQUIRE(callsync_phone_read_text(text, n, &plain) == CALLSYNC_PHONE_OK && plain.n > 0);
	}

	callsync_caller_id(text, n, region, &id);
	REQUIRE((id.kind == CALLSYNC_CALLER_NUMBER) == (id.code != 0));
	REQUIRE(id.kind == CALLSYNC_CALLER_NUMBER || (!id.test_range && id.extension_len == 0));
	REQUIRE(strlen(id.extension) == id.extension_len && strlen(id.detail) < CALLSYNC_CALLER_DETAIL_MAX);
	REQUIRE(id.kind != CALLSYNC_CALLER_INVALID || id.detail[0] != '\0');
	if (id.kind == CALLSYNC_CALLER_NUMBER)
	{
		REQUIRE(id.code == id.phone.code);
		check_number(&id.phone);
		REQUIRE(callsync_same_caller(text, n, text, n, region));
	}
	for (size_t i = 0; id.detail[i] != '\0';)
	{
		int			used;

		REQUIRE(callsync_utf8_decode((const unsigned char *) id.detail + i, strlen(id.detail) - i, &used) != 0xFFFD || used > 1);
		i += used;
	}

	/* any bytes as a code */
	if (n >= 8)
	{
		uint64_t	code;
		char		digits[CALLSYNC_PHONE_MAX_DIGITS];
		int			count;

		memcpy(&code, text, 8);
		count = callsync_phone_unpack(code, digits);
		REQUIRE(count == 0 || callsync_phone_pack(digits, count) == code);
	}
	free(text);
	return 0;
}
