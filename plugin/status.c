/* status.c -- see status.h. What each field means:
 *
 *   v                1, the form of this document
 *   time             when it was written, RFC 3339, UTC
 *   pid, version     of the broker's process; of Sluice
 *   instance         as configured
 *   generation       1 for the configuration at start, one more for each reload that took effect
 *   config_error     why the last reload did not take effect; null when it did
 *   messages         the fates of all messages since start; received is their sum (counts.h)
 *   policies.<id>    held: messages that held; violations: messages by their first violation's code;
 *                    would_reroute: messages that a policy in mode monitor would have acted on
 *   sinks.<name>     type, state (delivery.h; orphaned: left the configuration with records waiting),
 *                    the books of spool.h, which always balance, lag_seconds: age of the oldest record
 *                    that waits, last_error: since it was last connected, null: none; it stays when the
 *                    broker stops; <type>: numbers of the sink's own while it is open, for kafka those of
 *                    kafka_statistics.h
 *   spool            bytes of all segments, max as configured, head_seq: the newest record's number,
 *                    durable_seq: the newest that survives a power cut
 *   registry         only where something comes from one: url; answers: the last round of questions went
 *                    through; rounds made, and failed of these; fetched: schemas that were new here;
 *                    last_answer: end of the last round that went through, null: none; last_error of the
 *                    last round, null: none
 *
 * Written to a file beside it, then renamed: a reader sees an old or a new one, never half of one. It
 * is not synced: after a power cut the counters begin anew anyway.
 */
#include "plugin/status.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "plugin/house.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_TEMPORARY ".status.json.new"

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* Jansson takes UTF-8 only, and what a server or a file name says need not be that. */
static json_t *text_or_null(const char *text)
{
    char clean[1024];
    size_t n = 0;

    for (size_t len = strlen(text), step; n < len && n + 4 < sizeof(clean);
         n += step != 0 ? step : 1) {
        step = slu_utf8_step(text + n, len - n);
        if (step != 0)
            memcpy(clean + n, text + n, step);
        else
            clean[n] = '?';
    }
    clean[n] = '\0';
    return n != 0 ? json_string(clean) : json_null();
}

static json_t *messages(const struct slu_counts *counts)
{
    struct slu_counts_picture picture;
    json_t *object = json_object();

    slu_counts_picture(counts, &picture);
    json_object_set_new(object, "received", count(picture.received));
    for (size_t i = 0; i < SLU_FATE_COUNT; i++)
        json_object_set_new(object, slu_fate_names[i], count(picture.fates[i]));
    return object;
}

static json_t *policy(const struct slu_policy_counts *counts)
{
    json_t *violations = json_object();
    uint32_t n_codes = atomic_load_explicit(&counts->n_codes, memory_order_acquire);
    const struct slu_code_count *codes = atomic_load_explicit(&counts->codes, memory_order_acquire);

    for (uint32_t i = 0; i < n_codes; i++)
        json_object_set_new(violations, codes[i].code, count(atomic_load(&codes[i].n)));
    return json_pack("{s:o, s:o, s:o}", "held", count(atomic_load(&counts->held)), "violations",
                     violations, "would_reroute", count(atomic_load(&counts->would_reroute)));
}

static json_t *policies(const struct slu_counts *counts)
{
    const struct slu_policy_counts *each =
        atomic_load_explicit(&counts->policies, memory_order_acquire);
    json_t *object = json_object();

    for (; each != NULL; each = each->next)
        if (atomic_load(&each->configured))
            json_object_set_new(object, each->id, policy(each));
    return object;
}

static double lag_seconds(const struct slu_spool_sink_stats *books)
{
    if (books->spooled == 0 || books->oldest_time_ns == 0)
        return 0;
    int64_t lag_ns = slu_clock_wall_ns() - books->oldest_time_ns;
    return lag_ns > 0 ? (double)(lag_ns / SLU_NS_PER_MS) / 1000.0 : 0;
}

static const struct slu_house_sink *running_sink(const struct slu_house *house, const char *name)
{
    for (size_t i = 0; i < house->n_sinks; i++)
        if (strcmp(house->sinks[i].name, name) == 0)
            return &house->sinks[i];
    return NULL;
}

/* What the sink itself has to show. */
static json_t *numbers(const struct slu_delivery_stats *delivery)
{
    json_t *object = json_object();

    for (size_t i = 0; i < delivery->n_numbers; i++)
        json_object_set_new(object, delivery->numbers[i].name, count(delivery->numbers[i].value));
    return object;
}

static json_t *sink(const struct slu_house *house, const struct slu_spool_sink_stats *books)
{
    const struct slu_house_sink *running = running_sink(house, books->name);
    struct slu_delivery_stats delivery = {.state = SLU_DELIVERY_STOPPED};

    if (running != NULL && running->delivery != NULL) {
        slu_delivery_stats(running->delivery, &delivery);
    } else if (running != NULL) {
        delivery = running->last;
        delivery.state = SLU_DELIVERY_STOPPED; /* one that is left behind as well */
        delivery.n_numbers = 0;
    }
    const char *state = books->orphaned ? "orphaned" : slu_delivery_state_names[delivery.state];
    json_t *object = json_pack("{s:s, s:s}", "type", books->type, "state", state);
    json_object_set_new(object, "spooled_at_start", count(books->spooled_at_start));
    json_object_set_new(object, "routed", count(books->routed));
    json_object_set_new(object, "delivered", count(books->delivered));
    json_object_set_new(object, "dead_lettered", count(books->dead_lettered));
    json_object_set_new(object, "discarded", count(books->discarded));
    json_object_set_new(object, "corrupt", count(books->corrupt));
    json_object_set_new(object, "spooled", count(books->spooled));
    json_object_set_new(object, "lag_seconds", json_real(lag_seconds(books)));
    json_object_set_new(object, "last_error", text_or_null(delivery.last_error));
    if (delivery.n_numbers > 0)
        json_object_set_new(object, books->type, numbers(&delivery));
    return object;
}

static json_t *sinks(const struct slu_house *house)
{
    struct slu_spool_sink_stats books[SLU_SINKS_MAX];
    json_t *object = json_object();
    size_t n = slu_spool_sink_stats(house->spool, books, SLU_SINKS_MAX);

    for (size_t i = 0; i < n && i < SLU_SINKS_MAX; i++)
        json_object_set_new(object, books[i].name, sink(house, &books[i]));
    return object;
}

static json_t *spool(const struct slu_house *house)
{
    struct slu_spool_stats stats;

    slu_spool_stats(house->spool, &stats);
    return json_pack("{s:I, s:I, s:o, s:o}", "bytes", (json_int_t)stats.bytes, "max",
                     (json_int_t)stats.max_bytes, "head_seq", count(stats.head_seq), "durable_seq",
                     count(stats.durable_seq));
}

static json_t *registry(const struct slu_house *house)
{
    struct slu_registrar_stats stats;
    char time[SLU_CLOCK_TEXT_SIZE] = "";

    slu_registrar_stats(house->registrar, &stats);
    if (stats.last_answer_wall_ns != 0)
        slu_clock_format(stats.last_answer_wall_ns, time);
    json_t *object =
        json_pack("{s:o, s:b}", "url", text_or_null(stats.url), "answers", (int)stats.answers);
    json_object_set_new(object, "rounds", count(stats.rounds));
    json_object_set_new(object, "failed", count(stats.failed));
    json_object_set_new(object, "fetched", count(stats.fetched));
    json_object_set_new(object, "last_answer", text_or_null(time));
    json_object_set_new(object, "last_error", text_or_null(stats.last_error));
    return object;
}

static json_t *document(const struct slu_house *house)
{
    char time[SLU_CLOCK_TEXT_SIZE];

    slu_clock_format(slu_clock_wall_ns(), time);
    json_t *root = json_pack("{s:i, s:s, s:i, s:s}", "v", 1, "time", time, "pid", (int)getpid(),
                             "version", SLUICE_VERSION);
    json_object_set_new(root, "instance", json_string(house->snapshot->instance));
    json_object_set_new(root, "generation", count(house->snapshot->generation));
    json_object_set_new(root, "config_error", text_or_null(house->config_error));
    json_object_set_new(root, "messages", messages(&house->counts));
    json_object_set_new(root, "policies", policies(&house->counts));
    json_object_set_new(root, "sinks", sinks(house));
    json_object_set_new(root, "spool", spool(house));
    if (house->registrar != NULL)
        json_object_set_new(root, "registry", registry(house));
    return root;
}

/* Write `text` beside the status file in `dir` and rename it into place. */
static int put_file(int dir, const char *text, struct slu_err *err)
{
    size_t len = strlen(text);
    int fd =
        openat(dir, STATUS_TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return slu_err_system(err, errno, "cannot create %s", STATUS_TEMPORARY);
    ssize_t written = write(fd, text, len);
    int sys = written < 0 ? errno : ENOSPC;
    if (close(fd) != 0 || written < 0 || (size_t)written != len) {
        unlinkat(dir, STATUS_TEMPORARY, 0);
        return slu_err_system(err, sys, "cannot write %s", STATUS_TEMPORARY);
    }
    if (renameat(dir, STATUS_TEMPORARY, dir, SLU_STATUS_FILE) != 0)
        return slu_err_system(err, errno, "cannot rename %s to %s", STATUS_TEMPORARY,
                              SLU_STATUS_FILE);
    return 0;
}

int slu_status_write(const struct slu_house *house, struct slu_err *err)
{
    json_t *root = document(house);
    char *text = root != NULL ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;

    json_decref(root);
    if (text == NULL)
        return slu_err_set(err, SLU_ENOMEM, "no memory for %s", SLU_STATUS_FILE);
    int dir = open(house->config->data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int result = dir < 0 ? slu_err_system(err, errno, "cannot open %s", house->config->data_dir)
                         : put_file(dir, text, err);
    if (dir >= 0)
        close(dir);
    free(text);
    return result;
}
