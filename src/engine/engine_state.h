/*
 * engine_state.h
 *		What the files of the delivery loop share. Nobody else includes this.
 *
 * The way of a delivery through memory:
 *
 *	 queue row --loader.c--> job --arm.c--> exchange --http.c--> answer
 *	     ^                    ^                                     |
 *	     |                    +---- again (retry, read back) ----+  |
 *	     +------- settle.c <--- result <--- deliver.c <----------+--+
 *
 * Memory changes only after the transaction that wrote the same to the tables has
 * committed: a result is applied to its job by callsync_results_apply(), an exchange is sent by
 * callsync_engine_send(). A transaction that fails leaves both as they were.
 */
#ifndef CALLSYNC_ENGINE_ENGINE_STATE_H
#define CALLSYNC_ENGINE_ENGINE_STATE_H

#include "core/backoff.h"
#include "core/breaker.h"
#include "core/bucket.h"
#include "core/classify.h"
#include "core/jobs.h"
#include "core/request.h"
#include "core/share.h"
#include "core/syncstate.h"
#include "engine/engine.h"
#include "engine/planner.h"
#include "lib/ilist.h"
#include "store/attempt.h"
#include "store/delivery.h"
#include "store/destination.h"

#define CALLSYNC_TICK_ROWS 200	/* armed or settled in one transaction */
#define CALLSYNC_TICK_LINGER_MS 5	/* longest wait for more answers to settle together */
#define CALLSYNC_CLASS_ROOM 2000	/* jobs in memory per destination and priority */
#define CALLSYNC_TOTAL_ROOM 50000	/* jobs in memory in all */
#define CALLSYNC_HORIZON_MS 60000	/* what is due later stays in the queue */
#define CALLSYNC_MAX_LIMITS CALLSYNC_LIMITS_MAX
#define CALLSYNC_MAX_CLASSES 24
#define CALLSYNC_BOOKED_WINDOW_MS 30000	/* limits with longer windows are booked in a table */
#define CALLSYNC_TELL_EVERY_MS 1000	/* destination_state is written at most so often */
#define CALLSYNC_LANE_LIVE 0
#define CALLSYNC_LANE_BULK 1	/* back-fill: behind live calls */

/* Job phases: what the next exchange of a delivery is. */
typedef enum CallsyncPhase
{
	CALLSYNC_PHASE_SEND,		/* -> LOOKUP (outcome unknown), CONFIRM */
	CALLSYNC_PHASE_LOOKUP,		/* is it there already? -> SEND, CONFIRM */
	CALLSYNC_PHASE_CONFIRM		/* read it back -> settled */
} CallsyncPhase;

/* Job flags */
#define CALLSYNC_JOB_IN_DOUBT	0x01	/* a send may have arrived, outcome unknown */
#define CALLSYNC_JOB_SOLO		0x02	/* not in a batch with others */
#define CALLSYNC_JOB_CLAIMED	0x04	/* never accepted: said to be there already, to be seen by reading it */

/* One priority of one destination in the queue table. */
typedef struct CallsyncClass
{
	int			priority;
	int			count;			/* jobs in memory that came from it */
	int64		cursor;			/* everything up to this id is in memory, or far */
	bool		overflow;		/* there may be rows behind the cursor */
	int64		far_ms;			/* earliest due time of rows left in the table as far, INT64_MAX none */
} CallsyncClass;

/*
 * The limits of a destination as configured at one time. Exchanges under way keep the set
 * alive that they took from.
 */
typedef struct CallsyncLimitSet
{
	int			refs;			/* the destination's own included */
	int			n;
	CallsyncLimitSpec spec[CALLSYNC_MAX_LIMITS];
	char		name[CALLSYNC_MAX_LIMITS][64];
	char		op_bucket[CALLSYNC_MAX_LIMITS][64];
	uint64		key[CALLSYNC_MAX_LIMITS];	/* of the name, in shared memory */
	bool		booked[CALLSYNC_MAX_LIMITS];	/* in the books (quota.c), by bucket[]; else shared by all workers (share.h) */
	CallsyncBucket bucket[CALLSYNC_MAX_LIMITS];
	CallsyncTri quota_alert[CALLSYNC_MAX_LIMITS];	/* alert "quota" is open */
} CallsyncLimitSet;

/* What a request took of the limits, to be given back. */
typedef struct CallsyncTaken
{
	CallsyncLimitSet *set;		/* NULL: nothing */
	CallsyncNeed need;			/* of what workers share */
	int			nbooked;
	int			booked[CALLSYNC_MAX_LIMITS];	/* places in the set */
	int64		cost[CALLSYNC_MAX_LIMITS];
} CallsyncTaken;

/* The engine's side of a destination; hangs on CallsyncDestination.engine. */
/* A question about a caller that the destination has answered; see lookup.h. */
typedef struct CallsyncAnswered
{
	uint64		key;			/* of the jobs that ask it */
	int64		at_ms;
} CallsyncAnswered;

#define CALLSYNC_ANSWERED_KEPT 256

typedef struct CallsyncEngineDest
{
	int			slot;			/* in jobs.h */
	CallsyncDestination *d;
	int			generation;		/* that the fields below were made for; 0: none */

	CallsyncBreaker breaker;
	bool		breaker_restored;
	int64		hasten_ms;		/* it is back: retries in the table are due then; 0: the table knows */
	CallsyncLimitSet *limits;
	int			concurrency;
	int			batch_max;		/* deliveries in one request at most; 0: as the connector says */
	double		reserve;		/* share of each limit that back-fill leaves alone */
	CallsyncBackoff backoff[CALLSYNC_CLASS_COUNT];
	int			uncertain_hold; /* a create without key whose outcome is unknown waits for a person */

	int			in_flight;		/* requests armed or on the wire */
	int			on_wire;		/* requests at http.c: never more than concurrency */
	int64		answer_us;		/* how long an answer takes, moving average; 0: not known */
	int64		blocked_until_ms[CALLSYNC_SHARE_LANES];	/* limits say so */
	int64		paused_until_ms;	/* the server said so (Retry-After) */
	int64		auth_until_ms;	/* credential refused: next try */
	int			auth_failures;
	bool		in_window;		/* of maintenance, until window_change_ms */
	int64		window_change_ms;
	int64		window_looked_ms;
	bool		was_behind;		/* alert "batch_behind" is open */

	int			nclasses;
	CallsyncClass classes[CALLSYNC_MAX_CLASSES];
	bool		classes_known;

	CallsyncAnswered *answered; /* the last CALLSYNC_ANSWERED_KEPT, NULL: none yet */
	int			next_answered;

	/* not yet told to destination_state */
	bool		dirty;
	int64		sent;
	int64		confirmed;
	int64		failed;
	TimestampTz last_success_at;
	TimestampTz last_error_at;
	char		last_error[CALLSYNC_MESSAGE_MAX];
	const char *last_error_class;
	int64		skew_ms;
	bool		skew_known;
	struct CallsyncCredential *credential;	/* auth.c's */
	bool		disable;		/* the endpoint asked for it: pause at the next settle */
	char		disable_reason[128];
	bool		was_down;		/* alert "destination_down" is open */
	bool		was_refused;	/* alert "auth" is open */
	int64		retry_asked_ms; /* the server asked for longer than is waited; 0: it did not */
	bool		was_asked;		/* alert "retry_after" is open */
	int64		told_ms;		/* when destination_state was written last */
} CallsyncEngineDest;

struct CallsyncExchange;

/* What becomes of a delivery, decided before the transaction that writes it. */
typedef enum CallsyncResultKind
{
	CALLSYNC_RESULT_AGAIN,		/* stays queued, due at "due" */
	CALLSYNC_RESULT_SETTLED,	/* over */
	CALLSYNC_RESULT_PARKED		/* not over, but out of the queue: a person has to act */
} CallsyncResultKind;

typedef struct CallsyncResult
{
	CallsyncJob *job;
	CallsyncEngineDest *dest;
	const CallsyncDelivery *row;
	const json_t *context;		/* of the rendering, or NULL */
	int			exchange_n;		/* attempt row that led to it, 0: none */
	CallsyncResultKind kind;
	CallsyncStepState state;
	CallsyncPhase next_phase;	/* AGAIN */
	TimestampTz due;			/* AGAIN */
	bool		release;		/* others may go on: there is a record now */
	bool		dead;			/* into dead_letter */
	bool		in_doubt;
	bool		solo;
	bool		claimed;		/* written only by the word of a duplicate answer */
	bool		turn;			/* an answer sent it back to the start */
	int			tries;			/* sends made, this one included */
	const char *operation;		/* as it was sent, NULL: unchanged */
	const char *record_id;		/* NULL: not known */
	bool		created;		/* record_id came from this answer: link it */
	bool		forget_record;	/* the record that row names is gone */
	bool		per_person;
	const char *record_of;		/* step whose record it is, NULL: its own */
	const char *confirmation;	/* read_back | response | transport | NULL */
	const char *field_results;	/* JSON text or NULL */
	json_t	   *missing;		/* array of "object.field", or NULL */
	json_t	   *contacts;		/* answer of a look-up for the mirror: [{"id", "email", ...}], else NULL */
	const char *refused_field;	/* the schema has drifted: writes to this field stop */
	json_t	   *unseen;			/* names of fields that the record read back does not have at all, or NULL */
	const char *error_class;
	int			http_status;
	const char *last_error;
	const char *remedy;
} CallsyncResult;

typedef enum CallsyncExchangeKind
{
	CALLSYNC_EXCHANGE_SEND,
	CALLSYNC_EXCHANGE_LOOKUP,	/* is our record there? */
	CALLSYNC_EXCHANGE_READ_BACK,
	CALLSYNC_EXCHANGE_FIND,		/* who is the caller? (lookup.h) */
	CALLSYNC_EXCHANGE_INQUIRY	/* of no delivery (inquiry.h) */
} CallsyncExchangeKind;

/* One delivery of an exchange. */
typedef struct CallsyncItem
{
	CallsyncJob *job;
	CallsyncDelivery *row;
	json_t	   *context;		/* kept by the exchange's memory */
	int			n;				/* attempt row */
	int			try_no;
	CallsyncResult result;
} CallsyncItem;

/* One request and what it carries. */
typedef struct CallsyncExchange
{
	dlist_node	node;			/* in one of the engine's lists */
	MemoryContext mcxt;
	CallsyncEngineDest *dest;
	CallsyncExchangeKind kind;
	const char *op_name;		/* the op itself may be replaced by a refresh */
	char	   *batch_key;		/* deliveries with the same key may join; NULL: one only */
	int			batch_max;
	bool		as_batch;		/* the answer has results per item */
	int			nitems;
	int			maxitems;
	CallsyncItem *items;
	bool		probe;			/* the breaker's */
	bool		bulk;
	CallsyncTaken taken;
	int64		request_id;
	CallsyncRequest request;
	bool		rendered;
	const char *method;
	bool		secret_url;
	int64		token_version;	/* of the access token it carries */
	int			nheaders;
	int			maxheaders;
	CallsyncHttpHeader *headers;	/* with credentials: never stored as they are */
	bool		repeatable;
	TimestampTz started_at;
	CallsyncHttpResponse *response;
	TimestampTz answered_at;
	bool		decided;		/* items[].result are filled in */
	bool		settling;		/* the running transaction writes it */
	int			settle_failures;	/* times that its own transaction failed, for what is in it */
} CallsyncExchange;

struct CallsyncEngine
{
	MemoryContext mcxt;
	MemoryContext jobs_mcxt;
	MemoryContext tick;			/* the caller's, reset after each turn */
	const CallsyncWorkerIdentity *identity;
	CallsyncHttp *http;
	CallsyncDestinations *destinations;
	CallsyncPlanner *planner;
	CallsyncJobs *jobs;
	int			ndests;
	int			maxdests;
	CallsyncEngineDest **dests;
	int			next_dest;		/* round robin */

	uint64		owned;			/* shards whose locks we have */
	uint64		shards;			/* those of them that we should have: the ones we work for */
	int			workers;		/* that they were taken for; 0: never */

	dlist_head	arming;			/* attempts are inserted by the running transaction */
	dlist_head	armed;			/* committed, to be sent */
	dlist_head	flying;			/* at http.c */
	dlist_head	answered;		/* answer in, not settled */
	dlist_head	withdrawn;		/* armed, and not to be sent after all */
	int			narmed;
	int			nflying;
	int			nanswered;
	int			nwithdrawn;

	/* decided by the running transaction itself, to be applied after it */
	int			nresults;
	int			maxresults;
	CallsyncResult **results;

	bool		shutting_down;
	bool		careful;		/* the merged transaction failed: one thing at a time */
	bool		more;			/* the last tick left work that can go on at once */
	bool		reload;			/* memory was given up: read the queue again */
	int64		last_tick_us;	/* real clock */
	int64		tick_us;		/* how long a tick takes, moving average */
	int64		sent_us;		/* when something was last handed to http.c */
	int64		batch_looked_ms;	/* when batches were last looked at */
	int64		wake_ms;		/* when the engine wants a tick without being woken */

	CallsyncEngineStatus status;
};

/* ---- engine.c ---- */
extern int64 callsync_engine_now_ms(void);
extern TimestampTz callsync_engine_time(int64 unix_ms);
extern int64 callsync_engine_ms(TimestampTz t);
extern CallsyncEngineDest *callsync_engine_dest(CallsyncEngine *engine, const char *name);
extern void callsync_engine_add_result(CallsyncEngine *engine, CallsyncResult *result);

/* Takes answers in and sends what is armed, without waiting: between two steps of a transaction, too. */
extern void callsync_engine_pump(CallsyncEngine *engine);

/* ---- wire.c ---- */
/* How many requests to arm beyond what may be on the wire, so that a free place is filled at once. */
extern int	callsync_wire_ahead(const CallsyncEngine *engine, const CallsyncEngineDest *dest);
/* An answer is in: its place is free, and how long it took is known. */
extern void callsync_wire_answered(CallsyncExchange *x);
/* Inside a transaction: that what was withdrawn never left. And after its commit. */
extern void callsync_wire_write_withdrawn(CallsyncEngine *engine);
extern void callsync_wire_withdrawn_committed(CallsyncEngine *engine);

/* ---- engine_dest.c ---- */
/* Limits, concurrency, retry schedule ... from the destination's options, where they changed. */
extern void callsync_engine_dest_configure(CallsyncEngine *engine, CallsyncEngineDest *dest);
/* May anything be sent there now? If not, *wait_until_ms says when to ask again (INT64_MAX: after a change). */
extern bool callsync_engine_dest_open(CallsyncEngine *engine, CallsyncEngineDest *dest, int64 now_ms,
									  int64 *wait_until_ms);
/* Inside a transaction: state rows and alerts of destinations, at most once a second each. */
extern void callsync_engine_dests_tell(CallsyncEngine *engine, bool force);
/* Where the answer says so: the destination is left alone for a while. */
extern void callsync_engine_dest_throttled(CallsyncEngineDest *dest, const CallsyncOutcome *outcome, int64 now_ms);
extern void callsync_engine_dest_error(CallsyncEngineDest *dest, const char *error_class, const char *message,
									   TimestampTz at);

/* ---- quota.c (inside a transaction) ---- */
extern bool callsync_engine_quota_is_booked(const CallsyncLimitSpec *spec);
/* Books units of limit i where the request needs some and none are in hand. */
extern void callsync_engine_quota_book(CallsyncEngineDest *dest, CallsyncLimitSet *set, int i, int64 cost, double keep_free,
									   int64 now_ms);
extern void callsync_engine_quota_undo(CallsyncEngine *engine);

/* ---- limits.c ---- */
extern void callsync_limits_attach(CallsyncEngine *engine);
/* From the connector and the destination's options. */
extern void callsync_limits_configure(CallsyncEngine *engine, CallsyncEngineDest *dest);
/*
 * This process is new: what an earlier one sent a moment ago still counts, and what the
 * server asked for still holds. last_told: when somebody who sent there said so (0: never).
 */
extern void callsync_limits_resume(CallsyncEngineDest *dest, TimestampTz last_told, TimestampTz throttled_until);
/* Takes what the op needs; on refusal *wait_until_ms, and whether other ops have to wait as well. */
extern bool callsync_engine_dest_take(CallsyncEngine *engine, CallsyncEngineDest *dest, const CallsyncOp *op, CallsyncExchange *exchange,
									  int64 now_ms, int64 *wait_until_ms, bool *general);
/* Takes a place among the requests at a time, for one that leaves. Where there is none, this worker is woken for one. */
extern bool callsync_limits_enter(CallsyncEngine *engine, CallsyncExchange *exchange);
/* It did not leave. */
extern void callsync_limits_exit(CallsyncExchange *exchange);
extern void callsync_engine_dest_give_back(CallsyncExchange *exchange, bool counted, int64 now_ms);
/* What is held for answers that never came, where they cannot be on their way any more */
extern void callsync_limits_tick(CallsyncEngine *engine);
/* The server wants to be left alone: by all workers. */
extern void callsync_limits_pause(CallsyncEngineDest *dest, int64 until_ms);
extern int64 callsync_limits_paused_until(CallsyncEngineDest *dest);
/* What the answer's headers say of a limit; name NULL: the first one */
extern void callsync_limits_learn(CallsyncEngineDest *dest, const char *name, int64 limit, int64 remaining, int64 now_ms);
/* Units of the n-th limit that are free */
extern int64 callsync_limits_free(CallsyncEngineDest *dest, int n, int64 now_ms);
/* [{"name", "limit", "per_s", "free"}] */
extern char *callsync_limits_text(CallsyncEngineDest *dest, int64 now_ms);

/* ---- loader.c (inside a transaction) ---- */
extern void callsync_load_planned(CallsyncEngine *engine, const int64 *ids, int n, bool fresh);
/* From the queue table, as far as there is room. True: there is more to load at once. */
extern bool callsync_load_queue(CallsyncEngine *engine);

/* What load_queue wrote about destinations that are back is committed. */
extern void callsync_load_hastened(CallsyncEngine *engine);
/* Earliest due time of what was left in the table, INT64_MAX none */
extern int64 callsync_load_next_ms(CallsyncEngine *engine);
/* The memory side of a job that leaves. */
extern void callsync_load_left(CallsyncJob *job);

/* ---- arm.c (inside a transaction) ---- */
extern void callsync_arm(CallsyncEngine *engine);
/* The transaction failed: their jobs go back. */
extern void callsync_arm_undo(CallsyncEngine *engine);

/* ---- exchange.c ---- */
extern CallsyncExchange *callsync_exchange_create(CallsyncEngine *engine, CallsyncEngineDest *dest);
extern void callsync_exchange_free(CallsyncExchange *exchange);
/* The template context of a delivery; kept in CurrentMemoryContext. */
extern json_t *callsync_exchange_context(CallsyncEngineDest *dest, const CallsyncStep *step,
										 const CallsyncDelivery *row);
extern char *callsync_exchange_trace(const CallsyncDelivery *row);
extern void callsync_exchange_forget_key(json_t *context, const CallsyncDelivery *row, const CallsyncOp *op);
extern void callsync_exchange_input(CallsyncEngineDest *dest, const json_t *context, TimestampTz now,
									CallsyncRenderMode mode, CallsyncRenderInput *input);
/* False: cannot be rendered; *bad is the item at fault (-1: the whole) */
extern bool callsync_exchange_render(CallsyncEngine *engine, CallsyncExchange *exchange, int *bad,
									 CallsyncDocError *err);
extern void callsync_exchange_add_header(CallsyncExchange *exchange, const char *name, const char *value);
/* Attempt rows of what was rendered, appended to a batch of starts */
extern void callsync_exchange_starts(CallsyncEngine *engine, CallsyncExchange *exchange,
									 CallsyncAttemptStart *starts);
extern void callsync_exchange_ends(CallsyncExchange *exchange, CallsyncAttemptEnd *ends);
extern bool callsync_exchange_submit(CallsyncEngine *engine, CallsyncExchange *exchange);
/* The answer as row 0 wants it */
extern void callsync_exchange_response(CallsyncExchange *exchange, CallsyncResponse *response);
extern const char *callsync_exchange_kind_name(CallsyncExchangeKind kind);

/* ---- deliver.c ---- */
/* What the answer means for each item: fills items[].result. No table is touched. */
extern void callsync_deliver_decide(CallsyncEngine *engine, CallsyncExchange *exchange);
/* A delivery that cannot be sent at all. */
extern void callsync_deliver_refuse(CallsyncResult *result, const char *error_class, const char *message,
									const char *remedy);
extern void callsync_result_init(CallsyncResult *result, CallsyncJob *job, CallsyncEngineDest *dest,
								 const CallsyncDelivery *row);

/* ---- mask_answer.c ---- */
/* Overwrites in the answer what it repeats of the credentials of the request. */
extern void callsync_mask_answer(CallsyncExchange *exchange);

/* ---- confirm.c ---- */
extern void callsync_confirm_item(CallsyncEngine *engine, CallsyncExchange *exchange, CallsyncItem *item,
								  const CallsyncOp *op, const CallsyncFound *found);

/* ---- settle.c ---- */
/* Inside a transaction: writes results and attempt ends. */
/* Is something of a contact written, which workers share, when this is settled? */
extern bool callsync_result_of_contact(const CallsyncResult *r);
extern void callsync_settle_write(CallsyncEngine *engine, CallsyncResult **results, int n,
								  const CallsyncAttemptEnd *ends, int nends);
/* After it committed. */
extern void callsync_results_apply(CallsyncEngine *engine, CallsyncResult **results, int n);

/* ---- auth.c ---- */
/*
 * Adds the credential to a rendered request (headers of the exchange). False: there is
 * none that can be used now; err says why.
 */
extern bool callsync_auth_apply(CallsyncEngineDest *dest, CallsyncExchange *exchange, CallsyncDocError *err);
/* What takes the place of the connector's base URL, or NULL; *secret: it is not to be shown */
extern const char *callsync_auth_url(CallsyncEngineDest *dest, bool *secret);
/* May it be used? If not, *wait_until_ms says when to ask again. */
extern bool callsync_auth_ready(CallsyncEngineDest *dest, int64 *wait_until_ms);
/* The destination refused it (401). True: it is being renewed, no person is needed yet. */
extern bool callsync_auth_refused(CallsyncEngineDest *dest, const CallsyncExchange *exchange);

/* ---- crash.c ---- */
/* Kills this process as a crash would, where callsync.crash_at names the point. */
extern void callsync_crash_point(const char *point);

#endif
