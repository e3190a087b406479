/*
 * statement_hooks.h
 *		Where a statement begins to read and where the outermost one ends.
 *
 * For work that a backend puts off while one statement runs (rows that its
 * triggers collect) and that has to be done before anybody could miss it.
 */
#ifndef CALLSYNC_PG_STATEMENT_HOOKS_H
#define CALLSYNC_PG_STATEMENT_HOOKS_H

#include "nodes/plannodes.h"

/*
 * before: a query (its plan) or a utility command (NULL) is about to start, at any depth.
 * after: a statement ended that ran inside no other one's triggers and inside no
 * utility command (COPY, DO, CALL).
 */
extern void callsync_statement_hooks_init(void (*before) (const PlannedStmt *plan), void (*after) (void));

#endif
