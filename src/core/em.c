/*
 * em.c
 *		Learns the model from unlabelled calls; see em.h.
 */
#include <math.h>
#include <string.h>

#include "core/em.h"

/* What one round adds up. */
typedef struct Sums
{
	double		level[CALLSYNC_ON_FIELDS][CALLSYNC_LEVELS];
	double		extra[CALLSYNC_EXTRA_FIELDS][4];
	double		known;
	double		calls;
	double		stranger_line;	/* strangers who gave a number */
	double		stranger_on_line;	/* ... that is on file */
	double		stranger_email;
	double		stranger_on_email;
	double		line_named;		/* strangers on a line on file who gave a name */
	double		line_family;	/* ... and it is the surname of somebody on the line */
	double		bits;
} Sums;

static bool
on_line(const CallsyncPair *p)
{
	int			l = p->level[CALLSYNC_ON_PHONE];

	return l == CALLSYNC_LINE_EXACT || l == CALLSYNC_LINE_SUFFIX;
}

static void
add_call(const CallsyncModel *model, const CallsyncEmCall *call, double contacts, Sums *sums,
		 CallsyncScore *score, CallsyncScore **scores)
{
	double		nobody = 1;
	bool		line = false;
	bool		family = false;
	bool		email = false;

	for (int i = 0; i < call->npairs; i++)
	{
		callsync_score_pair(model, &call->pair[i], contacts, &score[i]);
		scores[i] = &score[i];
	}
	if (call->npairs > 0)
		nobody = callsync_score_compete(scores, call->npairs);
	sums->bits -= log2(nobody > 1e-300 ? nobody : 1e-300);
	if (call->truth != CALLSYNC_EM_UNKNOWN)
	{
		for (int i = 0; i < call->npairs; i++)
			score[i].p = i == call->truth ? 1 : 0;
		nobody = call->truth == CALLSYNC_EM_NOBODY ? 1 : 0;
	}
	for (int i = 0; i < call->npairs; i++)
	{
		const CallsyncPair *p = &call->pair[i];

		if (on_line(p))
		{
			line = true;
			if (p->level[CALLSYNC_ON_LAST] == CALLSYNC_NAME_EXACT || p->level[CALLSYNC_ON_LAST] == CALLSYNC_NAME_SOUND)
				family = true;
		}
		if (p->level[CALLSYNC_ON_EMAIL] == CALLSYNC_EMAIL_EXACT)
			email = true;
		if (score[i].p < 1e-6)
			continue;
		for (int f = 0; f < CALLSYNC_ON_FIELDS; f++)
			sums->level[f][p->level[f]] += score[i].p;
		for (int f = 0; f < model->nextra; f++)
			sums->extra[f][p->extra[f]] += score[i].p;
	}
	sums->calls += 1;
	sums->known += 1 - nobody;
	if (call->has_line)
	{
		sums->stranger_line += nobody;
		sums->stranger_on_line += line ? nobody : 0;
	}
	if (call->has_email)
	{
		sums->stranger_email += nobody;
		sums->stranger_on_email += email ? nobody : 0;
	}
	if (line && call->has_name)
	{
		sums->line_named += nobody;
		sums->line_family += family ? nobody : 0;
	}
}

static double
share(double part, double whole, double prior, double prior_weight, double low, double high)
{
	double		x = (part + prior * prior_weight) / (whole + prior_weight);

	return x < low ? low : x > high ? high : x;
}

static void
set(double *parameter, double value, double *change)
{
	double		d = fabs(*parameter - value);

	if (d > *change)
		*change = d;
	*parameter = value;
}

static double
maximise(CallsyncModel *model, const CallsyncModel *prior, const Sums *s, double weight)
{
	double		change = 0;

	for (int f = 0; f < CALLSYNC_ON_FIELDS; f++)
	{
		double		total = 0;

		for (int l = 1; l < callsync_level_count((CallsyncOn) f); l++)
			total += s->level[f][l];
		for (int l = 1; l < callsync_level_count((CallsyncOn) f); l++)
			set(&model->m[f][l], share(s->level[f][l], total, prior->m[f][l], weight, 1e-5, 0.9999), &change);
	}
	for (int f = 0; f < model->nextra; f++)
	{
		double		total = s->extra[f][1] + s->extra[f][2] + s->extra[f][3];

		for (int l = 1; l < 4; l++)
			set(&model->extra[f].m[l], share(s->extra[f][l], total, prior->extra[f].m[l], weight, 1e-5, 0.9999), &change);
	}
	set(&model->lambda, share(s->known, s->calls, prior->lambda, weight, 0.02, 0.995), &change);
	set(&model->rho, share(s->stranger_on_line, s->stranger_line, prior->rho, weight, 0.002, 0.8), &change);
	set(&model->rho_email, share(s->stranger_on_email, s->stranger_email, prior->rho_email, weight, 0.001, 0.5), &change);
	/* of family, four in five have the surname; see callsync_score_pair() */
	set(&model->household, share(s->line_family / 0.8, s->line_named, prior->household, weight, 0.02, 0.95), &change);
	return change;
}

CallsyncEmResult
callsync_em(CallsyncModel *model, const CallsyncEmCall *call, int ncalls, double contacts,
			double prior_calls, int max_rounds, CallsyncScore *score, CallsyncScore **scores)
{
	CallsyncModel prior = *model;
	CallsyncEmResult result = {0, 0, 0, 0};

	while (result.rounds < max_rounds)
	{
		Sums		sums;

		memset(&sums, 0, sizeof(sums));
		for (int i = 0; i < ncalls; i++)
			add_call(model, &call[i], contacts, &sums, score, scores);
		result.change = maximise(model, &prior, &sums, prior_calls);
		result.log_likelihood = ncalls > 0 ? sums.bits / ncalls : 0;
		result.known = ncalls > 0 ? sums.known / ncalls : 0;
		result.rounds++;
		if (result.change < 1e-4)
			break;
	}
	return result;
}
