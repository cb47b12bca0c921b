/* test_kafka_sink.c -- what each answer of a broker does to the records, against librdkafka's mock
 * cluster. It keeps no promise of its own (tests/kafka has a real Kafka for that): here only the
 * sink's answers count. */
#include "sinks/kafka.h"

#include "base/clock.h"
#include "base/yaml.h"
#include "tests/kafka/c11_threads.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PRODUCE  0
#define METADATA 3
#define MAX_WAIT (60 * SLU_NS_PER_S) /* a hang, not a speed */

static const uint8_t spool_id[16] = {1};

static const char *name_of(const void *names, uint16_t number)
{
    (void)names;
    return number == 1 ? "p" : NULL;
}

static const struct slu_sink_env env = {.name = "lake",
                                        .instance = "i",
                                        .spool_id = spool_id,
                                        .policy_name = name_of,
                                        .schema_name = name_of};

/* ---- cluster and sink ---------------------------------------------------------------------------------- */

static rd_kafka_t *host; /* of the mock cluster */
static rd_kafka_mock_cluster_t *cluster;
static struct slu_arena arena;
static void *sink;
static uint64_t pushed, safe;
static size_t n_resets, n_paused, n_away, n_rejects;
static char last_text[512];
static struct slu_sink_reject last_reject;

static void no_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    (void)rk;
    (void)level;
    (void)facility;
    (void)text;
}

static int make_cluster(void **state)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)state;
    rd_kafka_conf_set_log_cb(conf, no_log);
    host = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    cluster = rd_kafka_mock_cluster_new(host, 1);
    return cluster != NULL ? 0 : -1;
}

static int end_cluster(void **state)
{
    (void)state;
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(host);
    return 0;
}

static const struct slu_node *section(const char *brokers, const char *more)
{
    struct slu_problems problems;
    char text[1024];
    slu_problems_init(&problems);
    slu_arena_init(&arena, 1 << 20);
    snprintf(text, sizeof(text), "brokers: '%s'\ntopic: t\n%s\n", brokers, more);
    const struct slu_node *node = slu_yaml_parse(slu_slice_of(text), "t", &arena, &problems);
    slu_problems_fini(&problems);
    assert_non_null(node);
    return node;
}

static void open_sink(const char *brokers, const char *more)
{
    struct slu_err err = {0};
    sink = calloc(1, slu_sink_kafka.self_bytes);
    pushed = safe = n_resets = n_paused = n_away = n_rejects = 0;
    last_text[0] = '\0';
    assert_int_equal(slu_sink_kafka.open(sink, &env, section(brokers, more), &err), 0);
}

static void close_sink(void)
{
    slu_sink_kafka.close(sink);
    free(sink);
    slu_arena_fini(&arena);
}

static void open_on_cluster(const char *more)
{
    rd_kafka_mock_clear_request_errors(cluster, PRODUCE);
    open_sink(rd_kafka_mock_cluster_bootstraps(cluster), more);
}

/* ---- a small delivery -------------------------------------------------------------------------------------- */

static void push(uint64_t n)
{
    struct slu_record records[100];
    memset(records, 0, sizeof(records));
    for (uint64_t i = 0; i < n; i++)
        records[i] = (struct slu_record){
            .seq = pushed + 1 + i,
            .time_ns = 1700000000000000000,
            .event_ns = 1700000000000000000,
            .policy = 1,
            .kind = SLU_RECORD_MESSAGE,
            .format = SLU_RECORD_BYTES,
            .topic = SLU_SLICE("plant/k"),
            .payload = SLU_SLICE("some bytes"),
        };
    pushed += slu_sink_kafka.push(sink, records, (size_t)n, slu_clock_mono_ns() + SLU_NS_PER_S);
}

static enum slu_sink_answer settle(void)
{
    static struct slu_settlement settlement;
    struct slu_err err = {0};
    memset(&settlement, 0, sizeof(settlement));
    const enum slu_sink_answer answer =
        slu_sink_kafka.settle(sink, slu_clock_mono_ns() + SLU_NS_PER_S / 5, &settlement, &err);

    if (settlement.n_rejects > 0)
        last_reject = settlement.rejects[settlement.n_rejects - 1];
    n_rejects += settlement.n_rejects;
    if (settlement.safe_seq > safe)
        safe = settlement.safe_seq;
    if (answer == SLU_SINK_RESET) {
        n_resets++;
        pushed = safe;
    }
    if (answer == SLU_SINK_AWAY || answer == SLU_SINK_PAUSED) {
        snprintf(last_text, sizeof(last_text), "%s", err.text);
        assert_true(err.text[0] != '\0');
    }
    n_paused += answer == SLU_SINK_PAUSED;
    n_away += answer == SLU_SINK_AWAY;
    return answer;
}

/* Deliver records 1 … n. */
static void deliver(uint64_t n)
{
    const int64_t until = slu_clock_mono_ns() + MAX_WAIT;
    while (safe < n) {
        assert_true(slu_clock_mono_ns() < until);
        settle();
        if (pushed < n)
            push(n - pushed < 100 ? n - pushed : 100);
    }
}

static void await(enum slu_sink_answer wanted)
{
    const int64_t until = slu_clock_mono_ns() + MAX_WAIT;
    while (settle() != wanted)
        assert_true(slu_clock_mono_ns() < until);
}

/* ---- tests --------------------------------------------------------------------------------------------------- */

static void test_the_first_answer_is_reset_and_records_become_safe(void **state)
{
    (void)state;
    open_on_cluster("");
    assert_int_equal(settle(), SLU_SINK_RESET);
    deliver(500);
    assert_int_equal(safe, 500);
    assert_int_equal(n_resets, 1);
    assert_int_equal(n_rejects + n_paused + n_away, 0);
    close_sink();
}

static void test_nothing_is_taken_before_the_first_reset(void **state)
{
    (void)state;
    open_on_cluster("");
    push(10);
    assert_int_equal(pushed, 0);
    close_sink();
}

/* One answer of the broker to a batch, and what follows. */
static const struct answer {
    rd_kafka_resp_err_t error;
    size_t times; /* in a row: a paused sink tries one record, and again */
    uint64_t records;
    size_t n_resets, n_rejects;
    bool pauses;
    const char *code; /* of the reject */
} answers[] = {
    /* librdkafka retries by itself */
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 1, 50, 1, 0, false, NULL},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, 1, 50, 1, 0, false, NULL},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, 1, 50, 1, 0, false, NULL},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, 1, 50, 1, 0, false, NULL},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, 1, 50, 1, 0, false, NULL},
    {RD_KAFKA_RESP_ERR__TRANSPORT, 1, 50, 1, 0, false, NULL},
    {RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, 1, 50, 1, 0, false, NULL},
    /* one record, refused alone */
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1, 1, 2, 1, false, "record.too_large"},
    {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, 1, 1, 2, 1, false, "record.too_large"},
    {RD_KAFKA_RESP_ERR_INVALID_MSG, 1, 1, 2, 1, false, "kafka.INVALID_MSG"},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, 1, 1, 2, 1, false, "kafka.INVALID_RECORD"},
    {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, 1, 1, 2, 1, false, "kafka.INVALID_TIMESTAMP"},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, 1, 1, 2, 1, false,
     "kafka.UNSUPPORTED_FOR_MESSAGE_FORMAT"},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, 1, 1, 2, 1, false, "kafka.POLICY_VIOLATION"},
    /* a batch of many: sent again one by one, and then none is refused */
    {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1, 50, 2, 0, false, NULL},
    {RD_KAFKA_RESP_ERR_INVALID_RECORD, 1, 50, 2, 0, false, NULL},
    /* somebody has to act: the data stays, never a dead letter */
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 3, 50, 2, 0, true, NULL},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, 3, 50, 2, 0, true, NULL},
    {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, 3, 50, 2, 0, true, NULL},
    {RD_KAFKA_RESP_ERR_UNKNOWN, 3, 50, 2, 0, true, NULL},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, 2, 50, 2, 0, true, NULL},
    {RD_KAFKA_RESP_ERR_INVALID_REQUIRED_ACKS, 2, 50, 2, 0, true, NULL},
    /* a new producer */
    {RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 1, 50, 2, 0, false, NULL},
    {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, 1, 50, 2, 0, false, NULL},
};

static void test_each_answer_has_its_consequence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const struct answer *answer = &answers[i];
        const char *name = rd_kafka_err2name(answer->error);
        open_on_cluster("");
        deliver(4); /* of one key, so that the connection stands and batches are whole */
        for (size_t k = 0; k < answer->times; k++)
            rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, answer->error);
        deliver(4 + answer->records);
        if (answer->error == RD_KAFKA_RESP_ERR_INVALID_MSG && n_resets == 1 && n_rejects == 0) {
            close_sink(); /* librdkafka 2.8 retries it by itself, 2.0 does not */
            continue;
        }
        if (n_resets != answer->n_resets || n_rejects != answer->n_rejects ||
            (n_paused > 0) != answer->pauses || n_away > 0)
            fail_msg("%s: %zu resets, %zu rejects, %zu pauses, %zu aways", name, n_resets,
                     n_rejects, n_paused, n_away);
        if (answer->code != NULL)
            assert_string_equal(last_reject.code, answer->code);
        if (answer->pauses && strstr(last_text, name) == NULL)
            fail_msg("\"%s\" does not name %s", last_text, name);
        close_sink();
    }
}

static void test_a_paused_sink_says_the_same_until_the_record_is_taken(void **state)
{
    char first[512];
    (void)state;
    open_on_cluster("");
    deliver(1);
    for (size_t k = 0; k < 4; k++)
        rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1,
                                          RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    push(20);
    await(SLU_SINK_PAUSED);
    snprintf(first, sizeof(first), "%s", last_text);
    deliver(21);
    assert_true(n_paused >= 4);
    assert_string_equal(last_text, first);
    assert_int_equal(n_resets, 2);
    close_sink();
}

static void test_reset_gives_up_what_is_under_way(void **state)
{
    (void)state;
    open_on_cluster("properties: {linger.ms: 60000}");
    await(SLU_SINK_RESET);
    push(50);
    assert_int_equal(pushed, 50);
    settle();
    assert_int_equal(safe, 0); /* it lingers */
    slu_sink_kafka.reset(sink);
    pushed = safe;
    push(1);
    assert_int_equal(pushed, 0);
    await(SLU_SINK_RESET);
    push(50);
    slu_sink_kafka.finish(sink, slu_clock_mono_ns() + 30 * SLU_NS_PER_S);
    settle();
    assert_int_equal(safe, 50);
    close_sink();
}

static void test_rejects_are_tried_again_after_a_reset(void **state)
{
    (void)state;
    open_on_cluster("");
    deliver(1);
    rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    push(1);
    const int64_t until = slu_clock_mono_ns() + MAX_WAIT;
    while (n_resets < 2 && slu_clock_mono_ns() < until)
        settle(); /* refused, remembered, not yet pushed again */
    assert_int_equal(n_resets, 2);
    slu_sink_kafka.reset(sink);
    deliver(2);
    assert_int_equal(n_rejects, 0);
    close_sink();
}

static void test_a_queue_that_is_full_takes_fewer(void **state)
{
    (void)state;
    open_on_cluster("properties: {queue.buffering.max.messages: 30, linger.ms: 5}");
    await(SLU_SINK_RESET);
    push(100);
    assert_int_equal(pushed, 30);
    deliver(200);
    assert_int_equal(n_rejects, 0);
    close_sink();
}

static void test_no_broker_is_away_and_the_end_is_quick(void **state)
{
    (void)state;
    open_sink("127.0.0.1:1", "");
    await(SLU_SINK_AWAY);
    assert_int_equal(n_resets, 0);
    close_sink();
}

static void test_a_broker_that_goes_and_comes_is_away_and_nothing_is_lost(void **state)
{
    (void)state;
    open_on_cluster("");
    deliver(10);
    rd_kafka_mock_broker_set_down(cluster, 1);
    push(50);
    await(SLU_SINK_AWAY);
    rd_kafka_mock_broker_set_up(cluster, 1);
    deliver(60);
    assert_int_equal(n_resets, 1);
    assert_int_equal(n_rejects, 0);
    close_sink();
}

static void test_a_topic_that_is_missing_pauses(void **state)
{
    (void)state;
    open_on_cluster("properties: {topic.metadata.propagation.max.ms: 300}");
    rd_kafka_mock_topic_set_error(cluster, "t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    await(SLU_SINK_RESET);
    push(20);
    await(SLU_SINK_PAUSED);
    assert_non_null(strstr(last_text, "topic t: "));
    assert_non_null(strstr(last_text, "create the topic"));
    rd_kafka_mock_topic_set_error(cluster, "t", RD_KAFKA_RESP_ERR_NO_ERROR);
    deliver(20);
    assert_int_equal(n_rejects, 0);
    close_sink();
}

static void test_levels_that_are_not_known_are_refused_without_a_new_producer(void **state)
{
    struct slu_err err = {0};
    char text[256];
    (void)state;
    struct slu_problems problems;
    slu_problems_init(&problems);
    slu_arena_init(&arena, 1 << 20);
    snprintf(text, sizeof(text), "brokers: '%s'\ntopic: 't.{site}'\n",
             rd_kafka_mock_cluster_bootstraps(cluster));
    sink = calloc(1, slu_sink_kafka.self_bytes);
    pushed = safe = n_resets = n_paused = n_away = n_rejects = 0;
    assert_int_equal(slu_sink_kafka.open(sink, &env,
                                         slu_yaml_parse(slu_slice_of(text), "t", &arena, &problems),
                                         &err),
                     0);
    slu_problems_fini(&problems);
    deliver(600);
    assert_int_equal(n_rejects, 600);
    assert_string_equal(last_reject.code, "template.unresolved");
    assert_int_equal(n_resets, 1);
    close_sink();
}

static void test_a_section_that_librdkafka_does_not_take_is_refused_at_open(void **state)
{
    struct slu_err err = {0};
    (void)state;
    sink = calloc(1, slu_sink_kafka.self_bytes);
    assert_int_equal(slu_sink_kafka.open(sink, &env,
                                         section("k:1", "properties: {security.protocol: ssl, "
                                                        "ssl.ca.location: /no/such/file}"),
                                         &err),
                     -1);
    assert_non_null(strstr(err.text, "ssl.ca.location"));
    close_sink();
    sink = calloc(1, slu_sink_kafka.self_bytes);
    err = (struct slu_err){0};
    assert_int_equal(slu_sink_kafka.open(sink, &env, section("k:1", "properties: {acks: 1}"), &err),
                     -1);
    assert_non_null(strstr(err.text, "acks"));
    close_sink();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_answer_is_reset_and_records_become_safe),
        cmocka_unit_test(test_nothing_is_taken_before_the_first_reset),
        cmocka_unit_test(test_each_answer_has_its_consequence),
        cmocka_unit_test(test_a_paused_sink_says_the_same_until_the_record_is_taken),
        cmocka_unit_test(test_reset_gives_up_what_is_under_way),
        cmocka_unit_test(test_rejects_are_tried_again_after_a_reset),
        cmocka_unit_test(test_a_queue_that_is_full_takes_fewer),
        cmocka_unit_test(test_no_broker_is_away_and_the_end_is_quick),
        cmocka_unit_test(test_a_broker_that_goes_and_comes_is_away_and_nothing_is_lost),
        cmocka_unit_test(test_a_topic_that_is_missing_pauses),
        cmocka_unit_test(test_levels_that_are_not_known_are_refused_without_a_new_producer),
        cmocka_unit_test(test_a_section_that_librdkafka_does_not_take_is_refused_at_open),
    };
    return cmocka_run_group_tests(tests, make_cluster, end_cluster);
}
