/* test_problems.c -- collecting what is wrong: counting, order, no memory. */
#include "base/problems.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static bool no_memory;
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

void *__wrap_realloc(void *memory, size_t bytes)
{
    return no_memory ? NULL : __real_realloc(memory, bytes);
}

static void errors_and_warnings_are_counted_apart(void **state)
{
    (void)state;
    struct slu_problems problems;
    slu_problems_init(&problems);
    slu_problems_error(&problems, "a", 1, 2, "/p", "no %s", "x");
    slu_problems_warn(&problems, NULL, 0, 0, NULL, "odd");
    assert_int_equal(problems.n, 2);
    assert_int_equal(problems.n_errors, 1);
    assert_int_equal(problems.n_warnings, 1);

    char out[100];
    assert_false(problems.items[0].is_warning);
    assert_string_equal(slu_err_format(&problems.items[0].err, out, sizeof(out)),
                        "a:1:2: /p: no x");
    assert_true(problems.items[1].is_warning);
    assert_string_equal(slu_err_format(&problems.items[1].err, out, sizeof(out)), "odd");
    slu_problems_fini(&problems);
    assert_int_equal(problems.n, 0);
}

static void beyond_the_ceiling_they_are_only_counted(void **state)
{
    (void)state;
    struct slu_problems problems;
    slu_problems_init(&problems);
    for (unsigned i = 1; i <= 250; i++)
        slu_problems_error(&problems, "a", i, 0, NULL, "e");
    slu_problems_warn(&problems, "a", 1, 0, NULL, "w");
    assert_int_equal(problems.n, SLU_PROBLEMS_MAX);
    assert_int_equal(problems.n_errors, 250);
    assert_int_equal(problems.n_warnings, 1);
    for (unsigned i = 0; i < SLU_PROBLEMS_MAX; i++)
        assert_int_equal(problems.items[i].err.line, i + 1);
    slu_problems_fini(&problems);
}

static void warnings_never_keep_an_error_out(void **state)
{
    (void)state;
    struct slu_problems problems;
    slu_problems_init(&problems);
    for (unsigned i = 1; i <= 150; i++)
        slu_problems_warn(&problems, "a", i, 0, NULL, "w");
    slu_problems_error(&problems, "a", 7, 0, NULL, "the error");
    assert_int_equal(problems.n, SLU_PROBLEMS_MAX);
    assert_string_equal(problems.items[SLU_PROBLEMS_MAX - 1].err.text, "the error");
    assert_int_equal(problems.items[SLU_PROBLEMS_MAX - 2].err.line, 99);
    slu_problems_fini(&problems);
}

static void they_are_sorted_by_place_and_equals_stay_in_order(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        unsigned line, column;
        const char *text;
    } given[] = {
        {"b", 1, 1, "8"}, {"a", 9, 1, "6"}, {"a", 2, 5, "3"}, {"a", 2, 5, "4"}, {"a", 2, 1, "2"},
        {"b", 1, 1, "9"}, {"", 7, 7, "1"},  {"a", 2, 5, "5"}, {"a", 9, 2, "7"},
    };
    struct slu_problems problems;
    slu_problems_init(&problems);
    slu_problems_sort(&problems);
    for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
        slu_problems_error(&problems, given[i].source, given[i].line, given[i].column, NULL, "%s",
                           given[i].text);
    slu_problems_sort(&problems);
    for (size_t i = 0; i < problems.n; i++)
        assert_int_equal(problems.items[i].err.text[0], '1' + (char)i);
    slu_problems_fini(&problems);
}

static void what_is_said_twice_is_kept_once(void **state)
{
    (void)state;
    struct slu_problems problems;
    slu_problems_init(&problems);
    for (int i = 0; i < 20; i++) {
        slu_problems_error(&problems, "a", 1, 2, "/x", "one");
        slu_problems_warn(&problems, "a", 1, 2, "/x", "one");
        slu_problems_error(&problems, "a", 1, 2, "/y", "one");
        slu_problems_error(&problems, "a", 1, 2, "/x", "two");
    }
    slu_problems_sort_and_merge(&problems);
    assert_int_equal(problems.n, 4);
    assert_int_equal(problems.n_errors, 3);
    assert_int_equal(problems.n_warnings, 1);
    for (int i = 0; i < 90; i++) /* there is room for more */
        slu_problems_error(&problems, "b", (unsigned)i, 1, NULL, "more");
    slu_problems_sort_and_merge(&problems);
    assert_int_equal(problems.n, 94);
    assert_string_equal(problems.items[93].err.source, "b");
    slu_problems_fini(&problems);
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    char longer[2001];
    for (size_t i = 0; i < 2000; i += 2)
        memcpy(longer + i, "\xC3\xA9", 2);
    longer[2000] = '\0';
    struct slu_problems problems;
    slu_problems_init(&problems);
    slu_problems_error(&problems, "a", 1, 1, NULL, "%s", longer);
    const char *text = problems.items[0].err.text;
    assert_int_equal(strlen(text), 510);
    assert_true(slu_utf8_valid(text, strlen(text)));
    slu_problems_fini(&problems);
}

static void without_memory_they_are_still_counted(void **state)
{
    (void)state;
    struct slu_problems problems;
    slu_problems_init(&problems);
    no_memory = true;
    slu_problems_error(&problems, "a", 1, 1, NULL, "lost");
    no_memory = false;
    assert_int_equal(problems.n, 0);
    assert_int_equal(problems.n_errors, 1);
    for (int i = 0; i < 8; i++)
        slu_problems_warn(&problems, "a", 1, 1, NULL, "w");
    no_memory = true;
    slu_problems_error(&problems, "a", 1, 1, NULL, "kept"); /* takes a warning's place */
    no_memory = false;
    assert_int_equal(problems.n, 8);
    assert_string_equal(problems.items[7].err.text, "kept");
    slu_problems_warn(&problems, "a", 1, 1, NULL, "ninth");
    assert_int_equal(problems.n, 9);
    slu_problems_fini(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_and_warnings_are_counted_apart),
        cmocka_unit_test(beyond_the_ceiling_they_are_only_counted),
        cmocka_unit_test(warnings_never_keep_an_error_out),
        cmocka_unit_test(they_are_sorted_by_place_and_equals_stay_in_order),
        cmocka_unit_test(what_is_said_twice_is_kept_once),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(without_memory_they_are_still_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
