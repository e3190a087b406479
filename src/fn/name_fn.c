/*
 * name_fn.c
 *		Names as text: similarity, the operator =~ and its GIN operator class.
 *
 * The keys of a name are the sounds of its words.  Nicknames are expanded in the
 * query only: keys in an index must not depend on a table that users edit.
 * Index and operator use the same two functions here, so they cannot disagree;
 * the index only finds candidates, the operator is always asked again.
 */
#include "postgres.h"

#include "access/gin.h"
#include "access/stratnum.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "core/fold.h"
#include "core/name.h"
#include "pg/guc.h"
#include "store/match_config.h"

PG_FUNCTION_INFO_V1(callsync_name_similarity_fn);
PG_FUNCTION_INFO_V1(callsync_name_distance_fn);
PG_FUNCTION_INFO_V1(callsync_name_matches_fn);
PG_FUNCTION_INFO_V1(callsync_name_extract_value);
PG_FUNCTION_INFO_V1(callsync_name_extract_query);
PG_FUNCTION_INFO_V1(callsync_name_consistent);

#define WORD_SOUNDS 4
#define MAX_NAME_KEYS 96

/*
 * An operand as it was met last, taken apart: in a scan one of the two is the same
 * for every row.  Kept with the call site (fn_extra).
 */
typedef struct Operand
{
	bool		known;			/* text holds the operand that name was made from */
	bool		has_name;
	bool		keyed;			/* keys are there ... */
	uint64		generation;		/* ... made with these nicknames */
	int			nkeys;
	size_t		len;
	char		text[128];		/* longer ones are parsed again */
	CallsyncName name;
	int64		keys[MAX_NAME_KEYS];
} Operand;

static bool
parse(text *t, CallsyncName *name)
{
	return callsync_name_parse(name, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
}

/* The operand of argument i. */
static Operand *
operand(FunctionCallInfo fcinfo, int i)
{
	text	   *t = PG_GETARG_TEXT_PP(i);
	size_t		len = VARSIZE_ANY_EXHDR(t);
	Operand    *o;

	if (fcinfo->flinfo->fn_extra == NULL)
		fcinfo->flinfo->fn_extra = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, 2 * sizeof(Operand));
	o = (Operand *) fcinfo->flinfo->fn_extra + i;
	if (!o->known || o->len != len || memcmp(o->text, VARDATA_ANY(t), len) != 0)
	{
		o->known = len <= sizeof(o->text);
		o->len = len;
		if (o->known)
			memcpy(o->text, VARDATA_ANY(t), len);
		o->has_name = parse(t, &o->name);
		o->keyed = false;
	}
	return o;
}

static double
similarity(FunctionCallInfo fcinfo)
{
	Operand    *a = operand(fcinfo, 0);
	Operand    *b = operand(fcinfo, 1);

	if (!a->has_name || !b->has_name)
		return 0;
	return callsync_name_similarity(&a->name, &b->name, callsync_nicks());
}

static int
add_key(int64 *keys, int n, const CallsyncWord *word)
{
	char		sound[WORD_SOUNDS];
	int			len;
	int64		key;

	if (word->len == 0 || n >= MAX_NAME_KEYS)
		return n;
	len = callsync_sound_key(word->sound, word->nsound, sound, WORD_SOUNDS);
	key = (int64) callsync_hash64(3, sound, len);
	for (int i = 0; i < n; i++)
		if (keys[i] == key)
			return n;
	keys[n] = key;
	return n + 1;
}

/* Keys of a name: each word, and neighbours written as one (de la Tour, Delatour). */
static int
name_keys(const CallsyncName *name, int64 *keys)
{
	int			n = 0;

	for (int i = 0; i < name->n; i++)
		n = add_key(keys, n, &name->word[i]);
	for (int i = 0; i < name->naside; i++)
		n = add_key(keys, n, &name->aside[i]);
	for (int i = 0; i + 1 < name->n; i++)
	{
		CallsyncWord joined;

		callsync_name_join(name, i, i + 2, &joined);
		n = add_key(keys, n, &joined);
	}
	return n;
}

/* The same for the right operand: also what its words are short for, or called. */
static int
query_keys(const CallsyncName *name, int64 *keys)
{
	const CallsyncNicks *nicks = callsync_nicks();
	int			n = name_keys(name, keys);

	for (int i = 0; i < name->n + name->naside; i++)
	{
		const CallsyncWord *word = i < name->n ? &name->word[i] : &name->aside[i - name->n];
		const CallsyncNick *nick = callsync_nick_find(nicks, word->hash);

		for (; nick != NULL && nick < nicks->nick + nicks->n && nick->name == word->hash; nick++)
		{
			CallsyncWord other;

			callsync_word_set(&other, nick->other_text, strlen(nick->other_text));
			n = add_key(keys, n, &other);
		}
	}
	return n;
}

Datum
callsync_name_similarity_fn(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT4((float4) similarity(fcinfo));
}

Datum
callsync_name_distance_fn(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT4((float4) (1.0 - similarity(fcinfo)));
}

Datum
callsync_name_matches_fn(PG_FUNCTION_ARGS)
{
	Operand    *a = operand(fcinfo, 0);
	Operand    *b = operand(fcinfo, 1);
	const CallsyncNicks *nicks;
	bool		shared = false;

	if (!a->has_name || !b->has_name)
		PG_RETURN_BOOL(false);
	nicks = callsync_nicks();
	if (!a->keyed)
	{
		a->nkeys = name_keys(&a->name, a->keys);
		a->keyed = true;
	}
	if (!b->keyed || b->generation != callsync_nicks_generation())
	{
		b->generation = callsync_nicks_generation();
		b->nkeys = query_keys(&b->name, b->keys);
		b->keyed = true;
	}
	for (int i = 0; i < a->nkeys && !shared; i++)
		for (int k = 0; k < b->nkeys && !shared; k++)
			shared = a->keys[i] == b->keys[k];
	PG_RETURN_BOOL(shared && callsync_name_similarity(&a->name, &b->name, nicks) >= callsync_name_threshold);
}

static Datum *
to_datums(const int64 *keys, int n)
{
	Datum	   *datums = palloc((n + 1) * sizeof(Datum));

	for (int i = 0; i < n; i++)
		datums[i] = Int64GetDatum(keys[i]);
	return datums;
}

Datum
callsync_name_extract_value(PG_FUNCTION_ARGS)
{
	int32	   *nkeys = (int32 *) PG_GETARG_POINTER(1);
	CallsyncName name;
	int64		keys[MAX_NAME_KEYS];

	*nkeys = parse(PG_GETARG_TEXT_PP(0), &name) ? name_keys(&name, keys) : 0;
	PG_RETURN_POINTER(to_datums(keys, *nkeys));
}

Datum
callsync_name_extract_query(PG_FUNCTION_ARGS)
{
	int32	   *nkeys = (int32 *) PG_GETARG_POINTER(1);
	int32	   *mode = (int32 *) PG_GETARG_POINTER(6);
	CallsyncName name;
	int64		keys[MAX_NAME_KEYS];

	*nkeys = parse(PG_GETARG_TEXT_PP(0), &name) ? query_keys(&name, keys) : 0;
	/* a query without a word finds nothing, as the operator says; the default mode does just that */
	*mode = GIN_SEARCH_MODE_DEFAULT;
	PG_RETURN_POINTER(to_datums(keys, *nkeys));
}

Datum
callsync_name_consistent(PG_FUNCTION_ARGS)
{
	bool	   *check = (bool *) PG_GETARG_POINTER(0);
	int32		nkeys = PG_GETARG_INT32(3);
	bool	   *recheck = (bool *) PG_GETARG_POINTER(5);

	*recheck = true;
	for (int i = 0; i < nkeys; i++)
		if (check[i])
			PG_RETURN_BOOL(true);
	PG_RETURN_BOOL(false);
}
