/*
 * sent_request.h
 *		What preview() reads: a call's steps, and what was sent for each.
 *
 * Everything is in the current memory context and needs an SPI connection.
 */
#ifndef CALLSYNC_STORE_SENT_REQUEST_H
#define CALLSYNC_STORE_SENT_REQUEST_H

#include "utils/date.h"

/* The newest delivery of one step. */
typedef struct CallsyncCallStep
{
	char	   *step;
	int64		delivery;
	DateADT		day;			/* where its rows are */
} CallsyncCallStep;

/* One request as it left; texts are NULL where the row has none. */
typedef struct CallsyncSentRequest
{
	int			attempt;
	char	   *method;
	char	   *url;
	char	   *headers;		/* a JSON object, redacted */
	char	   *body;
	int			deliveries;		/* that the request carried */
	int			http_status;	/* 0 = no answer yet, or none */
	char	   *outcome;		/* NULL = on its way */
	int64		request_id;
} CallsyncSentRequest;

/*
 * The sources that know the call (all of them where source is NULL); returns
 * their number, and sets *first where there is one.
 */
extern int	callsync_call_sources(const char *call_id, const char *source, char **first);

/*
 * The call's steps at a destination in the order of their deliveries; returns
 * their number. *status and *trace_id are set where there are any.
 */
extern int	callsync_call_steps(const char *call_id, const char *destination, const char *source,
								CallsyncCallStep **steps, char **status, char **trace_id);

/* The requests sent for a delivery, oldest first; returns their number. */
extern int	callsync_sent_requests(int64 delivery, DateADT day, CallsyncSentRequest **requests);

#endif
