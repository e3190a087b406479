/*
 * alert.h
 *		What people must notice: one row per open alert, and a NOTIFY when it is news.
 */
#ifndef CALLSYNC_STORE_ALERT_H
#define CALLSYNC_STORE_ALERT_H

#include "datatype/timestamp.h"

/*
 * Raises an alert, or counts it again where the same (kind, destination,
 * subject) is open. destination and remedy may be NULL. severity: info, warning, critical.
 * The worker NOTIFYs channel callsync_alerts with a small JSON object, when the alert
 * is new or was quiet for an hour.
 */
extern void callsync_alert_raise(const char *kind, const char *severity, const char *destination,
								 const char *subject, const char *message, const char *remedy,
								 TimestampTz now);
/* It happened so often. */
extern void callsync_alert_raise_times(const char *kind, const char *severity, const char *destination,
									   const char *subject, const char *message, const char *remedy,
									   int64 times, TimestampTz now);

/* A worker that starts may find what an earlier one raised. */
extern bool callsync_alert_is_open(const char *kind, const char *destination, const char *subject);

/* The cause is gone. */
extern void callsync_alert_clear(const char *kind, const char *destination, const char *subject,
								 TimestampTz now);

#endif
