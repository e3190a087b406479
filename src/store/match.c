/*
 * match.c
 *		Who is calling: candidates from the mirror, scored in row 0, decided here.
 */
#include "postgres.h"

#include <math.h>

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "store/match_search.h"
#include "store/match_text.h"

/* candidates that the result names */
#define SHOWN 5
/* class id of the advisory locks, with the low half of the key */
#define LOCK_CLASS 1129530710

const char *
callsync_decision_name(CallsyncDecision decision)
{
	return decision == CALLSYNC_DECIDE_MATCH ? "match" : decision == CALLSYNC_DECIDE_REVIEW ? "review" : "new";
}

static int
compare_by_score(const void *a, const void *b)
{
	const CallsyncCandidate *x = a;
	const CallsyncCandidate *y = b;

	if (x->score.total != y->score.total)
		return x->score.total > y->score.total ? -1 : 1;
	/* a tie is no decision, but its order must not depend on chance */
	return x->cid < y->cid ? -1 : x->cid > y->cid;
}

/* A candidate's row, read again when the decision or its text needs it. */
typedef struct Record
{
	bool		there;
	CallsyncPerson person;
	CallsyncContactView view;
} Record;

typedef struct Records
{
	CallsyncSearch *search;
	Record	  **record;
} Records;

static Record *
record_of(Records *r, int i)
{
	CallsyncSearch *s = r->search;

	if (r->record[i] == NULL)
	{
		TupleTableSlot *slot = callsync_mirror_contact(s->mirror, s->candidate[i].cid);

		r->record[i] = palloc(sizeof(Record));
		r->record[i]->there = slot != NULL;
		if (slot != NULL)
		{
			callsync_contact_person(slot, s->config.region, &r->record[i]->person);
			callsync_contact_view(slot, &r->record[i]->view);
		}
	}
	return r->record[i];
}

static bool
same_person(void *arg, int a, int b)
{
	Records    *r = arg;
	Record	   *x = record_of(r, a);
	Record	   *y = record_of(r, b);

	return x->there && y->there && callsync_same_person(&x->person, &y->person, r->search->nicks);
}

static bool
fresher(void *arg, int a, int b)
{
	Record	   *x = record_of(arg, a);
	Record	   *y = record_of(arg, b);

	return x->there && y->there && callsync_contact_fresher(&x->view, &y->view);
}

/* Sorts the candidates, best first, and judges them. */
static CallsyncVerdict
judge_candidates(CallsyncSearch *s, Records *records)
{
	CallsyncScore **scores = palloc((s->n + 1) * sizeof(CallsyncScore *));
	CallsyncContender *contender = palloc((s->n + 1) * sizeof(CallsyncContender));
	CallsyncJudge judge = {records, same_person, fresher};

	records->search = s;
	records->record = palloc0((s->n + 1) * sizeof(Record *));
	for (int i = 0; i < s->n; i++)
		scores[i] = &s->candidate[i].score;
	(void) callsync_score_compete(scores, s->n);
	qsort(s->candidate, s->n, sizeof(CallsyncCandidate), compare_by_score);
	for (int i = 0; i < s->n; i++)
	{
		contender[i].pair = &s->candidate[i].pair;
		contender[i].score = &s->candidate[i].score;
	}
	return callsync_decide(&s->config.policy, contender, s->n, &judge);
}

static CallsyncDecision
decision_of(CallsyncVerdictKind kind)
{
	return kind == CALLSYNC_VERDICT_MATCH ? CALLSYNC_DECIDE_MATCH :
		kind == CALLSYNC_VERDICT_REVIEW ? CALLSYNC_DECIDE_REVIEW : CALLSYNC_DECIDE_NEW;
}

CallsyncDecision
callsync_search_decide(CallsyncSearch *s, int64 *cid)
{
	Records		records;
	CallsyncVerdict v = judge_candidates(s, &records);

	*cid = v.best >= 0 && v.kind != CALLSYNC_VERDICT_NEW ? s->candidate[v.best].cid : 0;
	return decision_of(v.kind);
}

static CallsyncMatch *
decide(CallsyncSearch *s, const CallsyncMatchInput *input)
{
	CallsyncMatch *match = palloc0(sizeof(CallsyncMatch));
	Records		records;
	CallsyncVerdict v = judge_candidates(s, &records);
	StringInfoData shown;

	match->model_version = s->config.model_version;
	match->decision = decision_of(v.kind);
	match->reason = v.reason;
	match->probability = v.probability;
	match->margin = v.margin;
	if (v.best < 0 || !record_of(&records, v.best)->there)
	{
		match->decision = CALLSYNC_DECIDE_NEW;
		match->prior = callsync_score_prior(&s->config.model, s->contacts);
		match->total = match->prior;
		match->evidence = "[]";
		match->candidates = "[]";
		match->explanation = "nobody on file shares a line, a mailbox or a name with the caller";
		return match;
	}
	if (match->decision != CALLSYNC_DECIDE_NEW)
		match->contact_id = record_of(&records, v.best)->view.contact_id;
	if (v.runner_up >= 0 && record_of(&records, v.runner_up)->there)
		match->runner_up = record_of(&records, v.runner_up)->view.contact_id;
	match->prior = s->candidate[v.best].score.prior;
	match->total = s->candidate[v.best].score.total;
	match->evidence = callsync_evidence_text(&s->config, &s->candidate[v.best], input, &s->call, &record_of(&records, v.best)->view);
	match->explanation = callsync_explanation_text(&s->config, &s->candidate[v.best]);
	initStringInfo(&shown);
	appendStringInfoChar(&shown, '[');
	for (int i = 0; i < s->n && i < SHOWN; i++)
		if (record_of(&records, i)->there)
		{
			if (shown.len > 1)
				appendStringInfoString(&shown, ", ");
			callsync_candidate_text(&shown, &s->config, &s->candidate[i], &record_of(&records, i)->view,
									i != v.best && same_person(&records, v.best, i));
		}
	appendStringInfoChar(&shown, ']');
	match->candidates = shown.data;
	return match;
}

CallsyncMatch *
callsync_search_match(CallsyncSearch *search, const CallsyncMatchInput *input)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "callsync match", ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer = MemoryContextSwitchTo(scratch);
	CallsyncMatch *match;

	/* somebody may have changed them since the search was opened */
	search->nicks = callsync_nicks();
	/* what the last call found is gone with its context */
	search->candidate = NULL;
	search->cap = 0;
	callsync_search_run(search, input);
	match = decide(search, input);
	search->candidate = NULL;
	search->cap = 0;
	MemoryContextSwitchTo(outer);
	match = callsync_match_copy(match);
	MemoryContextDelete(scratch);
	return match;
}

CallsyncMatch *
callsync_match_caller_at(const CallsyncMatchInput *input, struct SnapshotData *snapshot)
{
	CallsyncSearch *search = callsync_search_begin(input->destination, snapshot, NULL);
	CallsyncMatch *match = callsync_search_match(search, input);

	callsync_search_end(search);
	return match;
}

CallsyncMatch *
callsync_match_caller(const CallsyncMatchInput *input)
{
	CallsyncMatch *match;

	PushActiveSnapshot(GetLatestSnapshot());
	match = callsync_match_caller_at(input, GetActiveSnapshot());
	PopActiveSnapshot();
	return match;
}

int
callsync_match_lock_keys(const CallsyncMatchInput *input, uint32 *keys)
{
	CallsyncPerson *call = palloc(sizeof(CallsyncPerson));
	uint64_t	wide[CALLSYNC_MATCH_LOCK_KEYS];
	int			n;

	callsync_search_read_call(input, callsync_match_config(input->destination), call);
	n = callsync_identity_keys(call, callsync_destination_seed(input->destination, strlen(input->destination)),
							   wide, CALLSYNC_MATCH_LOCK_KEYS);
	for (int i = 0; i < n; i++)
		keys[i] = (uint32) wide[i];
	pfree(call);
	return n;
}

static int
compare_keys(const void *a, const void *b)
{
	uint32		x = *(const uint32 *) a;
	uint32		y = *(const uint32 *) b;

	return (x > y) - (x < y);
}

void
callsync_match_lock(uint32 *keys, int n)
{
	qsort(keys, n, sizeof(uint32), compare_keys);
	for (int i = 0; i < n; i++)
	{
		LOCKTAG		tag;

		if (i > 0 && keys[i] == keys[i - 1])
			continue;
		SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, LOCK_CLASS, keys[i], 2);
		(void) LockAcquire(&tag, ExclusiveLock, false, false);
	}
}
