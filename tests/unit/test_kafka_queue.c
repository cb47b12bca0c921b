/* test_kafka_queue.c -- how far records are safe without a gap, and what is known after a loss. */
#include "sinks/kafka_queue.h"

#include "sinks/kafka_fate.h"
#include "sinks/kafka_statistics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static struct slu_kafka_queue queue;
static struct slu_settlement settlement;

static int begin(void **state)
{
    (void)state;
    return slu_kafka_queue_init(&queue) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    slu_kafka_queue_fini(&queue);
    return 0;
}

static bool settle(void)
{
    settlement = (struct slu_settlement){0};
    return slu_kafka_queue_settle(&queue, &settlement);
}

static size_t add(uint64_t seq)
{
    return slu_kafka_queue_add(&queue, seq, 100, 50);
}

static const struct slu_sink_reject refusal = {.code = "record.too_large", .message = "why"};

static void test_safe_is_what_has_no_gap_before_it(void **state)
{
    size_t token[5];
    (void)state;
    for (size_t i = 0; i < 5; i++)
        token[i] = add(10 + 2 * i);
    assert_false(settle());
    slu_kafka_queue_safe(&queue, token[1]);
    assert_false(settle());
    slu_kafka_queue_safe(&queue, token[0]);
    assert_true(settle());
    assert_int_equal(settlement.safe_seq, 12);
    assert_true(slu_kafka_queue_reject(&queue, token[2], &refusal));
    slu_kafka_queue_safe(&queue, token[4]);
    assert_true(settle());
    assert_int_equal(settlement.safe_seq, 14);
    assert_int_equal(settlement.n_rejects, 1);
    assert_int_equal(settlement.rejects[0].seq, 14);
    assert_string_equal(settlement.rejects[0].code, "record.too_large");
    assert_int_equal(queue.n_pending, 1);
    slu_kafka_queue_safe(&queue, token[3]);
    assert_true(settle());
    assert_int_equal(settlement.safe_seq, 18);
    assert_int_equal(queue.n + queue.bytes + queue.n_pending + queue.n_rejects, 0);
}

static void test_a_settlement_takes_no_more_rejects_than_fit(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 100; seq++)
        assert_true(slu_kafka_queue_reject(&queue, add(seq), &refusal));
    assert_true(settle());
    assert_int_equal(settlement.safe_seq, SLU_SINK_REJECTS_MAX);
    assert_true(settle());
    assert_int_equal(settlement.safe_seq, 100);
    assert_int_equal(settlement.n_rejects, 36);
}

static void test_there_is_room_until_one_of_the_bounds(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= SLU_KAFKA_QUEUE_REJECTS; seq++) {
        assert_true(slu_kafka_queue_has_room(&queue));
        assert_true(slu_kafka_queue_reject(&queue, add(seq), &refusal));
    }
    assert_false(slu_kafka_queue_has_room(&queue));
    while (settle())
        continue;
    slu_kafka_queue_add(&queue, 1000, SLU_KAFKA_QUEUE_BYTES, 1);
    assert_false(slu_kafka_queue_has_room(&queue));
    slu_kafka_queue_undo(&queue);
    for (uint64_t seq = 1; seq <= SLU_KAFKA_QUEUE_ENTRIES; seq++) {
        assert_true(slu_kafka_queue_has_room(&queue));
        slu_kafka_queue_add(&queue, 1000 + seq, 1, 1);
    }
    assert_false(slu_kafka_queue_has_room(&queue));
}

/* 1 … 6: 2, 4, 6 are safe, 5 is refused, and the producer is lost. */
static void lose_some(void)
{
    size_t token[7];
    for (uint64_t seq = 1; seq <= 6; seq++)
        token[seq] = add(seq);
    for (uint64_t seq = 2; seq <= 6; seq += 2)
        slu_kafka_queue_safe(&queue, token[seq]);
    assert_true(slu_kafka_queue_reject(&queue, token[5], &refusal));
    assert_true(slu_kafka_queue_lose(&queue));
    assert_int_equal(queue.n + queue.n_pending + queue.n_rejects + queue.bytes, 0);
}

static void test_what_is_known_is_not_sent_again(void **state)
{
    static const bool known[] = {false, true, false, true, true, true, false};
    (void)state;
    lose_some();
    for (uint64_t seq = 1; seq <= 7; seq++) {
        const bool is_known = slu_kafka_queue_add_known(&queue, seq);
        assert_int_equal(is_known, known[seq - 1]);
        if (!is_known)
            slu_kafka_queue_safe(&queue, add(seq));
    }
    assert_true(settle());
    assert_int_equal(settlement.safe_seq, 7);
    assert_int_equal(settlement.n_rejects, 1);
    assert_int_equal(settlement.rejects[0].seq, 5);
    assert_null(queue.known);
}

static void test_what_is_known_survives_a_second_loss(void **state)
{
    (void)state;
    lose_some();
    slu_kafka_queue_safe(&queue, add(1));
    assert_true(slu_kafka_queue_add_known(&queue, 2));
    add(3);
    assert_true(slu_kafka_queue_lose(&queue));
    assert_true(slu_kafka_queue_know(&queue, 3));
    for (uint64_t seq = 1; seq <= 6; seq++)
        assert_true(slu_kafka_queue_add_known(&queue, seq));
    assert_false(slu_kafka_queue_add_known(&queue, 7));
}

static void test_what_the_spool_has_discarded_is_passed(void **state)
{
    (void)state;
    lose_some();
    assert_true(slu_kafka_queue_add_known(&queue, 6));
    assert_int_equal(queue.n, 1);
}

static void test_a_pardon_forgets_rejects_alone(void **state)
{
    (void)state;
    lose_some();
    slu_kafka_queue_pardon(&queue);
    assert_true(slu_kafka_queue_add_known(&queue, 4));
    assert_false(slu_kafka_queue_add_known(&queue, 5));
    assert_true(slu_kafka_queue_add_known(&queue, 6));
}

static void test_errors_have_the_fate_of_the_table(void **state)
{
    static const struct {
        const char *error;
        enum slu_kafka_fate fate;
    } cases[] = {
        {"MSG_SIZE_TOO_LARGE", SLU_KAFKA_REFUSED},
        {"INVALID_MSG", SLU_KAFKA_REFUSED},
        {"INVALID_RECORD", SLU_KAFKA_REFUSED},
        {"INVALID_TIMESTAMP", SLU_KAFKA_REFUSED},
        {"RECORD_LIST_TOO_LARGE", SLU_KAFKA_REFUSED},
        {"UNSUPPORTED_FOR_MESSAGE_FORMAT", SLU_KAFKA_REFUSED},
        {"POLICY_VIOLATION", SLU_KAFKA_REFUSED},
        {"TOPIC_AUTHORIZATION_FAILED", SLU_KAFKA_ACT},
        {"CLUSTER_AUTHORIZATION_FAILED", SLU_KAFKA_ACT},
        {"THROTTLING_QUOTA_EXCEEDED", SLU_KAFKA_ACT},
        {"UNKNOWN", SLU_KAFKA_ACT},
        {"UNKNOWN_TOPIC_OR_PART", SLU_KAFKA_ACT},
        {"_UNKNOWN_TOPIC", SLU_KAFKA_ACT},
        {"SOMETHING_NEW", SLU_KAFKA_ACT},
        {"INVALID_PRODUCER_EPOCH", SLU_KAFKA_AGAIN},
        {"OUT_OF_ORDER_SEQUENCE_NUMBER", SLU_KAFKA_AGAIN},
        {"_UNKNOWN_PARTITION", SLU_KAFKA_AGAIN},
        {"_TRANSPORT", SLU_KAFKA_AWAY},
        {"_ALL_BROKERS_DOWN", SLU_KAFKA_AWAY},
        {"_PURGE_QUEUE", SLU_KAFKA_ECHO},
        {"_GAPLESS_GUARANTEE", SLU_KAFKA_ECHO},
        {"_FATAL", SLU_KAFKA_ECHO},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(slu_kafka_fate(cases[i].error)->fate, cases[i].fate);
    assert_string_equal(slu_kafka_fate("RECORD_LIST_TOO_LARGE")->code, "record.too_large");
    assert_null(slu_kafka_fate("INVALID_RECORD")->code);
}

static void test_statistics_are_read_and_rubbish_is_not(void **state)
{
    static const char json[] =
        "{\"name\":\"x\",\"msg_cnt\":3,\"msg_size\":900,\"txmsgs\":120,\"txmsg_bytes\":36000,"
        "\"tx\":17,\"brokers\":{\"a:1/"
        "1\":{\"txretries\":2,\"txerrs\":1,\"rtt\":{\"avg\":1500},\"throttle\":{\"avg\":40}},"
        "\"b:1/2\":{\"txretries\":1,\"rtt\":{\"avg\":800}},\"c\":7}}";
    struct slu_kafka_statistics statistics = {.producers = 2};
    struct slu_sink_number numbers[SLU_SINK_NUMBERS_MAX];
    (void)state;
    assert_true(slu_kafka_statistics_read(&statistics, SLU_SLICE(json)));
    assert_false(slu_kafka_statistics_read(&statistics, SLU_SLICE("{\"msg_cnt\":")));
    assert_false(slu_kafka_statistics_read(&statistics, SLU_SLICE("[7]")));
    assert_int_equal(statistics.queued, 3);
    assert_int_equal(statistics.queued_bytes, 900);
    assert_int_equal(statistics.sent, 120);
    assert_int_equal(statistics.sent_bytes, 36000);
    assert_int_equal(statistics.requests, 17);
    assert_int_equal(statistics.retries, 3);
    assert_int_equal(statistics.errors, 1);
    assert_int_equal(statistics.rtt_us, 1500);
    assert_int_equal(statistics.throttle_ms, 40);
    assert_int_equal(slu_kafka_statistics_show(&statistics, numbers), 10);
    assert_string_equal(numbers[0].name, "producers");
    assert_int_equal(numbers[0].value, 2);
    assert_string_equal(numbers[9].name, "throttle_ms");
    assert_int_equal(numbers[9].value, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_safe_is_what_has_no_gap_before_it, begin, end),
        cmocka_unit_test_setup_teardown(test_a_settlement_takes_no_more_rejects_than_fit, begin,
                                        end),
        cmocka_unit_test_setup_teardown(test_there_is_room_until_one_of_the_bounds, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_known_is_not_sent_again, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_known_survives_a_second_loss, begin, end),
        cmocka_unit_test_setup_teardown(test_what_the_spool_has_discarded_is_passed, begin, end),
        cmocka_unit_test_setup_teardown(test_a_pardon_forgets_rejects_alone, begin, end),
        cmocka_unit_test(test_errors_have_the_fate_of_the_table),
        cmocka_unit_test(test_statistics_are_read_and_rubbish_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
