/* person_key.h: one key per person however written; nothing for nobody */
#include "core/person_key.h"
#include "unit.h"

static int64_t
phone(const char *text, const char *region)
{
	int64_t		key = 0;

	return callsync_person_key_phone(text, strlen(text), region, &key) ? key : 0;
}

static int64_t
email(const char *text)
{
	int64_t		key = 0;

	return callsync_person_key_email(text, strlen(text), &key) ? key : 0;
}

int
main(void)
{
	char		buf[32];

	CHECK(phone("+14155552671", NULL) != 0);
	CHECK(phone("(415) 555-2671", "US") == phone("+14155552671", NULL));
	CHECK(phone("415.555.2671", "US") == phone("+1 415 555 2671", "DE"));
	CHECK(phone("+14155552671", NULL) != phone("+14155552672", NULL));
	CHECK(phone("anonymous", "US") == 0);
	CHECK(phone("+266696687", NULL) == 0);
	CHECK(phone("911", "US") == 0);
	CHECK(phone("4155552671", NULL) == 0);
	CHECK(email("Jon@Example.COM ") == email("jon@example.com"));
	CHECK(email("jon") == 0 && email("@x") == 0 && email("x@") == 0 && email("") == 0);
	CHECK(callsync_person_e164("(415) 555-2671", 14, "US", buf, sizeof(buf)));
	CHECK_STR(buf, "+14155552671");
	CHECK(!callsync_person_e164("(415) 555-2671", 14, "US", buf, 8));
	CHECK(callsync_person_identified(NULL, NULL, NULL, "Ann", NULL));
	CHECK(!callsync_person_identified("anonymous", NULL, NULL, NULL, "US"));
	return unit_done("person_key");
}
