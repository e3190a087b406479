/*
 * merge_tree.c
 *		Trees of stamped leaves: build, join, write down, read back.
 *
 * Trees are immutable once built, so that joins share what they do not change.
 */
#include "core/merge_tree.h"

#include <stdlib.h>
#include <string.h>

/* --- arena: everything of one merge, freed at once --- */

#define CHUNK_SIZE 8192

typedef struct Chunk
{
	struct Chunk *next;
	size_t		size;
	size_t		used;
	max_align_t data[];
} Chunk;

struct CallsyncArena
{
	Chunk	   *chunks;
};

CallsyncArena *
callsync_arena_new(void)
{
	return calloc(1, sizeof(CallsyncArena));
}

void *
callsync_arena_alloc(CallsyncArena *arena, size_t size)
{
	Chunk	   *chunk = arena->chunks;
	void	   *result;

	size = (size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	if (chunk == NULL || chunk->size - chunk->used < size)
	{
		size_t		room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

		chunk = malloc(sizeof(Chunk) + room);
		if (chunk == NULL)
			return NULL;
		chunk->size = room;
		chunk->used = 0;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	result = (char *) chunk->data + chunk->used;
	chunk->used += size;
	memset(result, 0, size);
	return result;
}

void
callsync_arena_free(CallsyncArena *arena)
{
	if (arena == NULL)
		return;
	while (arena->chunks != NULL)
	{
		Chunk	   *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
	free(arena);
}

/* --- stamps --- */

int
callsync_stamp_compare(CallsyncStamp a, CallsyncStamp b)
{
	if (a.time_us != b.time_us)
		return a.time_us < b.time_us ? -1 : 1;
	if (a.tie != b.tie)
		return a.tie < b.tie ? -1 : 1;
	return 0;
}

static int
compare_stamps(const void *a, const void *b)
{
	return callsync_stamp_compare(*(const CallsyncStamp *) a, *(const CallsyncStamp *) b);
}

static bool
add_stamp(CallsyncArena *arena, CallsyncStamps *stamps, CallsyncStamp stamp)
{
	/* leaves of one event stand together: most repetitions are caught here */
	if (stamps->n > 0 && callsync_stamp_compare(stamps->items[stamps->n - 1], stamp) == 0)
		return true;
	if (stamps->n == stamps->size)
	{
		int			size = stamps->size == 0 ? 8 : stamps->size * 2;
		CallsyncStamp *items = callsync_arena_alloc(arena, size * sizeof(CallsyncStamp));

		if (items == NULL)
			return false;
		if (stamps->n > 0)
			memcpy(items, stamps->items, stamps->n * sizeof(CallsyncStamp));
		stamps->items = items;
		stamps->size = size;
	}
	stamps->items[stamps->n++] = stamp;
	return true;
}

bool
callsync_tree_stamps(CallsyncArena *arena, const CallsyncTree *tree, CallsyncStamps *stamps)
{
	if (tree == NULL)
		return true;
	if (tree->said && !add_stamp(arena, stamps, tree->stamp))
		return false;
	for (int i = 0; i < tree->nchildren; i++)
	{
		if (!callsync_tree_stamps(arena, tree->children[i], stamps))
			return false;
	}
	return true;
}

void
callsync_stamps_sort(CallsyncStamps *stamps)
{
	int			n = 0;

	if (stamps->n == 0)
		return;
	qsort(stamps->items, stamps->n, sizeof(CallsyncStamp), compare_stamps);
	for (int i = 1; i < stamps->n; i++)
	{
		if (callsync_stamp_compare(stamps->items[n], stamps->items[i]) != 0)
			stamps->items[++n] = stamps->items[i];
	}
	stamps->n = n + 1;
}

static int
stamp_index(const CallsyncStamps *stamps, CallsyncStamp stamp)
{
	const CallsyncStamp *found = bsearch(&stamp, stamps->items, stamps->n, sizeof(stamp), compare_stamps);

	return (int) (found - stamps->items);
}

/* --- building --- */

static int
compare_names(const void *a, const void *b)
{
	return strcmp((*(CallsyncTree *const *) a)->name, (*(CallsyncTree *const *) b)->name);
}

static CallsyncTree *
new_tree(CallsyncArena *arena, const char *name, size_t max_children)
{
	CallsyncTree *tree = callsync_arena_alloc(arena, sizeof(CallsyncTree));

	if (tree == NULL)
		return NULL;
	tree->name = name;
	if (max_children > 0)
	{
		tree->children = callsync_arena_alloc(arena, max_children * sizeof(CallsyncTree *));
		if (tree->children == NULL)
			return NULL;
	}
	return tree;
}

static CallsyncTree *
tree_from_json(CallsyncArena *arena, const char *name, const json_t *json, CallsyncStamp stamp)
{
	CallsyncTree *tree = new_tree(arena, name, json_object_size(json));
	const char *key;
	json_t	   *value;

	if (tree == NULL)
		return NULL;
	if (!json_is_object(json))
	{
		tree->said = true;
		tree->stamp = stamp;
		tree->value = json_is_null(json) ? NULL : json;
		return tree;
	}
	json_object_foreach((json_t *) json, key, value)
	{
		CallsyncTree *child = tree_from_json(arena, key, value, stamp);

		if (child == NULL)
			return NULL;
		/* an empty object says nothing */
		if (child->said || child->nchildren > 0)
			tree->children[tree->nchildren++] = child;
	}
	if (tree->nchildren > 1)
		qsort(tree->children, tree->nchildren, sizeof(CallsyncTree *), compare_names);
	return tree;
}

CallsyncTree *
callsync_tree_from_event(CallsyncArena *arena, const json_t *document, CallsyncStamp stamp)
{
	if (!json_is_object(document))
		return new_tree(arena, "", 0);
	return tree_from_json(arena, "", document, stamp);
}

/* --- joining --- */

/* A third order for events that even tie: by value, null lowest. */
static int
compare_values(const json_t *a, const json_t *b)
{
	char	   *text_a;
	char	   *text_b;
	int			result;

	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	if (json_equal(a, b))
		return 0;
	text_a = json_dumps(a, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	text_b = json_dumps(b, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	result = text_a != NULL && text_b != NULL ? strcmp(text_a, text_b) : 0;
	free(text_a);
	free(text_b);
	return result;
}

static const CallsyncTree *
later_leaf(const CallsyncTree *a, const CallsyncTree *b)
{
	int			order;

	if (a == NULL || !a->said)
		return b != NULL && b->said ? b : NULL;
	if (b == NULL || !b->said)
		return a;
	order = callsync_stamp_compare(a->stamp, b->stamp);
	if (order == 0)
		order = compare_values(a->value, b->value);
	return order >= 0 ? a : b;
}

/*
 * cut: the latest leaf said at a place above; what is older than it is gone.
 * Equal stamps are not older: of two events that tie, the one with the object wins
 * over the one with the scalar, whichever came first.
 */
static CallsyncTree *
join(CallsyncArena *arena, const CallsyncTree *a, const CallsyncTree *b,
	 const CallsyncStamp *cut, bool *failed)
{
	const CallsyncTree *leaf = later_leaf(a, b);
	int			na = a ? a->nchildren : 0;
	int			nb = b ? b->nchildren : 0;
	int			ia = 0;
	int			ib = 0;
	CallsyncTree *result;

	if (leaf != NULL && cut != NULL && callsync_stamp_compare(leaf->stamp, *cut) < 0)
		leaf = NULL;
	result = new_tree(arena, a ? a->name : b->name, na + nb);
	if (result == NULL)
	{
		*failed = true;
		return NULL;
	}
	if (leaf != NULL)
	{
		result->said = true;
		result->stamp = leaf->stamp;
		cut = &result->stamp;	/* not older than the cut from above */
	}
	while (ia < na || ib < nb)
	{
		const CallsyncTree *ca = NULL;
		const CallsyncTree *cb = NULL;
		CallsyncTree *child;
		int			order;

		if (ia == na)
			order = 1;
		else if (ib == nb)
			order = -1;
		else
			order = strcmp(a->children[ia]->name, b->children[ib]->name);
		if (order <= 0)
			ca = a->children[ia++];
		if (order >= 0)
			cb = b->children[ib++];
		/* nothing to join and nothing to cut: share */
		if (cut == NULL && (ca == NULL || cb == NULL))
			child = (CallsyncTree *) (ca ? ca : cb);
		else
			child = join(arena, ca, cb, cut, failed);
		if (*failed)
			return NULL;
		if (child != NULL)
			result->children[result->nchildren++] = child;
	}
	if (result->nchildren == 0)
	{
		if (leaf == NULL)
			return NULL;
		result->value = leaf->value;
	}
	return result;
}

CallsyncTree *
callsync_tree_join(CallsyncArena *arena, const CallsyncTree *a, const CallsyncTree *b, bool *failed)
{
	if (a == NULL || b == NULL)
		return (CallsyncTree *) (a ? a : b);
	return join(arena, a, b, NULL, failed);
}

/* Is there a value in "tree", said at or after time_us? */
static bool
holds_value_since(const CallsyncTree *tree, int64_t time_us)
{
	if (tree->nchildren == 0)
		return tree->said && tree->value != NULL && tree->stamp.time_us >= time_us;
	for (int i = 0; i < tree->nchildren; i++)
	{
		if (holds_value_since(tree->children[i], time_us))
			return true;
	}
	return false;
}

CallsyncTree *
callsync_tree_without(CallsyncArena *arena, const CallsyncTree *tree, const CallsyncTree *guard,
					  int64_t time_us, bool *failed)
{
	CallsyncTree *result;
	int			g = 0;

	if (tree == NULL || guard == NULL || !holds_value_since(guard, time_us))
		return (CallsyncTree *) tree;
	if (guard->nchildren == 0)
		return NULL;			/* the value stands here: all of "tree" is at or below it */
	result = new_tree(arena, tree->name, tree->nchildren);
	if (result == NULL)
	{
		*failed = true;
		return NULL;
	}
	/* a leaf here would stand above a guarded value: not taken over */
	for (int i = 0; i < tree->nchildren; i++)
	{
		CallsyncTree *child = tree->children[i];

		while (g < guard->nchildren && strcmp(guard->children[g]->name, child->name) < 0)
			g++;
		if (g < guard->nchildren && strcmp(guard->children[g]->name, child->name) == 0)
			child = callsync_tree_without(arena, child, guard->children[g], time_us, failed);
		if (*failed)
			return NULL;
		if (child != NULL)
			result->children[result->nchildren++] = child;
	}
	return result->nchildren > 0 ? result : NULL;
}

/* --- writing down and reading back --- */

/* The visible value of a subtree (new reference), NULL when nothing is visible. */
static json_t *
visible(const CallsyncTree *tree, bool *failed)
{
	json_t	   *object = NULL;

	if (tree->nchildren == 0)
		return tree->value ? json_incref((json_t *) tree->value) : NULL;
	for (int i = 0; i < tree->nchildren && !*failed; i++)
	{
		json_t	   *value = visible(tree->children[i], failed);

		if (value == NULL)
			continue;
		if (object == NULL)
			object = json_object();
		if (object == NULL || json_object_set_new_nocheck(object, tree->children[i]->name, value) != 0)
			*failed = true;
	}
	return object;
}

json_t *
callsync_tree_document(const CallsyncTree *tree)
{
	bool		failed = false;
	json_t	   *document = tree ? visible(tree, &failed) : NULL;

	if (failed)
	{
		json_decref(document);
		return NULL;
	}
	return document ? document : json_object();
}

static bool
is_visible(const CallsyncTree *tree)
{
	if (tree->nchildren == 0)
		return tree->value != NULL;
	for (int i = 0; i < tree->nchildren; i++)
	{
		if (is_visible(tree->children[i]))
			return true;
	}
	return false;
}

/* The index that owns most of the members that need not be listed one by one; -1: none. */
static json_int_t
most_frequent(json_t **owners, const CallsyncTree *tree, int nstamps)
{
	json_int_t	best = -1;
	int			best_count = 0;

	for (int i = 0; i < tree->nchildren; i++)
	{
		json_int_t	candidate;
		int			count = 0;

		if (!json_is_integer(owners[i]) || !is_visible(tree->children[i]))
			continue;
		candidate = json_integer_value(owners[i]);
		if (candidate == best)
			continue;
		for (int j = i; j < tree->nchildren; j++)
			count += json_is_integer(owners[j]) && json_integer_value(owners[j]) == candidate &&
				is_visible(tree->children[j]);
		if (count > best_count || (count == best_count && candidate < best))
		{
			best = candidate;
			best_count = count;
		}
		if (nstamps == 1)
			break;
	}
	return best;
}

json_t *
callsync_tree_owners(const CallsyncTree *tree, const CallsyncStamps *stamps)
{
	json_t	  **owners;
	json_t	   *listed;
	json_t	   *result = NULL;
	json_int_t	rest;
	bool		ok = true;

	if (tree == NULL)
		return json_null();
	if (tree->nchildren == 0)
		return tree->said ? json_integer(stamp_index(stamps, tree->stamp)) : json_null();
	owners = calloc(tree->nchildren, sizeof(json_t *));
	listed = json_object();
	for (int i = 0; owners != NULL && i < tree->nchildren; i++)
	{
		owners[i] = callsync_tree_owners(tree->children[i], stamps);
		ok = ok && owners[i] != NULL;
	}
	ok = ok && owners != NULL && listed != NULL;
	rest = ok ? most_frequent(owners, tree, stamps->n) : -1;
	for (int i = 0; ok && i < tree->nchildren; i++)
	{
		if (json_is_integer(owners[i]) && json_integer_value(owners[i]) == rest &&
			is_visible(tree->children[i]))
			continue;
		ok = json_object_set_nocheck(listed, tree->children[i]->name, owners[i]) == 0;
	}
	if (ok && !tree->said && json_object_size(listed) == 0)
		result = json_integer(rest);
	else if (ok)
		result = json_pack("[o, O, o]",
						   tree->said ? json_integer(stamp_index(stamps, tree->stamp)) : json_null(),
						   listed, rest >= 0 ? json_integer(rest) : json_null());
	for (int i = 0; owners != NULL && i < tree->nchildren; i++)
		json_decref(owners[i]);
	free(owners);
	json_decref(listed);
	return result;
}

/* The stamp that an owner's index stands for. */
static bool
stamp_of(const json_t *owner, const CallsyncStamps *stamps, CallsyncStamp *stamp)
{
	json_int_t	i = json_integer_value(owner);

	if (!json_is_integer(owner) || i < 0 || i >= stamps->n)
		return false;
	*stamp = stamps->items[i];
	return true;
}

static CallsyncTree *
load(CallsyncArena *arena, const char *name, const json_t *document,
	 const json_t *owner, const CallsyncStamps *stamps, bool *failed)
{
	const json_t *listed = json_array_get(owner, 1);
	const json_t *rest = json_array_get(owner, 2);
	const char *key;
	json_t	   *value;
	CallsyncStamp stamp;
	CallsyncTree *tree;

	if (json_is_integer(owner))
	{
		if (!stamp_of(owner, stamps, &stamp))
			*failed = true;
		tree = *failed ? NULL : tree_from_json(arena, name, document ? document : json_null(), stamp);
		*failed = *failed || tree == NULL;
		return tree;
	}
	tree = new_tree(arena, name, json_object_size(document) + json_object_size(listed));
	if (tree == NULL || !json_is_array(owner) || !json_is_object(listed) ||
		(document != NULL && !json_is_object(document)))
	{
		*failed = true;
		return NULL;
	}
	if (!json_is_null(json_array_get(owner, 0)))
	{
		tree->said = true;
		if (!stamp_of(json_array_get(owner, 0), stamps, &tree->stamp))
			*failed = true;
	}
	json_object_foreach((json_t *) document, key, value)
	{
		const json_t *of_member = json_object_get(listed, key);

		if (*failed)
			return NULL;
		tree->children[tree->nchildren++] = load(arena, key, value, of_member ? of_member : rest, stamps, failed);
	}
	json_object_foreach((json_t *) listed, key, value)
	{
		if (*failed)
			return NULL;
		if (json_object_get(document, key) == NULL)
			tree->children[tree->nchildren++] = load(arena, key, NULL, value, stamps, failed);
	}
	if (*failed)
		return NULL;
	if (tree->nchildren > 1)
		qsort(tree->children, tree->nchildren, sizeof(CallsyncTree *), compare_names);
	return tree;
}

CallsyncTree *
callsync_tree_load(CallsyncArena *arena, const json_t *document, const json_t *owners,
				   const CallsyncStamps *stamps, bool *failed)
{
	if (json_is_null(owners))
		return NULL;
	return load(arena, "", json_is_object(document) ? document : NULL, owners, stamps, failed);
}
