/* The judge: which policies own a message, in which order, and what each finds. */
#include "validation/judge.h"

#include "validation/json_schema/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const enum slu_format json_only[] = {SLU_FORMAT_JSON};
static const enum slu_format number_or_json[] = {SLU_FORMAT_NUMBER, SLU_FORMAT_JSON};
static const struct slu_slice ovens[] = {{"plant/{site}/oven/#", 19}};
static const struct slu_slice everything[] = {{"plant/#", 7}};
static const struct slu_limit value_limit[] = {
    {.field = {"/value", 6}, .min = {"0", 1}, .max = {"400", 3}},
};
static const struct slu_slice number_schema[] = {{"number:1", 8}};
static const struct slu_slice either_schema[] = {{"number:1", 8}, {"text:1", 6}};

static const char number_text[] = "{\"properties\":{\"value\":{\"type\":\"number\"}}}";
static const char text_text[] =
    "{\"required\":[\"a\",\"b\"],\"properties\":{\"value\":{\"type\":\"string\"}}}";

static struct slu_policy_options policy(const char *id, const struct slu_slice *topics)
{
    return (struct slu_policy_options){
        .id = slu_slice_of(id),
        .topics = topics,
        .n_topics = 1,
        .formats = json_only,
        .n_formats = 1,
        .allow_alert_topics = true,
    };
}

static struct slu_snapshot *compile(const struct slu_policy_options *policies, size_t n)
{
    static const struct slu_schema_source schemas[] = {
        {.id = {"number", 6},
         .version = 1,
         .file = "n.json",
         .text = {number_text, sizeof(number_text) - 1}},
        {.id = {"text", 4},
         .version = 1,
         .file = "t.json",
         .text = {text_text, sizeof(text_text) - 1}},
    };
    struct slu_problems problems;
    struct slu_snapshot_options options = {
        .instance = SLU_SLICE("test"),
        .max_payload = 4096,
        .schemas = schemas,
        .n_schemas = 2,
        .policies = policies,
        .n_policies = n,
    };

    slu_problems_init(&problems);
    struct slu_snapshot *snapshot = slu_snapshot_compile(&options, &problems);
    for (size_t i = 0; i < problems.n && snapshot == NULL; i++)
        print_message("%s\n", problems.items[i].err.text);
    slu_problems_fini(&problems);
    assert_non_null(snapshot);
    return snapshot;
}

static struct slu_message message(const char *topic, const char *payload)
{
    return (struct slu_message){
        .topic = slu_slice_of(topic),
        .payload = slu_slice_of(payload),
        .client_id = SLU_SLICE("gw"),
        .qos = 1,
    };
}

/* Findings as text: "ovens:holds all:limits.max,schema.type". */
static const char *judged(const struct slu_snapshot *snapshot, const struct slu_message *asked)
{
    static char text[512];
    struct slu_judge *judge = slu_judge_new(snapshot);
    const struct slu_finding *finding;
    size_t len = 0;

    assert_non_null(judge);
    text[0] = '\0';
    slu_judge_begin(judge, asked);
    while ((finding = slu_judge_next(judge)) != NULL) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:", len != 0 ? " " : "",
                                finding->policy->id);
        if (finding->holds)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "holds");
        for (size_t i = 0; i < finding->verdict->n; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s", i != 0 ? "," : "",
                                    finding->verdict->violations[i].code);
    }
    slu_judge_free(judge);
    return text;
}

static void findings_come_in_file_order(void **state)
{
    struct slu_policy_options policies[] = {policy("all", everything), policy("ovens", ovens)};
    policies[1].limits = value_limit;
    policies[1].n_limits = 1;
    struct slu_snapshot *snapshot = compile(policies, 2);
    static const struct {
        const char *topic, *payload, *expected;
    } cases[] = {
        {"plant/a/oven/1", "{\"value\":20}", "all:holds ovens:holds"},
        {"plant/a/oven/1", "{\"value\":500}", "all:holds ovens:limits.max"},
        {"plant/a/press/1", "{\"value\":500}", "all:holds"},
        {"plant/a/oven/1", "{\"value\":", "all:payload.malformed ovens:payload.malformed"},
        {"elsewhere", "{}", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct slu_message asked = message(cases[i].topic, cases[i].payload);
        assert_string_equal(judged(snapshot, &asked), cases[i].expected);
    }
    slu_snapshot_free(snapshot);
}

static void schema_and_limits_both_speak(void **state)
{
    struct slu_policy_options policies[] = {policy("p", everything)};
    policies[0].schemas = number_schema;
    policies[0].n_schemas = 1;
    policies[0].limits = value_limit;
    policies[0].n_limits = 1;
    struct slu_snapshot *snapshot = compile(policies, 1);
    struct slu_message asked = message("plant/x", "{\"value\":\"hot\"}");

    (void)state;
    assert_string_equal(judged(snapshot, &asked), "p:schema.type,limits.type");
    slu_snapshot_free(snapshot);
}

/* Whether keys differ is settled by the schema in passing, where it can: these are the ways it cannot. */
static void a_key_that_is_there_twice_is_found_on_every_path(void **state)
{
    static const char *const payloads[] = {
        "{\"value\":1,\"value\":2}",       "{\"value\":1,\"other\":2,\"value\":3}",
        "{\"other\":1,\"other\":2}",       "{\"value\":1,\"v\\u0061lue\":2}",
        "{\"value\":\"hot\",\"value\":2}", "{\"value\":1,\"deep\":{\"a\":1,\"a\":2}}",
    };
    struct slu_policy_options policies[] = {
        policy("plain", everything), policy("schema", everything), policy("either", everything)};
    policies[1].schemas = number_schema;
    policies[1].n_schemas = 1;
    policies[2].schemas = either_schema;
    policies[2].n_schemas = 2;
    policies[2].any_schema = true;

    (void)state;
    for (size_t p = 0; p < 3; p++) {
        struct slu_snapshot *snapshot = compile(&policies[p], 1);
        for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
            struct slu_message asked = message("plant/x", payloads[i]);
            const char *found = strchr(judged(snapshot, &asked), ':');
            print_message("%s %s\n", policies[p].id.data, payloads[i]);
            assert_string_equal(found, ":payload.duplicate_key");
        }
        slu_snapshot_free(snapshot);
    }
}

static void any_of_holds_with_one_and_else_tells_the_closest(void **state)
{
    struct slu_policy_options policies[] = {policy("p", everything)};
    policies[0].schemas = either_schema;
    policies[0].n_schemas = 2;
    policies[0].any_schema = true;
    struct slu_snapshot *snapshot = compile(policies, 1);
    struct slu_message number = message("plant/x", "{\"value\":1}");
    struct slu_message text = message("plant/x", "{\"a\":1,\"b\":2,\"value\":\"x\"}");
    struct slu_message neither = message("plant/x", "{\"value\":true}");

    (void)state;
    assert_string_equal(judged(snapshot, &number), "p:holds");
    assert_string_equal(judged(snapshot, &text), "p:holds");
    assert_string_equal(judged(snapshot, &neither), "p:schema.type");
    slu_snapshot_free(snapshot);
}

/* The schema that a record of the message names; "-": none. */
static const char *named(const struct slu_snapshot *snapshot, const char *payload)
{
    static char text[64];
    struct slu_message asked = message("plant/x", payload);
    struct slu_judge *judge = slu_judge_new(snapshot);

    assert_non_null(judge);
    slu_judge_begin(judge, &asked);
    const struct slu_finding *finding = slu_judge_next(judge);
    assert_non_null(finding);
    snprintf(text, sizeof(text), "%s",
             finding->schema != NULL ? slu_schema_name(finding->schema) : "-");
    slu_judge_free(judge);
    return text;
}

static void a_record_names_the_first_of_all_and_the_one_of_any(void **state)
{
    struct slu_policy_options policies[] = {policy("p", everything)};
    policies[0].schemas = either_schema;
    policies[0].n_schemas = 2;
    policies[0].any_schema = true;
    struct slu_snapshot *any = compile(policies, 1);
    policies[0].any_schema = false;
    struct slu_snapshot *all = compile(policies, 1);

    (void)state;
    assert_string_equal(named(any, "{\"value\":1}"), "number:1");
    assert_string_equal(named(any, "{\"a\":1,\"b\":2,\"value\":\"x\"}"), "text:1");
    assert_string_equal(named(any, "{\"value\":true}"), "-");
    assert_string_equal(named(all, "{\"a\":1,\"b\":2}"), "number:1");
    assert_string_equal(named(all, "{\"value\":\"x\"}"), "number:1"); /* monitored, it goes on */
    slu_snapshot_free(any);
    slu_snapshot_free(all);
}

static void the_first_format_that_reads_wins(void **state)
{
    static const struct slu_limit whole[] = {{.field = {"", 0}, .max = {"10", 2}}};
    struct slu_policy_options policies[] = {policy("p", everything)};
    policies[0].formats = number_or_json;
    policies[0].n_formats = 2;
    policies[0].limits = whole;
    policies[0].n_limits = 1;
    struct slu_snapshot *snapshot = compile(policies, 1);
    struct slu_message plus = message("plant/x", " +7 ");
    struct slu_message high = message("plant/x", "11");
    struct slu_message object = message("plant/x", "{}");
    struct slu_message rubbish = message("plant/x", "seven");

    (void)state;
    assert_string_equal(judged(snapshot, &plus), "p:holds");
    assert_string_equal(judged(snapshot, &high), "p:limits.max");
    assert_string_equal(judged(snapshot, &object), "p:limits.type");
    assert_string_equal(judged(snapshot, &rubbish), "p:payload.malformed");
    slu_snapshot_free(snapshot);
}

static void a_policy_that_is_off_is_not_there(void **state)
{
    struct slu_policy_options policies[] = {policy("off", everything)};
    policies[0].mode = SLU_MODE_OFF;
    struct slu_snapshot *snapshot = compile(policies, 1);
    struct slu_judge *judge = slu_judge_new(snapshot);
    struct slu_message asked = message("plant/x", "rubbish");

    (void)state;
    assert_int_equal(slu_judge_begin(judge, &asked), 0);
    assert_null(slu_judge_next(judge));
    slu_judge_free(judge);
    slu_snapshot_free(snapshot);
}

static void templates_may_ask_for_everything_about_a_finding(void **state)
{
    struct slu_policy_options policies[] = {policy("ovens", ovens)};
    policies[0].limits = value_limit;
    policies[0].n_limits = 1;
    policies[0].reroute =
        SLU_SLICE("a/{site}/${policy}/${code}/${client_id}/${payload:/value}/${payload:/no}");
    struct slu_snapshot *snapshot = compile(policies, 1);
    struct slu_judge *judge = slu_judge_new(snapshot);
    struct slu_message asked = message("plant/st#/oven/1", "{\"value\":500.5}");
    struct slu_template_values values;
    struct slu_buf topic;

    (void)state;
    slu_buf_init(&topic, 1024);
    assert_int_equal(slu_judge_begin(judge, &asked), 1);
    const struct slu_finding *finding = slu_judge_next(judge);
    assert_non_null(finding);
    slu_judge_template_values(judge, finding, &values);
    assert_int_equal(
        slu_template_fill(finding->policy->reroute, SLU_TEMPLATE_TOPIC, &values, &topic), 0);
    assert_string_equal(slu_buf_text(&topic), "a/st%23/ovens/limits.max/gw/500.5/_");
    slu_buf_fini(&topic);
    slu_judge_free(judge);
    slu_snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_come_in_file_order),
        cmocka_unit_test(schema_and_limits_both_speak),
        cmocka_unit_test(a_key_that_is_there_twice_is_found_on_every_path),
        cmocka_unit_test(any_of_holds_with_one_and_else_tells_the_closest),
        cmocka_unit_test(a_record_names_the_first_of_all_and_the_one_of_any),
        cmocka_unit_test(the_first_format_that_reads_wins),
        cmocka_unit_test(a_policy_that_is_off_is_not_there),
        cmocka_unit_test(templates_may_ask_for_everything_about_a_finding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
