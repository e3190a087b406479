/*
 * name.h
 *		Names of people: taken apart, and compared part by part.
 *
 * A name is a list of folded words.  A CRM says which of them are given names, a
 * call mostly does not, so the comparison tries the ways to split the list
 * (order swapped, compound surnames, particles, initials, nicknames) and keeps
 * the best.  Titles and fillers are dropped, generation suffixes kept apart: they
 * tell father from son.
 */
#ifndef CALLSYNC_CORE_NAME_H
#define CALLSYNC_CORE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sound.h"

#define CALLSYNC_WORD_CHARS 32
#define CALLSYNC_NAME_WORDS 8

typedef struct CallsyncWord
{
	uint64_t	hash;			/* of the folded characters */
	uint64_t	alt_hash;		/* with umlauts written as two letters; 0: the same */
	uint8_t		len;
	uint8_t		nsound;
	bool		particle;		/* von, de la, bin ...: part of the surname that may be missing */
	bool		maybe_title;	/* "M.": an initial or monsieur */
	uint16_t	ch[CALLSYNC_WORD_CHARS];
	uint8_t		sound[CALLSYNC_SOUND_MAX];
} CallsyncWord;

typedef struct CallsyncName
{
	int			n;				/* words, without those put aside */
	int			ngiven;			/* the first ngiven words are given names; -1: not known */
	bool		comma;			/* "Last, First": the first ngiven words are the surname */
	int8_t		generation;		/* 0 unknown, 1 senior, 2 junior or II, 3 III ... */
	int			naside;
	CallsyncWord word[CALLSYNC_NAME_WORDS];
	CallsyncWord aside[2];
	bool		aside_last[2];	/* a surname: of birth, or in brackets behind one */
} CallsyncName;

typedef enum CallsyncNameLevel
{
	CALLSYNC_NAME_MISSING,
	CALLSYNC_NAME_EXACT,
	CALLSYNC_NAME_NICK,			/* short or pet form, or middle name used as first */
	CALLSYNC_NAME_SOUND,		/* sounds the same */
	CALLSYNC_NAME_NEAR,			/* one letter off */
	CALLSYNC_NAME_PARTIAL,		/* one of a compound surname */
	CALLSYNC_NAME_INITIAL,
	CALLSYNC_NAME_WEAK,			/* some likeness, hardly evidence */
	CALLSYNC_NAME_NONE
} CallsyncNameLevel;

extern const char *callsync_name_level(CallsyncNameLevel level);

/* One direction of a pair of names that are used for each other, by hash of the folded word. */
typedef struct CallsyncNick
{
	uint64_t	name;
	uint64_t	other;
	float		weight;			/* how surely: 1 = only this one */
	const char *other_text;		/* folded */
} CallsyncNick;

typedef struct CallsyncNicks
{
	const CallsyncNick *nick;	/* sorted by (name, other); may be NULL */
	int			n;
} CallsyncNicks;

typedef struct CallsyncNameMatch
{
	CallsyncNameLevel first;
	CallsyncNameLevel last;
	float		nick_weight;	/* of NICK */
	bool		swapped;		/* surname said first */
	int8_t		generation;		/* 1 the same, -1 in conflict, 0 nothing known */
	uint64_t	call_first;		/* hashes of the words compared, for term frequencies */
	uint64_t	call_last;
	uint64_t	contact_first;
	uint64_t	contact_last;
	float		score;			/* rough bits; what the best split was chosen by */
	float		similarity;		/* 0 .. 1 */
} CallsyncNameMatch;

/* One folded word; what does not fit is cut. */
extern void callsync_word_set(CallsyncWord *word, const char *text, size_t len);

/* A full name as said or written; false: no word in it. */
extern bool callsync_name_parse(CallsyncName *name, const char *text, size_t len);

/* A name in two columns; either may be NULL.  A full name in one of them is treated as such. */
extern bool callsync_name_parse_parts(CallsyncName *name, const char *first, size_t first_len,
									  const char *last, size_t last_len);

/* How sure it is that two given names are used for each other; 0: not known to be. */
extern float callsync_nick_weight(const CallsyncNicks *nicks, uint64_t a, uint64_t b);

/* First entry for a name, or NULL; the further ones follow it as long as .name is equal. */
extern const CallsyncNick *callsync_nick_find(const CallsyncNicks *nicks, uint64_t name);

extern void callsync_name_compare(const CallsyncName *call, const CallsyncName *contact,
								  const CallsyncNicks *nicks, CallsyncNameMatch *match);

/* 0 .. 1, the same in both orders */
extern double callsync_name_similarity(const CallsyncName *a, const CallsyncName *b,
									   const CallsyncNicks *nicks);

/* The word made of words [from, to), written as one. */
extern void callsync_name_join(const CallsyncName *name, int from, int to, CallsyncWord *joined);

#endif
