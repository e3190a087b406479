/*
 * line_test.c
 *		Phone lines in CRM cells, countries as CRMs have them, postal codes as
 *		they are said.
 */
#include "core/line.h"
#include "core/person.h"
#include "core/phone.h"
#include "unit.h"

static int
region(const char *id)
{
	return id ? callsync_region_lookup(id, strlen(id)) : CALLSYNC_REGION_NONE;
}

/* the lines in a cell: digits, with ? where the country is not known */
static const char *
lines(const char *cell, const char *in)
{
	static char buf[256];
	CallsyncLine l[6];
	int			n = callsync_lines_read(cell, strlen(cell), region(in), l, 6);

	buf[0] = '\0';
	for (int i = 0; i < n; i++)
		snprintf(buf + strlen(buf), sizeof(buf) - strlen(buf), "%s%s%.*s", i ? " " : "", l[i].code ? "+" : "?", l[i].n, l[i].digits);
	return buf;
}

static const char *
postal(const char *text)
{
	static char out[CALLSYNC_POSTAL_MAX + 1];

	(void) callsync_postal_read(text, strlen(text), out);
	return out;
}

static const char *
compare(const char *a, const char *in_a, const char *b, const char *in_b)
{
	CallsyncLine x;
	CallsyncLine y;

	memset(&x, 0, sizeof(x));
	memset(&y, 0, sizeof(y));
	callsync_lines_read(a, strlen(a), region(in_a), &x, 1);
	callsync_lines_read(b, strlen(b), region(in_b), &y, 1);
	return callsync_line_level(callsync_line_compare(&x, &y, true));
}

static const char *
country(const char *text)
{
	int			r = callsync_country_region(text, strlen(text));

	return r == CALLSYNC_REGION_NONE ? "-" : callsync_region_id(r);
}

static const char *
caller(const char *text, const char *in)
{
	static char buf[32];
	CallsyncLine l;

	if (!callsync_line_of_caller(text, strlen(text), region(in), &l))
		return "-";
	snprintf(buf, sizeof(buf), "%s%.*s", l.code ? "+" : "?", l.n, l.digits);
	return buf;
}

int
main(void)
{
	CHECK_STR(lines("(206) 555-0100", "US"), "+12065550100");
	CHECK_STR(lines("(206) 555-0100", NULL), "?2065550100");
	/* begins like the country's code by chance, and is no number there */
	CHECK_STR(lines("(343) 515-8663", "ES"), "?3435158663");
	CHECK_STR(lines("206-555-0100 ext. 12", "US"), "+12065550100");
	CHECK_STR(lines("206-555-0100 x12", "US"), "+12065550100");
	CHECK_STR(lines("206-555-0100 after 5pm", "US"), "+12065550100");
	CHECK_STR(lines("cell: 206-555-0100 (wife's)", "US"), "+12065550100");
	CHECK_STR(lines("206-555-0100 / 206-555-0101", "US"), "+12065550100 +12065550101");
	CHECK_STR(lines("206-555-0100, +44 20 7946 0958", "US"), "+12065550100 +442079460958");
	CHECK_STR(lines("030/901820", "DE"), "+4930901820");
	CHECK_STR(lines("tel:+1-206-555-0100;ext=7", NULL), "+12065550100");
	CHECK_STR(lines("001 206 555 0100", NULL), "+12065550100");
	CHECK_STR(lines("+44 (0)20 7946 0958", NULL), "+442079460958");
	CHECK_STR(lines("+48 (0)781 208 461", NULL), "+48781208461");
	CHECK_STR(lines("020 7946 0958", "US"), "?2079460958");	/* no number of the assumed country */
	CHECK_STR(lines("n/a", "US"), "");
	CHECK_STR(lines("", "US"), "");
	CHECK_STR(lines("12345", "US"), "");

	CHECK_STR(compare("+12065550100", NULL, "(206) 555-0100", "US"), "line");
	CHECK_STR(compare("+12065550100", NULL, "(206) 555-0100", NULL), "suffix");
	CHECK_STR(compare("+442079460958", NULL, "020 7946 0958", NULL), "suffix");
	CHECK_STR(compare("+442079460958", NULL, "020 7946 0958", "US"), "suffix");
	CHECK_STR(compare("2065550100", NULL, "1-206-555-0100", NULL), "suffix");
	CHECK_STR(compare("+12065550100", NULL, "+442065550100", NULL), "none");
	CHECK_STR(compare("+12065550100", NULL, "+12065550101", NULL), "near");
	CHECK_STR(compare("+12065550100", NULL, "+12065551000", NULL), "near");
	CHECK_STR(compare("+12065550100", NULL, "+1206555010", NULL), "near");
	CHECK_STR(compare("+12065550100", NULL, "+12125550199", NULL), "none");
	CHECK_STR(compare("5550100", NULL, "+12065550100", NULL), "none");	/* seven digits are no proof */

	CHECK_STR(caller("+12065550100", NULL), "+12065550100");
	CHECK_STR(caller("sip:+12065550100@pbx.example.com", NULL), "+12065550100");
	CHECK_STR(caller("anonymous", "US"), "-");
	CHECK_STR(caller("+266696687", "US"), "-");
	CHECK_STR(caller("2065550100", NULL), "?2065550100");

	CHECK_STR(country("US"), "US");
	CHECK_STR(country("usa"), "US");
	CHECK_STR(country("United States of America"), "US");
	CHECK_STR(country("Deutschland"), "DE");
	CHECK_STR(country("Österreich"), "AT");
	CHECK_STR(country("Côte d'Ivoire"), "CI");
	CHECK_STR(country("UK"), "GB");
	CHECK_STR(country("nowhere"), "-");
	CHECK_STR(country(""), "-");

	CHECK_STR(postal("94105"), "94105");
	CHECK_STR(postal("94105-1234"), "94105");
	CHECK_STR(postal("SW1A 1AA"), "SW1A1AA");
	CHECK_STR(postal("sw1a1aa"), "SW1A1AA");
	CHECK_STR(postal("D-10115"), "10115");
	CHECK_STR(postal("zip code 94105"), "94105");
	CHECK_STR(postal("it's 94105"), "94105");
	CHECK_STR(postal("my postcode is M1 1JY"), "M11JY");
	CHECK_STR(postal("S W one A 1 A A"), "SW1A1AA");
	CHECK_STR(postal("nine four one oh five"), "94105");
	CHECK_STR(postal("nineteen three four nine"), "19349");
	/* a table program took the zero for a number's */
	CHECK_STR(postal("02138"), "2138");
	CHECK_STR(postal("2138"), "2138");
	CHECK_STR(postal("3506-1470"), "3506");
	CHECK_STR(postal("0800"), "800");
	CHECK_STR(postal("000"), "000");
	CHECK_STR(postal("no idea"), "");
	CHECK_STR(postal("zip code"), "");
	CHECK_STR(postal(""), "");
	return unit_done("line");
}
