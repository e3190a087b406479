/*
 * phone_fn.c
 *		SQL functions on phone numbers: reading, asking, formatting, caller ids.
 *
 * Thin wrappers over core/phone.h and core/caller_id.h. All of them are IMMUTABLE: the
 * metadata is part of the library, and a region is always an argument.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "core/caller_id.h"
#include "core/phone.h"
#include "fn/phone_fn.h"

PG_FUNCTION_INFO_V1(callsync_to_phone);
PG_FUNCTION_INFO_V1(callsync_try_phone);
PG_FUNCTION_INFO_V1(callsync_phone_parse_sql);
PG_FUNCTION_INFO_V1(callsync_format_phone);
PG_FUNCTION_INFO_V1(callsync_phone_region);
PG_FUNCTION_INFO_V1(callsync_phone_type);
PG_FUNCTION_INFO_V1(callsync_phone_is_valid);
PG_FUNCTION_INFO_V1(callsync_phone_is_possible);
PG_FUNCTION_INFO_V1(callsync_phone_metadata_version_sql);
PG_FUNCTION_INFO_V1(callsync_caller_id_sql);
PG_FUNCTION_INFO_V1(callsync_same_caller_sql);

int
callsync_getarg_region(FunctionCallInfo fcinfo, int n)
{
	if (PG_NARGS() <= n || PG_ARGISNULL(n))
		return CALLSYNC_REGION_NONE;

	text	   *region = PG_GETARG_TEXT_PP(n);

	return callsync_region_lookup(VARDATA_ANY(region), VARSIZE_ANY_EXHDR(region));
}

/* What a result other than OK means, for people. */
static const char *
explain(CallsyncPhoneResult r)
{
	switch (r)
	{
		case CALLSYNC_PHONE_INVALID_COUNTRY_CODE:
			return "The country calling code is missing or does not exist.";
		case CALLSYNC_PHONE_NOT_A_NUMBER:
			return "The text is not a phone number.";
		case CALLSYNC_PHONE_TOO_SHORT_AFTER_IDD:
			return "Too few digits follow the international prefix.";
		case CALLSYNC_PHONE_TOO_SHORT_NSN:
			return "The number has too few digits.";
		case CALLSYNC_PHONE_TOO_LONG:
			return "The number has too many digits.";
		case CALLSYNC_PHONE_OK:
			break;
	}
	/* it parses, and has no code */
	return "Calling code and national number have more than 19 digits together.";
}

Datum
callsync_to_phone(PG_FUNCTION_ARGS)
{
	CallsyncPhone phone;
	CallsyncPhoneResult result;
	text	   *raw;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	raw = PG_GETARG_TEXT_PP(0);
	result = callsync_phone_parse(VARDATA_ANY(raw), VARSIZE_ANY_EXHDR(raw), callsync_getarg_region(fcinfo, 1), &phone);
	if (result != CALLSYNC_PHONE_OK || phone.code == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%s\"", "phone", text_to_cstring(raw)),
				 errdetail("%s: %s", result == CALLSYNC_PHONE_OK ? "TOO_LONG" : callsync_phone_result_name(result), explain(result)),
				 result == CALLSYNC_PHONE_INVALID_COUNTRY_CODE
				 ? errhint("Write the number with \"+\" and country code, or pass the region it is dialled in, such as 'US'.")
				 : errhint("Use try_phone(text, region) to get NULL instead of an error.")));
	PG_RETURN_PHONE(phone.code);
}

Datum
callsync_try_phone(PG_FUNCTION_ARGS)
{
	CallsyncPhone phone;
	text	   *raw;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	raw = PG_GETARG_TEXT_PP(0);
	if (callsync_phone_parse(VARDATA_ANY(raw), VARSIZE_ANY_EXHDR(raw), callsync_getarg_region(fcinfo, 1), &phone) != CALLSYNC_PHONE_OK
		|| phone.code == 0)
		PG_RETURN_NULL();
	PG_RETURN_PHONE(phone.code);
}

/* Result row under construction: the next column gets a value, or NULL for a NULL text. */
typedef struct Row
{
	int			n;
	Datum		values[24];
	bool		nulls[24];
} Row;

static void
put(Row *row, Datum value)
{
	row->nulls[row->n] = false;
	row->values[row->n++] = value;
}

static void
put_null(Row *row)
{
	row->nulls[row->n] = true;
	row->values[row->n++] = (Datum) 0;
}

static void
put_text(Row *row, const char *s)
{
	if (s == NULL)
		put_null(row);
	else
		put(row, PointerGetDatum(cstring_to_text_with_len(s, strlen(s))));
}

/*
 * The row as a value. Its shape is looked up once per call site: that would cost more
 * than everything else here.
 */
static Datum
finish_row(FunctionCallInfo fcinfo, Row *row)
{
	TupleDesc	desc = (TupleDesc) fcinfo->flinfo->fn_extra;

	if (desc == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE || desc->natts != row->n)
			elog(ERROR, "result row of function %u has another shape", fcinfo->flinfo->fn_oid);
		fcinfo->flinfo->fn_extra = desc = BlessTupleDesc(CreateTupleDescCopy(desc));
		MemoryContextSwitchTo(old);
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, row->values, row->nulls));
}

/* The reference's columns, in the order of its test corpus. */
Datum
callsync_phone_parse_sql(PG_FUNCTION_ARGS)
{
	Row			row = {0};
	CallsyncPhone phone;
	CallsyncPhoneResult result;
	const char *raw;
	size_t		len;
	int			region = callsync_getarg_region(fcinfo, 1);
	bool		emergency;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	raw = VARDATA_ANY(PG_GETARG_TEXT_PP(0));
	len = VARSIZE_ANY_EXHDR(PG_GETARG_TEXT_PP(0));
	result = callsync_phone_parse(raw, len, region, &phone);
	emergency = callsync_phone_emergency(raw, len, region);

	put_text(&row, callsync_phone_result_name(result));
	if (result != CALLSYNC_PHONE_OK)
	{
		while (row.n < 20)
			put_null(&row);
	}
	else
	{
		static const CallsyncPhoneStyle styles[] = {
			CALLSYNC_STYLE_E164, CALLSYNC_STYLE_NATIONAL, CALLSYNC_STYLE_INTERNATIONAL, CALLSYNC_STYLE_RFC3966
		};
		CallsyncPhoneInfo info;
		CallsyncShortInfo brief = {0};
		char		buf[CALLSYNC_PHONE_FORMAT_MAX];
		int64		number = 0;

		for (int i = 0; i < phone.nsn_len; i++)
			number = number * 10 + (phone.nsn[i] - '0');
		callsync_phone_info(phone.country_code, phone.nsn, phone.nsn_len, &info);
		/* for short numbers the library takes a region in capitals only */
		if (region >= 0 && strncmp(VARDATA_ANY(PG_GETARG_TEXT_PP(1)), callsync_region_id(region), 2) == 0)
			brief = callsync_phone_short(phone.country_code, phone.nsn, phone.nsn_len, region);

		put(&row, Int32GetDatum(phone.country_code));
		put_text(&row, phone.nsn);
		put(&row, Int64GetDatum(number));
		put(&row, BoolGetDatum(phone.leading_zeros > 0));
		put(&row, Int32GetDatum(phone.leading_zeros));
		put_text(&row, phone.extension_len ? phone.extension : NULL);
		for (int s = 0; s < lengthof(styles); s++)
		{
			callsync_phone_format(phone.country_code, phone.nsn, phone.nsn_len, phone.extension, phone.extension_len, styles[s], buf);
			put_text(&row, buf);
		}
		put_text(&row, callsync_phone_possible_name(info.possible));
		put(&row, BoolGetDatum(info.valid));
		put_text(&row, callsync_phone_type_name(info.type));
		put_text(&row, info.region < 0 ? NULL : callsync_region_id(info.region));

		/* the library keeps these for raw input only, which needs a region or a plus sign */
		bool		kept = region >= 0 || raw[0] == '+';

		put_text(&row, kept ? callsync_phone_source_name(phone.source) : NULL);
		put_text(&row, kept && phone.carrier_len > 0 ? phone.carrier : NULL);
		if (brief.known)
		{
			put(&row, BoolGetDatum(brief.possible));
			put(&row, BoolGetDatum(brief.valid));
			put_text(&row, callsync_short_cost_name(brief.cost));
		}
		else
		{
			put_null(&row);
			put_null(&row);
			put_null(&row);
		}
	}
	put(&row, BoolGetDatum(emergency));
	return finish_row(fcinfo, &row);
}

/* A phone taken apart. It may begin with no calling code at all: then nsn_len is 0. */
typedef struct Parts
{
	uint64		code;
	int			country_code;
	int			nsn_len;
	const char *nsn;
	char		digits[CALLSYNC_PHONE_MAX_DIGITS];
	CallsyncPhoneInfo info;
} Parts;

/*
 * Takes a phone apart and asks the metadata. Queries ask several things about the same
 * phone, so the last answer is kept.
 */
static const Parts *
take_apart(uint64 code)
{
	static Parts last;

	if (last.code != code)
	{
		last.nsn_len = 0;
		callsync_phone_split(last.digits, callsync_phone_unpack(code, last.digits), &last.country_code, &last.nsn, &last.nsn_len);
		callsync_phone_info(last.country_code, last.nsn, last.nsn_len, &last.info);
		last.code = code;
	}
	return &last;
}

Datum
callsync_format_phone(PG_FUNCTION_ARGS)
{
	const Parts *p = take_apart(PG_GETARG_PHONE(0));
	text	   *name = PG_GETARG_TEXT_PP(1);
	CallsyncPhoneStyle style;
	char		buf[CALLSYNC_PHONE_FORMAT_MAX];
	int			len;

	if (!callsync_phone_style_lookup(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name), &style))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown phone style \"%s\"", text_to_cstring(name)),
				 errdetail("A style says for whom the number is written: machines, people in the country, people abroad, links."),
				 errhint("Valid styles are e164, national, international, rfc3966.")));
	/* no calling code, or nothing behind it: only the digits can be shown */
	if (p->nsn_len > 0)
		len = callsync_phone_format(p->country_code, p->nsn, p->nsn_len, "", 0, style, buf);
	else
		len = callsync_phone_to_e164(p->code, buf);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(buf, len));
}

Datum
callsync_phone_region(PG_FUNCTION_ARGS)
{
	int			region = take_apart(PG_GETARG_PHONE(0))->info.region;

	if (region < 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(callsync_region_id(region)));
}

Datum
callsync_phone_type(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(callsync_phone_type_name(take_apart(PG_GETARG_PHONE(0))->info.type)));
}

Datum
callsync_phone_is_valid(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(take_apart(PG_GETARG_PHONE(0))->info.valid);
}

Datum
callsync_phone_is_possible(PG_FUNCTION_ARGS)
{
	CallsyncPhonePossible possible = take_apart(PG_GETARG_PHONE(0))->info.possible;

	PG_RETURN_BOOL(possible == CALLSYNC_POSSIBLE || possible == CALLSYNC_POSSIBLE_LOCAL_ONLY);
}

Datum
callsync_phone_metadata_version_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(callsync_phone_metadata_version()));
}

Datum
callsync_caller_id_sql(PG_FUNCTION_ARGS)
{
	Row			row = {0};
	CallsyncCallerId id;
	text	   *raw;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	raw = PG_GETARG_TEXT_PP(0);
	callsync_caller_id(VARDATA_ANY(raw), VARSIZE_ANY_EXHDR(raw), callsync_getarg_region(fcinfo, 1), &id);
	put_text(&row, callsync_caller_kind_name(id.kind));
	if (id.kind == CALLSYNC_CALLER_NUMBER)
		put(&row, PhoneGetDatum(id.code));
	else
		put_null(&row);
	put_text(&row, id.extension_len > 0 ? id.extension : NULL);
	put(&row, BoolGetDatum(id.test_range));
	put_text(&row, id.detail[0] != '\0' ? id.detail : NULL);
	return finish_row(fcinfo, &row);
}

Datum
callsync_same_caller_sql(PG_FUNCTION_ARGS)
{
	text	   *a,
			   *b;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	a = PG_GETARG_TEXT_PP(0);
	b = PG_GETARG_TEXT_PP(1);
	PG_RETURN_BOOL(callsync_same_caller(VARDATA_ANY(a), VARSIZE_ANY_EXHDR(a), VARDATA_ANY(b), VARSIZE_ANY_EXHDR(b),
										callsync_getarg_region(fcinfo, 2)));
}
