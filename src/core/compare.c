/*
 * compare.c
 *		Sent against stored, field by field, see compare.h.
 *
 * Vendors rewrite what they store: time zones, trailing zeros, spelling of
 * booleans, trimmed blanks, lower-case addresses.  That is the same value.  A cut
 * text or another option is not, and people have to see it.
 */
#include "core/compare.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/connector_impl.h"
#include "core/mapping_impl.h"

const char *
callsync_field_state_name(CallsyncFieldState state)
{
	switch (state)
	{
		case CALLSYNC_FIELD_CONFIRMED:
			return "confirmed";
		case CALLSYNC_FIELD_ALTERED:
			return "altered";
		case CALLSYNC_FIELD_MISSING:
			return "missing";
		case CALLSYNC_FIELD_REJECTED:
			return "rejected";
		case CALLSYNC_FIELD_UNVERIFIED:
			return "unverified";
	}
	return "unverified";
}

typedef struct Compare
{
	const char *mode;			/* "compare" of the field, or NULL */
	int			type;			/* FieldType or -1 */
} Compare;

static const json_t *
spec_of(const CallsyncConnector *c, const char *object, const json_t *fields_spec, const char *field)
{
	return json_object_get(fields_spec, field) != NULL ? json_object_get(fields_spec, field) :
		json_object_get(callsync_connector_fields(c, object), field);
}

/* The connector's word on how to compare holds even where a describe gave the rest. */
static const char *
setting(const CallsyncConnector *c, const char *object, const json_t *fields_spec, const char *field, const char *key)
{
	const char *own = json_string_value(json_object_get(json_object_get(callsync_connector_fields(c, object), field), key));

	return own != NULL ? own : json_string_value(json_object_get(spec_of(c, object, fields_spec, field), key));
}

static bool
is_empty(const json_t *value)
{
	if (value == NULL || json_is_null(value))
		return true;
	if (json_is_string(value))
		return json_string_length(value) == 0;
	return (json_is_array(value) && json_array_size(value) == 0) || (json_is_object(value) && json_object_size(value) == 0);
}

static bool
as_number(const json_t *value, double *out)
{
	const char *s = json_string_value(value);
	char	   *end;

	if (json_is_number(value))
	{
		*out = json_number_value(value);
		return true;
	}
	if (s == NULL || *s == '\0')
		return false;
	*out = strtod(s, &end);
	return *end == '\0' && isfinite(*out);
}

static bool
as_bool(const json_t *value, bool *out)
{
	const char *s = json_string_value(value);

	if (json_is_boolean(value))
		*out = json_is_true(value);
	else if (json_is_integer(value) && (json_integer_value(value) == 0 || json_integer_value(value) == 1))
		*out = json_integer_value(value) == 1;
	else if (s != NULL && (strcasecmp(s, "true") == 0 || strcasecmp(s, "yes") == 0 || strcmp(s, "1") == 0))
		*out = true;
	else if (s != NULL && (strcasecmp(s, "false") == 0 || strcasecmp(s, "no") == 0 || strcmp(s, "0") == 0))
		*out = false;
	else
		return false;
	return true;
}

static bool
as_instant(const json_t *value, bool allow_date, int64_t *ms)
{
	const char *s = json_string_value(value);

	if (json_is_integer(value))
	{
		int64_t		v = json_integer_value(value);

		*ms = v >= INT64_C(100000000000) ? v : v * 1000;
		return true;
	}
	/* a stored time without zone is taken as UTC: what was sent carried one */
	return s != NULL && callsync_time_parse(s, strlen(s), NULL, allow_date, true, ms);
}

static bool
same_number(double a, double b)
{
	double		scale = fmax(fabs(a), fabs(b));

	return a == b || fabs(a - b) <= scale * 1e-9;
}

/* Text without tags, entities and repeated blanks */
static char *
plain_text(const char *s)
{
	CallsyncFilterCall strip = {callsync_filter_find("strip_html", 10), NULL};
	CallsyncValue in = {.kind = CALLSYNC_VALUE_TEXT, .s = s, .len = strlen(s)};
	CallsyncValue out;
	size_t		size = in.len + 1;
	char	   *buf = malloc(size);
	char	   *result;
	size_t		need;
	const char *error;
	size_t		n = 0;
	bool		blank = true;

	if (buf == NULL || !callsync_filter_apply(&strip, NULL, &in, &out, buf, size, &need, &error) ||
		(result = malloc(out.len + 1)) == NULL)
	{
		free(buf);
		return NULL;
	}
	for (size_t i = 0; i < out.len; i++)
	{
		unsigned char c = (unsigned char) out.s[i];
		bool		is_blank = c <= ' ' || (c == 0xC2 && i + 1 < out.len && (unsigned char) out.s[i + 1] == 0xA0);

		if (c == 0xC2 && is_blank)
			i++;				/* no-break space */
		if (!is_blank)
			result[n++] = (char) c;
		else if (!blank)
			result[n++] = ' ';
		blank = is_blank;
	}
	while (n > 0 && result[n - 1] == ' ')
		n--;
	result[n] = '\0';
	free(buf);
	return result;
}

static bool
same_digits(const char *a, const char *b)
{
	char		da[40];
	char		db[40];
	size_t		na = 0;
	size_t		nb = 0;

	for (; *a; a++)
		if (*a >= '0' && *a <= '9' && na < sizeof(da) - 1)
			da[na++] = *a;
	for (; *b; b++)
		if (*b >= '0' && *b <= '9' && nb < sizeof(db) - 1)
			db[nb++] = *b;
	if (na < 7 || nb < 7)
		return false;
	return na >= nb ? memcmp(da + na - nb, db, nb) == 0 : memcmp(db + nb - na, da, na) == 0;
}

/* Two texts; *reason says how they differ where they do */
static CallsyncFieldState
compare_text(const Compare *how, const char *sent, const char *stored, const char **reason)
{
	size_t		ns = strlen(sent);
	size_t		nt = strlen(stored);
	const char *a = sent;
	const char *b = stored;
	const char *mode = how->mode;

	if (strcmp(sent, stored) == 0)
		return CALLSYNC_FIELD_CONFIRMED;
	if (mode == NULL && how->type == FIELD_EMAIL)
		mode = "nocase";
	if (mode == NULL && how->type == FIELD_PHONE)
		mode = "phone";
	if (mode != NULL && strcmp(mode, "exact") != 0)
	{
		if (strcmp(mode, "time") == 0)
		{
			int			t[6] = {0};
			int			n1 = sscanf(sent, "%d:%d:%d", &t[0], &t[1], &t[2]);
			int			n2 = sscanf(stored, "%d:%d:%d", &t[3], &t[4], &t[5]);

			if (n1 >= 2 && n2 >= 2 && t[0] == t[3] && t[1] == t[4] && t[2] == t[5])
				return CALLSYNC_FIELD_CONFIRMED;
		}
		if (strcmp(mode, "nocase") == 0 && strcasecmp(sent, stored) == 0)
			return CALLSYNC_FIELD_CONFIRMED;
		if (strcmp(mode, "phone") == 0 && same_digits(sent, stored))
		{
			*reason = "formatted";
			return CALLSYNC_FIELD_CONFIRMED;
		}
		if (strcmp(mode, "contains") == 0 && nt > 0)
		{
			/* a reference that is read back as the bare id */
			for (size_t i = 0; i + nt <= ns; i++)
				if (strncasecmp(sent + i, stored, nt) == 0)
					return CALLSYNC_FIELD_CONFIRMED;
		}
		if (strcmp(mode, "html") == 0)
		{
			char	   *pa = plain_text(sent);
			char	   *pb = plain_text(stored);
			bool		same = pa != NULL && pb != NULL && strcmp(pa, pb) == 0;

			free(pa);
			free(pb);
			if (same)
			{
				*reason = "markup rewritten";
				return CALLSYNC_FIELD_CONFIRMED;
			}
		}
	}
	/* blanks at the ends and the kind of line end carry no meaning, unless the field says exact */
	if (mode == NULL || strcmp(mode, "exact") != 0)
	{
		while (*a && (unsigned char) *a <= ' ')
			a++, ns--;
		while (ns > 0 && (unsigned char) a[ns - 1] <= ' ')
			ns--;
		while (*b && (unsigned char) *b <= ' ')
			b++, nt--;
		while (nt > 0 && (unsigned char) b[nt - 1] <= ' ')
			nt--;
		{
			size_t		i = 0;
			size_t		k = 0;

			while (i < ns && k < nt)
			{
				if (a[i] == '\r' && i + 1 < ns && a[i + 1] == '\n')
					i++;
				if (b[k] == '\r' && k + 1 < nt && b[k + 1] == '\n')
					k++;
				if (a[i] != b[k])
					break;
				i++;
				k++;
			}
			if (i == ns && k == nt)
			{
				*reason = "trimmed";
				return CALLSYNC_FIELD_CONFIRMED;
			}
		}
	}
	if (nt > 0 && nt < ns && memcmp(a, b, nt) == 0)
		*reason = "truncated";
	else if (nt > 3 && nt < ns + 3 && memcmp(b + nt - 3, "...", 3) == 0 && memcmp(a, b, nt - 3) == 0)
		*reason = "truncated";
	else if (ns == nt && strncasecmp(a, b, ns) == 0)
		*reason = "case changed";
	else
		*reason = "another value";
	return CALLSYNC_FIELD_ALTERED;
}

/* Is everything that was sent in what is stored? (references come back with names added) */
static bool
is_subset(const json_t *sent, const json_t *stored)
{
	if (json_is_object(sent) && json_is_object(stored))
	{
		const char *key;
		json_t	   *value;

		json_object_foreach((json_t *) sent, key, value)
		{
			if (!is_subset(value, json_object_get(stored, key)))
				return false;
		}
		return true;
	}
	if (json_is_array(sent) && json_is_array(stored))
	{
		for (size_t i = 0; i < json_array_size(sent); i++)
		{
			bool		found = false;

			for (size_t k = 0; k < json_array_size(stored) && !found; k++)
				found = is_subset(json_array_get(sent, i), json_array_get(stored, k));
			if (!found)
				return false;
		}
		return true;
	}
	if (json_equal(sent, stored))
		return true;
	{
		TextBuf		a = {0};
		TextBuf		b = {0};
		bool		same = callsync_scalar_text(sent, &a) && callsync_scalar_text(stored, &b) && a.len == b.len &&
			(a.len == 0 || memcmp(a.data, b.data, a.len) == 0);

		callsync_text_free(&a);
		callsync_text_free(&b);
		return same;
	}
}

/* "a;b" and ["b","a"] hold the same choices */
static bool
same_choices(const json_t *sent, const json_t *stored)
{
	json_t	   *sets[2] = {json_object(), json_object()};
	const json_t *values[2] = {sent, stored};
	bool		same;

	for (int i = 0; i < 2; i++)
	{
		const char *s = json_string_value(values[i]);

		for (size_t k = 0; k < json_array_size(values[i]); k++)
		{
			TextBuf		text = {0};

			if (callsync_scalar_text(json_array_get(values[i], k), &text) && text.len > 0)
				json_object_set_new(sets[i], text.data, json_true());
			callsync_text_free(&text);
		}
		while (s != NULL && *s)
		{
			size_t		len = strcspn(s, ";,");
			const char *e = s + len;

			while (len > 0 && *s == ' ')
				s++, len--;
			while (len > 0 && s[len - 1] == ' ')
				len--;
			if (len > 0)
			{
				json_t	   *word = json_stringn(s, len);

				if (word != NULL)
					json_object_set_new(sets[i], json_string_value(word), json_true());
				json_decref(word);
			}
			s = *e ? e + 1 : e;
		}
	}
	same = json_equal(sets[0], sets[1]);
	json_decref(sets[0]);
	json_decref(sets[1]);
	return same;
}

static CallsyncFieldState
compare_value(const Compare *how, const json_t *sent, const json_t *stored, const char **reason)
{
	double		na;
	double		nb;
	bool		ba;
	bool		bb;
	int64_t		ta;
	int64_t		tb;
	TextBuf		a = {0};
	TextBuf		b = {0};
	CallsyncFieldState state;

	*reason = "";
	if (is_empty(sent))
	{
		if (is_empty(stored))
			return CALLSYNC_FIELD_CONFIRMED;
		*reason = "not cleared";
		return CALLSYNC_FIELD_ALTERED;
	}
	if (is_empty(stored))
	{
		*reason = "no value stored";
		return CALLSYNC_FIELD_MISSING;
	}
	if (json_equal(sent, stored))
		return CALLSYNC_FIELD_CONFIRMED;
	if (how->type == FIELD_MULTI)
	{
		if (same_choices(sent, stored))
			return CALLSYNC_FIELD_CONFIRMED;
		*reason = "other choices";
		return CALLSYNC_FIELD_ALTERED;
	}
	if (json_is_object(sent) || json_is_array(sent) || json_is_object(stored) || json_is_array(stored))
	{
		if (is_subset(sent, stored))
			return CALLSYNC_FIELD_CONFIRMED;
		/* an id sent bare and stored as {"id": ..., "name": ...} */
		if (json_is_object(stored) && is_subset(sent, json_object_get(stored, "id")))
			return CALLSYNC_FIELD_CONFIRMED;
		*reason = "another value";
		return CALLSYNC_FIELD_ALTERED;
	}
	switch (how->type)
	{
		case FIELD_NUMBER:
		case FIELD_INTEGER:
			if (as_number(sent, &na) && as_number(stored, &nb))
			{
				if (same_number(na, nb))
					return CALLSYNC_FIELD_CONFIRMED;
				*reason = fabs(na - nb) < 1 ? "rounded" : "another value";
				return CALLSYNC_FIELD_ALTERED;
			}
			break;
		case FIELD_BOOL:
			if (as_bool(sent, &ba) && as_bool(stored, &bb))
			{
				if (ba == bb)
					return CALLSYNC_FIELD_CONFIRMED;
				*reason = "another value";
				return CALLSYNC_FIELD_ALTERED;
			}
			break;
		case FIELD_DATE:
		case FIELD_DATETIME:
			if (as_instant(sent, true, &ta) && as_instant(stored, true, &tb))
			{
				if (ta == tb)
					return CALLSYNC_FIELD_CONFIRMED;
				if (how->type == FIELD_DATETIME && llabs((long long) (ta - tb)) < 1000)
				{
					*reason = "milliseconds dropped";
					return CALLSYNC_FIELD_CONFIRMED;
				}
				/* a date-only field shows midnight, or a time field the date alone */
				if (how->type == FIELD_DATE && ta / 86400000 == tb / 86400000)
					return CALLSYNC_FIELD_CONFIRMED;
				*reason = "another time";
				return CALLSYNC_FIELD_ALTERED;
			}
			break;
		case FIELD_ANY:
		case -1:
			/* the field's type is not known: what both sides look like */
			if (json_is_number(sent) && as_number(stored, &nb) && as_number(sent, &na) && same_number(na, nb))
				return CALLSYNC_FIELD_CONFIRMED;
			if (json_is_boolean(sent) && as_bool(stored, &bb) && as_bool(sent, &ba) && ba == bb)
				return CALLSYNC_FIELD_CONFIRMED;
			if (json_is_string(sent) && json_string_length(sent) >= 16 && as_instant(sent, false, &ta) &&
				as_instant(stored, false, &tb) && llabs((long long) (ta - tb)) < 1000)
				return CALLSYNC_FIELD_CONFIRMED;
			break;
		default:
			break;
	}
	callsync_scalar_text(sent, &a);
	callsync_scalar_text(stored, &b);
	state = compare_text(how, a.data ? a.data : "", b.data ? b.data : "", reason);
	callsync_text_free(&a);
	callsync_text_free(&b);
	return state;
}

int
callsync_compare_record(const CallsyncConnector *c, const CallsyncOp *read_op, const char *object,
						const json_t *fields_spec, const json_t *sent, const json_t *stored,
						CallsyncFieldResult *results, int max)
{
	int			n = 0;
	const char *field;
	json_t	   *value;

	json_object_foreach((json_t *) sent, field, value)
	{
		CallsyncFieldResult *r;
		const char *read_as = setting(c, object, fields_spec, field, "read_as");
		Compare		how;
		json_t	   *now;

		if (n++ >= max)
			continue;
		r = &results[n - 1];
		r->field = field;
		r->sent = value;
		r->reason = "";
		r->stored = NULL;
		if (stored == NULL)
		{
			r->state = CALLSYNC_FIELD_MISSING;
			r->reason = "the record was not found";
			continue;
		}
		how.mode = setting(c, object, fields_spec, field, "compare");
		how.type = callsync_field_type(json_string_value(json_object_get(spec_of(c, object, fields_spec, field), "type")));
		if (how.mode != NULL && strcmp(how.mode, "skip") == 0)
		{
			r->state = CALLSYNC_FIELD_UNVERIFIED;
			r->reason = "the destination does not show this field";
			continue;
		}
		now = json_object_get(stored, read_as ? read_as : field);
		if (now == NULL && !is_empty(value) && read_op != NULL && read_op->impl->absent_is_missing)
		{
			r->state = CALLSYNC_FIELD_MISSING;
			r->reason = CALLSYNC_COMPARE_ABSENT;
			continue;
		}
		if (now == NULL && !is_empty(value) && !(read_op != NULL && read_op->impl->absent_is_null))
		{
			r->state = CALLSYNC_FIELD_UNVERIFIED;
			r->reason = "the read does not show this field";
			continue;
		}
		r->stored = now;
		r->state = compare_value(&how, value, now, &r->reason);
	}
	return n;
}

static int
cmp_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

json_t *
callsync_compare_props(const CallsyncConnector *c, const char *object, const json_t *fields_spec, const json_t *sent)
{
	const char **names = malloc(sizeof(char *) * (json_object_size(sent) + 1));
	size_t		n = 0;
	json_t	   *list = json_array();
	const char *field;
	json_t	   *value;

	if (names == NULL)
		return list;
	json_object_foreach((json_t *) sent, field, value)
	{
		const char *mode = setting(c, object, fields_spec, field, "compare");
		const char *read_as = setting(c, object, fields_spec, field, "read_as");

		if (mode == NULL || strcmp(mode, "skip") != 0)
			names[n++] = read_as ? read_as : field;
	}
	qsort(names, n, sizeof(char *), cmp_names);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			json_array_append_new(list, json_string(names[i]));
	free(names);
	return list;
}
