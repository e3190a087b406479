/*
 * crypto_test.c
 *		Published vectors: FIPS 180, RFC 4231, RFC 4648, RFC 4122, Standard Webhooks.
 */
#include "core/crypto.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "unit.h"

int
main(void)
{
	uint8_t		digest[64];
	char		text[1024];
	uint8_t		bytes[64];

	callsync_sha256("abc", 3, digest);
	callsync_hex(digest, 32, text);
	CHECK_STR(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

	callsync_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, digest);
	callsync_hex(digest, 32, text);
	CHECK_STR(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	CHECK(callsync_hmac("sha1", "Jefe", 4, "what do ya want for nothing?", 28, digest) == 20);
	callsync_hex(digest, 20, text);
	CHECK_STR(text, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	CHECK(callsync_hmac("md5", "Jefe", 4, "x", 1, digest) == 0);
	CHECK(callsync_hmac("sha256", NULL, 0, "x", 1, digest) == 32);

	CHECK(callsync_base64_encode("foobar", 6, text) == 8);
	CHECK_STR(text, "Zm9vYmFy");
	callsync_base64_encode("fooba", 5, text);
	CHECK_STR(text, "Zm9vYmE=");
	callsync_base64_encode("f", 1, text);
	CHECK_STR(text, "Zg==");
	callsync_base64_encode("", 0, text);
	CHECK_STR(text, "");
	callsync_base64url_encode("\xfb\xff\xfe", 3, text);
	CHECK_STR(text, "-__-");
	CHECK(callsync_base64_decode("Zm9vYmE=", 8, bytes) == 5 && memcmp(bytes, "fooba", 5) == 0);
	CHECK(callsync_base64_decode("-__-", 4, bytes) == 3 && bytes[0] == 0xfb);
	CHECK(callsync_base64_decode("Zm9v!", 5, bytes) == -1);
	CHECK(callsync_base64_decode("Z", 1, bytes) == -1);
	CHECK(callsync_unhex("00fF", 4, bytes) && bytes[0] == 0 && bytes[1] == 255);
	CHECK(!callsync_unhex("0", 1, bytes) && !callsync_unhex("zz", 2, bytes));

	CHECK(callsync_equal_secret("abc", 3, "abc", 3));
	CHECK(!callsync_equal_secret("abc", 3, "abd", 3));
	CHECK(!callsync_equal_secret("abc", 3, "ab", 2));

	{
		/* uuid5(DNS namespace, "www.example.com") from RFC 9562, appendix A.4 */
		static const uint8_t dns[16] = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1,
			0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8
		};

		callsync_uuid5(dns, "www.example.com", 15, text);
		CHECK_STR(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
	}

	{
		/* the vector that the reference library of Standard Webhooks signs alike */
		const char *secrets[2] = {"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "another-secret"};
		size_t		lens[2] = {strlen(secrets[0]), strlen(secrets[1])};
		const char *body = "{\"call_id\":\"c1\",\"n\":1.0}";
		const char *bad = "whsec_!!!";
		size_t		bad_len = strlen(bad);

		CHECK(callsync_webhook_sign(secrets, lens, 1, "msg_1", 1795197800, body, strlen(body), text, sizeof(text)) == 47);
		CHECK_STR(text, "v1,62T5TUWKMhkYsLdourJqaO5l2dc7b2QJw51HUOOQBAg=");
		CHECK(callsync_webhook_sign(secrets, lens, 2, "msg_1", 1795197800, body, strlen(body), text, sizeof(text)) == 95);
		CHECK(strncmp(text, "v1,62T5TUWKMhkYsLdourJqaO5l2dc7b2QJw51HUOOQBAg= v1,", 51) == 0);
		CHECK(callsync_webhook_sign(&bad, &bad_len, 1, "m", 1, body, 1, text, sizeof(text)) == 0);
		CHECK(callsync_webhook_sign(secrets, lens, 2, "m", 1, body, 1, text, 60) == 0);
	}

	{
		/* RS256: sign with a fresh key, verify with libcrypto */
		EVP_PKEY   *key = EVP_RSA_gen(2048);
		BIO		   *bio = BIO_new(BIO_s_mem());
		char	   *pem;
		long		pem_len;
		uint8_t		sig[512];
		size_t		n;
		EVP_MD_CTX *ctx = EVP_MD_CTX_new();

		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
		pem_len = BIO_get_mem_data(bio, &pem);
		n = callsync_rs256_sign(pem, (size_t) pem_len, "header.claims", 13, sig, sizeof(sig));
		CHECK(n == 256);
		EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key);
		CHECK(EVP_DigestVerify(ctx, sig, n, (const unsigned char *) "header.claims", 13) == 1);
		CHECK(callsync_rs256_sign(pem, (size_t) pem_len, "x", 1, sig, 100) == 0);
		CHECK(callsync_rs256_sign("no key", 6, "x", 1, sig, sizeof(sig)) == 0);
		EVP_MD_CTX_free(ctx);
		EVP_PKEY_free(key);
		BIO_free(bio);
	}
	return unit_done("crypto");
}
