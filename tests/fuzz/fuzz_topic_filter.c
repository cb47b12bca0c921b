/* fuzz_topic_filter.c -- filters, templates and the matcher on any bytes.
 *
 *   input: mode byte, then up to three lines: filter, topic, filter | pattern, topic, client id
 */
#include "base/template.h"
#include "validation/matcher.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good)
{
    if (!good)
        abort();
}

static struct slu_slice take_line(struct slu_slice *rest)
{
    const char *end = rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;
    const size_t len = end != NULL ? (size_t)(end - rest->data) : rest->len;
    const struct slu_slice line = slu_slice(rest->data, len);
    *rest = end != NULL ? slu_slice(end + 1, rest->len - len - 1) : slu_slice(NULL, 0);
    return line;
}

/* The trie agrees with the definition, from the walk and from the cache. */
static void check_matcher(const struct slu_topic_filter *a, const struct slu_topic_filter *b,
                          struct slu_slice topic, struct slu_arena *arena)
{
    const struct slu_matcher_row rows[] = {{*a, 0, false}, {*b, 1, false}, {*a, 1, true}};
    const struct slu_matcher *matcher = slu_matcher_compile(rows, 3, arena);
    struct slu_match_cache *cache = matcher != NULL ? slu_match_cache_new(matcher) : NULL;
    const bool in_a = slu_topic_filter_matches(a, topic), in_b = slu_topic_filter_matches(b, topic);
    for (int round = 0; cache != NULL && round < 2; round++) {
        const struct slu_match_set *set = slu_match(cache, topic);
        require(set->n == (in_a || in_b ? 1u : 0u));
        require(set->n == 0 || set->matches[0].policy == (in_a ? 0u : 1u));
    }
    slu_match_cache_free(cache);
}

static void check_filters(struct slu_slice rest, struct slu_arena *arena)
{
    struct slu_topic_filter a, b;
    const struct slu_slice first = take_line(&rest), topic = take_line(&rest);
    struct slu_err err = {0};
    if (slu_topic_filter_parse(first, arena, &a, &err) != 0) {
        require(err.kind != SLU_OK);
        return;
    }
    require(slu_topic_filter_overlaps(&a, &a) && slu_topic_filter_covers(&a, &a));
    struct slu_slice value;
    if (slu_topic_filter_matches(&a, topic)) {
        for (size_t i = 0; i < a.n_levels; i++) {
            if (a.levels[i].kind != SLU_LEVEL_LITERAL && a.levels[i].text.len > 0)
                require(slu_topic_filter_level(&a, topic, a.levels[i].text, &value));
        }
    }
    if (slu_topic_filter_parse(rest, arena, &b, NULL) != 0)
        return;
    const bool overlaps = slu_topic_filter_overlaps(&a, &b);
    require(overlaps == slu_topic_filter_overlaps(&b, &a));
    require(overlaps || !slu_topic_filter_covers(&a, &b));
    const bool in_a = slu_topic_filter_matches(&a, topic),
               in_b = slu_topic_filter_matches(&b, topic);
    require(overlaps || !(in_a && in_b));
    require(in_a || !in_b || !slu_topic_filter_covers(&a, &b));
    check_matcher(&a, &b, topic, arena);
}

/* No wildcard in what the pattern writes by itself. */
static bool is_publishable_literal(struct slu_slice pattern)
{
    bool inside = false;
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.data[i] == '{')
            inside = true;
        else if (pattern.data[i] == '}')
            inside = false;
        else if (!inside && (pattern.data[i] == '+' || pattern.data[i] == '#'))
            return false;
    }
    return true;
}

/* What a pattern makes of hostile values stays within the filter that it promises. */
static void check_template(struct slu_slice rest, struct slu_arena *arena)
{
    struct slu_err err = {0};
    struct slu_topic_filter all, promised;
    const struct slu_slice text = take_line(&rest), topic = take_line(&rest);
    const struct slu_template *pattern =
        slu_template_parse(text, (1u << SLU_VARIABLES) - 1, arena, &err);
    require((pattern == NULL) == (err.kind != SLU_OK));
    if (pattern == NULL || slu_topic_filter_parse(SLU_SLICE("{a}/{b#}"), arena, &all, NULL) != 0)
        return;

    struct slu_template_values values = {.topic = topic};
    if (slu_topic_filter_matches(&all, topic))
        values.filter = &all;
    for (unsigned i = 0; i < SLU_VARIABLES; i++)
        values.variables[i] = i == SLU_VARIABLE_TOPIC ? topic : rest;
    struct slu_buf out, promise;
    for (int use = SLU_TEMPLATE_TOPIC; use <= SLU_TEMPLATE_TEXT; use++) {
        slu_buf_init(&out, 1 << 20);
        slu_buf_init(&promise, 1 << 20);
        const int result = slu_template_fill(pattern, (enum slu_template_use)use, &values, &out);
        require(result >= 0 || out.failed);
        if (use == SLU_TEMPLATE_TOPIC && result >= 0 && is_publishable_literal(text) &&
            slu_template_filter(pattern, &promise) &&
            slu_topic_filter_parse(slu_buf_slice(&promise), arena, &promised, NULL) == 0)
            require(slu_topic_filter_matches(&promised, slu_buf_slice(&out)));
        slu_buf_fini(&out);
        slu_buf_fini(&promise);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slu_arena arena;
    if (size == 0)
        return 0;
    slu_arena_init(&arena, 16 << 20);
    const struct slu_slice rest = slu_slice((const char *)data + 1, size - 1);
    (void)slu_topic_is_publishable(rest, NULL);
    if (data[0] % 2 == 0)
        check_filters(rest, &arena);
    else
        check_template(rest, &arena);
    slu_arena_fini(&arena);
    return 0;
}
