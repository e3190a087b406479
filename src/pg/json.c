/*
 * json.c
 *		jansson values that belong to a memory context.
 */
#include "postgres.h"

#include "utils/memutils.h"

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
