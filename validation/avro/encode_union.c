/* encode_union.c -- which branch a value belongs to.
 *
 * Natural: each branch that could hold the value's kind has a rank; they are tried from the best rank
 * on, in the schema's order within a rank, and the first that encodes is it.
 *
 *   null     null 0            string   enum 0 · uuid 1 · string 2 · times 3 · bytes, fixed 4 · decimal 5 ·
 *   boolean  boolean 0                  float, double 6 (the word NaN …)
 *   array    array 0           number   int 0 · long 1 · decimal 2 · float that holds it 3 · double 4 ·
 *            duration 1                 float 5
 *                              object   record with just these fields 0 · map 1 · record 2
 */
#include "validation/avro/encode_inside.h"

#include "base/uuid.h"

#define NO_RANK 99

static int rank_of_string(const struct slu_avro_node *node)
{
    if (node->logical == SLU_AVRO_UUID)
        return 1;
    if (node->logical == SLU_AVRO_DURATION)
        return NO_RANK;
    if (node->logical == SLU_AVRO_DECIMAL)
        return 5;
    switch (node->type) {
    case SLU_AVRO_ENUM:
        return 0;
    case SLU_AVRO_STRING:
        return 2;
    case SLU_AVRO_INT:
    case SLU_AVRO_LONG:
        return node->logical != SLU_AVRO_PLAIN ? 3 : NO_RANK;
    case SLU_AVRO_BYTES:
    case SLU_AVRO_FIXED:
        return 4;
    case SLU_AVRO_FLOAT:
    case SLU_AVRO_DOUBLE:
        return 6;
    default:
        return NO_RANK;
    }
}

static int rank_of_number(const struct slu_avro_node *node)
{
    if (node->logical == SLU_AVRO_DECIMAL)
        return 2;
    switch (node->type) {
    case SLU_AVRO_INT:
        return 0;
    case SLU_AVRO_LONG:
        return 1;
    case SLU_AVRO_FLOAT:
        return 3;
    case SLU_AVRO_DOUBLE:
        return 4;
    default:
        return NO_RANK;
    }
}

/* The best rank that a value of the kind could have. */
static int rank_of_kind(const struct slu_avro_node *node, enum slu_value_kind kind)
{
    switch (kind) {
    case SLU_VALUE_NULL:
        return node->type == SLU_AVRO_NULL ? 0 : NO_RANK;
    case SLU_VALUE_BOOL:
        return node->type == SLU_AVRO_BOOLEAN ? 0 : NO_RANK;
    case SLU_VALUE_STRING:
        return rank_of_string(node);
    case SLU_VALUE_BIG:
    case SLU_VALUE_NUMBER:
        return rank_of_number(node);
    case SLU_VALUE_ARRAY:
        return node->type == SLU_AVRO_ARRAY ? 0 : node->logical == SLU_AVRO_DURATION ? 1 : NO_RANK;
    case SLU_VALUE_OBJECT:
        return node->type == SLU_AVRO_RECORD ? 0 : node->type == SLU_AVRO_MAP ? 1 : NO_RANK;
    }
    return NO_RANK;
}

bool slu_avro_branch_takes(const struct slu_avro_node *node, enum slu_value_kind kind)
{
    return rank_of_kind(node, kind) != NO_RANK;
}

/* Has the object each field that has no default, and no other member? */
static bool has_just_the_fields(const struct slu_avro_encoder *encoder,
                                const struct slu_avro_node *node, const struct slu_value *object)
{
    size_t found = 0;

    for (uint32_t i = 0; i < node->n; i++) {
        const struct slu_avro_field *field = &encoder->schema->fields[node->first + i];
        const bool present = slu_value_get(object, field->name) != NULL;
        if (!present && !field->has_default)
            return false;
        found += present;
    }
    return found == slu_value_len(object);
}

static int rank_of_record(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                          const struct slu_value *value)
{
    /* Looking costs; who has no steps left fails where they are taken next. */
    const uint64_t cost = node->n;
    encoder->steps -= cost < encoder->steps ? cost : encoder->steps;
    return has_just_the_fields(encoder, node, value) ? 0 : 2;
}

static int rank(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                const struct slu_value *value)
{
    const int best = rank_of_kind(node, slu_value_kind(value));
    struct slu_uuid uuid;

    if (best == NO_RANK)
        return NO_RANK;
    if (slu_value_kind(value) == SLU_VALUE_STRING) {
        const struct slu_slice text = slu_value_text(value);
        const bool fits =
            node->type == SLU_AVRO_ENUM      ? slu_avro_symbol(encoder->schema, node, text) >= 0
            : node->logical == SLU_AVRO_UUID ? slu_uuid_parse(text.data, text.len, &uuid)
                                             : true;
        return fits ? best : NO_RANK;
    }
    if (node->type == SLU_AVRO_FLOAT)
        return slu_avro_is_float(value) ? 3 : 5;
    if (node->type == SLU_AVRO_RECORD)
        return rank_of_record(encoder, node, value);
    return best;
}

static uint32_t branch_node(const struct slu_avro_encoder *encoder,
                            const struct slu_avro_node *node, uint32_t branch)
{
    return encoder->schema->links[node->first + branch];
}

/* False: a complaint, and nothing was written. */
static bool try_branch(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                       uint32_t branch, const struct slu_value *value)
{
    const size_t len = encoder->out->len;

    slu_avro_add_long(encoder->out, branch);
    if (slu_avro_encode_value(encoder, branch_node(encoder, node, branch), value))
        return true;
    if (!encoder->out->failed)
        slu_buf_cut(encoder->out, len);
    return false;
}

/* The branch that comes next after (rank, branch) in the order of trying; its rank, NO_RANK: none. */
static int next_branch(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                       const struct slu_value *value, int last_rank, uint32_t *branch)
{
    int best = NO_RANK;
    uint32_t found = 0;

    for (uint32_t i = 0; i < node->n; i++) {
        const struct slu_avro_node *of = &encoder->schema->nodes[branch_node(encoder, node, i)];
        const int its = rank(encoder, of, value);
        const bool is_later = its > last_rank || (its == last_rank && i > *branch);
        if (is_later && its < best) {
            best = its;
            found = i;
        }
    }
    *branch = found;
    return best;
}

static bool complain_of_union(struct slu_avro_encoder *encoder, const struct slu_value *value)
{
    return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_UNION, value,
                             "no branch of the union takes this %s", slu_value_kind_name(value));
}

static bool encode_natural(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                           const struct slu_value *value)
{
    const enum slu_value_kind kind = slu_value_kind(value);
    uint32_t branch = encoder->schema->onlys[node->only].branches[kind];
    int last = -1;
    size_t tried = 0;

    /* Where only one branch may be meant, no rank need be known. (Of a string it might be an enum's,
     * which has it or not: the complaint is then the union's.) */
    if (branch != SLU_AVRO_NOT_ONE && kind != SLU_VALUE_STRING)
        return slu_avro_take_steps(encoder, value, node->n) &&
               try_branch(encoder, node, branch, value);
    branch = 0;
    for (;; tried++) {
        if (!slu_avro_take_steps(encoder, value, node->n))
            return false;
        last = next_branch(encoder, node, value, last, &branch);
        if (last == NO_RANK)
            break;
        if (try_branch(encoder, node, branch, value))
            return true;
        if (encoder->steps == 0 || encoder->out->failed)
            return false;
    }
    /* The complaint of the only branch that could have been meant says more. */
    return tried == 1 ? false : complain_of_union(encoder, value);
}

static bool encode_default(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                           const struct slu_value *value)
{
    for (uint32_t i = 0; i < node->n; i++) {
        if (try_branch(encoder, node, i, value))
            return true;
        if (encoder->steps == 0 || encoder->out->failed)
            return false;
    }
    return complain_of_union(encoder, value);
}

/* {"type": value}; null stays null. */
static bool encode_avro_json(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                             const struct slu_value *value)
{
    const bool is_null = slu_value_kind(value) == SLU_VALUE_NULL;

    if (!is_null && (slu_value_kind(value) != SLU_VALUE_OBJECT || slu_value_len(value) != 1))
        return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_UNION, value,
                                 "expected null or an object with the type as its one key");
    const struct slu_value *key = slu_value_first(value);
    const struct slu_slice wanted = is_null ? SLU_SLICE("null") : slu_value_text(key);
    for (uint32_t i = 0; i < node->n; i++) {
        const struct slu_avro_node *of = &encoder->schema->nodes[branch_node(encoder, node, i)];
        const char *name = of->name != NULL ? of->name : slu_avro_type_names[of->type];
        if (slu_slice_equal(slu_slice_of(name), wanted))
            return try_branch(encoder, node, i, is_null ? value : key + 1);
    }
    return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_UNION, is_null ? value : key,
                             "the union has no such branch");
}

bool slu_avro_encode_union(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                           const struct slu_value *value)
{
    switch (encoder->options->dialect) {
    case SLU_AVRO_NATURAL:
        return encode_natural(encoder, node, value);
    case SLU_AVRO_JSON:
        return encode_avro_json(encoder, node, value);
    default:
        return encode_default(encoder, node, value);
    }
}
