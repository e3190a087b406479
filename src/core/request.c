/*
 * request.c
 *		Rendering of a single operation, see request.h.
 *
 * Two things guard the edge to HTTP: a header value never holds a line break, and
 * an absolute URL (the "next page" that a server gave) must stay on the origin of
 * the base URL, because the credential travels with it.
 */
#define _POSIX_C_SOURCE 200809L	/* strdup() */

#include "core/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/connector_impl.h"
#include "core/crypto.h"
#include "core/request_impl.h"

/* Scheme and host part of a URL, its length */
size_t
callsync_url_origin_len(const char *url)
{
	const char *host = strstr(url, "://");
	const char *end;

	if (host == NULL)
		return 0;
	end = strpbrk(host + 3, "/?#");
	return end ? (size_t) (end - url) : strlen(url);
}

char *
callsync_request_url(const CallsyncConnector *c, const CallsyncTemplate *path, const CallsyncRenderInput *input,
					 const char *base_url, CallsyncDocError *err)
{
	const char *base = base_url != NULL ? base_url : c->base_url;
	char	   *rendered;
	char	   *url;
	size_t		base_len;

	if (base == NULL)
	{
		callsync_doc_error(err, "/base/url", "Give base_url in the destination's options.", "There is no base URL.");
		return NULL;
	}
	base_len = strlen(base);
	rendered = callsync_template_render_text(path, input, err);
	if (rendered == NULL)
	{
		if (err != NULL && err->what[0] == '\0')
			callsync_doc_error(err, "", NULL, "The path of the request has no value.");
		return NULL;
	}
	for (const char *p = rendered; *p; p++)
		if ((unsigned char) *p <= ' ' || *p == 127)
		{
			callsync_doc_error(err, "", NULL, "The URL holds a blank or a control character.");
			free(rendered);
			return NULL;
		}
	if (strncasecmp(rendered, "http://", 7) == 0 || strncasecmp(rendered, "https://", 8) == 0)
	{
		size_t		origin = callsync_url_origin_len(base);

		if (strncasecmp(rendered, base, origin) != 0 || callsync_url_origin_len(rendered) != origin)
		{
			callsync_doc_error(err, "", NULL, "The URL leads away from the destination's own address.");
			free(rendered);
			return NULL;
		}
		return rendered;
	}
	while (base_len > 0 && base[base_len - 1] == '/' && rendered[0] != '\0')
		base_len--;
	url = malloc(base_len + strlen(rendered) + 2);
	if (url != NULL)
	{
		memcpy(url, base, base_len);
		url[base_len] = '\0';
		if (rendered[0] != '/' && rendered[0] != '?' && rendered[0] != '\0')
			strcat(url, "/");
		strcat(url, rendered);
	}
	free(rendered);
	return url;
}

bool
callsync_request_add_headers(CallsyncRequest *request, const OpHeader *headers, int n, const CallsyncRenderInput *input,
							 CallsyncDocError *err)
{
	for (int i = 0; i < n; i++)
	{
		CallsyncHeader *grown;
		char	   *value = callsync_template_render_text(headers[i].value, input, err);
		int			at;

		if (value == NULL)
		{
			if (err != NULL && err->what[0] != '\0')
				return false;
			continue;			/* an optional value that is not there */
		}
		if (strpbrk(value, "\r\n") != NULL)
		{
			free(value);
			return callsync_doc_error(err, "", NULL, "The value of header %.60s holds a line break.", headers[i].name);
		}
		for (at = 0; at < request->nheaders; at++)
			if (strcasecmp(request->headers[at].name, headers[i].name) == 0)
				break;
		if (at < request->nheaders)
		{
			free((char *) request->headers[at].value);
			request->headers[at].value = value;
			continue;
		}
		grown = callsync_doc_grow(request->headers, request->nheaders, sizeof(CallsyncHeader));
		if (grown == NULL)
		{
			free(value);
			return callsync_doc_error(err, "", NULL, "Out of memory.");
		}
		request->headers = grown;
		grown[request->nheaders].name = headers[i].name;
		grown[request->nheaders].value = value;
		request->nheaders++;
	}
	return true;
}

/* ---- bodies ---- */

static int
cmp_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
put_form_text(TextBuf *buf, const char *s, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++)
	{
		unsigned char ch = (unsigned char) s[i];
		char		out[3] = {'%', hex[ch >> 4], hex[ch & 15]};

		if ((ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') ||
			ch == '-' || ch == '.' || ch == '_' || ch == '~')
			callsync_text_put(buf, s + i, 1);
		else
			callsync_text_put(buf, out, 3);
	}
}

typedef void (*PairFn) (TextBuf *buf, const char *key, const char *value, size_t len, const void *arg);

static void
form_pair(TextBuf *buf, const char *key, const char *value, size_t len, const void *arg)
{
	(void) arg;
	if (buf->len > 0)
		callsync_text_puts(buf, "&");
	put_form_text(buf, key, strlen(key));
	callsync_text_puts(buf, "=");
	put_form_text(buf, value, len);
}

static void
multipart_pair(TextBuf *buf, const char *key, const char *value, size_t len, const void *arg)
{
	callsync_text_puts(buf, "--");
	callsync_text_puts(buf, arg);
	callsync_text_puts(buf, "\r\nContent-Disposition: form-data; name=\"");
	for (const char *p = key; *p; p++)
		callsync_text_put(buf, (*p == '"' || *p == '\r' || *p == '\n') ? "_" : p, 1);
	callsync_text_puts(buf, "\"\r\n\r\n");
	callsync_text_put(buf, value, len);
	callsync_text_puts(buf, "\r\n");
}

/* Members in the order of their names; a list repeats its name. */
static bool
put_pairs(TextBuf *buf, const json_t *object, PairFn fn, const void *arg, CallsyncDocError *err)
{
	const char **keys;
	size_t		n = 0;
	const char *key;
	json_t	   *value;
	bool		ok = true;

	if (!json_is_object(object))
		return callsync_doc_error(err, "", NULL, "A form body must be an object of names and values.");
	keys = malloc(sizeof(char *) * (json_object_size(object) + 1));
	if (keys == NULL)
		return callsync_doc_error(err, "", NULL, "Out of memory.");
	json_object_foreach((json_t *) object, key, value)
	{
		keys[n++] = key;
	}
	qsort(keys, n, sizeof(char *), cmp_keys);
	for (size_t i = 0; i < n && ok; i++)
	{
		const json_t *member = json_object_get(object, keys[i]);
		size_t		count = json_is_array(member) ? json_array_size(member) : 1;

		for (size_t k = 0; k < count && ok; k++)
		{
			const json_t *one = json_is_array(member) ? json_array_get(member, k) : member;
			TextBuf		text = {0};

			if (json_is_null(one))
				continue;
			if (callsync_scalar_text(one, &text))
				fn(buf, keys[i], text.data ? text.data : "", text.len, arg);
			else
				ok = callsync_doc_error(err, "", NULL, "Form field \"%.60s\" is not a single value.", keys[i]);
			callsync_text_free(&text);
		}
	}
	free(keys);
	return ok;
}

/* The boundary follows from the content, so that the same call gives the same bytes. */
static void
boundary_for(const char *content, size_t len, char out[48])
{
	uint8_t		digest[CALLSYNC_SHA256_LEN];
	char		hex[2 * CALLSYNC_SHA256_LEN + 1];

	callsync_sha256(content, len, digest);
	callsync_hex(digest, sizeof(digest), hex);
	snprintf(out, 48, "callsync-%.32s", hex);
}

static bool
render_lines(const CallsyncOp *op, const CallsyncRenderInput *input, TextBuf *buf, CallsyncDocError *err)
{
	const struct CallsyncOpImpl *impl = op->impl;

	for (int i = 0; i < impl->nlines; i++)
	{
		char	   *line;

		if (!callsync_cond_holds(impl->line_conds[i], input))
			continue;
		line = callsync_template_render_text(impl->lines[i], input, err);
		if (line == NULL)
		{
			if (err != NULL && err->what[0] != '\0')
				return false;
			continue;
		}
		callsync_text_puts(buf, line);
		callsync_text_puts(buf, impl->line_end ? impl->line_end : "\n");
		free(line);
	}
	return true;
}

bool
callsync_request_body(const CallsyncOp *op, const CallsyncTemplate *tmpl, const CallsyncRenderInput *input,
					  CallsyncRequest *request, CallsyncDocError *err)
{
	TextBuf		buf = {0};
	bool		absent = false;
	json_t	   *value = NULL;
	bool		ok = true;

	if (op->body_kind == CALLSYNC_BODY_NONE || (tmpl == NULL && op->impl->nlines == 0))
		return true;
	request->content_type = op->content_type ? strdup(op->content_type) : NULL;
	if (op->body_kind == CALLSYNC_BODY_XML || op->body_kind == CALLSYNC_BODY_TEXT)
	{
		if (op->impl->nlines > 0)
			ok = render_lines(op, input, &buf, err);
		else
		{
			char	   *text = callsync_template_render_text(tmpl, input, err);

			if (text != NULL)
				callsync_text_puts(&buf, text);
			else
				ok = err == NULL || err->what[0] == '\0';
			free(text);
		}
	}
	else
	{
		value = callsync_template_render(tmpl, input, &absent, err);
		if (value == NULL)
			return false;
		if (absent)
			ok = callsync_doc_error(err, "", NULL, "The body of the request has no value.");
		else if (op->body_kind == CALLSYNC_BODY_JSON)
		{
			buf.data = callsync_json_dump(value, &buf.len);
			buf.failed = buf.data == NULL;
		}
		else if (op->body_kind == CALLSYNC_BODY_FORM)
			ok = put_pairs(&buf, value, form_pair, NULL, err);
		else
		{
			char		boundary[48];
			char		type[120];
			size_t		len;
			char	   *content = callsync_json_dump(value, &len);

			boundary_for(content ? content : "", content ? len : 0, boundary);
			free(content);
			ok = put_pairs(&buf, value, multipart_pair, boundary, err);
			callsync_text_puts(&buf, "--");
			callsync_text_puts(&buf, boundary);
			callsync_text_puts(&buf, "--\r\n");
			snprintf(type, sizeof(type), "multipart/form-data; boundary=%s", boundary);
			free((char *) request->content_type);
			request->content_type = strdup(type);
		}
		json_decref(value);
	}
	if (buf.failed)
		ok = callsync_doc_error(err, "", NULL, "Out of memory.");
	if (!ok)
	{
		callsync_text_free(&buf);
		return false;
	}
	if (buf.data == NULL)
		callsync_text_put(&buf, "", 0);
	request->body = buf.data;
	request->body_len = buf.len;
	return true;
}

/* ---- a single request ---- */

bool
callsync_request_render(const CallsyncConnector *c, const CallsyncOp *op, const CallsyncRenderInput *input,
						const char *base_url, CallsyncRequest *request, CallsyncDocError *err)
{
	CallsyncRenderInput with_vars = *input;
	CallsyncDocError local;
	const CallsyncTemplate *path = op->impl->path;

	if (err == NULL)
		err = &local;
	memset(err, 0, sizeof(*err));
	if (op->batch != NULL && op->batch->only)
	{
		int			bad;
		const json_t *context = input->context;

		return callsync_request_render_batch(c, op, &context, 1, input, base_url, request, &bad, err);
	}
	memset(request, 0, sizeof(*request));
	with_vars.vars = c->vars;
	request->op = op;
	request->method = op->method;
	request->nitems = 1;
	if (op->impl->next_path != NULL && callsync_json_truthy(json_object_get(input->context, "cursor")))
		path = op->impl->next_path;
	request->url = callsync_request_url(c, path, &with_vars, base_url, err);
	if (request->url == NULL ||
		!callsync_request_add_headers(request, c->base_headers, c->nbase_headers, &with_vars, err) ||
		!callsync_request_add_headers(request, op->impl->headers, op->impl->nheaders, &with_vars, err) ||
		!callsync_request_body(op, op->impl->body, &with_vars, request, err))
	{
		callsync_request_free(request);
		return false;
	}
	return true;
}

void
callsync_request_free(CallsyncRequest *request)
{
	free(request->url);
	for (int i = 0; i < request->nheaders; i++)
		free((char *) request->headers[i].value);
	free(request->headers);
	free((char *) request->content_type);
	free(request->body);
	for (int i = 0; request->joins != NULL && i < request->nitems; i++)
		free(request->joins[i]);
	free(request->joins);
	memset(request, 0, sizeof(*request));
}
