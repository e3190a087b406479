/*
 * schedule.h
 *		When calls go to a destination: at once, in batches, or by rules; and when
 *		it must be left alone.
 *
 * Read from a destination's options:
 *
 *	 mode			"realtime" (default), "batch", "hybrid"
 *	 schedule		"hourly", "nightly" (02:00), "campaign_end", or one of
 *					{"every": "15 minutes"}			at multiples of it, counted from midnight
 *					{"at": ["02:00", "14:30"], "days": ["mon", "fri"]}
 *					{"max_wait": "24 hours"}		when somebody says so, that long at the most
 *					each with "time_zone" (default UTC)
 *	 rules			hybrid: [{"when": condition, "mode": "realtime"|"batch"}, ..]; the first
 *					whose condition holds counts, without one a call goes at once
 *	 maintenance	[{"from": time, "until": time}
 *					| {"at": "02:00", "for": "2 hours", "days": [..], "time_zone": ..}, ..]
 *
 * What a newcomer gets wrong: local time is not monotonic. Everything is counted in
 * local seconds first and turned into an instant last, so that a nightly batch
 * stays at 02:00 through a change of the clocks; a time that the clocks skip is taken
 * as if they had not been put forward yet.
 */
#ifndef CALLSYNC_CORE_SCHEDULE_H
#define CALLSYNC_CORE_SCHEDULE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/docerror.h"
#include "core/template.h"

#define CALLSYNC_SCHEDULE_TIMES 48
#define CALLSYNC_SCHEDULE_RULES 32
#define CALLSYNC_SCHEDULE_WINDOWS 32
#define CALLSYNC_SCHEDULE_NEVER INT64_MAX

/* Time zones are somebody else's: offset in seconds east of UTC at an instant. */
typedef struct CallsyncZones
{
	bool		(*known) (void *arg, const char *zone);
	int64_t		(*offset) (void *arg, const char *zone, int64_t unix_s);
	void	   *arg;
} CallsyncZones;

typedef enum CallsyncMode
{
	CALLSYNC_MODE_REALTIME,
	CALLSYNC_MODE_BATCH,
	CALLSYNC_MODE_HYBRID
} CallsyncMode;

typedef struct CallsyncWindow
{
	bool		once;			/* from_s and until_s count, else the rest */
	int64_t		from_s;			/* unix seconds */
	int64_t		until_s;
	int32_t		at_s;			/* seconds of the local day */
	int32_t		for_s;
	uint8_t		days;			/* bit 0 Monday .. bit 6 Sunday, of its start */
	char		zone[64];
} CallsyncWindow;

typedef struct CallsyncSchedule
{
	CallsyncMode mode;
	int32_t		every_s;		/* 0: not by this */
	int			ntimes;
	int32_t		at_s[CALLSYNC_SCHEDULE_TIMES];	/* ascending */
	uint8_t		days;
	int32_t		max_wait_s;		/* 0: not by this */
	char		zone[64];
	int			nrules;
	struct
	{
		CallsyncCond *when;
		bool		batch;
	}			rules[CALLSYNC_SCHEDULE_RULES];
	int			nwindows;
	CallsyncWindow windows[CALLSYNC_SCHEDULE_WINDOWS];
} CallsyncSchedule;

/*
 * Reads the four options. On false *error says where and what, and *schedule is that of
 * a destination without any of them. callsync_schedule_clear() frees the conditions.
 */
extern bool callsync_schedule_parse(const json_t *options, const CallsyncZones *zones,
									CallsyncSchedule *schedule, CallsyncDocError *error);
extern void callsync_schedule_clear(CallsyncSchedule *schedule);

/* Does a call with this context wait for a batch? */
extern bool callsync_schedule_waits(const CallsyncSchedule *schedule, const CallsyncRenderInput *input);

/* The first batch after now_s, as a unix time. */
extern int64_t callsync_schedule_next(const CallsyncSchedule *schedule, const CallsyncZones *zones,
									  int64_t now_s);

/* In maintenance at now_s: when it is over (windows that touch are one); otherwise 0. */
extern int64_t callsync_schedule_closed_until(const CallsyncSchedule *schedule, const CallsyncZones *zones,
											  int64_t now_s);

/* Not in maintenance at now_s: when the next window starts, CALLSYNC_SCHEDULE_NEVER for none. */
extern int64_t callsync_schedule_next_window(const CallsyncSchedule *schedule, const CallsyncZones *zones,
											 int64_t now_s);

#endif
