/*
 * request_impl.h
 *		What request.c and request_batch.c share; nothing for others.
 */
#ifndef CALLSYNC_CORE_REQUEST_IMPL_H
#define CALLSYNC_CORE_REQUEST_IMPL_H

#include "core/connector_impl.h"
#include "core/request.h"

/* Absolute URL of a path template; malloc'ed, NULL + err */
extern char *callsync_request_url(const CallsyncConnector *c, const CallsyncTemplate *path, const CallsyncRenderInput *input,
								  const char *base_url, CallsyncDocError *err);
extern size_t callsync_url_origin_len(const char *url);
/* Adds or replaces headers; false + err */
extern bool callsync_request_add_headers(CallsyncRequest *request, const OpHeader *headers, int n,
										 const CallsyncRenderInput *input, CallsyncDocError *err);
/* Renders the body by the op's kind into request; false + err */
extern bool callsync_request_body(const CallsyncOp *op, const CallsyncTemplate *tmpl, const CallsyncRenderInput *input,
								  CallsyncRequest *request, CallsyncDocError *err);

#endif
