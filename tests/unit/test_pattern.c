/* Reading ECMA-262 patterns: what is refused, and where; what PCRE2 is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "validation/json_schema/pattern.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *pattern;
    const char *text; /* of the error */
} refused[] = {
    {"*a", "character 1: there is nothing to repeat"},
    {"a|+", "character 3: there is nothing to repeat"},
    {"a**", "character 3: there is nothing to repeat"},
    {"a++", "character 3: there is nothing to repeat"},
    {"a{2}{3}", "character 5: there is nothing to repeat"},
    {"{2}", "character 1: there is nothing to repeat"},
    {"^*", "character 2: there is nothing to repeat"},
    {"\\b+", "character 3: there is nothing to repeat"},
    {"(?=a)*", "character 6: there is nothing to repeat"},
    {"a{3,2}", "character 2: a quantifier whose end is below its start"},
    {"a{,2}", "character 2: {, is no quantifier"},
    {"(a", "character 1: a parenthesis is not closed"},
    {"ab)", "character 3: a parenthesis that was never opened"},
    {"x[a", "character 2: a class is not closed"},
    {"[z-a]", "character 2: a range that ends before it begins"},
    {"\xC3\xA9\\", "character 2: a backslash with nothing behind it"},
    {"\\A", "character 1: ECMA-262 has no such escape"},
    {"a\\Z", "character 2: ECMA-262 has no such escape"},
    {"\\a", "character 1: ECMA-262 has no such escape"},
    {"\\Qx\\E", "character 1: ECMA-262 has no such escape"},
    {"[\\h]", "character 2: ECMA-262 has no such escape"},
    {"\\01", "character 1: ECMA-262 has no such escape"},
    {"(?i)a", "character 1: ECMA-262 has no such group"},
    {"(?#x)", "character 1: ECMA-262 has no such group"},
    {"(?>a)", "character 1: ECMA-262 has no such group"},
    {"(?P<n>a)", "character 1: ECMA-262 has no such group"},
    {"(?R)", "character 1: ECMA-262 has no such group"},
    {"\\1", "character 1: there is no group of this number"},
    {"(a)\\2", "character 4: there is no group of this number"},
    {"\\k<x>", "character 1: no group has this name"},
    {"(?<x>a)\\k<y>", "character 8: no group has this name"},
    {"\\k", "character 1: no group has this name"},
    {"(?<x>a)(?<x>b)", "character 11: another group has this name"},
    {"(?<>a)", "character 4: a group's name is missing"},
    {"(?<1>a)", "character 4: a group's name takes"},
    {"(?<a", "character 4: a group's name is missing"},
    {"\\xg", "character 3: a hexadecimal digit is missing"},
    {"\\u12", "character 5: a hexadecimal digit is missing"},
    {"\\u{}", "character 4: \\u{} names no character"},
    {"\\u{110000}", "there is no character beyond"},
    {"\\u{12", "character 6: a hexadecimal digit is missing"},
    {"\\c1", "character 1: \\c takes a letter"},
    {"\\pL", "character 1: \\p takes a property in braces"},
    {"\\p{L", "character 1: \\p{ is not closed"},
    {"\\p{Nonsense}", "character 1: ECMA-262 has no such property"},
    {"\\p{Greek}", "character 1: ECMA-262 has no such property"},
    {"[\\p{sc=}]", "character 2: ECMA-262 has no such property"},
};

static const struct {
    const char *pattern, *translation;
} translated[] = {
    {"", ""},
    {"a", "a"},
    {"^a$", "\\Aa\\z"},
    {".", "[\\x{0}-\\x{9}\\x{b}-\\x{c}\\x{e}-\\x{2027}\\x{202a}-\\x{d7ff}\\x{e000}-\\x{10ffff}]"},
    {"\\d", "[0-9]"},
    {"[^\\W_]", "[0-9A-Za-z]"},
    {"[]", "(?!)"},
    {"[^]", "[\\x{0}-\\x{d7ff}\\x{e000}-\\x{10ffff}]"},
    {"\\ud83d\\ude00", "\\x{1f600}"},
    {"\\u{1F600}", "\\x{1f600}"},
    {"\\ud83d", "(?!)"},
    {"[\\b]\\cJ\\0", "\\x{8}\\x{a}\\x{0}"},
    {"(?<n>a)\\k<n>\\1", "(a)\\g{1}\\g{1}"},
    {"\\k<n>(?<n>a)", "\\g{1}(a)"},
    {"(?:a|b)*?", "(?:(?C1)(?:(?C1)a|(?C1)b)){0,}?"},
    {"a{2,}", "(?:a){2,}(?C1)"},
    {"a{0}", "(?:a){0,0}(?C1)"},
    {"(?=a)(?!b)(?<=c)(?<!d)", "(?=a)(?!b)(?<=c)(?<!d)"},
    {"\\b\\B", "\\b\\B"},
    {"\\p{Letter}", "[\\p{L}]"},
    {"[^\\p{digit}\\P{Script=Greek}x]", "[^x\\P{sc:Greek}\\p{Nd}]"},
    {"\\p{Assigned}", "[\\P{Cn}]"},
    {"a{b}]", "a\\x{7b}b\\x{7d}\\x{5d}"},
    {"\\-\\/\\#\\_", "\\x{2d}\\x{2f}\\x{23}\\x{5f}"},
    {"[a-]", "[\\x{2d}a]"},
    {"[\\w-]", "[\\x{2d}0-9A-Z\\x{5f}a-z]"},
};

static void what_ecma_262_does_not_have_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct slu_arena arena;
        struct slu_err err = {0};
        slu_arena_init(&arena, 1u << 20);
        if (slu_pattern_parse(slu_slice_of(refused[i].pattern), &arena, &err) != NULL)
            fail_msg("%s was accepted", refused[i].pattern);
        if (strstr(err.text, refused[i].text) == NULL)
            fail_msg("%s: %s", refused[i].pattern, err.text);
        slu_arena_fini(&arena);
    }
}

static void every_construct_is_written_out_for_pcre2(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(translated) / sizeof(translated[0]); i++) {
        struct slu_arena arena;
        struct slu_buf out;
        struct slu_err err = {0};
        slu_arena_init(&arena, 1u << 20);
        slu_buf_init(&out, 1u << 16);
        const struct slu_pattern *pattern =
            slu_pattern_parse(slu_slice_of(translated[i].pattern), &arena, &err);
        if (pattern == NULL)
            fail_msg("%s: %s", translated[i].pattern, err.text);
        slu_pattern_translate(pattern, &out, &err);
        assert_string_equal(slu_buf_text(&out), translated[i].translation);
        slu_buf_fini(&out);
        slu_arena_fini(&arena);
    }
}

static void parentheses_are_nested_to_a_limit(void **state)
{
    (void)state;
    for (int depth = SLU_PATTERN_MAX_DEPTH; depth <= SLU_PATTERN_MAX_DEPTH + 1; depth++) {
        char text[2 * SLU_PATTERN_MAX_DEPTH + 3];
        memset(text, '(', (size_t)depth);
        memset(text + depth, ')', (size_t)depth);
        struct slu_arena arena;
        struct slu_err err = {0};
        slu_arena_init(&arena, 1u << 20);
        const bool read =
            slu_pattern_parse(slu_slice(text, 2 * (size_t)depth), &arena, &err) != NULL;
        assert_int_equal(read, depth == SLU_PATTERN_MAX_DEPTH);
        slu_arena_fini(&arena);
    }
}

static void no_memory_is_an_error_at_every_step(void **state)
{
    (void)state;
    const struct slu_slice text = SLU_SLICE("^(?<n>[a-z0-9_.\\s]+|\\p{L}{2,3})\\k<n>(?=x|y)*$");
    for (size_t max = 0; max < 1500; max += 16) {
        struct slu_arena arena;
        struct slu_err err = {0};
        slu_arena_init(&arena, max);
        assert_null(slu_pattern_parse(text, &arena, &err));
        assert_int_equal(err.kind, SLU_EINVAL);
        slu_arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_ecma_262_does_not_have_is_refused_with_its_place),
        cmocka_unit_test(every_construct_is_written_out_for_pcre2),
        cmocka_unit_test(parentheses_are_nested_to_a_limit),
        cmocka_unit_test(no_memory_is_an_error_at_every_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
