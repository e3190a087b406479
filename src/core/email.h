/*
 * email.h
 *		Mailboxes: identity, what a transcript meant, and how near two of them are.
 */
#ifndef CALLSYNC_CORE_EMAIL_H
#define CALLSYNC_CORE_EMAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALLSYNC_EMAIL_MAX 254

/* A mailbox in canonical form: local@domain, terminated. */
typedef struct CallsyncEmail
{
	char		text[CALLSYNC_EMAIL_MAX + 2];
	int			len;
	int			local_len;		/* text[local_len] is the '@' */
} CallsyncEmail;

/*
 * The identity of the mailbox an address names: lower case, without display name,
 * "mailto:", sub-address (+tag) and, where the provider ignores them, dots; names
 * of one provider's domains made one.  false: no address.
 */
extern bool callsync_email_canonical(const char *text, size_t len, CallsyncEmail *email);

/*
 * What was meant by an address as a transcript has it: "jon dot smith at g mail
 * dot com".  Writes the address (not its canonical form) and returns its length; 0: none.
 */
extern size_t callsync_email_heard(const char *text, size_t len, char *out, size_t cap);

/* Hash of the domain. */
extern uint64_t callsync_email_domain(const CallsyncEmail *email);

typedef enum CallsyncEmailLevel
{
	CALLSYNC_EMAIL_MISSING,
	CALLSYNC_EMAIL_EXACT,
	CALLSYNC_EMAIL_DOMAIN,		/* same local part, domain a slip away */
	CALLSYNC_EMAIL_NEAR,		/* a slip or a mishearing in the local part */
	CALLSYNC_EMAIL_LOCAL,		/* same local part at quite another domain */
	CALLSYNC_EMAIL_NONE
} CallsyncEmailLevel;

extern const char *callsync_email_level(CallsyncEmailLevel level);
extern CallsyncEmailLevel callsync_email_compare(const CallsyncEmail *call, const CallsyncEmail *contact);

#endif
