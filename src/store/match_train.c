/*
 * match_train.c
 *		A model of a destination's own calls; see match_train.h.
 *
 * The calls are read first and all at once: while the mirror is being searched no
 * other statement runs.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "core/em.h"
#include "pg/spi.h"
#include "store/match_search.h"
#include "store/match_train.h"
#include "store/model_json.h"

/* the newest calls learnt from */
#define MAX_CALLS 20000
/* the shipped model counts as much as this many calls */
#define PRIOR_CALLS 100
#define MAX_ROUNDS 30

/* a call that a person has decided counts with the verdict; r.contact_id NULL is nobody on file */
static CallsyncStmt stmt_calls = {
	.sql = "SELECT c.document #>> '{caller,phone}', c.document #>> '{caller,spoken_phone}', c.document #>> '{caller,email}', "
	"c.document #>> '{caller,name}', c.document #>> '{caller,postal_code}', c.document #>> '{caller,account_id}', "
	"(COALESCE(c.document -> 'fields', '{}') OPERATOR(pg_catalog.||) COALESCE(c.document -> 'caller', '{}'))::pg_catalog.text, "
	"s.options ->> 'region', r.verdict, r.contact_id "
	"FROM callsync.call c LEFT JOIN callsync.source s ON s.name OPERATOR(pg_catalog.=) c.source "
	"LEFT JOIN callsync.review_item r ON r.destination OPERATOR(pg_catalog.=) $1 AND r.source OPERATOR(pg_catalog.=) c.source "
	"AND r.call_id OPERATOR(pg_catalog.=) c.call_id AND r.state OPERATOR(pg_catalog.=) 'reviewed' "
	"WHERE c.document ? 'caller' ORDER BY c.captured_at DESC LIMIT 20000",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_store = {
	.sql = "INSERT INTO callsync.match_model (destination, version, parameters, training) "
	"SELECT $1, COALESCE(pg_catalog.max(m.version), 0) OPERATOR(pg_catalog.+) 1, $2::pg_catalog.jsonb, $3::pg_catalog.jsonb "
	"FROM callsync.match_model m WHERE m.destination OPERATOR(pg_catalog.=) $1 RETURNING version",
	.nargs = 3, .argtypes = {TEXTOID, TEXTOID, TEXTOID}, .returns = SPI_OK_INSERT_RETURNING
};

typedef struct TrainCall
{
	CallsyncMatchInput input;
	bool		reviewed;
	char	   *contact_id;		/* of the verdict; NULL: nobody */
} TrainCall;

static int
read_calls(const char *destination, TrainCall **calls)
{
	Datum		value = CStringGetTextDatum(destination);
	uint64		n = callsync_stmt_run(&stmt_calls, &value, NULL, false, 0);

	*calls = palloc0((n + 1) * sizeof(TrainCall));
	for (uint64 i = 0; i < n; i++)
	{
		CallsyncMatchInput *in = &(*calls)[i].input;

		in->destination = destination;
		in->phone = callsync_row_text(i, 1, CurrentMemoryContext);
		in->spoken_phone = callsync_row_text(i, 2, CurrentMemoryContext);
		in->email = callsync_row_text(i, 3, CurrentMemoryContext);
		in->name = callsync_row_text(i, 4, CurrentMemoryContext);
		in->postal_code = callsync_row_text(i, 5, CurrentMemoryContext);
		in->account_id = callsync_row_text(i, 6, CurrentMemoryContext);
		in->fields = callsync_row_text(i, 7, CurrentMemoryContext);
		in->region = callsync_row_text(i, 8, CurrentMemoryContext);
		(*calls)[i].reviewed = !callsync_row_isnull(i, 9);
		(*calls)[i].contact_id = callsync_row_text(i, 10, CurrentMemoryContext);
	}
	return (int) n;
}

static void
take_pairs(CallsyncSearch *search, const TrainCall *call, CallsyncEmCall *em, CallsyncPair *pairs)
{
	int64		caller = 0;

	em->pair = pairs;
	em->npairs = search->n;
	em->truth = CALLSYNC_EM_UNKNOWN;
	em->has_line = search->call.nlines > 0;
	em->has_email = search->call.nemails > 0;
	em->has_name = search->call.has_name;
	if (call->reviewed)
	{
		em->truth = CALLSYNC_EM_NOBODY;
		if (call->contact_id != NULL)
			caller = callsync_contact_cid(call->input.destination, strlen(call->input.destination),
										  call->contact_id, strlen(call->contact_id));
	}
	for (int i = 0; i < search->n; i++)
	{
		pairs[i] = search->candidate[i].pair;
		if (caller != 0 && search->candidate[i].cid == caller)
			em->truth = i;
	}
	/* a verdict for a contact that no key finds any more tells nothing */
	if (caller != 0 && em->truth == CALLSYNC_EM_NOBODY)
		em->truth = CALLSYNC_EM_UNKNOWN;
}

/* How the new model would have decided, against the one in force: "match -> review": 3 */
typedef struct Effect
{
	int			count[3][3];
	int			other_contact;	/* match both times, to another contact */
} Effect;

static void
add_effect(Effect *effect, CallsyncSearch *search, const CallsyncModel *before, const CallsyncModel *after)
{
	int64		was_cid;
	int64		is_cid;
	CallsyncDecision was;
	CallsyncDecision is;

	callsync_search_rescore(search, before);
	was = callsync_search_decide(search, &was_cid);
	callsync_search_rescore(search, after);
	is = callsync_search_decide(search, &is_cid);
	effect->count[was][is]++;
	if (was == CALLSYNC_DECIDE_MATCH && is == CALLSYNC_DECIDE_MATCH && was_cid != is_cid)
		effect->other_contact++;
}

static char *
training_text(int ncalls, int nverdicts, const CallsyncEmResult *em, int base_version, const Effect *effect)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfo(&out, "{\"calls\": %d, \"verdicts\": %d, \"rounds\": %d, \"log_likelihood\": %.6f, \"known_share\": %.6f, "
					 "\"last_change\": %.6f, \"compared_with_version\": %d, \"unchanged\": %d, \"changed\": {",
					 ncalls, nverdicts, em->rounds, em->log_likelihood, em->known, em->change, base_version,
					 effect->count[0][0] + effect->count[1][1] + effect->count[2][2] - effect->other_contact);
	for (int i = 0, n = 0; i < 3; i++)
		for (int k = 0; k < 3; k++)
			if (i != k && effect->count[i][k] > 0)
				appendStringInfo(&out, "%s\"%s -> %s\": %d", n++ > 0 ? ", " : "",
								 callsync_decision_name((CallsyncDecision) i), callsync_decision_name((CallsyncDecision) k), effect->count[i][k]);
	appendStringInfo(&out, "}, \"other_contact\": %d}", effect->other_contact);
	return out.data;
}

int
callsync_match_train(const char *destination)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "callsync training", ALLOCSET_DEFAULT_SIZES);
	MemoryContext one_call = AllocSetContextCreate(scratch, "callsync training call", ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer = MemoryContextSwitchTo(scratch);
	TrainCall  *calls;
	CallsyncEmCall *em_calls;
	CallsyncSearch *search;
	CallsyncModel before;
	CallsyncModel after;
	CallsyncEmResult em;
	Effect		effect = {.other_contact = 0};
	Datum		values[3];
	int			ncalls;
	int			nverdicts = 0;
	int			most = 1;
	int			base_version;
	double		contacts;
	int			version;

	ncalls = read_calls(destination, &calls);
	em_calls = palloc0((ncalls + 1) * sizeof(CallsyncEmCall));
	search = callsync_search_begin(destination, GetActiveSnapshot(), NULL);
	contacts = search->contacts;
	before = search->config.model;
	base_version = search->config.model_version;
	if (ncalls == 0 || contacts < 1)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("there is nothing to learn from for destination \"%s\"", destination),
				 errdetail("There are %d calls with a caller and %.0f contacts.", ncalls, contacts),
				 errhint("Calls come in through sources (create_source, attach, ingest), contacts through the table callsync.contact.")));
	for (int i = 0; i < ncalls; i++)
	{
		MemoryContext here = MemoryContextSwitchTo(one_call);
		CallsyncPair *pairs;

		callsync_search_run(search, &calls[i].input);
		MemoryContextSwitchTo(here);
		pairs = palloc((search->n + 1) * sizeof(CallsyncPair));
		take_pairs(search, &calls[i], &em_calls[i], pairs);
		nverdicts += calls[i].reviewed;
		most = Max(most, search->n);
		search->candidate = NULL;
		search->cap = 0;
		MemoryContextReset(one_call);
		CHECK_FOR_INTERRUPTS();
	}
	/* what is learnt starts from the model as shipped, so that versions do not build on each other */
	{
		CallsyncModel shipped;

		callsync_model_default(&shipped);
		after = shipped;
		after.nextra = before.nextra;
		for (int f = 0; f < before.nextra; f++)
			after.extra[f] = before.extra[f];
	}
	em = callsync_em(&after, em_calls, ncalls, contacts, PRIOR_CALLS, MAX_ROUNDS,
					 palloc(most * sizeof(CallsyncScore)), palloc(most * sizeof(CallsyncScore *)));
	for (int i = 0; i < ncalls; i++)
	{
		MemoryContext here = MemoryContextSwitchTo(one_call);

		callsync_search_run(search, &calls[i].input);
		add_effect(&effect, search, &before, &after);
		MemoryContextSwitchTo(here);
		search->candidate = NULL;
		search->cap = 0;
		MemoryContextReset(one_call);
		CHECK_FOR_INTERRUPTS();
	}
	callsync_search_end(search);
	values[0] = CStringGetTextDatum(destination);
	values[1] = CStringGetTextDatum(callsync_model_to_json(&after));
	values[2] = CStringGetTextDatum(training_text(ncalls, nverdicts, &em, base_version, &effect));
	callsync_stmt_run(&stmt_store, values, NULL, false, 0);
	version = callsync_row_int32(0, 1, 0);
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(scratch);
	return version;
}
