/*
 * contact_save.c
 *		Contacts as a destination told them, into the mirror.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "pg/spi.h"
#include "store/contact_save.h"

/* one statement for all: the keys are written once per statement */
static CallsyncStmt stmt_save = {
	.sql = "INSERT INTO callsync.contact AS c (destination, contact_id, first_name, last_name, email, other_emails, phone, mobile_phone, "
	"other_phone, company, street, postal_code, country, account_id, owner_id, fields) "
	"SELECT DISTINCT ON (r.id) $1, r.id, r.first_name, r.last_name, r.email, r.other_emails, r.phone, r.mobile_phone, "
	"r.other_phone, r.company, r.street, r.postal_code, r.country, r.account_id, r.owner_id, COALESCE(r.fields, '{}') "
	"FROM pg_catalog.jsonb_to_recordset($2::pg_catalog.jsonb) AS r(id pg_catalog.text, first_name pg_catalog.text, last_name pg_catalog.text, "
	"email pg_catalog.text, other_emails pg_catalog.text, phone pg_catalog.text, mobile_phone pg_catalog.text, other_phone pg_catalog.text, "
	"company pg_catalog.text, street pg_catalog.text, postal_code pg_catalog.text, country pg_catalog.text, account_id pg_catalog.text, "
	"owner_id pg_catalog.text, fields pg_catalog.jsonb) WHERE r.id OPERATOR(pg_catalog.<>) '' "
	"ON CONFLICT (destination, contact_id) DO UPDATE SET first_name = COALESCE(EXCLUDED.first_name, c.first_name), "
	"last_name = COALESCE(EXCLUDED.last_name, c.last_name), email = COALESCE(EXCLUDED.email, c.email), "
	"other_emails = COALESCE(EXCLUDED.other_emails, c.other_emails), phone = COALESCE(EXCLUDED.phone, c.phone), "
	"mobile_phone = COALESCE(EXCLUDED.mobile_phone, c.mobile_phone), other_phone = COALESCE(EXCLUDED.other_phone, c.other_phone), "
	"company = COALESCE(EXCLUDED.company, c.company), street = COALESCE(EXCLUDED.street, c.street), "
	"postal_code = COALESCE(EXCLUDED.postal_code, c.postal_code), country = COALESCE(EXCLUDED.country, c.country), "
	"account_id = COALESCE(EXCLUDED.account_id, c.account_id), owner_id = COALESCE(EXCLUDED.owner_id, c.owner_id), "
	"fields = c.fields OPERATOR(pg_catalog.||) EXCLUDED.fields",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .returns = SPI_OK_INSERT
};

void
callsync_contact_save(const char *destination, const char *contacts)
{
	Datum		values[2] = {CStringGetTextDatum(destination), CStringGetTextDatum(contacts)};

	callsync_stmt_run(&stmt_save, values, NULL, false, 0);
}

static CallsyncStmt stmt_load = {
	.sql = "SELECT pg_catalog.to_jsonb(c) FROM callsync.contact c WHERE c.destination OPERATOR(pg_catalog.=) $1 "
	"AND c.contact_id OPERATOR(pg_catalog.=) $2",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .returns = SPI_OK_SELECT
};

char *
callsync_contact_load(const char *destination, const char *contact_id)
{
	Datum		values[2] = {CStringGetTextDatum(destination), CStringGetTextDatum(contact_id)};

	if (callsync_stmt_run(&stmt_load, values, NULL, false, 1) == 0)
		return NULL;
	return callsync_row_text(0, 1, CurrentMemoryContext);
}
