/*
 * connector_limits.c
 *		The part "limits" of a connector document.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/connector_impl.h"

static bool
parse_bucket(CallsyncLimitSpec *spec, const char *name, const json_t *doc, CallsyncDocError *err)
{
	static const char *const keys[] = {"rate", "per_ms", "per_s", "op", "reset", "cost", NULL};
	static const char *const resets[] = {"sliding", "midnight", NULL};
	char		where[200];
	int64_t		rate = 0;
	int64_t		per_ms = 0;
	int64_t		per_s = 0;
	int			reset = 0;

	snprintf(where, sizeof(where), "/limits/buckets/%s", name);
	spec->name = name;
	if (!callsync_doc_keys(doc, where, err, keys) ||
		!callsync_doc_int(doc, "rate", where, err, 1, INT64_C(1000000000), &rate) ||
		!callsync_doc_int(doc, "per_ms", where, err, 1, INT64_C(2678400000), &per_ms) ||
		!callsync_doc_int(doc, "per_s", where, err, 1, 2678400, &per_s) ||
		!callsync_doc_text(doc, "op", where, err, &spec->op_bucket) ||
		!callsync_doc_word(doc, "reset", where, err, resets, &reset) ||
		!callsync_doc_bool(doc, "cost", where, err, &spec->counts_cost))
		return false;
	if (rate == 0 || (per_ms == 0) == (per_s == 0))
		return callsync_doc_error(err, where, NULL, "A limit needs \"rate\" and one of \"per_s\" and \"per_ms\".");
	spec->rate = rate;
	spec->window_ms = per_ms ? per_ms : per_s * 1000;
	spec->fixed = reset == 1;
	return true;
}

static bool
parse_learn(CallsyncConnector *c, LimitLearn *learn, const json_t *doc, size_t n, CallsyncDocError *err)
{
	static const char *const keys[] = {"limit", "remaining", "max", "used", "reset", "reset_unit", "header", "regex",
	"group_used", "group_max", "group_remaining", NULL};
	static const char *const units[] = {"s", "ms", "epoch_s", "epoch_ms", NULL};
	char		where[200];
	const char *re = NULL;
	int			unit = 0;
	int64_t		used = 0;
	int64_t		max = 0;
	int64_t		remaining = 0;
	bool		known = false;

	snprintf(where, sizeof(where), "/limits/learn/%zu", n);
	if (!callsync_doc_keys(doc, where, err, keys) ||
		!callsync_doc_text(doc, "limit", where, err, &learn->limit) ||
		!callsync_doc_text(doc, "remaining", where, err, &learn->remaining) ||
		!callsync_doc_text(doc, "max", where, err, &learn->max) ||
		!callsync_doc_text(doc, "used", where, err, &learn->used) ||
		!callsync_doc_text(doc, "reset", where, err, &learn->reset) ||
		!callsync_doc_word(doc, "reset_unit", where, err, units, &unit) ||
		!callsync_doc_text(doc, "header", where, err, &learn->header) ||
		!callsync_doc_text(doc, "regex", where, err, &re) ||
		!callsync_doc_int(doc, "group_used", where, err, 1, 8, &used) ||
		!callsync_doc_int(doc, "group_max", where, err, 1, 8, &max) ||
		!callsync_doc_int(doc, "group_remaining", where, err, 1, 8, &remaining))
		return false;
	learn->reset_unit = units[unit];
	learn->group_used = (int) used;
	learn->group_max = (int) max;
	learn->group_remaining = (int) remaining;
	if (re != NULL)
	{
		if (!callsync_doc_regex(re, where, err, &learn->re))
			return false;
		learn->has_re = true;
		if (learn->header == NULL)
			return callsync_doc_error(err, where, NULL, "\"regex\" needs \"header\".");
		if ((size_t) learn->group_used > learn->re.re_nsub || (size_t) learn->group_max > learn->re.re_nsub ||
			(size_t) learn->group_remaining > learn->re.re_nsub)
			return callsync_doc_error(err, where, NULL, "The regular expression has only %zu groups.", learn->re.re_nsub);
	}
	for (int i = 0; i < c->nlimits && learn->limit != NULL; i++)
		known = known || strcmp(c->limits[i].name, learn->limit) == 0;
	if (!known)
		return callsync_doc_error(err, where, NULL, "\"limit\" must name one of the limits above it.");
	return true;
}

static bool
parse_retry_after(CallsyncConnector *c, const json_t *doc, CallsyncDocError *err)
{
	static const char *const keys[] = {"headers", "unit", "cap_s", NULL};
	static const char *const units[] = {"s_or_date", "ms", NULL};
	const json_t *list;
	int			unit = 0;
	int64_t		cap = 86400;

	if (doc == NULL)
		return true;
	if (!callsync_doc_keys(doc, "/limits/retry_after", err, keys) ||
		!callsync_doc_word(doc, "unit", "/limits/retry_after", err, units, &unit) ||
		!callsync_doc_int(doc, "cap_s", "/limits/retry_after", err, 1, 604800, &cap))
		return false;
	c->retry_after_ms = unit == 1;
	c->retry_cap_ms = cap * 1000;
	list = json_object_get(doc, "headers");
	if (list == NULL)
		return true;
	c->nretry_after = 0;
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		if (c->nretry_after == 4 || !json_is_string(json_array_get(list, i)))
			return callsync_doc_error(err, "/limits/retry_after", NULL, "\"headers\" lists up to four header names.");
		c->retry_after_headers[c->nretry_after++] = json_string_value(json_array_get(list, i));
	}
	return true;
}

bool
callsync_connector_parse_limits(CallsyncConnector *c, const json_t *doc, CallsyncDocError *err)
{
	static const char *const keys[] = {"buckets", "concurrency", "learn", "retry_after", NULL};
	int64_t		concurrency = 4;
	const json_t *list;
	const char *name;
	json_t	   *bucket;

	c->concurrency = 4;
	c->retry_after_headers[0] = "Retry-After";
	c->nretry_after = 1;
	c->retry_cap_ms = INT64_C(86400000);
	if (doc == NULL)
		return true;
	if (!callsync_doc_keys(doc, "/limits", err, keys) ||
		!callsync_doc_int(doc, "concurrency", "/limits", err, 1, 200, &concurrency) ||
		!parse_retry_after(c, json_object_get(doc, "retry_after"), err))
		return false;
	c->concurrency = (int) concurrency;
	list = json_object_get(doc, "buckets");
	if (list != NULL && !callsync_doc_is(list, JSON_OBJECT, "/limits", "buckets", err))
		return false;
	json_object_foreach((json_t *) list, name, bucket)
	{
		if (c->nlimits == CALLSYNC_LIMITS_MAX)
			return callsync_doc_error(err, "/limits/buckets", NULL, "There are more than %d limits.", CALLSYNC_LIMITS_MAX);
		if (!parse_bucket(&c->limits[c->nlimits], name, bucket, err))
			return false;
		c->nlimits++;
	}
	list = json_object_get(doc, "learn");
	if (list != NULL && !callsync_doc_is(list, JSON_ARRAY, "/limits", "learn", err))
		return false;
	if (json_array_size(list) > 0)
	{
		c->learn = calloc(json_array_size(list), sizeof(LimitLearn));
		if (c->learn == NULL)
			return callsync_doc_error(err, "/limits", NULL, "Out of memory.");
	}
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!parse_learn(c, &c->learn[c->nlearn++], json_array_get(list, i), i, err))
			return false;
	return true;
}

void
callsync_connector_free_limits(CallsyncConnector *c)
{
	for (int i = 0; i < c->nlearn; i++)
		if (c->learn[i].has_re)
			regfree(&c->learn[i].re);
	free(c->learn);
}

int
callsync_connector_limits(const CallsyncConnector *c, const CallsyncLimitSpec **specs)
{
	*specs = c->limits;
	return c->nlimits;
}

int
callsync_connector_concurrency(const CallsyncConnector *c)
{
	return c->concurrency;
}

bool
callsync_limit_covers(const CallsyncLimitSpec *spec, const CallsyncOp *op)
{
	if (spec->op_bucket == NULL)
		return true;
	/* "!search": everything but */
	if (spec->op_bucket[0] == '!')
		return strcmp(spec->op_bucket + 1, op->bucket) != 0;
	return strcmp(spec->op_bucket, op->bucket) == 0;
}
