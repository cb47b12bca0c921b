/* registry_help.h -- a small HTTP server that answers what it is told to, however wrong, one answer a
 * request, and remembers what it was asked. Each connection is closed after its answer. */
#ifndef SLU_TESTS_REGISTRY_HELP_H
#define SLU_TESTS_REGISTRY_HELP_H

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum how {
    WHOLE,       /* send it, close */
    HANG,        /* send it, then say nothing until the client goes */
    FLOOD,       /* send it, then its last byte again and again until the client goes */
    FLOOD_LINES, /* likewise its last six bytes */
};

struct answer {
    const char *bytes;
    enum how how;
};

#define ASKED_MAX 64

struct server {
    int listener;
    char url[64];
    pthread_t thread;
    const struct answer *answers; /* the last one is repeated */
    size_t n_answers;
    char asked[ASKED_MAX][4096]; /* whole requests */
    _Atomic size_t n_asked;
};

/* The whole request: head, and as much body as it says. */
static inline void hear(int fd, char *out, size_t size)
{
    size_t n = 0, want = 0;

    while (n + 1 < size) {
        const ssize_t got = read(fd, out + n, size - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        out[n] = '\0';
        const char *end = strstr(out, "\r\n\r\n");
        if (end == NULL)
            continue;
        const char *length = strcasestr(out, "\r\nContent-Length:");
        want = (size_t)(end + 4 - out) + (length != NULL ? strtoul(length + 17, NULL, 10) : 0);
        if (n >= want)
            break;
    }
    out[n] = '\0';
}

static inline bool say(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        const ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static inline void answer(int fd, const struct answer *answer)
{
    char block[4096];

    say(fd, answer->bytes, strlen(answer->bytes));
    const size_t again = answer->how == FLOOD_LINES ? 6 : 1, n = sizeof(block) / again * again;
    for (size_t i = 0; i < n; i++)
        block[i] = answer->bytes[strlen(answer->bytes) - again + i % again];
    while (answer->how >= FLOOD && say(fd, block, n))
        ;
    while (answer->how == HANG && read(fd, block, sizeof(block)) > 0)
        ;
}

static inline void *serve(void *argument)
{
    struct server *server = argument;

    for (;;) {
        const int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        const size_t i = server->n_asked;
        hear(fd, server->asked[i % ASKED_MAX], sizeof(server->asked[0]));
        atomic_store(&server->n_asked, i + 1);
        answer(fd, &server->answers[i < server->n_answers ? i : server->n_answers - 1]);
        close(fd);
    }
}

static inline struct server *start_server(const struct answer *answers, size_t n_answers)
{
    struct server *server = calloc(1, sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);

    server->answers = answers;
    server->n_answers = n_answers;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u", ntohs(address.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
    return server;
}

static inline void stop_server(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    free(server);
}

/* An answer in JSON, as a registry gives it. */
#define JSON(status, body)                                                            \
    "HTTP/1.1 " status "\r\nContent-Type: application/vnd.schemaregistry.v1+json\r\n" \
    "Connection: close\r\n\r\n" body

#endif
