/*
 * merge_tree.h
 *		A document as a tree of leaves that know which event said them, and how
 *		two such trees join.
 *
 * callsync_tree_join() is commutative, associative and idempotent; that alone is
 * what makes the merge independent of order. The tree lives in an arena, names
 * and values are borrowed from the JSON that it was built from.
 */
#ifndef CALLSYNC_CORE_MERGE_TREE_H
#define CALLSYNC_CORE_MERGE_TREE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When an event said something; a total order over events. */
typedef struct CallsyncStamp
{
	int64_t		time_us;
	int64_t		tie;
} CallsyncStamp;

typedef struct CallsyncTree
{
	const char *name;			/* member name; "" at the root */
	/*
	 * A leaf was said here at stamp. Where there are children too, it is older
	 * than each of them and hidden by them; its stamp still keeps still older
	 * children out.
	 */
	bool		said;
	CallsyncStamp stamp;
	const json_t *value;		/* NULL: null was said, or the leaf is hidden */
	int			nchildren;
	struct CallsyncTree **children; /* sorted by name */
} CallsyncTree;

typedef struct CallsyncArena CallsyncArena;

extern CallsyncArena *callsync_arena_new(void);
extern void *callsync_arena_alloc(CallsyncArena *arena, size_t size);	/* NULL: no memory */
extern void callsync_arena_free(CallsyncArena *arena);

extern int	callsync_stamp_compare(CallsyncStamp a, CallsyncStamp b);

/* Everything that one event's document says. NULL: no memory. */
extern CallsyncTree *callsync_tree_from_event(CallsyncArena *arena, const json_t *document,
											  CallsyncStamp stamp);

/* The join of two trees (NULL: empty). *failed is set when memory ran out. */
extern CallsyncTree *callsync_tree_join(CallsyncArena *arena, const CallsyncTree *a,
										const CallsyncTree *b, bool *failed);

/*
 * What is left of "tree" where "guard" holds a value said at or after time_us: the
 * leaves that are not at, above or below such a value. NULL: nothing, or no memory (*failed).
 */
extern CallsyncTree *callsync_tree_without(CallsyncArena *arena, const CallsyncTree *tree,
										   const CallsyncTree *guard, int64_t time_us, bool *failed);

/* The visible values as a JSON object (new reference; {} when there are none). NULL: no memory. */
extern json_t *callsync_tree_document(const CallsyncTree *tree);

/* The distinct stamps in use, sorted. */
typedef struct CallsyncStamps
{
	int			n;
	int			size;
	CallsyncStamp *items;
} CallsyncStamps;

/* Adds those of "tree" (NULL: none). Call callsync_stamps_sort() after the last. */
extern bool callsync_tree_stamps(CallsyncArena *arena, const CallsyncTree *tree, CallsyncStamps *stamps);
extern void callsync_stamps_sort(CallsyncStamps *stamps);

/*
 * Who said what, as compact JSON beside the document, and back.
 *
 * An owner is an index into stamps (the whole subtree was said by that event), or
 * [owner of the leaf that was said here, or null; {member: owner}; owner of the
 * members of the document that are not listed, or null]. A member that is listed
 * but not in the document was said to be null.
 */
extern json_t *callsync_tree_owners(const CallsyncTree *tree, const CallsyncStamps *stamps);
/* NULL: an empty tree; *failed: no memory, or owners do not fit the document. */
extern CallsyncTree *callsync_tree_load(CallsyncArena *arena, const json_t *document,
										const json_t *owners, const CallsyncStamps *stamps, bool *failed);

#endif
