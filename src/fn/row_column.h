/*
 * row_column.h
 *		One column of a captured table, and its values as JSON.
 *
 * A column is named, not numbered: where a table has no such column any more,
 * its value is NULL.
 */
#ifndef CALLSYNC_FN_ROW_COLUMN_H
#define CALLSYNC_FN_ROW_COLUMN_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "pgtime.h"

typedef enum CallsyncValueKind
{
	VALUE_TEXT,					/* through the type's output function, quoted */
	VALUE_STRING,				/* text, varchar, char: no output function needed */
	VALUE_BOOL,
	VALUE_INT2,
	VALUE_INT4,
	VALUE_INT8,
	VALUE_NUMBER,				/* output function, unquoted where it is finite */
	VALUE_DATE,
	VALUE_TIMESTAMP,
	VALUE_TIMESTAMPTZ,
	VALUE_INTERVAL,
	VALUE_JSON,
	VALUE_JSONB,
	VALUE_ARRAY,
	VALUE_COMPOSITE
} CallsyncValueKind;

typedef struct CallsyncRowColumn
{
	int			attnum;			/* 1-based; 0: the table has no such column any more */
	CallsyncValueKind	kind;
	int16		typlen;
	bool		typbyval;
	FmgrInfo	out;			/* VALUE_TEXT, VALUE_NUMBER, VALUE_JSONB */
} CallsyncRowColumn;

/* mcxt must live as long as c */
extern void callsync_row_column_init(CallsyncRowColumn *c, const char *name, TupleDesc tupdesc,
									 MemoryContext mcxt);

extern Datum callsync_row_column_get(const CallsyncRowColumn *c, TupleDesc tupdesc,
									 HeapTuple tuple, bool *isnull);

/* the value as text, as the type's output function writes it */
extern char *callsync_row_column_text(const CallsyncRowColumn *c, Datum value);

/*
 * The value as JSON: numbers and booleans as such, times with an offset (tz for
 * types without zone), json and jsonb as they are, intervals as seconds, arrays
 * and composites as JSON, the rest as strings.
 */
extern void callsync_row_column_append(StringInfo buf, const CallsyncRowColumn *c,
									   Datum value, pg_tz *tz);

#endif
