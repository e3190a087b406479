/*
 * caller_words.h
 *		What stands in a caller id field in place of a number.
 */
#ifndef CALLSYNC_CALLER_WORDS_H
#define CALLSYNC_CALLER_WORDS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum CallerWord
{
	CALLER_WORD_NONE,
	CALLER_WORD_PRIVATE,		/* the caller hides */
	CALLER_WORD_UNAVAILABLE		/* the network does not know, or does not say why */
} CallerWord;

/* Bytes that a folded text may have; longer texts are no such words. */
#define CALLER_FOLD_MAX 96

/*
 * Folds a text for comparison: letters and digits only, lower case, no accents, full
 * width as plain. Returns the length in buf, or -1 if it does not fit.
 */
extern int	callsync_caller_fold(const char *s, size_t len, char buf[CALLER_FOLD_MAX]);

/* Which kind of word a whole text is. */
extern CallerWord callsync_caller_word(const char *s, size_t len);

/* Which English word a digit string spells on a keypad (266696687 is "anonymous"), or NULL. */
extern const char *callsync_caller_keypad_word(const char *digits, int n);

/* For tests: the i-th phrase of the list, NULL after the last. */
extern const char *callsync_caller_phrase(int i);

#endif
