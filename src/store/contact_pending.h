/*
 * contact_pending.h
 *		Contacts that callsync creates: their keys, before and after the CRM has
 *		given them an id.
 *
 * A row of contact_link says: this identity (the key itself, or "call:SOURCE/ID")
 * is the contact with this key; contact_id follows when the CRM has answered.
 */
#ifndef CALLSYNC_STORE_CONTACT_PENDING_H
#define CALLSYNC_STORE_CONTACT_PENDING_H

/* All results are palloc'ed; NULL: not known. */
extern char *callsync_contact_key(const char *destination, const char *contact_id);
extern char *callsync_contact_key_of_call(const char *destination, const char *source, const char *call_id);
extern char *callsync_contact_id_of_key(const char *destination, const char *contact_key);

/* The call belongs to the contact with this key. */
typedef struct CallsyncContactClaim
{
	const char *destination;
	const char *contact_key;
	const char *source;
	const char *call_id;
} CallsyncContactClaim;

extern void callsync_contact_claim(const CallsyncContactClaim *claims, int n);

/* A contact that is about to be created; from name on everything may be NULL. */
typedef struct CallsyncExpectedContact
{
	const char *destination;
	const char *contact_key;
	const char *first_name;
	const char *last_name;
	const char *email;
	const char *phone;
	const char *postal_code;
} CallsyncExpectedContact;

/* Its id in the mirror until the CRM has given it one. */
extern const char *callsync_expected_contact_id(const CallsyncExpectedContact *contact);

/* The last word of a name is the surname; the matching engine compares names as a whole anyway. */
extern void callsync_contact_split_name(const char *name, const char **first, const char **last);

/* Leaves provisional rows ('callsync:KEY') in the mirror. Their keys have been claimed. */
extern void callsync_contact_provide(const CallsyncExpectedContact *contacts, int n);

/*
 * A person has said that the call is somebody's on file: a contact that was written
 * for it while nobody knew is one too many.  Kept for duplicate_candidates; nothing
 * happens where none was written.
 */
extern void callsync_contact_surplus(const char *destination, const char *source, const char *call_id);

#endif
