/*
 * phone_chars.c
 *		Characters as the phone parser sees them: UTF-8, and the classes of the library's
 *		regular expressions.
 */
#include "core/phone_internal.h"

/* Blank that is punctuation, tab, letter x, ~ */
#define A_ PHONE_ALPHA
#define B_ (PHONE_PUNCT | PHONE_BLANK)
#define D_ PHONE_DIGIT
#define L_ PHONE_PLUS
#define M_ PHONE_MARK
#define N_ PHONE_NONE
#define P_ PHONE_PUNCT
#define S_ PHONE_STAR
#define T_ (PHONE_BLANK | PHONE_MARK)
#define W_ (PHONE_PUNCT | PHONE_MARK)
#define X_ (PHONE_ALPHA | PHONE_PUNCT)
const uint8_t callsync_phone_ascii_class[256] = {
	N_, N_, N_, N_, N_, N_, N_, N_, N_, T_, N_, N_, N_, N_, N_, N_,
	N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_,
	B_, N_, N_, M_, N_, N_, N_, N_, P_, P_, S_, L_, M_, P_, P_, P_,
	D_, D_, D_, D_, D_, D_, D_, D_, D_, D_, M_, M_, N_, N_, N_, N_,
	N_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_,
	A_, A_, A_, A_, A_, A_, A_, A_, X_, A_, A_, P_, M_, P_, N_, N_,
	N_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_, A_,
	A_, A_, A_, A_, A_, A_, A_, A_, X_, A_, A_, N_, N_, N_, W_, N_,
	N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_,
	N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_,
	N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_,
	N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_,
	N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_,
	N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_,
	N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_,
	N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_, N_
};
#undef A_
#undef B_
#undef D_
#undef L_
#undef M_
#undef N_
#undef P_
#undef S_
#undef T_
#undef W_
#undef X_

uint8_t
callsync_phone_class_other(uint32_t c)
{
	if (callsync_phone_digit(c) >= 0)
		return PHONE_DIGIT;
	switch (c)
	{
		case 0x00A0:
			return PHONE_PUNCT | PHONE_BLANK;
		case 0x00AD:
		case 0x200B:
		case 0x2053:
		case 0x2060:
		case 0x2212:
		case 0x223C:
		case 0x3000:
		case 0x30FC:
		case 0xFF08:
		case 0xFF09:
		case 0xFF0D:
		case 0xFF0E:
		case 0xFF0F:
		case 0xFF3B:
		case 0xFF3D:
			return PHONE_PUNCT;
		case 0xFF5E:
			return PHONE_PUNCT | PHONE_MARK;
		case 0xFF0B:
			return PHONE_PLUS;
		default:
			if (c >= 0x2010 && c <= 0x2015)
				return PHONE_PUNCT;
			/* full width and Cyrillic letters and accents make extension marks */
			return (c >= 0xFF00 && c <= 0xFFEF) || (c >= 0x0400 && c <= 0x04FF) || (c >= 0x1C80 && c <= 0x1C8F) ? PHONE_MARK : 0;
	}
}

uint32_t
callsync_utf8_decode_any(const unsigned char *s, size_t len, int *used)
{
	uint32_t	c = s[0];
	int			n;

	*used = 1;
	if (c < 0x80)
		return c;
	if (c >= 0xC2 && c <= 0xDF)
		n = 2, c &= 0x1F;
	else if (c >= 0xE0 && c <= 0xEF)
		n = 3, c &= 0x0F;
	else if (c >= 0xF0 && c <= 0xF4)
		n = 4, c &= 0x07;
	else
		return 0xFFFD;
	if (len < (size_t) n)
		return 0xFFFD;
	for (int i = 1; i < n; i++)
	{
		if ((s[i] & 0xC0) != 0x80)
			return 0xFFFD;
		c = c << 6 | (s[i] & 0x3F);
	}
	if ((n == 3 && (c < 0x800 || (c >= 0xD800 && c <= 0xDFFF))) || (n == 4 && (c < 0x10000 || c > 0x10FFFF)))
		return 0xFFFD;
	*used = n;
	return c;
}
