/* test_buf.c -- growable bytes: ceilings, failure that sticks, no memory. */
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

static bool no_memory;
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

void *__wrap_realloc(void *memory, size_t bytes)
{
    return no_memory ? NULL : __real_realloc(memory, bytes);
}

static void a_new_one_is_the_empty_text(void **state)
{
    (void)state;
    struct slu_buf buf;
    slu_buf_init(&buf, 100);
    assert_string_equal(slu_buf_text(&buf), "");
    assert_null(buf.data);
    assert_true(slu_buf_add(&buf, NULL, 0));
    assert_true(slu_buf_add_text(&buf, NULL));
    assert_int_equal(slu_buf_slice(&buf).len, 0);
    slu_buf_cut(&buf, 0);
    slu_buf_grew(&buf, 5);
    assert_int_equal(buf.len, 0);
    slu_buf_fini(&buf);
}

static void additions_come_one_behind_the_other(void **state)
{
    (void)state;
    struct slu_buf buf;
    slu_buf_init(&buf, 100);
    assert_true(slu_buf_add(&buf, "ab", 2));
    assert_true(slu_buf_add_char(&buf, 'c'));
    assert_true(slu_buf_add_text(&buf, "de"));
    assert_true(slu_buf_add_slice(&buf, SLU_SLICE("fg")));
    assert_true(slu_buf_printf(&buf, "%d-%s", 42, "x"));
    assert_string_equal(slu_buf_text(&buf), "abcdefg42-x");
    assert_int_equal(buf.len, 11);
    slu_buf_fini(&buf);
}

static void it_grows_to_its_ceiling_and_not_beyond(void **state)
{
    (void)state;
    static const size_t ceilings[] = {0, 1, 2, 63, 64, 65, 127, 128, 1000, 4096};

    for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
        struct slu_buf buf;
        slu_buf_init(&buf, ceilings[i]);
        for (size_t n = 0; n < ceilings[i]; n++)
            assert_true(slu_buf_add_char(&buf, (char)('a' + n % 26)));
        assert_false(buf.failed);
        assert_true(buf.cap <= ceilings[i] + 1);
        assert_false(slu_buf_add_char(&buf, 'x'));
        assert_true(buf.failed);
        assert_int_equal(buf.len, ceilings[i]);
        slu_buf_fini(&buf);
    }
}

static void a_failure_sticks_and_leaves_what_was_there(void **state)
{
    (void)state;
    struct slu_buf buf;
    slu_buf_init(&buf, 4);
    assert_true(slu_buf_add_text(&buf, "ab"));
    assert_false(slu_buf_add_text(&buf, "cde"));
    assert_false(slu_buf_add_text(&buf, "c"));
    assert_false(slu_buf_add(&buf, "", 0));
    assert_false(slu_buf_printf(&buf, "c"));
    assert_null(slu_buf_room(&buf, 1));
    assert_string_equal(slu_buf_text(&buf), "ab");

    slu_buf_reset(&buf);
    assert_string_equal(slu_buf_text(&buf), "");
    assert_true(slu_buf_add_text(&buf, "cdef"));
    assert_string_equal(slu_buf_text(&buf), "cdef");
    slu_buf_fini(&buf);
}

static void a_printf_that_does_not_fit_leaves_no_part_behind(void **state)
{
    (void)state;
    struct slu_buf buf;
    slu_buf_init(&buf, 6);
    assert_true(slu_buf_add_text(&buf, "ab"));
    assert_false(slu_buf_printf(&buf, "%s", "cdefg"));
    assert_string_equal(slu_buf_text(&buf), "ab");
    slu_buf_reset(&buf);
    assert_true(slu_buf_printf(&buf, "%s", "cdefgh"));
    assert_string_equal(slu_buf_text(&buf), "cdefgh");
    slu_buf_fini(&buf);
}

static void a_long_printf_grows_the_memory(void **state)
{
    (void)state;
    struct slu_buf buf;
    slu_buf_init(&buf, 100000);
    assert_true(slu_buf_add_text(&buf, "x"));
    assert_true(slu_buf_printf(&buf, "%5000d", 7));
    assert_int_equal(buf.len, 5001);
    assert_int_equal(buf.data[5000], '7');
    assert_int_equal(buf.data[5001], '\0');
    assert_true(slu_buf_printf(&buf, "%s", ""));
    slu_buf_fini(&buf);
}

static void absurd_sizes_fail_at_once(void **state)
{
    (void)state;
    struct slu_buf buf;
    slu_buf_init(&buf, SIZE_MAX);
    assert_true(slu_buf_add_text(&buf, "ab"));
    assert_null(slu_buf_room(&buf, SIZE_MAX - 1));
    assert_true(buf.failed);
    slu_buf_reset(&buf);
    assert_null(slu_buf_room(&buf, SIZE_MAX));
    assert_string_equal(slu_buf_text(&buf), "");
    slu_buf_fini(&buf);
}

static void room_is_written_and_then_counted(void **state)
{
    (void)state;
    struct slu_buf buf;
    slu_buf_init(&buf, 200);
    char *room = slu_buf_room(&buf, 150);
    assert_non_null(room);
    memset(room, 'r', 150);
    slu_buf_grew(&buf, 100);
    assert_int_equal(buf.len, 100);
    assert_int_equal(strlen(slu_buf_text(&buf)), 100);
    slu_buf_grew(&buf, SIZE_MAX); /* more than there was room for */
    assert_true(buf.len < buf.cap);
    slu_buf_cut(&buf, 3);
    assert_string_equal(slu_buf_text(&buf), "rrr");
    slu_buf_cut(&buf, 50);
    assert_int_equal(buf.len, 3);
    slu_buf_fini(&buf);
}

static void without_memory_it_fails_and_keeps_its_text(void **state)
{
    (void)state;
    struct slu_buf buf;
    slu_buf_init(&buf, 100000);
    assert_true(slu_buf_add_text(&buf, "kept"));
    no_memory = true;
    assert_false(slu_buf_printf(&buf, "%1000d", 1));
    no_memory = false;
    assert_true(buf.failed);
    assert_string_equal(slu_buf_text(&buf), "kept");
    assert_false(slu_buf_add_char(&buf, 'x'));
    slu_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_one_is_the_empty_text),
        cmocka_unit_test(additions_come_one_behind_the_other),
        cmocka_unit_test(it_grows_to_its_ceiling_and_not_beyond),
        cmocka_unit_test(a_failure_sticks_and_leaves_what_was_there),
        cmocka_unit_test(a_printf_that_does_not_fit_leaves_no_part_behind),
        cmocka_unit_test(a_long_printf_grows_the_memory),
        cmocka_unit_test(absurd_sizes_fail_at_once),
        cmocka_unit_test(room_is_written_and_then_counted),
        cmocka_unit_test(without_memory_it_fails_and_keeps_its_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
