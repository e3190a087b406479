/*
 * person.h
 *		A contact, or what a call tells about its caller, made comparable; and the
 *		keys under which contacts are found.
 *
 * The keys are stored: what makes them (folding, sounds, this file) must not
 * change without a rebuild of the key table in the upgrade script.
 */
#ifndef CALLSYNC_CORE_PERSON_H
#define CALLSYNC_CORE_PERSON_H

#include "core/email.h"
#include "core/line.h"
#include "core/name.h"

#define CALLSYNC_PERSON_LINES 6
#define CALLSYNC_PERSON_EMAILS 4
#define CALLSYNC_POSTAL_MAX 12
#define CALLSYNC_PERSON_KEYS 48

typedef struct CallsyncPerson
{
	bool		has_name;
	CallsyncName name;
	int			nlines;
	CallsyncLine line[CALLSYNC_PERSON_LINES];
	CallsyncLine spoken;		/* calls only: the number that was said; n = 0: none */
	int			nemails;
	CallsyncEmail email[CALLSYNC_PERSON_EMAILS];
	int			npostal;
	char		postal[CALLSYNC_POSTAL_MAX + 1];
} CallsyncPerson;

/* text and length; NULL for what is not there */
typedef struct CallsyncText
{
	const char *s;
	size_t		n;
} CallsyncText;

typedef struct CallsyncContactText
{
	CallsyncText first_name,
				last_name,
				email,
				other_emails,
				phone[3],
				postal_code,
				country;
} CallsyncContactText;

/* region: of the destination, for numbers of contacts without country */
extern void callsync_person_contact(CallsyncPerson *person, const CallsyncContactText *text, int region);

typedef struct CallsyncCallText
{
	CallsyncText phone,
				spoken_phone,
				email,
				name,
				postal_code;
} CallsyncCallText;

extern void callsync_person_call(CallsyncPerson *person, const CallsyncCallText *text, int region);

/* Postal code without spaces, upper case, digits that were said as figures; ZIP+4 cut to five. */
extern int	callsync_postal_read(const char *text, size_t len, char out[CALLSYNC_POSTAL_MAX + 1]);

/* Stored in the low four bits of a key, so that what it is of can be told. */
typedef enum CallsyncKeyKind
{
	CALLSYNC_KEY_LINE = 1,		/* last eight digits, or the whole of a shorter number */
	CALLSYNC_KEY_EMAIL = 2,		/* mailbox */
	CALLSYNC_KEY_LOCAL = 3,		/* how the local part sounds, with its digits */
	CALLSYNC_KEY_HALF = 4,		/* either half of the local part, with its length and the domain */
	CALLSYNC_KEY_ZIP_LAST = 5,
	CALLSYNC_KEY_ZIP_FIRST = 6,
	CALLSYNC_KEY_LAST_FIRST = 7,
	CALLSYNC_KEY_ZIP_INITIALS = 8,	/* postal code with the first sound of both names: survives what garbles both */
	CALLSYNC_KEY_FIELD = 9,		/* value of a further field */
	/* terms are counted, not looked up */
	CALLSYNC_TERM_FIRST = 10,
	CALLSYNC_TERM_LAST = 11,
	CALLSYNC_TERM_POSTAL = 12,
	CALLSYNC_TERM_DOMAIN = 13,	/* of mailboxes */
	CALLSYNC_TERM_ACCOUNT = 14,
	CALLSYNC_TERM_TOTAL = 15,
	CALLSYNC_TERM_FIELD = 0
} CallsyncKeyKind;

typedef struct CallsyncKey
{
	uint64_t	key;
	CallsyncKeyKind kind;
} CallsyncKey;

#define CALLSYNC_KEY_KIND(key) ((CallsyncKeyKind) ((key) & 15))

/* Hash that keeps the destinations apart; first argument of all keys. */
extern uint64_t callsync_destination_seed(const char *name, size_t len);
extern uint64_t callsync_term(uint64_t seed, CallsyncKeyKind kind, uint64_t hash);
extern uint64_t callsync_key(uint64_t seed, CallsyncKeyKind kind, const void *data, size_t len);

/* Keys of a contact, without repeats; returns how many (<= max). */
extern int	callsync_contact_keys(const CallsyncPerson *person, uint64_t seed, CallsyncKey *keys, int max);

/* Terms of a contact whose frequencies weigh: given name, surname words, postal code. */
extern int	callsync_contact_terms(const CallsyncPerson *person, uint64_t seed, CallsyncKey *terms, int max);

/* Keys by which a contact looks for records of its person: nicknames expanded. */
extern int	callsync_twin_keys(const CallsyncPerson *person, uint64_t seed, const CallsyncNicks *nicks,
							   CallsyncKey *keys, int max);

/* Keys to look a call up by, the most telling first; nicknames expand here and only here. */
extern int	callsync_call_keys(const CallsyncPerson *person, uint64_t seed, const CallsyncNicks *nicks,
							   CallsyncKey *keys, int max);

/* Keys of the lines one slip away from the one that was said; returns how many. */
#define CALLSYNC_NEAR_KEYS 240
extern int	callsync_near_line_keys(const CallsyncLine *line, uint64_t seed, CallsyncKey *keys, int max);

/* Name keys of the call at the postal codes one slip in the digits away; returns how many. */
#define CALLSYNC_NEAR_POSTAL_KEYS 224
extern int	callsync_near_postal_keys(const CallsyncPerson *call, uint64_t seed, CallsyncKey *keys, int max);

/* What the advisory locks of a first call are taken on: its lines, mailboxes, name + postal code. */
extern int	callsync_identity_keys(const CallsyncPerson *call, uint64_t seed, uint64_t *keys, int max);

#endif
