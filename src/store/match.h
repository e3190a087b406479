/*
 * match.h
 *		Who is calling: the decision match / new / review of one call for one
 *		destination, from the contact mirror.
 *
 * Usable in any transaction.  callsync_match_caller() takes the newest snapshot:
 * it sees all that is committed and the own transaction's earlier commands.  Two
 * first calls of one unknown caller are kept apart by callsync_match_lock().
 */
#ifndef CALLSYNC_STORE_MATCH_H
#define CALLSYNC_STORE_MATCH_H

typedef enum CallsyncDecision
{
	CALLSYNC_DECIDE_NEW,		/* nobody in the mirror */
	CALLSYNC_DECIDE_MATCH,		/* contact_id is the caller */
	CALLSYNC_DECIDE_REVIEW		/* a person has to look; contact_id is the best guess */
} CallsyncDecision;

/* What the call tells about the caller; every member but destination may be NULL. */
typedef struct CallsyncMatchInput
{
	const char *destination;
	const char *phone;			/* caller id, as it arrived */
	const char *email;
	const char *name;
	const char *postal_code;
	const char *spoken_phone;	/* number said in the call, digits or words */
	const char *region;			/* for numbers without country; NULL: the destination's */
	const char *account_id;		/* only contacts of this account (or of none) are candidates */
	const char *fields;			/* JSON object of further evidence, compared with contact.fields and columns */
} CallsyncMatchInput;

typedef struct CallsyncMatch
{
	CallsyncDecision decision;
	const char *contact_id;		/* NULL when decision is NEW */
	double		probability;	/* that the best candidate is the caller, 0 without a candidate */
	const char *runner_up;		/* contact_id of the best candidate that is another person, or NULL */
	double		margin;			/* probability minus that of the runner-up */
	const char *evidence;		/* JSON array [{field, level, call, contact, m, u, tf, weight}] of the best candidate */
	const char *explanation;	/* "+PHONE+FIRST(nick)-ZIP" */
	int			model_version;	/* 0: as shipped */
	double		prior;			/* log2 odds before evidence */
	double		total;			/* prior + sum of the weights */
	const char *reason;			/* NULL, or why it is no match: ambiguous, name_contradicts, no_identifier, suffix_conflict ... */
	const char *candidates;		/* JSON array [{contact_id, probability, total, explanation}], best first */
} CallsyncMatch;

/* Decides.  The result and what it points to are palloc'ed in CurrentMemoryContext. */
extern CallsyncMatch *callsync_match_caller(const CallsyncMatchInput *input);

/* As above with a snapshot of the caller's, for functions that promise to be STABLE. */
struct SnapshotData;
extern CallsyncMatch *callsync_match_caller_at(const CallsyncMatchInput *input, struct SnapshotData *snapshot);

/*
 * Simultaneous first calls of one unknown caller are decided one after the other, by
 * transaction-level advisory locks on what identifies him (lines, mailboxes, name +
 * postal code).  All locks of a transaction are taken at once and in one order
 * (callsync_match_lock() sorts the keys): two workers with callers in common would
 * otherwise wait for each other.  Needs READ COMMITTED.
 */
#define CALLSYNC_MATCH_LOCK_KEYS 8

/* The caller's keys; returns how many of keys[CALLSYNC_MATCH_LOCK_KEYS] were filled. */
extern int	callsync_match_lock_keys(const CallsyncMatchInput *input, uint32 *keys);
extern void callsync_match_lock(uint32 *keys, int n);

/* A decision that is to be kept, and what it was taken from. */
typedef struct CallsyncMatchDecision
{
	const char *source;
	const char *call_id;
	CallsyncMatchInput input;
	const CallsyncMatch *match;
} CallsyncMatchDecision;

/*
 * Keeps decisions with their evidence (table match_decision) and opens, updates or
 * closes the calls' rows of review_queue.  A call is decided once per destination in
 * one batch.  Connected to SPI.
 */
extern void callsync_match_record(const CallsyncMatchDecision *decisions, int n);

/*
 * What a person has said about the caller of this call, as a decision, or NULL.
 * Ask this first: a verdict stands above any score.
 */
extern CallsyncMatch *callsync_match_verdict(const char *destination, const char *source, const char *call_id);

extern const char *callsync_decision_name(CallsyncDecision decision);

#endif
