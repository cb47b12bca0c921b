/* Any text as an Avro schema. One that is taken must have a canonical form that compiles to the same
 * form and fingerprint, and must read messages without harm. */
#include "validation/avro/read.h"

#include <stdlib.h>

#define MAX_BYTES 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound)
        abort();
}

static struct slu_avro_schema *compile(struct slu_slice text, bool ask)
{
    const struct slu_avro_schema_options options = {
        .name = "f:1", .source = "f.avsc", .registry_id = 1, .no_second_opinion = !ask};
    struct slu_problems problems;

    slu_problems_init(&problems);
    struct slu_avro_schema *schema = slu_avro_schema_compile(text, &options, &problems);
    check((schema == NULL) == (problems.n_errors != 0));
    slu_problems_fini(&problems);
    return schema;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char bytes[] = "\x02\x02\x02\x02\x02\x02\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00";

    if (size > MAX_BYTES)
        return 0;
    struct slu_avro_schema *schema = compile(slu_slice((const char *)data, size), true);
    if (schema == NULL)
        return 0;
    const struct slu_slice canonical = slu_avro_schema_canonical(schema);
    struct slu_avro_schema *again = compile(canonical, false);
    check(again != NULL);
    check(slu_slice_equal(slu_avro_schema_canonical(again), canonical));
    check(slu_avro_schema_fingerprint(again) == slu_avro_fingerprint(canonical));
    slu_avro_schema_free(again);

    struct slu_avro_reader *reader = slu_avro_reader_new(1000);
    const struct slu_avro_schema *const schemas[] = {schema};
    check(reader != NULL);
    for (size_t n = 0; n < sizeof(bytes); n++) {
        const struct slu_avro_choice choice = {
            .schemas = schemas, .n = 1, .framing = SLU_AVRO_AUTO};
        struct slu_payload payload;
        slu_avro_read(reader, &choice, slu_slice(bytes, n), &payload, NULL);
    }
    slu_avro_reader_free(reader);
    slu_avro_schema_free(schema);
    return 0;
}
