/*
 * connector_check.c
 *		check_connector(): what can be known to be wrong with a document without
 *		asking the server.
 *
 * Parsing already refused what is malformed; this finds what is well formed and
 * still cannot work: a create that nothing protects against a lost answer, a rule
 * that no answer reaches, a request that cannot be rendered for a complete call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/classify_impl.h"
#include "core/mapping_impl.h"
#include "core/request.h"

typedef struct Check
{
	const CallsyncConnector *c;
	const CallsyncEnv *env;
	CallsyncCheckReport report;
	void	   *arg;
	int			failed;
	json_t	   *context;
} Check;

static void
tell(Check *k, bool ok, const char *what, const char *detail)
{
	if (!ok)
		k->failed++;
	k->report(k->arg, ok, what, detail);
}

/* A call in which everything happened: what a request is rendered for. */
static json_t *
sample_context(void)
{
	static const char text[] =
	"{\"call\":{\"call_id\":\"c-sample\",\"type\":\"inbound\",\"direction\":\"inbound\",\"dialled_number\":\"+12025550100\","
	"\"routing_path\":[\"main\",\"service\"],\"started_at\":\"2026-06-11T15:42:00Z\",\"ended_at\":\"2026-06-11T15:44:05Z\","
	"\"duration_s\":125,\"disposition\":\"booked\",\"end_reason\":\"caller_hung_up\",\"language\":\"en\",\"consent\":true,"
	"\"caller\":{\"phone\":\"+12025550143\",\"spoken_phone\":\"202 555 0143\",\"name\":\"Jordan Smith\",\"email\":\"jordan@example.com\","
	"\"postal_code\":\"20001\",\"account_id\":\"A-1\"},\"intent\":\"service_appointment\",\"urgency\":\"high\","
	"\"lead_source\":\"AI receptionist\",\"campaign\":\"spring\",\"sentiment\":\"positive\",\"summary\":\"Wants an oil change.\","
	"\"transcript\":\"Hello\",\"transcript_url\":\"https://example.com/t/1\",\"recording_url\":\"https://example.com/r/1\","
	"\"escalation\":{\"reason\":\"asked for a person\",\"to\":\"front desk\"},\"answers\":{\"How many miles?\":\"52,000\"},"
	"\"entities\":{\"amount\":120},\"dtmf\":\"1\",\"fields\":{\"vehicle_model\":\"2021 CR-V\"},"
	"\"follow_up_task\":{\"action\":\"call_back\",\"assigned_to\":\"1\",\"team\":\"service\",\"due_at\":\"2026-06-12T09:00:00Z\","
	"\"priority\":\"high\",\"subject\":\"Call back\",\"body\":\"About the quote\"},"
	"\"appointment\":{\"action\":\"book\",\"service\":\"Oil change\",\"start\":\"2026-06-15T14:00:00Z\",\"end\":\"2026-06-15T14:30:00Z\","
	"\"calendar\":\"1\",\"attendees\":[\"jordan@example.com\"],\"reminders\":[30],\"external_id\":\"ev-1\"},"
	"\"opportunity\":{\"id\":\"71\",\"stage\":\"qualified\",\"amount\":1200},\"ticket\":{\"id\":\"81\",\"status\":\"open\",\"comment\":\"Called again\"}},"
	"\"key\":\"sample-key\",\"trace\":\"t-1\",\"id\":\"51\",\"object\":\"sample\",\"ids\":[\"51\",\"52\"],\"props\":[\"a\",\"b\"],"
	"\"since\":\"2026-06-11T00:00:00Z\",\"until\":\"2026-06-12T00:00:00Z\",\"record\":{\"sample_field\":\"sample\"},"
	"\"find\":{\"phone\":\"+12025550143\",\"email\":\"jordan@example.com\",\"name\":\"Jordan Smith\",\"first_name\":\"Jordan\","
	"\"last_name\":\"Smith\",\"postal_code\":\"20001\"},\"match\":{\"decision\":\"match\",\"contact_id\":\"51\"},"
	"\"meta\":{\"source\":\"sample\",\"destination\":\"sample\",\"lead_source\":\"AI receptionist\",\"trace_id\":\"t\",\"status\":\"ended\","
	"\"now\":\"2026-06-11T15:45:00Z\",\"event_type\":\"call.ended\",\"map_version\":1,\"call_version\":1},\"steps\":{}}";

	return json_loads(text, 0, NULL);
}

/* The fields that the step of an operation would map: its sample record. */
static void
set_record(Check *k, const CallsyncOp *op)
{
	CallsyncRenderInput input = {.context = k->context, .vars = k->c->vars, .env = k->env};
	CallsyncMapOptions options = {.creating = true};
	json_t	   *record = NULL;

	for (int i = 0; i < k->c->nsteps && record == NULL; i++)
		for (int o = 0; o < k->c->steps[i].impl->nops && record == NULL; o++)
		{
			CallsyncMapResult result;
			CallsyncMap *map;

			if (k->c->steps[i].impl->ops[o].op != op || k->c->steps[i].map == NULL)
				continue;
			map = callsync_map_parse(callsync_connector_mapping(k->c), k->c->steps[i].map, NULL);
			if (map != NULL && callsync_map_apply(map, &input, &options, &result))
			{
				record = json_incref(result.fields);
				callsync_map_result_clear(&result);
			}
			callsync_map_free(map);
		}
	if (record == NULL)
		record = json_pack("{s:s}", "sample_field", "sample");
	json_object_set_new(k->context, "record", record);
}

/* ---- operations ---- */

static void
check_op(Check *k, const CallsyncOp *op)
{
	const struct CallsyncOpImpl *impl = op->impl;
	const json_t *doc = json_object_get(json_object_get(k->c->document, "ops"), op->name);
	CallsyncRenderInput input = {.context = k->context, .env = k->env};
	CallsyncRequest request;
	CallsyncDocError err;
	char		what[200];
	char		detail[500];

	snprintf(what, sizeof(what), "operation %s: success", op->name);
	if (impl->ok.n > 0)
		tell(k, true, what, "");
	else
		tell(k, true, what, "any 2xx counts");

	if (op->creates)
	{
		bool		has_id = impl->id != NULL || (op->batch != NULL && op->batch->impl->id != NULL);

		snprintf(what, sizeof(what), "operation %s: record id", op->name);
		tell(k, has_id, what, has_id ? "" : "The operation creates records but does not say where the answer holds the id.");
	}
	if (op->kind == CALLSYNC_OP_WRITE)
	{
		bool		declared = json_object_get(doc, "idempotent") != NULL;
		bool		safe = callsync_idempotency_is_safe(op->idempotency);

		snprintf(what, sizeof(what), "operation %s: repeat", op->name);
		if (safe)
			tell(k, true, what, "");
		else if (op->guard != NULL)
		{
			const CallsyncOp *guard = callsync_connector_op(k->c, op->guard);

			snprintf(detail, sizeof(detail), guard->strong ? "looked up by %s before it is sent again" :
					 "looked up by %s before it is sent again; that index lags up to %d s", op->guard, guard->lag_s);
			tell(k, true, what, detail);
		}
		else if (declared)
			tell(k, true, what, "nothing protects a repeat: after a lost answer a person decides");
		else
			tell(k, false, what, "A lost answer of this operation cannot be repeated safely: set \"idempotent\", with \"guard\" for a look-up, or \"none\" to accept it.");
	}
	if (op->kind == CALLSYNC_OP_FIND || op->kind == CALLSYNC_OP_READ || op->kind == CALLSYNC_OP_CHANGES)
	{
		bool		ok = impl->has_result && (impl->item_id != NULL || op->kind == CALLSYNC_OP_READ);

		snprintf(what, sizeof(what), "operation %s: result", op->name);
		tell(k, ok, what, ok ? "" : "\"result\" has to say where the records and their ids are.");
	}
	if (op->kind == CALLSYNC_OP_DESCRIBE)
	{
		snprintf(what, sizeof(what), "operation %s: fields", op->name);
		tell(k, impl->describe != NULL, what, impl->describe != NULL ? "" : "\"describe\" has to say how fields are described.");
	}

	set_record(k, op);
	snprintf(what, sizeof(what), "operation %s: sample request", op->name);
	if (callsync_request_render(k->c, op, &input, k->c->base_url ? NULL : "https://example.invalid", &request, &err))
	{
		snprintf(detail, sizeof(detail), "%s %.300s", request.method, request.url);
		tell(k, true, what, detail);
		callsync_request_free(&request);
	}
	else
	{
		snprintf(detail, sizeof(detail), "%.120s %.300s", err.path, err.what);
		tell(k, false, what, detail);
	}
	if (op->batch != NULL)
	{
		const json_t *contexts[2];
		json_t	   *other = json_copy(k->context);
		int			bad;

		json_object_set_new(other, "trace", json_string("t-2"));
		json_object_set_new(other, "key", json_string("sample-key-2"));
		contexts[0] = k->context;
		contexts[1] = other;
		snprintf(what, sizeof(what), "operation %s: sample batch", op->name);
		if (callsync_request_render_batch(k->c, op, contexts, 2, &input, k->c->base_url ? NULL : "https://example.invalid",
										  &request, &bad, &err))
		{
			tell(k, true, what, "");
			callsync_request_free(&request);
		}
		else
		{
			snprintf(detail, sizeof(detail), "%.120s %.300s", err.path, err.what);
			tell(k, false, what, detail);
		}
		json_decref(other);
	}
}

/* ---- rules ---- */

static bool
status_covers(const StatusSet *wide, const StatusSet *narrow)
{
	if (wide->n == 0)
		return true;
	if (narrow->n == 0)
		return false;
	for (int i = 0; i < narrow->n; i++)
		for (int s = narrow->range[i].lo; s <= narrow->range[i].hi; s++)
			if (!callsync_status_in(wide, s))
				return false;
	return true;
}

/* Does every answer that b takes already belong to a? */
static bool
rule_covers(const Rule *a, const Rule *b)
{
	bool		plain = a->json.n == 0 && a->json_any.n == 0 && a->nheaders == 0 && !a->has_body && a->content_type == NULL;
	bool		ops = a->ops == NULL || (b->ops != NULL && json_equal(a->ops, b->ops));

	if (!plain || !ops || !status_covers(&a->status, &b->status))
		return false;
	if (a->transports == 0)
		return b->transports == 0;
	return b->transports != 0 && (b->transports & ~a->transports) == 0;
}

static void
check_rules(Check *k)
{
	for (int i = 0; i < k->c->nrules; i++)
	{
		char		what[80];
		char		detail[200] = "";
		int			covered = -1;
		const Rule *rule = &k->c->rules[i];

		snprintf(what, sizeof(what), "rule %d: reachable", i);
		for (int j = 0; j < i && covered < 0; j++)
			if (rule_covers(&k->c->rules[j], rule))
				covered = j;
		if (covered >= 0)
			snprintf(detail, sizeof(detail), "Rule %d already takes every answer of this one.", covered);
		else if (rule->status.n > 0 && rule->transports == 0 && rule->json.n == 0 && rule->json_any.n == 0 &&
				 rule->nheaders == 0 && !rule->has_body && rule->content_type == NULL)
		{
			bool		some = false;

			/* a fine status without a further test is a success for every op it could be about */
			for (int o = 0; o < k->c->nops && !some; o++)
				for (int s = 100; s <= 599 && !some; s++)
					some = callsync_status_in(&rule->status, s) && !callsync_status_ok(&k->c->ops[o], s);
			if (!some)
			{
				covered = i;
				snprintf(detail, sizeof(detail), "Its statuses are successes of every operation: test the body as well.");
			}
		}
		tell(k, covered < 0, what, detail);
	}
}

/* ---- steps and maps ---- */

/* The declared fields and those that the map finds by their label: an account that has them all. */
static json_t *
sample_fields(const Check *k, const CallsyncStep *step)
{
	json_t	   *fields = json_object();
	json_t	   *entry;
	const char *name;

	json_object_update(fields, (json_t *) callsync_connector_fields(k->c, step->object));
	json_object_foreach((json_t *) json_object_get(callsync_connector_mapping(k->c), step->map), name, entry)
	{
		json_t	   *label = json_object_get(entry, "labelled");

		if (json_is_string(label) && json_object_get(fields, name) == NULL)
			json_object_set_new(fields, name, json_pack("{s:O}", "label", label));
	}
	return fields;
}

static void
check_step(Check *k, const CallsyncStep *step)
{
	char		what[200];
	char		detail[600];
	CallsyncRenderInput input = {.context = k->context, .vars = k->c->vars, .env = k->env};
	CallsyncMapOptions options = {.creating = true};
	CallsyncMapResult result;
	CallsyncDocError err;
	CallsyncMap *map;
	json_t	   *fields;

	if (step->map == NULL)
		return;
	snprintf(what, sizeof(what), "step %s: read-back", step->name);
	if (k->c->confirmation == CALLSYNC_CONFIRM_READ_BACK)
		tell(k, step->read_op != NULL, what, step->read_op ? "" : "The connector promises to read back, but the step names no \"read\".");

	snprintf(what, sizeof(what), "step %s: field map", step->name);
	map = callsync_map_parse(callsync_connector_mapping(k->c), step->map, &err);
	if (map == NULL)
	{
		snprintf(detail, sizeof(detail), "%.120s %.300s", err.path, err.what);
		tell(k, false, what, detail);
		return;
	}
	options.fields_spec = fields = sample_fields(k, step);
	if (callsync_map_apply(map, &input, &options, &result))
	{
		size_t		n = json_object_size(result.fields);
		bool		ok = result.verdict == CALLSYNC_MAP_SEND || result.verdict == CALLSYNC_MAP_REVIEW;

		if (ok)
			snprintf(detail, sizeof(detail), "%zu fields of a sample call", n);
		else
		{
			const json_t *row = json_array_get(result.results, 0);
			const char *field = json_string_value(json_object_get(row, "field"));
			const char *message = json_string_value(json_object_get(row, "message"));

			snprintf(detail, sizeof(detail), "A complete sample call cannot be sent: %.100s %.300s", field ? field : "no field has a value.",
					 message ? message : "");
		}
		tell(k, ok, what, detail);
		callsync_map_result_clear(&result);
	}
	json_decref(fields);
	callsync_map_free(map);
}

int
callsync_connector_check(const CallsyncConnector *c, const CallsyncEnv *env, CallsyncCheckReport report, void *arg)
{
	Check		k = {c, env, report, arg, 0, sample_context()};
	json_t	   *steps = json_object_get(k.context, "steps");
	bool		person = false;
	bool		find = false;

	for (int i = 0; i < c->nsteps; i++)
		json_object_set_new(steps, c->steps[i].name, json_pack("{s:s, s:s}", "id", "61", "key", "k"));
	for (int i = 0; i < c->nops; i++)
	{
		check_op(&k, &c->ops[i]);
		find = find || c->ops[i].kind == CALLSYNC_OP_FIND;
	}
	check_rules(&k);
	for (int i = 0; i < c->nsteps; i++)
	{
		check_step(&k, &c->steps[i]);
		person = person || c->steps[i].per_person;
	}
	if (person)
		tell(&k, find, "contacts can be found", find ? "" : "There is a step per person, but no operation of kind find.");
	tell(&k, c->nsteps > 0, "steps", c->nsteps > 0 ? "" : "Without steps nothing is sent.");
	json_decref(k.context);
	return k.failed;
}
