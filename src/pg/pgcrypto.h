/*
 * pgcrypto.h
 *		The extension pgcrypto's encryption, called from C.
 */
#ifndef CALLSYNC_PG_PGCRYPTO_H
#define CALLSYNC_PG_PGCRYPTO_H

/*
 * Encrypts and decrypts with a key (an OpenPGP message, AES-256, with an integrity
 * check). Results are palloc'ed; the decrypted one is the caller's to overwrite.
 * Need a transaction. A wrong key raises.
 */
extern bytea *callsync_pgcrypto_encrypt(const char *key, const void *data, Size len);
extern bytea *callsync_pgcrypto_decrypt(const char *key, bytea *message);

#endif
