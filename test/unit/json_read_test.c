/*
 * json_read_test.c
 *		The fast reader makes what jansson makes, or leaves it to jansson.
 */
#include "core/json_read.h"

#include <stdlib.h>

#include "unit.h"

/* fast: it must read this one itself */
static const struct
{
	const char *text;
	bool		fast;
}			cases[] = {
	{"{}", true}, {"[]", true}, {" { } ", true}, {"[ ]", true}, {"true", true}, {"false", true}, {"null", true}, {"\"\"", true},
	{"{\"a\": 1, \"b\": [1, -2, 30], \"c\": {\"d\": null, \"e\": [true, false]}}", true},
	{"{\"z\":\"last\",\"a\":\"first\",\"z\":\"again\"}", true},
	{"\"plain text with \xc3\xa9 and \xf0\x9f\x98\x80\"", true},
	{"{\"\xc3\xa9t\xc3\xa9\": \"\xe6\x97\xa5\"}", true},
	{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\"", true},
	{"[0, -0, 1, 999999999999999999, -99999999999999999, 0.1, -2.5e-3, 1E5, 12345.678901234567]", true},
	{"[\t1 ,\n2\r]", true},
	/* left to jansson: it reads them */
	{"\"\\ud83d\\ude00\"", false}, {"\"\\u0000\"", false}, {"[9223372036854775807]", false}, {"{\"a\\nb\": 1}", false},
	/* left to jansson: it refuses them */
	{"", false}, {" ", false}, {"{", false}, {"[1,]", false}, {"{\"a\":}", false}, {"{\"a\" 1}", false}, {"{a: 1}", false}, {"[1 2]", false},
	{"\"open", false}, {"\"bad \\x\"", false}, {"\"\\u12\"", false}, {"\"\\ud800\"", false}, {"\"a\nb\"", false}, {"01", false},
	{"-", false}, {"1.", false}, {"1e", false}, {"1e999", false}, {"nul", false}, {"truex", false}, {"{} {}", false}, {"[1]]", false},
	{"\"\xc3\"", false}, {"\"\xff\"", false}, {"{\"\xc3\": 1}", false}, {"[99999999999999999999]", false}, {"\"\\", false},
};

/* Same value, same types, same order of keys as jansson's; true where the fast reader took it. */
static bool
compare(const char *text, size_t len)
{
	char	   *copy = malloc(len + 1);		/* of exactly that size: a sanitizer sees a byte too far */
	json_t	   *fast;
	json_t	   *slow;
	bool		taken;

	memcpy(copy, text, len);
	copy[len] = '\0';
	fast = callsync_json_read(copy, len);
	slow = json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	taken = fast != NULL;
	if (taken)
	{
		char	   *a = json_dumps(fast, JSON_ENCODE_ANY | JSON_COMPACT);
		char	   *b = slow ? json_dumps(slow, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

		if (!CHECK(slow != NULL && json_equal(fast, slow) && a != NULL && b != NULL && strcmp(a, b) == 0))
			fprintf(stderr, "    of %s\n", copy);
		free(a);
		free(b);
	}
	json_decref(fast);
	json_decref(slow);
	free(copy);
	return taken;
}

int
main(void)
{
	static const char alphabet[] = "{}[]\",:\\ntfu0123456789.eE+- ax\xc3\xa9\xff\n";
	char		deep[4096];
	unsigned	seed = 7;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		size_t		len = strlen(cases[i].text);

		if (!CHECK(compare(cases[i].text, len) == cases[i].fast))
			fprintf(stderr, "    %s\n", cases[i].text);
		/* every cut, and every byte replaced */
		for (size_t n = 0; n < len; n++)
			(void) compare(cases[i].text, n);
		for (size_t at = 0; at < len && len < sizeof(deep); at++)
			for (size_t c = 0; c < sizeof(alphabet) - 1; c++)
			{
				memcpy(deep, cases[i].text, len);
				deep[at] = alphabet[c];
				(void) compare(deep, len);
			}
	}

	/* nesting: shallow is read, deep is left alone */
	for (int depth = 1; depth < 2000; depth = depth * 2 + 1)
	{
		memset(deep, '[', depth);
		memset(deep + depth, ']', depth);
		CHECK(compare(deep, 2 * depth) == (depth <= 65));
	}

	/* strings and keys of every length around the limits */
	for (size_t n = 500; n < 530; n++)
	{
		char		text[1200];
		size_t		len;

		memset(deep, 'k', n);
		len = (size_t) snprintf(text, sizeof(text), "{\"%.*s\": \"%.*s\\n\"}", (int) n, deep, (int) n, deep);
		CHECK(compare(text, len) == (n < 512));
	}

	/* what a document looks like, damaged at random */
	for (int round = 0; round < 20000; round++)
	{
		static const char document[] = "{\"caller\": {\"name\": \"Ada \\\"L\\\" \xc3\xa9\", \"phone\": \"+1415\"}, \"duration_s\": 180, "
			"\"score\": 0.25, \"tags\": [\"a\", \"b\", null], \"vip\": true, \"at\": \"2026-11-20T10:00:00+00:00\"}";
		size_t		len = sizeof(document) - 1;

		memcpy(deep, document, len);
		for (int k = 0; k < 1 + round % 3; k++)
		{
			seed = seed * 1103515245u + 12345u;
			deep[(seed >> 8) % len] = alphabet[(seed >> 20) % (sizeof(alphabet) - 1)];
		}
		(void) compare(deep, len);
	}
	return unit_done("json_read");
}
