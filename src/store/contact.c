/*
 * contact.c
 *		The contact mirror, read; see contact.h.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relscan.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/visibilitymap.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "core/fold.h"
#include "core/phone.h"
#include "pg/compat.h"
#include "store/contact.h"

/* one index of the mirror, with a scan that is used again and again */
typedef struct MirrorIndex
{
	Relation	heap;
	Relation	index;
	TupleTableSlot *slot;
	IndexScanDesc scan;
	Buffer		vmbuffer;
	MemoryContext context;		/* of the scan: it allocates at its first start and at its first dead tuple */
} MirrorIndex;

struct CallsyncMirror
{
	Snapshot	snapshot;
	MirrorIndex key;
	MirrorIndex term;
	MirrorIndex contact;
	const CallsyncMirrorPending *pending;	/* or NULL */
	TupleTableSlot *pending_slot;
};

int64
callsync_contact_cid(const char *destination, size_t dlen, const char *id, size_t ilen)
{
	return (int64) callsync_hash64(callsync_destination_seed(destination, dlen), id, ilen);
}

CallsyncText
callsync_contact_text(TupleTableSlot *slot, int column)
{
	CallsyncText text = {NULL, 0};
	bool		isnull;
	Datum		value = slot_getattr(slot, column, &isnull);

	if (!isnull)
	{
		struct varlena *v = PG_DETOAST_DATUM_PACKED(value);

		text.s = VARDATA_ANY(v);
		text.n = VARSIZE_ANY_EXHDR(v);
	}
	return text;
}

void
callsync_contact_person(TupleTableSlot *slot, int region, CallsyncPerson *person)
{
	CallsyncContactText text;

	/* up to the last column that is read: one pass over the tuple */
	slot_getsomeattrs(slot, CALLSYNC_CONTACT_COUNTRY);
	text.first_name = callsync_contact_text(slot, CALLSYNC_CONTACT_FIRST_NAME);
	text.last_name = callsync_contact_text(slot, CALLSYNC_CONTACT_LAST_NAME);
	text.email = callsync_contact_text(slot, CALLSYNC_CONTACT_EMAIL);
	text.other_emails = callsync_contact_text(slot, CALLSYNC_CONTACT_OTHER_EMAILS);
	text.phone[0] = callsync_contact_text(slot, CALLSYNC_CONTACT_PHONE);
	text.phone[1] = callsync_contact_text(slot, CALLSYNC_CONTACT_MOBILE_PHONE);
	text.phone[2] = callsync_contact_text(slot, CALLSYNC_CONTACT_OTHER_PHONE);
	text.postal_code = callsync_contact_text(slot, CALLSYNC_CONTACT_POSTAL_CODE);
	text.country = callsync_contact_text(slot, CALLSYNC_CONTACT_COUNTRY);
	callsync_person_contact(person, &text, region);
}

size_t
callsync_contact_field(TupleTableSlot *slot, const CallsyncMatchField *field, char *out, size_t cap)
{
	CallsyncText text = {NULL, 0};

	if (field->column > 0)
		text = callsync_contact_text(slot, field->column);
	else
	{
		bool		isnull;
		Datum		fields = slot_getattr(slot, CALLSYNC_CONTACT_FIELDS, &isnull);
		Jsonb	   *jb;
		JsonbValue	value;

		if (isnull)
			return 0;
		jb = DatumGetJsonbP(fields);
		if (!JB_ROOT_IS_OBJECT(jb) ||
			getKeyJsonValueFromContainer(&jb->root, field->name, strlen(field->name), &value) == NULL)
			return 0;
		if (value.type == jbvString)
		{
			text.s = value.val.string.val;
			text.n = value.val.string.len;
		}
		else if (value.type == jbvNumeric)
		{
			text.s = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
			text.n = strlen(text.s);
		}
	}
	return callsync_extra_normal(field->kind, text.s, text.n, out, cap);
}

uint64_t
callsync_field_key(uint64_t seed, CallsyncKeyKind kind, const CallsyncMatchField *field,
				   const char *normal, size_t len)
{
	char		buf[sizeof(field->name) + CALLSYNC_EXTRA_MAX + 1];
	size_t		n = strlen(field->name);

	memcpy(buf, field->name, n);
	buf[n++] = '=';
	len = Min(len, CALLSYNC_EXTRA_MAX);
	memcpy(buf + n, normal, len);
	return callsync_key(seed, kind, buf, n + len);
}

/* What a row's keys are made from. */
typedef struct RowSource
{
	CallsyncPerson person;
	uint64_t	seed;
	const CallsyncMatchConfig *config;
} RowSource;

static void
read_row(TupleTableSlot *slot, RowSource *row)
{
	CallsyncText destination = callsync_contact_text(slot, CALLSYNC_CONTACT_DESTINATION);

	row->seed = callsync_destination_seed(destination.s, destination.n);
	row->config = callsync_match_config(pnstrdup(destination.s, destination.n));
	/* keys do not depend on the region: it is the last digits that are hashed */
	callsync_contact_person(slot, CALLSYNC_REGION_NONE, &row->person);
}

static int
field_keys(TupleTableSlot *slot, const RowSource *row, CallsyncKeyKind kind, CallsyncKey *keys, int n, int max)
{
	for (int i = 0; i < row->config->model.nextra && n < max; i++)
	{
		const CallsyncMatchField *field = &row->config->field[i];
		char		normal[CALLSYNC_EXTRA_MAX];
		size_t		len;

		if (kind == CALLSYNC_KEY_FIELD && !field->is_key)
			continue;
		len = callsync_contact_field(slot, field, normal, sizeof(normal));
		if (len > 0)
			keys[n++] = (CallsyncKey) {callsync_field_key(row->seed, kind, field, normal, len), kind};
	}
	return n;
}

int
callsync_contact_row_keys(TupleTableSlot *slot, CallsyncKey *keys, int max)
{
	RowSource  *row = palloc(sizeof(RowSource));
	int			n;

	read_row(slot, row);
	n = callsync_contact_keys(&row->person, row->seed, keys, max - CALLSYNC_EXTRA_FIELDS);
	n = field_keys(slot, row, CALLSYNC_KEY_FIELD, keys, n, max);
	pfree(row);
	return n;
}

int
callsync_contact_row_terms(TupleTableSlot *slot, CallsyncKey *terms, int max)
{
	RowSource  *row = palloc(sizeof(RowSource));
	CallsyncText account = callsync_contact_text(slot, CALLSYNC_CONTACT_ACCOUNT_ID);
	int			n;

	read_row(slot, row);
	n = callsync_contact_terms(&row->person, row->seed, terms, max - 2 - CALLSYNC_EXTRA_FIELDS);
	terms[n++] = (CallsyncKey) {callsync_key(row->seed, CALLSYNC_TERM_TOTAL, "", 0), CALLSYNC_TERM_TOTAL};
	if (account.n > 0)
		terms[n++] = (CallsyncKey) {callsync_key(row->seed, CALLSYNC_TERM_ACCOUNT, account.s, account.n), CALLSYNC_TERM_ACCOUNT};
	n = field_keys(slot, row, CALLSYNC_TERM_FIELD, terms, n, max);
	pfree(row);
	return n;
}

static void
open_index(MirrorIndex *m, const char *table, const char *index, Oid namespace, Snapshot snapshot)
{
	Oid			relid = get_relname_relid(table, namespace);
	Oid			indexid = get_relname_relid(index, namespace);

	if (!OidIsValid(relid) || !OidIsValid(indexid))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"callsync.%s\" or its index does not exist", table),
				 errhint("Run callsync.rebuild_contact_keys(), or reinstall the extension.")));
	m->heap = table_open(relid, AccessShareLock);
	m->index = index_open(indexid, AccessShareLock);
	m->slot = table_slot_create(m->heap, NULL);
	m->scan = callsync_index_beginscan(m->heap, m->index, snapshot, 1);
	m->vmbuffer = InvalidBuffer;
	m->context = CurrentMemoryContext;
}

static void
close_index(MirrorIndex *m)
{
	if (BufferIsValid(m->vmbuffer))
		ReleaseBuffer(m->vmbuffer);
	index_endscan(m->scan);
	ExecDropSingleTupleTableSlot(m->slot);
	index_close(m->index, AccessShareLock);
	table_close(m->heap, AccessShareLock);
}

CallsyncMirror *
callsync_mirror_open(Snapshot snapshot, const CallsyncMirrorPending *pending)
{
	CallsyncMirror *mirror = palloc0(sizeof(CallsyncMirror));
	Oid			namespace = get_namespace_oid("callsync", false);

	mirror->snapshot = snapshot;
	open_index(&mirror->key, "contact_key", "contact_key_key", namespace, snapshot);
	open_index(&mirror->term, "contact_term", "contact_term_term", namespace, snapshot);
	open_index(&mirror->contact, "contact", "contact_cid", namespace, snapshot);
	mirror->key.scan->xs_want_itup = true;
	mirror->term.scan->xs_want_itup = true;
	mirror->pending = pending;
	if (pending != NULL)
		mirror->pending_slot = MakeSingleTupleTableSlot(RelationGetDescr(mirror->contact.heap), &TTSOpsVirtual);
	return mirror;
}

void
callsync_mirror_close(CallsyncMirror *mirror)
{
	if (mirror->pending_slot != NULL)
		ExecDropSingleTupleTableSlot(mirror->pending_slot);
	close_index(&mirror->contact);
	close_index(&mirror->term);
	close_index(&mirror->key);
	pfree(mirror);
}

static void
start(MirrorIndex *m, int64 value)
{
	MemoryContext outer = MemoryContextSwitchTo(m->context);
	ScanKeyData key;

	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_INT8EQ, Int64GetDatum(value));
	index_rescan(m->scan, &key, 1, NULL, 0);
	MemoryContextSwitchTo(outer);
}

/* Second column of the next visible index entry; the heap is read only where its page may hold dead rows. */
static bool
next(MirrorIndex *m, Snapshot snapshot, int64 *value)
{
	ItemPointer tid;
	MemoryContext outer = MemoryContextSwitchTo(m->context);

	while ((tid = index_getnext_tid(m->scan, ForwardScanDirection)) != NULL)
	{
		bool		isnull;

		if (!VM_ALL_VISIBLE(m->heap, ItemPointerGetBlockNumber(tid), &m->vmbuffer))
		{
			bool		found = index_fetch_heap(m->scan, m->slot);

			ExecClearTuple(m->slot);
			if (!found)
				continue;
		}
		else
			PredicateLockPage(m->heap, ItemPointerGetBlockNumber(tid), snapshot);
		*value = DatumGetInt64(index_getattr(m->scan->xs_itup, 2, m->scan->xs_itupdesc, &isnull));
		break;
	}
	MemoryContextSwitchTo(outer);
	return tid != NULL;
}

int
callsync_mirror_key(CallsyncMirror *mirror, uint64_t key, int64 *cid, int max, bool *more)
{
	int			n = 0;
	int64		value;

	*more = false;
	start(&mirror->key, (int64) key);
	while (next(&mirror->key, mirror->snapshot, &value))
	{
		if (n == max)
		{
			*more = true;
			break;
		}
		cid[n++] = value;
	}
	if (mirror->pending != NULL && !*more)
	{
		const int64 *cids;
		int			npending = callsync_mirror_pending_key(mirror->pending, key, &cids);

		*more = n + npending > max;
		for (int i = 0; i < npending && n < max; i++)
			cid[n++] = cids[i];
	}
	return n;
}

int
callsync_mirror_count(CallsyncMirror *mirror, uint64_t key, int limit)
{
	int			n = 0;
	int64		value;

	start(&mirror->key, (int64) key);
	while (n < limit && next(&mirror->key, mirror->snapshot, &value))
		n++;
	if (mirror->pending != NULL)
	{
		const int64 *cids;

		n = Min(limit, n + callsync_mirror_pending_key(mirror->pending, key, &cids));
	}
	return n;
}

double
callsync_mirror_term(CallsyncMirror *mirror, uint64_t term)
{
	double		sum = 0;
	int64		value;

	start(&mirror->term, (int64) term);
	while (next(&mirror->term, mirror->snapshot, &value))
		sum += (double) value;
	return Max(sum, 0) + callsync_mirror_pending(mirror, term);
}

double
callsync_mirror_pending(CallsyncMirror *mirror, uint64_t term)
{
	return mirror->pending ? callsync_mirror_pending_term(mirror->pending, term) : 0;
}

TupleTableSlot *
callsync_mirror_contact(CallsyncMirror *mirror, int64 cid)
{
	MemoryContext outer;
	bool		found;

	start(&mirror->contact, cid);
	outer = MemoryContextSwitchTo(mirror->contact.context);
	found = index_getnext_slot(mirror->contact.scan, ForwardScanDirection, mirror->contact.slot);
	MemoryContextSwitchTo(outer);
	if (!found && mirror->pending != NULL && callsync_mirror_pending_contact(mirror->pending, cid, mirror->pending_slot))
		return mirror->pending_slot;
	return found ? mirror->contact.slot : NULL;
}
