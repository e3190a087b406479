/*
 * request.h
 *		From an operation and a context to the bytes of a request: the one
 *		renderer, used by the delivery loop and by preview().
 *
 * Credentials are not here: the transport adds the auth header.  What comes out
 * is the same byte for byte for the same context.
 */
#ifndef CALLSYNC_CORE_REQUEST_H
#define CALLSYNC_CORE_REQUEST_H

#include "core/connector.h"

typedef struct CallsyncHeader
{
	const char *name;
	const char *value;
} CallsyncHeader;

typedef struct CallsyncRequest
{
	const CallsyncOp *op;
	const char *method;
	char	   *url;			/* absolute */
	int			nheaders;		/* without Content-Type, Content-Length and credentials */
	CallsyncHeader *headers;
	const char *content_type;	/* NULL: no body; owned by the request */
	char	   *body;			/* NUL-terminated behind body_len; NULL: no body */
	size_t		body_len;
	int			nitems;			/* 1, or the items of a batch */
	/*
	 * By what the answer names each item (trace, record id, pair of ids ...), for
	 * callsync_classify_batch(); NULL: by position.
	 */
	char	  **joins;
} CallsyncRequest;

/*
 * Renders op for one context (input->context).  base_url: NULL = the
 * connector's (a token answer may have given another).  On false err says what
 * is missing: a delivery that cannot be rendered is a validation error, never sent.
 */
extern bool callsync_request_render(const CallsyncConnector *connector, const CallsyncOp *op,
									const CallsyncRenderInput *input, const char *base_url,
									CallsyncRequest *request, CallsyncDocError *err);

/*
 * Renders one request for n contexts (1 <= n <= op->batch->max).  All must agree
 * in what the batch's path and common body read; callsync_request_batch_key()
 * tells which may share one.
 * Each context needs its own "trace".  No two may address the same record.  On
 * false *bad is the index of the item that could not be rendered, -1 = none of
 * them in particular.
 */
extern bool callsync_request_render_batch(const CallsyncConnector *connector, const CallsyncOp *op,
										  const json_t *const *contexts, int n,
										  const CallsyncRenderInput *input, const char *base_url,
										  CallsyncRequest *request, int *bad, CallsyncDocError *err);

/* Frees what the request points to, not the struct. */
extern void callsync_request_free(CallsyncRequest *request);

/*
 * Contexts with the same key may travel in one batch of op: method, path and
 * headers render alike.  malloc'ed text; NULL + err on error.
 */
extern char *callsync_request_batch_key(const CallsyncConnector *connector, const CallsyncOp *op,
										const CallsyncRenderInput *input, CallsyncDocError *err);
#endif
