/* gateway.c -- see gateway.h.
 *
 * One thread: publish first, let the library read afterwards. So the packet id of a message is always
 * known before its acknowledgement is looked at. At QoS 0 the library may report a message as written
 * before its packet id was returned; there only the total is counted.
 */
#include "examples/factory/gateway.h"
#include "examples/factory/latency.h"
#include "examples/factory/options.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define UNDER_WAY_MAX  2000u /* a client; packet ids come back long before they are used again */
#define PACKETS_A_TURN 200
#define RETRY_FIRST_NS 100000000
#define RETRY_LAST_NS  2000000000
#define REFUSALS_BEGIN 0x80 /* reason codes from here on */

enum state { CONNECTING, READY, WAITING };

struct factory_gateway {
    const struct factory_options *options;
    struct factory_report *report;
    struct mosquitto *client;
    enum state state;
    uint64_t sent, settled;
    int64_t retry_at_ns, backoff_ns, next_misc_ns;
    unsigned char kind_of[65536]; /* by packet id */
    int64_t sent_ns[65536];
};

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void on_connect(struct mosquitto *client, void *context, int reason, int flags,
                       const mosquitto_property *properties)
{
    struct factory_gateway *gateway = context;

    (void)client;
    (void)flags;
    (void)properties;
    if (reason != 0) {
        fprintf(stderr, "factory: the broker refuses the connection: %s\n",
                mosquitto_reason_string(reason));
        return;
    }
    gateway->state = READY;
    gateway->backoff_ns = RETRY_FIRST_NS;
}

static void settle(struct factory_gateway *gateway)
{
    gateway->settled++;
    gateway->report->last_settled_ns = now_ns();
}

static void on_publish(struct mosquitto *client, void *context, int mid, int reason,
                       const mosquitto_property *properties)
{
    struct factory_gateway *gateway = context;
    struct factory_report *report = gateway->report;
    struct factory_tally *tally = &report->kinds[gateway->kind_of[mid & 0xFFFF]];

    (void)client;
    (void)properties;
    settle(gateway);
    if (gateway->options->qos == 0) {
        report->all.acknowledged++;
        return;
    }
    factory_latency_add(report->latency, report->last_settled_ns - gateway->sent_ns[mid & 0xFFFF]);
    if (reason >= REFUSALS_BEGIN) {
        tally->denied++;
        report->all.denied++;
        return;
    }
    tally->acknowledged++;
    report->all.acknowledged++;
}

static uint64_t under_way(const struct factory_gateway *gateway)
{
    return gateway->sent - gateway->settled;
}

/* At QoS 0 what the library had not written yet is gone; otherwise it is only late. */
static void connection_lost(struct factory_gateway *gateway)
{
    if (gateway->options->qos == 0) {
        gateway->report->lost += under_way(gateway);
        gateway->settled = gateway->sent;
    }
    gateway->state = WAITING;
    gateway->retry_at_ns = now_ns() + gateway->backoff_ns;
    gateway->backoff_ns *= 2;
    if (gateway->backoff_ns > RETRY_LAST_NS)
        gateway->backoff_ns = RETRY_LAST_NS;
    gateway->report->reconnects++;
}

static struct mosquitto *new_client(struct factory_gateway *gateway, unsigned index)
{
    const struct factory_options *options = gateway->options;
    char id[64];

    snprintf(id, sizeof(id), "%s-%u", options->id, index + 1);
    struct mosquitto *client = mosquitto_new(id, true, gateway);
    if (client == NULL)
        return NULL;
    mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_v5_callback_set(client, on_connect);
    mosquitto_publish_v5_callback_set(client, on_publish);
    if (options->username != NULL)
        mosquitto_username_pw_set(client, options->username, options->password);
    return client;
}

struct factory_gateway *factory_gateway_open(const struct factory_options *options, unsigned index,
                                             struct factory_report *report)
{
    struct factory_gateway *gateway = calloc(1, sizeof(*gateway));

    if (gateway == NULL)
        goto no_memory;
    gateway->options = options;
    gateway->report = report;
    gateway->backoff_ns = RETRY_FIRST_NS;
    gateway->client = new_client(gateway, index);
    if (gateway->client == NULL)
        goto no_memory;
    int result = mosquitto_connect(gateway->client, options->host, options->port, 60);
    if (result != MOSQ_ERR_SUCCESS) {
        fprintf(stderr, "factory: no broker at %s port %d: %s\n", options->host, options->port,
                mosquitto_strerror(result));
        factory_gateway_close(gateway);
        return NULL;
    }
    return gateway;

no_memory:
    fprintf(stderr, "factory: no memory for a client\n");
    factory_gateway_close(gateway);
    return NULL;
}

void factory_gateway_close(struct factory_gateway *gateway)
{
    if (gateway == NULL)
        return;
    if (gateway->client != NULL) {
        mosquitto_disconnect(gateway->client);
        mosquitto_destroy(gateway->client);
    }
    free(gateway);
}

bool factory_gateway_is_ready(const struct factory_gateway *gateway)
{
    return gateway->state == READY && under_way(gateway) < UNDER_WAY_MAX;
}

int factory_gateway_publish(struct factory_gateway *gateway, const struct factory_message *message)
{
    struct factory_report *report = gateway->report;
    int64_t started = now_ns();
    int mid = 0;

    gateway->sent++;
    report->all.sent++;
    report->kinds[message->kind].sent++;
    int result =
        mosquitto_publish_v5(gateway->client, &mid, message->topic, (int)message->payload_bytes,
                             message->payload, (int)gateway->options->qos, false, NULL);
    gateway->kind_of[mid & 0xFFFF] = (unsigned char)message->kind;
    gateway->sent_ns[mid & 0xFFFF] = started;
    switch (result) {
    case MOSQ_ERR_SUCCESS:
        return 0;
    case MOSQ_ERR_NO_CONN:
    case MOSQ_ERR_CONN_LOST:
    case MOSQ_ERR_ERRNO: /* with QoS 1 and 2 the library has it, and sends it after the reconnect */
        connection_lost(gateway);
        return 0;
    default:
        fprintf(stderr, "factory: cannot publish: %s\n", mosquitto_strerror(result));
        return -1;
    }
}

static void connect_again(struct factory_gateway *gateway)
{
    gateway->state = CONNECTING;
    if (mosquitto_reconnect(gateway->client) != MOSQ_ERR_SUCCESS) {
        connection_lost(gateway);
        gateway->report->reconnects--; /* this one was counted when the connection broke */
    }
}

bool factory_gateway_reconnect(struct factory_gateway *gateway)
{
    if (gateway->state != READY || under_way(gateway) != 0)
        return false;
    mosquitto_disconnect(gateway->client);
    gateway->report->reconnects++;
    connect_again(gateway);
    return true;
}

int factory_gateway_socket(const struct factory_gateway *gateway, short *events)
{
    *events = POLLIN;
    if (mosquitto_want_write(gateway->client))
        *events |= POLLOUT;
    return mosquitto_socket(gateway->client);
}

void factory_gateway_serve(struct factory_gateway *gateway, short revents)
{
    int64_t now = now_ns();
    int result = MOSQ_ERR_SUCCESS;

    if (gateway->state == WAITING) {
        if (now >= gateway->retry_at_ns)
            connect_again(gateway);
        return;
    }
    if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0)
        result = mosquitto_loop_read(gateway->client, PACKETS_A_TURN);
    if (result == MOSQ_ERR_SUCCESS && (revents & POLLOUT) != 0)
        result = mosquitto_loop_write(gateway->client, PACKETS_A_TURN);
    if (result == MOSQ_ERR_SUCCESS && now >= gateway->next_misc_ns) {
        gateway->next_misc_ns = now + 100000000;
        result = mosquitto_loop_misc(gateway->client);
    }
    if (result != MOSQ_ERR_SUCCESS)
        connection_lost(gateway);
}
