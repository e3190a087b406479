/*
 * secret.h
 *		Credentials of sources and destinations: encrypted in callsync.secret.
 *
 * Plaintext exists in memory only, in chunks that are overwritten when their
 * memory context is reset. It goes into no error text, log line, activity string
 * or statement.
 */
#ifndef CALLSYNC_STORE_SECRET_H
#define CALLSYNC_STORE_SECRET_H

/* All of these need a transaction and an SPI connection. */

/*
 * The secret in "context", overwritten when that is reset; NULL where there is
 * none. Raises where it cannot be decrypted (key file missing or changed).
 */
extern char *callsync_secret_get(const char *owner, const char *key, MemoryContext context);

/* Is there one? Does not decrypt. */
extern bool callsync_secret_exists(const char *owner, const char *key);

/* Stores a secret, in place of an older one. Not checked: owner and key. */
extern void callsync_secret_set(const char *owner, const char *key, const char *value);

/* True where there was one. */
extern bool callsync_secret_remove(const char *owner, const char *key);

/*
 * Encrypts anew what is not encrypted by the first key of the key file. Returns
 * the number of secrets changed.
 */
extern int64 callsync_secret_reencrypt(void);

/* Is there a source or destination of that name? */
extern bool callsync_secret_owner_exists(const char *owner);

/* Lets the workers see that a secret changed, and writes the audit row of "action". */
extern void callsync_secret_changed(const char *owner, const char *key, const char *action);

/* The keys that set_secret() takes; ends with NULL. */
extern const char *const callsync_secret_keys[];

#endif
