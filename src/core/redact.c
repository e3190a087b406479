/*
 * redact.c
 *		Masks what must not be kept or shown.
 *
 * One pass over the bytes, no parser: the text may be cut, broken, or of another
 * kind than its label says. What is not recognised passes as it is.
 */
#include "core/redact.h"

#include <stdint.h>
#include <string.h>

typedef struct Out
{
	char	   *buf;
	size_t		size;
	size_t		len;			/* as needed, may go beyond size */
} Out;

static void
put(Out *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++, out->len++)
		if (out->len + 1 < out->size)
			out->buf[out->len] = s[i];
}

static void
put_mask(Out *out)
{
	put(out, CALLSYNC_MASK, sizeof(CALLSYNC_MASK) - 1);
}

static size_t
finish(Out *out)
{
	if (out->size > 0)
		out->buf[out->len < out->size ? out->len : out->size - 1] = '\0';
	return out->len;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c + 'a' - 'A') : c;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z') || c == '_';
}

/* letters and digits of a name only, lower case: "X-Api-Key", "apiKey" and "api_key" are one */
static size_t
fold_name(const char *name, size_t len, char *out, size_t out_size)
{
	size_t		n = 0;

	for (size_t i = 0; i < len && n + 1 < out_size; i++)
	{
		char		c = lower(name[i]);

		if (is_digit(c) || (c >= 'a' && c <= 'z'))
			out[n++] = c;
	}
	out[n] = '\0';
	return n;
}

static bool
ends_with(const char *s, size_t len, const char *end)
{
	size_t		n = strlen(end);

	return len >= n && memcmp(s + len - n, end, n) == 0;
}

static const char *const secret_ends[] = {
	"token", "secret", "password", "passwd", "apikey", "privatekey", "accesskey", "signingkey",
	"authorization", "clientassertion", "assertion", "signature", "cookie", "credential", "credentials",
NULL};

/* names that end like a secret and are none */
static const char *const harmless[] = {"nextpagetoken", "pagetoken", "synctoken", "nextsynctoken", "deltatoken",
"tokentype", "idempotencytoken", NULL};

bool
callsync_redact_is_secret_key(const char *key, size_t len)
{
	char		name[128];
	size_t		n = fold_name(key, len, name, sizeof(name));

	for (int i = 0; harmless[i]; i++)
		if (strcmp(name, harmless[i]) == 0)
			return false;
	for (int i = 0; secret_ends[i]; i++)
		if (ends_with(name, n, secret_ends[i]))
			return true;
	return strcmp(name, "code") == 0 ? false : strcmp(name, "auth") == 0 || strcmp(name, "pwd") == 0 || strcmp(name, "sig") == 0;
}

bool
callsync_redact_is_secret_header(const char *name)
{
	char		folded[128];
	size_t		n = fold_name(name, strlen(name), folded, sizeof(folded));

	return callsync_redact_is_secret_key(name, strlen(name)) ||
		ends_with(folded, n, "appkey") || ends_with(folded, n, "authkey") || ends_with(folded, n, "subscriptionkey");
}

static bool
listed(const char *key, size_t len, const char *const *extra)
{
	for (int i = 0; extra && extra[i]; i++)
		if (strlen(extra[i]) == len && memcmp(extra[i], key, len) == 0)
			return true;
	return false;
}

/* Luhn's sum over the digits of s */
static bool
luhn(const char *s, size_t len)
{
	int			sum = 0;
	bool		twice = false;

	for (size_t i = len; i-- > 0;)
	{
		int			d;

		if (!is_digit(s[i]))
			continue;
		d = s[i] - '0';
		if (twice)
			d = d * 2 > 9 ? d * 2 - 9 : d * 2;
		sum += d;
		twice = !twice;
	}
	return sum % 10 == 0;
}

/*
 * Length of a card number that starts at s (13 to 19 digits, single blanks or
 * dashes between them, Luhn right, not all the same digit); 0: none.
 */
static size_t
card_at(const char *s, size_t len)
{
	size_t		ends[20];
	int			digits = 0;
	bool		varied = false;
	size_t		i = 0;

	if (len == 0 || s[0] < '2' || s[0] > '6')
	{
		/* no card scheme begins with another digit but UATP's 1 */
		if (len == 0 || s[0] != '1')
			return 0;
	}
	while (i < len && digits < 19)
	{
		if (is_digit(s[i]))
		{
			if (s[i] != s[0])
				varied = true;
			ends[++digits] = ++i;
		}
		else if ((s[i] == ' ' || s[i] == '-') && i + 1 < len && is_digit(s[i + 1]))
			i++;
		else
			break;
	}
	if (i < len && is_digit(s[i]))
		return 0;				/* a longer number: an id, not a card */
	for (int n = digits; n >= 13 && varied; n--)
	{
		/* a shorter one must end at a separator */
		if (n < digits && ends[n] < len && is_digit(s[ends[n]]))
			continue;
		if (luhn(s, ends[n]))
			return ends[n];
	}
	return 0;
}

static bool
digit_before(const char *text, size_t i)
{
	return i > 0 && (is_word(text[i - 1]) || text[i - 1] == '+' || text[i - 1] == '.');
}

int
callsync_redact_cards(char *text, size_t len)
{
	int			found = 0;

	for (size_t i = 0; i < len; i++)
	{
		size_t		n;
		int			digits = 0;

		if (!is_digit(text[i]) || digit_before(text, i) || (n = card_at(text + i, len - i)) == 0)
			continue;
		for (size_t k = 0; k < n; k++)
			digits += is_digit(text[i + k]);
		for (size_t k = 0; k < n; k++)
			if (is_digit(text[i + k]) && digits-- > 4)
				text[i + k] = '*';
		i += n - 1;
		found++;
	}
	return found;
}

static bool
starts_with(const char *s, size_t len, const char *word)
{
	size_t		n = strlen(word);

	if (len < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(s[i]) != word[i])
			return false;
	return true;
}

/* bytes that a token is made of */
static size_t
token_length(const char *s, size_t len)
{
	size_t		n = 0;

	while (n < len && (is_word(s[n]) || strchr("-.~+/=:", s[n]) != NULL) && s[n] != '\0')
		n++;
	return n;
}

static const char *const token_starts[] = {"whsec_", "sk_live_", "sk_test_", "xoxb-", "xoxp-", "ghp_", "pat-", "eyj", NULL};

/* length of a bare token (a known prefix, or a JWT) at s; 0: none */
static size_t
bare_token(const char *s, size_t len)
{
	for (int i = 0; token_starts[i]; i++)
	{
		size_t		n;

		if (!starts_with(s, len, token_starts[i]))
			continue;
		n = token_length(s, len);
		if (strcmp(token_starts[i], "eyj") == 0)
		{
			/* header.payload.signature */
			const char *dot = memchr(s, '.', n);

			if (n < 20 || dot == NULL)
				continue;
		}
		if (n >= strlen(token_starts[i]) + 6)
			return n;
	}
	return 0;
}

static const char *const schemes[] = {"bearer ", "basic ", "token ", "oauthtoken ", "oauth ", NULL};

/* credentials in running text; cards are done afterwards by the caller */
static void
copy_text(Out *out, const char *in, size_t len)
{
	size_t		i = 0;

	while (i < len)
	{
		bool		start = i == 0 || !is_word(in[i - 1]);
		size_t		n;
		bool		done = false;

		if (start && (n = bare_token(in + i, len - i)) > 0)
		{
			put_mask(out);
			i += n;
			continue;
		}
		for (int k = 0; start && schemes[k] && !done; k++)
		{
			size_t		w = strlen(schemes[k]);

			if (!starts_with(in + i, len - i, schemes[k]))
				continue;
			n = token_length(in + i + w, len - i - w);
			if (n < 8)
				continue;
			put(out, in + i, w);
			put_mask(out);
			i += w + n;
			done = true;
		}
		if (done)
			continue;
		if (start && is_word(in[i]))
		{
			size_t		w = 0;
			size_t		v;

			while (i + w < len && (is_word(in[i + w]) || in[i + w] == '-'))
				w++;
			v = i + w;
			/* name=value, name: value, "name":"value" */
			while (v < len && (in[v] == '"' || in[v] == ' ' || in[v] == '\''))
				v++;
			if (v < len && (in[v] == '=' || in[v] == ':') && callsync_redact_is_secret_key(in + i, w))
			{
				/* "secret: 17 apples" is prose */
				size_t		least = in[v++] == ':' ? 6 : 1;

				while (v < len && (in[v] == '"' || in[v] == ' ' || in[v] == '\''))
					v++;
				n = 0;
				for (int k = 0; schemes[k]; k++)
					if (starts_with(in + v, len - v, schemes[k]))
						v += strlen(schemes[k]);
				n = token_length(in + v, len - v);
				if (n >= least)
				{
					put(out, in + i, v - i);
					put_mask(out);
					i = v + n;
					continue;
				}
			}
			put(out, in + i, w);
			i += w;
			continue;
		}
		put(out, in + i, 1);
		i++;
	}
}

static size_t
finish_cards(Out *out)
{
	size_t		n = finish(out);

	if (out->size > 0)
		callsync_redact_cards(out->buf, n < out->size ? n : out->size - 1);
	return n;
}

size_t
callsync_redact_text(const char *in, size_t len, char *buf, size_t size)
{
	Out			out = {buf, size, 0};

	copy_text(&out, in, len);
	return finish_cards(&out);
}

/* end of a JSON string that starts behind its quote */
static size_t
string_end(const char *in, size_t len, size_t i)
{
	while (i < len && in[i] != '"')
		i += in[i] == '\\' ? 2 : 1;
	return i < len ? i : len;
}

/* end of the JSON value at i: string, number, word, or a whole object or array */
static size_t
value_end(const char *in, size_t len, size_t i)
{
	int			depth = 0;

	for (; i < len; i++)
	{
		if (in[i] == '"')
		{
			i = string_end(in, len, i + 1);
			if (depth == 0)
				return i < len ? i + 1 : len;
		}
		else if (in[i] == '{' || in[i] == '[')
			depth++;
		else if (in[i] == '}' || in[i] == ']')
		{
			if (depth == 0)
				return i;
			if (--depth == 0)
				return i + 1;
		}
		else if (in[i] == ',' && depth == 0)
			return i;
	}
	return len;
}

static size_t
skip_space(const char *in, size_t len, size_t i)
{
	while (i < len && (in[i] == ' ' || in[i] == '\t' || in[i] == '\n' || in[i] == '\r'))
		i++;
	return i;
}

size_t
callsync_redact_json(const char *in, size_t len, const char *const *extra, char *buf, size_t size)
{
	Out			out = {buf, size, 0};
	size_t		i = 0;

	while (i < len)
	{
		size_t		end,
					value;

		if (in[i] != '"')
		{
			put(&out, in + i, 1);
			i++;
			continue;
		}
		end = string_end(in, len, i + 1);
		value = skip_space(in, len, end < len ? end + 1 : len);
		if (value < len && in[value] == ':' &&
			(callsync_redact_is_secret_key(in + i + 1, end - i - 1) || listed(in + i + 1, end - i - 1, extra)))
		{
			size_t		stop;

			value = skip_space(in, len, value + 1);
			put(&out, in + i, value - i);
			stop = value_end(in, len, value);
			/* null tells nothing */
			if (stop - value == 4 && memcmp(in + value, "null", 4) == 0)
				put(&out, in + value, 4);
			else
				put(&out, "\"" CALLSYNC_MASK "\"", sizeof(CALLSYNC_MASK) + 1);
			i = stop;
			continue;
		}
		/* the text of a string as text: it may hold a token or a card */
		put(&out, "\"", 1);
		copy_text(&out, in + i + 1, (end < len ? end : len) - i - 1);
		if (end < len)
			put(&out, "\"", 1);
		i = end < len ? end + 1 : len;
	}
	return finish_cards(&out);
}

/* name=value pairs up to the end */
static void
copy_pairs(Out *out, const char *in, size_t len, const char *const *extra)
{
	size_t		i = 0;

	while (i < len)
	{
		const char *amp = memchr(in + i, '&', len - i);
		size_t		end = amp ? (size_t) (amp - in) : len;
		const char *eq = memchr(in + i, '=', end - i);

		if (eq != NULL && (callsync_redact_is_secret_key(in + i, eq - in - i) || listed(in + i, eq - in - i, extra)))
		{
			put(out, in + i, eq - in - i + 1);
			if ((size_t) (eq - in) + 1 < end)
				put_mask(out);
		}
		else
			copy_text(out, in + i, end - i);
		if (amp)
			put(out, "&", 1);
		i = end + 1;
	}
}

size_t
callsync_redact_form(const char *in, size_t len, const char *const *extra, char *buf, size_t size)
{
	Out			out = {buf, size, 0};

	copy_pairs(&out, in, len, extra);
	return finish_cards(&out);
}

size_t
callsync_redact_url(const char *in, size_t len, bool path_secret, char *buf, size_t size)
{
	Out			out = {buf, size, 0};
	size_t		host = 0;
	size_t		path;
	size_t		query;

	for (size_t i = 0; i + 2 < len; i++)
		if (memcmp(in + i, "://", 3) == 0)
		{
			host = i + 3;
			break;
		}
	for (path = host; path < len && in[path] != '/' && in[path] != '?' && in[path] != '#'; path++)
		;
	put(&out, in, host);
	for (size_t i = path; i > host; i--)
		if (in[i - 1] == '@')
		{
			put_mask(&out);
			put(&out, "@", 1);
			host = i;
			break;
		}
	put(&out, in + host, path - host);
	if (path_secret)
	{
		if (path < len)
		{
			put(&out, "/", 1);
			put_mask(&out);
		}
		return finish(&out);
	}
	for (query = path; query < len && in[query] != '?'; query++)
		;
	put(&out, in + path, query - path);
	if (query < len)
	{
		put(&out, "?", 1);
		copy_pairs(&out, in + query + 1, len - query - 1, NULL);
	}
	return finish(&out);
}

size_t
callsync_redact_values(const char *in, size_t len, const char *const *values, const size_t *value_lens,
					   int nvalues, char *buf, size_t size)
{
	Out			out = {buf, size, 0};
	size_t		i = 0;

	while (i < len)
	{
		size_t		longest = 0;

		for (int k = 0; k < nvalues; k++)
			/* one or two bytes would mask half of any text */
			if (value_lens[k] > 3 && value_lens[k] <= len - i && value_lens[k] > longest &&
				memcmp(in + i, values[k], value_lens[k]) == 0)
				longest = value_lens[k];
		if (longest > 0)
		{
			put_mask(&out);
			i += longest;
		}
		else
			put(&out, in + i++, 1);
	}
	return finish(&out);
}
