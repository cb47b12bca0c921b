/* test_matcher.c -- the trie and its cache against the definition: slu_topic_filter_matches(), one row
 * after the other.
 *
 * The random worlds come from SLU_SEED (printed; a fixed one when it is not set), over alphabets so
 * small that matches, excludes and twins are frequent. Allocations are counted and made to fail by
 * wrapping the allocator.
 */
#include "base/random.h"
#include "validation/matcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- the allocator ---- */

static size_t n_allocations;
static size_t fail_at = SIZE_MAX; /* this allocation, counted from 0, and all after it */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    return n_allocations++ >= fail_at ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return n_allocations++ >= fail_at ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t bytes)
{
    return n_allocations++ >= fail_at ? NULL : __real_realloc(old, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return n_allocations++ >= fail_at ? NULL : __real_aligned_alloc(alignment, bytes);
}

/* ---- worlds ---- */

#define MAX_ROWS 12000

struct world {
    struct slu_arena arena;
    struct slu_matcher_row *rows;
    size_t n_rows;
    const struct slu_matcher *matcher;
    struct slu_match_cache *cache;
};

static void begin(struct world *world)
{
    slu_arena_init(&world->arena, 256 << 20);
    world->rows = calloc(MAX_ROWS, sizeof(world->rows[0]));
    assert_non_null(world->rows);
    world->n_rows = 0;
}

static void add(struct world *world, const char *filter, uint32_t policy, bool exclude)
{
    struct slu_err err = {0};
    assert_true(world->n_rows < MAX_ROWS);
    struct slu_matcher_row *row = &world->rows[world->n_rows++];
    row->policy = policy;
    row->exclude = exclude;
    if (slu_topic_filter_parse(slu_slice_of(filter), &world->arena, &row->filter, &err) != 0)
        fail_msg("%s: %s", filter, err.text);
}

static void compile(struct world *world)
{
    world->matcher = slu_matcher_compile(world->rows, world->n_rows, &world->arena);
    assert_non_null(world->matcher);
    world->cache = slu_match_cache_new(world->matcher);
    assert_non_null(world->cache);
}

static void end(struct world *world)
{
    slu_match_cache_free(world->cache);
    free(world->rows);
    slu_arena_fini(&world->arena);
}

/* The definition. Returns how many of the filters match, excludes counted. */
static size_t model(const struct world *world, struct slu_slice topic, uint32_t policies,
                    size_t *first_rows, size_t *n)
{
    size_t n_matching = 0;
    *n = 0;
    for (uint32_t policy = 0; policy < policies; policy++) {
        size_t first = SIZE_MAX;
        bool excluded = false;
        for (size_t i = 0; i < world->n_rows; i++) {
            const struct slu_matcher_row *row = &world->rows[i];
            if (row->policy != policy || !slu_topic_filter_matches(&row->filter, topic))
                continue;
            n_matching++;
            excluded |= row->exclude;
            if (!row->exclude && first == SIZE_MAX)
                first = i;
        }
        if (first != SIZE_MAX && !excluded)
            first_rows[(*n)++] = first;
    }
    return n_matching;
}

static size_t check(struct world *world, struct slu_slice topic, uint32_t policies)
{
    size_t first_rows[64], n = 0;
    assert_true(policies <= 64);
    const size_t n_matching = model(world, topic, policies, first_rows, &n);
    const struct slu_match_set *set = slu_match(world->cache, topic);
    if (set->n != n)
        fail_msg("\"%.*s\": %zu policies, not %zu", SLU_SLICE_ARG(topic), n, set->n);
    for (size_t i = 0; i < n; i++) {
        const struct slu_matcher_row *row = &world->rows[first_rows[i]];
        if (set->matches[i].policy != row->policy ||
            !slu_slice_equal(set->matches[i].filter->text, row->filter.text) ||
            set->matches[i].filter->levels != row->filter.levels)
            fail_msg("\"%.*s\": policy %u by \"%.*s\", not %u by \"%.*s\"", SLU_SLICE_ARG(topic),
                     row->policy, SLU_SLICE_ARG(row->filter.text), set->matches[i].policy,
                     SLU_SLICE_ARG(set->matches[i].filter->text));
    }
    return n_matching;
}

/* ---- cases ---- */

static void the_first_filter_of_each_policy_answers(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    add(&world, "plant/{site}/#", 2, false);
    add(&world, "plant/+/oven/{oven}", 0, false);
    add(&world, "plant/{site}/oven/+", 0, false);
    add(&world, "plant/+/oven/+", 1, false);
    add(&world, "plant/a/#", 1, true);
    compile(&world);

    const struct slu_match_set *set = slu_match(world.cache, SLU_SLICE("plant/a/oven/7"));
    assert_int_equal(set->n, 2);
    assert_int_equal(set->matches[0].policy, 0);
    assert_true(slu_slice_equal(set->matches[0].filter->text, SLU_SLICE("plant/+/oven/{oven}")));
    assert_int_equal(set->matches[1].policy, 2);
    struct slu_slice value;
    assert_true(slu_topic_filter_level(set->matches[0].filter, SLU_SLICE("plant/a/oven/7"),
                                       SLU_SLICE("oven"), &value));
    assert_true(slu_slice_equal(value, SLU_SLICE("7")));
    assert_ptr_equal(slu_match(world.cache, SLU_SLICE("plant/a/oven/7")), set);
    assert_ptr_equal(slu_match(world.cache, SLU_SLICE("plant/a/oven/8")), set);
    assert_int_equal(slu_match(world.cache, SLU_SLICE("plant/b/oven/7"))->n, 3);
    assert_int_equal(slu_match(world.cache, SLU_SLICE("plant/b"))->n, 1);
    assert_int_equal(slu_match(world.cache, SLU_SLICE("plant"))->n, 0);
    assert_int_equal(slu_match(world.cache, SLU_SLICE(""))->n, 0);
    end(&world);
}

static void a_matcher_without_rows_matches_nothing(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    compile(&world);
    assert_int_equal(slu_match(world.cache, SLU_SLICE("a/b"))->n, 0);
    assert_int_equal(slu_match(world.cache, SLU_SLICE("a/b"))->n, 0);
    end(&world);
}

static void an_exclude_alone_matches_nothing(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    add(&world, "a/#", 3, true);
    compile(&world);
    assert_int_equal(slu_match(world.cache, SLU_SLICE("a/b"))->n, 0);
    end(&world);
}

/* ---- against the definition ---- */

static uint64_t seed_of_run(void)
{
    const char *text = getenv("SLU_SEED");
    return text != NULL ? strtoull(text, NULL, 0) : 20240229;
}

static const char *random_level(struct slu_random *random, bool in_filter)
{
    static const char *const levels[] = {"a", "b", "", "aa", "$a", "c", "+", "+", "#"};
    return levels[slu_random_below(random, in_filter ? 9 : 6)];
}

static void random_text(struct slu_random *random, bool is_filter, char out[64])
{
    const uint64_t n = 1 + slu_random_below(random, 5);
    size_t len = 0;
    for (uint64_t i = 0; i < n; i++) {
        const char *level = random_level(random, is_filter);
        len += (size_t)snprintf(out + len, 64 - len, "%s%s", i > 0 ? "/" : "", level);
        if (level[0] == '#')
            break;
    }
    if (len == 0)
        snprintf(out, 64, "a");
}

static void random_worlds_agree_with_the_definition(void **state)
{
    (void)state;
    struct slu_random random;
    const uint64_t seed = seed_of_run();
    size_t n_pairs = 0, n_matching = 0;
    print_message("SLU_SEED=%llu\n", (unsigned long long)seed);
    slu_random_seed(&random, seed);
    while (n_pairs < 1200000) {
        struct world world;
        char text[64];
        const uint32_t policies = 1 + (uint32_t)slu_random_below(&random, 12);
        const size_t n_rows = 1 + (size_t)slu_random_below(&random, 40);
        begin(&world);
        for (size_t i = 0; i < n_rows; i++) {
            random_text(&random, true, text);
            add(&world, text, (uint32_t)slu_random_below(&random, policies),
                slu_random_below(&random, 6) == 0);
        }
        compile(&world);
        for (size_t i = 0; i < 600; i++) {
            random_text(&random, false, text);
            n_matching += check(&world, slu_slice_of(text), policies);
            n_pairs += n_rows;
        }
        end(&world);
    }
    print_message("%zu pairs, %zu match\n", n_pairs, n_matching);
    assert_true(n_matching > n_pairs / 50);
}

/* Topics of every length around the place for them in the cache, twice each. */
static void long_topics_are_matched_as_well(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    add(&world, "+/x", 0, false);
    add(&world, "+", 1, false);
    compile(&world);
    char topic[600];
    for (size_t len = 1; len <= sizeof(topic); len += len < 240 || len > 270 ? 7 : 1) {
        for (int round = 0; round < 2; round++) {
            memset(topic, 'a', len);
            check(&world, slu_slice(topic, len), 2);
            if (len > 2)
                memcpy(topic + len - 2, "/x", 2);
            check(&world, slu_slice(topic, len), 2);
        }
    }
    end(&world);
}

/* 200,000 different topics, each of which must be told from those it pushed out. */
static void a_flood_of_topics_allocates_nothing(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    char text[64];
    for (uint32_t i = 0; i < 60; i++) {
        snprintf(text, sizeof(text), "flood/+/%u/#", i);
        add(&world, text, i, false);
    }
    compile(&world);
    const size_t before = n_allocations;
    for (unsigned i = 0; i < 200000; i++) {
        const int len = snprintf(text, sizeof(text), "flood/%u/%u/x", i, i % 64);
        const struct slu_match_set *set = slu_match(world.cache, slu_slice(text, (size_t)len));
        if (set->n != (i % 64 < 60) || (set->n == 1 && set->matches[0].policy != i % 64))
            fail_msg("%s: %zu", text, set->n);
    }
    assert_int_equal(n_allocations, before);
    end(&world);
}

/* Each bit of the number decides whether a policy matches: 2^14 different answers, more than the pool
 * and its table hold. */
static void more_answers_than_are_kept_are_right(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    char text[64];
    for (uint32_t bit = 0; bit < 14; bit++) {
        size_t len = 0;
        for (uint32_t i = 0; i < 14; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i > 0 ? "/" : "",
                                    i == bit ? "1" : "+");
        add(&world, text, bit * 70, false); /* apart by more than a word of marks */
    }
    compile(&world);
    const size_t before = n_allocations;
    for (int round = 0; round < 2; round++) {
        for (uint32_t number = 0; number < 1u << 14; number++) {
            for (uint32_t i = 0; i < 14; i++) {
                text[2 * i] = (number >> i & 1) != 0 ? '1' : '0';
                text[2 * i + 1] = '/';
            }
            const struct slu_match_set *set = slu_match(world.cache, slu_slice(text, 27));
            size_t n = 0;
            for (uint32_t i = 0; i < 14; i++) {
                if ((number >> i & 1) == 0)
                    continue;
                assert_true(n < set->n);
                assert_int_equal(set->matches[n++].policy, i * 70);
            }
            assert_int_equal(set->n, n);
        }
    }
    assert_int_equal(n_allocations, before);
    end(&world);
}

static void an_answer_of_thousands_is_right_each_time(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    for (uint32_t i = 0; i < 10000; i++)
        add(&world, i % 2 == 0 ? "a/#" : "a/+", 9999 - i, false);
    add(&world, "a/b", 4242, true);
    compile(&world);
    for (int round = 0; round < 3; round++) {
        const struct slu_match_set *set = slu_match(world.cache, SLU_SLICE("a/b"));
        assert_int_equal(set->n, 9999);
        for (size_t i = 0; i < set->n; i++)
            assert_int_equal(set->matches[i].policy, i < 4242 ? i : i + 1);
        set = slu_match(world.cache, SLU_SLICE("a"));
        assert_int_equal(set->n, 5000);
        for (size_t i = 0; i < set->n; i++)
            assert_int_equal(set->matches[i].policy, 2 * i + 1);
    }
    end(&world);
}

/* All 2^12 filters of `+` and "a": a walk that followed each path by itself from the root for each
 * filter would be fine, one that branched without the trie would not. Deep topics end early. */
static void filters_full_of_plus_do_not_explode(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    char text[64];
    for (uint32_t number = 0; number < 1u << 12; number++) {
        for (uint32_t i = 0; i < 12; i++) {
            text[2 * i] = (number >> i & 1) != 0 ? 'a' : '+';
            text[2 * i + 1] = '/';
        }
        text[23] = '\0';
        add(&world, text, number, false);
    }
    compile(&world);
    assert_int_equal(slu_match(world.cache, SLU_SLICE("a/a/a/a/a/a/a/a/a/a/a/a"))->n, 4096);
    assert_int_equal(slu_match(world.cache, SLU_SLICE("b/a/a/a/a/a/a/a/a/a/a/a"))->n, 2048);
    assert_int_equal(slu_match(world.cache, SLU_SLICE("a/a/a/a/a/a/a/a/a/a/a/a/a"))->n, 0);
    char *deep = malloc(65535);
    assert_non_null(deep);
    memset(deep, '/', 65535);
    assert_int_equal(slu_match(world.cache, slu_slice(deep, 65535))->n, 0);
    free(deep);
    end(&world);
}

static void filters_of_200_levels_are_walked(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    char text[400], topic[402];
    for (size_t i = 0; i < 200; i++)
        memcpy(text + 2 * i, "+/", 2);
    text[399] = '\0';
    add(&world, text, 0, false);
    text[398] = '#';
    add(&world, text, 1, false);
    compile(&world);
    for (size_t i = 0; i < 201; i++)
        memcpy(topic + 2 * i, "x/", 2);
    check(&world, slu_slice(topic, 2 * 198 - 1), 2);
    check(&world, slu_slice(topic, 2 * 199 - 1), 2);
    assert_int_equal(slu_match(world.cache, slu_slice(topic, 2 * 200 - 1))->n, 2);
    assert_int_equal(slu_match(world.cache, slu_slice(topic, 2 * 201 - 1))->n, 1);
    end(&world);
}

/* ---- no memory ---- */

static void every_allocation_may_fail(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    char text[64];
    for (uint32_t i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "a/%u/+/b%u", i, i % 7);
        add(&world, text, i, false);
    }
    bool succeeded = false;
    size_t failures = 0;
    for (size_t nth = 0; !succeeded; nth++) {
        struct slu_arena arena;
        slu_arena_init(&arena, 1 << 20);
        fail_at = n_allocations + nth;
        const struct slu_matcher *matcher = slu_matcher_compile(world.rows, world.n_rows, &arena);
        struct slu_match_cache *cache = matcher != NULL ? slu_match_cache_new(matcher) : NULL;
        fail_at = SIZE_MAX;
        succeeded = cache != NULL;
        failures += !succeeded;
        if (succeeded)
            assert_int_equal(slu_match(cache, SLU_SLICE("a/8/x/b1"))->n, 1);
        slu_match_cache_free(cache);
        slu_arena_fini(&arena);
    }
    assert_true(failures > 10);
    world.cache = NULL;
    end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_filter_of_each_policy_answers),
        cmocka_unit_test(a_matcher_without_rows_matches_nothing),
        cmocka_unit_test(an_exclude_alone_matches_nothing),
        cmocka_unit_test(random_worlds_agree_with_the_definition),
        cmocka_unit_test(long_topics_are_matched_as_well),
        cmocka_unit_test(a_flood_of_topics_allocates_nothing),
        cmocka_unit_test(more_answers_than_are_kept_are_right),
        cmocka_unit_test(an_answer_of_thousands_is_right_each_time),
        cmocka_unit_test(filters_full_of_plus_do_not_explode),
        cmocka_unit_test(filters_of_200_levels_are_walked),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
