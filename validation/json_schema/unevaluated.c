/* unevaluated.c -- unevaluatedItems, unevaluatedProperties: what no other keyword, here or in a
 * schema that is applied in place, has looked at. They run last, when `seen` holds the bits of all
 * that was looked at; then they have seen everything themselves.
 */
#include "validation/json_schema/compile.h"
#include "validation/json_schema/run.h"

void slu_keyword_unevaluated_compile(struct slu_build *build, const struct slu_keyword *row,
                                     const struct slu_value *value)
{
    const struct slu_node *node = slu_compile_node(build->compile, value);
    if (node == NULL)
        return;
    build->node->wants_seen = true;
    slu_build_op(build, row, value)->node = node;
}

bool slu_keyword_unevaluated_items_judge(struct slu_run *run, const struct slu_op *op,
                                         const struct slu_value *value, struct slu_seen *seen)
{
    const struct slu_value *item = slu_value_first(value);
    bool holds = true;
    for (size_t i = 0; i < slu_value_len(value); i++, item = slu_value_next(item)) {
        if (!slu_run_draw(run, 2))
            return false;
        if (slu_seen_has(seen, i))
            continue;
        if (op->node->never)
            holds = slu_run_report(run, op, item);
        else
            holds = slu_run_node(run, op->node, item, NULL) && holds;
        if (!holds && !run->collect)
            return false;
    }
    slu_seen_all(run, seen);
    return holds;
}

bool slu_keyword_unevaluated_properties_judge(struct slu_run *run, const struct slu_op *op,
                                              const struct slu_value *value, struct slu_seen *seen)
{
    const struct slu_value *key = slu_value_first(value);
    bool holds = true;
    for (size_t i = 0; i < slu_value_len(value); i++, key = slu_value_next(key + 1)) {
        if (!slu_run_draw(run, 2))
            return false;
        if (slu_seen_has(seen, i))
            continue;
        if (op->node->never)
            holds = slu_run_report_property(run, op->keyword, op->raw, key);
        else
            holds = slu_run_node(run, op->node, key + 1, NULL) && holds;
        if (!holds && !run->collect)
            return false;
    }
    slu_seen_all(run, seen);
    return holds;
}
