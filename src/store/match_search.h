/*
 * match_search.h
 *		Candidates for a caller: found by keys, compared, scored.
 */
#ifndef CALLSYNC_STORE_MATCH_SEARCH_H
#define CALLSYNC_STORE_MATCH_SEARCH_H

#include "utils/snapshot.h"

#include "store/contact.h"
#include "store/match.h"
#include "store/match_config.h"

typedef struct CallsyncCandidate
{
	int64		cid;
	CallsyncPair pair;
	CallsyncScore score;
} CallsyncCandidate;

/* terms whose frequency is remembered during one search */
#define CALLSYNC_SEARCH_TERMS 64

typedef struct CallsyncSearch
{
	CallsyncMatchConfig config; /* a copy: the cached one may go while this is used */
	const CallsyncNicks *nicks;
	CallsyncMirror *mirror;
	uint64_t	seed;
	CallsyncText destination;
	double		in_mirror;		/* contacts at the destination, without those that are pending */
	double		contacts;		/* with them */

	bool		twins;			/* it is a contact that looks for records of its person */
	const struct CallsyncKeyFilter *filter; /* keys worth a look then; NULL: all */
	int64		twin_of;

	/* of the call at hand */
	CallsyncPerson call;
	CallsyncText account;
	char		field[CALLSYNC_EXTRA_FIELDS][CALLSYNC_EXTRA_MAX];	/* in comparable form */
	size_t		field_len[CALLSYNC_EXTRA_FIELDS];
	int			line_count;		/* contacts on the call's line where it is generic, else 0 */
	int			spoken_count;
	int			email_count;
	int			nterms;
	uint64_t	term[CALLSYNC_SEARCH_TERMS];
	double		term_count[CALLSYNC_SEARCH_TERMS];

	/* what was found; in no order */
	int			n;
	CallsyncCandidate *candidate;
	int			cap;
} CallsyncSearch;

/*
 * Opens the mirror for a destination, with the contacts that are about to be written (or NULL). The
 * search lives in the current memory context.
 */
extern CallsyncSearch *callsync_search_begin(const char *destination, Snapshot snapshot,
											 const CallsyncMirrorPending *pending);
extern void callsync_search_end(CallsyncSearch *search);

/* Finds, compares and scores the candidates of one call. */
extern void callsync_search_run(CallsyncSearch *search, const CallsyncMatchInput *input);

/* Runs it and decides; the result and what it points to are palloc'ed in the current memory context. */
extern CallsyncMatch *callsync_search_match(CallsyncSearch *search, const CallsyncMatchInput *input);

/*
 * Finds other contacts that may be records of the same person: those with a higher
 * reference, so that each pair is met once.
 */
extern void callsync_search_twins(CallsyncSearch *search, TupleTableSlot *contact);

/* Scores the candidates again with another model. */
extern void callsync_search_rescore(CallsyncSearch *search, const CallsyncModel *model);

/* Decides on what was found; *cid: the contact, 0 for nobody. */
extern CallsyncDecision callsync_search_decide(CallsyncSearch *search, int64 *cid);

/* What the input says, made comparable. */
extern void callsync_search_read_call(const CallsyncMatchInput *input, const CallsyncMatchConfig *config,
									  CallsyncPerson *call);

#endif
