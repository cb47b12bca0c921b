/* envelope_avro.c -- see envelope_avro.h.
 *
 *   time, …, payload_json, payload_bytes, [payload], id (72, 36 characters), seq (varint) │ next object
 *                                                    └─ the tail: read backward from a block's end ─┘
 *
 * id and seq stand last so that a start after a crash finds the place of a file from the end of its last
 * block, whatever the payloads are. Names of the envelope's own types have no namespace, and begin with
 * sluice_: a payload's schema keeps the names it has.
 *
 * Threads: none of its own.
 */
#include "sinks/envelope_avro.h"

#include "base/properties.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "sinks/decoder.h"
#include "sinks/record_schema.h"
#include "validation/avro/encode.h"
#include "validation/payload/payload.h"

#define NS_PER_US    1000
#define ID_BYTES     (SLU_UUID_TEXT_SIZE - 1)
#define SCHEMA_DEPTH 200 /* nesting of a schema's document */

/* ---- the schema -------------------------------------------------------------------------------------- */

static const char id_field[] = "{\"name\": \"id\",";
static const char payload_doc[] =
    "\"doc\": \"The payload, in its own schema. Null when it holds to another one or to none.\"";

static void add_schema(struct slu_buf *out, struct slu_slice payload, bool is_wrapped)
{
    const struct slu_slice text = slu_slice(slu_schema_of_record, slu_schema_of_record_len);
    const char *at = memmem(text.data, text.len, id_field, sizeof(id_field) - 1);
    const size_t before = at != NULL ? (size_t)(at - text.data) : 0;

    if (payload.len == 0) {
        slu_buf_add_slice(out, text);
        return;
    }
    slu_buf_add(out, text.data, before);
    slu_buf_add_text(out, "{\"name\": \"payload\", \"type\": [\"null\", ");
    if (is_wrapped)
        slu_buf_add_text(out, "{\"type\": \"record\", \"name\": \"sluice_payload\", \"fields\": "
                              "[{\"name\": \"value\", \"type\": ");
    slu_buf_add_slice(out, payload);
    slu_buf_add_text(out, is_wrapped ? "}]}], \"default\": null,\n     "
                                     : "], \"default\": null,\n     ");
    slu_buf_add_text(out, payload_doc);
    slu_buf_add_text(out, "},\n    ");
    slu_buf_add(out, text.data + before, text.len - before);
}

static bool compiles(struct slu_slice text, struct slu_problems *problems)
{
    const struct slu_avro_schema_options options = {.registry_id = -1, .no_second_opinion = true};
    struct slu_avro_schema *schema = slu_avro_schema_compile(text, &options, problems);

    slu_avro_schema_free(schema);
    return schema != NULL;
}

/* Is it a union, or null, at its root? Neither may be a branch of a union. -1 with a problem: it is no
 * JSON, or there is no memory. */
static int needs_wrapping(struct slu_slice payload, struct slu_problems *problems)
{
    struct slu_err err = {0};
    struct slu_document *document = slu_document_parse(payload, SCHEMA_DEPTH, &err);

    if (document == NULL) {
        slu_problems_add(problems, false, &err);
        return -1;
    }
    const struct slu_value *type = document->root;
    while (type != NULL && slu_value_kind(type) == SLU_VALUE_OBJECT)
        type = slu_value_get(type, SLU_SLICE("type"));
    const bool wraps = type != NULL && (slu_value_kind(type) == SLU_VALUE_ARRAY ||
                                        (slu_value_kind(type) == SLU_VALUE_STRING &&
                                         slu_slice_equal(slu_value_text(type), SLU_SLICE("null"))));
    slu_document_free(document);
    return wraps;
}

bool slu_envelope_avro_schema(struct slu_buf *out, struct slu_slice payload,
                              struct slu_problems *problems)
{
    const size_t len = out->len;
    const int wraps = payload.len > 0 ? needs_wrapping(payload, problems) : 0;

    if (wraps < 0)
        return false;
    add_schema(out, payload, wraps > 0);
    return !out->failed && compiles(slu_slice(out->data + len, out->len - len), problems);
}

/* ---- fields ------------------------------------------------------------------------------------------ */

static void add_bytes(struct slu_buf *out, struct slu_slice bytes)
{
    slu_avro_add_long(out, (int64_t)bytes.len);
    slu_buf_add_slice(out, bytes);
}

/* A string: what is no UTF-8 (which a broker would not have let in) becomes U+FFFD, a byte at a time. */
static void add_string(struct slu_buf *out, struct slu_slice text)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    size_t len = 0;

    if (slu_utf8_valid(text.data, text.len)) {
        add_bytes(out, text);
        return;
    }
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1)
            slu_avro_add_long(out, (int64_t)len);
        for (size_t at = 0; at < text.len;) {
            const size_t step = slu_utf8_step(text.data + at, text.len - at);
            const struct slu_slice part = step > 0
                                              ? slu_slice(text.data + at, step)
                                              : slu_slice(replacement, sizeof(replacement) - 1);
            len += part.len;
            if (pass == 1)
                slu_buf_add_slice(out, part);
            at += step > 0 ? step : 1;
        }
    }
}

static bool add_null(struct slu_buf *out)
{
    return slu_avro_add_long(out, 0);
}

/* ["null", "string"]: an empty text is an absent one. */
static void add_optional(struct slu_buf *out, struct slu_slice text)
{
    if (text.len == 0) {
        add_null(out);
        return;
    }
    slu_avro_add_long(out, 1);
    add_string(out, text);
}

static void add_time(struct slu_buf *out, int64_t ns)
{
    slu_avro_add_long(out, ns / NS_PER_US - (ns % NS_PER_US < 0));
}

static void add_user_properties(struct slu_buf *out, struct slu_slice packed)
{
    struct slu_property property;
    int64_t n = 0;

    for (size_t at = 0; slu_properties_next(packed, &at, &property);)
        n += property.kind == SLU_PROPERTY_USER;
    if (n > 0)
        slu_avro_add_long(out, n);
    for (size_t at = 0; n > 0 && slu_properties_next(packed, &at, &property);) {
        if (property.kind != SLU_PROPERTY_USER)
            continue;
        add_string(out, property.name);
        add_string(out, property.value);
    }
    slu_avro_add_long(out, 0);
}

static int64_t kind_symbol(uint8_t kind)
{
    switch (kind) {
    case SLU_RECORD_VIOLATION:
        return 1;
    case SLU_RECORD_ALARM:
        return 2;
    default:
        return 0;
    }
}

/* ---- payload ----------------------------------------------------------------------------------------- */

/* Its bytes are copied into a file for years: proved once more. */
static bool is_typed(const struct slu_envelope_avro *avro, const struct slu_envelope *envelope,
                     const struct slu_record *record)
{
    struct slu_payload payload;

    return avro->payload.len > 0 && record->format == SLU_RECORD_AVRO &&
           slu_slice_equal(envelope->schema_text, avro->payload) && envelope->decoder != NULL &&
           slu_decoder_read(envelope->decoder, record, envelope->schema_text, &payload);
}

static void add_payload(struct slu_buf *out, struct slu_envelope_avro *avro,
                        const struct slu_envelope *envelope, const struct slu_record *record)
{
    const bool typed = is_typed(avro, envelope, record);
    struct slu_buf *json = &avro->scratch;

    slu_buf_reset(json);
    const bool is_json = !typed && slu_envelope_payload_json(json, envelope, record);
    out->failed |= json->failed; /* no memory is no reason to write bytes */
    if (is_json) {
        slu_avro_add_long(out, 1);
        add_bytes(out, slu_buf_slice(json));
    } else {
        add_null(out);
    }
    if (!typed && !is_json) {
        slu_avro_add_long(out, 1);
        add_bytes(out, record->payload);
    } else {
        add_null(out);
    }
    if (avro->payload.len == 0)
        return;
    slu_avro_add_long(out, typed);
    struct slu_slice body;
    if (typed && slu_decoder_body(record, &body))
        slu_buf_add_slice(out, body);
}

bool slu_envelope_avro_write(struct slu_buf *out, struct slu_envelope_avro *avro,
                             const struct slu_envelope *envelope, const struct slu_record *record)
{
    char id[SLU_UUID_TEXT_SIZE];

    add_time(out, record->time_ns);
    add_time(out, record->event_ns);
    add_string(out, slu_slice_of(envelope->instance));
    slu_avro_add_long(out, kind_symbol(record->kind));
    add_string(out, record->topic);
    add_optional(out, record->client_id);
    add_optional(out, record->username);
    slu_avro_add_long(out, record->qos);
    slu_buf_add_char(out, record->retain ? 1 : 0);
    add_optional(out, slu_slice_of(envelope->policy));
    add_optional(out, slu_slice_of(envelope->schema));
    slu_avro_add_long(out, record->quality);
    add_user_properties(out, record->properties);
    add_payload(out, avro, envelope, record);
    slu_uuid_format(slu_uuid_of_record(envelope->spool_id, record->seq), id);
    add_bytes(out, slu_slice(id, ID_BYTES));
    return slu_avro_add_long(out, (int64_t)record->seq);
}

/* ---- back -------------------------------------------------------------------------------------------- */

/* The varint that ends at the end of `objects`: the bytes of one have their highest bit set but for the
 * last, and an id's last character has not. 0: there is none. */
static size_t last_number(struct slu_slice objects, uint64_t *number)
{
    size_t n = 1;
    uint64_t bits = 0;

    while (n < 10 && n < objects.len && (objects.data[objects.len - n - 1] & 0x80) != 0)
        n++;
    if (n > objects.len || (objects.data[objects.len - 1] & 0x80) != 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        bits = bits << 7 | (uint64_t)(objects.data[objects.len - 1 - i] & 0x7f);
    *number = bits >> 1;
    return (bits & 1) == 0 ? n : 0;
}

bool slu_envelope_avro_place(struct slu_slice objects, const uint8_t spool_id[16], uint64_t *seq,
                             bool *ours)
{
    const size_t n = last_number(objects, seq);
    struct slu_uuid id;

    if (n == 0 || objects.len < n + ID_BYTES + 1)
        return false;
    const char *text = objects.data + objects.len - n - ID_BYTES;
    if (text[-1] != 2 * ID_BYTES || !slu_uuid_parse(text, ID_BYTES, &id) || id.bytes[6] >> 4 != 8)
        return false;
    const struct slu_uuid expected = slu_uuid_of_record(spool_id, *seq);
    *ours = memcmp(id.bytes, expected.bytes, sizeof(id.bytes)) == 0;
    return memcmp(id.bytes + 8, expected.bytes + 8, 8) == 0;
}
