/*
 * pair.c
 *		How a call and a contact compare, field by field.
 */
#include <string.h>

#include "core/score.h"

static CallsyncPostalLevel
compare_postal(const CallsyncPerson *a, const CallsyncPerson *b)
{
	uint16_t	x[CALLSYNC_POSTAL_MAX];
	uint16_t	y[CALLSYNC_POSTAL_MAX];
	int			area;

	if (a->npostal == 0 || b->npostal == 0)
		return CALLSYNC_POSTAL_MISSING;
	if (strcmp(a->postal, b->postal) == 0)
		return CALLSYNC_POSTAL_EXACT;
	for (int i = 0; i < a->npostal; i++)
		x[i] = (unsigned char) a->postal[i];
	for (int i = 0; i < b->npostal; i++)
		y[i] = (unsigned char) b->postal[i];
	if (callsync_edit_distance(x, a->npostal, y, b->npostal, 1) <= 1)
		return CALLSYNC_POSTAL_NEAR;
	area = a->npostal < b->npostal ? a->npostal : b->npostal;
	area = area > 3 ? 3 : area;
	if (memcmp(a->postal, b->postal, (size_t) area) == 0)
		return CALLSYNC_POSTAL_AREA;
	return CALLSYNC_POSTAL_NONE;
}

/* The best level any line of the contact has with one of the call. */
static CallsyncLineLevel
compare_lines(const CallsyncLine *line, const CallsyncPerson *contact, bool near, int8_t *which)
{
	CallsyncLineLevel best = CALLSYNC_LINE_MISSING;

	*which = -1;
	for (int i = 0; i < contact->nlines; i++)
	{
		CallsyncLineLevel l = callsync_line_compare(line, &contact->line[i], near);

		if (l != CALLSYNC_LINE_MISSING && (best == CALLSYNC_LINE_MISSING || l < best))
		{
			best = l;
			*which = (int8_t) i;
		}
	}
	if (best == CALLSYNC_LINE_NONE)
		*which = -1;
	return best;
}

static void
compare_emails(const CallsyncPerson *call, const CallsyncPerson *contact, CallsyncPair *pair)
{
	for (int i = 0; i < call->nemails; i++)
		for (int k = 0; k < contact->nemails; k++)
		{
			uint8_t		l = (uint8_t) callsync_email_compare(&call->email[i], &contact->email[k]);

			if (l != CALLSYNC_EMAIL_MISSING &&
				(pair->level[CALLSYNC_ON_EMAIL] == CALLSYNC_EMAIL_MISSING || l < pair->level[CALLSYNC_ON_EMAIL]))
			{
				pair->level[CALLSYNC_ON_EMAIL] = l;
				pair->email = (int8_t) k;
				pair->call_email = (int8_t) i;
			}
		}
	if (pair->email >= 0)
	{
		pair->call_domain = callsync_email_domain(&call->email[pair->call_email]);
		pair->contact_domain = callsync_email_domain(&contact->email[pair->email]);
	}
}

static void
compare_names(const CallsyncPerson *call, const CallsyncPerson *contact, const CallsyncNicks *nicks, CallsyncPair *pair)
{
	if (!call->has_name || !contact->has_name)
		return;
	callsync_name_compare(&call->name, &contact->name, nicks, &pair->name);
	pair->level[CALLSYNC_ON_FIRST] = (uint8_t) pair->name.first;
	pair->level[CALLSYNC_ON_LAST] = (uint8_t) pair->name.last;
	if (pair->name.generation != 0)
		pair->level[CALLSYNC_ON_GENERATION] = pair->name.generation > 0 ? CALLSYNC_SAME_YES : CALLSYNC_SAME_NO;
}

static void
start_pair(CallsyncPair *pair)
{
	memset(pair, 0, sizeof(*pair));
	pair->line = pair->spoken_line = pair->email = pair->call_email = -1;
	pair->line_shared = pair->spoken_shared = pair->email_shared = 1;
}

void
callsync_pair_compare(const CallsyncPerson *call, const CallsyncPerson *contact,
					  const CallsyncNicks *nicks, CallsyncPair *pair)
{
	start_pair(pair);
	if (call->nlines > 0)
		pair->level[CALLSYNC_ON_PHONE] = (uint8_t) compare_lines(&call->line[0], contact, false, &pair->line);
	/* the number that was said is the number of the line: one fact, not two */
	if (call->spoken.n > 0 &&
		(call->nlines == 0 || callsync_line_compare(&call->line[0], &call->spoken, false) == CALLSYNC_LINE_NONE))
		pair->level[CALLSYNC_ON_SPOKEN] = (uint8_t) compare_lines(&call->spoken, contact, true, &pair->spoken_line);
	compare_emails(call, contact, pair);
	compare_names(call, contact, nicks, pair);
	pair->level[CALLSYNC_ON_POSTAL] = (uint8_t) compare_postal(call, contact);
}

void
callsync_pair_contacts(const CallsyncPerson *a, const CallsyncPerson *b,
					   const CallsyncNicks *nicks, CallsyncPair *pair)
{
	start_pair(pair);
	for (int i = 0; i < a->nlines; i++)
	{
		int8_t		which;
		CallsyncLineLevel l = compare_lines(&a->line[i], b, false, &which);

		if (l != CALLSYNC_LINE_MISSING && (pair->level[CALLSYNC_ON_PHONE] == CALLSYNC_LINE_MISSING || l < pair->level[CALLSYNC_ON_PHONE]))
		{
			pair->level[CALLSYNC_ON_PHONE] = (uint8_t) l;
			pair->line = which;
		}
	}
	compare_emails(a, b, pair);
	compare_names(a, b, nicks, pair);
	pair->level[CALLSYNC_ON_POSTAL] = (uint8_t) compare_postal(a, b);
}

static bool
good_name(int level)
{
	return level == CALLSYNC_NAME_EXACT || level == CALLSYNC_NAME_NICK || level == CALLSYNC_NAME_SOUND ||
		level == CALLSYNC_NAME_NEAR || level == CALLSYNC_NAME_PARTIAL;
}

bool
callsync_same_person(const CallsyncPerson *a, const CallsyncPerson *b, const CallsyncNicks *nicks)
{
	CallsyncNameMatch n;

	if (!a->has_name || !b->has_name)
		return false;
	callsync_name_compare(&a->name, &b->name, nicks, &n);
	if (!good_name(n.first) || !good_name(n.last) || n.generation < 0)
		return false;
	/* two slips at once are two people who live together rather than one */
	if (n.first != CALLSYNC_NAME_EXACT && n.first != CALLSYNC_NAME_NICK && n.last != CALLSYNC_NAME_EXACT)
		return false;
	for (int i = 0; i < a->nemails; i++)
		for (int k = 0; k < b->nemails; k++)
			if (callsync_email_compare(&a->email[i], &b->email[k]) == CALLSYNC_EMAIL_EXACT)
				return true;
	/* one name and one line with different mailboxes: father and son rather than one record twice */
	if (a->nemails > 0 && b->nemails > 0)
		return false;
	for (int i = 0; i < a->nlines; i++)
		for (int k = 0; k < b->nlines; k++)
		{
			CallsyncLineLevel l = callsync_line_compare(&a->line[i], &b->line[k], false);

			if (l == CALLSYNC_LINE_EXACT || l == CALLSYNC_LINE_SUFFIX)
				return true;
		}
	return false;
}

bool
callsync_pair_contradicts(const CallsyncPair *pair)
{
	int			first = pair->level[CALLSYNC_ON_FIRST];
	int			last = pair->level[CALLSYNC_ON_LAST];

	if (pair->level[CALLSYNC_ON_GENERATION] == CALLSYNC_SAME_NO)
		return true;
	if (pair->identities >= 2)
		return false;
	return first == CALLSYNC_NAME_NONE ||
		(last == CALLSYNC_NAME_NONE && first != CALLSYNC_NAME_EXACT && first != CALLSYNC_NAME_NICK);
}

bool
callsync_pair_conflicts(const CallsyncModel *model, const CallsyncPair *pair)
{
	if (pair->level[CALLSYNC_ON_GENERATION] == CALLSYNC_SAME_NO || pair->level[CALLSYNC_ON_FIRST] == CALLSYNC_NAME_NONE)
		return true;
	for (int i = 0; i < model->nextra; i++)
		if (model->extra[i].identity && pair->extra[i] == CALLSYNC_EXTRA_NONE)
			return true;
	return false;
}

const char *
callsync_identifier_name(CallsyncIdentifier id)
{
	static const char *const names[] = {"phone", "email", "name_postal", "name_account", "name_field", "name"};

	return names[id];
}

int
callsync_identifier_lookup(const char *name)
{
	for (int i = 0; i < CALLSYNC_IDENTIFIERS; i++)
		if (strcmp(name, callsync_identifier_name((CallsyncIdentifier) i)) == 0)
			return i;
	/* as people write it */
	if (strcmp(name, "name_zip") == 0 || strcmp(name, "name+zip") == 0)
		return CALLSYNC_ID_NAME_POSTAL;
	return -1;
}

void
callsync_policy_default(CallsyncPolicy *policy)
{
	policy->match = 0.90;
	policy->review = 0.20;
	policy->nidentifiers = 5;
	policy->identifier[0] = CALLSYNC_ID_PHONE;
	policy->identifier[1] = CALLSYNC_ID_EMAIL;
	policy->identifier[2] = CALLSYNC_ID_NAME_POSTAL;
	policy->identifier[3] = CALLSYNC_ID_NAME_ACCOUNT;
	policy->identifier[4] = CALLSYNC_ID_NAME_FIELD;
}

static bool
supports(CallsyncIdentifier id, const CallsyncPair *pair)
{
	int			phone = pair->level[CALLSYNC_ON_PHONE];
	int			spoken = pair->level[CALLSYNC_ON_SPOKEN];
	int			email = pair->level[CALLSYNC_ON_EMAIL];
	int			first = pair->level[CALLSYNC_ON_FIRST];
	int			last = pair->level[CALLSYNC_ON_LAST];
	/* of one part some likeness will do where the other is good; how good is the score's business */
	bool		name = (good_name(last) && good_name(first)) ||
		(good_name(last) && first == CALLSYNC_NAME_WEAK) || (last == CALLSYNC_NAME_WEAK && good_name(first));

	switch (id)
	{
		case CALLSYNC_ID_PHONE:
			return phone == CALLSYNC_LINE_EXACT || phone == CALLSYNC_LINE_SUFFIX ||
				spoken == CALLSYNC_LINE_EXACT || spoken == CALLSYNC_LINE_SUFFIX || spoken == CALLSYNC_LINE_NEAR;
		case CALLSYNC_ID_EMAIL:
			return email == CALLSYNC_EMAIL_EXACT || email == CALLSYNC_EMAIL_DOMAIN || email == CALLSYNC_EMAIL_NEAR;
		case CALLSYNC_ID_NAME_POSTAL:
			return name && (pair->level[CALLSYNC_ON_POSTAL] == CALLSYNC_POSTAL_EXACT ||
							pair->level[CALLSYNC_ON_POSTAL] == CALLSYNC_POSTAL_NEAR);
		case CALLSYNC_ID_NAME_ACCOUNT:
			return name && pair->level[CALLSYNC_ON_ACCOUNT] == CALLSYNC_SAME_YES;
		case CALLSYNC_ID_NAME_FIELD:
			for (int i = 0; i < CALLSYNC_EXTRA_FIELDS; i++)
				if (pair->extra[i] == CALLSYNC_EXTRA_EXACT || pair->extra[i] == CALLSYNC_EXTRA_NEAR)
					return true;
			return false;
		case CALLSYNC_ID_NAME:
			return name;
		default:
			return false;
	}
}

int
callsync_pair_identifier(const CallsyncPolicy *policy, const CallsyncPair *pair)
{
	for (int i = 0; i < policy->nidentifiers; i++)
		if (supports(policy->identifier[i], pair))
			return (int) policy->identifier[i];
	return -1;
}
