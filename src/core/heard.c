/*
 * heard.c
 *		Digits that were said; see heard.h.
 */
#include <stdio.h>
#include <string.h>

#include "core/fold.h"
#include "core/heard.h"

typedef struct NumberWord
{
	const char *word;
	short		value;
} NumberWord;

static const NumberWord numbers[] = {
	/* English */
	{"zero", 0}, {"oh", 0}, {"nought", 0}, {"naught", 0}, {"nil", 0}, {"one", 1}, {"two", 2}, {"three", 3}, {"four", 4}, {"five", 5}, {"six", 6}, {"seven", 7},
	{"eight", 8}, {"nine", 9}, {"niner", 9}, {"ten", 10}, {"eleven", 11}, {"twelve", 12}, {"thirteen", 13}, {"fourteen", 14}, {"fifteen", 15},
	{"sixteen", 16}, {"seventeen", 17}, {"eighteen", 18}, {"nineteen", 19}, {"twenty", 20}, {"thirty", 30}, {"forty", 40}, {"fourty", 40}, {"fifty", 50},
	{"sixty", 60}, {"seventy", 70}, {"eighty", 80}, {"ninety", 90}, {"hundred", 100}, {"thousand", 1000}, {"double", -2}, {"triple", -3}, {"treble", -3},
	/* Spanish */
	{"cero", 0}, {"uno", 1}, {"dos", 2}, {"tres", 3}, {"cuatro", 4}, {"cinco", 5}, {"seis", 6}, {"siete", 7}, {"ocho", 8}, {"nueve", 9},
	{"diez", 10}, {"once", 11}, {"doce", 12}, {"trece", 13}, {"catorce", 14}, {"quince", 15}, {"dieciseis", 16}, {"diecisiete", 17}, {"dieciocho", 18}, {"diecinueve", 19},
	{"veinte", 20}, {"veintiuno", 21}, {"veintidos", 22}, {"veintitres", 23}, {"veinticuatro", 24}, {"veinticinco", 25}, {"veintiseis", 26}, {"veintisiete", 27}, {"veintiocho", 28}, {"veintinueve", 29},
	{"treinta", 30}, {"cuarenta", 40}, {"cincuenta", 50}, {"sesenta", 60}, {"setenta", 70}, {"ochenta", 80}, {"noventa", 90}, {"doble", -2},
	/* German */
	{"null", 0}, {"eins", 1}, {"ein", 1}, {"zwei", 2}, {"zwo", 2}, {"drei", 3}, {"vier", 4}, {"funf", 5}, {"fuenf", 5}, {"sechs", 6}, {"sieben", 7}, {"acht", 8}, {"neun", 9},
	{"zehn", 10}, {"elf", 11}, {"zwolf", 12}, {"dreizehn", 13}, {"vierzehn", 14}, {"funfzehn", 15}, {"sechzehn", 16}, {"siebzehn", 17}, {"achtzehn", 18}, {"neunzehn", 19},
	{"zwanzig", 20}, {"dreissig", 30}, {"vierzig", 40}, {"funfzig", 50}, {"sechzig", 60}, {"siebzig", 70}, {"achtzig", 80}, {"neunzig", 90}, {"doppel", -2},
	/* French */
	{"un", 1}, {"une", 1}, {"deux", 2}, {"trois", 3}, {"quatre", 4}, {"cinq", 5}, {"sept", 7}, {"huit", 8}, {"neuf", 9},
	{"onze", 11}, {"douze", 12}, {"treize", 13}, {"quatorze", 14}, {"quinze", 15}, {"seize", 16}, {"trente", 30}, {"quarante", 40},
	{"cinquante", 50}, {"septante", 70}, {"huitante", 80}, {"octante", 80}, {"nonante", 90},
	/* Italian */
	{"due", 2}, {"tre", 3}, {"quattro", 4}, {"cinque", 5}, {"sei", 6}, {"sette", 7}, {"otto", 8}, {"nove", 9}, {"dieci", 10}, {"doppio", -2},
	/* Portuguese */
	{"um", 1}, {"uma", 1}, {"dois", 2}, {"duas", 2}, {"quatro", 4}, {"meia", 6}, {"sete", 7}, {"oito", 8}, {"dez", 10}, {"vinte", 20}, {"trinta", 30}, {"quarenta", 40}, {"cinquenta", 50},
	/* Dutch */
	{"nul", 0}, {"een", 1}, {"twee", 2}, {"drie", 3}, {"vijf", 5}, {"zes", 6}, {"zeven", 7}, {"negen", 9}, {"tien", 10}, {"dubbel", -2},
	{NULL, 0}
};

static CallsyncNumberKind
kind_of(int value)
{
	if (value < 0)
		return CALLSYNC_NUMBER_REPEAT;
	if (value < 10)
		return CALLSYNC_NUMBER_UNIT;
	if (value < 20)
		return CALLSYNC_NUMBER_TEEN;
	if (value == 100)
		return CALLSYNC_NUMBER_HUNDRED;
	if (value == 1000)
		return CALLSYNC_NUMBER_THOUSAND;
	return value % 10 == 0 ? CALLSYNC_NUMBER_TEN : CALLSYNC_NUMBER_COMPOUND;
}

static bool
lookup(const char *word, size_t len, int *value)
{
	for (const NumberWord *n = numbers; n->word; n++)
		if (n->word[0] == word[0] && strlen(n->word) == len && memcmp(n->word, word, len) == 0)
		{
			*value = n->value;
			return true;
		}
	return false;
}

CallsyncNumberKind
callsync_number_word(const char *word, size_t len, int *value)
{
	int			unit;
	int			ten;
	CallsyncNumberKind kind;

	if (len == 0)
		return CALLSYNC_NUMBER_NONE;
	if (lookup(word, len, value))
	{
		kind = kind_of(*value);
		if (kind == CALLSYNC_NUMBER_REPEAT)
			*value = -*value;
		return kind;
	}
	/* French counts on from 10, 20 and 60: dix-sept, quatre-vingt, soixante-douze */
	if ((len == 3 && memcmp(word, "dix", 3) == 0) || (len == 5 && memcmp(word, "vingt", 5) == 0) ||
		(len == 6 && memcmp(word, "vingts", 6) == 0) || (len == 8 && memcmp(word, "soixante", 8) == 0))
	{
		*value = word[0] == 'd' ? 10 : word[0] == 'v' ? 20 : 60;
		return CALLSYNC_NUMBER_FRENCH;
	}
	/* German: zweiundachtzig */
	for (size_t i = 2; i + 5 < len; i++)
		if (memcmp(word + i, "und", 3) == 0 && lookup(word, i, &unit) && lookup(word + i + 3, len - i - 3, &ten) &&
			kind_of(unit) == CALLSYNC_NUMBER_UNIT && kind_of(ten) == CALLSYNC_NUMBER_TEN)
		{
			*value = ten + unit;
			return CALLSYNC_NUMBER_COMPOUND;
		}
	return CALLSYNC_NUMBER_NONE;
}

static void
put(CallsyncNumberRun *run, const char *digits, size_t len)
{
	for (int times = run->repeat > 0 && len == 1 ? run->repeat : 1; times > 0; times--)
		for (size_t i = 0; i < len && run->n < (int) sizeof(run->digits); i++)
			run->digits[run->n++] = digits[i];
	run->repeat = 0;
}

void
callsync_number_run_digits(CallsyncNumberRun *run, const char *digits, size_t len)
{
	put(run, digits, len);
	run->last = CALLSYNC_NUMBER_DIGITS;
}

void
callsync_number_run_add(CallsyncNumberRun *run, CallsyncNumberKind kind, int value)
{
	char		text[16];
	int			last = run->n > 0 ? run->digits[run->n - 1] - '0' : -1;
	int			ten = run->n > 1 ? run->digits[run->n - 2] - '0' : -1;

	switch (kind)
	{
		case CALLSYNC_NUMBER_NONE:
		case CALLSYNC_NUMBER_DIGITS:
			return;
		case CALLSYNC_NUMBER_REPEAT:
			run->repeat = value;
			run->last = kind;
			return;
		case CALLSYNC_NUMBER_UNIT:
			/* eighty two */
			if ((run->last == CALLSYNC_NUMBER_TEN || (run->last == CALLSYNC_NUMBER_FRENCH && last == 0)) && value > 0)
			{
				run->digits[run->n - 1] = (char) ('0' + value);
				run->last = CALLSYNC_NUMBER_COMPOUND;
				return;
			}
			/* two thousand nine; after "hundred" more digits follow: eight hundred five five five */
			if (run->last == CALLSYNC_NUMBER_THOUSAND)
			{
				run->digits[run->n - 1] = (char) ('0' + value);
				run->last = CALLSYNC_NUMBER_COMPOUND;
				return;
			}
			break;
		case CALLSYNC_NUMBER_TEEN:
		case CALLSYNC_NUMBER_TEN:
		case CALLSYNC_NUMBER_COMPOUND:
			if (kind == CALLSYNC_NUMBER_TEEN && run->last == CALLSYNC_NUMBER_FRENCH && last == 0 && (ten == 6 || ten == 8))
			{
				run->digits[run->n - 2]++;
				run->digits[run->n - 1] = (char) ('0' + value - 10);
				run->last = CALLSYNC_NUMBER_COMPOUND;
				return;
			}
			if (run->last == CALLSYNC_NUMBER_THOUSAND && run->n > 2)
			{
				run->digits[run->n - 2] = (char) ('0' + value / 10);
				run->digits[run->n - 1] = (char) ('0' + value % 10);
				run->last = kind;
				return;
			}
			break;
		case CALLSYNC_NUMBER_FRENCH:
			if (value == 20 && run->last == CALLSYNC_NUMBER_UNIT && last == 4)
			{
				run->digits[run->n - 1] = '8';
				put(run, "0", 1);
				run->last = kind;
				return;
			}
			if (value == 10 && run->last == CALLSYNC_NUMBER_FRENCH && last == 0 && (ten == 6 || ten == 8))
			{
				run->digits[run->n - 2]++;
				return;
			}
			break;
		case CALLSYNC_NUMBER_HUNDRED:
			if (run->last != CALLSYNC_NUMBER_NONE && run->last != CALLSYNC_NUMBER_HUNDRED)
				put(run, "00", 2);
			else
				put(run, "100", 3);
			run->last = kind;
			return;
		case CALLSYNC_NUMBER_THOUSAND:
			if (run->last != CALLSYNC_NUMBER_NONE && run->last != CALLSYNC_NUMBER_THOUSAND)
				put(run, "000", 3);
			else
				put(run, "1000", 4);
			run->last = kind;
			return;
	}
	snprintf(text, sizeof(text), "%d", value);
	put(run, text, strlen(text));
	run->last = kind;
}

/* What a transcript writes for a digit where only digits can stand. */
static int
homophone(const char *word, size_t len)
{
	static const struct
	{
		const char *word;
		int			digit;
	}			known[] = {{"o", 0}, {"to", 2}, {"too", 2}, {"tree", 3}, {"for", 4}, {"fore", 4}, {"fife", 5}, {"ate", 8}, {"won", 1}, {NULL, 0}};

	for (int i = 0; known[i].word; i++)
		if (strlen(known[i].word) == len && memcmp(known[i].word, word, len) == 0)
			return known[i].digit;
	return -1;
}

static bool
is_extension(const char *word, size_t len)
{
	static const char *const words[] = {"x", "ext", "extn", "extension", "durchwahl", "anexo", "poste", NULL};

	for (int i = 0; words[i]; i++)
		if (strlen(words[i]) == len && memcmp(words[i], word, len) == 0)
			return true;
	return false;
}

size_t
callsync_heard_digits(const char *text, size_t len, char *out, size_t cap)
{
	CallsyncNumberRun run = {.n = 0};
	bool		plus = false;
	size_t		i = 0;
	size_t		used = 0;
	bool		words = false;

	/* homophones count only in a text that spells digits at all */
	for (int pass = 0; pass < 2; pass++)
	{
		memset(&run, 0, sizeof(run));
		i = 0;
		while (i < len)
		{
			char		word[32];
			size_t		n;
			size_t		start = i;
			uint32_t	cp = 0;
			uint32_t	to[4];
			int			value;
			CallsyncNumberKind kind;

			while (i < len)
			{
				int			bytes = callsync_utf8_next(text + i, len - i, &cp);

				if (callsync_fold_char(cp, to) == CALLSYNC_FOLD_SEPARATOR)
				{
					if (i == start)
					{
						if (cp == '+' && run.n == 0)
							plus = true;
						start = i + bytes;
					}
					else
						break;
				}
				i += bytes;
			}
			n = callsync_fold_tight(text + start, i - start, word, sizeof(word));
			if (n == 0)
				break;
			if (word[0] >= '0' && word[0] <= '9')
			{
				size_t		k = 0;

				while (k < n && word[k] >= '0' && word[k] <= '9')
					k++;
				callsync_number_run_digits(&run, word, k);
				if (k < n && is_extension(word + k, n - k))
					break;
				continue;
			}
			if (run.n >= 5 && is_extension(word, n))
				break;
			kind = callsync_number_word(word, n, &value);
			if (kind != CALLSYNC_NUMBER_NONE)
			{
				callsync_number_run_add(&run, kind, value);
				words = true;
			}
			else if (n == 4 && memcmp(word, "plus", 4) == 0 && run.n == 0)
				plus = true;
			else if (words && pass == 1 && homophone(word, n) >= 0)
				callsync_number_run_add(&run, CALLSYNC_NUMBER_UNIT, homophone(word, n));
			else if (!(n == 1 && (word[0] == 'y' || word[0] == 'e')) && !(n == 2 && memcmp(word, "et", 2) == 0))
				run.last = CALLSYNC_NUMBER_NONE;
		}
		if (!words)
			break;
	}
	if (run.n == 0)
		return 0;
	if (plus && used < cap)
		out[used++] = '+';
	for (int k = 0; k < run.n && used < cap; k++)
		out[used++] = run.digits[k];
	return used;
}
