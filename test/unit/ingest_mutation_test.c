/*
 * ingest_mutation_test.c
 *		The front door under random changes of every platform's webhook.
 *
 * The properties are the fuzzer's (test/fuzz/ingest_fuzz.c), which needs clang; here its
 * corpus is changed by a fixed sequence of random numbers, so that every "make test" runs
 * them. A property that does not hold ends the program.
 */
#include "../fuzz/ingest_fuzz.c"

#include <dirent.h>

#include "unit.h"

#define CORPUS "test/fuzz/corpus/ingest"
#define MAX_SEEDS 100
#define INPUT_SIZE 8192
#define ROUNDS 400				/* per seed */

static uint32_t state = 20261121;

static uint32_t
pick(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % below;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

/* One to four changes; returns the new length. */
static size_t
change(uint8_t *text, size_t len, const uint8_t *other, size_t other_len)
{
	static const char *const bits[] = {"{", "}", "[", "]", "\"", ":", ",", "\\u0000", "\\", "null", "1e999", "-0", "99999999999999999999", "\xff", "\xed\xa0\x80",
	"%", "%zz", "&", "=", "call_id", "token", "\"\"", "{\"a\":1,\"a\":2}", "\n", "webhook-signature:v1,", SECRET};

	for (uint32_t n = 1 + pick(4); n > 0 && len > 0; n--)
	{
		size_t		at = pick((uint32_t) len);
		size_t		count = 1 + pick(24);
		const char *bit = bits[pick(LENGTH(bits))];

		switch (pick(6))
		{
			case 0:
				text[at] ^= (uint8_t) (1u << pick(8));
				break;
			case 1:
				text[at] = (uint8_t) pick(256);
				break;
			case 2:				/* out */
				count = count > len - at ? len - at : count;
				memmove(text + at, text + at + count, len - at - count);
				len -= count;
				break;
			case 3:				/* twice */
				count = count > len - at ? len - at : count;
				if (len + count > INPUT_SIZE)
					break;
				memmove(text + at + count, text + at, len - at);
				len += count;
				break;
			case 4:				/* in */
				count = strlen(bit);
				if (len + count > INPUT_SIZE)
					break;
				memmove(text + at + count, text + at, len - at);
				memcpy(text + at, bit, count);
				len += count;
				break;
			default:			/* the rest of another one */
				count = pick((uint32_t) other_len);
				if (at + other_len - count > INPUT_SIZE)
					break;
				memcpy(text + at, other + count, other_len - count);
				len = at + other_len - count;
				break;
		}
	}
	return len;
}

int
main(void)
{
	DIR		   *dir = opendir(CORPUS);
	char	   *names[MAX_SEEDS];
	uint8_t    *seeds[MAX_SEEDS];
	size_t		lens[MAX_SEEDS];
	int			n = 0;
	struct dirent *entry;
	static uint8_t text[INPUT_SIZE];

	LLVMFuzzerInitialize(NULL, NULL);
	while (dir != NULL && (entry = readdir(dir)) != NULL && n < MAX_SEEDS)
	{
		if (entry->d_name[0] != '.')
			names[n++] = strdup(entry->d_name);
	}
	if (dir != NULL)
		closedir(dir);
	qsort(names, (size_t) n, sizeof(char *), by_name);
	for (int i = 0; i < n; i++)
	{
		char		path[500];
		FILE	   *f;

		snprintf(path, sizeof(path), CORPUS "/%.200s", names[i]);
		f = fopen(path, "rb");
		seeds[i] = malloc(INPUT_SIZE);
		lens[i] = f != NULL ? fread(seeds[i], 1, INPUT_SIZE, f) : 0;
		if (f != NULL)
			fclose(f);
		CHECK(lens[i] > 0);
		LLVMFuzzerTestOneInput(seeds[i], lens[i]);
	}
	/* each scheme of each platform verifies its own seed, or the changes below say little */
	CHECK(inputs_signed == 15);
	CHECK(inputs_events == 21);
	for (int i = 0; i < n; i++)
	{
		for (int round = 0; round < ROUNDS; round++)
		{
			int			other = (int) pick((uint32_t) n);

			memcpy(text, seeds[i], lens[i]);
			LLVMFuzzerTestOneInput(text, change(text, lens[i], seeds[other], lens[other]));
		}
		CHECK(true);
		free(names[i]);
	}
	for (int i = 0; i < n; i++)
		free(seeds[i]);
	for (size_t i = 0; i < LENGTH(kinds); i++)
		callsync_preset_free(presets[i]);
	return unit_done("ingest_mutation");
}
