/*
 * crypto.c
 *		Digests and signatures by libcrypto, see crypto.h.
 *
 * Only one-shot calls: no handle outlives a function, nothing can leak into the
 * caller's error path.
 */
#include "core/crypto.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <stdio.h>
#include <string.h>

/* uuid5(DNS, "callsync.invalid"): any constant would do, it must only never change */
const uint8_t callsync_uuid_namespace[16] = {
	0x6c, 0x0a, 0x1d, 0x5e, 0x3b, 0x2f, 0x5b, 0x7d,
	0x9e, 0x41, 0x52, 0x8a, 0xf0, 0x6d, 0x17, 0xc3
};

void
callsync_sha256(const void *data, size_t len, uint8_t out[CALLSYNC_SHA256_LEN])
{
	SHA256(data, len, out);
}

size_t
callsync_hmac(const char *algorithm, const void *key, size_t key_len,
			  const void *data, size_t len, uint8_t out[64])
{
	const EVP_MD *md;
	unsigned int out_len = 0;

	if (strcmp(algorithm, "sha256") == 0)
		md = EVP_sha256();
	else if (strcmp(algorithm, "sha1") == 0)
		md = EVP_sha1();
	else if (strcmp(algorithm, "sha512") == 0)
		md = EVP_sha512();
	else
		return 0;
	/* HMAC() refuses a NULL key, an empty one is legal */
	if (HMAC(md, key_len > 0 ? key : "", (int) key_len, data, len, out, &out_len) == NULL)
		return 0;
	return out_len;
}

void
callsync_hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
					 uint8_t out[CALLSYNC_SHA256_LEN])
{
	uint8_t		digest[64];

	memset(out, 0, CALLSYNC_SHA256_LEN);
	if (callsync_hmac("sha256", key, key_len, data, len, digest) == CALLSYNC_SHA256_LEN)
		memcpy(out, digest, CALLSYNC_SHA256_LEN);
}

void
callsync_hex(const uint8_t *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++)
	{
		*out++ = digits[data[i] >> 4];
		*out++ = digits[data[i] & 15];
	}
	*out = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool
callsync_unhex(const char *s, size_t len, uint8_t *out)
{
	if (len % 2 != 0)
		return false;
	for (size_t i = 0; i < len; i += 2)
	{
		int			hi = hex_digit(s[i]);
		int			lo = hex_digit(s[i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		*out++ = (uint8_t) (hi << 4 | lo);
	}
	return true;
}

static size_t
base64(const uint8_t *in, size_t len, char *out, const char *alphabet, bool pad)
{
	char	   *start = out;

	for (size_t i = 0; i < len; i += 3)
	{
		uint32_t	group = (uint32_t) in[i] << 16;
		size_t		left = len - i;

		if (left > 1)
			group |= (uint32_t) in[i + 1] << 8;
		if (left > 2)
			group |= in[i + 2];
		*out++ = alphabet[group >> 18];
		*out++ = alphabet[(group >> 12) & 63];
		if (left > 1)
			*out++ = alphabet[(group >> 6) & 63];
		else if (pad)
			*out++ = '=';
		if (left > 2)
			*out++ = alphabet[group & 63];
		else if (pad)
			*out++ = '=';
	}
	*out = '\0';
	return (size_t) (out - start);
}

size_t
callsync_base64_encode(const void *data, size_t len, char *out)
{
	return base64(data, len, out,
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", true);
}

size_t
callsync_base64url_encode(const void *data, size_t len, char *out)
{
	return base64(data, len, out,
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", false);
}

int64_t
callsync_base64_decode(const char *s, size_t len, uint8_t *out)
{
	uint8_t    *start = out;
	uint32_t	group = 0;
	int			bits = 0;

	while (len > 0 && s[len - 1] == '=')
		len--;
	if (len % 4 == 1)
		return -1;
	for (size_t i = 0; i < len; i++)
	{
		char		c = s[i];
		int			v;

		if (c >= 'A' && c <= 'Z')
			v = c - 'A';
		else if (c >= 'a' && c <= 'z')
			v = c - 'a' + 26;
		else if (c >= '0' && c <= '9')
			v = c - '0' + 52;
		else if (c == '+' || c == '-')
			v = 62;
		else if (c == '/' || c == '_')
			v = 63;
		else
			return -1;
		group = group << 6 | (uint32_t) v;
		bits += 6;
		if (bits >= 8)
		{
			bits -= 8;
			*out++ = (uint8_t) (group >> bits);
		}
	}
	return out - start;
}

bool
callsync_equal_secret(const void *a, size_t a_len, const void *b, size_t b_len)
{
	return a_len == b_len && CRYPTO_memcmp(a, b, a_len) == 0;
}

void
callsync_uuid5(const uint8_t ns[16], const char *name, size_t len, char *out)
{
	uint8_t		digest[SHA_DIGEST_LENGTH];
	char		hex[33];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	memset(digest, 0, sizeof(digest));
	if (ctx != NULL)
	{
		EVP_DigestInit_ex(ctx, EVP_sha1(), NULL);
		EVP_DigestUpdate(ctx, ns, 16);
		EVP_DigestUpdate(ctx, name, len);
		EVP_DigestFinal_ex(ctx, digest, NULL);
		EVP_MD_CTX_free(ctx);
	}
	digest[6] = (uint8_t) ((digest[6] & 0x0f) | 0x50);
	digest[8] = (uint8_t) ((digest[8] & 0x3f) | 0x80);
	callsync_hex(digest, 16, hex);
	snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

size_t
callsync_rs256_sign(const char *pem, size_t pem_len, const void *data, size_t len,
					uint8_t *out, size_t out_size)
{
	BIO		   *bio = BIO_new_mem_buf(pem, (int) pem_len);
	EVP_PKEY   *key = NULL;
	EVP_MD_CTX *ctx = NULL;
	size_t		sig_len = 0;

	if (bio == NULL)
		return 0;
	/* An empty passphrase, never the callback that would ask on the terminal */
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *) "");
	BIO_free(bio);
	if (key != NULL && EVP_PKEY_base_id(key) == EVP_PKEY_RSA &&
		(ctx = EVP_MD_CTX_new()) != NULL &&
		EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		EVP_DigestSign(ctx, NULL, &sig_len, data, len) == 1 &&
		sig_len <= out_size)
	{
		if (EVP_DigestSign(ctx, out, &sig_len, data, len) != 1)
			sig_len = 0;
	}
	else
		sig_len = 0;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return sig_len;
}

/*
 * HMAC-SHA256 of several pieces: a body may be large, it is not copied for the signature.
 * (An EVP_PKEY made of the key takes four times as long for a kilobyte.)
 */
static bool
hmac_pieces(const uint8_t *key, size_t key_len, const void *const *pieces, const size_t *lens, int n,
			uint8_t out[CALLSYNC_SHA256_LEN])
{
	EVP_MAC    *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	OSSL_PARAM	params[] = {
		OSSL_PARAM_construct_utf8_string("digest", (char *) "SHA256", 0),
		OSSL_PARAM_construct_end()
	};
	size_t		out_len = 0;
	bool		ok = ctx != NULL && EVP_MAC_init(ctx, key, key_len, params) == 1;

	for (int i = 0; i < n && ok; i++)
		ok = EVP_MAC_update(ctx, pieces[i], lens[i]) == 1;
	ok = ok && EVP_MAC_final(ctx, out, &out_len, CALLSYNC_SHA256_LEN) == 1 && out_len == CALLSYNC_SHA256_LEN;
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return ok;
}

size_t
callsync_webhook_sign(const char *const *secrets, const size_t *secret_lens, int nsecrets,
					  const char *id, int64_t timestamp_s, const void *body, size_t body_len,
					  char *out, size_t out_size)
{
	size_t		used = 0;
	char		stamp[32];
	int			stamp_len = snprintf(stamp, sizeof(stamp), ".%lld.", (long long) timestamp_s);
	const void *const pieces[] = {id, stamp, body};
	const size_t lens[] = {strlen(id), (size_t) stamp_len, body_len};

	for (int i = 0; i < nsecrets; i++)
	{
		uint8_t		key[512];
		int64_t		key_len;
		uint8_t		digest[CALLSYNC_SHA256_LEN];
		bool		ok;

		if (secret_lens[i] > sizeof(key))
			return 0;
		if (secret_lens[i] > 6 && memcmp(secrets[i], "whsec_", 6) == 0)
			key_len = callsync_base64_decode(secrets[i] + 6, secret_lens[i] - 6, key);
		else
		{
			memcpy(key, secrets[i], secret_lens[i]);
			key_len = (int64_t) secret_lens[i];
		}
		/* "v1," + 44 + separator or NUL */
		if (key_len <= 0 || out_size - used < 49)
			return 0;

		ok = hmac_pieces(key, (size_t) key_len, pieces, lens, 3, digest);
		OPENSSL_cleanse(key, sizeof(key));
		if (!ok)
			return 0;
		if (used > 0)
			out[used++] = ' ';
		memcpy(out + used, "v1,", 3);
		used += 3;
		used += callsync_base64_encode(digest, sizeof(digest), out + used);
	}
	if (used == 0 && out_size > 0)
		out[0] = '\0';
	return used;
}
