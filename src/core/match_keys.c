/*
 * match_keys.c
 *		The keys under which contacts are stored and calls look for them.
 *
 * Contacts are stored under few keys; whatever can vary (nicknames, order of the
 * names, compound surnames) is expanded on the side of the call.
 */
#include <string.h>

#include "core/fold.h"
#include "core/person.h"
#include "core/phone.h"

#define FIRST_SOUNDS 3
#define LAST_SOUNDS 4

uint64_t
callsync_destination_seed(const char *name, size_t len)
{
	return callsync_hash64(7, name, len);
}

uint64_t
callsync_key(uint64_t seed, CallsyncKeyKind kind, const void *data, size_t len)
{
	uint64_t	hash = callsync_hash64(seed + (uint64_t) kind * UINT64_C(0x9E3779B97F4A7C15), data, len);

	return (hash & ~UINT64_C(15)) | (uint64_t) kind;
}

uint64_t
callsync_term(uint64_t seed, CallsyncKeyKind kind, uint64_t hash)
{
	unsigned char bytes[8];

	/* one byte order on every machine */
	for (int i = 0; i < 8; i++)
		bytes[i] = (unsigned char) (hash >> (8 * i));
	return callsync_key(seed, kind, bytes, sizeof(bytes));
}

typedef struct KeyList
{
	CallsyncKey *keys;
	int			n;
	int			max;
	uint64_t	seed;
} KeyList;

static void
add_key(KeyList *list, CallsyncKeyKind kind, const void *data, size_t len)
{
	uint64_t	key = callsync_key(list->seed, kind, data, len);

	for (int i = 0; i < list->n; i++)
		if (list->keys[i].key == key)
			return;
	if (list->n < list->max)
		list->keys[list->n++] = (CallsyncKey) {key, kind};
}

static void
add_term(KeyList *list, CallsyncKeyKind kind, uint64_t hash)
{
	if (list->n < list->max)
		list->keys[list->n++] = (CallsyncKey) {callsync_term(list->seed, kind, hash), kind};
}

static void
add_line(KeyList *list, const CallsyncLine *line)
{
	if (line->n == 0)
		return;
	if (line->n >= 8)
		add_key(list, CALLSYNC_KEY_LINE, line->digits + line->n - 8, 8);
	else
		add_key(list, CALLSYNC_KEY_LINE, line->digits, line->n);
}

/* The local part as it sounds, digits behind: survives misspelt names, not a wrong number. */
static void
add_local(KeyList *list, const CallsyncEmail *email)
{
	CallsyncWord word;
	char		buf[64];
	char		letters[CALLSYNC_EMAIL_MAX];
	size_t		nletters = 0;
	int			n;

	for (int i = 0; i < email->local_len; i++)
		if (email->text[i] < '0' || email->text[i] > '9')
			letters[nletters++] = email->text[i];
	/* separators vanish in the folding of one word */
	{
		size_t		k = 0;

		for (size_t i = 0; i < nletters; i++)
			if (strchr("._-+'", letters[i]) == NULL)
				letters[k++] = letters[i];
		nletters = k;
	}
	callsync_word_set(&word, letters, nletters);
	n = callsync_sound_key(word.sound, word.nsound, buf, 9);
	buf[n++] = '/';
	for (int i = 0; i < email->local_len && n < (int) sizeof(buf); i++)
		if (email->text[i] >= '0' && email->text[i] <= '9')
			buf[n++] = email->text[i];
	add_key(list, CALLSYNC_KEY_LOCAL, buf, (size_t) n);
}

/* The local part without its separators; returns its length. */
static int
plain_local(const CallsyncEmail *email, char *out, int max)
{
	int			n = 0;

	for (int i = 0; i < email->local_len && n < max; i++)
		if (strchr("._-+'", email->text[i]) == NULL)
			out[n++] = email->text[i];
	return n;
}

/* shortest local part whose halves say something */
#define HALVES_FROM 6

static void
add_half(KeyList *list, const CallsyncEmail *email, char side, int length, const char *part, int n)
{
	char		buf[2 * CALLSYNC_EMAIL_MAX + 8];
	int			k = 0;

	buf[k++] = side;
	buf[k++] = (char) length;
	memcpy(buf + k, part, (size_t) n);
	k += n;
	memcpy(buf + k, email->text + email->local_len, (size_t) (email->len - email->local_len));
	k += email->len - email->local_len;
	add_key(list, CALLSYNC_KEY_HALF, buf, (size_t) k);
}

/*
 * A slip in one place leaves one half of the local part whole.  Stored: both
 * halves with the length of the whole.
 */
static void
add_halves(KeyList *list, const CallsyncEmail *email)
{
	char		local[64];
	int			n = plain_local(email, local, (int) sizeof(local));

	if (n < HALVES_FROM)
		return;
	add_half(list, email, '<', n, local, n / 2);
	add_half(list, email, '>', n, local + n / 2, n - n / 2);
}

/* Looked up: halves of the lengths that one slip more or less would have come from. */
static void
add_slipped_halves(KeyList *list, const CallsyncEmail *email)
{
	char		local[64];
	int			n = plain_local(email, local, (int) sizeof(local));

	for (int whole = n - 1; whole <= n + 1; whole++)
	{
		int			left = whole / 2;
		int			right = whole - left;

		if (whole < HALVES_FROM)
			continue;
		if (left <= n)
			add_half(list, email, '<', whole, local, left);
		if (right <= n)
			add_half(list, email, '>', whole, local + n - right, right);
	}
}

/* One part, or two with a bar between. */
static void
add_pair(KeyList *list, CallsyncKeyKind kind, const char *a, int na, const char *b, int nb)
{
	char		buf[64];
	int			n = 0;

	if (na == 0 || nb == 0)
		return;
	memcpy(buf, a, (size_t) na);
	n = na;
	buf[n++] = '|';
	memcpy(buf + n, b, (size_t) nb);
	add_key(list, kind, buf, (size_t) (n + nb));
}

typedef struct SoundKey
{
	char		s[8];
	int			n;
} SoundKey;

static SoundKey
sound_of(const CallsyncWord *word, int max)
{
	SoundKey	k = {.n = 0};

	/* an initial finds nobody */
	if (word->len > 1 || (word->len == 1 && word->ch[0] >= 0x80))
		k.n = callsync_sound_key(word->sound, word->nsound, k.s, max);
	/* a word of vowels only, or without letters, stands for itself */
	return k;
}

static void
name_keys(KeyList *list, const CallsyncPerson *p, const CallsyncWord *last, const CallsyncWord *first)
{
	SoundKey	l = {.n = 0};
	SoundKey	f = {.n = 0};

	if (last)
		l = sound_of(last, LAST_SOUNDS);
	if (first)
		f = sound_of(first, FIRST_SOUNDS);
	add_pair(list, CALLSYNC_KEY_ZIP_LAST, p->postal, p->npostal, l.s, l.n);
	add_pair(list, CALLSYNC_KEY_ZIP_FIRST, p->postal, p->npostal, f.s, f.n);
	add_pair(list, CALLSYNC_KEY_LAST_FIRST, l.s, l.n, f.s, f.n);
	if (l.n > 0 && f.n > 0)
	{
		char		initials[2] = {l.s[0], f.s[0]};

		add_pair(list, CALLSYNC_KEY_ZIP_INITIALS, p->postal, p->npostal, initials, 2);
	}
}

/* Where the surname of a contact may start and which word is the given name. */
static void
contact_parts(const CallsyncName *name, int *first, int *last_from, int *last_to)
{
	if (name->comma)
	{
		*first = name->ngiven < name->n ? name->ngiven : -1;
		*last_from = 0;
		*last_to = name->ngiven;
	}
	else if (name->ngiven > 0)
	{
		*first = 0;
		*last_from = name->ngiven;
		*last_to = name->n;
	}
	else
	{
		*first = name->n > 1 ? 0 : -1;
		*last_from = name->n > 1 ? 1 : 0;
		*last_to = name->n;
	}
}

int
callsync_contact_keys(const CallsyncPerson *person, uint64_t seed, CallsyncKey *keys, int max)
{
	KeyList		list = {keys, 0, max, seed};

	for (int i = 0; i < person->nlines; i++)
		add_line(&list, &person->line[i]);
	for (int i = 0; i < person->nemails; i++)
	{
		add_key(&list, CALLSYNC_KEY_EMAIL, person->email[i].text, (size_t) person->email[i].len);
		add_local(&list, &person->email[i]);
		add_halves(&list, &person->email[i]);
	}
	if (person->has_name)
	{
		const CallsyncName *name = &person->name;
		int			first;
		int			from;
		int			to;
		int			used = 0;

		contact_parts(name, &first, &from, &to);
		/* the last two words of a surname that are no particles, and all of it as one */
		for (int i = to - 1; i >= from && used < 2; i--)
			if (!name->word[i].particle)
			{
				name_keys(&list, person, &name->word[i], first >= 0 ? &name->word[first] : NULL);
				used++;
			}
		if (to - from > 1)
		{
			CallsyncWord joined;

			callsync_name_join(name, from, to, &joined);
			name_keys(&list, person, &joined, first >= 0 ? &name->word[first] : NULL);
		}
		for (int i = 0; i < name->naside; i++)
			if (name->aside_last[i])
				name_keys(&list, person, &name->aside[i], first >= 0 ? &name->word[first] : NULL);
			else
				name_keys(&list, person, to > from ? &name->word[to - 1] : NULL, &name->aside[i]);
	}
	return list.n;
}

int
callsync_contact_terms(const CallsyncPerson *person, uint64_t seed, CallsyncKey *terms, int max)
{
	KeyList		list = {terms, 0, max, seed};

	if (person->has_name)
	{
		int			first;
		int			from;
		int			to;
		int			used = 0;

		contact_parts(&person->name, &first, &from, &to);
		if (first >= 0)
			add_term(&list, CALLSYNC_TERM_FIRST, person->name.word[first].hash);
		for (int i = to - 1; i >= from && used < 2; i--)
			if (!person->name.word[i].particle)
			{
				add_term(&list, CALLSYNC_TERM_LAST, person->name.word[i].hash);
				used++;
			}
	}
	if (person->npostal > 0)
		add_key(&list, CALLSYNC_TERM_POSTAL, person->postal, (size_t) person->npostal);
	for (int i = 0; i < person->nemails; i++)
		add_term(&list, CALLSYNC_TERM_DOMAIN, callsync_email_domain(&person->email[i]));
	return list.n;
}

/* The given name with all that it may stand for. */
static void
call_name(KeyList *list, const CallsyncPerson *p, const CallsyncWord *last, const CallsyncWord *first,
		  const CallsyncNicks *nicks)
{
	name_keys(list, p, last, first);
	if (first != NULL && nicks != NULL)
	{
		const CallsyncNick *n = callsync_nick_find(nicks, first->hash);
		int			used = 0;

		for (; n != NULL && n < nicks->nick + nicks->n && n->name == first->hash && used < 8; n++, used++)
		{
			CallsyncWord other;

			callsync_word_set(&other, n->other_text, strlen(n->other_text));
			name_keys(list, p, last, &other);
		}
	}
}

int
callsync_twin_keys(const CallsyncPerson *person, uint64_t seed, const CallsyncNicks *nicks,
				   CallsyncKey *keys, int max)
{
	KeyList		list = {keys, callsync_contact_keys(person, seed, keys, max), max, seed};
	int			kept = 0;

	if (person->has_name)
	{
		int			first;
		int			from;
		int			to;

		contact_parts(&person->name, &first, &from, &to);
		if (first >= 0 && to > from)
		{
			call_name(&list, person, &person->name.word[to - 1], &person->name.word[first], nicks);
			/* in the wrong columns */
			name_keys(&list, person, &person->name.word[first], &person->name.word[to - 1]);
		}
	}
	/* what only sounds alike is left to calls */
	for (int i = 0; i < list.n; i++)
		if (keys[i].kind != CALLSYNC_KEY_LOCAL && keys[i].kind != CALLSYNC_KEY_ZIP_INITIALS)
			keys[kept++] = keys[i];
	return kept;
}

int
callsync_call_keys(const CallsyncPerson *person, uint64_t seed, const CallsyncNicks *nicks,
				   CallsyncKey *keys, int max)
{
	KeyList		list = {keys, 0, max, seed};
	const CallsyncName *name = &person->name;

	for (int i = 0; i < person->nlines; i++)
		add_line(&list, &person->line[i]);
	add_line(&list, &person->spoken);
	for (int i = 0; i < person->nemails; i++)
	{
		add_key(&list, CALLSYNC_KEY_EMAIL, person->email[i].text, (size_t) person->email[i].len);
		add_local(&list, &person->email[i]);
		add_slipped_halves(&list, &person->email[i]);
	}
	if (person->has_name && name->n == 1)
	{
		/* either of the two */
		name_keys(&list, person, &name->word[0], NULL);
		call_name(&list, person, NULL, &name->word[0], nicks);
	}
	else if (person->has_name)
	{
		int			n = name->n;
		int			first = name->comma ? name->ngiven : 0;
		int			last = name->comma ? 0 : n - 1;
		CallsyncWord joined;

		if (first >= n)
			first = n - 1;
		call_name(&list, person, &name->word[last], &name->word[first], nicks);
		for (int i = 0; i < name->naside; i++)
			if (name->aside_last[i])
				call_name(&list, person, &name->aside[i], &name->word[first], nicks);
			else
				call_name(&list, person, &name->word[last], &name->aside[i], nicks);
		if (n > 2)
		{
			/* compound surname, or one written apart */
			int			other = name->comma ? 1 : n - 2;

			if (other != first && !name->word[other].particle)
				name_keys(&list, person, &name->word[other], &name->word[first]);
			callsync_name_join(name, name->comma ? 0 : n - 2, name->comma ? name->ngiven : n, &joined);
			name_keys(&list, person, &joined, &name->word[first]);
			if (!name->comma && n > 3)
			{
				callsync_name_join(name, n - 3, n, &joined);
				name_keys(&list, person, &joined, &name->word[first]);
			}
			/* the middle name is the one on file */
			if (!name->comma && !name->word[1].particle)
				name_keys(&list, person, &name->word[last], &name->word[1]);
		}
		/* surname said first */
		if (!name->comma)
			call_name(&list, person, &name->word[0], &name->word[n - 1], nicks);
	}
	return list.n;
}

int
callsync_near_line_keys(const CallsyncLine *line, uint64_t seed, CallsyncKey *keys, int max)
{
	KeyList		list = {keys, 0, max, seed};
	char		d[CALLSYNC_LINE_DIGITS + 1];
	int			n = line->n;
	int			from;

	if (n < 8)
		return 0;
	/* only what changes the last eight digits changes the key; the rest is found under the key itself */
	from = n > 9 ? n - 9 : 0;
	memcpy(d, line->digits, (size_t) n);
#define KEY(len) add_key(&list, CALLSYNC_KEY_LINE, d + (len) - 8, 8)
	for (int i = n - 8; i < n; i++)
	{
		char		was = d[i];

		for (char c = '0'; c <= '9'; c++)
			if (c != was)
			{
				d[i] = c;
				KEY(n);
			}
		d[i] = was;
	}
	for (int i = from; i + 1 < n; i++)
		if (d[i] != d[i + 1])
		{
			char		t = d[i];

			d[i] = d[i + 1];
			d[i + 1] = t;
			KEY(n);
			d[i + 1] = d[i];
			d[i] = t;
		}
	/* one digit too many: leave each out */
	if (n > 9)
		for (int i = n - 8; i < n; i++)
		{
			memcpy(d, line->digits, (size_t) i);
			memcpy(d + i, line->digits + i + 1, (size_t) (n - i - 1));
			KEY(n - 1);
		}
	/* one digit missing: put each in */
	if (n < CALLSYNC_LINE_DIGITS)
		for (int i = n - 7; i <= n; i++)
			for (char c = '0'; c <= '9'; c++)
			{
				memcpy(d, line->digits, (size_t) i);
				d[i] = c;
				memcpy(d + i + 1, line->digits + i, (size_t) (n - i));
				KEY(n + 1);
			}
#undef KEY
	return list.n;
}

int
callsync_near_postal_keys(const CallsyncPerson *call, uint64_t seed, CallsyncKey *keys, int max)
{
	KeyList		list = {keys, 0, max, seed};
	const CallsyncName *name = &call->name;
	int			n = call->npostal;
	char		d[CALLSYNC_POSTAL_MAX + 1];
	char		initials[2];
	SoundKey	last;
	SoundKey	first = {.n = 0};

	if (!call->has_name || n < 4)
		return 0;
	memcpy(d, call->postal, (size_t) n);
	last = sound_of(&name->word[name->comma ? 0 : name->n - 1], LAST_SOUNDS);
	if (name->n > 1)
		first = sound_of(&name->word[name->comma && name->ngiven < name->n ? name->ngiven : 0], FIRST_SOUNDS);
	initials[0] = last.s[0];
	initials[1] = first.s[0];
#define KEYS() do { \
		add_pair(&list, CALLSYNC_KEY_ZIP_LAST, d, n, last.s, last.n); \
		if (last.n > 0 && first.n > 0) \
			add_pair(&list, CALLSYNC_KEY_ZIP_INITIALS, d, n, initials, 2); \
	} while (0)
	for (int i = 0; i + 1 < n; i++)
		if (d[i] != d[i + 1])
		{
			char		t = d[i];

			d[i] = d[i + 1];
			d[i + 1] = t;
			KEYS();
			d[i + 1] = d[i];
			d[i] = t;
		}
	for (int i = 0; i < n; i++)
	{
		char		was = d[i];

		if (was < '0' || was > '9')
			continue;
		for (char c = '0'; c <= '9'; c++)
			if (c != was)
			{
				d[i] = c;
				KEYS();
			}
		d[i] = was;
	}
#undef KEYS
	return list.n;
}

int
callsync_identity_keys(const CallsyncPerson *call, uint64_t seed, uint64_t *keys, int max)
{
	CallsyncKey all[8];
	KeyList		list = {all, 0, 8, seed};
	int			n = 0;

	for (int i = 0; i < call->nlines; i++)
		add_line(&list, &call->line[i]);
	add_line(&list, &call->spoken);
	for (int i = 0; i < call->nemails; i++)
		add_key(&list, CALLSYNC_KEY_EMAIL, call->email[i].text, (size_t) call->email[i].len);
	if (call->has_name && call->npostal > 0)
		name_keys(&list, call, &call->name.word[call->name.n - 1], NULL);
	for (int i = 0; i < list.n && n < max; i++)
		keys[n++] = all[i].key;
	/* one order for all, so that two calls never wait for each other */
	for (int i = 1; i < n; i++)
		for (int k = i; k > 0 && keys[k] < keys[k - 1]; k--)
		{
			uint64_t	t = keys[k];

			keys[k] = keys[k - 1];
			keys[k - 1] = t;
		}
	return n;
}
