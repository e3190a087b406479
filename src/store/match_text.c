/*
 * match_text.c
 *		A decision in words and JSON; see match_text.h.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/timestamp.h"

#include "store/contact.h"
#include "store/match_text.h"
#include "store/model_json.h"

static char *
copy_text(CallsyncText t)
{
	return t.s ? pnstrdup(t.s, t.n) : NULL;
}

/* Everything a further field can be of, as one JSON object. */
static char *
contact_fields(TupleTableSlot *slot)
{
	static const struct
	{
		const char *name;
		int			column;
	}			columns[] = {
		{"company", CALLSYNC_CONTACT_COMPANY}, {"street", CALLSYNC_CONTACT_STREET},
		{"country", CALLSYNC_CONTACT_COUNTRY}, {"owner_id", CALLSYNC_CONTACT_OWNER_ID},
	};
	StringInfoData out;
	bool		isnull;
	Datum		fields = slot_getattr(slot, CALLSYNC_CONTACT_FIELDS, &isnull);

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	for (int i = 0; i < lengthof(columns); i++)
	{
		CallsyncText t = callsync_contact_text(slot, columns[i].column);

		if (t.n == 0)
			continue;
		appendStringInfo(&out, "%s\"%s\": ", out.len > 1 ? ", " : "", columns[i].name);
		escape_json(&out, pnstrdup(t.s, t.n));
	}
	if (!isnull)
	{
		Jsonb	   *jb = DatumGetJsonbP(fields);
		char	   *text;

		/* appended last: a member of the same name is the one that counts */
		if (JB_ROOT_IS_OBJECT(jb) && JB_ROOT_COUNT(jb) > 0)
		{
			text = JsonbToCString(NULL, &jb->root, VARSIZE(jb));
			appendStringInfo(&out, "%s%.*s", out.len > 1 ? ", " : "", (int) strlen(text) - 2, text + 1);
		}
	}
	appendStringInfoChar(&out, '}');
	return out.data;
}

void
callsync_contact_view(TupleTableSlot *slot, CallsyncContactView *view)
{
	StringInfoData phones;
	bool		isnull;
	Datum		updated;

	memset(view, 0, sizeof(*view));
	view->contact_id = copy_text(callsync_contact_text(slot, CALLSYNC_CONTACT_ID));
	view->first_name = copy_text(callsync_contact_text(slot, CALLSYNC_CONTACT_FIRST_NAME));
	view->last_name = copy_text(callsync_contact_text(slot, CALLSYNC_CONTACT_LAST_NAME));
	view->email = copy_text(callsync_contact_text(slot, CALLSYNC_CONTACT_EMAIL));
	view->postal_code = copy_text(callsync_contact_text(slot, CALLSYNC_CONTACT_POSTAL_CODE));
	view->account_id = copy_text(callsync_contact_text(slot, CALLSYNC_CONTACT_ACCOUNT_ID));
	view->fields = contact_fields(slot);
	initStringInfo(&phones);
	for (int column = CALLSYNC_CONTACT_PHONE; column <= CALLSYNC_CONTACT_OTHER_PHONE; column++)
	{
		CallsyncText t = callsync_contact_text(slot, column);

		if (t.n > 0)
			appendStringInfo(&phones, "%s%.*s", phones.len ? ", " : "", (int) t.n, t.s);
	}
	view->phones = phones.data;
	for (int column = CALLSYNC_CONTACT_FIRST_NAME; column <= CALLSYNC_CONTACT_OWNER_ID; column++)
		view->filled += callsync_contact_text(slot, column).n > 0;
	updated = slot_getattr(slot, CALLSYNC_CONTACT_REMOTE_UPDATED_AT, &isnull);
	if (!isnull)
		view->updated = DatumGetTimestampTz(updated);
}

bool
callsync_contact_fresher(const CallsyncContactView *a, const CallsyncContactView *b)
{
	if (a->updated != b->updated)
		return a->updated > b->updated;
	return a->filled > b->filled;
}

static const char *
field_name(const CallsyncMatchConfig *config, int field)
{
	return field < CALLSYNC_ON_FIELDS ? callsync_on_name((CallsyncOn) field) : config->field[field - CALLSYNC_ON_FIELDS].name;
}

static const char *
level_name(const CallsyncWeight *w)
{
	static const char *const extra[] = {"missing", "exact", "near", "none"};

	return w->field < CALLSYNC_ON_FIELDS ? callsync_level_name((CallsyncOn) w->field, w->level) : extra[w->level];
}

/* Levels that go without saying: the field agrees, or it does not. */
static bool
plain(const char *level)
{
	return strcmp(level, "exact") == 0 || strcmp(level, "line") == 0 || strcmp(level, "same") == 0 ||
		strcmp(level, "none") == 0 || strcmp(level, "conflict") == 0;
}

char *
callsync_explanation_text(const CallsyncMatchConfig *config, const CallsyncCandidate *c)
{
	StringInfoData out;

	initStringInfo(&out);
	for (int i = 0; i < c->score.n; i++)
	{
		const CallsyncWeight *w = &c->score.weight[i];
		const char *level = level_name(w);

		appendStringInfo(&out, "%c%s", w->bits >= 0 ? '+' : '-', field_name(config, w->field));
		if (!plain(level))
			appendStringInfo(&out, "(%s)", level);
		if (w->field == CALLSYNC_ON_LAST && c->pair.name.swapped)
			appendStringInfoString(&out, "(swapped)");
	}
	return out.data;
}

static void
add_json_text(StringInfo out, const char *key, const char *value)
{
	appendStringInfo(out, ", \"%s\": ", key);
	if (value == NULL || value[0] == '\0')
		appendStringInfoString(out, "null");
	else
		escape_json(out, value);
}

/* As many digits as it takes to read the same number back. */
static void
add_json_number(StringInfo out, const char *key, double value)
{
	appendStringInfo(out, ", \"%s\": %.17g", key, value);
}

char *
callsync_evidence_text(const CallsyncMatchConfig *config, const CallsyncCandidate *c, const CallsyncMatchInput *input,
					   const CallsyncPerson *call, const CallsyncContactView *view)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '[');
	for (int i = 0; i < c->score.n; i++)
	{
		const CallsyncWeight *w = &c->score.weight[i];
		const char *said = NULL;
		const char *has = NULL;

		switch (w->field)
		{
			case CALLSYNC_ON_PHONE:
				said = input->phone;
				has = view->phones;
				break;
			case CALLSYNC_ON_SPOKEN:
				said = input->spoken_phone;
				has = view->phones;
				break;
			case CALLSYNC_ON_EMAIL:
				said = c->pair.call_email >= 0 ? call->email[c->pair.call_email].text : input->email;
				has = view->email;
				break;
			case CALLSYNC_ON_FIRST:
				said = input->name;
				has = view->first_name;
				break;
			case CALLSYNC_ON_LAST:
			case CALLSYNC_ON_GENERATION:
				said = input->name;
				has = view->last_name;
				break;
			case CALLSYNC_ON_POSTAL:
				said = input->postal_code;
				has = view->postal_code;
				break;
			case CALLSYNC_ON_ACCOUNT:
				said = input->account_id;
				has = view->account_id;
				break;
			default:
				if (input->fields != NULL)
					said = callsync_json_member(input->fields, field_name(config, w->field));
				has = callsync_json_member(view->fields, field_name(config, w->field));
				break;
		}
		appendStringInfo(&out, "%s{\"field\": ", i > 0 ? ", " : "");
		escape_json(&out, field_name(config, w->field));
		add_json_text(&out, "level", level_name(w));
		add_json_text(&out, "call", said);
		add_json_text(&out, "contact", has);
		add_json_number(&out, "m", w->m);
		add_json_number(&out, "u", w->u);
		if (w->tf >= 0)
			add_json_number(&out, "tf", w->tf);
		else
			appendStringInfoString(&out, ", \"tf\": null");
		add_json_number(&out, "weight", w->bits);
		appendStringInfoChar(&out, '}');
	}
	appendStringInfoChar(&out, ']');
	return out.data;
}

void
callsync_candidate_text(StringInfo out, const CallsyncMatchConfig *config, const CallsyncCandidate *c,
						const CallsyncContactView *view, bool same_person)
{
	char	   *name = psprintf("%s%s%s", view->first_name ? view->first_name : "",
								view->first_name && view->last_name ? " " : "", view->last_name ? view->last_name : "");

	appendStringInfoString(out, "{\"contact_id\": ");
	escape_json(out, view->contact_id);
	add_json_text(out, "name", name);
	add_json_number(out, "probability", c->score.p);
	add_json_number(out, "total", c->score.total);
	add_json_text(out, "explanation", callsync_explanation_text(config, c));
	if (same_person)
		appendStringInfoString(out, ", \"same_person_as_best\": true");
	appendStringInfoChar(out, '}');
}

static const char *
copy_string(const char *s)
{
	return s ? pstrdup(s) : NULL;
}

CallsyncMatch *
callsync_match_copy(const CallsyncMatch *match)
{
	CallsyncMatch *copy = palloc(sizeof(CallsyncMatch));

	*copy = *match;
	copy->contact_id = copy_string(match->contact_id);
	copy->runner_up = copy_string(match->runner_up);
	copy->evidence = copy_string(match->evidence);
	copy->explanation = copy_string(match->explanation);
	copy->reason = copy_string(match->reason);
	copy->candidates = copy_string(match->candidates);
	return copy;
}
