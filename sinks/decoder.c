/* decoder.c -- see decoder.h. The record's framing says what stands before the value; which schema that
 * names was settled when the message was accepted, so it is stepped over.
 */
#include "sinks/decoder.h"

#include "validation/avro/read.h"

#include <stdlib.h>

/* Schemas kept; a sink of more takes turns. */
#define KEPT 64

struct slu_decoder {
    struct slu_avro_reader *reader;
    struct slu_avro_schema *schemas[KEPT]; /* owned */
    size_t turn;                           /* whose place the next new one takes */
};

struct slu_decoder *slu_decoder_new(void)
{
    struct slu_decoder *decoder = calloc(1, sizeof(*decoder));

    if (decoder == NULL)
        return NULL;
    decoder->reader = slu_avro_reader_new(SLU_RECORD_MAX_BYTES);
    if (decoder->reader != NULL)
        return decoder;
    free(decoder);
    return NULL;
}

void slu_decoder_free(struct slu_decoder *decoder)
{
    if (decoder == NULL)
        return;
    for (size_t i = 0; i < KEPT; i++)
        slu_avro_schema_free(decoder->schemas[i]);
    slu_avro_reader_free(decoder->reader);
    free(decoder);
}

/* The schema of that text; NULL: it does not compile here, which is for lack of memory. */
static const struct slu_avro_schema *schema_of(struct slu_decoder *decoder, struct slu_slice text)
{
    const struct slu_avro_schema_options options = {.registry_id = -1, .no_second_opinion = true};
    struct slu_avro_schema **place = &decoder->schemas[decoder->turn];
    struct slu_problems problems;

    for (size_t i = 0; i < KEPT; i++)
        if (decoder->schemas[i] != NULL &&
            slu_slice_equal(slu_avro_schema_text(decoder->schemas[i]), text))
            return decoder->schemas[i];
    slu_problems_init(&problems);
    struct slu_avro_schema *schema = slu_avro_schema_compile(text, &options, &problems);
    slu_problems_fini(&problems);
    if (schema == NULL)
        return NULL;
    slu_avro_schema_free(*place);
    *place = schema;
    decoder->turn = (decoder->turn + 1) % KEPT;
    return schema;
}

/* False: a record that has none. */
static bool find_body(const struct slu_record *record, struct slu_slice *body)
{
    static const size_t heads[] = {
        [SLU_AVRO_RAW] = 0, [SLU_AVRO_SINGLE_OBJECT] = 10, [SLU_AVRO_CONFLUENT] = 5};
    const struct slu_slice bytes = record->payload;

    if (record->format != SLU_RECORD_AVRO || record->framing >= sizeof(heads) / sizeof(heads[0]) ||
        bytes.len < heads[record->framing])
        return false;
    const size_t head = heads[record->framing];
    *body = head == 0 ? bytes : slu_slice(bytes.data + head, bytes.len - head);
    return true;
}

bool slu_decoder_read(struct slu_decoder *decoder, const struct slu_record *record,
                      struct slu_slice schema_text, struct slu_payload *payload)
{
    struct slu_slice body;

    if (schema_text.len == 0 || !find_body(record, &body))
        return false;
    const struct slu_avro_schema *schema = schema_of(decoder, schema_text);
    if (schema == NULL)
        return false;
    const struct slu_avro_choice choice = {.schemas = &schema, .n = 1, .framing = SLU_AVRO_RAW};
    return slu_avro_read(decoder->reader, &choice, body, payload, NULL);
}

struct slu_slice slu_decoder_body(const struct slu_record *record)
{
    struct slu_slice body;
    return find_body(record, &body) ? body : slu_slice(NULL, 0);
}
