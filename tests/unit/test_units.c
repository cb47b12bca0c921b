/* test_units.c -- durations and sizes. */
#include "base/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct unit_case {
    const char *text;
    int64_t amount; /* -1: refused */
};

static void check(const struct unit_case *cases, size_t n,
                  int (*read)(struct slu_slice text, int64_t *amount))
{
    for (size_t i = 0; i < n; i++) {
        int64_t amount = -1;
        const int result = read(slu_slice_of(cases[i].text), &amount);
        if (amount != cases[i].amount || result != (cases[i].amount < 0 ? -1 : 0))
            fail_msg("'%s' gives %lld", cases[i].text, (long long)amount);
    }
}

static void durations(void **state)
{
    (void)state;
    static const struct unit_case cases[] = {
        {"0ms", 0},
        {"1ms", 1000000},
        {"250ms", 250000000},
        {"5s", 5000000000},
        {"007s", 7000000000},
        {"2m", 120000000000},
        {"3h", 10800000000000},
        {"1d", 86400000000000},
        {"106751d", 9223286400000000000},
        {"106752d", -1},
        {"9223372036s", 9223372036000000000},
        {"9223372037s", -1},
        {"99999999999999999999ms", -1},
        {"", -1},
        {"5", -1},
        {"s", -1},
        {"-5s", -1},
        {"+5s", -1},
        {"5 s", -1},
        {" 5s", -1},
        {"5s ", -1},
        {"5S", -1},
        {"5sec", -1},
        {"1.5s", -1},
        {"5us", -1},
        {"1h30m", -1},
        {"5B", -1},
    };
    check(cases, COUNT(cases), slu_units_duration_ns);
}

static void sizes(void **state)
{
    (void)state;
    static const struct unit_case cases[] = {
        {"0B", 0},
        {"17B", 17},
        {"1KiB", 1024},
        {"128MiB", 134217728},
        {"2GiB", 2147483648},
        {"8589934591GiB", 9223372035781033984},
        {"8589934592GiB", -1},
        {"9223372036854775807B", INT64_MAX},
        {"9223372036854775808B", -1},
        {"", -1},
        {"1", -1},
        {"1KB", -1},
        {"1kib", -1},
        {"1K", -1},
        {"1TiB", -1},
        {"1MiB ", -1},
        {"0x10B", -1},
        {"5s", -1},
    };
    check(cases, COUNT(cases), slu_units_size_bytes);
}

static void a_nul_inside_is_no_end(void **state)
{
    (void)state;
    int64_t amount = 0;
    assert_int_equal(slu_units_duration_ns(slu_slice("5s\0", 3), &amount), -1);
    assert_int_equal(slu_units_size_bytes(slu_slice(NULL, 0), &amount), -1);
    assert_int_equal(slu_units_duration_ns(slu_slice("5sx", 2), &amount), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(a_nul_inside_is_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
