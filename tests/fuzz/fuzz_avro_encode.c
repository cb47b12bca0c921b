/* Any JSON to Avro, in both dialects. What is encoded is read back; as natural JSON it then encodes again
 * to bytes that mean the same. */
#include "avro_schemas.h"

#include "validation/avro/encode.h"
#include "validation/avro/read.h"

#define MAX_BYTES 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool sound)
{
    if (!sound)
        abort();
}

static struct slu_avro_reader *reader, *other_reader;
static struct slu_payload_reader *json_reader;

/* The bytes must read, unless nulls are too many for so few of them. */
static bool read_back(struct slu_avro_reader *with, const struct slu_avro_schema *schema,
                      const struct slu_buf *bytes, struct slu_payload *payload)
{
    const struct slu_avro_choice choice = {.schemas = &schema, .n = 1, .framing = SLU_AVRO_RAW};

    if (slu_avro_read(with, &choice, slu_buf_slice(bytes), payload, NULL))
        return true;
    check(payload->fault == SLU_PAYLOAD_AVRO_ITEMS);
    return false;
}

static void check_dialect(const struct slu_avro_schema *schema, const struct slu_payload *payload,
                          enum slu_avro_dialect dialect, bool drop)
{
    const struct slu_avro_options options = {.dialect = dialect, .drop_unknown = drop};
    const struct slu_avro_options natural = {.dialect = SLU_AVRO_NATURAL};
    const struct slu_avro_source source = slu_avro_source_of(payload);
    struct slu_avro_complaint complaint;
    struct slu_buf bytes, again;
    struct slu_payload back, twice;

    slu_buf_init(&bytes, 16u << 20);
    slu_buf_init(&again, 16u << 20);
    if (!slu_avro_encode(schema, &source, &options, &bytes, &complaint)) {
        check(bytes.len == 0 && slu_payload_codes[complaint.fault] != NULL);
        check(complaint.at >= payload->root && complaint.at < slu_value_next(payload->root));
    } else if (read_back(reader, schema, &bytes, &back)) {
        const struct slu_avro_source tree = slu_avro_source_of(&back);
        if (slu_avro_encode(schema, &tree, &natural, &again, &complaint)) {
            if (read_back(other_reader, schema, &again, &twice))
                check(avro_same(&back, &twice));
        } else {
            check(complaint.fault == SLU_PAYLOAD_AVRO_ITEMS);
        }
    }
    slu_buf_fini(&bytes);
    slu_buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slu_payload payload;

    if (reader == NULL)
        reader = slu_avro_reader_new(1u << 24);
    if (other_reader == NULL)
        other_reader = slu_avro_reader_new(1u << 24);
    if (json_reader == NULL)
        json_reader = slu_payload_reader_new(1u << 20);
    check(reader != NULL && other_reader != NULL && json_reader != NULL);
    if (size < 1 || size > MAX_BYTES)
        return 0;
    const struct slu_avro_schema *schema = avro_schema_at(data[0] & 0x1F);
    if (slu_payload_read(json_reader, SLU_FORMAT_JSON, slu_slice((const char *)data + 1, size - 1),
                         &payload)) {
        check_dialect(schema, &payload, SLU_AVRO_NATURAL, (data[0] & 0x20) != 0);
        check_dialect(schema, &payload, SLU_AVRO_JSON, (data[0] & 0x20) != 0);
    }
    return 0;
}
