/* canonical.c -- Parsing Canonical Form and the fingerprint (specification, "Parsing Canonical Form
 * for Schemas"): the plan written out again, names in full, attributes that do not matter to a reader
 * left away. A named type is spelt out where it comes first, then only named.
 */
#include "validation/avro/compile.h"

#include "base/buf.h"

#include <stdlib.h>

#define CANONICAL_MAX ((size_t)32 << 20)

struct writer {
    const struct slu_avro_schema *schema;
    struct slu_buf out;
    bool *written; /* by node */
};

static void write_type(struct writer *writer, uint32_t index);

/* Names and symbols need no escaping: the compiler saw to it. */
static void add_quoted(struct slu_buf *out, struct slu_slice text)
{
    slu_buf_add_char(out, '"');
    slu_buf_add_slice(out, text);
    slu_buf_add_char(out, '"');
}

static void write_record(struct writer *writer, const struct slu_avro_node *node)
{
    slu_buf_add_text(&writer->out, ",\"fields\":[");
    for (uint32_t i = 0; i < node->n; i++) {
        const struct slu_avro_field *field = &writer->schema->fields[node->first + i];
        slu_buf_add_text(&writer->out, i == 0 ? "{\"name\":" : ",{\"name\":");
        add_quoted(&writer->out, field->name);
        slu_buf_add_text(&writer->out, ",\"type\":");
        write_type(writer, field->node);
        slu_buf_add_char(&writer->out, '}');
    }
    slu_buf_add_text(&writer->out, "]}");
}

static void write_named(struct writer *writer, uint32_t index)
{
    const struct slu_avro_node *node = &writer->schema->nodes[index];
    struct slu_buf *out = &writer->out;

    if (writer->written[index]) {
        add_quoted(out, slu_slice_of(node->name));
        return;
    }
    writer->written[index] = true;
    slu_buf_add_text(out, "{\"name\":");
    add_quoted(out, slu_slice_of(node->name));
    slu_buf_printf(out, ",\"type\":\"%s\"", slu_avro_type_names[node->type]);
    if (node->type == SLU_AVRO_RECORD) {
        write_record(writer, node);
    } else if (node->type == SLU_AVRO_FIXED) {
        slu_buf_printf(out, ",\"size\":%u}", node->n);
    } else {
        slu_buf_add_text(out, ",\"symbols\":[");
        for (uint32_t i = 0; i < node->n; i++) {
            if (i != 0)
                slu_buf_add_char(out, ',');
            add_quoted(out, writer->schema->symbols[node->first + i]);
        }
        slu_buf_add_text(out, "]}");
    }
}

static void write_union(struct writer *writer, const struct slu_avro_node *node)
{
    slu_buf_add_char(&writer->out, '[');
    for (uint32_t i = 0; i < node->n; i++) {
        if (i != 0)
            slu_buf_add_char(&writer->out, ',');
        write_type(writer, writer->schema->links[node->first + i]);
    }
    slu_buf_add_char(&writer->out, ']');
}

static void write_type(struct writer *writer, uint32_t index)
{
    const struct slu_avro_node *node = &writer->schema->nodes[index];

    if (node->name != NULL) {
        write_named(writer, index);
    } else if (node->type == SLU_AVRO_UNION) {
        write_union(writer, node);
    } else if (node->type == SLU_AVRO_ARRAY || node->type == SLU_AVRO_MAP) {
        slu_buf_add_text(&writer->out, node->type == SLU_AVRO_ARRAY
                                           ? "{\"type\":\"array\",\"items\":"
                                           : "{\"type\":\"map\",\"values\":");
        write_type(writer, node->first);
        slu_buf_add_char(&writer->out, '}');
    } else {
        add_quoted(&writer->out, slu_slice_of(slu_avro_type_names[node->type]));
    }
}

bool slu_avro_compile_canonical(struct slu_avro_schema *schema)
{
    struct writer writer = {.schema = schema,
                            .written = calloc(schema->n_nodes, sizeof(*writer.written))};

    slu_buf_init(&writer.out, CANONICAL_MAX);
    if (writer.written != NULL)
        write_type(&writer, schema->root);
    const bool whole = writer.written != NULL && !writer.out.failed;
    const char *copy = whole ? slu_arena_copy(&schema->arena, slu_buf_slice(&writer.out)) : NULL;
    schema->canonical = slu_slice(copy, writer.out.len);
    schema->fingerprint = copy != NULL ? slu_avro_fingerprint(schema->canonical) : 0;
    slu_buf_fini(&writer.out);
    free(writer.written);
    return copy != NULL;
}

#define CRC_EMPTY UINT64_C(0xc15d213aa4d7a795)

/* Bit by bit: schemas are few and met once. */
uint64_t slu_avro_fingerprint(struct slu_slice bytes)
{
    uint64_t crc = CRC_EMPTY;

    for (size_t i = 0; i < bytes.len; i++) {
        uint64_t row = (crc ^ (uint8_t)bytes.data[i]) & 0xFF;
        for (int bit = 0; bit < 8; bit++)
            row = (row >> 1) ^ (CRC_EMPTY & (0 - (row & 1)));
        crc = (crc >> 8) ^ row;
    }
    return crc;
}
