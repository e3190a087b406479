/*
 * secret.c
 *		See secret.h.
 *
 * What is encrypted is "owner NUL key NUL value": a row that somebody copies to
 * another owner or key does not decrypt to a secret of that one.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "pg/keyring.h"
#include "pg/pgcrypto.h"
#include "pg/spi.h"
#include "store/secret.h"

const char *const callsync_secret_keys[] = {
	"signing_secret", "signing_secret_next", "bearer_token", "api_key", "username", "password",
	"client_id", "client_secret", "refresh_token", "private_key", "access_token", "url_secret",
	NULL
};

static CallsyncStmt stmt_owner = {
	.sql = "SELECT 1 FROM callsync.source s WHERE s.name OPERATOR(pg_catalog.=) $1"
	" UNION ALL SELECT 1 FROM callsync.destination d WHERE d.name OPERATOR(pg_catalog.=) $1 LIMIT 1",
	.nargs = 1, .argtypes = {TEXTOID},
	.returns = SPI_OK_SELECT
};

/* workers notice a changed destination by its generation */
static CallsyncStmt stmt_touch = {
	.sql = "UPDATE callsync.destination d SET generation = d.generation OPERATOR(pg_catalog.+) 1"
	" WHERE d.name OPERATOR(pg_catalog.=) $1",
	.nargs = 1, .argtypes = {TEXTOID},
	.returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_audit = {
	.sql = "INSERT INTO callsync.audit (action, object, detail)"
	" VALUES ($1, $2, pg_catalog.jsonb_build_object('key', $3))",
	.nargs = 3, .argtypes = {TEXTOID, TEXTOID, TEXTOID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_get = {
	.sql = "SELECT s.value, s.key_id FROM callsync.secret s"
	" WHERE s.owner OPERATOR(pg_catalog.=) $1 AND s.key OPERATOR(pg_catalog.=) $2",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID},
	.returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_set = {
	.sql = "INSERT INTO callsync.secret (owner, key, value, key_id) VALUES ($1, $2, $3, $4)"
	" ON CONFLICT (owner, key) DO UPDATE SET value = EXCLUDED.value, key_id = EXCLUDED.key_id,"
	" set_by = EXCLUDED.set_by, set_at = EXCLUDED.set_at",
	.nargs = 4, .argtypes = {TEXTOID, TEXTOID, BYTEAOID, TEXTOID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_remove = {
	.sql = "DELETE FROM callsync.secret s"
	" WHERE s.owner OPERATOR(pg_catalog.=) $1 AND s.key OPERATOR(pg_catalog.=) $2",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID},
	.returns = SPI_OK_DELETE
};

static CallsyncStmt stmt_old = {
	.sql = "SELECT s.owner, s.key, s.value, s.key_id FROM callsync.secret s"
	" WHERE s.key_id OPERATOR(pg_catalog.<>) $1 ORDER BY s.owner, s.key LIMIT 100 FOR UPDATE",
	.nargs = 1, .argtypes = {TEXTOID},
	.returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_reencrypt = {
	.sql = "UPDATE callsync.secret s SET value = $3, key_id = $4"
	" WHERE s.owner OPERATOR(pg_catalog.=) $1 AND s.key OPERATOR(pg_catalog.=) $2",
	.nargs = 4, .argtypes = {TEXTOID, TEXTOID, BYTEAOID, TEXTOID},
	.returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_installation = {
	.sql = "UPDATE callsync.installation i SET key_id = $1",
	.nargs = 1, .argtypes = {TEXTOID},
	.returns = SPI_OK_UPDATE
};

/* The key to encrypt with. */
static const CallsyncKey *
current_key(void)
{
	const CallsyncKeyring *ring = callsync_keyring();

	if (ring->nkeys == 0)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("cannot store a secret without a key"),
				 errdetail("callsync.key_file is not set."),
				 errhint("Make one with: openssl rand -base64 48 > FILE; chmod 600 FILE, as the operating system user of the server, and set callsync.key_file to it.")));
	return &ring->keys[0];
}

static bytea *
encrypt(const CallsyncKey *encryption_key, const char *owner, const char *key, const char *value)
{
	Size		owner_size = strlen(owner) + 1;
	Size		key_size = strlen(key) + 1;
	Size		value_size = strlen(value) + 1;
	Size		size = owner_size + key_size + value_size;
	char	   *plain = palloc(size);
	bytea	   *message;

	memcpy(plain, owner, owner_size);
	memcpy(plain + owner_size, key, key_size);
	memcpy(plain + owner_size + key_size, value, value_size);
	message = callsync_pgcrypto_encrypt(encryption_key->text, plain, size);
	explicit_bzero(plain, size);
	pfree(plain);
	return message;
}

/* The value, in wiped memory of "context". */
static char *
decrypt(const char *key_id, const char *owner, const char *key, bytea *message,
		MemoryContext context)
{
	const CallsyncKey *encryption_key = callsync_keyring_find(callsync_keyring(), key_id);
	Size		prefix = strlen(owner) + 1 + strlen(key) + 1;
	bytea	   *plain;
	char	   *data;
	Size		len;
	char	   *value = NULL;

	if (encryption_key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("secret \"%s\" of \"%s\" cannot be decrypted", key, owner),
				 errdetail("It is encrypted by key %s, which is not in the file of callsync.key_file.", key_id),
				 errhint("Put that key back into the file (old ones below the current one), or set the secret again.")));

	plain = callsync_pgcrypto_decrypt(encryption_key->text, message);
	data = VARDATA_ANY(plain);
	len = VARSIZE_ANY_EXHDR(plain);
	if (len > prefix && data[len - 1] == '\0' && strcmp(data, owner) == 0 &&
		strcmp(data + strlen(owner) + 1, key) == 0)
	{
		value = callsync_alloc_secret(context, len - prefix);
		memcpy(value, data + prefix, len - prefix);
	}
	explicit_bzero(data, len);
	pfree(plain);

	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("secret \"%s\" of \"%s\" was made for something else", key, owner),
				 errdetail("The row of callsync.secret was copied from another owner or key."),
				 errhint("Set the secret again.")));
	return value;
}

char *
callsync_secret_get(const char *owner, const char *key, MemoryContext context)
{
	Datum		values[] = {CStringGetTextDatum(owner), CStringGetTextDatum(key)};
	bytea	   *message;
	char	   *key_id;

	/*
	 * Not with the snapshot of the transaction: what it wrote itself a moment ago (the
	 * token just granted), or waited for (a credential that somebody was storing), counts.
	 */
	if (callsync_stmt_run(&stmt_get, values, NULL, false, 1) == 0)
		return NULL;
	message = (bytea *) callsync_row_varlena(0, 1, CurrentMemoryContext);
	key_id = callsync_row_text(0, 2, CurrentMemoryContext);
	return decrypt(key_id, owner, key, message, context);
}

bool
callsync_secret_exists(const char *owner, const char *key)
{
	Datum		values[] = {CStringGetTextDatum(owner), CStringGetTextDatum(key)};

	return callsync_stmt_run(&stmt_get, values, NULL, false, 1) > 0;
}

void
callsync_secret_set(const char *owner, const char *key, const char *value)
{
	const CallsyncKey *encryption_key = current_key();
	Datum		values[] = {
		CStringGetTextDatum(owner),
		CStringGetTextDatum(key),
		PointerGetDatum(encrypt(encryption_key, owner, key, value)),
		CStringGetTextDatum(encryption_key->id)
	};

	callsync_stmt_run(&stmt_set, values, NULL, false, 0);
}

bool
callsync_secret_remove(const char *owner, const char *key)
{
	Datum		values[] = {CStringGetTextDatum(owner), CStringGetTextDatum(key)};

	return callsync_stmt_run(&stmt_remove, values, NULL, false, 0) > 0;
}

int64
callsync_secret_reencrypt(void)
{
	const CallsyncKey *encryption_key = current_key();
	Datum		key_id = CStringGetTextDatum(encryption_key->id);
	int64		changed = 0;
	uint64		n;

	do
	{
		MemoryContext batch = AllocSetContextCreate(CurrentMemoryContext, "callsync reencrypt",
													ALLOCSET_DEFAULT_SIZES);
		SPITupleTable *rows;

		n = callsync_stmt_run(&stmt_old, &key_id, NULL, false, 0);
		rows = SPI_tuptable;
		for (uint64 i = 0; i < n; i++)
		{
			char	   *owner;
			char	   *key;
			char	   *value;
			Datum		values[4];

			SPI_tuptable = rows;
			owner = callsync_row_text(i, 1, batch);
			key = callsync_row_text(i, 2, batch);
			value = decrypt(callsync_row_text(i, 4, batch), owner, key,
							(bytea *) callsync_row_varlena(i, 3, batch), batch);
			values[0] = CStringGetTextDatum(owner);
			values[1] = CStringGetTextDatum(key);
			values[2] = PointerGetDatum(encrypt(encryption_key, owner, key, value));
			values[3] = key_id;
			callsync_stmt_run(&stmt_reencrypt, values, NULL, false, 0);
			changed++;
		}
		SPI_freetuptable(rows);
		MemoryContextDelete(batch);
	} while (n > 0);

	/* the copy guard knows this installation by its key */
	callsync_stmt_run(&stmt_installation, &key_id, NULL, false, 0);
	return changed;
}

bool
callsync_secret_owner_exists(const char *owner)
{
	Datum		name = CStringGetTextDatum(owner);

	return callsync_stmt_run(&stmt_owner, &name, NULL, true, 1) > 0;
}

void
callsync_secret_changed(const char *owner, const char *key, const char *action)
{
	Datum		values[] = {CStringGetTextDatum(action), CStringGetTextDatum(owner), CStringGetTextDatum(key)};

	callsync_stmt_run(&stmt_touch, &values[1], NULL, false, 0);
	callsync_stmt_run(&stmt_audit, values, NULL, false, 0);
}
