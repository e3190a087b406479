/* redact.h: credentials and cards are masked, everything else stays byte for byte */
#include "core/redact.h"
#include "unit.h"

#include <stdlib.h>

static char buf[4096];

static const char *
json(const char *in)
{
	callsync_redact_json(in, strlen(in), NULL, buf, sizeof(buf));
	return buf;
}

static const char *
text(const char *in)
{
	callsync_redact_text(in, strlen(in), buf, sizeof(buf));
	return buf;
}

static const char *
url(const char *in, bool path_secret)
{
	callsync_redact_url(in, strlen(in), path_secret, buf, sizeof(buf));
	return buf;
}

int
main(void)
{
	static const char *const extra[] = {"ssn", NULL};
	static const char *const live[] = {"s3cret-value", "ab"};
	static const size_t live_len[] = {12, 2};
	char		cards[] = "card 4111 1111 1111 1111, order 4111111111111112, +4111111111111111";
	char		small[8];
	unsigned	seed = 1;

	CHECK(callsync_redact_is_secret_header("Authorization"));
	CHECK(callsync_redact_is_secret_header("X-Api-Key"));
	CHECK(callsync_redact_is_secret_header("Set-Cookie"));
	CHECK(callsync_redact_is_secret_header("webhook-signature"));
	CHECK(callsync_redact_is_secret_header("x-api-token"));
	CHECK(!callsync_redact_is_secret_header("Content-Type"));
	CHECK(!callsync_redact_is_secret_header("traceparent"));
	CHECK(!callsync_redact_is_secret_key("nextPageToken", 13));
	CHECK(callsync_redact_is_secret_key("refresh_token", 13));

	CHECK_STR(json("{\"a\":1,\"auth\":{\"type\":\"Bearer\",\"token\":\"x\"},\"b\":[1,2]}"),
			  "{\"a\":1,\"auth\":\"***\",\"b\":[1,2]}");
	CHECK_STR(json("{\"access_token\" : \"ab\\\"c\", \"expires_in\":1800}"),
			  "{\"access_token\" : \"***\", \"expires_in\":1800}");
	CHECK_STR(json("{\"token\":null,\"summary\":\"call +14155552671 at 10:30\"}"),
			  "{\"token\":null,\"summary\":\"call +14155552671 at 10:30\"}");
	CHECK_STR(json("{\"note\":\"paid with 4111-1111-1111-1111 today\"}"),
			  "{\"note\":\"paid with ****-****-****-1111 today\"}");
	CHECK_STR(json("{\"password\":\"cut of"), "{\"password\":\"***\"");
	callsync_redact_json("{\"ssn\":\"123\"}", 13, extra, buf, sizeof(buf));
	CHECK_STR(buf, "{\"ssn\":\"***\"}");

	CHECK_STR(text("Authorization: Bearer abcdefgh12345678 failed"), "Authorization: Bearer *** failed");
	CHECK_STR(text("the token whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD is old"), "the token *** is old");
	CHECK_STR(text("api_key=abcdef, retry"), "api_key=***, retry");
	CHECK_STR(text("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig here"), "jwt *** here");
	CHECK_STR(text("nothing secret: 17 apples"), "nothing secret: 17 apples");

	CHECK_STR(url("https://user:pw@host/x?a=1&api_token=zz&b=2", false), "https://***@host/x?a=1&api_token=***&b=2");
	CHECK_STR(url("https://hooks.example.com/services/T0/B0/XYZ", true), "https://hooks.example.com/***");
	CHECK_STR(url("https://host", true), "https://host");
	callsync_redact_form("grant_type=refresh_token&refresh_token=abc&client_secret=", 57, NULL, buf, sizeof(buf));
	CHECK_STR(buf, "grant_type=refresh_token&refresh_token=***&client_secret=");

	CHECK(callsync_redact_cards(cards, strlen(cards)) == 1);
	CHECK_STR(cards, "card **** **** **** 1111, order 4111111111111112, +4111111111111111");

	callsync_redact_values("x s3cret-value ab", 17, live, live_len, 2, buf, sizeof(buf));
	CHECK_STR(buf, "x *** ab");

	/* as snprintf: the length needed, never beyond the buffer */
	CHECK(callsync_redact_text("hello world", 11, small, sizeof(small)) == 11);
	CHECK_STR(small, "hello w");

	/* any bytes: bounded, and 3n+1 is enough */
	for (int round = 0; round < 20000; round++)
	{
		char		in[64];
		char		out[3 * 64 + 1];
		size_t		n = (size_t) (rand_r(&seed) % 64);

		for (size_t i = 0; i < n; i++)
			in[i] = "\"\\:{}[]=&token ey4.1-@/?#"[rand_r(&seed) % 25];
		if (callsync_redact_json(in, n, extra, out, sizeof(out)) > 3 * n ||
			callsync_redact_url(in, n, false, out, sizeof(out)) > 3 * n + 3 ||
			callsync_redact_form(in, n, extra, out, sizeof(out)) > 3 * n ||
			callsync_redact_text(in, n, out, sizeof(out)) > 3 * n)
		{
			CHECK(!"longer than promised");
			break;
		}
	}
	return unit_done("redact");
}
