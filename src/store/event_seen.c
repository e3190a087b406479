/*
 * event_seen.c
 *		Keys of webhooks that arrived, in a unique index.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/uuid.h"

#include "pg/spi.h"
#include "store/event_seen.h"

StaticAssertDecl(CALLSYNC_SEEN_KEY_LEN == UUID_LEN, "keys are stored as uuid");

static CallsyncStmt stmt_add = {
	.sql = "INSERT INTO callsync.event_seen (key, event_id) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING",
	.nargs = 2, .argtypes = {UUIDOID, INT8OID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_find = {
	.sql = "SELECT s.event_id, e.body_sha256 FROM callsync.event_seen s"
	" LEFT JOIN callsync.event e ON e.id OPERATOR(pg_catalog.=) s.event_id WHERE s.key OPERATOR(pg_catalog.=) $1",
	.nargs = 1, .argtypes = {UUIDOID},
	.returns = SPI_OK_SELECT
};

int64
callsync_event_seen(const unsigned char key[CALLSYNC_SEEN_KEY_LEN], int64 event_id,
					const unsigned char digest[32], bool *same_body)
{
	pg_uuid_t	uuid;
	Datum		values[2];
	int64		known = 0;

	memcpy(uuid.data, key, UUID_LEN);
	values[0] = UUIDPGetDatum(&uuid);
	values[1] = Int64GetDatum(event_id);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (callsync_stmt_run(&stmt_add, values, NULL, false, 0) == 0)
	{
		/* a new snapshot: the row may be younger than the one of this statement */
		if (callsync_stmt_run(&stmt_find, values, NULL, false, 1) == 1)
		{
			struct varlena *first = callsync_row_varlena(0, 2, CurrentMemoryContext);

			known = callsync_row_int64(0, 1, 0);
			*same_body = first == NULL ||
				(VARSIZE_ANY_EXHDR(first) == 32 && memcmp(VARDATA_ANY(first), digest, 32) == 0);
		}
		else
			ereport(ERROR,
					(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
					 errmsg("could not serialize access due to a concurrent arrival of the same webhook"),
					 errhint("Repeat the transaction.")));
	}
	SPI_finish();
	return known;
}
