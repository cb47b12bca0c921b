/* measure.c -- what only the whole schema can tell: how many bytes a value takes at least, and that no record
 * has to contain itself.
 */
#include "validation/avro/compile.h"

enum { UNSEEN, OPEN, DONE };

static uint32_t add_least(uint32_t a, uint32_t b)
{
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

/* The least bytes of a value, and whether a record contains itself with nothing in between that could
 * be empty. Only records are walked into, so the way is no longer than there are records in records. */
static bool measure(struct slu_avro_compile *compile, uint32_t index, uint8_t *state,
                    unsigned depth)
{
    static const uint8_t least[SLU_AVRO_TYPES] = {
        [SLU_AVRO_BOOLEAN] = 1, [SLU_AVRO_INT] = 1,   [SLU_AVRO_LONG] = 1,   [SLU_AVRO_FLOAT] = 4,
        [SLU_AVRO_DOUBLE] = 8,  [SLU_AVRO_BYTES] = 1, [SLU_AVRO_STRING] = 1, [SLU_AVRO_ENUM] = 1,
        [SLU_AVRO_ARRAY] = 1,   [SLU_AVRO_MAP] = 1,   [SLU_AVRO_UNION] = 1,
    };
    struct slu_avro_node *node = slu_avro_node_at(compile, index);

    if (state[index] == DONE)
        return true;
    state[index] = OPEN;
    node->least = node->type == SLU_AVRO_FIXED ? node->n : least[node->type];
    for (uint32_t i = 0; node->type == SLU_AVRO_RECORD && i < node->n; i++) {
        const struct slu_avro_field *field = &compile->schema->fields[node->first + i];
        if (state[field->node] == OPEN)
            return slu_avro_tell(compile, field->place,
                                 "the record %.80s contains itself: without a union, array or map "
                                 "in between it never ends",
                                 slu_avro_node_at(compile, field->node)->name);
        if (depth == SLU_AVRO_COMPILE_MAX_DEPTH)
            return slu_avro_tell(compile, field->place, "records in records deeper than %u",
                                 SLU_AVRO_COMPILE_MAX_DEPTH);
        if (!measure(compile, field->node, state, depth + 1))
            return false;
        node->least = add_least(node->least, slu_avro_node_at(compile, field->node)->least);
    }
    state[index] = DONE;
    return true;
}

bool slu_avro_compile_measure(struct slu_avro_compile *compile)
{
    uint8_t *state = slu_arena_array(&compile->scratch, compile->schema->n_nodes, sizeof(*state));
    bool sound = true;

    if (state == NULL) {
        compile->no_memory = true;
        return false;
    }
    for (uint32_t i = 0; i < compile->schema->n_nodes && sound; i++)
        sound = measure(compile, i, state, 0);
    return sound;
}
