/*
 * em.h
 *		Learns the model from calls whose caller nobody has told us.
 *
 * Expectation: with the model so far, how likely is each candidate, or nobody, the
 * caller.  Maximisation: how often do fields agree, weighed with that.  Calls that
 * a reviewer has decided count as decided.  The shipped model is worth a number of
 * calls (Dirichlet prior), so that few calls change little.
 */
#ifndef CALLSYNC_CORE_EM_H
#define CALLSYNC_CORE_EM_H

#include "core/score.h"

typedef struct CallsyncEmCall
{
	int			npairs;
	const CallsyncPair *pair;
	int			truth;			/* index of the caller, CALLSYNC_EM_NOBODY, or CALLSYNC_EM_UNKNOWN */
	bool		has_line;		/* the call gave a number to match by */
	bool		has_email;
	bool		has_name;
} CallsyncEmCall;

#define CALLSYNC_EM_UNKNOWN (-1)
#define CALLSYNC_EM_NOBODY (-2)

typedef struct CallsyncEmResult
{
	int			rounds;
	double		log_likelihood; /* per call, in bits, relative to everybody being nobody */
	double		known;			/* expected share of calls from contacts */
	double		change;			/* largest change of a parameter in the last round */
} CallsyncEmResult;

/*
 * Improves the model; score is scratch for the largest npairs (and as many pointers).
 * prior_calls: how many calls the model given at the start is worth.
 */
extern CallsyncEmResult callsync_em(CallsyncModel *model, const CallsyncEmCall *call, int ncalls, double contacts,
									double prior_calls, int max_rounds, CallsyncScore *score, CallsyncScore **scores);

#endif
