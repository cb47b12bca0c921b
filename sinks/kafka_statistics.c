/* kafka_statistics.c -- see kafka_statistics.h. The JSON is librdkafka's STATISTICS.md:
 *
 *   {"msg_cnt":…, "msg_size":…, "txmsgs":…, "txmsg_bytes":…, "tx":…,
 *    "brokers": {"host:9092/1": {"txretries":…, "txerrs":…, "rtt": {"avg":…, …}, …}, …}, …}
 */
#include "sinks/kafka_statistics.h"

#include "validation/payload/payload.h"

/* Places in the array; the order of struct slu_kafka_numbers. */
enum { QUEUED, QUEUED_BYTES, SENT, SENT_BYTES, REQUESTS, RETRIES, ERRORS, RTT };

static const struct {
    const char *key;
    unsigned number;
} totals[] = {
    {"msg_cnt", QUEUED},         {"msg_size", QUEUED_BYTES}, {"txmsgs", SENT},
    {"txmsg_bytes", SENT_BYTES}, {"tx", REQUESTS},
};

static uint64_t number_of(const struct slu_value *object, const char *key)
{
    const struct slu_value *value =
        object != NULL ? slu_value_get(object, slu_slice_of(key)) : NULL;
    return value != NULL && slu_value_variant(value) == SLU_VALUE_UINT ? value->u64 : 0;
}

static void add_brokers(const struct slu_value *brokers, uint64_t numbers[SLU_KAFKA_NUMBERS])
{
    if (brokers == NULL || slu_value_kind(brokers) != SLU_VALUE_OBJECT)
        return;
    const struct slu_value *key = slu_value_first(brokers);
    for (size_t i = 0; i < slu_value_len(brokers); i++) {
        const struct slu_value *broker = slu_value_next(key);
        const uint64_t rtt = number_of(slu_value_get(broker, SLU_SLICE("rtt")), "avg");
        numbers[RETRIES] += number_of(broker, "txretries");
        numbers[ERRORS] += number_of(broker, "txerrs");
        if (rtt > numbers[RTT])
            numbers[RTT] = rtt;
        key = slu_value_next(broker);
    }
}

bool slu_kafka_statistics_read(struct slu_kafka_statistics *statistics, struct slu_slice json)
{
    uint64_t numbers[SLU_KAFKA_NUMBERS] = {0};
    struct slu_payload payload;
    if (json.len > SLU_KAFKA_STATISTICS_MAX_BYTES)
        return false;
    struct slu_payload_reader *reader = slu_payload_reader_new(SLU_KAFKA_STATISTICS_MAX_BYTES);
    const bool is_read = reader != NULL &&
                         slu_payload_read(reader, SLU_FORMAT_JSON, json, &payload) &&
                         slu_value_kind(payload.root) == SLU_VALUE_OBJECT;

    if (is_read) {
        for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++)
            numbers[totals[i].number] = number_of(payload.root, totals[i].key);
        add_brokers(slu_value_get(payload.root, SLU_SLICE("brokers")), numbers);
        for (size_t i = 0; i < SLU_KAFKA_NUMBERS; i++)
            atomic_store_explicit(&statistics->numbers[i], numbers[i], memory_order_relaxed);
    }
    slu_payload_reader_free(reader);
    return is_read;
}

void slu_kafka_statistics_get(const struct slu_kafka_statistics *statistics,
                              struct slu_kafka_numbers *numbers)
{
    uint64_t all[SLU_KAFKA_NUMBERS];
    for (size_t i = 0; i < SLU_KAFKA_NUMBERS; i++)
        all[i] = atomic_load_explicit(&statistics->numbers[i], memory_order_relaxed);
    *numbers = (struct slu_kafka_numbers){
        .queued = all[QUEUED],
        .queued_bytes = all[QUEUED_BYTES],
        .sent = all[SENT],
        .sent_bytes = all[SENT_BYTES],
        .requests = all[REQUESTS],
        .retries = all[RETRIES],
        .errors = all[ERRORS],
        .rtt_us = all[RTT],
    };
}
