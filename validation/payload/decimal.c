/* decimal.c -- see decimal.h.
 *
 * Divisibility. With a = A × 10^p and step = S × 10^q (A and S integers without trailing zeros) the
 * question is whether S divides A × 10^d, d = p - q. For d < 0 it does not: A would have to end in a
 * zero. For d ≥ 0, when everything fits 64 bits, it is one division; otherwise A × 10^d is fed to a
 * long division by S, nine digits at a time, and only the remainder is kept:
 *
 *     A's digits, then d zeros ──▶ remainder = (remainder × 10^9 + chunk) mod S
 *                                              └ limbs of base 10^9, on the stack
 *
 * Of the d zeros no more than 4 × (digits of S) are fed: a power of ten supplies factors 2 and 5, and
 * S has fewer than 3.33 × digits of either, so more zeros change nothing about the answer.
 */
#include "validation/payload/decimal.h"

#include <string.h>

#define EXPONENT_MAX (INT64_C(1) << 60)
#define LIMB_BASE    UINT64_C(1000000000)
#define LIMB_DIGITS  9
#define LIMBS_MAX    (SLU_DECIMAL_MAX_STEP / LIMB_DIGITS)

/* Digits that surely fit 64 bits. */
#define SMALL_DIGITS 18

static int64_t clamped(int64_t exponent)
{
    if (exponent > EXPONENT_MAX)
        return EXPONENT_MAX;
    return exponent < -EXPONENT_MAX ? -EXPONENT_MAX : exponent;
}

/* "e-12" behind a mantissa; `at` is at the 'e' or at the end. */
static int64_t exponent_of(const char *at, const char *end)
{
    if (at == end)
        return 0;
    at++;
    const bool negative = at != end && *at == '-';
    if (at != end && (*at == '-' || *at == '+'))
        at++;
    int64_t exponent = 0;
    for (; at != end && exponent <= EXPONENT_MAX / 16; at++)
        exponent = exponent * 10 + (*at - '0');
    if (at != end)
        exponent = EXPONENT_MAX;
    return negative ? -exponent : exponent;
}

struct slu_decimal slu_decimal_of(struct slu_slice json_number)
{
    const char *at = json_number.data;
    const char *end = at + json_number.len;
    struct slu_decimal decimal = {
        .digits = "", .negative = json_number.len > 0 && *at == '-', .n_read = json_number.len};
    if (decimal.negative)
        at++;

    bool fraction = false;
    size_t seen = 0;   /* digits from the first significant one on */
    int64_t scale = 0; /* place of the point, counted from the first significant digit */
    const char *last = NULL;
    for (; at != end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        if (seen == 0 && *at == '0') {
            scale -= fraction;
            continue;
        }
        if (seen++ == 0)
            decimal.digits = at;
        scale += !fraction;
        if (*at != '0') {
            decimal.n_digits = seen;
            last = at;
        }
    }
    if (last == NULL) {
        decimal.negative = false;
        return decimal;
    }
    decimal.n_text = (size_t)(last - decimal.digits) + 1;
    decimal.exponent = clamped(scale + exponent_of(at, end));
    return decimal;
}

/* Walks the digits of a decimal. */
struct cursor {
    const char *at, *end;
};

static struct cursor cursor_of(const struct slu_decimal *decimal)
{
    return (struct cursor){decimal->digits, decimal->digits + decimal->n_text};
}

/* The next digit; 0 beyond the end: the zeros that an exponent stands for. */
static unsigned next_digit(struct cursor *cursor)
{
    if (cursor->at != cursor->end && *cursor->at == '.')
        cursor->at++;
    if (cursor->at == cursor->end)
        return 0;
    return (unsigned)(*cursor->at++ - '0');
}

/* Both positive. */
static int compare_magnitudes(const struct slu_decimal *a, const struct slu_decimal *b)
{
    if (a->exponent != b->exponent)
        return a->exponent < b->exponent ? -1 : 1;
    struct cursor left = cursor_of(a);
    struct cursor right = cursor_of(b);
    const size_t shorter = a->n_digits < b->n_digits ? a->n_digits : b->n_digits;
    for (size_t i = 0; i < shorter; i++) {
        unsigned x = next_digit(&left);
        unsigned y = next_digit(&right);
        if (x != y)
            return x < y ? -1 : 1;
    }
    if (a->n_digits == b->n_digits)
        return 0;
    return a->n_digits < b->n_digits ? -1 : 1;
}

static int sign_of(const struct slu_decimal *decimal)
{
    if (decimal->n_digits == 0)
        return 0;
    return decimal->negative ? -1 : 1;
}

int slu_decimal_compare(const struct slu_decimal *a, const struct slu_decimal *b)
{
    const int sign = sign_of(a);
    if (sign != sign_of(b))
        return sign < sign_of(b) ? -1 : 1;
    return sign == 0 ? 0 : sign * compare_magnitudes(a, b);
}

bool slu_decimal_is_integer(const struct slu_decimal *a)
{
    return a->n_digits == 0 || a->exponent >= (int64_t)a->n_digits;
}

/* The next `n` digits as a number; n ≤ SMALL_DIGITS. */
static uint64_t next_digits(struct cursor *cursor, size_t n)
{
    uint64_t number = 0;
    while (n-- != 0)
        number = number * 10 + next_digit(cursor);
    return number;
}

/* A divisor and a remainder, least significant limb first. The divisor was multiplied by `factor` so
 * that its top limb is at least half the base (Knuth, TAOCP vol. 2, 4.3.1, algorithm D); the
 * remainder is scaled alike. */
struct division {
    size_t n;
    uint64_t factor;
    uint32_t divisor[LIMBS_MAX];
    uint32_t remainder[LIMBS_MAX + 1];
};

static void division_init(struct division *division, const struct slu_decimal *step)
{
    struct cursor digits = cursor_of(step);
    const size_t n = (step->n_digits + LIMB_DIGITS - 1) / LIMB_DIGITS;
    const uint64_t top = next_digits(&digits, step->n_digits - (n - 1) * LIMB_DIGITS);
    division->divisor[n - 1] = (uint32_t)top;
    for (size_t i = n - 1; i-- != 0;)
        division->divisor[i] = (uint32_t)next_digits(&digits, LIMB_DIGITS);

    division->n = n;
    division->factor = LIMB_BASE / (top + 1);
    uint64_t carry = 0;
    for (size_t i = 0; i < n; i++) {
        carry += division->divisor[i] * division->factor;
        division->divisor[i] = (uint32_t)(carry % LIMB_BASE);
        carry /= LIMB_BASE;
    }
    memset(division->remainder, 0, (n + 1) * sizeof(division->remainder[0]));
}

/* remainder = remainder × base + chunk × factor */
static void shift_in(struct division *division, uint64_t chunk)
{
    uint32_t *rest = division->remainder;
    memmove(rest + 1, rest, division->n * sizeof(*rest));
    uint64_t carry = chunk * division->factor;
    rest[0] = (uint32_t)(carry % LIMB_BASE);
    carry /= LIMB_BASE;
    for (size_t i = 1; carry != 0 && i <= division->n; i++) {
        carry += rest[i];
        rest[i] = (uint32_t)(carry % LIMB_BASE);
        carry /= LIMB_BASE;
    }
}

/* remainder -= quotient × divisor; true when it fell below zero (the top limb wrapped). */
static bool subtract(struct division *division, uint64_t quotient)
{
    uint32_t *rest = division->remainder;
    uint64_t carry = 0;
    for (size_t i = 0; i < division->n; i++) {
        carry += quotient * division->divisor[i];
        uint64_t low = carry % LIMB_BASE;
        carry /= LIMB_BASE;
        if (rest[i] < low) {
            rest[i] += (uint32_t)LIMB_BASE;
            carry++;
        }
        rest[i] -= (uint32_t)low;
    }
    const bool below = rest[division->n] < carry;
    rest[division->n] -= (uint32_t)carry;
    return below;
}

/* remainder += divisor; true when that brought it back to zero or above. */
static bool add_back(struct division *division)
{
    uint32_t *rest = division->remainder;
    uint64_t carry = 0;
    for (size_t i = 0; i < division->n; i++) {
        carry += (uint64_t)rest[i] + division->divisor[i];
        rest[i] = (uint32_t)(carry % LIMB_BASE);
        carry /= LIMB_BASE;
    }
    rest[division->n] += (uint32_t)carry;
    return rest[division->n] == 0;
}

static void feed(struct division *division, uint64_t chunk)
{
    shift_in(division, chunk);
    const size_t n = division->n;
    const uint32_t *rest = division->remainder;
    const uint64_t top = rest[n] * LIMB_BASE + rest[n - 1];
    uint64_t quotient = top / division->divisor[n - 1];
    if (quotient >= LIMB_BASE)
        quotient = LIMB_BASE - 1;
    if (!subtract(division, quotient))
        return;
    /* The estimate is at most two too large. */
    while (!add_back(division))
        ;
}

static bool remainder_is_zero(const struct division *division)
{
    for (size_t i = 0; i < division->n; i++) {
        if (division->remainder[i] != 0)
            return false;
    }
    return true;
}

/* Does step's integer divide a's integer × 10^zeros? */
static int divide(const struct slu_decimal *a, const struct slu_decimal *step, uint64_t zeros,
                  uint64_t max_work, uint64_t *work)
{
    if (zeros > 4 * step->n_digits)
        zeros = 4 * step->n_digits;
    struct division division;
    division_init(&division, step);
    struct cursor digits = cursor_of(a);
    const uint64_t total = a->n_digits + zeros;
    size_t take = (size_t)((total - 1) % LIMB_DIGITS) + 1;
    for (uint64_t fed = 0; fed < total; fed += take, take = LIMB_DIGITS) {
        *work += division.n;
        if (*work > max_work)
            return -1;
        feed(&division, next_digits(&digits, take));
    }
    return remainder_is_zero(&division);
}

static uint64_t power_of_ten(uint64_t exponent)
{
    uint64_t power = 1;
    while (exponent-- != 0)
        power *= 10;
    return power;
}

int slu_decimal_is_multiple(const struct slu_decimal *a, const struct slu_decimal *step,
                            uint64_t max_work, uint64_t *work)
{
    *work = 1;
    if (max_work == 0)
        return -1;
    if (step->n_digits == 0)
        return 0;
    if (a->n_digits == 0)
        return 1;
    const int64_t n_a = (int64_t)a->n_digits;
    const int64_t n_step = (int64_t)step->n_digits;
    const int64_t zeros = (a->exponent - n_a) - (step->exponent - n_step);
    if (zeros < 0 || a->exponent < step->exponent) /* the latter: |a| is below |step| */
        return 0;
    if (n_a + zeros <= SMALL_DIGITS && n_step <= SMALL_DIGITS) {
        struct cursor digits = cursor_of(a);
        struct cursor divisor = cursor_of(step);
        uint64_t scaled = next_digits(&digits, a->n_digits) * power_of_ten((uint64_t)zeros);
        return scaled % next_digits(&divisor, step->n_digits) == 0;
    }
    if (n_step > SLU_DECIMAL_MAX_STEP)
        return -1;
    return divide(a, step, (uint64_t)zeros, max_work, work);
}
