/* postgresql_field.c -- see postgresql_field.h for what converts to what.
 *
 * A field is a length word and so many bytes, as the type's receive function reads them; NULL is the
 * length -1. Each type has one writer; a writer that refuses leaves a clause that says why, and what
 * it has written is cut off again.
 */
#include "sinks/postgresql_field.h"

#include "base/clock.h"
#include "base/json_text.h"
#include "base/utf8.h"
#include "sinks/postgresql_json.h"
#include "sinks/postgresql_numeric.h"
#include "sinks/postgresql_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NULL_LENGTH     UINT32_MAX
#define EPOCH_US        INT64_C(946684800000000)     /* 2000-01-01, where timestamptz counts from */
#define TIME_FIRST_US   INT64_C(-211813488000000000) /* 4713 BC, since 2000 */
#define TIME_BEHIND_US  INT64_C(9223371331200000000) /* 294277 AD, since 2000 */
#define MAX_NUMBER_TEXT 1000000 /* bytes of a number that is still read as a double */
#define LENGTH_BYTES    4

static const char is_other[] = "is of a kind that this type does not take";
static const char no_memory[] = "does not fit in memory";

bool slu_pg_add16(struct slu_buf *out, uint16_t word)
{
    return slu_buf_add(out, (char[]){(char)(word >> 8), (char)(word & 0xFF)}, 2);
}

bool slu_pg_add32(struct slu_buf *out, uint32_t word)
{
    char bytes[4];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(word >> (8 * (sizeof(bytes) - 1 - i)) & 0xFF);
    return slu_buf_add(out, bytes, sizeof(bytes));
}

bool slu_pg_add64(struct slu_buf *out, uint64_t word)
{
    char bytes[8];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(word >> (8 * (sizeof(bytes) - 1 - i)) & 0xFF);
    return slu_buf_add(out, bytes, sizeof(bytes));
}

/* ---- numbers ----------------------------------------------------------------------------------------- */

static const struct {
    int shift;  /* unit to µs: × 10^shift */
    int64_t ns; /* of one unit */
} units[] = {
    [SLU_PG_MILLISECONDS] = {3, 1000000},
    [SLU_PG_SECONDS] = {6, 1000000000},
    [SLU_PG_MICROSECONDS] = {0, 1000},
    [SLU_PG_NANOSECONDS] = {-3, 1},
};

/* The value as JSON number text. False: it is no number. */
static bool number_text(const struct slu_pg_value *value, enum slu_pg_unit unit, char scratch[32],
                        struct slu_slice *number)
{
    int64_t small = 0;

    switch (value->kind) {
    case SLU_PG_CELL:
        if (!slu_value_is_number(value->cell))
            return false;
        *number = slu_payload_number_text(value->payload, value->cell, scratch);
        return true;
    case SLU_PG_STRING:
        return slu_pg_text_number(value->text, number);
    case SLU_PG_RAW:
        return value->is_json && slu_pg_text_number(value->text, number);
    case SLU_PG_TRUTH:
        small = value->truth;
        break;
    case SLU_PG_NUMBER:
        small = value->number;
        break;
    case SLU_PG_TIME:
        small = slu_pg_floor_div(value->time_ns, units[unit].ns);
        break;
    default:
        return false;
    }
    *number = slu_slice(scratch, (size_t)snprintf(scratch, 32, "%lld", (long long)small));
    return true;
}

/* The value as a 64-bit integer without a detour by text. */
static bool quick_integer(const struct slu_pg_value *value, int64_t *whole)
{
    if (value->kind == SLU_PG_NUMBER) {
        *whole = value->number;
        return true;
    }
    if (value->kind != SLU_PG_CELL)
        return false;
    const uint8_t variant = slu_value_variant(value->cell);
    *whole = value->cell->i64;
    return variant == SLU_VALUE_SINT ||
           (variant == SLU_VALUE_UINT && value->cell->u64 <= INT64_MAX);
}

static const char *read_integer(const struct slu_pg_value *value, enum slu_pg_unit unit,
                                int64_t *whole)
{
    char scratch[32];
    struct slu_slice number;
    bool exact;

    if (quick_integer(value, whole))
        return NULL;
    if (!number_text(value, unit, scratch, &number))
        return "is not a number";
    if (!slu_pg_number_floor(number, 0, whole, &exact))
        return "is out of range";
    return exact ? NULL : "is not a whole number";
}

static const char *add_integer(struct slu_buf *out, const struct slu_pg_value *value,
                               enum slu_pg_type type, enum slu_pg_unit unit)
{
    int64_t whole;
    const char *why = read_integer(value, unit, &whole);
    if (why != NULL)
        return why;
    switch (type) {
    case SLU_PG_SMALLINT:
        if (whole < INT16_MIN || whole > INT16_MAX)
            return "is out of range";
        slu_pg_add16(out, (uint16_t)(int16_t)whole);
        return NULL;
    case SLU_PG_INTEGER:
        if (whole < INT32_MIN || whole > INT32_MAX)
            return "is out of range";
        slu_pg_add32(out, (uint32_t)(int32_t)whole);
        return NULL;
    default:
        slu_pg_add64(out, (uint64_t)whole);
        return NULL;
    }
}

/* Avro as JSON: the three that JSON has no number for are words. */
static bool is_special(const struct slu_pg_value *value, enum slu_pg_special *special)
{
    static const char *const words[] = {
        [SLU_PG_NAN] = "NaN",
        [SLU_PG_INFINITY] = "Infinity",
        [SLU_PG_MINUS_INFINITY] = "-Infinity",
    };
    for (size_t i = 0; value->kind == SLU_PG_STRING && i < 3; i++) {
        if (!slu_slice_equal(value->text, slu_slice_of(words[i])))
            continue;
        *special = (enum slu_pg_special)i;
        return true;
    }
    return false;
}

/* strtod() and strtof() need an end. */
static const char *parse_double(struct slu_slice number, bool is_real, locale_t c_locale,
                                double *result)
{
    char few[64];
    if (number.len > MAX_NUMBER_TEXT)
        return "has too many digits";
    char *text = number.len < sizeof(few) ? few : malloc(number.len + 1);
    if (text == NULL)
        return no_memory;
    memcpy(text, number.data, number.len);
    text[number.len] = '\0';
    *result = is_real ? (double)strtof_l(text, NULL, c_locale) : strtod_l(text, NULL, c_locale);
    if (text != few)
        free(text);
    return isinf(*result) ? "is out of range" : NULL;
}

/* May the float be made of the double that was made of the text? Not where the double stands in the middle
 * between two floats, because the text may have been to either side of it; nor near what floats cannot
 * hold. */
static bool is_as_good(double number)
{
    uint64_t word;
    memcpy(&word, &number, sizeof(word));
    return (word & 0x1FFFFFFF) != 0x10000000 &&
           (number == 0 || (fabs(number) >= FLT_MIN && fabs(number) <= FLT_MAX));
}

static const char *read_double(const struct slu_pg_value *value, enum slu_pg_unit unit,
                               bool is_real, locale_t c_locale, double *result)
{
    static const double specials[] = {
        [SLU_PG_NAN] = NAN,
        [SLU_PG_INFINITY] = INFINITY,
        [SLU_PG_MINUS_INFINITY] = -INFINITY,
    };
    enum slu_pg_special special;
    char scratch[32];
    struct slu_slice number;

    if (value->kind == SLU_PG_CELL && slu_value_variant(value->cell) == SLU_VALUE_REAL &&
        (!is_real || is_as_good(value->cell->f64))) {
        *result = value->cell->f64;
        return NULL;
    }
    if (is_special(value, &special)) {
        *result = specials[special];
        return NULL;
    }
    if (!number_text(value, unit, scratch, &number))
        return "is not a number";
    return parse_double(number, is_real, c_locale, result);
}

static const char *add_float(struct slu_buf *out, const struct slu_pg_value *value,
                             enum slu_pg_type type, enum slu_pg_unit unit, locale_t c_locale)
{
    double number;
    const char *why = read_double(value, unit, type == SLU_PG_REAL, c_locale, &number);
    if (why != NULL)
        return why;
    if (type == SLU_PG_REAL) {
        const float real = (float)number;
        uint32_t word;
        memcpy(&word, &real, sizeof(word));
        slu_pg_add32(out, word);
    } else {
        uint64_t word;
        memcpy(&word, &number, sizeof(word));
        slu_pg_add64(out, word);
    }
    return NULL;
}

static const char *add_numeric(struct slu_buf *out, const struct slu_pg_value *value,
                               enum slu_pg_unit unit)
{
    enum slu_pg_special special;
    char scratch[32];
    struct slu_slice number;

    if (is_special(value, &special)) {
        slu_pg_numeric_add_special(out, special);
        return NULL;
    }
    if (!number_text(value, unit, scratch, &number))
        return "is not a number";
    return slu_pg_numeric_add(out, number) ? NULL : "is out of range";
}

static const char *add_boolean(struct slu_buf *out, const struct slu_pg_value *value)
{
    bool truth = value->truth;
    int64_t whole;

    if (value->kind == SLU_PG_STRING) {
        if (!slu_pg_text_truth(value->text, &truth))
            return "is not a boolean";
    } else if (value->kind == SLU_PG_CELL || value->kind == SLU_PG_NUMBER) {
        if (read_integer(value, SLU_PG_MILLISECONDS, &whole) != NULL || (whole != 0 && whole != 1))
            return "is not a boolean";
        truth = whole == 1;
    } else if (value->kind != SLU_PG_TRUTH) {
        return "is not a boolean";
    }
    slu_buf_add_char(out, (char)truth);
    return NULL;
}

/* ---- times ------------------------------------------------------------------------------------------- */

/* A number as microseconds without a detour by text. */
static bool quick_time(const struct slu_pg_value *value, enum slu_pg_unit unit, int64_t *us)
{
    int64_t whole;

    if (!quick_integer(value, &whole))
        return false;
    *us = slu_pg_floor_div(whole, units[SLU_PG_MICROSECONDS].ns);
    return unit == SLU_PG_NANOSECONDS ||
           !__builtin_mul_overflow(whole, units[unit].ns / units[SLU_PG_MICROSECONDS].ns, us);
}

static const char *add_time(struct slu_buf *out, const struct slu_pg_value *value,
                            enum slu_pg_unit unit)
{
    char scratch[32];
    struct slu_slice number;
    int64_t us = 0;
    bool exact;

    if (value->kind == SLU_PG_TIME) {
        us = slu_pg_floor_div(value->time_ns, 1000);
    } else if (value->kind == SLU_PG_STRING) {
        if (!slu_pg_text_time(value->text, &us))
            return "is not an RFC 3339 time";
    } else if (value->kind == SLU_PG_CELL && quick_time(value, unit, &us)) {
        /* the usual case */
    } else if (value->kind == SLU_PG_CELL && slu_value_is_number(value->cell)) {
        number_text(value, unit, scratch, &number);
        if (!slu_pg_number_floor(number, units[unit].shift, &us, &exact))
            return "is out of range";
    } else {
        return "is not a time";
    }
    if (us < TIME_FIRST_US + EPOCH_US || us >= TIME_BEHIND_US)
        return "is out of range";
    us -= EPOCH_US;
    slu_pg_add64(out, (uint64_t)us);
    return NULL;
}

/* ---- text, JSON, bytes, ids ---------------------------------------------------------------------------- */

static const char *add_plain_text(struct slu_buf *out, struct slu_slice text)
{
    if (text.len > 0 && memchr(text.data, '\0', text.len) != NULL)
        return "holds U+0000";
    if (!slu_utf8_valid(text.data, text.len))
        return "is not UTF-8";
    slu_buf_add_slice(out, text);
    return NULL;
}

static void add_moment(struct slu_buf *out, int64_t ns)
{
    char text[SLU_CLOCK_TEXT_SIZE];
    slu_buf_add(out, text, slu_clock_format(ns, text));
}

static void add_id(struct slu_buf *out, struct slu_uuid id)
{
    char text[SLU_UUID_TEXT_SIZE];
    slu_buf_add_text(out, slu_uuid_format(id, text));
}

static const char *add_text(struct slu_buf *out, const struct slu_pg_value *value)
{
    switch (value->kind) {
    case SLU_PG_STRING:
    case SLU_PG_RAW:
        return add_plain_text(out, value->text);
    case SLU_PG_CELL:
        slu_pg_json_add(out, value->payload, value->cell);
        return NULL;
    case SLU_PG_TRUTH:
        slu_buf_add_text(out, value->truth ? "true" : "false");
        return NULL;
    case SLU_PG_NUMBER:
        slu_json_text_int(out, value->number);
        return NULL;
    case SLU_PG_TIME:
        add_moment(out, value->time_ns);
        return NULL;
    case SLU_PG_ID:
        add_id(out, value->id);
        return NULL;
    default:
        return is_other;
    }
}

/* A JSON text that is checked as a whole once it stands there. */
static const char *add_json_text(struct slu_buf *out, const struct slu_pg_value *value)
{
    if (value->kind == SLU_PG_RAW) {
        if (!value->is_json)
            return "is not JSON";
        slu_buf_add_slice(out, value->text);
        return NULL;
    }
    if (value->kind == SLU_PG_STRING) {
        slu_json_text_string(out, value->text);
        return NULL;
    }
    const bool is_quoted = value->kind == SLU_PG_TIME || value->kind == SLU_PG_ID;
    if (is_quoted)
        slu_buf_add_char(out, '"');
    const char *why = add_text(out, value);
    if (is_quoted)
        slu_buf_add_char(out, '"');
    return why;
}

static const char *add_jsonb(struct slu_buf *out, const struct slu_pg_value *value)
{
    slu_buf_add_char(out, 1); /* jsonb_recv()'s version */
    const size_t first = out->len;
    const char *why = add_json_text(out, value);
    if (why != NULL || out->failed || value->is_jsonb)
        return why;
    return slu_pg_json_refused(slu_slice(out->data + first, out->len - first));
}

static const char *add_bytea(struct slu_buf *out, const struct slu_pg_value *value)
{
    if (value->kind == SLU_PG_ID)
        slu_buf_add(out, value->id.bytes, sizeof(value->id.bytes));
    else if (value->kind == SLU_PG_STRING || value->kind == SLU_PG_RAW)
        slu_buf_add_slice(out, value->text);
    else
        return is_other;
    return NULL;
}

static const char *add_uuid(struct slu_buf *out, const struct slu_pg_value *value)
{
    struct slu_uuid id = value->id;
    if (value->kind == SLU_PG_STRING) {
        if (!slu_pg_text_uuid(value->text, &id))
            return "is not a UUID";
    } else if (value->kind != SLU_PG_ID) {
        return "is not a UUID";
    }
    slu_buf_add(out, id.bytes, sizeof(id.bytes));
    return NULL;
}

/* ---- a field ------------------------------------------------------------------------------------------ */

static const char *add_bytes(struct slu_buf *out, const struct slu_pg_value *value,
                             enum slu_pg_type type, enum slu_pg_unit unit, locale_t c_locale)
{
    switch (type) {
    case SLU_PG_TEXT:
        return add_text(out, value);
    case SLU_PG_BOOLEAN:
        return add_boolean(out, value);
    case SLU_PG_SMALLINT:
    case SLU_PG_INTEGER:
    case SLU_PG_BIGINT:
        return add_integer(out, value, type, unit);
    case SLU_PG_REAL:
    case SLU_PG_FLOAT8:
        return add_float(out, value, type, unit, c_locale);
    case SLU_PG_NUMERIC:
        return add_numeric(out, value, unit);
    case SLU_PG_TIMESTAMPTZ:
        return add_time(out, value, unit);
    case SLU_PG_JSONB:
        return add_jsonb(out, value);
    case SLU_PG_BYTEA:
        return add_bytea(out, value);
    case SLU_PG_UUID:
        return add_uuid(out, value);
    default:
        return is_other;
    }
}

const char *slu_pg_field_add(struct slu_buf *out, const struct slu_pg_value *value,
                             enum slu_pg_type type, enum slu_pg_unit unit, locale_t c_locale)
{
    const size_t first = out->len;

    if (value->kind == SLU_PG_NULL) {
        slu_pg_add32(out, NULL_LENGTH);
        return NULL;
    }
    slu_pg_add32(out, 0);
    const char *why = add_bytes(out, value, type, unit, c_locale);
    if (out->failed)
        return NULL;
    if (why != NULL) {
        slu_buf_cut(out, first);
        return why;
    }
    const size_t bytes = out->len - first - LENGTH_BYTES;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        out->data[first + i] = (char)(bytes >> (8 * (LENGTH_BYTES - 1 - i)) & 0xFF);
    return NULL;
}
