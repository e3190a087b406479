/*
 * classify_extract.c
 *		Taking values out of answers: texts, tests, headers, records, cursors,
 *		limits.
 *
 * Everything here reads what a server sent: sizes are bounded before a regular
 * expression sees them, and a missing piece is "not there", never a crash.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/classify_impl.h"

/* Longest text that a regular expression is run over */
#define REGEX_INPUT_MAX 8192

json_t *
callsync_response_json(const CallsyncResponse *response)
{
	json_error_t e;

	if (response->body == NULL || response->body_len == 0)
		return NULL;
	return json_loadb(response->body, response->body_len, JSON_DECODE_ANY, &e);
}

const char *
callsync_response_header(const CallsyncResponse *response, const char *name)
{
	for (int i = 0; i < response->nheaders; i++)
		if (strcasecmp(response->headers[i].name, name) == 0)
			return response->headers[i].value;
	return NULL;
}

/* ---- extracts ---- */

/* Regex over text, group that took part into out; false: no match */
static bool
match_group(const regex_t *re, const char *text, char *out, size_t size)
{
	regmatch_t	groups[6];
	int			use = 0;
	size_t		len;

	if (regexec(re, text, 6, groups, 0) != 0)
		return false;
	for (int i = 1; i < 6 && use == 0; i++)
		if ((size_t) i <= re->re_nsub && groups[i].rm_so >= 0)
			use = i;
	len = (size_t) (groups[use].rm_eo - groups[use].rm_so);
	if (len >= size)
		return false;			/* half an id is none */
	memcpy(out, text + groups[use].rm_so, len);
	out[len] = '\0';
	return true;
}

/* Applies regex and map of an extract to a text */
static bool
finish(const Extract *extract, const char *text, size_t text_len, char *out, size_t size)
{
	char		bounded[REGEX_INPUT_MAX + 1];

	if (extract->has_re)
	{
		if (text_len > REGEX_INPUT_MAX)
			text_len = REGEX_INPUT_MAX;
		memcpy(bounded, text, text_len);
		bounded[text_len] = '\0';
		if (!match_group(&extract->re, bounded, out, size))
			return false;
	}
	else
	{
		if (text_len >= size)
			return false;
		memcpy(out, text, text_len);
		out[text_len] = '\0';
	}
	if (extract->map != NULL)
	{
		const char *mapped = json_string_value(json_object_get(extract->map, out));

		if (mapped == NULL)
			mapped = json_string_value(json_object_get(extract->map, "*"));
		if (mapped == NULL || strlen(mapped) >= size)
			return false;
		strcpy(out, mapped);
	}
	return out[0] != '\0';
}

typedef struct ExtractJob
{
	const Extract *extract;
	char	   *out;
	size_t		size;
	bool		done;
} ExtractJob;

static bool
extract_value(void *arg, json_t *value)
{
	ExtractJob *job = arg;
	TextBuf		text = {0};

	if (callsync_scalar_text(value, &text) && text.len > 0)
		job->done = finish(job->extract, text.data, text.len, job->out, job->size);
	callsync_text_free(&text);
	return !job->done;
}

static bool
extract_one(const Extract *extract, const CallsyncResponse *response, const json_t *json, char *out, size_t size)
{
	if (extract->json != NULL)
	{
		ExtractJob	job = {extract, out, size, false};

		if (json == NULL)
		{
			/* an anything-else value of the map stands for "not there", too */
			const char *other = json_string_value(json_object_get(extract->map, "*"));

			if (other == NULL || strlen(other) >= size)
				return false;
			strcpy(out, other);
			return true;
		}
		callsync_json_each(json, extract->json, extract_value, &job);
		if (!job.done)
		{
			const char *other = json_string_value(json_object_get(extract->map, "*"));

			out[0] = '\0';
			if (other != NULL && strlen(other) < size)
			{
				strcpy(out, other);
				job.done = true;
			}
		}
		return job.done;
	}
	if (extract->header != NULL)
	{
		const char *value = response ? callsync_response_header(response, extract->header) : NULL;

		return value != NULL && finish(extract, value, strlen(value), out, size);
	}
	return response != NULL && response->body != NULL && finish(extract, response->body, response->body_len, out, size);
}

bool
callsync_extract(const Extract *extract, const CallsyncResponse *response, const json_t *json, char *out, size_t size)
{
	out[0] = '\0';
	for (; extract != NULL; extract = extract->next)
	{
		if (extract_one(extract, response, json, out, size))
			return true;
		out[0] = '\0';
	}
	return false;
}

/* ---- tests ---- */

static bool
scalar_equal(const json_t *a, const json_t *b)
{
	TextBuf		ta = {0};
	TextBuf		tb = {0};
	bool		equal;

	if (json_equal(a, b))
		return true;
	equal = callsync_scalar_text(a, &ta) && callsync_scalar_text(b, &tb) && ta.len == tb.len &&
		(ta.len == 0 || memcmp(ta.data, tb.data, ta.len) == 0);
	callsync_text_free(&ta);
	callsync_text_free(&tb);
	return equal;
}

typedef struct TestJob
{
	const JsonTest *test;
	bool		hit;
} TestJob;

static bool
test_value(void *arg, json_t *value)
{
	TestJob    *job = arg;
	const JsonTest *test = job->test;
	TextBuf		text = {0};

	switch (test->kind)
	{
		case JSON_TEST_EXISTS:
			job->hit = !json_is_null(value);
			break;
		case JSON_TEST_REGEX:
			if (callsync_scalar_text(value, &text) && text.len > 0)
			{
				if (text.len > REGEX_INPUT_MAX)
					text.data[REGEX_INPUT_MAX] = '\0';
				job->hit = regexec(&test->re, text.data, 0, NULL, 0) == 0;
			}
			callsync_text_free(&text);
			break;
		case JSON_TEST_IN:
			if (!json_is_array(test->list))
				job->hit = scalar_equal(value, test->list);
			for (size_t i = 0; i < json_array_size(test->list) && !job->hit; i++)
				job->hit = scalar_equal(value, json_array_get(test->list, i));
			break;
	}
	return !job->hit;
}

bool
callsync_tests_hold(const JsonTests *tests, const json_t *json)
{
	for (int i = 0; i < tests->n; i++)
	{
		const JsonTest *test = &tests->test[i];
		TestJob		job = {test, false};
		bool		holds;

		if (json != NULL)
			callsync_json_each(json, test->pointer, test_value, &job);
		holds = test->kind == JSON_TEST_EXISTS ? job.hit == test->flag : job.hit != test->negate;
		if (holds && tests->any)
			return true;
		if (!holds && !tests->any)
			return false;
	}
	return tests->n == 0 || !tests->any;
}

/* ---- records ---- */

static bool
fill_found(const struct CallsyncOpImpl *impl, json_t *item, CallsyncFound *found)
{
	memset(found, 0, sizeof(*found));
	if (!json_is_object(item))
		return false;
	found->record = item;
	found->fields = callsync_json_get(item, impl->item_fields[0]);
	/* custom fields that are kept apart: one record for the comparison */
	for (int i = 1; i < impl->nitem_fields && json_is_object(found->fields); i++)
		json_object_update_missing(found->fields, callsync_json_get(item, impl->item_fields[i]));
	if (impl->item_id != NULL)
		callsync_extract(impl->item_id, NULL, item, found->id, sizeof(found->id));
	return true;
}

/* Does the item hold the text that the op's "where" asks for? A number has to be that number. */
static bool
is_wanted(const struct CallsyncOpImpl *impl, const json_t *item, const char *text)
{
	TextBuf		value = {0};
	const json_t *at;
	bool		wanted;

	if (text == NULL)
		return true;
	at = callsync_json_get(item, impl->where_pointer);
	wanted = callsync_scalar_text(at, &value) && value.len > 0 &&
		(json_is_string(at) ? strstr(value.data, text) != NULL : strcmp(value.data, text) == 0);
	callsync_text_free(&value);
	return wanted;
}

int
callsync_response_items(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncRenderInput *input,
						const CallsyncResponse *response, const json_t *json, CallsyncFound *found, int max)
{
	const struct CallsyncOpImpl *impl = op->impl;
	json_t	   *items;
	char	   *where = NULL;
	int			n = 0;

	if (!impl->has_result)
		return -1;
	if (callsync_status_in(&impl->not_found, response->status))
		return 0;
	if (!callsync_status_ok(op, response->status))
		return -1;
	if (json == NULL)
		return response->status == 204 ? 0 : -1;
	items = callsync_json_get(json, impl->items);
	if (items == NULL)
		return -1;
	if (json_is_null(items))
		return 0;
	if (json_is_object(items))
	{
		if (json_object_size(items) == 0)
			return 0;
		if (max > 0 && !fill_found(impl, items, &found[0]))
			return -1;
		return 1;
	}
	if (!json_is_array(items))
		return -1;
	if (impl->where_text != NULL)
	{
		CallsyncRenderInput with_vars;

		/* without the text every record would pass for ours */
		if (input == NULL)
			return -1;
		with_vars = *input;
		with_vars.vars = c->vars;
		where = callsync_template_render_text(impl->where_text, &with_vars, NULL);
		if (where == NULL || *where == '\0')
		{
			free(where);
			return -1;
		}
	}
	for (size_t i = 0; i < json_array_size(items); i++)
	{
		CallsyncFound one;

		if (!is_wanted(impl, json_array_get(items, i), where) || !fill_found(impl, json_array_get(items, i), &one))
			continue;
		if (n < max)
			found[n] = one;
		n++;
	}
	free(where);
	return n;
}

json_t *
callsync_found_contact(const CallsyncOp *op, const CallsyncFound *found)
{
	json_t	   *contact = json_object();
	const char *key;
	json_t	   *pointer;

	json_object_foreach((json_t *) op->impl->contact, key, pointer)
	{
		size_t		n = json_is_array(pointer) ? json_array_size(pointer) : 1;

		for (size_t i = 0; i < n; i++)
		{
			const char *text = json_string_value(json_is_array(pointer) ? json_array_get(pointer, i) : pointer);
			json_t	   *value = text ? callsync_json_get(found->record, text) : NULL;

			if (callsync_json_truthy(value))
			{
				json_object_set(contact, key, value);
				break;
			}
		}
	}
	return contact;
}

bool
callsync_response_cursor(const CallsyncOp *op, const CallsyncResponse *response, const json_t *json, char *out, size_t size)
{
	return callsync_extract(op->impl->cursor, response, json, out, size);
}

/* ---- limits ---- */

static bool
to_int(const char *text, int64_t *out)
{
	char	   *end;
	double		v;

	if (text == NULL)
		return false;
	v = strtod(text, &end);
	if (end == text || v < 0 || v > 9e15)
		return false;
	*out = (int64_t) v;
	return true;
}

static bool
group_int(const char *text, const regmatch_t *groups, int group, int64_t *out)
{
	char		digits[32];
	size_t		len;

	if (group == 0 || groups[group].rm_so < 0)
		return false;
	len = (size_t) (groups[group].rm_eo - groups[group].rm_so);
	if (len == 0 || len >= sizeof(digits))
		return false;
	memcpy(digits, text + groups[group].rm_so, len);
	digits[len] = '\0';
	return to_int(digits, out);
}

void
callsync_response_limits(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncResponse *response,
						 CallsyncLimitLearn learn, void *arg)
{
	if (response->status == 0)
		return;
	for (int i = 0; i < c->nlearn; i++)
	{
		const LimitLearn *l = &c->learn[i];
		int64_t		limit = -1;
		int64_t		remaining = -1;
		int64_t		used = -1;
		int64_t		reset = 0;
		bool		covered = true;
		int64_t		v;

		/* an answer to a request that the limit does not count says nothing about it */
		for (int k = 0; k < c->nlimits; k++)
			if (strcmp(c->limits[k].name, l->limit) == 0)
				covered = callsync_limit_covers(&c->limits[k], op);
		if (!covered)
			continue;
		if (l->has_re)
		{
			const char *text = callsync_response_header(response, l->header);
			regmatch_t	groups[9];

			if (text == NULL || strlen(text) > REGEX_INPUT_MAX || regexec(&l->re, text, 9, groups, 0) != 0)
				continue;
			group_int(text, groups, l->group_max, &limit);
			group_int(text, groups, l->group_remaining, &remaining);
			group_int(text, groups, l->group_used, &used);
		}
		else
		{
			if (l->max != NULL)
				to_int(callsync_response_header(response, l->max), &limit);
			if (l->remaining != NULL)
				to_int(callsync_response_header(response, l->remaining), &remaining);
			if (l->used != NULL)
				to_int(callsync_response_header(response, l->used), &used);
		}
		if (remaining < 0 && used >= 0 && limit >= 0)
			remaining = used < limit ? limit - used : 0;
		if (l->reset != NULL && to_int(callsync_response_header(response, l->reset), &v))
		{
			if (strcmp(l->reset_unit, "s") == 0)
				reset = response->now_ms + v * 1000;
			else if (strcmp(l->reset_unit, "ms") == 0)
				reset = response->now_ms + v;
			else if (strcmp(l->reset_unit, "epoch_s") == 0)
				reset = v * 1000;
			else
				reset = v;
		}
		if (limit >= 0 || remaining >= 0 || reset > 0)
			learn(arg, l->limit, limit, remaining, reset);
	}
}
