/*
 * keyring.h
 *		The keys by which secrets are encrypted, read from callsync.key_file.
 *
 * The file holds one key a line; the first is used to encrypt, all of them to
 * decrypt. Blank lines and lines that begin with # are skipped. A key's id is
 * derived from it, so a file with one line of random text is all there is to do:
 *
 *		openssl rand -base64 48 > callsync.key; chmod 600 callsync.key
 *
 * To change the key: put a new line first, call callsync.reencrypt_secrets(), then
 * remove the old line.
 */
#ifndef CALLSYNC_PG_KEYRING_H
#define CALLSYNC_PG_KEYRING_H

#define CALLSYNC_KEY_ID_SIZE 17 /* 16 hex digits and the end */
#define CALLSYNC_KEY_MIN_LEN 32
#define CALLSYNC_KEYRING_MAX 16

typedef struct CallsyncKey
{
	char		id[CALLSYNC_KEY_ID_SIZE];
	const char *text;			/* NUL-terminated; overwritten with the context */
} CallsyncKey;

typedef struct CallsyncKeyring
{
	int			nkeys;			/* 0: callsync.key_file is not set */
	CallsyncKey keys[CALLSYNC_KEYRING_MAX];
} CallsyncKeyring;

/*
 * Reads the file anew into "context", whose reset overwrites it. Raises where the
 * file is missing, belongs to somebody else, is readable by others, or holds no
 * usable key. The path itself is shown to superusers only.
 */
extern CallsyncKeyring *callsync_keyring_read(MemoryContext context);

/*
 * The same, read once and again only when the file has changed. Lives as long as
 * the process.
 */
extern const CallsyncKeyring *callsync_keyring(void);

/* The key of that id; NULL = not in the file. */
extern const CallsyncKey *callsync_keyring_find(const CallsyncKeyring *ring, const char *id);

/*
 * palloc'ed memory of "size" bytes in context that is overwritten with zeros before
 * the context gives it back.
 */
extern void *callsync_alloc_secret(MemoryContext context, Size size);

#endif
