/*
 * connector.h
 *		A connector document, parsed once into a const struct: what a CRM's API
 *		looks like, as data.  No vendor is known here.
 *
 * The document's format is doc/connectors.md.  Parsing checks everything that
 * can be checked without a call: unknown keys, filters, operations, conditions,
 * regular expressions, and that references lead somewhere.  What comes out is
 * immutable and may be shared; every pointer in it lives until
 * callsync_connector_free().
 *
 * Memory is malloc (jansson's), owned by the connector: the rows above attach
 * callsync_connector_free to a memory context by a reset callback.
 */
#ifndef CALLSYNC_CORE_CONNECTOR_H
#define CALLSYNC_CORE_CONNECTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/docerror.h"
#include "core/template.h"

typedef struct CallsyncConnector CallsyncConnector;

/* Why a second send of the same step makes no second record. */
typedef enum CallsyncIdempotency
{
	CALLSYNC_IDEM_NONE,			/* nothing does: UNCERTAIN goes to a person */
	CALLSYNC_IDEM_LOOKUP,		/* op->guard must look first; beware of index lag */
	CALLSYNC_IDEM_BY_KEY,		/* upsert by our key */
	CALLSYNC_IDEM_CLIENT_ID,	/* we choose the record's id (a second create is a duplicate answer) */
	CALLSYNC_IDEM_HEADER,		/* an idempotency header is sent */
	CALLSYNC_IDEM_FIELD,		/* a transaction-id field in the body */
	CALLSYNC_IDEM_IF_NONE_MATCH,
	CALLSYNC_IDEM_NATURAL,		/* same request, same effect: PUT, PATCH by id, DELETE, reads */
	CALLSYNC_IDEM_RECEIVER		/* the receiver removes duplicates by the message id */
} CallsyncIdempotency;

/* Everything but NONE and LOOKUP may be sent again blindly. */
extern bool callsync_idempotency_is_safe(CallsyncIdempotency idem);

typedef enum CallsyncOpKind
{
	CALLSYNC_OP_WRITE,			/* create, update, upsert, associate, cancel */
	CALLSYNC_OP_FIND,
	CALLSYNC_OP_READ,			/* read-back */
	CALLSYNC_OP_DESCRIBE,
	CALLSYNC_OP_CHANGES,
	CALLSYNC_OP_DELETE,
	CALLSYNC_OP_PROBE			/* test_destination: who am I, limits */
} CallsyncOpKind;

typedef enum CallsyncBodyKind
{
	CALLSYNC_BODY_NONE,
	CALLSYNC_BODY_JSON,
	CALLSYNC_BODY_FORM,			/* application/x-www-form-urlencoded */
	CALLSYNC_BODY_MULTIPART,	/* multipart/form-data */
	CALLSYNC_BODY_XML,
	CALLSYNC_BODY_TEXT			/* text of any kind, escaped by its filters (text/calendar) */
} CallsyncBodyKind;

/* Delivery priority: the ladder of D19, smaller first. */
typedef enum CallsyncPriority
{
	CALLSYNC_PRIORITY_CALENDAR = 10,
	CALLSYNC_PRIORITY_CONTACT = 20,
	CALLSYNC_PRIORITY_CALL = 30,
	CALLSYNC_PRIORITY_TASK = 40,
	CALLSYNC_PRIORITY_WEBHOOK = 50,
	CALLSYNC_PRIORITY_TICKET = 60,
	CALLSYNC_PRIORITY_NOTIFICATION = 70
} CallsyncPriority;

typedef enum CallsyncConfirmation
{
	CALLSYNC_CONFIRM_READ_BACK, /* stored record compared field by field */
	CALLSYNC_CONFIRM_RESPONSE,	/* the answer is the evidence */
	CALLSYNC_CONFIRM_TRANSPORT	/* accepted for processing, nothing more is known */
} CallsyncConfirmation;

/* A batch variant of an operation: many items, one request. */
typedef struct CallsyncBatch
{
	int			max;			/* items per request */
	bool		by_position;	/* results in the order of the items (else joined by a key) */
	bool		only;			/* there is no form for one item: n = 1 is rendered as a batch, too */
	/* the rest is read by request.c and classify_batch.c only */
	const struct CallsyncBatchImpl *impl;
} CallsyncBatch;

/* Operations.  Public members are for reading only. */
typedef struct CallsyncOp
{
	const char *name;			/* "contact.upsert" */
	CallsyncOpKind kind;
	const char *object;			/* logical object ("contact"); NULL: none or any */
	const char *method;
	CallsyncBodyKind body_kind;
	const char *content_type;	/* NULL without a body */
	CallsyncIdempotency idempotency;
	const char *guard;			/* op that looks the record up by our key, or NULL */
	const char *fallback;		/* FIND: op to ask next when nothing was found, or NULL */
	const char *bucket;			/* word that limits may name ("search"); never NULL (default: the kind's word) */
	int			cost;			/* units of the buckets that count cost */
	bool		strong;			/* FIND/READ: sees a write at once (not an index that lags) */
	int			lag_s;			/* how long the index may lag when not strong */
	bool		verify_locally; /* FIND by phone: compare candidates here, the server's match is loose */
	bool		needs_id;		/* the request addresses a record by its id (context "id") */
	bool		creates;		/* may create a record */
	const CallsyncBatch *batch;	/* NULL: one at a time */
	int			max_ids;		/* READ: records per request ("ids" of the context); 1 = one "id" */
	const struct CallsyncOpImpl *impl;
} CallsyncOp;

/* One step of the default plan. */
typedef struct CallsyncDep
{
	const char *step;
	bool		required;		/* false: wait for it, but go on without when it failed or is absent */
} CallsyncDep;

typedef struct CallsyncStep
{
	const char *name;			/* "contact", "call", "call_contact", ... */
	const char *object;			/* logical object whose map and fields apply */
	const char *map;			/* member of "mapping"; NULL: no fields (links) */
	bool		per_person;		/* one record per person, not per call (ordering key, id from match) */
	const char *record_of;		/* step whose record this one works on (id is shared), or NULL */
	CallsyncPriority priority;
	int			ndeps;
	const CallsyncDep *deps;
	const char *read_op;		/* read-back, or NULL */
	const char *id_from;		/* path in the call document that names an existing record (ticket.id), or NULL */
	const json_t *again_on;		/* paths; the step is planned again when a value there is another one, or NULL */
	const struct CallsyncStepImpl *impl;
} CallsyncStep;

/* Paths that decide whether the step is taken, by which operation, and on which record. */
extern void callsync_step_paths(const CallsyncStep *step, void (*fn) (void *arg, const char *path, bool optional), void *arg);

/* ---- life ---- */

/*
 * Parses document, with overlay (a destination's override, may be NULL) merged
 * over it and base_url (may be NULL) in place of base.url.  "preset" in the
 * overlay names a member of the document's "presets", which is merged before it.  Both documents stay
 * the caller's.  NULL on error.
 */
extern CallsyncConnector *callsync_connector_parse(const json_t *document, const json_t *overlay,
												   const char *base_url, CallsyncDocError *err);
extern CallsyncConnector *callsync_connector_parse_text(const char *document, size_t document_len,
														const char *overlay, size_t overlay_len,
														const char *base_url, CallsyncDocError *err);
extern void callsync_connector_free(CallsyncConnector *connector);

/*
 * The merge by itself (new reference): objects member by member, null removes a
 * member, "name+": [..] puts elements in front of the array "name" (rules: first
 * match wins), "name=": x puts x in place of "name", anything else replaces.
 */
extern json_t *callsync_connector_merge(const json_t *document, const json_t *overlay);

/* ---- look-ups ---- */

extern const char *callsync_connector_name(const CallsyncConnector *connector);
extern const char *callsync_connector_version(const CallsyncConnector *connector);
/* base.url after override; NULL: the document leaves it to the destination, which gave none */
extern const char *callsync_connector_base_url(const CallsyncConnector *connector);
/* JSON pointer into the token answer whose value replaces base.url (instance_url, api_domain), or NULL */
extern const char *callsync_connector_base_url_from(const CallsyncConnector *connector);
/* base.vars with "base": for CallsyncRenderInput.vars when mapping (rendering sets it by itself) */
extern const json_t *callsync_connector_vars(const CallsyncConnector *connector);
/* The merged document (borrowed) */
extern const json_t *callsync_connector_document(const CallsyncConnector *connector);
extern CallsyncConfirmation callsync_connector_confirmation(const CallsyncConnector *connector);

extern int	callsync_connector_op_count(const CallsyncConnector *connector);
extern const CallsyncOp *callsync_connector_op_at(const CallsyncConnector *connector, int n);
extern const CallsyncOp *callsync_connector_op(const CallsyncConnector *connector, const char *name);

/* Steps in an order that respects dependencies, then priority, then name. */
extern int	callsync_connector_step_count(const CallsyncConnector *connector);
extern const CallsyncStep *callsync_connector_step_at(const CallsyncConnector *connector, int n);
extern const CallsyncStep *callsync_connector_step(const CallsyncConnector *connector, const char *name);

/* Does the step apply to this call?  Context: call, match, meta, find, and id where it is known. */
extern bool callsync_step_applies(const CallsyncConnector *connector, const CallsyncStep *step,
								  const CallsyncRenderInput *input);
/*
 * Which operation the step is now: first alternative of the document whose
 * condition holds ("id" known -> update, else create or upsert; a cancelled
 * appointment -> cancel).  NULL: none applies.
 */
extern const CallsyncOp *callsync_step_op(const CallsyncConnector *connector, const CallsyncStep *step,
										  const CallsyncRenderInput *input);

/*
 * What is known about an object without asking the server: {"field": {"type",
 * "max", "required", "options", "readonly", "unique"}}; borrowed, NULL if the document
 * declares none.  Same shape as callsync_describe_fields() gives.
 */
extern const json_t *callsync_connector_fields(const CallsyncConnector *connector, const char *object);
/* The object's name at the destination ("contacts"); NULL: unknown object (B05) */
extern const char *callsync_connector_object(const CallsyncConnector *connector, const char *object);
/* Default field map: {"contact": {...}, ..., "defaults": {...}}; borrowed, NULL if none */
extern const json_t *callsync_connector_mapping(const CallsyncConnector *connector);

/* Turns a describe answer into the shape above; new reference, NULL + err when it is no such answer. */
extern json_t *callsync_describe_fields(const CallsyncConnector *connector, const CallsyncOp *op,
										const json_t *answer, CallsyncDocError *err);

/* ---- authentication (the token itself is row 4's) ---- */

typedef enum CallsyncAuthKind
{
	CALLSYNC_AUTH_NONE,
	CALLSYNC_AUTH_STATIC_BEARER,
	CALLSYNC_AUTH_HEADER,		/* api key in a header of the document's choice */
	CALLSYNC_AUTH_BASIC,
	CALLSYNC_AUTH_OAUTH2_REFRESH,
	CALLSYNC_AUTH_OAUTH2_CLIENT_CREDENTIALS,
	CALLSYNC_AUTH_OAUTH2_JWT_BEARER,
	CALLSYNC_AUTH_URL_SECRET,	/* the URL itself is the secret */
	CALLSYNC_AUTH_SIGNATURE		/* Standard Webhooks signature over the body */
} CallsyncAuthKind;

typedef struct CallsyncAuth
{
	CallsyncAuthKind kind;
	const char *header;			/* "Authorization" */
	const char *scheme;			/* "Bearer"; "" = the bare token */
	const char *token_url;		/* template text, render with callsync_connector_token_url() */
	const char *client_auth;	/* body | basic | query | assertion */
	const char *grant_type;		/* of the token request; NULL: by kind */
	const char *scope;			/* template text or NULL */
	const json_t *extra_params; /* {name: template} added to the token request, or NULL */
	const json_t *extra_headers;	/* {name: text} sent with every request, or NULL */
	const char *access_pointer; /* JSON pointers into the token answer */
	const char *refresh_pointer;
	const char *expires_in_pointer;
	const char *error_pointer;
	const char *error_description_pointer;
	bool		refresh_rotates;	/* a refresh token in the answer replaces the stored one */
	bool		error_on_200;	/* an error may come with status 200 */
	int			default_lifetime_s; /* when the answer has no expires_in; 0 = until a 401 */
	int			refresh_early_s;
	int			min_refresh_interval_s;
	int			keepalive_days; /* refresh an idle connection before that, 0 = no need */
	const char *jwt_alg;		/* "RS256" */
	const json_t *jwt_claims;	/* {claim: template} or NULL */
	int			jwt_exp_s;
	const char *const *fatal_errors;	/* NULL-terminated: invalid_grant, ...: credential is dead */
	const char *const *secret_keys; /* NULL-terminated: keys of set_secret() that are needed */
} CallsyncAuth;

/*
 * The kind in force for a destination: the document may offer several
 * ("auth": {"kind": .., "alternatives": {...}}); have_key tells which secrets are
 * set, the first complete one wins, else the first.
 */
extern const CallsyncAuth *callsync_connector_auth(const CallsyncConnector *connector,
												   bool (*have_key) (void *arg, const char *key), void *arg);
/* malloc'ed */
extern char *callsync_connector_token_url(const CallsyncConnector *connector, const CallsyncAuth *auth,
										  const CallsyncRenderInput *input, CallsyncDocError *err);
/* Renders one text template that is not part of an op (scope, claims); malloc'ed */
extern char *callsync_connector_render_text(const CallsyncConnector *connector, const char *tmpl,
											const CallsyncRenderInput *input, CallsyncDocError *err);

/* ---- limits ---- */

typedef struct CallsyncLimitSpec
{
	const char *name;			/* "burst", "day"; unique in the document */
	const char *op_bucket;		/* covers only ops with this bucket word; NULL: all */
	int64_t		rate;
	int64_t		window_ms;
	bool		fixed;			/* resets at midnight of the account instead of sliding */
	bool		counts_cost;	/* takes op->cost units, not 1 */
} CallsyncLimitSpec;

/* Returns the number; at most CALLSYNC_LIMITS_MAX (rate.h). */
extern int	callsync_connector_limits(const CallsyncConnector *connector, const CallsyncLimitSpec **specs);
extern int	callsync_connector_concurrency(const CallsyncConnector *connector);
/* Does the limit cover the op? */
extern bool callsync_limit_covers(const CallsyncLimitSpec *spec, const CallsyncOp *op);

/* ---- check_connector ---- */

typedef void (*CallsyncCheckReport) (void *arg, bool ok, const char *what, const char *detail);

/*
 * The checks of check_connector(name): every op has what its kind needs (success
 * rule, id, idempotency or guard), every rule is reachable, every step leads to ops
 * and maps that exist, a sample request of each op renders, the default map maps
 * a sample call.  Reports each check once, in a fixed order; returns the number
 * of failures.
 */
extern int	callsync_connector_check(const CallsyncConnector *connector, const CallsyncEnv *env,
									 CallsyncCheckReport report, void *arg);

#endif
