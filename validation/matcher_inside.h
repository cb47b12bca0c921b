/* matcher_inside.h -- the trie as it is built (matcher.c) and walked (match_cache.c).
 *
 * The trie. A node is a prefix of filters, level by level. Its `+` child is a member; all literal
 * children of all nodes share ONE hash table, keyed by (node, text of the level):
 *
 *     a/+/x   a/#   a/b            edges        (0,"a")→1  (2,"x")→3  (1,"b")→4
 *
 *     0 ─a─▶ 1 ─+─▶ 2 ─x─▶ 3       rows of "a/#" hang on node 1 as `deep`: it matches "a" too
 *            └─b─▶ 4               rows of "a/b" hang on node 4 as `here`
 */
#ifndef SLU_VALIDATION_MATCHER_INSIDE_H
#define SLU_VALIDATION_MATCHER_INSIDE_H

#include "validation/matcher.h"

#include "base/hash.h"

#include <stdbool.h>
#include <string.h>

#define SLU_MATCHER_NONE UINT32_MAX

struct slu_trie_node {
    uint32_t plus;       /* child for `+`, or SLU_MATCHER_NONE */
    uint32_t here;       /* first row that ends here, or SLU_MATCHER_NONE */
    uint32_t deep;       /* first row that goes on with `#` from here, or SLU_MATCHER_NONE */
    uint32_t n_literals; /* literal children */
};

struct slu_trie_edge {
    uint64_t hash;
    struct slu_slice text;  /* borrowed from the filter */
    uint32_t parent, child; /* child 0 (the root is nobody's child): the place is free */
};

struct slu_trie_row {
    struct slu_topic_filter filter;
    uint32_t policy;
    uint32_t next; /* row with the same filter, or SLU_MATCHER_NONE */
    bool exclude;
};

struct slu_matcher {
    uint64_t seed;
    const struct slu_trie_node *nodes;
    const struct slu_trie_edge *edges; /* open addressing, linear probing, at most half full */
    size_t edge_mask;
    const struct slu_trie_row *rows;
    size_t n_policies; /* highest index + 1 */
    size_t width;      /* nodes on the widest level: the frontier never needs more */
};

static inline uint64_t slu_edge_hash(uint64_t text_hash, uint32_t parent)
{
    return slu_hash_mix(text_hash ^ SLU_HASH_A, ((uint64_t)parent + 1) * SLU_HASH_B);
}

/* The place of the edge, or the free place where it would be. */
static inline size_t slu_edge_place(const struct slu_trie_edge *edges, size_t mask, uint64_t hash,
                                    uint32_t parent, struct slu_slice text)
{
    size_t place = (size_t)hash & mask;
    while (edges[place].child != 0) {
        const struct slu_trie_edge *edge = &edges[place];
        if (edge->hash == hash && edge->parent == parent && slu_slice_equal(edge->text, text))
            break;
        place = (place + 1) & mask;
    }
    return place;
}

#endif
