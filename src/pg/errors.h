/*
 * errors.h
 *		The error reports that many files share.
 *
 * Everything else calls ereport() itself. Never pass a secret, a token or a body
 * to any of these: they end in the client and in the log.
 */
#ifndef CALLSYNC_PG_ERRORS_H
#define CALLSYNC_PG_ERRORS_H

/* 18 spells it so, in front; before, it was a function-like macro. */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

/*
 * Raises 22P02 in the way of PostgreSQL's own types:
 * invalid input syntax for type TYPE: "VALUE", with the reason as detail.
 */
#define CALLSYNC_INVALID_TEXT(type, value, ...) \
	ereport(ERROR, \
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION), \
			 errmsg("invalid input syntax for type %s: \"%s\"", (type), (value)), \
			 errdetail(__VA_ARGS__)))

/*
 * Raises 22023 for a word that is not in a list, with the list as hint.
 * "what" names the kind of word ("option", "source kind"); valid ends with NULL.
 */
pg_noreturn extern void callsync_error_unknown(const char *what, const char *given,
											   const char *const *valid);

#endif
