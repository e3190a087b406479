/*
 * link.h
 *		Which record at a destination a step of a call, or a caller, became.
 */
#ifndef CALLSYNC_STORE_LINK_H
#define CALLSYNC_STORE_LINK_H

#include "datatype/timestamp.h"

typedef struct CallsyncRecordLink
{
	const char *destination;
	const char *source;
	const char *call_id;
	const char *step;
	const char *object;
	const char *record_id;
	const char *idempotency_key;
} CallsyncRecordLink;

/* Later versions of the call update this record. */
extern void callsync_link_records(const CallsyncRecordLink *links, int n, TimestampTz now);
/* The record is gone: the next version creates it anew. */
extern void callsync_link_forget_record(const char *destination, const char *record_id);

typedef struct CallsyncContactLink
{
	const char *destination;
	const char *contact_key;	/* under which it was written */
	const char *contact_id;		/* what the CRM calls it */
	/* what the call says of the caller, for the mirror; each may be NULL */
	const char *first_name;
	const char *last_name;
	const char *email;
	const char *phone;
	const char *postal_code;
} CallsyncContactLink;

/*
 * The contact exists under this id: every identity with its key points to it, and the
 * mirror shows it (the provisional row becomes it; of a row that is there only
 * what is empty is filled).
 */
extern void callsync_link_contacts(const CallsyncContactLink *links, int n);
/* The CRM does not know the contact (any more). */
extern void callsync_link_forget_contact(const char *destination, const char *contact_id);

#endif
