/* acyclic.c -- no subschema may come back to itself while looking at the same value: judging it would
 * never end. {"$ref": "#"} is the shortest such circle. Declared in compile.h.
 *
 * A walk over the edges "judging this judges that on the same value", depth first with a stack of its
 * own; on the way back each node learns the length of the longest chain that begins with it.
 */
#include "validation/json_schema/compile.h"

#include <stdlib.h>

enum colour { WHITE, GREY, BLACK };

struct walk {
    const struct slu_edge *edges; /* by `from` */
    size_t *first;                /* by node: its first edge; n_nodes + 1 of them */
    size_t *next;                 /* by node: the edge to look at next */
    uint32_t *chain;              /* by node: nodes in the longest chain from it */
    uint8_t *colour;
    uint32_t *stack;
};

static int by_from(const void *a, const void *b)
{
    const uint32_t left = ((const struct slu_edge *)a)->from;
    const uint32_t right = ((const struct slu_edge *)b)->from;
    return (left > right) - (left < right);
}

static bool walk_init(struct slu_compile *compile, struct walk *walk)
{
    struct slu_arena *arena = &compile->passing;
    const size_t n = compile->work.n;
    walk->first = slu_arena_array(arena, n + 1, sizeof(size_t));
    walk->next = slu_arena_array(arena, n + 1, sizeof(size_t));
    walk->chain = slu_arena_array(arena, n, sizeof(uint32_t));
    walk->colour = slu_arena_array(arena, n, sizeof(uint8_t));
    walk->stack = slu_arena_array(arena, n, sizeof(uint32_t));
    if (walk->first == NULL || walk->next == NULL || walk->chain == NULL || walk->colour == NULL ||
        walk->stack == NULL)
        return false;

    qsort(compile->edges.items, compile->edges.n, sizeof(struct slu_edge), by_from);
    walk->edges = compile->edges.items;
    for (size_t i = 0; i < compile->edges.n; i++)
        walk->first[walk->edges[i].from + 1]++;
    for (size_t i = 0; i < n; i++)
        walk->first[i + 1] += walk->first[i];
    for (size_t i = 0; i < n; i++)
        walk->next[i] = walk->first[i];
    return true;
}

/* Everything that can be reached from `root`. False: told. */
static bool walk_from(struct slu_compile *compile, struct walk *walk, uint32_t root)
{
    size_t depth = 0;
    walk->stack[depth++] = root;
    walk->colour[root] = GREY;
    walk->chain[root] = 1;
    while (depth > 0) {
        const uint32_t node = walk->stack[depth - 1];
        if (walk->next[node] == walk->first[node + 1]) {
            walk->colour[node] = BLACK;
            depth--;
            if (depth > 0 && walk->chain[walk->stack[depth - 1]] <= walk->chain[node])
                walk->chain[walk->stack[depth - 1]] = walk->chain[node] + 1;
            continue;
        }
        const struct slu_edge *edge = &walk->edges[walk->next[node]++];
        if (walk->colour[edge->to] == GREY)
            return slu_compile_error(compile, edge->at,
                                     "a reference that comes back here without looking at a "
                                     "member first: judging would never end");
        if (walk->colour[edge->to] == BLACK) {
            if (walk->chain[node] <= walk->chain[edge->to])
                walk->chain[node] = walk->chain[edge->to] + 1;
            continue;
        }
        walk->colour[edge->to] = GREY;
        walk->chain[edge->to] = 1;
        walk->stack[depth++] = edge->to;
    }
    if (walk->chain[root] > SLU_COMPILE_MAX_CHAIN)
        return slu_compile_error(compile, ((const struct slu_work *)compile->work.items)[root].cell,
                                 "more than %d schemas in a row for the same value",
                                 SLU_COMPILE_MAX_CHAIN);
    return true;
}

bool slu_compile_check_acyclic(struct slu_compile *compile)
{
    struct walk walk;
    if (compile->edges.n == 0)
        return true;
    if (!walk_init(compile, &walk)) {
        compile->no_memory = true;
        return false;
    }
    bool sound = true;
    for (uint32_t node = 0; node < compile->work.n && sound; node++)
        if (walk.colour[node] == WHITE)
            sound = walk_from(compile, &walk, node);
    return sound;
}
