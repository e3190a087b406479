/*
 * mapping_impl.h
 *		The compiled field map: what the files mapping*.c share.
 */
#ifndef CALLSYNC_CORE_MAPPING_IMPL_H
#define CALLSYNC_CORE_MAPPING_IMPL_H

#include "core/connector_impl.h"
#include "core/mapping.h"

#define MAP_MAX_FILTERS 6

/* What to do when a value is missing, unknown, too long or malformed. */
typedef enum MapAction
{
	MAP_OMIT,					/* leave it out, nothing to say */
	MAP_OMIT_AND_FLAG,			/* leave it out and show it to a person */
	MAP_NULL,					/* send null: clears the field */
	MAP_DEFAULT,				/* send the default */
	MAP_CODE,					/* send the code and flag it */
	MAP_REVIEW,					/* as omit_and_flag */
	MAP_HOLD,					/* do not send the record */
	MAP_TRUNCATE_AND_FLAG
} MapAction;

typedef enum MapWrite
{
	MAP_WRITE_ALWAYS,
	MAP_WRITE_CREATE,			/* only into a new record */
	MAP_WRITE_UPDATE,			/* only into an existing one */
	MAP_WRITE_IF_EMPTY,			/* new, or known to be empty */
	MAP_WRITE_UPDATE_IF_EMPTY,
	MAP_WRITE_APPEND			/* a list: what is stored and not in it stays behind it */
} MapWrite;

typedef enum FieldType
{
	FIELD_ANY,
	FIELD_STRING,
	FIELD_EMAIL,
	FIELD_PHONE,
	FIELD_URL,
	FIELD_NUMBER,
	FIELD_INTEGER,
	FIELD_BOOL,
	FIELD_DATE,
	FIELD_DATETIME,
	FIELD_ENUM,
	FIELD_MULTI,
	FIELD_JSON
} FieldType;

typedef struct MapLine
{
	CallsyncCond *when;
	CallsyncTemplate *text;
} MapLine;

/* One way to fill a field. */
typedef struct MapSpec
{
	CallsyncCond *when;
	int			nfrom;
	Expr	   *from;
	int			nfilters;
	CallsyncFilterCall filters[MAP_MAX_FILTERS];
	int			nlines;			/* "template" */
	MapLine    *lines;
	const char *join;
	CallsyncTemplate *tree;		/* "tree": a value with a structure of its own */
	const json_t *constant;
	const json_t *enums;		/* object, or text: name of a var */
	bool		has_pass;
	regex_t		pass;			/* values that may go through unmapped */
	bool		has_pattern;
	regex_t		pattern;
	MapAction	on_null;
	MapAction	on_unknown;
	MapAction	on_invalid;
	MapAction	on_too_long;
	bool		required;
	MapAction	on_missing;		/* of a required field */
	const json_t *default_value;
	const json_t *code;
	int64_t		max;			/* characters, 0 = no limit of the map */
	FieldType	type;
	MapWrite	write;
	const char *labelled;		/* the field is known by this label, its name is the account's */
	const char *stored;			/* column of the mirror */
	const json_t *stored_in;	/* columns of the mirror that hold the elements of a list, or NULL */
	const json_t *unless_in;	/* columns of the mirror that must not hold the value */
	bool		if_exists;		/* say nothing where the destination lacks the field */
	bool		if_declared;	/* only where the destination is known to have it */
	/* wildcard entries */
	CallsyncPath *each;
	CallsyncTemplate *to;
	const json_t *except;
} MapSpec;

typedef struct MapEntry
{
	const char *field;
	bool		wildcard;
	int			nspecs;
	MapSpec    *specs;
} MapEntry;

struct CallsyncMap
{
	json_t	   *doc;			/* owns the texts */
	const char *object;
	const json_t *null_words;
	int			nentries;
	MapEntry   *entries;		/* sorted by field */
};

extern int	callsync_field_type(const char *name);

#endif
