/*
 * quota.c
 *		Limits with long windows: booked in the table before requests use them.
 *
 * Runs inside the transaction that arms the requests: what is booked and what is
 * sent for it commit together, a rollback voids the credit (uncredit), and after a
 * crash nothing was sent that is not in the books.
 *
 * A sliding window is kept in slices: a unit booked in one counts until one window
 * after the end of the next one, so also a request that was taken at the slice's
 * last instant, and was long under way, is outside of the server's window when it is
 * forgotten.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "engine/engine_state.h"
#include "pg/clock.h"
#include "pg/json.h"
#include "pg/zones.h"
#include "store/alert.h"
#include "store/quota.h"

#define DAY_MS INT64CONST(86400000)
#define DEFAULT_ALERT_AT 0.9

/* The next midnight of the account (option limits.time_zone, default UTC). */
static int64
next_midnight(const CallsyncEngineDest *dest, int64 now_ms)
{
	const CallsyncZones *zones = callsync_zones();
	const char *zone = callsync_json_string(json_object_get(dest->d->options, "limits"), "time_zone");
	int64		offset_ms = 0;
	int64		midnight;

	if (zone == NULL || !zones->known(zones->arg, zone))
		return (now_ms / DAY_MS + 1) * DAY_MS;
	offset_ms = zones->offset(zones->arg, zone, now_ms / 1000) * 1000;
	midnight = ((now_ms + offset_ms) / DAY_MS + 1) * DAY_MS;

	/* clocks may change before it */
	offset_ms = zones->offset(zones->arg, zone, (midnight - offset_ms) / 1000) * 1000;
	return midnight - offset_ms;
}

/* Until when do units count that are booked now, and when is that slice or period over? */
static void
period(const CallsyncEngineDest *dest, const CallsyncLimitSpec *spec, int64 now_ms, int64 *expires_ms, int64 *credit_until_ms)
{
	int64		len = spec->window_ms / CALLSYNC_BUCKET_SLICES;

	if (spec->fixed)
	{
		*expires_ms = *credit_until_ms = next_midnight(dest, now_ms);
		return;
	}
	*credit_until_ms = (now_ms / len + 1) * len;
	*expires_ms = *credit_until_ms + len + spec->window_ms;
}

static double
alert_at(const CallsyncEngineDest *dest)
{
	const json_t *value = json_object_get(json_object_get(dest->d->options, "limits"), "alert_at");

	return json_is_number(value) ? json_number_value(value) : DEFAULT_ALERT_AT;
}

/* People hear of it before calls have to wait. */
static void
tell(CallsyncEngineDest *dest, CallsyncLimitSet *set, int i, const CallsyncQuotaBooking *b, TimestampTz now)
{
	const char *name = dest->d->name;
	bool		nearly = (double) b->used >= alert_at(dest) * (double) b->rate;

	if (nearly && set->quota_alert[i] != CALLSYNC_YES)
		callsync_alert_raise("quota", "warning", name, set->name[i],
							 psprintf("Destination \"%s\" has used " INT64_FORMAT " of " INT64_FORMAT " requests of its limit \"%s\".",
									  name, b->used, b->rate, set->name[i]),
							 psprintf("When they are used up, deliveries wait; requests come free from %s on. Ask the vendor for more, or send less (batch, mode, lookup).",
									  timestamptz_to_str(b->first_expiry)), now);
	else if (!nearly && set->quota_alert[i] != CALLSYNC_NO)
		callsync_alert_clear("quota", name, set->name[i], now);
	set->quota_alert[i] = nearly ? CALLSYNC_YES : CALLSYNC_NO;
}

void
callsync_engine_quota_book(CallsyncEngineDest *dest, CallsyncLimitSet *set, int i, int64 cost, double keep_free, int64 now_ms)
{
	CallsyncBucket *bucket = &set->bucket[i];
	CallsyncQuotaBooking b = {0};
	TimestampTz now = callsync_now();
	int64		expires_ms;
	int64		until_ms;

	b.wanted = callsync_bucket_wants(bucket, cost, keep_free, now_ms);
	if (b.wanted == 0)
		return;
	period(dest, &set->spec[i], now_ms, &expires_ms, &until_ms);
	b.destination = dest->d->name;
	b.name = set->name[i];
	b.rate = callsync_bucket_rate(bucket);
	b.owed = bucket->owed;
	b.seen_used = bucket->seen_used;
	b.expires_at = callsync_engine_time(expires_ms);
	if (bucket->stale > 0 && !set->spec[i].fixed)
	{
		b.give_back = bucket->stale;
		b.give_back_at = callsync_engine_time(bucket->stale_until_ms + (expires_ms - until_ms));
	}
	callsync_quota_book(&b, now);
	callsync_bucket_credit(bucket, b.granted, until_ms, Max(b.rate - b.used, 0), callsync_engine_ms(b.first_expiry));
	tell(dest, set, i, &b, now);
}

/* Is the limit's window too long for memory alone? */
bool
callsync_engine_quota_is_booked(const CallsyncLimitSpec *spec)
{
	return spec->fixed || spec->window_ms > CALLSYNC_BOOKED_WINDOW_MS;
}

/* The arming transaction was rolled back. */
void
callsync_engine_quota_undo(CallsyncEngine *engine)
{
	for (int i = 0; i < engine->ndests; i++)
	{
		CallsyncLimitSet *set = engine->dests[i]->limits;

		for (int k = 0; set != NULL && k < set->n; k++)
		{
			if (set->booked[k])
				callsync_bucket_uncredit(&set->bucket[k]);
			set->quota_alert[k] = CALLSYNC_UNKNOWN;
		}
	}
}
