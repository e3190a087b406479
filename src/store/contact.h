/*
 * contact.h
 *		The contact mirror: its rows made comparable, its keys written and read.
 *
 * Reads and writes go straight to heap and index: no plan can flip on a table
 * that was never analysed, and a decision costs microseconds.  No privilege is
 * checked here; who may call is decided by the grants on the functions.
 */
#ifndef CALLSYNC_STORE_CONTACT_H
#define CALLSYNC_STORE_CONTACT_H

#include "utils/relcache.h"
#include "executor/tuptable.h"
#include "utils/snapshot.h"

#include "core/person.h"
#include "store/match_config.h"
#include "store/mirror_pending.h"

/* Columns of callsync.contact, in order. */
enum
{
	CALLSYNC_CONTACT_DESTINATION = 1,
	CALLSYNC_CONTACT_ID,
	CALLSYNC_CONTACT_FIRST_NAME,
	CALLSYNC_CONTACT_LAST_NAME,
	CALLSYNC_CONTACT_EMAIL,
	CALLSYNC_CONTACT_OTHER_EMAILS,
	CALLSYNC_CONTACT_PHONE,
	CALLSYNC_CONTACT_MOBILE_PHONE,
	CALLSYNC_CONTACT_OTHER_PHONE,
	CALLSYNC_CONTACT_COMPANY,
	CALLSYNC_CONTACT_STREET,
	CALLSYNC_CONTACT_POSTAL_CODE,
	CALLSYNC_CONTACT_COUNTRY,
	CALLSYNC_CONTACT_ACCOUNT_ID,
	CALLSYNC_CONTACT_OWNER_ID,
	CALLSYNC_CONTACT_FLAGS,
	CALLSYNC_CONTACT_FIELDS,
	CALLSYNC_CONTACT_REMOTE_UPDATED_AT,
	CALLSYNC_CONTACT_COLUMNS = CALLSYNC_CONTACT_REMOTE_UPDATED_AT
};

/* The reference that the key table holds. */
extern int64 callsync_contact_cid(const char *destination, size_t dlen, const char *id, size_t ilen);

/* A row's column as text; s NULL where it is NULL. Valid as long as the slot's row. */
extern CallsyncText callsync_contact_text(TupleTableSlot *slot, int column);

/* The row made comparable; region for numbers of contacts without country. */
extern void callsync_contact_person(TupleTableSlot *slot, int region, CallsyncPerson *person);

/* Comparable form of a further field of the row; returns its length. */
extern size_t callsync_contact_field(TupleTableSlot *slot, const CallsyncMatchField *field, char *out, size_t cap);

/* The key (or counted term) of a further field's comparable form. */
extern uint64_t callsync_field_key(uint64_t seed, CallsyncKeyKind kind, const CallsyncMatchField *field,
								   const char *normal, size_t len);

/* Keys and counted terms of a row. */
#define CALLSYNC_CONTACT_KEYS (CALLSYNC_PERSON_KEYS + CALLSYNC_EXTRA_FIELDS)
#define CALLSYNC_CONTACT_TERMS (16 + CALLSYNC_EXTRA_FIELDS)
extern int	callsync_contact_row_keys(TupleTableSlot *slot, CallsyncKey *keys, int max);
extern int	callsync_contact_row_terms(TupleTableSlot *slot, CallsyncKey *terms, int max);

/* An open mirror to look things up in. */
typedef struct CallsyncMirror CallsyncMirror;

/* pending: contacts that count as being there, or NULL */
extern CallsyncMirror *callsync_mirror_open(Snapshot snapshot, const CallsyncMirrorPending *pending);
extern void callsync_mirror_close(CallsyncMirror *mirror);

/*
 * Contacts under a key, at most max; *more is set where there are further ones.
 * Returns how many were put into cid.
 */
extern int	callsync_mirror_key(CallsyncMirror *mirror, uint64_t key, int64 *cid, int max, bool *more);

/* How many contacts are under a key, counted up to limit. */
extern int	callsync_mirror_count(CallsyncMirror *mirror, uint64_t key, int limit);

/* Sum of a term's counts. */
extern double callsync_mirror_term(CallsyncMirror *mirror, uint64_t term);

/* The part of it that pending contacts have. */
extern double callsync_mirror_pending(CallsyncMirror *mirror, uint64_t term);

/* The contact's row, or NULL. The slot is the mirror's and holds it until the next call. */
extern TupleTableSlot *callsync_mirror_contact(CallsyncMirror *mirror, int64 cid);

#endif
