/* test_clock.c -- clocks and RFC 3339. */
#include "base/clock.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define S            SLU_NS_PER_S

static void moments_are_written_in_utc(void **state)
{
    (void)state;
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {-S, "1969-12-31T23:59:59.000000Z"},
        {1999, "1970-01-01T00:00:00.000001Z"},
        {951782400 * S, "2000-02-29T00:00:00.000000Z"},
        {951868800 * S, "2000-03-01T00:00:00.000000Z"},
        {1795222923 * S + 123456789, "2026-11-21T01:02:03.123456Z"},
        {4107542399 * S, "2100-02-28T23:59:59.000000Z"},
        {4107542400 * S, "2100-03-01T00:00:00.000000Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224Z"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        char out[SLU_CLOCK_TEXT_SIZE];
        assert_int_equal(slu_clock_format(cases[i].ns, out), strlen(cases[i].text));
        assert_string_equal(out, cases[i].text);
    }
}

static void good_texts_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00:00z", 0},
        {"1969-12-31T23:59:59.999999999Z", -1},
        {"2026-11-21T01:02:03.123456Z", 1795222923 * S + 123456000},
        {"2026-11-21T01:02:03.123456789Z", 1795222923 * S + 123456789},
        {"2026-11-21T01:02:03.1234567899999999999999Z", 1795222923 * S + 123456789},
        {"2026-11-21T01:02:03.5Z", 1795222923 * S + 500000000},
        {"2026-11-21T02:02:03+01:00", 1795222923 * S},
        {"2026-11-20T19:32:03-05:30", 1795222923 * S},
        {"2026-11-22T01:01:03+23:59", 1795222923 * S},
        {"1970-01-01T00:00:00-00:00", 0},
        {"2000-02-29T00:00:00Z", 951782400 * S},
        {"2024-02-29T23:59:59Z", 1709251199 * S},
        {"1998-12-31T23:59:60Z", 915148799 * S + 999999999},
        {"1998-12-31T15:59:60.123-08:00", 915148799 * S + 999999999},
        {"1999-01-01T00:59:60+01:00", 915148799 * S + 999999999},
        {"2012-06-30T23:59:60Z", 1341100799 * S + 999999999},
        {"2262-04-11T23:47:16.854775807Z", INT64_MAX},
        {"1677-09-21T00:12:43.145224192Z", INT64_MIN},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ns = 77;
        if (slu_clock_parse(cases[i].text, strlen(cases[i].text), &ns) != 0 || ns != cases[i].ns)
            fail_msg("%s gives %lld", cases[i].text, (long long)ns);
    }
}

static void anything_else_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "2026",
        "2026-11-21",
        "2026-11-21T01:02:03",
        "2026-11-21T01:02Z",
        "2026-11-21 01:02:03Z",
        "2026-11-21T01:02:03.Z",
        "2026-11-21T01:02:03,5Z",
        "2026-11-21T01:02:03Zx",
        "2026-11-21T01:02:03Z ",
        " 2026-11-21T01:02:03Z",
        "2026-11-21T01:02:03+0100",
        "2026-11-21T01:02:03+01",
        "2026-11-21T01:02:03+24:00",
        "2026-11-21T01:02:03+01:60",
        "2026-11-21T01:02:03++1:00",
        "2026-11-21T01:02:03UTC",
        "2026-11-21T24:00:00Z",
        "2026-11-21T01:60:00Z",
        "2026-11-21T01:02:61Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "2026-01-32T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "26-11-21T01:02:03Z",
        "02026-11-21T01:02:03Z",
        "-026-11-21T01:02:03Z",
        "2026-1-21T01:02:03Z",
        "2026-11-21T1:02:03Z",
        "1998-12-31T22:59:60Z", /* a leap second, but not at the end of a UTC day */
        "1998-12-31T23:58:60Z",
        "1998-12-30T23:59:60Z", /* nor of a month */
        "1998-12-31T23:59:60+01:00",
        "1969-12-31T23:59:60Z",
        "0000-01-01T00:00:60Z",
        "2262-04-11T23:47:16.854775808Z", /* beyond 64 bits */
        "1677-09-21T00:12:43.145224191Z",
        "0000-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59Z",
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ns = 77;
        if (slu_clock_parse(cases[i], strlen(cases[i]), &ns) != -1 || ns != 77)
            fail_msg("'%s' was read", cases[i]);
    }
    int64_t ns = 77;
    assert_int_equal(slu_clock_parse(NULL, 0, &ns), -1);
    assert_int_equal(slu_clock_parse("2026-11-21T01:02:03\0", 20, &ns), -1);
}

/* The C library's calendar and ours, day by day and at random. */
static void dates_agree_with_the_c_library(void **state)
{
    (void)state;
    struct slu_random random;
    slu_random_seed(&random, 7);
    const int64_t first_day = -106000;
    const int64_t last_day = 106000;

    for (int64_t day = first_day; day <= last_day; day++) {
        const time_t seconds = day * 86400 + (int64_t)slu_random_below(&random, 86400);
        struct tm tm;
        char expected[64];
        char got[SLU_CLOCK_TEXT_SIZE];
        assert_non_null(gmtime_r(&seconds, &tm));
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000Z", &tm);
        const size_t len = slu_clock_format(seconds * S, got);
        assert_string_equal(got, expected);

        int64_t again = 0;
        assert_int_equal(slu_clock_parse(got, len, &again), 0);
        assert_true(again == seconds * S);
    }
}

static int64_t always_five(void)
{
    return 5;
}

static int64_t always_six(void)
{
    return 6;
}

static void clocks_can_be_replaced_and_given_back(void **state)
{
    (void)state;
    slu_clock_replace(always_five, always_six);
    assert_true(slu_clock_wall_ns() == 5);
    assert_true(slu_clock_mono_ns() == 6);
    slu_clock_replace(NULL, NULL);

    const int64_t before = slu_clock_mono_ns();
    assert_true(before > 6);
    assert_true(slu_clock_mono_ns() >= before);
    assert_true(slu_clock_wall_ns() / S - (int64_t)time(NULL) <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_are_written_in_utc),
        cmocka_unit_test(good_texts_are_read),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(dates_agree_with_the_c_library),
        cmocka_unit_test(clocks_can_be_replaced_and_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
