/*
 * address.h
 *		Which network addresses may be talked to.
 *
 * A destination's host name is the user's, or an attacker's who may edit a
 * destination; the address behind it must not lead into the server's own network
 * (metadata services, databases, admin pages). The check looks at the address
 * that is really connected to, so a name that changes its answer gains nothing.
 *
 * Addresses are 16 bytes in network order, IPv4 as ::ffff:a.b.c.d.
 */
#ifndef CALLSYNC_CORE_ADDRESS_H
#define CALLSYNC_CORE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct CallsyncAddress
{
	uint8_t		bytes[16];
} CallsyncAddress;

/*
 * One entry of a destination's allow list:
 *		[https://|http://]ADDRESS[/PREFIX][:PORT]	IPv6 in [] where a port follows
 * A plain entry allows http and https; "localhost" stands for 127.0.0.0/8 and ::1.
 */
typedef struct CallsyncAddressRule
{
	CallsyncAddress net;
	uint8_t		prefix;			/* 0..128, counted in the 16-byte form */
	uint16_t	port;			/* 0 = any */
	bool		https_only;
} CallsyncAddressRule;

typedef enum CallsyncAddressVerdict
{
	CALLSYNC_ADDRESS_OK,
	CALLSYNC_ADDRESS_NOT_PUBLIC,	/* an inner address that no entry allows */
	CALLSYNC_ADDRESS_PLAIN_HTTP /* http to an address that no entry allows */
} CallsyncAddressVerdict;

/* What an address is; everything but PUBLIC needs an allow entry. */
typedef enum CallsyncAddressClass
{
	CALLSYNC_ADDRESS_PUBLIC,
	CALLSYNC_ADDRESS_UNSPECIFIED,
	CALLSYNC_ADDRESS_LOOPBACK,
	CALLSYNC_ADDRESS_PRIVATE,	/* RFC 1918, shared (RFC 6598), unique local */
	CALLSYNC_ADDRESS_LINK_LOCAL,	/* metadata services live here */
	CALLSYNC_ADDRESS_MULTICAST, /* and broadcast */
	CALLSYNC_ADDRESS_RESERVED	/* documentation, benchmarks, protocol use */
} CallsyncAddressClass;

extern CallsyncAddressClass callsync_address_class(const CallsyncAddress *address);
extern const char *callsync_address_class_name(CallsyncAddressClass class_);

/* From the 4 or 16 bytes of a sockaddr. */
extern void callsync_address_from_v4(CallsyncAddress *address, const void *four_bytes);
extern void callsync_address_from_v6(CallsyncAddress *address, const void *sixteen_bytes);

/*
 * Reads a host as a resolver would read a literal address: 127.0.0.1, 127.1,
 * 0x7f.1, 017700000001, 2130706433, [::1], ::ffff:127.0.0.1, fe80::1%eth0.
 * False where it is no literal (a name).
 */
extern bool callsync_address_from_host(CallsyncAddress *address,
									   const char *host, size_t len);

/*
 * Parses one allow entry into rules (room for two: "localhost" makes two).
 * Returns the number of rules, 0 where the entry is wrong.
 */
extern int	callsync_address_rule_parse(CallsyncAddressRule rules[2],
										const char *entry, size_t len);

/* May "address":"port" be talked to, by plain http where plain_http? */
extern CallsyncAddressVerdict callsync_address_check(const CallsyncAddress *address,
													 uint16_t port, bool plain_http,
													 const CallsyncAddressRule *rules,
													 int nrules);

#endif
