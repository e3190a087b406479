/*
 * score_test.c
 *		Weights, competition, decisions, and what expectation maximisation learns.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/em.h"
#include "core/score.h"
#include "unit.h"

/* The same numbers on every machine. */
static uint64_t state = UINT64_C(88172645463325252);

static double
uniform(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (double) (state >> 11) / 9007199254740992.0;
}

static int
draw(const double *p, int n, int otherwise)
{
	double		x = uniform();

	for (int i = 1; i < n; i++)
	{
		x -= p[i];
		if (x < 0)
			return i;
	}
	return otherwise;
}

static CallsyncPair
blank_pair(void)
{
	CallsyncPair p;

	memset(&p, 0, sizeof(p));
	p.line = p.spoken_line = p.email = p.call_email = -1;
	p.line_shared = p.spoken_shared = p.email_shared = 1;
	p.tf_call_first = p.tf_contact_first = 0.004;
	p.tf_call_last = p.tf_contact_last = 0.002;
	p.tf_postal = 0.001;
	p.tf_call_domain = p.tf_contact_domain = 0.1;
	p.tf_account = 0.01;
	p.name.nick_weight = 0.6f;
	return p;
}

/* Whatever the levels: prior and weights make the total, shares make one. */
static void
sums(void)
{
	CallsyncModel model;
	CallsyncScore score[6];
	CallsyncScore *scores[6];
	int			wrong_total = 0;
	int			wrong_share = 0;

	callsync_model_default(&model);
	model.nextra = 2;
	for (int i = 0; i < 2; i++)
		model.extra[i] = (CallsyncExtraModel) {.m = {0, 0.8, 0.1, 0.1}, .u_near = 0.01, .u_exact = 0.001, .household = i == 1};
	for (int round = 0; round < 2000; round++)
	{
		int			n = 1 + round % 6;
		double		all;

		for (int k = 0; k < n; k++)
		{
			CallsyncPair p = blank_pair();
			double		sum;

			for (int f = 0; f < CALLSYNC_ON_FIELDS; f++)
				p.level[f] = (uint8_t) (uniform() * callsync_level_count((CallsyncOn) f));
			for (int f = 0; f < 2; f++)
				p.extra[f] = (uint8_t) (uniform() * 4);
			p.line_shared = 1 + (int) (uniform() * 9);
			callsync_score_pair(&model, &p, 10 + uniform() * 1e6, &score[k]);
			sum = score[k].prior;
			for (int w = 0; w < score[k].n; w++)
			{
				sum += score[k].weight[w].bits;
				if (fabs(score[k].weight[w].bits - log2(score[k].weight[w].m / score[k].weight[w].u)) > 1e-9)
					wrong_total++;
			}
			if (fabs(sum - score[k].total) > 1e-9)
				wrong_total++;
			scores[k] = &score[k];
		}
		all = callsync_score_compete(scores, n);
		for (int k = 0; k < n; k++)
			all += score[k].p;
		if (fabs(all - 1) > 1e-9)
			wrong_share++;
	}
	CHECK(wrong_total == 0);
	CHECK(wrong_share == 0);
}

typedef struct Simulation
{
	double		first[CALLSYNC_LEVELS];
	double		last[2][CALLSYNC_LEVELS];		/* by: on one line */
	double		postal[2][2][CALLSYNC_LEVELS];	/* by: on one line, surname the same */
} Simulation;

/* How often strangers compare at each level, by the model's own account. */
static void
ask_model(const CallsyncModel *model, CallsyncPair *p, int field, double contacts, double *u)
{
	int			none = callsync_level_count((CallsyncOn) field) - 1;
	double		rest = 1;

	for (int l = 1; l < none; l++)
	{
		CallsyncScore s;

		p->level[field] = (uint8_t) l;
		callsync_score_pair(model, p, contacts, &s);
		u[l] = 0;
		for (int w = 0; w < s.n; w++)
			if (s.weight[w].field == field)
				u[l] = s.weight[w].u;
		rest -= u[l];
	}
	u[none] = rest;
	p->level[field] = (uint8_t) none;
}

static void
prepare(Simulation *sim, const CallsyncModel *model, double contacts)
{
	for (int line = 0; line < 2; line++)
	{
		CallsyncPair p = blank_pair();

		p.level[CALLSYNC_ON_PHONE] = line ? CALLSYNC_LINE_EXACT : CALLSYNC_LINE_NONE;
		ask_model(model, &p, CALLSYNC_ON_FIRST, contacts, sim->first);
		ask_model(model, &p, CALLSYNC_ON_LAST, contacts, sim->last[line]);
		for (int same = 0; same < 2; same++)
		{
			p.level[CALLSYNC_ON_LAST] = same ? CALLSYNC_NAME_EXACT : CALLSYNC_NAME_NONE;
			ask_model(model, &p, CALLSYNC_ON_POSTAL, contacts, sim->postal[line][same]);
		}
	}
}

static CallsyncPair
stranger(const Simulation *sim, bool line)
{
	CallsyncPair p = blank_pair();

	p.level[CALLSYNC_ON_PHONE] = line ? CALLSYNC_LINE_EXACT : CALLSYNC_LINE_NONE;
	p.level[CALLSYNC_ON_FIRST] = (uint8_t) draw(sim->first, CALLSYNC_NAME_NONE, CALLSYNC_NAME_NONE);
	p.level[CALLSYNC_ON_LAST] = (uint8_t) draw(sim->last[line], CALLSYNC_NAME_NONE, CALLSYNC_NAME_NONE);
	p.level[CALLSYNC_ON_POSTAL] = (uint8_t) draw(sim->postal[line][p.level[CALLSYNC_ON_LAST] == CALLSYNC_NAME_EXACT], CALLSYNC_POSTAL_NONE, CALLSYNC_POSTAL_NONE);
	return p;
}

static CallsyncPair
caller(const CallsyncModel *model)
{
	CallsyncPair p = blank_pair();

	p.level[CALLSYNC_ON_PHONE] = uniform() < model->m[CALLSYNC_ON_PHONE][CALLSYNC_LINE_EXACT] ? CALLSYNC_LINE_EXACT : CALLSYNC_LINE_NONE;
	p.level[CALLSYNC_ON_FIRST] = (uint8_t) draw(model->m[CALLSYNC_ON_FIRST], CALLSYNC_NAME_NONE + 1, CALLSYNC_NAME_NONE);
	p.level[CALLSYNC_ON_LAST] = (uint8_t) draw(model->m[CALLSYNC_ON_LAST], CALLSYNC_NAME_NONE + 1, CALLSYNC_NAME_NONE);
	p.level[CALLSYNC_ON_POSTAL] = (uint8_t) draw(model->m[CALLSYNC_ON_POSTAL], CALLSYNC_POSTAL_NONE + 1, CALLSYNC_POSTAL_NONE);
	return p;
}

/* a key finds it */
static bool
is_candidate(const CallsyncPair *p)
{
	return p->level[CALLSYNC_ON_PHONE] == CALLSYNC_LINE_EXACT || p->level[CALLSYNC_ON_FIRST] < CALLSYNC_NAME_WEAK ||
		p->level[CALLSYNC_ON_LAST] < CALLSYNC_NAME_WEAK || p->level[CALLSYNC_ON_POSTAL] == CALLSYNC_POSTAL_EXACT;
}

static void
near(double got, double want, double tolerance, const char *what)
{
	if (!CHECK(fabs(got - want) <= tolerance))
		fprintf(stderr, "    %s: %.4f, planted %.4f\n", what, got, want);
}

/* Calls from a world with known parameters: EM finds these parameters, from a start that is not them. */
static void
em_recovers(void)
{
	enum { CALLS = 3000, CONTACTS = 1000, MOST = 400 };
	CallsyncModel planted;
	CallsyncModel model;
	CallsyncEmCall *call = calloc(CALLS, sizeof(CallsyncEmCall));
	CallsyncPair *pair = calloc(MOST, sizeof(CallsyncPair));
	CallsyncScore *score = calloc(MOST, sizeof(CallsyncScore));
	CallsyncScore **scores = calloc(MOST, sizeof(CallsyncScore *));
	Simulation	sim;
	CallsyncEmResult result;
	int			known = 0;

	/* in this world everybody who has no line at hand borrows one alike: a line of others tells nothing (u is given, not learnt) */
	callsync_model_default(&planted);
	planted.u[CALLSYNC_ON_PHONE][CALLSYNC_LINE_NONE] = 1;
	planted.lambda = 0.55;
	planted.rho = 0.35;
	planted.household = 0.6;
	memcpy(planted.m[CALLSYNC_ON_PHONE], (double[CALLSYNC_LEVELS]) {[CALLSYNC_LINE_EXACT] = 0.55, [CALLSYNC_LINE_NONE] = 0.45}, sizeof(planted.m[0]));
	memcpy(planted.m[CALLSYNC_ON_FIRST], (double[CALLSYNC_LEVELS]) {[CALLSYNC_NAME_EXACT] = 0.50, [CALLSYNC_NAME_NICK] = 0.22, [CALLSYNC_NAME_SOUND] = 0.15, [CALLSYNC_NAME_NEAR] = 0.06, [CALLSYNC_NAME_WEAK] = 0.04, [CALLSYNC_NAME_NONE] = 0.03}, sizeof(planted.m[0]));
	memcpy(planted.m[CALLSYNC_ON_LAST], (double[CALLSYNC_LEVELS]) {[CALLSYNC_NAME_EXACT] = 0.60, [CALLSYNC_NAME_SOUND] = 0.22, [CALLSYNC_NAME_NEAR] = 0.10, [CALLSYNC_NAME_WEAK] = 0.05, [CALLSYNC_NAME_NONE] = 0.03}, sizeof(planted.m[0]));
	memcpy(planted.m[CALLSYNC_ON_POSTAL], (double[CALLSYNC_LEVELS]) {[CALLSYNC_POSTAL_EXACT] = 0.65, [CALLSYNC_POSTAL_NEAR] = 0.10, [CALLSYNC_POSTAL_AREA] = 0.05, [CALLSYNC_POSTAL_NONE] = 0.20}, sizeof(planted.m[0]));
	prepare(&sim, &planted, CONTACTS);
	for (int c = 0; c < CALLS; c++)
	{
		bool		is_known = uniform() < planted.lambda;
		bool		own_line = false;
		int			n = 0;

		if (is_known)
		{
			pair[n++] = caller(&planted), known++;
			own_line = pair[0].level[CALLSYNC_ON_PHONE] == CALLSYNC_LINE_EXACT;
		}
		/* who does not call from a line of their own may call from somebody else's */
		if (!own_line && uniform() < planted.rho)
			pair[n++] = stranger(&sim, true);
		for (int k = 1; k < CONTACTS; k++)
		{
			pair[n] = stranger(&sim, false);
			if (is_candidate(&pair[n]) && n < MOST - 1)
				n++;
		}
		call[c].pair = memcpy(calloc((size_t) n + 1, sizeof(CallsyncPair)), pair, (size_t) n * sizeof(CallsyncPair));
		call[c].npairs = n;
		call[c].truth = CALLSYNC_EM_UNKNOWN;
		call[c].has_line = call[c].has_name = true;
	}
	callsync_model_default(&model);
	model.u[CALLSYNC_ON_PHONE][CALLSYNC_LINE_NONE] = 1;
	result = callsync_em(&model, call, CALLS, CONTACTS, 1, 60, score, scores);
	CHECK(result.rounds < 60);
	near(model.lambda, (double) known / CALLS, 0.02, "lambda");
	near(model.rho, planted.rho, 0.03, "rho");
	near(model.household, planted.household, 0.06, "household");
	near(model.m[CALLSYNC_ON_PHONE][CALLSYNC_LINE_EXACT], 0.55, 0.03, "m phone");
	for (int l = 1; l <= CALLSYNC_NAME_NONE; l++)
	{
		near(model.m[CALLSYNC_ON_FIRST][l], planted.m[CALLSYNC_ON_FIRST][l], 0.03, callsync_level_name(CALLSYNC_ON_FIRST, l));
		near(model.m[CALLSYNC_ON_LAST][l], planted.m[CALLSYNC_ON_LAST][l], 0.03, callsync_level_name(CALLSYNC_ON_LAST, l));
	}
	for (int l = 1; l <= CALLSYNC_POSTAL_NONE; l++)
		near(model.m[CALLSYNC_ON_POSTAL][l], planted.m[CALLSYNC_ON_POSTAL][l], 0.03, callsync_level_name(CALLSYNC_ON_POSTAL, l));
	/* few calls change little: the start is worth a hundred of them */
	callsync_model_default(&model);
	callsync_em(&model, call, 5, CONTACTS, 100, 30, score, scores);
	near(model.lambda, 0.80, 0.05, "lambda after five calls");
	/* what a reviewer has said stands above any likelihood */
	for (int c = 0; c < 200; c++)
		call[c].truth = CALLSYNC_EM_NOBODY;
	callsync_model_default(&model);
	callsync_em(&model, call, 200, CONTACTS, 1, 30, score, scores);
	CHECK(model.lambda < 0.05);
	for (int c = 0; c < CALLS; c++)
		free((void *) call[c].pair);
	free(call);
	free(pair);
	free(score);
	free(scores);
}

static bool
nobody_alike(void *arg, int a, int b)
{
	(void) arg, (void) a, (void) b;
	return false;
}

static bool
all_alike(void *arg, int a, int b)
{
	(void) arg, (void) a, (void) b;
	return true;
}

/* Judges candidates in the order given; "match 0 why". */
static const char *
judged(const CallsyncPolicy *policy, CallsyncPair *pair, int n, bool one_person)
{
	static char buf[80];
	CallsyncModel model;
	CallsyncScore score[4];
	CallsyncScore *scores[4];
	CallsyncContender contender[4];
	CallsyncJudge judge = {NULL, one_person ? all_alike : nobody_alike, nobody_alike};
	CallsyncVerdict v;

	callsync_model_default(&model);
	for (int i = 0; i < n; i++)
	{
		callsync_score_pair(&model, &pair[i], 10000, &score[i]);
		scores[i] = &score[i];
		contender[i] = (CallsyncContender) {&pair[i], &score[i]};
	}
	callsync_score_compete(scores, n);
	v = callsync_decide(policy, contender, n, &judge);
	snprintf(buf, sizeof(buf), "%s %d%s%s", v.kind == CALLSYNC_VERDICT_MATCH ? "match" : v.kind == CALLSYNC_VERDICT_REVIEW ? "review" : "new",
			 v.best, v.reason ? " " : "", v.reason ? v.reason : "");
	return buf;
}

static CallsyncPair
pair_of(int phone, int email, int first, int last, int postal)
{
	CallsyncPair p = blank_pair();

	p.level[CALLSYNC_ON_PHONE] = (uint8_t) phone;
	p.level[CALLSYNC_ON_EMAIL] = (uint8_t) email;
	p.level[CALLSYNC_ON_FIRST] = (uint8_t) first;
	p.level[CALLSYNC_ON_LAST] = (uint8_t) last;
	p.level[CALLSYNC_ON_POSTAL] = (uint8_t) postal;
	return p;
}

static void
decisions(void)
{
	CallsyncPolicy policy;
	CallsyncPair p[2];

	callsync_policy_default(&policy);
	CHECK_STR(judged(&policy, p, 0, false), "new -1");
	/* a line alone; a line that two share */
	p[0] = p[1] = pair_of(CALLSYNC_LINE_EXACT, 0, 0, 0, 0);
	CHECK_STR(judged(&policy, p, 1, false), "match 0");
	p[0].line_shared = p[1].line_shared = 2;
	CHECK_STR(judged(&policy, p, 2, false), "review 0 ambiguous");
	CHECK_STR(judged(&policy, p, 2, true), "match 0");
	/* a recycled number: the name speaks against it */
	p[0] = pair_of(CALLSYNC_LINE_EXACT, 0, CALLSYNC_NAME_NONE, CALLSYNC_NAME_NONE, 0);
	CHECK(strncmp(judged(&policy, p, 1, false), "match", 5) != 0);
	p[0] = pair_of(CALLSYNC_LINE_EXACT, CALLSYNC_EMAIL_EXACT, CALLSYNC_NAME_NONE, CALLSYNC_NAME_EXACT, CALLSYNC_POSTAL_EXACT);
	CHECK_STR(judged(&policy, p, 1, false), "review 0 name_contradicts");
	/* unless what a person has one of agrees twice: then the name has changed */
	p[0].identities = 2;
	CHECK_STR(judged(&policy, p, 1, false), "match 0");
	/* father and son on one line */
	p[0] = pair_of(CALLSYNC_LINE_EXACT, CALLSYNC_EMAIL_EXACT, CALLSYNC_NAME_EXACT, CALLSYNC_NAME_EXACT, 0);
	p[0].level[CALLSYNC_ON_GENERATION] = CALLSYNC_SAME_NO;
	CHECK_STR(judged(&policy, p, 1, false), "review 0 suffix_conflict");
	p[0].identities = 2;
	CHECK_STR(judged(&policy, p, 1, false), "review 0 suffix_conflict");
	/* the mailbox, from a new number; name and postal code */
	p[0] = pair_of(CALLSYNC_LINE_NONE, CALLSYNC_EMAIL_EXACT, CALLSYNC_NAME_EXACT, CALLSYNC_NAME_EXACT, 0);
	CHECK_STR(judged(&policy, p, 1, false), "match 0");
	p[0] = pair_of(0, 0, CALLSYNC_NAME_EXACT, CALLSYNC_NAME_EXACT, CALLSYNC_POSTAL_EXACT);
	CHECK_STR(judged(&policy, p, 1, false), "match 0");
	/* never by the name alone, unless the policy says so */
	p[0] = pair_of(0, 0, CALLSYNC_NAME_EXACT, CALLSYNC_NAME_EXACT, 0);
	p[0].tf_contact_first = p[0].tf_contact_last = 1e-4;
	CHECK(strncmp(judged(&policy, p, 1, false), "match", 5) != 0);
	policy.identifier[policy.nidentifiers++] = CALLSYNC_ID_NAME;
	CHECK_STR(judged(&policy, p, 1, false), "match 0");
	/* an identifier taken off the list links nobody */
	callsync_policy_default(&policy);
	policy.identifier[0] = CALLSYNC_ID_EMAIL;
	policy.nidentifiers = 1;
	p[0] = pair_of(CALLSYNC_LINE_EXACT, 0, CALLSYNC_NAME_EXACT, CALLSYNC_NAME_EXACT, 0);
	CHECK_STR(judged(&policy, p, 1, false), "review 0 no_identifier");
	/* thresholds are the policy's */
	callsync_policy_default(&policy);
	policy.match = 0.99;
	p[0] = pair_of(CALLSYNC_LINE_EXACT, 0, 0, 0, 0);
	CHECK_STR(judged(&policy, p, 1, false), "review 0 weak");
	policy.review = 0.999;
	CHECK_STR(judged(&policy, p, 1, false), "new 0");
}

int
main(void)
{
	sums();
	decisions();
	em_recovers();
	return unit_done("score");
}
