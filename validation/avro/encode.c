/* encode.c -- see encode.h. The plan says what must come next, the tree has to have it.
 *
 * A record asks its object for one field after the other; as most objects have their members in the
 * schema's order, the next key is mostly the one.
 */
#include "validation/avro/encode_inside.h"

#include <stdarg.h>
#include <stdio.h>

/* Steps that any value may take, and for each of its cells. */
#define FREE_STEPS     10000
#define STEPS_PER_CELL 64

bool slu_avro_complain(struct slu_avro_encoder *encoder, enum slu_payload_fault fault,
                       const struct slu_value *at, const char *format, ...)
{
    struct slu_avro_complaint *complaint = encoder->complaint;
    va_list arguments;

    complaint->fault = fault;
    complaint->at = at;
    va_start(arguments, format);
    (void)vsnprintf(complaint->text, sizeof(complaint->text), format, arguments);
    va_end(arguments);
    return false;
}

bool slu_avro_take_steps(struct slu_avro_encoder *encoder, const struct slu_value *at, uint64_t n)
{
    if (n < encoder->steps) {
        encoder->steps -= n;
        return true;
    }
    encoder->steps = 0; /* whoever tries branches stops at that */
    return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_ITEMS, at,
                             "too many branches to try for such a value");
}

bool slu_avro_add_long(struct slu_buf *out, int64_t number)
{
    uint64_t bits = (uint64_t)number << 1 ^ (uint64_t)(number >> 63);
    uint8_t bytes[10];
    size_t n = 0;

    for (; bits >= 0x80; bits >>= 7)
        bytes[n++] = (uint8_t)(bits | 0x80);
    bytes[n++] = (uint8_t)bits;
    return slu_buf_add(out, bytes, n);
}

static bool wrong_kind(struct slu_avro_encoder *encoder, const struct slu_value *value,
                       const char *wanted)
{
    return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, value, "expected %s, found: %s",
                             wanted, slu_value_kind_name(value));
}

static bool encode_array(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                         const struct slu_value *value)
{
    if (slu_value_kind(value) != SLU_VALUE_ARRAY)
        return wrong_kind(encoder, value, "an array");
    const size_t n = slu_value_len(value);
    if (n != 0)
        slu_avro_add_long(encoder->out, (int64_t)n);
    const struct slu_value *item = slu_value_first(value);
    for (size_t i = 0; i < n; i++, item = slu_value_next(item))
        if (!slu_avro_encode_value(encoder, node->first, item))
            return false;
    slu_avro_add_long(encoder->out, 0);
    return true;
}

static bool encode_map(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                       const struct slu_value *value)
{
    if (slu_value_kind(value) != SLU_VALUE_OBJECT)
        return wrong_kind(encoder, value, "an object");
    const size_t n = slu_value_len(value);
    if (n != 0)
        slu_avro_add_long(encoder->out, (int64_t)n);
    const struct slu_value *key = slu_value_first(value);
    for (size_t i = 0; i < n; i++, key = slu_value_next(key + 1)) {
        slu_avro_add_long(encoder->out, (int64_t)slu_value_len(key));
        slu_buf_add_slice(encoder->out, slu_value_text(key));
        if (!slu_avro_encode_value(encoder, node->first, key + 1))
            return false;
    }
    slu_avro_add_long(encoder->out, 0);
    return true;
}

/* ---- records ----------------------------------------------------------------------------------------- */

/* The member `name`, looked for first where it should be; `*next` goes on behind it. */
static const struct slu_value *find_field(const struct slu_value *object, struct slu_slice name,
                                          const struct slu_value **next)
{
    const struct slu_value *value;

    if (*next != slu_value_next(object) && slu_slice_equal(slu_value_text(*next), name))
        value = *next + 1;
    else
        value = slu_value_get(object, name);
    if (value != NULL)
        *next = slu_value_next(value);
    return value;
}

static bool encode_missing(struct slu_avro_encoder *encoder, const struct slu_avro_field *field,
                           const struct slu_value *object)
{
    const struct slu_slice name = field->name;
    const int shown = (int)(name.len < 80 ? name.len : 80);

    if (field->has_default) {
        slu_buf_add_slice(encoder->out, field->default_bytes);
        return true;
    }
    if (field->default_value != NULL)
        return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, object,
                                 "the default of the field %.*s would need itself", shown,
                                 name.data);
    return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, object,
                             "the field %.*s is missing and has no default", shown, name.data);
}

static bool has_field(const struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                      struct slu_slice name)
{
    for (uint32_t i = 0; i < node->n; i++)
        if (slu_slice_equal(encoder->schema->fields[node->first + i].name, name))
            return true;
    return false;
}

static bool complain_unknown(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                             const struct slu_value *object)
{
    const struct slu_value *key = slu_value_first(object);

    for (size_t n = slu_value_len(object); n > 0; n--, key = slu_value_next(key + 1))
        if (!has_field(encoder, node, slu_value_text(key)))
            return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, key,
                                     "the record %.80s has no such field", node->name);
    return true;
}

static bool encode_record(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                          const struct slu_value *object)
{
    if (slu_value_kind(object) != SLU_VALUE_OBJECT)
        return wrong_kind(encoder, object, "an object");
    const struct slu_value *next = slu_value_first(object);
    size_t found = 0;
    for (uint32_t i = 0; i < node->n; i++) {
        const struct slu_avro_field *field = &encoder->schema->fields[node->first + i];
        const struct slu_value *value = find_field(object, field->name, &next);
        if (value == NULL ? !encode_missing(encoder, field, object)
                          : !slu_avro_encode_value(encoder, field->node, value))
            return false;
        found += value != NULL;
    }
    return found == slu_value_len(object) || encoder->options->drop_unknown ||
           complain_unknown(encoder, node, object);
}

/* ---- all --------------------------------------------------------------------------------------------- */

bool slu_avro_encode_value(struct slu_avro_encoder *encoder, uint32_t index,
                           const struct slu_value *value)
{
    const struct slu_avro_node *node = &encoder->schema->nodes[index];

    if (!slu_avro_take_steps(encoder, value, 1))
        return false;
    if (encoder->out->failed)
        return slu_avro_complain(encoder, SLU_PAYLOAD_TOO_LARGE, value, "no room for the bytes");
    switch (node->type) {
    case SLU_AVRO_ARRAY:
        return encode_array(encoder, node, value);
    case SLU_AVRO_MAP:
        return encode_map(encoder, node, value);
    case SLU_AVRO_RECORD:
        return encode_record(encoder, node, value);
    case SLU_AVRO_UNION:
        return slu_avro_encode_union(encoder, node, value);
    default:
        return slu_avro_encode_scalar(encoder, node, value);
    }
}

static struct slu_slice payload_number(const void *context, const struct slu_value *value,
                                       char scratch[32])
{
    return slu_payload_number_text(context, value, scratch);
}

struct slu_avro_source slu_avro_source_of(const struct slu_payload *payload)
{
    return (struct slu_avro_source){payload->root, payload_number, payload};
}

bool slu_avro_encode(const struct slu_avro_schema *schema, const struct slu_avro_source *source,
                     const struct slu_avro_options *options, struct slu_buf *out,
                     struct slu_avro_complaint *complaint)
{
    const size_t cells = (size_t)(slu_value_next(source->root) - source->root);
    const size_t len = out->len;
    struct slu_avro_encoder encoder = {
        .schema = schema,
        .source = source,
        .options = options,
        .out = out,
        .complaint = complaint,
        .steps = FREE_STEPS + STEPS_PER_CELL * (uint64_t)cells,
    };

    *complaint = (struct slu_avro_complaint){.fault = SLU_PAYLOAD_OK};
    bool whole = slu_avro_encode_value(&encoder, schema->root, source->root);
    if (whole && out->failed)
        whole = slu_avro_complain(&encoder, SLU_PAYLOAD_TOO_LARGE, source->root,
                                  "no room for the bytes");
    if (!whole)
        slu_buf_cut(out, len);
    return whole;
}
