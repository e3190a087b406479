/*
 * person_key.c
 *		Hashes by which everything that belongs to a person can be found.
 */
#include "core/caller_id.h"
#include "core/person_key.h"
#include "core/shard.h"

#include <string.h>

static int
region_of(const char *region)
{
	return region ? callsync_region_lookup(region, strlen(region)) : CALLSYNC_REGION_NONE;
}

bool
callsync_person_key_phone(const char *text, size_t len, const char *region, int64_t *key)
{
	CallsyncCallerId id;
	uint64_t	h;

	callsync_caller_id(text, len, region_of(region), &id);
	if (id.kind != CALLSYNC_CALLER_NUMBER || id.code == 0)
		return false;
	h = callsync_fnv1a(CALLSYNC_FNV_START, "tel:", 4);
	for (int i = 0; i < 8; i++)
	{
		unsigned char byte = (unsigned char) (id.code >> (8 * i));

		h = callsync_fnv1a(h, &byte, 1);
	}
	*key = (int64_t) h;
	return true;
}

bool
callsync_person_key_email(const char *text, size_t len, int64_t *key)
{
	const char *at;
	uint64_t	h;

	while (len > 0 && (unsigned char) text[0] <= ' ')
		text++, len--;
	while (len > 0 && (unsigned char) text[len - 1] <= ' ')
		len--;
	at = memchr(text, '@', len);
	if (at == NULL || at == text || at == text + len - 1)
		return false;
	h = callsync_fnv1a(CALLSYNC_FNV_START, "mailto:", 7);
	for (size_t i = 0; i < len; i++)
	{
		/* ASCII only: what other letters fold to differs between releases of Unicode */
		unsigned char c = (unsigned char) text[i];

		if (c >= 'A' && c <= 'Z')
			c += 'a' - 'A';
		h = callsync_fnv1a(h, &c, 1);
	}
	*key = (int64_t) h;
	return true;
}

bool
callsync_person_e164(const char *text, size_t len, const char *region, char *out, size_t out_size)
{
	CallsyncCallerId id;
	char		digits[CALLSYNC_PHONE_MAX_DIGITS];
	int			n;

	callsync_caller_id(text, len, region_of(region), &id);
	if (id.kind != CALLSYNC_CALLER_NUMBER || id.code == 0)
		return false;
	n = callsync_phone_unpack(id.code, digits);
	if (n <= 0 || (size_t) n + 2 > out_size)
		return false;
	out[0] = '+';
	memcpy(out + 1, digits, n);
	out[n + 1] = '\0';
	return true;
}

bool
callsync_person_identified(const char *phone, const char *spoken_phone,
						   const char *email, const char *name, const char *region)
{
	int64_t		key;

	return (phone && callsync_person_key_phone(phone, strlen(phone), region, &key)) ||
		(spoken_phone && callsync_person_key_phone(spoken_phone, strlen(spoken_phone), region, &key)) ||
		(email && callsync_person_key_email(email, strlen(email), &key)) ||
		(name && name[0] != '\0');
}
