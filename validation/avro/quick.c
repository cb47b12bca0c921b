/* quick.c -- what walker and encoder know of a plan beforehand, so that they need not ask with each message:
 * which values are no more than their type, a field's name as a cell, a union's one branch for each kind
 * of JSON value (plan.h).
 */
#include "validation/avro/compile.h"
#include "validation/avro/encode_inside.h"

#include "base/bytes.h"

static uint8_t quick_of(const struct slu_avro_node *node)
{
    const bool is_container =
        node->type == SLU_AVRO_ARRAY || node->type == SLU_AVRO_MAP || node->type == SLU_AVRO_RECORD;
    const bool is_looked_into = node->type == SLU_AVRO_FIXED || node->logical == SLU_AVRO_DECIMAL ||
                                node->logical == SLU_AVRO_UUID;

    return is_container || is_looked_into ? SLU_AVRO_TYPES : node->type;
}

static uint32_t only_branch(const struct slu_avro_schema *schema, const struct slu_avro_node *node,
                            enum slu_value_kind kind)
{
    uint32_t only = SLU_AVRO_NOT_ONE;

    for (uint32_t i = 0; i < node->n; i++) {
        if (!slu_avro_branch_takes(&schema->nodes[schema->links[node->first + i]], kind))
            continue;
        if (only != SLU_AVRO_NOT_ONE)
            return SLU_AVRO_NOT_ONE;
        only = i;
    }
    return only;
}

static bool mark_unions(struct slu_avro_compile *compile)
{
    struct slu_avro_schema *schema = compile->schema;
    uint32_t n = 0;

    for (uint32_t i = 0; i < schema->n_nodes; i++)
        if (schema->nodes[i].type == SLU_AVRO_UNION)
            schema->nodes[i].only = n++;
    schema->onlys = slu_arena_array(&schema->arena, n, sizeof(*schema->onlys));
    if (schema->onlys == NULL) {
        compile->no_memory = true;
        return false;
    }
    for (uint32_t i = 0; i < schema->n_nodes; i++) {
        const struct slu_avro_node *node = &schema->nodes[i];
        if (node->type != SLU_AVRO_UNION)
            continue;
        for (unsigned kind = 0; kind < 8; kind++)
            schema->onlys[node->only].branches[kind] =
                only_branch(schema, node, (enum slu_value_kind)kind);
    }
    return true;
}

static void mark_field(struct slu_avro_field *field, const struct slu_avro_node *node)
{
    const struct slu_slice name = field->name;

    field->quick = node->quick;
    field->key =
        (struct slu_value){.tag = SLU_VALUE_STRING | (uint64_t)name.len << 8, .text = name.data};
    field->head_mask = name.len < 8 ? (UINT64_C(1) << (8 * name.len)) - 1 : UINT64_MAX;
    field->head = slu_bytes_load8(name.data) & field->head_mask;
    field->tail = name.len > 8 ? slu_bytes_load8(name.data + name.len - 8) : 0;
}

bool slu_avro_compile_quick(struct slu_avro_compile *compile)
{
    struct slu_avro_schema *schema = compile->schema;

    for (uint32_t i = 0; i < schema->n_nodes; i++)
        schema->nodes[i].quick = quick_of(&schema->nodes[i]);
    for (uint32_t i = 0; i < schema->n_fields; i++)
        mark_field(&schema->fields[i], &schema->nodes[schema->fields[i].node]);
    return mark_unions(compile);
}
