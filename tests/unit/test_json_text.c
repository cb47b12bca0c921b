/* test_json_text.c -- JSON as text: escapes, numbers in any locale, one line. */
#include "base/json_text.h"

#include "base/random.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void strings_are_escaped_as_the_rfc_demands(void **state)
{
    (void)state;
    static const struct {
        struct slu_slice text;
        const char *json;
    } cases[] = {
        {{NULL, 0}, "\"\""},
        {{"plain", 5}, "\"plain\""},
        {{"a\"b\\c/d", 7}, "\"a\\\"b\\\\c/d\""},
        {{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
        {{"\0\x01\x1F\x7F", 4}, "\"\\u0000\\u0001\\u001f\x7F\""},
        {{"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9}, "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        {{"a\xFF", 2}, "\"a\xEF\xBF\xBD\""},
        {{"\xC3", 1}, "\"\xEF\xBF\xBD\""},
        {{"\xED\xA0\x80", 3}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {{"\xE2\x82\"", 3}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\\\"\""},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slu_buf out;
        slu_buf_init(&out, 1000);
        assert_true(slu_json_text_string(&out, cases[i].text));
        assert_string_equal(slu_buf_text(&out), cases[i].json);
        slu_buf_fini(&out);
    }
}

static void any_bytes_give_a_string_without_control_bytes(void **state)
{
    (void)state;
    struct slu_random random;
    slu_random_seed(&random, 11);

    for (int round = 0; round < 5000; round++) {
        char bytes[50];
        for (size_t i = 0; i < sizeof(bytes); i++)
            bytes[i] = (char)slu_random_next(&random);
        struct slu_buf out;
        slu_buf_init(&out, 1000);
        assert_true(slu_json_text_string(&out, slu_slice(bytes, sizeof(bytes))));
        assert_true(slu_utf8_valid(out.data, out.len));
        for (size_t i = 0; i < out.len; i++)
            assert_true((unsigned char)out.data[i] >= 0x20);
        slu_buf_fini(&out);
    }
}

static void integers_keep_every_digit(void **state)
{
    (void)state;
    static const struct {
        int64_t number;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-1, "-1"},
        {1234567890, "1234567890"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct slu_buf out;
        slu_buf_init(&out, 100);
        assert_true(slu_json_text_int(&out, cases[i].number));
        assert_string_equal(slu_buf_text(&out), cases[i].text);
        slu_buf_fini(&out);
    }
}

static const struct {
    double number;
    const char *text;
} doubles[] = {
    {0.0, "0"},
    {-0.0, "-0"},
    {1.0, "1"},
    {-1.5, "-1.5"},
    {0.1, "0.1"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3.0, "0.3333333333333333"},
    {271.3, "271.3"},
    {1e22, "1e+22"},
    {1e-7, "1e-07"},
    {9007199254740993.0, "9007199254740992"},
    {DBL_MAX, "1.7976931348623157e+308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {5e-324, "5e-324"},
    {1.5e-320, "1.5e-320"},
    {NAN, "null"},
    {INFINITY, "null"},
    {-INFINITY, "null"},
};

static void check_doubles(void)
{
    for (size_t i = 0; i < COUNT(doubles); i++) {
        struct slu_buf out;
        slu_buf_init(&out, 100);
        assert_true(slu_json_text_double(&out, doubles[i].number));
        assert_string_equal(slu_buf_text(&out), doubles[i].text);
        slu_buf_fini(&out);
    }
}

static void doubles_are_written_with_the_fewest_digits(void **state)
{
    (void)state;
    check_doubles();
}

/* A broker may have called setlocale(). Which locales a machine has is luck, so the two functions
 * that follow it are made to write and read another point here. */
static const char *locale_point; /* NULL: the C locale */
int __wrap_snprintf(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
double __real_strtod(const char *text, char **end);
double __wrap_strtod(const char *text, char **end);

int __wrap_snprintf(char *out, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(out, size, format, args);
    va_end(args);

    char *point = locale_point != NULL ? strchr(out, '.') : NULL;
    if (point == NULL)
        return len;
    const size_t point_len = strlen(locale_point);
    memmove(point + point_len, point + 1, strlen(point + 1) + 1);
    memcpy(point, locale_point, point_len);
    return len + (int)point_len - 1;
}

double __wrap_strtod(const char *text, char **end)
{
    const char *point = locale_point != NULL ? strstr(text, locale_point) : NULL;
    if (point == NULL)
        return __real_strtod(text, end);
    char plain[100] = "";
    struct slu_buf again;
    slu_buf_init(&again, sizeof(plain) - 1);
    slu_buf_add(&again, text, (size_t)(point - text));
    slu_buf_add_char(&again, '.');
    slu_buf_add_text(&again, point + strlen(locale_point));
    memcpy(plain, slu_buf_text(&again), again.len);
    slu_buf_fini(&again);
    return __real_strtod(plain, NULL);
}

static void the_locale_does_not_change_the_decimal_point(void **state)
{
    (void)state;
    static const char *const points[] = {",", "\xD9\xAB" /* U+066B */};
    for (size_t i = 0; i < COUNT(points); i++) {
        locale_point = points[i];
        check_doubles();
    }
    locale_point = NULL;
}

/* RFC 8259 §6, and nothing behind the number. */
static bool is_json_number(const char *text)
{
    text += *text == '-';
    const size_t whole = strspn(text, "0123456789");
    if (whole == 0 || (whole > 1 && text[0] == '0'))
        return false;
    text += whole;
    if (*text == '.') {
        const size_t fraction = strspn(text + 1, "0123456789");
        if (fraction == 0)
            return false;
        text += 1 + fraction;
    }
    if (*text == 'e') {
        text += 1 + (text[1] == '+' || text[1] == '-');
        const size_t exponent = strspn(text, "0123456789");
        if (exponent == 0)
            return false;
        text += exponent;
    }
    return *text == '\0';
}

static void any_double_reads_back_as_itself(void **state)
{
    (void)state;
    struct slu_random random;
    slu_random_seed(&random, 13);

    for (int round = 0; round < 20000; round++) {
        const uint64_t bits = slu_random_next(&random);
        double number = 0;
        memcpy(&number, &bits, sizeof(number));
        if (!isfinite(number))
            continue;
        struct slu_buf out;
        slu_buf_init(&out, 100);
        assert_true(slu_json_text_double(&out, number));
        assert_true(is_json_number(slu_buf_text(&out)));
        assert_true(strtod(slu_buf_text(&out), NULL) == number);
        slu_buf_fini(&out);
    }
}

static void line_ends_between_tokens_become_blanks(void **state)
{
    (void)state;
    struct slu_buf out;
    slu_buf_init(&out, 100);
    assert_true(
        slu_json_text_one_line(&out, SLU_SLICE("{\r\n\t\"a\": \"\\n\",\n\"b\":[1,\n2]}\n")));
    assert_string_equal(slu_buf_text(&out), "{  \t\"a\": \"\\n\", \"b\":[1, 2]} ");
    slu_buf_reset(&out);
    assert_true(slu_json_text_one_line(&out, slu_slice(NULL, 0)));
    assert_int_equal(out.len, 0);
    slu_buf_fini(&out);
}

static void a_full_buffer_fails(void **state)
{
    (void)state;
    struct slu_buf out;
    slu_buf_init(&out, 5);
    assert_false(slu_json_text_string(&out, SLU_SLICE("\x01\x02\x03")));
    assert_false(slu_json_text_int(&out, 1));
    assert_false(slu_json_text_double(&out, 1));
    assert_false(slu_json_text_double(&out, NAN));
    assert_false(slu_json_text_one_line(&out, SLU_SLICE("[]")));
    assert_false(slu_json_text_one_line(&out, SLU_SLICE("")));
    slu_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped_as_the_rfc_demands),
        cmocka_unit_test(any_bytes_give_a_string_without_control_bytes),
        cmocka_unit_test(integers_keep_every_digit),
        cmocka_unit_test(doubles_are_written_with_the_fewest_digits),
        cmocka_unit_test(the_locale_does_not_change_the_decimal_point),
        cmocka_unit_test(any_double_reads_back_as_itself),
        cmocka_unit_test(line_ends_between_tokens_become_blanks),
        cmocka_unit_test(a_full_buffer_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
