/* publish.c -- a publisher as fast as sockets are: MQTT 3.1.1 spoken by hand, packets made beforehand.
 *
 *   publish PORT QOS MESSAGES CONNECTIONS
 *
 * The records of load.h, dealt out to the connections in blocks. QoS 0 ends with a PINGREQ on each connection:
 * its answer says that all before it was handled. QoS 1 keeps WINDOW messages of a connection on their way
 * and ends with the last PUBACK. Prints "SECONDS CPU-SECONDS" from the first byte to that.
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define PACKETS         2000u /* as many as there are different records: 16 topics, 1,000 payloads */
#define PACKET_MAX      512u
#define BLOCK           64u  /* messages written at once */
#define WINDOW          500u /* below the broker's max_inflight_messages */
#define PUBACK_BYTES    4u
#define PINGRESP_BYTES  2u

struct packet {
    char bytes[PACKET_MAX];
    size_t n, id_at; /* id_at: where the packet identifier stands; 0: QoS 0 */
};

struct connection {
    int fd;
    uint64_t sent; /* messages handed over, in whole or in part */
    size_t answer_bytes;
    uint16_t last_id;
    bool has_pinged;
    char block[BLOCK * PACKET_MAX];
    size_t n, at; /* of the block */
};

static struct packet packets[PACKETS];
static struct connection connections[CONNECTIONS_MAX];
static size_t n_connections;
static uint64_t n_messages, n_made;
static int qos;

static void make_packet(struct packet *packet, const struct slu_record *record)
{
    const size_t rest = 2 + record->topic.len + (qos > 0 ? 2 : 0) + record->payload.len;
    char *at = packet->bytes;

    if (rest + 3 > PACKET_MAX || rest < 128 || rest >= 16384)
        load_fail("a record does not fit a packet");
    *at++ = (char)(0x30 | qos << 1);
    *at++ = (char)(rest % 128 | 0x80);
    *at++ = (char)(rest / 128);
    *at++ = (char)(record->topic.len >> 8);
    *at++ = (char)(record->topic.len & 0xFF);
    memcpy(at, record->topic.data, record->topic.len);
    at += record->topic.len;
    if (qos > 0) {
        packet->id_at = (size_t)(at - packet->bytes);
        at += 2;
    }
    memcpy(at, record->payload.data, record->payload.len);
    packet->n = (size_t)(at - packet->bytes) + record->payload.len;
}

/* ---- a connection ------------------------------------------------------------------------------------ */

static void write_all(int fd, const char *bytes, size_t n)
{
    for (size_t at = 0; at < n;) {
        const ssize_t written = write(fd, bytes + at, n - at);
        if (written <= 0)
            load_fail(strerror(errno));
        at += (size_t)written;
    }
}

static void open_connection(struct connection *connection, uint16_t port, int number)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char connect_packet[] = "\x10\x11\0\4MQTT\4\2\0\0\0\5pub00"; /* clean session, no keep-alive */
    char connack[4];

    connect_packet[17] = (char)('0' + number / 10);
    connect_packet[18] = (char)('0' + number % 10);
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        load_fail(strerror(errno));
    write_all(connection->fd, connect_packet, sizeof(connect_packet) - 1);
    if (recv(connection->fd, connack, sizeof(connack), MSG_WAITALL) != sizeof(connack) ||
        connack[3] != 0)
        load_fail("the broker does not take the connection");
    fcntl(connection->fd, F_SETFL, O_NONBLOCK);
}

static uint64_t acknowledged(const struct connection *connection)
{
    return connection->answer_bytes / PUBACK_BYTES;
}

/* Everything was sent and answered. */
static bool is_done(const struct connection *connection)
{
    if (n_made < n_messages || connection->at < connection->n)
        return false;
    return qos > 0 ? acknowledged(connection) == connection->sent
                   : connection->answer_bytes == PINGRESP_BYTES;
}

/* The next block: messages, at the end of QoS 0 a ping; empty when the window is full. */
static void fill(struct connection *connection)
{
    connection->n = connection->at = 0;
    for (unsigned i = 0; i < BLOCK && n_made < n_messages; i++) {
        if (qos > 0 && connection->sent - acknowledged(connection) >= WINDOW)
            return;
        const struct packet *packet = &packets[++n_made % PACKETS];
        char *at = connection->block + connection->n;
        memcpy(at, packet->bytes, packet->n);
        if (packet->id_at > 0) {
            connection->last_id = (uint16_t)(connection->last_id % UINT16_MAX + 1); /* never 0 */
            at[packet->id_at] = (char)(connection->last_id >> 8);
            at[packet->id_at + 1] = (char)(connection->last_id & 0xFF);
        }
        connection->n += packet->n;
        connection->sent++;
    }
    if (qos == 0 && connection->n == 0 && !connection->has_pinged) {
        memcpy(connection->block, "\xC0\0", 2);
        connection->n = 2;
        connection->has_pinged = true;
    }
}

static void send_more(struct connection *connection)
{
    for (;;) {
        if (connection->at == connection->n)
            fill(connection);
        if (connection->n == 0)
            return;
        const ssize_t n = write(connection->fd, connection->block + connection->at,
                                connection->n - connection->at);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            load_fail(strerror(errno));
        connection->at += (size_t)n;
    }
}

/* Every answer of QoS 1 is a PUBACK, the only one of QoS 0 is the PINGRESP. */
static void take_answers(struct connection *connection)
{
    char bytes[4096];
    const ssize_t n = read(connection->fd, bytes, sizeof(bytes));

    if (n < 0 && errno == EAGAIN)
        return;
    if (n <= 0)
        load_fail("the broker closed a connection");
    if (connection->answer_bytes % PUBACK_BYTES == 0 && bytes[0] != (qos > 0 ? '\x40' : '\xD0'))
        load_fail("the broker answers something else");
    connection->answer_bytes += (size_t)n;
}

/* ---- all of them ------------------------------------------------------------------------------------- */

static bool wants_to_write(const struct connection *connection)
{
    return connection->at < connection->n || (qos == 0 && !connection->has_pinged);
}

/* False when all are done. */
static bool turn(void)
{
    struct pollfd fds[CONNECTIONS_MAX];
    bool is_open = false;

    for (size_t i = 0; i < n_connections; i++) {
        send_more(&connections[i]);
        is_open = is_open || !is_done(&connections[i]);
        fds[i] = (struct pollfd){.fd = connections[i].fd, .events = POLLIN};
        if (wants_to_write(&connections[i]))
            fds[i].events |= POLLOUT;
    }
    if (!is_open)
        return false;
    if (poll(fds, n_connections, 60000) == 0)
        load_fail("the broker did not answer for a minute");
    for (size_t i = 0; i < n_connections; i++) {
        if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            take_answers(&connections[i]);
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        load_fail("usage: publish PORT QOS MESSAGES CONNECTIONS");
    const uint16_t port = (uint16_t)strtoul(argv[1], NULL, 10);
    qos = atoi(argv[2]);
    n_messages = strtoull(argv[3], NULL, 10);
    n_connections = strtoul(argv[4], NULL, 10);
    if (qos < 0 || qos > 1 || n_connections == 0 || n_connections > CONNECTIONS_MAX)
        load_fail("QoS is 0 or 1, connections are 1 … 64");
    load_begin();
    for (unsigned i = 0; i < PACKETS; i++) {
        const struct slu_record record = load_record(i);
        make_packet(&packets[i], &record);
    }
    for (size_t i = 0; i < n_connections; i++)
        open_connection(&connections[i], port, (int)i);
    const struct load_time begun = load_now();
    while (turn()) {
    }
    load_print(begun, load_now());
    for (size_t i = 0; i < n_connections; i++)
        close(connections[i].fd);
    return 0;
}
