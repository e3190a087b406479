/*
 * score.c
 *		Weights, and candidates competing; see score.h.
 */
#include <math.h>
#include <string.h>

#include "core/score.h"

static const char *const field_names[CALLSYNC_ON_FIELDS] = {
	"PHONE", "SPOKEN", "EMAIL", "FIRST", "LAST", "GENERATION", "ZIP", "ACCOUNT"
};

const char *
callsync_on_name(CallsyncOn field)
{
	return field_names[field];
}

int
callsync_on_lookup(const char *name)
{
	for (int i = 0; i < CALLSYNC_ON_FIELDS; i++)
		if (strcmp(field_names[i], name) == 0)
			return i;
	return -1;
}

int
callsync_level_count(CallsyncOn field)
{
	static const int counts[CALLSYNC_ON_FIELDS] = {5, 5, 6, 9, 9, 3, 5, 3};

	return counts[field];
}

const char *
callsync_level_name(CallsyncOn field, int level)
{
	static const char *const postal[] = {"missing", "exact", "near", "area", "none"};
	static const char *const same[] = {"missing", "same", "conflict"};

	switch (field)
	{
		case CALLSYNC_ON_PHONE:
		case CALLSYNC_ON_SPOKEN:
			return callsync_line_level((CallsyncLineLevel) level);
		case CALLSYNC_ON_EMAIL:
			return callsync_email_level((CallsyncEmailLevel) level);
		case CALLSYNC_ON_FIRST:
		case CALLSYNC_ON_LAST:
			return callsync_name_level((CallsyncNameLevel) level);
		case CALLSYNC_ON_POSTAL:
			return postal[level];
		default:
			return same[level];
	}
}

int
callsync_level_lookup(CallsyncOn field, const char *name)
{
	for (int i = 0; i < callsync_level_count(field); i++)
		if (strcmp(callsync_level_name(field, i), name) == 0)
			return i;
	return -1;
}

/*
 * Set by hand from what is known of people and telephones, not from one data set.
 * u of levels that depend on a frequency is the factor it is multiplied with.
 */
void
callsync_model_default(CallsyncModel *model)
{
	static const CallsyncModel shipped = {
		.lambda = 0.80,
		.rho = 0.20,
		.rho_email = 0.03,
		.household = 0.40,
		.m = {
			[CALLSYNC_ON_PHONE] = {
				[CALLSYNC_LINE_EXACT] = 0.70, [CALLSYNC_LINE_SUFFIX] = 0.05, [CALLSYNC_LINE_NEAR] = 0.01, [CALLSYNC_LINE_NONE] = 0.24},
			[CALLSYNC_ON_SPOKEN] = {
				[CALLSYNC_LINE_EXACT] = 0.70, [CALLSYNC_LINE_SUFFIX] = 0.05, [CALLSYNC_LINE_NEAR] = 0.10, [CALLSYNC_LINE_NONE] = 0.15},
			[CALLSYNC_ON_EMAIL] = {
				[CALLSYNC_EMAIL_EXACT] = 0.72, [CALLSYNC_EMAIL_DOMAIN] = 0.05, [CALLSYNC_EMAIL_NEAR] = 0.08, [CALLSYNC_EMAIL_LOCAL] = 0.02, [CALLSYNC_EMAIL_NONE] = 0.13},
			[CALLSYNC_ON_FIRST] = {
				[CALLSYNC_NAME_EXACT] = 0.68, [CALLSYNC_NAME_NICK] = 0.11, [CALLSYNC_NAME_SOUND] = 0.08, [CALLSYNC_NAME_NEAR] = 0.03,
				[CALLSYNC_NAME_PARTIAL] = 0.01, [CALLSYNC_NAME_INITIAL] = 0.03, [CALLSYNC_NAME_WEAK] = 0.03, [CALLSYNC_NAME_NONE] = 0.01},
			[CALLSYNC_ON_LAST] = {
				[CALLSYNC_NAME_EXACT] = 0.75, [CALLSYNC_NAME_NICK] = 0.005, [CALLSYNC_NAME_SOUND] = 0.09, [CALLSYNC_NAME_NEAR] = 0.05,
				[CALLSYNC_NAME_PARTIAL] = 0.02, [CALLSYNC_NAME_INITIAL] = 0.01, [CALLSYNC_NAME_WEAK] = 0.035, [CALLSYNC_NAME_NONE] = 0.03},
			[CALLSYNC_ON_GENERATION] = {[CALLSYNC_SAME_YES] = 0.95, [CALLSYNC_SAME_NO] = 0.05},
			[CALLSYNC_ON_POSTAL] = {
				[CALLSYNC_POSTAL_EXACT] = 0.85, [CALLSYNC_POSTAL_NEAR] = 0.04, [CALLSYNC_POSTAL_AREA] = 0.04, [CALLSYNC_POSTAL_NONE] = 0.07},
			[CALLSYNC_ON_ACCOUNT] = {[CALLSYNC_SAME_YES] = 0.95, [CALLSYNC_SAME_NO] = 0.05},
		},
		.u = {
			/*
			 * exact, suffix: factor of rho * contacts on the line / contacts.  none: would be
			 * 1 if contacts who do not call from a line of their own called from somebody
			 * else's as often as strangers do; they do so a little less often.
			 */
			[CALLSYNC_ON_PHONE] = {
				[CALLSYNC_LINE_EXACT] = 1.0, [CALLSYNC_LINE_SUFFIX] = 1.1, [CALLSYNC_LINE_NEAR] = 1e-6, [CALLSYNC_LINE_NONE] = 0.80},
			[CALLSYNC_ON_SPOKEN] = {
				[CALLSYNC_LINE_EXACT] = 0.5, [CALLSYNC_LINE_SUFFIX] = 0.6, [CALLSYNC_LINE_NEAR] = 2e-6, [CALLSYNC_LINE_NONE] = 0.90},
			/* exact: factor of rho_email * contacts with the mailbox / contacts */
			[CALLSYNC_ON_EMAIL] = {
				[CALLSYNC_EMAIL_EXACT] = 1.0, [CALLSYNC_EMAIL_DOMAIN] = 1e-6, [CALLSYNC_EMAIL_NEAR] = 5e-6, [CALLSYNC_EMAIL_LOCAL] = 1e-4, [CALLSYNC_EMAIL_NONE] = 0.97},
			/* exact: factor of the frequency; nick, sound, near: share of the level among people of that name */
			[CALLSYNC_ON_FIRST] = {
				[CALLSYNC_NAME_EXACT] = 0.85, [CALLSYNC_NAME_NICK] = 0.11, [CALLSYNC_NAME_SOUND] = 0.08, [CALLSYNC_NAME_NEAR] = 0.03,
				[CALLSYNC_NAME_PARTIAL] = 0.01, [CALLSYNC_NAME_INITIAL] = 0.0025, [CALLSYNC_NAME_WEAK] = 0.05, [CALLSYNC_NAME_NONE] = 0.93},
			[CALLSYNC_ON_LAST] = {
				[CALLSYNC_NAME_EXACT] = 0.85, [CALLSYNC_NAME_NICK] = 0.005, [CALLSYNC_NAME_SOUND] = 0.09, [CALLSYNC_NAME_NEAR] = 0.05,
				[CALLSYNC_NAME_PARTIAL] = 0.02, [CALLSYNC_NAME_INITIAL] = 0.002, [CALLSYNC_NAME_WEAK] = 0.05, [CALLSYNC_NAME_NONE] = 0.94},
			[CALLSYNC_ON_GENERATION] = {[CALLSYNC_SAME_YES] = 0.5, [CALLSYNC_SAME_NO] = 0.5},
			[CALLSYNC_ON_POSTAL] = {
				[CALLSYNC_POSTAL_EXACT] = 1.0, [CALLSYNC_POSTAL_NEAR] = 0.002, [CALLSYNC_POSTAL_AREA] = 0.02, [CALLSYNC_POSTAL_NONE] = 0.97},
			[CALLSYNC_ON_ACCOUNT] = {[CALLSYNC_SAME_YES] = 1.0, [CALLSYNC_SAME_NO] = 0.95},
		},
	};

	*model = shipped;
}

void
callsync_model_twins(CallsyncModel *model, const CallsyncModel *base)
{
	CallsyncModel shipped;

	callsync_model_default(&shipped);
	for (int i = 0; i < base->nextra; i++)
		shipped.extra[i] = base->extra[i];
	shipped.nextra = base->nextra;
	*model = shipped;
	/* one contact in twenty has a twin */
	model->lambda = 0.05;
	/* two contacts share a line or a mailbox as often as such are shared at all */
	model->rho = 1;
	model->rho_email = 1;
	model->household = 0.7;
	/* records are typed, not heard */
	model->m[CALLSYNC_ON_FIRST][CALLSYNC_NAME_WEAK] = 0.01;
	model->m[CALLSYNC_ON_PHONE][CALLSYNC_LINE_EXACT] = 0.55;
	model->m[CALLSYNC_ON_PHONE][CALLSYNC_LINE_NONE] = 0.40;
	model->u[CALLSYNC_ON_PHONE][CALLSYNC_LINE_NONE] = 0.97;
	model->m[CALLSYNC_ON_EMAIL][CALLSYNC_EMAIL_EXACT] = 0.55;
	model->m[CALLSYNC_ON_EMAIL][CALLSYNC_EMAIL_NONE] = 0.30;
	model->m[CALLSYNC_ON_POSTAL][CALLSYNC_POSTAL_EXACT] = 0.70;
	model->m[CALLSYNC_ON_POSTAL][CALLSYNC_POSTAL_NONE] = 0.22;
}

double
callsync_term_share(CallsyncKeyKind kind, double n, double total)
{
	/* counts behind which the mirror's own frequencies count for more than the world's */
	const double mixed = 200;
	double		everywhere = 0.001;

	switch (kind)
	{
		case CALLSYNC_TERM_FIRST:
			everywhere = 0.002;
			break;
		case CALLSYNC_TERM_LAST:
			everywhere = 0.0004;
			break;
		case CALLSYNC_TERM_POSTAL:
			everywhere = 0.001;
			break;
		case CALLSYNC_TERM_DOMAIN:
			everywhere = 0.0005;
			break;
		case CALLSYNC_TERM_ACCOUNT:
			everywhere = 0.001;
			break;
		default:
			break;
	}
	if (n < 0)
		n = 0;
	return (n + mixed * everywhere) / (total + mixed);
}

/* share of those who give their surname first, without saying so, or whose columns are the wrong way round */
#define SURNAME_FIRST 0.05

static double
at_least(double x, double floor)
{
	return x > floor ? x : floor;
}

static void
add_weight(CallsyncScore *score, int field, int level, double m, double u, double tf)
{
	CallsyncWeight *w = &score->weight[score->n++];

	w->field = field;
	w->level = level;
	w->m = m;
	w->u = u > 1 ? 1 : u < 1e-9 ? 1e-9 : u;
	w->tf = tf;
	w->bits = log2(w->m / w->u);
	score->total += w->bits;
}

/*
 * A word heard differently: the caller may be a stranger whose name it is (share
 * of the word said) or one of those who have the contact's name and were misheard
 * alike.  variants: among how many likely forms a misheard name spreads.
 */
static double
altered_u(double share, double tf_contact, double tf_call, double variants)
{
	return share * (1.5 * tf_contact) + tf_call * 0.6 * variants;
}

/* in a handful of contacts chance agreement is judged as in a thousand */
static double
population(double contacts)
{
	return at_least(contacts, 1000);
}

double
callsync_score_prior(const CallsyncModel *model, double contacts)
{
	return log2(model->lambda / population(contacts) / (1 - model->lambda));
}

void
callsync_score_pair(const CallsyncModel *model, const CallsyncPair *pair, double contacts,
					CallsyncScore *score)
{
	double		n = population(contacts);
	bool		on_line = false;
	int			l;
	const double *m;
	const double *u;
	int			first = pair->level[CALLSYNC_ON_FIRST];
	int			last = pair->level[CALLSYNC_ON_LAST];

	memset(score, 0, sizeof(*score));
	score->prior = callsync_score_prior(model, contacts);
	score->total = score->prior;

	l = pair->level[CALLSYNC_ON_PHONE];
	m = model->m[CALLSYNC_ON_PHONE];
	u = model->u[CALLSYNC_ON_PHONE];
	if (l == CALLSYNC_LINE_EXACT || l == CALLSYNC_LINE_SUFFIX)
	{
		double		share = pair->line_shared / n;

		/* how a CRM happens to write its numbers is no evidence: both levels share their m */
		on_line = true;
		add_weight(score, CALLSYNC_ON_PHONE, l, m[CALLSYNC_LINE_EXACT] + m[CALLSYNC_LINE_SUFFIX], u[l] * model->rho * share, share);
	}
	else if (l != CALLSYNC_LINE_MISSING)
		add_weight(score, CALLSYNC_ON_PHONE, l, m[l], u[l], -1);

	l = pair->level[CALLSYNC_ON_SPOKEN];
	m = model->m[CALLSYNC_ON_SPOKEN];
	u = model->u[CALLSYNC_ON_SPOKEN];
	if (l == CALLSYNC_LINE_EXACT || l == CALLSYNC_LINE_SUFFIX)
	{
		double		share = pair->spoken_shared / n;

		on_line = true;
		add_weight(score, CALLSYNC_ON_SPOKEN, l, m[CALLSYNC_LINE_EXACT] + m[CALLSYNC_LINE_SUFFIX], u[l] * model->rho * share, share);
	}
	else if (l == CALLSYNC_LINE_NEAR)
		add_weight(score, CALLSYNC_ON_SPOKEN, l, m[l], at_least(u[l] * pair->spoken_shared, 0.02 * model->rho / n), -1);
	else if (l != CALLSYNC_LINE_MISSING)
		add_weight(score, CALLSYNC_ON_SPOKEN, l, m[l], u[l], -1);

	/* names: by frequency; a stranger on the same line is often family */
	m = model->m[CALLSYNC_ON_FIRST];
	u = model->u[CALLSYNC_ON_FIRST];
	if (first == CALLSYNC_NAME_EXACT)
		add_weight(score, CALLSYNC_ON_FIRST, first, m[first], u[first] * pair->tf_contact_first, pair->tf_contact_first);
	else if (first == CALLSYNC_NAME_NICK)
		add_weight(score, CALLSYNC_ON_FIRST, first, m[first],
				   altered_u(u[first], pair->tf_contact_first / at_least(pair->name.nick_weight, 0.01), pair->tf_call_first, 3), pair->tf_contact_first);
	else if (first == CALLSYNC_NAME_SOUND || first == CALLSYNC_NAME_NEAR || first == CALLSYNC_NAME_PARTIAL)
		add_weight(score, CALLSYNC_ON_FIRST, first, m[first],
				   altered_u(u[first], at_least(pair->tf_contact_first, 0.0005), pair->tf_call_first, 4), pair->tf_contact_first);
	else if (first != CALLSYNC_NAME_MISSING)
		add_weight(score, CALLSYNC_ON_FIRST, first, m[first], u[first], -1);

	m = model->m[CALLSYNC_ON_LAST];
	u = model->u[CALLSYNC_ON_LAST];
	{
		double		family = on_line ? model->household * 0.8 : 0;
		double		tf = pair->tf_contact_last;
		/*
		 * "Scott Clark" may be Clark Scott, who said his surname first; but few do, and
		 * most who say it are called Scott Clark.
		 */
		double		other = pair->name.swapped && score->n > 0 && score->weight[score->n - 1].field == CALLSYNC_ON_FIRST ?
			(1 - SURNAME_FIRST) / SURNAME_FIRST * pair->tf_other_order / score->weight[score->n - 1].u : 0;

		if (last == CALLSYNC_NAME_EXACT)
			add_weight(score, CALLSYNC_ON_LAST, last, m[last], u[last] * (family + (1 - family) * tf) + other, tf);
		else if (last == CALLSYNC_NAME_SOUND || last == CALLSYNC_NAME_NEAR || last == CALLSYNC_NAME_PARTIAL)
			add_weight(score, CALLSYNC_ON_LAST, last, m[last],
					   family * u[last] + (1 - family) * altered_u(u[last], at_least(tf, 0.0003), pair->tf_call_last, 4) + other, tf);
		else if (last == CALLSYNC_NAME_NONE || last == CALLSYNC_NAME_WEAK)
			add_weight(score, CALLSYNC_ON_LAST, last, m[last], u[last] * (1 - family), -1);
		else if (last != CALLSYNC_NAME_MISSING)
			add_weight(score, CALLSYNC_ON_LAST, last, m[last], u[last], -1);
	}

	l = pair->level[CALLSYNC_ON_GENERATION];
	if (l != CALLSYNC_SAME_MISSING)
		add_weight(score, CALLSYNC_ON_GENERATION, l, model->m[CALLSYNC_ON_GENERATION][l], model->u[CALLSYNC_ON_GENERATION][l], -1);

	/* mailboxes are made of names: who has the name is likely to have a similar one */
	l = pair->level[CALLSYNC_ON_EMAIL];
	m = model->m[CALLSYNC_ON_EMAIL];
	u = model->u[CALLSYNC_ON_EMAIL];
	{
		bool		namesake = (first == CALLSYNC_NAME_EXACT || first == CALLSYNC_NAME_NICK || first == CALLSYNC_NAME_SOUND || first == CALLSYNC_NAME_NEAR) &&
			(last == CALLSYNC_NAME_EXACT || last == CALLSYNC_NAME_SOUND || last == CALLSYNC_NAME_NEAR || last == CALLSYNC_NAME_PARTIAL);

		/* one of the two names is enough to make mailboxes alike */
		bool		partly = first == CALLSYNC_NAME_EXACT || last == CALLSYNC_NAME_EXACT;

		/* how likely somebody else's local part is alike, and at a domain that reads like this one */
		double		local = namesake ? 0.08 : partly ? 1e-3 : 1e-4;
		double		domain = at_least(pair->tf_contact_domain, 0.001);

		if (l == CALLSYNC_EMAIL_EXACT)
			add_weight(score, CALLSYNC_ON_EMAIL, l, m[l], at_least(u[l] * model->rho_email * pair->email_shared / n, namesake ? 1e-4 : 0), pair->email_shared / n);
		else if (l == CALLSYNC_EMAIL_DOMAIN)
			add_weight(score, CALLSYNC_ON_EMAIL, l, m[l],
					   at_least(local * (0.05 * domain + pair->tf_call_domain), u[l]), pair->tf_contact_domain);
		else if (l == CALLSYNC_EMAIL_NEAR)
			add_weight(score, CALLSYNC_ON_EMAIL, l, m[l], at_least(local * domain, u[l]), pair->tf_contact_domain);
		else if (l == CALLSYNC_EMAIL_LOCAL)
			add_weight(score, CALLSYNC_ON_EMAIL, l, m[l], namesake ? 0.05 : u[l], -1);
		else if (l != CALLSYNC_EMAIL_MISSING)
			add_weight(score, CALLSYNC_ON_EMAIL, l, m[l], u[l], -1);
	}

	/* postal code: family lives together, and surnames cluster */
	l = pair->level[CALLSYNC_ON_POSTAL];
	m = model->m[CALLSYNC_ON_POSTAL];
	u = model->u[CALLSYNC_ON_POSTAL];
	{
		double		family = on_line ? model->household * 0.9 : last == CALLSYNC_NAME_EXACT ? 0.005 : 0;

		if (l == CALLSYNC_POSTAL_EXACT)
			add_weight(score, CALLSYNC_ON_POSTAL, l, m[l], u[l] * (family + (1 - family) * pair->tf_postal), pair->tf_postal);
		else if (l != CALLSYNC_POSTAL_MISSING)
			add_weight(score, CALLSYNC_ON_POSTAL, l, m[l], u[l] * (1 - family), -1);
	}

	l = pair->level[CALLSYNC_ON_ACCOUNT];
	if (l == CALLSYNC_SAME_YES)
		add_weight(score, CALLSYNC_ON_ACCOUNT, l, model->m[CALLSYNC_ON_ACCOUNT][l], model->u[CALLSYNC_ON_ACCOUNT][l] * pair->tf_account, pair->tf_account);
	else if (l != CALLSYNC_SAME_MISSING)
		add_weight(score, CALLSYNC_ON_ACCOUNT, l, model->m[CALLSYNC_ON_ACCOUNT][l], model->u[CALLSYNC_ON_ACCOUNT][l], -1);

	for (int i = 0; i < model->nextra; i++)
	{
		const CallsyncExtraModel *x = &model->extra[i];

		/* who has surname and line, mailbox or postal code in common lives together */
		bool		family = x->household && last == CALLSYNC_NAME_EXACT &&
			(on_line || pair->level[CALLSYNC_ON_EMAIL] == CALLSYNC_EMAIL_EXACT || pair->level[CALLSYNC_ON_POSTAL] == CALLSYNC_POSTAL_EXACT);

		l = pair->extra[i];
		if (l == CALLSYNC_EXTRA_EXACT)
			add_weight(score, CALLSYNC_ON_FIELDS + i, l, x->m[l],
					   at_least(at_least(pair->tf_extra[i], x->u_exact), family ? 0.3 : 0), pair->tf_extra[i]);
		else if (l == CALLSYNC_EXTRA_NEAR)
			add_weight(score, CALLSYNC_ON_FIELDS + i, l, x->m[l], at_least(x->u_near, family ? 0.1 : 0), -1);
		else if (l == CALLSYNC_EXTRA_NONE)
			add_weight(score, CALLSYNC_ON_FIELDS + i, l, x->m[l], 1 - x->u_near, -1);
	}
}

double
callsync_score_compete(CallsyncScore *const *score, int n)
{
	double		top = 0;
	double		sum;

	for (int i = 0; i < n; i++)
		if (score[i]->total > top)
			top = score[i]->total;
	/* relative to the highest, so that nothing overflows; nobody has total 0 */
	sum = exp2(-top);
	for (int i = 0; i < n; i++)
		sum += exp2(score[i]->total - top);
	for (int i = 0; i < n; i++)
		score[i]->p = exp2(score[i]->total - top) / sum;
	return exp2(-top) / sum;
}
