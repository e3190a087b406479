/*
 * quota.h
 *		The books of limits with long windows: callsync.quota.
 */
#ifndef CALLSYNC_STORE_QUOTA_H
#define CALLSYNC_STORE_QUOTA_H

#include "datatype/timestamp.h"

typedef struct CallsyncQuotaBooking
{
	const char *destination;
	const char *name;			/* of the limit */
	int64		rate;			/* units per window */
	int64		wanted;
	int64		owed;			/* booked even where the rate is reached: they were sent */
	int64		seen_used;		/* what the server counts at the least */
	int64		give_back;		/* units of the row that expires at give_back_at */
	TimestampTz give_back_at;
	TimestampTz expires_at;		/* what is booked now counts until then */

	/* filled in */
	int64		granted;
	int64		used;			/* of the window, the granted ones included */
	TimestampTz first_expiry;	/* when the oldest booking ends */
} CallsyncQuotaBooking;

/* Inside a transaction. Workers that book for the same destination wait for each other. */
extern void callsync_quota_book(CallsyncQuotaBooking *booking, TimestampTz now);

#endif
