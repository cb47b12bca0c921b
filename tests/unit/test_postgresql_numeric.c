/* test_postgresql_numeric.c -- decimal text to binary numeric, and to integers. */
#include "sinks/postgresql_numeric.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ndigits weight sign dscale digits, as numeric_send() writes them. */
static const struct {
    const char *number, *hex;
} encoded[] = {
    {"0", "0000 0000 0000 0000"},
    {"-0", "0000 0000 0000 0000"},
    {"0.00", "0000 0000 0000 0002"},
    {"0e-99999999999", "0000 0000 0000 3fff"},
    {"1", "0001 0000 0000 0000 0001"},
    {"-1", "0001 0000 4000 0000 0001"},
    {"9999", "0001 0000 0000 0000 270f"},
    {"10000", "0001 0001 0000 0000 0001"},
    {"12345.67", "0003 0001 0000 0002 0001 0929 1a2c"},
    {"0.00012", "0002 ffff 0000 0005 0001 07d0"},
    {"0.0001", "0001 ffff 0000 0004 0001"},
    {"0.00001", "0001 fffe 0000 0005 03e8"},
    {"20.50", "0002 0000 0000 0002 0014 1388"},
    {"1.50e1", "0001 0000 0000 0001 000f"},
    {"1e5", "0001 0001 0000 0000 000a"},
    {"1E+2", "0001 0000 0000 0000 0064"},
    {"100e-4", "0001 ffff 0000 0004 0064"},
    {"1e131071", "0001 7fff 0000 0000 03e8"},
    {"1e-16383", "0001 f000 0000 3fff 000a"},
};

static const char *hex_of(const struct slu_buf *bytes, char out[512])
{
    size_t n = 0;
    for (size_t i = 0; i < bytes->len && n + 8 < 512; i += 2)
        n += (size_t)snprintf(out + n, 512 - n, "%s%02x%02x", i > 0 ? " " : "",
                              (unsigned char)bytes->data[i], (unsigned char)bytes->data[i + 1]);
    return out;
}

static void numbers_keep_every_digit_and_the_decimals_that_were_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(encoded); i++) {
        struct slu_buf out;
        char hex[512];
        slu_buf_init(&out, 1 << 20);
        assert_true(slu_pg_numeric_add(&out, slu_slice_of(encoded[i].number)));
        if (strcmp(hex_of(&out, hex), encoded[i].hex) != 0)
            fail_msg("%s is %s, not %s", encoded[i].number, hex, encoded[i].hex);
        assert_true(slu_pg_numeric_holds(slu_slice_of(encoded[i].number)));
        slu_buf_fini(&out);
    }
}

static void what_numeric_cannot_hold_is_refused(void **state)
{
    (void)state;
    static const char *const numbers[] = {"1e131072",
                                          "-1e131072",
                                          "1e-16384",
                                          "1.5e-16383",
                                          "1e99999999999999999999",
                                          "1e-99999999999999999999"};
    for (size_t i = 0; i < COUNT(numbers); i++) {
        struct slu_buf out;
        slu_buf_init(&out, 1 << 20);
        if (slu_pg_numeric_add(&out, slu_slice_of(numbers[i])) || out.len > 0 || out.failed)
            fail_msg("%s was taken", numbers[i]);
        assert_false(slu_pg_numeric_holds(slu_slice_of(numbers[i])));
        slu_buf_fini(&out);
    }
}

static void a_million_digits_are_refused_and_a_hundred_thousand_are_not(void **state)
{
    (void)state;
    char *digits = malloc(1000000);
    assert_non_null(digits);
    memset(digits, '7', 1000000);
    struct slu_buf out;
    slu_buf_init(&out, 1 << 20);
    assert_false(slu_pg_numeric_add(&out, slu_slice(digits, 1000000)));
    assert_true(slu_pg_numeric_add(&out, slu_slice(digits, 100000)));
    assert_int_equal(out.len, 8 + 2 * 25000);
    slu_buf_fini(&out);
    free(digits);
}

static void the_three_that_are_no_numbers_have_signs_of_their_own(void **state)
{
    (void)state;
    static const char *const hex[] = {"0000 0000 c000 0000", "0000 0000 d000 0000",
                                      "0000 0000 f000 0000"};
    for (size_t i = 0; i < 3; i++) {
        struct slu_buf out;
        char text[512];
        slu_buf_init(&out, 64);
        assert_true(slu_pg_numeric_add_special(&out, (enum slu_pg_special)i));
        assert_string_equal(hex_of(&out, text), hex[i]);
        slu_buf_fini(&out);
    }
}

static void only_json_numbers_are_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is;
    } cases[] = {{"0", true},   {"-0.5", true}, {"1e5", true},  {"1E-05", true}, {"", false},
                 {"-", false},  {"01", false},  {"1.", false},  {".5", false},   {"1e", false},
                 {"+1", false}, {"0x1", false}, {"NaN", false}, {"1 ", false},   {"1e+", false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (slu_pg_is_number(slu_slice_of(cases[i].text)) != cases[i].is)
            fail_msg("\"%s\"", cases[i].text);
    }
}

static void numbers_are_rounded_down_to_integers_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *number;
        int shift;
        bool fits, exact;
        int64_t result;
    } cases[] = {
        {"0", 0, true, true, 0},
        {"5.0", 0, true, true, 5},
        {"1e2", 0, true, true, 100},
        {"0.9", 0, true, false, 0},
        {"-0.9", 0, true, false, -1},
        {"-5.0", 0, true, true, -5},
        {"1e-400", 0, true, false, 0},
        {"-1e-400", 0, true, false, -1},
        {"9223372036854775807", 0, true, true, INT64_MAX},
        {"9223372036854775808", 0, false, true, 0},
        {"-9223372036854775808", 0, true, true, INT64_MIN},
        {"-9223372036854775808.5", 0, false, false, 0},
        {"-9223372036854775809", 0, false, true, 0},
        {"9223372036854775807.99", 0, true, false, INT64_MAX},
        {"1e400", 0, false, true, 0},
        {"9007199254740993", 0, true, true, INT64_C(9007199254740993)},
        {"1767225600.25", 6, true, true, INT64_C(1767225600250000)},
        {"1767225600123456789", -3, true, false, INT64_C(1767225600123456)},
        {"-1", -3, true, false, -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t result = 0;
        bool exact = false;
        const bool fits =
            slu_pg_number_floor(slu_slice_of(cases[i].number), cases[i].shift, &result, &exact);
        if (fits != cases[i].fits ||
            (fits && (result != cases[i].result || exact != cases[i].exact)))
            fail_msg("%s: %d %lld %d", cases[i].number, fits, (long long)result, exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_keep_every_digit_and_the_decimals_that_were_written),
        cmocka_unit_test(what_numeric_cannot_hold_is_refused),
        cmocka_unit_test(a_million_digits_are_refused_and_a_hundred_thousand_are_not),
        cmocka_unit_test(the_three_that_are_no_numbers_have_signs_of_their_own),
        cmocka_unit_test(only_json_numbers_are_numbers),
        cmocka_unit_test(numbers_are_rounded_down_to_integers_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
