/*
 * heard.h
 *		Digits that were said: "eight two eight, double nine, thirty four".
 */
#ifndef CALLSYNC_CORE_HEARD_H
#define CALLSYNC_CORE_HEARD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A text of digits, number words (English, Spanish, German, French, Italian,
 * Portuguese, Dutch) and anything else to digits, with a leading '+' where one was
 * said or written.  What follows a word for "extension" is left out.  Returns the
 * length; no NUL is added.
 */
extern size_t callsync_heard_digits(const char *text, size_t len, char *out, size_t cap);

typedef enum CallsyncNumberKind
{
	CALLSYNC_NUMBER_NONE,
	CALLSYNC_NUMBER_DIGITS,		/* figures */
	CALLSYNC_NUMBER_UNIT,		/* 0 .. 9 */
	CALLSYNC_NUMBER_TEEN,		/* 10 .. 19 */
	CALLSYNC_NUMBER_TEN,		/* 20, 30 .. 90 */
	CALLSYNC_NUMBER_FRENCH,		/* 10, 20, 60 as French counts on from them */
	CALLSYNC_NUMBER_COMPOUND,	/* 21 .. 99 in one word */
	CALLSYNC_NUMBER_HUNDRED,
	CALLSYNC_NUMBER_THOUSAND,
	CALLSYNC_NUMBER_REPEAT		/* double, triple: value = how often */
} CallsyncNumberKind;

/* What a folded word means as a number. */
extern CallsyncNumberKind callsync_number_word(const char *word, size_t len, int *value);

/* Collects number words into digits, as people group them. */
typedef struct CallsyncNumberRun
{
	char		digits[64];
	int			n;
	CallsyncNumberKind last;
	int			repeat;
} CallsyncNumberRun;

extern void callsync_number_run_add(CallsyncNumberRun *run, CallsyncNumberKind kind, int value);
extern void callsync_number_run_digits(CallsyncNumberRun *run, const char *digits, size_t len);

#endif
