/* defaults.c -- every default, checked against its type by being encoded, and kept as those bytes.
 *
 * A default may lean on others: {} for a record whose fields all have one. So they are made in rounds until
 * one brings nothing new; what is left over is wrong, or leans on itself.
 */
#include "validation/avro/compile.h"
#include "validation/avro/encode_inside.h"

/* A default of more bytes: nested ones would multiply. */
#define DEFAULT_MAX_BYTES (1u << 20)

/* The text of a number of the document. */
static struct slu_slice document_number(const void *context, const struct slu_value *value,
                                        char scratch[32])
{
    const struct slu_document *document = context;
    (void)scratch;
    return slu_value_text(document->raw_root + (value - document->root));
}

static bool encode(const struct slu_avro_schema *schema, const struct slu_avro_field *field,
                   struct slu_buf *out, struct slu_avro_complaint *complaint)
{
    static const struct slu_avro_options options = {.dialect = SLU_AVRO_OF_DEFAULT};
    const struct slu_avro_source source = {field->default_value, document_number, schema->document};
    struct slu_avro_encoder encoder = {
        .schema = schema,
        .source = &source,
        .options = &options,
        .out = out,
        .complaint = complaint,
        .steps = DEFAULT_MAX_BYTES,
    };

    slu_buf_reset(out);
    return slu_avro_encode_value(&encoder, field->node, field->default_value) && !out->failed;
}

static bool keep(struct slu_avro_compile *compile, struct slu_avro_field *field,
                 const struct slu_buf *bytes)
{
    char *copy = slu_arena_copy(&compile->schema->arena, slu_buf_slice(bytes));

    if (copy == NULL) {
        compile->no_memory = true;
        return false;
    }
    field->default_bytes = slu_slice(copy, bytes->len);
    field->has_default = true;
    return true;
}

/* One round; how many became ready, or with `tell`, all that are wrong are told. */
static size_t round_of(struct slu_avro_compile *compile, struct slu_buf *bytes, bool tell)
{
    struct slu_avro_schema *schema = compile->schema;
    struct slu_avro_complaint complaint = {.fault = SLU_PAYLOAD_OK};
    size_t ready = 0;

    for (uint32_t i = 0; i < schema->n_fields; i++) {
        struct slu_avro_field *field = &schema->fields[i];
        if (field->default_value == NULL || field->has_default)
            continue;
        if (encode(schema, field, bytes, &complaint))
            ready += keep(compile, field, bytes);
        else if (tell)
            slu_avro_tell(compile, complaint.at != NULL ? complaint.at : field->default_value,
                          "the default does not fit its type: %s",
                          bytes->failed ? "it is too large" : complaint.text);
    }
    return ready;
}

bool slu_avro_compile_defaults(struct slu_avro_compile *compile)
{
    struct slu_buf bytes;

    slu_buf_init(&bytes, DEFAULT_MAX_BYTES);
    while (round_of(compile, &bytes, false) != 0 && !compile->no_memory)
        ;
    if (!compile->no_memory)
        round_of(compile, &bytes, true);
    slu_buf_fini(&bytes);
    return !compile->wrong && !compile->no_memory;
}
