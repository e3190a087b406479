/*
 * statement_hooks.c
 *		Where a statement begins to read and where the outermost one ends.
 *
 * AFTER triggers fire inside ExecutorFinish, but for COPY, which fires them
 * inside its utility command; what they run has hooks of its own, deeper.
 */
#include "postgres.h"

#include "executor/executor.h"
#include "tcop/utility.h"

#include "pg/commit_wake.h"
#include "pg/statement_hooks.h"

static void (*before_statement) (const PlannedStmt *plan);
static void (*after_statement) (void);
static ExecutorStart_hook_type previous_start;
static ExecutorFinish_hook_type previous_finish;
static ProcessUtility_hook_type previous_utility;
static int	depth = 0;

static void
executor_start(QueryDesc *query, int eflags)
{
	before_statement(query->plannedstmt);
	if (previous_start)
		previous_start(query, eflags);
	else
		standard_ExecutorStart(query, eflags);
}

static void
executor_finish(QueryDesc *query)
{
	depth++;
	PG_TRY();
	{
		if (previous_finish)
			previous_finish(query);
		else
			standard_ExecutorFinish(query);
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
	if (depth == 0)
		after_statement();
}

static void
process_utility(PlannedStmt *plan, const char *text, bool read_only_tree, ProcessUtilityContext context,
				ParamListInfo params, QueryEnvironment *environment, DestReceiver *dest,
				QueryCompletion *completion)
{
	/* the session that wrote could not wake anybody when it prepared */
	if (IsA(plan->utilityStmt, TransactionStmt) &&
		castNode(TransactionStmt, plan->utilityStmt)->kind == TRANS_STMT_COMMIT_PREPARED)
		callsync_wake_at_commit();
	before_statement(NULL);
	depth++;
	PG_TRY();
	{
		if (previous_utility)
			previous_utility(plan, text, read_only_tree, context, params, environment, dest, completion);
		else
			standard_ProcessUtility(plan, text, read_only_tree, context, params, environment, dest, completion);
	}
	PG_FINALLY();
	{
		depth--;
	}
	PG_END_TRY();
	if (depth == 0)
		after_statement();
}

void
callsync_statement_hooks_init(void (*before) (const PlannedStmt *plan), void (*after) (void))
{
	before_statement = before;
	after_statement = after;
	previous_start = ExecutorStart_hook;
	ExecutorStart_hook = executor_start;
	previous_finish = ExecutorFinish_hook;
	ExecutorFinish_hook = executor_finish;
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = process_utility;
}
