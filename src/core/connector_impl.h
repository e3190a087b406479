/*
 * connector_impl.h
 *		The compiled connector: what connector*.c, request*.c, classify*.c and
 *		compare.c share; nothing for others.
 *
 * Names and texts point into the merged document, which lives as long as the
 * connector does.
 */
#ifndef CALLSYNC_CORE_CONNECTOR_IMPL_H
#define CALLSYNC_CORE_CONNECTOR_IMPL_H

#include <regex.h>

#include "core/rate.h"
#include "core/connector.h"
#include "core/errclass.h"
#include "core/template_impl.h"
#include "core/transport.h"

/* ---- pieces of rules ---- */

#define STATUS_RANGES_MAX 12

typedef struct StatusSet
{
	int			n;
	struct
	{
		int			lo;
		int			hi;
	}			range[STATUS_RANGES_MAX];
} StatusSet;

/* Where a text is taken from: a JSON value, a header, the body as text; then a regex over it. */
typedef struct Extract
{
	const char *json;			/* pointer, or */
	const char *header;
	bool		body;
	bool		has_re;
	regex_t		re;				/* group 1, or the whole match */
	const json_t *map;			/* object: text -> text, "*" = anything else */
	struct Extract *next;		/* tried when this one finds nothing */
} Extract;

typedef enum JsonTestKind
{
	JSON_TEST_IN,				/* equal to one of list */
	JSON_TEST_EXISTS,
	JSON_TEST_REGEX
} JsonTestKind;

typedef struct JsonTest
{
	const char *pointer;		/* '*' = any element */
	JsonTestKind kind;
	bool		flag;			/* EXISTS */
	bool		negate;
	const json_t *list;			/* IN: array, or one value */
	regex_t		re;
} JsonTest;

typedef struct JsonTests
{
	int			n;
	JsonTest   *test;
	bool		any;			/* one is enough */
} JsonTests;

typedef struct HeaderTest
{
	const char *name;
	regex_t		re;
} HeaderTest;

typedef struct Rule
{
	const char *where;			/* "/rules/3" */
	const json_t *ops;			/* NULL = all; array of names with * */
	StatusSet	status;			/* n = 0: any */
	uint32_t	transports;		/* bit per CallsyncTransport; 0 = only complete answers */
	const char *content_type;	/* prefix, "!" in front: not */
	int			nheaders;
	HeaderTest *headers;
	JsonTests	json;
	JsonTests	json_any;
	bool		has_body;
	regex_t		body;
	CallsyncErrorClass error_class;
	int			non_idempotent; /* class for ops that are not safe to repeat, or -1 */
	Extract    *existing_id;
	Extract    *field;
	Extract    *code;
	Extract    *message;
	int64_t		wait_ms;		/* -1 = none */
	bool		until_midnight;
	int			pause;			/* -1 by class, 0, 1 */
	bool		ignore_retry_after;
	bool		disable;
	bool		drift;
	const char *remedy;
} Rule;

/* ---- operations ---- */

typedef struct OpHeader
{
	const char *name;
	CallsyncTemplate *value;
} OpHeader;

#define JOIN_POINTERS_MAX 4

struct CallsyncBatchImpl
{
	const char *method;			/* NULL: the op's */
	CallsyncTemplate *path;		/* NULL: the op's */
	CallsyncTemplate *body;		/* reads {items}; NULL: multipart of whole requests */
	CallsyncTemplate *item;		/* NULL: the op's own body */
	bool		multipart;		/* multipart/mixed of HTTP requests */
	int			nheaders;		/* of the outer request */
	OpHeader   *headers;
	CallsyncTemplate *join;		/* what the item is called in the answer; NULL: by position */
	int			nout;
	const char *out[JOIN_POINTERS_MAX]; /* pointers into a result, joined by ':' */
	int			nerr;
	const char *err[JOIN_POINTERS_MAX]; /* the same in an error */
	const char *results;		/* pointer to the results; "" = the answer itself */
	const char *errors;			/* pointer to errors kept apart, or NULL */
	Extract    *item_status;	/* HTTP-like status of an item, for the rules; NULL: by item_ok */
	JsonTests	item_ok;		/* n = 0: every result is a success */
	Extract    *id;				/* NULL: the op's */
	bool		split_on_refusal;
	bool		items_in_refusal;	/* a refused batch may still say what became of each item */
};

struct CallsyncOpImpl
{
	CallsyncTemplate *path;
	CallsyncTemplate *next_path;	/* in its place when the context has a cursor */
	CallsyncTemplate *body;
	const char *line_end;		/* text bodies given as a list of lines */
	int			nlines;
	CallsyncTemplate **lines;
	CallsyncCond **line_conds;
	int			nheaders;
	OpHeader   *headers;
	StatusSet	ok;
	StatusSet	not_found;
	JsonTests	success;		/* tests an OK answer must pass as well */
	Extract    *id;
	bool		expects_json;	/* a 2xx without JSON is no answer of the API */
	/* created? */
	StatusSet	created_status;
	JsonTests	created_json;
	bool		has_created;
	/* results of finds, reads, changes, describes */
	bool		has_result;
	const char *items;
	Extract    *item_id;
	int			nitem_fields;
	const char *item_fields[JOIN_POINTERS_MAX]; /* pointers inside an item; "" = the item; further ones are added to the first */
	const char *where_pointer;	/* keep only items whose value there holds ... */
	CallsyncTemplate *where_text;	/* ... this text */
	const json_t *contact;		/* {phone: pointer | [pointers], ...} */
	JsonTests	deleted_tests;
	Extract    *cursor;
	const json_t *describe;
	bool		absent_is_null; /* a field asked for and not there has no value */
	bool		absent_is_missing;	/* empty fields are shown as null: one that is not there does not exist */
};

typedef struct StepOp
{
	CallsyncCond *when;
	const CallsyncOp *op;
} StepOp;

struct CallsyncStepImpl
{
	CallsyncCond *when;
	int			nops;
	StepOp	   *ops;
};

typedef struct LimitLearn
{
	const char *where;
	const char *limit;			/* name of the limit */
	const char *remaining;		/* header names */
	const char *max;
	const char *used;
	const char *reset;
	const char *reset_unit;		/* s, ms, epoch_s, epoch_ms */
	const char *header;			/* with regex: groups */
	bool		has_re;
	regex_t		re;
	int			group_used;
	int			group_max;
	int			group_remaining;
} LimitLearn;

struct CallsyncConnector
{
	json_t	   *document;		/* merged; owns every text */
	const char *name;
	const char *version;
	const char *base_url;
	const char *base_url_from;
	bool		whole_url;		/* base_url is the address itself: kept to the last byte */
	json_t	   *vars;
	int			nbase_headers;
	OpHeader   *base_headers;
	CallsyncConfirmation confirmation;
	int			nops;
	CallsyncOp *ops;
	int			nsteps;
	CallsyncStep *steps;
	int			nauths;
	CallsyncAuth *auths;
	int			nlimits;
	CallsyncLimitSpec limits[CALLSYNC_LIMITS_MAX];
	int			nlearn;
	LimitLearn *learn;
	int			concurrency;
	const char *retry_after_headers[4];
	int			nretry_after;
	bool		retry_after_ms;
	int64_t		retry_cap_ms;
	int			nrules;
	Rule	   *rules;
};

/* ---- reading a document (connector_doc.c) ---- */


/* Every key of obj is one of the names (NULL-terminated list); "note" always is. */
/* "what" is a format with one %s for the name that is not among the members of "known", which the hint lists as "kind". */
extern bool callsync_doc_unknown(const char *what, const char *name, const char *kind, const json_t *known, const char *where,
								 CallsyncDocError *err) __attribute__((format(printf, 1, 0)));
extern bool callsync_doc_keys(const json_t *obj, const char *where, CallsyncDocError *err, const char *const *names);
/* The member's text into *out (left alone when absent); false if it is something else. */
extern bool callsync_doc_text(const json_t *obj, const char *key, const char *where, CallsyncDocError *err, const char **out);
extern bool callsync_doc_bool(const json_t *obj, const char *key, const char *where, CallsyncDocError *err, bool *out);
extern bool callsync_doc_int(const json_t *obj, const char *key, const char *where, CallsyncDocError *err,
							 int64_t min, int64_t max, int64_t *out);
/* Index of the word in words (NULL-terminated), or an error that lists them. */
extern bool callsync_doc_word(const json_t *obj, const char *key, const char *where, CallsyncDocError *err,
							  const char *const *words, int *out);
extern bool callsync_doc_is(const json_t *value, json_type type, const char *where, const char *what, CallsyncDocError *err);
extern bool callsync_doc_status(const json_t *value, const char *where, CallsyncDocError *err, StatusSet *set);
extern bool callsync_doc_regex(const char *text, const char *where, CallsyncDocError *err, regex_t *re);
extern bool callsync_doc_extract(const json_t *value, const char *where, CallsyncDocError *err, Extract **out);
extern void callsync_extract_free(Extract *extract);
extern bool callsync_doc_tests(const json_t *value, bool any, const char *where, CallsyncDocError *err, JsonTests *tests);
extern void callsync_tests_clear(JsonTests *tests);
/* calloc + grow by one, NULL when out of memory */
extern void *callsync_doc_grow(void *list, int n, size_t size);

extern bool callsync_status_in(const StatusSet *set, int status);

/* ---- parts of the document ---- */

extern bool callsync_connector_parse_ops(CallsyncConnector *c, const json_t *ops, CallsyncDocError *err);
extern void callsync_connector_free_ops(CallsyncConnector *c);
extern bool callsync_connector_parse_batch(CallsyncOp *op, const json_t *doc, const char *where, CallsyncDocError *err);
extern void callsync_connector_free_batch(const CallsyncBatch *batch);
extern bool callsync_connector_parse_steps(CallsyncConnector *c, const json_t *steps, CallsyncDocError *err);
extern void callsync_connector_free_steps(CallsyncConnector *c);
extern bool callsync_connector_parse_rules(CallsyncConnector *c, const json_t *rules, CallsyncDocError *err);
extern void callsync_connector_free_rules(CallsyncConnector *c);
extern bool callsync_connector_parse_auth(CallsyncConnector *c, const json_t *auth, CallsyncDocError *err);
extern void callsync_connector_free_auth(CallsyncConnector *c);
extern bool callsync_connector_parse_limits(CallsyncConnector *c, const json_t *limits, CallsyncDocError *err);
extern void callsync_connector_free_limits(CallsyncConnector *c);
extern bool callsync_connector_parse_headers(const json_t *doc, const char *where, CallsyncDocError *err,
											 OpHeader **headers, int *n);
extern void callsync_connector_free_headers(OpHeader *headers, int n);
/* Does a name match a pattern with '*'? */
extern bool callsync_name_matches(const char *name, const char *pattern);

#endif
