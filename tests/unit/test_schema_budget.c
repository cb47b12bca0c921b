/* test_schema_budget.c -- what a hostile schema or payload may cost: budget, patterns, depth. */
#include "tests/unit/schema_help.h"

static void hundreds_of_required_names_are_all_looked_for(void **state)
{
    (void)state;
    enum { N = 300 };
    static char schema_text[N * 16], payload[N * 16];
    size_t n = 0;
    n += (size_t)sprintf(schema_text + n, "{\"required\":[");
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(schema_text + n, "%s\"k%d\"", i ? "," : "", i);
    sprintf(schema_text + n, "]}");
    struct slu_schema *schema = compile(schema_text);
    for (int missing = -1; missing < N; missing++) {
        n = (size_t)sprintf(payload, "{\"x\":1");
        for (int i = N - 1; i >= 0; i--)
            if (i != missing)
                n += (size_t)sprintf(payload + n, ",\"k%d\":%d", i, i);
        payload[n++] = '}';
        assert_int_equal(judge(schema, slu_slice(payload, n)), missing == -1);
        assert_int_equal(verdict.total, missing != -1);
    }
    slu_schema_free(schema);
}

/* a0 … a39, each of which applies the next one twice: 2^40 judgements. */
static void write_exponential(char *out, const char *open, const char *close, const char *last)
{
    size_t n = (size_t)sprintf(out, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
    for (int i = 0; i < 40; i++)
        n += (size_t)sprintf(out + n,
                             "\"a%d\":%s{\"$ref\":\"#/$defs/a%d\"},{\"$ref\":\"#/$defs/a%d\"}%s,",
                             i, open, i + 1, i + 1, close);
    sprintf(out + n, "\"a40\":%s}}", last);
}

static void the_budget_ends_every_judgement_as_a_violation(void **state)
{
    (void)state;
    static const struct {
        const char *open, *close, *last;
    } rows[] = {
        {"{\"allOf\":[", "]}", "{\"type\":\"null\"}"},
        {"{\"anyOf\":[", "]}", "{\"type\":\"string\"}"},
        {"{\"oneOf\":[", "]}", "{\"type\":\"string\"}"},
        {"{\"not\":{\"allOf\":[", "]}}", "{\"type\":\"null\"}"},
        {"{\"not\":{\"anyOf\":[", "]}}", "{\"type\":\"string\"}"},
        {"{\"if\":{\"allOf\":[", "]},\"then\":true,\"else\":true}", "{\"type\":\"null\"}"},
    };
    static char text[8192];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        write_exponential(text, rows[i].open, rows[i].close, rows[i].last);
        assert_false(holds(text, "null"));
        assert_int_equal(verdict.total, 1);
        assert_string_equal(verdict.violations[0].code, "schema.budget");
    }
}

static void a_pattern_that_runs_away_never_turns_a_judgement_around(void **state)
{
    (void)state;
    static const char *const schemas[] = {
        "{\"pattern\":\"%s\"}",
        "{\"not\":{\"pattern\":\"%s\"}}",
        "{\"anyOf\":[{\"pattern\":\"%s\"},true]}",
        "{\"anyOf\":[{\"not\":{\"pattern\":\"%s\"}}]}",
        "{\"oneOf\":[{\"pattern\":\"%s\"},true]}",
        "{\"if\":{\"pattern\":\"%s\"},\"then\":false}",
        "{\"allOf\":[{\"if\":{\"pattern\":\"%s\"},\"else\":true}]}",
    };
    static const char payload[] =
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"";
    for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++) {
        char text[256], schema[256];
        snprintf(schema, sizeof(schema), "%s", schemas[i]);
        char *at = strstr(schema, "%s");
        snprintf(text, sizeof(text), "%.*s^(?=a)(a|a)*\\\\1[cx]%s", (int)(at - schema), schema,
                 at + 2);
        assert_false(holds(text, payload));
        assert_string_equal(verdict.violations[verdict.n - 1].code, "schema.pattern_budget");
    }
}

static void names_are_matched_within_the_budget_too(void **state)
{
    (void)state;
    assert_false(holds("{\"patternProperties\":{\"^(?=a)(a|a)*\\\\1[cx]\":true}}",
                       "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\":1}"));
    assert_string_equal(verdict.violations[0].code, "schema.pattern_budget");
}

static void depth_is_bounded_by_payload_and_schema(void **state)
{
    (void)state;
    char payload[256];
    memset(payload, '[', 64);
    memset(payload + 64, ']', 64);
    struct slu_schema *schema = compile("{\"items\":{\"$ref\":\"#\"},\"maxItems\":1}");
    assert_true(judge(schema, slu_slice(payload, 128)));
    slu_schema_free(schema);

    /* 400 schemas in a row at each of 64 levels are more than a thread's stack should hold. */
    static char text[65536];
    size_t n = (size_t)sprintf(text, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
    for (int i = 0; i < 400; i++)
        n += (size_t)sprintf(text + n, "\"a%d\":{\"$ref\":\"#/$defs/a%d\"},", i, i + 1);
    sprintf(text + n, "\"a400\":{\"items\":{\"$ref\":\"#\"}}}}");
    schema = compile(text);
    assert_true(judge(schema, SLU_SLICE("[[]]")));
    assert_false(judge(schema, slu_slice(payload, 128)));
    assert_string_equal(verdict.violations[0].code, "schema.budget");
    slu_schema_free(schema);
}

static void a_chain_of_references_has_a_limit(void **state)
{
    (void)state;
    static char text[65536];
    size_t n = (size_t)sprintf(text, "{\"$ref\":\"#/$defs/a0\",\"$defs\":{");
    for (int i = 0; i < 600; i++)
        n += (size_t)sprintf(text + n, "\"a%d\":{\"$ref\":\"#/$defs/a%d\"},", i, i + 1);
    sprintf(text + n, "\"a600\":true}}");
    struct slu_problems problems;
    slu_problems_init(&problems);
    assert_null(slu_schema_compile(slu_slice_of(text), &options, &problems));
    assert_non_null(strstr(problems.items[0].err.text, "schemas in a row"));
    slu_problems_fini(&problems);
}

static void a_hundred_thousand_items_are_compared_in_time(void **state)
{
    (void)state;
    enum { N = 100000 };
    static char payload[N * 8];
    size_t n = 0;
    payload[n++] = '[';
    for (int i = 0; i < N; i++)
        n += (size_t)sprintf(payload + n, "%s%d", i ? "," : "", i);
    payload[n++] = ']';
    struct slu_schema *schema = compile("{\"uniqueItems\":true}");
    assert_true(judge(schema, slu_slice(payload, n)));
    n--;
    n += (size_t)sprintf(payload + n, ",77]");
    assert_false(judge(schema, slu_slice(payload, n)));
    const struct slu_slice pointer = slu_verdict_text(&verdict, verdict.violations[0].pointer);
    assert_memory_equal(pointer.data, "/100000", pointer.len);
    slu_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hundreds_of_required_names_are_all_looked_for),
        cmocka_unit_test(the_budget_ends_every_judgement_as_a_violation),
        cmocka_unit_test(a_pattern_that_runs_away_never_turns_a_judgement_around),
        cmocka_unit_test(names_are_matched_within_the_budget_too),
        cmocka_unit_test(depth_is_bounded_by_payload_and_schema),
        cmocka_unit_test(a_chain_of_references_has_a_limit),
        cmocka_unit_test(a_hundred_thousand_items_are_compared_in_time),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
