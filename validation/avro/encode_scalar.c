/* encode_scalar.c -- numbers, texts and times to their bytes. Nothing exact goes through a double: whole
 * numbers and decimals are made from the digits they were written with.
 */
#include "validation/avro/digits.h"
#include "validation/avro/encode_inside.h"

#include "base/clock.h"
#include "base/uuid.h"

#include <math.h>
#include <stdlib.h>

#define NS_PER_DAY (INT64_C(86400) * SLU_NS_PER_S)

static bool is_string(const struct slu_value *value)
{
    return slu_value_kind(value) == SLU_VALUE_STRING;
}

/* ---- whole numbers ----------------------------------------------------------------------------------- */

/* A decimal that is whole and fits. */
static bool whole(const struct slu_decimal *number, int64_t *out)
{
    const int64_t places = number->exponent;
    uint64_t magnitude = 0;

    if (number->n_digits == 0) {
        *out = 0;
        return true;
    }
    if (places < (int64_t)number->n_digits || places > 19)
        return false;
    for (size_t i = 0; i < number->n_text; i++)
        if (number->digits[i] != '.')
            magnitude = magnitude * 10 + (uint64_t)(number->digits[i] - '0');
    for (int64_t i = (int64_t)number->n_digits; i < places; i++)
        magnitude *= 10; /* at most 19 digits: below 2^64 */
    const uint64_t most = (uint64_t)INT64_MAX + number->negative;
    if (magnitude > most)
        return false;
    *out = number->negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

static bool integer_of(const struct slu_avro_encoder *encoder, const struct slu_value *value,
                       int64_t *number)
{
    char scratch[32];

    if (slu_value_variant(value) == SLU_VALUE_UINT && value->u64 <= INT64_MAX) {
        *number = (int64_t)value->u64;
        return true;
    }
    const struct slu_decimal digits =
        slu_decimal_of(encoder->source->number_text(encoder->source->context, value, scratch));
    return whole(&digits, number);
}

static bool add_integer(struct slu_avro_encoder *encoder, const struct slu_value *value,
                        int64_t number, bool is_int)
{
    if (is_int && number != (int32_t)number)
        return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_INT_RANGE, value,
                                 "beyond an int: -2147483648 to 2147483647");
    slu_avro_add_long(encoder->out, number);
    return true;
}

/* ---- times ------------------------------------------------------------------------------------------- */

static int64_t floor_by(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

/* RFC 3339 made whole from a part of it. */
static bool parse_time(const char *before, struct slu_slice text, const char *behind, int64_t *ns)
{
    char whole_text[80];
    const size_t n_before = strlen(before), n_behind = strlen(behind);

    if (n_before + text.len + n_behind > sizeof(whole_text))
        return false;
    memcpy(whole_text, before, n_before);
    memcpy(whole_text + n_before, text.data, text.len);
    memcpy(whole_text + n_before + text.len, behind, n_behind);
    return slu_clock_parse(whole_text, n_before + text.len + n_behind, ns) == 0;
}

/* What each kind of time is made of: text around the value's, and nanoseconds of its unit. */
static const struct {
    const char *before, *behind, *wanted;
    int64_t unit;
} times[SLU_AVRO_LOGICALS] = {
    [SLU_AVRO_DATE] = {"", "T00:00:00Z", "days, or a date like 2026-11-28", NS_PER_DAY},
    [SLU_AVRO_TIME_MILLIS] = {"1970-01-01T", "Z", "milliseconds, or a time like 12:30:00.5",
                              SLU_NS_PER_MS},
    [SLU_AVRO_TIME_MICROS] = {"1970-01-01T", "Z", "microseconds, or a time like 12:30:00.5", 1000},
    [SLU_AVRO_TIMESTAMP_MILLIS] = {"", "", "milliseconds, or RFC 3339 text", SLU_NS_PER_MS},
    [SLU_AVRO_TIMESTAMP_MICROS] = {"", "", "microseconds, or RFC 3339 text", 1000},
    [SLU_AVRO_TIMESTAMP_NANOS] = {"", "", "nanoseconds, or RFC 3339 text", 1},
    [SLU_AVRO_LOCAL_MILLIS] = {"", "Z", "milliseconds, or RFC 3339 text without a zone",
                               SLU_NS_PER_MS},
    [SLU_AVRO_LOCAL_MICROS] = {"", "Z", "microseconds, or RFC 3339 text without a zone", 1000},
    [SLU_AVRO_LOCAL_NANOS] = {"", "Z", "nanoseconds, or RFC 3339 text without a zone", 1},
};

static bool encode_integer(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                           const struct slu_value *value)
{
    const bool is_int = node->type == SLU_AVRO_INT;
    const char *wanted = times[node->logical].wanted;
    int64_t number;

    if (slu_value_is_number(value)) {
        if (!integer_of(encoder, value, &number))
            return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_INT_RANGE, value,
                                     "not a whole number of 64 bits");
        return add_integer(encoder, value, number, is_int);
    }
    if (wanted == NULL)
        return slu_avro_wrong_kind(encoder, value, "a whole number");
    if (!is_string(value))
        return slu_avro_wrong_kind(encoder, value, wanted);
    if (!parse_time(times[node->logical].before, slu_value_text(value), times[node->logical].behind,
                    &number))
        return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, value, "expected %s", wanted);
    return add_integer(encoder, value, floor_by(number, times[node->logical].unit), is_int);
}

/* ---- floats ------------------------------------------------------------------------------------------ */

double slu_avro_nearest(const struct slu_value *number)
{
    switch (slu_value_variant(number)) {
    case SLU_VALUE_UINT:
        return (double)number->u64;
    case SLU_VALUE_SINT:
        return (double)number->i64;
    case SLU_VALUE_REAL:
        return number->f64;
    default:
        break;
    }
    struct slu_document *document = slu_document_parse(slu_value_text(number), 1, NULL);
    const bool is_plain = document != NULL && slu_value_kind(document->root) == SLU_VALUE_NUMBER;
    const double nearest =
        is_plain ? slu_avro_nearest(document->root) : slu_document_nearest(slu_value_text(number));
    slu_document_free(document);
    return nearest;
}

/* Within the range of a float; a double beyond it may not be cast. */
static bool fits_float(double number)
{
    return fabs(number) <= 3.4028234663852886e38;
}

bool slu_avro_is_float(const struct slu_value *number)
{
    const double nearest = slu_avro_nearest(number);
    const bool exact = slu_value_variant(number) == SLU_VALUE_REAL || fabs(nearest) < 0x1p53;
    return exact && fits_float(nearest) && (double)(float)nearest == nearest;
}

static bool word_of(struct slu_slice text, double *number)
{
    if (slu_slice_equal(text, SLU_SLICE("NaN")))
        *number = (double)NAN;
    else if (slu_slice_equal(text, SLU_SLICE("Infinity")))
        *number = (double)INFINITY;
    else if (slu_slice_equal(text, SLU_SLICE("-Infinity")))
        *number = (double)-INFINITY;
    else
        return false;
    return true;
}

static bool encode_real(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                        const struct slu_value *value)
{
    const bool is_float = node->type == SLU_AVRO_FLOAT;
    double number;

    if (slu_value_is_number(value)) {
        number = slu_avro_nearest(value);
        if (isinf(number) || (is_float && !fits_float(number)))
            return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_INT_RANGE, value,
                                     "beyond the range of a %s", slu_avro_type_names[node->type]);
    } else if (!is_string(value) || !word_of(slu_value_text(value), &number)) {
        return slu_avro_wrong_kind(encoder, value, "a number");
    }
    const float narrow = is_float ? (float)number : 0;
    slu_buf_add(encoder->out, is_float ? (const void *)&narrow : (const void *)&number,
                is_float ? sizeof(narrow) : sizeof(number));
    return true;
}

/* ---- bytes ------------------------------------------------------------------------------------------- */

/* Code points 0–255 as bytes. False: one beyond. */
static bool add_code_points(struct slu_buf *out, struct slu_slice text, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < text.len; i++, ++*n) {
        uint8_t byte = (uint8_t)text.data[i];
        if (byte >= 0x80) {
            if (byte > 0xC3 || i + 1 == text.len)
                return false;
            byte = (uint8_t)(byte << 6 | ((uint8_t)text.data[++i] & 0x3F));
        }
        slu_buf_add_char(out, (char)byte);
    }
    return true;
}

static bool count_code_points(struct slu_slice text, size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < text.len; i++, ++*n) {
        if ((uint8_t)text.data[i] < 0x80)
            continue;
        if ((uint8_t)text.data[i] > 0xC3 || ++i == text.len)
            return false;
    }
    return true;
}

static bool encode_bytes(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                         const struct slu_value *value)
{
    size_t n;

    if (!is_string(value))
        return slu_avro_wrong_kind(encoder, value, "a string of code points 0 to 255");
    if (!count_code_points(slu_value_text(value), &n))
        return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, value,
                                 "bytes are a string of code points 0 to 255");
    if (node->type == SLU_AVRO_FIXED && n != node->n)
        return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_LENGTH, value,
                                 "%zu bytes, where %u belong", n, node->n);
    if (node->type == SLU_AVRO_BYTES)
        slu_avro_add_long(encoder->out, (int64_t)n);
    return add_code_points(encoder->out, slu_value_text(value), &n);
}

/* Is it a JSON number, whole? */
static bool is_number_text(struct slu_slice text)
{
    struct slu_document *document =
        text.len <= SLU_AVRO_DIGITS_TEXT ? slu_document_parse(text, 1, NULL) : NULL;
    const bool is_number = document != NULL && slu_value_is_number(document->root) &&
                           slu_value_len(document->raw_root) == text.len;
    slu_document_free(document);
    return is_number;
}

static bool encode_decimal(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                           const struct slu_value *value)
{
    uint8_t bytes[SLU_AVRO_DIGITS_BYTES];
    char scratch[32];
    struct slu_slice text;

    if (slu_value_is_number(value))
        text = encoder->source->number_text(encoder->source->context, value, scratch);
    else if (is_string(value) && is_number_text(slu_value_text(value)))
        text = slu_value_text(value);
    else
        return slu_avro_wrong_kind(encoder, value, "a number, or a string that is one");
    const struct slu_decimal number = slu_decimal_of(text);
    const size_t n = slu_avro_digits_bytes(&number, node->precision, node->scale, bytes);
    if (n == 0)
        return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_INT_RANGE, value,
                                 "not a decimal of precision %u and scale %u", node->precision,
                                 node->scale);
    if (node->type == SLU_AVRO_BYTES) {
        slu_avro_add_long(encoder->out, (int64_t)n);
    } else {
        if (n > node->n)
            return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_INT_RANGE, value,
                                     "beyond what %u bytes hold", node->n);
        for (size_t i = n; i < node->n; i++)
            slu_buf_add_char(encoder->out, bytes[0] >= 0x80 ? (char)0xFF : '\0');
    }
    slu_buf_add(encoder->out, bytes, n);
    return true;
}

static bool encode_duration(struct slu_avro_encoder *encoder, const struct slu_value *value)
{
    if (slu_value_kind(value) != SLU_VALUE_ARRAY || slu_value_len(value) != 3)
        return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, value,
                                 "expected [months, days, milliseconds]");
    const struct slu_value *part = slu_value_first(value);
    for (size_t i = 0; i < 3; i++, part = slu_value_next(part)) {
        int64_t number = -1;
        if (slu_value_is_number(part) &&
            (!integer_of(encoder, part, &number) || number != (uint32_t)number))
            return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_INT_RANGE, part,
                                     "a part of a duration is 0 to 4294967295");
        if (!slu_value_is_number(part))
            return slu_avro_wrong_kind(encoder, part, "a number");
        const uint32_t bits = (uint32_t)number;
        slu_buf_add(encoder->out, &bits, sizeof(bits));
    }
    return true;
}

static bool encode_uuid(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                        const struct slu_value *value)
{
    struct slu_uuid uuid;

    if (!is_string(value) || !slu_uuid_parse(value->text, slu_value_len(value), &uuid))
        return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_MALFORMED, value, "expected a uuid");
    if (node->type == SLU_AVRO_FIXED)
        return slu_buf_add(encoder->out, uuid.bytes, sizeof(uuid.bytes)) || true;
    slu_avro_add_long(encoder->out, (int64_t)slu_value_len(value));
    slu_buf_add_slice(encoder->out, slu_value_text(value));
    return true;
}

/* ---- texts ------------------------------------------------------------------------------------------- */

int64_t slu_avro_symbol(const struct slu_avro_schema *schema, const struct slu_avro_node *node,
                        struct slu_slice text)
{
    for (uint32_t i = 0; i < node->n; i++)
        if (slu_slice_equal(schema->symbols[node->first + i], text))
            return i;
    return -1;
}

static bool encode_enum(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                        const struct slu_value *value)
{
    if (!is_string(value))
        return slu_avro_wrong_kind(encoder, value, "a symbol");
    const int64_t symbol = slu_avro_symbol(encoder->schema, node, slu_value_text(value));
    if (symbol < 0)
        return slu_avro_complain(encoder, SLU_PAYLOAD_AVRO_ENUM, value,
                                 "none of the symbols of %.80s", node->name);
    slu_avro_add_long(encoder->out, symbol);
    return true;
}

static bool encode_string(struct slu_avro_encoder *encoder, const struct slu_value *value)
{
    if (!is_string(value))
        return slu_avro_wrong_kind(encoder, value, "a string");
    slu_avro_add_long(encoder->out, (int64_t)slu_value_len(value));
    slu_buf_add_slice(encoder->out, slu_value_text(value));
    return true;
}

bool slu_avro_encode_scalar(struct slu_avro_encoder *encoder, const struct slu_avro_node *node,
                            const struct slu_value *value)
{
    /* The specification writes bytes and fixed as code points, whatever they mean. */
    if (encoder->options->dialect != SLU_AVRO_NATURAL && is_string(value) &&
        (node->type == SLU_AVRO_BYTES || node->type == SLU_AVRO_FIXED))
        return encode_bytes(encoder, node, value);
    if (node->logical == SLU_AVRO_DECIMAL)
        return encode_decimal(encoder, node, value);
    if (node->logical == SLU_AVRO_UUID)
        return encode_uuid(encoder, node, value);
    if (node->logical == SLU_AVRO_DURATION)
        return encode_duration(encoder, value);
    switch (node->type) {
    case SLU_AVRO_NULL:
        return slu_value_kind(value) == SLU_VALUE_NULL ||
               slu_avro_wrong_kind(encoder, value, "null");
    case SLU_AVRO_BOOLEAN:
        if (slu_value_kind(value) != SLU_VALUE_BOOL)
            return slu_avro_wrong_kind(encoder, value, "true or false");
        slu_buf_add_char(encoder->out, slu_value_variant(value) == SLU_VALUE_TRUE);
        return true;
    case SLU_AVRO_INT:
    case SLU_AVRO_LONG:
        return encode_integer(encoder, node, value);
    case SLU_AVRO_FLOAT:
    case SLU_AVRO_DOUBLE:
        return encode_real(encoder, node, value);
    case SLU_AVRO_STRING:
        return encode_string(encoder, value);
    case SLU_AVRO_ENUM:
        return encode_enum(encoder, node, value);
    default:
        return encode_bytes(encoder, node, value);
    }
}
