/* test_kafka_options.c -- what the section of a kafka sink may say, and what it may not. */
#include "sinks/kafka_options.h"

#include "base/yaml.h"
#include "sinks/kafka.h"
#include "sinks/kafka_client.h"
#include "tests/kafka/c11_threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct slu_arena arena;
static struct slu_problems problems;

static int begin(void **state)
{
    (void)state;
    slu_arena_init(&arena, 1 << 20);
    slu_problems_init(&problems);
    return 0;
}

static int end(void **state)
{
    (void)state;
    slu_problems_fini(&problems);
    slu_arena_fini(&arena);
    return 0;
}

static const struct slu_node *parse(const char *text)
{
    const struct slu_node *node =
        slu_yaml_parse(slu_slice_of(text), "test.yaml", &arena, &problems);
    assert_non_null(node);
    return node;
}

static void test_a_short_section_has_the_documented_defaults(void **state)
{
    struct slu_kafka_options options;
    (void)state;
    assert_int_equal(slu_kafka_options_read(parse("{brokers: 'k1:9092,k2:9092', topic: lake}"),
                                            &arena, &options, &problems),
                     0);
    assert_string_equal(options.brokers, "k1:9092,k2:9092");
    assert_memory_equal(slu_template_text(options.topic).data, "lake", 4);
    assert_memory_equal(slu_template_text(options.key).data, "${topic}", 8);
    assert_int_equal(options.value, SLU_KAFKA_PAYLOAD);
    assert_int_equal(options.headers, SLU_KAFKA_HEADERS_ALL);
    assert_int_equal(options.n_properties, 0);
    assert_int_equal(problems.n_errors, 0);
    assert_int_equal(problems.n_warnings, 1); /* off this machine, and nothing is encrypted */
    assert_non_null(strstr(problems.items[0].err.text, "not encrypted"));
}

static void test_an_empty_key_is_no_key(void **state)
{
    struct slu_kafka_options options;
    (void)state;
    assert_int_equal(slu_kafka_options_read(parse("{brokers: localhost, topic: t, key: ''}"),
                                            &arena, &options, &problems),
                     0);
    assert_null(options.key);
}

/* Text of the first problem that check() finds; "" none. */
static const char *first_problem(const char *section)
{
    slu_problems_fini(&problems);
    slu_problems_init(&problems);
    slu_sink_kafka.check(parse(section), &problems);
    return problems.n > 0 ? problems.items[0].err.text : "";
}

static void test_what_is_wrong_is_told(void **state)
{
    static const struct {
        const char *section, *problem;
    } cases[] = {
        {"{topic: t}", "brokers: is missing"},
        {"{brokers: localhost}", "topic: is missing"},
        {"{brokers: localhost, topic: 'a.${nothing}'}", "is not a variable"},
        {"{brokers: localhost, topic: 'a.${code}'}", "has no value here"},
        {"{brokers: localhost, topic: t, key: '{'}", "key: "},
        {"{brokers: localhost, topic: '..'}", "only dots"},
        {"{brokers: localhost, topic: t, value: avro}", "value: is payload or envelope"},
        {"{brokers: localhost, topic: t, headers: some}", "headers: is none, ids or all"},
        {"{brokers: localhost, topic: t, properties: [a]}", "properties: is a map"},
        {"{brokers: localhost, topic: t, properties: {linger.ms: [1]}}",
         "linger.ms: is a text, a number"},
        {"{brokers: localhost, topic: t, properties: {linger.mss: 1}}", "did you mean linger.ms?"},
        {"{brokers: localhost, topic: t, properties: {linger.ms: soon}}", "linger.ms: "},
        {"{brokers: localhost, topic: t, properties: {compression.type: zip}}",
         "compression.type: "},
        {"{brokers: localhost, topic: t, properties: {acks: 1}}", "acks: may not be set"},
        {"{brokers: localhost, topic: t, properties: {ssl.endpoint.identification.algorithm: "
         "none}}",
         "can pose as the broker"},
        {"{brokers: localhost, topic: t, properties: {enable.ssl.certificate.verification: false}}",
         "can pose as the broker"},
        {"{brokers: localhost, topic: t, properties: {sasl.password: p}}", "has no effect without"},
        {"{brokers: localhost, topic: t, properties: {ssl.ca.location: probe}}",
         "has no effect without"},
        {"{brokers: localhost, topic: t, properties: {security.protocol: sasl_plaintext, "
         "sasl.password: "
         "p}}",
         "nothing is encrypted"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *problem = first_problem(cases[i].section);
        if (strstr(problem, cases[i].problem) == NULL)
            fail_msg("%s: \"%s\" does not tell \"%s\"", cases[i].section, problem,
                     cases[i].problem);
    }
}

static void test_properties_that_break_the_promise_are_refused_by_name(void **state)
{
    static const char *const names[] = {
        "acks",
        "request.required.acks",
        "enable.idempotence",
        "enable.gapless.guarantee",
        "max.in.flight",
        "max.in.flight.requests.per.connection",
        "queuing.strategy",
        "message.timeout.ms",
        "delivery.timeout.ms",
        "retries",
        "message.send.max.retries",
        "transactional.id",
        "transaction.timeout.ms",
        "bootstrap.servers",
        "metadata.broker.list",
        "delivery.report.only.error",
        "statistics.interval.ms",
        "enabled_events",
        "log.queue",
        "log_cb",
        "dr_msg_cb",
        "stats_cb",
        "partitioner_cb",
        "oauthbearer_token_refresh_cb",
        "opaque",
        "interceptors",
        "plugin.library.paths",
        "internal.termination.signal",
        "test.mock.num.brokers",
        "api.version.request",
    };
    static const char *const fine[] = {
        "compression.type",  "linger.ms",         "batch.size",
        "sasl.password",     "ssl.ca.location",   "security.protocol",
        "client.id",         "message.max.bytes", "debug",
        "socket.timeout.ms", "sasl.mechanisms",   "queue.buffering.max.messages",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (slu_kafka_options_refusal(names[i], "1") == NULL)
            fail_msg("%s is not refused", names[i]);
    }
    for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
        if (slu_kafka_options_refusal(fine[i], "1") != NULL)
            fail_msg("%s is refused", fine[i]);
    }
    assert_non_null(slu_kafka_options_refusal("partitioner", "random"));
    assert_null(slu_kafka_options_refusal("partitioner", "fnv1a_random"));
}

static void test_problems_stand_where_the_property_stands(void **state)
{
    (void)state;
    first_problem("brokers: k\ntopic: t\nproperties:\n  linger.ms: 5\n  acks: 1\n");
    assert_int_equal(problems.n, 1);
    assert_int_equal(problems.items[0].err.line, 5);
    assert_int_equal(problems.items[0].err.column, 9);
}

static void test_a_secret_is_never_shown(void **state)
{
    (void)state;
    setenv("SLU_TEST_SECRET", "hunter2hunter2", 1);
    const char *problem = first_problem(
        "{brokers: localhost, topic: t, properties: {compression.type: '${env:SLU_TEST_SECRET}'}}");
    assert_non_null(strstr(problem, "compression.type"));
    assert_null(strstr(problem, "hunter2"));
}

static void test_any_property_of_librdkafka_is_taken(void **state)
{
    (void)state;
    assert_string_equal(
        first_problem(
            "{brokers: localhost, topic: t, properties: {compression.type: zstd, linger.ms: 50, "
            "security.protocol: ssl, ssl.ca.location: probe, partitioner: murmur2, "
            "socket.keepalive.enable: true, client.id: plant}}"),
        "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_short_section_has_the_documented_defaults, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_an_empty_key_is_no_key, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_wrong_is_told, begin, end),
        cmocka_unit_test_setup_teardown(test_properties_that_break_the_promise_are_refused_by_name,
                                        begin, end),
        cmocka_unit_test_setup_teardown(test_problems_stand_where_the_property_stands, begin, end),
        cmocka_unit_test_setup_teardown(test_a_secret_is_never_shown, begin, end),
        cmocka_unit_test_setup_teardown(test_any_property_of_librdkafka_is_taken, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
