/*
 * secret_fn.c
 *		set_secret(), set_secret_file(), reencrypt_secrets().
 *
 * The tables belong to the owner of the extension, and the caller may only call:
 * the functions check first as the caller, then work as the owner. (SECURITY
 * DEFINER would hide who asks for a file of the server.)
 */
#include "postgres.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/pg_authid.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/fd.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"

#include "pg/errors.h"
#include "pg/keyring.h"
#include "pg/owner.h"
#include "store/secret.h"
#include "store/token.h"

#define MAX_SECRET_BYTES 65536

static const char shown_statement[] = "SELECT callsync.set_secret(...)";

PG_FUNCTION_INFO_V1(callsync_set_secret);
PG_FUNCTION_INFO_V1(callsync_set_secret_file);
PG_FUNCTION_INFO_V1(callsync_reencrypt_secrets);
PG_FUNCTION_INFO_V1(callsync_secret_probe);

/* The name of the setting by which the log would show this statement; NULL = none. */
static const char *
setting_that_logs(void)
{
	const char *other;

	if (log_statement == LOGSTMT_ALL)
		return "log_statement";
	/* a debug message at the statement's start brings its text along, before we can take it away */
	if (log_min_messages <= DEBUG1 && log_min_error_statement <= DEBUG1)
		return "log_min_error_statement";
	if (log_min_duration_statement >= 0)
		return "log_min_duration_statement";
	if (log_min_duration_sample >= 0 && log_statement_sample_rate > 0)
		return "log_min_duration_sample";
	if (log_xact_sample_rate > 0)
		return "log_transaction_sample_rate";
	if (Debug_print_parse || Debug_print_rewritten || Debug_print_plan)
		return "debug_print_parse, debug_print_rewritten or debug_print_plan";
	other = GetConfigOption("auto_explain.log_min_duration", true, false);
	if (other != NULL && strcmp(other, "-1") != 0)
		return "auto_explain.log_min_duration";
	other = GetConfigOption("pgaudit.log", true, false);
	if (other != NULL && other[0] != '\0' && pg_strcasecmp(other, "none") != 0)
		return "pgaudit.log";
	return NULL;
}

/* Texts that are no secret: owner and key, checked. */
static void
check_key(const char *key)
{
	for (int i = 0; callsync_secret_keys[i] != NULL; i++)
	{
		if (strcmp(callsync_secret_keys[i], key) == 0)
			return;
	}
	{
		StringInfoData list;

		initStringInfo(&list);
		for (int i = 0; callsync_secret_keys[i] != NULL; i++)
			appendStringInfo(&list, "%s%s", i == 0 ? "" : ", ", callsync_secret_keys[i]);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unknown key of a secret: \"%s\"", key),
				 errhint("Valid ones are: %s.", list.data)));
	}
}

/* Stores (value NULL: removes) as the owner of the extension. */
static void
store(const char *owner, const char *key, const char *value)
{
	CallsyncOwnerSwitch saved;

	check_key(key);
	callsync_owner_begin(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	if (!callsync_secret_owner_exists(owner))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("there is no source or destination \"%s\"", owner),
				 errhint("Create it first: callsync.create_source() or callsync.create_destination().")));

	if (value != NULL)
		callsync_secret_set(owner, key, value);
	else
		(void) callsync_secret_remove(owner, key);
	if (strncmp(key, "signing_secret", strlen("signing_secret")) != 0)
	{
		/* what was made from the old credential goes with it */
		callsync_token_forget(owner);
		if (strcmp(key, "access_token") != 0)
			(void) callsync_secret_remove(owner, "access_token");
	}
	callsync_secret_changed(owner, key, value != NULL ? "set_secret" : "remove_secret");
	SPI_finish();
	callsync_owner_end(&saved);
}

Datum
callsync_set_secret(PG_FUNCTION_ARGS)
{
	char	   *owner;
	char	   *key;
	char	   *value = NULL;
	const char *setting;

	/*
	 * From now on neither pg_stat_activity nor the STATEMENT line of an error,
	 * whoever raises it, shows the text of the statement.
	 */
	pgstat_report_activity(STATE_RUNNING, shown_statement);
	debug_query_string = shown_statement;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("owner and key of a secret must not be NULL")));
	owner = text_to_cstring(PG_GETARG_TEXT_PP(0));
	key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (!PG_ARGISNULL(2))
	{
		value = text_to_cstring(PG_GETARG_TEXT_PP(2));
		if (value[0] == '\0')
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a secret must not be empty"),
					 errhint("NULL removes it.")));
		if (strlen(value) > MAX_SECRET_BYTES)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a secret must not be longer than %d bytes", MAX_SECRET_BYTES)));
		setting = setting_that_logs();
		if (setting != NULL)
			ereport(WARNING,
					(errmsg("the server log may hold this secret now"),
					 errdetail("%s writes statements or their parameters to the log.", setting),
					 errhint("Use callsync.set_secret_file(), and have the secret replaced where it was issued.")));
	}

	store(owner, key, value);
	if (value != NULL)
	{
		explicit_bzero(value, strlen(value));
		pfree(value);
	}
	PG_RETURN_VOID();
}

/* The content of a file, in wiped memory; one line end at its end is not part of it. */
static char *
read_secret_file(const char *path)
{
	int			fd = OpenTransientFile(path, O_RDONLY | PG_BINARY);
	struct stat st;
	char	   *buffer;
	size_t		used = 0;
	ssize_t		got;

	if (fd < 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not open file \"%s\": %m", path)));
	if (fstat(fd, &st) != 0)
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat file \"%s\": %m", path)));
	if (!S_ISREG(st.st_mode))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is no regular file", path)));
	if (st.st_size > MAX_SECRET_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a secret must not be longer than %d bytes", MAX_SECRET_BYTES)));
	if (st.st_mode & (S_IRWXG | S_IRWXO))
		ereport(WARNING,
				(errmsg("file \"%s\" is accessible to other users", path),
				 errdetail("Its mode is %04o.", (unsigned) (st.st_mode & 07777)),
				 errhint("Remove the file now that the secret is stored; make the next one with mode 0600.")));

	buffer = callsync_alloc_secret(CurrentMemoryContext, MAX_SECRET_BYTES + 1);
	while (used < MAX_SECRET_BYTES &&
		   (got = read(fd, buffer + used, MAX_SECRET_BYTES - used)) != 0)
	{
		if (got < 0)
			ereport(ERROR,
					(errcode_for_file_access(),
					 errmsg("could not read file \"%s\": %m", path)));
		used += (size_t) got;
	}
	CloseTransientFile(fd);
	if (used > 0 && buffer[used - 1] == '\n')
		used--;
	if (used > 0 && buffer[used - 1] == '\r')
		used--;
	buffer[used] = '\0';
	if (used == 0 || strlen(buffer) != used)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 used == 0 ? errmsg("file \"%s\" is empty", path)
				 : errmsg("file \"%s\" is no text", path)));
	return buffer;
}

Datum
callsync_set_secret_file(PG_FUNCTION_ARGS)
{
	char	   *owner = text_to_cstring(PG_GETARG_TEXT_PP(0));
	char	   *key = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char	   *path = text_to_cstring(PG_GETARG_TEXT_PP(2));

	if (!has_privs_of_role(GetUserId(), ROLE_PG_READ_SERVER_FILES))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to read a file of the server"),
				 errdetail("Only roles with privileges of pg_read_server_files may call set_secret_file()."),
				 errhint("GRANT pg_read_server_files, or use callsync.set_secret() with a bind parameter.")));
	check_key(key);
	store(owner, key, read_secret_file(path));
	PG_RETURN_VOID();
}

Datum
callsync_reencrypt_secrets(PG_FUNCTION_ARGS)
{
	CallsyncOwnerSwitch saved;
	int64		changed;

	callsync_owner_begin(&saved);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	changed = callsync_secret_reencrypt();
	SPI_finish();
	callsync_owner_end(&saved);
	PG_RETURN_INT64(changed);
}

/*
 * The secret in clear, for test/t/022_secrets.pl. Not declared by the install
 * script: only who may declare a C function, and so read the server's memory, can
 * make it callable.
 */
Datum
callsync_secret_probe(PG_FUNCTION_ARGS)
{
	MemoryContext outside = CurrentMemoryContext;
	char	   *value;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	value = callsync_secret_get(text_to_cstring(PG_GETARG_TEXT_PP(0)),
								text_to_cstring(PG_GETARG_TEXT_PP(1)), outside);
	SPI_finish();
	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(value));
}
