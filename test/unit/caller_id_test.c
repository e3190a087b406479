/*
 * caller_id_test.c
 *		The caller-id layer: its word lists, its kinds, and that row 0 of the phone code
 *		allocates nothing.
 */
#include <stdlib.h>

#include "core/caller_id.h"
#include "core/caller_words.h"
#include "core/phone.h"
#include "unit.h"

/*
 * Every allocation of the program goes through here and is counted. The sanitizers have
 * an allocator of their own; with them the count stays 0 and proves nothing, but then
 * they watch the heap themselves.
 */
#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
static const bool counts_allocations = false;
static long allocations;
#else
static const bool counts_allocations = true;
static long allocations;
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);

void *
malloc(size_t n)
{
	allocations++;
	return __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	allocations++;
	return __libc_realloc(p, n);
}
#endif

static CallsyncCallerId
ask(const char *raw, const char *region)
{
	CallsyncCallerId id;

	callsync_caller_id(raw, strlen(raw), callsync_region_lookup(region, strlen(region)), &id);
	return id;
}

/* "kind +digits xEXT" */
static const char *
answer(const char *raw, const char *region)
{
	static char buf[200];
	CallsyncCallerId id = ask(raw, region);

	strcpy(buf, callsync_caller_kind_name(id.kind));
	if (id.code != 0)
	{
		char		digits[CALLSYNC_PHONE_MAX_DIGITS];
		int			n = callsync_phone_unpack(id.code, digits);

		sprintf(buf + strlen(buf), " +%.*s", n, digits);
	}
	if (id.extension_len > 0)
		sprintf(buf + strlen(buf), " x%s", id.extension);
	return buf;
}

static void
test_words(void)
{
	char		folded[CALLER_FOLD_MAX];
	bool		stable = true;
	int			n = 0;

	/* the lists hold words as folding leaves them, else they could never be found */
	for (const char *w; (w = callsync_caller_phrase(n)) != NULL; n++)
	{
		int			len = callsync_caller_fold(w, strlen(w), folded);

		if (len != (int) strlen(w) || memcmp(folded, w, len) != 0)
		{
			fprintf(stderr, "\"%s\" folds to \"%.*s\"\n", w, len, folded);
			stable = false;
		}
	}
	CHECK(stable);
	CHECK(n > 300);
	CHECK(callsync_caller_word("Anonymous", 9) == CALLER_WORD_PRIVATE);
	CHECK(callsync_caller_word("the caller's number is withheld", 31) == CALLER_WORD_NONE);
	CHECK(callsync_caller_word("caller number is withheld", 25) == CALLER_WORD_PRIVATE);
	CHECK(callsync_caller_word("Unknown number", 14) == CALLER_WORD_UNAVAILABLE);
	CHECK(callsync_caller_word("Unknown Soldier", 15) == CALLER_WORD_NONE);
	CHECK(callsync_caller_word("Private Ryan", 12) == CALLER_WORD_NONE);
	CHECK(callsync_caller_word("caller", 6) == CALLER_WORD_NONE);
	CHECK(callsync_caller_word("", 0) == CALLER_WORD_NONE);
	CHECK(callsync_caller_word("anonymous1", 10) == CALLER_WORD_NONE);
	CHECK_STR(callsync_caller_keypad_word("266696687", 9), "anonymous");
	CHECK_STR(callsync_caller_keypad_word("7378742833", 10), "restricted");
	CHECK(callsync_caller_keypad_word("26669668", 8) == NULL);
	CHECK(callsync_caller_keypad_word("2666966870", 10) == NULL);
}

static void
test_kinds(void)
{
	CHECK_STR(answer("+12125550147", ""), "number +12125550147");
	CHECK_STR(answer("\"A\" <sip:+12125550147@h>", ""), "number +12125550147");
	CHECK_STR(answer("tel:+12125550147;ext=007", ""), "number +12125550147 x007");
	CHECK_STR(answer("212-555-0147 x \331\243\331\244", "US"), "number +12125550147 x34");
	CHECK_STR(answer("anonymous", "US"), "withheld");
	CHECK_STR(answer("911", "US"), "emergency");
	CHECK_STR(answer("911", "GB"), "invalid");
	CHECK_STR(answer("116117", "DE"), "short_code");
	CHECK_STR(answer("", "US"), "invalid");
	CHECK_STR(answer("\"", "US"), "invalid");
	CHECK_STR(answer("<", "US"), "invalid");
	CHECK_STR(answer("sip:%", "US"), "invalid");
	CHECK_STR(answer("sip:%2@", "US"), "invalid");
	CHECK_STR(answer("*", "US"), "invalid");
	CHECK_STR(answer("**67*67*67*67*67*67*67", "US"), "invalid");
	CHECK(ask("+12125550147", "").test_range);
	CHECK(!ask("+12125550247", "").test_range);
	/* a library quirk: in Guinea it takes anything for an emergency; we do not */
	CHECK_STR(answer("623123456", "GN"), "number +224623123456");

	/* very many numbers in one field end, too */
	char		many[1200];

	for (int i = 0; i < 1000; i++)
		many[i] = i % 2 ? ',' : '1';
	CallsyncCallerId id;

	callsync_caller_id(many, 1000, CALLSYNC_REGION_NONE, &id);
	CHECK(id.kind == CALLSYNC_CALLER_INVALID);
	memset(many, '<', 1000);
	callsync_caller_id(many, 1000, CALLSYNC_REGION_NONE, &id);
	CHECK(id.kind == CALLSYNC_CALLER_INVALID);
}

static void
test_no_allocation(void)
{
	static const char *const inputs[] = {
		"+12125550147", "(212) 555-0147 ext. 12", "\357\274\213\357\274\221 212 555 0147", "1-800-FLOWERS", "0343 15 555 1212",
		"tel:555-0147;phone-context=+1212", "\"A \\\"B\" <sip:+12125550147@h;user=phone>;tag=1", "anonymous", "+266696687", "*67 2125550147",
		"510-555-0100 or 510-555-0101 / 510-555-0102", "911", "messenger:123", "Num\303\251ro masqu\303\251", "", "12", "+1234567890123456789012"
	};
	long		before = allocations;
	unsigned long sum = 0;

	for (unsigned i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++)
	{
		for (int region = CALLSYNC_REGION_NONE; region < 250; region += 17)
		{
			static uint64_t near[CALLSYNC_PHONE_NEIGHBOURS_MAX];
			char		buf[CALLSYNC_PHONE_FORMAT_MAX];
			CallsyncPhone p;
			CallsyncCallerId id;
			CallsyncPhoneInfo info;

			callsync_caller_id(inputs[i], strlen(inputs[i]), region, &id);
			sum += id.kind + callsync_same_caller(inputs[i], strlen(inputs[i]), inputs[0], strlen(inputs[0]), region);
			if (callsync_phone_parse(inputs[i], strlen(inputs[i]), region, &p) != CALLSYNC_PHONE_OK)
				continue;
			callsync_phone_info(p.country_code, p.nsn, p.nsn_len, &info);
			for (int s = 0; s < 4; s++)
				sum += callsync_phone_format(p.country_code, p.nsn, p.nsn_len, p.extension, p.extension_len, (CallsyncPhoneStyle) s, buf);
			sum += callsync_phone_neighbours(p.code, near) + callsync_phone_emergency(inputs[i], strlen(inputs[i]), region);
		}
	}
	CHECK(sum > 0);
	CHECK(allocations == before);
	/* the counter works */
	if (counts_allocations)
	{
		void	   *volatile p = malloc(16);

		CHECK(allocations == before + 1);
		free(p);
	}
}

int
main(void)
{
	test_words();
	test_kinds();
	test_no_allocation();
	return unit_done("caller_id");
}
