/*
 * inquiry.h
 *		Rows of the exchanges that belong to no delivery (service_request), and of
 *		what came out of them.
 */
#ifndef CALLSYNC_STORE_INQUIRY_H
#define CALLSYNC_STORE_INQUIRY_H

#include "datatype/timestamp.h"

/* Before the request leaves; returns its id. */
extern int64 callsync_inquiry_begin(const char *destination, const char *kind, const char *method, const char *url,
									const char *worker, TimestampTz now);
extern void callsync_inquiry_end(int64 request_id, int http_status, const char *outcome, const char *error_class,
								 const char *message, double duration_ms, TimestampTz now);

/* Outcome of a test that began at started_at. rows: JSON array of {"area", "item", "ok", "detail"}. */
extern void callsync_test_save(const char *destination, TimestampTz started_at, const char *rows);

#endif
