/*
 * fold.h
 *		Text to its comparable form: lower case, no diacritics, Latin letters.
 *
 * Counts characters, not bytes.  Greek and Cyrillic are romanised, ss/oe/ae
 * written out; letters of other scripts stay as they are.  The result depends on
 * nothing but the input (no locale), because index keys are made from it.
 */
#ifndef CALLSYNC_CORE_FOLD_H
#define CALLSYNC_CORE_FOLD_H

#include <stddef.h>
#include <stdint.h>

/* One character of UTF-8; returns its bytes (>= 1).  Invalid bytes give U+FFFD. */
extern int	callsync_utf8_next(const char *s, size_t len, uint32_t *cp);

/* Writes cp as UTF-8 (up to 4 bytes), returns how many. */
extern int	callsync_utf8_put(uint32_t cp, char *out);

#define CALLSYNC_FOLD_SEPARATOR (-1)

/*
 * What a character folds to: number of characters written to out (0: it
 * vanishes, as apostrophes and combining marks do), or CALLSYNC_FOLD_SEPARATOR.
 */
extern int	callsync_fold_char(uint32_t cp, uint32_t out[4]);

/* The usual two-letter spelling of an umlaut ("ue"), or NULL. */
extern const char *callsync_fold_digraph(uint32_t cp);

/*
 * Folds a whole text; runs of separators become one space, none at the ends.
 * Returns the bytes written (never more than cap); no NUL is added.
 */
extern size_t callsync_fold(const char *in, size_t len, char *out, size_t cap);

/* As above without any space: letters and digits only. */
extern size_t callsync_fold_tight(const char *in, size_t len, char *out, size_t cap);

/* 64-bit hash, the same on every platform and for ever: it is stored. */
extern uint64_t callsync_hash64(uint64_t seed, const void *data, size_t len);

#endif
