/* postgresql_numeric.c -- see postgresql_numeric.h.
 *
 * Digits are grouped by four around the decimal point; `weight` is the place of the first group:
 *
 *      12345.67        1 | 2345 . 6700          weight 1, ndigits 3, dscale 2
 *      0.00012         0 . 0001 | 2000          weight -1: groups of nothing but zeros are not stored
 */
#include "sinks/postgresql_numeric.h"

#include "validation/payload/decimal.h"

#define GROUP        4                   /* decimal digits of one base-10,000 digit */
#define MAX_PLACES   INT64_C(131072)     /* digits before the point: 32,768 groups */
#define MAX_SCALE    16383               /* digits behind the point */
#define MAX_EXPONENT INT64_C(1000000000) /* where exponents are clamped: beyond every limit above */

#define SIGN_POSITIVE       0x0000
#define SIGN_NEGATIVE       0x4000
#define SIGN_NAN            0xC000
#define SIGN_INFINITY       0xD000
#define SIGN_MINUS_INFINITY 0xF000

static size_t digits_at(struct slu_slice text, size_t at)
{
    size_t n = 0;
    while (at + n < text.len && text.data[at + n] >= '0' && text.data[at + n] <= '9')
        n++;
    return n;
}

/* The parts of a JSON number; false when it is none. */
struct parts {
    size_t n_fraction;         /* digits behind the point, as written */
    struct slu_slice exponent; /* its digits; empty: none */
    bool is_small;             /* the exponent has a minus */
};

static bool take_apart(struct slu_slice text, struct parts *parts)
{
    size_t at = text.len > 0 && text.data[0] == '-';
    const size_t whole = digits_at(text, at);

    *parts = (struct parts){0};
    if (whole == 0 || (whole > 1 && text.data[at] == '0'))
        return false;
    at += whole;
    if (at < text.len && text.data[at] == '.') {
        parts->n_fraction = digits_at(text, ++at);
        if (parts->n_fraction == 0)
            return false;
        at += parts->n_fraction;
    }
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        if (at < text.len && (text.data[at] == '+' || text.data[at] == '-'))
            parts->is_small = text.data[at++] == '-';
        const size_t n = digits_at(text, at);
        if (n == 0)
            return false;
        parts->exponent = slu_slice(text.data + at, n);
        at += n;
    }
    return at == text.len;
}

bool slu_pg_is_number(struct slu_slice text)
{
    struct parts parts;
    return take_apart(text, &parts);
}

static int64_t exponent_of(const struct parts *parts)
{
    int64_t exponent = 0;
    for (size_t i = 0; i < parts->exponent.len && exponent < MAX_EXPONENT; i++)
        exponent = exponent * 10 + (parts->exponent.data[i] - '0');
    if (exponent > MAX_EXPONENT)
        exponent = MAX_EXPONENT;
    return parts->is_small ? -exponent : exponent;
}

/* What the header of the binary form says. */
struct shape {
    struct slu_decimal decimal;
    int64_t weight;
    size_t lead; /* decimal digits in the first group */
    size_t n_groups;
    int64_t scale;
};

static bool find_shape(struct slu_slice number, struct shape *shape)
{
    struct parts parts;
    if (!take_apart(number, &parts))
        return false;
    shape->decimal = slu_decimal_of(number);
    shape->scale = (int64_t)parts.n_fraction - exponent_of(&parts);
    if (shape->scale < 0)
        shape->scale = 0;
    if (shape->decimal.n_digits == 0) { /* zeros behind a zero's point are worth nothing */
        shape->weight = 0;
        shape->lead = shape->n_groups = 0;
        if (shape->scale > MAX_SCALE)
            shape->scale = MAX_SCALE;
        return true;
    }
    const int64_t exponent = shape->decimal.exponent;
    if (shape->scale > MAX_SCALE || exponent > MAX_PLACES || exponent < -MAX_SCALE)
        return false;
    /* The first group reaches from weight × 4 decimal places up; rounded down below zero as well. */
    shape->weight = exponent > 0 ? (exponent - 1) / GROUP : -((GROUP - exponent) / GROUP);
    shape->lead = (size_t)(exponent - shape->weight * GROUP);
    const size_t rest =
        shape->decimal.n_digits > shape->lead ? shape->decimal.n_digits - shape->lead : 0;
    shape->n_groups = 1 + (rest + GROUP - 1) / GROUP;
    return shape->n_groups <= UINT16_MAX;
}

bool slu_pg_numeric_holds(struct slu_slice number)
{
    struct shape shape;
    return find_shape(number, &shape);
}

static char *put16(char *at, uint16_t word)
{
    at[0] = (char)(word >> 8);
    at[1] = (char)(word & 0xFF);
    return at + 2;
}

static bool add_header(struct slu_buf *out, uint16_t n_groups, uint16_t weight, uint16_t sign,
                       uint16_t scale)
{
    char header[8];
    put16(put16(put16(put16(header, n_groups), weight), sign), scale);
    return slu_buf_add(out, header, sizeof(header));
}

/* The digits of a decimal one after the other, zeros behind its end. */
struct digit_walk {
    const char *next, *end;
};

static unsigned next_digit(struct digit_walk *walk)
{
    if (walk->next < walk->end && *walk->next == '.')
        walk->next++;
    return walk->next < walk->end ? (unsigned)(*walk->next++ - '0') : 0;
}

bool slu_pg_numeric_add(struct slu_buf *out, struct slu_slice number)
{
    struct shape shape;
    if (!find_shape(number, &shape))
        return false;
    add_header(out, (uint16_t)shape.n_groups, (uint16_t)(int16_t)shape.weight,
               shape.decimal.negative && shape.n_groups > 0 ? SIGN_NEGATIVE : SIGN_POSITIVE,
               (uint16_t)shape.scale);

    char *groups = slu_buf_room(out, shape.n_groups * 2);
    if (groups == NULL)
        return !out->failed;
    struct digit_walk walk = {shape.decimal.digits, shape.decimal.digits + shape.decimal.n_text};
    size_t places = shape.lead;
    for (size_t i = 0; i < shape.n_groups; i++, places = GROUP) {
        unsigned group = 0;
        for (size_t k = 0; k < places; k++)
            group = group * 10 + next_digit(&walk);
        groups = put16(groups, (uint16_t)group);
    }
    slu_buf_grew(out, shape.n_groups * 2);
    return true;
}

bool slu_pg_numeric_add_special(struct slu_buf *out, enum slu_pg_special special)
{
    static const uint16_t signs[] = {
        [SLU_PG_NAN] = SIGN_NAN,
        [SLU_PG_INFINITY] = SIGN_INFINITY,
        [SLU_PG_MINUS_INFINITY] = SIGN_MINUS_INFINITY,
    };
    return add_header(out, 0, 0, signs[special], 0);
}

bool slu_pg_number_floor(struct slu_slice number, int shift, int64_t *result, bool *exact)
{
    const struct slu_decimal decimal = slu_decimal_of(number);
    const int64_t places = decimal.exponent + shift; /* digits before the point */
    uint64_t whole = 0;

    *exact = decimal.n_digits == 0 || (int64_t)decimal.n_digits <= places;
    if (decimal.n_digits > 0 && places > 19)
        return false;
    struct digit_walk walk = {decimal.digits, decimal.digits + decimal.n_text};
    for (int64_t i = 0; decimal.n_digits > 0 && i < places; i++)
        whole = whole * 10 + next_digit(&walk); /* 19 digits fit 64 bits */
    if (decimal.negative && !*exact)
        whole++;
    if (whole > (uint64_t)INT64_MAX + (decimal.negative ? 1 : 0))
        return false;
    *result = decimal.negative ? (int64_t)(0 - whole) : (int64_t)whole;
    return true;
}
