/* test_kafka_headers.c -- a record as Kafka gets it: topic, key, value, headers, timestamp. */
#include "sinks/kafka_message.h"

#include "base/properties.h"
#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t spool_id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static const char *policy_name(const void *names, uint16_t number)
{
    (void)names;
    return number == 1 ? "ovens" : NULL;
}

static const char *schema_name(const void *names, uint16_t number)
{
    (void)names;
    return number == 2 ? "oven:1" : NULL;
}

static const struct slu_sink_env env = {.name = "lake",
                                        .instance = "plant1",
                                        .spool_id = spool_id,
                                        .policy_name = policy_name,
                                        .schema_name = schema_name};

/* What one test works with. */
static struct slu_arena arena;
static struct slu_kafka_options options;
static struct slu_sink_policies policies;
static struct slu_kafka_maker maker;
static struct slu_kafka_message message;
static struct slu_sink_reject reject;

static void open_maker(const char *more)
{
    struct slu_problems problems;
    char text[1024];
    slu_problems_init(&problems);
    slu_arena_init(&arena, 1 << 20);
    snprintf(text, sizeof(text), "brokers: k\n%s\n", more);
    const struct slu_node *node = slu_yaml_parse(slu_slice_of(text), "t", &arena, &problems);
    assert_non_null(node);
    if (slu_kafka_options_read(node, &arena, &options, &problems) != 0)
        fail_msg("%s", problems.items[0].err.text);
    slu_problems_fini(&problems);
    assert_int_equal(slu_sink_policies_read(node, &arena, &policies, NULL), 0);
    slu_kafka_maker_init(&maker, &options, &policies, &env);
}

static void close_maker(void)
{
    slu_kafka_maker_fini(&maker);
    slu_arena_fini(&arena);
}

static struct slu_record oven(void)
{
    return (struct slu_record){
        .seq = 7,
        .time_ns = 1700000000123456789,
        .event_ns = 1700000001999999999,
        .policy = 1,
        .schema = 2,
        .kind = SLU_RECORD_MESSAGE,
        .format = SLU_RECORD_JSON,
        .quality = 192,
        .qos = 1,
        .topic = SLU_SLICE("plant/a/oven/7"),
        .client_id = SLU_SLICE("press 4"),
        .username = SLU_SLICE("op"),
        .payload =
            SLU_SLICE("{\"v\":1.50,\"n\":\"x y\",\"on\":true,\"deep\":{\"a\":[10]},\"z\":null}"),
    };
}

/* All headers as "name=value" lines. */
static const char *headers_text(void)
{
    static char text[4096];
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < message.n_headers; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s=%.*s\n",
                              SLU_SLICE_ARG(message.headers[i].name),
                              SLU_SLICE_ARG(message.headers[i].value));
    return text;
}

static void make(const struct slu_record *record)
{
    assert_int_equal(slu_kafka_message_make(&maker, record, &message, &reject), SLU_KAFKA_MADE);
}

static void test_headers_all_are_those_of_the_contract(void **state)
{
    struct slu_record record = oven();
    struct slu_buf packed;
    (void)state;
    slu_buf_init(&packed, 4096);
    slu_properties_add(&packed, SLU_PROPERTY_CONTENT_TYPE, SLU_SLICE(""), SLU_SLICE("text/x"));
    slu_properties_add(&packed, SLU_PROPERTY_USER, SLU_SLICE("line"), SLU_SLICE("L1"));
    slu_properties_add(&packed, SLU_PROPERTY_RESPONSE_TOPIC, SLU_SLICE(""), SLU_SLICE("r"));
    slu_properties_add(&packed, SLU_PROPERTY_USER, SLU_SLICE("traceparent"), SLU_SLICE("00-1"));
    slu_properties_add(&packed, SLU_PROPERTY_USER, SLU_SLICE("tracestate"), SLU_SLICE("v=1"));
    slu_properties_add(&packed, SLU_PROPERTY_USER, SLU_SLICE(""), SLU_SLICE("nameless"));
    record.properties = slu_buf_slice(&packed);
    open_maker("topic: t");
    make(&record);
    assert_string_equal(headers_text(), "sluice.id=01020304-0506-8708-8000-000000000007\n"
                                        "sluice.policy=ovens\n"
                                        "sluice.schema=oven:1\n"
                                        "sluice.quality=192\n"
                                        "sluice.kind=message\n"
                                        "mqtt.topic=plant/a/oven/7\n"
                                        "mqtt.client_id=press 4\n"
                                        "mqtt.qos=1\n"
                                        "mqtt.retain=false\n"
                                        "mqtt.content_type=text/x\n"
                                        "mqtt.user.line=L1\n"
                                        "traceparent=00-1\n"
                                        "tracestate=v=1\n"
                                        "mqtt.user.=nameless\n");
    close_maker();
    slu_buf_fini(&packed);
}

static void test_what_is_absent_has_no_header(void **state)
{
    struct slu_record record = oven();
    (void)state;
    record.schema = 0;
    record.policy = 9; /* unknown */
    record.client_id = SLU_SLICE("");
    record.kind = SLU_RECORD_ALARM;
    record.quality = 0;
    record.retain = true;
    open_maker("topic: t");
    make(&record);
    assert_string_equal(headers_text(), "sluice.id=01020304-0506-8708-8000-000000000007\n"
                                        "sluice.quality=0\n"
                                        "sluice.kind=alarm\n"
                                        "mqtt.topic=plant/a/oven/7\n"
                                        "mqtt.qos=1\n"
                                        "mqtt.retain=true\n");
    close_maker();
}

static void test_headers_ids_and_none(void **state)
{
    const struct slu_record record = oven();
    (void)state;
    open_maker("topic: t\nheaders: ids");
    make(&record);
    assert_string_equal(headers_text(), "sluice.id=01020304-0506-8708-8000-000000000007\n"
                                        "sluice.policy=ovens\n"
                                        "sluice.schema=oven:1\n");
    close_maker();
    open_maker("topic: t\nheaders: none");
    make(&record);
    assert_int_equal(message.n_headers, 0);
    close_maker();
}

static void test_thousands_of_properties_are_kept_in_order(void **state)
{
    struct slu_record record = oven();
    struct slu_buf packed;
    size_t n = 0;
    (void)state;
    slu_buf_init(&packed, SLU_PROPERTIES_MAX_BYTES);
    while (slu_properties_add(&packed, SLU_PROPERTY_USER, SLU_SLICE(""), SLU_SLICE("")))
        n++;
    record.properties = slu_buf_slice(&packed);
    open_maker("topic: t");
    make(&record);
    assert_true(n > 13000);
    assert_int_equal(message.n_headers, n + 9);
    assert_memory_equal(message.headers[n + 8].name.data, "mqtt.user.", 10);
    close_maker();
    slu_buf_fini(&packed);
}

static void test_topic_and_key_from_templates(void **state)
{
    static const struct {
        const char *section, *topic, *key;
    } cases[] = {
        {"topic: lake", "lake", "plant/a/oven/7"},
        {"topic: 'lake.${topic}'", "lake.plant_a_oven_7", "plant/a/oven/7"},
        {"topic: 'a b/${client_id}'", "a_b_press_4", "plant/a/oven/7"},
        {"topic: '${username}.${policy}.${instance}'", "op.ovens.plant1", "plant/a/oven/7"},
        {"topic: t\nkey: '${client_id}/${policy}'", "t", "press 4/ovens"},
        {"topic: t\nkey: '${payload:/v}|${payload:/n}|${payload:/on}'", "t", "1.50|x y|true"},
        {"topic: t\nkey: '${payload:/deep/a/0}${payload:/deep}${payload:/z}${payload:/no}'", "t",
         "10"},
        {"topic: 't.${payload:/n}.${payload:/no}'", "t.x_y._", "plant/a/oven/7"},
    };
    const struct slu_record record = oven();
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        open_maker(cases[i].section);
        make(&record);
        assert_string_equal(message.topic, cases[i].topic);
        assert_int_equal(message.key.len, strlen(cases[i].key));
        assert_memory_equal(message.key.data, cases[i].key, message.key.len);
        close_maker();
    }
}

static void test_an_empty_key_is_a_key_and_no_key_is_none(void **state)
{
    struct slu_record record = oven();
    (void)state;
    record.client_id = SLU_SLICE("");
    open_maker("topic: t\nkey: '${client_id}'");
    make(&record);
    assert_non_null(message.key.data);
    assert_int_equal(message.key.len, 0);
    close_maker();
    open_maker("topic: t\nkey: ''");
    make(&record);
    assert_null(message.key.data);
    close_maker();
}

static void test_levels_need_the_filter_of_the_policy(void **state)
{
    struct slu_record record = oven();
    (void)state;
    open_maker("topic: 'plant.{site}'\nkey: '{oven}'\n"
               "policies: [{id: other, topics: ['#']},\n"
               "  {id: ovens, topics: ['mill/{site}', 'plant/{site}/oven/{oven}', 'plant/#']}]");
    make(&record);
    assert_string_equal(message.topic, "plant.a");
    assert_memory_equal(message.key.data, "7", 1);
    record.topic = SLU_SLICE("plant/a/press/7"); /* another filter of it: without these levels */
    assert_int_equal(slu_kafka_message_make(&maker, &record, &message, &reject), SLU_KAFKA_UNFIT);
    assert_string_equal(reject.code, "template.unresolved");
    assert_string_equal(reject.message, "plant.{site} names a level that the topic does not have");
    record.policy = 2; /* a policy that is gone */
    record.topic = SLU_SLICE("plant/a/oven/7");
    assert_int_equal(slu_kafka_message_make(&maker, &record, &message, &reject), SLU_KAFKA_UNFIT);
    close_maker();
}

static void test_topics_that_kafka_does_not_take_are_unfit(void **state)
{
    struct slu_record record = oven();
    char name[300];
    (void)state;
    memset(name, 'a', sizeof(name));
    open_maker("topic: '${client_id}'");
    record.client_id = slu_slice(name, 249);
    make(&record);
    record.client_id = slu_slice(name, 250);
    assert_int_equal(slu_kafka_message_make(&maker, &record, &message, &reject), SLU_KAFKA_UNFIT);
    assert_string_equal(reject.code, "kafka.TOPIC_EXCEPTION");
    record.client_id = SLU_SLICE("..");
    assert_int_equal(slu_kafka_message_make(&maker, &record, &message, &reject), SLU_KAFKA_UNFIT);
    assert_string_equal(reject.code, "kafka.TOPIC_EXCEPTION");
    close_maker();
}

static void test_a_key_of_megabytes_is_unfit_and_the_next_one_is_not(void **state)
{
    struct slu_record record = oven();
    const size_t len = 2000000;
    char *payload = malloc(len);
    (void)state;
    memset(payload, 'x', len);
    memcpy(payload, "{\"n\":\"", 6);
    memcpy(payload + len - 2, "\"}", 2);
    open_maker("topic: t\nkey: '${payload:/n}'");
    record.payload = slu_slice(payload, len);
    assert_int_equal(slu_kafka_message_make(&maker, &record, &message, &reject), SLU_KAFKA_UNFIT);
    assert_string_equal(reject.code, "record.too_large");
    record = oven();
    make(&record);
    assert_memory_equal(message.key.data, "x y", 3);
    close_maker();
    free(payload);
}

static void test_the_timestamp_is_the_event_time_in_milliseconds(void **state)
{
    static const struct {
        int64_t event_ns, ms;
    } cases[] = {
        {1700000001999999999, 1700000001999}, {1000000, 1}, {0, 1}, {-1, 1}, {INT64_MIN, 1}};
    struct slu_record record = oven();
    (void)state;
    open_maker("topic: t");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        record.event_ns = cases[i].event_ns;
        make(&record);
        assert_int_equal(message.timestamp_ms, cases[i].ms);
    }
    close_maker();
}

static void test_values_are_the_payload_or_the_envelope(void **state)
{
    const struct slu_record record = oven();
    (void)state;
    open_maker("topic: t");
    make(&record);
    assert_ptr_equal(message.value.data, record.payload.data);
    assert_int_equal(message.value.len, record.payload.len);
    close_maker();
    open_maker("topic: t\nvalue: envelope");
    make(&record);
    static const char start[] =
        "{\"v\":1,\"id\":\"01020304-0506-8708-8000-000000000007\",\"seq\":\"7\",";
    assert_memory_equal(message.value.data, start, sizeof(start) - 1);
    assert_int_equal(message.value.data[message.value.len - 1], '}');
    close_maker();
}

static void test_a_copy_holds_everything_by_itself(void **state)
{
    const struct slu_record record = oven();
    (void)state;
    open_maker("topic: t\nkey: '${client_id}'\nvalue: envelope");
    make(&record);
    char before[4096];
    snprintf(before, sizeof(before), "%s", headers_text());
    struct slu_kafka_message *copy = slu_kafka_message_copy(&message);
    assert_non_null(copy);
    const size_t value_len = message.value.len;
    close_maker();
    message = *copy;
    assert_string_equal(headers_text(), before);
    assert_string_equal(copy->topic, "t");
    assert_int_equal(copy->value.len, value_len);
    assert_memory_equal(copy->key.data, "press 4", 7);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_all_are_those_of_the_contract),
        cmocka_unit_test(test_what_is_absent_has_no_header),
        cmocka_unit_test(test_headers_ids_and_none),
        cmocka_unit_test(test_thousands_of_properties_are_kept_in_order),
        cmocka_unit_test(test_topic_and_key_from_templates),
        cmocka_unit_test(test_an_empty_key_is_a_key_and_no_key_is_none),
        cmocka_unit_test(test_levels_need_the_filter_of_the_policy),
        cmocka_unit_test(test_topics_that_kafka_does_not_take_are_unfit),
        cmocka_unit_test(test_a_key_of_megabytes_is_unfit_and_the_next_one_is_not),
        cmocka_unit_test(test_the_timestamp_is_the_event_time_in_milliseconds),
        cmocka_unit_test(test_values_are_the_payload_or_the_envelope),
        cmocka_unit_test(test_a_copy_holds_everything_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
