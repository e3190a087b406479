/*
 * plan.c
 *		From one version of a call to the deliveries of one destination.
 *
 * A step is planned when its fields differ from what was planned for it last, so
 * that a late event that changes nothing sends nothing.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "core/call_document.h"
#include "core/person_key.h"
#include "core/shard.h"
#include "core/syncstate.h"
#include "engine/batch.h"
#include "engine/caller.h"
#include "engine/lookup.h"
#include "pg/env.h"
#include "engine/plan.h"
#include "pg/json.h"
#include "store/contact_save.h"

/* what planning one call for one destination works on */
typedef struct Planning
{
	CallsyncPlan *plan;
	CallsyncDestination *d;
	CallsyncPlanCall *call;
	const CallsyncPlanBase *base;
	CallsyncCaller caller;
	const char *region;			/* of phone numbers: the destination's, else the source's */
	CallsyncRenderInput input;
	json_t	   *context;		/* of the current step */
	json_t	   *stopped;		/* of the current step: what the destination does not take, and why */
	json_t	   *steps;			/* as they will be stored */
	json_t	   *links;			/* records that earlier versions became */
	const char *trace_id;
	TimestampTz due_at;			/* plan->now, or when the call's batch goes */
	int			first_delivery; /* index in plan of this call's first one */
	bool		any_held;
	const char *hold_reason;
	StringInfoData missing;		/* array literal under construction */
	const char *bad_map;		/* a map that cannot be used */
} Planning;

#define GROW(array, n, max) \
	do { \
		if ((n) == (max)) \
		{ \
			(max) = (max) == 0 ? 64 : (max) * 2; \
			(array) = (array) == NULL ? palloc(sizeof(*(array)) * (max)) \
				: repalloc((array), sizeof(*(array)) * (max)); \
		} \
	} while (0)

CallsyncPlan *
callsync_plan_create(TimestampTz now)
{
	CallsyncPlan *plan = palloc0(sizeof(*plan));

	plan->now = now;
	plan->callers = callsync_caller_batch_create();
	return plan;
}

void
callsync_plan_write(CallsyncPlan *plan)
{
	callsync_caller_batch_write(plan->callers);
	callsync_plan_supersede(plan->superseded, plan->nsuperseded, plan->now);
	callsync_plan_write_deliveries(plan->deliveries, plan->ndeliveries, plan->now);
	callsync_plan_write_validations(plan->validations, plan->nvalidations, plan->states, plan->nstates, plan->now);
	callsync_plan_write_states(plan->states, plan->nstates, plan->now);
}

static const char *
new_trace_id(void)
{
	unsigned char bytes[16];
	char	   *text = palloc(33);

	if (!pg_strong_random(bytes, sizeof(bytes)))
		ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not generate a trace id")));
	bytes[0] |= 1;				/* all zero is no trace id (W3C Trace Context) */
	text[hex_encode((const char *) bytes, sizeof(bytes), text)] = '\0';
	return text;
}

static const char *
iso_time(TimestampTz t)
{
	return callsync_env_iso_time(t);
}

static void
set_string(json_t *object, const char *key, const char *value)
{
	if (value != NULL && json_object_set_new(object, key, json_string(value)) != 0)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
}

static CallsyncPlannedState *
add_state(Planning *p, const char *status)
{
	CallsyncPlan *plan = p->plan;
	CallsyncPlannedState *s;

	GROW(plan->states, plan->nstates, plan->maxstates);
	s = &plan->states[plan->nstates++];
	memset(s, 0, sizeof(*s));
	s->source = p->call->row->source;
	s->call_id = p->call->row->call_id;
	s->destination = p->d->name;
	s->status = status;
	s->stage = "matching";
	s->match_decision = p->caller.decision;
	s->match_probability = p->caller.probability;
	s->contact_record_id = p->caller.contact_id;
	s->steps = callsync_json_text(p->steps);
	s->missing_fields = "{}";
	s->captured_at = p->base ? p->base->captured_at : p->call->captured_at;
	s->ended_at = p->call->row->ended_at;
	s->map_version = p->d->map_version;
	s->trace_id = p->trace_id;
	s->call_version = p->call->row->version;
	s->day = p->base ? p->base->day : p->call->day;
	return s;
}

void
callsync_plan_failed(CallsyncPlan *plan, const char *destination, CallsyncPlanCall *call,
					 const CallsyncPlanBase *base, const char *error_class,
					 const char *message, const char *remedy)
{
	CallsyncDestination d = {0};
	Planning	p = {0};
	CallsyncPlannedState *s;

	d.name = pstrdup(destination);
	p.plan = plan;
	p.d = &d;
	p.call = call;
	p.base = base;
	p.caller.probability = base ? base->match_probability : -1;
	p.caller.decision = base ? base->match_decision : NULL;
	p.steps = callsync_json_parse(base ? base->steps : NULL, callsync_json_object());
	p.trace_id = base && base->trace_id ? base->trace_id : new_trace_id();
	s = add_state(&p, "failed");
	s->failure_kind = "fatal";
	s->stage = "validation";
	s->error_class = error_class;
	s->last_error = message;
	s->remedy = remedy;
}

/* the parts of the context that all steps of the call share */
static void
begin_context(Planning *p)
{
	const json_t *caller = json_object_get(p->call->document, "caller");
	static const char *const find_keys[] = {"phone", "email", "name", "postal_code"};
	json_t	   *context = callsync_json_keep(callsync_json_object());
	json_t	   *match = callsync_json_object();
	json_t	   *meta = callsync_json_object();
	json_t	   *find = callsync_json_object();

	json_object_set_new(context, "match", match);
	json_object_set_new(context, "meta", meta);
	json_object_set_new(context, "find", find);
	json_object_set_new(context, "steps", callsync_json_object());
	json_object_set_new(context, "call", callsync_call_document_said(p->call->document));
	set_string(match, "decision", p->caller.decision);
	set_string(match, "contact_id", p->caller.contact_id);
	set_string(meta, "source", p->call->row->source);
	set_string(meta, "destination", p->d->name);
	set_string(meta, "lead_source", p->d->lead_source);
	set_string(meta, "trace_id", p->trace_id);
	set_string(meta, "status", p->call->row->status);
	/* of the first capture: a later version must not move a call whose own time nobody told */
	set_string(meta, "captured_at", iso_time(p->call->row->captured_at != 0 ? p->call->row->captured_at : p->call->captured_at));
	for (int i = 0; i < (int) lengthof(find_keys); i++)
	{
		json_t	   *value = json_object_get(caller, find_keys[i]);
		const char *text = json_string_value(value);
		char		e164[32];

		if (text == NULL || text[0] == '\0')
			continue;
		/* a withheld number finds nobody */
		if (strcmp(find_keys[i], "phone") == 0 &&
			!callsync_person_e164(text, strlen(text), p->region, e164, sizeof(e164)))
			continue;
		json_object_set(find, find_keys[i], value);
	}
	p->context = context;
	p->input.context = context;
	p->input.vars = callsync_connector_vars(p->d->connector);
	p->input.env = callsync_env_get(p->region, p->plan->now);
	p->input.mode = CALLSYNC_RENDER_PREVIEW;
}

/*
 * Does the route of this call's type include the step? A link (a step without
 * fields) goes along with the steps that it links.
 */
static bool
routed(Planning *p, const CallsyncStep *step)
{
	const char *type = callsync_json_string(p->call->document, "type");
	json_t	   *steps = type ? json_object_get(p->d->routes, type) : NULL;
	size_t		i;
	json_t	   *entry;

	if (steps == NULL)
		steps = json_object_get(p->d->routes, "*");
	if (steps == NULL)
		return true;
	json_array_foreach(steps, i, entry)
		if (json_is_string(entry) && strcmp(json_string_value(entry), step->name) == 0)
			return true;
	if (step->map != NULL || step->ndeps == 0)
		return false;
	for (int n = 0; n < step->ndeps; n++)
	{
		const CallsyncStep *dep = callsync_connector_step(p->d->connector, step->deps[n].step);

		if (dep == NULL || !routed(p, dep))
			return false;
	}
	return true;
}

static bool
step_open(const json_t *entry)
{
	const char *state = callsync_json_string(entry, "state");
	int			word = state ? callsync_step_state_from_name(state) : -1;

	return word >= 0 && !callsync_step_state_settled((CallsyncStepState) word);
}

/* this plan's delivery of a step, NULL: none */
static const CallsyncPlannedDelivery *
planned_step(Planning *p, const char *step)
{
	for (int i = p->first_delivery; i < p->plan->ndeliveries; i++)
		if (strcmp(p->plan->deliveries[i].step, step) == 0)
			return &p->plan->deliveries[i];
	return NULL;
}

/*
 * What the step waits for, as an array literal; fills "deps" and known ids of
 * "steps" in the context. NULL: a required earlier step does not exist.
 */
static const char *
dependencies(Planning *p, const CallsyncStep *step, json_t *deps)
{
	json_t	   *known = callsync_json_object();
	StringInfoData buf;
	bool		any = false;

	json_object_set_new(p->context, "steps", known);
	initStringInfo(&buf);
	appendStringInfoChar(&buf, '{');
	for (int i = 0; i < step->ndeps; i++)
	{
		const CallsyncDep *dep = &step->deps[i];
		const CallsyncPlannedDelivery *planned = planned_step(p, dep->step);
		json_t	   *entry = json_object_get(p->steps, dep->step);
		const char *id = callsync_json_string(json_object_get(p->links, dep->step), "id");
		int64		waits = 0;
		json_t	   *ref;

		if (planned != NULL)
			waits = planned->id;
		else if (entry != NULL && step_open(entry))
			waits = json_integer_value(json_object_get(entry, "delivery"));
		if (strcmp(dep->step, "contact") == 0 && id == NULL)
			id = p->caller.contact_id;
		if (id != NULL)
		{
			ref = callsync_json_object();
			set_string(ref, "id", id);
			json_object_set_new(known, dep->step, ref);
		}
		if (waits != 0)
		{
			appendStringInfo(&buf, "%s" INT64_FORMAT, any ? "," : "", waits);
			any = true;
			ref = callsync_json_object();
			json_object_set_new(ref, "delivery", json_integer(waits));
			json_object_set_new(ref, "required", json_boolean(dep->required));
			json_object_set_new(deps, dep->step, ref);
		}
		else if (id == NULL && dep->required)
			return NULL;
	}
	appendStringInfoChar(&buf, '}');
	return buf.data;
}

static void
append_array_element(StringInfo buf, const char *text)
{
	if (buf->len == 0)
		appendStringInfoChar(buf, '{');
	else
		appendStringInfoChar(buf, ',');
	appendStringInfoChar(buf, '"');
	for (const char *c = text; *c; c++)
	{
		if (*c == '"' || *c == '\\')
			appendStringInfoChar(buf, '\\');
		appendStringInfoChar(buf, *c);
	}
	appendStringInfoChar(buf, '"');
}

/* keeps what the mapping found wrong */
static void
add_validations(Planning *p, const CallsyncStep *step, const json_t *results)
{
	size_t		i;
	json_t	   *r;

	json_array_foreach(results, i, r)
	{
		CallsyncPlan *plan = p->plan;
		CallsyncValidation *v;
		const char *rule = callsync_json_string(r, "rule");
		const char *field = callsync_json_string(r, "field");
		bool		ok = json_is_true(json_object_get(r, "ok"));

		GROW(plan->validations, plan->nvalidations, plan->maxvalidations);
		v = &plan->validations[plan->nvalidations++];
		v->source = p->call->row->source;
		v->call_id = p->call->row->call_id;
		v->destination = p->d->name;
		v->step = step->name;
		v->field = field ? pstrdup(field) : "";
		v->rule = rule ? pstrdup(rule) : "";
		v->ok = ok;
		v->source_path = callsync_json_string(r, "source") ? pstrdup(callsync_json_string(r, "source")) : NULL;
		v->message = callsync_json_string(r, "message") ? pstrdup(callsync_json_string(r, "message")) : NULL;
		/* the call says something that the destination does not take: the record will lack it */
		if (!ok && (strcmp(v->rule, "drift") == 0 || strcmp(v->rule, "unknown_field") == 0 || strcmp(v->rule, "readonly") == 0))
			json_object_set_new(p->stopped, v->field, json_string(v->message ? v->message : v->rule));
		if (!ok && (strcmp(v->rule, "required") == 0 || strcmp(v->rule, "drift") == 0))
			append_array_element(&p->missing, psprintf("%s.%s", step->object, v->field));
	}
}

/* the mapped fields of a step (kept), or NULL where there is nothing to write */
static json_t *
map_fields(Planning *p, const CallsyncStep *step, CallsyncMapVerdict *verdict)
{
	const char *error;
	const CallsyncMap *map = callsync_destination_map(p->d, step->map, &error);
	CallsyncMapOptions options = {0};
	CallsyncMapResult result = {0};
	json_t	   *fields;
	json_t	   *declared;
	json_t	   *described = json_object_get(p->d->schema, step->object);

	if (map == NULL)
	{
		if (error != NULL)
			p->bad_map = pstrdup(error);
		return NULL;
	}
	options.blocked = json_object_get(p->d->blocked, step->object);
	options.creating = json_object_get(p->context, "id") == NULL;
	/* what may only be written where nothing is, and lists that grow, need to know what is there */
	if (step->per_person && !options.creating)
	{
		const char *row = callsync_contact_load(p->d->name, callsync_json_string(p->context, "id"));

		options.existing = row ? callsync_json_parse(row, NULL) : NULL;
	}
	declared = (json_t *) callsync_connector_fields(p->d->connector, step->object);
	if (described != NULL)
	{
		options.spec_complete = true;
		options.fields_spec = described;
		if (declared != NULL)
			options.fields_spec = callsync_json_keep(callsync_connector_merge(declared, described));
	}
	else
		options.fields_spec = declared;
	if (!callsync_map_apply(map, &p->input, &options, &result))
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
	fields = callsync_json_share(result.fields);
	add_validations(p, step, result.results);
	*verdict = result.verdict;
	callsync_map_result_clear(&result);
	return fields;
}

static const char *
step_hash(Planning *p, const CallsyncStep *step, json_t *fields, const char *operation)
{
	char	   *text = callsync_json_text(fields);
	uint64		h = callsync_fnv1a(CALLSYNC_FNV_START, text, strlen(text));

	h = callsync_fnv1a(h, operation, strlen(operation));
	for (size_t i = 0; i < json_array_size(step->again_on); i++)
	{
		const json_t *value = callsync_context_get(&p->input, json_string_value(json_array_get(step->again_on, i)));

		text = value ? callsync_json_text(value) : "";
		h = callsync_fnv1a(h, text, strlen(text) + 1);
	}
	/* another contact means other links */
	if (p->caller.contact_key)
		h = callsync_fnv1a(h, p->caller.contact_key, strlen(p->caller.contact_key));
	return psprintf("%016llx", (unsigned long long) h);
}

static void
plan_step(Planning *p, const CallsyncStep *step)
{
	CallsyncPlan *plan = p->plan;
	CallsyncPlannedDelivery *delivery;
	const CallsyncOp *op;
	CallsyncMapVerdict verdict = CALLSYNC_MAP_SEND;
	json_t	   *fields;
	json_t	   *before = json_object_get(p->steps, step->name);
	json_t	   *link = json_object_get(p->links, step->record_of ? step->record_of : step->name);
	json_t	   *deps = callsync_json_keep(callsync_json_object());
	json_t	   *stored;
	json_t	   *entry;
	const char *id = callsync_json_string(link, "id");
	const char *key = callsync_json_string(link, "key");
	const char *depends_on;
	const char *hash;
	bool		held;

	json_object_del(p->context, "id");
	json_object_del(p->context, "key");
	if (step->per_person)
	{
		id = p->caller.contact_id;
		key = p->caller.contact_key;
	}
	if (id == NULL && step->id_from != NULL)
	{
		json_t	   *named = callsync_json_get(p->call->document, step->id_from);

		id = json_is_integer(named) ? psprintf(INT64_FORMAT, (int64) json_integer_value(named))
			: json_string_value(named);
		if (id != NULL && id[0] == '\0')
			id = NULL;
	}
	if (key == NULL)
		key = psprintf("%s/%s/%s", p->call->row->source, p->call->row->call_id,
					   step->record_of ? step->record_of : step->name);
	set_string(p->context, "id", id);
	set_string(p->context, "key", key);

	depends_on = dependencies(p, step, deps);
	if (depends_on == NULL)
		return;
	if (!callsync_step_applies(p->d->connector, step, &p->input))
		return;
	fields = callsync_json_keep(callsync_json_object());
	p->stopped = callsync_json_keep(callsync_json_object());
	if (step->map != NULL)
	{
		fields = map_fields(p, step, &verdict);
		if (fields == NULL || verdict == CALLSYNC_MAP_EMPTY)
			return;
	}
	op = callsync_step_op(p->d->connector, step, &p->input);
	if (op == NULL)
		return;
	hash = step_hash(p, step, fields, id == NULL ? "new" : step->name);
	if (before != NULL && !p->call->force &&
		callsync_json_string(before, "hash") != NULL &&
		strcmp(callsync_json_string(before, "hash"), hash) == 0)
		return;					/* nothing new to say */

	held = verdict == CALLSYNC_MAP_HOLD || p->caller.hold;
	if (before != NULL && callsync_json_string(before, "state") != NULL &&
		strcmp(callsync_json_string(before, "state"), "held") == 0)
	{
		GROW(plan->superseded, plan->nsuperseded, plan->maxsuperseded);
		plan->superseded[plan->nsuperseded++] = json_integer_value(json_object_get(before, "delivery"));
	}

	GROW(plan->deliveries, plan->ndeliveries, plan->maxdeliveries);
	delivery = &plan->deliveries[plan->ndeliveries++];
	memset(delivery, 0, sizeof(*delivery));
	callsync_plan_new_ids(&delivery->id, 1);
	delivery->day = p->call->day;
	delivery->source = p->call->row->source;
	delivery->call_id = p->call->row->call_id;
	delivery->destination = p->d->name;
	delivery->step = pstrdup(step->name);
	delivery->object = pstrdup(step->object);
	delivery->operation = pstrdup(op->name);
	delivery->state = held ? "held" : strcmp(depends_on, "{}") == 0 ? "ready" : "waiting";
	delivery->record_id = id ? pstrdup(id) : NULL;
	delivery->depends_on = depends_on;
	delivery->idempotency_key = pstrdup(key);
	delivery->shard = p->call->shard;
	delivery->priority = (int) step->priority;
	delivery->origin = p->call->origin;
	delivery->ordering_key = step->per_person
		? psprintf("c:%s:%s", p->d->name, key)
		: psprintf("k:%s:%s:%s:%s", p->d->name, p->call->row->source, p->call->row->call_id,
				   step->record_of ? step->record_of : step->name);
	delivery->call_version = p->call->row->version;
	delivery->map_version = p->d->map_version;
	delivery->fields = callsync_json_text(fields);
	delivery->trace_id = p->trace_id;
	delivery->due_at = held ? 0 :
		step->per_person && p->d->schedule->mode == CALLSYNC_MODE_HYBRID ? plan->now : p->due_at;
	if (held)
	{
		p->any_held = true;
		delivery->last_error = p->caller.hold ? "the caller could be more than one contact" :
			"a required value is missing or was refused before sending";
		delivery->remedy = p->caller.hold ? "Decide in callsync.review_queue with callsync.review()." :
			"See callsync.validation_result for the call; correct the source or the map, then callsync.resync().";
		p->hold_reason = delivery->last_error;
	}

	/* the call itself is not copied into each delivery */
	stored = callsync_json_keep(json_copy(p->context));
	json_object_del(stored, "call");
	json_object_set(stored, "deps", deps);
	if (json_object_size(p->stopped) > 0)
		json_object_set(stored, "stopped", p->stopped);
	delivery->context = callsync_json_text(stored);

	entry = callsync_json_object();
	json_object_set_new(p->steps, step->name, entry);
	json_object_set_new(entry, "delivery", json_integer(delivery->id));
	set_string(entry, "day", DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(delivery->day))));
	set_string(entry, "state", delivery->state);
	set_string(entry, "hash", hash);
	set_string(entry, "record_id", id);
	if (delivery->due_at > plan->now)
		json_object_set_new(entry, "next", json_integer(callsync_unix_us(delivery->due_at) / 1000));
	if (json_object_get(before, "record_id") && id == NULL)
		json_object_set(entry, "record_id", json_object_get(before, "record_id"));
}

/* One delivery in place of the call's steps: who is it, as the destination knows? */
static void
plan_lookup(Planning *p)
{
	CallsyncPlan *plan = p->plan;
	CallsyncPlannedDelivery *delivery;
	json_t	   *entry = callsync_json_object();
	json_t	   *find = callsync_lookup_find(p->d, p->call->document, p->region);

	json_object_set(p->context, "find", find);
	json_object_del(p->context, "call");
	GROW(plan->deliveries, plan->ndeliveries, plan->maxdeliveries);
	delivery = &plan->deliveries[plan->ndeliveries++];
	memset(delivery, 0, sizeof(*delivery));
	callsync_plan_new_ids(&delivery->id, 1);
	delivery->day = p->call->day;
	delivery->source = p->call->row->source;
	delivery->call_id = p->call->row->call_id;
	delivery->destination = p->d->name;
	delivery->step = CALLSYNC_LOOKUP_STEP;
	delivery->object = pstrdup(p->caller.ask->object ? p->caller.ask->object : "");
	delivery->operation = pstrdup(p->caller.ask->name);
	delivery->state = "ready";
	delivery->depends_on = "{}";
	delivery->idempotency_key = psprintf("%s/%s/%s", p->call->row->source, p->call->row->call_id, CALLSYNC_LOOKUP_STEP);
	delivery->shard = p->call->shard;
	delivery->priority = CALLSYNC_PRIORITY_CONTACT;
	delivery->origin = p->call->origin;
	delivery->ordering_key = callsync_lookup_ordering_key(p->d, p->caller.ask, find, p->region);
	delivery->call_version = p->call->row->version;
	delivery->map_version = p->d->map_version;
	delivery->fields = "{}";
	delivery->context = callsync_json_text(p->context);
	delivery->trace_id = p->trace_id;
	delivery->due_at = plan->now;

	json_object_set_new(p->steps, CALLSYNC_LOOKUP_STEP, entry);
	json_object_set_new(entry, "delivery", json_integer(delivery->id));
	set_string(entry, "day", DatumGetCString(DirectFunctionCall1(date_out, DateADTGetDatum(delivery->day))));
	set_string(entry, "state", delivery->state);
	set_string(entry, "op", delivery->operation);
	add_state(p, "pending");
}

/* The answer of a look-up went into this plan; false: there was none since the last plan. */
static bool
used_lookup(Planning *p)
{
	json_t	   *entry = json_object_get(p->steps, CALLSYNC_LOOKUP_STEP);
	const char *state = entry ? callsync_json_string(entry, "state") : NULL;

	if (state == NULL || strcmp(state, "confirming") != 0)
		return false;
	set_string(entry, "state", "confirmed");
	return true;
}

/* the contact that one of this call's deliveries is to create must be found by the next call */
static void
expect_contact(Planning *p)
{
	for (int i = p->first_delivery; i < p->plan->ndeliveries; i++)
	{
		const CallsyncStep *step = callsync_connector_step(p->d->connector, p->plan->deliveries[i].step);

		if (step != NULL && step->per_person && !p->caller.hold)
		{
			callsync_caller_expect(p->plan, p->d, p->call, &p->caller);
			return;
		}
	}
}

void
callsync_plan_destination(CallsyncPlan *plan, CallsyncDestination *d, CallsyncPlanCall *call,
						  const CallsyncPlanBase *base)
{
	Planning	p = {0};
	CallsyncPlannedState *state;
	bool		looked_up;

	if (d->connector == NULL)
	{
		callsync_plan_failed(plan, d->name, call, base, "config", pstrdup(d->config_error),
							 "Correct the connector document or the destination's override, then callsync.resync().");
		return;
	}
	p.plan = plan;
	p.d = d;
	p.call = call;
	p.base = base;
	p.region = d->region ? d->region : call->region;
	p.trace_id = base && base->trace_id ? base->trace_id : new_trace_id();
	p.steps = callsync_json_parse(base ? base->steps : NULL, callsync_json_object());
	p.links = callsync_json_parse(base ? base->links : NULL, callsync_json_object());
	p.first_delivery = plan->ndeliveries;
	initStringInfo(&p.missing);

	callsync_caller_resolve(plan, d, call, base, &p.caller);
	call->row->matching_at = call->row->matching_at ? call->row->matching_at : plan->now;
	if (p.caller.asking)
		return;					/* planned again when the answer is in */
	begin_context(&p);
	if (p.caller.ask != NULL)
	{
		plan_lookup(&p);
		return;
	}
	looked_up = used_lookup(&p);
	p.due_at = callsync_batch_due(d, &p.input, call->origin, plan->now);
	for (int i = 0; i < callsync_connector_step_count(d->connector); i++)
	{
		const CallsyncStep *step = callsync_connector_step_at(d->connector, i);

		if (!routed(&p, step))
			continue;
		if (step->per_person && p.caller.contact_key == NULL && !p.caller.hold)
			continue;			/* nobody to write */
		plan_step(&p, step);
	}
	call->row->validation_at = call->row->validation_at ? call->row->validation_at : plan->now;
	call->row->stage = "matching";
	expect_contact(&p);

	if (p.bad_map != NULL)
	{
		plan->ndeliveries = p.first_delivery;
		callsync_plan_failed(plan, d->name, call, base, "config", psprintf("field map: %s", p.bad_map),
							 "Correct the map with callsync.publish_map(), then callsync.resync().");
		return;
	}
	if (plan->ndeliveries == p.first_delivery && base != NULL && !looked_up)
		return;					/* nothing new: what people see stays as it is */
	if (plan->ndeliveries == p.first_delivery)
	{
		state = add_state(&p, "excluded");
		state->last_error = "no step of the destination applies to this call";
		state->remedy = "Intended where a route leaves the call out; otherwise look at callsync.route and the map.";
		return;
	}
	state = add_state(&p, p.any_held ? "review" : "pending");
	if (p.any_held)
	{
		state->error_class = "validation";
		state->last_error = p.hold_reason;
		state->remedy = plan->deliveries[plan->ndeliveries - 1].remedy;
	}
	else if (p.due_at > plan->now)
		state->next_attempt_at = p.due_at;
	if (p.missing.len > 0)
	{
		appendStringInfoChar(&p.missing, '}');
		state->missing_fields = p.missing.data;
	}
}
