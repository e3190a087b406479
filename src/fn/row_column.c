/*
 * row_column.c
 *		One column of a captured table, and its values as JSON.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

#include "fn/row_column.h"

void
callsync_row_column_init(CallsyncRowColumn *c, const char *name, TupleDesc tupdesc,
						  MemoryContext mcxt)
{
	Oid			typid;
	Oid			outfunc;
	bool		varlena;

	memset(c, 0, sizeof(*c));
	for (int i = 0; i < tupdesc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(tupdesc, i);

		if (!att->attisdropped && strcmp(NameStr(att->attname), name) == 0)
			c->attnum = att->attnum;
	}
	if (c->attnum == 0)
		return;
	typid = getBaseType(TupleDescAttr(tupdesc, c->attnum - 1)->atttypid);
	get_typlenbyval(typid, &c->typlen, &c->typbyval);
	switch (typid)
	{
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			c->kind = VALUE_STRING;
			break;
		case BOOLOID:
			c->kind = VALUE_BOOL;
			break;
		case INT2OID:
			c->kind = VALUE_INT2;
			break;
		case INT4OID:
			c->kind = VALUE_INT4;
			break;
		case INT8OID:
			c->kind = VALUE_INT8;
			break;
		case FLOAT4OID:
		case FLOAT8OID:
		case NUMERICOID:
			c->kind = VALUE_NUMBER;
			break;
		case DATEOID:
			c->kind = VALUE_DATE;
			break;
		case TIMESTAMPOID:
			c->kind = VALUE_TIMESTAMP;
			break;
		case TIMESTAMPTZOID:
			c->kind = VALUE_TIMESTAMPTZ;
			break;
		case INTERVALOID:
			c->kind = VALUE_INTERVAL;
			break;
		case JSONOID:
			c->kind = VALUE_JSON;
			break;
		case JSONBOID:
			c->kind = VALUE_JSONB;
			break;
		default:
			if (OidIsValid(get_element_type(typid)))
				c->kind = VALUE_ARRAY;
			else if (type_is_rowtype(typid))
				c->kind = VALUE_COMPOSITE;
			else
				c->kind = VALUE_TEXT;
	}
	getTypeOutputInfo(typid, &outfunc, &varlena);
	fmgr_info_cxt(outfunc, &c->out, mcxt);
}

Datum
callsync_row_column_get(const CallsyncRowColumn *c, TupleDesc tupdesc, HeapTuple tuple, bool *isnull)
{
	if (c->attnum == 0)
	{
		*isnull = true;
		return (Datum) 0;
	}
	return heap_getattr(tuple, c->attnum, tupdesc, isnull);
}

char *
callsync_row_column_text(const CallsyncRowColumn *c, Datum value)
{
	if (c->kind == VALUE_STRING)
		return TextDatumGetCString(value);
	return OutputFunctionCall((FmgrInfo *) &c->out, value);
}

static void
append_time(StringInfo buf, Datum value, Oid type, pg_tz *tz)
{
	char		text[MAXDATELEN + 1];
	int			utc = 0;

	if (type == TIMESTAMPOID && !TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value)))
	{
		/* a column without zone: the source's zone, said in the document */
		struct pg_tm tm;
		fsec_t		fsec;
		int			offset;

		if (timestamp2tm(DatumGetTimestamp(value), NULL, &tm, &fsec, NULL, NULL) == 0)
		{
			offset = DetermineTimeZoneOffset(&tm, tz);
			value = TimestampTzGetDatum(DatumGetTimestamp(value) + (int64) offset * USECS_PER_SEC);
			type = TIMESTAMPTZOID;
		}
	}
	JsonEncodeDateTime(text, value, type, type == TIMESTAMPTZOID ? &utc : NULL);
	appendStringInfoCharMacro(buf, '"');
	appendStringInfoString(buf, text);
	appendStringInfoCharMacro(buf, '"');
}

void
callsync_row_column_append(StringInfo buf, const CallsyncRowColumn *c, Datum value, pg_tz *tz)
{
	char	   *string;

	switch (c->kind)
	{
		case VALUE_BOOL:
			appendStringInfoString(buf, DatumGetBool(value) ? "true" : "false");
			break;
		case VALUE_INT2:
			appendStringInfo(buf, "%d", DatumGetInt16(value));
			break;
		case VALUE_INT4:
			appendStringInfo(buf, "%d", DatumGetInt32(value));
			break;
		case VALUE_INT8:
			appendStringInfo(buf, INT64_FORMAT, DatumGetInt64(value));
			break;
		case VALUE_NUMBER:
			string = callsync_row_column_text(c, value);
			/* NaN and the infinities are no JSON numbers */
			if (strpbrk(string, "NIn") != NULL)
				escape_json(buf, string);
			else
				appendStringInfoString(buf, string);
			break;
		case VALUE_DATE:
			append_time(buf, value, DATEOID, tz);
			break;
		case VALUE_TIMESTAMP:
			append_time(buf, value, TIMESTAMPOID, tz);
			break;
		case VALUE_TIMESTAMPTZ:
			append_time(buf, value, TIMESTAMPTZOID, tz);
			break;
		case VALUE_INTERVAL:
			string = DatumGetCString(DirectFunctionCall1(numeric_out,
													   DirectFunctionCall2(extract_interval,
																		   CStringGetTextDatum("epoch"),
																		   value)));
			/* the scale is always six; whole seconds read better */
			for (char *end = string + strlen(string) - 1;
				 strchr(string, '.') != NULL && (*end == '0' || *end == '.'); end--)
			{
				bool		point = *end == '.';

				*end = '\0';
				if (point)
					break;
			}
			appendStringInfoString(buf, string);
			break;
		case VALUE_JSON:
			string = TextDatumGetCString(value);
			appendStringInfoString(buf, string);
			break;
		case VALUE_JSONB:
			appendStringInfoString(buf, callsync_row_column_text(c, value));
			break;
		case VALUE_ARRAY:
			string = TextDatumGetCString(DirectFunctionCall1(array_to_json, value));
			appendStringInfoString(buf, string);
			break;
		case VALUE_COMPOSITE:
			string = TextDatumGetCString(DirectFunctionCall1(row_to_json, value));
			appendStringInfoString(buf, string);
			break;
		case VALUE_STRING:
		case VALUE_TEXT:
			escape_json(buf, callsync_row_column_text(c, value));
			break;
	}
}

