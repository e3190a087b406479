/*
 * sound.h
 *		How a name sounds, for names that were heard and not read.
 *
 * A word becomes a short sequence of sounds by rules that hold for many European
 * spellings at once (ph = f, ck = k, sch = sh, y = i, silent h and final e ...).
 * Two uses: a distance between sequences in which near sounds cost little, and a
 * coarse key (consonant classes) under which the word is indexed.  Letters outside
 * a-z stand for themselves.
 */
#ifndef CALLSYNC_CORE_SOUND_H
#define CALLSYNC_CORE_SOUND_H

#include <stddef.h>
#include <stdint.h>

#define CALLSYNC_SOUND_MAX 28

/* Folded characters to sounds; returns how many (<= max). */
extern int	callsync_sound_encode(const uint16_t *ch, int len, uint8_t *sound, int max);

/* 0 = sound the same, 1 = nothing in common */
extern double callsync_sound_distance(const uint8_t *a, int na, const uint8_t *b, int nb);

/*
 * Key for finding words that sound alike: first sound's class and the classes of
 * the following consonants, at most max of them, as printable bytes.  Returns
 * the length (<= max).
 */
extern int	callsync_sound_key(const uint8_t *sound, int n, char *out, int max);

/*
 * Edit distance in characters (insert, delete, replace, swap of neighbours), or
 * limit + 1 as soon as it is certain to be above limit.
 */
extern int	callsync_edit_distance(const uint16_t *a, int na, const uint16_t *b, int nb, int limit);

#endif
