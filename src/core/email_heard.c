/*
 * email_heard.c
 *		What a transcript meant by an e-mail address.
 *
 * What is known here is how people say addresses (signs, number words, spelling,
 * fillers, in several languages) and the names of the big mail providers.
 */
#include <string.h>

#include "core/email.h"
#include "core/fold.h"
#include "core/heard.h"

#define MAX_TOKENS 96

typedef struct Token
{
	char		text[64];		/* folded, signs of addresses kept */
	int			len;
} Token;

typedef struct SignWord
{
	const char *word;			/* one or two words */
	char		sign;
} SignWord;

static const SignWord signs[] = {
	{"dot", '.'}, {"period", '.'}, {"point", '.'}, {"punto", '.'}, {"punkt", '.'}, {"ponto", '.'}, {"punt", '.'}, {"full stop", '.'},
	{"underscore", '_'}, {"under score", '_'}, {"underline", '_'}, {"guion bajo", '_'}, {"barra baja", '_'}, {"unterstrich", '_'}, {"tiret bas", '_'}, {"underscored", '_'},
	{"trattino basso", '_'}, {"sublinhado", '_'}, {"tiret du bas", '_'},
	{"dash", '-'}, {"hyphen", '-'}, {"minus", '-'}, {"guion", '-'}, {"guion medio", '-'}, {"bindestrich", '-'}, {"tiret", '-'}, {"trait dunion", '-'}, {"trattino", '-'}, {"hifen", '-'}, {"streepje", '-'},
	{"plus", '+'}, {"plus sign", '+'}, {"mas", '+'},
	{"at", '@'}, {"at sign", '@'}, {"arroba", '@'}, {"arobase", '@'}, {"arobas", '@'}, {"chiocciola", '@'}, {"klammeraffe", '@'}, {"at zeichen", '@'}, {"apenstaartje", '@'}, {"a commercial", '@'},
	{NULL, 0}
};

/* said around an address, never part of it */
static const char *const fillers[] = {
	"all lowercase", "all lower case", "lower case", "lowercase", "all one word", "one word", "no spaces", "no space", "capital", "upper case", "uppercase", "um", "uh",
	"all together", "todo junto", "en minusculas", "alles klein", "alles zusammen", "tout attache", "en minuscules", NULL
};

static const char *const leads[] = {
	"yeah", "yes", "yep", "sure", "ok", "okay", "um", "uh", "uhm", "well", "so", "right", "oh", "of course", "please", "si", "claro", "ja", "also", "genau", "oui", "alors", "bueno", "pues",
	"my email is", "my e mail is", "my mail is", "the email is", "email is", "e mail is", "email address is", "the email address is", "my email address is", "my e mail address is",
	"address is", "it is", "its", "that is", "thats", "that would be", "sure its", "yes its", "you can reach me at", "reach me at", "send it to", "email me at", "contact me at", "email",
	"mi correo es", "mi correo electronico es", "correo es", "mi email es", "es", "meine e mail ist", "meine email ist", "meine mail ist", "die e mail ist", "meine adresse ist",
	"mon adresse est", "mon email est", "mon mail est", "mon adresse mail est", "cest", NULL
};

/* providers that people name without the ending */
static const char *const providers[][2] = {
	{"gmail", "com"}, {"googlemail", "com"}, {"yahoo", "com"}, {"hotmail", "com"}, {"outlook", "com"}, {"icloud", "com"}, {"aol", "com"}, {"msn", "com"}, {"live", "com"},
	{"comcast", "net"}, {"verizon", "net"}, {"att", "net"}, {"protonmail", "com"}, {"gmx", "de"}, {"web", "de"}, {"tonline", "de"}, {"btinternet", "com"}, {NULL, NULL}
};

static bool
is(const Token *t, const char *word)
{
	return strcmp(t->text, word) == 0;
}

/* Words of a phrase at tokens[i..n): how many, 0 = not there */
static int
phrase(const Token *tokens, int i, int n, const char *p)
{
	int			k = 0;

	while (*p)
	{
		const char *end = strchr(p, ' ');
		size_t		len = end ? (size_t) (end - p) : strlen(p);

		if (i + k >= n || (size_t) tokens[i + k].len != len || memcmp(tokens[i + k].text, p, len) != 0)
			return 0;
		k++;
		p += len + (end ? 1 : 0);
	}
	return k;
}

/* The longest sign said at token i; *words = how many tokens it took. */
static char
sign_at(const Token *tokens, int i, int n, int *words)
{
	char		sign = 0;

	*words = 0;
	for (const SignWord *s = signs; s->word; s++)
	{
		int			k = phrase(tokens, i, n, s->word);

		if (k > *words)
			*words = k, sign = s->sign;
	}
	if (sign == 0 && tokens[i].len == 1 && strchr("@._-+", tokens[i].text[0]))
		sign = tokens[i].text[0], *words = 1;
	return sign;
}

/* Cuts at white space, folds letters, keeps the signs of addresses, sets @ apart. */
static int
tokenize(const char *text, size_t len, Token *tokens)
{
	int			n = 0;
	Token	   *t = NULL;

	while (len > 0)
	{
		uint32_t	cp;
		uint32_t	to[4];
		int			bytes = callsync_utf8_next(text, len, &cp);
		int			k = callsync_fold_char(cp, to);
		bool		keep = cp == '.' || cp == '_' || cp == '-' || cp == '+';

		if (cp == '@')
		{
			if (n >= MAX_TOKENS)
				return n;
			tokens[n++] = (Token) {"@", 1};
			t = NULL;
		}
		else if (k == CALLSYNC_FOLD_SEPARATOR && !keep)
			t = NULL;
		else if (keep || k > 0)
		{
			if (t == NULL)
			{
				if (n >= MAX_TOKENS)
					return n;
				t = &tokens[n++];
				memset(t, 0, sizeof(*t));
			}
			if (keep)
				to[0] = cp, k = 1;
			for (int i = 0; i < k && t->len + 5 < (int) sizeof(t->text); i++)
				t->len += callsync_utf8_put(to[i], t->text + t->len);
			t->text[t->len] = '\0';
		}
		text += bytes;
		len -= bytes;
	}
	return n;
}

/* Does every part between the hyphens of a token mean a number ("eighty-four"), or is every one a letter ("j-o-h-n")? */
static bool
hyphens_are_speech(const Token *t)
{
	int			parts = 0;
	int			letters = 0;
	int			numbers = 0;

	for (const char *s = t->text;; s++)
	{
		size_t		len = strcspn(s, "-");
		int			value;

		parts++;
		letters += len == 1 && *s >= 'a' && *s <= 'z';
		numbers += callsync_number_word(s, len, &value) != CALLSYNC_NUMBER_NONE;
		s += len;
		if (*s == '\0')
			break;
	}
	return (parts >= 2 && numbers == parts) || (parts >= 3 && letters == parts);
}

/* Parts such tokens at their hyphens, which nobody said. */
static int
part_hyphens(Token *tokens, int n)
{
	bool		speech = false;

	for (int i = 0; i < n; i++)
	{
		Token	   *t = &tokens[i];
		int			head = (int) strcspn(t->text, "-");

		if (head == t->len || n >= MAX_TOKENS)
		{
			speech = false;
			continue;
		}
		/* what is left of a parted token is parted, too */
		speech = speech || hyphens_are_speech(t);
		if (!speech)
			continue;
		memmove(t + 1, t, (size_t) (n++ - i) * sizeof(Token));
		t[1].len -= head + 1;
		memmove(t[1].text, t->text + head + 1, (size_t) t[1].len + 1);
		t->len = head;
		t->text[head] = '\0';
	}
	return n;
}

static int
remove_tokens(Token *tokens, int n, int from, int k)
{
	memmove(tokens + from, tokens + from + k, (size_t) (n - from - k) * sizeof(Token));
	return n - k;
}

/* "b as in boy", "m for mother", "B wie Berta": the explanation goes, the letter stays. */
static int
drop_explanations(Token *tokens, int n)
{
	for (int i = 0; i + 2 < n; i++)
	{
		int			k = 0;

		if (tokens[i].len != 1)
			continue;
		if (phrase(tokens, i + 1, n, "as in"))
			k = 2;
		else if (is(&tokens[i + 1], "for") || is(&tokens[i + 1], "like") || is(&tokens[i + 1], "as") || is(&tokens[i + 1], "wie") ||
				 is(&tokens[i + 1], "de") || is(&tokens[i + 1], "como") || is(&tokens[i + 1], "comme"))
			k = 1;
		if (k > 0 && i + 1 + k < n && tokens[i + 1 + k].len > 1 && tokens[i + 1 + k].text[0] == tokens[i].text[0])
			n = remove_tokens(tokens, n, i + 1, k + 1);
	}
	return n;
}

typedef struct Out
{
	char	   *buf;
	size_t		cap;
	size_t		n;
} Out;

static void
add(Out *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len && out->n < out->cap; i++)
		out->buf[out->n++] = text[i];
}

/* The tokens before the at. */
static void
say_local(const Token *tokens, int from, int to, Out *out)
{
	CallsyncNumberRun run = {.n = 0};

	for (int i = from; i < to;)
	{
		int			words = 0;
		char		sign = sign_at(tokens, i, to, &words);
		int			value = 0;
		CallsyncNumberKind kind = CALLSYNC_NUMBER_NONE;

		if (sign == 0)
		{
			kind = callsync_number_word(tokens[i].text, (size_t) tokens[i].len, &value);
			/* "oh" is a digit among digits only */
			if (kind == CALLSYNC_NUMBER_NONE && run.n > 0 && (is(&tokens[i], "o")))
				kind = CALLSYNC_NUMBER_UNIT, value = 0;
			if (is(&tokens[i], "oh") && run.n == 0)
				kind = CALLSYNC_NUMBER_NONE;
		}
		/* a doubled letter: "double t" */
		if (kind == CALLSYNC_NUMBER_REPEAT && i + 1 < to && tokens[i + 1].len == 1 && tokens[i + 1].text[0] >= 'a')
		{
			add(out, run.digits, (size_t) run.n);
			memset(&run, 0, sizeof(run));
			/* "double u" is the name of a letter */
			if (value == 2 && is(&tokens[i + 1], "u"))
				add(out, "w", 1);
			else
				for (int k = 0; k < value; k++)
					add(out, tokens[i + 1].text, 1);
			i += 2;
			continue;
		}
		if (kind != CALLSYNC_NUMBER_NONE)
		{
			callsync_number_run_add(&run, kind, value);
			i++;
			continue;
		}
		if (tokens[i].text[0] >= '0' && tokens[i].text[0] <= '9' && run.n > 0 && strspn(tokens[i].text, "0123456789") == (size_t) tokens[i].len)
		{
			callsync_number_run_digits(&run, tokens[i].text, (size_t) tokens[i].len);
			i++;
			continue;
		}
		add(out, run.digits, (size_t) run.n);
		memset(&run, 0, sizeof(run));
		if (sign != 0)
		{
			add(out, &sign, 1);
			i += words;
		}
		else
		{
			add(out, tokens[i].text, (size_t) tokens[i].len);
			i++;
		}
	}
	add(out, run.digits, (size_t) run.n);
}

/* The tokens after the at: labels up to the ending, what follows is talk. */
static void
say_domain(const Token *tokens, int from, int to, Out *out)
{
	size_t		start = out->n;
	int			last_dot = -1;
	bool		dotted = false;

	for (int i = from; i < to; i++)
	{
		int			words;

		if (sign_at(tokens, i, to, &words) == '.' || strchr(tokens[i].text, '.') != NULL || is(&tokens[i], "dotcom"))
			last_dot = i;
	}
	for (int i = from; i < to;)
	{
		int			words = 0;
		char		sign = sign_at(tokens, i, to, &words);
		int			value;

		if (sign == '.' || sign == '-' || sign == '_')
		{
			if (sign == '.')
				dotted = true;
			add(out, &sign, 1);
			i += words;
			continue;
		}
		if (is(&tokens[i], "dotcom"))
		{
			add(out, ".com", 4);
			dotted = true;
			i++;
			break;
		}
		if (callsync_number_word(tokens[i].text, (size_t) tokens[i].len, &value) == CALLSYNC_NUMBER_UNIT && tokens[i].len > 2 && !is(&tokens[i], "one"))
		{
			char		digit = (char) ('0' + value);

			add(out, &digit, 1);
		}
		else
			add(out, tokens[i].text, (size_t) tokens[i].len);
		i++;
		/* behind the last dot stands the ending, one word */
		if (last_dot >= 0 && i > last_dot + 1)
			break;
		if (last_dot >= 0 && i == last_dot + 1 && strchr(tokens[last_dot].text, '.') != NULL && tokens[last_dot].len > 1 &&
			tokens[last_dot].text[tokens[last_dot].len - 1] != '.')
			break;
	}
	if (!dotted && memchr(out->buf + start, '.', out->n - start) == NULL)
	{
		size_t		len = out->n - start;

		for (int i = 0; providers[i][0]; i++)
		{
			size_t		k = strlen(providers[i][0]);

			/* "gmail", "gmail com" */
			if (len >= k && memcmp(out->buf + start, providers[i][0], k) == 0 &&
				(len == k || (len == k + strlen(providers[i][1]) && memcmp(out->buf + start + k, providers[i][1], len - k) == 0)))
			{
				out->n = start + k;
				add(out, ".", 1);
				add(out, providers[i][1], strlen(providers[i][1]));
				return;
			}
		}
		/* "acme com": the ending was said as a word of its own */
		if (to - from >= 2)
		{
			const Token *end = &tokens[to - 1];
			static const char *const endings[] = {"com", "net", "org", "edu", "gov", "io", "co", "de", "uk", "fr", "es", "it", "nl", "ca", "au", "us", "info", "biz", NULL};

			for (int i = 0; endings[i]; i++)
				if (is(end, endings[i]) && len > (size_t) end->len)
				{
					out->n -= (size_t) end->len;
					add(out, ".", 1);
					add(out, end->text, (size_t) end->len);
					return;
				}
		}
	}
}

/* As written: one word with one @ in the middle. */
static bool
is_written(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);

	if (at == NULL || at == text || at == text + len - 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char) text[i] <= ' ' || (text + i != at && text[i] == '@'))
			return false;
	return memchr(at, '.', len - (size_t) (at - text)) != NULL;
}

size_t
callsync_email_heard(const char *text, size_t len, char *out_buf, size_t cap)
{
	Token		tokens[MAX_TOKENS];
	int			n;
	int			at = -1;
	int			at_words = 1;
	int			from = 0;
	Out			out = {out_buf, cap, 0};
	size_t		at_pos;
	CallsyncEmail check;

	while (len > 0 && (unsigned char) text[0] <= ' ')
		text++, len--;
	while (len > 0 && ((unsigned char) text[len - 1] <= ' ' || text[len - 1] == '.' || text[len - 1] == ','))
		len--;
	if (len == 0)
		return 0;
	if (is_written(text, len) || memchr(text, '<', len) != NULL)
	{
		if (!callsync_email_canonical(text, len, &check))
			return 0;
		if (memchr(text, '<', len) == NULL && text[0] != 'm')
		{
			/* dots and tags are kept here: this is what was said, not whose it is */
			for (size_t i = 0; i < len && out.n < cap; i++)
				out_buf[out.n++] = (char) (text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
			return out.n;
		}
		if (memchr(text, '<', len) != NULL)
		{
			add(&out, check.text, (size_t) check.len);
			return out.n;
		}
	}
	n = part_hyphens(tokens, tokenize(text, len, tokens));
	for (int i = 0; i < n; i++)
		for (int f = 0; fillers[f]; f++)
		{
			int			k = phrase(tokens, i, n, fillers[f]);

			if (k > 0 && n - k >= 3)
			{
				n = remove_tokens(tokens, n, i, k);
				i--;
				break;
			}
		}
	n = drop_explanations(tokens, n);
	for (bool again = true; again;)
	{
		int			longest = 0;

		for (int f = 0; leads[f]; f++)
		{
			int			k = phrase(tokens, from, n, leads[f]);

			if (k > longest)
				longest = k;
		}
		again = longest > 0 && n - from - longest >= 3;
		if (again)
			from += longest;
	}
	/* a written @ decides; else the last "at" that has something on both sides and an ending behind it */
	for (int i = from; i < n; i++)
		if (is(&tokens[i], "@"))
			at = i;
	for (int i = n - 2; at < 0 && i > from; i--)
	{
		int			words;

		if (sign_at(tokens, i, n, &words) == '@' && i + words < n)
		{
			at = i;
			at_words = words;
		}
	}
	if (at <= from || at + at_words >= n)
		return 0;
	say_local(tokens, from, at, &out);
	add(&out, "@", 1);
	at_pos = out.n;
	say_domain(tokens, at + at_words, n, &out);
	while (out.n > at_pos && out.buf[out.n - 1] == '.')
		out.n--;
	if (at_pos < 2 || out.n - at_pos < 3 || memchr(out.buf + at_pos, '.', out.n - at_pos) == NULL)
		return 0;
	if (!callsync_email_canonical(out.buf, out.n, &check))
		return 0;
	return out.n;
}
