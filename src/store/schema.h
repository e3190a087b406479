/*
 * schema.h
 *		What destinations say of their fields, and the drift noticed from it.
 */
#ifndef CALLSYNC_STORE_SCHEMA_H
#define CALLSYNC_STORE_SCHEMA_H

#include "datatype/timestamp.h"

/* An object of a destination and when it is to be described. */
typedef struct CallsyncSchemaDue
{
	char	   *destination;
	char	   *object;
	TimestampTz next_at;
} CallsyncSchemaDue;

/* All that were described or failed at least once; in CurrentMemoryContext. */
extern int	callsync_schema_due(CallsyncSchemaDue **due);

/*
 * fields: JSON text as callsync_describe_fields() makes it. Compares it with what is known,
 * keeps it, raises alerts for what people must know. mapped: names and labels that the map writes.
 */
extern void callsync_schema_record(const char *destination, const char *object, const char *fields,
								   const char *const *mapped, int nmapped, TimestampTz now);

/* It could not be described; when it is tried again. */
extern void callsync_schema_failed(const char *destination, const char *object, const char *error,
								   TimestampTz next_at);

/*
 * The destination did not take a field: nothing is written to it until it is known why.
 * It is described at once.
 */
extern void callsync_schema_refused(const char *destination, const char *object, const char *field,
									const char *message, TimestampTz now);

/*
 * A record that was written does not have a field that was sent: renamed, removed or hidden.
 * The object is described at once, which tells; people are told, nothing stops.
 */
extern void callsync_schema_unseen(const char *destination, const char *object, const char *field,
								   TimestampTz now);

#endif
