/*
 * day_stmt.c
 *		Statements on the partitions of one day.
 */
#include "postgres.h"

#include "lib/stringinfo.h"
#include "utils/datetime.h"
#include "utils/memutils.h"

#include "store/day_stmt.h"

static char *
sql_for_day(const char *sql, DateADT day)
{
	StringInfoData buf;
	int			year,
				month,
				mday;

	j2date(day + POSTGRES_EPOCH_JDATE, &year, &month, &mday);
	initStringInfo(&buf);
	for (const char *c = sql; *c != '\0'; c++)
	{
		if (*c == '@')
			appendStringInfo(&buf, "%04d%02d%02d", year, month, mday);
		else
			appendStringInfoChar(&buf, *c);
	}
	return buf.data;
}

CallsyncStmt *
callsync_day_stmt(CallsyncDayStmt *stmt, DateADT day)
{
	int			slot = 0;
	char	   *sql;

	for (int i = 0; i < CALLSYNC_DAY_STMT_KEEP; i++)
	{
		if (stmt->kept[i].used != 0 && stmt->kept[i].day == day)
		{
			stmt->kept[i].used = ++stmt->clock;
			return &stmt->kept[i].stmt;
		}
		if (stmt->kept[i].used < stmt->kept[slot].used)
			slot = i;
	}

	sql = sql_for_day(stmt->proto.sql, day);
	if (stmt->kept[slot].used != 0)
	{
		CallsyncStmt *old = &stmt->kept[slot].stmt;

		stmt->kept[slot].used = 0;
		if (old->plan != NULL)
			SPI_freeplan(old->plan);
		old->plan = NULL;
		pfree(unconstify(char *, old->sql));
	}
	stmt->kept[slot].stmt = stmt->proto;
	stmt->kept[slot].stmt.sql = MemoryContextStrdup(TopMemoryContext, sql);
	stmt->kept[slot].day = day;
	stmt->kept[slot].used = ++stmt->clock;
	pfree(sql);
	return &stmt->kept[slot].stmt;
}
