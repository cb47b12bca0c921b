/* factory.c -- publishes what the machines say (stream.h) through gateways (gateway.h), at the rate
 * that was asked for, and keeps the books (report.h).
 *
 *   stream ──next──▶ [said] ──when it is due and its gateway is ready──▶ gateway ──▶ broker
 *                                                                          └─▶ report
 *
 * One message at a time waits for its turn; so the order of the stream is the order of the wire for
 * each gateway. One thread.
 */
#include "examples/factory/gateway.h"
#include "examples/factory/latency.h"
#include "examples/factory/options.h"
#include "examples/factory/report.h"
#include "examples/factory/stream.h"

#include <mosquitto.h>

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000
#define STALL_NS (60 * (int64_t)NS_PER_S) /* nothing settled for so long: give up */
#define PATIENCE (10 * (int64_t)NS_PER_S) /* the same once the run was interrupted */
#define BURST    200                      /* published before the library may read again */
#define IDLE_MS  10

struct run {
    const struct factory_options *options;
    struct factory_stream *stream;
    struct factory_gateway *gateways[FACTORY_GATEWAYS_MAX];
    struct factory_report report;
    struct factory_said said; /* the next one, if there is one */
    bool has_said;
    unsigned incidents; /* under way, for the progress line */
    int64_t started_ns, last_progress_ns;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    (void)number;
    interrupted = 1;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

static int64_t elapsed_ns(const struct run *run)
{
    return clock_ns(CLOCK_MONOTONIC) - run->started_ns;
}

static bool is_complete(const struct run *run)
{
    const struct factory_options *options = run->options;

    return interrupted || (options->messages != 0 && run->report.all.sent >= options->messages) ||
           (options->seconds != 0 && elapsed_ns(run) >= (int64_t)options->seconds * NS_PER_S);
}

/* How many messages should have left by now. */
static uint64_t due(const struct run *run)
{
    if (run->options->rate == 0)
        return UINT64_MAX;
    return 1 + (uint64_t)(elapsed_ns(run) / 1000) * run->options->rate / 1000000;
}

/* Whether the message that is next can leave now. */
static bool may_leave(struct run *run)
{
    if (!run->has_said) {
        factory_stream_next(run->stream, clock_ns(CLOCK_REALTIME) / 1000000, &run->said);
        run->has_said = true;
        run->incidents = run->said.message.incidents;
    }
    struct factory_gateway *gateway = run->gateways[run->said.gateway];
    if (run->said.after_reconnect && factory_gateway_reconnect(gateway))
        run->said.after_reconnect = false;
    return !run->said.after_reconnect && factory_gateway_is_ready(gateway);
}

static int publish_due(struct run *run)
{
    for (int burst = 0; burst < BURST; burst++) {
        if (is_complete(run) || run->report.all.sent >= due(run) || !may_leave(run))
            return 0;
        if (factory_gateway_publish(run->gateways[run->said.gateway], &run->said.message) != 0)
            return -1;
        run->has_said = false;
    }
    return 0;
}

/* Until the next message is due, at most IDLE_MS. */
static int pause_ms(const struct run *run)
{
    if (run->options->rate == 0 || run->report.all.sent < due(run))
        return run->has_said || factory_report_under_way(&run->report) != 0;
    uint64_t gap_ms = 1000 / run->options->rate;
    return gap_ms < 1 ? 1 : gap_ms > IDLE_MS ? IDLE_MS : (int)gap_ms;
}

static void serve_gateways(struct run *run)
{
    struct pollfd sockets[FACTORY_GATEWAYS_MAX];
    unsigned n = run->options->clients;

    for (unsigned i = 0; i < n; i++) {
        sockets[i].fd = factory_gateway_socket(run->gateways[i], &sockets[i].events);
        sockets[i].revents = 0;
    }
    poll(sockets, n, pause_ms(run));
    for (unsigned i = 0; i < n; i++)
        factory_gateway_serve(run->gateways[i], sockets[i].revents);
}

static const char *news(unsigned incidents)
{
    static const enum factory_incident tellable[] = {FACTORY_OVERHEATS, FACTORY_RUBBISH,
                                                     FACTORY_CLOCK};

    for (size_t i = 0; i < sizeof(tellable) / sizeof(tellable[0]); i++) {
        if ((incidents & (unsigned)tellable[i]) != 0)
            return factory_incident_name(tellable[i]);
    }
    return factory_incident_name(FACTORY_QUIET);
}

static void show_progress(struct run *run, bool last)
{
    const struct factory_tally *all = &run->report.all;
    int64_t now = clock_ns(CLOCK_MONOTONIC);

    if (run->options->quiet || !isatty(STDERR_FILENO))
        return;
    if (!last && now - run->last_progress_ns < NS_PER_S / 10)
        return;
    run->last_progress_ns = now;
    fprintf(stderr,
            "\r  %" PRIu64 " sent, %" PRIu64 " acknowledged, %" PRIu64 " denied, %.0f/s; %-46s%s",
            all->sent, all->acknowledged, all->denied,
            (double)all->sent * NS_PER_S / (double)(now - run->started_ns + 1),
            last ? "" : news(run->incidents), last ? "\n" : "");
}

static bool has_stalled(struct run *run)
{
    int64_t now = clock_ns(CLOCK_MONOTONIC);

    if (factory_report_under_way(&run->report) == 0 && run->report.all.sent >= due(run))
        run->report.last_settled_ns = now; /* it is slow because it was asked to be */
    if (now - run->report.last_settled_ns < (interrupted ? PATIENCE : STALL_NS))
        return false;
    fprintf(stderr, "factory: no acknowledgement for too long, giving up\n");
    return true;
}

static int publish_all(struct run *run)
{
    run->started_ns = run->report.last_settled_ns = clock_ns(CLOCK_MONOTONIC);
    while (!is_complete(run) || factory_report_under_way(&run->report) != 0) {
        if (publish_due(run) != 0 || has_stalled(run))
            return -1;
        serve_gateways(run);
        show_progress(run, false);
    }
    return run->report.lost == 0 ? 0 : -1;
}

static int open_gateways(struct run *run)
{
    for (unsigned i = 0; i < run->options->clients; i++) {
        run->gateways[i] = factory_gateway_open(run->options, i, &run->report);
        if (run->gateways[i] == NULL)
            return -1;
    }
    return 0;
}

static int publish_and_report(struct run *run)
{
    int outcome = 2;

    mosquitto_lib_init();
    run->report.qos = run->options->qos;
    run->report.latency = factory_latency_new();
    if (run->report.latency != NULL && open_gateways(run) == 0) {
        outcome = publish_all(run) == 0 ? 0 : 1;
        show_progress(run, true);
        factory_report_print(&run->report, (double)elapsed_ns(run) / NS_PER_S);
    }
    for (unsigned i = 0; i < run->options->clients; i++)
        factory_gateway_close(run->gateways[i]);
    factory_latency_free(run->report.latency);
    mosquitto_lib_cleanup();
    return outcome;
}

static int print_said(const struct factory_said *said)
{
    const struct factory_message *message = &said->message;

    printf("%s\t%u\t%s\t", factory_kind_names[message->kind], said->gateway + 1, message->topic);
    if (!message->binary)
        printf("%.*s", (int)message->payload_bytes, message->payload);
    for (size_t i = 0; i < message->payload_bytes && message->binary; i++)
        printf("%02x", (unsigned char)message->payload[i]);
    return putchar('\n') == EOF ? -1 : 0;
}

/* Without a broker, and without a clock of its own: one second a message, from the first of 2026. */
static int print_all(struct run *run)
{
    const int64_t new_year_ms = 1767225600000;

    for (uint64_t i = 0;
         !interrupted && (run->options->messages == 0 || i < run->options->messages); i++) {
        struct factory_said *said = &run->said;
        factory_stream_next(run->stream, new_year_ms + (int64_t)i * 1000, said);
        if (print_said(said) != 0)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct factory_options options;
    int outcome = factory_options_read(&options, argc, argv);

    if (outcome != 0)
        return outcome == 1 ? 0 : 2;
    struct run *run = calloc(1, sizeof(*run));
    struct factory_stream *stream = factory_stream_new(&options.plan, options.clients);
    if (run == NULL || stream == NULL) {
        fprintf(stderr, "factory: no memory\n");
        free(run);
        factory_stream_free(stream);
        return 2;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    run->options = &options;
    run->stream = stream;
    outcome = options.print ? print_all(run) : publish_and_report(run);
    factory_stream_free(stream);
    free(run);
    return outcome;
}
