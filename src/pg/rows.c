/*
 * rows.c
 *		Many rows to one statement, as arrays for unnest().
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "pg/rows.h"

struct CallsyncRows
{
	int			ncolumns;
	Oid			types[CALLSYNC_ROWS_MAXCOLUMNS];
	int			nrows;
	int			maxrows;
	int			column;			/* next column of the current row */
	Datum	   *values[CALLSYNC_ROWS_MAXCOLUMNS];
	bool	   *nulls[CALLSYNC_ROWS_MAXCOLUMNS];
};

CallsyncRows *
callsync_rows_create(int ncolumns, const Oid *types)
{
	CallsyncRows *rows = palloc0(sizeof(*rows));

	Assert(ncolumns <= CALLSYNC_ROWS_MAXCOLUMNS);
	rows->ncolumns = ncolumns;
	rows->maxrows = 64;
	for (int i = 0; i < ncolumns; i++)
	{
		rows->types[i] = types[i];
		rows->values[i] = palloc(sizeof(Datum) * rows->maxrows);
		rows->nulls[i] = palloc(sizeof(bool) * rows->maxrows);
	}
	return rows;
}

void
callsync_rows_begin(CallsyncRows *rows)
{
	if (rows->nrows > 0 && rows->column != rows->ncolumns)
		elog(ERROR, "row has %d of %d columns", rows->column, rows->ncolumns);
	if (rows->nrows == rows->maxrows)
	{
		rows->maxrows *= 2;
		for (int i = 0; i < rows->ncolumns; i++)
		{
			rows->values[i] = repalloc(rows->values[i], sizeof(Datum) * rows->maxrows);
			rows->nulls[i] = repalloc(rows->nulls[i], sizeof(bool) * rows->maxrows);
		}
	}
	rows->nrows++;
	rows->column = 0;
}

static void
put(CallsyncRows *rows, Oid type, Datum value, bool isnull)
{
	int			c = rows->column++;

	if (c >= rows->ncolumns || (!isnull && type != InvalidOid && rows->types[c] != type))
		elog(ERROR, "column %d of a row is of type %u, not %u", c, rows->types[Min(c, rows->ncolumns - 1)], type);
	rows->values[c][rows->nrows - 1] = value;
	rows->nulls[c][rows->nrows - 1] = isnull;
}

void
callsync_rows_text(CallsyncRows *rows, const char *value)
{
	put(rows, TEXTOID, value ? CStringGetTextDatum(value) : (Datum) 0, value == NULL);
}

void
callsync_rows_int8(CallsyncRows *rows, int64 value)
{
	put(rows, INT8OID, Int64GetDatum(value), false);
}

void
callsync_rows_int4(CallsyncRows *rows, int32 value)
{
	put(rows, INT4OID, Int32GetDatum(value), false);
}

void
callsync_rows_int2(CallsyncRows *rows, int16 value)
{
	put(rows, INT2OID, Int16GetDatum(value), false);
}

void
callsync_rows_bool(CallsyncRows *rows, bool value)
{
	put(rows, BOOLOID, BoolGetDatum(value), false);
}

void
callsync_rows_time(CallsyncRows *rows, TimestampTz value)
{
	put(rows, TIMESTAMPTZOID, TimestampTzGetDatum(value), value == 0);
}

void
callsync_rows_float8(CallsyncRows *rows, double value)
{
	put(rows, FLOAT8OID, Float8GetDatum(value), false);
}

void
callsync_rows_datum(CallsyncRows *rows, Datum value)
{
	put(rows, InvalidOid, value, false);
}

void
callsync_rows_null(CallsyncRows *rows)
{
	put(rows, InvalidOid, (Datum) 0, true);
}

int
callsync_rows_count(const CallsyncRows *rows)
{
	return rows->nrows;
}

uint64
callsync_rows_run(const CallsyncRows *rows, CallsyncStmt *stmt)
{
	Datum		arrays[CALLSYNC_ROWS_MAXCOLUMNS];

	if (rows->nrows == 0)
		return 0;
	if (rows->column != rows->ncolumns)
		elog(ERROR, "row has %d of %d columns", rows->column, rows->ncolumns);
	for (int i = 0; i < rows->ncolumns; i++)
	{
		int16		typlen;
		bool		typbyval;
		char		typalign;
		int			dims[1] = {rows->nrows};
		int			lbs[1] = {1};

		get_typlenbyvalalign(rows->types[i], &typlen, &typbyval, &typalign);
		arrays[i] = PointerGetDatum(construct_md_array(rows->values[i], rows->nulls[i], 1, dims, lbs,
													   rows->types[i], typlen, typbyval, typalign));
	}
	return callsync_stmt_run(stmt, arrays, NULL, false, 0);
}
