/*
 * engine_dest.c
 *		The engine's side of a destination: its settings, its breaker, what the
 *		tables are told about it. (Limits: limits.c)
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

static int64
option_int(const json_t *object, const char *key, int64 otherwise)
{
	json_t	   *value = json_object_get(object, key);

	return json_is_integer(value) ? (int64) json_integer_value(value) : otherwise;
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
	int			concurrency;

	if (dest->generation == d->generation && dest->limits != NULL)
		return;
	if (dest->limits == NULL)
		callsync_breaker_init(&dest->breaker, (int) option_int(options, "breaker_failures", 0));

	dest->generation = d->generation;
	callsync_limits_configure(engine, dest);

	concurrency = (int) option_int(limits, "concurrency",
								   d->connector ? callsync_connector_concurrency(d->connector) : 0);
	if (concurrency <= 0)
		concurrency = DEFAULT_CONCURRENCY;
	dest->concurrency = concurrency;
	dest->batch_max = (int) option_int(limits, "batch", 0);
	dest->reserve = json_is_number(json_object_get(options, "backfill_reserve"))
		? json_number_value(json_object_get(options, "backfill_reserve")) : DEFAULT_RESERVE;
	dest->reserve = Min(Max(dest->reserve, 0.0), 0.95);
	dest->uncertain_hold = json_string_value(json_object_get(options, "uncertain")) == NULL ||
		strcmp(json_string_value(json_object_get(options, "uncertain")), "resend") != 0;
	read_backoff(dest);

	/* somebody changed something: what waited for that may go on */
	dest->blocked_until_ms[CALLSYNC_LANE_LIVE] = dest->blocked_until_ms[CALLSYNC_LANE_BULK] = 0;
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
	dest->paused_until_ms = Max(dest->paused_until_ms, callsync_limits_paused_until(dest));
	until = Max(dest->blocked_until_ms[CALLSYNC_LANE_LIVE], Max(dest->paused_until_ms, dest->auth_until_ms));
	if (now_ms < until)
	{
		*wait_until_ms = until;
		return false;
	}
	return dest->in_flight < dest->concurrency + callsync_wire_ahead(engine, dest);
}

void
callsync_engine_dest_throttled(CallsyncEngineDest *dest, const CallsyncOutcome *o, int64 now_ms)
{
	if (o->error_class == CALLSYNC_CLASS_OK)
		dest->retry_asked_ms = 0;
	if (o->error_class != CALLSYNC_CLASS_THROTTLED)
		return;
	dest->retry_asked_ms = o->retry_asked_ms;
	if (o->pause_destination)
		callsync_limits_pause(dest, o->retry_at_ms > now_ms ? o->retry_at_ms
							  : now_ms + dest->backoff[CALLSYNC_CLASS_THROTTLED].floor_ms);
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

static char *
duration_text(int64 ms)
{
	return ms >= 2 * INT64CONST(86400000) ? psprintf(INT64_FORMAT " days", ms / 86400000)
		: psprintf(INT64_FORMAT " minutes", ms / 60000);
}

static void
tell_alerts(CallsyncEngineDest *dest, TimestampTz now)
{
	const char *name = dest->d->name;
	bool		down = dest->breaker.state != CALLSYNC_BREAKER_CLOSED;
	bool		refused = dest->auth_failures > 0;
	bool		asked = dest->retry_asked_ms > 0;

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
	if (asked && !dest->was_asked)
		callsync_alert_raise("retry_after", "warning", name, "",
							 psprintf("destination \"%s\" asked to be left alone for %s, which is longer than is waited", name,
									  duration_text(dest->retry_asked_ms)),
							 psprintf("The next try is at %s all the same. If the account is blocked, clear it up with the vendor, and callsync.pause() the destination until then.",
									  timestamptz_to_str(callsync_engine_time(dest->paused_until_ms))), now);
	else if (!asked && dest->was_asked && dest->last_success_at != 0)
		callsync_alert_clear("retry_after", name, "", now);
	else
		asked = dest->was_asked;
	dest->was_down = down;
	dest->was_refused = refused;
	dest->was_asked = asked;
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
			(dest->auth_failures > 0 ? !dest->was_refused : dest->was_refused && dest->last_success_at != 0) ||
			(dest->retry_asked_ms > 0 ? !dest->was_asked : dest->was_asked && dest->last_success_at != 0);

		if (!dest->dirty || dest->d->dropped || dest->limits == NULL)
			continue;
		if (!force && !changed && now_ms - dest->told_ms < CALLSYNC_TELL_EVERY_MS)
		{
			engine->wake_ms = Min(engine->wake_ms, dest->told_ms + CALLSYNC_TELL_EVERY_MS);
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
		s.limits = callsync_limits_text(dest, now_ms);
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
