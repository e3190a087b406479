/*
 * guc.h
 *		The settings, as C variables.
 *
 * Nothing secret is a setting. All of them can change with a reload: no shared
 * memory is sized from one, so there is no PGC_POSTMASTER setting, which would
 * end the session where the library is loaded late.
 */
#ifndef CALLSYNC_PG_GUC_H
#define CALLSYNC_PG_GUC_H

#define CALLSYNC_MAX_WORKERS 64
#define CALLSYNC_MAX_HTTP_CONCURRENCY 200

extern char *callsync_databases;	/* list of names; see callsync_guc_databases() */
extern int	callsync_workers;		/* delivery workers per database */
extern int	callsync_naptime;		/* ms between looks without being woken */
extern int	callsync_shutdown_grace;	/* ms to finish what is in flight */
extern int	callsync_tick_timeout;	/* ms that one worker transaction may take */
extern char *callsync_key_file; /* path, "" = none */
extern char *callsync_instance; /* name of this installation */
extern int	callsync_http_concurrency;	/* requests in flight per worker */
extern int	callsync_max_body_bytes;	/* response body bytes kept */
extern int	callsync_keep_requests; /* minutes; -1 = for ever */
extern int	callsync_keep_history;	/* the same */
extern double callsync_name_threshold;	/* of text =~ text */
extern int	callsync_clock_offset;	/* s added to the worker's clock, for tests */

extern char *callsync_crash_at; /* where the worker kills itself, for tests; "" = nowhere */

/* Defines all settings and reserves the prefix; called by _PG_init(). */
extern void callsync_guc_init(void);

/*
 * The names in callsync.databases as a List of char *, in the current memory
 * context; NIL where the setting is empty.
 */
struct List;
extern struct List *callsync_guc_databases(void);

#endif
