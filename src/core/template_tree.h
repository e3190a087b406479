/*
 * template_tree.h
 *		A compiled template: what template.c (which makes it) and
 *		template_render.c (which reads it) share; nothing for others.
 */
#ifndef CALLSYNC_CORE_TEMPLATE_TREE_H
#define CALLSYNC_CORE_TEMPLATE_TREE_H

#include "core/template_impl.h"

typedef enum NodeKind
{
	NODE_CONST,
	NODE_TEXT,
	NODE_VALUE,
	NODE_OBJECT,
	NODE_ARRAY,
	NODE_CHOICE,				/* $if with then / else */
	NODE_EACH,
	NODE_DUMP
} NodeKind;

typedef struct Piece
{
	char	   *literal;		/* or */
	size_t		len;
	Expr	   *expr;
} Piece;

typedef struct Member
{
	char	   *key;
	CallsyncTemplate *key_tmpl; /* when the key holds an expression */
	CallsyncTemplate *value;
} Member;

typedef struct MapNode
{
	CallsyncPath *path;
	bool		as_string;
	char	   *list_sep;		/* as_string: how lists are joined */
	json_t	   *null_as;		/* what a null member is sent as; NULL = null */
	bool		drop_null;
	json_t	   *only;			/* arrays of names or NULL */
	json_t	   *except;
	char	   *like;			/* names with '*' and '?', or NULL */
	char	   *not_like;
} MapNode;

struct CallsyncTemplate
{
	NodeKind	kind;
	const CallsyncFilter *escape;	/* what each expression is escaped for, or NULL */
	char	   *where;
	json_t	   *constant;
	int			npieces;
	Piece	   *pieces;
	int			nmembers;
	Member	   *members;
	MapNode    *map;
	CallsyncCond *cond;
	int			nitems;
	CallsyncTemplate **items;	/* array; CHOICE: then, else (may be NULL) */
	CallsyncPath *each_path;
	char	   *each_as;
};

#endif
