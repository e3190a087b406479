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

/*
 * A contact is about to be created: keeps its key and leaves a provisional row
 * ('callsync:KEY') in the mirror. Everything but destination, contact_key, source and
 * call_id may be NULL.
 */
extern void callsync_contact_expect(const char *destination, const char *contact_key,
									const char *source, const char *call_id,
									const char *name, const char *email,
									const char *phone, const char *postal_code);

/* The call belongs to the contact with this key. */
extern void callsync_contact_key_claim(const char *destination, const char *contact_key,
									   const char *source, const char *call_id);

/*
 * A person has said that the call is somebody's on file: a contact that was written
 * for it while nobody knew is one too many.  Kept for duplicate_candidates; nothing
 * happens where none was written.
 */
extern void callsync_contact_surplus(const char *destination, const char *source, const char *call_id);

#endif
