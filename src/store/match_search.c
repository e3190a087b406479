/*
 * match_search.c
 *		Candidates for a caller: found by keys, compared, scored.
 *
 * One search serves many calls (training); what is remembered of one call is
 * forgotten at the next.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/memutils.h"

#include "core/phone.h"
#include "store/key_filter.h"
#include "store/match_search.h"
#include "store/model_json.h"

/* a key on more contacts than this is generic and not expanded */
#define GENERIC 200
/* ... and a key that is weak evidence, on more than this */
#define WEAK_GENERIC 16
/* the same for contacts among each other, where every contact looks for twins */
#define TWIN_GENERIC 40
/* how far contacts on a generic line are counted */
#define COUNT_LIMIT 5000
#define MAX_KEYS 48
#define MAX_CANDIDATES 2000

static CallsyncText
text_of(const char *s)
{
	CallsyncText t = {s, s ? strlen(s) : 0};

	if (t.n == 0)
		t.s = NULL;
	return t;
}

static int
region_of(const CallsyncMatchInput *input, const CallsyncMatchConfig *config)
{
	if (input->region != NULL && input->region[0] != '\0')
		return callsync_region_lookup(input->region, strlen(input->region));
	return config->region;
}

void
callsync_search_read_call(const CallsyncMatchInput *input, const CallsyncMatchConfig *config,
						  CallsyncPerson *call)
{
	CallsyncCallText text = {
		.phone = text_of(input->phone),
		.spoken_phone = text_of(input->spoken_phone),
		.email = text_of(input->email),
		.name = text_of(input->name),
		.postal_code = text_of(input->postal_code),
	};

	callsync_person_call(call, &text, region_of(input, config));
}

static double
count_term(CallsyncSearch *s, uint64_t term)
{
	double		count;

	for (int i = 0; i < s->nterms; i++)
		if (s->term[i] == term)
			return s->term_count[i];
	count = callsync_mirror_term(s->mirror, term);
	if (s->nterms < CALLSYNC_SEARCH_TERMS)
	{
		s->term[s->nterms] = term;
		s->term_count[s->nterms++] = count;
	}
	return count;
}

/* Share of the contacts that have the hashed word or domain; 0 = none was compared. */
static double
word_share(CallsyncSearch *s, CallsyncKeyKind kind, uint64_t hash)
{
	return callsync_term_share(kind, hash ? count_term(s, callsync_term(s->seed, kind, hash)) : 0, s->contacts);
}

static double
text_share(CallsyncSearch *s, CallsyncKeyKind kind, const char *text, size_t len)
{
	return callsync_term_share(kind, count_term(s, callsync_key(s->seed, kind, text, len)), s->contacts);
}

static bool
known_cid(const CallsyncSearch *s, int64 cid)
{
	for (int i = 0; i < s->n; i++)
		if (s->candidate[i].cid == cid)
			return true;
	return false;
}

static void
add_cid(CallsyncSearch *s, int64 cid)
{
	if (s->n >= MAX_CANDIDATES || known_cid(s, cid) || (s->twins && cid <= s->twin_of))
		return;
	if (s->n == s->cap)
	{
		s->cap = s->cap ? s->cap * 2 : 16;
		s->candidate = s->candidate ? repalloc(s->candidate, s->cap * sizeof(CallsyncCandidate))
			: palloc(s->cap * sizeof(CallsyncCandidate));
	}
	s->candidate[s->n++].cid = cid;
}

/*
 * How many contacts a key may be on and still be expanded.  Names alone and the
 * sound of mailboxes are weak: where many share them they single out nobody, and
 * reading them all would make decisions slower as the mirror grows.  Among the
 * contacts of one account a name may well decide.
 */
static int
generic_from(const CallsyncSearch *s, CallsyncKeyKind kind)
{
	if (s->twins)
		return TWIN_GENERIC;
	if (kind == CALLSYNC_KEY_LOCAL || kind == CALLSYNC_KEY_HALF || (kind == CALLSYNC_KEY_LAST_FIRST && s->account.n == 0))
		return WEAK_GENERIC;
	return GENERIC;
}

/* Contacts under the keys; a generic key is remembered by its count and not expanded. */
static void
find_candidates(CallsyncSearch *s, const CallsyncKey *keys, int nkeys)
{
	int64		cid[GENERIC];

	for (int k = 0; k < nkeys; k++)
	{
		bool		more;
		int			n = callsync_mirror_key(s->mirror, keys[k].key, cid, generic_from(s, keys[k].kind), &more);

		if (!more)
		{
			for (int i = 0; i < n; i++)
				add_cid(s, cid[i]);
			continue;
		}
		if (keys[k].kind == CALLSYNC_KEY_LINE || keys[k].kind == CALLSYNC_KEY_EMAIL)
		{
			n = callsync_mirror_count(s->mirror, keys[k].key, COUNT_LIMIT);
			if (keys[k].kind == CALLSYNC_KEY_EMAIL)
				s->email_count = n;
			else if (s->line_count == 0)
				s->line_count = n;
			else
				s->spoken_count = n;
		}
	}
}

/* Reads and compares the candidates from index "from" on; those out of scope are dropped. */
static void
compare_candidates(CallsyncSearch *s, int from)
{
	CallsyncPerson *contact = palloc(sizeof(CallsyncPerson));
	int			kept = from;

	for (int i = from; i < s->n; i++)
	{
		TupleTableSlot *slot = callsync_mirror_contact(s->mirror, s->candidate[i].cid);
		CallsyncCandidate *c = &s->candidate[kept];
		CallsyncText destination;
		CallsyncText account;

		if (slot == NULL)
			continue;
		destination = callsync_contact_text(slot, CALLSYNC_CONTACT_DESTINATION);
		if (destination.n != s->destination.n || memcmp(destination.s, s->destination.s, destination.n) != 0)
			continue;
		account = callsync_contact_text(slot, CALLSYNC_CONTACT_ACCOUNT_ID);
		if (s->account.n > 0 && account.n > 0 &&
			(account.n != s->account.n || memcmp(account.s, s->account.s, account.n) != 0))
			continue;
		c->cid = s->candidate[i].cid;
		callsync_contact_person(slot, s->config.region, contact);
		if (s->twins)
			callsync_pair_contacts(&s->call, contact, s->nicks, &c->pair);
		else
			callsync_pair_compare(&s->call, contact, s->nicks, &c->pair);
		if (s->account.n > 0 && account.n > 0)
			c->pair.level[CALLSYNC_ON_ACCOUNT] = CALLSYNC_SAME_YES;
		for (int f = 0; f < s->config.model.nextra; f++)
			if (s->field_len[f] > 0)
			{
				char		normal[CALLSYNC_EXTRA_MAX];
				size_t		len = callsync_contact_field(slot, &s->config.field[f], normal, sizeof(normal));

				c->pair.extra[f] = (uint8_t) callsync_extra_compare(s->config.field[f].kind, s->field[f], s->field_len[f], normal, len);
				c->pair.identities += c->pair.extra[f] == CALLSYNC_EXTRA_EXACT && s->config.field[f].is_key && s->config.model.extra[f].identity;
			}
		kept++;
	}
	s->n = kept;
	pfree(contact);
}

static bool
on_line(int level)
{
	return level == CALLSYNC_LINE_EXACT || level == CALLSYNC_LINE_SUFFIX;
}

static bool
by_frequency(int level)
{
	return level == CALLSYNC_NAME_EXACT || level == CALLSYNC_NAME_NICK || level == CALLSYNC_NAME_SOUND ||
		level == CALLSYNC_NAME_NEAR || level == CALLSYNC_NAME_PARTIAL;
}

static void
score_candidates(CallsyncSearch *s)
{
	const CallsyncPerson *call = &s->call;
	int			lines = 0;
	int			spoken = 0;
	int			emails = 0;
	double		tf_postal = 0;
	double		tf_account = 0;

	for (int i = 0; i < s->n; i++)
	{
		lines += on_line(s->candidate[i].pair.level[CALLSYNC_ON_PHONE]);
		spoken += on_line(s->candidate[i].pair.level[CALLSYNC_ON_SPOKEN]);
		emails += s->candidate[i].pair.level[CALLSYNC_ON_EMAIL] == CALLSYNC_EMAIL_EXACT;
	}
	if (call->npostal > 0)
		tf_postal = text_share(s, CALLSYNC_TERM_POSTAL, call->postal, call->npostal);
	if (s->account.n > 0)
		tf_account = text_share(s, CALLSYNC_TERM_ACCOUNT, s->account.s, s->account.n);
	for (int i = 0; i < s->n; i++)
	{
		CallsyncPair *p = &s->candidate[i].pair;

		p->line_shared = Max(Max(lines, s->line_count), 1);
		p->spoken_shared = Max(Max(spoken, s->spoken_count), 1);
		p->email_shared = Max(Max(emails, s->email_count), 1);
		p->tf_postal = tf_postal;
		p->tf_account = tf_account;
		if (by_frequency(p->level[CALLSYNC_ON_FIRST]))
		{
			p->tf_contact_first = word_share(s, CALLSYNC_TERM_FIRST, p->name.contact_first);
			p->tf_call_first = word_share(s, CALLSYNC_TERM_FIRST, p->name.call_first);
		}
		if (by_frequency(p->level[CALLSYNC_ON_LAST]))
		{
			p->tf_contact_last = word_share(s, CALLSYNC_TERM_LAST, p->name.contact_last);
			p->tf_call_last = word_share(s, CALLSYNC_TERM_LAST, p->name.call_last);
		}
		if (p->name.swapped)
			p->tf_other_order = word_share(s, CALLSYNC_TERM_FIRST, p->name.call_last) * word_share(s, CALLSYNC_TERM_LAST, p->name.call_first);
		if (p->level[CALLSYNC_ON_EMAIL] == CALLSYNC_EMAIL_DOMAIN || p->level[CALLSYNC_ON_EMAIL] == CALLSYNC_EMAIL_NEAR)
		{
			p->tf_contact_domain = word_share(s, CALLSYNC_TERM_DOMAIN, p->contact_domain);
			p->tf_call_domain = word_share(s, CALLSYNC_TERM_DOMAIN, p->call_domain);
		}
		for (int f = 0; f < s->config.model.nextra; f++)
			if (p->extra[f] == CALLSYNC_EXTRA_EXACT)
				p->tf_extra[f] = callsync_term_share(CALLSYNC_TERM_FIELD,
													 count_term(s, callsync_field_key(s->seed, CALLSYNC_TERM_FIELD, &s->config.field[f], s->field[f], s->field_len[f])),
													 s->contacts);
		callsync_score_pair(&s->config.model, p, s->contacts, &s->candidate[i].score);
	}
}

/* Looks under the keys that tell one person, or under the others. */
static void
find_by(CallsyncSearch *s, const CallsyncKey *keys, int nkeys, bool telling)
{
	CallsyncKey some[MAX_KEYS];
	int			before = s->n;
	int			n = 0;

	for (int k = 0; k < nkeys; k++)
		if ((keys[k].kind == CALLSYNC_KEY_LINE || keys[k].kind == CALLSYNC_KEY_EMAIL || keys[k].kind == CALLSYNC_KEY_FIELD) == telling)
			some[n++] = keys[k];
	find_candidates(s, some, n);
	compare_candidates(s, before);
}

static bool
good_name(int level)
{
	return level == CALLSYNC_NAME_EXACT || level == CALLSYNC_NAME_NICK || level == CALLSYNC_NAME_SOUND || level == CALLSYNC_NAME_NEAR;
}

/*
 * Is there somebody who has the line or the mailbox and the name?  Then nobody who
 * has only the name, or lives there, comes near: no need to read them.
 */
static bool
recognised(const CallsyncSearch *s)
{
	for (int i = 0; i < s->n; i++)
	{
		const uint8_t *level = s->candidate[i].pair.level;

		if ((on_line(level[CALLSYNC_ON_PHONE]) || on_line(level[CALLSYNC_ON_SPOKEN]) || level[CALLSYNC_ON_EMAIL] == CALLSYNC_EMAIL_EXACT) &&
			good_name(level[CALLSYNC_ON_FIRST]) && good_name(level[CALLSYNC_ON_LAST]))
			return true;
	}
	return false;
}

/* Number said in the call that nobody has: look for one that is a slip away. */
static void
find_near_lines(CallsyncSearch *s)
{
	const CallsyncPerson *call = &s->call;
	CallsyncKey keys[CALLSYNC_NEAR_KEYS];
	int			before = s->n;
	int			n;

	if (call->spoken.n == 0)
		return;
	for (int i = 0; i < s->n; i++)
		if (on_line(s->candidate[i].pair.level[CALLSYNC_ON_SPOKEN]))
			return;
	n = callsync_near_line_keys(&call->spoken, s->seed, keys, CALLSYNC_NEAR_KEYS);
	find_candidates(s, keys, n);
	compare_candidates(s, before);
}

/* Nobody that an identifier speaks for: look where the postal code is a slip away. */
static void
find_near_postal(CallsyncSearch *s)
{
	CallsyncKey keys[CALLSYNC_NEAR_POSTAL_KEYS];
	int			before = s->n;

	if (s->call.npostal == 0 || !s->call.has_name)
		return;
	for (int i = 0; i < s->n; i++)
		if (callsync_pair_identifier(&s->config.policy, &s->candidate[i].pair) >= 0)
			return;
	find_candidates(s, keys, callsync_near_postal_keys(&s->call, s->seed, keys, CALLSYNC_NEAR_POSTAL_KEYS));
	compare_candidates(s, before);
}

/* The further fields that the call gives; those that contacts are found by become keys. */
static int
read_fields(CallsyncSearch *s, const char *json, CallsyncKey *keys, int nkeys)
{
	memset(s->field_len, 0, sizeof(s->field_len));
	if (json == NULL || s->config.model.nextra == 0)
		return nkeys;
	for (int f = 0; f < s->config.model.nextra; f++)
	{
		const CallsyncMatchField *field = &s->config.field[f];
		char	   *value = callsync_json_member(json, field->name);

		if (value == NULL)
			continue;
		s->field_len[f] = callsync_extra_normal(field->kind, value, strlen(value), s->field[f], CALLSYNC_EXTRA_MAX);
		if (field->is_key && s->field_len[f] > 0)
			keys[nkeys++] = (CallsyncKey) {callsync_field_key(s->seed, CALLSYNC_KEY_FIELD, field, s->field[f], s->field_len[f]), CALLSYNC_KEY_FIELD};
	}
	return nkeys;
}

/* the term that every contact of the destination has */
static uint64_t
total_of(const CallsyncSearch *s)
{
	return callsync_key(s->seed, CALLSYNC_TERM_TOTAL, "", 0);
}

CallsyncSearch *
callsync_search_begin(const char *destination, Snapshot snapshot, const CallsyncMirrorPending *pending)
{
	CallsyncSearch *s = palloc0(sizeof(CallsyncSearch));

	/* what is read through SPI comes first: the scans then stay open */
	s->nicks = callsync_nicks();
	s->config = *callsync_match_config(destination);
	s->destination = text_of(destination);
	s->seed = callsync_destination_seed(s->destination.s, s->destination.n);
	s->mirror = callsync_mirror_open(snapshot, pending);
	s->contacts = callsync_mirror_term(s->mirror, total_of(s));
	s->in_mirror = s->contacts - callsync_mirror_pending(s->mirror, total_of(s));
	return s;
}

void
callsync_search_end(CallsyncSearch *s)
{
	callsync_mirror_close(s->mirror);
	if (s->candidate != NULL)
		pfree(s->candidate);
	pfree(s);
}

/* Of the keys that a contact looks for twins by, those that another contact may have. */
static int
shared_keys(const CallsyncSearch *s, CallsyncKey *keys, int n, TupleTableSlot *contact)
{
	CallsyncKey own[CALLSYNC_CONTACT_KEYS];
	int			nown = callsync_contact_row_keys(contact, own, CALLSYNC_CONTACT_KEYS);
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		bool		is_own = false;

		for (int k = 0; k < nown && !is_own; k++)
			is_own = own[k].key == keys[i].key;
		if (callsync_key_filter_shared(s->filter, keys[i].key, is_own))
			keys[kept++] = keys[i];
	}
	return kept;
}

void
callsync_search_twins(CallsyncSearch *s, TupleTableSlot *contact)
{
	CallsyncKey keys[CALLSYNC_CONTACT_KEYS + CALLSYNC_PERSON_KEYS];
	CallsyncText id = callsync_contact_text(contact, CALLSYNC_CONTACT_ID);
	int			n;

	s->n = s->nterms = 0;
	s->line_count = s->spoken_count = s->email_count = 0;
	s->account.n = 0;
	s->twins = true;
	s->twin_of = callsync_contact_cid(s->destination.s, s->destination.n, id.s, id.n);
	callsync_contact_person(contact, s->config.region, &s->call);
	for (int f = 0; f < s->config.model.nextra; f++)
		s->field_len[f] = callsync_contact_field(contact, &s->config.field[f], s->field[f], CALLSYNC_EXTRA_MAX);
	n = callsync_twin_keys(&s->call, s->seed, s->nicks, keys, CALLSYNC_CONTACT_KEYS + CALLSYNC_PERSON_KEYS - CALLSYNC_EXTRA_FIELDS);
	for (int f = 0; f < s->config.model.nextra; f++)
		if (s->config.field[f].is_key && s->field_len[f] > 0)
			keys[n++] = (CallsyncKey) {callsync_field_key(s->seed, CALLSYNC_KEY_FIELD, &s->config.field[f], s->field[f], s->field_len[f]), CALLSYNC_KEY_FIELD};
	if (s->filter != NULL)
		n = shared_keys(s, keys, n, contact);
	find_candidates(s, keys, n);
	compare_candidates(s, 0);
	score_candidates(s);
}

void
callsync_search_run(CallsyncSearch *s, const CallsyncMatchInput *input)
{
	CallsyncKey keys[MAX_KEYS];
	int			nkeys;

	s->n = s->nterms = 0;
	s->line_count = s->spoken_count = s->email_count = 0;
	s->account = text_of(input->account_id);
	s->twins = false;
	s->contacts = s->in_mirror + callsync_mirror_pending(s->mirror, total_of(s));
	callsync_search_read_call(input, &s->config, &s->call);
	nkeys = callsync_call_keys(&s->call, s->seed, s->nicks, keys, MAX_KEYS - CALLSYNC_EXTRA_FIELDS);
	nkeys = read_fields(s, input->fields, keys, nkeys);
	find_by(s, keys, nkeys, true);
	if (!recognised(s))
		find_by(s, keys, nkeys, false);
	find_near_lines(s);
	find_near_postal(s);
	score_candidates(s);
}

void
callsync_search_rescore(CallsyncSearch *s, const CallsyncModel *model)
{
	s->config.model = *model;
	for (int i = 0; i < s->n; i++)
		callsync_score_pair(model, &s->candidate[i].pair, s->contacts, &s->candidate[i].score);
}
