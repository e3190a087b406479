/*
 * connector_steps.c
 *		The part "steps" of a connector document: the default plan of a call.
 *
 * Steps are a member each (so that a destination can change one), and their
 * order follows from "after", then from the priority ladder, then from the name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/connector_impl.h"

static const char *const priority_words[] = {"calendar", "contact", "call", "task", "webhook", "ticket", "notification", NULL};

static const CallsyncStep *
find_step(const CallsyncConnector *c, const char *name, size_t len)
{
	for (int i = 0; i < c->nsteps; i++)
		if (strlen(c->steps[i].name) == len && memcmp(c->steps[i].name, name, len) == 0)
			return &c->steps[i];
	return NULL;
}

static bool
parse_ops(CallsyncConnector *c, struct CallsyncStepImpl *impl, const json_t *list, const char *where, CallsyncDocError *err)
{
	static const char *const keys[] = {"when", "op", NULL};
	size_t		n = json_is_array(list) ? json_array_size(list) : 1;

	for (size_t i = 0; i < n; i++)
	{
		const json_t *doc = json_is_array(list) ? json_array_get(list, i) : list;
		StepOp	   *grown = callsync_doc_grow(impl->ops, impl->nops, sizeof(StepOp));
		const char *name = NULL;

		if (grown == NULL)
			return callsync_doc_error(err, where, NULL, "Out of memory.");
		impl->ops = grown;
		if (json_is_string(doc))
			name = json_string_value(doc);
		else if (!callsync_doc_keys(doc, where, err, keys) || !callsync_doc_text(doc, "op", where, err, &name))
			return false;
		else if (json_object_get(doc, "when") != NULL &&
				 (grown[impl->nops].when = callsync_cond_parse(json_object_get(doc, "when"), where, err)) == NULL)
			return false;
		impl->nops++;
		if (name == NULL || (grown[impl->nops - 1].op = callsync_connector_op(c, name)) == NULL)
			return callsync_doc_unknown("\"%.60s\" is not an operation of this connector.", name ? name : "", "Operations",
										json_object_get(c->document, "ops"), where, err);
	}
	if (impl->nops == 0)
		return callsync_doc_error(err, where, NULL, "The step needs \"ops\".");
	return true;
}

static bool
parse_step(CallsyncConnector *c, CallsyncStep *step, const char *name, const json_t *doc, CallsyncDocError *err)
{
	static const char *const keys[] = {"object", "map", "per_person", "record_of", "priority", "after", "when", "ops",
	"read", "id_from", "again_on", NULL};
	struct CallsyncStepImpl *impl = calloc(1, sizeof(*impl));
	char		where[200];
	int			priority = 2;
	const json_t *after;

	if (impl == NULL)
		return callsync_doc_error(err, "/steps", NULL, "Out of memory.");
	step->impl = impl;
	step->name = name;
	snprintf(where, sizeof(where), "/steps/%s", name);
	if (strcmp(name, "lookup") == 0)
		return callsync_doc_error(err, where, "Choose another name.", "\"lookup\" is the step that asks the destination for the caller.");
	if (!callsync_doc_keys(doc, where, err, keys) ||
		!callsync_doc_text(doc, "object", where, err, &step->object) ||
		!callsync_doc_text(doc, "map", where, err, &step->map) ||
		!callsync_doc_bool(doc, "per_person", where, err, &step->per_person) ||
		!callsync_doc_text(doc, "record_of", where, err, &step->record_of) ||
		!callsync_doc_text(doc, "read", where, err, &step->read_op) ||
		!callsync_doc_text(doc, "id_from", where, err, &step->id_from) ||
		!callsync_doc_word(doc, "priority", where, err, priority_words, &priority))
		return false;
	if (step->object == NULL || callsync_connector_object(c, step->object) == NULL)
		return callsync_doc_error(err, where, "Objects are declared in \"objects\".", "The step needs a known \"object\".");
	step->priority = (CallsyncPriority) ((priority + 1) * 10);
	if (step->read_op != NULL)
	{
		const CallsyncOp *read = callsync_connector_op(c, step->read_op);

		if (read == NULL || read->kind != CALLSYNC_OP_READ)
			return callsync_doc_error(err, where, NULL, "\"read\" must name an operation of kind read.");
	}
	if (step->id_from != NULL)
	{
		CallsyncPath *path = callsync_path_parse(step->id_from, strlen(step->id_from));

		if (path == NULL)
			return callsync_doc_error(err, where, NULL, "\"id_from\" is not a path.");
		callsync_path_free(path);
	}
	step->again_on = json_object_get(doc, "again_on");
	if (step->again_on != NULL && !json_is_array(step->again_on))
		return callsync_doc_error(err, where, NULL, "\"again_on\" is a list of paths.");
	for (size_t i = 0; i < json_array_size(step->again_on); i++)
	{
		const json_t *one = json_array_get(step->again_on, i);
		CallsyncPath *path = json_is_string(one) ? callsync_path_parse(json_string_value(one), json_string_length(one)) : NULL;

		if (path == NULL)
			return callsync_doc_error(err, where, NULL, "\"again_on\" is a list of paths.");
		callsync_path_free(path);
	}
	if (step->map != NULL && json_object_get(callsync_connector_mapping(c), step->map) == NULL)
		return callsync_doc_unknown("\"mapping\" has no \"%.60s\".", step->map, "Maps", callsync_connector_mapping(c), where, err);
	if (json_object_get(doc, "when") != NULL &&
		(impl->when = callsync_cond_parse(json_object_get(doc, "when"), where, err)) == NULL)
		return false;
	if (!parse_ops(c, impl, json_object_get(doc, "ops"), where, err))
		return false;

	after = json_object_get(doc, "after");
	if (after != NULL && !callsync_doc_is(after, JSON_ARRAY, where, "after", err))
		return false;
	for (size_t i = 0; i < json_array_size(after); i++)
	{
		CallsyncDep *grown = callsync_doc_grow((void *) step->deps, step->ndeps, sizeof(CallsyncDep));

		if (grown == NULL)
			return callsync_doc_error(err, where, NULL, "Out of memory.");
		step->deps = grown;
		if (!json_is_string(json_array_get(after, i)))
			return callsync_doc_error(err, where, NULL, "\"after\" is a list of steps.");
		grown[step->ndeps++].step = json_string_value(json_array_get(after, i));
	}
	return true;
}

static bool
waits_for(const CallsyncStep *step, const CallsyncStep *other)
{
	for (int k = 0; k < step->ndeps; k++)
		if (strcmp(step->deps[k].step, other->name) == 0)
			return true;
	return false;
}

/* Resolves names between steps, once all are there. */
static bool
link_steps(CallsyncConnector *c, CallsyncDocError *err)
{
	char		where[200];

	for (int i = 0; i < c->nsteps; i++)
	{
		CallsyncStep *step = &c->steps[i];

		snprintf(where, sizeof(where), "/steps/%s", step->name);
		for (int k = 0; k < step->ndeps; k++)
		{
			CallsyncDep *dep = (CallsyncDep *) &step->deps[k];
			size_t		len = strlen(dep->step);
			const CallsyncStep *target;

			dep->required = true;
			if (len > 0 && dep->step[len - 1] == '?')
			{
				dep->required = false;
				len--;
			}
			target = find_step(c, dep->step, len);
			if (target == NULL || target == step)
				return callsync_doc_unknown("\"after\" names \"%.60s\", which is not another step.", dep->step, "Steps",
											json_object_get(c->document, "steps"), where, err);
			dep->step = target->name;
		}
	}
	/* their order decides what is written last: it has to be said, whichever comes first */
	for (int i = 0; i < c->nsteps; i++)
	{
		const CallsyncStep *step = &c->steps[i];
		const CallsyncStep *of = step->record_of ? find_step(c, step->record_of, strlen(step->record_of)) : NULL;

		if (step->record_of != NULL && (of == NULL || (!waits_for(step, of) && !waits_for(of, step))))
		{
			snprintf(where, sizeof(where), "/steps/%s", step->name);
			return callsync_doc_error(err, where, NULL, "A step with \"record_of\" must be \"after\" that step, or that step after it.");
		}
	}
	return true;
}

static bool
in_place(const CallsyncStep *sorted, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (strcmp(sorted[i].name, name) == 0)
			return true;
	return false;
}

static bool
sort_steps(CallsyncConnector *c, CallsyncDocError *err)
{
	CallsyncStep *sorted = calloc((size_t) c->nsteps + 1, sizeof(CallsyncStep));
	bool	   *used = calloc((size_t) c->nsteps + 1, sizeof(bool));
	int			n = 0;

	if (sorted == NULL || used == NULL)
	{
		free(sorted);
		free(used);
		return callsync_doc_error(err, "/steps", NULL, "Out of memory.");
	}
	while (n < c->nsteps)
	{
		int			best = -1;

		for (int i = 0; i < c->nsteps; i++)
		{
			const CallsyncStep *step = &c->steps[i];
			bool		ready = !used[i];

			for (int k = 0; k < step->ndeps && ready; k++)
				ready = in_place(sorted, n, step->deps[k].step);
			if (ready && (best < 0 || step->priority < c->steps[best].priority ||
						  (step->priority == c->steps[best].priority && strcmp(step->name, c->steps[best].name) < 0)))
				best = i;
		}
		if (best < 0)
		{
			free(sorted);
			free(used);
			return callsync_doc_error(err, "/steps", NULL, "Steps wait for each other in a circle.");
		}
		used[best] = true;
		sorted[n++] = c->steps[best];
	}
	memcpy(c->steps, sorted, sizeof(CallsyncStep) * (size_t) c->nsteps);
	free(sorted);
	free(used);
	return true;
}

bool
callsync_connector_parse_steps(CallsyncConnector *c, const json_t *steps, CallsyncDocError *err)
{
	const char *name;
	json_t	   *doc;

	if (steps == NULL)
		return true;
	if (!callsync_doc_is(steps, JSON_OBJECT, "", "steps", err))
		return false;
	c->steps = calloc(json_object_size(steps) + 1, sizeof(CallsyncStep));
	if (c->steps == NULL)
		return callsync_doc_error(err, "/steps", NULL, "Out of memory.");
	json_object_foreach((json_t *) steps, name, doc)
	{
		if (!parse_step(c, &c->steps[c->nsteps++], name, doc, err))
			return false;
	}
	return link_steps(c, err) && sort_steps(c, err);
}

void
callsync_connector_free_steps(CallsyncConnector *c)
{
	for (int i = 0; i < c->nsteps; i++)
	{
		struct CallsyncStepImpl *impl = (struct CallsyncStepImpl *) c->steps[i].impl;

		free((void *) c->steps[i].deps);
		if (impl == NULL)
			continue;
		callsync_cond_free(impl->when);
		for (int k = 0; k < impl->nops; k++)
			callsync_cond_free(impl->ops[k].when);
		free(impl->ops);
		free(impl);
	}
	free(c->steps);
}

int
callsync_connector_step_count(const CallsyncConnector *c)
{
	return c->nsteps;
}

const CallsyncStep *
callsync_connector_step_at(const CallsyncConnector *c, int n)
{
	return n >= 0 && n < c->nsteps ? &c->steps[n] : NULL;
}

const CallsyncStep *
callsync_connector_step(const CallsyncConnector *c, const char *name)
{
	return find_step(c, name, strlen(name));
}

bool
callsync_step_applies(const CallsyncConnector *c, const CallsyncStep *step, const CallsyncRenderInput *input)
{
	CallsyncRenderInput with_vars = *input;

	with_vars.vars = c->vars;
	return callsync_cond_holds(step->impl->when, &with_vars);
}

const CallsyncOp *
callsync_step_op(const CallsyncConnector *c, const CallsyncStep *step, const CallsyncRenderInput *input)
{
	CallsyncRenderInput with_vars = *input;

	with_vars.vars = c->vars;
	for (int i = 0; i < step->impl->nops; i++)
		if (callsync_cond_holds(step->impl->ops[i].when, &with_vars))
			return step->impl->ops[i].op;
	return NULL;
}

void
callsync_step_paths(const CallsyncStep *step, void (*fn) (void *arg, const char *path, bool optional), void *arg)
{
	callsync_cond_paths(step->impl->when, fn, arg);
	for (int i = 0; i < step->impl->nops; i++)
		callsync_cond_paths(step->impl->ops[i].when, fn, arg);
	if (step->id_from != NULL)
		fn(arg, step->id_from, true);
}
