/* Counters: the picture's sum is right while the writer runs; policies keep theirs by id. */
#include "plugin/counts.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MESSAGES 300000

static void *count_messages(void *argument)
{
    struct slu_counts *counts = argument;

    for (unsigned i = 0; i < MESSAGES; i++) {
        slu_counts_begin(counts);
        slu_counts_end(counts, (enum slu_fate)(i % SLU_FATE_COUNT));
    }
    return NULL;
}

static uint64_t sum(const struct slu_counts_picture *picture)
{
    uint64_t total = 0;

    for (size_t i = 0; i < SLU_FATE_COUNT; i++)
        total += picture->fates[i];
    return total;
}

static void received_equals_the_sum_in_every_picture(void **state)
{
    static struct slu_counts counts;
    struct slu_counts_picture picture = {0};
    pthread_t writer;

    (void)state;
    slu_counts_init(&counts);
    assert_int_equal(pthread_create(&writer, NULL, count_messages, &counts), 0);
    while (picture.received < MESSAGES) {
        slu_counts_picture(&counts, &picture);
        assert_int_equal(picture.received, sum(&picture));
    }
    pthread_join(writer, NULL);
    slu_counts_fini(&counts);
}

static void a_policy_is_found_again_by_its_id(void **state)
{
    static struct slu_counts counts;
    char id[32];

    (void)state;
    slu_counts_init(&counts);
    for (int i = 0; i < 10000; i++) {
        snprintf(id, sizeof(id), "policy-%d", i);
        struct slu_policy_counts *policy = slu_counts_policy(&counts, id);
        assert_non_null(policy);
        slu_counts_bump(&policy->held);
    }
    for (int i = 0; i < 10000; i++) {
        snprintf(id, sizeof(id), "policy-%d", i);
        assert_int_equal(atomic_load(&slu_counts_policy(&counts, id)->held), 1);
    }
    slu_counts_fini(&counts);
}

static void only_policies_marked_again_are_configured(void **state)
{
    static struct slu_counts counts;

    (void)state;
    slu_counts_init(&counts);
    struct slu_policy_counts *stays = slu_counts_policy(&counts, "stays");
    struct slu_policy_counts *goes = slu_counts_policy(&counts, "goes");
    atomic_store(&goes->configured, true);
    slu_counts_configure(&counts);
    atomic_store(&slu_counts_policy(&counts, "stays")->configured, true);
    assert_true(atomic_load(&stays->configured));
    assert_false(atomic_load(&goes->configured));
    slu_counts_fini(&counts);
}

static void an_id_that_is_too_long_has_no_counters(void **state)
{
    static struct slu_counts counts;
    char id[80];

    (void)state;
    slu_counts_init(&counts);
    memset(id, 'x', sizeof(id));
    id[79] = '\0';
    assert_null(slu_counts_policy(&counts, id));
    slu_counts_fini(&counts);
}

static void violations_are_counted_by_code(void **state)
{
    static struct slu_counts counts;

    (void)state;
    slu_counts_init(&counts);
    struct slu_policy_counts *policy = slu_counts_policy(&counts, "p");
    for (int i = 0; i < 5; i++)
        slu_counts_violation(policy, "limits.max");
    slu_counts_violation(policy, "schema.required");
    assert_int_equal(atomic_load(&policy->n_codes), 2);
    const struct slu_code_count *codes = atomic_load(&policy->codes);
    assert_string_equal(codes[0].code, "limits.max");
    assert_int_equal(atomic_load(&codes[0].n), 5);
    assert_string_equal(codes[1].code, "schema.required");
    assert_int_equal(atomic_load(&codes[1].n), 1);
    slu_counts_fini(&counts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(received_equals_the_sum_in_every_picture),
        cmocka_unit_test(a_policy_is_found_again_by_its_id),
        cmocka_unit_test(only_policies_marked_again_are_configured),
        cmocka_unit_test(an_id_that_is_too_long_has_no_counters),
        cmocka_unit_test(violations_are_counted_by_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
