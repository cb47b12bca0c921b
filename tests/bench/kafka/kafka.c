/* kafka.c -- the same records into Kafka three ways, and how long each took.
 *
 *   kafka bare|sink|spool SECTION.yaml RECORDS [FOLDER]
 *
 *   bare    librdkafka alone: produce as fast as its queue takes, count the reports
 *   sink    the kafka sink through sink.h, records in memory
 *   spool   the whole way: records lie in a spool in FOLDER, delivery.c reads, pushes, settles, commits
 *
 * The records are those of load.h, keyed by their topic; with headers as the section says (all: the same
 * ones in each way). Whoever is measured has met a broker before the clock starts; it stops when all are
 * safe. Prints "SECONDS CPU-SECONDS".
 */
#include "sinks/kafka.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "load.h"
#include "sinks/decoder.h"

#include <librdkafka/rdkafka.h>

#include <stdlib.h>
#include <string.h>

#define BATCH  5000
#define WINDOW 100000

static const struct slu_node *section;
static struct slu_sink_env env;
static uint64_t n_records;

/* ---- bare ------------------------------------------------------------------------------------------------ */

static uint64_t n_safe;

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        load_fail(rd_kafka_err2str(message->err));
    n_safe++;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[200];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
        load_fail(text);
}

static rd_kafka_t *bare_producer(void)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const struct slu_node *properties = slu_node_get(section, "properties");
    char text[200];

    set(conf, "bootstrap.servers", slu_node_text(slu_node_get(section, "brokers"), ""));
    set(conf, "partitioner", "murmur2_random");
    for (size_t i = 0; properties != NULL && i < properties->n; i++)
        set(conf, properties->pairs[i].key.data, properties->pairs[i].value->text.data);
    set(conf, "enable.idempotence", "true");
    set(conf, "acks", "all");
    set(conf, "message.timeout.ms", "0");
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (rk == NULL)
        load_fail(text);
    return rk;
}

/* The headers the sink would give the record. */
static rd_kafka_headers_t *bare_headers(const struct slu_record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(9);
    char id[SLU_UUID_TEXT_SIZE];
    slu_uuid_format(slu_uuid_of_record(env.spool_id, record->seq), id);
    rd_kafka_header_add(headers, "sluice.id", -1, id, -1);
    rd_kafka_header_add(headers, "sluice.policy", -1, "ovens", -1);
    rd_kafka_header_add(headers, "sluice.quality", -1, "192", -1);
    rd_kafka_header_add(headers, "sluice.kind", -1, "message", -1);
    rd_kafka_header_add(headers, "mqtt.topic", -1, record->topic.data, (ssize_t)record->topic.len);
    rd_kafka_header_add(headers, "mqtt.client_id", -1, "press-4", -1);
    rd_kafka_header_add(headers, "mqtt.qos", -1, "1", -1);
    rd_kafka_header_add(headers, "mqtt.retain", -1, "false", -1);
    return headers;
}

static void run_bare(void)
{
    const char *name = slu_node_text(slu_node_get(section, "topic"), "");
    const bool has_headers =
        strcmp(slu_node_text(slu_node_get(section, "headers"), "all"), "all") == 0;
    rd_kafka_t *rk = bare_producer();
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    const struct rd_kafka_metadata *metadata;

    if (rd_kafka_metadata(rk, 0, topic, &metadata, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        load_fail("no broker");
    rd_kafka_metadata_destroy(metadata);
    const struct load_time begun = load_now();
    for (uint64_t seq = 1; seq <= n_records;) {
        const struct slu_record record = load_record(seq);
        rd_kafka_headers_t *headers = has_headers ? bare_headers(&record) : NULL;
        const rd_kafka_resp_err_t error =
            rd_kafka_producev(rk, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_KEY(record.topic.data, record.topic.len),
                              RD_KAFKA_V_VALUE((void *)record.payload.data, record.payload.len),
                              RD_KAFKA_V_TIMESTAMP(record.event_ns / 1000000),
                              RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (seq++ % 1000 == 0)
                rd_kafka_poll(rk, 0);
            continue;
        }
        if (headers != NULL)
            rd_kafka_headers_destroy(headers);
        if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            load_fail(rd_kafka_err2str(error));
        rd_kafka_poll(rk, 10);
    }
    while (n_safe < n_records)
        rd_kafka_poll(rk, 10);
    load_print(begun, load_now());
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
}

/* ---- sink ------------------------------------------------------------------------------------------------ */

static uint64_t settle(void *self, struct slu_settlement *settlement, int64_t wait_ns,
                       bool *is_reset)
{
    struct slu_err err = {0};
    settlement->safe_seq = 0;
    settlement->n_rejects = 0;
    const enum slu_sink_answer answer =
        slu_sink_kafka.settle(self, slu_clock_mono_ns() + wait_ns, settlement, &err);
    if (answer == SLU_SINK_PAUSED || settlement->n_rejects > 0)
        load_fail(err.text);
    *is_reset = answer == SLU_SINK_RESET;
    return settlement->safe_seq;
}

static void run_sink(void)
{
    static struct slu_record records[BATCH];
    struct slu_settlement *settlement = calloc(1, sizeof(*settlement));
    void *self = calloc(1, slu_sink_kafka.self_bytes);
    struct slu_err err = {0};
    uint64_t pushed = 0, safe = 0;
    bool is_reset = false;

    if (settlement == NULL || self == NULL || slu_sink_kafka.open(self, &env, section, &err) != 0)
        load_fail(err.text);
    while (!is_reset)
        settle(self, settlement, SLU_NS_PER_S, &is_reset);
    const struct load_time begun = load_now();
    while (safe < n_records) {
        size_t n = 0;
        while (n < BATCH && pushed + n < n_records && pushed + n < safe + WINDOW) {
            records[n] = load_record(pushed + n + 1);
            n++;
        }
        if (n > 0)
            pushed += slu_sink_kafka.push(self, records, n, slu_clock_mono_ns() + SLU_NS_PER_S);
        const uint64_t now_safe = settle(
            self, settlement, pushed < n_records && n == BATCH ? 0 : SLU_NS_PER_S, &is_reset);
        safe = now_safe > safe ? now_safe : safe;
    }
    load_print(begun, load_now());
    slu_sink_kafka.close(self);
    free(self);
    free(settlement);
}

int main(int argc, char **argv)
{
    struct slu_arena arena;

    if (argc < 4)
        load_fail("usage: bench_kafka bare|sink|spool SECTION.yaml RECORDS [FOLDER]");
    slu_arena_init(&arena, 1 << 20);
    load_begin();
    section = load_section(argv[2], &arena);
    env = load_env("lake");
    n_records = strtoull(argv[3], NULL, 10);
    if (strcmp(argv[1], "bare") == 0)
        run_bare();
    else if (strcmp(argv[1], "sink") == 0)
        run_sink();
    else if (strcmp(argv[1], "spool") == 0 && argc > 4)
        load_deliver(argv[4], "lake", &slu_sink_kafka, section, n_records);
    else
        load_fail("there are bare, sink and spool FOLDER");
    slu_decoder_free(env.decoder);
    slu_arena_fini(&arena);
    slu_log_close();
    return 0;
}
