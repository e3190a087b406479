/*
 * crypto.h
 *		Digests, signatures and their encodings: the one file of row 0 that
 *		knows libcrypto.
 */
#ifndef CALLSYNC_CORE_CRYPTO_H
#define CALLSYNC_CORE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CALLSYNC_SHA256_LEN 32

extern void callsync_sha256(const void *data, size_t len, uint8_t out[CALLSYNC_SHA256_LEN]);
extern void callsync_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
								 uint8_t out[CALLSYNC_SHA256_LEN]);
/* HMAC with "sha1", "sha256", "sha512"; returns the digest's length (<= 64), 0 if unknown */
extern size_t callsync_hmac(const char *algorithm, const void *key, size_t key_len,
							const void *data, size_t len, uint8_t out[64]);

/* Lower-case hex; out holds 2*len+1 */
extern void callsync_hex(const uint8_t *data, size_t len, char *out);
extern bool callsync_unhex(const char *s, size_t len, uint8_t *out);

/* Standard alphabet with padding; out holds 4*((len+2)/3)+1; returns length */
extern size_t callsync_base64_encode(const void *data, size_t len, char *out);
/* URL alphabet without padding (JWT) */
extern size_t callsync_base64url_encode(const void *data, size_t len, char *out);
/* Takes both alphabets, with or without padding; -1 if it is no base64; out holds 3*len/4+3 */
extern int64_t callsync_base64_decode(const char *s, size_t len, uint8_t *out);

/* Time independent of the content; lengths may differ */
extern bool callsync_equal_secret(const void *a, size_t a_len, const void *b, size_t b_len);

/* UUID version 5; ns is 16 bytes; out holds 37 */
extern void callsync_uuid5(const uint8_t ns[16], const char *name, size_t len, char *out);
/* The namespace of every client-chosen id of callsync (a constant of this project) */
extern const uint8_t callsync_uuid_namespace[16];

/*
 * RS256 over data with a PEM private key (PKCS#1 or PKCS#8).  Returns the
 * signature's length, 0 on failure (not a key, no room).  out_size >= 512 serves
 * keys up to 4096 bits.
 */
extern size_t callsync_rs256_sign(const char *pem, size_t pem_len, const void *data, size_t len,
								  uint8_t *out, size_t out_size);

/*
 * Standard Webhooks: the value of the header webhook-signature over
 * "id.timestamp.body".  Each secret is "whsec_" + base64 (or raw bytes without
 * the prefix); several give several space-separated signatures (key rotation).
 * Returns the length written (0: a secret is not usable or out is too small).
 * 49 bytes per secret are enough.
 */
extern size_t callsync_webhook_sign(const char *const *secrets, const size_t *secret_lens, int nsecrets,
									const char *id, int64_t timestamp_s,
									const void *body, size_t body_len,
									char *out, size_t out_size);
#endif
