/*
 * delivery.c
 *		Rows of delivery and queue as the worker reads and writes them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/rows.h"
#include "store/day_stmt.h"
#include "store/delivery.h"

#define EQ " OPERATOR(pg_catalog.=) "

/* ---- queue ---- */

static CallsyncStmt stmt_next_priority = {
	.sql = "SELECT pg_catalog.min(q.priority) FROM callsync.queue q WHERE q.destination" EQ "$1 "
	"AND q.priority OPERATOR(pg_catalog.>) $2",
	.nargs = 2, .argtypes = {TEXTOID, INT2OID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_scan = {
	.sql = "SELECT q.delivery_id, q.day, q.shard, q.priority, q.destination, q.due_at FROM callsync.queue q "
	"WHERE q.destination" EQ "$1 AND q.priority" EQ "$2 AND q.delivery_id OPERATOR(pg_catalog.>) $3 "
	"ORDER BY q.delivery_id LIMIT $4",
	.nargs = 4, .argtypes = {TEXTOID, INT2OID, INT8OID, INT8OID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_find = {
	.sql = "SELECT q.delivery_id, q.day, q.shard, q.priority, q.destination, q.due_at "
	/* (see DELIVERY_OF_KEYS) */
	"FROM unnest($1::pg_catalog.int8[]) AS k(id) CROSS JOIN LATERAL "
	"(SELECT * FROM callsync.queue i WHERE i.delivery_id" EQ "k.id OFFSET 0) q ORDER BY q.delivery_id",
	.nargs = 1, .argtypes = {INT8ARRAYOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_queue_delete = {
	.sql = "DELETE FROM callsync.queue q USING unnest($1::pg_catalog.int8[]) AS k(id) WHERE q.delivery_id" EQ "k.id",
	.nargs = 1, .argtypes = {INT8ARRAYOID}, .returns = SPI_OK_DELETE
};

static CallsyncStmt stmt_set_due = {
	.sql = "UPDATE callsync.queue q SET due_at = k.due_at "
	"FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.timestamptz[]) AS k(id, due_at) WHERE q.delivery_id" EQ "k.id",
	.nargs = 2, .argtypes = {INT8ARRAYOID, TIMESTAMPTZARRAYOID}, .returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_hasten = {
	.sql = "UPDATE callsync.queue q SET due_at = $2 FROM callsync.delivery d WHERE q.destination" EQ "$1 "
	"AND q.due_at OPERATOR(pg_catalog.>) $2 AND d.id" EQ "q.delivery_id AND d.day" EQ "q.day "
	"AND d.state" EQ "ANY ('{waiting_retry,in_doubt,confirming}'::pg_catalog.text[]) "
	"AND (1::pg_catalog.int8 OPERATOR(pg_catalog.<<) q.shard::pg_catalog.int4) OPERATOR(pg_catalog.&) $3 OPERATOR(pg_catalog.<>) 0",
	.nargs = 3, .argtypes = {TEXTOID, TIMESTAMPTZOID, INT8OID}, .returns = SPI_OK_UPDATE
};

static CallsyncStmt stmt_count = {
	.sql = "SELECT pg_catalog.count(*) FROM (SELECT 1 FROM callsync.queue q WHERE q.destination" EQ "$1 LIMIT $2) x",
	.nargs = 2, .argtypes = {TEXTOID, INT8OID}, .returns = SPI_OK_SELECT
};

static Datum
int8_array(const int64 *ids, int n)
{
	Datum	   *elements = palloc(sizeof(Datum) * Max(n, 1));

	for (int i = 0; i < n; i++)
		elements[i] = Int64GetDatum(ids[i]);
	return PointerGetDatum(construct_array(elements, n, INT8OID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

bool
callsync_queue_next_priority(const char *destination, int above, int *priority)
{
	Datum		values[2] = {CStringGetTextDatum(destination), Int16GetDatum((int16) above)};
	bool		isnull;
	Datum		d;

	callsync_stmt_run(&stmt_next_priority, values, NULL, false, 0);
	d = callsync_row_datum(0, 1, &isnull);
	if (!isnull)
		*priority = DatumGetInt16(d);
	return !isnull;
}

static int
read_queue(uint64 n, MemoryContext mcxt, CallsyncQueueRow **rows)
{
	*rows = MemoryContextAllocHuge(mcxt, sizeof(CallsyncQueueRow) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		CallsyncQueueRow *r = &(*rows)[i];
		bool		isnull;

		r->id = callsync_row_int64(i, 1, 0);
		r->day = DatumGetDateADT(callsync_row_datum(i, 2, &isnull));
		r->shard = DatumGetInt16(callsync_row_datum(i, 3, &isnull));
		r->priority = DatumGetInt16(callsync_row_datum(i, 4, &isnull));
		r->destination = callsync_row_text(i, 5, mcxt);
		r->due_at = callsync_row_time(i, 6, 0);
	}
	return (int) n;
}

int
callsync_queue_scan(const char *destination, int priority, int64 after, int limit,
					MemoryContext mcxt, CallsyncQueueRow **rows)
{
	Datum		values[4] = {CStringGetTextDatum(destination), Int16GetDatum((int16) priority),
	Int64GetDatum(after), Int64GetDatum(limit)};

	return read_queue(callsync_stmt_run(&stmt_scan, values, NULL, false, 0), mcxt, rows);
}

int
callsync_queue_find(const int64 *ids, int n, MemoryContext mcxt, CallsyncQueueRow **rows)
{
	Datum		value = int8_array(ids, n);

	return read_queue(callsync_stmt_run(&stmt_find, &value, NULL, false, 0), mcxt, rows);
}

void
callsync_queue_delete(const int64 *ids, int n)
{
	Datum		value;

	if (n == 0)
		return;
	value = int8_array(ids, n);
	callsync_stmt_run(&stmt_queue_delete, &value, NULL, false, 0);
}

void
callsync_queue_set_due(const int64 *ids, const TimestampTz *due_at, int n)
{
	static const Oid types[] = {INT8OID, TIMESTAMPTZOID};
	CallsyncRows *rows;

	if (n == 0)
		return;
	rows = callsync_rows_create(2, types);
	for (int i = 0; i < n; i++)
	{
		callsync_rows_begin(rows);
		callsync_rows_int8(rows, ids[i]);
		callsync_rows_time(rows, due_at[i]);
	}
	callsync_rows_run(rows, &stmt_set_due);
}

int
callsync_queue_hasten(const char *destination, TimestampTz at, uint64 shards)
{
	Datum		values[3] = {CStringGetTextDatum(destination), TimestampTzGetDatum(at), Int64GetDatum((int64) shards)};

	return (int) callsync_stmt_run(&stmt_hasten, values, NULL, false, 0);
}

int64
callsync_queue_count(const char *destination, int64 cap)
{
	Datum		values[2] = {CStringGetTextDatum(destination), Int64GetDatum(cap)};

	callsync_stmt_run(&stmt_count, values, NULL, false, 0);
	return callsync_row_int64(0, 1, 0);
}

/* ---- reading deliveries ---- */

#define HEAD_COLUMNS \
	"SELECT d.id, d.source, d.call_id, d.destination, d.step, d.state, d.ordering_key, d.origin, d.attempts, " \
	"d.context OPERATOR(pg_catalog.->) 'deps', s.steps"
/*
 * One look-up for each id, whatever the planner thinks of a table that was empty when the
 * plan was made (OFFSET 0 keeps the subquery one): walking the whole day in order of
 * its key and comparing each row with each id was its choice, and grew with the square.
 */
#define DELIVERY_OF_KEYS \
	"FROM unnest($1::pg_catalog.int8[]) AS k(id) CROSS JOIN LATERAL " \
	"(SELECT * FROM callsync.delivery_@ i WHERE i.id" EQ "k.id OFFSET 0) d "

#define HEAD_FROM " " DELIVERY_OF_KEYS \
	"LEFT JOIN callsync.sync_state s ON s.source" EQ "d.source AND s.call_id" EQ "d.call_id AND s.destination" EQ "d.destination "

static CallsyncDayStmt stmt_heads_fresh = {
	.proto = {
		.sql = HEAD_COLUMNS HEAD_FROM "ORDER BY d.id",
		.nargs = 1, .argtypes = {INT8ARRAYOID}, .returns = SPI_OK_SELECT
	}
};

static CallsyncDayStmt stmt_heads = {
	.proto = {
		.sql = HEAD_COLUMNS ", a.exchanges, a.first_try, a.open_n, a.open_at, a.open_send" HEAD_FROM
		"LEFT JOIN LATERAL (SELECT pg_catalog.max(t.n) AS exchanges, "
		"  pg_catalog.min(t.started_at) FILTER (WHERE t.kind" EQ "'send') AS first_try, "
		"  pg_catalog.max(t.n) FILTER (WHERE e.n IS NULL) AS open_n, "
		"  pg_catalog.max(t.started_at) FILTER (WHERE e.n IS NULL) AS open_at, "
		"  pg_catalog.bool_or(t.kind" EQ "'send' AND e.n IS NULL) AS open_send "
		"  FROM callsync.attempt_@ t LEFT JOIN callsync.attempt_end_@ e ON e.delivery_id" EQ "t.delivery_id AND e.n" EQ "t.n "
		"  WHERE t.delivery_id" EQ "d.id) a ON true ORDER BY d.id",
		.nargs = 1, .argtypes = {INT8ARRAYOID}, .returns = SPI_OK_SELECT
	}
};

int
callsync_delivery_heads(DateADT day, const int64 *ids, int n, bool fresh,
						MemoryContext mcxt, CallsyncDeliveryHead **heads)
{
	Datum		value = int8_array(ids, n);
	uint64		rows = callsync_stmt_run(callsync_day_stmt(fresh ? &stmt_heads_fresh : &stmt_heads, day),
										 &value, NULL, false, 0);

	*heads = MemoryContextAllocZero(mcxt, sizeof(CallsyncDeliveryHead) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
	{
		CallsyncDeliveryHead *h = &(*heads)[i];

		h->id = callsync_row_int64(i, 1, 0);
		h->day = day;
		h->source = callsync_row_text(i, 2, mcxt);
		h->call_id = callsync_row_text(i, 3, mcxt);
		h->destination = callsync_row_text(i, 4, mcxt);
		h->step = callsync_row_text(i, 5, mcxt);
		h->state = callsync_row_text(i, 6, mcxt);
		h->ordering_key = callsync_row_text(i, 7, mcxt);
		h->origin = callsync_row_text(i, 8, mcxt);
		h->attempts = callsync_row_int32(i, 9, 0);
		h->deps = callsync_row_varlena(i, 10, mcxt);
		h->steps = callsync_row_varlena(i, 11, mcxt);
		if (!fresh)
		{
			h->exchanges = callsync_row_int32(i, 12, 0);
			h->first_try = callsync_row_time(i, 13, 0);
			h->open_n = callsync_row_int32(i, 14, 0);
			h->open_at = callsync_row_time(i, 15, 0);
			h->open_send = callsync_row_bool(i, 16, false);
		}
	}
	return (int) rows;
}

static CallsyncDayStmt stmt_load = {
	.proto = {
		.sql = "SELECT d.id, d.shard, d.source, d.call_id, d.destination, d.step, d.object, d.operation, d.state, d.record_id, "
		"d.idempotency_key, d.origin, d.trace_id, d.fields, d.context, c.document, "
		"CASE WHEN d.record_id IS NULL OR d.depends_on OPERATOR(pg_catalog.<>) '{}' THEN "
		" (SELECT pg_catalog.jsonb_object_agg(l.step, pg_catalog.jsonb_build_object('id', l.record_id, 'key', l.idempotency_key)) "
		"  FROM callsync.record_link l WHERE l.destination" EQ "d.destination AND l.source" EQ "d.source AND l.call_id" EQ "d.call_id) END, "
		"CASE WHEN d.record_id IS NULL THEN (SELECT l.contact_id FROM callsync.contact_link l "
		"  WHERE l.destination" EQ "d.destination AND l.identity" EQ "d.idempotency_key) END, "
		"d.attempts, d.call_version, d.created_at "
		DELIVERY_OF_KEYS "LEFT JOIN callsync.call c ON c.source" EQ "d.source AND c.call_id" EQ "d.call_id",
		.nargs = 1, .argtypes = {INT8ARRAYOID}, .returns = SPI_OK_SELECT
	}
};

int
callsync_delivery_load(DateADT day, const int64 *ids, int n, MemoryContext mcxt,
					   CallsyncDelivery **deliveries)
{
	Datum		value = int8_array(ids, n);
	uint64		rows = callsync_stmt_run(callsync_day_stmt(&stmt_load, day), &value, NULL, false, 0);

	*deliveries = MemoryContextAllocZero(mcxt, sizeof(CallsyncDelivery) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
	{
		CallsyncDelivery *d = &(*deliveries)[i];
		bool		isnull;

		d->id = callsync_row_int64(i, 1, 0);
		d->day = day;
		d->shard = DatumGetInt16(callsync_row_datum(i, 2, &isnull));
		d->source = callsync_row_text(i, 3, mcxt);
		d->call_id = callsync_row_text(i, 4, mcxt);
		d->destination = callsync_row_text(i, 5, mcxt);
		d->step = callsync_row_text(i, 6, mcxt);
		d->object = callsync_row_text(i, 7, mcxt);
		d->operation = callsync_row_text(i, 8, mcxt);
		d->state = callsync_row_text(i, 9, mcxt);
		d->record_id = callsync_row_text(i, 10, mcxt);
		d->idempotency_key = callsync_row_text(i, 11, mcxt);
		d->origin = callsync_row_text(i, 12, mcxt);
		d->trace_id = callsync_row_text(i, 13, mcxt);
		d->fields = callsync_row_varlena(i, 14, mcxt);
		d->context = callsync_row_varlena(i, 15, mcxt);
		d->document = callsync_row_varlena(i, 16, mcxt);
		d->links = callsync_row_varlena(i, 17, mcxt);
		d->contact_id = callsync_row_text(i, 18, mcxt);
		d->attempts = callsync_row_int32(i, 19, 0);
		d->call_version = callsync_row_int32(i, 20, 0);
		d->created_at = callsync_row_time(i, 21, 0);
	}
	return (int) rows;
}

/* ---- writing deliveries ---- */

static CallsyncDayStmt stmt_write = {
	.proto = {
		.sql = "UPDATE callsync.delivery_@ d SET state = k.state, operation = COALESCE(k.operation, d.operation), "
		"record_id = k.record_id, attempts = k.attempts, confirmation = k.confirmation, settled_at = k.settled_at, "
		"field_results = k.field_results::pg_catalog.jsonb, error_class = k.error_class, http_status = k.http_status, "
		"last_error = k.last_error, remedy = k.remedy, next_attempt_at = k.next_attempt_at "
		"FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.text[], $3::pg_catalog.text[], $4::pg_catalog.text[], "
		"$5::pg_catalog.int4[], $6::pg_catalog.text[], $7::pg_catalog.timestamptz[], $8::pg_catalog.text[], $9::pg_catalog.text[], "
		"$10::pg_catalog.int4[], $11::pg_catalog.text[], $12::pg_catalog.text[], $13::pg_catalog.timestamptz[]) "
		"AS k(id, state, operation, record_id, attempts, confirmation, settled_at, field_results, error_class, http_status, "
		"last_error, remedy, next_attempt_at) WHERE d.id" EQ "k.id",
		.nargs = 13,
		.argtypes = {INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID,
			TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID},
		.returns = SPI_OK_UPDATE
	}
};

void
callsync_delivery_write(const CallsyncDeliveryChange *changes, int n)
{
	static const Oid types[] = {INT8OID, TEXTOID, TEXTOID, TEXTOID, INT4OID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID,
	INT4OID, TEXTOID, TEXTOID, TIMESTAMPTZOID};
	bool	   *done = palloc0(sizeof(bool) * Max(n, 1));

	for (int first = 0; first < n; first++)
	{
		CallsyncRows *rows;

		if (done[first])
			continue;
		rows = callsync_rows_create(lengthof(types), types);
		for (int i = first; i < n; i++)
		{
			const CallsyncDeliveryChange *c = &changes[i];

			if (c->day != changes[first].day)
				continue;
			done[i] = true;
			callsync_rows_begin(rows);
			callsync_rows_int8(rows, c->id);
			callsync_rows_text(rows, c->state);
			callsync_rows_text(rows, c->operation);
			callsync_rows_text(rows, c->record_id);
			callsync_rows_int4(rows, c->attempts);
			callsync_rows_text(rows, c->confirmation);
			callsync_rows_time(rows, c->settled_at);
			callsync_rows_text(rows, c->field_results);
			callsync_rows_text(rows, c->error_class);
			if (c->http_status != 0)
				callsync_rows_int4(rows, c->http_status);
			else
				callsync_rows_null(rows);
			callsync_rows_text(rows, c->last_error);
			callsync_rows_text(rows, c->remedy);
			callsync_rows_time(rows, c->next_attempt_at);
		}
		callsync_rows_run(rows, callsync_day_stmt(&stmt_write, changes[first].day));
	}
}

static CallsyncDayStmt stmt_superseded = {
	.proto = {
		.sql = "UPDATE callsync.delivery_@ d SET state = 'superseded', settled_at = k.at, next_attempt_at = NULL "
		"FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.timestamptz[]) AS k(id, at) WHERE d.id" EQ "k.id",
		.nargs = 2, .argtypes = {INT8ARRAYOID, TIMESTAMPTZARRAYOID}, .returns = SPI_OK_UPDATE
	}
};

void
callsync_delivery_supersede(const CallsyncDayId *ids, int n, TimestampTz now)
{
	static const Oid types[] = {INT8OID, TIMESTAMPTZOID};
	bool	   *done = palloc0(sizeof(bool) * Max(n, 1));
	int64	   *gone = palloc(sizeof(int64) * Max(n, 1));

	for (int first = 0; first < n; first++)
	{
		CallsyncRows *rows;

		gone[first] = ids[first].id;
		if (done[first])
			continue;
		rows = callsync_rows_create(2, types);
		for (int i = first; i < n; i++)
		{
			if (ids[i].day != ids[first].day)
				continue;
			done[i] = true;
			callsync_rows_begin(rows);
			callsync_rows_int8(rows, ids[i].id);
			callsync_rows_time(rows, now);
		}
		callsync_rows_run(rows, callsync_day_stmt(&stmt_superseded, ids[first].day));
	}
	callsync_queue_delete(gone, n);
}

/* ---- dead letters ---- */

static CallsyncStmt stmt_letter = {
	.sql = "INSERT INTO callsync.dead_letter (delivery_id, day, source, call_id, destination, step, object, operation, idempotency_key, "
	"error_class, http_status, last_error, remedy, attempts, fields, dead_at) "
	"SELECT k.id, k.day, k.source, k.call_id, k.destination, k.step, k.object, k.operation, k.key, k.error_class, k.http_status, "
	"k.last_error, k.remedy, k.attempts, k.fields, k.dead_at "
	"FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.date[], $3::pg_catalog.text[], $4::pg_catalog.text[], $5::pg_catalog.text[], "
	"$6::pg_catalog.text[], $7::pg_catalog.text[], $8::pg_catalog.text[], $9::pg_catalog.text[], $10::pg_catalog.text[], $11::pg_catalog.int4[], "
	"$12::pg_catalog.text[], $13::pg_catalog.text[], $14::pg_catalog.int4[], $15::pg_catalog.jsonb[], $16::pg_catalog.timestamptz[]) "
	"AS k(id, day, source, call_id, destination, step, object, operation, key, error_class, http_status, last_error, remedy, attempts, fields, dead_at) "
	"ON CONFLICT (delivery_id) DO UPDATE SET operation = EXCLUDED.operation, error_class = EXCLUDED.error_class, "
	"http_status = EXCLUDED.http_status, last_error = EXCLUDED.last_error, remedy = EXCLUDED.remedy, attempts = EXCLUDED.attempts, "
	"dead_at = EXCLUDED.dead_at, redriven_at = NULL",
	.nargs = 16,
	.argtypes = {INT8ARRAYOID, DATEARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID, TEXTARRAYOID,
		TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, TEXTARRAYOID, TEXTARRAYOID, INT4ARRAYOID, JSONBARRAYOID, TIMESTAMPTZARRAYOID},
	.returns = SPI_OK_INSERT
};

void
callsync_dead_letter_write(const CallsyncDeadLetter *letters, int n, TimestampTz now)
{
	static const Oid types[] = {INT8OID, DATEOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID, INT4OID,
	TEXTOID, TEXTOID, INT4OID, JSONBOID, TIMESTAMPTZOID};
	CallsyncRows *rows;

	if (n == 0)
		return;
	rows = callsync_rows_create(lengthof(types), types);
	for (int i = 0; i < n; i++)
	{
		const CallsyncDeadLetter *l = &letters[i];
		const CallsyncDelivery *d = l->delivery;

		callsync_rows_begin(rows);
		callsync_rows_int8(rows, d->id);
		callsync_rows_datum(rows, DateADTGetDatum(d->day));
		callsync_rows_text(rows, d->source);
		callsync_rows_text(rows, d->call_id);
		callsync_rows_text(rows, d->destination);
		callsync_rows_text(rows, d->step);
		callsync_rows_text(rows, d->object);
		callsync_rows_text(rows, l->operation ? l->operation : d->operation);
		callsync_rows_text(rows, d->idempotency_key);
		callsync_rows_text(rows, l->error_class);
		if (l->http_status != 0)
			callsync_rows_int4(rows, l->http_status);
		else
			callsync_rows_null(rows);
		callsync_rows_text(rows, l->last_error);
		callsync_rows_text(rows, l->remedy);
		callsync_rows_int4(rows, l->attempts);
		callsync_rows_datum(rows, PointerGetDatum(d->fields));
		callsync_rows_time(rows, now);
	}
	callsync_rows_run(rows, &stmt_letter);
}
