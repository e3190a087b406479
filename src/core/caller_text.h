/*
 * caller_text.h
 *		Parts of a caller id field, and what the caller-id files share.
 */
#ifndef CALLSYNC_CALLER_TEXT_H
#define CALLSYNC_CALLER_TEXT_H

#include <stdbool.h>
#include <string.h>

#include "core/caller_id.h"

/* Longer fields are no caller ids; everything below is linear in the length. */
#define MAX_FIELD 1024

/* Part of the field. */
typedef struct Text
{
	const char *s;
	size_t		n;
} Text;

static inline Text
text_of(const char *s, size_t n)
{
	Text		t = {s, n};

	return t;
}

static inline bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static inline bool
is_letter(char c)
{
	return ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline Text
trim(Text t)
{
	for (;;)
	{
		while (t.n > 0 && is_space(t.s[0]))
			t.s++, t.n--;
		while (t.n > 0 && is_space(t.s[t.n - 1]))
			t.n--;
		if (t.n >= 2 && (t.s[0] == '"' || t.s[0] == '\'') && t.s[t.n - 1] == t.s[0])
			t.s++, t.n -= 2;
		else
			return t;
	}
}

static inline Text
rest_from(Text t, size_t at)
{
	return text_of(t.s + at, t.n - at);
}

/* Whether t begins with a lower-case ASCII word, in any case. */
static inline bool
begins(Text t, const char *word)
{
	size_t		i = 0;

	for (; word[i] != '\0'; i++)
		if (i == t.n || (t.s[i] >= 'A' && t.s[i] <= 'Z' ? t.s[i] + 32 : t.s[i]) != word[i])
			return false;
	return true;
}

static inline bool
equals(Text t, const char *word)
{
	return t.n == strlen(word) && begins(t, word);
}

/* Place of a character outside double quotes, or t.n. */
static inline size_t
find_char(Text t, char c)
{
	bool		quoted = false;

	for (size_t i = 0; i < t.n; i++)
	{
		if (t.s[i] == '"')
			quoted = !quoted;
		else if (t.s[i] == '\\' && quoted)
			i++;
		else if (t.s[i] == c && !quoted)
			return i;
	}
	return t.n;
}

/* Place of a lower-case ASCII word, in any case, or t.n. */
static inline size_t
find_word(Text t, const char *word)
{
	for (size_t i = 0; i < t.n; i++)
		if (begins(rest_from(t, i), word))
			return i;
	return t.n;
}

/* ---- caller_number.c ---- */

/* Sets kind and detail; format has one %.*s. Returns whether the field is now understood. */
extern bool callsync_caller_settle(CallsyncCallerId *out, CallsyncCallerKind kind, const char *format, Text about);

/* Kind INVALID with a reason; returns false. */
extern bool callsync_caller_invalid(CallsyncCallerId *out, const char *why);

/* Kind NUMBER with a note for the detail; returns true. Nothing but zeros counts as withheld. */
extern bool callsync_caller_number(CallsyncCallerId *out, const CallsyncPhone *phone, const char *note);

/*
 * A number that stands bare: no URI, no brackets. False if it is none; *out then says
 * why. global: digits without a plus may still be an international number.
 */
extern bool callsync_caller_read_number(Text t, int region, bool global, int depth, CallsyncCallerId *out);

/* The digits read as if a plus sign stood in front; true if that is a valid number. */
extern bool callsync_caller_with_plus(const char *digits, int n, int least, CallsyncPhone *phone);

/* A digit string with common separators: its digits, else -1. */
extern int	callsync_caller_plain_digits(Text t, char *digits, int max);

#endif
