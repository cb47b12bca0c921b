/* JSON Pointer: compiled, followed, and found backwards. */
#include "base/arena.h"
#include "base/err.h"
#include "validation/payload/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct slu_payload_reader *reader;
static struct slu_arena arena;

static int open_reader(void **state)
{
    (void)state;
    slu_arena_init(&arena, 1 << 20);
    reader = slu_payload_reader_new(1 << 20);
    return reader == NULL;
}

static int close_reader(void **state)
{
    (void)state;
    slu_payload_reader_free(reader);
    slu_arena_fini(&arena);
    return 0;
}

/* The example of RFC 6901 §5, and arrays. */
static const char document[] =
    "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,\"g|h\":4,\"i\\\\j\":5,"
    "\"k\\\"l\":6,\" "
    "\":7,\"m~n\":8,\"deep\":[[1,2],{\"x\":[10,[20,30],40]},\"end\"],\"0\":\"zero\"}";

static void a_pointer_leads_to_its_value(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"/foo", "[\"bar\",\"baz\"]"},
        {"/foo/0", "\"bar\""},
        {"/foo/1", "\"baz\""},
        {"/foo/2", NULL},
        {"/foo/-", NULL},
        {"/foo/01", NULL},
        {"/foo/00", NULL},
        {"/foo/+1", NULL},
        {"/foo/1e0", NULL},
        {"/foo/", NULL},
        {"/foo/18446744073709551616", NULL},
        {"/foo/99999999999999999999999999", NULL},
        {"/foo/0/0", NULL},
        {"/", "0"},
        {"//", NULL},
        {"/a~1b", "1"},
        {"/c%d", "2"},
        {"/e^f", "3"},
        {"/g|h", "4"},
        {"/i\\j", "5"},
        {"/k\"l", "6"},
        {"/ ", "7"},
        {"/m~0n", "8"},
        {"/m~01n", NULL},
        {"/deep/0/1", "2"},
        {"/deep/1/x/1/0", "20"},
        {"/deep/1/x/2", "40"},
        {"/deep/2", "\"end\""},
        {"/0", "\"zero\""},
        {"/nothing/at/all", NULL},
    };
    struct slu_payload payload;
    struct slu_buf out;
    slu_buf_init(&out, 4096);
    assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, slu_slice_of(document), &payload));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_pointer pointer;
        assert_int_equal(slu_pointer_compile(slu_slice_of(cases[i][0]), &arena, &pointer, NULL), 0);
        assert_true(slu_slice_equal(pointer.text, slu_slice_of(cases[i][0])));
        const struct slu_value *value = slu_pointer_find(&pointer, payload.root);
        if (cases[i][1] == NULL) {
            assert_null(value);
            continue;
        }
        assert_non_null(value);
        slu_buf_reset(&out);
        assert_true(slu_value_json(value, &out));
        assert_string_equal(slu_buf_text(&out), cases[i][1]);
    }
    slu_buf_fini(&out);
}

static void the_empty_pointer_is_the_root_even_when_there_is_none(void **state)
{
    (void)state;
    struct slu_payload payload;
    struct slu_pointer pointer;
    assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, SLU_SLICE("7"), &payload));
    assert_int_equal(slu_pointer_compile(SLU_SLICE(""), &arena, &pointer, NULL), 0);
    assert_ptr_equal(slu_pointer_find(&pointer, payload.root), payload.root);
    assert_null(slu_pointer_find(&pointer, NULL));
}

static void a_text_that_is_no_pointer_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"a",   "a/b",    " /a",  "/~", "/a~",
                                        "/~2", "/a~b/c", "/~/a", "#/a"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_pointer pointer;
        struct slu_err err = {0};
        assert_int_equal(slu_pointer_compile(slu_slice_of(cases[i]), &arena, &pointer, &err), -1);
        assert_int_equal(err.kind, SLU_EINVAL);
        assert_true(err.text[0] != '\0');
    }
    static char steps[4096];
    memset(steps, '/', sizeof(steps));
    struct slu_pointer pointer;
    assert_int_equal(slu_pointer_compile(slu_slice(steps, sizeof(steps)), &arena, &pointer, NULL),
                     -1);
}

static void no_memory_for_a_pointer_is_an_error(void **state)
{
    (void)state;
    struct slu_arena small;
    struct slu_pointer pointer;
    struct slu_err err = {0};
    slu_arena_init(&small, 16);
    assert_int_equal(slu_pointer_compile(SLU_SLICE("/a/b/c/d"), &small, &pointer, &err), -1);
    assert_int_equal(err.kind, SLU_ENOMEM);
    slu_arena_fini(&small);
}

/* Every value's own pointer leads back to it; a key has the pointer of its member. */
static void the_way_back_is_the_way_there(void **state)
{
    (void)state;
    struct slu_payload payload;
    struct slu_buf out;
    slu_buf_init(&out, 4096);
    assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, slu_slice_of(document), &payload));
    const size_t n = (size_t)(slu_value_next(payload.root) - payload.root);
    size_t keys = 0;
    for (size_t i = 0; i < n; i++) {
        struct slu_pointer pointer;
        slu_buf_reset(&out);
        slu_value_pointer(payload.root, payload.root + i, &out);
        assert_int_equal(slu_pointer_compile(slu_buf_slice(&out), &arena, &pointer, NULL), 0);
        const struct slu_value *found = slu_pointer_find(&pointer, payload.root);
        keys += found == payload.root + i + 1;
        assert_true(found == payload.root + i || found == payload.root + i + 1);
    }
    assert_int_equal(keys, 13);
    slu_buf_fini(&out);
}

static void steps_back_are_escaped(void **state)
{
    (void)state;
    struct slu_payload payload;
    struct slu_buf out;
    slu_buf_init(&out, 4096);
    assert_true(
        slu_payload_read(reader, SLU_FORMAT_JSON, SLU_SLICE("{\"~/~1\":[1,{\"\":2}]}"), &payload));
    slu_value_pointer(payload.root, payload.root + 5, &out);
    assert_string_equal(slu_buf_text(&out), "/~0~1~01/1/");
    slu_buf_reset(&out);
    slu_value_pointer(payload.root, payload.root, &out);
    assert_string_equal(slu_buf_text(&out), "");
    slu_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pointer_leads_to_its_value),
        cmocka_unit_test(the_empty_pointer_is_the_root_even_when_there_is_none),
        cmocka_unit_test(a_text_that_is_no_pointer_is_refused),
        cmocka_unit_test(no_memory_for_a_pointer_is_an_error),
        cmocka_unit_test(the_way_back_is_the_way_there),
        cmocka_unit_test(steps_back_are_escaped),
    };
    return cmocka_run_group_tests(tests, open_reader, close_reader);
}
