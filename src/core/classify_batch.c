/*
 * classify_batch.c
 *		Splitting the answer to a batch into one outcome per item.
 *
 * The rule that keeps data safe: an item that the answer does not mention did
 * not succeed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/classify_impl.h"

/* "a:b" of the values at some pointers; false if one is missing */
static bool
join_key(const json_t *item, const char *const *pointers, int n, char *out, size_t size)
{
	size_t		used = 0;

	for (int i = 0; i < n; i++)
	{
		TextBuf		text = {0};
		bool		ok = callsync_scalar_text(callsync_json_get(item, pointers[i]), &text) && text.len > 0 &&
			used + text.len + 2 < size;

		if (ok)
		{
			if (i > 0)
				out[used++] = ':';
			memcpy(out + used, text.data, text.len);
			used += text.len;
		}
		callsync_text_free(&text);
		if (!ok)
			return false;
	}
	out[used] = '\0';
	return n > 0;
}

static int
find_join(char *const *joins, int n, const char *key)
{
	for (int i = 0; joins != NULL && i < n; i++)
		if (joins[i] != NULL && strcmp(joins[i], key) == 0)
			return i;
	return -1;
}

/* An item's error runs through the same rules as an answer of its own would. */
static void
item_failed(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response, const json_t *item,
			const CallsyncEnv *env, CallsyncOutcome *outcome)
{
	const struct CallsyncBatchImpl *impl = op->batch->impl;
	CallsyncResponse as_answer = *response;
	char		text[64];

	as_answer.status = 400;
	as_answer.body = NULL;
	as_answer.body_len = 0;
	if (callsync_extract(impl->item_status, response, item, text, sizeof(text)) && atoi(text) >= 100 && atoi(text) <= 599)
		as_answer.status = atoi(text);
	callsync_outcome_init(outcome, response);
	callsync_classify_failure(c, op, &as_answer, item, env, outcome);
	/* whatever a rule says: the server reported this item as failed */
	if (outcome->error_class == CALLSYNC_CLASS_OK)
		outcome->error_class = CALLSYNC_CLASS_PERMANENT;
	outcome->own = true;
}

static void
item_done(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response, const json_t *item,
		  const CallsyncEnv *env, CallsyncOutcome *outcome)
{
	const struct CallsyncOpImpl *impl = op->impl;
	const Extract *id = op->batch->impl->id != NULL ? op->batch->impl->id : impl->id;

	if (!callsync_tests_hold(&op->batch->impl->item_ok, item))
	{
		item_failed(c, op, response, item, env, outcome);
		return;
	}
	callsync_outcome_init(outcome, response);
	if (id != NULL && !callsync_extract(id, NULL, item, outcome->id, sizeof(outcome->id)) && op->creates)
	{
		callsync_classify_lost(op, outcome, "The answer does not name the record that was written.");
		return;
	}
	if (impl->has_created && impl->created_json.n > 0)
		outcome->created = callsync_tests_hold(&impl->created_json, item) ? CALLSYNC_YES : CALLSYNC_NO;
}

/* An item that the answer names more than once is what its first mention says. */
static bool
is_open(const bool *seen, int i, int n)
{
	return i >= 0 && i < n && !seen[i];
}

static void
split(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response, const json_t *json,
	  const CallsyncEnv *env, char *const *joins, int n, CallsyncOutcome *items, bool *seen)
{
	const struct CallsyncBatchImpl *impl = op->batch->impl;
	const json_t *results = callsync_json_get(json, impl->results);
	const json_t *errors = impl->errors ? callsync_json_get(json, impl->errors) : NULL;
	char		key[2 * CALLSYNC_ID_MAX];

	for (size_t i = 0; i < json_array_size(results); i++)
	{
		const json_t *item = json_array_get(results, i);
		int			at;

		if (op->batch->by_position)
			at = (int) i;
		else if (joins == NULL && n == 1)
			at = 0;
		else
			at = join_key(item, impl->out, impl->nout, key, sizeof(key)) ? find_join(joins, n, key) : -1;
		if (!is_open(seen, at, n))
			continue;
		seen[at] = true;
		item_done(c, op, response, item, env, &items[at]);
	}
	for (size_t i = 0; i < json_array_size(errors); i++)
	{
		const json_t *item = json_array_get(errors, i);
		int			at = -1;
		int			open = 0;
		int			last_open = -1;

		if (join_key(item, impl->err, impl->nerr, key, sizeof(key)))
			at = find_join(joins, n, key);
		for (int k = 0; k < n; k++)
			if (!seen[k])
			{
				open++;
				last_open = k;
			}
		/* an error without a name can only mean the one item that is left */
		if (at < 0 && open == 1 && json_array_size(errors) - i == 1)
			at = last_open;
		if (!is_open(seen, at, n))
			continue;
		seen[at] = true;
		item_failed(c, op, response, item, env, &items[at]);
	}
}

/*
 * A refused batch whose answer has a result per item all the same: some servers
 * answer 400 where no item went through.
 */
static bool
refusal_names_items(const CallsyncOp *op, const CallsyncResponse *response, const json_t *json, int n)
{
	const struct CallsyncBatchImpl *impl = op->batch->impl;

	return impl->items_in_refusal && response->status >= 400 && response->status < 500 &&
		json_array_size(callsync_json_get(json, impl->results)) == (size_t) n;
}

void
callsync_classify_batch(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response,
						const json_t *json, const CallsyncEnv *env, char *const *joins, int n,
						CallsyncOutcome *whole, CallsyncOutcome *items)
{
	const struct CallsyncBatchImpl *impl = op->batch->impl;
	bool	   *seen;
	int			failed = 0;

	callsync_outcome_init(whole, response);
	if (response->transport != CALLSYNC_TRANSPORT_OK ||
		(!callsync_status_ok(op, response->status) && !refusal_names_items(op, response, json, n)))
	{
		callsync_classify_failure(c, op, response, json, env, whole);
		whole->split = n > 1 && impl->split_on_refusal && response->status >= 400 && response->status < 500 &&
			(whole->error_class == CALLSYNC_CLASS_PERMANENT || whole->error_class == CALLSYNC_CLASS_CONFIG ||
			 whole->error_class == CALLSYNC_CLASS_DUPLICATE || whole->error_class == CALLSYNC_CLASS_GONE);
		for (int i = 0; i < n; i++)
			items[i] = *whole;
		return;
	}
	if (json != NULL && callsync_rule_on_success(c, op, response, json, env, whole))
	{
		for (int i = 0; i < n; i++)
			items[i] = *whole;
		return;
	}
	seen = calloc((size_t) n, sizeof(bool));
	if (impl->multipart)
	{
		callsync_classify_parts(c, op, response, env, n, items);
		for (int i = 0; seen != NULL && i < n; i++)
			seen[i] = true;
	}
	else if (json == NULL && impl->results != NULL && response->body_len > 0)
	{
		callsync_classify_lost(op, whole, response->body[0] == '<' ?
							   "A web page came in place of the API's answer." : "The answer is not JSON, or only a part of it.");
		for (int i = 0; i < n; i++)
			items[i] = *whole;
		free(seen);
		return;
	}
	else if (seen != NULL && json != NULL)
		split(c, op, response, json, env, joins, n, items, seen);
	for (int i = 0; i < n; i++)
	{
		if (seen == NULL || !seen[i])
		{
			callsync_outcome_init(&items[i], response);
			callsync_classify_lost(op, &items[i], "The answer to the batch does not mention this item.");
		}
		if (items[i].error_class != CALLSYNC_CLASS_OK)
			failed++;
	}
	free(seen);
	if (failed > 0)
	{
		whole->error_class = CALLSYNC_CLASS_PARTIAL;
		whole->remedy = callsync_remedy(CALLSYNC_CLASS_PARTIAL);
		snprintf(whole->message, sizeof(whole->message), "%d of %d items failed.", failed, n);
	}
}

/* ---- multipart/mixed ---- */

/* Length of a line without its end; *next behind it */
static size_t
line_at(const char *p, const char *end, const char **next)
{
	const char *nl = memchr(p, '\n', (size_t) (end - p));
	size_t		len = nl ? (size_t) (nl - p) : (size_t) (end - p);

	*next = nl ? nl + 1 : end;
	if (len > 0 && p[len - 1] == '\r')
		len--;
	return len;
}

static bool
boundary_of(const CallsyncResponse *response, char *out, size_t size)
{
	const char *type = callsync_response_header(response, "Content-Type");
	const char *p = type ? strstr(type, "boundary=") : NULL;
	size_t		len;

	if (p == NULL)
		return false;
	p += 9;
	if (*p == '"')
	{
		p++;
		len = strcspn(p, "\"");
	}
	else
		len = strcspn(p, "; \t");
	if (len == 0 || len + 3 > size)
		return false;
	memcpy(out, "--", 2);
	memcpy(out + 2, p, len);
	out[len + 2] = '\0';
	return true;
}

#define PART_HEADERS_MAX 24

/* One part: headers of the part, then an HTTP answer. */
static void
classify_part(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *outer, const char *p, const char *end,
			  const CallsyncEnv *env, CallsyncOutcome *outcome)
{
	CallsyncResponse response = {.transport = CALLSYNC_TRANSPORT_OK, .now_ms = outer->now_ms};
	CallsyncHeader headers[PART_HEADERS_MAX];
	char		store[4096];
	size_t		used = 0;
	const char *next;
	size_t		len;
	json_t	   *json;

	callsync_outcome_init(outcome, outer);
	/* past the headers of the part to the status line */
	while (p < end && (len = line_at(p, end, &next)) > 0)
		p = next;
	p = p < end ? next : end;
	len = p < end ? line_at(p, end, &next) : 0;
	if (len < 12 || strncmp(p, "HTTP/", 5) != 0 || (response.status = atoi(p + 9)) < 100)
	{
		callsync_classify_lost(op, outcome, "A part of the batch's answer cannot be read.");
		return;
	}
	p = next;
	while (p < end && (len = line_at(p, end, &next)) > 0)
	{
		const char *colon = memchr(p, ':', len);

		if (colon != NULL && response.nheaders < PART_HEADERS_MAX && used + len + 2 < sizeof(store))
		{
			size_t		name_len = (size_t) (colon - p);
			const char *value = colon + 1;

			while (value < p + len && *value == ' ')
				value++;
			headers[response.nheaders].name = store + used;
			memcpy(store + used, p, name_len);
			used += name_len;
			store[used++] = '\0';
			headers[response.nheaders].value = store + used;
			memcpy(store + used, value, (size_t) (p + len - value));
			used += (size_t) (p + len - value);
			store[used++] = '\0';
			response.nheaders++;
		}
		p = next;
	}
	p = p < end ? next : end;
	while (end > p && (end[-1] == '\n' || end[-1] == '\r'))
		end--;
	response.headers = headers;
	response.body = p;
	response.body_len = (size_t) (end - p);
	json = callsync_response_json(&response);
	callsync_classify(c, op, &response, json, env, outcome);
	outcome->own = true;
	json_decref(json);
}

void
callsync_classify_parts(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response,
						const CallsyncEnv *env, int n, CallsyncOutcome *items)
{
	char		boundary[128];
	const char *p = response->body;
	const char *end = p + response->body_len;
	const char *start = NULL;
	int			at = 0;

	for (int i = 0; i < n; i++)
	{
		callsync_outcome_init(&items[i], response);
		callsync_classify_lost(op, &items[i], "The answer to the batch does not mention this item.");
	}
	if (p == NULL || !boundary_of(response, boundary, sizeof(boundary)))
		return;
	while (p < end && at < n)
	{
		const char *next;
		size_t		len = line_at(p, end, &next);
		size_t		blen = strlen(boundary);

		if (len >= blen && memcmp(p, boundary, blen) == 0 && (len == blen || (len == blen + 2 && p[blen] == '-')))
		{
			if (start != NULL)
				classify_part(c, op, response, start, p, env, &items[at++]);
			start = next;
		}
		p = next;
	}
}
