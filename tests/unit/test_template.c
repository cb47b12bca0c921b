/* test_template.c -- patterns: what parses, what they make of values, and that no value can climb out
 * of its level. */
#include "base/random.h"
#include "base/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ALL ((1u << SLU_VARIABLES) - 1)
#define FEW                                                                         \
    (SLU_VARIABLE_BIT(SLU_VARIABLE_TOPIC) | SLU_VARIABLE_BIT(SLU_VARIABLE_POLICY) | \
     SLU_VARIABLE_BIT(SLU_VARIABLE_PAYLOAD))

static struct slu_arena arena;

static int setup(void **state)
{
    (void)state;
    slu_arena_init(&arena, 4 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    slu_arena_fini(&arena);
    return 0;
}

static const struct {
    const char *text;
    unsigned allowed;
    const char *says; /* NULL: it parses */
} parse_cases[] = {
    {"", 0, NULL},
    {"plain", 0, NULL},
    {"a/{site}/b", 0, NULL},
    {"{rest#}", 0, NULL},
    {"$", 0, NULL},
    {"a$b$$c", 0, NULL},
    {"${topic}", ALL, NULL},
    {"${topic}${client_id}${username}${policy}${code}${instance}${tag}${limit}", ALL, NULL},
    {"${payload:/a/b~0c~1}", ALL, NULL},
    {"${payload:}", ALL, NULL},
    {"a{", 0, "column 2: { without a }"},
    {"a${topic", ALL, "column 2: { without a }"},
    {"ab}", 0, "column 3: } without a {"},
    {"{a}}", 0, "column 4: } without a {"},
    {"{}", 0, "column 1"},
    {"{9}", 0, "column 1"},
    {"x{a b}", 0, "column 2"},
    {"{a{b}", 0, "column 1"},
    {"{#}", 0, "column 1"},
    {"x/${nonsense}", FEW,
     "column 3: ${nonsense} is not a variable; there are {level} and "
     "${topic}, ${policy}, ${payload:/pointer}"},
    {"${code}", FEW, "${code} has no value here"},
    {"${topic}", 0, "there is only {level}"},
    {"${topic:x}", ALL, "is not a variable"},
    {"${payload}", ALL, "say which part"},
    {"${payload:a}", ALL, "not a JSON Pointer"},
    {"${payload:/a~}", ALL, "not a JSON Pointer"},
    {"${payload:/a~2}", ALL, "not a JSON Pointer"},
    {"${}", ALL, "is not a variable"},
    {"${env:X}", ALL, "is not a variable"},
};

static void a_pattern_parses_or_says_where_it_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(parse_cases) / sizeof(parse_cases[0]); i++) {
        struct slu_err err = {0};
        const struct slu_slice text = slu_slice_of(parse_cases[i].text);
        const struct slu_template *pattern =
            slu_template_parse(text, parse_cases[i].allowed, &arena, &err);
        if ((pattern != NULL) != (parse_cases[i].says == NULL))
            fail_msg("\"%s\": %s", parse_cases[i].text, err.text);
        if (pattern != NULL)
            assert_true(slu_slice_equal(slu_template_text(pattern), text));
        else if (strstr(err.text, parse_cases[i].says) == NULL)
            fail_msg("\"%s\" says: %s", parse_cases[i].text, err.text);
    }
}

/* A payload in which /id is "p/1" and /empty is "". */
static bool payload(void *context, struct slu_slice pointer, struct slu_slice *text)
{
    *(int *)context += 1;
    if (slu_slice_equal(pointer, SLU_SLICE("/id")))
        *text = SLU_SLICE("p/1");
    else if (slu_slice_equal(pointer, SLU_SLICE("/empty")))
        *text = SLU_SLICE("");
    else
        return false;
    return true;
}

enum {
    T = SLU_TEMPLATE_TOPIC,
    N = SLU_TEMPLATE_NAME,
    K = SLU_TEMPLATE_KAFKA_TOPIC,
    X = SLU_TEMPLATE_TEXT
};

static const struct {
    const char *pattern;
    int use;
    const char *filter, *topic, *client_id;
    int result;
    const char *filled;
} fill_cases[] = {
    {"alerts/{site}/x", T, "plant/{site}", "plant/a", "c", 0, "alerts/a/x"},
    {"{site}{site}", T, "plant/{site}", "plant/a", "c", 0, "aa"},
    {"v/${topic}", T, "#", "plant/a/7", "c", 0, "v/plant/a/7"},
    {"v/${topic}", T, "#", "/a//b/", "c", 0, "v//a//b/"},
    {"v/${topic}", N, "#", "/a//b/", "c", 0, "v/_/a/_/b/_"},
    {"${topic}", T, "$SYS/#", "$SYS/x", "c", 0, "%24SYS/x"},
    {"${topic}", T, "#", "a%/b", "c", 0, "a%25/b"},
    {"x/${client_id}", T, "#", "t", "a/b+#$%\x01\x7f\x1f!", 0, "x/a%2Fb%2B%23%24%25%01%7F%1F!"},
    {"x/${client_id}", N, "#", "t", "a/b", 0, "x/a%2Fb"},
    {"x/${client_id}", T, "#", "t", "", 0, "x/_"},
    {"x/${client_id}", T, "#", "t", "\xc3\xbc", 0, "x/\xc3\xbc"},
    {"x/${client_id}", T, "#", "t", "..", 0, "x/.."},
    {"x/${client_id}", N, "#", "t", "..", 0, "x/%2E%2E"},
    {"x/.${client_id}", N, "#", "t", ".", 0, "x/.%2E"},
    {"x/${client_id}", N, "#", "t", "..a", 0, "x/..a"},
    {"${topic}", N, "#", "../..", "c", 0, "%2E%2E/%2E%2E"},
    {"{rest#}", T, "a/{rest#}", "a/b/c", "c", 0, "b/c"},
    {"{rest}", T, "a/{rest#}", "a/b/c", "c", 0, "b%2Fc"},
    {"x/{rest#}", T, "a/{rest#}", "a", "c", 0, "x/_"},
    {"{site#}", T, "a/{site}", "a/b", "c", 0, "b"},
    {"x/{gone}/y", T, "a/{site}", "a/b", "c", 1, "x/_/y"},
    {"x/{gone}/y", X, "a/{site}", "a/b", "c", 1, "x/_/y"},
    {"x/{site}", T, NULL, "a/b", "c", 1, "x/_"},
    {"plant.{site}", K, "a/{site}", "a/b c/", "c", 1, "plant._"},
    {"plant.{site}", K, "a/{site}", "a/b \xc3\xbc", "c", 0, "plant.b___"},
    {"p/t.${client_id}", K, "#", "t", "a.b_c-D9/", 0, "p_t.a.b_c-D9_"},
    {"t.${client_id}", K, "#", "t", "", 0, "t._"},
    {"${client_id}", X, "#", "t", "a/b+#$%", 0, "a/b+#$%"},
    {"[${client_id}]", X, "#", "t", "", 0, "[]"},
    {"${payload:/id}", X, "#", "t", "c", 0, "p/1"},
    {"${payload:/id}", T, "#", "t", "c", 0, "p%2F1"},
    {"${payload:/empty}", T, "#", "t", "c", 0, "_"},
    {"${payload:/none}", T, "#", "t", "c", 0, "_"},
    {"${payload:/none}", X, "#", "t", "c", 0, ""},
    {"a$b+c#", T, "#", "t", "c", 0, "a$b+c#"},
};

static void values_are_escaped_for_where_they_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(fill_cases) / sizeof(fill_cases[0]); i++) {
        struct slu_topic_filter filter;
        struct slu_buf out;
        int calls = 0;
        struct slu_template_values values = {
            .topic = slu_slice_of(fill_cases[i].topic), .payload = payload, .context = &calls};
        values.variables[SLU_VARIABLE_TOPIC] = values.topic;
        values.variables[SLU_VARIABLE_CLIENT_ID] = slu_slice_of(fill_cases[i].client_id);
        if (fill_cases[i].filter != NULL) {
            assert_int_equal(
                slu_topic_filter_parse(slu_slice_of(fill_cases[i].filter), &arena, &filter, NULL),
                0);
            /* The case with one level too many is not a match on purpose. */
            if (slu_topic_filter_matches(&filter, values.topic))
                values.filter = &filter;
        }
        const struct slu_template *pattern =
            slu_template_parse(slu_slice_of(fill_cases[i].pattern), ALL, &arena, NULL);
        assert_non_null(pattern);
        slu_buf_init(&out, 1000);
        const int result =
            slu_template_fill(pattern, (enum slu_template_use)fill_cases[i].use, &values, &out);
        if (result != fill_cases[i].result || strcmp(slu_buf_text(&out), fill_cases[i].filled) != 0)
            fail_msg("case %zu \"%s\": %d \"%s\"", i, fill_cases[i].pattern, result,
                     slu_buf_text(&out));
        slu_buf_fini(&out);
    }
}

static void a_full_buffer_is_told(void **state)
{
    (void)state;
    struct slu_buf out;
    const struct slu_template_values values = {.topic = SLU_SLICE("t")};
    const struct slu_template *pattern =
        slu_template_parse(SLU_SLICE("0123456789"), 0, &arena, NULL);
    assert_non_null(pattern);
    slu_buf_init(&out, 9);
    assert_int_equal(slu_template_fill(pattern, SLU_TEMPLATE_TEXT, &values, &out), -1);
    slu_buf_reset(&out);
    assert_false(slu_template_filter(pattern, &out));
    slu_buf_fini(&out);
}

static void without_memory_there_is_no_pattern(void **state)
{
    (void)state;
    struct slu_arena small;
    struct slu_err err = {0};
    slu_arena_init(&small, 64);
    assert_null(slu_template_parse(SLU_SLICE("{a}/{b}/{c}"), 0, &small, &err));
    assert_int_equal(err.kind, SLU_ENOMEM);
    slu_arena_fini(&small);
}

static void a_pattern_tells_its_levels(void **state)
{
    (void)state;
    struct slu_slice name;
    const struct slu_template *pattern =
        slu_template_parse(SLU_SLICE("x/{a}/${topic}{b#}{a}"), ALL, &arena, NULL);
    static const char *const names[] = {"a", "b", "a"};
    assert_non_null(pattern);
    for (size_t i = 0; i < 3; i++) {
        assert_true(slu_template_level(pattern, i, &name));
        assert_true(slu_slice_equal(name, slu_slice_of(names[i])));
    }
    assert_false(slu_template_level(pattern, 3, &name));
}

static const struct {
    const char *pattern;
    const char *filter; /* NULL: cannot be said */
} filter_cases[] = {
    {"alerts/quality/{site}/${policy}", "alerts/quality/+/+"},
    {"alerts/oven-{oven}/x", "alerts/+/x"},
    {"alerts/{a}{b}/x", "alerts/+/x"},
    {"alerts/{a}", "alerts/+"},
    {"sluice/violations/${policy}/${topic}", "sluice/violations/+/#"},
    {"a/x-${topic}/b", "a/#"},
    {"a/{p}x${topic}/b", "a/#"},
    {"${topic}", "#"},
    {"{rest#}/x", "#"},
    {"a/b", "a/b"},
    {"a//b/", "a//b/"},
    {"${payload:/x}", "+"},
    {"$x/{a}", "$x/+"},
    {"a/$x{a}", "a/+"},
    {"{a}$/b", "+/b"},
    {"$x{a}/b", NULL},
    {"${client_id}", "+"},
    {"$x${topic}", NULL},
};

static void a_pattern_says_what_it_can_produce(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(filter_cases) / sizeof(filter_cases[0]); i++) {
        struct slu_buf out;
        const struct slu_template *pattern =
            slu_template_parse(slu_slice_of(filter_cases[i].pattern), ALL, &arena, NULL);
        assert_non_null(pattern);
        slu_buf_init(&out, 100);
        slu_buf_add_text(&out, "before ");
        const bool good = slu_template_filter(pattern, &out);
        assert_int_equal(good, filter_cases[i].filter != NULL);
        if (good && strcmp(slu_buf_text(&out) + 7, filter_cases[i].filter) != 0)
            fail_msg("\"%s\": %s", filter_cases[i].pattern, slu_buf_text(&out));
        slu_buf_fini(&out);
    }
}

/* Values of hostile bytes: what comes out matches the filter that the pattern promises. */
static void what_is_produced_is_what_was_promised(void **state)
{
    (void)state;
    static const char *const patterns[] = {"a/{x}/${client_id}", "a/b{x}c${client_id}",
                                           "v/${client_id}/${topic}", "${client_id}/{x#}"};
    static const char bytes[] = "/+#$%.a\x01\x7f";
    struct slu_random random;
    struct slu_topic_filter source;
    const char *seed = getenv("SLU_SEED");
    slu_random_seed(&random, seed != NULL ? strtoull(seed, NULL, 0) : 1);
    assert_int_equal(slu_topic_filter_parse(SLU_SLICE("s/{x#}"), &arena, &source, NULL), 0);
    for (size_t i = 0; i < 20000; i++) {
        char client_id[8], topic[10] = "s/";
        const size_t id_len = (size_t)slu_random_below(&random, sizeof(client_id));
        const size_t topic_len = 2 + (size_t)slu_random_below(&random, sizeof(topic) - 2);
        for (size_t b = 0; b < id_len; b++)
            client_id[b] = bytes[slu_random_below(&random, sizeof(bytes) - 1)];
        for (size_t b = 2; b < topic_len; b++)
            topic[b] = bytes[slu_random_below(&random, sizeof(bytes) - 1)];
        struct slu_template_values values = {.topic = slu_slice(topic, topic_len),
                                             .filter = &source};
        values.variables[SLU_VARIABLE_TOPIC] = values.topic;
        values.variables[SLU_VARIABLE_CLIENT_ID] = slu_slice(client_id, id_len);
        struct slu_arena scratch;
        struct slu_buf out, promise;
        struct slu_topic_filter promised;
        slu_arena_init(&scratch, 1 << 16);
        slu_buf_init(&out, 1000);
        slu_buf_init(&promise, 1000);
        const struct slu_template *pattern =
            slu_template_parse(slu_slice_of(patterns[i % (sizeof(patterns) / sizeof(patterns[0]))]),
                               ALL, &scratch, NULL);
        assert_non_null(pattern);
        assert_int_equal(slu_template_fill(pattern, SLU_TEMPLATE_TOPIC, &values, &out), 0);
        assert_true(slu_template_filter(pattern, &promise));
        assert_int_equal(slu_topic_filter_parse(slu_buf_slice(&promise), &scratch, &promised, NULL),
                         0);
        if (!slu_topic_filter_matches(&promised, slu_buf_slice(&out)) ||
            !slu_topic_is_publishable(slu_buf_slice(&out), NULL))
            fail_msg("\"%s\" does not match \"%s\"", slu_buf_text(&out), slu_buf_text(&promise));
        slu_buf_fini(&out);
        slu_buf_fini(&promise);
        slu_arena_fini(&scratch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_parses_or_says_where_it_is_wrong),
        cmocka_unit_test(values_are_escaped_for_where_they_go),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(without_memory_there_is_no_pattern),
        cmocka_unit_test(a_pattern_tells_its_levels),
        cmocka_unit_test(a_pattern_says_what_it_can_produce),
        cmocka_unit_test(what_is_produced_is_what_was_promised),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
