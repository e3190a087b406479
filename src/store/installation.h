/*
 * installation.h
 *		The copy guard: is this database the one that may send, or a copy of it?
 *
 * A restored dump, a clone or a staging copy holds the same queue and the same
 * tokens as the original. Sending from it would write to the production CRM and
 * burn rotating tokens.
 */
#ifndef CALLSYNC_STORE_INSTALLATION_H
#define CALLSYNC_STORE_INSTALLATION_H

typedef enum CallsyncInstallationState
{
	CALLSYNC_INSTALLATION_EMPTY,	/* no identity and no destination yet */
	CALLSYNC_INSTALLATION_OURS, /* may send */
	CALLSYNC_INSTALLATION_COPY	/* must not */
} CallsyncInstallationState;

/* All of these run in the caller's transaction and SPI connection. */

/*
 * Compares the stored identity with what is true here. On COPY every destination
 * is paused (reason "copy") and an alert is raised; on OURS what an earlier look
 * had paused goes on.
 */
extern CallsyncInstallationState callsync_installation_guard(void);

/*
 * Stores the identity where there is none. To be called by the statement that
 * makes a destination: rows of destinations without an identity come from a
 * restore that has not got that far yet.
 */
extern void callsync_installation_record(void);

/* From now on this database is the original. */
extern void callsync_installation_adopt(void);

#endif
