/* drive.c -- drives the kafka sink through sink.h as the delivery does, and says what it answers.
 *
 *   drive SECTION.yaml [--records N] [--keys N] [--size BYTES] [--big SEQ:BYTES]… [--pace N/s]
 *                      [--file RECORDS] [--batch N] [--window N] [--seconds N] [--probe 1]
 *
 * Records are made: seq 1 … N, topic plant/k<seq mod keys>, payload "<seq> xxx…"; or read from a file,
 * one a line, fields by tabs, bytes as hex:
 *
 *   kind format quality qos retain policy schema event_ns topic client_id username properties payload
 *
 * --probe looks at the cluster and does no more: POINT what ok|bad text.
 * Lines on stdout (each at once):  SAFE seq · REJECT seq code message · RESET · AWAY text · PAUSED text ·
 * LIVE · LOG text · NUMBERS name=value… · DONE seconds. Exit 0 when every record is safe or rejected, 1 on the deadline, 2 on
 * usage.
 */
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/properties.h"
#include "base/yaml.h"
#include "sinks/kafka.h"
#include "tests/kafka/c11_threads.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_BIG 64

static struct {
    const char *section, *file;
    uint64_t records, keys, pace, big_seq[MAX_BIG];
    size_t size, batch, window, big_size[MAX_BIG], n_big;
    double seconds;
    bool probe;
} wanted = {
    .records = 1000, .keys = 7, .size = 200, .batch = 5000, .window = 100000, .seconds = 60};

static uint8_t spool_id[16] = {0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8,
                               0xD9, 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xE0};

static const char *policy_name(const void *names, uint16_t number)
{
    (void)names;
    return number == 1 ? "ovens" : NULL;
}

static const char *schema_name(const void *names, uint16_t number)
{
    (void)names;
    return number == 1 ? "oven:1" : NULL;
}

static const struct slu_sink_env env = {
    .name = "lake",
    .instance = "plant1",
    .spool_id = spool_id,
    .policy_name = policy_name,
    .schema_name = schema_name,
};

static void outlet(enum slu_log_level level, const char *line)
{
    if (level >= SLU_LOG_INFO)
        printf("LOG %s\n", line);
}

/* ---- records ----------------------------------------------------------------------------------------- */

static struct slu_record *listed; /* from the file */
static char *scratch;             /* payloads of one batch */
static size_t scratch_size;

static struct slu_slice unhex(char *text)
{
    size_t n = 0;
    for (; text[2 * n] != '\0' && text[2 * n + 1] != '\0'; n++) {
        unsigned byte = 0;
        sscanf(text + 2 * n, "%2x", &byte);
        text[n] = (char)byte;
    }
    return slu_slice(text, n);
}

static char *field(char **at)
{
    char *start = *at;
    start[strcspn(start, "\t\n")] = '\0';
    *at = start + strlen(start) + 1;
    return start;
}

static long long number(char **at)
{
    return strtoll(field(at), NULL, 10);
}

static void read_listed(void)
{
    static char text[4 << 20];
    FILE *file = fopen(wanted.file, "r");
    const size_t n = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    char *at = text;

    if (file != NULL)
        fclose(file);
    for (uint64_t seq = 1; at < text + n; seq++) {
        listed = realloc(listed, seq * sizeof(*listed));
        struct slu_record *record = &listed[seq - 1];
        *record = (struct slu_record){.seq = seq, .time_ns = 1700000000123456789};
        record->kind = (uint8_t)number(&at);
        record->format = (uint8_t)number(&at);
        record->quality = (uint8_t)number(&at);
        record->qos = (uint8_t)number(&at);
        record->retain = number(&at) != 0;
        record->policy = (uint16_t)number(&at);
        record->schema = (uint16_t)number(&at);
        record->event_ns = number(&at);
        record->topic = unhex(field(&at));
        record->client_id = unhex(field(&at));
        record->username = unhex(field(&at));
        record->properties = unhex(field(&at));
        record->payload = unhex(field(&at));
        wanted.records = seq;
    }
}

static size_t size_of(uint64_t seq)
{
    for (size_t i = 0; i < wanted.n_big; i++) {
        if (wanted.big_seq[i] == seq)
            return wanted.big_size[i];
    }
    return wanted.size;
}

/* Record `seq`; its payload goes to `at`. */
static struct slu_record make_record(uint64_t seq, char topic[32], char *at)
{
    if (listed != NULL)
        return listed[seq - 1];
    const size_t size = size_of(seq);
    snprintf(topic, 32, "plant/k%" PRIu64, seq % wanted.keys);
    memset(at, 'x', size);
    const int n = snprintf(at, 24, "%" PRIu64 " ", seq);
    at[n] = 'x';
    return (struct slu_record){
        .seq = seq,
        .time_ns = 1700000000000000000 + (int64_t)seq * SLU_NS_PER_MS,
        .event_ns = 1700000000000000000 + (int64_t)seq * SLU_NS_PER_MS,
        .policy = 1,
        .kind = SLU_RECORD_MESSAGE,
        .format = SLU_RECORD_BYTES,
        .quality = 192,
        .qos = 1,
        .topic = slu_slice_of(topic),
        .client_id = SLU_SLICE("drive"),
        .payload = slu_slice(at, size),
    };
}

/* ---- the loop ---------------------------------------------------------------------------------------- */

static void *self;
static uint64_t safe, pushed;
static int64_t started_ns, paced_ns;

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    static char last[600];
    char line[600];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    if (strcmp(line, last) == 0)
        return;
    snprintf(last, sizeof(last), "%s", line);
    printf("%s\n", line);
    fflush(stdout);
}

static void nap(int64_t ns)
{
    const struct timespec time = {ns / SLU_NS_PER_S, ns % SLU_NS_PER_S};
    nanosleep(&time, NULL);
}

static uint64_t allowed(void)
{
    uint64_t up_to = safe + wanted.window;
    if (wanted.pace > 0) {
        const uint64_t due = (uint64_t)((double)(slu_clock_mono_ns() - paced_ns) /
                                        (double)SLU_NS_PER_S * (double)wanted.pace);
        up_to = up_to < due ? up_to : due;
    }
    return up_to < wanted.records ? up_to : wanted.records;
}

static void push(void)
{
    static struct slu_record *records;
    static char(*topics)[32];
    const uint64_t up_to = allowed();
    size_t n = 0;
    char *at = scratch;

    if (records == NULL) {
        records = calloc(wanted.batch, sizeof(*records));
        topics = calloc(wanted.batch, sizeof(*topics));
    }
    while (pushed + n < up_to && n < wanted.batch &&
           (size_t)(at - scratch) + size_of(pushed + n + 1) + 64 < scratch_size) {
        records[n] = make_record(pushed + n + 1, topics[n], at);
        at += listed == NULL ? records[n].payload.len + 32 : 0;
        n++;
    }
    if (n == 0)
        nap(2 * SLU_NS_PER_MS);
    else
        pushed += slu_sink_kafka.push(self, records, n, slu_clock_mono_ns() + SLU_NS_PER_S);
}

static void settle(struct slu_settlement *settlement)
{
    struct slu_err err = {0};
    const int64_t by = slu_clock_mono_ns() + (pushed > safe ? SLU_NS_PER_S / 20 : 0);
    settlement->safe_seq = 0;
    settlement->n_rejects = 0;
    const enum slu_sink_answer answer = slu_sink_kafka.settle(self, by, settlement, &err);

    for (size_t i = 0; i < settlement->n_rejects; i++)
        say("REJECT %" PRIu64 " %s %s", settlement->rejects[i].seq, settlement->rejects[i].code,
            settlement->rejects[i].message);
    if (settlement->safe_seq > safe) {
        safe = settlement->safe_seq;
        say("SAFE %" PRIu64, safe);
    }
    if (answer == SLU_SINK_RESET) {
        say("RESET %" PRIu64 " %" PRIu64 " %.3f", safe, pushed,
            (double)(slu_clock_mono_ns() - started_ns) / 1e9);
        pushed = safe;
    } else if (answer == SLU_SINK_AWAY || answer == SLU_SINK_PAUSED) {
        say("%s %s", answer == SLU_SINK_AWAY ? "AWAY" : "PAUSED", err.text);
        nap(200 * SLU_NS_PER_MS);
    }
}

static bool read_arguments(int argc, char **argv)
{
    if (argc < 2)
        return false;
    wanted.section = argv[1];
    for (int i = 2; i + 1 < argc; i += 2) {
        const char *name = argv[i], *value = argv[i + 1];
        const unsigned long long n = strtoull(value, NULL, 10);
        if (strcmp(name, "--records") == 0)
            wanted.records = n;
        else if (strcmp(name, "--keys") == 0)
            wanted.keys = n;
        else if (strcmp(name, "--size") == 0)
            wanted.size = n;
        else if (strcmp(name, "--pace") == 0)
            wanted.pace = n;
        else if (strcmp(name, "--batch") == 0)
            wanted.batch = n;
        else if (strcmp(name, "--window") == 0)
            wanted.window = n;
        else if (strcmp(name, "--seconds") == 0)
            wanted.seconds = strtod(value, NULL);
        else if (strcmp(name, "--probe") == 0)
            wanted.probe = n != 0;
        else if (strcmp(name, "--file") == 0)
            wanted.file = value;
        else if (strcmp(name, "--big") == 0 && wanted.n_big < MAX_BIG &&
                 sscanf(value, "%" SCNu64 ":%zu", &wanted.big_seq[wanted.n_big],
                        &wanted.big_size[wanted.n_big]) == 2)
            wanted.n_big++;
        else
            return false;
    }
    return wanted.keys > 0 && wanted.size >= 24 && wanted.batch > 0;
}

static const struct slu_node *read_section(struct slu_arena *arena)
{
    struct slu_problems problems;
    slu_problems_init(&problems);
    const struct slu_node *node = slu_yaml_read(wanted.section, arena, &problems);
    if (node != NULL)
        slu_sink_kafka.check(node, &problems);
    for (size_t i = 0; i < problems.n; i++)
        printf("%s %s\n", problems.items[i].is_warning ? "WARNING" : "PROBLEM",
               problems.items[i].err.text);
    if (problems.n_errors > 0)
        node = NULL;
    slu_problems_fini(&problems);
    return node;
}

static void show_numbers(void)
{
    struct slu_sink_number numbers[SLU_SINK_NUMBERS_MAX];
    const size_t n = slu_sink_kafka.numbers(self, numbers);
    printf("NUMBERS");
    for (size_t i = 0; i < n; i++)
        printf(" %s=%" PRIu64, numbers[i].name, numbers[i].value);
    printf("\n");
}

static int probe(const struct slu_node *section)
{
    struct slu_sink_report report = {.n = 0};
    const int64_t by = slu_clock_mono_ns() + (int64_t)(wanted.seconds * 1e9);
    slu_sink_kafka.probe(&env, section, by, &report);
    for (size_t i = 0; i < report.n; i++)
        printf("POINT %s %s %s\n", report.points[i].what, report.points[i].is_good ? "ok" : "bad",
               report.points[i].text);
    return slu_report_is_good(&report) ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct slu_arena arena;
    struct slu_err err = {0};
    struct slu_settlement *settlement = calloc(1, sizeof(*settlement));

    slu_log_open(outlet);
    slu_arena_init(&arena, 1 << 20);
    if (!read_arguments(argc, argv))
        return 2;
    const struct slu_node *section = read_section(&arena);
    if (wanted.file != NULL)
        read_listed();
    if (wanted.probe && section != NULL)
        return probe(section);
    scratch_size = (8u << 20);
    scratch = malloc(scratch_size);
    self = calloc(1, slu_sink_kafka.self_bytes);
    if (section == NULL || slu_sink_kafka.open(self, &env, section, &err) != 0) {
        printf("REFUSED %s\n", err.text);
        return 2;
    }
    started_ns = paced_ns = slu_clock_mono_ns();
    while (safe < wanted.records &&
           slu_clock_mono_ns() - started_ns < (int64_t)(wanted.seconds * 1e9)) {
        settle(settlement);
        push();
    }
    const double seconds = (double)(slu_clock_mono_ns() - started_ns) / 1e9;
    show_numbers();
    const int64_t closing_ns = slu_clock_mono_ns();
    slu_sink_kafka.close(self);
    say("DONE %.3f closed %.3f", seconds, (double)(slu_clock_mono_ns() - closing_ns) / 1e9);
    slu_log_close();
    free(self);
    free(scratch);
    free(settlement);
    free(listed);
    slu_arena_fini(&arena);
    return safe >= wanted.records ? 0 : 1;
}
