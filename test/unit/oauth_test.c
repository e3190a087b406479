/*
 * oauth_test.c
 *		Form bodies, assertions, token answers and due times.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "core/crypto.h"
#include "core/oauth.h"

#include "unit.h"

static CallsyncTokenAnswer
read_answer(const CallsyncAuth *auth, int status, const char *text, json_t **keep)
{
	CallsyncTokenAnswer answer;

	*keep = text ? json_loads(text, 0, NULL) : NULL;
	callsync_token_answer_read(auth, status, *keep, "/instance_url", &answer);
	return answer;
}

/* Verified with libcrypto's own verification, not with our signing code. */
static bool
verifies(EVP_PKEY *key, const char *jwt)
{
	const char *last = strrchr(jwt, '.');
	uint8_t		signature[2048];
	int64_t		len = callsync_base64_decode(last + 1, strlen(last + 1), signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool		ok = EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		EVP_DigestVerify(ctx, signature, (size_t) len, (const uint8_t *) jwt, (size_t) (last - jwt)) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}

int
main(void)
{
	char		form[200];
	size_t		len;
	static const char *const fatal[] = {"invalid_grant", "invalid_code", NULL};
	CallsyncAuth auth = {
		.access_pointer = "/access_token", .refresh_pointer = "/refresh_token",
		.expires_in_pointer = "/expires_in", .error_pointer = "/error",
		.error_description_pointer = "/error_description", .fatal_errors = fatal
	};
	CallsyncTokenAnswer answer;
	json_t	   *keep;

	/* form bodies */
	len = callsync_form_append(form, sizeof(form), 0, "grant_type", "refresh_token");
	len = callsync_form_append(form, sizeof(form), len, "a b", "\xc3\xa4&=+/?%~-._");
	CHECK_STR(form, "grant_type=refresh_token&a%20b=%C3%A4%26%3D%2B%2F%3F%25~-._");
	CHECK(len == strlen(form));
	CHECK(callsync_form_append(NULL, 0, 0, "n", "v w") == 7);
	CHECK(callsync_form_append(form, 4, 0, "name", "value") == 10 && strcmp(form, "nam") == 0);

	/* answers */
	answer = read_answer(&auth, 200, "{\"access_token\":\"A\",\"refresh_token\":\"R\",\"expires_in\":1800,"
						 "\"instance_url\":\"https://x\"}", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_GRANTED && answer.lifetime_s == 1800);
	CHECK_STR(answer.access, "A");
	CHECK_STR(answer.refresh, "R");
	CHECK_STR(answer.base_url, "https://x");
	json_decref(keep);
	answer = read_answer(&auth, 200, "{\"access_token\":\"A\",\"expires_in\":\"3600\"}", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_GRANTED && answer.lifetime_s == 3600 && answer.refresh == NULL);
	json_decref(keep);
	auth.default_lifetime_s = 77;
	answer = read_answer(&auth, 200, "{\"access_token\":\"A\",\"expires_in\":\"soon\"}", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_GRANTED && answer.lifetime_s == 77);
	json_decref(keep);
	answer = read_answer(&auth, 200, "{\"access_token\":\"A\",\"expires_in\":1e300}", &keep);
	CHECK(answer.lifetime_s == 315360000);
	json_decref(keep);
	answer = read_answer(&auth, 200, "{\"access_token\":\"A\",\"expires_in\":-5}", &keep);
	CHECK(answer.lifetime_s == 77);
	json_decref(keep);
	answer = read_answer(&auth, 200, "{\"access_token\":\"\"}", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_LATER);
	json_decref(keep);
	answer = read_answer(&auth, 200, "{\"access_token\":5}", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_LATER);
	json_decref(keep);
	answer = read_answer(&auth, 200, "{\"error\":\"invalid_code\"}", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_REFUSED);
	CHECK_STR(answer.error, "invalid_code");
	json_decref(keep);
	auth.error_on_200 = true;
	answer = read_answer(&auth, 200, "{\"access_token\":\"A\",\"error\":\"Access Denied\"}", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_LATER && answer.access == NULL);
	json_decref(keep);
	answer = read_answer(&auth, 400, "{\"error\":\"invalid_grant\",\"error_description\":\"gone\"}", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_REFUSED);
	CHECK_STR(answer.description, "gone");
	json_decref(keep);
	answer = read_answer(&auth, 400, "{\"error\":\"slow_down\"}", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_LATER);
	json_decref(keep);
	answer = read_answer(&auth, 503, "{\"error\":\"invalid_grant\"}", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_LATER);
	json_decref(keep);
	answer = read_answer(&auth, 429, "{\"error\":\"invalid_grant\"}", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_LATER);
	json_decref(keep);
	answer = read_answer(&auth, 200, NULL, &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_LATER);
	answer = read_answer(&auth, 200, "[1]", &keep);
	CHECK(answer.verdict == CALLSYNC_TOKEN_LATER);
	json_decref(keep);

	/* due times: 80 %, or earlier by the connector's wish, never before half of it */
	CHECK(callsync_token_renew_ms(1000, 1800000, 0, 0) == 1000 + 1440000);
	CHECK(callsync_token_renew_ms(0, 1800000, 120000, 0) == 1440000);
	CHECK(callsync_token_renew_ms(0, 1800000, 600000, 0) == 1200000);
	CHECK(callsync_token_renew_ms(0, 30000, 120000, 0) == 24000);
	CHECK(callsync_token_renew_ms(0, 1800000, 0, 0.999) >= 1440000 - 90000);
	CHECK(callsync_token_renew_ms(0, 1800000, 0, 0.999) < 1440000 - 89000);

	/* assertions */
	{
		EVP_PKEY   *key = EVP_RSA_gen(2048);
		BIO		   *bio = BIO_new(BIO_s_mem());
		char	   *pem;
		long		pem_len;
		char	   *jwt;
		static const char claims[] = "{\"iss\":\"me\",\"exp\":1}";

		PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
		pem_len = BIO_get_mem_data(bio, &pem);
		jwt = callsync_jwt_rs256(claims, strlen(claims), pem, (size_t) pem_len);
		if (CHECK(jwt != NULL))
		{
			static const char start[] = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJtZSIsImV4cCI6MX0.";

			CHECK(strncmp(jwt, start, strlen(start)) == 0);
			CHECK(strpbrk(jwt, "+/=") == NULL);
			CHECK(verifies(key, jwt));
			jwt[40] ^= 1;
			CHECK(!verifies(key, jwt));
		}
		free(jwt);
		CHECK(callsync_jwt_rs256(claims, strlen(claims), "no key", 6) == NULL);
		BIO_free(bio);
		EVP_PKEY_free(key);
	}
	return unit_done("oauth");
}
