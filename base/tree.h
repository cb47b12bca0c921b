/* tree.h -- builds the nodes of a configuration, told what comes next. Knows no YAML: yaml.c cuts the
 * text and tells it here, in the order of the file.
 *
 *     open map · key "sinks" · open map · key "lake" · scalar · close · close
 *
 * Problems go to the list with file, place and JSON Pointer of where we are. One that spoils a value
 * does not end the reading, so that a file's problems are told at once; one that makes the rest
 * meaningless, and every ceiling, sets `stop`: then nothing more may be told but fini.
 *
 * Threads: a tree belongs to one thread; the finished nodes to all.
 */
#ifndef SLU_BASE_TREE_H
#define SLU_BASE_TREE_H

#include "base/arena.h"
#include "base/node.h"
#include "base/problems.h"

#include <stdbool.h>
#include <stddef.h>

#define SLU_TREE_MAX_NODES   2000000u
#define SLU_TREE_MAX_DEPTH   64
#define SLU_TREE_MAX_ANCHORS 1000u

struct slu_place {
    unsigned line, column; /* 1-based, columns in bytes */
};

/* A container that is not closed yet. */
struct slu_tree_frame {
    struct slu_node *node;
    size_t first;        /* its first pair in `pending` */
    size_t nodes_before; /* n_nodes before it was opened */
    size_t height;       /* levels of containers in it so far, itself included */
    size_t anchor;       /* its place in `anchors`; SIZE_MAX: it has none */
    bool has_key;        /* map: the last pair waits for its value */
};

struct slu_tree_anchor;

struct slu_tree {
    const char *name; /* of the file; must outlive the nodes */
    struct slu_arena *arena;
    struct slu_problems *problems;
    struct slu_tree_frame frames[SLU_TREE_MAX_DEPTH];
    size_t depth;
    struct slu_node_pair *pending; /* owned */
    size_t n_pending, max_pending;
    struct slu_tree_anchor *anchors; /* owned; made with the first */
    size_t n_anchors;
    size_t n_nodes;
    struct slu_node *root; /* NULL: nothing came */
    bool stop;
};

void slu_tree_init(struct slu_tree *tree, const char *name, struct slu_arena *arena,
                   struct slu_problems *problems);

/* Frees what building needed; the nodes stay in the arena. */
void slu_tree_fini(struct slu_tree *tree);

/* Does a map wait for a key? */
bool slu_tree_wants_key(const struct slu_tree *tree);

void slu_tree_key(struct slu_tree *tree, struct slu_place place, struct slu_slice text);

/* A node without kind, counted; NULL: stop. It comes into the tree by one of the next two. */
struct slu_node *slu_tree_node(struct slu_tree *tree, struct slu_place place);

/* `node` is a list or map whose members follow, or a scalar. `anchor` may be NULL. */
void slu_tree_open(struct slu_tree *tree, struct slu_node *node, const char *anchor);
void slu_tree_scalar(struct slu_tree *tree, struct slu_node *node, const char *anchor);

void slu_tree_close(struct slu_tree *tree);

/* The node of `anchor` once more. */
void slu_tree_alias(struct slu_tree *tree, struct slu_place place, const char *anchor);

/* Add a problem with the value that comes next, or with the map when that waits for a key. */
void slu_tree_tell(struct slu_tree *tree, struct slu_place place, struct slu_err *err);
void slu_tree_say(struct slu_tree *tree, struct slu_place place, const char *sentence);

/* The same, and stop. */
void slu_tree_stop(struct slu_tree *tree, struct slu_place place, const char *sentence);
void slu_tree_no_memory(struct slu_tree *tree);

#endif
