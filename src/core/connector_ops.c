/*
 * connector_ops.c
 *		The part "ops" of a connector document.
 *
 * Kinds and idempotency may be given or follow from the method: a GET reads, a
 * PUT, DELETE or an addressed PATCH has the same effect twice, a POST does not
 * unless the document says why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/connector_impl.h"

static const char *const kind_words[] = {"write", "find", "read", "describe", "changes", "delete", "probe", NULL};
static const char *const idem_words[] = {"none", "lookup", "by_key", "client_id", "header", "field", "if_none_match",
"natural", "receiver", NULL};
static const char *const body_words[] = {"none", "json", "form", "multipart", "xml", "text", NULL};

bool
callsync_idempotency_is_safe(CallsyncIdempotency idem)
{
	return idem != CALLSYNC_IDEM_NONE && idem != CALLSYNC_IDEM_LOOKUP;
}

bool
callsync_connector_parse_headers(const json_t *doc, const char *where, CallsyncDocError *err, OpHeader **headers, int *n)
{
	const char *name;
	json_t	   *value;

	if (doc == NULL)
		return true;
	if (!json_is_object(doc))
		return callsync_doc_error(err, where, NULL, "\"headers\" must be an object.");
	json_object_foreach((json_t *) doc, name, value)
	{
		OpHeader   *grown = callsync_doc_grow(*headers, *n, sizeof(OpHeader));
		char		sub[200];

		if (grown == NULL)
			return callsync_doc_error(err, where, NULL, "Out of memory.");
		*headers = grown;
		callsync_where(sub, sizeof(sub), where, name);
		for (const char *p = name; *p; p++)
			if ((unsigned char) *p <= ' ' || *p == ':' || (unsigned char) *p >= 127)
				return callsync_doc_error(err, sub, NULL, "\"%.60s\" is not a header name.", name);
		if (!json_is_string(value))
			return callsync_doc_error(err, sub, NULL, "A header's value must be text.");
		grown[*n].name = name;
		grown[*n].value = callsync_template_parse(value, NULL, sub, err);
		if (grown[*n].value == NULL)
			return false;
		(*n)++;
	}
	return true;
}

void
callsync_connector_free_headers(OpHeader *headers, int n)
{
	for (int i = 0; i < n; i++)
		callsync_template_free(headers[i].value);
	free(headers);
}

static bool
parse_template(const json_t *doc, const char *key, const char *escape, const char *where, CallsyncDocError *err,
			   CallsyncTemplate **out)
{
	const json_t *value = json_object_get(doc, key);
	char		sub[200];

	if (value == NULL)
		return true;
	callsync_where(sub, sizeof(sub), where, key);
	*out = callsync_template_parse(value, escape, sub, err);
	return *out != NULL;
}

/* ---- batch ---- */

static bool
parse_pointers(const json_t *value, const char *where, CallsyncDocError *err, const char **out, int *n)
{
	if (value == NULL)
		return true;
	if (json_is_string(value))
	{
		out[(*n)++] = json_string_value(value);
		return true;
	}
	for (size_t i = 0; i < json_array_size(value); i++)
	{
		if (*n == JOIN_POINTERS_MAX || !json_is_string(json_array_get(value, i)))
			return callsync_doc_error(err, where, NULL, "At most %d JSON pointers are possible here.", JOIN_POINTERS_MAX);
		out[(*n)++] = json_string_value(json_array_get(value, i));
	}
	if (*n == 0)
		return callsync_doc_error(err, where, NULL, "A JSON pointer or a list of them is needed.");
	return true;
}

void
callsync_connector_free_batch(const CallsyncBatch *batch)
{
	struct CallsyncBatchImpl *impl;

	if (batch == NULL)
		return;
	impl = (struct CallsyncBatchImpl *) batch->impl;
	if (impl != NULL)
	{
		callsync_template_free(impl->path);
		callsync_template_free(impl->body);
		callsync_template_free(impl->item);
		callsync_template_free(impl->join);
		callsync_connector_free_headers(impl->headers, impl->nheaders);
		callsync_extract_free(impl->item_status);
		callsync_extract_free(impl->id);
		callsync_tests_clear(&impl->item_ok);
		free(impl);
	}
	free((CallsyncBatch *) batch);
}

bool
callsync_connector_parse_batch(CallsyncOp *op, const json_t *doc, const char *where, CallsyncDocError *err)
{
	static const char *const keys[] = {"max", "only", "format", "method", "path", "headers", "body", "item", "join",
	"results", "errors", "item_ok", "item_status", "id", "split_on_refusal", "items_in_refusal", NULL};
	static const char *const join_keys[] = {"by", "item", "out", "err", NULL};
	static const char *const formats[] = {"json", "http_parts", NULL};
	static const char *const bys[] = {"key", "position", NULL};
	CallsyncBatch *batch = calloc(1, sizeof(*batch));
	struct CallsyncBatchImpl *impl = calloc(1, sizeof(*impl));
	const json_t *join;
	int64_t		max = 0;
	int			format = 0;
	int			by = 0;

	if (batch == NULL || impl == NULL)
	{
		free(batch);
		free(impl);
		return callsync_doc_error(err, where, NULL, "Out of memory.");
	}
	batch->impl = impl;
	op->batch = batch;
	impl->results = "";
	impl->split_on_refusal = true;
	if (!callsync_doc_keys(doc, where, err, keys) ||
		!callsync_doc_int(doc, "max", where, err, 2, 5000, &max) ||
		!callsync_doc_bool(doc, "only", where, err, &batch->only) ||
		!callsync_doc_word(doc, "format", where, err, formats, &format) ||
		!callsync_doc_text(doc, "method", where, err, &impl->method) ||
		!parse_template(doc, "path", "url", where, err, &impl->path) ||
		!callsync_connector_parse_headers(json_object_get(doc, "headers"), where, err, &impl->headers, &impl->nheaders) ||
		!parse_template(doc, "body", NULL, where, err, &impl->body) ||
		!parse_template(doc, "item", NULL, where, err, &impl->item) ||
		!callsync_doc_text(doc, "results", where, err, &impl->results) ||
		!callsync_doc_text(doc, "errors", where, err, &impl->errors) ||
		!callsync_doc_bool(doc, "split_on_refusal", where, err, &impl->split_on_refusal) ||
		!callsync_doc_bool(doc, "items_in_refusal", where, err, &impl->items_in_refusal) ||
		!callsync_doc_tests(json_object_get(doc, "item_ok"), false, where, err, &impl->item_ok) ||
		!callsync_doc_extract(json_object_get(doc, "item_status"), where, err, &impl->item_status) ||
		!callsync_doc_extract(json_object_get(doc, "id"), where, err, &impl->id))
		return false;
	if (max == 0)
		return callsync_doc_error(err, where, NULL, "A batch needs \"max\".");
	batch->max = (int) max;
	impl->multipart = format == 1;
	if (impl->multipart != (impl->body == NULL))
		return callsync_doc_error(err, where, NULL, "A batch needs \"body\", except with \"format\": \"http_parts\".");
	if (impl->items_in_refusal && impl->item_ok.n == 0)
		return callsync_doc_error(err, where, NULL, "With \"items_in_refusal\", \"item_ok\" has to tell a success.");
	join = json_object_get(doc, "join");
	if (join == NULL && !impl->multipart)
		return callsync_doc_error(err, where, "For an answer in the order of the items write {\"by\": \"position\"}.",
								  "A batch needs \"join\".");
	batch->by_position = impl->multipart;
	if (join != NULL)
	{
		if (!callsync_doc_keys(join, where, err, join_keys) || !callsync_doc_word(join, "by", where, err, bys, &by) ||
			!parse_template(join, "item", NULL, where, err, &impl->join) ||
			!parse_pointers(json_object_get(join, "out"), where, err, impl->out, &impl->nout) ||
			!parse_pointers(json_object_get(join, "err"), where, err, impl->err, &impl->nerr))
			return false;
		batch->by_position = by == 1;
		if (!batch->by_position && (impl->join == NULL || impl->nout == 0))
			return callsync_doc_error(err, where, NULL, "A join by key needs \"item\" and \"out\".");
	}
	return true;
}

/* ---- one operation ---- */

static bool
parse_lines(struct CallsyncOpImpl *impl, const json_t *list, const char *escape, const char *where, CallsyncDocError *err)
{
	for (size_t i = 0; i < json_array_size(list); i++)
	{
		const json_t *line = json_array_get(list, i);
		const json_t *text = line;
		CallsyncTemplate **lines = callsync_doc_grow(impl->lines, impl->nlines, sizeof(*lines));
		CallsyncCond **conds;
		char		sub[260];

		if (lines == NULL)
			return callsync_doc_error(err, where, NULL, "Out of memory.");
		impl->lines = lines;
		conds = callsync_doc_grow(impl->line_conds, impl->nlines, sizeof(*conds));
		if (conds == NULL)
			return callsync_doc_error(err, where, NULL, "Out of memory.");
		impl->line_conds = conds;
		impl->nlines++;
		snprintf(sub, sizeof(sub), "%s/body/%zu", where, i);
		if (json_is_object(line))
		{
			static const char *const keys[] = {"if", "line", NULL};

			if (!callsync_doc_keys(line, sub, err, keys))
				return false;
			text = json_object_get(line, "line");
			if (json_object_get(line, "if") != NULL &&
				(conds[impl->nlines - 1] = callsync_cond_parse(json_object_get(line, "if"), sub, err)) == NULL)
				return false;
		}
		if (!json_is_string(text))
			return callsync_doc_error(err, sub, NULL, "A line is text or {\"if\": condition, \"line\": text}.");
		lines[impl->nlines - 1] = callsync_template_parse(text, escape, sub, err);
		if (lines[impl->nlines - 1] == NULL)
			return false;
	}
	return true;
}

static bool
parse_result(struct CallsyncOpImpl *impl, const json_t *doc, const char *where, CallsyncDocError *err)
{
	static const char *const keys[] = {"items", "id", "fields", "contact", "deleted", "cursor", "absent", "where", NULL};
	static const char *const absents[] = {"unverified", "null", "missing", NULL};
	static const char *const contact_keys[] = {"first_name", "last_name", "name", "email", "other_emails", "phone",
	"mobile_phone", "other_phone", "company", "street", "postal_code", "country", "account_id", "owner_id", "flags", NULL};
	const json_t *value;
	int			absent = 0;

	impl->items = "";
	if (!callsync_doc_keys(doc, where, err, keys) ||
		!callsync_doc_text(doc, "items", where, err, &impl->items) ||
		!callsync_doc_extract(json_object_get(doc, "id"), where, err, &impl->item_id) ||
		!parse_pointers(json_object_get(doc, "fields"), where, err, impl->item_fields, &impl->nitem_fields) ||
		!callsync_doc_tests(json_object_get(doc, "deleted"), false, where, err, &impl->deleted_tests) ||
		!callsync_doc_extract(json_object_get(doc, "cursor"), where, err, &impl->cursor) ||
		!callsync_doc_word(doc, "absent", where, err, absents, &absent))
		return false;
	impl->absent_is_null = absent == 1;
	impl->absent_is_missing = absent == 2;
	if (impl->nitem_fields == 0)
		impl->item_fields[impl->nitem_fields++] = "";
	if ((value = json_object_get(doc, "where")) != NULL)
	{
		const char *pointer;
		json_t	   *text;
		char		sub[200];

		callsync_where(sub, sizeof(sub), where, "where");
		if (!json_is_object(value) || json_object_size(value) != 1)
			return callsync_doc_error(err, sub, NULL, "\"where\" is {\"/pointer\": text that the value must hold}.");
		json_object_foreach((json_t *) value, pointer, text)
		{
			impl->where_pointer = pointer;
			if ((impl->where_text = callsync_template_parse(text, NULL, sub, err)) == NULL)
				return false;
		}
	}
	if ((value = json_object_get(doc, "contact")) != NULL)
	{
		char		sub[200];
		const char *key;
		json_t	   *pointer;

		callsync_where(sub, sizeof(sub), where, "contact");
		if (!callsync_doc_keys(value, sub, err, contact_keys))
			return false;
		json_object_foreach((json_t *) value, key, pointer)
		{
			if (!json_is_string(pointer) && !json_is_array(pointer))
				return callsync_doc_error(err, sub, NULL, "\"%.60s\" must be a JSON pointer or a list of them.", key);
		}
		impl->contact = value;
	}
	impl->has_result = true;
	return true;
}

static bool
parse_created(struct CallsyncOpImpl *impl, const json_t *doc, const char *where, CallsyncDocError *err)
{
	static const char *const keys[] = {"status", "json", NULL};

	impl->has_created = true;
	return callsync_doc_keys(doc, where, err, keys) &&
		callsync_doc_status(json_object_get(doc, "status"), where, err, &impl->created_status) &&
		callsync_doc_tests(json_object_get(doc, "json"), false, where, err, &impl->created_json);
}

static bool
parse_describe(struct CallsyncOpImpl *impl, const json_t *doc, const char *where, CallsyncDocError *err)
{
	static const char *const keys[] = {"items", "name", "type", "types", "max", "required", "readonly", "options",
	"option_value", "option_label", "option_hidden", "unique", "archived", "label", NULL};
	JsonTests	tests = {0};
	bool		ok;

	impl->describe = doc;
	if (!callsync_doc_keys(doc, where, err, keys))
		return false;
	/* required and readonly are tests on a field's description */
	ok = (!json_is_object(json_object_get(doc, "required")) ||
		  callsync_doc_tests(json_object_get(doc, "required"), false, where, err, &tests));
	callsync_tests_clear(&tests);
	ok = ok && (!json_is_object(json_object_get(doc, "readonly")) ||
				callsync_doc_tests(json_object_get(doc, "readonly"), true, where, err, &tests));
	callsync_tests_clear(&tests);
	ok = ok && (!json_is_object(json_object_get(doc, "archived")) ||
				callsync_doc_tests(json_object_get(doc, "archived"), true, where, err, &tests));
	callsync_tests_clear(&tests);
	if (ok && !json_is_string(json_object_get(doc, "name")))
		return callsync_doc_error(err, where, NULL, "\"describe\" needs \"name\".");
	return ok;
}

static bool
parse_op(CallsyncOp *op, const char *name, const json_t *doc, CallsyncDocError *err)
{
	static const char *const keys[] = {"kind", "object", "method", "path", "next_path", "headers", "body", "body_kind", "content_type",
		"line_end", "idempotent", "guard", "fallback", "bucket", "cost", "consistency", "lag_s", "verify_locally",
		"needs_id", "creates", "batch", "max_ids", "ok", "not_found", "success_when", "id", "created_when", "result",
	"describe", "answer", NULL};
	static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "REPORT", "PROPFIND", NULL};
	static const char *const consistencies[] = {"strong", "eventual", NULL};
	static const char *const answers[] = {"json", "any", NULL};
	struct CallsyncOpImpl *impl = calloc(1, sizeof(*impl));
	char		where[200];
	int			kind = -1;
	int			method = -1;
	int			body_kind = -1;
	int			idem = -1;
	int			consistency = 0;
	int			answer = 0;
	int64_t		cost = 1;
	int64_t		lag = 0;
	int64_t		max_ids = 1;
	const json_t *body;
	const char *escape = NULL;

	if (impl == NULL)
		return callsync_doc_error(err, "/ops", NULL, "Out of memory.");
	op->impl = impl;
	op->name = name;
	snprintf(where, sizeof(where), "/ops/%s", name);
	op->creates = false;
	if (!callsync_doc_keys(doc, where, err, keys) ||
		!callsync_doc_word(doc, "kind", where, err, kind_words, &kind) ||
		!callsync_doc_text(doc, "object", where, err, &op->object) ||
		!callsync_doc_word(doc, "method", where, err, methods, &method) ||
		!callsync_doc_word(doc, "body_kind", where, err, body_words, &body_kind) ||
		!callsync_doc_text(doc, "content_type", where, err, &op->content_type) ||
		!callsync_doc_text(doc, "line_end", where, err, &impl->line_end) ||
		!callsync_doc_word(doc, "idempotent", where, err, idem_words, &idem) ||
		!callsync_doc_text(doc, "guard", where, err, &op->guard) ||
		!callsync_doc_text(doc, "fallback", where, err, &op->fallback) ||
		!callsync_doc_text(doc, "bucket", where, err, &op->bucket) ||
		!callsync_doc_int(doc, "cost", where, err, 0, 100000, &cost) ||
		!callsync_doc_word(doc, "consistency", where, err, consistencies, &consistency) ||
		!callsync_doc_int(doc, "lag_s", where, err, 0, 86400, &lag) ||
		!callsync_doc_bool(doc, "verify_locally", where, err, &op->verify_locally) ||
		!callsync_doc_bool(doc, "needs_id", where, err, &op->needs_id) ||
		!callsync_doc_bool(doc, "creates", where, err, &op->creates) ||
		!callsync_doc_int(doc, "max_ids", where, err, 1, 5000, &max_ids) ||
		!callsync_doc_status(json_object_get(doc, "ok"), where, err, &impl->ok) ||
		!callsync_doc_status(json_object_get(doc, "not_found"), where, err, &impl->not_found) ||
		!callsync_doc_tests(json_object_get(doc, "success_when"), false, where, err, &impl->success) ||
		!callsync_doc_extract(json_object_get(doc, "id"), where, err, &impl->id) ||
		!callsync_doc_word(doc, "answer", where, err, answers, &answer) ||
		!parse_template(doc, "path", "url", where, err, &impl->path) ||
		!parse_template(doc, "next_path", "url", where, err, &impl->next_path) ||
		!callsync_connector_parse_headers(json_object_get(doc, "headers"), where, err, &impl->headers, &impl->nheaders))
		return false;
	if (method < 0)
		return callsync_doc_error(err, where, NULL, "The operation needs \"method\".");
	op->method = methods[method];
	op->cost = (int) cost;
	op->lag_s = (int) lag;
	op->strong = consistency == 0;
	op->max_ids = (int) max_ids;
	impl->expects_json = answer == 0;

	/* the body's form decides how its texts are escaped */
	body = json_object_get(doc, "body");
	if (body_kind < 0)
		body_kind = body != NULL || json_object_get(doc, "batch") != NULL ? CALLSYNC_BODY_JSON : CALLSYNC_BODY_NONE;
	op->body_kind = (CallsyncBodyKind) body_kind;
	if (body_kind == CALLSYNC_BODY_XML)
		escape = "xml";
	if (body != NULL)
	{
		char		sub[200];

		callsync_where(sub, sizeof(sub), where, "body");
		if ((body_kind == CALLSYNC_BODY_XML || body_kind == CALLSYNC_BODY_TEXT) && json_is_array(body))
		{
			if (!parse_lines(impl, body, escape, where, err))
				return false;
		}
		else if ((impl->body = callsync_template_parse(body, escape, sub, err)) == NULL)
			return false;
	}
	if (op->content_type == NULL)
		switch (op->body_kind)
		{
			case CALLSYNC_BODY_JSON:
				op->content_type = "application/json";
				break;
			case CALLSYNC_BODY_FORM:
				op->content_type = "application/x-www-form-urlencoded";
				break;
			case CALLSYNC_BODY_XML:
				op->content_type = "application/xml; charset=utf-8";
				break;
			case CALLSYNC_BODY_TEXT:
				op->content_type = "text/plain; charset=utf-8";
				break;
			case CALLSYNC_BODY_MULTIPART:	/* gets its boundary when rendered */
			case CALLSYNC_BODY_NONE:
				break;
		}

	/* what is not said follows from the method */
	if (kind < 0)
		kind = method == 0 ? CALLSYNC_OP_READ : method == 4 ? CALLSYNC_OP_DELETE : CALLSYNC_OP_WRITE;
	op->kind = (CallsyncOpKind) kind;
	if (idem < 0)
	{
		bool		natural = (kind != CALLSYNC_OP_WRITE) || method == 0 || method == 2 || method == 4 ||
			(method == 3 && op->needs_id);

		idem = natural ? CALLSYNC_IDEM_NATURAL : CALLSYNC_IDEM_NONE;
	}
	op->idempotency = (CallsyncIdempotency) idem;
	if (op->bucket == NULL)
		op->bucket = kind_words[kind];

	if (json_object_get(doc, "batch") != NULL)
	{
		char		sub[200];

		callsync_where(sub, sizeof(sub), where, "batch");
		if (!callsync_connector_parse_batch(op, json_object_get(doc, "batch"), sub, err))
			return false;
	}
	if (impl->path == NULL && !(op->batch != NULL && op->batch->impl->path != NULL))
		return callsync_doc_error(err, where, NULL, "The operation needs \"path\".");
	if (json_object_get(doc, "result") != NULL)
	{
		char		sub[200];

		callsync_where(sub, sizeof(sub), where, "result");
		if (!parse_result(impl, json_object_get(doc, "result"), sub, err))
			return false;
	}
	if (json_object_get(doc, "created_when") != NULL && !parse_created(impl, json_object_get(doc, "created_when"), where, err))
		return false;
	if (json_object_get(doc, "describe") != NULL)
	{
		char		sub[200];

		callsync_where(sub, sizeof(sub), where, "describe");
		if (!parse_describe(impl, json_object_get(doc, "describe"), sub, err))
			return false;
	}
	return true;
}

static int
cmp_op(const void *a, const void *b)
{
	return strcmp(((const CallsyncOp *) a)->name, ((const CallsyncOp *) b)->name);
}

bool
callsync_connector_parse_ops(CallsyncConnector *c, const json_t *ops, CallsyncDocError *err)
{
	const char *name;
	json_t	   *doc;

	if (!json_is_object(ops) || json_object_size(ops) == 0)
		return callsync_doc_error(err, "/ops", NULL, "A connector needs operations.");
	c->ops = calloc(json_object_size(ops), sizeof(CallsyncOp));
	if (c->ops == NULL)
		return callsync_doc_error(err, "/ops", NULL, "Out of memory.");
	json_object_foreach((json_t *) ops, name, doc)
	{
		if (!parse_op(&c->ops[c->nops++], name, doc, err))
			return false;
	}
	qsort(c->ops, (size_t) c->nops, sizeof(CallsyncOp), cmp_op);
	for (int i = 0; i < c->nops; i++)
	{
		const CallsyncOp *op = &c->ops[i];
		char		where[200];

		snprintf(where, sizeof(where), "/ops/%s", op->name);
		if (op->guard != NULL && callsync_connector_op(c, op->guard) == NULL)
			return callsync_doc_unknown("Guard \"%.60s\" is not an operation.", op->guard, "Operations", ops, where, err);
		if (op->fallback != NULL && callsync_connector_op(c, op->fallback) == NULL)
			return callsync_doc_unknown("Fallback \"%.60s\" is not an operation.", op->fallback, "Operations", ops, where, err);
		if (op->idempotency == CALLSYNC_IDEM_LOOKUP && op->guard == NULL)
			return callsync_doc_error(err, where, NULL, "With \"idempotent\": \"lookup\" the operation needs \"guard\".");
		if (op->object != NULL && callsync_connector_object(c, op->object) == NULL)
			return callsync_doc_unknown("Object \"%.60s\" is unknown.", op->object, "Objects", json_object_get(c->document, "objects"), where, err);
	}
	return true;
}

void
callsync_connector_free_ops(CallsyncConnector *c)
{
	for (int i = 0; i < c->nops; i++)
	{
		struct CallsyncOpImpl *impl = (struct CallsyncOpImpl *) c->ops[i].impl;

		callsync_connector_free_batch(c->ops[i].batch);
		if (impl == NULL)
			continue;
		callsync_template_free(impl->path);
		callsync_template_free(impl->next_path);
		callsync_template_free(impl->body);
		for (int k = 0; k < impl->nlines; k++)
		{
			callsync_template_free(impl->lines[k]);
			callsync_cond_free(impl->line_conds[k]);
		}
		free(impl->lines);
		free(impl->line_conds);
		callsync_connector_free_headers(impl->headers, impl->nheaders);
		callsync_tests_clear(&impl->success);
		callsync_extract_free(impl->id);
		callsync_tests_clear(&impl->created_json);
		callsync_extract_free(impl->item_id);
		callsync_tests_clear(&impl->deleted_tests);
		callsync_extract_free(impl->cursor);
		callsync_template_free(impl->where_text);
		free(impl);
	}
	free(c->ops);
}
