/* encode.c -- see encode.h. The plan says what must come next, the tree has to have it.
 *
 * Plain values are written in runs (encode_quick.h); what ends a run is written value by value.
 */
#include "validation/avro/encode_quick.h"

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
    char bytes[16];
    const char *end = slu_avro_varint_write(bytes, slu_avro_zigzag(number));

    return slu_buf_add(out, bytes, (size_t)(end - bytes));
}

bool slu_avro_wrong_kind(struct slu_avro_encoder *encoder, const struct slu_value *value,
                         const char *wanted)
{
    return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, value, "expected %s, found: %s",
                             wanted, slu_value_kind_name(value));
}

/* As many items as are plain, right and have room, of `n`; how many. */
static size_t encode_run(struct slu_avro_encoder *encoder, uint32_t node,
                         const struct slu_value *item, size_t n)
{
    const struct slu_avro_field field = {.node = node, .quick = encoder->schema->nodes[node].quick};
    struct slu_avro_run run;
    const size_t most = field.quick == SLU_AVRO_TYPES ? 0 : slu_avro_quick_begin(encoder, n, &run);
    size_t i = 0;

    if (most == 0)
        return 0;
    char *out = encoder->out->data + encoder->out->len;
    for (; i < most; i++) {
        char *next = slu_avro_quick_add(&run, out, &field, &item[i]);
        if (next == NULL)
            break;
        out = next;
    }
    slu_avro_quick_finish(encoder, out, i);
    return i;
}

static __attribute__((noinline)) bool encode_array(struct slu_avro_encoder *encoder,
                                                   const struct slu_avro_node *node,
                                                   const struct slu_value *value)
{
    if (slu_value_kind(value) != SLU_VALUE_ARRAY)
        return slu_avro_wrong_kind(encoder, value, "an array");
    const size_t n = slu_value_len(value);
    if (n != 0)
        slu_avro_add_long(encoder->out, (int64_t)n);
    const struct slu_value *item = slu_value_first(value);
    for (size_t left = n; left > 0; left--, item = slu_value_next(item)) {
        const size_t done = encode_run(encoder, node->first, item, left);
        item += done; /* scalars: a cell each */
        left -= done;
        if (left == 0)
            break;
        if (!slu_avro_encode_value(encoder, node->first, item))
            return false;
    }
    slu_avro_add_long(encoder->out, 0);
    return true;
}

static __attribute__((noinline)) bool encode_map(struct slu_avro_encoder *encoder,
                                                 const struct slu_avro_node *node,
                                                 const struct slu_value *value)
{
    if (slu_value_kind(value) != SLU_VALUE_OBJECT)
        return slu_avro_wrong_kind(encoder, value, "an object");
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
        return slu_avro_encode_record(encoder, node, value);
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

    complaint->fault = SLU_PAYLOAD_OK;
    complaint->at = NULL;
    complaint->text[0] = '\0';
    bool whole = slu_avro_encode_value(&encoder, schema->root, source->root);
    if (whole && out->failed)
        whole = slu_avro_complain(&encoder, SLU_PAYLOAD_TOO_LARGE, source->root,
                                  "no room for the bytes");
    if (!whole)
        slu_buf_cut(out, len);
    return whole;
}
