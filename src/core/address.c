/*
 * address.c
 *		See address.h.
 *
 * Everything is decided on the 16 bytes; text is parsed for configuration and
 * tests only. What is not known to be public counts as inner.
 */
#include "core/address.h"

#include <arpa/inet.h>
#include <string.h>

typedef struct Range
{
	uint8_t		bytes[16];
	uint8_t		prefix;
	CallsyncAddressClass class_;
} Range;

/* IPv4, as ::ffff:a.b.c.d; prefix is the one of IPv4 */
static const struct
{
	uint8_t		bytes[4];
	uint8_t		prefix;
	CallsyncAddressClass class_;
}			v4_ranges[] = {
	{{0, 0, 0, 0}, 8, CALLSYNC_ADDRESS_UNSPECIFIED},	/* Linux connects to itself */
	{{10, 0, 0, 0}, 8, CALLSYNC_ADDRESS_PRIVATE},
	{{100, 64, 0, 0}, 10, CALLSYNC_ADDRESS_PRIVATE},	/* carrier-grade NAT; some clouds' metadata */
	{{127, 0, 0, 0}, 8, CALLSYNC_ADDRESS_LOOPBACK},
	{{169, 254, 0, 0}, 16, CALLSYNC_ADDRESS_LINK_LOCAL},
	{{172, 16, 0, 0}, 12, CALLSYNC_ADDRESS_PRIVATE},
	{{192, 0, 0, 0}, 24, CALLSYNC_ADDRESS_RESERVED},
	{{192, 0, 2, 0}, 24, CALLSYNC_ADDRESS_RESERVED},
	{{192, 88, 99, 0}, 24, CALLSYNC_ADDRESS_RESERVED},
	{{192, 168, 0, 0}, 16, CALLSYNC_ADDRESS_PRIVATE},
	{{198, 18, 0, 0}, 15, CALLSYNC_ADDRESS_RESERVED},
	{{198, 51, 100, 0}, 24, CALLSYNC_ADDRESS_RESERVED},
	{{203, 0, 113, 0}, 24, CALLSYNC_ADDRESS_RESERVED},
	{{224, 0, 0, 0}, 4, CALLSYNC_ADDRESS_MULTICAST},
	{{255, 255, 255, 255}, 32, CALLSYNC_ADDRESS_MULTICAST},
	{{240, 0, 0, 0}, 4, CALLSYNC_ADDRESS_RESERVED},
};

/* IPv6; the first match counts. Outside 2000::/3 everything else is reserved. */
static const Range v6_ranges[] = {
	{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, CALLSYNC_ADDRESS_PRIVATE},	/* NAT64 of one's own */
	{{0x20, 0x01, 0x0d, 0xb8}, 32, CALLSYNC_ADDRESS_RESERVED},
	{{0x20, 0x01}, 23, CALLSYNC_ADDRESS_RESERVED},	/* Teredo, ORCHID, benchmarks */
	{{0x20, 0x02}, 16, CALLSYNC_ADDRESS_RESERVED},	/* 6to4 carries any IPv4 address */
	{{0x3f, 0xff}, 20, CALLSYNC_ADDRESS_RESERVED},
	{{0xfc}, 7, CALLSYNC_ADDRESS_PRIVATE},
	{{0xfe, 0x80}, 10, CALLSYNC_ADDRESS_LINK_LOCAL},
	{{0xfe, 0xc0}, 10, CALLSYNC_ADDRESS_PRIVATE},
	{{0xff}, 8, CALLSYNC_ADDRESS_MULTICAST},
};

static const uint8_t v4_mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};

static bool
prefix_matches(const uint8_t *a, const uint8_t *b, unsigned prefix)
{
	unsigned	whole = prefix / 8;
	unsigned	rest = prefix % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static CallsyncAddressClass
v4_class(const uint8_t *four_bytes)
{
	for (size_t i = 0; i < sizeof(v4_ranges) / sizeof(v4_ranges[0]); i++)
	{
		if (prefix_matches(four_bytes, v4_ranges[i].bytes, v4_ranges[i].prefix))
			return v4_ranges[i].class_;
	}
	return CALLSYNC_ADDRESS_PUBLIC;
}

CallsyncAddressClass
callsync_address_class(const CallsyncAddress *address)
{
	static const uint8_t zero[16];
	static const uint8_t one[16] = {[15] = 1};
	const uint8_t *b = address->bytes;

	if (memcmp(b, v4_mapped, sizeof(v4_mapped)) == 0)
		return v4_class(b + 12);
	if (memcmp(b, zero, 16) == 0)
		return CALLSYNC_ADDRESS_UNSPECIFIED;
	if (memcmp(b, one, 16) == 0)
		return CALLSYNC_ADDRESS_LOOPBACK;

	/* an IPv4 address reached through a translator is that address */
	if (memcmp(b, nat64, sizeof(nat64)) == 0)
		return v4_class(b + 12);

	for (size_t i = 0; i < sizeof(v6_ranges) / sizeof(v6_ranges[0]); i++)
	{
		if (prefix_matches(b, v6_ranges[i].bytes, v6_ranges[i].prefix))
			return v6_ranges[i].class_;
	}
	return (b[0] & 0xe0) == 0x20 ? CALLSYNC_ADDRESS_PUBLIC : CALLSYNC_ADDRESS_RESERVED;
}

const char *
callsync_address_class_name(CallsyncAddressClass class_)
{
	switch (class_)
	{
		case CALLSYNC_ADDRESS_PUBLIC:
			return "public";
		case CALLSYNC_ADDRESS_UNSPECIFIED:
			return "unspecified";
		case CALLSYNC_ADDRESS_LOOPBACK:
			return "loopback";
		case CALLSYNC_ADDRESS_PRIVATE:
			return "private";
		case CALLSYNC_ADDRESS_LINK_LOCAL:
			return "link-local";
		case CALLSYNC_ADDRESS_MULTICAST:
			return "multicast";
		case CALLSYNC_ADDRESS_RESERVED:
			return "reserved";
	}
	return "unknown";
}

void
callsync_address_from_v4(CallsyncAddress *address, const void *four_bytes)
{
	memcpy(address->bytes, v4_mapped, sizeof(v4_mapped));
	memcpy(address->bytes + 12, four_bytes, 4);
}

void
callsync_address_from_v6(CallsyncAddress *address, const void *sixteen_bytes)
{
	memcpy(address->bytes, sixteen_bytes, 16);
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

/*
 * The number forms of inet_aton(): one to four parts, each decimal, octal (0..) or
 * hexadecimal (0x..); the last part fills what is left.
 */
static bool
parse_v4(const char *s, size_t len, uint8_t out[4])
{
	uint64_t	parts[4];
	int			nparts = 0;
	size_t		i = 0;
	uint64_t	all;

	if (len > 0 && s[len - 1] == '.')
		len--;					/* a rooted name */
	if (len == 0)
		return false;
	for (;;)
	{
		int			base = 10;
		uint64_t	value = 0;
		size_t		start;

		if (nparts == 4)
			return false;
		if (i + 1 < len && s[i] == '0' && (s[i + 1] == 'x' || s[i + 1] == 'X'))
		{
			base = 16;
			i += 2;
		}
		else if (i + 1 < len && s[i] == '0' && s[i + 1] != '.')
		{
			base = 8;
			i++;
		}
		start = i;
		while (i < len && s[i] != '.')
		{
			int			digit = digit_value(s[i]);

			if (digit >= base)
				return false;
			value = value * (unsigned) base + (unsigned) digit;
			if (value > UINT32_MAX)
				return false;
			i++;
		}
		if (i == start && base == 10)
			return false;
		parts[nparts++] = value;
		if (i == len)
			break;
		i++;
	}

	all = parts[nparts - 1];
	if (nparts > 1 && all >> (8 * (5 - nparts)) != 0)
		return false;
	for (int p = 0; p < nparts - 1; p++)
	{
		if (parts[p] > 255)
			return false;
		all |= parts[p] << (8 * (3 - p));
	}
	for (int p = 0; p < 4; p++)
		out[p] = (uint8_t) (all >> (8 * (3 - p)));
	return true;
}

static bool
parse_v6(const char *s, size_t len, uint8_t out[16])
{
	char		buffer[64];
	const char *zone;

	if (len >= 2 && s[0] == '[' && s[len - 1] == ']')
	{
		s++;
		len -= 2;
	}
	zone = memchr(s, '%', len);
	if (zone != NULL)
		len = (size_t) (zone - s);
	if (len == 0 || len >= sizeof(buffer) || memchr(s, '\0', len) != NULL)
		return false;
	memcpy(buffer, s, len);
	buffer[len] = '\0';
	return inet_pton(AF_INET6, buffer, out) == 1;
}

bool
callsync_address_from_host(CallsyncAddress *address, const char *host, size_t len)
{
	uint8_t		bytes[16];

	if (len == 0)
		return false;
	if (memchr(host, ':', len) != NULL)
	{
		if (!parse_v6(host, len, bytes))
			return false;
		callsync_address_from_v6(address, bytes);
		return true;
	}
	if (!parse_v4(host, len, bytes))
		return false;
	callsync_address_from_v4(address, bytes);
	return true;
}

/* Digits only, at most "max"; false otherwise. */
static bool
parse_number(const char *s, size_t len, unsigned max, unsigned *number)
{
	unsigned	value = 0;

	if (len == 0 || len > 5)
		return false;
	for (size_t i = 0; i < len; i++)
	{
		if (s[i] < '0' || s[i] > '9')
			return false;
		value = value * 10 + (unsigned) (s[i] - '0');
	}
	*number = value;
	return value <= max;
}

static void
finish_rule(CallsyncAddressRule *rule, unsigned prefix, unsigned port, bool https_only)
{
	for (unsigned bit = prefix; bit < 128; bit++)
		rule->net.bytes[bit / 8] &= (uint8_t) ~(0x80 >> (bit % 8));
	rule->prefix = (uint8_t) prefix;
	rule->port = (uint16_t) port;
	rule->https_only = https_only;
}

static bool
has_prefix(const char *s, size_t len, const char *prefix)
{
	size_t		plen = strlen(prefix);

	return len >= plen && memcmp(s, prefix, plen) == 0;
}

int
callsync_address_rule_parse(CallsyncAddressRule rules[2], const char *entry, size_t len)
{
	bool		https_only = false;
	bool		is_v4;
	unsigned	port = 0;
	unsigned	prefix;
	const char *slash;
	const char *colon = NULL;

	if (has_prefix(entry, len, "https://"))
	{
		https_only = true;
		entry += 8;
		len -= 8;
		if (len > 0 && entry[len - 1] == '/')
			len--;
	}
	else if (has_prefix(entry, len, "http://"))
	{
		entry += 7;
		len -= 7;
		if (len > 0 && entry[len - 1] == '/')
			len--;
	}
	if (len == 0)
		return 0;

	/* the port: after the bracket of an IPv6 address, or after the only colon */
	for (size_t i = len; i > 0; i--)
	{
		if (entry[i - 1] == ']')
			break;
		if (entry[i - 1] == ':')
		{
			colon = entry + i - 1;
			break;
		}
	}
	if (colon != NULL && (entry[0] == '[' || memchr(entry, ':', (size_t) (colon - entry)) == NULL))
	{
		if (!parse_number(colon + 1, len - (size_t) (colon + 1 - entry), 65535, &port) || port == 0)
			return 0;
		len = (size_t) (colon - entry);
	}

	if (len == 9 && memcmp(entry, "localhost", 9) == 0)
	{
		static const uint8_t v4[4] = {127, 0, 0, 0};
		static const uint8_t v6[16] = {[15] = 1};

		callsync_address_from_v4(&rules[0].net, v4);
		finish_rule(&rules[0], 96 + 8, port, https_only);
		callsync_address_from_v6(&rules[1].net, v6);
		finish_rule(&rules[1], 128, port, https_only);
		return 2;
	}

	slash = memchr(entry, '/', len);
	if (!callsync_address_from_host(&rules[0].net, entry,
									slash ? (size_t) (slash - entry) : len))
		return 0;
	is_v4 = memcmp(rules[0].net.bytes, v4_mapped, sizeof(v4_mapped)) == 0 &&
		memchr(entry, ':', slash ? (size_t) (slash - entry) : len) == NULL;
	prefix = 128;
	if (slash != NULL)
	{
		if (!parse_number(slash + 1, len - (size_t) (slash + 1 - entry), is_v4 ? 32 : 128, &prefix))
			return 0;
		if (is_v4)
			prefix += 96;
	}
	finish_rule(&rules[0], prefix, port, https_only);
	return 1;
}

CallsyncAddressVerdict
callsync_address_check(const CallsyncAddress *address, uint16_t port, bool plain_http,
					   const CallsyncAddressRule *rules, int nrules)
{
	for (int i = 0; i < nrules; i++)
	{
		const CallsyncAddressRule *rule = &rules[i];

		if (prefix_matches(address->bytes, rule->net.bytes, rule->prefix) &&
			(rule->port == 0 || rule->port == port) &&
			!(plain_http && rule->https_only))
			return CALLSYNC_ADDRESS_OK;
	}
	if (callsync_address_class(address) != CALLSYNC_ADDRESS_PUBLIC)
		return CALLSYNC_ADDRESS_NOT_PUBLIC;
	return plain_http ? CALLSYNC_ADDRESS_PLAIN_HTTP : CALLSYNC_ADDRESS_OK;
}
