/*
 * score.h
 *		From comparisons to a decision: Fellegi and Sunter's weights with term
 *		frequencies, candidates competing with each other and with nobody.
 *
 * A weight is log2(m / u): m is how often a field compares at this level when the
 * contact is the caller, u when the caller is somebody else.  Where fields hang
 * together (who shares a line often shares surname and postal code; who has the
 * same name often has a similar mailbox), u is the one given the fields before, so
 * that weights may be added.
 */
#ifndef CALLSYNC_CORE_SCORE_H
#define CALLSYNC_CORE_SCORE_H

#include "core/person.h"

typedef enum CallsyncOn
{
	CALLSYNC_ON_PHONE,
	CALLSYNC_ON_SPOKEN,
	CALLSYNC_ON_EMAIL,
	CALLSYNC_ON_FIRST,
	CALLSYNC_ON_LAST,
	CALLSYNC_ON_GENERATION,
	CALLSYNC_ON_POSTAL,
	CALLSYNC_ON_ACCOUNT,
	CALLSYNC_ON_FIELDS				/* further fields of the user follow */
} CallsyncOn;

#define CALLSYNC_LEVELS 9		/* most levels a field has */
#define CALLSYNC_EXTRA_FIELDS 12

typedef enum CallsyncPostalLevel
{
	CALLSYNC_POSTAL_MISSING,
	CALLSYNC_POSTAL_EXACT,
	CALLSYNC_POSTAL_NEAR,		/* one character off */
	CALLSYNC_POSTAL_AREA,		/* same beginning */
	CALLSYNC_POSTAL_NONE
} CallsyncPostalLevel;

/* generation suffix and account: the same, or not */
typedef enum CallsyncSameLevel
{
	CALLSYNC_SAME_MISSING,
	CALLSYNC_SAME_YES,
	CALLSYNC_SAME_NO
} CallsyncSameLevel;

/* further fields */
typedef enum CallsyncExtraLevel
{
	CALLSYNC_EXTRA_MISSING,
	CALLSYNC_EXTRA_EXACT,
	CALLSYNC_EXTRA_NEAR,
	CALLSYNC_EXTRA_NONE
} CallsyncExtraLevel;

/* The name of a level of a field, and back (-1: none of that name). */
extern const char *callsync_level_name(CallsyncOn field, int level);
extern int	callsync_level_lookup(CallsyncOn field, const char *name);
extern int	callsync_level_count(CallsyncOn field);
extern const char *callsync_on_name(CallsyncOn field);
extern int	callsync_on_lookup(const char *name);

/* A further field: how it is compared and what it tells. */
typedef struct CallsyncExtraModel
{
	double		m[4];			/* by CallsyncExtraLevel; [MISSING] unused */
	double		u_near;
	double		u_exact;		/* floor of the term frequency */
	bool		household;		/* family has the same: street */
	bool		identity;		/* a person has one: dates and numbers of people */
} CallsyncExtraModel;

typedef struct CallsyncModel
{
	double		lambda;			/* share of callers who are on file */
	double		rho;			/* share of the others who call from a line on file */
	double		rho_email;		/* ... who give a mailbox on file */
	double		household;		/* share of strangers on a line on file who live with its owner */
	double		m[CALLSYNC_ON_FIELDS][CALLSYNC_LEVELS];
	double		u[CALLSYNC_ON_FIELDS][CALLSYNC_LEVELS];	/* before term frequencies and conditions */
	int			nextra;
	CallsyncExtraModel extra[CALLSYNC_EXTRA_FIELDS];
} CallsyncModel;

/* The model as shipped. */
extern void callsync_model_default(CallsyncModel *model);

/* The same for two contacts: how records of one person differ, and those of different people agree. */
extern void callsync_model_twins(CallsyncModel *model, const CallsyncModel *base);

/* What makes two records one identifier or another agree; also the order of importance. */
typedef enum CallsyncIdentifier
{
	CALLSYNC_ID_PHONE,
	CALLSYNC_ID_EMAIL,
	CALLSYNC_ID_NAME_POSTAL,
	CALLSYNC_ID_NAME_ACCOUNT,
	CALLSYNC_ID_NAME_FIELD,		/* name and a further field */
	CALLSYNC_ID_NAME,			/* the name alone: not by default */
	CALLSYNC_IDENTIFIERS
} CallsyncIdentifier;

extern const char *callsync_identifier_name(CallsyncIdentifier id);
extern int	callsync_identifier_lookup(const char *name);

typedef struct CallsyncPolicy
{
	double		match;			/* p from which on the best candidate is the caller */
	double		review;			/* sum of p from which on a person has to look */
	int			nidentifiers;
	CallsyncIdentifier identifier[CALLSYNC_IDENTIFIERS];	/* those that may link, in order */
} CallsyncPolicy;

extern void callsync_policy_default(CallsyncPolicy *policy);

/* How a call and a contact compare; frequencies are filled in by who knows the table. */
typedef struct CallsyncPair
{
	uint8_t		level[CALLSYNC_ON_FIELDS];
	uint8_t		extra[CALLSYNC_EXTRA_FIELDS];
	int8_t		line;			/* which line and mailbox of the contact agreed; -1 none */
	int8_t		spoken_line;
	int8_t		email;
	int8_t		call_email;
	CallsyncNameMatch name;
	double		tf_call_first,	/* shares of the contacts that have the word or code */
				tf_contact_first,
				tf_call_last,
				tf_contact_last,
				tf_postal,
				tf_call_domain,
				tf_contact_domain,
				tf_account,
				tf_other_order,	/* of the two words of a swapped name, each in the other's place */
				tf_extra[CALLSYNC_EXTRA_FIELDS];
	uint64_t	call_domain;	/* of the mailboxes compared, hashed */
	uint64_t	contact_domain;
	int			line_shared;	/* contacts on the line that agreed */
	int			spoken_shared;
	int			email_shared;	/* contacts with the mailbox that agreed */
	int			identities;		/* further fields of which a person has one (birth date, number) that agree exactly */
} CallsyncPair;

extern void callsync_pair_compare(const CallsyncPerson *call, const CallsyncPerson *contact,
								  const CallsyncNicks *nicks, CallsyncPair *pair);

/* Two contacts, any of the lines and mailboxes of both; to find records of one person. */
extern void callsync_pair_contacts(const CallsyncPerson *a, const CallsyncPerson *b,
								   const CallsyncNicks *nicks, CallsyncPair *pair);

typedef struct CallsyncWeight
{
	int			field;			/* CallsyncOn, or CALLSYNC_ON_FIELDS + index of a further field */
	int			level;
	double		m;
	double		u;
	double		tf;				/* < 0: does not depend on one */
	double		bits;			/* log2(m / u) */
} CallsyncWeight;

#define CALLSYNC_WEIGHTS (CALLSYNC_ON_FIELDS + CALLSYNC_EXTRA_FIELDS)

typedef struct CallsyncScore
{
	int			n;
	CallsyncWeight weight[CALLSYNC_WEIGHTS];
	double		prior;			/* log2(lambda / N / (1 - lambda)) */
	double		total;			/* prior + sum of bits */
	double		p;				/* filled in by callsync_score_compete() */
} CallsyncScore;

/* log2 odds that a caller is one certain contact, before any evidence */
extern double callsync_score_prior(const CallsyncModel *model, double contacts);

/* contacts: how many there are at the destination */
extern void callsync_score_pair(const CallsyncModel *model, const CallsyncPair *pair, double contacts,
								CallsyncScore *score);

/* Shares the probability among candidates and nobody; returns that of nobody. */
extern double callsync_score_compete(CallsyncScore *const *score, int n);

/* Share of n among N with a little of what is common everywhere mixed in, so that small mirrors do not exaggerate. */
extern double callsync_term_share(CallsyncKeyKind kind, double n, double total);

/* Are two contacts records of one person?  Then their probabilities are pooled. */
extern bool callsync_same_person(const CallsyncPerson *a, const CallsyncPerson *b, const CallsyncNicks *nicks);

/* The first identifier of the policy that supports the pair; -1: none does. */
extern int	callsync_pair_identifier(const CallsyncPolicy *policy, const CallsyncPair *pair);

/*
 * Does the name speak against the contact, so that no other evidence may link?
 * Where two fields of which a person has one agree, it is a name that has changed.
 */
extern bool callsync_pair_contradicts(const CallsyncPair *pair);

typedef enum CallsyncVerdictKind
{
	CALLSYNC_VERDICT_NEW,
	CALLSYNC_VERDICT_MATCH,
	CALLSYNC_VERDICT_REVIEW
} CallsyncVerdictKind;

/* A candidate as the decision sees it; sorted by total, best first. */
typedef struct CallsyncContender
{
	const CallsyncPair *pair;
	const CallsyncScore *score;
} CallsyncContender;

typedef struct CallsyncVerdict
{
	CallsyncVerdictKind kind;
	int			best;			/* -1: no candidate */
	int			runner_up;		/* best candidate that is another person; -1: none */
	double		probability;	/*
								 * of the best one, records of the same person pooled; for NEW of the best
								 * one that an identifier speaks for, 0 without one
								 */
	double		margin;
	const char *reason;			/* static; why it is no match, or NULL */
} CallsyncVerdict;

/*
 * Are the candidates a and b one person?  Asked for the few that matter only.
 * fresher: is a the record to prefer of two that score alike?
 */
typedef struct CallsyncJudge
{
	void	   *arg;
	bool		(*same_person) (void *arg, int a, int b);
	bool		(*fresher) (void *arg, int a, int b);
} CallsyncJudge;

/* Can the two contacts not be one person, whatever else agrees? */
extern bool callsync_pair_conflicts(const CallsyncModel *model, const CallsyncPair *pair);

extern CallsyncVerdict callsync_decide(const CallsyncPolicy *policy, const CallsyncContender *contender, int n,
									   const CallsyncJudge *judge);

#endif
