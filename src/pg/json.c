/*
 * json.c
 *		jansson values that belong to a memory context.
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"

#include "pg/json.h"

static void
release(void *arg)
{
	json_decref((json_t *) arg);
}

json_t *
callsync_json_keep(json_t *value)
{
	MemoryContextCallback *callback;

	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("A JSON value could not be built.")));
	callback = palloc(sizeof(*callback));
	callback->func = release;
	callback->arg = value;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, callback);
	return value;
}

json_t *
callsync_json_parse(const char *text, json_t *otherwise)
{
	json_error_t error;
	json_t	   *value;

	if (text == NULL)
		return otherwise ? callsync_json_keep(otherwise) : NULL;
	if (otherwise)
		json_decref(otherwise);
	value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("could not parse stored JSON"),
				 errdetail("%s at character %d.", error.text, error.position)));
	return callsync_json_keep(value);
}

/* ---- from jsonb ---- */

/* Text in the server's encoding; NULL where jansson would not take it either */
static json_t *
string_of(const char *text, int len)
{
	return GetDatabaseEncoding() == PG_UTF8 ? json_stringn_nocheck(text, len) : json_stringn(text, len);
}

static json_t *
number_of(Numeric number)
{
	char	   *text = OidOutputFunctionCall(F_NUMERIC_OUT, NumericGetDatum(number));
	json_t	   *value;

	if (strpbrk(text, ".eEnI") != NULL)
		value = json_loads(text, JSON_DECODE_ANY, NULL);
	else
	{
		long long	n;

		errno = 0;
		n = strtoll(text, NULL, 10);
		value = errno == ERANGE ? NULL : json_integer(n);
	}
	pfree(text);
	return value;
}

static json_t *
scalar_of(const JsonbValue *v)
{
	switch (v->type)
	{
		case jbvNull:
			return json_null();
		case jbvBool:
			return json_boolean(v->val.boolean);
		case jbvNumeric:
			return number_of(v->val.numeric);
		case jbvString:
			return string_of(v->val.string.val, v->val.string.len);
		default:
			elog(ERROR, "unexpected type %d in jsonb", (int) v->type);
	}
	return NULL;
}

/*
 * Fills an array or object whose beginning was read, up to its end. False: something in
 * it cannot be represented.
 */
static bool
fill(json_t *container, JsonbIterator **it)
{
	char	   *key = NULL;
	JsonbValue	v;
	JsonbIteratorToken token;
	bool		ok = true;

	check_stack_depth();
	while ((token = JsonbIteratorNext(it, &v, false)) != WJB_END_ARRAY && token != WJB_END_OBJECT)
	{
		json_t	   *value = NULL;

		switch (token)
		{
			case WJB_KEY:
				key = pnstrdup(v.val.string.val, v.val.string.len);
				continue;
			case WJB_BEGIN_ARRAY:
			case WJB_BEGIN_OBJECT:
				value = token == WJB_BEGIN_ARRAY ? json_array() : callsync_json_object();
				/* it belongs to its container before an error can leave it behind */
				if (key != NULL ? json_object_set_new_nocheck(container, key, value) != 0
					: json_array_append_new(container, value) != 0)
					return false;
				ok = fill(value, it) && ok;
				break;
			default:
				value = scalar_of(&v);
				if (value == NULL ||
					(key != NULL ? json_object_set_new_nocheck(container, key, value) != 0
					 : json_array_append_new(container, value) != 0))
					ok = false;
		}
		if (key != NULL)
			pfree(key);
		key = NULL;
	}
	return ok;
}

json_t *
callsync_json_of_jsonb(const struct varlena *jsonb, json_t *otherwise)
{
	JsonbIterator *it;
	JsonbValue	v;
	Jsonb	   *stored;
	json_t	   *value;
	bool		ok = true;

	if (jsonb == NULL)
		return otherwise ? callsync_json_keep(otherwise) : NULL;
	if (otherwise)
		json_decref(otherwise);
	stored = DatumGetJsonbP(PointerGetDatum(jsonb));
	it = JsonbIteratorInit(&stored->root);
	(void) JsonbIteratorNext(&it, &v, false);
	if (JB_ROOT_IS_SCALAR(stored))
	{
		(void) JsonbIteratorNext(&it, &v, false);
		value = scalar_of(&v);
		ok = value != NULL;
	}
	else
	{
		value = callsync_json_keep(JB_ROOT_IS_ARRAY(stored) ? json_array() : callsync_json_object());
		if (fill(value, &it))
			return value;
		ok = false;
	}
	if (!ok)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("could not read stored JSON"),
				 errdetail("It holds a text that is not UTF-8, or a number that does not fit 64 bits.")));
	return callsync_json_keep(value);
}

char *
callsync_json_text(const json_t *value)
{
	/* 15 digits: 0.1 stays 0.1, where 17 would write 0.10000000000000001 */
	char	   *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
	char	   *copy;

	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OUT_OF_MEMORY),
				 errmsg("out of memory"),
				 errdetail("A JSON value could not be written.")));
	copy = pstrdup(text);
	free(text);
	return copy;
}

const char *
callsync_json_string(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}
