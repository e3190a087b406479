/*
 * caller_batch.c
 *		The callers of many calls, decided one after the other and written together.
 *
 * What a newcomer gets wrong: a search stays open over several calls, and with it a
 * snapshot and scans. What is written meanwhile, by this transaction or by others, is not
 * in that snapshot; the contacts of this batch are known to the search by mirror_pending.c.
 */
#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "store/caller_batch.h"
#include "store/match_search.h"

struct CallsyncCallerBatch
{
	MemoryContext mcxt;
	MemoryContext open;			/* of the open searches; NULL: none */
	Snapshot	snapshot;
	List	   *searches;
	CallsyncMirrorPending *pending;
	int			ndecisions;
	int			maxdecisions;
	CallsyncMatchDecision *decisions;
	int			nclaims;
	int			maxclaims;
	CallsyncContactClaim *claims;
	int			ncontacts;
	int			maxcontacts;
	CallsyncExpectedContact *contacts;
};

#define GROW(batch, array, n, max) \
	do { \
		if ((n) == (max)) \
		{ \
			(max) = (max) == 0 ? 64 : (max) * 2; \
			(array) = (array) == NULL ? MemoryContextAlloc((batch)->mcxt, sizeof(*(array)) * (max)) \
				: repalloc((array), sizeof(*(array)) * (max)); \
		} \
	} while (0)

CallsyncCallerBatch *
callsync_caller_batch_create(void)
{
	CallsyncCallerBatch *batch = palloc0(sizeof(*batch));

	batch->mcxt = CurrentMemoryContext;
	batch->pending = callsync_mirror_pending_create();
	return batch;
}

static void
close_searches(CallsyncCallerBatch *batch)
{
	ListCell   *lc;

	if (batch->open == NULL)
		return;
	foreach(lc, batch->searches)
		callsync_search_end(lfirst(lc));
	batch->searches = NIL;
	UnregisterSnapshot(batch->snapshot);
	batch->snapshot = NULL;
	MemoryContextDelete(batch->open);
	batch->open = NULL;
}

static CallsyncSearch *
search_of(CallsyncCallerBatch *batch, const char *destination)
{
	MemoryContext outer;
	CallsyncSearch *search;
	ListCell   *lc;

	foreach(lc, batch->searches)
	{
		search = lfirst(lc);
		if (search->destination.n == strlen(destination) &&
			memcmp(search->destination.s, destination, search->destination.n) == 0)
			return search;
	}
	if (batch->open == NULL)
	{
		batch->open = AllocSetContextCreate(batch->mcxt, "callsync caller searches", ALLOCSET_DEFAULT_SIZES);
		batch->snapshot = RegisterSnapshot(GetLatestSnapshot());
	}
	outer = MemoryContextSwitchTo(batch->open);
	search = callsync_search_begin(pstrdup(destination), batch->snapshot, batch->pending);
	batch->searches = lappend(batch->searches, search);
	MemoryContextSwitchTo(outer);
	return search;
}

CallsyncMatch *
callsync_caller_batch_match(CallsyncCallerBatch *batch, const CallsyncMatchInput *input)
{
	CallsyncSearch *search = search_of(batch, input->destination);
	CallsyncMatch *match;

	PushActiveSnapshot(batch->snapshot);
	match = callsync_search_match(search, input);
	PopActiveSnapshot();
	return match;
}

void
callsync_caller_batch_record(CallsyncCallerBatch *batch, const char *source, const char *call_id,
							 const CallsyncMatchInput *input, const CallsyncMatch *match)
{
	CallsyncMatchDecision *d;

	GROW(batch, batch->decisions, batch->ndecisions, batch->maxdecisions);
	d = &batch->decisions[batch->ndecisions++];
	d->source = source;
	d->call_id = call_id;
	d->input = *input;
	d->match = match;
}

void
callsync_caller_batch_claim(CallsyncCallerBatch *batch, const CallsyncContactClaim *claim)
{
	GROW(batch, batch->claims, batch->nclaims, batch->maxclaims);
	batch->claims[batch->nclaims++] = *claim;
}

void
callsync_caller_batch_expect(CallsyncCallerBatch *batch, const CallsyncContactClaim *claim,
							 const CallsyncExpectedContact *contact)
{
	callsync_caller_batch_claim(batch, claim);
	if (!callsync_mirror_pending_add(batch->pending, contact))
		return;
	GROW(batch, batch->contacts, batch->ncontacts, batch->maxcontacts);
	batch->contacts[batch->ncontacts++] = *contact;
}

void
callsync_caller_batch_write(CallsyncCallerBatch *batch)
{
	close_searches(batch);
	callsync_contact_claim(batch->claims, batch->nclaims);
	callsync_contact_provide(batch->contacts, batch->ncontacts);
	callsync_match_record(batch->decisions, batch->ndecisions);
}
