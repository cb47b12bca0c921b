/* load.c -- see load.h. */
#include "load.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/yaml.h"
#include "sinks/decoder.h"
#include "sinks/delivery.h"
#include "sinks/spool/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TOPICS   16
#define PAYLOADS 1000
#define BYTES    253

static char topics[TOPICS][32];
static char payloads[PAYLOADS][BYTES + 1];
static const uint8_t spool_id[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

_Noreturn void load_fail(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(2);
}

static void outlet(enum slu_log_level level, const char *line)
{
    if (level >= SLU_LOG_WARNING)
        fprintf(stderr, "%s\n", line);
}

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

void load_begin(void)
{
    slu_log_open(outlet);
    make_payloads();
}

const struct slu_node *load_section(const char *path, struct slu_arena *arena)
{
    struct slu_problems problems;

    slu_problems_init(&problems);
    const struct slu_node *node = slu_yaml_read(path, arena, &problems);
    if (node == NULL)
        load_fail(problems.n > 0 ? problems.items[0].err.text : "the section cannot be read");
    slu_problems_fini(&problems);
    return node;
}

struct slu_record load_record(uint64_t seq)
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

static const char *policy_name(const void *names, uint16_t number)
{
    (void)names;
    (void)number;
    return "ovens";
}

struct slu_sink_env load_env(const char *name)
{
    const struct slu_sink_env env = {.name = name,
                                     .instance = "bench",
                                     .spool_id = spool_id,
                                     .policy_name = policy_name,
                                     .schema_name = policy_name,
                                     .decoder = slu_decoder_new()};
    if (env.decoder == NULL)
        load_fail("no memory for a decoder");
    return env;
}

/* ---- time -------------------------------------------------------------------------------------------- */

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct load_time load_now(void)
{
    return (struct load_time){.wall = seconds_of(CLOCK_MONOTONIC),
                              .cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID)};
}

void load_print(struct load_time since, struct load_time until)
{
    printf("%.6f %.6f\n", until.wall - since.wall, until.cpu - since.cpu);
}

/* ---- delivery ---------------------------------------------------------------------------------------- */

static uint64_t spooled(const struct slu_spool *spool)
{
    struct slu_spool_sink_stats stats[SLU_SINKS_MAX];
    return slu_spool_sink_stats(spool, stats, SLU_SINKS_MAX) == 1 ? stats[0].spooled : 0;
}

static void nap(void)
{
    const struct timespec time = {0, SLU_NS_PER_MS};
    nanosleep(&time, NULL);
}

static struct slu_spool *fill(const char *folder, const char *name, const char *type, uint64_t n)
{
    const struct slu_spool_options options = {.data_dir = folder,
                                              .sync = SLU_SYNC_INTERVAL,
                                              .sync_interval_ns = 100 * SLU_NS_PER_MS,
                                              .max_size_bytes = (int64_t)4 << 30,
                                              .min_free_bytes = 1 << 20};
    struct slu_err err = {0};
    struct slu_spool *spool = slu_spool_open(&options, &err);
    if (spool == NULL || slu_spool_sink(spool, name, type, SLU_FULL_REFUSE, &err) != 0)
        load_fail(err.text);
    slu_spool_define_policy(spool, "ovens");
    slu_spool_await_definitions(spool);
    for (uint64_t seq = 1; seq <= n;) {
        struct slu_record record = load_record(seq);
        if (slu_spool_append(spool, &record) == SLU_APPENDED)
            seq++;
        else
            nap();
    }
    if (!slu_spool_flush(spool, slu_clock_mono_ns() + 60 * SLU_NS_PER_S))
        load_fail("the spool was not written in a minute");
    return spool;
}

/* Nothing is said of a sink that waits for somebody to act, so that is an end as well. */
static void await_connected(const struct slu_delivery *delivery)
{
    struct slu_delivery_stats stats = {.state = SLU_DELIVERY_CONNECTING};

    while (stats.state != SLU_DELIVERY_CONNECTED && stats.state != SLU_DELIVERY_BUFFERING) {
        if (stats.state == SLU_DELIVERY_PAUSED)
            load_fail(stats.last_error);
        nap();
        slu_delivery_stats(delivery, &stats);
    }
}

void load_deliver(const char *folder, const char *name, const struct slu_sink_ops *ops,
                  const struct slu_node *section, uint64_t n)
{
    struct slu_spool *spool = fill(folder, name, ops->type, n);
    const struct slu_delivery_options options = {
        .name = name, .instance = "bench", .data_dir = folder, .ops = ops, .section = section};
    struct slu_err err = {0};
    struct slu_delivery *delivery = slu_delivery_start(spool, &options, &err);

    if (delivery == NULL)
        load_fail(err.text);
    await_connected(delivery);
    const struct load_time begun = load_now();
    while (spooled(spool) > 0)
        nap();
    load_print(begun, load_now());
    slu_delivery_stop(delivery, slu_clock_mono_ns() + 5 * SLU_NS_PER_S);
    slu_delivery_join(delivery, slu_clock_mono_ns() + 10 * SLU_NS_PER_S, NULL);
    slu_spool_close(spool, slu_clock_mono_ns() + 5 * SLU_NS_PER_S);
}
