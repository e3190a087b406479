/*
 * name_compare.c
 *		Names of people, compared; see name.h.
 *
 * The level of each part is what the score is made from; the rough bits here only
 * choose among the ways to split a name into given name and surname.
 */
#include <string.h>

#include "core/name.h"

/* how much each level speaks for one person, roughly; for choosing a split */
static const float level_bits[] = {
	[CALLSYNC_NAME_MISSING] = 0,
	[CALLSYNC_NAME_EXACT] = 8,
	[CALLSYNC_NAME_NICK] = 6.5f,
	[CALLSYNC_NAME_SOUND] = 6,
	[CALLSYNC_NAME_NEAR] = 5.5f,
	[CALLSYNC_NAME_PARTIAL] = 6,
	[CALLSYNC_NAME_INITIAL] = 3,
	[CALLSYNC_NAME_WEAK] = -0.5f,
	[CALLSYNC_NAME_NONE] = -5,
};

const char *
callsync_name_level(CallsyncNameLevel level)
{
	static const char *const names[] = {"missing", "exact", "nick", "sound", "near", "partial", "initial", "weak", "none"};

	return names[level];
}

const CallsyncNick *
callsync_nick_find(const CallsyncNicks *nicks, uint64_t name)
{
	int			lo = 0;
	int			hi = nicks ? nicks->n : 0;

	while (lo < hi)
	{
		int			mid = (lo + hi) / 2;

		if (nicks->nick[mid].name < name)
			lo = mid + 1;
		else
			hi = mid;
	}
	return nicks && lo < nicks->n && nicks->nick[lo].name == name ? &nicks->nick[lo] : NULL;
}

float
callsync_nick_weight(const CallsyncNicks *nicks, uint64_t a, uint64_t b)
{
	const CallsyncNick *n = callsync_nick_find(nicks, a);

	for (; n != NULL && n < nicks->nick + nicks->n && n->name == a; n++)
		if (n->other == b)
			return n->weight;
	return 0;
}

/* What one pair of words gives. */
typedef struct WordMatch
{
	CallsyncNameLevel level;
	float		nick_weight;
	float		similarity;
} WordMatch;

static bool
same_word(const CallsyncWord *a, const CallsyncWord *b)
{
	return a->hash == b->hash || (a->alt_hash != 0 && a->alt_hash == b->hash) ||
		(b->alt_hash != 0 && b->alt_hash == a->hash);
}

static bool
is_initial(const CallsyncWord *w)
{
	return w->len == 1 && w->ch[0] < 0x80;
}

static bool
is_latin(const CallsyncWord *w)
{
	return w->len > 0 && w->ch[0] < 0x80;
}

/* The given name cut short: Chris, Fred, Alex. */
static bool
is_short_form(const CallsyncWord *a, const CallsyncWord *b)
{
	const CallsyncWord *shorter = a->len < b->len ? a : b;
	const CallsyncWord *longer = a->len < b->len ? b : a;

	return shorter->len >= 3 && longer->len >= shorter->len + 2 &&
		memcmp(shorter->ch, longer->ch, shorter->len * sizeof(uint16_t)) == 0;
}

/* Is the initial that of a name which the full one goes by (B. for Robert)? */
static bool
initial_of_nick(const CallsyncWord *initial, const CallsyncWord *full, const CallsyncNicks *nicks)
{
	const CallsyncNick *n = callsync_nick_find(nicks, full->hash);

	for (; n != NULL && n < nicks->nick + nicks->n && n->name == full->hash; n++)
		if (n->weight >= 0.5f && (unsigned char) n->other_text[0] == initial->ch[0])
			return true;
	return false;
}

static WordMatch
compare_words(const CallsyncWord *a, const CallsyncWord *b, const CallsyncNicks *nicks, bool given)
{
	WordMatch	m = {CALLSYNC_NAME_NONE, 0, 0};
	int			longest = a->len > b->len ? a->len : b->len;
	int			shortest = a->len > b->len ? b->len : a->len;
	int			edits;
	double		sound;
	double		likeness;

	if (a->len == 0 || b->len == 0)
	{
		m.level = CALLSYNC_NAME_MISSING;
		return m;
	}
	if (is_initial(a) || is_initial(b))
	{
		if (a->ch[0] == b->ch[0])
			m.level = CALLSYNC_NAME_INITIAL, m.similarity = 0.7f;
		else if (a->maybe_title || b->maybe_title)
			m.level = CALLSYNC_NAME_MISSING;
		else if (given && nicks != NULL && (is_initial(a) ? initial_of_nick(a, b, nicks) : initial_of_nick(b, a, nicks)))
			m.level = CALLSYNC_NAME_INITIAL, m.similarity = 0.6f;
		return m;
	}
	if (same_word(a, b))
	{
		m.level = CALLSYNC_NAME_EXACT;
		m.similarity = 1;
		return m;
	}
	/* letters of two scripts cannot be compared: no evidence, neither way */
	if (is_latin(a) != is_latin(b))
	{
		m.level = CALLSYNC_NAME_MISSING;
		return m;
	}
	edits = callsync_edit_distance(a->ch, a->len, b->ch, b->len, longest);
	likeness = 1.0 - (double) edits / longest;
	sound = 1.0;
	if (is_latin(a) && is_latin(b))
		sound = callsync_sound_distance(a->sound, a->nsound, b->sound, b->nsound);
	m.similarity = (float) (likeness > 1.0 - sound ? likeness : 1.0 - sound);
	if (given && nicks != NULL)
	{
		m.nick_weight = callsync_nick_weight(nicks, a->hash, b->hash);
		/* a far-fetched nickname that sounds like the name was misheard rather */
		if (m.nick_weight > 0 && !(m.nick_weight < 0.3f && sound <= 0.16))
		{
			m.level = CALLSYNC_NAME_NICK;
			m.similarity = 0.85f + 0.1f * m.nick_weight;
			return m;
		}
	}
	if (sound <= 0.16)
		m.level = CALLSYNC_NAME_SOUND;
	else if ((edits <= 1 && longest >= 4) || (edits <= 2 && shortest >= 8))
		m.level = CALLSYNC_NAME_NEAR;
	else if (given && is_short_form(a, b))
	{
		m.level = CALLSYNC_NAME_NICK;
		m.nick_weight = 0.3f;
		if (m.similarity < 0.8f)
			m.similarity = 0.8f;
	}
	else if (sound <= 0.34 || likeness >= 0.7 || (longest == 3 && edits == 1))
		m.level = CALLSYNC_NAME_WEAK;
	/* all that is below sounding alike is worth less than it */
	if (m.level != CALLSYNC_NAME_EXACT && m.similarity > 0.95f)
		m.similarity = 0.95f;
	return m;
}

static void
better(WordMatch *best, WordMatch other, const CallsyncWord *a, const CallsyncWord *b,
	   uint64_t *hash_a, uint64_t *hash_b)
{
	if (other.level == CALLSYNC_NAME_MISSING)
		return;
	if (best->level == CALLSYNC_NAME_MISSING || level_bits[other.level] > level_bits[best->level] ||
		(other.level == best->level && other.similarity > best->similarity))
	{
		*best = other;
		*hash_a = a->hash;
		*hash_b = b->hash;
	}
}

/* Given names [a_from, a_to) of one name against [b_from, b_to) of the other. */
static WordMatch
compare_given(const CallsyncName *a, int a_from, int a_to, const CallsyncName *b, int b_from, int b_to,
			  const CallsyncNicks *nicks, uint64_t *hash_a, uint64_t *hash_b)
{
	WordMatch	best = {CALLSYNC_NAME_MISSING, 0, 0};
	WordMatch	m;

	if (a_from >= a_to || b_from >= b_to)
		return best;
	better(&best, compare_words(&a->word[a_from], &b->word[b_from], nicks, true),
		   &a->word[a_from], &b->word[b_from], hash_a, hash_b);
	/* written as one word or two */
	if (best.level != CALLSYNC_NAME_EXACT && (a_to - a_from > 1 || b_to - b_from > 1))
	{
		CallsyncWord ja;
		CallsyncWord jb;

		callsync_name_join(a, a_from, a_to, &ja);
		callsync_name_join(b, b_from, b_to, &jb);
		better(&best, compare_words(&ja, &jb, NULL, false), &a->word[a_from], &b->word[b_from], hash_a, hash_b);
		/* the middle name is the one in use */
		for (int i = a_from; i < a_to; i++)
			for (int k = b_from; k < b_to; k++)
			{
				if ((i == a_from) == (k == b_from))
					continue;
				m = compare_words(&a->word[i], &b->word[k], nicks, true);
				if (m.level == CALLSYNC_NAME_EXACT || m.level == CALLSYNC_NAME_NICK || m.level == CALLSYNC_NAME_SOUND)
				{
					m.nick_weight = m.level == CALLSYNC_NAME_EXACT ? 0.5f : 0.3f;
					m.level = CALLSYNC_NAME_NICK;
					m.similarity *= 0.9f;
					better(&best, m, &a->word[i], &b->word[k], hash_a, hash_b);
				}
			}
	}
	for (int i = 0; i < b->naside; i++)
		if (!b->aside_last[i])
			better(&best, compare_words(&a->word[a_from], &b->aside[i], nicks, true),
				   &a->word[a_from], &b->word[b_from], hash_a, hash_b);
	for (int i = 0; i < a->naside; i++)
		if (!a->aside_last[i])
			better(&best, compare_words(&a->aside[i], &b->word[b_from], nicks, true),
				   &a->word[a_from], &b->word[b_from], hash_a, hash_b);
	return best;
}

/* Surnames: words that are no particles must pair up; one of two is PARTIAL. */
static WordMatch
compare_last(const CallsyncName *a, int a_from, int a_to, const CallsyncName *b, int b_from, int b_to,
			 uint64_t *hash_a, uint64_t *hash_b)
{
	WordMatch	best = {CALLSYNC_NAME_MISSING, 0, 0};
	int			core_a[CALLSYNC_NAME_WORDS];
	int			core_b[CALLSYNC_NAME_WORDS];
	int			na = 0;
	int			nb = 0;
	int			exact = 0;
	int			paired = 0;
	int			shorter;

	for (int i = a_from; i < a_to; i++)
		if (!a->word[i].particle)
			core_a[na++] = i;
	for (int i = b_from; i < b_to; i++)
		if (!b->word[i].particle)
			core_b[nb++] = i;
	if (na == 0 || nb == 0)
		return best;
	if (na == 1 && nb == 1)
		better(&best, compare_words(&a->word[core_a[0]], &b->word[core_b[0]], NULL, false),
			   &a->word[core_a[0]], &b->word[core_b[0]], hash_a, hash_b);
	else
	{
		WordMatch	pair;
		float		worst = 1;

		for (int i = 0; i < na; i++)
		{
			WordMatch	p = {CALLSYNC_NAME_MISSING, 0, 0};
			uint64_t	ha = 0;
			uint64_t	hb = 0;

			for (int k = 0; k < nb; k++)
				better(&p, compare_words(&a->word[core_a[i]], &b->word[core_b[k]], NULL, false),
					   &a->word[core_a[i]], &b->word[core_b[k]], &ha, &hb);
			/* an initial is no surname */
			if (p.level == CALLSYNC_NAME_INITIAL || a->word[core_a[i]].len < 2)
				continue;
			better(&best, p, &a->word[core_a[i]], &b->word[core_b[0]], hash_a, hash_b);
			if (p.level == CALLSYNC_NAME_EXACT)
				exact++;
			if (p.level == CALLSYNC_NAME_EXACT || p.level == CALLSYNC_NAME_SOUND || p.level == CALLSYNC_NAME_NEAR)
			{
				paired++;
				*hash_a = ha;
				*hash_b = hb;
				if (p.similarity < worst)
					worst = p.similarity;
			}
		}
		shorter = na < nb ? na : nb;
		pair = best;
		if (na == nb && exact == na)
			pair.level = CALLSYNC_NAME_EXACT, pair.similarity = 1;
		else if (na == nb && paired == na)
			pair.level = CALLSYNC_NAME_SOUND, pair.similarity = worst;
		else if (exact > 0)
			pair.level = CALLSYNC_NAME_PARTIAL, pair.similarity = exact >= shorter ? 0.88f : 0.75f;
		else if (paired > 0)
			pair.level = CALLSYNC_NAME_WEAK, pair.similarity = worst * 0.8f;
		else if (level_bits[best.level] > level_bits[CALLSYNC_NAME_WEAK])
			pair.level = CALLSYNC_NAME_WEAK;
		best = pair;
	}
	/* particles and parts written as one word: de la Tour, Delatour */
	if (best.level != CALLSYNC_NAME_EXACT && (a_to - a_from > 1 || b_to - b_from > 1))
	{
		CallsyncWord ja;
		CallsyncWord jb;

		callsync_name_join(a, a_from, a_to, &ja);
		callsync_name_join(b, b_from, b_to, &jb);
		better(&best, compare_words(&ja, &jb, NULL, false), &a->word[core_a[na - 1]], &b->word[core_b[nb - 1]],
			   hash_a, hash_b);
	}
	/* the surname of birth */
	for (int i = 0; i < b->naside && best.level != CALLSYNC_NAME_EXACT; i++)
		if (b->aside_last[i])
			better(&best, compare_words(&a->word[core_a[na - 1]], &b->aside[i], NULL, false),
				   &a->word[core_a[na - 1]], &b->aside[i], hash_a, hash_b);
	for (int i = 0; i < a->naside && best.level != CALLSYNC_NAME_EXACT; i++)
		if (a->aside_last[i])
			better(&best, compare_words(&a->aside[i], &b->word[core_b[nb - 1]], NULL, false),
				   &a->aside[i], &b->word[core_b[nb - 1]], hash_a, hash_b);
	return best;
}

/* The ways to read a name: which words are given names, which the surname. */
typedef struct Split
{
	int			given_from,
				given_to;
	int			last_from,
				last_to;
	float		penalty;
	bool		swapped;
} Split;

#define MAX_SPLITS (2 * CALLSYNC_NAME_WORDS + 2)

static int
splits_of(const CallsyncName *name, Split *split, bool order_may_differ)
{
	int			n = 0;

	if (name->comma)
	{
		split[n++] = (Split) {name->ngiven, name->n, 0, name->ngiven, 0, true};
		return n;
	}
	if (name->ngiven > 0)
	{
		split[n++] = (Split) {0, name->ngiven, name->ngiven, name->n, 0, false};
		/* in two columns, but perhaps in the wrong ones */
		if (order_may_differ)
			split[n++] = (Split) {name->ngiven, name->n, 0, name->ngiven, 4, true};
		return n;
	}
	if (name->n == 1)
	{
		split[n++] = (Split) {0, 1, 0, 0, 0, false};
		split[n++] = (Split) {0, 0, 0, 1, 1, false};
		return n;
	}
	for (int i = 1; i < name->n; i++)
	{
		split[n++] = (Split) {0, i, i, name->n, 0, false};
		if (order_may_differ)
			split[n++] = (Split) {i, name->n, 0, i, 3, true};
	}
	return n;
}

/* The best of the given ways to read both names; match->score tells how good it is. Returns false where none applies. */
static bool
best_split(const CallsyncName *call, const Split *a, int na, const CallsyncName *contact, const Split *b, int nb,
		   const CallsyncNicks *nicks, CallsyncNameMatch *match)
{
	int8_t		generation = match->generation;
	bool		any = false;

	for (int i = 0; i < na; i++)
		for (int k = 0; k < nb; k++)
		{
			CallsyncNameMatch m = {0};
			WordMatch	first = compare_given(call, a[i].given_from, a[i].given_to, contact, b[k].given_from, b[k].given_to,
											  nicks, &m.call_first, &m.contact_first);
			WordMatch	last = compare_last(call, a[i].last_from, a[i].last_to, contact, b[k].last_from, b[k].last_to,
											&m.call_last, &m.contact_last);
			bool		have_first = first.level != CALLSYNC_NAME_MISSING;
			bool		have_last = last.level != CALLSYNC_NAME_MISSING;

			if (!have_first && !have_last)
				continue;
			m.swapped = (a[i].swapped && !call->comma) || (b[k].swapped && !contact->comma);
			/* surname first is a reading only where it is the surname: one given name in the last place is none */
			if (m.swapped && have_first && have_last && last.level == CALLSYNC_NAME_NONE)
				continue;
			m.generation = generation;
			m.first = first.level;
			m.last = last.level;
			m.nick_weight = first.nick_weight;
			m.score = level_bits[first.level] + level_bits[last.level] - a[i].penalty - b[k].penalty +
				0.5f * (first.similarity + last.similarity);
			if (have_first && have_last)
				m.similarity = 0.45f * first.similarity + 0.55f * last.similarity;
			else
				m.similarity = 0.8f * (have_first ? first.similarity : last.similarity);
			if (m.swapped)
				m.similarity *= 0.97f;
			if (m.generation < 0)
				m.similarity *= 0.7f;
			if (!any || m.score > match->score)
				*match = m;
			any = true;
		}
	return any;
}

/* "Maryjones": a name written as one word against one of several. */
static bool
run_together(const CallsyncName *one, const CallsyncName *other, CallsyncNameMatch *match)
{
	CallsyncWord joined;
	WordMatch	m;

	if (one->n != 1 || other->n < 2 || one->word[0].len < 6)
		return false;
	callsync_name_join(other, 0, other->n, &joined);
	m = compare_words(&one->word[0], &joined, NULL, false);
	if (m.level != CALLSYNC_NAME_EXACT && m.level != CALLSYNC_NAME_SOUND)
		return false;
	match->first = match->last = m.level;
	match->nick_weight = 0;
	match->swapped = false;
	match->call_first = match->contact_first = other->word[other->comma && other->ngiven < other->n ? other->ngiven : 0].hash;
	match->call_last = match->contact_last = other->word[other->comma ? 0 : other->n - 1].hash;
	match->score = 2 * level_bits[m.level];
	match->similarity = 0.98f * m.similarity;
	return true;
}

void
callsync_name_compare(const CallsyncName *call, const CallsyncName *contact,
					  const CallsyncNicks *nicks, CallsyncNameMatch *match)
{
	Split		a[MAX_SPLITS];
	Split		b[MAX_SPLITS];
	int			na;
	int			nb;

	memset(match, 0, sizeof(*match));
	if (call->n == 0 || contact->n == 0)
		return;
	if (call->generation != 0 && contact->generation != 0)
		match->generation = call->generation == contact->generation ? 1 : -1;
	if (run_together(call, contact, match) || run_together(contact, call, match))
		return;
	na = splits_of(call, a, true);
	nb = splits_of(contact, b, false);
	(void) best_split(call, a, na, contact, b, nb, nicks, match);
	/*
	 * Columns that are the wrong way round: to read the call surname first finds
	 * them, but not where it says which is which, and no nicknames.
	 */
	if ((match->first == CALLSYNC_NAME_NONE || match->last == CALLSYNC_NAME_NONE) &&
		contact->ngiven > 0 && !contact->comma && contact->n - contact->ngiven == 1)
	{
		CallsyncNameMatch turned = {.generation = match->generation};
		Split		straight[MAX_SPLITS];
		int			n = 0;

		nb = splits_of(contact, b, true);
		for (int i = 0; i < na; i++)
			if (!a[i].swapped || call->comma)
				straight[n++] = a[i];
		if (best_split(call, straight, n, contact, b + 1, nb - 1, nicks, &turned) &&
			turned.score > match->score && turned.first != CALLSYNC_NAME_NONE)
			*match = turned;
	}
}

double
callsync_name_similarity(const CallsyncName *a, const CallsyncName *b, const CallsyncNicks *nicks)
{
	CallsyncNameMatch one;
	CallsyncNameMatch two;
	float		best;

	callsync_name_compare(a, b, nicks, &one);
	callsync_name_compare(b, a, nicks, &two);
	best = one.similarity > two.similarity ? one.similarity : two.similarity;
	/* equal word for word, whatever the splits made of it */
	if (a->n > 0 && a->n == b->n && a->generation == b->generation)
	{
		int			i = 0;

		while (i < a->n && same_word(&a->word[i], &b->word[i]))
			i++;
		if (i == a->n)
			best = 1;
	}
	return best;
}
