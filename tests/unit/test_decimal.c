/* Numbers by value: compared, integral or not, multiples or not, whatever their size. */
#include "validation/payload/decimal.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

__extension__ typedef __int128 wide;

static struct slu_decimal decimal(const char *text)
{
    return slu_decimal_of(slu_slice_of(text));
}

static int sign(int number)
{
    return (number > 0) - (number < 0);
}

static void a_number_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n_digits;
        long long exponent;
        bool negative;
    } cases[] = {
        {"0", 0, 0, false},          {"-0", 0, 0, false},
        {"0.000e9", 0, 0, false},    {"7", 1, 1, false},
        {"-7", 1, 1, true},          {"100", 1, 3, false},
        {"1.50", 2, 1, false},       {"0.0015", 2, -2, false},
        {"120.034000", 6, 3, false}, {"1e3", 1, 4, false},
        {"1E+3", 1, 4, false},       {"12.5e-3", 3, -1, false},
        {"-0.10e1", 1, 1, true},     {"1000e-3", 1, 1, false},
        {"1e-400", 1, -399, false},  {"1e00000000000005", 1, 6, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_decimal d = decimal(cases[i].text);
        assert_int_equal(d.n_digits, cases[i].n_digits);
        assert_int_equal(d.exponent, cases[i].exponent);
        assert_int_equal(d.negative, cases[i].negative);
    }
    assert_int_equal(decimal("1e99999999999999999999999").exponent, INT64_C(1) << 60);
    assert_int_equal(decimal("0.1e-9999999999999999999999").exponent, -(INT64_C(1) << 60));
}

static void numbers_compare_by_value(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        int sign;
    } cases[] = {
        {"0", "-0", 0},
        {"0", "0.0e5", 0},
        {"1", "1.0", 0},
        {"1", "10e-1", 0},
        {"100", "1e2", 0},
        {"-1.50", "-15e-1", 0},
        {"1", "2", -1},
        {"-1", "-2", 1},
        {"-1", "1", -1},
        {"0", "-1e-999", 1},
        {"0", "1e-999", -1},
        {"9", "10", -1},
        {"0.1", "0.09999999999999999999999999", 1},
        {"0.1", "0.1000000000000000055511151231257827", -1},
        {"9007199254740993", "9007199254740992", 1},
        {"9007199254740993", "9007199254740993.0", 0},
        {"18446744073709551616", "18446744073709551615", 1},
        {"123456789012345678901234567890", "123456789012345678901234567891", -1},
        {"1e400", "1e399", 1},
        {"1e400", "10e399", 0},
        {"-1e400", "1", -1},
        {"12", "1.2", 1},
        {"12", "120", -1},
        {"12", "12.001", -1},
        {"1e999999999", "2e999999999", -1},
        {"1e999999999999999999999", "1e-999999999999999999999", 1},
        {"0.00000000000000000001", "1e-20", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_decimal a = decimal(cases[i].a);
        struct slu_decimal b = decimal(cases[i].b);
        assert_int_equal(sign(slu_decimal_compare(&a, &b)), cases[i].sign);
        assert_int_equal(sign(slu_decimal_compare(&b, &a)), -cases[i].sign);
        assert_int_equal(slu_decimal_compare(&a, &a), 0);
    }
}

static void a_slice_bounds_the_number(void **state)
{
    (void)state;
    struct slu_decimal a = slu_decimal_of(slu_slice("12345", 2));
    struct slu_decimal b = decimal("12");
    assert_int_equal(slu_decimal_compare(&a, &b), 0);
}

static void integers_are_known_by_value(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool integer;
    } cases[] = {
        {"0", true},       {"0.0", true},     {"0e-5", true},
        {"1", true},       {"1.0", true},     {"1.5", false},
        {"15e-1", false},  {"150e-1", true},  {"1.5e1", true},
        {"1e400", true},   {"1e-400", false}, {"-3.000", true},
        {"1.5e400", true}, {"0.1", false},    {"9007199254740993.5", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_decimal d = decimal(cases[i].text);
        assert_int_equal(slu_decimal_is_integer(&d), cases[i].integer);
    }
}

static int is_multiple(const char *a, const char *step)
{
    struct slu_decimal x = decimal(a);
    struct slu_decimal y = decimal(step);
    uint64_t work;
    return slu_decimal_is_multiple(&x, &y, UINT64_C(10000000), &work);
}

static void multiples_are_exact(void **state)
{
    (void)state;
    static const struct {
        const char *a, *step;
        int answer;
    } cases[] = {
        {"0", "0.01", 1},
        {"-0.0", "7", 1},
        {"1", "0", 0},
        {"4.35", "0.01", 1},
        {"4.355", "0.01", 0},
        {"19.99", "0.01", 1},
        {"0.3", "0.1", 1},
        {"-0.3", "0.1", 1},
        {"0.3", "-0.1", 1},
        {"35", "1.5", 0},
        {"4.5", "1.5", 1},
        {"0.0075", "0.0001", 1},
        {"0.00751", "0.0001", 0},
        {"1e308", "0.5", 1},
        {"1e308", "0.123456789", 0},
        {"12391239123", "1e-8", 1},
        {"1e400", "1", 1},
        {"1e400", "3", 0},
        {"3e400", "3", 1},
        {"1e400", "7e399", 0},
        {"7e400", "7e399", 1},
        {"1e-400", "1e-400", 1},
        {"3e-400", "2e-400", 0},
        {"1e-400", "1", 0},
        {"1e999999999", "1e-999999999", 1},
        {"1e999999999", "1024", 1},
        {"1e999999999", "3", 0},
        {"1e-999999999", "3", 0},
        {"18446744073709551616", "4294967296", 1},
        {"18446744073709551617", "4294967296", 0},
        {"340282366920938463463374607431768211456", "18446744073709551616", 1},
        {"340282366920938463463374607431768211457", "18446744073709551616", 0},
        {"15241578753238836750495351562536198787501905199875019052100", /* the step squared */
         "123456789012345678901234567890", 1},
        {"15241578753238836750495351562536198787501905199875019052101",
         "123456789012345678901234567890", 0},
        {"1e30", "1152921504606846976", 0}, /* 2^60 does not divide 10^30 */
        {"1e60", "1152921504606846976", 1},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(is_multiple(cases[i].a, cases[i].step), cases[i].answer);
}

/* ---- against arithmetic of 128 bits ---- */

static uint64_t seed = 0x5EED;

static uint64_t random_bits(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

/* mantissa × 10^-scale in one of its many spellings. */
static void spell(char *out, size_t size, int64_t mantissa, int scale)
{
    const uint64_t digits = mantissa < 0 ? (uint64_t)-mantissa : (uint64_t)mantissa;
    const char *minus = mantissa < 0 ? "-" : "";
    uint64_t power = 1;
    for (int i = 0; i < scale; i++)
        power *= 10;
    switch (random_bits() % 3) {
    case 0:
        snprintf(out, size, "%s%" PRIu64 "e-%d", minus, digits, scale);
        break;
    case 1:
        if (scale > 0)
            snprintf(out, size, "%s%" PRIu64 ".%0*" PRIu64, minus, digits / power, scale % 10,
                     digits % power);
        else
            snprintf(out, size, "%s%" PRIu64, minus, digits);
        break;
    default:
        snprintf(out, size, "%s0.%020" PRIu64 "00E+%d", minus, digits, 20 - scale);
    }
}

static wide scaled(int64_t mantissa, int scale, int to)
{
    wide number = mantissa;
    for (; scale < to; scale++)
        number *= 10;
    return number;
}

static int64_t random_mantissa(void)
{
    const int bits = (int)(random_bits() % 60) + 1;
    int64_t mantissa = (int64_t)(random_bits() & ((UINT64_C(1) << bits) - 1));
    return random_bits() % 2 != 0 ? mantissa : -mantissa;
}

static void random_numbers_agree_with_wide_arithmetic(void **state)
{
    (void)state;
    char a_text[80], b_text[80];
    int multiples = 0;
    for (int round = 0; round < 200000; round++) {
        const int a_scale = (int)(random_bits() % 10);
        const int b_scale = (int)(random_bits() % 10);
        int64_t b = random_mantissa();
        int64_t a = random_mantissa();
        if (round % 2 == 0) { /* make multiples and equals likely */
            b %= 1000;
            a = b * (int64_t)(random_bits() % 1000);
        }
        spell(a_text, sizeof(a_text), a, a_scale);
        spell(b_text, sizeof(b_text), b, b_scale);
        const wide x = scaled(a, a_scale, 9);
        const wide y = scaled(b, b_scale, 9);
        struct slu_decimal p = decimal(a_text);
        struct slu_decimal q = decimal(b_text);
        assert_int_equal(sign(slu_decimal_compare(&p, &q)), (x > y) - (x < y));
        assert_int_equal(slu_decimal_is_integer(&p), x % 1000000000 == 0);
        const int expected = y != 0 && x % y == 0;
        multiples += expected;
        assert_int_equal(is_multiple(a_text, b_text), expected);
    }
    assert_true(multiples > 10000);
}

/* out = a × b, decimal digits, most significant first, without leading zeros. */
static void multiply(const char *a, const char *b, char *out)
{
    const size_t n = strlen(a);
    const size_t m = strlen(b);
    uint32_t *cells = calloc(n + m, sizeof(*cells));
    assert_non_null(cells);
    for (size_t i = n; i-- != 0;) {
        uint32_t carry = 0;
        for (size_t j = m; j-- != 0;) {
            carry += cells[i + j + 1] + (uint32_t)(a[i] - '0') * (uint32_t)(b[j] - '0');
            cells[i + j + 1] = carry % 10;
            carry /= 10;
        }
        cells[i] += carry;
    }
    size_t from = cells[0] == 0;
    for (size_t i = from; i < n + m; i++)
        out[i - from] = (char)('0' + cells[i]);
    out[n + m - from] = '\0';
    free(cells);
}

static void random_digits(char *out, size_t n)
{
    /* Runs of nines and zeros push the estimates of a long division to their limits. */
    char run = '0';
    for (size_t i = 0; i < n; i++) {
        if (random_bits() % 4 == 0)
            run = (char)(random_bits() % 3 == 0 ? '9' : '0' + random_bits() % 10);
        out[i] = run;
    }
    if (out[0] == '0')
        out[0] = '1';
    out[n] = '\0';
}

static void products_are_multiples_and_their_neighbours_are_not(void **state)
{
    (void)state;
    static char step[400], factor[400], product[800];
    for (int round = 0; round < 4000; round++) {
        random_digits(step, 2 + (size_t)(random_bits() % 200));
        random_digits(factor, 1 + (size_t)(random_bits() % 200));
        multiply(step, factor, product);
        assert_int_equal(is_multiple(product, step), 1);
        char *last = &product[strlen(product) - 1];
        *last = *last == '0' ? '1' : (char)(*last - 1);
        assert_int_equal(is_multiple(product, step), 0);
    }
}

static void huge_numbers_end_by_the_work_they_may_cost(void **state)
{
    (void)state;
    enum { N = 100000 };
    char *digits = malloc(N + 1);
    char *step = malloc(N + 1);
    assert_non_null(digits);
    assert_non_null(step);
    random_digits(digits, N);
    digits[N - 1] = '1';
    random_digits(step, 4000);
    step[3999] = '3';
    struct slu_decimal a = decimal(digits);
    struct slu_decimal b = decimal(step);
    uint64_t work = 0;
    assert_int_equal(slu_decimal_is_multiple(&a, &b, 10000, &work), -1);
    assert_true(work > 10000 && work < 20000);
    assert_true(slu_decimal_is_multiple(&a, &b, UINT64_MAX, &work) >= 0);
    assert_true(work > 1000000 && work < 6000000);

    /* A step too long to divide by: told, unless the answer needs no division. */
    random_digits(step, N);
    step[N - 1] = '1';
    b = decimal(step);
    assert_int_equal(slu_decimal_is_multiple(&a, &b, UINT64_MAX, &work), -1);
    struct slu_decimal small = decimal("12345");
    assert_int_equal(slu_decimal_is_multiple(&small, &b, UINT64_MAX, &work), 0);

    /* Zeros that only an exponent speaks of cost nothing. */
    struct slu_decimal big = decimal("1e999999999");
    struct slu_decimal seven = decimal("1234567890123456789012345677");
    assert_int_equal(slu_decimal_is_multiple(&big, &seven, 1000, &work), 0);
    assert_true(work < 1000);
    assert_int_equal(slu_decimal_is_multiple(&big, &seven, 0, &work), -1);
    free(digits);
    free(step);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_taken_apart),
        cmocka_unit_test(numbers_compare_by_value),
        cmocka_unit_test(a_slice_bounds_the_number),
        cmocka_unit_test(integers_are_known_by_value),
        cmocka_unit_test(multiples_are_exact),
        cmocka_unit_test(random_numbers_agree_with_wide_arithmetic),
        cmocka_unit_test(products_are_multiples_and_their_neighbours_are_not),
        cmocka_unit_test(huge_numbers_end_by_the_work_they_may_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
