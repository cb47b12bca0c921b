/* test_policy.c -- which sets of policies are compiled, refused or warned of. */
#include "validation/policy.h"

#include "validation/json_schema/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FILTERS_MAX 4

/* A policy in a few words; NULL ends a list. */
struct sketch {
    const char *id;
    const char *topics[FILTERS_MAX];
    const char *excludes[FILTERS_MAX];
    const char *reroute; /* NULL: `pass` */
    const char *publish;
    enum slu_format format;
    enum slu_mode mode;
    bool allow_alert_topics;
};

static size_t read_list(const char *const *texts, struct slu_slice *slices)
{
    size_t n = 0;

    for (; n < FILTERS_MAX && texts[n] != NULL; n++)
        slices[n] = slu_slice_of(texts[n]);
    return n;
}

static struct slu_snapshot *compile(const struct sketch *sketches, size_t n,
                                    struct slu_problems *problems)
{
    struct slu_policy_options policies[4];
    struct slu_slice topics[4][FILTERS_MAX], excludes[4][FILTERS_MAX];

    memset(policies, 0, sizeof(policies));
    for (size_t i = 0; i < n; i++) {
        policies[i].id = slu_slice_of(sketches[i].id);
        policies[i].mode = sketches[i].mode;
        policies[i].topics = topics[i];
        policies[i].n_topics = read_list(sketches[i].topics, topics[i]);
        policies[i].excludes = excludes[i];
        policies[i].n_excludes = read_list(sketches[i].excludes, excludes[i]);
        policies[i].formats = &sketches[i].format;
        policies[i].n_formats = 1;
        policies[i].action = sketches[i].reroute != NULL ? SLU_ACTION_REROUTE : SLU_ACTION_PASS;
        policies[i].reroute = slu_slice_of(sketches[i].reroute);
        policies[i].publish = slu_slice_of(sketches[i].publish);
        policies[i].violation_sinks = 1;
        policies[i].allow_alert_topics = sketches[i].allow_alert_topics;
    }
    const struct slu_snapshot_options options = {
        .instance = SLU_SLICE("x"), .max_payload = 1000, .policies = policies, .n_policies = n};
    return slu_snapshot_compile(&options, problems);
}

/* The pointers of all problems, joined with blanks; warnings with a `w` before. */
static void join(const struct slu_problems *problems, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < problems->n; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%s%s", i != 0 ? " " : "",
                               problems->items[i].is_warning ? "w" : "",
                               problems->items[i].err.pointer);
}

static const struct {
    const char *name;
    struct sketch policies[4];
    const char *told;
} cases[] = {
    {"a policy whose alerts go elsewhere holds",
     {{.id = "p", .topics = {"plant/#"}, .reroute = "alerts/${topic}"}},
     ""},
    {"its own reroute topic is a loop",
     {{.id = "p", .topics = {"plant/#"}, .reroute = "plant/alerts"}},
     "/policies/0/topics/0"},
    {"its own publish topic is a loop",
     {{.id = "p", .topics = {"a", "plant/+"}, .publish = "plant/x"}},
     "/policies/0/topics/1"},
    {"the parent of a filter with # is owned too",
     {{.id = "p", .topics = {"plant/alerts/#"}, .publish = "plant/alerts"}},
     "/policies/0/topics/0"},
    {"another policy's reroute topic is a loop",
     {{.id = "p", .topics = {"a/#"}, .reroute = "b/x/${policy}"},
      {.id = "q", .topics = {"b/{y}/p"}}},
     "/policies/1/topics/0"},
    {"a value of one level stays one level",
     {{.id = "p", .topics = {"plant/+"}, .reroute = "plant/alerts/${client_id}"}},
     ""},
    {"a value within a level counts as any",
     {{.id = "p", .topics = {"plant/alert-x"}, .publish = "plant/alert-${client_id}"}},
     "/policies/0/topics/0"},
    {"the whole topic may have any depth",
     {{.id = "p", .topics = {"a/+/+/+/d"}, .publish = "a/${topic}"}},
     "/policies/0/topics/0"},
    {"an exclude that covers the reroute topic breaks the loop",
     {{.id = "p",
       .topics = {"plant/#"},
       .excludes = {"plant/alerts/#"},
       .reroute = "plant/alerts/x"}},
     ""},
    {"an exclude need only cover what both match",
     {{.id = "p", .topics = {"plant/+/x"}, .excludes = {"plant/+/x"}, .publish = "plant/${topic}"}},
     ""},
    {"an exclude that covers a part of it does not",
     {{.id = "p",
       .topics = {"plant/#"},
       .excludes = {"plant/alerts/+"},
       .publish = "plant/alerts/${topic}"}},
     "/policies/0/topics/0"},
    {"an exclude of another policy does not help",
     {{.id = "p", .topics = {"plant/#"}, .publish = "plant/a"},
      {.id = "q", .topics = {"x"}, .excludes = {"plant/#"}}},
     "/policies/0/topics/0"},
    {"a policy may be allowed to own alerts",
     {{.id = "p", .topics = {"plant/#"}, .publish = "plant/a", .allow_alert_topics = true}},
     ""},
    {"being allowed is of the policy that owns, not of the one that tells",
     {{.id = "p", .topics = {"a"}, .publish = "plant/a", .allow_alert_topics = true},
      {.id = "q", .topics = {"plant/a"}}},
     "/policies/1/topics/0"},
    {"a policy that is off owns nothing and tells nothing",
     {{.id = "p", .topics = {"a"}, .publish = "plant/a", .mode = SLU_MODE_OFF},
      {.id = "q", .topics = {"plant/#"}}},
     ""},
    {"a policy that monitors is treated as if it acted",
     {{.id = "p", .topics = {"plant/#"}, .publish = "plant/a", .mode = SLU_MODE_MONITOR}},
     "/policies/0/topics/0"},
    {"a filter with a wildcard first does not own topics with $",
     {{.id = "p", .topics = {"#"}, .publish = "$alerts/x"}},
     ""},
    {"where too long topics go is warned of",
     {{.id = "p", .topics = {"sluice/violations/+"}, .publish = "alerts/${topic}"}},
     "w/policies/0/topics/0"},
    {"but not when no topic can grow",
     {{.id = "p", .topics = {"sluice/violations/+"}, .publish = "alerts/x"}},
     ""},
    {"overlapping policies that read alike are fine",
     {{.id = "p", .topics = {"a/#"}}, {.id = "q", .topics = {"a/b"}}},
     ""},
    {"overlapping policies that read differently are warned of",
     {{.id = "p", .topics = {"a/#"}},
      {.id = "q", .topics = {"c", "a/b"}, .format = SLU_FORMAT_BYTES}},
     "w/policies/1/topics/1"},
    {"unless one excludes what both match",
     {{.id = "p", .topics = {"a/#"}, .excludes = {"a/b"}},
      {.id = "q", .topics = {"a/b"}, .format = SLU_FORMAT_BYTES}},
     ""},
    {"two policies of one name are refused",
     {{.id = "p", .topics = {"a"}}, {.id = "q", .topics = {"b"}}, {.id = "p", .topics = {"c"}}},
     "/policies/2/id"},
    {"a reroute topic that begins with a value is refused",
     {{.id = "p", .topics = {"{a}/b"}, .reroute = "{a}/c"}},
     "/policies/0/on_violation/reroute"},
    {"a topic of the broker is refused",
     {{.id = "p", .topics = {"a"}, .reroute = "$SYS/c", .publish = "$CONTROL/d"}},
     "/policies/0/on_violation/reroute /policies/0/on_violation/publish"},
    {"a wildcard in a reroute topic is refused",
     {{.id = "p", .topics = {"a"}, .reroute = "alerts/#"}},
     "/policies/0/on_violation/reroute"},
    {"a level must be in every filter",
     {{.id = "p", .topics = {"a/{x}", "a/{y}"}, .publish = "t/{x}"}},
     "/policies/0/on_violation/publish"},
    {"tag and limit belong to alarms",
     {{.id = "p", .topics = {"a"}, .publish = "t/${limit}"}},
     "/policies/0/on_violation/publish"},
    {"all that is wrong is told",
     {{.id = "p", .topics = {"a/#/b", "a+"}, .excludes = {"{1}"}, .reroute = "t/${x}"}},
     "/policies/0/topics/0 /policies/0/topics/1 /policies/0/exclude/0 "
     "/policies/0/on_violation/reroute"},
};

static void what_is_refused_is_as_in_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_problems problems;
        char told[1024];
        size_t n = 0;
        while (n < 4 && cases[i].policies[n].id != NULL)
            n++;
        slu_problems_init(&problems);
        struct slu_snapshot *snapshot = compile(cases[i].policies, n, &problems);
        join(&problems, told, sizeof(told));
        if (strcmp(told, cases[i].told) != 0 || (snapshot == NULL) != (problems.n_errors != 0))
            fail_msg("%s: told \"%s\", not \"%s\"", cases[i].name, told, cases[i].told);
        slu_snapshot_free(snapshot);
        slu_problems_fini(&problems);
    }
}

static void a_compiled_policy_says_what_was_asked_for(void **state)
{
    const struct slu_limit limits[] = {{.field = SLU_SLICE("/v"), .max = SLU_SLICE("3")}};
    const struct slu_slice topics[] = {SLU_SLICE("a/{x}")};
    const struct slu_slice schemas[] = {SLU_SLICE("s:2"), SLU_SLICE("s:1")};
    const struct slu_schema_source sources[] = {
        {.id = SLU_SLICE("s"), .version = 1, .text = SLU_SLICE("{}"), .file = "s1"},
        {.id = SLU_SLICE("s"), .version = 2, .text = SLU_SLICE("{}"), .file = "s2"}};
    const struct slu_policy_options policies[] = {{.id = SLU_SLICE("p"),
                                                   .topics = topics,
                                                   .n_topics = 1,
                                                   .schemas = schemas,
                                                   .n_schemas = 2,
                                                   .any_schema = true,
                                                   .limits = limits,
                                                   .n_limits = 1,
                                                   .sinks = 5,
                                                   .payload_original = true,
                                                   .violation_sinks = 2}};
    const struct slu_snapshot_options options = {.instance = SLU_SLICE("plant"),
                                                 .max_payload = 77,
                                                 .schemas = sources,
                                                 .n_schemas = 2,
                                                 .policies = policies,
                                                 .n_policies = 1};
    struct slu_problems problems;

    (void)state;
    slu_problems_init(&problems);
    struct slu_snapshot *snapshot = slu_snapshot_compile(&options, &problems);
    assert_non_null(snapshot);
    assert_int_equal(problems.n, 0);
    assert_string_equal(snapshot->instance, "plant");
    assert_int_equal(snapshot->max_payload, 77);
    assert_int_equal(snapshot->n_schemas, 2);
    const struct slu_policy *policy = &snapshot->policies[0];
    assert_string_equal(policy->id, "p");
    assert_int_equal(policy->n_formats, 1);
    assert_int_equal(policy->formats[0], SLU_FORMAT_JSON);
    assert_true(policy->schema.any);
    assert_int_equal(policy->schema.n, 2);
    assert_string_equal(slu_schema_name(policy->schema.schemas[0]), "s:2");
    assert_string_equal(slu_schema_name(policy->schema.schemas[1]), "s:1");
    assert_non_null(policy->limits);
    assert_int_equal(policy->sinks, 5);
    assert_int_equal(policy->violation_sinks, 2);
    assert_int_equal(policy->action, SLU_ACTION_REROUTE);
    assert_true(policy->payload_original);
    const struct slu_slice reroute = slu_template_text(policy->reroute);
    assert_true(slu_slice_equal(reroute, SLU_SLICE("sluice/violations/${policy}/${topic}")));
    assert_null(policy->publish);
    slu_snapshot_free(snapshot);
    slu_problems_fini(&problems);
}

static void a_schema_that_was_told_of_counts_as_known_but_nothing_is_compiled(void **state)
{
    const struct slu_slice topics[] = {SLU_SLICE("a")};
    const struct slu_slice schemas[] = {SLU_SLICE("s:1")};
    const struct slu_schema_source sources[] = {
        {.id = SLU_SLICE("s"), .version = 1, .file = "s", .broken = true}};
    const struct slu_policy_options policies[] = {{.id = SLU_SLICE("p"),
                                                   .topics = topics,
                                                   .n_topics = 1,
                                                   .schemas = schemas,
                                                   .n_schemas = 1,
                                                   .violation_sinks = 1}};
    const struct slu_snapshot_options options = {.instance = SLU_SLICE("x"),
                                                 .schemas = sources,
                                                 .n_schemas = 1,
                                                 .policies = policies,
                                                 .n_policies = 1};
    struct slu_problems problems;

    (void)state;
    slu_problems_init(&problems);
    assert_null(slu_snapshot_compile(&options, &problems));
    assert_int_equal(problems.n, 0);
    slu_problems_fini(&problems);
}

static void only_policies_that_are_on_own_topics(void **state)
{
    const struct sketch policies[] = {{.id = "off", .topics = {"a/#"}, .mode = SLU_MODE_OFF},
                                      {.id = "on", .topics = {"a/+"}, .mode = SLU_MODE_MONITOR}};
    struct slu_problems problems;

    (void)state;
    slu_problems_init(&problems);
    struct slu_snapshot *snapshot = compile(policies, 2, &problems);
    assert_non_null(snapshot);
    struct slu_match_cache *cache = slu_match_cache_new(snapshot->matcher);
    assert_non_null(cache);
    const struct slu_match_set *set = slu_match(cache, SLU_SLICE("a/b"));
    assert_int_equal(set->n, 1);
    assert_int_equal(set->matches[0].policy, 1);
    slu_match_cache_free(cache);
    slu_snapshot_free(snapshot);
    slu_problems_fini(&problems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_refused_is_as_in_the_table),
        cmocka_unit_test(a_compiled_policy_says_what_was_asked_for),
        cmocka_unit_test(a_schema_that_was_told_of_counts_as_known_but_nothing_is_compiled),
        cmocka_unit_test(only_policies_that_are_on_own_topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
