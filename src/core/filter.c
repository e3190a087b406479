/*
 * filter.c
 *		The table of filters and their dispatch, see filter.h.
 *
 * Adding one: a function of FilterJob in the file of its kind and a line below.
 */
#include "core/filter_impl.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/caller_id.h"
#include "core/crypto.h"

bool
callsync_filter_text(FilterJob *job)
{
	job->result.kind = CALLSYNC_VALUE_TEXT;
	job->result.s = job->out.buf;
	job->result.len = job->out.need;
	return true;
}

bool
callsync_filter_fail(FilterJob *job, const char *error)
{
	job->error = error;
	return false;
}

/* ---- phones ---- */

typedef enum PhoneForm
{
	FORM_E164,					/* +15551234567 */
	FORM_DIGITS,				/* 15551234567 */
	FORM_NATIONAL_DIGITS,		/* 5551234567 */
	FORM_NATIONAL,				/* (555) 123-4567 */
	FORM_INTERNATIONAL,			/* +1 555-123-4567 */
	FORM_LAST7					/* 1234567 */
} PhoneForm;

/* Through the caller-id layer: what a caller field holds may be a SIP URI or no number at all. */
static bool
phone(FilterJob *job, PhoneForm form)
{
	CallsyncCallerId id;
	char		text[CALLSYNC_PHONE_FORMAT_MAX];
	const char *region = job->arg;
	int			n;

	if (region == NULL && job->env != NULL)
		region = job->env->region;
	callsync_caller_id(job->s, job->len,
					   region ? callsync_region_lookup(region, strlen(region)) : CALLSYNC_REGION_NONE, &id);
	if (id.kind == CALLSYNC_CALLER_WITHHELD)
		return callsync_filter_fail(job, "is a withheld number");
	if (id.kind != CALLSYNC_CALLER_NUMBER)
		return callsync_filter_fail(job, "is not a phone number");
	if (form == FORM_NATIONAL_DIGITS || form == FORM_LAST7)
	{
		const char *nsn = id.phone.nsn;

		n = id.phone.nsn_len;
		if (form == FORM_LAST7 && n > 7)
		{
			nsn += n - 7;
			n = 7;
		}
		filter_put(&job->out, nsn, (size_t) n);
		return callsync_filter_text(job);
	}
	n = callsync_phone_format(id.phone.country_code, id.phone.nsn, id.phone.nsn_len, "", 0,
							  form == FORM_NATIONAL ? CALLSYNC_STYLE_NATIONAL :
							  form == FORM_INTERNATIONAL ? CALLSYNC_STYLE_INTERNATIONAL : CALLSYNC_STYLE_E164, text);
	if (form == FORM_DIGITS)
		filter_put(&job->out, text + 1, (size_t) n - 1);
	else
		filter_put(&job->out, text, (size_t) n);
	return callsync_filter_text(job);
}

static bool
f_e164(FilterJob *job)
{
	return phone(job, FORM_E164);
}

static bool
f_phone_digits(FilterJob *job)
{
	return phone(job, FORM_DIGITS);
}

static bool
f_national_digits(FilterJob *job)
{
	return phone(job, FORM_NATIONAL_DIGITS);
}

static bool
f_national(FilterJob *job)
{
	return phone(job, FORM_NATIONAL);
}

static bool
f_international(FilterJob *job)
{
	return phone(job, FORM_INTERNATIONAL);
}

static bool
f_last7(FilterJob *job)
{
	return phone(job, FORM_LAST7);
}

/* ---- types ---- */

static bool
f_text(FilterJob *job)
{
	filter_put(&job->out, job->s, job->len);
	return callsync_filter_text(job);
}

/* "1,234.50" and " 17 " are numbers, "12 May" is none; commas only as thousands. */
static bool
parse_number(const char *s, size_t len, double *number, bool *integral, int64_t *integer)
{
	char		buf[64];
	size_t		n = 0;
	size_t		group = 0;
	bool		commas = false;
	bool		point = false;
	char	   *end;

	while (len > 0 && *s == ' ')
		s++, len--;
	while (len > 0 && s[len - 1] == ' ')
		len--;
	if (len == 0 || len >= sizeof(buf))
		return false;
	for (size_t i = 0; i < len; i++)
	{
		char		c = s[i];

		if (c == ',')
		{
			if (point || group == 0 || group > 3 || (commas && group != 3))
				return false;
			commas = true;
			group = 0;
			continue;
		}
		if (c == '.' || c == 'e' || c == 'E')
		{
			if (commas && !point && group != 3)
				return false;
			point = true;
		}
		else if (c >= '0' && c <= '9')
			group++;
		else if (!((c == '-' || c == '+') && (i == 0 || s[i - 1] == 'e' || s[i - 1] == 'E')))
			return false;
		buf[n++] = c;
	}
	if (commas && !point && group != 3)
		return false;
	buf[n] = '\0';
	*integral = !point && n < 19;
	if (*integral)
	{
		*integer = strtoll(buf, &end, 10);
		*number = (double) *integer;
	}
	else
		*number = strtod(buf, &end);
	return end != buf && *end == '\0' && isfinite(*number);
}

bool
callsync_filter_number_of(FilterJob *job, double *number)
{
	bool		integral;
	int64_t		integer;

	switch (job->in.kind)
	{
		case CALLSYNC_VALUE_INT:
			*number = (double) job->in.i;
			return true;
		case CALLSYNC_VALUE_REAL:
			*number = job->in.r;
			return true;
		case CALLSYNC_VALUE_TEXT:
			if (parse_number(job->s, job->len, number, &integral, &integer))
				return true;
			break;
		default:
			break;
	}
	return callsync_filter_fail(job, "is not a number");
}

/* Whole numbers stay integers, so that 17 is sent as 17 and not as 17.0. */
static bool
put_number(FilterJob *job, double number)
{
	if (number == floor(number) && fabs(number) < 9e15)
	{
		job->result.kind = CALLSYNC_VALUE_INT;
		job->result.i = (int64_t) number;
	}
	else
	{
		job->result.kind = CALLSYNC_VALUE_REAL;
		job->result.r = number;
	}
	return true;
}

static bool
f_number(FilterJob *job)
{
	double		number;

	if (job->in.kind == CALLSYNC_VALUE_INT)
	{
		job->result = job->in;
		return true;
	}
	return callsync_filter_number_of(job, &number) && put_number(job, number);
}

/* As number, with a currency sign or code around it: "$1,200", "1200 EUR" */
static bool
f_money(FilterJob *job)
{
	static const char *const signs[] = {"$", "\xE2\x82\xAC", "\xC2\xA3", "USD", "EUR", "GBP", "CAD", "AUD", "US$", NULL};
	const char *s = job->s;
	size_t		len = job->len;
	double		number;
	bool		integral;
	int64_t		integer;

	if (job->in.kind != CALLSYNC_VALUE_TEXT)
		return f_number(job);
	for (int i = 0; signs[i] != NULL; i++)
	{
		size_t		n = strlen(signs[i]);

		while (len > 0 && *s == ' ')
			s++, len--;
		while (len > 0 && s[len - 1] == ' ')
			len--;
		if (len > n && memcmp(s, signs[i], n) == 0)
			s += n, len -= n;
		else if (len > n && memcmp(s + len - n, signs[i], n) == 0)
			len -= n;
	}
	if (!parse_number(s, len, &number, &integral, &integer))
		return callsync_filter_fail(job, "is not an amount");
	return put_number(job, number);
}

static bool
f_int(FilterJob *job)
{
	double		number;

	if (job->in.kind == CALLSYNC_VALUE_INT)
	{
		job->result = job->in;
		return true;
	}
	if (!callsync_filter_number_of(job, &number))
		return false;
	if (fabs(number) > 9e15)
		return callsync_filter_fail(job, "is too large");
	job->result.kind = CALLSYNC_VALUE_INT;
	job->result.i = llround(number);
	return true;
}

static bool
f_bool(FilterJob *job)
{
	static const char *const yes[] = {"true", "t", "yes", "y", "1", "on", NULL};
	static const char *const no[] = {"false", "f", "no", "n", "0", "off", NULL};

	job->result.kind = CALLSYNC_VALUE_BOOL;
	if (job->in.kind == CALLSYNC_VALUE_BOOL)
	{
		job->result.b = job->in.b;
		return true;
	}
	for (int i = 0; i < 6; i++)
	{
		if (strlen(yes[i]) == job->len && strncasecmp(yes[i], job->s, job->len) == 0)
		{
			job->result.b = true;
			return true;
		}
		if (strlen(no[i]) == job->len && strncasecmp(no[i], job->s, job->len) == 0)
		{
			job->result.b = false;
			return true;
		}
	}
	return callsync_filter_fail(job, "is neither true nor false");
}

static bool
arithmetic(FilterJob *job, bool multiply)
{
	double		number;
	double		by = strtod(job->arg, NULL);

	if (!callsync_filter_number_of(job, &number))
		return false;
	return put_number(job, multiply ? number * by : number / by);
}

static bool
f_mul(FilterJob *job)
{
	return arithmetic(job, true);
}

static bool
f_div(FilterJob *job)
{
	return arithmetic(job, false);
}

static bool
f_ceil(FilterJob *job)
{
	double		number;

	return callsync_filter_number_of(job, &number) && put_number(job, ceil(number));
}

static bool
f_round(FilterJob *job)
{
	double		number;

	return callsync_filter_number_of(job, &number) && put_number(job, round(number));
}

static bool
f_default(FilterJob *job)
{
	if (job->in.kind != CALLSYNC_VALUE_NULL)
	{
		job->result = job->in;
		return true;
	}
	job->result.kind = CALLSYNC_VALUE_TEXT;
	job->result.s = job->arg;
	job->result.len = strlen(job->arg);
	return true;
}

/* ---- digests ---- */

static bool
f_sha256hex(FilterJob *job)
{
	uint8_t		digest[CALLSYNC_SHA256_LEN];
	char		hex[2 * CALLSYNC_SHA256_LEN + 1];

	callsync_sha256(job->s, job->len, digest);
	callsync_hex(digest, sizeof(digest), hex);
	filter_put(&job->out, hex, 2 * CALLSYNC_SHA256_LEN);
	return callsync_filter_text(job);
}

/* The name is "ARG:value": one key gives different ids for different objects. */
static bool
f_uuid5(FilterJob *job)
{
	char		stack[512];
	char	   *name = stack;
	size_t		arg_len = job->arg != NULL ? strlen(job->arg) + 1 : 0;
	char		uuid[37];

	if (arg_len + job->len > sizeof(stack))
		return callsync_filter_fail(job, "is too long for a key");
	if (arg_len > 0)
	{
		memcpy(name, job->arg, arg_len - 1);
		name[arg_len - 1] = ':';
	}
	memcpy(name + arg_len, job->s, job->len);
	callsync_uuid5(callsync_uuid_namespace, name, arg_len + job->len, uuid);
	filter_put(&job->out, uuid, 36);
	return callsync_filter_text(job);
}

static bool
f_base64(FilterJob *job)
{
	char		group[5];

	for (size_t i = 0; i < job->len; i += 3)
	{
		size_t		n = job->len - i < 3 ? job->len - i : 3;

		filter_put(&job->out, group, callsync_base64_encode(job->s + i, n, group));
	}
	return callsync_filter_text(job);
}

/* Never called: template_value.c does these, they take arrays and objects. */
static bool
f_structural(FilterJob *job)
{
	return callsync_filter_fail(job, "cannot be filtered here");
}

static const CallsyncFilter filters[] = {
	{"amp", callsync_filter_amp, FILTER_ARG_NONE, false, false},
	{"base64", f_base64, FILTER_ARG_NONE, false, false},
	{"bool", f_bool, FILTER_ARG_NONE, false, false},
	{"ceil", f_ceil, FILTER_ARG_NONE, false, false},
	{"count", f_structural, FILTER_ARG_NONE, false, false},
	{"criteria", callsync_filter_criteria, FILTER_ARG_NONE, false, false},
	{"date", callsync_filter_date, FILTER_ARG_ZONE, false, false},
	{"datetime", callsync_filter_datetime_sql, FILTER_ARG_ZONE, false, false},
	{"default", f_default, FILTER_ARG_TEXT, true, false},
	{"digits", callsync_filter_digits, FILTER_ARG_NONE, false, false},
	{"div", f_div, FILTER_ARG_NUMBER, false, false},
	{"e164", f_e164, FILTER_ARG_OPTIONAL, false, false},
	{"epoch_ms", callsync_filter_epoch_ms, FILTER_ARG_NONE, false, false},
	{"epoch_s", callsync_filter_epoch_s, FILTER_ARG_NONE, false, false},
	{"first", f_structural, FILTER_ARG_NONE, false, false},
	{"first_name", callsync_filter_first_name, FILTER_ARG_NONE, false, false},
	{"hh:mm", callsync_filter_hhmm, FILTER_ARG_NONE, false, false},
	{"hh:mm:ss", callsync_filter_hhmmss, FILTER_ARG_NONE, false, false},
	{"html", callsync_filter_html, FILTER_ARG_NONE, false, false},
	{"ical", callsync_filter_ical, FILTER_ARG_NONE, false, false},
	{"int", f_int, FILTER_ARG_NONE, false, false},
	{"international", f_international, FILTER_ARG_OPTIONAL, false, false},
	{"iso8601", callsync_filter_iso8601_offset, FILTER_ARG_ZONE, false, false},
	{"iso8601ms", callsync_filter_iso8601ms, FILTER_ARG_NONE, false, false},
	{"iso8601z", callsync_filter_iso8601z, FILTER_ARG_NONE, false, false},
	{"join", f_structural, FILTER_ARG_OPTIONAL, false, false},
	{"json", f_structural, FILTER_ARG_NONE, false, false},
	{"jsonstr", callsync_filter_jsonstr, FILTER_ARG_NONE, false, false},
	{"last7", f_last7, FILTER_ARG_OPTIONAL, false, false},
	{"last_name", callsync_filter_last_name, FILTER_ARG_NONE, false, false},
	{"like", callsync_filter_like, FILTER_ARG_NONE, false, false},
	{"lower", callsync_filter_lower, FILTER_ARG_NONE, false, false},
	{"minutes", callsync_filter_minutes, FILTER_ARG_NONE, false, false},
	{"mm:ss", callsync_filter_mmss, FILTER_ARG_NONE, false, false},
	{"money", f_money, FILTER_ARG_NONE, false, false},
	{"ms", callsync_filter_ms, FILTER_ARG_NONE, false, false},
	{"mul", f_mul, FILTER_ARG_NUMBER, false, false},
	{"national", f_national, FILTER_ARG_OPTIONAL, false, false},
	{"national_digits", f_national_digits, FILTER_ARG_OPTIONAL, false, false},
	{"number", f_number, FILTER_ARG_NONE, false, false},
	{"odata", callsync_filter_odata, FILTER_ARG_NONE, false, false},
	{"phone_digits", f_phone_digits, FILTER_ARG_OPTIONAL, false, false},
	{"qa", f_structural, FILTER_ARG_OPTIONAL, false, false},
	{"plus", callsync_filter_plus, FILTER_ARG_PATH, false, false},
	{"raw", callsync_filter_raw, FILTER_ARG_NONE, false, true},
	{"round", f_round, FILTER_ARG_NONE, false, false},
	{"s", callsync_filter_s, FILTER_ARG_NONE, false, false},
	{"sha256hex", f_sha256hex, FILTER_ARG_NONE, false, true},
	{"since", callsync_filter_since, FILTER_ARG_PATH, false, false},
	{"slug", callsync_filter_slug, FILTER_ARG_NONE, false, true},
	{"soql", callsync_filter_soql, FILTER_ARG_NONE, false, false},
	{"sosl", callsync_filter_sosl, FILTER_ARG_NONE, false, false},
	{"strip_html", callsync_filter_strip_html, FILTER_ARG_NONE, false, false},
	{"text", f_text, FILTER_ARG_NONE, false, false},
	{"time", callsync_filter_time_hhmm, FILTER_ARG_ZONE, false, false},
	{"trim", callsync_filter_trim, FILTER_ARG_NONE, false, false},
	{"truncate", callsync_filter_truncate, FILTER_ARG_NUMBER, false, false},
	{"upper", callsync_filter_upper, FILTER_ARG_NONE, false, false},
	{"url", callsync_filter_url, FILTER_ARG_NONE, false, true},
	{"uuid5", f_uuid5, FILTER_ARG_OPTIONAL, false, true},
	{"xml", callsync_filter_xml, FILTER_ARG_NONE, false, false},
};

#define NFILTERS ((int) (sizeof(filters) / sizeof(filters[0])))

const CallsyncFilter *
callsync_filter_find(const char *name, size_t len)
{
	for (int i = 0; i < NFILTERS; i++)
		if (strlen(filters[i].name) == len && memcmp(filters[i].name, name, len) == 0)
			return &filters[i];
	return NULL;
}

const char *
callsync_filter_name(int n)
{
	return n >= 0 && n < NFILTERS ? filters[n].name : NULL;
}

bool
callsync_filter_check_arg(const CallsyncFilter *filter, const char *arg, const char **wanted)
{
	char	   *end;
	double		number;

	switch (filter->arg)
	{
		case FILTER_ARG_NONE:
			*wanted = "no argument";
			return arg == NULL;
		case FILTER_ARG_PATH:
			*wanted = "the path of another value";
			return arg != NULL && *arg != '\0';
		case FILTER_ARG_TEXT:
			*wanted = "an argument";
			return arg != NULL;
		case FILTER_ARG_NUMBER:
			*wanted = "a number greater than 0";
			if (arg == NULL)
				return false;
			number = strtod(arg, &end);
			return end != arg && *end == '\0' && isfinite(number) && number > 0;
		case FILTER_ARG_ZONE:
			*wanted = "no argument or \"utc\"";
			return arg == NULL || strcmp(arg, "utc") == 0;
		case FILTER_ARG_OPTIONAL:
			break;
	}
	return true;
}

const char *
callsync_filter_own_name(const CallsyncFilter *filter)
{
	return filter->name;
}

bool
callsync_filter_is_url_safe(const CallsyncFilter *filter)
{
	return filter->url_safe;
}

bool
callsync_filter_takes_path(const CallsyncFilter *filter)
{
	return filter->arg == FILTER_ARG_PATH;
}

bool
callsync_filter_is_structural(const CallsyncFilter *filter)
{
	return filter->fn == f_structural;
}

bool
callsync_filter_apply(const CallsyncFilterCall *call, const CallsyncEnv *env,
					  const CallsyncValue *in, CallsyncValue *out,
					  char *buf, size_t buf_size, size_t *need, const char **error)
{
	FilterJob	job = {.env = env, .arg = call->arg, .in = *in};

	*error = NULL;
	*need = 0;
	if (in->kind == CALLSYNC_VALUE_NULL && !call->filter->null_too)
	{
		*out = *in;
		return true;
	}
	switch (in->kind)
	{
		case CALLSYNC_VALUE_NULL:
			job.s = "";
			break;
		case CALLSYNC_VALUE_BOOL:
			job.s = in->b ? "true" : "false";
			job.len = strlen(job.s);
			break;
		case CALLSYNC_VALUE_INT:
			job.len = (size_t) snprintf(job.numbuf, sizeof(job.numbuf), "%" PRId64, in->i);
			job.s = job.numbuf;
			break;
		case CALLSYNC_VALUE_REAL:
			job.len = (size_t) snprintf(job.numbuf, sizeof(job.numbuf), "%.15g", in->r);
			job.s = job.numbuf;
			break;
		case CALLSYNC_VALUE_TEXT:
			job.s = in->s;
			job.len = in->len;
			break;
	}
	job.out.buf = buf;
	job.out.size = buf_size;
	if (!call->filter->fn(&job))
	{
		*error = job.error != NULL ? job.error : "does not fit";
		return false;
	}
	*need = job.out.need;
	if (job.out.need > buf_size)
		return false;
	*out = job.result;
	return true;
}
