/*
 * match_text.h
 *		A decision in words and JSON.
 */
#ifndef CALLSYNC_STORE_MATCH_TEXT_H
#define CALLSYNC_STORE_MATCH_TEXT_H

#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "datatype/timestamp.h"

#include "store/match_search.h"

/* What of a contact is shown; palloc'ed copies. */
typedef struct CallsyncContactView
{
	char	   *contact_id;
	char	   *first_name,
			   *last_name,
			   *email,
			   *phones,
			   *postal_code,
			   *account_id,
			   *fields;			/* JSON object */
	TimestampTz updated;		/* 0: not known */
	int			filled;			/* columns that hold something */
} CallsyncContactView;

extern void callsync_contact_view(TupleTableSlot *slot, CallsyncContactView *view);

/* Is a the record to prefer of two that describe one person? */
extern bool callsync_contact_fresher(const CallsyncContactView *a, const CallsyncContactView *b);

/* [{"field", "level", "call", "contact", "m", "u", "tf", "weight"}] */
extern char *callsync_evidence_text(const CallsyncMatchConfig *config, const CallsyncCandidate *c,
									const CallsyncMatchInput *input,
									const CallsyncPerson *call, const CallsyncContactView *view);

/* +PHONE+FIRST(nick)-ZIP */
extern char *callsync_explanation_text(const CallsyncMatchConfig *config, const CallsyncCandidate *c);

/* {"contact_id", "name", "probability", "total", "explanation"} */
extern void callsync_candidate_text(StringInfo out, const CallsyncMatchConfig *config, const CallsyncCandidate *c,
									const CallsyncContactView *view, bool same_person);

/* All of it copied into the current memory context. */
extern CallsyncMatch *callsync_match_copy(const CallsyncMatch *match);

#endif
