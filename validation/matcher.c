/* matcher.c -- builds the trie; see matcher.h for what is asked and answered, matcher_inside.h for its
 * shape.
 *
 * While it grows its parts are from malloc; what it came to is copied into the arena in its final size.
 */
#include "validation/matcher_inside.h"

#include "base/random.h"

#include <stdlib.h>

/* The trie while it grows. */
struct builder {
    uint64_t seed;
    struct slu_trie_node *nodes;
    size_t n_nodes, max_nodes;
    struct slu_trie_edge *edges;
    size_t n_edges, max_edges;
    uint32_t per_level[SLU_TOPIC_MAX_LEVELS + 1]; /* nodes on each level */
};

static bool grow_edges(struct builder *builder)
{
    if (builder->n_edges * 2 < builder->max_edges)
        return true;
    const size_t max = builder->max_edges == 0 ? 16 : builder->max_edges * 2;
    struct slu_trie_edge *edges = calloc(max, sizeof(*edges));
    if (edges == NULL)
        return false;
    for (size_t i = 0; i < builder->max_edges; i++) {
        const struct slu_trie_edge *edge = &builder->edges[i];
        if (edge->child != 0)
            edges[slu_edge_place(edges, max - 1, edge->hash, edge->parent, edge->text)] = *edge;
    }
    free(builder->edges);
    builder->edges = edges;
    builder->max_edges = max;
    return true;
}

/* A new node on `level`; SLU_MATCHER_NONE: no memory. */
static uint32_t add_node(struct builder *builder, size_t level)
{
    if (builder->n_nodes == SLU_MATCHER_NONE)
        return SLU_MATCHER_NONE;
    if (builder->n_nodes == builder->max_nodes) {
        const size_t max = builder->max_nodes == 0 ? 64 : builder->max_nodes * 2;
        struct slu_trie_node *nodes = realloc(builder->nodes, max * sizeof(*nodes));
        if (nodes == NULL)
            return SLU_MATCHER_NONE;
        builder->nodes = nodes;
        builder->max_nodes = max;
    }
    builder->nodes[builder->n_nodes] =
        (struct slu_trie_node){SLU_MATCHER_NONE, SLU_MATCHER_NONE, SLU_MATCHER_NONE, 0};
    builder->per_level[level]++;
    return (uint32_t)builder->n_nodes++;
}

/* The child of `parent` (on level `level`) for `step`, made if it is missing; SLU_MATCHER_NONE: no memory. */
static uint32_t child_of(struct builder *builder, uint32_t parent, const struct slu_level *step,
                         size_t level)
{
    if (step->kind == SLU_LEVEL_PLUS) {
        if (builder->nodes[parent].plus == SLU_MATCHER_NONE) {
            const uint32_t child = add_node(builder, level);
            builder->nodes[parent].plus = child;
        }
        return builder->nodes[parent].plus;
    }
    if (!grow_edges(builder))
        return SLU_MATCHER_NONE;
    const uint64_t hash =
        slu_edge_hash(slu_hash_bytes(builder->seed, step->text.data, step->text.len), parent);
    struct slu_trie_edge *edge = &builder->edges[slu_edge_place(
        builder->edges, builder->max_edges - 1, hash, parent, step->text)];
    if (edge->child != 0)
        return edge->child;
    const uint32_t child = add_node(builder, level);
    if (child == SLU_MATCHER_NONE)
        return SLU_MATCHER_NONE;
    *edge = (struct slu_trie_edge){hash, step->text, parent, child};
    builder->n_edges++;
    builder->nodes[parent].n_literals++;
    return child;
}

static bool add_row(struct builder *builder, struct slu_trie_row *rows, uint32_t index)
{
    const struct slu_topic_filter *filter = &rows[index].filter;
    uint32_t node = 0;
    size_t i = 0;
    for (; i < filter->n_levels && filter->levels[i].kind != SLU_LEVEL_HASH; i++) {
        node = child_of(builder, node, &filter->levels[i], i + 1);
        if (node == SLU_MATCHER_NONE)
            return false;
    }
    uint32_t *list = i < filter->n_levels ? &builder->nodes[node].deep : &builder->nodes[node].here;
    rows[index].next = *list;
    *list = index;
    return true;
}

/* Copy what was built; NULL: no memory. */
static const struct slu_matcher *finish(const struct builder *builder,
                                        const struct slu_trie_row *rows, size_t n_policies,
                                        struct slu_arena *arena)
{
    struct slu_matcher *matcher = slu_arena_alloc(arena, sizeof(*matcher));
    struct slu_trie_node *nodes = slu_arena_array(arena, builder->n_nodes, sizeof(*nodes));
    struct slu_trie_edge *edges = slu_arena_array(arena, builder->max_edges, sizeof(*edges));
    if (matcher == NULL || nodes == NULL || edges == NULL)
        return NULL;
    memcpy(nodes, builder->nodes, builder->n_nodes * sizeof(*nodes));
    memcpy(edges, builder->edges, builder->max_edges * sizeof(*edges));
    *matcher = (struct slu_matcher){.seed = builder->seed,
                                    .nodes = nodes,
                                    .edges = edges,
                                    .edge_mask = builder->max_edges - 1,
                                    .rows = rows,
                                    .n_policies = n_policies,
                                    .width = 1};
    for (size_t i = 0; i <= SLU_TOPIC_MAX_LEVELS; i++) {
        if (matcher->width < builder->per_level[i])
            matcher->width = builder->per_level[i];
    }
    return matcher;
}

const struct slu_matcher *slu_matcher_compile(const struct slu_matcher_row *rows, size_t n_rows,
                                              struct slu_arena *arena)
{
    struct builder builder = {0};
    struct slu_trie_row *own = slu_arena_array(arena, n_rows, sizeof(*own));
    const struct slu_matcher *matcher = NULL;
    size_t n_policies = 0;
    slu_random_fill(&builder.seed, sizeof(builder.seed));
    bool good = own != NULL && n_rows < SLU_MATCHER_NONE && add_node(&builder, 0) == 0 &&
                grow_edges(&builder);
    for (size_t i = 0; good && i < n_rows; i++) {
        own[i] = (struct slu_trie_row){rows[i].filter, rows[i].policy, SLU_MATCHER_NONE,
                                       rows[i].exclude};
        if (rows[i].policy >= n_policies)
            n_policies = (size_t)rows[i].policy + 1;
        good = add_row(&builder, own, (uint32_t)i);
    }
    if (good)
        matcher = finish(&builder, own, n_policies, arena);
    free(builder.nodes);
    free(builder.edges);
    return matcher;
}
