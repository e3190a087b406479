/*
 * lookup.c
 *		Which operation asks the destination for a caller, see lookup.h.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "core/person_key.h"
#include "core/shard.h"
#include "core/syncstate.h"
#include "engine/engine_state.h"
#include "engine/lookup.h"
#include "pg/env.h"
#include "pg/json.h"

/* a call that was planned so soon after an answer does not ask again: its first call may not be planned by it yet */
#define ANSWER_FRESH_MS 5000

bool
callsync_is_lookup(const char *step)
{
	return strcmp(step, CALLSYNC_LOOKUP_STEP) == 0;
}

/* What a filter makes of the caller's name; NULL where nothing is left of it */
static void
put_name(const CallsyncConnector *connector, json_t *find, const char *key, const char *filtered)
{
	json_t	   *context = callsync_json_keep(callsync_json_object());
	CallsyncRenderInput input = {.context = context, .env = callsync_env_get(NULL, 0), .mode = CALLSYNC_RENDER_SEND};
	CallsyncDocError err;
	char	   *text;

	json_object_set(context, "find", find);
	text = callsync_connector_render_text(connector, filtered, &input, &err);
	if (text != NULL && text[0] != '\0')
		json_object_set_new(find, key, json_string(text));
	free(text);
}

json_t *
callsync_lookup_find(const CallsyncDestination *d, const json_t *document, const char *region)
{
	static const char *const keys[] = {"phone", "email", "name", "postal_code"};
	const json_t *caller = json_object_get(document, "caller");
	json_t	   *find = callsync_json_keep(callsync_json_object());
	const char *spoken = callsync_json_string(caller, "spoken_phone");
	char		e164[32];

	for (int i = 0; i < (int) lengthof(keys); i++)
	{
		json_t	   *value = json_object_get(caller, keys[i]);
		const char *text = json_string_value(value);

		if (text == NULL || text[0] == '\0')
			continue;
		/* a withheld number finds nobody */
		if (strcmp(keys[i], "phone") == 0 && !callsync_person_e164(text, strlen(text), region, e164, sizeof(e164)))
			continue;
		json_object_set(find, keys[i], value);
	}
	if (json_object_get(find, "phone") == NULL && spoken != NULL &&
		callsync_person_e164(spoken, strlen(spoken), region, e164, sizeof(e164)))
		json_object_set_new(find, "phone", json_string(e164));
	if (json_object_get(find, "name") != NULL && d->connector != NULL)
	{
		put_name(d->connector, find, "first_name", "{find.name|first_name}");
		put_name(d->connector, find, "last_name", "{find.name|last_name}");
	}
	return find;
}

const char *
callsync_lookup_ordering_key(const CallsyncDestination *d, const CallsyncOp *op, const json_t *find, const char *region)
{
	json_t	   *question = callsync_json_keep(json_copy((json_t *) find));
	const char *phone = callsync_json_string(find, "phone");
	const char *text;
	char		e164[32];

	/* the same number in another spelling is the same question */
	if (phone != NULL && callsync_person_e164(phone, strlen(phone), region, e164, sizeof(e164)))
		json_object_set_new(question, "phone", json_string(e164));
	text = callsync_json_text(question);
	return psprintf("f:%s:%s:%016llx", d->name, op->name,
					(unsigned long long) callsync_fnv1a(CALLSYNC_FNV_START, text, strlen(text)));
}

void
callsync_lookup_note_answer(CallsyncEngineDest *dest, const CallsyncJob *job, int64 now_ms)
{
	CallsyncAnswered *a;

	if (dest->answered == NULL)
		dest->answered = MemoryContextAllocZero(GetMemoryChunkContext(dest), sizeof(*a) * CALLSYNC_ANSWERED_KEPT);
	a = &dest->answered[dest->next_answered++ % CALLSYNC_ANSWERED_KEPT];
	a->key = job->key;
	a->at_ms = now_ms;
}

bool
callsync_lookup_is_answered(const CallsyncEngineDest *dest, const CallsyncJob *job)
{
	for (int i = 0; dest->answered != NULL && i < CALLSYNC_ANSWERED_KEPT; i++)
		if (dest->answered[i].key == job->key && dest->answered[i].at_ms + ANSWER_FRESH_MS >= job->due_ms && dest->answered[i].at_ms > 0)
			return true;
	return false;
}

static bool
has(const json_t *find, const char *key)
{
	return json_object_get(find, key) != NULL;
}

const CallsyncOp *
callsync_lookup_op(const CallsyncConnector *connector, const json_t *find, const char *after)
{
	static const char *const ways[] = {"find", "find_by_phone", "find_by_email", "find_by_name"};
	bool		by_name = has(find, "last_name") && has(find, "postal_code");
	bool		known[lengthof(ways)] = {has(find, "phone") || has(find, "email") || by_name,
	has(find, "phone"), has(find, "email"), by_name};
	const char *object = NULL;
	bool		behind = after == NULL;

	for (int i = 0; i < callsync_connector_step_count(connector) && object == NULL; i++)
	{
		const CallsyncStep *step = callsync_connector_step_at(connector, i);

		if (step->per_person)
			object = step->object;
	}
	if (object == NULL)
		return NULL;
	for (int i = 0; i < (int) lengthof(ways); i++)
	{
		char	   *name = psprintf("%s.%s", object, ways[i]);
		const CallsyncOp *op = callsync_connector_op(connector, name);

		if (!behind)
		{
			/* it asked for everything at once: nothing is left to ask */
			if (strcmp(after, name) == 0 && i == 0)
				return NULL;
			behind = strcmp(after, name) == 0;
			continue;
		}
		if (op != NULL && op->kind == CALLSYNC_OP_FIND && known[i])
			return op;
	}
	return NULL;
}

CallsyncLookupProgress
callsync_lookup_progress(const json_t *steps, const char **asked)
{
	const json_t *entry = json_object_get(steps, CALLSYNC_LOOKUP_STEP);
	const char *word = entry ? callsync_json_string(entry, "state") : NULL;
	int			state = word ? callsync_step_state_from_name(word) : -1;

	*asked = NULL;
	if (state < 0)
		return CALLSYNC_LOOKUP_NONE;
	/* settle.c leaves it as confirming: the answer is in, the call is to be planned */
	if (state == CALLSYNC_STEP_CONFIRMING || state == CALLSYNC_STEP_CONFIRMED)
	{
		*asked = callsync_json_string(entry, "op");
		return CALLSYNC_LOOKUP_DONE;
	}
	return callsync_step_state_settled((CallsyncStepState) state) ? CALLSYNC_LOOKUP_NONE : CALLSYNC_LOOKUP_OPEN;
}
