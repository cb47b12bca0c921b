/* array.c -- prefixItems, items, additionalItems, contains with minContains and maxContains; and the
 * counts that arrays share with objects: minItems, maxItems, minProperties, maxProperties.
 *
 * The walk over the items is one op, made by whichever of its keywords comes first:
 *
 *   2020-12      prefixItems: [a, b]   items: c             the first by a, the second by b, the rest by c
 *   to 2019-09   items: [a, b]         additionalItems: c   the same
 *                items: c              additionalItems      all by c; the other asks for nothing
 */
#include "validation/json_schema/compile.h"
#include "validation/json_schema/run.h"

struct items {
    size_t n_prefix;
    const struct slu_node **prefix;
    const struct slu_node *rest; /* NULL: anything */
};

struct contains {
    const struct slu_node *node;
    uint64_t min, max;
    bool marks;                                /* what it finds counts as looked at (2020-12) */
    const struct slu_value *raw_min, *raw_max; /* NULL: not written */
};

void slu_keyword_count_compile(struct slu_build *build, const struct slu_keyword *row,
                               const struct slu_value *value)
{
    uint64_t count;
    if (slu_build_count(build, row, value, &count))
        slu_build_op(build, row, value)->count = count;
}

bool slu_keyword_min_count_judge(struct slu_run *run, const struct slu_op *op,
                                 const struct slu_value *value, struct slu_seen *seen)
{
    (void)seen;
    return slu_value_len(value) >= op->count || slu_run_report(run, op, value);
}

bool slu_keyword_max_count_judge(struct slu_run *run, const struct slu_op *op,
                                 const struct slu_value *value, struct slu_seen *seen)
{
    (void)seen;
    return slu_value_len(value) <= op->count || slu_run_report(run, op, value);
}

static void compile_prefix(struct slu_build *build, struct items *items,
                           const struct slu_keyword *row, const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_ARRAY))
        return;
    if (slu_value_len(value) == 0) {
        slu_compile_error(build->compile, value, "%s takes at least one schema", row->name);
        return;
    }
    items->prefix = slu_compile_alloc(build->compile, slu_value_len(value), sizeof(*items->prefix));
    if (items->prefix == NULL)
        return;
    const struct slu_value *schema = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, schema = slu_value_next(schema))
        items->prefix[i] = slu_compile_node(build->compile, schema);
    items->n_prefix = slu_value_len(value);
}

static void compile_2020(struct slu_build *build, struct items *items)
{
    const struct slu_value *prefix = build->values[SLU_KEYWORD_PREFIX_ITEMS];
    const struct slu_value *rest = build->values[SLU_KEYWORD_ITEMS];
    if (prefix != NULL)
        compile_prefix(build, items, &slu_keywords[SLU_KEYWORD_PREFIX_ITEMS], prefix);
    if (rest != NULL && slu_value_kind(rest) == SLU_VALUE_ARRAY)
        slu_compile_error(build->compile, rest,
                          "items takes one schema; a list of them is prefixItems in 2020-12");
    else if (rest != NULL)
        items->rest = slu_compile_node(build->compile, rest);
}

static void compile_to_2019(struct slu_build *build, struct items *items)
{
    const struct slu_value *first = build->values[SLU_KEYWORD_ITEMS_TO_2019];
    const struct slu_value *rest = build->values[SLU_KEYWORD_ADDITIONAL_ITEMS];
    const bool list = first != NULL && slu_value_kind(first) == SLU_VALUE_ARRAY;
    const struct slu_node *after =
        rest != NULL ? slu_compile_node_or_flag(build->compile, rest) : NULL;
    if (list) {
        compile_prefix(build, items, &slu_keywords[SLU_KEYWORD_ITEMS_TO_2019], first);
        items->rest = after;
    } else if (first != NULL) {
        items->rest = slu_compile_node(build->compile, first);
    }
}

void slu_keyword_items_compile(struct slu_build *build, const struct slu_keyword *row,
                               const struct slu_value *value)
{
    /* The first of the keywords that is there does it for all. */
    for (const struct slu_keyword *before = &slu_keywords[SLU_KEYWORD_PREFIX_ITEMS]; before < row;
         before++)
        if (build->values[before - slu_keywords] != NULL)
            return;
    struct items *items = slu_compile_alloc(build->compile, 1, sizeof(*items));
    if (items == NULL)
        return;
    if (build->dialect.draft == SLU_DRAFT_2020)
        compile_2020(build, items);
    else
        compile_to_2019(build, items);
    slu_build_op(build, row, value)->data = items;
}

bool slu_keyword_items_judge(struct slu_run *run, const struct slu_op *op,
                             const struct slu_value *value, struct slu_seen *seen)
{
    const struct items *items = op->data;
    const size_t n = slu_value_len(value);
    const size_t n_prefix = items->n_prefix < n ? items->n_prefix : n;
    const struct slu_value *item = slu_value_first(value);
    bool holds = true;
    size_t i = 0;

    for (; i < n_prefix; i++, item = slu_value_next(item)) {
        if (!slu_run_draw(run, 1))
            return false;
        if (slu_run_node(run, items->prefix[i], item, NULL))
            continue;
        if (!run->collect)
            return false;
        holds = false;
    }
    if (seen != NULL && items->rest != NULL)
        slu_seen_all(run, seen);
    for (size_t done = 0; seen != NULL && items->rest == NULL && done < n_prefix; done++)
        slu_seen_mark(seen, done);
    for (; items->rest != NULL && i < n; i++, item = slu_value_next(item)) {
        if (!slu_run_draw(run, 2))
            return false;
        if (slu_run_node(run, items->rest, item, NULL))
            continue;
        if (!run->collect)
            return false;
        holds = false;
    }
    return holds;
}

void slu_keyword_contains_bound_compile(struct slu_build *build, const struct slu_keyword *row,
                                        const struct slu_value *value)
{
    uint64_t count;
    slu_build_count(build, row, value, &count);
}

/* A bound that is written, and sound (if not, its own row tells). */
static const struct slu_value *contains_bound(struct slu_build *build, enum slu_keyword_id id,
                                              uint64_t *count)
{
    const struct slu_value *value = build->values[id];
    if (value == NULL || !slu_value_is_number(value))
        return NULL;
    uint64_t written;
    build->values[id] = NULL; /* looked at here */
    if (!slu_build_count(build, &slu_keywords[id], value, &written))
        return NULL;
    *count = written;
    return slu_compile_raw(build->compile, value);
}

void slu_keyword_contains_compile(struct slu_build *build, const struct slu_keyword *row,
                                  const struct slu_value *value)
{
    struct contains *contains = slu_compile_alloc(build->compile, 1, sizeof(*contains));
    if (contains == NULL)
        return;
    contains->min = 1;
    contains->max = UINT64_MAX;
    contains->marks = build->dialect.draft == SLU_DRAFT_2020;
    contains->node = slu_compile_node(build->compile, value);
    contains->raw_min = contains_bound(build, SLU_KEYWORD_MIN_CONTAINS, &contains->min);
    contains->raw_max = contains_bound(build, SLU_KEYWORD_MAX_CONTAINS, &contains->max);
    slu_build_op(build, row, value)->data = contains;
}

bool slu_keyword_contains_judge(struct slu_run *run, const struct slu_op *op,
                                const struct slu_value *value, struct slu_seen *seen)
{
    const struct contains *contains = op->data;
    const struct slu_value *item = slu_value_first(value);
    uint64_t found = 0;

    for (size_t i = 0; i < slu_value_len(value); i++, item = slu_value_next(item)) {
        if (!slu_run_draw(run, 4))
            return false;
        if (!slu_run_branch(run, contains->node, item, NULL))
            continue;
        found++;
        if (seen != NULL && contains->marks)
            slu_seen_mark(seen, i);
        else if (found >= contains->min && contains->max == UINT64_MAX)
            return true;
    }
    if (run->stop != SLU_RUN_GOES)
        return false;
    if (found < contains->min && contains->raw_min == NULL)
        return slu_run_report(run, op, value);
    if (found < contains->min)
        return slu_run_report_as(run, &slu_keywords[SLU_KEYWORD_MIN_CONTAINS], contains->raw_min,
                                 value);
    return found <= contains->max || slu_run_report_as(run, &slu_keywords[SLU_KEYWORD_MAX_CONTAINS],
                                                       contains->raw_max, value);
}
