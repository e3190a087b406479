/*
 * sound.c
 *		How a name sounds; see sound.h.
 */
#include <stdbool.h>
#include <string.h>

#include "core/sound.h"

enum
{
	S_NONE,
	S_A, S_E, S_I, S_O, S_U,
	S_P, S_B, S_F, S_V, S_W, S_M, S_N, S_T, S_D, S_TH, S_S, S_Z, S_SH, S_CH, S_J, S_K, S_G, S_H, S_L, S_R, S_Y,
	S_COUNT,
	S_OTHER = 64				/* and above: letters that stand for themselves */
};

#define IS_VOWEL(s) ((s) >= S_A && (s) <= S_U)

static bool
vowel(int c)
{
	return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
}

/* the same sound twice in a row is one */
static int
emit(uint8_t *sound, int n, int max, int s)
{
	if (n < max && (n == 0 || sound[n - 1] != s))
		sound[n++] = (uint8_t) s;
	return n;
}

int
callsync_sound_encode(const uint16_t *ch, int len, uint8_t *sound, int max)
{
	int			n = 0;
	int			i = 0;

#define AT(k) (i + (k) >= 0 && i + (k) < len ? ch[i + (k)] : 0)
#define FRONT(c) ((c) == 'e' || (c) == 'i' || (c) == 'y')
#define EMIT(s) (n = emit(sound, n, max, (s)))
	while (i < len)
	{
		int			c = ch[i];
		int			next = AT(1);
		int			next2 = AT(2);
		int			prev = AT(-1);
		int			step = 1;

		if (c < 'a' || c > 'z')
		{
			EMIT((uint8_t) (S_OTHER + c % (256 - S_OTHER)));
			i++;
			continue;
		}
		if (c == next && !vowel(c) && c != 'c')
			step = 2, next = AT(2), next2 = AT(3);
		switch (c)
		{
			case 'a':
				if (next == 'i' || next == 'y')
					EMIT(S_E), step = 2;
				else if (next == 'u' || next == 'w')
					EMIT(S_O), step = 2;
				else if (next == 'e')
					EMIT(S_E), step = 2;
				else if (next == 'a')
					EMIT(S_A), step = 2;
				else
					EMIT(S_A);
				break;
			case 'e':
				if (next == 'a' && next2 == 'u')
					EMIT(S_O), step = 3;
				else if (next == 'e' || next == 'a')
					EMIT(S_I), step = 2;
				else if (next == 'i' || next == 'y')
					EMIT(S_E), step = 2;
				else if (next == 'u' || next == 'w')
					EMIT(S_U), step = 2;
				else if (next == 0 && i > 1 && !vowel(prev))
					 /* silent at the end */ ;
				else
					EMIT(S_E);
				break;
			case 'i':
				if (next == 'e' && next2 != 'l')
					EMIT(S_I), step = 2;
				else if (next == 'g' && next2 == 'h')
					EMIT(S_I), step = 3;
				else
					EMIT(S_I);
				break;
			case 'o':
				if (next == 'o' || next == 'u')
					EMIT(S_U), step = 2;
				else if (next == 'w' || next == 'a' || next == 'e')
					EMIT(S_O), step = 2;
				else
					EMIT(S_O);
				break;
			case 'u':
				EMIT(S_U);
				if (next == 'e' || next == 'i' || next == 'y')
					step = 2;
				break;
			case 'y':
				if (i == 0 && vowel(next))
					EMIT(S_Y);
				else
					EMIT(S_I);
				break;
			case 'b':
				EMIT(S_B);
				break;
			case 'c':
				if (next == 'h')
				{
					EMIT(next2 == 'r' || next2 == 'l' ? S_K : S_CH);
					step = 2;
				}
				else if (next == 'k' || next == 'q' || (next == 'c' && !FRONT(next2)))
					EMIT(S_K), step = 2;
				else if (next == 'z' || next == 's')
					EMIT(S_CH), step = 2;
				else if (FRONT(next))
					EMIT(S_S);
				else
					EMIT(S_K);
				break;
			case 'd':
				if (next == 'g' && FRONT(next2))
					EMIT(S_J), step = 2;
				else if (next == 'j')
					EMIT(S_J), step = 2;
				else if (next == 't')
					EMIT(S_T), step = 2;
				else
					EMIT(S_D);
				break;
			case 'f':
				EMIT(S_F);
				break;
			case 'g':
				if (next == 'h')
				{
					step = 2;
					if (i == 0)
						EMIT(S_G);
				}
				else if (next == 'n' && (i == 0 || next2 == 0 || vowel(next2)))
					EMIT(S_N), step = 2;
				else if (next == 'u' && (next2 == 'e' || next2 == 'i'))
					EMIT(S_G), step = 2;
				else if (FRONT(next) && c != AT(1))
					EMIT(S_J);
				else
					EMIT(S_G);
				break;
			case 'h':
				if (vowel(next) && (i == 0 || vowel(prev)))
					EMIT(S_H);
				break;
			case 'j':
				EMIT(S_J);
				break;
			case 'k':
				if (next == 'n' && i == 0)
					 /* knight */ ;
				else
					EMIT(S_K);
				if (next == 'h')
					step = 2;
				break;
			case 'l':
				EMIT(S_L);
				break;
			case 'm':
				EMIT(S_M);
				break;
			case 'n':
				EMIT(S_N);
				break;
			case 'p':
				if (next == 'h' || next == 'f')
					EMIT(S_F), step = 2;
				else if (next == 's' && i == 0)
					 /* psalter */ ;
				else
					EMIT(S_P);
				break;
			case 'q':
				EMIT(S_K);
				if (next == 'u')
				{
					step = 2;
					if (next2 == 'a' || next2 == 'o')
						EMIT(S_W);
				}
				break;
			case 'r':
				EMIT(S_R);
				if (next == 'h')
					step = 2;
				break;
			case 's':
				if (next == 'c' && next2 == 'h')
					EMIT(S_SH), step = 3;
				else if (next == 'h' || next == 'j')
					EMIT(S_SH), step = 2;
				else if (next == 'z')
					EMIT(S_S), step = 2;
				else if (next == 'c' && FRONT(next2))
					EMIT(S_S), step = 2;
				else if (next == 'i' && next2 == 'o')
					EMIT(S_SH);
				else
					EMIT(S_S);
				break;
			case 't':
				if (next == 'h')
					EMIT(S_TH), step = 2;
				else if (next == 'c' && next2 == 'h')
					EMIT(S_CH), step = 3;
				else if (next == 's' && next2 == 'c' && AT(3) == 'h')
					EMIT(S_CH), step = 4;
				else if (next == 'i' && next2 == 'o')
					EMIT(S_SH);
				else
					EMIT(S_T);
				break;
			case 'v':
				EMIT(S_V);
				break;
			case 'w':
				if (next == 'r' && i == 0)
					 /* wright */ ;
				else if (vowel(next) || i == 0 || next == 'h')
					EMIT(S_W);
				if (next == 'h')
					step = 2;
				break;
			case 'x':
				if (i > 0)
					EMIT(S_K);
				EMIT(S_S);
				break;
			case 'z':
				if (next == 'h')
					EMIT(S_J), step = 2;
				else
					EMIT(S_Z);
				break;
		}
		i += step;
	}
#undef AT
#undef FRONT
#undef EMIT
	return n;
}

/* What it costs to lose or add a sound; also its share of a word's length. */
static double
weight(uint8_t s)
{
	if (IS_VOWEL(s))
		return 0.45;
	if (s == S_H)
		return 0.35;
	if (s == S_W || s == S_Y)
		return 0.55;
	return 0.9;
}

/* What it costs to hear one sound for the other. */
static double
confusion(uint8_t a, uint8_t b)
{
#define PAIR(x, y, cost) [x][y] = cost, [y][x] = cost
	/* in hundredths; 0: as far apart as any */
	static const uint8_t near[S_COUNT][S_COUNT] = {
		PAIR(S_A, S_E, 30), PAIR(S_A, S_O, 30), PAIR(S_E, S_I, 25), PAIR(S_O, S_U, 25),
		PAIR(S_P, S_B, 35), PAIR(S_F, S_V, 25), PAIR(S_V, S_W, 25), PAIR(S_F, S_W, 50),
		PAIR(S_B, S_V, 35), PAIR(S_P, S_F, 50), PAIR(S_M, S_N, 40), PAIR(S_T, S_D, 35),
		PAIR(S_T, S_TH, 20), PAIR(S_D, S_TH, 35), PAIR(S_S, S_TH, 45), PAIR(S_F, S_TH, 45),
		PAIR(S_S, S_Z, 10), PAIR(S_S, S_SH, 30), PAIR(S_Z, S_SH, 40), PAIR(S_SH, S_CH, 25),
		PAIR(S_S, S_CH, 40), PAIR(S_Z, S_CH, 45), PAIR(S_CH, S_J, 30), PAIR(S_SH, S_J, 35),
		PAIR(S_J, S_Y, 30), PAIR(S_J, S_G, 35), PAIR(S_J, S_H, 45), PAIR(S_J, S_Z, 45),
		PAIR(S_K, S_G, 30), PAIR(S_K, S_CH, 40), PAIR(S_K, S_H, 50), PAIR(S_G, S_H, 50),
		PAIR(S_Y, S_I, 15), PAIR(S_W, S_U, 15), PAIR(S_W, S_O, 30), PAIR(S_L, S_R, 60),
		PAIR(S_CH, S_H, 45), PAIR(S_T, S_CH, 50),
	};
#undef PAIR

	if (a == b)
		return 0;
	if (a >= S_COUNT || b >= S_COUNT)
		return 1.0;
	if (near[a][b] != 0)
		return near[a][b] / 100.0;
	return IS_VOWEL(a) && IS_VOWEL(b) ? 0.4 : 0.95;
}

double
callsync_sound_distance(const uint8_t *a, int na, const uint8_t *b, int nb)
{
	double		row[CALLSYNC_SOUND_MAX + 1];
	double		wa = 0;
	double		wb = 0;
	double		longest;

	if (na > CALLSYNC_SOUND_MAX)
		na = CALLSYNC_SOUND_MAX;
	if (nb > CALLSYNC_SOUND_MAX)
		nb = CALLSYNC_SOUND_MAX;
	row[0] = 0;
	for (int j = 0; j < nb; j++)
	{
		wb += weight(b[j]);
		row[j + 1] = wb;
	}
	for (int i = 0; i < na; i++)
	{
		double		diagonal = row[0];

		wa += weight(a[i]);
		row[0] = wa;
		for (int j = 0; j < nb; j++)
		{
			double		best = diagonal + confusion(a[i], b[j]);
			double		gone = row[j + 1] + weight(a[i]);
			double		added = row[j] + weight(b[j]);

			/* a stop that slips in or out between consonants is hardly heard: Johnston, Thompson */
			if ((a[i] == S_T || a[i] == S_D || a[i] == S_P) && i > 0 && i + 1 < na &&
				!IS_VOWEL(a[i - 1]) && !IS_VOWEL(a[i + 1]))
				gone -= 0.4;
			if ((b[j] == S_T || b[j] == S_D || b[j] == S_P) && j > 0 && j + 1 < nb &&
				!IS_VOWEL(b[j - 1]) && !IS_VOWEL(b[j + 1]))
				added -= 0.4;
			/* an r behind a vowel is silent in half of the English speaking world, most of all at the end */
			if (a[i] == S_R && i > 0 && IS_VOWEL(a[i - 1]) && (i + 1 == na || !IS_VOWEL(a[i + 1])))
				gone -= i + 1 == na ? 0.65 : 0.5;
			if (b[j] == S_R && j > 0 && IS_VOWEL(b[j - 1]) && (j + 1 == nb || !IS_VOWEL(b[j + 1])))
				added -= j + 1 == nb ? 0.65 : 0.5;
			if (gone < best)
				best = gone;
			if (added < best)
				best = added;
			diagonal = row[j + 1];
			row[j + 1] = best;
		}
	}
	longest = wa > wb ? wa : wb;
	if (longest == 0)
		return na == nb ? 0 : 1;
	return row[nb] / longest > 1 ? 1 : row[nb] / longest;
}

int
callsync_sound_key(const uint8_t *sound, int n, char *out, int max)
{
	/* classes of sounds that speech or spelling mixes up; vowels and h after the first are dropped */
	static const char class[S_COUNT] = {
		[S_A] = 'a', [S_E] = 'a', [S_I] = 'a', [S_O] = 'a', [S_U] = 'a',
		[S_P] = 'p', [S_B] = 'p', [S_F] = 'f', [S_V] = 'f', [S_W] = 'f', [S_M] = 'm', [S_N] = 'm',
		[S_T] = 't', [S_D] = 't', [S_TH] = 't', [S_S] = 's', [S_Z] = 's', [S_SH] = 's', [S_CH] = 's',
		[S_J] = 'j', [S_K] = 'k', [S_G] = 'k', [S_H] = 'a', [S_L] = 'l', [S_R] = 'r', [S_Y] = 'j',
	};
	int			k = 0;

	for (int i = 0; i < n && k < max; i++)
	{
		char		c = sound[i] >= S_OTHER ? (char) sound[i] : class[sound[i]];

		/* J inside a word is as often a hard G or an S as a J: one class there */
		if (i > 0 && (IS_VOWEL(sound[i]) || sound[i] == S_H))
			continue;
		if (k > 0 && out[k - 1] == c)
			continue;
		out[k++] = c;
	}
	return k;
}

int
callsync_edit_distance(const uint16_t *a, int na, const uint16_t *b, int nb, int limit)
{
	enum { WIDTH = 64 };
	int			rows[3][WIDTH + 1];
	int		   *before = rows[0];
	int		   *above = rows[1];
	int		   *row = rows[2];

	if (na > WIDTH)
		na = WIDTH;
	if (nb > WIDTH)
		nb = WIDTH;
	if (na - nb > limit || nb - na > limit)
		return limit + 1;
	for (int j = 0; j <= nb; j++)
		above[j] = j;
	for (int i = 1; i <= na; i++)
	{
		int			best = i;
		int		   *spare;

		row[0] = i;
		for (int j = 1; j <= nb; j++)
		{
			int			d = above[j - 1] + (a[i - 1] != b[j - 1]);

			if (above[j] + 1 < d)
				d = above[j] + 1;
			if (row[j - 1] + 1 < d)
				d = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && before[j - 2] + 1 < d)
				d = before[j - 2] + 1;
			row[j] = d;
			if (d < best)
				best = d;
		}
		if (best > limit)
			return limit + 1;
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[nb] > limit ? limit + 1 : above[nb];
}
