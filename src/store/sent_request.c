/*
 * sent_request.c
 *		What preview() reads: a call's steps, and what was sent for each.
 *
 * A request that carried several deliveries stands in the attempt row of the first
 * of them (the carrier); the rows of the others lead there.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "pg/spi.h"
#include "store/sent_request.h"

#define EQ " OPERATOR(pg_catalog.=) "

/* the call's newest delivery of each step, with its day */
static CallsyncStmt stmt_steps = {
	.sql = "SELECT e.key, (e.value OPERATOR(pg_catalog.->>) 'delivery')::pg_catalog.int8, d.day, s.status, s.trace_id "
	"FROM callsync.sync_state s CROSS JOIN LATERAL pg_catalog.jsonb_each(s.steps) e "
	"JOIN callsync.delivery d ON d.id" EQ "(e.value OPERATOR(pg_catalog.->>) 'delivery')::pg_catalog.int8 "
	"WHERE s.call_id" EQ "$1 AND s.destination" EQ "$2 AND s.source" EQ "$3 ORDER BY d.id",
	.nargs = 3, .argtypes = {TEXTOID, TEXTOID, TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_sources = {
	.sql = "SELECT c.source FROM callsync.source s JOIN callsync.call c ON c.source" EQ "s.name AND c.call_id" EQ "$1 "
	"WHERE $2 IS NULL OR s.name" EQ "$2 ORDER BY 1",
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_sent = {
	.sql = "SELECT a.try, a.method, a.url, COALESCE(a.headers, c.headers)::pg_catalog.text, callsync.readable(COALESCE(a.body, c.body)), "
	"a.items, e.http_status, e.outcome, a.request_id "
	"FROM callsync.attempt a LEFT JOIN callsync.attempt_end e ON e.delivery_id" EQ "a.delivery_id AND e.n" EQ "a.n AND e.day" EQ "a.day "
	"LEFT JOIN callsync.attempt c ON NOT a.carrier AND c.delivery_id" EQ "a.carrier_id AND c.request_id" EQ "a.request_id "
	"WHERE a.delivery_id" EQ "$1 AND a.day" EQ "$2 AND a.kind" EQ "'send' ORDER BY a.n",
	.nargs = 2, .argtypes = {INT8OID, DATEOID}, .returns = SPI_OK_SELECT
};

int
callsync_call_sources(const char *call_id, const char *source, char **first)
{
	Datum		values[2] = {CStringGetTextDatum(call_id), source ? CStringGetTextDatum(source) : (Datum) 0};
	bool		nulls[2] = {false, source == NULL};
	uint64		n = callsync_stmt_run(&stmt_sources, values, nulls, true, 0);

	if (n > 0)
		*first = callsync_row_text(0, 1, CurrentMemoryContext);
	return (int) n;
}

int
callsync_call_steps(const char *call_id, const char *destination, const char *source,
					CallsyncCallStep **steps, char **status, char **trace_id)
{
	Datum		values[] = {CStringGetTextDatum(call_id), CStringGetTextDatum(destination), CStringGetTextDatum(source)};
	uint64		n = callsync_stmt_run(&stmt_steps, values, NULL, true, 0);

	*steps = palloc(sizeof(CallsyncCallStep) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		bool		isnull;

		(*steps)[i].step = callsync_row_text(i, 1, CurrentMemoryContext);
		(*steps)[i].delivery = callsync_row_int64(i, 2, 0);
		(*steps)[i].day = DatumGetDateADT(callsync_row_datum(i, 3, &isnull));
	}
	if (n > 0)
	{
		*status = callsync_row_text(0, 4, CurrentMemoryContext);
		*trace_id = callsync_row_text(0, 5, CurrentMemoryContext);
	}
	return (int) n;
}

int
callsync_sent_requests(int64 delivery, DateADT day, CallsyncSentRequest **requests)
{
	Datum		values[] = {Int64GetDatum(delivery), DateADTGetDatum(day)};
	uint64		n = callsync_stmt_run(&stmt_sent, values, NULL, true, 0);

	*requests = palloc(sizeof(CallsyncSentRequest) * Max(n, 1));
	for (uint64 i = 0; i < n; i++)
	{
		CallsyncSentRequest *r = &(*requests)[i];

		r->attempt = callsync_row_int32(i, 1, 0);
		r->method = callsync_row_text(i, 2, CurrentMemoryContext);
		r->url = callsync_row_text(i, 3, CurrentMemoryContext);
		r->headers = callsync_row_text(i, 4, CurrentMemoryContext);
		r->body = callsync_row_text(i, 5, CurrentMemoryContext);
		r->deliveries = callsync_row_int32(i, 6, 1);
		r->http_status = callsync_row_int32(i, 7, 0);
		r->outcome = callsync_row_text(i, 8, CurrentMemoryContext);
		r->request_id = callsync_row_int64(i, 9, 0);
	}
	return (int) n;
}
