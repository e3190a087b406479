/*
 * day_stmt.h
 *		Statements on the partitions of one day.
 *
 * History is partitioned by day, and nearly everything the worker does concerns
 * one known day. A statement on the parent would open and lock every partition
 * each time; one on the partition itself is as cheap after ten years as on the first day.
 */
#ifndef CALLSYNC_STORE_DAY_STMT_H
#define CALLSYNC_STORE_DAY_STMT_H

#include "pg/spi.h"
#include "utils/date.h"

#define CALLSYNC_DAY_STMT_KEEP 8

/*
 * sql names the partitions as "callsync.delivery_@", "callsync.attempt_@"; @ becomes
 * the day (YYYYMMDD). Zero-initialise the rest. The last few days stay prepared.
 */
typedef struct CallsyncDayStmt
{
	CallsyncStmt proto;			/* sql, nargs, argtypes, returns */
	int64		clock;			/* the rest is day_stmt.c's */
	struct
	{
		DateADT		day;
		int64		used;		/* 0: free */
		CallsyncStmt stmt;
	}			kept[CALLSYNC_DAY_STMT_KEEP];
} CallsyncDayStmt;

/* The statement for the day; valid until the next call with the same CallsyncDayStmt. */
extern CallsyncStmt *callsync_day_stmt(CallsyncDayStmt *stmt, DateADT day);

#endif
