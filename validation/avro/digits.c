/* digits.c -- see digits.h. Numbers are limbs of 32 bits, the lowest first.
 *
 *   bytes → text    limbs divided by 10^9 again and again: nine digits a round
 *   text → bytes    limbs times 10 plus a digit
 */
#include "validation/avro/digits.h"

#include <string.h>

#define LIMBS     (SLU_AVRO_DIGITS_BYTES / 4)
#define BILLION   1000000000u
#define FAR_POINT 40 /* zeros behind the point that are still written out */

/* Without the bytes in front that only repeat the sign. */
static struct slu_slice shortest(struct slu_slice bytes)
{
    while (bytes.len > 1) {
        const uint8_t first = (uint8_t)bytes.data[0], second = (uint8_t)bytes.data[1];
        if (!(first == 0x00 && second < 0x80) && !(first == 0xFF && second >= 0x80))
            break;
        bytes = slu_slice(bytes.data + 1, bytes.len - 1);
    }
    return bytes;
}

/* The magnitude of two's complement bytes; how many limbs. They are at most SLU_AVRO_DIGITS_BYTES. */
static size_t magnitude(struct slu_slice bytes, bool negative, uint32_t limbs[LIMBS])
{
    const size_t n = (bytes.len + 3) / 4;
    uint32_t carry = 1;

    for (size_t l = 0; l < n; l++) {
        uint32_t limb = 0;
        for (size_t b = 0; b < 4; b++) {
            const size_t at = 4 * l + b;
            const uint8_t byte = at < bytes.len ? (uint8_t)bytes.data[bytes.len - 1 - at]
                                                : (uint8_t)(negative ? 0xFF : 0x00);
            limb |= (uint32_t)byte << (8 * b);
        }
        if (negative) {
            limb = ~limb + carry;
            carry = carry == 1 && limb == 0;
        }
        limbs[l] = limb;
    }
    return n;
}

static uint32_t divide(uint32_t *limbs, size_t n, uint32_t by)
{
    uint64_t rest = 0;

    for (size_t i = n; i-- > 0;) {
        rest = rest << 32 | limbs[i];
        limbs[i] = (uint32_t)(rest / by);
        rest %= by;
    }
    return (uint32_t)rest;
}

/* Digits of the limbs, to the end of `out`; where they begin. */
static char *digits_of(uint32_t *limbs, size_t n, char *out_end)
{
    char *at = out_end;

    while (n > 0 && limbs[n - 1] == 0)
        n--;
    while (n > 0) {
        uint32_t part = divide(limbs, n, BILLION);
        while (n > 0 && limbs[n - 1] == 0)
            n--;
        for (int i = 0; i < 9 && (n > 0 || part > 0); i++, part /= 10)
            *--at = (char)('0' + part % 10);
    }
    return at;
}

static size_t put_exponent(char *out, unsigned scale)
{
    char digits[8];
    size_t n = 0, len = 0;

    out[len++] = 'e';
    out[len++] = '-';
    for (; scale > 0; scale /= 10)
        digits[n++] = (char)('0' + scale % 10);
    while (n > 0)
        out[len++] = digits[--n];
    return len;
}

/* `n` digits with the point where the scale wants it. */
static size_t place_point(const char *digits, size_t n, unsigned scale, char *out)
{
    size_t len = 0;

    if (scale > n + FAR_POINT) {
        memcpy(out, digits, n);
        return n + put_exponent(out + n, scale);
    }
    if (n > scale) {
        memcpy(out, digits, n - scale);
        len = n - scale;
    } else {
        out[len++] = '0';
    }
    if (scale == 0)
        return len;
    out[len++] = '.';
    for (size_t zeros = scale > n ? scale - n : 0; zeros > 0; zeros--)
        out[len++] = '0';
    const size_t behind = n > scale ? scale : n;
    memcpy(out + len, digits + n - behind, behind);
    return len + behind;
}

size_t slu_avro_digits_text(struct slu_slice bytes, unsigned precision, unsigned scale,
                            char out[SLU_AVRO_DIGITS_TEXT])
{
    char digits[LIMBS * 10 + 9];
    uint32_t limbs[LIMBS];
    char *const end = digits + sizeof(digits);

    bytes = shortest(bytes);
    if (bytes.len > SLU_AVRO_DIGITS_BYTES)
        return 0;
    const bool negative = bytes.len > 0 && (uint8_t)bytes.data[0] >= 0x80;
    const size_t n_limbs = magnitude(bytes, negative, limbs);
    char *first = digits_of(limbs, n_limbs, end);
    if ((size_t)(end - first) > precision)
        return 0;
    if (first == end)
        *--first = '0';
    out[0] = '-';
    return (negative ? 1 : 0) +
           place_point(first, (size_t)(end - first), scale, out + (negative ? 1 : 0));
}

static void times_ten_plus(uint32_t *limbs, size_t *n, uint32_t digit)
{
    uint64_t carry = digit;

    for (size_t i = 0; i < *n; i++) {
        carry += (uint64_t)limbs[i] * 10;
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry != 0)
        limbs[(*n)++] = (uint32_t)carry;
}

/* The limbs as two's complement, the fewest bytes. */
static size_t put_bytes(const uint32_t *limbs, size_t n, bool negative,
                        uint8_t out[SLU_AVRO_DIGITS_BYTES])
{
    uint8_t low[4 * LIMBS + 1]; /* the lowest first */
    const size_t len = 4 * n + 1;
    unsigned carry = 1;

    for (size_t i = 0; i < len; i++) {
        unsigned byte = i < 4 * n ? limbs[i / 4] >> (8 * (i % 4)) & 0xFF : 0;
        if (negative) {
            byte = (~byte & 0xFF) + carry;
            carry = byte >> 8;
        }
        low[i] = (uint8_t)byte;
    }
    size_t most = len;
    while (most > 1 && ((low[most - 1] == 0x00 && low[most - 2] < 0x80) ||
                        (low[most - 1] == 0xFF && low[most - 2] >= 0x80)))
        most--;
    for (size_t i = 0; i < most; i++)
        out[i] = low[most - 1 - i];
    return most;
}

size_t slu_avro_digits_bytes(const struct slu_decimal *number, unsigned precision, unsigned scale,
                             uint8_t out[SLU_AVRO_DIGITS_BYTES])
{
    uint32_t limbs[LIMBS] = {0};
    size_t n = 0;

    if (number->n_digits == 0) {
        out[0] = 0;
        return 1;
    }
    /* 0.d1d2… × 10^exponent × 10^scale is whole when it has at least as many places as digits. */
    const int64_t places = number->exponent + (int64_t)scale;
    if (places < (int64_t)number->n_digits || places > (int64_t)precision)
        return 0;
    for (size_t i = 0; i < number->n_text; i++)
        if (number->digits[i] != '.')
            times_ten_plus(limbs, &n, (uint32_t)(number->digits[i] - '0'));
    for (int64_t i = (int64_t)number->n_digits; i < places; i++)
        times_ten_plus(limbs, &n, 0);
    return put_bytes(limbs, n, number->negative, out);
}
