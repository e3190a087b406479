/*
 * match_config.h
 *		What a decision is made with: nicknames, model, policy.
 *
 * Kept per backend; read again after somebody changed the tables behind it.
 */
#ifndef CALLSYNC_STORE_MATCH_CONFIG_H
#define CALLSYNC_STORE_MATCH_CONFIG_H

#include "core/extra.h"
#include "core/score.h"

/* A further field of a destination's contacts that counts as evidence. */
typedef struct CallsyncMatchField
{
	char		name[64];
	CallsyncExtraKind kind;
	bool		is_key;			/* contacts are found by it */
	int			column;			/* of callsync.contact; 0: member of contact.fields */
} CallsyncMatchField;

typedef struct CallsyncMatchConfig
{
	CallsyncModel model;
	int			model_version;	/* 0: as shipped */
	CallsyncPolicy policy;
	int			region;			/* of the destination */
	CallsyncMatchField field[CALLSYNC_EXTRA_FIELDS];	/* model.nextra of them */
} CallsyncMatchConfig;

/* Valid until the next call of either function. */
extern const CallsyncMatchConfig *callsync_match_config(const char *destination);
extern const CallsyncNicks *callsync_nicks(void);

/* Another number whenever callsync_nicks() has read the table again. */
extern uint64 callsync_nicks_generation(void);

/* Tells all sessions, at commit, that the table behind a trigger has changed. */
extern void callsync_match_config_changed(Oid relid);

#endif
