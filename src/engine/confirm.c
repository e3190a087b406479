/*
 * confirm.c
 *		Sent is not stored: what a read back proves, field by field.
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/timestamp.h"

#include "core/compare.h"
#include "engine/engine_state.h"
#include "pg/json.h"

#define MAX_STORED_BYTES 500	/* of a stored value, in field_results */

/* What the destination says about the object's fields, over what the connector does */
static const json_t *
fields_spec(const CallsyncDestination *d, const char *object)
{
	const json_t *declared = callsync_connector_fields(d->connector, object);
	const json_t *described = json_object_get(d->schema, object);

	if (described == NULL)
		return declared;
	if (declared == NULL)
		return described;
	return callsync_json_keep(callsync_connector_merge(declared, described));
}

/* A stored value, short enough to be kept with every delivery */
static json_t *
short_value(const json_t *value)
{
	const char *text = json_string_value(value);

	if (text == NULL || strlen(text) <= MAX_STORED_BYTES)
		return json_deep_copy(value);
	return json_string(psprintf("%s...", pnstrdup(text, pg_mbcliplen(text, strlen(text), MAX_STORED_BYTES))));
}

void
callsync_confirm_item(CallsyncEngine *engine, CallsyncExchange *x, CallsyncItem *item,
					  const CallsyncOp *op, const CallsyncFound *found)
{
	const CallsyncDestination *d = x->dest->d;
	CallsyncResult *r = &item->result;
	const json_t *sent = json_object_get(item->context, "record");
	int			max = (int) json_object_size(sent);
	CallsyncFieldResult *results = palloc0(sizeof(CallsyncFieldResult) * Max(max, 1));
	json_t	   *notable = callsync_json_keep(callsync_json_object());
	json_t	   *missing = callsync_json_keep(json_array());
	int			n,
				lost = 0,
				altered = 0,
				unverified = 0;

	n = callsync_compare_record(d->connector, op, item->row->object, fields_spec(d, item->row->object),
								sent, found->fields, results, max);
	n = Min(n, max);
	for (int i = 0; i < n; i++)
	{
		const CallsyncFieldResult *f = &results[i];
		json_t	   *entry;

		switch (f->state)
		{
			case CALLSYNC_FIELD_CONFIRMED:
				continue;
			case CALLSYNC_FIELD_MISSING:
			case CALLSYNC_FIELD_REJECTED:
				lost++;
				if (strcmp(f->reason, CALLSYNC_COMPARE_ABSENT) == 0)
				{
					if (r->unseen == NULL)
						r->unseen = callsync_json_keep(json_array());
					json_array_append_new(r->unseen, json_string(f->field));
				}
				json_array_append_new(missing, json_string(psprintf("%s.%s", item->row->object, f->field)));
				break;
			case CALLSYNC_FIELD_ALTERED:
				altered++;
				break;
			case CALLSYNC_FIELD_UNVERIFIED:
				unverified++;
				break;
		}
		entry = callsync_json_object();
		json_object_set_new(entry, "state", json_string(callsync_field_state_name(f->state)));
		if (f->stored != NULL)
			json_object_set_new(entry, "stored", short_value(f->stored));
		if (f->reason[0] != '\0')
			json_object_set_new(entry, "reason", json_string(f->reason));
		json_object_set_new(notable, f->field, entry);
	}

	r->kind = CALLSYNC_RESULT_SETTLED;
	r->confirmation = "read_back";
	r->in_doubt = false;
	if (json_object_size(notable) > 0)
		r->field_results = callsync_json_text(notable);
	/* the record may have been merged into another meanwhile */
	if (found->id[0] != '\0' && r->record_id != NULL && strcmp(found->id, r->record_id) != 0)
	{
		r->record_id = pstrdup(found->id);
		r->created = true;
	}
	if (lost + altered == 0)
	{
		r->state = unverified == n && n > 0 ? CALLSYNC_STEP_SENT : CALLSYNC_STEP_CONFIRMED;
		return;
	}
	r->missing = missing;
	r->error_class = "partial";
	r->state = lost == n ? CALLSYNC_STEP_SILENT : CALLSYNC_STEP_PARTIAL;
	r->last_error = lost > 0
		? psprintf("%d of %d fields were accepted but are not stored%s", lost, n, altered > 0 ? ", others are stored differently" : "")
		: psprintf("%d of %d fields are stored differently from what was sent", altered, n);
	r->remedy = "See callsync.field_writes for the fields. Usual causes: no write permission for the integration's user, a renamed field, automation at the destination. When that is mended: callsync.resync().";
	if (r->state == CALLSYNC_STEP_SILENT)
		r->dead = true;
}
