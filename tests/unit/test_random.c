/* test_random.c -- random bytes and the seeded generator. */
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* Computed from the definitions of splitmix64 and xoshiro256** in a second language. */
static void the_generator_is_the_one_it_says(void **state)
{
    (void)state;
    struct slu_random random = {{1, 2, 3, 4}};
    static const uint64_t expected[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240)};
    for (size_t i = 0; i < 4; i++)
        assert_true(slu_random_next(&random) == expected[i]);

    slu_random_seed(&random, 0);
    assert_true(random.state[0] == UINT64_C(0xE220A8397B1DCDAF));
    assert_true(random.state[1] == UINT64_C(0x6E789E6AA1B965F4));
}

static void the_same_seed_gives_the_same_numbers(void **state)
{
    (void)state;
    struct slu_random a;
    struct slu_random b;
    struct slu_random c;
    slu_random_seed(&a, 42);
    slu_random_seed(&b, 42);
    slu_random_seed(&c, 43);
    int n_differ = 0;
    for (int i = 0; i < 1000; i++) {
        const uint64_t number = slu_random_next(&a);
        assert_true(number == slu_random_next(&b));
        n_differ += number != slu_random_next(&c);
    }
    assert_true(n_differ > 990);
}

static void a_zeroed_one_works(void **state)
{
    (void)state;
    struct slu_random zeroed = {{0}};
    struct slu_random seeded;
    slu_random_seed(&seeded, 0);
    assert_true(slu_random_next(&zeroed) == slu_random_next(&seeded));
}

static void numbers_stay_below_the_bound_and_reach_all_of_it(void **state)
{
    (void)state;
    struct slu_random random;
    slu_random_seed(&random, 1);
    static const uint64_t bounds[] = {1, 2, 3, 7, 10, 64};

    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        unsigned seen[64] = {0};
        for (int n = 0; n < 64000; n++) {
            const uint64_t number = slu_random_below(&random, bounds[i]);
            assert_true(number < bounds[i]);
            seen[number]++;
        }
        for (uint64_t number = 0; number < bounds[i]; number++)
            assert_in_range(seen[number], 64000 / bounds[i] * 8 / 10, 64000 / bounds[i] * 12 / 10);
    }
    for (int n = 0; n < 1000; n++)
        assert_true(slu_random_below(&random, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
    assert_int_equal(slu_random_below(&random, 0), 0);
}

/* Each byte position is non-zero in one of 64 fills, but for 2^-512. */
static void the_system_fills_every_byte_and_not_one_more(void **state)
{
    (void)state;
    enum { BYTES = 1000 };
    unsigned char seen[BYTES] = {0};
    for (int round = 0; round < 64; round++) {
        unsigned char bytes[BYTES + 1] = {0};
        slu_random_fill(bytes, BYTES);
        assert_int_equal(bytes[BYTES], 0);
        for (size_t i = 0; i < BYTES; i++)
            seen[i] |= bytes[i];
    }
    assert_null(memchr(seen, 0, BYTES));
    slu_random_fill(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_generator_is_the_one_it_says),
        cmocka_unit_test(the_same_seed_gives_the_same_numbers),
        cmocka_unit_test(a_zeroed_one_works),
        cmocka_unit_test(numbers_stay_below_the_bound_and_reach_all_of_it),
        cmocka_unit_test(the_system_fills_every_byte_and_not_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
