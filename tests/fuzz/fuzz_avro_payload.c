/* Any bytes as a message of some schemas, framed or not. What holds must be a sound tree, no larger than
 * promised, and must go back: the encoder takes it, and the reader then sees the same. And Avro C must read
 * the same values. */
#include "avro_schemas.h"

#include "base/utf8.h"
#include "tests/conformance/avro_c_values.h"
#include "validation/avro/encode.h"
#include "validation/avro/read.h"

#include <stdio.h>

#define MAX_BYTES 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound)
        abort();
}

/* A container ends exactly where its last member does. Returns the value's next sibling. */
static const struct slu_value *check_value(const struct slu_value *value, int depth)
{
    const bool object = slu_value_kind(value) == SLU_VALUE_OBJECT;

    if (slu_value_kind(value) == SLU_VALUE_STRING)
        check(slu_utf8_valid(value->text, slu_value_len(value)));
    if (!slu_value_is_container(value))
        return value + 1;
    check(depth <= SLU_PAYLOAD_MAX_DEPTH + 1);
    const struct slu_value *at = slu_value_first(value);
    for (size_t n = slu_value_len(value); n > 0; n--) {
        if (object) {
            volatile uint64_t eight;
            check(slu_value_kind(at) == SLU_VALUE_STRING);
            memcpy((void *)(uintptr_t)&eight, at->text, sizeof(eight)); /* value.h promises */
            at++;
        }
        at = check_value(at, depth + 1);
    }
    check(at == slu_value_next(value));
    return at;
}

static void check_back(struct slu_avro_reader *reader, const struct slu_avro_schema *schema,
                       const struct slu_payload *payload)
{
    const struct slu_avro_choice choice = {.schemas = &schema, .n = 1, .framing = SLU_AVRO_RAW};
    const struct slu_avro_options options = {.dialect = SLU_AVRO_NATURAL};
    const struct slu_avro_source source = slu_avro_source_of(payload);
    struct slu_avro_complaint complaint;
    struct slu_buf bytes, json;
    struct slu_payload again;

    slu_buf_init(&bytes, 16u << 20);
    slu_buf_init(&json, 64u << 20);
    check(slu_value_json(payload->root, &json) && slu_utf8_valid(json.data, json.len));
    if (slu_avro_encode(schema, &source, &options, &bytes, &complaint)) {
        /* Nulls in one block may be too many for what is left of the bytes. */
        check(slu_avro_read(reader, &choice, slu_buf_slice(&bytes), &again, NULL)
                  ? avro_same(payload, &again)
                  : again.fault == SLU_PAYLOAD_AVRO_ITEMS);
    } else {
        check(complaint.fault == SLU_PAYLOAD_AVRO_ITEMS); /* branches beyond number */
    }
    slu_buf_fini(&bytes);
    slu_buf_fini(&json);
}

/* Avro C's opinion of a body that was accepted. Its schemas are made once, as ours. */
static void check_other(size_t number, const struct slu_payload *payload,
                        enum slu_avro_framing framing)
{
    static const size_t heads[] = {
        [SLU_AVRO_RAW] = 0, [SLU_AVRO_SINGLE_OBJECT] = 10, [SLU_AVRO_CONFLUENT] = 5};
    static struct avro_c_schema *schemas[AVRO_TEXTS];
    struct avro_c_schema **schema = &schemas[number % AVRO_TEXTS];
    const struct slu_slice bytes = payload->bytes;
    const size_t head = heads[framing];
    struct avro_c_answer answer;

    if (*schema == NULL)
        *schema = avro_c_open(slu_slice_of(avro_texts[number % AVRO_TEXTS]), &answer);
    if (*schema != NULL && avro_c_agrees(*schema, slu_slice(bytes.data + head, bytes.len - head),
                                         payload->root, &answer))
        return;
    fprintf(stderr, "at \"%s\": %s\n", answer.where, answer.text);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct slu_avro_reader *reader;
    struct slu_payload payload;
    struct slu_avro_origin origin;

    if (reader == NULL)
        reader = slu_avro_reader_new(1u << 24);
    check(reader != NULL);
    if (size < 1 || size > MAX_BYTES)
        return 0;
    /* Exactly these bytes: one read beyond them is one too many. */
    char *bytes = malloc(size);
    check(bytes != NULL);
    memcpy(bytes, data + 1, size - 1);
    const struct slu_avro_schema *schema = avro_schema_at(data[0] & 0x1F);
    const struct slu_avro_choice choice = {
        .schemas = &schema, .n = 1, .framing = (enum slu_avro_framing)(data[0] >> 6)};
    char *exact = realloc(bytes, size > 1 ? size - 1 : 1);
    if (slu_avro_read(reader, &choice, slu_slice(exact, size - 1), &payload, &origin)) {
        check(origin.schema == schema && origin.framing != SLU_AVRO_AUTO);
        const struct slu_value *end = check_value(payload.root, 1);
        check((size_t)(end - payload.root) <= 4096 + 4 * size);
        check_other(data[0] & 0x1F, &payload, origin.framing);
        struct slu_avro_reader *other = slu_avro_reader_new(1u << 24);
        check(other != NULL);
        check_back(other, schema, &payload);
        slu_avro_reader_free(other);
    } else {
        check(payload.root == NULL && slu_payload_codes[payload.fault] != NULL);
        check(payload.fault_at <= size);
    }
    free(exact);
    return 0;
}
