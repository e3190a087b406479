/*
 * person.c
 *		Contacts and callers made comparable; see person.h.
 */
#include <string.h>

#include "core/fold.h"
#include "core/heard.h"
#include "core/person.h"
#include "core/phone.h"

/* What people and recognisers put before a postal code. */
static bool
is_lead(const char *word, size_t n)
{
	static const char *const leads[] = {
		"zip", "code", "zipcode", "postcode", "postal", "post", "plz", "postleitzahl", "cp", "cap", "codigo", "code", "cep", "my", "the", "is", "its", "it",
		"that", "thats", "um", "uh", "mein", "meine", "ist", "mi", "es", "mon", "est", "numero", "number", NULL
	};

	for (int i = 0; leads[i]; i++)
		if (strlen(leads[i]) == n && memcmp(leads[i], word, n) == 0)
			return true;
	return false;
}

typedef struct PostalText
{
	int			n;
	bool		digits;
	bool		letters;
	char	   *out;
} PostalText;

static void
put_postal(PostalText *p, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
	{
		char		c = s[i] >= 'a' && s[i] <= 'z' ? (char) (s[i] - 32) : s[i];

		if (c >= '0' && c <= '9')
			p->digits = true;
		else
			p->letters = true;
		if (p->n < CALLSYNC_POSTAL_MAX)
			p->out[p->n++] = c;
	}
}

int
callsync_postal_read(const char *text, size_t len, char out[CALLSYNC_POSTAL_MAX + 1])
{
	PostalText	p = {.out = out};
	CallsyncNumberRun run = {.n = 0};
	bool		lead = true;
	bool		hyphen = false;
	size_t		i = 0;
	int			n;

	out[0] = '\0';
	if (text == NULL)
		return 0;
	/* word by word: figures and letters as written, number words among them as figures */
	while (i < len)
	{
		char		word[32];
		size_t		start;
		size_t		k;
		int			value;
		CallsyncNumberKind kind;

#define IN_WORD(c) (((c) >= '0' && (c) <= '9') || ((c) >= 'A' && (c) <= 'Z') || ((c) >= 'a' && (c) <= 'z') || (c) == '\'' || (unsigned char) (c) >= 0x80)
		while (i < len && !IN_WORD(text[i]))
			hyphen |= text[i++] == '-';
		start = i;
		while (i < len && IN_WORD(text[i]))
			i++;
#undef IN_WORD
		k = callsync_fold_tight(text + start, i - start, word, sizeof(word));
		if (k == 0 || (lead && is_lead(word, k)))
			continue;
		lead = false;
		kind = callsync_number_word(word, k, &value);
		if (kind == CALLSYNC_NUMBER_NONE && run.n > 0 && k == 1 && word[0] == 'o')
			kind = CALLSYNC_NUMBER_UNIT, value = 0;
		if (kind != CALLSYNC_NUMBER_NONE)
			callsync_number_run_add(&run, kind, value);
		else
		{
			put_postal(&p, run.digits, (size_t) run.n);
			memset(&run, 0, sizeof(run));
			for (size_t c = 0; c < k; c++)
				if ((word[c] >= '0' && word[c] <= '9') || (word[c] >= 'a' && word[c] <= 'z'))
					put_postal(&p, word + c, 1);
		}
	}
	put_postal(&p, run.digits, (size_t) run.n);
	n = p.n;
	if (!p.digits)
		n = 0;
	/* country prefixes as in D-10115, and the four digits behind a ZIP code, which may have lost its zero */
	if (!p.letters && (n == 9 || (n == 8 && hyphen)))
		n -= 4;
	if (p.letters && n > 4)
	{
		int			k = 0;

		while (k < n && out[k] >= 'A' && out[k] <= 'Z')
			k++;
		if (k <= 2)
		{
			int			j = k;

			while (j < n && out[j] >= '0' && out[j] <= '9')
				j++;
			if (j == n && n - k >= 4 && hyphen)
			{
				memmove(out, out + k, (size_t) (n - k));
				n -= k;
				p.letters = false;
			}
		}
	}
	/* tables lose the zeros in front: 02138 and 2138 are one code */
	if (!p.letters)
		while (n > 3 && out[0] == '0')
			memmove(out, out + 1, (size_t) --n);
	out[n] = '\0';
	return n;
}

static void
add_email(CallsyncPerson *person, const CallsyncEmail *email)
{
	for (int i = 0; i < person->nemails; i++)
		if (strcmp(person->email[i].text, email->text) == 0)
			return;
	if (person->nemails < CALLSYNC_PERSON_EMAILS)
		person->email[person->nemails++] = *email;
}

/* Addresses in one cell, apart by comma, semicolon or white space; braces and quotes of arrays are ignored. */
static void
read_emails(CallsyncPerson *person, CallsyncText text)
{
	size_t		i = 0;
	CallsyncEmail email;

	if (text.s == NULL)
		return;
	while (i < text.n)
	{
		size_t		start;

		while (i < text.n && strchr(" \t\r\n,;{}[]\"|", text.s[i]) != NULL)
			i++;
		start = i;
		while (i < text.n && strchr(" \t\r\n,;{}[]\"|", text.s[i]) == NULL)
			i++;
		if (i > start && callsync_email_canonical(text.s + start, i - start, &email))
			add_email(person, &email);
	}
}

static void
add_lines(CallsyncPerson *person, CallsyncText text, int region)
{
	CallsyncLine lines[CALLSYNC_PERSON_LINES];
	int			n;

	if (text.s == NULL || text.n == 0)
		return;
	n = callsync_lines_read(text.s, text.n, region, lines, CALLSYNC_PERSON_LINES);
	for (int i = 0; i < n && person->nlines < CALLSYNC_PERSON_LINES; i++)
		person->line[person->nlines++] = lines[i];
}

void
callsync_person_contact(CallsyncPerson *person, const CallsyncContactText *text, int region)
{
	int			own = text->country.s ? callsync_country_region(text->country.s, text->country.n) : CALLSYNC_REGION_NONE;

	person->nlines = person->nemails = 0;
	person->spoken.n = 0;
	person->has_name = callsync_name_parse_parts(&person->name, text->first_name.s, text->first_name.n,
												 text->last_name.s, text->last_name.n);
	for (int i = 0; i < 3; i++)
		add_lines(person, text->phone[i], own != CALLSYNC_REGION_NONE ? own : region);
	read_emails(person, text->email);
	read_emails(person, text->other_emails);
	person->npostal = callsync_postal_read(text->postal_code.s, text->postal_code.n, person->postal);
}

void
callsync_person_call(CallsyncPerson *person, const CallsyncCallText *text, int region)
{
	CallsyncEmail email;
	char		heard[CALLSYNC_EMAIL_MAX + 8];
	size_t		n;

	person->nlines = person->nemails = 0;
	person->spoken.n = 0;
	person->has_name = text->name.s != NULL && callsync_name_parse(&person->name, text->name.s, text->name.n);
	if (!person->has_name)
		person->name.n = 0;
	if (text->phone.s != NULL)
		person->nlines = callsync_line_of_caller(text->phone.s, text->phone.n, region, &person->line[0]);
	if (text->spoken_phone.s != NULL)
	{
		char		digits[48];
		CallsyncLine line;

		n = callsync_heard_digits(text->spoken_phone.s, text->spoken_phone.n, digits, sizeof(digits));
		if (n > 0 && callsync_lines_read(digits, n, region, &line, 1) == 1)
			person->spoken = line;
	}
	if (text->email.s != NULL)
	{
		n = callsync_email_heard(text->email.s, text->email.n, heard, sizeof(heard));
		if (n > 0 && callsync_email_canonical(heard, n, &email))
			add_email(person, &email);
	}
	person->npostal = callsync_postal_read(text->postal_code.s, text->postal_code.n, person->postal);
}
