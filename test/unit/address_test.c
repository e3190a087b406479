/*
 * address_test.c
 *		The address filter, over the ways in which people and attackers spell
 *		addresses, and over the allow list.
 */
#include <string.h>

#include "core/address.h"
#include "core/transport.h"

#include "unit.h"

static CallsyncAddressClass
class_of(const char *host, bool *literal)
{
	CallsyncAddress address;

	*literal = callsync_address_from_host(&address, host, strlen(host));
	return *literal ? callsync_address_class(&address) : CALLSYNC_ADDRESS_PUBLIC;
}

static const struct
{
	const char *host;
	CallsyncAddressClass class_;
}			spellings[] = {
	/* one address, many spellings */
	{"127.0.0.1", CALLSYNC_ADDRESS_LOOPBACK},
	{"127.0.0.1.", CALLSYNC_ADDRESS_LOOPBACK},
	{"127.1", CALLSYNC_ADDRESS_LOOPBACK},
	{"127.0.1", CALLSYNC_ADDRESS_LOOPBACK},
	{"127.255.255.254", CALLSYNC_ADDRESS_LOOPBACK},
	{"2130706433", CALLSYNC_ADDRESS_LOOPBACK},
	{"0x7f000001", CALLSYNC_ADDRESS_LOOPBACK},
	{"0X7F.0x0.0x0.0x1", CALLSYNC_ADDRESS_LOOPBACK},
	{"0x7f.1", CALLSYNC_ADDRESS_LOOPBACK},
	{"017700000001", CALLSYNC_ADDRESS_LOOPBACK},
	{"0177.0.0.01", CALLSYNC_ADDRESS_LOOPBACK},
	{"0177.0x0.1", CALLSYNC_ADDRESS_LOOPBACK},
	{"00000177.0.0.1", CALLSYNC_ADDRESS_LOOPBACK},
	{"::1", CALLSYNC_ADDRESS_LOOPBACK},
	{"[::1]", CALLSYNC_ADDRESS_LOOPBACK},
	{"0:0:0:0:0:0:0:1", CALLSYNC_ADDRESS_LOOPBACK},
	{"0000:0000:0000:0000:0000:0000:0000:0001", CALLSYNC_ADDRESS_LOOPBACK},
	{"::ffff:127.0.0.1", CALLSYNC_ADDRESS_LOOPBACK},
	{"[::ffff:7f00:1]", CALLSYNC_ADDRESS_LOOPBACK},
	{"::FFFF:7F00:0001", CALLSYNC_ADDRESS_LOOPBACK},
	{"64:ff9b::127.0.0.1", CALLSYNC_ADDRESS_LOOPBACK},
	{"64:ff9b::7f00:1", CALLSYNC_ADDRESS_LOOPBACK},
	{"::127.0.0.1", CALLSYNC_ADDRESS_RESERVED},
	{"2002:7f00:1::", CALLSYNC_ADDRESS_RESERVED},
	{"2002:7f00:0001::1", CALLSYNC_ADDRESS_RESERVED},
	{"2001:0:4136:e378:8000:63bf:80ff:fffe", CALLSYNC_ADDRESS_RESERVED},
	{"0.0.0.0", CALLSYNC_ADDRESS_UNSPECIFIED},
	{"0", CALLSYNC_ADDRESS_UNSPECIFIED},
	{"0.1.2.3", CALLSYNC_ADDRESS_UNSPECIFIED},
	{"0x", CALLSYNC_ADDRESS_UNSPECIFIED},
	{"::", CALLSYNC_ADDRESS_UNSPECIFIED},
	{"[::]", CALLSYNC_ADDRESS_UNSPECIFIED},
	{"::ffff:0.0.0.0", CALLSYNC_ADDRESS_UNSPECIFIED},
	/* metadata services */
	{"169.254.169.254", CALLSYNC_ADDRESS_LINK_LOCAL},
	{"0xa9fea9fe", CALLSYNC_ADDRESS_LINK_LOCAL},
	{"2852039166", CALLSYNC_ADDRESS_LINK_LOCAL},
	{"0251.0376.0251.0376", CALLSYNC_ADDRESS_LINK_LOCAL},
	{"::ffff:a9fe:a9fe", CALLSYNC_ADDRESS_LINK_LOCAL},
	{"64:ff9b::a9fe:a9fe", CALLSYNC_ADDRESS_LINK_LOCAL},
	{"fe80::1", CALLSYNC_ADDRESS_LINK_LOCAL},
	{"fe80::1%eth0", CALLSYNC_ADDRESS_LINK_LOCAL},
	{"[fe80::1%25eth0]", CALLSYNC_ADDRESS_LINK_LOCAL},
	{"febf:ffff::1", CALLSYNC_ADDRESS_LINK_LOCAL},
	{"100.100.100.200", CALLSYNC_ADDRESS_PRIVATE},
	{"fd00:ec2::254", CALLSYNC_ADDRESS_PRIVATE},
	/* private */
	{"10.0.0.1", CALLSYNC_ADDRESS_PRIVATE},
	{"10.255.255.255", CALLSYNC_ADDRESS_PRIVATE},
	{"10.1", CALLSYNC_ADDRESS_PRIVATE},
	{"172.16.0.1", CALLSYNC_ADDRESS_PRIVATE},
	{"172.31.255.255", CALLSYNC_ADDRESS_PRIVATE},
	{"192.168.0.1", CALLSYNC_ADDRESS_PRIVATE},
	{"192.168.257", CALLSYNC_ADDRESS_PRIVATE},
	{"100.64.0.1", CALLSYNC_ADDRESS_PRIVATE},
	{"100.127.255.255", CALLSYNC_ADDRESS_PRIVATE},
	{"fc00::1", CALLSYNC_ADDRESS_PRIVATE},
	{"fdff:ffff::1", CALLSYNC_ADDRESS_PRIVATE},
	{"fec0::1", CALLSYNC_ADDRESS_PRIVATE},
	{"64:ff9b:1::a00:1", CALLSYNC_ADDRESS_PRIVATE},
	/* neither public nor anybody's */
	{"192.0.2.1", CALLSYNC_ADDRESS_RESERVED},
	{"198.51.100.7", CALLSYNC_ADDRESS_RESERVED},
	{"203.0.113.9", CALLSYNC_ADDRESS_RESERVED},
	{"198.18.0.1", CALLSYNC_ADDRESS_RESERVED},
	{"198.19.255.255", CALLSYNC_ADDRESS_RESERVED},
	{"192.0.0.8", CALLSYNC_ADDRESS_RESERVED},
	{"240.0.0.1", CALLSYNC_ADDRESS_RESERVED},
	{"2001:db8::1", CALLSYNC_ADDRESS_RESERVED},
	{"3fff::1", CALLSYNC_ADDRESS_RESERVED},
	{"100::1", CALLSYNC_ADDRESS_RESERVED},
	{"5f00::1", CALLSYNC_ADDRESS_RESERVED},
	{"4000::1", CALLSYNC_ADDRESS_RESERVED},
	{"224.0.0.1", CALLSYNC_ADDRESS_MULTICAST},
	{"239.255.255.250", CALLSYNC_ADDRESS_MULTICAST},
	{"255.255.255.255", CALLSYNC_ADDRESS_MULTICAST},
	{"ff02::1", CALLSYNC_ADDRESS_MULTICAST},
	/* public, close to the borders */
	{"1.1.1.1", CALLSYNC_ADDRESS_PUBLIC},
	{"9.255.255.255", CALLSYNC_ADDRESS_PUBLIC},
	{"11.0.0.0", CALLSYNC_ADDRESS_PUBLIC},
	{"100.63.255.255", CALLSYNC_ADDRESS_PUBLIC},
	{"100.128.0.0", CALLSYNC_ADDRESS_PUBLIC},
	{"126.255.255.255", CALLSYNC_ADDRESS_PUBLIC},
	{"128.0.0.1", CALLSYNC_ADDRESS_PUBLIC},
	{"172.15.255.255", CALLSYNC_ADDRESS_PUBLIC},
	{"172.32.0.0", CALLSYNC_ADDRESS_PUBLIC},
	{"192.167.255.255", CALLSYNC_ADDRESS_PUBLIC},
	{"192.169.0.0", CALLSYNC_ADDRESS_PUBLIC},
	{"223.255.255.255", CALLSYNC_ADDRESS_PUBLIC},
	{"2606:4700::1111", CALLSYNC_ADDRESS_PUBLIC},
	{"2001:200::1", CALLSYNC_ADDRESS_PUBLIC},
	{"64:ff9b::101:101", CALLSYNC_ADDRESS_PUBLIC},
	{"::ffff:1.1.1.1", CALLSYNC_ADDRESS_PUBLIC},
};

static const char *const names[] = {
	"localhost", "example.com", "127.0.0.1.nip.io", "1.2.3.4.5", "256.1.1.1", "1.2.3.256",
	"4294967296", "0xg", "08", "1..2", ".1", "", "::g", "[::1", "1.2.3.", "127.0.0.1 ",
	"-1", "1.-2", "0x100000000", "1.16777216", "99999999999999999999"
};

static CallsyncAddressVerdict
check(const char *host, int port, bool plain_http, const char *entry)
{
	CallsyncAddress address;
	CallsyncAddressRule rules[2];
	int			nrules = 0;

	CHECK(callsync_address_from_host(&address, host, strlen(host)));
	if (entry != NULL)
	{
		nrules = callsync_address_rule_parse(rules, entry, strlen(entry));
		if (!CHECK(nrules > 0))
			fprintf(stderr, "    entry %s\n", entry);
	}
	return callsync_address_check(&address, (uint16_t) port, plain_http, rules, nrules);
}

int
main(void)
{
	static const char *const wrong_entries[] = {
		"", "https://", "example.com", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8:", "10.0.0.1:0",
		"10.0.0.1:65536", "10.0.0.1:http", "fd00::/129", "[fd00::1", "10.0.0.0/-1", "ftp://10.0.0.1",
		"10.0.0.1/path", "http://10.0.0.1/path", "10.0.0.0/8/8", "10.0.0.1:1:2"
	};

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
	{
		bool		literal;
		CallsyncAddressClass got = class_of(spellings[i].host, &literal);

		if (!CHECK(literal && got == spellings[i].class_))
			fprintf(stderr, "    %s: %s%s, want %s\n", spellings[i].host,
					literal ? "" : "no literal, ", callsync_address_class_name(got),
					callsync_address_class_name(spellings[i].class_));
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
	{
		bool		literal;

		(void) class_of(names[i], &literal);
		/* "1.2.3." is a literal of three parts, "08" is not octal */
		if (!CHECK(literal == (strcmp(names[i], "1.2.3.") == 0)))
			fprintf(stderr, "    %s\n", names[i]);
	}

	/* without an allow list: https to public addresses, nothing else */
	CHECK(check("1.1.1.1", 443, false, NULL) == CALLSYNC_ADDRESS_OK);
	CHECK(check("1.1.1.1", 80, true, NULL) == CALLSYNC_ADDRESS_PLAIN_HTTP);
	CHECK(check("10.0.0.1", 443, false, NULL) == CALLSYNC_ADDRESS_NOT_PUBLIC);
	CHECK(check("10.0.0.1", 80, true, NULL) == CALLSYNC_ADDRESS_NOT_PUBLIC);

	/* with one */
	CHECK(check("127.0.0.1", 8080, true, "127.0.0.1") == CALLSYNC_ADDRESS_OK);
	CHECK(check("127.0.0.1", 8080, true, "http://127.0.0.1:8080/") == CALLSYNC_ADDRESS_OK);
	CHECK(check("127.0.0.1", 8081, true, "http://127.0.0.1:8080") == CALLSYNC_ADDRESS_NOT_PUBLIC);
	CHECK(check("127.0.0.1", 443, false, "https://127.0.0.1") == CALLSYNC_ADDRESS_OK);
	CHECK(check("127.0.0.1", 80, true, "https://127.0.0.1") == CALLSYNC_ADDRESS_NOT_PUBLIC);
	CHECK(check("1.1.1.1", 80, true, "1.1.1.1") == CALLSYNC_ADDRESS_OK);
	CHECK(check("1.1.1.1", 80, true, "https://1.1.1.1") == CALLSYNC_ADDRESS_PLAIN_HTTP);
	CHECK(check("127.0.0.2", 80, true, "127.0.0.1") == CALLSYNC_ADDRESS_NOT_PUBLIC);
	CHECK(check("127.0.0.2", 80, true, "localhost") == CALLSYNC_ADDRESS_OK);
	CHECK(check("::1", 80, true, "localhost:80") == CALLSYNC_ADDRESS_OK);
	CHECK(check("::1", 81, true, "localhost:80") == CALLSYNC_ADDRESS_NOT_PUBLIC);
	CHECK(check("10.1.2.3", 443, false, "10.0.0.0/8") == CALLSYNC_ADDRESS_OK);
	CHECK(check("10.1.2.3", 443, false, "10.9.9.9/8") == CALLSYNC_ADDRESS_OK);
	CHECK(check("11.1.2.3", 80, true, "10.0.0.0/8") == CALLSYNC_ADDRESS_PLAIN_HTTP);
	CHECK(check("10.1.2.3", 443, false, "10.1.0.0/23:443") == CALLSYNC_ADDRESS_NOT_PUBLIC);
	CHECK(check("10.1.1.3", 443, false, "10.1.0.0/23:443") == CALLSYNC_ADDRESS_OK);
	CHECK(check("::ffff:10.1.1.3", 443, false, "10.1.0.0/16") == CALLSYNC_ADDRESS_OK);
	CHECK(check("fd00::7", 443, false, "fd00::/8") == CALLSYNC_ADDRESS_OK);
	CHECK(check("fd00::7", 443, false, "[fd00::7]:443") == CALLSYNC_ADDRESS_OK);
	CHECK(check("fd00::7", 444, false, "[fd00::7]:443") == CALLSYNC_ADDRESS_NOT_PUBLIC);
	CHECK(check("192.168.1.1", 443, false, "0.0.0.0/0") == CALLSYNC_ADDRESS_OK);
	CHECK(check("fd00::7", 443, false, "0.0.0.0/0") == CALLSYNC_ADDRESS_NOT_PUBLIC);
	CHECK(check("192.168.1.1", 80, true, "::/0") == CALLSYNC_ADDRESS_OK);

	for (size_t i = 0; i < sizeof(wrong_entries) / sizeof(wrong_entries[0]); i++)
	{
		CallsyncAddressRule rules[2];

		if (!CHECK(callsync_address_rule_parse(rules, wrong_entries[i], strlen(wrong_entries[i])) == 0))
			fprintf(stderr, "    %s\n", wrong_entries[i]);
	}

	/* the words of the transport outcomes go both ways */
	for (int i = 0; i < CALLSYNC_TRANSPORT_COUNT; i++)
	{
		CallsyncTransport back;
		const char *name = callsync_transport_name((CallsyncTransport) i);

		CHECK(callsync_transport_parse(name, strlen(name), &back) && (int) back == i);
	}
	{
		CallsyncTransport back;

		CHECK(!callsync_transport_parse("okay", 4, &back));
		CHECK(!callsync_transport_parse("", 0, &back));
		CHECK_STR(callsync_transport_name((CallsyncTransport) 99), "unknown");
	}
	return unit_done("address");
}
