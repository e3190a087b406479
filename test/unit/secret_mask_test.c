/*
 * secret_mask_test.c
 *		Secrets vanish byte for byte, everything else stays, whatever the body looks like.
 */
#include "core/secret_mask.h"

#include <jansson.h>
#include <stdlib.h>

#include "unit.h"

static const char *const names[] = {"ssn", "caller.pin"};
static const char *const values[] = {"live-secret-value", "short", "4155550123"};
static const size_t value_lens[] = {17, 5, 10};
static const CallsyncMaskRules rules = {names, 2, values, value_lens, 3};

static const struct
{
	const char *in;
	const char *want;
	int			masked;
}			cases[] = {
	{"{\"auth\":{\"type\":\"Bearer\",\"token\":\"abc\"},\"x\":\"y\"}", "{\"auth\":{\"type\":\"Bearer\",\"token\":\"***\"},\"x\":\"y\"}", 1},
	{"{ \"auth\" : \"abc\" , \"x\" : 1 }", "{ \"auth\" : \"***\" , \"x\" : 1 }", 1},
	{"{\"credentials\":{\"user\":\"me\",\"list\":[\"a\",[\"b\"],{\"c\":\"d\"}]},\"z\":\"d\"}", "{\"credentials\":{\"user\":\"**\",\"list\":[\"*\",[\"*\"],{\"c\":\"*\"}]},\"z\":\"d\"}", 4},
	{"{\"api_key\":\"k\\\"ey\\\\\",\"x\":\"api_key\"}", "{\"api_key\":\"*******\",\"x\":\"api_key\"}", 1},
	/* a name in escapes is the same name */
	{"{\"t\\u006fken\":\"abc\"}", "{\"t\\u006fken\":\"***\"}", 1},
	/* numbers stay numbers, null and true tell nothing */
	{"{\"password\":12.5e3,\"token\":null,\"secret\":true}", "{\"password\":11.1e1,\"token\":null,\"secret\":true}", 1},
	{"{\"password\":-7}", "{\"password\":-1}", 1},
	/* configured: by name anywhere, by the end of the path */
	{"{\"ssn\":\"1\",\"a\":{\"ssn\":\"2\"},\"pin\":\"3\",\"caller\":{\"pin\":\"4\",\"x\":{\"pin\":\"5\"}},\"q\":{\"caller\":{\"pin\":\"6\"}}}",
	"{\"ssn\":\"*\",\"a\":{\"ssn\":\"*\"},\"pin\":\"3\",\"caller\":{\"pin\":\"*\",\"x\":{\"pin\":\"5\"}},\"q\":{\"caller\":{\"pin\":\"*\"}}}", 4},
	{"{\"caller\":[{\"pin\":\"4\"}]}", "{\"caller\":[{\"pin\":\"*\"}]}", 1},
	/* known values anywhere, also in texts */
	{"{\"note\":\"use live-secret-value now, short one\"}", "{\"note\":\"use ***************** now, short one\"}", 1},
	/* a secret of digits: in a number it becomes another number, or the body could not be read any more */
	{"{\"a\":4155550123,\"b\":[4155550123, -14155550123.5],\"c\":\"4155550123\",\"d\":\"+14155550123, home\"}",
	"{\"a\":1111111111,\"b\":[1111111111, -11111111111.5],\"c\":\"**********\",\"d\":\"+1**********, home\"}", 5},
	/* where its first character ends an escape, the escape goes too; behind a backslash that is itself escaped only the value */
	{"{\"a\":\"x\\u0004155550123\",\"b\":\"\\\\u0004155550123\",\"c\":\"\\live-secret-value\"}",
	"{\"a\":\"x***************\",\"b\":\"\\\\u000**********\",\"c\":\"******************\"}", 3},
	/* JSON inside a text */
	{"{\"raw\":\"{\\\"token\\\":\\\"abc\\\",\\\"x\\\":\\\"y\\\"}\"}", "{\"raw\":\"{\\\"token\\\":\\\"***\\\",\\\"x\\\":\\\"y\\\"}\"}", 1},
	/* cut and broken */
	{"{\"token\":\"abc", "{\"token\":\"***", 1},
	{"{\"token\":\"abc\\", "{\"token\":\"****", 1},
	{"{\"a\":1,,\"token\" :\n\"abc\"]]}}", "{\"a\":1,,\"token\" :\n\"***\"]]}}", 1},
	{"\"token\":\"abc\"", "\"token\":\"***\"", 1},
	{"}}]],\"x\":{\"token\":\"abc\"", "}}]],\"x\":{\"token\":\"***\"", 1},
	{"{\"token\"", "{\"token\"", 0},
	{"{\"token\":", "{\"token\":", 0},
	{"\\", "\\", 0},
	{"", "", 0},
	/* forms and other text */
	{"call_id=a&access_token=abc&x=1&api%5Fkey=de", "call_id=a&access_token=***&x=1&api%5Fkey=**", 2},
	{"ssn=1&pin=2", "ssn=*&pin=2", 1},
	{"token=abc and secret=d\nx", "token=*** and secret=*\nx", 2},
	/* what only sounds like it */
	{"{\"next_page_token\":\"n\",\"token_type\":\"Bearer\",\"tokens\":\"7\"}", "{\"next_page_token\":\"n\",\"token_type\":\"Bearer\",\"tokens\":\"7\"}", 0},
};

int
main(void)
{
	unsigned	seed = 1;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char	   *text = strdup(cases[i].in);
		size_t		len = strlen(text);
		int			masked = callsync_mask_body(text, len, &rules);

		CHECK_STR(text, cases[i].want);
		if (!CHECK(masked == cases[i].masked))
			fprintf(stderr, "    %s: %d\n", cases[i].in, masked);
		/* again: nothing changes */
		callsync_mask_body(text, len, &rules);
		CHECK_STR(text, cases[i].want);
		free(text);

		/* every cut of it, in a block of exactly that size: no byte beyond is touched */
		for (size_t n = 0; n < len; n++)
		{
			char	   *cut = malloc(n + 1);

			memcpy(cut, cases[i].in, n);
			callsync_mask_body(cut, n, &rules);
			free(cut);
		}
	}

	/* random nesting: JSON before is JSON after, and the canary is gone */
	for (int round = 0; round < 2000; round++)
	{
		char		text[4096];
		size_t		n = 0;
		int			depth = 0;
		json_t	   *json;

		n += (size_t) sprintf(text, "{");
		for (int k = 0; k < 60; k++)
		{
			seed = seed * 1103515245u + 12345u;
			switch ((seed >> 16) % 6)
			{
				case 0:
					n += (size_t) sprintf(text + n, "\"m%d\":{", k);
					depth++;
					break;
				case 1:
					if (depth > 0)
					{
						n += (size_t) sprintf(text + n, "\"e%d\":0},", k);
						depth--;
					}
					break;
				case 2:
					n += (size_t) sprintf(text + n, "\"k%d_token\" : \"CANARY-\\u0041\\\"\",", k);
					break;
				case 3:
					n += (size_t) sprintf(text + n, "\"k%d_secret\":[1,\"CANARY-\",{\"a\":\"CANARY-\"}],", k);
					break;
				case 4:
					n += (size_t) sprintf(text + n, "\"p%d\":\"plain {[\\\"]},:\",", k);
					break;
				default:
					n += (size_t) sprintf(text + n, "\"n%d\":-1.5e2,", k);
					break;
			}
		}
		n += (size_t) sprintf(text + n, "\"end\":0");
		while (depth-- >= 0)
			n += (size_t) sprintf(text + n, "}");
		callsync_mask_body(text, n, &rules);
		json = json_loadb(text, n, 0, NULL);
		if (!CHECK(json != NULL && strstr(text, "CANARY-") == NULL))
		{
			fprintf(stderr, "    %s\n", text);
			break;
		}
		json_decref(json);
	}
	return unit_done("secret_mask");
}
