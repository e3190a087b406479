/*
 * phone_tables.h
 *		Layout of the generated phone metadata (phone_tables.c).
 *
 * Every pattern of the metadata is part of one shared acyclic automaton. A reference
 * is 16 bits: below CALLSYNC_PHONE_LEAF the index of a state (ten successors, then
 * the label of a string that ends there), else a leaf, where the label depends only
 * on how many digits are left. Label 0 always means "no". What else a label says
 * depends on the root where the walk began:
 *
 *	general		1: the digits match the territory's general pattern
 *	idd			length of the international prefix at the start of the digits
 *	np			index into callsync_phone_np_actions
 *	short		bit 0 possible, bit 1 valid, bits 2-3 CallsyncShortCost
 *	emergency	bit 0 is an emergency number, bit 1 begins with one
 *	type		(territory + 1) << 4 | CallsyncPhoneType
 *	format		low byte national, high byte international: format number + 1
 */
#ifndef CALLSYNC_PHONE_TABLES_H
#define CALLSYNC_PHONE_TABLES_H

#include <stdint.h>

#define CALLSYNC_PHONE_LEAF 0x8000

/* No pattern is longer than 17 digits: longer strings may be cut here unchanged. */
#define CALLSYNC_PHONE_MAX_WALK 18

typedef struct CallsyncPhoneLeaf
{
	uint16_t	at;				/* into callsync_phone_leaf_labels, by digits left */
	uint16_t	length;			/* labels it has; more digits left: label 0 */
} CallsyncPhoneLeaf;

typedef struct CallsyncPhoneTerritory
{
	char		id[4];			/* ISO 3166 letters; "001" for codes of no country */
	uint16_t	calling_code;
	uint16_t	general_root;
	uint16_t	idd_root;
	uint16_t	np_root;
	uint16_t	short_root;
	uint16_t	emergency_root;
	uint32_t	possible;		/* bit n: national numbers of n digits exist */
	uint32_t	local_only;		/* bit n: n digits are diallable locally only */
	uint16_t	np_prefix;		/* into the pool: digits that a transform puts first */
	uint8_t		has_short;		/* there is short number metadata */
	uint8_t		emergency_exact;	/* more digits after an emergency number fail */
} CallsyncPhoneTerritory;

typedef struct CallsyncPhoneCallingCode
{
	uint16_t	code;
	uint16_t	type_root;
	uint16_t	format_root;
	uint16_t	format_base;
	uint16_t	extension;		/* into the pool: what stands before an extension */
	uint8_t		main_territory;
	uint8_t		only_territory;	/* index + 1 where the code has one region, else 0 */
} CallsyncPhoneCallingCode;

/* What to do when a national prefix matched. */
typedef struct CallsyncPhoneNpAction
{
	uint8_t		end;			/* digits matched */
	uint8_t		transform;		/* put np_prefix and the kept group in their place */
	uint8_t		kept_from;
	uint8_t		kept_length;
	uint8_t		carrier_from;
	uint8_t		carrier_length;
} CallsyncPhoneNpAction;

/* Templates lie in the pool; a byte below 10 stands for the group of that number. */
typedef struct CallsyncPhoneFormat
{
	uint16_t	national;
	uint16_t	international;
	uint16_t	rfc3966;
	uint8_t		groups;
	uint8_t		min[6];
	uint8_t		max[6];
} CallsyncPhoneFormat;

extern const char callsync_phone_tables_version[];
extern const char callsync_phone_tables_sha256[];
extern const char callsync_phone_tables_short_sha256[];
extern const unsigned callsync_phone_state_count;
extern const unsigned callsync_phone_leaf_count;
extern const uint16_t callsync_phone_states[][11];
extern const uint16_t callsync_phone_leaf_labels[];
extern const CallsyncPhoneLeaf callsync_phone_leaves[];
extern const CallsyncPhoneTerritory callsync_phone_territories[];
extern const CallsyncPhoneCallingCode callsync_phone_calling_codes[];
extern const uint8_t callsync_phone_code_index[1000];
extern const uint8_t callsync_phone_region_index[26 * 26];
extern const CallsyncPhoneNpAction callsync_phone_np_actions[];
extern const CallsyncPhoneFormat callsync_phone_formats[];
extern const char callsync_phone_pool[];

/*
 * The label of digits[0..n); '0' to '9' only. Never reads outside the tables: states
 * refer to states and leaves that exist (checked by phone_tables_test.c).
 */
static inline uint16_t
callsync_phone_walk(uint16_t ref, const char *digits, int n)
{
	int			i = 0;

	if (n > CALLSYNC_PHONE_MAX_WALK)
		n = CALLSYNC_PHONE_MAX_WALK;
	while (ref < CALLSYNC_PHONE_LEAF)
	{
		if (i == n)
			return callsync_phone_states[ref][10];
		ref = callsync_phone_states[ref][digits[i++] - '0'];
	}

	const CallsyncPhoneLeaf *leaf = &callsync_phone_leaves[ref - CALLSYNC_PHONE_LEAF];

	return n - i < leaf->length ? callsync_phone_leaf_labels[leaf->at + n - i] : 0;
}

#endif
