/* Whole JSON documents: kept, exact, and every cell knows its place. */
#include "base/buf.h"
#include "base/err.h"
#include "validation/payload/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct slu_document *parse(const char *text)
{
    struct slu_document *document = slu_document_parse(slu_slice_of(text), 64, NULL);
    assert_non_null(document);
    return document;
}

static void a_document_outlives_its_text(void **state)
{
    (void)state;
    char text[] = "{\"a\":[\"x\\n\",1.50],\"\\u0062\":18446744073709551616}";
    const size_t len = sizeof(text) - 1;
    struct slu_document *document = slu_document_parse(slu_slice(text, len), 64, NULL);
    assert_non_null(document);
    memset(text, '?', len);
    assert_int_equal(document->text.len, len);
    assert_true(slu_slice_starts_with(document->text, SLU_SLICE("{\"a\":[")));

    struct slu_buf out;
    slu_buf_init(&out, 1024);
    assert_true(slu_value_json(document->root, &out));
    assert_string_equal(slu_buf_text(&out), "{\"a\":[\"x\\n\",1.5],\"b\":18446744073709551616}");
    slu_buf_reset(&out);
    assert_true(slu_value_json(document->raw_root, &out));
    assert_string_equal(slu_buf_text(&out), "{\"a\":[\"x\\n\",1.50],\"b\":18446744073709551616}");
    slu_buf_fini(&out);
    slu_document_free(document);
    slu_document_free(NULL);
}

static void a_document_has_the_digits_of_its_numbers(void **state)
{
    (void)state;
    struct slu_document *document = parse("[0.1000000000000000000000001, 7, -3, 1e400, 2e0]");
    static const char *const digits[] = {"0.1000000000000000000000001", "7", "-3", "1e400", "2"};
    for (size_t i = 0; i < 5; i++) {
        struct slu_decimal expected = slu_decimal_of(slu_slice_of(digits[i]));
        struct slu_decimal number = slu_document_digits(document, document->root + 1 + i);
        struct slu_decimal raw = slu_document_digits(document, document->raw_root + 1 + i);
        assert_int_equal(slu_decimal_compare(&number, &expected), 0);
        assert_int_equal(slu_decimal_compare(&raw, &expected), 0);
    }
    slu_document_free(document);
}

static void every_cell_has_a_line_and_a_column(void **state)
{
    (void)state;
    struct slu_document *document = parse(" {\n"
                                          "  \"a\": [1, [\"\\\"]\", {}]],\n"
                                          "\"b\":true,\n"
                                          "  \"c : , { [\" \t: -1.5e3 ,\r\n"
                                          "  \"\xC3\xA4\":\"x\"}\n");
    const size_t n = (size_t)(slu_value_next(document->root) - document->root);
    assert_int_equal(n, 13);
    static const struct {
        unsigned line, column;
    } expected[] = {
        {1, 2}, {2, 3}, {2, 8}, {2, 9},  {2, 12}, {2, 13}, {2, 20},
        {3, 1}, {3, 5}, {4, 3}, {4, 18}, {5, 3},  {5, 8},
    };
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        unsigned line, column;
        slu_document_place(document, document->root + i, &line, &column);
        assert_int_equal(line, expected[i].line);
        assert_int_equal(column, expected[i].column);
        slu_document_place(document, document->raw_root + i, &line, &column);
        assert_int_equal(line, expected[i].line);
        assert_int_equal(column, expected[i].column);
    }
    slu_document_free(document);
}

static void a_bad_document_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned line, column; /* 0: whatever */
        const char *pointer;
        const char *says;
    } cases[] = {
        {"", 1, 1, "", "no JSON value"},
        {"{\n  \"a\": tru\n}", 2, 0, "", ""},
        {"{\"a\":1}\n x", 2, 2, "", "follows"},
        {"[\"\xC3\xA4\",\n\"\xE4\"]", 2, 2, "", "UTF-8"},
        {"[\n\n \"\\uD800\"]", 3, 3, "", "surrogate"},
        {"{\"a\":{\"k\":1,\n \"b\":2,\"\\u006B\":3}}", 2, 8, "/a/k", "\"\\u006B\""},
        {"{\"a\":1,\"b/\":[[[[2]]]]}", 1, 15, "/b~1/0/0", "deeper than 3"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_err err = {0};
        assert_null(slu_document_parse(slu_slice_of(cases[i].text), 3, &err));
        assert_null(slu_document_parse(slu_slice_of(cases[i].text), 3, NULL));
        assert_int_equal(err.kind, SLU_EINVAL);
        assert_non_null(strstr(err.text, cases[i].says));
        assert_string_equal(err.pointer, cases[i].pointer);
        assert_int_equal(err.line, cases[i].line);
        if (cases[i].column != 0)
            assert_int_equal(err.column, cases[i].column);
    }
}

static void a_long_key_is_shown_in_part(void **state)
{
    (void)state;
    struct slu_buf text;
    slu_buf_init(&text, 8192);
    for (int member = 0; member < 2; member++) {
        slu_buf_add_text(&text, member == 0 ? "{\"" : ",\"");
        for (int i = 0; i < 1000; i++)
            slu_buf_add_text(&text, "\xC3\xA4");
        slu_buf_add_text(&text, "\":1");
    }
    slu_buf_add_char(&text, '}');
    struct slu_err err = {0};
    assert_null(slu_document_parse(slu_buf_slice(&text), 64, &err));
    assert_true(strlen(err.text) < 128);
    assert_non_null(strstr(err.text, "\xC3\xA4…"));
    slu_buf_fini(&text);
}

static void the_caller_bounds_the_nesting(void **state)
{
    (void)state;
    enum { N = 1100 };
    static char text[2 * N];
    memset(text, '[', N);
    memset(text + N, ']', N);
    static const struct {
        size_t levels, max;
        bool holds;
    } cases[] = {{1, 1, true},           {2, 1, false},          {200, 200, true},
                 {201, 200, false},      {1024, 1024, true},     {1025, 1024, false},
                 {1024, SIZE_MAX, true}, {1025, SIZE_MAX, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct slu_slice nest = slu_slice(text + N - cases[i].levels, 2 * cases[i].levels);
        struct slu_document *document = slu_document_parse(nest, cases[i].max, NULL);
        assert_int_equal(document != NULL, cases[i].holds);
        slu_document_free(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_outlives_its_text),
        cmocka_unit_test(a_document_has_the_digits_of_its_numbers),
        cmocka_unit_test(every_cell_has_a_line_and_a_column),
        cmocka_unit_test(a_bad_document_is_told_with_its_place),
        cmocka_unit_test(a_long_key_is_shown_in_part),
        cmocka_unit_test(the_caller_bounds_the_nesting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
