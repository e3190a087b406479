/*
 * phone_parity_test.c
 *		Row by row, column by column: what we say about a phone number and what
 *		google-libphonenumber says.
 *
 * Reads COPY text with a header, plain or .gz: test/data/phone-corpus.tsv.gz (committed),
 * ../shared/phone/parity-public.tsv.gz (skipped, and said so, where it is absent), or the
 * files named as arguments. Rows listed in test/data/phone-parity-exceptions.tsv (raw,
 * region, reason) may differ.
 */
#include <stdlib.h>

#include "core/phone.h"
#include "unit.h"

#define COLUMNS 23
#define SHOWN 20

typedef struct Exception
{
	char	   *raw;
	char	   *region;
} Exception;

static Exception exceptions[16];
static int	exception_count;

static const char *const names[COLUMNS] = {
	"raw", "region", "result", "country_code", "nsn", "national_number", "italian_leading_zero", "leading_zeros", "extension", "e164",
	"national", "international", "rfc3966", "possible", "is_valid", "type", "region_code", "country_code_source", "carrier_code",
	"short_possible", "short_valid", "short_cost", "emergency"
};

/* Cuts a line at its tabs; returns the number of fields. */
static int
split(char *line, char *fields[COLUMNS])
{
	int			n = 0;

	line[strcspn(line, "\n")] = '\0';
	for (char *p = line; p != NULL && n < COLUMNS; n++)
	{
		fields[n] = p;
		p = strchr(p, '\t');
		if (p != NULL)
			*p++ = '\0';
	}
	return n;
}

/* Undoes the escapes of COPY text. */
static size_t
unescape(const char *from, char *to)
{
	size_t		n = 0;

	for (; *from != '\0'; from++)
	{
		if (*from != '\\' || from[1] == '\0')
		{
			to[n++] = *from;
			continue;
		}
		from++;
		to[n++] = *from == 't' ? '\t' : *from == 'n' ? '\n' : *from == 'r' ? '\r' : *from == 'b' ? '\b' : *from == 'f' ? '\f'
			: *from == 'v' ? '\v' : *from;
	}
	return n;
}

static char *
copy(const char *s)
{
	char	   *c = malloc(strlen(s) + 1);

	return strcpy(c, s);
}

static void
load_exceptions(void)
{
	FILE	   *f = fopen("test/data/phone-parity-exceptions.tsv", "r");
	static char line[4096];
	char	   *fields[COLUMNS];

	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL && exception_count < 16)
	{
		if (line[0] == '#' || split(line, fields) < 3)
			continue;
		exceptions[exception_count].raw = copy(fields[0]);
		exceptions[exception_count++].region = copy(fields[1]);
	}
	fclose(f);
	CHECK(exception_count <= 5);
}

static bool
is_exception(char **fields)
{
	for (int i = 0; i < exception_count; i++)
		if (strcmp(exceptions[i].raw, fields[0]) == 0 && strcmp(exceptions[i].region, fields[1]) == 0)
			return true;
	return false;
}

/* Our own row, in the form of the file. */
static void
answer(const char *raw, size_t len, const char *region_text, char out[COLUMNS][1100])
{
	int			region = callsync_region_lookup(region_text, strlen(region_text));
	CallsyncPhone p;
	CallsyncPhoneInfo info;
	CallsyncPhoneResult result = callsync_phone_parse(raw, len, region, &p);

	for (int i = 0; i < COLUMNS; i++)
		strcpy(out[i], "\\N");
	strcpy(out[2], callsync_phone_result_name(result));
	strcpy(out[22], callsync_phone_emergency(raw, len, region) ? "t" : "f");
	if (result != CALLSYNC_PHONE_OK)
		return;
	callsync_phone_info(p.country_code, p.nsn, p.nsn_len, &info);
	sprintf(out[3], "%d", p.country_code);
	strcpy(out[4], p.nsn);
	strcpy(out[5], p.nsn + p.leading_zeros);
	strcpy(out[6], p.leading_zeros > 0 ? "t" : "f");
	sprintf(out[7], "%d", p.leading_zeros);
	if (p.extension_len > 0)
		strcpy(out[8], p.extension);
	callsync_phone_format(p.country_code, p.nsn, p.nsn_len, p.extension, p.extension_len, CALLSYNC_STYLE_E164, out[9]);
	callsync_phone_format(p.country_code, p.nsn, p.nsn_len, p.extension, p.extension_len, CALLSYNC_STYLE_NATIONAL, out[10]);
	callsync_phone_format(p.country_code, p.nsn, p.nsn_len, p.extension, p.extension_len, CALLSYNC_STYLE_INTERNATIONAL, out[11]);
	callsync_phone_format(p.country_code, p.nsn, p.nsn_len, p.extension, p.extension_len, CALLSYNC_STYLE_RFC3966, out[12]);
	strcpy(out[13], callsync_phone_possible_name(info.possible));
	strcpy(out[14], info.valid ? "t" : "f");
	strcpy(out[15], callsync_phone_type_name(info.type));
	if (info.region >= 0)
		strcpy(out[16], callsync_region_id(info.region));
	if (region >= 0 || (len > 0 && raw[0] == '+'))
	{
		if (callsync_phone_source_name(p.source) != NULL)
			strcpy(out[17], callsync_phone_source_name(p.source));
		if (p.carrier_len > 0)
			strcpy(out[18], p.carrier);
	}
	if (region >= 0 && strcmp(region_text, callsync_region_id(region)) == 0)
	{
		CallsyncShortInfo s = callsync_phone_short(p.country_code, p.nsn, p.nsn_len, region);

		if (s.known)
		{
			strcpy(out[19], s.possible ? "t" : "f");
			strcpy(out[20], s.valid ? "t" : "f");
			strcpy(out[21], callsync_short_cost_name(s.cost));
		}
	}
}

/* Compares a file; returns false if it cannot be read. */
static bool
compare_file(const char *path, int least)
{
	static char line[65536],
				raw[65536],
				out[COLUMNS][1100],
				command[1200];
	char	   *fields[COLUMNS];
	FILE	   *f = fopen(path, "r");
	bool		packed = strlen(path) > 3 && strcmp(path + strlen(path) - 3, ".gz") == 0;
	int			rows = 0,
				differ = 0,
				excepted = 0;

	if (f == NULL)
		return false;
	if (packed)
	{
		fclose(f);
		snprintf(command, sizeof(command), "gzip -dc '%s'", path);
		f = popen(command, "r");
		if (f == NULL)
			return false;
	}
	while (fgets(line, sizeof(line), f) != NULL)
	{
		bool		same = true;

		if (split(line, fields) != COLUMNS)
		{
			fprintf(stderr, "%s: row %d has another number of columns\n", path, rows + 1);
			differ++;
			continue;
		}
		if (strcmp(fields[0], "raw") == 0 && strcmp(fields[1], "region") == 0)
			continue;
		rows++;
		answer(raw, unescape(fields[0], raw), fields[1], out);
		for (int i = 2; i < COLUMNS; i++)
		{
			if (strcmp(out[i], fields[i]) == 0)
				continue;
			same = false;
			if (differ < SHOWN && !is_exception(fields))
				fprintf(stderr, "\"%s\" (%s): %s is \"%s\", the reference has \"%s\"\n", fields[0], fields[1], names[i], out[i], fields[i]);
		}
		if (!same && is_exception(fields))
			excepted++;
		else if (!same)
			differ++;
	}
	if (packed)
		pclose(f);
	else
		fclose(f);
	printf("phone_parity: %s: %d rows, %d differ, %d excepted\n", path, rows, differ, excepted);
	CHECK(rows >= least);
	CHECK(differ == 0);
	return true;
}

int
main(int argc, char **argv)
{
	load_exceptions();
	for (int i = 1; i < argc; i++)
		CHECK(compare_file(argv[i], 1));
	if (argc == 1)
	{
		CHECK(compare_file("test/data/phone-corpus.tsv.gz", 1000));
		if (!compare_file("../shared/phone/parity-public.tsv.gz", 20000))
			printf("phone_parity_public: 0 passed, 0 failed, 1 skipped: ../shared/phone/parity-public.tsv.gz is absent\n");
	}
	return unit_done("phone_parity");
}
