/*
 * errors.c
 *		See errors.h.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "pg/errors.h"

void
callsync_error_unknown(const char *what, const char *given,
					   const char *const *valid)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; valid[i] != NULL; i++)
		appendStringInfo(&list, "%s%s", i == 0 ? "" : ", ", valid[i]);

	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown %s \"%s\"", what, given),
			 list.len > 0 ? errhint("Valid ones are: %s.", list.data)
			 : errhint("There are none yet.")));
	pg_unreachable();
}
