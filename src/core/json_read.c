/*
 * json_read.c
 *		JSON text that a database stored, read fast; see json_read.h.
 *
 * Only what is certain is read here: whoever adds a case has to be sure that
 * jansson makes the same of it, down to the order of the keys.
 */
#include "core/json_read.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64
#define SHORT_TEXT 512			/* with escapes: decoded on the stack; keys are never longer */
#define MAX_DIGITS 18			/* fits 64 bits whatever the digits */

typedef struct Reader
{
	const char *at;
	const char *end;			/* where the NUL is */
} Reader;

static json_t *read_value(Reader *r, int depth);

static void
skip_blanks(Reader *r)
{
	while (*r->at == ' ' || *r->at == '\n' || *r->at == '\t' || *r->at == '\r')
		r->at++;
}

/*
 * At the character behind an opening quote: moves behind the closing one. *plain: no
 * escapes, so that the bytes between are the text; *ascii: no byte above 127.
 */
static bool
scan_string(Reader *r, const char **start, size_t *len, bool *plain, bool *ascii)
{
	const char *p = r->at;
	unsigned char high = 0;

	*start = p;
	*plain = true;
	for (;; p++)
	{
		unsigned char c = (unsigned char) *p;

		high |= c;
		if (c == '"')
			break;
		if (c < 0x20)
			return false;		/* a control character, or the end */
		if (c == '\\')
		{
			*plain = false;
			p++;
			if ((unsigned char) *p < 0x20)
				return false;
		}
	}
	*len = (size_t) (p - *start);
	*ascii = high < 0x80;
	r->at = p + 1;
	return true;
}

static int
hex_value(const char *s)
{
	int			value = 0;

	for (int i = 0; i < 4; i++)
	{
		char		c = s[i];
		int			digit = c >= '0' && c <= '9' ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

/* Never longer than the text. False: json_loads() should look at it. */
static bool
unescape(const char *s, size_t len, char *out, size_t *out_len)
{
	const char *end = s + len;
	char	   *o = out;

	while (s < end)
	{
		int			code;

		if (*s != '\\')
		{
			*o++ = *s++;
			continue;
		}
		s++;					/* something follows: scan_string saw to it */
		switch (*s++)
		{
			case '"':
				*o++ = '"';
				break;
			case '\\':
				*o++ = '\\';
				break;
			case '/':
				*o++ = '/';
				break;
			case 'b':
				*o++ = '\b';
				break;
			case 'f':
				*o++ = '\f';
				break;
			case 'n':
				*o++ = '\n';
				break;
			case 'r':
				*o++ = '\r';
				break;
			case 't':
				*o++ = '\t';
				break;
			case 'u':
				if (end - s < 4)
					return false;
				code = hex_value(s);
				s += 4;
				if (code <= 0 || (code >= 0xD800 && code <= 0xDFFF))
					return false;
				if (code < 0x80)
					*o++ = (char) code;
				else if (code < 0x800)
				{
					*o++ = (char) (0xC0 | code >> 6);
					*o++ = (char) (0x80 | (code & 0x3F));
				}
				else
				{
					*o++ = (char) (0xE0 | code >> 12);
					*o++ = (char) (0x80 | (code >> 6 & 0x3F));
					*o++ = (char) (0x80 | (code & 0x3F));
				}
				break;
			default:
				return false;
		}
	}
	*out_len = (size_t) (o - out);
	return true;
}

/* json_stringn() looks at each byte for UTF-8, which what is ASCII does not need */
static json_t *
make_string(const char *text, size_t len, bool ascii)
{
	return ascii ? json_stringn_nocheck(text, len) : json_stringn(text, len);
}

static json_t *
read_string(Reader *r)
{
	const char *start;
	char		room[SHORT_TEXT];
	char	   *text = room;
	json_t	   *value = NULL;
	size_t		len;
	bool		plain,
				ascii;

	if (!scan_string(r, &start, &len, &plain, &ascii))
		return NULL;
	if (plain)
		return make_string(start, len, ascii);
	if (len > sizeof(room) && (text = malloc(len)) == NULL)
		return NULL;
	/* an escape may stand for a character above 127 */
	if (unescape(start, len, text, &len))
		value = json_stringn(text, len);
	if (text != room)
		free(text);
	return value;
}

static json_t *
read_number(Reader *r)
{
	const char *start = r->at;
	const char *p = start;
	uint64_t	value = 0;
	bool		negative = *p == '-';
	char		text[64];
	size_t		len;

	if (negative)
		p++;
	if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
		return NULL;
	for (; *p >= '0' && *p <= '9'; p++)
		value = p - start > MAX_DIGITS ? 0 : value * 10 + (uint64_t) (*p - '0');
	if (*p != '.' && *p != 'e' && *p != 'E')
	{
		if (p - start > MAX_DIGITS)
			return NULL;
		r->at = p;
		return json_integer(negative ? -(json_int_t) value : (json_int_t) value);
	}
	/* reals are jansson's own business: rounding, range, and what the locale has for a point */
	while ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' || *p == 'E' || *p == '+' || *p == '-')
		p++;
	len = (size_t) (p - start);
	if (len >= sizeof(text))
		return NULL;
	memcpy(text, start, len);
	r->at = p;
	return json_loadb(text, len, JSON_DECODE_ANY, NULL);
}

static json_t *
read_object(Reader *r, int depth)
{
	json_t	   *object = json_object();

	if (object == NULL)
		return NULL;
	skip_blanks(r);
	if (*r->at == '}')
	{
		r->at++;
		return object;
	}
	for (;;)
	{
		const char *start;
		char		key[SHORT_TEXT];
		json_t	   *value;
		size_t		len;
		bool		plain,
					ascii;

		if (*r->at != '"')
			break;
		r->at++;
		if (!scan_string(r, &start, &len, &plain, &ascii) || !plain || len >= sizeof(key))
			break;
		memcpy(key, start, len);
		key[len] = '\0';
		skip_blanks(r);
		if (*r->at != ':')
			break;
		r->at++;
		value = read_value(r, depth + 1);
		if (value == NULL ||
			(ascii ? json_object_set_new_nocheck(object, key, value) : json_object_set_new(object, key, value)) != 0)
			break;
		skip_blanks(r);
		if (*r->at == '}')
		{
			r->at++;
			return object;
		}
		if (*r->at != ',')
			break;
		r->at++;
		skip_blanks(r);
	}
	json_decref(object);
	return NULL;
}

static json_t *
read_array(Reader *r, int depth)
{
	json_t	   *array = json_array();

	if (array == NULL)
		return NULL;
	skip_blanks(r);
	if (*r->at == ']')
	{
		r->at++;
		return array;
	}
	for (;;)
	{
		json_t	   *value = read_value(r, depth + 1);

		if (value == NULL || json_array_append_new(array, value) != 0)
			break;
		skip_blanks(r);
		if (*r->at == ']')
		{
			r->at++;
			return array;
		}
		if (*r->at != ',')
			break;
		r->at++;
	}
	json_decref(array);
	return NULL;
}

static json_t *
read_value(Reader *r, int depth)
{
	if (depth > MAX_DEPTH)
		return NULL;
	skip_blanks(r);
	switch (*r->at)
	{
		case '{':
			r->at++;
			return read_object(r, depth);
		case '[':
			r->at++;
			return read_array(r, depth);
		case '"':
			r->at++;
			return read_string(r);
		case 't':
			if (strncmp(r->at, "true", 4) != 0)
				return NULL;
			r->at += 4;
			return json_true();
		case 'f':
			if (strncmp(r->at, "false", 5) != 0)
				return NULL;
			r->at += 5;
			return json_false();
		case 'n':
			if (strncmp(r->at, "null", 4) != 0)
				return NULL;
			r->at += 4;
			return json_null();
		default:
			return read_number(r);
	}
}

json_t *
callsync_json_read(const char *text, size_t len)
{
	Reader		r = {text, text + len};
	json_t	   *value = read_value(&r, 0);

	if (value == NULL)
		return NULL;
	skip_blanks(&r);
	if (r.at == r.end)
		return value;
	json_decref(value);
	return NULL;
}
