/*
 * template_dump.c
 *		Canonical JSON text: sorted keys, no blanks, UTF-8 as it is.
 *
 * jansson's own writer gives the same bytes, but goes through a call-back for
 * every quote and comma; a body is written for every delivery.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/template_impl.h"

/* Objects up to this many members are sorted without an allocation. */
#define KEYS_ON_STACK 64

static void
put_string(TextBuf *buf, const char *s, size_t len)
{
	size_t		from = 0;

	callsync_text_put(buf, "\"", 1);
	for (size_t i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) s[i];
		char		escape[8];
		size_t		n = 2;

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		escape[0] = '\\';
		switch (c)
		{
			case '"':
			case '\\':
				escape[1] = (char) c;
				break;
			case '\n':
				escape[1] = 'n';
				break;
			case '\r':
				escape[1] = 'r';
				break;
			case '\t':
				escape[1] = 't';
				break;
			case '\b':
				escape[1] = 'b';
				break;
			case '\f':
				escape[1] = 'f';
				break;
			default:
				n = (size_t) snprintf(escape, sizeof(escape), "\\u%04X", c);
		}
		callsync_text_put(buf, s + from, i - from);
		callsync_text_put(buf, escape, n);
		from = i + 1;
	}
	callsync_text_put(buf, s + from, len - from);
	callsync_text_put(buf, "\"", 1);
}

static int
cmp_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
put_value(TextBuf *buf, const json_t *value)
{
	char		number[48];

	switch (json_typeof(value))
	{
		case JSON_OBJECT:
			{
				const char *stack[KEYS_ON_STACK];
				const char **keys = stack;
				size_t		n = 0;
				const char *key;
				json_t	   *member;

				if (json_object_size(value) > KEYS_ON_STACK &&
					(keys = malloc(sizeof(char *) * json_object_size(value))) == NULL)
				{
					buf->failed = true;
					return;
				}
				json_object_foreach((json_t *) value, key, member)
				{
					keys[n++] = key;
				}
				qsort(keys, n, sizeof(char *), cmp_keys);
				callsync_text_put(buf, "{", 1);
				for (size_t i = 0; i < n; i++)
				{
					if (i > 0)
						callsync_text_put(buf, ",", 1);
					put_string(buf, keys[i], strlen(keys[i]));
					callsync_text_put(buf, ":", 1);
					put_value(buf, json_object_get(value, keys[i]));
				}
				callsync_text_put(buf, "}", 1);
				if (keys != stack)
					free(keys);
				return;
			}
		case JSON_ARRAY:
			callsync_text_put(buf, "[", 1);
			for (size_t i = 0; i < json_array_size(value); i++)
			{
				if (i > 0)
					callsync_text_put(buf, ",", 1);
				put_value(buf, json_array_get(value, i));
			}
			callsync_text_put(buf, "]", 1);
			return;
		case JSON_STRING:
			put_string(buf, json_string_value(value), json_string_length(value));
			return;
		case JSON_INTEGER:
			callsync_text_put(buf, number, (size_t) snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
															 json_integer_value(value)));
			return;
		case JSON_REAL:
			/* 17 significant digits would show 0.1 as 0.10000000000000001 */
			snprintf(number, sizeof(number), "%.15g", json_real_value(value));
			if (strpbrk(number, ".eE") == NULL)
				strcat(number, ".0");
			callsync_text_puts(buf, number);
			return;
		case JSON_TRUE:
			callsync_text_put(buf, "true", 4);
			return;
		case JSON_FALSE:
			callsync_text_put(buf, "false", 5);
			return;
		case JSON_NULL:
			callsync_text_put(buf, "null", 4);
			return;
	}
}

char *
callsync_json_dump(const json_t *value, size_t *len)
{
	TextBuf		buf = {0};

	if (value == NULL)
		return NULL;
	put_value(&buf, value);
	if (buf.failed)
	{
		callsync_text_free(&buf);
		return NULL;
	}
	if (len != NULL)
		*len = buf.len;
	return buf.data;
}
