/*
 * zones.c
 *		The server's time zones, as row 0 asks for them.
 *
 * pg_tzset() keeps what it has read for the life of the process: asking again costs a
 * look into a hash table.
 */
#include "postgres.h"

#include "pgtime.h"

#include "pg/zones.h"

static bool
zone_known(void *arg, const char *zone)
{
	pg_tz	   *tz = pg_tzset(zone);

	/* leap seconds would shift everything by some of them */
	return tz != NULL && pg_tz_acceptable(tz);
}

static int64_t
zone_offset(void *arg, const char *zone, int64_t unix_s)
{
	pg_tz	   *tz = pg_tzset(zone);
	pg_time_t	t = (pg_time_t) unix_s;
	struct pg_tm *tm = tz ? pg_localtime(&t, tz) : NULL;

	return tm ? tm->tm_gmtoff : 0;
}

const CallsyncZones *
callsync_zones(void)
{
	static const CallsyncZones zones = {zone_known, zone_offset, NULL};

	return &zones;
}
