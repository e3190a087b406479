/*
 * docerror.h
 *		"Where in the document, and what is wrong": the one way in which the
 *		parsers of row 0 report a bad connector document, map or option.
 *
 * The caller turns it into an ereport: what -> errdetail (a full sentence),
 * path -> part of the detail, hint -> errhint.  Never holds a value of a
 * secret; values of the document itself are quoted, cut at 60 bytes.
 */
#ifndef CALLSYNC_CORE_DOCERROR_H
#define CALLSYNC_CORE_DOCERROR_H

#include <stdbool.h>

typedef struct CallsyncDocError
{
	char		path[200];		/* JSON pointer into the document, "" = whole */
	char		what[400];		/* one sentence with a full stop */
	char		hint[700];		/* what to do, may be "" */
} CallsyncDocError;

/* Fills err (which may be NULL) and returns false, for "return callsync_doc_error(...)". */
extern bool callsync_doc_error(CallsyncDocError *err, const char *path,
							   const char *hint, const char *fmt,...)
			__attribute__((format(printf, 4, 5)));

#endif
