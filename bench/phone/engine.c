/*
 * engine.c
 *		Times the phone engine over a corpus of lines "raw TAB region".
 *
 * Prints "NAME NANOSECONDS" per measure, best of several rounds: a round that another
 * process disturbed says nothing about the engine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/caller_id.h"
#include "core/phone.h"

typedef struct Row
{
	char	   *raw;
	size_t		len;
	char	   *region;
} Row;

static Row *rows;
static int	count;
static unsigned long sink;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void
full(const Row *r)
{
	CallsyncPhone p;
	CallsyncPhoneInfo info;
	char		buf[CALLSYNC_PHONE_FORMAT_MAX];

	if (callsync_phone_parse(r->raw, r->len, callsync_region_lookup(r->region, strlen(r->region)), &p) != CALLSYNC_PHONE_OK)
		return;
	sink += callsync_phone_format(p.country_code, p.nsn, p.nsn_len, "", 0, CALLSYNC_STYLE_E164, buf);
	callsync_phone_info(p.country_code, p.nsn, p.nsn_len, &info);
	sink += info.valid + info.type + info.region;
}

static void
parse_only(const Row *r)
{
	CallsyncPhone p;

	sink += callsync_phone_parse(r->raw, r->len, callsync_region_lookup(r->region, strlen(r->region)), &p);
}

static void
caller(const Row *r)
{
	CallsyncCallerId id;

	callsync_caller_id(r->raw, r->len, callsync_region_lookup(r->region, strlen(r->region)), &id);
	sink += id.kind;
}

static CallsyncPhone *parsed;
static int	parsed_count;

static void
four_styles(const CallsyncPhone *p)
{
	char		buf[CALLSYNC_PHONE_FORMAT_MAX];

	for (int s = CALLSYNC_STYLE_E164; s <= CALLSYNC_STYLE_RFC3966; s++)
		sink += callsync_phone_format(p->country_code, p->nsn, p->nsn_len, p->extension, p->extension_len, (CallsyncPhoneStyle) s, buf);
}

static void
measure(const char *name, void (*what) (const Row *))
{
	double		best = 1e18;

	for (int round = 0; round < 7; round++)
	{
		double		t = now();

		for (int i = 0; i < count; i++)
			what(&rows[i]);
		t = now() - t;
		if (t < best)
			best = t;
	}
	printf("%s %.1f\n", name, best / count);
}

int
main(int argc, char **argv)
{
	static char line[65536];
	FILE	   *f = fopen(argv[1], "r");
	int			room = 0;
	double		best = 1e18;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
	{
		char	   *tab = strchr(line, '\t');
		char	   *to;

		if (tab == NULL)
			continue;
		if (count == room)
			rows = realloc(rows, (room = room * 2 + 1024) * sizeof(Row));
		*tab = '\0';
		tab[1 + strcspn(tab + 1, "\n")] = '\0';
		to = rows[count].raw = malloc(tab - line + 1);
		for (char *p = line; *p != '\0'; p++)
		{
			if (*p == '\\' && p[1] != '\0')
			{
				p++;
				*to++ = *p == 't' ? '\t' : *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p;
			}
			else
				*to++ = *p;
		}
		rows[count].len = to - rows[count].raw;
		rows[count++].region = strcpy(malloc(strlen(tab + 1) + 1), tab + 1);
	}
	if (count == 0)
		return 1;
	measure("full", full);
	measure("parse", parse_only);
	measure("caller_id", caller);

	parsed = malloc(count * sizeof(CallsyncPhone));
	for (int i = 0; i < count; i++)
		if (callsync_phone_parse(rows[i].raw, rows[i].len, callsync_region_lookup(rows[i].region, strlen(rows[i].region)), &parsed[parsed_count]) == CALLSYNC_PHONE_OK)
			parsed_count++;
	for (int round = 0; round < 7; round++)
	{
		double		t = now();

		for (int i = 0; i < parsed_count; i++)
			four_styles(&parsed[i]);
		t = now() - t;
		if (t < best)
			best = t;
	}
	printf("four_styles %.1f\n", best / parsed_count);
	return sink == 0;
}
