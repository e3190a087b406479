/*
 * quota.c
 *		See quota.h.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "pg/spi.h"
#include "store/quota.h"

#define EQ " OPERATOR(pg_catalog.=) "
#define THIS "q.destination" EQ "$1 AND q.name" EQ "$2"

static CallsyncStmt stmt_lock = {
	.sql = "SELECT 1 FROM callsync.destination d WHERE d.name" EQ "$1 FOR NO KEY UPDATE",
	.nargs = 1, .argtypes = {TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_expire = {
	.sql = "DELETE FROM callsync.quota q WHERE " THIS " AND q.expires_at OPERATOR(pg_catalog.<=) $3",
	.nargs = 3, .argtypes = {TEXTOID, TEXTOID, TIMESTAMPTZOID}, .returns = SPI_OK_DELETE
};

static CallsyncStmt stmt_used = {
	.sql = "SELECT COALESCE(pg_catalog.sum(q.used), 0)::pg_catalog.int8, pg_catalog.min(q.expires_at) FROM callsync.quota q WHERE " THIS,
	.nargs = 2, .argtypes = {TEXTOID, TEXTOID}, .returns = SPI_OK_SELECT
};

static CallsyncStmt stmt_add = {
	.sql = "INSERT INTO callsync.quota AS q (destination, name, expires_at, used) "
	"SELECT $1, $2, $3, $4 FROM callsync.destination d WHERE d.name" EQ "$1 "
	"ON CONFLICT (destination, name, expires_at) DO UPDATE SET used = GREATEST(q.used OPERATOR(pg_catalog.+) EXCLUDED.used, 0)",
	.nargs = 4, .argtypes = {TEXTOID, TEXTOID, TIMESTAMPTZOID, INT8OID}, .returns = SPI_OK_INSERT
};

void
callsync_quota_book(CallsyncQuotaBooking *b, TimestampTz now)
{
	Datum		values[4] = {CStringGetTextDatum(b->destination), CStringGetTextDatum(b->name)};
	int64		booked;
	int64		used;

	callsync_stmt_run(&stmt_lock, values, NULL, false, 0);
	values[2] = TimestampTzGetDatum(now);
	callsync_stmt_run(&stmt_expire, values, NULL, false, 0);
	if (b->give_back > 0 && b->give_back_at > now)
	{
		values[2] = TimestampTzGetDatum(b->give_back_at);
		values[3] = Int64GetDatum(-b->give_back);
		callsync_stmt_run(&stmt_add, values, NULL, false, 0);
	}
	callsync_stmt_run(&stmt_used, values, NULL, false, 0);
	booked = callsync_row_int64(0, 1, 0);
	b->first_expiry = callsync_row_time(0, 2, b->expires_at);
	used = Max(booked, b->seen_used) + b->owed;
	b->granted = Max(Min(b->wanted, b->rate - used), 0);
	b->used = used + b->granted;
	if (b->used > booked)
	{
		values[2] = TimestampTzGetDatum(b->expires_at);
		values[3] = Int64GetDatum(b->used - booked);
		callsync_stmt_run(&stmt_add, values, NULL, false, 0);
	}
}
