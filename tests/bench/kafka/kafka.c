/* kafka.c -- the same records into Kafka three ways, and how long each took.
 *
 *   kafka bare|sink|spool SECTION.yaml RECORDS [FOLDER]
 *
 *   bare    librdkafka alone: produce as fast as its queue takes, count the reports
 *   sink    the kafka sink through sink.h, records in memory
 *   spool   the whole way: records lie in a spool in FOLDER, delivery.c reads, pushes, settles, commits
 *
 * A record: topic plant/a/oven/0 … 15, which is its key, 253 bytes of JSON; with headers as the section
 * says (all: the same ones in each way). Whoever is measured has met a broker before the clock starts; it
 * stops when all are safe. Prints "SECONDS".
 */
#include "sinks/kafka.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/uuid.h"
#include "base/yaml.h"
#include "sinks/delivery.h"
#include "sinks/spool/spool.h"

#include <librdkafka/rdkafka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOPICS   16
#define PAYLOADS 1000
#define BYTES    253
#define BATCH    5000
#define WINDOW   100000

static const struct slu_node *section;
static uint64_t n_records;
static char topics[TOPICS][32];
static char payloads[PAYLOADS][BYTES + 1];
static const uint8_t spool_id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static void fail(const char *what)
{
    fprintf(stderr, "bench_kafka: %s\n", what);
    exit(2);
}

static void outlet(enum slu_log_level level, const char *line)
{
    if (level >= SLU_LOG_WARNING)
        fprintf(stderr, "%s\n", line);
}

static const char *policy_name(const void *names, uint16_t number)
{
    (void)names;
    (void)number;
    return "ovens";
}

static const struct slu_sink_env env = {.name = "lake",
                                        .instance = "bench",
                                        .spool_id = spool_id,
                                        .policy_name = policy_name,
                                        .schema_name = policy_name};

static void make_payloads(void)
{
    for (int i = 0; i < TOPICS; i++)
        snprintf(topics[i], sizeof(topics[i]), "plant/a/oven/%d", i);
    for (int n = 0; n < PAYLOADS; n++) {
        const int len = snprintf(
            payloads[n], sizeof(payloads[n]),
            "{\"ts\":%lld,\"seq\":%06d,\"machine\":\"press-%03d\",\"state\":\"running\","
            "\"temperature\":%d.%02d,\"pressure\":%d.%02d,\"vibration\":0.%03d,\"speed\":%d,"
            "\"good\":true,\"unit\":\"C\",\"operator\":\"shift b\",\"comment\":\"",
            1767225600000LL + n * 37, 100000 + n, n % 8, 180 + n % 60, n % 100, 3 + n % 6,
            n * 7 % 100, n * 13 % 1000, 1200 + n % 800);
        memset(payloads[n] + len, 'x', (size_t)(BYTES - len));
        memcpy(payloads[n] + BYTES - 2, "\"}", 3);
    }
}

static struct slu_record record_of(uint64_t seq)
{
    return (struct slu_record){
        .seq = seq,
        .time_ns = 1767225600000000000 + (int64_t)seq * 37000,
        .event_ns = 1767225600000000000 + (int64_t)seq * 37000,
        .sinks = 1,
        .policy = 1,
        .kind = SLU_RECORD_MESSAGE,
        .format = SLU_RECORD_JSON,
        .quality = 192,
        .qos = 1,
        .topic = slu_slice_of(topics[seq % TOPICS]),
        .client_id = SLU_SLICE("press-4"),
        .payload = slu_slice(payloads[seq % PAYLOADS], BYTES),
    };
}

static double seconds_since(int64_t ns)
{
    return (double)(slu_clock_mono_ns() - ns) / 1e9;
}

/* ---- bare ------------------------------------------------------------------------------------------------ */

static uint64_t n_safe;

static void on_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail(rd_kafka_err2str(message->err));
    n_safe++;
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char text[200];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) != RD_KAFKA_CONF_OK)
        fail(text);
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
        fail(text);
    return rk;
}

/* The headers the sink would give the record. */
static rd_kafka_headers_t *bare_headers(const struct slu_record *record)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(9);
    char id[SLU_UUID_TEXT_SIZE];
    slu_uuid_format(slu_uuid_of_record(spool_id, record->seq), id);
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

static double run_bare(void)
{
    const char *name = slu_node_text(slu_node_get(section, "topic"), "");
    const bool has_headers =
        strcmp(slu_node_text(slu_node_get(section, "headers"), "all"), "all") == 0;
    rd_kafka_t *rk = bare_producer();
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, name, NULL);
    const struct rd_kafka_metadata *metadata;

    if (rd_kafka_metadata(rk, 0, topic, &metadata, 10000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("no broker");
    rd_kafka_metadata_destroy(metadata);
    const int64_t begun = slu_clock_mono_ns();
    for (uint64_t seq = 1; seq <= n_records;) {
        const struct slu_record record = record_of(seq);
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
            fail(rd_kafka_err2str(error));
        rd_kafka_poll(rk, 10);
    }
    while (n_safe < n_records)
        rd_kafka_poll(rk, 10);
    const double seconds = seconds_since(begun);
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return seconds;
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
        fail(err.text);
    *is_reset = answer == SLU_SINK_RESET;
    return settlement->safe_seq;
}

static double run_sink(void)
{
    static struct slu_record records[BATCH];
    struct slu_settlement *settlement = calloc(1, sizeof(*settlement));
    void *self = calloc(1, slu_sink_kafka.self_bytes);
    struct slu_err err = {0};
    uint64_t pushed = 0, safe = 0;
    bool is_reset = false;

    if (settlement == NULL || self == NULL || slu_sink_kafka.open(self, &env, section, &err) != 0)
        fail(err.text);
    while (!is_reset)
        settle(self, settlement, SLU_NS_PER_S, &is_reset);
    const int64_t begun = slu_clock_mono_ns();
    while (safe < n_records) {
        size_t n = 0;
        while (n < BATCH && pushed + n < n_records && pushed + n < safe + WINDOW) {
            records[n] = record_of(pushed + n + 1);
            n++;
        }
        if (n > 0)
            pushed += slu_sink_kafka.push(self, records, n, slu_clock_mono_ns() + SLU_NS_PER_S);
        const uint64_t now_safe = settle(
            self, settlement, pushed < n_records && n == BATCH ? 0 : SLU_NS_PER_S, &is_reset);
        safe = now_safe > safe ? now_safe : safe;
    }
    const double seconds = seconds_since(begun);
    slu_sink_kafka.close(self);
    free(self);
    free(settlement);
    return seconds;
}

/* ---- spool ----------------------------------------------------------------------------------------------- */

static uint64_t spooled(const struct slu_spool *spool)
{
    struct slu_spool_sink_stats stats[SLU_SINKS_MAX];
    return slu_spool_sink_stats(spool, stats, SLU_SINKS_MAX) == 1 ? stats[0].spooled : 0;
}

static void nap(void)
{
    const struct timespec time = {0, 500000};
    nanosleep(&time, NULL);
}

static struct slu_spool *fill_spool(const char *folder)
{
    const struct slu_spool_options options = {.data_dir = folder,
                                              .sync = SLU_SYNC_INTERVAL,
                                              .sync_interval_ns = 100 * SLU_NS_PER_MS,
                                              .max_size_bytes = (int64_t)4 << 30,
                                              .min_free_bytes = 1 << 20};
    struct slu_err err = {0};
    struct slu_spool *spool = slu_spool_open(&options, &err);
    if (spool == NULL || slu_spool_sink(spool, "lake", "kafka", SLU_FULL_REFUSE, &err) != 0)
        fail(err.text);
    slu_spool_define_policy(spool, "ovens");
    slu_spool_await_definitions(spool);
    for (uint64_t seq = 1; seq <= n_records;) {
        struct slu_record record = record_of(seq);
        if (slu_spool_append(spool, &record) == SLU_APPENDED)
            seq++;
        else
            nap();
    }
    if (!slu_spool_flush(spool, slu_clock_mono_ns() + 60 * SLU_NS_PER_S))
        fail("the spool was not written in a minute");
    return spool;
}

static double run_spool(const char *folder)
{
    struct slu_spool *spool = fill_spool(folder);
    const struct slu_delivery_options options = {.name = "lake",
                                                 .instance = "bench",
                                                 .data_dir = folder,
                                                 .ops = &slu_sink_kafka,
                                                 .section = section};
    struct slu_delivery_stats stats = {.state = SLU_DELIVERY_CONNECTING};
    struct slu_err err = {0};
    struct slu_delivery *delivery = slu_delivery_start(spool, &options, &err);

    if (delivery == NULL)
        fail(err.text);
    while (stats.state != SLU_DELIVERY_CONNECTED && stats.state != SLU_DELIVERY_BUFFERING) {
        nap();
        slu_delivery_stats(delivery, &stats);
    }
    const int64_t begun = slu_clock_mono_ns();
    while (spooled(spool) > 0)
        nap();
    const double seconds = seconds_since(begun);
    slu_delivery_stop(delivery, slu_clock_mono_ns() + 5 * SLU_NS_PER_S);
    slu_delivery_join(delivery, slu_clock_mono_ns() + 10 * SLU_NS_PER_S, NULL);
    slu_spool_close(spool, slu_clock_mono_ns() + 5 * SLU_NS_PER_S);
    return seconds;
}

int main(int argc, char **argv)
{
    struct slu_problems problems;
    struct slu_arena arena;

    if (argc < 4)
        fail("usage: bench_kafka bare|sink|spool SECTION.yaml RECORDS [FOLDER]");
    slu_log_open(outlet);
    slu_arena_init(&arena, 1 << 20);
    slu_problems_init(&problems);
    section = slu_yaml_read(argv[2], &arena, &problems);
    n_records = strtoull(argv[3], NULL, 10);
    if (section == NULL || n_records == 0)
        fail("the section cannot be read, or no records are wanted");
    make_payloads();
    double seconds = 0;
    if (strcmp(argv[1], "bare") == 0)
        seconds = run_bare();
    else if (strcmp(argv[1], "sink") == 0)
        seconds = run_sink();
    else if (strcmp(argv[1], "spool") == 0 && argc > 4)
        seconds = run_spool(argv[4]);
    else
        fail("there are bare, sink and spool FOLDER");
    printf("%.6f\n", seconds);
    slu_problems_fini(&problems);
    slu_arena_fini(&arena);
    slu_log_close();
    return 0;
}
