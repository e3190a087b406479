/*
 * model_json.c
 *		Models as they are stored; see model_json.h.
 */
#include "postgres.h"

#include "core/phone.h"
#include "pg/json.h"
#include "store/model_json.h"

static void
take(const json_t *object, const char *key, double *value, double low, double high)
{
	const json_t *v = json_object_get(object, key);

	if (json_is_number(v))
		*value = Min(Max(json_number_value(v), low), high);
}

static void
take_levels(const json_t *object, double table[CALLSYNC_ON_FIELDS][CALLSYNC_LEVELS])
{
	for (int f = 0; f < CALLSYNC_ON_FIELDS; f++)
	{
		const json_t *levels = json_object_get(object, callsync_on_name((CallsyncOn) f));

		for (int l = 1; l < callsync_level_count((CallsyncOn) f); l++)
			take(levels, callsync_level_name((CallsyncOn) f, l), &table[f][l], 1e-9, 1.0);
	}
}

void
callsync_model_from_json(CallsyncModel *model, const char *text)
{
	const json_t *object = callsync_json_parse(text, NULL);

	take(object, "lambda", &model->lambda, 0.01, 0.999);
	take(object, "rho", &model->rho, 0.001, 0.9);
	take(object, "rho_email", &model->rho_email, 0.0001, 0.9);
	take(object, "household", &model->household, 0.0, 0.99);
	take_levels(json_object_get(object, "m"), model->m);
	take_levels(json_object_get(object, "u"), model->u);
}

static json_t *
give_levels(const double table[CALLSYNC_ON_FIELDS][CALLSYNC_LEVELS])
{
	json_t	   *object = callsync_json_object();

	for (int f = 0; f < CALLSYNC_ON_FIELDS; f++)
	{
		json_t	   *levels = callsync_json_object();

		for (int l = 1; l < callsync_level_count((CallsyncOn) f); l++)
			json_object_set_new(levels, callsync_level_name((CallsyncOn) f, l), json_real(table[f][l]));
		json_object_set_new(object, callsync_on_name((CallsyncOn) f), levels);
	}
	return object;
}

char *
callsync_model_to_json(const CallsyncModel *model)
{
	json_t	   *object = callsync_json_keep(callsync_json_object());

	json_object_set_new(object, "lambda", json_real(model->lambda));
	json_object_set_new(object, "rho", json_real(model->rho));
	json_object_set_new(object, "rho_email", json_real(model->rho_email));
	json_object_set_new(object, "household", json_real(model->household));
	json_object_set_new(object, "m", give_levels(model->m));
	json_object_set_new(object, "u", give_levels(model->u));
	return callsync_json_text(object);
}

static double
number(const json_t *object, const char *key, double otherwise, double low, double high)
{
	const json_t *value = json_object_get(object, key);
	double		x = json_is_number(value) ? json_number_value(value) : otherwise;

	return x < low ? low : x > high ? high : x;
}

void
callsync_policy_from_json(const char *text, CallsyncPolicy *policy, int *region)
{
	json_t	   *options = callsync_json_parse(text, NULL);
	const json_t *thresholds = json_object_get(options, "thresholds");
	const json_t *identifiers = json_object_get(options, "identifiers");
	const char *name = callsync_json_string(options, "region");

	if (name != NULL)
		*region = callsync_region_lookup(name, strlen(name));
	policy->match = number(thresholds, "match", policy->match, 0.5, 1.0);
	policy->review = number(thresholds, "review", policy->review, 0.0, policy->match);
	if (json_is_array(identifiers))
	{
		policy->nidentifiers = 0;
		for (size_t i = 0; i < json_array_size(identifiers) && policy->nidentifiers < CALLSYNC_IDENTIFIERS; i++)
		{
			const char *word = json_string_value(json_array_get(identifiers, i));
			int			id = word ? callsync_identifier_lookup(word) : -1;

			if (id >= 0)
				policy->identifier[policy->nidentifiers++] = (CallsyncIdentifier) id;
		}
	}
}

char *
callsync_json_member(const char *object, const char *key)
{
	const json_t *value = json_object_get(callsync_json_parse(object, NULL), key);

	if (json_is_string(value))
		return pstrdup(json_string_value(value));
	if (json_is_integer(value))
		return psprintf("%lld", (long long) json_integer_value(value));
	if (json_is_real(value))
		return psprintf("%.15g", json_real_value(value));
	return NULL;
}
