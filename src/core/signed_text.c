/*
 * signed_text.c
 *		Placeholders of signature schemes: body, URL in its spellings, parameters in
 *		order, members of the body.
 */
#include "core/signed_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/header_set.h"
#include "core/json_body.h"
#include "core/signature.h"

void
callsync_buffer_append(CallsyncBuffer *buffer, const void *data, size_t len)
{
	if (!buffer->ok)
		return;
	if (buffer->size - buffer->len < len + 1)
	{
		size_t		size = (buffer->len + len + 1) * 2;
		char	   *grown = realloc(buffer->data, size);

		if (grown == NULL)
		{
			buffer->ok = false;
			return;
		}
		buffer->data = grown;
		buffer->size = size;
	}
	if (len > 0)
		memcpy(buffer->data + buffer->len, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
}

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* name and value run together; of several values each once, sorted */
static void
append_parameter(CallsyncBuffer *out, const char *name, const json_t *value)
{
	size_t		n = json_array_size(value);
	const char **texts;

	if (json_is_string(value))
	{
		callsync_buffer_append(out, name, strlen(name));
		callsync_buffer_append(out, json_string_value(value), json_string_length(value));
		return;
	}
	texts = calloc(n + 1, sizeof(char *));
	if (texts == NULL)
	{
		out->ok = false;
		return;
	}
	for (size_t i = 0; i < n; i++)
		texts[i] = json_string_value(json_array_get(value, i));
	qsort(texts, n, sizeof(char *), compare_texts);
	for (size_t i = 0; i < n; i++)
	{
		if (i > 0 && strcmp(texts[i], texts[i - 1]) == 0)
			continue;
		callsync_buffer_append(out, name, strlen(name));
		callsync_buffer_append(out, texts[i], strlen(texts[i]));
	}
	free(texts);
}

/* False: the body is no form. */
static bool
append_form(CallsyncBuffer *out, const CallsyncSigned *request)
{
	char		reason[200];
	json_t	   *form;
	size_t		n;
	size_t		i = 0;
	const char **names;
	const char *name;
	json_t	   *value;

	if (request->body_len == 0)
		return true;
	if (callsync_body_parse_form(request->body, request->body_len, &form, reason, sizeof(reason)) != CALLSYNC_BODY_OK)
		return false;
	n = json_object_size(form);
	names = calloc(n + 1, sizeof(char *));
	out->ok = out->ok && names != NULL;
	if (names != NULL)
	{
		json_object_foreach(form, name, value)
			names[i++] = name;
		qsort(names, n, sizeof(char *), compare_texts);
		for (i = 0; i < n; i++)
			append_parameter(out, names[i], json_object_get(form, names[i]));
	}
	free(names);
	json_decref(form);
	return true;
}

/* The text at a JSON pointer of the body; false where there is none. */
static bool
append_member(CallsyncBuffer *out, const CallsyncSigned *request, const char *pointer, size_t len)
{
	char		reason[200];
	json_t	   *root;
	const json_t *value;
	char		name[128];
	const char *end = pointer + len;

	if (callsync_body_parse_json(request->body, request->body_len, &root, reason, sizeof(reason)) != CALLSYNC_BODY_OK)
		return false;
	value = root;
	while (value != NULL && pointer < end && *pointer == '/')
	{
		const char *stop = memchr(pointer + 1, '/', (size_t) (end - pointer - 1));

		if (stop == NULL)
			stop = end;
		if ((size_t) (stop - pointer) > sizeof(name))
			value = NULL;
		else
		{
			memcpy(name, pointer + 1, (size_t) (stop - pointer - 1));
			name[stop - pointer - 1] = '\0';
			value = json_object_get(value, name);
		}
		pointer = stop;
	}
	if (json_is_string(value))
		callsync_buffer_append(out, json_string_value(value), json_string_length(value));
	else if (json_is_integer(value))
	{
		int			n = snprintf(name, sizeof(name), "%" JSON_INTEGER_FORMAT, json_integer_value(value));

		callsync_buffer_append(out, name, (size_t) n);
	}
	else
		value = NULL;
	json_decref(root);
	return value != NULL;
}

/* scheme://host part of a URL; *port is where ":port" stands or would stand. */
static bool
find_port(const char *url, const char **port, const char **rest)
{
	const char *host = strstr(url, "://");

	if (host == NULL)
		return false;
	host += 3;
	*rest = host + strcspn(host, "/?#");
	*port = *rest;
	for (const char *p = *rest; p > host; p--)
	{
		if (p[-1] == ':')
		{
			*port = p - 1;
			break;
		}
		if (p[-1] == ']' || p[-1] == '@')
			break;
	}
	return true;
}

/* Appends the URL in one of its forms; false where it has no such form. */
static bool
append_url(CallsyncBuffer *out, const char *url, const char *form)
{
	const char *port;
	const char *rest;

	if (strcmp(form, "received") == 0)
	{
		callsync_buffer_append(out, url, strlen(url));
		return true;
	}
	if (strcmp(form, "decoded") == 0)
	{
		/* the characters that some senders do not escape when they sign; others stay as they are */
		static const char plain[] = ":/?@!$'()*,;";

		for (const char *p = url; *p != '\0'; p++)
		{
			char		decoded[4];

			if (p[0] == '%' && p[1] != '\0' && p[2] != '\0' &&
				callsync_form_decode(p, 3, decoded) == 1 && decoded[0] != '\0' && strchr(plain, decoded[0]) != NULL)
			{
				callsync_buffer_append(out, decoded, 1);
				p += 2;
			}
			else
				callsync_buffer_append(out, p, 1);
		}
		return true;
	}
	if (!find_port(url, &port, &rest))
		return false;
	callsync_buffer_append(out, url, (size_t) (port - url));
	if (strcmp(form, "with_port") == 0)
	{
		if (port < rest)
			callsync_buffer_append(out, port, (size_t) (rest - port));
		else
			callsync_buffer_append(out, strncasecmp(url, "https:", 6) == 0 ? ":443" : ":80", strncasecmp(url, "https:", 6) == 0 ? 4 : 3);
	}
	callsync_buffer_append(out, rest, strlen(rest));
	return true;
}

/* False: something that is signed is not there. */
bool
callsync_signed_text(CallsyncBuffer *out, const char *template, const json_t *scheme, const CallsyncSigned *request,
	   CallsyncSlice timestamp, const char *url_form)
{
	const char *method = json_string_value(json_object_get(scheme, "method"));

	if (method == NULL)
		method = "POST";
	out->len = 0;
	callsync_buffer_append(out, "", 0);
	for (const char *p = template; *p != '\0';)
	{
		const char *open = strchr(p, '{');
		const char *close = open ? strchr(open, '}') : NULL;
		size_t		len;

		if (close == NULL)
		{
			callsync_buffer_append(out, p, strlen(p));
			break;
		}
		callsync_buffer_append(out, p, (size_t) (open - p));
		p = close + 1;
		open++;
		len = (size_t) (close - open);
		if (len == 4 && memcmp(open, "body", 4) == 0)
			callsync_buffer_append(out, request->body, request->body_len);
		else if (len == 9 && memcmp(open, "timestamp", 9) == 0)
			callsync_buffer_append(out, timestamp.p, timestamp.len);
		else if (len == 6 && memcmp(open, "method", 6) == 0)
			callsync_buffer_append(out, method, strlen(method));
		else if (len == 3 && memcmp(open, "url", 3) == 0)
		{
			if (!append_url(out, request->url, url_form))
				return false;
		}
		else if (len == 4 && memcmp(open, "form", 4) == 0)
		{
			if (!append_form(out, request))
				return false;
		}
		else if (len > 5 && memcmp(open, "json:", 5) == 0)
		{
			if (!append_member(out, request, open + 5, len - 5))
				return false;
		}
		else if (len > 7 && len < 200 && memcmp(open, "header:", 7) == 0)
		{
			char		name[200];
			const char *value;

			memcpy(name, open + 7, len - 7);
			name[len - 7] = '\0';
			value = callsync_headers_get(request->headers, name);
			if (value == NULL)
				return false;
			callsync_buffer_append(out, value, strlen(value));
		}
		else
			return false;
	}
	return out->ok;
}
