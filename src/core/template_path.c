/*
 * template_path.c
 *		Paths into JSON and the growing text buffer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/template_impl.h"

/* ---- text buffer ---- */

void
callsync_text_put(TextBuf *buf, const char *s, size_t len)
{
	if (buf->failed)
		return;
	if (buf->len + len + 1 > buf->size)
	{
		size_t		size = buf->size ? buf->size * 2 : 128;
		char	   *data;

		while (size < buf->len + len + 1)
			size *= 2;
		data = realloc(buf->data, size);
		if (data == NULL)
		{
			buf->failed = true;
			return;
		}
		buf->data = data;
		buf->size = size;
	}
	memcpy(buf->data + buf->len, s, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
callsync_text_puts(TextBuf *buf, const char *s)
{
	callsync_text_put(buf, s, strlen(s));
}

void
callsync_text_free(TextBuf *buf)
{
	free(buf->data);
	memset(buf, 0, sizeof(*buf));
}

void
callsync_where(char *out, size_t size, const char *where, const char *key)
{
	snprintf(out, size, "%s/%s", where, key);
}

/* ---- paths ---- */

static bool
add_seg(CallsyncPath *path, const char *s, size_t len, bool pointer)
{
	PathSeg    *segs = realloc(path->segs, sizeof(PathSeg) * (size_t) (path->n + 1));
	PathSeg    *seg;
	size_t		n = 0;

	if (segs == NULL)
		return false;
	path->segs = segs;
	seg = &segs[path->n];
	seg->key = malloc(len + 1);
	if (seg->key == NULL)
		return false;
	path->n++;
	for (size_t i = 0; i < len; i++)
	{
		if (pointer && s[i] == '~' && i + 1 < len && (s[i + 1] == '0' || s[i + 1] == '1'))
			seg->key[n++] = s[++i] == '0' ? '~' : '/';
		else
			seg->key[n++] = s[i];
	}
	seg->key[n] = '\0';
	seg->any = strcmp(seg->key, "*") == 0;
	seg->index = -1;
	if (n > 0 && n < 9 && strspn(seg->key, "0123456789") == n)
		seg->index = atoi(seg->key);
	return true;
}

static CallsyncPath *
path_new(const char *text, size_t len)
{
	CallsyncPath *path = calloc(1, sizeof(*path));

	if (path == NULL)
		return NULL;
	path->text = malloc(len + 1);
	if (path->text == NULL)
	{
		free(path);
		return NULL;
	}
	memcpy(path->text, text, len);
	path->text[len] = '\0';
	return path;
}

/* NULL: not a path (or out of memory). */
CallsyncPath *
callsync_path_parse(const char *text, size_t len)
{
	CallsyncPath *path = path_new(text, len);
	const char *p = text;
	const char *end = text + len;

	if (path == NULL)
		return NULL;
	if (len == 0)
		return path;			/* the whole document */
	if (*p == '/')
	{
		while (p < end)
		{
			const char *slash;

			p++;				/* the '/' */
			slash = memchr(p, '/', (size_t) (end - p));
			if (slash == NULL)
				slash = end;
			if (!add_seg(path, p, (size_t) (slash - p), true))
				goto bad;
			p = slash;
		}
		return path;
	}
	if (*p == '$')
	{
		p++;
		if (p < end && *p == '.')
			p++;
	}
	while (p < end)
	{
		if (*p == '[')
		{
			const char *close;

			p++;
			if (p < end && (*p == '"' || *p == '\''))
			{
				char		quote = *p++;

				close = memchr(p, quote, (size_t) (end - p));
				if (close == NULL || close + 1 >= end || close[1] != ']' ||
					!add_seg(path, p, (size_t) (close - p), false))
					goto bad;
				p = close + 2;
			}
			else
			{
				close = memchr(p, ']', (size_t) (end - p));
				if (close == NULL || close == p || !add_seg(path, p, (size_t) (close - p), false))
					goto bad;
				p = close + 1;
			}
		}
		else
		{
			const char *start = p;

			while (p < end && *p != '.' && *p != '[')
			{
				/* what no key of a document looks like: most likely a typing error */
				if ((unsigned char) *p <= ' ' || strchr("{}|\"'", *p) != NULL)
					goto bad;
				p++;
			}
			if (p == start || !add_seg(path, start, (size_t) (p - start), false))
				goto bad;
		}
		if (p < end && *p == '.')
		{
			p++;
			if (p == end)
				goto bad;
		}
	}
	return path;

bad:
	callsync_path_free(path);
	return NULL;
}

void
callsync_path_free(CallsyncPath *path)
{
	if (path == NULL)
		return;
	for (int i = 0; i < path->n; i++)
		free(path->segs[i].key);
	free(path->segs);
	free(path->text);
	free(path);
}

json_t *
callsync_path_get(const CallsyncPath *path, int from, const json_t *root)
{
	const json_t *at = root;

	for (int i = from; i < path->n && at != NULL; i++)
	{
		const PathSeg *seg = &path->segs[i];

		if (seg->any)
		{
			if (json_is_array(at))
			{
				size_t		n = json_array_size(at);

				for (size_t k = 0; k < n; k++)
				{
					json_t	   *found = callsync_path_get(path, i + 1, json_array_get(at, k));

					if (found != NULL)
						return found;
				}
			}
			else if (json_is_object(at))
			{
				const char *key;
				json_t	   *member;

				json_object_foreach((json_t *) at, key, member)
				{
					json_t	   *found = callsync_path_get(path, i + 1, member);

					if (found != NULL)
						return found;
				}
			}
			return NULL;
		}
		if (json_is_object(at))
			at = json_object_get(at, seg->key);
		else if (json_is_array(at) && seg->index >= 0)
			at = json_array_get(at, (size_t) seg->index);
		else
			return NULL;
	}
	return (json_t *) at;
}

json_t *
callsync_json_get(const json_t *root, const char *text)
{
	CallsyncPath *path = callsync_path_parse(text, strlen(text));
	json_t	   *found;

	if (path == NULL)
		return NULL;
	found = callsync_path_get(path, 0, root);
	callsync_path_free(path);
	return found;
}

static bool
each(const CallsyncPath *path, int from, const json_t *at, bool (*fn) (void *arg, json_t *value), void *arg)
{
	for (int i = from; i < path->n; i++)
	{
		const PathSeg *seg = &path->segs[i];

		if (at == NULL)
			return true;
		if (seg->any)
		{
			if (json_is_array(at))
			{
				for (size_t k = 0; k < json_array_size(at); k++)
					if (!each(path, i + 1, json_array_get(at, k), fn, arg))
						return false;
			}
			else if (json_is_object(at))
			{
				const char *key;
				json_t	   *member;

				json_object_foreach((json_t *) at, key, member)
				{
					if (!each(path, i + 1, member, fn, arg))
						return false;
				}
			}
			return true;
		}
		if (json_is_object(at))
			at = json_object_get(at, seg->key);
		else if (json_is_array(at) && seg->index >= 0)
			at = json_array_get(at, (size_t) seg->index);
		else
			return true;
	}
	return at == NULL || fn(arg, (json_t *) at);
}

void
callsync_json_each(const json_t *root, const char *pointer, bool (*fn) (void *arg, json_t *value), void *arg)
{
	CallsyncPath *path = callsync_path_parse(pointer, strlen(pointer));

	if (path == NULL)
		return;
	each(path, 0, root, fn, arg);
	callsync_path_free(path);
}

/*
 * Look-up order: names of $each, the context, the connector's vars, the call.
 * Vars come before the call, so that a caller's data cannot stand in for a part
 * of a URL.
 */
json_t *
callsync_path_resolve(const CallsyncPath *path, const CallsyncRenderInput *input, const Scope *scope,
					  PathOrigin *origin)
{
	const char *head;
	json_t	   *at;

	*origin = PATH_DATA;
	if (path->n == 0 || path->text[0] == '/')
		return callsync_path_get(path, 0, input->context);
	head = path->segs[0].key;
	for (; scope != NULL; scope = scope->up)
		if (strcmp(scope->name, head) == 0)
			return callsync_path_get(path, 1, scope->value);
	if ((at = json_object_get(input->context, head)) != NULL)
		return callsync_path_get(path, 1, at);
	if (input->vars != NULL && (at = json_object_get(input->vars, head)) != NULL)
	{
		*origin = PATH_VARS;
		return callsync_path_get(path, 1, at);
	}
	if ((at = json_object_get(json_object_get(input->context, "call"), head)) != NULL)
		return callsync_path_get(path, 1, at);
	*origin = PATH_NOWHERE;
	return NULL;
}

json_t *
callsync_context_get(const CallsyncRenderInput *input, const char *text)
{
	CallsyncPath *path = callsync_path_parse(text, strlen(text));
	PathOrigin	origin;
	json_t	   *found;

	if (path == NULL)
		return NULL;
	found = callsync_path_resolve(path, input, NULL, &origin);
	callsync_path_free(path);
	return found;
}

bool
callsync_json_truthy(const json_t *value)
{
	switch (value == NULL ? JSON_NULL : json_typeof(value))
	{
		case JSON_OBJECT:
			return json_object_size(value) > 0;
		case JSON_ARRAY:
			return json_array_size(value) > 0;
		case JSON_STRING:
			return json_string_length(value) > 0;
		case JSON_INTEGER:
			return json_integer_value(value) != 0;
		case JSON_REAL:
			return json_real_value(value) != 0;
		case JSON_TRUE:
			return true;
		default:
			return false;
	}
}

bool
callsync_scalar_text(const json_t *value, TextBuf *buf)
{
	char		number[40];

	switch (value == NULL ? JSON_NULL : json_typeof(value))
	{
		case JSON_STRING:
			callsync_text_put(buf, json_string_value(value), json_string_length(value));
			return true;
		case JSON_INTEGER:
			snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
			callsync_text_puts(buf, number);
			return true;
		case JSON_REAL:
			snprintf(number, sizeof(number), "%.15g", json_real_value(value));
			callsync_text_puts(buf, number);
			return true;
		case JSON_TRUE:
			callsync_text_puts(buf, "true");
			return true;
		case JSON_FALSE:
			callsync_text_puts(buf, "false");
			return true;
		default:
			return false;
	}
}
