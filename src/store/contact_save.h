/*
 * contact_save.h
 *		Contacts as a destination told them, into the mirror.
 */
#ifndef CALLSYNC_STORE_CONTACT_SAVE_H
#define CALLSYNC_STORE_CONTACT_SAVE_H

/*
 * contacts: JSON array of {"id", and columns of callsync.contact; "fields" are merged}. What the destination
 * says replaces what the mirror has; what it does not mention stays.
 */
extern void callsync_contact_save(const char *destination, const char *contacts);

/* The mirror's row as JSON, NULL: there is none. */
extern char *callsync_contact_load(const char *destination, const char *contact_id);

#endif
