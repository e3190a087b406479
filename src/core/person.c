/*
 * person.c
 *		Contacts and callers made comparable; see person.h.
 */
#include <string.h>

#include "core/fold.h"
#include "core/heard.h"
#include "core/person.h"
#include "core/phone.h"

int
callsync_postal_read(const char *text, size_t len, char out[CALLSYNC_POSTAL_MAX + 1])
{
	int			n = 0;
	bool		digits = false;
	bool		letters = false;

	out[0] = '\0';
	if (text == NULL)
		return 0;
	for (size_t i = 0; i < len; i++)
	{
		char		c = text[i];

		if (c >= 'a' && c <= 'z')
			c = (char) (c - 32);
		if (c >= '0' && c <= '9')
			digits = true;
		else if (c >= 'A' && c <= 'Z')
			letters = true;
		else
			continue;
		if (n < CALLSYNC_POSTAL_MAX)
			out[n++] = c;
	}
	/* said, not written */
	if (letters && !digits)
	{
		char		said[CALLSYNC_POSTAL_MAX + 1];
		size_t		k = callsync_heard_digits(text, len, said, CALLSYNC_POSTAL_MAX);

		if (k >= 3)
		{
			memcpy(out, said, k);
			n = (int) k;
			letters = false;
			digits = true;
		}
	}
	if (!digits)
		n = 0;
	/* country prefixes as in D-10115, and the four digits behind a ZIP code */
	if (!letters && n == 9)
		n = 5;
	if (letters && n > 4)
	{
		int			k = 0;

		while (k < n && out[k] >= 'A' && out[k] <= 'Z')
			k++;
		if (k <= 2)
		{
			int			j = k;

			while (j < n && out[j] >= '0' && out[j] <= '9')
				j++;
			if (j == n && n - k >= 4 && memchr(text, '-', len) != NULL)
			{
				memmove(out, out + k, (size_t) (n - k));
				n -= k;
			}
		}
	}
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
