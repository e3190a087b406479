/*
 * append_buffer.h
 *		Rows of callsync's own append-only tables, collected while a statement
 *		runs and inserted together.
 *
 * The rows become visible exactly as if each had been inserted when it was put:
 * they carry the command id of that moment, and they are written before
 * a query that names one of the tables starts, before any utility command, at the
 * end of the outermost statement, before commit and before PREPARE. What
 * a subtransaction put goes with it when it is rolled back.
 */
#ifndef CALLSYNC_STORE_APPEND_BUFFER_H
#define CALLSYNC_STORE_APPEND_BUFFER_H

#include "utils/relcache.h"

typedef enum CallsyncAppendTable
{
	CALLSYNC_APPEND_EVENT,
	CALLSYNC_APPEND_OUTBOX,
	CALLSYNC_APPEND_UNUSABLE
} CallsyncAppendTable;

/* Once per process, from _PG_init: the hooks. */
extern void callsync_append_buffer_init(void);

/* The next value of the table's sequence, drawn after this transaction has its xid. */
extern int64 callsync_append_buffer_next_id(CallsyncAppendTable table);

/* Forms a row of the table's leading columns; the rest (of a later version) is left NULL. */
extern void callsync_append_buffer_put(CallsyncAppendTable table, int ncolumns, Datum *values, bool *nulls);

/* Inserts what is still to be. */
extern void callsync_append_buffer_flush(void);

#endif
