/*
 * match_record.c
 *		Decisions kept, and the queue of those that a person has to take.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "pg/spi.h"
#include "store/match.h"

static CallsyncStmt stmt_decision = {
	.sql = "INSERT INTO callsync.match_decision (destination, source, call_id, decision, contact_id, probability, runner_up, margin, "
	"prior, total, reason, explanation, evidence, candidates, model_version, caller) "
	"VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13::pg_catalog.jsonb, $14::pg_catalog.jsonb, $15, $16::pg_catalog.jsonb) "
	"RETURNING id",
	.nargs = 16, .argtypes = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, FLOAT8OID,
		FLOAT8OID, FLOAT8OID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID, TEXTOID},
	.returns = SPI_OK_INSERT_RETURNING
};

/* a call that is decided again: an open item shows the new decision, a reviewed one stays as it is */
static CallsyncStmt stmt_open = {
	.sql = "INSERT INTO callsync.review_item AS r (destination, source, call_id, decision_id) VALUES ($1, $2, $3, $4) "
	"ON CONFLICT (destination, source, call_id) DO UPDATE SET decision_id = EXCLUDED.decision_id, "
	"state = CASE WHEN r.state OPERATOR(pg_catalog.=) 'settled' THEN 'open' ELSE r.state END "
	"WHERE r.state OPERATOR(pg_catalog.<>) 'reviewed'",
	.nargs = 4, .argtypes = {TEXTOID, TEXTOID, TEXTOID, INT8OID}, .returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_settle = {
	.sql = "UPDATE callsync.review_item SET state = 'settled' WHERE destination OPERATOR(pg_catalog.=) $1 "
	"AND source OPERATOR(pg_catalog.=) $2 AND call_id OPERATOR(pg_catalog.=) $3 AND state OPERATOR(pg_catalog.=) 'open'",
	.nargs = 3, .argtypes = {TEXTOID, TEXTOID, TEXTOID}, .returns = SPI_OK_UPDATE
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

static void
set_text(Datum *values, bool *nulls, int i, const char *text)
{
	nulls[i] = text == NULL;
	values[i] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

long long
callsync_match_record(const char *source, const char *call_id,
					  const CallsyncMatchInput *input, const CallsyncMatch *match)
{
	Datum		values[16];
	bool		nulls[16] = {false};
	int64		id;

	set_text(values, nulls, 0, input->destination);
	set_text(values, nulls, 1, source);
	set_text(values, nulls, 2, call_id);
	set_text(values, nulls, 3, callsync_decision_name(match->decision));
	set_text(values, nulls, 4, match->contact_id);
	values[5] = Float8GetDatum(match->probability);
	set_text(values, nulls, 6, match->runner_up);
	values[7] = Float8GetDatum(match->margin);
	values[8] = Float8GetDatum(match->prior);
	values[9] = Float8GetDatum(match->total);
	set_text(values, nulls, 10, match->reason);
	set_text(values, nulls, 11, match->explanation);
	set_text(values, nulls, 12, match->evidence);
	set_text(values, nulls, 13, match->candidates);
	values[14] = Int32GetDatum(match->model_version);
	set_text(values, nulls, 15, caller_text(input));
	callsync_stmt_run(&stmt_decision, values, nulls, false, 0);
	id = callsync_row_int64(0, 1, 0);
	values[3] = Int64GetDatum(id);
	if (match->decision == CALLSYNC_DECIDE_REVIEW)
		callsync_stmt_run(&stmt_open, values, NULL, false, 0);
	else
		callsync_stmt_run(&stmt_settle, values, NULL, false, 0);
	return id;
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
