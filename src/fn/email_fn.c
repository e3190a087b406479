/*
 * email_fn.c
 *		E-mail addresses as text.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "core/email.h"
#include "pg/compat.h"

PG_FUNCTION_INFO_V1(callsync_email_canonical_fn);
PG_FUNCTION_INFO_V1(callsync_email_heard_fn);

Datum
callsync_email_canonical_fn(PG_FUNCTION_ARGS)
{
	text	   *address = PG_GETARG_TEXT_PP(0);
	CallsyncEmail email;

	if (!callsync_email_canonical(VARDATA_ANY(address), VARSIZE_ANY_EXHDR(address), &email))
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(email.text, email.len));
}

Datum
callsync_email_heard_fn(PG_FUNCTION_ARGS)
{
	text	   *said = PG_GETARG_TEXT_PP(0);
	char		heard[CALLSYNC_EMAIL_MAX + 8];
	size_t		n = callsync_email_heard(VARDATA_ANY(said), VARSIZE_ANY_EXHDR(said), heard, sizeof(heard));

	if (n == 0)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text_with_len(heard, n));
}
