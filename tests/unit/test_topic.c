/* test_topic.c -- filters: what parses, what matches, and what two filters have in common.
 *
 * Overlap and cover are proved against brute force: all filters of up to four levels over a small
 * alphabet, and all topics of up to five levels over a slightly larger one. A level of the filters is
 * decided by one letter that no filter has ("z"), one that begins with `$`, and the literals themselves;
 * so what holds for these topics holds for all.
 */
#include "base/topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct slu_topic_filter parse(struct slu_arena *arena, const char *text)
{
    struct slu_err err = {0};
    struct slu_topic_filter filter = {0};
    if (slu_topic_filter_parse(slu_slice_of(text), arena, &filter, &err) != 0)
        fail_msg("\"%s\" does not parse: %s", text, err.text);
    return filter;
}

static const struct {
    const char *text;
    size_t n_levels; /* 0: does not parse */
    const char *says;
} parse_cases[] = {
    {"a", 1, NULL},
    {"a/b/c", 3, NULL},
    {"/", 2, NULL},
    {"/a", 2, NULL},
    {"a//b", 3, NULL},
    {"+", 1, NULL},
    {"#", 1, NULL},
    {"+/+/#", 3, NULL},
    {"plant/{site}/oven/{oven}/temperature", 5, NULL},
    {"{a}/{b}/{rest#}", 3, NULL},
    {"{_x9}", 1, NULL},
    {"$SYS/#", 2, NULL},
    {"\xc3\xbc/b", 2, NULL},
    {"", 0, "empty"},
    {"a/#/b", 0, "level 2"},
    {"#/b", 0, "level 1"},
    {"{r#}/b", 0, "level 1"},
    {"a+", 0, "level 1"},
    {"a/b#", 0, "level 2"},
    {"a/x{b}", 0, "level 2"},
    {"a/{b}x", 0, "level 2"},
    {"{}", 0, "not a name"},
    {"{#}", 0, "not a name"},
    {"{9a}", 0, "not a name"},
    {"{a-b}", 0, "not a name"},
    {"{+}", 0, "not a name"},
    {"a/{", 0, "level 2"},
    {"}", 0, "level 1"},
    {"{a}/b/{a}", 0, "level 3: the name \"a\" is taken by level 1"},
    {"{a}/{a#}", 0, "taken by level 1"},
    {"a/\xff", 0, "UTF-8"},
};

static void a_filter_parses_or_says_which_level_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++) {
        struct slu_arena arena;
        struct slu_err err = {0};
        struct slu_topic_filter filter = {0};
        slu_arena_init(&arena, 1 << 20);
        const int result =
            slu_topic_filter_parse(slu_slice_of(parse_cases[i].text), &arena, &filter, &err);
        if ((result == 0) != (parse_cases[i].n_levels > 0))
            fail_msg("\"%s\": %d %s", parse_cases[i].text, result, err.text);
        if (result == 0)
            assert_int_equal(filter.n_levels, parse_cases[i].n_levels);
        else if (strstr(err.text, parse_cases[i].says) == NULL)
            fail_msg("\"%s\" says: %s", parse_cases[i].text, err.text);
        slu_arena_fini(&arena);
    }
}

static void a_filter_has_ceilings(void **state)
{
    (void)state;
    struct slu_arena arena;
    struct slu_topic_filter filter;
    struct slu_err err = {0};
    slu_arena_init(&arena, 1 << 20);
    char *text = malloc(SLU_TOPIC_MAX_BYTES + 1);
    assert_non_null(text);
    memset(text, '/', SLU_TOPIC_MAX_BYTES + 1);
    assert_int_equal(
        slu_topic_filter_parse(slu_slice(text, SLU_TOPIC_MAX_LEVELS - 1), &arena, &filter, NULL),
        0);
    assert_int_equal(filter.n_levels, SLU_TOPIC_MAX_LEVELS);
    assert_int_equal(
        slu_topic_filter_parse(slu_slice(text, SLU_TOPIC_MAX_LEVELS), &arena, &filter, &err), -1);
    assert_non_null(strstr(err.text, "201 levels"));
    memset(text, 'a', SLU_TOPIC_MAX_BYTES + 1);
    assert_int_equal(
        slu_topic_filter_parse(slu_slice(text, SLU_TOPIC_MAX_BYTES), &arena, &filter, NULL), 0);
    assert_int_equal(
        slu_topic_filter_parse(slu_slice(text, SLU_TOPIC_MAX_BYTES + 1), &arena, &filter, NULL),
        -1);
    assert_int_equal(slu_topic_filter_parse(slu_slice("a\0b", 3), &arena, &filter, NULL), -1);
    free(text);
    slu_arena_fini(&arena);
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    struct slu_arena arena;
    struct slu_topic_filter filter;
    struct slu_err err = {0};
    slu_arena_init(&arena, 32);
    assert_int_equal(slu_topic_filter_parse(SLU_SLICE("a/b/c/d"), &arena, &filter, &err), -1);
    assert_int_equal(err.kind, SLU_ENOMEM);
    slu_arena_fini(&arena);
}

static const struct {
    const char *filter, *topic;
    bool matches;
} match_cases[] = {
    {"a", "a", true},         {"a", "b", false},        {"a", "a/b", false},
    {"a/b", "a", false},      {"a/+", "a/b", true},     {"a/+", "a", false},
    {"a/+", "a/", true},      {"a/+", "a/b/c", false},  {"a/#", "a", true},
    {"a/#", "a/", true},      {"a/#", "a/b/c", true},   {"a/#", "ab", false},
    {"#", "a", true},         {"#", "/", true},         {"+", "/", false},
    {"+/+", "/", true},       {"/+", "/a", true},       {"+", "a", true},
    {"a//b", "a//b", true},   {"a/+/b", "a//b", true},  {"a/b", "a//b", false},
    {"#", "$SYS/x", false},   {"+/x", "$SYS/x", false}, {"$SYS/#", "$SYS/x", true},
    {"$SYS/#", "$SYS", true}, {"a/+", "a/$x", true},    {"a/#", "a/$x", true},
    {"{s}/x", "$a/x", false}, {"{s}/x", "a/x", true},   {"a/{r#}", "a", true},
    {"+/#", "a", true},       {"+/#", "$a", false},     {"#", "", false},
    {"+", "", false},         {"a/b/", "a/b", false},   {"a/b", "a/b/", false},
};

static void matching_is_that_of_mqtt(void **state)
{
    (void)state;
    struct slu_arena arena;
    slu_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof(match_cases) / sizeof(match_cases[0]); i++) {
        const struct slu_topic_filter filter = parse(&arena, match_cases[i].filter);
        if (slu_topic_filter_matches(&filter, slu_slice_of(match_cases[i].topic)) !=
            match_cases[i].matches)
            fail_msg("\"%s\" and \"%s\"", match_cases[i].filter, match_cases[i].topic);
    }
    slu_arena_fini(&arena);
}

static const struct {
    const char *filter, *topic, *name;
    const char *value; /* NULL: no such level */
} level_cases[] = {
    {"plant/{site}/oven/{oven}/t", "plant/a/oven/7/t", "site", "a"},
    {"plant/{site}/oven/{oven}/t", "plant/a/oven/7/t", "oven", "7"},
    {"plant/{site}/oven/{oven}/t", "plant/a/oven/7/t", "plant", NULL},
    {"plant/{site}/oven/{oven}/t", "plant/a/oven/7/t", "", NULL},
    {"plant/{site}", "plant/", "site", ""},
    {"plant/{rest#}", "plant", "rest", ""},
    {"plant/{rest#}", "plant/", "rest", ""},
    {"plant/{rest#}", "plant/a", "rest", "a"},
    {"plant/{rest#}", "plant/a/b/", "rest", "a/b/"},
    {"{all#}", "a/b", "all", "a/b"},
    {"{a}/{b#}", "/x", "a", ""},
    {"+/{b}", "x/y", "b", "y"},
};

static void named_levels_are_cut_out_of_the_topic(void **state)
{
    (void)state;
    struct slu_arena arena;
    slu_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof(level_cases) / sizeof(level_cases[0]); i++) {
        const struct slu_topic_filter filter = parse(&arena, level_cases[i].filter);
        struct slu_slice value = SLU_SLICE("untouched");
        const bool found = slu_topic_filter_level(&filter, slu_slice_of(level_cases[i].topic),
                                                  slu_slice_of(level_cases[i].name), &value);
        assert_int_equal(found, level_cases[i].value != NULL);
        if (found && !slu_slice_equal(value, slu_slice_of(level_cases[i].value)))
            fail_msg("case %zu: \"%.*s\"", i, SLU_SLICE_ARG(value));
    }
    slu_arena_fini(&arena);
}

/* ---- all filters and all topics of a small world ---- */

#define MAX_FILTERS 960
#define MAX_TOPICS  9600

static struct slu_topic_filter filters[MAX_FILTERS];
static size_t n_filters;
static char topics[MAX_TOPICS][24];
static size_t n_topics;
static uint64_t matches[MAX_FILTERS][MAX_TOPICS / 64]; /* a bit a topic */

static void add_filters(struct slu_arena *arena, const char *prefix, size_t levels)
{
    static const char *const steps[] = {"a", "b", "", "$a", "+", "#"};
    char text[24];
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const int len = snprintf(text, sizeof(text), "%s%s", prefix, steps[i]);
        assert_true(len >= 0 && (size_t)len < sizeof(text) - 1);
        if (len > 0) {
            assert_true(n_filters < MAX_FILTERS);
            filters[n_filters++] = parse(arena, text);
        }
        if (levels == 1 || steps[i][0] == '#')
            continue;
        text[len] = '/';
        text[len + 1] = '\0';
        add_filters(arena, text, levels - 1);
    }
}

static void add_topics(const char *prefix, size_t levels)
{
    static const char *const steps[] = {"a", "b", "z", "", "$a", "$z"};
    char text[24];
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        const int len = snprintf(text, sizeof(text), "%s%s", prefix, steps[i]);
        assert_true(len >= 0 && (size_t)len < sizeof(text) - 1);
        if (len > 0) {
            assert_true(n_topics < MAX_TOPICS);
            memcpy(topics[n_topics++], text, (size_t)len + 1);
        }
        if (levels == 1)
            continue;
        text[len] = '/';
        text[len + 1] = '\0';
        add_topics(text, levels - 1);
    }
}

static void make_world(struct slu_arena *arena)
{
    n_filters = n_topics = 0;
    memset(matches, 0, sizeof(matches));
    add_filters(arena, "", 4);
    add_topics("", 5);
    for (size_t f = 0; f < n_filters; f++) {
        for (size_t t = 0; t < n_topics; t++) {
            if (slu_topic_filter_matches(&filters[f], slu_slice_of(topics[t])))
                matches[f][t / 64] |= UINT64_C(1) << (t % 64);
        }
    }
}

static void overlap_and_cover_agree_with_brute_force(void **state)
{
    (void)state;
    struct slu_arena arena;
    slu_arena_init(&arena, 8 << 20);
    make_world(&arena);
    size_t n_overlaps = 0, n_covers = 0;
    for (size_t a = 0; a < n_filters; a++) {
        for (size_t b = 0; b < n_filters; b++) {
            bool overlaps = false, covers = true;
            for (size_t i = 0; i < MAX_TOPICS / 64; i++) {
                overlaps |= (matches[a][i] & matches[b][i]) != 0;
                covers &= (matches[b][i] & ~matches[a][i]) == 0;
            }
            if (slu_topic_filter_overlaps(&filters[a], &filters[b]) != overlaps)
                fail_msg("overlap of \"%.*s\" and \"%.*s\" is %d", SLU_SLICE_ARG(filters[a].text),
                         SLU_SLICE_ARG(filters[b].text), overlaps);
            if (slu_topic_filter_covers(&filters[a], &filters[b]) != covers)
                fail_msg("\"%.*s\" covers \"%.*s\": %d", SLU_SLICE_ARG(filters[a].text),
                         SLU_SLICE_ARG(filters[b].text), covers);
            n_overlaps += overlaps;
            n_covers += covers;
        }
    }
    print_message("%zu filters, %zu topics, %zu overlaps, %zu covers\n", n_filters, n_topics,
                  n_overlaps, n_covers);
    assert_true(n_overlaps > n_filters && n_covers > n_filters);
    slu_arena_fini(&arena);
}

static const struct {
    const char *topic;
    bool publishable;
} publish_cases[] = {
    {"a", true},
    {"a/b/c", true},
    {"/", true},
    {"$x/y", true},
    {"$SYSx/y", true},
    {"a/$SYS", true},
    {"\xc3\xbc", true},
    {"a b", true},
    {"\xef\xbf\xbc", true},
    {"", false},
    {"a/+", false},
    {"a/#", false},
    {"a+b", false},
    {"$SYS", false},
    {"$SYS/x", false},
    {"$CONTROL/x", false},
    {"$share/g/t", false},
    {"a\x01", false},
    {"a\x7f", false},
    {"a\xc2\x85", false},
    {"\xff", false},
    {"\xef\xbf\xbe", false},
    {"\xef\xb7\x90", false},
    {"\xf0\x9f\xbf\xbf", false},
    {"\xf0\x9f\x98\x80", true},
    {"\xef\xb7\xb0", true},
};

static void what_the_broker_may_publish_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(publish_cases) / sizeof(publish_cases[0]); i++) {
        struct slu_err err = {0};
        const bool publishable =
            slu_topic_is_publishable(slu_slice_of(publish_cases[i].topic), &err);
        if (publishable != publish_cases[i].publishable)
            fail_msg("case %zu \"%s\": %s", i, publish_cases[i].topic, err.text);
        assert_int_equal(err.kind != SLU_OK, !publishable);
        assert_int_equal(slu_topic_is_publishable(slu_slice_of(publish_cases[i].topic), NULL),
                         publishable);
    }
    char *text = malloc(SLU_TOPIC_MAX_BYTES + 1);
    assert_non_null(text);
    memset(text, 'a', SLU_TOPIC_MAX_BYTES + 1);
    assert_true(slu_topic_is_publishable(slu_slice(text, SLU_TOPIC_MAX_BYTES), NULL));
    assert_false(slu_topic_is_publishable(slu_slice(text, SLU_TOPIC_MAX_BYTES + 1), NULL));
    memset(text, '/', SLU_TOPIC_MAX_LEVELS);
    assert_true(slu_topic_is_publishable(slu_slice(text, SLU_TOPIC_MAX_LEVELS - 1), NULL));
    assert_false(slu_topic_is_publishable(slu_slice(text, SLU_TOPIC_MAX_LEVELS), NULL));
    assert_false(slu_topic_is_publishable(slu_slice("a\0b", 3), NULL));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filter_parses_or_says_which_level_is_wrong),
        cmocka_unit_test(a_filter_has_ceilings),
        cmocka_unit_test(no_memory_is_an_error),
        cmocka_unit_test(matching_is_that_of_mqtt),
        cmocka_unit_test(named_levels_are_cut_out_of_the_topic),
        cmocka_unit_test(overlap_and_cover_agree_with_brute_force),
        cmocka_unit_test(what_the_broker_may_publish_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
