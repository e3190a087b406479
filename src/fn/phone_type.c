/*
 * phone_type.c
 *		Type phone: input and output, order, hash.
 *
 * A phone is the 8-byte code of core/phone.h, passed by value. Input takes '+' and 1 to
 * 19 digits and never asks the metadata: a dump must restore whatever metadata the
 * other version had. Reading other spellings is the business of to_phone().
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "common/hashfn.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "utils/sortsupport.h"

#include "core/phone.h"
#include "fn/phone_fn.h"

StaticAssertDecl(SIZEOF_DATUM == 8, "type phone is passed by value in 8 bytes");

/* From 16 on, input functions can report bad input without an exception. */
#if PG_VERSION_NUM >= 160000
#define INPUT_ERROR(fcinfo, ...) ereturn((fcinfo)->context, (Datum) 0, (__VA_ARGS__))
#else
#define INPUT_ERROR(fcinfo, ...) ereport(ERROR, (__VA_ARGS__))
#endif

PG_FUNCTION_INFO_V1(callsync_phone_in);
PG_FUNCTION_INFO_V1(callsync_phone_out);
PG_FUNCTION_INFO_V1(callsync_phone_recv);
PG_FUNCTION_INFO_V1(callsync_phone_send);
PG_FUNCTION_INFO_V1(callsync_phone_eq);
PG_FUNCTION_INFO_V1(callsync_phone_ne);
PG_FUNCTION_INFO_V1(callsync_phone_lt);
PG_FUNCTION_INFO_V1(callsync_phone_le);
PG_FUNCTION_INFO_V1(callsync_phone_gt);
PG_FUNCTION_INFO_V1(callsync_phone_ge);
PG_FUNCTION_INFO_V1(callsync_phone_cmp);
PG_FUNCTION_INFO_V1(callsync_phone_sortsupport);
PG_FUNCTION_INFO_V1(callsync_phone_hash);
PG_FUNCTION_INFO_V1(callsync_phone_hash_extended);
PG_FUNCTION_INFO_V1(callsync_phone_larger);
PG_FUNCTION_INFO_V1(callsync_phone_smaller);

Datum
callsync_phone_in(PG_FUNCTION_ARGS)
{
	const char *str = PG_GETARG_CSTRING(0);
	size_t		n = *str == '+' ? strspn(str + 1, "0123456789") : 0;
	bool		digits_only = n > 0 && str[n + 1] == '\0';
	uint64		code = digits_only && n <= CALLSYNC_PHONE_MAX_DIGITS ? callsync_phone_pack(str + 1, (int) n) : 0;

	if (code == 0)
		INPUT_ERROR(fcinfo, errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					errmsg("invalid input syntax for type %s: \"%s\"", "phone", str),
					digits_only ? errdetail("A phone has at most %d digits.", CALLSYNC_PHONE_MAX_DIGITS)
					: errdetail("A phone is written as \"+\" and 1 to %d digits.", CALLSYNC_PHONE_MAX_DIGITS),
					errhint("Use to_phone(text, region) to read numbers in other spellings."));
	PG_RETURN_PHONE(code);
}

Datum
callsync_phone_out(PG_FUNCTION_ARGS)
{
	char	   *str = palloc(CALLSYNC_PHONE_MAX_DIGITS + 2);

	callsync_phone_to_e164(PG_GETARG_PHONE(0), str);
	PG_RETURN_CSTRING(str);
}

int
callsync_phone_to_e164(uint64 code, char *buf)
{
	int			n = callsync_phone_unpack(code, buf + 1);

	buf[0] = '+';
	buf[n + 1] = '\0';
	return n + 1;
}

Datum
callsync_phone_recv(PG_FUNCTION_ARGS)
{
	uint64		code = (uint64) pq_getmsgint64((StringInfo) PG_GETARG_POINTER(0));

	if (code == 0 || code > CALLSYNC_PHONE_CODE_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid binary value for type %s", "phone"),
				 errdetail("The code is 0 or larger than that of the last number of %d digits.", CALLSYNC_PHONE_MAX_DIGITS)));
	PG_RETURN_PHONE(code);
}

Datum
callsync_phone_send(PG_FUNCTION_ARGS)
{
	StringInfoData buf;

	pq_begintypsend(&buf);
	pq_sendint64(&buf, PG_GETARG_PHONE(0));
	PG_RETURN_BYTEA_P(pq_endtypsend(&buf));
}

Datum
callsync_phone_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_PHONE(0) == PG_GETARG_PHONE(1));
}

Datum
callsync_phone_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_PHONE(0) != PG_GETARG_PHONE(1));
}

Datum
callsync_phone_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_PHONE(0) < PG_GETARG_PHONE(1));
}

Datum
callsync_phone_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_PHONE(0) <= PG_GETARG_PHONE(1));
}

Datum
callsync_phone_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_PHONE(0) > PG_GETARG_PHONE(1));
}

Datum
callsync_phone_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(PG_GETARG_PHONE(0) >= PG_GETARG_PHONE(1));
}

Datum
callsync_phone_cmp(PG_FUNCTION_ARGS)
{
	uint64		a = PG_GETARG_PHONE(0),
				b = PG_GETARG_PHONE(1);

	PG_RETURN_INT32(a < b ? -1 : a > b);
}

Datum
callsync_phone_sortsupport(PG_FUNCTION_ARGS)
{
	SortSupport ssup = (SortSupport) PG_GETARG_POINTER(0);

	/* the sort has a specialised variant for this comparator */
	ssup->comparator = ssup_datum_unsigned_cmp;
	PG_RETURN_VOID();
}

Datum
callsync_phone_larger(PG_FUNCTION_ARGS)
{
	PG_RETURN_PHONE(Max(PG_GETARG_PHONE(0), PG_GETARG_PHONE(1)));
}

Datum
callsync_phone_smaller(PG_FUNCTION_ARGS)
{
	PG_RETURN_PHONE(Min(PG_GETARG_PHONE(0), PG_GETARG_PHONE(1)));
}

/* Both halves take part; independent of byte order, so hash partitions may be copied. */
Datum
callsync_phone_hash(PG_FUNCTION_ARGS)
{
	uint64		code = PG_GETARG_PHONE(0);

	return UInt32GetDatum(hash_bytes_uint32((uint32) (code ^ code >> 32)));
}

Datum
callsync_phone_hash_extended(PG_FUNCTION_ARGS)
{
	uint64		code = PG_GETARG_PHONE(0);

	return UInt64GetDatum(hash_bytes_uint32_extended((uint32) (code ^ code >> 32), (uint64) PG_GETARG_INT64(1)));
}
