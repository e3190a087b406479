/*
 * installation.c
 *		The copy guard's row, callsync.installation.
 *
 * The row is dumped (a restored dump must be recognised), and written by the
 * statement that makes the first source or destination, never by CREATE EXTENSION or by the
 * worker: a worker that starts in the middle of a restore sees destinations but no
 * row yet, and must not put its own there.
 */
#include "postgres.h"

#include "access/xlog.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "pg/clock.h"
#include "pg/guc.h"
#include "pg/keyring.h"
#include "pg/spi.h"
#include "store/alert.h"
#include "store/installation.h"

static CallsyncStmt stmt_read = {
	.sql = "SELECT i.system_identifier, i.database_oid, i.key_id, i.instance"
	" FROM callsync.installation i",
	.returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_destinations = {
	.sql = "SELECT 1 FROM callsync.destination LIMIT 1",
	.returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_write = {
	.sql = "INSERT INTO callsync.installation (system_identifier, database_oid, key_id, instance)"
	" VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (one) DO UPDATE SET system_identifier = EXCLUDED.system_identifier,"
	" database_oid = EXCLUDED.database_oid, key_id = EXCLUDED.key_id,"
	" instance = EXCLUDED.instance, recorded_at = EXCLUDED.recorded_at",
	.nargs = 4, .argtypes = {INT8OID, OIDOID, TEXTOID, TEXTOID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_pause = {
	.sql = "UPDATE callsync.destination SET paused = true, paused_reason = 'copy',"
	" paused_at = pg_catalog.clock_timestamp(), generation = generation OPERATOR(pg_catalog.+) 1"
	" WHERE NOT paused",
	.returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_release = {
	.sql = "UPDATE callsync.destination SET paused = false, paused_reason = NULL,"
	" paused_at = NULL, generation = generation OPERATOR(pg_catalog.+) 1"
	" WHERE paused AND paused_reason OPERATOR(pg_catalog.=) 'copy'",
	.returns = SPI_OK_UPDATE
};

/* This process has raised the alert: the look comes again every naptime. */
static bool alert_is_raised = false;

static void
write_identity(const CallsyncKeyring *ring)
{
	Datum		values[4];
	bool		nulls[4] = {false};

	values[0] = Int64GetDatum((int64) GetSystemIdentifier());
	values[1] = ObjectIdGetDatum(MyDatabaseId);
	nulls[2] = ring->nkeys == 0;
	values[2] = nulls[2] ? (Datum) 0 : CStringGetTextDatum(ring->keys[0].id);
	values[3] = CStringGetTextDatum(callsync_instance);
	callsync_stmt_run(&stmt_write, values, nulls, false, 0);
}

static void
release(void)
{
	callsync_stmt_run(&stmt_release, NULL, NULL, false, 0);
	alert_is_raised = false;
	callsync_alert_clear("copy", NULL, "", callsync_now());
}

static void
hold(const char *difference)
{
	if (callsync_stmt_run(&stmt_pause, NULL, NULL, false, 0) > 0)
		ereport(WARNING,
				(errmsg("this database looks like a copy: nothing is sent from it"),
				 errdetail("%s", difference),
				 errhint("If it is to take over the queue, call callsync.adopt().")));
	if (alert_is_raised)
		return;
	alert_is_raised = true;
	callsync_alert_raise("copy", "critical", NULL, "",
						 psprintf("This database looks like a copy, nothing is sent from it. %s", difference),
						 "SELECT callsync.adopt() if this database is to take over; otherwise leave it, the original goes on.",
						 callsync_now());
}

CallsyncInstallationState
callsync_installation_guard(void)
{
	const CallsyncKeyring *ring;
	const char *difference = NULL;
	char	   *key_id;
	char	   *instance;

	/* a first destination brings the identity along: one that was seen after the first look may have come in between */
	if (callsync_stmt_run(&stmt_read, NULL, NULL, false, 1) == 0 &&
		callsync_stmt_run(&stmt_destinations, NULL, NULL, false, 1) == 0)
		return CALLSYNC_INSTALLATION_EMPTY;
	if (callsync_stmt_run(&stmt_read, NULL, NULL, false, 1) == 0)
	{
		hold("It has destinations, but does not say where they come from (a restore that is not complete?).");
		return CALLSYNC_INSTALLATION_COPY;
	}

	key_id = callsync_row_text(0, 3, CurrentMemoryContext);
	instance = callsync_row_text(0, 4, CurrentMemoryContext);
	if ((uint64) callsync_row_int64(0, 1, 0) != GetSystemIdentifier())
		difference = "It was made in another database cluster (system identifier differs).";
	else if (callsync_row_oid(0, 2) != MyDatabaseId)
		difference = "It was made as another database of this cluster (database oid differs).";
	else if (strcmp(instance, callsync_instance) != 0)
		difference = psprintf("It was made where callsync.instance was \"%s\"; here it is \"%s\".",
							  instance, callsync_instance);

	ring = callsync_keyring();
	if (difference == NULL && key_id != NULL && callsync_keyring_find(ring, key_id) == NULL)
		difference = "The key that it was made with is not in the file of callsync.key_file.";

	if (difference != NULL)
	{
		hold(difference);
		return CALLSYNC_INSTALLATION_COPY;
	}

	/* a first key, or a changed one whose predecessor is still in the file */
	if (ring->nkeys > 0 && (key_id == NULL || strcmp(key_id, ring->keys[0].id) != 0))
		write_identity(ring);
	release();
	return CALLSYNC_INSTALLATION_OURS;
}

void
callsync_installation_record(void)
{
	if (callsync_stmt_run(&stmt_read, NULL, NULL, false, 1) == 0)
		write_identity(callsync_keyring());
}

void
callsync_installation_adopt(void)
{
	write_identity(callsync_keyring());
	release();
}
