/* Rate limit of published alerts: 100 a second, bursts of 200, a summary each 10 s. */
#include "plugin/rate.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t allowed(struct slu_rate *rate, int64_t mono_ns, int tries)
{
    uint64_t n = 0;

    for (int i = 0; i < tries; i++)
        n += slu_rate_allows(rate, mono_ns);
    return n;
}

static void a_burst_of_200_passes_and_no_more(void **state)
{
    struct slu_rate rate = {0};

    (void)state;
    assert_int_equal(allowed(&rate, SLU_NS_PER_S, 1000), SLU_RATE_BURST);
    assert_int_equal(rate.suppressed, 1000 - SLU_RATE_BURST);
}

static void after_a_burst_100_a_second_pass(void **state)
{
    struct slu_rate rate = {0};
    int64_t now = SLU_NS_PER_S;

    (void)state;
    allowed(&rate, now, 1000);
    for (int second = 1; second <= 5; second++)
        assert_int_equal(allowed(&rate, now + second * SLU_NS_PER_S, 1000), SLU_RATE_PER_SECOND);
}

static void a_quiet_time_fills_the_bucket_but_not_beyond_the_burst(void **state)
{
    struct slu_rate rate = {0};

    (void)state;
    allowed(&rate, SLU_NS_PER_S, 1000);
    assert_int_equal(allowed(&rate, 3600 * SLU_NS_PER_S, 1000), SLU_RATE_BURST);
}

static void every_alert_is_either_sent_or_suppressed(void **state)
{
    struct slu_rate rate = {0};
    uint64_t sent = 0, told = 0, tried = 0;

    (void)state;
    for (int64_t ms = 1; ms <= 60000; ms++) {
        sent += allowed(&rate, ms * SLU_NS_PER_MS, 3);
        tried += 3;
        told += slu_rate_summary(&rate, ms * SLU_NS_PER_MS);
    }
    assert_true(told > 0);
    assert_int_equal(sent + told + rate.suppressed, tried);
}

static void a_summary_comes_10_s_after_the_first_one_held_back(void **state)
{
    struct slu_rate rate = {0};
    int64_t now = SLU_NS_PER_S;

    (void)state;
    assert_int_equal(slu_rate_summary(&rate, now), 0);
    allowed(&rate, now, SLU_RATE_BURST + 7);
    assert_int_equal(slu_rate_summary(&rate, now + SLU_RATE_SUMMARY_NS - 1), 0);
    assert_int_equal(slu_rate_summary(&rate, now + SLU_RATE_SUMMARY_NS), 7);
    assert_int_equal(slu_rate_summary(&rate, now + 2 * SLU_RATE_SUMMARY_NS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_of_200_passes_and_no_more),
        cmocka_unit_test(after_a_burst_100_a_second_pass),
        cmocka_unit_test(a_quiet_time_fills_the_bucket_but_not_beyond_the_burst),
        cmocka_unit_test(every_alert_is_either_sent_or_suppressed),
        cmocka_unit_test(a_summary_comes_10_s_after_the_first_one_held_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
