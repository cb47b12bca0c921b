/* random_avro_body.c -- see random_avro.h. A walk over the schema that rolls dice where it has a choice. So
 * that it ends, values are counted: where enough were made, arrays stay empty and unions take the branch
 * that ends soonest.
 */
#include "tests/conformance/random_avro.h"

#include <stdlib.h>
#include <string.h>

#define MAX_VALUES 1500
#define MAX_DEPTH  48 /* and what a schema is high: below 64 */

struct body {
    struct dice *dice;
    struct slu_buf *out;
    long left; /* values that may still be made */
};

static void any_value(struct body *body, const struct meaning *meaning, unsigned depth);

static size_t below(struct body *body, size_t n)
{
    return dice_below(body->dice, n);
}

static bool once_in(struct body *body, size_t n)
{
    return dice_once_in(body->dice, n);
}

/* ---- numbers ----------------------------------------------------------------------------------------- */

/* Zigzag, by the specification; `more` bytes than it needs. Where it ends. */
static char *write_long(int64_t number, size_t more, char *out)
{
    uint64_t bits = number < 0 ? ~((uint64_t)number << 1) : (uint64_t)number << 1;
    const char *const last = out + 9;
    for (; bits >= 128; bits /= 128)
        *out++ = (char)(bits % 128 + 128);
    for (; more > 0 && out < last; more--, bits = 0)
        *out++ = (char)(bits + 128);
    *out++ = (char)bits;
    return out;
}

static void put_long(struct body *body, int64_t number)
{
    char text[16];
    const size_t more = once_in(body, 20) ? 1 + below(body, 9) : 0;
    slu_buf_add(body->out, text, (size_t)(write_long(number, more, text) - text));
}

/* Near nought, near powers of two, and anything, of so many bits. */
static int64_t any_number(struct body *body, unsigned bits)
{
    const int64_t low = bits == 64 ? INT64_MIN : INT32_MIN,
                  high = bits == 64 ? INT64_MAX : INT32_MAX;
    switch (below(body, 4)) {
    case 0:
        return (int64_t)below(body, 9) - 4;
    case 1: {
        const int64_t power = (int64_t)(UINT64_C(1) << below(body, bits - 1));
        return (once_in(body, 2) ? power : -power) - (int64_t)below(body, 2);
    }
    case 2:
        return once_in(body, 2) ? low + (int64_t)below(body, 2) : high - (int64_t)below(body, 2);
    default:
        return (int64_t)dice_roll(body->dice) >> (64 - bits);
    }
}

static void put_float(struct body *body)
{
    static const uint32_t special[] = {0,          0x80000000, 0x7F800000, 0xFF800000, 0x7FC00000,
                                       0xFFC00001, 0x7F800001, 1,          0x807FFFFF, 0x7F7FFFFF};
    const uint32_t bits = once_in(body, 2)
                              ? special[below(body, sizeof(special) / sizeof(special[0]))]
                              : (uint32_t)dice_roll(body->dice);
    slu_buf_add(body->out, &bits, sizeof(bits));
}

static void put_double(struct body *body)
{
    static const uint64_t special[] = {0,
                                       UINT64_C(1) << 63,
                                       UINT64_C(0x7FF) << 52,
                                       UINT64_C(0xFFF) << 52,
                                       UINT64_C(0x7FF8) << 48,
                                       1,
                                       UINT64_MAX,
                                       UINT64_C(0x3FF) << 52,
                                       UINT64_C(0x7FEFFFFFFFFFFFFF)};
    const uint64_t bits = once_in(body, 2)
                              ? special[below(body, sizeof(special) / sizeof(special[0]))]
                              : dice_roll(body->dice);
    slu_buf_add(body->out, &bits, sizeof(bits));
}

/* ---- texts and bytes --------------------------------------------------------------------------------- */

static void add_point(struct slu_buf *out, unsigned point)
{
    if (point < 0x80) {
        slu_buf_add_char(out, (char)point);
    } else if (point < 0x800) {
        slu_buf_add_char(out, (char)(0xC0 | point >> 6));
    } else if (point < 0x10000) {
        slu_buf_add_char(out, (char)(0xE0 | point >> 12));
        slu_buf_add_char(out, (char)(0x80 | (point >> 6 & 0x3F)));
    } else {
        slu_buf_add_char(out, (char)(0xF0 | point >> 18));
        slu_buf_add_char(out, (char)(0x80 | (point >> 12 & 0x3F)));
        slu_buf_add_char(out, (char)(0x80 | (point >> 6 & 0x3F)));
    }
    if (point >= 0x80)
        slu_buf_add_char(out, (char)(0x80 | (point & 0x3F)));
}

/* So many code points of every length. U+0000 among them once in `zeros`, in texts that are not plain. */
static void add_points(struct body *body, size_t n, size_t zeros)
{
    const bool plain = once_in(body, 2);
    for (; n > 0; n--) {
        unsigned point = 0x20 + (unsigned)below(body, 0x5F);
        if (!plain && once_in(body, 4))
            point = (unsigned)below(body, once_in(body, 2) ? 0x800 : 0x110000);
        if (!plain && once_in(body, zeros))
            point = 0;
        add_point(body->out, point >= 0xD800 && point < 0xE000 ? 0xFFFD : point);
    }
}

static size_t any_length(struct body *body)
{
    return below(body, once_in(body, 12) ? 300 : 12);
}

/* A length and what is between `from` and the end, which it goes in front of. */
static void put_in_front(struct body *body, size_t from, int64_t count, bool with_size)
{
    struct slu_buf *out = body->out;
    const size_t len = out->len - from;
    char head[32], *end = write_long(count, once_in(body, 30) ? 1 : 0, head);
    if (with_size)
        end = write_long((int64_t)len, once_in(body, 30) ? 1 : 0, end);
    const size_t n = (size_t)(end - head);
    if (!slu_buf_add(out, head, n))
        return;
    memmove(out->data + from + n, out->data + from, len);
    memcpy(out->data + from, head, n);
}

static void put_string(struct body *body, const struct meaning *meaning)
{
    const size_t from = body->out->len;
    if (meaning->logical == LOGICAL_UUID)
        for (size_t i = 0; i < 36; i++)
            slu_buf_add_char(body->out, i == 8 || i == 13 || i == 18 || i == 23
                                            ? '-'
                                            : "0123456789abcdefABCDEF"[below(body, 22)]);
    else
        add_points(body, any_length(body), 40);
    put_in_front(body, from, (int64_t)(body->out->len - from), false);
}

/* Of that many digits at most, in that many bytes; `size` 0: as many as it takes, and perhaps some more. */
static void put_decimal(struct body *body, size_t precision, size_t size)
{
    uint8_t bytes[512] = {0}; /* the lowest first */
    size_t n = 0, digits = 1 + below(body, once_in(body, 10) || precision < 20 ? precision : 20);
    const bool nines = once_in(body, 4), negative = once_in(body, 2);
    for (digits = nines ? precision : digits; digits > 0; digits--) {
        unsigned carry = nines ? 9 : (unsigned)below(body, 10);
        for (size_t i = 0; i < n || carry > 0; i++) {
            carry += 10u * bytes[i];
            bytes[i] = (uint8_t)carry;
            carry >>= 8;
            n = i < n ? n : i + 1;
        }
    }
    if (size == 0)
        size = n + (n == 0 || bytes[n - 1] >= 0x80) + (once_in(body, 4) ? below(body, 3) : 0);
    unsigned carry = 1;
    for (size_t i = 0; negative && i < size; i++) {
        carry += bytes[i] ^ 0xFFu;
        bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
    while (size > 0)
        slu_buf_add_char(body->out, (char)bytes[--size]);
}

static void put_bytes(struct body *body, const struct meaning *meaning)
{
    const size_t from = body->out->len;
    if (meaning->logical == LOGICAL_DECIMAL)
        put_decimal(body, meaning->precision, 0);
    else
        for (size_t n = any_length(body); n > 0; n--)
            slu_buf_add_char(body->out, (char)dice_roll(body->dice));
    put_in_front(body, from, (int64_t)(body->out->len - from), false);
}

static void put_fixed(struct body *body, const struct meaning *meaning)
{
    if (meaning->logical == LOGICAL_DECIMAL) {
        put_decimal(body, meaning->precision, meaning->size);
        return;
    }
    for (size_t n = meaning->size; n > 0; n--)
        slu_buf_add_char(body->out, (char)dice_roll(body->dice));
}

/* ---- containers -------------------------------------------------------------------------------------- */

/* Keys of a map differ: the number at the end sees to it. */
static void put_key(struct body *body, size_t number)
{
    const size_t from = body->out->len;
    add_points(body, below(body, 12), 2000); /* Avro C knows none: rare */
    slu_buf_printf(body->out, ".%zu", number);
    put_in_front(body, from, (int64_t)(body->out->len - from), false);
}

static void put_blocks(struct body *body, const struct meaning *meaning, unsigned depth)
{
    const bool idle = meaning->parts[0]->type == MEANS_NULL;
    size_t n = below(body, once_in(body, 10) ? 40 : 5), made = 0;
    if (idle && once_in(body, 4))
        n = below(body, 600);
    if (depth >= MAX_DEPTH || body->left <= 0)
        n = 0;
    while (made < n) {
        const size_t from = body->out->len, before = made;
        for (size_t block = 1 + below(body, n - made); block > 0; block--, made++) {
            if (meaning->type == MEANS_MAP)
                put_key(body, made);
            any_value(body, meaning->parts[0], depth + 1);
        }
        const bool with_size = once_in(body, 2);
        const int64_t count = (int64_t)(made - before);
        put_in_front(body, from, with_size ? -count : count, with_size);
    }
    put_long(body, 0);
}

static void put_union(struct body *body, const struct meaning *meaning, unsigned depth)
{
    size_t branch = below(body, meaning->n);
    if (depth >= MAX_DEPTH || body->left <= 0)
        for (size_t i = 0; i < meaning->n; i++)
            branch = meaning->parts[i]->height < meaning->parts[branch]->height ? i : branch;
    put_long(body, (int64_t)branch);
    any_value(body, meaning->parts[branch], depth);
}

static void any_value(struct body *body, const struct meaning *meaning, unsigned depth)
{
    body->left--;
    switch (meaning->type) {
    case MEANS_BOOLEAN:
        slu_buf_add_char(body->out, (char)below(body, 2));
        break;
    case MEANS_INT:
        put_long(body, any_number(body, 32));
        break;
    case MEANS_LONG:
        put_long(body, any_number(body, 64));
        break;
    case MEANS_FLOAT:
        put_float(body);
        break;
    case MEANS_DOUBLE:
        put_double(body);
        break;
    case MEANS_BYTES:
        put_bytes(body, meaning);
        break;
    case MEANS_STRING:
        put_string(body, meaning);
        break;
    case MEANS_FIXED:
        put_fixed(body, meaning);
        break;
    case MEANS_ENUM:
        put_long(body, (int64_t)below(body, meaning->n));
        break;
    case MEANS_ARRAY:
    case MEANS_MAP:
        put_blocks(body, meaning, depth);
        break;
    case MEANS_RECORD:
        for (size_t i = 0; i < meaning->n; i++)
            any_value(body, meaning->parts[i], depth + 1);
        break;
    case MEANS_UNION:
        put_union(body, meaning, depth);
        break;
    default: /* null */
        break;
    }
}

void random_avro_body(struct dice *dice, const struct meaning *meaning, struct slu_buf *out)
{
    struct body body = {.dice = dice, .out = out, .left = dice_once_in(dice, 10) ? MAX_VALUES : 60};
    any_value(&body, meaning, 0);
}

/* ---- damage ------------------------------------------------------------------------------------------ */

/* Put `n` bytes into the body at `at`. */
static void insert(struct slu_buf *body, size_t at, const char *bytes, size_t n)
{
    const size_t behind = body->len - at;
    if (n == 0 || !slu_buf_add(body, bytes, n)) /* `bytes` are not the body's: those may move */
        return;
    memmove(body->data + at + n, body->data + at, behind);
    memcpy(body->data + at, bytes, n);
}

static void damage_once(struct dice *dice, struct slu_slice other, struct slu_buf *body)
{
    const size_t at = dice_below(dice, body->len + 1);
    const size_t behind = body->len - at;
    const size_t n = dice_below(dice, (behind < 8 ? behind : 8) + 1);
    char *const data = body->data;
    char copy[8];

    switch (dice_below(dice, 7)) {
    case 0:
        if (behind > 0)
            data[at] = (char)(data[at] ^ 1 << dice_below(dice, 8));
        break;
    case 1:
        if (behind > 0)
            data[at] = (char)dice_roll(dice);
        break;
    case 2:
        if (behind > 0) /* the next number, its sign or one below */
            data[at] = (char)(data[at] + (int)dice_below(dice, 5) - 2);
        break;
    case 3:
        slu_buf_cut(body, at);
        break;
    case 4: /* without some */
        if (behind > 0) {
            memmove(data + at, data + at + n, behind - n);
            slu_buf_cut(body, body->len - n);
        }
        break;
    case 5: /* some twice */
        if (n > 0)
            memcpy(copy, data + at, n);
        insert(body, at, copy, n);
        break;
    default: { /* some of another one */
        const size_t from = dice_below(dice, other.len + 1), rest = other.len - from;
        insert(body, at, other.data + from, dice_below(dice, (rest < 16 ? rest : 16) + 1));
    }
    }
}

void random_avro_damage(struct dice *dice, struct slu_slice other, struct slu_buf *body)
{
    for (size_t n = 1 + dice_below(dice, 2); n > 0; n--)
        damage_once(dice, other, body);
}
