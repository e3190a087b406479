/*
 * request_batch.c
 *		Many contexts in one request: a JSON envelope round rendered items, or
 *		whole HTTP requests as parts of a multipart body.
 */
#define _POSIX_C_SOURCE 200809L	/* strdup() */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/crypto.h"
#include "core/request_impl.h"

/* The context of one item becomes the envelope's, with "items" added. */
static bool
render_envelope(const CallsyncOp *op, const json_t *const *contexts, int n, const CallsyncRenderInput *input,
				CallsyncRequest *request, int *bad, CallsyncDocError *err)
{
	const struct CallsyncBatchImpl *impl = op->batch->impl;
	const CallsyncTemplate *item_tmpl = impl->item != NULL ? impl->item : op->impl->body;
	CallsyncRenderInput with_items = *input;
	json_t	   *items = json_array();
	json_t	   *context;
	bool		ok;

	if (item_tmpl == NULL)
	{
		json_decref(items);
		return callsync_doc_error(err, "", NULL, "The batch of operation %.60s has no item template.", op->name);
	}
	for (int i = 0; i < n; i++)
	{
		CallsyncRenderInput one = *input;
		bool		absent;
		json_t	   *value;

		one.context = contexts[i];
		value = callsync_template_render(item_tmpl, &one, &absent, err);
		if (value == NULL || absent)
		{
			if (value != NULL)
				callsync_doc_error(err, "", NULL, "The item has no value.");
			json_decref(value);
			json_decref(items);
			*bad = i;
			return false;
		}
		json_array_append_new(items, value);
	}
	context = json_copy((json_t *) contexts[0]);
	json_object_set_new(context, "items", items);
	with_items.context = context;
	ok = callsync_request_body(op, impl->body, &with_items, request, err);
	json_decref(context);
	return ok;
}

static bool
render_joins(const CallsyncOp *op, const json_t *const *contexts, int n, const CallsyncRenderInput *input,
			 CallsyncRequest *request, int *bad, CallsyncDocError *err)
{
	const struct CallsyncBatchImpl *impl = op->batch->impl;

	if (impl->join == NULL)
		return true;
	request->joins = calloc((size_t) n, sizeof(char *));
	if (request->joins == NULL)
		return callsync_doc_error(err, "", NULL, "Out of memory.");
	for (int i = 0; i < n; i++)
	{
		CallsyncRenderInput one = *input;

		one.context = contexts[i];
		request->joins[i] = callsync_template_render_text(impl->join, &one, err);
		if (request->joins[i] == NULL)
		{
			if (err->what[0] == '\0')
				callsync_doc_error(err, "", NULL, "The item has nothing to be told apart by.");
			*bad = i;
			return false;
		}
	}
	return true;
}

/* ---- multipart/mixed with application/http parts (RFC 2046, OData 11.7) ---- */

static void
put_part(TextBuf *buf, const CallsyncRequest *part, int number)
{
	char		line[80];
	const char *path = part->url + callsync_url_origin_len(part->url);

	callsync_text_puts(buf, "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n");
	snprintf(line, sizeof(line), "Content-ID: %d\r\n\r\n", number);
	callsync_text_puts(buf, line);
	callsync_text_puts(buf, part->method);
	callsync_text_puts(buf, " ");
	callsync_text_puts(buf, *path ? path : "/");
	callsync_text_puts(buf, " HTTP/1.1\r\n");
	for (int i = 0; i < part->nheaders; i++)
	{
		callsync_text_puts(buf, part->headers[i].name);
		callsync_text_puts(buf, ": ");
		callsync_text_puts(buf, part->headers[i].value);
		callsync_text_puts(buf, "\r\n");
	}
	if (part->content_type != NULL)
	{
		callsync_text_puts(buf, "Content-Type: ");
		callsync_text_puts(buf, part->content_type);
		callsync_text_puts(buf, "\r\n");
	}
	callsync_text_puts(buf, "\r\n");
	if (part->body != NULL)
		callsync_text_put(buf, part->body, part->body_len);
	callsync_text_puts(buf, "\r\n");
}

static bool
render_parts(const CallsyncConnector *c, const CallsyncOp *op, const json_t *const *contexts, int n,
			 const CallsyncRenderInput *input, const char *base_url, CallsyncRequest *request, int *bad,
			 CallsyncDocError *err)
{
	TextBuf		parts = {0};
	TextBuf		body = {0};
	size_t	   *ends = calloc((size_t) n, sizeof(size_t));
	uint8_t		digest[CALLSYNC_SHA256_LEN];
	char		hex[2 * CALLSYNC_SHA256_LEN + 1];
	char		boundary[48];
	char		type[120];
	bool		ok = ends != NULL;

	for (int i = 0; i < n && ok; i++)
	{
		CallsyncRenderInput one = *input;
		CallsyncRequest part = {.op = op, .method = op->method};

		one.context = contexts[i];
		part.url = callsync_request_url(c, op->impl->path, &one, base_url, err);
		ok = part.url != NULL &&
			callsync_request_add_headers(&part, op->impl->headers, op->impl->nheaders, &one, err) &&
			callsync_request_body(op, op->impl->body, &one, &part, err);
		if (ok)
			put_part(&parts, &part, i + 1);
		else
			*bad = i;
		callsync_request_free(&part);
		ends[i] = parts.len;
	}
	if (ok)
	{
		size_t		from = 0;

		/* no part can hold a boundary that is a digest of all parts */
		callsync_sha256(parts.data ? parts.data : "", parts.len, digest);
		callsync_hex(digest, sizeof(digest), hex);
		snprintf(boundary, sizeof(boundary), "batch_%.32s", hex);
		for (int i = 0; i < n; i++)
		{
			callsync_text_puts(&body, "--");
			callsync_text_puts(&body, boundary);
			callsync_text_puts(&body, "\r\n");
			callsync_text_put(&body, parts.data + from, ends[i] - from);
			from = ends[i];
		}
		callsync_text_puts(&body, "--");
		callsync_text_puts(&body, boundary);
		callsync_text_puts(&body, "--\r\n");
		snprintf(type, sizeof(type), "multipart/mixed; boundary=%s", boundary);
		request->content_type = strdup(type);
		request->body = body.data;
		request->body_len = body.len;
		ok = !body.failed && !parts.failed;
	}
	callsync_text_free(&parts);
	free(ends);
	return ok;
}

bool
callsync_request_render_batch(const CallsyncConnector *c, const CallsyncOp *op, const json_t *const *contexts, int n,
							  const CallsyncRenderInput *input, const char *base_url, CallsyncRequest *request, int *bad,
							  CallsyncDocError *err)
{
	CallsyncRenderInput with_vars = *input;
	CallsyncDocError local;
	const struct CallsyncBatchImpl *impl;
	bool		ok;

	if (err == NULL)
		err = &local;
	memset(err, 0, sizeof(*err));
	memset(request, 0, sizeof(*request));
	*bad = -1;
	if (op->batch == NULL || n < 1 || n > op->batch->max)
		return callsync_doc_error(err, "", NULL, "Operation %.60s cannot carry %d items.", op->name, n);
	impl = op->batch->impl;
	with_vars.vars = c->vars;
	with_vars.context = contexts[0];
	request->op = op;
	request->method = impl->method != NULL ? impl->method : impl->multipart ? "POST" : op->method;
	request->nitems = n;
	request->url = callsync_request_url(c, impl->path != NULL ? impl->path : op->impl->path, &with_vars, base_url, err);
	ok = request->url != NULL &&
		callsync_request_add_headers(request, c->base_headers, c->nbase_headers, &with_vars, err);
	if (ok && impl->multipart)
		ok = callsync_request_add_headers(request, impl->headers, impl->nheaders, &with_vars, err) &&
			render_parts(c, op, contexts, n, &with_vars, base_url, request, bad, err);
	else if (ok)
		ok = callsync_request_add_headers(request, op->impl->headers, op->impl->nheaders, &with_vars, err) &&
			callsync_request_add_headers(request, impl->headers, impl->nheaders, &with_vars, err) &&
			render_envelope(op, contexts, n, &with_vars, request, bad, err);
	if (ok)
		ok = render_joins(op, contexts, n, &with_vars, request, bad, err);
	if (!ok)
		callsync_request_free(request);
	return ok;
}

char *
callsync_request_batch_key(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncRenderInput *input,
						   CallsyncDocError *err)
{
	CallsyncRenderInput with_vars = *input;
	CallsyncDocError local;
	CallsyncRequest request = {0};
	TextBuf		key = {0};
	char	   *url;
	bool		parts = op->batch != NULL && op->batch->impl->multipart;

	if (err == NULL)
		err = &local;
	memset(err, 0, sizeof(*err));
	with_vars.vars = c->vars;
	url = callsync_request_url(c, op->batch != NULL && op->batch->impl->path != NULL ? op->batch->impl->path : op->impl->path,
							   &with_vars, NULL, err);
	if (url == NULL ||
		!callsync_request_add_headers(&request, c->base_headers, c->nbase_headers, &with_vars, err) ||
		(!parts && !callsync_request_add_headers(&request, op->impl->headers, op->impl->nheaders, &with_vars, err)))
	{
		free(url);
		callsync_request_free(&request);
		return NULL;
	}
	callsync_text_puts(&key, op->name);
	callsync_text_puts(&key, " ");
	callsync_text_puts(&key, url);
	for (int i = 0; i < request.nheaders; i++)
	{
		callsync_text_puts(&key, "\n");
		callsync_text_puts(&key, request.headers[i].name);
		callsync_text_puts(&key, ":");
		callsync_text_puts(&key, request.headers[i].value);
	}
	free(url);
	callsync_request_free(&request);
	return key.data;
}
