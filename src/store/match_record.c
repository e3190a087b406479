/*
 * match_record.c
 *		Decisions kept, and the queue of those that a person has to take.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "pg/rows.h"
#include "store/match.h"

#define COLUMNS "destination, source, call_id, decision, contact_id, probability, runner_up, margin, " \
	"prior, total, reason, explanation, evidence, candidates, model_version, caller"

static CallsyncStmt stmt_decision = {
	.sql = "INSERT INTO callsync.match_decision (" COLUMNS ") "
	"SELECT d.destination, d.source, d.call_id, d.decision, d.contact_id, d.probability, d.runner_up, d.margin, d.prior, d.total, d.reason, "
	"d.explanation, d.evidence::pg_catalog.jsonb, d.candidates::pg_catalog.jsonb, d.model_version, d.caller::pg_catalog.jsonb "
	"FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[], $4::pg_catalog.text[], $5::pg_catalog.text[], "
	"$6::pg_catalog.float8[], $7::pg_catalog.text[], $8::pg_catalog.float8[], $9::pg_catalog.float8[], $10::pg_catalog.float8[], "
	"$11::pg_catalog.text[], $12::pg_catalog.text[], $13::pg_catalog.text[], $14::pg_catalog.text[], $15::pg_catalog.int4[], "
	"$16::pg_catalog.text[]) AS d(" COLUMNS ") "
	"RETURNING id",
	.nargs = 16, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID, TEXTARRAYOID,
		FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, TEXTARRAYOID},
	.returns = SPI_OK_INSERT_RETURNING
};

/* a call that is decided again: an open item shows the new decision, a reviewed one stays as it is */
static CallsyncStmt stmt_open = {
	.sql = "INSERT INTO callsync.review_item AS r (destination, source, call_id, decision_id) "
	"SELECT k.destination, k.source, k.call_id, k.id "
	"FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[], $4::pg_catalog.int8[]) AS k(destination, source, call_id, id) "
	"ON CONFLICT (destination, source, call_id) DO UPDATE SET decision_id = EXCLUDED.decision_id, "
	"state = CASE WHEN r.state OPERATOR(pg_catalog.=) 'settled' THEN 'open' ELSE r.state END "
	"WHERE r.state OPERATOR(pg_catalog.<>) 'reviewed'",
	.nargs = 4, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT8ARRAYOID}, .returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_settle = {
	.sql = "UPDATE callsync.review_item r SET state = 'settled' "
	"FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[]) AS k(destination, source, call_id) "
	"WHERE r.destination OPERATOR(pg_catalog.=) k.destination AND r.source OPERATOR(pg_catalog.=) k.source "
	"AND r.call_id OPERATOR(pg_catalog.=) k.call_id AND r.state OPERATOR(pg_catalog.=) 'open'",
	.nargs = 3, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, .returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_verdict = {
	.sql = "SELECT r.verdict, r.contact_id, r.reviewed_by::pg_catalog.text FROM callsync.review_item r "
	"WHERE r.destination OPERATOR(pg_catalog.=) $1 AND r.source OPERATOR(pg_catalog.=) $2 "
	"AND r.call_id OPERATOR(pg_catalog.=) $3 AND r.state OPERATOR(pg_catalog.=) 'reviewed'",
	.nargs = 3, .argtypes = {TEXTOID, TEXTOID, TEXTOID}, .returns = SPI_OK_SELECT
};

static void
add_member(StringInfo out, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	appendStringInfo(out, "%s\"%s\": ", out->len > 1 ? ", " : "", key);
	escape_json(out, value);
}

static char *
caller_text(const CallsyncMatchInput *input)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	add_member(&out, "phone", input->phone);
	add_member(&out, "spoken_phone", input->spoken_phone);
	add_member(&out, "email", input->email);
	add_member(&out, "name", input->name);
	add_member(&out, "postal_code", input->postal_code);
	add_member(&out, "account_id", input->account_id);
	add_member(&out, "region", input->region);
	if (input->fields != NULL)
		appendStringInfo(&out, "%s\"fields\": %s", out.len > 1 ? ", " : "", input->fields);
	appendStringInfoChar(&out, '}');
	return out.data;
}

void
callsync_match_record(const CallsyncMatchDecision *decisions, int n)
{
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, FLOAT8OID, FLOAT8OID, FLOAT8OID,
	TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, TEXTOID};
	static const Oid key_types[] = {TEXTOID, TEXTOID, TEXTOID, INT8OID};
	CallsyncRows *rows;
	CallsyncRows *open;
	CallsyncRows *settled;

	if (n == 0)
		return;
	rows = callsync_rows_create(lengthof(types), types);
	open = callsync_rows_create(4, key_types);
	settled = callsync_rows_create(3, key_types);
	for (int i = 0; i < n; i++)
	{
		const CallsyncMatchDecision *d = &decisions[i];

		callsync_rows_begin(rows);
		callsync_rows_text(rows, d->input.destination);
		callsync_rows_text(rows, d->source);
		callsync_rows_text(rows, d->call_id);
		callsync_rows_text(rows, callsync_decision_name(d->match->decision));
		callsync_rows_text(rows, d->match->contact_id);
		callsync_rows_float8(rows, d->match->probability);
		callsync_rows_text(rows, d->match->runner_up);
		callsync_rows_float8(rows, d->match->margin);
		callsync_rows_float8(rows, d->match->prior);
		callsync_rows_float8(rows, d->match->total);
		callsync_rows_text(rows, d->match->reason);
		callsync_rows_text(rows, d->match->explanation);
		callsync_rows_text(rows, d->match->evidence);
		callsync_rows_text(rows, d->match->candidates);
		callsync_rows_int4(rows, d->match->model_version);
		callsync_rows_text(rows, caller_text(&d->input));
	}
	callsync_rows_run(rows, &stmt_decision);
	for (int i = 0; i < n; i++)
	{
		bool		review = decisions[i].match->decision == CALLSYNC_DECIDE_REVIEW;
		CallsyncRows *keys = review ? open : settled;

		callsync_rows_begin(keys);
		callsync_rows_text(keys, decisions[i].input.destination);
		callsync_rows_text(keys, decisions[i].source);
		callsync_rows_text(keys, decisions[i].call_id);
		/* rows come back in the order they went in */
		if (review)
			callsync_rows_int8(keys, callsync_row_int64(i, 1, 0));
	}
	callsync_rows_run(open, &stmt_open);
	callsync_rows_run(settled, &stmt_settle);
}

CallsyncMatch *
callsync_match_verdict(const char *destination, const char *source, const char *call_id)
{
	Datum		values[3] = {CStringGetTextDatum(destination), CStringGetTextDatum(source), CStringGetTextDatum(call_id)};
	CallsyncMatch *match;

	if (callsync_stmt_run(&stmt_verdict, values, NULL, false, 1) == 0)
		return NULL;
	match = palloc0(sizeof(CallsyncMatch));
	match->contact_id = callsync_row_text(0, 2, CurrentMemoryContext);
	match->decision = match->contact_id != NULL ? CALLSYNC_DECIDE_MATCH : CALLSYNC_DECIDE_NEW;
	match->probability = match->contact_id != NULL ? 1 : 0;
	match->margin = match->probability;
	match->evidence = "[]";
	match->candidates = "[]";
	match->explanation = psprintf("reviewed by %s: %s", callsync_row_text(0, 3, CurrentMemoryContext),
								  callsync_row_text(0, 1, CurrentMemoryContext));
	return match;
}
