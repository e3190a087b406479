/*
 * mirror_pending.c
 *		Contacts that the transaction is about to write into the mirror, as if they
 *		were there.
 *
 * Keys and terms are made from the same texts and by the same functions as those that the
 * mirror's trigger will write for the rows (contact_keys.c).
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "core/phone.h"
#include "store/contact.h"
#include "store/mirror_pending.h"

typedef struct PendingKey
{
	uint64		key;
	int			n;
	int			max;
	int64	   *cids;
} PendingKey;

typedef struct PendingTerm
{
	uint64		term;
	int			n;
} PendingTerm;

typedef struct PendingContact
{
	int64		cid;
	CallsyncExpectedContact contact;
} PendingContact;

struct CallsyncMirrorPending
{
	MemoryContext mcxt;
	HTAB	   *keys;
	HTAB	   *terms;
	HTAB	   *contacts;
};

static HTAB *
hash_by_int64(MemoryContext mcxt, Size entrysize)
{
	HASHCTL		ctl = {.keysize = sizeof(int64), .entrysize = entrysize, .hcxt = mcxt};

	return hash_create("callsync pending contacts", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

CallsyncMirrorPending *
callsync_mirror_pending_create(void)
{
	CallsyncMirrorPending *pending = palloc0(sizeof(*pending));

	pending->mcxt = CurrentMemoryContext;
	return pending;
}

static CallsyncText
text_of(const char *s)
{
	return (CallsyncText) {s, s ? strlen(s) : 0};
}

static void
add_key(CallsyncMirrorPending *pending, uint64 key, int64 cid)
{
	bool		found;
	PendingKey *entry = hash_search(pending->keys, &key, HASH_ENTER, &found);

	if (!found)
	{
		entry->n = 0;
		entry->max = 2;
		entry->cids = MemoryContextAlloc(pending->mcxt, sizeof(int64) * entry->max);
	}
	else if (entry->n == entry->max)
	{
		entry->max *= 2;
		entry->cids = repalloc(entry->cids, sizeof(int64) * entry->max);
	}
	entry->cids[entry->n++] = cid;
}

static void
add_term(CallsyncMirrorPending *pending, uint64 term)
{
	bool		found;
	PendingTerm *entry = hash_search(pending->terms, &term, HASH_ENTER, &found);

	entry->n = found ? entry->n + 1 : 1;
}

bool
callsync_mirror_pending_add(CallsyncMirrorPending *pending, const CallsyncExpectedContact *c)
{
	const char *id = callsync_expected_contact_id(c);
	int64		cid = callsync_contact_cid(c->destination, strlen(c->destination), id, strlen(id));
	uint64_t	seed = callsync_destination_seed(c->destination, strlen(c->destination));
	CallsyncContactText text = {
		.first_name = text_of(c->first_name),
		.last_name = text_of(c->last_name),
		.email = text_of(c->email),
		.phone = {text_of(c->phone)},
		.postal_code = text_of(c->postal_code),
	};
	CallsyncPerson *person;
	PendingContact *entry;
	CallsyncKey keys[Max(CALLSYNC_CONTACT_KEYS, CALLSYNC_CONTACT_TERMS)];
	bool		found;
	int			n;

	if (pending->contacts == NULL)
	{
		pending->keys = hash_by_int64(pending->mcxt, sizeof(PendingKey));
		pending->terms = hash_by_int64(pending->mcxt, sizeof(PendingTerm));
		pending->contacts = hash_by_int64(pending->mcxt, sizeof(PendingContact));
	}
	entry = hash_search(pending->contacts, &cid, HASH_ENTER, &found);
	if (found)
		return false;
	entry->contact = *c;
	person = palloc(sizeof(CallsyncPerson));
	callsync_person_contact(person, &text, CALLSYNC_REGION_NONE);
	n = callsync_contact_keys(person, seed, keys, CALLSYNC_CONTACT_KEYS - CALLSYNC_EXTRA_FIELDS);
	for (int i = 0; i < n; i++)
		add_key(pending, keys[i].key, cid);
	n = callsync_contact_terms(person, seed, keys, CALLSYNC_CONTACT_TERMS - 2 - CALLSYNC_EXTRA_FIELDS);
	for (int i = 0; i < n; i++)
		add_term(pending, keys[i].key);
	add_term(pending, callsync_key(seed, CALLSYNC_TERM_TOTAL, "", 0));
	pfree(person);
	return true;
}

int
callsync_mirror_pending_key(const CallsyncMirrorPending *pending, uint64 key, const int64 **cids)
{
	PendingKey *entry = pending->keys ? hash_search(pending->keys, &key, HASH_FIND, NULL) : NULL;

	*cids = entry ? entry->cids : NULL;
	return entry ? entry->n : 0;
}

int
callsync_mirror_pending_term(const CallsyncMirrorPending *pending, uint64 term)
{
	PendingTerm *entry = pending->terms ? hash_search(pending->terms, &term, HASH_FIND, NULL) : NULL;

	return entry ? entry->n : 0;
}

static void
set_text(TupleTableSlot *slot, int column, const char *text)
{
	slot->tts_isnull[column - 1] = text == NULL;
	slot->tts_values[column - 1] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

bool
callsync_mirror_pending_contact(const CallsyncMirrorPending *pending, int64 cid, TupleTableSlot *slot)
{
	PendingContact *entry = pending->contacts ? hash_search(pending->contacts, &cid, HASH_FIND, NULL) : NULL;
	const CallsyncExpectedContact *c;

	if (entry == NULL)
		return false;
	c = &entry->contact;
	ExecClearTuple(slot);
	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
		slot->tts_isnull[i] = true;
	set_text(slot, CALLSYNC_CONTACT_DESTINATION, c->destination);
	set_text(slot, CALLSYNC_CONTACT_ID, callsync_expected_contact_id(c));
	set_text(slot, CALLSYNC_CONTACT_FIRST_NAME, c->first_name);
	set_text(slot, CALLSYNC_CONTACT_LAST_NAME, c->last_name);
	set_text(slot, CALLSYNC_CONTACT_EMAIL, c->email);
	set_text(slot, CALLSYNC_CONTACT_PHONE, c->phone);
	set_text(slot, CALLSYNC_CONTACT_POSTAL_CODE, c->postal_code);
	ExecStoreVirtualTuple(slot);
	return true;
}
