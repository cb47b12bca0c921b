/* kafka_statistics.c -- see kafka_statistics.h. The JSON is librdkafka's STATISTICS.md:
 *
 *   {"msg_cnt":…, "msg_size":…, "txmsgs":…, "txmsg_bytes":…, "tx":…,
 *    "brokers": {"host:9092/1": {"txretries":…, "txerrs":…, "rtt": {"avg":…, …}, "throttle": {…}, …}, …}, …}
 */
#include "sinks/kafka_statistics.h"

#include "validation/payload/payload.h"

static uint64_t number_of(const struct slu_value *object, const char *key)
{
    const struct slu_value *value =
        object != NULL ? slu_value_get(object, slu_slice_of(key)) : NULL;
    return value != NULL && slu_value_variant(value) == SLU_VALUE_UINT ? value->u64 : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void add_brokers(const struct slu_value *brokers, struct slu_kafka_statistics *sum)
{
    if (brokers == NULL || slu_value_kind(brokers) != SLU_VALUE_OBJECT)
        return;
    const struct slu_value *key = slu_value_first(brokers);
    for (size_t i = 0; i < slu_value_len(brokers); i++) {
        const struct slu_value *broker = slu_value_next(key);
        const uint64_t rtt_us = number_of(slu_value_get(broker, SLU_SLICE("rtt")), "avg");
        const uint64_t held_ms = number_of(slu_value_get(broker, SLU_SLICE("throttle")), "avg");
        sum->retries += number_of(broker, "txretries");
        sum->errors += number_of(broker, "txerrs");
        sum->rtt_us = larger(sum->rtt_us, rtt_us);
        sum->throttle_ms = larger(sum->throttle_ms, held_ms);
        key = slu_value_next(broker);
    }
}

bool slu_kafka_statistics_read(struct slu_kafka_statistics *statistics, struct slu_slice json)
{
    struct slu_kafka_statistics fresh = {.producers = statistics->producers};
    struct slu_payload payload;
    if (json.len > SLU_KAFKA_STATISTICS_MAX_BYTES)
        return false;
    struct slu_payload_reader *reader = slu_payload_reader_new(SLU_KAFKA_STATISTICS_MAX_BYTES);
    const bool is_read = reader != NULL &&
                         slu_payload_read(reader, SLU_FORMAT_JSON, json, &payload) &&
                         slu_value_kind(payload.root) == SLU_VALUE_OBJECT;

    if (is_read) {
        fresh.queued = number_of(payload.root, "msg_cnt");
        fresh.queued_bytes = number_of(payload.root, "msg_size");
        fresh.sent = number_of(payload.root, "txmsgs");
        fresh.sent_bytes = number_of(payload.root, "txmsg_bytes");
        fresh.requests = number_of(payload.root, "tx");
        add_brokers(slu_value_get(payload.root, SLU_SLICE("brokers")), &fresh);
        *statistics = fresh;
    }
    slu_payload_reader_free(reader);
    return is_read;
}

size_t slu_kafka_statistics_show(const struct slu_kafka_statistics *statistics,
                                 struct slu_sink_number numbers[SLU_SINK_NUMBERS_MAX])
{
    size_t n = 0;
#define SHOW(name, says) numbers[n++] = (struct slu_sink_number){#name, statistics->name};
    SLU_KAFKA_NUMBERS(SHOW)
#undef SHOW
    return n;
}
