/* Matching: the two engines agree with ECMA-262 and with each other, and neither runs away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/random.h"
#include "validation/json_schema/regex.h"
#include "validation/json_schema/run.h"
#include "validation/json_schema/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct slu_schema_scratch *scratch;

static int set_up(void **state)
{
    (void)state;
    scratch = slu_schema_scratch_new();
    return scratch == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    slu_schema_scratch_free(scratch);
    return 0;
}

static struct slu_value string(struct slu_slice text)
{
    return (struct slu_value){.tag = text.len << 8 | SLU_VALUE_STRING, .text = text.data};
}

static bool matches(const struct slu_regex *regex, struct slu_slice text, enum slu_run_stop *stop)
{
    struct slu_run run = {.budget = 1000000, .scratch = scratch};
    const struct slu_value value = string(text);
    const bool result = slu_regex_matches(regex, &run, &value);
    *stop = run.stop;
    return result;
}

static struct slu_regex *compile(const char *pattern)
{
    struct slu_err err = {0};
    struct slu_regex *regex = slu_regex_compile(slu_slice_of(pattern), &err);
    if (regex == NULL)
        fail_msg("%s: %s", pattern, err.text);
    return regex;
}

/* An empty look-ahead changes nothing but asks for PCRE2. */
static struct slu_regex *compile_for_pcre2(const char *pattern)
{
    char text[512];
    snprintf(text, sizeof(text), "(?=)(?:%s)", pattern);
    struct slu_regex *regex = compile(text);
    assert_false(slu_regex_is_linear(regex));
    return regex;
}

static const struct {
    const char *pattern, *text;
    bool matches;
} cases[] = {
    {"", "", true},
    {"", "anything", true},
    {"^$", "", true},
    {"^$", "a", false},
    {"^$", "\n", false},
    {"$^", "", true},
    {"$^", "a", false},
    {"a$", "a\n", false},
    {"^a", "\na", false},
    {"b", "abc", true},
    {"^b", "abc", false},
    {"^a|c$", "abx", true},
    {"^a|c$", "xbc", true},
    {"^a|c$", "xbx", false},
    {"(^a|b)c", "ac", true},
    {"(^a|b)c", "xac", false},
    {"(^a|b)c", "xbc", true},
    {"a(b$|c)", "ab", true},
    {"a(b$|c)", "abx", false},
    {"a(b$|c)", "xacx", true},
    {"^[a-z]+-[0-9]{2}-[a-z][0-9]$", "oven-07-b2", true},
    {"^[a-z]+-[0-9]{2}-[a-z][0-9]$", "oven-7-b2", false},
    {"^.$", "\xC3\xA9", true},
    {"^.$", "\xF0\x9F\x98\x80", true},
    {"^.$", "\xF0\x9F\x98\x80\xF0\x9F\x98\x80", false},
    {"^.$", "\r", false},
    {"^.$", "\xE2\x80\xA8", false},
    {"^.$", "\xE2\x80\xA7", true},
    {"^.$", "\xE2\x80\xAA", true},
    {"^[^x]$", "\n", true},
    {"^\\d$", "\xD9\xA3", false}, /* ARABIC-INDIC DIGIT THREE */
    {"^\\w$", "\xC3\xA9", false},
    {"^\\s$", "\xC2\xA0", true},
    {"^\\s$", "\xEF\xBB\xBF", true},
    {"^\\s$", "\xE2\x80\x8B", false}, /* ZERO WIDTH SPACE */
    {"^\\S$", "\xC2\xA0", false},
    {"^\\D+$", "\xD9\xA3x", true},
    {"^[\\u{10000}-\\u{10FFFF}]$", "\xF0\x9F\x98\x80", true},
    {"^[\\u{10000}-\\u{10FFFF}]$", "\xEF\xBF\xBF", false},
    {"^[\xC3\xA0-\xC3\xA5]$", "\xC3\xA3", true},
    {"^[\xC3\xA0-\xC3\xA5]$", "\xC3\xA6", false},
    {"^\\ud83d\\ude00$", "\xF0\x9F\x98\x80", true},
    {"\\ud83d", "\xF0\x9F\x98\x80", false},
    {"[]", "a", false},
    {"x|[]", "x", true},
    {"^(a|b)*c{2,3}$", "ababcc", true},
    {"^(a|b)*c{2,3}$", "ababcccc", false},
    {"^(a?){3}$", "aa", true},
    {"^(a?){3}$", "aaaa", false},
    {"^(a*)*$", "aaa", true},
    {"^(a*)*$", "aab", false},
    {"(|a)+x", "aaax", true},
    {"^a{0}b$", "b", true},
    {"^a{0}b$", "ab", false},
    {"^.{3}$",
     "\xC3\xA9"
     "ab",
     true},
    {"a.c|b+d", "xxbbbd", true},
};

static void both_engines_do_what_ecma_262_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_regex *linear = compile(cases[i].pattern);
        struct slu_regex *other = compile_for_pcre2(cases[i].pattern);
        const struct slu_slice text = slu_slice_of(cases[i].text);
        enum slu_run_stop stop;
        if (!slu_regex_is_linear(linear))
            fail_msg("%s needs PCRE2", cases[i].pattern);
        if (matches(linear, text, &stop) != cases[i].matches || stop != SLU_RUN_GOES)
            fail_msg("automaton: %s on %s", cases[i].pattern, cases[i].text);
        if (matches(other, text, &stop) != cases[i].matches || stop != SLU_RUN_GOES)
            fail_msg("PCRE2: %s on %s", cases[i].pattern, cases[i].text);
        slu_regex_free(linear);
        slu_regex_free(other);
    }
}

static const struct {
    const char *pattern, *text;
    bool matches;
} pcre2_cases[] = {
    {"^(?=.*\\d)(?=.*[a-z]).{4,}$", "ab1c", true},
    {"^(?=.*\\d)(?=.*[a-z]).{4,}$", "abcd", false},
    {"^(?!.*\\.\\.)[a-z.]+$", "a.b", true},
    {"^(?!.*\\.\\.)[a-z.]+$", "a..b", false},
    {"(?<=a)b", "ab", true},
    {"(?<=a)b", "cb", false},
    {"(?<!a)b", "ab", false},
    {"^(.)\\1$", "aa", true},
    {"^(.)\\1$", "ab", false},
    {"^(?<q>['\"]).*\\k<q>$", "'x'", true},
    {"^(?<q>['\"]).*\\k<q>$", "'x\"", false},
    {"^(?:(a)|b)\\1$", "b", true}, /* a group that did not take part matches nothing */
    {"^\\1(a)$", "a", true},
    {"\\bx\\b", "a x b", true},
    {"\\bx\\b", "axb", false},
    {"\\bx", "\xC3\xA9x", true}, /* é is no word character */
    {"^\\p{Letter}+$", "\xC3\xA9\xD0\x96", true},
    {"^\\p{Lu}$", "a", false},
    {"^\\p{digit}$", "\xD9\xA3", true},
    {"^\\p{Script=Cyrillic}$", "\xD0\x96", true},
    {"^\\P{Script=Cyrillic}$", "\xD0\x96", false},
    {"^[^\\p{L}]$", "1", true},
    {"^\\p{ASCII}$", "a", true},
};

static void what_an_automaton_cannot_do_is_done_by_pcre2(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pcre2_cases) / sizeof(pcre2_cases[0]); i++) {
        struct slu_regex *regex = compile(pcre2_cases[i].pattern);
        enum slu_run_stop stop;
        assert_false(slu_regex_is_linear(regex));
        if (matches(regex, slu_slice_of(pcre2_cases[i].text), &stop) != pcre2_cases[i].matches)
            fail_msg("%s on %s", pcre2_cases[i].pattern, pcre2_cases[i].text);
        slu_regex_free(regex);
    }
}

/* A pattern of a small grammar, over a, b and é; returns how much was written. */
static size_t write_pattern(struct slu_random *random, char *out, unsigned depth)
{
    static const char *const atoms[] = {"a",    "b",   "\xC3\xA9", ".", "[ab]",
                                        "[^a]", "\\w", "\\W",      "^", "$"};
    static const char *const repeats[] = {"*", "+", "?", "{2}", "{1,2}", "{0,1}", "*?", "{2,}"};
    size_t n = 0;
    const uint64_t parts = 1 + slu_random_below(random, 3);
    for (uint64_t i = 0; i < parts; i++) {
        const uint64_t kind = slu_random_below(random, depth == 0 ? 10 : 14);
        if (i != 0 && slu_random_below(random, 5) == 0)
            out[n++] = '|';
        if (kind < 10) {
            n += (size_t)sprintf(out + n, "%s", atoms[kind]);
        } else {
            n += (size_t)sprintf(out + n, kind < 12 ? "(" : "(?:");
            n += write_pattern(random, out + n, depth - 1);
            out[n++] = ')';
        }
        if (kind != 8 && kind != 9 && slu_random_below(random, 3) == 0)
            n += (size_t)sprintf(out + n, "%s", repeats[slu_random_below(random, 8)]);
    }
    out[n] = '\0';
    return n;
}

static size_t write_text(struct slu_random *random, char *out)
{
    static const char *const letters[] = {"a", "b", "\xC3\xA9", "\n", "a", "b"};
    size_t n = 0;
    const uint64_t len = slu_random_below(random, 7);
    for (uint64_t i = 0; i < len; i++)
        n += (size_t)sprintf(out + n, "%s", letters[slu_random_below(random, 6)]);
    out[n] = '\0';
    return n;
}

static void the_engines_agree_on_random_patterns(void **state)
{
    (void)state;
    struct slu_random random;
    slu_random_seed(&random, 20);
    unsigned linear = 0;
    for (int round = 0; round < 4000; round++) {
        char pattern[400];
        write_pattern(&random, pattern, 3);
        struct slu_regex *one = compile(pattern);
        struct slu_regex *other = compile_for_pcre2(pattern);
        linear += slu_regex_is_linear(one);
        for (int i = 0; i < 12; i++) {
            char text[32];
            const size_t n = write_text(&random, text);
            enum slu_run_stop stop, other_stop;
            const bool a = matches(one, slu_slice(text, n), &stop);
            const bool b = matches(other, slu_slice(text, n), &other_stop);
            if (other_stop == SLU_RUN_GOES && a != b)
                fail_msg("%s on \"%s\": %d and %d", pattern, text, a, b);
        }
        slu_regex_free(one);
        slu_regex_free(other);
    }
    assert_true(linear > 3900);
}

static const struct {
    const char *pattern;
    size_t n; /* of the letter a */
    bool linear;
} hostile[] = {
    {"^(a+)+$", 50000, true},
    {"^(a|aa)+$", 50000, true},
    {"(.*a){12}x", 5000, true},
    {"(?=x|a)(a|aa)+[bx]", 300, false},
    {"(?=a+[bx])a", 100000, false},
    {"(a*)\\1[bx]", 100000, false},
    {"^(?=a)(a|a)*\\1[cx]", 40, false},
    {"\\b(a?|b)(a?|b)(a?|b)(a?|b)(a?|b)(a?|b)(a?|b)(a?|b)(a?|b)(a?|b)(a?|b)(a?|b)[cx]", 4000,
     false},
};

static void a_pattern_that_runs_away_is_stopped_not_matched(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        char *text = malloc(hostile[i].n + 1);
        assert_non_null(text);
        memset(text, 'a', hostile[i].n);
        text[hostile[i].n] = '!';
        struct slu_regex *regex = compile(hostile[i].pattern);
        enum slu_run_stop stop;
        if (slu_regex_is_linear(regex) != hostile[i].linear)
            fail_msg("%s: which engine", hostile[i].pattern);
        assert_false(matches(regex, slu_slice(text, hostile[i].n + 1), &stop));
        if ((stop != SLU_RUN_GOES) == hostile[i].linear)
            fail_msg("%s: stop %d", hostile[i].pattern, (int)stop);
        slu_regex_free(regex);
        free(text);
    }
}

static void large_patterns_become_neither_slow_nor_large(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        bool linear;
    } large[] = {
        {"^.{1,256}$", true},
        {"^[a-zA-Z0-9_-]{1,128}$", true},
        {"(a|b)*a(a|b){14}", false},     /* 2^15 sets */
        {"((a{100}){100}){100}", false}, /* a million states */
        {"((){60000}){60000}x", false},  /* none, but many rounds */
    };
    for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
        struct slu_err err = {0};
        struct slu_regex *regex = slu_regex_compile(slu_slice_of(large[i].pattern), &err);
        bool linear = false;
        if (regex != NULL)
            linear = slu_regex_is_linear(regex);
        if (linear != large[i].linear)
            fail_msg("%s: which engine", large[i].pattern);
        slu_regex_free(regex);
    }
}

static void what_cannot_be_matched_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
    } refused[] = {
        {"(?<=a+)b", "length is not fixed (at character 1)"}, /* look-behind of any length */
        {"\u00e9(x|(?<!a*))\\1", "length is not fixed (at character 5)"},
        {"(a{70000})\\1", "repeats something more than 65535 times (at character 3)"},
        {"(", "is wrong at character 1"},
    };
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct slu_err err = {0};
        assert_null(slu_regex_compile(slu_slice_of(refused[i].pattern), &err));
        if (strstr(err.text, refused[i].text) == NULL)
            fail_msg("%s: %s", refused[i].pattern, err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_engines_do_what_ecma_262_says),
        cmocka_unit_test(what_an_automaton_cannot_do_is_done_by_pcre2),
        cmocka_unit_test(the_engines_agree_on_random_patterns),
        cmocka_unit_test(a_pattern_that_runs_away_is_stopped_not_matched),
        cmocka_unit_test(large_patterns_become_neither_slow_nor_large),
        cmocka_unit_test(what_cannot_be_matched_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
