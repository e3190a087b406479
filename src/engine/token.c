/*
 * token.c
 *		See token.h.
 *
 * A renewal, step by step:
 *
 *		lock (advisory, this session)		one worker at a time
 *		transaction: row for update; if another worker was faster, take his token
 *					 and go; else "renewal started", exchange recorded; commit
 *		request								no transaction is open
 *		transaction: new pair stored, version moves; commit
 *		unlock, wake the others				only now the token is used
 *
 * A server with rotation kills the whole grant when an old refresh token is used a
 * second time, so nobody may ever renew beside us, and an answer is never thrown
 * away: a settle that fails is tried again. The advisory lock goes with the process,
 * so after a crash the next worker finds the row started and nobody at it, and
 * tries with what is stored; if the server had rotated already, that ends in
 * reauth_required, which people see. It never ends in silence.
 *
 * States of an entry's renewal:
 *		IDLE -> BEGUN (committed) -> SENT -> ANSWERED -> IDLE (settled)
 */
#include "postgres.h"

#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "storage/latch.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "core/errclass.h"
#include "engine/env.h"
#include "engine/http_options.h"
#include "engine/token.h"
#include "engine/token_entry.h"
#include "engine/token_request.h"
#include "pg/clock.h"
#include "pg/guc.h"
#include "pg/keyring.h"
#include "pg/locks.h"
#include "pg/shmem.h"
#include "pg/spi.h"
#include "store/alert.h"
#include "store/destination.h"
#include "store/secret.h"
#include "store/token.h"

#define OTHER_LOOK_MS 50		/* another worker renews: how often to look */
#define ERROR_LOOK_MS 10000		/* a transaction failed: look again */
#define WOKEN_LOOK_MS 1000		/* how often at most to look at the destinations when woken */
#define SETTLE_RETRY_MS 200
#define SKEW_MATTERS_MS 30000
#define DAY_MS INT64CONST(86400000)

static struct
{
	MemoryContext context;
	CallsyncHttp *http;
	const CallsyncWorkerIdentity *identity;
	CallsyncDestinations *destinations;
	List	   *entries;
	TimestampTz look_at;		/* when to compare with the table of destinations */
	TimestampTz looked_at;
	bool		shutting_down;
	bool		gone;			/* the extension is */
}			tokens;

/* ---- what follows from an entry's state ---- */

static bool
has_expired(const CallsyncTokenEntry *e, TimestampTz now)
{
	return e->row.expires_at != 0 && now >= e->row.expires_at;
}

static bool
is_usable(const CallsyncTokenEntry *e, TimestampTz now)
{
	return e->access != NULL && !e->refused && !has_expired(e, now);
}

/* When the token is to be renewed; DT_NOEND: not by itself. */
static TimestampTz
renewal_due(const CallsyncTokenEntry *e)
{
	TimestampTz due;

	if (!e->oauth || e->auth == NULL || e->d->dropped || e->d->dry_run ||
		tokens.shutting_down || tokens.identity->is_copy)
		return DT_NOEND;

	if (e->d->paused)
	{
		/* only what would die of idleness */
		if (e->auth->keepalive_days == 0 || e->row.obtained_at == 0)
			return DT_NOEND;
		due = callsync_time_plus_ms(e->row.obtained_at, e->auth->keepalive_days * DAY_MS * 8 / 10);
	}
	else if (e->access == NULL)
		due = 0;
	else if (e->refused)
		due = callsync_time_plus_ms(e->row.obtained_at,
									INT64CONST(1000) * e->auth->min_refresh_interval_s);
	else if (e->row.renew_at != 0)
		due = e->row.renew_at;
	else
		due = DT_NOEND;

	/* where somebody changed something since the last try, what failed may work now */
	if (!e->try_at_once && due != DT_NOEND && e->row.next_try_at != 0 &&
		e->row.generation == e->generation)
		due = Max(due, e->row.next_try_at);
	return due;
}

static CallsyncTokenEntry *
find_entry(const char *name)
{
	ListCell   *cell;

	foreach(cell, tokens.entries)
	{
		CallsyncTokenEntry *e = lfirst(cell);

		if (strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

void
callsync_token_view(const char *destination, CallsyncTokenView *view)
{
	CallsyncTokenEntry *e = find_entry(destination);
	TimestampTz now = callsync_now();

	memset(view, 0, sizeof(*view));
	view->problem = "";
	if (e == NULL)
		tokens.look_at = 0;		/* made a moment ago: the next tick reads it */
	if (e == NULL || e->generation == 0 || e->generation != e->d->generation)
	{
		view->state = CALLSYNC_TOKEN_WAIT;
		view->again_at = now;
		view->problem = e != NULL && e->problem[0] != '\0' ? e->problem : "The credential is being read.";
		return;
	}
	e->wanted = true;
	if (!e->oauth)
	{
		view->state = CALLSYNC_TOKEN_NOT_NEEDED;
		return;
	}
	if (is_usable(e, now))
	{
		view->state = CALLSYNC_TOKEN_READY;
		view->access_token = e->access;
		view->version = e->row.version;
		view->base_url = e->row.base_url;
		return;
	}
	view->state = e->row.state == CALLSYNC_TOKEN_ROW_DEAD ? CALLSYNC_TOKEN_DEAD : CALLSYNC_TOKEN_WAIT;
	view->again_at = e->phase == RENEWAL_IDLE ? renewal_due(e) : now;
	view->problem = e->problem[0] != '\0' ? e->problem : "The access token is being renewed.";
}

void
callsync_token_refused(const char *destination, int64 version)
{
	CallsyncTokenEntry *e = find_entry(destination);

	if (e != NULL && e->oauth && e->row.version == version)
		e->refused = true;
}

/* ---- reading ---- */

static bool
have_key(void *arg, const char *key)
{
	return callsync_secret_exists(((CallsyncDestination *) arg)->name, key);
}

static void
note_problem(CallsyncTokenEntry *e, const char *text)
{
	strlcpy(e->problem, text ? text : "", sizeof(e->problem));
}

/* The row and the token, in a fresh memory context. Inside a transaction. */
void
callsync_token_entry_read(CallsyncTokenEntry *e)
{
	MemoryContext fresh = AllocSetContextCreate(tokens.context, "callsync token", ALLOCSET_SMALL_SIZES);
	CallsyncTokenRow row;
	const char *access;

	/* an ERROR leaves an empty context behind, which goes with the next success */
	callsync_token_row_read(e->name, false, &row, fresh);
	access = callsync_secret_get(e->name, "access_token", fresh);

	if (row.version != e->row.version || access == NULL)
		e->refused = false;
	if (e->row_context != NULL)
		MemoryContextDelete(e->row_context);
	e->row_context = fresh;
	e->row = row;
	e->access = access;
	note_problem(e, row.error);
}

static void
load_body(void *arg)
{
	CallsyncTokenEntry *e = arg;

	if (e->generation != e->d->generation)
	{
		const CallsyncAuth *auth = e->d->connector ?
			callsync_connector_auth(e->d->connector, have_key, e->d) : NULL;

		e->oauth = auth != NULL && (auth->kind == CALLSYNC_AUTH_OAUTH2_REFRESH ||
									auth->kind == CALLSYNC_AUTH_OAUTH2_CLIENT_CREDENTIALS ||
									auth->kind == CALLSYNC_AUTH_OAUTH2_JWT_BEARER);
		e->auth = auth;
	}
	e->generation = e->d->generation;
	e->read_again_at = 0;
	if (e->oauth)
		callsync_token_entry_read(e);
	else if (e->auth != NULL)
	{
		/* it had no credential at first, or another kind of one */
		callsync_token_not_needed(e->name);
		callsync_alert_clear("reauth_required", e->name, "", callsync_now());
		callsync_alert_clear("token_failing", e->name, "", callsync_now());
	}
}

static void
look_body(void *arg)
{
	(void) callsync_destinations_refresh(tokens.destinations);
}

/* Compares the entries with the destinations; a changed connector takes its auth along. */
static void
match_entries(void)
{
	for (int i = 0; i < callsync_destinations_count(tokens.destinations); i++)
	{
		CallsyncDestination *d = callsync_destinations_at(tokens.destinations, i);
		CallsyncTokenEntry *e = find_entry(d->name);

		if (e == NULL && !d->dropped)
		{
			MemoryContext old = MemoryContextSwitchTo(tokens.context);

			e = palloc0(sizeof(CallsyncTokenEntry));
			strlcpy(e->name, d->name, sizeof(e->name));
			tokens.entries = lappend(tokens.entries, e);
			MemoryContextSwitchTo(old);
		}
		if (e == NULL)
			continue;
		if (e->d != d && !d->dropped)
		{
			/* dropped and made again under the same name */
			e->d = d;
			e->generation = 0;
		}
		if (e->generation != d->generation)
			e->auth = NULL;
	}
}

/* ---- a renewal begins ---- */

typedef struct BeginState
{
	CallsyncTokenEntry *entry;
	bool		begun;
	CallsyncDocError err;
} BeginState;

/* Puts a failure that needs no exchange into the row. */
static void
cannot_begin(CallsyncTokenEntry *e, const CallsyncDocError *err, TimestampTz now)
{
	CallsyncTokenRow row = e->row;

	row.state = CALLSYNC_TOKEN_ROW_DEAD;
	row.failures++;
	row.next_try_at = callsync_time_plus_ms(now, CALLSYNC_TOKEN_DEAD_MAX_MS);
	row.error = psprintf("%s %s", err->what, err->hint);
	callsync_token_row_failed(e->name, &row);
	if (e->wanted)
		callsync_alert_raise("reauth_required", "critical", e->name, "",
							 psprintf("Destination \"%s\" has no usable credential: %s", e->name, err->what),
							 err->hint[0] ? err->hint : "See callsync.secret_status.", now);
	note_problem(e, row.error);
	e->row.state = row.state;
	e->row.failures = row.failures;
	e->row.next_try_at = row.next_try_at;
}

static void
begin_body(void *arg)
{
	BeginState *state = arg;
	CallsyncTokenEntry *e = state->entry;
	CallsyncTokenRow row;
	TimestampTz now = callsync_now();
	MemoryContext context;

	/* with the lock in hand: has another worker done it? */
	callsync_token_row_read(e->name, true, &row, CurrentMemoryContext);
	if (row.version != e->row.version || row.next_try_at != e->row.next_try_at ||
		row.generation != e->row.generation)
	{
		callsync_token_entry_read(e);
		if (renewal_due(e) > now)
			return;
	}
	if (!callsync_token_is_current(e->name, e->generation))
	{
		/* a try by what it was would be one too many */
		tokens.look_at = 0;
		return;
	}
	if (row.started_by != NULL)
		ereport(LOG,
				(errmsg("renewal of the token of destination \"%s\" was interrupted (%s), it is taken up again",
						e->name, row.started_by)));

	context = AllocSetContextCreate(tokens.context, "callsync token request", ALLOCSET_SMALL_SIZES);
	if (callsync_token_request_build(&e->request, context, e->d, e->auth,
									 e->skew_known ? e->skew_ms : 0, now, &state->err))
	{
		e->request_id = callsync_token_row_begin(e->name, e->generation, tokens.identity->name, "POST",
												 e->request.shown_url, now);
		state->begun = true;
		return;
	}

	/* the row has to be there to say so */
	if (row.version == 0)
		callsync_token_exchange_end(callsync_token_row_begin(e->name, e->generation, tokens.identity->name, "POST", "", now),
									0, "local", callsync_class_name(CALLSYNC_CLASS_CONFIG),
									state->err.what, 0, now);
	cannot_begin(e, &state->err, now);
	MemoryContextDelete(context);
	e->request.context = NULL;
}

static void
unlock(CallsyncTokenEntry *e)
{
	callsync_lock_release(MyDatabaseId, CALLSYNC_LOCK_TOKEN, e->d->id);
}

static void
forget_request(CallsyncTokenEntry *e)
{
	if (e->response != NULL)
		callsync_http_release(e->response);
	e->response = NULL;
	if (e->request.context != NULL)
		MemoryContextDelete(e->request.context);
	memset(&e->request, 0, sizeof(e->request));
	memset(&e->outcome, 0, sizeof(e->outcome));
	e->phase = RENEWAL_IDLE;
}

static void
begin(CallsyncTokenEntry *e)
{
	BeginState	state = {.entry = e};
	CallsyncTxnError error;

	if (!callsync_lock_try(MyDatabaseId, CALLSYNC_LOCK_TOKEN, e->d->id))
	{
		/* another worker is at it: his token is ours as well */
		e->read_again_at = callsync_time_plus_ms(callsync_now(), OTHER_LOOK_MS);
		return;
	}
	e->try_at_once = false;
	switch (callsync_txn_run("beginning to renew a token", begin_body, &state, &error))
	{
		case CALLSYNC_TXN_COMMITTED:
			break;
		case CALLSYNC_TXN_NO_EXTENSION:
			tokens.gone = true;
			state.begun = false;
			break;
		case CALLSYNC_TXN_FAILED:
			e->row.next_try_at = callsync_time_plus_ms(callsync_now(), ERROR_LOOK_MS);
			note_problem(e, "The credential could not be read; see the server log.");
			state.begun = false;
			break;
	}
	if (state.begun)
		e->phase = RENEWAL_BEGUN;
	else
	{
		forget_request(e);
		unlock(e);
	}
}

void
callsync_tokens_send(void)
{
	ListCell   *cell;

	foreach(cell, tokens.entries)
	{
		static const CallsyncHttpHeader fixed[] = {
			{"Accept", "application/json"},
			{"Content-Type", "application/x-www-form-urlencoded"},
		};
		CallsyncTokenEntry *e = lfirst(cell);
		CallsyncHttpHeader headers[lengthof(fixed) + 1];
		CallsyncHttpOptions options;
		CallsyncHttpRequest request = {0};

		if (e->phase != RENEWAL_BEGUN)
			continue;
		memcpy(headers, fixed, sizeof(fixed));
		request.method = "POST";
		request.url = e->request.url;
		request.headers = headers;
		request.nheaders = lengthof(fixed);
		if (e->request.authorization != NULL)
		{
			headers[request.nheaders].name = "Authorization";
			headers[request.nheaders++].value = e->request.authorization;
		}
		request.body = e->request.body;
		request.body_len = e->request.body_len;
		request.user = e;
		request.channel = CALLSYNC_HTTP_SERVICE;
		callsync_http_options_apply(e->d->options, &options, &request);
		if (callsync_http_submit(tokens.http, &request) == 0)
			return;				/* no place: the next turn has one */
		e->phase = RENEWAL_SENT;
	}
}

/* ---- a renewal ends ---- */

static void
take_answers(void)
{
	CallsyncHttpResponse *response;

	while ((response = callsync_http_next_done_on(tokens.http, CALLSYNC_HTTP_SERVICE)) != NULL)
	{
		CallsyncTokenEntry *e = response->user;

		Assert(e->phase == RENEWAL_SENT);
		e->response = response;
		callsync_token_request_outcome(&e->request, e->d, response, callsync_now(), &e->outcome);
		if (e->outcome.skew_known)
		{
			/* an assertion made by a clock that is far off deserves another try */
			if (e->request.dated && e->outcome.verdict == CALLSYNC_TOKEN_REFUSED &&
				llabs(e->outcome.skew_ms - (e->skew_known ? e->skew_ms : 0)) > SKEW_MATTERS_MS)
			{
				e->outcome.verdict = CALLSYNC_TOKEN_LATER;
				e->try_at_once = true;
			}
			e->skew_ms = e->outcome.skew_ms;
			e->skew_known = true;
		}
		e->phase = RENEWAL_ANSWERED;
	}
}

static void
settle(CallsyncTokenEntry *e)
{
	CallsyncTxnError error;
	bool		at_once = e->try_at_once;

	switch (callsync_txn_run("storing a token", callsync_token_settle_body, e, &error))
	{
		case CALLSYNC_TXN_COMMITTED:
			break;
		case CALLSYNC_TXN_NO_EXTENSION:
			tokens.gone = true;
			break;
		case CALLSYNC_TXN_FAILED:
			/* the answer may hold the only refresh token that works: keep it */
			e->settle_again_at = callsync_time_plus_ms(callsync_now(), SETTLE_RETRY_MS);
			return;
	}
	if (e->outcome.verdict == CALLSYNC_TOKEN_GRANTED)
		at_once = false;
	e->try_at_once = at_once;
	unlock(e);
	forget_request(e);
	callsync_wake_workers();
}

/* ---- the loop's side ---- */

void
callsync_tokens_init(MemoryContext parent, CallsyncHttp *http,
					 const CallsyncWorkerIdentity *identity)
{
	memset(&tokens, 0, sizeof(tokens));
	tokens.context = AllocSetContextCreate(parent, "callsync tokens", ALLOCSET_DEFAULT_SIZES);
	tokens.http = http;
	tokens.identity = identity;
	tokens.destinations = callsync_destinations_create(tokens.context);
}

/* Runs one of the reading transactions; false where it failed. */
static bool
read_txn(CallsyncTxnBody body, void *arg)
{
	CallsyncTxnError error;

	switch (callsync_txn_run("looking after tokens", body, arg, &error))
	{
		case CALLSYNC_TXN_COMMITTED:
			return true;
		case CALLSYNC_TXN_NO_EXTENSION:
			tokens.gone = true;
			break;
		case CALLSYNC_TXN_FAILED:
			break;
	}
	return false;
}

CallsyncTick
callsync_tokens_tick(void)
{
	TimestampTz now = callsync_now();
	ListCell   *cell;
	bool		failed = false;

	take_answers();
	foreach(cell, tokens.entries)
	{
		CallsyncTokenEntry *e = lfirst(cell);

		if (e->phase == RENEWAL_ANSWERED && now >= e->settle_again_at)
			settle(e);
	}

	if (now >= tokens.look_at && !tokens.shutting_down)
	{
		tokens.looked_at = now;
		tokens.look_at = callsync_time_plus_ms(now, Max(callsync_naptime, 100));
		if (read_txn(look_body, NULL))
			match_entries();
		else
			failed = true;
	}

	foreach(cell, tokens.entries)
	{
		CallsyncTokenEntry *e = lfirst(cell);

		if (e->d->dropped || tokens.gone)
			continue;
		if (e->phase == RENEWAL_IDLE && now >= e->read_again_at &&
			(e->generation != e->d->generation || e->read_again_at != 0))
		{
			if (!read_txn(load_body, e))
			{
				failed = true;
				e->read_again_at = callsync_time_plus_ms(now, ERROR_LOOK_MS);
				e->generation = 0;
				note_problem(e, "The credential could not be read; see the server log.");
				continue;
			}
		}
		if (e->phase == RENEWAL_IDLE && e->generation == e->d->generation &&
			e->read_again_at == 0 && renewal_due(e) <= now)
			begin(e);
	}

	if (tokens.gone)
		return CALLSYNC_TICK_NO_EXTENSION;
	return failed ? CALLSYNC_TICK_FAILED : CALLSYNC_TICK_IDLE;
}

int64
callsync_tokens_next_ms(void)
{
	TimestampTz now = callsync_now();
	TimestampTz next = tokens.look_at;
	ListCell   *cell;

	foreach(cell, tokens.entries)
	{
		CallsyncTokenEntry *e = lfirst(cell);

		if (e->d->dropped)
			continue;
		switch (e->phase)
		{
			case RENEWAL_IDLE:
				next = Min(next, e->read_again_at != 0 ? e->read_again_at : renewal_due(e));
				break;
			case RENEWAL_BEGUN:
				return 0;
			case RENEWAL_SENT:
				break;
			case RENEWAL_ANSWERED:
				next = Min(next, e->settle_again_at);
				break;
		}
	}
	return callsync_ms_until(now, next);
}

void
callsync_tokens_woken(void)
{
	/* writers wake all the time */
	tokens.look_at = Min(tokens.look_at, callsync_time_plus_ms(tokens.looked_at, Min(callsync_naptime, WOKEN_LOOK_MS)));
}

void
callsync_tokens_shutdown(void)
{
	tokens.shutting_down = true;
}

bool
callsync_tokens_drained(void)
{
	ListCell   *cell;

	foreach(cell, tokens.entries)
	{
		if (((CallsyncTokenEntry *) lfirst(cell))->phase != RENEWAL_IDLE)
			return false;
	}
	return true;
}
