/*
 * token_settle.c
 *		What the answer to a renewal does to the tables: the new pair, or a failure and
 *		when to try again, with the alerts that people get.
 */
#include "postgres.h"

#include "common/pg_prng.h"
#include "utils/timestamp.h"

#include "engine/token_entry.h"
#include "pg/clock.h"
#include "pg/env.h"
#include "store/alert.h"
#include "store/secret.h"

#define RETRY_FIRST_MS 1000
#define RETRY_MAX_MS 60000
#define DEAD_FIRST_MS 60000		/* a refused credential: does it work again? */
#define ALERT_FAILURES 3

static int64
doubled(int64 first_ms, int times, int64 max_ms)
{
	for (int i = 0; i < times && first_ms < max_ms; i++)
		first_ms *= 2;
	return Min(first_ms, max_ms);
}

static void
settle_granted(CallsyncTokenEntry *e, TimestampTz now)
{
	CallsyncTokenRow row = {0};
	int64		now_ms = callsync_unix_us(now) / 1000;

	row.obtained_at = now;
	row.base_url = unconstify(char *, e->outcome.base_url);
	if (e->outcome.lifetime_ms > 0)
	{
		int64		early_ms = INT64CONST(1000) * e->request.answer.refresh_early_s;

		row.expires_at = callsync_time_plus_ms(now, e->outcome.lifetime_ms);
		row.renew_at = callsync_from_unix_us(1000 * callsync_token_renew_ms(now_ms, e->outcome.lifetime_ms, early_ms,
																			pg_prng_double(&pg_global_prng_state)));
	}
	(void) callsync_token_row_granted(e->name, e->outcome.access, e->outcome.refresh, &row);
	callsync_alert_clear("reauth_required", e->name, "", now);
	callsync_alert_clear("token_failing", e->name, "", now);
}

/* Somebody stored another refresh token while this one was on its way. */
static bool
was_replaced(const CallsyncTokenEntry *e)
{
	const char *stored;

	if (e->request.refresh == NULL)
		return false;
	stored = callsync_secret_get(e->name, "refresh_token", e->request.context);
	return stored != NULL && strcmp(stored, e->request.refresh) != 0;
}

static void
settle_refused(CallsyncTokenEntry *e, TimestampTz now)
{
	CallsyncTokenRow row = e->row;

	if (was_replaced(e))
	{
		row.next_try_at = 0;
		callsync_token_row_failed(e->name, &row);
		return;
	}
	row.state = CALLSYNC_TOKEN_ROW_DEAD;
	row.failures = e->row.state == CALLSYNC_TOKEN_ROW_DEAD ? row.failures + 1 : 1;
	row.next_try_at = callsync_time_plus_ms(now, doubled(DEAD_FIRST_MS, row.failures - 1, CALLSYNC_TOKEN_DEAD_MAX_MS));
	row.error = psprintf("The credential was refused: %s", e->outcome.message);
	callsync_token_row_failed(e->name, &row);
	callsync_alert_raise("reauth_required", "critical", e->name, "",
						 psprintf("Destination \"%s\" does not take the credential any more, its queue waits. %s",
								  e->name, e->outcome.message),
						 "Authorise callsync there again and store the new credential with callsync.set_secret_file().",
						 now);
}

static void
settle_later(CallsyncTokenEntry *e, TimestampTz now)
{
	CallsyncTokenRow row = e->row;
	int64		delay;

	/* a dead credential stays dead until it works */
	if (row.state != CALLSYNC_TOKEN_ROW_DEAD)
	{
		row.failures = row.state == CALLSYNC_TOKEN_ROW_FAILING ? row.failures + 1 : 1;
		row.state = CALLSYNC_TOKEN_ROW_FAILING;
		delay = doubled(RETRY_FIRST_MS, row.failures - 1, RETRY_MAX_MS);
	}
	else
		delay = DEAD_FIRST_MS;

	/* servers count what reaches them */
	if (e->response->may_have_sent)
		delay = Max(delay, INT64CONST(1000) * e->request.answer.min_refresh_interval_s / 10);
	delay = delay / 2 + (int64) (pg_prng_double(&pg_global_prng_state) * (delay / 2));
	row.next_try_at = Max(callsync_time_plus_ms(now, delay), e->outcome.not_before);
	row.error = unconstify(char *, e->outcome.message);
	callsync_token_row_failed(e->name, &row);
	if (row.failures >= ALERT_FAILURES && row.state == CALLSYNC_TOKEN_ROW_FAILING)
		callsync_alert_raise("token_failing", "warning", e->name, "",
							 psprintf("The access token of destination \"%s\" cannot be renewed. %s",
									  e->name, row.error),
							 "It is tried again; see callsync.destination_status.", now);
}

/*
 * A credential was changed while the request was under way, so the token is not wanted
 * any more. But where the refresh token that was sent is still the stored one (it was
 * another part that changed), the server has replaced it, and only the new one works.
 */
static void
keep_rotated(CallsyncTokenEntry *e)
{
	const char *stored;

	if (e->outcome.verdict != CALLSYNC_TOKEN_GRANTED || e->outcome.refresh == NULL)
		return;
	stored = callsync_secret_get(e->name, "refresh_token", e->request.context);
	if (stored != NULL && strcmp(stored, e->request.refresh) == 0)
		callsync_secret_set(e->name, "refresh_token", e->outcome.refresh);
}

void
callsync_token_settle_body(void *arg)
{
	CallsyncTokenEntry *e = arg;
	TimestampTz now = callsync_now();
	CallsyncTokenRow current;

	/* set_secret() may have taken the row away */
	callsync_token_row_read(e->name, true, &current, CurrentMemoryContext);
	if (current.version == 0)
		keep_rotated(e);
	else if (e->outcome.verdict == CALLSYNC_TOKEN_GRANTED && was_replaced(e))
		/* a new consent is not overwritten by what became of the old one */
		callsync_token_forget(e->name);
	else
	{
		switch (e->outcome.verdict)
		{
			case CALLSYNC_TOKEN_GRANTED:
				settle_granted(e, now);
				break;
			case CALLSYNC_TOKEN_REFUSED:
				settle_refused(e, now);
				break;
			case CALLSYNC_TOKEN_LATER:
				settle_later(e, now);
				break;
		}
	}
	callsync_token_exchange_end(e->request_id, e->response->status,
								callsync_transport_name(e->response->transport),
								e->outcome.error_class, e->outcome.message,
								e->response->total_us / 1000.0, now);
	callsync_token_entry_read(e);
}
