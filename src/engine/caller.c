/*
 * caller.c
 *		Which contact of a destination a call belongs to.
 *
 * A decision is taken once per call and destination and then kept: later versions
 * of the call must not wander to another contact. It is taken anew while the
 * call has no contact yet, or when a reviewer asked for it.
 */
#include "postgres.h"

#include "core/person_key.h"
#include "engine/caller.h"
#include "engine/lookup.h"
#include "pg/json.h"
#include "store/contact_pending.h"
#include "store/match.h"
#include "store/match_config.h"

static const char *
caller_text(const json_t *document, const char *key)
{
	const json_t *caller = json_object_get(document, "caller");
	const json_t *value = json_object_get(caller, key);
	const char *text = json_string_value(value);

	if (json_is_integer(value))
		return psprintf(INT64_FORMAT, (int64) json_integer_value(value));
	return text && text[0] ? text : NULL;
}

/*
 * The key of a new contact: by what identifies the person, so that a second
 * installation step, a retry or a lost answer meets the same record.
 */
static const char *
new_contact_key(const CallsyncDestination *d, const CallsyncPlanCall *call,
				const CallsyncMatchInput *input, bool ambiguous)
{
	char		e164[32];

	/* somebody else may own the line: this contact is the call's own */
	if (!ambiguous)
	{
		if (input->phone && callsync_person_e164(input->phone, strlen(input->phone), input->region, e164, sizeof(e164)))
			return psprintf("tel:%s", e164);
		if (input->spoken_phone &&
			callsync_person_e164(input->spoken_phone, strlen(input->spoken_phone), input->region, e164, sizeof(e164)))
			return psprintf("tel:%s", e164);
		if (input->email)
			return psprintf("mailto:%s", input->email);
	}
	return psprintf("call:%s/%s", call->row->source, call->row->call_id);
}

/* of a contact whose create is under way or has failed */
#define PROVISIONAL "callsync:"

static bool
is_provisional(const char *contact_id)
{
	return strncmp(contact_id, PROVISIONAL, strlen(PROVISIONAL)) == 0;
}

static void
use_known_contact(CallsyncDestination *d, CallsyncCaller *caller, const char *contact_id)
{
	if (is_provisional(contact_id))
	{
		caller->contact_key = pstrdup(contact_id + strlen(PROVISIONAL));
		/* the CRM may have answered since the mirror was looked at */
		caller->contact_id = callsync_contact_id_of_key(d->name, caller->contact_key);
		return;
	}
	caller->contact_id = pstrdup(contact_id);
	caller->contact_key = callsync_contact_key(d->name, contact_id);
	if (caller->contact_key == NULL)
		caller->contact_key = psprintf("id:%s", contact_id);
}

/* What the call says beside: evidence where the destination has match fields. */
static const char *
further_evidence(const CallsyncDestination *d, const json_t *document)
{
	json_t	   *all;

	if (callsync_match_config(d->name)->model.nextra == 0)
		return NULL;
	all = callsync_json_keep(json_is_object(json_object_get(document, "fields")) ?
							 json_copy(json_object_get(document, "fields")) : callsync_json_object());
	json_object_update(all, json_object_get(document, "caller"));
	return callsync_json_text(all);
}

static void
match_input(const CallsyncDestination *d, const CallsyncPlanCall *call, CallsyncMatchInput *input)
{
	memset(input, 0, sizeof(*input));
	input->destination = d->name;
	input->phone = caller_text(call->document, "phone");
	input->spoken_phone = caller_text(call->document, "spoken_phone");
	input->email = caller_text(call->document, "email");
	input->name = caller_text(call->document, "name");
	input->postal_code = caller_text(call->document, "postal_code");
	input->account_id = caller_text(call->document, "account_id");
	input->region = d->region ? d->region : call->region;
	input->fields = further_evidence(d, call->document);
}

int
callsync_caller_lock_keys(CallsyncDestination *d, const CallsyncPlanCall *call,
						  const CallsyncPlanBase *base, uint32 *keys)
{
	CallsyncMatchInput input;

	if (base != NULL && base->match_decision != NULL && base->contact_record_id != NULL &&
		strcmp(call->origin, "review") != 0)
		return 0;
	if (caller_text(call->document, "existing_contact_id") != NULL)
		return 0;
	match_input(d, call, &input);
	return callsync_match_lock_keys(&input, keys);
}

/*
 * Is what the mirror says not enough? Then the next operation to ask the destination
 * with, NULL where it is or where there is no (other) way to ask.
 */
static const CallsyncOp *
ask_with(const CallsyncDestination *d, const CallsyncPlanCall *call, const CallsyncMatchInput *input,
		 const CallsyncMatch *match, const char *asked)
{
	/* nothing is sent in a dry run, questions neither */
	if (d->lookup == CALLSYNC_LOOKUP_MIRROR || d->dry_run || d->connector == NULL)
		return NULL;
	if (match->decision == CALLSYNC_DECIDE_MATCH &&
		(d->lookup == CALLSYNC_LOOKUP_MIRROR_THEN_REMOTE || asked != NULL || is_provisional(match->contact_id)))
		return NULL;
	return callsync_lookup_op(d->connector, callsync_lookup_find(d, call->document, input->region), asked);
}

/*
 * What a person has said stands above any score.  true: it decides; the first time
 * it is kept as a decision of its own.
 */
static bool
use_verdict(CallsyncPlan *plan, CallsyncDestination *d, CallsyncPlanCall *call, const CallsyncPlanBase *base, CallsyncCaller *caller)
{
	CallsyncMatch *verdict = callsync_match_verdict(d->name, call->row->source, call->row->call_id);
	CallsyncMatchInput input;

	if (verdict == NULL)
		return false;
	match_input(d, call, &input);
	callsync_caller_batch_record(plan->callers, call->row->source, call->row->call_id, &input, verdict);
	caller->decision = callsync_decision_name(verdict->decision);
	caller->probability = verdict->probability;
	caller->explanation = verdict->explanation;
	if (verdict->decision == CALLSYNC_DECIDE_MATCH)
	{
		callsync_contact_surplus(d->name, call->row->source, call->row->call_id);
		use_known_contact(d, caller, verdict->contact_id);
	}
	else if (base != NULL && base->match_decision != NULL && strcmp(base->match_decision, "match") != 0 && base->contact_record_id != NULL)
		/* written as a new contact while nobody had decided: that is the one */
		use_known_contact(d, caller, base->contact_record_id);
	else
	{
		/* not the one whose line it is: a contact of the call's own */
		caller->contact_key = new_contact_key(d, call, &input, true);
		caller->contact_id = callsync_contact_id_of_key(d->name, caller->contact_key);
	}
	return true;
}

void
callsync_caller_resolve(CallsyncPlan *plan, CallsyncDestination *d, CallsyncPlanCall *call,
						const CallsyncPlanBase *base, CallsyncCaller *caller)
{
	CallsyncMatchInput input;
	const char *existing = caller_text(call->document, "existing_contact_id");
	CallsyncMatch *match;
	bool		redecide = strcmp(call->origin, "review") == 0;
	const char *asked;
	CallsyncLookupProgress progress = callsync_lookup_progress(base && base->steps ?
															   callsync_json_parse(base->steps, NULL) : NULL, &asked);

	memset(caller, 0, sizeof(*caller));
	caller->probability = -1;

	if (redecide && use_verdict(plan, d, call, base, caller))
		return;
	if (base != NULL && base->match_decision != NULL && !redecide)
	{
		caller->decision = base->match_decision;
		caller->probability = base->match_probability;
		caller->hold = strcmp(base->match_decision, "review") == 0 && d->hold_ambiguous &&
			base->contact_record_id == NULL;
		if (base->contact_record_id != NULL)
		{
			use_known_contact(d, caller, base->contact_record_id);
			return;
		}
		if (!caller->hold)
		{
			caller->contact_key = callsync_contact_key_of_call(d->name, call->row->source, call->row->call_id);
			if (caller->contact_key != NULL)
			{
				caller->contact_id = callsync_contact_id_of_key(d->name, caller->contact_key);
				return;
			}
		}
	}
	if (existing != NULL)
	{
		caller->decision = "match";
		caller->probability = 1.0;
		caller->explanation = "the call names the contact";
		use_known_contact(d, caller, existing);
		return;
	}

	if (progress == CALLSYNC_LOOKUP_OPEN && !redecide)
	{
		caller->asking = true;
		return;
	}
	match_input(d, call, &input);
	match = callsync_caller_batch_match(plan->callers, &input);
	if (!redecide)
		caller->ask = ask_with(d, call, &input, match, asked);
	if (caller->ask != NULL)
		return;
	callsync_caller_batch_record(plan->callers, call->row->source, call->row->call_id, &input, match);

	caller->explanation = match->explanation;
	if (match->decision == CALLSYNC_DECIDE_NEW &&
		!callsync_person_identified(input.phone, input.spoken_phone, input.email, input.name, input.region))
		return;					/* a withheld number and nothing else: nobody to write */

	caller->decision = callsync_decision_name(match->decision);
	caller->probability = match->probability;
	if (match->decision == CALLSYNC_DECIDE_MATCH)
	{
		use_known_contact(d, caller, match->contact_id);
		caller->expected = is_provisional(match->contact_id);
		return;
	}
	if (match->decision == CALLSYNC_DECIDE_REVIEW && d->hold_ambiguous)
	{
		caller->hold = true;
		return;
	}
	caller->contact_key = new_contact_key(d, call, &input, match->decision == CALLSYNC_DECIDE_REVIEW);
	caller->contact_id = callsync_contact_id_of_key(d->name, caller->contact_key);
}

void
callsync_caller_expect(CallsyncPlan *plan, CallsyncDestination *d, CallsyncPlanCall *call, const CallsyncCaller *caller)
{
	CallsyncContactClaim claim = {d->name, caller->contact_key, call->row->source, call->row->call_id};
	CallsyncExpectedContact contact = {d->name, caller->contact_key};
	const char *name = caller_text(call->document, "name");
	char		e164[32];

	/* a contact that callsync did not make has no key of ours */
	if (strncmp(caller->contact_key, "id:", 3) == 0)
		return;
	if (caller->contact_id != NULL || caller->expected)
	{
		callsync_caller_batch_claim(plan->callers, &claim);
		return;
	}
	if (name != NULL)
		callsync_contact_split_name(name, &contact.first_name, &contact.last_name);
	contact.email = caller_text(call->document, "email");
	contact.phone = caller_text(call->document, "phone");
	contact.postal_code = caller_text(call->document, "postal_code");
	/* a withheld number would make strangers alike */
	if (contact.phone != NULL && !callsync_person_e164(contact.phone, strlen(contact.phone), d->region ? d->region : call->region, e164, sizeof(e164)))
		contact.phone = NULL;
	if (contact.phone == NULL)
		contact.phone = caller_text(call->document, "spoken_phone");
	callsync_caller_batch_expect(plan->callers, &claim, &contact);
}
