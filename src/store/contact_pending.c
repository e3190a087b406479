/*
 * contact_pending.c
 *		Contacts that callsync creates: their keys, before and after the CRM has
 *		given them an id.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "pg/rows.h"
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
	.sql = "WITH known AS MATERIALIZED (SELECT k.destination, k.key, k.call, l.contact_id "
	" FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[]) AS k(destination, key, call) "
	" LEFT JOIN callsync.contact_link l ON l.destination OPERATOR(pg_catalog.=) k.destination AND l.identity OPERATOR(pg_catalog.=) k.key), "
	"moved AS (UPDATE callsync.contact_link l SET contact_key = n.key, contact_id = n.contact_id FROM known n "
	" WHERE l.destination OPERATOR(pg_catalog.=) n.destination AND l.identity OPERATOR(pg_catalog.=) ANY (ARRAY[n.key, n.call]) "
	" AND l.contact_key OPERATOR(pg_catalog.<>) n.key) "
	"INSERT INTO callsync.contact_link (destination, identity, contact_key, contact_id) "
	"SELECT DISTINCT n.destination, i.identity, n.key, n.contact_id FROM known n, pg_catalog.unnest(ARRAY[n.key, n.call]) AS i(identity) "
	"ORDER BY 1, 2 ON CONFLICT (destination, identity) DO NOTHING",
	.nargs = 3, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, .returns = SPI_OK_INSERT
};

/*
 * Not where the CRM has answered since the decision was taken: then the provisional row has become the real one,
 * and a second row would make every later caller ambiguous.
 */
static CallsyncStmt stmt_provisional = {
	.sql = "INSERT INTO callsync.contact (destination, contact_id, first_name, last_name, email, phone, postal_code) "
	"SELECT k.destination, 'callsync:' OPERATOR(pg_catalog.||) k.key, k.first_name, k.last_name, k.email, k.phone, k.postal_code "
	"FROM unnest($1::pg_catalog.text[], $2::pg_catalog.text[], $3::pg_catalog.text[], $4::pg_catalog.text[], $5::pg_catalog.text[], "
	"$6::pg_catalog.text[], $7::pg_catalog.text[]) AS k(destination, key, first_name, last_name, email, phone, postal_code) "
	"WHERE NOT EXISTS (SELECT 1 FROM callsync.contact_link l WHERE l.destination OPERATOR(pg_catalog.=) k.destination "
	"AND l.identity OPERATOR(pg_catalog.=) k.key AND l.contact_id IS NOT NULL) ON CONFLICT DO NOTHING",
	.nargs = 7, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID},
	.returns = SPI_OK_INSERT
};

/*
 * The insert may have waited for the transaction that made the provisional row the real one, and
 * its snapshot is from before: a later snapshot sees that.
 */
static CallsyncStmt stmt_overtaken = {
	.sql = "DELETE FROM callsync.contact c USING unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) AS k(destination, key), callsync.contact_link l "
	"WHERE l.destination OPERATOR(pg_catalog.=) k.destination AND l.identity OPERATOR(pg_catalog.=) k.key AND l.contact_id IS NOT NULL "
	"AND c.destination OPERATOR(pg_catalog.=) k.destination AND c.contact_id OPERATOR(pg_catalog.=) ('callsync:' OPERATOR(pg_catalog.||) k.key)",
	.nargs = 2, .argtypes = {TEXTARRAYOID, TEXTARRAYOID}, .returns = SPI_OK_DELETE
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

/* in one order: workers that share callers would else wait for each other */
static int
compare_claims(const void *a, const void *b)
{
	const CallsyncContactClaim *x = *(const CallsyncContactClaim *const *) a;
	const CallsyncContactClaim *y = *(const CallsyncContactClaim *const *) b;
	int			c = strcmp(x->destination, y->destination);

	return c != 0 ? c : strcmp(x->contact_key, y->contact_key);
}

void
callsync_contact_surplus(const char *destination, const char *source, const char *call_id)
{
	Datum		values[3] = {CStringGetTextDatum(destination), CStringGetTextDatum(psprintf("call:%s/%s", source, call_id)),
	CStringGetTextDatum(psprintf("surplus:%s/%s", source, call_id))};

	callsync_stmt_run(&stmt_surplus, values, NULL, false, 0);
}

void
callsync_contact_claim(const CallsyncContactClaim *claims, int n)
{
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID};
	const CallsyncContactClaim **sorted;
	CallsyncRows *rows;

	if (n == 0)
		return;
	sorted = palloc(sizeof(*sorted) * n);
	for (int i = 0; i < n; i++)
		sorted[i] = &claims[i];
	qsort(sorted, n, sizeof(*sorted), compare_claims);
	rows = callsync_rows_create(lengthof(types), types);
	for (int i = 0; i < n; i++)
	{
		callsync_rows_begin(rows);
		callsync_rows_text(rows, sorted[i]->destination);
		callsync_rows_text(rows, sorted[i]->contact_key);
		callsync_rows_text(rows, psprintf("call:%s/%s", sorted[i]->source, sorted[i]->call_id));
	}
	callsync_rows_run(rows, &stmt_claim);
}

const char *
callsync_expected_contact_id(const CallsyncExpectedContact *contact)
{
	return psprintf("callsync:%s", contact->contact_key);
}

void
callsync_contact_split_name(const char *name, const char **first, const char **last)
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

static int
compare_contacts(const void *a, const void *b)
{
	const CallsyncExpectedContact *x = *(const CallsyncExpectedContact *const *) a;
	const CallsyncExpectedContact *y = *(const CallsyncExpectedContact *const *) b;
	int			c = strcmp(x->destination, y->destination);

	if (c == 0)
		c = strcmp(x->contact_key, y->contact_key);
	/* of several for one key the first is kept */
	return c != 0 ? c : (x > y) - (x < y);
}

void
callsync_contact_provide(const CallsyncExpectedContact *contacts, int n)
{
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID};
	const CallsyncExpectedContact **sorted;
	CallsyncRows *rows;
	CallsyncRows *keys;

	if (n == 0)
		return;
	sorted = palloc(sizeof(*sorted) * n);
	for (int i = 0; i < n; i++)
		sorted[i] = &contacts[i];
	qsort(sorted, n, sizeof(*sorted), compare_contacts);
	rows = callsync_rows_create(7, types);
	keys = callsync_rows_create(2, types);
	for (int i = 0; i < n; i++)
	{
		const CallsyncExpectedContact *c = sorted[i];

		callsync_rows_begin(rows);
		callsync_rows_text(rows, c->destination);
		callsync_rows_text(rows, c->contact_key);
		callsync_rows_text(rows, c->first_name);
		callsync_rows_text(rows, c->last_name);
		callsync_rows_text(rows, c->email);
		callsync_rows_text(rows, c->phone);
		callsync_rows_text(rows, c->postal_code);
		callsync_rows_begin(keys);
		callsync_rows_text(keys, c->destination);
		callsync_rows_text(keys, c->contact_key);
	}
	if (callsync_rows_run(rows, &stmt_provisional) > 0)
		callsync_rows_run(keys, &stmt_overtaken);
}
