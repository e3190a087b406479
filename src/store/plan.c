/*
 * plan.c
 *		What the planner knows of earlier plans of a call, and what it writes.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "pg/rows.h"
#include "store/plan.h"

static CallsyncStmt stmt_base = {
	.sql = "SELECT k.source, k.call_id, s.destination, s.status, s.steps::text, s.match_decision, s.match_probability, s.contact_record_id, "
	"s.trace_id, s.captured_at, s.day, "
	"(SELECT pg_catalog.jsonb_object_agg(l.step, pg_catalog.jsonb_build_object('id', l.record_id, 'key', l.idempotency_key))::text "
	" FROM callsync.record_link l WHERE l.destination OPERATOR(pg_catalog.=) s.destination AND l.source OPERATOR(pg_catalog.=) k.source "
	" AND l.call_id OPERATOR(pg_catalog.=) k.call_id) "
	"FROM unnest($1::text[], $2::text[]) AS k(source, call_id) "
	"JOIN callsync.sync_state s ON s.source OPERATOR(pg_catalog.=) k.source AND s.call_id OPERATOR(pg_catalog.=) k.call_id",
	.nargs = 2, .argtypes = {TEXTARRAYOID, TEXTARRAYOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_delivery = {
	.sql = "INSERT INTO callsync.delivery (id, day, source, call_id, destination, step, object, operation, state, record_id, depends_on, "
	"idempotency_key, shard, priority, origin, ordering_key, call_version, map_version, fields, context, trace_id, next_attempt_at, created_at, "
	"remedy, last_error) "
	"SELECT u.id, u.day, u.source, u.call_id, u.destination, u.step, u.object, u.operation, u.state, u.record_id, u.depends_on::int8[], "
	"u.idempotency_key, u.shard, u.priority, u.origin, u.ordering_key, u.call_version, u.map_version, u.fields::jsonb, u.context::jsonb, "
	"u.trace_id, u.due_at, u.created_at, u.remedy, u.last_error "
	"FROM unnest($1::int8[], $2::date[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], "
	"$11::text[], $12::text[], $13::int2[], $14::int2[], $15::text[], $16::text[], $17::int4[], $18::int4[], $19::text[], $20::text[], $21::text[], "
	"$22::timestamptz[], $23::timestamptz[], $24::text[], $25::text[]) "
	"AS u(id, day, source, call_id, destination, step, object, operation, state, record_id, depends_on, idempotency_key, shard, priority, origin, "
	"ordering_key, call_version, map_version, fields, context, trace_id, due_at, created_at, remedy, last_error)",
	.nargs = 25,
	.argtypes = {INT8ARRAYOID, DATEARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT2ARRAYOID, INT2ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID,
		INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, TEXTARRAYOID, TEXTARRAYOID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_queue = {
	.sql = "INSERT INTO callsync.queue (delivery_id, day, shard, destination, priority, due_at) "
	"SELECT u.id, u.day, u.shard, u.destination, u.priority, u.due_at "
	"FROM unnest($1::int8[], $2::date[], $3::int2[], $4::text[], $5::int2[], $6::timestamptz[]) AS u(id, day, shard, destination, priority, due_at)",
	.nargs = 6, .argtypes = {INT8ARRAYOID, DATEARRAYOID, INT2ARRAYOID, TEXTARRAYOID, INT2ARRAYOID, TIMESTAMPTZARRAYOID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_state = {
	.sql = "INSERT INTO callsync.sync_state AS s (source, call_id, destination, status, failure_kind, stage, match_decision, match_probability, "
	"contact_record_id, steps, missing_fields, error_class, last_error, remedy, captured_at, ended_at, map_version, trace_id, call_version, day, updated_at, next_attempt_at) "
	"SELECT u.source, u.call_id, u.destination, u.status, u.failure_kind, u.stage, u.match_decision, u.match_probability, u.contact_record_id, "
	"u.steps::jsonb, u.missing_fields::text[], u.error_class, u.last_error, u.remedy, u.captured_at, u.ended_at, u.map_version, u.trace_id, "
	"u.call_version, u.day, u.updated_at, u.next_attempt_at "
	"FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::float8[], $9::text[], $10::text[], "
	"$11::text[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[], $17::int4[], $18::text[], $19::int4[], $20::date[], "
	"$21::timestamptz[], $22::timestamptz[]) AS u(source, call_id, destination, status, failure_kind, stage, match_decision, match_probability, contact_record_id, steps, "
	"missing_fields, error_class, last_error, remedy, captured_at, ended_at, map_version, trace_id, call_version, day, updated_at, next_attempt_at) "
	"ON CONFLICT (source, call_id, destination) DO UPDATE SET status = EXCLUDED.status, failure_kind = EXCLUDED.failure_kind, stage = EXCLUDED.stage, "
	"match_decision = EXCLUDED.match_decision, match_probability = EXCLUDED.match_probability, "
	"contact_record_id = COALESCE(EXCLUDED.contact_record_id, s.contact_record_id), steps = EXCLUDED.steps, "
	"missing_fields = EXCLUDED.missing_fields, error_class = EXCLUDED.error_class, last_error = EXCLUDED.last_error, remedy = EXCLUDED.remedy, "
	"ended_at = EXCLUDED.ended_at, map_version = EXCLUDED.map_version, call_version = EXCLUDED.call_version, updated_at = EXCLUDED.updated_at, "
	"next_attempt_at = EXCLUDED.next_attempt_at",
	.nargs = 22,
	.argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, FLOAT8ARRAYOID, TEXTARRAYOID,
		TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, INT4ARRAYOID, TEXTARRAYOID,
		INT4ARRAYOID, DATEARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_forget_validations = {
	.sql = "DELETE FROM callsync.validation_result v USING unnest($1::text[], $2::text[], $3::text[]) AS k(source, call_id, destination) "
	"WHERE v.source OPERATOR(pg_catalog.=) k.source AND v.call_id OPERATOR(pg_catalog.=) k.call_id AND v.destination OPERATOR(pg_catalog.=) k.destination",
	.nargs = 3, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID}, .returns = SPI_OK_DELETE
};

static CallsyncStmt stmt_validation = {
	.sql = "INSERT INTO callsync.validation_result (source, call_id, destination, step, field, rule, ok, source_path, message, checked_at) "
	"SELECT u.source, u.call_id, u.destination, u.step, u.field, u.rule, u.ok, u.source_path, u.message, u.checked_at "
	"FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::text[], $9::text[], $10::timestamptz[]) "
	"AS u(source, call_id, destination, step, field, rule, ok, source_path, message, checked_at) ON CONFLICT DO NOTHING",
	.nargs = 10, .argtypes = {TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, BOOLARRAYOID, TEXTARRAYOID,
		TEXTARRAYOID, TIMESTAMPTZARRAYOID},
	.returns = SPI_OK_INSERT
};

static CallsyncStmt stmt_supersede = {
	.sql = "UPDATE callsync.delivery d SET state = 'superseded', settled_at = $2, next_attempt_at = NULL "
	"WHERE d.id OPERATOR(pg_catalog.=) ANY ($1) AND d.state OPERATOR(pg_catalog.=) 'held'",
	.nargs = 2, .argtypes = {INT8ARRAYOID, TIMESTAMPTZOID}, .returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_partitions = {
	.sql = "SELECT callsync.make_partitions($1, $2)",
	.nargs = 2, .argtypes = {DATEOID, DATEOID}, .returns = SPI_OK_SELECT
};

/*
 * Dead and held deliveries only: what is in the queue, or settled well, stays as it is.
 */
static CallsyncStmt stmt_requeue = {
	.sql = "WITH back AS (UPDATE callsync.delivery d SET state = 'ready', settled_at = NULL, error_class = NULL, next_attempt_at = $2 "
	" WHERE d.id OPERATOR(pg_catalog.=) ANY ($1) AND d.state OPERATOR(pg_catalog.=) ANY ('{dead,failed,held,in_doubt}'::pg_catalog.text[]) "
	" AND NOT EXISTS (SELECT 1 FROM callsync.queue q WHERE q.delivery_id OPERATOR(pg_catalog.=) d.id) "
	" RETURNING d.id, d.day, d.shard, d.destination, d.priority), "
	"queued AS (INSERT INTO callsync.queue (delivery_id, day, shard, destination, priority, due_at) "
	" SELECT b.id, b.day, b.shard, b.destination, b.priority, $2 FROM back b RETURNING delivery_id), "
	/* its next tries bring bodies to a day that had none left */
	"days AS (DELETE FROM callsync.history_day h USING back b WHERE h.day OPERATOR(pg_catalog.=) b.day), "
	"letters AS (UPDATE callsync.dead_letter l SET redriven_at = $2 FROM queued q WHERE l.delivery_id OPERATOR(pg_catalog.=) q.delivery_id) "
	"SELECT q.delivery_id FROM queued q ORDER BY 1",
	.nargs = 2, .argtypes = {INT8ARRAYOID, TIMESTAMPTZOID}, .returns = SPI_OK_SELECT
};

/* What a read back once proved, and nothing has been sent for since */
static CallsyncStmt stmt_recheck = {
	.sql = "WITH back AS (UPDATE callsync.delivery d SET state = 'confirming', settled_at = NULL, next_attempt_at = $2 "
	" WHERE d.id OPERATOR(pg_catalog.=) ANY ($1) AND d.state OPERATOR(pg_catalog.=) ANY ('{confirmed,partial}'::pg_catalog.text[]) "
	" AND d.confirmation OPERATOR(pg_catalog.=) 'read_back' AND d.record_id IS NOT NULL "
	" AND NOT EXISTS (SELECT 1 FROM callsync.queue q WHERE q.delivery_id OPERATOR(pg_catalog.=) d.id) "
	" RETURNING d.id, d.day, d.shard, d.destination, d.priority), "
	"queued AS (INSERT INTO callsync.queue (delivery_id, day, shard, destination, priority, due_at) "
	" SELECT b.id, b.day, b.shard, b.destination, b.priority, $2 FROM back b RETURNING delivery_id), "
	"days AS (DELETE FROM callsync.history_day h USING back b WHERE h.day OPERATOR(pg_catalog.=) b.day) "
	"SELECT q.delivery_id FROM queued q ORDER BY 1",
	.nargs = 2, .argtypes = {INT8ARRAYOID, TIMESTAMPTZOID}, .returns = SPI_OK_SELECT
};

static Datum
int8_array(const int64 *ids, int n)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(ids[i]);
	return PointerGetDatum(construct_array(elements, n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

int
callsync_plan_base_load(const char *const *sources, const char *const *call_ids, int n,
						MemoryContext mcxt, CallsyncPlanBase **bases)
{
	static const Oid types[] = {TEXTOID, TEXTOID};
	CallsyncRows *keys = callsync_rows_create(2, types);
	uint64		rows;

	for (int i = 0; i < n; i++)
	{
		callsync_rows_begin(keys);
		callsync_rows_text(keys, sources[i]);
		callsync_rows_text(keys, call_ids[i]);
	}
	rows = callsync_rows_run(keys, &stmt_base);
	*bases = MemoryContextAllocZero(mcxt, sizeof(CallsyncPlanBase) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
	{
		CallsyncPlanBase *b = &(*bases)[i];
		bool		isnull;

		b->known = true;
		b->source = callsync_row_text(i, 1, mcxt);
		b->call_id = callsync_row_text(i, 2, mcxt);
		b->destination = callsync_row_text(i, 3, mcxt);
		b->status = callsync_row_text(i, 4, mcxt);
		b->steps = callsync_row_text(i, 5, mcxt);
		b->match_decision = callsync_row_text(i, 6, mcxt);
		b->match_probability = callsync_row_float8(i, 7, -1);
		b->contact_record_id = callsync_row_text(i, 8, mcxt);
		b->trace_id = callsync_row_text(i, 9, mcxt);
		b->captured_at = callsync_row_time(i, 10, 0);
		b->day = DatumGetDateADT(callsync_row_datum(i, 11, &isnull));
		b->links = callsync_row_text(i, 12, mcxt);
	}
	return (int) rows;
}

void
callsync_plan_write_deliveries(const CallsyncPlannedDelivery *deliveries, int n, TimestampTz now)
{
	static const Oid types[] = {INT8OID, DATEOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID,
		TEXTOID, TEXTOID, INT2OID, INT2OID, TEXTOID, TEXTOID, INT4OID, INT4OID, TEXTOID, TEXTOID, TEXTOID,
	TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID, TEXTOID};
	static const Oid queue_types[] = {INT8OID, DATEOID, INT2OID, TEXTOID, INT2OID, TIMESTAMPTZOID};
	CallsyncRows *rows = callsync_rows_create(lengthof(types), types);
	CallsyncRows *queue = callsync_rows_create(lengthof(queue_types), queue_types);

	for (int i = 0; i < n; i++)
	{
		const CallsyncPlannedDelivery *d = &deliveries[i];

		callsync_rows_begin(rows);
		callsync_rows_int8(rows, d->id);
		callsync_rows_datum(rows, DateADTGetDatum(d->day));
		callsync_rows_text(rows, d->source);
		callsync_rows_text(rows, d->call_id);
		callsync_rows_text(rows, d->destination);
		callsync_rows_text(rows, d->step);
		callsync_rows_text(rows, d->object);
		callsync_rows_text(rows, d->operation);
		callsync_rows_text(rows, d->state);
		callsync_rows_text(rows, d->record_id);
		callsync_rows_text(rows, d->depends_on);
		callsync_rows_text(rows, d->idempotency_key);
		callsync_rows_int2(rows, (int16) d->shard);
		callsync_rows_int2(rows, (int16) d->priority);
		callsync_rows_text(rows, d->origin);
		callsync_rows_text(rows, d->ordering_key);
		callsync_rows_int4(rows, d->call_version);
		callsync_rows_int4(rows, d->map_version);
		callsync_rows_text(rows, d->fields);
		callsync_rows_text(rows, d->context);
		callsync_rows_text(rows, d->trace_id);
		callsync_rows_time(rows, d->due_at);
		callsync_rows_time(rows, now);
		callsync_rows_text(rows, d->remedy);
		callsync_rows_text(rows, d->last_error);
		if (d->due_at == 0)
			continue;
		callsync_rows_begin(queue);
		callsync_rows_int8(queue, d->id);
		callsync_rows_datum(queue, DateADTGetDatum(d->day));
		callsync_rows_int2(queue, (int16) d->shard);
		callsync_rows_text(queue, d->destination);
		callsync_rows_int2(queue, (int16) d->priority);
		callsync_rows_time(queue, d->due_at);
	}
	callsync_rows_run(rows, &stmt_delivery);
	callsync_rows_run(queue, &stmt_queue);
}

void
callsync_plan_write_states(const CallsyncPlannedState *states, int n, TimestampTz now)
{
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, FLOAT8OID, TEXTOID, TEXTOID,
		TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, TEXTOID, INT4OID, DATEOID,
	TIMESTAMPTZOID, TIMESTAMPTZOID};
	CallsyncRows *rows = callsync_rows_create(lengthof(types), types);

	for (int i = 0; i < n; i++)
	{
		const CallsyncPlannedState *s = &states[i];

		callsync_rows_begin(rows);
		callsync_rows_text(rows, s->source);
		callsync_rows_text(rows, s->call_id);
		callsync_rows_text(rows, s->destination);
		callsync_rows_text(rows, s->status);
		callsync_rows_text(rows, s->failure_kind);
		callsync_rows_text(rows, s->stage);
		callsync_rows_text(rows, s->match_decision);
		if (s->match_probability < 0)
			callsync_rows_null(rows);
		else
			callsync_rows_float8(rows, s->match_probability);
		callsync_rows_text(rows, s->contact_record_id);
		callsync_rows_text(rows, s->steps);
		callsync_rows_text(rows, s->missing_fields);
		callsync_rows_text(rows, s->error_class);
		callsync_rows_text(rows, s->last_error);
		callsync_rows_text(rows, s->remedy);
		callsync_rows_time(rows, s->captured_at);
		callsync_rows_time(rows, s->ended_at);
		callsync_rows_int4(rows, s->map_version);
		callsync_rows_text(rows, s->trace_id);
		callsync_rows_int4(rows, s->call_version);
		callsync_rows_datum(rows, DateADTGetDatum(s->day));
		callsync_rows_time(rows, now);
		callsync_rows_time(rows, s->next_attempt_at);
	}
	callsync_rows_run(rows, &stmt_state);
}

void
callsync_plan_write_validations(const CallsyncValidation *results, int n,
								const CallsyncPlannedState *states, int nstates, TimestampTz now)
{
	static const Oid key_types[] = {TEXTOID, TEXTOID, TEXTOID};
	static const Oid types[] = {TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, BOOLOID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	CallsyncRows *keys = callsync_rows_create(lengthof(key_types), key_types);
	CallsyncRows *rows = callsync_rows_create(lengthof(types), types);

	for (int i = 0; i < nstates; i++)
	{
		/* a first plan has nothing to replace */
		if (states[i].call_version <= 1)
			continue;
		callsync_rows_begin(keys);
		callsync_rows_text(keys, states[i].source);
		callsync_rows_text(keys, states[i].call_id);
		callsync_rows_text(keys, states[i].destination);
	}
	callsync_rows_run(keys, &stmt_forget_validations);
	for (int i = 0; i < n; i++)
	{
		const CallsyncValidation *v = &results[i];

		callsync_rows_begin(rows);
		callsync_rows_text(rows, v->source);
		callsync_rows_text(rows, v->call_id);
		callsync_rows_text(rows, v->destination);
		callsync_rows_text(rows, v->step);
		callsync_rows_text(rows, v->field);
		callsync_rows_text(rows, v->rule);
		callsync_rows_bool(rows, v->ok);
		callsync_rows_text(rows, v->source_path);
		callsync_rows_text(rows, v->message);
		callsync_rows_time(rows, now);
	}
	callsync_rows_run(rows, &stmt_validation);
}

void
callsync_plan_supersede(const int64 *ids, int n, TimestampTz now)
{
	Datum		values[2];

	if (n == 0)
		return;
	values[0] = int8_array(ids, n);
	values[1] = TimestampTzGetDatum(now);
	callsync_stmt_run(&stmt_supersede, values, NULL, false, 0);
}

void
callsync_plan_new_ids(int64 *ids, int n)
{
	Oid			seqid = get_relname_relid("delivery_id", get_namespace_oid("callsync", false));

	for (int i = 0; i < n; i++)
		ids[i] = nextval_internal(seqid, false);
}

void
callsync_plan_make_partitions(DateADT first, DateADT last)
{
	Datum		values[2] = {DateADTGetDatum(first), DateADTGetDatum(last)};

	callsync_stmt_run(&stmt_partitions, values, NULL, false, 0);
}

static int
into_queue(CallsyncStmt *stmt, const int64 *ids, int n, TimestampTz now, int64 *requeued)
{
	Datum		values[2] = {int8_array(ids, n), TimestampTzGetDatum(now)};
	uint64		rows;

	if (n == 0)
		return 0;
	rows = callsync_stmt_run(stmt, values, NULL, false, 0);
	for (uint64 i = 0; i < rows; i++)
		requeued[i] = callsync_row_int64(i, 1, 0);
	return (int) rows;
}

int
callsync_plan_requeue(const int64 *ids, int n, TimestampTz now, int64 *requeued)
{
	return into_queue(&stmt_requeue, ids, n, now, requeued);
}

int
callsync_plan_recheck(const int64 *ids, int n, TimestampTz now, int64 *requeued)
{
	return into_queue(&stmt_recheck, ids, n, now, requeued);
}
