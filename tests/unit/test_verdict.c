/* A verdict: the first eight violations in full, the rest counted, every text bounded. */
#include "validation/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct slu_verdict verdict;

static int set_up(void **state)
{
    (void)state;
    slu_verdict_init(&verdict);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    slu_verdict_fini(&verdict);
    return 0;
}

static void assert_text(struct slu_text_ref ref, const char *expected)
{
    assert_true(slu_slice_equal(slu_verdict_text(&verdict, ref), slu_slice_of(expected)));
}

static void a_verdict_is_born_holding(void **state)
{
    (void)state;
    assert_true(slu_verdict_holds(&verdict));
    slu_verdict_reset(&verdict);
    assert_true(slu_verdict_holds(&verdict));
}

static void the_first_eight_are_kept_and_all_are_counted(void **state)
{
    (void)state;
    static const char *const codes[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (size_t i = 0; i < 1000; i++) {
        struct slu_violation *violation = slu_verdict_add(&verdict, codes[i % 8]);
        assert_int_equal(violation != NULL, i < SLU_VERDICT_MAX);
    }
    assert_int_equal(verdict.n, SLU_VERDICT_MAX);
    assert_int_equal(verdict.total, 1000);
    assert_false(slu_verdict_holds(&verdict));
    for (size_t i = 0; i < SLU_VERDICT_MAX; i++)
        assert_ptr_equal(verdict.violations[i].code, codes[i]);
    slu_verdict_reset(&verdict);
    assert_true(slu_verdict_holds(&verdict));
    assert_int_equal(verdict.n, 0);
}

static void texts_survive_each_other(void **state)
{
    (void)state;
    struct slu_text_ref refs[32];
    char text[32][40];
    for (size_t i = 0; i < 32; i++) {
        const uint32_t begin = slu_verdict_begin(&verdict);
        snprintf(text[i], sizeof(text[i]), "text number %zu", i);
        slu_buf_add_text(&verdict.scratch, text[i]);
        refs[i] = i % 2 != 0 ? slu_verdict_end_text(&verdict, begin)
                             : slu_verdict_end_json(&verdict, begin);
    }
    for (size_t i = 0; i < 32; i++)
        assert_text(refs[i], text[i]);
}

static struct slu_text_ref put(size_t n, const char *piece, bool json)
{
    const uint32_t begin = slu_verdict_begin(&verdict);
    for (size_t i = 0; i < n; i++)
        slu_buf_add_text(&verdict.scratch, piece);
    return json ? slu_verdict_end_json(&verdict, begin) : slu_verdict_end_text(&verdict, begin);
}

static void long_json_is_left_out_and_long_text_is_cut(void **state)
{
    (void)state;
    assert_int_equal(put(SLU_VERDICT_TEXT_MAX, "x", true).len, SLU_VERDICT_TEXT_MAX);
    assert_int_equal(put(SLU_VERDICT_TEXT_MAX + 1, "x", true).len, 0);
    assert_int_equal(put(SLU_VERDICT_TEXT_MAX, "x", false).len, SLU_VERDICT_TEXT_MAX);
    assert_int_equal(put(SLU_VERDICT_TEXT_MAX + 1, "x", false).len, SLU_VERDICT_TEXT_MAX);
    assert_text(put(1, "short", true), "short");
    /* Cut between characters: 170 × 3 bytes fit 512. */
    assert_int_equal(put(300, "\xE2\x82\xAC", false).len, 510);
    assert_text(put(1, "", true), "");
    assert_int_equal(verdict.scratch.len, 3 * SLU_VERDICT_TEXT_MAX + 5 + 510);
}

static void a_text_beyond_the_scratch_spoils_nothing(void **state)
{
    (void)state;
    struct slu_text_ref before = put(1, "before", true);
    assert_int_equal(put(SLU_VERDICT_SCRATCH_MAX, "xy", true).len, 0);
    assert_false(verdict.scratch.failed);
    struct slu_text_ref cut = put(SLU_VERDICT_SCRATCH_MAX, "xy", false);
    assert_int_equal(cut.len, SLU_VERDICT_TEXT_MAX);
    struct slu_text_ref after = put(1, "after", false);
    assert_text(before, "before");
    assert_text(after, "after");
}

static void a_reset_keeps_the_memory(void **state)
{
    (void)state;
    slu_verdict_add(&verdict, "x");
    put(8, "some text", false);
    const char *memory = verdict.scratch.data;
    slu_verdict_reset(&verdict);
    assert_int_equal(verdict.scratch.len, 0);
    assert_ptr_equal(verdict.scratch.data, memory);
    assert_text(put(1, "again", true), "again");
}

static void a_violation_begins_empty(void **state)
{
    (void)state;
    for (int round = 0; round < 2; round++) {
        struct slu_violation *violation = slu_verdict_add(&verdict, "code");
        assert_non_null(violation);
        assert_int_equal(violation->pointer.len, 0);
        assert_int_equal(violation->expected.len, 0);
        assert_int_equal(violation->actual.len, 0);
        assert_int_equal(violation->message.len, 0);
        assert_null(violation->schema);
        violation->actual = put(1, "1", true);
        violation->schema = "oven:1";
        slu_verdict_reset(&verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_verdict_is_born_holding, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_eight_are_kept_and_all_are_counted, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(texts_survive_each_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_json_is_left_out_and_long_text_is_cut, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_text_beyond_the_scratch_spoils_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reset_keeps_the_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_violation_begins_empty, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
