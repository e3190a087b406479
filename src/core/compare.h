/*
 * compare.h
 *		Sent is not stored: compares what a record was sent with what a read
 *		back shows, field by field.
 *
 *	 confirmed   the stored value means the same
 *	 altered     stored, but another value
 *	 missing     the record has no value there
 *	 rejected    the answer to the write named the field as refused (set by the caller)
 *	 unverified  the read does not show the field (not asked for, no access): no evidence
 *
 * "Means the same" is by the field's type: instants as instants, numbers as
 * numbers, booleans in any spelling, text exact, trimmed, and, where the field is
 * declared so, without case (e-mail) or as HTML text.  A cut text is altered with
 * reason "truncated".
 */
#ifndef CALLSYNC_CORE_COMPARE_H
#define CALLSYNC_CORE_COMPARE_H

#include <jansson.h>
#include <stdbool.h>

#include "core/connector.h"

typedef enum CallsyncFieldState
{
	CALLSYNC_FIELD_CONFIRMED,
	CALLSYNC_FIELD_ALTERED,
	CALLSYNC_FIELD_MISSING,
	CALLSYNC_FIELD_REJECTED,
	CALLSYNC_FIELD_UNVERIFIED
} CallsyncFieldState;

extern const char *callsync_field_state_name(CallsyncFieldState state);

/* "reason" of a field that the record does not have (any more): a matter of the schema, not of this value */
#define CALLSYNC_COMPARE_ABSENT "the record does not show this field: renamed, removed or hidden"

typedef struct CallsyncFieldResult
{
	const char *field;			/* borrowed from sent */
	CallsyncFieldState state;
	const char *reason;			/* static text, never NULL; "" when confirmed exactly */
	const json_t *sent;			/* borrowed */
	const json_t *stored;		/* borrowed; NULL: absent */
} CallsyncFieldResult;

/*
 * sent: mapped fields; stored: the fields of the record read back
 * (CallsyncFound.fields), NULL when there is no such record.  read_op may be NULL.  A
 * field that stored lacks is MISSING when the read shows every field asked for
 * (the op says so: "absent" is null, or missing where empty ones are shown as null), else UNVERIFIED.  fields_spec may be NULL
 * (then only what the connector itself declares).  Writes at most max results,
 * returns the number of fields in sent.
 */
extern int	callsync_compare_record(const CallsyncConnector *connector, const CallsyncOp *read_op,
									const char *object, const json_t *fields_spec,
									const json_t *sent, const json_t *stored,
									CallsyncFieldResult *results, int max);
/*
 * Names that a read has to ask for to compare these fields ("props" of its
 * context): new reference to a sorted array.
 */
extern json_t *callsync_compare_props(const CallsyncConnector *connector, const char *object,
									  const json_t *fields_spec, const json_t *sent);
#endif
