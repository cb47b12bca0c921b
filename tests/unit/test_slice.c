/* test_slice.c -- borrowed bytes: compared, begun with, without the blanks around them. */
#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void only_the_same_bytes_are_equal(void **state)
{
    (void)state;
    assert_true(slu_slice_equal(SLU_SLICE("a\0b"), SLU_SLICE("a\0b")));
    assert_false(slu_slice_equal(SLU_SLICE("a\0b"), SLU_SLICE("a\0c")));
    assert_false(slu_slice_equal(SLU_SLICE("a"), SLU_SLICE("ab")));
    assert_true(slu_slice_equal(slu_slice_of(NULL), SLU_SLICE("")));
    assert_true(slu_slice_starts_with(SLU_SLICE("plant/a"), SLU_SLICE("plant")));
    assert_true(slu_slice_starts_with(SLU_SLICE("a"), slu_slice_of(NULL)));
    assert_false(slu_slice_starts_with(SLU_SLICE("plan"), SLU_SLICE("plant")));
}

static void blanks_go_around_not_inside(void **state)
{
    (void)state;
    const struct {
        struct slu_slice text, left;
    } cases[] = {
        {SLU_SLICE("a b"), SLU_SLICE("a b")},
        {SLU_SLICE(" \t\r\na b\n\r\t "), SLU_SLICE("a b")},
        {SLU_SLICE(" \t\r\n"), SLU_SLICE("")},
        {SLU_SLICE(""), SLU_SLICE("")},
        {SLU_SLICE("\0 a \0"), SLU_SLICE("\0 a \0")}, /* NUL is no blank */
        {SLU_SLICE("\va\f"), SLU_SLICE("\va\f")},     /* nor are these to JSON */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_true(slu_slice_equal(slu_slice_trim(cases[i].text), cases[i].left));
    assert_int_equal(slu_slice_trim(slu_slice_of(NULL)).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_same_bytes_are_equal),
        cmocka_unit_test(blanks_go_around_not_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
