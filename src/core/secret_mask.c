/*
 * secret_mask.c
 *		A scanner over JSON-like bytes that knows member names and nesting, and nothing else.
 */
#include "core/secret_mask.h"

#include <string.h>

#include "core/json_body.h"
#include "core/redact.h"

#define MAX_DEPTH 64			/* deeper members are judged by their name alone */
#define MAX_NAME 128
#define MIN_VALUE 8

/* Members of a credential object that are no secret, and useful to see. */
static const char *const telling[] = {"type", "token_type", "kind", "scheme", "expires_in", "expires_at"};


typedef struct Frame
{
	bool		masked;			/* all inside a member that is secret */
	char		name[MAX_NAME]; /* the member that is being read, unescaped; "" in arrays */
} Frame;

typedef struct Scanner
{
	const CallsyncMaskRules *rules;
	int			depth;
	int			masked;
	Frame		frames[MAX_DEPTH + 1];
} Scanner;

static Frame *
frame(Scanner *scanner)
{
	return &scanner->frames[scanner->depth > MAX_DEPTH ? MAX_DEPTH : scanner->depth];
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Plain text of a name: escapes are read, so that none can hide it. Longer than out: cut. */
static void
unescape(const char *p, const char *end, char out[MAX_NAME])
{
	size_t		n = 0;

	while (p < end && n < MAX_NAME - 1)
	{
		if (*p == '\\' && end - p >= 6 && p[1] == 'u')
		{
			int			code = 0;
			bool		ok = true;

			for (int i = 2; i < 6; i++)
			{
				ok = ok && hex_value(p[i]) >= 0;
				code = code * 16 + hex_value(p[i]);
			}
			/* names of secrets are ASCII: anything else only has to differ */
			out[n++] = ok && code > 0 && code < 128 ? (char) code : '?';
			p += 6;
		}
		else if (*p == '\\' && end - p >= 2)
		{
			out[n++] = p[1];
			p += 2;
		}
		else
			out[n++] = *p++;
	}
	out[n] = '\0';
}

/* Does the dotted rule equal the end of the path of the current member? */
static bool
path_matches(const Scanner *scanner, const char *rule)
{
	const char *end = rule + strlen(rule);
	int			depth = scanner->depth > MAX_DEPTH ? MAX_DEPTH : scanner->depth;

	while (end > rule)
	{
		const char *start = end;
		const char *name;

		while (start > rule && start[-1] != '.')
			start--;
		/* arrays on the way have no name */
		while (depth > 0 && scanner->frames[depth].name[0] == '\0')
			depth--;
		name = scanner->frames[depth].name;
		if (strlen(name) != (size_t) (end - start) || memcmp(name, start, (size_t) (end - start)) != 0)
			return false;
		if (start == rule)
			return true;
		end = start - 1;
		if (depth-- == 0)
			return false;
	}
	return false;
}

static bool
is_secret_name(const Scanner *scanner, const char *name)
{
	if (callsync_redact_is_secret_key(name, strlen(name)))
		return true;
	for (int i = 0; i < scanner->rules->nnames; i++)
	{
		if (path_matches(scanner, scanner->rules->names[i]))
			return true;
	}
	return false;
}

/* Is a value at this place to be masked? */
static bool
is_secret_place(const Scanner *scanner, const Frame *at)
{
	if (at->name[0] != '\0' && is_secret_name(scanner, at->name))
		return true;
	if (!at->masked)
		return false;
	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++)
	{
		if (strcmp(at->name, telling[i]) == 0)
			return false;
	}
	return true;
}

/* The quote at p: one character, or in a text inside a text two. 0: none here. */
static size_t
quote_at(const char *p, const char *end, bool nested)
{
	if (!nested)
		return *p == '"' ? 1 : 0;
	return end - p >= 2 && p[0] == '\\' && p[1] == '"' ? 2 : 0;
}

/* The end of a string's inside; p stands behind the opening quote. */
static char *
string_end(char *p, char *end, bool nested)
{
	while (p < end)
	{
		if (quote_at(p, end, nested) > 0)
			return p;
		if (!nested)
			p += *p == '\\' && end - p >= 2 ? 2 : 1;
		else if (*p == '\\' && end - p >= 2 && p[1] == '\\')
		{
			/* an escape of the inner text: its second character may be a quote, itself escaped */
			p += 2;
			if (p < end)
				p += *p == '\\' && end - p >= 2 ? 2 : 1;
		}
		else
			p++;
	}
	return end;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void scan(Scanner *scanner, char *p, char *end, bool nested);

/* A string: a member's name when a colon follows, else a value. Returns where to go on. */
static char *
scan_string(Scanner *scanner, char *p, char *end, bool nested)
{
	size_t		quote = quote_at(p, end, nested);
	char	   *inside = p + quote;
	char	   *stop = string_end(inside, end, nested);
	char	   *next = stop < end ? stop + quote : end;
	char	   *after = next;
	Frame	   *at = frame(scanner);

	while (after < end && is_blank(*after))
		after++;
	if (after < end && *after == ':')
	{
		unescape(inside, stop, at->name);
		return after + 1;
	}
	if (is_secret_place(scanner, at))
	{
		memset(inside, '*', (size_t) (stop - inside));
		scanner->masked++;
	}
	else if (!nested && memchr(inside, '\\', (size_t) (stop - inside)) != NULL)
	{
		/* perhaps JSON that was put into a text */
		Scanner		inner;

		inner.rules = scanner->rules;
		inner.depth = 0;
		inner.masked = 0;
		memset(&inner.frames[0], 0, sizeof(Frame));
		scan(&inner, inside, stop, true);
		scanner->masked += inner.masked;
	}
	return next;
}

static void
scan(Scanner *scanner, char *p, char *end, bool nested)
{
	while (p < end)
	{
		Frame	   *at = frame(scanner);

		if (quote_at(p, end, nested) > 0)
		{
			p = scan_string(scanner, p, end, nested);
			continue;
		}
		switch (*p)
		{
			case '{':
			case '[':
				{
					bool		masked = at->masked || (at->name[0] != '\0' && is_secret_name(scanner, at->name));

					scanner->depth++;
					at = frame(scanner);
					at->masked = masked;
					at->name[0] = '\0';
					break;
				}
			case '}':
			case ']':
				if (scanner->depth > 0)
					scanner->depth--;
				frame(scanner)->name[0] = '\0';
				break;
			case ',':
				at->name[0] = '\0';
				break;
			default:
				if (*p >= '0' && *p <= '9' && is_secret_place(scanner, at))
				{
					scanner->masked += p[-1] == ':' || is_blank(p[-1]) || p[-1] == '-';
					*p = '1';
				}
				break;
		}
		p++;
	}
}

static bool
is_number_char(char c)
{
	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Do these digits stand where JSON has a number, and not in a text? */
static bool
is_in_number(const char *text, const char *end, const char *p, size_t n)
{
	const char *stop = p + n;

	for (size_t i = 0; i < n; i++)
	{
		if (p[i] < '0' || p[i] > '9')
			return false;
	}
	while (p > text && is_number_char(p[-1]))
		p--;
	while (stop < end && is_number_char(*stop))
		stop++;
	return p > text && (strchr(":,[", p[-1]) != NULL || is_blank(p[-1])) &&
		stop < end && (strchr(",]}", *stop) != NULL || is_blank(*stop));
}

/* Where the JSON escape begins that p stands in the middle of (\n, \u0041), else p. */
static char *
escape_start(char *text, char *p)
{
	for (int k = 1; k <= 5 && p - text >= k; k++)
	{
		char	   *q = p - k;
		int			backslashes = 0;

		if (*q != '\\' || (k > 1 && q[1] != 'u'))
			continue;
		while (q - backslashes >= text && q[-backslashes] == '\\')
			backslashes++;
		return backslashes % 2 == 1 ? q : p;
	}
	return p;
}

int
callsync_mask_values(char *text, size_t len, const CallsyncMaskRules *rules)
{
	int			masked = 0;

	for (int i = 0; i < rules->nvalues; i++)
	{
		const char *value = rules->values[i];
		size_t		n = rules->value_lens[i];
		char	   *p = text;
		char	   *end = text + len;

		if (n < MIN_VALUE)
			continue;
		while ((size_t) (end - p) >= n && (p = memchr(p, value[0], (size_t) (end - p) - n + 1)) != NULL)
		{
			if (memcmp(p, value, n) == 0)
			{
				/* what was JSON can still be read: a number stays one, and no half of an escape is left */
				char	   *from = escape_start(text, p);

				memset(from, is_in_number(text, end, p, n) ? '1' : '*', (size_t) (p + n - from));
				masked++;
				p += n;
			}
			else
				p++;
		}
	}
	return masked;
}

int
callsync_mask_parameters(char *text, size_t len, const CallsyncMaskRules *rules)
{
	char	   *p = text;
	char	   *end = text + len;
	int			masked = 0;

	while (p < end)
	{
		char	   *stop = p;
		char	   *equals;

		while (stop < end && strchr("&; \t\r\n#?", *stop) == NULL)
			stop++;
		equals = memchr(p, '=', (size_t) (stop - p));
		if (equals != NULL)
		{
			char		decoded[MAX_NAME];
			size_t		name_len = (size_t) (equals - p);
			long		n = name_len < sizeof(decoded) ? callsync_form_decode(p, name_len, decoded) : -1;
			bool		secret = n > 0 && callsync_redact_is_secret_key(decoded, (size_t) n);

			for (int i = 0; !secret && n > 0 && i < rules->nnames; i++)
				secret = strlen(rules->names[i]) == (size_t) n && memcmp(rules->names[i], decoded, (size_t) n) == 0;
			if (secret)
			{
				memset(equals + 1, '*', (size_t) (stop - equals - 1));
				masked++;
			}
		}
		p = stop < end ? stop + 1 : end;
	}
	return masked;
}

int
callsync_mask_body(char *body, size_t len, const CallsyncMaskRules *rules)
{
	Scanner		scanner;
	size_t		start = 0;

	scanner.rules = rules;
	scanner.depth = 0;
	memset(&scanner.frames[0], 0, sizeof(Frame));
	scanner.masked = 0;
	while (start < len && (is_blank(body[start]) || (unsigned char) body[start] >= 0x80))
		start++;
	/* what does not begin like JSON is read as parameters too */
	if (start < len && body[start] != '{' && body[start] != '[')
		scanner.masked += callsync_mask_parameters(body, len, rules);
	scan(&scanner, body, body + len, false);
	return scanner.masked + callsync_mask_values(body, len, rules);
}
