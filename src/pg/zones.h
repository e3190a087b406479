/*
 * zones.h
 *		The server's time zones, as row 0 asks for them.
 */
#ifndef CALLSYNC_PG_ZONES_H
#define CALLSYNC_PG_ZONES_H

#include "core/schedule.h"

extern const CallsyncZones *callsync_zones(void);

#endif
