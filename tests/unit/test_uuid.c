/* test_uuid.c -- UUIDs: form, uniqueness across threads, the id of a record. */
#include "base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void a_record_says_its_spool_and_its_place(void **state)
{
    (void)state;
    static const uint8_t spool_id[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF,
                                         0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    static const struct {
        uint64_t seq;
        const char *text;
    } cases[] = {
        {0, "01234567-89ab-8def-8000-000000000000"},
        {1, "01234567-89ab-8def-8000-000000000001"},
        {0x0102030405060708, "01234567-89ab-8def-8102-030405060708"},
        {(UINT64_C(1) << 62) - 1, "01234567-89ab-8def-bfff-ffffffffffff"},
        {UINT64_MAX, "01234567-89ab-8def-bfff-ffffffffffff"}, /* only 62 bits */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[SLU_UUID_TEXT_SIZE];
        const struct slu_uuid uuid = slu_uuid_of_record(spool_id, cases[i].seq);
        assert_ptr_equal(slu_uuid_format(uuid, out), out);
        assert_string_equal(out, cases[i].text);
    }
}

static void random_ones_have_version_four_and_the_variant(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char out[SLU_UUID_TEXT_SIZE];
        slu_uuid_format(slu_uuid_random(), out);
        assert_int_equal(strlen(out), 36);
        assert_int_equal(out[14], '4');
        assert_non_null(strchr("89ab", out[19]));
        for (int k = 0; k < 36; k++) {
            const int dash = k == 8 || k == 13 || k == 18 || k == 23;
            assert_true(dash ? out[k] == '-' : isxdigit((unsigned char)out[k]) && !isupper(out[k]));
        }
    }
}

enum { THREADS = 4, EACH = 5000 };
static struct slu_uuid made[THREADS * EACH];

static void *make_some(void *first)
{
    struct slu_uuid *uuids = first;
    for (int i = 0; i < EACH; i++)
        uuids[i] = slu_uuid_random();
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct slu_uuid));
}

static void no_two_threads_make_the_same(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_some, &made[i * EACH]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    const size_t n = sizeof(made) / sizeof(made[0]);
    qsort(made, n, sizeof(made[0]), compare);
    for (size_t i = 1; i < n; i++)
        assert_memory_not_equal(&made[i - 1], &made[i], sizeof(made[0]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_says_its_spool_and_its_place),
        cmocka_unit_test(random_ones_have_version_four_and_the_variant),
        cmocka_unit_test(no_two_threads_make_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
