/*
 * attempt.h
 *		Attempt rows: the start is committed before a request leaves, the end with
 *		what became of it. "Started, no end" is then exactly the set of
 *		requests whose outcome is unknown.
 */
#ifndef CALLSYNC_STORE_ATTEMPT_H
#define CALLSYNC_STORE_ATTEMPT_H

#include "datatype/timestamp.h"
#include "utils/date.h"

typedef struct CallsyncAttemptStart
{
	DateADT		day;			/* of the delivery */
	int64		delivery_id;
	int			n;
	const char *kind;			/* send | lookup | read_back */
	int			try_no;			/* of the sends: 1, 2, ...; of others: the send it follows */
	int64		request_id;
	bool		carrier;		/* this row stores the exchange; others of a batch point to it */
	TimestampTz started_at;
	const char *destination;
	const char *method;
	const char *url;			/* credentials masked */
	const char *headers;		/* JSON text, credentials masked; NULL where not carrier */
	const char *body;			/* NULL: none, or not carrier */
	size_t		body_len;
	const char *worker;
	int64		carrier_id;		/* where not carrier: delivery whose row is */
	int			items;			/* deliveries in the exchange */
} CallsyncAttemptStart;

typedef struct CallsyncAttemptEnd
{
	DateADT		day;
	int64		delivery_id;
	int			n;
	TimestampTz finished_at;
	int			http_status;	/* 0: no answer */
	const char *outcome;		/* ok | refused | no_answer | unknown | not_sent | dry_run */
	const char *error_class;	/* NULL when ok */
	const char *message;
	const char *response;		/* masked and cut; NULL: none, or not carrier */
	size_t		response_len;
	const char *response_headers;	/* JSON text or NULL */
	double		duration_ms;	/* < 0: NULL */
} CallsyncAttemptEnd;

/* n new request ids */
extern void callsync_attempt_request_ids(int64 *ids, int n);

extern void callsync_attempt_start(const CallsyncAttemptStart *attempts, int n);
extern void callsync_attempt_end(const CallsyncAttemptEnd *ends, int n);

#endif
