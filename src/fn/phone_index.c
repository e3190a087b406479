/*
 * phone_index.c
 *		Prefix and fuzzy search on type phone, and what the planner needs to do both with a
 *		btree index.
 *
 * A prefix is one range of codes. A fuzzy search (=~) is a look-up of all neighbours of
 * a number, a few hundred equalities. Both are exact, so nothing is rechecked. The
 * support functions also serve joins and parameters: the conditions then call
 * phone_prefix_low(), phone_prefix_high() and phone_neighbours() at run time.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "nodes/value.h"
#include "optimizer/optimizer.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/selfuncs.h"

#include "core/phone.h"
#include "fn/phone_fn.h"

/* Guesses where there are no statistics. */
#define DEFAULT_PREFIX_SEL 0.005
#define NEIGHBOURS_PRESENT 2.0	/* lines one slip away that a table has on average */

PG_FUNCTION_INFO_V1(callsync_phone_prefix);
PG_FUNCTION_INFO_V1(callsync_phone_prefix_low);
PG_FUNCTION_INFO_V1(callsync_phone_prefix_high);
PG_FUNCTION_INFO_V1(callsync_phone_prefix_support);
PG_FUNCTION_INFO_V1(callsync_phone_prefix_sel);
PG_FUNCTION_INFO_V1(callsync_phone_near);
PG_FUNCTION_INFO_V1(callsync_phone_near_support);
PG_FUNCTION_INFO_V1(callsync_phone_near_sel);
PG_FUNCTION_INFO_V1(callsync_phone_distance_sql);
PG_FUNCTION_INFO_V1(callsync_phone_neighbours_sql);

/*
 * The range of codes that a prefix text stands for; false if no phone has it. The plus
 * sign may be left out, blanks and hyphens do not count.
 */
static bool
prefix_range(text *prefix, uint64 *low, uint64 *high)
{
	const char *s = VARDATA_ANY(prefix);
	int			len = VARSIZE_ANY_EXHDR(prefix);
	char		digits[CALLSYNC_PHONE_MAX_DIGITS];
	int			n = 0;

	for (int i = 0; i < len; i++)
	{
		if (s[i] >= '0' && s[i] <= '9')
		{
			if (n < CALLSYNC_PHONE_MAX_DIGITS)
				digits[n] = s[i];
			n++;
		}
		else if (s[i] != ' ' && s[i] != '-' && !(s[i] == '+' && n == 0))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("invalid phone prefix: \"%s\"", text_to_cstring(prefix)),
					 errdetail("A prefix is the beginning of a phone: \"+\", the country calling code, and more digits."),
					 errhint("Write for example '+4420' for all numbers of London.")));
	}
	return n <= CALLSYNC_PHONE_MAX_DIGITS && callsync_phone_prefix_range(digits, n, low, high);
}

Datum
callsync_phone_prefix(PG_FUNCTION_ARGS)
{
	uint64		code = PG_GETARG_PHONE(0);
	uint64		low,
				high;

	PG_RETURN_BOOL(prefix_range(PG_GETARG_TEXT_PP(1), &low, &high) && code >= low && code <= high);
}

Datum
callsync_phone_prefix_low(PG_FUNCTION_ARGS)
{
	uint64		low,
				high;

	if (!prefix_range(PG_GETARG_TEXT_PP(0), &low, &high))
		PG_RETURN_NULL();
	PG_RETURN_PHONE(low);
}

Datum
callsync_phone_prefix_high(PG_FUNCTION_ARGS)
{
	uint64		low,
				high;

	if (!prefix_range(PG_GETARG_TEXT_PP(0), &low, &high))
		PG_RETURN_NULL();
	PG_RETURN_PHONE(high);
}

static int
distance(uint64 a, uint64 b, int limit)
{
	char		ad[CALLSYNC_PHONE_MAX_DIGITS],
				bd[CALLSYNC_PHONE_MAX_DIGITS];
	int			an = callsync_phone_unpack(a, ad),
				bn = callsync_phone_unpack(b, bd);

	return callsync_phone_distance(ad, an, bd, bn, limit);
}

Datum
callsync_phone_near(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(distance(PG_GETARG_PHONE(0), PG_GETARG_PHONE(1), 1) <= 1);
}

Datum
callsync_phone_distance_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT4((float4) distance(PG_GETARG_PHONE(0), PG_GETARG_PHONE(1), CALLSYNC_PHONE_MAX_DIGITS));
}

static ArrayType *
neighbours(uint64 code, Oid phone_type)
{
	uint64		codes[CALLSYNC_PHONE_NEIGHBOURS_MAX];
	Datum		values[CALLSYNC_PHONE_NEIGHBOURS_MAX];
	int			n = callsync_phone_neighbours(code, codes);

	for (int i = 0; i < n; i++)
		values[i] = PhoneGetDatum(codes[i]);
	return construct_array(values, n, phone_type, sizeof(uint64), true, TYPALIGN_DOUBLE);
}

Datum
callsync_phone_neighbours_sql(PG_FUNCTION_ARGS)
{
	PG_RETURN_ARRAYTYPE_P(neighbours(PG_GETARG_PHONE(0), get_element_type(get_func_rettype(fcinfo->flinfo->fn_oid))));
}

/* ---- index conditions ---- */

/* A function of ours, found beside the one that is being planned, called with one argument. */
static Expr *
call_sibling(Oid funcid, const char *name, Oid result, Node *arg)
{
	Oid			argtype = exprType(arg);
	List	   *path = list_make2(makeString(get_namespace_name(get_func_namespace(funcid))), makeString(pstrdup(name)));

	return (Expr *) makeFuncExpr(LookupFuncName(path, 1, &argtype, false), result, list_make1(arg),
								 InvalidOid, exprCollation(arg), COERCE_EXPLICIT_CALL);
}

static Expr *
phone_const(Oid phone_type, uint64 code)
{
	return (Expr *) makeConst(phone_type, -1, InvalidOid, sizeof(uint64), PhoneGetDatum(code), false, true);
}

/*
 * The arguments of the call, if the index column is a btree of type phone and the other
 * side does not change during the scan.
 */
static bool
index_arguments(SupportRequestIndexCondition *req, Node **column, Node **other)
{
	List	   *args = is_opclause(req->node) ? ((OpExpr *) req->node)->args
		: is_funcclause(req->node) ? ((FuncExpr *) req->node)->args : NIL;

	if (list_length(args) != 2 || req->index->relam != BTREE_AM_OID)
		return false;
	*column = list_nth(args, req->indexarg);
	*other = list_nth(args, 1 - req->indexarg);
	return IsA(*other, Const) || is_pseudo_constant_for_index(req->root, *other, req->index);
}

static Expr *
comparison(SupportRequestIndexCondition *req, int strategy, Node *column, Expr *value)
{
	Oid			type = req->index->opcintype[req->indexcol];
	Oid			op = get_opfamily_member(req->opfamily, type, type, strategy);

	return OidIsValid(op) ? make_opclause(op, BOOLOID, false, (Expr *) column, value, InvalidOid, InvalidOid) : NULL;
}

Datum
callsync_phone_prefix_support(PG_FUNCTION_ARGS)
{
	SupportRequestIndexCondition *req = (SupportRequestIndexCondition *) PG_GETARG_POINTER(0);
	Node	   *column,
			   *prefix;
	Expr	   *low,
			   *high;
	Oid			type;

	if (!IsA(req, SupportRequestIndexCondition) || req->indexarg != 0 || !index_arguments(req, &column, &prefix))
		PG_RETURN_POINTER(NULL);
	type = req->index->opcintype[req->indexcol];
	if (IsA(prefix, Const))
	{
		uint64		l,
					h;

		if (((Const *) prefix)->constisnull || !prefix_range(DatumGetTextPP(((Const *) prefix)->constvalue), &l, &h))
			PG_RETURN_POINTER(NULL);
		low = phone_const(type, l);
		high = phone_const(type, h);
	}
	else
	{
		low = call_sibling(req->funcid, "phone_prefix_low", type, prefix);
		high = call_sibling(req->funcid, "phone_prefix_high", type, prefix);
	}
	low = comparison(req, BTGreaterEqualStrategyNumber, column, low);
	high = comparison(req, BTLessEqualStrategyNumber, column, high);
	if (low == NULL || high == NULL)
		PG_RETURN_POINTER(NULL);
	req->lossy = false;
	PG_RETURN_POINTER(list_make2(low, high));
}

Datum
callsync_phone_near_support(PG_FUNCTION_ARGS)
{
	SupportRequestIndexCondition *req = (SupportRequestIndexCondition *) PG_GETARG_POINTER(0);
	Node	   *column,
			   *phone;
	Expr	   *array;
	Oid			type,
				array_type,
				equal;

	/*
	 * First column only: further back, a list of values takes away the order of the
	 * scan, which the planner cannot see behind a support function.
	 */
	if (!IsA(req, SupportRequestIndexCondition) || req->indexcol != 0 || !index_arguments(req, &column, &phone))
		PG_RETURN_POINTER(NULL);
	type = req->index->opcintype[req->indexcol];
	array_type = get_array_type(type);
	equal = get_opfamily_member(req->opfamily, type, type, BTEqualStrategyNumber);
	if (!OidIsValid(equal) || !OidIsValid(array_type))
		PG_RETURN_POINTER(NULL);
	if (IsA(phone, Const))
	{
		if (((Const *) phone)->constisnull)
			PG_RETURN_POINTER(NULL);
		array = (Expr *) makeConst(array_type, -1, InvalidOid, -1,
								   PointerGetDatum(neighbours(DatumGetPhone(((Const *) phone)->constvalue), type)), false, false);
	}
	else
		array = call_sibling(req->funcid, "phone_neighbours", array_type, phone);

	ScalarArrayOpExpr *any = makeNode(ScalarArrayOpExpr);

	any->opno = equal;
	any->opfuncid = get_opcode(equal);
	any->useOr = true;
	any->args = list_make2(column, array);
	any->location = -1;
	req->lossy = false;
	PG_RETURN_POINTER(list_make1(any));
}

/* ---- selectivity ---- */

/* Fraction of a histogram that lies below a code, interpolated by the code; -1 without histogram. */
static double
histogram_below(VariableStatData *vardata, uint64 code)
{
	AttStatsSlot slot;
	double		fraction = -1;

	if (!HeapTupleIsValid(vardata->statsTuple)
		|| !get_attstatsslot(&slot, vardata->statsTuple, STATISTIC_KIND_HISTOGRAM, InvalidOid, ATTSTATSSLOT_VALUES))
		return -1;
	if (slot.nvalues > 1)
	{
		int			lo = 0,
					hi = slot.nvalues;

		/* lo: bounds that are not above the code */
		while (lo < hi)
		{
			int			mid = (lo + hi) / 2;

			if (DatumGetPhone(slot.values[mid]) <= code)
				lo = mid + 1;
			else
				hi = mid;
		}
		if (lo == 0)
			fraction = 0;
		else if (lo == slot.nvalues)
			fraction = 1;
		else
		{
			uint64		from = DatumGetPhone(slot.values[lo - 1]),
						to = DatumGetPhone(slot.values[lo]);

			fraction = (lo - 1 + (double) (code - from) / (double) (to - from)) / (slot.nvalues - 1);
		}
	}
	free_attstatsslot(&slot);
	return fraction;
}

/*
 * Selectivity of a qual against a constant: most common values are asked one by one;
 * the others are guessed by rest, a fraction of them.
 */
static double
with_common_values(VariableStatData *vardata, Oid operator, Datum value, bool varonleft, double rest)
{
	FmgrInfo	proc;
	double		common,
				sum,
				nulls = 0;

	fmgr_info(get_opcode(operator), &proc);
	common = mcv_selectivity(vardata, &proc, InvalidOid, value, varonleft, &sum);
	if (HeapTupleIsValid(vardata->statsTuple))
		nulls = ((Form_pg_statistic) GETSTRUCT(vardata->statsTuple))->stanullfrac;
	common += Max(0.0, 1.0 - nulls - sum) * rest;
	CLAMP_PROBABILITY(common);
	return common;
}

/* Fraction that one value has among those that are not common. */
static double
one_value(VariableStatData *vardata)
{
	bool		isdefault;
	double		distinct = get_variable_numdistinct(vardata, &isdefault);

	return 1.0 / Max(distinct, 1.0);
}

Datum
callsync_phone_prefix_sel(PG_FUNCTION_ARGS)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	Oid			operator = PG_GETARG_OID(1);
	List	   *args = (List *) PG_GETARG_POINTER(2);
	VariableStatData vardata;
	Node	   *other;
	bool		varonleft;
	double		result = DEFAULT_PREFIX_SEL;

	if (!get_restriction_variable(root, args, PG_GETARG_INT32(3), &vardata, &other, &varonleft))
		PG_RETURN_FLOAT8(result);
	if (varonleft && IsA(other, Const))
	{
		uint64		low,
					high;

		if (((Const *) other)->constisnull || !prefix_range(DatumGetTextPP(((Const *) other)->constvalue), &low, &high))
			result = 0;
		else
		{
			double		below_low = histogram_below(&vardata, low - 1);
			double		rest = below_low < 0 ? DEFAULT_PREFIX_SEL : histogram_below(&vardata, high) - below_low;

			result = with_common_values(&vardata, operator, ((Const *) other)->constvalue, true, Max(rest, one_value(&vardata)));
		}
	}
	ReleaseVariableStats(vardata);
	PG_RETURN_FLOAT8(result);
}

Datum
callsync_phone_near_sel(PG_FUNCTION_ARGS)
{
	PlannerInfo *root = (PlannerInfo *) PG_GETARG_POINTER(0);
	Oid			operator = PG_GETARG_OID(1);
	List	   *args = (List *) PG_GETARG_POINTER(2);
	VariableStatData vardata;
	Node	   *other;
	bool		varonleft;
	double		result;

	if (!get_restriction_variable(root, args, PG_GETARG_INT32(3), &vardata, &other, &varonleft))
		PG_RETURN_FLOAT8(DEFAULT_EQ_SEL);
	result = Min(1.0, NEIGHBOURS_PRESENT * one_value(&vardata));
	if (IsA(other, Const))
		result = ((Const *) other)->constisnull ? 0
			: with_common_values(&vardata, operator, ((Const *) other)->constvalue, varonleft, result);
	ReleaseVariableStats(vardata);
	PG_RETURN_FLOAT8(result);
}
