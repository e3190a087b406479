/*
 * row_document.h
 *		From a table row to a call document, by a fixed mapping of paths to columns.
 *
 * A mapping is compiled once per table layout and used for every row; it names
 * columns by name, so that a renamed or dropped column turns into a missing
 * key, never into an error in the user's INSERT.
 */
#ifndef CALLSYNC_FN_ROW_DOCUMENT_H
#define CALLSYNC_FN_ROW_DOCUMENT_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "lib/stringinfo.h"

#include "store/append.h"

typedef struct CallsyncRowMapping CallsyncRowMapping;

/*
 * Compiles the JSON text of attach() (see sql/31_capture.sql for its keys)
 * against a row type. Allocates in mcxt. ERROR only on a text that attach()
 * did not write.
 */
extern CallsyncRowMapping *callsync_row_mapping_create(MemoryContext mcxt,
													   const char *config,
													   TupleDesc tupdesc);

extern const char *callsync_row_mapping_source(const CallsyncRowMapping *mapping);

/* did a mapped column change? */
extern bool callsync_row_changed(const CallsyncRowMapping *mapping, TupleDesc tupdesc,
								 HeapTuple oldtuple, HeapTuple newtuple);

/*
 * Appends the event and the outbox row of one table row. oldtuple is NULL for
 * an INSERT; with it, columns that became NULL are said so in the document.
 * Returns the event's id; *unusable is set where the row has no call_id (the
 * event is then quarantined and there is no outbox row).
 */
extern int64 callsync_row_capture(const CallsyncRowMapping *mapping, TupleDesc tupdesc,
								  HeapTuple newtuple, HeapTuple oldtuple,
								  Oid call_table, const char *origin,
								  bool *unusable);

/* the document alone, as JSON text (reference captures, previews) */
extern void callsync_row_document(const CallsyncRowMapping *mapping, TupleDesc tupdesc,
								  HeapTuple newtuple, HeapTuple oldtuple,
								  StringInfo buf);

#endif
