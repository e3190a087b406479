/*
 * phone_fn.h
 *		Values of type phone as function arguments.
 */
#ifndef CALLSYNC_FN_PHONE_FN_H
#define CALLSYNC_FN_PHONE_FN_H

#include "fmgr.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#define PG_GETARG_PHONE(n) ((uint64) PG_GETARG_DATUM(n))
#define PG_RETURN_PHONE(code) return (Datum) (code)
#define PhoneGetDatum(code) ((Datum) (code))
#define DatumGetPhone(d) ((uint64) (d))

/* "+" and the digits of a code, terminated, into 21 bytes; returns the length. */
extern int	callsync_phone_to_e164(uint64 code, char *buf);

/* The region that a text argument names; CALLSYNC_REGION_NONE for NULL and unknown ones. */
extern int	callsync_getarg_region(FunctionCallInfo fcinfo, int n);

#endif
