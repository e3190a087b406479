/*
 * name_test.c
 *		Folding, sounds, parsing and comparing names.
 */
#include <stdlib.h>

#include "core/fold.h"
#include "core/name.h"
#include "unit.h"

static CallsyncNick nick[64];
static CallsyncNicks nicks = {nick, 0};

static uint64_t
hash_of(const char *text)
{
	CallsyncWord w;

	callsync_word_set(&w, text, strlen(text));
	return w.hash;
}

static int
by_name(const void *a, const void *b)
{
	const CallsyncNick *x = a;
	const CallsyncNick *y = b;

	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	return x->other < y->other ? -1 : x->other > y->other;
}

static void
add_nick(const char *name, const char *other, float weight)
{
	nick[nicks.n++] = (CallsyncNick) {hash_of(name), hash_of(other), weight, other};
	nick[nicks.n++] = (CallsyncNick) {hash_of(other), hash_of(name), weight, name};
	qsort(nick, (size_t) nicks.n, sizeof(nick[0]), by_name);
}

static const char *
folded(const char *text)
{
	static char buf[256];
	size_t		n = callsync_fold(text, strlen(text), buf, sizeof(buf) - 1);

	buf[n] = '\0';
	return buf;
}

static void
fold(void)
{
	char		small[4];

	CHECK_STR(folded("Müller-Lüdenscheidt"), "muller ludenscheidt");
	CHECK_STR(folded("  Søren  Kierkegård "), "soren kierkegard");
	CHECK_STR(folded("Łukasz Żółć"), "lukasz zolc");
	CHECK_STR(folded("Straße ÆON Œuvre Þór"), "strasse aeon oeuvre thor");
	CHECK_STR(folded("O’Brien d'Aubigné"), "obrien daubigne");
	CHECK_STR(folded("Иван Щербаков"), "ivan shcherbakov");
	CHECK_STR(folded("Γιώργος Παπαδόπουλος"), "giorgos papadopoylos");
	CHECK_STR(folded("Jose\xcc\x81"), "jose");	/* combining acute */
	CHECK_STR(folded("ＡＢＣ１２３"), "abc123");
	CHECK_STR(folded("李 伟"), "李 伟");
	CHECK_STR(folded("İstanbul"), "istanbul");
	CHECK_STR(folded("مُحَمَّد"), "محمد");
	CHECK_STR(folded("カタカナ"), "かたかな");
	CHECK_STR(folded(""), "");
	CHECK_STR(folded("\xff\xfe"), "");
	/* never more than fits, never half a character */
	CHECK(callsync_fold("äöü", 6, small, 2) == 2);
	CHECK(callsync_fold("李李", 6, small, 4) == 3);
	CHECK(callsync_hash64(1, "abc", 3) == callsync_hash64(1, "abc", 3));
	CHECK(callsync_hash64(1, "abc", 3) != callsync_hash64(2, "abc", 3));
	/* stored: must never change */
	CHECK(callsync_hash64(7, "crm", 3) == UINT64_C(0x8645d7b507eec9cc));
}

static double
sound(const char *a, const char *b)
{
	CallsyncWord x;
	CallsyncWord y;

	callsync_word_set(&x, a, strlen(a));
	callsync_word_set(&y, b, strlen(b));
	return callsync_sound_distance(x.sound, x.nsound, y.sound, y.nsound);
}

static bool
same_key(const char *a, const char *b)
{
	CallsyncWord x;
	CallsyncWord y;
	char		ka[4];
	char		kb[4];
	int			na;
	int			nb;

	callsync_word_set(&x, a, strlen(a));
	callsync_word_set(&y, b, strlen(b));
	na = callsync_sound_key(x.sound, x.nsound, ka, 4);
	nb = callsync_sound_key(y.sound, y.nsound, kb, 4);
	return na == nb && memcmp(ka, kb, (size_t) na) == 0;
}

static void
sounds(void)
{
	static const char *const alike[][2] = {
		{"Smith", "Smyth"}, {"Smith", "Smythe"}, {"Philip", "Filip"}, {"Catherine", "Katherine"}, {"Meyer", "Maier"}, {"Schmidt", "Schmitt"},
		{"Reed", "Reid"}, {"Stephen", "Steven"}, {"Kowalski", "Kovalsky"}, {"Jürgen", "Yurgen"}, {"Wright", "Rite"}, {"Knight", "Night"},
		{"Geoffrey", "Jeffrey"}, {"Thompson", "Tomson"}, {"Johnston", "Johnson"}, {"Shawn", "Sean"}, {"Phillips", "Philips"}, {"Hughes", "Hues"},
		{"Petrov", "Petroff"}, {"Peters", "Petas"}
	};
	static const char *const unlike[][2] = {
		{"Smith", "Jones"}, {"Anna", "Robert"}, {"Kim", "Tom"}, {"Miller", "Wagner"}, {"Garcia", "Perez"}, {"Chen", "Wong"}
	};

	for (size_t i = 0; i < sizeof(alike) / sizeof(alike[0]); i++)
		if (!CHECK(sound(alike[i][0], alike[i][1]) <= 0.34))
			fprintf(stderr, "    %s %s %.3f\n", alike[i][0], alike[i][1], sound(alike[i][0], alike[i][1]));
	for (size_t i = 0; i < sizeof(unlike) / sizeof(unlike[0]); i++)
		CHECK(sound(unlike[i][0], unlike[i][1]) > 0.4);
	CHECK(sound("Smith", "Smith") == 0);
	CHECK(sound("Smith", "Smyth") == sound("Smyth", "Smith"));
	CHECK(same_key("Smith", "Smythe"));
	CHECK(same_key("Catherine", "Kathryn"));
	CHECK(same_key("Philips", "Fillips"));
	CHECK(!same_key("Smith", "Jones"));
	{
		const uint16_t a[] = {'a', 'b', 'c', 'd'};
		const uint16_t b[] = {'a', 'c', 'b', 'd'};

		CHECK(callsync_edit_distance(a, 4, b, 4, 3) == 1);
		CHECK(callsync_edit_distance(a, 4, b, 2, 3) == 2);
		CHECK(callsync_edit_distance(a, 4, b, 0, 3) == 4);
		CHECK(callsync_edit_distance(a, 0, b, 0, 3) == 0);
		CHECK(callsync_edit_distance(a, 4, a, 4, 0) == 0);
	}
}

/* "first/last" levels of a call's name against a contact's two columns */
static const char *
compare(const char *call, const char *first, const char *last)
{
	static char buf[64];
	CallsyncName a;
	CallsyncName b;
	CallsyncNameMatch m;

	callsync_name_parse(&a, call, strlen(call));
	callsync_name_parse_parts(&b, first, first ? strlen(first) : 0, last, last ? strlen(last) : 0);
	callsync_name_compare(&a, &b, &nicks, &m);
	snprintf(buf, sizeof(buf), "%s/%s%s%s", callsync_name_level(m.first), callsync_name_level(m.last),
			 m.swapped ? " swapped" : "", m.generation < 0 ? " conflict" : "");
	return buf;
}

static void
names(void)
{
	CHECK_STR(compare("John Smith", "John", "Smith"), "exact/exact");
	CHECK_STR(compare("JOHN SMITH", "john", "smith"), "exact/exact");
	CHECK_STR(compare("jon smyth", "John", "Smith"), "sound/sound");
	CHECK_STR(compare("Bob Smith", "Robert", "Smith"), "nick/exact");
	CHECK_STR(compare("Robert Smith", "Bob", "Smith"), "nick/exact");
	CHECK_STR(compare("Chris Jones", "Christopher", "Jones"), "nick/exact");	/* cut short, in no table */
	CHECK_STR(compare("J. Smith", "John", "Smith"), "initial/exact");
	CHECK_STR(compare("K. Smith", "John", "Smith"), "none/exact");
	CHECK_STR(compare("Smith John", "John", "Smith"), "exact/exact swapped");
	CHECK_STR(compare("Smith, John", "John", "Smith"), "exact/exact");
	/* one given name in the last place is no surname said first */
	CHECK_STR(compare("Diana John", "John", "Garcia"), "none/none");
	CHECK_STR(compare("Smith Diana", "Robert", "Smith"), "none/exact swapped");
	CHECK_STR(compare("Hanz Schäfa", "Hans", "Schäfer"), "sound/sound");
	CHECK_STR(compare("John", "John", "Smith"), "exact/missing");
	CHECK_STR(compare("Smith", "John", "Smith"), "missing/exact");
	CHECK_STR(compare("Mr. Smith", "John", "Smith"), "missing/exact");
	CHECK_STR(compare("Mr John Smith", "John", "Smith"), "exact/exact");
	CHECK_STR(compare("Dr. Maria Garcia", "Maria", "Garcia"), "exact/exact");
	CHECK_STR(compare("Frau Dr. Meier", "Eva", "Maier"), "missing/sound");
	CHECK_STR(compare("John Smith Jr.", "John", "Smith Sr"), "exact/exact conflict");
	CHECK_STR(compare("John Smith III", "John", "Smith"), "exact/exact");
	CHECK_STR(compare("John Smith Jr", "John", "Smith, Jr."), "exact/exact");
	CHECK_STR(compare("John Q. Smith", "John", "Smith"), "exact/exact");
	CHECK_STR(compare("Maria Garcia Lopez", "Maria", "Garcia"), "exact/partial");
	CHECK_STR(compare("Maria Garcia", "Maria", "García López"), "exact/partial");
	CHECK_STR(compare("Maria Garcia-Lopez", "Maria", "García López"), "exact/exact");
	CHECK_STR(compare("Jean Luc Picard", "Jean-Luc", "Picard"), "exact/exact");
	CHECK_STR(compare("Jeanluc Picard", "Jean-Luc", "Picard"), "exact/exact");
	CHECK_STR(compare("Ludwig Beethoven", "Ludwig", "van Beethoven"), "exact/exact");
	CHECK_STR(compare("Anna Delatour", "Anna", "de la Tour"), "exact/exact");
	CHECK_STR(compare("Sean O'Brien", "Sean", "OBrien"), "exact/exact");
	CHECK_STR(compare("Sean o brian", "Sean", "O'Brien"), "exact/sound");
	CHECK_STR(compare("Hans Mueller", "Hans", "Müller"), "exact/exact");
	CHECK_STR(compare("Hans Muller", "Hans", "Müller"), "exact/exact");
	CHECK_STR(compare("Soeren Oestergaard", "Søren", "Østergaard"), "exact/exact");
	CHECK_STR(compare("Ivan Petrov", "Иван", "Петров"), "exact/exact");
	CHECK_STR(compare("李 伟", "伟", "李"), "exact/exact swapped");
	CHECK_STR(compare("William Gates", "Bill (William)", "Gates"), "exact/exact");
	CHECK_STR(compare("my name is John Smith", "John", "Smith"), "exact/exact");
	CHECK_STR(compare("uh this is John Smith speaking", "John", "Smith"), "exact/exact");
	CHECK_STR(compare("me llamo Juan Pérez", "Juan", "Pérez"), "exact/exact");
	CHECK_STR(compare("John Smyth S M Y T H", "John", "Smyth"), "exact/exact");
	CHECK_STR(compare("John Smith, S-M-Y-T-H", "John", "Smyth"), "exact/exact");
	CHECK_STR(compare("Wei Li, L-I", "Wei", "Li"), "exact/exact");
	CHECK_STR(compare("M. Dupont", "Jean", "Dupont"), "missing/exact");
	CHECK_STR(compare("Mary Jones", "John", "Smith"), "none/none");
	CHECK_STR(compare("", "John", "Smith"), "missing/missing");
	CHECK_STR(compare("John Smith", NULL, "John Smith"), "exact/exact");
	CHECK_STR(compare("John Smith", "John Smith", NULL), "exact/exact");
	CHECK_STR(compare("Robert Miller", "J. Robert", "Miller"), "nick/exact");	/* known by the middle name */
	CHECK_STR(compare("Edwrad Anderson", "Edward", "Anderson"), "near/exact");
	/* the name of birth, in both directions */
	CHECK_STR(compare("Eva Schulz", "Eva", "Meier née Schulz"), "exact/exact");
	CHECK_STR(compare("Eva Meier", "Eva", "Meier, geb. Schulz"), "exact/exact");
	CHECK_STR(compare("Eva Schulz", "Eva", "Meier (Schulz)"), "exact/exact");
	CHECK_STR(compare("Eva Meier nee Schulz", "Eva", "Schulz"), "exact/exact");
	CHECK_STR(compare("Eva Vogel", "Eva", "Meier née Schulz"), "exact/none");
	/* in the wrong columns, and said so that no other order is meant, or by a short form */
	CHECK_STR(compare("Smith, John", "Smith", "John"), "exact/exact swapped");
	CHECK_STR(compare("Bob Smith", "Smith", "Robert"), "nick/exact swapped");
	CHECK_STR(compare("last name Smith first name John", "John", "Smith"), "exact/exact");
	CHECK_STR(compare("Vorname Hans Nachname Meier", "Hans", "Meier"), "exact/exact");
	CHECK_STR(compare("first name last name", "John", "Smith"), "none/none");
	CHECK_STR(compare("Yusuf Al-Saye, A L S A Y E D", "Yusuf", "al-Sayed"), "exact/exact");
	CHECK_STR(compare("Maryjones", "Mary", "Jones"), "exact/exact");
	CHECK_STR(compare("Mary Jones", NULL, "maryjones"), "exact/exact");
}

static double
similarity(const char *a, const char *b)
{
	CallsyncName x;
	CallsyncName y;

	callsync_name_parse(&x, a, strlen(a));
	callsync_name_parse(&y, b, strlen(b));
	return callsync_name_similarity(&x, &y, &nicks);
}

static void
similarities(void)
{
	static const char *const pool[] = {
		"John Smith", "Jon Smyth", "Smith, John", "Bob Smith", "Robert Smith", "Dr. Robert Smith Jr.", "María García López", "Garcia Maria",
		"Jean-Luc Picard", "Ludwig van Beethoven", "", "X", "李 伟", "Anna", "O'Brien", "Sean o brian", "J. R. R. Tolkien", "Иван Петров"
	};
	int			n = (int) (sizeof(pool) / sizeof(pool[0]));

	for (int i = 0; i < n; i++)
		for (int k = 0; k < n; k++)
		{
			double		s = similarity(pool[i], pool[k]);

			CHECK(s >= 0 && s <= 1);
			CHECK(s == similarity(pool[k], pool[i]));
			if (i == k && pool[i][0] != '\0')
				CHECK(s > 0.999);
		}
	CHECK(similarity("John Smith", "Jon Smyth") > 0.85);
	CHECK(similarity("Bob Smith", "Robert Smith") > 0.9);
	CHECK(similarity("John Smith", "Smith John") > 0.9);
	CHECK(similarity("John Smith", "Mary Jones") < 0.5);
	CHECK(similarity("John Smith Jr", "John Smith Sr") < 0.85);
	/* a text without end must not hurt */
	{
		char		big[4096];

		memset(big, 'a', sizeof(big) - 1);
		big[sizeof(big) - 1] = '\0';
		CHECK(similarity(big, "John Smith") < 0.9);
		for (size_t i = 0; i < sizeof(big) - 1; i += 2)
			big[i] = ' ';
		CHECK(similarity(big, big) > 0.9);
	}
}

int
main(void)
{
	add_nick("robert", "bob", 0.95f);
	add_nick("william", "bill", 0.95f);
	fold();
	sounds();
	names();
	similarities();
	return unit_done("name");
}
