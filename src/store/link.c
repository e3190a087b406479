/*
 * link.c
 *		Which record at a destination a step of a call, or a caller, became.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/rows.h"
#include "store/link.h"

#define EQ " OPERATOR(pg_catalog.=) "
#define NE " OPERATOR(pg_catalog.<>) "

static CallsyncStmt stmt_record = {
	.sql = "INSERT INTO callsync.record_link AS l (destination, source, call_id, step, object, record_id, idempotency_key, linked_at) "
	"SELECT DISTINCT ON (k.destination, k.source, k.call_id, k.step) k.destination, k.source, k.call_id, k.step, k.object, k.record_id, k.key, k.at "
	"FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[], $4::pg_catalog.text[], $5::pg_catalog.text[], "
	"$6::pg_catalog.text[], $7::pg_catalog.text[], $8::pg_catalog.timestamptz[]) "
	"AS k(destination, source, call_id, step, object, record_id, key, at) "
	"ON CONFLICT (destination, source, call_id, step) DO UPDATE SET record_id = EXCLUDED.record_id, object = EXCLUDED.object, "
	"idempotency_key = EXCLUDED.idempotency_key, linked_at = EXCLUDED.linked_at WHERE l.record_id" NE "EXCLUDED.record_id",
	.nargs = 8,
	.argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_forget_record = {
	.sql = "DELETE FROM callsync.record_link l WHERE l.destination" EQ "$1 AND l.record_id" EQ "$2",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .returns = SPI_OK_DELETE
};

/* Workers that share callers write the same rows: locked in one order, or they wait for each other */
static CallsyncStmt stmt_contact = {
	.sql = "WITH locked AS MATERIALIZED (SELECT l.destination, l.identity, k.contact_id FROM callsync.contact_link l "
	"JOIN unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[]) AS k(destination, key, contact_id) "
	"ON l.destination" EQ "k.destination AND l.contact_key" EQ "k.key WHERE l.contact_id IS DISTINCT FROM k.contact_id "
	"ORDER BY l.destination, l.contact_key, l.identity FOR NO KEY UPDATE OF l) "
	"UPDATE callsync.contact_link l SET contact_id = x.contact_id FROM locked x "
	"WHERE l.destination" EQ "x.destination AND l.identity" EQ "x.identity",
	.nargs = 3, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, .returns = SPI_OK_UPDATE
};

/* the provisional row becomes the real one, unless the mirror has that already */
static CallsyncStmt stmt_promote = {
	.sql = "UPDATE callsync.contact c SET contact_id = k.contact_id "
	"FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[]) AS k(destination, key, contact_id) "
	"WHERE c.destination" EQ "k.destination AND c.contact_id" EQ "('callsync:' OPERATOR(pg_catalog.||) k.key) "
	"AND NOT EXISTS (SELECT 1 FROM callsync.contact r WHERE r.destination" EQ "k.destination AND r.contact_id" EQ "k.contact_id)",
	.nargs = 3, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, .returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_drop_provisional = {
	.sql = "DELETE FROM callsync.contact c "
	"USING unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) AS k(destination, key) "
	"WHERE c.destination" EQ "k.destination AND c.contact_id" EQ "('callsync:' OPERATOR(pg_catalog.||) k.key)",
	.nargs = 2, .argtypes = {TEXTARRAYOID, TEXTARRAYOID}, .returns = SPI_OK_DELETE
};

/*
 * A line or mailbox that the contact did not have: kept beside those it has, so that the next call from there finds
 * it.  Phones are compared by their last eight digits, which may stand in any of the cells.
 */
#define DIGITS(x) "pg_catalog.regexp_replace(" x ", '[^0-9]', '', 'g')"
#define ANOTHER_PHONE "(c.phone IS NOT NULL AND pg_catalog.length(" DIGITS("EXCLUDED.phone") ") OPERATOR(pg_catalog.>=) 8 AND pg_catalog.strpos(" \
	"pg_catalog.regexp_replace(pg_catalog.concat_ws(';', c.phone, c.mobile_phone, c.other_phone), '[^0-9;]', '', 'g')" ", pg_catalog.right(" DIGITS("EXCLUDED.phone") ", 8))" EQ "0)"
#define ANOTHER_EMAIL "(c.email IS NOT NULL AND callsync.email_canonical(EXCLUDED.email) IS NOT NULL AND pg_catalog.strpos(pg_catalog.lower(pg_catalog.concat_ws(' ', " \
	"callsync.email_canonical(c.email), c.email, c.other_emails)), callsync.email_canonical(EXCLUDED.email))" EQ "0)"

static CallsyncStmt stmt_mirror = {
	.sql = "INSERT INTO callsync.contact AS c (destination, contact_id, first_name, last_name, email, phone, postal_code) "
	"SELECT DISTINCT ON (k.destination, k.contact_id) k.destination, k.contact_id, k.first_name, k.last_name, k.email, k.phone, k.postal_code "
	"FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[], $4::pg_catalog.text[], $5::pg_catalog.text[], "
	"$6::pg_catalog.text[], $7::pg_catalog.text[]) AS k(destination, contact_id, first_name, last_name, email, phone, postal_code) "
	"ON CONFLICT (destination, contact_id) DO UPDATE SET first_name = COALESCE(c.first_name, EXCLUDED.first_name), "
	"last_name = COALESCE(c.last_name, EXCLUDED.last_name), email = COALESCE(c.email, EXCLUDED.email), "
	"phone = COALESCE(c.phone, EXCLUDED.phone), postal_code = COALESCE(c.postal_code, EXCLUDED.postal_code), "
	"mobile_phone = CASE WHEN " ANOTHER_PHONE " AND c.mobile_phone IS NULL THEN EXCLUDED.phone ELSE c.mobile_phone END, "
	"other_phone = CASE WHEN " ANOTHER_PHONE " AND c.mobile_phone IS NOT NULL THEN pg_catalog.concat_ws(', ', c.other_phone, EXCLUDED.phone) ELSE c.other_phone END, "
	"other_emails = CASE WHEN " ANOTHER_EMAIL " THEN pg_catalog.concat_ws(', ', c.other_emails, EXCLUDED.email) ELSE c.other_emails END "
	"WHERE (c.first_name IS NULL AND EXCLUDED.first_name IS NOT NULL) OR (c.last_name IS NULL AND EXCLUDED.last_name IS NOT NULL) "
	"OR (c.email IS NULL AND EXCLUDED.email IS NOT NULL) OR (c.phone IS NULL AND EXCLUDED.phone IS NOT NULL) "
	"OR (c.postal_code IS NULL AND EXCLUDED.postal_code IS NOT NULL) OR " ANOTHER_PHONE " OR " ANOTHER_EMAIL,
	.nargs = 7,
	.argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_forget_contact = {
	.sql = "WITH links AS (UPDATE callsync.contact_link l SET contact_id = NULL WHERE l.destination" EQ "$1 AND l.contact_key IN "
	" (SELECT k.contact_key FROM callsync.contact_link k WHERE k.destination" EQ "$1 AND k.contact_id" EQ "$2)) "
	"DELETE FROM callsync.contact c WHERE c.destination" EQ "$1 AND c.contact_id" EQ "$2",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .returns = SPI_OK_DELETE
};

void
callsync_link_records(const CallsyncRecordLink *links, int n, TimestampTz now)
{
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	CallsyncRows *rows;

	if (n == 0)
		return;
	rows = callsync_rows_create(lengthof(types), types);
	for (int i = 0; i < n; i++)
	{
		callsync_rows_begin(rows);
		callsync_rows_text(rows, links[i].destination);
		callsync_rows_text(rows, links[i].source);
		callsync_rows_text(rows, links[i].call_id);
		callsync_rows_text(rows, links[i].step);
		callsync_rows_text(rows, links[i].object);
		callsync_rows_text(rows, links[i].record_id);
		callsync_rows_text(rows, links[i].idempotency_key);
		callsync_rows_time(rows, now);
	}
	callsync_rows_run(rows, &stmt_record);
}

void
callsync_link_forget_record(const char *destination, const char *record_id)
{
	Datum		values[2] = {CStringGetTextDatum(destination), CStringGetTextDatum(record_id)};

	callsync_stmt_run(&stmt_forget_record, values, NULL, false, 0);
}

void
callsync_link_contacts(const CallsyncContactLink *links, int n)
{
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	CallsyncRows *keys,
			   *pairs,
			   *mirror;

	if (n == 0)
		return;
	keys = callsync_rows_create(3, types);
	pairs = callsync_rows_create(2, types);
	mirror = callsync_rows_create(7, types);
	for (int i = 0; i < n; i++)
	{
		const CallsyncContactLink *l = &links[i];

		callsync_rows_begin(keys);
		callsync_rows_text(keys, l->destination);
		callsync_rows_text(keys, l->contact_key);
		callsync_rows_text(keys, l->contact_id);
		callsync_rows_begin(pairs);
		callsync_rows_text(pairs, l->destination);
		callsync_rows_text(pairs, l->contact_key);
		callsync_rows_begin(mirror);
		callsync_rows_text(mirror, l->destination);
		callsync_rows_text(mirror, l->contact_id);
		callsync_rows_text(mirror, l->first_name);
		callsync_rows_text(mirror, l->last_name);
		callsync_rows_text(mirror, l->email);
		callsync_rows_text(mirror, l->phone);
		callsync_rows_text(mirror, l->postal_code);
	}
	callsync_rows_run(keys, &stmt_contact);
	callsync_rows_run(keys, &stmt_promote);
	callsync_rows_run(pairs, &stmt_drop_provisional);
	callsync_rows_run(mirror, &stmt_mirror);
}

void
callsync_link_forget_contact(const char *destination, const char *contact_id)
{
	Datum		values[2] = {CStringGetTextDatum(destination), CStringGetTextDatum(contact_id)};

	callsync_stmt_run(&stmt_forget_contact, values, NULL, false, 0);
}
