/* walk_scalar.c -- one scalar: its bytes, its cell, and what can be wrong with it.
 */
#include "validation/avro/digits.h"
#include "validation/avro/walk_inside.h"

#include "base/uuid.h"

#include <math.h>

static bool put_long(struct slu_avro_walk *walk, int64_t number)
{
    return slu_avro_walk_put(walk, number < 0 ? SLU_VALUE_SINT : SLU_VALUE_UINT, (uint64_t)number);
}

static bool put_double(struct slu_avro_walk *walk, double number)
{
    static const struct slu_slice words[] = {{"NaN", 3}, {"Infinity", 8}, {"-Infinity", 9}};
    uint64_t bits;

    if (__builtin_expect(!isfinite(number), 0)) {
        return slu_avro_walk_put_text(walk, words[isnan(number) ? 0 : number > 0 ? 1 : 2]);
    }
    memcpy(&bits, &number, sizeof(bits));
    return slu_avro_walk_put(walk, SLU_VALUE_REAL, bits);
}

static bool take(struct slu_avro_walk *walk, size_t len, const char **bytes)
{
    if ((size_t)(walk->end - walk->at) < len)
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_TRUNCATED, walk->at,
                                  "ends within a value");
    *bytes = walk->at;
    walk->at += len;
    return true;
}

/* ---- texts ------------------------------------------------------------------------------------------- */

/* Each byte the code point of its number. */
static bool put_bytes(struct slu_avro_walk *walk, struct slu_slice bytes)
{
    if (slu_avro_is_ascii(bytes.data, bytes.len, walk->end))
        return slu_avro_walk_put_text(walk, bytes);
    char *const text = slu_avro_memory_text(walk->memory, 2 * bytes.len);
    if (text == NULL)
        return slu_avro_walk_no_memory(walk);
    char *out = text;
    for (size_t i = 0; i < bytes.len; i++) {
        const uint8_t byte = (uint8_t)bytes.data[i];
        if (byte >= 0x80)
            *out++ = (char)(0xC0 | byte >> 6);
        *out++ = (char)(byte >= 0x80 ? 0x80 | (byte & 0x3F) : byte);
    }
    return slu_avro_walk_put_text(walk, slu_slice(text, (size_t)(out - text)));
}

static bool put_decimal(struct slu_avro_walk *walk, const struct slu_avro_node *node,
                        struct slu_slice bytes)
{
    char digits[SLU_AVRO_DIGITS_TEXT];
    const size_t len = slu_avro_digits_text(bytes, node->precision, node->scale, digits);

    if (len == 0)
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_INT_RANGE, bytes.data,
                                  "a decimal of more digits than its precision");
    char *text = slu_avro_memory_text(walk->memory, len);
    if (text == NULL)
        return slu_avro_walk_no_memory(walk);
    memcpy(text, digits, len);
    *walk->next++ = (struct slu_value){.tag = SLU_VALUE_BIG | (uint64_t)len << 8, .text = text};
    return true;
}

static bool put_uuid(struct slu_avro_walk *walk, struct slu_slice bytes)
{
    char *text = slu_avro_memory_text(walk->memory, SLU_UUID_TEXT_SIZE);
    struct slu_uuid uuid;

    if (text == NULL)
        return slu_avro_walk_no_memory(walk);
    memcpy(uuid.bytes, bytes.data, sizeof(uuid.bytes));
    slu_uuid_format(uuid, text);
    return slu_avro_walk_put_text(walk, slu_slice(text, SLU_UUID_TEXT_SIZE - 1));
}

static uint32_t little_endian(const char *bytes)
{
    const uint8_t *b = (const uint8_t *)bytes;
    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static bool put_duration(struct slu_avro_walk *walk, struct slu_slice bytes)
{
    if (!slu_avro_walk_room(walk, 4))
        return false;
    const size_t index = slu_avro_walk_open(walk);
    for (size_t i = 0; i < 3; i++)
        slu_avro_walk_put(walk, SLU_VALUE_UINT, little_endian(bytes.data + 4 * i));
    slu_avro_walk_close(walk, index, SLU_VALUE_ARRAY, 3);
    return true;
}

static bool put_fixed(struct slu_avro_walk *walk, const struct slu_avro_node *node,
                      const char *bytes)
{
    const struct slu_slice slice = slu_slice(bytes, node->n);

    switch (node->logical) {
    case SLU_AVRO_DECIMAL:
        return put_decimal(walk, node, slice);
    case SLU_AVRO_UUID:
        return put_uuid(walk, slice);
    case SLU_AVRO_DURATION:
        return put_duration(walk, slice);
    default:
        return put_bytes(walk, slice);
    }
}

static bool put_string(struct slu_avro_walk *walk, const struct slu_avro_node *node,
                       struct slu_slice text)
{
    struct slu_uuid ignored;

    if (!slu_avro_is_ascii(text.data, text.len, walk->end) && !slu_utf8_valid(text.data, text.len))
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_UTF8, text.data,
                                  "a string that is not UTF-8");
    if (node->logical == SLU_AVRO_UUID && !slu_uuid_parse(text.data, text.len, &ignored))
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_MALFORMED, text.data,
                                  "a uuid that is none");
    return slu_avro_walk_put_text(walk, text);
}

/* ---- any of them ------------------------------------------------------------------------------------- */

bool slu_avro_walk_scalar(struct slu_avro_walk *walk, const struct slu_avro_node *node)
{
    const char *const from = walk->at, *bytes;
    struct slu_slice text;
    int64_t number;
    double real;
    float narrow;

    switch ((enum slu_avro_type)node->type) {
    case SLU_AVRO_NULL:
        return slu_avro_walk_put(walk, SLU_VALUE_NULL, 0);
    case SLU_AVRO_BOOLEAN:
        if (!take(walk, 1, &bytes))
            return false;
        if ((uint8_t)*bytes > 1)
            return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_MALFORMED, from,
                                      "a boolean is 0 or 1");
        return slu_avro_walk_put(walk, *bytes != 0 ? SLU_VALUE_TRUE : SLU_VALUE_FALSE, 0);
    case SLU_AVRO_INT:
        if (!slu_avro_walk_long(walk, &number))
            return false;
        if (number != (int32_t)number)
            return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_INT_RANGE, from,
                                      "an int beyond 32 bits");
        return put_long(walk, number);
    case SLU_AVRO_LONG:
        return slu_avro_walk_long(walk, &number) && put_long(walk, number);
    case SLU_AVRO_FLOAT:
        if (!take(walk, sizeof(narrow), &bytes))
            return false;
        memcpy(&narrow, bytes, sizeof(narrow));
        return put_double(walk, (double)narrow);
    case SLU_AVRO_DOUBLE:
        if (!take(walk, sizeof(real), &bytes))
            return false;
        memcpy(&real, bytes, sizeof(real));
        return put_double(walk, real);
    case SLU_AVRO_STRING:
        return slu_avro_walk_counted(walk, &text) && put_string(walk, node, text);
    case SLU_AVRO_BYTES:
        return slu_avro_walk_counted(walk, &text) &&
               (node->logical == SLU_AVRO_DECIMAL ? put_decimal(walk, node, text)
                                                  : put_bytes(walk, text));
    case SLU_AVRO_FIXED:
        return take(walk, node->n, &bytes) && put_fixed(walk, node, bytes);
    case SLU_AVRO_ENUM:
        if (!slu_avro_walk_long(walk, &number))
            return false;
        if ((uint64_t)number >= node->n)
            return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_ENUM, from,
                                      "a symbol that the enum has not");
        text = walk->schema->symbols[node->first + (uint64_t)number];
        return slu_avro_walk_put_text(walk, text);
    default:
        return slu_avro_walk_fail(walk, SLU_PAYLOAD_AVRO_MALFORMED, from, "a union in a union");
    }
}
