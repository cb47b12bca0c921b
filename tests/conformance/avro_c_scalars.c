/* avro_c_scalars.c -- one scalar of Sluice's tree beside Avro C's: see avro_c_values.h. What means something
 * beyond its bytes goes the other way than in Sluice where that can be: text is made bytes again.
 */
#include "tests/conformance/avro_c_inside.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- telling ----------------------------------------------------------------------------------------- */

bool avro_c_differ(struct avro_c_answer *answer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(answer->text, sizeof(answer->text), format, arguments);
    va_end(arguments);
    return false;
}

bool avro_c_step_out(struct avro_c_answer *answer, struct slu_slice name, size_t item)
{
    char step[64];
    const size_t room = sizeof(answer->where) - sizeof(step);
    if (name.data != NULL)
        (void)snprintf(step, sizeof(step), "/%.*s", (int)(name.len < 60 ? name.len : 60),
                       name.data);
    else
        (void)snprintf(step, sizeof(step), "/%zu", item);
    const size_t len = strlen(step), inside = strnlen(answer->where, room - 1);
    memmove(answer->where + len, answer->where, inside);
    memcpy(answer->where, step, len);
    answer->where[len + inside] = 0;
    return false;
}

static bool is_kind(const struct slu_value *value, const char *kind, bool is,
                    struct avro_c_answer *answer)
{
    return is ||
           avro_c_differ(answer, "Avro C has %s, Sluice %s", kind, slu_value_kind_name(value));
}

/* ---- numbers ----------------------------------------------------------------------------------------- */

static bool same_long(const struct slu_value *value, int64_t theirs, struct avro_c_answer *answer)
{
    const uint8_t variant = slu_value_variant(value);
    if (variant == (theirs < 0 ? SLU_VALUE_SINT : SLU_VALUE_UINT) && value->i64 == theirs)
        return true;
    return avro_c_differ(answer, "Avro C has %lld, Sluice %s %lld", (long long)theirs,
                         slu_value_kind_name(value), (long long)value->i64);
}

/* Numbers to the bit, so that -0 is not 0. What JSON has no number for is its name. */
static bool same_double(const struct slu_value *value, double theirs, struct avro_c_answer *answer)
{
    uint64_t bits;
    memcpy(&bits, &theirs, sizeof(bits));
    const char *word = isnan(theirs) ? "NaN" : theirs > 0 ? "Infinity" : "-Infinity";
    if (isfinite(theirs) ? slu_value_variant(value) == SLU_VALUE_REAL && value->u64 == bits
                         : slu_value_kind(value) == SLU_VALUE_STRING &&
                               slu_slice_equal(slu_value_text(value), slu_slice_of(word)))
        return true;
    return avro_c_differ(answer, "Avro C has %a, Sluice %s %a", theirs, slu_value_kind_name(value),
                         value->f64);
}

/* ---- bytes ------------------------------------------------------------------------------------------- */

bool avro_c_same_text(const struct slu_value *value, const void *theirs, size_t size,
                      struct avro_c_answer *answer)
{
    if (!is_kind(value, "a text", slu_value_kind(value) == SLU_VALUE_STRING, answer))
        return false;
    if (theirs == NULL)
        return avro_c_differ(answer, "Avro C has no text");
    const struct slu_slice text = slu_value_text(value);
    if (text.len == size && (size == 0 || memcmp(text.data, theirs, size) == 0))
        return true;
    return avro_c_differ(answer,
                         "Avro C has a text of %zu bytes \"%.*s\", Sluice one of %zu \"%.*s\"",
                         size, (int)(size < 80 ? size : 80), (const char *)theirs, text.len,
                         (int)(text.len < 80 ? text.len : 80), text.data);
}

/* The text's code points are the bytes: one below 80, else two, C2 or C3 in front. */
static bool same_bytes(const struct slu_value *value, const uint8_t *theirs, size_t size,
                       struct avro_c_answer *answer)
{
    if (!is_kind(value, "bytes", slu_value_kind(value) == SLU_VALUE_STRING, answer))
        return false;
    const uint8_t *at = (const uint8_t *)value->text, *end = at + slu_value_len(value);
    size_t n = 0;
    for (; at < end && n < size; n++) {
        unsigned point = *at++;
        if (point >= 0x80 && at < end)
            point = (point & 0x1F) << 6 | (*at++ & 0x3F);
        if (point != theirs[n])
            return avro_c_differ(answer, "byte %zu: Avro C has %02X, Sluice %02X", n, theirs[n],
                                 point);
    }
    return (at == end && n == size) ||
           avro_c_differ(answer, "Avro C has %zu bytes, Sluice not as many", size);
}

static bool same_uuid(const struct slu_value *value, const uint8_t *b, struct avro_c_answer *answer)
{
    char text[40];
    (void)snprintf(text, sizeof(text),
                   "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
                   b[14], b[15]);
    return avro_c_same_text(value, text, 36, answer);
}

static bool same_duration(const struct slu_value *value, const uint8_t *theirs,
                          struct avro_c_answer *answer)
{
    if (!is_kind(value, "a duration",
                 slu_value_kind(value) == SLU_VALUE_ARRAY && slu_value_len(value) == 3, answer))
        return false;
    const struct slu_value *part = slu_value_first(value);
    for (size_t i = 0; i < 3; i++, part++, theirs += 4) {
        const int64_t high = theirs[3] * 256 + theirs[2], low = theirs[1] * 256 + theirs[0];
        if (!same_long(part, high * 65536 + low, answer))
            return avro_c_step_out(answer, slu_slice(NULL, 0), i);
    }
    return true;
}

/* ---- decimals ---------------------------------------------------------------------------------------- */

/* Bytes that MEANING_MAX_PRECISION digits, and zeros behind them for a scale, can take. */
#define DECIMAL_BYTES 1024

/* A number of bytes, the lowest first, grows as it is read. */
struct big {
    uint8_t bytes[DECIMAL_BYTES];
    size_t n;
    bool too_big;
};

static void big_shift_in(struct big *big, unsigned digit)
{
    unsigned carry = digit;
    for (size_t i = 0; i < big->n; i++) {
        carry += 10u * big->bytes[i];
        big->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    if (carry != 0 && big->n < DECIMAL_BYTES)
        big->bytes[big->n++] = (uint8_t)carry;
    else
        big->too_big = big->too_big || carry != 0;
}

/* A JSON number × 10^scale. False: it is no whole one, or no number. */
static bool big_of(struct slu_slice text, unsigned scale, struct big *big)
{
    const char *at = text.data, *const end = text.data + text.len;
    long shift = scale, behind = 0;
    bool point = false;
    *big = (struct big){.n = 0};
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (*at < '0' || *at > '9')
            return false;
        behind += point;
        big_shift_in(big, (unsigned)(*at - '0'));
    }
    if (at < end) {
        char exponent[16] = {0};
        if (end - at > 12)
            return false;
        memcpy(exponent, at + 1, (size_t)(end - at) - 1);
        shift += strtol(exponent, NULL, 10);
    }
    for (shift -= behind; shift > 0; shift--)
        big_shift_in(big, 0);
    return shift == 0 && !big->too_big;
}

/* The decimal's digits made bytes again: its magnitude must be the one of two's complement `theirs`. */
static bool same_decimal(const struct slu_value *value, const struct meaning *meaning,
                         const uint8_t *theirs, size_t size, struct avro_c_answer *answer)
{
    const bool negative = size > 0 && theirs[0] >= 0x80;
    struct slu_slice text = slu_value_text(value);
    struct big big;
    unsigned carry = negative;
    if (!is_kind(value, "a decimal", slu_value_kind(value) == SLU_VALUE_BIG, answer))
        return false;
    const bool minus = text.len > 0 && text.data[0] == '-';
    if (minus)
        text = slu_slice(text.data + 1, text.len - 1);
    bool same = minus == negative && big_of(text, meaning->scale, &big);
    for (size_t i = 0; same && (i < size || i < big.n); i++) {
        unsigned byte = i < size ? theirs[size - 1 - i] : negative ? 0xFF : 0;
        if (negative) {
            byte = (byte ^ 0xFF) + carry;
            carry = byte >> 8;
        }
        same = (uint8_t)byte == (i < big.n ? big.bytes[i] : 0);
    }
    return same ||
           avro_c_differ(answer, "the decimal %.*s, scale %u, is not Avro C's %zu bytes %02X…",
                         SLU_SLICE_ARG(text), meaning->scale, size, size > 0 ? theirs[0] : 0);
}

/* ---- any of them ------------------------------------------------------------------------------------- */

/* Of bytes and fixed. */
static bool same_raw(const struct meaning *meaning, const struct slu_value *value,
                     const void *theirs, size_t size, struct avro_c_answer *answer)
{
    if (theirs == NULL ? size > 0 || meaning->size > 0 : size < meaning->size)
        return avro_c_differ(answer, "Avro C has %zu bytes of a fixed of %zu", size, meaning->size);
    switch (meaning->logical) {
    case LOGICAL_DECIMAL:
        return same_decimal(value, meaning, theirs, size, answer);
    case LOGICAL_UUID: /* as text it is none of these */
        return same_uuid(value, theirs, answer);
    case LOGICAL_DURATION:
        return same_duration(value, theirs, answer);
    default:
        return same_bytes(value, theirs, size, answer);
    }
}

bool avro_c_same_scalar(const struct meaning *meaning, const struct slu_value *value,
                        avro_value_t *theirs, struct avro_c_answer *answer)
{
    const void *bytes = NULL;
    const char *text = NULL;
    size_t size = 0;
    int64_t whole = 0;
    int32_t small = 0;
    int number = 0;
    float narrow = 0;
    double real = 0;

    switch (meaning->type) {
    case MEANS_NULL:
        return is_kind(value, "null",
                       avro_value_get_null(theirs) == 0 && slu_value_kind(value) == SLU_VALUE_NULL,
                       answer);
    case MEANS_BOOLEAN:
        avro_value_get_boolean(theirs, &number);
        return is_kind(value,
                       number == 0   ? "false"
                       : number == 1 ? "true"
                                     : "a boolean beyond 1",
                       (number == 0 && slu_value_variant(value) == SLU_VALUE_FALSE) ||
                           (number == 1 && slu_value_variant(value) == SLU_VALUE_TRUE),
                       answer);
    case MEANS_INT:
        avro_value_get_int(theirs, &small);
        return same_long(value, small, answer);
    case MEANS_LONG:
        avro_value_get_long(theirs, &whole);
        return same_long(value, whole, answer);
    case MEANS_FLOAT:
        avro_value_get_float(theirs, &narrow);
        return same_double(value, (double)narrow, answer);
    case MEANS_DOUBLE:
        avro_value_get_double(theirs, &real);
        return same_double(value, real, answer);
    case MEANS_STRING: /* the size has the zero behind the text in it */
        avro_value_get_string(theirs, &text, &size);
        return avro_c_same_text(value, text, text != NULL ? size - 1 : 0, answer);
    case MEANS_ENUM: /* asked for a symbol that is not there it answers with any pointer */
        avro_value_get_enum(theirs, &number);
        if (number < 0 || (size_t)number >= meaning->n)
            return avro_c_differ(answer, "Avro C has the symbol %d of %zu", number, meaning->n);
        text = avro_schema_enum_get(avro_value_get_schema(theirs), number);
        return avro_c_same_text(value, text, text != NULL ? strlen(text) : 0, answer);
    case MEANS_FIXED:
        avro_value_get_fixed(theirs, &bytes, &size);
        return same_raw(meaning, value, bytes, size, answer);
    default:
        avro_value_get_bytes(theirs, &bytes, &size);
        return same_raw(meaning, value, bytes, size, answer);
    }
}
