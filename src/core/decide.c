/*
 * decide.c
 *		From scored candidates to match, new or review.
 *
 * Probability alone does not link: at least one identifier of the policy has to
 * agree (a name alone never does, unless the policy says so), and the name must
 * not contradict.  A candidate without any identifier asks for a person only
 * where it is as good as certain.
 */
#include "core/score.h"

/* candidates below this share of the probability change nothing */
#define NEGLIGIBLE 0.01
/* without an identifier the doubt left must be this much smaller for a person to be asked */
#define UNIDENTIFIED 0.2
/* scores closer than this, in bits, are alike */
#define ALIKE 0.01

CallsyncVerdict
callsync_decide(const CallsyncPolicy *policy, const CallsyncContender *contender, int n,
				const CallsyncJudge *judge)
{
	CallsyncVerdict v = {CALLSYNC_VERDICT_NEW, -1, -1, 0, 0, NULL};
	double		supported = 0;
	int			best_supported = -1;
	double		runner_up = 0;
	bool		contradicted;
	int			identifier;

	if (n == 0)
		return v;
	v.best = 0;
	v.probability = contender[0].score->p;
	for (int i = 0; i < n; i++)
	{
		if (contender[i].score->p < NEGLIGIBLE && i > 0 && v.runner_up >= 0 && best_supported >= 0)
			break;
		if (callsync_pair_identifier(policy, contender[i].pair) >= 0)
		{
			supported += contender[i].score->p;
			if (best_supported < 0)
				best_supported = i;
		}
		if (i == 0)
			continue;
		if (contender[i].score->p >= NEGLIGIBLE * NEGLIGIBLE && judge->same_person(judge->arg, 0, i))
		{
			/* records of one person do not compete */
			v.probability += contender[i].score->p;
			if (contender[i].score->total >= contender[v.best].score->total - ALIKE && judge->fresher(judge->arg, i, v.best))
				v.best = i;
		}
		else if (v.runner_up < 0)
		{
			v.runner_up = i;
			runner_up = contender[i].score->p;
		}
	}
	if (v.probability > 1)
		v.probability = 1;
	v.margin = v.probability - runner_up;
	identifier = callsync_pair_identifier(policy, contender[v.best].pair);
	contradicted = callsync_pair_contradicts(contender[v.best].pair);
	if (v.probability >= policy->match && identifier >= 0 && !contradicted)
		v.kind = CALLSYNC_VERDICT_MATCH;
	else if (v.probability >= (identifier >= 0 ? policy->match : 1 - UNIDENTIFIED * (1 - policy->match)))
	{
		v.kind = CALLSYNC_VERDICT_REVIEW;
		v.reason = identifier < 0 ? "no_identifier" :
			contender[v.best].pair->level[CALLSYNC_ON_GENERATION] == CALLSYNC_SAME_NO ? "suffix_conflict" : "name_contradicts";
	}
	else if (supported >= policy->review)
	{
		v.kind = CALLSYNC_VERDICT_REVIEW;
		/* the best guess is one that an identifier speaks for */
		if (identifier < 0 && best_supported >= 0)
		{
			v.best = best_supported;
			v.probability = contender[best_supported].score->p;
			v.runner_up = 0;
			v.margin = v.probability - contender[0].score->p;
		}
		v.reason = callsync_pair_contradicts(contender[v.best].pair) ? "name_contradicts" :
			v.runner_up >= 0 && contender[v.runner_up].score->p >= policy->review / 2 ? "ambiguous" : "weak";
	}
	else if (identifier < 0)
	{
		/* nobody that an identifier speaks for; say so where a name alone looked good */
		if (v.probability >= policy->review)
			v.reason = "no_identifier";
		v.probability = best_supported >= 0 ? contender[best_supported].score->p : 0;
		v.margin = 0;
	}
	return v;
}
