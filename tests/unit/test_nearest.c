/* test_nearest.c -- did you mean? */
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_nearest_name_is_found_if_it_is_near_enough(void **state)
{
    (void)state;
    static const char *const names[] = {"kafka", "file", "timescale", "policies",
                                        "sinks", NULL,   "io"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"kafka", "kafka"},
        {"kafak", "kafka"},
        {"kafk", "kafka"},
        {"kkafka", "kafka"},
        {"kfa", "kafka"}, /* 2 of 5 */
        {"ka", NULL},     /* 3 of 5 */
        {"flie", "file"},
        {"timescaledb", "timescale"},
        {"policy", "policies"}, /* 3 of 8 */
        {"polic", "policies"},
        {"sink", "sinks"},
        {"oi", "io"},
        {"zz", NULL},
        {"entirely different", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *nearest =
            slu_nearest(slu_slice_of(cases[i].word), names, sizeof(names) / sizeof(names[0]));
        if (cases[i].nearest == NULL)
            assert_null(nearest);
        else if (nearest == NULL)
            fail_msg("nothing for '%s'", cases[i].word);
        else
            assert_string_equal(nearest, cases[i].nearest);
    }
}

static void of_equals_the_first(void **state)
{
    (void)state;
    static const char *const names[] = {"abcx", "abcy", "abcd"};
    assert_ptr_equal(slu_nearest(SLU_SLICE("abcz"), names, 3), names[0]);
    assert_ptr_equal(slu_nearest(SLU_SLICE("abcy"), names, 3), names[1]);
}

static void no_names_and_long_words_give_nothing(void **state)
{
    (void)state;
    char longer[66];
    memset(longer, 'a', 65);
    longer[65] = '\0';
    const char *const names[] = {longer};
    assert_null(slu_nearest(SLU_SLICE("a"), NULL, 0));
    assert_null(slu_nearest(slu_slice_of(longer), names, 1));
    assert_null(slu_nearest(slu_slice(longer, 64), names, 1));
    longer[64] = '\0';
    assert_ptr_equal(slu_nearest(slu_slice(longer, 63), names, 1), longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_name_is_found_if_it_is_near_enough),
        cmocka_unit_test(of_equals_the_first),
        cmocka_unit_test(no_names_and_long_words_give_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
