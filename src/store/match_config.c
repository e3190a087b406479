/*
 * match_config.c
 *		What a decision is made with; see match_config.h.
 *
 * Tables are read through SPI, rarely: a relcache invalidation, which triggers on
 * the tables send at commit, marks what is cached as stale.
 */
#include "postgres.h"

#include "access/xact.h"
#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "core/phone.h"
#include "pg/spi.h"
#include "store/contact.h"
#include "store/match_config.h"
#include "store/model_json.h"

typedef struct ConfigEntry
{
	char		destination[NAMEDATALEN * 2];	/* hash key; longer names are not cached */
	CallsyncMatchConfig config;
} ConfigEntry;

static bool registered = false;
static bool nicks_stale = true;
static bool config_stale = true;
static Oid	nick_table = InvalidOid;
static Oid	watched[3] = {InvalidOid, InvalidOid, InvalidOid};
static MemoryContext nick_context = NULL;
static CallsyncNicks nicks = {NULL, 0};
static uint64 nicks_generation = 0;
static HTAB *configs = NULL;
static CallsyncMatchConfig uncached;

static void
invalidate(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == nick_table)
		nicks_stale = true;
	if (!OidIsValid(relid) || relid == watched[0] || relid == watched[1] || relid == watched[2])
		config_stale = true;
}

static void
watch(void)
{
	Oid			namespace = get_namespace_oid("callsync", false);

	nick_table = get_relname_relid("nickname", namespace);
	watched[0] = get_relname_relid("match_model", namespace);
	watched[1] = get_relname_relid("destination", namespace);
	watched[2] = get_relname_relid("match_field", namespace);
	if (!registered)
	{
		CacheRegisterRelcacheCallback(invalidate, (Datum) 0);
		registered = true;
	}
}

void
callsync_match_config_changed(Oid relid)
{
	CacheInvalidateRelcacheByRelid(relid);
}

/* Reads what a callback reads; see as_owner(). */
typedef void (*Reader) (void *arg);

/*
 * The configuration is read with the rights of its owner: who may compare names
 * need not be allowed to read our tables.
 */
static void
as_owner(Reader reader, void *arg)
{
	Oid			user;
	int			context;
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(nick_table));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"callsync.nickname\" does not exist"),
				 errhint("Reinstall the extension.")));
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(owner, context | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	/* an ERROR resets both with the (sub)transaction */
	reader(arg);
	SetUserIdAndSecContext(user, context);
}

static CallsyncStmt stmt_nicks = {
	.sql = "SELECT n.name, n.nick, n.weight FROM callsync.nickname n ORDER BY n.name, n.nick",
	.returns = SPI_OK_SELECT
};

static int
compare_nicks(const void *a, const void *b)
{
	const CallsyncNick *x = a;
	const CallsyncNick *y = b;

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	if (x->other != y->other)
		return x->other < y->other ? -1 : 1;
	/* of two weights for one pair the higher one is kept */
	return x->weight > y->weight ? -1 : x->weight < y->weight;
}

typedef struct NickRow
{
	uint64_t	name;
	uint64_t	nick;
	char	   *name_text;
	char	   *nick_text;
	float		weight;
} NickRow;

static void
add_nick(CallsyncNick **list, int *n, int *cap, uint64_t name, uint64_t other, const char *other_text, float weight)
{
	if (name == other)
		return;
	if (*n == *cap)
	{
		*cap *= 2;
		*list = repalloc_huge(*list, (Size) *cap * sizeof(CallsyncNick));
	}
	(*list)[*n].name = name;
	(*list)[*n].other = other;
	(*list)[*n].other_text = other_text;
	(*list)[(*n)++].weight = weight;
}

static int
compare_rows_by_name(const void *a, const void *b)
{
	const NickRow *x = a;
	const NickRow *y = b;

	return x->name < y->name ? -1 : x->name > y->name;
}

/* Both directions, and the nicknames of one name among each other. */
static void
load_nicks(void *arg)
{
	MemoryContext fresh = AllocSetContextCreate(TopMemoryContext, "callsync nicknames", ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer;
	uint64		nrows;
	NickRow    *rows;
	CallsyncNick *list;
	int			n = 0;
	int			cap = 4096;
	int			kept = 0;

	SPI_connect();
	nrows = callsync_stmt_run(&stmt_nicks, NULL, NULL, true, 0);
	outer = MemoryContextSwitchTo(fresh);
	rows = palloc((nrows + 1) * sizeof(NickRow));
	list = palloc(cap * sizeof(CallsyncNick));
	for (uint64 i = 0; i < nrows; i++)
	{
		CallsyncWord word;

		rows[i].name_text = callsync_row_text(i, 1, fresh);
		rows[i].nick_text = callsync_row_text(i, 2, fresh);
		rows[i].weight = (float) callsync_row_float8(i, 3, 0.5);
		callsync_word_set(&word, rows[i].name_text, strlen(rows[i].name_text));
		rows[i].name = word.hash;
		callsync_word_set(&word, rows[i].nick_text, strlen(rows[i].nick_text));
		rows[i].nick = word.hash;
	}
	qsort(rows, nrows, sizeof(NickRow), compare_rows_by_name);
	for (uint64 i = 0; i < nrows; i++)
	{
		add_nick(&list, &n, &cap, rows[i].name, rows[i].nick, rows[i].nick_text, rows[i].weight);
		add_nick(&list, &n, &cap, rows[i].nick, rows[i].name, rows[i].name_text, rows[i].weight);
		for (uint64 k = i + 1; k < nrows && rows[k].name == rows[i].name; k++)
		{
			float		weight = rows[i].weight * rows[k].weight * 0.6f;

			add_nick(&list, &n, &cap, rows[i].nick, rows[k].nick, rows[k].nick_text, weight);
			add_nick(&list, &n, &cap, rows[k].nick, rows[i].nick, rows[i].nick_text, weight);
		}
	}
	qsort(list, n, sizeof(CallsyncNick), compare_nicks);
	for (int i = 0; i < n; i++)
		if (kept == 0 || list[kept - 1].name != list[i].name || list[kept - 1].other != list[i].other)
			list[kept++] = list[i];
	MemoryContextSwitchTo(outer);
	SPI_finish();
	if (nick_context != NULL)
		MemoryContextDelete(nick_context);
	nick_context = fresh;
	nicks.nick = list;
	nicks.n = kept;
	nicks_generation++;
}

const CallsyncNicks *
callsync_nicks(void)
{
	if (nicks_stale)
	{
		watch();
		/* an invalidation that arrives while reading makes it stale again */
		nicks_stale = false;
		PG_TRY();
		{
			as_owner(load_nicks, NULL);
		}
		PG_CATCH();
		{
			nicks_stale = true;
			PG_RE_THROW();
		}
		PG_END_TRY();
	}
	return &nicks;
}

uint64
callsync_nicks_generation(void)
{
	return nicks_generation;
}

/* options of the destination; the table is absent or the row is: defaults */
static CallsyncStmt stmt_options = {
	.sql = "SELECT d.options::pg_catalog.text FROM callsync.destination d WHERE d.name OPERATOR(pg_catalog.=) $1",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_model = {
	.sql = "SELECT m.version, m.parameters::pg_catalog.text FROM callsync.match_model m "
	"WHERE m.destination OPERATOR(pg_catalog.=) $1 AND m.active",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_fields = {
	.sql = "SELECT f.field, f.kind, f.is_key, f.m_exact, f.m_near, f.u_exact, f.u_near FROM callsync.match_field f "
	"WHERE f.destination OPERATOR(pg_catalog.=) $1 ORDER BY f.field",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
};

/* Columns of the mirror that may be evidence beside contact.fields. */
static int
column_of(const char *name)
{
	if (strcmp(name, "company") == 0)
		return CALLSYNC_CONTACT_COMPANY;
	if (strcmp(name, "street") == 0)
		return CALLSYNC_CONTACT_STREET;
	if (strcmp(name, "country") == 0)
		return CALLSYNC_CONTACT_COUNTRY;
	if (strcmp(name, "owner_id") == 0)
		return CALLSYNC_CONTACT_OWNER_ID;
	return 0;
}

static void
read_fields(CallsyncMatchConfig *config, uint64 nrows)
{
	for (uint64 i = 0; i < nrows && i < CALLSYNC_EXTRA_FIELDS; i++)
	{
		CallsyncMatchField *field = &config->field[i];
		CallsyncExtraModel *x = &config->model.extra[i];
		int			kind = callsync_extra_kind_lookup(callsync_row_text(i, 2, CurrentMemoryContext));

		strlcpy(field->name, callsync_row_text(i, 1, CurrentMemoryContext), sizeof(field->name));
		field->kind = kind < 0 ? CALLSYNC_EXTRA_TEXT : (CallsyncExtraKind) kind;
		field->is_key = callsync_row_bool(i, 3, false);
		field->column = column_of(field->name);
		callsync_extra_default(field->kind, x);
		/* where people live is common to a family, and they move; who they are is neither */
		x->household = strcmp(field->name, "street") == 0;
		if (x->household)
		{
			x->m[CALLSYNC_EXTRA_EXACT] = 0.6;
			x->m[CALLSYNC_EXTRA_NEAR] = 0.15;
		}
		x->m[CALLSYNC_EXTRA_EXACT] = callsync_row_float8(i, 4, x->m[CALLSYNC_EXTRA_EXACT]);
		x->m[CALLSYNC_EXTRA_NEAR] = callsync_row_float8(i, 5, x->m[CALLSYNC_EXTRA_NEAR]);
		x->m[CALLSYNC_EXTRA_NONE] = Max(1 - x->m[CALLSYNC_EXTRA_EXACT] - x->m[CALLSYNC_EXTRA_NEAR], 0.001);
		x->u_exact = callsync_row_float8(i, 6, x->u_exact);
		x->u_near = callsync_row_float8(i, 7, x->u_near);
		config->model.nextra = (int) i + 1;
	}
}

typedef struct ConfigRequest
{
	const char *destination;
	CallsyncMatchConfig *config;
} ConfigRequest;

static void
load_config_as_owner(void *arg)
{
	const char *destination = ((ConfigRequest *) arg)->destination;
	CallsyncMatchConfig *config = ((ConfigRequest *) arg)->config;
	Oid			namespace = get_namespace_oid("callsync", false);
	Datum		value = CStringGetTextDatum(destination);
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "callsync match config", ALLOCSET_SMALL_SIZES);
	MemoryContext outer;

	memset(config, 0, sizeof(*config));
	callsync_model_default(&config->model);
	callsync_policy_default(&config->policy);
	config->region = CALLSYNC_REGION_NONE;
	SPI_connect();
	outer = MemoryContextSwitchTo(scratch);
	if (OidIsValid(get_relname_relid("destination", namespace)) &&
		callsync_stmt_run(&stmt_options, &value, NULL, true, 1) == 1)
		callsync_policy_from_json(callsync_row_text(0, 1, scratch), &config->policy, &config->region);
	if (OidIsValid(get_relname_relid("match_model", namespace)) &&
		callsync_stmt_run(&stmt_model, &value, NULL, true, 1) == 1)
	{
		config->model_version = callsync_row_int32(0, 1, 0);
		callsync_model_from_json(&config->model, callsync_row_text(0, 2, scratch));
	}
	if (OidIsValid(get_relname_relid("match_field", namespace)))
		read_fields(config, callsync_stmt_run(&stmt_fields, &value, NULL, true, CALLSYNC_EXTRA_FIELDS));
	MemoryContextSwitchTo(outer);
	SPI_finish();
	MemoryContextDelete(scratch);
}

static void
load_config(const char *destination, CallsyncMatchConfig *config)
{
	ConfigRequest request = {destination, config};

	as_owner(load_config_as_owner, &request);
}

const CallsyncMatchConfig *
callsync_match_config(const char *destination)
{
	ConfigEntry *entry;
	bool		found;
	char		key[NAMEDATALEN * 2];

	if (config_stale || configs == NULL)
	{
		HASHCTL		ctl = {.keysize = sizeof(key), .entrysize = sizeof(ConfigEntry), .hcxt = TopMemoryContext};

		watch();
		if (configs != NULL)
			hash_destroy(configs);
		configs = hash_create("callsync match config", 16, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
		config_stale = false;
	}
	if (strlen(destination) >= sizeof(key))
	{
		load_config(destination, &uncached);
		return &uncached;
	}
	strlcpy(key, destination, sizeof(key));
	entry = hash_search(configs, key, HASH_FIND, NULL);
	if (entry == NULL)
	{
		CallsyncMatchConfig config;

		load_config(destination, &config);
		/* reading may have let an invalidation in: then this is used once and not kept */
		if (config_stale)
		{
			uncached = config;
			return &uncached;
		}
		entry = hash_search(configs, key, HASH_ENTER, &found);
		entry->config = config;
	}
	return &entry->config;
}
