/* test_err.c -- errors: the first one wins, places, cutting. */
#include "base/err.h"

#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void the_first_error_wins(void **state)
{
    (void)state;
    struct slu_err err = {0};
    assert_int_equal(slu_err_set(&err, SLU_EINVAL, "first %d", 1), -1);
    assert_int_equal(slu_err_set(&err, SLU_ENOMEM, "second"), -1);
    assert_int_equal(slu_err_system(&err, ENOSPC, "third"), -1);
    assert_int_equal(err.kind, SLU_EINVAL);
    assert_int_equal(err.sys, 0);
    assert_string_equal(err.text, "first 1");
}

static void no_error_wanted_is_fine(void **state)
{
    (void)state;
    char out[8] = "x";
    assert_int_equal(slu_err_set(NULL, SLU_EINVAL, "text"), -1);
    assert_int_equal(slu_err_system(NULL, EIO, "text"), -1);
    slu_err_place(NULL, "file", 1, 1, "/a");
    assert_string_equal(slu_err_format(NULL, out, sizeof(out)), "");
}

static void a_system_error_gets_its_kind(void **state)
{
    (void)state;
    static const struct {
        int sys;
        enum slu_err_kind kind;
    } cases[] = {
        {ENOSPC, SLU_EFULL},  {EDQUOT, SLU_EFULL},  {EACCES, SLU_EDENIED}, {EPERM, SLU_EDENIED},
        {ENOENT, SLU_ENOENT}, {ENOMEM, SLU_ENOMEM}, {EIO, SLU_EIO},        {EINTR, SLU_EIO},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slu_err err = {0};
        assert_int_equal(slu_err_system(&err, cases[i].sys, "open %s", "x"), -1);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(err.sys, cases[i].sys);
        assert_int_equal(strncmp(err.text, "open x: ", 8), 0);
        assert_true(strlen(err.text) > 8);
    }
}

static void a_long_sentence_leaves_room_for_what_the_system_said(void **state)
{
    (void)state;
    char longer[1000];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';

    struct slu_err err = {0};
    slu_err_system(&err, ENOENT, "%s", longer);
    const char *end = ": No such file or directory";
    assert_true(strlen(err.text) < sizeof(err.text));
    assert_string_equal(err.text + strlen(err.text) - strlen(end), end);
}

static void texts_are_cut_between_characters(void **state)
{
    (void)state;
    char longer[1000];
    for (size_t i = 0; i + 2 < sizeof(longer); i += 3)
        memcpy(longer + i, "\xE2\x82\xAC", 3); /* U+20AC */
    longer[sizeof(longer) - 1] = '\0';

    struct slu_err err = {0};
    slu_err_set(&err, SLU_EINVAL, "%s", longer);
    slu_err_place(&err, longer, 1, 1, longer);
    assert_int_equal(strlen(err.text), 510);
    assert_int_equal(strlen(err.source), 255);
    assert_int_equal(strlen(err.pointer), 255);
    assert_true(slu_utf8_valid(err.text, strlen(err.text)));

    for (size_t size = 1; size < 600; size++) {
        char out[600];
        memset(out, 'x', sizeof(out));
        slu_err_format(&err, out, size);
        assert_true(strlen(out) < size);
        assert_true(slu_utf8_valid(out, strlen(out)));
    }
}

static void only_the_first_place_counts(void **state)
{
    (void)state;
    struct slu_err err = {0};
    slu_err_place(&err, "early", 1, 1, "/a");
    assert_string_equal(err.source, ""); /* nothing is wrong yet */
    slu_err_set(&err, SLU_EINVAL, "text");
    slu_err_place(&err, "a.yaml", 2, 3, NULL);
    slu_err_place(&err, "b.yaml", 4, 5, "/b");
    assert_string_equal(err.source, "a.yaml");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 3);
    assert_string_equal(err.pointer, "");
}

static void it_is_written_with_as_much_place_as_there_is(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        unsigned line, column;
        const char *pointer, *expected;
    } cases[] = {
        {"f.yaml", 3, 7, "/a/b", "f.yaml:3:7: /a/b: is wrong"},
        {"f.yaml", 3, 7, "", "f.yaml:3:7: is wrong"},
        {"f.yaml", 3, 0, "", "f.yaml:3: is wrong"},
        {"f.yaml", 0, 0, "", "f.yaml: is wrong"},
        {"f.yaml", 0, 9, "/a", "f.yaml: /a: is wrong"},
        {"", 0, 0, "/a", "/a: is wrong"},
        {NULL, 3, 7, NULL, "3:7: is wrong"},
        {NULL, 0, 0, NULL, "is wrong"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slu_err err = {0};
        char out[256];
        slu_err_set(&err, SLU_EINVAL, "is wrong");
        slu_err_place(&err, cases[i].source, cases[i].line, cases[i].column, cases[i].pointer);
        assert_ptr_equal(slu_err_format(&err, out, sizeof(out)), out);
        assert_string_equal(out, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_error_wins),
        cmocka_unit_test(no_error_wanted_is_fine),
        cmocka_unit_test(a_system_error_gets_its_kind),
        cmocka_unit_test(a_long_sentence_leaves_room_for_what_the_system_said),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(only_the_first_place_counts),
        cmocka_unit_test(it_is_written_with_as_much_place_as_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
