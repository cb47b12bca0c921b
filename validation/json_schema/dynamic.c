/* dynamic.c -- $dynamicRef (2020-12) and $recursiveRef (2019-09): references whose target depends on the
 * way that evaluation took.
 *
 *   the way, outermost first          targets of "#node"            what is meant
 *     https://plant/tree  ──────────▶  https://plant/tree  ─▶ node 0    this one
 *     https://plant/list               https://plant/list  ─▶ node 7
 *
 * The outermost resource on the way that has the anchor decides. $recursiveAnchor is an anchor
 * without a name. Which resources have it is known for sure only when the last document has been
 * read, so the targets are filled in at the end.
 */
#include "validation/json_schema/compile.h"
#include "validation/json_schema/run.h"

#include <stdlib.h>

struct target {
    uint32_t resource;
    const struct slu_node *node;
};

struct dynamic {
    const struct slu_node *fallback;
    size_t n;
    const struct target *targets; /* by resource */
    unsigned cost;                /* units of looking for one */
};

/* One that waits for its targets. */
struct waiting {
    struct dynamic *dynamic;
    struct slu_slice name;
};

static bool is_target(const struct slu_anchor *anchor, struct slu_slice name)
{
    return anchor->dynamic && slu_slice_equal(anchor->name, name);
}

static size_t count_targets(const struct slu_compile *compile, struct slu_slice name)
{
    const struct slu_anchor *anchors = compile->anchors.items;
    size_t n = 0;
    for (size_t i = 0; i < compile->anchors.n; i++)
        n += is_target(&anchors[i], name);
    return n;
}

static int by_resource(const void *a, const void *b)
{
    const struct target *left = a;
    const struct target *right = b;
    return (left->resource > right->resource) - (left->resource < right->resource);
}

static void fill(struct slu_compile *compile, const struct waiting *waiting, size_t n)
{
    struct target *targets = slu_compile_alloc(compile, n, sizeof(*targets));
    size_t filled = 0;
    for (size_t i = 0; targets != NULL && i < compile->anchors.n; i++) {
        const struct slu_anchor *anchor = (const struct slu_anchor *)compile->anchors.items + i;
        const uint32_t resource = anchor->resource;
        if (!is_target(anchor, waiting->name))
            continue;
        const struct slu_node *node = slu_compile_node(compile, anchor->target);
        if (node != NULL)
            targets[filled++] = (struct target){resource, node};
    }
    if (targets != NULL)
        qsort(targets, filled, sizeof(*targets), by_resource);
    waiting->dynamic->targets = targets;
    waiting->dynamic->n = filled;
    waiting->dynamic->cost = 2;
    for (size_t left = filled; left != 0; left /= 2)
        waiting->dynamic->cost++;
}

bool slu_dynamic_settle(struct slu_compile *compile)
{
    const size_t before = compile->work.n;
    for (size_t i = 0; i < compile->dynamics.n && !compile->no_memory; i++) {
        const struct waiting *waiting = (const struct waiting *)compile->dynamics.items + i;
        const size_t n = count_targets(compile, waiting->name);
        if (n != waiting->dynamic->n)
            fill(compile, waiting, n);
    }
    return compile->work.n != before;
}

/* `named`: the reference goes by a name; $recursiveRef does not. */
static void compile_reference(struct slu_build *build, const struct slu_keyword *row,
                              const struct slu_value *value, bool named)
{
    struct slu_compile *compile = build->compile;
    const struct slu_anchor *anchor;
    if (!slu_build_expect(build, row, value, SLU_VALUE_STRING))
        return;
    const struct slu_value *target = slu_resolve(compile, value, build->node->resource, &anchor);
    const bool fixed = anchor == NULL || !anchor->dynamic || (anchor->name.len != 0) != named;
    const struct slu_slice name = fixed ? slu_slice("", 0) : anchor->name;
    const struct slu_node *node = target != NULL ? slu_build_in_place(build, target) : NULL;
    if (node == NULL)
        return;
    struct slu_op *op = slu_build_op(build, row, value);
    if (fixed) { /* then it is a $ref */
        op->judge = slu_keyword_ref_judge;
        op->node = node;
        return;
    }
    struct dynamic *dynamic = slu_compile_alloc(compile, 1, sizeof(*dynamic));
    struct waiting *waiting =
        dynamic != NULL ? slu_list_add(compile, &compile->dynamics, sizeof(*waiting)) : NULL;
    if (waiting == NULL)
        return;
    *dynamic = (struct dynamic){node, 0, NULL, 1};
    *waiting = (struct waiting){dynamic, name};
    op->data = dynamic;
}

/* Without a dynamic anchor at its first target it is a $ref (2020-12 core §8.2.3.2). */
void slu_keyword_dynamic_ref_compile(struct slu_build *build, const struct slu_keyword *row,
                                     const struct slu_value *value)
{
    compile_reference(build, row, value, true);
}

/* "#" is all it takes (2019-09 core §8.2.4.2.1); without $recursiveAnchor there it is a $ref. */
void slu_keyword_recursive_ref_compile(struct slu_build *build, const struct slu_keyword *row,
                                       const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_STRING))
        return;
    if (!slu_slice_equal(slu_value_text(value), SLU_SLICE("#")))
        slu_compile_error(build->compile, value, "$recursiveRef takes \"#\"");
    else
        compile_reference(build, row, value, false);
}

static const struct slu_node *target_in(const struct dynamic *dynamic, uint32_t resource)
{
    size_t low = 0, high = dynamic->n;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const struct target *target = &dynamic->targets[middle];
        if (target->resource == resource)
            return target->node;
        if (target->resource < resource)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool slu_keyword_dynamic_ref_judge(struct slu_run *run, const struct slu_op *op,
                                   const struct slu_value *value, struct slu_seen *seen)
{
    const struct dynamic *dynamic = op->data;
    const struct slu_node *node = dynamic->fallback;
    for (const struct slu_scope *scope = run->scope; scope != NULL; scope = scope->outer) {
        if (!slu_run_draw(run, dynamic->cost))
            return false;
        const struct slu_node *outer = target_in(dynamic, scope->resource);
        if (outer != NULL)
            node = outer;
    }
    return slu_run_node(run, node, value, seen);
}
