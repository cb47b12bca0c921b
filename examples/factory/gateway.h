/* gateway.h -- one MQTT 5 client that carries messages of the machines to the broker.
 *
 *   CLOSED ──open──▶ CONNECTING ──CONNACK──▶ READY ──connection lost──▶ WAITING ──▶ CONNECTING
 *                                              └──────reconnect() when nothing is under way──▲
 *
 * What was published at QoS 1 or 2 and not acknowledged when a connection breaks stays with the library
 * and is sent again; at QoS 0 it is counted as lost.
 *
 * Threads: none; nothing here waits but connecting (TCP) itself.
 */
#ifndef FACTORY_GATEWAY_H
#define FACTORY_GATEWAY_H

#include "examples/factory/report.h"

#include <stdbool.h>

struct factory_options;
struct factory_gateway;

/* Connects; NULL after one line on stderr. Borrows options and report. */
struct factory_gateway *factory_gateway_open(const struct factory_options *options, unsigned index,
                                             struct factory_report *report);
void factory_gateway_close(struct factory_gateway *gateway);

/* Connected, and room for one more message. */
bool factory_gateway_is_ready(const struct factory_gateway *gateway);

/* -1 after one line on stderr: the message can never be sent. */
int factory_gateway_publish(struct factory_gateway *gateway, const struct factory_message *message);

/* Leaves the broker in good order and connects anew; false while messages are under way: ask again. */
bool factory_gateway_reconnect(struct factory_gateway *gateway);

/* For poll(): the socket (-1: none) and the events that matter. */
int factory_gateway_socket(const struct factory_gateway *gateway, short *events);

/* Reads, writes, keeps alive, reconnects what was lost. `revents` from poll(). */
void factory_gateway_serve(struct factory_gateway *gateway, short revents);

#endif
