/*
 * match_duplicates.h
 *		Contacts that may be records of one person.
 */
#ifndef CALLSYNC_STORE_MATCH_DUPLICATES_H
#define CALLSYNC_STORE_MATCH_DUPLICATES_H

#include "datatype/timestamp.h"
#include "utils/snapshot.h"

typedef struct CallsyncTwins
{
	const char *destination;
	const char *contact_id;
	const char *other_id;
	double		probability;
	int			group;			/* records of one person have the same number */
	const char *explanation;
	const char *evidence;		/* JSON, as of a match */
} CallsyncTwins;

typedef void (*CallsyncTwinsFound) (void *arg, const CallsyncTwins *twins);

/*
 * Calls found for each pair with at least that probability, of one destination or,
 * with NULL, of all.  What it is given lives until it returns.
 */
extern void callsync_find_duplicates(const char *destination, double probability, Snapshot snapshot,
									 CallsyncTwinsFound found, void *arg);

#endif
