/*
 * email.c
 *		Mailboxes; see email.h.
 */
#include <string.h>

#include "core/email.h"
#include "core/fold.h"
#include "core/sound.h"

/* Domains that name the same mailboxes. */
static const char *const domain_alias[][2] = {
	{"googlemail.com", "gmail.com"},
	{"me.com", "icloud.com"},
	{"mac.com", "icloud.com"},
	{"protonmail.com", "proton.me"},
	{"protonmail.ch", "proton.me"},
	{"pm.me", "proton.me"},
	{"ya.ru", "yandex.ru"},
	{"yandex.com", "yandex.ru"},
};

const char *
callsync_email_level(CallsyncEmailLevel level)
{
	static const char *const names[] = {"missing", "exact", "domain", "near", "local", "none"};

	return names[level];
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

/* The address inside "Name <a@b>", "mailto:a@b?subject=..", with spaces around it. */
static void
bare(const char **text, size_t *len)
{
	const char *open = memchr(*text, '<', *len);

	if (open != NULL)
	{
		const char *close = memchr(open, '>', *len - (size_t) (open - *text));

		if (close != NULL)
		{
			*len = (size_t) (close - open - 1);
			*text = open + 1;
		}
	}
	while (*len > 0 && is_space((*text)[0]))
		(*text)++, (*len)--;
	if (*len > 7 && (memcmp(*text, "mailto:", 7) == 0 || memcmp(*text, "MAILTO:", 7) == 0 || memcmp(*text, "Mailto:", 7) == 0))
	{
		const char *query;

		*text += 7;
		*len -= 7;
		query = memchr(*text, '?', *len);
		if (query != NULL)
			*len = (size_t) (query - *text);
	}
	while (*len > 0 && (is_space((*text)[*len - 1]) || strchr(".,;>", (*text)[*len - 1])))
		(*len)--;
	while (*len > 0 && is_space((*text)[0]))
		(*text)++, (*len)--;
}

/* Lower case for one character: ASCII directly, the rest by folding where that is one letter. */
static int
lower(uint32_t cp, char *out)
{
	if (cp < 0x80)
	{
		out[0] = (char) (cp >= 'A' && cp <= 'Z' ? cp + 32 : cp);
		return 1;
	}
	if ((cp >= 0xC0 && cp <= 0xDE && cp != 0xD7) || (cp >= 0x391 && cp <= 0x3A9) || (cp >= 0x410 && cp <= 0x42F))
		cp += 32;
	else if (cp >= 0x100 && cp <= 0x17F && cp != 0x130 && cp != 0x131 && cp != 0x138 && cp != 0x149 && cp != 0x178 && cp != 0x17F)
	{
		/* pairs of upper and lower; the odd one is lower, except where a letter without pair has shifted them */
		bool		shifted = (cp >= 0x139 && cp <= 0x148) || cp >= 0x179;

		if (shifted ? (cp & 1) : !(cp & 1))
			cp++;
	}
	else if (cp >= 0x400 && cp <= 0x40F)
		cp += 80;
	return callsync_utf8_put(cp, out);
}

bool
callsync_email_canonical(const char *text, size_t len, CallsyncEmail *email)
{
	char		buf[CALLSYNC_EMAIL_MAX + 8];
	size_t		n = 0;
	char	   *at = NULL;
	char	   *plus;
	size_t		local;
	const char *domain;
	size_t		domain_len;

	memset(email, 0, sizeof(*email));
	if (text == NULL)
		return false;
	bare(&text, &len);
	while (len > 0)
	{
		uint32_t	cp;
		int			bytes = callsync_utf8_next(text, len, &cp);

		if (n + 4 > CALLSYNC_EMAIL_MAX)
			return false;
		if (cp <= ' ' || cp == 0x7F || cp == 0xA0 || cp == ',' || cp == ';')
			return false;
		if (cp != 0x200B && cp != 0xFEFF)
			n += (size_t) lower(cp, buf + n);
		text += bytes;
		len -= bytes;
	}
	for (size_t i = 0; i < n; i++)
		if (buf[i] == '@')
			at = buf + i;
	if (at == NULL || at == buf || at == buf + n - 1)
		return false;
	local = (size_t) (at - buf);
	domain = at + 1;
	domain_len = n - local - 1;
	while (domain_len > 0 && domain[domain_len - 1] == '.')
		domain_len--;
	if (domain_len == 0 || domain[0] == '.' || memchr(buf, '@', local) != NULL)
		return false;
	if (local > 2 && buf[0] == '"' && buf[local - 1] == '"')
	{
		memmove(buf, buf + 1, local - 2);
		local -= 2;
	}
	/* a sub-address is the same mailbox; one that starts with the sign is a name */
	plus = memchr(buf, '+', local);
	if (plus != NULL && plus > buf)
		local = (size_t) (plus - buf);
	for (size_t i = 0; i < sizeof(domain_alias) / sizeof(domain_alias[0]); i++)
		if (strlen(domain_alias[i][0]) == domain_len && memcmp(domain_alias[i][0], domain, domain_len) == 0)
		{
			domain = domain_alias[i][1];
			domain_len = strlen(domain);
			break;
		}
	if (domain_len == 9 && memcmp(domain, "gmail.com", 9) == 0)
	{
		size_t		k = 0;

		for (size_t i = 0; i < local; i++)
			if (buf[i] != '.')
				buf[k++] = buf[i];
		local = k;
	}
	if (local == 0)
		return false;
	memcpy(email->text, buf, local);
	email->text[local] = '@';
	memcpy(email->text + local + 1, domain, domain_len);
	email->local_len = (int) local;
	email->len = (int) (local + 1 + domain_len);
	email->text[email->len] = '\0';
	return true;
}

uint64_t
callsync_email_domain(const CallsyncEmail *email)
{
	return callsync_hash64(5, email->text + email->local_len, (size_t) (email->len - email->local_len));
}

/* Letters and digits of a local part apart: a slip in the digits is another mailbox. */
static void
take_apart(const CallsyncEmail *e, uint16_t *letters, int *nletters, char *digits, int *ndigits, int max)
{
	char		folded[CALLSYNC_EMAIL_MAX + 1];
	size_t		n = callsync_fold_tight(e->text, (size_t) e->local_len, folded, sizeof(folded));
	size_t		i = 0;

	*nletters = *ndigits = 0;
	while (i < n)
	{
		uint32_t	cp;

		i += (size_t) callsync_utf8_next(folded + i, n - i, &cp);
		if (cp >= '0' && cp <= '9')
		{
			if (*ndigits < max)
				digits[(*ndigits)++] = (char) cp;
		}
		else if (*nletters < max)
			letters[(*nletters)++] = (uint16_t) (cp > 0xFFFF ? 0xE000 + cp % 0x1900 : cp);
	}
}

/* How long the domain is without its last label. */
static int
name_of_domain(const CallsyncEmail *e)
{
	int			n = e->len;

	while (n > e->local_len && e->text[n - 1] != '.')
		n--;
	return n > e->local_len + 1 ? n - e->local_len - 2 : 0;
}

/*
 * Is the shorter number the longer one with a digit lost?  Short numbers count
 * people of one name (ann2, ann12); in long ones, years and lines, a digit may
 * have gone missing on the way.
 */
static bool
digit_lost(const char *longer, int nlonger, const char *shorter, int nshorter)
{
	int			same = 0;

	if (nlonger != nshorter + 1 || nshorter < 3)
		return false;
	while (same < nshorter && longer[same] == shorter[same])
		same++;
	return memcmp(longer + same + 1, shorter + same, (size_t) (nshorter - same)) == 0;
}

/* Two neighbouring digits of a long number changed places. */
static bool
digits_swapped(const char *a, const char *b, int n)
{
	int			i = 0;

	if (n < 4)
		return false;
	while (i < n && a[i] == b[i])
		i++;
	return i + 1 < n && a[i] == b[i + 1] && a[i + 1] == b[i] && memcmp(a + i + 2, b + i + 2, (size_t) (n - i - 2)) == 0;
}

/* Nothing differs but one place, where one has a letter and the other a digit: no two people's choice. */
static bool
one_letter_for_digit(const CallsyncEmail *a, const CallsyncEmail *b)
{
	int			found = 0;

	for (int i = 0; i < a->local_len; i++)
	{
		bool		digit_a = a->text[i] >= '0' && a->text[i] <= '9';
		bool		digit_b = b->text[i] >= '0' && b->text[i] <= '9';

		if (a->text[i] == b->text[i])
			continue;
		if (digit_a == digit_b || ++found > 1)
			return false;
	}
	return found == 1;
}

static bool
domains_near(const CallsyncEmail *a, const CallsyncEmail *b)
{
	uint16_t	x[64];
	uint16_t	y[64];
	int			na = 0;
	int			nb = 0;

	for (int i = a->local_len + 1; i < a->len && na < 64; i++)
		x[na++] = (unsigned char) a->text[i];
	for (int i = b->local_len + 1; i < b->len && nb < 64; i++)
		y[nb++] = (unsigned char) b->text[i];
	if (callsync_edit_distance(x, na, y, nb, 2) <= (na < 8 || nb < 8 ? 1 : 2))
		return true;
	/* the same name under another top-level domain: "dot net" said or typed for "dot com" */
	na = name_of_domain(a);
	nb = name_of_domain(b);
	return na == nb && na >= 3 && memcmp(a->text + a->local_len + 1, b->text + b->local_len + 1, (size_t) na) == 0;
}

CallsyncEmailLevel
callsync_email_compare(const CallsyncEmail *call, const CallsyncEmail *contact)
{
	enum { MAX = 64 };
	uint16_t	la[MAX];
	uint16_t	lb[MAX];
	char		da[MAX];
	char		db[MAX];
	int			nla,
				nlb,
				nda,
				ndb;
	uint8_t		sa[CALLSYNC_SOUND_MAX];
	uint8_t		sb[CALLSYNC_SOUND_MAX];
	bool		local_same;
	bool		domain_same;
	bool		near = false;

	if (call->len == 0 || contact->len == 0)
		return CALLSYNC_EMAIL_MISSING;
	if (call->len == contact->len && memcmp(call->text, contact->text, (size_t) call->len) == 0)
		return CALLSYNC_EMAIL_EXACT;
	domain_same = strcmp(call->text + call->local_len, contact->text + contact->local_len) == 0;
	take_apart(call, la, &nla, da, &nda, MAX);
	take_apart(contact, lb, &nlb, db, &ndb, MAX);
	local_same = call->local_len == contact->local_len && memcmp(call->text, contact->text, (size_t) call->local_len) == 0;
	/* the same but for dots and dashes: as good as the same when it was heard */
	if (!local_same && nla == nlb && nda == ndb && memcmp(la, lb, (size_t) nla * sizeof(la[0])) == 0 && memcmp(da, db, (size_t) nda) == 0)
		near = true;
	if (local_same)
		return domains_near(call, contact) ? CALLSYNC_EMAIL_DOMAIN : CALLSYNC_EMAIL_LOCAL;
	if (!domain_same && !(near && domains_near(call, contact)))
		return CALLSYNC_EMAIL_NONE;
	if (!near && nda == ndb && memcmp(da, db, (size_t) nda) == 0)
	{
		int			longest = nla > nlb ? nla : nlb;
		int			edits = callsync_edit_distance(la, nla, lb, nlb, 2);

		near = (edits <= 1 && longest >= 4) || (edits <= 2 && longest >= 9);
		if (!near)
		{
			int			na = callsync_sound_encode(la, nla, sa, CALLSYNC_SOUND_MAX);
			int			nb = callsync_sound_encode(lb, nlb, sb, CALLSYNC_SOUND_MAX);

			near = longest >= 4 && callsync_sound_distance(sa, na, sb, nb) <= 0.12;
		}
	}
	if (!near && nla == nlb && nla >= 6 && memcmp(la, lb, (size_t) nla * sizeof(la[0])) == 0)
		near = nda == ndb ? digits_swapped(da, db, nda) : nda > ndb ? digit_lost(da, nda, db, ndb) : digit_lost(db, ndb, da, nda);
	if (!near && call->local_len == contact->local_len && nla + nda >= 6)
		near = one_letter_for_digit(call, contact);
	return near ? CALLSYNC_EMAIL_NEAR : CALLSYNC_EMAIL_NONE;
}
