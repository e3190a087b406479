/*
 * email_test.c
 *		Mailboxes: identity, what was heard, comparison; and digits that were said.
 */
#include "core/email.h"
#include "core/heard.h"
#include "unit.h"

static const char *
canonical(const char *text)
{
	static CallsyncEmail e;

	return callsync_email_canonical(text, strlen(text), &e) ? e.text : "-";
}

static const char *
heard(const char *text)
{
	static char buf[300];
	size_t		n = callsync_email_heard(text, strlen(text), buf, sizeof(buf) - 1);

	buf[n] = '\0';
	return n ? buf : "-";
}

static const char *
digits(const char *text)
{
	static char buf[80];
	size_t		n = callsync_heard_digits(text, strlen(text), buf, sizeof(buf) - 1);

	buf[n] = '\0';
	return buf;
}

static const char *
compare(const char *a, const char *b)
{
	CallsyncEmail x;
	CallsyncEmail y;

	callsync_email_canonical(a, strlen(a), &x);
	callsync_email_canonical(b, strlen(b), &y);
	return callsync_email_level(callsync_email_compare(&x, &y));
}

int
main(void)
{
	CHECK_STR(canonical("John.Smith@Example.COM"), "john.smith@example.com");
	CHECK_STR(canonical("  john@example.com. "), "john@example.com");
	CHECK_STR(canonical("J.o.h.n.Smith+spam@GoogleMail.com"), "johnsmith@gmail.com");
	CHECK_STR(canonical("john.smith+x@example.com"), "john.smith@example.com");
	CHECK_STR(canonical("+x@example.com"), "+x@example.com");
	CHECK_STR(canonical("John Smith <john@example.com>"), "john@example.com");
	CHECK_STR(canonical("mailto:john@example.com?subject=hi"), "john@example.com");
	CHECK_STR(canonical("a@me.com"), "a@icloud.com");
	CHECK_STR(canonical("JÖRG@example.com"), "jörg@example.com");
	CHECK_STR(canonical("ŁUKASZ@example.com"), "łukasz@example.com");
	CHECK_STR(canonical("nobody"), "-");
	CHECK_STR(canonical("@example.com"), "-");
	CHECK_STR(canonical("a@"), "-");
	CHECK_STR(canonical("a@b@c.com"), "-");
	CHECK_STR(canonical("a b@c.com"), "-");
	CHECK_STR(canonical(""), "-");
	CHECK_STR(canonical("a@b.com, c@d.com"), "-");

	CHECK_STR(heard("jon dot smith at g mail dot com"), "jon.smith@gmail.com");
	CHECK_STR(heard("Jon.Smith@Gmail.com"), "jon.smith@gmail.com");
	CHECK_STR(heard(" sarah underscore lee at yahoo dot com"), "sarah_lee@yahoo.com");
	CHECK_STR(heard("john smith eighty two at hot mail dot com"), "johnsmith82@hotmail.com");
	CHECK_STR(heard("johnsmith nineteen eighty two at gmail dot com"), "johnsmith1982@gmail.com");
	CHECK_STR(heard("johnsmith two thousand five at gmail dot com"), "johnsmith2005@gmail.com");
	CHECK_STR(heard("j s m i t h at acme dash tools dot co dot uk"), "jsmith@acme-tools.co.uk");
	CHECK_STR(heard("my email is b as in boy, o, b at example dot org"), "bob@example.org");
	CHECK_STR(heard("yeah it's matt double u at example dot com"), "mattw@example.com");
	CHECK_STR(heard("pat at t mobile dot com"), "pat@tmobile.com");
	CHECK_STR(heard("anna period lopez at sign outlook period com thanks"), "anna.lopez@outlook.com");
	CHECK_STR(heard("juan punto perez arroba gmail punto com"), "juan.perez@gmail.com");
	CHECK_STR(heard("hans punkt meier unterstrich sieben klammeraffe web punkt de"), "hans.meier_7@web.de");
	CHECK_STR(heard("jean tiret luc arobase orange point fr"), "jean-luc@orange.fr");
	CHECK_STR(heard("jsmith at gmail"), "jsmith@gmail.com");
	CHECK_STR(heard("jsmith at acme com"), "jsmith@acme.com");
	CHECK_STR(heard("j smith @ gmail.com"), "jsmith@gmail.com");
	CHECK_STR(heard("john at gmail dotcom"), "john@gmail.com");
	/* hyphens that a transcript puts between words nobody joined */
	CHECK_STR(heard("justin dot dalson fifty-eight at gmail dot com."), "justin.dalson58@gmail.com");
	CHECK_STR(heard("mkhan one nine eighty-four at gmail dot com"), "mkhan1984@gmail.com");
	CHECK_STR(heard("j-o-h-n-n-y at example dot org"), "johnny@example.org");
	CHECK_STR(heard("anne-marie at example dot org"), "anne-marie@example.org");
	CHECK_STR(heard("a-b at example dot org"), "a-b@example.org");
	CHECK_STR(heard("bobby two oh five at example dot net"), "bobby205@example.net");
	CHECK_STR(heard("double o seven at example dot com"), "oo7@example.com");
	CHECK_STR(heard("double zero seven at example dot com"), "007@example.com");
	CHECK_STR(heard("no idea"), "-");
	CHECK_STR(heard("at dot com"), "-");
	CHECK_STR(heard(""), "-");
	CHECK_STR(heard("   "), "-");

	CHECK_STR(digits("eight two eight, 934, five one five two"), "8289345152");
	CHECK_STR(digits("plus four four, seven nine double one"), "+447911");
	CHECK_STR(digits("five five five oh one two three"), "5550123");
	CHECK_STR(digits("eight hundred five five five twelve thirty four"), "8005551234");
	CHECK_STR(digits("zero sei uno due tre"), "06123");
	CHECK_STR(digits("null eins sieben sechs zweiundvierzig"), "017642");
	CHECK_STR(digits("zéro six quatre-vingt-dix-sept soixante douze"), "069772");
	CHECK_STR(digits("+1 (206) 555-0100 ext. 5"), "+12065550100");
	CHECK_STR(digits("two oh six triple five for three to one"), "2065554321");
	CHECK_STR(digits("call me"), "");

	CHECK_STR(compare("a.b@x.com", "A.B@x.com"), "exact");
	CHECK_STR(compare("john.smith@gmail.com", "johnsmith@gmail.com"), "exact");
	CHECK_STR(compare("john.smith@gmial.com", "john.smith@gmail.com"), "near");	/* dots count at an unknown domain */
	CHECK_STR(compare("johnsmith@gmial.com", "johnsmith@gmail.com"), "domain");
	CHECK_STR(compare("johnsmith@acme.co", "johnsmith@acme.com"), "domain");
	CHECK_STR(compare("jonsmyth82@yahoo.com", "johnsmith82@yahoo.com"), "near");
	CHECK_STR(compare("johnsmith82@yahoo.com", "johnsmith83@yahoo.com"), "none");
	/* numbers tell people of one name apart; only a long one is misheard rather than another */
	CHECK_STR(compare("person5@example.com", "person25@example.com"), "none");
	CHECK_STR(compare("person25@example.com", "person5@example.com"), "none");
	CHECK_STR(compare("person25@example.com", "person125@example.com"), "none");
	CHECK_STR(compare("person@example.com", "person2@example.com"), "none");
	CHECK_STR(compare("johnsmith1982@example.com", "johnsmith182@example.com"), "near");
	CHECK_STR(compare("johnsmith1982@example.com", "johnsmith2183@example.com"), "none");
	CHECK_STR(compare("johnsmith1982@example.com", "johnsmith275@example.com"), "none");
	CHECK_STR(compare("johnsmith1982@example.com", "johnsmith1928@example.com"), "near");
	CHECK_STR(compare("johnsmith82@example.com", "johnsmith28@example.com"), "none");
	CHECK_STR(compare("johnsmith198e@example.com", "johnsmith1983@example.com"), "near");
	CHECK_STR(compare("johnsmith@acme.net", "johnsmith@acme.com"), "domain");
	CHECK_STR(compare("johnsmith@acme.co.uk", "johnsmith@acme.com"), "local");
	CHECK_STR(compare("johnsmith@yahoo.com", "johnsmith@acme.com"), "local");
	CHECK_STR(compare("mary@yahoo.com", "johnsmith@acme.com"), "none");
	return unit_done("email");
}
