/*
 * filter_text.c
 *		Text as text: case, blanks, length, names of people.
 *
 * Case mapping touches ASCII only: addresses and codes need no more, and a full
 * mapping would depend on a locale.
 */
#include "core/filter_impl.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool
callsync_filter_lower(FilterJob *job)
{
	for (size_t i = 0; i < job->len; i++)
	{
		char		c = job->s[i];

		filter_putc(&job->out, c >= 'A' && c <= 'Z' ? (char) (c + 32) : c);
	}
	return callsync_filter_text(job);
}

bool
callsync_filter_upper(FilterJob *job)
{
	for (size_t i = 0; i < job->len; i++)
	{
		char		c = job->s[i];

		filter_putc(&job->out, c >= 'a' && c <= 'z' ? (char) (c - 32) : c);
	}
	return callsync_filter_text(job);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static void
trim(const char **s, size_t *len)
{
	while (*len > 0 && is_blank(**s))
		(*s)++, (*len)--;
	while (*len > 0 && is_blank((*s)[*len - 1]))
		(*len)--;
}

/* An empty rest is no value. */
static bool
text_or_null(FilterJob *job, const char *s, size_t len)
{
	if (len == 0)
	{
		job->result.kind = CALLSYNC_VALUE_NULL;
		return true;
	}
	filter_put(&job->out, s, len);
	return callsync_filter_text(job);
}

bool
callsync_filter_trim(FilterJob *job)
{
	const char *s = job->s;
	size_t		len = job->len;

	trim(&s, &len);
	return text_or_null(job, s, len);
}

/* "What is your budget?" -> what_is_your_budget: names of custom fields */
bool
callsync_filter_slug(FilterJob *job)
{
	bool		gap = false;
	bool		any = false;

	for (size_t i = 0; i < job->len; i++)
	{
		char		c = job->s[i];

		if (c >= 'A' && c <= 'Z')
			c = (char) (c + 32);
		if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		{
			if (gap && any)
				filter_putc(&job->out, '_');
			filter_putc(&job->out, c);
			any = true;
			gap = false;
		}
		else
			gap = true;
	}
	if (!any)
		return callsync_filter_fail(job, "has no letter or digit for a name");
	return callsync_filter_text(job);
}

bool
callsync_filter_digits(FilterJob *job)
{
	for (size_t i = 0; i < job->len; i++)
		if (job->s[i] >= '0' && job->s[i] <= '9')
			filter_putc(&job->out, job->s[i]);
	if (job->out.need == 0)
	{
		job->result.kind = CALLSYNC_VALUE_NULL;
		return true;
	}
	return callsync_filter_text(job);
}

/* At most N characters, never half of one. */
bool
callsync_filter_truncate(FilterJob *job)
{
	long		max = strtol(job->arg, NULL, 10);
	size_t		i = 0;

	while (i < job->len && max > 0)
	{
		i++;
		while (i < job->len && ((unsigned char) job->s[i] & 0xC0) == 0x80)
			i++;
		max--;
	}
	filter_put(&job->out, job->s, i);
	return callsync_filter_text(job);
}

/*
 * Splitting a spoken full name.  The last word is the last name, with the
 * particles before it ("van Beethoven", "de la Cruz") and a suffix behind it
 * ("Smith Jr."); a title in front is dropped; "Smith, John" is turned round.  One
 * word alone is a first name: that is what callers give.
 */
typedef struct Piece
{
	const char *s;
	size_t		len;
} Piece;

static bool
piece_is(Piece piece, const char *const *list)
{
	size_t		len = piece.len;

	while (len > 0 && piece.s[len - 1] == '.')
		len--;
	for (; *list != NULL; list++)
		if (strlen(*list) == len && strncasecmp(*list, piece.s, len) == 0)
			return true;
	return false;
}

static void
split_name(const char *s, size_t len, Piece *first, Piece *last)
{
	static const char *const titles[] = {"mr", "mrs", "ms", "miss", "dr", "prof", "sir", "herr", "frau", "sr", "sra", NULL};
	static const char *const particles[] = {"van", "von", "der", "den", "de", "del", "della", "di", "da", "dos", "das",
	"la", "le", "las", "los", "bin", "ibn", "al", "el", "st", "ter", "ten", "zu", "y", NULL};
	static const char *const suffixes[] = {"jr", "sr", "ii", "iii", "iv", "md", "phd", "esq", NULL};
	Piece		word[32];
	int			n = 0;
	int			from = 0;
	int			last_from;
	const char *comma;

	first->len = last->len = 0;
	first->s = last->s = s;
	trim(&s, &len);
	comma = memchr(s, ',', len);
	if (comma != NULL)
	{
		Piece		behind = {comma + 1, len - (size_t) (comma + 1 - s)};

		trim(&behind.s, &behind.len);
		if (!piece_is(behind, suffixes))
		{
			*last = (Piece) {s, (size_t) (comma - s)};
			trim(&last->s, &last->len);
			*first = behind;
			return;
		}
	}
	for (size_t i = 0; i < len && n < 32;)
	{
		size_t		start;

		while (i < len && (is_blank(s[i]) || s[i] == ','))
			i++;
		start = i;
		while (i < len && !is_blank(s[i]) && s[i] != ',')
			i++;
		if (i > start)
			word[n++] = (Piece) {s + start, i - start};
	}
	while (from < n - 1 && piece_is(word[from], titles))
		from++;
	if (n - from <= 0)
		return;
	if (n - from == 1)
	{
		*first = word[from];
		return;
	}
	last_from = n - 1;
	while (last_from > from + 1 && piece_is(word[last_from], suffixes))
		last_from--;
	while (last_from > from + 1 && piece_is(word[last_from - 1], particles))
		last_from--;
	*first = (Piece) {word[from].s, (size_t) (word[last_from - 1].s + word[last_from - 1].len - word[from].s)};
	*last = (Piece) {word[last_from].s, (size_t) (word[n - 1].s + word[n - 1].len - word[last_from].s)};
}

bool
callsync_filter_first_name(FilterJob *job)
{
	Piece		first;
	Piece		last;

	split_name(job->s, job->len, &first, &last);
	return text_or_null(job, first.s, first.len);
}

bool
callsync_filter_last_name(FilterJob *job)
{
	Piece		first;
	Piece		last;

	split_name(job->s, job->len, &first, &last);
	return text_or_null(job, last.s, last.len);
}
