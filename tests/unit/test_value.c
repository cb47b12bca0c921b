/* The value tree: members by key, names of kinds, and the tree as JSON text. */
#include "validation/payload/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct slu_payload_reader *reader;

static int open_reader(void **state)
{
    (void)state;
    reader = slu_payload_reader_new(1 << 20);
    return reader == NULL;
}

static int close_reader(void **state)
{
    (void)state;
    slu_payload_reader_free(reader);
    return 0;
}

static struct slu_payload read_json(const char *text)
{
    struct slu_payload payload;
    assert_true(slu_payload_read(reader, SLU_FORMAT_JSON, slu_slice_of(text), &payload));
    return payload;
}

static void a_tree_is_cells_in_document_order(void **state)
{
    (void)state;
    struct slu_payload payload = read_json("{\"oven\":7,\"t\":[20.5,21]}");
    const struct slu_value *cell = payload.root;
    assert_int_equal(slu_value_kind(&cell[0]), SLU_VALUE_OBJECT);
    assert_int_equal(slu_value_len(&cell[0]), 2);
    assert_int_equal(cell[0].size, 7 * 16);
    assert_true(slu_slice_equal(slu_value_text(&cell[1]), SLU_SLICE("oven")));
    assert_int_equal(slu_value_variant(&cell[2]), SLU_VALUE_UINT);
    assert_int_equal(cell[2].u64, 7);
    assert_int_equal(slu_value_kind(&cell[4]), SLU_VALUE_ARRAY);
    assert_int_equal(cell[4].size, 3 * 16);
    assert_int_equal(slu_value_variant(&cell[5]), SLU_VALUE_REAL);
    assert_true(cell[5].f64 == 20.5);
    assert_ptr_equal(slu_value_next(&cell[4]), &cell[7]);
    assert_ptr_equal(slu_value_next(&cell[0]), &cell[7]);
}

static void members_are_found_by_their_unescaped_key(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        long long value; /* -1: absent */
    } cases[] = {
        {"a", 1},        {"", 2},        {"long key with \"quotes\"", 3},
        {"\xC3\xA4", 4}, {"nested", -1}, {"b", -1},
        {"A", -1},       {"last", 5},
    };
    struct slu_payload payload =
        read_json("{\"\\u0061\":1,\"\":2,\"long key with \\\"quotes\\\"\":3,\"\\u00e4\":4,"
                  "\"x\":{\"nested\":9},\"y\":[1,[2]],\"last\":5}");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct slu_value *value = slu_value_get(payload.root, slu_slice_of(cases[i].key));
        if (cases[i].value < 0)
            assert_null(value);
        else
            assert_int_equal(value->u64, cases[i].value);
    }
    assert_null(slu_value_get(NULL, SLU_SLICE("a")));
    assert_null(slu_value_get(read_json("[1]").root, SLU_SLICE("0")));
    assert_null(slu_value_get(read_json("{}").root, SLU_SLICE("")));
}

static void a_key_may_hold_nul(void **state)
{
    (void)state;
    struct slu_payload payload = read_json("{\"a\\u0000b\":1,\"a\":2}");
    assert_int_equal(slu_value_get(payload.root, slu_slice("a\0b", 3))->u64, 1);
    assert_int_equal(slu_value_get(payload.root, SLU_SLICE("a"))->u64, 2);
}

static void kinds_are_named_as_in_json_schema(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"null", "null"},   {"true", "boolean"}, {"1", "number"},
        {"-1", "number"},   {"1.5", "number"},   {"1e999", "number"},
        {"\"\"", "string"}, {"[]", "array"},     {"{}", "object"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(slu_value_kind_name(read_json(cases[i][0]).root), cases[i][1]);
}

static void a_tree_is_written_as_json(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"null", "null"},
        {" true ", "true"},
        {"false", "false"},
        {"0", "0"},
        {"-0", "-0"},
        {"18446744073709551615", "18446744073709551615"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"18446744073709551616", "18446744073709551616"},
        {"1e400", "1e400"},
        {"0.1", "0.1"},
        {"\"\\u0041\\n\\\"\\u0000\"", "\"A\\n\\\"\\u0000\""},
        {"[]", "[]"},
        {"{}", "{}"},
        {"[ [ ] , { } , [ [ ] ] ]", "[[],{},[[]]]"},
        {"{\"a\":{},\"b\":[{}],\"c\":{\"d\":[1,{\"e\":null}]},\"f\":0}",
         "{\"a\":{},\"b\":[{}],\"c\":{\"d\":[1,{\"e\":null}]},\"f\":0}"},
        {"[1,[2,[3,[4]]],5]", "[1,[2,[3,[4]]],5]"},
    };
    struct slu_buf out;
    slu_buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        slu_buf_reset(&out);
        assert_true(slu_value_json(read_json(cases[i][0]).root, &out));
        assert_string_equal(slu_buf_text(&out), cases[i][1]);
    }
    slu_buf_fini(&out);
}

static void writing_beyond_the_buffers_ceiling_fails(void **state)
{
    (void)state;
    struct slu_payload payload = read_json("[[[\"0123456789\"]],[1,2,3]]");
    struct slu_buf out;
    for (size_t max = 0; max < 26; max++) {
        slu_buf_init(&out, max);
        assert_false(slu_value_json(payload.root, &out));
        slu_buf_fini(&out);
    }
    slu_buf_init(&out, 26);
    assert_true(slu_value_json(payload.root, &out));
    slu_buf_fini(&out);
}

static void a_tree_too_deep_to_be_written_is_refused(void **state)
{
    (void)state;
    static struct slu_value cells[2001];
    for (size_t i = 0; i < 2000; i++)
        cells[i] = (struct slu_value){.tag = SLU_VALUE_ARRAY | 1 << 8, .size = (2001 - i) * 16};
    cells[2000] = (struct slu_value){.tag = SLU_VALUE_NULL, .u64 = 0};
    struct slu_buf out;
    slu_buf_init(&out, 1 << 20);
    assert_false(slu_value_json(cells, &out));
    slu_buf_reset(&out);
    assert_true(slu_value_json(cells + 1000, &out));
    assert_int_equal(out.len, 1000 + 4 + 1000);
    slu_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_cells_in_document_order),
        cmocka_unit_test(members_are_found_by_their_unescaped_key),
        cmocka_unit_test(a_key_may_hold_nul),
        cmocka_unit_test(kinds_are_named_as_in_json_schema),
        cmocka_unit_test(a_tree_is_written_as_json),
        cmocka_unit_test(writing_beyond_the_buffers_ceiling_fails),
        cmocka_unit_test(a_tree_too_deep_to_be_written_is_refused),
    };
    return cmocka_run_group_tests(tests, open_reader, close_reader);
}
