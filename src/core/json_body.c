/*
 * json_body.c
 *		Bounded parsing of JSON and form bodies.
 *
 * jansson does the parsing; in front of it stand the checks that it has no setting
 * for (depth, integers of any length), so that its errors are only about syntax.
 */
#include "core/json_body.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* digits that surely fit 64 bits, and the most that an integer within double can have */
#define SAFE_DIGITS 18
#define MOST_DIGITS 308

bool
callsync_utf8_valid(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *) s;
	const unsigned char *end = p + len;

	while (p < end)
	{
		unsigned	c = *p++;
		int			more;
		unsigned	min;

		if (c < 0x80)
			continue;
		if (c >= 0xc2 && c <= 0xdf)
			more = 1, min = 0x80, c &= 0x1f;
		else if (c >= 0xe0 && c <= 0xef)
			more = 2, min = 0x800, c &= 0x0f;
		else if (c >= 0xf0 && c <= 0xf4)
			more = 3, min = 0x10000, c &= 0x07;
		else
			return false;
		if (end - p < more)
			return false;
		while (more-- > 0)
		{
			if ((*p & 0xc0) != 0x80)
				return false;
			c = c << 6 | (*p++ & 0x3f);
		}
		if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return false;
	}
	return true;
}

/* What a look at the tokens alone tells. */
typedef struct Survey
{
	bool		too_deep;
	bool		too_long_number;
	size_t		long_integers;	/* integer tokens that may not fit 64 bits */
} Survey;

/*
 * Walks over a number token at p and returns its end. *digits is the count of
 * digits if it is an integer, else 0.
 */
static const char *
number_end(const char *p, const char *end, size_t *digits)
{
	const char *start;
	bool		integer = true;

	if (p < end && *p == '-')
		p++;
	start = p;
	for (; p < end && ((*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' || *p == 'E' || *p == '+' || *p == '-'); p++)
		integer = integer && *p >= '0' && *p <= '9';
	*digits = integer ? (size_t) (p - start) : 0;
	return p;
}

/*
 * One pass over the text; with out != NULL it is copied there with the long
 * integers in quotes (room for len + 2 * long_integers), and the end is returned.
 */
static char *
walk(const char *body, size_t len, Survey *survey, char *out)
{
	const char *end = body + len;
	int			depth = 0;
	bool		in_string = false;

	for (const char *p = body; p < end;)
	{
		const char *from = p;
		bool		quote = false;

		if (in_string)
		{
			if (*p == '"')
				in_string = false;
			p += *p == '\\' && end - p > 1 ? 2 : 1;
		}
		else if (*p == '-' || (*p >= '0' && *p <= '9'))
		{
			size_t		digits;

			p = number_end(p, end, &digits);
			quote = digits > SAFE_DIGITS;
			survey->long_integers += quote;
			survey->too_long_number |= digits > MOST_DIGITS;
		}
		else
		{
			if (*p == '"')
				in_string = true;
			else if (*p == '{' || *p == '[')
				survey->too_deep |= ++depth > CALLSYNC_BODY_DEPTH;
			else if (*p == '}' || *p == ']')
				depth--;
			p++;
		}
		if (out != NULL)
		{
			if (quote)
				*out++ = '"';
			memcpy(out, from, (size_t) (p - from));
			out += p - from;
			if (quote)
				*out++ = '"';
		}
	}
	return out;
}

/* jansson quotes the text near the place; the reason must not. */
static void
describe(const json_error_t *error, char *reason, size_t size)
{
	const char *what;

	switch (json_error_code(error))
	{
		case json_error_duplicate_key:
			what = "a member name comes twice in one object";
			break;
		case json_error_null_character:
		case json_error_null_byte_in_key:
			what = "a text holds the character NUL";
			break;
		case json_error_numeric_overflow:
			what = "a number is beyond the range of double precision";
			break;
		case json_error_stack_overflow:
			what = "nested too deep";
			break;
		case json_error_premature_end_of_input:
			what = "the text ends too early";
			break;
		case json_error_end_of_input_expected:
			what = "something follows the end of the value";
			break;
		case json_error_invalid_utf8:
			what = "a text is not valid Unicode";
			break;
		default:
			what = "syntax error";
	}
	snprintf(reason, size, "not JSON: %s (line %d, byte %d)", what, error->line, error->position);
}

CallsyncBodyVerdict
callsync_body_parse_json(const char *body, size_t len, json_t **value, char *reason, size_t reason_size)
{
	Survey		survey = {0};
	json_error_t error;
	char	   *copy = NULL;

	*value = NULL;
	if (!callsync_utf8_valid(body, len))
	{
		snprintf(reason, reason_size, "bad UTF-8 in the body");
		return CALLSYNC_BODY_BAD_UTF8;
	}
	if (len >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0)
	{
		body += 3;
		len -= 3;
	}
	if (memchr(body, '\0', len) != NULL)
	{
		snprintf(reason, reason_size, "not JSON: the body holds the byte NUL");
		return CALLSYNC_BODY_BAD_JSON;
	}
	walk(body, len, &survey, NULL);
	if (survey.too_deep)
	{
		snprintf(reason, reason_size, "not usable JSON: nested deeper than %d", CALLSYNC_BODY_DEPTH);
		return CALLSYNC_BODY_BAD_JSON;
	}
	if (survey.too_long_number)
	{
		snprintf(reason, reason_size, "not usable JSON: a number is beyond the range of double precision");
		return CALLSYNC_BODY_BAD_JSON;
	}
	if (survey.long_integers > 0)
	{
		copy = malloc(len + 2 * survey.long_integers + 1);
		if (copy == NULL)
			return CALLSYNC_BODY_NO_MEMORY;
		len = (size_t) (walk(body, len, &survey, copy) - copy);
		body = copy;
	}
	*value = json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	free(copy);
	if (*value != NULL)
		return CALLSYNC_BODY_OK;
	if (json_error_code(&error) == json_error_out_of_memory)
		return CALLSYNC_BODY_NO_MEMORY;
	describe(&error, reason, reason_size);
	return CALLSYNC_BODY_BAD_JSON;
}

/* --- forms --- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

long
callsync_form_decode(const char *s, size_t len, char *out)
{
	char	   *start = out;

	for (size_t i = 0; i < len; i++)
	{
		if (s[i] == '%')
		{
			int			hi = len - i > 2 ? hex_digit(s[i + 1]) : -1;
			int			lo = len - i > 2 ? hex_digit(s[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return -1;
			*out++ = (char) (hi << 4 | lo);
			i += 2;
		}
		else
			*out++ = s[i] == '+' ? ' ' : s[i];
	}
	return (long) (out - start);
}

/* The decoded text as JSON; NULL where it is no text that jsonb can hold. */
static json_t *
form_text(const char *s, size_t len, char *buffer)
{
	long		n = callsync_form_decode(s, len, buffer);

	if (n < 0 || memchr(buffer, '\0', (size_t) n) != NULL || !callsync_utf8_valid(buffer, (size_t) n))
		return NULL;
	return json_stringn_nocheck(buffer, (size_t) n);
}

static bool
add_value(json_t *object, const char *name, json_t *value)
{
	json_t	   *known = json_object_get(object, name);
	json_t	   *list;
	bool		ok;

	if (known == NULL)
		return json_object_set_nocheck(object, name, value) == 0;
	if (json_is_array(known))
		return json_array_append(known, value) == 0;
	list = json_array();
	ok = list != NULL && json_array_append(list, known) == 0 && json_array_append(list, value) == 0 &&
		json_object_set_nocheck(object, name, list) == 0;
	json_decref(list);
	return ok;
}

CallsyncBodyVerdict
callsync_body_parse_form(const char *body, size_t len, json_t **value, char *reason, size_t reason_size)
{
	const char *end = body + len;
	char	   *buffer = malloc(len + 1);
	json_t	   *object = json_object();
	CallsyncBodyVerdict verdict = CALLSYNC_BODY_OK;

	*value = NULL;
	if (buffer == NULL || object == NULL)
		verdict = CALLSYNC_BODY_NO_MEMORY;
	while (verdict == CALLSYNC_BODY_OK && body < end)
	{
		const char *stop = memchr(body, '&', (size_t) (end - body));
		const char *equals;
		json_t	   *name;
		json_t	   *text;

		if (stop == NULL)
			stop = end;
		equals = memchr(body, '=', (size_t) (stop - body));
		if (equals == NULL)
			equals = stop;
		if (stop > body)
		{
			name = form_text(body, (size_t) (equals - body), buffer);
			text = equals < stop ? form_text(equals + 1, (size_t) (stop - equals - 1), buffer) : json_string("");
			if (name == NULL || text == NULL)
			{
				snprintf(reason, reason_size, "not a form: an escape is broken, or a text is not valid UTF-8");
				verdict = CALLSYNC_BODY_BAD_FORM;
			}
			else if (!add_value(object, json_string_value(name), text))
				verdict = CALLSYNC_BODY_NO_MEMORY;
			json_decref(name);
			json_decref(text);
		}
		body = stop + 1;
	}
	free(buffer);
	if (verdict == CALLSYNC_BODY_OK && json_object_size(object) == 0)
	{
		snprintf(reason, reason_size, "not a form: no parameter in it");
		verdict = CALLSYNC_BODY_BAD_FORM;
	}
	if (verdict != CALLSYNC_BODY_OK)
	{
		json_decref(object);
		return verdict;
	}
	*value = object;
	return CALLSYNC_BODY_OK;
}

bool
callsync_body_is_form(const char *content_type, const char *body, size_t len)
{
	static const char form[] = "application/x-www-form-urlencoded";

	if (content_type != NULL)
	{
		while (*content_type == ' ')
			content_type++;
		if (strncasecmp(content_type, form, sizeof(form) - 1) == 0)
			return true;
		for (const char *p = content_type; *p != '\0'; p++)
		{
			if (strncasecmp(p, "json", 4) == 0)
				return false;
		}
	}
	while (len > 0 && (*body == ' ' || *body == '\t' || *body == '\r' || *body == '\n'))
	{
		body++;
		len--;
	}
	/* name=value from the start on, and nothing that JSON could begin with */
	for (size_t i = 0; i < len; i++)
	{
		char		c = body[i];

		if (c == '=')
			return i > 0;
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			  c == '_' || c == '-' || c == '.' || c == '%' || c == '+' || c == '[' || c == ']') ||
			(i == 0 && (c == '[' || c == '-')))
			return false;
	}
	return false;
}
