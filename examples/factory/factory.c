/* factory.c -- publishes what the machines say (machines.h) at QoS 1 over MQTT 5, and counts by kind
 * what was sent, acknowledged and denied.
 *
 *   kind                          sent   acknowledged   denied
 *   right                        5,602          5,602        0
 *   heartbeat garbled               12              0       12
 *
 * One thread: publish what is due, then let the library read and write. So the packet id of a message
 * is always known before its acknowledgement is looked at.
 */
#include "examples/factory/machines.h"
#include "examples/factory/options.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define UNDER_WAY_MAX  1000u       /* published, not acknowledged yet */
#define STALL_NS       30000000000 /* no acknowledgement for so long: give up */
#define NS_PER_S       1000000000
#define REFUSALS_BEGIN 0x80 /* reason codes from here on */

struct tally {
    uint64_t sent, acknowledged, denied;
};

struct sender {
    const struct factory_options *options;
    struct mosquitto *client;
    struct factory factory;
    struct tally tallies[FACTORY_KINDS];
    struct tally all;
    unsigned char kind_of[65536]; /* by packet id */
    int64_t started_ns, last_ack_ns, last_progress_ns;
    bool connected;
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

static void on_connect(struct mosquitto *client, void *context, int reason, int flags,
                       const mosquitto_property *properties)
{
    struct sender *sender = context;

    (void)client;
    (void)flags;
    (void)properties;
    sender->connected = reason == 0;
}

static void on_publish(struct mosquitto *client, void *context, int mid, int reason,
                       const mosquitto_property *properties)
{
    struct sender *sender = context;
    struct tally *tally = &sender->tallies[sender->kind_of[mid & 0xFFFF]];

    (void)client;
    (void)properties;
    sender->last_ack_ns = clock_ns(CLOCK_MONOTONIC);
    if (reason >= REFUSALS_BEGIN) {
        tally->denied++;
        sender->all.denied++;
        return;
    }
    tally->acknowledged++;
    sender->all.acknowledged++;
}

static uint64_t under_way(const struct sender *sender)
{
    return sender->all.sent - sender->all.acknowledged - sender->all.denied;
}

static bool is_complete(const struct sender *sender)
{
    return interrupted ||
           (sender->options->count != 0 && sender->all.sent >= sender->options->count);
}

/* How many messages should have left by now. */
static uint64_t due(const struct sender *sender)
{
    if (sender->options->rate == 0)
        return UINT64_MAX;
    int64_t elapsed = clock_ns(CLOCK_MONOTONIC) - sender->started_ns;
    return 1 + (uint64_t)(elapsed / 1000) * sender->options->rate / 1000000;
}

static int publish_next(struct sender *sender)
{
    struct factory_message message;
    int mid = 0;

    factory_speak(&sender->factory, clock_ns(CLOCK_REALTIME) / 1000000, &message);
    int result = mosquitto_publish_v5(sender->client, &mid, message.topic,
                                      (int)message.payload_bytes, message.payload, 1, false, NULL);
    if (result != MOSQ_ERR_SUCCESS) {
        fprintf(stderr, "factory: cannot publish: %s\n", mosquitto_strerror(result));
        return -1;
    }
    sender->kind_of[mid & 0xFFFF] = (unsigned char)message.kind;
    sender->tallies[message.kind].sent++;
    sender->all.sent++;
    return 0;
}

static int publish_due(struct sender *sender)
{
    for (int burst = 0; burst < 100; burst++) {
        if (is_complete(sender) || under_way(sender) >= UNDER_WAY_MAX ||
            sender->all.sent >= due(sender))
            return 0;
        if (publish_next(sender) != 0)
            return -1;
    }
    return 0;
}

static void show_progress(struct sender *sender, bool last)
{
    int64_t now = clock_ns(CLOCK_MONOTONIC);

    if (sender->options->quiet || !isatty(STDERR_FILENO))
        return;
    if (!last && now - sender->last_progress_ns < NS_PER_S / 10)
        return;
    sender->last_progress_ns = now;
    fprintf(stderr, "\r  %" PRIu64 " sent, %" PRIu64 " acknowledged, %" PRIu64 " denied%s",
            sender->all.sent, sender->all.acknowledged, sender->all.denied, last ? "\n" : " ");
}

static int let_library_work(struct sender *sender)
{
    int result = mosquitto_loop(sender->client, sender->options->rate != 0 ? 2 : 10, 1);

    if (result == MOSQ_ERR_SUCCESS)
        return 0;
    if (interrupted)
        return -1;
    fprintf(stderr, "factory: connection lost: %s\n", mosquitto_strerror(result));
    return -1;
}

static int run(struct sender *sender)
{
    sender->started_ns = sender->last_ack_ns = clock_ns(CLOCK_MONOTONIC);
    while (!is_complete(sender) || under_way(sender) != 0) {
        if (sender->connected && publish_due(sender) != 0)
            return -1;
        if (let_library_work(sender) != 0)
            return -1;
        show_progress(sender, false);
        if (under_way(sender) == 0)
            sender->last_ack_ns = clock_ns(CLOCK_MONOTONIC);
        if (clock_ns(CLOCK_MONOTONIC) - sender->last_ack_ns > STALL_NS) {
            fprintf(stderr, "factory: no acknowledgement for 30 s, giving up\n");
            return -1;
        }
    }
    return 0;
}

static void print_tally(const char *name, const struct tally *tally)
{
    printf("  %-30s %8" PRIu64 " %14" PRIu64 " %8" PRIu64 "\n", name, tally->sent,
           tally->acknowledged, tally->denied);
}

static void print_tallies(const struct sender *sender)
{
    printf("  %-30s %8s %14s %8s\n", "what the factory said", "sent", "acknowledged", "denied");
    for (int kind = 0; kind < FACTORY_KINDS; kind++) {
        if (sender->tallies[kind].sent != 0)
            print_tally(factory_kind_names[kind], &sender->tallies[kind]);
    }
    print_tally("all", &sender->all);
}

static struct mosquitto *connect_to_broker(struct sender *sender)
{
    const struct factory_options *options = sender->options;
    struct mosquitto *client = mosquitto_new("biscuit-factory", true, sender);

    if (client == NULL) {
        fprintf(stderr, "factory: no memory for a client\n");
        return NULL;
    }
    mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_connect_v5_callback_set(client, on_connect);
    mosquitto_publish_v5_callback_set(client, on_publish);
    int result = mosquitto_connect(client, options->host, options->port, 60);
    if (result != MOSQ_ERR_SUCCESS) {
        fprintf(stderr, "factory: no broker at %s port %d: %s\n", options->host, options->port,
                mosquitto_strerror(result));
        mosquitto_destroy(client);
        return NULL;
    }
    return client;
}

int main(int argc, char **argv)
{
    struct factory_options options;
    struct sender *sender = calloc(1, sizeof(*sender));
    int outcome = factory_options_read(&options, argc, argv);

    if (outcome != 0 || sender == NULL) {
        free(sender);
        return outcome == 1 ? 0 : 2;
    }
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    sender->options = &options;
    factory_open(&sender->factory, options.seed);
    mosquitto_lib_init();
    sender->client = connect_to_broker(sender);
    outcome = 2;
    if (sender->client != NULL) {
        outcome = run(sender) == 0 ? 0 : 1;
        show_progress(sender, true);
        print_tallies(sender);
        mosquitto_disconnect(sender->client);
        mosquitto_destroy(sender->client);
    }
    mosquitto_lib_cleanup();
    free(sender);
    return outcome;
}
