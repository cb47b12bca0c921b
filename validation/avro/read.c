/* read.c -- see read.h: which schema a message was written with, and the walk's answer as a payload.
 *
 *   C3 01 ff ff ff ff ff ff ff ff  body        the fingerprint, little endian
 *   00 ii ii ii ii  body                       the registry's id, big endian
 */
#include "validation/avro/read.h"

#include "validation/avro/walk.h"

#include <stdlib.h>

#define SINGLE_OBJECT_HEAD 10
#define CONFLUENT_HEAD     5
#define POINTER_MAX        4096

const char *const slu_avro_framing_names[SLU_AVRO_FRAMINGS] = {
    [SLU_AVRO_RAW] = "raw",
    [SLU_AVRO_SINGLE_OBJECT] = "single_object",
    [SLU_AVRO_CONFLUENT] = "confluent",
    [SLU_AVRO_AUTO] = "auto",
};

struct slu_avro_reader {
    size_t max_bytes;
    struct slu_avro_memory memory;
    struct slu_avro_fault fault;
    struct slu_buf pointer;
};

/* A message on its way. */
struct read {
    struct slu_avro_reader *reader;
    const struct slu_avro_choice *choice;
    struct slu_slice bytes;
    struct slu_payload *payload;
    struct slu_avro_origin origin;
};

struct slu_avro_reader *slu_avro_reader_new(size_t max_bytes)
{
    struct slu_avro_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL)
        return NULL;
    reader->max_bytes = max_bytes;
    slu_buf_init(&reader->pointer, POINTER_MAX);
    if (slu_avro_memory_init(&reader->memory))
        return reader;
    slu_avro_reader_free(reader);
    return NULL;
}

void slu_avro_reader_free(struct slu_avro_reader *reader)
{
    if (reader == NULL)
        return;
    slu_avro_memory_fini(&reader->memory);
    slu_buf_fini(&reader->pointer);
    free(reader);
}

/* ---- faults ------------------------------------------------------------------------------------------ */

static bool refuse(struct read *read, enum slu_payload_fault fault, size_t at, const char *text)
{
    *read->payload = (struct slu_payload){
        .format = SLU_FORMAT_AVRO,
        .bytes = read->bytes,
        .fault = fault,
        .fault_at = at,
        .fault_text = text,
        .fault_pointer = slu_slice("", 0),
    };
    return false;
}

/* RFC 6901: ~ and / are written ~0 and ~1. */
static void add_name(struct slu_buf *out, struct slu_slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '~')
            slu_buf_add_text(out, "~0");
        else if (name.data[i] == '/')
            slu_buf_add_text(out, "~1");
        else
            slu_buf_add_char(out, name.data[i]);
    }
}

static struct slu_slice pointer_of(struct slu_avro_reader *reader)
{
    struct slu_buf *out = &reader->pointer;

    slu_buf_reset(out);
    for (size_t i = reader->fault.n_steps; i-- > 0;) {
        const struct slu_avro_step *step = &reader->fault.steps[i];
        slu_buf_add_char(out, '/');
        if (step->name.data != NULL)
            add_name(out, step->name);
        else
            slu_buf_printf(out, "%llu", (unsigned long long)step->item);
    }
    return out->failed ? slu_slice("", 0) : slu_buf_slice(out);
}

static bool refuse_empty(struct read *read)
{
    return refuse(read, SLU_PAYLOAD_EMPTY, 0, "there is no value");
}

/* ---- bodies ------------------------------------------------------------------------------------------ */

static bool read_body(struct read *read, const struct slu_avro_schema *schema, size_t head)
{
    const struct slu_slice bytes = read->bytes;
    struct slu_avro_reader *reader = read->reader;
    const struct slu_slice body =
        head == 0 ? bytes : slu_slice(bytes.data + head, bytes.len - head);
    const struct slu_value *root = slu_avro_walk(&reader->memory, schema, body, &reader->fault);

    read->origin.schema = schema;
    if (root != NULL) {
        *read->payload =
            (struct slu_payload){.format = SLU_FORMAT_AVRO, .bytes = bytes, .root = root};
        return true;
    }
    if (bytes.len == 0)
        return refuse_empty(read);
    refuse(read, reader->fault.fault, head + reader->fault.at, reader->fault.text);
    read->payload->fault_pointer = pointer_of(reader);
    return false;
}

/* The first schema that reads it; when none does, the first one's complaint. */
static bool read_raw(struct read *read)
{
    const struct slu_avro_choice *choice = read->choice;

    read->origin.framing = SLU_AVRO_RAW;
    for (size_t i = 0; i < choice->n; i++)
        if (read_body(read, choice->schemas[i], 0))
            return true;
    return choice->n > 1 ? read_body(read, choice->schemas[0], 0) : false;
}

/* ---- heads ------------------------------------------------------------------------------------------- */

static bool has_single_object_head(struct slu_slice bytes)
{
    return bytes.len >= 2 && (uint8_t)bytes.data[0] == 0xC3 && bytes.data[1] == 0x01;
}

static bool has_confluent_head(struct slu_slice bytes)
{
    return bytes.len >= 1 && bytes.data[0] == 0x00;
}

static const struct slu_avro_schema *by_fingerprint(const struct read *read)
{
    const struct slu_slice bytes = read->bytes;
    uint64_t fingerprint = 0;

    if (bytes.len < SINGLE_OBJECT_HEAD)
        return NULL;
    for (size_t i = 0; i < 8; i++)
        fingerprint |= (uint64_t)(uint8_t)bytes.data[2 + i] << (8 * i);
    for (size_t i = 0; i < read->choice->n + read->choice->n_named; i++)
        if (slu_avro_schema_fingerprint(read->choice->schemas[i]) == fingerprint)
            return read->choice->schemas[i];
    return NULL;
}

static const struct slu_avro_schema *by_id(const struct read *read)
{
    const struct slu_slice bytes = read->bytes;
    int64_t id = 0;

    if (bytes.len < CONFLUENT_HEAD)
        return NULL;
    if (read->choice->any_id)
        return read->choice->schemas[0];
    for (size_t i = 1; i < CONFLUENT_HEAD; i++)
        id = id << 8 | (uint8_t)bytes.data[i];
    for (size_t i = 0; i < read->choice->n + read->choice->n_named; i++)
        if (read->choice->schemas[i]->registry_id == id)
            return read->choice->schemas[i];
    return NULL;
}

static bool read_single_object(struct read *read)
{
    read->origin.framing = SLU_AVRO_SINGLE_OBJECT;
    if (read->bytes.len == 0)
        return refuse_empty(read);
    if (!has_single_object_head(read->bytes) || read->bytes.len < SINGLE_OBJECT_HEAD)
        return refuse(read, SLU_PAYLOAD_AVRO_FRAMING, 0,
                      "does not begin with C3 01 and a fingerprint");
    const struct slu_avro_schema *schema = by_fingerprint(read);
    if (schema == NULL)
        return refuse(read, SLU_PAYLOAD_AVRO_UNKNOWN_SCHEMA_ID, 2,
                      "the fingerprint of a schema that is not known here");
    return read_body(read, schema, SINGLE_OBJECT_HEAD);
}

static bool read_confluent(struct read *read)
{
    read->origin.framing = SLU_AVRO_CONFLUENT;
    if (read->bytes.len == 0)
        return refuse_empty(read);
    if (!has_confluent_head(read->bytes) || read->bytes.len < CONFLUENT_HEAD)
        return refuse(read, SLU_PAYLOAD_AVRO_FRAMING, 0,
                      "does not begin with 00 and the id of a schema");
    const struct slu_avro_schema *schema = by_id(read);
    if (schema == NULL)
        return refuse(read, SLU_PAYLOAD_AVRO_UNKNOWN_SCHEMA_ID, 1,
                      "the id of a schema that is not known here");
    return read_body(read, schema, CONFLUENT_HEAD);
}

static bool read_auto(struct read *read)
{
    const struct slu_slice bytes = read->bytes;
    const bool single = has_single_object_head(bytes), confluent = has_confluent_head(bytes);

    if (single && by_fingerprint(read) != NULL)
        return read_single_object(read);
    if (confluent && by_id(read) != NULL)
        return read_confluent(read);
    if (read_raw(read))
        return true;
    if (!single && !confluent)
        return false;
    read->origin = (struct slu_avro_origin){NULL, SLU_AVRO_RAW};
    return refuse(
        read, SLU_PAYLOAD_AVRO_UNKNOWN_SCHEMA_ID, 0,
        "begins like the name of a schema that is not known here, and is no value either");
}

bool slu_avro_read(struct slu_avro_reader *reader, const struct slu_avro_choice *choice,
                   struct slu_slice bytes, struct slu_payload *payload,
                   struct slu_avro_origin *origin)
{
    static bool (*const readers[SLU_AVRO_FRAMINGS])(struct read *) = {
        [SLU_AVRO_RAW] = read_raw,
        [SLU_AVRO_SINGLE_OBJECT] = read_single_object,
        [SLU_AVRO_CONFLUENT] = read_confluent,
        [SLU_AVRO_AUTO] = read_auto,
    };
    struct read read = {.reader = reader, .choice = choice, .bytes = bytes, .payload = payload};
    bool holds;

    if (bytes.len > reader->max_bytes)
        holds = refuse(&read, SLU_PAYLOAD_TOO_LARGE, reader->max_bytes, "larger than max_payload");
    else
        holds = readers[choice->framing](&read);
    if (origin != NULL)
        *origin = read.origin;
    return holds;
}
