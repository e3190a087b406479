/*
 * batch.c
 *		Destinations that take calls in batches, and those in maintenance.
 *
 * A call that waits for its batch is planned like any other; its deliveries are due at
 * the time of the batch and stay in the queue table until then (loader.c, "far").
 * Everything else is the same: a batch is no special path.
 *
 * In mode hybrid the contact goes at once whatever the rules say of the call: two
 * calls of one person write the same contact, and the older one must not come last.
 */
#include "postgres.h"

#include "engine/batch.h"
#include "engine/engine_state.h"
#include "pg/env.h"
#include "pg/clock.h"
#include "pg/json.h"
#include "pg/zones.h"
#include "store/alert.h"

#define WATCH_EVERY_MS 5000
#define DEFAULT_LAG_S 3600

TimestampTz
callsync_batch_due(const CallsyncDestination *d, const CallsyncRenderInput *input, const char *origin, TimestampTz now)
{
	int64		next;

	/* people who ask for a call do not mean tonight */
	if (strcmp(origin, "resync") == 0 || !callsync_schedule_waits(d->schedule, input))
		return now;
	next = callsync_schedule_next(d->schedule, callsync_zones(), callsync_engine_ms(now) / 1000);
	return next == CALLSYNC_SCHEDULE_NEVER ? now : callsync_engine_time(next * 1000);
}

/*
 * The answer is kept until the next start or end of a window: this is asked in each tick.
 */
bool
callsync_batch_is_closed(CallsyncEngineDest *dest, int64 now_ms, int64 *until_ms)
{
	const CallsyncSchedule *schedule = dest->d->schedule;

	if (schedule == NULL || schedule->nwindows == 0)
		return false;
	if (now_ms >= dest->window_change_ms || now_ms < dest->window_looked_ms)
	{
		int64		end = callsync_schedule_closed_until(schedule, callsync_zones(), now_ms / 1000);
		int64		next = end ? end : callsync_schedule_next_window(schedule, callsync_zones(), now_ms / 1000);

		dest->in_window = end != 0;
		dest->window_change_ms = next == CALLSYNC_SCHEDULE_NEVER ? INT64_MAX : next * 1000;
		dest->window_looked_ms = now_ms;
	}
	*until_ms = dest->window_change_ms;
	return dest->in_window;
}

typedef struct Oldest
{
	int64	   *ms;				/* per destination, INT64_MAX: none */
	int64		now_ms;
} Oldest;

static void
find_oldest(void *arg, CallsyncJob *job)
{
	Oldest	   *oldest = arg;
	int64		since = job->first_ms != 0 ? job->first_ms : job->due_ms;

	if (since <= oldest->now_ms)
		oldest->ms[job->dest] = Min(oldest->ms[job->dest], since);
}

/*
 * A batch that fails or falls behind is noticed by people: the oldest delivery that has
 * been due, or tried, for longer than thresholds.batch_lag_s.
 */
void
callsync_batch_watch(CallsyncEngine *engine)
{
	Oldest		oldest;
	bool		any = false;

	oldest.now_ms = callsync_engine_now_ms();
	if (oldest.now_ms >= engine->batch_looked_ms && oldest.now_ms - engine->batch_looked_ms < WATCH_EVERY_MS)
		return;
	engine->batch_looked_ms = oldest.now_ms;
	oldest.ms = palloc(sizeof(int64) * Max(engine->ndests, 1));
	for (int i = 0; i < engine->ndests; i++)
	{
		oldest.ms[i] = INT64_MAX;
		any = any || engine->dests[i]->was_behind ||
			(engine->dests[i]->d->schedule != NULL && engine->dests[i]->d->schedule->mode != CALLSYNC_MODE_REALTIME);
	}
	if (!any)
		return;
	callsync_jobs_each(engine->jobs, find_oldest, &oldest);
	for (int i = 0; i < engine->ndests; i++)
	{
		CallsyncEngineDest *dest = engine->dests[i];
		const json_t *limit = json_object_get(json_object_get(dest->d->options, "thresholds"), "batch_lag_s");
		int64		limit_ms = (json_is_integer(limit) ? (int64) json_integer_value(limit) : DEFAULT_LAG_S) * 1000;
		int64		until_ms;
		bool		behind;

		behind = dest->d->schedule != NULL && dest->d->schedule->mode != CALLSYNC_MODE_REALTIME && !dest->d->dropped &&
			!dest->d->paused && !callsync_batch_is_closed(dest, oldest.now_ms, &until_ms) &&
			oldest.ms[i] != INT64_MAX && oldest.now_ms - oldest.ms[i] > limit_ms;
		if (behind && !dest->was_behind)
			callsync_alert_raise("batch_behind", "warning", dest->d->name, "",
								 psprintf("the batch for destination \"%s\" that was due at %s is not through", dest->d->name,
										  callsync_env_iso_time(callsync_engine_time(oldest.ms[i]))),
								 "See callsync.error_groups for what holds it up; nothing is lost. The bound is the destination's option thresholds.batch_lag_s.",
								 callsync_now());
		else if (!behind && dest->was_behind)
			callsync_alert_clear("batch_behind", dest->d->name, "", callsync_now());
		dest->was_behind = behind;
	}
}
