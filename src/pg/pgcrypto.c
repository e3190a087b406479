/*
 * pgcrypto.c
 *		See pgcrypto.h.
 *
 * The functions are found as members of the extension, wherever its schema is, and
 * called by OID: a function of the same name earlier on a search_path would get
 * the key and the secret.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/syscache.h"

#include "pg/pgcrypto.h"

/*
 * The key is random already, so it is salted but not stretched (s2k-mode 1): a
 * worker that decrypts for each request would do nothing else.
 */
#define OPTIONS "cipher-algo=aes256, compress-algo=0, s2k-mode=1"

/* The member function of pgcrypto with that name and these argument types. */
static Oid
find_function(const char *name, int nargs, const Oid *argtypes)
{
	Oid			extension = get_extension_oid("pgcrypto", true);
	CatCList   *candidates;
	Oid			found = InvalidOid;

	if (!OidIsValid(extension))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("extension \"pgcrypto\" is not installed"),
				 errhint("CREATE EXTENSION pgcrypto;")));

	candidates = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
	for (int i = 0; i < candidates->n_members && !OidIsValid(found); i++)
	{
		Form_pg_proc proc = (Form_pg_proc) GETSTRUCT(&candidates->members[i]->tuple);

		if (proc->pronargs == nargs &&
			memcmp(proc->proargtypes.values, argtypes, nargs * sizeof(Oid)) == 0 &&
			getExtensionOfObject(ProcedureRelationId, proc->oid) == extension)
			found = proc->oid;
	}
	ReleaseSysCacheList(candidates);

	if (!OidIsValid(found))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("extension \"pgcrypto\" has no function %s()", name)));
	return found;
}

static void
wipe(void *varlena_pointer)
{
	explicit_bzero(VARDATA_ANY(varlena_pointer), VARSIZE_ANY_EXHDR(varlena_pointer));
	pfree(varlena_pointer);
}

bytea *
callsync_pgcrypto_encrypt(const char *key, const void *data, Size len)
{
	static const Oid argtypes[] = {BYTEAOID, TEXTOID, TEXTOID};
	Oid			function = find_function("pgp_sym_encrypt_bytea", lengthof(argtypes), argtypes);
	bytea	   *plain = palloc(VARHDRSZ + len);
	text	   *key_text = cstring_to_text(key);
	Datum		message;

	SET_VARSIZE(plain, VARHDRSZ + len);
	memcpy(VARDATA(plain), data, len);
	message = OidFunctionCall3(function, PointerGetDatum(plain), PointerGetDatum(key_text),
							   CStringGetTextDatum(OPTIONS));
	wipe(plain);
	wipe(key_text);
	return DatumGetByteaPP(message);
}

bytea *
callsync_pgcrypto_decrypt(const char *key, bytea *message)
{
	static const Oid argtypes[] = {BYTEAOID, TEXTOID};
	Oid			function = find_function("pgp_sym_decrypt_bytea", lengthof(argtypes), argtypes);
	text	   *key_text = cstring_to_text(key);
	Datum		plain = OidFunctionCall2(function, PointerGetDatum(message), PointerGetDatum(key_text));

	wipe(key_text);
	return DatumGetByteaPP(plain);
}
