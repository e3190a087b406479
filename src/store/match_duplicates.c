/*
 * match_duplicates.c
 *		Contacts that may be records of one person.
 *
 * Each contact looks for others by the keys that records of one person share; the
 * score is that of a call, with the weights of two CRM records.  How common twins
 * are is estimated from the pairs themselves.  Pairs are then joined to groups, the
 * surest first, but never so that two records which cannot be one person end in one
 * group; and where a record fits two such groups alike, it joins neither.
 */
#include "postgres.h"

#include <math.h>

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "pg/compat.h"
#include "store/key_filter.h"
#include "store/match_duplicates.h"
#include "store/match_search.h"
#include "store/match_text.h"

/* pairs below this many bits, with the prior at hand, are not kept */
#define KEEP_FROM (-8.0)
/* two totals closer than this leave open which is right */
#define OPEN_MARGIN 2.0
#define LAMBDA_START 0.05

/* the contacts of a destination, in the order of their key */
typedef struct ContactScan
{
	Relation	contact;
	Relation	index;
	TupleTableSlot *slot;
	IndexScanDesc scan;
} ContactScan;

typedef struct Pair
{
	int			a,
				b;				/* records */
	double		total;
} Pair;

typedef struct Edge
{
	int			pair;
	int			next;			/* of the same record; -1: last */
} Edge;

/* A contact that is in some pair. */
typedef struct Member
{
	int64		cid;			/* hash key */
	int			record;
} Member;

typedef struct Twins
{
	CallsyncSearch *search;
	double		contacts;		/* seen */
	HTAB	   *members;
	int			nrecords;
	int			capacity;
	int64	   *cid;			/* by record */
	int		   *parent;			/* union-find */
	int		   *next;			/* ring of the group's records */
	int		   *first_edge;
	int			npairs;
	int			pair_capacity;
	Pair	   *pair;
	Edge	   *edge;
} Twins;

static void
start_scan(ContactScan *scan, const char *destination, Snapshot snapshot)
{
	Oid			namespace = get_namespace_oid("callsync", false);
	ScanKeyData key;

	scan->contact = table_open(get_relname_relid("contact", namespace), AccessShareLock);
	scan->index = index_open(get_relname_relid("contact_pkey", namespace), AccessShareLock);
	scan->slot = table_slot_create(scan->contact, NULL);
	scan->scan = callsync_index_beginscan(scan->contact, scan->index, snapshot, destination ? 1 : 0);
	if (destination != NULL)
		ScanKeyEntryInitialize(&key, 0, 1, BTEqualStrategyNumber, InvalidOid, scan->index->rd_indcollation[0],
							   F_TEXTEQ, CStringGetTextDatum(destination));
	index_rescan(scan->scan, destination ? &key : NULL, destination ? 1 : 0, NULL, 0);
}

static void
end_scan(ContactScan *scan)
{
	index_endscan(scan->scan);
	ExecDropSingleTupleTableSlot(scan->slot);
	index_close(scan->index, AccessShareLock);
	table_close(scan->contact, AccessShareLock);
}

static void *
grown(void *array, Size size)
{
	return array ? repalloc_huge(array, size) : MemoryContextAllocHuge(CurrentMemoryContext, size);
}

static int
record_of(Twins *t, int64 cid)
{
	bool		found;
	Member	   *m = hash_search(t->members, &cid, HASH_ENTER, &found);

	if (!found)
	{
		if (t->nrecords == t->capacity)
		{
			t->capacity = t->capacity ? 2 * t->capacity : 1024;
			t->cid = grown(t->cid, t->capacity * sizeof(int64));
			t->parent = grown(t->parent, t->capacity * sizeof(int));
			t->next = grown(t->next, t->capacity * sizeof(int));
			t->first_edge = grown(t->first_edge, t->capacity * sizeof(int));
		}
		m->record = t->nrecords++;
		t->cid[m->record] = cid;
		t->parent[m->record] = t->next[m->record] = m->record;
		t->first_edge[m->record] = -1;
	}
	return m->record;
}

static void
add_pair(Twins *t, int64 a, int64 b, double total)
{
	if (t->npairs == t->pair_capacity)
	{
		t->pair_capacity = t->pair_capacity ? 2 * t->pair_capacity : 1024;
		t->pair = grown(t->pair, t->pair_capacity * sizeof(Pair));
	}
	t->pair[t->npairs].a = record_of(t, a);
	t->pair[t->npairs].b = record_of(t, b);
	t->pair[t->npairs++].total = total;
}

static int
compare_totals(const void *x, const void *y)
{
	const Pair *p = x;
	const Pair *q = y;

	if (p->total != q->total)
		return p->total > q->total ? -1 : 1;
	if (p->a != q->a)
		return p->a < q->a ? -1 : 1;
	return p->b < q->b ? -1 : p->b > q->b;
}

static double
odds_bits(double lambda)
{
	return log2(lambda / (1 - lambda));
}

/* How common twins are, such that the pairs' own probabilities say the same. */
static double
estimate_lambda(const Twins *t)
{
	double		lambda = LAMBDA_START;

	for (int round = 0; round < 20; round++)
	{
		double		shift = odds_bits(lambda) - odds_bits(LAMBDA_START);
		double		twins = 0;
		double		next;

		for (int i = 0; i < t->npairs; i++)
			twins += 1.0 / (1.0 + exp2(-(t->pair[i].total + shift)));
		/* a little of the start stays, so that small mirrors do not run away */
		next = (2 * twins + LAMBDA_START * 20) / (t->contacts + 20);
		next = Min(Max(next, 0.005), 0.6);
		if (fabs(next - lambda) < 1e-4)
			break;
		lambda = next;
	}
	return lambda;
}

/* Compares two records anew; false: one of them is gone. */
static bool
compare_records(Twins *t, int a, int b, CallsyncPair *pair)
{
	CallsyncSearch *s = t->search;
	CallsyncPerson *pa = palloc(sizeof(CallsyncPerson));
	CallsyncPerson *pb = palloc(sizeof(CallsyncPerson));
	char		field[CALLSYNC_EXTRA_FIELDS][CALLSYNC_EXTRA_MAX];
	size_t		len[CALLSYNC_EXTRA_FIELDS];
	TupleTableSlot *slot = callsync_mirror_contact(s->mirror, t->cid[a]);
	bool		there = slot != NULL;

	if (there)
	{
		callsync_contact_person(slot, s->config.region, pa);
		for (int f = 0; f < s->config.model.nextra; f++)
			len[f] = callsync_contact_field(slot, &s->config.field[f], field[f], CALLSYNC_EXTRA_MAX);
		slot = callsync_mirror_contact(s->mirror, t->cid[b]);
		there = slot != NULL;
	}
	if (there)
	{
		callsync_contact_person(slot, s->config.region, pb);
		callsync_pair_contacts(pa, pb, s->nicks, pair);
		for (int f = 0; f < s->config.model.nextra; f++)
		{
			char		other[CALLSYNC_EXTRA_MAX];
			size_t		n = callsync_contact_field(slot, &s->config.field[f], other, sizeof(other));

			pair->extra[f] = (uint8_t) callsync_extra_compare(s->config.field[f].kind, field[f], len[f], other, n);
		}
	}
	pfree(pa);
	pfree(pb);
	return there;
}

static bool
in_conflict(Twins *t, int a, int b)
{
	CallsyncPair pair;

	return a != b && compare_records(t, a, b, &pair) && callsync_pair_conflicts(&t->search->config.model, &pair);
}

static int
group_of(Twins *t, int record)
{
	while (t->parent[record] != record)
	{
		t->parent[record] = t->parent[t->parent[record]];
		record = t->parent[record];
	}
	return record;
}

/* May the groups of two records become one? */
static bool
may_join(Twins *t, int a, int b)
{
	int			x = a;

	do
	{
		int			y = b;

		do
		{
			if (in_conflict(t, x, y))
				return false;
			y = t->next[y];
		} while (y != b);
		x = t->next[x];
	} while (x != a);
	return true;
}

/* Does record "from" fit another record as well as "to", one that cannot be the same as "to"? */
static bool
is_open(Twins *t, int from, int to, double total)
{
	for (int e = t->first_edge[from]; e >= 0; e = t->edge[e].next)
	{
		const Pair *p = &t->pair[t->edge[e].pair];
		int			other = p->a == from ? p->b : p->a;

		if (other != to && p->total >= total - OPEN_MARGIN && group_of(t, other) != group_of(t, to) && in_conflict(t, other, to))
			return true;
	}
	return false;
}

static void
build_edges(Twins *t)
{
	t->edge = grown(NULL, (2 * (Size) t->npairs + 1) * sizeof(Edge));
	for (int i = t->npairs - 1; i >= 0; i--)
	{
		t->edge[2 * i] = (Edge) {i, t->first_edge[t->pair[i].a]};
		t->first_edge[t->pair[i].a] = 2 * i;
		t->edge[2 * i + 1] = (Edge) {i, t->first_edge[t->pair[i].b]};
		t->first_edge[t->pair[i].b] = 2 * i + 1;
	}
}

static void
report(Twins *t, const Pair *p, double shift, CallsyncTwinsFound found, void *arg)
{
	CallsyncSearch *s = t->search;
	TupleTableSlot *slot = callsync_mirror_contact(s->mirror, t->cid[p->a]);
	CallsyncContactView a;
	CallsyncContactView b;
	CallsyncMatchInput as_call = {.destination = s->destination.s};
	CallsyncTwins twins;

	if (slot == NULL)
		return;
	callsync_contact_view(slot, &a);
	/* from the record with the lower reference, as the pair was found */
	callsync_search_twins(s, slot);
	slot = callsync_mirror_contact(s->mirror, t->cid[p->b]);
	if (slot == NULL)
		return;
	callsync_contact_view(slot, &b);
	as_call.phone = a.phones;
	as_call.email = a.email;
	as_call.name = psprintf("%s%s%s", a.first_name ? a.first_name : "", a.first_name && a.last_name ? " " : "",
							a.last_name ? a.last_name : "");
	as_call.postal_code = a.postal_code;
	as_call.fields = a.fields;
	twins.destination = s->destination.s;
	twins.contact_id = a.contact_id;
	twins.other_id = b.contact_id;
	twins.probability = 1.0 / (1.0 + exp2(-(p->total + shift)));
	twins.group = group_of(t, p->a);
	for (int i = 0; i < s->n; i++)
		if (s->candidate[i].cid == t->cid[p->b])
		{
			twins.explanation = callsync_explanation_text(&s->config, &s->candidate[i]);
			twins.evidence = callsync_evidence_text(&s->config, &s->candidate[i], &as_call, &s->call, &b);
			found(arg, &twins);
		}
}

/* Joins the pairs of a destination to groups and reports them. */
static void
join_pairs(Twins *t, double probability, CallsyncTwinsFound found, void *arg, MemoryContext one)
{
	double		lambda = estimate_lambda(t);
	double		shift = odds_bits(lambda) - odds_bits(LAMBDA_START);

	double		least = log2(probability / (1 - probability)) - shift;
	int			n = 0;

	qsort(t->pair, t->npairs, sizeof(Pair), compare_totals);
	build_edges(t);
	for (; n < t->npairs && t->pair[n].total >= least; n++)
	{
		const Pair *p = &t->pair[n];
		int			a = group_of(t, p->a);
		int			b = group_of(t, p->b);
		MemoryContext here = MemoryContextSwitchTo(one);

		CHECK_FOR_INTERRUPTS();
		if (a != b && !is_open(t, p->a, p->b, p->total) && !is_open(t, p->b, p->a, p->total) && may_join(t, p->a, p->b))
		{
			int			swap = t->next[p->a];

			t->parent[b] = a;
			t->next[p->a] = t->next[p->b];
			t->next[p->b] = swap;
		}
		MemoryContextSwitchTo(here);
		MemoryContextReset(one);
	}
	/* only now the groups are what they stay */
	for (int i = 0; i < n; i++)
	{
		const Pair *p = &t->pair[i];
		MemoryContext here = MemoryContextSwitchTo(one);

		CHECK_FOR_INTERRUPTS();
		if (group_of(t, p->a) == group_of(t, p->b))
			report(t, p, shift, found, arg);
		t->search->candidate = NULL;
		t->search->cap = 0;
		MemoryContextSwitchTo(here);
		MemoryContextReset(one);
	}
}

static void
start_destination(Twins *t, const char *destination, Snapshot snapshot)
{
	HASHCTL		ctl = {.keysize = sizeof(int64), .entrysize = sizeof(Member), .hcxt = CurrentMemoryContext};
	CallsyncModel model;

	memset(t, 0, sizeof(*t));
	t->search = callsync_search_begin(destination, snapshot, NULL);
	callsync_model_twins(&model, &t->search->config.model);
	model.lambda = LAMBDA_START;
	t->search->config.model = model;
	t->members = hash_create("callsync twins", 1024, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

void
callsync_find_duplicates(const char *destination, double probability, Snapshot snapshot,
						 CallsyncTwinsFound found, void *arg)
{
	MemoryContext outer = CurrentMemoryContext;
	MemoryContext whole = AllocSetContextCreate(outer, "callsync duplicates", ALLOCSET_DEFAULT_SIZES);
	MemoryContext one = AllocSetContextCreate(whole, "callsync duplicates of a contact", ALLOCSET_DEFAULT_SIZES);
	char	   *current = NULL;
	ContactScan scan;
	Twins		t;
	CallsyncKeyFilter *filter = NULL;

	MemoryContextSwitchTo(whole);
	start_scan(&scan, destination, snapshot);
	while (index_getnext_slot(scan.scan, ForwardScanDirection, scan.slot))
	{
		CallsyncText name = callsync_contact_text(scan.slot, CALLSYNC_CONTACT_DESTINATION);

		CHECK_FOR_INTERRUPTS();
		if (current == NULL || strlen(current) != name.n || memcmp(current, name.s, name.n) != 0)
		{
			if (current != NULL)
			{
				join_pairs(&t, probability, found, arg, one);
				callsync_search_end(t.search);
			}
			/* one filter serves all; a single destination may be a small part of the mirror */
			bool		first = current == NULL;

			current = pnstrdup(name.s, name.n);
			start_destination(&t, current, snapshot);
			if (first)
				filter = callsync_key_filter_create(snapshot, destination ? t.search->contacts : HUGE_VAL);
			t.search->filter = filter;
		}
		t.contacts++;
		MemoryContextSwitchTo(one);
		callsync_search_twins(t.search, scan.slot);
		MemoryContextSwitchTo(whole);
		for (int i = 0; i < t.search->n; i++)
		{
			const CallsyncCandidate *c = &t.search->candidate[i];

			if (c->score.total >= KEEP_FROM && callsync_pair_identifier(&t.search->config.policy, &c->pair) >= 0 &&
				!callsync_pair_conflicts(&t.search->config.model, &c->pair))
				add_pair(&t, t.search->twin_of, c->cid, c->score.total);
		}
		t.search->candidate = NULL;
		t.search->cap = 0;
		MemoryContextReset(one);
	}
	if (current != NULL)
	{
		join_pairs(&t, probability, found, arg, one);
		callsync_search_end(t.search);
	}
	end_scan(&scan);
	MemoryContextSwitchTo(outer);
	MemoryContextDelete(whole);
}
