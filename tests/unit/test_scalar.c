/* Payloads that are one bare value: number, boolean, string, bytes. */
#include "validation/payload/payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

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

#define TEXT(literal)                  \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

static struct slu_payload read_as(enum slu_format format, struct slu_slice text)
{
    struct slu_payload payload;
    const bool holds = slu_payload_read(reader, format, text, &payload);
    assert_int_equal(holds, payload.fault == SLU_PAYLOAD_OK);
    assert_int_equal(holds, payload.fault_text == NULL);
    assert_int_equal(payload.format, format);
    assert_true(payload.fault_at <= text.len);
    return payload;
}

static void a_number_stands_alone(void **state)
{
    (void)state;
    static const struct {
        struct slu_slice text;
        const char *digits; /* NULL: it is none */
        enum slu_payload_fault fault;
        size_t at;
    } cases[] = {
        {TEXT("0"), "0", SLU_PAYLOAD_OK, 0},
        {TEXT("-0"), "-0", SLU_PAYLOAD_OK, 0},
        {TEXT("7"), "7", SLU_PAYLOAD_OK, 0},
        {TEXT("-7"), "-7", SLU_PAYLOAD_OK, 0},
        {TEXT("+7"), "7", SLU_PAYLOAD_OK, 0},
        {TEXT(" \t\r\n20.50\r\n"), "20.50", SLU_PAYLOAD_OK, 0},
        {TEXT(" +2.5E+01 "), "2.5E+01", SLU_PAYLOAD_OK, 0},
        {TEXT("0.1000000000000000055511151231257827"), "0.1000000000000000055511151231257827",
         SLU_PAYLOAD_OK, 0},
        {TEXT("123456789012345678901234567890"), "123456789012345678901234567890", SLU_PAYLOAD_OK,
         0},
        {TEXT("1e999"), "1e999", SLU_PAYLOAD_OK, 0},
        {TEXT("18446744073709551615"), "18446744073709551615", SLU_PAYLOAD_OK, 0},
        {TEXT(""), NULL, SLU_PAYLOAD_EMPTY, 0},
        {TEXT(" \r\n"), NULL, SLU_PAYLOAD_EMPTY, 0},
        {TEXT("+"), NULL, SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("-"), NULL, SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("+-1"), NULL, SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("++1"), NULL, SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("-+1"), NULL, SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("+ 1"), NULL, SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("01"), NULL, SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("1."), NULL, SLU_PAYLOAD_MALFORMED, 2},
        {TEXT(".5"), NULL, SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("1e"), NULL, SLU_PAYLOAD_MALFORMED, 2},
        {TEXT("1e+"), NULL, SLU_PAYLOAD_MALFORMED, 3},
        {TEXT("1 2"), NULL, SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("1,5"), NULL, SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("0x1F"), NULL, SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("NaN"), NULL, SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("-inf"), NULL, SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("Infinity"), NULL, SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("20.5 C"), NULL, SLU_PAYLOAD_MALFORMED, 4},
        {TEXT("1\0"), NULL, SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("\0"), NULL, SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("1e\0"), NULL, SLU_PAYLOAD_MALFORMED, 2},
        {TEXT("\v1"), NULL, SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("\xC2\xA0"
              "1"),
         NULL, SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("[1]"), NULL, SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("\"1\""), NULL, SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("true"), NULL, SLU_PAYLOAD_MALFORMED, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_payload payload = read_as(SLU_FORMAT_NUMBER, cases[i].text);
        assert_int_equal(payload.fault, cases[i].fault);
        assert_int_equal(payload.fault_at, cases[i].at);
        if (cases[i].digits == NULL) {
            assert_null(payload.root);
            continue;
        }
        char scratch[32];
        assert_true(slu_value_is_number(payload.root));
        struct slu_slice text = slu_payload_number_text(&payload, payload.root, scratch);
        assert_true(slu_slice_equal(text, slu_slice_of(cases[i].digits)));
        struct slu_decimal digits = slu_payload_digits(&payload, payload.root, scratch);
        struct slu_decimal expected = slu_decimal_of(slu_slice_of(cases[i].digits));
        assert_int_equal(slu_decimal_compare(&digits, &expected), 0);
    }
}

static void a_number_is_read_by_value(void **state)
{
    (void)state;
    assert_int_equal(read_as(SLU_FORMAT_NUMBER, SLU_SLICE("42")).root->u64, 42);
    assert_int_equal(read_as(SLU_FORMAT_NUMBER, SLU_SLICE("-42")).root->i64, -42);
    assert_true(read_as(SLU_FORMAT_NUMBER, SLU_SLICE("+20.5")).root->f64 == 20.5);
    assert_int_equal(slu_value_kind(read_as(SLU_FORMAT_NUMBER, SLU_SLICE("1e400")).root),
                     SLU_VALUE_BIG);
}

static void a_boolean_is_a_word_of_six_in_any_case(void **state)
{
    (void)state;
    static const struct {
        struct slu_slice text;
        int variant; /* -1: it is none */
        enum slu_payload_fault fault;
    } cases[] = {
        {TEXT("true"), SLU_VALUE_TRUE, SLU_PAYLOAD_OK},
        {TEXT("TRUE"), SLU_VALUE_TRUE, SLU_PAYLOAD_OK},
        {TEXT("False"), SLU_VALUE_FALSE, SLU_PAYLOAD_OK},
        {TEXT("on"), SLU_VALUE_TRUE, SLU_PAYLOAD_OK},
        {TEXT("oFF"), SLU_VALUE_FALSE, SLU_PAYLOAD_OK},
        {TEXT("1"), SLU_VALUE_TRUE, SLU_PAYLOAD_OK},
        {TEXT("0"), SLU_VALUE_FALSE, SLU_PAYLOAD_OK},
        {TEXT(" ON\r\n"), SLU_VALUE_TRUE, SLU_PAYLOAD_OK},
        {TEXT(""), -1, SLU_PAYLOAD_EMPTY},
        {TEXT("  "), -1, SLU_PAYLOAD_EMPTY},
        {TEXT("tru"), -1, SLU_PAYLOAD_MALFORMED},
        {TEXT("truee"), -1, SLU_PAYLOAD_MALFORMED},
        {TEXT("yes"), -1, SLU_PAYLOAD_MALFORMED},
        {TEXT("2"), -1, SLU_PAYLOAD_MALFORMED},
        {TEXT("00"), -1, SLU_PAYLOAD_MALFORMED},
        {TEXT("1.0"), -1, SLU_PAYLOAD_MALFORMED},
        {TEXT("o n"), -1, SLU_PAYLOAD_MALFORMED},
        {TEXT("on\0"), -1, SLU_PAYLOAD_MALFORMED},
        {TEXT("\"true\""), -1, SLU_PAYLOAD_MALFORMED},
        {TEXT("null"), -1, SLU_PAYLOAD_MALFORMED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_payload payload = read_as(SLU_FORMAT_BOOLEAN, cases[i].text);
        assert_int_equal(payload.fault, cases[i].fault);
        if (cases[i].variant >= 0)
            assert_int_equal(slu_value_variant(payload.root), cases[i].variant);
        else
            assert_null(payload.root);
    }
}

static void a_string_is_utf8_without_nul_as_it_came(void **state)
{
    (void)state;
    static const struct {
        struct slu_slice text;
        enum slu_payload_fault fault;
        size_t at;
    } cases[] = {
        {TEXT(""), SLU_PAYLOAD_OK, 0},
        {TEXT(" blanks stay "), SLU_PAYLOAD_OK, 0},
        {TEXT("\xEF\xBB\xBF"
              "with a byte order mark"),
         SLU_PAYLOAD_OK, 0},
        {TEXT("\x01\x1F\x7F\r\n"), SLU_PAYLOAD_OK, 0},
        {TEXT("\xE2\x82\xAC\xF0\x9F\x98\x80"), SLU_PAYLOAD_OK, 0},
        {TEXT("a\0b"), SLU_PAYLOAD_MALFORMED, 1},
        {TEXT("\0"), SLU_PAYLOAD_MALFORMED, 0},
        {TEXT("gr\xFC\xDF"), SLU_PAYLOAD_UTF8, 2},
        {TEXT("\xED\xA0\x80"), SLU_PAYLOAD_UTF8, 0},
        {TEXT("\xE2\x82"), SLU_PAYLOAD_UTF8, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_payload payload = read_as(SLU_FORMAT_STRING, cases[i].text);
        assert_int_equal(payload.fault, cases[i].fault);
        assert_int_equal(payload.fault_at, cases[i].at);
        if (payload.fault != SLU_PAYLOAD_OK)
            continue;
        assert_int_equal(slu_value_kind(payload.root), SLU_VALUE_STRING);
        assert_true(slu_slice_equal(slu_value_text(payload.root), cases[i].text));
    }
    assert_int_equal(read_as(SLU_FORMAT_STRING, slu_slice(NULL, 0)).fault, SLU_PAYLOAD_OK);
}

static void bytes_are_anything(void **state)
{
    (void)state;
    assert_null(read_as(SLU_FORMAT_BYTES, SLU_SLICE("\xFF\0\xC0")).root);
    assert_null(read_as(SLU_FORMAT_BYTES, slu_slice(NULL, 0)).root);
}

static void nothing_is_read_beyond_the_bytes(void **state)
{
    (void)state;
    static const char *const cases[] = {"1",    "-", "1e5", "true", "on",
                                        "word", " ", "+",   "+1",   "\xE2"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const size_t len = strlen(cases[i]);
        char *exact = malloc(len);
        assert_non_null(exact);
        memcpy(exact, cases[i], len);
        for (int format = 0; format < SLU_FORMATS; format++)
            read_as((enum slu_format)format, slu_slice(exact, len));
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_stands_alone),
        cmocka_unit_test(a_number_is_read_by_value),
        cmocka_unit_test(a_boolean_is_a_word_of_six_in_any_case),
        cmocka_unit_test(a_string_is_utf8_without_nul_as_it_came),
        cmocka_unit_test(bytes_are_anything),
        cmocka_unit_test(nothing_is_read_beyond_the_bytes),
    };
    return cmocka_run_group_tests(tests, open_reader, close_reader);
}
