/*
 * engine_dest.c
 *		The engine's side of a destination: limits, concurrency, breaker, what the
 *		tables are told about it.
 *
 * Several workers share a destination by shares: each keeps to its part of every limit.
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "engine/batch.h"
#include "engine/engine_state.h"
#include "pg/env.h"
#include "pg/clock.h"
#include "pg/json.h"
#include "store/alert.h"
#include "store/destination_state.h"

#define DEFAULT_CONCURRENCY 8
#define DEFAULT_RESERVE 0.5
#define TELL_EVERY_MS 1000

static int64
option_int(const json_t *object, const char *key, int64 otherwise)
{
	json_t	   *value = json_object_get(object, key);

	return json_is_integer(value) ? (int64) json_integer_value(value) : otherwise;
}

/* ---- limits ---- */

void
callsync_limit_set_release(CallsyncLimitSet *set)
{
	if (set != NULL && --set->refs == 0)
		pfree(set);
}

static void
add_limit(CallsyncLimitSet *set, const CallsyncLimitSpec *spec, int index, int workers)
{
	int			i = set->n;
	int64		rate = spec->rate;
	bool		booked = callsync_engine_quota_is_booked(spec);

	if (i == CALLSYNC_MAX_LIMITS || rate <= 0 || spec->window_ms <= 0)
		return;
	if (!booked && rate < workers)
	{
		set->turns[i] = (int) rate;
		rate = 1;
	}
	else if (!booked)
		rate = rate / workers + (index < rate % workers ? 1 : 0);
	set->spec[i] = *spec;
	strlcpy(set->name[i], spec->name ? spec->name : "", sizeof(set->name[i]));
	set->spec[i].name = set->name[i];
	if (spec->op_bucket != NULL)
	{
		strlcpy(set->op_bucket[i], spec->op_bucket, sizeof(set->op_bucket[i]));
		set->spec[i].op_bucket = set->op_bucket[i];
	}
	if (booked)
		callsync_bucket_init_booked(&set->bucket[i], rate, spec->window_ms);
	else
		callsync_bucket_init(&set->bucket[i], rate, spec->window_ms);
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
		add_limit(set, &spec, engine->identity->index, dest->workers);
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
		add_limit(set, &spec, engine->identity->index, dest->workers);
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
			a->spec[i].rate != b->spec[i].rate || a->turns[i] != b->turns[i] ||
			(a->turns[i] == 0 && a->bucket[i].rate != b->bucket[i].rate) || a->bucket[i].window_ms != b->bucket[i].window_ms ||
			a->spec[i].counts_cost != b->spec[i].counts_cost || a->spec[i].fixed != b->spec[i].fixed)
			return false;
	return true;
}

/* The rate was changed; what was sent is still counted there. */
static void
inherit_limits(CallsyncLimitSet *set, const CallsyncLimitSet *before)
{
	int64		now_ms = callsync_engine_now_ms();

	for (int i = 0; i < set->n; i++)
		for (int k = 0; k < before->n; k++)
			if (strcmp(set->name[i], before->name[k]) == 0)
				callsync_bucket_inherit(&set->bucket[i], &before->bucket[k], now_ms);
}

void
callsync_engine_dest_resume(CallsyncEngineDest *dest, TimestampTz last_told)
{
	CallsyncLimitSet *set = dest->limits;
	int64		now_ms = callsync_engine_now_ms();

	for (int i = 0; last_told != 0 && i < set->n; i++)
	{
		int64		window_ms = set->bucket[i].window_ms;

		/* what is booked is in the books */
		if (!set->bucket[i].booked && callsync_engine_ms(last_told) + 2 * TELL_EVERY_MS + window_ms > now_ms)
			callsync_bucket_pause(&set->bucket[i], now_ms + window_ms);
	}
}

bool
callsync_engine_dest_take(CallsyncEngine *engine, CallsyncEngineDest *dest, const CallsyncOp *op, CallsyncExchange *exchange,
						  int64 now_ms, int64 *wait_until_ms, bool *general)
{
	CallsyncLimitSet *set = dest->limits;
	CallsyncLimits *limits = &exchange->limits;
	double		keep_free = exchange->bulk ? dest->reserve : 0.0;

	limits->n = 0;
	*general = false;
	for (int i = 0; i < set->n; i++)
	{
		if (!callsync_limit_covers(&set->spec[i], op))
			continue;
		limits->bucket[limits->n] = &set->bucket[i];
		limits->cost[limits->n] = set->spec[i].counts_cost ? Max(op->cost, 1) : 1;
		if (set->turns[i] > 0 && !callsync_engine_turn_take(engine, dest, set, i, now_ms, wait_until_ms))
		{
			*general = set->spec[i].op_bucket == NULL;
			return false;
		}
		if (set->bucket[i].booked)
			callsync_engine_quota_book(dest, set, i, limits->cost[limits->n], keep_free, now_ms);
		limits->n++;
	}
	if (!callsync_limits_take(limits, keep_free, now_ms, wait_until_ms))
	{
		for (int i = 0; i < set->n; i++)
			*general = *general || (set->spec[i].op_bucket == NULL &&
									callsync_bucket_free(&set->bucket[i], now_ms) < 1);
		return false;
	}
	exchange->limits_taken = true;
	exchange->limit_set = set;
	set->refs++;
	return true;
}

void
callsync_engine_dest_give_back(CallsyncExchange *exchange, bool counted, int64 now_ms)
{
	if (!exchange->limits_taken)
		return;
	callsync_limits_done(&exchange->limits, counted, now_ms);
	exchange->limits_taken = false;
	callsync_limit_set_release(exchange->limit_set);
	exchange->limit_set = NULL;
}

/* ---- configuration ---- */

static void
read_backoff(CallsyncEngineDest *dest)
{
	const json_t *retry = json_object_get(dest->d->options, "retry");

	for (int c = 0; c < CALLSYNC_CLASS_COUNT; c++)
	{
		CallsyncBackoff *b = &dest->backoff[c];
		const json_t *own = json_object_get(retry, callsync_class_name((CallsyncErrorClass) c));

		*b = *callsync_backoff_default((CallsyncErrorClass) c);
		if (own == NULL)
			continue;
		if (json_object_get(own, "retry") != NULL)
			b->retry = json_is_true(json_object_get(own, "retry"));
		b->base_ms = option_int(own, "base_ms", b->base_ms);
		b->cap_ms = option_int(own, "cap_ms", b->cap_ms);
		b->floor_ms = option_int(own, "floor_ms", b->floor_ms);
		b->max_attempts = (int) option_int(own, "max_attempts", b->max_attempts);
		b->max_age_ms = option_int(own, "max_age_ms", b->max_age_ms);
	}
}

void
callsync_engine_dest_configure(CallsyncEngine *engine, CallsyncEngineDest *dest)
{
	CallsyncDestination *d = dest->d;
	const json_t *options = d->options;
	const json_t *limits = json_object_get(options, "limits");
	CallsyncLimitSet *before = dest->limits;
	int			workers = Max(engine->identity->workers, 1);
	int			concurrency;

	if (dest->generation == d->generation && dest->workers == workers && before != NULL)
		return;
	if (before == NULL)
		callsync_breaker_init(&dest->breaker, (int) option_int(options, "breaker_failures", 0));

	dest->workers = workers;
	dest->generation = d->generation;
	dest->limits = make_limits(engine, dest);
	if (before != NULL && same_limits(before, dest->limits))
	{
		/* the counts stay, those of requests under way included */
		callsync_limit_set_release(dest->limits);
		dest->limits = before;
	}
	else
	{
		if (before != NULL)
		{
			inherit_limits(dest->limits, before);
			callsync_engine_turns_drop(dest, before);
		}
		callsync_limit_set_release(before);
	}

	concurrency = (int) option_int(limits, "concurrency",
								   d->connector ? callsync_connector_concurrency(d->connector) : 0);
	if (concurrency <= 0)
		concurrency = DEFAULT_CONCURRENCY;
	dest->concurrency = Max(concurrency / workers, 1);
	dest->batch_max = (int) option_int(limits, "batch", 0);
	dest->reserve = json_is_number(json_object_get(options, "backfill_reserve"))
		? json_number_value(json_object_get(options, "backfill_reserve")) : DEFAULT_RESERVE;
	dest->reserve = Min(Max(dest->reserve, 0.0), 0.95);
	dest->uncertain_hold = json_string_value(json_object_get(options, "uncertain")) == NULL ||
		strcmp(json_string_value(json_object_get(options, "uncertain")), "resend") != 0;
	read_backoff(dest);

	/* somebody changed something: what waited for that may go on */
	dest->blocked_until_ms = 0;
	dest->auth_until_ms = 0;
	dest->window_change_ms = 0;
}

bool
callsync_engine_dest_open(CallsyncEngine *engine, CallsyncEngineDest *dest, int64 now_ms,
						  int64 *wait_until_ms)
{
	int64		until;

	*wait_until_ms = INT64_MAX;
	if (engine->identity->is_copy || dest->d->dropped || dest->d->paused || dest->d->connector == NULL)
		return false;
	if (callsync_batch_is_closed(dest, now_ms, wait_until_ms))
		return false;
	until = Max(dest->blocked_until_ms, Max(dest->paused_until_ms, dest->auth_until_ms));
	if (now_ms < until)
	{
		*wait_until_ms = until;
		return false;
	}
	return dest->in_flight < dest->concurrency + callsync_wire_ahead(engine, dest);
}

/* ---- telling ---- */

void
callsync_engine_dest_error(CallsyncEngineDest *dest, const char *error_class, const char *message,
						   TimestampTz at)
{
	dest->dirty = true;
	dest->last_error_at = at;
	dest->last_error_class = error_class;
	strlcpy(dest->last_error, message ? message : "", sizeof(dest->last_error));
}

/* [{"name", "limit", "per_s", "free"}]; free: of this worker's share, where it is shared by shares */
static char *
limits_text(CallsyncEngineDest *dest, int64 now_ms)
{
	json_t	   *array = callsync_json_keep(json_array());

	for (int i = 0; i < dest->limits->n; i++)
	{
		CallsyncBucket *b = &dest->limits->bucket[i];
		json_t	   *entry = callsync_json_object();

		json_object_set_new(entry, "name", json_string(dest->limits->name[i]));
		json_object_set_new(entry, "limit", json_integer(dest->limits->spec[i].rate));
		json_object_set_new(entry, "per_s", json_integer(b->window_ms / 1000));
		json_object_set_new(entry, "free", json_integer(callsync_bucket_free(b, now_ms)));
		json_array_append_new(array, entry);
	}
	return callsync_json_text(array);
}

static void
tell_alerts(CallsyncEngineDest *dest, TimestampTz now)
{
	const char *name = dest->d->name;
	bool		down = dest->breaker.state != CALLSYNC_BREAKER_CLOSED;
	bool		refused = dest->auth_failures > 0;

	if (down && !dest->was_down)
		callsync_alert_raise("destination_down", "critical", name, "",
							 psprintf("destination \"%s\" does not answer: %s", name, dest->last_error),
							 "Nothing is lost: deliveries wait and go out when it answers again. See callsync.destination_status.", now);
	else if (!down && dest->was_down)
		callsync_alert_clear("destination_down", name, "", now);
	if (refused && !dest->was_refused)
		callsync_alert_raise("auth", "critical", name, "",
							 psprintf("destination \"%s\" refused the credential: %s", name, dest->last_error),
							 "Renew it with callsync.set_secret_file(), or authorise anew at the CRM; deliveries wait meanwhile.", now);
	else if (!refused && dest->was_refused && dest->last_success_at != 0)
		callsync_alert_clear("auth", name, "", now);
	else
		refused = dest->was_refused;	/* a worker that has just begun knows nothing yet */
	dest->was_down = down;
	dest->was_refused = refused;
}

void
callsync_engine_dests_tell(CallsyncEngine *engine, bool force)
{
	TimestampTz now = callsync_now();
	int64		now_ms = callsync_engine_now_ms();

	for (int i = 0; i < engine->ndests; i++)
	{
		CallsyncEngineDest *dest = engine->dests[i];
		CallsyncDestinationState s = {0};
		bool		changed = (dest->breaker.state != CALLSYNC_BREAKER_CLOSED) != dest->was_down ||
			(dest->auth_failures > 0 ? !dest->was_refused : dest->was_refused && dest->last_success_at != 0);

		if (!dest->dirty || dest->d->dropped || dest->limits == NULL)
			continue;
		if (!force && !changed && now_ms - dest->told_ms < TELL_EVERY_MS)
		{
			engine->wake_ms = Min(engine->wake_ms, dest->told_ms + TELL_EVERY_MS);
			continue;
		}
		tell_alerts(dest, now);
		s.destination = dest->d->name;
		s.breaker = callsync_breaker_state_name(dest->breaker.state);
		if (dest->breaker.state != CALLSYNC_BREAKER_CLOSED)
			s.breaker_until = callsync_engine_time(dest->breaker.until_ms);
		s.failures = dest->breaker.failures;
		if (dest->paused_until_ms > now_ms)
			s.throttled_until = callsync_engine_time(dest->paused_until_ms);
		s.limits = limits_text(dest, now_ms);
		s.sent = dest->sent;
		s.confirmed = dest->confirmed;
		s.failed = dest->failed;
		s.last_success_at = dest->last_success_at;
		s.last_error_at = dest->last_error_at;
		s.last_error = dest->last_error_at != 0 ? dest->last_error : NULL;
		s.last_error_class = dest->last_error_at != 0 ? dest->last_error_class : NULL;
		s.skew_ms = dest->skew_ms;
		s.skew_known = dest->skew_known;
		callsync_destination_state_write(&s, now);

		/*
		 * A rollback after this loses the counts of one second; they are for people,
		 * the truth is in the deliveries.
		 */
		dest->sent = dest->confirmed = dest->failed = 0;
		dest->last_success_at = dest->last_error_at = 0;
		dest->told_ms = now_ms;
		dest->dirty = false;
	}
}
