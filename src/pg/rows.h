/*
 * rows.h
 *		Many rows to one statement: columns are collected as arrays and passed to
 *		"... FROM unnest($1, $2, ...)".
 */
#ifndef CALLSYNC_PG_ROWS_H
#define CALLSYNC_PG_ROWS_H

#include "pg/spi.h"

#define CALLSYNC_ROWS_MAXCOLUMNS 32

typedef struct CallsyncRows CallsyncRows;

/*
 * types: element types, one of TEXTOID, INT8OID, INT4OID, INT2OID, BOOLOID,
 * TIMESTAMPTZOID, FLOAT8OID, DATEOID, BYTEAOID, JSONBOID; arrays, and jsonb that is there as
 * text, travel as text and are cast in the statement. Lives in the current memory context.
 */
extern CallsyncRows *callsync_rows_create(int ncolumns, const Oid *types);

/* A row begins; its columns are then put in order. */
extern void callsync_rows_begin(CallsyncRows *rows);
extern void callsync_rows_text(CallsyncRows *rows, const char *value);	/* NULL: NULL */
extern void callsync_rows_int8(CallsyncRows *rows, int64 value);
extern void callsync_rows_int4(CallsyncRows *rows, int32 value);
extern void callsync_rows_int2(CallsyncRows *rows, int16 value);
extern void callsync_rows_bool(CallsyncRows *rows, bool value);
extern void callsync_rows_time(CallsyncRows *rows, TimestampTz value);	/* 0: NULL */
extern void callsync_rows_float8(CallsyncRows *rows, double value);
extern void callsync_rows_datum(CallsyncRows *rows, Datum value);
extern void callsync_rows_null(CallsyncRows *rows);

extern int	callsync_rows_count(const CallsyncRows *rows);

/*
 * Runs stmt with the columns as its first arguments; nothing is run for no rows.
 * Returns the rows processed. The rows are kept.
 */
extern uint64 callsync_rows_run(const CallsyncRows *rows, CallsyncStmt *stmt);

#endif
