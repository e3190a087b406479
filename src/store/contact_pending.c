/*
 * contact_pending.c
 *		Contacts that callsync creates: their keys, before and after the CRM has
 *		given them an id.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "pg/spi.h"
#include "store/contact_pending.h"

static CallsyncStmt stmt_key_of_id = {
	.sql = "SELECT l.contact_key FROM callsync.contact_link l WHERE l.destination OPERATOR(pg_catalog.=) $1 "
	"AND l.contact_id OPERATOR(pg_catalog.=) $2 ORDER BY l.linked_at LIMIT 1",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_link = {
	.sql = "SELECT l.contact_key, l.contact_id FROM callsync.contact_link l WHERE l.destination OPERATOR(pg_catalog.=) $1 "
	"AND l.identity OPERATOR(pg_catalog.=) $2",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .returns = SPI_OK_SELECT
};

/*
 * DO NOTHING and an update of what differs, in place of DO UPDATE, which would lock the
 * key's row for each call of a known caller and make workers wait for each other.
 */
static CallsyncStmt stmt_claim = {
	.sql = "WITH known AS (SELECT (SELECT k.contact_id FROM callsync.contact_link k WHERE k.destination OPERATOR(pg_catalog.=) $1 "
	" AND k.identity OPERATOR(pg_catalog.=) $2) AS contact_id), "
	"moved AS (UPDATE callsync.contact_link l SET contact_key = $2, contact_id = n.contact_id FROM known n "
	" WHERE l.destination OPERATOR(pg_catalog.=) $1 AND l.identity IN ($2, $3) AND l.contact_key OPERATOR(pg_catalog.<>) $2) "
	"INSERT INTO callsync.contact_link (destination, identity, contact_key, contact_id) "
	"SELECT $1, i.identity, $2, n.contact_id FROM known n, pg_catalog.unnest(ARRAY[$2, $3]) AS i(identity) GROUP BY i.identity, n.contact_id "
	"ON CONFLICT (destination, identity) DO NOTHING",
	.nargs = 3, .argtypes = {TEXTOID, TEXTOID, TEXTOID}, .returns = SPI_OK_INSERT
};

/*
 * Not where the CRM has answered since the decision was taken: then the provisional row has become the real one,
 * and a second row would make every later caller ambiguous.
 */
static CallsyncStmt stmt_provisional = {
	.sql = "INSERT INTO callsync.contact (destination, contact_id, first_name, last_name, email, phone, postal_code) "
	"SELECT $1, 'callsync:' OPERATOR(pg_catalog.||) $2, $3, $4, $5, $6, $7 "
	"WHERE NOT EXISTS (SELECT 1 FROM callsync.contact_link l WHERE l.destination OPERATOR(pg_catalog.=) $1 "
	"AND l.identity OPERATOR(pg_catalog.=) $2 AND l.contact_id IS NOT NULL) ON CONFLICT DO NOTHING",
	.nargs = 7, .argtypes = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID}, .returns = SPI_OK_INSERT
};

/*
 * The insert may have waited for the transaction that made the provisional row the real one, and
 * its snapshot is from before: a later snapshot sees that.
 */
static CallsyncStmt stmt_overtaken = {
	.sql = "DELETE FROM callsync.contact c WHERE c.destination OPERATOR(pg_catalog.=) $1 "
	"AND c.contact_id OPERATOR(pg_catalog.=) ('callsync:' OPERATOR(pg_catalog.||) $2) AND EXISTS (SELECT 1 FROM callsync.contact_link l "
	"WHERE l.destination OPERATOR(pg_catalog.=) $1 AND l.identity OPERATOR(pg_catalog.=) $2 AND l.contact_id IS NOT NULL)",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .returns = SPI_OK_DELETE
};

/* The row goes with the contact's key: where its create is still under way, it gets the id as well. */
static CallsyncStmt stmt_surplus = {
	.sql = "INSERT INTO callsync.contact_link (destination, identity, contact_key, contact_id) "
	"SELECT l.destination, $3, l.contact_key, l.contact_id FROM callsync.contact_link l WHERE l.destination OPERATOR(pg_catalog.=) $1 "
	"AND l.identity OPERATOR(pg_catalog.=) $2 AND l.contact_key OPERATOR(pg_catalog.=) $2 ON CONFLICT (destination, identity) DO NOTHING",
	.nargs = 3, .argtypes = {TEXTOID, TEXTOID, TEXTOID}, .returns = SPI_OK_INSERT
};

static char *
lookup(const char *destination, const char *identity, int column)
{
	Datum		values[2] = {CStringGetTextDatum(destination), CStringGetTextDatum(identity)};

	if (callsync_stmt_run(&stmt_link, values, NULL, false, 1) == 0)
		return NULL;
	return callsync_row_text(0, column, CurrentMemoryContext);
}

char *
callsync_contact_key(const char *destination, const char *contact_id)
{
	Datum		values[2] = {CStringGetTextDatum(destination), CStringGetTextDatum(contact_id)};

	if (callsync_stmt_run(&stmt_key_of_id, values, NULL, false, 1) == 0)
		return NULL;
	return callsync_row_text(0, 1, CurrentMemoryContext);
}

char *
callsync_contact_key_of_call(const char *destination, const char *source, const char *call_id)
{
	return lookup(destination, psprintf("call:%s/%s", source, call_id), 1);
}

char *
callsync_contact_id_of_key(const char *destination, const char *contact_key)
{
	return lookup(destination, contact_key, 2);
}

void
callsync_contact_key_claim(const char *destination, const char *contact_key,
						   const char *source, const char *call_id)
{
	Datum		values[3] = {CStringGetTextDatum(destination), CStringGetTextDatum(contact_key),
	CStringGetTextDatum(psprintf("call:%s/%s", source, call_id))};

	callsync_stmt_run(&stmt_claim, values, NULL, false, 0);
}

void
callsync_contact_surplus(const char *destination, const char *source, const char *call_id)
{
	Datum		values[3] = {CStringGetTextDatum(destination), CStringGetTextDatum(psprintf("call:%s/%s", source, call_id)),
	CStringGetTextDatum(psprintf("surplus:%s/%s", source, call_id))};

	callsync_stmt_run(&stmt_surplus, values, NULL, false, 0);
}

/* the last word is the surname; the matching engine compares names as a whole anyway */
static void
split_name(const char *name, char **first, char **last)
{
	char	   *copy = pstrdup(name);
	char	   *space = strrchr(copy, ' ');

	*first = NULL;
	*last = copy;
	if (space != NULL && space[1] != '\0')
	{
		*space = '\0';
		*first = copy;
		*last = space + 1;
	}
}

void
callsync_contact_expect(const char *destination, const char *contact_key,
						const char *source, const char *call_id,
						const char *name, const char *email,
						const char *phone, const char *postal_code)
{
	char	   *first = NULL;
	char	   *last = NULL;
	const char *texts[7];
	Datum		values[7];
	bool		nulls[7];

	callsync_contact_key_claim(destination, contact_key, source, call_id);
	if (name != NULL)
		split_name(name, &first, &last);
	texts[0] = destination;
	texts[1] = contact_key;
	texts[2] = first;
	texts[3] = last;
	texts[4] = email;
	texts[5] = phone;
	texts[6] = postal_code;
	for (int i = 0; i < 7; i++)
	{
		nulls[i] = texts[i] == NULL;
		values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(texts[i]);
	}
	if (callsync_stmt_run(&stmt_provisional, values, nulls, false, 0) > 0)
		callsync_stmt_run(&stmt_overtaken, values, NULL, false, 0);
}
