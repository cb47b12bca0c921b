/* payload.c -- see payload.h. A reader and its memory:
 *
 *   values ── cells of the message at hand, as JSON or as a number         (json.c)
 *   texts ─── the same cells with numbers as text; made when first asked for
 *   cell ──── the one cell of a boolean or string
 *   shape ─── table for the hunt for duplicate keys                        (shape.c)
 *
 * The two trees agree cell for cell, so the text behind the k-th value is the k-th text.
 *
 * Memory is at most 13 bytes a payload byte for each tree, and 8 more for the keys: bounded by the
 * longest payload that was let in.
 */
#include "validation/payload/payload.h"

#include "validation/payload/json.h"
#include "validation/payload/number.h"
#include "validation/payload/place.h"
#include "validation/payload/scalar.h"
#include "validation/payload/shape.h"

#include <stdlib.h>

/* Payloads up to this length find their memory ready. */
#define READY_BYTES 4096

/* Ceiling for max_bytes, so that no size computed from it overflows. */
#define MAX_BYTES_CEILING (SIZE_MAX / 64)

const char *const slu_format_names[SLU_FORMATS] = {
    [SLU_FORMAT_JSON] = "json",       [SLU_FORMAT_NUMBER] = "number",
    [SLU_FORMAT_BOOLEAN] = "boolean", [SLU_FORMAT_STRING] = "string",
    [SLU_FORMAT_BYTES] = "bytes",     [SLU_FORMAT_AVRO] = "avro",
};

const char *const slu_payload_codes[SLU_PAYLOAD_FAULTS] = {
    [SLU_PAYLOAD_OK] = NULL,
    [SLU_PAYLOAD_EMPTY] = "payload.empty",
    [SLU_PAYLOAD_MALFORMED] = "payload.malformed",
    [SLU_PAYLOAD_UTF8] = "payload.utf8",
    [SLU_PAYLOAD_SURROGATE] = "payload.surrogate",
    [SLU_PAYLOAD_DUPLICATE_KEY] = "payload.duplicate_key",
    [SLU_PAYLOAD_DEPTH] = "payload.depth",
    [SLU_PAYLOAD_TOO_LARGE] = "payload.too_large",
    [SLU_PAYLOAD_AVRO_MALFORMED] = "avro.malformed",
    [SLU_PAYLOAD_AVRO_TRUNCATED] = "avro.truncated",
    [SLU_PAYLOAD_AVRO_TRAILING] = "avro.trailing",
    [SLU_PAYLOAD_AVRO_INT_RANGE] = "avro.int_range",
    [SLU_PAYLOAD_AVRO_UNION] = "avro.union",
    [SLU_PAYLOAD_AVRO_ENUM] = "avro.enum",
    [SLU_PAYLOAD_AVRO_LENGTH] = "avro.length",
    [SLU_PAYLOAD_AVRO_DEPTH] = "avro.depth",
    [SLU_PAYLOAD_AVRO_ITEMS] = "avro.items",
    [SLU_PAYLOAD_AVRO_UTF8] = "avro.utf8",
    [SLU_PAYLOAD_AVRO_FRAMING] = "avro.framing",
    [SLU_PAYLOAD_AVRO_UNKNOWN_SCHEMA_ID] = "avro.unknown_schema_id",
};

struct slu_payload_reader {
    size_t max_bytes;
    struct slu_json_memory values;
    struct slu_json_memory texts;
    const struct slu_value
        *texts_root; /* of the payload at hand; NULL: not made yet, or no memory */
    enum { NOT_LOOKED_AT, ALL_SHORT, SOME_LONG } numbers; /* of the payload at hand */
    struct slu_value cell;
    struct slu_shape shape;
};

struct slu_payload_reader *slu_payload_reader_new(size_t max_bytes)
{
    struct slu_payload_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL)
        return NULL;
    reader->max_bytes = max_bytes < MAX_BYTES_CEILING ? max_bytes : MAX_BYTES_CEILING;
    const size_t ready = reader->max_bytes < READY_BYTES ? reader->max_bytes : READY_BYTES;
    if (slu_shape_init(&reader->shape) && slu_json_memory_reserve(&reader->values, ready))
        return reader;
    slu_payload_reader_free(reader);
    return NULL;
}

void slu_payload_reader_free(struct slu_payload_reader *reader)
{
    if (reader == NULL)
        return;
    slu_json_memory_fini(&reader->values);
    slu_json_memory_fini(&reader->texts);
    slu_shape_fini(&reader->shape);
    free(reader);
}

static bool refuse(struct slu_payload *payload, const struct slu_json_fault *fault)
{
    payload->root = NULL;
    payload->fault_key = slu_slice(NULL, 0);
    payload->fault = fault->fault;
    payload->fault_at = fault->at;
    payload->fault_text = fault->text;
    return false;
}

/* The JSON was well-formed, but `culprit` must not be. */
static bool refuse_shape(struct slu_payload *payload, enum slu_payload_fault what,
                         const struct slu_value *root, const struct slu_value *culprit)
{
    static const char *const texts[SLU_PAYLOAD_FAULTS] = {
        [SLU_PAYLOAD_DUPLICATE_KEY] = "a key that its object already has",
        [SLU_PAYLOAD_DEPTH] = "nested too deep",
        [SLU_PAYLOAD_TOO_LARGE] = "no memory to compare the keys of an object",
    };
    const size_t at = slu_place_of_cell(payload->bytes, (size_t)(culprit - root));
    refuse(payload, &(struct slu_json_fault){what, at, texts[what]});
    if (what == SLU_PAYLOAD_DUPLICATE_KEY)
        payload->fault_key = slu_value_text(culprit);
    return false;
}

static bool read_json(struct slu_payload_reader *reader, struct slu_payload *payload)
{
    struct slu_json_fault fault;
    const struct slu_value *root =
        slu_json_read(&reader->values, payload->bytes, SLU_JSON_VALUES, &fault);
    if (root == NULL)
        return refuse(payload, &fault);
    const struct slu_value *culprit = root;
    enum slu_payload_fault shape =
        slu_shape_check_below(&reader->shape, root, SLU_PAYLOAD_MAX_DEPTH, &culprit);
    if (__builtin_expect(shape != SLU_PAYLOAD_OK, 0))
        return refuse_shape(payload, shape, root, culprit);
    payload->root = root;
    if (slu_value_kind(root) == SLU_VALUE_OBJECT)
        payload->unproved = root;
    return true;
}

bool slu_payload_prove(struct slu_payload *payload)
{
    const struct slu_value *culprit;

    if (payload->unproved == NULL)
        return payload->fault == SLU_PAYLOAD_OK;
    payload->unproved = NULL;
    enum slu_payload_fault fault =
        slu_shape_check_keys(&payload->reader->shape, payload->root, &culprit);
    return fault == SLU_PAYLOAD_OK || refuse_shape(payload, fault, payload->root, culprit);
}

static bool read_number(struct slu_payload_reader *reader, struct slu_payload *payload)
{
    struct slu_json_fault fault;
    struct slu_slice number;
    if (slu_scalar_number(payload->bytes, &number, &fault) != SLU_PAYLOAD_OK)
        return refuse(payload, &fault);
    payload->root = slu_json_read(&reader->values, number, SLU_JSON_VALUES, &fault);
    return payload->root != NULL || refuse(payload, &fault);
}

static bool read_boolean(struct slu_payload_reader *reader, struct slu_payload *payload)
{
    struct slu_json_fault fault;
    if (slu_scalar_boolean(payload->bytes, &reader->cell, &fault) != SLU_PAYLOAD_OK)
        return refuse(payload, &fault);
    payload->root = &reader->cell;
    return true;
}

static bool read_string(struct slu_payload_reader *reader, struct slu_payload *payload)
{
    struct slu_json_fault fault;
    if (slu_scalar_string(payload->bytes, &reader->cell, &fault) != SLU_PAYLOAD_OK)
        return refuse(payload, &fault);
    payload->root = &reader->cell;
    return true;
}

static bool read_bytes(struct slu_payload_reader *reader, struct slu_payload *payload)
{
    (void)reader;
    payload->root = NULL;
    return true;
}

/* Whoever asks for Avro here has no schema to read it with. */
static bool read_avro(struct slu_payload_reader *reader, struct slu_payload *payload)
{
    (void)reader;
    return refuse(payload,
                  &(struct slu_json_fault){SLU_PAYLOAD_AVRO_UNKNOWN_SCHEMA_ID, 0, "no schema"});
}

bool slu_payload_read(struct slu_payload_reader *reader, enum slu_format format,
                      struct slu_slice bytes, struct slu_payload *payload)
{
    return slu_payload_read_quickly(reader, format, bytes, payload) && slu_payload_prove(payload);
}

bool slu_payload_read_quickly(struct slu_payload_reader *reader, enum slu_format format,
                              struct slu_slice bytes, struct slu_payload *payload)
{
    static bool (*const readers[SLU_FORMATS])(struct slu_payload_reader *, struct slu_payload *) = {
        [SLU_FORMAT_JSON] = read_json,       [SLU_FORMAT_NUMBER] = read_number,
        [SLU_FORMAT_BOOLEAN] = read_boolean, [SLU_FORMAT_STRING] = read_string,
        [SLU_FORMAT_BYTES] = read_bytes,     [SLU_FORMAT_AVRO] = read_avro,
    };
    *payload = (struct slu_payload){.format = format, .bytes = bytes, .reader = reader};
    reader->texts_root = NULL;
    reader->numbers = NOT_LOOKED_AT;
    if (bytes.len > reader->max_bytes)
        return refuse(payload, &(struct slu_json_fault){SLU_PAYLOAD_TOO_LARGE, reader->max_bytes,
                                                        "larger than max_payload"});
    return readers[format](reader, payload);
}

/* The text that a double came from; empty: there is none to be had. */
static struct slu_slice real_text(const struct slu_payload *payload, const struct slu_value *value)
{
    struct slu_payload_reader *reader = payload->reader;
    struct slu_json_fault fault;
    struct slu_slice number;
    if (payload->format == SLU_FORMAT_NUMBER &&
        slu_scalar_number(payload->bytes, &number, &fault) == SLU_PAYLOAD_OK)
        return number;
    if (payload->format != SLU_FORMAT_JSON)
        return slu_slice("", 0);
    if (reader->texts_root == NULL)
        reader->texts_root = slu_json_read(&reader->texts, payload->bytes, SLU_JSON_TEXTS, &fault);
    if (reader->texts_root == NULL)
        return slu_slice("", 0);
    return slu_value_text(reader->texts_root + (value - payload->root));
}

struct slu_slice slu_payload_number_text(const struct slu_payload *payload,
                                         const struct slu_value *value, char scratch[32])
{
    if (slu_value_kind(value) == SLU_VALUE_BIG)
        return slu_value_text(value);
    if (slu_value_variant(value) == SLU_VALUE_REAL) {
        struct slu_slice text = real_text(payload, value);
        if (text.len != 0)
            return text;
    }
    return slu_number_text(value, scratch);
}

bool slu_payload_numbers_short(const struct slu_payload *payload)
{
    struct slu_payload_reader *reader = payload->reader;
    if (payload->format != SLU_FORMAT_JSON)
        return false;
    if (reader->numbers == NOT_LOOKED_AT)
        reader->numbers = slu_number_all_short(payload->bytes) ? ALL_SHORT : SOME_LONG;
    return reader->numbers == ALL_SHORT;
}

/* Is it a double that lost nothing, an integer? Bounds are mostly met by such: 0.0, 400.0. */
static bool is_exact(const struct slu_payload *payload, const struct slu_value *value)
{
    return slu_value_variant(value) == SLU_VALUE_REAL && value->f64 > -0x1p53 &&
           value->f64 < 0x1p53 && value->f64 == (double)(int64_t)value->f64 &&
           slu_payload_numbers_short(payload);
}

struct slu_decimal slu_payload_digits(const struct slu_payload *payload,
                                      const struct slu_value *value, char scratch[32])
{
    if (is_exact(payload, value)) {
        const int64_t whole = (int64_t)value->f64;
        const struct slu_value same = {.tag = whole < 0 ? SLU_VALUE_SINT : SLU_VALUE_UINT,
                                       .i64 = whole};
        return slu_decimal_of(slu_number_text(&same, scratch));
    }
    return slu_decimal_of(slu_payload_number_text(payload, value, scratch));
}
