/*
 * classify.h
 *		What an answer means: the connector's rules over status, headers and
 *		body, first match wins; and what can be taken out of it (record id,
 *		created or updated, results of the items of a batch, candidates of a
 *		search).
 *
 * The answer is untrusted: cut, HTML in place of JSON, hours in Retry-After.
 * Nothing here raises; whatever cannot be understood gets a class that keeps the
 * data safe (a lost answer of a create that cannot be repeated is UNCERTAIN).
 */
#ifndef CALLSYNC_CORE_CLASSIFY_H
#define CALLSYNC_CORE_CLASSIFY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/connector.h"
#include "core/errclass.h"
#include "core/request.h"
#include "core/transport.h"

typedef struct CallsyncResponse
{
	CallsyncTransport transport;	/* what happened below HTTP */
	int			status;			/* 0 without an answer */
	int			nheaders;
	const CallsyncHeader *headers;
	const char *body;			/* may be NULL */
	size_t		body_len;
	int64_t		now_ms;			/* local clock when the answer was in */
} CallsyncResponse;

#define CALLSYNC_ID_MAX 256
#define CALLSYNC_MESSAGE_MAX 512

typedef enum CallsyncTri
{
	CALLSYNC_UNKNOWN,
	CALLSYNC_NO,
	CALLSYNC_YES
} CallsyncTri;

typedef struct CallsyncOutcome
{
	CallsyncErrorClass error_class;
	char		id[CALLSYNC_ID_MAX];	/* record's id, "" = none given */
	CallsyncTri created;		/* made new by this request? */
	char		existing_id[CALLSYNC_ID_MAX];	/* DUPLICATE: the record that is in the way, "" = look it up */
	int64_t		retry_at_ms;	/* local clock: not before; 0 = nothing said */
	int64_t		retry_asked_ms; /* the server asked for more than the connector's cap_s; 0 = it did not */
	bool		pause_destination;	/* THROTTLED: holds for everything, not for this delivery only */
	bool		disable;		/* the endpoint asked to be left alone (410) */
	bool		split;			/* batch refused as a whole: send its items one by one */
	bool		own;			/* of a batch's item: the answer speaks of this item, not of the batch */
	bool		drift;			/* the schema is not what we think */
	char		field[128];		/* field the message is about, "" = unknown */
	char		message[CALLSYNC_MESSAGE_MAX];	/* server's own words, cut at a character, control characters removed */
	char		code[128];		/* server's error code, "" = none */
	const char *remedy;			/* one sentence: what to do; never NULL; "" when OK */
	int			rule;			/* number of the rule that matched, -1 = built-in */
	int64_t		skew_ms;		/* server's clock minus ours by its Date header, 0 = unknown */
} CallsyncOutcome;

/* Parsed once, used by the calls below.  NULL when the body is no JSON. */
extern json_t *callsync_response_json(const CallsyncResponse *response);

/*
 * Classifies the answer to a single request.  json: result of
 * callsync_response_json() or NULL.  env gives the account's zone for "until
 * midnight" (may be NULL = UTC).
 */
extern void callsync_classify(const CallsyncConnector *connector, const CallsyncOp *op,
							  const CallsyncResponse *response, const json_t *json,
							  const CallsyncEnv *env, CallsyncOutcome *outcome);

/*
 * Classifies the answer to a batch of n items: *whole for the exchange (OK,
 * PARTIAL or an error of the whole), items[i] for each item.  joins: the
 * request's (CallsyncRequest.joins).  An item the answer does not mention is
 * UNCERTAIN or TRANSIENT (never OK), or has the whole's class where the whole
 * failed.  whole->split: the server refused the batch because of some item
 * without naming it; send the items one by one.  items[i].own: the answer has a word
 * of its own about the item; on its own it would meet the same.
 * (For an op that only exists as a batch callsync_classify() serves n = 1.)
 */
extern void callsync_classify_batch(const CallsyncConnector *connector, const CallsyncOp *op,
									const CallsyncResponse *response, const json_t *json,
									const CallsyncEnv *env, char *const *joins, int n,
									CallsyncOutcome *whole, CallsyncOutcome *items);

/* One record of a search or read answer. */
typedef struct CallsyncFound
{
	char		id[CALLSYNC_ID_MAX];
	json_t	   *fields;			/* the record's fields, borrowed from the answer */
	json_t	   *record;			/* the whole item, borrowed */
} CallsyncFound;

/*
 * Records in an OK answer of a FIND, READ or CHANGES op.  Returns how many there
 * are (may exceed max; only max are filled), -1 when the answer does not have
 * the promised shape (then treat it as transient, not as "nothing found").  input:
 * what the request was rendered from; a look-up by text ("where") needs it, others
 * may pass NULL.
 */
extern int	callsync_response_items(const CallsyncConnector *connector, const CallsyncOp *op,
									const CallsyncRenderInput *input,
									const CallsyncResponse *response, const json_t *json,
									CallsyncFound *found, int max);
/* Contact-shaped view of a found record ({"phone", "mobile_phone", "email", "first_name", ...}); new reference */
extern json_t *callsync_found_contact(const CallsyncOp *op, const CallsyncFound *found);
/* Cursor of the next page into out; false: last page */
extern bool callsync_response_cursor(const CallsyncOp *op, const CallsyncResponse *response,
									 const json_t *json, char *out, size_t out_size);

/* Header value by name without case, NULL if absent. */
extern const char *callsync_response_header(const CallsyncResponse *response, const char *name);

/*
 * What the answer's headers say about limits: calls learn for each statement.
 * limit, remaining: -1 = not given; reset_at_ms: 0 = not given (local clock).
 */
typedef void (*CallsyncLimitLearn) (void *arg, const char *limit_name, int64_t limit, int64_t remaining,
									int64_t reset_at_ms);
extern void callsync_response_limits(const CallsyncConnector *connector, const CallsyncOp *op,
									 const CallsyncResponse *response,
									 CallsyncLimitLearn learn, void *arg);
#endif
