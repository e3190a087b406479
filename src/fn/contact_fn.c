/*
 * contact_fn.c
 *		SQL functions and the trigger of the contact mirror.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "core/person_key.h"
#include "store/contact.h"
#include "store/contact_keys.h"

PG_FUNCTION_INFO_V1(callsync_contact_cid_fn);
PG_FUNCTION_INFO_V1(callsync_contact_changed);
PG_FUNCTION_INFO_V1(callsync_contact_keys_of);
PG_FUNCTION_INFO_V1(callsync_contact_person_keys_fn);
PG_FUNCTION_INFO_V1(callsync_phone_person_key_fn);

Datum
callsync_contact_cid_fn(PG_FUNCTION_ARGS)
{
	text	   *destination = PG_GETARG_TEXT_PP(0);
	text	   *id = PG_GETARG_TEXT_PP(1);

	PG_RETURN_INT64(callsync_contact_cid(VARDATA_ANY(destination), VARSIZE_ANY_EXHDR(destination),
										 VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id)));
}

Datum
callsync_contact_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) || TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function \"contact_changed\" was not called as an AFTER trigger of a statement"),
				 errhint("It is made for the triggers of callsync.contact only.")));
	if (TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		callsync_contact_keys_clear();
	else
	{
		/* the transition tables are there, or the trigger was made by somebody else */
		if (RelationGetDescr(trigger->tg_relation)->natts < CALLSYNC_CONTACT_COLUMNS ||
			(trigger->tg_newtable == NULL && trigger->tg_oldtable == NULL))
			ereport(ERROR,
					(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
					 errmsg("function \"contact_changed\" was called without transition tables"),
					 errhint("It is made for the triggers of callsync.contact only.")));
		callsync_contact_keys_apply(trigger->tg_relation, trigger->tg_oldtable, trigger->tg_newtable);
	}
	PG_RETURN_POINTER(NULL);
}

/* A slot that shows a row value; release_row() afterwards. */
static TupleTableSlot *
slot_of_row(HeapTupleHeader row, HeapTupleData *tuple)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row), HeapTupleHeaderGetTypMod(row));
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);

	tuple->t_len = HeapTupleHeaderGetDatumLength(row);
	ItemPointerSetInvalid(&tuple->t_self);
	tuple->t_tableOid = InvalidOid;
	tuple->t_data = row;
	ExecStoreHeapTuple(tuple, slot, false);
	return slot;
}

static void
release_row(TupleTableSlot *slot)
{
	TupleDesc	desc = slot->tts_tupleDescriptor;

	ExecDropSingleTupleTableSlot(slot);
	ReleaseTupleDesc(desc);
}

Datum
callsync_contact_keys_of(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	HeapTupleData tuple;
	TupleTableSlot *slot = slot_of_row(PG_GETARG_HEAPTUPLEHEADER(0), &tuple);
	CallsyncKey keys[CALLSYNC_CONTACT_KEYS];
	CallsyncKey terms[CALLSYNC_CONTACT_TERMS];
	int			nkeys;
	int			nterms;

	nkeys = callsync_contact_row_keys(slot, keys, CALLSYNC_CONTACT_KEYS);
	nterms = callsync_contact_row_terms(slot, terms, CALLSYNC_CONTACT_TERMS);
	release_row(slot);
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < nkeys + nterms; i++)
	{
		Datum		values[2];
		bool		nulls[2] = {false, false};

		values[0] = Int64GetDatum((int64) (i < nkeys ? keys[i].key : terms[i - nkeys].key));
		values[1] = BoolGetDatum(i >= nkeys);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	PG_RETURN_VOID();
}

Datum
callsync_contact_person_keys_fn(PG_FUNCTION_ARGS)
{
	HeapTupleData tuple;
	TupleTableSlot *slot = slot_of_row(PG_GETARG_HEAPTUPLEHEADER(0), &tuple);
	CallsyncText destination = callsync_contact_text(slot, CALLSYNC_CONTACT_DESTINATION);
	const CallsyncMatchConfig *config = callsync_match_config(pnstrdup(destination.s, destination.n));
	CallsyncPerson *person = palloc(sizeof(CallsyncPerson));
	Datum		keys[CALLSYNC_PERSON_LINES + CALLSYNC_PERSON_EMAILS];
	int			n = 0;
	int64_t		key;

	callsync_contact_person(slot, config->region, person);
	for (int i = 0; i < person->nlines; i++)
	{
		char		e164[CALLSYNC_LINE_DIGITS + 2];

		if (person->line[i].code == 0)
			continue;
		e164[0] = '+';
		memcpy(e164 + 1, person->line[i].digits, person->line[i].n);
		if (callsync_person_key_phone(e164, person->line[i].n + 1, NULL, &key))
			keys[n++] = Int64GetDatum(key);
	}
	for (int i = 0; i < person->nemails; i++)
		if (callsync_person_key_email(person->email[i].text, person->email[i].len, &key))
			keys[n++] = Int64GetDatum(key);
	release_row(slot);
	PG_RETURN_ARRAYTYPE_P(construct_array(keys, n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

Datum
callsync_phone_person_key_fn(PG_FUNCTION_ARGS)
{
	text	   *phone = PG_ARGISNULL(0) ? NULL : PG_GETARG_TEXT_PP(0);
	char	   *region = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	int64_t		key;

	if (phone == NULL || !callsync_person_key_phone(VARDATA_ANY(phone), VARSIZE_ANY_EXHDR(phone), region, &key))
		PG_RETURN_NULL();
	PG_RETURN_INT64(key);
}
