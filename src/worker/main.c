/*
 * main.c
 *		Module entry point.
 *
 * The library must load into any backend (types, triggers, functions), with or
 * without shared_preload_libraries; what needs preloading is set up only then.
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"

#include "pg/bgworker.h"
#include "pg/guc.h"
#include "pg/shmem.h"
#include "store/append_buffer.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	callsync_guc_init();
	callsync_append_buffer_init();

	if (!process_shared_preload_libraries_in_progress)
		return;
	callsync_shmem_init();

	/* pg_upgrade runs both clusters: nothing may be sent from either */
	if (!IsBinaryUpgrade)
		callsync_register_launcher();
}
