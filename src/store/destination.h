/*
 * destination.h
 *		The destinations of this database, with their connectors parsed.
 *
 * One registry per worker process. callsync_destinations_refresh() runs in each
 * tick's transaction and reads again only what changed (destination.generation
 * counts every change of options, connector, map, route and schema).
 *
 * A CallsyncDestination stays at its address for the life of the registry, so the
 * engine may hang its own state on it; what is *in* it is replaced by a refresh.
 */
#ifndef CALLSYNC_STORE_DESTINATION_H
#define CALLSYNC_STORE_DESTINATION_H

#include <jansson.h>

#include "core/connector.h"
#include "core/mapping.h"
#include "core/schedule.h"

typedef struct CallsyncDestinations CallsyncDestinations;

typedef enum CallsyncVerify
{
	CALLSYNC_VERIFY_READ_BACK,
	CALLSYNC_VERIFY_RESPONSE,
	CALLSYNC_VERIFY_TRANSPORT
} CallsyncVerify;

typedef enum CallsyncLookup
{
	CALLSYNC_LOOKUP_MIRROR,
	CALLSYNC_LOOKUP_REMOTE,
	CALLSYNC_LOOKUP_MIRROR_THEN_REMOTE
} CallsyncLookup;

typedef struct CallsyncDestination
{
	int			id;
	char	   *name;
	char	   *connector_name;
	int			generation;
	bool		dropped;		/* no longer in the table */
	bool		paused;
	char	   *paused_reason;	/* NULL: none given */
	bool		dry_run;		/* plan and render, send nothing */
	CallsyncVerify verify;		/* never above what the connector can */
	CallsyncLookup lookup;
	char	   *region;			/* default region of phone numbers, or NULL */
	char	   *lead_source;	/* never NULL */
	bool		hold_ambiguous; /* review: hold instead of write and flag */
	const CallsyncSchedule *schedule;	/* mode, batches, rules, maintenance; never NULL */
	const json_t *options;		/* owned by the destination */

	/* NULL with config_error set where the connector or an override is bad */
	const CallsyncConnector *connector;
	char	   *config_error;

	int			map_version;	/* 0: the connector's default map */
	json_t	   *map;			/* default map merged with the published one; or NULL */
	json_t	   *routes;			/* {call type: steps}; empty object: the connector's steps */
	json_t	   *schema;			/* {object: {field: definition}} as described; or empty */

	json_t	   *blocked;		/* {object: [fields that nothing is written to (drift)]}; or empty */

	void	   *engine;			/* the engine's own state for it; the registry does not touch it */
	struct CallsyncDestinationImpl *impl;
} CallsyncDestination;

extern CallsyncDestinations *callsync_destinations_create(MemoryContext mcxt);

/* Inside a transaction, connected to SPI. Returns true where something changed. */
extern bool callsync_destinations_refresh(CallsyncDestinations *destinations);

extern int	callsync_destinations_count(const CallsyncDestinations *destinations);
/* dropped ones included; 0 <= n < count */
extern CallsyncDestination *callsync_destinations_at(const CallsyncDestinations *destinations, int n);
/* NULL: unknown or dropped */
extern CallsyncDestination *callsync_destination_find(const CallsyncDestinations *destinations,
													  const char *name);

/*
 * The compiled map of an object, NULL where the map has none or where it is
 * wrong (then *error says so). Belongs to the destination until a refresh.
 */
extern const CallsyncMap *callsync_destination_map(CallsyncDestination *destination,
												   const char *object, const char **error);

/*
 * One destination outside of a worker (preview, checks): read in the current
 * transaction, freed with mcxt. ERROR 42704 where it does not exist.
 */
extern CallsyncDestination *callsync_destination_load(const char *name, MemoryContext mcxt);

#endif
