/*
 * model_json.h
 *		Models and policies as they are stored: JSON text.
 */
#ifndef CALLSYNC_STORE_MODEL_JSON_H
#define CALLSYNC_STORE_MODEL_JSON_H

#include "core/score.h"

/* {"lambda": .., "rho": .., "m": {"PHONE": {"line": ..}}, "u": ..}: replaces what it names. */
extern void callsync_model_from_json(CallsyncModel *model, const char *text);
extern char *callsync_model_to_json(const CallsyncModel *model);

/* A member of a JSON object as text; NULL where it is absent, null, or no scalar. */
extern char *callsync_json_member(const char *object, const char *key);

/* Of a destination's options: thresholds, identifiers, region. */
extern void callsync_policy_from_json(const char *options, CallsyncPolicy *policy, int *region);

#endif
