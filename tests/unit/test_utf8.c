/* test_utf8.c -- UTF-8 against a table and against the definition. */
#include "base/utf8.h"

#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Encode by the definition, surrogates and too large numbers included. */
static size_t encode(uint32_t point, char out[4])
{
    const size_t n = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = n; i-- > 1;) {
        out[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    out[0] = (char)(lead[n] | point);
    return n;
}

static void every_code_point_but_surrogates_is_well_formed(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x120000; point++) {
        char bytes[4];
        const size_t n = encode(point, bytes);
        const bool good = point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
        assert_int_equal(slu_utf8_valid(bytes, n), good);
        assert_int_equal(slu_utf8_step(bytes, n), good ? n : 0);
        if (!good || n == 1)
            continue;
        for (size_t cut = 0; cut < n; cut++)
            assert_int_equal(slu_utf8_step(bytes, cut), 0);
    }
}

static void malformed_sequences_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
    } cases[] = {
        {"\x80", 1},
        {"\xBF", 1},
        {"\xC0\x80", 2},
        {"\xC1\xBF", 2},
        {"\xC2", 1},
        {"\xC2\x41", 2},
        {"\xC2\xC2", 2},
        {"\xE0\x80\x80", 3},
        {"\xE0\x9F\xBF", 3},
        {"\xE2\x82", 2},
        {"\xE2\x41\xAC", 3},
        {"\xE2\x82\x41", 3},
        {"\xED\xA0\x80", 3},
        {"\xED\xBF\xBF", 3},
        {"\xF0\x80\x80\x80", 4},
        {"\xF0\x8F\xBF\xBF", 4},
        {"\xF0\x9F\x98", 3},
        {"\xF4\x90\x80\x80", 4},
        {"\xF5\x80\x80\x80", 4},
        {"\xFE", 1},
        {"\xFF", 1},
        {"\xF0\x9F\x98\x41", 4},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_false(slu_utf8_valid(cases[i].bytes, cases[i].n));

        /* Wherever it stands among the steps of eight. */
        for (size_t before = 0; before < 20; before++) {
            char text[64];
            memset(text, 'a', sizeof(text));
            memcpy(text + before, cases[i].bytes, cases[i].n);
            assert_false(slu_utf8_valid(text, before + cases[i].n));
            assert_false(slu_utf8_valid(text, before + cases[i].n + 17));
            assert_true(slu_utf8_valid(text, before));
        }
    }
}

/* Walks by slu_utf8_step(), the form that the table above pins. */
static bool valid_by_steps(const char *bytes, size_t n, size_t *points)
{
    *points = 0;
    for (size_t at = 0; at < n;) {
        const size_t step = slu_utf8_step(bytes + at, n - at);
        if (step == 0)
            return false;
        at += step;
        ++*points;
    }
    return true;
}

static void random_texts_agree_with_the_walk(void **state)
{
    (void)state;
    struct slu_random random;
    slu_random_seed(&random, 3);

    for (int round = 0; round < 20000; round++) {
        char text[80];
        size_t n = 0;
        while (n < 60) {
            static const uint32_t bounds[] = {0x80, 0x80, 0x800, 0x10000, 0x110000};
            n += encode((uint32_t)slu_random_below(&random, bounds[slu_random_below(&random, 5)]),
                        text + n);
        }
        if (round % 3 == 0)
            text[slu_random_below(&random, n)] ^= (char)(1u << slu_random_below(&random, 8));

        size_t points = 0;
        const bool valid = valid_by_steps(text, n, &points);
        assert_int_equal(slu_utf8_valid(text, n), valid);
        if (valid)
            assert_int_equal(slu_utf8_length(text, n), points);
    }
}

static void lengths_count_code_points(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
    } cases[] = {
        {"", 0},
        {"a", 1},
        {"abcdefgh", 8},
        {"abcdefghi", 9},
        {"\xC3\xA9", 1},
        {"\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC", 3},
        {"\xF0\x9F\x98\x80\xF0\x9F\x98\x80", 2},
        {"caf\xC3\xA9 \xF0\x9F\x98\x80 end", 10},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(slu_utf8_length(cases[i].text, strlen(cases[i].text)), cases[i].length);
}

static void cuts_fall_between_code_points(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t max, cut;
    } cases[] = {
        {"abc", 5, 3},
        {"abc", 3, 3},
        {"abc", 2, 2},
        {"abc", 0, 0},
        {"\xC3\xA9", 1, 0},
        {"\xC3\xA9x", 2, 2},
        {"a\xE2\x82\xAC", 3, 1},
        {"a\xE2\x82\xAC", 2, 1},
        {"a\xE2\x82\xAC", 4, 4},
        {"\xF0\x9F\x98\x80z", 3, 0},
        {"\xF0\x9F\x98\x80z", 4, 4},
        {"\x80\x80\x80\x80\x80\x80\x80\x80", 6, 6}, /* nothing to go back to */
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(slu_utf8_cut(cases[i].text, strlen(cases[i].text), cases[i].max),
                         cases[i].cut);
}

static void nothing_is_well_formed(void **state)
{
    (void)state;
    assert_true(slu_utf8_valid(NULL, 0));
    assert_int_equal(slu_utf8_length(NULL, 0), 0);
    assert_int_equal(slu_utf8_step(NULL, 0), 0);
    assert_int_equal(slu_utf8_cut(NULL, 0, 10), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_but_surrogates_is_well_formed),
        cmocka_unit_test(malformed_sequences_are_found),
        cmocka_unit_test(random_texts_agree_with_the_walk),
        cmocka_unit_test(lengths_count_code_points),
        cmocka_unit_test(cuts_fall_between_code_points),
        cmocka_unit_test(nothing_is_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
