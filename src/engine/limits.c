/*
 * limits.c
 *		Limits and concurrency of a destination, shared by the workers.
 *
 * Short windows, requests at a time and the server's "not before" are in shared memory
 * (core/share.h): all workers take from one pot, so a limit of one request is kept by any
 * number of them, and what one leaves another may use. Long windows are in a table (quota.c).
 *
 * Whoever comes first into that memory, after a start or a crash of the server, does not
 * know what was sent a moment ago: limits are closed for one window then, where the
 * destination's row says that somebody may have sent.
 *
 * A request without an answer may still be on its way when we give up on it. It is held for
 * as long again as it was under way: a server that took longer than that to
 * look at it may count it later than we think; nothing else can make us send too much.
 */
#include "postgres.h"

#include "common/hashfn.h"
#include "storage/ipc.h"
#include "storage/lwlock.h"

#include "engine/engine_state.h"
#include "pg/clock.h"
#include "pg/guc.h"
#include "pg/json.h"
#include "pg/shared_table.h"

#define GRACE_US INT64CONST(1000000)	/* for what was under way when everything ended */
#define RECENT_MS 10000			/* destination_state may be so late, and a window */
#define PLACE_AGAIN_MS 1000		/* who gives back a place tells; if he cannot any more */
#define ORPHAN_US INT64CONST(10000000)	/* what a process that is gone had sent has arrived by then */

StaticAssertDecl(CALLSYNC_SHARE_HOLDERS >= CALLSYNC_MAX_WORKERS, "each worker needs a place");
StaticAssertDecl(CALLSYNC_SHARED_TABLE_MEMBERS >= CALLSYNC_MAX_WORKERS, "each worker needs a place");

/* What a request held that was given up without an answer */
typedef struct Lost
{
	dlist_node	node;
	CallsyncEngineDest *dest;
	CallsyncNeed need;
	int64		until_us;
} Lost;

static int	holder;				/* this worker's number */
static dlist_head lost = DLIST_STATIC_INIT(lost);
static MemoryContext lost_mcxt;

static int64
option_int(const json_t *object, const char *key, int64 otherwise)
{
	json_t	   *value = json_object_get(object, key);

	return json_is_integer(value) ? (int64) json_integer_value(value) : otherwise;
}

/* ---- life ---- */

static void
leave(void *entry, void *arg)
{
	int64		now_us = callsync_monotonic_us();

	callsync_share_leave(entry, holder, now_us + *(int64 *) arg, now_us);
}

static void
leave_all(int code, Datum arg)
{
	int64		orphan_us = ORPHAN_US;

	/* an error may have come between taking and releasing */
	LWLockReleaseAll();
	callsync_shared_table_each(leave, &orphan_us);
}

void
callsync_limits_attach(CallsyncEngine *engine)
{
	int64		orphan_us = ORPHAN_US;

	holder = engine->identity->index;
	lost_mcxt = engine->mcxt;
	callsync_shared_table_attach(engine->identity->database, sizeof(CallsyncShare));
	callsync_shared_table_join(holder);
	/* of one that had this number before, and ended without a word */
	callsync_shared_table_each(leave, &orphan_us);
	before_shmem_exit(leave_all, (Datum) 0);
}

/* ---- configuration ---- */

static void
release(CallsyncLimitSet *set)
{
	if (set != NULL && --set->refs == 0)
		pfree(set);
}

static void
add_limit(CallsyncLimitSet *set, const CallsyncLimitSpec *spec)
{
	int			i = set->n;

	if (i == CALLSYNC_MAX_LIMITS || spec->rate <= 0 || spec->window_ms <= 0)
		return;
	set->spec[i] = *spec;
	strlcpy(set->name[i], spec->name ? spec->name : "", sizeof(set->name[i]));
	set->spec[i].name = set->name[i];
	set->key[i] = hash_bytes_extended((const unsigned char *) set->name[i], (int) strlen(set->name[i]), 0);
	if (spec->op_bucket != NULL)
	{
		strlcpy(set->op_bucket[i], spec->op_bucket, sizeof(set->op_bucket[i]));
		set->spec[i].op_bucket = set->op_bucket[i];
	}
	set->booked[i] = callsync_engine_quota_is_booked(spec);
	if (set->booked[i])
		callsync_bucket_init(&set->bucket[i], spec->rate);
	set->n++;
}

static bool
resets_at_midnight(const json_t *limit, bool otherwise)
{
	const char *reset = callsync_json_string(limit, "reset");

	return reset ? strcmp(reset, "midnight") == 0 : otherwise;
}

/* The connector's limits with the destination's option "limits" over them. */
static CallsyncLimitSet *
make_limits(CallsyncEngine *engine, CallsyncEngineDest *dest)
{
	CallsyncLimitSet *set = MemoryContextAllocZero(engine->mcxt, sizeof(*set));
	const json_t *options = json_object_get(dest->d->options, "limits");
	const CallsyncLimitSpec *specs = NULL;
	int			n = dest->d->connector ? callsync_connector_limits(dest->d->connector, &specs) : 0;
	const char *key;
	json_t	   *value;

	set->refs = 1;
	for (int i = 0; i < n; i++)
	{
		CallsyncLimitSpec spec = specs[i];
		const json_t *own = json_object_get(options, spec.name);

		if (json_is_null(own))
			continue;			/* switched off */
		spec.rate = option_int(own, "rate", spec.rate);
		spec.window_ms = option_int(own, "per_s", spec.window_ms / 1000) * 1000;
		if (spec.window_ms <= 0)
			spec.window_ms = specs[i].window_ms;
		spec.fixed = resets_at_midnight(own, spec.fixed);
		add_limit(set, &spec);
	}
	json_object_foreach((json_t *) options, key, value)
	{
		CallsyncLimitSpec spec = {0};
		bool		known = false;

		if (!json_is_object(value))
			continue;
		for (int i = 0; i < n; i++)
			known = known || strcmp(specs[i].name, key) == 0;
		if (known)
			continue;
		spec.name = key;
		spec.rate = option_int(value, "rate", 0);
		spec.window_ms = option_int(value, "per_s", 1) * 1000;
		spec.op_bucket = json_string_value(json_object_get(value, "op"));
		spec.fixed = resets_at_midnight(value, false);
		add_limit(set, &spec);
	}
	return set;
}

static bool
same_limits(const CallsyncLimitSet *a, const CallsyncLimitSet *b)
{
	if (a->n != b->n)
		return false;
	for (int i = 0; i < a->n; i++)
		if (strcmp(a->name[i], b->name[i]) != 0 || strcmp(a->op_bucket[i], b->op_bucket[i]) != 0 ||
			a->spec[i].rate != b->spec[i].rate || a->spec[i].window_ms != b->spec[i].window_ms ||
			a->spec[i].counts_cost != b->spec[i].counts_cost || a->spec[i].fixed != b->spec[i].fixed)
			return false;
	return true;
}

static CallsyncShare *
lock_share(const CallsyncEngineDest *dest)
{
	bool		found;
	CallsyncShare *share = callsync_shared_table_lock(dest->d->id, &found);

	/* (a new one is told by resume() what it may not know) */
	if (!found)
		callsync_share_init(share, 0);
	return share;
}

static void
unlock_share(CallsyncShare *share)
{
	callsync_shared_table_unlock(share);
}

static void
announce(CallsyncShare *share, const CallsyncLimitSet *set)
{
	int64		now_us = callsync_monotonic_us();

	for (int i = 0; i < set->n; i++)
		if (!set->booked[i])
			callsync_share_limit(share, set->key[i], set->spec[i].window_ms * 1000, now_us);
}

void
callsync_limits_configure(CallsyncEngine *engine, CallsyncEngineDest *dest)
{
	CallsyncLimitSet *before = dest->limits;
	CallsyncShare *share;

	dest->limits = make_limits(engine, dest);
	if (before == NULL)
		return;					/* resume() follows */
	if (same_limits(before, dest->limits))
	{
		/* what is booked and not used stays in hand */
		release(dest->limits);
		dest->limits = before;
		return;
	}
	release(before);
	share = lock_share(dest);
	announce(share, dest->limits);
	unlock_share(share);
}

void
callsync_limits_resume(CallsyncEngineDest *dest, TimestampTz last_told, TimestampTz throttled_until)
{
	bool		found;
	CallsyncShare *share = callsync_shared_table_lock(dest->d->id, &found);

	if (!found)
	{
		int64		horizon_ms = 2 * CALLSYNC_TELL_EVERY_MS + CALLSYNC_BOOKED_WINDOW_MS + RECENT_MS;
		bool		recent = last_told != 0 && callsync_engine_ms(last_told) + horizon_ms > callsync_engine_now_ms();

		callsync_share_init(share, recent ? callsync_shared_table_made_us() + GRACE_US : 0);
		if (throttled_until != 0)
			share->paused_until_ms = callsync_engine_ms(throttled_until);
	}
	announce(share, dest->limits);
	unlock_share(share);
}

/* ---- requests ---- */

bool
callsync_engine_dest_take(CallsyncEngine *engine, CallsyncEngineDest *dest, const CallsyncOp *op, CallsyncExchange *exchange,
						  int64 now_ms, int64 *wait_until_ms, bool *general)
{
	CallsyncLimitSet *set = dest->limits;
	CallsyncTaken *t = &exchange->taken;
	double		keep_free = exchange->bulk ? dest->reserve : 0.0;
	int			at[CALLSYNC_MAX_LIMITS];
	CallsyncShare *share;
	int64		now_us;
	int64		wait_us;
	uint32		lacks = 0;
	bool		ok = true;

	memset(t, 0, sizeof(*t));
	*general = false;
	*wait_until_ms = now_ms;
	for (int i = 0; i < set->n; i++)
	{
		int64		cost = set->spec[i].counts_cost ? Max(op->cost, 1) : 1;
		int64		wait_ms;

		if (!callsync_limit_covers(&set->spec[i], op))
			continue;
		if (!set->booked[i])
		{
			at[t->need.n] = i;
			t->need.window[t->need.n].name = set->key[i];
			t->need.window[t->need.n].window_us = set->spec[i].window_ms * 1000;
			t->need.window[t->need.n].rate = set->spec[i].rate;
			t->need.window[t->need.n++].cost = cost;
			continue;
		}
		callsync_engine_quota_book(dest, set, i, cost, keep_free, now_ms);
		if (!callsync_bucket_can(&set->bucket[i], cost, keep_free, now_ms, &wait_ms))
		{
			ok = false;
			*wait_until_ms = Max(*wait_until_ms, wait_ms);
			*general = *general || (set->spec[i].op_bucket == NULL && callsync_bucket_free(&set->bucket[i], now_ms) < 1);
		}
		t->booked[t->nbooked] = i;
		t->cost[t->nbooked++] = cost;
	}
	if (!ok)
		return false;
	/* a delivery may be armed before there is a place for it, and takes one when it leaves (enter) */
	t->need.concurrency = exchange->kind == CALLSYNC_EXCHANGE_INQUIRY ? dest->concurrency : 0;
	t->need.bulk = exchange->bulk;
	t->need.keep_free = keep_free;

	share = lock_share(dest);
	now_us = callsync_monotonic_us();
	ok = callsync_share_take(share, holder, &t->need, now_us, &wait_us, &lacks);
	for (int i = 0; !ok && i < t->need.n; i++)
		*general = *general || ((lacks & (1U << i)) != 0 && set->spec[at[i]].op_bucket == NULL &&
								callsync_share_free(share, set->key[at[i]], set->spec[at[i]].rate, now_us) < 1);
	unlock_share(share);
	if (!ok)
	{
		*general = *general || (lacks & (1U << CALLSYNC_SHARE_SLOT)) != 0;
		*wait_until_ms = now_ms + Max((wait_us - now_us + 999) / 1000, 1);
		if (lacks == 1U << CALLSYNC_SHARE_SLOT)
		{
			/* not a matter of time: who gives a place back tells */
			engine->wake_ms = Min(engine->wake_ms, *wait_until_ms);
			*wait_until_ms = INT64_MAX;
		}
		return false;
	}
	for (int i = 0; i < t->nbooked; i++)
		callsync_bucket_take(&set->bucket[t->booked[i]], t->cost[i]);
	t->set = set;
	set->refs++;
	/* who comes after a crash must see that something was sent: the row goes with this transaction */
	if (now_ms - dest->told_ms >= CALLSYNC_TELL_EVERY_MS)
		dest->dirty = true;
	return true;
}

bool
callsync_limits_enter(CallsyncEngine *engine, CallsyncExchange *exchange)
{
	CallsyncEngineDest *dest = exchange->dest;
	CallsyncShare *share = lock_share(dest);
	bool		ok = callsync_share_enter(share, holder, dest->concurrency, exchange->bulk, callsync_monotonic_us());

	unlock_share(share);
	if (ok)
		exchange->taken.need.concurrency = dest->concurrency;
	else
		engine->wake_ms = Min(engine->wake_ms, callsync_engine_now_ms() + PLACE_AGAIN_MS);
	return ok;
}

void
callsync_limits_exit(CallsyncExchange *exchange)
{
	CallsyncShare *share = lock_share(exchange->dest);

	callsync_share_exit(share, holder);
	unlock_share(share);
	exchange->taken.need.concurrency = 0;
}

static void
done(CallsyncEngineDest *dest, const CallsyncNeed *need, bool counted, int64 at_us)
{
	CallsyncShare *share = lock_share(dest);
	int			next = callsync_share_done(share, holder, need, counted, at_us, callsync_monotonic_us());

	unlock_share(share);
	if (next >= 0 && next != holder)
		callsync_shared_table_wake(next);
}

void
callsync_engine_dest_give_back(CallsyncExchange *exchange, bool counted, int64 now_ms)
{
	CallsyncTaken *t = &exchange->taken;
	const CallsyncHttpResponse *response = exchange->response;

	if (t->set == NULL)
		return;
	for (int i = 0; i < t->nbooked; i++)
		callsync_bucket_done(&t->set->bucket[t->booked[i]], t->cost[i], counted, now_ms);
	release(t->set);
	t->set = NULL;
	if (counted && response != NULL && response->status == 0)
	{
		Lost	   *l = MemoryContextAlloc(lost_mcxt, sizeof(Lost));

		l->dest = exchange->dest;
		l->need = t->need;
		l->until_us = response->finished_us + response->total_us;
		dlist_push_tail(&lost, &l->node);
	}
	else
		done(exchange->dest, &t->need, counted, response != NULL ? response->finished_us : callsync_monotonic_us());
}

void
callsync_limits_tick(CallsyncEngine *engine)
{
	int64		now_us = callsync_monotonic_us();
	dlist_mutable_iter iter;

	dlist_foreach_modify(iter, &lost)
	{
		Lost	   *l = dlist_container(Lost, node, iter.cur);

		if (now_us < l->until_us)
		{
			engine->wake_ms = Min(engine->wake_ms, callsync_engine_now_ms() + (l->until_us - now_us) / 1000 + 1);
			continue;
		}
		done(l->dest, &l->need, true, l->until_us);
		dlist_delete(&l->node);
		pfree(l);
	}
}

/* ---- what the server says ---- */

void
callsync_limits_pause(CallsyncEngineDest *dest, int64 until_ms)
{
	CallsyncShare *share = lock_share(dest);

	share->paused_until_ms = Max(share->paused_until_ms, until_ms);
	unlock_share(share);
	dest->paused_until_ms = Max(dest->paused_until_ms, until_ms);
}

int64
callsync_limits_paused_until(CallsyncEngineDest *dest)
{
	CallsyncShare *share = lock_share(dest);
	int64		until_ms = share->paused_until_ms;

	unlock_share(share);
	return until_ms;
}

void
callsync_limits_learn(CallsyncEngineDest *dest, const char *name, int64 limit, int64 remaining, int64 now_ms)
{
	CallsyncLimitSet *set = dest->limits;

	for (int i = 0; i < set->n; i++)
	{
		if (name != NULL && strcmp(set->name[i], name) != 0)
			continue;
		if (set->booked[i])
			callsync_bucket_learn(&set->bucket[i], limit, remaining, now_ms);
		else
		{
			CallsyncShare *share = lock_share(dest);

			callsync_share_learn(share, set->key[i], set->spec[i].rate, limit, remaining, callsync_monotonic_us());
			unlock_share(share);
		}
		return;
	}
}

int64
callsync_limits_free(CallsyncEngineDest *dest, int n, int64 now_ms)
{
	CallsyncLimitSet *set = dest->limits;
	CallsyncShare *share;
	int64		units;

	if (set->booked[n])
		return callsync_bucket_free(&set->bucket[n], now_ms);
	share = lock_share(dest);
	units = callsync_share_free(share, set->key[n], set->spec[n].rate, callsync_monotonic_us());
	unlock_share(share);
	return units < 0 ? set->spec[n].rate : units;
}

char *
callsync_limits_text(CallsyncEngineDest *dest, int64 now_ms)
{
	json_t	   *array = callsync_json_keep(json_array());
	CallsyncLimitSet *set = dest->limits;

	for (int i = 0; i < set->n; i++)
	{
		json_t	   *entry = callsync_json_object();

		json_object_set_new(entry, "name", json_string(set->name[i]));
		json_object_set_new(entry, "limit", json_integer(set->spec[i].rate));
		json_object_set_new(entry, "per_s", json_integer(set->spec[i].window_ms / 1000));
		json_object_set_new(entry, "free", json_integer(callsync_limits_free(dest, i, now_ms)));
		json_array_append_new(array, entry);
	}
	return callsync_json_text(array);
}
