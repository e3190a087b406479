/*
 * phone_info.c
 *		What the metadata says about a number: type, region, validity, possible lengths,
 *		short numbers; and the library's names of all these values.
 */
#include "core/phone.h"
#include "core/phone_internal.h"
#include "core/phone_tables.h"

void
callsync_phone_info(int country_code, const char *nsn, int nsn_len, CallsyncPhoneInfo *out)
{
	const CallsyncPhoneCallingCode *cc = callsync_phone_calling_code(country_code);

	if (cc == NULL)
	{
		out->type = CALLSYNC_TYPE_UNKNOWN;
		out->possible = CALLSYNC_POSSIBLE_INVALID_COUNTRY_CODE;
		out->region = CALLSYNC_REGION_NONE;
		out->valid = false;
		return;
	}

	uint16_t	label = callsync_phone_walk(cc->type_root, nsn, nsn_len);

	out->type = (CallsyncPhoneType) (label & 15);
	out->region = (cc->only_territory ? cc->only_territory : label >> 4) - 1;
	out->valid = out->type != CALLSYNC_TYPE_UNKNOWN;
	out->possible = callsync_phone_test_length(nsn_len, &callsync_phone_territories[cc->main_territory]);
}

CallsyncPhonePossible
callsync_phone_test_length(int n, const CallsyncPhoneTerritory *t)
{
	if (n > CALLSYNC_PHONE_MAX_WALK)
		return CALLSYNC_POSSIBLE_TOO_LONG;

	uint32_t	bit = UINT32_C(1) << n;

	if (t->local_only & bit)
		return CALLSYNC_POSSIBLE_LOCAL_ONLY;
	if (t->possible & bit)
		return CALLSYNC_POSSIBLE;
	if ((t->possible & (bit - 1)) == 0)
		return CALLSYNC_POSSIBLE_TOO_SHORT;
	if (t->possible < bit)
		return CALLSYNC_POSSIBLE_TOO_LONG;
	return CALLSYNC_POSSIBLE_INVALID_LENGTH;
}

CallsyncShortInfo
callsync_phone_short(int country_code, const char *nsn, int nsn_len, int region)
{
	CallsyncShortInfo info = {false, false, false, CALLSYNC_COST_UNKNOWN};

	if (region < 0 || !callsync_phone_territories[region].has_short)
		return info;

	const CallsyncPhoneTerritory *t = &callsync_phone_territories[region];

	info.known = true;
	if (t->calling_code == country_code)
	{
		uint16_t	label = callsync_phone_walk(t->short_root, nsn, nsn_len);

		info.possible = label & 1;
		info.valid = label >> 1 & 1;
		info.cost = (CallsyncShortCost) (label >> 2);
	}
	return info;
}

bool
callsync_phone_emergency(const char *raw, size_t len, int region)
{
	char		digits[CALLSYNC_PHONE_MAX_WALK];
	int			n;

	if (region < 0 || !callsync_phone_territories[region].has_short)
		return false;
	n = callsync_phone_dialled_digits(raw, len, digits, CALLSYNC_PHONE_MAX_WALK);
	if (n < 0)
		return false;

	const CallsyncPhoneTerritory *t = &callsync_phone_territories[region];

	return (callsync_phone_walk(t->emergency_root, digits, n) & (t->emergency_exact ? 1 : 3)) != 0;
}

bool
callsync_phone_is_emergency(const char *digits, int n, int region)
{
	return region >= 0 && n > 0 && callsync_phone_territories[region].has_short
		&& (callsync_phone_walk(callsync_phone_territories[region].emergency_root, digits, n) & 1) != 0;
}

const char *
callsync_phone_result_name(CallsyncPhoneResult r)
{
	static const char *const names[] = {"OK", "INVALID_COUNTRY_CODE", "NOT_A_NUMBER", "TOO_SHORT_AFTER_IDD",
	"TOO_SHORT_NSN", "TOO_LONG"};

	return names[r];
}

const char *
callsync_phone_source_name(CallsyncPhoneSource s)
{
	static const char *const names[] = {NULL, "FROM_NUMBER_WITH_PLUS_SIGN", "FROM_NUMBER_WITH_IDD",
	"FROM_NUMBER_WITHOUT_PLUS_SIGN", "FROM_DEFAULT_COUNTRY"};

	return names[s];
}

const char *
callsync_phone_type_name(CallsyncPhoneType t)
{
	static const char *const names[] = {"UNKNOWN", "FIXED_LINE", "MOBILE", "FIXED_LINE_OR_MOBILE", "TOLL_FREE",
		"PREMIUM_RATE", "SHARED_COST", "VOIP", "PERSONAL_NUMBER", "PAGER", "UAN", "VOICEMAIL"};

	return names[t];
}

const char *
callsync_phone_possible_name(CallsyncPhonePossible p)
{
	static const char *const names[] = {"IS_POSSIBLE", "IS_POSSIBLE_LOCAL_ONLY", "INVALID_COUNTRY_CODE", "TOO_SHORT",
	"INVALID_LENGTH", "TOO_LONG"};

	return names[p];
}

const char *
callsync_short_cost_name(CallsyncShortCost c)
{
	static const char *const names[] = {"UNKNOWN_COST", "TOLL_FREE", "STANDARD_RATE", "PREMIUM_RATE"};

	return names[c];
}

const char *
callsync_phone_metadata_version(void)
{
	return callsync_phone_tables_version;
}
