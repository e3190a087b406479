/*
 * name_parse.c
 *		Names of people, taken apart; see name.h.
 *
 * Word lists here are grammar (titles, particles, fillers of several languages).
 * Names and their short forms are data: table callsync.nickname.
 */
#include <string.h>

#include "core/fold.h"
#include "core/name.h"

#define RAW_WORDS 24

/* A word as it stands in the text, with what surrounded it. */
typedef struct RawWord
{
	CallsyncWord w;
	char		text[40];		/* folded; empty when longer than any listed word */
	bool		hyphen;			/* joined to the word before */
	bool		dot;			/* a full stop behind it */
	bool		comma;			/* a comma behind it */
	bool		aside;
	bool		birth;			/* a name borne before: behind "née" */
} RawWord;

static bool
in_list(const char *word, const char *const *list)
{
	if (word[0] != '\0')
		for (; *list; list++)
			if (word[0] == **list && strcmp(word, *list) == 0)
				return true;
	return false;
}

static const char *const titles[] = {
	"mr", "mrs", "ms", "miss", "mister", "missus", "mx", "dr", "doctor", "prof", "professor", "sir", "madam", "maam", "dame", "lord", "lady",
	"rev", "reverend", "fr", "father", "capt", "captain", "lt", "lieutenant", "sgt", "sergeant", "col", "colonel", "maj", "major", "hon", "judge",
	"herr", "frau", "fraulein", "hr", "fr", "doktor", "dipl", "ing",
	"mme", "mlle", "monsieur", "madame", "mademoiselle", "me",
	"senor", "senora", "senorita", "sr", "sra", "srta", "senhor", "senhora",
	"signor", "signora", "signorina", "dott", "avv", "dhr", "mevr", "mevrouw", "meneer", "pan", "pani", NULL
};

/* also given names or initials: a title only when marked so by a full stop, or followed by more than one word */
static const char *const soft_titles[] = {"me", "fr", "col", "maj", "father", "judge", "pan", "lord", "lady", "major", "sr", "hr", "ing", NULL};

static const char *const credentials[] = {
	"phd", "md", "dds", "dmd", "dvm", "do", "rn", "esq", "esquire", "cpa", "mba", "jd", "llc", "ba", "bsc", "msc", "ma", "pe", "obe", "mbe", "cbe", NULL
};

static const char *const particles[] = {
	"von", "van", "der", "den", "dem", "zu", "zum", "zur", "vom", "de", "del", "della", "dello", "di", "da", "do", "dos", "das", "du", "des",
	"la", "le", "las", "los", "el", "al", "bin", "ibn", "bint", "ben", "abu", "ter", "ten", "te", "op", "y", "e", "af", "av", "st", "san", "santa", NULL
};

/* what stands before a surname of former times; "of birth" in full, or short with its full stop */
static const char *const births[] = {"nee", "ne", "geb", "geborene", "born", "formerly", "fka", "vormals", "nata", "nascida", "nacida", "gehuwd", NULL};

/* what people say around their name; longest first */
static const char *const openings[] = {
	"hi my name is", "hello my name is", "my name is", "the name is", "name is", "hi this is", "hello this is", "this is", "you can call me", "they call me",
	"call me", "i am called", "i am", "im", "it is", "its", "hi", "hello", "hey", "uh", "um", "yeah", "yes", "ok",
	"me llamo", "mi nombre es", "soy", "habla", "mein name ist", "ich heisse", "ich bin", "hier ist", "hier spricht",
	"je mappelle", "mon nom est", "je suis", "cest", "mi chiamo", "sono", "o meu nome e", "meu nome e", "eu sou", "mijn naam is", "ik ben", NULL
};
static const char *const closings[] = {"speaking", "here", "calling", "am apparat", "please", "thanks", "thank you", NULL};

void
callsync_word_set(CallsyncWord *word, const char *text, size_t len)
{
	uint16_t	alt[CALLSYNC_WORD_CHARS];
	int			nalt = 0;
	bool		differs = false;

	memset(word, 0, sizeof(*word));
	while (len > 0)
	{
		uint32_t	cp;
		uint32_t	to[4];
		int			bytes = callsync_utf8_next(text, len, &cp);
		int			n = callsync_fold_char(cp, to);
		const char *two = callsync_fold_digraph(cp);

		for (int i = 0; i < n; i++)
		{
			/* beyond the BMP: any stand-in will do, as long as it is always the same */
			uint16_t	c = to[i] > 0xFFFF ? (uint16_t) (0xE000 + to[i] % 0x1900) : (uint16_t) to[i];

			if (word->len < CALLSYNC_WORD_CHARS)
				word->ch[word->len++] = c;
			if (two == NULL && nalt < CALLSYNC_WORD_CHARS)
				alt[nalt++] = c;
		}
		if (two != NULL)
		{
			differs = true;
			for (int i = 0; i < 2 && nalt < CALLSYNC_WORD_CHARS; i++)
				alt[nalt++] = (unsigned char) two[i];
		}
		text += bytes;
		len -= bytes;
	}
	word->hash = 0;
	if (word->len > 0)
	{
		/* hashed as bytes in one order, whatever the machine's */
		unsigned char bytes[2 * CALLSYNC_WORD_CHARS];

		for (int i = 0; i < word->len; i++)
		{
			bytes[2 * i] = (unsigned char) (word->ch[i] & 0xFF);
			bytes[2 * i + 1] = (unsigned char) (word->ch[i] >> 8);
		}
		word->hash = callsync_hash64(1, bytes, 2 * (size_t) word->len);
		if (differs)
		{
			for (int i = 0; i < nalt; i++)
			{
				bytes[2 * i] = (unsigned char) (alt[i] & 0xFF);
				bytes[2 * i + 1] = (unsigned char) (alt[i] >> 8);
			}
			word->alt_hash = callsync_hash64(1, bytes, 2 * (size_t) nalt);
		}
	}
	word->nsound = (uint8_t) callsync_sound_encode(word->ch, word->len, word->sound, CALLSYNC_SOUND_MAX);
}

/* Cuts a text into raw words; returns how many. */
static int
cut(const char *text, size_t len, RawWord *raw)
{
	int			n = 0;
	size_t		i = 0;
	bool		hyphen = false;
	int			depth = 0;

	while (i < len && n < RAW_WORDS)
	{
		size_t		start = i;
		size_t		end = i;
		uint32_t	cp = 0;
		int			bytes = 0;
		uint32_t	to[4];

		while (end < len)
		{
			bytes = callsync_utf8_next(text + end, len - end, &cp);
			if (callsync_fold_char(cp, to) == CALLSYNC_FOLD_SEPARATOR)
				break;
			end += bytes;
		}
		if (end > start)
		{
			RawWord    *r = &raw[n];
			size_t		k;

			memset(r, 0, sizeof(*r));
			callsync_word_set(&r->w, text + start, end - start);
			k = callsync_fold_tight(text + start, end - start, r->text, sizeof(r->text) - 1);
			r->text[k < sizeof(r->text) ? k : 0] = '\0';
			r->hyphen = hyphen;
			r->aside = depth > 0;
			if (r->w.len > 0)
			{
				n++;
				hyphen = false;
			}
		}
		if (end >= len)
			break;
		if (cp == '(' || cp == '[' || cp == 0x201C || (cp == '"' && depth == 0))
			depth = 1;
		else if (cp == ')' || cp == ']' || cp == 0x201D || cp == '"')
			depth = 0;
		if (n > 0)
		{
			if (cp == ',' || cp == 0x060C || cp == 0xFF0C)
				raw[n - 1].comma = true;
			else if (cp == '.' && end > start)
				raw[n - 1].dot = true;
		}
		hyphen = (cp == '-' || cp == 0x2010 || cp == 0x2011) && end > start;
		i = end + bytes;
	}
	return n;
}

/* Does the list of words start with the phrase?  Returns its number of words or 0. */
static int
phrase_at(const RawWord *raw, int n, const char *phrase)
{
	int			k = 0;

	if (n == 0 || raw[0].text[0] != *phrase)
		return 0;
	while (*phrase)
	{
		const char *end = strchr(phrase, ' ');
		size_t		len = end ? (size_t) (end - phrase) : strlen(phrase);

		if (k >= n || strlen(raw[k].text) != len || memcmp(raw[k].text, phrase, len) != 0)
			return 0;
		k++;
		phrase += len + (end ? 1 : 0);
	}
	return k;
}

static int
drop_front(RawWord *raw, int n, int k)
{
	memmove(raw, raw + k, (size_t) (n - k) * sizeof(RawWord));
	return n - k;
}

static int
generation_of(const char *text)
{
	static const struct
	{
		const char *text;
		int			generation;
	}			known[] = {
		{"sr", 1}, {"senior", 1}, {"snr", 1}, {"jr", 2}, {"junior", 2}, {"jnr", 2}, {"filho", 2},
		{"ii", 2}, {"2nd", 2}, {"iii", 3}, {"3rd", 3}, {"iv", 4}, {"4th", 4},
		{NULL, 0}
	};

	for (int i = 0; known[i].text; i++)
		if (strcmp(text, known[i].text) == 0)
			return known[i].generation;
	return 0;
}

static void
join_raw(const RawWord *raw, int n, CallsyncWord *joined)
{
	char		text[4 * CALLSYNC_WORD_CHARS];
	size_t		used = 0;

	for (int i = 0; i < n; i++)
		for (int k = 0; k < raw[i].w.len && used + 4 < sizeof(text); k++)
			used += (size_t) callsync_utf8_put(raw[i].w.ch[k], text + used);
	callsync_word_set(joined, text, used);
}

/*
 * "S M Y T H" is a spelled word; three letters and more.  Where it spells (nearly)
 * the word before it, it replaces that word: the speaker made it clear.
 */
static int
join_spelled(RawWord *raw, int n)
{
	for (int i = 0; i < n; i++)
	{
		char		text[4 * CALLSYNC_WORD_CHARS];
		size_t		used = 0;
		int			k = i;

		while (k < n && raw[k].w.len == 1 && !raw[k].dot && used + 4 < sizeof(text))
			used += (size_t) callsync_utf8_put(raw[k++].w.ch[0], text + used);
		/* two letters only where they repeat the word before them */
		if (k - i == 2 && i > 0 && raw[i - 1].w.len == 2 && raw[i - 1].w.ch[0] == raw[i].w.ch[0] && raw[i - 1].w.ch[1] == raw[i + 1].w.ch[0])
		{
			raw[i - 1].comma = raw[k - 1].comma;
			n = i + drop_front(raw + i, n - i, 2);
			continue;
		}
		if (k - i < 3)
			continue;
		callsync_word_set(&raw[i].w, text, used);
		raw[i].text[0] = '\0';
		raw[i].comma = raw[k - 1].comma;
		n = i + 1 + drop_front(raw + i + 1, n - i - 1, k - i - 1);
		raw[i].hyphen = false;
		/* "Smith, S M Y T H" is no surname in front; "Al Sayed, A L S A Y E D" spells two words */
		for (int words = i < 2 ? i : 2; words > 0; words--)
		{
			CallsyncWord before = raw[i - 1].w;

			if (words == 2)
				join_raw(raw + i - 2, 2, &before);
			if (callsync_sound_distance(raw[i].w.sound, raw[i].w.nsound, before.sound, before.nsound) < (words == 1 ? 0.4 : 0.3))
			{
				n = i - words + drop_front(raw + i - words, n - i + words, words);
				i -= words;
				break;
			}
		}
	}
	return n;
}

/* "Meier née Schulz": what follows is another surname of the same person. */
static int
take_birth(RawWord *raw, int n)
{
	for (int i = 1; i + 1 < n; i++)
		if (in_list(raw[i].text, births))
		{
			raw[i - 1].comma = false;
			n = i + drop_front(raw + i, n - i, 1);
			for (; i < n; i++)
			{
				raw[i].aside = raw[i].birth = true;
				raw[i].comma = false;
			}
			break;
		}
	return n;
}

/* "last name Jones, first name Mary": put into the order in which they are written. */
static int
take_named_parts(RawWord *raw, int n)
{
	static const char *const lasts[] = {"last name is", "last name", "surname is", "surname", "family name is", "family name", "nachname", "apellido", "nom de famille", "cognome", "achternaam", NULL};
	static const char *const firsts[] = {"first name is", "first name", "given name is", "given name", "forename", "vorname", "nombre", "prenom", "nome", "voornaam", NULL};
	int			last = -1;
	int			first = -1;
	int			last_words = 0;
	int			first_words = 0;
	RawWord		ordered[RAW_WORDS];
	int			k = 0;

	for (int i = 0; i < n; i++)
	{
		for (int w = 0; lasts[w] && last < 0; w++)
			if ((last_words = phrase_at(raw + i, n - i, lasts[w])) > 0)
				last = i;
		for (int w = 0; firsts[w] && first < 0; w++)
			if ((first_words = phrase_at(raw + i, n - i, firsts[w])) > 0)
				first = i;
	}
	if (last < 0 || first < 0 || last + last_words >= n || first + first_words >= n ||
		last + last_words == first || first + first_words == last)
		return n;
	for (int i = first + first_words; i < (first < last ? last : n); i++)
		if (strcmp(raw[i].text, "and") != 0)
			ordered[k++] = raw[i];
	for (int i = last + last_words; i < (last < first ? first : n); i++)
		if (strcmp(raw[i].text, "and") != 0)
			ordered[k++] = raw[i];
	for (int i = 0; i < k; i++)
	{
		raw[i] = ordered[i];
		raw[i].comma = false;
	}
	return k > 0 ? k : n;
}

/* Takes titles, fillers and suffixes away; returns how many words are left. */
static int
strip(RawWord *raw, int n, int8_t *generation, bool spoken)
{
	bool		again = spoken;

	while (again && n > 1)
	{
		again = false;
		for (int i = 0; openings[i] && !again; i++)
		{
			int			k = phrase_at(raw, n, openings[i]);

			if (k > 0 && k < n)
				n = drop_front(raw, n, k), again = true;
		}
	}
	for (int i = 0; spoken && closings[i] && n > 1; i++)
	{
		int			words = strchr(closings[i], ' ') ? 2 : 1;

		if (n > words && phrase_at(raw + n - words, words, closings[i]))
			n -= words;
	}
	while (n > 1 && !raw[0].hyphen && in_list(raw[0].text, titles) &&
		   (raw[0].dot || n > 2 || !in_list(raw[0].text, soft_titles)) && !raw[0].comma)
		n = drop_front(raw, n, 1);
	for (bool found = true; found && n > 1;)
	{
		int			g = generation_of(raw[n - 1].text);

		found = false;
		if (g != 0)
			*generation = (int8_t) g, n--, found = true;
		else if (in_list(raw[n - 1].text, credentials) && (n > 2 || raw[n - 2].comma))
			n--, found = true;
		if (found)
			raw[n - 1].comma = false;
	}
	/* "Smith Jr., John" */
	for (int i = 1; i + 1 < n; i++)
	{
		int			g = generation_of(raw[i].text);

		if (g != 0 && (raw[i].comma || raw[i - 1].comma))
		{
			*generation = (int8_t) g;
			raw[i - 1].comma = raw[i].comma;
			n = i + drop_front(raw + i, n - i, 1);
		}
	}
	return n;
}

/* Moves raw words behind those in the name; those aside go to name->aside, as surnames where all of them are. */
static void
take(CallsyncName *name, const RawWord *raw, int n, bool surname)
{
	for (int i = 0; i < n; i++)
	{
		if (raw[i].aside && n > 1)
		{
			if (name->naside < 2)
			{
				name->aside_last[name->naside] = raw[i].birth || surname;
				name->aside[name->naside++] = raw[i].w;
			}
			continue;
		}
		if (name->n >= CALLSYNC_NAME_WORDS)
			continue;
		name->word[name->n] = raw[i].w;
		/* the last word is never a mere particle, and neither is a single one */
		name->word[name->n].particle = i + 1 < n && in_list(raw[i].text, particles);
		name->word[name->n].maybe_title = i == 0 && n > 1 && strcmp(raw[0].text, "m") == 0 && raw[0].dot;
		name->n++;
	}
}

bool
callsync_name_parse(CallsyncName *name, const char *text, size_t len)
{
	RawWord		raw[RAW_WORDS];
	int			n;

	memset(name, 0, sizeof(*name));
	name->ngiven = -1;
	if (text == NULL || len == 0)
		return false;
	n = cut(text, len, raw);
	n = join_spelled(raw, n);
	n = take_named_parts(raw, n);
	n = take_birth(raw, n);
	n = strip(raw, n, &name->generation, true);
	for (int i = 0; i + 1 < n; i++)
		if (raw[i].comma && !raw[i].aside)
		{
			name->comma = true;
			name->ngiven = 0;
			for (int k = 0; k <= i; k++)
				name->ngiven += !raw[k].aside;
			break;
		}
	/* the first word of a full name is no particle unless a surname stands first */
	take(name, raw, n, false);
	if (!name->comma && name->n > 0)
		name->word[0].particle = false;
	if (name->ngiven > name->n)
		name->ngiven = name->n;
	return name->n > 0;
}

bool
callsync_name_parse_parts(CallsyncName *name, const char *first, size_t first_len,
						  const char *last, size_t last_len)
{
	RawWord		raw[RAW_WORDS];
	int			nfirst = 0;
	int			nlast = 0;

	if (first == NULL || first_len == 0)
		return callsync_name_parse(name, last, last ? last_len : 0);
	if (last == NULL || last_len == 0)
		return callsync_name_parse(name, first, first_len);
	memset(name, 0, sizeof(*name));
	nfirst = cut(first, first_len, raw);
	nfirst = strip(raw, nfirst, &name->generation, false);
	take(name, raw, nfirst, false);
	for (int i = 0; i < name->n; i++)
		name->word[i].particle = false;
	name->ngiven = name->n;
	nlast = cut(last, last_len, raw);
	nlast = take_birth(raw, nlast);
	nlast = strip(raw, nlast, &name->generation, false);
	take(name, raw, nlast, true);
	if (name->ngiven == 0 || name->ngiven == name->n)
		name->ngiven = -1;
	return name->n > 0;
}

void
callsync_name_join(const CallsyncName *name, int from, int to, CallsyncWord *joined)
{
	char		text[4 * CALLSYNC_WORD_CHARS];
	size_t		used = 0;

	for (int i = from; i < to; i++)
		for (int k = 0; k < name->word[i].len && used + 4 < sizeof(text); k++)
			used += (size_t) callsync_utf8_put(name->word[i].ch[k], text + used);
	callsync_word_set(joined, text, used);
}
