/*
 * classify_impl.h
 *		What the files classify*.c share; nothing for others.
 */
#ifndef CALLSYNC_CORE_CLASSIFY_IMPL_H
#define CALLSYNC_CORE_CLASSIFY_IMPL_H

#include "core/classify.h"
#include "core/connector_impl.h"

/* Text taken from an answer (or an item of it); false: not there or no match. */
extern bool callsync_extract(const Extract *extract, const CallsyncResponse *response, const json_t *json,
							 char *out, size_t size);
/* n = 0 holds */
extern bool callsync_tests_hold(const JsonTests *tests, const json_t *json);

/* Classifies an answer that is known to be no success, by rules then by status. */
extern void callsync_classify_failure(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response,
									  const json_t *json, const CallsyncEnv *env, CallsyncOutcome *outcome);
/* The answer that should be there is not (HTML, cut JSON, no id): may have happened. */
extern void callsync_classify_lost(const CallsyncOp *op, CallsyncOutcome *outcome, const char *message);
extern void callsync_outcome_init(CallsyncOutcome *outcome, const CallsyncResponse *response);
/* message, cleaned: one line of text without credentials */
extern void callsync_outcome_message(CallsyncOutcome *outcome, const char *text, size_t len);
extern const char *callsync_remedy(CallsyncErrorClass error_class);
/* Is the status one of the op's successes? */
extern bool callsync_status_ok(const CallsyncOp *op, int status);
/* A rule for an answer whose status says "fine"; false: none */
extern bool callsync_rule_on_success(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response,
									 const json_t *json, const CallsyncEnv *env, CallsyncOutcome *outcome);

/* classify_batch.c: the answer to a multipart batch */
extern void callsync_classify_parts(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response,
									const CallsyncEnv *env, int n, CallsyncOutcome *items);

#endif
