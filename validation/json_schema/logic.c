/* logic.c -- keywords that judge the same value by other schemas: $ref, allOf, anyOf, oneOf, not,
 * if/then/else. ($dynamicRef and $recursiveRef: dynamic.c.)
 *
 * Annotations. What holds passes its members' bits on to the schema around it. A branch that may fail
 * without failing the whole (anyOf, oneOf, if) gets bits of its own, merged when it held. Under `not`
 * nobody asks. When somebody does ask, anyOf looks at all branches: each may have seen more.
 */
#include "validation/json_schema/compile.h"
#include "validation/json_schema/run.h"

struct schemas {
    size_t n;
    const struct slu_node **nodes;
};

struct condition {
    const struct slu_node *when;
    const struct slu_node *then;      /* NULL: none */
    const struct slu_node *otherwise; /* NULL: none */
};

void slu_keyword_schema_map_compile(struct slu_build *build, const struct slu_keyword *row,
                                    const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_OBJECT))
        return;
    const struct slu_value *key = slu_value_first(value);
    for (size_t i = 0; i < slu_value_len(value); i++, key = slu_value_next(key + 1))
        slu_compile_node(build->compile, key + 1);
}

/* A subschema that is compiled for its errors; a neighbour uses it, or nobody. */
void slu_keyword_schema_only_compile(struct slu_build *build, const struct slu_keyword *row,
                                     const struct slu_value *value)
{
    (void)row;
    slu_compile_node(build->compile, value);
}

void slu_keyword_schema_compile(struct slu_build *build, const struct slu_keyword *row,
                                const struct slu_value *value)
{
    const struct slu_node *node = slu_build_in_place(build, value);
    if (node != NULL)
        slu_build_op(build, row, value)->node = node;
}

void slu_keyword_schemas_compile(struct slu_build *build, const struct slu_keyword *row,
                                 const struct slu_value *value)
{
    if (!slu_build_expect(build, row, value, SLU_VALUE_ARRAY))
        return;
    if (slu_value_len(value) == 0) {
        slu_compile_error(build->compile, value, "%s takes at least one schema", row->name);
        return;
    }
    struct slu_compile *compile = build->compile;
    struct schemas *schemas = slu_compile_alloc(compile, 1, sizeof(*schemas));
    const struct slu_node **nodes =
        slu_compile_alloc(compile, slu_value_len(value), sizeof(*nodes));
    if (schemas == NULL || nodes == NULL)
        return;
    *schemas = (struct schemas){slu_value_len(value), nodes};
    const struct slu_value *schema = slu_value_first(value);
    for (size_t i = 0; i < schemas->n; i++, schema = slu_value_next(schema))
        nodes[i] = slu_build_in_place(build, schema);
    slu_build_op(build, row, value)->data = schemas;
}

bool slu_keyword_all_of_judge(struct slu_run *run, const struct slu_op *op,
                              const struct slu_value *value, struct slu_seen *seen)
{
    const struct schemas *schemas = op->data;
    bool holds = true;
    for (size_t i = 0; i < schemas->n; i++) {
        if (!slu_run_draw(run, 2))
            return false;
        if (slu_run_node(run, schemas->nodes[i], value, seen))
            continue;
        if (!run->collect)
            return false;
        holds = false;
    }
    return holds;
}

/* Judge a branch; its bits join `seen` when it holds. */
static bool branch_holds(struct slu_run *run, const struct slu_node *node,
                         const struct slu_value *value, struct slu_seen *seen)
{
    if (!slu_run_draw(run, 4))
        return false;
    if (seen == NULL || !slu_value_is_container(value))
        return slu_run_branch(run, node, value, NULL);
    struct slu_seen own;
    if (!slu_seen_take(run, value, &own))
        return false;
    const bool holds = slu_run_branch(run, node, value, &own);
    if (holds)
        slu_seen_merge(run, seen, &own);
    slu_seen_give(run, &own);
    return holds;
}

bool slu_keyword_any_of_judge(struct slu_run *run, const struct slu_op *op,
                              const struct slu_value *value, struct slu_seen *seen)
{
    const struct schemas *schemas = op->data;
    bool holds = false;
    for (size_t i = 0; i < schemas->n && run->stop == SLU_RUN_GOES; i++) {
        if (!branch_holds(run, schemas->nodes[i], value, seen))
            continue;
        if (seen == NULL && run->output == NULL)
            return true;
        holds = true;
    }
    return holds || slu_run_report(run, op, value);
}

bool slu_keyword_one_of_judge(struct slu_run *run, const struct slu_op *op,
                              const struct slu_value *value, struct slu_seen *seen)
{
    const struct schemas *schemas = op->data;
    size_t n = 0;
    for (size_t i = 0; i < schemas->n && n < 2 && run->stop == SLU_RUN_GOES; i++)
        n += branch_holds(run, schemas->nodes[i], value, seen);
    return n == 1 || slu_run_report(run, op, value);
}

bool slu_keyword_not_judge(struct slu_run *run, const struct slu_op *op,
                           const struct slu_value *value, struct slu_seen *seen)
{
    (void)seen;
    const bool holds = slu_run_branch(run, op->node, value, NULL);
    if (run->stop != SLU_RUN_GOES)
        return false;
    return !holds || slu_run_report(run, op, value);
}

void slu_keyword_if_compile(struct slu_build *build, const struct slu_keyword *row,
                            const struct slu_value *value)
{
    struct condition *condition = slu_compile_alloc(build->compile, 1, sizeof(*condition));
    if (condition == NULL)
        return;
    const struct slu_value *then = build->values[SLU_KEYWORD_THEN];
    const struct slu_value *otherwise = build->values[SLU_KEYWORD_ELSE];
    condition->when = slu_build_in_place(build, value);
    condition->then = then != NULL ? slu_build_in_place(build, then) : NULL;
    condition->otherwise = otherwise != NULL ? slu_build_in_place(build, otherwise) : NULL;
    slu_build_op(build, row, value)->data = condition;
}

bool slu_keyword_if_judge(struct slu_run *run, const struct slu_op *op,
                          const struct slu_value *value, struct slu_seen *seen)
{
    const struct condition *condition = op->data;
    if (condition->then == NULL && condition->otherwise == NULL && seen == NULL &&
        run->output == NULL)
        return true;
    const size_t errors = run->output != NULL ? slu_output_errors(run) : 0;
    const bool holds = branch_holds(run, condition->when, value, seen);
    if (run->output != NULL)
        slu_output_op_holds(run, errors); /* `if` fails nobody */
    if (run->stop != SLU_RUN_GOES)
        return false;
    const struct slu_node *next = holds ? condition->then : condition->otherwise;
    return next == NULL || slu_run_node(run, next, value, seen);
}

void slu_keyword_ref_compile(struct slu_build *build, const struct slu_keyword *row,
                             const struct slu_value *value)
{
    const struct slu_anchor *anchor;
    if (!slu_build_expect(build, row, value, SLU_VALUE_STRING))
        return;
    const struct slu_value *target =
        slu_resolve(build->compile, value, build->node->resource, &anchor);
    const struct slu_node *node = target != NULL ? slu_build_in_place(build, target) : NULL;
    if (node != NULL)
        slu_build_op(build, row, value)->node = node;
}

bool slu_keyword_ref_judge(struct slu_run *run, const struct slu_op *op,
                           const struct slu_value *value, struct slu_seen *seen)
{
    return slu_run_node(run, op->node, value, seen);
}
