/* decoder.c -- see decoder.h. The record's framing says what stands before the value; which schema that
 * names was settled when the message was accepted, so it is stepped over.
 */
#include "sinks/decoder.h"

#include "validation/avro/read.h"

#include <stdlib.h>

/* Schemas kept; a sink of more takes turns. */
#define KEPT 64

struct slu_decoder {
    struct slu_payload_reader *reader;     /* NULL until something but Avro is read */
    struct slu_avro_reader *avro;          /* likewise */
    struct slu_avro_schema *schemas[KEPT]; /* owned */
    size_t turn;                           /* whose place the next new one takes */
};

struct slu_decoder *slu_decoder_new(void)
{
    return calloc(1, sizeof(struct slu_decoder));
}

void slu_decoder_free(struct slu_decoder *decoder)
{
    if (decoder == NULL)
        return;
    for (size_t i = 0; i < KEPT; i++)
        slu_avro_schema_free(decoder->schemas[i]);
    slu_avro_reader_free(decoder->avro);
    slu_payload_reader_free(decoder->reader);
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

bool slu_decoder_body(const struct slu_record *record, struct slu_slice *body)
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

static bool read_avro(struct slu_decoder *decoder, const struct slu_record *record,
                      struct slu_slice schema_text, struct slu_payload *payload)
{
    struct slu_slice body;

    payload->fault = SLU_PAYLOAD_AVRO_FRAMING;
    if (schema_text.len == 0 || !slu_decoder_body(record, &body))
        return false;
    payload->fault = SLU_PAYLOAD_TOO_LARGE;
    if (decoder->avro == NULL)
        decoder->avro = slu_avro_reader_new(SLU_RECORD_MAX_BYTES);
    const struct slu_avro_schema *schema = schema_of(decoder, schema_text);
    if (decoder->avro == NULL || schema == NULL)
        return false;
    const struct slu_avro_choice choice = {.schemas = &schema, .n = 1, .framing = SLU_AVRO_RAW};
    return slu_avro_read(decoder->avro, &choice, body, payload, NULL);
}

bool slu_decoder_read(struct slu_decoder *decoder, const struct slu_record *record,
                      struct slu_slice schema_text, struct slu_payload *payload)
{
    static const enum slu_format formats[] = {
        [SLU_RECORD_JSON] = SLU_FORMAT_JSON,
        [SLU_RECORD_NUMBER] = SLU_FORMAT_NUMBER,
        [SLU_RECORD_BOOLEAN] = SLU_FORMAT_BOOLEAN,
        [SLU_RECORD_STRING] = SLU_FORMAT_STRING,
    };
    const uint8_t format = record->format;

    *payload = (struct slu_payload){.fault = SLU_PAYLOAD_OK};
    if (format == SLU_RECORD_AVRO)
        return read_avro(decoder, record, schema_text, payload);
    if (format < SLU_RECORD_JSON || format > SLU_RECORD_STRING)
        return false;
    if (decoder->reader == NULL)
        decoder->reader = slu_payload_reader_new(SLU_RECORD_MAX_BYTES);
    if (decoder->reader != NULL)
        return slu_payload_read(decoder->reader, formats[format], record->payload, payload);
    payload->fault = SLU_PAYLOAD_TOO_LARGE;
    return false;
}
